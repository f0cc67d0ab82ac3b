"""The voyages of a storm, as jobs for other processes: every one from its kind and its number, the same in whatever process."""

from __future__ import annotations

import time
from pathlib import Path

from hydra.bootstrap.outages.sail import sail
from hydra.bootstrap.rehearsal import world
from hydra.bootstrap.storm_log import KILLS, LOSSES, MEMORY, Voyage, Weather
from hydra.qc.crew import Job
from hydra.qc.rehearsal.play import Again, again, play

_OWN_EACH = 4
"""Every so-manieth voyage of outages is made with the user's policy; the others with one that keeps every moment busy."""


STRIKES = {KILLS: 10, LOSSES: 12}
"""How many make a voyage: each goes on after the one before on the same disk."""


def job_of(kind: str, number: int, weather: Weather) -> Job:
    """What a process is to be given for a voyage."""
    return Job(voyage, (kind, number, weather))


def voyage(kind: str, number: int, weather: Weather) -> Voyage:
    """Play one voyage to its end, or to the first claim that does not hold."""
    began = time.monotonic()
    if kind == MEMORY:
        played = play(world, weather.policy, weather.seed, number)
        cycles = played.tally["counts"].get("cycles", 0)
        return Voyage(kind, number, time.monotonic() - began, cycles, played.problems, dict(played.tally))
    own = weather.policy if number % _OWN_EACH == 0 else None
    sailed = sail(kind, weather.seed, number, STRIKES[kind], Path(weather.folder), own, weather.ends_at)
    cycles = sailed.tally["found"].get("cycles", 0)
    return Voyage(kind, number, sailed.seconds, cycles, list(sailed.problems), sailed.tally, sailed.folder)


def alone(number: int, weather: Weather) -> Again:
    """One voyage in memory; when it breaks a claim, the shortest found that does."""
    return again(world, weather.policy, weather.seed, number)
