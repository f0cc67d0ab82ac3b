"""Installed plugs by their entry points; the built-in ones come through the same door."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from hydra.model.errors import BadConfig

OURS = "trading-hydra"


@lru_cache(maxsize=16)
def available(group: str) -> Mapping[str, EntryPoint]:
    """Everything installed of a group, by name; nothing of it is imported."""
    return {point.name: point for point in entry_points(group=group)}


def find(group: str, name: str, key: str) -> Any:
    """The plug called ``name``; ``key`` is where the configuration names it. Raises ``BadConfig``."""
    point = available(group).get(name)
    if point is None:
        there = ", ".join(sorted(available(group))) or "none (is the package installed?)"
        raise BadConfig(f"{key}: unknown name {name!r}; there are: {there}")
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise BadConfig(f"{key}: {name!r} ({point.value}) cannot be loaded: {type(error).__name__}: {error}") from error


def package_of(group: str, name: str) -> str:
    """The package that a plug comes with; ``unknown`` when it does not say."""
    dist = available(group)[name].dist
    return "unknown" if dist is None else dist.name


def is_ours(group: str, name: str) -> bool:
    """Whether a plug is one of this program's own."""
    return name in available(group) and package_of(group, name) == OURS
