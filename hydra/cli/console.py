"""The console for people: in a pipe it is plain and of a steady width, and it never ends a command."""

from __future__ import annotations

import os
import sys

from rich.console import Console

PIPE_WIDTH = 120


class PatientConsole(Console):
    """A console whose reader may go away, as `| head` does: the rest is said to nobody, and the command goes on."""

    def on_broken_pipe(self) -> None:
        """Called by rich, which would end the process: with it a run, without a last line in the journal."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def console(*, stderr: bool = False) -> Console:
    """Standard output, or standard error."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else PIPE_WIDTH
    return PatientConsole(file=stream, width=width, highlight=False, soft_wrap=False)
