"""Every journal that a test leaves behind is decided again: each segment once in a session, in this process.

A segment carries the ledger and everything seen that it needs, so what other tests have left already (copies of a common beginning) is
not gone through again. A torn last line is an open tail, and no difference.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import Reading
from hydra.adapters.journal.segments import first_line, segments
from hydra.bootstrap.hosts import replay_host
from hydra.bootstrap.plugs import rule_book
from hydra.engine.replay import Replayed, Replayer
from hydra.policy import Policy
from hydra.ports import BotHost
from hydra.risk.plugs import RuleBook

_SEEN: set[bytes] = set()
"""Digests of the segments that were gone through in this process."""


class Spent:
    """What it has cost so far."""

    seconds = 0.0
    segments = 0


def journals(folder: Path) -> list[Path]:
    """The folders with segments below a folder, those of backtests among them; not what a doctor has put aside."""
    found = {path.parent for pattern in ("*.jsonl", "*.jsonl.zst") for path in folder.rglob(pattern)}
    return sorted(path for path in found if path.name != "aside")


def differing(folder: Path, home: Path) -> str:
    """What is not decided again as it was, of a journal that was written in ``home``; empty when all of it is."""
    began = time.perf_counter()
    files = RealFiles()
    paths = [info.path for info in segments(files, folder)]
    heads = {path: first_line(files, path) for path in paths}
    whole = sorted((path for path in paths if heads[path] is not None), key=lambda path: heads[path].seq)  # type: ignore[union-attr]  # none is left
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in whole]
    first = next((place for place, digest in enumerate(digests) if digest not in _SEEN), len(whole))
    try:
        found = _again(files, whole[first:], home).difference
    finally:
        Spent.segments += len(whole) - first
        Spent.seconds += time.perf_counter() - began
    if found is None:
        _SEEN.update(digests)
        return ""
    return f"{folder}: event {found.seq}, cycle {found.cycle}: {found.where}: recorded {found.recorded}, now {found.recomputed}"


def _again(files: RealFiles, paths: list[Path], home: Path) -> Replayed:
    with _working_in(home), ExitStack() as stack:

        def resolve(document: Mapping[str, Any]) -> tuple[RuleBook, BotHost]:
            policy = Policy.model_validate(document)
            host = replay_host(policy)
            stack.callback(host.close)
            return rule_book(policy), host

        replayer = Replayer(resolve)
        for event in Reading(files, paths):
            replayer.take(event)
            if replayer.result.difference is not None:
                break
        return replayer.result


@contextlib.contextmanager
def _working_in(home: Path) -> Iterator[None]:
    """Bots are files named from the folder in which the command ran."""
    before = Path.cwd()
    os.chdir(home)
    try:
        yield
    finally:
        os.chdir(before)
