"""``hydra halt`` and ``hydra resume``: an operator's word, to a running engine or straight into the journal.

With an engine running the word is left in its inbox. Without one the command takes the lock and writes itself. A halt
that cannot be written now (the venue's books are damaged, say) is left in the inbox, where the next start finds it first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra.adapters.lock import owner
from hydra.bootstrap.setup import Setup
from hydra.bootstrap.writer import Writer
from hydra.cli.commands.options import setup_of
from hydra.cli.commands.word import RUNNING, leave, word_of
from hydra.cli.frame import Frame, Result
from hydra.model.errors import BadConfig, Barred, Corrupt, Refused, Unreachable
from hydra.model.events import Halted, Resumed
from hydra.model.snapshot import Command, Sight, Snapshot
from hydra.risk.halts import cannot_resume, operator_halt

if TYPE_CHECKING:
    from rich.console import Console


def command(frame: Frame) -> Result:
    """Halt or resume."""
    setup = setup_of(frame)
    reason = frame.options["reason"].strip()
    if not reason:
        raise BadConfig("--reason: empty; say why, it is journaled")
    word = word_of(frame.command, reason, force=bool(frame.options.get("force", False)))
    if owner(setup.lock_path) is not None:
        return _leave(setup, word, RUNNING)
    try:
        return _write(setup, word)
    except (Refused, Unreachable, Corrupt, OSError) as fault:
        if owner(setup.lock_path) is not None:
            return _leave(setup, word, "a running command took the lock meanwhile; the engine reads it")
        if word.action != "halt":
            raise
        return _leave(setup, word, f"it could not be journaled now ({fault}); the next start reads it first")


def _leave(setup: Setup, word: Command, why: str) -> Result:
    path = leave(setup, word)
    return _told(f"{word.action} left in the inbox: {why}", {"delivered": "inbox", "path": str(path)})


def _write(setup: Setup, word: Command) -> Result:
    with Writer(setup=setup, command=word.action, recovering=False) as writer:
        engine = writer.engine
        at = engine.outside.clock.now()
        if word.action == "halt":
            engine.record(Halted(halt=operator_halt(word, at)))
        else:
            snapshot = Snapshot(
                run=engine.ledger.run, cycle=engine.ledger.cycle, at=at, ledger=engine.ledger, sight=Sight()
            )
            why_not = cannot_resume(snapshot, word)
            if why_not is not None:
                raise Barred(f"cannot resume: {why_not}")
            engine.record(Resumed(by=word.by, reason=word.reason, forced=word.force))
        engine.settle()
    done = "halted" if word.action == "halt" else "resumed"
    return _told(f"{done}: {word.reason} ({word.by})", {"delivered": "journal"})


def _told(message: str, document: dict[str, str]) -> Result:
    def show(people: Console) -> None:
        people.print(message, markup=False)

    return Result(exit_code=0, document={"message": message, **document}, show=show)
