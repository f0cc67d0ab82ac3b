"""What working orders to close lay claim to, symbol by symbol, kept as running sums.

The orders of one group share a quantity: the two exits of an entry can close it once, so they reserve the larger of theirs.
"""

from __future__ import annotations

from decimal import Decimal

from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.terms import Role
from hydra.model.money import ZERO


class Holds:
    """The quantities of positions that are spoken for."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, str], dict[str, Decimal]] = {}
        self._held: dict[str, Decimal] = {}

    def of(self, symbol: str) -> Decimal:
        """The quantity of a symbol that is reserved."""
        return self._held.get(symbol, ZERO)

    def change(self, before: Ticket | None, after: Ticket) -> None:
        """Go from one version of an order to the other; ``None`` when it is new. What an order is for never changes."""
        intent = after.position_intent
        if intent is None or intent.opens or not after.symbol:
            return
        was = ZERO if before is None else _claimed(before)
        now = _claimed(after)
        if not was and not now:
            return
        group_before = after.group if before is None else before.group
        if was == now and group_before == after.group:
            return
        if was:
            self._set(after.symbol, group_before, after.client_id, ZERO)
        if now:
            self._set(after.symbol, after.group, after.client_id, now)

    def _set(self, symbol: str, group: str, name: str, quantity: Decimal) -> None:
        members = self._groups.setdefault((symbol, group), {})
        largest = max(members.values()) if members else ZERO
        if quantity:
            members[name] = quantity
        else:
            members.pop(name, None)
        held = self._held.get(symbol, ZERO) + (max(members.values()) if members else ZERO) - largest
        if not members:
            del self._groups[symbol, group]
        if held:
            self._held[symbol] = held
        else:
            self._held.pop(symbol, None)


def _claimed(ticket: Ticket) -> Decimal:
    """How much of a position an order to close lays claim to."""
    if ticket.status.done or not (ticket.working or ticket.role is Role.LEG):
        return ZERO
    return ticket.quantity - ticket.filled
