"""What is valid key by key and makes no sense: prices below zero, bars a bot needs and nobody keeps, groups of nothing.

Looked for when a configuration is read, so that every command refuses it the same way, with its file and the key.
"""

from __future__ import annotations

from collections.abc import Iterator

from hydra.model.money import plain
from hydra.policy import BotPolicy, Policy


def disagreements(policy: Policy) -> Iterator[str]:
    """One line each, the key first."""
    kept = policy.engine.window_bars
    for bot in policy.bots:
        for key, needed in _bars(bot):
            if needed > kept:
                yield f"bots ({bot.id}).{key}: needs {needed} bars, engine.window_bars keeps {kept}"
        for line in _prices(bot):
            yield f"bots ({bot.id}).{line}"
    yield from _groups(policy)


def _prices(bot: BotPolicy) -> Iterator[str]:
    """Stops and targets that would not be prices; those of shorts lie the other way round."""
    if bot.stop_loss is not None and bot.stop_loss >= 1:
        yield f"stop_loss: {plain(bot.stop_loss)} below the entry is no price; below 1 is accepted"
    for key in ("take_profit", "break_even"):
        value = getattr(bot, key)
        if bot.shorts and value is not None and value >= 1:
            yield f"{key}: with shorts = true {plain(value)} below the entry is no price; below 1 is accepted"


def _bars(bot: BotPolicy) -> Iterator[tuple[str, int]]:
    """The bars that a bot's entry asks for, by key: one more than it names, to have as many changes between them."""
    if bot.trailing is not None and bot.trailing.by != "percent":
        yield "trailing.bars", bot.trailing.bars + 1
    if bot.size.by == "volatility":
        yield "size.bars", bot.size.bars + 1


def _groups(policy: Policy) -> Iterator[str]:
    traded = {symbol for bot in policy.bots for symbol in bot.symbols}
    for name, symbols in policy.risk.groups.items():
        key = f"risk.groups.{name}"
        if len(symbols) < 2:
            yield f"{key}: names {len(symbols)} symbols; a group is of at least 2"
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        if twice:
            yield f"{key}: names {', '.join(twice)} twice"
        strange = [symbol for symbol in dict.fromkeys(symbols) if symbol not in traded]
        if strange:
            yield f"{key}: names {', '.join(strange)}, which no bot trades"
