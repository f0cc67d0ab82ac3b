"""A journal decided again in parts, each by a process of its own, as if one had gone through all of it.

Every part goes one event further than its own: through the first of the next part, as one process would, with the hash before it, the ledger
at the head of a segment, the look that must not come before a cycle is closed. So the joint needs no rules of its own; that the next
part began with that very event is compared by its hash. What counts is the order of the journal: of several parts that find something the first does,
and those behind it are told to stop. What a part raises that is no damage is raised here, where the part is gone through again.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from hydra.adapters.journal.reader import Reading, Tail
from hydra.cli.commands.replay_cuts import Part, Place
from hydra.cli.commands.replay_sources import CountedFiles, Resolver
from hydra.engine.replay import Replayed, Replayer
from hydra.guard import attempt
from hydra.model.errors import Corrupt
from hydra.model.events import Event
from hydra.ports import Head
from hydra.qc.crew import Crew, Job, Lost

_TOLD_EVERY_SECONDS = 0.1
_LOOKED_EVERY = 64
_NO_DEADLINE = float("inf")
_LAST = struct.Struct("<q")
_COUNTS = struct.Struct("<qq")
Tell = Callable[[int, int], bool]
"""Hears how much of its own a part has read, in bytes and in events, and says whether it is to go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What came of a journal, or of a part of it.

    ``place`` is where the last event stands, ``first`` the first event, and ``joint`` the one with which the next part begins. ``damage`` says
    where it cannot be read; ``codes`` and ``practice`` are of its policies.
    """

    result: Replayed
    tail: Tail
    place: Place | None = None
    codes: frozenset[str] = frozenset()
    practice: bool = False
    first: Head | None = None
    joint: Head | None = None
    damage: str | None = None

    @property
    def ends(self) -> bool:
        """Whether nobody needs what comes after it."""
        return self.damage is not None or self.result.difference is not None


@dataclass(frozen=True, slots=True)
class Raised:
    """Instead of findings: something was raised that is no damage."""


class PartLost(Exception):
    """The process that decided a part ended before it could say anything: nothing is known of the journal from there on."""


def through(part: Part, bot: str | None, resolver: Resolver, tell: Tell) -> Findings | None:
    """Go through a part; ``None`` when it was told to stop."""
    files = CountedFiles()
    reading = Reading(files, part.paths)
    replayer = Replayer(resolver, bot)
    result, before = replayer.result, 0
    first: Head | None = None
    joint: Head | None = None
    damage: str | None = None
    try:
        for event in reading:
            if first is None and not _is_at(reading, part.begins):
                replayer.skim(event)
                if not tell(0, 0):
                    return None
                continue
            if first is None:
                first, before = _head(event), files.read_bytes
            replayer.take(event)
            if result.difference is not None:
                break
            if part.until is not None and _is_at(reading, part.until):
                joint = _head(event)
                result.events -= 1  # it is the next part's
                break
            if not tell(files.read_bytes - before, result.events):
                return None
    except Corrupt as found:
        damage = str(found)
    return Findings(
        result=result,
        tail=reading.tail,
        place=reading.place,
        codes=resolver.codes,
        practice=resolver.practice,
        first=first,
        joint=joint,
        damage=damage,
    )


def _head(event: Event) -> Head:
    return Head(seq=event.seq, hash=event.hash)


def _is_at(reading: Reading, place: Place) -> bool:
    here = reading.place
    return here is not None and here[1] == place[1] and here[0] == place[0]


def joined(parts: Sequence[Part], found: Sequence[Findings]) -> Findings:
    """The findings of all parts as those of one, up to the first that found something. Raises ``Corrupt``: for damage, and for a joint that does not hold."""
    whole, codes, practice, joint = Replayed(), frozenset[str](), False, None
    for part, each in zip(parts, found, strict=False):
        if each.damage is not None:
            raise Corrupt(each.damage)
        if part.number and each.first != joint:
            told = [str(None if head is None else (head.seq, head.hash)) for head in (joint, each.first)]
            path, line = part.begins
            raise Corrupt(f"{path}: line {line}: expected {told[0]}, found {told[1]}: it was changed while it was read")
        _add(whole, each.result)
        codes, practice, joint = codes | each.codes, practice or each.practice, each.joint
        if each.ends:
            break
    return Findings(result=whole, tail=each.tail, place=each.place, codes=codes, practice=practice, joint=joint)


def _add(whole: Replayed, more: Replayed) -> None:
    for name in ("events", "cycles", "passed", "decisions", "orders"):
        setattr(whole, name, getattr(whole, name) + getattr(more, name))
    for name in ("runs", "codes", "versions", "bots"):
        getattr(whole, name).update(getattr(more, name))
    whole.turned += more.turned
    whole.open_tail, whole.difference = more.open_tail, more.difference


# -- in processes


def in_processes(parts: Sequence[Part], bot: str | None, watch: Callable[[int, int], None]) -> Findings:
    """Go through every part in a process of its own. ``watch`` hears now and then what all of them have read, in bytes and in events.

    Raises ``Corrupt`` as ``joined``, ``PartLost``, and what else going through a part raises.
    """
    with TemporaryDirectory(prefix="hydra-replay-") as folder:
        answers = _answers(parts, bot, Path(folder) / "board", watch)
    found: list[Findings] = []
    for part in parts:
        answer = answers[part.number]
        if isinstance(answer, Raised):
            with Resolver() as resolver:
                answer = through(part, bot, resolver, lambda _bytes, _events: True)
        assert answer is not None, "nobody is told to stop before somebody found something"
        found.append(answer)
        if answer.ends:
            break
    return joined(parts, found)


def _answers(
    parts: Sequence[Part], bot: str | None, path: Path, watch: Callable[[int, int], None]
) -> dict[int, Findings | Raised | None]:
    """The answers by the parts' numbers: of all, or of all up to the first that found something. Raises ``PartLost``."""
    answers: dict[int, Findings | Raised | None] = {}
    last = len(parts) - 1
    with Board(path) as board, Crew(len(parts), deadline_seconds=_NO_DEADLINE) as crew:
        board.need(last)
        jobs = [Job(decide, (part, bot, path)) for part in parts]
        for job, answer in crew.play(jobs, lambda: watch(*board.told(len(parts)))):
            part = job.arguments[0]
            number = part.number
            if isinstance(answer, Lost) and number <= last:
                segment, line = part.begins
                told = f"part {number + 1} of {len(parts)}, from line {line} of {segment} on, was lost: {answer.reason}"
                raise PartLost(f"{told}. Fewer --processes take less memory")
            answers[number] = answer
            if number < last and not (isinstance(answer, Findings) and not answer.ends):
                last = number
                board.need(last)
            if all(each in answers for each in range(last + 1)):
                break
    return answers


