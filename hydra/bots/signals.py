"""Signals by name: closed bars in, a direction out. Each is a few lines, and knows nothing of money.

A signal answers +1 (up: go long, or out of a short), -1 (down: go out, or short) or 0 (nothing new), from a ``Look``: the
closed bars of one symbol and the exchange's time of day. It says a thing once, on the bar on which it turns. Parameters are
checked when the signal is made, by name; ``warm_up`` is how many bars it has to be shown, and with fewer it says 0.

Three of them read a row of bars as it comes: gaps, the night and bars of any length are one step each, and bars of the
pre- and post-market count like others. Two belong to a session: they count today's bars from ``open`` to ``until`` (the
exchange's local time, 09:30 to 16:00 unless told; a half day just ends earlier), leave out those before it and a bar that
lies only partly in what they look at, and say nothing when the window does not reach back to the open. Their
``warm_up`` is meant for bars of one minute, or longer ones; shorter ones need a longer window, or they fall silent as the day
goes on.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import isfinite, log1p, sqrt
from operator import attrgetter
from typing import TYPE_CHECKING, TypeAlias

from hydra import indicators
from hydra.bots import vectors
from hydra.model.errors import BadConfig
from hydra.model.market import Bar
from hydra.model.rows import Rows, Turns
from hydra.model.values import Value
from hydra.policy import minute_of

if TYPE_CHECKING:
    from hydra.indicators import Floats

Parameters: TypeAlias = Mapping[str, int | float | str | bool]

BARS_MOST = 4000
_SAME = 1e-9
"""Two averages that differ by less than this fraction are the same: what is left is the rounding of floats."""
_OFF = 1e-11
"""By less than this fraction of both together two sums of up to ``BARS_MOST`` floats are off, in whatever order they are added."""
_CLEAR = Decimal("2e-9")
"""Two averages that differ by more than this fraction differ however they are worked out."""
_FAR = 1000
"""Sums that are moved on from bar to bar are begun anew when they have changed by this factor: what the 28 digits of a ``Decimal``
round away, if there are more to a price, stays far too little to make a difference."""
_NOTHING = Decimal(0)
_STILL = 1e-12
"""A volatility below this is none: the prices did not move."""
_COVERED = 0.5
"""An opening range of whose time less than this share has bars is not known."""
_OPENED = attrgetter("at")
_Averages: TypeAlias = "tuple[Decimal, Decimal, float | None, Decimal, Decimal]"
"""Two sums of closes, on which side of the longer one's average that of the other is, and between what the longer one may be moved on."""
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


