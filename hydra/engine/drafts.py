"""Orders get their identity here: from what they are, not from chance, so one decision can never become two orders."""

from __future__ import annotations

from typing import Any

from hydra.model.orders import Order, Purpose, client_order_id
from hydra.model.snapshot import Snapshot


class Drafts:
    """Numbers the orders of one cycle, so that each has an identity of its own and always the same one."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._ordinal = 0

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
