"""One cycle, from market to journal. Read ``Engine.cycle`` first: it is the whole of Hydra on one page.

The ledger and the sight change in exactly one place, ``record``: an event is appended to the journal, and what was
appended is folded. What is not journaled has not happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import perf_counter_ns
from typing import TypeAlias

from hydra.engine.act import act
from hydra.engine.decide import Consideration, conclude, consider, foreseen
from hydra.engine.fold import fold
from hydra.engine.observe import observe
from hydra.engine.outside import Outside
from hydra.engine.sight import see, see_passed
from hydra.guard import attempt
from hydra.model.events import (
    Answered,
    CycleClosed,
    Decided,
    Event,
    Flattened,
    ForeignAccepted,
    Halted,
    Passed,
    Released,
    Resumed,
    RunClosed,
    SegmentOpened,
)
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Answer, Failure, Observed, Plan, Sight, Snapshot
from hydra.model.values import Value, replace
from hydra.ports import Head, Question
from hydra.risk.plugs import RuleBook
from hydra.risk.reconcile import acceptance

_UNSAVED_MAX = 1000


class CycleReport(Value, frozen=True, kw_only=True):
    """What a cycle saw and did, for whoever watches: nothing in it is read by the engine again."""

    snapshot: Snapshot
    considered: Consideration
    plan: Plan
    ledger: Ledger
    micros: dict[str, int]


Hear: TypeAlias = Callable[[Event, Ledger], None]
"""Told of every event, and of the ledger after it. What it does with them is seen by no decision."""


class Engine:
    """The loop's body. Holds what is known (ledger, sight) and the way out (the ports); decides nothing itself."""

    def __init__(self, outside: Outside, book: RuleBook, ledger: Ledger, hear: Hear | None = None) -> None:
        self.outside = outside
        self._hear = hear
        self.book = book
        self.ledger = ledger
        self.sight: Sight | None = None
        self.closed = False
        self._unsaved: list[tuple[Ledger, Head]] = []
        self._store_failure: Failure | None = None

    def cycle(self) -> CycleReport:
        """Observe, decide, act, settle: once."""
        watch = _Stopwatch()

        seen = self._look()
        self.record(seen)
        watch.lap("observe")

        considered = consider(self._snapshot({}), self.book)
        self._latch(foreseen(considered, self.ledger.cycle))
        watch.lap("consider")

        answers = self._ask(considered.questions)
        watch.lap("ask")

        snapshot = self._snapshot(answers)
        plan = conclude(snapshot, self.book, considered)
        self.record(Decided(plan=plan))
        watch.lap("judge")

        act(plan, self.outside.broker, self.record, self.outside.journal.sync)
        watch.lap("act")

        self._settle(seen, watch)
        return CycleReport(snapshot=snapshot, considered=considered, plan=plan, ledger=self.ledger, micros=watch.micros)

    def open_segment(self, opened: SegmentOpened) -> None:
        """Begin a journal segment with the ledger as it stands; the next look is a keyframe."""
        event = self.outside.journal.turn(replace(opened, ledger=replace(self.ledger, binding=None)))
        self.ledger = fold(self.ledger, event)
        self.sight = None
        if self._hear is not None:
            self._hear(event, self.ledger)

    @property
    def store_failure(self) -> Failure | None:
        """Why the store is behind the journal; ``None`` when it is not."""
        return self._store_failure

    def close(self, closed: RunClosed) -> None:
        """The last line of the run: a journal that has it ended in order."""
        self.record(closed)
        self.settle()
        self.closed = True

    def record(self, payload: Value) -> None:
        """Append an event and fold it: the only way in which anything changes."""
        event = self.outside.journal.append(payload)
        self.ledger = fold(self.ledger, event)
        if isinstance(payload, Observed):
            self.sight = see(self.sight or Sight(), payload, self.book.policy.engine.window_bars)
        elif isinstance(payload, Passed) and self.sight is not None:
            self.sight = see_passed(self.sight, payload)
        if self._hear is not None:
            self._hear(event, self.ledger)

    def settle(self) -> None:
        """Make everything recorded durable: in the journal first, then in the store.

        The journal must take it. A store that does not is behind, not wrong: what it missed is kept for the next time, and
        until then the next look reports it as missing, which shuts entries. One that stays behind too long is given up
        for this run; the next start folds it from the journal.
        """
        self.outside.journal.sync()
        if len(self._unsaved) >= _UNSAVED_MAX:
            return
        self._unsaved.append((self.ledger, self.outside.journal.head()))
        while self._unsaved:
            ledger, head = self._unsaved[0]
            outcome = attempt("store", lambda ledger=ledger, head=head: self.outside.store.commit(ledger, head))  # type: ignore[misc]  # bound now
            self._store_failure = outcome.failure
            if outcome.failure is not None:
                return
            del self._unsaved[0]

    def _look(self) -> Observed:
        seen = observe(self.outside, self.ledger, self._sight_to_extend(), self.book.policy)
        if self._store_failure is None:
            return seen
        return replace(seen, missing=(*seen.missing, self._store_failure))

    def _sight_to_extend(self) -> Sight | None:
        """What has been seen so far; ``None`` asks for a keyframe, until one was complete."""
        if self.sight is None or not self.sight.instruments or not self.sight.bars:
            return None
        return self.sight

    def _snapshot(self, answers: Mapping[str, Answer]) -> Snapshot:
        assert self.sight is not None, "a snapshot follows a look"
        assert self.sight.at is not None, "a look has a time"
        return Snapshot(
            run=self.ledger.run,
            cycle=self.ledger.cycle,
            at=self.sight.at,
            ledger=self.ledger,
            sight=self.sight,
            answers=answers,
        )

    def _ask(self, questions: tuple[Question, ...]) -> Mapping[str, Answer]:
        if not questions:
            return {}
        answers = self.outside.bots.ask(questions)
        self.record(answered(self.ledger.cycle, answers))
        return {answer.bot: answer for answer in answers}

    def _latch(self, plan: Plan) -> None:
        """What does not depend on the bots is written down before they are asked.

        They may take long, and be the end of the process: a halt is not lost meanwhile. And what a released bot answers now
        comes after the strikes and the memory it lost.
        """
        for resume in plan.resumes:
            self.record(Resumed(by=resume.by, reason=resume.reason, forced=resume.force))
        for halt in plan.halts:
            self.record(Halted(halt=halt))
        for flatten in plan.flattens:
            self.record(Flattened(by=flatten.by, reason=flatten.reason, bot=flatten.bot))
        for accept in plan.accepts:
            assert self.sight is not None, "a plan follows a look"
            accepted = acceptance(self.ledger, self.sight, accept.by, accept.reason)
            if isinstance(accepted, ForeignAccepted):
                self.record(accepted)
        for word in plan.releases:
            self.record(Released(by=word.by, reason=word.reason, bot=word.bot, forget=word.force))

    def _settle(self, seen: Observed, watch: _Stopwatch) -> None:
        """The end of a cycle: durable in the journal first, then in the store, and only then is the inbox emptied."""
        self.record(CycleClosed(cycle=self.ledger.cycle, micros=watch.micros))
        self.settle()
        if seen.commands:
            # They are in the journal: a file that cannot be removed now is not obeyed again, and removed at the next look.
            attempt("inbox", lambda: self.outside.inbox.done(seen.commands))
        watch.lap("settle")


def answered(cycle: int, answers: Iterable[Answer]) -> Answered:
    """The record of what the bots said: words in full, silence by name."""
    spoke: list[Answer] = []
    quiet: list[str] = []
    for answer in answers:
        if answer.quiet:
            quiet.append(answer.bot)
        else:
            spoke.append(answer)
    return Answered(cycle=cycle, answers=tuple(spoke), quiet=tuple(quiet))


class _Stopwatch:
    """Microseconds by stage, for the journal and the benchmark; no decision sees them."""

    def __init__(self) -> None:
        self.micros: dict[str, int] = {}
        self._last = perf_counter_ns()

    def lap(self, stage: str) -> None:
        """Note the time since the last lap as ``stage``'s."""
        now = perf_counter_ns()
        self.micros[stage] = (now - self._last) // 1000
        self._last = now
