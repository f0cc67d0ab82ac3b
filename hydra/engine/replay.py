"""A journal executed again: fold it, decide every cycle again, and name the first difference.

The reader underneath has verified the hash chain. Here every recorded answer is asked again (recorded failures are taken as
they are: who hung then is not asked), every plan is computed again, every order, cancellation, halt and resume of a cycle must have been planned, and
every checkpoint at the head of a segment must equal the fold of what came before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hydra.engine.cycle import answered
from hydra.engine.decide import Consideration, conclude, consider, foreseen
from hydra.engine.fold import fold
from hydra.engine.sight import see
from hydra.model.errors import Corrupt
from hydra.model.events import (
    Answered,
    CancelSent,
    CycleClosed,
    Decided,
    Event,
    Flattened,
    ForeignAccepted,
    Halted,
    OrderSent,
    Released,
    Resumed,
    RunClosed,
    SegmentOpened,
)
from hydra.model.orders import TEST_BOT
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Answer, Observed, Plan, Sight, Snapshot
from hydra.model.values import Value, replace
from hydra.ports import BotHost
from hydra.risk.plugs import RuleBook

_PLANNED = CancelSent | Halted | Resumed | Flattened | ForeignAccepted | Released
"""What follows from a plan, within a cycle: from what was foreseen of it, until the whole is there."""

Resolve = Callable[[Mapping[str, Any]], tuple[RuleBook, BotHost]]
"""A journaled policy document with its plugs, and the bots it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first place where deciding again came to something else."""

    seq: int
    cycle: int
    where: str
    recorded: str
    recomputed: str


@dataclass(slots=True, kw_only=True)
class Replayed:
    """What a replay went through. ``difference`` is ``None`` when everything was identical."""

    events: int = 0
    cycles: int = 0
    decisions: int = 0
    orders: int = 0
    runs: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    open_tail: bool = True
    difference: Difference | None = None


def replay(
    events: Iterable[Event], resolve: Resolve, *, watch: Callable[[Event], None] = lambda _event: None
) -> Replayed:
    """Execute ``events`` again, up to the first difference. Raises ``Corrupt`` when they cannot be a journal's."""
    replayer = _Replayer(resolve)
    for event in events:
        watch(event)
        replayer.take(event)
        if replayer.result.difference is not None:
            break
    return replayer.result


