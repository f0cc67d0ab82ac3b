"""A small made-up market with one of everything, so that every route has something to say: Monday, 2024-03-04, from 14:30Z.

AAPL is 99.99 to 100.01 and BTC-USD 49,999 to 50,001 at 15:00Z. The puts of AAPL with strikes 100 and 95 are 0.90 to 1.10 and
0.40 to 0.60. A dividend and a split were a few days ago.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.model.market import Bar, OptionQuote, Quote
from hydra.model.values import replace
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote

OPENS = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
NOW = OPENS + timedelta(minutes=30)
SHARE, OTHER_SHARE, PAIR = "AAPL", "MSFT", "BTC-USD"
PUT, OTHER_PUT, CALL = "AAPL240315P00100000", "AAPL240315P00095000", "AAPL240315C00100000"
LATER_PUT, LATER_OTHER_PUT = "AAPL240419P00100000", "AAPL240419P00095000"
DEEP_CALL = "AAPL240315C00090000"
MIDDLE = {SHARE: Decimal(100), OTHER_SHARE: Decimal(400), PAIR: Decimal(50_000)}
SIZE = Decimal(1000)
HALF_SPREAD = {SHARE: Decimal("0.01"), OTHER_SHARE: Decimal("0.02"), PAIR: Decimal(1)}
ACTIONS = (
    CorporateAction(
        kind=ActionKind.CASH_DIVIDEND,
        symbol=SHARE,
        ex_date=date(2024, 3, 1),
        cash=Decimal("0.24"),
        payable_date=date(2024, 3, 14),
    ),
    CorporateAction(kind=ActionKind.FORWARD_SPLIT, symbol=OTHER_SHARE, ex_date=date(2024, 2, 29), new_rate=Decimal(2)),
)


@cache
def market() -> ScriptedFeed:
    """An hour of it; nobody adds to it."""
    feed = ScriptedFeed(symbols=sorted(MIDDLE), name="conformance", actions=ACTIONS)
    feed.add(*_minutes())
    return feed


def _minutes() -> Iterator[Bar | Quote | OptionQuote]:
    for minute in range(60):
        opened = OPENS + timedelta(minutes=minute)
        known = opened + timedelta(minutes=1)
        for symbol, middle in MIDDLE.items():
            drift = HALF_SPREAD[symbol] * (abs(29 - minute) % 5)
            now, half = middle + drift, HALF_SPREAD[symbol]
            yield bar(symbol, opened, (now, now + half, now - half, now))
            yield replace(quote(symbol, known, now - half, now + half), bid_size=SIZE, ask_size=SIZE)
        for symbol, middle in _contracts():
            yield option_quote(
                symbol, known, middle - Decimal("0.1"), middle + Decimal("0.1"), size=50, open_interest=10
            )
            if minute % 3 == 0:
                yield bar(symbol, opened, (middle, middle, middle, middle))


def _contracts() -> Iterator[tuple[str, Decimal]]:
    """Symbol and value: a dollar of time at the money, ten cents less for every dollar away from it."""
    for expiry in ("240315", "240419"):
        for strike in (90, 95, 100, 105, 110):
            time_value = max(Decimal("0.2"), 1 - Decimal(abs(100 - strike)) / 10)
            yield f"AAPL{expiry}C{strike * 1000:08}", time_value + max(0, 100 - strike)
            yield f"AAPL{expiry}P{strike * 1000:08}", time_value + max(0, strike - 100)
