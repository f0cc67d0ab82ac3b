"""``make storm``: rehearsals, kills and power losses for hours, on every core, and a report of what held.

``python -m hydra.bootstrap.storm --cycles 1000000`` plays voyages of three kinds side by side: in memory (the rehearsal of ``qc --full``),
in processes that are killed, and on files that lose what was not synced. What is done is kept in the report, and the same command goes
on after it, also when the storm itself was killed. A claim that breaks ends it, is made small, and is told with the one command that
repeats it. Exit code 0 when every claim held, 1 when not, 2 for a line that cannot be, 130 and 143 when it was told to stop.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from hydra import __version__
from hydra.adapters.fingerprint import CodeFingerprint
from hydra.adapters.lock import WriterLock
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.plugs import foreign_sources
from hydra.bootstrap.setup import host, this_process, wall_now
from hydra.bootstrap.storm_log import KILLS, KINDS, LOSSES, MEMORY, Log, Voyage, Weather, take_up, write_whole
from hydra.bootstrap.storm_report import command, document, page_document, screen
from hydra.bootstrap.storm_ships import alone, job_of
from hydra.model.errors import Refused
from hydra.policy import Policy
from hydra.qc.crew import Crew, Job, Lost, cores
from hydra.qc.report.page import page

CYCLES, REPORT = 1_000_000, Path("storm.json")
SHARES = {MEMORY: 0.6, KILLS: 0.2, LOSSES: 0.2}
"""How the cores' time is shared out: kills and losses are slow, and there must be many all the same."""
_KEEP_SECONDS, _TELL_SECONDS, _GRACE_SECONDS = 1.0, 15.0, 30.0
_VOYAGE_SECONDS = 300.0
_PIPE_WIDTH = 120


MakeJob = Callable[[str, int, Weather], Job]
"""The job of a voyage of a kind, by its number."""


class Over(Exception):
    """The time is over, and those who are still under way are not waited for."""


@dataclass(slots=True, kw_only=True)
class Storm:
    """One start of a storm: what it is of, how far it goes, and where what is done is kept."""

    policy: Policy
    config: Path
    seed: int
    goal: int
    kinds: tuple[str, ...]
    cores: int
    log: Log
    report: Path
    ends_at: float
    keep_going: bool
    console: Console
    folder: Path
    make: MakeJob = job_of
    began: float = field(default_factory=monotonic)
    under_way: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    stopping: bool = False
    ending: str = ""
    _kept_at: float = 0.0
    _told_at: float = field(default_factory=monotonic)
    _clock_at: float = field(default_factory=monotonic)

    def sail(self) -> None:
        """Play until the goal, the end of the time, or the first claim that breaks."""
        bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[more]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        with bars, Crew(self.cores, deadline_seconds=_VOYAGE_SECONDS) as crew:
            bar = bars.add_task("cycles", total=self.goal, completed=self.log.total, more="")
            try:
                for job, answer in crew.play(self._jobs(), self._tick):
                    self._hear(job, answer)
                    bars.update(bar, completed=min(self.log.total, self.goal), more=self._more())
            except Over:
                self.ending = "those under way at the end of the time were left out"

    def keep(self, exit_code: int) -> dict[str, Any]:
        """Write what is done; the document."""
        now = monotonic()
        self.log.seconds += now - self._clock_at
        self._clock_at = self._kept_at = now
        told = document(self.log, goal=self.goal, ending=self.ending, exit_code=exit_code)
        write_whole(self.report, orjson.dumps(told, option=orjson.OPT_INDENT_2))
        return told

    # -- inside

    def _jobs(self) -> Iterator[Job]:
        """The next voyage of the kind that has had the least of its share."""
        numbers = {kind: self._open_numbers(kind) for kind in self.kinds}
        weather = Weather(self.seed, self.policy, str(self.folder), self.ends_at)
        while not self.stopping and self.log.total < self.goal and monotonic() < self.ends_at:
            kind = min(self.kinds, key=self._had)
            self.under_way[kind] += 1
            yield self.make(kind, next(numbers[kind]), weather)

    def _open_numbers(self, kind: str) -> Iterator[int]:
        number = 0
        while True:
            number += 1
            if number not in self.log.done[kind]:
                yield number

    def _had(self, kind: str) -> float:
        """What a kind has had of the cores, those under way included, against its share."""
        played, spent = len(self.log.done[kind]), self.log.spent[kind]
        usual = spent / played if played else 5.0
        return (spent + usual * self.under_way[kind]) / SHARES[kind]

    def _hear(self, job: Job, answer: Voyage | Lost) -> None:
        kind, number = job.arguments[0], job.arguments[1]
        self.under_way[kind] -= 1
        if isinstance(answer, Lost):
            answer = Voyage(kind, number, 0.0, 0, [answer.reason], {})
        self.log.take(kind, number, answer.seconds, answer.cycles, answer.tally)
        if answer.problems:
            self.log.broken.append(self._broken(answer))
            self.stopping = not self.keep_going
            self.keep(1)
        elif monotonic() - self._kept_at > _KEEP_SECONDS:
            self.keep(1 if self.log.broken else 0)

    def _broken(self, voyage: Voyage) -> dict[str, Any]:
        name = f"{voyage.kind}:{voyage.number}"
        return {
            "name": name,
            "kind": voyage.kind,
            "voyage": voyage.number,
            "problems": voyage.problems,
            "again": command(self.config, self.seed, f"--voyage {name}"),
            "left": voyage.left,
        }

    def _tick(self) -> None:
        now = monotonic()
        if now > self.ends_at + _GRACE_SECONDS:
            raise Over
        if not self.console.is_terminal and now - self._told_at > _TELL_SECONDS:
            self._told_at = now
            self.console.print(Text(f"{self.log.total:,} of {self.goal:,} cycles, {self._more()}"))

    def _more(self) -> str:
        log = self.log
        seconds = log.seconds + monotonic() - self._clock_at
        struck = [int(log.tallies[kind].get("faults", 0)) for kind in (KILLS, LOSSES)]
        broken = f", {len(log.broken)} BROKEN" if log.broken else ""
        return f"{log.total / max(seconds, 0.1):,.0f}/s, {struck[0]:,} kills, {struck[1]:,} losses{broken}"