class _Replayer:
    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._ledger: Ledger | None = None
        self._sight: Sight | None = None
        self._book: RuleBook | None = None
        self._bots: BotHost | None = None
        self._considered: Consideration | None = None
        self._answers: Mapping[str, Answer] = {}
        self._plan: Plan | None = None
        self.result = Replayed()

    def take(self, event: Event) -> None:
        """Check one event against what it should be, then fold it."""
        result, data = self.result, event.data
        result.events += 1
        result.open_tail = not isinstance(data, RunClosed)
        if isinstance(data, SegmentOpened):
            self._open(event, data)
            return
        if self._ledger is None or self._book is None:
            raise Corrupt(f"event {event.seq} ({event.kind}) comes before any segment_opened")
        if isinstance(data, Answered):
            self._check_answers(event, data)
        elif isinstance(data, Decided):
            self._check_plan(event, data)
        elif isinstance(data, OrderSent):
            self._check_order(event, data)
        elif isinstance(data, _PLANNED) and self._plan is not None:
            self._check_planned(event, data, self._plan)
        elif isinstance(data, CycleClosed):
            result.cycles += 1
        self._ledger = fold(self._ledger, event)
        if isinstance(data, Observed):
            self._look(data)

    def _open(self, event: Event, opened: SegmentOpened) -> None:
        if self._ledger is not None:
            self._compare(event, opened.ledger, replace(self._ledger, run=opened.ledger.run, binding=None))
        self._ledger = fold(self._ledger or Ledger(), event)
        self._sight, self._considered, self._plan = None, None, None
        self._book, self._bots = self._resolve(opened.policy)
        self.result.runs.add(event.run)
        self.result.codes.add(opened.code_hash)

    def _look(self, seen: Observed) -> None:
        assert self._book is not None
        self._sight = see(self._sight or Sight(), seen, self._book.policy.engine.window_bars)
        self._answers = {}
        self._considered = consider(self._snapshot(), self._book)
        self._plan = foreseen(self._considered, seen.cycle)

    def _check_answers(self, event: Event, recorded: Answered) -> None:
        if self._considered is None or self._bots is None:
            raise Corrupt(f"event {event.seq}: answers before anything was observed")
        failed = {answer.bot: answer for answer in recorded.answers if answer.failure is not None}
        questions = self._considered.questions
        again = self._bots.ask([question for question in questions if question.bot not in failed])
        answered_again = {answer.bot: answer for answer in again}
        answers = tuple(failed.get(q.bot) or answered_again[q.bot] for q in questions)
        self._compare(event, recorded, answered(recorded.cycle, answers))
        self._answers = {answer.bot: answer for answer in answers}

    def _check_plan(self, event: Event, recorded: Decided) -> None:
        if self._considered is None or self._book is None:
            raise Corrupt(f"event {event.seq}: a decision before anything was observed")
        if self._considered.questions and not self._answers:
            raise Corrupt(f"event {event.seq}: a decision without the bots' answers")
        plan = conclude(self._snapshot(), self._book, self._considered)
        self.result.decisions += 1
        self._compare(event, recorded.plan, plan)
        self._plan, self._considered = plan, None

    def _check_order(self, event: Event, sent: OrderSent) -> None:
        self.result.orders += 1
        if self._plan is None and sent.order.bot == TEST_BOT:
            return  # a check of the line, outside any cycle
        planned = {send.order.client_id: send.order for send in self._plan.sends} if self._plan is not None else {}
        order = planned.get(sent.order.client_id)
        if order is None:
            self._differ(event, "order", sent.order.client_id, "no such order was planned")
        else:
            self._compare(event, sent.order, order)

    def _check_planned(self, event: Event, done: Value, plan: Plan) -> None:
        """Cancellations, halts and an operator's commands follow from the plan; outside a cycle they are an operator's."""
        if isinstance(done, CancelSent):
            cancels = (*plan.cancels, *(cancel for send in plan.sends for cancel in send.release))
            planned = done.client_id in {cancel.client_id for cancel in cancels}
        elif isinstance(done, Halted):
            planned = done.halt in plan.halts
        elif isinstance(done, Flattened):
            planned = (done.by, done.reason, done.bot) in {(one.by, one.reason, one.bot) for one in plan.flattens}
        elif isinstance(done, ForeignAccepted):
            planned = (done.by, done.reason) in {(accept.by, accept.reason) for accept in plan.accepts}
        elif isinstance(done, Released):
            released = {(one.by, one.reason, one.bot, one.force) for one in plan.releases}
            planned = (done.by, done.reason, done.bot, done.forget) in released
        else:
            assert isinstance(done, Resumed)
            planned = (done.by, done.reason) in {(resume.by, resume.reason) for resume in plan.resumes}
        if not planned:
            self._differ(event, "planned", "it was done", "it was not planned")

    def _snapshot(self) -> Snapshot:
        assert self._ledger is not None
        assert self._sight is not None
        assert self._sight.at is not None
        return Snapshot(
            run=self._ledger.run,
            cycle=self._ledger.cycle,
            at=self._sight.at,
            ledger=self._ledger,
            sight=self._sight,
            answers=self._answers,
        )

    def _compare(self, event: Event, recorded: Value, recomputed: Value) -> None:
        if recorded == recomputed:
            return
        for where, ours, theirs in differences(recorded, recomputed):
            self._differ(event, where, ours, theirs)
            return

    def _differ(self, event: Event, where: str, recorded: str, recomputed: str) -> None:
        if self.result.difference is None:
            cycle = self._ledger.cycle if self._ledger is not None else 0
            self.result.difference = Difference(
                seq=event.seq, cycle=cycle, where=f"{event.kind}.{where}", recorded=recorded, recomputed=recomputed
            )


def differences(recorded: Any, recomputed: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """(path, recorded, recomputed) of every leaf in which two values or JSON-like documents differ."""
    if recorded == recomputed:
        return
    if isinstance(recorded, Value) and type(recorded) is type(recomputed):
        for name in recorded.__struct_fields__:
            yield from differences(
                getattr(recorded, name), getattr(recomputed, name), f"{path}.{name}" if path else name
            )
    elif isinstance(recorded, dict) and isinstance(recomputed, dict):
        for key in (*recorded, *(k for k in recomputed if k not in recorded)):
            yield from differences(recorded.get(key), recomputed.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(recorded, list | tuple) and isinstance(recomputed, list | tuple):
        if len(recorded) != len(recomputed):
            yield f"{path}.length", str(len(recorded)), str(len(recomputed))
        for number, (ours, theirs) in enumerate(zip(recorded, recomputed, strict=False)):
            yield from differences(ours, theirs, f"{path}[{number}]")
    else:
        yield path, _shown(recorded), _shown(recomputed)


def _shown(value: Any) -> str:
    return "(absent)" if value is None else str(msgspec.to_builtins(value))[:200]
