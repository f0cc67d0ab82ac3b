"""Both feeds, and real recordings where there are any, keep the contract."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.adapters.markets.synthetic import SyntheticFeed
from tests.contracts.feed_contract import FeedContract, Fresh
from tests.shared_data import shared_data

CALENDAR = ExchangeCalendar()


class TestSyntheticExchange(FeedContract):
    @pytest.fixture
    def fresh(self) -> Fresh:
        return lambda: SyntheticFeed(7, ("SPY", "AAPL", "BTC-USD"), date(2024, 7, 3), CALENDAR, bar_seconds=300)


class TestSyntheticPractice(FeedContract):
    @pytest.fixture
    def fresh(self) -> Fresh:
        return lambda: SyntheticFeed(7, ("SPY", "ZZZ"), date(2024, 7, 3), sessions="always")


class TestRecordedSmall(FeedContract):
    @pytest.fixture
    def fresh(self, tmp_path: Path) -> Fresh:
        rows = [f"2024-01-02T15:{minute:02}:00Z" for minute in range(60) if minute % 7]
        bars = "timestamp,open,high,low,close,volume\n" + "".join(f"{row},10,11,9.5,10.2,100\n" for row in rows)
        quotes = "timestamp,bid,bid_size,ask,ask_size\n" + "".join(f"{row},10.1,5,10.2,7\n" for row in rows[3::2])
        for symbol in ("SPY", "BTC-USD"):
            (tmp_path / "bars").mkdir(exist_ok=True)
            (tmp_path / "quotes").mkdir(exist_ok=True)
            (tmp_path / "bars" / f"{symbol}-1min-20240102.csv").write_text(bars, encoding="utf-8")
            (tmp_path / "quotes" / f"{symbol}-1min-20240102.csv").write_text(quotes, encoding="utf-8")
        return lambda: RecordedFeed.open([tmp_path])


class TestRecordedSpyWeek(FeedContract):
    @pytest.fixture
    def fresh(self) -> Fresh:
        data = shared_data()
        end = datetime(2013, 10, 12, tzinfo=UTC)
        return lambda: RecordedFeed.open([data / "bars", data / "quotes"], symbols=["SPY"], end=end)


class TestRecordedHalfDay(FeedContract):
    @pytest.fixture
    def fresh(self) -> Fresh:
        data = shared_data()
        return lambda: RecordedFeed.open([data / "bars", data / "quotes"], symbols=["GOOG"])


class TestRecordedPairsWithGaps(FeedContract):
    @pytest.fixture
    def fresh(self) -> Fresh:
        data = shared_data()
        start = datetime(2018, 4, 4, 10, tzinfo=UTC)
        return lambda: RecordedFeed.open([data / "bars", data / "quotes"], symbols=["BTC-USD"], start=start)
