"""``hydra replay``: a journal executed again, beside its writer if need be; one of its cycles told; or another policy in its market."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.adapters.journal.following import Following
from hydra.adapters.journal.reader import Reading
from hydra.cli.commands.replay_sources import STDIN, CountedFiles, Resolver, segments_of
from hydra.cli.frame import PRACTICE, Frame, Result, console
from hydra.cli.screen.replayed import Progressing, difference_table, notes_of
from hydra.cli.stopper import Stopper
from hydra.engine.replay import Replayer
from hydra.model.errors import BadConfig
from hydra.model.events import Event

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
    if options.get("follow") and list(options["log"]) == [STDIN]:
        raise BadConfig("--follow: standard input is read to its end anyway")


def _again(frame: Frame, paths: tuple[Path, ...]) -> Result:
    bot, follows = frame.options.get("bot"), bool(frame.options.get("follow"))
    files, stopper = CountedFiles(), Stopper()
    with ExitStack() as stack:
        resolver = stack.enter_context(Resolver())
        replayer = Replayer(resolver, bot)
        total = 0 if follows or paths == (STDIN,) else sum(files.size(path) for path in paths)
        shown = stack.enter_context(Progressing(console(stderr=True), replayer.result, total, follows=follows))
        if follows:
            stack.enter_context(stopper.listening())

        def idle() -> bool:
            shown.tell(files.read_bytes, replayer.ledger, waiting=True)
            stopper.event.wait(_WAIT_SECONDS)
            return stopper.exit_code is None

        reading = Following(files, paths, idle) if follows else Reading(files, paths, joined=paths == (STDIN,))
        for event in _until_stopped(reading, stopper):
            replayer.take(event)
            shown.tell(files.read_bytes, replayer.ledger)
            if replayer.result.difference is not None:
                break
    result = replayer.result
    if bot is not None and bot not in result.bots and result.difference is None:
        known = ", ".join(sorted(result.bots)) or "none"
        raise BadConfig(f"--bot: {bot!r} is in none of the journaled policies; there are: {known}")
    frame.facts[PRACTICE] = resolver.practice
    return _result(replayer, reading, paths, resolver, stopper.exit_code)


def _until_stopped(reading: Reading, stopper: Stopper) -> Iterator[Event]:
    for event in reading:
        if stopper.exit_code is not None:
            return
        yield event


def _result(
    replayer: Replayer, reading: Reading, paths: tuple[Path, ...], resolver: Resolver, stopped: int | None
) -> Result:
    result = replayer.result
    difference, place = result.difference, reading.place
    notes = notes_of(result, reading.tail, resolver.codes)
    whose = "" if replayer.bot is None else f" of {replayer.bot}"
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
        "bot": replayer.bot,
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
