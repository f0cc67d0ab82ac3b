"""When bars opened and when they became known, from a column of times in whatever form it was written.

A column holds instants (a time with an offset, milliseconds since 1970) or days (a date, or a midnight without an offset).
An instant is the opening of an interval; a bar is known at its end. A day of an equity opens and is known at the opening and
the close of that exchange day, early closes too; a day of a pair lasts from midnight to midnight. What could mean two things
is refused with what to write instead: a naive time, numbers that are no milliseconds, a day whose times are no midnights.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

import numpy as np

from hydra.adapters.calendar import NEW_YORK
from hydra.adapters.markets.exact import Ints
from hydra.model.errors import BadConfig
from hydra.model.market import AssetClass, asset_class_of

YEAR_FIRST, YEAR_LAST = 1900, 2199
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400
_SECOND = 1_000_000
_DAYS_APART_MAX = 4  # over a long weekend
_MICROSECOND = timedelta(microseconds=1)
_UTC_NAMES = frozenset(("UTC", "Etc/UTC", "Z", "+00:00"))
_MILLISECONDS = (10**12, 10**13)  # thirteen digits: from September 2001 on
_PAIR_ZONES = (UTC, ZoneInfo("America/Chicago"))  # Alpaca's days of pairs begin at midnight in Chicago


class Hours(Protocol):
    """The exchange's days, as the calendar knows them."""

    def hours(self, day: date) -> tuple[datetime, datetime] | None:
        """Opening and close of an exchange day; ``None`` on any other day."""
        ...

    def load(self, first: int, last: int) -> None:
        """Have these years at hand."""
        ...


class Place(NamedTuple):
    """Where rows come from: the file (or frame), and the number of each row, or of the first when they follow each other."""

    path: Path
    first_row: int
    rows: Ints | None = None

    def refuse(self, index: int, reason: str) -> BadConfig:
        """The refusal of a row, counted from 0."""
        number = self.first_row + (index if self.rows is None else int(self.rows[index]))
        return BadConfig(f"{self.path}: row {number}: {reason}")


class Times(NamedTuple):
    """A column of times. ``at``: microseconds since 1970, of days those of their midnight as if in UTC.

    ``days``: they are days and no instants. ``written``: of instants, microseconds as the clock showed them where they were
    written.
    """

    at: Ints
    days: bool
    written: Ints | None = None


class Span(NamedTuple):
    """When rows opened and became known (microseconds), their interval in seconds, and how the interval was found."""

    opened: array[int]
    known: array[int]
    seconds: int
    how: str = ""


