"""Orders get their identity here: from what they are, not from chance, so one decision can never become two orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hydra.engine.protection import at_venue
from hydra.model.money import ZERO, size_down
from hydra.model.orders import Order, Purpose, client_order_id
from hydra.model.snapshot import Snapshot


class Drafts:
    """Numbers the orders of one cycle, so that each has an identity of its own and always the same one."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._ordinal = 0
        self._closing: dict[str, Decimal] = {}

    def closable(self, symbol: str, wanted: Decimal) -> Decimal:
        """How much of ``wanted`` may still be closed: what the venue says is held, less what this cycle closes already.

        In whole increments, and zero for less than the venue's minimum.
        """
        held = abs(at_venue(symbol, self._snapshot))
        quantity = max(ZERO, min(wanted, held - self._closing.get(symbol, ZERO)))
        instrument = self._snapshot.sight.instruments.get(symbol)
        if instrument is not None:
            quantity = size_down(quantity, instrument.quantity_increment)
            quantity = quantity if quantity >= instrument.minimum_quantity else ZERO
        self._closing[symbol] = self._closing.get(symbol, ZERO) + quantity
        return quantity

    def give_back(self, symbol: str, quantity: Decimal) -> None:
        """What was to be closed is not closed in this cycle after all."""
        self._closing[symbol] = self._closing.get(symbol, ZERO) - quantity

    def order(self, *, bot: str, symbol: str, purpose: Purpose, **fields: Any) -> Order:
        """The next order of this cycle."""
        self._ordinal += 1
        at = self._snapshot
        client_id = client_order_id(at.run, at.cycle, bot, symbol, purpose, self._ordinal)
        return Order(
            client_id=client_id,
            run=at.run,
            cycle=at.cycle,
            bot=bot,
            symbol=symbol,
            purpose=purpose,
            sent_at=at.at,
            **fields,
        )
