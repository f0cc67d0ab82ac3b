"""Prices: the limit, the spread and the slippage, against what is quoted.

Everything is measured as a cost a share, which is what is paid, and below zero what is received:

                 cheapest                             dearest                              worth
    a buy        the bid                              the ask                              the middle
    a sell       less the ask                         less the bid                         the middle
    a structure  bids of what it buys less            asks of what it buys less            the middles of its legs,
                 asks of what it sells                bids of what it sells                added up without sign

So one measure serves all: a net price can be near zero, and what its legs are worth together cannot. A leg without a bid or
an ask has no price, and what has no price is not traded.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import ZERO
from hydra.model.orders import Ceiling
from hydra.model.same import kept
from hydra.risk.plugs import Case
from hydra.risk.rules.answers import all_or_nothing, everything, nothing, shown


class Quoted(NamedTuple):
    """What the market asks now, in dollars a share: cheapest and dearest cost, and what it is worth without sign."""

    cheapest: Decimal
    dearest: Decimal
    worth: Decimal


class Priced(NamedTuple):
    """One thing that is traded: how many of it in a unit (below zero: sold), and its quote."""

    symbol: str
    ratio: int
    bid: Decimal
    ask: Decimal

    @property
    def mid(self) -> Decimal:
        """Halfway between bid and ask."""
        return (self.bid + self.ask) / 2


def price_collar(case: Case) -> Ceiling:
    """A price no further than ``risk.price_collar`` beyond either side of the market: further away it is a mistake."""
    market = quoted(case)
    if isinstance(market, str):
        return nothing("price_collar", market)
    cost, slack = case.price * case.intent.side.sign, case.policy.risk.price_collar * market.worth
    low, high = market.cheapest - slack, market.dearest + slack
    text = f"cost {shown(cost)} a share, accepted from {shown(low)} to {shown(high)}"
    return all_or_nothing("price_collar", case, low <= cost <= high, text)


def spread(case: Case) -> Ceiling:
    """The quoted spread is at most ``risk.spread`` of the middle; of a contract, and of every leg, ``risk.option_spread``."""
    priced = _priced(case)
    if isinstance(priced, str):
        return nothing("spread", priced)
    contracts = bool(case.intent.legs) or asset_class_of(case.intent.symbol) is AssetClass.OPTION
    limit = case.policy.risk.option_spread if contracts else case.policy.risk.spread
    widest = priced[0] if len(priced) == 1 else max(priced, key=lambda one: (one.ask - one.bid) / one.mid)
    text = f"{widest.symbol} {shown(widest.bid)} to {shown(widest.ask)}, at most {shown(limit)} of {shown(widest.mid)}"
    return all_or_nothing("spread", case, widest.ask - widest.bid <= limit * widest.mid, text)


def slippage(case: Case) -> Ceiling:
    """The worst price is within ``risk.entry_slippage`` of the middle, and the market not so far from what the bot saw.

    A structure is held to crossing the spreads of its legs, and ``risk.entry_slippage`` of what they are worth: what they are
    wide is for ``spread`` to judge, and its limit is what its bot saw.
    """
    market = quoted(case)
    if isinstance(market, str):
        return nothing("slippage", market)
    sign, fraction = case.intent.side.sign, case.policy.risk.entry_slippage
    cost = case.price * sign
    fair = market.dearest if case.intent.legs else market.worth * sign
    most = fair + fraction * market.worth
    if cost > most:
        return nothing(
            "slippage", f"cost up to {shown(cost)} a share, at most {shown(most)} ({shown(fraction)} slippage)"
        )
    seen, now = case.intent.reference * sign, min(cost, market.dearest)
    if not case.intent.legs and now - seen > fraction * case.intent.reference:
        text = f"cost {shown(now)} a share now, {shown(seen)} when the bot looked, at most {shown(fraction)} worse"
        return nothing("slippage", text)
    return everything("slippage", case, f"cost up to {shown(cost)} a share, at most {shown(most)}")


@kept
def quoted(case: Case) -> Quoted | str:
    """The market for what is wished, or why there is none."""
    priced = _priced(case)
    if isinstance(priced, str):
        return priced
    cheapest = dearest = worth = ZERO
    for one in priced:
        ratio, bid, ask = one.ratio, one.bid, one.ask
        cheapest += ratio * (bid if ratio > 0 else ask)
        dearest += ratio * (ask if ratio > 0 else bid)
        worth += abs(ratio) * one.mid
    return Quoted(cheapest, dearest, worth)


@kept
def _priced(case: Case) -> tuple[Priced, ...] | str:
    intent, quote = case.intent, case.quote
    if not intent.legs:
        if quote.symbol != intent.symbol:
            return f"{intent.symbol} has no quote of its own, this is one of {quote.symbol}"
        return (Priced(intent.symbol, intent.side.sign, quote.bid, quote.ask),)
    if [leg.symbol for leg in intent.legs] != [one.symbol for one in case.leg_quotes]:
        return f"{len(case.leg_quotes)} quotes for {len(intent.legs)} legs"
    found: list[Priced] = []
    for leg, one in zip(intent.legs, case.leg_quotes, strict=True):
        if one.bid is None or one.ask is None:
            return f"{leg.symbol} has no {'bid' if one.bid is None else 'ask'}"
        found.append(Priced(leg.symbol, leg.side.sign * leg.ratio, one.bid, one.ask))
    return tuple(found)
