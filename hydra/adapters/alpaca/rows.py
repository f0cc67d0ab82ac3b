"""Alpaca's rows of market data as values: bars, quotes and snapshots of contracts. Pure; nothing is asked here.

A row is an object of the JSON answer with numbers parsed as ``Decimal`` (or ``int``); fields nobody asked for are borne. What
is nonsense (not a number, not finite, negative, contradictory, a time without zone) raises ``Unreachable`` naming symbol and
field: an answer that cannot be understood is no answer. What the venue does not deliver is ``None``. A price of 0 is its way to
say that nobody bids or offers.

The oddity is volume. A contract's volume of the day is that of its daily bar, and the venue makes no bar of a contract that
nobody traded. So where a chain has a daily bar of the present day, a contract without one has traded nothing; where it has
none at all, volume is not delivered and stays ``None``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any, TypeAlias

from hydra.adapters.calendar import NEW_YORK
from hydra.model.errors import Invalid, Unreachable
from hydra.model.market import Bar, OptionQuote, Quote
from hydra.model.money import ZERO

Row: TypeAlias = Mapping[str, Any]

_PLAIN = re.compile(r"-?\d{1,18}(\.\d{1,12})?", re.ASCII)
_DIGITS_MOST = 18
"""Digits before the point: more than any price, size or volume has."""


def object_of(what: str, answer: Any) -> Row:
    """An answer that has to be an object."""
    if not isinstance(answer, dict):
        raise Unreachable(f"{what}: expected an object, got {type(answer).__name__}")
    return answer


def rows_in(what: str, answer: Row, name: str) -> Row:
    """The rows by symbol in an answer; an empty or ``null`` one has none, one without the field is not understood."""
    if name not in answer:
        raise Unreachable(f"{what}: the answer has no {name!r}, only {', '.join(sorted(map(str, answer)))[:80]}")
    rows = answer[name]
    return {} if rows is None else object_of(f"{what}: {name}", rows)


def number(what: str, row: Row, name: str) -> Decimal | None:
    """A finite number of a row; ``None`` when it is not delivered."""
    given = row.get(name)
    if given is None:
        return None
    plain = isinstance(given, str) and _PLAIN.fullmatch(given)
    if plain or (isinstance(given, int) and not isinstance(given, bool)):
        given = Decimal(given)
    if type(given) is not Decimal:
        raise Unreachable(f"{what}: {name} must be a number, got {type(given).__name__} {str(given)[:40]!r}")
    if not given.is_finite() or given.adjusted() > _DIGITS_MOST:
        raise Unreachable(f"{what}: {name} must be finite and of a sane size, got {str(given)[:40]}")
    return given


def needed(what: str, row: Row, name: str) -> Decimal:
    """A number without which the row says nothing."""
    found = number(what, row, name)
    if found is None:
        raise Unreachable(f"{what}: {name} is missing")
    return found


def time_in(what: str, row: Row, name: str = "t") -> datetime:
    """A time of a row, aware UTC, to the microsecond."""
    given = row.get(name)
    try:
        at = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        at = None
    if at is None:
        raise Unreachable(f"{what}: {name} must be a time, got {str(given)[:40]!r}")
    if at.tzinfo is None:
        raise Unreachable(f"{what}: {name} must be a time with its zone, got {str(given)[:40]!r}")
    return at.astimezone(UTC)


def bar_of(symbol: str, row: Any, seconds: int) -> Bar:
    """A bar."""
    what = f"bar of {symbol}"
    fields = object_of(what, row)
    at = time_in(what, fields)
    what = f"{what} at {at.isoformat()}"
    prices = {name: needed(what, fields, name[0]) for name in ("open", "high", "low", "close")}
    try:
        return Bar(symbol=symbol, at=at, seconds=seconds, volume=needed(what, fields, "v"), **prices)
    except Invalid as error:
        raise Unreachable(f"{what}: {error}") from error


def quote_of(symbol: str, row: Any) -> Quote | None:
    """A quote; ``None`` when either side is missing or 0: nobody bids, or nobody offers. A crossed one is nonsense."""
    what = f"quote of {symbol}"
    fields = object_of(what, row)
    bid, ask = (_price(what, fields, name) for name in ("bp", "ap"))
    at = time_in(what, fields)
    if bid is None or ask is None:
        return None
    sizes = {name: needed(what, fields, key) for name, key in (("bid_size", "bs"), ("ask_size", "as"))}
    try:
        return Quote(symbol=symbol, at=at, bid=bid, ask=ask, **sizes)
    except Invalid as error:
        raise Unreachable(f"{what}: {error}") from error


def chain_of(
    snapshots: Mapping[str, Any], interest: Mapping[str, Decimal | None], now: datetime
) -> tuple[OptionQuote, ...]:
    """Contracts by symbol, from their snapshots and their open interest.

    A contract whose quote is crossed is left out: it is not known what it is worth, and to show it without its sides would say
    that nobody bids for it. One without any quote is as of ``now``.
    """
    today = now.astimezone(NEW_YORK).date()
    rows = {symbol: object_of(f"snapshot of {symbol}", snapshots[symbol]) for symbol in sorted(snapshots)}
    traded = {symbol: _traded(symbol, row, today) for symbol, row in rows.items()}
    none_traded = ZERO if any(volume is not None for volume in traded.values()) else None
    found: list[OptionQuote] = []
    for symbol, row in rows.items():
        volume = traded[symbol]
        quoted = _contract(
            symbol, row, now, volume=none_traded if volume is None else volume, interest=interest.get(symbol)
        )
        if quoted is not None:
            found.append(quoted)
    return tuple(found)


def interest_of(rows: Any) -> dict[str, Decimal | None]:
    """Open interest by contract, from a page of contracts; ``None`` where the venue has none."""
    what = "option contracts"
    if not isinstance(rows, list):
        raise Unreachable(f"{what}: expected a list, got {type(rows).__name__}")
    found: dict[str, Decimal | None] = {}
    for row in rows:
        fields = object_of(what, row)
        symbol = fields.get("symbol")
        if not isinstance(symbol, str) or not symbol:
            raise Unreachable(f"{what}: symbol must be a text, got {str(symbol)[:40]!r}")
        figure = number(f"contract {symbol[:40]}", fields, "open_interest")
        if figure is not None and figure < 0:
            raise Unreachable(f"contract {symbol[:40]}: open_interest must be at least 0, got {figure}")
        found[symbol] = figure
    return found


def _price(what: str, row: Row, name: str) -> Decimal | None:
    """A price; ``None`` when it is not there."""
    price = number(what, row, name)
    if price is not None and price < 0:
        raise Unreachable(f"{what}: {name} must be at least 0, got {price}")
    return None if price == 0 else price


def _traded(symbol: str, row: Row, today: date) -> Decimal | None:
    """The volume of today's daily bar; ``None`` without one."""
    daily = row.get("dailyBar")
    if daily is None:
        return None
    what = f"snapshot of {symbol}: dailyBar"
    fields = object_of(what, daily)
    if time_in(what, fields).astimezone(NEW_YORK).date() != today:
        return None
    return needed(what, fields, "v")


