"""One side of a comparison: what was decided, sent, filled and earned in a row of cycles, counted from events and the ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hydra.model.events import CycleClosed, Decided, Event, Halted, OrderSent, Resumed
from hydra.model.money import ZERO
from hydra.model.orders import TEST_BOT, Order
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Observed, Plan


@dataclass(slots=True)
class BotSide:
    """What one bot did. ``realized`` is before fees, dollars."""

    orders: int = 0
    fills: int = 0
    trades: int = 0
    realized: Decimal = ZERO
    fees: Decimal = ZERO


@dataclass(slots=True)
class Side:
    """Counts and sums of a row of cycles; ``take`` each event with the ledger after it.

    ``decisions`` are plans that send, cancel, move or halt something. ``first`` and ``last`` are the account's equity.
    """

    cycles: int = 0
    decisions: int = 0
    orders: Counter[str] = field(default_factory=Counter)
    halts: Counter[str] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    resumes: int = 0
    bots: dict[str, BotSide] = field(default_factory=dict)
    first: Decimal | None = None
    last: Decimal | None = None
    _whose: dict[str, str] = field(default_factory=dict)

    def take(self, event: Event, ledger: Ledger) -> None:
        """Count an event."""
        data = event.data
        if isinstance(data, Observed):
            self._look(ledger)
        elif isinstance(data, Decided):
            self.decisions += any((data.plan.sends, data.plan.cancels, data.plan.stops, data.plan.halts))
            self.skips.update(skip.code for skip in data.plan.skips)
        elif isinstance(data, OrderSent) and data.order.bot != TEST_BOT:
            self.orders[data.order.purpose.value] += 1
            self._whose[data.order.client_id] = data.order.bot
            self._bot(data.order.bot).orders += 1
        elif isinstance(data, Halted):
            self.halts[data.halt.kind] += 1
        elif isinstance(data, Resumed):
            self.resumes += 1
        elif isinstance(data, CycleClosed):
            self.cycles += 1

    @property
    def fills(self) -> int:
        """Executions that were seen."""
        return sum(bot.fills for bot in self.bots.values())

    @property
    def fees(self) -> Decimal:
        """Fees of the fills, dollars."""
        return sum((bot.fees for bot in self.bots.values()), ZERO)

    @property
    def profit(self) -> Decimal | None:
        """By the account's equity, from the first look to the last; ``None`` when it was never seen."""
        return None if self.first is None or self.last is None else self.last - self.first

    def _look(self, ledger: Ledger) -> None:
        if ledger.equity is not None:
            self.first, self.last = ledger.equity if self.first is None else self.first, ledger.equity
        for fill in ledger.fills:
            order = ledger.orders.get(fill.client_id)
            bot = self._bot(order.bot if order is not None else self._whose.get(fill.client_id, "?"))
            bot.fills, bot.fees = bot.fills + 1, bot.fees + fill.fee
        for trade in ledger.trades:
            bot = self._bot(trade.bot)
            bot.trades, bot.realized = bot.trades + 1, bot.realized + trade.profit

    def _bot(self, bot: str) -> BotSide:
        return self.bots.setdefault(bot, BotSide())


@dataclass(frozen=True, slots=True)
class Essence:
    """As much of a plan as decides anything: what is sent, taken back, moved and latched, and who was skipped for what."""

    mode: str
    sends: tuple[Any, ...]
    cancels: int
    stops: tuple[Any, ...]
    halts: tuple[str, ...]
    skips: frozenset[tuple[str, str]]


def essence_of(plan: Plan) -> Essence:
    """What two plans are compared by: not the words and numbers of their reasons, which follow from other fills too."""
    return Essence(
        mode=plan.mode.value,
        sends=tuple(_order(send.order) for send in plan.sends),
        cancels=len(plan.cancels),
        stops=tuple((moved.bot, moved.symbol, moved.stop) for moved in plan.stops),
        halts=tuple(halt.kind for halt in plan.halts),
        skips=frozenset((skip.subject, skip.code) for skip in plan.skips),
    )


def _order(order: Order) -> tuple[Any, ...]:
    legs = tuple((leg.symbol, leg.side, leg.ratio) for leg in order.legs)
    return (
        order.bot,
        order.symbol,
        order.side,
        order.purpose,
        order.order_type,
        order.quantity,
        order.limit,
        order.stop,
        legs,
    )
