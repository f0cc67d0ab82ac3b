"""Real days, with every figure worked out by hand from the rows of the files quoted beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.exchange.model import ActivityKind, Ticket, as_at_alpaca
from hydra.adapters.exchange.terms import (
    No,
    OrderClass,
    PositionIntent,
    Rejection,
    Request,
    RequestLeg,
    Status,
)
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.model.orders import OrderType, Side, TimeInForce
from tests.shared_data import shared_data

D = Decimal
SETTINGS = as_at_alpaca(Decimal(100_000))


@pytest.fixture(scope="module")
def calendar() -> ExchangeCalendar:
    return ExchangeCalendar()


def market(calendar: ExchangeCalendar, start: datetime, *names: str) -> SimulatedVenue:
    """A venue on the files of these names, at ``start``."""
    folder: Path = shared_data()
    paths = sorted(path for path in folder.rglob("*.csv*") if any(name in path.name for name in names))
    venue = SimulatedVenue(RecordedFeed.open(paths), calendar, SETTINGS, start=start)
    venue.advance_to(start)
    return venue


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def taken(answer: Ticket | Rejection) -> Ticket:
    assert isinstance(answer, Ticket), answer
    return answer


def simple(client_id: str, symbol: str, side: Side, quantity: str, **more) -> Request:
    """A day order at the market, unless told otherwise."""
    fields = {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.DAY}
    return Request(client_id=client_id, symbol=symbol, side=side, quantity=D(quantity), **{**fields, **more})


class TestABracketOnSPY20131007:
    """Bought at 09:36 New York, and taken home twelve minutes later.

    quotes  13:35  167.54 x 5000  167.55 x 5800      known at 13:36:00, so 100 shares cost 100 x 167.55 = 16,755.00
    bars    13:36  167.55 167.56 167.42 167.43       above the stop at 167.30, below the target at 167.80
            13:37  167.43 167.50 167.37 167.48       the day's low after the entry
            13:47  167.70 167.78 167.70 167.75       two cents short of the target
            13:48  167.75 167.80 167.72 167.80       touches 167.80: filled there, 100 x 167.80 = 16,780.00
    """

    @pytest.fixture
    def venue(self, calendar: ExchangeCalendar) -> SimulatedVenue:
        venue = market(calendar, at("2013-10-07T13:36"), "SPY-1min-2013")
        bracket = {"order_class": OrderClass.BRACKET, "take_profit": D("167.80"), "stop_loss": D("167.30")}
        entry = taken(venue.place(simple("b", "SPY", Side.BUY, "100", **bracket)))
        assert (entry.status, entry.average_price, entry.filled_at) == (
            Status.FILLED,
            D("167.55"),
            at("2013-10-07T13:36"),
        )
        return venue

    def test_the_exits_work_from_the_fill_on_the_target_open_and_the_stop_held(self, venue: SimulatedVenue) -> None:
        stop, target = venue.legs("b")
        assert [(leg.status, leg.working) for leg in (stop, target)] == [(Status.HELD, True), (Status.NEW, True)]
        (held,) = venue.held()
        assert (held.quantity, held.available, held.average_price) == (D(100), D(0), D("167.55"))
        assert venue.figures().cash == D("83245.00")

    def test_it_is_not_filled_a_minute_too_early(self, venue: SimulatedVenue) -> None:
        venue.advance_to(at("2013-10-07T13:48"))
        assert len(venue.executions()) == 1

    def test_the_target_fills_at_its_price_and_takes_the_stop_with_it(self, venue: SimulatedVenue) -> None:
        venue.advance_to(at("2013-10-07T13:49"))
        stop, target = venue.legs("b")
        assert (target.status, target.average_price, target.filled_at) == (
            Status.FILLED,
            D("167.80"),
            at("2013-10-07T13:49"),
        )
        assert stop.status is Status.CANCELED
        assert venue.held() == ()
        assert venue.figures().cash == D("100025.00")  # + 100 x 0.25

    def test_the_fees_of_the_day_are_charged_at_eight_in_the_evening(self, venue: SimulatedVenue) -> None:
        venue.advance_to(at("2013-10-08T00:00"))
        fees = {each.description.split()[0]: each.amount for each in venue.activities()}
        # SEC, $17.40 a million of proceeds: 16,780 x 0.0000174 = 0.291972; TAF, $0.000119 a share sold: 0.0119.
        assert fees == {"sec": D("-0.30"), "taf": D("-0.02")}
        assert {each.kind for each in venue.activities()} == {ActivityKind.FEE}
        assert venue.figures().cash == D("100024.68")

    def test_with_a_nearer_stop_the_minute_that_reaches_it_ends_the_trade(self, calendar: ExchangeCalendar) -> None:
        venue = market(calendar, at("2013-10-07T13:36"), "SPY-1min-2013")
        bracket = {"order_class": OrderClass.BRACKET, "take_profit": D("167.80"), "stop_loss": D("167.40")}
        taken(venue.place(simple("b", "SPY", Side.BUY, "100", **bracket)))
        venue.advance_to(at("2013-10-07T13:37"))  # low 167.42: two cents above it
        assert len(venue.executions()) == 1
        venue.advance_to(at("2013-10-07T13:38"))  # opens at 167.43, low 167.37
        assert [each.price for each in venue.executions()] == [D("167.55"), D("167.40")]
        assert venue.figures().cash == D("99985.00")


def test_a_trailing_stop_follows_the_high_of_the_day_and_is_hit_on_the_way_down(calendar: ExchangeCalendar) -> None:
    """SPY, 2013-10-07, thirty cents behind.

    bars    18:00  168.30 168.36 168.30 168.32       high-water mark 168.36
            18:02  168.33 168.45 168.33 168.36       168.45, the high of the day: the stop is at 168.15
            18:06  168.29 168.30 168.18 168.18       three cents above it
            18:07  168.18 168.19 168.13 168.16       through it: filled at 168.15
    """
    venue = market(calendar, at("2013-10-07T18:00"), "SPY-1min-2013")
    taken(venue.place(simple("in", "SPY", Side.BUY, "100")))
    trail = {"order_type": OrderType.TRAILING_STOP, "trail_price": D("0.30"), "time_in_force": TimeInForce.GTC}
    taken(venue.place(simple("out", "SPY", Side.SELL, "100", **trail)))
    for until, high_water in (("18:01", "168.36"), ("18:02", "168.36"), ("18:03", "168.45"), ("18:07", "168.45")):
        venue.advance_to(at(f"2013-10-07T{until}"))
        ticket = venue.ticket_named("out")
        assert ticket is not None
        assert (ticket.high_water, ticket.status) == (D(high_water), Status.NEW), until
    venue.advance_to(at("2013-10-07T18:08"))
    ticket = venue.ticket_named("out")
    assert ticket is not None
    assert (ticket.status, ticket.average_price, ticket.filled_at) == (
        Status.FILLED,
        D("168.15"),
        at("2013-10-07T18:08"),
    )
    assert venue.held() == ()


class TestAPutSpreadOnGOOG20151224:
    """The bull put spread 745/740 of 2015-12-31, five times, on a day that closes at 13:00 New York.

    quotes  15:00  P745  5.80 x 10   6.50 x 32       sold at the bid, known at 15:01:00
                   P740  4.00 x 25   4.70 x 26       bought at the ask: a credit of 5.80 - 4.70 = 1.10
            17:30  P745  4.40 x 34   4.70 x 4        bought back at the ask, known at 17:31:00
                   P740  3.00 x 36   3.20 x 4        sold at the bid: a debit of 4.70 - 3.00 = 1.70; only 4 are offered
    """

    SHORT, LONG = "GOOG151231P00745000", "GOOG151231P00740000"

    @pytest.fixture
    def venue(self, calendar: ExchangeCalendar) -> SimulatedVenue:
        return market(calendar, at("2015-12-24T15:01"), "GOOG")

    def opening(self, limit: str, quantity: str = "5") -> Request:
        legs = (
            RequestLeg(symbol=self.SHORT, ratio=1, side=Side.SELL, position_intent=PositionIntent.SELL_TO_OPEN),
            RequestLeg(symbol=self.LONG, ratio=1, side=Side.BUY, position_intent=PositionIntent.BUY_TO_OPEN),
        )
        return self.spread("open", limit, quantity, legs)

    def closing(self, limit: str, quantity: str) -> Request:
        legs = (
            RequestLeg(symbol=self.SHORT, ratio=1, side=Side.BUY, position_intent=PositionIntent.BUY_TO_CLOSE),
            RequestLeg(symbol=self.LONG, ratio=1, side=Side.SELL, position_intent=PositionIntent.SELL_TO_CLOSE),
        )
        return self.spread("close", limit, quantity, legs)

    def spread(self, client_id: str, limit: str, quantity: str, legs: tuple[RequestLeg, ...]) -> Request:
        fields = {"order_type": OrderType.LIMIT, "limit": D(limit), "legs": legs, "order_class": OrderClass.MLEG}
        return simple(client_id, "", Side.BUY, quantity, **fields)

    def test_it_fills_at_the_quoted_prices_and_holds_back_its_largest_loss(self, venue: SimulatedVenue) -> None:
        order = taken(venue.place(self.opening("-1.10")))
        assert (order.status, order.average_price) == (Status.FILLED, D("-1.10"))
        assert [(e.symbol, e.side, e.quantity, e.price) for e in venue.executions()] == [
            (self.SHORT, Side.SELL, D(5), D("5.80")),
            (self.LONG, Side.BUY, D(5), D("4.70")),
        ]
        figures = venue.figures()
        assert figures.cash == D("100550.00")  # + 5 x 100 x 1.10
        # Equity at the middles of 15:00: short 6.15, long 4.35: 100,550 - 5 x 100 x 1.80 = 99,650.
        assert figures.equity == D("99650.00")
        assert {each.symbol: each.quantity for each in venue.held()} == {self.SHORT: D(-5), self.LONG: D(5)}

    def test_a_credit_that_is_not_offered_rests(self, venue: SimulatedVenue) -> None:
        order = taken(venue.place(self.opening("-1.15")))
        # The largest loss of five: 5 x 100 x (5.00 - 1.15) = 1,925.
        assert (order.status, order.reserved) == (Status.NEW, D("1925.00"))
        assert venue.executions() == []

    def test_only_as_many_units_fill_as_the_thinner_leg_shows(self, venue: SimulatedVenue) -> None:
        order = taken(venue.place(self.opening("-1.10", quantity="12")))
        assert (order.status, order.filled, order.quantity) == (Status.PARTIALLY_FILLED, D(10), D(12))

    def test_it_is_closed_before_one_at_the_prices_of_half_past_twelve(self, venue: SimulatedVenue) -> None:
        taken(venue.place(self.opening("-1.10")))
        venue.advance_to(at("2015-12-24T17:31"))
        order = taken(venue.place(self.closing("1.70", "5")))
        assert (order.status, order.filled, order.average_price) == (Status.PARTIALLY_FILLED, D(4), D("1.70"))
        # 100,550 - 4 x 100 x 1.70 = 99,870; the fifth is bought back at the next quotes that allow it.
        assert venue.figures().cash == D("99870.00")
        venue.advance_to(at("2015-12-24T18:00"))
        order = venue.ticket_named("close") or order
        assert order.status is Status.FILLED
        assert venue.held() == ()
        assert all(each.at < at("2015-12-24T18:00") for each in venue.executions())

    def test_after_one_nothing_trades_and_the_order_expires_with_the_short_day(self, venue: SimulatedVenue) -> None:
        taken(venue.place(self.opening("-3.00")))
        venue.advance_to(at("2015-12-24T18:00"))
        order = venue.ticket_named("open")
        assert order is not None
        assert (order.status, order.expired_at) == (Status.EXPIRED, at("2015-12-24T18:00"))
        assert {leg.status for leg in venue.legs("open")} == {Status.EXPIRED}
        assert venue.figures().options_buying_power == D(100_000)


class TestALimitOnBTC20170903:
    """A tenth of a bitcoin, with the fee taken in coin.

    quotes  00:00  4642.42 x 0.14         4649.95 x 0.40   known at 00:01:00: bought at 4649.95, below the limit of 4660
            00:03  4654.98 x 1.81904517   4654.99 x 9.34   known at 00:04:00: sold at 4654.98
    """

    @pytest.fixture
    def venue(self, calendar: ExchangeCalendar) -> SimulatedVenue:
        venue = market(calendar, at("2017-09-03T00:01"), "BTC-USD-1min-2017")
        limit = {"order_type": OrderType.LIMIT, "limit": D(4660), "time_in_force": TimeInForce.GTC}
        order = taken(venue.place(simple("in", "BTC-USD", Side.BUY, "0.1", **limit)))
        assert (order.status, order.average_price) == (Status.FILLED, D("4649.95"))
        return venue

    def test_a_quarter_of_a_percent_is_missing_from_what_was_bought(self, venue: SimulatedVenue) -> None:
        (held,) = venue.held()
        assert held.quantity == D("0.09975")
        assert venue.figures().cash == D("99535.005")  # 100,000 - 0.1 x 4649.95
        (fee,) = venue.activities()
        assert (fee.kind, fee.quantity, fee.price, fee.amount) == (
            ActivityKind.CRYPTO_FEE,
            D("-0.00025"),
            D("4649.95"),
            D(0),
        )

    def test_what_was_ordered_can_no_longer_be_sold_what_is_held_can(self, venue: SimulatedVenue) -> None:
        venue.advance_to(at("2017-09-03T00:04"))
        market_order = {"time_in_force": TimeInForce.GTC}
        no = venue.place(simple("too much", "BTC-USD", Side.SELL, "0.1", **market_order))
        assert isinstance(no, Rejection)
        assert (no.kind, no.figures["available"]) == (No.INSUFFICIENT_QUANTITY, "0.09975")
        order = taken(venue.place(simple("out", "BTC-USD", Side.SELL, "0.09975", **market_order)))
        assert (order.status, order.average_price) == (Status.FILLED, D("4654.98"))
        assert venue.held() == ()
        # 0.09975 x 4654.98 = 464.334255, less 0.25% in dollars, 1.1608356375, rounded up to a billionth.
        assert venue.activities()[-1].amount == D("-1.160835638")
        assert venue.figures().cash == D("99998.178419362")

    def test_a_limit_that_rests_pays_the_makers_rate(self, calendar: ExchangeCalendar) -> None:
        venue = market(calendar, at("2017-09-03T00:01"), "BTC-USD-1min-2017")
        limit = {"order_type": OrderType.LIMIT, "limit": D(4647), "time_in_force": TimeInForce.GTC}
        order = taken(venue.place(simple("in", "BTC-USD", Side.BUY, "0.1", **limit)))
        assert order.status is Status.NEW
        # bar 00:01  4652.68 4654.99 4645.28 4654.33 x 1.36: through the limit, filled at 4647; 15 basis points of 0.1.
        venue.advance_to(at("2017-09-03T00:02"))
        (execution,) = venue.executions()
        assert (execution.price, execution.fee_coin, execution.position) == (D(4647), D("0.00015"), D("0.09985"))
