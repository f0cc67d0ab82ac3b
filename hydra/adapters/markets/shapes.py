"""The shapes in which bars are written, told apart by their columns.

One table has them all: Hydra's own, and what yfinance, alpaca-py, ccxt and freqtrade leave behind when somebody saves what they
returned. A shape says which column is the time, which the symbol, what may stand beside, and what the numbers mean. Nothing
about a file's meaning is guessed from its prices: only columns count, and what they do not tell is said in the notes.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import NamedTuple

FIELDS = ("open", "high", "low", "close", "volume")
INDEX = "__index_level_0__"
"""What a data frame's index is called in Arrow when it has no name."""


class Shape(NamedTuple):
    """One way to write bars.

    ``told`` names who writes it; empty: Hydra itself. ``fields`` are the columns of open, high, low, close and volume. ``extras`` may be there and are not read. ``times`` are the
    names a time column may have, ``symbols`` those of a column of symbols (``needs_symbol``: it must be there). ``any_zone``:
    times may be of any offset. ``dust``: prices were computed, so an open or close may lie outside high and low by a rounding.
    ``prices`` says whether prices are adjusted, ``split`` and ``paid`` that they are for splits and for dividends.
    """

    told: str
    times: tuple[str, ...]
    fields: tuple[str, ...] = FIELDS
    symbols: tuple[str, ...] = ()
    needs_symbol: bool = False
    extras: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    any_zone: bool = True
    dust: bool = False
    prices: str = "the file does not say whether prices are adjusted"
    split: bool = False
    paid: bool = False

    def fits(self, names: frozenset[str]) -> bool:
        """Are these the columns of this shape?"""
        times = [name for name in self.times if name in names]
        symbols = [name for name in self.symbols if name in names]
        if len(times) != 1 or len(symbols) > 1 or (self.needs_symbol and not symbols):
            return False
        rest = names.difference(times, symbols)
        return rest >= self.needs.union(self.fields) and rest <= self.needs.union(self.fields, self.extras)


_YF_FIELDS = ("Open", "High", "Low", "Close", "Volume")
_YF_TIMES = ("Date", "Datetime", "", INDEX)
_YF_EXTRAS = frozenset(("Dividends", "Stock Splits", "Capital Gains", "Repaired?"))

OWN = Shape("", ("timestamp",), any_zone=False, prices="")
OWN_DAYS = Shape("", ("date",), prices="")
BY_SYMBOL = OWN._replace(symbols=("symbol",), needs_symbol=True)
ALPACA = Shape(
    "Alpaca",
    ("timestamp",),
    symbols=("symbol",),
    needs=frozenset(("trade_count", "vwap")),
)
YFINANCE = Shape(
    "yfinance",
    _YF_TIMES,
    _YF_FIELDS,
    symbols=("Ticker", "Symbol"),
    extras=_YF_EXTRAS,
    dust=True,
    prices="prices adjusted for splits and dividends",
    split=True,
    paid=True,
)
YFINANCE_RAW = YFINANCE._replace(
    needs=frozenset(("Adj Close",)),
    prices="prices adjusted for splits, not for dividends (Adj Close is not read)",
    paid=False,
)
CCXT = Shape("ccxt", ("timestamp",), prices="")
"""Rows of milliseconds, open, high, low, close and volume; recognised by their first cells."""
FREQTRADE = Shape("freqtrade", ("date",), prices="")

BAR_SHAPES = (OWN, OWN_DAYS, BY_SYMBOL, ALPACA, YFINANCE, YFINANCE_RAW)
WIDE_SHAPES = (YFINANCE, YFINANCE_RAW)
_WORDS = frozenset((*_YF_FIELDS, "Adj Close", *_YF_EXTRAS))


class Wide(NamedTuple):
    """A table whose columns are fields of several symbols: the time column's place, and each symbol's columns by field."""

    time: int
    symbols: Mapping[str, Mapping[str, int]]


def recognise(names: Sequence[str]) -> Shape | None:
    """The shape with these columns; ``None`` when there is none."""
    if len(set(names)) < len(names):
        return None
    there = frozenset(names)
    for shape in BAR_SHAPES:
        if shape.fits(there):
            return shape
    # A frame saved with its row numbers has a column without a name before the others.
    if names[:1] == [""]:
        return recognise(list(names[1:]))
    return None


def of_wide(wide: Wide) -> Shape | None:
    """The shape that every symbol of a wide table has; ``None`` when they are none or differ."""
    found = {
        next((shape for shape in WIDE_SHAPES if shape.fits(frozenset(("Date", *fields)))), None)
        for fields in wide.symbols.values()
    }
    return found.pop() if len(found) == 1 else None


def wide_rows(rows: Sequence[Sequence[str]]) -> tuple[Wide, int] | None:
    """A wide table's columns and the number of its header rows, from a CSV's first rows; ``None`` when it is none.

    yfinance writes fields over tickers, or tickers over fields, then, where the index has a name, a row with only that name.
    """
    if len(rows) < 2 or len(rows[0]) != len(rows[1]) or len(rows[0]) < 6:
        return None
    pairs = [*zip(rows[0], rows[1], strict=True)]
    wide = _wide({place: pair for place, pair in enumerate(pairs) if place > 0}, 0)
    if wide is None:
        return None
    named = len(rows) > 2 and len(rows[2]) == len(rows[0]) and bool(rows[2][0]) and not any(rows[2][1:])
    return wide, 3 if named else 2


def wide_names(names: Sequence[str]) -> Wide | None:
    """A wide table's columns, from names that are pairs written as text, as Parquet and Arrow have them."""
    pairs: dict[int, tuple[str, str]] = {}
    times: list[int] = []
    for place, name in enumerate(names):
        pair = _pair(name)
        plain = name if pair is None else pair[0] if not pair[1] else ""
        if plain in _YF_TIMES and plain:
            times.append(place)
        elif pair is not None:
            pairs[place] = pair
        else:
            return None
    return _wide(pairs, times[0]) if len(times) == 1 else None


def _pair(name: str) -> tuple[str, str] | None:
    if not name.startswith("("):
        return None
    try:
        found = ast.literal_eval(name)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    if isinstance(found, tuple) and len(found) == 2 and all(isinstance(part, str) for part in found):
        return found[0], found[1]
    return None


def _wide(pairs: Mapping[int, tuple[str, str]], time: int) -> Wide | None:
    """Which half of each pair is the field and which the symbol; ``None`` when neither half is always a field."""
    for half in (0, 1):
        if pairs and all(pair[half] in _WORDS for pair in pairs.values()):
            symbols: dict[str, dict[str, int]] = {}
            for place, pair in pairs.items():
                fields = symbols.setdefault(pair[1 - half], {})
                if not pair[1 - half] or pair[half] in fields:
                    return None
                fields[pair[half]] = place
            return Wide(time, symbols)
    return None
