"""MomentumBot: a signal decides the direction, the policy decides everything else.

It enters long when its signal turns up and short when it turns down (if the policy has ``shorts``), and asks to leave when the
signal turns against what it holds. It acts at most once on a bar, so it never turns round in one step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from hydra.bots.kit import check_entries, each_bar, enter, free_to_enter, leave
from hydra.bots.signals import Look, Signal
from hydra.model.errors import BadConfig
from hydra.model.orders import Intent, Side
from hydra.model.rows import Rows, Turns
from hydra.model.snapshot import View
from hydra.ports import Setting

_MINUTE = timedelta(minutes=1)
_WAYS = {1: "up", -1: "down", 0: "nowhere"}


class SignalBot:
    """Trades any number of symbols by a named signal. Raises ``BadConfig`` for a setting that does not fit."""

    def __init__(self, setting: Setting) -> None:
        check_entries(setting.policy)
        if setting.signal is None:
            raise BadConfig("signal: this bot listens to a signal, and none is named")
        if type(setting.signal) is not Signal:
            raise BadConfig(f"signal: {setting.policy.signal!r} made a {type(setting.signal).__name__}, not a Signal")
        self._policy = setting.policy
        self._signal = setting.signal
        self._bot = each_bar(self._wish)
        self._heard: dict[str, tuple[Look, int]] = {}

    def __call__(self, view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        """The intents for this view, and the memory after it."""
        return self._bot(view, memory)

    def turns(self, rows: Rows) -> Turns | None:
        """At which of a symbol's bars it may have something to say; ``None``: at any."""
        return None if self._signal.turns is None else self._signal.turns(rows)

    def _wish(self, view: View, symbol: str) -> Intent | None:
        holding = view.holdings.get(symbol)
        if holding is None and not free_to_enter(view, symbol):
            return None
        way = self._way(view, symbol)
        if way == 0:
            return None
        thesis = f"{self._policy.signal} turned {_WAYS[way]}"
        if holding is None:
            return enter(self._policy, view, symbol, Side.BUY if way > 0 else Side.SELL, thesis)
        return leave(self._policy, view, symbol, thesis) if holding.quantity * way < 0 else None

    def _way(self, view: View, symbol: str) -> int:
        """What the signal says. The answer is kept while the bars are the very same and the day is: there is nothing new to hear."""
        look, heard = Look(bars=view.bars[symbol], at=view.at, minute=view.minute), self._heard.get(symbol)
        if heard is not None and heard[0].bars is look.bars and _same_day(heard[0], look):
            return heard[1]
        way = self._signal.direction(look)
        if type(way) is not int or way not in _WAYS:
            raise ValueError(f"the signal {self._policy.signal} answered with {way!r}, not with 1, -1 or 0")
        if type(look.bars) is tuple:
            self._heard[symbol] = (look, way)
        return way


def _same_day(one: Look, other: Look) -> bool:
    """Whether local minutes mean the same times in both. Within a minute they do; else midnight tells."""
    same_minute = one.minute == other.minute and abs(other.at - one.at) < _MINUTE and one.at.minute == other.at.minute
    return same_minute or one.time_of(0) == other.time_of(0)


def make(setting: Setting) -> SignalBot:
    """The momentum bot that a policy entry describes. Raises ``BadConfig`` naming the key that does not fit."""
    return SignalBot(setting)
