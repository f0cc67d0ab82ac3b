"""The rehearsal's calendar says what the library's says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hydra.adapters.calendar import ExchangeCalendar
from hydra.qc.rehearsal.hours import EARLY, ExchangeHours, is_exchange_day, utc

FIRST, DAYS = date(2024, 1, 1), 366
MINUTES = (0, 240, 569, 570, 780, 959, 960, 1200, 1439)


def test_every_turn_of_every_day_is_as_the_library_has_it() -> None:
    mine, theirs = ExchangeHours(), ExchangeCalendar()
    for number in range(DAYS - 1):
        day = FIRST + timedelta(days=number)
        for minute in MINUTES:
            at = utc(day, minute) + timedelta(seconds=17)
            assert mine.sessions(at) == theirs.sessions(at), at


def test_an_hour_that_the_clocks_repeat_is_counted_as_new_york_counts_it() -> None:
    mine, theirs = ExchangeHours(), ExchangeCalendar()
    for day in (datetime(2024, 3, 10, tzinfo=UTC), datetime(2024, 11, 3, tzinfo=UTC)):
        for quarter in range(4 * 30):
            at = day + timedelta(minutes=15 * quarter)
            assert mine.sessions(at) == theirs.sessions(at), at


def test_there_are_days_that_end_early() -> None:
    assert all(map(is_exchange_day, EARLY))
    assert len(EARLY) == 3
