"""Accepting what is not Hydra's as it is at the venue: what it would come to, the question before it, and the event."""

from __future__ import annotations

from hydra.bootstrap.setup import Setup
from hydra.cli.commands.checks import report
from hydra.cli.commands.word import RUNNING, confirm, leave, word_of
from hydra.cli.frame import Frame, Result
from hydra.engine.cycle import Engine
from hydra.engine.glance import glance
from hydra.engine.recover import recover
from hydra.model.errors import Barred, Unreachable
from hydra.model.events import ForeignAccepted
from hydra.model.money import plain
from hydra.model.snapshot import Snapshot, Verdict
from hydra.model.values import replace
from hydra.qc.check import CheckResult, Status
from hydra.risk.gates import day_start
from hydra.risk.reconcile import acceptance, residuals

_REASON = "`hydra doctor --accept-foreign`"
_LOOKS = 3
"""An account that moves while it is looked at is looked at again, this often."""


def leave_acceptance(frame: Frame, setup: Setup) -> Result:
    """The running engine accepts what it then sees; it says so in its journal, and refuses what it cannot accept."""
    confirm(frame, ["The running engine takes over whatever differs in its next cycle, unseen by you."], "accept")
    path = leave(setup, word_of("accept", _REASON))
    results = (CheckResult(name="accept", status=Status.PASS, reason=f"left in the inbox: {RUNNING}", ms=0.0),)
    more: dict[str, object] = {"mended": {}, "not_mended": {}, "problems": [], "differences": [], "accepted": None}
    return report(
        results, "the acceptance waits in the inbox; `hydra status` shows when it is taken", path=str(path), **more
    )


def accept(frame: Frame, setup: Setup, engine: Engine) -> tuple[ForeignAccepted | None, str]:
    """Record the acceptance of what differs now, once a person has agreed; what was accepted, or why nothing was.

    Raises ``Barred`` when it cannot be accepted, ``Unreachable`` when the account does not keep still.
    """
    snapshot = _steady_look(engine, setup)
    began = day_start.ask(snapshot, setup.policy, "")
    sound = began.verdict is Verdict.PASS
    if sound and not residuals(snapshot.ledger, snapshot.sight, setup.policy.health.cash_tolerance):
        return None, "nothing to accept: ledger and venue agree"
    word = word_of("accept", _REASON)
    accepted = acceptance(snapshot.ledger, snapshot.sight, word.by, word.reason)
    if isinstance(accepted, str):
        raise Barred(f"cannot accept: {accepted}")
    day = snapshot.ledger.day
    if not sound and day is not None and day.before is not None:
        note = f"the day begins with {plain(day.start_equity)}, the day before ended with {plain(day.before)}"
        accepted = replace(accepted, notes=(*accepted.notes, note))
    if not accepted.notes:
        return None, "nothing of it can be accepted: it is about Hydra's own orders"
    confirm(frame, ["Accepting takes this as it is at the venue:", *(f"  {note}" for note in accepted.notes)], "accept")
    engine.record(accepted)
    engine.settle()
    return accepted, f"accepted: {'; '.join(accepted.notes)}"


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
