"""The simulated venue put together: feed, books, calendar, and the three doors the engine uses.

The market source (``--data``, ``--seed``, ``--speed``) is not part of the policy. Which source the venue is playing is kept
beside its books, so that a venue that still holds something goes on with the prices it was holding them at.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from hydra.adapters.calendar import AlwaysOpen, DayCalendar, ExchangeCalendar
from hydra.adapters.exchange.books import SqliteBooks
from hydra.adapters.exchange.doors import SimBroker, SimClock, SimMarket
from hydra.adapters.exchange.fault_files import read_faults
from hydra.adapters.exchange.faults import FaultPlan
from hydra.adapters.exchange.faulty_door import FaultyBroker, FaultyMarket
from hydra.adapters.exchange.faulty_exchange import faulty
from hydra.adapters.exchange.model import VenueSettings, as_at_alpaca
from hydra.adapters.exchange.structures import underlying_of
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.files import RealFiles
from hydra.adapters.markets.feed import Feed, as_opens
from hydra.bootstrap.points import find
from hydra.model.errors import BadConfig
from hydra.model.market import AssetClass, asset_class_of
from hydra.policy import DAY_SECONDS, Policy
from hydra.ports import Broker, Calendar, Clock, Market

if TYPE_CHECKING:
    from hydra.qc.broker import Line

BOOKS = "exchange.db"
SOURCE = "exchange-source.json"
OPTION_DAYS = 365
"""How long, from the first day of an invented market, its contracts may run."""
_PRACTICE_STEPS = 60
_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What the operator asked the simulated market to play; ``None`` and empty leave it to the policy.

    ``config_dir`` is the folder of the configuration, from which paths in it are counted.
    """

    data: tuple[Path, ...] = ()
    seed: int | None = None
    speed: str | None = None
    config_dir: Path = Path()

    @property
    def chosen(self) -> bool:
        """True when the operator named the prices to play."""
        return bool(self.data) or self.seed is not None


