"""The runs of a sweep: every combination of its parameters' values, by number, and a draw of some of them.

A combination's number says which it is, in mixed radix, the last parameter turning fastest; so a grid of any size costs nothing until
its combinations are asked for. A draw is made of hashes of its seed: the same seed draws the same combinations on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from math import prod
from typing import Any

from hydra.model.errors import BadConfig

VALUES_MOST = 10_000
"""Values of one parameter."""
RUNS_MOST = 100_000
"""Combinations that are played; of a larger grid, some can be drawn."""
COMBINATIONS_MOST = 2**62

Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One parameter: its name as it is shown, where it stands in the policy's document, and its values as that document has them.

    ``kind`` is what the values are: ``whole``, ``number``, ``flag``, ``date``, ``text`` or ``json`` (lists and tables).
    """

    name: str
    location: Location
    values: tuple[Any, ...]
    kind: str


@dataclass(frozen=True, slots=True)
class Grid:
    """The product of some parameters' values."""

    axes: tuple[Axis, ...]

    def __len__(self) -> int:
        """How many combinations there are."""
        return prod(len(axis.values) for axis in self.axes)

    def values(self, number: int) -> tuple[Any, ...]:
        """The values of a combination, 0 to the last, in the order of the axes."""
        found: list[Any] = []
        for axis in reversed(self.axes):
            number, place = divmod(number, len(axis.values))
            found.append(axis.values[place])
        assert number == 0, "beyond the last combination"
        return tuple(reversed(found))

    def changes(self, number: int) -> tuple[tuple[Location, Any], ...]:
        """The same with the places they stand in."""
        return tuple((axis.location, value) for axis, value in zip(self.axes, self.values(number), strict=True))

    def chosen(self, sample: int | None, seed: int) -> tuple[int, ...]:
        """The combinations that are played, in order: all of them, or ``sample`` of them drawn by ``seed``.

        Raises ``BadConfig`` for more than anybody can play.
        """
        total = prod(len(axis.values) for axis in self.axes)
        if total > COMBINATIONS_MOST:
            raise BadConfig(f"--set: {total:.3g} combinations are too many even to draw from; at most 2^62")
        if sample is not None and sample < total:
            if sample > RUNS_MOST:
                raise BadConfig(f"--sample {sample:,}: at most {RUNS_MOST:,} runs are played")
            return _drawn(total, sample, seed)
        if total > RUNS_MOST:
            raise BadConfig(
                f"--set: {total:,} combinations, and at most {RUNS_MOST:,} are played; --sample N draws some of them"
            )
        return tuple(range(total))


def stepped(low: Decimal, high: Decimal, step: Decimal) -> tuple[Decimal, ...]:
    """``low``, ``low + step`` and so on, as far as ``high``, which is included when a step leads there.

    Raises ``BadConfig`` for a step that does not lead there, or leads there in too many.
    """
    if step == 0 or (high - low) * step < 0:
        raise BadConfig(f"steps of {step} do not lead from {low} to {high}")
    count = int((high - low) / step) + 1
    if count > VALUES_MOST:
        raise BadConfig(f"{count:,} values, and at most {VALUES_MOST:,} are accepted")
    return tuple(low + step * place for place in range(count))


def _drawn(total: int, sample: int, seed: int) -> tuple[int, ...]:
    """Some numbers below ``total``, each once, ascending; when most are drawn, those that are not are."""
    if sample * 2 > total:
        left_out = set(_drawn(total, total - sample, seed)) if sample < total else set()
        return tuple(number for number in range(total) if number not in left_out)
    found: set[int] = set()
    count = 0
    while len(found) < sample:
        digest = sha256(f"{seed}:{count}".encode()).digest()
        found.add(int.from_bytes(digest[:16]) % total)
        count += 1
    return tuple(sorted(found))


def short_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names with as much of their ends as tells them apart: ``fast``, or ``bots[spy].parameters.fast``."""
    parts = [name.split(".") for name in names]
    found = []
    for mine in parts:
        for depth in range(1, len(mine) + 1):
            ending = mine[-depth:]
            if sum(other[-depth:] == ending for other in parts) == 1:
                break
        else:
            ending = mine
        found.append(".".join(ending))
    return tuple(found)
