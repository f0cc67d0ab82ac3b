"""``hydra halt``, ``hydra resume`` and ``hydra bots release``: an operator's word, to a running engine or into the journal.

With an engine running the word is left in its inbox. Without one the command takes the lock and writes itself. A halt
that cannot be written now (the venue's books are damaged, say) is left in the inbox, where the next start finds it first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra.adapters.lock import owner
from hydra.bootstrap.setup import Setup
from hydra.bootstrap.writer import Writer
from hydra.cli.commands.options import setup_of
from hydra.cli.commands.word import RUNNING, leave, stored_ledger, word_of
from hydra.cli.frame import Frame, Result
from hydra.cli.screen.words import some
from hydra.engine.cycle import Engine
from hydra.guard import attempt
from hydra.model.errors import BadConfig, Barred, Corrupt, Refused, Unreachable
from hydra.model.events import Halted, Released, Resumed
from hydra.model.snapshot import Command, Sight, Snapshot
from hydra.policy import Policy
from hydra.risk.halts import cannot_release, cannot_resume, operator_halt

if TYPE_CHECKING:
    from rich.console import Console


def command(frame: Frame) -> Result:
    """Halt, resume or release."""
    setup = setup_of(frame)
    word = _release_of(frame, setup.policy) if frame.command == "bots release" else _halt_or_resume_of(frame)
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


def _halt_or_resume_of(frame: Frame) -> Command:
    reason = frame.options["reason"].strip()
    if not reason:
        raise BadConfig("--reason: empty; say why, it is journaled")
    return word_of(frame.command, reason, force=bool(frame.options.get("force", False)))


def _release_of(frame: Frame, policy: Policy) -> Command:
    """Raises ``BadConfig`` for a bot that the configuration does not have."""
    bot = str(frame.options["bot"]).strip()
    ids = [one.id for one in policy.bots]
    if bot not in ids:
        raise BadConfig(f"ID: there is no bot {bot!r}; there are: {', '.join(ids) or 'none'}")
    forget = bool(frame.options["forget"])
    reason = frame.options["reason"].strip() or f"`hydra bots release {bot}{' --forget' if forget else ''}`"
    return word_of("release", reason, force=forget, bot=bot)


def _leave(setup: Setup, word: Command, why: str) -> Result:
    if word.action == "release":
        _demand_strikes(setup, word)
    path = leave(setup, word)
    return _told(f"{_called(word)} left in the inbox: {why}", {"delivered": "inbox", "path": str(path)})


def _demand_strikes(setup: Setup, word: Command) -> None:
    """Raise ``Barred`` for a bot that has not failed, by the store; where that cannot be read the engine is left to judge."""
    ledger = attempt("store", lambda: stored_ledger(setup)).value
    why_not = None if ledger is None else cannot_release(ledger, setup.policy, word.bot)
    if why_not is not None:
        raise Barred(f"cannot release: {why_not}")


def _called(word: Command) -> str:
    return f"{word.action} of {word.bot}" if word.bot else word.action


def _write(setup: Setup, word: Command) -> Result:
    with Writer(setup=setup, command=word.action, recovering=False) as writer:
        done = _WRITERS[word.action](writer.engine, word)
        writer.engine.settle()
    return _told(f"{done}: {word.reason} ({word.by})", {"delivered": "journal"})


def _halt(engine: Engine, word: Command) -> str:
    engine.record(Halted(halt=operator_halt(word, engine.outside.clock.now())))
    return "halted"


def _resume(engine: Engine, word: Command) -> str:
    ledger = engine.ledger
    at = engine.outside.clock.now()
    why_not = cannot_resume(Snapshot(run=ledger.run, cycle=ledger.cycle, at=at, ledger=ledger, sight=Sight()), word)
    if why_not is not None:
        raise Barred(f"cannot resume: {why_not}")
    engine.record(Resumed(by=word.by, reason=word.reason, forced=word.force))
    return "resumed"


def _release(engine: Engine, word: Command) -> str:
    why_not = cannot_release(engine.ledger, engine.book.policy, word.bot)
    if why_not is not None:
        raise Barred(f"cannot release: {why_not}")
    strikes = engine.ledger.bot(word.bot).strikes
    engine.record(Released(by=word.by, reason=word.reason, bot=word.bot, forget=word.force))
    forgotten = some(strikes, "failed answer") + (" and its memory" if word.force else "")
    return f"released {word.bot} ({forgotten} forgotten)"


_WRITERS = {"halt": _halt, "resume": _resume, "release": _release}


def _told(message: str, document: dict[str, str]) -> Result:
    def show(people: Console) -> None:
        people.print(message, markup=False)

    return Result(exit_code=0, document={"message": message, **document}, show=show)
