"""An engine in a process of its own that is killed at a chosen request, what happens at the venue meanwhile, and the next start."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hydra.adapters.exchange.faults import FaultPlan, Rule
from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.server.context import ServerOptions
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.adapters.markets.feed import Feed
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.model.events import OrderSent
from hydra.model.orders import OrderType
from hydra.risk.reconcile import residuals
from tests.faults.cells import Scene
from tests.faults.counter import KEY, SECRET, Server
from tests.faults.day import SCRIPTS, SETTINGS, feed_of, rules_of
from tests.faults.process import Process

WAIT_SECONDS = 40.0
ROOT = Path(__file__).resolve().parents[2]


class Outage:
    """The venue behind a socket, a child before it that is killed, and whoever takes over. A context: it ends what it began."""

    def __init__(self, folder: Path, scene: Scene, feed: Feed | None = None) -> None:
        self.folder, self.scene = folder, scene
        self.plan = FaultPlan()
        self.venue = SimulatedVenue(feed or feed_of(SCRIPTS[scene]), PlainCalendar(), SETTINGS[scene])
        self.venue.advance()
        options = ServerOptions(key=KEY, secret=SECRET, rate_limit_per_minute=0, lockstep=True, faults=self.plan)
        self.server = Server(self.venue, options, lambda client_id: client_id in self.sent())
        self._child: subprocess.Popen[bytes] | None = None
        self._next: Process | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end_child()
        if self._next is not None:
            self._next.close()
        self.server.stop()

    def kill_at(self, **rule: Any) -> None:
        """Start the child, wait until it hangs at the request the rule is about, and kill it there."""
        self.plan.replace([Rule(**rule)])
        child = [sys.executable, "-m", "tests.faults.process", self.server.url, str(self.folder), str(self.scene)]
        self._child = subprocess.Popen(child, cwd=ROOT)
        ends_at = time.monotonic() + WAIT_SECONDS
        while not any(tally.acted for _, tally in self.plan.tallies()):
            assert time.monotonic() < ends_at, "the child never came by"
            assert self._child.poll() is None, f"the child ended with {self._child.returncode}"
            time.sleep(0.01)
        self._end_child()
        self.server.settle()
        self.plan.replace(())

    def start(self) -> Process:
        """The next process, in this one."""
        policy = rules_of(SCRIPTS[self.scene])
        self._next = Process(self.server.url, self.folder, self.scene, policy)
        return self._next

    # -- what a test asks

    def sent(self) -> list[str]:
        """The client ids in the journal, as they lie on the disk now."""
        files, logs = RealFiles(), self.folder / "logs"
        return [e.data.order.client_id for e in read_journal(files, logs) if isinstance(e.data, OrderSent)]

    def orders(self) -> list[Ticket]:
        """Every order at the exchange that was asked for, without the legs it made itself."""
        asked = {client_id for _, client_id in self.server.arrivals.posted}
        return [ticket for ticket in self.venue.tickets() if ticket.client_id in asked]

    def held(self) -> Decimal:
        """What the venue holds for us."""
        return sum((each.quantity for each in self.venue.held()), Decimal(0))

    def protected(self) -> Decimal:
        """How much of it rests under a stop."""
        return sum((ticket.remaining for ticket in self._resting()), Decimal(0))

    def stops(self) -> list[Decimal | None]:
        """Where the stops rest."""
        return [ticket.stop for ticket in self._resting()]

    def _resting(self) -> list[Ticket]:
        stops = (OrderType.STOP, OrderType.STOP_LIMIT)
        return [ticket for ticket in self.venue.working() if ticket.order_type in stops]

    def differences(self) -> Sequence[str]:
        """What ledger and exchange differ in, by the exchange's own books."""
        assert self._next is not None
        engine = self._next.engine
        assert engine.sight is not None
        found = list(residuals(engine.ledger, engine.sight, Decimal("0.01")))
        in_ledger = sum((h.quantity for h in engine.ledger.holdings.values()), Decimal(0))
        if in_ledger != self.held():
            found.append(f"{in_ledger} here, {self.held()} there")
        cash = self.venue.state().cash
        if engine.ledger.cash is None or abs(engine.ledger.cash - cash) > Decimal("0.01"):
            found.append(f"cash {engine.ledger.cash} here, {cash} there")
        posted = [client_id for _, client_id in self.server.arrivals.posted]
        if len(posted) != len(set(posted)) or not set(posted) <= set(self.sent()):
            found.append(f"posted {posted}, sent {self.sent()}")
        return [*found, *(f"{client_id} arrived unwritten" for client_id in self.server.arrivals.unwritten)]

    def play_to(self, at: datetime) -> None:
        """Let the market go on without anybody looking."""
        self.venue.advance_to(at)

    def _end_child(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGKILL)
            self._child.wait(WAIT_SECONDS)
