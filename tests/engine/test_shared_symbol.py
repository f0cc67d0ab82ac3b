"""Two bots on one symbol never close more together than the venue holds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hydra.engine.drafts import Drafts
from hydra.engine.protection import left_of
from hydra.model.events import OrderSent
from hydra.model.orders import OrderType, Purpose, Side
from hydra.model.portfolio import Ledger, Position
from hydra.model.snapshot import Sight, Snapshot
from hydra.ports import FillPage
from tests.fakes.outside import OPEN, Fault, Stage, entry, leave, policy, scripted
from tests.risk.scenes import holding, order


def drafts(held: int) -> Drafts:
    position = Position(symbol="SPY", quantity=Decimal(held), average_price=Decimal(100))
    sight = Sight(at=OPEN, positions=(position,) if held else ())
    return Drafts(Snapshot(run="r", cycle=1, at=OPEN, ledger=Ledger(), sight=sight))


def test_the_second_exit_gets_what_the_first_left() -> None:
    cycle = drafts(held=15)
    assert cycle.closable("SPY", Decimal(10)) == 10
    assert cycle.closable("SPY", Decimal(10)) == 5
    assert cycle.closable("SPY", Decimal(10)) == 0


def test_what_the_venue_does_not_hold_cannot_be_closed() -> None:
    assert drafts(held=0).closable("SPY", Decimal(10)) == 0
    assert drafts(held=15).closable("AAPL", Decimal(10)) == 0


def test_what_a_bots_own_stop_has_closed_unseen_is_not_closed_again_out_of_anothers_holding() -> None:
    """The venue says that the stop has filled, and the news of the fill is lost: what the venue still holds is the other bot's."""
    prices = [(100, 100, 100, 100)] * 4 + [(100, 100, 97, 97)] + [(97, 97, 97, 97)] * 8
    near = scripted({1: [entry("near", stop=98, target=None)], 8: [leave("near")]})
    far = scripted({1: [entry("far", stop=80, target=None, quantity=10)]})
    rules = policy(bots=({"id": "near"}, {"id": "far"}))
    stage = Stage({"near": near, "far": far}, prices=prices, rules=rules)
    stage.step(3)
    assert {held.bot: held.quantity for held in stage.engine.ledger.holdings.values()} == {"near": 10, "far": 10}
    lost = FillPage(fills=(), cursor=stage.engine.ledger.fill_cursor)
    stage.broker.always["fills"] = Fault(answer=lost)
    stage.step(8)
    assert stage.venue.positions()[0].quantity == 10
    sent = [event.data.order for event in stage.events() if isinstance(event.data, OrderSent)]
    assert [order.purpose for order in sent if order.bot == "near"] == [Purpose.ENTRY]
    why = [skip.reason for report in stage.reports for skip in report.plan.skips if skip.code == "exit_waits"]
    assert "10 of 10 were closed at the venue by its orders; the fills are not seen yet" in why


@pytest.mark.parametrize(
    ("at_the_venue", "others", "left"),
    [
        (10, 0, 10),  # as much as is booked: nothing is missing, whatever the stop says
        (0, 0, 0),
        (7, 0, 0),  # what is there is not what the stop has closed
        (17, 7, 10),
        (7, 7, 0),
    ],
)
def test_an_unseen_exit_counts_only_while_the_venue_holds_less_than_is_booked(
    at_the_venue: int, others: int, left: int
) -> None:
    mine = holding(bot="near")
    theirs = [holding(quantity=others, bot="far")] if others else []
    stop = order(
        bot="near",
        purpose=Purpose.STOP,
        side=Side.SELL,
        stop=Decimal(95),
        order_type=OrderType.STOP,
        venue_filled=Decimal(10),
    )
    ledger = Ledger(holdings={one.key: one for one in (mine, *theirs)}, orders={stop.client_id: stop})
    position = Position(symbol="SPY", quantity=Decimal(at_the_venue or 1), average_price=Decimal(100))
    positions = (position,) if at_the_venue else ()
    snapshot = Snapshot(run="r", cycle=1, at=OPEN, ledger=ledger, sight=Sight(at=OPEN, positions=positions))
    assert left_of(mine, snapshot) == left