def _nothing() -> None:
    """There is nothing to let go of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueDoors:
    """A venue as the engine uses it. ``local`` venues answer from memory; ``notes`` are for the operator.

    ``line`` is the connection of one that is not local. ``close`` lets go of everything, and is called once.
    """

    broker: Broker
    market: Market
    clock: Clock
    calendar: Calendar
    seed: int
    local: bool
    notes: tuple[str, ...]
    line: Line | None = None
    close: Callable[[], None] = _nothing


def simulated(policy: Policy, state_dir: Path, source: Source, stop: threading.Event) -> VenueDoors:
    """The simulated exchange on its own books in the state folder (entry point ``sim`` of ``hydra.brokers``)."""
    always = policy.market.sessions == "always"
    exchange_hours = ExchangeCalendar(state_dir / "cache")
    remembered = _remembered(state_dir)
    plan = _faults(policy, source)
    notes: list[str] = [] if plan is None else [_told(plan, policy.broker.faults)]
    played = source
    feed = feed_of(policy, source, exchange_hours)
    calendar = calendar_of(feed, exchange_hours, always=always)
    books = SqliteBooks(state_dir / BOOKS)
    try:
        venue = SimulatedVenue(feed, calendar, account_of(policy), books)
    except BadConfig:
        books.close()
        if source.chosen or remembered is None:
            raise
        played = remembered
        feed = feed_of(policy, played, exchange_hours)
        calendar = calendar_of(feed, exchange_hours, always=always)
        venue = SimulatedVenue(feed, calendar, account_of(policy), SqliteBooks(state_dir / BOOKS))
        notes.append(f"the simulated exchange still holds something and goes on with {feed.describe()}")
    _remember(state_dir, played)
    begin(venue, policy, invented=policy.market.name == "synthetic" and not played.data)
    speed = source.speed or policy.market.speed
    spoilt = venue if plan is None else faulty(venue, plan)
    clock = SimClock(
        spoilt,
        speed=None if speed == "max" else float(speed),
        days=0 if played.data else policy.market.days,
        stop=stop,
    )
    broker, market = SimBroker(spoilt), SimMarket(spoilt)
    return VenueDoors(
        broker=broker if plan is None else FaultyBroker(broker, plan),
        market=market if plan is None else FaultyMarket(market, plan, lambda: venue.now),
        clock=clock,
        calendar=calendar,
        seed=_seed(policy, played),
        local=True,
        notes=(*notes, *filter(None, (venue.note,)), *getattr(feed, "notes", ())),
    )


def calendar_of(feed: Feed, exchange_hours: ExchangeCalendar, *, always: bool) -> Calendar:
    """The calendar that goes with a feed: where a day of shares is one bar, one that tells of the session before."""
    if always:
        return AlwaysOpen()
    return exchange_hours if as_opens(feed) is None else DayCalendar(exchange_hours)


def _faults(policy: Policy, source: Source) -> FaultPlan | None:
    """What the policy wants the venue to get wrong. Raises ``BadConfig``."""
    return read_faults(source.config_dir / policy.broker.faults) if policy.broker.faults else None


def _told(plan: FaultPlan, path: str) -> str:
    count = len(plan.rules)
    return f"faults on demand: {count} rule{'' if count == 1 else 's'} of {path}"


def begin(venue: SimulatedVenue, policy: Policy, *, invented: bool) -> None:
    """Make the first instant of a new market current; in practice go on until everything has a price.

    A market that never closes has no quiet hours before the opening in which prices could gather. Pairs are invented from
    midnight UTC, which is still the evening before at the exchange: an invented market begins with the exchange's own day.
    """
    first = venue.feed.next_after(None)
    if first is None or venue.now >= first:
        return
    venue.advance()
    if invented:
        while venue.calendar.sessions(venue.now).day < policy.market.start and venue.advance():
            pass
    if policy.market.sessions == "always":
        market = SimMarket(venue)
        for _ in range(_PRACTICE_STEPS):
            if {bar.symbol for bar in market.history(policy.symbols, 1)} >= set(policy.symbols):
                return
            venue.advance()


def synthetic(policy: Policy, source: Source, calendar: ExchangeCalendar) -> Feed:
    """The invented market (entry point ``synthetic`` of ``hydra.markets``)."""
    from hydra.adapters.markets.ladders import Listing
    from hydra.adapters.markets.synthetic import SyntheticFeed

    market = policy.market
    listed = None
    if policy.underlyings:
        if market.sessions != "exchange":
            raise BadConfig("market.sessions: 'always' has no contracts; a bot with option needs 'exchange'")
        listed = Listing(underlyings=tuple(policy.underlyings), days=OPTION_DAYS)
    return SyntheticFeed(
        _seed(policy, source),
        policy.symbols,
        market.start,
        calendar,
        bar_seconds=market.bar_seconds,
        sessions=market.sessions,
        options=listed,
    )


def recorded(policy: Policy, source: Source, calendar: ExchangeCalendar) -> Feed:
    """Recorded prices from the files of ``--data`` (entry point ``recorded`` of ``hydra.markets``)."""
    from hydra.adapters.markets.recorded import RecordedFeed

    symbols = tuple(dict.fromkeys(map(_priced_by, policy.symbols)))
    return RecordedFeed.open(source.data, symbols=symbols, some=True, calendar=calendar)


def _priced_by(symbol: str) -> str:
    """The symbol whose recording a symbol is played with: a contract's underlying, else itself."""
    return underlying_of(symbol) if asset_class_of(symbol) is AssetClass.OPTION else symbol


def feed_of(policy: Policy, source: Source, calendar: ExchangeCalendar) -> Feed:
    """The prices that a source plays for the symbols of a policy. Raises ``BadConfig`` naming file and row, or key."""
    if not policy.symbols:
        raise BadConfig("bots: no bot is enabled; there is nothing to trade")
    name = "recorded" if source.data else policy.market.name
    feed: Feed = find("hydra.markets", name, "market.name")(policy, source, calendar)
    return feed


def _seed(policy: Policy, source: Source) -> int:
    return policy.engine.seed if source.seed is None else source.seed


def account_of(policy: Policy) -> VenueSettings:
    """A plain account as the policy's keys say, or the very one that ``hydra sim`` gives with the same policy."""
    broker, bar_seconds = policy.broker, policy.market.bar_seconds
    if bar_seconds >= DAY_SECONDS:  # the price of a day is that of its opening: nobody trades at it hours later
        bar_seconds = _MINUTE
    if broker.account == "alpaca":
        return as_at_alpaca(broker.starting_cash, half_spread=broker.half_spread, bar_seconds=bar_seconds)
    return VenueSettings(
        starting_cash=broker.starting_cash,
        commission_per_share=broker.commission_per_share,
        crypto_fee=broker.crypto_fee,
        slippage=broker.slippage,
        half_spread=broker.half_spread,
        bar_seconds=bar_seconds,
        crypto_exits=True,
    )


def _remembered(state_dir: Path) -> Source | None:
    try:
        told: Mapping[str, Any] = orjson.loads((state_dir / SOURCE).read_bytes())
        return Source(data=tuple(Path(path) for path in told["data"]), seed=told["seed"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(state_dir: Path, source: Source) -> None:
    told = {"data": [str(path.resolve()) for path in source.data], "seed": source.seed}
    RealFiles().write_whole(state_dir / SOURCE, orjson.dumps(told) + b"\n")
