"""Where a venue goes on: which feed, from which instant, and with which account.

The books remember one clock for each feed. A feed that was left goes on where it stood, and cash is kept; but a position
or an open order belongs to the prices it was made at, so with either of them the feed cannot be changed.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from hydra.adapters.exchange.model import AccountState, VenueSettings
from hydra.adapters.exchange.standing import FeedClock, Standing
from hydra.adapters.markets.feed import Feed
from hydra.model.errors import BadConfig
from hydra.model.money import plain
from hydra.model.values import encode

_JUST_BEFORE = timedelta(microseconds=1)


def new_account(settings: VenueSettings) -> Standing:
    """An account that has only its starting cash. Its id derives from the settings it was opened with."""
    digest = hashlib.sha256(encode(settings)).hexdigest()
    account = AccountState(account_id=f"SIM-{digest[:8]}", opened_with=settings, cash=settings.starting_cash)
    return Standing(account=account)


def resume(standing: Standing, feed: Feed, start: datetime | None = None) -> tuple[FeedClock, str]:
    """The clock to go on with, and a note for the operator (empty when there is nothing to say).

    ``start`` is where a clock that is new for this feed begins, instead of just before the feed's first instant. Raises ``BadConfig`` for a feed without prices, and for another feed than last time while anything is held or open.
    """
    beginning = max(start, _beginning(feed)) if start is not None else _beginning(feed)
    held = _held(standing)
    last = standing.clocks.get(standing.current)
    if held and last is not None and last.fingerprint != feed.fingerprint:
        raise BadConfig(
            f"the simulated exchange was playing {last.feed} ({last.fingerprint}) and still has {held}; "
            f"it cannot go on with {feed.describe()} ({feed.fingerprint}). "
            f"Finish there, flatten first, or use another --state-dir"
        )
    mine = standing.clocks.get(feed.fingerprint)
    if mine is None:
        return _clock(feed, beginning), ""
    if feed.next_after(mine.at) is not None:
        return mine, ""
    end = f"{feed.describe()} has been played to its end at {mine.at:%Y-%m-%d %H:%M:%S}Z"
    if held:
        return mine, f"{end}; it does not start over while the account has {held}"
    return _clock(feed, beginning), f"{end}; the account is flat, so it starts over from its beginning"


def other_cash(standing: Standing, settings: VenueSettings) -> str:
    """A note when the account was opened with other cash than is asked for now; empty when it was not."""
    before, now = standing.account.opened_with.starting_cash, settings.starting_cash
    if before == now:
        return ""
    return f"the account was opened with {plain(before)} of cash; starting_cash {plain(now)} counts for new books only"


def _beginning(feed: Feed) -> datetime:
    """Just before the first instant, so that the first advance makes that instant current."""
    first = feed.next_after(None)
    if first is None:
        raise BadConfig(f"{feed.describe()} has no prices to play")
    return first - _JUST_BEFORE


def _clock(feed: Feed, at: datetime) -> FeedClock:
    return FeedClock(fingerprint=feed.fingerprint, feed=feed.describe(), at=at)


def _held(standing: Standing) -> str:
    parts = [f"{plain(position.quantity)} {position.symbol}" for position in standing.positions]
    waiting = [ticket for ticket in standing.orders if not ticket.status.done]
    parts += [
        f"an open order {ticket.side} {plain(ticket.quantity)} {ticket.symbol or 'spreads'} ({ticket.client_id})"
        for ticket in waiting
    ]
    return ", ".join(parts)
