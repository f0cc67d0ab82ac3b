"""The program printed in the journal's documentation does what the documentation says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hydra.adapters.files import RealFiles
from tests.adapters.journals import small_journal

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "journal.md"


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    [code] = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    (folder / "check.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-I", str(folder / "check.py"), str(folder / "run-a.001.jsonl")]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_the_printed_program_accepts_a_real_segment(tmp_path: Path) -> None:
    events = small_journal(RealFiles(), tmp_path)
    result = check(tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"4 events, the last is 4 with hash {events[3].hash}\n"


@pytest.mark.parametrize(
    ("alter", "complaint"),
    [
        (lambda lines: [lines[0], lines[1].replace(b'"cycle":1', b'"cycle":2'), *lines[2:]], "line 2: the hash"),
        (lambda lines: [lines[0], lines[2], lines[3]], "line 2: does not follow line 1"),
        (lambda lines: [*lines[:3], lines[3][:-1]], "line 4: the hash does not match, or the line is torn"),
    ],
    ids=["altered", "removed", "torn"],
)
def test_the_printed_program_refuses_an_altered_segment(tmp_path: Path, alter, complaint: str) -> None:
    small_journal(RealFiles(), tmp_path)
    path = tmp_path / "run-a.001.jsonl"
    path.write_bytes(b"".join(alter(path.read_bytes().splitlines(keepends=True))))
    result = check(tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith(complaint)
