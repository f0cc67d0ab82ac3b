"""Bots in processes of their own, one a bot, that stay: asked together, each within its deadline, none able to hurt another.

Nothing a worker does can hold up more than its own answer: lines never block, an answer that is late, too long or malformed ends the
worker, and one that has ended is replaced at once and asked again in the next cycle. The deadline of an answer runs from when
its question was sent. Questions go out a few at a time, so that a thousand bots on two processors do not wait for one
another inside their deadlines, and some more every few milliseconds, so that a round ends soon after the deadline whatever bots do.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence

from hydra.adapters.bots.answers import believed, failed
from hydra.adapters.bots.crew import Crew
from hydra.adapters.bots.line import BEING_MADE, Gone, State, Worker, ending_of
from hydra.adapters.bots.news import NewsDesk
from hydra.adapters.bots.wire import Begin, Ready, Reply, TooLong, Unfit
from hydra.guard import told
from hydra.model.errors import Invalid, Refused
from hydra.model.isolation import Isolation
from hydra.model.snapshot import NURSERY, STARTING, Answer
from hydra.ports import Question

_AT_ONCE = 4
_MAKE_ROOM_SECONDS = 0.002
_NO_DEADLINE_SECONDS = 60.0
_BEGUN_AT_ONCE = 32
"""At the start: so many are made side by side, that none waits for a processor until its time is over."""
_END_SECONDS = 0.1
"""So long a round waits to be told how a process has ended that ended by itself."""


class ProcessBotHost:
    """The ``BotHost`` for bots in worker processes, begun when they are first needed. ``program`` serves as the nursery."""

    def __init__(
        self,
        crew: Sequence[Begin],
        program: Sequence[str],
        environment: Mapping[str, str],
        *,
        deadline_ms: int | None,
        start_seconds: float,
    ) -> None:
        self._crew = Crew(crew, program, environment)
        self._desk = NewsDesk()
        self._deadline_seconds = _NO_DEADLINE_SECONDS if deadline_ms is None else deadline_ms / 1000
        self._start_seconds = start_seconds
        self._started = False

    @property
    def isolation(self) -> Isolation:
        """What every worker so far has tried and was refused, and what any of them was not."""
        return self._crew.isolation

    def start(self) -> dict[str, str]:
        """Make every bot; why those that could not be made were not, by id. Raises ``Refused`` when no process can be started."""
        self._started = True
        unfit: dict[str, str] = {}
        try:
            while self._crew.open(self._start_seconds, most=_BEGUN_AT_ONCE, without=unfit):
                unfit |= self._wait_until_made()
            return unfit
        except OSError as error:
            self._crew.abandon()
            raise Refused(f"the bots' processes cannot be started: {error}") from error

    def ask(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
        """Ask each bot once, each within its deadline; the answers in the questions' order."""
        if not questions:
            return ()
        asked = _Round(self._crew, self._desk, self._deadline_seconds)
        try:
            if not self._started:
                self.start()
            self._crew.open(self._start_seconds)
            asked.play(questions)
            asked.hear_of_the_ended()
            self._crew.replace_ended()
        except (OSError, Refused) as error:
            # Without a nursery nobody can be asked; the next cycle tries to begin anew.
            self._crew.abandon()
            asked.give_up(questions, f"the process that bots are forked from: {error}")
        return tuple(asked.answers[question.bot] for question in questions)

    def close(self) -> None:
        """End every worker and the nursery; waits until they are gone."""
        self._crew.abandon()

    def _wait_until_made(self) -> dict[str, str]:
        unfit: dict[str, str] = {}
        starting = {worker for worker in self._crew.workers.values() if worker.state in BEING_MADE}
        ends_at = time.perf_counter() + self._start_seconds
        while starting and time.perf_counter() < ends_at:
            for worker in self._crew.listen(ends_at - time.perf_counter()):
                if worker in starting:
                    self._take_up(worker, unfit)
                if worker.state not in BEING_MADE:
                    starting.discard(worker)
        for worker in starting:
            unfit[worker.bot] = f"{worker.bot}: was not made within {self._start_seconds:g} s"
            self._crew.lose(worker)
        self._crew.settle(_END_SECONDS)
        unfit = {bot: told(reason) for bot, reason in unfit.items()}
        for bot, reason in unfit.items():
            self._crew.workers[bot].unfit = reason
        return unfit

    def _take_up(self, worker: Worker, unfit: dict[str, str]) -> None:
        """One of them is made, or says why not, or ends."""

        def ended(status: int) -> None:
            unfit[worker.bot] = f"{worker.bot}: {ending_of(status, State.STARTING)[1]}"

        try:
            said = self._crew.hear(worker)
        except Gone:
            unfit[worker.bot] = f"{worker.bot}: its process has ended"  # until it is told how
            self._crew.lose(worker, ended)
            return
        except Invalid as error:
            unfit[worker.bot] = f"{worker.bot}: {error}"
            self._crew.lose(worker)
            return
        if isinstance(said, Ready) and worker.state is State.MAKING:
            worker.answered()
        elif said is not None:
            fault = said.reason if isinstance(said, Unfit) else f"{worker.bot}: it says what it was not asked"
            unfit[worker.bot] = fault
            self._crew.lose(worker)


