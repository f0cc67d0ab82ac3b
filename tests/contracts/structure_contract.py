"""What every ``Broker`` must do with structures of options, as one suite beside that of ``broker_contract``.

A test module subclasses ``StructureContract`` and provides the fixture ``option_scene``: a broker with a cash account of 10,000
dollars, flat, no fees, SPY at 100.00, and the contracts of ``QUOTES``, ten a side. ``option_scene.end_the_day()`` takes the clock
past the close of the day on which the contracts ``LAPSING`` and ``IN_MONEY`` expire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol

import pytest

from hydra.model.activities import ActivityKind
from hydra.model.orders import Leg, Order, OrderStatus, OrderType, Purpose, Side, TimeInForce, VenueOrder
from hydra.ports import Broker
from tests.contracts.broker_contract import CASH, SYMBOL, accepted, buy, everything, explained, rejected

P90, P95 = "SPY240315P00090000", "SPY240315P00095000"
C105, C110 = "SPY240315C00105000", "SPY240315C00110000"
LAPSING, IN_MONEY = "SPY240304P00095000", "SPY240304P00105000"
QUOTES: Mapping[str, tuple[str, str]] = {
    P90: ("0.20", "0.30"),
    P95: ("0.60", "0.70"),
    C105: ("0.50", "0.60"),
    C110: ("0.10", "0.20"),
    LAPSING: ("0.05", "0.10"),
    IN_MONEY: ("5.00", "5.20"),
}
"""Bid and ask by contract."""


class StructureScene(Protocol):
    """A broker, and a hand on its market."""

    @property
    def broker(self) -> Broker:
        """The broker under test."""
        ...

    def again(self) -> Broker:
        """A broker that has seen nothing yet, on the same account."""
        ...

    def serve(self, quantity: str | None) -> None:
        """Let every execution be of at most so many units; ``None``: of any number."""
        ...

    def quotes_again(self) -> None:
        """Let a minute pass, after which everything is quoted as before."""
        ...

    def end_the_day(self) -> None:
        """Go on to the next day, a minute after its opening."""
        ...


def parts(side: Side, *contracts: str, opens: bool = True) -> tuple[Leg, ...]:
    """Legs on alternating sides, the first on ``side``."""
    sides = (side, side.opposite)
    return tuple(Leg(symbol=each, side=sides[n % 2], ratio=1, opens=opens) for n, each in enumerate(contracts))


def entry(side: Side, legs: Sequence[Leg], limit: str, client_id: str = "e1", quantity: str = "1") -> Order:
    """An order that opens a structure on SPY at a net price."""
    return buy(client_id, quantity, limit, side=side, legs=tuple(legs))


def closing(legs: Sequence[Leg], client_id: str = "x1", quantity: str = "1", limit: str | None = None) -> Order:
    """The order that closes what ``legs`` have opened, at the market unless told otherwise."""
    back = tuple(Leg(symbol=leg.symbol, side=leg.side.opposite, ratio=leg.ratio, opens=False) for leg in legs)
    return buy(client_id, quantity, limit, side=back[0].side, legs=back, purpose=Purpose.EXIT)


def held(broker: Broker) -> dict[str, int]:
    """Contracts that are held, by symbol."""
    return {position.symbol: int(position.quantity) for position in broker.positions()}


def done(broker: Broker, client_id: str) -> VenueOrder:
    """An order that has filled whole."""
    order = broker.order(client_id)
    assert order is not None
    assert (order.status, order.filled) == (OrderStatus.FILLED, order.quantity)
    return order


def traded(broker: Broker, order: VenueOrder) -> set[tuple[str, Side, Decimal, Decimal]]:
    """The executions of an order: contract, side, contracts, price. Every one names the order by both its ids."""
    mine = [fill for fill in broker.fills("").fills if fill.client_id == order.client_id]
    assert {fill.venue_id for fill in mine} == {order.venue_id}
    return {(fill.symbol, fill.side, fill.quantity, fill.price) for fill in mine}


def rows(*wanted: tuple[str, Side, int, str]) -> set[tuple[str, Side, Decimal, Decimal]]:
    """What ``traded`` is to be."""
    return {(symbol, side, Decimal(quantity), Decimal(price)) for symbol, side, quantity, price in wanted}


PUT = parts(Side.SELL, P95)
CONDOR = (*parts(Side.BUY, P90, P95), *parts(Side.SELL, C105, C110))
STRADDLE = (
    Leg(symbol=C105, side=Side.BUY, ratio=1, opens=True),
    Leg(symbol=P95, side=Side.BUY, ratio=1, opens=True),
)


class StructureContract:
    """Subclass it and provide ``option_scene``."""

    @pytest.fixture
    def broker(self, option_scene: StructureScene) -> Broker:
        return option_scene.broker

    def test_a_put_that_is_sold_alone_is_a_structure_of_one_contract(self, broker: Broker) -> None:
        accepted(broker.submit(entry(Side.SELL, PUT, "0.60")))
        order = done(broker, "e1")
        assert (order.side, order.order_type, order.limit) == (Side.SELL, OrderType.LIMIT, Decimal("0.60"))
        assert traded(broker, order) == rows((P95, Side.SELL, 1, "0.60"))
        assert (held(broker), broker.account().cash) == ({P95: -1}, CASH + 60)
        accepted(broker.submit(closing(PUT)))
        assert traded(broker, done(broker, "x1")) == rows((P95, Side.BUY, 1, "0.70"))
        assert (held(broker), broker.account().cash) == ({}, CASH - 10)

    def test_a_put_alone_that_rests_is_open_under_its_contract_and_can_be_taken_back(self, broker: Broker) -> None:
        order = accepted(broker.submit(entry(Side.SELL, PUT, "0.65"))).order
        assert order is not None
        assert (order.symbol, order.side, order.limit) == (P95, Side.SELL, Decimal("0.65"))
        assert broker.open_orders() == (order,)
        assert broker.order("e1") == order
        accepted(broker.cancel(order.venue_id))
        assert (broker.open_orders(), broker.fills("").fills) == ((), ())

    def test_a_put_alone_is_backed_by_the_cash_it_may_cost(self, broker: Broker) -> None:
        before = everything(broker)
        assert "buying power" in rejected(broker.submit(entry(Side.SELL, PUT, "0.60", quantity="2")))
        assert everything(broker) == before
        accepted(broker.submit(entry(Side.SELL, PUT, "0.60", "e2")))
        assert broker.account().buying_power == CASH + 60 - 9_500

    def test_one_contract_cannot_be_sold_at_a_price_that_is_paid(self, broker: Broker) -> None:
        before = everything(broker)
        for side, legs in ((Side.BUY, PUT), (Side.SELL, parts(Side.BUY, C105))):
            assert rejected(broker.submit(entry(side, legs, "0.60")))
        assert everything(broker) == before

    def test_one_contract_that_is_not_held_cannot_be_closed(self, broker: Broker) -> None:
        before = everything(broker)
        assert rejected(broker.submit(closing(PUT)))
        assert rejected(broker.submit(closing(CONDOR)))
        assert everything(broker) == before

    def test_every_leg_of_four_is_a_fill_of_the_order(self, option_scene: StructureScene, broker: Broker) -> None:
        accepted(broker.submit(entry(Side.SELL, CONDOR, "0.60")))
        order = done(broker, "e1")
        assert (order.symbol, order.side, order.average_price) == (SYMBOL, Side.SELL, Decimal("0.60"))
        opened = rows(
            (P90, Side.BUY, 1, "0.30"),
            (P95, Side.SELL, 1, "0.60"),
            (C105, Side.SELL, 1, "0.50"),
            (C110, Side.BUY, 1, "0.20"),
        )
        assert traded(broker, order) == opened
        assert traded(option_scene.again(), order) == opened
        assert held(broker) == {P90: 1, P95: -1, C105: -1, C110: 1}
        assert broker.account().cash == CASH + 60 == explained(broker)

    def test_four_legs_are_closed_at_the_market_in_one_order(
        self, option_scene: StructureScene, broker: Broker
    ) -> None:
        accepted(broker.submit(entry(Side.SELL, CONDOR, "0.60")))
        cursor = broker.fills("").cursor
        accepted(broker.submit(closing(CONDOR)))
        order = done(broker, "x1")
        assert (order.symbol, order.order_type, order.average_price) == (SYMBOL, OrderType.MARKET, Decimal("1.00"))
        assert traded(broker, order) == rows(
            (P90, Side.SELL, 1, "0.20"),
            (P95, Side.BUY, 1, "0.70"),
            (C105, Side.BUY, 1, "0.60"),
            (C110, Side.SELL, 1, "0.10"),
        )
        for each in (broker, option_scene.again()):
            assert {fill.client_id for fill in each.fills(cursor).fills} == {"x1"}
        assert (held(broker), broker.account().cash) == ({}, CASH - 40)
        assert explained(broker) == CASH - 40

    def test_some_legs_are_closed_and_the_others_stay(self, broker: Broker) -> None:
        accepted(broker.submit(entry(Side.SELL, CONDOR, "0.60")))
        shorts = [leg for leg in CONDOR if leg.side is Side.SELL]
        accepted(broker.submit(closing(shorts)))
        assert traded(broker, done(broker, "x1")) == rows((P95, Side.BUY, 1, "0.70"), (C105, Side.BUY, 1, "0.60"))
        assert held(broker) == {P90: 1, C110: 1}

    def test_what_is_bought_is_paid_at_the_net_price_and_closed_at_another(self, broker: Broker) -> None:
        accepted(broker.submit(entry(Side.BUY, STRADDLE, "1.40")))
        order = done(broker, "e1")
        assert (order.side, order.average_price) == (Side.BUY, Decimal("1.30"))
        assert (held(broker), broker.account().cash) == ({C105: 1, P95: 1}, CASH - 130)
        accepted(broker.submit(closing(STRADDLE, limit="1.10")))
        back = done(broker, "x1")
        assert (back.side, back.average_price) == (Side.SELL, Decimal("1.10"))
        assert (held(broker), broker.account().cash) == ({}, CASH - 20)

    def test_legs_fill_in_their_ratio(self, broker: Broker) -> None:
        legs = (
            Leg(symbol=C105, side=Side.SELL, ratio=1, opens=True),
            Leg(symbol=C110, side=Side.BUY, ratio=2, opens=True),
        )
        accepted(broker.submit(entry(Side.SELL, legs, "0.10", quantity="2")))
        order = done(broker, "e1")
        assert order.quantity == 2
        assert traded(broker, order) == rows((C105, Side.SELL, 2, "0.50"), (C110, Side.BUY, 4, "0.20"))
        assert held(broker) == {C105: -2, C110: 4}

    def test_units_fill_in_parts_and_each_leg_with_them(self, option_scene: StructureScene, broker: Broker) -> None:
        option_scene.serve("1")
        accepted(broker.submit(entry(Side.SELL, CONDOR, "0.60", quantity="2")))
        order = broker.order("e1")
        assert order is not None
        assert (order.status, order.filled) == (OrderStatus.PARTIALLY_FILLED, Decimal(1))
        assert broker.open_orders() == (order,)
        assert {abs(quantity) for quantity in held(broker).values()} == {1}
        option_scene.serve(None)
        option_scene.quotes_again()
        order = done(broker, "e1")
        for each in (broker, option_scene.again()):
            fills = [fill for fill in each.fills("").fills if fill.client_id == "e1"]
            assert len(fills) == 8
            assert {fill.venue_id for fill in fills} == {order.venue_id}
        assert {abs(quantity) for quantity in held(broker).values()} == {2}

    def test_four_legs_that_rest_are_one_order_and_can_be_taken_back(
        self, option_scene: StructureScene, broker: Broker
    ) -> None:
        order = accepted(broker.submit(entry(Side.SELL, CONDOR, "0.75"))).order
        assert order is not None
        assert (order.symbol, order.side, order.limit) == (SYMBOL, Side.SELL, Decimal("0.75"))
        assert broker.open_orders() == option_scene.again().open_orders() == (order,)
        accepted(broker.cancel(order.venue_id))
        gone = broker.order("e1")
        assert gone is not None
        assert gone.status is OrderStatus.CANCELED
        assert (broker.open_orders(), broker.fills("").fills) == ((), ())

    def test_a_client_id_of_a_structure_is_taken_once(self, broker: Broker) -> None:
        for legs in (PUT, CONDOR):
            client_id = f"e{len(legs)}"
            accepted(broker.submit(entry(Side.SELL, legs, "0.75", client_id)))
            before = everything(broker)
            assert rejected(broker.submit(entry(Side.SELL, legs, "0.75", client_id)))
            assert everything(broker) == before

    def test_an_order_for_a_structure_ends_with_its_day(self, option_scene: StructureScene, broker: Broker) -> None:
        accepted(broker.submit(entry(Side.SELL, PUT, "0.75", "e1")))
        accepted(broker.submit(entry(Side.BUY, parts(Side.BUY, C105, C110), "0.10", "e2")))
        option_scene.end_the_day()
        assert broker.open_orders() == ()
        for client_id in ("e1", "e2"):
            order = broker.order(client_id)
            assert order is not None
            assert order.status is OrderStatus.EXPIRED

    def test_a_contract_that_lapses_is_told_of_as_an_option_activity(
        self, option_scene: StructureScene, broker: Broker
    ) -> None:
        accepted(broker.submit(entry(Side.SELL, parts(Side.SELL, LAPSING), "0.05")))
        option_scene.end_the_day()
        (lapsed,) = broker.activities("").activities
        assert (lapsed.kind, lapsed.symbol) == (ActivityKind.OPTION, LAPSING)
        assert (lapsed.quantity, lapsed.amount) == (Decimal(1), Decimal(0))
        assert (held(broker), broker.account().cash) == ({}, CASH + 5)

    def test_an_assignment_is_told_of_with_what_left_and_what_came(
        self, option_scene: StructureScene, broker: Broker
    ) -> None:
        legs = (
            Leg(symbol=IN_MONEY, side=Side.SELL, ratio=1, opens=True),
            Leg(symbol=LAPSING, side=Side.BUY, ratio=1, opens=True),
        )
        accepted(broker.submit(entry(Side.SELL, legs, "4.90")))
        option_scene.end_the_day()
        moved: dict[str, int] = {}
        for each in broker.activities("").activities:
            assert each.kind is ActivityKind.OPTION
            moved[each.symbol] = moved.get(each.symbol, 0) + int(each.quantity)
        assert moved == {IN_MONEY: 1, LAPSING: -1, **held(broker)}
        assert broker.account().cash == explained(broker)

    def test_a_structure_takes_no_time_in_force_but_the_day(self, broker: Broker) -> None:
        before = everything(broker)
        for legs in (PUT, CONDOR):
            order = entry(Side.SELL, legs, "0.60")
            assert rejected(
                broker.submit(
                    buy(order.client_id, "1", "0.60", side=Side.SELL, legs=legs, time_in_force=TimeInForce.OPG)
                )
            )
        assert everything(broker) == before
