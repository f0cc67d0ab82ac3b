"""Lists as people type them: ``--data bars quotes``, ``--data bars,quotes`` and ``--data bars --data quotes`` are the same."""

from __future__ import annotations

from collections.abc import Sequence

LIST_OPTIONS = frozenset({"--data"})


def spread_lists(arguments: Sequence[str]) -> list[str]:
    """The arguments with every list option repeated before each of its values.

    A comma separates values too, unless the whole text is the name of one thing the shell has already split off.
    """
    spread: list[str] = []
    current: str | None = None
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if argument == "--" or (argument.startswith("-") and name not in LIST_OPTIONS):
            current = None
            spread.append(argument)
        elif name in LIST_OPTIONS:
            current = name
            if equals:
                spread += _repeat(current, value)
        elif current is not None:
            spread += _repeat(current, argument)
        else:
            spread.append(argument)
    return spread


def _repeat(option: str, values: str) -> list[str]:
    return [part for value in values.split(",") if value for part in (option, value)]
