"""This machine's own clock: a program that latches halts for a time and lets certificates grow old has to be able to believe it.

    ask              is it plausible, has it gone back behind what was written before, and does it run as fast as the monotonic clock?
    ask_synchronised is it held by a time service? Containers often cannot say; then that is not known, and no fault

How far it is from the venue's is another question, and the venue answers it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hydra.model.snapshot import Probe
from hydra.qc.check import Finding

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this program was written."""
LAST = datetime(2100, 1, 1, tzinfo=UTC)
BACK = timedelta(seconds=2)
"""How far the past may lie ahead: file systems round, and a time service may nudge the clock."""
MOMENT_SECONDS = 0.1
_TRIES = 3
_RATE = 0.05
"""A time service slews by 0.05% at most; a tenth of a second cannot be measured better than to some milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Two clocks and what has been seen of the first. ``past`` are wall times that have been, by what they are the time of."""

    wall_now: Callable[[], datetime]
    monotonic: Callable[[], float]
    pause: Callable[[float], None]
    past: Callable[[], Mapping[str, datetime]]
    synchronised: Callable[[], Probe | None]


def ask(clocks: Clocks) -> Finding:
    """Can the clock be believed? Raises what ``past`` raises."""
    now = clocks.wall_now()
    shown = f"{now:%Y-%m-%d %H:%M:%S}Z"
    if not FIRST <= now < LAST:
        return Finding(good=False, reason=f"{shown} is not between {FIRST:%Y-%m-%d} and {LAST:%Y-%m-%d}")
    past = clocks.past()
    ahead = {what: at for what, at in past.items() if at - now > BACK}
    if ahead:
        told = "; ".join(
            f"{what} is of {at:%Y-%m-%d %H:%M:%S}Z, {_ahead(at - now)} from now" for what, at in ahead.items()
        )
        return Finding(good=False, reason=f"{shown}: the clock has gone back: {told}")
    rate = _rate(clocks)
    for _ in range(_TRIES - 1):
        # A machine that is busy may put this aside between two readings: what is wrong with the clock is wrong each time.
        rate = rate if abs(rate - 1) <= _RATE else _rate(clocks)
    if abs(rate - 1) > _RATE:
        reason = (
            f"{shown}: {_TRIES} times, in {MOMENT_SECONDS * 1000:.0f} ms the clock went on by {rate:.2f} times that: "
            f"it is being set, or does not keep time"
        )
        return Finding(good=False, reason=reason)
    after = f"after {', '.join(past)}" if past else "there is nothing it could have gone back behind"
    return Finding(good=True, reason=f"{shown}, {after}; it runs as the monotonic clock does (to {abs(rate - 1):.1%})")


def ask_synchronised(clocks: Clocks) -> Finding:
    """Does a time service hold the clock? Not knowing is no answer, and no fault."""
    found = clocks.synchronised()
    if found is None:
        return Finding(good=None, reason="this machine does not say whether a time service holds its clock")
    return Finding(good=found.ok, reason=found.reason)


def _rate(clocks: Clocks) -> float:
    """Seconds of the wall clock for each of the monotonic one, over a moment."""
    began, at = _now(clocks)
    clocks.pause(MOMENT_SECONDS)
    ended, then = _now(clocks)
    spent = ended - began
    return (then - at).total_seconds() / spent if spent > 0 else 0.0


def _now(clocks: Clocks) -> tuple[float, datetime]:
    """Both clocks at about the same instant: the wall clock is read between two looks at the other."""
    before = clocks.monotonic()
    at = clocks.wall_now()
    return (before + clocks.monotonic()) / 2, at


def _ahead(gap: timedelta) -> str:
    seconds = gap.total_seconds()
    return f"{seconds:,.0f} s" if seconds < 3600 else f"{seconds / 3600:,.1f} hours"
