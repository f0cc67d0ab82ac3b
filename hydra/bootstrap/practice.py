"""Practice and trading on anything else never share a state folder: a ledger made in one means nothing in the other.

Which of the two a folder is for, its journal says: every segment opens with it. So the last segment decides, and a folder without a
journal is for either. The refusal names both sides and the way out, another folder.
"""

from __future__ import annotations

from pathlib import Path

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.segments import first_line, segments
from hydra.bootstrap.setup import Setup
from hydra.guard import attempt
from hydra.model.errors import Barred
from hydra.model.events import SegmentOpened, payload_of
from hydra.model.portfolio import Ledger
from hydra.qc.check import Finding

_WORDS = {True: "for practice", False: "not for practice"}


def practised(log_dir: Path) -> tuple[bool, str] | None:
    """Whether the journal in a folder is of practice, and its last run; ``None`` while there is none. Raises ``Corrupt``."""
    files = RealFiles()
    if not log_dir.is_dir():
        return None
    for info in reversed(segments(files, log_dir)):
        raw = first_line(files, info.path)
        opened = None if raw is None else payload_of(raw)
        if isinstance(opened, SegmentOpened):
            return opened.practice, info.run
    return None


def why_mixed(setup: Setup, ledger: Ledger | None = None) -> str | None:
    """Why this configuration may not work on this state folder; ``None`` when it may. Raises ``Corrupt``."""
    found = practised(setup.log_dir)
    if found is None or found[0] is setup.policy.practice:
        return None
    was, run = found
    held = () if ledger is None else tuple(ledger.holdings.values())
    holding = f", holding {', '.join(sorted({one.symbol for one in held}))}" if held else ""
    return (
        f"{setup.config} is {_WORDS[setup.policy.practice]}, and {setup.state_dir} with {setup.log_dir} (last run {run}{holding}) is "
        f"{_WORDS[was]}: the two never mix; name other folders with --state-dir and --log-dir"
    )


def refuse_mixing(setup: Setup, ledger: Ledger | None = None) -> None:
    """Raise ``Barred`` where practice would meet anything else."""
    why = why_mixed(setup, ledger)
    if why is not None:
        raise Barred(why)


def ask_mixing(setup: Setup) -> Finding:
    """Is the state folder for what the configuration is for? A journal that cannot be read is another check's finding."""
    outcome = attempt("journal", lambda: (why_mixed(setup), practised(setup.log_dir)))
    if outcome.value is None:
        reason = "no reason" if outcome.failure is None else outcome.failure.reason
        return Finding(good=None, reason=f"the journal does not say what {setup.log_dir} is for: {reason}")
    why, found = outcome.value
    if why is not None:
        return Finding(good=False, reason=why)
    word = _WORDS[setup.policy.practice]
    if found is None:
        return Finding(good=True, reason=f"{setup.config} is {word}, and {setup.log_dir} has no journal yet")
    return Finding(good=True, reason=f"{setup.config} and what is in {setup.log_dir} are {word}")
