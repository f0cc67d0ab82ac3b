"""The tables of the page: figures, the balance, months, bots, trades, and why nothing was done."""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from decimal import Decimal

from hydra.qc.report import parts
from hydra.qc.report.html import Child, Html, tag
from hydra.study.figures import BY_NAME, WHOLE, Amount, Figure, Unit
from hydra.study.record import Recorder
from hydra.study.report import told
from hydra.study.study import ALWAYS, Study, Trip

HEADLINE = (
    "profit", "return", "cagr", "sharpe", "sortino", "drawdown", "trades", "win_rate", "profit_factor", "expectancy", "exposure", "fees",
)  # fmt: skip
_BOT_COLUMNS = (
    "profit", "return", "trades", "win_rate", "profit_factor", "expectancy", "average_win", "average_loss", "drawdown_dollars", "sharpe",
    "exposure", "turnover", "realized", "fees", "open",
)  # fmt: skip
_TRADES_SHOWN = 100
_SIGNED = frozenset({Unit.CHANGE})


def headline(study: Study) -> Html:
    """The few figures that matter, each with its definition for whoever points at it."""
    cards = [
        tag(
            "div",
            tag(
                "b",
                told.told(study.figures[name], BY_NAME[name].unit),
                class_=_look(study.figures[name], BY_NAME[name]),
            ),
            tag("span", BY_NAME[name].title),
            class_="figure",
            title=BY_NAME[name].formula,
        )
        for name in HEADLINE
    ]
    return tag("div", cards, class_="figures")


def every(study: Study) -> Html:
    """All figures, with how each is worked out."""
    rows = [
        (
            figure.title,
            told.told(study.figures[figure.name], figure.unit),
            tag("span", figure.formula, class_="soft small"),
        )
        for figure in WHOLE
    ]
    return parts.table(("figure", "", "how it is worked out"), rows, class_="every")


def balance(study: Study) -> Html:
    """From the first equity to the last, a line a reason."""
    lines: list[tuple[str, str]] = [("equity at the start", told.told(study.figures["equity_start"], Unit.DOLLARS))]
    lines += [
        (line.what, told.change(line.dollars))
        for line in study.balance
        if line.what in ALWAYS or round(line.dollars, 2)
    ]
    lines.append(("equity at the end", told.told(study.figures["equity_end"], Unit.DOLLARS)))
    return parts.table(("", "dollars"), lines, numbers={1}, class_="plain")


def months(study: Study) -> Html:
    """A row a year, a column a month; a month without a day is empty."""
    grown = study.months
    rows = []
    for year in sorted({year for year, _ in grown}):
        whole = 1.0
        cells: list[Child] = [str(year)]
        for month in range(1, 13):
            change = grown.get((year, month))
            whole *= 1 + (change or 0.0)
            cells.append("" if change is None else _coloured(change))
        rows.append([*cells, _coloured(whole - 1)])
    heads = ("", *calendar.month_abbr[1:], "year")
    return parts.table(heads, rows, numbers=range(1, 14), class_="grid months")


def bots(study: Study) -> Html:
    """A row a bot, and the whole below them; a figure that none of them has is left out."""
    rows = [study.figures, *(one.figures for one in study.bots)]
    shown = [BY_NAME[name] for name in _BOT_COLUMNS if any(row[name] is not None for row in rows)]
    head = tag("tr", tag("th", "bot"), [tag("th", f.title, class_="n", title=f.formula) for f in shown])
    body = [_bot_row(one.bot, one.figures, shown) for one in study.bots[: parts.ROWS_MOST]]
    body.append(_bot_row("the account", study.figures, shown))
    return tag("div", tag("table", tag("thead", head), tag("tbody", body), class_="grid"), class_="wide")


def _bot_row(name: str, figures: object, shown: Iterable[Figure]) -> Html:
    cells = []
    for figure in shown:
        amount: Amount = figures[figure.name]  # type: ignore[index]  # a mapping of figures
        empty = amount is None
        text = "·" if empty else told.told(amount, figure.unit)
        cells.append(tag("td", text, class_=f"n {'none' if empty else _sign(amount, figure) or ''}".strip()))
    return tag("tr", tag("td", name), cells)


