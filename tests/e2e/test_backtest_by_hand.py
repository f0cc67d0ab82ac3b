"""A real crypto day and a real spread of options, backtested, and worked out once more by hand: every trade and the equity, to the last digit.

The hand knows nothing of Hydra but its documents: a breakout of sixty bars, shown quotes, fills at the next opening, fees. So it is short.
"""

from __future__ import annotations

import csv
import gzip
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.place import PAPER, Place
from tests.shared_data import shared_data

D = Decimal
CASH, WISH = D(100_000), D(400)
LOOKBACK = 60
HALF_SPREAD, SLIPPAGE, FEE = D("0.0001"), D("0.0001"), D("0.0025")
CENT, COIN = D("0.01"), D("0.0001")
BOT = """
[[bots]]
id = "coin"
bot = "momentum"
enabled = true
bucket = "crypto"
symbols = ["BTC-USD"]
trades_per_day = 1000
positions = 1
stop_loss = 0.5
signal = "breakout"
parameters = { lookback = 60 }
size = { by = "notional", amount = 400 }
"""


class Bar(NamedTuple):
    """A minute."""

    opened: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


class Trade(NamedTuple):
    """In and out again."""

    quantity: Decimal
    bought_at: Decimal
    sold_at: Decimal
    fees: Decimal

    @property
    def profit(self) -> Decimal:
        return self.quantity * (self.sold_at - self.bought_at) - self.fees


def by_hand(bars: list[Bar]) -> list[Trade]:
    """Buys 400 dollars when a close leaves the range of the sixty bars before it upwards, sells when one leaves it downwards."""
    done: list[Trade] = []
    held: tuple[Decimal, Decimal] | None = None
    wished = D(0)
    leaving = False
    for now, bar in enumerate(bars):
        if wished:
            price = (bar.opened * (1 + HALF_SPREAD) * (1 + SLIPPAGE)).quantize(CENT, ROUND_CEILING)
            held, wished = (wished, price), D(0)
        elif leaving and held is not None:
            quantity, bought_at = held
            price = (bar.opened * (1 - HALF_SPREAD) * (1 - SLIPPAGE)).quantize(CENT, ROUND_FLOOR)
            done.append(Trade(quantity, bought_at, price, FEE * quantity * (bought_at + price)))
            held, leaving = None, False
        if now < LOOKBACK:
            continue
        before = bars[now - LOOKBACK : now]
        if held is None and bar.close > max(one.high for one in before):
            ask = bar.close * (1 + HALF_SPREAD)
            wished = (WISH / ask).quantize(COIN, ROUND_DOWN)
        leaving = held is not None and bar.close < min(one.low for one in before)
    return done


@pytest.mark.parametrize("day", ["BTC-USD-1min-20170903-20170904"])
def test_a_crypto_day_comes_out_as_by_hand(fresh: Place, day: str) -> None:
    path = shared_data() / "bars" / f"{day}.csv"
    rows = list(csv.DictReader(path.open()))
    hand = by_hand([Bar(*(D(row[name]) for name in ("open", "high", "low", "close"))) for row in rows])
    assert len(hand) > 10

    text = PAPER.read_text(encoding="utf-8")
    fresh.config.write_text(text[: text.index("[[bots]]")] + BOT)
    fresh.configure({"loss_streak = 5 ": "loss_streak = 1000 "})
    told = fresh.hydra("backtest", "--data", path, "--trades", "trades.csv", "--no-journal", "--json")
    assert told.code == 0, told.text
    with Path(fresh.folder / "trades.csv").open() as file:
        trades = list(csv.DictReader(file))
    assert [
        (D(one["quantity"]), D(one["entry_price"]), D(one["exit_price"]), D(one["fees"]), D(one["profit"]))
        for one in trades
    ] == [(one.quantity, one.bought_at, one.sold_at, one.fees, one.profit) for one in hand]
    assert D(told.document["figures"]["equity_end"]) == (CASH + sum(one.profit for one in hand)).quantize(CENT)


def known(rows: list[dict[str, str]], contract: str, at: str) -> dict[str, str]:
    """The contract's last row by a time: a minute's row is known at its end."""
    limit = datetime.fromisoformat(at) - timedelta(minutes=1)
    return [row for row in rows if row["symbol"] == contract and datetime.fromisoformat(row["timestamp"]) <= limit][-1]


def test_a_spread_of_options_comes_out_as_by_hand(fresh: Place) -> None:
    """Two puts of GOOG, one sold at its bid and one bought at its ask, and back before the close, at the raw file's prices."""
    shared = shared_data()
    text = PAPER.read_text(encoding="utf-8")
    bots = text.index("[[bots]]")
    first = text.index('[[bots]]\nid = "spy-put-spread"')
    spread = text[first : text.index("[[bots]]", first + 1)].replace('symbols = ["SPY"]', 'symbols = ["GOOG"]')
    fresh.config.write_text(text[:bots] + spread)
    data = [path for kind in ("bars", "quotes", "options") for path in sorted((shared / kind).glob("GOOG*"))]
    told = fresh.hydra("backtest", "--data", *data, "--trades", "trades.csv", "--no-journal", "--json")
    assert told.code == 0, told.text
    with Path(fresh.folder / "trades.csv").open() as file:
        bought, sold = sorted(csv.DictReader(file), key=lambda leg: leg["side"])
    with gzip.open(shared / "options" / "GOOG-chain-1min-20151224.csv.gz", "rt") as packed:
        rows = [row for row in csv.DictReader(packed) if row["symbol"] in (bought["symbol"], sold["symbol"])]

    assert (bought["side"], sold["side"]) == ("long", "short")
    for leg, into, out_of in ((bought, "ask", "bid"), (sold, "bid", "ask")):
        assert D(leg["entry_price"]) == D(known(rows, leg["symbol"], leg["opened_at"])[into])
        assert D(leg["exit_price"]) == D(known(rows, leg["symbol"], leg["closed_at"])[out_of])
    width = (int(sold["symbol"][-8:]) - int(bought["symbol"][-8:])) / D(1000)
    credit = D(sold["entry_price"]) - D(bought["entry_price"])
    debit = D(sold["exit_price"]) - D(bought["exit_price"])
    units = (CASH / 100 / (100 * (width - credit))).to_integral_value(ROUND_DOWN)
    assert (width, D(sold["quantity"]), D(bought["quantity"])) == (D(5), units, units)
    profit = (credit - debit) * 100 * units
    assert D(told.document["figures"]["profit"]) == profit
    assert D(told.document["figures"]["equity_end"]) == CASH + profit