def decide(part: Part, bot: str | None, path: Path) -> Findings | Raised | None:
    """What a process is to do; ``None`` when it was told to stop."""
    with Board(path, part.number) as board, Resolver() as resolver:
        asked = attempt("the part", partial(through, part, bot, resolver, board.tell))
    return Raised() if asked.failure is not None else asked.value


class Board:
    """A small file on which every part writes how far it is, and reads which is the last that is needed. A context manager."""

    def __init__(self, path: Path, number: int = 0) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._number = number
        self._calls = 0
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        os.close(self._file)

    def tell(self, read_bytes: int, events: int) -> bool:
        """How far a part is, and whether it is still needed. Called for every event; looks at the clock now and then only."""
        self._calls += 1
        if self._calls % _LOOKED_EVERY or time.monotonic() < self._next:
            return True
        self._next = time.monotonic() + _TOLD_EVERY_SECONDS
        os.pwrite(self._file, _COUNTS.pack(read_bytes, events), _LAST.size + self._number * _COUNTS.size)
        (last,) = _LAST.unpack(os.pread(self._file, _LAST.size, 0))
        return self._number <= int(last)

    def need(self, last: int) -> None:
        """Nothing behind this part counts any more."""
        os.pwrite(self._file, _LAST.pack(last), 0)

    def told(self, parts: int) -> tuple[int, int]:
        """What so many parts have read so far, in bytes and in events."""
        size = parts * _COUNTS.size
        counts = list(_COUNTS.iter_unpack(os.pread(self._file, size, _LAST.size).ljust(size, b"\0")))
        return sum(each[0] for each in counts), sum(each[1] for each in counts)
