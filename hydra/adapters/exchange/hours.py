"""When the venue trades what: the few questions it asks the calendar.

Equities trade in the regular session only; a continuous session is always open. While a session is closed the calendar's
``opens_at`` is its next opening; while it is open ``closes_at`` is its close.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hydra.model.market import AssetClass, Bar
from hydra.model.snapshot import Session
from hydra.ports import Calendar

_TRADING = ("regular", "continuous")


def is_open(calendar: Calendar, asset_class: AssetClass, at: datetime) -> bool:
    """True while orders of this class can fill."""
    return _trades(calendar.sessions(at).by_class.get(asset_class))


def trades_in(calendar: Calendar, asset_class: AssetClass, bar: Bar) -> bool:
    """True when a bar belongs to the trading session: it opens within it, or the session opens within the bar."""
    session = calendar.sessions(bar.at).by_class.get(asset_class)
    if _trades(session):
        return True
    return session is not None and session.opens_at is not None and bar.at < session.opens_at < bar.closes_at


def day_ends_at(calendar: Calendar, asset_class: AssetClass, at: datetime) -> datetime | None:
    """When a day order sent at ``at`` expires: the close of this or, while closed, of the next session.

    A session that never closes ends its day at midnight UTC. ``None`` when the calendar does not say.
    """
    session = calendar.sessions(at).by_class.get(asset_class)
    if session is None:
        return None
    if not _trades(session):
        opens_at = session.opens_at
        if opens_at is None or opens_at <= at:
            return None
        at, session = opens_at, calendar.sessions(opens_at).by_class.get(asset_class)
        if session is None or not _trades(session):
            return None
    if session.closes_at is not None:
        return session.closes_at
    return datetime.combine(at.astimezone(UTC).date() + timedelta(days=1), time(0), tzinfo=UTC)


def _trades(session: Session | None) -> bool:
    return session is not None and session.open and session.phase in _TRADING