class Look(Value, frozen=True, kw_only=True):
    """What a signal is shown: the closed bars of a symbol, oldest first, and the time.

    ``at`` is now, aware UTC; ``minute`` is the exchange's local minute of the day now, so the local time of any bar of today is
    known. (Where clocks were changed today, bars from before that count an hour off: Sundays at two, pairs only.)
    """

    bars: Sequence[Bar]
    at: datetime
    minute: int

    def since(self, minute: int) -> Sequence[Bar] | None:
        """Today's bars that opened at this local minute of the day or later; ``None`` if the window does not reach back to it."""
        start = self.time_of(minute)
        if not self.bars or self.bars[0].at > start:
            return None
        return self.bars[bisect_left(self.bars, start, key=_OPENED) :]

    def time_of(self, minute: int) -> datetime:
        """When a local minute of today is, aware UTC."""
        return self.at.replace(second=0, microsecond=0) + timedelta(minutes=minute - self.minute)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A direction (+1, -1 or 0) from a look, and how many bars it has to be shown.

    ``turns``, if there is one, tells from all bars of a history at once at which it may say something. It may mark too many bars, and
    none too few; it must tell of a bar by that bar and those before it. Without it the signal is asked at every bar.
    """

    warm_up: int
    direction: Callable[[Look], int]
    turns: Callable[[Rows], Turns] | None = None


def sma_cross(parameters: Parameters) -> Signal:
    """Simple moving averages of ``fast`` and ``slow`` closes cross: up +1, down -1."""
    fast, slow = whole(parameters, "fast", 1, BARS_MOST), whole(parameters, "slow", 2, BARS_MOST)
    only(parameters, "fast", "slow")
    if fast >= slow:
        raise BadConfig(f"sma_cross: fast must be below slow, got fast {fast}, slow {slow}")
    indicators.load()

    clear = fast * _CLEAR
    kept: indicators.Kept[_Averages] = indicators.Kept(slow)

    def exact_gap(values: list[float]) -> float | None:
        quick, calm = (indicators.sma(indicators.floats(values), n) for n in (fast, slow))
        if quick is None or calm is None:
            return None
        return 0.0 if abs(quick - calm) <= calm * _SAME else quick - calm

    def near_gap(values: list[float]) -> float | None:
        """Plain sums tell it, unless what they may be off by could turn it."""
        quick, calm = sum(values[-fast:]) / fast, sum(values[-slow:]) / slow
        apart, same = quick - calm, calm * _SAME
        if abs(abs(apart) - same) > (quick + calm) * _OFF:
            return apart if abs(apart) > same else 0.0
        return exact_gap(values)

    def gap(quick: Decimal, calm: Decimal, bars: Sequence[Bar]) -> float | None:
        """Only its sign counts, and where the averages are clearly apart their sums tell it."""
        apart, near = quick * slow - calm * fast, calm * clear
        if -near <= apart <= near:
            return near_gap(indicators.closing(bars[-slow:]))
        return 1.0 if apart > near else -1.0

    def anew(bars: Sequence[Bar]) -> _Averages:
        closes = [bar.close for bar in bars[-slow:]]
        quick = sum(closes[-fast:], _NOTHING)
        calm = sum(closes[:-fast], quick)
        return quick, calm, gap(quick, calm, bars), calm / _FAR, calm * _FAR

    def direction(look: Look) -> int:
        bars = look.bars
        if len(bars) <= slow:
            return 0
        quick, calm, before, least, most = kept.one_bar_ago(bars) or anew(bars[-slow - 1 : -1])
        close = bars[-1].close
        quick += close - bars[-fast - 1].close
        calm += close - bars[-slow - 1].close
        if least < calm < most:
            now = gap(quick, calm, bars)
            kept.keep(bars, (quick, calm, now, least, most))
        else:
            kept.keep(bars, averages := anew(bars))
            now = averages[2]
        return 0 if before == now else _turned(before, now)

    return Signal(warm_up=slow + 1, direction=direction, turns=lambda rows: vectors.crossing(rows, fast, slow, _SAME))


def breakout(parameters: Parameters) -> Signal:
    """The close leaves the range of the ``lookback`` bars before it (Donchian channel): above +1, below -1."""
    lookback = whole(parameters, "lookback", 2, BARS_MOST)
    only(parameters, "lookback")

    def direction(look: Look) -> int:
        channel = indicators.donchian(look.bars, lookback)
        if channel is None:
            return 0
        low, high = channel
        close = look.bars[-1].close
        return (close > high) - (close < low)

    return Signal(warm_up=lookback + 1, direction=direction, turns=lambda rows: vectors.leaving(rows, lookback))


def rate_of_change(parameters: Parameters) -> Signal:
    """The move of the last ``lookback`` bars exceeds ``threshold`` times what is usual: up +1, down -1.

    Usual is the deviation of one bar's log return, over the ``window`` bars before the move, times the root of ``lookback``.
    """
    lookback, window = whole(parameters, "lookback", 1, BARS_MOST), whole(parameters, "window", 10, BARS_MOST)
    threshold = number(parameters, "threshold", 0.1, 100)
    only(parameters, "lookback", "window", "threshold")
    indicators.load()
    needed = lookback + window + 2
    kept: indicators.Kept[tuple[float | None]] = indicators.Kept(needed - 1)

    def beyond(values: Floats) -> float | None:
        move = indicators.rate_of_change(values, lookback)
        usual = indicators.volatility(values[:-lookback], window, 1)
        if move is None or usual is None or usual < _STILL:
            return None
        return log1p(move) / (usual * sqrt(lookback))

    def direction(look: Look) -> int:
        bars = look.bars
        if len(bars) < needed:
            return 0
        values = indicators.closes(bars[-needed:])
        (before,) = kept.one_bar_ago(bars) or (beyond(values[:-1]),)
        now = beyond(values)
        kept.keep(bars, (now,))
        return _turned(before, now, threshold)

    return Signal(
        warm_up=needed,
        direction=direction,
        turns=lambda rows: vectors.moving(rows, lookback, window, threshold),
    )


def opening_range(parameters: Parameters) -> Signal:
    """The close leaves the range of the session's first ``minutes``: above its high +1, below its low -1."""
    first, last = _hours(parameters)
    minutes = whole(parameters, "minutes", 1, 720)
    only(parameters, "minutes", "open", "until")
    if first + minutes >= last:
        raise BadConfig(f"opening_range: the first {minutes} minutes do not end before until")

    def direction(look: Look) -> int:
        session = look.since(first) or ()
        formed = look.time_of(first + minutes)
        if len(session) < 2 or not formed <= session[-1].at < look.time_of(last):
            return 0
        edges = _edges(session[: bisect_left(session, formed, key=_OPENED)], formed, minutes)
        if edges is None:
            return 0
        low, high = edges
        before, now = session[-2].close, session[-1].close
        return (before <= high < now) - (before >= low > now)

    return Signal(warm_up=last - first, direction=direction)


