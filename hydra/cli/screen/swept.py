"""A sweep as people see it: its best runs, its windows, and how much of the best is luck."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from hydra.bootstrap.sweep import Chosen, Found, Sweep
from hydra.cli.screen import styles, words
from hydra.study.figures import BY_NAME, Unit
from hydra.study.report import told
from hydra.study.sweep_grid import short_names
from hydra.study.sweep_luck import Chain, Luck, Overfitting, luck_of
from hydra.study.sweep_rows import Objective, Row, ranked

SHOWN = 10
_WIDE_FROM = 110
_NARROW = ("return", "drawdown", "trades")
_WIDE = ("return", "drawdown", "sharpe", "trades", "win_rate", "profit_factor", "exposure", "fees")
_SHORT = {
    "return": "return", "drawdown": "drawdown", "sharpe": "Sharpe", "trades": "trades", "win_rate": "won", "profit_factor": "factor",
    "exposure": "in mkt", "fees": "fees", "sortino": "Sortino", "calmar": "Calmar", "profit": "profit", "cagr": "a year",
    "expectancy": "a trade", "probabilistic_sharpe": "skill", "drawdown_dollars": "drawdown", "volatility": "volatility",
}  # fmt: skip
_PARAMETERS_NARROW, _PARAMETERS_WIDE = 3, 4
_VALUE_MOST, _REASON_MOST = 24, 200
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
MARKET_OVER = "the market's last day is over"
"""How a run ends that was not cut short (``hydra.engine.run``)."""


@dataclass(frozen=True, slots=True)
class Best:
    """The best rows, one a line: the parameters, the objective, and what else there is room for."""

    sweep: Sweep
    rows: Sequence[Row]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Rich's own door."""
        wide = options.max_width >= _WIDE_FROM
        objective = self.sweep.objective
        title = _SHORT[objective.figure] if not objective.bot else f"{_SHORT[objective.figure]} of {objective.bot}"
        figures = [name for name in (_WIDE if wide else _NARROW) if objective.bot or name != objective.figure]
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        table.add_column("run", justify="right", no_wrap=True, style="dim")
        names = _parameter_columns(self.sweep, _PARAMETERS_WIDE if wide else _PARAMETERS_NARROW)
        for name in names:
            table.add_column(Text(name), justify="right", overflow="fold")
        table.add_column(Text(title), justify="right", overflow="fold", style="bold")
        for name in figures:
            table.add_column(_SHORT[name], justify="right", no_wrap=True)
        for row in ranked([one for one in self.rows if not one.refused], objective)[:SHOWN]:
            values = parameter_cells(self.sweep, row.combination, len(names))
            cells = [_cell(row.figures.get(name), BY_NAME[name].unit, name) for name in figures]
            first = _cell(objective.amount(row), objective.unit, objective.figure)
            table.add_row(str(row.combination), *values, first, *cells)
        yield table


@dataclass(frozen=True, slots=True)
class Walked:
    """The windows, one a line: what its training chose, and what that came to in it and in the test."""

    sweep: Sweep
    found: Found

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Rich's own door."""
        wide = options.max_width >= _WIDE_FROM
        objective = self.sweep.objective
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
        table.add_column("window", justify="right", no_wrap=True, style="dim")
        if wide:
            table.add_column("training", no_wrap=True)
        table.add_column("test", no_wrap=True)
        names = _parameter_columns(self.sweep, _PARAMETERS_WIDE if wide else _PARAMETERS_NARROW - 1)
        for name in names:
            table.add_column(Text(name), justify="right", overflow="fold")
        figures = [objective.figure] if objective.figure == "return" else [objective.figure, "return"]
        for where in ("in", "out"):
            for name in figures:
                table.add_column(f"{_SHORT[name]} {where}", justify="right", style="bold" if where == "out" else "")
        if wide:
            table.add_column("trades out", justify="right")
            table.add_column("luck in", justify="right")
        for one in self.found.chosen:
            table.add_row(str(one.window.number), *self._cells(one, figures, len(names), wide=wide))
        yield table

    def _cells(self, one: Chosen, figures: Sequence[str], parameters: int, *, wide: bool) -> list[Any]:
        cells: list[Any] = [_days(one.train, wide=True)] if wide else []
        cells.append(_days(one.test, wide=wide))
        best = one.trained
        blank = (Text("-", "dim"),) * parameters
        cells += blank if best is None else parameter_cells(self.sweep, best.combination, parameters)
        cells += [self._figure(row, name) for row in (best, one.tested) for name in figures]
        if wide:
            rows = [row for row in self.found.rows if row.window == one.window.number]
            trades = None if one.tested is None else one.tested.figures.get("trades")
            cells += [_cell(trades, Unit.COUNT, "trades"), _cell(luck_of(best, rows).probability, Unit.FRACTION, "")]
        return cells

    def _figure(self, row: Row | None, name: str) -> Text:
        objective = self.sweep.objective
        if row is None or row.refused:
            return Text("-", "dim")
        amount = objective.amount(row) if name == objective.figure else row.figures.get(name)
        return _cell(amount, BY_NAME[name].unit, name)


def _parameter_columns(sweep: Sweep, most: int) -> tuple[str, ...]:
    """A column for each parameter that varies, or one for all of them when there is no room."""
    names = _varying(sweep)
    return tuple(names.values()) if len(names) <= most else ("parameters",)


def _varying(sweep: Sweep) -> dict[int, str]:
    """The parameters that have more than one value, shortly named, by their place; all of them when none has."""
    axes = sweep.grid.axes
    places = [place for place, axis in enumerate(axes) if len(axis.values) > 1] or list(range(len(axes)))
    return dict(zip(places, short_names([axes[place].name for place in places]), strict=True))


