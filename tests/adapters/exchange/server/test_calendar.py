"""The routes of clock and calendar, over New York's own calendar and over one that never closes."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Any

import pytest

from hydra.adapters.calendar import AlwaysOpen, ExchangeCalendar
from hydra.adapters.exchange.server.sessions import day_of, days, last_closed, turn
from tests.adapters.exchange.server.scenes import Stage

NEW_YORK = ExchangeCalendar()


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.fixture
def exchange_days() -> Stage:
    """A stage on New York's calendar, on Monday 2024-03-04 at 09:31 there."""
    return Stage(calendar=NEW_YORK)


def test_the_clock_names_the_next_opening_and_the_next_close(exchange_days: Stage) -> None:
    assert exchange_days.get("/v2/clock") == {
        "timestamp": "2024-03-04T09:31:00-05:00",
        "is_open": True,
        "next_open": "2024-03-05T09:30:00-05:00",
        "next_close": "2024-03-04T16:00:00-05:00",
    }


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2015-12-24T12:59:00-05:00", (True, "2015-12-28T09:30:00-05:00", "2015-12-24T13:00:00-05:00")),
        ("2015-12-24T13:00:00-05:00", (False, "2015-12-28T09:30:00-05:00", "2015-12-28T16:00:00-05:00")),
        ("2015-12-25T12:00:00-05:00", (False, "2015-12-28T09:30:00-05:00", "2015-12-28T16:00:00-05:00")),
        ("2015-12-28T04:00:00-05:00", (False, "2015-12-28T09:30:00-05:00", "2015-12-28T16:00:00-05:00")),
        ("2024-03-08T15:59:59-05:00", (True, "2024-03-11T09:30:00-04:00", "2024-03-08T16:00:00-05:00")),
    ],
)
def test_the_turn_of_the_market_knows_half_days_holidays_and_daylight_saving(
    at: str, expected: tuple[bool, str, str]
) -> None:
    is_open, opens, closes = turn(NEW_YORK, _at(at))
    assert (is_open, opens, closes) == (expected[0], _at(expected[1]), _at(expected[2]))


def test_a_market_that_never_closes_turns_at_midnight() -> None:
    at = _at("2024-03-04T09:31:00-05:00")
    assert turn(AlwaysOpen(), at) == (True, _at("2024-03-05T00:00:00-05:00"), _at("2024-03-05T00:00:00-05:00"))
    assert len(list(days(AlwaysOpen(), date(2024, 3, 1), date(2024, 3, 31)))) == 31


def test_the_calendar_knows_half_days_holidays_and_when_trades_settle(exchange_days: Stage) -> None:
    rows = exchange_days.get("/v2/calendar", start="2015-12-23", end="2015-12-29")
    assert [(row["date"], row["close"], row["settlement_date"]) for row in rows] == [
        ("2015-12-23", "16:00", "2015-12-29"),
        ("2015-12-24", "13:00", "2015-12-30"),
        ("2015-12-28", "16:00", "2015-12-31"),
        ("2015-12-29", "16:00", "2016-01-04"),
    ]
    assert {(row["session_open"], row["session_close"]) for row in rows} == {("0400", "2000")}


def test_the_calendar_can_be_asked_by_settlement(exchange_days: Stage) -> None:
    rows = exchange_days.get("/v2/calendar", start="2015-12-29", end="2015-12-30", date_type="SETTLEMENT")
    assert [row["date"] for row in rows] == ["2015-12-23", "2015-12-24"]


def test_the_calendar_of_a_market_has_the_parts_of_each_day(exchange_days: Stage) -> None:
    body = exchange_days.get("/v3/calendar/XNYS", start="2015-12-24", end="2015-12-25")
    assert body["market"]["acronym"] == "NYSE"
    assert body["calendar"] == [
        {
            "date": "2015-12-24",
            "core_start": "2015-12-24T09:30:00-05:00",
            "core_end": "2015-12-24T13:00:00-05:00",
            "pre_start": "2015-12-24T04:00:00-05:00",
            "pre_end": "2015-12-24T09:30:00-05:00",
            "post_start": "2015-12-24T13:00:00-05:00",
            "post_end": "2015-12-24T20:00:00-05:00",
            "settlement_date": "2015-12-30",
        }
    ]
    in_utc = exchange_days.get("/v3/calendar/nasdaq", start="2024-03-04", end="2024-03-04", timezone="UTC")
    assert in_utc["calendar"][0]["core_start"] == "2024-03-04T14:30:00Z"
    assert len(exchange_days.get("/v3/calendar/OPRA")["calendar"]) == 6


@pytest.mark.parametrize(
    ("at", "phase", "until"),
    [
        ("2024-03-04T03:00:00-05:00", "closed", "2024-03-04T04:00:00-05:00"),
        ("2024-03-04T08:00:00-05:00", "pre", "2024-03-04T09:30:00-05:00"),
        ("2024-03-04T12:00:00-05:00", "core", "2024-03-04T16:00:00-05:00"),
        ("2024-03-04T16:00:00-05:00", "post", "2024-03-04T20:00:00-05:00"),
        ("2024-03-08T21:00:00-05:00", "closed", "2024-03-11T04:00:00-04:00"),
    ],
)
def test_the_clock_of_markets_knows_the_phase(exchange_days: Stage, at: str, phase: str, until: str) -> None:
    clocks = exchange_days.get("/v3/clock", markets="NYSE,NASDAQ", time=at)["clocks"]
    assert [(each["phase"], each["phase_until"]) for each in clocks] == [(phase, until)] * 2


BAD: dict[str, tuple[str, dict[str, Any], int]] = {
    "start": ("/v2/calendar", {"start": "soon"}, 422),
    "order": ("/v2/calendar", {"start": "2024-03-05", "end": "2024-03-04"}, 422),
    "kind": ("/v2/calendar", {"date_type": "OTHER"}, 422),
    "market": ("/v3/calendar/NOWHERE", {}, 400),
    "elsewhere": ("/v3/calendar/LSE", {}, 404),
    "zone": ("/v3/calendar/NYSE", {"timezone": "CET"}, 422),
    "turned": ("/v3/calendar/NYSE", {"start": "2024-03-05", "end": "2024-03-04"}, 400),
    "markets": ("/v3/clock", {"markets": "NYSE,XXX"}, 400),
    "time": ("/v3/clock", {"time": "noon"}, 422),
    "long-ago": ("/v3/clock", {"time": "1950-01-01T00:00:00Z"}, 400),
}


@pytest.mark.parametrize(("path", "params", "status"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_read_is_refused(stage: Stage, path: str, params: dict[str, Any], status: int) -> None:
    stage.get(path, status, **params)


def test_the_ends_of_the_calendar_are_no_days_and_no_errors() -> None:
    assert day_of(NEW_YORK, date(1969, 12, 31)) is None
    assert day_of(NEW_YORK, date(2200, 1, 2)) is None
    assert last_closed(NEW_YORK, _at("2024-03-04T16:00:00-05:00")) == day_of(NEW_YORK, date(2024, 3, 4))
    assert last_closed(NEW_YORK, _at("2024-03-04T15:59:59-05:00")) == day_of(NEW_YORK, date(2024, 3, 1))


def test_the_whole_calendar_is_asked_for_without_waiting_twice(exchange_days: Stage) -> None:
    rows = exchange_days.get("/v2/calendar", start="2014-01-01", end="2016-12-31")
    assert len(rows) == 756
    begun = time.perf_counter()
    assert exchange_days.get("/v2/calendar", start="2014-01-01", end="2016-12-31") == rows
    assert time.perf_counter() - begun < 1
