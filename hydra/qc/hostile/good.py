"""The bot that is no hostile one: it trades all day, and remembers everything it was ever shown in one number.

Whatever any other bot could change in what it sees, or in what it remembers, changes its answers from then on.
"""

from __future__ import annotations

import zlib
from typing import Any

from hydra.bots.kit import check_entries, enter, leave
from hydra.model.orders import Side
from hydra.model.snapshot import View
from hydra.model.values import encode, replace
from hydra.ports import Bot, Setting
from hydra.qc.hostile.kit import Memory

_HELD_CYCLES = 2


def make(setting: Setting) -> Bot:
    """In when it is out, out after two cycles. Raises ``BadConfig`` for a setting that does not fit."""
    check_entries(setting.policy)

    def bot(view: View, memory: Memory) -> Any:
        symbol = view.symbols[0]
        cycles = int(memory.get("cycles", 0)) + 1
        # An order's id comes from the run, which is another one each time.
        holdings = {name: replace(one, entry="") for name, one in view.holdings.items()}
        shown = zlib.crc32(encode((replace(view, holdings=holdings), memory.get("shown", 0))))
        held = int(memory.get("held", 0)) + 1 if symbol in view.holdings else 0
        wish = None
        if held >= _HELD_CYCLES:
            wish = leave(setting.policy, view, symbol, "it was in for long enough")
        elif symbol not in view.holdings:
            wish = enter(setting.policy, view, symbol, Side.BUY, "it is out")
        return ([] if wish is None else [wish]), {"cycles": cycles, "shown": shown, "held": held}

    return bot
