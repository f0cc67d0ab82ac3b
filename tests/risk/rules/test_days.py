"""Days: the case is at 14:32 on Monday, 2024-03-04; the session is from 14:30 to 21:00."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hydra.model.market import AssetClass, usual_instrument
from hydra.model.snapshot import Failure, Session, Sessions, Snapshot
from hydra.model.values import replace
from hydra.policy import Blackout
from hydra.risk.plugs import Case
from tests.fakes.outside import OPEN
from tests.risk.rules.cases import AT, P90, P95, Row, ago, case, hold, leg_quote, pair, risk, short, spread
from tests.risk.scenes import healthy, with_account, with_sight

D = Decimal
CLOSE = OPEN + timedelta(hours=6, minutes=30)
TODAY = date(2024, 3, 4)
QUOTE = healthy().sight.quotes["SPY"]
[*_, LAST_BAR] = healthy().sight.bars["SPY"]


def at(when: datetime, **session: Any) -> Snapshot:
    """The session of shares at another time."""
    fields: dict[str, Any] = {"open": True, "phase": "regular", "opens_at": OPEN, "closes_at": CLOSE} | session
    known = {AssetClass.EQUITY: Session(**fields), AssetClass.CRYPTO: Session(open=True, phase="continuous")}
    sessions = Sessions(day=when.date(), minute=when.hour * 60 + when.minute, by_class=known)
    return replace(with_sight(sessions=sessions), at=when)


def window(after_open: int = 0, before_close: int = 10) -> Any:
    return risk(after_open_minutes=after_open, before_close_minutes=before_close)


def dark(*symbols: str, day: date = TODAY, reason: str = "") -> Any:
    return risk(blackouts=(Blackout(day=day - timedelta(days=1)), Blackout(day=day, symbols=symbols, reason=reason)))


def sized(bid: Any, ask: Any) -> Case:
    return case(quote=replace(QUOTE, bid_size=D(bid), ask_size=D(ask)))


def barred(age: timedelta, seconds: int = 60) -> Snapshot:
    """The last bar closed so long ago."""
    old = replace(LAST_BAR, at=AT - age - timedelta(seconds=seconds), seconds=seconds)
    return with_sight(bars={"SPY": (old,)})


def chain_read(**ago_: float) -> Case:
    usual = spread()
    sight = replace(usual.snapshot.sight, chains_at={"SPY": ago(**ago_)} if ago_ else {})
    return changed(usual, snapshot=replace(usual.snapshot, sight=sight))


UNREAD = with_sight(missing={"sessions": Failure(what="sessions", kind="timeout", reason="2 s")})
TABLE = [
    Row("session_window", "two minutes after the opening", case(), 1000, "entries from 14:30Z until 20:50Z"),
    Row("session_window", "five minutes of waiting", case(rules=window(5)), 0, "entries from 14:35Z"),
    Row("session_window", "at the end of the wait exactly", case(rules=window(2)), 1000),
    Row("session_window", "a second before the last minutes", case(at(CLOSE - timedelta(minutes=10, seconds=1))), 1000),
    Row("session_window", "as the last minutes begin", case(at(CLOSE - timedelta(minutes=10))), 0),
    Row("session_window", "no last minutes", case(at(CLOSE - timedelta(seconds=1)), rules=window(0, 0)), 1000),
    Row("session_window", "a wait as long as the session", case(rules=window(390, 0)), 0),
    Row("session_window", "a short", short(at(CLOSE - timedelta(minutes=5))), 0),
    Row("session_window", "a structure by its underlying", spread(snapshot=at(CLOSE - timedelta(minutes=5))), 0),
    Row("session_window", "closed", case(at(CLOSE, open=False, phase="post")), 0, "is post"),
    Row("session_window", "a pair around the clock", pair(snapshot=at(CLOSE + timedelta(hours=5), open=False, phase="closed")), 1000, "around the clock"),
    Row("session_window", "no sessions", case(with_sight(sessions=None)), 0, "unknown"),
    Row("session_window", "sessions not read in this cycle", case(UNREAD), 0, "unknown"),
    Row("session_window", "a class without a session", case(intent=replace(case().intent, symbol=P95), snapshot=at(AT)), 0, "unknown"),
    Row("session_window", "an open session that does not say when it closes", case(at(AT, closes_at=None)), 0, "unknown"),
    Row("session_window", "an open session that does not say when it opened", case(at(AT, opens_at=None)), 0, "unknown"),
    Row("blackout", "no blackouts", case(), 1000, "not blacked out"),
    Row("blackout", "the day before", case(rules=dark(day=TODAY - timedelta(days=1))), 1000),
    Row("blackout", "all symbols", case(rules=dark(reason="rates")), 0, "every symbol: rates"),
    Row("blackout", "this symbol", case(rules=dark("AAPL", "SPY", reason="earnings")), 0, "SPY: earnings"),
    Row("blackout", "another symbol", case(rules=dark("AAPL")), 1000),
    Row("blackout", "a pair on a day of all", pair(rules=dark()), 0),
    Row("blackout", "a structure by its underlying", spread(rules=dark("SPY")), 0),
    Row("blackout", "shares by a contract on them", case(rules=dark(P95)), 0),
    Row("blackout", "two rows for one day", case(rules=risk(blackouts=(Blackout(day=TODAY, symbols=("AAPL",)), Blackout(day=TODAY, symbols=("SPY",))))), 0),
    Row("blackout", "the exchange's day is unknown", case(with_sight(sessions=None)), 0, "unknown"),
    Row("tradable", "as usual", case(), 1000),
    Row("tradable", "nothing on either side", sized(0, 0), 0, "SPY is halted"),
    Row("tradable", "nothing at the ask", sized(100, 0), 0, "one-sided"),
    Row("tradable", "nothing at the bid", sized(0, 100), 0, "one-sided"),
    Row("tradable", "one share on each side", sized(1, 1), 1000),
    Row("tradable", "another symbol's quote", case(quote=replace(QUOTE, symbol="AAPL")), 0, "no quote"),
    Row("tradable", "another symbol's instrument", case(instrument=usual_instrument("AAPL")), 0, "not known to the venue"),
    Row("tradable", "no bars", case(with_sight(bars={})), 0, "no bars"),
    Row("tradable", "a bar ten minutes old", case(barred(timedelta(minutes=10))), 1000),
    Row("tradable", "a bar older by a second", case(barred(timedelta(minutes=10, seconds=1))), 0, "601 s old, at most 600"),
    Row("tradable", "a bar of an hour, two hours old", case(barred(timedelta(hours=2), 3600)), 1000),
    Row("tradable", "a bar of an hour, older by a second", case(barred(timedelta(hours=2, seconds=1), 3600)), 0),
    Row("tradable", "a blocked account", case(with_account(blocked=True)), 0, "blocked"),
    Row("tradable", "no account", case(with_sight(account=None)), 0, "unknown"),
    Row("tradable", "a short", short(with_sight(bars={})), 0),
    Row("tradable", "a spread", spread(), 100),
    Row("tradable", "a chain that was never read", chain_read(), 0, "unknown"),
    Row("tradable", "a chain ten minutes old", chain_read(minutes=10), 100),
    Row("tradable", "a chain older by a second", chain_read(minutes=10, seconds=1), 0, "the chain of SPY is 601 s old"),
    Row("tradable", "a leg with nothing at the bid", spread(leg_quotes=(leg_quote(P95), leg_quote(P90, bid_size=D(0)))), 0, f"{P90} is quoted with nothing"),
    Row("tradable", "a leg whose sizes are not delivered", spread(leg_quotes=(leg_quote(P95), leg_quote(P90, bid_size=None, ask_size=None))), 100),
    Row("tradable", "a leg without an ask", spread(leg_quotes=(leg_quote(P95), leg_quote(P90, ask=None))), 0, "no ask"),
    Row("tradable", "a leg that is not quoted", spread(leg_quotes=(leg_quote(P95),)), 0, "1 quotes for 2 legs"),
]  # fmt: skip


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_a_rule_admits_what_was_worked_out_by_hand(row: Row) -> None:
    hold(row)


@pytest.mark.parametrize(("minute", "admitted"), [("17:49:59", 1000), ("17:50:00", 0), ("18:00:00", 0)], ids=str)
def test_a_half_day_ends_with_its_own_close(minute: str, admitted: int) -> None:
    """2015-12-24 closed at 13:00 in New York, 18:00 UTC."""
    when = datetime.fromisoformat(f"2015-12-24T{minute}+00:00")
    opens, closes = when.replace(hour=14, minute=30, second=0), when.replace(hour=18, minute=0, second=0)
    hold(Row("session_window", "a half day", case(at(when, opens_at=opens, closes_at=closes)), admitted))


def test_a_calendar_of_thousands_of_days_is_looked_up_not_read_through() -> None:
    rows = tuple(Blackout(day=TODAY + timedelta(days=n + 1), symbols=("SPY",)) for n in range(2000))
    rules = risk(blackouts=(*rows, Blackout(day=TODAY, symbols=("SPY",))))
    hold(Row("blackout", "the last of them", case(rules=rules), 0))
    hold(Row("blackout", "another policy of as many days", case(rules=risk(blackouts=rows)), 1000))


def test_the_blackouts_are_those_of_the_policy_that_is_asked_about() -> None:
    dark_today, none = case(rules=dark(reason="rates")), case()
    for asked, admitted in ((dark_today, 0), (none, 1000), (dark_today, 0)):
        hold(Row("blackout", "one policy after another", asked, admitted))
