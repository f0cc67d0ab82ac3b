"""Power losses: the same engine in this process, on a disk that forgets what was not synced.

The journal lies on ``LossyFiles``; of what was written and not synced, chance decides how much is left, torn lines
included. The store is a real SQLite file that is kept, set back to an older copy, or wiped. The venue is another company:
its books survive. Power fails as a ``Lightning``, which nothing in the engine catches, raised at a named place or at the
n-th operation on the disk, half-way through a write if chance wants it so.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.adapters.calendar import AlwaysOpen, ExchangeCalendar
from hydra.adapters.exchange.doors import SimBroker, SimClock, SimMarket
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.inbox import FileInbox
from hydra.adapters.journal.reader import Tail, read_journal
from hydra.adapters.journal.retention import compress_old
from hydra.adapters.journal.writer import JournalWriter, take_up
from hydra.adapters.markets.feed import Feed
from hydra.adapters.memory.files import LossyFiles
from hydra.adapters.memory.outside import SteadyProbes
from hydra.adapters.reads import read_inline
from hydra.adapters.store.store import SqlStore
from hydra.bootstrap.hosts import replay_host
from hydra.bootstrap.outages.kills import Spoil, unspoilt
from hydra.bootstrap.outages.weather import DRIFTS, Weather
from hydra.bootstrap.plugs import rule_book
from hydra.bootstrap.setup import wall_now
from hydra.bootstrap.venues import Source, account_of, synthetic
from hydra.engine.cycle import Engine
from hydra.engine.outside import Outside
from hydra.engine.recover import catch_up, recover
from hydra.engine.run import Loop
from hydra.model.errors import Corrupt
from hydra.model.events import Event, SegmentOpened
from hydra.model.orders import Order
from hydra.model.portfolio import Binding, Ledger
from hydra.policy import Policy
from hydra.ports import BotHost, Calendar, Head
from hydra.qc.outages.books import MemoryBooks, books_in_memory, busy
from hydra.qc.outages.claims import (
    CLAIMS,
    SETTLED,
    Claim,
    Evidence,
    VenueBooks,
    broken,
    chain_breaks,
    read_events,
    read_store,
    rebuild_store,
)
from hydra.qc.outages.places import ANYWHERE, DISK, ON_ITS_WAY, OPENING, RECOVERING, Blow, Hand, Watched, behind, draw
from hydra.qc.outages.survivor import certify, command, settle_in
from hydra.qc.outages.tally import Tally
from hydra.risk.plugs import RuleBook

LOGS, INBOX = Path("/logs"), Path("/inbox")
_SEGMENT_BYTES = 150_000


class Lightning(BaseException):
    """The power is gone. Not an ``Exception``: no handler of the program may go on after it."""


@dataclass(slots=True)
class Losses:
    """Power loss after power loss on the same disk, with the market going on between them.

    An order may be on its way when the power fails, and reach the venue after the next process has asked for it: within
    the time of grace, that must do no harm.
    """

    folder: Path
    number: int
    seed: int
    tally: Tally
    weather: Weather
    spoil: Spoil = unspoilt
    books: MemoryBooks = field(default_factory=MemoryBooks)
    lives: int = 0
    chance: random.Random = field(init=False)
    files: LossyFiles = field(init=False)
    policy: Policy = field(init=False)
    book: RuleBook = field(init=False)
    bots: BotHost = field(init=False)
    hours: ExchangeCalendar = field(init=False)
    calendar: Calendar = field(init=False)
    feed: Feed = field(init=False)
    _on_its_way: Order | None = None
    _copies: list[Path] = field(default_factory=list)
    _store: SqlStore | None = None
    _events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"losses {self.seed} {self.number}")
        self.files = LossyFiles(self.chance.getrandbits(32))
        self.files.make_dir(LOGS)
        self.files.make_dir(INBOX)
        self.policy = self.weather.policy
        self.book = rule_book(self.policy)
        self.bots = replay_host(self.policy)
        self.hours = ExchangeCalendar(self.folder / "cache")
        self.calendar = AlwaysOpen() if self.policy.market.sessions == "always" else self.hours
        self.feed = synthetic(self.policy, Source(), self.hours)

    def close(self) -> None:
        """End the processes of bots, if there are any, and leave the journal where others can read it."""
        self.bots.close()
        logs = self.folder / "logs"
        logs.mkdir()
        for name in self.files.names(LOGS):
            (logs / name).write_bytes(self.files.content(LOGS / name))

    @property
    def store_path(self) -> Path:
        """The real file the store is in."""
        return self.folder / "store.db"

    def sail(self, losses: int) -> Iterator[list[str]]:
        """``losses`` power losses; yields what is wrong after each (nothing, if all is well)."""
        self._live(self._draw_early())
        done = 1
        yield self._compare(CLAIMS, "dead at birth")
        while done < losses:
            if self.chance.random() < 0.05:
                self._inbox().leave(command("halt", wall_now()))
            if self.policy.market.sessions == "exchange" and self.chance.random() < 0.7:
                self._drift(None)
            self._live(self._draw())
            done += 1
            problems = self._compare(CLAIMS, "dead")
            if self._on_its_way is not None:
                yield problems + self._survive()
                continue
            if self.chance.random() < 0.25:
                for _ in range(self.chance.choice((1, 1, 2, 3))):
                    self._live(self._draw_early())
                    done += 1
                    problems += self._compare(CLAIMS, "dead while recovering")
            if self.chance.random() < 0.5:
                self._drift(self.chance.choice(DRIFTS))
            if not problems:
                problems += self._survive()
            yield problems

    def _draw(self) -> Blow:
        wanted = self.tally.wants_orders
        if not wanted and self.chance.random() < 0.2:
            return Blow(DISK, self.chance.randint(1, 60))
        while True:
            blow = draw(self.chance, on_order=wanted)
            if blow.place != ANYWHERE and not blow.place.endswith(".within"):
                return blow

    def _draw_early(self) -> Blow:
        if self.chance.random() < 0.5:
            return Blow(DISK, self.chance.randint(1, 8))
        return Blow(self.chance.choice((OPENING, RECOVERING)), self.chance.randint(1, 20))

    # -- one life

    def _live(self, blow: Blow) -> None:
        """Start, trade, and lose power at the blow, or at the run's end when its place never came."""
        hand = Hand(blow, _lightning, recovering=blow.place == RECOVERING)
        if blow.place == DISK:
            self.files.fail(blow.visits - 1, Lightning(), keep=None, for_good=True)
        try:
            engine = self._open(hand)
            if blow.place in (OPENING, RECOVERING):
                _lightning()
            certify(engine, wall_now())
            Loop(
                engine=engine,
                segment=self._segment,
                cycles_max=self.weather.cycles_max,
                interval_seconds=1,
                stopped=lambda: None,
                watch=lambda _report: self._sometimes_copy_the_store(),
            ).run()
            struck = False
        except Lightning:
            struck = True
        if struck and blow.place == "broker.submit.before" and self.policy.engine.unknown_grace_seconds > 0:
            self._on_its_way = hand.subject
            blow = Blow(ON_ITS_WAY)
        self._lose_power()
        self.tally.struck(blow if struck else Blow(ANYWHERE), killed=True)

    def _open(self, hand: Hand | None) -> Engine:
        """What ``Writer`` does, on this disk; with a hand, it may strike at any call on the way."""
        self.lives += 1
        run = f"run-{self.lives}"
        store: Any = SqlStore(f"sqlite:///{self.store_path}")
        self._store = store
        if hand is not None and hand.blow.place == OPENING:
            store = Watched(OPENING, store, hand)
        tails: list[Tail] = []

        def events_after(head: Head) -> Iterable[Event]:
            reading = read_journal(self.files, LOGS, after=head)
            yield from reading
            tails.append(reading.tail)

        ledger, _ = catch_up(store, events_after)
        head = take_up(self.files, tails[0])
        venue = self._venue()
        outside = Outside(
            clock=SimClock(venue),
            calendar=self.calendar,
            market=SimMarket(venue),
            broker=SimBroker(venue),
            journal=JournalWriter(
                self.files,
                LOGS,
                run,
                now=lambda: venue.now,
                after=head,
                segment_bytes=_SEGMENT_BYTES,
                key=self.weather.key,
            ),
            store=self._store,
            inbox=self._inbox(),
            probes=SteadyProbes(),
            bots=self.bots,
            read_all=read_inline,
            binding=lambda: self._binding(venue),
        )
        outside = self.spoil(outside)
        engine = Engine(outside if hand is None else behind(hand, outside), self.book, ledger)
        engine.open_segment(self._segment(1))
        engine.record(recover(engine.outside, engine.ledger, self.policy))
        engine.settle()
        if self.weather.compresses:
            compress_old(self.files, LOGS, keep_run=run)
        return engine

    def _survive(self) -> list[str]:
        engine = self._open(None)
        if self._on_its_way is not None:
            order, self._on_its_way = self._on_its_way, None
            engine.outside.broker.submit(order)
        problems, excuses = settle_in(engine, self.policy, self._venue_books, self._inbox().leave, wall_now())
        self.tally.excuse(excuses)
        engine.outside.journal.close()
        engine.outside.store.close()
        return problems + self._compare(SETTLED, "settled")

    def _lose_power(self) -> None:
        if self._store is not None:
            self._store.close()
        self.files.crash()
        fate = self.chance.random()
        if fate < 0.6:
            return
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.store_path}{suffix}").unlink(missing_ok=True)
        if fate < 0.85 and self._copies:
            shutil.copyfile(self.chance.choice(self._copies), self.store_path)

    def _sometimes_copy_the_store(self) -> None:
        if self.chance.random() > 0.04:
            return
        path = self.folder / f"store-{len(self._copies) % 4}.db"
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(self.store_path)) as db, closing(sqlite3.connect(path)) as copy:
            db.backup(copy)
        if path not in self._copies:
            self._copies.append(path)

    def _drift(self, steps: int | None) -> None:
        venue = self._venue()
        while steps is None and not busy(self.calendar.sessions(venue.now)):
            venue.advance()
        for _ in range(steps or 0):
            venue.advance()

    def _compare(self, claims: tuple[Claim, ...], when: str) -> list[str]:
        try:
            events = self._events = read_events(self.files, LOGS, self._events)
        except Corrupt as error:
            return [f"{when}: {error}"]
        problems = list(chain_breaks(self.files, LOGS, events, self.weather.key))
        store = read_store(f"sqlite:///{self.store_path}")
        if store[2].seq > len(events):
            return [f"{when}: the store stands at {store[2].seq}, the journal ends at {len(events)}"]
        rebuilt = rebuild_store(self.folder / "rebuilt.db", events[: store[2].seq])
        found = Evidence(events=events, venue=self._venue_books(), store=store, rebuilt=rebuilt)
        problems += broken(found, claims)
        self.tally.compared(found, when)
        return [f"{when}: {problem}" for problem in problems]

    # -- what it stands on

    def _venue(self) -> SimulatedVenue:
        venue = SimulatedVenue(self.feed, self.calendar, account_of(self.policy), self.books)
        first = self.feed.next_after(None)
        if first is not None and venue.now < first:
            venue.advance()
        return venue

    def _venue_books(self) -> VenueBooks:
        return books_in_memory(self.books.load(), self.policy, lambda: self.hours)

    def _inbox(self) -> FileInbox:
        return FileInbox(self.files, INBOX, wall_now)

    def _binding(self, venue: SimulatedVenue) -> Binding:
        return Binding(
            policy_hash=self.policy.hash,
            code_hash="code",
            account_id=venue.state().account_id,
            url="sim://elsewhere",
            mode=self.policy.mode,
            host="here",
        )

    def _segment(self, number: int) -> SegmentOpened:
        return SegmentOpened(
            segment=number,
            wall=wall_now(),
            command="storm",
            host="here",
            pid=1,
            version="0",
            code_hash="code",
            policy_hash=self.policy.hash,
            policy=self.policy.document(),
            seed=self.policy.engine.seed,
            market=self.feed.describe(),
            practice=self.policy.practice,
            ledger=Ledger(),
        )


def _lightning() -> None:
    raise Lightning
