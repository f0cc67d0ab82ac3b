"""How an order fills against a quote or a bar. Pure: prices in, a match out.

The rules are those of a careful pessimist who knows only a bar's four prices. ``worse`` and ``better`` are seen from the
trader: for a buy, higher is worse. ``start`` is the price at which the order begins to work within the bar: its open, or
for the legs of an entry that filled inside this very bar, the entry's price.

    order        fills when                          at
    -----------  ----------------------------------  --------------------------------------------------------------
    market       at once on a fresh quote            the quote's far side, worsened by slippage
                 else in the next bar                the open, worsened by half the spread plus slippage
    limit        at once if a fresh quote reaches it  as a market order, but never worse than the limit
                 else the bar touches the limit      the better of start and limit, no slippage
    stop         the bar touches the stop            the worse of start and stop, worsened by slippage
    stop_limit   the bar touches the stop, and the   that price worsened by slippage, never worse than the limit
                 worse of start and stop is still
                 within the limit
                 else                                does not fill in this bar; works as a limit from the next one

Every price is rounded to the instrument's increment against the trader. An order fills whole or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hydra.adapters.exchange.model import Ticket
from hydra.model.market import Bar, Quote
from hydra.model.money import ONE, ZERO, to_increment
from hydra.model.orders import OrderType, Side
from hydra.model.values import Value


class Rates(Value, frozen=True, kw_only=True):
    """What a fill costs in price: ``slippage`` and ``half_spread`` as fractions, ``increment`` in dollars."""

    increment: Decimal
    slippage: Decimal = ZERO
    half_spread: Decimal = ZERO


class Match(Value, frozen=True, kw_only=True):
    """An order met the market. ``price`` is ``None`` when only its stop was reached.

    ``at_start`` is true when it traded where the bar began, so the whole bar lies after the fill.
    """

    price: Decimal | None
    at_start: bool


def against_quote(ticket: Ticket, quote: Quote, rates: Rates) -> Decimal | None:
    """The price at which a new order trades on a fresh quote; ``None`` when it does not, or has to rest."""
    far = quote.ask if ticket.side is Side.BUY else quote.bid
    if ticket.order_type is OrderType.MARKET:
        return _worsened(far, ticket.side, rates.slippage, rates)
    if ticket.order_type is OrderType.LIMIT and ticket.limit is not None and _within(ticket.side, far, ticket.limit):
        return _better(ticket.side, ticket.limit, _worsened(far, ticket.side, rates.slippage, rates))
    return None


def against_bar(ticket: Ticket, bar: Bar, rates: Rates, start: Decimal | None = None) -> Match | None:
    """What a bar does to a resting order; ``None`` for nothing. Without ``start`` the order works from the open."""
    return _BY_TYPE[ticket.order_type](ticket, bar, rates, bar.open if start is None else start)


def _market(ticket: Ticket, _bar: Bar, rates: Rates, start: Decimal) -> Match:
    price = _worsened(start, ticket.side, rates.half_spread + rates.slippage, rates)
    return Match(price=price, at_start=True)


def _limit(ticket: Ticket, bar: Bar, rates: Rates, start: Decimal) -> Match | None:
    assert ticket.limit is not None
    touched = bar.low if ticket.side is Side.BUY else bar.high
    if not _within(ticket.side, touched, ticket.limit):
        return None
    price = _better(ticket.side, start, ticket.limit)
    return Match(price=_worsened(price, ticket.side, ZERO, rates), at_start=_within(ticket.side, start, ticket.limit))


def _stop(ticket: Ticket, bar: Bar, rates: Rates, start: Decimal) -> Match | None:
    assert ticket.stop is not None
    touched = bar.high if ticket.side is Side.BUY else bar.low
    if not _within(ticket.side, ticket.stop, touched):
        return None
    price = _worse(ticket.side, start, ticket.stop)
    at_start = _within(ticket.side, ticket.stop, start)
    return Match(price=_worsened(price, ticket.side, rates.slippage, rates), at_start=at_start)


def _stop_limit(ticket: Ticket, bar: Bar, rates: Rates, start: Decimal) -> Match | None:
    if ticket.triggered:
        return _limit(ticket, bar, rates, start)
    stopped = _stop(ticket, bar, rates, start)
    if stopped is None or stopped.price is None:
        return None
    assert ticket.limit is not None
    assert ticket.stop is not None
    if not _within(ticket.side, _worse(ticket.side, start, ticket.stop), ticket.limit):
        return Match(price=None, at_start=stopped.at_start)
    return Match(price=_better(ticket.side, stopped.price, ticket.limit), at_start=stopped.at_start)


_BY_TYPE: dict[OrderType, Callable[[Ticket, Bar, Rates, Decimal], Match | None]] = {
    OrderType.MARKET: _market,
    OrderType.LIMIT: _limit,
    OrderType.STOP: _stop,
    OrderType.STOP_LIMIT: _stop_limit,
}


def _within(side: Side, price: Decimal, bound: Decimal) -> bool:
    """True when ``price`` is no worse than ``bound``."""
    return price <= bound if side is Side.BUY else price >= bound


def _better(side: Side, one: Decimal, other: Decimal) -> Decimal:
    return min(one, other) if side is Side.BUY else max(one, other)


def _worse(side: Side, one: Decimal, other: Decimal) -> Decimal:
    return max(one, other) if side is Side.BUY else min(one, other)


def _worsened(price: Decimal, side: Side, fraction: Decimal, rates: Rates) -> Decimal:
    """``price`` moved against the trader and rounded the same way; a sale never goes below one increment."""
    moved = price * (ONE + side.sign * fraction)
    rounded = to_increment(moved, rates.increment, "up" if side is Side.BUY else "down")
    return max(rounded, rates.increment)
