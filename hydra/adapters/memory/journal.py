"""A journal that keeps nothing: what was appended is an event like any other, and is gone when whoever heard it has let go of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hydra.model.events import GENESIS, KIND_OF, VERSION, Event
from hydra.model.values import Value
from hydra.ports import Head


class PassingJournal:
    """The ``Journal`` port without a disk. Events are numbered and not hashed: there is nothing to be held against."""

    def __init__(self, run: str, now: Callable[[], datetime]) -> None:
        self._run = run
        self._now = now
        self._seq, self._hash = 0, GENESIS

    def append(self, payload: Value) -> Event:
        before = self._hash
        self._seq += 1
        self._hash = f"{self._seq:064d}"
        return Event(
            v=VERSION,
            seq=self._seq,
            ts=self._now(),
            run=self._run,
            kind=KIND_OF[type(payload)],
            data=payload,
            prev=before,
            hash=self._hash,
        )

    def sync(self) -> None:
        """Nothing has to survive."""

    def head(self) -> Head:
        return Head(seq=self._seq, hash=self._hash)

    def turn(self, payload: Value) -> Event:
        return self.append(payload)

    def wants_turn(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing to let go of."""
