"""A chain as a textbook has it, to spoil, and an options bot to show it to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from hydra.bots.options.contracts import Contract, Look, terms_of
from hydra.bots.options.pricing import Setting as Market
from hydra.bots.options.pricing import price_of, years_left
from hydra.model.market import OptionContract, OptionQuote, Quote, Right
from hydra.model.portfolio import Holding
from hydra.model.snapshot import View
from hydra.policy import BotPolicy, Bucket, OptionPolicy, OptionsPolicy, SessionPolicy, SizePolicy, StructureName
from hydra.ports import Setting

D = Decimal
AT = datetime(2024, 3, 4, 15, 0, tzinfo=UTC)
"""A Monday, 10:00 in New York."""
DAY = date(2024, 3, 4)
NEAR, FAR = date(2024, 3, 15), date(2024, 4, 19)
SPOT = D(500)
VOLATILITY = 0.2
OPTIONS = OptionsPolicy()
CENT = D("0.01")


def symbol_of(right: str, strike: Any, expiry: date = NEAR, root: str = "SPY") -> str:
    side = Right.CALL if right == "C" else Right.PUT
    return OptionContract(root=root, expiry=expiry, right=side, strike=D(str(strike))).symbol


def quote_of(symbol: str, **changes: Any) -> OptionQuote:
    """At 20% volatility, two cents around its price, traded and open; ``changes`` as numbers or ``None``."""
    terms = terms_of(symbol)
    market = Market(spot=float(SPOT), years=max(years_left(terms.expiry, AT), 1e-6), rate=0.04, dividend_yield=0.0)
    fair = D(price_of(terms.right, float(terms.strike), VOLATILITY, market))
    fields: dict[str, Any] = {
        "bid": max(CENT, (fair - CENT).quantize(CENT, ROUND_FLOOR)),
        "ask": max(2 * CENT, (fair + CENT).quantize(CENT, ROUND_CEILING)),
        "bid_size": 10,
        "ask_size": 10,
        "volume": 500,
        "open_interest": 2000,
        "at": AT,
    } | changes
    at = fields.pop("at")
    return OptionQuote(symbol=symbol, at=at, **{k: None if v is None else D(str(v)) for k, v in fields.items()})


def chain(*expiries: date, strikes: Iterable[int] = range(440, 565, 5), **changes: Any) -> tuple[OptionQuote, ...]:
    """Calls and puts on every strike, by symbol; the nearer of two expiries when none is named."""
    wanted = tuple(strikes)
    symbols = [symbol_of(right, k, expiry) for expiry in expiries or (NEAR,) for right in "CP" for k in wanted]
    return tuple(quote_of(symbol, **changes) for symbol in sorted(symbols))


def but(quotes: Iterable[OptionQuote], **spoiled: Mapping[str, Any] | None) -> tuple[OptionQuote, ...]:
    """The same chain with some contracts changed, or left out (``None``); named like ``P480``."""
    by_symbol = {quote.symbol: quote for quote in quotes}
    for name, changes in spoiled.items():
        symbol = symbol_of(name[0], name[1:])
        assert symbol in by_symbol
        if changes is None:
            del by_symbol[symbol]
        else:
            by_symbol[symbol] = quote_of(symbol, **changes)
    return tuple(by_symbol.values())


def option(structure: StructureName = StructureName.BULL_PUT_SPREAD, **changes: Any) -> OptionPolicy:
    spread = structure not in (StructureName.CASH_SECURED_PUT, StructureName.LONG_STRADDLE)
    fields: dict[str, Any] = {"days_least": 5, "days_most": 60, "width": D(10) if spread else None} | changes
    return OptionPolicy(structure=structure, **fields)


def look(policy: OptionPolicy | None = None, **changes: Any) -> Look:
    fields: dict[str, Any] = {
        "at": AT,
        "day": DAY,
        "root": "SPY",
        "spot": SPOT,
        "policy": policy or option(),
        "stale": OPTIONS.stale_after,
    } | changes
    return Look(**fields)


def contract(symbol: str, **changes: Any) -> Contract:
    quote = quote_of(symbol, **changes)
    terms = terms_of(symbol)
    return Contract(terms=terms, quote=quote, days=(terms.expiry - DAY).days)


def bot_policy(structure: StructureName = StructureName.BULL_PUT_SPREAD, **changes: Any) -> BotPolicy:
    fields: dict[str, Any] = {
        "id": "spreads",
        "bot": "options",
        "enabled": True,
        "bucket": Bucket.OPTIONS,
        "symbols": ("SPY",),
        "session": SessionPolicy(trade_start="09:45", trade_end="15:00", manage_until="15:30"),
        "trades_per_day": 5,
        "positions": 2,
        "size": SizePolicy(by="risk", amount=D("0.02")),
        "option": option(structure),
    } | changes
    return BotPolicy(**fields)


def setting(policy: BotPolicy | None = None, **changes: Any) -> Setting:
    return Setting(policy=policy or bot_policy(), options=OPTIONS.model_copy(update=changes))


def view(listed: Iterable[OptionQuote] | None = None, **changes: Any) -> View:
    fields: dict[str, Any] = {
        "bot": "spreads",
        "at": AT,
        "minute": 600,
        "day": DAY,
        "symbols": ("SPY",),
        "bars": {},
        "quotes": {"SPY": underlying("SPY")},
        "holdings": {},
        "may_enter": {"SPY": True},
        "equity": D(100_000),
        "chains": {"SPY": tuple(chain() if listed is None else listed)},
    } | changes
    return View(**fields)


def underlying(symbol: str, price: Any = SPOT) -> Quote:
    middle = D(str(price))
    return Quote(symbol=symbol, at=AT, bid=middle - CENT, ask=middle + CENT, bid_size=D(1), ask_size=D(1))


def holding(symbol: str, quantity: Any, price: Any, **changes: Any) -> Holding:
    fields: dict[str, Any] = {
        "bot": "spreads",
        "entry": "e1",
        "structure": "e1",
        "opened_at": AT,
        "opened_on": DAY,
        "opened_cycle": 1,
        "protection": None,
        "entered": abs(D(str(quantity))),
    } | changes
    return Holding(symbol=symbol, quantity=D(str(quantity)), average_price=D(str(price)), **fields)


def later(minutes: float) -> datetime:
    return AT + timedelta(minutes=minutes)
