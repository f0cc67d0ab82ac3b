"""Does the exchange's calendar know today and the days to come, and does it agree with the venue?

Every day ahead is held against what is known of the exchange's hours anyway: sessions on weekdays only, from 9:30 New York on, of three
to seven hours, and never more than four days in a row without one. The calendar of practice, in which nothing ever closes, is said to be one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hydra.model.market import AssetClass
from hydra.ports import Calendar
from hydra.qc.check import Finding

DAYS_AHEAD = 30
_NEW_YORK = ZoneInfo("America/New_York")
_SATURDAY = 5
_OPENS_MINUTE = 9 * 60 + 30
_SHORTEST, _LONGEST = timedelta(hours=3), timedelta(hours=7)
_SHORTENED = timedelta(hours=6)
_CLOSED_DAYS_MAX = 4
_NEAR_SECONDS = 90
"""So near to an opening or a close, the two may say different things and both be right."""

Hours = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Almanac:
    """The calendar in force. ``hours`` are a day's opening and close (aware UTC), ``None`` when there is no session.

    ``at`` is the instant from which it has to be known. ``cache_fault`` says why what it keeps on disk is not believed; it is then made
    again, which is said and no fault. ``practice``: nothing closes.
    """

    hours: Callable[[date], Hours | None]
    at: datetime
    cache_fault: Callable[[], str | None]
    practice: bool = False
    days_ahead: int = DAYS_AHEAD


def ask(almanac: Almanac) -> Finding:
    """Is the calendar known for now and the days ahead, and sound? Raises ``BadConfig`` where it ends."""
    if almanac.practice:
        return Finding(good=True, reason="PRACTICE: no exchange's calendar; everything is open around the clock")
    doubt = almanac.cache_fault()
    first = almanac.at.astimezone(_NEW_YORK).date()
    days = [first + timedelta(days=n) for n in range(almanac.days_ahead + 1)]
    known = {day: hours for day in days if (hours := almanac.hours(day)) is not None}
    wrong = [*(why for day, hours in known.items() for why in _faults(day, hours)), *_gaps(days, known)]
    if not known:
        wrong.append(f"it has no session from {first} to {days[-1]}")
    if wrong:
        return Finding(good=False, reason="; ".join(wrong[:4]))
    shut = [day for day in days if day.weekday() < _SATURDAY and day not in known]
    halves = [day for day, (opens, closes) in known.items() if closes - opens < _SHORTENED]
    told = f"{len(known)} sessions from {first} to {days[-1]}, the next on {next(iter(known))}"
    told += f"; weekdays without one: {_listed(shut)}; shortened: {_listed(halves)}"
    return Finding(good=True, reason=told if doubt is None else f"{told}; {doubt}, and was not believed")


def ask_venue(
    calendar: Calendar, at: datetime, is_open: Callable[[], bool] | None, *, practice: bool = False
) -> Finding:
    """Does the venue say of the session of equities at ``at`` what the calendar says? ``is_open`` is the venue's own word."""
    if practice:
        return Finding(good=True, reason="PRACTICE: everything is open around the clock, here and at the venue")
    ours = calendar.sessions(at).by_class.get(AssetClass.EQUITY)
    if ours is None:
        return Finding(good=False, reason="the calendar does not know the session of equities")
    told = f"equities are {_open(ours.open)} by the calendar at {at:%Y-%m-%d %H:%M:%S}Z"
    if is_open is None:
        return Finding(good=True, reason=f"{told}; the venue goes by this calendar")
    theirs = is_open()
    if ours.open is theirs:
        return Finding(good=True, reason=f"{told}, and by the venue's own word")
    if _turning(calendar, at):
        return Finding(
            good=None, reason=f"{told}, {_open(theirs)} by the venue: it turns about now; ask again in a minute"
        )
    return Finding(good=False, reason=f"{told}, and {_open(theirs)} by the venue's own word")


def _faults(day: date, hours: Hours) -> Iterator[str]:
    opens, closes = hours
    local = opens.astimezone(_NEW_YORK)
    if day.weekday() >= _SATURDAY:
        yield f"it has a session on {day:%A} {day}"
    if local.date() != day or local.hour * 60 + local.minute < _OPENS_MINUTE:
        yield f"it opens {day} at {local:%Y-%m-%d %H:%M} New York, expected 09:30 or later"
    if not _SHORTEST <= closes - opens <= _LONGEST:
        yield f"its session of {day} lasts {(closes - opens).total_seconds() / 3600:.1f} hours, expected 3 to 7"


def _gaps(days: list[date], known: dict[date, Hours]) -> Iterator[str]:
    row: list[date] = []
    for day in (*days, None):
        if day is not None and day not in known:
            row.append(day)
            continue
        if len(row) > _CLOSED_DAYS_MAX:
            yield f"it has no session from {row[0]} to {row[-1]}: {len(row)} days, expected at most {_CLOSED_DAYS_MAX}"
        row = []


def _turning(calendar: Calendar, at: datetime) -> bool:
    """Whether it opens or closes so near that a small difference of the clocks explains two answers."""
    near = timedelta(seconds=_NEAR_SECONDS)
    around = (calendar.sessions(moment).by_class.get(AssetClass.EQUITY) for moment in (at - near, at + near))
    return len({one is not None and one.open for one in around}) > 1


def _listed(days: list[date]) -> str:
    return ", ".join(map(str, days)) or "none"


def _open(is_open: bool) -> str:
    return "open" if is_open else "closed"
