"""Every figure, in one table: its name in documents, its title, its unit, who has it, and how it is worked out.

The page shows the definitions, and ``docs/reference/statistics.md`` has each of them with its source; a test compares the two.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from hydra.study.statistics import DAYS_LEAST

Amount: TypeAlias = Decimal | float | int | str | datetime | timedelta | None
"""What a figure comes to; ``None``: not known, or not enough data to say it."""


class Unit(StrEnum):
    """What an amount counts."""

    DOLLARS = "dollars"
    CHANGE = "change"
    FRACTION = "fraction"
    RATIO = "ratio"
    COUNT = "count"
    TIME = "time"
    SPAN = "span"


class Figure(NamedTuple):
    """A row of the table. ``whole`` and ``bot``: who has it."""

    name: str
    title: str
    unit: Unit
    formula: str
    whole: bool = True
    bot: bool = True


_U = Unit
_YEAR = f"needs {DAYS_LEAST} daily returns"
FIGURES: tuple[Figure, ...] = (
    Figure("equity_start", "equity at the start", _U.DOLLARS, "the account's equity at the first look that knew it", bot=False),
    Figure("equity_end", "equity at the end", _U.DOLLARS, "the account's equity at the last look that knew it", bot=False),
    Figure("profit", "profit", _U.CHANGE, "equity at the end - equity at the start - what the owner paid in; of a bot: realised after fees + change of open profit"),
    Figure("return", "return", _U.FRACTION, "growth of the equity, the owner's payments taken out, - 1; of a bot: profit / equity at the start"),
    Figure("cagr", "growth a year (CAGR)", _U.FRACTION, f"(1 + return)^(days in a year / days) - 1; {_YEAR}", bot=False),
    Figure("volatility", "volatility a year", _U.FRACTION, f"standard deviation (n - 1) of daily returns x sqrt(days in a year); {_YEAR}", bot=False),
    Figure("sharpe", "Sharpe ratio", _U.RATIO, f"mean / standard deviation (n - 1) of daily returns x sqrt(days in a year), rate without risk 0; {_YEAR}"),
    Figure("sortino", "Sortino ratio", _U.RATIO, f"mean / root mean square of the daily returns below 0, over all days, x sqrt(days in a year); {_YEAR}"),
    Figure("calmar", "Calmar ratio", _U.RATIO, f"growth a year / deepest drawdown; {_YEAR}", bot=False),
    Figure("probabilistic_sharpe", "probability that it is skill", _U.FRACTION, f"probabilistic Sharpe ratio above 0, for one try and no other: skewness and kurtosis counted; {_YEAR}", bot=False),
    Figure("skewness", "skewness of daily returns", _U.RATIO, f"third central moment / (second)^1.5; {_YEAR}", bot=False),
    Figure("kurtosis", "kurtosis of daily returns", _U.RATIO, f"fourth central moment / (second)^2, 3 for normal ones; {_YEAR}", bot=False),
    Figure("drawdown", "deepest drawdown", _U.FRACTION, "1 - growth / highest growth so far, over every look, at its deepest; of a bot: dollars below its highest profit / equity at the start"),
    Figure("drawdown_dollars", "deepest drawdown in dollars", _U.DOLLARS, "dollars of equity below its peak at the deepest point; of a bot: below its highest profit"),
    Figure("drawdown_peak_at", "drawdown began", _U.TIME, "time of the peak before it"),
    Figure("drawdown_trough_at", "drawdown was deepest", _U.TIME, "time of its lowest point"),
    Figure("drawdown_recovered_at", "drawdown recovered", _U.TIME, "time of the first look back at the peak; none if there was none"),
    Figure("drawdown_length", "drawdown lasted", _U.SPAN, "from its peak to its recovery, or to the end"),
    Figure("trades", "trades closed", _U.COUNT, "round trips from flat to flat; all legs of a structure are one"),
    Figure("won", "won", _U.COUNT, "trades with a profit after fees"),
    Figure("lost", "lost", _U.COUNT, "trades with a loss after fees"),
    Figure("win_rate", "win rate", _U.FRACTION, "won / trades"),
    Figure("profit_factor", "profit factor", _U.RATIO, "sum of profits / sum of losses; needs a loss"),
    Figure("expectancy", "expectancy a trade", _U.CHANGE, "mean profit of a trade after fees"),
    Figure("average_win", "average win", _U.CHANGE, "mean profit of the trades won"),
    Figure("average_loss", "average loss", _U.CHANGE, "mean loss of the trades lost"),
    Figure("best", "best trade", _U.CHANGE, "the highest profit of a trade"),
    Figure("worst", "worst trade", _U.CHANGE, "the lowest"),
    Figure("held", "average time held", _U.SPAN, "mean time from a trade's first fill to its last"),
    Figure("exposure", "time in the market", _U.FRACTION, "looks with something held / looks"),
    Figure("average_gross", "average gross exposure", _U.FRACTION, "mean of sum of |quantity| x price x multiplier / equity, over all looks"),
    Figure("turnover", "turnover", _U.RATIO, "(dollars bought + dollars sold) / 2 / mean equity, over the run"),
    Figure("realized", "realised before fees", _U.CHANGE, "profit of what was closed, at average cost, before fees"),
    Figure("fees", "fees", _U.DOLLARS, "what fills were charged, in dollars, and in coin at its average cost"),
    Figure("open", "open profit", _U.CHANGE, "(price - average price) x quantity x multiplier of what is held at the end, less the same at the start"),
)  # fmt: skip
BY_NAME = {figure.name: figure for figure in FIGURES}
WHOLE = tuple(figure for figure in FIGURES if figure.whole)
BOT = tuple(figure for figure in FIGURES if figure.bot)
