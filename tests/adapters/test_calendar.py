"""The exchange's sessions on days whose hours are a matter of record."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.calendar import AlwaysOpen, ExchangeCalendar
from hydra.model.errors import BadConfig
from hydra.model.market import AssetClass
from hydra.model.snapshot import Session

CALENDAR = ExchangeCalendar()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def equity(at: str) -> Session:
    return CALENDAR.sessions(utc(at)).by_class[AssetClass.EQUITY]


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        ("2013-10-14 07:59:59", "closed"),  # Columbus Day is an exchange day
        ("2013-10-14 08:00:00", "pre"),
        ("2013-10-14 13:29:59", "pre"),
        ("2013-10-14 13:30:00", "regular"),
        ("2013-10-14 19:59:59", "regular"),
        ("2013-10-14 20:00:00", "post"),
        ("2013-10-14 23:59:59", "post"),
        ("2013-10-15 00:00:00", "closed"),
        ("2015-12-24 17:59:59", "regular"),  # closes at 13:00
        ("2015-12-24 18:00:00", "post"),
        ("2024-07-03 16:59:00", "regular"),  # closes at 13:00
        ("2024-07-03 17:00:00", "post"),
        ("2024-07-04 15:00:00", "closed"),
        ("2024-12-25 15:00:00", "closed"),
        ("2024-03-29 15:00:00", "closed"),  # Good Friday
        ("2023-04-07 15:00:00", "closed"),  # Good Friday
        ("2024-06-01 15:00:00", "closed"),  # a Saturday
        ("2024-03-08 14:29:00", "pre"),  # the last day of winter time
        ("2024-03-08 14:30:00", "regular"),
        ("2024-03-11 13:30:00", "regular"),  # the first of summer time
        ("2024-11-01 13:30:00", "regular"),
        ("2024-11-04 13:30:00", "pre"),
        ("2024-11-04 14:30:00", "regular"),
    ],
)
def test_the_phase_of_a_known_moment(at: str, phase: str) -> None:
    session = equity(at)
    assert session.phase == phase
    assert session.open is (phase == "regular")
    assert CALENDAR.sessions(utc(at)).by_class[AssetClass.OPTION] == session


@pytest.mark.parametrize(
    ("at", "opens", "closes"),
    [
        ("2015-12-24 10:00", "2015-12-24 14:30", "2015-12-24 18:00"),
        ("2015-12-24 17:59", "2015-12-24 14:30", "2015-12-24 18:00"),
        ("2015-12-24 18:00", "2015-12-28 14:30", "2015-12-28 21:00"),
        ("2015-12-26 12:00", "2015-12-28 14:30", "2015-12-28 21:00"),
        ("2024-12-31 21:00", "2025-01-02 14:30", "2025-01-02 21:00"),
        ("2025-01-01 00:30", "2025-01-02 14:30", "2025-01-02 21:00"),
        ("2024-03-09 12:00", "2024-03-11 13:30", "2024-03-11 20:00"),
    ],
)
def test_the_current_or_else_the_next_session_is_named(at: str, opens: str, closes: str) -> None:
    session = equity(at)
    assert (session.opens_at, session.closes_at) == (utc(opens), utc(closes))


@pytest.mark.parametrize(
    ("at", "day", "minute"),
    [
        ("2024-07-04 03:59:59", date(2024, 7, 3), 23 * 60 + 59),
        ("2024-07-04 04:00:00", date(2024, 7, 4), 0),
        ("2024-01-15 14:31:59", date(2024, 1, 15), 9 * 60 + 31),
        ("2024-03-10 07:00:00", date(2024, 3, 10), 3 * 60),  # 02:00 to 03:00 did not happen
        ("2024-11-03 06:30:00", date(2024, 11, 3), 90),  # 01:30 a second time
    ],
)
def test_day_and_minute_are_new_yorks(at: str, day: date, minute: int) -> None:
    sessions = CALENDAR.sessions(utc(at))
    assert (sessions.day, sessions.minute) == (day, minute)


def test_pairs_trade_around_the_clock() -> None:
    session = CALENDAR.sessions(utc("2024-12-25 15:00")).by_class[AssetClass.CRYPTO]
    assert session == Session(open=True, phase="continuous")


def test_hours_of_a_day_or_none() -> None:
    assert CALENDAR.hours(date(2024, 7, 3)) == (utc("2024-07-03 13:30"), utc("2024-07-03 17:00"))
    assert CALENDAR.hours(date(2024, 7, 4)) is None
    assert sum(CALENDAR.hours(date(2024, 1, 1) + timedelta(days=day)) is not None for day in range(366)) == 252


@settings(max_examples=100, deadline=None)
@given(st.datetimes(datetime(2013, 1, 2), datetime(2026, 12, 1), timezones=st.just(UTC)))  # noqa: DTZ001  # made aware by timezones
def test_the_phase_agrees_with_the_hours_named(at: datetime) -> None:
    sessions = CALENDAR.sessions(at)
    session = sessions.by_class[AssetClass.EQUITY]
    assert session.opens_at is not None
    assert session.closes_at is not None
    assert at < session.closes_at
    assert session.open == (session.opens_at <= at)
    assert session.open == (session.phase == "regular")
    hours = CALENDAR.hours(sessions.day)
    assert session.phase in ({"closed"} if hours is None else {"closed", "pre", "regular", "post"})
    assert sessions.by_class == ExchangeCalendarOnce.get().sessions(at).by_class


class ExchangeCalendarOnce:
    """A second calendar, asked in another order."""

    _made: ExchangeCalendar | None = None

    @classmethod
    def get(cls) -> ExchangeCalendar:
        if cls._made is None:
            cls._made = ExchangeCalendar()
            cls._made.sessions(datetime(2030, 6, 3, 12, tzinfo=UTC))
        return cls._made


def test_years_without_a_calendar_are_refused() -> None:
    with pytest.raises(BadConfig, match="1970 to 2199, asked for 1960"):
        CALENDAR.sessions(utc("1960-06-01 12:00"))


def test_practice_is_always_open() -> None:
    sessions = AlwaysOpen().sessions(utc("2024-12-25 05:01"))
    assert (sessions.day, sessions.minute) == (date(2024, 12, 25), 1)
    assert set(sessions.by_class) == set(AssetClass)
    assert all(session.open and session.phase == "continuous" for session in sessions.by_class.values())


def test_a_caller_cannot_change_what_the_next_one_is_told() -> None:
    at = utc("2024-07-03 15:00")
    told = CALENDAR.sessions(at).by_class
    assert isinstance(told, dict)
    told.clear()
    assert len(CALENDAR.sessions(at).by_class) == 3


def test_a_second_start_reads_its_table_and_leaves_pandas_alone(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from datetime import UTC, datetime;"
        "from hydra.adapters.calendar import ExchangeCalendar;"
        "s = ExchangeCalendar(Path(sys.argv[1])).sessions(datetime(2024, 7, 3, 17, tzinfo=UTC));"
        "print(s); print('pandas' in sys.modules)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "cache")]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert first.replace("\nTrue", "\nFalse") == second
    assert first.endswith("\nTrue\n")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: "\x00\xff garbage",
        lambda text: json.dumps(json.loads(text) | {"made_by": "exchange_calendars 0.1"}),
        lambda text: text.replace("1720013400", "1720013460"),
        lambda text: json.dumps(json.loads(text) | {"years": {"2024": [["a", "b"]]}}),
    ],
)
def test_a_table_that_cannot_be_believed_is_made_again(tmp_path: Path, spoil) -> None:
    ExchangeCalendar(tmp_path).hours(date(2024, 7, 3))
    path = tmp_path / "sessions-XNYS.json"
    good = path.read_text(encoding="utf-8")
    assert "1720013400" in good
    path.write_text(spoil(good), encoding="utf-8")
    assert ExchangeCalendar(tmp_path).hours(date(2024, 7, 3)) == (utc("2024-07-03 13:30"), utc("2024-07-03 17:00"))
    assert path.read_text(encoding="utf-8") == good
    assert [each.name for each in tmp_path.iterdir()] == ["sessions-XNYS.json"]


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    calendar = ExchangeCalendar(tmp_path / "file" / "cache")
    assert calendar.hours(date(2024, 7, 4)) is None
