"""What went wrong for others, through the adapter: two bots on one symbol, an equity that is no number."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

from hydra.adapters.exchange.fault_table import FaultKind, Operation
from hydra.model.events import CancelHeard, Decided, Halted, OrderSent, OrderWithheld
from hydra.model.orders import OrderStatus, OrderType, Purpose, Side
from hydra.model.snapshot import Failure, Observed
from tests.faults.cells import ENTERS, FALLS, LEAVES, Cell, Scene, When
from tests.faults.day import SCRIPTS, minute_of, rules_of
from tests.faults.judge import problems
from tests.faults.rig import Evidence, Rig

SHARES = SCRIPTS[Scene.SHARES]


def test_two_bots_on_one_symbol_have_orders_stops_and_holdings_of_their_own() -> None:
    bots = ("left", "right")
    rig = Rig(Scene.SHARES, None, rules_of(SHARES, bots))
    try:
        while rig.minute < LEAVES:
            rig.live()
            rig.step()
        assert rig.engine is not None
        holdings = rig.engine.ledger.holdings
        assert {(h.bot, h.quantity) for h in holdings.values()} == {(bot, SHARES.quantity) for bot in bots}
        assert len({h.entry for h in holdings.values()}) == 2
        working = rig.engine.ledger.orders.values()
        stops = {(o.bot, o.parent, o.remaining) for o in working if o.purpose is Purpose.STOP}
        assert stops == {(h.bot, h.entry, SHARES.quantity) for h in holdings.values()}
    except BaseException:
        rig.close()
        raise
    evidence = rig.play()
    assert (evidence.residuals, evidence.unresolved, evidence.halts, evidence.difference) == ((), (), (), "")
    assert evidence.arrivals.unwritten == []
    exits = [
        e.data.order for e in evidence.events if isinstance(e.data, OrderSent) and e.data.order.purpose is Purpose.EXIT
    ]
    assert sorted(order.bot for order in exits) == sorted(bots)
    sold = [each.quantity for each in evidence.executions if each.side is Side.SELL]
    assert sum(sold) == 4 * SHARES.quantity, "both left, both came again, both were stopped out"
    assert evidence.at_venue == 0


def _missing(evidence: Evidence) -> list[Failure]:
    """What could not be seen."""
    looks = [event.data for event in evidence.events if isinstance(event.data, Observed)]
    return [each for look in looks for each in look.missing]


def test_an_equity_that_is_no_number_bars_one_cycle_and_disables_no_breaker() -> None:
    cell = Cell(scene=Scene.SHARES, fault=FaultKind.NAN, operation=Operation.ACCOUNT, when=When.ENTRY)
    falling = replace(SHARES, falls_to=Decimal(50), gap=True)
    rules = rules_of(SHARES, daily_loss=Decimal("0.004"))
    evidence = Rig(Scene.SHARES, cell, rules, falling).play()
    if len(_missing(evidence)) > 1:
        evidence = Rig(Scene.SHARES, cell, rules, falling).play()  # a read of a busy machine may take too long as well
    (failure,) = _missing(evidence)
    assert failure.what == "account"
    assert "NaN" in failure.reason
    shut: dict[int, set[str]] = {}
    at = None
    for event in evidence.events:
        if isinstance(event.data, Observed):
            at = minute_of(event.data.at)
        elif isinstance(event.data, Decided) and at is not None:
            shut[at] = {answer.gate for answer in event.data.plan.answers}
    assert "account_valid" in shut[ENTERS]
    assert shut[ENTERS + 1] == set()
    halted = [event.data.halt for event in evidence.events if isinstance(event.data, Halted)]
    assert [halt.kind for halt in halted] == ["daily_loss"]
    assert minute_of(halted[0].at) > FALLS


def test_a_cancellation_that_was_only_asked_for_keeps_the_sale_waiting_and_doubles_nothing() -> None:
    evidence = Rig(Scene.LATE, None).play()
    assert problems(evidence) == []
    withheld = [event.data for event in evidence.events if isinstance(event.data, OrderWithheld)]
    heard = [event.data.order for event in evidence.events if isinstance(event.data, CancelHeard)]
    assert withheld
    assert heard[0] is not None
    assert heard[0].status is OrderStatus.PENDING_CANCEL
    sold = [minute_of(each.at) for each in evidence.executions if each.side is Side.SELL]
    assert sold[0] == LEAVES + 1


def test_an_order_that_arrives_after_the_venue_had_denied_it_is_named_and_halts_and_was_never_bare() -> None:
    """Venue time is let pass while the request is on the road, so the grace is over before it arrives."""
    numbers = {"ms": "1500"}
    cell = Cell(scene=Scene.SHARES, fault=FaultKind.SLOW, operation=Operation.SUBMIT, when=When.ENTRY, numbers=numbers)
    rig = Rig(Scene.SHARES, cell)
    rig.hurries = True
    while rig.minute <= ENTERS:
        rig.live()
        rig.step()
    rig.live()
    rig.hurries = False
    rig.step()
    assert rig.engine is not None
    assert len(rig.server.arrivals.posted) == 2, "denied, so what is still wished is another order"
    evidence = rig.play()
    broken = {each.partition(":")[0] for each in problems(evidence)}
    assert broken == {
        "never more held than wished and never short",
        "an unknown order is found or never arrived",
    }
    answers = [a for e in evidence.events if isinstance(e.data, Decided) for a in e.data.plan.answers]
    named = [a.reason for a in answers if a.gate == "ledger_agrees"]
    assert any("ledger holds" in reason for reason in named)
    assert "residual" in {e.data.halt.kind for e in evidence.events if isinstance(e.data, Halted)}
    first = evidence.arrivals.posted[0][1]
    (stop,) = [each for each in evidence.tickets if each.parent == first and each.order_type is OrderType.STOP]
    assert stop.filled == SHARES.quantity


def test_nothing_of_alpaca_is_loaded_without_its_name() -> None:
    look = "import sys; from hydra.cli import main; sys.exit(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", look], check=False, capture_output=True, text=True, timeout=60)
    loaded = {name.partition(".")[0] for name in done.stderr.split()} | set(done.stderr.split())
    assert "hydra.cli.main" in loaded
    assert loaded & {"alpaca", "requests", "pandas", "websockets", "hydra.adapters.alpaca"} == set()
