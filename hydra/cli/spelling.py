"""Lists as people type them: ``--data bars quotes``, ``--data bars,quotes`` and ``--data bars --data quotes`` are the same."""

from __future__ import annotations

from collections.abc import Sequence

LIST_OPTIONS = frozenset({"--assets", "--data", "--symbols"})


def spread_lists(arguments: Sequence[str]) -> list[str]:
    """The arguments with every list option repeated before each of its values; a comma separates values too.

    A list option without any value stays, at the end, where the parser misses its value: left out silently, it would
    pass for an option that nobody typed.
    """
    spread: list[str] = []
    missing: list[str] = []
    current: str | None = None
    for argument in arguments:
        name, _, values = argument.partition("=")
        if name in LIST_OPTIONS:
            current = name
            missing.append(name)
        elif current is None or argument.startswith("-"):
            current = None
            spread.append(argument)
            continue
        else:
            values = argument
        repeated = _repeat(current, values)
        spread += repeated
        if repeated:
            missing.clear()
    return spread + missing[:1]


def _repeat(option: str, values: str) -> list[str]:
    return [part for value in values.split(",") if value for part in (option, value)]
