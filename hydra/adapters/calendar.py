"""The exchange's sessions: which day it is there, which minute of that day, and who trades.

``ExchangeCalendar`` knows the New York Stock Exchange's schedule, early closes and holidays included, from
``exchange_calendars``. That library brings pandas and costs about a second to import, so it is imported when a year is
asked for that is in no table yet; the tables are plain epoch seconds, kept in memory and, if a folder is given, on disk.
A table on disk is believed only if it was made by the installed version of the library and its checksum holds; otherwise
it is ignored and made again. ``AlwaysOpen`` is the calendar of practice: everything trades around the clock.

The oddities: pre-market is 04:00 to the opening and post-market the close to 20:00 New York on every exchange day, half
days too; after the close, a session's ``opens_at`` and ``closes_at`` already name the next one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hydra.model.errors import BadConfig
from hydra.model.market import AssetClass
from hydra.model.snapshot import Session, Sessions
from hydra.model.values import replace

NEW_YORK = ZoneInfo("America/New_York")
PRE_OPENS = time(4, 0)
POST_CLOSES = time(20, 0)
YEAR_FIRST, YEAR_LAST = 1970, 2199
"""The years that can be asked for. Years ahead follow today's rules: a closure not announced yet is not known."""

_EXCHANGE = "XNYS"
_CONTINUOUS = Session(open=True, phase="continuous")

Hours = tuple[datetime, datetime]
"""Opening and close of one exchange day, aware UTC."""


def new_york(day: date, at: time) -> datetime:
    """A New York wall time as aware UTC."""
    return datetime.combine(day, at, NEW_YORK).astimezone(UTC)


def _sessions(at: datetime, by_class: Mapping[AssetClass, Session]) -> Sessions:
    local = at.astimezone(NEW_YORK)
    return Sessions(day=local.date(), minute=local.hour * 60 + local.minute, by_class=dict(by_class))


class AlwaysOpen:
    """A ``Calendar`` in which everything trades around the clock, for practice."""

    def sessions(self, at: datetime) -> Sessions:
        """New York's day and minute at ``at``; every class is open and continuous."""
        return _sessions(at, dict.fromkeys(AssetClass, _CONTINUOUS))


class _Stretch:
    """A span of time in which nobody's phase changes, and what is said in it."""

    __slots__ = ("before", "begins", "by_class", "ends")

    def __init__(self, begins: datetime, ends: datetime, phase: str, hours: Hours, before: Hours) -> None:
        self.begins = begins
        self.ends = ends
        self.before = before
        shares = Session(open=phase == "regular", phase=phase, opens_at=hours[0], closes_at=hours[1])
        self.by_class = {
            AssetClass.EQUITY: shares,
            AssetClass.OPTION: shares,
            AssetClass.CRYPTO: _CONTINUOUS,
        }


class ExchangeCalendar:
    """The ``Calendar`` of US equities and options; crypto never closes.

    ``cache_folder``: where tables of sessions may be kept between starts (``None``: nowhere). Threads may share one.
    """

    def __init__(self, cache_folder: Path | None = None) -> None:
        self._cache = None if cache_folder is None else _TableFile(cache_folder / f"sessions-{_EXCHANGE}.json")
        self._years: dict[int, dict[date, Hours]] = {}
        self._closings: dict[int, tuple[list[datetime], list[Hours]]] = {}
        self._last: _Stretch | None = None
        self._lock = threading.Lock()

    def sessions(self, at: datetime) -> Sessions:
        """Day, minute and sessions at ``at`` (aware UTC). Raises ``BadConfig`` outside the years 1970 to 2199."""
        return _sessions(at, self._stretch(at).by_class)

    def before(self, at: datetime) -> Hours:
        """The last session that is over at ``at``."""
        return self._stretch(at).before

    def hours(self, day: date) -> Hours | None:
        """Opening and close (aware UTC) of an exchange day; ``None`` on any other day."""
        return self._year(day.year).get(day)

    def cache_fault(self) -> str | None:
        """Why the table on disk is not believed now; ``None`` when it is, or when there is none."""
        return None if self._cache is None else self._cache.fault()

    def load(self, first: int, last: int) -> None:
        """Have the years from ``first`` to ``last`` at hand, with one question to the library for those that are not."""
        with self._lock:
            missing = [
                year for year in range(max(first, YEAR_FIRST), min(last, YEAR_LAST) + 1) if year not in self._years
            ]
            if missing and self._cache is not None:
                self._years.update(self._cache.read())
                missing = [year for year in missing if year not in self._years]
            if missing:
                self._years.update(_ask_library(missing[0], missing[-1]))
                if self._cache is not None:
                    self._cache.write(self._years)

    def _stretch(self, at: datetime) -> _Stretch:
        stretch = self._last
        if stretch is None or not stretch.begins <= at < stretch.ends:
            self._last = stretch = self._find(at)
        return stretch

    def _find(self, at: datetime) -> _Stretch:
        """The stretch around ``at``: before it a close, after it an opening, and a phase in between."""
        last, coming = self._around(at)
        marks = (
            (last[1], "post"),
            (new_york(last[0].astimezone(NEW_YORK).date(), POST_CLOSES), "closed"),
            (new_york(coming[0].astimezone(NEW_YORK).date(), PRE_OPENS), "pre"),
            (coming[0], "regular"),
            (coming[1], ""),
        )
        index = bisect_right(marks, at, key=lambda mark: mark[0]) - 1
        return _Stretch(marks[index][0], marks[index + 1][0], marks[index][1], coming, last)

    def _around(self, at: datetime) -> tuple[Hours, Hours]:
        """The last session that has closed at ``at``, and the one after it."""
        year = at.astimezone(NEW_YORK).year
        closes, hours = self._closes(year)
        index = bisect_right(closes, at)
        last = hours[index - 1] if index > 0 else self._closes(year - 1)[1][-1]
        coming = hours[index] if index < len(hours) else self._closes(year + 1)[1][0]
        return last, coming

    def _closes(self, year: int) -> tuple[list[datetime], list[Hours]]:
        found = self._closings.get(year)
        if found is None:
            hours = list(self._year(year).values())
            found = self._closings[year] = ([closes for _, closes in hours], hours)
        return found

    def _year(self, year: int) -> dict[date, Hours]:
        found = self._years.get(year)
        if found is not None:
            return found
        if not YEAR_FIRST <= year <= YEAR_LAST:
            raise BadConfig(f"the exchange's calendar is known from {YEAR_FIRST} to {YEAR_LAST}, asked for {year}")
        with self._lock:
            if year not in self._years and self._cache is not None:
                self._years.update(self._cache.read())
            if year not in self._years:
                self._years.update(_ask_library(year - 1, year + 2))
                if self._cache is not None:
                    self._cache.write(self._years)
            return self._years[year]


