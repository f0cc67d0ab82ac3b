"""One run of a sweep, as a value that can be written down: what was played, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from hydra.model.errors import BadConfig
from hydra.model.values import Value
from hydra.study.figures import BOT, WHOLE, Unit

Named = Mapping[str, Any]
"""Figures by name, as ``hydra.study.document`` writes them."""


class Part(StrEnum):
    """What of the history a run played."""

    WHOLE = "whole"
    TRAIN = "train"
    TEST = "test"


class Row(Value, frozen=True, kw_only=True):
    """A run. ``combination`` is its number in the grid, ``window`` 0 for the whole history.

    ``refused`` is why it was not played, and empty when it was. ``dates`` and ``returns`` are its days, a fraction each, of which
    ``year`` make a year; ``figures`` are those of the whole, ``bots`` by bot, money as text; ``ended`` is how it ended. ``seconds``
    are what it took, and the only thing in here that is not the same on every machine.
    """

    combination: int
    window: int = 0
    part: Part = Part.WHOLE
    since: str | None = None
    until: str | None = None
    refused: str = ""
    ended: str = ""
    cycles: int = 0
    year: int = 0
    dates: tuple[str, ...] = ()
    returns: tuple[float, ...] = ()
    figures: dict[str, Any] = {}  # noqa: RUF012  # a struct copies its defaults
    bots: dict[str, dict[str, Any]] = {}  # noqa: RUF012  # likewise
    seconds: float = 0.0

    @property
    def key(self) -> tuple[int, Part, int]:
        """What tells it from the others of its sweep, in the order of the table."""
        return self.window, self.part, self.combination


_HIGHER = (
    "sharpe", "sortino", "calmar", "return", "profit", "cagr", "profit_factor", "win_rate", "expectancy", "probabilistic_sharpe",
)  # fmt: skip
_LOWER = ("drawdown", "drawdown_dollars", "volatility")
OBJECTIVES = (*_HIGHER, *_LOWER)
"""What runs can be ranked by. Of ``drawdown``, ``drawdown_dollars`` and ``volatility`` the least is the best."""
_TITLES = {figure.name: figure.title for figure in (*WHOLE, *BOT)}
_UNITS = {figure.name: figure.unit for figure in (*WHOLE, *BOT)}
_OF_A_BOT = frozenset(figure.name for figure in BOT)


class Objective(Value, frozen=True, kw_only=True):
    """What runs are ranked by: a figure of the whole, or of one bot."""

    figure: str
    bot: str = ""

    @classmethod
    def of(cls, text: str, bots: tuple[str, ...]) -> Objective:
        """What ``FIGURE`` or ``BOT.FIGURE`` names. Raises ``BadConfig``."""
        bot, _, figure = text.rpartition(".")
        if figure not in OBJECTIVES or (bot and figure not in _OF_A_BOT):
            offered = [name for name in OBJECTIVES if not bot or name in _OF_A_BOT]
            raise BadConfig(
                f"--objective {text}: expected one of {', '.join(offered)}, or one of a bot, as in BOT.return"
            )
        if bot and bot not in bots:
            raise BadConfig(f"--objective {text}: no enabled bot {bot!r}; there are {', '.join(bots)}")
        return cls(figure=figure, bot=bot)

    @property
    def name(self) -> str:
        """As it is typed."""
        return f"{self.bot}.{self.figure}" if self.bot else self.figure

    @property
    def title(self) -> str:
        """In words."""
        return f"{_TITLES[self.figure]} of {self.bot}" if self.bot else _TITLES[self.figure]

    @property
    def unit(self) -> Unit:
        """What it counts."""
        return _UNITS[self.figure]

    def amount(self, row: Row) -> Any:
        """The figure as the row has it; ``None``: not known."""
        return (row.bots.get(self.bot, {}) if self.bot else row.figures).get(self.figure)

    def value(self, row: Row) -> float | None:
        """What the row is worth by it, the more the better; ``None``: nobody knows."""
        amount = self.amount(row)
        if amount is None:
            return None
        return -float(amount) if self.figure in _LOWER else float(amount)


def ranked(rows: list[Row], objective: Objective) -> list[Row]:
    """The best first; those of which the objective is not known after them, then those that were refused. Ties: as in the grid."""

    def place(row: Row) -> tuple[int, float, int]:
        value = objective.value(row)
        return (2 if row.refused else 1 if value is None else 0), -(value or 0.0), row.combination

    return sorted(rows, key=place)


def best_of(rows: list[Row], objective: Objective) -> Row | None:
    """The best; ``None`` when the objective is known of none."""
    known = [row for row in rows if not row.refused and objective.value(row) is not None]
    return ranked(known, objective)[0] if known else None
