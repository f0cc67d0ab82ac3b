"""Structures: contracts that were entered together, and what they can lose.

    profit at expiry, for an underlying at S:   sum over legs of  n x value(S) - net paid
    value(S):  call max(0, S - strike), put max(0, strike - S);  n > 0 for a leg that is held, < 0 for one that is owed

The profit is piecewise linear in S with its corners at the strikes, so its worst is at 0, at a strike, or (when more calls are
owed than held) without bound. Legs that expire on different days, or on different roots, have no such worst: ``None``.
Source: the payoff of a position is the sum of its parts' (Hull, Options, Futures, and Other Derivatives, chapter on trading
strategies involving options).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache

from hydra.model.market import OptionContract, Right, multiplier_of
from hydra.model.money import ZERO
from hydra.model.orders import Leg
from hydra.model.portfolio import Holding, Ledger
from hydra.model.same import Same, kept
from hydra.model.values import Value

_SATURDAY = 5


class Structure(Value, frozen=True, kw_only=True):
    """What a bot holds of one structure. ``entry`` is the client id of its entry, ``legs`` its contracts' holdings."""

    entry: str
    bot: str
    underlying: str
    legs: tuple[Holding, ...]

    @property
    def units(self) -> Decimal:
        """The most contracts that are open of any leg."""
        return max(abs(leg.quantity) for leg in self.legs)

    @property
    def expiry(self) -> date:
        """The first day on which one of its contracts expires."""
        return min(OptionContract.parse(leg.symbol).expiry for leg in self.legs)

    @property
    def paid(self) -> Decimal:
        """Dollars paid for what is held, net; below zero for a credit."""
        return _paid(self.legs)

    @property
    def most_lost(self) -> Decimal | None:
        """Dollars that what is held can lose until expiry, from what was paid for it; ``None`` when nothing bounds it."""
        return _most_lost(tuple(map(Same, self.legs)))

    @property
    def opened(self) -> Holding:
        """The leg that was opened first."""
        return min(self.legs, key=lambda leg: leg.opened_at)


def structures_of(ledger: Ledger) -> tuple[Structure, ...]:
    """Every structure that is held, in the ledger's order."""
    return _among(ledger.holdings) if ledger.holdings else ()


@kept
def _among(holdings: Mapping[str, Holding]) -> tuple[Structure, ...]:
    """Asked many times in a cycle: by kills, exits and chains."""
    found: dict[str, list[Holding]] = {}
    for holding in holdings.values():
        if holding.structure:
            found.setdefault(holding.structure, []).append(holding)
    return tuple(
        Structure(entry=entry, bot=legs[0].bot, underlying=OptionContract.parse(legs[0].symbol).root, legs=tuple(legs))
        for entry, legs in found.items()
    )


def _paid(legs: Iterable[Holding]) -> Decimal:
    return sum([leg.quantity * leg.average_price * multiplier_of(leg.symbol) for leg in legs], ZERO)


@lru_cache(maxsize=256)
def _most_lost(legs: tuple[Same[Holding], ...]) -> Decimal | None:
    """Asked of every structure in every cycle, and the legs are the very same until something happens to one."""
    held = [leg.value for leg in legs]
    return worst_loss({leg.symbol: leg.quantity * multiplier_of(leg.symbol) for leg in held}, _paid(held))


def most_lost_of(legs: Iterable[Leg], net_paid: Decimal) -> Decimal | None:
    """Dollars that one unit of an order's legs can lose when ``net_paid`` (dollars a share, below zero for a credit) is paid.

    ``None`` when nothing bounds it.
    """
    counted = tuple(legs)
    each = multiplier_of(counted[0].symbol)
    amounts = {leg.symbol: leg.side.sign * leg.ratio * each for leg in counted}
    return worst_loss(amounts, net_paid * each)


def worst_loss(amounts: dict[str, Decimal], paid: Decimal) -> Decimal | None:
    """Dollars lost at the worst price at expiry; never below zero. ``amounts`` are shares by contract, below zero when owed."""
    contracts = {symbol: OptionContract.parse(symbol) for symbol in amounts}
    if len({(c.expiry, c.root) for c in contracts.values()}) != 1:
        return None
    if sum((amounts[s] for s, c in contracts.items() if c.right is Right.CALL), ZERO) < 0:
        return None
    corners = [ZERO, *(contract.strike for contract in contracts.values())]
    worst = min(sum((amounts[s] * value_at(c, price) for s, c in contracts.items()), ZERO) for price in corners)
    return max(ZERO, paid - worst)


@lru_cache(maxsize=1024)
def weekdays_left(day: date, expiry: date) -> int:
    """Mondays to Fridays from ``day`` to ``expiry``, the latter not counted; 0 from the day itself on. Holidays are not known."""
    weeks, more = divmod(max((expiry - day).days, 0), 7)
    return weeks * 5 + sum((day.weekday() + n) % 7 < _SATURDAY for n in range(more))


def value_at(contract: OptionContract, price: Decimal) -> Decimal:
    """Dollars a share that a contract is worth at expiry, with the underlying at ``price``."""
    ahead = price - contract.strike if contract.right is Right.CALL else contract.strike - price
    return max(ZERO, ahead)
