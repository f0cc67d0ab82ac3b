"""A backtest put together: the same cycle, bots, rules, exits and exchange as a run, over history, as fast as it goes.

What differs from ``hydra run`` on the simulated broker is what it stands on, and nothing else: the exchange keeps no books, the state
lives in memory, nobody has to certify anything, and the bots have no deadline (this program's own are asked in this process, foreign
ones in processes where the policy keeps them there). A backtest leaves no state, takes no lock, and begins every time with the account
of the policy. Its journal is a run's: it carries all it has seen, and can be replayed; it does not wait for the disk, for it can be
made again.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic import ValidationError

from hydra.adapters.calendar import PRE_OPENS, ExchangeCalendar, new_york
from hydra.adapters.exchange.doors import SimClock
from hydra.adapters.exchange.foresight import foresight
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.files import HastyFiles
from hydra.adapters.fingerprint import CodeFingerprint
from hydra.adapters.journal.writer import JournalWriter
from hydra.adapters.markets.feed import Feed, as_opens
from hydra.adapters.markets.other_future import Future, OtherFuture
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.adapters.memory.journal import PassingJournal
from hydra.bootstrap.hosts import replay_host, turns_of
from hydra.bootstrap.indoors import Indoors
from hydra.bootstrap.plugs import foreign_sources, rule_book
from hydra.bootstrap.venues import Source, account_of, begin, calendar_of, feed_of
from hydra.engine.cycle import Engine, Hear
from hydra.engine.quiet import Quiet, cannot, micros
from hydra.engine.run import PassOver
from hydra.model.errors import BadConfig
from hydra.model.events import SegmentOpened
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.portfolio import Ledger
from hydra.policy import DAY_SECONDS, BotPolicy, Policy
from hydra.ports import BotHost, Journal
from hydra.risk.plugs import RuleBook
from hydra.study.curve import Bars, Split
from hydra.study.record import Recorder

COMMAND = "backtest"
URL = "sim://backtest"
_DAY_MINUTES = 1440
_OPENING = "09:30"


_COLLECTED_AFTER = (50_000, 20, 100)
"""Rarely. What a history leaves (fills, orders that are done) is in no cycle, and grows with it: a full collection walks over all of it, and with
the usual thresholds so many come that they take a fifth of a million bars' time. What runs in cycles is young, and still found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What of a history is played, from and to (both included); ``None``: from its beginning, to its end.

    What lies before ``since`` is warm-up: bots see it as history, and nothing is decided in it.
    """

    since: datetime | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise BadConfig(
                f"--from {self.since:%Y-%m-%dT%H:%M:%SZ} is not before --until {self.until:%Y-%m-%dT%H:%M:%SZ}"
            )


@dataclass(slots=True, kw_only=True)
class Backtest:
    """One backtest, made ready. Use as a context manager. ``journal_dir`` is a folder of its own, or ``None`` for no journal.

    ``hear`` is told of every event. ``every_cycle``: nothing is passed over. ``calendar_cache`` is where the exchange's days are kept between commands. ``other`` gives the history
    another future from a moment on. ``lone`` says that the policy is one of ``alone``, which is made to fit days where a day is a bar. ``prices`` and ``code_hash`` are found out unless they are given; once open they are there, for another one.
    """

    policy: Policy
    source: Source
    run: str
    calendar_cache: Path
    journal_dir: Path | None = None
    stretch: Stretch = field(default_factory=Stretch)
    hear: Hear | None = None
    every_cycle: bool = False
    other: tuple[datetime, Future] | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    prices: Feed | None = None
    code_hash: str = ""
    lone: bool = False
    notes: list[str] = field(default_factory=list)
    _engine: Engine | None = field(default=None, init=False)
    _world: Indoors | None = field(default=None, init=False)
    _quiet: Quiet | None = field(default=None, init=False)
    _stack: ExitStack = field(default_factory=ExitStack, init=False)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(gc.set_threshold, *gc.get_threshold())
            gc.set_threshold(*_COLLECTED_AFTER)
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def engine(self) -> Engine:
        """The engine, at the beginning of its history."""
        assert self._engine is not None, "used inside its with block"
        return self._engine

    @property
    def pass_over(self) -> PassOver | None:
        """Passes over cycles in which nothing can happen; ``None`` when every cycle has to be gone through."""
        quiet = self._quiet
        if quiet is None:
            return None
        return lambda report, ledger: quiet.pass_over(ledger, report.snapshot.sight, report.plan)

    @property
    def market(self) -> str:
        """What is played, with the hash of its prices."""
        assert self._world is not None, "used inside its with block"
        return self._world.market

    def complete(self, recorder: Recorder) -> None:
        """Give a recorder, for its pictures, the bars that lie in files as a whole (a run is shown only what it looks at), and the splits."""
        feed = self.prices
        last = 0 if recorder.last is None else micros(recorder.last.at)
        if isinstance(feed, RecordedFeed):
            for symbol in recorder.bars:
                vectors = feed.vectors(symbol)
                if vectors is not None:
                    played = int(vectors.known.searchsorted(last, "right"))
                    opened, high, low, close = (column[:played] for column in vectors.numbers[:4])
                    recorder.bars[symbol] = Bars.of(vectors.known[:played], opened, high, low, close)
        for action in () if feed is None else feed.actions:
            if action.new_rate != action.old_rate:
                at = micros(new_york(action.ex_date, PRE_OPENS))
                recorder.split(action.symbol, Split(at, float(action.new_rate / action.old_rate)))

    def segment(self, number: int) -> SegmentOpened:
        """The opening of the n-th segment; the engine fills in the ledger."""
        assert self._world is not None, "used inside its with block"
        return self._world.segment(number)

    def _open(self, stack: ExitStack) -> None:
        exchange_hours = ExchangeCalendar(self.calendar_cache)
        feed = self.prices = self.prices or feed_of(self.policy, self.source, exchange_hours)
        if self.lone:
            self.policy = by_days(self.policy, feed)
        policy = self.policy
        book = rule_book(policy)
        bots = replay_host(policy)
        stack.callback(bots.close)
        self.code_hash = self.code_hash or CodeFingerprint(more=foreign_sources(policy)).hash()
        calendar = calendar_of(feed, exchange_hours, always=policy.market.sessions == "always")
        played: Feed = feed if self.other is None else OtherFuture(feed, *self.other)
        venue = SimulatedVenue(played, calendar, account_of(policy), start=self._start(played))
        begin(venue, policy, invented=policy.market.name == "synthetic" and not self.source.data)
        self.notes += [note for note in (venue.note, *getattr(feed, "notes", ()), *_of_days(policy, feed)) if note]
        self._world = world = Indoors(
            policy=policy,
            command=COMMAND,
            url=URL,
            code_hash=self.code_hash,
            market=f"{played.describe()}, {played.fingerprint}",
            seed=policy.engine.seed if self.source.seed is None else self.source.seed,
            venue=venue,
            clock=SimClock(venue, days=self._days(), until=self._is_over, stop=self.stop),
            calendar=calendar,
        )
        self._quiet = None if self.every_cycle or self.other is not None else self._passing(book, venue, bots)
        most = None if self._quiet is None else policy.engine.window_bars
        outside = world.outside(self._journal(stack, world.clock), bots, bars_most=most)
        self._engine = Engine(outside, book, Ledger(), self.hear)
        world.begin(self._engine)

    def _passing(self, book: RuleBook, venue: SimulatedVenue, bots: BotHost) -> Quiet | None:
        """What passes over quiet cycles; ``None``, and a note that says why, where nothing may be."""
        policy = self.policy
        world, why = foresight(venue, venue.feed, policy.symbols)
        turns = {} if world is None else turns_of(bots, policy, world)
        why = why or cannot(book, turns) or ""
        if world is None or why:
            self.notes.append(f"every cycle is gone through: {why}")
            return None
        until = self.stretch.until
        last = None if until is None else micros(until)
        told = {key: found for key, found in turns.items() if found is not None}
        return Quiet(book, world, told, last, venue.settings.half_spread)

    def _start(self, feed: Feed) -> datetime | None:
        """Where the clock begins; ``None``: just before the first instant. Raises ``BadConfig`` when nothing is left to be played."""
        since = self.stretch.since
        if since is None:
            return None
        coming = feed.next_after(since)
        if coming is None or self._is_over(coming):
            raise BadConfig(f"--from {since:%Y-%m-%dT%H:%M:%SZ}: nothing is left to be played of {feed.describe()}")
        return since

    def _is_over(self, coming: datetime) -> bool:
        return self.stretch.until is not None and coming > self.stretch.until

    def _days(self) -> int:
        """Recorded prices and a stretch with an end are played to their end; an invented market has none of its own."""
        return 0 if self.source.data or self.stretch.until is not None else self.policy.market.days

    def _journal(self, stack: ExitStack, clock: SimClock) -> Journal:
        if self.journal_dir is None:
            return PassingJournal(self.run, clock.now)
        files = HastyFiles()
        files.make_dir(self.journal_dir)
        segment_bytes = self.policy.journal.segment_mb << 20
        journal = JournalWriter(files, self.journal_dir, self.run, now=clock.now, segment_bytes=segment_bytes)
        stack.callback(journal.close)
        return journal


def alone(policy: Policy, bot: str, symbols: Sequence[str]) -> Policy:
    """The policy with one bot: the settings of the first that is enabled (but for signal and parameters, which are its make's),
    another make, and its symbols if none are named.

    Raises ``BadConfig`` when there is none, or for what no bot may be.
    """
    if not policy.enabled_bots:
        raise BadConfig("--bot: the configuration has no enabled bot whose settings it could have")
    document = policy.document()
    first = next(one for one in document["bots"] if one["id"] == policy.enabled_bots[0].id)
    if bot != first["bot"]:  # what a signal and parameters mean is its make's alone
        first = {name: value for name, value in first.items() if name not in ("signal", "parameters")}
    document["bots"] = [{**first, "bot": bot, "symbols": list(symbols) or first["symbols"]}]
    return _valid(document, bot)


def by_days(policy: Policy, feed: Feed) -> Policy:
    """A policy of ``alone``, made to fit days: where all its shares come as daily bars, its day's hours, and a time stop shorter than a
    day, mean nothing and are left out.
    """
    bot, opens = policy.enabled_bots[0], as_opens(feed)
    shares = _shares(bot)
    if opens is None or not shares or not shares.issubset(opens.days) or bot.option is not None:
        return policy
    document = policy.document()
    mine: dict[str, Any] = {**document["bots"][0], "session": None}
    if bot.time_stop_minutes is not None and bot.time_stop_minutes < _DAY_MINUTES:
        mine["time_stop_minutes"] = None
    document["bots"] = [mine]
    document["market"]["bar_seconds"] = DAY_SECONDS
    return _valid(document, bot.bot)


def _of_days(policy: Policy, feed: Feed) -> Iterator[str]:
    """What should be known of bots that trade days of shares."""
    opens = as_opens(feed)
    for bot in () if opens is None else policy.enabled_bots:
        shares = ", ".join(sorted(_shares(bot).intersection(opens.days))) if opens is not None else ""
        if not shares:
            continue
        if bot.session is None:
            yield f"{bot.id}: {shares} by days: no hours, and nothing is closed before the close"
        elif bot.session.trade_start > _OPENING:
            yield (
                f"{bot.id}: {shares} by days: it enters from {bot.session.trade_start} on, after the opening, so nothing is entered; "
                "leave out its session and set market.bar_seconds to 86400, or try it with --bot"
            )
        else:
            yield f"{bot.id}: {shares} by days: its day ends at {bot.session.manage_until}, so it is out at the next opening"


def _shares(bot: BotPolicy) -> frozenset[str]:
    return frozenset(symbol for symbol in bot.symbols if asset_class_of(symbol) is AssetClass.EQUITY)


def _valid(document: dict[str, Any], bot: str) -> Policy:
    try:
        return Policy.model_validate(document)
    except ValidationError as error:
        raise BadConfig(f"--bot {bot}: {'; '.join(each['msg'] for each in error.errors())}") from None