def micros(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (at - EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """The aware UTC time of ``micros``."""
    return EPOCH + timedelta(microseconds=microseconds)


def moments(stamps: Sequence[int]) -> list[datetime]:
    """The times of ``micros``, one after the other. They are counted on for as long as they lie equally far apart."""
    found: list[datetime] = []
    step, apart, before = 0, timedelta(0), 0
    for stamp in stamps:
        if found and stamp - before == step:
            at = found[-1] + apart
        else:
            at = moment(stamp)
            if found:
                step, apart = stamp - before, at - found[-1]
        found.append(at)
        before = stamp
    return found


def read(place: Place, name: str, column: Any, *, any_zone: bool) -> Times:
    """A column of times. ``any_zone``: offsets other than UTC pass."""
    import pyarrow as pa

    if len(column) == 0:
        raise BadConfig(f"{place.path}: no rows below the header")
    kind = column.type
    if column.null_count and not pa.types.is_string(kind):
        raise place.refuse(column.is_null().to_pylist().index(True), f"{name} '' is no time")
    if pa.types.is_timestamp(kind):
        return _stamps(place, name, column, any_zone=any_zone)
    if pa.types.is_date(kind):
        return _within(place, name, Times(_days(column), days=True))
    if pa.types.is_integer(kind):
        return _milliseconds(place, name, column.cast(pa.int64()).to_numpy(zero_copy_only=False))
    if pa.types.is_large_string(kind):
        column = column.cast(pa.string())
    if not pa.types.is_string(column.type):
        raise BadConfig(f"{place.path}: column {name}: {kind} is no time")
    return _texts(place, name, column, any_zone=any_zone)


def _stamps(place: Place, name: str, column: Any, *, any_zone: bool) -> Times:
    import pyarrow as pa
    import pyarrow.compute as pc

    zone = column.type.tz
    if zone is None:
        at = _int64(column.cast(pa.timestamp("us"), safe=False))
        if name != "timestamp" and not np.any(at % (DAY * _SECOND)):
            return _within(place, name, Times(at, days=True))
        raise BadConfig(f"{place.path}: column {name}: times are naive, expected UTC")
    if not any_zone and zone not in _UTC_NAMES:
        raise BadConfig(f"{place.path}: column {name}: times are {zone}, expected UTC")
    column = column.cast(pa.timestamp("us", zone), safe=False)
    at = _int64(column)
    written = at if zone in _UTC_NAMES else _int64(pc.local_timestamp(column))
    return _within(place, name, Times(at, days=False, written=written))


def _milliseconds(place: Place, name: str, at: Ints) -> Times:
    low, high = _MILLISECONDS
    wrong = np.flatnonzero((at < low) | (at >= high))
    if len(wrong):
        row = int(wrong[0])
        raise place.refuse(row, f"{name} {at[row]} is not ISO 8601, nor milliseconds since 1970 (13 digits)")
    return _within(place, name, Times(at * 1000, days=False, written=at * 1000))


def _texts(place: Place, name: str, column: Any, *, any_zone: bool) -> Times:
    """Text: milliseconds, dates, or times with an offset, all of a column in one form."""
    import pyarrow as pa
    import pyarrow.compute as pc

    first = column[0].as_py()
    if first.isascii() and first.isdigit():
        try:
            return _milliseconds(place, name, column.cast(pa.int64()).to_numpy(zero_copy_only=False))
        except pa.ArrowInvalid:
            cells = column.to_pylist()
            row = next(row for row, cell in enumerate(cells) if not (cell.isascii() and cell.isdigit()))
            raise place.refuse(row, f"{name} {cells[row][:60]!r} is no milliseconds like {first}") from None
    try:
        if len(first) == 10 and name != "timestamp":
            return _within(place, name, Times(_days(column.cast(pa.date32())), days=True))
        utc = any(pc.all(pc.ends_with(column, ending)).as_py() for ending in ("Z", "+00:00"))
        if any_zone or utc:
            at = _int64(column.cast(pa.timestamp("us", "UTC")))
            written = at if utc else _int64(_clock(column))
            return _within(place, name, Times(at, days=False, written=written))
    except pa.ArrowInvalid:
        pass  # the row is found below
    return _careful(place, name, column.to_pylist(), any_zone=any_zone)


def _clock(column: Any) -> Any:
    """What the clock showed, of times whose offset is left out."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.utf8_slice_codeunits(column, 0, 19).cast(pa.timestamp("us"))


def _careful(place: Place, name: str, cells: list[str], *, any_zone: bool) -> Times:
    """Row by row: what Arrow does not read, and the first row that nobody can."""
    found: list[datetime] = []
    for row, cell in enumerate(cells):
        try:
            at = datetime.fromisoformat(cell)
        except ValueError as error:
            raise place.refuse(row, f"{name} {cell[:60]!r} is not ISO 8601, like 2013-10-07T08:00:00Z") from error
        naive = at.tzinfo is None
        if naive and (name == "timestamp" or at.time() != time()):
            hint = "" if name == "timestamp" else ", or with its offset, like 2024-01-02 09:30:00-05:00"
            raise place.refuse(row, f"{name} {cell} is naive; write it with Z{hint}")
        if not naive and not any_zone and at.utcoffset() != timedelta(0):
            raise place.refuse(row, f"{name} {cell} is not UTC; write it with Z")
        if found and naive is not (found[0].tzinfo is None):
            raise place.refuse(row, f"{name} {cell}: some rows have an offset and some have none")
        if not YEAR_FIRST <= at.year <= YEAR_LAST:
            raise place.refuse(row, f"{name} {cell} lies outside the years {YEAR_FIRST} to {YEAR_LAST}")
        found.append(at)
    written = np.array([micros(at.replace(tzinfo=UTC)) for at in found], np.int64)
    if found[0].tzinfo is None:
        return Times(written, days=True)
    return Times(np.array([micros(at) for at in found], np.int64), days=False, written=written)


def _within(place: Place, name: str, times: Times) -> Times:
    """The times, all of the years that are accepted."""
    low, high = micros(datetime(YEAR_FIRST, 1, 1, tzinfo=UTC)), micros(datetime(YEAR_LAST + 1, 1, 1, tzinfo=UTC))
    wrong = np.flatnonzero((times.at < low) | (times.at >= high))
    if len(wrong):
        shown = np.datetime64(int(times.at[wrong[0]]), "us")
        reason = f"{name} {shown} lies outside the years {YEAR_FIRST} to {YEAR_LAST}"
        raise place.refuse(int(wrong[0]), reason)
    return times


def _int64(column: Any) -> Ints:
    """Microseconds, without a copy where that is what is stored. They are read and let go of: what is kept is a copy."""
    return column.to_numpy(zero_copy_only=False).astype("datetime64[us]", copy=False).view(np.int64)  # type: ignore[no-any-return]  # Arrow has no types


def _days(column: Any) -> Ints:
    return column.to_numpy(zero_copy_only=False).astype("datetime64[D]").astype(np.int64) * (DAY * _SECOND)  # type: ignore[no-any-return]  # Arrow has no types


def spans(place: Place, times: Times, symbol: str, seconds: int, hours: Hours) -> Span:
    """When bars opened and became known. ``seconds``: their interval, as far as it is said (0: the spacing says it)."""
    days = times.at if times.days else _as_days(times, symbol, seconds)
    if days is not None:
        if 0 < seconds < DAY:
            raise place.refuse(0, f"{_shown(int(days[0]))[:10]} is a day, and the name says intervals of {seconds} s")
        _check_days(place, days, said=seconds == DAY)
        if asset_class_of(symbol) is AssetClass.EQUITY:
            return _sessions(place, days, hours)
        return _midnights(place, times)
    if seconds >= DAY:
        reason = f"{_shown(int(times.at[0]))} is no midnight, as the opening of a day must be"
        raise place.refuse(0, reason)
    how = ""
    if seconds == 0:
        seconds = _spacing(place, times.at)
        how = f"intervals of {seconds} s by the spacing"
    step = seconds * _SECOND
    _check_order(place, times.at, step)
    return Span(array_of(times.at), array_of(times.at + step), seconds, how)


def intervals(place: Place, times: Times, seconds: int) -> array[int]:
    """When rows of intervals became known. Raises ``BadConfig`` for rows out of order, or within each other's interval."""
    _check_order(place, times.at, seconds * _SECOND)
    return array_of(times.at + seconds * _SECOND)


def _as_days(times: Times, symbol: str, seconds: int) -> Ints | None:
    """The days of instants that are all midnights, written or meant; ``None`` when they are intervals within a day."""
    step = DAY * _SECOND
    if (
        0 < seconds < DAY
        or (seconds == 0 and len(times.at) < 2)
        or (seconds == 0 and np.min(np.diff(times.at)) < 82_800 * _SECOND)
    ):
        return None
    written = times.at if times.written is None else times.written
    if not np.any(written % step):
        return written
    zones = (NEW_YORK,) if asset_class_of(symbol) is AssetClass.EQUITY else _PAIR_ZONES
    for zone in zones:
        local = [moment(at).astimezone(zone) for at in times.at.tolist()]
        if all(at.time() == time() for at in local):
            return np.array([micros(at.replace(tzinfo=UTC)) for at in local], np.int64)
    return None


def _check_days(place: Place, days: Ints, *, said: bool) -> None:
    """Refuse days out of order, and rows that are weeks or months though nobody said that they are days."""
    apart = np.diff(days)
    wrong = np.flatnonzero(apart <= 0)
    if len(wrong):
        row = int(wrong[0]) + 1
        words = "a second time" if apart[row - 1] == 0 else f"after {_day(int(days[row - 1]))}: rows must be sorted"
        raise place.refuse(row, f"timestamp {_day(int(days[row]))} {words}")
    if len(days) > 1 and not said:
        usual = _most_frequent(apart) // (DAY * _SECOND)
        if usual > _DAYS_APART_MAX:
            raise BadConfig(f"{place.path}: rows are {usual} days apart; bars of more than a day are not played")


def _sessions(place: Place, days: Ints, hours: Hours) -> Span:
    """Exchange days: from the opening to the close."""
    dates = [moment(at).date() for at in days.tolist()]
    hours.load(dates[0].year, dates[-1].year)
    opened, known = array("q"), array("q")
    for row, day in enumerate(dates):
        session = hours.hours(day)
        if session is None:
            raise place.refuse(row, f"{day} is a day on which the exchange does not trade")
        opened.append(micros(session[0]))
        known.append(micros(session[1]))
    return Span(opened, known, DAY)


def _midnights(place: Place, times: Times) -> Span:
    """Days of a pair: from midnight to midnight, in UTC or where its days begin."""
    if times.days:
        return Span(array_of(times.at), array_of(times.at + DAY * _SECOND), DAY)
    for zone in _PAIR_ZONES:
        local = [moment(at).astimezone(zone) for at in times.at.tolist()]
        if all(at.time() == time() for at in local):
            ends = (at.replace(tzinfo=None) + timedelta(days=1) for at in local)
            known = array("q", (micros(at.replace(tzinfo=zone).astimezone(UTC)) for at in ends))
            return Span(array_of(times.at), known, DAY)
    raise place.refuse(0, f"{_shown(int(times.at[0]))} is no midnight in UTC, as the opening of a pair's day must be")


def _spacing(place: Place, at: Ints) -> int:
    """The interval that the spacing shows: the most frequent difference, which is the smallest and more than half of all."""
    _check_order(place, at, 1)
    if len(at) < 2:
        raise BadConfig(f"{place.path}: one row does not show its interval; {_SAY}")
    apart = np.diff(at)
    usual, least = _most_frequent(apart), int(apart.min())
    share = float(np.mean(apart == usual))
    if usual != least or share <= 0.5 or usual % _SECOND:
        told = f"{usual / _SECOND:g} s between {share:.0%} of the rows, at least {least / _SECOND:g} s"
        raise BadConfig(f"{place.path}: the spacing is mixed ({told}); {_SAY}")
    if usual >= DAY * _SECOND:
        raise BadConfig(f"{place.path}: rows are {usual / _SECOND:g} s apart and no days; at most a day is played")
    return usual // _SECOND


_SAY = "say the interval in the name, like SPY-1min.csv, or before it, like SPY-1min=PATH"


def _most_frequent(apart: Ints) -> int:
    values, counts = np.unique(apart, return_counts=True)
    return int(values[np.argmax(counts)])


def _check_order(place: Place, at: Ints, step: int) -> None:
    """Refuse rows that are not in the order of time, or lie within the interval of the row before."""
    apart = np.diff(at)
    wrong = np.flatnonzero(apart < step)
    if len(wrong):
        row = int(wrong[0]) + 1
        before, after = _shown(int(at[row - 1])), _shown(int(at[row]))
        raise place.refuse(row, disorder(before, after, int(apart[row - 1]), step // _SECOND))


def check_past(place: Place, known: array[int], now: datetime) -> None:
    """Refuse rows that are known later than it is now: nobody can have recorded them."""
    limit = micros(now)
    if known and known[-1] > limit:
        row = int(np.searchsorted(ints_of(known), limit, side="right"))
        raise place.refuse(
            row,
            f"known only at {_shown(known[row])}, and it is {_shown(limit)[:19]}Z now: from the future, or unfinished",
        )


def disorder(before: str, after: str, apart: int, seconds: int) -> str:
    """What is wrong with two times in a row that are too little apart (microseconds)."""
    if apart == 0:
        return f"timestamp {after} a second time"
    if apart < 0:
        return f"timestamp {after} after {before}: rows must be sorted"
    return f"timestamp {after} within the interval of {seconds} s that began at {before}"


def array_of(values: Ints) -> array[int]:
    """The same numbers as a plain array."""
    found = array("q")
    found.frombytes(np.ascontiguousarray(values, np.int64).view(np.uint8).data)
    return found


def merged(times: Sequence[array[int]]) -> array[int]:
    """All of these times in order, each once. Where there is nothing to merge they are not copied."""
    filled = [each for each in times if each]
    if len(filled) == 1 and np.all(np.diff(ints_of(filled[0])) > 0):
        return filled[0]
    found = np.concatenate([ints_of(each) for each in filled]) if filled else np.empty(0, np.int64)
    if not np.all(found[1:] > found[:-1]):
        found.sort(kind="stable")  # made for runs that are in order already
        found = found[np.concatenate(([True], found[1:] > found[:-1]))]
    return array_of(found)


def ints_of(values: array[int]) -> Ints:
    """A plain array's numbers for numpy, without a copy."""
    found = np.frombuffer(values, np.int64) if values else np.empty(0, np.int64)
    found.flags.writeable = False
    return found


def _shown(at: int) -> str:
    return moment(at).isoformat().replace("+00:00", "Z")


def _day(at: int) -> str:
    return _shown(at)[:10]
