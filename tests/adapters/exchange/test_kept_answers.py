"""The doors keep an answer for as long as it is the same, and not for a moment longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.exchange.doors import SimBroker, SimMarket
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.frames import series
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.model.errors import Refused
from tests.contracts.stage import BrokerStage
from tests.fakes.feed import ScriptedFeed, bar, quote
from tests.fakes.outside import MINUTE, OPEN

START = datetime(2024, 1, 2, tzinfo=UTC)
BARS = 300


@pytest.fixture
def stage() -> BrokerStage:
    return BrokerStage()


def test_the_account_is_the_same_until_its_money_or_its_standing_changes(stage: BrokerStage) -> None:
    broker = stage.broker
    first = broker.account()
    assert broker.account() is first
    stage.charge("3")
    charged = broker.account()
    assert charged.cash == first.cash - 3
    stage.block()
    assert (broker.account().blocked, broker.account().cash) == (True, charged.cash)
    stage.venue.set_standing("ACTIVE", blocked=False)
    assert broker.account() == charged


def test_the_account_of_who_holds_something_changes_with_its_price(stage: BrokerStage) -> None:
    stage.churn(1)
    before = stage.broker.account()
    at = stage.venue.now + MINUTE
    stage.feed.add(quote("SPY", at, 109, 111))
    stage.move_to(at)
    assert stage.broker.account().equity > before.equity
    assert stage.broker.account() == SimBroker(stage.venue).account()


def test_that_nothing_was_filled_holds_until_something_is(stage: BrokerStage) -> None:
    broker = stage.broker
    nothing = broker.fills("")
    assert nothing.fills == ()
    assert broker.fills("") is nothing
    stage.churn(1)
    page = broker.fills("")
    assert len(page.fills) == 1
    after = broker.fills(page.cursor)
    assert (after.fills, after.cursor) == ((), page.cursor)
    assert broker.fills(page.cursor) is after
    assert broker.fills("") == page
    stage.churn(2)
    assert len(broker.fills(page.cursor).fills) == 1


def test_that_nothing_was_booked_holds_until_something_is(stage: BrokerStage) -> None:
    broker = stage.broker
    nothing = broker.activities("")
    assert broker.activities("") is nothing
    stage.charge("1")
    page = broker.activities("")
    assert len(page.activities) == 1
    assert broker.activities(page.cursor) is broker.activities(page.cursor)
    stage.charge("2")
    assert len(broker.activities(page.cursor).activities) == 1


@pytest.mark.parametrize("what", ["fills", "activities"])
def test_a_cursor_that_was_not_given_out_is_refused_however_often_and_beside_one_that_was(
    stage: BrokerStage, what: str
) -> None:
    ask = getattr(stage.broker, what)
    ask("")
    for _ in range(2):
        with pytest.raises(Refused, match="was not given out here"):
            ask("7")
        assert ask("").cursor == ""


def test_the_quote_around_a_last_close_is_the_same_until_there_is_another_bar() -> None:
    rows = [bar("SPY", OPEN, (100, 101, 99, 100)), bar("SPY", OPEN + MINUTE, (100, 102, 100, 102))]
    venue = SimulatedVenue(
        ScriptedFeed(rows, symbols=["SPY"]),
        PlainCalendar(),
        VenueSettings(starting_cash=Decimal(1000), half_spread=Decimal("0.001")),
    )
    market = SimMarket(venue)
    assert market.poll(["SPY"], {}).quotes == ()
    venue.advance()
    (shown,) = market.poll(["SPY"], {}).quotes
    assert market.poll(["SPY"], {}).quotes[0] is shown
    venue.advance()
    (now,) = market.poll(["SPY"], {}).quotes
    assert (now.mid, now.at) == (Decimal(102), venue.now)


# -- bars since a time: counted, or looked back for


def recorded() -> RecordedFeed:
    """Minutes of a pair, some of which are missing."""
    rows = np.array([row for row in range(BARS) if row % 7])
    opened = pa.array([START + timedelta(minutes=int(row)) for row in rows], pa.timestamp("us", tz="UTC"))
    price = 100.0 + rows
    columns = {"open": price, "high": price + 1, "low": price - 1, "close": price, "volume": price}
    frame = pa.table({"timestamp": opened, **{name: pa.array(column) for name, column in columns.items()}})
    return RecordedFeed.over(series(frame, symbol="BTC-USD", interval="1min"))


class Uncounted:
    """A feed that cannot tell how many bars there are: everything else is another one's."""

    def __init__(self, feed: RecordedFeed) -> None:
        self._feed = feed

    def __getattr__(self, name: str) -> Any:
        if name == "count_since":
            raise AttributeError(name)
        return getattr(self._feed, name)


FEED = recorded()


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    now=st.integers(1, BARS + 3),
    after=st.one_of(st.none(), st.integers(-3, BARS + 3)),
    seconds=st.integers(0, 59),
    most=st.one_of(st.none(), st.integers(1, 70), st.sampled_from([31, 32, 33, 63, 64, 65])),
)
def test_a_poll_brings_the_same_bars_whether_they_are_counted_or_looked_back_for(
    now: int, after: int | None, seconds: int, most: int | None
) -> None:
    at = START + timedelta(minutes=now)
    since = {} if after is None else {"BTC-USD": START + timedelta(minutes=after, seconds=seconds)}
    polls = []
    feeds: tuple[Any, ...] = (FEED, Uncounted(FEED))
    for feed in feeds:
        venue = SimulatedVenue(feed, PlainCalendar(), VenueSettings(starting_cash=Decimal(1000)), start=at)
        polls.append(SimMarket(venue, most).poll(["BTC-USD"], since).bars)
    assert polls[0] == polls[1]
    if most is not None:
        assert len(polls[0]) < max(2 * most, 2)
