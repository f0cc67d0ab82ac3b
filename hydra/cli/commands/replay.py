"""``hydra replay``: a journal executed again, in parts on every core or beside its writer; one of its cycles told; or another policy in its market."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.following import Following
from hydra.adapters.journal.reader import Reading
from hydra.cli.commands.replay_cuts import Part, parts_of
from hydra.cli.commands.replay_parts import Findings, PartLost, in_processes
from hydra.cli.commands.replay_sources import STDIN, CountedFiles, Resolver, segments_of
from hydra.cli.frame import PRACTICE, Frame, Result, console
from hydra.cli.screen.replayed import Progressing, difference_table, notes_of
from hydra.cli.stopper import Stopper
from hydra.engine.replay import Replayed, Replayer
from hydra.model.errors import BadConfig
from hydra.model.events import Event
from hydra.qc.crew import cores

if TYPE_CHECKING:
    from rich.console import Console

_WAIT_SECONDS = 0.2
_DIVERGED = 1


def command(frame: Frame) -> Result:
    """Verify the chain, fold, decide again, compare."""
    _refuse_mixing(frame)
    paths = segments_of(frame.options["log"])
    if frame.options.get("cycle") is not None:
        from hydra.cli.commands.replay_story import story

        return story(frame, paths)
    if frame.options.get("what_if") is not None:
        from hydra.cli.commands.replay_what_if import what_if

        return what_if(frame, paths)
    return _again(frame, paths)


def _refuse_mixing(frame: Frame) -> None:
    """Options that do not go together are refused by name."""
    options = frame.options
    named = [f"--{name.replace('_', '-')}" for name in ("cycle", "follow", "what_if") if options.get(name)]
    if len(named) > 1:
        raise BadConfig(f"{' and '.join(named)} do not go together")
    if options.get("what_if") and options.get("bot"):
        raise BadConfig("--what-if and --bot do not go together: what one bot does depends on what the others leave it")
    once = [*named, *(["standard input"] if list(options["log"]) == [STDIN] else [])]
    if once and (options.get("processes") or 1) > 1:
        raise BadConfig(f"--processes: {once[0]} is gone through by one process")
    if options.get("follow") and list(options["log"]) == [STDIN]:
        raise BadConfig("--follow: standard input is read to its end anyway")


def _again(frame: Frame, paths: tuple[Path, ...]) -> Result:
    bot, stopped, alone = frame.options.get("bot"), None, ""
    parts, found = _parts(frame, paths), None
    if len(parts) > 1:
        try:
            found = _beside(parts, paths, bot)
        except PartLost as lost:
            return _unfinished(str(lost))
        except OSError as error:  # no room for a process, or for what they tell each other
            alone = f"decided by one process: {type(error).__name__}: {error}"
    if found is None:
        found, stopped = _here(paths, bot, follows=bool(frame.options.get("follow")))
    result = found.result
    if bot is not None and bot not in result.bots and result.difference is None:
        known = ", ".join(sorted(result.bots)) or "none"
        raise BadConfig(f"--bot: {bot!r} is in none of the journaled policies; there are: {known}")
    frame.facts[PRACTICE] = found.practice
    return result_of(found, paths, bot, stopped, alone)


def _parts(frame: Frame, paths: tuple[Path, ...]) -> tuple[Part, ...]:
    """What is shared out among processes; what is still growing, or is a pipe, is not."""
    if frame.options.get("follow") or paths == (STDIN,):
        return (Part(number=0, paths=paths),)
    return parts_of(RealFiles(), paths, frame.options.get("processes"), cores)


def _beside(parts: Sequence[Part], paths: tuple[Path, ...], bot: str | None) -> Findings:
    """In processes of their own."""
    files, seen = RealFiles(), Replayed()
    total = sum(files.size(path) for path in paths)
    with Progressing(console(stderr=True), seen, total, follows=False) as shown:

        def watch(read_bytes: int, events: int) -> None:
            seen.events = events
            shown.tell(min(read_bytes, total), None, at_once=True)

        return in_processes(parts, bot, watch)


def _here(paths: tuple[Path, ...], bot: str | None, *, follows: bool) -> tuple[Findings, int | None]:
    """In this process; and by which signal it was stopped."""
    files, stopper = CountedFiles(), Stopper()
    with ExitStack() as stack:
        resolver = stack.enter_context(Resolver())
        replayer = Replayer(resolver, bot)
        total = 0 if follows or paths == (STDIN,) else sum(files.size(path) for path in paths)
        shown = stack.enter_context(Progressing(console(stderr=True), replayer.result, total, follows=follows))
        if follows:
            stack.enter_context(stopper.listening())

        def idle() -> bool:
            shown.tell(files.read_bytes, replayer.ledger, at_once=True, waiting=True)
            stopper.event.wait(_WAIT_SECONDS)
            return stopper.exit_code is None

        reading = Following(files, paths, idle) if follows else Reading(files, paths, joined=paths == (STDIN,))
        for event in _until_stopped(reading, stopper):
            replayer.take(event)
            shown.tell(files.read_bytes, replayer.ledger)
            if replayer.result.difference is not None:
                break
    found = Findings(
        result=replayer.result,
        tail=reading.tail,
        place=reading.place,
        codes=resolver.codes,
        practice=resolver.practice,
    )
    return found, stopper.exit_code


def _until_stopped(reading: Reading, stopper: Stopper) -> Iterator[Event]:
    for event in reading:
        if stopper.exit_code is not None:
            return
        yield event


def _unfinished(text: str) -> Result:
    """Not all of it was decided, so that nobody can say that it is identical."""

    def show(_people: Console) -> None:
        from rich.text import Text

        console(stderr=True).print(Text.assemble(("unfinished", "bold red"), f": {text}"), soft_wrap=True)

    return Result(exit_code=_DIVERGED, document={"error": text, "kind": PartLost.__name__}, show=show, marked=True)


def result_of(
    found: Findings, paths: tuple[Path, ...], bot: str | None, stopped: int | None, aside: str = ""
) -> Result:
    """What is shown of findings, and their exit code."""
    result, difference, place = found.result, found.result.difference, found.place
    notes = [*notes_of(result, found.tail, found.codes), *([aside] if aside else [])]
    whose = "" if bot is None else f" of {bot}"
    if difference is None:
        over = f" ({result.passed:,} more passed over)" if result.passed else ""
        ending = f"identical: {result.cycles:,} cycles{over}, {result.decisions:,} decisions{whose}, {result.orders:,} orders{whose}"
    else:
        ending = (
            f"differs at event {difference.seq}, cycle {difference.cycle}: {difference.where}: "
            f"recorded {difference.recorded}, recomputed {difference.recomputed}"
        )

    def show(people: Console) -> None:
        from rich.text import Text

        people.print(Text(ending, "bold green" if difference is None else "bold red"))
        if difference is not None:
            people.print(difference_table(difference, place))
        for note in notes:
            people.print(Text(note, "dim"))

    document: dict[str, Any] = {
        "message": ending,
        "notes": notes,
        "segments": [str(path) for path in paths],
        "bot": bot,
        "events": result.events,
        "cycles": result.cycles,
        "passed_over": result.passed,
        "decisions": result.decisions,
        "orders": result.orders,
        "open_tail": result.open_tail,
        "difference": None,
    }
    if difference is not None:
        document["difference"] = {
            **{name: getattr(difference, name) for name in ("seq", "cycle", "kind", "where", "recorded", "recomputed")},
            "segment": None if place is None else str(place[0]),
            "line": None if place is None else place[1],
            "fields": [
                {"where": one.where, "recorded": one.recorded, "recomputed": one.recomputed}
                for one in difference.fields
            ],
        }
    exit_code = _DIVERGED if difference is not None else stopped or 0
    return Result(exit_code=exit_code, document=document, show=show)
