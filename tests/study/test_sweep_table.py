"""A sweep's Parquet: every parameter and figure a column of its type, what is not known null."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq

from hydra.study.figures import BOT, WHOLE
from hydra.study.sweep_grid import Axis, Grid
from hydra.study.sweep_rows import Part, Row
from hydra.study.sweep_table import column_names, parquet


def axis(name: str, kind: str, *values: object) -> Axis:
    return Axis(name=name, location=tuple(name.split(".")), values=values, kind=kind)


GRID = Grid(
    (
        axis("bots[a].parameters.fast", "whole", 5, 10),
        axis("risk.risk_per_trade", "number", "0.005", None),
        axis("risk.short", "flag", True),
        axis("market.start", "date", "2025-01-06"),
        axis("bots[a].signal", "text", "sma_cross"),
        axis("bots[a].symbols", "json", ["SPY", "AAPL"]),
    )
)


def table(*rows: Row) -> pa.Table:
    return pq.read_table(io.BytesIO(parquet(rows, GRID, {"policy": "abc"})))


def test_every_parameter_is_a_column_of_its_type() -> None:
    found = table(Row(combination=0), Row(combination=3))
    kinds = {name: str(found.schema.field(name).type) for name in found.column_names}
    assert [kinds[one.name] for one in GRID.axes] == ["int64", "double", "bool", "date32[day]", "string", "string"]
    assert found["bots[a].parameters.fast"].to_pylist() == [5, 10]
    assert found["risk.risk_per_trade"].to_pylist() == [0.005, None]
    assert found["market.start"].to_pylist() == [date(2025, 1, 6)] * 2
    assert found["bots[a].symbols"].to_pylist() == ['["SPY","AAPL"]'] * 2
    assert found.schema.metadata[b"hydra.sweep"] == b'{"policy":"abc"}'


def test_every_figure_is_a_column_of_the_whole_and_by_bot() -> None:
    figures = {
        "profit": "-12.345678901234567890123",
        "sharpe": 1.5,
        "trades": 3,
        "drawdown_peak_at": "2025-01-06T15:00:00Z",
    }
    row = Row(
        combination=1, window=2, part=Part.TEST, since="2025-01-06T05:00:00Z", ended="over", cycles=7, dates=("2025-01-06",),
        returns=(0.1,), year=252, figures=figures, bots={"a": {"profit": "1.5", "win_rate": 0.5}},
    )  # fmt: skip
    found = table(row, Row(combination=0, refused="fast must be below slow"))
    assert found.column_names == column_names(GRID, ["a"])
    assert found.num_columns == 5 + len(GRID.axes) + 4 + len(WHOLE) + len(BOT)
    first, second = found.to_pylist()
    assert first["profit"] == Decimal("-12.345678901234567890")
    assert (first["sharpe"], first["trades"], first["sortino"]) == (1.5, 3, None)
    assert first["drawdown_peak_at"] == datetime(2025, 1, 6, 15, tzinfo=UTC)
    assert (first["a.profit"], first["a.win_rate"]) == (Decimal("1.5"), 0.5)
    assert (first["run"], first["window"], first["part"], first["days"], first["cycles"]) == (1, 2, "test", 1, 7)
    assert first["from"] == datetime(2025, 1, 6, 5, tzinfo=UTC)
    assert (second["refused"], second["window"], second["cycles"], second["profit"]) == (
        "fast must be below slow",
        None,
        None,
        None,
    )


def test_a_sweep_without_a_single_run_is_a_table_without_rows() -> None:
    assert table().num_rows == 0
