"""Replay identity: the journals of the rehearsal and of the recoveries are decided again, and must come to the same, field by field.

What differs names the first place: a bot, a gate or a rule that looks at something a journal does not have (a clock, chance, a file, a memory
of its own). Journals are taken by turns until the time is over; how many were left is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, zip_longest
from pathlib import Path
from time import monotonic
from typing import Any

from hydra.adapters.bots.inline import InlineBotHost
from hydra.engine.replay import Replayed, replay
from hydra.model.errors import Refused
from hydra.model.events import Event, RawEvent, payload_of
from hydra.model.values import decode
from hydra.policy import Policy
from hydra.qc.check import Finding
from hydra.qc.crew import Crew, Job, Lost
from hydra.qc.rehearsal.world import World
from hydra.qc.trial import Trial
from hydra.qc.trials import recovery
from hydra.qc.trials.tools import Decided, few, tool

NAME = "replay_identity"
SECONDS = 24.0
"""How long further journals are begun."""
_EVENTS_MOST = 20_000
_HANGS_AFTER_SECONDS = 60.0


def ask(trial: Trial) -> Finding:
    """Decide again whatever the trials before have left."""
    jobs = [*_jobs(trial)]
    if not jobs:
        raise Refused("no journal was left by the rehearsal or by the recoveries: nothing could be decided again")
    done: list[Decided] = []
    problems: list[str] = []
    for job, answer in _played(trial, jobs):
        if isinstance(answer, Lost):
            problems.append(f"{_name(job)}: {answer.reason}")
        else:
            done.append(answer)
            problems += [f"{answer.journal}: {answer.difference}"] if answer.difference else []
        if problems:
            break
    sums = {name: sum(getattr(one, name) for one in done) for name in ("events", "cycles", "decisions", "orders")}
    cut = sum(not one.whole for one in done)
    trial.told[NAME] = {
        "journals": len(done),
        "left": len(jobs) - len(done),
        "cut_short": cut,
        **sums,
        "differences": problems,
    }
    if problems:
        return Finding(good=False, reason=few(problems))
    if not sums["decisions"]:
        return Finding(good=False, reason=f"{len(done)} journals hold no decision: nothing was shown")
    rest = f"; {len(jobs) - len(done)} journals were left when the time was over" if len(done) < len(jobs) else ""
    rest += f"; {cut} were taken to event {_EVENTS_MOST} only" if cut else ""
    said = f"identical: {len(done)} journals, {sums['cycles']} cycles, {sums['decisions']} decisions, {sums['orders']} orders"
    return Finding(good=True, reason=said + rest)


def decided_voyage(worlds: Callable[[Policy, int, int], World], policy: Policy, seed: int, file: Path) -> Decided:
    """A rehearsal's journal, one event a line, decided again by the world of its number."""
    world = worlds(policy, seed, int(file.stem))
    cast = world.cast(world)
    result = replay(_events(file), lambda _document: (cast.book, InlineBotHost(dict(cast.bots), None)))
    return decided(f"rehearsal {file.stem}", result, whole=True)


def decided(journal: str, result: Replayed, *, whole: bool) -> Decided:
    """What a replay came to, in plain values."""
    other = result.difference
    return Decided(
        journal=journal,
        events=result.events,
        cycles=result.cycles,
        decisions=result.decisions,
        orders=result.orders,
        difference=""
        if other is None
        else f"event {other.seq}, cycle {other.cycle}: {other.where}: recorded {other.recorded}, recomputed {other.recomputed}",
        whole=whole,
    )


def _events(file: Path) -> Iterator[Event]:
    with file.open("rb") as lines:
        for line in lines:
            raw = decode(line, RawEvent)
            yield Event(
                v=raw.v,
                seq=raw.seq,
                ts=raw.ts,
                run=raw.run,
                kind=raw.kind,
                data=payload_of(raw),
                prev=raw.prev,
                hash=raw.hash,
            )


def _jobs(trial: Trial) -> Iterator[Job]:
    """By turns a journal of the rehearsal and one of a recovery."""
    kept = sorted((trial.folder / "rehearsal").glob("*.journal"), key=lambda path: int(path.stem))
    left = [Path(place) for place in trial.told.get(recovery.NAME, {}).get("journals", ()) if place]
    rehearsed = [Job(decided_voyage, (trial.world, trial.policy, trial.seed, file)) for file in kept]
    recovered = [Job(tool(trial, "decided"), (place / "logs", _EVENTS_MOST)) for place in left]
    return (job for job in chain(*zip_longest(rehearsed, recovered)) if job is not None)


def _played(trial: Trial, jobs: list[Job]) -> Iterator[tuple[Job, Any]]:
    seconds = float(trial.tools.get("replay_seconds", SECONDS))
    began = monotonic()

    def in_time() -> Iterator[Job]:
        for job in jobs:
            if monotonic() > began + seconds:
                return
            yield job

    def tick() -> None:
        trial.progress(NAME, min(round(monotonic() - began), round(seconds)), round(seconds))

    with Crew(trial.cores, deadline_seconds=seconds + _HANGS_AFTER_SECONDS) as crew:
        yield from crew.play(in_time(), tick)


def _name(job: Job) -> str:
    return str(next(argument for argument in job.arguments if isinstance(argument, Path)))
