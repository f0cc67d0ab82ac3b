"""The workers of a host and the nursery they come from: begun, listened to, ended, begun anew.

Whatever the system refuses here (no process, no descriptor, a nursery that is gone) is an ``OSError``; the crew can then be
``abandon``ed and opened again.
"""

from __future__ import annotations

import resource
import selectors
import socket
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from os import getpid

from hydra.adapters.bots.forkserver import Nursery
from hydra.adapters.bots.line import BEING_MADE, Heard, State, Worker
from hydra.adapters.bots.wire import Apart, Begin
from hydra.model.isolation import Guard, Isolation
from hydra.model.values import replace

_SPARE_DESCRIPTORS = 256
_AT_ONCE = 64
"""So many forks are asked for before the first is waited for: they have to fit into the line."""


class Crew:
    """One worker a bot. ``program`` serves as a nursery, with its control line as the last argument."""

    def __init__(self, crew: Sequence[Begin], program: Sequence[str], environment: Mapping[str, str]) -> None:
        self.workers = {begin.bot: Worker(begin) for begin in crew}
        self._program, self._environment = tuple(program), dict(environment)
        self._lines = selectors.DefaultSelector()
        self._nursery: Nursery | None = None
        self._held: frozenset[Guard] | None = None
        self._open: frozenset[Guard] = frozenset()
        self._kernel = Isolation(host="process")

    @property
    def isolation(self) -> Isolation:
        """What every worker so far has tried and was refused, and what any of them was not."""
        held = frozenset() if self._held is None else self._held - self._open
        return replace(
            self._kernel,
            held=tuple(guard for guard in Guard if guard in held),
            open=tuple(guard for guard in Guard if guard in self._open),
        )

    def open(self, start_seconds: float, *, most: int | None = None, without: Collection[str] = ()) -> int:
        """Have a worker under way for every bot, or begin at most ``most`` of them; how many were begun.

        Who was not made within ``start_seconds`` is unfit, and begun anew. The bots ``without`` are left as they are.
        """
        if self._nursery is None:
            _make_room_for_lines(len(self.workers))
            self._nursery = Nursery(self._program, self._environment)
        self._nursery.settle(0.0)
        began_late = time.perf_counter() - start_seconds
        late = [each for each in self.workers.values() if each.state in BEING_MADE and each.since < began_late]
        for worker in late:
            worker.unfit = f"was not made within {start_seconds:g} s"
            self.lose(worker)
        return self.replace_ended(most=most, without=without)

    def replace_ended(self, *, most: int | None = None, without: Collection[str] = ()) -> int:
        """Begin the next worker of every bot whose last has ended; it is made while nobody waits. How many were begun."""
        nursery = self._nursery
        assert nursery is not None, "opened before"
        ended = [each for each in self.workers.values() if each.state is State.ENDED and each.bot not in without][:most]
        for worker in ended:
            _came(nursery.settle(enough=lambda: nursery.forks < _AT_ONCE))
            self._begin(worker, nursery)
        return len(ended)

    def listen(self, seconds: float) -> list[Worker]:
        """The workers that have something to say, once there are any; none after ``seconds``."""
        speaking: list[Worker] = []
        for key, events in self._lines.select(max(0.0, seconds)):
            worker: Worker = key.data
            if events & selectors.EVENT_WRITE:
                worker.flush()
                self.watch(worker)
            if events & selectors.EVENT_READ:
                speaking.append(worker)
        return speaking

    def watch(self, worker: Worker) -> None:
        """Listen for what a worker waits for: to be heard, and to be told the rest."""
        if worker.line is not None and worker.writing is not worker.watched_for_room:
            worker.watched_for_room = worker.writing
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if worker.writing else 0)
            self._lines.modify(worker.line, wanted, worker)

    def hear(self, worker: Worker) -> Heard | None:
        """What a worker says beyond what keeps it apart, which is noted. Raises ``Gone`` and ``Invalid``."""
        said = worker.hear()
        if isinstance(said, Apart) and worker.state is State.STARTING:
            self._apart(worker, said)
            said = worker.hear()
        return said

    def _apart(self, worker: Worker, said: Apart) -> None:
        """It says so before anything foreign has run in it."""
        worker.state = State.MAKING
        held = frozenset(said.isolation.held)
        self._held = held if self._held is None else self._held & held
        self._open |= frozenset(said.isolation.open) | (frozenset(Guard) - held)
        self._kernel = replace(said.isolation, held=(), open=())

    def lose(self, worker: Worker, told: Callable[[int], None] = lambda _status: None) -> None:
        """End a worker; ``told`` hears its wait status in a later ``settle``."""
        if worker.state is State.ENDED:
            return
        self._hang_up(worker)
        nursery = self._nursery
        assert nursery is not None, "a worker has come from a nursery"
        _came(nursery.settle(enough=lambda: worker.pid != 0))
        nursery.end(worker.pid, told)

    def settle(self, seconds: float, *, enough: Callable[[], bool] = lambda: False) -> bool:
        """Hear what the nursery still has to say, for at most ``seconds``, until that is ``enough`` or all; whether it is."""
        return self._nursery is None or self._nursery.settle(seconds, enough=enough)

    def abandon(self) -> None:
        """End everything, the nursery too: it is begun anew when it is next needed."""
        for worker in self.workers.values():
            self._hang_up(worker)
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None

    def _begin(self, worker: Worker, nursery: Nursery) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            worker.begin = replace(worker.begin, strangers=(getpid(), nursery.pid))
            nursery.fork(theirs, lambda pid: setattr(worker, "pid", pid))
        worker.take(ours)
        self._lines.register(ours, selectors.EVENT_READ, worker)
        self.watch(worker)

    def _hang_up(self, worker: Worker) -> None:
        if worker.line is not None:
            with suppress(KeyError):
                self._lines.unregister(worker.line)
        worker.drop()


def _came(answered: bool) -> None:
    if not answered:
        raise TimeoutError("the process that bots are forked from does not answer")


def _make_room_for_lines(workers: int) -> None:
    """Every worker has a line, and many systems begin with room for a thousand."""
    wanted = workers + _SPARE_DESCRIPTORS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
