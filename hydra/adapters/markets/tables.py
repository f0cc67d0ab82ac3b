"""One file of recorded prices: its bytes, its header, and its cells as Arrow columns or as text.

``peek`` looks at the header only and tells the kind by the columns; ``grid`` has the columns as the file holds them (text in a
CSV, so that no digit is lost), ``read`` every cell as text. Everything that is wrong with a file is a ``BadConfig`` that
names it, and the row where there is one. Rows are counted from 1 and a CSV's header is row 1; what has no header begins with
row 1. The oddity: a CSV is split by Arrow, and only one that Arrow stumbles over, or that has quotes, goes through Python's
slower reader, which knows the row.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from hydra.adapters.markets import documents, shapes
from hydra.adapters.markets.exact import as_text
from hydra.adapters.markets.shapes import Shape, Wide
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import AssetClass, asset_class_of

BAR_COLUMNS = ("timestamp", "open", "high", "low", "close", "volume")
QUOTE_COLUMNS = ("timestamp", "bid", "bid_size", "ask", "ask_size")
CHAIN_COLUMNS = ("timestamp", "symbol", *QUOTE_COLUMNS[1:])
TRADE_COLUMNS = ("timestamp", "symbol", *BAR_COLUMNS[1:])
INTEREST_COLUMNS = ("timestamp", "symbol", "open_interest")
ACTION_COLUMNS = ("kind", "symbol", "ex_date", "old_rate", "new_rate", "cash", "new_symbol", "payable_date")
BARS, QUOTES = "bars", "quotes"
CHAINS, TRADES, INTEREST, ACTIONS = "option quotes", "option trades", "open interest", "corporate actions"
"""The kinds of files whose rows say themselves what they are about."""
SUFFIXES = (".csv", ".csv.gz", ".parquet", ".feather", ".json")
BYTES_MAX = 1 << 30
"""The most a file may hold, uncompressed; more is better split by year."""

_HEADER_MAX = 1 << 20
_HEADER_ROWS = 3
_BLOCK = 1 << 24
_CSV_BLOCK = 1 << 23
_KINDS = {  # columns, in any order, of what is not bars
    frozenset(QUOTE_COLUMNS): QUOTES,
    frozenset(CHAIN_COLUMNS): CHAINS,
    frozenset(TRADE_COLUMNS): TRADES,
    frozenset(INTEREST_COLUMNS): INTEREST,
    frozenset(ACTION_COLUMNS): ACTIONS,
}
_MARKS = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"PK\x03\x04": "a ZIP archive",
}
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
_MILLISECONDS = re.compile(r"\d{13}", re.ASCII)


class Kind(NamedTuple):
    """What a file holds by its columns. ``shape``: in which shape, of bars. ``head``: how many rows of it are its header."""

    name: str
    shape: Shape | None = None
    wide: Wide | None = None
    head: int = 1


class Grid(NamedTuple):
    """A file's content: its columns by name, or by number where names repeat; the first row's number; the SHA-256 of its bytes.

    ``notes`` are what a reader should be told of it.
    """

    columns: dict[str, Any]
    first_row: int
    digest: str
    notes: tuple[str, ...] = ()


class Table(NamedTuple):
    """A file's content as text."""

    columns: dict[str, list[str]]
    first_row: int
    digest: str


def is_data(path: Path) -> bool:
    """Does the name end like a file that can be read here?"""
    return path.name.lower().endswith(SUFFIXES)


def peek(path: Path) -> Kind | None:
    """The kind of a file, from its header. ``None``: a JSON document that is no market data."""
    with _readable(path):
        _check_size(path, path.stat().st_size)
        if _is_arrow(path):
            return kind_of(path, _arrow_names(path))
        with _opened(path) as file:
            if path.suffix.lower() == ".json":
                shape = documents.sniff(file.read(documents.SNIFFED))
                return None if shape is None else Kind(BARS, shape, head=0)
            return _kind_of_lines(path, [file.readline(_HEADER_MAX) for _ in range(_HEADER_ROWS)])


def grid(path: Path) -> Grid:
    """All of a file, in columns."""
    with _readable(path):
        _check_size(path, path.stat().st_size)
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if path.suffix.lower() == ".json":
            columns, notes = documents.columns(path, data)
            return Grid(columns, 1, digest, notes)
        if _is_arrow(path):
            return Grid(_arrow_columns(path, data), 1, digest)
        if path.suffix.lower() == ".gz":
            data = _inflated(path, data)
        _check_text(path, data)
        lines = io.BytesIO(data)
        kind = _kind_of_lines(path, [lines.readline(_HEADER_MAX) for _ in range(_HEADER_ROWS)])
        return Grid(_csv(path, data, kind), kind.head + 1, digest)


