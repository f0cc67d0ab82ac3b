"""The trials of ``qc --full``: what they are given. Each is a check of its own with a deadline in minutes, and tells how far it is.

Everything a trial does, it does in ``folder``, which is thrown away. What stands above this floor (resolving plugs, opening a writer)
comes as functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.policy import Policy

if TYPE_CHECKING:
    from hydra.qc.rehearsal.world import World

Told = Callable[[str, int, int], None]
"""Hears which trial is at work, how much is done, and how much there is to do."""


def _unheard(_trial: str, _done: int, _of: int) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One full check of one policy. All chance derives from ``seed``; ``storms`` is how many voyages the rehearsal makes.

    ``config`` is the configuration's file, for a command that repeats what failed. ``world`` makes the n-th world of the policy
    (module-level, so that other processes can be given it). ``tools`` are the further functions from above, by name. What a trial
    wants a report to show beyond its reason it leaves in ``told``, by the trial's name: JSON-ready.
    """

    policy: Policy
    config: Path
    seed: int
    storms: int
    cores: int
    folder: Path
    world: Callable[[Policy, int, int], World]
    tools: dict[str, Any] = field(default_factory=dict)
    progress: Told = _unheard
    told: dict[str, Any] = field(default_factory=dict)
