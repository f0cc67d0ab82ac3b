"""Why nothing was done, which ceiling bit, who was refused: counted, with the last words of each. Bounded, whatever a bot says."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

OTHERS = "(others)"
_KEYS_MAX = 4096
K = TypeVar("K", bound=tuple[Hashable, ...])


class Counted:
    """How often, and what was said the last time."""

    __slots__ = ("count", "last")

    def __init__(self) -> None:
        self.count, self.last = 0, ""


class Counts(Generic[K]):
    """How often, by a key of several words; the keys beyond ``keys_max`` are counted together."""

    __slots__ = ("_counts", "_keys_max")

    def __init__(self, keys_max: int = _KEYS_MAX) -> None:
        self._counts: dict[K, Counted] = {}
        self._keys_max = keys_max

    def add(self, key: K, words: str = "") -> None:
        """Once more."""
        counted = self._counts.get(key)
        if counted is None:
            counted = self._new(key)
        counted.count += 1
        counted.last = words

    def _new(self, key: K) -> Counted:
        if len(self._counts) >= self._keys_max:
            key = tuple(OTHERS for _ in key)  # type: ignore[assignment]  # as many words
        return self._counts.setdefault(key, Counted())

    def __len__(self) -> int:
        return len(self._counts)

    @property
    def total(self) -> int:
        """All of them."""
        return sum(counted.count for counted in self._counts.values())

    def most_frequent(self) -> list[tuple[K, Counted]]:
        """The most frequent first; equals in the order in which they were first met."""
        return sorted(self._counts.items(), key=lambda item: -item[1].count)
