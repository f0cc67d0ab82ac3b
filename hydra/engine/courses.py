"""A history beside the clock that goes over it: which bar of a symbol is the last one at an instant, and at which one a bot may speak next.

Instants are those of the whole market, numbered; bars are a symbol's own. Nothing here remembers where the clock was in a way that a
clock turned back would find wrong: what is kept says for which times it holds.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hydra.model.rows import Flags, Ints, Rows

NEVER = 1 << 62
"""Later than any instant."""


class Course:
    """The bars of a symbol among the instants of the market."""

    __slots__ = ("_ahead", "_instants", "rows")

    def __init__(self, rows: Rows, instants: Ints) -> None:
        self.rows = rows
        self._instants = instants
        known = rows.known
        first = int(instants.searchsorted(known[0])) if len(known) else 0
        among = instants[first : first + len(known)]
        # Usually a bar closes at each instant from its first to its last: then its number is an instant's, less those before the first.
        self._ahead = first if len(among) == len(known) and bool((among == known).all()) else None

    def before(self, place: int) -> int:
        """How many bars are known before the instant with this number."""
        known = self.rows.known
        if self._ahead is not None:
            passed = place - self._ahead
            return 0 if passed < 0 else min(passed, len(known))
        return int(known.searchsorted(self._instants[place])) if place < len(self._instants) else len(known)

    def at_each(self, first: int, end: int) -> slice | Ints:
        """The last bar at each instant from ``first`` to before ``end``, as an index into columns; a slice where a bar closes at each."""
        ahead, known = self._ahead, self.rows.known
        if ahead is not None and ahead <= first and end <= ahead + len(known):
            return slice(first - ahead, end - ahead)
        return known.searchsorted(self._instants[first:end], "right") - 1


class NextTurn:
    """When a bot may speak next: at a marked bar, and for as long as that is the last one.

    The answer of one look at the marks is kept for the times in which it does not change.
    """

    __slots__ = ("_from", "_marked", "_over", "_speaks", "_until")

    def __init__(self, known: Ints, flags: Flags) -> None:
        places = flags.nonzero()[0]
        over = known[(places + 1).clip(max=max(0, len(known) - 1))]
        if len(places) and places[-1] == len(known) - 1:
            over[-1] = NEVER
        self._marked = known[places].data
        self._over = over.data
        self._from = self._until = 0
        self._speaks = False

    def due(self, now: int) -> int:
        """The first moment after ``now`` at which the bot may speak; ``NEVER`` when no bar is marked from here on."""
        if not self._from <= now < self._until:
            self._look(now)
        return now + 1 if self._speaks else self._until

    def _look(self, now: int) -> None:
        marked, over = self._marked, self._over
        place = bisect_right(marked, now)
        ends = over[place - 1] if place else -NEVER
        self._speaks = now < ends
        if self._speaks:
            self._from, self._until = marked[place - 1], ends
        else:
            self._from, self._until = ends, marked[place] if place < len(marked) else NEVER