def vwap(parameters: Parameters) -> Signal:
    """The close goes further than the fraction ``distance`` from the session's volume-weighted average price.

    ``mode`` trend: above +1, below -1; it goes on. ``mode`` reversion: below +1, above -1; it comes back.
    """
    first, last = _hours(parameters)
    distance = number(parameters, "distance", 0.0001, 0.5)
    mode = one_of(parameters, "mode", "trend", "reversion")
    only(parameters, "distance", "mode", "open", "until")
    sign = 1 if mode == "trend" else -1

    def direction(look: Look) -> int:
        if not look.bars or look.bars[-1].at >= look.time_of(last):
            return 0
        before, now = _away(look, first)
        return sign * _turned(before, now, distance)

    return Signal(warm_up=last - first, direction=direction)


def _away(look: Look, first: int) -> tuple[float | None, float | None]:
    """How far the close before the last one, and the last, are from the session's average then, as fractions; ``None``: not known.

    Many bots look at the same bars, and this is long work late in the day, so it is done once for them. The key cannot lie: a
    tuple of bars never changes, and while it is kept here its identity belongs to no other.
    """
    key = (id(look.bars), look.time_of(first))
    known = _AWAY.get(key)
    if known is not None:
        return known[1]
    session = look.since(first) or ()
    away = _distance(session[:-1]), _distance(session)
    if type(look.bars) is tuple:
        if len(_AWAY) >= _AWAY_MOST:
            _AWAY.clear()
        _AWAY[key] = (look.bars, away)
    return away


_AWAY: dict[tuple[int, datetime], tuple[Sequence[Bar], tuple[float | None, float | None]]] = {}
_AWAY_MOST = 128


def _distance(session: Sequence[Bar]) -> float | None:
    average = indicators.vwap(session)
    return None if average is None else float(session[-1].close) / average - 1


def _turned(before: float | None, now: float | None, least: float = 0.0) -> int:
    """+1 on going above ``least``, -1 on going below ``-least``, else 0; 0 where either is not known."""
    if before is None or now is None:
        return 0
    return (before <= least < now) - (before >= -least > now)


def _edges(bars: Sequence[Bar], formed: datetime, minutes: int) -> tuple[Decimal, Decimal] | None:
    """Low and high of the bars that had closed when the range was formed; ``None`` where they cover too little of it."""
    whole_bars = [bar for bar in bars if bar.closes_at <= formed]
    if sum([bar.seconds for bar in whole_bars]) < minutes * 60 * _COVERED:
        return None
    return min([bar.low for bar in whole_bars]), max([bar.high for bar in whole_bars])


# -- parameters, refused by name


def whole(parameters: Parameters, name: str, least: int, most: int) -> int:
    """The whole number of this name. Raises ``BadConfig`` when it is missing, of another type, or out of range."""
    value = parameters.get(name)
    if type(value) is not int or not least <= value <= most:
        raise BadConfig(f"parameter {name} must be a whole number from {least} to {most}, got {value!r}")
    return value


def number(parameters: Parameters, name: str, least: float, most: float) -> float:
    """The number of this name. Raises ``BadConfig`` when it is missing, of another type, not finite, or out of range."""
    value = parameters.get(name)
    if type(value) not in (int, float) or not isfinite(value) or not least <= value <= most:  # type: ignore[arg-type, operator]  # a number by now
        raise BadConfig(f"parameter {name} must be a number from {least} to {most}, got {value!r}")
    return float(value)  # type: ignore[arg-type]  # a number by now


def one_of(parameters: Parameters, name: str, *words: str) -> str:
    """The word of this name. Raises ``BadConfig`` when it is missing or none of ``words``."""
    value = parameters.get(name)
    if type(value) is not str or value not in words:
        raise BadConfig(f"parameter {name} must be one of {', '.join(words)}, got {value!r}")
    return value


def time_of_day(parameters: Parameters, name: str, usual: str) -> int:
    """The local minute of the day of an ``hh:mm`` of this name, or of ``usual``. Raises ``BadConfig`` for anything else."""
    value = parameters.get(name, usual)
    if type(value) is not str or not _TIME_OF_DAY.fullmatch(value):
        raise BadConfig(f"parameter {name} must be a time of day, hh:mm, got {value!r}")
    return minute_of(value)


def only(parameters: Parameters, *names: str) -> None:
    """Raise ``BadConfig`` for a parameter that is none of these."""
    unknown = sorted(set(parameters) - set(names))
    if unknown:
        raise BadConfig(f"unknown parameter {', '.join(unknown)}; accepted: {', '.join(names)}")


def _hours(parameters: Parameters) -> tuple[int, int]:
    first, last = time_of_day(parameters, "open", "09:30"), time_of_day(parameters, "until", "16:00")
    if first >= last:
        raise BadConfig(
            f"open must be before until, got {first // 60:02}:{first % 60:02}, {last // 60:02}:{last % 60:02}"
        )
    return first, last
