"""A bot as a user may have one, in a file of its own: it wishes to enter whenever it may."""

from __future__ import annotations

from hydra.bots.kit import each_bar, enter
from hydra.model.orders import Intent, Side
from hydra.model.snapshot import View
from hydra.ports import Bot, Setting


def make(setting: Setting) -> Bot:
    """The bot of an entry of the configuration."""

    def wish(view: View, symbol: str) -> Intent | None:
        return enter(setting.policy, view, symbol, Side.BUY, "it always wants to")

    return each_bar(wish)
