"""The watch: stands at the broker's door and behind the journal, sees every order before it leaves, and judges every cycle.

It takes nothing from the engine on trust: what is held, what works and what there is in cash it has from the exchange (``truth``),
what was said from the journal, and what failed from the ports. From the ledger it takes only what the exchange cannot know: where a
stop was decided to be, what was accepted as foreign, when the day began.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.engine.cycle import CycleReport, Engine
from hydra.model.events import Decided, Halted, OrderSent, Resumed
from hydra.model.market import asset_class_of
from hydra.model.orders import Order, Purpose
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Verdict
from hydra.ports import Ack, AckOutcome
from hydra.qc.rehearsal import claims, limits
from hydra.qc.rehearsal.ports import Gone, MemoryJournal
from hydra.qc.rehearsal.scene import Scene
from hydra.qc.rehearsal.seen import Seen
from hydra.qc.rehearsal.tally import Tally
from hydra.qc.rehearsal.truth import Lot, Now
from hydra.qc.rehearsal.world import World

READS = frozenset({"now", "account", "positions", "open_orders", "fills", "activities"})
"""What the venue has to answer before anything may be entered."""
_HEARD = frozenset({"submit", "chain", "open_orders", "fills", "order"})
"""Answers that tell something by themselves; the others are only kept."""


class Watch(Seen):
    """One voyage's."""

    def __init__(self, world: World, venue: SimulatedVenue, journal: MemoryJournal, tally: Tally) -> None:
        super().__init__(world, venue, journal, tally)
        self._read = 0
        self._now: Now | None = None
        self._engine: Engine | None = None
        self._sent_now: list[Order] = []
        self._calm = False

    # -- around a cycle

    def cycle(self, engine: Engine) -> AbstractContextManager[None]:
        """One cycle of a running process."""
        self._engine = engine
        return _Around(self._begin, self._journaled)

    def starting(self) -> AbstractContextManager[None]:
        """A process that takes up its journal."""
        self._engine = None
        return _Around(self._begin, self._journaled)

    def after(self, engine: Engine, report: CycleReport) -> None:
        """A cycle came to its end: judge what is."""
        assert self._now is not None
        self.tally.counts["cycles"] += 1
        self._count(report)
        if self.problems:
            return
        self.problems += claims.of_a_cycle(self, self._now, report, engine.ledger)

    def struck(self, port: str, method: str) -> None:
        """A call of a port of ours went wrong."""
        self.failed.add(method if port in ("broker", "market") else f"{port}.{method}")

    def lost(self, length: int) -> None:
        """Power was lost: the journal has only this many events now."""
        self._read = min(self._read, length)
        self.halted = False
        self.journaled.clear()
        for event in self.journal.written():
            self._latch(event.data)
            if isinstance(event.data, OrderSent):
                self.journaled.add(event.data.order.client_id)

    def calms_down(self) -> None:
        """From here on nothing goes wrong any more."""
        self._calm = True

    def is_flat(self) -> bool:
        """Whether nothing of ours is held at the exchange, or works there."""
        now = self.truth.look()
        return not any(lot.bot for lot in now.lots.values()) and not now.working

    def left(self) -> list[str]:
        """What is left once everything was to be closed and nothing stood in the way."""
        return claims.of_the_end(self, self.truth.look(), self.ledger)

    # -- at the door

    def submitting(self, order: Order) -> None:
        """An order is about to leave."""
        assert self._now is not None
        self._journaled()
        self.tally.counts["orders"] += 1
        self.tally.counts[f"orders {order.purpose}"] += 1
        self.tally.counts[f"orders in {'structures' if order.legs else asset_class_of(order.symbol)}"] += 1
        self.problems += claims.of_an_order(self, order)
        self.submitted[order.client_id] = order
        self.truth.orders[order.client_id] = order
        if order.purpose is Purpose.ENTRY:
            scene = self.scene()
            self.problems += claims.of_an_entry(self, order, scene)
            self.problems += limits.broken(order, scene, self.tally)
            self._sent_now.append(order)
            day = self._now.sessions.day.isoformat()
            for who in (order.bot, ""):
                self.entries_by_day[who, day] = self.entries_by_day.get((who, day), 0) + 1
            self.entered_at[order.bot, f"{order.symbol} {order.side}"] = self._now.at
        else:
            self.problems += claims.of_a_reduction(self, order, self.truth.look(), self.ledger)
        self.sent_at.append(self._now.at)

    def answered(self, method: str, arguments: tuple[Any, ...], answer: Any) -> None:
        """The broker or the market answered."""
        self.told[method] = answer
        if method not in _HEARD:
            return
        if method == "submit" and not _definite(answer, arguments[0]):
            self._not_known(arguments[0].client_id)
        elif method == "chain":
            self.chains[arguments[0]] = {quote.symbol: quote for quote in answer}
        elif method in ("open_orders", "fills"):
            for report in answer if method == "open_orders" else answer.fills:
                self.unknown.pop(report.client_id, None)
        elif method == "order" and arguments[0] in self.unknown:
            waited = (self.venue.now - self.unknown[arguments[0]]).total_seconds()
            if answer is not None or waited >= float(self.policy.engine.unknown_grace_seconds):
                del self.unknown[arguments[0]]

    def raised(self, method: str, arguments: tuple[Any, ...]) -> None:
        """A call of the broker or the market failed."""
        self.failed.add(method)
        if method == "submit":
            self._not_known(arguments[0].client_id)

    def scene(self) -> Scene:
        """What an entry is held against: the exchange as it was when the cycle began, and what was sent since."""
        assert self._now is not None
        return Scene(
            world=self.world,
            now=self._now,
            truth=self.truth,
            ledger=self.ledger,
            sent_now=tuple(self._sent_now),
            sent_at=tuple(self.sent_at),
            chains=self.chains,
            entries_by_day=self.entries_by_day,
            entered_at=self.entered_at,
            stopped=self.truth.stopped,
            lossy=self.lossy,
        )

    @property
    def ledger(self) -> Ledger:
        """The running process's."""
        return Ledger() if self._engine is None else self._engine.ledger

    # -- inside

    def _begin(self) -> None:
        self._journaled()
        self._now = self.truth.look()
        self._sent_now, self.plan = [], None
        self.unknown_now = self.resumed = False
        self.told = {}
        self.behind = self._engine is not None and "store.commit" in self.failed
        self.failed = set()
        while self.sent_at and (self._now.at - self.sent_at[0]).total_seconds() >= 60:
            self.sent_at.popleft()
        if self.truth.strange:
            self.problems += [f"nothing is traded that was not sent: {each}" for each in self.truth.strange]
        if self.truth.turned:
            self.problems += [f"what reduces only reduces: {each}" for each in self.truth.turned]

    def _journaled(self) -> None:
        """Read on in the journal."""
        for event in self.journal.written(self._read):
            self._read += 1
            data = event.data
            if isinstance(data, Decided):
                self.plan = data.plan
            elif isinstance(data, OrderSent):
                client_id = data.order.client_id
                if client_id in self.journaled:
                    self.problems.append(f"an order is journaled once: {client_id}")
                self.journaled.add(client_id)
            else:
                self._latch(data)

    def _latch(self, data: Any) -> None:
        if isinstance(data, Halted):
            self.halted = True
        elif isinstance(data, Resumed):
            self.halted, self.resumed = False, True

    def _not_known(self, client_id: str) -> None:
        self.unknown[client_id] = self.venue.now
        self.unknown_now = True

    def _count(self, report: CycleReport) -> None:
        plan, tally = report.plan, self.tally
        for verdict in plan.judgements:
            tally.counts["judged"] += 1
            lowest = min((c.quantity for c in verdict.ceilings), default=None)
            for ceiling in verdict.ceilings:
                if ceiling.quantity < verdict.asked:
                    tally.capped[ceiling.rule] += 1
                    if ceiling.quantity == lowest:
                        tally.decided[ceiling.rule] += 1
        for answer in plan.answers:
            if answer.verdict is Verdict.REFUSE:
                tally.gates[answer.gate] += 1
        for send in plan.sends:
            if send.order.purpose is Purpose.EXIT:
                kind = tally.option_exits if send.order.legs else tally.exits
                kind[send.order.cause or "its bot"] += 1
        for moved in plan.stops:
            tally.exits[moved.reason.partition(":")[0]] += 1
        for halt in plan.halts:
            tally.halts[halt.kind] += 1
        for skip in plan.skips:
            tally.skips[skip.code] += 1
        tally.counts[f"mode {plan.mode}"] += 1


