"""When trades settle: so many exchange days after the trade, by a dated table.

US equities settled on the third day until 2017-09-04, on the second until 2024-05-27, and on the next day since (SEC rule
15c6-1 and its amendments).
"""

from __future__ import annotations

from datetime import date

from hydra.adapters.exchange.server.sessions import Day, next_day
from hydra.ports import Calendar

SETTLEMENT_DAYS: tuple[tuple[date, int], ...] = (
    # trades from, exchange days
    (date(2024, 5, 28), 1),
    (date(2017, 9, 5), 2),
    (date(1995, 6, 7), 3),
    (date(1, 1, 1), 5),
)


def settlement_days(traded: date) -> int:
    """Exchange days between trade and settlement."""
    return next(days for since, days in SETTLEMENT_DAYS if traded >= since)


def settles_on(calendar: Calendar, traded: date) -> date | None:
    """The day on which a trade settles; ``None`` where the calendar does not reach."""
    day: Day | None = None
    at = traded
    for _ in range(settlement_days(traded)):
        day = next_day(calendar, at)
        if day is None:
            return None
        at = day.date
    return at
