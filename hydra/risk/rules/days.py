"""Days: the hours of the session in which entries are made, the days on which none are, and what cannot be traded at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from hydra.model.market import asset_class_of
from hydra.model.orders import Ceiling
from hydra.model.same import kept
from hydra.policy import Blackout
from hydra.risk.plugs import Case
from hydra.risk.prices import session_age, session_of
from hydra.risk.rules.answers import all_or_nothing, everything, nothing
from hydra.risk.rules.cash import account_of
from hydra.risk.standing import underlying_of
from hydra.risk.times import stamp


def session_window(case: Case) -> Ceiling:
    """Entries begin ``risk.after_open_minutes`` after the opening and end ``risk.before_close_minutes`` before the close.

    It is the session's own opening and close, so half days count. What trades around the clock has neither.
    """
    sight, risk = case.snapshot.sight, case.policy.risk
    kind = asset_class_of(case.intent.symbol)
    session = None if sight.sessions is None or "sessions" in sight.missing else sight.sessions.by_class.get(kind)
    if session is None or not session.open:
        return nothing("session_window", f"the session of {kind} is {'unknown' if session is None else session.phase}")
    if session.phase == "continuous":
        return everything("session_window", case, f"{kind} trades around the clock")
    if session.opens_at is None or session.closes_at is None:
        return nothing("session_window", f"when the session of {kind} opens and closes is unknown")
    first = session.opens_at + timedelta(minutes=risk.after_open_minutes)
    last = session.closes_at - timedelta(minutes=risk.before_close_minutes)
    now = case.snapshot.at
    text = f"entries from {stamp(first, '%H:%M')}Z until {stamp(last, '%H:%M')}Z, it is {stamp(now, '%H:%M:%S')}Z"
    return all_or_nothing("session_window", case, first <= now < last, text)


def blackout(case: Case) -> Ceiling:
    """No entries on the exchange days that ``risk.blackout_file`` names, in all symbols or in some and in contracts on them."""
    sessions, symbol = case.snapshot.sight.sessions, underlying_of(case.intent.symbol)
    if sessions is None:
        return nothing("blackout", "the exchange's day is unknown")
    for one in _by_day(case.policy.risk.blackouts).get(sessions.day, ()):
        if not one.symbols or symbol in map(underlying_of, one.symbols):
            whole = "every symbol" if not one.symbols else symbol
            return nothing(
                "blackout", f"{sessions.day} is blacked out for {whole}" + (f": {one.reason}" if one.reason else "")
            )
    return everything("blackout", case, f"{sessions.day} is not blacked out for {symbol}")


def tradable(case: Case) -> Ceiling:
    """An instrument that is known, quoted with something on both sides, and has traded within ``risk.stale_minutes`` or two bars.

    A quote with nothing on either side is how a halt looks. A contract's sizes may not be delivered; zero is not that.
    """
    why = next(_why_not(case), "")
    return all_or_nothing("tradable", case, not why, why or f"{case.intent.symbol} is quoted and trades")


def _why_not(case: Case) -> Iterator[str]:
    symbol, at, sight = case.intent.symbol, case.snapshot.at, case.snapshot.sight
    account = account_of(case)
    if account is None or account.blocked:
        yield "the account is unknown" if account is None else f"account {account.account_id} is blocked"
    if underlying_of(case.instrument.symbol) != underlying_of(symbol):
        yield f"{symbol} is not known to the venue, this is {case.instrument.symbol}"
    if case.quote.symbol != symbol:
        yield f"{symbol} has no quote"
    bid, ask = case.quote.bid_size, case.quote.ask_size
    if not bid or not ask:
        yield f"{symbol} is {'one-sided' if bid or ask else 'halted'}: sizes {bid:f} at the bid, {ask:f} at the ask"
    bars = sight.bars.get(symbol)
    if not bars:
        yield f"{symbol} has no bars"
    else:
        last = bars[-1]
        traded = session_age(last, at, session_of(case.snapshot, asset_class_of(symbol)))
        age = at - last.closes_at if traded is None else timedelta(seconds=traded)
        yield from _too_old(f"the last bar of {symbol}", age, case, 2 * last.seconds)
    if case.intent.legs:
        yield from _legs(case, at)


def _legs(case: Case, at: datetime) -> Iterator[str]:
    symbol = case.intent.symbol
    read = case.snapshot.sight.chains_at.get(symbol)
    if read is None:
        yield f"when the chain of {symbol} was read is unknown"
    else:
        yield from _too_old(f"the chain of {symbol}", at - read, case, int(2 * case.policy.options.chain_seconds))
    if len(case.leg_quotes) != len(case.intent.legs):
        yield f"{len(case.leg_quotes)} quotes for {len(case.intent.legs)} legs"
    for one in case.leg_quotes:
        if one.bid is None or one.ask is None:
            yield f"{one.symbol} has no {'bid' if one.bid is None else 'ask'}"
        if one.bid_size == 0 or one.ask_size == 0:
            yield f"{one.symbol} is quoted with nothing on one side"


def _too_old(what: str, age: timedelta, case: Case, seconds_least: int) -> Iterator[str]:
    most = max(60 * case.policy.risk.stale_minutes, seconds_least)
    if age > timedelta(seconds=most):
        yield f"{what} is {age.total_seconds():.0f} s old, at most {most}"


@kept
def _by_day(blackouts: tuple[Blackout, ...]) -> Mapping[date, tuple[Blackout, ...]]:
    found: dict[date, tuple[Blackout, ...]] = {}
    for one in blackouts:
        found[one.day] = (*found.get(one.day, ()), one)
    return found
