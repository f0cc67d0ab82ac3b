"""Bot stress: the user's own bots asked what no market asks on a good day, and the hostile crowd beside a good bot.

The user's bots are asked where the policy has them asked, after some cycles in earnest: views with bars missing, empty, flat and wild, odd
prices, a lost memory, and the same question many times. A failure, an answer beyond the deadline and a second answer that differs from the
first are a no: each would cost a strike, or a replay, on such a day. The hostile bots are no bots of the user's: they show what
keeps any bot, on this machine, from keys, files, the network and one another.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from time import monotonic, perf_counter, sleep
from typing import Any

import orjson

from hydra.engine.cycle import Engine
from hydra.engine.decide import question_for
from hydra.model.isolation import Isolation
from hydra.model.snapshot import STARTING, Answer
from hydra.model.values import encode
from hydra.policy import BotPolicy
from hydra.ports import BotHost, Question
from hydra.qc.check import Finding
from hydra.qc.isolation import why_not_isolated
from hydra.qc.stress import Stage
from hydra.qc.trial import Trial
from hydra.qc.trials.questions import stressed, windows_beyond
from hydra.qc.trials.tools import few, folder, percentile, tool

NAME = "bot_stress"
CYCLES = 10
"""Of the hostile crowd: each asks every one of them, and takes a second or two."""
_OWN_SECONDS, _EARNEST_CYCLES, _SAME = 18.0, 40, 60
_CROWD_SECONDS_MOST = 150.0
_POLL_SECONDS = 0.2
_READY_SECONDS = 0.05
_WAITS = frozenset({STARTING})


def ask(trial: Trial) -> Finding:
    """The user's bots first, then the crowd."""
    own = _own(trial)
    told: dict[str, Any] = {
        "bots": len(own.took_ms),
        "asked": sum(map(len, own.took_ms.values())),
        "own": own.document(),
        "notes": own.notes,
        "problems": list(own.problems),
        "held": list(own.isolation.held),
        "open": list(own.isolation.open),
    }
    trial.told[NAME] = told
    if own.problems:
        return Finding(good=False, reason=few(own.problems))
    if not own.took_ms:
        return Finding(good=False, reason="no bot was asked anything: nothing was shown")
    bare = why_not_isolated(own.isolation, trial.policy.isolation)
    if bare is not None:
        return Finding(good=False, reason=bare)
    said = own.said(trial.policy.engine.bot_deadline_ms)
    if trial.policy.isolation.host == "inline":
        reason = f'{said}; isolation.host is "inline", so nothing keeps bots apart and no hostile bot was played'
        return Finding(good=None, reason=reason)
    good, crowd = crowd_of(trial, told)
    return Finding(good=good, reason=f"{said}; {crowd}")


# -- the user's own


