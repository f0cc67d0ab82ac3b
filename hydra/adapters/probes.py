"""Health measurements that are not the venue's: can the state and journal folders be written, is there room, does the
store answer.

A probe does what the engine will do: it writes, syncs, reads back and compares. It never answers from memory alone: a
measurement older than ``probe_seconds`` is made again, and one that raises is a failed probe, never a missing one.
"""

from __future__ import annotations

import itertools
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from hydra.guard import attempt
from hydra.model.snapshot import Probe
from hydra.ports import Files

Measure: TypeAlias = Callable[[], Probe]
"""One measurement; what it raises becomes a failed probe."""

PROBE_FILE = ".hydra-probe"
_MB = 1024 * 1024


class HealthProbes:
    """The ``Probes`` port: a table of measurements, made anew when the last are older than ``probe_seconds``.

    While they are young, the very same mapping is returned. ``probe_seconds`` is monotonic time; 0 measures at each call.
    """

    def __init__(
        self,
        measures: Mapping[str, Measure],
        *,
        probe_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._measures = dict(measures)
        self._probe_seconds = probe_seconds
        self._monotonic = monotonic
        self._measured_at = -math.inf
        self._latest: Mapping[str, Probe] = MappingProxyType({})

    def read(self) -> Mapping[str, Probe]:
        """The latest measurement of each kind. Raises nothing."""
        now = self._monotonic()
        if now - self._measured_at >= self._probe_seconds:
            self._latest = {name: _measured(name, measure) for name, measure in self._measures.items()}
            self._measured_at = now
        return self._latest


def _measured(name: str, measure: Measure) -> Probe:
    outcome = attempt(name, measure)
    if outcome.failure is not None:
        return Probe(ok=False, reason=f"{outcome.failure.kind}: {outcome.failure.reason}")
    if outcome.value is None:
        return Probe(ok=False, reason="the probe returned nothing")
    return outcome.value


def writing(files: Files, folder: Path, name: str = PROBE_FILE) -> Measure:
    """Whether what is written into ``folder`` is there when read back: a real write, synced. The number is milliseconds.

    Two processes that measure the same folder at once use files of different ``name``.
    """
    path = folder / name
    serial = itertools.count(1)

    def measure() -> Probe:
        began = time.perf_counter()
        # A new content each time: a file left from the last probe must not pass for this one.
        written = f"hydra probe {next(serial)} {began}\n".encode()
        files.write_whole(path, written)
        found = b"".join(files.chunks(path))
        took_ms = _milliseconds_since(began)
        if found != written:
            return Probe(ok=False, reason=f"{path}: wrote {written!r}, read back {found[:80]!r}", number=took_ms)
        return Probe(ok=True, reason=f"{folder}: written, synced and read back in {took_ms:.2f} ms", number=took_ms)

    return measure


def room(folders: Sequence[Path], minimum_mb: int) -> Measure:
    """Whether every folder's disk has ``minimum_mb`` megabytes (of 1024 squared) free. The number is the least of them."""

    def measure() -> Probe:
        began = time.perf_counter()
        free = {folder: shutil.disk_usage(folder).free / _MB for folder in folders}
        took_ms = _milliseconds_since(began)
        least = min(free.values())
        rooms = ", ".join(f"{megabytes:.0f} MB free in {folder}" for folder, megabytes in free.items())
        reason = f"{rooms}; at least {minimum_mb} MB are needed ({took_ms:.2f} ms)"
        return Probe(ok=least >= minimum_mb, reason=reason, number=math.floor(least))

    return measure


def answering(what: str, ask: Callable[[], object]) -> Measure:
    """Whether ``ask`` returns: a small read, such as the store's ``ping``. The number is milliseconds."""

    def measure() -> Probe:
        began = time.perf_counter()
        ask()
        took_ms = _milliseconds_since(began)
        return Probe(ok=True, reason=f"{what} answered in {took_ms:.2f} ms", number=took_ms)

    return measure


def standard_measures(
    files: Files, *, state: Path, journal: Path, minimum_mb: int, store: Callable[[], object]
) -> dict[str, Measure]:
    """The measurements the gates ask for, by name; more may be added to the table."""
    return {
        "state_io": writing(files, state),
        "journal_io": writing(files, journal),
        "disk": room((state, journal), minimum_mb),
        "store": answering("the state store", store),
    }


def _milliseconds_since(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 3)
