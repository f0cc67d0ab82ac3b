"""The pictures of the page: equity, drawdown, the bots' profit, and the trades on their prices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hydra.model.market import AssetClass, OptionContract, asset_class_of
from hydra.model.orders import Purpose
from hydra.qc.report.html import Html, tag
from hydra.study.curve import DAY_MICROS, Bars, Floats, Ints, Split, moment
from hydra.study.daily import Track
from hydra.study.record import Fills
from hydra.study.report import told
from hydra.study.report.candles import Candles, factors, gathered, undone
from hydra.study.report.chart import Canvas, Dot, Tick
from hydra.study.report.thin import thin
from hydra.study.study import Study

SYMBOLS_MOST, DOTS_MOST, BOTS_MOST = 12, 300, 8
_TICKS_MOST, _DAYS_MARKED_MOST = 6, 60
_SHORT, _NEARLY_A_DAY = 2, 0.8


def equity(track: Track) -> Html:
    """The account's equity at every look."""
    canvas = Canvas(len(track.equity), float(track.equity.min()), float(track.equity.max()), across=track.place)
    canvas.uprights(_day_starts(track))
    canvas.level(float(track.equity[0]), "start")
    places = thin(track.equity)
    canvas.line(places, track.equity[places])
    return canvas.whole("Equity", _ticks(track), _dollars)


def drawdown(track: Track) -> Html:
    """How far below its highest the growth was, at every look."""
    if not len(track.growth) or track.growth[0] <= 0:
        return Html("")
    below = (track.growth / np.maximum.accumulate(track.growth) - 1) * 100
    canvas = Canvas(len(below), float(below.min()), 0.0, height=150, across=track.place)
    canvas.uprights(_day_starts(track))
    places = thin(below)
    canvas.area(places, below[places], np.zeros(len(places)), "under")
    canvas.line(places, below[places], "line bad")
    return canvas.whole("Drawdown", _ticks(track), lambda value: f"{value:,.4g}%")


def bots(study: Study, track: Track) -> Html:
    """Each bot's profit since the beginning, in dollars; those that earned or lost most, when there are many."""
    columns = study.record.curve.bots
    rows = len(study.record.curve)
    busiest = sorted(study.bots, key=lambda one: -abs(float(one.figures["profit"] or 0)))  # type: ignore[arg-type]  # dollars
    shown = [one.bot for one in busiest if one.bot in columns][:BOTS_MOST]
    if not shown:
        return Html("")
    lines = {bot: columns[bot].dense(rows)[track.rows] for bot in shown}
    low, high = min(float(line.min()) for line in lines.values()), max(float(line.max()) for line in lines.values())
    canvas = Canvas(len(track.rows), min(low, 0.0), max(high, 0.0), height=220, across=track.place)
    canvas.uprights(_day_starts(track))
    canvas.level(0.0, "start")
    for number, (bot, line) in enumerate(lines.items()):
        places = thin(line, 400)
        canvas.line(places, line[places], f"line c{number}", bot)
    legend = tag(
        "p", [tag("span", tag("i", class_=f"key c{number}"), bot) for number, bot in enumerate(lines)], class_="legend"
    )
    return tag("div", canvas.whole("Profit by bot", _ticks(track), _dollars), legend)


def prices(study: Study) -> list[Html]:
    """A chart for every symbol that was traded, the busiest first: its prices, and where it was entered and left."""
    track, fills = study.track, study.record.fills
    if track is None or not len(fills):
        return []
    by_chart: dict[str, list[int]] = {}
    owners = list(fills.owners)
    for number, who in enumerate(fills.who):
        by_chart.setdefault(_charted(owners[who][1]), []).append(number)
    busiest = sorted(by_chart, key=lambda symbol: -len(by_chart[symbol]))
    drawn = []
    for symbol in busiest[:SYMBOLS_MOST]:
        bars = study.record.bars.get(symbol)
        if bars is not None and len(bars.at):
            drawn += _priced(symbol, bars, track, fills, (by_chart[symbol], study.record.splits.get(symbol, ())))
    if len(busiest) > SYMBOLS_MOST:
        drawn.append(tag("p", f"and {len(busiest) - SYMBOLS_MOST:,} more symbols", class_="soft"))
    return drawn


def _charted(symbol: str) -> str:
    """The symbol on whose chart a fill stands: a contract's is what it is on."""
    return OptionContract.parse(symbol).root if asset_class_of(symbol) is AssetClass.OPTION else symbol


