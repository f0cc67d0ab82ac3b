"""MomentumBot: a signal decides the direction, the policy decides everything else.

It enters long when its signal turns up and asks to leave when the signal turns down. It acts at most once on a bar: its
memory holds the opening time of the last bar it acted on, by symbol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hydra.bots.signals import Signal
from hydra.model.market import Quote
from hydra.model.money import ONE
from hydra.model.orders import Intent, Protection, Purpose, Side, Size, SizeKind
from hydra.model.snapshot import View
from hydra.policy import BotPolicy

_RISK_WISHED = Decimal("0.02")
"""A wish at the hard cap: how much of it is granted is the rule book's business."""


class MomentumBot:
    """Long-only momentum on any number of symbols, by a named signal."""

    def __init__(self, policy: BotPolicy, signal: Signal) -> None:
        self._policy = policy
        self._signal = signal

    def __call__(self, view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        """The intents for this view, and the memory after it."""
        intents: list[Intent] = []
        acted: dict[str, str] = {}
        for symbol in view.symbols:
            intent, bar = self._look_at(symbol, view, memory)
            if intent is not None:
                intents.append(intent)
                acted[symbol] = bar
        return intents, {**memory, **acted} if acted else memory

    def _look_at(self, symbol: str, view: View, memory: Mapping[str, Any]) -> tuple[Intent | None, str]:
        bars, quote, held = view.bars.get(symbol, ()), view.quotes.get(symbol), view.holdings.get(symbol)
        if not bars or quote is None or (held is None and not view.may_enter[symbol]):
            return None, ""
        bar = bars[-1].at.isoformat()
        if memory.get(symbol) == bar:
            return None, ""
        direction = self._signal.direction(bars)
        if held is None and direction > 0:
            return self._enter(symbol, quote), bar
        if held is not None and direction < 0:
            return self._leave(symbol, quote, held.quantity), bar
        return None, ""

    def _enter(self, symbol: str, quote: Quote) -> Intent:
        target = None if self._policy.take_profit is None else quote.ask * (ONE + self._policy.take_profit)
        return Intent(
            bot=self._policy.id,
            symbol=symbol,
            side=Side.BUY,
            size=Size(kind=SizeKind.RISK, amount=_RISK_WISHED),
            reference=quote.ask,
            protection=Protection(stop=quote.ask * (ONE - self._policy.stop_loss), target=target),
            thesis=f"{self._policy.signal} turned up",
        )

    def _leave(self, symbol: str, quote: Quote, quantity: Decimal) -> Intent:
        return Intent(
            bot=self._policy.id,
            symbol=symbol,
            side=Side.SELL,
            size=Size(kind=SizeKind.QUANTITY, amount=quantity),
            reference=quote.bid,
            purpose=Purpose.EXIT,
            thesis=f"{self._policy.signal} turned down",
        )


def make(policy: BotPolicy, signal: Signal) -> MomentumBot:
    """The bot that a policy entry describes."""
    return MomentumBot(policy, signal)
