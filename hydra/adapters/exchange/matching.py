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
    trailing     as a stop at the price it trails to

Within a bar the adverse extreme is taken to come first: stop before target, and for a trailing stop first the open, then the
extreme that hits it, only then the extreme that moves it, last the close. So no order profits from a price that may not have
come before its fill, and a stop is missed only where missing it is certain.

Every price is rounded to the instrument's increment against the trader. How much of an order fills is not decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from hydra.adapters.exchange.model import Ticket
from hydra.model.market import Bar
from hydra.model.money import ONE, ZERO, to_increment
from hydra.model.orders import OrderType, Side
from hydra.model.values import Value, replace


class Rates(Value, frozen=True, kw_only=True):
    """What a fill costs in price: ``slippage`` and ``half_spread`` as fractions, ``increment`` in dollars."""

    increment: Decimal
    slippage: Decimal = ZERO
    half_spread: Decimal = ZERO


class Match(Value, frozen=True, kw_only=True):
    """An order met the market. ``price`` is ``None`` when nothing traded: its stop was reached, or its trail moved.

    ``at_start`` is true when it traded where the bar began, so the whole bar lies after the fill. ``high_water`` is what a
    trailing stop has seen by the end of it.
    """

    price: Decimal | None
    at_start: bool = False
    triggered: bool = False
    high_water: Decimal | None = None


def against_quote(ticket: Ticket, far: Decimal, rates: Rates) -> Decimal | None:
    """The price at which an order trades on the far side of a fresh quote; ``None`` when it does not, or has to rest."""
    if ticket.order_type is OrderType.MARKET or (ticket.triggered and ticket.limit is None):
        return _worsened(far, ticket.side, rates.slippage, rates)
    waits = ticket.order_type is not OrderType.LIMIT and not ticket.triggered
    if not waits and ticket.limit is not None and _within(ticket.side, far, ticket.limit):
        return _better(ticket.side, ticket.limit, _worsened(far, ticket.side, rates.slippage, rates))
    return None


def reached(ticket: Ticket, far: Decimal) -> bool:
    """Whether a quote's far side reaches the stop of an order that waits for one."""
    stop = trailed_stop(ticket)
    return stop is not None and not ticket.triggered and _within(ticket.side, stop, far)


def trailed_stop(ticket: Ticket, high_water: Decimal | None = None) -> Decimal | None:
    """The stop price of an order; for a trailing stop the one that goes with its high-water mark."""
    if ticket.order_type is not OrderType.TRAILING_STOP:
        return ticket.stop
    mark = ticket.high_water if high_water is None else high_water
    if mark is None:
        return None
    if ticket.trail_price is not None:
        return mark + ticket.side.sign * ticket.trail_price
    assert ticket.trail_percent is not None
    return mark * (ONE + ticket.side.sign * ticket.trail_percent / 100)


def auction(ticket: Ticket, price: Decimal, rates: Rates) -> Decimal | None:
    """The price at which an order takes part in an auction: the auction's, if its limit allows it."""
    if ticket.limit is not None and not _within(ticket.side, price, ticket.limit):
        return None
    return _worsened(price, ticket.side, ZERO, rates)


def untouched(ticket: Ticket, bar: Bar) -> bool:
    """True when a bar does not reach the limit or the stop that an order waits for: most bars, and no rates are needed to say so.

    ``against_bar`` has ``None`` for all of these. What waits for anything else is not said to be untouched.
    """
    if ticket.order_type is OrderType.LIMIT or (ticket.triggered and ticket.order_type is OrderType.STOP_LIMIT):
        limit = ticket.limit
        return limit is not None and (bar.low > limit if ticket.side is Side.BUY else bar.high < limit)
    if ticket.triggered or ticket.order_type not in _STOPS:
        return False
    stop = ticket.stop
    return stop is not None and (bar.high < stop if ticket.side is Side.BUY else bar.low > stop)


def against_bar(ticket: Ticket, bar: Bar, rates: Rates, start: Decimal | None = None) -> Match | None:
    """What a bar does to a resting order; ``None`` for nothing. Without ``start`` the order works from the open."""
    if ticket.triggered and ticket.limit is None:
        return _market(ticket, bar, rates, bar.open if start is None else start)
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
    return _stopped(ticket, ticket.stop, bar, rates, start)


def _stopped(ticket: Ticket, stop: Decimal, bar: Bar, rates: Rates, start: Decimal) -> Match | None:
    touched = bar.high if ticket.side is Side.BUY else bar.low
    if not _within(ticket.side, stop, touched):
        return None
    price = _worse(ticket.side, start, stop)
    at_start = _within(ticket.side, stop, start)
    return Match(price=_worsened(price, ticket.side, rates.slippage, rates), at_start=at_start)


def _trailing(ticket: Ticket, bar: Bar, rates: Rates, start: Decimal) -> Match | None:
    """Open, adverse extreme, favourable extreme, close."""
    side = ticket.side
    mark = start if ticket.high_water is None else _worse(side.opposite, start, ticket.high_water)
    stop = trailed_stop(ticket, mark)
    assert stop is not None
    hit = _stopped(ticket, stop, bar, rates, start)
    if hit is not None:
        return replace(hit, high_water=mark)
    mark = _worse(side.opposite, bar.low if side is Side.BUY else bar.high, mark)
    stop = trailed_stop(ticket, mark)
    assert stop is not None
    if _within(side, stop, bar.close):
        return Match(price=_worsened(stop, side, rates.slippage, rates), high_water=mark)
    return None if mark == ticket.high_water else Match(price=None, high_water=mark)


def _stop_limit(ticket: Ticket, bar: Bar, rates: Rates, start: Decimal) -> Match | None:
    if ticket.triggered:
        return _limit(ticket, bar, rates, start)
    stopped = _stop(ticket, bar, rates, start)
    if stopped is None or stopped.price is None:
        return None
    assert ticket.limit is not None
    assert ticket.stop is not None
    if not _within(ticket.side, _worse(ticket.side, start, ticket.stop), ticket.limit):
        return Match(price=None, at_start=stopped.at_start, triggered=True)
    return Match(price=_better(ticket.side, stopped.price, ticket.limit), at_start=stopped.at_start)


_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
_BY_TYPE: dict[OrderType, Callable[[Ticket, Bar, Rates, Decimal], Match | None]] = {
    OrderType.MARKET: _market,
    OrderType.LIMIT: _limit,
    OrderType.STOP: _stop,
    OrderType.STOP_LIMIT: _stop_limit,
    OrderType.TRAILING_STOP: _trailing,
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
