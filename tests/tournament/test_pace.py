"""How long an iteration takes beside its voters, and that they are waited for at the same time."""

from __future__ import annotations

from benchmarks.tournament import fast, slow


def test_an_iteration_with_slow_voters_takes_as_long_as_the_slowest_of_them() -> None:
    assert slow(0.3)["slow_iteration_s"] < 0.3 * 2


def test_the_engine_takes_less_than_fifty_milliseconds_beside_the_votes() -> None:
    assert fast(40)["overhead_ms"] < 50
