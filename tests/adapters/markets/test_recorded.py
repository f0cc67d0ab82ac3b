"""What a recording may hold, what is refused and in which words, and what is said of the rest."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.markets.recorded import RecordedFeed
from hydra.model.errors import BadConfig
from tests.shared_data import shared_data

BARS = "timestamp,open,high,low,close,volume\n"
QUOTES = "timestamp,bid,bid_size,ask,ask_size\n"
ROW = "2024-01-02T15:00:00Z,10,11,9.5,10.2,100\n"
NEXT = "2024-01-02T15:01:00Z,10,11,9.5,10.2,100\n"
QUOTE = "2024-01-02T15:00:00Z,10.1,5,10.2,7\n"
EVER = (datetime(1980, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
NAME = "SPY-1min-20240102.csv"

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(text: str | bytes, name: str = NAME) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def refusal(*paths: Path, **options) -> str:
    with pytest.raises(BadConfig) as caught:
        RecordedFeed.open(paths, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "row", "reason"),
    [
        (BARS + ROW + "2024-01-02T14:59:00Z,10,11,9,10,1\n", 3, "must be sorted"),
        (BARS + ROW + ROW, 3, "a second time"),
        (BARS + ROW + "2024-01-02T15:00:30Z,10,11,9,10,1\n", 3, "within the interval of 60 s"),
        (BARS + "2024-01-02T15:00:00,10,11,9,10,1\n", 2, "naive"),
        (BARS + ROW + "2024-01-02T15:01:00+01:00,10,11,9,10,1\n", 3, "not UTC"),
        (BARS + "yesterday,10,11,9,10,1\n", 2, "ISO 8601"),
        (BARS + "9999-12-31T23:59:00Z,10,11,9,10,1\n", 2, "outside the years 1900 to 2199"),
        (BARS + "2024-01-02T15:00:00Z,NaN,11,9,10,1\n", 2, "open 'NaN' is not a finite number"),
        (BARS + "2024-01-02T15:00:00Z,10,inf,9,10,1\n", 2, "high 'inf' is not a finite number"),
        (BARS + "2024-01-02T15:00:00Z,1_0,11,9,10,1\n", 2, "open '1_0'"),
        (BARS + "2024-01-02T15:00:00Z,,11,9,10,1\n", 2, "open ''"),
        (BARS + "2024-01-02T15:00:00Z,1e900,11,9,10,1\n", 2, "open '1e900'"),
        (BARS + ROW + "2024-01-02T15:01:00Z,10,11,9,10,-1\n", 3, "volume -1 is negative"),
        (BARS + "2024-01-02T15:00:00Z,10,9,11,10,1\n", 2, "contradicts itself: open 10 high 9 low 11"),
        (BARS + "2024-01-02T15:00:00Z,10,11,9,12,1\n", 2, "contradicts itself"),
        (BARS + "2024-01-02T15:00:00Z,0,11,0,10,1\n", 2, "must be above 0"),
        (BARS + ROW + "2024-01-02T15:01:00Z,10,11\n", 3, "3 fields, expected 6"),
        (BARS + ROW + "\x00\x01\x02\n", 3, "1 fields, expected 6"),
        ("timestamp,open,high,low,close\n", 1, "columns 'timestamp,open,high,low,close'; bars have timestamp,open"),
        (BARS[:-1] + ",vwap\n", 1, "bars have"),
        ("timestamp,open,open,low,close,volume\n", 1, "bars have"),
        (ROW, 1, "columns"),
        (QUOTES + "2024-01-02T15:00:00Z,-1,5,10,7\n", 2, "negative: bid -1"),
        (QUOTES + "2024-01-02T15:00:00Z,10,5,nan,7\n", 2, "ask 'nan'"),
        (QUOTES + QUOTE + QUOTE, 3, "a second time"),
    ],
)
def test_a_malformed_file_is_refused_by_name_and_row(put: Put, text: str, row: int, reason: str) -> None:
    path = put(text)
    message = refusal(path)
    assert f"{path}: row {row}: " in message
    assert reason in message


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", NAME, "empty"),
        (b"\n\n", NAME, "empty"),
        (BARS.encode(), NAME, "no rows"),
        (bytes(range(128, 256)) * 9, NAME, "not a text file"),
        (BARS.encode() + b"\xff\xfe\n", NAME, "not a text file"),
        ((BARS + '"2024').encode(), NAME, "not a CSV file"),
        (gzip.compress((BARS + ROW * 50).encode(), mtime=0)[:-20], NAME + ".gz", "cut off"),
        (BARS.encode(), NAME + ".gz", "not a gzip file"),
        (b"PAR1 nonsense", "SPY-1min.parquet", "Parquet"),
        ((BARS + ROW).encode(), "prices.csv", "the name must say symbol and interval"),
        ((BARS + ROW).encode(), "spy-1min-20240102.csv", "the name must say symbol and interval"),
        (b"notes", "README.md", "not a data file"),
    ],
)
def test_what_is_no_data_is_refused_by_name(put: Put, content: bytes, name: str, reason: str) -> None:
    path = put(content, name)
    message = refusal(path)
    assert str(path) in message
    assert reason in message


def test_a_missing_path_and_no_path_are_refused(tmp_path: Path) -> None:
    assert "no such file or folder" in refusal(tmp_path / "nowhere")
    assert "no market data named" in refusal()
    assert "no bars in" in refusal(tmp_path)


def test_a_symbol_without_bars_is_named_with_what_there_is(put: Put) -> None:
    path = put(BARS + ROW)
    quotes = put(QUOTES + QUOTE, "quotes/AAPL-1min-20240102.csv")
    message = refusal(path, quotes, symbols=["SPY", "AAPL", "QQQ"])
    assert "no bars of AAPL, QQQ" in message
    assert "there are bars of SPY" in message


def test_a_run_goes_on_without_the_symbols_that_have_no_bars_as_long_as_one_has(put: Put) -> None:
    path = put(BARS + ROW)
    feed = RecordedFeed.open([path], symbols=["SPY", "QQQ"], some=True)
    assert feed.symbols == ("QQQ", "SPY")
    assert [bar.symbol for bar in feed.bars(*EVER)] == ["SPY"]
    assert (feed.history("QQQ", EVER[1], 5), feed.quotes(EVER[1]).get("QQQ")) == ((), None)
    assert "QQQ: no bars, so it has no prices and is not traded" in feed.notes
    with pytest.raises(BadConfig, match="no bars of AAPL, QQQ"):
        RecordedFeed.open([path], symbols=["AAPL", "QQQ"], some=True)


def test_files_of_one_symbol_are_joined_in_the_order_of_time(put: Put) -> None:
    late = put(BARS + NEXT, "SPY-1min-20240103.csv")
    early = put(BARS + ROW, "SPY-1min-20240102.csv")
    feed = RecordedFeed.open([late, early])
    assert [bar.at for bar in feed.bars(*EVER)] == [utc("2024-01-02 15:00"), utc("2024-01-02 15:01")]


def test_overlapping_files_are_refused(put: Put) -> None:
    one = put(BARS + ROW + NEXT, "a/SPY-1min.csv")
    other = put(BARS + NEXT, "b/SPY-1min.csv")
    message = refusal(one, other)
    assert "SPY bars overlap" in message
    assert str(one) in message
    assert str(other) in message


def test_two_intervals_of_one_symbol_are_refused(put: Put) -> None:
    put(BARS + ROW, "a/SPY-1min.csv")
    folder = put(BARS + NEXT, "a/SPY-5min.csv").parent
    assert "one interval a symbol" in refusal(folder)


def test_the_same_file_named_twice_is_read_once(put: Put) -> None:
    path = put(BARS + ROW)
    assert len(RecordedFeed.open([path, path.parent, path]).bars(*EVER)) == 1


def test_numbers_are_those_of_the_text(put: Put) -> None:
    feed = RecordedFeed.open([put(BARS + "2024-01-02T15:00:00Z,10.10,11,0.00000001,10.2,0.0045000000000000005\n")])
    (bar,) = feed.bars(*EVER)
    assert [str(number) for number in (bar.open, bar.low, bar.volume)] == ["10.10", "1E-8", "0.0045000000000000005"]


def test_a_quote_is_known_at_the_end_of_its_interval(put: Put) -> None:
    feed = RecordedFeed.open([put(BARS + ROW), put(QUOTES + QUOTE, f"quotes/{NAME}")])
    assert feed.quotes(utc("2024-01-02 15:00:59")) == {}
    quote = feed.quotes(utc("2024-01-02 15:01:00"))["SPY"]
    assert (quote.at, quote.bid, quote.ask_size) == (utc("2024-01-02 15:01"), Decimal("10.1"), Decimal(7))
    assert feed.quotes(utc("2025-01-02 15:01:00"))["SPY"] == quote


def test_crossed_and_one_sided_quotes_are_dropped_and_counted_and_locked_ones_kept(put: Put) -> None:
    rows = (
        "2024-01-02T15:00:00Z,10.1,5,10.2,7\n"
        "2024-01-02T15:01:00Z,10.3,5,10.2,7\n"  # crossed
        "2024-01-02T15:02:00Z,,,10.2,7\n"
        "2024-01-02T15:03:00Z,0,0,10.2,7\n"
        "2024-01-02T15:04:00Z,10.2,5,10.2,7\n"  # locked
    )
    feed = RecordedFeed.open([put(BARS + ROW), put(QUOTES + rows, f"quotes/{NAME}")])
    assert any("3 rows are crossed or one-sided" in note for note in feed.notes)
    assert feed.quotes(utc("2024-01-02 15:04"))["SPY"].at == utc("2024-01-02 15:01")
    assert feed.quotes(utc("2024-01-02 15:05"))["SPY"].bid == Decimal("10.2")


def test_what_is_not_used_is_named_with_its_reason(put: Put) -> None:
    folder = put(BARS + ROW).parent
    put("date,open,high,low,close,volume\n2024-01-02,1,1,1,1,1\n", "daily/SPY-1day.csv")
    put("timestamp,symbol,bid,bid_size,ask,ask_size\n", "options/SPY-chain-1day-20240102.csv")
    put("hello", "README.md")
    put(QUOTES + QUOTE, "AAPL-1min-20240102.csv")
    feed = RecordedFeed.open([folder])
    assert feed.symbols == ("SPY",)
    for fragment in (
        "SPY-1day.csv: not used: daily bars",
        "SPY-chain-1day-20240102.csv: not used: intervals of a day or more",
        "README.md: not used",
        "AAPL: not used: quotes without bars",
        "SPY: bars without quotes",
        "SPY: 1 stretch, 2024-01-02",
    ):
        assert any(fragment in note for note in feed.notes), fragment


def test_files_of_other_symbols_are_not_even_opened(put: Put) -> None:
    path = put(BARS + ROW)
    put(b"\xff\xff no data at all", "AAPL-1min-20240102.csv")
    feed = RecordedFeed.open([path.parent], symbols=["SPY"])
    assert "not read, other symbols: AAPL (1)" in feed.notes
    assert "AAPL-1min-20240102.csv" in refusal(path.parent)


def test_a_misspelled_header_in_a_folder_is_refused_not_skipped(put: Put) -> None:
    path = put(BARS.replace("volume", "vol") + ROW)
    assert f"{path}: row 1" in refusal(path.parent)


def test_start_and_end_cut_by_what_opened_and_what_was_known(put: Put) -> None:
    path = put(BARS + ROW + NEXT)
    start, end = utc("2024-01-02 15:01"), utc("2024-01-02 15:01")
    (late,) = RecordedFeed.open([path], start=start).bars(*EVER)
    (early,) = RecordedFeed.open([path], end=end).bars(*EVER)
    assert (early.at, late.at) == (utc("2024-01-02 15:00"), utc("2024-01-02 15:01"))
    assert "no bars of SPY between start and end" in refusal(path, symbols=["SPY"], start=utc("2024-02-01 00:00"))
    assert "must lie before end" in refusal(path, start=start, end=end)
    assert "start must be aware UTC" in refusal(path, start=datetime(2024, 1, 1))  # noqa: DTZ001  # naive on purpose


def test_the_fingerprint_is_of_the_content_not_of_the_place(put: Put) -> None:
    here = RecordedFeed.open([put(BARS + ROW)])
    moved = RecordedFeed.open([put(BARS + ROW, "elsewhere/SPY-1min-other.csv".replace("-other", ""))])
    changed = RecordedFeed.open([put(BARS + ROW.replace("100", "101"), "changed/SPY-1min.csv")])
    renamed = RecordedFeed.open([put(BARS + ROW, "renamed/QQQ-1min.csv")])
    cut = RecordedFeed.open([put(BARS + ROW)], end=utc("2024-01-03 00:00"))
    assert here.fingerprint == moved.fingerprint
    assert len({each.fingerprint for each in (here, changed, renamed, cut)}) == 4


def test_gzip_windows_line_ends_and_a_byte_order_mark_are_read(put: Put) -> None:
    text = "\ufeff" + (BARS + ROW).replace("\n", "\r\n")
    plain = RecordedFeed.open([put(BARS + ROW)]).bars(*EVER)
    assert RecordedFeed.open([put(gzip.compress(text.encode(), mtime=0), "x/SPY-1min.csv.gz")]).bars(*EVER) == plain


def test_a_small_packed_file_takes_little_memory(put: Put) -> None:
    """All that a file may hold at most was once reserved for every one."""
    path = put(gzip.compress((BARS + ROW).encode(), mtime=0), f"{NAME}.gz")
    tracemalloc.start()
    try:
        RecordedFeed.open([path])
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()


TIMES = [utc("2024-01-02 15:00"), utc("2024-01-02 15:01")]


def parquet(path: Path, times: pa.Array, prices: pa.Array, volume: pa.Array | None = None) -> Path:
    volume = pa.array([1, 2]) if volume is None else volume
    columns = dict.fromkeys(("open", "high", "low", "close"), prices)
    pq.write_table(pa.table({"timestamp": times, **columns, "volume": volume}), path)
    return path


@pytest.mark.parametrize(
    "times",
    [
        pa.array(TIMES, pa.timestamp("ns", "UTC")),
        pa.array(TIMES, pa.timestamp("s", "UTC")),
        pa.array([at.isoformat() for at in TIMES]),
    ],
)
@pytest.mark.parametrize(
    "prices",
    [
        pa.array([167.41, 0.1]),
        pa.array([167.41, 0.1], pa.float32()),
        pa.array([Decimal("167.41"), Decimal("0.10")], pa.decimal128(10, 2)),
        pa.array(["167.41", "0.1"]),
    ],
)
def test_parquet_prices_are_the_decimals_a_person_would_write(tmp_path: Path, times, prices) -> None:
    feed = RecordedFeed.open([parquet(tmp_path / "SPY-1min.parquet", times, prices)])
    bars = feed.bars(*EVER)
    assert [bar.at for bar in bars] == TIMES
    assert [bar.close for bar in bars] == [Decimal("167.41"), Decimal("0.1")]


@pytest.mark.parametrize(
    ("times", "prices", "reason"),
    [
        (pa.array([at.replace(tzinfo=None) for at in TIMES]), pa.array([1.0, 2.0]), "naive, expected UTC"),
        (pa.array(TIMES, pa.timestamp("us", "Europe/Paris")), pa.array([1.0, 2.0]), "Europe/Paris, expected UTC"),
        (pa.array(TIMES, pa.timestamp("us", "UTC")), pa.array([1.0, None]), "row 2: open ''"),
        (pa.array(TIMES, pa.timestamp("us", "UTC")), pa.array([float("nan"), 1.0]), "row 1: open 'nan'"),
        (pa.array([TIMES[0], None], pa.timestamp("us", "UTC")), pa.array([1.0, 2.0]), "row 2: timestamp ''"),
    ],
)
def test_malformed_parquet_is_refused(tmp_path: Path, times, prices, reason: str) -> None:
    path = parquet(tmp_path / "SPY-1min.parquet", times, prices)
    message = refusal(path)
    assert str(path) in message
    assert reason in message


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_whatever_raise_anything_but_a_refusal(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    folder = tmp_path_factory.mktemp("junk")
    for name, head in (
        ("SPY-1min.csv", BARS.encode()),
        ("SPY-1min.csv.gz", b"\x1f\x8b"),
        ("SPY-1min.parquet", b"PAR1"),
    ):
        path = folder / name
        path.write_bytes(head + junk)
        with pytest.raises(BadConfig):
            RecordedFeed.open([path])


def test_only_utc_offsets_of_zero_pass(put: Put) -> None:
    zero = RecordedFeed.open([put(BARS + ROW.replace("Z", "+00:00"))]).bars(*EVER)
    assert zero[0].at == datetime(2024, 1, 2, 16, tzinfo=timezone(timedelta(hours=1)))


def test_a_real_week_opens_quickly_and_counts_what_the_files_hold() -> None:
    data = shared_data()
    began = time.perf_counter()
    feed = RecordedFeed.open([data / "bars", data / "quotes"], symbols=["SPY"])
    assert time.perf_counter() - began < 1.0
    assert "SPY: 2 stretches, 2013-10-07..2013-10-11, 2023-08-03" in feed.notes
    assert len(feed.bars(*EVER)) == 4128 + 947
    assert feed.next_after(None) == utc("2013-10-07 08:01")
    assert feed.next_after(utc("2013-10-20 00:00")) == utc("2023-08-03 08:01")


def test_all_the_real_data_is_either_played_or_named() -> None:
    data = shared_data()
    feed = RecordedFeed.open([data])
    assert feed.symbols == ("AAPL", "BTC-USD", "ETH-USD", "GOOG", "SPY")
    unused = [note for note in feed.notes if "not used" in note]
    assert len(feed.contracts) == 746 + 4
    assert sum("/options/" in note for note in unused) == 0
    assert sum("/daily/" in note for note in unused) == 1
    day = feed.bars(utc("2018-04-04 00:00"), utc("2018-04-05 00:00"))
    assert len(day) == 1006 + 1  # the bar before midnight is known at midnight
