"""Iterations over candles that come in as they close, from a server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hydra.model.errors import BadConfig, Unreachable
from hydra.model.events import Voted
from hydra.policy.tournament import TournamentPolicy
from tests.tournament.arenas import Evening, Script, settings
from tests.tournament.coinbase_server import CoinbaseServer, serving

DOWN: tuple[int, dict[str, str], bytes] = (503, {}, b"down")


@pytest.fixture
def server() -> Iterator[CoinbaseServer]:
    with serving() as started:
        yield started


def from_here(server: CoinbaseServer) -> TournamentPolicy:
    told = settings()
    return told.model_copy(update={"market": told.market.model_copy(update={"url": server.url})})


def test_a_failed_fetch_passes_the_iteration_over_and_the_next_one_is_held(
    tmp_path: Path, server: CoinbaseServer
) -> None:
    def watch(voted: Voted, _report: object) -> None:
        server.answer = lambda symbol: DOWN if voted.iteration == 2 and symbol == "ETH-USD" else None

    evening = Evening(
        folder=tmp_path,
        market="coinbase",
        assets=("BTC-USD", "ETH-USD", "SOL-USD"),
        told=from_here(server),
        watch=watch,
    )
    assert evening.hold(5).exit_code == 0
    assert [voted.asset for voted in evening.heard] == ["BTC-USD", "ETH-USD", "SOL-USD", "BTC-USD", "ETH-USD"]
    assert [bool(voted.skipped) for voted in evening.heard] == [False, False, True, False, False]
    assert evening.heard[2].skipped.startswith("SOL-USD: no candles: Unreachable: ETH-USD: ")
    assert "status 503" in evening.heard[2].skipped


def test_failed_fetches_fill_the_failure_window_and_end_the_run(tmp_path: Path, server: CoinbaseServer) -> None:
    def watch(voted: Voted, _report: object) -> None:
        server.answer = lambda _symbol: DOWN if voted.iteration >= 1 else None

    evening = Evening(folder=tmp_path, market="coinbase", told=from_here(server), watch=watch, asker=Script("HHHH"))
    ending = evening.hold(20)
    assert ending.exit_code == 3
    assert "failure_window" in ending.reason
    failed = [voted for voted in evening.heard if "no candles" in voted.skipped]
    assert len(failed) == evening.told.iteration.failed_fetches


def test_a_purchase_at_live_prices_rests_with_its_stop_and_outlives_the_process(
    tmp_path: Path, server: CoinbaseServer
) -> None:
    told = from_here(server)
    first = Evening(folder=tmp_path, market="coinbase", assets=("BTC-USD",), told=told, asker=Script("BBBB"))
    first.hold(2)
    second = Evening(folder=tmp_path, market="coinbase", assets=("BTC-USD",), told=told, asker=Script("HHHH"))
    second.hold(2)
    assert [voted.iteration for voted in (*first.heard, *second.heard)] == [1, 2, 3, 4]
    assert second.arena is not None
    ledger = second.arena.engine.ledger
    assert ledger.holdings or ledger.working(bot="tournament", symbol="BTC-USD")


def test_a_market_that_is_silent_at_the_start_is_unreachable(tmp_path: Path) -> None:
    with serving() as server:
        told = from_here(server)
    with pytest.raises(Unreachable):
        Evening(folder=tmp_path, market="coinbase", told=told).hold(1)


def test_a_pair_that_is_not_listed_is_refused(tmp_path: Path, server: CoinbaseServer) -> None:
    with pytest.raises(BadConfig, match="DOGE-USD is not listed"):
        Evening(folder=tmp_path, market="coinbase", assets=("DOGE-USD",), told=from_here(server)).hold(1)
