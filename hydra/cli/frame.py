"""The outermost frame of every command: faults become a sentence and an exit code, never a traceback.

    0 done   1 a check failed, a replay diverged, a journal is damaged   2 usage or configuration
    3 halted or not allowed to trade   4 broker or market unreachable   130 SIGINT   143 SIGTERM

With ``--json`` standard output holds exactly one document; what people read goes to standard error.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from hydra.model.errors import BadConfig, Barred, Corrupt, Refused, Unreachable

if TYPE_CHECKING:
    from rich.console import Console

EXIT_CODES: Mapping[int, str] = {
    0: "allowed, identical, done",
    1: "a check failed, a replay diverged, or a journal is damaged",
    2: "usage or configuration",
    3: "halted or not allowed to trade",
    4: "broker or market unreachable",
    130: "SIGINT, after a clean stop",
    143: "SIGTERM, after a clean stop",
}
PRACTICE = "practice"
LISTS_OF_CHECKS = frozenset({"check-io", "test-broker", "verify-balance", "qc", "doctor"})
"""Commands that are lists of checks: whatever stops them, a check failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a command ended: its exit code, its document, and what people are shown. ``marked``: that says by itself that it is practice."""

    exit_code: int
    document: Mapping[str, Any]
    show: Callable[[Console], None]
    marked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a command is given: its name, its options, and where people look.

    ``facts`` is what turned out on the way and concerns how anything is shown: ``practice``, once the configuration has been read.
    """

    command: str
    options: Mapping[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def practice(self) -> bool:
        """True when what is shown is of practice, which every screen and document says."""
        return bool(self.facts.get(PRACTICE))

    @property
    def json(self) -> bool:
        """True when standard output belongs to one JSON document."""
        return bool(self.options["json"])

    def people(self) -> Console:
        """The console for people: standard output, or standard error when that holds a document."""
        return console(stderr=self.json)


Command = Callable[[Frame], Result]


def console(*, stderr: bool = False) -> Console:
    """The console on a stream; rich is loaded with it."""
    from hydra.cli.console import console as on_stream

    return on_stream(stderr=stderr)


def in_frame(command: str, options: Mapping[str, Any], entry: Command) -> int:
    """Run a command; returns its exit code after showing its result or its fault."""
    frame = Frame(command=command, options=options)
    try:
        result = entry(frame)
    except (Exception, KeyboardInterrupt) as fault:
        if options.get("debug"):
            raise
        result = _faulty(frame, fault)
    return _show(frame, result)


def mend_streams() -> None:
    """Give a process that was started with closed streams somewhere to write; nobody reads it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115  # as long as the process


def usage_document(command: str, text: str, exit_code: object) -> None:
    """The document of a line that could not be parsed."""
    with suppress(OSError):
        _write({"command": command, "ok": False, "exit_code": exit_code, "error": text, "kind": "Usage"})


def leave_what_is_left_behind(exit_code: object) -> None:
    """End the process at once when a check that did not answer is still at work: whatever it has begun is not waited for."""
    checks = sys.modules.get("hydra.qc.check")
    if checks is None or not checks.left_behind():
        return
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(exit_code if isinstance(exit_code, int) else 1)


def _show(frame: Frame, result: Result) -> int:
    """Show people the result and write its document; the exit code, which is at least 1 when that was not possible."""
    try:
        if frame.practice and not result.marked:
            _mark(frame.people())
        result.show(frame.people())
        if frame.json:
            told = {"command": frame.command, "ok": result.exit_code == 0, "exit_code": result.exit_code}
            mark = {PRACTICE: True} if frame.practice else {}
            _write({**told, **mark, **result.document})
        sys.stdout.flush()
    except OSError as error:
        # What was done is done and journaled; nothing more can be said there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # the reader went away, which is how `| head` ends
            return result.exit_code
        with suppress(OSError):
            sys.stderr.write(f"the result cannot be shown: {error}\n")
        return result.exit_code or 1
    return result.exit_code


def _write(document: Mapping[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS) + b"\n")
    sys.stdout.flush()


def _mark(out: Console) -> None:
    """One line above everything: this is practice."""
    from rich.text import Text

    from hydra.cli.screen import styles

    out.print(Text(styles.PRACTICE, styles.PRACTICE_STYLE))


def _faulty(frame: Frame, fault: BaseException) -> Result:
    exit_code, word = _meaning(frame.command, fault)
    text = str(fault) or type(fault).__name__

    def show(_people: Console) -> None:
        out = console(stderr=True)
        if frame.practice:
            _mark(out)
        out.print(f"[bold red]{word}[/]", end=": ")
        out.print(text, markup=False, soft_wrap=True)

    return Result(exit_code=exit_code, document={"error": text, "kind": type(fault).__name__}, show=show, marked=True)


def _meaning(command: str, fault: BaseException) -> tuple[int, str]:
    checks = command in LISTS_OF_CHECKS
    if isinstance(fault, BadConfig):
        return 2, "refused"
    if isinstance(fault, KeyboardInterrupt):
        return 130, "interrupted"
    if isinstance(fault, Barred | Refused):
        return (1 if checks else 3), "refused"
    if isinstance(fault, Unreachable):
        return (1 if checks else 4), "unreachable"
    if isinstance(fault, Corrupt):
        return (1 if checks or command in ("replay", "status") else 3), "damaged"
    if isinstance(fault, OSError):
        return (1 if checks or command in ("replay", "status") else 3), "cannot read or write"
    return 1, f"defect in hydra ({type(fault).__name__}; --debug shows where)"
