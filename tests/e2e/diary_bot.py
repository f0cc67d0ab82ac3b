"""A bot of somebody else's, as a file: it remembers much and awkwardly, trades by the count of bars, and now and then it fails.

Named in a policy by its path. What it remembers has every kind of value that JSON has, and each answer depends on all of it: a
memory that came back different would show in what the bot does next.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydra.bots.kit import enter, leave
from hydra.model.orders import Side
from hydra.model.snapshot import View
from hydra.ports import Bot, Setting

KEPT = 20
ROUND = 12
"""Bars between two entries; it leaves after half of them."""
AWKWARD: Mapping[str, Any] = {
    "words": 'Grüße, \u2028 \x00 \U0001f40d "\\/',
    "numbers": [0.1 + 0.2, 1e16, 5e-324, -0.0, 1.0, 2**63, -(2**63), 0],
    "nothing": None,
    "both": [True, False],
    "empty": [{}, [], ""],
}


def make(setting: Setting) -> Bot:
    """The bot of one entry; ``raises_at`` and ``mumbles_at`` are minutes of the day in which it fails."""
    policy = setting.policy
    raises_at, mumbles_at = (policy.parameters.get(name) for name in ("raises_at", "mumbles_at"))

    def bot(view: View, memory: Mapping[str, Any]) -> Any:
        if view.minute == raises_at:
            raise LookupError("nothing to say: 今日は \ud800")
        if view.minute == mumbles_at:
            return ["it is time"], memory
        (symbol,) = view.symbols
        bars = view.bars.get(symbol, ())
        if not bars or memory.get("last") == bars[-1].at.isoformat():
            return [], memory
        count = memory.get("count", 0) + 1
        closes = [*memory.get("closes", []), float(bars[-1].close)][-KEPT:]
        drift = sum(closes) / len(closes) - closes[0] + (memory["awkward"]["numbers"][0] if memory else 0.0)
        remembered = {
            "last": bars[-1].at.isoformat(),
            "count": count,
            "closes": closes,
            "drifts": {**memory.get("drifts", {}), f"{count % KEPT}": drift},
            "awkward": memory.get("awkward", AWKWARD),
        }
        thesis = f"bar {count} of {len(bars)}, drift {drift!r}, {remembered['awkward']['words']!r}"
        if count % ROUND == 1:
            wish = enter(policy, view, symbol, Side.BUY, thesis)
        else:
            wish = leave(policy, view, symbol, thesis) if count % ROUND == ROUND // 2 else None
        return [wish] if wish is not None else [], remembered

    return bot
