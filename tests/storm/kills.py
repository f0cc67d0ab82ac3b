"""Kill -9: victims are forked from a warm parent, run the engine on real files, and end by SIGKILL wherever they stand.

A victim opens everything anew, by path, as a started command does; only the imports are inherited. It is killed by its
own hand at a named place, or by the parent at a moment of the wall clock. The parent compares what is left at once, then
lets a survivor recover and compares again.
"""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import sqlite3
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.exchange.model import AccountState, Execution, Ticket
from hydra.adapters.exchange.standing import FeedClock
from hydra.adapters.files import RealFiles
from hydra.adapters.inbox import FileInbox
from hydra.adapters.journal.retention import compress_old
from hydra.adapters.lock import owner
from hydra.bootstrap.setup import Setup, wall_now
from hydra.bootstrap.venues import BOOKS, Source, simulated
from hydra.bootstrap.writer import Writer
from hydra.engine.recover import recover
from hydra.engine.run import Loop
from hydra.model.events import SegmentOpened
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.portfolio import Position
from hydra.model.snapshot import Sessions
from hydra.model.values import decode
from hydra.policy import Policy
from tests.storm.claims import (
    CLAIMS,
    SETTLED,
    Evidence,
    VenueBooks,
    broken,
    chain_breaks,
    read_events,
    read_store,
    rebuild_store,
)
from tests.storm.places import ANYWHERE, OPENING, RECOVERING, Blow, Hand, behind, draw, draw_recovery
from tests.storm.survivor import command, settle_in
from tests.storm.tally import Tally
from tests.storm.weather import DRIFTS, certify, compresses, setup_of

LIFE_SECONDS_MAX = 3.0
"""How long a victim may look for its place before it is killed where it stands."""
_HANG_SECONDS = 60.0
_OPENING_SECONDS, _BIRTH_SECONDS = 0.12, 0.4
_NOW, _OPEN = b"now\n", b"open\n"


@dataclass(slots=True)
class Death:
    """How a child ended: by which signal, with which exit code, and what it had said."""

    killed: bool
    code: int
    said: bytes


@dataclass(slots=True)
class Voyage:
    """Kill after kill on the same folders, with the market going on between them."""

    folder: Path
    number: int
    seed: int
    tally: Tally
    chance: random.Random = field(init=False)
    setup: Setup = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"kills {self.seed} {self.number}")
        self.setup = setup_of(self.folder, self.number)

    def sail(self, kills: int) -> Iterator[list[str]]:
        """``kills`` kills; yields what is wrong after each (nothing, if all is well)."""
        done = int(self._strike(draw_recovery(self.chance, _BIRTH_SECONDS)))
        yield self._compare(CLAIMS, "dead at birth")
        while done < kills:
            if self.chance.random() < 0.05:
                self._leave("halt")
            if self.setup.policy.market.sessions == "exchange" and self.chance.random() < 0.7:
                self._drift(None)
            blow = draw(self.chance, on_order=self.tally.wants_orders)
            done += (killed := self._strike(blow))
            problems = self._compare(CLAIMS, "dead")
            if killed and self.chance.random() < 0.25:
                for _ in range(self.chance.choice((1, 1, 2, 3))):
                    done += self._strike(draw_recovery(self.chance, _OPENING_SECONDS))
                    problems += self._compare(CLAIMS, "dead while recovering")
            if self.chance.random() < 0.5:
                self._drift(self.chance.choice(DRIFTS))
            problems += self._survive()
            yield problems

    def _strike(self, blow: Blow) -> bool:
        """Start a victim and see it die; true when it was killed."""
        death = _watch(partial(_victim, self.setup, blow, compresses(self.number)), blow)
        if not death.killed and death.code != 0:
            raise RuntimeError(f"a victim ended by itself at {blow}:\n{death.said.decode(errors='replace')}")
        self.tally.struck(blow if _place_was_reached(blow, death) else Blow(ANYWHERE), killed=death.killed)
        return death.killed

    def _survive(self) -> list[str]:
        death = _watch(partial(_survivor, self.setup), None)
        if death.code != 0 or death.killed:
            return [f"the survivor did not start:\n{death.said.decode(errors='replace')}"]
        problems, excuses = msgspec.json.decode(death.said, type=tuple[list[str], dict[str, int]])
        self.tally.excuse(Counter(excuses))
        return problems + self._compare(SETTLED, "settled")

    def _compare(self, claims: Any, when: str) -> list[str]:
        holder = owner(self.setup.lock_path) if self.setup.lock_path.exists() else None
        if holder is not None:
            return [f"the lock is held by {holder} after its owner died"]
        if not list(self.setup.log_dir.glob("*.jsonl")):
            return []  # it died before it began
        files = RealFiles()
        events = read_events(files, self.setup.log_dir)
        problems = list(chain_breaks(files, self.setup.log_dir, events, self.setup.journal_key))
        store = read_store(self.setup.store_url, read_only=True)
        rebuilt = rebuild_store(self.folder / "rebuilt.db", events[: store[2].seq])
        found = Evidence(events=events, venue=read_books(self.setup), store=store, rebuilt=rebuilt)
        problems += broken(found, claims)
        self.tally.compared(found, when)
        return [f"{when}: {problem}" for problem in problems]

    def _drift(self, steps: int | None) -> None:
        """The market goes on while no engine runs, for some steps or until there is a session with time left in it."""
        death = _watch(partial(_market_alone, self.setup, steps), None)
        if death.code != 0:
            raise RuntimeError(death.said.decode(errors="replace"))

    def _leave(self, action: str) -> None:
        FileInbox(RealFiles(), self.setup.inbox_dir, wall_now).leave(command(action))


