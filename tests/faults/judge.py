"""What must hold in every cell, with numbers. ``problems`` is empty when all of it does.

Nothing here asks the engine's own gates whether they are content: it is counted at the venue's door, in its books, in the journal
and in the ledger, and compared. What is documented to happen (a halt, a residual) is worked out again from what was recorded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from hydra.adapters.exchange.fault_table import FaultKind, Operation
from hydra.adapters.exchange.terms import Role
from hydra.model.events import CycleClosed, Decided, Halted, OrderRejected, OrderSent, OrderUnknown, Resumed
from hydra.model.orders import Purpose
from hydra.model.portfolio import Halt
from hydra.model.snapshot import Failure, Observed, Plan, Verdict
from tests.faults.adapter import READ_SECONDS
from tests.faults.day import DEADLINE_SECONDS, SCRIPTS, minute_of
from tests.faults.rig import Evidence

REST_SECONDS = 6.0
"""What a cycle may take beside its reads and its orders, on a machine that is busy: a bound, no measure."""
FAILED_READS, WINDOW, RESIDUAL_CYCLES, UNPROTECTED_SECONDS = 5, timedelta(seconds=600), 3, 90


def problems(evidence: Evidence) -> list[str]:
    """Every promise that was broken, in words."""
    return [f"{claim.__name__.strip('_').replace('_', ' ')}: {why}" for claim in CLAIMS for why in claim(evidence)]


def the_fault_strikes(evidence: Evidence) -> Iterator[str]:
    if evidence.cell is not None and not evidence.acted:
        yield "nobody met it"


def nothing_else_fails(evidence: Evidence) -> Iterator[str]:
    """A read that fails while no fault is due makes the cell's outcome worthless: the machine was too slow, or worse."""
    for minute, failure in unplanned(evidence):
        yield f"minute {minute}: {failure.what}: {failure.kind}: {failure.reason}"


def one_post_for_every_order_sent(evidence: Evidence) -> Iterator[str]:
    sent, posted = _sent(evidence), Counter(name for _, name in evidence.arrivals.posted)
    for name, count in Counter(sent).items():
        if count != 1:
            yield f"{name} was sent {count} times in the journal"
        if posted[name] != 1 and name not in _never_left(evidence):
            yield f"{name} was posted {posted[name]} times"
    yield from (f"{name} was posted and never sent" for name in posted if name not in sent)


def written_before_it_left(evidence: Evidence) -> Iterator[str]:
    yield from (f"{name} stood in no journal when it arrived" for name in evidence.arrivals.unwritten)


def one_order_at_the_exchange_for_an_id(evidence: Evidence) -> Iterator[str]:
    ours = [each for each in evidence.tickets if each.role not in (Role.TAKE_PROFIT, Role.STOP_LOSS, Role.LEG)]
    for name, count in Counter(each.client_id for each in ours).items():
        if count != 1:
            yield f"{count} orders are called {name}"
        if name not in _sent(evidence):
            yield f"{name} is at the exchange and not in the journal"


def never_more_held_than_wished_and_never_short(evidence: Evidence) -> Iterator[str]:
    """What is owed is half of a spread, and never without the other half."""
    script = SCRIPTS[evidence.scene]
    for held, owed in zip(evidence.held, evidence.owed, strict=True):
        if held > script.quantity:
            yield f"{held} held, wished for {script.quantity}"
        if owed and (script.structure is None or owed != held / 2):
            yield f"{owed} owed of {held}"


def nothing_is_entered_behind_a_shut_gate(evidence: Evidence) -> Iterator[str]:
    plan: Plan | None = None
    for event in evidence.events:
        if isinstance(event.data, Decided):
            plan = event.data.plan
        elif isinstance(event.data, OrderSent) and event.data.order.purpose is Purpose.ENTRY:
            shut = [each.gate for each in plan.answers] if plan is not None else ["no plan"]
            if shut:
                yield f"{event.data.order.client_id} was entered though {', '.join(shut)} refused"


