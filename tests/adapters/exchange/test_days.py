"""A day of a share as one bar: what is shown at its opening, what can be traded then, and when the bar itself is shown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.adapters.calendar import DayCalendar, ExchangeCalendar
from hydra.adapters.exchange.doors import SimBroker, SimMarket
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.terms import OrderClass, Request
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.feed import as_opens
from hydra.adapters.markets.other_future import Future, OtherFuture
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.model.orders import OrderType, Side, TimeInForce

D = Decimal
HOURS = ExchangeCalendar()
SETTINGS = VenueSettings(starting_cash=D(10_000), half_spread=D("0.001"))
ROWS = """date,open,high,low,close,volume
2024-11-26,99,101,98,100,1000
2024-11-27,102,103,101,102,2000
2024-11-29,104,110,90,105,3000
2024-12-02,106,107,105,106,4000
"""


def at(day: int, month: int = 11) -> tuple[datetime, datetime]:
    hours = HOURS.hours(date(2024, month, day))
    assert hours is not None
    return hours


@pytest.fixture
def feed(tmp_path: Path) -> RecordedFeed:
    (tmp_path / "ABC-1day.csv").write_text(ROWS)
    return RecordedFeed.open([tmp_path], calendar=HOURS)


@pytest.fixture
def venue(feed: RecordedFeed) -> SimulatedVenue:
    return SimulatedVenue(feed, DayCalendar(HOURS), SETTINGS)


def test_its_instants_are_openings_and_closes_half_days_included(feed: RecordedFeed) -> None:
    found, now = [], None
    while (now := feed.next_after(now)) is not None:
        found.append(now)
    assert found == [*at(26), *at(27), *at(29), *at(2, 12)]
    assert found[5] == datetime(2024, 11, 29, 18, tzinfo=UTC)


def test_of_a_day_only_its_opening_is_known_until_it_is_over(feed: RecordedFeed) -> None:
    opens, closes = at(29)
    assert feed.openings(opens - timedelta(microseconds=1)) == {}
    for now in (opens, closes - timedelta(microseconds=1)):
        opening = feed.openings(now)["ABC"]
        assert (opening.at, opening.price, opening.size) == (opens, D(104), D(2000)), "the volume of the day before"
        assert feed.history("ABC", now, 1)[0].at == at(27)[0]
    assert feed.openings(closes) == {}
    assert feed.history("ABC", closes, 1)[0].at == opens


def test_an_order_at_the_opening_fills_there_and_its_day_is_played_through(venue: SimulatedVenue) -> None:
    venue.advance_to(at(29)[0])
    quote = venue.quotes()["ABC"]
    assert (quote.at, quote.bid, quote.ask) == (at(29)[0], D("103.896"), D("104.104"))
    request = Request(
        client_id="a",
        symbol="ABC",
        side=Side.BUY,
        quantity=D(10),
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.GTC,
        order_class=OrderClass.BRACKET,
        stop_loss=D(95),
        take_profit=D(108),
    )
    venue.place(request)
    assert [(fill.price, fill.at) for fill in SimBroker(venue).fills("").fills] == [(D("104.11"), at(29)[0])]
    venue.advance_to(at(29)[1])
    fill = SimBroker(venue).fills("").fills[-1]
    assert (fill.client_id, fill.price, fill.at) == ("a.stop", D(95), at(29)[1]), (
        "both were touched, and the worse comes first"
    )


def test_hours_later_the_opening_is_no_price_to_trade_at(venue: SimulatedVenue) -> None:
    venue.advance_to(at(27)[0] + timedelta(hours=3))
    assert venue.quotes()["ABC"].at == at(27)[0]
    venue.place(
        Request(
            client_id="a",
            symbol="ABC",
            side=Side.BUY,
            quantity=D(10),
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.DAY,
        )
    )
    assert SimBroker(venue).fills("").fills == ()
    venue.advance_to(at(29)[1])
    assert SimBroker(venue).fills("").fills == (), "a day order, and a bar that opened before it"


def test_at_the_close_the_account_is_worth_the_close_and_the_bar_is_shown_at_the_next_opening(
    venue: SimulatedVenue,
) -> None:
    market = SimMarket(venue)
    venue.advance_to(at(27)[1])
    assert "ABC" not in venue.quotes()
    assert venue.last_price("ABC") == D(102)
    shown = market.poll(["ABC"], {"ABC": at(26)[0]})
    assert (shown.quotes[0].bid + shown.quotes[0].ask) / 2 == D(102)
    assert shown.bars == ()
    assert [bar.at for bar in market.history(["ABC"], 5)] == [at(26)[0]]
    venue.advance_to(at(29)[0])
    assert [bar.at for bar in market.poll(["ABC"], {"ABC": at(26)[0]}).bars] == [at(27)[0]]
    assert [bar.at for bar in market.history(["ABC"], 5)] == [at(26)[0], at(27)[0]]


@pytest.mark.parametrize("future", Future)
def test_in_another_future_the_past_is_the_same_and_the_openings_are_others(feed: RecordedFeed, future: Future) -> None:
    other = as_opens(OtherFuture(feed, at(27)[0], future))
    assert other is not None
    assert other.openings(at(27)[0]) == feed.openings(at(27)[0])
    assert other.openings(at(29)[0]) != feed.openings(at(29)[0])
    assert other.days == ("ABC",)
