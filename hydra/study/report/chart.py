"""Charts in SVG that stretches to the page, with labels beside it in text that does not: readable at 375 pixels and at 1,280.

Across stand places (the n-th look, the n-th bar) and no times, so nights and gaps take no room. Lines keep their width however the
drawing is stretched; a dot is a line of no length with round ends, so it stays round.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import floor, isfinite, log10
from typing import NamedTuple

from hydra.qc.report.html import Html, tag
from hydra.study.curve import Floats, Ints

WIDTH, HEIGHT = 1000.0, 300.0
_TICKS = 4
_STEPS = (1, 2, 2.5, 5, 10)


class Tick(NamedTuple):
    """A label below the chart, at a place."""

    place: int
    label: str


class Dot(NamedTuple):
    """A mark on the chart: at a place and a height, of a class of the style sheet, with words for whoever points at it."""

    place: int
    value: float
    style: str
    words: str


class Canvas:
    """One chart. ``count`` places across, values from ``low`` to ``high``; what is drawn first lies below.

    ``across`` says how far from the first each place is, where they are not all as far apart. ``inset``: the first and the last place lie half a place within, so that what is wide has room there.
    """

    def __init__(
        self,
        count: int,
        low: float,
        high: float,
        *,
        height: float = HEIGHT,
        inset: bool = False,
        across: Floats | None = None,
    ) -> None:
        room = (high - low) * 0.04 or max(abs(high), 1.0) * 0.01
        self.count = max(count, 1)
        self._inset = inset
        self._across = None if across is None or not len(across) or across[-1] <= 0 else across
        self.low, self.high, self.height = low - room, high + room, height
        self._drawn: list[Html] = []

    def x(self, place: float) -> float:
        """From a place to the drawing's own units."""
        if self._inset:
            return round((place + 0.5) / self.count * WIDTH, 1)
        if self._across is not None:
            return round(float(self._across[min(int(place), self.count - 1)] / self._across[-1]) * WIDTH, 1)
        return round(place / max(self.count - 1, 1) * WIDTH, 1)

    def y(self, value: float) -> float:
        """From a value to the drawing's own units."""
        return round((self.high - value) / (self.high - self.low) * self.height, 1)

    def line(self, places: Ints, values: Floats, style: str = "line", words: str = "") -> None:
        """Points that are joined."""
        if not len(places):
            return
        path = "M" + "L".join(f"{self.x(p)} {self.y(v)}" for p, v in zip(places.tolist(), values.tolist(), strict=True))
        self._drawn.append(_path(path, style, words))

    def area(self, places: Ints, lower: Floats, upper: Floats, style: str = "area") -> None:
        """What lies between two lines."""
        if not len(places):
            return
        there = [f"{self.x(p)} {self.y(v)}" for p, v in zip(places.tolist(), upper.tolist(), strict=True)]
        back = [f"{self.x(p)} {self.y(v)}" for p, v in zip(places.tolist(), lower.tolist(), strict=True)]
        self._drawn.append(_path("M" + "L".join(there + back[::-1]) + "Z", style))

    def candles(self, prices: tuple[Floats, Floats, Floats, Floats], words: Sequence[str]) -> None:
        """One at each place: open, high, low and close, and words for whoever points at it. Light ones rose, solid ones fell."""
        wide = 0.6 * WIDTH / self.count / 2
        columns = (column.tolist() for column in prices)
        for place, (opened, high, low, close, told) in enumerate(zip(*columns, words, strict=True)):
            x, top, bottom = self.x(place), self.y(max(opened, close)), self.y(min(opened, close))
            left, right = round(x - wide, 1), round(x + wide, 1)
            wicks = f"M{x} {self.y(high)}V{top}M{x} {bottom}V{self.y(low)}"
            body = f"M{left} {top}H{right}V{bottom}H{left}Z"
            self._drawn.append(_path(wicks + body, "candle up" if close >= opened else "candle", told))

    def level(self, value: float, style: str = "level") -> None:
        """A line across, where it is within the chart."""
        if self.low < value < self.high:
            self._drawn.append(_path(f"M0 {self.y(value)}H{WIDTH:.0f}", style))

    def uprights(self, places: Sequence[int]) -> None:
        """Thin lines from top to bottom, where a day begins."""
        if places:
            path = "".join(f"M{self.x(place)} 0V{self.height:.0f}" for place in places)
            self._drawn.append(_path(path, "upright"))

    def dots(self, dots: Sequence[Dot]) -> None:
        """Marks."""
        for dot in dots:
            at = f"M{self.x(dot.place)} {self.y(dot.value)}h0"
            self._drawn.append(_path(at, f"dot {dot.style}", dot.words))

    def whole(self, title: str, across: Sequence[Tick], shown: Callable[[float], str]) -> Html:
        """The chart with its labels: ``shown`` tells a value."""
        levels = ticks(self.low, self.high)
        grid = [_path(f"M0 {self.y(value)}H{WIDTH:.0f}", "level") for value in levels]
        drawing = tag(
            "svg",
            tag("title", title),
            grid,
            self._drawn,
            viewBox=f"0 0 {WIDTH:.0f} {self.height:.0f}",
            preserveAspectRatio="none",
            role="img",
        )
        beside = [tag("span", shown(value), style=f"top:{self.y(value) / self.height * 100:.1f}%") for value in levels]
        below = [_below(tick, self.x(tick.place) / WIDTH) for tick in across]
        return tag(
            "div",
            tag("div", beside, class_="ys"),
            tag("div", drawing, class_="plot", style=f"height:{self.height * 0.8:.0f}px"),
            tag("div", below, class_="xs"),
            class_="chart",
        )


def ticks(low: float, high: float) -> list[float]:
    """Round values between two, about four of them."""
    if not (isfinite(low) and isfinite(high) and high > low):
        return []
    rough = (high - low) / _TICKS
    scale = 10 ** floor(log10(rough))
    step = next(one * scale for one in _STEPS if one * scale >= rough * 0.999)
    first = floor(low / step) + 1
    found: list[float] = []
    while first * step < high and len(found) <= _TICKS * 3:
        found.append(round(first * step, 12) + 0.0)
        first += 1
    return found


def _path(numbers: str, style: str, words: str = "") -> Html:
    """A path of our own numbers, however long; ``tag`` cuts what is longer than a text may be, and makes paths without a title."""
    title = tag("title", words) if words else ""
    return Html(f'<path d="{numbers}" class="{style}">{title}</path>')


def _below(tick: Tick, share: float) -> Html:
    """A label that stays within the chart's ends."""
    if share > 0.85:
        return tag("span", tick.label, style=f"right:{(1 - share) * 100:.1f}%")
    shift = ";transform:translateX(-50%)" if share > 0.08 else ""
    return tag("span", tick.label, style=f"left:{share * 100:.1f}%{shift}")