class _Round:
    """One asking of everybody: who waits, who thinks, and what has come back."""

    def __init__(self, crew: Crew, desk: NewsDesk, deadline_seconds: float) -> None:
        self._crew, self._desk, self._deadline_seconds = crew, desk, deadline_seconds
        self._waiting: deque[Question] = deque()
        self._asked: dict[str, Question] = {}
        self._until: dict[str, float] = {}
        self._at_once = _AT_ONCE
        self._gone_ones: dict[str, tuple[str, str]] = {}
        self._untold: set[str] = set()
        self.answers: dict[str, Answer] = {}

    def play(self, questions: Sequence[Question]) -> None:
        """Until every question has its answer, or its failure. Raises ``OSError`` when the nursery is gone."""
        while speaking := self._crew.listen(0):  # who was made between two rounds, and who has ended
            for worker in speaking:
                self._hear(worker)
        self._end_the_busy()
        self._waiting.extend(question for question in questions if question.bot not in self.answers)
        room_at = time.perf_counter() + _MAKE_ROOM_SECONDS
        while self._waiting or self._until:
            while self._waiting and len(self._until) < self._at_once:
                self._put(self._waiting.popleft())
            if not self._until:
                continue
            until = min(self._until.values())
            until = min(until, room_at) if self._waiting else until
            for worker in self._crew.listen(until - time.perf_counter()):
                self._hear(worker)
            now = time.perf_counter()
            while room_at <= now:  # by the clock, whoever speaks: nobody can keep the others waiting
                self._at_once, room_at = self._at_once + _AT_ONCE, room_at + _MAKE_ROOM_SECONDS
            self._expire(now)

    def give_up(self, questions: Sequence[Question], reason: str) -> None:
        """Everybody without an answer has failed."""
        for question in questions:
            self.answers.setdefault(question.bot, failed(question.bot, NURSERY, told(reason)))

    def _end_the_busy(self) -> None:
        for worker in self._crew.workers.values():
            reason = worker.busy()
            if reason is not None:
                self.answers[worker.bot] = failed(worker.bot, "busy", reason)
                self._crew.lose(worker)

    def _put(self, question: Question) -> None:
        """Ask, or wait for one that is still being made: that counts against its deadline too."""
        worker = self._crew.workers.get(question.bot)
        if worker is None:
            self.answers[question.bot] = failed(question.bot, "missing", "no such bot is loaded")
            return
        if worker.state is State.ENDED:
            return  # it has ended before it could be asked, and has its failure, or gets it when its end is known
        if worker.state in BEING_MADE and worker.unfit:
            self.answers[question.bot] = failed(question.bot, "unfit", worker.unfit)
            return
        if worker.state in BEING_MADE and worker.since < time.perf_counter() - self._deadline_seconds:
            self.answers[question.bot] = failed(question.bot, STARTING, "it is still being made")
            return
        self._asked[question.bot] = question
        self._until[question.bot] = time.perf_counter() + self._deadline_seconds
        if worker.state is State.IDLE:
            worker.ask(question, self._desk)
            self._crew.watch(worker)

    def _hear(self, worker: Worker) -> None:
        try:
            said = self._crew.hear(worker)
        except Gone:
            self._gone(worker)
            return
        except TooLong as error:
            self._fail(worker, "oversized", str(error))
            return
        except Invalid as error:
            self._fail(worker, "malformed", str(error))
            return
        if said is None:
            return
        if isinstance(said, Ready) and worker.state is State.MAKING:
            worker.answered()
            worker.unfit = ""
            if worker.bot in self._until:
                worker.ask(self._asked[worker.bot], self._desk)
                self._crew.watch(worker)
        elif isinstance(said, Unfit) and worker.state is State.MAKING:
            worker.unfit = told(said.reason)
            self._fail(worker, "unfit", said.reason)
        elif not isinstance(said, Reply) or worker.state is not State.ASKED or said.number != worker.number:
            self._fail(worker, "malformed", "it says what it was not asked")
        else:
            self._answered(worker, said.answer)

    def _answered(self, worker: Worker, answer: Answer) -> None:
        try:
            answer = believed(worker.bot, answer)
        except Invalid as error:
            self._fail(worker, "malformed", str(error))
            return
        worker.answered()
        del self._until[worker.bot]
        self.answers[worker.bot] = answer
        if answer.failure is not None:
            # It could answer, and failed: what it has left behind in its process goes with it.
            self._crew.lose(worker)

    def hear_of_the_ended(self) -> None:
        """How those ended that ended by themselves, as far as it is told in time: nobody waits for a corpse."""
        if self._untold:
            self._crew.settle(_END_SECONDS, enough=lambda: not self._untold)
        for bot, (kind, reason) in self._gone_ones.items():
            self.answers[bot] = failed(bot, kind, reason)

    def _gone(self, worker: Worker) -> None:
        state = worker.state
        self._until.pop(worker.bot, None)
        self._gone_ones[worker.bot] = ("ended", "its process has ended; how was not told in time")
        self._untold.add(worker.bot)

        def ended(status: int) -> None:
            self._untold.discard(worker.bot)
            self._gone_ones[worker.bot] = ending_of(status, state)
            if state in BEING_MADE:
                worker.unfit = self._gone_ones[worker.bot][1]

        self._crew.lose(worker, ended)

    def _fail(self, worker: Worker, kind: str, reason: str) -> None:
        self._until.pop(worker.bot, None)
        self.answers[worker.bot] = failed(worker.bot, kind, told(reason))
        self._crew.lose(worker)

    def _expire(self, now: float) -> None:
        """Those whose time is over: one that thinks is ended, one that is still being made goes on."""
        for bot in [bot for bot, until in self._until.items() if until <= now]:
            worker = self._crew.workers[bot]
            most = f"at most {self._deadline_seconds * 1000:.0f} ms"
            if worker.state in BEING_MADE:
                del self._until[bot]
                self.answers[bot] = failed(bot, STARTING, f"it is still being made, {most}")
            else:
                self._fail(worker, "timeout", f"no answer, {most}")
