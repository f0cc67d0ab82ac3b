"""``hydra sweep``: many backtests over parameters and windows, on as many processors as there are, and how much of the best is luck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from hydra.adapters.files import RealFiles
from hydra.adapters.lock import WriterLock
from hydra.bootstrap.backtest import Stretch, alone
from hydra.bootstrap.setup import Setup, this_process
from hydra.bootstrap.sources import file_of
from hydra.bootstrap.sweep import Asked, Chosen, Found, Sweep, prepare
from hydra.bootstrap.sweep_log import SweepLog
from hydra.bootstrap.sweep_places import place_of
from hydra.bootstrap.sweep_play import Task
from hydra.cli.commands.options import moment_of, setup_of
from hydra.cli.frame import Frame, Result, console
from hydra.cli.screen.sweep_progress import SweepProgress
from hydra.cli.screen.swept import (
    Best,
    Walked,
    amount_told,
    chain_line,
    endings,
    idle,
    lost_lines,
    luck_lines,
    refusals,
)
from hydra.cli.screen.words import one_line, some
from hydra.cli.stopper import Stopper
from hydra.model.errors import BadConfig
from hydra.policy import Policy
from hydra.qc.crew import Lost, cores
from hydra.study.sweep_luck import Chain, Luck, Overfitting, chain_of, luck_of, overfitting_of
from hydra.study.sweep_rows import Part, Row, best_of
from hydra.study.sweep_table import parquet

if TYPE_CHECKING:
    from rich.console import Console

SWEEPS = "sweeps"
"""The folder beside the journals of runs; each sweep has one of its own in it, called by its name."""
RESULTS = "results.parquet"


def command(frame: Frame) -> Result:
    """Play what is missing, then say what there is."""
    options, people = frame.options, frame.people()
    setup = setup_of(frame)
    policy = _policy(setup, options["bot"], tuple(options["symbols"] or ()))
    place = place_of(options["ray"], options["processes"] or cores())
    stopper = Stopper()
    with stopper.listening():
        with people.status("reading the prices"):
            sweep = prepare(_asked(options), policy, folder=setup.config.parent, cache=setup.state_dir / "cache")
        folder: Path = options["out"] or setup.log_dir / SWEEPS / sweep.name
        _make(folder)
        with WriterLock(folder / ".lock", this_process("sweep")), SweepLog(folder, sweep.name, sweep.of) as log:
            kept = len(sweep.found(log).every)
            _introduce(people, sweep, log, kept)
            with SweepProgress(console(stderr=True), sweep.runs, kept) as progress:
                seen = _Seen(sweep)

                def heard(_task: Task, answer: Row | Lost) -> None:
                    progress.tell(seen.told(answer))

                sweep.play(log, place, lambda: stopper.exit_code, heard)
            found = sweep.found(log)
            whole = stopper.exit_code is None and not sweep.lost
            if whole:
                RealFiles().write_whole(folder / RESULTS, parquet(found.every, sweep.grid, sweep.of))
    return _result(sweep, _End(found=found, signal=stopper.exit_code, kept=kept, log=log.path, whole=whole))


class _Seen:
    """The best that was heard of so far, for those who wait."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._best: Row | None = None

    def told(self, answer: Row | Lost) -> str:
        """What to say beside the count."""
        objective = self._sweep.objective
        if isinstance(answer, Row) and answer.part is Part.WHOLE:
            self._best = best_of([answer] if self._best is None else [self._best, answer], objective)
        parts = [] if self._best is None else [f"best {amount_told(objective, self._best)}"]
        parts += [f"{len(self._sweep.lost):,} lost"] if self._sweep.lost else []
        return ", ".join(parts)


def _policy(setup: Setup, bot: str | None, symbols: tuple[str, ...]) -> Policy:
    if bot is None:
        if symbols:
            raise BadConfig("--symbols: belongs to --bot; the bots of a configuration have their own")
        return setup.policy
    file = file_of(
        bot
    )  # from where the command is given, as in a backtest; those of the configuration from where that lies
    return alone(setup.policy, bot if file is None else f"{file.resolve()}:{bot.rpartition(':')[2]}", symbols)


def _asked(options: Mapping[str, Any]) -> Asked:
    return Asked(
        sets=tuple(options["sets"] or ()),
        lone=options["bot"] is not None,
        sample=options["sample"],
        seed=options["seed"],
        data=tuple(options["data"] or ()),
        stretch=Stretch(since=moment_of("--from", options["since"]), until=moment_of("--until", options["until"])),
        walk=options["walk_forward"],
        objective=options["objective"],
    )


def _make(folder: Path) -> None:
    """The folder of a sweep. Raises ``BadConfig`` when there cannot be one."""
    try:
        RealFiles().make_dir(folder)
    except OSError as error:
        raise BadConfig(f"--out {folder}: {error.strerror or error}") from error


def _introduce(people: Console, sweep: Sweep, log: SweepLog, kept: int) -> None:
    for note in (*sweep.notes, *log.notes):
        people.print(Text(one_line(note), "dim"), soft_wrap=True)
    runs = some(len(sweep.numbers), "combination")
    if len(sweep.numbers) < len(sweep.grid):
        runs = f"{len(sweep.numbers):,} of {len(sweep.grid):,} combinations"
    windows = f" in {some(len(sweep.windows), 'window')}" if sweep.windows else ""
    before = f"; {some(kept, 'run is', 'runs are')} there already" if kept else ""
    people.print(Text(f"sweep {sweep.name}: {runs}{windows}{before}"), soft_wrap=True)


