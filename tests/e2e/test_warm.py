"""A command from a warm process is the command that people start: the same words, exit code, folder and environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.place import WARM, Place


@pytest.mark.drill
def test_a_warm_command_says_and_ends_as_a_cold_one(certified: Place) -> None:
    for line in ("--version", "bots list --json", "run --frob", "replay nowhere --json", "replay logs"):
        warm, cold = certified.hydra(*line.split()), certified.cold(*line.split())
        assert warm == cold, line


@pytest.mark.drill
def test_a_warm_command_leaves_the_files_that_a_cold_one_leaves(certified: Place, tmp_path: Path) -> None:
    """Beside a database lies its log for as long as nobody has closed it, be it by ending."""
    other = certified.copied(tmp_path / "other")
    for line in ("run --cycles 3", "status", "verify-balance"):
        assert (certified.hydra(*line.split()).code, other.cold(*line.split()).code) == (0, 0)
        left, expected = ({path.name for path in place.state.iterdir()} for place in (certified, other))
        assert left == expected, line


def test_a_warm_command_has_nothing_of_ours_but_what_it_is_given(certified: Place, tmp_path: Path) -> None:
    (tmp_path / "telling.py").write_text(
        "import os, sys\nprint(os.getcwd(), sorted(os.environ.items()), sys.path[:2], sys.argv[1:], 'tests' in sys.modules)\n"
        "sys.exit('ended with a text' if sys.argv[1:] else None)\n"
    )
    environment = {"PYTHONPATH": f"{certified.program}:{tmp_path}", "MINE": "1"}
    folder = certified.folder
    bare = subprocess.run(
        [sys.executable, "-m", "telling", "a"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    code, out, err = WARM[certified.program].run(["telling", "a"], folder, environment, 20)
    assert (code, err) == (bare.returncode, bare.stderr) == (1, "ended with a text\n")
    assert out == bare.stdout.replace("('LC_CTYPE', 'C.UTF-8'), ", "")  # the interpreter's own, added at a bare start
    assert WARM[certified.program].run(["telling"], folder, environment, 20)[0] == 0


def test_a_warm_command_that_takes_too_long_is_ended(certified: Place) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        WARM[certified.program].run(
            ["timeit", "-n", "1", "import time; time.sleep(60)"], certified.folder, {**certified.environment({})}, 0.5
        )
