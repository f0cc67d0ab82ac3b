"""What a structure would bring if it were closed now: what is owed is bought at the ask, what is held is sold at the bid.

In a thin chain a bid is missing for a minute and back in the next, so what a held contract without a bid is worth is not known:
between nothing and its ask. A profit is judged by the former and a loss by the latter, so neither is seen where there may be
none. What is owed and not offered has no price at all. A quote older than ``options.stale_seconds``, or than two reads of the
chain, counts as none. No middle and no price of the past stands in for one that is missing.
"""

from __future__ import annotations

from decimal import Decimal

from hydra.model.market import OptionContract, OptionQuote, multiplier_of
from hydra.model.money import ZERO
from hydra.model.portfolio import Holding
from hydra.model.snapshot import Snapshot
from hydra.model.structures import Structure, value_at
from hydra.policy import OptionsPolicy


def quote_of(contract: str, snapshot: Snapshot, options: OptionsPolicy) -> OptionQuote | None:
    """The quote of a contract in its underlying's chain, if there is one that counts."""
    for chain in snapshot.sight.chains.values():
        quote = chain.get(contract)
        if quote is not None:
            return quote if snapshot.at - quote.at <= options.stale_after else None
    return None


def leg_worth(leg: Holding, snapshot: Snapshot, options: OptionsPolicy) -> Decimal | None:
    """Dollars that closing a leg brings now, below zero for one that is owed; ``None`` when it is not known.

    One that is held and has no bid counts at its ask, the most it can be worth: right for losses, too much for anything else.
    """
    quote = quote_of(leg.symbol, snapshot, options)
    if quote is None:
        return None
    price = quote.ask if leg.quantity < 0 or quote.bid is None else quote.bid
    return None if price is None else leg.quantity * price * multiplier_of(leg.symbol)


def certain_profit(structure: Structure, snapshot: Snapshot, options: OptionsPolicy) -> Decimal | None:
    """Dollars that closing now earns at least, before fees; ``None`` when what is owed has no price, or a quote is missing.

    What is held and has no bid counts for nothing.
    """
    total = -structure.paid
    for leg in structure.legs:
        quote = quote_of(leg.symbol, snapshot, options)
        if quote is None or (leg.quantity < 0 and quote.ask is None):
            return None
        price = (quote.ask if leg.quantity < 0 else quote.bid) or ZERO
        total += leg.quantity * price * multiplier_of(leg.symbol)
    return total


def certain_loss(structure: Structure, snapshot: Snapshot, options: OptionsPolicy) -> Decimal | None:
    """Dollars that closing now loses at least, below zero when it may earn; before fees.

    What is owed costs its ask or, where that is not known, what exercising it brings (at the middle of the underlying's quote):
    nobody sells it for less. ``None`` when a leg that is held has no quote, or neither that nor the underlying's is known.
    """
    total = -structure.paid
    for leg in structure.legs:
        value = leg_worth(leg, snapshot, options)
        if value is None and leg.quantity < 0:
            value = _by_exercise(leg, structure.underlying, snapshot)
        if value is None:
            return None
        total += value
    return -total


def _by_exercise(leg: Holding, underlying: str, snapshot: Snapshot) -> Decimal | None:
    quote = snapshot.sight.quotes.get(underlying)
    if quote is None:
        return None
    return leg.quantity * value_at(OptionContract.parse(leg.symbol), quote.mid) * multiplier_of(leg.symbol)
