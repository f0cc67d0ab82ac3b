"""The calendar knows today and the days ahead, cannot be anything, and agrees with the venue's own word."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from hydra.adapters.calendar import AlwaysOpen, ExchangeCalendar, _digest, new_york
from hydra.model.errors import BadConfig
from hydra.qc.calendars import Almanac, Hours, ask, ask_venue

AT = datetime(2025, 11, 24, 12, tzinfo=UTC)  # Thanksgiving's week: a day without a session, and a shortened one
OPEN = datetime(2025, 11, 24, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> ExchangeCalendar:
    return ExchangeCalendar(tmp_path_factory.mktemp("cache"))


def almanac(hours: Callable[[date], Hours | None], fault: str | None = None) -> Almanac:
    return Almanac(hours=hours, at=AT, cache_fault=lambda: fault)


def test_the_exchanges_calendar_passes_and_names_its_holidays(calendar: ExchangeCalendar) -> None:
    found = ask(almanac(calendar.hours))
    assert found.good
    assert "weekdays without one: 2025-11-27, 2025-12-25" not in found.reason, "a month ahead ends on Christmas eve"
    assert "weekdays without one: 2025-11-27" in found.reason
    assert "shortened: 2025-11-28, 2025-12-24" in found.reason


def session(day: date, opens: time = time(9, 30), hours: float = 6.5) -> Hours:
    begins = new_york(day, opens)
    return begins, begins + timedelta(hours=hours)


def weekdays(day: date) -> Hours | None:
    return session(day) if day.weekday() < 5 else None


WRONG: dict[str, tuple[Callable[[date], Hours | None], str]] = {
    "a Saturday": (lambda day: session(day) if day.weekday() < 6 else None, "a session on Saturday"),
    "an early opening": (lambda day: session(day, time(8)) if day.weekday() < 5 else None, "at 2025-11-24 08:00"),
    "a long session": (lambda day: session(day, hours=9) if day.weekday() < 5 else None, "lasts 9.0 hours"),
    "a short session": (lambda day: session(day, hours=0.5) if day.weekday() < 5 else None, "lasts 0.5 hours"),
    "a hole": (lambda day: None if date(2025, 12, 1) <= day <= date(2025, 12, 5) else weekdays(day), "9 days"),
    "nothing": (lambda _day: None, "no session from"),
}


@pytest.mark.parametrize("what", WRONG)
def test_sessions_that_cannot_be_are_a_no(what: str) -> None:
    hours, words = WRONG[what]
    found = ask(almanac(hours))
    assert found.good is False
    assert words in found.reason


def test_a_calendar_that_ends_says_where() -> None:
    with pytest.raises(BadConfig, match="asked for 2200"):
        ask(Almanac(hours=ExchangeCalendar().hours, at=datetime(2200, 1, 1, 12, tzinfo=UTC), cache_fault=lambda: None))


def test_a_table_on_disk_that_is_not_believed_is_said_and_no_fault(tmp_path: Path) -> None:
    ExchangeCalendar(tmp_path).hours(AT.date())
    (table,) = tmp_path.iterdir()
    sound = table.read_bytes()
    for spoilt, words in (
        (sound[:-9], "is damaged"),
        (sound.replace(b"exchange_calendars", b"older"), "was made by older"),
    ):
        table.write_bytes(spoilt)
        again = ExchangeCalendar(tmp_path)
        assert words in (again.cache_fault() or "")
        found = ask(almanac(again.hours, again.cache_fault()))
        assert found.good
        assert "was not believed" in found.reason
        assert ExchangeCalendar(tmp_path).cache_fault() is None, "it was made again"


def test_a_table_with_a_right_checksum_and_a_session_that_cannot_be_is_a_no(tmp_path: Path) -> None:
    ExchangeCalendar(tmp_path).hours(AT.date())
    (table,) = tmp_path.iterdir()
    document = json.loads(table.read_bytes())
    saturday = [int(moment.timestamp()) for moment in session(date(2025, 11, 29))]
    document["years"]["2025"] = sorted([*document["years"]["2025"], saturday])
    document["sha256"] = _digest(document["years"])
    table.write_text(json.dumps(document), encoding="utf-8")
    forged = ExchangeCalendar(tmp_path)
    assert forged.cache_fault() is None
    assert "Saturday 2025-11-29" in ask(almanac(forged.hours)).reason


def test_practice_is_said(calendar: ExchangeCalendar) -> None:
    found = ask(Almanac(hours=calendar.hours, at=AT, cache_fault=lambda: None, practice=True))
    assert found.good
    assert found.reason.startswith("PRACTICE")
    assert ask_venue(AlwaysOpen(), AT, None, practice=True).reason.startswith("PRACTICE")


@pytest.mark.parametrize(
    ("at", "venue", "good"),
    [
        (OPEN, True, True),
        (OPEN, False, False),
        (AT, False, True),
        (AT, True, False),
        (OPEN, None, True),
        (datetime(2025, 11, 24, 14, 30, 20, tzinfo=UTC), False, None),
        (datetime(2025, 11, 24, 21, 0, 20, tzinfo=UTC), True, None),
        (datetime(2025, 11, 24, 21, 3, tzinfo=UTC), True, False),
    ],
)
def test_the_venues_own_word_has_to_agree_but_about_the_turn(
    calendar: ExchangeCalendar, at: datetime, venue: bool | None, good: bool | None
) -> None:
    assert ask_venue(calendar, at, None if venue is None else lambda: venue).good is good
