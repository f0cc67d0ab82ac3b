"""The ports of a voyage: a journal in memory, calls that go wrong as a beat says, and an ear at the broker's door."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from hydra.model.errors import Unreachable
from hydra.model.events import GENESIS, KIND_OF, VERSION, Event
from hydra.model.values import Value, decode, encode, replace
from hydra.ports import Head
from hydra.qc.rehearsal.beats import How, Trouble


class Gone(BaseException):
    """The process ends here. ``power``: what was not synced may be lost."""

    def __init__(self, *, power: bool) -> None:
        super().__init__("killed")
        self.power = power


class MemoryJournal:
    """A journal in memory that remembers what was synced, and gives events back as they are read from their bytes.

    Values do not change, so their bytes are made when they are read: in a quarter of all voyages that is all of them.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._rows: list[Event] = []
        self._head = GENESIS
        self.synced = 0
        self.run = ""

    def append(self, payload: Value) -> Event:
        seq = len(self._rows) + 1
        before, self._head = self._head, self._hash(seq)
        event = Event(
            v=VERSION,
            seq=seq,
            ts=self._now(),
            run=self.run,
            kind=KIND_OF[type(payload)],
            data=payload,
            prev=before,
            hash=self._head,
        )
        self._rows.append(event)
        return event

    def sync(self) -> None:
        self.synced = len(self._rows)

    def head(self) -> Head:
        return Head(seq=len(self._rows), hash=self._head)

    def turn(self, payload: Value) -> Event:
        self.sync()
        event = self.append(payload)
        self.sync()
        return event

    def wants_turn(self) -> bool:
        return False

    def close(self) -> None:
        self.sync()

    @staticmethod
    def _hash(seq: int) -> str:
        return str(seq).zfill(64) if seq else GENESIS

    # -- what the voyage asks

    @property
    def length(self) -> int:
        return len(self._rows)

    def written(self, start: int = 0) -> list[Event]:
        """The events from a place on, as they were appended."""
        return self._rows[start:]

    def read(self, after: int = 0) -> Iterable[Event]:
        """The events after a sequence number, from their bytes."""
        for event in self._rows[after:]:
            yield replace(event, data=decode(encode(event.data), type(event.data)))

    def lose_power(self, chance: random.Random) -> None:
        """Of what was not synced, chance decides how much is left."""
        del self._rows[chance.randint(self.synced, len(self._rows)) :]
        self._head = self._hash(len(self._rows))


class Flaky:
    """Stands before a port and does what the beat's troubles say; everything else is passed on."""

    def __init__(self, name: str, inner: Any, on_struck: Callable[[Trouble], None]) -> None:
        self._name = name
        self._inner = inner
        self._on_struck = on_struck
        self._calls: dict[str, int] = {}
        self._due: dict[tuple[str, int], How] = {}
        self._open: list[str] = []

    def arm(self, troubles: Sequence[Trouble]) -> None:
        """Forget the last beat; these are the troubles of this one."""
        if not troubles and not self._due:
            return
        self._calls = {}
        self._due = {(each.method, each.nth): each.how for each in troubles if each.port == self._name}
        if self._due:
            for method in self._open:
                del self.__dict__[method]
            self._open.clear()

    def __getattr__(self, method: str) -> Any:
        real = getattr(self._inner, method)
        if not callable(real):
            return real
        if not self._due:
            # Nothing goes wrong in this beat: until something does, what is asked for again is found without coming here.
            self.__dict__[method] = real
            self._open.append(method)
            return real

        def call(*arguments: Any) -> Any:
            nth = self._calls.get(method, 0)
            self._calls[method] = nth + 1
            how = self._due.get((method, nth))
            if how is None:
                return real(*arguments)
            self._on_struck(Trouble(self._name, method, nth, how))
            if how in (How.AFTER, How.POWER):
                real(*arguments)
            return _go_wrong(self._name, method, how)

        return call


def _go_wrong(port: str, method: str, how: How) -> Any:
    if how in (How.KILLED, How.POWER):
        raise Gone(power=how is How.POWER)
    if how is How.NONSENSE:
        return None
    kind: type[Exception] = {"journal": OSError, "store": OSError, "inbox": OSError}.get(port, Unreachable)
    raise kind(f"{port}.{method}: a planned trouble")
