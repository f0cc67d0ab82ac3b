"""What a contract's price says: implied volatility and greeks, by Black, Scholes and Merton, for what a venue leaves out.

    forward   F = S exp((r - q) T)        T years to 16:00 New York of the expiry day, of 365 days
    price     QuantLib's ``blackFormula`` of F, discounted by exp(-r T)

The oddities: contracts on shares may be exercised early and are priced as if they could not; for calls without dividends that
changes nothing, for the puts a bot sells (a delta below one half, up to 60 days, 4% interest) it moves delta by less than 0.02. A dividend
is a yield and not a date. On a half day the clock still runs to 16:00: a bot has no calendar. A volatility counts only when the
formula gives the price back, so a price below what exercise would bring, or one that hardly depends on volatility, has none.

Source of the formulas: Hull, Options, Futures, and Other Derivatives, the chapters on the Black-Scholes-Merton model, on indices
and currencies, and on the Greek letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from math import exp, isfinite, sqrt
from typing import Any
from zoneinfo import ZoneInfo

from hydra.model.market import OptionContract, OptionQuote, Right
from hydra.model.money import exact

NEW_YORK = ZoneInfo("America/New_York")
_EXPIRES = time(16)
_YEAR_SECONDS = 365 * 86_400
_DAYS = 365
_POINT = 100
_VOLATILITY_MOST = 10.0
"""1,000% a year: a price that needs more is no price."""
_OFF_MOST = 0.005
"""Half a cent: how far the price of the volatility that was found may lie from the price it was found for."""
_PLACES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a price depends on beside the contract. ``rate`` and ``dividend_yield`` are annual and continuous."""

    spot: float
    years: float
    rate: float
    dividend_yield: float

    @property
    def forward(self) -> float:
        """The price of the underlying for delivery at expiry."""
        return self.spot * exp((self.rate - self.dividend_yield) * self.years)

    @property
    def discount(self) -> float:
        """What a dollar at expiry is worth now."""
        return exp(-self.rate * self.years)


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeks:
    """Sensitivities of a price in dollars a share: to a dollar, to a dollar again, to a day, to a point of volatility."""

    delta: float
    gamma: float
    theta: float
    vega: float


@lru_cache(maxsize=1024)
def expires_at(expiry: date) -> datetime:
    """When contracts of this day expire (aware UTC): at 16:00 New York."""
    return datetime.combine(expiry, _EXPIRES, NEW_YORK).astimezone(UTC)


def years_left(expiry: date, at: datetime) -> float:
    """Years of 365 days until expiry; below zero after it."""
    return (expires_at(expiry) - at).total_seconds() / _YEAR_SECONDS


def load() -> None:
    """Have the library at hand, which costs about 70 ms: when a bot is made, so that its first answer is not late."""
    _quantlib()


def _quantlib() -> Any:
    import QuantLib  # type: ignore[import-untyped]  # it has no types of its own

    return QuantLib


def price_of(right: Right, strike: float, volatility: float, setting: Setting) -> float:
    """Dollars a share of a contract at an annual volatility (a fraction)."""
    ql = _quantlib()
    kind = ql.Option.Call if right is Right.CALL else ql.Option.Put
    deviation = volatility * sqrt(setting.years)
    return float(ql.blackFormula(kind, strike, setting.forward, deviation, setting.discount))


def implied_volatility(right: Right, strike: float, price: float, setting: Setting) -> float | None:
    """The annual volatility (a fraction) at which a contract costs ``price``; ``None`` when there is none, or no certain one."""
    ql = _quantlib()
    if setting.years <= 0 or price <= 0 or setting.spot <= 0:
        return None
    kind = ql.Option.Call if right is Right.CALL else ql.Option.Put
    try:
        deviation = ql.blackFormulaImpliedStdDev(kind, strike, setting.forward, price, setting.discount)
    except RuntimeError:  # no volatility gives this price
        return None
    volatility = float(deviation) / sqrt(setting.years)
    if not isfinite(volatility) or not 0 < volatility <= _VOLATILITY_MOST:
        return None
    return volatility if abs(price_of(right, strike, volatility, setting) - price) <= _OFF_MOST else None


def greeks_of(right: Right, strike: float, volatility: float, setting: Setting) -> Greeks:
    """The sensitivities at an annual volatility (a fraction), with time left."""
    ql = _quantlib()
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if right is Right.CALL else ql.Option.Put, strike)
    deviation = volatility * sqrt(setting.years)
    black = ql.BlackCalculator(payoff, setting.forward, deviation, setting.discount)
    return Greeks(
        delta=black.delta(setting.spot),
        gamma=black.gamma(setting.spot),
        theta=black.theta(setting.spot, setting.years) / _DAYS,
        vega=black.vega(setting.years) / _POINT,
    )


def delta_of(terms: OptionContract, quote: OptionQuote, setting: Setting) -> Decimal | None:
    """A contract's delta: the venue's if it can be one, else from the venue's volatility, else from the middle of the quote.

    ``None`` when it cannot be told.
    """
    if quote.delta is not None:
        most = 1 if terms.right is Right.CALL else -1
        return quote.delta if min(0, most) <= quote.delta <= max(0, most) else None
    if setting.years <= 0:
        return None
    volatility = _volatility(terms, quote, setting)
    if volatility is None:
        return None
    return exact(round(greeks_of(terms.right, float(terms.strike), volatility, setting).delta, _PLACES))


def _volatility(terms: OptionContract, quote: OptionQuote, setting: Setting) -> float | None:
    if quote.implied_volatility is not None:
        told = float(quote.implied_volatility)
        return told if 0 < told <= _VOLATILITY_MOST else None
    if quote.bid is None or quote.ask is None:
        return None
    return implied_volatility(terms.right, float(terms.strike), float((quote.bid + quote.ask) / 2), setting)
