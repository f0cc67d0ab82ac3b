"""The in-process door with faults: the ``Broker`` and ``Market`` ports over others, with a plan.

Without rules every question goes straight through, at once: there are many in a cycle.

What a socket would do becomes what an adapter would raise: ``Unreachable`` for no answer or one not in the venue's own
language, ``Invalid`` for a value that cannot be built. Whatever is raised, the engine does not know the outcome, which is
the point. Nothing hangs here; an engine that reads inline would stand still.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from hydra.adapters.exchange.fault_table import (
    BY_EXECUTION,
    OF_THE_ACCOUNT,
    OF_THE_ROAD,
    FaultKind,
    Operation,
)
from hydra.adapters.exchange.faults import Asked, FaultPlan, Rule
from hydra.model.errors import Invalid, Unreachable
from hydra.model.market import Bar, Instrument, OptionQuote, Quote
from hydra.model.orders import Fill, Order, VenueOrder
from hydra.model.portfolio import Account, Position
from hydra.model.values import replace
from hydra.ports import Ack, ActivityPage, Broker, Cursors, FillPage, Market, MarketData, VenueIdentity

T = TypeVar("T")
Sleep = Callable[[float], object]

_BEFORE: Mapping[FaultKind, str] = {
    FaultKind.TIMEOUT_BEFORE: "no answer in time",
    FaultKind.DROP_BEFORE: "the connection was closed without an answer",
    FaultKind.RATE_LIMIT: "status 429, too many requests",
    FaultKind.SERVER_ERROR: "status 500",
}
"""Faults that keep a request from being carried out, in an adapter's words."""
_AFTER: Mapping[FaultKind, str] = {
    FaultKind.TIMEOUT_AFTER: "no answer in time",
    FaultKind.DROP_AFTER: "the connection was closed without an answer",
    FaultKind.GATEWAY_AFTER: "status 504 from a gateway",
    FaultKind.HTML: "the answer is no JSON: <!DOCTYPE html>",
    FaultKind.EMPTY_BODY: "the answer is empty",
    FaultKind.UNKNOWN_ENUM: "the answer has a word that does not exist: 'unheard_of'",
}
"""Faults that lose or spoil the answer to a request that was carried out."""


class _Road:
    """The way to the venue, on which requests and answers fail."""

    def __init__(self, plan: FaultPlan, now: Callable[[], datetime], sleep: Sleep) -> None:
        self.plan = plan
        self.now = now
        self._sleep = sleep

    def due(self, operation: Operation, symbols: Sequence[str], kinds: frozenset[FaultKind]) -> Rule | None:
        """The rule that is due at a request. Without rules the clock is not even read."""
        if self.plan.idle:
            return None
        return self.plan.due(Asked(operation=operation, at=self.now(), symbols=tuple(symbols)), kinds)

    def travel(self, operation: Operation, symbols: Sequence[str], carry_out: Callable[[], T]) -> T:
        """Carry a request out, unless a fault is due; raise what it does to the answer."""
        if self.plan.idle:
            return carry_out()
        rule = self.due(operation, symbols, _OF_REQUESTS)
        if rule is None:
            return carry_out()
        fault = rule.fault
        if fault in _BEFORE:
            raise Unreachable(f"{operation}: {_BEFORE[fault]}{_retry(rule)}")
        if fault is FaultKind.SLOW:
            self._sleep(float(rule.number("ms")) / 1000)
            return carry_out()
        carry_out()
        if fault is FaultKind.NAN:
            raise Invalid(f"{operation}: a number of the answer must be finite, got NaN")
        raise Unreachable(f"{operation}: {_AFTER[fault]}")


QUOTES_ONLY = frozenset({FaultKind.STALE_QUOTE, FaultKind.CROSSED_QUOTE})
_OF_REQUESTS = OF_THE_ROAD - QUOTES_ONLY
_OF_THE_CLOCK = frozenset({FaultKind.CLOCK_OFF})


