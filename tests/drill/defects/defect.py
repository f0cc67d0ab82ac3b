"""One defect: how it is planted, the check that has to find it, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.drill.defects.stage import Stage

Act = Callable[[Stage], object]
REFUSED = frozenset({2, 3, 4})
"""How ``hydra run`` ends when it does not begin."""
BARRED = frozenset({0, 3, 4})
"""How it ends when it may begin and lets no entry out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A row of the table. ``planted`` and ``mended`` are for people.

    ``check`` is the check that must fail (for one ``by_run``: what ``hydra run`` refuses by), ``reason`` a regular expression its reason
    must have. ``qc`` is the exit code of ``hydra qc``; 0: the check is advisory and
    warns. ``run`` are the codes with which a run may end that was certified before the
    defect was planted: one that ends with 0 has let no entry out, and every other has sent nothing at all; ``None``: a run does not look at it, and would
    go on until its certificate is old. ``alone``: nobody else writes meanwhile. ``cycles``: how many a run
    may take; in 40 the undisturbed day enters again.
    """

    name: str
    planted: str
    plant: Act
    check: str
    reason: str
    mended: str
    mend: Act = Stage.restore
    base: str = "held"
    qc: int = 1
    run: frozenset[int] | None = REFUSED
    by_run: bool = False
    alone: bool = True
    cycles: int = 40
    needs: str = ""
