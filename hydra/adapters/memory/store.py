"""A state store in memory: the same contract, and what a test wants to know of it."""

from hydra.model.errors import Corrupt
from hydra.model.events import GENESIS
from hydra.model.portfolio import Ledger
from hydra.model.values import Value
from hydra.ports import Head

_HISTORY = ("orders", "fills", "trades")


class MemoryStore:
    """Keeps the last ledger and, unless told otherwise, the history. ``broken`` is raised by every call while it is set."""

    def __init__(self, *, history: bool = True) -> None:
        self._keeps_history = history
        self.commits = 0
        self.broken: Exception | None = None
        self._clear()

    def _clear(self) -> None:
        self.ledger = Ledger()
        self.head = Head(seq=0, hash=GENESIS)
        self.history: dict[str, dict[str, Value]] = {name: {} for name in _HISTORY}

    def _answer(self) -> None:
        if self.broken is not None:
            raise self.broken

    def load(self) -> tuple[Ledger, Head]:
        self._answer()
        return self.ledger, self.head

    def commit(self, ledger: Ledger, head: Head) -> None:
        self._answer()
        if head.seq <= self.head.seq and head != self.head:
            raise Corrupt(f"the store stands at event {self.head.seq} and cannot go back to {head.seq}")
        for key, order in ledger.orders.items():
            if order.client_id != key:
                raise Corrupt(f"the ledger's orders has {order.client_id!r} under the key {key!r}")
        if not ledger.fills and not ledger.trades and not (self._keeps_history and ledger.orders):
            self._take(ledger, head)
            return
        for name, seen in (
            ("orders", dict(ledger.orders)),
            ("fills", {fill.fill_id: fill for fill in ledger.fills}),
            ("trades", {trade.trade_id: trade for trade in ledger.trades}),
        ):
            if len(seen) != len(getattr(ledger, name)):
                raise Corrupt(f"the ledger's {name} has a key twice")
            if self._keeps_history:
                self.history[name] |= seen
        self._take(ledger, head)

    def _take(self, ledger: Ledger, head: Head) -> None:
        self.ledger, self.head = ledger, head
        self.commits += 1

    def reset(self) -> None:
        self._answer()
        self._clear()

    def close(self) -> None:
        """Nothing to let go of; what was committed stays, as it would on a disk."""
