"""How much of the best is luck: against the formulas by hand, a plain recount, and noise that has no skill in it."""

from __future__ import annotations

from itertools import combinations
from math import sqrt
from statistics import mean, median, pstdev, stdev

import numpy as np
import pytest

from hydra.study.deflated import deflated_sharpe, luckiest
from hydra.study.sweep_luck import chain_of, luck_of, overfitting_of
from hydra.study.sweep_rows import Objective, Part, Row, best_of, ranked

DAYS = [f"2024-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)]


def row(number: int, returns: list[float], **more: object) -> Row:
    figures = {"sharpe": mean(returns) / stdev(returns) * sqrt(252)} if len(set(returns)) > 1 else {"sharpe": None}
    return Row(
        combination=number,
        year=252,
        dates=tuple(DAYS[: len(returns)]),
        returns=tuple(returns),
        figures=figures,
        **more,  # type: ignore[arg-type]  # what a test wants to say of it
    )


def noise(seed: int, runs: int, days: int, drift: float = 0.0) -> list[list[float]]:
    chance = np.random.default_rng(seed)
    return [list(map(float, chance.normal(drift, 0.01, days))) for _ in range(runs)]


SHARPE = Objective(figure="sharpe")


def test_the_probability_is_the_deflated_sharpe_ratio_of_the_best_among_all_that_were_played() -> None:
    rows = [row(number, returns) for number, returns in enumerate(noise(1, 20, 60))]
    refused = Row(combination=20, refused="fast must be below slow")
    best = best_of([*rows, refused], SHARPE)
    assert best is not None
    luck = luck_of(best, [*rows, refused])
    a_day = [mean(one.returns) / stdev(one.returns) for one in rows]
    top, spread = np.array(best.returns), stdev(a_day)
    apart = top - top.mean()
    skew = (apart**3).mean() / (apart**2).mean() ** 1.5
    tails = (apart**4).mean() / (apart**2).mean() ** 2
    expected = deflated_sharpe(max(a_day), 60, tries=20, spread=spread, skewness=float(skew), kurtosis=float(tails))
    assert luck.tries == 20
    assert luck.probability == pytest.approx(expected)
    assert luck.ratio == pytest.approx(max(a_day) * sqrt(252))
    assert luck.expected == pytest.approx(luckiest(20, spread) * sqrt(252))


def test_the_best_of_noise_is_not_taken_for_skill_and_skill_is() -> None:
    nothing = [row(number, returns) for number, returns in enumerate(noise(2, 50, 250))]
    skilled = [*nothing, row(50, noise(3, 1, 250, drift=0.004)[0])]
    found = luck_of(best_of(nothing, SHARPE), nothing).probability
    assert found is not None
    assert found < 0.8
    better = luck_of(best_of(skilled, SHARPE), skilled).probability
    assert better is not None
    assert better > 0.95


def test_what_cannot_be_said_is_not_said() -> None:
    short = [row(number, returns) for number, returns in enumerate(noise(4, 5, 19))]
    assert luck_of(short[0], short)[2:] == (
        None,
        None,
        "not enough data: the best run has 19 days of returns, 20 are needed",
    )
    alone = [row(0, noise(5, 1, 30)[0])]
    assert "one run alone" in luck_of(alone[0], alone).reason
    still = [row(0, [0.0] * 30), row(1, [0.0] * 30)]
    assert "returns that never change" in luck_of(still[0], still).reason
    assert best_of(still, SHARPE) is None
    assert luck_of(None, still).probability is None
    assert overfitting_of(short).reason == "not enough data: 19 days, 30 are needed"
    assert overfitting_of(alone).reason == "not enough data: it takes two runs"
    assert overfitting_of([]).probability is None


def recounted(rows: list[Row], blocks: int) -> float:
    """The same from the paper's words, row by row."""
    days = len(rows[0].returns)
    cuts = [list(part) for part in np.array_split(np.arange(days), blocks)]
    below = 0
    halves = list(combinations(range(blocks), blocks // 2))
    for half in halves:
        inside = [day for block in half for day in cuts[block]]
        outside = [day for day in range(days) if day not in inside]
        ratio = [mean(one.returns[day] for day in inside) / pstdev(one.returns[day] for day in inside) for one in rows]
        other = [
            mean(one.returns[day] for day in outside) / pstdev(one.returns[day] for day in outside) for one in rows
        ]
        below += other[ratio.index(max(ratio))] <= median(other)
    return below / len(halves)


def test_overfitting_is_what_counting_one_half_after_the_other_comes_to() -> None:
    rows = [row(number, returns) for number, returns in enumerate(noise(6, 7, 33))]
    found = overfitting_of(rows)
    assert (found.days, found.splits) == (33, 20)
    assert found.probability == pytest.approx(recounted(rows, 6))


def test_one_that_is_always_the_best_is_no_overfitting_and_equals_say_nothing() -> None:
    rows = [row(number, returns) for number, returns in enumerate(noise(7, 9, 80))]
    always = row(9, [0.02 + each / 10 for each in rows[0].returns])
    assert overfitting_of([*rows, always]).probability == 0
    same = [rows[0], row(1, list(rows[0].returns))]
    assert overfitting_of(same).reason == "not enough data: every run earned the same"
    worse = row(2, [each - 0.001 for each in rows[0].returns])
    assert overfitting_of([*same, worse]).probability == 0, "both of the best two are better than the median"


def test_a_run_that_ended_early_has_days_without_return_after_it() -> None:
    rows = [row(number, returns) for number, returns in enumerate(noise(8, 4, 60))]
    ended = row(4, noise(9, 1, 25)[0])
    padded = row(4, [*ended.returns, *[0.0] * 35])
    assert overfitting_of([*rows, ended]) == overfitting_of([*rows, padded])


def test_the_chain_is_the_tests_one_after_the_other() -> None:
    one, other = noise(10, 2, 15)
    tests = [row(0, one, window=1, part=Part.TEST), row(3, other, window=2, part=Part.TEST)]
    chain = chain_of(tests)
    assert chain.days == 30
    assert chain.growth == pytest.approx(np.prod([1 + each for each in (*one, *other)]) - 1)
    assert chain.sharpe == pytest.approx(mean([*one, *other]) / stdev([*one, *other]) * sqrt(252))
    assert chain_of([]).growth is None
    assert chain_of(tests[:1]).sharpe is None, "15 days are not enough"


def test_the_unknown_come_after_the_known_and_the_refused_last_and_ties_stay_in_order() -> None:
    def made(number: int, sharpe: float | None, refused: str = "") -> Row:
        return Row(combination=number, figures={"sharpe": sharpe, "drawdown": sharpe}, refused=refused)

    rows = [made(0, None), made(1, 1.0), made(2, -1.0), made(3, 1.0), made(4, 9.0, "no such signal")]
    assert [one.combination for one in ranked(rows, SHARPE)] == [1, 3, 2, 0, 4]
    assert [one.combination for one in ranked(rows, Objective(figure="drawdown"))] == [2, 1, 3, 0, 4], (
        "the least is the best"
    )