def _place_was_reached(blow: Blow, death: Death) -> bool:
    return blow.place in (ANYWHERE, OPENING) or death.said.endswith(_NOW)


# -- the children


def _victim(setup: Setup, blow: Blow, compress: bool, say: Callable[[bytes], None]) -> None:
    """The engine as ``hydra run`` has it, with a hand on its ports. Returns only if the run ends by itself."""
    with Writer(setup=setup, command="storm", recovering=blow.place != RECOVERING) as writer:
        engine = writer.engine
        if compress:
            compress_old(RealFiles(), setup.log_dir, keep_run=writer.run)
        if blow.place != RECOVERING:
            certify(engine)
        hand = Hand(blow, partial(_strike, blow, say), recovering=blow.place == RECOVERING)
        engine.outside = behind(hand, engine.outside)
        if blow.place == RECOVERING:
            engine.record(recover(engine.outside, engine.ledger, setup.policy))
            engine.settle()
            _strike(blow, say)
        say(_OPEN)
        segment: Callable[[int], SegmentOpened] = writer.segment
        Loop(
            engine=engine,
            segment=segment,
            cycles_max=None,
            interval_seconds=1,
            stopped=lambda: None,
            watch=lambda _report: None,
        ).run()


def _strike(blow: Blow, say: Callable[[bytes], None]) -> None:
    say(_NOW)
    if not blow.place.endswith(".within"):
        os.kill(os.getpid(), signal.SIGKILL)


def _survivor(setup: Setup, say: Callable[[bytes], None]) -> None:
    with Writer(setup=setup, command="storm") as writer:
        inbox = FileInbox(RealFiles(), setup.inbox_dir, wall_now)
        say(msgspec.json.encode(settle_in(writer.engine, setup.policy, partial(read_books, setup), inbox.leave)))


def _market_alone(setup: Setup, steps: int | None, _say: Callable[[bytes], None]) -> None:
    venue = simulated(setup.policy, setup.state_dir, Source(), threading.Event())
    if steps is None:
        while not busy(venue.calendar.sessions(venue.clock.now())):
            venue.clock.wait(0)
    for _ in range(steps or 0):
        venue.clock.wait(0)


