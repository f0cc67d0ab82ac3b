"""A bot that never says a word, and does not tell beforehand that it will not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.model.orders import Intent
from hydra.model.snapshot import View
from hydra.ports import Bot, Setting


def make(_setting: Setting) -> Bot:
    """The bot."""

    def bot(_view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        return [], memory

    return bot
