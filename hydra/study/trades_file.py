"""The trades as a file: a row a trade as the ledger closed it (a leg of a structure is a row), in the order in which they ended.

``.csv`` has decimals and times as text. ``.parquet`` has prices, quantities and dollars as decimals of 38 digits, 18 of them after
the point, and times in microseconds UTC.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from hydra.model.errors import BadConfig
from hydra.model.market import multiplier_of
from hydra.model.money import plain
from hydra.study.record import Closed

COLUMNS = (
    "trade_id", "bot", "symbol", "structure", "side", "quantity", "entry_price", "exit_price", "multiplier", "opened_at",
    "closed_at", "seconds", "fees", "profit", "return", "reason",
)  # fmt: skip
SUFFIXES = (".csv", ".parquet")
_DIGITS, _SCALE = 38, 18
_MONEY = frozenset({"quantity", "entry_price", "exit_price", "multiplier", "fees", "profit"})


def check_trades_path(path: Path) -> None:
    """Raises ``BadConfig`` when no trades could be written there: looked at before the minutes are spent."""
    if path.suffix.lower() not in SUFFIXES:
        raise BadConfig(f"--trades {path}: expected a name that ends in {' or '.join(SUFFIXES)}")
    if path.is_dir():
        raise BadConfig(f"--trades {path}: is a folder, not a file")
    if not path.absolute().parent.is_dir():
        raise BadConfig(f"--trades {path}: there is no folder {path.absolute().parent}")
    if not os.access(path.absolute().parent, os.W_OK):
        raise BadConfig(f"--trades {path}: the folder {path.absolute().parent} cannot be written to")


def write_trades(path: Path, legs: Sequence[Closed]) -> int:
    """Write the trades, the whole file or none of it; how many. Raises ``BadConfig`` as ``check_trades_path``, ``OSError`` else."""
    check_trades_path(path)
    beside = path.with_name(f".{path.name[:80]}.{os.getpid()}.new")
    try:
        if path.suffix.lower() == ".csv":
            _write_csv(beside, legs)
        else:
            _write_parquet(beside, legs)
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    return len(legs)


def rows(legs: Sequence[Closed]) -> Iterator[dict[str, Any]]:
    """Each trade by column. ``return`` is profit over what was paid (or received) to enter; ``None`` when that was nothing."""
    for trade, way in legs:
        multiplier = multiplier_of(trade.symbol)
        entered = trade.entry_price * trade.quantity * multiplier
        yield {
            "trade_id": trade.trade_id,
            "bot": trade.bot,
            "symbol": trade.symbol,
            "structure": trade.structure,
            "side": "long" if way > 0 else "short",
            "quantity": trade.quantity,
            "entry_price": trade.entry_price,
            "exit_price": trade.exit_price,
            "multiplier": multiplier,
            "opened_at": trade.opened_at,
            "closed_at": trade.closed_at,
            "seconds": (trade.closed_at - trade.opened_at).total_seconds(),
            "fees": trade.fees,
            "profit": trade.profit,
            "return": float(trade.profit / entered) if entered else None,
            "reason": trade.reason,
        }


def _write_csv(path: Path, legs: Sequence[Closed]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows(legs):
            writer.writerow([_text(row[name]) for name in COLUMNS])


def _text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if hasattr(value, "isoformat"):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, str) and value[:1] in _FORMULA:
        return "'" + value  # a bot's words must not become a spreadsheet's formula
    return value


_FORMULA = frozenset("=+-@\t\r")


def _write_parquet(path: Path, legs: Sequence[Closed]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    decimal, time = pa.decimal128(_DIGITS, _SCALE), pa.timestamp("us", tz="UTC")
    kinds = {"opened_at": time, "closed_at": time, "seconds": pa.float64(), "return": pa.float64()}
    kinds |= dict.fromkeys(_MONEY, decimal)
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for row in rows(legs):
        for name in COLUMNS:
            value = row[name]
            columns[name].append(round(value, _SCALE) if name in _MONEY else value)
    pq.write_table(pa.table(columns, schema=schema), path)
