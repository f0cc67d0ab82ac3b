"""One file of recorded prices, read as text and told apart by its columns.

``peek`` looks at the header only; ``read`` returns every cell as text, whatever the format, so that the same checks and
the same exact decimals follow for CSV, CSV.gz and Parquet. Everything that is wrong with a file is a ``BadConfig`` that
names it, and the row where there is one. Rows are counted from 1 and a CSV's header is row 1; Parquet has no header.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from hydra.model.errors import BadConfig

BAR_COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
QUOTE_COLUMNS = ("timestamp", "bid", "bid_size", "ask", "ask_size")
CHAIN_COLUMNS = ("timestamp", "symbol", *QUOTE_COLUMNS[1:])
TRADE_COLUMNS = ("timestamp", "symbol", *BAR_COLUMNS[1:])
INTEREST_COLUMNS = ("timestamp", "symbol", "open_interest")
ACTION_COLUMNS = ("kind", "symbol", "ex_date", "old_rate", "new_rate", "cash", "new_symbol", "payable_date")
CHAINS, TRADES, INTEREST, ACTIONS = "option quotes", "option trades", "open interest", "corporate actions"
"""The kinds of files whose rows say themselves what they are about."""
SUFFIXES = (".csv", ".csv.gz", ".parquet")
BYTES_MAX = 1 << 30
"""The most a file may hold, uncompressed; more is better split by year."""

_HEADER_MAX = 4096
_BLOCK = 1 << 24
_UTC_NAMES = frozenset(("UTC", "Etc/UTC", "Z", "+00:00"))
_KINDS = {  # columns, in any order: the kind, and why it is not played (empty: it is)
    frozenset(BAR_COLUMNS): ("bars", ""),
    frozenset(QUOTE_COLUMNS): ("quotes", ""),
    frozenset(("date", *BAR_COLUMNS[1:])): ("daily bars", "a day's bar says nothing of the minutes that are played"),
    frozenset(CHAIN_COLUMNS): (CHAINS, ""),
    frozenset(TRADE_COLUMNS): (TRADES, ""),
    frozenset(INTEREST_COLUMNS): (INTEREST, ""),
    frozenset(ACTION_COLUMNS): (ACTIONS, ""),
}
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
_NAME = re.compile(r"(?P<symbol>.+?)-(?P<count>[1-9]\d{0,4})(?P<unit>sec|s|min|m|hour|h|day|d)(-\d{8}(-\d{8})?)?")


class Kind(NamedTuple):
    """What a file holds by its columns. ``unused`` says why such files are not played; empty: they are."""

    name: str
    unused: str


class Label(NamedTuple):
    """What a file's name says: ``SPY-1min-20131007-20131011.csv`` is SPY in intervals of 60 seconds."""

    symbol: str
    seconds: int


class Table(NamedTuple):
    """A file's content: its columns as text, the number of its first row, and the SHA-256 of its bytes."""

    columns: dict[str, list[str]]
    first_row: int
    digest: str


def is_data(path: Path) -> bool:
    """Does the name end like a file that can be read here?"""
    return path.name.lower().endswith(SUFFIXES)


def label(path: Path) -> Label | None:
    """Symbol and interval in a file's name; ``None`` when the name says neither."""
    stem = path.name
    for suffix in (".gz", ".csv", ".parquet"):
        stem = stem[: -len(suffix)] if stem.lower().endswith(suffix) else stem
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    return Label(match["symbol"], int(match["count"]) * _SECONDS[match["unit"]])


def peek(path: Path) -> Kind:
    """The kind of a file, from its header."""
    with _readable(path):
        if path.suffix.lower() == ".parquet":
            names = _parquet_names(path)
        else:
            with _opened(path) as file:
                names = _header(path, file.readline(_HEADER_MAX))
    return _kind(path, names)


def read(path: Path) -> Table:
    """All of a file, as text."""
    with _readable(path):
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if path.suffix.lower() == ".parquet":
            return Table(_parquet(path, data), 1, digest)
        if path.suffix.lower() == ".gz":
            data = _inflated(data)
        if len(data) > BYTES_MAX:
            raise BadConfig(f"{path}: more than {BYTES_MAX >> 20} MiB; split it by year")
        return Table(_csv(path, data), 2, digest)