class _Around(AbstractContextManager[None]):
    """Something before, and something after, whatever happens in between."""

    __slots__ = ("_after", "_before")

    def __init__(self, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._before = before
        self._after = after

    def __enter__(self) -> None:
        self._before()

    def __exit__(self, *_raised: object) -> None:
        self._after()


def _definite(answer: Any, order: Order) -> bool:
    """Whether an answer to a submit says for sure what became of the order."""
    if type(answer) is not Ack:
        return False
    if answer.outcome is AckOutcome.REJECTED:
        return answer.order is None
    return answer.order is not None and answer.order.client_id == order.client_id


class Ear:
    """Listens at a port: hands everything on, and tells the watch."""

    def __init__(self, inner: Any, watch: Watch) -> None:
        self._inner = inner
        self._watch = watch

    def __getattr__(self, method: str) -> Any:
        """The method with an ear on it. It is kept: what it stands before is asked anew at every call."""
        inner, watch = self._inner, self._watch

        def call(*arguments: Any) -> Any:
            if method == "submit":
                watch.submitting(*arguments)
            try:
                answer = getattr(inner, method)(*arguments)
            except (Gone, Exception):
                watch.raised(method, arguments)
                raise
            watch.answered(method, arguments, answer)
            return answer

        self.__dict__[method] = call
        return call


__all__ = ["READS", "Ear", "Lot", "Watch"]