def read(path: Path) -> Table:
    """All of a file, as text."""
    return as_table(grid(path))


def as_table(grid: Grid) -> Table:
    """A grid as text."""
    texts = {name: as_text(column).to_pylist() for name, column in grid.columns.items()}
    return Table(texts, grid.first_row, grid.digest)


def kind_of(path: Path, names: Sequence[str]) -> Kind:
    """The kind with these columns. Raises ``BadConfig`` when there is none."""
    there = frozenset(names) if len(set(names)) == len(names) else frozenset()
    if there in _KINDS:
        return Kind(_KINDS[there], shapes.BY_SYMBOL if _KINDS[there] == TRADES else None)
    shape = shapes.recognise(names)
    if shape is not None:
        return Kind(BARS, shape)
    wide = shapes.wide_names(names)
    shape = None if wide is None else shapes.of_wide(wide)
    if shape is not None:
        return Kind(BARS, shape, wide)
    raise _unknown(path, names)


def _unknown(path: Path, names: Sequence[str]) -> BadConfig:
    shown = ",".join(names)[:120]
    if "ex_date" in names:
        return BadConfig(f"{path}: row 1: columns {shown!r}; corporate actions have {','.join(ACTION_COLUMNS)}")
    lower = {name.lower() for name in names}
    lacks = [name for name in shapes.FIELDS if name not in lower]
    hint = f"; {', '.join(lacks)} missing" if 0 < len(lacks) < len(shapes.FIELDS) else ""
    if len(names) == 1:
        mark = next((mark for mark in _SEPARATORS if mark in shown), None)
        hint = "" if mark is None else f"; fields are separated by {_SEPARATORS[mark]}, expected commas"
    return BadConfig(
        f"{path}: row 1: columns {shown!r}; bars have {','.join(BAR_COLUMNS)} and quotes have {','.join(QUOTE_COLUMNS)}, "
        f"those of options a symbol besides; bars of yfinance, Alpaca, ccxt and freqtrade are read as they were saved{hint}"
    )


def _kind_of_lines(path: Path, lines: Sequence[bytes]) -> Kind:
    """The kind of a CSV from its first lines."""
    _check_text(path, lines[0])
    if not lines[0].strip():
        raise BadConfig(f"{path}: empty; expected a header such as {','.join(BAR_COLUMNS)}")
    rows = [_fields(lines[0].decode("utf-8-sig")), *(_fields(line.decode(errors="replace")) for line in lines[1:])]
    if len(rows[0]) == len(shapes.FIELDS) + 1 and _MILLISECONDS.fullmatch(rows[0][0]):
        return Kind(BARS, shapes.CCXT, head=0)
    found = shapes.wide_rows(rows)
    shape = None if found is None else shapes.of_wide(found[0])
    if found is not None and shape is not None:
        return Kind(BARS, shape, found[0], found[1])
    kind = kind_of(path, rows[0])
    if kind.name == TRADES and len(rows[1]) == len(rows[0]) and not _is_option(rows[1][rows[0].index("symbol")]):
        return kind._replace(name=BARS)
    return kind


def _fields(line: str) -> list[str]:
    return next(csv.reader([line]), [])


def _is_option(symbol: str) -> bool:
    """Is this an option's symbol, or none at all (which is then refused as such)?"""
    try:
        return asset_class_of(symbol.replace("/", "-")) is AssetClass.OPTION
    except Invalid:
        return True


def _check_size(path: Path, size: int) -> None:
    if size > BYTES_MAX:
        raise BadConfig(f"{path}: {size:,} bytes, more than {BYTES_MAX >> 20} MiB; split it by year")


def _check_text(path: Path, data: bytes) -> None:
    name = next((name for mark, name in _MARKS.items() if data.startswith(mark)), None)
    if name is not None:
        raise BadConfig(f"{path}: not a text file: it is {name}; save it as UTF-8")


def _inflated(path: Path, data: bytes) -> bytes:
    """The content of gzip bytes. Read in blocks: asking for all at once reserves all there may be."""
    blocks: list[bytes] = []
    size = 0
    with gzip.open(io.BytesIO(data)) as file:
        while block := file.read(_BLOCK):
            size += len(block)
            if size > BYTES_MAX:
                raise BadConfig(f"{path}: more than {BYTES_MAX >> 20} MiB when unpacked; split it by year")
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
        row = bytes(error.object[: error.start]).count(b"\n") + 1
        raise BadConfig(f"{path}: not a text file: byte {error.start} (row {row}) is no UTF-8") from error
    except csv.Error as error:
        raise BadConfig(f"{path}: not a CSV file: {error}") from error


