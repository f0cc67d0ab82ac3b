"""Amounts as people read them. Nothing here is ever parsed back."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from hydra.study.figures import Amount, Unit

NOT_ENOUGH = "not enough data"
_LONG = timedelta(days=2)


def told(amount: Amount, unit: Unit) -> str:
    """An amount with its unit; ``None`` is said, and is never zero."""
    if amount is None:
        return "none" if unit in (Unit.TIME, Unit.SPAN) else NOT_ENOUGH
    if isinstance(amount, datetime):
        return f"{amount:%Y-%m-%d %H:%M}Z"
    if isinstance(amount, timedelta):
        return span(amount)
    if isinstance(amount, str):
        return amount
    return _number(amount, unit)


def _number(amount: Decimal | float | int, unit: Unit) -> str:
    if unit is Unit.DOLLARS:
        return dollars(amount)
    if unit is Unit.CHANGE:
        return change(amount)
    if unit is Unit.FRACTION:
        return percent(float(amount))
    return f"{amount:,}" if unit is Unit.COUNT else f"{float(amount):,.2f}"


def dollars(amount: Decimal | float) -> str:
    """``$1,234.50``, to the cent."""
    cents = Decimal(str(round(amount, 2)))
    return f"-${-cents:,.2f}" if cents < 0 else f"${abs(cents):,.2f}"


def change(amount: Decimal | float) -> str:
    """With its sign: ``+$12.30``."""
    text = dollars(amount)
    return text if text == "$0.00" or text.startswith("-") else f"+{text}"


def percent(fraction: float) -> str:
    """``12.34%``."""
    shown = f"{fraction * 100:,.2f}%"
    return "0.00%" if shown == "-0.00%" else shown


def span(length: timedelta) -> str:
    """``3 days 4 h``, ``2 h 05 min``, ``45 s``."""
    seconds = int(length.total_seconds())
    if length >= _LONG:
        return f"{seconds // 86400:,} days {seconds % 86400 // 3600} h"
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
    return f"{seconds // 60} min" if seconds >= 120 else f"{seconds} s"


def quantity(units: Decimal) -> str:
    """A size without trailing zeros, at most eight decimals."""
    text = f"{round(units, 8):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def price(amount: Decimal | float) -> str:
    """A price: cents from one dollar up, six decimals below."""
    return f"{amount:,.2f}" if abs(float(amount)) >= 1 else f"{amount:.6f}".rstrip("0").rstrip(".")
