"""Files of bars and quotes, read and checked: one ``Loaded`` for each symbol in a file, and what is to be said of it.

Where the rows name their symbols, they count and the file's name does not; a name in full, or a symbol said before the path,
then picks one of them. Daily bars of a symbol that has shorter ones are left out: a symbol is played in one interval.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from hydra.adapters.markets import labels, sheets, tables
from hydra.adapters.markets.columns import Columns, check_bars, check_quotes
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.adapters.markets.folders import Source, left_out, unnamed
from hydra.adapters.markets.shapes import Shape
from hydra.adapters.markets.sheets import Sheet
from hydra.adapters.markets.times import DAY, Hours, moment
from hydra.model.errors import BadConfig


class Loaded(NamedTuple):
    """One symbol's rows of a file: bars or quotes (``kind``), and in which shape they were written."""

    path: Path
    symbol: str
    kind: str
    digest: str
    columns: Columns
    shape: Shape | None = None


class Found(NamedTuple):
    """What was read, and the notes on it."""

    loaded: tuple[Loaded, ...]
    notes: tuple[str, ...]


class Reading(NamedTuple):
    """What reading goes by: the symbols wanted (``None``: all), the exchange's days, and what time it is."""

    symbols: Collection[str] | None
    hours: Hours
    now: datetime


def load(sources: Sequence[Source], reading: Reading) -> Found:
    """Read every file of bars and quotes."""
    loaded: list[Loaded] = []
    notes: list[str] = []
    others: dict[str, int] = {}
    finer = {
        each.label.symbol: each.label.seconds for each in sources if _is_bars(each) and 0 < each.label.seconds < DAY
    }
    for source in sources:
        if source.kind.name == tables.QUOTES:
            loaded.append(_quotes(source, reading))
        elif _is_bars(source) and source.label.seconds > DAY:
            notes.append(f"{source.path}: not used: intervals of more than a day")
        elif _is_bars(source) and source.label.seconds == DAY and source.label.symbol in finer:
            notes.append(_finer(source.path, source.label.symbol, finer[source.label.symbol]))
        elif _is_bars(source):
            found = _bars(source, reading, others)
            loaded.extend(found.loaded)
            notes.extend(found.notes)
    return _without_days(Found(tuple(loaded), (*notes, *left_out(others))))


def _is_bars(source: Source) -> bool:
    return source.kind.name == tables.BARS


def _quotes(source: Source, reading: Reading) -> Loaded:
    grid = tables.grid(source.path)
    columns = check_quotes(source.path, grid, source.label.seconds, reading.now)
    return Loaded(source.path, source.label.symbol, tables.QUOTES, grid.digest, columns)


def _bars(source: Source, reading: Reading, others: dict[str, int]) -> Found:
    """The bars of a file, by symbol."""
    path, label = source.path, source.label
    grid = tables.grid(path)
    parts, strange = sheets.split(path, source.kind, grid)
    loaded: list[Loaded] = []
    notes = [f"{path}: {each}" for each in grid.notes]
    if strange:
        notes.append(f"{path}: not used: {', '.join(strange[:5])}: no symbols of a share or pair")
    named = [part.symbol for part in parts if part.symbol]
    if named and label.sure and label.symbol and label.symbol not in named:
        raise BadConfig(f"{path}: said to be {label.symbol}, but its rows are {', '.join(named[:5])}")
    for part in parts:
        symbol = part.symbol or label.symbol
        if not symbol:
            raise unnamed(path)
        wanted = reading.symbols is None or symbol in reading.symbols
        if not wanted or (part.symbol and label.sure and label.symbol not in ("", symbol)):
            others[symbol] = others.get(symbol, 0) + 1
            continue
        read = check_bars(part, symbol, label.seconds, reading.hours, reading.now)
        loaded.append(Loaded(path, symbol, tables.BARS, grid.digest, read.columns, part.shape))
        told = (*_naming(part, label), *read.told)
        notes.extend(sheets.describe(part._replace(symbol=symbol), path, read.columns.seconds, told))
    return Found(tuple(loaded), tuple(notes))


def _naming(part: Sheet, label: labels.Label) -> Iterator[str]:
    """How a symbol was found, where it was not plain."""
    if part.symbol and part.symbol != part.written:
        yield f"written {part.written}"
    elif not part.symbol and not label.sure:
        yield "symbol by the file's name"


def _without_days(found: Found) -> Found:
    """The same without the days of symbols that have shorter bars."""
    finer = {
        each.symbol: each.columns.seconds
        for each in found.loaded
        if each.kind == tables.BARS and each.columns.seconds < DAY
    }
    idle = [
        each
        for each in found.loaded
        if each.kind == tables.BARS and each.symbol in finer and each.columns.seconds >= DAY
    ]
    notes = tuple(_finer(each.path, each.symbol, finer[each.symbol]) for each in idle)
    return Found(tuple(each for each in found.loaded if each not in idle), (*found.notes, *notes))


def _finer(path: Path, symbol: str, seconds: int) -> str:
    return f"{path}: not used: daily bars; {symbol} has bars of {seconds} s"


_COUNTED = {
    ActionKind.FORWARD_SPLIT: "split",
    ActionKind.REVERSE_SPLIT: "split",
    ActionKind.CASH_DIVIDEND: "paid",
}


def check_adjusted(loaded: Sequence[Loaded], actions: Sequence[CorporateAction]) -> None:
    """Refuse an action that the prices were already adjusted for: it would count twice."""
    for each in loaded:
        for action in actions:
            if each.shape is None or action.symbol != each.symbol or action.kind not in _COUNTED:
                continue
            if getattr(each.shape, _COUNTED[action.kind]) and moment(each.columns.known[0]).date() < action.ex_date:
                raise BadConfig(
                    f"{each.path}: {each.symbol}: {each.shape.prices}, and a {action.kind} on {action.ex_date} in the "
                    "corporate actions: it would count twice; leave one of them out"
                )