def main(arguments: Sequence[str] | None = None, make: MakeJob = job_of) -> int:
    """The exit code. ``make`` gives the voyages' jobs."""
    chosen = _chosen(arguments)
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False, soft_wrap=False)
    try:
        policy = load_policy(chosen.config, os.environ)
        if chosen.voyage:
            return _alone(chosen, policy, console)
        lock = WriterLock(chosen.report.with_name(f".{chosen.report.name}.lock"), this_process("storm"))
        with lock:
            return _storm(chosen, policy, console, make)
    except (Refused, OSError) as fault:
        Console(stderr=True, highlight=False).print(Text(f"refused: {fault}", "bold red"), soft_wrap=True)
        return 2


def _storm(chosen: argparse.Namespace, policy: Policy, console: Console, make: MakeJob) -> int:
    log = take_up(chosen.report, _asked(chosen, policy), fresh=chosen.fresh)
    if log.folder and not any(one["left"] for one in log.broken):
        shutil.rmtree(log.folder, ignore_errors=True)  # of a storm that was killed
    log.begun += 1
    log.folder = tempfile.mkdtemp(prefix="hydra-storm-")
    storm = Storm(
        policy=policy,
        config=chosen.config,
        seed=chosen.seed,
        goal=chosen.cycles,
        kinds=tuple(chosen.only or KINDS),
        cores=chosen.cores,
        log=log,
        report=chosen.report,
        ends_at=monotonic() + chosen.seconds if chosen.seconds else float("inf"),
        keep_going=chosen.keep_going,
        console=console,
        folder=Path(log.folder),
        make=make,
    )
    if log.begun > 1:
        console.print(Text(f"going on after {log.total:,} cycles of {chosen.report}"), soft_wrap=True)
    stopped = 0
    try:
        if not log.broken or chosen.keep_going:
            storm.keep(0)
            storm.sail()
        _make_small(storm)
    except KeyboardInterrupt as told:
        stopped = int(told.args[0]) if told.args else 130
        storm.ending = "told to stop; the same command goes on"
    return _end(storm, stopped)


def _end(storm: Storm, stopped: int) -> int:
    """The report, the page, and the last lines."""
    log, html = storm.log, storm.report.with_suffix(".html")
    if not any(one["left"] for one in log.broken):
        shutil.rmtree(storm.folder, ignore_errors=True)
        log.folder = ""
    changed = _code(storm.policy) != log.asked["code"]
    if changed:
        storm.ending = "the code was changed meanwhile, so this is the storm of no one program"
    if not log.total and not stopped and not log.broken:
        storm.ending = "no voyage came to its end, so nothing was shown: give it more --seconds"
    exit_code = stopped or (1 if log.broken or changed or not log.total else 0)
    told = storm.keep(exit_code)
    write_whole(html, page(page_document(told, storm.policy.practice)).encode())
    storm.console.print(screen(told))
    storm.console.print(Text(f"report: {storm.report}, {html}"), soft_wrap=True)
    return exit_code