def an_unknown_order_is_found_or_never_arrived(evidence: Evidence) -> Iterator[str]:
    yield from (f"{name} is unresolved at the end" for name in evidence.unresolved)
    there = {each.client_id for each in evidence.tickets}
    last = {}
    for event in evidence.events:
        if isinstance(event.data, OrderUnknown):
            last[event.data.client_id] = ""
        if isinstance(event.data, Observed):
            last |= {each.client_id: "found" for each in event.data.orders if each.client_id in last}
            last |= dict.fromkeys((each for each in event.data.not_received if each in last), "not received")
    for name, became in last.items():
        if became == "not received" and name in there:
            yield f"{name} is taken for lost, and the exchange has it"
        if became == "found" and name not in there:
            yield f"{name} is taken for found, and the exchange never had it"


def a_rejected_order_is_not_at_the_exchange(evidence: Evidence) -> Iterator[str]:
    there = {each.client_id for each in evidence.tickets if each.failed_at is None}
    for event in evidence.events:
        if isinstance(event.data, OrderRejected) and event.data.client_id in there:
            yield f"{event.data.client_id} is rejected here and taken there"


def halts_are_as_documented(evidence: Evidence) -> Iterator[str]:
    """Each from its cause, and each cause has its halt."""
    yield from _missed_halts(evidence)
    for halt, failed, disagreed in _halts(evidence):
        if halt.kind == "failure_window" and failed < FAILED_READS:
            yield f"failure_window after {failed} failed reads"
        elif halt.kind == "residual" and disagreed < RESIDUAL_CYCLES:
            yield f"residual after {disagreed} cycles"
        elif halt.kind not in ("failure_window", "residual", "unprotected"):
            yield f"{halt.kind}: {halt.reason}"


def ledger_and_exchange_agree(evidence: Evidence) -> Iterator[str]:
    if _named(evidence):
        if not evidence.residuals or "residual" not in {halt.kind for halt, _, _ in _halts(evidence)}:
            yield "an execution was never told, and no residual names it and halts"
        return
    yield from evidence.residuals
    if evidence.in_ledger != evidence.at_venue:
        yield f"the ledger holds {evidence.in_ledger}, the exchange {evidence.at_venue}"
    if evidence.open_here != evidence.open_there:
        yield f"open here {sorted(evidence.open_here)}, there {sorted(evidence.open_there)}"
    if evidence.ledger_cash is None or abs(evidence.ledger_cash - evidence.venue_cash) > Decimal("0.01"):
        yield f"cash {evidence.ledger_cash} here, {evidence.venue_cash} there"


def the_day_ends_flat_or_leaving(evidence: Evidence) -> Iterator[str]:
    """A stop has filled, or a sale is at the exchange that does not fill it."""
    if evidence.at_venue and not evidence.leaving and not _named(evidence):
        yield f"{evidence.at_venue} are held at the end, though the price has fallen through the stop"


def a_cycle_ends_in_time(evidence: Evidence) -> Iterator[str]:
    """The reads have one deadline together; a lookup, a cancellation and an order one each."""
    for seconds, asked in evidence.cycles:
        most = DEADLINE_SECONDS + asked * READ_SECONDS * 2 + REST_SECONDS
        if seconds > most:
            yield f"a cycle took {seconds:.1f} s, at most {most:.1f}"


def the_journal_decides_the_same_again(evidence: Evidence) -> Iterator[str]:
    if evidence.difference:
        yield evidence.difference


def no_process_breaks_down(evidence: Evidence) -> Iterator[str]:
    yield from evidence.crashes


def no_secret_is_written(evidence: Evidence) -> Iterator[str]:
    if evidence.leaks:
        yield f"the secret stands {evidence.leaks} times in the journal"


