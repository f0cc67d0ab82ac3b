"""The venue of a tournament: the simulated exchange, whatever its prices come from. There is no way from here to another one.

    recorded   files of ``--data``, from the first instant at which every asset has the candles of a brief
    synthetic  the invented market, from there too
    coinbase   public candles of Coinbase Exchange; the exchange's clock is then the wall clock's

The exchange keeps its books in the tournament's state folder, so cash, positions, orders and, for prices that are played, the
place in them outlive the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.exchange.books import SqliteBooks
from hydra.adapters.exchange.doors import SimBroker, SimClock, SimMarket
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.feed import Feed
from hydra.bootstrap.venues import BOOKS, Source, VenueDoors, account_of, feed_of
from hydra.model.errors import BadConfig
from hydra.policy import Policy
from hydra.policy.tournament import TournamentPolicy
from hydra.ports import Clock, Market


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Where a tournament's prices come from: ``market`` is coinbase, recorded or synthetic."""

    market: str
    data: tuple[Path, ...] = ()
    seed: int | None = None
    speed: str = "max"


class SteppingClock:
    """The exchange's clock over prices that are played: to the next instant that is at least so many seconds of the market ahead."""

    def __init__(self, venue: SimulatedVenue, inner: SimClock) -> None:
        self._venue, self._inner = venue, inner

    def now(self) -> datetime:
        """The exchange's clock."""
        return self._venue.now

    def wait(self, seconds: float) -> bool:
        """Step at least once. False at the end of the prices, or when stopped."""
        until = self._venue.now + timedelta(seconds=seconds)
        if not self._inner.wait(0):
            return False
        while self._venue.now < until:
            coming = self._venue.next_instant()
            if coming is None or coming > until:
                return True
            if not self._inner.wait(0):
                return False
        return True


def open_venue(
    told: TournamentPolicy, policy: Policy, prices: Prices, state_dir: Path, stop: threading.Event
) -> VenueDoors:
    """The doors of the simulated exchange. Raises ``BadConfig`` for prices that are not there, ``Unreachable`` for a market that is silent."""
    if prices.market == "coinbase":
        return _coinbase(told, policy, state_dir, stop)
    calendar = ExchangeCalendar(state_dir / "cache")
    feed = feed_of(policy, Source(data=prices.data, seed=prices.seed), calendar)
    _refuse_other_lengths(feed, policy, feed.next_after(None))
    start = _first_brief(feed, policy, told.market.candles)
    _refuse_other_lengths(feed, policy, start)
    venue = SimulatedVenue(feed, calendar, account_of(policy), SqliteBooks(state_dir / BOOKS), start=start)
    inner = SimClock(venue, speed=None if prices.speed == "max" else float(prices.speed), stop=stop)
    if venue.now <= start:
        venue.advance_to(start)
    clock = SteppingClock(venue, inner)
    seed = policy.engine.seed if prices.seed is None else prices.seed
    return _doors(venue, calendar, clock, SimMarket(venue), seed=seed, notes=tuple(getattr(feed, "notes", ())))


def _coinbase(told: TournamentPolicy, policy: Policy, state_dir: Path, stop: threading.Event) -> VenueDoors:
    from hydra.adapters.coinbase import CoinbaseCandles, LiveClock, LiveFeed, LiveMarket

    shown = told.market
    candles = CoinbaseCandles(shown.url, timeout_seconds=float(shown.timeout_seconds))
    feed = LiveFeed(candles, policy.symbols, shown.granularity, shown.candles + 60)
    feed.begin()
    calendar = ExchangeCalendar(state_dir / "cache")
    venue = SimulatedVenue(feed, calendar, account_of(policy), SqliteBooks(state_dir / BOOKS), start=feed.now())
    feed.reach_back(venue.now)
    venue.advance_to(feed.now())
    doors = _doors(
        venue,
        calendar,
        LiveClock(venue, feed, stop),
        LiveMarket(venue, feed),
        seed=policy.engine.seed,
        notes=(),
        more=(feed.close, candles.close),
    )
    # A market that goes on has no end that it could have been played to.
    return replace(doors, notes=tuple(note for note in doors.notes if note != venue.note))


def _doors(  # noqa: PLR0913  # what a venue's doors are made of, by name
    venue: SimulatedVenue,
    calendar: ExchangeCalendar,
    clock: Clock,
    market: Market,
    *,
    seed: int,
    notes: tuple[str, ...],
    more: tuple[Callable[[], None], ...] = (),
) -> VenueDoors:
    def close() -> None:
        for each in (*more, venue.close):
            each()

    return VenueDoors(
        broker=SimBroker(venue),
        market=market,
        clock=clock,
        calendar=calendar,
        seed=seed,
        local=True,
        notes=(*filter(None, (venue.note,)), *notes),
        close=close,
    )


def _refuse_other_lengths(feed: Feed, policy: Policy, at: datetime | None) -> None:
    """Candles are shown as they were recorded, and not put together to longer ones."""
    if at is None:
        return
    for symbol in policy.symbols:
        for bar in feed.history(symbol, at, 1):
            if bar.seconds != policy.market.bar_seconds:
                raise BadConfig(
                    f"--granularity: candles of {policy.market.bar_seconds} s are wanted, and those of {symbol} are of {bar.seconds} s"
                )


def _first_brief(feed: Feed, policy: Policy, candles: int) -> datetime:
    """The first instant at which every asset has as many candles as a brief shows. Raises ``BadConfig`` when there is none."""
    at: datetime | None = None
    length = timedelta(seconds=policy.market.bar_seconds)
    while True:
        at = feed.next_after(at)
        if at is None:
            raise BadConfig(
                f"{feed.describe()}: at no time {candles} closed candles of each of {', '.join(policy.symbols)}; a brief shows as many"
            )
        short = max(candles - len(feed.history(symbol, at, candles)) for symbol in policy.symbols)
        if short <= 0:
            return at
        at += length * (short - 1) - timedelta(microseconds=1) if short > 1 else timedelta(0)
