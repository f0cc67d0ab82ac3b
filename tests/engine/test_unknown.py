"""Orders of which nobody knows whether they arrived: looked up, never sent again, and nothing is entered meanwhile."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hydra.model.errors import Unreachable
from hydra.model.orders import OrderStatus, Purpose
from tests.fakes.outside import BOT, Fault, Stage, entry, leave, policy, scripted

EAGER = {minute: [entry()] for minute in range(2, 12)}
LOST = Fault(error=TimeoutError("no answer"))
LOST_AFTER = Fault(error=TimeoutError("no answer"), after=True)


def statuses(stage: Stage) -> list[OrderStatus]:
    return [order.status for order in stage.ledger.orders.values() if order.purpose is Purpose.ENTRY]


def test_an_accepted_order_whose_answer_was_lost_is_found_by_its_client_id() -> None:
    stage = Stage({BOT: scripted(EAGER)}, rules=policy(engine={"unknown_grace_seconds": Decimal(300)}))
    stage.broker.plan("submit", 0, LOST_AFTER)
    stage.step(2)
    assert statuses(stage) == [OrderStatus.UNKNOWN]
    stage.step()
    assert stage.in_ledger() == {"SPY": Decimal(10)}
    assert len(stage.submitted()) == 1
    stage.day()
    assert len(stage.submitted()) == 1
    assert stage.agrees()


def test_while_an_order_is_unknown_no_entry_leaves() -> None:
    rules = policy(bots=[{"id": BOT}, {"id": "other"}], engine={"unknown_grace_seconds": Decimal(180)})
    stage = Stage({BOT: scripted(EAGER), "other": scripted({4: [entry("other")]})}, rules=rules)
    stage.broker.plan("submit", 0, LOST)
    stage.step(4)
    assert statuses(stage) == [OrderStatus.UNKNOWN]
    assert "orders_resolved" in {answer.gate for answer in stage.reports[-1].plan.answers}
    assert len(stage.submitted()) == 1


def test_an_order_that_never_arrived_is_not_received_after_the_grace_and_entries_go_on() -> None:
    stage = Stage({BOT: scripted(EAGER)}, rules=policy(engine={"unknown_grace_seconds": Decimal(120)}))
    stage.broker.plan("submit", 0, LOST)
    stage.step(3)
    assert statuses(stage) == [OrderStatus.UNKNOWN]
    stage.step()
    assert OrderStatus.NOT_RECEIVED in statuses(stage)
    stage.step(2)
    assert len(set(stage.submitted())) == len(stage.submitted()) == 2
    assert stage.agrees()


def test_an_unknown_order_is_not_forgotten_while_the_venue_does_not_answer() -> None:
    stage = Stage({BOT: scripted(EAGER)}, rules=policy(engine={"unknown_grace_seconds": Decimal(0)}))
    stage.broker.plan("submit", 0, LOST_AFTER)
    stage.step(2)
    for read in ("order", "open_orders", "fills"):
        stage.broker.always[read] = Fault(error=ConnectionError("down"))
    stage.step()
    assert statuses(stage) == [OrderStatus.UNKNOWN]
    stage.broker.always.clear()
    stage.step(2)
    assert stage.agrees()
    assert len(stage.submitted()) == 1


def test_an_exit_whose_answer_was_lost_is_not_sent_again_and_its_holding_is_not_sold_twice() -> None:
    stage = Stage({BOT: scripted({2: [entry()], 5: [leave()], 6: [leave()], 7: [leave()]})})
    stage.broker.plan("submit", 1, LOST_AFTER)
    stage.day()
    assert len(stage.sent(Purpose.EXIT)) == 1
    assert stage.at_venue() == {}
    assert stage.agrees()


def test_an_exit_that_never_arrived_leaves_a_holding_that_is_protected_again() -> None:
    stage = Stage({BOT: scripted({2: [entry()], 5: [leave()]})}, rules=policy(risk={"unprotected_seconds": 600}))
    stage.broker.plan("submit", 1, LOST)
    stage.day()
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY, Purpose.EXIT, Purpose.STOP]
    assert [order.stop for order in stage.broker.inner.open_orders()] == [Decimal(98)]
    assert stage.agrees()


@pytest.mark.parametrize("after", [False, True])
def test_an_exit_is_not_sent_while_the_legs_are_not_known_to_be_gone(after: bool) -> None:
    stage = Stage({BOT: scripted({2: [entry()], 5: [leave()], 6: [leave()], 7: [leave()]})})
    stage.broker.plan("cancel", 0, Fault(error=TimeoutError("no answer"), after=after))
    stage.step(5)
    assert stage.sent(Purpose.EXIT) == []
    stage.day()
    assert stage.at_venue() == {}
    assert stage.agrees()


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_between_the_journal_and_the_venue_is_resolved_by_the_next_process(after: bool) -> None:
    class Killed(BaseException):
        """The process ends here."""

    stage = Stage({BOT: scripted(EAGER)})
    stage.broker.plan("submit", 0, Fault(error=Killed(), after=after))
    stage.step()
    with pytest.raises(Killed):
        stage.cycle()
    stage.crash()
    stage.step(3)
    assert len(set(stage.submitted())) == len(stage.submitted())
    assert stage.in_ledger() == {"SPY": Decimal(10)}
    assert len(stage.sent()) == (1 if after else 2)
    assert stage.agrees()


def test_a_stop_that_filled_while_nobody_looked_is_news_and_not_a_residual() -> None:
    stage = Stage(prices=[(100, 100, 100, 100)] * 4 + [(97, 97, 97, 97)] * 6)
    stage.step(4)
    assert stage.in_ledger() == {"SPY": Decimal(10)}
    stage.clock.inner.wait(60)
    stage.clock.inner.wait(60)
    stage.crash()
    assert stage.in_ledger() == {}
    assert stage.ledger.halts == ()
    stage.cycle()
    assert stage.reports[-1].plan.answers == ()
    assert stage.agrees()


def test_a_venue_that_does_not_answer_at_the_start_is_unreachable() -> None:
    stage = Stage()
    stage.broker.always["positions"] = Fault(error=ConnectionError("down"))
    with pytest.raises(Unreachable, match="positions: ConnectionError: down"):
        stage.restart()
    stage.broker.always["positions"] = Fault(answer=None)
    with pytest.raises(Unreachable, match="positions: nonsense"):
        stage.restart()


def test_power_is_lost_at_any_moment_and_nothing_is_ordered_twice() -> None:
    script = {2: [entry()], 5: [leave()], 7: [entry(stop=99, target=None)]}
    for moment in range(60):
        stage = Stage({BOT: scripted(script)})
        stage.step()
        stage.files.fail(moment, OSError(5, "power is going"), keep=None, for_good=True)
        try:
            stage.day()
        except OSError:
            stage.crash()
            stage.day()
        assert len(set(stage.submitted())) == len(stage.submitted())
        assert stage.agrees(), moment
        assert stage.at_venue().get("SPY", Decimal(0)) <= 10


def test_a_fill_that_the_venue_reports_late_everywhere_is_not_entered_again() -> None:
    stage = Stage({BOT: scripted(EAGER)})
    stage.step(2)
    before = Stage({BOT: scripted({})})
    before.step(2)
    for read in ("account", "positions", "open_orders", "fills"):
        answer = before.broker.inner.fills("") if read == "fills" else getattr(before.broker.inner, read)()
        stage.broker.always[read] = Fault(answer=answer)
    stage.step(2)
    assert len(stage.submitted()) == 1
    assert "orders_resolved" in {answer.gate for answer in stage.reports[-1].plan.answers}
    stage.broker.always.clear()
    stage.step(2)
    assert stage.agrees()


def test_a_fill_proves_that_the_venue_has_an_order_whose_answer_was_lost() -> None:
    stage = Stage({BOT: scripted({2: [entry()]})}, rules=policy(engine={"unknown_grace_seconds": Decimal(300)}))
    stage.broker.plan("submit", 0, LOST_AFTER)
    stage.broker.always["order"] = Fault(error=ConnectionError("down"))
    stage.step(2)
    assert statuses(stage) == [OrderStatus.UNKNOWN]
    stage.step()
    assert stage.in_ledger() == {"SPY": Decimal(10)}
    assert statuses(stage) == [OrderStatus.FILLED]
    stage.broker.always.clear()
    stage.day()
    assert len(stage.submitted()) == 1
    assert stage.agrees()
