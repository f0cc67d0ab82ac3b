"""``hydra doctor``: everything that can be asked, with what to do about each no; ``--fix`` mends what is safe.

The disk is asked first, then, under the lock, the running system. What cannot be opened hides nothing else: what the store, or the journal
behind it, still says of halts, orders and bots is said, and what could not be asked is named with the reason. Without a configuration
that can be read the disk is examined with the built-in one.

Beside ``qc`` it holds the store against the journal, to the last field, before anything is built on it. Under a running engine it says what
can be said without the lock, and mends nothing. ``--accept-foreign`` takes what is not Hydra's as it is at the venue: by a word in the
inbox of a running engine, else by an event of its own, before everything is examined.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from hydra.adapters.lock import owner
from hydra.bootstrap.mend import Mending, mend
from hydra.bootstrap.setup import Setup
from hydra.bootstrap.site import site_of
from hydra.bootstrap.writer import Writer
from hydra.cli.commands.acceptance import accept, leave_acceptance
from hydra.cli.commands.bedside import CLOSED, known, not_asked, problems_of, same_store, stand_in
from hydra.cli.commands.checks import CONFIGURATION, ask_list, misread, not_opened
from hydra.cli.commands.fast import closed_in_time
from hydra.cli.commands.options import setup_of
from hydra.cli.frame import Frame, Result
from hydra.cli.screen.advice import Problem, show_advice
from hydra.engine.cycle import Engine
from hydra.guard import attempt
from hydra.model.errors import BadConfig, Corrupt, Refused, Unreachable
from hydra.model.events import ForeignAccepted
from hydra.qc.broker import Bench
from hydra.qc.check import CheckResult, Status
from hydra.qc.explain import Explanation, explain
from hydra.qc.lists import CHECK_IO, QC_RUNNING, QC_SITE, QC_VENUE
from hydra.qc.plug import Subject
from hydra.qc.preflight import look

DISK = tuple(dict.fromkeys((*CHECK_IO, *(name for name in QC_SITE if name not in ("sole_writer", "chain")))))
"""What is asked without the lock: all of the journal at once, and somebody who writes is no fault."""

OF_POLICY = frozenset({CONFIGURATION, "practice", "budgets", "calendars"})
"""What only the real configuration can say."""
WITHOUT_VENUE = frozenset(
    {"halts", "store_commit", "isolation", "gate_state_writable", "gate_journal_writable", "gate_disk_space"}
)
"""What of the running system can be asked although the venue is mute."""


@dataclass(slots=True)
class _Case:
    """What is examined, and what it has come to so far. ``fault`` is why the configuration cannot be read;
    ``refused``: it could be, and the system would not open on it."""

    frame: Frame
    setup: Setup
    fault: BadConfig | None = None
    results: tuple[CheckResult, ...] = ()
    mending: Mending = field(default_factory=Mending)
    explanations: tuple[Explanation, ...] = ()
    accepted: ForeignAccepted | None = None
    told: str = ""
    refused: bool = False


def command(frame: Frame) -> Result:
    """Examine the disk, mend if asked to, then examine the running system."""
    case = _case(frame)
    if frame.options["accept_foreign"]:
        if case.fault is not None:
            raise case.fault
        if owner(case.setup.lock_path) is not None:
            return leave_acceptance(frame, case.setup)
    _ask_disk(case)
    if frame.options["fix"]:
        wrong = {one.plug for one in case.results if one.status in (Status.FAIL, Status.WARN)}
        case.mending = mend(case.setup, wrong, bare=case.fault is not None)
        if case.mending.done:
            _ask_disk(case)
    _ask_running(case)
    return _report(case)


def _case(frame: Frame) -> _Case:
    try:
        return _Case(frame=frame, setup=setup_of(frame))
    except BadConfig as fault:
        return _Case(frame=frame, setup=stand_in(frame), fault=fault)


def _ask_disk(case: _Case) -> None:
    setup = case.setup
    subject = Subject(policy=setup.policy, site=site_of(setup))
    if case.fault is None:
        case.results = ask_list(case.frame, DISK, subject)
    else:
        # The built-in policy stands in where one is needed; what only the real one can say is not asked.
        names = tuple(name for name in DISK if name not in OF_POLICY)
        case.results = misread(case.fault, ask_list(case.frame, names, subject))
    case.results += same_store(setup, case.results)


def _ask_running(case: _Case) -> None:
    closed = [one.name for one in case.results if one.status is Status.FAIL and one.plug in CLOSED]
    held = attempt("lock", lambda: owner(case.setup.lock_path)).value
    if closed or held is not None:
        why = (
            "a running command holds the lock; `hydra status` shows it" if not closed else f"wrong: {', '.join(closed)}"
        )
        case.results += _without_engine(case, why)
        return
    found: tuple[CheckResult, ...] = ()
    writer = Writer(setup=case.setup, command="doctor", recovering=False)
    try:
        with closed_in_time(writer):
            found = _ask_engine(case, writer)
    except BadConfig as fault:
        case.results, case.refused = misread(fault, case.results), True
        found = _without_engine(case, f"wrong: {CONFIGURATION}")
    except (Refused, Unreachable, Corrupt, OSError) as fault:
        failed = not_opened(fault, writer.opening)
        found = (failed, *(one for one in _without_engine(case, f"wrong: {failed.name}") if one.plug != failed.plug))
    case.results += found


def _ask_engine(case: _Case, writer: Writer) -> tuple[CheckResult, ...]:
    setup, engine = case.setup, writer.engine
    bench = Bench(engine=engine, policy=setup.policy, line=getattr(writer.venue, "line", None))
    subject = Subject(policy=setup.policy, site=site_of(setup), bench=bench, notes=tuple(writer.notes))
    found = ask_list(case.frame, QC_VENUE, subject)
    if case.frame.options["accept_foreign"]:
        found += _accept(case, engine)
    seen = subject.preflight = look(engine, setup.policy)
    running = (*QC_RUNNING, *setup.policy.qc.checks)
    if _failed(found, "recover"):
        # What the venue did not say is one thing that is wrong; the answers that follow from it would only hide it.
        found += ask_list(case.frame, [name for name in running if name in WITHOUT_VENUE], subject)
        found += not_asked((name for name in running if name not in WITHOUT_VENUE), "wrong: recover")
    else:
        case.explanations = explain(seen.snapshot.ledger, seen.snapshot.sight, setup.policy.health.cash_tolerance)
        found += ask_list(case.frame, running, subject)
    engine.settle()
    return found


def _accept(case: _Case, engine: Engine) -> tuple[CheckResult, ...]:
    """Accept what differs; why it could not be, as a failed check of its own."""
    try:
        case.accepted, case.told = accept(case.frame, case.setup, engine)
    except BadConfig:
        raise
    except (Refused, Unreachable) as fault:
        return (CheckResult(name="accept", plug="accept", status=Status.FAIL, reason=str(fault), ms=0.0),)
    return ()


def _failed(results: tuple[CheckResult, ...], plug: str) -> bool:
    return any(one.plug == plug and one.status is Status.FAIL for one in results)


def _without_engine(case: _Case, why: str) -> tuple[CheckResult, ...]:
    """What is known of the running system all the same, and what is not."""
    told = known(case.setup, policy_known=case.fault is None)
    answered = {one.plug for one in told}
    return (*told, *not_asked((name for name in (*QC_VENUE, *QC_RUNNING) if name not in answered), why))


def _report(case: _Case) -> Result:
    problems = problems_of(case.results, case.setup, case.mending, fixing=case.frame.options["fix"])
    failed = [one.name for one in case.results if one.status is Status.FAIL]
    ending = [f"mended {what}: {note}" for what, note in _once(case.mending.done).items()]
    ending += [case.told] if case.told else []
    wrong = "still wrong" if case.frame.options["fix"] else "wrong"
    ending.append(f"{wrong}: {', '.join(dict.fromkeys(failed))}" if failed else "nothing is wrong")
    exit_code = 2 if case.refused or _failed(case.results, CONFIGURATION) else 1 if failed else 0
    document = {
        "checks": [one.document() for one in case.results],
        "message": ". ".join(ending),
        "problems": [_told(problem) for problem in problems],
        "mended": case.mending.done,
        "not_mended": case.mending.undone,
        "differences": [msgspec.to_builtins(one) for one in case.explanations],
        "accepted": None if case.accepted is None else list(case.accepted.notes),
    }
    if case.fault is not None:
        document |= {"error": str(case.fault), "kind": type(case.fault).__name__}
    return Result(
        exit_code=exit_code, document=document, show=lambda people: show_advice(people, case.results, problems, ending)
    )


def _told(problem: Problem) -> dict[str, str]:
    return {name: getattr(problem, name) for name in ("name", "status", "wrong", "matters", "do", "fix")}


def _once(done: dict[str, str]) -> dict[str, str]:
    """What was done, each mend once, under the first of its checks."""
    return {what: note for what, note in done.items() if next(one for one in done if done[one] == note) == what}