def _priced(
    symbol: str, bars: Bars, track: Track, fills: Fills, own: tuple[Sequence[int], Sequence[Split]]
) -> list[Html]:
    """The chart of a symbol; its ``own`` are the numbers of its fills, and its splits."""
    mine, splits = own
    at = np.array(bars.at, dtype=np.int64)
    inside = (at >= track.at[0]) & (at <= track.at[-1])
    at = at[inside]
    if not len(at):
        return []
    splits = [each for each in splits if at[0] <= each.at < at[-1]]
    scale = factors(at, splits)
    columns = (np.array(column, dtype=np.float64)[inside] for column in (bars.open, bars.high, bars.low, bars.close))
    opened, high, low, close = (column / scale for column in columns)
    shown = gathered(at, (opened, high, low, close), shares=asset_class_of(symbol) is AssetClass.EQUITY)
    canvas = Canvas(len(shown.at), float(low.min()), float(high.max()), inset=True)
    canvas.uprights(_starts_of_days(shown.at))
    canvas.candles((shown.open, shown.high, shown.low, shown.close), _words_of(shown))
    kept = [number for number in mine if track.at[0] <= fills.at[number] <= track.at[-1]]
    canvas.dots([_dot(number, fills, at, close, shown, splits) for number in kept[:DOTS_MOST]])
    more = len(kept) - DOTS_MOST
    note = f"; the first {DOTS_MOST:,} of {len(kept):,} fills are marked" if more > 0 else f", {len(kept):,} fills"
    note += f"; a candle is {shown.width}{undone(splits)}"
    whole = canvas.whole(f"{symbol}: prices and fills", _ticks_at(shown.at), told.price)
    return [tag("h3", symbol, tag("span", note, class_="soft small")), whole]


def _words_of(shown: Candles) -> list[str]:
    columns = (shown.open.tolist(), shown.high.tolist(), shown.low.tolist(), shown.close.tolist())
    return [
        f"until {moment(at):%Y-%m-%d %H:%M}Z: open {told.price(o)}, high {told.price(h)}, low {told.price(low)}, close {told.price(c)}"
        for at, o, h, low, c in zip(shown.at.tolist(), *columns, strict=True)
    ]


_STYLES = {Purpose.ENTRY: "in", Purpose.EXIT: "out", Purpose.STOP: "stop", Purpose.TARGET: "target"}
LEGEND = (("in", "entry"), ("out", "exit"), ("stop", "stop"), ("target", "target"))


def _dot(number: int, fills: Fills, at: Ints, close: Floats, shown: Candles, splits: Sequence[Split]) -> Dot:
    """A fill, on the candle in which it lies."""
    bot, symbol = list(fills.owners)[fills.who[number]]
    purpose = Fills.PURPOSES[fills.what[number]]
    place = min(int(np.searchsorted(at, fills.at[number])), len(at) - 1)
    own = _charted(symbol) == symbol
    units, paid = fills.units[number], fills.price[number]
    side = "bought" if units > 0 else "sold"
    when = moment(fills.at[number])
    words = f"{purpose}: {bot} {side} {abs(units):,.8g} {symbol} at {told.price(paid)}, {when:%Y-%m-%d %H:%M:%S}Z"
    height = paid / float(factors(np.array([fills.at[number]]), splits)[0]) if own else float(close[place])
    candle = int(np.searchsorted(shown.first, place, side="right")) - 1
    return Dot(candle, height, _STYLES[purpose], words)


# -- what stands below the charts


def _dollars(value: float) -> str:
    return f"{'-' if value < 0 else ''}${abs(value):,.0f}" if abs(value) >= 5 else told.dollars(value)


def _day_starts(track: Track) -> list[int]:
    starts = [int(last) + 1 for last in track.days.last[:-1]]
    return starts if len(starts) <= _DAYS_MARKED_MOST else []


def _starts_of_days(at: Ints) -> list[int]:
    """Where days begin; nothing where each place is a day or more: then they say nothing."""
    if len(at) < 2 or np.diff(at).min() > _NEARLY_A_DAY * DAY_MICROS:
        return []
    days = np.flatnonzero(np.diff((at - 1) // DAY_MICROS)) + 1
    return [int(place) for place in days] if len(days) <= _DAYS_MARKED_MOST else []


def _ticks(track: Track) -> list[Tick]:
    if len(track.days.dates) <= _SHORT:
        wanted = np.linspace(0, track.place[-1], _TICKS_MOST)[:-1]
        places = sorted({int(place) for place in track.place.searchsorted(wanted)})
        return [Tick(place, f"{moment(track.at[place]):%m-%d %H:%M}") for place in places]
    starts = [0, *(int(last) + 1 for last in track.days.last[:-1])]
    step = -(-len(starts) // _TICKS_MOST)
    days = track.days.dates
    return [Tick(starts[n], f"{days[n]:%Y-%m-%d}") for n in range(0, len(starts), step)]


def _ticks_at(at: Ints) -> list[Tick]:
    """A few places with their times: hours within two days, else the days that begin there."""
    if at[-1] - at[0] <= _SHORT * DAY_MICROS:
        places = sorted({int(place) for place in np.linspace(0, len(at) - 1, _TICKS_MOST)[:-1]})
        return [Tick(place, f"{moment(at[place]):%m-%d %H:%M}") for place in places]
    starts = [0, *(np.flatnonzero(np.diff((at - 1) // DAY_MICROS)) + 1).tolist()]
    step = -(-len(starts) // _TICKS_MOST)
    return [Tick(place, f"{moment(at[place] - 1):%Y-%m-%d}") for place in starts[::step]]
