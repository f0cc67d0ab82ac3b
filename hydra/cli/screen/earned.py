"""What a run earned, for people: the whole, then by bot, at the width there is. Readable at 80 columns and in a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from hydra.cli.screen import styles, words
from hydra.cli.screen.summary import pairs
from hydra.study.figures import BY_NAME, Amount
from hydra.study.record import Recorder
from hydra.study.report import told
from hydra.study.report.page import NOTHING
from hydra.study.study import ALWAYS, Study

_NARROW = ("profit", "trades", "win_rate", "profit_factor", "expectancy", "drawdown_dollars", "fees")
_WIDE = (
    "profit", "return", "trades", "win_rate", "profit_factor", "expectancy", "average_win", "average_loss", "drawdown_dollars", "exposure",
    "turnover", "fees",
)  # fmt: skip
_WIDE_FROM = 116
_SHORT = {
    "profit": "profit", "return": "return", "trades": "trades", "win_rate": "won", "profit_factor": "factor", "expectancy": "a trade",
    "average_win": "avg win", "average_loss": "avg loss", "drawdown_dollars": "drawdown", "exposure": "in mkt", "turnover": "turn", "fees": "fees",
}  # fmt: skip
_BOTS_MOST, _ROWS_MOST, _REASON_MOST = 60, 8, 160
_BOT_MOST = 20


def earned(study: Study, *, practice: bool = False) -> RenderableType:
    """Everything that a study came to, to be printed once. ``--report`` and ``--trades`` have the rest."""
    parts: list[RenderableType] = [Text("")]
    if practice:
        parts.append(Text(styles.PRACTICE, styles.PRACTICE_STYLE))
    if study.track is None:
        parts.append(Text(NOTHING, "yellow"))
        return Group(*parts)
    parts.append(pairs(list(_facts(study))))
    if study.bots:
        parts += [Text(""), _ByBot(study)]
    unusual = [line for line in study.balance if line.what not in ALWAYS]
    parts += [
        Text(f"{line.what}: {words.change(round(line.dollars, 2))}", "dim")
        for line in unusual
        if round(line.dollars, 2)
    ]
    record = study.record
    if len(record.skips):
        parts += [Text(""), _skips(record)]
    if len(record.ceilings):
        parts += [Text(""), _ceilings(record)]
    notes = list(_notes(record))
    if notes:
        parts += [Text(""), pairs(notes)]
    return Group(*parts)


def _facts(study: Study) -> Iterator[tuple[str, Text | str]]:
    figures, track = study.figures, study.track
    assert track is not None
    assert study.began_at is not None
    assert study.ended_at is not None
    over = f", {study.record.passed_over:,} passed over" if study.record.passed_over else ""
    yield (
        "Period",
        f"{study.began_at:%Y-%m-%d %H:%M}Z to {study.ended_at:%Y-%m-%d %H:%M}Z, {track.days.told}, {study.record.looks:,} looks{over}",
    )
    equity = Text.assemble(_say(study, "equity_start"), " to ", (_say(study, "equity_end"), "bold"), "  ")
    profit = figures["profit"]
    yield "Equity", equity.append(f"{_say(study, 'profit')} ({_say(study, 'return')})", styles.gain(profit))
    yield "A year", _row(study, ("cagr", "growth"), ("volatility", "volatility"))
    yield (
        "Ratios",
        _row(
            study, ("sharpe", "Sharpe"), ("sortino", "Sortino"), ("calmar", "Calmar"), ("probabilistic_sharpe", "skill")
        ),
    )
    yield "Drawdown", _drawdown(study)
    if figures["trades"]:
        yield (
            "Trades",
            f"{_say(study, 'trades')} closed, {_say(study, 'won')} won, {_say(study, 'lost')} lost ({_say(study, 'win_rate')}), "
            f"profit factor {_say(study, 'profit_factor')}",
        )
        yield (
            "A trade",
            f"{_say(study, 'expectancy')}; wins {_say(study, 'average_win')}, losses {_say(study, 'average_loss')}; "
            f"best {_say(study, 'best')}, worst {_say(study, 'worst')}; held {_say(study, 'held')}",
        )
    else:
        yield "Trades", "none closed"
    yield (
        "Market",
        f"in it {_say(study, 'exposure')} of the time, {_say(study, 'average_gross')} of equity on average, turned over "
        f"{_say(study, 'turnover')} times",
    )
    yield "Fees", _say(study, "fees")


def _row(study: Study, *named: tuple[str, str]) -> Text | str:
    """Some figures side by side; those without enough data are named once, at the end."""
    known = [f"{title} {_say(study, name)}" for name, title in named if study.figures[name] is not None]
    unknown = [title for name, title in named if study.figures[name] is None]
    if not unknown:
        return ", ".join(known)
    return Text(", ".join(known)).append(f"{'; ' if known else ''}{told.NOT_ENOUGH} for {', '.join(unknown)}", "dim")


def _drawdown(study: Study) -> str:
    figures = study.figures
    if figures["drawdown_peak_at"] is None:
        return "none"
    back = figures["drawdown_recovered_at"]
    end = "not recovered" if back is None else f"recovered {_say(study, 'drawdown_recovered_at')}"
    return (
        f"{_say(study, 'drawdown')} ({_say(study, 'drawdown_dollars')}), from {_say(study, 'drawdown_peak_at')}, deepest "
        f"{_say(study, 'drawdown_trough_at')}, {end}; {_say(study, 'drawdown_length')}"
    )


def _say(study: Study, name: str) -> str:
    return told.told(study.figures[name], BY_NAME[name].unit)


@dataclass(frozen=True, slots=True)
class _ByBot:
    """A row a bot and the whole below them, with as many columns as there is room for."""

    study: Study

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        """Rich's own door."""
        columns = _WIDE if options.max_width >= _WIDE_FROM else _NARROW
        table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
        table.add_column("Bot", overflow="ellipsis", no_wrap=True, max_width=_BOT_MOST)
        for name in columns:
            table.add_column(_SHORT[name], justify="right", no_wrap=True)
        for one in self.study.bots[:_BOTS_MOST]:
            table.add_row(Text(words.one_line(one.bot)), *(_cell(name, one.figures[name]) for name in columns))
        if len(self.study.bots) > _BOTS_MOST:
            table.add_row(Text(f"+{len(self.study.bots) - _BOTS_MOST} more", "dim"))
        if len(self.study.bots) > 1:
            table.add_section()
            table.add_row("all", *(_cell(name, self.study.figures[name]) for name in columns), style="bold")
        yield table


