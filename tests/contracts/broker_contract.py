"""What every ``Broker`` must do, as one suite.

A test module subclasses ``BrokerContract`` and provides the fixture ``scene``: a broker with an account of 10,000 dollars,
flat, and a market for shares of SPY in its regular session, last at 100.00 (bid 99.99, ask 100.01), no fees.
``scene.play(open, high, low, close)`` lets the next bar of SPY happen and moves the venue's clock past it.
``ShortSaleContract`` wants ``margin_scene``: the same with an account that may sell short. ``AlpacaAccountContract`` wants
``alpaca_scene``: the same with an account as Alpaca gives it, fees included.

Doors differ in what they can express. Where that shows, the scene says so in a property (``shows_waiting_exits``), and the
suite holds the broker to what its own door promises; nothing is left out.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Protocol

import pytest

from hydra.model.activities import Activity, ActivityKind
from hydra.model.errors import Refused
from hydra.model.market import multiplier_of
from hydra.model.money import ZERO
from hydra.model.orders import Order, OrderStatus, OrderType, Protection, Purpose, Side, TimeInForce, VenueOrder
from hydra.ports import Ack, AckOutcome, ActivityPage, Broker

SYMBOL = "SPY"
PAIR = "BTC-USD"
NOBODY = "00000000-0000-4000-8000-000000000000"
"""An id as venues give them, and none has given."""
CASH = Decimal(10_000)
FILLS_A_PAGE, ORDERS_A_PAGE = 100, 500
"""The most a venue we know tells in one answer."""
QUIET = ("100", "100.5", "99.5", "100")


class BrokerScene(Protocol):
    """A broker, and a hand on its market."""

    @property
    def broker(self) -> Broker:
        """The broker under test."""
        ...

    @property
    def shows_waiting_exits(self) -> bool:
        """True when exits that wait for their entry to fill are among the open orders; nothing of theirs works yet."""
        ...

    def again(self) -> Broker:
        """A broker that has seen nothing yet, on the same account."""
        ...

    def play(self, first: str, high: str, low: str, last: str) -> None:
        """Let a bar happen."""
        ...

    def next_day(self) -> None:
        """Let the session end (early, if the stage's calendar says so) and the next one begin, at the same prices."""
        ...

    def quote_pair(self) -> None:
        """Let BTC-USD be quoted at 19,990 to 20,010."""
        ...

    def serve(self, quantity: str | None) -> None:
        """Let every execution be of at most this many shares; ``None``: of any number."""
        ...

    def block(self) -> None:
        """Have the venue bar the account from trading."""
        ...

    def dividend(self, dollars: str) -> None:
        """Let SPY pay so much a share to who holds it at the end of this day; it is paid before the next one opens."""
        ...

    def split(self, new: str, old: str = "1") -> None:
        """Let so many shares of SPY become so many before the next day opens."""
        ...

    def rename(self, symbol: str) -> None:
        """Let SPY be called otherwise before the next day opens."""
        ...

    def charge(self, dollars: str, minutes_ago: int = 0) -> None:
        """Let the venue post a fee now, with a time that may have passed."""
        ...

    def crowd(self, count: int) -> None:
        """Let another client of the account rest so many orders, at prices nobody reaches."""
        ...

    def churn(self, count: int) -> None:
        """Let another client of the account have so many executions of a share each, buys and sells in turn."""
        ...


def buy(client_id: str = "b1", quantity: str = "10", limit: str | None = "95", **more) -> Order:
    """An entry: a limit order far below the market unless told otherwise; ``limit=None`` for a market order."""
    price = None if limit is None else Decimal(limit)
    fields = {
        "run": "run",
        "cycle": 1,
        "bot": "bot",
        "symbol": SYMBOL,
        "side": Side.BUY,
        "order_type": OrderType.MARKET if limit is None else OrderType.LIMIT,
        "purpose": Purpose.ENTRY,
        "time_in_force": TimeInForce.DAY,
        "limit": price,
    }
    return Order(client_id=client_id, quantity=Decimal(quantity), **{**fields, **more})


def sell(client_id: str = "s1", quantity: str = "10", limit: str | None = "105", **more) -> Order:
    """An exit: a limit order far above the market unless told otherwise."""
    return buy(client_id, quantity, limit, **{"side": Side.SELL, "purpose": Purpose.EXIT, **more})


def bracket(stop: str = "98", target: str | None = "104") -> Protection:
    """Protection around an entry at about 100."""
    return Protection(stop=Decimal(stop), target=None if target is None else Decimal(target))


def accepted(ack: Ack) -> Ack:
    """The acknowledgement, if the order was taken."""
    assert ack.outcome is AckOutcome.ACCEPTED, ack.reason
    assert ack.order is not None
    return ack


def working(broker: Broker) -> tuple[VenueOrder, ...]:
    """The open orders without the exits of an entry that has not filled."""
    orders = broker.open_orders()
    waiting = {order.client_id for order in orders}
    return tuple(order for order in orders if order.parent not in waiting)


def rejected(ack: Ack) -> str:
    """The reason, if the request was refused."""
    assert ack.outcome is AckOutcome.REJECTED
    assert ack.reason
    return ack.reason


def everything(broker: Broker) -> tuple:
    """All a broker says of its account; equal before and after what changes nothing."""
    return broker.account(), broker.positions(), broker.open_orders(), broker.fills(""), broker.activities("")


def told(broker: Broker, cursor: str = "") -> list[tuple[ActivityKind, str, Decimal, Decimal]]:
    """The activities after a cursor: kind, symbol, units, dollars."""
    return [(each.kind, each.symbol, each.quantity, each.amount) for each in broker.activities(cursor).activities]


def explained(broker: Broker) -> Decimal:
    """The cash that fills and activities leave of what the account began with."""
    fills = broker.fills("").fills
    worth = [fill.side.sign * fill.quantity * fill.price * multiplier_of(fill.symbol) + fill.fee for fill in fills]
    traded = CASH - sum(worth, ZERO)
    return traded + sum(each.amount for each in broker.activities("").activities)


class BrokerContract:
    """Subclass it and provide ``scene``."""

    @pytest.fixture
    def broker(self, scene: BrokerScene) -> Broker:
        return scene.broker

    def test_a_new_account_is_flat_and_has_its_cash(self, broker: Broker) -> None:
        account = broker.account()
        assert (account.cash, account.equity, account.buying_power) == (CASH, CASH, CASH)
        assert account.account_id == broker.identity().account_id
        assert not account.blocked
        assert (broker.positions(), broker.open_orders(), broker.fills("").fills) == ((), (), ())

    def test_an_order_that_rests_is_open_and_can_be_looked_up(self, broker: Broker) -> None:
        order = accepted(broker.submit(buy())).order
        assert order is not None
        assert (order.client_id, order.status, order.limit) == ("b1", OrderStatus.ACCEPTED, Decimal(95))
        assert broker.open_orders() == (order,)
        assert broker.order("b1") == order

    def test_a_client_id_is_taken_once_and_the_second_order_changes_nothing(self, broker: Broker) -> None:
        accepted(broker.submit(buy()))
        before = everything(broker)
        assert "b1" in rejected(broker.submit(buy(quantity="3")))
        assert everything(broker) == before

    def test_a_client_id_stays_taken_after_its_order_is_done(self, broker: Broker) -> None:
        order = accepted(broker.submit(buy(limit=None))).order
        assert order is not None
        rejected(broker.submit(buy(limit=None)))
        assert sum(fill.quantity for fill in broker.fills("").fills) == 10

    def test_the_time_is_aware_and_goes_with_the_market(self, scene: BrokerScene, broker: Broker) -> None:
        before = broker.now()
        scene.play(*QUIET)
        assert before.utcoffset() == timedelta(0)
        assert broker.now() == before + timedelta(minutes=1)

    def test_an_unknown_client_id_is_none(self, broker: Broker) -> None:
        assert broker.order("never-sent") is None

    def test_a_market_order_fills_and_becomes_a_position(self, broker: Broker) -> None:
        accepted(broker.submit(buy(limit=None)))
        order = broker.order("b1")
        assert order is not None
        assert (order.status, order.filled) == (OrderStatus.FILLED, Decimal(10))
        (position,) = broker.positions()
        assert (position.symbol, position.quantity) == (SYMBOL, Decimal(10))
        (fill,) = broker.fills("").fills
        assert (fill.client_id, fill.side, fill.quantity) == ("b1", Side.BUY, Decimal(10))
        assert broker.account().cash == CASH - fill.quantity * fill.price - fill.fee

    def test_fills_are_paged_by_cursor_and_each_is_seen_once(self, broker: Broker) -> None:
        nothing = broker.fills("")
        accepted(broker.submit(buy("b1", limit=None)))
        first = broker.fills(nothing.cursor)
        accepted(broker.submit(buy("b2", limit=None)))
        second = broker.fills(first.cursor)
        assert [fill.client_id for fill in first.fills] == ["b1"]
        assert [fill.client_id for fill in second.fills] == ["b2"]
        assert broker.fills(second.cursor).fills == ()
        assert broker.fills(second.cursor).cursor == second.cursor
        assert broker.fills("").fills == first.fills + second.fills

    def test_a_cursor_that_was_never_given_out_is_refused(self, broker: Broker) -> None:
        accepted(broker.submit(buy(limit=None)))
        with pytest.raises(Refused):
            broker.fills("never-given-out")

    def test_no_fill_is_lost_or_doubled_where_pages_end(self, scene: BrokerScene, broker: Broker) -> None:
        accepted(broker.submit(buy(limit=None)))
        first = broker.fills("")
        scene.churn(FILLS_A_PAGE + 1)
        rest = broker.fills(first.cursor)
        assert len(rest.fills) == FILLS_A_PAGE + 1
        assert [fill.side for fill in rest.fills[:3]] == [Side.BUY, Side.SELL, Side.BUY]
        assert len({fill.fill_id for fill in (*first.fills, *rest.fills)}) == FILLS_A_PAGE + 2
        assert broker.fills("").fills == first.fills + rest.fills
        assert broker.fills(rest.cursor).fills == ()

    def test_the_places_after_everything_show_only_what_comes_later(self, scene: BrokerScene, broker: Broker) -> None:
        empty = broker.cursors()
        assert broker.fills(empty.fills).fills == ()
        scene.churn(FILLS_A_PAGE + 1)
        here, places = broker.cursors(), scene.again().cursors()
        for cursor in (here, places):
            assert broker.fills(cursor.fills).fills == ()
            assert broker.activities(cursor.activities).activities == ()
        accepted(broker.submit(buy("later", limit=None)))
        assert [fill.client_id for fill in broker.fills(places.fills).fills] == ["later"]
        assert len(broker.fills(empty.fills).fills) == FILLS_A_PAGE + 2

    def test_a_page_that_is_exactly_full_is_not_followed_by_its_like(self, scene: BrokerScene, broker: Broker) -> None:
        scene.churn(FILLS_A_PAGE)
        page = broker.fills("")
        assert len(page.fills) == FILLS_A_PAGE
        assert broker.fills(page.cursor).fills == ()

    def test_every_open_order_is_told_however_many_there_are(self, scene: BrokerScene, broker: Broker) -> None:
        accepted(broker.submit(buy()))
        scene.crowd(ORDERS_A_PAGE + 1)
        orders = broker.open_orders()
        assert len(orders) == len({order.venue_id for order in orders}) == ORDERS_A_PAGE + 2
        assert "b1" in {order.client_id for order in orders}

    def test_an_order_fills_in_parts_and_each_is_a_fill(self, scene: BrokerScene, broker: Broker) -> None:
        scene.serve("4")
        accepted(broker.submit(buy(limit=None)))
        order = broker.order("b1")
        assert order is not None
        assert (order.status, order.quantity, order.filled) == (OrderStatus.PARTIALLY_FILLED, Decimal(10), Decimal(4))
        assert broker.open_orders() == (order,)
        assert [position.quantity for position in broker.positions()] == [Decimal(4)]
        seen = broker.fills("")
        scene.serve(None)
        scene.play(*QUIET)
        done = broker.order("b1")
        assert done is not None
        assert (done.status, done.filled) == (OrderStatus.FILLED, Decimal(10))
        fills = (*seen.fills, *broker.fills(seen.cursor).fills)
        assert [fill.quantity for fill in fills] == [Decimal(4), Decimal(6)]
        assert {(fill.client_id, fill.venue_id) for fill in fills} == {("b1", done.venue_id)}
        assert done.average_price == sum(fill.quantity * fill.price for fill in fills) / 10

    def test_what_had_filled_of_a_cancelled_order_is_kept(self, scene: BrokerScene, broker: Broker) -> None:
        scene.serve("4")
        order = accepted(broker.submit(buy(limit=None))).order
        assert order is not None
        accepted(broker.cancel(order.venue_id))
        scene.serve(None)
        scene.play(*QUIET)
        after = broker.order("b1")
        assert after is not None
        assert (after.status, after.filled) == (OrderStatus.CANCELED, Decimal(4))
        assert [position.quantity for position in broker.positions()] == [Decimal(4)]
        assert sum(fill.quantity for fill in broker.fills("").fills) == 4

    def test_a_cancelled_order_is_done_and_never_fills(self, scene: BrokerScene, broker: Broker) -> None:
        order = accepted(broker.submit(buy())).order
        assert order is not None
        accepted(broker.cancel(order.venue_id))
        scene.play("100", "100", "90", "91")
        after = broker.order("b1")
        assert after is not None
        assert after.status is OrderStatus.CANCELED
        assert (broker.open_orders(), broker.positions()) == ((), ())

    def test_a_done_order_cannot_be_cancelled_and_the_answer_says_how_it_stands(self, broker: Broker) -> None:
        order = accepted(broker.submit(buy(limit=None))).order
        assert order is not None
        before = everything(broker)
        ack = broker.cancel(order.venue_id)
        rejected(ack)
        assert ack.order is not None
        assert ack.order.status is OrderStatus.FILLED
        assert everything(broker) == before

    def test_cancelling_twice_is_rejected_and_the_order_stays_cancelled(self, broker: Broker) -> None:
        order = accepted(broker.submit(buy())).order
        assert order is not None
        accepted(broker.cancel(order.venue_id))
        ack = broker.cancel(order.venue_id)
        rejected(ack)
        assert ack.order is not None
        assert ack.order.status is OrderStatus.CANCELED

    @pytest.mark.parametrize("venue_id", [NOBODY, "no-such-order"])
    def test_cancelling_an_order_that_never_was_is_rejected(self, broker: Broker, venue_id: str) -> None:
        before = everything(broker)
        ack = broker.cancel(venue_id)
        rejected(ack)
        assert ack.order is None
        assert everything(broker) == before

    def test_an_open_buy_reserves_buying_power_until_it_is_cancelled(self, broker: Broker) -> None:
        order = accepted(broker.submit(buy(limit="95"))).order
        assert order is not None
        assert broker.account().buying_power == CASH - 950
        assert broker.account().cash == CASH
        accepted(broker.cancel(order.venue_id))
        assert broker.account().buying_power == CASH

    def test_a_limit_order_fills_when_its_price_is_reached(self, scene: BrokerScene, broker: Broker) -> None:
        accepted(broker.submit(buy(limit="95")))
        scene.play("99", "99", "94", "96")
        (fill,) = broker.fills("").fills
        assert fill.price == 95

    def test_the_legs_of_a_bracket_name_their_entry(self, broker: Broker) -> None:
        accepted(broker.submit(buy(limit=None, protection=bracket())))
        legs = {leg.order_type: leg for leg in broker.open_orders()}
        assert set(legs) == {OrderType.STOP, OrderType.LIMIT}
        assert {leg.parent for leg in legs.values()} == {"b1"}
        assert {leg.side for leg in legs.values()} == {Side.SELL}
        assert {leg.quantity for leg in legs.values()} == {Decimal(10)}
        assert (legs[OrderType.STOP].stop, legs[OrderType.LIMIT].limit) == (Decimal(98), Decimal(104))

    def test_an_entry_without_a_target_gets_a_stop_alone(self, broker: Broker) -> None:
        accepted(broker.submit(buy(limit=None, protection=bracket(target=None))))
        assert [leg.order_type for leg in broker.open_orders()] == [OrderType.STOP]

    def test_the_exits_of_an_entry_that_waits_do_not_work(self, scene: BrokerScene, broker: Broker) -> None:
        order = accepted(broker.submit(buy(limit="95", protection=bracket("90", "99")))).order
        assert order is not None
        exits = [leg for leg in broker.open_orders() if leg.parent == "b1"]
        assert len(exits) == (2 if scene.shows_waiting_exits else 0)
        assert working(broker) == (order,)
        scene.play("100", "100", "96", "99")
        assert broker.fills("").fills == ()
        scene.play("96", "96", "94", "95")
        assert [fill.client_id for fill in broker.fills("").fills] == ["b1"]
        assert {leg.parent for leg in working(broker)} == {"b1"}

    def test_a_broker_that_has_seen_nothing_says_the_same(self, scene: BrokerScene, broker: Broker) -> None:
        accepted(broker.submit(buy("b1", quantity="5", limit=None, protection=bracket())))
        accepted(broker.submit(buy("b2", quantity="5", limit="95", protection=bracket("90", None))))
        legs = [order for order in broker.open_orders() if order.parent]
        fresh = scene.again()
        assert everything(fresh) == everything(broker)
        assert fresh.identity() == broker.identity()
        for client_id in ("b1", "b2", *(leg.client_id for leg in legs)):
            assert scene.again().order(client_id) == broker.order(client_id) is not None
        assert rejected(scene.again().submit(buy("b1")))

    def test_when_one_leg_fills_the_other_is_cancelled(self, scene: BrokerScene, broker: Broker) -> None:
        accepted(broker.submit(buy(limit=None, protection=bracket())))
        scene.play("100", "105", "99", "104")
        assert broker.positions() == ()
        assert broker.open_orders() == ()
        assert [fill.side for fill in broker.fills("").fills] == [Side.BUY, Side.SELL]
        assert broker.fills("").fills[-1].price == 104

    def test_a_cancelled_entry_leaves_no_working_leg(self, scene: BrokerScene, broker: Broker) -> None:
        order = accepted(broker.submit(buy(limit="95", protection=bracket("90", "99")))).order
        assert order is not None
        accepted(broker.cancel(order.venue_id))
        scene.play(*QUIET)
        assert broker.open_orders() == ()

    def test_what_resting_sells_reserve_cannot_be_sold_again(self, broker: Broker) -> None:
        accepted(broker.submit(buy(limit=None, protection=bracket())))
        before = everything(broker)
        assert "insufficient" in rejected(broker.submit(sell(quantity="1")))
        assert everything(broker) == before

    def test_the_two_legs_of_a_bracket_reserve_their_quantity_once(self, broker: Broker) -> None:
        accepted(broker.submit(buy("b1", quantity="5", limit=None, protection=bracket())))
        accepted(broker.submit(buy("b2", quantity="4", limit=None)))
        rejected(broker.submit(sell("s1", quantity="5")))
        accepted(broker.submit(sell("s2", quantity="4")))

    def test_a_position_can_be_sold_once_its_legs_are_cancelled(self, scene: BrokerScene, broker: Broker) -> None:
        accepted(broker.submit(buy(limit=None, protection=bracket())))
        for leg in broker.open_orders():
            broker.cancel(leg.venue_id)
        accepted(broker.submit(sell(limit=None)))
        scene.play(*QUIET)
        assert broker.positions() == ()

    def test_more_than_is_owned_cannot_be_sold(self, broker: Broker) -> None:
        before = everything(broker)
        rejected(broker.submit(sell()))
        assert everything(broker) == before

    def test_more_than_buying_power_cannot_be_bought(self, broker: Broker) -> None:
        before = everything(broker)
        assert "buying power" in rejected(broker.submit(buy(quantity="106", limit="95")))
        assert everything(broker) == before
        assert broker.order("b1") is None

    def test_a_price_between_increments_is_rejected(self, broker: Broker) -> None:
        before = everything(broker)
        rejected(broker.submit(buy(limit="95.005")))
        assert everything(broker) == before

    def test_a_stop_above_the_market_does_not_protect_a_buy(self, broker: Broker) -> None:
        before = everything(broker)
        rejected(broker.submit(buy(limit=None, protection=bracket(stop="101"))))
        assert everything(broker) == before

    def test_instruments_are_told_and_an_unknown_symbol_is_refused_by_name(self, broker: Broker) -> None:
        (instrument,) = broker.instruments([SYMBOL])
        assert instrument.symbol == SYMBOL
        with pytest.raises(Refused, match="ZZZZ"):
            broker.instruments([SYMBOL, "ZZZZ"])

    @pytest.mark.parametrize("symbol", ["ZZZZ", "ZZZ-USD", "no symbol"])
    def test_an_order_for_an_unknown_symbol_is_rejected(self, broker: Broker, symbol: str) -> None:
        before = everything(broker)
        rejected(broker.submit(buy(symbol=symbol)))
        assert everything(broker) == before
        assert broker.order("b1") is None

    def test_an_order_for_an_unknown_symbol_is_rejected_by_name(self, broker: Broker) -> None:
        assert "ZZZZ" in rejected(broker.submit(buy(symbol="ZZZZ")))

    def test_a_pair_has_its_canonical_name_wherever_it_is_told(self, scene: BrokerScene, broker: Broker) -> None:
        scene.quote_pair()
        pair = {"symbol": PAIR, "time_in_force": TimeInForce.GTC}
        accepted(broker.submit(buy("b1", quantity="0.1", limit=None, **pair)))
        order = accepted(broker.submit(buy("b2", quantity="0.1", limit="15000", **pair))).order
        assert broker.open_orders() == (order,)
        (instrument,), (position,), (fill,) = broker.instruments([PAIR]), broker.positions(), broker.fills("").fills
        assert {instrument.symbol, position.symbol, fill.symbol, broker.open_orders()[0].symbol} == {PAIR}
        assert instrument.quantity_increment <= Decimal("0.0001")
        assert position.quantity == fill.quantity == Decimal("0.1")

    def test_a_blocked_account_says_so_takes_no_order_and_lets_go_of_those_it_has(
        self, scene: BrokerScene, broker: Broker
    ) -> None:
        order = accepted(broker.submit(buy())).order
        assert order is not None
        scene.block()
        before = everything(broker)
        assert broker.account().blocked
        rejected(broker.submit(buy("b2")))
        assert everything(broker) == before
        accepted(broker.cancel(order.venue_id))
        assert broker.open_orders() == ()

    @pytest.mark.parametrize("force", [TimeInForce.DAY, TimeInForce.GTC])
    def test_a_day_order_ends_with_its_day_and_the_position_stays(
        self, scene: BrokerScene, broker: Broker, force: TimeInForce
    ) -> None:
        accepted(broker.submit(buy("b1", quantity="5", limit=None, protection=bracket(), time_in_force=force)))
        accepted(broker.submit(buy("b2", quantity="5", limit="95")))
        held = broker.positions()
        scene.next_day()
        gone = broker.order("b2")
        assert gone is not None
        assert gone.status is OrderStatus.EXPIRED
        assert broker.positions() == held
        exits = broker.open_orders()
        assert len(exits) == 2
        assert {leg.parent for leg in exits} == {"b1"}
        scene.play("100", "105", "99", "104")
        assert (broker.positions(), broker.open_orders()) == ((), ())
        assert broker.fills("").fills[-1].price == 104

    def test_nothing_else_has_changed_a_new_account(self, broker: Broker) -> None:
        nothing = broker.activities("")
        assert nothing.activities == ()
        accepted(broker.submit(buy(limit=None)))
        assert broker.activities(nothing.cursor) == nothing

    def test_a_dividend_is_told_of_and_explains_its_cash(self, scene: BrokerScene, broker: Broker) -> None:
        accepted(broker.submit(buy(limit=None)))
        scene.dividend("0.5")
        scene.next_day()
        assert told(broker) == [(ActivityKind.DIVIDEND, SYMBOL, Decimal(0), Decimal(5))]
        (dividend,) = broker.activities("").activities
        assert broker.now() - timedelta(days=1) < dividend.at <= broker.now()
        assert broker.account().cash == explained(broker)

    @pytest.mark.parametrize(("new", "old", "after"), [("3", "1", "30"), ("1", "2", "5")], ids=["forward", "reverse"])
    def test_a_split_is_told_of_with_its_ratio(
        self, scene: BrokerScene, broker: Broker, new: str, old: str, after: str
    ) -> None:
        accepted(broker.submit(buy(limit=None)))
        scene.split(new, old)
        scene.next_day()
        (split,) = broker.activities("").activities
        assert (split.kind, split.symbol, split.quantity) == (ActivityKind.SPLIT, SYMBOL, Decimal(after) - 10)
        assert split.ratio == Decimal(new) / Decimal(old)
        assert [position.quantity for position in broker.positions()] == [Decimal(after)]

    def test_a_change_of_name_is_told_of_with_the_new_one(self, scene: BrokerScene, broker: Broker) -> None:
        accepted(broker.submit(buy(limit=None)))
        scene.rename("SPYX")
        scene.next_day()
        kinds = [(each.kind, each.symbol, each.quantity, each.new_symbol) for each in broker.activities("").activities]
        renamed = ActivityKind.RENAME
        assert sorted(kinds) == [(renamed, SYMBOL, Decimal(-10), "SPYX"), (renamed, "SPYX", Decimal(10), "")]
        assert [(position.symbol, position.quantity) for position in broker.positions()] == [("SPYX", Decimal(10))]

    def test_each_activity_is_given_out_once(self, scene: BrokerScene, broker: Broker) -> None:
        cursor = broker.activities("").cursor
        seen: list[Activity] = []
        for dollars in ("1", "2", "2", "3"):
            scene.charge(dollars)
            page = broker.activities(cursor)
            assert [each.amount for each in page.activities] == [-Decimal(dollars)]
            assert broker.activities(page.cursor) == ActivityPage(activities=(), cursor=page.cursor)
            cursor = page.cursor
            seen += page.activities
        assert len({each.activity_id for each in seen}) == 4
        assert list(broker.activities("").activities) == seen
        assert broker.account().cash == explained(broker)

    def test_an_activity_that_is_posted_late_is_not_overlooked(self, scene: BrokerScene, broker: Broker) -> None:
        for _ in range(5):
            scene.play(*QUIET)
        scene.charge("1")
        first = broker.activities("")
        scene.charge("2", minutes_ago=4)
        scene.charge("3")
        second = broker.activities(first.cursor)
        assert sorted(each.amount for each in second.activities) == [Decimal(-3), Decimal(-2)]
        assert broker.activities(second.cursor).activities == ()
        scene.charge("4", minutes_ago=4)
        assert [each.amount for each in scene.again().activities(second.cursor).activities] == [Decimal(-4)]

    def test_what_was_charged_before_the_places_after_everything_is_not_told(
        self, scene: BrokerScene, broker: Broker
    ) -> None:
        scene.charge("1")
        places = broker.cursors()
        scene.charge("2")
        assert told(scene.again(), places.activities) == [(ActivityKind.FEE, "", Decimal(0), Decimal(-2))]

    def test_a_broker_that_has_seen_nothing_goes_on_after_a_cursor(self, scene: BrokerScene, broker: Broker) -> None:
        scene.charge("1")
        cursor = broker.activities("").cursor
        assert scene.again().activities(cursor).activities == ()
        scene.charge("2")
        assert told(scene.again(), cursor) == [(ActivityKind.FEE, "", Decimal(0), Decimal(-2))]

    def test_no_activity_is_lost_or_doubled_where_pages_end(self, scene: BrokerScene, broker: Broker) -> None:
        for number in range(FILLS_A_PAGE + 1):
            scene.charge(str(number + 1))
        page = broker.activities("")
        amounts = sorted(-each.amount for each in page.activities)
        assert amounts == [Decimal(number + 1) for number in range(FILLS_A_PAGE + 1)]
        assert broker.activities(page.cursor).activities == ()

    def test_an_activities_cursor_that_was_never_given_out_is_refused(self, scene: BrokerScene, broker: Broker) -> None:
        scene.charge("1")
        for cursor in ("never-given-out", "7"):
            with pytest.raises(Refused, match="cursor"):
                broker.activities(cursor)

    def test_fees_of_a_pair_stay_within_what_its_fills_say(self, scene: BrokerScene, broker: Broker) -> None:
        scene.quote_pair()
        hold_to_bounds(broker)

    def test_a_fill_of_shares_costs_what_it_says(self, broker: Broker) -> None:
        accepted(broker.submit(buy(limit=None)))
        (fill,) = broker.fills("").fills
        assert fill.cash_fee_most == fill.coin_fee_most == 0


def hold_to_bounds(broker: Broker, odd: str = "0.1234") -> None:
    """Trade a pair back and forth: what is missing of coin and cash is within the bounds of each fill."""
    pair = {"symbol": PAIR, "time_in_force": TimeInForce.GTC}
    for client_id, quantity in (("b1", "0.1"), ("b2", odd)):
        coin = sum(each.quantity for each in broker.positions())
        cursor = broker.fills("").cursor
        accepted(broker.submit(buy(client_id, quantity=quantity, limit=None, **pair)))
        (fill,) = broker.fills(cursor).fills
        kept = coin + fill.quantity - sum(each.quantity for each in broker.positions())
        assert 0 <= kept <= fill.coin_fee_most <= fill.quantity / 100 or kept == fill.coin_fee_most == 0
        cash, cursor = broker.account().cash, broker.fills("").cursor
        accepted(broker.submit(sell(f"s-{client_id}", quantity="0.07", limit=None, **pair)))
        (sale,) = broker.fills(cursor).fills
        kept = cash + sale.quantity * sale.price - sale.fee - broker.account().cash
        assert 0 <= kept <= sale.cash_fee_most <= sale.quantity * sale.price / 100 or kept == sale.cash_fee_most == 0


class AlpacaAccountContract:
    """Subclass it and provide ``alpaca_scene``."""

    def test_it_says_which_entries_carry_exits_and_which_stops_are_plain(self, alpaca_scene: BrokerScene) -> None:
        shares, pair = alpaca_scene.broker.instruments([SYMBOL, PAIR])
        assert (shares.exits_with_entry, shares.plain_stops, shares.quantity_increment) == (True, True, Decimal(1))
        assert (pair.exits_with_entry, pair.plain_stops) == (False, False)
        assert pair.quantity_increment == pair.minimum_quantity == Decimal("1e-9")

    def test_the_exits_of_a_market_entry_outlive_the_day(self, alpaca_scene: BrokerScene) -> None:
        broker = alpaca_scene.broker
        accepted(broker.submit(buy(limit=None, protection=bracket())))
        alpaca_scene.next_day()
        assert {(leg.order_type, leg.parent) for leg in broker.open_orders()} == {
            (OrderType.STOP, "b1"),
            (OrderType.LIMIT, "b1"),
        }

    def test_the_exits_of_a_limit_entry_share_its_time_in_force(self, alpaca_scene: BrokerScene) -> None:
        broker = alpaca_scene.broker
        accepted(broker.submit(buy(limit="100.50", protection=bracket())))
        assert len(broker.open_orders()) == 2
        alpaca_scene.next_day()
        assert broker.open_orders() == ()
        assert [position.quantity for position in broker.positions()] == [Decimal(10)]

    def test_an_entry_in_a_pair_goes_alone(self, alpaca_scene: BrokerScene) -> None:
        broker = alpaca_scene.broker
        alpaca_scene.quote_pair()
        around = Protection(stop=Decimal(19_000), target=Decimal(21_000))
        pair = {"symbol": PAIR, "time_in_force": TimeInForce.GTC}
        accepted(broker.submit(buy(quantity="0.1", limit=None, protection=around, **pair)))
        assert broker.open_orders() == ()
        held = broker.positions()[0].quantity
        stop = {"order_type": OrderType.STOP_LIMIT, "stop": Decimal(19_000), "purpose": Purpose.STOP, **pair}
        accepted(broker.submit(sell("p1", quantity=str(held), limit="18810", **stop)))
        (order,) = broker.open_orders()
        assert (order.order_type, order.quantity) == (OrderType.STOP_LIMIT, held)

    def test_a_pairs_fee_is_taken_in_what_is_received_and_told_of(self, alpaca_scene: BrokerScene) -> None:
        broker = alpaca_scene.broker
        alpaca_scene.quote_pair()
        pair = {"symbol": PAIR, "time_in_force": TimeInForce.GTC}
        accepted(broker.submit(buy("b1", quantity="0.1", limit=None, **pair)))
        (position,), (fill,) = broker.positions(), broker.fills("").fills
        assert (fill.quantity, fill.fee, position.quantity) == (Decimal("0.1"), ZERO, Decimal("0.09975"))
        assert (fill.cash_fee_most, fill.coin_fee_most) == (ZERO, Decimal("0.00025"))
        assert told(broker) == [(ActivityKind.COIN_FEE, PAIR, Decimal("-0.00025"), Decimal(0))]
        cursor = broker.activities("").cursor
        accepted(broker.submit(sell("s1", quantity="0.05", limit=None, **pair)))
        sale = broker.fills("").fills[-1]
        assert (sale.fee, sale.cash_fee_most) == (ZERO, sale.quantity * sale.price * Decimal("0.0025"))
        assert told(broker, cursor) == [(ActivityKind.COIN_FEE, PAIR, Decimal(0), -sale.cash_fee_most)]
        assert broker.account().cash == explained(broker)

    def test_an_order_that_would_trade_with_another_of_the_account_is_refused_without_that_one(
        self, alpaca_scene: BrokerScene
    ) -> None:
        broker = alpaca_scene.broker
        accepted(broker.submit(buy("b1", limit=None)))
        accepted(broker.submit(buy("b2", limit="99.50")))
        before = everything(broker)
        ack = broker.submit(sell("s1", limit=None))
        assert "wash trade" in rejected(ack)
        assert ack.order is None
        assert broker.order("s1") is None
        assert everything(broker) == before

    def test_its_fees_of_a_pair_stay_within_what_its_fills_say(self, alpaca_scene: BrokerScene) -> None:
        alpaca_scene.quote_pair()
        hold_to_bounds(alpaca_scene.broker, "0.123456789")

    def test_the_days_fees_are_told_of_and_explain_its_cash(self, alpaca_scene: BrokerScene) -> None:
        broker = alpaca_scene.broker
        accepted(broker.submit(buy("b1", limit=None)))
        accepted(broker.submit(sell("s1", limit=None)))
        assert broker.account().cash == explained(broker)
        alpaca_scene.next_day()
        kinds = {(kind, symbol, units, dollars < 0) for kind, symbol, units, dollars in told(broker)}
        assert kinds == {(ActivityKind.FEE, "", Decimal(0), True)}
        assert broker.account().cash == explained(broker) < CASH


class ShortSaleContract:
    """Subclass it and provide ``margin_scene``."""

    def test_a_short_is_a_negative_position_and_can_be_bought_back(self, margin_scene: BrokerScene) -> None:
        broker = margin_scene.broker
        accepted(broker.submit(sell("s1", quantity="10", limit=None)))
        (position,) = broker.positions()
        assert (position.symbol, position.quantity) == (SYMBOL, Decimal(-10))
        assert position.average_price > 0
        assert broker.account().cash > CASH
        margin_scene.next_day()
        assert broker.positions() == (position,)
        accepted(broker.submit(buy("b1", quantity="10", limit=None)))
        assert broker.positions() == ()