def best_and_worst(study: Study) -> Html:
    """The trades, newest first, as far as a page goes."""
    shown = [_trade(trip) for trip in reversed(study.trips[-_TRADES_SHOWN:])]
    heads = ("closed", "bot", "what", "side", "size", "entry", "exit", "held", "fees", "profit", "why it ended")
    table = parts.table(heads, shown, numbers={4, 5, 6, 7, 8, 9})
    more = len(study.trips) - len(shown)
    note = (
        tag("p", f"The last {len(shown):,} of {len(study.trips):,}; --trades writes all of them.", class_="soft small")
        if more
        else None
    )
    return tag("div", table, note)


def _trade(trip: Trip) -> list[Child]:
    first = trip.legs[0].trade
    single = len(trip.legs) == 1
    return [
        tag("span", f"{trip.closed_at:%Y-%m-%d %H:%M}", class_="whole"),
        tag("span", trip.bot, class_="whole"),
        trip.name if not single or first.structure else first.symbol,
        "long" if trip.way > 0 else "short",
        told.quantity(first.quantity) if single else "",
        told.price(first.entry_price) if single else "",
        told.price(first.exit_price) if single else "",
        told.span(trip.closed_at - trip.opened_at),
        told.dollars(trip.fees),
        tag("span", told.change(trip.profit), class_="up" if trip.profit > 0 else "down" if trip.profit < 0 else None),
        tag("span", first.reason, class_="last"),
    ]


def skips(record: Recorder) -> Html:
    """Why nothing was done, by bot and symbol."""
    rows: list[list[Child]] = []
    for (code, subject), one in record.skips.most_frequent():
        bot, _, symbol = subject.partition("|")
        rows.append(
            [
                _words(code),
                tag("span", bot, class_="whole"),
                symbol,
                one.count,
                tag("span", one.last, class_="soft small last"),
            ]
        )
    return parts.table(("why", "bot", "symbol", "times", "last words"), rows, numbers={3})


def ceilings(record: Recorder) -> Html:
    """Which rule lowered what a bot had asked for."""
    rows: list[list[Child]] = [
        [_words(rule), tag("span", bot, class_="whole"), one.count, tag("span", one.last, class_="soft small last")]
        for (rule, bot), one in record.ceilings.most_frequent()
    ]
    return parts.table(("rule", "bot", "times", "last words"), rows, numbers={2})


def refused(record: Recorder) -> Html:
    """Orders that were not taken, and bots that failed to answer."""
    rows: list[list[Child]] = [
        [_words(what), bot, symbol, one.count, tag("span", one.last, class_="soft small last")]
        for (what, bot, symbol), one in record.refused.most_frequent()
    ]
    rows += [
        [f"no answer: {kind}", bot, "", one.count, tag("span", one.last, class_="soft small last")]
        for (bot, kind), one in record.failures.most_frequent()
    ]
    return parts.table(("what", "bot", "symbol", "times", "last words"), rows, numbers={3})


def halts(record: Recorder) -> Html:
    """Halts, in the order in which they were latched."""
    rows: list[list[Child]] = [[f"{halt.at:%Y-%m-%d %H:%M}Z", halt.kind, halt.by, halt.reason] for halt in record.halts]
    return parts.table(("at", "kind", "by", "why"), rows)


def _words(code: str) -> str:
    return code.replace("_", " ")


def _coloured(change: float) -> Html:
    return tag("span", told.percent(change), class_="up" if change > 0 else "down" if change < 0 else None)


def _look(amount: Amount, figure: Figure) -> str | None:
    return "unknown" if amount is None else _sign(amount, figure)


def _sign(amount: Amount, figure: Figure) -> str | None:
    """Green for a gain, red for a loss, nothing for anything that is neither."""
    if figure.unit not in _SIGNED and figure.name not in ("return", "cagr"):
        return None
    if not isinstance(amount, Decimal | float) or round(amount, 6) == 0:
        return None
    return "up" if amount > 0 else "down"
