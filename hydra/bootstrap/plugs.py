"""Finding what the configuration names, through entry points; the built-in plugs come through the same door.

An unknown name refuses with the names there are. What is installed but not named is never imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from hydra.model.errors import BadConfig
from hydra.policy import BotPolicy, Policy
from hydra.ports import Bot
from hydra.risk.gates import REQUIRED
from hydra.risk.plugs import Gate, RuleBook


@lru_cache(maxsize=16)
def _available(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def find(group: str, name: str, key: str) -> Any:
    """The plug called ``name``; ``key`` is where the configuration names it. Raises ``BadConfig``."""
    point = _available(group).get(name)
    if point is None:
        there = ", ".join(sorted(_available(group))) or "none (is the package installed?)"
        raise BadConfig(f"{key}: unknown name {name!r}; there are: {there}")
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise BadConfig(f"{key}: {name!r} ({point.value}) cannot be loaded: {type(error).__name__}: {error}") from error


def rule_book(policy: Policy) -> RuleBook:
    """The policy with its gates, rules and exits resolved. Raises ``BadConfig`` for what is unknown or left out."""
    missing = sorted(REQUIRED - set(policy.health.gates))
    if missing:
        raise BadConfig(f"health.gates: {', '.join(missing)} may not be left out")
    if not policy.risk.rules:
        raise BadConfig("risk.rules: an empty rule book admits nothing; name at least one rule")
    gates = tuple(
        _gate(name, f"health.gates[{n}]") for n, name in enumerate(_once("health.gates", policy.health.gates))
    )
    return RuleBook(
        policy=policy,
        gates=gates,
        rules={name: find("hydra.rules", name, "risk.rules") for name in _once("risk.rules", policy.risk.rules)},
        exits={name: find("hydra.exits", name, "risk.exits") for name in _once("risk.exits", policy.risk.exits)},
        bots={bot.id: bot for bot in policy.bots},
    )


def make_bots(policy: Policy) -> dict[str, Bot]:
    """The enabled bots by id. Raises ``BadConfig`` naming the bot and the parameter that does not fit."""
    return {bot.id: _make_bot(bot, policy) for bot in policy.enabled_bots}


def _gate(name: str, key: str) -> Gate:
    found = find("hydra.gates", name, key)
    if type(found) is not Gate:
        raise BadConfig(f"{key}: {name!r} is a {type(found).__name__}, not a gate")
    return found


def _once(key: str, names: Iterable[str]) -> tuple[str, ...]:
    seen = tuple(names)
    twice = sorted({name for name in seen if seen.count(name) > 1})
    if twice:
        raise BadConfig(f"{key}: {', '.join(twice)} is named twice")
    return seen


def _make_bot(bot: BotPolicy, policy: Policy) -> Bot:
    where = f"bots ({bot.id})"
    make: Callable[..., Bot] = find("hydra.bots", bot.bot, f"{where}.bot")
    make_signal = find("hydra.signals", bot.signal, f"{where}.signal")
    try:
        signal = make_signal(bot.parameters)
    except BadConfig as error:
        raise BadConfig(f"{where}.parameters of signal {bot.signal}: {error}") from error
    if signal.warm_up > policy.engine.window_bars:
        raise BadConfig(
            f"{where}.parameters: signal {bot.signal} needs {signal.warm_up} bars, "
            f"engine.window_bars keeps {policy.engine.window_bars}"
        )
    return make(bot, signal)