@dataclass(slots=True)
class _Own:
    """What the user's bots did. ``earnest`` is the last question each was asked in a cycle."""

    earnest: dict[str, Question] = field(default_factory=dict)
    took_ms: dict[str, list[float]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    isolation: Isolation = Isolation(host="nobody")  # noqa: RUF009  # a frozen value

    def document(self) -> dict[str, Any]:
        """By bot, in milliseconds."""
        return {bot: {"asked": len(took), **_figures(took)} for bot, took in self.took_ms.items()}

    def said(self, deadline_ms: int) -> str:
        """In one line."""
        slowest = max(self.took_ms, key=lambda bot: _figures(self.took_ms[bot])["p99_ms"])
        figures = _figures(self.took_ms[slowest])
        asked = sum(map(len, self.took_ms.values()))
        return (
            f"{len(self.took_ms)} bots asked {asked} odd questions: none failed, none answered twice otherwise, the slowest "
            f"({slowest}) had 99 of 100 answers within {figures['p99_ms']:.1f} ms of {deadline_ms} (longest {figures['max_ms']:.1f})"
        )


def _figures(took: Sequence[float]) -> dict[str, float]:
    ordered = sorted(took)
    return {
        "p50_ms": round(percentile(ordered, 0.5), 2),
        "p99_ms": round(percentile(ordered, 0.99), 2),
        "max_ms": round(ordered[-1], 2),
    }


class _Ear:
    """Stands before a host and keeps the last question of each bot."""

    def __init__(self, host: BotHost, earnest: dict[str, Question]) -> None:
        self._host = host
        self._earnest = earnest

    @property
    def isolation(self) -> Isolation:
        """The host's."""
        return self._host.isolation

    def ask(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
        """Pass it on."""
        self._earnest.update({question.bot: question for question in questions})
        return self._host.ask(questions)

    def close(self) -> None:
        """Whoever opened the host closes it."""


def _own(trial: Trial) -> _Own:
    own = _Own()
    policy = tool(trial, "simulated")(trial.policy, trial.seed)
    place = folder(trial, NAME)
    with tool(trial, "open")(policy, place / "state", place / "logs") as stage:
        _in_earnest(stage, own, policy.enabled_bots)
        host = stage.engine.outside.bots
        ends_at = monotonic() + _OWN_SECONDS
        for done, bot in enumerate(policy.enabled_bots):
            question = own.earnest.get(bot.id)
            if question is None:
                continue
            trial.progress(NAME, done, len(policy.enabled_bots) + CYCLES)
            share = (ends_at - monotonic()) / (len(policy.enabled_bots) - done)
            _stress(
                _Asked(host, own, bot.id, float(policy.isolation.start_seconds)),
                question,
                policy.engine.window_bars,
                share,
            )
        own.isolation = host.isolation
    return own


def _in_earnest(stage: Stage, own: _Own, bots: Sequence[BotPolicy]) -> None:
    """Some cycles of a market day; who was not asked in them is shown what it would have been."""
    engine: Engine = stage.engine
    host = engine.outside.bots
    engine.outside = replace(engine.outside, bots=_Ear(host, own.earnest))
    report = engine.cycle()
    for _ in range(_EARNEST_CYCLES):
        engine.outside.clock.wait(0)
        report = engine.cycle()
    engine.outside = replace(engine.outside, bots=host)
    for bot in bots:
        question = own.earnest.get(bot.id) or question_for(report.snapshot, bot, dict.fromkeys(bot.symbols, True))
        if question is None:
            own.problems.append(f"{bot.id}: there was nothing to show it: no equity or no session was seen")
        else:
            own.earnest[bot.id] = question


@dataclass(slots=True)
class _Asked:
    """One bot, asked one question at a time."""

    host: BotHost
    own: _Own
    bot: str
    start_seconds: float

    def ask(self, question: Question) -> Answer:
        """Its answer; one that is still being made is waited for, as its next cycle would."""
        until = monotonic() + self.start_seconds
        while True:
            began = perf_counter()
            (answer,) = self.host.ask([question])
            took = (perf_counter() - began) * 1000
            if answer.failure is None or answer.failure.kind not in _WAITS or monotonic() > until:
                self.own.took_ms.setdefault(self.bot, []).append(took)
                return answer
            sleep(_READY_SECONDS)

    def check(self, odd: str, question: Question) -> Answer:
        """Ask twice; failures and differences are problems."""
        first = self.ask(question)
        if first.failure is not None:
            self.own.problems.append(
                f"{self.bot} failed when asked with {odd}: {first.failure.kind}: {first.failure.reason}"
            )
            return first
        second = self.ask(question)
        if second != first:
            self.own.problems.append(
                f"{self.bot}, asked the same twice ({odd}), answered {_shown(first)} and then {_shown(second)}"
            )
        return first


def _stress(asked: _Asked, question: Question, window_bars: int, seconds: float) -> None:
    """Every odd view, then the same question again and again while there is time."""
    ends_at = monotonic() + seconds
    for odd, one in stressed(question, window_bars):
        asked.check(odd, one)
    for _ in range(_SAME):
        if monotonic() > ends_at:
            break
        asked.check("nothing odd, many times", question)
    beyond = asked.ask(windows_beyond(question, window_bars))
    asked.own.took_ms[asked.bot].pop()
    if beyond.failure is not None:
        failure = beyond.failure
        asked.own.notes.append(f"{asked.bot}, shown {10 * window_bars} bars: {failure.kind}: {failure.reason}")


def _shown(answer: Answer) -> str:
    if answer.failure is not None:
        return f"with {answer.failure.kind}: {answer.failure.reason}"
    return encode(answer)[:200].decode(errors="replace")


# -- the crowd


def crowd_of(trial: Trial, told: dict[str, Any]) -> tuple[bool | None, str]:
    """The hostile bots beside a good one, in a process of their own; a breach is a no, and so is no report."""
    cycles = int(trial.tools.get("stress_cycles", CYCLES))
    command, environment = tool(trial, "stress")(cycles, trial.policy.engine.bot_deadline_ms)
    report = _reported(trial, command, environment)
    if isinstance(report, str):
        told["problems"].append(report)
        return False, report
    breaches, problems = report["breaches"], report["problems"]
    tried = [bot.get("attempts", {}) for bot in report["bots"]]
    told |= {
        "hostile": len(report["bots"]),
        "cycles": report["cycles"],
        "attempts": _outcomes(tried),
        "crowd": {
            name: report.get(name) for name in ("asks", "asks_alone", "good_intents", "seconds", "most_processes")
        },
        "problems": breaches,
        "warnings": [one for one in problems if one not in breaches],
    }
    crowd = f"{len(report['bots'])} hostile bots in {report['cycles']} cycles beside a good one"
    guards = report["isolation"].get("open", ())
    only_open = [one for one in breaches if one.endswith("which is open here)")]
    if breaches and len(only_open) == len(breaches) and guards:
        return None, f"{crowd}: this machine offers nothing for {', '.join(guards)}: {few(breaches)}"
    if breaches:
        return False, f"{crowd}: {few(breaches)}"
    if not report["bots"] or not report["good_intents"]:
        return False, f"{crowd}: nothing was shown: {few(problems)}"
    odd = f"; a warning: {few(problems)}" if problems else ""
    return True, f"{crowd}: none got anything, the good one decided as it does alone{odd}"


def _outcomes(tried: Sequence[Mapping[str, Mapping[str, int]]]) -> dict[str, int]:
    """How often the hostile bots' attempts came to what: the first word of what they tell."""
    counts: Counter[str] = Counter()
    for attempts in tried:
        for outcomes in attempts.values():
            for words, count in outcomes.items():
                counts[words.partition(":")[0]] += count
    return dict(counts.most_common())


def _reported(trial: Trial, command: Sequence[str], environment: dict[str, str]) -> dict[str, Any] | str:
    """The report, or why there is none."""
    bots = len(trial.policy.enabled_bots)
    with subprocess.Popen(  # noqa: S603  # this very interpreter
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    ) as crowd:
        try:
            said = _said(trial, crowd, bots)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(crowd.pid, signal.SIGKILL)
    if said is None:
        return f"the hostile bots were not done within {_CROWD_SECONDS_MOST:g} s"
    out, err = said
    try:
        return dict(orjson.loads(out))
    except orjson.JSONDecodeError:
        return f"the hostile bots left no report (exit code {crowd.returncode}): {err.decode(errors='replace')[-300:]}"


def _said(trial: Trial, crowd: subprocess.Popen[bytes], bots: int) -> tuple[bytes, bytes] | None:
    """What the process has written when it was done; ``None`` when its time was over first."""
    ends_at = monotonic() + _CROWD_SECONDS_MOST
    while monotonic() < ends_at:
        try:
            return crowd.communicate(timeout=_POLL_SECONDS)
        except subprocess.TimeoutExpired:
            trial.progress(NAME, bots, bots + CYCLES)
    return None
