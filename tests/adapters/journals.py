"""Small journals for the tests: events, writers on a fake disk, and lines forged with valid hashes."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hydra.adapters.journal.lines import BEFORE_FIRST
from hydra.adapters.journal.writer import JournalWriter
from hydra.adapters.memory.files import LossyFiles
from hydra.model.events import CycleClosed, Event, Mended, RunClosed, SegmentOpened
from hydra.model.portfolio import Ledger
from hydra.ports import Files, Head

START = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
FOLDER = Path("/logs")


class Ticks:
    """A clock that moves on by a second each time it is read."""

    def __init__(self, start: datetime = START) -> None:
        self.at = start

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


def opened(segment: int = 1) -> SegmentOpened:
    return SegmentOpened(
        segment=segment,
        wall=START,
        command="hydra run",
        host="here",
        pid=7,
        version="0",
        code_hash="c",
        policy_hash="p",
        policy={"mode": "paper"},
        seed=1,
        market="sim",
        practice=True,
        ledger=Ledger(),
    )


def cycle(number: int) -> CycleClosed:
    return CycleClosed(cycle=number, micros={"observe": number, "decide": 2})


def writer(
    files: Files, run: str = "run", after: Head = BEFORE_FIRST, folder: Path = FOLDER, **more: Any
) -> JournalWriter:
    return JournalWriter(files, folder, run, now=more.pop("now", Ticks()), after=after, **more)


def small_journal(files: Files, folder: Path = FOLDER) -> list[Event]:
    """Three segments of two runs: run-a.001 (1-4), run-a.002 (5-7), run-b.001 (8-9); the last run has ended."""
    first = writer(files, "run-a", folder=folder)
    events = [
        first.turn(opened()),
        first.append(cycle(1)),
        first.append(Mended(what="ä", note="a\nb")),
        first.append(cycle(2)),
    ]
    events += [first.turn(opened(2)), first.append(cycle(3)), first.append(cycle(4))]
    first.close()
    second = writer(files, "run-b", first.head(), folder=folder, now=Ticks(START + timedelta(days=1)))
    events += [second.turn(opened()), second.append(RunClosed(reason="done", exit_code=0, cycles=4))]
    second.close()
    return events


def lossy(seed: int = 0) -> LossyFiles:
    files = LossyFiles(seed)
    files.make_dir(FOLDER)
    return files


def forged(line: bytes, **changes: Any) -> bytes:
    """The line with fields changed, added or (``...``) taken out, and a hash that fits."""
    event = {**json.loads(line), **changes}
    event.pop("hash")
    body = json.dumps({key: value for key, value in event.items() if value is not ...}, separators=(",", ":")).encode()
    return rehashed(body)


def rehashed(body: bytes) -> bytes:
    """A line (newline included) around a body that ends in a brace, with a hash that fits."""
    return body[:-1] + b',"hash":"' + hashlib.sha256(body).hexdigest().encode() + b'"}\n'
