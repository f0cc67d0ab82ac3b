"""How much there is to trade: the displayed size and the bar's volume, less what the account's own orders took of it.

What was taken is read off the executions the first time it is asked for, so a restart forgets nothing.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from hydra.adapters.exchange.desk import Desk, Print
from hydra.adapters.exchange.model import Execution, Source, Ticket
from hydra.adapters.exchange.prices import Far
from hydra.model.market import Bar
from hydra.model.money import ZERO
from hydra.model.orders import Side

_Key = tuple[str, Side | None, datetime]


class Sizes:
    """What is left of each quote and bar. ``participation`` is the share that may be taken; ``None`` for no limit."""

    def __init__(self, desk: Desk, participation: Decimal | None) -> None:
        self._desk = desk
        self._participation = participation
        self._taken: dict[_Key, Decimal] = {}

    def at_quote(self, symbol: str, side: Side, far: Far) -> Decimal | None:
        """What is left on the far side of a quote; ``None`` for no limit. A quote that says no size has nothing to offer."""
        if self._participation is None:
            return None
        shown = ZERO if far.size is None else far.size
        return max(ZERO, shown * self._participation - self._seen((symbol, side, far.at)))

    def in_bar(self, bar: Bar) -> Decimal | None:
        """What is left of a bar's volume; ``None`` for no limit."""
        if self._participation is None:
            return None
        return max(ZERO, bar.volume * self._participation - self._seen((bar.symbol, None, bar.closes_at)))

    def take(self, ticket: Ticket, done: Print) -> None:
        """Count an execution against what was there."""
        if self._participation is None:
            return
        if len(self._taken) > 1000:
            self._taken.clear()
        for key in tuple(self._taken):
            if key[0] == ticket.symbol and _counts(key, self._desk.executions[-1]):
                self._taken[key] += done.quantity

    def _seen(self, key: _Key) -> Decimal:
        found = self._taken.get(key)
        if found is None:
            total = ZERO
            for execution in reversed(self._desk.executions):
                if execution.at < key[2]:
                    break
                if _counts(key, execution):
                    total += execution.quantity
            found = self._taken[key] = total
        return found


def _counts(key: _Key, execution: Execution) -> bool:
    """Whether an execution took from this quote (of a side, shown since a time) or this bar (closing at a time)."""
    symbol, side, at = key
    if execution.symbol != symbol:
        return False
    if side is None:
        return execution.source is Source.BAR and execution.at == at
    return execution.source is Source.QUOTE and execution.side is side and execution.at >= at
