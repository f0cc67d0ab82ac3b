"""Figures as people read them. ``None`` is said as what it is: not enough data."""

from __future__ import annotations

from decimal import Decimal

from hydra.gladiators.score.chance import Interval
from hydra.gladiators.score.measure import STAKE
from hydra.study.tournament.trades import Traded

NOT_ENOUGH = "not enough data"


def percent(share: float | None, digits: int = 1) -> str:
    """``52.3%``."""
    return NOT_ENOUGH if share is None else _zero(f"{share * 100:,.{digits}f}%")


def profit(share: float | None) -> str:
    """``+$12.50``: with ``STAKE`` dollars a call."""
    if share is None:
        return NOT_ENOUGH
    cents = round(share * STAKE, 2)
    return "$0.00" if cents == 0 else f"{'-' if cents < 0 else '+'}${abs(cents):,.2f}"


def profits(interval: Interval | None) -> str:
    """``-$3.10 to +$12.50``."""
    return NOT_ENOUGH if interval is None else f"{profit(interval.low)} to {profit(interval.high)}"


def points(share: float | None) -> str:
    """``-5.2 bp``: hundredths of a percent of a call's stake."""
    if share is None:
        return NOT_ENOUGH
    text = _zero(f"{share * 10_000:,.1f}")
    return f"{text} bp" if text.startswith("-") or text == "0.0" else f"+{text} bp"


def number(value: float | None, digits: int = 4) -> str:
    """``0.2513``."""
    return NOT_ENOUGH if value is None else _zero(f"{value:,.{digits}f}")


def within(interval: Interval | None, digits: int = 1) -> str:
    """``49.1 to 55.5%``."""
    if interval is None:
        return NOT_ENOUGH
    return f"{_zero(f'{interval.low * 100:,.{digits}f}')} to {_zero(f'{interval.high * 100:,.{digits}f}%')}"


def between(interval: Interval | None, digits: int = 4) -> str:
    """``0.2401 to 0.2562``."""
    return (
        NOT_ENOUGH
        if interval is None
        else f"{_zero(f'{interval.low:.{digits}f}')} to {_zero(f'{interval.high:.{digits}f}')}"
    )


def traded(done: Traded | None) -> str:
    """What the account did, in one sentence."""
    if done is None:
        return "not written down"
    if not done.closed:
        return f"{done.lines:,} orders, no round trip closed"
    sign = "-" if done.profit < 0 else "+"
    return (
        f"{done.closed:,} round trips on paper, {done.won:,} won, {done.lost:,} lost: {sign}${abs(done.profit):,.2f} after "
        f"${done.fees:,.2f} of fees"
    )


def money(dollars: Decimal) -> str:
    """``$0.0123``: a vote costs parts of a cent."""
    if dollars == 0:
        return "$0"
    return f"${dollars:,.2f}" if dollars >= 1 else f"${dollars:,.4f}" if dollars >= Decimal("0.0001") else "<$0.0001"


def milliseconds(value: int | None) -> str:
    """``850 ms``, ``2.3 s``."""
    if value is None:
        return "-"
    return f"{value:,} ms" if value < 1000 else f"{value / 1000:,.1f} s"


def chance(p_value: float | None) -> str:
    """``p = 0.032``."""
    if p_value is None:
        return NOT_ENOUGH
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _zero(text: str) -> str:
    """Nothing has no sign."""
    return text[1:] if text.startswith("-") and not any(mark in text for mark in "123456789") else text
