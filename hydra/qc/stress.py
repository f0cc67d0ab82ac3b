"""Bot stress: all hostile bots beside a good one, cycle after cycle, and then the good one alone.

The engine is the real one, handed in as stages: one is opened for each of the two runs. What is looked at is what came out of the
port and what is left in the world: the answers, the time they took, the planted files, the listeners, the processes. A
quarantined bot is released as an operator would do it, so that every bot is asked in every cycle.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median, quantiles

from hydra.engine.cycle import CycleReport, Engine
from hydra.engine.outside import Outside
from hydra.engine.run import Loop, Segment
from hydra.guard import attempt
from hydra.model.isolation import Isolation
from hydra.model.snapshot import Answer, Command
from hydra.model.values import encode
from hydra.model.values import replace as plain_copy
from hydra.ports import BotHost, Question
from hydra.qc.ground import (
    Listeners,
    Planted,
    adopting,
    descendants,
    left_behind,
    open_descriptors,
    settle,
)
from hydra.qc.hostile.kit import KEY
from hydra.qc.hostile.table import HOSTILE, Hostile
from hydra.qc.stress_report import Asks, BotStress, StressReport

GOOD, GOOD_SYMBOL, HOSTILE_SYMBOL = "good", "BTC-USD", "ETH-USD"
_STEP_SECONDS = 60.0
_LEFT_SECONDS = 3.0
_COUNT_EVERY = 10
_KEPT_ENDS = 200
_NOBODY = Isolation(host="nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A running engine, and how its segments open."""

    engine: Engine
    segment: Segment


