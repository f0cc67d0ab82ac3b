"""Prices that are old, missing or absurd."""

from __future__ import annotations

from tests.drill.defects.rows.account import account, fault, served
from tests.drill.defects.stage import Stage


def another_symbol(stage: Stage) -> None:
    stage.write(stage.config, stage.config.read_text().replace('symbols = ["SPY"]', 'symbols = ["MSFT"]'))


ROWS = (
    fault(
        "a stale symbol",
        "data AAPL",
        r"AAPL: last quote is 3\d\d\d s old, limit 120 s",
        "stale_quote",
        "quotes",
        symbol="AAPL",
        seconds=3600,
    ),
    fault(
        "stale prices",
        "data SPY",
        r"SPY: last quote is 3\d\d\d s old, limit 120 s",
        "stale_quote",
        "quotes",
        seconds=3600,
    ),
    fault("a crossed quote", "data SPY", r"(bid|crossed)", "crossed_quote", "quotes"),
    fault("prices that are no numbers", "data SPY", r"NaN", "nan", "quotes"),
    fault("a market that is mute", "data SPY", r"no answer in time", "timeout_before", "quotes"),
    fault("a market without bars", "data SPY", r"bars?", "500", "bars"),
    served(
        "a symbol without a quote",
        "every bot trades MSFT, which the venue does not have",
        "data MSFT",
        r"MSFT",
        another_symbol,
        "the symbol as it was",
    ),
    account(
        "an absurd quote",
        "bid and ask are 20% apart",
        r"SPY: bid \d+.* are 20\.00% apart, limit 0\.05",
        "price_sane",
        apart={"SPY": "0.2", "AAPL": "0.2"},
    ),
    account(
        "a locked quote",
        "bid and ask are one price",
        r"AAPL: the quote is locked at \d+",
        "price_sane",
        apart={"AAPL": "0", "SPY": "0"},
    ),
)
