"""Candles: bars gathered as far as a screen can show them, and splits undone so that no price jumps that did not.

A candle is the first open, the highest high, the lowest low and the last close of its bars. Bars are gathered by round stretches of time
(half an hour, a day, a week), the shortest that leaves few enough candles, and the page says which. A day of shares begins at
midnight in New York's winter time, when nobody trades; one of pairs at midnight UTC; a week on a Monday.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hydra.study.curve import DAY_MICROS, Floats, Ints, Split, moment

CANDLES_MOST = 96
_SECOND = 1_000_000
_DAY = 86_400
_WINTER_MICROS = 5 * 3600 * _SECOND
_MONDAY = 3  # the first of January 1970 was a Thursday
WIDTHS = (
    (60, "a minute"),
    (120, "2 minutes"),
    (300, "5 minutes"),
    (600, "10 minutes"),
    (900, "15 minutes"),
    (1800, "30 minutes"),
    (3600, "an hour"),
    (7200, "2 hours"),
    (14_400, "4 hours"),
    (28_800, "8 hours"),
    (_DAY, "a day"),
    (7 * _DAY, "a week"),
    (14 * _DAY, "2 weeks"),
    (28 * _DAY, "4 weeks"),
    (91 * _DAY, "13 weeks"),
    (364 * _DAY, "52 weeks"),
)
BAR = "one bar"


class Candles(NamedTuple):
    """Candles in order. ``first`` is the place of each one's first bar, ``at`` when its last one closed; ``width`` in words."""

    first: Ints
    at: Ints
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    width: str


def gathered(at: Ints, prices: tuple[Floats, Floats, Floats, Floats], *, shares: bool) -> Candles:
    """The candles of bars that closed ``at`` (at least one), ``prices`` being their open, high, low and close."""
    first, width = _starts(at, shares=shares)
    last = np.append(first[1:], len(at)) - 1
    opened, high, low, close = prices
    return Candles(
        first=first,
        at=at[last],
        open=opened[first],
        high=np.maximum.reduceat(high, first),
        low=np.minimum.reduceat(low, first),
        close=close[last],
        width=width,
    )


def _starts(at: Ints, *, shares: bool) -> tuple[Ints, str]:
    """Where candles begin, and how wide they are."""
    starts, words = np.arange(len(at), dtype=np.int64), BAR
    for seconds, told in WIDTHS:
        if len(starts) <= CANDLES_MOST:
            break
        number = _stretch(at, seconds, shares=shares)
        starts, words = np.concatenate(([0], np.flatnonzero(np.diff(number)) + 1)), told
    return starts, words


def _stretch(at: Ints, seconds: int, *, shares: bool) -> Ints:
    """The number of the stretch in which a bar lies; one that closes at its end still does."""
    within = at - 1
    if seconds < _DAY:
        return within // (seconds * _SECOND)
    days = (within - (_WINTER_MICROS if shares else 0)) // DAY_MICROS
    return (days + _MONDAY) // (seconds // _DAY) if seconds > _DAY else days


def factors(at: Ints, splits: Sequence[Split]) -> Floats:
    """What to divide the prices of these times by, to have them in the shares of the last one."""
    found = np.ones(len(at))
    for split in splits:
        found[at <= split.at] *= split.ratio
    return found


def undone(splits: Sequence[Split]) -> str:
    """What was undone, in words; empty for nothing."""
    return "".join(f"; before {moment(each.at):%Y-%m-%d} {_scaled(each.ratio)} for the split" for each in splits)


def _scaled(ratio: float) -> str:
    return f"divided by {ratio:.6g}" if ratio >= 1 else f"multiplied by {1 / ratio:.6g}"