class FaultyBroker:
    """The ``Broker`` port over another one, with a plan."""

    def __init__(self, broker: Broker, plan: FaultPlan, sleep: Sleep = time.sleep) -> None:
        self._broker = broker
        self._plan = plan
        self._road = _Road(plan, broker.now, sleep)

    def identity(self) -> VenueIdentity:
        """Which account this is; nothing fails here."""
        return self._broker.identity()

    def now(self) -> datetime:
        """The venue's clock, which may be off."""
        if self._plan.idle:
            return self._broker.now()
        at = self._road.travel(Operation.CLOCK, (), self._broker.now)
        rule = self._road.due(Operation.CLOCK, (), _OF_THE_CLOCK)
        return at if rule is None else at + timedelta(seconds=float(rule.number("seconds")))

    def account(self) -> Account:
        """The account, which may say that it is inactive or blocked."""
        if self._plan.idle:
            return self._broker.account()
        account = self._road.travel(Operation.ACCOUNT, (), self._broker.account)
        rule = self._road.due(Operation.ACCOUNT, (), OF_THE_ACCOUNT)
        if rule is None:
            return account
        inactive = rule.fault is FaultKind.ACCOUNT_INACTIVE
        return replace(account, status="INACTIVE") if inactive else replace(account, blocked=True)

    def positions(self) -> tuple[Position, ...]:
        """Everything that is held."""
        return self._road.travel(Operation.POSITIONS, (), self._broker.positions)

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Every order that is not done."""
        return self._road.travel(Operation.ORDERS, (), self._broker.open_orders)

    def order(self, client_id: str) -> VenueOrder | None:
        """The order with this client id."""
        known = self._broker.order(client_id) if self._plan.names_symbols() else None
        symbols = () if known is None else (known.symbol,)
        return self._road.travel(Operation.ORDER, symbols, lambda: self._broker.order(client_id))

    def fills(self, cursor: str) -> FillPage:
        """Executions after ``cursor``; one may be missing, one may be there twice."""
        if self._plan.idle:
            return self._broker.fills(cursor)
        page = self._road.travel(Operation.FILLS, (), lambda: self._broker.fills(cursor))
        if not page.fills or not self._plan.concerns(BY_EXECUTION):
            return page
        return FillPage(fills=tuple(self._reported(page.fills)), cursor=page.cursor)

    def activities(self, cursor: str) -> ActivityPage:
        """What else changed the account after ``cursor``; asked for at the same place as fills."""
        if self._plan.idle:
            return self._broker.activities(cursor)
        return self._road.travel(Operation.FILLS, (), lambda: self._broker.activities(cursor))

    def cursors(self) -> Cursors:
        """The places after everything; asked for at the same place as fills."""
        return self._road.travel(Operation.FILLS, (), self._broker.cursors)

    def instruments(self, symbols: Sequence[str]) -> tuple[Instrument, ...]:
        """Increments and minimums."""
        return self._road.travel(Operation.INSTRUMENTS, symbols, lambda: self._broker.instruments(symbols))

    def submit(self, order: Order) -> Ack:
        """Place an order; its answer may be lost, before or after."""
        return self._road.travel(Operation.SUBMIT, (order.symbol,), lambda: self._broker.submit(order))

    def cancel(self, venue_id: str) -> Ack:
        """Ask for an order to be taken back."""
        symbols = self._symbols_of(venue_id) if self._plan.names_symbols() else ()
        return self._road.travel(Operation.CANCEL, symbols, lambda: self._broker.cancel(venue_id))

    def _symbols_of(self, venue_id: str) -> tuple[str, ...]:
        return tuple(order.symbol for order in self._broker.open_orders() if order.venue_id == venue_id)

    def _reported(self, fills: Sequence[Fill]) -> Iterator[Fill]:
        for fill in fills:
            asked = Asked(operation=Operation.FILLS, at=fill.at, symbols=(fill.symbol,))
            rule = self._plan.due_at_execution(asked, fill.fill_id)
            if rule is None or rule.fault is FaultKind.DOUBLED_FILL:
                yield fill
            if rule is not None and rule.fault is FaultKind.DOUBLED_FILL:
                yield fill


class FaultyMarket:
    """The ``Market`` port over another one, with a plan. ``now`` is the venue's clock."""

    def __init__(self, market: Market, plan: FaultPlan, now: Callable[[], datetime], sleep: Sleep = time.sleep) -> None:
        self._market = market
        self._plan = plan
        self._road = _Road(plan, now, sleep)

    def describe(self) -> str:
        """The market in one line."""
        return self._market.describe()

    def history(self, symbols: Sequence[str], count: int) -> tuple[Bar, ...]:
        """The last closed bars of each symbol."""
        return self._road.travel(Operation.BARS, symbols, lambda: self._market.history(symbols, count))

    def poll(self, symbols: Sequence[str], after: Mapping[str, datetime]) -> MarketData:
        """Latest quotes and closed bars: a request for quotes, and one for bars."""
        if self._plan.idle:
            return self._market.poll(symbols, after)

        def both() -> MarketData:
            return self._road.travel(Operation.BARS, symbols, lambda: self._market.poll(symbols, after))

        data = self._road.travel(Operation.QUOTES, symbols, both)
        rule = self._road.due(Operation.QUOTES, symbols, QUOTES_ONLY)
        if rule is None:
            return data
        return replace(data, quotes=tuple(_spoilt(quote, rule) for quote in data.quotes))

    def chain(self, underlying: str) -> tuple[OptionQuote, ...]:
        """Every contract on an equity, as it is quoted; quotes may be old, and what is crossed is left out."""
        chain = self._road.travel(Operation.CHAIN, (underlying,), lambda: self._market.chain(underlying))
        rule = self._road.due(Operation.CHAIN, (underlying,), QUOTES_ONLY)
        if rule is None:
            return chain
        spoilt = (_spoilt_contract(quote, rule, underlying) for quote in chain)
        return tuple(quote for quote in spoilt if quote is not None)


def _spoilt_contract(quote: OptionQuote, rule: Rule, underlying: str) -> OptionQuote | None:
    """A contract's quote with an old time; ``None`` for one that is crossed. One with a side missing cannot be."""
    if rule.symbol not in ("", underlying, quote.symbol):
        return quote
    if rule.fault is FaultKind.STALE_QUOTE:
        return replace(quote, at=quote.at - timedelta(seconds=float(rule.number("seconds"))))
    return quote if quote.bid is None or quote.ask is None else None


def _spoilt(quote: Quote, rule: Rule) -> Quote:
    """A quote with an old time; one that is crossed cannot be built, and says so."""
    if rule.symbol not in ("", quote.symbol):
        return quote
    if rule.fault is FaultKind.STALE_QUOTE:
        return replace(quote, at=quote.at - timedelta(seconds=float(rule.number("seconds"))))
    return replace(quote, bid=max(quote.bid, quote.ask) * 2, ask=min(quote.bid, quote.ask))


def _retry(rule: Rule) -> str:
    return f", retry after {rule.number('seconds')} s" if rule.fault is FaultKind.RATE_LIMIT else ""
