"""The tier of a coin's fee follows from what was traded on the days before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.exchange.model import Ticket, as_at_alpaca
from hydra.adapters.exchange.terms import Request
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.model.orders import OrderType, Side, TimeInForce
from tests.fakes.feed import ScriptedFeed, bar, quote

MONDAY = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)


def bought(venue: SimulatedVenue, client_id: str, quantity: int) -> Decimal:
    """The fee of a purchase at the market, as a fraction of what was bought."""
    order = Request(
        client_id=client_id,
        symbol="BTC-USD",
        side=Side.BUY,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.GTC,
        quantity=Decimal(quantity),
    )
    answer = venue.place(order)
    assert isinstance(answer, Ticket), answer
    execution = venue.executions()[-1]
    assert execution.quantity == quantity
    return execution.fee_coin / execution.quantity


def test_what_is_traded_today_lowers_the_rate_from_tomorrow_on() -> None:
    moments = [MONDAY, MONDAY + timedelta(days=1), MONDAY + timedelta(days=40)]
    feed = ScriptedFeed(
        [bar("BTC-USD", at, (50_000, 50_000, 50_000, 50_000)) for at in moments],
        [quote("BTC-USD", at + timedelta(minutes=1), 49_999, 50_000) for at in moments],
    )
    venue = SimulatedVenue(feed, ExchangeCalendar(), as_at_alpaca(Decimal(1_000_000)))
    venue.advance()
    # 3 x 50,000 = 150,000 dollars: beyond the first tier, but of today.
    assert [bought(venue, "first", 3), bought(venue, "second", 1)] == [Decimal("0.0025"), Decimal("0.0025")]
    venue.advance()
    assert bought(venue, "the next day", 1) == Decimal("0.0022")
    venue.advance()
    assert bought(venue, "forty days later", 1) == Decimal("0.0025")
