"""One cell played: a simulated venue behind a socket, the real engine before it, and everything that can be known of both.

What the engine has of the venue it has through the adapter alone. The rig looks into the venue too, between two cycles, to hold
what is said against what is. The journal lies on a disk in memory that forgets what was not synced.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from hydra.adapters.alpaca.stream import TradeStream
from hydra.adapters.bots.inline import InlineBotHost
from hydra.adapters.exchange.fault_table import STREAMS, FaultKind, Operation
from hydra.adapters.exchange.faults import FaultPlan, Rule
from hydra.adapters.exchange.faulty_exchange import faulty
from hydra.adapters.exchange.model import Execution, Ticket
from hydra.adapters.exchange.server.context import ServerOptions
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.journal.reader import read_journal
from hydra.adapters.journal.writer import JournalWriter, take_up
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.adapters.memory.files import LossyFiles
from hydra.adapters.memory.outside import MemoryInbox, SteadyProbes
from hydra.adapters.memory.store import MemoryStore
from hydra.adapters.reads import ParallelReads
from hydra.bootstrap.plugs import rule_book
from hydra.engine.cycle import Engine
from hydra.engine.outside import Outside
from hydra.engine.recover import BEGINNING, catch_up, recover
from hydra.engine.replay import replay
from hydra.model.errors import Unreachable
from hydra.model.events import Certified, Event
from hydra.model.orders import OrderType
from hydra.model.portfolio import Ledger, Mode
from hydra.model.snapshot import Command
from hydra.policy import Policy
from hydra.ports import Head
from hydra.risk.reconcile import residuals
from tests.fakes.outside import MINUTE, OPEN
from tests.faults.adapter import Doors
from tests.faults.cells import ENDS, RESUMES, Cell, Scene, When
from tests.faults.counter import KEY, SECRET, Arrivals, Server
from tests.faults.day import (
    DEADLINE_SECONDS,
    SCRIPTS,
    SETTINGS,
    Script,
    binding_of,
    certificate_of,
    eager,
    feed_of,
    minute_of,
    rules_of,
    segment_of,
)

FOLDER = Path("/logs")
NEWS_SECONDS = 0.1
"""How long news of an order may take to be heard."""
IN_A_ROW = (Operation.ORDER, Operation.SUBMIT, Operation.CANCEL)


@dataclass(slots=True, kw_only=True)
class Evidence:
    """All that is known of a cell once it has been played.

    ``held`` is what the venue held after each minute (``owed`` what it was short of, in it), ``cycles`` what each cycle (or start) took in seconds and how many requests
    it made one after the other, ``acted`` how often the fault struck, ``leaks`` how often the secret stands in the journal.
    """

    scene: Scene
    cell: Cell | None
    events: list[Event]
    arrivals: Arrivals
    tickets: list[Ticket]
    executions: list[Execution]
    held: list[Decimal]
    owed: list[Decimal]
    cycles: list[tuple[float, int]]
    refused_starts: list[str]
    crashes: list[str]
    residuals: tuple[str, ...]
    unresolved: tuple[str, ...]
    halts: tuple[str, ...]
    ledger_cash: Decimal | None
    venue_cash: Decimal
    in_ledger: Decimal
    at_venue: Decimal
    open_here: frozenset[str]
    open_there: frozenset[str]
    leaving: bool
    difference: str
    acted: int
    leaks: int


class Rig:
    """The venue, the server, and one process after the other."""

    def __init__(
        self, scene: Scene, cell: Cell | None, rules: Policy | None = None, script: Script | None = None
    ) -> None:
        self.scene, self.cell, self.script = scene, cell, script or SCRIPTS[scene]
        self.policy = rules_of(self.script) if rules is None else rules
        self.bots = {bot.id: eager(self.script, bot.id) for bot in self.policy.bots}
        self.book = rule_book(self.policy)
        self.plan = FaultPlan(_rules(cell) if cell is not None else (), seed=1)
        self.calendar = PlainCalendar()
        floor = SimulatedVenue(feed_of(self.script), self.calendar, SETTINGS[scene])
        floor.advance()
        self.venue = faulty(floor, self.plan)
        self.files, self.store = LossyFiles(), MemoryStore()
        self.files.make_dir(FOLDER)
        self.inbox, self.probes = MemoryInbox(), SteadyProbes()
        self.reads = ParallelReads(DEADLINE_SECONDS)
        options = ServerOptions(key=KEY, secret=SECRET, rate_limit_per_minute=0, lockstep=True, faults=self.plan)
        self.server = Server(self.venue, options, self._written)
        self.hand = HTTPConnection(*self.server.address, timeout=20.0)
        self.runs = 0
        self.engine: Engine | None = None
        self.doors = Doors(self.server.url, lambda: self.venue.now)
        self.cycles: list[tuple[float, int]] = []
        self.held: list[Decimal] = []
        self.owed: list[Decimal] = []
        self.refused_starts: list[str] = []
        self.crashes: list[str] = []
        self.certified = False
        self.hurries = False
        self._waits = False
        self.stream = self._listen() if cell is not None and cell.operation in STREAMS else None

    # -- the day

    def play(self) -> Evidence:
        """The whole day, and what is left of it."""
        try:
            while self.minute <= ENDS:
                self.live()
                self.held.append(self._at_venue())
                self.owed.append(-sum((min(each.quantity, Decimal(0)) for each in self.venue.held()), Decimal(0)))
                self.step()
            return self._evidence()
        finally:
            self.close()

    def close(self) -> None:
        """End everything that was begun."""
        if self.stream is not None:
            self.stream.close()
        self.doors.close()
        self.hand.close()
        self.server.stop()

    def _listen(self) -> TradeStream:
        """The freshener, connected."""
        stream = TradeStream(f"{self.server.url.replace('http', 'ws')}/stream", SecretStr(KEY), SecretStr(SECRET))
        stream.start()
        assert stream.wait_connected(20.0), stream.health().problem
        return stream

    @property
    def minute(self) -> int:
        """Minutes after the opening, by the venue's clock."""
        return minute_of(self.venue.now)

    def step(self) -> bool:
        """Move the venue on, as a clock in lockstep does, once nothing is on its way (unless it ``hurries``)."""
        if not self.hurries:
            self.server.settle()
        keys = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
        self.hand.request("POST", "/sim/clock", b'{"steps": 1}', keys)
        answer = self.hand.getresponse()
        told = json.loads(answer.read())
        assert answer.status == 200, told
        return bool(told["moved"])

    def live(self) -> None:
        """One minute of a process: start if there is none, and one cycle."""
        if self.engine is not None and self._ends_here():
            self.kill()
        if self.engine is None and not self.start():
            return
        assert self.engine is not None
        self._resume_if_over()
        try:
            with self._timed():
                report = self.engine.cycle()
        except Exception as error:  # noqa: BLE001  # whatever ends a process is a finding
            self.crashes.append(f"minute {self.minute}: {type(error).__name__}: {error}")
            self.kill()
            return
        if self.stream is not None and self._heard():
            self.engine.cycle()
        if report.plan.mode is Mode.HALTED and not self._is_over():
            self.kill()  # halted and flat: the program ends, and is started again when somebody has seen to it
            self._waits = True

    def _ends_here(self) -> bool:
        """Whether the process is killed in this minute."""
        cell = self.cell
        return cell is not None and cell.when is When.RESTART and self.minute == cell.window[0]

    def _heard(self) -> bool:
        """Whether the stream had news, which may be on its way still."""
        assert self.stream is not None
        ends_at = time.monotonic() + NEWS_SECONDS
        while not self.stream.take():
            if time.monotonic() > ends_at:
                return False
            time.sleep(0.005)
        return True

    def _is_over(self) -> bool:
        _, ends = self.cell.window if self.cell is not None else (0, 0)
        return self.minute >= max(ends, RESUMES)

    def _resume_if_over(self) -> None:
        assert self.engine is not None
        if self.engine.ledger.halts and self._is_over() and self.minute < ENDS - 2:
            self.inbox.waiting = [
                Command(
                    command_id=f"resume-{self.minute}",
                    action="resume",
                    by="operator",
                    wall=self.venue.now,
                    reason="seen to",
                    force=True,
                )
            ]

    @contextmanager
    def _timed(self) -> Iterator[None]:
        begun, before = time.perf_counter(), self._in_a_row()
        try:
            yield
        finally:
            self.cycles.append((time.perf_counter() - begun, self._in_a_row() - before))

    def _in_a_row(self) -> int:
        """Requests that are made one after the other."""
        return sum(self.server.arrivals.requests[each] for each in IN_A_ROW)

    # -- one process

    def start(self) -> bool:
        """The next process: fold the journal, recover from the venue. False when it is refused."""
        if self._waits and not self._is_over():
            return False
        self._waits = False
        tails: list[Any] = []

        def events_after(head: Head) -> Any:
            reading = read_journal(self.files, FOLDER, after=head)
            yield from reading
            tails.append(reading.tail)

        ledger = catch_up(self.store, events_after)[0] if self.runs else Ledger()
        self.runs += 1
        head = take_up(self.files, tails[0]) if tails else BEGINNING
        writer = JournalWriter(self.files, FOLDER, f"run-{self.runs}", now=lambda: self.venue.now, after=head)
        outside = Outside(
            clock=_VenueClock(self),
            calendar=self.calendar,
            market=self.doors.market,
            broker=self.doors.broker,
            journal=writer,
            store=self.store,
            inbox=self.inbox,
            probes=self.probes,
            bots=InlineBotHost(self.bots, None),
            read_all=self.reads,
            binding=lambda: binding_of(self.policy, self.venue.state().account_id),
        )
        engine = Engine(outside, self.book, ledger)
        engine.open_segment(segment_of(self.policy))
        if not self.certified:
            engine.record(Certified(certificate=certificate_of(self.policy, self.venue.state().account_id)))
            self.certified = True
        try:
            with self._timed():
                engine.record(recover(outside, engine.ledger, self.policy))
        except Unreachable as silent:
            self.refused_starts.append(str(silent))
            engine.settle()
            self.kill()
            return False
        engine.settle()
        self.engine = engine
        return True

    def kill(self) -> None:
        """The end of the process, at once: memory is gone, and so is what was not synced."""
        self.engine = None
        self.doors.close()
        self.files.crash()
        self.doors = Doors(self.server.url, lambda: self.venue.now)

    def _written(self, client_id: str) -> bool:
        """Whether the sending of this order stands durably in the journal."""
        if not self.files.operations[-1].startswith("sync "):
            return False
        written = b"".join(self.files.content(FOLDER / name) for name in self.files.names(FOLDER))
        return f'"kind":"order_sent","data":{{"order":{{"client_id":"{client_id}"'.encode() in written

    # -- what is left

    def _at_venue(self) -> Decimal:
        return sum((abs(each.quantity) for each in self.venue.held()), Decimal(0))

    def _evidence(self) -> Evidence:
        events = list(read_journal(self.files, FOLDER))
        engine = self.engine
        ledger = engine.ledger if engine is not None else Ledger()
        replayed = replay(events, lambda _: (self.book, InlineBotHost(self.bots, None)))
        there = {ticket.client_id for ticket in self.venue.working()}
        written = b"".join(self.files.content(FOLDER / name) for name in self.files.names(FOLDER))
        return Evidence(
            scene=self.scene,
            cell=self.cell,
            events=events,
            arrivals=self.server.arrivals,
            tickets=list(self.venue.tickets()),
            executions=list(self.venue.executions()),
            held=self.held,
            owed=self.owed,
            cycles=self.cycles,
            refused_starts=self.refused_starts,
            crashes=self.crashes,
            residuals=residuals(ledger, engine.sight, self.policy.health.cash_tolerance)
            if engine is not None and engine.sight is not None
            else ("no engine",),
            unresolved=tuple(order.client_id for order in ledger.unresolved),
            halts=tuple(halt.kind for halt in ledger.halts),
            ledger_cash=ledger.cash,
            venue_cash=self.venue.state().cash,
            in_ledger=sum((abs(holding.quantity) for holding in ledger.holdings.values()), Decimal(0)),
            at_venue=self._at_venue(),
            open_here=frozenset(o.client_id for o in ledger.orders.values() if not o.status.terminal),
            open_there=frozenset(there),
            leaving=any(ticket.order_type is OrderType.MARKET for ticket in self.venue.working()),
            difference="" if replayed.difference is None else str(replayed.difference),
            acted=next((tally.acted for _, tally in self.plan.tallies()), 0),
            leaks=written.count(SECRET.encode()),
        )


class _VenueClock:
    """The venue's clock, as the rig moves it."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    def now(self) -> datetime:
        """The time."""
        return self._rig.venue.now

    def wait(self, seconds: float) -> bool:
        """One step."""
        return self._rig.step()


def _rules(cell: Cell) -> tuple[Rule, ...]:
    begins, ends = cell.window
    window = {} if cell.when is When.DAY else {"after": OPEN + begins * MINUTE, "until": OPEN + ends * MINUTE}
    rules = [Rule(**{**window, **cell.rule_fields()})]
    if cell.lost_before is not None:
        at = OPEN + cell.lost_before * MINUTE
        rules.append(Rule(fault=FaultKind.GATEWAY_AFTER, on=(Operation.SUBMIT,), after=at, until=at + MINUTE))
    return tuple(rules)
