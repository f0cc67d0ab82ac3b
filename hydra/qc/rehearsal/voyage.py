"""A voyage: the real engine over the real simulated exchange, one process after the other, beat by beat, watched from outside."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from hydra.adapters.bots.inline import InlineBotHost
from hydra.adapters.exchange.doors import SimBroker, SimClock, SimMarket
from hydra.adapters.exchange.fault_table import BY_EXECUTION
from hydra.adapters.exchange.faults import FaultPlan
from hydra.adapters.exchange.faulty_door import FaultyBroker, FaultyMarket
from hydra.adapters.exchange.faulty_exchange import faulty
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.memory.outside import MemoryInbox, SteadyProbes
from hydra.adapters.memory.store import MemoryStore
from hydra.adapters.reads import read_inline
from hydra.engine.cycle import Engine
from hydra.engine.outside import Outside
from hydra.engine.recover import catch_up, recover
from hydra.engine.replay import Replayed, replay
from hydra.model.errors import Unreachable
from hydra.model.events import Certified, Event, RunClosed, SegmentOpened
from hydra.model.market import AssetClass
from hydra.model.orders import OrderType, Purpose
from hydra.model.portfolio import Binding, Certificate, Ledger
from hydra.model.snapshot import Command
from hydra.policy import Policy
from hydra.ports import Head
from hydra.qc.rehearsal.beats import PORTS, Beat, Ends, Leap, Move, Trouble
from hydra.qc.rehearsal.latch import Latch
from hydra.qc.rehearsal.market import Market
from hydra.qc.rehearsal.ports import Flaky, Gone, MemoryJournal
from hydra.qc.rehearsal.tally import Tally
from hydra.qc.rehearsal.watch import Ear, Watch
from hydra.qc.rehearsal.world import World
from hydra.risk.plugs import RuleBook

_CALM_BEATS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoil:
    """What a test breaks on purpose: the rule book, or the way out, before the engine gets them."""

    book: Callable[[RuleBook], RuleBook] = lambda book: book
    outside: Callable[[Outside], Outside] = lambda outside: outside


class Voyage:
    """One account, and one process after the other. ``problems`` are the claims that did not hold; nothing is played after."""

    def __init__(self, world: World, tally: Tally | None = None, spoil: Spoil | None = None) -> None:
        self.world, self.policy = world, world.policy
        self.tally = tally if tally is not None else Tally()
        self._spoil = spoil or Spoil()
        cast = world.cast(world)
        self.book, self.bots = self._spoil.book(cast.book), dict(cast.bots)
        self.plan = FaultPlan(seed=world.seed)
        self.calendar = world.calendar
        self.market = Market(world, self.calendar, world.starts_at)
        self.floor = SimulatedVenue(self.market.tape, self.calendar, world.account)
        self.floor.advance()
        self.venue = faulty(self.floor, self.plan)
        self.journal = MemoryJournal(lambda: self.floor.now)
        self.inbox = MemoryInbox()
        self.flaky = {name: Flaky(name, port, self._struck) for name, port in self._ports().items()}
        self.watch = Watch(world, self.floor, self.journal, self.tally)
        self.latch = Latch(self.watch)
        self.engine: Engine | None = None
        self.runs = self.segments = self.beats = 0
        self._chance = random.Random(f"power {world.seed}")
        self.problems: list[str] = []
        self._sent = self._filled = 0
        self._met: set[str] = set()

    def _ports(self) -> Mapping[str, Any]:
        now = lambda: self.floor.now  # noqa: E731  # a clock
        return {
            "broker": FaultyBroker(SimBroker(self.venue), self.plan, _no_sleep),
            "market": FaultyMarket(SimMarket(self.venue), self.plan, now, _no_sleep),
            "journal": self.journal,
            "store": MemoryStore(),
            "inbox": self.inbox,
            "probes": SteadyProbes(),
            "calendar": self.calendar,
            "clock": SimClock(self.floor),
            "bots": InlineBotHost(self.bots, None),
            "site": _Site(self.policy, self.floor),
        }

    # -- the voyage

    def play(self, beats: Iterable[Beat]) -> list[str]:
        """Beats until one shows a problem; the problems."""
        for beat in beats:
            self.beat(beat)
            if self.problems:
                break
        return self.problems

    def beat(self, beat: Beat) -> list[str]:
        """One step of everything."""
        self.beats += 1
        if beat.faults or not self.plan.idle:
            self.plan.replace(beat.faults)
        for flaky in self.flaky.values():
            flaky.arm(beat.troubles)
        self.venue.advance_to(self.market.step(beat))
        self._order(beat.command)
        try:
            if self.engine is None:
                self._start()
            if self.engine is not None:
                self._cycle(self.engine)
            if self.engine is not None and beat.ends is not Ends.NOT:
                self._ends(self.engine, beat.ends)
        except Gone as gone:
            self._end(power=gone.power)
        except (Unreachable, OSError) as error:
            self.tally.ended[type(error).__name__] += 1
            self._end(power=False)
        self._note_losses()  # those of a cycle that did not come to its end, too
        self._count(beat)
        self.problems += self.watch.problems
        return self.problems

    def calm(self) -> list[str]:
        """The end: nothing goes wrong any more, the operator closes everything; then all of it must be gone, and agree."""
        quiet = tuple(Move() for _ in self.world.symbols)
        self.watch.calms_down()
        for number in range(_CALM_BEATS):
            tomorrow = number == _CALM_BEATS // 2 or not self._shares_trade()
            leap = Leap.NEXT_OPEN if tomorrow else Leap.NOT
            commands = {0: "resume!", 1: "accept", 2: "resume!", 3: "flatten"}
            if self.beat(Beat(seconds=60, leap=leap, moves=quiet, command=commands.get(number, ""))):
                return self.problems
            if number > len(commands) and self.watch.is_flat():
                break
        self.problems += self.watch.left()
        return self.problems

    def replayed(self) -> Replayed:
        """The journal decided again, from its bytes."""
        return replay(self.journal.read(), lambda _: (self.book, InlineBotHost(self.bots, None)))

    def _shares_trade(self) -> bool:
        """Whether shares trade for another hour, or always."""
        shares = self.calendar.sessions(self.floor.now).by_class[AssetClass.EQUITY]
        return shares.open and (shares.closes_at is None or self.floor.now < shares.closes_at - timedelta(hours=1))

    # -- one process

    def _cycle(self, engine: Engine) -> None:
        day, halted, sent = engine.ledger.day, self.latch.before(), len(self.watch.submitted)
        with self.watch.cycle(engine):
            report = engine.cycle()
        self._note_losses()
        self.watch.after(engine, report)
        orders = list(islice(self.watch.submitted.values(), sent, None))
        self.problems += self.latch.after(halted, report, engine.ledger, orders)
        if day is not None and engine.ledger.day != day:
            self.segments += 1
            engine.open_segment(self._segment(self.segments))

    def _start(self) -> None:
        """The next process: fold the journal's tail, recover from the venue. Refused while the venue does not answer."""

        def events_after(head: Head) -> Iterable[Event]:
            return self.journal.read(head.seq)

        store = self.flaky["store"]._inner
        ledger = catch_up(store, events_after)[0] if self.runs else Ledger()
        self.runs += 1
        self.segments += 1
        self.journal.run = f"run-{self.runs}"
        ports: dict[str, Any] = {**self.flaky, "broker": Ear(self.flaky["broker"], self.watch)}
        site = ports.pop("site")
        ports["market"] = Ear(self.flaky["market"], self.watch)
        outside = self._spoil.outside(Outside(**ports, read_all=read_inline, binding=lambda: site.binding()))  # noqa: PLW0108  # asked anew: what stands before it changes
        engine = Engine(outside, self.book, ledger)
        with self.watch.starting():
            engine.open_segment(self._segment(self.segments))
            if ledger.certificate is None:
                engine.record(Certified(certificate=self._certificate()))
            engine.record(recover(outside, engine.ledger, self.policy))
            engine.settle()
        self.engine = engine

    def _ends(self, engine: Engine, how: Ends) -> None:
        self._met.add(f"end {how}")
        if how is Ends.STOPPED:
            engine.close(RunClosed(reason="the rehearsal stops it", exit_code=0, cycles=1))
        self._end(power=how is Ends.POWER)

    def _end(self, *, power: bool) -> None:
        self.engine = None
        self.tally.ended["power" if power else "process"] += 1
        if power:
            self.journal.lose_power(self._chance)
            self.watch.lost(self.journal.length)
            self.latch.lost()

    # -- what it is told

    def _order(self, command: str) -> None:
        if not command:
            return
        action, _, place = command.rstrip("!").partition(":")
        self.latch.said(action)
        bots = self.policy.bots
        self.inbox.waiting.append(
            Command(
                command_id=f"c{self.beats}",
                action=action,
                by="operator",
                wall=self.floor.now,
                reason="the rehearsal says so",
                force=command.endswith("!"),
                bot=bots[int(place) % len(bots)].id if place else "",
            )
        )
        self.tally.commands[action] += 1
        self._met.add(f"word {action}{' one' if place else ''}")

    def _struck(self, trouble: Trouble) -> None:
        assert trouble.method in PORTS[trouble.port]
        self.tally.troubles[f"{trouble.port} {trouble.how}"] += 1
        self._met.add(f"port {trouble.port}")
        self.watch.struck(trouble.port, trouble.method)

    def _note_losses(self) -> None:
        """News of an execution that is lost, or told twice, sets ledger and exchange apart: that has to be noticed, no more."""
        if self.plan.idle:
            return
        self.watch.lossy |= any(rule.fault in BY_EXECUTION and tally.acted for rule, tally in self.plan.tallies())

    def _count(self, beat: Beat) -> None:
        """What befell this beat, and what was sent in it, by regime."""
        met = self._met
        for rule, tally in self.plan.tallies():
            if tally.acted:
                self.tally.faults[rule.fault.value] += tally.acted
                met.add(rule.fault.value)
        if beat.regime:
            self.tally.regimes[beat.regime] += 1
            for kind in met:
                self.tally.crossed[f"{beat.regime} / {kind}"] += 1
            for order in islice(self.watch.submitted.values(), self._sent, None):
                self.tally.trades[f"{order.bot} / {beat.regime} / {order.purpose}"] += 1
        if self.watch.truth.fills > self._filled:
            self._count_exits(beat.regime)
        self._sent = len(self.watch.submitted)
        met.clear()

    def _count_exits(self, regime: str) -> None:
        """Stops and targets that rested at the exchange and were reached, by bot and regime."""
        for done in self.floor.executions(self._filled):
            self._filled = done.number
            order, ticket = self.watch.truth.order_of(done.client_id), self.floor.ticket_named(done.client_id)
            rested = order is not None and (order.purpose is Purpose.STOP or done.client_id != order.client_id)
            if order is None or ticket is None or order.legs or not rested or ticket.remaining:
                continue
            what = "target reached" if ticket.order_type is OrderType.LIMIT else "stopped"
            if regime:
                self.tally.trades[f"{order.bot} / {regime} / {what}"] += 1

    def _certificate(self) -> Certificate:
        bound = _Site(self.policy, self.floor).binding()
        shared = {name: getattr(bound, name) for name in Binding.__struct_fields__}
        return Certificate(wall=self.world.starts_at, minutes=15, head="0" * 64, **shared)

    def _segment(self, number: int) -> SegmentOpened:
        return SegmentOpened(
            segment=number,
            wall=self.world.starts_at,
            command="hydra run",
            host="here",
            pid=7,
            version="0",
            code_hash="code",
            policy_hash=self.policy.hash,
            policy=self._document,
            seed=1,
            market="rehearsal",
            practice=self.policy.practice,
            ledger=Ledger(),
        )

    @property
    def _document(self) -> Mapping[str, Any]:
        return {"hash": self.policy.hash}


class _Site:
    """What is running, as it says itself."""

    def __init__(self, policy: Policy, floor: SimulatedVenue) -> None:
        self._bound = Binding(
            policy_hash=policy.hash,
            code_hash="code",
            account_id=floor.state().account_id,
            url="sim://memory",
            mode=policy.mode,
            host="here",
        )

    def binding(self) -> Binding:
        """The same at every look."""
        return self._bound


def _no_sleep(_seconds: float) -> None:
    """Nothing waits here."""
