"""Both feeds, and real recordings where there are any, keep the contract."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import takewhile
from pathlib import Path

import pyarrow as pa
import pytest

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.adapters.markets.frames import series
from hydra.adapters.markets.ladders import Listing
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.adapters.markets.synthetic import SyntheticFeed
from tests.contracts.feed_contract import FeedContract, Fresh
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote
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


class TestSyntheticOptions(FeedContract):
    @pytest.fixture
    def fresh(self) -> Fresh:
        listing = Listing(underlyings=("SPY", "BRK.B"), since=date(2024, 6, 27), days=20)
        dividend = CorporateAction(
            kind=ActionKind.CASH_DIVIDEND, symbol="SPY", ex_date=date(2024, 7, 2), cash=Decimal("1.5")
        )
        return lambda: SyntheticFeed(
            7,
            ("SPY", "BRK.B", "BTC-USD"),
            date(2024, 6, 26),
            CALENDAR,
            bar_seconds=1800,
            options=listing,
            actions=[dividend],
        )


class TestScripted(FeedContract):
    @pytest.fixture
    def fresh(self) -> Fresh:
        opens = datetime(2024, 6, 28, 14, 30, tzinfo=UTC)
        minutes = [opens + timedelta(minutes=minute) for minute in range(120)]
        call, put = "SPY240628C00500000", "SPY240705P00490000"
        shares = [bar("SPY", at, (500, 501, 499, 500)) for at in minutes]
        trades = [bar(call, at, (2, 3, 1, 2)) for at in minutes[::9]]
        quotes = [quote("SPY", at, "499.9", "500.1") for at in minutes[::2]]
        options = [option_quote(call, at, "1.9", "2.1") for at in minutes[10::3]]
        options += [option_quote(put, at, None, "0.5", open_interest=7) for at in minutes[20::7]]
        split = CorporateAction(
            kind=ActionKind.FORWARD_SPLIT, symbol="SPY", ex_date=date(2024, 7, 1), new_rate=Decimal(2)
        )
        return lambda: ScriptedFeed([*shares, *trades], quotes, name="the contract", options=options, actions=[split])


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


class TestRecordedOptions(FeedContract):
    @pytest.fixture
    def fresh(self, tmp_path: Path) -> Fresh:
        days = [f"2024-01-0{day}T15" for day in (4, 5, 8)]
        times = [f"{day}:{minute:02}:00Z" for day in days for minute in range(40)]
        live = {"SPY240105C00470000": times[:80], "SPY240112P00470000": times}
        files = {
            "SPY-1min": ("timestamp,open,high,low,close,volume", [f"{at},470,471,469,470,100" for at in times[::2]]),
            "SPY-chain-1min": (
                "timestamp,symbol,bid,bid_size,ask,ask_size",
                [f"{at},{name},1.1,5,1.2,7" for name, own in live.items() for at in own[5::3]],
            ),
            "SPY-trades-1min": (
                "timestamp,symbol,open,high,low,close,volume",
                [f"{at},{name},1,2,1,1.5,3" for name, own in live.items() for at in own[:80:4]],
            ),
            "SPY-openinterest": (
                "timestamp,symbol,open_interest",
                [f"{day}:02:00Z,{name},{number}" for number, day in enumerate(days) for name in live],
            ),
            "corporate-actions": (
                "kind,symbol,ex_date,old_rate,new_rate,cash,new_symbol,payable_date",
                ["cash_dividend,SPY,2024-01-05,,,1.5,,2024-01-31", "reverse_split,SPY,2024-01-08,10,1,,,"],
            ),
        }
        for name, (header, rows) in files.items():
            (tmp_path / f"{name}.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        return lambda: RecordedFeed.open([tmp_path])


class TestRecordedDays(FeedContract):
    """Daily bars of a share and of a pair, and minutes of another share, around an early close."""

    @pytest.fixture
    def fresh(self, tmp_path: Path) -> Fresh:
        days = [date(2024, 6, 24) + timedelta(days=number) for number in range(20)]
        rows = {day: f"{day},10,11,9.5,10.2,100\n" for day in days}
        header = "Date,Open,High,Low,Close,Volume\n"
        traded = "".join(row for day, row in rows.items() if CALENDAR.hours(day) is not None)
        (tmp_path / "SPY.csv").write_text(header + traded, encoding="utf-8")
        (tmp_path / "BTC-USD.csv").write_text(header + "".join(rows.values()), encoding="utf-8")
        minutes = "".join(f"2024-07-03T15:{minute:02}:00Z,10,11,9.5,10.2,100\n" for minute in range(40))
        bars = "timestamp,open,high,low,close,volume\n" + minutes
        (tmp_path / "QQQ-1min.csv").write_text(bars, encoding="utf-8")
        return lambda: RecordedFeed.open([tmp_path], calendar=CALENDAR)


class TestInMemory(FeedContract):
    @pytest.fixture
    def fresh(self) -> Fresh:
        at = pa.array([datetime(2024, 7, 2, hour, tzinfo=UTC) for hour in range(24)], pa.timestamp("ms", "UTC"))
        prices = dict.fromkeys(("open", "high", "low", "close", "volume"), [10.25] * 24)
        frame = pa.table({"timestamp": at, **prices})
        return lambda: RecordedFeed.over(series(frame, symbol="BTC-USD"), series(frame, symbol="SPY", interval="30min"))


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


class TestRecordedChain(FeedContract):
    """The first minutes of a real chain, with the trades and the open interest of all its contracts."""

    @pytest.fixture
    def fresh(self, tmp_path: Path) -> Fresh:
        data = shared_data()
        with gzip.open(data / "options" / "GOOG-chain-1min-20151224.csv.gz", "rt") as file:
            rows = takewhile(lambda row: row < "2015-12-24T14:40", file)
            (tmp_path / "GOOG-chain-1min.csv").write_text(next(file) + "".join(rows), encoding="utf-8")
        others = [data / "options" / f"GOOG-{kind}-20151224.csv" for kind in ("trades-1min", "openinterest")]
        end = datetime(2015, 12, 24, 15, 30, tzinfo=UTC)
        return lambda: RecordedFeed.open([tmp_path, *others, data / "bars"], symbols=["GOOG"], end=end)


class TestRecordedPairsWithGaps(FeedContract):
    @pytest.fixture
    def fresh(self) -> Fresh:
        data = shared_data()
        start = datetime(2018, 4, 4, 10, tzinfo=UTC)
        return lambda: RecordedFeed.open([data / "bars", data / "quotes"], symbols=["BTC-USD"], start=start)
