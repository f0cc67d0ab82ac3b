"""Recorded options: what is known of a contract and when, what is refused, and what is said of the rest."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.markets.recorded import RecordedFeed
from hydra.model.errors import BadConfig
from hydra.model.market import OptionQuote
from tests.shared_data import shared_data

BARS = "timestamp,open,high,low,close,volume\n2024-01-02T15:00:00Z,470,471,469,470,100\n"
CHAIN = "timestamp,symbol,bid,bid_size,ask,ask_size\n"
TRADES = "timestamp,symbol,open,high,low,close,volume\n"
INTEREST = "timestamp,symbol,open_interest\n"
CALL, PUT = "SPY240105C00470000", "SPY240112P00460000"
EVER = datetime(2100, 1, 1, tzinfo=UTC)

Put = Callable[..., Path]


@pytest.fixture
def put(tmp_path: Path) -> Put:
    (tmp_path / "SPY-1min.csv").write_text(BARS, encoding="utf-8")

    def write(text: str | bytes, name: str = "SPY-chain-1min.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return tmp_path

    return write


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def row(at: str, rest: str, symbol: str = CALL) -> str:
    return f"{at}:00Z,{symbol},{rest}\n"


def quoted(feed: RecordedFeed, symbol: str, at: str) -> OptionQuote:
    found = feed.option_quote(symbol, utc(at))
    assert found is not None
    return found


def test_a_quote_closing_an_interval_is_known_at_its_end(put: Put) -> None:
    feed = RecordedFeed.open([put(CHAIN + row("2024-01-02T15:03", "1.1,5,1.2,7"))])
    assert feed.option_quote(CALL, utc("2024-01-02 15:03:59.999999")) is None
    assert quoted(feed, CALL, "2024-01-02 15:04") == OptionQuote(
        symbol=CALL,
        at=utc("2024-01-02 15:04"),
        bid=Decimal("1.1"),
        bid_size=Decimal(5),
        ask=Decimal("1.2"),
        ask_size=Decimal(7),
    )
    assert feed.contracts == (CALL,)
    assert feed.next_after(utc("2024-01-02 15:01")) == utc("2024-01-02 15:04")


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        (",0,1.2,7", (None, None, "1.2", "7")),
        ("0,0,1.2,7", (None, None, "1.2", "7")),
        ("1.1,5,,0", ("1.1", "5", None, None)),
        ("1.1,5,0,0", ("1.1", "5", None, None)),
        (",,,", (None, None, None, None)),
        ("1.1,,1.2,7", ("1.1", None, "1.2", "7")),
        ("1.2,0,1.2,7", ("1.2", "0", "1.2", "7")),
    ],
)
def test_a_side_without_a_price_has_no_quote_and_the_row_still_counts(put: Put, cells: str, shown: tuple) -> None:
    text = CHAIN + row("2024-01-02T15:00", "1,1,2,2") + row("2024-01-02T15:01", cells)
    found = quoted(RecordedFeed.open([put(text)]), CALL, "2024-01-02 15:02")
    assert found.at == utc("2024-01-02 15:02")
    expected = tuple(None if cell is None else Decimal(cell) for cell in shown)
    assert (found.bid, found.bid_size, found.ask, found.ask_size) == expected


def test_a_crossed_quote_is_dropped_and_counted_and_the_one_before_grows_old(put: Put) -> None:
    feed = RecordedFeed.open([put(CHAIN + row("2024-01-02T15:00", "1,1,2,2") + row("2024-01-02T15:01", "3,1,2,2"))])
    assert quoted(feed, CALL, "2024-01-02 15:05").at == utc("2024-01-02 15:01")
    assert any("1 rows are crossed" in note for note in feed.notes)


def test_volume_is_the_new_york_days_and_only_where_the_data_have_trades_of_it(put: Put) -> None:
    put(CHAIN + row("2024-01-02T15:00", "1,1,2,2") + row("2024-01-02T15:00", "1,1,2,2", PUT))
    trades = (
        row("2024-01-02T20:30", "1,1,1,1,4")
        + row("2024-01-03T15:00", "1,1,1,1,3")
        + row("2024-01-03T15:09", "1,1,1,1,2")
    )
    feed = RecordedFeed.open([put(TRADES + trades, "SPY-trades-1min.csv")])
    for at, volume in (
        ("2024-01-02 20:30", 0),
        ("2024-01-02 20:31", 4),
        ("2024-01-03 04:59:59", 4),
        ("2024-01-03 05:00", 0),
        ("2024-01-03 15:01", 3),
        ("2024-01-03 15:10", 5),
    ):
        assert quoted(feed, CALL, at).volume == volume
        assert quoted(feed, PUT, at).volume == 0
    assert quoted(feed, CALL, "2024-01-04 15:00").volume is None
    assert [bar.volume for bar in feed.history(CALL, utc("2024-01-03 15:10"), 2)] == [3, 2]
    assert feed.history(CALL, utc("2024-01-02 20:30"), 2) == ()
    assert feed.next_after(utc("2024-01-02 15:01")) == utc("2024-01-02 20:31")


def test_open_interest_is_the_last_published_by_then(put: Put) -> None:
    put(CHAIN + row("2024-01-02T15:00", "1,1,2,2") + row("2024-01-02T15:00", "1,1,2,2", PUT))
    feed = RecordedFeed.open(
        [put(INTEREST + row("2024-01-02T16:00", "7") + row("2024-01-03T11:30", "0"), "SPY-oi.csv")]
    )
    assert quoted(feed, CALL, "2024-01-02 15:59:59").open_interest is None
    assert quoted(feed, CALL, "2024-01-02 16:00").open_interest == 7
    assert quoted(feed, CALL, "2024-01-03 11:30").open_interest == 0
    assert quoted(feed, PUT, "2024-01-03 11:30").open_interest is None
    assert feed.next_after(utc("2024-01-02 15:01")) is None


def test_a_contract_leaves_the_chain_at_sixteen_new_york_on_its_day(put: Put) -> None:
    feed = RecordedFeed.open(
        [put(CHAIN + row("2024-01-02T15:00", "1,1,2,2") + row("2024-01-02T15:00", "1,1,2,2", PUT))]
    )
    end = utc("2024-01-05 21:00")
    assert [each.symbol for each in feed.chain("SPY", end - timedelta(microseconds=1))] == [CALL, PUT]
    assert [each.symbol for each in feed.chain("SPY", end)] == [PUT]
    assert feed.option_quote(CALL, end) is not None
    assert feed.chain("QQQ", end) == ()


def test_start_and_end_cut_quotes_but_not_what_was_published_or_traded_before(put: Put) -> None:
    put(CHAIN + "".join(row(f"2024-01-02T15:0{minute}", f"{minute + 1},1,9,1") for minute in range(5)))
    put(INTEREST + row("2024-01-02T11:30", "7"), "SPY-openinterest.csv")
    put(BARS + "2024-01-02T15:03:00Z,470,471,469,470,100\n", "SPY-1min.csv")
    folder = put(
        TRADES + "".join(row(f"2024-01-02T15:0{minute}", "1,1,1,1,1") for minute in (0, 2, 4)), "SPY-trades-1min.csv"
    )
    feed = RecordedFeed.open([folder], start=utc("2024-01-02 15:02"), end=utc("2024-01-02 15:04"))
    assert feed.option_quote(CALL, utc("2024-01-02 15:02:59")) is None
    found = quoted(feed, CALL, "2024-01-02 15:30")
    assert (found.bid, found.volume, found.open_interest) == (Decimal(4), Decimal(2), Decimal(7))
    assert [bar.at for bar in feed.history(CALL, EVER, 9)] == [utc("2024-01-02 15:02")]
    assert feed.next_after(None) == utc("2024-01-02 15:03")


@pytest.mark.parametrize(
    ("text", "name", "number", "reason"),
    [
        (CHAIN + row("2024-01-02T15:00", "1,1,2,2") + row("2024-01-02T14:59", "1,1,2,2"), "", 3, "must be sorted"),
        (CHAIN + row("2024-01-02T15:00", "1,1,2,2") * 2, "", 3, f"{CALL}: timestamp 2024-01-02T15:00:00Z a second"),
        (CHAIN + row("2024-01-02T15:00", "x,1,2,2"), "", 2, "bid 'x' is not a finite number"),
        (CHAIN + row("2024-01-02T15:00", "1,nan,2,2"), "", 2, "bid_size 'nan'"),
        (CHAIN + row("2024-01-02T15:00", "1,1,-2,2"), "", 2, "negative: bid 1 x 1, ask -2 x 2"),
        (CHAIN + row("2024-01-02T15:00", ",,2,-2"), "", 2, "negative: bid  x , ask 2 x -2"),
        (CHAIN + row("2024-01-02T15:00", "1,1,2,2", "SPY"), "", 2, "not an OCC option symbol: 'SPY'"),
        (
            CHAIN + row("2024-01-02T15:00", "1,1,2,2") + row("2024-01-02T15:00", "1,1,2,2", "SPY241332C00470000"),
            "",
            3,
            "no",
        ),
        (CHAIN + row("2024-01-02T15:00", "1,1,2"), "", 2, "5 fields, expected 6"),
        (CHAIN + "yesterday,SPY240105C00470000,1,1,2,2\n", "", 2, "ISO 8601"),
        (TRADES + row("2024-01-02T15:00", "1,2,1.5,1,4"), "", 2, "contradicts itself"),
        (TRADES + row("2024-01-02T15:00", "1,1,1,1,"), "", 2, "volume ''"),
        (INTEREST + row("2024-01-02T15:00", "-1"), "SPY-oi.csv", 2, "open_interest -1 is negative"),
        (INTEREST + row("2024-01-02T15:00", ""), "SPY-oi.csv", 2, "open_interest ''"),
        (INTEREST + row("2024-01-02T15:00", "1") * 2, "SPY-oi.csv", 3, "a second time"),
    ],
)
def test_a_malformed_row_is_refused_by_file_and_row(put: Put, text: str, name: str, number: int, reason: str) -> None:
    name = name or "SPY-chain-1min.csv"
    with pytest.raises(BadConfig) as caught:
        RecordedFeed.open([put(text, name)])
    assert f"{name}: row {number}: " in str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        (CHAIN, "SPY-chain-1min.csv", "no rows below the header"),
        (CHAIN + row("2024-01-02T15:00", "1,1,2,2"), "SPY-chain.csv", "the name must say the interval"),
        (CHAIN[:-1] + ",delta\n", "SPY-chain-1min.csv", "row 1: columns"),
    ],
)
def test_a_file_that_does_not_say_what_it_holds_is_refused(put: Put, text: str, name: str, reason: str) -> None:
    with pytest.raises(BadConfig, match=reason):
        RecordedFeed.open([put(text, name)])


def test_files_of_a_contract_are_joined_and_must_not_overlap(put: Put) -> None:
    put(CHAIN + row("2024-01-02T15:01", "1,1,2,2"), "SPY-chain-1min-b.csv".replace("-b", ""))
    folder = put(CHAIN + row("2024-01-02T15:00", "3,1,4,2"), "a/SPY-chain-1min.csv")
    feed = RecordedFeed.open([folder])
    assert [quoted(feed, CALL, f"2024-01-02 15:0{minute}").bid for minute in (1, 2)] == [3, 1]
    put(CHAIN + row("2024-01-02T15:00", "3,1,4,2"), "c/SPY-chain-1min.csv")
    with pytest.raises(BadConfig, match=f"{CALL} option quotes overlap"):
        RecordedFeed.open([folder])


def test_what_is_not_played_is_named(put: Put) -> None:
    put(CHAIN + row("2024-01-02T15:00", "1,1,2,2", "QQQ240105C00400000"), "options-chain-1min.csv")
    folder = put(TRADES + row("2024-01-02T15:00", "1,1,1,1,1"), "options-trades-1min.csv")
    feed = RecordedFeed.open([folder])
    assert feed.contracts == ()
    assert "QQQ: not used: 1 contract (QQQ240105C00400000): no bars of the underlying" in feed.notes
    assert f"not used: trades or open interest of 1 contract ({CALL}): no quotes" in feed.notes
    wanted = RecordedFeed.open([folder], symbols=["SPY"])
    assert any("options-chain-1min.csv: not read, contracts on others: QQQ" in note for note in wanted.notes)
    assert wanted.fingerprint == RecordedFeed.open([folder / "SPY-1min.csv"]).fingerprint


def test_options_on_symbols_nobody_asked_for_are_not_read(put: Put) -> None:
    folder = put((CHAIN + "no rows at all").encode(), "QQQ-chain-1min.csv")
    feed = RecordedFeed.open([folder], symbols=["SPY"])
    assert "not read, other symbols: QQQ (1)" in feed.notes
    with pytest.raises(BadConfig, match="QQQ-chain-1min"):
        RecordedFeed.open([folder])


def test_the_contracts_of_a_share_with_a_dot_are_found_by_their_root(tmp_path: Path) -> None:
    (tmp_path / "BRK.B-1min.csv").write_text(BARS, encoding="utf-8")
    text = CHAIN + row("2024-01-02T15:00", "1,1,2,2", "BRKB240105C00360000")
    (tmp_path / "BRK.B-chain-1min.csv").write_text(text, encoding="utf-8")
    feed = RecordedFeed.open([tmp_path], symbols=["BRK.B"])
    assert [each.symbol for each in feed.chain("BRK.B", EVER.replace(year=2024, day=4))] == ["BRKB240105C00360000"]


def test_options_change_the_fingerprint_and_their_place_does_not(put: Put) -> None:
    folder = put(CHAIN + row("2024-01-02T15:00", "1,1,2,2"))
    bare = RecordedFeed.open([folder / "SPY-1min.csv"])
    one = RecordedFeed.open([folder])
    put(CHAIN + row("2024-01-02T15:00", "1,1,2,3"))
    assert len({bare.fingerprint, one.fingerprint, RecordedFeed.open([folder]).fingerprint}) == 3
    assert "1 option contracts" in one.describe()
    assert "option" not in bare.describe()


def test_parquet_and_gzip_say_the_same(put: Put, tmp_path: Path) -> None:
    text = CHAIN + row("2024-01-02T15:00", "1.1,1,,") + row("2024-01-02T15:01", "1.3,1,1.4,2")
    plain = RecordedFeed.open([put(text)]).chain("SPY", utc("2024-01-02 15:02"))
    (tmp_path / "SPY-chain-1min.csv").unlink()
    packed = RecordedFeed.open([put(gzip.compress(text.encode(), mtime=0), "SPY-chain-1min.csv.gz")])
    assert packed.chain("SPY", utc("2024-01-02 15:02")) == plain
    (tmp_path / "SPY-chain-1min.csv.gz").unlink()
    columns = {
        "timestamp": pa.array([utc("2024-01-02 15:00"), utc("2024-01-02 15:01")], pa.timestamp("us", "UTC")),
        "symbol": [CALL, CALL],
        "bid": [1.1, 1.3],
        "bid_size": [1, 1],
        "ask": [None, 1.4],
        "ask_size": [None, 2],
    }
    pq.write_table(pa.table(columns), tmp_path / "SPY-chain-1min.parquet")
    feed = RecordedFeed.open([tmp_path])
    assert feed.chain("SPY", utc("2024-01-02 15:02")) == plain
    assert quoted(feed, CALL, "2024-01-02 15:01").ask is None


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_but_a_refusal(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    folder = tmp_path_factory.mktemp("junk")
    (folder / "SPY-1min.csv").write_text(BARS, encoding="utf-8")
    for name, head in (("a-1min.csv", CHAIN), ("b-1min.csv", TRADES), ("c.csv", INTEREST)):
        path = folder / name
        path.write_bytes(head.encode() + row("2024-01-02T15:00", "").encode()[:-1] + junk)
        with suppress(BadConfig):
            RecordedFeed.open([folder / "SPY-1min.csv", path])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([CALL, PUT]), st.integers(0, 400)), min_size=1, max_size=40, unique=True),
    st.lists(st.integers(-5, 420), min_size=1, max_size=10),
)
def test_the_quote_shown_is_always_the_last_row_known(
    tmp_path_factory: pytest.TempPathFactory, rows: list, asked: list
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    opens = utc("2024-01-02 14:30")
    (folder / "SPY-1min.csv").write_text(BARS, encoding="utf-8")
    lines = [
        f"{opens + timedelta(minutes=at):%Y-%m-%dT%H:%M:%SZ},{name},{at + 1},1,999,1\n" for name, at in sorted(rows)
    ]
    (folder / "SPY-chain-1min.csv").write_text(CHAIN + "".join(lines), encoding="utf-8")
    feed = RecordedFeed.open([folder])
    for minute in asked:
        at = opens + timedelta(minutes=minute)
        for name in (CALL, PUT):
            known = [each for contract, each in rows if contract == name and each + 1 <= minute]
            found = feed.option_quote(name, at)
            assert (None if found is None else found.bid) == (max(known) + 1 if known else None)


def test_a_real_chain_opens_quickly_and_is_told_quickly() -> None:
    data = shared_data()
    began = time.process_time()
    feed = RecordedFeed.open([data], symbols=["GOOG"])
    assert time.process_time() - began < 2.0
    assert len(feed.contracts) == 746
    took = []
    for minute in range(10):
        began = time.process_time()
        chain = feed.chain("GOOG", utc("2015-12-24 16:00") + timedelta(minutes=minute))
        took.append(time.process_time() - began)
        assert len(chain) == 746
    assert min(took) < 0.02


def test_a_real_contract_shows_what_its_files_hold() -> None:
    """The rows of GOOG160115C00760000 around 15:00, read off the files: 2 + 1 + 17 + 1 contracts had traded by then."""
    feed = RecordedFeed.open([shared_data()], symbols=["GOOG"])
    name = "GOOG160115C00760000"
    found = quoted(feed, name, "2015-12-24 15:00")
    assert [str(each) for each in (found.bid, found.bid_size, found.ask, found.ask_size)] == ["7.9", "6", "8.3", "15"]
    assert found.at == utc("2015-12-24 15:00")
    assert (found.volume, found.open_interest) == (Decimal(21), Decimal(1250))
    assert quoted(feed, name, "2015-12-24 14:57").volume == 20
    assert quoted(feed, name, "2015-12-24 19:00").volume == 28
    assert found.delta is found.gamma is found.theta is found.vega is found.implied_volatility is None
    early = quoted(feed, "GOOG151231C00777500", "2015-12-24 14:31")
    assert early.bid is early.bid_size is None
    assert (early.ask, early.volume, early.open_interest) == (Decimal("0.35"), Decimal(0), Decimal(13))
    nobody = quoted(feed, "GOOG151231C00810000", "2015-12-24 14:31")
    assert nobody.bid is nobody.ask is None
    assert sum(bar.volume for each in feed.contracts for bar in feed.history(each, EVER, 1000)) == 3658


def test_a_real_chain_without_trades_has_no_volume_and_no_open_interest() -> None:
    feed = RecordedFeed.open([shared_data()], symbols=["SPY"], start=utc("2023-08-01 00:00"))
    chain = feed.chain("SPY", utc("2023-08-03 20:00"))
    assert len(chain) == 4
    assert all(each.volume is None and each.open_interest is None for each in chain)
