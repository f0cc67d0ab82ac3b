"""The trades as files, and the study as a document."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hydra.model.errors import BadConfig
from hydra.model.orders import Purpose, Side
from hydra.study.document import document
from hydra.study.figures import BOT, WHOLE
from hydra.study.study import study
from hydra.study.trades_file import COLUMNS, check_trades_path, write_trades
from tests.study.tape import Tape, recorded, voyage
from tests.study.test_by_hand import two_trades


def test_a_row_of_the_csv_is_a_trade_to_the_last_digit(tmp_path: Path) -> None:
    done = study(two_trades().recorder)
    assert write_trades(tmp_path / "trades.csv", done.legs) == 1
    (row,) = csv.DictReader((tmp_path / "trades.csv").open(encoding="utf-8"))
    assert tuple(row) == COLUMNS
    assert {name: row[name] for name in COLUMNS[1:10]} == {
        "bot": "buyer", "symbol": "SPY", "structure": "", "side": "long", "quantity": "10", "entry_price": "100", "exit_price": "101",
        "multiplier": "1", "opened_at": "2024-03-04T14:32:00Z",
    }  # fmt: skip
    assert (row["seconds"], row["fees"], row["profit"], row["return"]) == ("120.0", "2", "8", "0.008")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["trades.csv"]


def test_the_parquet_file_has_the_same_rows(tmp_path: Path) -> None:
    done = study(recorded(voyage(505)))
    assert len(done.legs) > 5
    for name in ("t.csv", "t.parquet"):
        write_trades(tmp_path / name, done.legs)
    rows = pq.read_table(tmp_path / "t.parquet").to_pylist()
    told = list(csv.DictReader((tmp_path / "t.csv").open(encoding="utf-8")))
    assert len(rows) == len(told) == len(done.legs)
    for row, line in zip(rows, told, strict=True):
        assert abs(row["profit"] - Decimal(line["profit"])) < Decimal("1e-15")
        assert row["opened_at"].isoformat().replace("+00:00", "Z") == line["opened_at"]
        assert (row["bot"], row["side"], row["reason"]) == (line["bot"], line["side"], line["reason"])


def test_without_a_trade_the_files_have_their_columns(tmp_path: Path) -> None:
    for name in ("t.csv", "t.parquet"):
        assert write_trades(tmp_path / name, ()) == 0
    assert (tmp_path / "t.csv").read_text(encoding="utf-8") == ",".join(COLUMNS) + "\n"
    assert tuple(pq.read_table(tmp_path / "t.parquet").column_names) == COLUMNS


def test_a_bots_words_never_become_a_formula(tmp_path: Path) -> None:
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    bought = tape.order(Side.BUY, "1", "SPY", Purpose.ENTRY, bot="=cmd()")
    tape.look("10000", fills=(tape.fill(bought, "100"),))
    sold = tape.order(Side.SELL, "1", "SPY", Purpose.EXIT, bot="=cmd()")
    tape.look("10000", fills=(tape.fill(sold, "100"),))
    write_trades(tmp_path / "t.csv", study(tape.recorder).legs)
    (row,) = csv.DictReader((tmp_path / "t.csv").open(encoding="utf-8"))
    assert row["bot"] == "'=cmd()"


@pytest.mark.parametrize(
    ("name", "why"), [("t.xlsx", r"ends in \.csv or \.parquet"), ("no/t.csv", "there is no folder"), ("t", "ends in")]
)
def test_where_no_trades_can_be_written_is_refused_by_name(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(BadConfig, match=why):
        check_trades_path(tmp_path / name)
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(BadConfig, match="is a folder"):
        check_trades_path(tmp_path / "folder.csv")


def test_the_document_is_json_and_names_every_figure() -> None:
    done = study(two_trades().recorder)
    told = json.loads(json.dumps(document(done), allow_nan=False))
    assert set(told["figures"]) == {figure.name for figure in WHOLE}
    assert set(told["bots"][0]) == {"bot", *(figure.name for figure in BOT)}
    assert (told["figures"]["profit"], told["figures"]["sharpe"], told["figures"]["drawdown_length"]) == (
        "17",
        None,
        120.0,
    )
    assert told["period"] == {
        "from": "2024-03-04T14:31:00Z", "to": "2024-03-04T14:35:00Z", "days": 1, "first_day": "2024-03-04", "last_day": "2024-03-04",
        "basis": "exchange days", "looks": 5, "passed_over": 0,
    }  # fmt: skip
    assert told["made_by"][0]["policy_hash"] == "a" * 64


def test_the_document_of_nothing_is_json_too() -> None:
    told = json.loads(json.dumps(document(study(Tape().recorder)), allow_nan=False))
    assert told["period"]["from"] is None
    assert told["bots"] == []
