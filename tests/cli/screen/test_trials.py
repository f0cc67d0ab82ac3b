"""How far the trials are: bars on a terminal, plain lines in a pipe, and the end of a trial that nobody waits for."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hydra.cli.screen.trials import Stopped, TrialsView
from hydra.qc.check import CheckResult, Status


class Seconds:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def result_of(name: str, status: Status = Status.PASS) -> CheckResult:
    """An answer."""
    return CheckResult(name=name, status=status, reason="", ms=71_200.0)


def console(*, terminal: bool, width: int = 80) -> Console:
    """A console that keeps what it is told."""
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, no_color=True, legacy_windows=False)


def said(on: Console) -> str:
    """What it was told."""
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


def test_in_a_pipe_there_are_plain_lines_and_not_too_many() -> None:
    pipe, clock = console(terminal=False, width=120), Seconds()
    with TrialsView(pipe, ("rehearsal", "timing"), monotonic=clock) as view:
        view.asking("rehearsal")
        for done in range(200):
            clock.now += 0.25
            view.heard("rehearsal", done, 1000)
        view.told(result_of("rehearsal"))
        view.asking("timing")
        view.told(result_of("timing", Status.FAIL))
    lines = said(pipe).splitlines()
    assert lines[0] == "rehearsal: begun (1 of 2)"
    assert lines[1] == "rehearsal: 40 of 1,000, 10 s"
    assert lines[-3:] == ["rehearsal: PASS, 71.2 s", "timing: begun (2 of 2)", "timing: FAIL, 71.2 s"]
    assert len(lines) == 8
    assert "\x1b" not in said(pipe)


@pytest.mark.parametrize("width", [80, 120])
def test_on_a_terminal_every_trial_has_one_line_that_fits(width: int) -> None:
    terminal = console(terminal=True, width=width)
    names = ("rehearsal", "kill_and_recover", "replay_identity", "bot_stress", "timing", "backup_and_restore")
    with TrialsView(terminal, names) as view:
        for name in names:
            view.asking(name)
            view.heard(name, 3, 60)
            view.told(result_of(name))
    assert "PASS backup_and_restore" in said(terminal)
    pictures = said(terminal).split("\r")
    assert all(len(line) <= width * 2 for picture in pictures for line in picture.splitlines())


def test_a_trial_that_is_over_is_stopped_when_it_says_how_far_it_is() -> None:
    after: list[str] = []
    with TrialsView(console(terminal=False), ("rehearsal", "timing"), lambda: after.append("x")) as view:
        view.asking("rehearsal")
        view.heard("rehearsal", 1, 2)
        view.told(result_of("rehearsal", Status.FAIL))
        with pytest.raises(Stopped):
            view.heard("rehearsal", 2, 2)
        with pytest.raises(Stopped):
            view.heard("rehearsal: voyage 3, made small", 2, 2)
        view.asking("timing")
        view.heard("timing", 1, 2)
    assert after == ["x"]
    with pytest.raises(Stopped):
        view.heard("timing", 2, 2)
    assert not issubclass(Stopped, Exception), "a trial that counts failures must not count it"