def _part(what: str, row: Row, name: str) -> Row:
    """A row within a row; empty when it is not delivered."""
    part = row.get(name)
    return {} if part is None else object_of(f"{what}: {name}", part)


def _contract(
    symbol: str, row: Row, now: datetime, *, volume: Decimal | None, interest: Decimal | None
) -> OptionQuote | None:
    what = f"snapshot of {symbol}"
    quote, greeks = (_part(what, row, name) for name in ("latestQuote", "greeks"))
    bid, ask = (_price(what, quote, name) for name in ("bp", "ap"))
    if bid is not None and ask is not None and bid > ask:
        return None
    try:
        return OptionQuote(
            symbol=symbol,
            at=time_in(f"{what}: latestQuote", quote) if quote else now,
            bid=bid,
            ask=ask,
            bid_size=None if bid is None else number(what, quote, "bs"),
            ask_size=None if ask is None else number(what, quote, "as"),
            volume=volume,
            open_interest=interest,
            delta=number(what, greeks, "delta"),
            gamma=number(what, greeks, "gamma"),
            theta=number(what, greeks, "theta"),
            vega=number(what, greeks, "vega"),
            implied_volatility=number(what, row, "impliedVolatility"),
        )
    except Invalid as error:
        raise Unreachable(f"{what}: {error}") from error


def in_order(symbol: str, bars: Sequence[Bar], *, down: bool = False) -> None:
    """Refuse bars of one symbol that are not one after the other, each once; backwards when ``down``."""
    for before, after in pairwise(bars):
        if (after.at >= before.at) if down else (after.at <= before.at):
            raise Unreachable(
                f"bars of {symbol} are not in order: t {after.at.isoformat()} comes after {before.at.isoformat()}"
            )
