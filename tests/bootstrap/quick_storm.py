"""A storm of made-up voyages, quick enough to be killed many times: every one leaves its number in its tally.

``start(make=job)`` of the storm plays them.
"""

from __future__ import annotations

import os
import signal
import time

from hydra.bootstrap.storm_log import MEMORY, Voyage, Weather
from hydra.qc.crew import Job

CYCLES = 10
BROKEN, DEAD = 13, 7
"""With seed 13, this voyage breaks a claim; with seed 7, this one kills its process."""


def job(kind: str, number: int, weather: Weather) -> Job:
    """A made-up voyage."""
    return Job(voyage, (kind, number, weather))


def voyage(kind: str, number: int, weather: Weather) -> Voyage:
    """Some milliseconds, some counts."""
    time.sleep(0.01)
    if weather.seed == DEAD and number == DEAD:
        os.kill(os.getpid(), signal.SIGKILL)
    names = {"counts": {"cycles": CYCLES}, "claims": {"made up": 1}} if kind == MEMORY else {"faults": 1, "places": {}}
    problems = ["made up: on purpose"] if weather.seed == BROKEN and number == BROKEN and kind != MEMORY else []
    return Voyage(kind, number, 0.01, CYCLES, problems, {**names, "numbers": {f"{kind}:{number}": 1}})
