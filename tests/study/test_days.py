"""Which days there are, and what each returned."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from hydra.study.curve import Curve, Sparse, micros, moment
from hydra.study.daily import Track, monthly, track_of
from hydra.study.study import study
from tests.study.tape import Tape

MONDAY = datetime(2024, 3, 4, 14, 31, tzinfo=UTC)


def curve_of(*looks: tuple[datetime, float, bool]) -> Curve:
    """Looks: when, the equity, and whether shares were traded."""
    curve = Curve()
    for at, equity, opened in looks:
        curve.date(at.date(), opened=opened)
        curve.add(at, equity, 0.0)
    return curve


def whole(curve: Curve, *, shares: bool) -> Track:
    return track_of(curve, 0, len(curve) - 1, shares=shares)


def test_the_night_belongs_to_the_next_day_and_the_weekend_to_the_next_session() -> None:
    day = timedelta(days=1)
    curve = curve_of(
        (MONDAY, 100, True),
        (MONDAY + timedelta(hours=5), 110, True),
        (MONDAY + day, 121, True),
        (MONDAY + 5 * day, 133.1, False),  # a Saturday
        (MONDAY + 7 * day, 146.41, True),
    )
    track = whole(curve, shares=True)
    assert track.days.dates == (date(2024, 3, 4), date(2024, 3, 5), date(2024, 3, 11))
    assert track.returns.tolist() == pytest.approx([0.1, 0.1, 0.21])
    assert track.days.year == 252


def test_what_follows_the_last_session_belongs_to_it() -> None:
    curve = curve_of((MONDAY, 100, True), (MONDAY + timedelta(hours=10), 99, False))
    track = whole(curve, shares=True)
    assert track.days.dates == (date(2024, 3, 4),)
    assert track.returns.tolist() == pytest.approx([-0.01])


def test_pairs_have_days_of_utc_and_midnight_closes_the_day_before() -> None:
    saturday = datetime(2024, 3, 9, 23, 59, tzinfo=UTC)
    minute = timedelta(minutes=1)
    curve = curve_of(
        (saturday, 100, False),
        (saturday + minute, 110, False),
        (saturday + 2 * minute, 99, False),
        (saturday + 9 * minute, 99, False),
    )
    track = whole(curve, shares=False)
    assert track.days.dates == (date(2024, 3, 9), date(2024, 3, 10))
    assert track.returns.tolist() == pytest.approx([0.1, -0.1])
    assert (track.days.year, track.days.basis, track.days.told) == (365, "days of UTC", "2 days of UTC")


def test_a_gap_in_the_data_is_one_night() -> None:
    years = timedelta(days=3650)
    track = whole(curve_of((MONDAY, 100, True), (MONDAY + years, 110, True)), shares=True)
    assert len(track.returns) == 2
    assert track.returns.tolist() == pytest.approx([0.0, 0.1])


def test_looks_without_an_equity_are_passed_over() -> None:
    minute = timedelta(minutes=1)
    curve = curve_of((MONDAY, 100, True), (MONDAY + minute, float("nan"), True), (MONDAY + 2 * minute, 105, True))
    track = whole(curve, shares=True)
    assert track.rows.tolist() == [0, 2]
    assert track.returns.tolist() == pytest.approx([0.05])


def test_growth_goes_on_where_the_owner_pays_in_or_out() -> None:
    minute = timedelta(minutes=1)
    equities = (100.0, 110.0, 210.0, 231.0, 131.0, 144.1)
    curve = curve_of(*((MONDAY + n * minute, equity, True) for n, equity in enumerate(equities)))
    curve.flows += [(2, 100.0), (4, -100.0)]
    track = whole(curve, shares=True)
    assert track.growth.tolist() == pytest.approx([1, 1.1, 1.1, 1.21, 1.21, 1.331])


def test_an_account_without_anything_has_no_growth() -> None:
    curve = curve_of((MONDAY, 0.0, True), (MONDAY + timedelta(minutes=1), 5.0, True))
    assert whole(curve, shares=True).returns.tolist() == []
    lost = curve_of(
        (MONDAY, 10.0, True), (MONDAY + timedelta(days=1), -5.0, True), (MONDAY + timedelta(days=2), 9.0, True)
    )
    assert whole(lost, shares=True).returns.tolist() == [0, -1, 0]


def test_months_multiply_their_days() -> None:
    curve = curve_of(
        (datetime(2024, 1, 30, 15, tzinfo=UTC), 100, True),
        (datetime(2024, 1, 31, 15, tzinfo=UTC), 110, True),
        (datetime(2024, 2, 1, 15, tzinfo=UTC), 99, True),
    )
    assert monthly(whole(curve, shares=True)) == pytest.approx({(2024, 1): 0.1, (2024, 2): -0.1})


def test_a_run_on_pairs_alone_counts_days_of_utc() -> None:
    shares, pairs = Tape(), Tape()
    for tape, symbol in ((shares, "SPY"), (pairs, "BTC-USD")):
        tape.look("10000", {symbol: "100"})
        tape.look("10000", {symbol: "100"}, minutes=1440)
    assert [done.track.days.year for done in (study(shares.recorder), study(pairs.recorder)) if done.track] == [
        252,
        365,
    ]


def test_a_column_keeps_changes_only_and_gives_a_value_for_each_row() -> None:
    column = Sparse()
    for row, value in ((1, 5.0), (2, 5.0), (4, 7.0)):
        column.add(row, value)
    assert list(column.rows) == [1, 4]
    assert column.dense(6).tolist() == [0, 5, 5, 5, 7, 7]
    assert column.dense(3).tolist() == [0, 5, 5]
    assert Sparse().dense(2).tolist() == [0, 0]


def test_times_survive_as_microseconds() -> None:
    at = datetime(2017, 9, 3, 0, 1, 2, 345678, tzinfo=UTC)
    assert moment(micros(at)) == at