def _make_small(storm: Storm) -> None:
    """Find the shortest schedule that breaks the same claim, for voyages in memory that have none yet."""
    for one in storm.log.broken:
        if one["kind"] != MEMORY or "told" in one:
            continue
        storm.console.print(Text(f"making {one['name']} small"))
        weather = Weather(storm.seed, storm.policy, str(storm.folder))
        with Crew(1, deadline_seconds=_VOYAGE_SECONDS) as crew:
            ((_, found),) = crew.play([Job(alone, (one["voyage"], weather))])
        if not isinstance(found, Lost) and found.problems:
            one.update(problems=list(found.problems), beats=found.beats, told=list(found.told))


def _alone(chosen: argparse.Namespace, policy: Policy, console: Console) -> int:
    """One voyage, told."""
    kind, _, number = chosen.voyage.partition(":")
    folder = Path(tempfile.mkdtemp(prefix="hydra-storm-"))
    weather = Weather(chosen.seed, policy, str(folder))
    job = Job(alone, (int(number), weather)) if kind == MEMORY else job_of(kind, int(number), weather)
    with Crew(1, deadline_seconds=_VOYAGE_SECONDS) as crew:
        ((_, found),) = crew.play([job])
    problems = [found.reason] if isinstance(found, Lost) else list(found.problems)
    left = getattr(found, "left", "")
    if not left:
        shutil.rmtree(folder, ignore_errors=True)
    if not problems:
        console.print(Text(f"{chosen.voyage} of seed {chosen.seed}: every claim held", "bold green"))
        return 0
    for line in (*getattr(found, "told", ()), *problems):
        console.print(Text(line), soft_wrap=True)
    console.print(Text(f"what is left is in {left}" if left else f"BROKEN {chosen.voyage}", "bold red"), soft_wrap=True)
    return 1


def _asked(chosen: argparse.Namespace, policy: Policy) -> dict[str, Any]:
    return {
        "policy": str(chosen.config),
        "policy hash": policy.hash,
        "code": _code(policy),
        "version": __version__,
        "host": host(),
        "seed": chosen.seed,
        "cores": chosen.cores,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "began": wall_now().isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def _code(policy: Policy) -> str:
    return CodeFingerprint(more=foreign_sources(policy)).hash()


def _chosen(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m hydra.bootstrap.storm", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--config", type=Path, default=Path("configs/paper.toml"), help="the policy that is rehearsed")
    parser.add_argument(
        "--cycles", type=_least(1), default=CYCLES, help=f"cycles of all kinds, all starts together ({CYCLES:,})"
    )
    parser.add_argument("--seconds", type=float, default=0.0, help="begin nothing new after so many; 0: no limit")
    parser.add_argument("--seed", type=_least(0), default=1, help="what all chance derives from (1)")
    parser.add_argument("--cores", type=_least(1), default=cores(), help="processes side by side (all cores)")
    parser.add_argument(
        "--report", type=Path, default=REPORT, help=f"where what is done is kept, and gone on from ({REPORT})"
    )
    parser.add_argument("--fresh", action="store_true", help="begin anew whatever the report says")
    parser.add_argument("--keep-going", action="store_true", help="go on after a claim that breaks")
    parser.add_argument("--only", action="append", choices=KINDS, help="only voyages of this kind; may be repeated")
    parser.add_argument(
        "--voyage", default="", metavar="KIND:N", help="play this voyage alone, such as memory:12 or kills:3"
    )
    chosen = parser.parse_args(arguments)
    kind, _, number = chosen.voyage.partition(":")
    if chosen.voyage and (kind not in KINDS or not number.isdecimal() or int(number) < 1):
        parser.error(f"--voyage {chosen.voyage}: expected {', '.join(f'{name}:N' for name in KINDS)}")
    if not 0 <= chosen.seconds < float("inf"):
        parser.error(f"--seconds {chosen.seconds:g}: expected a number of at least 0")
    return chosen


def _least(lowest: int) -> Any:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) < lowest:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least {lowest}")
        return int(text)

    return number


def _stop(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt(143)


def start(make: MakeJob = job_of) -> NoReturn:
    """The program: ``main``, and what signals it may get."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        code = main(make=make)
    except KeyboardInterrupt as stop:
        code = int(stop.args[0]) if stop.args else 130
    sys.exit(code)


if __name__ == "__main__":
    start()