OpenStage = Callable[[Path, Mapping[str, Hostile], Mapping[str, str | int]], AbstractContextManager[Stage]]
"""An engine in a folder, with the good bot and these hostile ones, which have the targets as parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stress:
    """What is to be played. ``key`` is the planted one; ``told`` hears after every cycle how many are done.

    Between two cycles the workers that were replaced get the time to be made that they have in a run: at most
    ``pause_seconds``, less when they are made before.
    """

    cycles: int
    deadline_ms: int
    key: str = field(repr=False)
    bots: Mapping[str, Hostile] = field(default_factory=lambda: HOSTILE)
    pause_seconds: float = 5.0
    told: Callable[[int], None] = lambda _done: None


def play(stress: Stress, folder: Path, open_stage: OpenStage) -> StressReport:
    """Both runs, in an empty folder."""
    began = time.monotonic()
    before = descendants(os.getpid())
    planted = Planted(folder / "planted", stress.key)
    with adopting():
        with Listeners(folder) as listeners:
            targets = _targets(stress, planted, listeners)
            open_before = open_descriptors()
            crowd = _run(stress, folder / "crowd", open_stage, stress.bots, targets)
            open_after = open_descriptors()
            left = left_behind(before, _LEFT_SECONDS)
        alone = _run(stress, folder / "alone", open_stage, {}, targets)
        left += left_behind(before, _LEFT_SECONDS)
    return StressReport(
        cycles=stress.cycles,
        deadline_ms=stress.deadline_ms,
        seconds=round(time.monotonic() - began, 1),
        isolation=crowd.isolation,
        asks=crowd.asks(),
        asks_alone=alone.asks(),
        good_intents=sum(len(answer.intents) for answer in crowd.good),
        good_sends=sum(len(sends) for _, sends in crowd.decisions),
        ended=crowd.ended or alone.ended,
        differs=_difference(crowd, alone),
        bots=tuple(crowd.told_of(bot, hostile) for bot, hostile in stress.bots.items()),
        keys_in=tuple(_key_in(folder, planted.folder)),
        spoiled=planted.changed(),
        reached=dict(listeners.reached),
        left=left,
        most_processes=crowd.most_processes,
        descriptors=max(crowd.most_descriptors - open_before, 0),
        descriptors_left=max(open_after - open_before, 0),
    )


def _targets(stress: Stress, planted: Planted, listeners: Listeners) -> dict[str, str | int]:
    outputs = (os.fstat(number) for number in (1, 2))
    return {
        "env_file": str(planted.env_file),
        "config": str(planted.config),
        "state": str(planted.state),
        "logs": str(planted.logs),
        "home": str(Path.home()),
        "engine": os.getpid(),
        "host": listeners.host,
        "tcp": listeners.tcp,
        "udp": listeners.udp,
        "unix": listeners.unix,
        "outputs": " ".join(f"{found.st_dev}:{found.st_ino}" for found in outputs),
        "deadline_ms": stress.deadline_ms,
        "good": GOOD,
    }


@dataclass(slots=True)
class _Watched:
    """Stands before a host and writes down what is asked and answered, and how long it took; as an inbox, it releases."""

    host: BotHost
    engine: Engine
    strikes: int
    good: list[Answer] = field(default_factory=list)
    decisions: list[tuple[bytes, tuple[bytes, ...]]] = field(default_factory=list)
    took_ms: list[float] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    most_processes: int = 0
    most_descriptors: int = 0
    ended: str = ""
    unasked: str = ""
    isolation: Isolation = _NOBODY
    _asked: Counter[str] = field(default_factory=Counter)
    _failed: dict[str, Counter[str]] = field(default_factory=dict)
    _outcomes: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    _releases: int = 0

    # -- as the bots' host

    def ask(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
        """Ask, with a watch in the hand."""
        began = time.perf_counter()
        answers = self.host.ask(questions)
        self.took_ms.append((time.perf_counter() - began) * 1000)
        self.isolation = self.host.isolation
        for answer in answers:
            self._note(answer)
        if len(self.took_ms) % _COUNT_EVERY == 1:
            self.most_processes = max(self.most_processes, len(descendants(os.getpid())))
            self.most_descriptors = max(self.most_descriptors, open_descriptors())
        return answers

    def close(self) -> None:
        """Whoever opened it closes it."""

    def _note(self, answer: Answer) -> None:
        self._asked[answer.bot] += 1
        if answer.bot == GOOD:
            self.good.append(answer)
        elif answer.failure is not None:
            self._failed.setdefault(answer.bot, Counter())[answer.failure.kind] += 1
        elif answer.memory is not None and isinstance(answer.memory.get("attempts"), Mapping):
            tried = self._outcomes.setdefault(answer.bot, {})
            for name, words in answer.memory["attempts"].items():
                tried.setdefault(str(name), Counter())[str(words)] += 1

    # -- as the operator's inbox

    def read(self) -> tuple[Command, ...]:
        """A release for everybody who is in quarantine."""
        found = []
        for bot, record in self.engine.ledger.bots.items():
            if record.strikes >= self.strikes:
                self._releases += 1
                found.append(
                    Command(
                        command_id=f"release-{self._releases}",
                        action="release",
                        by="stress",
                        wall=self.engine.outside.clock.now(),
                        reason="it is to be asked again",
                        bot=bot,
                    )
                )
        return tuple(found)

    def done(self, commands: Sequence[Command]) -> None:
        """Nothing is kept."""

    # -- what it has seen

    def see(self, report: CycleReport) -> None:
        """What a cycle decided about the good bot."""
        plan = report.plan
        if not self.unasked and all(question.bot != GOOD for question in report.considered.questions):
            self.unasked = (
                "; ".join(f"{answer.gate} {answer.key}: {answer.reason}" for answer in plan.answers) or "no gate"
            )
        judged = [judgement for judgement in plan.judgements if judgement.intent.bot == GOOD]
        # An order's id, and its run, are others in each run; everything that was decided about it is compared.
        orders = [send.order for send in plan.sends if send.order.bot == GOOD]
        sends = tuple(encode(plain_copy(order, client_id="-", run="-", sent_at=None)) for order in orders)
        self.decisions.append((encode(judged), sends))
        self.others.update(send.order.bot for send in plan.sends if send.order.bot != GOOD)

    def asks(self) -> Asks:
        """The times of all rounds."""
        took = self.took_ms or [0.0]
        return Asks(
            cycles=len(self.took_ms),
            median_ms=round(median(took), 1),
            p99_ms=round(quantiles(took, n=100)[98] if len(took) > 1 else took[0], 1),
            longest_ms=round(max(took), 1),
        )

    def told_of(self, bot: str, hostile: Hostile) -> BotStress:
        """Everything about one hostile bot."""
        failures = self._failed.get(bot, Counter())
        return BotStress(
            bot=bot,
            tries=hostile.tries,
            held_by=str(hostile.held_by),
            asked=self._asked[bot],
            answered=self._asked[bot] - failures.total(),
            failures=dict(failures),
            sends=self.others[bot],
            attempts={name: dict(outcomes) for name, outcomes in self._outcomes.get(bot, {}).items()},
        )


def _run(
    stress: Stress, folder: Path, open_stage: OpenStage, bots: Mapping[str, Hostile], targets: Mapping[str, str | int]
) -> _Watched:
    with open_stage(folder, bots, targets) as stage:
        engine = stage.engine
        watched = _Watched(engine.outside.bots, engine, engine.book.policy.engine.bot_strikes)
        engine.outside = _replaced(engine, watched)
        done = iter(range(1, stress.cycles + 1))

        def watch(report: CycleReport) -> None:
            watched.see(report)
            stress.told(next(done))
            settle(stress.pause_seconds)

        loop = Loop(
            engine=engine,
            segment=stage.segment,
            cycles_max=stress.cycles,
            interval_seconds=_STEP_SECONDS,
            stopped=lambda: None,
            watch=watch,
        )
        outcome = attempt("engine", loop.run)
        if outcome.failure is not None:
            watched.ended = f"{outcome.failure.kind}: {outcome.failure.reason}"
        elif outcome.value is not None and outcome.value.cycles < stress.cycles:
            watched.ended = outcome.value.reason
    return watched


def _replaced(engine: Engine, watched: _Watched) -> Outside:
    return replace(engine.outside, bots=watched, inbox=watched)


def _difference(crowd: _Watched, alone: _Watched) -> str:
    """Where the good bot's answers or decisions part, or ``""``."""
    if len(crowd.good) != len(alone.good):
        why = crowd.unasked or alone.unasked
        return f"asked {len(crowd.good)} times among them, {len(alone.good)} times alone; not asked because of {why}"
    for number, (among, without) in enumerate(zip(crowd.good, alone.good, strict=True), 1):
        if among != without:
            return f"answer {number}: {_shown(encode(among))} among them, {_shown(encode(without))} alone"
    for number, (one, other) in enumerate(zip(crowd.decisions, alone.decisions, strict=False), 1):
        if one != other:
            return f"decision {number}: {_shown(one[0])} among them, {_shown(other[0])} alone"
    if len(crowd.decisions) != len(alone.decisions):
        return f"{len(crowd.decisions)} cycles among them, {len(alone.decisions)} alone"
    return ""


def _shown(words: bytes) -> str:
    return words[:_KEPT_ENDS].decode(errors="replace")


def _key_in(folder: Path, planted: Path) -> Iterator[str]:
    """The files with a planted key in them, journals and stores first of all; the planted ones themselves are looked at elsewhere."""
    pattern = KEY
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_relative_to(planted) and pattern.search(path.read_bytes()):
            yield str(path.relative_to(folder))