# -- what came of it


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """How the playing ended: what there is, by which signal, how many runs were there before, and whether nothing is missing."""

    found: Found
    signal: int | None
    kept: int
    log: Path
    whole: bool

    @property
    def results(self) -> Path | None:
        """The Parquet file; ``None`` while runs are missing."""
        return self.log.with_name(RESULTS) if self.whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What can be said of the best: of the whole history, or of the windows' tests one after the other."""

    best: Row | None
    luck: Luck
    overfitting: Overfitting
    chain: Chain | None


def _said(sweep: Sweep, found: Found) -> _Said:
    rows = list(found.rows)
    if sweep.windows:
        tests = [one.tested for one in found.chosen if one.tested is not None]
        return _Said(best=None, luck=luck_of(None, rows), overfitting=overfitting_of(()), chain=chain_of(tests))
    best = best_of(rows, sweep.objective)
    return _Said(best=best, luck=luck_of(best, rows), overfitting=overfitting_of(rows), chain=None)


def _result(sweep: Sweep, end: _End) -> Result:
    said, found = _said(sweep, end.found), end.found
    message, exit_code = _message(sweep, end)

    def show(people: Console) -> None:
        people.print(Text(""))
        if found.chosen:
            people.print(Walked(sweep, found))
            people.print(Text(""))
            people.print(chain_line(said.chain) if said.chain is not None else "")
        elif any(not row.refused for row in found.rows):
            people.print(Best(sweep, found.rows))
            people.print(Text(""))
            for line in luck_lines(sweep, said.best, said.luck, said.overfitting):
                people.print(line)
        for text in (*idle(found.rows), *refusals(found.rows), *endings(found.every), *lost_lines(sweep)):
            people.print(Text(text, "yellow"))
        people.print(Text(message, "dim" if exit_code == 0 else "bold yellow"), soft_wrap=True)
        people.print(Text(f"log: {end.log}", "dim"), soft_wrap=True)
        if end.results is not None:
            people.print(Text(f"results: {end.results}", "dim"), soft_wrap=True)

    return Result(exit_code=exit_code, document={"message": message, **_document(sweep, end, said)}, show=show)


def _message(sweep: Sweep, end: _End) -> tuple[str, int]:
    """What it came to in one line, and the exit code."""
    played = [row for row in end.found.every if not row.refused]
    refused = len(end.found.every) - len(played)
    done = f"{some(len(played), 'run')} played" + (f", {refused:,} refused" if refused else "")
    done += f"; {end.kept:,} of these were there before" if end.kept else ""
    if end.signal is not None:
        return f"stopped: {done}; the same command goes on with what is missing", end.signal
    if sweep.lost:
        return f"{done}, {len(sweep.lost):,} lost; the same command tries these again", 1
    if not played:
        return "nothing was played: every combination was refused", 2
    return done, 0


def _document(sweep: Sweep, end: _End, said: _Said) -> dict[str, Any]:
    """The document, without the envelope that every command adds."""
    return {
        "sweep": sweep.name,
        "of": dict(sweep.of),
        "log": str(end.log),
        "results": None if end.results is None else str(end.results),
        "objective": sweep.objective.name,
        "combinations": len(sweep.grid),
        "runs": sweep.runs,
        "kept": end.kept,
        "lost": [{**_who(task.window, task.part, task.combination), "reason": reason} for task, reason in sweep.lost],
        "rows": [_row(sweep, row) for row in end.found.every],
        "best": None if said.best is None else said.best.combination,
        "luck": said.luck._asdict(),
        "overfitting": said.overfitting._asdict(),
        "windows": [_window(sweep, end.found, one) for one in end.found.chosen],
        "out_of_sample": None if said.chain is None else said.chain._asdict(),
        "notes": list(sweep.notes),
    }


def _who(window: int, part: Part, combination: int) -> dict[str, Any]:
    return {"run": combination, "window": window or None, "part": part.value}


def _row(sweep: Sweep, row: Row) -> dict[str, Any]:
    values = sweep.grid.values(row.combination)
    return {
        **_who(row.window, row.part, row.combination),
        "parameters": {axis.name: value for axis, value in zip(sweep.grid.axes, values, strict=True)},
        "refused": row.refused or None,
        "ended": row.ended or None,
        "cycles": row.cycles,
        "days": len(row.returns),
        "figures": row.figures,
        "bots": [{"bot": bot, **named} for bot, named in row.bots.items()],
    }


def _window(sweep: Sweep, found: Found, one: Chosen) -> dict[str, Any]:
    rows = [row for row in found.rows if row.window == one.window.number]
    return {
        "window": one.window.number,
        "train": [each.day.isoformat() for each in one.train],
        "test": [each.day.isoformat() for each in one.test],
        "run": None if one.trained is None else one.trained.combination,
        "in_sample": None if one.trained is None else sweep.objective.amount(one.trained),
        "out_of_sample": None if one.tested is None else sweep.objective.amount(one.tested),
        "luck": luck_of(one.trained, rows).probability,
    }
