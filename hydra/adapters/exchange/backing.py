"""What stands behind the option contracts of an account: the dollars and the shares that written contracts lay claim to.

When an order is taken, the open ones count as if they had filled where that takes something away (a contract written, or a
long one sold), and an order of several legs with all of them, since they fill together. So no two orders lean on the same
dollars or shares, and the shares behind a written call cannot be sold while it stands. What is only ordered backs nothing:
the need is the greater of that with and that without the orders of several legs, and at a fill only what is held counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

from hydra.adapters.exchange import structures
from hydra.adapters.exchange.desk import Desk
from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.structures import Leg
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import ZERO
from hydra.model.orders import Side

_NOTHING: Mapping[str, Decimal] = MappingProxyType({})


class Backing:
    """The claims of one account's contracts. Reads the desk, changes nothing."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._behind: tuple[int, Decimal | None] = (-1, ZERO)

    def behind(self) -> Decimal | None:
        """Dollars behind the short contracts that are held; ``None`` when nothing would be enough.

        No price is in it, so the answer holds until the account changes.
        """
        if self._behind[0] != self._desk.version:
            legs = self._held()
            covered = not legs or all(leg.quantity > 0 for leg in legs)
            self._behind = (
                self._desk.version,
                ZERO if covered else structures.requirement(legs, self._shares(legs)),
            )
        return self._behind[1]

    def rise(
        self,
        more: Sequence[Leg],
        *,
        but: str = "",
        alone: bool = False,
    ) -> Decimal | None:
        """By how many dollars an order for ``more`` contracts raises what must stand behind them all (below zero: lowers it).

        ``but`` is the client id of an open order not to count. ``alone``: no long contract may help, only dollars and shares.
        ``None`` when no bound is left.
        """
        underlyings = {structures.underlying_of(leg.symbol) for leg in more}
        held = [leg for leg in self._held() if structures.underlying_of(leg.symbol) in underlyings]
        singles, several = self._singles(underlyings, but), self._several(underlyings, but)
        rises = []
        for legs in ([*held, *singles, *several], [*held, *singles]) if several else ([*held, *singles],):
            counted = [leg for leg in legs if leg.quantity < 0] if alone else legs
            rises.append(self._difference(counted, more, _NOTHING))
        known = [rise for rise in rises if rise is not None]
        return max(known) if len(known) == len(rises) else None

    def rise_now(self, more: Sequence[Leg], shares: Mapping[str, Decimal] = _NOTHING) -> Decimal | None:
        """The same if they were held this moment, by what is held alone; ``shares`` come in or go out with them (signed)."""
        underlyings = {structures.underlying_of(leg.symbol) for leg in more}
        held = [leg for leg in self._held() if structures.underlying_of(leg.symbol) in underlyings]
        return self._difference(held, more, shares)

    def _difference(self, legs: Sequence[Leg], more: Sequence[Leg], shares: Mapping[str, Decimal]) -> Decimal | None:
        if all(leg.quantity > 0 for leg in (*legs, *more)):
            return ZERO
        free = {name: owned - self._desk.held(name) for name, owned in self._shares(more).items()}
        moved = {name: free.get(name, ZERO) + shares.get(name, ZERO) for name in {*free, *shares}}
        before, after = structures.requirement(legs, free), structures.requirement([*legs, *more], moved)
        return None if after is None else after - (before or ZERO)

    def locked(self, symbol: str) -> Decimal:
        """The shares of an equity that may not be sold: they stand behind written calls, or behind orders to write some."""
        owned = self._desk.owned(symbol)
        if owned <= 0:
            return ZERO
        legs = [leg for leg in self._held() if structures.underlying_of(leg.symbol) == symbol]
        legs += self._singles({symbol}, "")
        several = self._several({symbol}, "")
        if not legs and not several:
            return ZERO
        # What is only ordered backs nothing, so the orders of several legs count where they take away and not where they bring.
        return max(
            structures.locked(each, {symbol: owned}).get(symbol, ZERO)
            if any(leg.quantity < 0 for leg in each)
            else ZERO
            for each in ([*legs, *several], legs)
        )

    def available(self, symbol: str) -> Decimal:
        """How much of a position may be closed: what no order has reserved and no written call has locked; at least zero."""
        locked = self.locked(symbol) if asset_class_of(symbol) is AssetClass.EQUITY else ZERO
        return max(ZERO, abs(self._desk.owned(symbol)) - self._desk.held(symbol) - locked)

    def _held(self) -> list[Leg]:
        return [
            Leg(symbol=position.symbol, quantity=position.quantity)
            for position in self._desk.positions.values()
            if asset_class_of(position.symbol) is AssetClass.OPTION
        ]

    def _shares(self, legs: Iterable[Leg]) -> dict[str, Decimal]:
        return {name: self._desk.owned(name) for name in {structures.underlying_of(leg.symbol) for leg in legs}}

    def _singles(self, underlyings: set[str], but: str) -> list[Leg]:
        """What the open orders to sell one contract on these underlyings would take away."""
        found: list[Leg] = []
        for symbol in self._desk.working_symbols():
            if (
                symbol
                and asset_class_of(symbol) is AssetClass.OPTION
                and structures.underlying_of(symbol) in underlyings
            ):
                sales = (t for t in self._desk.working(symbol) if t.side is Side.SELL and t.client_id != but)
                found += [_leg(ticket) for ticket in sales]
        return found

    def _several(self, underlyings: set[str], but: str) -> list[Leg]:
        """What the open orders of several legs on these underlyings would bring and take away."""
        parents = [parent for parent in self._desk.working("") if parent.client_id != but]
        if not parents:
            return []
        legs = (leg for parent in parents for leg in self._desk.legs(parent.client_id) if not leg.status.done)
        return [_leg(leg) for leg in legs if structures.underlying_of(leg.symbol) in underlyings]


def _leg(ticket: Ticket) -> Leg:
    return Leg(symbol=ticket.symbol, quantity=ticket.side.sign * ticket.remaining)
