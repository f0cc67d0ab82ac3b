"""The pictures of the page: how often it happened when a seat said so, and what the calls came to."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from hydra.gladiators.score.measure import STAKE, Kind, Measured
from hydra.gladiators.score.players import ALWAYS_BUY, EQUAL_POOL
from hydra.gladiators.score.score import Score
from hydra.qc.report.html import Html, tag
from hydra.study.report.chart import Canvas, Dot, Tick
from hydra.study.report.thin import thin

_PLACES = 1000
BIN_LEAST = 10
"""Forecasts that a bin needs to be drawn: of fewer, how often it came says little."""
_TICKS = 5
_SEATS_MOST = 8
_DAY_SECONDS = 86_400


def reliability(score: Score) -> Html:
    """What was said against how often it came: on the broken line both are the same. A dot is a bin; point at it to read it."""
    drawn = [one.measured for one in (*score.seats, *score.challengers) if one.measured.forecasts.parts is not None]
    pool = next((one for one in score.baselines if one.name == EQUAL_POOL and one.forecasts.parts is not None), None)
    drawn = [*drawn[:_SEATS_MOST], *([pool] if pool is not None else [])]
    if not drawn:
        return Html("")
    canvas = Canvas(_PLACES + 1, 0.0, 1.0, height=420)
    canvas.line(np.array([0, _PLACES]), np.array([0.0, 1.0]), "even")
    for number, one in enumerate(drawn):
        assert one.forecasts.parts is not None
        style = "strong" if one is pool else f"c{number}"
        bins = [each for each in one.forecasts.parts.bins if each.forecasts >= BIN_LEAST]
        places = np.array([round(each.said * _PLACES) for each in bins], dtype=np.int64)
        canvas.line(places, np.array([each.came for each in bins]), f"line {style}", _label(one))
        canvas.dots(
            [
                Dot(
                    round(each.said * _PLACES),
                    each.came,
                    style,
                    f"{_label(one)}: said {each.said:.1%}, came {each.came:.1%}, {each.forecasts:,} times",
                )
                for each in bins
            ]
        )
    across = [Tick(round(share * _PLACES / 4), f"{share * 25}%") for share in range(5)]
    whole = canvas.whole("Reliability: said against came", across, lambda value: f"{value:.0%}")
    names = [(_label(one), "strong" if one is pool else f"c{number}") for number, one in enumerate(drawn)]
    return tag("div", whole, _legend([*names]), class_="square")


def profit(score: Score) -> Html:
    """What the same stake a call had come to after each iteration, after costs: seats, the consensus, and BUY every time."""
    always = [one for one in score.baselines if one.name == ALWAYS_BUY]
    drawn = [*(one.measured for one in score.seats[:_SEATS_MOST]), *always, score.consensus]
    if not len(score.table) or not any(one.profit.calls for one in drawn):
        return Html("")
    curves = [one.profit.curve for one in drawn]
    low, high = min(float(one.min()) for one in curves), max(float(one.max()) for one in curves)
    canvas = Canvas(len(score.table), min(low, 0.0), max(high, 0.0))
    canvas.level(0.0, "start")
    names = []
    for number, (one, curve) in enumerate(zip(drawn, curves, strict=True)):
        style = "strong" if one.player.kind is Kind.CONSENSUS else f"c{number if one.player.kind is Kind.SEAT else 7}"
        places = thin(curve, 400)
        canvas.line(places, curve[places], f"line {style}", _label(one))
        names.append((_label(one), style))
    whole = canvas.whole(
        f"Profit, ${STAKE} a call, after costs",
        _ticks(score),
        lambda value: f"{'-' if value < 0 else ''}${abs(value * STAKE):,.0f}",
    )
    return tag("div", whole, _legend(names))


def matrix(score: Score) -> Html:
    """How often two seats said the same; the darker, the more often."""
    seats = score.table.seats
    same = {(one.one, one.other): one for one in score.agreement.pairs}
    head = tag("tr", tag("th", ""), [tag("th", seat) for seat in seats])
    body = []
    for row in seats:
        cells = []
        for column in seats:
            pair = same.get((row, column)) or same.get((column, row))
            if pair is None:
                cells.append(tag("td", "·", class_="self"))
            elif pair.same is None:
                cells.append(tag("td", f"{pair.votes:,} votes", class_="self", title="not enough data"))
            else:
                told = f"{pair.same:.0%}"
                correlation = "not known" if pair.correlation is None else f"{pair.correlation:.2f}"
                words = f"{pair.votes:,} votes, correlation of their probabilities {correlation}"
                cells.append(tag("td", told, class_="shade", style=f"--a:{pair.same:.2f}", title=words))
        body.append(tag("tr", tag("td", row), cells))
    return tag("div", tag("table", tag("thead", head), tag("tbody", body), class_="matrix"), class_="wide")


def _label(one: Measured) -> str:
    return {Kind.SEAT: f"seat {one.name}", Kind.CHALLENGER: f"shadow {one.name}"}.get(one.player.kind, one.name)


def _legend(names: list[tuple[str, str]]) -> Html:
    return tag("p", [tag("span", tag("i", class_=f"key {style}"), name) for name, style in names], class_="legend")


def _ticks(score: Score) -> list[Tick]:
    at = score.table.at
    short = int(at[-1]) - int(at[0]) <= 2 * _DAY_SECONDS
    places = sorted({int(place) for place in np.linspace(0, len(at) - 1, _TICKS + 1)[:-1]})
    return [
        Tick(place, f"{datetime.fromtimestamp(int(at[place]), UTC):{'%m-%d %H:%M' if short else '%Y-%m-%d'}}")
        for place in places
    ]
