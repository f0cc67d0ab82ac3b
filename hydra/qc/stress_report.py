"""What a bot stress found: values, and what in them is a problem.

Strict on purpose: an attempt that got anything is a problem even where this machine offers nothing to hold it, and so is one that
failed for a reason that is not *no*. Whoever reads the report sees which guards the machine has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from hydra.model.isolation import Isolation
from hydra.model.values import Value
from hydra.qc.hostile.kit import ELSE, GOT
from hydra.qc.hostile.table import ANSWERS, HOSTILE

CROWDED = frozenset({"starting", "timeout", "ended"})
"""How any bot may end now and then where eighty others do what they can to take the machine from it. Never the good one."""
_ROOM = 1.25
_DESCRIPTORS = 40
_ROOM_MS = 100.0


class Asks(Value, frozen=True, kw_only=True):
    """How long asking everybody took, in milliseconds: of all cycles, the longest, and how many were longer than they may be."""

    cycles: int
    median_ms: float
    p99_ms: float
    longest_ms: float


class BotStress(Value, frozen=True, kw_only=True):
    """One hostile bot: how often it was asked and answered, how many orders were sent for it, how it failed, and what came of
    each of its attempts."""

    bot: str
    tries: str
    held_by: str
    asked: int
    answered: int
    sends: int = 0
    failures: Mapping[str, int] = {}
    attempts: Mapping[str, Mapping[str, int]] = {}

    def got(self) -> Mapping[str, int]:
        """The attempts that got something, with what."""
        return {
            f"{name}: {words.removeprefix(f'{GOT}: ')}": count
            for name, outcomes in self.attempts.items()
            for words, count in outcomes.items()
            if words.startswith(GOT)
        }

    def untried(self) -> Mapping[str, int]:
        """The attempts that failed for a reason that is no refusal."""
        return {
            f"{name}: {words.removeprefix(f'{ELSE}: ')}": count
            for name, outcomes in self.attempts.items()
            for words, count in outcomes.items()
            if words.startswith(ELSE)
        }


class StressReport(Value, frozen=True, kw_only=True):
    """A run of the good bot among the hostile ones, beside one of the good bot alone.

    ``ended`` is why the engine could not go on, ``""`` when it did. ``differs`` says where the good bot's answers or decisions
    first differ, ``""`` when they are identical. ``keys_in`` are the places where the planted key was found, ``spoiled`` the planted files that changed, ``reached`` the calls that came to the listeners by
    kind, ``left`` the processes still there afterwards, ``most_processes`` how many there were at most, at one time.
    ``descriptors`` are those that this process had open at most, beside what it had before, ``descriptors_left`` those afterwards.
    """

    cycles: int
    deadline_ms: int
    seconds: float
    isolation: Isolation
    asks: Asks
    asks_alone: Asks
    good_intents: int
    good_sends: int
    ended: str = ""
    differs: str = ""
    bots: tuple[BotStress, ...] = ()
    keys_in: tuple[str, ...] = ()
    spoiled: tuple[str, ...] = ()
    reached: Mapping[str, int] = {}
    left: tuple[str, ...] = ()
    most_processes: int = 0
    descriptors: int = 0
    descriptors_left: int = 0

    @property
    def breaches(self) -> tuple[str, ...]:
        """What a bot got, did, or changed that it must not, one line each, however slow the machine was."""
        return tuple(_breaches(self))

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that must not be, one line each: breaches, and what took too long or did not end as expected. Empty: it held."""
        return (*_breaches(self), *_oddities(self))

    @property
    def allowed_ms(self) -> float:
        """How long asking everybody may take: the deadline, and room for sending it out and taking it up."""
        return self.deadline_ms * _ROOM + _ROOM_MS

    def document(self) -> dict[str, Any]:
        """The report as JSON-ready data, with its breaches and problems."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        return {
            **told,
            "breaches": list(self.breaches),
            "problems": list(self.problems),
            "held": not self.problems,
        }


def _breaches(report: StressReport) -> Iterator[str]:
    if report.ended:
        yield f"the engine did not go on to the end: {report.ended}"
    if report.differs:
        yield f"the good bot is not the same: {report.differs}"
    yield from (f"the planted key is in {place}" for place in report.keys_in)
    yield from (f"planted: {change}" for change in report.spoiled)
    yield from (f"the listener was reached by {kind}, {count} times" for kind, count in report.reached.items())
    yield from (f"left behind: {process}" for process in report.left)
    most = _DESCRIPTORS + 3 * len(report.bots)
    if report.descriptors > most or report.descriptors_left > _DESCRIPTORS:
        yield (
            f"{report.descriptors} more descriptors were open at one time, {most} may be; "
            f"{report.descriptors_left} afterwards, {_DESCRIPTORS} may be"
        )
    held, open_ = set(report.isolation.held), set(report.isolation.open)
    for bot in report.bots:
        if bot.sends:
            yield f"{bot.bot}: {bot.sends} orders were sent for it"
        known = " which is held" if bot.held_by in held else " which is open here" if bot.held_by in open_ else ""
        for what, count in bot.got().items():
            yield f"{bot.bot}: GOT {what} ({count} times, against {bot.held_by}{known})"


def _oddities(report: StressReport) -> Iterator[str]:
    if not report.cycles or not report.bots:
        yield f"{len(report.bots)} hostile bots in {report.cycles} cycles: nothing was tried"
    if not report.good_intents:
        yield "the good bot wished for nothing: that it is the same says nothing"
    if report.asks.longest_ms > report.allowed_ms:
        yield (
            f"the longest ask took {report.asks.longest_ms:.0f} ms; the deadline is {report.deadline_ms}, "
            f"{report.allowed_ms:.0f} are allowed for everybody together"
        )
    for bot in report.bots:
        yield from (f"{bot.bot}: {why}" for why in _odd(bot, report.cycles))


def _odd(bot: BotStress, cycles: int) -> Iterator[str]:
    """Where one bot was not asked, did not end as it should, or could not try what it is there for."""
    if bot.asked < cycles:
        yield f"asked in {bot.asked} of {cycles} cycles"
    expected = HOSTILE[bot.bot].ends
    for kind, count in bot.failures.items():
        if kind not in expected and kind not in CROWDED:
            yield f"ended as {kind} {count} times; expected {', '.join(expected)}"
    if bot.answered and ANSWERS not in expected:
        yield f"answered {bot.answered} times; expected {', '.join(expected)}"
    seen = {*bot.failures, *((ANSWERS,) if bot.answered else ())}
    if seen and not seen & set(expected):
        yield f"only ever ended as {', '.join(sorted(seen))}; expected {', '.join(expected)}"
    for what, count in bot.untried().items():
        yield f"could not be tried: {what} ({count} times)"
