"""What the paper account really did with the consensus: the round trips of ``paper_trades.jsonl``, after fees.

This is another question than what a vote was worth: between a vote and a trade stand sizes, rules, stops and targets, and a spot
account that cannot sell what it does not hold.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import msgspec

from hydra.model.errors import Corrupt

TRADES = "paper_trades.jsonl"


class _Result(msgspec.Struct, frozen=True):
    profit: Decimal
    fees: Decimal = Decimal(0)


class _Line(msgspec.Struct, frozen=True):
    run: str
    result: _Result | None = None


@dataclass(frozen=True, kw_only=True)
class Traded:
    """Round trips that are closed, in dollars after fees; ``lines`` counts entries and exits."""

    lines: int
    closed: int
    won: int
    lost: int
    profit: Decimal
    fees: Decimal


def traded(folder: Path, runs: Collection[str]) -> Traded | None:
    """What these runs traded; ``None`` where nothing was written down. A torn last line is not there.

    Raises ``Corrupt`` for a line that is no trade.
    """
    path = folder / TRADES
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return None
    found = [
        one for number, line in enumerate(lines, start=1) if (one := _line(path, number, line)) and one.run in runs
    ]
    results = [one.result for one in found if one.result is not None]
    return Traded(
        lines=len(found),
        closed=len(results),
        won=sum(1 for one in results if one.profit > 0),
        lost=sum(1 for one in results if one.profit < 0),
        profit=sum((one.profit for one in results), Decimal(0)),
        fees=sum((one.fees for one in results), Decimal(0)),
    )


def _line(path: Path, number: int, line: bytes) -> _Line | None:
    if not line.strip():
        return None
    try:
        one = msgspec.json.decode(line, type=_Line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ArithmeticError) as error:
        if not line.endswith(b"\n"):
            return None
        raise Corrupt(f"{path}: line {number}: {error}") from error
    if one.result is not None and not (one.result.profit.is_finite() and one.result.fees.is_finite()):
        raise Corrupt(f"{path}: line {number}: result.profit and result.fees must be finite")
    return one
