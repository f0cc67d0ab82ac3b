"""The trials of ``qc --full`` as checks: all critical, with deadlines in minutes. A trial's module is loaded when it is asked.

The deadlines are for trials that hang, not for slow machines: each is a multiple of what the trial takes on two cores.
"""

from __future__ import annotations

from hydra.qc.check import Finding
from hydra.qc.plug import CheckPlug, Subject, need, one
from hydra.qc.trial import Trial

_AGAIN = (
    "repeat it with the command that the reason names; a broken claim is a defect of Hydra or of a plug: do not trade"
)


def _trial(subject: Subject) -> Trial:
    return need(subject.trial, "the trial")


def _rehearsal(subject: Subject) -> Finding:
    from hydra.qc.trials.rehearsal import ask

    return ask(_trial(subject))


def _recovery(subject: Subject) -> Finding:
    from hydra.qc.trials.recovery import ask

    return ask(_trial(subject))


def _replays(subject: Subject) -> Finding:
    from hydra.qc.trials.replays import ask

    return ask(_trial(subject))


def _bots(subject: Subject) -> Finding:
    from hydra.qc.trials.bots import ask

    return ask(_trial(subject))


def _timing(subject: Subject) -> Finding:
    from hydra.qc.trials.timing import ask

    return ask(_trial(subject))


def _backup(subject: Subject) -> Finding:
    from hydra.qc.trials.backup import ask

    return ask(_trial(subject))


rehearsal = CheckPlug(
    name="rehearsal",
    question="Does this policy keep every promise through bad days, while the venue and the machine misbehave?",
    remedy=_AGAIN,
    make=one(_rehearsal),
    deadline_seconds=300,
)
kill_and_recover = CheckPlug(
    name="kill_and_recover",
    question="Is nothing lost or doubled when the engine is killed, or loses its power, at random moments?",
    remedy=_AGAIN,
    make=one(_recovery),
    deadline_seconds=180,
)
replay_identity = CheckPlug(
    name="replay_identity",
    question="Do the rehearsal's journals, decided again, come to the same decisions?",
    remedy="something that decides is not pure: look at the bot or rule that the difference names (clock, chance, memory of its own)",
    make=one(_replays),
    deadline_seconds=120,
)
bot_stress = CheckPlug(
    name="bot_stress",
    question="Do the bots stand odd questions, and do hostile ones get nothing and harm nobody?",
    remedy="mend or disable the bot that is named; for an open guard see docs/explanation/isolation.md for what it needs",
    make=one(_bots),
    deadline_seconds=240,
)
timing = CheckPlug(
    name="timing",
    question="Is a cycle done well within the loop's interval on this machine?",
    remedy="fewer symbols or bots, a longer engine.interval_seconds, a faster disk, or less else on this machine",
    make=one(_timing),
    deadline_seconds=90,
)
backup_and_restore = CheckPlug(
    name="backup_and_restore",
    question="Is the state the same after it was backed up, lost and restored?",
    remedy="follow docs/how-to/back-up-and-restore.md by hand and see which step differs",
    make=one(_backup),
    deadline_seconds=60,
)
