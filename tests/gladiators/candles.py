"""Candles for briefs: real ones from the shared data, and made-up ones."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

from hydra.gladiators.brief import Brief, brief_of
from hydra.model.market import Bar
from tests.shared_data import shared_data

START = datetime(2017, 9, 3, tzinfo=UTC)
FILES = {
    "BTC-2017": ("BTC-USD", "BTC-USD-1min-20170903-20170904.csv"),
    "BTC-2018": ("BTC-USD", "BTC-USD-1min-20180404-20180405.csv"),
    "ETH-2017": ("ETH-USD", "ETH-USD-1min-20170903-20170904.csv"),
}


@cache
def real_bars(name: str) -> tuple[Bar, ...]:
    """The bars of a file of the shared data; the test is skipped where there are none."""
    symbol, file = FILES[name]
    with (shared_data() / "bars" / file).open() as lines:
        return tuple(
            Bar(
                symbol=symbol,
                at=datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC),
                seconds=60,
                open=Decimal(row["open"]),
                high=Decimal(row["high"]),
                low=Decimal(row["low"]),
                close=Decimal(row["close"]),
                volume=Decimal(row["volume"]),
            )
            for row in csv.DictReader(lines)
        )


def bars_of(rows: Iterable[Sequence[float | str]], symbol: str = "BTC-USD") -> list[Bar]:
    """Bars by the minute from (high, low, close) or (open, high, low, close) rows."""
    bars = []
    for number, row in enumerate(rows):
        prices = [Decimal(str(price)) for price in row]
        high, low, close = prices[-3:]
        bars.append(
            Bar(
                symbol=symbol,
                at=START + timedelta(minutes=number),
                seconds=60,
                open=prices[0] if len(prices) == 4 else close,
                high=high,
                low=low,
                close=close,
                volume=Decimal(1),
            )
        )
    return bars


def closes(prices: Iterable[float], symbol: str = "BTC-USD") -> list[Bar]:
    """Bars that close at these prices, each opening where the one before closed."""
    prices = list(prices)
    rows = []
    for before, close in zip([prices[0], *prices], prices, strict=False):
        rows.append((before, max(before, close) + 0.5, min(before, close) - 0.5, close))
    return bars_of(rows, symbol)


def wavy(count: int = 240, step: float = 0.3) -> list[Bar]:
    """A market that goes up and down, and up a little."""
    from math import sin

    return closes(100 + step * n / 10 + 3 * sin(n / 7) + sin(n / 2.3) for n in range(count))


def a_brief(count: int = 240) -> Brief:
    """A brief of a made-up market."""
    return brief_of("BTC-USD", wavy(count), 60)
