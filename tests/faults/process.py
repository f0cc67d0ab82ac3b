"""One process of the engine on real files, before an address: what a child is, and what takes over after it was killed.

``python -m tests.faults.process URL FOLDER SCENE`` is the child. It cycles in lockstep with the venue until it is killed; a server
that falls silent holds it where it is, so it can be killed at exactly that request.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from hydra.adapters.alpaca.clock import LockstepClock
from hydra.adapters.alpaca.simulator import Simulator, recognise
from hydra.adapters.bots.inline import InlineBotHost
from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.adapters.journal.writer import JournalWriter, take_up
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.adapters.memory.outside import MemoryInbox, SteadyProbes
from hydra.adapters.reads import ParallelReads
from hydra.adapters.store.store import SqlStore
from hydra.bootstrap.plugs import rule_book
from hydra.engine.cycle import Engine
from hydra.engine.outside import Outside
from hydra.engine.recover import BEGINNING, catch_up, recover
from hydra.model.events import Certified, Event, Recovered
from hydra.model.portfolio import Ledger
from hydra.policy import Policy
from hydra.ports import Head
from tests.faults.adapter import READ_SECONDS, Doors
from tests.faults.cells import Scene
from tests.faults.counter import KEY, SECRET
from tests.faults.day import BOT, SCRIPTS, binding_of, certificate_of, eager, rules_of, segment_of

PATIENCE_SECONDS = 60.0
"""How long the child waits for an answer: longer than it lives."""


class Process:
    """The engine on a folder and an address; opening it is what a start does."""

    def __init__(self, url: str, folder: Path, scene: Scene, policy: Policy, *, seconds: float = READ_SECONDS) -> None:
        self.policy, self.logs = policy, folder / "logs"
        files, script = RealFiles(), SCRIPTS[scene]
        files.make_dir(self.logs)
        door = Simulator(url, key=SecretStr(KEY), secret=SecretStr(SECRET), seconds=seconds)
        self.clock = LockstepClock(door, recognise(url, seconds=seconds), stop=threading.Event())
        self._doors = Doors(url, self.clock.now, seconds=seconds)
        self._store = SqlStore(f"sqlite:///{folder / 'trading_state.db'}")
        tails: list[Any] = []

        def events_after(head: Head) -> Iterable[Event]:
            reading = read_journal(files, self.logs, after=head)
            yield from reading
            tails.append(reading.tail)

        fresh = not files.names(self.logs)
        account_id = self._doors.broker.identity().account_id
        ledger = Ledger() if fresh else catch_up(self._store, events_after)[0]
        head = BEGINNING if fresh else take_up(files, tails[0])
        run = f"run-{os.getpid()}-{len(files.names(self.logs))}"
        writer = JournalWriter(files, self.logs, run, now=self.clock.now, after=head)
        outside = Outside(
            clock=self.clock,
            calendar=PlainCalendar(),
            market=self._doors.market,
            broker=self._doors.broker,
            journal=writer,
            store=self._store,
            inbox=MemoryInbox(),
            probes=SteadyProbes(),
            bots=InlineBotHost({BOT: eager(script)}, None),
            read_all=ParallelReads(seconds * 2),
            binding=lambda: binding_of(policy, account_id),
        )
        self.engine = Engine(outside, rule_book(policy), ledger)
        self.engine.open_segment(segment_of(policy))
        if fresh:
            self.engine.record(Certified(certificate=certificate_of(policy, account_id)))
        self.recovered: Recovered = recover(outside, self.engine.ledger, policy)
        self.engine.record(self.recovered)
        self.engine.settle()

    def now(self) -> datetime:
        """The venue's time."""
        return self.clock.now()

    def step(self, count: int = 1) -> None:
        """Cycles, each followed by the market's next instant."""
        for _ in range(count):
            self.engine.cycle()
            self.clock.wait(0)

    def close(self) -> None:
        """The end of a process that was not killed."""
        self._doors.close()
        self._store.close()


def main(arguments: list[str]) -> None:
    """The child."""
    url, folder, scene = arguments
    policy = rules_of(SCRIPTS[Scene(scene)])
    process = Process(url, Path(folder), Scene(scene), policy, seconds=PATIENCE_SECONDS)
    while True:
        process.step()


if __name__ == "__main__":
    main(sys.argv[1:])
