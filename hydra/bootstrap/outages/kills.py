"""Kill -9: victims are forked from a warm parent, run the engine on real files, and end by SIGKILL wherever they stand.

A victim opens everything anew, by path, as a started command does; only the imports are inherited. It is killed by its
own hand at a named place, or by the parent at a moment of the wall clock. The parent compares what is left at once, then
lets a survivor recover and compares again.
"""

from __future__ import annotations

import random
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

import msgspec

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.files import RealFiles
from hydra.adapters.inbox import FileInbox
from hydra.adapters.journal.retention import compress_old
from hydra.adapters.lock import owner
from hydra.bootstrap.outages.weather import DRIFTS, Weather, weather_of
from hydra.bootstrap.setup import Setup, wall_now
from hydra.bootstrap.venues import BOOKS, Source, simulated
from hydra.bootstrap.writer import Writer
from hydra.engine.cycle import CycleReport
from hydra.engine.outside import Outside
from hydra.engine.recover import recover
from hydra.engine.run import Loop
from hydra.model.errors import Corrupt
from hydra.model.events import Event
from hydra.qc.outages.books import books_in_file, busy
from hydra.qc.outages.claims import (
    CLAIMS,
    SETTLED,
    Claim,
    Evidence,
    VenueBooks,
    broken,
    chain_breaks,
    read_events,
    read_store,
    rebuild_store,
)
from hydra.qc.outages.places import ANYWHERE, OPENING, RECOVERING, Blow, Hand, behind, draw, draw_recovery
from hydra.qc.outages.processes import LIFE_CYCLES_MAX, NOW, OPEN, Death, Say, strike, watch
from hydra.qc.outages.survivor import certify, command, settle_in
from hydra.qc.outages.tally import Tally

_OPENING_SECONDS, _BIRTH_SECONDS = 0.12, 0.4

Spoil = Callable[[Outside], Outside]
"""Makes the outside of an engine worse than it is, to see whether the claims would notice."""


def unspoilt(outside: Outside) -> Outside:
    """The outside as it is."""
    return outside


@dataclass(slots=True)
class Kills:
    """Kill after kill on the same folders, with the market going on between them."""

    folder: Path
    number: int
    seed: int
    tally: Tally
    weather: Weather
    spoil: Spoil = unspoilt
    chance: random.Random = field(init=False)
    setup: Setup = field(init=False)
    _events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"kills {self.seed} {self.number}")
        self.setup = self.weather.setup(self.folder)

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

    def close(self) -> None:
        """Nothing is open between two kills."""

    def _strike(self, blow: Blow) -> bool:
        """Start a victim and see it die; true when it was killed."""
        death = watch(partial(_victim, self.setup, blow, self.weather.compresses, self.spoil), blow)
        if not death.killed and death.code != 0:
            raise RuntimeError(f"a victim ended by itself at {blow}:\n{death.said.decode(errors='replace')}")
        self.tally.struck(blow if _place_was_reached(blow, death) else Blow(ANYWHERE), killed=death.killed)
        return death.killed

    def _survive(self) -> list[str]:
        death = watch(partial(_survivor, self.setup, self.spoil), None)
        if death.code != 0 or death.killed:
            return [f"the survivor did not start:\n{death.said.decode(errors='replace')}"]
        problems, excuses = msgspec.json.decode(death.said, type=tuple[list[str], dict[str, int]])
        self.tally.excuse(Counter(excuses))
        return problems + self._compare(SETTLED, "settled")

    def _compare(self, claims: tuple[Claim, ...], when: str) -> list[str]:
        holder = owner(self.setup.lock_path) if self.setup.lock_path.exists() else None
        if holder is not None:
            return [f"the lock is held by {holder} after its owner died"]
        if not self._events and not list(self.setup.log_dir.glob("*.jsonl*")):
            return []  # it died before it began
        files = RealFiles()
        try:
            events = self._events = read_events(files, self.setup.log_dir, self._events)
        except Corrupt as error:
            return [f"{when}: {error}"]
        problems = list(chain_breaks(files, self.setup.log_dir, events, self.setup.journal_key))
        store = read_store(self.setup.store_url, read_only=True)
        rebuilt = rebuild_store(self.folder / "rebuilt.db", events[: store[2].seq])
        found = Evidence(events=events, venue=read_books(self.setup), store=store, rebuilt=rebuilt)
        problems += broken(found, claims)
        self.tally.compared(found, when)
        return [f"{when}: {problem}" for problem in problems]

    def _drift(self, steps: int | None) -> None:
        """The market goes on while no engine runs, for some steps or until there is a session with time left in it."""
        death = watch(partial(_market_alone, self.setup, steps), None)
        if death.code != 0:
            raise RuntimeError(death.said.decode(errors="replace"))

    def _leave(self, action: str) -> None:
        wall = wall_now()
        FileInbox(RealFiles(), self.setup.inbox_dir, wall_now).leave(command(action, wall))


