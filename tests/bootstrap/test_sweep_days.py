"""The days of a market, for windows: those with prices, as a study counts them, one touching the next."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.bootstrap.backtest import Stretch
from hydra.bootstrap.sweep_days import days_of
from tests.e2e.tape import OPEN, swings, write_bars

FRIDAY = datetime(2025, 1, 3, 14, 30, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)


def feed(folder: Path, *symbols: str) -> RecordedFeed:
    return RecordedFeed.open([folder], symbols=symbols, some=True)


def test_shares_have_exchange_days_and_what_lies_between_belongs_to_the_later(tmp_path: Path) -> None:
    for day in (FRIDAY, OPEN, OPEN + timedelta(days=2)):
        write_bars(tmp_path, "SPY", swings, day=day, minutes=5)
    friday, monday, wednesday = days_of(feed(tmp_path, "SPY", "BTC-USD"), ExchangeCalendar(), Stretch())
    assert [friday.day, monday.day, wednesday.day] == [date(2025, 1, 3), date(2025, 1, 6), date(2025, 1, 8)]
    assert friday.begins == datetime(2025, 1, 3, 5, tzinfo=UTC)
    assert monday.begins == friday.ends + MOMENT == datetime(2025, 1, 4, 5, tzinfo=UTC)
    assert wednesday.begins == monday.ends + MOMENT == datetime(2025, 1, 7, 5, tzinfo=UTC)


def test_pairs_have_days_of_utc_that_end_with_midnight_and_a_gap_takes_no_time(tmp_path: Path) -> None:
    write_bars(tmp_path, "BTC-USD", swings, day=datetime(2024, 6, 1, 23, 55, tzinfo=UTC), minutes=5)
    write_bars(tmp_path, "BTC-USD", swings, day=datetime(2025, 1, 5, 0, 0, tzinfo=UTC), minutes=5)
    first, second = days_of(feed(tmp_path, "BTC-USD", "SPY"), ExchangeCalendar(), Stretch())
    assert (first.day, first.ends) == (date(2024, 6, 1), datetime(2024, 6, 2, tzinfo=UTC)), "SPY has no prices here"
    assert (second.day, second.begins) == (date(2025, 1, 5), datetime(2025, 1, 5, tzinfo=UTC) + MOMENT), "a Sunday"


def test_a_stretch_cuts_the_first_day_and_the_last(tmp_path: Path) -> None:
    for day in (FRIDAY, OPEN):
        write_bars(tmp_path, "SPY", swings, day=day, minutes=60)
    since, until = FRIDAY + timedelta(minutes=30), OPEN + timedelta(minutes=30)
    first, last = days_of(feed(tmp_path, "SPY"), ExchangeCalendar(), Stretch(since=since, until=until))
    assert (first.begins, last.ends) == (since, until)
    assert len(days_of(feed(tmp_path, "SPY"), ExchangeCalendar(), Stretch(until=since))) == 1
    assert len(days_of(feed(tmp_path, "SPY"), ExchangeCalendar(), Stretch(), most=1)) == 1
