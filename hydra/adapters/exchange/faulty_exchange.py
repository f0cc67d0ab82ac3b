"""The venue with faults in how it takes orders: refused exits, an account that may not trade, fills in part.

Both doors speak to the venue through this wrapper when there is a fault plan. It changes how orders are taken and passes
everything else on. Faults in answers (a clock, a status, a quote) are made at the doors: there they touch nothing else.

An order that is to fill in part is rationed: the venue asks ``ration`` before each of its executions. That is in the midst of
a change, where the venue must not be asked anything back, so rations that end are dropped before the clock moves.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from types import MethodType
from typing import Any, Protocol, TypeVar, cast

from hydra.adapters.exchange.fault_table import OF_ORDERS, OF_THE_ACCOUNT, FaultKind, Operation
from hydra.adapters.exchange.faults import Asked, FaultPlan, Rule
from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.terms import Amendment, No, OrderClass, Rejection, Request
from hydra.model.money import ZERO, plain, size_down
from hydra.model.orders import TimeInForce
from hydra.model.values import Value

Venue = TypeVar("Venue")
_STAYS = frozenset({"feed", "calendar", "settings", "instruments"})
"""What an exchange is made with, and keeps."""
_WHOLE = frozenset({TimeInForce.FOK})


class _Share(Value, frozen=True, kw_only=True):
    """How much of an order may fill, and until when that holds."""

    fraction: Decimal
    until: datetime


class FaultyExchange:
    """An ``Exchange`` over another one, with a plan. ``faulty`` makes one."""

    def __init__(self, exchange: Exchange, plan: FaultPlan) -> None:
        self._exchange = exchange
        self._plan = plan
        self._shares: dict[str, _Share] = {}

    def __getattr__(self, name: str) -> Any:
        """Everything that is not changed here. Methods are kept: there are many questions in a cycle."""
        found = getattr(self._exchange, name)
        if type(found) is MethodType or name in _STAYS:
            self.__dict__[name] = found
        return found

    @property
    def now(self) -> datetime:
        """The exchange's clock."""
        return self._exchange.now

    def place(self, request: Request) -> Ticket | Rejection:
        """Take an order, unless its refusal is due; ration it, if that is."""
        kinds = set(OF_THE_ACCOUNT)
        if self._reduces(request):
            kinds.add(FaultKind.REJECT_EXIT)
        if request.order_class is not OrderClass.MLEG and request.time_in_force not in _WHOLE:
            kinds.add(FaultKind.PARTIAL_FILL)
        now = self._exchange.now
        symbols = (request.symbol, *(leg.symbol for leg in request.legs))
        rule = self._plan.due(Asked(operation=Operation.SUBMIT, at=now, symbols=symbols), kinds)
        if rule is None:
            return self._exchange.place(request)
        if rule.fault is not FaultKind.PARTIAL_FILL:
            return self._refusal(rule, request)
        known = request.client_id in self._shares or self._exchange.ticket_named(request.client_id) is not None
        if not known:
            until = now + timedelta(seconds=float(rule.number("seconds")))
            self._shares[request.client_id] = _Share(fraction=rule.number("fraction"), until=until)
        taken = self._exchange.place(request)
        if isinstance(taken, Rejection) and not known:
            self._shares.pop(request.client_id, None)
        return taken

    def amend(self, venue_id: str, amendment: Amendment) -> Ticket | Rejection:
        """Replace an order, unless the account may not."""
        ticket = self._exchange.ticket(venue_id)
        symbols = () if ticket is None else (ticket.symbol,)
        asked = Asked(operation=Operation.REPLACE, at=self._exchange.now, symbols=symbols)
        rule = self._plan.due(asked, OF_THE_ACCOUNT)
        return self._exchange.amend(venue_id, amendment) if rule is None else _blocked(rule)

    def advance(self) -> bool:
        """Move the clock to the feed's next instant; False at the end."""
        coming = self._exchange.next_instant()
        if coming is not None:
            self._end_shares(coming)
        return self._exchange.advance()

    def advance_to(self, at: datetime) -> None:
        """Move the clock to ``at``, through every instant on the way."""
        while self._shares and (coming := self._exchange.next_instant()) is not None and coming < at:
            self._end_shares(coming)
            self._exchange.advance_to(coming)
        self._end_shares(at)
        self._exchange.advance_to(at)

    def ration(self, ticket: Ticket, quantity: Decimal) -> Decimal:
        """How much of ``quantity``, which is about to fill, may."""
        share = self._shares.get(ticket.client_id)
        if share is None:
            return quantity
        increment = self._exchange.instruments[ticket.symbol].quantity_increment
        allowed = size_down(ticket.quantity * share.fraction, increment) - ticket.filled
        return min(quantity, max(ZERO, allowed))

    def _end_shares(self, at: datetime) -> None:
        """Drop the rations that are over by ``at``."""
        self._shares = {name: share for name, share in self._shares.items() if share.until > at}

    def _reduces(self, request: Request) -> bool:
        if not self._plan.concerns(OF_ORDERS):
            return False
        wanted = {leg.symbol: leg.side for leg in request.legs} or {request.symbol: request.side}
        return any(
            each.symbol in wanted and each.quantity * wanted[each.symbol].sign < 0 for each in self._exchange.held()
        )

    def _refusal(self, rule: Rule, request: Request) -> Rejection:
        if rule.fault in OF_THE_ACCOUNT:
            return _blocked(rule)
        requested = "0" if request.quantity is None else plain(request.quantity)
        figures = {"symbol": request.symbol, "requested": requested, "available": "0"}
        return Rejection(
            kind=No.INSUFFICIENT_QUANTITY,
            reason=f"insufficient qty available for order (requested: {requested}, available: 0): a fault is due",
            figures=figures,
        )


def faulty(exchange: Venue, plan: FaultPlan) -> Venue:
    """The exchange with the plan's faults, of the same make to whoever uses it; it rations its fills, if it can be told to."""
    wrapper = FaultyExchange(cast(Exchange, exchange), plan)
    if hasattr(exchange, "ration"):
        cast("_Rationed", exchange).ration = wrapper.ration
    return cast(Venue, wrapper)


class _Rationed(Protocol):
    """A venue that asks before each execution how much of an order may fill."""

    ration: Callable[[Ticket, Decimal], Decimal] | None


def _blocked(rule: Rule) -> Rejection:
    status = "INACTIVE" if rule.fault is FaultKind.ACCOUNT_INACTIVE else "blocked from trading"
    return Rejection(kind=No.ACCOUNT_BLOCKED, reason=f"the account is {status}: a fault is due")
