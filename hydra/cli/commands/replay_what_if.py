"""``hydra replay --what-if``: the same market and clock under another policy, beside what the journal has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.adapters.journal.reader import Reading
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.what_if import play_again, recorded_in
from hydra.cli.commands.replay_sources import STDIN, CountedFiles
from hydra.cli.frame import PRACTICE, Frame, Result, console
from hydra.cli.screen.what_if import what_if_document, what_if_shown

if TYPE_CHECKING:
    from rich.console import Console

_TOLD_EVERY = 100


def what_if(frame: Frame, paths: tuple[Path, ...]) -> Result:
    """Read the journal, play its looks again, compare. Ends with 0 whatever the comparison comes to."""
    policy = load_policy(Path(str(frame.options["what_if"])), os.environ)
    frame.facts[PRACTICE] = policy.practice
    with console(stderr=True).status("reading the journal") as status:
        recorded = recorded_in(Reading(CountedFiles(), paths, joined=paths == (STDIN,)))

        def watch(done: int, every: int) -> None:
            if done % _TOLD_EVERY == 0:
                status.update(f"cycle {done:,} of {every:,}")

        found = play_again(recorded, policy, watch)

    def show(people: Console) -> None:
        people.print(what_if_shown(found))

    document = {"segments": [str(path) for path in paths], **what_if_document(found)}
    return Result(exit_code=0, document=document, show=show)
