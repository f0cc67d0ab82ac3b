"""The runs of a sweep as a Parquet file: a row a run, every parameter a column of its type, and every figure one.

Columns: ``run`` (the combination's number), ``window`` (empty for the whole history), ``part``, ``from`` and ``until``; the parameters by
their key; ``refused`` (why it was not played; empty when it was), ``ended``, ``cycles``, ``days``; the figures by name, those of a bot as
``BOT.FIGURE``. Dollars are decimals of 38 digits, 18 of them after the point; times are microseconds UTC, spans seconds. What
is not known is null. The file says of itself which sweep it is, in its metadata.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from hydra.study.figures import BOT, WHOLE, Figure, Unit
from hydra.study.sweep_grid import Axis, Grid
from hydra.study.sweep_rows import Row

MONEY = frozenset({"equity_start", "equity_end", "profit", "drawdown_dollars", "realized", "fees", "open"})
"""The figures that are decimals; every other amount is a float."""
_DIGITS, _SCALE = 38, 18
_FIRST = ("run", "window", "part", "from", "until")
_THEN = ("refused", "ended", "cycles", "days")


def parquet(rows: Sequence[Row], grid: Grid, of: Mapping[str, Any]) -> bytes:
    """The file's bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    bots = list(dict.fromkeys(bot for row in rows for bot in row.bots))
    columns: list[tuple[str, Any, list[Any]]] = []
    columns += _of_the_run(pa, rows)
    values = [grid.values(row.combination) for row in rows]
    columns += [_parameter(pa, axis, [each[place] for each in values]) for place, axis in enumerate(grid.axes)]
    columns += _of_its_end(pa, rows)
    columns += [_figure(pa, figure, figure.name, [row.figures for row in rows]) for figure in WHOLE]
    for bot in bots:
        mine: list[Mapping[str, Any]] = [row.bots.get(bot, {}) for row in rows]
        columns += [_figure(pa, figure, f"{bot}.{figure.name}", mine) for figure in BOT]
    schema = pa.schema([(name, kind) for name, kind, _ in columns], metadata={b"hydra.sweep": orjson.dumps(of)})
    table = pa.table([pa.array(cells, type=kind) for _, kind, cells in columns], schema=schema)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return bytes(sink.getvalue().to_pybytes())


def column_names(grid: Grid, bots: Iterable[str]) -> list[str]:
    """Every column, in its order."""
    of_bots = [f"{bot}.{figure.name}" for bot in bots for figure in BOT]
    return [*_FIRST, *(axis.name for axis in grid.axes), *_THEN, *(figure.name for figure in WHOLE), *of_bots]


def _of_the_run(pa: Any, rows: Sequence[Row]) -> list[tuple[str, Any, list[Any]]]:
    time = pa.timestamp("us", tz="UTC")
    return [
        ("run", pa.int64(), [row.combination for row in rows]),
        ("window", pa.int64(), [row.window or None for row in rows]),
        ("part", pa.string(), [row.part.value for row in rows]),
        ("from", time, [_moment(row.since) for row in rows]),
        ("until", time, [_moment(row.until) for row in rows]),
    ]


def _of_its_end(pa: Any, rows: Sequence[Row]) -> list[tuple[str, Any, list[Any]]]:
    return [
        ("refused", pa.string(), [row.refused for row in rows]),
        ("ended", pa.string(), [row.ended or None for row in rows]),
        ("cycles", pa.int64(), [None if row.refused else row.cycles for row in rows]),
        ("days", pa.int64(), [None if row.refused else len(row.returns) for row in rows]),
    ]


def _parameter(pa: Any, axis: Axis, values: list[Any]) -> tuple[str, Any, list[Any]]:
    kinds = {"whole": pa.int64(), "number": pa.float64(), "flag": pa.bool_(), "date": pa.date32()}
    cells: dict[str, Callable[[Any], Any]] = {"number": float, "date": date.fromisoformat, "json": _json}
    make = cells.get(axis.kind)
    told = values if make is None else [None if value is None else make(value) for value in values]
    return axis.name, kinds.get(axis.kind, pa.string()), told


def _figure(pa: Any, figure: Figure, name: str, named: Sequence[Mapping[str, Any]]) -> tuple[str, Any, list[Any]]:
    cells = [each.get(figure.name) for each in named]
    if figure.name in MONEY:
        return (
            name,
            pa.decimal128(_DIGITS, _SCALE),
            [None if one is None else round(Decimal(one), _SCALE) for one in cells],
        )
    if figure.unit is Unit.TIME:
        return name, pa.timestamp("us", tz="UTC"), [_moment(one) for one in cells]
    return name, pa.int64() if figure.unit is Unit.COUNT else pa.float64(), cells


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
