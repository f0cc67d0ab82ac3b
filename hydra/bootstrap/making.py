"""Making a bot from its entry of the configuration. Foreign code runs in here: in a worker, or in this process when asked inline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hydra.bootstrap.points import find
from hydra.bootstrap.sources import call_foreign, is_source, load_source
from hydra.model.errors import BadConfig
from hydra.policy import BotPolicy, OptionsPolicy, Policy
from hydra.ports import Bot, BotFactory, Setting


class UnfitBot(BadConfig):
    """A bot that cannot be made. ``bot`` is its id."""

    def __init__(self, bot: str, reason: str) -> None:
        super().__init__(reason)
        self.bot = bot


def make_bots(policy: Policy) -> dict[str, Bot]:
    """The enabled bots by id. Raises ``BadConfig`` naming the bot and the parameter that does not fit."""
    return {bot.id: make_bot(bot, policy.options, policy.engine.window_bars) for bot in policy.enabled_bots}


def bots_that_can_be_made(policy: Policy) -> tuple[dict[str, Bot], list[str]]:
    """The enabled bots by id, and why the others are not among them: for commands that must work without them."""
    bots: dict[str, Bot] = {}
    notes: list[str] = []
    for bot in policy.enabled_bots:
        try:
            bots[bot.id] = make_bot(bot, policy.options, policy.engine.window_bars)
        except BadConfig as error:
            notes.append(f"not asked: {error}")
    return bots, notes


def make_bot(bot: BotPolicy, options: OptionsPolicy, window_bars: int) -> Bot:
    """One bot. Raises ``UnfitBot`` naming it, with file and line for whatever its code raises."""
    try:
        return _made(bot, options, window_bars)
    except BadConfig as error:
        raise UnfitBot(bot.id, str(error)) from error


def _made(bot: BotPolicy, options: OptionsPolicy, window_bars: int) -> Bot:
    where = f"bots ({bot.id})"
    key = f"{where}.bot"
    make: BotFactory = load_source(bot.bot, key) if is_source(bot.bot) else find("hydra.bots", bot.bot, key)
    signal = None if bot.signal is None else _make_signal(bot, bot.signal, window_bars)
    setting = Setting(policy=bot, options=options, signal=signal)
    made = call_foreign(where, lambda: make(setting))
    if not callable(made):
        raise BadConfig(f"{where}.bot: {bot.bot} made a {type(made).__name__}, not a bot")
    return made


def recipe_of(bot: BotPolicy, policy: Policy) -> dict[str, Any]:
    """All that ``make_from`` needs, as JSON knows it."""
    return {
        "bot": bot.model_dump(mode="json"),
        "options": policy.options.model_dump(mode="json"),
        "window_bars": policy.engine.window_bars,
    }


def make_from(recipe: Mapping[str, Any]) -> Bot:
    """The bot that a recipe describes. Raises ``BadConfig``."""
    bot = BotPolicy.model_validate(recipe["bot"])
    return make_bot(bot, OptionsPolicy.model_validate(recipe["options"]), recipe["window_bars"])


def _make_signal(bot: BotPolicy, name: str, window_bars: int) -> Any:
    """The bot's signal, which must be able to speak with the bars that are kept."""
    where = f"bots ({bot.id})"
    make_signal = find("hydra.signals", name, f"{where}.signal")
    signal = call_foreign(f"{where}.parameters of signal {name}", lambda: make_signal(bot.parameters))
    if signal.warm_up > window_bars:
        raise BadConfig(
            f"{where}.parameters: signal {name} needs {signal.warm_up} bars, engine.window_bars keeps {window_bars}"
        )
    return signal
