"""One voyage of outages as a function that another process can be given: what is wrong comes back as words, what was done as counts."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from hydra.bootstrap.outages.kills import Kills, warm
from hydra.bootstrap.outages.losses import Losses
from hydra.bootstrap.outages.weather import weather_of
from hydra.guard import attempt
from hydra.model.errors import Refused
from hydra.model.values import Value
from hydra.policy import Policy
from hydra.qc.outages.claims import HELD
from hydra.qc.outages.tally import Tally

__all__ = ["FAULTS_A_VOYAGE", "HELD", "KINDS", "Sailed", "sail"]

KINDS: dict[str, Any] = {"kills": Kills, "losses": Losses}
FAULTS_A_VOYAGE = {"kills": 20, "losses": 25}
"""How many make a voyage of the storm: each goes on after the one before on the same disk."""
_warm = False


class Sailed(Value, frozen=True, kw_only=True):
    """What came of a voyage. ``folder`` is where its files were left, its journal in ``logs``; empty when they were removed."""

    kind: str
    number: int
    problems: tuple[str, ...]
    tally: dict[str, Any]
    seconds: float
    folder: str = ""


def sail(  # noqa: PLR0913, PLR0917  # a job: plain arguments, all of them needed to say which
    kind: str,
    seed: int,
    number: int,
    faults: int,
    folder: Path,
    policy: Policy | None = None,
    ends_at: float = float("inf"),
    keep: bool = False,
) -> Sailed:
    """A voyage in a folder of its own below ``folder``, which is removed when all is well unless ``keep`` says otherwise.

    ``policy`` is a user's (``weather.simulated_policy`` makes it playable); without one it is the storm's own. After ``ends_at``, on the
    monotonic clock, no further fault is begun. Kills fork: raises ``Refused`` where that cannot be done.
    """
    if kind == "kills":
        _ready_to_fork(folder)
    began, tally = time.monotonic(), Tally()
    place = Path(tempfile.mkdtemp(prefix=f"{kind}-{number}-", dir=folder))
    outcome = attempt(
        f"{kind}:{number}", lambda: _play(KINDS[kind], (place, number, seed, tally), faults, policy, ends_at)
    )
    failure = outcome.failure
    problems = outcome.value or [] if failure is None else [f"the voyage broke off: {failure.kind}: {failure.reason}"]
    left = keep or bool(problems)
    if not left:
        shutil.rmtree(place)
    tally.end_voyage()
    return Sailed(
        kind=kind,
        number=number,
        problems=tuple(problems),
        tally=tally.document(),
        seconds=round(time.monotonic() - began, 2),
        folder=str(place) if left else "",
    )


def _play(
    ship: Callable[..., Any],
    who: tuple[Path, int, int, Tally],
    faults: int,
    policy: Policy | None,
    ends_at: float,
) -> list[str]:
    """Fault after fault, until one shows a problem or the time is over."""
    place, number, seed, tally = who
    with closing(ship(place, number, seed, tally, weather_of(number, policy))) as voyage:
        for problems in voyage.sail(faults):
            if problems:
                return [str(problem) for problem in problems]
            if time.monotonic() > ends_at:
                break
    return []


def _ready_to_fork(folder: Path) -> None:
    """Import all that a victim needs, once; a fork must inherit neither threads nor a half-made import."""
    global _warm  # noqa: PLW0603  # once a process
    if not hasattr(os, "fork"):
        raise Refused(f"{sys.platform} cannot fork a process: nothing can be killed here and looked at")
    if not _warm:
        place = Path(tempfile.mkdtemp(prefix="warm-", dir=folder))
        warm(place)
        place.rmdir()
        _warm = True
    if threading.active_count() != 1:
        raise Refused(f"{threading.active_count()} threads run in this process: a fork must not inherit them")
