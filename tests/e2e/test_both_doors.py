"""The same day and the same seed give the same orders, in-process and through the Alpaca adapter over real sockets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.e2e.both_doors import (
    DAYS,
    FIRST,
    SPY,
    Outcome,
    RealDay,
    difference,
    in_process,
    lay_out,
    over_the_wire,
    simulator,
)
from tests.e2e.conftest import bare
from tests.e2e.place import Place
from tests.shared_data import shared_data

ENTRIES_LEAST = 2


def both(day: RealDay, place: Place, elsewhere: Place, *, whole: bool) -> tuple[Outcome, Outcome]:
    """The day, or its hour, through both doors at the same time. In the gate one of the days asks every question first."""
    for each in (place, elsewhere):
        lay_out(day, each, shared_data(), day.day if whole else day.hour)
    first = FIRST if whole or day is SPY else FIRST[-1:]
    with ThreadPoolExecutor(1) as pool:
        here = pool.submit(in_process, place, day)
        with simulator(elsewhere, day) as url:
            there = over_the_wire(elsewhere, day, url, first)
        return here.result(), there


@pytest.mark.drill
@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.timeout(600))])
@pytest.mark.parametrize("day", [pytest.param(day, id=day.name) for day in DAYS])
def test_both_doors_give_the_same_orders(day: RealDay, whole: bool, tmp_path: Path, program: Path) -> None:
    here, there = both(day, bare(tmp_path / "here", program), bare(tmp_path / "there", program), whole=whole)
    assert difference(here, there) == []
    purposes = [order["purpose"] for order in here.orders]
    assert purposes.count("entry") >= ENTRIES_LEAST
    assert {"exit", "stop"} & set(purposes)
    for fact in ("cycles", "trades"):
        assert here.document[fact] == there.document[fact]