def _place_was_reached(blow: Blow, death: Death) -> bool:
    return blow.place in (ANYWHERE, OPENING) or death.said.endswith(NOW)


def read_books(setup: Setup) -> VenueBooks:
    """The simulated venue's file."""
    return books_in_file(setup.state_dir / BOOKS, setup.policy, partial(ExchangeCalendar, setup.state_dir / "cache"))


def warm(folder: Path) -> None:
    """Import everything a victim needs, and leave no thread and no descriptor behind: a fork must inherit neither."""
    setup = weather_of(0).setup(folder / "warm")
    with Writer(setup=setup, command="storm") as writer:
        writer.engine.cycle()
    shutil.rmtree(folder / "warm")


# -- the children


def _victim(setup: Setup, blow: Blow, compress: bool, spoil: Spoil, say: Say) -> None:
    """The engine as ``hydra run`` has it, with a hand on its ports. Killed at the end of its life at the latest."""
    with Writer(setup=setup, command="storm", recovering=blow.place != RECOVERING) as writer:
        engine = writer.engine
        if compress:
            compress_old(RealFiles(), setup.log_dir, keep_run=writer.run)
        if blow.place != RECOVERING:
            certify(engine, wall_now())
        hand = Hand(blow, partial(strike, blow, say), recovering=blow.place == RECOVERING)
        engine.outside = behind(hand, spoil(engine.outside))
        if blow.place == RECOVERING:
            engine.record(recover(engine.outside, engine.ledger, setup.policy))
            engine.settle()
            strike(blow, say)
        say(OPEN)
        Loop(
            engine=engine,
            segment=writer.segment,
            cycles_max=None,
            interval_seconds=1,
            stopped=lambda: None,
            watch=partial(_grow_old, count(1)),
        ).run()


def _grow_old(cycles: Iterator[int], _report: CycleReport) -> None:
    """A victim that does not come by its place ends between two cycles."""
    if next(cycles) >= LIFE_CYCLES_MAX:
        strike(Blow(ANYWHERE), lambda _words: None)


def _survivor(setup: Setup, spoil: Spoil, say: Say) -> None:
    with Writer(setup=setup, command="storm") as writer:
        writer.engine.outside = spoil(writer.engine.outside)
        inbox = FileInbox(RealFiles(), setup.inbox_dir, wall_now)
        found = settle_in(writer.engine, setup.policy, partial(read_books, setup), inbox.leave, wall_now())
        say(msgspec.json.encode(found))


def _market_alone(setup: Setup, steps: int | None, _say: Say) -> None:
    venue = simulated(setup.policy, setup.state_dir, Source(), threading.Event())
    if steps is None:
        while not busy(venue.calendar.sessions(venue.clock.now())):
            venue.clock.wait(0)
    for _ in range(steps or 0):
        venue.clock.wait(0)
