"""A stage for the harness in memory: a scripted market of two pairs, and a host of the test's choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hydra.adapters.bots.inline import InlineBotHost
from hydra.bootstrap.hosts import process_host
from hydra.bootstrap.making import make_bots
from hydra.bootstrap.stress import policy_of
from hydra.ports import BotHost
from hydra.qc.hostile.table import HOSTILE, Hostile
from hydra.qc.stress import GOOD_SYMBOL, HOSTILE_SYMBOL, OpenStage, Stage, Stress
from tests.fakes import outside
from tests.fakes.feed import ScriptedFeed, bar, quote

KEY = "planted-" + "0123456789abcdef" * 2
MINUTES = 40


def market() -> ScriptedFeed:
    """Two pairs that go up and down a little."""
    feed = ScriptedFeed(symbols=[GOOD_SYMBOL, HOSTILE_SYMBOL])
    for minute in range(MINUTES):
        at = outside.OPEN + minute * outside.MINUTE
        for symbol, price in ((GOOD_SYMBOL, 60_000 + minute % 7), (HOSTILE_SYMBOL, 3_000 + minute % 5)):
            feed.add(bar(symbol, at, (price, price + 1, price - 1, price)))
            feed.add(quote(symbol, at + outside.MINUTE, price - 1, price + 1))
    return feed


def in_memory(host_of: Callable[[BotHost], BotHost] = lambda host: host, deadline_ms: int = 500) -> OpenStage:
    """Bots inline, behind whatever ``host_of`` puts before them."""

    @contextmanager
    def opened(folder: Path, hostile: Mapping[str, Hostile], targets: Mapping[str, str | int]) -> Iterator[Stage]:
        folder.mkdir()
        policy = policy_of(hostile, targets, deadline_ms=deadline_ms, host="inline")
        bots = make_bots(policy)
        stage = outside.Stage(bots, feed=market(), rules=policy)
        stage.engine.outside = replace(stage.engine.outside, bots=host_of(InlineBotHost(bots, deadline_ms)))
        yield Stage(engine=stage.engine, segment=stage.segment)

    return opened


def in_processes(deadline_ms: int) -> OpenStage:
    """Bots in processes of their own."""

    @contextmanager
    def opened(folder: Path, hostile: Mapping[str, Hostile], targets: Mapping[str, str | int]) -> Iterator[Stage]:
        folder.mkdir()
        policy = policy_of(hostile, targets, deadline_ms=deadline_ms, host="process")
        closed = [Path(str(targets[name])) for name in ("env_file", "config", "state", "logs")]
        host = process_host(policy, policy.enabled_bots, closed, deadline_ms=deadline_ms)
        try:
            host.start()
            stage = outside.Stage({}, feed=market(), rules=policy)
            stage.engine.outside = replace(stage.engine.outside, bots=host)
            yield Stage(engine=stage.engine, segment=stage.segment)
        finally:
            host.close()

    return opened


def stress_of(*bots: str, cycles: int = 8, deadline_ms: int = 500) -> Stress:
    """A stress with these bots."""
    chosen = {bot: HOSTILE[bot] for bot in bots}
    return Stress(cycles=cycles, deadline_ms=deadline_ms, key=KEY, bots=chosen, pause_seconds=1.0)
