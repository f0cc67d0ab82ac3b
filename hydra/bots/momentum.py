"""MomentumBot: a signal decides the direction, the policy decides everything else.

It enters long when its signal turns up and short when it turns down (if the policy has ``shorts``), and asks to leave when the
signal turns against what it holds. It acts at most once on a bar, so it never turns round in one step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hydra.bots.kit import Notes, check_entries, enter, free_to_enter, leave
from hydra.bots.signals import Look, Signal
from hydra.model.errors import BadConfig
from hydra.model.orders import Intent, Side
from hydra.model.rows import Rows, Turns
from hydra.model.snapshot import View
from hydra.ports import Setting

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
        self._notes = Notes()
        self._heard: dict[str, tuple[Look, int]] = {}

    def __call__(self, view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        """The intents for this view, and the memory after it.

        What ``each_bar`` makes of a wish, with the question first that most often ends it: whether the signal has turned.
        """
        intents: list[Intent] = []
        acted: dict[str, datetime] = {}
        windows, holdings, heard = view.bars, view.holdings, self._heard
        for symbol in view.symbols:
            bars = windows.get(symbol)
            if not bars or (symbol in memory and self._notes.acted_on(bars[-1].at, symbol, memory)):
                continue
            if symbol not in holdings and not free_to_enter(view, symbol):
                continue
            known = heard.get(symbol)
            if known is not None and known[0].bars is bars and _same_day(known[0], view):
                way = known[1]  # the bars are the very same and the day is: there is nothing new to hear
            else:
                way = self._listen(view, symbol)
            intent = self._wish(view, symbol, way) if way else None
            if intent is not None:
                intents.append(intent)
                acted[symbol] = bars[-1].at
        return intents, self._notes.after(acted, memory) if acted else memory

    def turns(self, rows: Rows) -> Turns | None:
        """At which of a symbol's bars it may have something to say; ``None``: at any."""
        return None if self._signal.turns is None else self._signal.turns(rows)

    def _wish(self, view: View, symbol: str, way: int) -> Intent | None:
        holding = view.holdings.get(symbol)
        thesis = f"{self._policy.signal} turned {_WAYS[way]}"
        if holding is None:
            return enter(self._policy, view, symbol, Side.BUY if way > 0 else Side.SELL, thesis)
        return leave(self._policy, view, symbol, thesis) if holding.quantity * way < 0 else None

    def _listen(self, view: View, symbol: str) -> int:
        """What the signal says of bars that it was not asked about today."""
        bars = view.bars[symbol]
        look = Look(bars=bars, at=view.at, minute=view.minute)
        way = self._signal.direction(look)
        if type(way) is not int or way not in _WAYS:
            raise ValueError(f"the signal {self._policy.signal} answered with {way!r}, not with 1, -1 or 0")
        if type(bars) is tuple:
            self._heard[symbol] = (look, way)
        return way


def _same_day(look: Look, view: View) -> bool:
    """Whether local minutes mean the same times in both: as much time has gone by as there are minutes between them."""
    then, now = look.at, view.at
    return now - then == timedelta(
        minutes=view.minute - look.minute,
        seconds=now.second - then.second,
        microseconds=now.microsecond - then.microsecond,
    )


def make(setting: Setting) -> SignalBot:
    """The momentum bot that a policy entry describes. Raises ``BadConfig`` naming the key that does not fit."""
    return SignalBot(setting)
