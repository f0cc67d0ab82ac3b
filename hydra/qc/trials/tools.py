"""What the trials get from above, by name, and what several of them share.

======================  ==================================================================================================
``sail``                a voyage of outages, for another process: ``hydra.bootstrap.outages.sail.sail``
``decided``             a journal on a disk decided again, for another process: (folder, events at most) -> ``Decided``
``simulated``           the policy as the simulated exchange can play it
``open``                an engine with a certificate, opened as a command opens it: (policy, state, logs) -> context of a ``Stage``
``stress``              the command line that plays the hostile bots, and its environment: (cycles, deadline_ms) -> both
``log_folder``          a throw-away folder on the disk that journals lie on
======================  ==================================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.engine.cycle import Engine
from hydra.engine.run import Segment
from hydra.model.errors import Refused
from hydra.model.values import Value
from hydra.qc.stress import Stage
from hydra.qc.trial import Trial

__all__ = ["Decided", "Engine", "Segment", "Stage", "few", "folder", "percentile", "tool"]

_SHOWN = 3


class Decided(Value, frozen=True, kw_only=True):
    """A journal that was decided again. ``difference`` names the first place that came out otherwise; empty: identical.

    ``whole``: it was gone through to its end, and not only as far as its share of the time allowed.
    """

    journal: str
    events: int
    cycles: int
    decisions: int
    orders: int
    difference: str = ""
    whole: bool = True


def tool(trial: Trial, name: str) -> Any:
    """A function from above. Raises ``Refused`` when it was not handed down: what cannot be asked has not passed."""
    found = trial.tools.get(name)
    if found is None:
        raise Refused(f"the trial was given no {name!r}")
    return found


def folder(trial: Trial, name: str) -> Path:
    """A trial's own folder."""
    place = trial.folder / name
    place.mkdir(parents=True, exist_ok=True)
    return place


def few(problems: Sequence[str], between: str = "; ") -> str:
    """The first problems in one line, and how many more there are."""
    more = len(problems) - _SHOWN
    shown = between.join(problems[:_SHOWN])
    return f"{shown}{between}and {more} more" if more > 0 else shown


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of a sorted, non-empty row do not exceed."""
    place = max(1, -(-len(ordered) * round(share * 10_000) // 10_000))
    return ordered[place - 1]
