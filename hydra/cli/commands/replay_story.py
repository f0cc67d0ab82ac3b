"""``hydra replay --cycle``: one cycle of a journal, told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import Reading
from hydra.adapters.journal.segments import first_line
from hydra.cli.commands.replay_sources import STDIN, Resolver
from hydra.cli.frame import PRACTICE, Frame, Result
from hydra.cli.screen.story import story_document, story_shown
from hydra.engine.story import Story, story_of
from hydra.model.errors import BadConfig, Corrupt
from hydra.model.events import Event, Passed, SegmentOpened, payload_of
from hydra.model.snapshot import Observed

if TYPE_CHECKING:
    from rich.console import Console


def story(frame: Frame, paths: tuple[Path, ...]) -> Result:
    """Find the cycle, decide it again, and tell it. Only its segment, and what follows of it, is read."""
    cycle, bot = int(frame.options["cycle"]), frame.options.get("bot")
    if paths == (STDIN,):
        raise BadConfig("--cycle: a journal from standard input cannot be searched; name its files")
    files = RealFiles()
    begun = [(path, _cycles_before(files, path)) for path in paths]
    before = [number for number, (_, cycles) in enumerate(begun) if cycles is not None and cycles < cycle]
    over = Over(cycle)
    with Resolver() as resolver:
        told = story_of(over.watching(Reading(files, paths[before[-1] :])), resolver, cycle) if before else None
    frame.facts[PRACTICE] = resolver.practice
    if told is None and over.passed is not None:
        raise BadConfig(f"--cycle: {cycle} was passed over, {_passed(over.passed)}")
    if told is None:
        raise BadConfig(f"--cycle: {cycle} is not in this journal; {_range(files, begun)}")
    _refuse_stranger(told, bot)
    return _result(told, bot)


class Over:
    """Whether a cycle is one that was passed over: what the journal says of it."""

    def __init__(self, cycle: int) -> None:
        self._cycle = cycle
        self.passed: Passed | None = None

    def watching(self, events: Iterable[Event]) -> Iterator[Event]:
        """The events, up to the one that says so."""
        for event in events:
            data = event.data
            if isinstance(data, Passed) and data.cycle - data.count < self._cycle <= data.cycle:
                self.passed = data
                return
            yield event


def _passed(passed: Passed) -> str:
    first = passed.cycle - passed.count + 1
    return (
        f"as nothing could happen in {first:,} to {passed.cycle:,} ({passed.since:%Y-%m-%d %H:%M}Z to {passed.at:%Y-%m-%d %H:%M}Z), "
        f"before {passed.woken or 'something'}; `hydra backtest --every-cycle` goes through all of them"
    )


def _result(told: Story, bot: str | None) -> Result:
    def show(people: Console) -> None:
        people.print(story_shown(told, bot))

    document = {"bot": bot, **story_document(told, bot)}
    return Result(exit_code=0 if told.difference is None else 1, document=document, show=show)


def _refuse_stranger(told: Story, bot: str | None) -> None:
    known = [each.id for each in told.policy.bots]
    if bot is not None and bot not in known:
        raise BadConfig(f"--bot: {bot!r} is not in the policy of this cycle; there are: {', '.join(known)}")


def _cycles_before(files: RealFiles, path: Path) -> int | None:
    """The last cycle before a segment; ``None`` when its first line is torn."""
    first = first_line(files, path)
    if first is None:
        return None
    opened = payload_of(first)
    if not isinstance(opened, SegmentOpened):
        raise Corrupt(f"{path}: line 1: expected segment_opened, found {first.kind}")
    return opened.ledger.cycle


def _range(files: RealFiles, begun: list[tuple[Path, int | None]]) -> str:
    """Which cycles there are; the last segment is read for the last of them."""
    there = [(path, cycles) for path, cycles in begun if cycles is not None]
    first, last = there[0][1] + 1, there[-1][1]
    for event in Reading(files, [there[-1][0]]):
        if isinstance(event.data, Observed | Passed):
            last = event.data.cycle
    return f"it has the cycles {first:,} to {last:,}" if last >= first else "it has no cycles"
