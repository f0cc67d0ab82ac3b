"""Making a failing voyage small: fewer beats, quieter beats, fewer bots, as long as the same claim is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import Any

from tests.machine.beats import Beat, Ends, Leap, Move, draw_beats
from tests.machine.voyage import Spoil, Voyage
from tests.machine.worlds import World, draw_world

BEATS = 150
"""Beats of a voyage, before it calms down."""
REPLAYED_EACH = 4
"""Every so-manieth voyage is replayed from its journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A world and the beats that are played in it."""

    world: World
    beats: tuple[Beat, ...]


def case_of(seed: int, beats: int = BEATS) -> Case:
    """The case of a seed."""
    world = draw_world(seed)
    return Case(world=world, beats=tuple(islice(draw_beats(world, beats), beats)))


def problems_of(case: Case, spoil: Spoil | None = None, *, replays: bool = True) -> tuple[list[str], int]:
    """What a case shows, and after how many beats; whatever the engine raises is a problem too."""
    voyage = Voyage(case.world, spoil=spoil)
    try:
        problems = voyage.play(case.beats) or voyage.calm()
        if not problems and replays:
            problems = replay_of(voyage)
    except Exception as error:  # noqa: BLE001  # whatever ends a process is a finding
        problems = [crash_of(error)]
    return problems, voyage.beats


def replay_of(voyage: Voyage) -> list[str]:
    """The journal decided again from its bytes comes to the same."""
    difference = voyage.replayed().difference
    return [] if difference is None else [f"the replay is identical: {difference}"]


def crash_of(error: Exception) -> str:
    """An exception as a problem, with where it came from."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" in {trace.tb_frame.f_code.co_qualname} ({trace.tb_lineno})"
    return f"the engine goes on: {type(error).__name__}{where}: {error}"


def claim_of(problem: str) -> str:
    """Which claim is broken: the words before the colon."""
    return problem.partition(":")[0]


def shrink(case: Case, spoil: Spoil | None = None, tries: int = 400) -> tuple[Case, list[str]]:
    """The smallest case found within so many tries that breaks the same claim, and what it shows."""
    problems, played = problems_of(case, spoil)
    assert problems, "there is nothing to shrink"
    claim = claim_of(problems[0])
    left = [tries]

    def breaks(one: Case) -> bool:
        if left[0] <= 0:
            return False
        left[0] -= 1
        found, _ = problems_of(one, spoil)
        return any(claim_of(problem) == claim for problem in found)

    shorter = replace(case, beats=case.beats[:played])
    case = shorter if breaks(shorter) else case
    smaller: list[Callable[[Case], Iterator[Case]]] = [_fewer_beats, _fewer_bots, _quieter_beats]
    changed = True
    while changed and left[0] > 0:
        changed = False
        for step in smaller:
            for one in _each(step, case):
                if breaks(one):
                    case, changed = one, True
                    break
    return case, problems_of(case, spoil)[0]


def _each(step: Callable[[Case], Iterator[Case]], case: Case) -> Iterator[Case]:
    yield from step(case)


def _fewer_beats(case: Case) -> Iterator[Case]:
    size = len(case.beats) // 2
    while size:
        for start in range(0, len(case.beats), size):
            yield replace(case, beats=case.beats[:start] + case.beats[start + size :])
        size //= 2


def _fewer_bots(case: Case) -> Iterator[Case]:
    if len(case.world.policy.bots) > 1:
        for bot in case.world.policy.bots:
            yield replace(case, world=case.world.without(bot.id))


_QUIET: Sequence[dict[str, Any]] = (
    {"faults": (), "troubles": (), "command": "", "ends": Ends.NOT, "leap": Leap.NOT},
    {"faults": ()},
    {"troubles": ()},
    {"command": ""},
    {"ends": Ends.NOT},
    {"leap": Leap.NOT},
)


def _quieter_beats(case: Case) -> Iterator[Case]:
    for changes in _QUIET:
        calm = tuple(replace(beat, **changes) for beat in case.beats)
        if calm != case.beats:
            yield replace(case, beats=calm)
    for place, beat in enumerate(case.beats):
        for changes in _QUIET[1:]:
            calmer = replace(beat, **changes)
            if calmer != beat:
                yield replace(case, beats=(*case.beats[:place], calmer, *case.beats[place + 1 :]))


def told(case: Case) -> list[str]:
    """A case in lines: the world in short, and what each beat does beside going on."""
    world, usual = case.world, Beat()
    bots = ", ".join(f"{bot.id} ({', '.join(bot.symbols)})" for bot in world.policy.bots)
    lines = [f"world {world.seed}: account {world.policy.broker.account}, bots {bots}"]
    for number, beat in enumerate(case.beats, 1):
        said = [f"{one.name}={getattr(beat, one.name)!r}" for one in fields(beat) if _speaks(one.name, beat, usual)]
        moves = ", ".join(f"{m.points:+d}{'' if m.manner == Move().manner else f' {m.manner}'}" for m in beat.moves)
        lines.append(f"{number:4d}  {beat.seconds:3d} s  {moves:<40} {' '.join(said)}".rstrip())
    return lines


def _speaks(name: str, beat: Beat, usual: Beat) -> bool:
    return name not in ("seconds", "moves") and getattr(beat, name) != getattr(usual, name)
