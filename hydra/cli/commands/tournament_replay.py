"""``hydra tournament --replay RUN``: the run once more from its journal, without a call, and every byte of its records compared.

The seats vote again: local ones by their rules, models by their recorded answers. From these votes consensus, wishes, plans and orders are
worked out again and held against the journal, and the records that come out of it against the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import Reading, read_journal
from hydra.adapters.journal.segments import segments
from hydra.bootstrap.plugs import rule_book
from hydra.bootstrap.tournament import folder_of
from hydra.bootstrap.tournament_host import VotesAgain
from hydra.bootstrap.tournament_records import NAMES, lines_of, of_run
from hydra.bootstrap.tournament_seats import places_of, recorded_panel
from hydra.cli.commands.options import chosen
from hydra.cli.frame import Frame, Result
from hydra.engine.replay import Replayer
from hydra.model.errors import BadConfig
from hydra.model.events import Seated, Sitter, Voted
from hydra.model.votes import Vote
from hydra.policy import Policy
from hydra.ports import BotHost
from hydra.risk.plugs import RuleBook

if TYPE_CHECKING:
    from rich.console import Console

LATEST = "latest"
_DIVERGED = 1
_TOLD_MAX = 5


def replay(frame: Frame) -> Result:
    """Replay one run; exit code 1 names the first difference, or the recording that is missing."""
    options, files = frame.options, RealFiles()
    name, config = folder_of(options["control"] or ""), Path(options["config"])
    folder = chosen(frame, "log_dir") / name
    run, paths = _run_of(files, folder, options["replay"])
    seats, votes = _heard(Reading(files, paths))
    if not votes:
        raise BadConfig(f"--replay: nothing was voted in {run}")
    with ExitStack() as stack:
        places = places_of(config, chosen(frame, "state_dir") / name, folder)
        panel = recorded_panel(seats, places, votes)
        stack.callback(panel.close)
        hosts: list[VotesAgain] = []

        def resolve(document: Mapping[str, Any]) -> tuple[RuleBook, BotHost]:
            policy = Policy.model_validate(document)
            hosts.append(VotesAgain(policy.enabled_bots[0], asker=panel))
            return rule_book(policy), hosts[-1]

        replayer = Replayer(resolve)
        with frame.people().status("voting again"):
            for event in Reading(files, paths):
                replayer.take(event)
                if replayer.result.difference is not None:
                    break
        misses = [miss for host in hosts for miss in host.misses]
    made = lines_of(read_journal(files, folder), run)
    different = (
        []
        if replayer.result.difference is not None
        else [name for name in NAMES if made[name] != _written(folder / name, run)]
    )
    return _result(run, replayer, made, misses, different)


def _run_of(files: RealFiles, folder: Path, wanted: str) -> tuple[str, tuple[Path, ...]]:
    """The run and its segments. Raises ``BadConfig`` when there is no such run."""
    infos = [info for info in segments(files, folder) if info.first_seq is not None] if folder.is_dir() else []
    runs = list(dict.fromkeys(info.run for info in infos))
    run = runs[-1] if runs and wanted == LATEST else wanted
    if run not in runs:
        there = ", ".join(runs[-_TOLD_MAX:]) or "none"
        raise BadConfig(f"--replay: {wanted!r} is no run in {folder}; the last ones are {there}")
    return run, tuple(info.path for info in infos if info.run == run)


def _heard(reading: Reading) -> tuple[Mapping[str, Sitter], dict[tuple[str, str], Vote]]:
    """Who sat where in a run, and every vote by seat and brief."""
    seats: Mapping[str, Sitter] = {}
    votes: dict[tuple[str, str], Vote] = {}
    for event in reading:
        if isinstance(event.data, Seated):
            seats = event.data.seats
        elif isinstance(event.data, Voted):
            votes |= {(vote.seat, event.data.brief): vote for vote in event.data.votes}
    return seats, votes


def _written(path: Path, run: str) -> bytes:
    """The lines of a run, as they stand in a record."""
    return of_run(path.read_bytes(), run) if path.exists() else b""


def _result(
    run: str,
    replayer: Replayer,
    made: Mapping[str, bytes],
    misses: list[Vote],
    different: list[str],
) -> Result:
    result, difference = replayer.result, replayer.result.difference
    counts = {name: made[name].count(b"\n") for name in NAMES}
    told = f"{result.cycles:,} cycles, {counts['vote_history.jsonl']:,} votes, {counts['paper_trades.jsonl']:,} trades"
    if misses:
        miss = misses[0]
        ending = f"a recording is missing: seat {miss.seat}, brief {miss.brief[:16]}: {miss.detail}"
    elif difference is not None:
        ending = (
            f"differs at event {difference.seq}, cycle {difference.cycle}: {difference.where}: "
            f"recorded {difference.recorded}, recomputed {difference.recomputed}"
        )
    elif different:
        ending = f"the journal is identical, and what stands in {', '.join(different)} is not what comes out of it"
    else:
        ending = f"identical: {told}; no call was made"
    well = not misses and difference is None and not different

    def show(people: Console) -> None:
        people.print(Text(ending, "bold green" if well else "bold red"), soft_wrap=True)

    document = {
        "message": ending,
        "run": run,
        "cycles": result.cycles,
        "orders": result.orders,
        "records": counts,
        "identical": well,
        "misses": [f"{miss.seat} {miss.brief}: {miss.detail}" for miss in misses],
        "different": different,
    }
    return Result(exit_code=0 if well else _DIVERGED, document=document, show=show)
