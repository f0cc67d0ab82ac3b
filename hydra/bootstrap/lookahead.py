"""Does a backtest know its future? The same history is played again with other futures, and must be decided the same up to there.

For some moments, spread over the history, everything after the moment is bent, and then cut off (``hydra.adapters.markets.other_future``);
each is played up to its moment. Every cycle has to see, to answer and to decide, byte for byte, what it did before.

This finds whoever gets at prices that are not known yet through what the program gives them: a bot in this process, a signal, an
exchange that fills too early. It does not find what has the future in itself: a bot that has read the files, or was fitted to them.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from itertools import pairwise

from hydra.adapters.markets.other_future import Future
from hydra.bootstrap.backtest import Backtest
from hydra.engine.replay import differences
from hydra.engine.run import Loop
from hydra.model.events import Answered, CycleClosed, Decided, Event
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Observed
from hydra.model.values import Value, encode

MOMENTS = 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_JUDGED = (Observed, Answered, Decided)

Stopped = Callable[[], int | None]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """The first cycle that was another one in front of another future. ``cycle`` counts from 1."""

    at: datetime
    cycle: int
    moment: datetime
    future: Future
    where: str
    before: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What the check came to: how many cycles were played again in front of how many futures, and the first that differed."""

    cycles: int
    futures: int
    leak: Leak | None


class Digests:
    """Every cycle of a backtest as a number and its time. What it is told of is as ``Hear`` has it."""

    def __init__(self) -> None:
        self.at = array("q")
        self.digest = array("Q")
        self._hash = blake2b(digest_size=8)
        self._now = 0

    def __len__(self) -> int:
        return len(self.at)

    def take(self, event: Event, _ledger: Ledger) -> None:
        """One event."""
        data = event.data
        if isinstance(data, _JUDGED):
            self._hash.update(encode(data))
            if isinstance(data, Observed):
                self._now = (data.at - _EPOCH) // _MICROSECOND
        elif isinstance(data, CycleClosed):
            self.at.append(self._now)
            self.digest.append(int.from_bytes(self._hash.digest()))
            self._hash = blake2b(digest_size=8)


class _Cycle:
    """What one cycle of a backtest saw, answered and decided."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._closed = 0
        self.payloads: list[Value] = []

    def take(self, event: Event, _ledger: Ledger) -> None:
        if self._closed == self._wanted and isinstance(event.data, _JUDGED):
            self.payloads.append(event.data)
        self._closed += isinstance(event.data, CycleClosed)


def look_ahead(backtest: Backtest, known: Digests, stopped: Stopped, progress: Progress) -> Looked:
    """Play ``backtest`` (its history, not itself) again in front of other futures. ``known`` is what it came to the first time."""
    cycles = futures = 0
    for moment in _moments(known, backtest.policy.engine.seed):
        for future in Future:
            progress(f"looking ahead: {future} after {moment:%Y-%m-%d %H:%M}Z")
            again = Digests()
            other = _other(backtest, moment, future)
            _play(replace(other, hear=again.take), len(known), stopped)
            if stopped() is not None:
                return Looked(cycles=cycles, futures=futures, leak=None)
            cycles, futures = cycles + len(again), futures + 1
            first = _first_difference(known, again, moment)
            if first is not None:
                return Looked(cycles=cycles, futures=futures, leak=_told(backtest, other, first, stopped))
    return Looked(cycles=cycles, futures=futures, leak=None)


def _moments(known: Digests, seed: int) -> tuple[datetime, ...]:
    """Some times of cycles, one from each part of the history; the same ones each time."""
    chance = random.Random(f"look ahead {seed} {len(known)}")  # noqa: S311  # nothing is kept secret by it
    parts = min(MOMENTS, len(known) - 1)
    edges = [(len(known) - 1) * part // parts for part in range(parts + 1)] if parts > 0 else []
    places = [chance.randrange(low, high) for low, high in pairwise(edges) if low < high]
    return tuple(_EPOCH + known.at[place] * _MICROSECOND for place in places)


def _other(backtest: Backtest, moment: datetime, future: Future) -> Backtest:
    stretch = replace(backtest.stretch, until=moment)
    return replace(backtest, stretch=stretch, other=(moment, future), journal_dir=None, notes=[])


def _play(backtest: Backtest, cycles: int, stopped: Stopped) -> None:
    with backtest:
        Loop(
            engine=backtest.engine,
            segment=backtest.segment,
            cycles_max=max(1, cycles),
            interval_seconds=0,
            stopped=stopped,
            watch=lambda _report: None,
            daily=False,
        ).run()


def _first_difference(known: Digests, again: Digests, moment: datetime) -> int | None:
    """The place of the first cycle up to the moment that is another; one that is missing, or that there was not, is one too."""
    last = (moment - _EPOCH) // _MICROSECOND
    upto = next((place for place, at in enumerate(known.at) if at > last), len(known))
    for place in range(min(upto, len(again))):
        if known.digest[place] != again.digest[place] or known.at[place] != again.at[place]:
            return place
    return None if len(again) == upto else min(upto, len(again))


def _told(backtest: Backtest, other: Backtest, place: int, stopped: Stopped) -> Leak:
    """Both cycles once more, and the first field in which they differ."""
    first, second = _Cycle(place), _Cycle(place)
    same = replace(backtest, journal_dir=None, notes=[])
    _play(replace(same, hear=first.take), place + 1, stopped)
    _play(replace(other, hear=second.take), place + 1, stopped)
    assert other.other is not None
    moment, future = other.other
    where, before, now = next(_fields(first, second), ("cycle", "there was one", "there was none"))
    at = next((payload.at for payload in first.payloads if isinstance(payload, Observed)), moment)
    return Leak(at=at, cycle=place + 1, moment=moment, future=future, where=where, before=before, now=now)


def _fields(first: _Cycle, second: _Cycle) -> Iterator[tuple[str, str, str]]:
    ours = {type(payload).__name__.lower(): payload for payload in first.payloads}
    theirs = {type(payload).__name__.lower(): payload for payload in second.payloads}
    yield from differences(ours, theirs)
