"""Exits sell what is held and never more, and protection is never rounded away from the entry."""

from __future__ import annotations

from decimal import Decimal

from hydra.engine.drafts import Drafts
from hydra.engine.manage import exit_order
from hydra.model.orders import OrderStatus, Purpose
from hydra.model.portfolio import Position
from tests.fakes.outside import BOT, Stage, entry, scripted
from tests.risk.scenes import holding, order, with_ledger, with_sight

D = Decimal


def at_venue(*quantities: int):
    held = holding()
    positions = tuple(Position(symbol="SPY", quantity=D(quantity), average_price=D(100)) for quantity in quantities)
    return held, with_sight(with_ledger(holdings={held.key: held}), positions=positions)


def test_an_exit_is_clipped_to_what_the_venue_says_is_held() -> None:
    for quantities, sold in (((10,), [D(10)]), ((4,), [D(4)]), ((25,), [D(10)]), ((), [])):
        held, snapshot = at_venue(*quantities)
        sends = exit_order(held, snapshot, Drafts(snapshot), "because")
        assert [send.order.quantity for send in sends] == sold


def test_an_exit_takes_back_what_is_left_of_its_entry_first() -> None:
    held, snapshot = at_venue(10)
    rest = order("rest", status=OrderStatus.PARTIALLY_FILLED, venue_id="v1", quantity=D(20), filled=D(10))
    snapshot = with_ledger(snapshot, orders={"rest": rest})
    (send,) = exit_order(held, snapshot, Drafts(snapshot), "because")
    assert [cancel.client_id for cancel in send.release] == ["rest"]
    assert send.order.purpose is Purpose.EXIT


def test_a_stop_between_two_increments_is_rounded_towards_the_entry() -> None:
    stage = Stage({BOT: scripted({2: [entry(stop="98.004", target="104.004")]})})
    stage.step(3)
    (sent,) = stage.sent()
    assert sent.protection is not None
    assert (sent.protection.stop, sent.protection.target) == (D("98.01"), D("104.00"))
    assert stage.agrees()
