"""``hydra doctor``: every question of ``qc`` with what to do about each no; ``--fix`` mends what is safe.

Where ledger and venue disagree each difference is explained. ``--accept-foreign`` takes what is not Hydra's as it is at the venue:
by a word in the inbox of a running engine, else by an event of its own, after which everything is examined again.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from hydra.adapters.lock import owner
from hydra.bootstrap.mend import mend
from hydra.bootstrap.setup import Setup
from hydra.bootstrap.site import site_of
from hydra.bootstrap.writer import Writer
from hydra.cli.commands.checks import ask, report
from hydra.cli.commands.options import setup_of
from hydra.cli.commands.word import RUNNING, confirm, leave, word_of
from hydra.cli.frame import Frame, Result
from hydra.engine.cycle import Engine
from hydra.engine.glance import glance
from hydra.engine.recover import recover
from hydra.model.errors import BadConfig, Barred, Corrupt, Refused, Unreachable
from hydra.model.events import ForeignAccepted, Halted, Mended
from hydra.model.money import plain
from hydra.model.portfolio import Halt
from hydra.model.snapshot import Snapshot, Verdict
from hydra.model.values import replace
from hydra.qc.check import CheckResult, Status, all_good
from hydra.qc.explain import Explanation, explain, explained
from hydra.qc.preflight import look, preflight_checks
from hydra.qc.site import site_checks
from hydra.risk.gates import day_start
from hydra.risk.reconcile import acceptance, residuals

_REASON = "`hydra doctor --accept-foreign`"
_LOOKS = 3
"""An account that moves while it is looked at is looked at again, this often."""


@dataclass(slots=True)
class _Found:
    """What examining the running system came to, beside the answers."""

    explanations: tuple[Explanation, ...] = ()
    accepted: ForeignAccepted | None = None
    told: str = ""


def command(frame: Frame) -> Result:
    """Examine the disk, mend if asked to, then examine the running system."""
    setup = setup_of(frame)
    if frame.options["accept_foreign"] and owner(setup.lock_path) is not None:
        return _leave_acceptance(frame, setup)
    results = ask(frame, site_checks(site_of(setup)))
    mended: dict[str, str] = {}
    if frame.options["fix"]:
        mended = mend(setup, [result.name for result in results if result.status is Status.FAIL])
        if mended:
            results = ask(frame, site_checks(site_of(setup)))
    found = _Found()
    if all_good(results):
        results += _running(frame, setup, mended, found)
    more = {
        "mended": mended,
        "differences": [msgspec.to_builtins(one) for one in found.explanations],
        "accepted": None if found.accepted is None else list(found.accepted.notes),
    }
    return report(results, found.told + _ending(results, mended), **more)


def _leave_acceptance(frame: Frame, setup: Setup) -> Result:
    """The running engine accepts what it then sees; it says so in its journal, and refuses what it cannot accept."""
    confirm(frame, ["The running engine takes over whatever differs in its next cycle, unseen by you."], "accept")
    path = leave(setup, word_of("accept", _REASON))
    results = (CheckResult(name="accept", status=Status.PASS, reason=f"left in the inbox: {RUNNING}", ms=0.0),)
    more: dict[str, object] = {"mended": {}, "differences": [], "accepted": None, "path": str(path)}
    return report(results, "the acceptance waits in the inbox; `hydra status` shows when it is taken", **more)


def _running(frame: Frame, setup: Setup, mended: dict[str, str], found: _Found) -> tuple[CheckResult, ...]:
    try:
        with Writer(setup=setup, command="doctor") as writer:
            for what, note in mended.items():
                writer.engine.record(Mended(what=what, note=note))
            if "journal" in mended:
                _latch(writer.engine)
            if frame.options["accept_foreign"]:
                _accept(frame, setup, writer.engine, found)
            seen = look(writer.engine, setup.policy)
            snapshot = seen.snapshot
            found.explanations = explain(snapshot.ledger, snapshot.sight, setup.policy.health.cash_tolerance)
            results = explained(ask(frame, preflight_checks(seen)), found.explanations)
            writer.engine.settle()
            return results
    except BadConfig:
        raise
    except (Refused, Unreachable, Corrupt, OSError) as fault:
        return (CheckResult(name="start", status=Status.FAIL, reason=str(fault), ms=0.0),)


def _accept(frame: Frame, setup: Setup, engine: Engine, found: _Found) -> None:
    """Record the acceptance of what differs now, once a person has agreed. Raises ``Barred`` when it cannot be accepted."""
    snapshot = _steady_look(engine, setup)
    began = day_start.ask(snapshot, setup.policy, "")
    sound = began.verdict is Verdict.PASS
    if sound and not residuals(snapshot.ledger, snapshot.sight, setup.policy.health.cash_tolerance):
        found.told = "nothing to accept: ledger and venue agree. "
        return
    word = word_of("accept", _REASON)
    accepted = acceptance(snapshot.ledger, snapshot.sight, word.by, word.reason)
    if isinstance(accepted, str):
        raise Barred(f"cannot accept: {accepted}")
    day = snapshot.ledger.day
    if not sound and day is not None and day.before is not None:
        note = f"the day begins with {plain(day.start_equity)}, the day before ended with {plain(day.before)}"
        accepted = replace(accepted, notes=(*accepted.notes, note))
    if not accepted.notes:
        found.told = "nothing of it can be accepted: it is about Hydra's own orders. "
        return
    confirm(frame, ["Accepting takes this as it is at the venue:", *(f"  {note}" for note in accepted.notes)], "accept")
    engine.record(accepted)
    engine.settle()
    found.accepted = accepted
    found.told = f"accepted: {'; '.join(accepted.notes)}. "


def _steady_look(engine: Engine, setup: Setup) -> Snapshot:
    """A look in which nothing new was told: what is accepted must not hold an execution that is booked once more later."""
    for _ in range(_LOOKS):
        snapshot, ledger = glance(engine), engine.ledger
        seen = snapshot.ledger
        moved = (seen.fill_cursor, seen.activity_cursor) != (ledger.fill_cursor, ledger.activity_cursor)
        if not moved and (seen.cash, seen.holdings.keys()) == (ledger.cash, ledger.holdings.keys()):
            return snapshot
        engine.record(recover(engine.outside, ledger, setup.policy))
        engine.settle()
    raise Unreachable(f"the account moved in each of {_LOOKS} looks; try again when it is quiet")


def _latch(engine: Engine) -> None:
    """The store knew a journal that is not here. What is lost with it, a halt perhaps, only a person can judge."""
    reason = "the store did not belong to this journal and was rebuilt from it; compare with the account, then resume"
    at = engine.outside.clock.now()
    engine.record(Halted(halt=Halt(kind="rebuilt", reason=reason, at=at, by="hydra doctor", automatic=False)))


def _ending(results: tuple[CheckResult, ...], mended: dict[str, str]) -> str:
    done = "".join(f"mended {what}: {note}. " for what, note in mended.items())
    failed = [result.name for result in results if result.status is Status.FAIL]
    return done + (f"still wrong: {', '.join(failed)}" if failed else "nothing is wrong")
