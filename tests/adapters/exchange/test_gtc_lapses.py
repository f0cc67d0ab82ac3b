"""An order that is good till cancelled is not good for ever, where the venue says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.exchange.model import Ticket, VenueSettings
from hydra.adapters.exchange.terms import Request, Status
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.model.orders import OrderType, Side, TimeInForce
from tests.fakes.feed import ScriptedFeed, bar, quote

MONDAY = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)


def venue(gtc_days: int) -> SimulatedVenue:
    """SPY at 100 on Monday, 2024-03-04."""
    first = MONDAY + timedelta(minutes=1)
    feed = ScriptedFeed([bar("SPY", MONDAY, (100, 100, 100, 100))], [quote("SPY", first, "99.99", "100.01")])
    settings = VenueSettings(starting_cash=Decimal(10_000), gtc_days=gtc_days)
    made = SimulatedVenue(feed, ExchangeCalendar(), settings)
    made.advance()
    return made


def resting(venue: SimulatedVenue) -> Ticket:
    """A buy far below the market, good till cancelled."""
    answer = venue.place(
        Request(
            client_id="b",
            symbol="SPY",
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            quantity=Decimal(1),
            limit=Decimal(50),
        )
    )
    assert isinstance(answer, Ticket)
    return answer


def test_it_lapses_at_a_quarter_past_four_on_the_ninetieth_day() -> None:
    scene = venue(90)
    ends = datetime(2024, 6, 2, 20, 15, tzinfo=UTC)  # March 4 and 90 days; New York is four hours behind by then
    assert resting(scene).expires_at == ends
    scene.advance_to(ends - timedelta(seconds=1))
    assert [ticket.status for ticket in scene.working()] == [Status.NEW]
    scene.advance_to(ends)
    (ticket,) = scene.tickets()
    assert (ticket.status, ticket.expired_at) == (Status.EXPIRED, ends)
    assert "gtc order" in ticket.reason


def test_it_works_until_cancelled_where_the_venue_names_no_days() -> None:
    scene = venue(0)
    assert resting(scene).expires_at is None
    scene.advance_to(MONDAY + timedelta(days=400))
    assert [ticket.status for ticket in scene.working()] == [Status.NEW]


def test_a_negative_number_of_days_is_refused() -> None:
    with pytest.raises(ValueError, match="gtc_days must be at least 0, got -1"):
        VenueSettings(starting_cash=Decimal(1), gtc_days=-1)
