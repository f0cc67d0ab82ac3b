"""A series answers as if it built every row anew, however it is gone through, and keeps few of them."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.markets.columns import Columns
from hydra.adapters.markets.exact import Numbers
from hydra.adapters.markets.feed import as_counted
from hydra.adapters.markets.frames import series
from hydra.adapters.markets.other_future import Future, OtherFuture
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.adapters.markets.series import Series, bars_of, quotes_of
from hydra.adapters.markets.times import array_of, ints_of, merged, micros, moment, moments
from hydra.model.market import Bar

MINUTE = timedelta(minutes=1)
START = datetime(2024, 1, 2, tzinfo=UTC)
ROWS = 6000
GAP = 4000
"""At this row a weekend lies in the recording."""


def at(row: int) -> datetime:
    """When a row opens."""
    return START + row * MINUTE + (timedelta(days=2) if row >= GAP else timedelta(0))


def expected(row: int) -> Bar:
    """The bar of a row, from its number alone."""
    base = Decimal(100 + row)
    return Bar(
        symbol="BTC-USD",
        at=at(row),
        seconds=60,
        open=base,
        high=base + 2,
        low=base - 1,
        close=base + 1,
        volume=Decimal(row),
    )


def part(first: int, last: int) -> Columns:
    rows = range(first, last)
    bars = [expected(row) for row in rows]
    columns = [[str(getattr(bar, name)) for bar in bars] for name in ("open", "high", "low", "close", "volume")]
    known = array_of(np.array([micros(bar.closes_at) for bar in bars], np.int64))
    return Columns(Path("rows"), 60, known, tuple(Numbers.of(pa.array(each, pa.string())) for each in columns))


WHOLE, HALVES = [part(0, ROWS)], [part(0, 3001), part(3001, ROWS)]
ASKED = st.lists(st.tuples(st.integers(0, ROWS + 5), st.integers(0, 300)), min_size=1, max_size=40)


@pytest.mark.parametrize("parts", [WHOLE, HALVES], ids=["one file", "two files"])
@settings(max_examples=12, deadline=None, derandomize=True)
@given(asked=ASKED, steps=st.integers(0, 80))
def test_whatever_was_asked_before_the_last_bars_are_those_of_the_rows(
    parts: list[Columns], asked: list[tuple[int, int]], steps: int
) -> None:
    found = Series("BTC-USD", parts, bars_of)
    walk = [(row, 3) for row in range(50, 50 + 30 * steps, 30)]
    for row, count in (*asked, *walk, *reversed(asked)):
        end = min(row, ROWS)
        upto = at(end - 1) + MINUTE if end else START
        assert found.last(upto, count) == tuple(map(expected, range(max(0, end - count), end)))
        if end:
            assert found.value(end - 1) == expected(end - 1)


def test_rows_are_counted_from_the_end_too_and_one_that_is_not_there_is_an_error() -> None:
    for parts in (WHOLE, HALVES):
        found = Series("BTC-USD", parts, bars_of)
        assert found.value(-1) == found.value(ROWS - 1) == expected(ROWS - 1)
        assert found._built(5, 5) == []
        assert found._built(ROWS - 1, ROWS) == [expected(ROWS - 1)]
        for index in (ROWS, -ROWS - 1):
            with pytest.raises(IndexError):
                found.value(index)


def test_going_through_a_history_keeps_a_part_of_it_and_builds_each_bar_once() -> None:
    found = Series("BTC-USD", WHOLE, bars_of)
    before: Bar | None = None
    for row in range(ROWS):
        pair = found.values(max(0, row - 1), row + 1)
        assert before is None or pair[0] is before
        before = pair[-1]
        assert len(found._kept) <= 2048
        assert all(len(column._blocks) <= 32 for column in WHOLE[0].numbers if isinstance(column, Numbers))
    assert len(found.values(0, 1500)) == 1500
    assert len(found._kept) <= 3000
    page = found.values(0, 1500)
    assert all(again is one for again, one in zip(found.values(0, 1500), page, strict=True))


def test_the_last_answer_to_what_is_known_is_for_its_own_time_only() -> None:
    found = Series("BTC-USD", WHOLE, bars_of)
    now = at(9) + MINUTE
    assert (found.known_by(now), found.known_by(now)) == (10, 10)
    assert found.known_by(now - timedelta(microseconds=1)) == 9
    assert found.known_by(now) == 10
    assert found.known_by(at(ROWS) + MINUTE) == ROWS


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(-5, ROWS + 5), st.integers(0, ROWS + 5), st.integers(0, 59))
def test_how_many_bars_lie_after_a_time_is_what_the_bars_say(after: int, upto: int, seconds: int) -> None:
    found = Series("BTC-USD", HALVES, bars_of)
    since, now = at(after) + timedelta(seconds=seconds), at(upto)
    last = found.last(now, ROWS) if upto - after > 2000 else found.last(now, 2100)
    assert found.count_since(since, now) == sum(bar.at > since for bar in last)


def test_an_other_future_counts_what_it_shows_and_a_feed_that_cannot_tell_says_so() -> None:
    feed = RecordedFeed.over(Series("BTC-USD", WHOLE, bars_of))
    since, moment_, now = at(5), at(20), at(40)
    cut, bent = OtherFuture(feed, moment_, Future.CUT), OtherFuture(feed, moment_, Future.BENT)
    for each in (feed, cut, bent):
        shown = [bar for bar in each.history("BTC-USD", now, 100) if bar.at > since]
        assert each.count_since("BTC-USD", since, now) == len(shown)
    assert feed.count_since("ETH-USD", since, now) is None
    assert as_counted(object()) is None


def test_quotes_are_known_when_their_interval_ends() -> None:
    known = array("q", [micros(at(row)) for row in range(3)])
    columns = [Numbers.of(pa.array([f"{10 + n}.{row}" for row in range(3)], pa.string())) for n in range(4)]
    found = Series(
        "BTC-USD", [Columns(Path("rows"), 60, known, (columns[0], columns[2], columns[1], columns[3]))], quotes_of
    )
    quote = found.value(1)
    assert (quote.at, quote.bid, quote.bid_size) == (at(1), Decimal("10.1"), Decimal("12.1"))
    assert (quote.ask, quote.ask_size) == (Decimal("11.1"), Decimal("13.1"))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 10**16), max_size=12), st.integers(1, 10**10))
def test_times_that_are_counted_on_are_those_of_each_stamp(stamps: list[int], step: int) -> None:
    steady = [10**15 + step * place for place in range(6)]
    for each in (stamps, sorted(stamps), [*steady, *stamps, *steady]):
        assert moments(each) == [moment(stamp) for stamp in each]


def test_instants_are_merged_each_once_and_those_of_one_are_not_copied() -> None:
    one, other, twice = array("q", [1, 5, 9]), array("q", [5, 7]), array("q", [4, 4, 2])
    assert merged([one, array("q"), other]).tolist() == [1, 5, 7, 9]
    assert merged([one, array("q")]) is one
    assert merged([twice]).tolist() == [2, 4]
    assert merged([]).tolist() == []
    assert ints_of(merged([one])).tolist() == [1, 5, 9]


def test_a_frame_that_is_written_to_afterwards_leaves_its_series_as_it_was() -> None:
    pandas = pytest.importorskip("pandas")
    names = ("open", "high", "low", "close", "volume")
    frame = pandas.DataFrame(
        {"timestamp": [at(row) for row in range(3)], **{name: [10.0, 11.0, 12.0] for name in names}}
    )
    found = series(frame, symbol="BTC-USD", interval="1min")
    before = found.digest()
    for name in names:
        frame.loc[1, name] = 99.0
    assert found.digest() == before
    assert found.value(1).close == 11
