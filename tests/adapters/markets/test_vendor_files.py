"""Files as yfinance, Alpaca, ccxt and freqtrade leave them behind are read as they are, and it is said as what."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets.frames import series
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.model.errors import BadConfig
from hydra.model.market import Bar

GOLDEN = Path(__file__).parent / "golden"
EVER = (datetime(1980, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
CALENDAR = ExchangeCalendar()
ADJUSTED = "prices adjusted for splits and dividends"
UNSAID = "the file does not say whether prices are adjusted"
BY_NAME = "symbol by the file's name"


def opened(*paths: Path, **options: Any) -> RecordedFeed:
    return RecordedFeed.open(paths, calendar=CALENDAR, **options)


def bars_of(feed: RecordedFeed) -> list[tuple[str, str, int, str, str]]:
    """Symbol, opening, seconds, open and volume of every bar."""
    rows = sorted(feed.bars(*EVER), key=lambda bar: (bar.symbol, bar.at))
    return [
        (bar.symbol, f"{bar.at:%m-%d %H:%M}", bar.seconds, f"{bar.open.normalize():f}", f"{bar.volume.normalize():f}")
        for bar in rows
    ]


DAYS = {
    "AAPL": [
        ("AAPL", "07-02 13:30", 23400, "20.5", "1000"),
        ("AAPL", "07-03 13:30", 12600, "21.25", "500"),  # the exchange closed early
    ],
    "MSFT": [("MSFT", "07-02 13:30", 23400, "40", "100"), ("MSFT", "07-03 13:30", 12600, "40.5", "110")],
    "QQQ": [("QQQ", "07-02 13:30", 23400, "480", "1000"), ("QQQ", "07-03 13:30", 12600, "481", "900")],
}
MINUTES = {
    "AAPL": [("AAPL", "07-02 13:30", 60, "20.5", "1000"), ("AAPL", "07-02 13:31", 60, "21.25", "500")],
    "MSFT": [("MSFT", "07-02 13:30", 60, "40", "100"), ("MSFT", "07-02 13:31", 60, "40.5", "110")],
    "BTC-USD": [
        ("BTC-USD", "07-02 00:00", 60, "62000.5", "0.125"),
        ("BTC-USD", "07-02 00:01", 60, "62050.25", "0.5"),
    ],
    "BTC-USDT": [
        ("BTC-USDT", "07-02 00:00", 60, "62000.5", "0.125"),
        ("BTC-USDT", "07-02 00:01", 60, "62050.25", "0.00001"),
    ],
}
SPACED = "by the spacing"


@pytest.mark.parametrize(
    ("name", "rows", "notes"),
    [
        (
            "yfinance-download.csv",
            [
                ("AAPL", "07-02 13:30", 23400, "20.5", "1000"),
                ("AAPL", "07-03 13:30", 12600, "21.399999618530273", "500"),
                ("AAPL", "07-05 13:30", 23400, "22.100000381469727", "1500"),
            ],
            [f"AAPL read as yfinance daily bars, {ADJUSTED}"],
        ),
        (
            "yfinance-download-many.csv",
            [
                ("AAPL", "07-05 13:30", 23400, "20.75", "1000"),
                ("AAPL", "07-08 13:30", 23400, "21.5", "1100"),
                ("BRK.B", "07-05 13:30", 23400, "400", "300"),
                ("BRK.B", "07-08 13:30", 23400, "400.5", "310"),
                ("BTC-USD", "07-05 00:00", 86400, "55500", "25000000"),
                ("BTC-USD", "07-06 00:00", 86400, "56000.5", "21000000"),
                ("BTC-USD", "07-07 00:00", 86400, "57000", "20000000"),
                ("BTC-USD", "07-08 00:00", 86400, "56500", "26000000"),
            ],
            [
                f"BRK.B read as yfinance daily bars, {ADJUSTED}, written BRK-B",
                "AAPL: 2 rows are empty: no bars then",
                "BRK.B: 2 rows are empty: no bars then",
            ],
        ),
        ("yfinance-grouped.csv", DAYS["AAPL"] + DAYS["MSFT"], [f"MSFT read as yfinance daily bars, {ADJUSTED}"]),
        (
            "yfinance-older.csv",
            DAYS["AAPL"] + DAYS["MSFT"],
            ["AAPL read as yfinance daily bars, prices adjusted for splits, not for dividends"],
        ),
        (
            "SPY.csv",
            [
                ("SPY", "03-07 14:30", 23400, "500.5", "1000"),
                ("SPY", "03-08 14:30", 23400, "502", "1200"),
                ("SPY", "03-11 13:30", 23400, "500.25", "900"),  # the clock went forward between
            ],
            [f"SPY read as yfinance daily bars, {ADJUSTED}, {BY_NAME}", "SPY: Dividends in it not played"],
        ),
        (
            "AAPL_5m.csv",
            [
                ("AAPL", "07-02 13:30", 300, "20.5", "1000"),
                ("AAPL", "07-02 13:35", 300, "21.25", "500"),
                ("AAPL", "07-02 13:45", 300, "22", "700"),
            ],
            [f"AAPL read as yfinance bars of 300 s, {ADJUSTED}, {BY_NAME}"],
        ),
        (
            "MSFT.csv",
            DAYS["MSFT"],
            ["MSFT read as yfinance daily bars, prices adjusted for splits, not for dividends (Adj Close is not read)"],
        ),
        (
            "alpaca-bars.csv",
            MINUTES["AAPL"] + MINUTES["BTC-USD"],
            [
                f"AAPL read as Alpaca bars of 60 s, {UNSAID}, intervals of 60 s {SPACED}",
                f"BTC-USD read as Alpaca bars of 60 s, {UNSAID}, written BTC/USD, intervals of 60 s {SPACED}",
            ],
        ),
        ("QQQ.csv", DAYS["QQQ"], [f"QQQ read as Alpaca daily bars, {UNSAID}, {BY_NAME}"]),
        ("alpaca-bars.json", MINUTES["AAPL"] + MINUTES["MSFT"], [f"MSFT read as Alpaca bars of 60 s, {UNSAID}"]),
        (
            "alpaca-bars-of-one.json",
            DAYS["QQQ"],
            [f"QQQ read as Alpaca daily bars, {UNSAID}", "next_page_token is set, so more bars follow in another page"],
        ),
        ("BTC-USDT-1m.csv", MINUTES["BTC-USDT"], ["BTC-USDT read as ccxt bars of 60 s"]),
        ("BTC_USDT.json", MINUTES["BTC-USDT"], [f"BTC-USDT read as ccxt bars of 60 s, {BY_NAME}"]),
        (
            "ETH-USD.csv",
            [("ETH-USD", "07-02 00:00", 3600, "3400.5", "12.5"), ("ETH-USD", "07-02 01:00", 3600, "3400", "8.25")],
            [f"ETH-USD read as ccxt bars of 3600 s, {BY_NAME}, intervals of 3600 s {SPACED}"],
        ),
        (
            "SOL_USDT-5m.csv",
            [
                ("SOL-USDT", "07-02 00:00", 300, "150.5", "12.5"),
                ("SOL-USDT", "07-02 00:05", 300, "150", "8.25"),
            ],
            ["SOL-USDT read as freqtrade bars of 300 s"],
        ),
    ],
)
def test_a_file_of_a_vendor_is_read_as_it_was_saved(name: str, rows: list, notes: list[str]) -> None:
    feed = opened(GOLDEN / name)
    assert bars_of(feed) == rows
    for note in notes:
        assert any(note in each and str(GOLDEN / name) in each for each in feed.notes), feed.notes


def test_only_the_wanted_symbols_of_a_file_are_read_and_the_others_named() -> None:
    feed = opened(GOLDEN / "yfinance-download-many.csv", symbols=["BRK.B"])
    assert feed.symbols == ("BRK.B",)
    assert "not read, other symbols: AAPL (1), BTC-USD (1)" in feed.notes


def test_a_symbol_said_before_the_path_counts_whatever_the_file_is_called(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text((GOLDEN / "SPY.csv").read_text())
    with pytest.raises(BadConfig, match=r"prices\.csv: the name must say symbol and interval.*SPY=PATH"):
        opened(path)
    assert opened(Path(f"IVV={path}")).symbols == ("IVV",)
    assert opened(Path.cwd() / Path(f"IVV-1day={path}")).symbols == ("IVV",)  # made absolute on the way, as a run does
    with pytest.raises(BadConfig, match="no such file or folder"):
        opened(Path(f"no symbol={path}"))


def test_a_symbol_said_before_the_path_picks_one_of_a_files_own_or_is_refused() -> None:
    many = GOLDEN / "yfinance-download-many.csv"
    feed = opened(Path(f"AAPL={many}"))
    assert feed.symbols == ("AAPL",)
    assert "not read, other symbols: BRK.B (1), BTC-USD (1)" in feed.notes
    with pytest.raises(BadConfig, match=r"said to be SPY, but its rows are AAPL, BRK\.B, BTC-USD"):
        opened(Path(f"SPY={many}"))


def test_an_interval_said_counts_before_the_spacing(tmp_path: Path) -> None:
    thin = tmp_path / "AAPL.csv"
    header, *rows = (GOLDEN / "AAPL_5m.csv").read_text().splitlines()
    thin.write_text("\n".join([header, rows[0], rows[2]]))
    assert [row[2] for row in bars_of(opened(thin))] == [900, 900]
    assert [row[2] for row in bars_of(opened(Path(f"AAPL-5min={thin}")))] == [300, 300]
    named = thin.rename(tmp_path / "AAPL_5m.csv")
    assert [row[::2] for row in bars_of(opened(Path(f"SPY={named}")))] == [("SPY", 300, "1000"), ("SPY", 300, "700")]


def test_prices_that_are_adjusted_do_not_meet_the_actions_they_were_adjusted_for(tmp_path: Path) -> None:
    (tmp_path / "corporate-actions.csv").write_text(
        "kind,symbol,ex_date,old_rate,new_rate,cash,new_symbol,payable_date\ncash_dividend,MSFT,2024-07-03,,,1,,\n"
    )
    for name in ("MSFT", "QQQ"):
        (tmp_path / f"{name}.csv").write_text((GOLDEN / f"{name}.csv").read_text())
    assert len(opened(tmp_path).actions) == 1  # not adjusted for dividends, or not said to be
    text = (GOLDEN / "MSFT.csv").read_text().replace(",Adj Close", "").replace(",40.1,", ",").replace(",41.1,", ",")
    (tmp_path / "MSFT.csv").write_text(text)
    with pytest.raises(
        BadConfig, match=r"a cash_dividend on 2024-07-03 in the corporate actions: it would count twice"
    ):
        opened(tmp_path)


def test_rounding_in_computed_prices_is_smoothed_and_counted_and_nothing_else_is(tmp_path: Path) -> None:
    path = tmp_path / "SPY-1day.csv"
    header = "Date,Open,High,Low,Close,Volume\n"
    path.write_text(header + "2024-07-02,10.0,10.999999999999998,9.000000000000002,11.0,5\n2024-07-03,9,11,9,11,5\n")
    feed = opened(path)
    assert [(str(bar.high), str(bar.low)) for bar in feed.bars(*EVER)] == [("11.0", "9.000000000000002"), ("11", "9")]
    assert any("1 rows have open or close outside high and low by a rounding" in note for note in feed.notes)
    path.write_text(header + "2024-07-02,10.0,10.9999,9,11.0,5\n")
    with pytest.raises(BadConfig, match="row 2: contradicts itself"):
        opened(path)


def test_a_json_document_that_is_no_data_is_named_in_a_folder_and_refused_by_itself(tmp_path: Path) -> None:
    other = tmp_path / "settings.json"
    other.write_text('{"interval": "1d"}')
    (tmp_path / "QQQ.csv").write_text((GOLDEN / "QQQ.csv").read_text())
    assert f"{other}: not used: a JSON document without bars" in opened(tmp_path).notes
    with pytest.raises(BadConfig, match=r"settings\.json: no bars; Alpaca's answers and ccxt's rows are read"):
        opened(other)


# Any series, written in any of the shapes, reads back equal.

CENTS = st.integers(1, 10**7)
BARS = st.lists(st.tuples(CENTS, CENTS, CENTS, CENTS, st.integers(0, 10**9)), min_size=2, max_size=30)
START = datetime(2024, 7, 2, 13, 30, tzinfo=UTC)


def rows_of(drawn: list[tuple[int, int, int, int, int]]) -> list[dict[str, Any]]:
    """Bars of a minute as numbers."""
    rows = []
    for minute, (first, second, third, fourth, volume) in enumerate(drawn):
        low, *inner, high = sorted((first, second, third, fourth))
        numbers = {"open": inner[0], "high": high, "low": low, "close": inner[1]}
        at = START + timedelta(minutes=minute)
        rows.append({"at": at, **{name: cents / 100 for name, cents in numbers.items()}, "volume": volume})
    return rows


def expected(rows: list[dict[str, Any]], symbol: str) -> list[Bar]:
    return [
        Bar(
            symbol=symbol,
            at=row["at"],
            seconds=60,
            **{name: Decimal(str(row[name])) for name in ("open", "high", "low", "close", "volume")},
        )
        for row in rows
    ]


def _csv(header: str, rows: list[dict[str, Any]], line: str) -> str:
    fields = [{**row, "ms": int(row["at"].timestamp() * 1000), "ny": row["at"] - timedelta(hours=4)} for row in rows]
    return "\n".join([*filter(None, [header]), *(line.format(**row) for row in fields)]) + "\n"


def _table(rows: list[dict[str, Any]], names: dict[str, str], zone: str = "UTC") -> pa.Table:
    found = {names.get(name, name): [row[name] for row in rows] for name in rows[0]}
    time = names["at"]
    return pa.table({**found, time: pa.array(found[time], pa.timestamp("us", "UTC")).cast(pa.timestamp("us", zone))})


_O = "{open},{high},{low},{close},{volume}"
_YF = {"at": "Datetime", "open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}
_PRICES = ("Close", "High", "Low", "Open", "Volume")


def _wide(rows: list[dict[str, Any]]) -> str:
    return _csv(
        f"Price,{','.join(name for name in _PRICES for _ in range(2))}\nTicker{',QQQ,SPY' * 5}\nDatetime" + "," * 10,
        rows,
        "{ny:%Y-%m-%d %H:%M:%S}-04:00,,{close},,{high},,{low},,{open},,{volume}",
    )


def _alpaca_document(rows: list[dict[str, Any]]) -> str:
    bars = [
        {"t": f"{row['at']:%Y-%m-%dT%H:%M:%SZ}", **{name[0]: row[name] for name in ("open", "high", "low", "close")}}
        for row in rows
    ]
    return json.dumps(
        {
            "next_page_token": None,
            "bars": {"SPY": [{**bar, "v": row["volume"]} for bar, row in zip(bars, rows, strict=True)]},
        }
    )


def _ccxt_document(rows: list[dict[str, Any]]) -> str:
    return f"[{_csv('', rows, '[{ms},' + _O + '],').strip().rstrip(',')}]"


TEXTS: dict[str, Any] = {
    "SPY-1min.csv": lambda rows: _csv("timestamp,open,high,low,close,volume", rows, "{at:%Y-%m-%dT%H:%M:%SZ}," + _O),
    "SPY-1min-yfinance.csv": lambda rows: _csv(
        "Datetime,Open,High,Low,Close,Volume", rows, "{ny:%Y-%m-%d %H:%M:%S}-04:00," + _O
    ),
    "wide.csv": _wide,
    "long.csv": lambda rows: _csv(
        "symbol,timestamp,open,high,low,close,volume,trade_count,vwap", rows, "SPY,{at}," + _O + ",1,2"
    ),
    "by-symbol.csv": lambda rows: _csv(
        "timestamp,symbol,open,high,low,close,volume", rows, "{at:%Y-%m-%dT%H:%M:%SZ},SPY," + _O
    ),
    "SPY.csv": lambda rows: _csv("", rows, "{ms}," + _O),
    "SPY-1min-frame.csv": lambda rows: _csv("timestamp,open,high,low,close,volume", rows, "{ms}," + _O),
    "SPY-1min-freqtrade.csv": lambda rows: _csv("date,open,high,low,close,volume", rows, "{at}," + _O),
    "bars.json": _alpaca_document,
    "SPY.json": _ccxt_document,
}
TABLES: dict[str, Any] = {
    "SPY-1min.parquet": lambda rows: _table(rows, {"at": "timestamp"}),
    "SPY.parquet": lambda rows: _table(rows, _YF, "America/New_York"),
    "wide.parquet": lambda rows: _table(
        rows, {name: f"('{word}', 'SPY')" if name != "at" else word for name, word in _YF.items()}
    ),
    "long.parquet": lambda rows: (
        _table(rows, {"at": "timestamp"})
        .append_column("symbol", pa.array(["SPY"] * len(rows)))
        .append_column("trade_count", pa.array([1.0] * len(rows)))
        .append_column("vwap", pa.array([1.0] * len(rows)))
    ),
    "SPY.feather": lambda rows: _table(rows, {"at": "date"}),
}


@pytest.mark.parametrize("name", [*TEXTS, *TABLES])
@settings(max_examples=12, deadline=None, derandomize=True)
@given(drawn=BARS)
def test_any_series_in_any_shape_reads_back_equal(
    tmp_path_factory: pytest.TempPathFactory, name: str, drawn: list[tuple[int, int, int, int, int]]
) -> None:
    path = tmp_path_factory.mktemp("shape") / name
    rows = rows_of(drawn)
    if name in TEXTS:
        path.write_text(TEXTS[name](rows))
    elif name.endswith(".feather"):
        pyarrow.feather.write_feather(TABLES[name](rows), str(path))
    else:
        pq.write_table(TABLES[name](rows), path)
    feed = opened(path, symbols=["SPY"])
    assert list(feed.bars(*EVER)) == expected(rows, "SPY")
    assert feed.history("SPY", EVER[1], 1) == tuple(expected(rows, "SPY")[-1:])


@pytest.mark.parametrize("name", TABLES)
def test_a_frame_in_memory_reads_like_the_file_it_would_be(name: str) -> None:
    rows = rows_of([(100, 120, 90, 110, 7), (110, 130, 100, 120, 8), (115, 150, 100, 125, 0)])
    found = series(TABLES[name](rows), symbol="SPY", calendar=CALENDAR)
    assert [found.value(index) for index in range(len(rows))] == expected(rows, "SPY")
