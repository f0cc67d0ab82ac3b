"""What was seen, row by row, remembered in a file: playing all of them takes minutes."""

from __future__ import annotations

import fcntl
from pathlib import Path

import msgspec

from tests.drill.defects.exercise import Seen


class Kept:
    """Rows that were caught. Several processes may add to one file: a line a row."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def seen(self) -> dict[str, Seen]:
        """By the name of the row; the last word counts."""
        lines = self._path.read_bytes().splitlines() if self._path.is_file() else []
        return dict(msgspec.json.decode(line, type=tuple[str, Seen]) for line in lines)

    def add(self, name: str, seen: Seen) -> None:
        """Remember one."""
        with self._path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(msgspec.json.encode((name, seen)) + b"\n")