def parameter_cells(sweep: Sweep, number: int, columns: int) -> tuple[Text, ...]:
    """The values of a combination, one a column or all in one."""
    values = sweep.grid.values(number)
    names = _varying(sweep)
    if len(names) == columns:
        return tuple(Text(_value(values[place])) for place in names)
    return (Text(", ".join(f"{name} {_value(values[place])}" for place, name in names.items())),)


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    text = words.one_line(str(value))
    return text if len(text) <= _VALUE_MOST else f"{text[: _VALUE_MOST - 1]}…"


def _cell(amount: Any, unit: Unit, name: str) -> Text:
    if amount is None:
        return Text("-", "dim")
    number = _number(amount)
    return Text(told.told(number, unit), styles.gain(number) if name in ("return", "profit", "expectancy") else "")


def _days(two: tuple[Any, Any], *, wide: bool) -> str:
    first, last = two[0].day, two[1].day
    if first == last:
        return f"{first:%Y-%m-%d}"
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d}" if wide else f"{first:%y-%m-%d}…{last:%y-%m-%d}"


def refusals(rows: Sequence[Row]) -> list[str]:
    """Why runs were not played: one line for all that say the same but for their numbers."""
    return _grouped([row.refused for row in rows if row.refused], "refused")


def endings(rows: Sequence[Row]) -> list[str]:
    """Why runs ended before the prices did."""
    return _grouped([row.ended for row in rows if row.ended not in ("", MARKET_OVER)], "ended before the prices did")


def idle(rows: Sequence[Row]) -> list[str]:
    """A line when nothing that was varied made any difference."""
    played = [row for row in rows if not row.refused]
    groups: dict[tuple[int, str], list[Row]] = {}
    for row in played:
        groups.setdefault((row.window, row.part), []).append(row)
    same = all(
        row.returns == each[0].returns and row.figures == each[0].figures for each in groups.values() for row in each
    )
    most = max(map(len, groups.values()), default=0)
    return ["Every run came to the same: what was varied makes no difference here"] if same and most > 1 else []


def _grouped(reasons: Sequence[str], what: str) -> list[str]:
    """The most frequent first, each with the first of its reasons."""
    groups: dict[str, list[str]] = {}
    for reason in reasons:
        groups.setdefault(_NUMBER.sub("#", reason), []).append(reason)
    lines = []
    for same in sorted(groups.values(), key=len, reverse=True)[:SHOWN]:
        text = words.one_line(same[0])
        lines.append(
            f"{words.some(len(same), 'run')} {what}: {text if len(text) <= _REASON_MOST else text[: _REASON_MOST - 1] + '…'}"
        )
    return lines


def luck_lines(sweep: Sweep, best: Row | None, luck: Luck, overfitting: Overfitting) -> list[Text]:
    """The best run, and how far it is to be believed."""
    lines = []
    if best is not None:
        amount = amount_told(sweep.objective, best)
        (named,) = parameter_cells(sweep, best.combination, 0)
        lines.append(
            Text.assemble(
                ("Best", "bold"),
                f" of {words.some(luck.tries, 'run')} by {sweep.objective.title}: ",
                (named.plain, "bold"),
                f" (run {best.combination}): {amount}",
            )
        )
    else:
        lines.append(
            Text(
                f"Best: not enough data: the {sweep.objective.title} is known of no run; another --objective ranks them",
                "yellow",
            )
        )
    if luck.probability is not None:
        surely = luck.probability >= 0.95
        lines.append(
            Text.assemble(
                f"The luckiest of {luck.tries:,} tries without any skill would be expected to show a Sharpe ratio of {luck.expected:,.2f}, "
                f"this one has {luck.ratio:,.2f}. Probability that the best is better than luck among {luck.tries:,} trials: ",
                (told.percent(luck.probability), "bold green" if surely else "bold yellow"),
                " (deflated Sharpe ratio)",
            )
        )
    else:
        lines.append(
            Text(f"Probability that the best is better than luck among {luck.tries:,} trials: {luck.reason}", "yellow")
        )
    if overfitting.probability is not None:
        lines.append(
            Text(
                f"Probability of overfitting: {told.percent(overfitting.probability)}: in so many of {overfitting.splits:,} ways to halve "
                f"the {overfitting.days:,} days, the best of one half was no better than the median in the other"
            )
        )
    else:
        lines.append(Text(f"Probability of overfitting: {overfitting.reason}", "dim"))
    return lines


def chain_line(chain: Chain) -> Text:
    """The tests of all windows as one history."""
    if chain.growth is None:
        return Text("Out of sample: no test was played", "yellow")
    line = Text.assemble(
        ("Out of sample", "bold"),
        f", {words.some(chain.days, 'day')} one after the other: return ",
        (told.percent(chain.growth), f"bold {styles.gain(chain.growth)}".strip()),
        f", Sharpe ratio {told.told(chain.sharpe, Unit.RATIO)}, deepest drawdown {told.told(chain.drawdown, Unit.FRACTION)}",
    )
    if chain.skill is not None:
        line.append(f"; probability that it is skill: {told.percent(chain.skill)}")
    return line


def lost_lines(sweep: Sweep) -> list[str]:
    """Runs that came to no answer, by reason."""
    reasons = Counter(reason for _task, reason in sweep.lost)
    return [
        f"{words.some(count, 'run')} lost: {words.one_line(reason)}" for reason, count in reasons.most_common(SHOWN)
    ]


def amount_told(objective: Objective, row: Row) -> str:
    """What a row is worth by the objective, in words."""
    return told.told(_number(objective.amount(row)), objective.unit)


def _number(amount: Any) -> Any:
    return Decimal(amount) if isinstance(amount, str) else amount
