"""What a storm has done, kept in one JSON file, so that a storm that was killed goes on where it was and counts nothing twice.

The file is written whole, beside itself, and renamed: there is always one that can be read. A voyage is in it with all its counts or
not at all; one that was under way when the storm was killed is played again. Which program, which policy and which seed it is a storm
of stands in it, and a file of another is refused by name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from hydra.model.errors import BadConfig

if TYPE_CHECKING:
    from hydra.policy import Policy

FORM = 1
MEMORY, KILLS, LOSSES = "memory", "kills", "losses"
KINDS = (MEMORY, KILLS, LOSSES)
"""Voyages in memory; kills of processes on real files; power losses on files that forget what was not synced."""
SAME = {"seed": "seed", "policy hash": "policy", "code": "code"}
"""What a storm cannot change on its way, and what it is called."""
_SHOWN = 12


class Voyage(NamedTuple):
    """A voyage that is over. ``left`` is the folder in which its files lie, if they are worth a look."""

    kind: str
    number: int
    seconds: float
    cycles: int
    problems: list[str]
    tally: dict[str, object]
    left: str = ""


class Weather(NamedTuple):
    """What the voyages of a storm have in common. After ``ends_at``, on the monotonic clock of this machine, nothing more is struck."""

    seed: int
    policy: Policy
    folder: str
    ends_at: float = float("inf")


@dataclass(slots=True)
class Numbers:
    """Which numbers are done: all up to ``through``, and some beyond."""

    through: int = 0
    beyond: set[int] = field(default_factory=set)

    def add(self, number: int) -> None:
        """One more is done."""
        self.beyond.add(number)
        while self.through + 1 in self.beyond:
            self.through += 1
            self.beyond.remove(self.through)

    def __contains__(self, number: int) -> bool:
        return number <= self.through or number in self.beyond

    def __len__(self) -> int:
        return self.through + len(self.beyond)


@dataclass(slots=True, kw_only=True)
class Log:
    """The counts of one storm. ``asked`` says of what; ``spent`` are seconds of its processes by kind, ``seconds`` of the clock.

    ``broken`` are the voyages that broke a claim. ``begun`` counts how often it was started.
    """

    asked: dict[str, Any]
    done: dict[str, Numbers] = field(default_factory=lambda: {kind: Numbers() for kind in KINDS})
    cycles: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    spent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(KINDS, 0.0))
    tallies: dict[str, dict[str, Any]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    broken: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0
    begun: int = 0
    folder: str = ""

    @property
    def total(self) -> int:
        """Cycles of every kind."""
        return sum(self.cycles.values())

    def take(self, kind: str, number: int, seconds: float, cycles: int, tally: Mapping[str, Any]) -> None:
        """Count a voyage in. One that is in already is a defect of whoever plays it twice."""
        assert number not in self.done[kind], f"{kind}:{number} is counted already"
        self.done[kind].add(number)
        self.spent[kind] += seconds
        self.cycles[kind] += cycles
        add(self.tallies[kind], tally)

    def record(self) -> dict[str, Any]:
        """What has to be in the file to go on from it."""
        return {
            "form": FORM,
            "asked": self.asked,
            "done": {kind: {"through": one.through, "beyond": sorted(one.beyond)} for kind, one in self.done.items()},
            "cycles": self.cycles,
            "spent": {kind: round(seconds, 2) for kind, seconds in self.spent.items()},
            "tallies": self.tallies,
            "broken": self.broken,
            "seconds": round(self.seconds, 1),
            "begun": self.begun,
            "folder": self.folder,
        }


def add(total: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Count by count, at every depth."""
    for name, value in more.items():
        if isinstance(value, Mapping):
            inside = total.setdefault(name, {})
            add(inside, value)
        else:
            total[name] = total.get(name, 0) + value


def take_up(path: Path, asked: dict[str, Any], *, fresh: bool = False) -> Log:
    """The log of an earlier, unfinished storm of the same, or a new one. Raises ``BadConfig`` for a file that is neither."""
    if fresh or not path.exists():
        return Log(asked=asked)
    told = _read(path)
    for name, word in SAME.items():
        before, now = told["asked"].get(name), asked[name]
        if before != now:
            there, here = str(before)[:_SHOWN], str(now)[:_SHOWN]
            raise BadConfig(
                f"{path} is a storm of another {word} ({there} there, {here} here); "
                f"name another --report, or begin anew with --fresh"
            )
    done = {kind: Numbers(one["through"], set(one["beyond"])) for kind, one in told["done"].items()}
    kept = {name: told[name] for name in ("cycles", "spent", "tallies", "broken", "seconds", "begun", "folder")}
    return Log(asked={**asked, "began": told["asked"].get("began")}, done=done, **kept)


def _read(path: Path) -> dict[str, Any]:
    try:
        told = orjson.loads(path.read_bytes())
    except OSError as error:
        raise BadConfig(f"--report {path}: cannot be read: {error.strerror}") from error
    except orjson.JSONDecodeError as error:
        raise BadConfig(f"--report {path} is not the report of a storm: {error}; name another, or --fresh") from error
    whole = isinstance(told, dict) and told.get("form") == FORM and isinstance(told.get("asked"), dict)
    if not whole or any(set(told.get(name) or ()) != set(KINDS) for name in ("done", "cycles", "spent", "tallies")):
        raise BadConfig(f"--report {path} is not the report of a storm of this form; name another, or --fresh")
    return dict(told)


def write_whole(path: Path, content: bytes) -> None:
    """The whole file or none of it: written beside it, synced, renamed."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
