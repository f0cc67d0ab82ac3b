"""Bars that are in memory already: data frames of pandas, polars or pyarrow become series that a feed plays.

    from hydra.adapters.markets.frames import series
    from hydra.adapters.markets.recorded import RecordedFeed

    spy = series(yfinance.download("SPY"), symbol="SPY")
    feed = RecordedFeed.over(spy)
    spy.vectors.numbers          # open, high, low, close, volume as numpy arrays

A frame is whatever hands out Arrow (``__arrow_c_stream__``, as pandas 2.2 and polars do) or the older interchange protocol
(``__dataframe__``); no library of frames is imported here. It is read like a file with the same columns: same shapes, same
checks, same refusals, rows counted from 1. A table of pyarrow does not change, so its numbers are not copied; those of any
other frame are.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets import sheets, tables
from hydra.adapters.markets.columns import check_bars
from hydra.adapters.markets.labels import interval_of
from hydra.adapters.markets.series import Series, bars_of
from hydra.adapters.markets.times import Hours
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import AssetClass, Bar, asset_class_of

_FRAME = Path("frame")


def series(
    frame: Any, *, symbol: str | None = None, interval: str | None = None, calendar: Hours | None = None
) -> Series[Bar]:
    """The bars in a frame, checked.

    ``symbol``: whose they are, like ``SPY`` or ``BTC-USD``; where the frame itself names symbols, which of them (``None``: the only
    one). ``interval``: like ``1min``, ``1h`` or ``1day`` (``None``: as the spacing shows). ``calendar`` tells when exchange days open and
    close (``None``: New York's). Raises ``BadConfig`` naming the row and what is accepted; its ``notes`` say what a file's would.
    """
    seconds = _seconds(interval)
    if symbol is not None:
        _check_symbol(symbol)
    table = _table(frame)
    kind = tables.kind_of(_FRAME, table.column_names)
    if kind.name == tables.TRADES:
        kind = kind._replace(name=tables.BARS)
    if kind.name != tables.BARS:
        raise BadConfig(f"{_FRAME}: holds {kind.name}; only bars are taken from memory")
    parts, _ = sheets.split(_FRAME, kind, tables.Grid(tables.columns_of(_FRAME, table), 1, ""))
    names = [part.symbol for part in parts if part.symbol]
    if names and symbol is None and len(names) > 1:
        raise BadConfig(f"{_FRAME}: holds {', '.join(names[:5])}; say which with symbol=")
    chosen = next((part for part in parts if part.symbol in (symbol, "") or symbol is None), None)
    whose = symbol or (chosen.symbol if chosen is not None else "")
    if chosen is None or not whose:
        have = f"; it holds {', '.join(names[:5])}" if names else ", and the frame does not name it: say symbol="
        raise BadConfig(f"{_FRAME}: no bars of {symbol or 'a symbol'}{have}")
    read = check_bars(chosen, whose, seconds, calendar or ExchangeCalendar(), datetime.now(UTC))
    found = Series(whose, [read.columns], bars_of)
    found.notes = tuple(sheets.describe(chosen._replace(symbol=whose), _FRAME, read.columns.seconds, read.told))
    return found


def _seconds(interval: str | None) -> int:
    if interval is None:
        return 0
    seconds = interval_of(interval)
    if seconds is None:
        raise BadConfig(f"interval {interval!r} is not like 1min, 5min, 1h or 1day")
    return seconds


def _check_symbol(symbol: str) -> None:
    try:
        if asset_class_of(symbol) is AssetClass.OPTION:
            raise BadConfig(f"symbol {symbol} is a contract; bars of shares and pairs are taken")
    except Invalid as error:
        raise BadConfig(str(error)) from error


def _table(frame: Any) -> Any:
    """A frame as an Arrow table."""
    import pyarrow as pa
    import pyarrow.interchange

    if isinstance(frame, pa.Table):
        return frame
    try:
        if hasattr(frame, "__arrow_c_stream__"):
            return _owned(pa.table(frame))
        if hasattr(frame, "__dataframe__"):
            return _owned(pyarrow.interchange.from_dataframe(frame))
    except (pa.ArrowException, ValueError, TypeError, NotImplementedError) as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise BadConfig(f"{_FRAME}: cannot be read as Arrow: {reason}") from error
    raise BadConfig(f"{type(frame).__name__} is no data frame: it has neither __arrow_c_stream__ nor __dataframe__")


def _owned(table: Any) -> Any:
    """The same table with floats of its own: it may look into the memory of a frame that is written to afterwards."""
    import pyarrow as pa

    columns = [
        pa.array(column.to_numpy().copy()) if pa.types.is_floating(column.type) and not column.null_count else column
        for column in table.columns
    ]
    return pa.Table.from_arrays(columns, names=table.column_names)
