"""The bars of a symbol as vectors: what is looked at when a whole history lies there, and not bar by bar.

Vectors are 64-bit floats, and only ever tell where to look: what may happen at a bar is judged there with exact numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]


class Rows(NamedTuple):
    """Closed bars, oldest first, all vectors of one length.

    ``opened`` and ``known`` are when a bar opened and when it closed, in microseconds since 1970. ``exact`` are the same five columns in full: open, high, low,
    close, volume.
    """

    opened: Ints
    known: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    exact: tuple[Sequence[Decimal], ...]


class Turns(NamedTuple):
    """At which bars something may be said that leads up (an entry long, a way out of a short), and at which that leads down.

    A bar that is not marked is one at which nothing is said, whatever is held; a marked one may prove silent.
    """

    up: Flags
    down: Flags


class UntilSaid(NamedTuple):
    """Of a bot that may speak at any time until it has said all there is to say, and at none afterwards: ``said`` tells which, by its memory."""

    said: Callable[[Mapping[str, Any]], bool]


Tells: TypeAlias = Turns | UntilSaid
"""What a bot tells beforehand of a symbol."""
