"""The blackout file: what it may say, and that one wrong row refuses it by name."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.bootstrap.blackouts import ROWS_MAX, read_blackouts
from hydra.model.errors import BadConfig
from hydra.policy import Blackout

GOOD = "date,symbols,reason\n2024-06-12,,the central bank decides\n2024-07-30,MSFT BTC-USD,earnings\n"
READ = (
    Blackout(day=date(2024, 6, 12), reason="the central bank decides"),
    Blackout(day=date(2024, 7, 30), symbols=("MSFT", "BTC-USD"), reason="earnings"),
)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "blackouts.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.rstrip("\n"),
        "\n" + GOOD.replace("\n", "\n\n"),
        "date, symbols ,reason\n 2024-06-12 , ,the central bank decides\n2024-07-30,  MSFT   BTC-USD ,earnings\n",
        GOOD.replace("earnings", '"earnings"'),
    ],
    ids=["plain", "crlf", "bom", "no last newline", "blank lines", "blanks", "quotes"],
)
def test_a_file_is_read_however_it_was_saved(tmp_path: Path, text: str) -> None:
    assert read_blackouts(written(tmp_path, text)) == READ


def test_a_header_alone_blacks_out_nothing(tmp_path: Path) -> None:
    assert read_blackouts(written(tmp_path, "date,symbols,reason\n")) == ()


def test_a_contract_and_a_quoted_comma_are_fine(tmp_path: Path) -> None:
    [one] = read_blackouts(written(tmp_path, 'date,symbols,reason\n2015-12-24,GOOG151231C00750000,"half day, thin"\n'))
    assert (one.symbols, one.reason) == (("GOOG151231C00750000",), "half day, thin")


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", None, "empty"),
        ("\n\r\n  \n", None, "empty"),
        ("2024-06-12,,no header\n", 1, "expected date,symbols,reason"),
        ("day,symbols,reason\n", 1, "expected date,symbols,reason"),
        ("date;symbols;reason\n", 1, "expected date,symbols,reason"),
        ("date,symbols,reason\n2024-6-12,,x\n", 2, "date '2024-6-12'"),
        ("date,symbols,reason\n20240612,,x\n", 2, "date '20240612'"),
        ("date,symbols,reason\n2024-W24-3,,x\n", 2, "date '2024-W24-3'"),
        ("date,symbols,reason\n12/06/2024,,x\n", 2, "date '12/06/2024'"),
        ("date,symbols,reason\n2024-02-30,,x\n", 2, "date '2024-02-30'"),
        ("date,symbols,reason\n\u0662\u0660\u0662\u0664-06-12,,x\n", 2, "expected a day"),
        ("date,symbols,reason\n0001-01-01,,x\n", 2, "from 1990 to 2199"),
        ("date,symbols,reason\nNaN,,x\n", 2, "date 'NaN'"),
        ("date,symbols,reason\n,SPY,x\n", 2, "date ''"),
        ("date,symbols,reason\n2024-06-12,spy,x\n", 2, "not a symbol: 'spy'"),
        ("date,symbols,reason\n2024-06-12,*,x\n", 2, "not a symbol: '*'"),
        ("date,symbols,reason\n2024-06-12,SPY;AAPL,x\n", 2, "not a symbol"),
        ("date,symbols,reason\n2024-06-12,SPY SPY,x\n", 2, "names one twice"),
        ("date,symbols,reason\n2024-06-12,SPY,AAPL,x\n", 2, "4 cells"),
        ("date,symbols,reason\n2024-06-12\n", 2, "1 cells"),
        ("date,symbols,reason\n2024-06-12,,ok\n\n2024-13-01,,x\n", 4, "date '2024-13-01'"),
        ('date,symbols,reason\n2024-06-12,,"two\nlines"\n', 3, "one line"),
        ('date,symbols,reason\n2024-06-12,,"open\n', 2, "not CSV"),
        ("date,symbols,reason\n2024-06-12,," + "x" * 201 + "\n", 2, "at most 200"),
        ("date,symbols,reason\n2024-06-12,," + "x" * 200_000 + "\n", 2, "not CSV"),
        ("date,symbols,reason\n2024-06-12,,a\0b\n", 2, "reason"),
    ],
)
def test_a_wrong_row_is_refused_with_its_file_and_line(tmp_path: Path, text: str, line: int | None, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadConfig) as refused:
        read_blackouts(path)
    where = f"{path}: " if line is None else f"{path}, line {line}: "
    assert str(refused.value).startswith(where)
    assert told in str(refused.value)
    assert len(str(refused.value)) < 400


def test_every_wrong_row_is_told_at_once_up_to_a_screenful(tmp_path: Path) -> None:
    path = written(tmp_path, "date,symbols,reason\n" + "x,,\n" * 25)
    with pytest.raises(BadConfig) as refused:
        read_blackouts(path)
    lines = str(refused.value).splitlines()
    assert (len(lines), lines[-1]) == (21, f"{path}: and 5 more problems")


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    for path, told in ((tmp_path / "none.csv", "no such file"), (tmp_path, "a folder")):
        with pytest.raises(BadConfig, match=told):
            read_blackouts(path)
    with pytest.raises(BadConfig, match="not UTF-8"):
        read_blackouts(written(tmp_path, b"date,symbols,reason\n2024-06-12,,\xff\n"))
    with pytest.raises(BadConfig, match="larger than"):
        read_blackouts(written(tmp_path, GOOD + "\n" * 1024 * 1024))
    with pytest.raises(BadConfig, match=f"more than {ROWS_MAX} rows"):
        read_blackouts(written(tmp_path, "date,symbols,reason\n" + "2024-06-12,,\n" * (ROWS_MAX + 1)))


@given(
    text=st.text(max_size=60)
    | st.lists(st.text('2024-06,SPY "\n', max_size=12)).map(lambda rows: "date,symbols,reason\n" + "\n".join(rows))
)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = written(tmp_path_factory.getbasetemp(), text.encode("utf-8", "surrogatepass"))
    told = ""
    try:
        read = read_blackouts(path)
    except BadConfig as refused:
        read, told = (), str(refused)
    assert all(type(one) is Blackout for one in read)
    assert told.startswith(str(path)) or not told
