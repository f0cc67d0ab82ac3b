"""Playing a sabotage: a copy of the program with one edit, and the command that has to notice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from tests.sabotage.table import Sabotage

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 60.0
"""Within which a sabotage has to be noticed."""
_COPIED = ("hydra", "tests", "configs")


@dataclass(frozen=True, slots=True)
class Noticed:
    """What the command said, how it ended (``None``: it had to be ended), and how long it took, seconds."""

    said: str
    code: int | None
    seconds: float

    def claim(self, sabotage: Sabotage) -> str:
        """The line that names a claim the sabotage breaks; empty when nothing does."""
        return next((line for line in self.said.splitlines() if any(each in line for each in sabotage.claims)), "")


def copy_program(folder: Path) -> None:
    """The program and its tests, without what Python caches."""
    for name in _COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))


def spoil(folder: Path, sabotage: Sabotage) -> None:
    """Make the edits. Raises ``ValueError`` when a text that is replaced does not stand there exactly once."""
    for file, old, new in sabotage.edits:
        path = folder / "hydra" / file
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{file}: {text.count(old)} times in it, expected once: {old!r}")
        path.write_text(text.replace(old, new), encoding="utf-8")


def run_tool(folder: Path, sabotage: Sabotage, seconds: float = SECONDS) -> Noticed:
    """Run the command in the copy, for at most so long."""
    began = monotonic()
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    with subprocess.Popen(
        [sys.executable, *sabotage.tool],
        cwd=folder,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=seconds)
            code: int | None = process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            said, _ = process.communicate()
            code = None
    return Noticed(said, code, monotonic() - began)
