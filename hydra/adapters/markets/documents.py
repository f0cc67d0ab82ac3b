"""Bars in JSON: what Alpaca's data API answers, and the rows that ccxt returns.

    {"bars": {"AAPL": [{"t": "2024-01-02T05:00:00Z", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}, ...]}, "next_page_token": null}
    {"bars": [{"t": ...}, ...], "symbol": "AAPL", "next_page_token": null}
    [[1704171600000, 1, 1, 1, 1, 1], ...]

Rows are counted from 1 over the whole document. Numbers keep their digits: none passes through a float.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from hydra.adapters.markets.shapes import ALPACA, CCXT, FIELDS, Shape
from hydra.model.errors import BadConfig

SNIFFED = 4096
"""So many bytes of a document show what it is."""
ALPACA_DOCUMENT = ALPACA._replace(needs=frozenset())
_LETTERS = {"timestamp": "t", "open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}


def sniff(begin: bytes) -> Shape | None:
    """The shape of a document, from its first bytes; ``None`` when it is no market data."""
    squeezed = begin.translate(None, b" \t\r\n\xef\xbb\xbf")
    if squeezed.startswith(b"[["):
        return CCXT
    return ALPACA_DOCUMENT if squeezed.startswith(b"{") and b'"bars":' in squeezed else None


def columns(path: Path, data: bytes) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The columns of a document, as text, and what should be told of it. Raises ``BadConfig`` naming the row."""
    import pyarrow as pa

    try:
        document = msgspec.json.Decoder(float_hook=str).decode(data.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadConfig(f"{path}: not a JSON document, or a damaged one: {error}") from error
    names: tuple[str, ...] = ("timestamp", *FIELDS)
    if isinstance(document, list):
        rows = list(_ccxt_rows(path, document))
    elif isinstance(document, dict) and "bars" in document:
        rows = list(_alpaca_rows(path, document))
        names = ("symbol", *names) if _by_symbol(document) else names
    else:
        raise BadConfig(f'{path}: neither {{"bars": ...}} as from Alpaca nor a list of rows as from ccxt')
    turned = zip(*rows, strict=True) if rows else ((),) * len(names)
    found = {name: pa.array(list(cells), pa.string()) for name, cells in zip(names, turned, strict=True)}
    more = isinstance(document, dict) and document.get("next_page_token")
    return found, ("next_page_token is set, so more bars follow in another page",) if more else ()


def _by_symbol(document: Mapping[str, Any]) -> bool:
    return not isinstance(document["bars"], list) or isinstance(document.get("symbol"), str)


def _ccxt_rows(path: Path, document: list[Any]) -> Iterator[list[str]]:
    for number, row in enumerate(document, 1):
        if not isinstance(row, list) or len(row) != 6:
            what = f"{len(row)} fields" if isinstance(row, list) else "no list"
            raise BadConfig(f"{path}: row {number}: {what}, expected [milliseconds, open, high, low, close, volume]")
        yield [_cell(path, number, each) for each in row]


def _alpaca_rows(path: Path, document: Mapping[str, Any]) -> Iterator[list[str]]:
    bars, single = document["bars"], document.get("symbol")
    groups = bars if isinstance(bars, dict) else {single if isinstance(single, str) else None: bars}
    number = 0
    for symbol, rows in groups.items():
        if not isinstance(rows, list):
            raise BadConfig(f"{path}: bars of {symbol} are no list")
        for row in rows:
            number += 1
            if not isinstance(row, dict):
                raise BadConfig(f"{path}: row {number}: no bar but {str(row)[:60]!r}")
            lacking = [letter for letter in _LETTERS.values() if letter not in row]
            if lacking:
                raise BadConfig(f"{path}: row {number}: a bar without {', '.join(lacking)}")
            cells = [_cell(path, number, row[letter]) for letter in _LETTERS.values()]
            yield cells if symbol is None else [symbol, *cells]


def _cell(path: Path, number: int, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise BadConfig(f"{path}: row {number}: {str(value)[:60]!r} is no number")
