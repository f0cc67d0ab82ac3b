"""How long cycles took, drawn: a histogram where there is one, the percentiles, and the loop interval they are held against."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import log10

from hydra.qc.report.html import Html, tag

_WIDTH, _LEFT, _RIGHT, _TOP, _BASE, _HEIGHT = 760, 16, 16, 76, 190, 224
_ROWS = 4
_ROW_HEIGHT = 16
_LEAST_MICROS = 1.0

Place = Callable[[float], float]
"""Where a time in microseconds stands on the axis."""


def timing_plot(
    micros: Mapping[str, float], interval_micros: float | None, histogram: Sequence[Sequence[float]] = ()
) -> Html:
    """Percentiles by name (microseconds), on a logarithmic axis; ``histogram`` has rows of (upper bound, count)."""
    marks = {name: max(float(value), _LEAST_MICROS) for name, value in micros.items()}
    bounds = [max(float(row[0]), _LEAST_MICROS) for row in histogram if row[1]]
    known = [*marks.values(), *bounds, *([interval_micros] if interval_micros else [])]
    if not known:
        return Html("")
    low, high = log10(min(known)) - 0.15, log10(max(known)) + 0.15

    def x(value: float) -> float:
        return round(_LEFT + (log10(max(value, _LEAST_MICROS)) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT), 1)

    drawn = [*_bars(histogram, x), *_axis(low, high, x), *_marks(marks, interval_micros, x)]
    if interval_micros:
        at = x(interval_micros)
        drawn.append(tag("line", x1=at, x2=at, y1=8, y2=_BASE, class_="limit"))
        drawn.append(
            tag("text", f"interval {shown(interval_micros)}", x=at - 4, y=18, text_anchor="end", class_="over")
        )
    told = ", ".join(f"{name} {shown(value)}" for name, value in marks.items())
    return tag("svg", tag("title", f"Cycle times: {told}"), drawn, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img")


def shown(micros: float) -> str:
    """A time with the unit that suits it."""
    if micros < 1000:
        return f"{micros:,.0f} µs"
    return f"{micros / 1000:,.1f} ms" if micros < 1_000_000 else f"{micros / 1_000_000:,.2f} s"


def _bars(histogram: Sequence[Sequence[float]], x: Place) -> list[Html]:
    rows = [(max(float(row[0]), _LEAST_MICROS), float(row[1])) for row in histogram if row[1]]
    most = max((count for _, count in rows), default=0)
    bars = []
    for place, (upper, count) in enumerate(rows):
        before = rows[place - 1][0] if place else upper / 1.25
        left, right = x(max(before, upper / 1.6)), x(upper)
        # The square root keeps one slow cycle among thousands visible.
        height = max(2.0, (_BASE - _TOP) * (count / most) ** 0.5)
        bars.append(
            tag(
                "rect",
                x=left,
                y=round(_BASE - height, 1),
                width=max(1.0, round(right - left - 1, 1)),
                height=round(height, 1),
                class_="bar",
            )
        )
    return bars


def _axis(low: float, high: float, x: Place) -> list[Html]:
    drawn = [tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=_BASE, y2=_BASE, class_="axis")]
    for power in range(int(low) - 1, int(high) + 2):
        if low <= power <= high:
            at = x(10.0**power)
            drawn.append(tag("line", x1=at, x2=at, y1=_BASE, y2=_BASE + 5, class_="axis"))
            drawn.append(tag("text", shown(10.0**power), x=at, y=_BASE + 20, text_anchor="middle"))
    return drawn


def _marks(marks: Mapping[str, float], interval_micros: float | None, x: Place) -> list[Html]:
    drawn = []
    for row, (name, value) in enumerate(marks.items()):
        at, y = x(value), 20 + row % _ROWS * _ROW_HEIGHT
        over = interval_micros is not None and value > interval_micros
        left = at < _WIDTH * 0.6
        drawn.append(tag("line", x1=at, x2=at, y1=y - 4, y2=_BASE, class_="mark"))
        drawn.append(
            tag(
                "text",
                f"{name} {shown(value)}",
                x=at + (4 if left else -4),
                y=y + 5,
                text_anchor="start" if left else "end",
                class_="over" if over else "ink",
            )
        )
    return drawn
