"""An operator's word, and how it gets to a running engine; and the question before what cannot be taken back."""

from __future__ import annotations

import getpass
import secrets
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from hydra.adapters.files import RealFiles
from hydra.adapters.inbox import FileInbox
from hydra.adapters.store.reader import open_reader
from hydra.bootstrap.setup import Setup, host, wall_now
from hydra.cli.frame import Frame
from hydra.cli.screen.words import one_line
from hydra.model.errors import BadConfig, Barred, Blank
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Command

RUNNING = "a running command holds the lock; the engine reads it in its next cycle, or at its next start"


def word_of(action: str, reason: str, *, force: bool = False, bot: str = "") -> Command:
    """A command of this user on this machine."""
    return Command(
        command_id=f"{action}-{secrets.token_hex(4)}",
        action=action,
        by=f"{getpass.getuser()}@{host()}",
        wall=wall_now(),
        reason=reason,
        force=force,
        bot=bot,
    )


def leave(setup: Setup, word: Command) -> Path:
    """Put it into the inbox; where it lies."""
    return FileInbox(RealFiles(), setup.inbox_dir, wall_now).leave(word)


def stored_ledger(setup: Setup) -> Ledger:
    """The ledger as last committed, read without the lock; an empty one while there is no store."""
    if not setup.has_store:
        return Ledger()
    try:
        with closing(open_reader(setup.store_url)) as store:
            return store.load()[0]
    except Blank:
        return Ledger()


def confirm(frame: Frame, lines: Sequence[str], answer: str) -> None:
    """Have a person at a terminal type ``answer``; ``--yes`` does without.

    Raises ``BadConfig`` when nobody can be asked, ``Barred`` for any other answer.
    """
    if frame.options["yes"]:
        return
    if not sys.stdin.isatty():
        raise BadConfig("there is no terminal to ask on; --yes does it without asking")
    people = frame.people()
    for line in lines:
        people.print(one_line(line), markup=False)
    people.print(f"type {answer} to go on: ", end="", markup=False)
    people.file.flush()
    if sys.stdin.readline().strip() != answer:
        raise Barred("not confirmed; nothing was done")
