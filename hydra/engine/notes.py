"""What of a stretch that is passed over is worth a note: the instants by which its curves can be judged afterwards, and its averages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from hydra import indicators
from hydra.model.portfolio import Holding
from hydra.risk.quiet import Line

if TYPE_CHECKING:
    from hydra.model.rows import Floats


class Share(NamedTuple):
    """What a bot has of a stretch: its open profit at each instant, up to a constant, and its average part in the market."""

    profit: Floats
    gross: float


def shares(holdings: Iterable[Holding], lines: Mapping[str, Line], equity: Floats) -> dict[str, Share]:
    """By bot; ``lines`` has each holding's symbol at each instant of the stretch, or at more."""
    found: dict[str, tuple[Floats, Floats]] = {}
    for holding in holdings:
        line, units = lines[holding.symbol], float(holding.quantity)
        worth = (line.worth if units == line.units else units * line.close)[: len(equity)]
        before, gross = found.get(holding.bot), worth if units > 0 else -worth
        found[holding.bot] = (worth, gross) if before is None else (before[0] + worth, before[1] + gross)
    return {bot: Share(profit, mean(gross / equity)) for bot, (profit, gross) in found.items()}


def mean(values: Floats) -> float:
    """The average of a column."""
    _, np = indicators.load()
    return float(np.add.reduce(values)) / len(values)


def of_note(curve: Floats, peak: float | None = None) -> set[int]:
    """The instants of a stretch that its curve can be judged by, in cents: the last, the lowest, where it is as high as ever (``peak``: so far)
    for the first and for the last time, and of the deepest fall, in dollars and as a fraction, the bottom, the top before and the way back.

    The first instant stands for a top that is not reached.
    """
    last = len(curve) - 1
    if last == 0:
        return {0}
    _, np = indicators.load()
    cents = np.rint(curve * 100)
    lowest, top = int(cents.argmin()), None if peak is None else round(peak * 100)
    if top is not None and cents[cents.argmax()] < top:
        return {0, lowest, last}  # all of it is one fall from that peak, with no way back

    highest = np.maximum.accumulate(cents if top is None else np.maximum(cents, top))
    found = {lowest, last}
    at_top = (cents >= highest[-1]).nonzero()[0]
    found.update(at_top[[0, -1]].tolist() if len(at_top) else ())
    if top is not None:
        found.add(int((cents >= top).argmax()))
    falls = highest - cents
    for fall in (falls, falls / np.maximum(highest, 1)):
        bottom = int(fall.argmax())
        before = (cents[:bottom] >= highest[bottom]).nonzero()[0]
        found.update((bottom, bottom + int((cents[bottom:] >= highest[bottom]).argmax()), *before[-1:].tolist()))
    return found


def rises(curve: Floats) -> set[int]:
    """Where a curve is higher than ever before in the stretch: at one of them it is first as high as it was ahead of it."""
    if len(curve) == 1:
        return {0}
    _, np = indicators.load()
    highest = np.maximum.accumulate(curve)
    return {0, *((highest[1:] > highest[:-1]).nonzero()[0] + 1).tolist()}
