"""Whatever is wrong with a vendor's file is refused by file and row, in words that say what would be accepted."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets import tables
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.model.errors import BadConfig

CALENDAR = ExchangeCalendar()
OWN = "timestamp,open,high,low,close,volume\n"
YF = "Date,Open,High,Low,Close,Volume\n"
YF_TIMED = "Datetime,Open,High,Low,Close,Volume\n"
DAILY = "date,open,high,low,close,volume\n"
WIDE = "Price,Close,High,Low,Open,Volume\nTicker,SPY,SPY,SPY,SPY,SPY\nDate,,,,,\n"
TWO = (
    "Price,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume\nTicker" + ",SPY,QQQ" * 5 + "\nDate" + "," * 10 + "\n"
)
ALPACA = "symbol,timestamp,open,high,low,close,volume,trade_count,vwap\n"
MS = 1_719_927_000_000
ROW, NEXT = "2024-07-02T13:30:00Z,10,11,9.5,10.2,100\n", "2024-07-02T13:31:00Z,10,11,9.5,10.2,100\n"
DAY, LATER = "2024-07-02,10,11,9.5,10.2,100\n", "2024-07-03,10,11,9.5,10.2,100\n"
TIMED = "2024-07-02 09:30:00-04:00,10,11,9.5,10.2,100\n"

Put = Callable[..., Path]


def lines(header: str, *times: str) -> str:
    return header + "".join(f"{at},10,11,9.5,10.2,100\n" for at in times)


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(content: str | bytes, name: str) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def refusal(path: Path) -> str:
    with pytest.raises(BadConfig) as caught:
        RecordedFeed.open([path], calendar=CALENDAR)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    assert message.isprintable()
    return message


@pytest.mark.parametrize(
    ("name", "text", "row", "reason"),
    [
        # columns
        ("SPY.csv", YF.replace("Close,", ""), 1, "close missing"),
        ("SPY.csv", YF.replace("Volume", "Vol") + DAY, 1, "volume missing"),
        ("SPY.csv", YF[:-1] + ",Mood\n", 1, "columns"),
        ("SPY.csv", YF.replace("Date", "When") + DAY, 1, "columns"),
        ("SPY.csv", YF.replace(",", ";") + DAY.replace(",", ";"), 1, "separated by semicolons, expected commas"),
        ("SPY.csv", YF.replace(",", "\t") + DAY.replace(",", "\t"), 1, "separated by tabs, expected commas"),
        ("SPY.csv", YF + DAY + "2024-07-03,10,11\n", 3, "3 fields, expected 6"),
        ("SPY.csv", YF + DAY + "\n" + LATER, 3, "Date '' is not ISO 8601"),
        ("SPY.csv", WIDE + DAY + "2024-07-03,10,11\n", 5, "3 fields, expected 6"),
        ("SPY.csv", WIDE.replace("Volume", "Close"), 1, "columns"),
        ("SPY.csv", "," + OWN + "5," + ROW, 2, "a column without a name that is no row number"),
        ("all.csv", ALPACA + "," + ROW[:-1] + ",1,10\n", 2, "symbol is empty"),
        # times
        ("SPY.csv", YF + LATER + DAY, 3, "timestamp 2024-07-02"),
        ("SPY.csv", YF + DAY + DAY, 3, "a second time"),
        ("SPY.csv", YF + DAY + "tomorrow,10,11,9.5,10.2,100\n", 3, "Date 'tomorrow' is not ISO 8601"),
        ("SPY.csv", YF + "07/02/2024,10,11,9.5,10.2,100\n", 2, "Date '07/02/2024' is not ISO 8601"),
        ("SPY.csv", YF + DAY + "2024-07-04,10,11,9.5,10.2,100\n", 3, "a day on which the exchange does not trade"),
        ("SPY.csv", YF_TIMED + TIMED[:19] + TIMED[25:], 2, "is naive; write it with Z, or with its offset"),
        ("SPY.csv", YF_TIMED + TIMED + "2024-07-02 09:35:00,10,11,9.5,10.2,100\n", 3, "is naive"),
        ("SPY-1min.csv", YF + DAY, 2, "2024-07-02 is a day, and the name says intervals of 60 s"),
        ("SPY-1day.csv", OWN + ROW, 2, "is no midnight, as the opening of a day must be"),
        ("SPY.csv", lines(OWN, f"{MS // 1000}"), 2, "nor milliseconds since 1970 (13 digits)"),
        ("SPY.csv", lines(OWN, f"{MS}000"), 2, "nor milliseconds since 1970 (13 digits)"),
        ("SPY.csv", lines(OWN, f"{MS}", "2024-07-02T13:31:00Z"), 3, f"is no milliseconds like {MS}"),
        ("SPY.csv", f"{MS},10,11,9.5,10.2,100\n{MS},10,11,9.5,10.2,100\n", 2, "a second time"),
        ("BTC-USD-1day.csv", lines(DAILY, "2024-07-02", "2190-01-01"), 3, "from the future, or unfinished"),
        ("SPY-1min.csv", lines(OWN, "2024-07-02T13:30:00Z", "2190-01-01T00:00:00Z"), 3, "from the future"),
        # numbers
        ("SPY.csv", YF + DAY + "2024-07-03,,11,9.5,10.2,100\n", 3, "Open '' is not a finite number"),
        ("SPY.csv", YF + DAY + "2024-07-03,nan,11,9.5,10.2,100\n", 3, "Open 'nan' is not a finite number"),
        ("SPY.csv", YF + DAY + "2024-07-03,10,inf,9.5,10.2,100\n", 3, "High 'inf' is not a finite number"),
        ("SPY.csv", YF + DAY + "2024-07-03,10,11,9.5,10.2,-1\n", 3, "volume -1 is negative"),
        ("SPY.csv", YF + DAY + "2024-07-03,10,9,9.5,10.2,1\n", 3, "contradicts itself"),
        ("SPY.csv", YF + DAY + "2024-07-03,10,11,9.5,11.1,1\n", 3, "contradicts itself"),
        ("SPY.csv", YF + DAY + "2024-07-03,0,11,0,10,1\n", 3, "a price must be above 0"),
        ("SPY-1min.csv", OWN + ROW[:21] + "0.10000000000000000001,0.1,0.1,0.1,1\n", 2, "contradicts itself"),
        ("SPY.csv", YF + '2024-07-02,10,11,9.5,10.2,"1,000"\n', 2, "Volume '1,000'"),
        ("SPY.csv", YF + '2024-07-02,10,11,9.5,10.2,"1,000"\n', 2, "write it without thousands separators"),
        ("SPY.csv", YF + DAY + "2024-07-03,1\x000,11,9.5,10.2,1\n", 3, "Open '1\\x000' is not a finite number"),
        ("SPY.csv", YF + "2024-07-02,10,11,9.5,10.2,0x10\n", 2, "Volume '0x10'"),
        ("SPY.csv", TWO + "2024-07-02,1,1,1,1,1,1,1,1,5,5\n2024-07-03,1,,1,,1,,1,1,5,5\n", 5, "High ''"),
    ],
)
def test_a_malformed_file_of_a_vendor_is_refused_by_name_and_row(
    put: Put, name: str, text: str, row: int, reason: str
) -> None:
    message = refusal(put(text, name))
    assert f"row {row}: " in message
    assert reason in message


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("SPY.csv", YF.encode(), "no rows"),
        ("SPY.csv", WIDE.encode(), "no rows"),
        ("SPY.csv", b"", "empty"),
        ("SPY.csv", (YF + DAY).encode("utf-16"), "not a text file: it is UTF-16; save it as UTF-8"),
        ("SPY.csv", (YF + DAY + "caf\u00e9").encode("latin-1"), "(row 3) is no UTF-8"),
        ("SPY.csv", (YF + DAY).encode() + b'"2024', "not a CSV file"),
        ("SPY.csv", b"PK\x03\x04" + bytes(99), "a ZIP archive"),
        ("SPY.csv", gzip.compress((YF + DAY).encode(), mtime=0), "not a text file"),
        ("SPY.csv.gz", gzip.compress((YF + DAY * 99).encode(), mtime=0)[:-12], "cut off"),
        ("SPY.json", b"", "no bars"),
        ("SPY.json", b'[[1, 2, "', "not a JSON document, or a damaged one"),
        ("SPY.json", f"[[{MS}, 1, 2, 1, 2, 3], [{MS}, 1, 2]]".encode(), "row 2: 3 fields, expected [milliseconds"),
        ("SPY-1min.json", f"[[{MS}, 1, 2, 1, null, 3]]".encode(), "row 1: close ''"),
        ("SPY.json", f"[[{MS}, 1, 2, 1, true, 3]]".encode(), "row 1: 'True' is no number"),
        ("SPY.json", b"[[]]", "row 1: 0 fields"),
        ("bars.json", b'{"bars": {}}', "no bars"),
        ("bars.json", b'{"bars": null}', "bars of None are no list"),
        ("bars.json", b'{"bars": {"AAPL": {"t": 1}}}', "bars of AAPL are no list"),
        ("bars.json", b'{"bars": [{"t": "2024-07-02T13:30:00Z"}]}', "row 1: a bar without o, h, l, c, v"),
        ("bars.json", b'{"bars": [3]}', "row 1: no bar but '3'"),
        (
            "bars.json",
            b'{"bars": [{"t": "2024-07-02T04:00:00Z", "o": 1, "h": 1, "l": 1, "c": 1, "v": 1}]}',
            "the name must say symbol",
        ),
        ("SPY.feather", b"ARROW1", "not a Feather file"),
        ("SPY.parquet", b"PAR1", "not a Parquet file"),
    ],
)
def test_what_is_no_data_of_a_vendor_is_refused_by_name(put: Put, name: str, content: bytes, reason: str) -> None:
    assert reason in refusal(put(content, name))


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [
        ([0], "one row does not show its interval"),
        ([0, 5, 6, 11], "the spacing is mixed (300 s between 67% of the rows, at least 60 s)"),
        ([0, 1, 6, 20], "the spacing is mixed"),
        ([0, 2881, 5762], "rows are 172860 s apart and no days"),
    ],
)
def test_an_interval_that_the_spacing_does_not_show_is_asked_for(put: Put, minutes: list[int], reason: str) -> None:
    times = [f"{datetime(2024, 7, 2, 13, 30) + timedelta(minutes=each):%Y-%m-%dT%H:%M}:00Z" for each in minutes]  # noqa: DTZ001  # the Z is written out
    message = refusal(put(lines(OWN, *times), "BTC-USD.csv"))
    assert reason in message


def test_weeks_are_not_taken_for_days(put: Put) -> None:
    days = [f"{datetime(2024, 7, 1, tzinfo=UTC) + timedelta(weeks=week):%Y-%m-%d}" for week in range(5)]
    assert "rows are 7 days apart; bars of more than a day are not played" in refusal(put(lines(YF, *days), "SPY.csv"))


def test_a_day_of_a_pair_begins_at_a_midnight(put: Put) -> None:
    good = [f"2024-03-{day:02}T{hour:02}:00:00Z" for day, hour in ((9, 6), (10, 6), (11, 5))]  # in Chicago, as Alpaca's
    path = put(lines(OWN, *good), "BTC-USD-1day.csv")
    bars = RecordedFeed.open([path], calendar=CALENDAR).history("BTC-USD", datetime(2025, 1, 1, tzinfo=UTC), 9)
    assert [bar.seconds // 3600 for bar in bars] == [24, 23, 24]
    assert "is no midnight" in refusal(put(lines(OWN, "2024-03-09T07:00:00Z"), "BTC-USD-1day.csv"))


def test_a_file_that_is_too_large_is_refused_at_once_with_its_size(tmp_path: Path) -> None:
    path = tmp_path / "SPY.csv"
    with path.open("wb") as file:
        file.write((YF + DAY).encode())
        file.truncate(5_000_000_000)
    assert "5,000,000,000 bytes, more than 1024 MiB; split it by year" in refusal(path)


def test_a_small_parquet_that_unfolds_to_too_much_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "SPY.parquet"
    rows, names = 15_000_000, ("timestamp", "open", "high", "low", "close", "volume", "trade_count", "vwap", "symbol")
    assert rows * len(names) * 8 > tables.BYTES_MAX
    schema = pa.schema([(name, pa.float64()) for name in names])
    with pq.ParquetWriter(path, schema) as writer:
        block = pa.table([pa.nulls(rows // 5, pa.float64())] * len(names), schema=schema)
        for _ in range(5):
            writer.write_table(block)
    assert path.stat().st_size < 1 << 20
    assert "more than 1024 MiB" in refusal(path)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    at=st.integers(0, 10_000),
    junk=st.binary(min_size=1, max_size=4) | st.sampled_from([b",", b"\n", b'"', b"-", b"e", b"9", b"nan", b"\x00"]),
    name=st.sampled_from(["SPY-1min.csv", "SPY.csv", "wide.csv", "bars.json", "SPY.parquet", "SPY.csv.gz"]),
)
def test_a_damaged_byte_gives_a_refusal_or_bars_that_hold(
    tmp_path_factory: pytest.TempPathFactory, at: int, junk: bytes, name: str
) -> None:
    path = tmp_path_factory.mktemp("damaged") / name
    whole = _whole(name, path)
    place = at % len(whole)
    path.write_bytes(whole[:place] + junk + whole[place + len(junk) :])
    try:
        feed = RecordedFeed.open([path], calendar=CALENDAR)
    except BadConfig as error:
        assert str(path) in str(error)  # noqa: PT017  # a refusal is one of two good ends
    else:
        for bar in feed.bars(datetime(1900, 1, 1, tzinfo=UTC), datetime(2199, 1, 1, tzinfo=UTC)):
            assert bar.low <= bar.open <= bar.high  # building it checks all the rest, exactly


def _whole(name: str, path: Path) -> bytes:
    if name.endswith(".parquet"):
        names = ("open", "high", "low", "close", "volume")
        at = pa.array([MS, MS + 60_000], pa.timestamp("ms", "UTC"))
        pq.write_table(pa.table({"timestamp": at, **{each: [10.5, 10.5] for each in names}}), path)
        return path.read_bytes()
    if name.endswith(".json"):
        bar = {"o": 10, "h": 11.5, "l": 9, "c": 10, "v": 1}
        bars = [{"t": f"2024-07-02T13:3{minute}:00Z", **bar} for minute in range(3)]
        return json.dumps({"bars": {"SPY": bars}, "next_page_token": None}).encode()
    texts = {"SPY-1min.csv": OWN + ROW + NEXT, "wide.csv": WIDE + DAY.replace("11,9.5", "9.5,11") + LATER}
    text = texts.get(name, YF + DAY + LATER)
    return gzip.compress(text.encode(), mtime=0) if name.endswith(".gz") else text.encode()
