"""A bot of another distribution that buys one contract and leaves it again, for want of a strategy in options.

It is put on the path together with a ``dist-info`` that offers it as the entry point ``contract`` of ``hydra.bots``. It acts on the
clock alone: it wishes to enter whenever it holds nothing, and to leave ``MINUTES`` later, again and again. Beside it stands the
market ``here`` of ``hydra.markets``: an invented market has no contracts, and ``qc`` is not told which recording will be played.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets.feed import Feed
from hydra.bootstrap.venues import Source, recorded
from hydra.model.market import Quote
from hydra.model.orders import Intent, Protection, Purpose, Side, Size, SizeKind
from hydra.model.snapshot import View
from hydra.policy import BotPolicy, Policy
from hydra.ports import Setting

MINUTES = 10
"""How long a contract is kept."""


class ContractBot:
    """One contract at a time."""

    def __init__(self, policy: BotPolicy) -> None:
        self._policy = policy

    def __call__(self, view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        """Enter when there is nothing, leave when it has been held for long enough."""
        (symbol,) = view.symbols
        quote, held = view.quotes.get(symbol), view.holdings.get(symbol)
        if quote is None or view.minute == memory.get("minute"):
            return (), memory
        if held is None and view.may_enter[symbol]:
            return (self._enter(symbol, quote),), {"minute": view.minute, "since": view.minute}
        if held is not None and view.minute >= memory.get("since", 0) + MINUTES:
            return (self._leave(symbol, quote, held.quantity),), {**memory, "minute": view.minute}
        return (), memory

    def _enter(self, symbol: str, quote: Quote) -> Intent:
        assert self._policy.stop_loss is not None
        return Intent(
            bot=self._policy.id,
            symbol=symbol,
            side=Side.BUY,
            size=Size(kind=SizeKind.QUANTITY, amount=Decimal(1)),
            reference=quote.ask,
            protection=Protection(stop=quote.ask * (1 - self._policy.stop_loss)),
            thesis="it is time",
        )

    def _leave(self, symbol: str, quote: Quote, quantity: Decimal) -> Intent:
        return Intent(
            bot=self._policy.id,
            symbol=symbol,
            side=Side.SELL,
            size=Size(kind=SizeKind.QUANTITY, amount=quantity),
            reference=quote.bid,
            purpose=Purpose.EXIT,
            thesis="it has been long enough",
        )


def make(setting: Setting) -> ContractBot:
    """The bot of a policy's entry (entry point)."""
    return ContractBot(setting.policy)


def here(policy: Policy, source: Source, calendar: ExchangeCalendar) -> Feed:
    """The recording in the folder Hydra was started in (entry point)."""
    return recorded(policy, replace(source, data=(Path("data"),)), calendar)
