"""A picture of a few lines over one axis, as SVG, with nothing but text: panels side by side, both axes from zero."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10
from typing import TypeAlias

WIDTH, HEIGHT = 460, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 30, 60, 48
_COLOURS = ("#1f6feb", "#b35900", "#2da44e")
_TICKS = 5
_STEPS = (1, 2, 2.5, 5, 10)
Place: TypeAlias = Callable[[float, float], tuple[float, float]]
"""From a point to where it is in the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Points that are joined; ``fitted`` is (rise, start) of a straight line that is drawn dashed through all of the panel."""

    name: str
    points: Sequence[tuple[float, float]]
    fitted: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One pair of axes."""

    title: str
    lines: Sequence[Line]


def drawing(title: str, panels: Sequence[Panel], *, across: str) -> str:
    """The whole picture; ``across`` is what the axis at the bottom counts."""
    width, height = WIDTH * len(panels), HEIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="#24292f">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{width / 2}" y="22" text-anchor="middle" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for place, panel in enumerate(panels):
        parts += [f'<g transform="translate({place * WIDTH},0)">', *_panel(panel, across), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def ticks(most: float) -> list[float]:
    """Round numbers from zero up, the last of them at or above ``most``."""
    if most <= 0:
        return [0.0, 1.0]
    rough = most / _TICKS
    scale = 10 ** floor(log10(rough))
    step = next(step * scale for step in _STEPS if step * scale >= rough)
    found = [0.0]
    while found[-1] < most:
        found.append(round(found[-1] + step, 10))
    return found


def _panel(panel: Panel, across: str) -> Iterator[str]:
    points = [point for line in panel.lines for point in line.points]
    below, beside = ticks(max(x for x, _ in points)), ticks(max(y for _, y in points))

    def at(x: float, y: float) -> tuple[float, float]:
        room = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
        return round(_LEFT + x / below[-1] * room[0], 1), round(HEIGHT - _BOTTOM - y / beside[-1] * room[1], 1)

    yield from _axes(panel, across, below, beside, at)
    for colour, line in zip(_COLOURS, panel.lines, strict=False):
        yield from _line(line, colour, below[-1], beside[-1], at)
    for number, (colour, line) in enumerate(zip(_COLOURS, panel.lines, strict=False)):
        y = _TOP + 14 + 16 * number
        yield f'<circle cx="{_LEFT + 14}" cy="{y - 4}" r="3.5" fill="{colour}"/>'
        yield f'<text x="{_LEFT + 24}" y="{y}">{escape(_named(line))}</text>'


def _axes(panel: Panel, across: str, below: list[float], beside: list[float], at: Place) -> Iterator[str]:
    yield f'<text x="{_LEFT}" y="{_TOP - 14}" font-weight="bold">{escape(panel.title)}</text>'
    for y in beside:
        (left, height), (right, _) = at(0, y), at(below[-1], y)
        yield f'<path d="M{left},{height}H{right}" stroke="#d0d7de" stroke-width="{2 if y == 0 else 1}"/>'
        yield f'<text x="{left - 8}" y="{height + 4}" text-anchor="end">{y:,g}</text>'
    for x in below:
        place, bottom = at(x, 0)
        yield f'<path d="M{place},{bottom}v5" stroke="#57606a"/>'
        yield f'<text x="{place}" y="{bottom + 18}" text-anchor="middle">{x:,g}</text>'
    middle, bottom = at(below[-1] / 2, 0)
    yield f'<text x="{middle}" y="{bottom + 38}" text-anchor="middle">{escape(across)}</text>'


def _line(line: Line, colour: str, widest: float, highest: float, at: Place) -> Iterator[str]:
    if line.fitted is not None:
        rise, start = line.fitted
        end = widest if start + rise * widest <= highest else (highest - start) / rise
        (x0, y0), (x1, y1) = at(0, max(start, 0.0)), at(end, start + rise * end)
        yield f'<path d="M{x0},{y0}L{x1},{y1}" stroke="{colour}" stroke-dasharray="5 4" opacity="0.6"/>'
    places = [at(x, y) for x, y in line.points]
    joined = " ".join(f"{x},{y}" for x, y in places)
    yield f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
    for x, y in places:
        yield f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>'


def _named(line: Line) -> str:
    if line.fitted is None:
        return line.name
    rise, start = line.fitted
    return f"{line.name}, nearest line {start:,.3g} + {rise:,.3g} x"