class DayCalendar:
    """The ``Calendar`` of a market in which a day of shares is one bar: it also tells of the session before.

    So whoever has a bar of a whole session can tell whether a session has passed since, over weekends and holidays.
    """

    def __init__(self, exchange: ExchangeCalendar) -> None:
        self._exchange = exchange
        self._last: tuple[Hours, Session, Session] | None = None

    def sessions(self, at: datetime) -> Sessions:
        """As the exchange's, and with the session before. Raises ``BadConfig`` as the exchange's does."""
        told = self._exchange.sessions(at)
        before, shares = self._exchange.before(at), told.by_class[AssetClass.EQUITY]
        last = self._last
        if last is None or last[0] is not before or last[1] is not shares:
            self._last = last = (before, shares, replace(shares, before=before))
        return replace(told, by_class={**told.by_class, AssetClass.EQUITY: last[2]})


def _ask_library(first: int, last: int) -> dict[int, dict[date, Hours]]:
    """The sessions of some years. Turns of the year need a year's neighbours, and one year costs what ten do."""
    import exchange_calendars

    first, last = max(YEAR_FIRST, first), min(YEAR_LAST, last)
    schedule = exchange_calendars.get_calendar(_EXCHANGE, start=f"{first}-01-01", end=f"{last}-12-31").schedule
    years: dict[int, dict[date, Hours]] = {each: {} for each in range(first, last + 1)}
    for label, opens, closes in zip(schedule.index, schedule["open"], schedule["close"], strict=True):
        day = label.date()
        years[day.year][day] = (_plain(opens), _plain(closes))
    return years


def _plain(stamp: Any) -> datetime:
    return datetime.fromtimestamp(int(stamp.timestamp()), UTC)


class _TableFile:
    """Tables of sessions on disk. Nothing depends on it: what is missing, old or damaged is made again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[int, dict[date, Hours]]:
        """The years in the file; empty when there is none that can be believed."""
        try:
            document = json.loads(self._path.read_bytes())
            body = document["years"]
            if document["made_by"] != _made_by() or document["sha256"] != _digest(body):
                return {}
            return {int(year): dict(map(_session, rows)) for year, rows in body.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return {}

    def fault(self) -> str | None:
        """Why the file is not believed; ``None`` when it is, or is not there."""
        if not self._path.exists() or self.read():
            return None
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            made_by = json.loads(self._path.read_bytes())["made_by"]
            if made_by != _made_by():
                return f"{self._path} was made by {made_by}, and {_made_by()} is installed"
        return f"{self._path} is damaged"

    def write(self, years: Mapping[int, Mapping[date, Hours]]) -> None:
        """Replace the file by these years; a folder that cannot be written only costs the next start its second."""
        body = {
            str(year): [[int(opens.timestamp()), int(closes.timestamp())] for opens, closes in years[year].values()]
            for year in sorted(years)
        }
        document = {"made_by": _made_by(), "sha256": _digest(body), "years": body}
        mine = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            mine.write_text(json.dumps(document), encoding="utf-8")
            mine.replace(self._path)


def _session(row: list[int]) -> tuple[date, Hours]:
    opens, closes = (datetime.fromtimestamp(seconds, UTC) for seconds in row)
    if not timedelta(0) < closes - opens < timedelta(days=1):
        raise ValueError(f"no session: {row}")
    return opens.astimezone(NEW_YORK).date(), (opens, closes)


def _digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _made_by() -> str:
    from importlib.metadata import version

    return f"exchange_calendars {version('exchange_calendars')}"
