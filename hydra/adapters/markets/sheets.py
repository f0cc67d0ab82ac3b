"""A file's columns, taken apart into one sheet of bars for each symbol.

Most files are about one symbol. Alpaca's are long (a column of symbols), yfinance's wide (columns for each symbol); in a wide one
a symbol has no bar where all its cells are empty, because another one traded then: such rows are left out, and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hydra.adapters.markets.exact import Ints
from hydra.adapters.markets.labels import canonical
from hydra.adapters.markets.shapes import CCXT, FREQTRADE, OWN, OWN_DAYS, Shape
from hydra.adapters.markets.tables import Grid, Kind
from hydra.adapters.markets.times import DAY, Place
from hydra.model.errors import BadConfig


class Sheet(NamedTuple):
    """The bars of one symbol as they stand in a file: Arrow columns of times and of the five numbers.

    ``symbol`` is empty where the file does not name it. ``written`` is the file's own spelling. ``empty`` counts rows left out.
    ``unplayed`` are columns with something in them that a bar does not have.
    """

    place: Place
    shape: Shape
    symbol: str
    written: str
    time_name: str
    times: Any
    numbers: tuple[Any, ...]
    empty: int = 0
    unplayed: tuple[str, ...] = ()


def split(path: Path, kind: Kind, grid: Grid) -> tuple[tuple[Sheet, ...], tuple[str, ...]]:
    """The sheets of a file, and the symbols in it that are none of a share or pair. Raises ``BadConfig`` naming the file."""
    assert kind.shape is not None
    place = Place(path, grid.first_row)
    if kind.wide is not None:
        return _wide(place, kind, grid)
    _check_row_numbers(place, kind.shape, grid.columns)
    shape = _by_content(kind.shape, grid.columns)
    named = [name for name in shape.symbols if name in grid.columns]
    if named:
        return _long(place, shape, named[0], grid)
    return (_sheet(place, shape, grid.columns, ("", "")),), ()


def _sheet(place: Place, shape: Shape, columns: Mapping[str, Any], names: tuple[str, str]) -> Sheet:
    time_name = _time_name(shape, columns)
    numbers = tuple(columns[name] for name in shape.fields)
    filled = tuple(name for name in ("Dividends", "Stock Splits", "Capital Gains") if _any_filled(columns.get(name)))
    return Sheet(place, shape, *names, time_name, columns[time_name], numbers, unplayed=filled)


def _time_name(shape: Shape, columns: Mapping[str, Any]) -> str:
    return max((name for name in shape.times if name in columns), key=len)  # a name before none


def _by_content(shape: Shape, columns: Mapping[str, Any]) -> Shape:
    """Shapes with the same columns, told apart by how they write the time."""
    import pyarrow as pa

    if shape not in (OWN, OWN_DAYS):
        return shape
    times = columns[shape.times[0]]
    first = times[0].as_py() if len(times) else None
    if shape is OWN:
        written = isinstance(first, str) and first.isascii() and first.isdigit()
        return CCXT if written or pa.types.is_integer(times.type) else OWN
    dated = isinstance(first, str) and len(first) <= 10
    return OWN_DAYS if dated or pa.types.is_date(times.type) or first is None else FREQTRADE


def _check_row_numbers(place: Place, shape: Shape, columns: Mapping[str, Any]) -> None:
    """A column without a name beside the times is a saved frame's row numbers, or nobody knows what."""
    import pyarrow as pa

    column = columns.get("")
    if column is None or _time_name(shape, columns) == "":
        return
    try:
        numbers = column.cast(pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        numbers = np.empty(0, np.int64)
    if not np.array_equal(numbers, np.arange(len(column))):
        raise BadConfig(f"{place.path}: row {place.first_row}: a column without a name that is no row number")


def _long(place: Place, shape: Shape, name: str, grid: Grid) -> tuple[tuple[Sheet, ...], tuple[str, ...]]:
    """One sheet for each symbol in a column of symbols."""
    import pyarrow as pa

    coded = grid.columns[name].cast(pa.string()).dictionary_encode()
    written = coded.dictionary.to_pylist()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    if len(codes) and (codes.min() < 0 or "" in written):
        blank = written.index("") if "" in written else -1
        raise place.refuse(int(np.flatnonzero((codes < 0) | (codes == blank))[0]), f"{name} is empty")
    sheets, others = [], []
    for code, text in enumerate(written):
        symbol = canonical(text)
        if symbol is None:
            others.append(text)
            continue
        rows: Ints = np.flatnonzero(codes == code)
        columns = grid.columns if len(written) == 1 else _taken(grid.columns, rows)
        sheets.append(_sheet(place._replace(rows=rows), shape, columns, (symbol, text)))
    _check_twice(place.path, sheets)
    return tuple(sheets), tuple(others)


def _wide(place: Place, kind: Kind, grid: Grid) -> tuple[tuple[Sheet, ...], tuple[str, ...]]:
    """One sheet for each symbol that has columns of its own."""
    assert kind.wide is not None
    assert kind.shape is not None
    columns = list(grid.columns.values())
    sheets, others = [], []
    for text, fields in kind.wide.symbols.items():
        symbol = canonical(text)
        if symbol is None:
            others.append(text)
            continue
        own = {"Date": columns[kind.wide.time], **{name: columns[at] for name, at in fields.items()}}
        blank = np.logical_and.reduce([_blank(own[name]) for name in kind.shape.fields])
        there: Ints = np.flatnonzero(~blank)
        several = len(kind.wide.symbols) > 1 and bool(blank.any())
        mine = _taken(own, there) if several else own
        sheet = _sheet(place._replace(rows=there) if several else place, kind.shape, mine, (symbol, text))
        sheets.append(sheet._replace(empty=int(blank.sum()) if several else 0))
    _check_twice(place.path, sheets)
    return tuple(sheets), tuple(others)


def _check_twice(path: Path, sheets: Sequence[Sheet]) -> None:
    seen: dict[str, str] = {}
    for sheet in sheets:
        if sheet.symbol in seen:
            raise BadConfig(f"{path}: {seen[sheet.symbol]} and {sheet.written} are both {sheet.symbol}")
        seen[sheet.symbol] = sheet.written


def _taken(columns: Mapping[str, Any], rows: Ints) -> dict[str, Any]:
    import pyarrow as pa

    places = pa.array(rows)
    return {name: column.take(places) for name, column in columns.items()}


def _blank(column: Any) -> Any:
    """Where a column has nothing: empty text, null or NaN."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        blank = pc.equal(column, "")
    elif pa.types.is_floating(column.type):
        blank = pc.is_nan(column)
    else:
        blank = pc.is_null(column)
    return pc.fill_null(blank, True).to_numpy(zero_copy_only=False)


def _any_filled(column: Any) -> bool:
    """Is there a number other than 0?"""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column is None:
        return False
    try:
        values = pc.if_else(_arrow_blank(column), "0", column) if pa.types.is_string(column.type) else column
        return bool(pc.any(pc.not_equal(values.cast(pa.float64()), 0.0)).as_py())
    except pa.ArrowException:
        return True


def _arrow_blank(column: Any) -> Any:
    import pyarrow.compute as pc

    return pc.equal(column, "")


def describe(sheet: Sheet, path: Path, seconds: int, told: Sequence[str]) -> Iterator[str]:
    """What is to be said of a sheet that was read: its shape, and whatever was not plain from the file."""
    bars = "daily bars" if seconds >= DAY else f"bars of {seconds} s"
    parts = [f"{sheet.shape.told} {bars}".strip(), *filter(None, (sheet.shape.prices, *told))]
    if sheet.shape.told or len(parts) > 1:
        yield f"{path}: {sheet.symbol} read as {', '.join(parts)}"
    if sheet.empty:
        yield f"{path}: {sheet.symbol}: {sheet.empty} rows are empty: no bars then"
    if sheet.unplayed:
        yield f"{path}: {sheet.symbol}: {', '.join(sheet.unplayed)} in it not played"
