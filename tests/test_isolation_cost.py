"""What bots in processes of their own cost: the benchmark tells all that it should, and on an idle machine its targets hold."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.isolation import (
    CYCLE_SECONDS_MOST,
    KINDS,
    QUANTILES,
    START_SECONDS_MOST,
    Cost,
    Crowd,
    Life,
    Row,
    crowd_of,
    lives,
    plot,
    targets,
    ten_bots,
)
from benchmarks.peer import Peer
from benchmarks.stages import STAGES
from benchmarks.workers import memory_kb, workers_of

TRIES = 3
LIFE = Life(start=3.0, notice=0.01, back=0.02, close=0.1)
CROWD = {
    "inline": 200.0,
    "inline_most": 400.0,
    "process": 500.0,
    "most": 2000.0,
    "ask": 300.0,
    "failed": 0,
    "start_seconds": 5.0,
    "close_seconds": 1.0,
    "worker_kb": 5000.0,
}


def costs(process: float) -> dict[Row, Cost]:
    """A bare round trip of 40 us, and 10 bots that answer in 200 inline."""
    return {
        (kind, at): Cost(quantile=at, bots=10, bare=40, inline=200, process=process, cpu=100)
        for kind in KINDS
        for at in QUANTILES
    }


def crowd(**more: float) -> Crowd:
    return Crowd(**{"bots": 1000, **CROWD, **more})  # type: ignore[arg-type]  # figures, whole and not


def test_ten_bots_are_measured_by_either_host_beside_bare_round_trips(tmp_path: Path) -> None:
    before = set(workers_of(os.getpid()))
    found, stages, rounds = ten_bots(tmp_path, 1, 4)
    assert list(found) == [(kind, at) for kind in KINDS for at in QUANTILES]
    assert all(min(cost.bare, cost.inline, cost.process, cost.cpu) > 0 for cost in found.values())
    assert list(stages) == [name for name, _ in STAGES]
    assert len(rounds) == 1
    assert not set(workers_of(os.getpid())) - before


def test_the_cost_of_keeping_one_apart_is_told_in_bare_round_trips() -> None:
    cost = costs(process=1400)[KINDS[0], QUANTILES[0]]
    assert (cost.apart, cost.ratio) == (120, 3)


@pytest.mark.parametrize(
    ("process", "life", "largest", "held"),
    [
        (1400, LIFE, crowd(), [True, True, True]),
        (1401, LIFE, crowd(), [False, True, True]),
        (1400, Life(start=3.01, notice=0, back=0, close=0), crowd(), [True, False, True]),
        (1400, LIFE, crowd(most=2000.1), [True, True, False]),
        (1400, LIFE, crowd(failed=1), [True, True, False]),
        (1400, LIFE, crowd(bots=300), [True, True]),
    ],
    ids=["all", "dear", "slow to start", "slow", "failed", "few"],
)
def test_a_target_holds_up_to_its_number(process: float, life: Life, largest: Crowd, held: list[bool]) -> None:
    assert list(targets(costs(process), life, [largest]).values()) == held


def test_the_picture_has_both_hosts_and_the_memory() -> None:
    svg = plot(costs(1400), [crowd(bots=100), crowd()])
    assert all(name in svg for name in ("in processes", "inline", "shared pages by share", "3.0 bare round trips"))


def test_a_bare_round_trip_carries_four_kilobytes() -> None:
    peer = Peer()
    peer.once()
    assert 3900 <= peer.bytes <= 4300
    peer.close()


def test_memory_of_a_process_that_is_not_there_is_not_known() -> None:
    assert memory_kb(2**22 + 1) is None


@pytest.mark.drill
@pytest.mark.timeout(900)
def test_a_hundred_bots_are_made_and_a_thousand_answer_in_time(tmp_path: Path) -> None:
    """On an idle machine; of the start the best of some tries counts, as what else is done there can only make it slower."""
    assert min(lives(tmp_path / f"life-{n}", 1).start for n in range(TRIES)) <= START_SECONDS_MOST
    found = crowd_of(1000, 10, tmp_path / "many")
    assert found.failed == 0
    assert found.most <= CYCLE_SECONDS_MOST * 1000
