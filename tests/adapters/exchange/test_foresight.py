"""Until when no order can be touched: what is kept of it is what a fresh look finds, however the orders and the clock go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.exchange.foresight import KnownMarket, micros
from hydra.adapters.exchange.model import Ticket, VenueSettings
from hydra.adapters.exchange.terms import Request
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets import frames
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.model.orders import OrderType, Side, TimeInForce

START = datetime(2024, 3, 4, 15, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BARS = 300


def market(seed: int = 0) -> tuple[SimulatedVenue, RecordedFeed]:
    """A pair whose price goes up and down by a dollar or so, a minute behind us."""
    moves = np.random.default_rng(seed).integers(-100, 101, BARS)
    close = np.round(100 + np.cumsum(moves) / 100, 2)
    opened = np.concatenate(([100.0], close[:-1]))
    table = pa.table(
        {
            "timestamp": [START + place * MINUTE for place in range(BARS)],
            "open": opened,
            "high": np.maximum(opened, close) + 0.25,
            "low": np.minimum(opened, close) - 0.25,
            "close": close,
            "volume": np.full(BARS, 1000.0),
        }
    )
    feed = RecordedFeed.over(frames.series(table, symbol="BTC-USD"))
    venue = SimulatedVenue(feed, PlainCalendar(), VenueSettings(starting_cash=Decimal(1_000_000)))
    venue.advance()
    return venue, feed


def order(
    venue: SimulatedVenue, number: int, side: Side, kind: OrderType, price: Decimal, coins: int = 1
) -> str | None:
    """Place an order for coins; ``None`` when the venue refuses it."""
    placed = venue.place(
        Request(
            client_id=f"o{number}",
            symbol="BTC-USD",
            side=side,
            order_type=kind,
            time_in_force=TimeInForce.GTC,
            quantity=Decimal(coins),
            limit=price if kind is not OrderType.MARKET else None,
            stop=price if kind is OrderType.STOP_LIMIT else None,
        )
    )
    return placed.venue_id if isinstance(placed, Ticket) else None


STEPS = st.one_of(
    st.tuples(
        st.sampled_from([Side.BUY, Side.SELL]),
        st.sampled_from([OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.MARKET]),
        st.integers(-400, 400),
    ),
    st.just("cancel"),
    st.integers(1, 40),
)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(seed=st.integers(0, 5), steps=st.lists(STEPS, max_size=15), reach=st.integers(1, BARS))
def test_what_is_kept_is_what_a_fresh_look_finds(seed: int, steps: list[object], reach: int) -> None:
    venue, feed = market(seed)
    kept, resting = KnownMarket(venue, feed), []
    order(venue, -1, Side.BUY, OrderType.MARKET, Decimal(0), coins=50)
    for number, step in enumerate(steps):
        if isinstance(step, tuple):
            side, kind, cents = step
            last = venue.last_price("BTC-USD") or Decimal(100)
            resting.append(order(venue, number, side, kind, last + Decimal(cents) / 100))
        elif isinstance(step, int):
            for _ in range(step):
                venue.advance()
        elif resting and (name := resting.pop()) is not None:
            venue.withdraw(name)
        last_asked = micros(venue.now + reach * MINUTE)
        assert kept.untouched_until(last_asked) == KnownMarket(venue, feed).untouched_until(last_asked)


def test_an_order_is_untouched_up_to_the_very_bar_that_reaches_its_price_and_again_after_it_is_changed() -> None:
    venue, feed = market()
    lows = feed.rows("BTC-USD").low  # type: ignore[union-attr]  # there are bars of it
    known = KnownMarket(venue, feed)
    below = Decimal(str(lows[1:].min()))
    name = order(venue, 1, Side.BUY, OrderType.LIMIT, below)
    at = START + (2 + int(lows[1:].argmin())) * MINUTE
    far = micros(START + 2 * BARS * MINUTE)
    assert known.untouched_until(far) == micros(at)
    assert known.untouched_until(micros(at)) == micros(at)
    assert known.untouched_until(micros(at) - 1) == micros(at)
    assert name is not None
    venue.withdraw(name)
    assert known.untouched_until(micros(at)) == micros(at) + 1


def test_a_done_order_is_no_longer_watched() -> None:
    venue, feed = market()
    known = KnownMarket(venue, feed)
    for number in range(60):
        name = order(venue, number, Side.BUY, OrderType.LIMIT, Decimal(50))
        assert known.untouched_until(micros(venue.now + MINUTE)) > micros(venue.now + MINUTE)
        assert name is not None
        venue.withdraw(name)
    assert len(known._watches) < 30


def test_bars_alone_have_no_contracts() -> None:
    venue, feed = market()
    assert not KnownMarket(venue, feed).contracts_on("SPY")
