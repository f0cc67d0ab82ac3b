"""Data frames of any library become series, and series become a feed."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets.frames import series
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.adapters.markets.times import micros
from hydra.model.errors import BadConfig

CALENDAR = ExchangeCalendar()
DAYS = pd.DatetimeIndex(["2024-07-02", "2024-07-03", "2024-07-05"], name="Date")


def prices(factor: float = 1.0, index: Any = DAYS) -> pd.DataFrame:
    rows = {"Open": [10.0, 11, 12], "High": [12.5, 13, 14], "Low": [9.0, 10, 11], "Close": [11.0, 12, 13]}
    return pd.DataFrame({**{name: [each * factor for each in row] for name, row in rows.items()}, "Volume": 5}, index)


def test_what_yfinance_returns_for_one_ticker_needs_only_its_symbol() -> None:
    found = series(prices().tz_localize("America/New_York"), symbol="SPY", calendar=CALENDAR)
    assert [found.value(index).seconds for index in range(3)] == [23400, 12600, 23400]
    assert found.value(1).closes_at == datetime(2024, 7, 3, 17, tzinfo=UTC)
    assert found.notes == ("frame: SPY read as yfinance daily bars, prices adjusted for splits and dividends",)
    with pytest.raises(BadConfig, match="the frame does not name it: say symbol="):
        series(prices(), calendar=CALENDAR)


def test_what_yfinance_returns_for_several_tickers_is_asked_which() -> None:
    both = pd.concat({"AAPL": prices(), "BRK-B": prices(2)}, axis=1, names=["Ticker", "Price"]).swaplevel(axis=1)
    assert series(both, symbol="BRK.B", calendar=CALENDAR).value(0).open == Decimal(20)
    with pytest.raises(BadConfig, match=r"holds AAPL, BRK\.B; say which with symbol="):
        series(both, calendar=CALENDAR)
    with pytest.raises(BadConfig, match=r"no bars of SPY; it holds AAPL, BRK\.B"):
        series(both, symbol="SPY", calendar=CALENDAR)


def test_what_alpaca_py_returns_names_its_own_symbols() -> None:
    at = pd.date_range("2024-07-02 13:30", periods=3, freq="min", tz="UTC")
    bars = prices(index=at).rename(columns=str.lower).assign(trade_count=1.0, vwap=10.5)
    frame = pd.concat({"BTC/USD": bars}, names=["symbol", "timestamp"])
    found = series(frame)
    assert (found.symbol, found.seconds) == ("BTC-USD", 60)
    assert found.vectors.opened.tolist() == [micros(each.to_pydatetime()) for each in at]
    assert found.vectors.known.tolist() == [micros(each.to_pydatetime()) + 60_000_000 for each in at]
    assert found.vectors.numbers[3].tolist() == [11.0, 12.0, 13.0]


class Interchange:
    """A frame that knows only the older protocol."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __dataframe__(self, nan_as_null: bool = False, allow_copy: bool = True) -> Any:  # the protocol's own
        return self._table.__dataframe__(nan_as_null, allow_copy)


@pytest.mark.parametrize("wrap", [lambda table: table, Interchange], ids=["arrow", "interchange"])
def test_a_frame_of_any_library_will_do(wrap: Any) -> None:
    rows = [[1_719_878_400_000, 1.5, 2, 1, 2, 3.5], [1_719_882_000_000, 2, 2, 1.25, 1.5, 0]]
    names = ("timestamp", "open", "high", "low", "close", "volume")
    table = pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})
    found = series(wrap(table), symbol="ETH-USD", interval="1h")
    assert [str(bar.low) for bar in found.last(datetime(2025, 1, 1, tzinfo=UTC), 2)] == ["1.0", "1.25"]


@pytest.mark.parametrize(
    ("frame", "options", "reason"),
    [
        ([1, 2], {}, "list is no data frame: it has neither __arrow_c_stream__ nor __dataframe__"),
        (pa.table({"a": [1]}), {}, "frame: row 1: columns 'a'"),
        (prices().assign(High=8.0), {}, "frame: row 1: contradicts itself"),
        (prices().iloc[::-1], {}, "frame: row 2: timestamp 2024-07-03 after 2024-07-05: rows must be sorted"),
        (prices().iloc[:0], {}, "frame: no rows"),
        (prices(), {"interval": "soon"}, "interval 'soon' is not like 1min, 5min, 1h or 1day"),
        (prices(), {"symbol": "spy"}, "not a symbol: 'spy'"),
        (prices(), {"symbol": "SPY240705C00500000"}, "is a contract; bars of shares and pairs are taken"),
        (prices(index=pd.date_range("2024-07-02 09:30", periods=3, freq="min", name="Datetime")), {}, "naive"),
        (pd.DataFrame({"x": [object()]}), {}, "cannot be read as Arrow"),
    ],
)
def test_a_frame_that_is_none_or_does_not_hold_is_refused(frame: Any, options: dict[str, str], reason: str) -> None:
    with pytest.raises(BadConfig) as caught:
        series(frame, **{"symbol": "SPY", **options}, calendar=CALENDAR)
    assert reason in str(caught.value)


def test_series_play_as_a_feed_each_symbol_once() -> None:
    spy, other = (series(prices(), symbol=symbol, calendar=CALENDAR) for symbol in ("SPY", "QQQ"))
    feed = RecordedFeed.over(spy, other)
    assert feed.symbols == ("QQQ", "SPY")
    assert feed.describe().startswith("recorded: QQQ 3 daily bars, SPY 3 daily bars")
    assert feed.fingerprint != RecordedFeed.over(series(prices(2), symbol="SPY", calendar=CALENDAR), other).fingerprint
    assert any("prices adjusted" in note for note in feed.notes)
    with pytest.raises(BadConfig, match="one series a symbol, got SPY, SPY"):
        RecordedFeed.over(spy, spy)
    with pytest.raises(BadConfig, match="no series given"):
        RecordedFeed.over()


def test_vectors_are_not_to_be_written_to() -> None:
    found = series(prices(), symbol="SPY", calendar=CALENDAR).vectors
    for column in (found.opened, found.known, *found.numbers):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1


def test_neither_pandas_nor_pyarrow_is_imported_before_a_frame_is_read(tmp_path: Path) -> None:
    script = "import sys, hydra.adapters.markets.frames; sys.exit(bool({'pandas', 'pyarrow'} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", script], cwd=tmp_path, timeout=60, check=False).returncode == 0
    )  # our own interpreter
