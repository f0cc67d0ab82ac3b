"""The plan: every kind of trouble meets every regime, by counting and not by luck."""

from __future__ import annotations

import random

import pytest

from hydra.adapters.exchange.fault_table import FaultKind
from hydra.qc.rehearsal.beats import PORTS, Ends
from hydra.qc.rehearsal.plan import FAIR_EACH, KINDS, LEGS, PAIRS, ROUND, beats_of, legs, planned
from hydra.qc.rehearsal.regimes import REGIMES, USUAL_SECONDS
from hydra.qc.trials.rehearsal import STORMS
from tests.qc.rehearsal.stages import case_of, paper

VOYAGES = ROUND * FAIR_EACH // (FAIR_EACH - 1) + 1


@pytest.mark.parametrize("seed", [0, 7, 123_456])
def test_one_round_holds_every_pair_of_regime_and_trouble(seed: int) -> None:
    assert list(planned(seed, range(1, VOYAGES + 1))) == list(PAIRS)


def test_the_default_number_of_voyages_holds_every_pair_twice() -> None:
    assert STORMS >= 2 * VOYAGES - 1


def test_the_next_round_deals_anew() -> None:
    first = [leg.kinds for number in range(1, 10) for leg in legs(3, number)]
    later = [leg.kinds for number in range(VOYAGES + 1, VOYAGES + 10) for leg in legs(3, number)]
    assert first != later


def test_every_kind_of_fault_port_word_and_end_is_a_trouble() -> None:
    faults = {kind.value for kind in FaultKind} - {"slow", "mute_stream"}
    assert faults <= set(KINDS)
    assert {f"port {port}" for port in PORTS} <= set(KINDS)
    assert {f"end {ends.value}" for ends in Ends if ends.value} <= set(KINDS)
    assert len(PAIRS) == len(KINDS) * len(REGIMES)


def test_every_sixth_voyage_is_without_troubles() -> None:
    case = case_of(paper(), FAIR_EACH)
    assert not any(beat.faults or beat.troubles or beat.ends.value for beat in case.beats)
    assert len(legs(1, FAIR_EACH)) == LEGS


def test_a_voyage_is_played_at_the_policys_own_pace_and_each_regime_is_followed_by_a_recovery() -> None:
    case = case_of(paper(), 3)
    assert sum(beat.seconds == USUAL_SECONDS for beat in case.beats) / len(case.beats) > 0.7
    regimes = [beat.regime for beat in case.beats]
    assert regimes[-1] == "recovery"
    assert set(regimes) == {leg.regime for leg in legs(5, 3)} | {"recovery"}


def test_a_plan_follows_from_seed_and_number_alone() -> None:
    world = case_of(paper(), 2).world
    random.seed(9)
    assert beats_of(world, 5, 2) == beats_of(world, 5, 2)
    assert beats_of(world, 5, 2) != beats_of(world, 6, 2)
    assert beats_of(world, 5, 2) != beats_of(world, 5, 3)
