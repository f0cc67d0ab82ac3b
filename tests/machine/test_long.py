"""The machine for a while: other worlds than those of the slice, on every core."""

from __future__ import annotations

import pytest

from tests.machine.__main__ import run

CYCLES, SEED = 10_000, 11


@pytest.mark.drill
@pytest.mark.timeout(900)
def test_ten_thousand_random_cycles_break_no_claim() -> None:
    total, broken = run(seed=SEED, cycles=CYCLES, cores=2)
    assert broken == []
    assert total.counts["cycles"] >= CYCLES
