"""What prices say about themselves: which side a holding closes at, whether a price is old, and whether one can be believed.

Gates and kills ask the same questions here, so that what bars an entry and what stops all trading is judged alike. Ages are
seconds, prices dollars.

A jump is a change from one bar's close to the next one's by more than ``risk.jump``, on a volume below ``risk.jump_volume`` times
the window's median, or on none at all: news moves prices with volume, a bad print without. The oddity: a bar from before the
present session is no neighbour of the first one in it, so a gap over night is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from statistics import median

from hydra.model.market import AssetClass, Bar, Quote, asset_class_of
from hydra.model.money import plain
from hydra.model.portfolio import Holding
from hydra.model.snapshot import Session, Snapshot
from hydra.policy import Policy, RiskPolicy

_SHOWN = Decimal("0.000001")


def session_of(snapshot: Snapshot, asset_class: AssetClass) -> Session | None:
    """The session of an asset class now; ``None`` when it is unknown."""
    sight = snapshot.sight
    sessions = sight.sessions
    return None if sessions is None or "sessions" in sight.missing else sessions.by_class.get(asset_class)


def closing_side(holding: Holding, quote: Quote) -> tuple[str, Decimal]:
    """What a holding could be closed at now, and the name of that side: a long one is sold at the bid, a short one bought back."""
    return ("bid", quote.bid) if holding.quantity > 0 else ("ask", quote.ask)


def patience(bars: Sequence[Bar], seconds: float) -> float:
    """How old a price may be: ``seconds``, or two bars where a bar takes longer."""
    return max(seconds, 2.0 * bars[-1].seconds) if bars else seconds


def session_age(bar: Bar, at: datetime, session: Session | None) -> float | None:
    """How many seconds of trading there were since a bar that is the whole of the session before this one; ``None`` for any other bar.

    A night, a weekend or a holiday makes such a bar no older. No shorter bar spans a session from its opening to its close,
    and one of an earlier session is as old as the clock says.
    """
    if session is None or session.before is None or session.opens_at is None or not session.open:
        return None
    return (at - session.opens_at).total_seconds() if session.before == (bar.at, bar.closes_at) else None


def jump(bars: Sequence[Bar], session: Session, risk: RiskPolicy) -> str | None:
    """How the last bar jumped without volume, with numbers; ``None`` when it did not, or has no neighbour in this session."""
    if len(bars) < 2:
        return None
    before, last = bars[-2], bars[-1]
    if abs(last.close - before.close) <= risk.jump * before.close:
        return None
    if session.opens_at is not None and before.at < session.opens_at:
        return None
    change = (last.close - before.close) / before.close
    usual = median([bar.volume for bar in bars[:-1]])
    least = risk.jump_volume * usual
    if last.volume > 0 and last.volume >= least:
        return None
    return (
        f"{last.symbol} went from {plain(before.close)} to {plain(last.close)} ({change:+.2%}, limit {plain(risk.jump)}) "
        f"on a volume of {plain(last.volume)}, the median is {shown(usual)}"
    )


def absurd(quote: Quote, policy: Policy) -> str | None:
    """Why nothing may be judged by this quote: it is locked, or wider than the price collar (a contract's: than its spread may be).

    ``None`` when it will do.
    """
    if quote.bid == quote.ask:
        return f"{quote.symbol}: the quote is locked at {plain(quote.bid)}"
    contract = asset_class_of(quote.symbol) is AssetClass.OPTION
    key, limit = (
        ("option_spread", policy.risk.option_spread) if contract else ("price_collar", policy.risk.price_collar)
    )
    bid, ask = quote.bid, quote.ask
    if 2 * (ask - bid) <= limit * (ask + bid):
        return None
    spread = (ask - bid) / quote.mid
    return (
        f"{quote.symbol}: bid {plain(quote.bid)} and ask {plain(quote.ask)} are {spread:.2%} apart, "
        f"limit {plain(limit)} (risk.{key})"
    )


def shown(number: Decimal) -> str:
    """A number for a reason: at most six digits behind the point."""
    return plain(number.quantize(_SHOWN))
