"""Whether an interval of 95% holds the truth as often as it says, where outcomes are shared and votes persist. Takes half a minute."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from hydra.gladiators.score import players
from hydra.gladiators.score.chance import Bootstrap
from hydra.gladiators.score.measure import Measured, Verdict, measure
from hydra.gladiators.score.prices import Prices
from hydra.gladiators.score.table import table_of
from tests.gladiators.score.world import ASSET, START, Seat, row, terms

WORLDS, ITERATIONS, HORIZON = 200, 500, 5


def nothing_to_know(seed: int) -> Measured:
    """A price without memory, a vote a minute, a horizon of five, and a side that is kept for about ten votes."""
    chance = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(chance.normal(0, 0.002, ITERATIONS + HORIZON + 5)))
    opened = np.concatenate(([100.0], close[:-1]))
    minutes = [START + timedelta(minutes=n) for n in range(len(close))]
    quoted = Prices(zip(minutes, opened.tolist(), close.tolist(), strict=True), 60)
    rows, side = [], True
    for number in range(ITERATIONS):
        side = bool(chance.random() < 0.5) if chance.random() > 0.9 else side
        one = row(number, Seat("A"), side)
        rows.append(
            type(one)(
                **{name: getattr(one, name) for name in one.__struct_fields__} | {"timestamp": minutes[number + 1]}
            )
        )
    table = table_of(rows, {ASSET: quoted}, terms(horizon=HORIZON, hold_band=0.0, cost=0.0, needed=1))
    return measure(players.seats(table)[0], table, Bootstrap(len(table), table.block, seed))


@pytest.mark.drill
@pytest.mark.timeout(300)
def test_intervals_hold_the_truth_about_as_often_as_they_say_and_nobody_is_called_skilled() -> None:
    found = [nothing_to_know(seed) for seed in range(WORLDS)]
    held = np.mean([not one.hits.interval.excludes(0.5) for one in found if one.hits.interval is not None])
    earned = np.mean([one.profit.interval.low <= 0 <= one.profit.interval.high for one in found if one.profit.interval])
    narrow = np.mean([not one.hits.wilson.excludes(0.5) for one in found if one.hits.wilson is not None])
    assert held > 0.89
    assert earned > 0.89
    assert narrow < 0.8
    assert np.mean([one.hits.verdict in (Verdict.BETTER, Verdict.WORSE) for one in found]) < 0.02
