"""When the venue trades what: the few questions it asks the calendar.

Equities trade in the regular session, and in the extended ones if the order asks for it; a continuous session is always open.
While a session is closed the calendar's ``opens_at`` is its next opening; while it is open ``closes_at`` is its close.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hydra.adapters.calendar import NEW_YORK, POST_CLOSES, PRE_OPENS, new_york
from hydra.model.market import AssetClass, Bar
from hydra.model.snapshot import Session
from hydra.ports import Calendar

_TRADING = ("regular", "continuous")
_EXTENDED = ("pre", "post")
_OPENING_AUCTION_CLOSES, _OPENING_AUCTION_OPENS = time(9, 28), time(19, 0)
_GTC_LAPSES = time(16, 15)
_CLOSING_AUCTION_CLOSES = timedelta(minutes=10)


def is_open(calendar: Calendar, asset_class: AssetClass, at: datetime, *, extended: bool = False) -> bool:
    """True while orders of this class can fill; ``extended``: those that may fill before and after regular hours too."""
    return _trades(calendar.sessions(at).by_class.get(asset_class), extended=extended)


def trades_in(calendar: Calendar, asset_class: AssetClass, bar: Bar, *, extended: bool = False) -> bool:
    """True when a bar belongs to the trading session: it opens within it, or the session opens within the bar."""
    session = calendar.sessions(bar.at).by_class.get(asset_class)
    if _trades(session, extended=extended):
        return True
    return session is not None and session.opens_at is not None and bar.at < session.opens_at < bar.closes_at


def day_ends_at(
    calendar: Calendar, asset_class: AssetClass, at: datetime, *, extended: bool = False
) -> datetime | None:
    """When a day order sent at ``at`` expires: the close of this or, while closed, of the next session.

    For an order with ``extended`` hours the end of that day's post-market. A session that never closes ends its day at
    midnight UTC. ``None`` when the calendar does not say.
    """
    session = calendar.sessions(at).by_class.get(asset_class)
    if session is None:
        return None
    if extended and session.phase == "post":
        return post_ends_at(at)
    if not _trades(session):
        opens_at = session.opens_at
        if opens_at is None or opens_at <= at:
            return None
        at, session = opens_at, calendar.sessions(opens_at).by_class.get(asset_class)
        if session is None or not _trades(session):
            return None
    if session.closes_at is not None:
        return post_ends_at(at) if extended else session.closes_at
    return datetime.combine(at.astimezone(UTC).date() + timedelta(days=1), time(0), tzinfo=UTC)


def gtc_ends_at(at: datetime, days: int) -> datetime:
    """When an order that is good till cancelled lapses by itself: 16:15 New York, so many days later."""
    return new_york(at.astimezone(NEW_YORK).date() + timedelta(days=days), _GTC_LAPSES)


def post_ends_at(at: datetime) -> datetime:
    """The end of the post-market on the day of ``at``."""
    return new_york(at.astimezone(NEW_YORK).date(), POST_CLOSES)


def next_mark(calendar: Calendar, at: datetime) -> datetime | None:
    """The next moment after ``at`` at which the equities' session changes its phase; ``None`` when it never does."""
    session = calendar.sessions(at).by_class.get(AssetClass.EQUITY)
    if session is None or session.phase == "continuous":
        return None
    if session.phase == "regular":
        return session.closes_at
    if session.phase == "pre":
        return session.opens_at
    if session.phase == "post":
        return post_ends_at(at)
    if session.opens_at is None:
        return None
    opens = new_york(session.opens_at.astimezone(NEW_YORK).date(), PRE_OPENS)
    return opens if opens > at else session.opens_at


def too_late_for_opening(calendar: Calendar, at: datetime) -> str:
    """Why an order for the opening auction cannot be taken at ``at``; empty when it can."""
    session = calendar.sessions(at).by_class.get(AssetClass.EQUITY)
    if session is None or session.phase == "continuous":
        return "there is no opening auction in a market that never closes"
    local = at.astimezone(NEW_YORK).time()
    trading_day = session.phase in ("pre", "regular", "post")
    if trading_day and _OPENING_AUCTION_CLOSES <= local < _OPENING_AUCTION_OPENS:
        return f"opg orders are taken from 19:00 to 09:28 New York, it is {local:%H:%M}"
    return ""


def too_late_for_closing(calendar: Calendar, at: datetime) -> str:
    """Why an order for the closing auction cannot be taken at ``at``; empty when it can."""
    session = calendar.sessions(at).by_class.get(AssetClass.EQUITY)
    if session is None or session.phase == "continuous":
        return "there is no closing auction in a market that never closes"
    if (
        session.phase == "regular"
        and session.closes_at is not None
        and at >= session.closes_at - _CLOSING_AUCTION_CLOSES
    ):
        return f"cls orders are taken until 10 minutes before the close at {session.closes_at:%H:%M}Z"
    return ""


def _trades(session: Session | None, *, extended: bool = False) -> bool:
    if session is None:
        return False
    return (session.open and session.phase in _TRADING) or (extended and session.phase in _EXTENDED)