def _csv(path: Path, data: bytes, kind: Kind) -> dict[str, Any]:
    """The columns of a CSV, as text."""
    import pyarrow as pa
    import pyarrow.csv

    names = next(csv.reader([data[: data.find(b"\n") + 1 or None].decode("utf-8-sig")]))
    keys = _keys(names, kind)
    if b'"' not in data:
        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(data),
                pyarrow.csv.ReadOptions(skip_rows=kind.head, column_names=keys, block_size=_CSV_BLOCK),
                pyarrow.csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
                pyarrow.csv.ConvertOptions(
                    column_types=dict.fromkeys(keys, pa.string()),
                    strings_can_be_null=False,
                    check_utf8=not data.isascii(),
                ),
            )
            return {name: _whole(table.column(name)) for name in keys}
        except pa.ArrowException:
            pass  # the row is found below
    reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
    rows = list(reader)[kind.head :]
    for number, row in enumerate(rows, kind.head + 1):
        if len(row) != len(keys):
            raise BadConfig(f"{path}: row {number}: {len(row)} fields, expected {len(keys)} ({','.join(names)[:200]})")
    columns = zip(*rows, strict=True) if rows else ((),) * len(keys)
    return {name: pa.array(list(cells), pa.string()) for name, cells in zip(keys, columns, strict=True)}


def _keys(names: Sequence[str], kind: Kind) -> list[str]:
    """What the columns of a CSV are called: their names, or numbers where names repeat or there are none."""
    if kind.head == 0:
        return list(BAR_COLUMNS)
    return list(map(str, range(len(names)))) if kind.wide is not None else list(names)


def _whole(column: Any) -> Any:
    """A column in one piece."""
    import pyarrow as pa

    if isinstance(column, pa.Array):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)  # what is not put together is not copied
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def columns_of(path: Path, table: Any) -> dict[str, Any]:
    """The columns of an Arrow table. Raises ``BadConfig`` for columns that are no data's."""
    kind = kind_of(path, table.column_names)
    keys = _keys(table.column_names, kind)
    return {key: _decoded(_whole(column)) for key, column in zip(keys, table.columns, strict=True)}


def _decoded(column: Any) -> Any:
    """A column that is stored as places in a dictionary, as what they stand for."""
    import pyarrow as pa

    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _is_arrow(path: Path) -> bool:
    return path.suffix.lower() in (".parquet", ".feather")


@contextmanager
def _arrow(path: Path) -> Iterator[None]:
    import pyarrow as pa

    format_name = "Parquet" if path.suffix.lower() == ".parquet" else "Feather"
    try:
        yield
    except pa.ArrowException as error:
        reason = (str(error).splitlines() or ["no reason given"])[0]
        raise BadConfig(f"{path}: not a {format_name} file, or a damaged one: {reason}") from error
    except (OverflowError, ValueError) as error:
        raise BadConfig(f"{path}: holds what cannot be read: {error}") from error


def _arrow_names(path: Path) -> list[str]:
    import pyarrow.ipc
    import pyarrow.parquet

    with _arrow(path):
        if path.suffix.lower() == ".parquet":
            return list(pyarrow.parquet.read_schema(path).names)
        return list(pyarrow.ipc.open_file(path).schema.names)


def _arrow_columns(path: Path, data: bytes) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.ipc
    import pyarrow.parquet

    with _arrow(path):
        if path.suffix.lower() != ".parquet":
            stored = pyarrow.ipc.open_file(pa.BufferReader(data))
            return columns_of(path, pa.Table.from_batches(_batches(path, stored), stored.schema))
        file = pyarrow.parquet.ParquetFile(pa.BufferReader(data))
        groups = (file.metadata.row_group(index) for index in range(file.metadata.num_row_groups))
        cells = 8 * file.metadata.num_rows * file.metadata.num_columns  # what repeats takes no room in the file
        _check_size(path, max(sum(group.total_byte_size for group in groups), cells))
        return columns_of(path, file.read())


def _batches(path: Path, stored: Any) -> Iterator[Any]:
    size = 0
    for index in range(stored.num_record_batches):
        batch = stored.get_batch(index)
        size += batch.nbytes
        _check_size(path, size)
        yield batch
