"""A journal executed again: fold it, decide every cycle again, and name the first difference.

The reader underneath has verified the hash chain. Here every recorded answer is asked again (recorded failures are taken as
they are: who hung then is not asked), every plan is computed again, every order, cancellation, halt and resume of a cycle must have been planned and
everything planned must have been done or withheld, and every checkpoint at the head of a segment must equal the fold of what came before it.
So a line that was changed, left out or put in is found even where somebody made every hash fit again. What the world said (a look, an
answer of the venue) is input: nothing can be compared with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hydra.engine.cycle import answered
from hydra.engine.decide import Consideration, conclude, consider, foreseen
from hydra.engine.fold import fold
from hydra.engine.planned import key_of, must_do, to_do
from hydra.engine.sight import see, see_passed
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
    OrderWithheld,
    Passed,
    Released,
    Resumed,
    RunClosed,
    SegmentOpened,
    Voted,
)
from hydra.model.orders import TEST_BOT
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Answer, Observed, Plan, Sight, Snapshot
from hydra.model.values import Value, replace
from hydra.policy import Policy
from hydra.ports import BotHost, Hears, Question
from hydra.risk.plugs import RuleBook

Resolve = Callable[[Mapping[str, Any]], tuple[RuleBook, BotHost]]
"""A journaled policy document with its plugs, and the bots it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One leaf in which what was recorded and what was recomputed differ."""

    where: str
    recorded: str
    recomputed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first event where deciding again came to something else: its first leaf, and in ``fields`` all of them."""

    seq: int
    cycle: int
    where: str
    recorded: str
    recomputed: str
    kind: str = ""
    fields: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """A segment under another policy than the segment before it."""

    seq: int
    run: str
    before: str
    after: str


@dataclass(slots=True, kw_only=True)
class Replayed:
    """What a replay went through. ``difference`` is ``None`` when everything was identical.

    ``passed`` are cycles that were passed over, beside ``cycles``. Of one bot alone, ``decisions`` and ``orders`` are those that concern it. ``bots`` are all that the policies name.
    """

    events: int = 0
    cycles: int = 0
    passed: int = 0
    decisions: int = 0
    orders: int = 0
    runs: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    versions: set[str] = field(default_factory=set)
    bots: set[str] = field(default_factory=set)
    turned: list[Turned] = field(default_factory=list)
    open_tail: bool = True
    difference: Difference | None = None


def replay(
    events: Iterable[Event],
    resolve: Resolve,
    *,
    watch: Callable[[Event], None] = lambda _event: None,
    bot: str | None = None,
) -> Replayed:
    """Execute ``events`` again, up to the first difference. Raises ``Corrupt`` when they cannot be a journal's.

    With ``bot`` only that bot is asked again, and only what concerns it is compared.
    """
    replayer = Replayer(resolve, bot)
    for event in events:
        watch(event)
        replayer.take(event)
        if replayer.result.difference is not None:
            break
    return replayer.result