def busy(sessions: Sessions) -> bool:
    """True while equities trade and will for a while."""
    session = sessions.by_class.get(AssetClass.EQUITY)
    return session is not None and session.open and sessions.minute < 15 * 60 + 20


def _watch(child: Callable[[Callable[[bytes], None]], None], blow: Blow | None) -> Death:
    """Fork, run ``child`` in it, and wait for its end; with a blow, see to its end."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _be(child, writer)
    os.close(writer)
    try:
        said = _listen(pid, reader, blow)
    finally:
        os.close(reader)
    _, status = os.waitpid(pid, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return Death(killed, -1 if os.WIFSIGNALED(status) else os.WEXITSTATUS(status), said)


def _be(child: Callable[[Callable[[bytes], None]], None], writer: int) -> NoReturn:
    """Run in the forked child and never return into the parent's code."""
    code = 70
    try:
        child(partial(_say, writer))
        code = 0
    except BaseException:  # noqa: BLE001  # whatever it is, the child ends here and the parent is told
        _say(writer, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _say(writer: int, words: bytes) -> None:
    while words:
        words = words[os.write(writer, words) :]


def _listen(pid: int, reader: int, blow: Blow | None) -> bytes:
    started = time.monotonic()
    kill_at = started + (LIFE_SECONDS_MAX if blow is not None else _HANG_SECONDS)
    if blow is not None and blow.place == OPENING:
        kill_at = started + blow.delay_seconds
    said = b""
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, kill_at - time.monotonic()))
        if not ready:
            os.kill(pid, signal.SIGKILL)
            kill_at = time.monotonic() + _HANG_SECONDS
            continue
        words = os.read(reader, 1 << 16)
        if not words:
            return said
        said += words
        if blow is not None and ((words == _OPEN and blow.place == ANYWHERE) or words.endswith(_NOW)):
            kill_at = time.monotonic() + blow.delay_seconds


# -- reading the venue's books


def read_books(setup: Setup) -> VenueBooks:
    """The simulated venue's file, read row by row beside its owner."""
    with closing(sqlite3.connect(f"file:{setup.state_dir / BOOKS}?mode=ro", uri=True)) as db:
        db.execute("BEGIN")
        tickets = [decode(row[0], Ticket) for row in db.execute("SELECT body FROM orders ORDER BY number")]
        executed = [decode(row[0], Execution) for row in db.execute("SELECT body FROM executions ORDER BY number")]
        positions = [decode(row[0], Position) for row in db.execute("SELECT body FROM positions")]
        account, current = db.execute("SELECT account, current FROM venue").fetchone()
        body = db.execute("SELECT body FROM clocks WHERE fingerprint = ?", (current,)).fetchone()[0]
    orders = {ticket.client_id: ticket for ticket in tickets}
    assert len(orders) == len(tickets), "a client id stands twice in the venue's books"
    return VenueBooks(
        orders=orders,
        fills=tuple(execution.report() for execution in executed),
        positions={position.symbol: position.quantity for position in positions},
        cash=decode(account, AccountState).cash,
        tradable=tradable(
            setup.policy, decode(body, FeedClock).at, partial(ExchangeCalendar, setup.state_dir / "cache")
        ),
    )


def tradable(policy: Policy, at: datetime, calendar: Callable[[], ExchangeCalendar]) -> frozenset[str]:
    """The symbols whose session is open."""
    if policy.market.sessions == "always":
        return frozenset(policy.symbols)
    by_class = calendar().sessions(at).by_class
    open_classes = {kind for kind in AssetClass if (session := by_class.get(kind)) is not None and session.open}
    return frozenset(symbol for symbol in policy.symbols if asset_class_of(symbol) in open_classes)


def warm(folder: Path) -> None:
    """Import everything a victim needs, and leave no thread and no descriptor behind: a fork must inherit neither."""
    setup = setup_of(folder / "warm", 0)
    with Writer(setup=setup, command="storm") as writer:
        writer.engine.cycle()
    shutil.rmtree(folder / "warm")
