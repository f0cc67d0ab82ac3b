"""What contracts cost in a rehearsal: a pure function of the contract and of what is shown of its underlying.

Black and Scholes at the volatility that the underlying shows, which rises when it has moved far; puts below the price cost more than
the formula says, as they do at exchanges. Open interest and volume are those of a contract that is traded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from math import sqrt

from hydra.adapters.markets.premiums import premium
from hydra.bots.options.pricing import years_left
from hydra.model.market import OptionContract, OptionQuote, Right

_CENT = Decimal("0.01")
_PLACES = Decimal("0.0001")
_LEAST_YEARS = 1e-5
_SKEW = 0.8
"""By how much of itself volatility rises for a strike as far below the price as the price is high."""
_HALF, _WIDE_HALF = 0.01, 0.12
"""Half the spread, as a fraction of the middle: usually, and when the underlying's own has blown out."""
_VOLUME, _OPEN_INTEREST = Decimal(5_000), Decimal(20_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is shown of an underlying at an instant: its price in dollars, its annual volatility as a fraction, how it is quoted."""

    at: datetime
    spot: float
    volatility: float
    wide: bool
    size: Decimal
    roots: dict[date, float] = field(default_factory=dict, compare=False)
    """The square root of the years that are left until expiry: the same for a whole column of a chain, so it is kept here."""

    def root_of_years(self, expiry: date) -> float:
        """The same, worked out on first asking."""
        root = self.roots.get(expiry)
        if root is None:
            root = self.roots[expiry] = sqrt(max(_LEAST_YEARS, years_left(expiry, self.at)))
        return root


def quoted(shown: Shown, symbol: str) -> OptionQuote:
    """The quote of a contract, by its symbol, when its underlying shows this."""
    expiry, strike, call = _terms(symbol)
    spot = shown.spot
    volatility = shown.volatility * (1 + _SKEW * (1 - strike / spot)) if strike < spot else shown.volatility
    price, delta, _ = premium(spot, strike, call, volatility * shown.root_of_years(expiry))
    half = max(0.01, price * (_WIDE_HALF if shown.wide else _HALF))
    cents, size = round((price - half) * 100), shown.size
    bid = _dollars(cents) if cents > 0 else None
    ask = _dollars(max(0, cents) + max(1, round(200 * half)))
    return OptionQuote(
        symbol=symbol,
        at=shown.at,
        bid=bid,
        ask=ask,
        bid_size=None if bid is None else size,
        ask_size=size,
        volume=_VOLUME,
        open_interest=_OPEN_INTEREST,
        delta=_to_places(round(delta * 10_000)),
        implied_volatility=_to_places(round(volatility * 10_000)),
    )


@lru_cache(maxsize=16_384)
def _dollars(cents: int) -> Decimal:
    return cents * _CENT


@lru_cache(maxsize=16_384)
def _to_places(number: int) -> Decimal:
    return number * _PLACES


@lru_cache(maxsize=4096)
def _terms(symbol: str) -> tuple[date, float, bool]:
    """Expiry, strike, and whether it is a call."""
    contract = OptionContract.parse(symbol)
    return contract.expiry, float(contract.strike), contract.right is Right.CALL