class Replayer:
    """A replay, event by event. After a difference it stands still: whoever feeds it stops there."""

    def __init__(self, resolve: Resolve, bot: str | None = None) -> None:
        self._resolve = resolve
        self.bot = bot
        self._ledger: Ledger | None = None
        self._sight: Sight | None = None
        self._book: RuleBook | None = None
        self._bots: BotHost | None = None
        self._considered: Consideration | None = None
        self._answers: Mapping[str, Answer] | None = None
        self._plan: Plan | None = None
        self._cycling = self._decided = False
        self._done: list[Value] = []
        self._policy_hash = ""
        self.result = Replayed()

    @property
    def ledger(self) -> Ledger | None:
        """The fold so far."""
        return self._ledger

    @property
    def sight(self) -> Sight | None:
        """What was seen so far in this segment."""
        return self._sight

    @property
    def considered(self) -> Consideration | None:
        """The first half of the decision of the cycle that has just been looked at."""
        return self._considered

    @property
    def policy(self) -> Policy:
        """The policy of the segment. Only after its first event."""
        assert self._book is not None
        return self._book.policy

    def skim(self, event: Event) -> None:
        """Fold an event and decide nothing: it is only what came before."""
        if isinstance(event.data, SegmentOpened):
            self._open(event, event.data)
        elif self._ledger is None:
            raise Corrupt(f"event {event.seq} ({event.kind}) comes before any segment_opened")
        else:
            self._ledger = fold(self._ledger, event)
            if isinstance(event.data, Observed):
                self._sight = see(self._sight or Sight(), event.data, self.policy.engine.window_bars)
            elif isinstance(event.data, Passed) and self._sight is not None:
                self._sight = see_passed(self._sight, event.data)

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
        check = _CHECKS.get(type(data))
        if check is not None:
            check(self, event, data)
        self._ledger = fold(self._ledger, event)
        if isinstance(data, Observed):
            self._look(data)

    def _open(self, event: Event, opened: SegmentOpened) -> None:
        if self._ledger is not None:
            self._compare(event, opened.ledger, replace(self._ledger, run=opened.ledger.run, binding=None))
        self._ledger = fold(self._ledger or Ledger(), event)
        self._sight = self._considered = self._plan = self._answers = None
        self._cycling = self._decided = False
        self._book, self._bots = self._resolve(opened.policy)
        result = self.result
        if self._policy_hash not in ("", opened.policy_hash):
            result.turned.append(
                Turned(seq=event.seq, run=event.run, before=self._policy_hash, after=opened.policy_hash)
            )
        self._policy_hash = opened.policy_hash
        result.runs.add(event.run)
        result.codes.add(opened.code_hash)
        result.versions.update({opened.version} - {""})
        result.bots.update(bot.id for bot in self._book.policy.bots)

    def _check_look(self, event: Event, seen: Observed) -> None:
        assert self._ledger is not None
        if self._cycling:
            raise Corrupt(f"event {event.seq}: another look before cycle {self._ledger.cycle} was closed")
        if seen.cycle != self._ledger.cycle + 1:
            self._differ(event, [("cycle", str(seen.cycle), str(self._ledger.cycle + 1))])

    def _look(self, seen: Observed) -> None:
        """The first half of a cycle. A part of a journal may begin here: of what came before, only ledger and sight are needed."""
        assert self._book is not None
        self._sight = see(self._sight or Sight(), seen, self._book.policy.engine.window_bars)
        self._answers, self._cycling, self._decided, self._done = None, True, False, []
        self._considered = consider(self._snapshot(), self._book)
        self._plan = foreseen(self._considered, seen.cycle)

    def _check_passed(self, event: Event, passed: Passed) -> None:
        """Cycles that were passed over stand between two others, and their number is right."""
        assert self._ledger is not None
        if self._cycling:
            raise Corrupt(f"event {event.seq}: cycles are passed over before cycle {self._ledger.cycle} was closed")
        if passed.count < 1 or passed.cycle != self._ledger.cycle + passed.count:
            self._differ(event, [("cycle", str(passed.cycle), str(self._ledger.cycle + passed.count))])
        self.result.passed += passed.count
        if self._sight is not None:
            self._sight = see_passed(self._sight, passed)

    def _check_votes(self, event: Event, recorded: Voted) -> None:
        """Votes are input; which asset, which brief and which consensus are not. Between two cycles nobody was asked."""
        if self._considered is not None and isinstance(self._bots, Hears):
            self._compare(event, recorded, self._bots.hear(recorded, self._considered.questions))

    def _check_answers(self, event: Event, recorded: Answered) -> None:
        if self._considered is None or self._bots is None:
            raise Corrupt(f"event {event.seq}: answers before anything was observed")
        questions = self._considered.questions
        told = {answer.bot: answer for answer in recorded.answers}
        again = {answer.bot: answer for answer in self._bots.ask(self._to_ask(questions, told))}
        answers = {q.bot: again.get(q.bot) or told.get(q.bot) or Answer(bot=q.bot) for q in questions}
        mine, theirs = recorded, answered(recorded.cycle, answers.values())
        if self.bot is not None:
            mine, theirs = _answers_of(recorded, self.bot), _answers_of(theirs, self.bot)
        self._compare(event, mine, theirs)
        self._answers = answers

    def _to_ask(self, questions: Sequence[Question], told: Mapping[str, Answer]) -> Sequence[Question]:
        """Who is asked again: not a bot that failed then, and not another than the one that is looked at."""
        failed = {answer.bot for answer in told.values() if answer.failure is not None} if told else None
        if self.bot is None and not failed:
            return questions
        return [q for q in questions if (self.bot is None or q.bot == self.bot) and not (failed and q.bot in failed)]

    def _check_plan(self, event: Event, recorded: Decided) -> None:
        if self._considered is None or self._book is None:
            raise Corrupt(f"event {event.seq}: a decision before anything was observed")
        if self._considered.questions and self._answers is None:
            raise Corrupt(f"event {event.seq}: a decision without the bots' answers")
        plan = conclude(self._snapshot(), self._book, self._considered)
        if self.bot is None:
            self.result.decisions += 1
            self._compare(event, recorded.plan, plan)
        else:
            self.result.decisions += any(question.bot == self.bot for question in self._considered.questions)
            self._compare(event, self._of_bot(recorded.plan), self._of_bot(plan))
        self._plan, self._considered, self._decided = plan, None, True

    def _of_bot(self, plan: Plan) -> Plan:
        """As much of a plan as is about the bot that is looked at."""
        assert self._ledger is not None
        orders, bot = self._ledger.orders, self.bot
        cancels = tuple(one for one in plan.cancels if one.client_id in orders and orders[one.client_id].bot == bot)
        return Plan(
            cycle=plan.cycle,
            mode=plan.mode,
            skips=tuple(skip for skip in plan.skips if skip.subject.partition("|")[0] == bot),
            judgements=tuple(judged for judged in plan.judgements if judged.intent.bot == bot),
            cancels=cancels,
            sends=tuple(send for send in plan.sends if send.order.bot == bot),
            stops=tuple(moved for moved in plan.stops if moved.bot == bot),
            flattens=tuple(word for word in plan.flattens if word.bot == bot),
            releases=tuple(word for word in plan.releases if word.bot == bot),
        )

    def _check_order(self, event: Event, sent: OrderSent) -> None:
        if self.bot is None or sent.order.bot == self.bot:
            self.result.orders += 1
        if self._plan is None and sent.order.bot == TEST_BOT:
            return  # a check of the line, outside any cycle
        sends = self._plan.sends if self._plan is not None else ()
        order = next((send.order for send in sends if send.order.client_id == sent.order.client_id), None)
        if self.bot is not None and sent.order.bot != self.bot:
            pass
        elif order is None:
            self._differ(event, [("order", sent.order.client_id, "no such order was planned")])
        else:
            self._compare(event, sent.order, order)
        self._done.append(sent)

    def _check_withheld(self, _event: Event, withheld: OrderWithheld) -> None:
        self._done.append(withheld)

    def _check_planned(self, event: Event, done: Value) -> None:
        """Cancellations, halts and an operator's commands follow from the plan; outside a cycle they are an operator's."""
        if self._plan is None:
            return
        self._done.append(done)
        if self.bot is None and key_of(done) not in (key_of(one) for one in to_do(self._plan)):
            self._differ(event, [("planned", "it was done", "it was not planned")])

    def _check_closed(self, event: Event, closed: CycleClosed) -> None:
        """Everything that was planned is in the journal by now."""
        assert self._ledger is not None
        if self._plan is None or not self._cycling or not self._decided:
            raise Corrupt(f"event {event.seq}: cycle {closed.cycle} is closed, and nothing was decided in it")
        self.result.cycles += 1
        if closed.cycle != self._ledger.cycle:
            self._differ(event, [("cycle", str(closed.cycle), str(self._ledger.cycle))])
        if self.bot is None:
            left = self._left_undone(self._plan)
            self._differ(event, [("left_undone", "(absent)", " ".join(map(str, key))) for key in left])
        # The plan stays: what is done between two cycles of a run has to follow from the last one.
        self._cycling = False

    def _left_undone(self, plan: Plan) -> list[tuple[Any, ...]]:
        """What was planned and neither done nor withheld."""
        left = [key_of(one) for one in must_do(plan)]
        if left:
            done = {key_of(one) for one in self._done}
            left = [key for key in left if key not in done]
        if plan.sends:
            acted = {one.client_id for one in self._done if isinstance(one, OrderWithheld)}
            acted |= {one.order.client_id for one in self._done if isinstance(one, OrderSent)}
            left += [("order_sent", send.order.client_id) for send in plan.sends if send.order.client_id not in acted]
        return left

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
            answers=self._answers or {},
        )

    def _compare(self, event: Event, recorded: Value, recomputed: Value) -> None:
        if recorded != recomputed:
            self._differ(event, differences(recorded, recomputed))

    def _differ(self, event: Event, found: Iterable[tuple[str, str, str]]) -> None:
        fields = tuple(Field(where=where, recorded=ours, recomputed=theirs) for where, ours, theirs in found)
        if self.result.difference is not None or not fields:
            return
        first = fields[0]
        self.result.difference = Difference(
            seq=event.seq,
            cycle=self._ledger.cycle if self._ledger is not None else 0,
            where=f"{event.kind}.{first.where}",
            recorded=first.recorded,
            recomputed=first.recomputed,
            kind=event.kind,
            fields=fields,
        )


_CHECKS: Mapping[type[Value], Callable[[Replayer, Event, Any], None]] = {
    Observed: Replayer._check_look,
    Voted: Replayer._check_votes,
    Answered: Replayer._check_answers,
    Decided: Replayer._check_plan,
    OrderSent: Replayer._check_order,
    OrderWithheld: Replayer._check_withheld,
    CycleClosed: Replayer._check_closed,
    Passed: Replayer._check_passed,
    **dict.fromkeys((CancelSent, Halted, Resumed, Flattened, ForeignAccepted, Released), Replayer._check_planned),
}
"""What each kind is held against; the other kinds are input."""


def _answers_of(answers: Answered, bot: str) -> Answered:
    return Answered(
        cycle=answers.cycle,
        answers=tuple(answer for answer in answers.answers if answer.bot == bot),
        quiet=tuple(quiet for quiet in answers.quiet if quiet == bot),
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
