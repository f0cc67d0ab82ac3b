"""All seats at once, and always done by the deadline: one vote a seat, whatever happens behind it.

Every seat has a thread of its own, which outlives a brief. A gladiator is foreign code: what it returns is checked against what it was
asked, what it raises is an abstention, and one that is not done in time has abstained. Should it still be at work when the next brief
comes, that waits for it as long as there is time; a third is not even handed over.
The oddity: threads cannot be ended, so one that hangs for ever stays, asleep, until the process goes; it keeps nothing from going.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable

from hydra.gladiators.brief import Brief
from hydra.gladiators.seat import Gladiator
from hydra.guard import ask_foreign, shown
from hydra.model.snapshot import Failure
from hydra.model.votes import SEATS, Vote, Why, abstain

KEPT_BACK = 0.05
"""Of the deadline: what seats are not told of, so that they can still write down how they failed."""
KEPT_BACK_SECONDS_MAX = 0.5


class Seated(NamedTuple):
    """Who sits in a seat, for the screen and the records."""

    seat: str
    role: str
    engine: str
    model: str = ""
    prompt: str = ""
    cutoff: date | None = None
    against: str = ""
    calls: int = 0

    @property
    def shadow(self) -> bool:
        """A challenger: its votes count for nothing."""
        return self.seat not in SEATS

    @property
    def local(self) -> bool:
        """A rule of Hydra's own, not a model."""
        return self.engine.startswith("local:")


@runtime_checkable
class Closable(Protocol):
    """A gladiator that holds connections."""

    def close(self) -> None:
        """Wait no longer; from any thread."""
        ...

    def release(self) -> None:
        """Let go of everything; from the thread that asks."""
        ...


class _Call(NamedTuple):
    brief: Brief
    until: float
    """On the monotonic clock: what the seat is told of."""
    answers: SimpleQueue[tuple[str, object]]


_WAITING_MAX = 1
"""How many briefs may wait for a gladiator that is still busy with another."""


class _Seat:
    """One gladiator and its thread."""

    def __init__(self, gladiator: Gladiator) -> None:
        self.gladiator = gladiator
        self._lock = threading.Lock()
        self._handed = 0
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self.thread = threading.Thread(target=self._work, name=f"seat-{gladiator.seat}", daemon=True)
        self.thread.start()

    def ask(self, call: _Call) -> bool:
        """Hand a brief over; False when too many wait already."""
        with self._lock:
            if self._handed > _WAITING_MAX:
                return False
            self._handed += 1
        self._calls.put(call)
        return True

    def close(self) -> None:
        if isinstance(self.gladiator, Closable):
            self.gladiator.close()
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            answer: object = None
            seconds = call.until - time.monotonic()
            if seconds > 0:
                answer = ask_foreign(self.gladiator.engine, self.gladiator.vote, call.brief, seconds)
            with self._lock:
                self._handed -= 1
            if seconds > 0:
                call.answers.put((self.gladiator.seat, answer))
        if isinstance(self.gladiator, Closable):
            ask_foreign("closing", self.gladiator.release)


class Panel:
    """The gladiators of a tournament, asked together. ``seated`` says who they are, ``notes`` what is worth saying about it."""

    def __init__(
        self, gladiators: Iterable[Gladiator], seated: Sequence[Seated] = (), notes: Sequence[str] = ()
    ) -> None:
        gladiators = sorted(gladiators, key=lambda gladiator: order_of(gladiator.seat))
        known = {entry.seat: entry for entry in seated}
        self.seated: Mapping[str, Seated] = MappingProxyType(
            {g.seat: known.get(g.seat, Seated(g.seat, "", g.engine)) for g in gladiators}
        )
        if len(self.seated) < len(gladiators):
            raise ValueError("a seat holds one gladiator")
        self.notes = tuple(notes)
        self._seats = [_Seat(gladiator) for gladiator in gladiators]

    def ask(self, brief: Brief, deadline: float, heard: Callable[[Vote], None] = lambda _: None) -> tuple[Vote, ...]:
        """Everybody's vote on a brief, sorted by seat, within ``deadline`` seconds; ``heard`` is told of each as it comes in.

        ``heard`` is our own code, runs in the asking thread, and its time is part of the deadline's.
        """
        until = time.monotonic() + deadline
        call_until = until - min(deadline * KEPT_BACK, KEPT_BACK_SECONDS_MAX)
        answers: SimpleQueue[tuple[str, object]] = SimpleQueue()
        votes: dict[str, Vote] = {}
        waiting = {}
        for seat in self._seats:
            if seat.ask(_Call(brief, call_until, answers)):
                waiting[seat.gladiator.seat] = seat
            else:
                votes[seat.gladiator.seat] = self._late(seat, brief, "it is still busy with an earlier brief")
        while waiting and (left := until - time.monotonic()) > 0:
            try:
                name, answer = answers.get(timeout=left)
            except Empty:
                break
            seat = waiting.pop(name)
            votes[name] = _checked(seat.gladiator, brief, answer)
            heard(votes[name])
        for name, seat in waiting.items():
            votes[name] = self._late(seat, brief, f"no vote within {deadline:g} s")
        return tuple(votes[seat.gladiator.seat] for seat in self._seats)

    def close(self, seconds: float = 0.5) -> None:
        """Let everybody go, waiting at most ``seconds`` for those who are at work."""
        until = time.monotonic() + seconds
        for seat in self._seats:
            seat.close()
        for seat in self._seats:
            seat.thread.join(max(0.0, until - time.monotonic()))

    def _late(self, seat: _Seat, brief: Brief, detail: str) -> Vote:
        return _abstains(seat.gladiator, brief, Why.TIMEOUT, detail)


def order_of(seat: str) -> tuple[bool, int, str]:
    """Where a seat stands: A to D, then the challengers by number."""
    number = int(seat[1:]) if seat[1:].isdigit() else 0
    return seat not in SEATS, number, seat


def _checked(gladiator: Gladiator, brief: Brief, answer: object) -> Vote:
    """The answer, if it is a vote of this gladiator on this brief; else the abstention that says what it is."""
    if isinstance(answer, Failure):
        return _abstains(gladiator, brief, Why.ERROR, f"{answer.kind}: {answer.reason}")
    if not isinstance(answer, Vote):
        return _abstains(gladiator, brief, Why.ERROR, f"it answered with {type(answer).__name__} {shown(answer)}")
    asked = (gladiator.seat, gladiator.engine, brief.hash)
    if (answer.seat, answer.engine, answer.brief) != asked:
        said = f"seat {answer.seat}, engine {answer.engine}, brief {answer.brief[:16]}"
        return _abstains(gladiator, brief, Why.ERROR, f"its vote is of {said}")
    return answer


def _abstains(gladiator: Gladiator, brief: Brief, why: Why, detail: str) -> Vote:
    return abstain(gladiator.seat, why, detail, engine=gladiator.engine, brief=brief.hash)
