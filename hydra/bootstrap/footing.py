"""What a certificate stands on beside code and configuration, looked at again while a command runs: who may change the files, whether the
lock and the store are still those that were opened, whether every segment of the journal is still there, and whether the clock was set.

``hydra qc`` has asked all of this once. What has become wrong since then is no longer what was certified: the binding says so, the gate
``certificate`` shuts, and nothing is entered until ``hydra qc`` has passed again and a new run is started. A look costs a ``stat`` for each of
some ten paths; folders are read only when they have changed.

Not looked at, because each cycle cannot afford it: what stands inside an older segment (``hydra qc`` and ``hydra check-io`` read), the modes of
single files in the folders, the tables of the store.

The oddity: a clock that was set stays said for as long as this process lives, also when it is set right again, because nobody knows what was
done by it in between. Time in which the machine slept is no jump where the system has a clock that counts it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hydra.bootstrap.leftovers import PACKED
from hydra.bootstrap.machine import places_of
from hydra.bootstrap.setup import STORE, Setup, wall_now
from hydra.qc.permissions import faults

JUMP_SECONDS = 5.0
"""What two looks may be apart by the two clocks, beside a tenth of the time between them: time services pull by less than that."""
_JUMP_SHARE = 0.1
_MOMENT_SECONDS = 0.5
"""A look during which this process was put aside for longer says nothing of the clock."""
_NAMED_MAX = 3
_SEGMENTS = tuple(f".jsonl{packing}" for packing in ("", *PACKED))


def awake_seconds() -> float:
    """Seconds that nobody sets, also of a sleeping machine where the system counts them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """The clock that people read, and one that nobody sets, in seconds."""

    wall_now: Callable[[], datetime] = wall_now
    seconds: Callable[[], float] = awake_seconds


class Footing:
    """What was there when it was made, held against what is there at each look. Not meant for several threads at once.

    ``look_seconds`` pass between two looks (0: each call looks).
    """

    def __init__(self, setup: Setup, *, look_seconds: float = 0.0, hands: Hands | None = None) -> None:
        self._places = places_of(setup)
        own = (setup.lock_path, *(() if setup.policy.store.url else (setup.state_dir / STORE,)))
        self._own = {path: _number(path) for path in own}
        self._modes: tuple[object, ...] | None = None
        self._open: tuple[str, ...] = ()
        self._log_dir = setup.log_dir
        self._changed_at: int | None = None
        self._segments: dict[str, int] = {}
        self._lost: dict[str, str] = {}
        self._hands = hands or Hands()
        self._read: tuple[datetime, float] | None = None
        self._jumped = ""
        self._look_seconds = look_seconds
        self._looked_at: float | None = None
        self._found: tuple[str, ...] = ()
        self.look()

    def look(self) -> tuple[str, ...]:
        """What is wrong now, in sentences; what cannot be looked at is wrong."""
        now = self._hands.seconds()
        if self._looked_at is None or now - self._looked_at >= self._look_seconds:
            self._looked_at = now
            found = (*self._clock(), *self._replaced(), *self._lost_segments(), *self._opened())
            more = len(found) - _NAMED_MAX
            self._found = (*found[:_NAMED_MAX], *((f"and {more} more",) if more > 0 else ()))
        return self._found

    # -- inside

    def _clock(self) -> Iterator[str]:
        before = self._hands.seconds()
        at = self._hands.wall_now()
        after = self._hands.seconds()
        if after - before > _MOMENT_SECONDS:
            return
        if self._read is not None and not self._jumped:
            passed = after - self._read[1]
            off = (at - self._read[0]).total_seconds() - passed
            if abs(off) > JUMP_SECONDS + _JUMP_SHARE * passed:
                way = "back" if off < 0 else "forward"
                self._jumped = f"this machine's clock was set {way} by {abs(off):,.0f} s, about {at:%Y-%m-%d %H:%M:%S}Z"
        self._read = (at, after)
        if self._jumped:
            yield self._jumped

    def _replaced(self) -> Iterator[str]:
        for path, number in self._own.items():
            now = _number(path)
            if now != number:
                yield f"{path} is {'gone' if now is None else 'another file'}, since this command began"

    def _lost_segments(self) -> Iterator[str]:
        try:
            changed_at = self._log_dir.stat().st_mtime_ns
            if changed_at != self._changed_at:
                with os.scandir(self._log_dir) as entries:
                    self._compare({entry.name: entry.inode() for entry in entries if entry.name.endswith(_SEGMENTS)})
                # The stamp is older than what was read: what comes in between shows at the next look.
                self._changed_at = changed_at
        except OSError as error:
            yield f"{self._log_dir} cannot be looked at: {error.strerror}"
        yield from self._lost.values()

    def _compare(self, there: dict[str, int]) -> None:
        for name, number in self._segments.items():
            plain = name.removesuffix(Path(name).suffix) if Path(name).suffix in PACKED else name
            if there.get(name, number) != number:
                self._lost[name] = f"the journal's segment {name} is another file, since this command began"
            elif name not in there and not any(plain + packing in there for packing in ("", *PACKED)):
                self._lost[name] = f"the journal's segment {name} is gone"
        self._segments = there

    def _opened(self) -> Iterator[str]:
        modes = tuple(_mode(place.path) for place in self._places)
        if modes != self._modes:
            try:
                self._open = tuple(fault.reason for fault in faults(self._places, os.geteuid()))
            except OSError as error:
                self._open = (f"the files' modes cannot be looked at: {error}",)
            self._modes = modes
        yield from self._open


def _number(path: Path) -> int | None:
    """What tells a file from another of its name; ``None``: it is not there."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def _mode(path: Path) -> tuple[int, int, int] | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_mode, seen.st_uid, seen.st_gid
