"""The prices of a symbol as a finding: what the gate ``data_fresh`` says of them, and what they are."""

from __future__ import annotations

from collections.abc import Mapping

from hydra.model.money import plain
from hydra.model.snapshot import Sight, Verdict
from hydra.qc.check import Finding

_GOOD: Mapping[Verdict, bool | None] = {Verdict.PASS: True, Verdict.SKIP: None, Verdict.REFUSE: False}


def told(verdict: Verdict, reason: str, sight: Sight, symbol: str) -> Finding:
    """The gate's word, the quote and the last bar; outside its session a price is shown and not judged."""
    quote, bars = sight.quotes.get(symbol), sight.bars.get(symbol, ())
    price = "no quote" if quote is None else f"{plain(quote.bid)} to {plain(quote.ask)} at {quote.at:%m-%d %H:%M:%S}Z"
    last = f"bar of {bars[-1].at:%m-%d %H:%M}Z closed at {plain(bars[-1].close)}" if bars else "no bar"
    return Finding(good=_GOOD[verdict], reason=f"{reason}; {price}, {last}")
