"""Which contracts of a chain may be traded: one small rule for each question, answering with why not.

A rule looks at one contract and says, with numbers, what is wrong with it, or nothing. ``RULES`` has them in the order in which
they are asked; the first that objects counts. What the venue does not say (``None``) is never taken for zero: the rule that
needs it refuses, unless its minimum is zero or the policy waives it by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from hydra.bots.options.pricing import expires_at
from hydra.model.market import OptionContract, OptionQuote
from hydra.model.money import plain
from hydra.model.structures import weekdays_left
from hydra.model.values import Value
from hydra.policy import OptionPolicy


class Look(Value, frozen=True, kw_only=True):
    """What one look at a chain knows beside it. ``spot`` is the middle of the underlying's quote, in dollars."""

    at: datetime
    day: date
    root: str
    spot: Decimal
    policy: OptionPolicy
    stale: timedelta


class Contract(Value, frozen=True, kw_only=True):
    """A contract of a chain. ``days`` are calendar days to expiry."""

    terms: OptionContract
    quote: OptionQuote
    days: int

    @property
    def symbol(self) -> str:
        """The OCC symbol."""
        return self.quote.symbol

    @property
    def bid(self) -> Decimal:
        """What a seller gets; only asked of a contract that passed the rules."""
        assert self.quote.bid is not None
        return self.quote.bid

    @property
    def ask(self) -> Decimal:
        """What a buyer pays; only asked of a contract that passed the rules."""
        assert self.quote.ask is not None
        return self.quote.ask


ContractRule: TypeAlias = Callable[[Contract, Look], "str | None"]
"""Why a contract may not be traded, with numbers; ``None``: it may."""


@lru_cache(maxsize=20_000)
def terms_of(symbol: str) -> OptionContract:
    """The terms of an OCC symbol, read once."""
    return OptionContract.parse(symbol)


def root(contract: Contract, look: Look) -> str | None:
    """An adjusted contract delivers something else than 100 shares."""
    if contract.terms.root == look.root:
        return None
    return f"{contract.symbol} is of the root {contract.terms.root}, not {look.root}"


def expired(contract: Contract, look: Look) -> str | None:
    """Nothing is left of it after 16:00 New York of its day."""
    ends = expires_at(contract.terms.expiry)
    return None if look.at < ends else f"{contract.symbol} expired at {ends:%Y-%m-%d %H:%M}Z"


def days(contract: Contract, look: Look) -> str | None:
    """Calendar days to expiry within ``days_least`` and ``days_most``, and not on a day on which it has to be closed."""
    least, most = look.policy.days_least, look.policy.days_most
    if not least <= contract.days <= most:
        return f"{contract.symbol} has {contract.days} days, wanted {least} to {most}"
    if look.policy.into_expiry:
        return None
    left, close = weekdays_left(look.day, contract.terms.expiry), look.policy.close_days_before
    return None if left > close else f"{contract.symbol} has {left} weekdays, to be closed {close} before expiry"


def quoted(contract: Contract, _look: Look) -> str | None:
    """Somebody bids and somebody offers."""
    quote = contract.quote
    if quote.bid is not None and quote.ask is not None:
        return None
    sides = {"bid": quote.bid, "ask": quote.ask}
    missing = [name for name, price in sides.items() if price is None]
    return f"{contract.symbol} has no {' and no '.join(missing)}"


def fresh(contract: Contract, look: Look) -> str | None:
    """The quote is not older than ``options.stale_seconds``, or two reads of the chain."""
    age = look.at - contract.quote.at
    if age <= look.stale:
        return None
    return f"{contract.symbol} was quoted {age.total_seconds():.0f} s ago, at most {look.stale.total_seconds():.0f}"


def locked(contract: Contract, _look: Look) -> str | None:
    """Bid and ask differ: equal ones are about to change."""
    quote = contract.quote
    return f"{contract.symbol} is locked at {plain(contract.bid)}" if quote.bid == quote.ask else None


def volume(contract: Contract, look: Look) -> str | None:
    """At least ``volume_least`` contracts were traded today."""
    return _at_least("volume", contract, contract.quote.volume, look.policy.volume_least, look.policy)


def open_interest(contract: Contract, look: Look) -> str | None:
    """At least ``open_interest_least`` contracts are open."""
    return _at_least(
        "open_interest", contract, contract.quote.open_interest, look.policy.open_interest_least, look.policy
    )


def spread(contract: Contract, look: Look) -> str | None:
    """Bid and ask are at most ``spread_most`` of their middle apart."""
    bid, ask = contract.bid, contract.ask
    apart, both = 2 * (ask - bid), ask + bid
    if apart <= look.policy.spread_most * both:
        return None
    share = apart / both
    return (
        f"{contract.symbol} is {plain(bid)} to {plain(ask)}, {share:.2f} of the middle, "
        f"at most {plain(look.policy.spread_most)}"
    )


def _at_least(name: str, contract: Contract, number: Decimal | None, least: int, policy: OptionPolicy) -> str | None:
    if least == 0 or (number is None and name in policy.waive):
        return None
    if number is None:
        return f"{contract.symbol}: the venue does not say its {name}, and waive does not name it; at least {least}"
    return None if number >= least else f"{contract.symbol} has {name} {plain(number)}, at least {least}"


RULES: Mapping[str, ContractRule] = {
    "root": root,
    "expired": expired,
    "days": days,
    "quoted": quoted,
    "fresh": fresh,
    "locked": locked,
    "volume": volume,
    "open_interest": open_interest,
    "spread": spread,
}
"""Every contract of a structure, the bought ones too, passes all of these."""


def objection(contract: Contract, look: Look) -> tuple[str, str] | None:
    """The first rule that objects and why; ``None`` when the contract may be traded."""
    for name, rule in RULES.items():
        reason = rule(contract, look)
        if reason is not None:
            return name, reason
    return None
