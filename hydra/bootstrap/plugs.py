"""Finding what the configuration names, through entry points; the built-in plugs come through the same door.

An unknown name refuses with the names there are. What is installed but not named is never imported. A bot may also be named
by its file or module (``hydra.bootstrap.sources``). The sources of what comes from elsewhere belong to the hash of the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.adapters.fingerprint import PACKAGE
from hydra.bootstrap.points import available, find
from hydra.bootstrap.sources import file_of, file_of_module, is_source
from hydra.model.errors import BadConfig
from hydra.policy import Policy
from hydra.risk.gates import REQUIRED
from hydra.risk.kills import REQUIRED_KILLS
from hydra.risk.plugs import Gate, RuleBook


def rule_book(policy: Policy) -> RuleBook:
    """The policy with its gates, rules, exits and kills resolved. Raises ``BadConfig`` for what is unknown or left out."""
    _none_missing("health.gates", REQUIRED, policy.health.gates)
    _none_missing("risk.kills", REQUIRED_KILLS, policy.risk.kills)
    if not policy.risk.rules:
        raise BadConfig("risk.rules: an empty rule book admits nothing; name at least one rule")
    gates = tuple(
        _gate(name, f"health.gates[{n}]") for n, name in enumerate(_once("health.gates", policy.health.gates))
    )
    return RuleBook(
        policy=policy,
        gates=gates,
        rules=_plugs("rules", policy.risk.rules),
        exits=_plugs("exits", policy.risk.exits),
        option_exits=_plugs("option_exits", policy.risk.option_exits),
        kills=_plugs("kills", policy.risk.kills),
        bots={bot.id: bot for bot in policy.bots},
    )


@contextmanager
def naming(config: Path) -> Iterator[None]:
    """Refusals from inside get the configuration's file before them."""
    try:
        yield
    except BadConfig as error:
        raise BadConfig(f"{config}: {error}") from error


def foreign_sources(policy: Policy) -> tuple[Path, ...]:
    """The source files of every plug the policy names that is none of this program's, sorted. Imports nothing.

    A plug's file is the one its factory is in; what that file imports in turn is not followed.
    """
    found = {file for bot in policy.enabled_bots if (file := file_of(bot.bot)) is not None}
    for module in _modules(policy):
        file = file_of_module(module)
        if file is not None and not file.is_relative_to(PACKAGE):
            found.add(file)
    return tuple(sorted(found))


def named_files(policy: Policy, folder: Path) -> tuple[Path, ...]:
    """The files that the configuration in ``folder`` names: bots, blackout days and faults."""
    found = [file for bot in policy.bots if (file := file_of(bot.bot)) is not None]
    found += [folder / name for name in (policy.risk.blackout_file, policy.broker.faults) if name]
    return tuple(dict.fromkeys(found))


def _modules(policy: Policy) -> Iterator[str]:
    """The module of every plug that is named."""
    risk = policy.risk
    named = {"gates": policy.health.gates, "rules": risk.rules, "exits": risk.exits, "kills": risk.kills}
    named["option_exits"] = risk.option_exits
    named["checks"] = policy.qc.checks
    named["signals"] = tuple(bot.signal for bot in policy.enabled_bots if bot.signal is not None)
    named["bots"] = tuple(bot.bot for bot in policy.enabled_bots if not is_source(bot.bot))
    for kind, names in named.items():
        points = available(f"hydra.{kind}")
        yield from (points[name].module for name in names if name in points)
    for bot in policy.enabled_bots:
        if is_source(bot.bot) and file_of(bot.bot) is None:
            yield bot.bot.rpartition(":")[0]


def _none_missing(key: str, required: frozenset[str], named: Iterable[str]) -> None:
    missing = sorted(required - set(named))
    if missing:
        raise BadConfig(f"{key}: {', '.join(missing)} may not be left out")


def _plugs(kind: str, names: Iterable[str]) -> dict[str, Any]:
    """The plugs of the group ``hydra.<kind>`` that ``risk.<kind>`` names."""
    key = f"risk.{kind}"
    return {name: find(f"hydra.{kind}", name, key) for name in _once(key, names)}


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
