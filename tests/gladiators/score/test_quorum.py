"""What voters by chance agree on: counted over every combination, under both rules."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest

from hydra.gladiators.consensus import consensus
from hydra.gladiators.score.quorum import Quorum, as_silent, by_chance, luck, own_frequencies, random_quorum
from hydra.gladiators.score.table import ABSTAIN, BUY, CHOICES, HOLD, SELL, agreed, table_of
from hydra.model.errors import Invalid
from hydra.model.votes import Choice, Vote, Why
from tests.gladiators.score.world import Seat, prices, row, terms, world


@pytest.mark.parametrize("hold_counts", [True, False])
@pytest.mark.parametrize("needed", [1, 2, 3, 4])
def test_the_random_rate_is_the_share_of_the_81_combinations(hold_counts: bool, needed: int) -> None:
    found = random_quorum([0.0] * 4, hold_counts=hold_counts, needed=needed)
    came = Counter(_by_hand(votes, hold_counts, needed) for votes in product("BSH", repeat=4))
    assert found.buy == pytest.approx(came["B"] / 81)
    assert found.sell == pytest.approx(came["S"] / 81)


def test_the_rates_of_the_two_rules_are_known() -> None:
    assert random_quorum([0.0] * 4, hold_counts=True, needed=2).rate == pytest.approx(42 / 81)
    assert random_quorum([0.0] * 4, hold_counts=False, needed=2).rate == pytest.approx(54 / 81)


@pytest.mark.parametrize("hold_counts", [True, False])
def test_the_rule_is_the_tournaments_own(hold_counts: bool) -> None:
    for votes in product(range(4), repeat=4):
        made = [_vote(seat, CHOICES[code]) for seat, code in zip("ABCD", votes, strict=True)]
        assert agreed(votes, hold_counts, 2) is consensus(made, hold_counts=hold_counts).choice


def test_seats_that_abstain_agree_less() -> None:
    full, half = (random_quorum([silent] * 4, hold_counts=True, needed=2).rate for silent in (0.0, 0.5))
    assert 0 < half < full
    assert random_quorum([1.0] * 4, hold_counts=True, needed=2).rate == 0
    assert random_quorum([], hold_counts=True, needed=2).rate == 0


def test_sides_that_everybody_takes_are_always_agreed_on() -> None:
    sure = {ABSTAIN: 0.0, BUY: 1.0, SELL: 0.0, HOLD: 0.0}
    assert by_chance([sure] * 3, hold_counts=True, needed=2) == Quorum(1.0, 0.0)


def test_too_many_seats_to_go_through_are_refused() -> None:
    with pytest.raises(Invalid, match="20 seats"):
        random_quorum([0.5] * 20, hold_counts=True, needed=2)


def test_independent_seats_agree_as_often_as_their_own_frequencies_say() -> None:
    rows, quoted = world([Seat(name, hold=0.3, abstain=0.1) for name in "ABCD"], 1500, seed=5)
    table = table_of(rows, quoted, terms())
    came = np.isin(table.consensus, (BUY, SELL)).mean()
    own = own_frequencies(table)
    assert own is not None
    assert own.rate == pytest.approx(came, abs=0.03)
    assert as_silent(table).rate != own.rate


def test_the_luck_of_a_quorum_is_what_drawing_it_gives() -> None:
    rows = [row(n, Seat("A"), True) for n in range(400)]
    table = table_of(rows, {"BTC-USD": prices([n % 3 == 0 for n in range(400)])}, terms())
    quorum = Quorum(0.3, 0.2)
    chance = np.random.default_rng(1).random((4000, 400))
    sides = np.where(chance < 0.3, 1.0, np.where(chance < 0.5, -1.0, 0.0))
    drawn = (sides * table.change - 0.002 * np.abs(sides)).sum(axis=1)
    found = luck(table, quorum)
    assert found.mean == pytest.approx(drawn.mean(), abs=0.02)
    assert found.interval == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.03)
    assert found.calls == pytest.approx(200)


def _by_hand(votes: tuple[str, ...], hold_counts: bool, needed: int) -> str:
    counts = Counter(votes)
    for side, other in (("B", "S"), ("S", "B")):
        most = max(counts[other], counts["H"] if hold_counts else 0)
        if counts[side] >= needed and counts[side] > most:
            return side
    return "H"


def _vote(seat: str, choice: Choice) -> Vote:
    if choice is Choice.ABSTAIN:
        return Vote(seat=seat, vote=choice, why=Why.ERROR, detail="none", engine="made-up")
    return Vote(seat=seat, vote=choice, p_up=0.5, engine="made-up")
