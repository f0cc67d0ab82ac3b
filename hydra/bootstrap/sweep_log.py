"""What a sweep has played, a line a run, so that one that was killed goes on with what is missing.

The first line says of what it is the log: the hashes of policy, prices, parameters and program, and how far the history is played.
A log of anything else is refused by the name of what differs. A line counts once it ends; each is on the disk before the next run is
looked at. A last line that was torn is dropped, and said; what is wrong anywhere else is damage, and nothing goes on from it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from hydra.model.errors import BadConfig, Corrupt, Invalid
from hydra.model.values import Value, decode, encode
from hydra.study.sweep_rows import Part, Row

LOG = "runs.jsonl"
FORM = 1
_SHOWN = 80
_HASH_DIGITS, _HASH_SHOWN = 64, 12


class Head(Value, frozen=True, kw_only=True):
    """The first line. ``of`` is what the sweep is of, by name."""

    form: int
    sweep: str
    of: dict[str, Any]


@dataclass(slots=True)
class SweepLog:
    """The log in a folder, opened to be gone on with. Use as a context manager.

    ``rows`` are the runs that are in it, by their key, ``notes`` what is to be said of it. Raises ``BadConfig`` for the log of
    another sweep, ``Corrupt`` for one that is damaged.
    """

    folder: Path
    sweep: str
    of: Mapping[str, Any]
    rows: dict[tuple[int, Part, int], Row] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _file: BinaryIO | None = None

    @property
    def path(self) -> Path:
        """The log's file."""
        return self.folder / LOG

    def __enter__(self) -> Self:
        kept = self._read()
        self._file = self.path.open("ab")
        self._file.truncate(kept)
        if not kept:
            self._write(encode(Head(form=FORM, sweep=self.sweep, of=dict(self.of))))
            _sync_folder(self.folder)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def take(self, row: Row) -> None:
        """Keep a run: on the disk when this returns. Raises ``OSError``."""
        assert row.key not in self.rows, f"{row.key} is there already"
        self._write(encode(row))
        self.rows[row.key] = row

    def _write(self, line: bytes) -> None:
        assert self._file is not None, "used inside its with block"
        self._file.write(line + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self) -> int:
        """Take up what is there; how many bytes of it count."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return 0
        kept = content.rfind(b"\n") + 1
        if kept < len(content):
            self.notes.append(f"{self.path}: a torn last line of {len(content) - kept} bytes was dropped")
        lines = content[:kept].split(b"\n")[:-1]
        if not lines:
            return 0
        self._compare(lines[0])
        for number, line in enumerate(lines[1:], start=2):
            try:
                row = decode(line, Row)
            except Invalid as error:
                raise Corrupt(f"{self.path}, line {number}: {error}; name another --out, or move it away") from error
            if row.key in self.rows:
                raise Corrupt(
                    f"{self.path}, line {number}: a run that is there already; name another --out, or move it away"
                )
            self.rows[row.key] = row
        return kept

    def _compare(self, line: bytes) -> None:
        try:
            head = decode(line, Head)
        except Invalid as error:
            raise BadConfig(f"{self.path} is not the log of a sweep: {error}; name another --out") from error
        if head.form != FORM:
            raise BadConfig(
                f"{self.path} is a sweep's log of form {head.form}, this program's is {FORM}; name another --out"
            )
        for name in {**head.of, **self.of}:
            before, now = head.of.get(name), self.of.get(name)
            if before != now:
                raise BadConfig(
                    f"{self.path} is of another sweep: its {name} is {_cut(before)}, here it is {_cut(now)}; name another --out"
                )


def _cut(value: Any) -> str:
    text = "none" if value is None else str(value)
    if len(text) == _HASH_DIGITS and text.isalnum():
        return text[:_HASH_SHOWN]
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every file system lets a folder be opened
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
