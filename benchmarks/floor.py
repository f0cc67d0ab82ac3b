"""The floor under a durable cycle: what SQLite and the disk cost when nobody thinks in between.

One row updated in one transaction (WAL, ``synchronous = NORMAL``, the driver itself), and a journal of which the same number
of bytes is written and synced the same number of times as the cycle just measured.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from time import perf_counter_ns


class Floor:
    """A database and a file in two folders, written to as barely as can be."""

    def __init__(self, state: Path, logs: Path) -> None:
        self._database = sqlite3.connect(state / "floor.db", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("CREATE TABLE position (id INTEGER PRIMARY KEY, seq INTEGER, at TEXT, hash TEXT)")
        self._database.execute("INSERT INTO position VALUES (1, 0, '', '')")
        self._journal = os.open(logs / "floor.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self._seq = 0

    def once(self, written_bytes: int, syncs: int) -> int:
        """Nanoseconds for one commit and ``syncs`` fsyncs of ``written_bytes`` in all."""
        self._seq += 1
        piece = b"x" * (written_bytes // max(syncs, 1))
        row = (self._seq, "2025-01-06T15:00:00+00:00", "0" * 64)
        execute, journal = self._database.execute, self._journal
        began = perf_counter_ns()
        for _ in range(syncs):
            os.write(journal, piece)
            os.fsync(journal)
        execute("BEGIN IMMEDIATE")
        execute("UPDATE position SET seq = ?, at = ?, hash = ? WHERE id = 1", row)
        execute("COMMIT")
        return perf_counter_ns() - began

    def close(self) -> None:
        """Let go."""
        self._database.close()
        os.close(self._journal)
