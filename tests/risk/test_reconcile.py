"""Ledger and venue agree on structures at every step of their lives: entered, in parts, closed, lapsed and assigned."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hydra.engine.fold import fold
from hydra.model.events import KIND_OF, VERSION, Event, OrderSent
from hydra.model.orders import Leg, Order, Side
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Observed, Sight
from hydra.model.structures import structures_of
from hydra.model.values import Value
from hydra.risk.reconcile import residuals
from tests.contracts.broker_contract import SYMBOL, accepted
from tests.contracts.structure_contract import (
    C105,
    C110,
    CONDOR,
    IN_MONEY,
    LAPSING,
    P90,
    P95,
    PUT,
    closing,
    entry,
)
from tests.contracts.structure_stage import StructureStage

TOLERANCE = Decimal("0.01")


class Followed:
    """A broker, and the ledger that follows it look by look."""

    def __init__(self) -> None:
        self.stage = StructureStage()
        self.broker = self.stage.broker
        self.ledger = Ledger(run="r", cash=self.broker.account().cash)
        self.cycle = 0

    def send(self, order: Order) -> None:
        """Written down first, then sent."""
        self._fold(OrderSent(order=order))
        accepted(self.broker.submit(order))

    def look(self) -> tuple[str, ...]:
        """Take in what the broker says; what ledger and venue then differ in."""
        self.cycle += 1
        fills, activities = (
            self.broker.fills(self.ledger.fill_cursor),
            self.broker.activities(self.ledger.activity_cursor),
        )
        known = (self.broker.order(client_id) for client_id in self.ledger.orders)
        at, account = self.broker.now(), self.broker.account()
        self._fold(
            Observed(
                cycle=self.cycle,
                at=at,
                account=account,
                orders=tuple(order for order in known if order is not None),
                fills=fills.fills,
                fill_cursor=fills.cursor,
                activities=activities.activities,
                activity_cursor=activities.cursor,
            )
        )
        sight = Sight(at=at, account=account, positions=self.broker.positions(), open_orders=self.broker.open_orders())
        return residuals(self.ledger, sight, TOLERANCE)

    def held(self) -> dict[str, int]:
        """Contracts by symbol, as the ledger has them."""
        return {held.symbol: int(held.quantity) for held in self.ledger.holdings.values()}

    def _fold(self, payload: Value) -> None:
        event = Event(
            v=VERSION, seq=1, ts=self.broker.now(), run="r", kind=KIND_OF[type(payload)], data=payload, prev="", hash=""
        )
        self.ledger = fold(self.ledger, event)


def opened(legs: Sequence[Leg], limit: str, quantity: str = "1") -> Followed:
    """A structure that was entered and seen."""
    followed = Followed()
    followed.send(entry(Side.SELL, legs, limit, quantity=quantity))
    assert followed.look() == ()
    return followed


def test_four_legs_are_four_holdings_of_one_structure_until_they_are_closed() -> None:
    followed = opened(CONDOR, "0.60")
    assert followed.held() == {P90: 1, P95: -1, C105: -1, C110: 1}
    (structure,) = structures_of(followed.ledger)
    assert (structure.entry, structure.underlying, structure.paid, structure.most_lost) == (
        "e1",
        SYMBOL,
        Decimal(-60),
        Decimal(440),
    )
    followed.send(closing(CONDOR))
    assert followed.look() == ()
    assert followed.ledger.holdings == {}
    assert sum(trade.profit for trade in followed.ledger.trades) == -40


def test_units_that_fill_in_parts_agree_at_every_look() -> None:
    followed = Followed()
    followed.stage.serve("1")
    followed.send(entry(Side.SELL, CONDOR, "0.60", quantity="2"))
    assert followed.look() == ()
    assert followed.held() == {P90: 1, P95: -1, C105: -1, C110: 1}
    followed.stage.serve(None)
    followed.stage.quotes_again()
    assert followed.look() == ()
    assert followed.held() == {P90: 2, P95: -2, C105: -2, C110: 2}
    assert len(structures_of(followed.ledger)) == 1


def test_a_put_alone_is_a_structure_of_one_leg() -> None:
    followed = opened(PUT, "0.60")
    (structure,) = structures_of(followed.ledger)
    assert (structure.paid, structure.most_lost, followed.held()) == (Decimal(-60), Decimal(9_440), {P95: -1})
    followed.send(closing(PUT))
    assert followed.look() == ()
    assert followed.ledger.holdings == {}


def test_an_entry_that_rests_and_one_that_is_taken_back_agree() -> None:
    for legs in (PUT, CONDOR):
        followed = opened(legs, "0.75")
        assert followed.held() == {}
        (order,) = followed.broker.open_orders()
        followed.broker.cancel(order.venue_id)
        assert followed.look() == ()
        assert all(known.status.terminal for known in followed.ledger.orders.values())


def test_a_short_leg_that_lapses_is_closed_with_its_credit_won() -> None:
    followed = opened((Leg(symbol=LAPSING, side=Side.SELL, ratio=1, opens=True),), "0.05")
    followed.stage.end_the_day()
    assert followed.look() == ()
    assert followed.ledger.holdings == {}
    (trade,) = followed.ledger.trades
    assert (trade.symbol, trade.profit, trade.structure) == (LAPSING, Decimal(5), "e1")


def test_a_short_leg_that_is_assigned_leaves_shares_that_are_nobodys() -> None:
    legs = (
        Leg(symbol=IN_MONEY, side=Side.SELL, ratio=1, opens=True),
        Leg(symbol=LAPSING, side=Side.BUY, ratio=1, opens=True),
    )
    followed = opened(legs, "4.90")
    followed.stage.end_the_day()
    assert followed.look() == (f"{SYMBOL}: ledger holds 0, venue holds 100",)
    assert followed.ledger.holdings == {}
    assert {trade.structure for trade in followed.ledger.trades} == {"e1"}