def _inflated(data: bytes) -> bytes:
    """The content of gzip bytes, as far as it may matter. Read in blocks: asking for all at once reserves all there may be."""
    blocks: list[bytes] = []
    with gzip.open(io.BytesIO(data)) as file:
        while sum(map(len, blocks)) <= BYTES_MAX and (block := file.read(_BLOCK)):
            blocks.append(block)
    return b"".join(blocks)


def _opened(path: Path) -> Any:
    return gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Whatever reading can raise becomes a refusal that names the file."""
    try:
        yield
    except EOFError as error:
        raise BadConfig(f"{path}: the compressed file is cut off") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise BadConfig(f"{path}: not a gzip file, or a damaged one: {error}") from error
    except OSError as error:
        raise BadConfig(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise BadConfig(f"{path}: not a text file: byte {error.start} is no UTF-8") from error
    except csv.Error as error:
        raise BadConfig(f"{path}: not a CSV file: {error}") from error


def _header(path: Path, line: bytes) -> list[str]:
    if not line.strip():
        raise BadConfig(f"{path}: empty; expected a header such as {','.join(BAR_COLUMNS)}")
    return next(csv.reader([line.decode("utf-8-sig")]))


def _kind(path: Path, names: list[str]) -> Kind:
    found = _KINDS.get(frozenset(names)) if len(set(names)) == len(names) else None
    if found is not None:
        return Kind(*found)
    shown = ",".join(names)[:120]
    if "ex_date" in names:
        raise BadConfig(f"{path}: row 1: columns {shown!r}; corporate actions have {','.join(ACTION_COLUMNS)}")
    raise BadConfig(
        f"{path}: row 1: columns {shown!r}; bars have {','.join(BAR_COLUMNS)} and quotes have {','.join(QUOTE_COLUMNS)}, "
        "those of options a symbol besides"
    )


def _csv(path: Path, data: bytes) -> dict[str, list[str]]:
    text = data.decode("utf-8-sig")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    names = next(reader, [])
    _kind(path, names)
    width = len(names)
    rows = list(reader)
    for number, row in enumerate(rows, 2):
        if len(row) != width:
            raise BadConfig(f"{path}: row {number}: {len(row)} fields, expected {width} ({','.join(names)})")
    columns: Iterable[tuple[str, ...]] = zip(*rows, strict=True) if rows else ((),) * width
    return {name: list(cells) for name, cells in zip(names, columns, strict=True)}


@contextmanager
def _arrow(path: Path) -> Iterator[None]:
    import pyarrow as pa

    try:
        yield
    except pa.ArrowException as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise BadConfig(f"{path}: not a Parquet file, or a damaged one: {reason}") from error
    except (OverflowError, ValueError) as error:
        raise BadConfig(f"{path}: holds what cannot be read: {error}") from error


def _parquet_names(path: Path) -> list[str]:
    import pyarrow.parquet

    with _arrow(path):
        return list(pyarrow.parquet.read_schema(path).names)


def _parquet(path: Path, data: bytes) -> dict[str, list[str]]:
    import pyarrow.parquet

    with _arrow(path):
        table = pyarrow.parquet.read_table(pyarrow.BufferReader(data))
        _kind(path, table.column_names)
        return {name: _texts(path, name, table.column(name)) for name in table.column_names}


def _texts(path: Path, name: str, column: Any) -> list[str]:
    """A column's cells as the text a CSV would hold; a null is empty.

    A float becomes its shortest decimal; numpy keeps 32-bit floats short where a Python float would show their tail.
    """
    import pyarrow as pa

    kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.tz not in _UTC_NAMES:
            raise BadConfig(f"{path}: column {name}: times are {kind.tz or 'naive'}, expected UTC")
        cells = column.cast(pa.timestamp("us", "UTC")).to_pylist()
        return ["" if at is None else at.isoformat() for at in cells]
    if pa.types.is_floating(kind):
        pairs = zip(column.to_numpy(), column.is_null().to_pylist(), strict=True)
        return ["" if null else str(number) for number, null in pairs]
    return ["" if cell is None else str(cell) for cell in column.to_pylist()]
