"""Making a failing voyage small: fewer beats, quieter beats, fewer bots, as long as the same claim is broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from hydra.qc.rehearsal.beats import Beat, Ends, Leap
from hydra.qc.rehearsal.voyage import Spoil, Voyage
from hydra.qc.rehearsal.world import World

REPLAYS = "the replay is identical"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A world and the beats that are played in it."""

    world: World
    beats: tuple[Beat, ...]


def problems_of(case: Case, spoil: Spoil | None = None, *, replays: bool = True) -> tuple[list[str], int]:
    """What a case shows, and after how many beats; whatever the engine raises is a problem too."""
    voyage = Voyage(case.world, spoil=spoil)
    problems = or_crash(lambda: voyage.play(case.beats) or voyage.calm() or (replay_of(voyage) if replays else []))
    return problems, voyage.beats


def or_crash(play: Callable[[], list[str]]) -> list[str]:
    """The problems that playing shows; an exception that ends it is one."""
    try:
        return play()
    except Exception as error:  # whatever ends a process is a finding
        return [crash_of(error)]


def replay_of(voyage: Voyage) -> list[str]:
    """The journal decided again from its bytes comes to the same."""
    difference = voyage.replayed().difference
    return [] if difference is None else [f"{REPLAYS}: {difference}"]


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


Breaks: TypeAlias = Callable[[Case], bool]


def shrink(
    case: Case, spoil: Spoil | None = None, tries: int = 400, enough: Callable[[], bool] = lambda: False
) -> tuple[Case, list[str], int]:
    """The smallest case found within so many tries, or until it is ``enough``, that breaks the same claim; what it shows; the tries."""
    problems, played = problems_of(case, spoil)
    assert problems, "there is nothing to shrink"
    claim = claim_of(problems[0])
    left, over = [tries], [False]

    def breaks(one: Case) -> bool:
        if left[0] <= 0 or over[0]:
            return False
        left[0] -= 1
        over[0] = enough()
        found, _ = problems_of(one, spoil, replays=claim == REPLAYS)
        return any(claim_of(problem) == claim for problem in found)

    shorter = replace(case, beats=case.beats[:played])
    case = shorter if breaks(shorter) else case
    case = _fewer_beats(case, breaks, len(case.beats) // 8)  # what is long costs most: the large pieces first
    before = None
    while case != before and left[0] > 0 and not over[0]:
        before = case
        case = _fewer_bots(_quieter(case, breaks), breaks)
        case = _quieter_beats(_fewer_beats(case, breaks), breaks)
    return case, problems_of(case, spoil, replays=claim == REPLAYS)[0], tries - left[0]


def _quieter(case: Case, breaks: Breaks) -> Case:
    """Without all that is of one kind."""
    for changes in _QUIET:
        calm = replace(case, beats=tuple(replace(beat, **changes) for beat in case.beats))
        if calm != case and breaks(calm):
            case = calm
    return case


def _fewer_bots(case: Case, breaks: Breaks) -> Case:
    for bot in case.world.policy.bots:
        if len(case.world.policy.bots) > 1:
            fewer = replace(case, world=case.world.without(bot.id))
            case = fewer if breaks(fewer) else case
    return case


def _fewer_beats(case: Case, breaks: Breaks, least: int = 1) -> Case:
    """Without halves, quarters, and so on down to pieces of ``least`` beats."""
    size = len(case.beats) // 2
    while size >= max(1, least):
        start = 0
        while start < len(case.beats):
            fewer = replace(case, beats=case.beats[:start] + case.beats[start + size :])
            if breaks(fewer):
                case = fewer
            else:
                start += size
        size //= 2
    return case


_QUIET: Sequence[dict[str, Any]] = (
    {"faults": (), "troubles": (), "command": "", "ends": Ends.NOT, "leap": Leap.NOT},
    {"faults": ()},
    {"troubles": ()},
    {"command": ""},
    {"ends": Ends.NOT},
    {"leap": Leap.NOT},
)


def _quieter_beats(case: Case, breaks: Breaks) -> Case:
    """The same of single beats, and with less of what they have several of."""
    for place in range(len(case.beats)):
        for changes in _QUIET[1:]:
            case = _with(case, place, replace(case.beats[place], **changes), breaks)
        for name in ("faults", "troubles"):
            for one in getattr(case.beats[place], name) if len(getattr(case.beats[place], name)) > 1 else ():
                kept: dict[str, Any] = {
                    name: tuple(each for each in getattr(case.beats[place], name) if each is not one)
                }
                case = _with(case, place, replace(case.beats[place], **kept), breaks)
    return case


def _with(case: Case, place: int, beat: Beat, breaks: Breaks) -> Case:
    if beat == case.beats[place]:
        return case
    calmer = replace(case, beats=(*case.beats[:place], beat, *case.beats[place + 1 :]))
    return calmer if breaks(calmer) else case