CLAIMS: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    the_fault_strikes,
    nothing_else_fails,
    one_post_for_every_order_sent,
    written_before_it_left,
    one_order_at_the_exchange_for_an_id,
    never_more_held_than_wished_and_never_short,
    nothing_is_entered_behind_a_shut_gate,
    an_unknown_order_is_found_or_never_arrived,
    a_rejected_order_is_not_at_the_exchange,
    halts_are_as_documented,
    ledger_and_exchange_agree,
    the_day_ends_flat_or_leaving,
    a_cycle_ends_in_time,
    the_journal_decides_the_same_again,
    no_process_breaks_down,
    no_secret_is_written,
)


def unplanned(evidence: Evidence) -> list[tuple[int, Failure]]:
    """(minute, failure) of every read that failed outside of the fault's window."""
    cell = evidence.cell
    begins, ends = (0, 0) if cell is None else cell.window
    looks = [event.data for event in evidence.events if isinstance(event.data, Observed)]
    outside = [(minute_of(look.at), each) for look in looks for each in look.missing]
    return [(minute, failure) for minute, failure in outside if not begins <= minute < ends]


def _named(evidence: Evidence) -> bool:
    """Whether an execution is missing for good, so that the two can only differ and say so."""
    cell = evidence.cell
    return cell is not None and cell.fault is FaultKind.LOST_FILL and cell.operation == Operation.FILLS


def _missed_halts(evidence: Evidence) -> Iterator[str]:
    """Causes that stood in a cycle which ended without their halt."""
    failed: list[datetime] = []
    latched: set[str] = set()
    due: dict[str, str] = {}
    disagreed = 0
    for event in evidence.events:
        data = event.data
        if isinstance(data, Observed):
            failed += [data.at] * sum(each.asked for each in data.missing)
            count = sum(1 for each in failed if data.at - WINDOW < each <= data.at)
            due = {"failure_window": f"{count} failed reads"} if count >= FAILED_READS else {}
            due |= {"residual": f"{disagreed} cycles"} if disagreed >= RESIDUAL_CYCLES else {}
        elif isinstance(data, Decided):
            refused = any(each.gate == "ledger_agrees" for each in data.plan.answers)
            disagreed = disagreed + 1 if refused and not data.plan.resumes else 0
        elif isinstance(data, Halted):
            latched.add(data.halt.kind)
        elif isinstance(data, Resumed):
            latched, failed, due, disagreed = set(), [], {}, 0
        elif isinstance(data, CycleClosed):
            yield from (f"{why}, and no halt {kind}" for kind, why in due.items() if kind not in latched)
            due = {}


def _sent(evidence: Evidence) -> list[str]:
    return [event.data.order.client_id for event in evidence.events if isinstance(event.data, OrderSent)]


def _never_left(evidence: Evidence) -> set[str]:
    """Orders that were refused on this side: nothing of them was ever on the road."""
    refused = (event.data for event in evidence.events if isinstance(event.data, OrderRejected))
    return {each.client_id for each in refused if "request budget" in each.reason}


def _halts(evidence: Evidence) -> Iterator[tuple[Halt, int, int]]:
    """Every halt that latched, with the failed reads of its window and the cycles of disagreement before it.

    What latches in a cycle stands before its plan.
    """
    failed: list = []
    disagreed = 0
    at = None
    for event in evidence.events:
        data = event.data
        if isinstance(data, Observed):
            at = data.at
            failed += [at] * sum(each.asked for each in data.missing)
        elif isinstance(data, Decided):
            refused = any(
                each.gate == "ledger_agrees" and each.verdict is not Verdict.PASS for each in data.plan.answers
            )
            disagreed = disagreed + 1 if refused and not data.plan.resumes else 0
        elif isinstance(data, Resumed):
            failed, disagreed = [], 0
        elif isinstance(data, Halted) and at is not None:
            yield data.halt, sum(1 for each in failed if at - WINDOW < each <= at), disagreed
