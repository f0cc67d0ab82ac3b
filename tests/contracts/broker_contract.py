"""What every ``Broker`` must do, as one suite.

A test module subclasses ``BrokerContract`` and provides the fixture ``scene``: a broker with an account of 10,000 dollars,
flat, and a market for shares of SPY in its regular session, last at 100.00 (bid 99.99, ask 100.01), no fees.
``scene.play(open, high, low, close)`` lets the next bar of SPY happen and moves the venue's clock past it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

import pytest

from hydra.model.errors import Refused
from hydra.model.orders import Order, OrderStatus, OrderType, Protection, Purpose, Side, TimeInForce
from hydra.ports import Ack, AckOutcome, Broker

SYMBOL = "SPY"
CASH = Decimal(10_000)
QUIET = ("100", "100.5", "99.5", "100")


class BrokerScene(Protocol):
    """A broker, and a hand on its market."""

    @property
    def broker(self) -> Broker:
        """The broker under test."""
        ...

    def play(self, first: str, high: str, low: str, last: str) -> None:
        """Let a bar happen."""
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


def rejected(ack: Ack) -> str:
    """The reason, if the request was refused."""
    assert ack.outcome is AckOutcome.REJECTED
    assert ack.reason
    return ack.reason


def everything(broker: Broker) -> tuple:
    """All a broker says of its account; equal before and after what changes nothing."""
    return broker.account(), broker.positions(), broker.open_orders(), broker.fills("")


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

    def test_cancelling_an_order_that_never_was_is_rejected(self, broker: Broker) -> None:
        rejected(broker.cancel("no-such-order"))

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

    def test_an_order_for_an_unknown_symbol_is_rejected_by_name(self, broker: Broker) -> None:
        assert "ZZZZ" in rejected(broker.submit(buy(symbol="ZZZZ")))
