"""Every fault has its exit code and its sentence, and the document is written whatever people's screen does."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from rich.console import Console

from hydra.cli.console import console
from hydra.cli.frame import EXIT_CODES, Frame, Result, in_frame, mend_streams
from hydra.model.errors import BadConfig, Barred, Corrupt, Refused, Unreachable

FAULTS = [
    (BadConfig("key: wrong"), {"run": 2, "qc": 2, "replay": 2}),
    (Barred("halted"), {"run": 3, "qc": 1, "replay": 3}),
    (Refused("no"), {"run": 3, "qc": 1, "doctor": 1}),
    (Unreachable("silence"), {"run": 4, "qc": 1, "status": 4}),
    (Corrupt("line 3"), {"run": 3, "qc": 1, "replay": 1, "status": 1}),
    (OSError(28, "No space left on device", "logs/x"), {"run": 3, "check-io": 1, "replay": 1}),
    (KeyboardInterrupt(), {"run": 130, "qc": 130}),
    (ZeroDivisionError("oops"), {"run": 1, "qc": 1}),
]


def _raises(fault: BaseException) -> Callable[[Frame], Result]:
    def entry(_frame: Frame) -> Result:
        raise fault

    return entry


def _result(show: Callable[[Console], None]) -> Callable[[Frame], Result]:
    return lambda _frame: Result(exit_code=0, document={"answer": 42}, show=show)


@pytest.mark.parametrize(("fault", "codes"), FAULTS, ids=[type(fault).__name__ for fault, _ in FAULTS])
def test_a_fault_is_an_exit_code_a_sentence_and_a_document(
    fault: BaseException, codes: dict[str, int], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for command, code in codes.items():
        assert in_frame(command, {"json": True}, _raises(fault)) == code
        assert code in EXIT_CODES
        out, err = capfdbinary.readouterr()
        document: dict[str, Any] = orjson.loads(out)
        assert (document["command"], document["ok"], document["exit_code"]) == (command, False, code)
        assert document["error"]
        assert document["kind"] == type(fault).__name__
        assert b"Traceback" not in err
        assert document["error"] in err.decode()


def test_debug_shows_the_fault_itself() -> None:
    with pytest.raises(Corrupt):
        in_frame("run", {"json": False, "debug": True}, _raises(Corrupt("line 3")))


def test_a_reason_is_not_taken_for_markup_or_broken_in_a_pipe(capfd: pytest.CaptureFixture[str]) -> None:
    reason = "[bold]key[/] " + "x" * 150 + " end"
    in_frame("run", {"json": False}, _raises(Refused(reason)))
    assert capfd.readouterr().err == f"refused: {reason}\n"


def test_a_result_that_cannot_be_shown_is_no_success(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full to write to")
    with Path("/dev/full").open("w") as device:
        monkeypatch.setattr(sys, "stdout", device)
        assert in_frame("status", {"json": False}, _result(lambda people: people.print("hello"))) == 1
    assert "the result cannot be shown: [Errno 28]" in capfd.readouterr().err


def test_closed_streams_are_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    mend_streams()
    assert isinstance(sys.stdout, io.TextIOBase)
    sys.stdout.close()


def test_a_console_whose_reader_went_away_goes_quiet_and_ends_nothing() -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

        def fileno(self) -> int:
            return spare

    with Path("/dev/null").open("w") as device:
        spare = device.fileno()
        people = console()
        people.file = Gone()
        people.print("first")
        assert people.quiet
        people.print("second")


@pytest.mark.parametrize("faulty", [False, True])
def test_practice_is_said_above_everything_and_in_every_document(
    faulty: bool, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def entry(frame: Frame) -> Result:
        frame.facts["practice"] = True
        if faulty:
            raise Barred("no")
        return Result(exit_code=0, document={"answer": 42}, show=lambda people: people.print("shown"))

    in_frame("qc", {"json": True}, entry)
    out, err = capfdbinary.readouterr()
    assert orjson.loads(out)["practice"] is True
    assert err.decode().strip().startswith("PRACTICE")
    assert err.decode().count("PRACTICE") == 1


def test_a_result_that_says_by_itself_that_it_is_practice_is_not_marked_twice(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    def entry(frame: Frame) -> Result:
        frame.facts["practice"] = True
        return Result(exit_code=0, document={}, show=lambda people: people.print("mine"), marked=True)

    in_frame("status", {"json": False}, entry)
    assert b"PRACTICE" not in capfdbinary.readouterr().out