def _cell(name: str, amount: Amount) -> Text:
    figure = BY_NAME[name]
    if amount is None:
        return Text("-", "dim")
    return Text(
        told.told(amount, figure.unit), styles.gain(amount) if name in ("profit", "return", "expectancy") else ""
    )


def _skips(record: Recorder) -> Table:
    """The reasons, over all bots and symbols, the most frequent first."""
    by_code: dict[str, tuple[int, str]] = {}
    for (code, _), one in record.skips.most_frequent():
        count, last = by_code.get(code, (0, one.last))
        by_code[code] = (count + one.count, last)
    rows = sorted(by_code.items(), key=lambda item: -item[1][0])
    table = _table("Why nothing was done", "times", "last reason")
    for code, (count, last) in rows[:_ROWS_MOST]:
        table.add_row(Text(words.in_words(code)), f"{count:,}", Text("" if code in words.QUIET else _shortened(last)))
    if len(rows) > _ROWS_MOST:
        table.add_row(Text("other"), f"{sum(count for _, (count, _last) in rows[_ROWS_MOST:]):,}", Text(""))
    return table


def _ceilings(record: Recorder) -> Table:
    table = _table("Ceilings that bit", "times", "of", "last reason")
    found = record.ceilings.most_frequent()
    for (rule, bot), one in found[:_ROWS_MOST]:
        table.add_row(
            Text(words.one_line(rule)), f"{one.count:,}", Text(words.one_line(bot)), Text(_shortened(one.last))
        )
    if len(found) > _ROWS_MOST:
        table.add_row(Text("other"), f"{sum(one.count for _, one in found[_ROWS_MOST:]):,}", Text(""), Text(""))
    return table


def _notes(record: Recorder) -> Iterator[tuple[str, Text | str]]:
    """Halts, refused orders, failures: one line each."""
    for halt in record.halts[-_ROWS_MOST:]:
        told_of = f" at {halt.at:%Y-%m-%d %H:%M:%S}Z: {_shortened(halt.reason)}"
        yield "Halt", Text.assemble((halt.kind, "bold red"), told_of)
    for (what, bot, symbol), one in record.refused.most_frequent()[:_ROWS_MOST]:
        named = f"{words.one_line(what).replace('_', ' ')} {one.count:,} times: {bot} {symbol}"
        yield "Orders", Text(f"{words.one_line(named)}, last: {_shortened(one.last)}", "yellow")
    for (bot, kind), one in record.failures.most_frequent()[:_ROWS_MOST]:
        yield (
            "Failures",
            Text(f"{words.one_line(bot)}: {one.count:,} {words.one_line(kind)}, last: {_shortened(one.last)}", "red"),
        )


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, overflow="fold")
    for name in others:
        numbers = name == "times"
        table.add_column(
            name,
            justify="right" if numbers else "left",
            no_wrap=numbers,
            overflow="fold",
            style="" if numbers else "dim",
        )
    return table


def _shortened(reason: str) -> str:
    reason = words.one_line(reason)
    return reason if len(reason) <= _REASON_MOST else reason[: _REASON_MOST - 1] + "…"
