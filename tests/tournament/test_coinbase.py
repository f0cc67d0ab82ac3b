"""Public candles over a real socket: what counts as a candle, what is a failure, and what a failure does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hydra.adapters.coinbase import CoinbaseCandles, LiveFeed
from hydra.model.errors import BadConfig, Unreachable
from tests.tournament.coinbase_server import CoinbaseServer, serving, usual

NOW = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def one() -> Iterator[CoinbaseServer]:
    with serving() as started:
        yield started


@pytest.fixture
def server(one: CoinbaseServer) -> CoinbaseServer:
    """The one server, as if it had just been started."""
    one.as_new()
    return one


class Wall:
    """A wall clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


def feed_of(server: CoinbaseServer, wall: Wall, *symbols: str, kept: int = 300) -> LiveFeed:
    candles = CoinbaseCandles(server.url, timeout_seconds=2)
    return LiveFeed(candles, symbols or ("BTC-USD",), 60, kept, now=wall, deadline_seconds=5)


def test_the_forming_candle_is_dropped_and_all_others_come_oldest_first(server: CoinbaseServer) -> None:
    feed = feed_of(server, Wall(), "BTC-USD", "ETH-USD")
    feed.begin()
    bars = feed.history("BTC-USD", NOW, 1000)
    assert len(bars) == 300
    assert bars[-1].closes_at == NOW.replace(second=0)
    assert [bar.at for bar in bars] == sorted(bar.at for bar in bars)
    opened = int(bars[-1].at.timestamp())
    assert (bars[-1].low, bars[-1].high, bars[-1].open, bars[-1].close, bars[-1].volume) == tuple(
        Decimal(str(number)) for number in usual("BTC-USD", opened)[1:]
    )
    assert all(agent.startswith("hydra/") for agent in server.agents)


def test_a_candle_that_has_just_closed_may_still_change_and_waits(server: CoinbaseServer) -> None:
    wall = Wall()
    wall.at = NOW.replace(second=1)
    feed = feed_of(server, wall)
    feed.begin()
    assert feed.history("BTC-USD", wall.at, 1)[0].closes_at == NOW.replace(second=0) - MINUTE


def test_no_request_asks_for_more_than_a_page(server: CoinbaseServer) -> None:
    feed = feed_of(server, Wall(), kept=700)
    feed.begin()
    assert len(feed.history("BTC-USD", NOW, 1000)) == 700
    assert len(server.requests) == 3


def test_a_refresh_asks_only_for_what_is_new(server: CoinbaseServer) -> None:
    wall = Wall()
    feed = feed_of(server, wall)
    feed.begin()
    before = feed.history("BTC-USD", NOW, 300)
    wall.at += 3 * MINUTE
    feed.refresh()
    assert feed.failure is None
    assert len(server.requests) == 3  # two pages to begin with, one now
    assert [bar.at for bar in feed.bars(before[-1].closes_at, wall.at)] == [
        before[-1].at + MINUTE * step for step in (1, 2, 3)
    ]


def test_a_minute_without_a_trade_has_no_candle(server: CoinbaseServer) -> None:
    gap = int((NOW.replace(second=0) - 10 * MINUTE).timestamp())
    server.row = lambda symbol, at: None if at == gap else usual(symbol, at)
    feed = feed_of(server, Wall())
    feed.begin()
    assert gap not in {int(bar.at.timestamp()) for bar in feed.history("BTC-USD", NOW, 300)}


def test_what_happened_while_nobody_looked_is_read_back(server: CoinbaseServer) -> None:
    feed = feed_of(server, Wall())
    feed.begin()
    feed.reach_back(NOW - timedelta(hours=10))
    assert feed.history("BTC-USD", NOW, 5000)[0].at <= NOW - timedelta(hours=10)


def test_a_pair_that_is_not_listed_is_refused_by_name(server: CoinbaseServer) -> None:
    with pytest.raises(BadConfig, match=r"--assets: XXX-USD is not listed"):
        feed_of(server, Wall(), "BTC-USD", "XXX-USD").begin()


def why(feed: LiveFeed) -> str:
    return "" if feed.failure is None else str(feed.failure)


def body(rows: Any) -> bytes:
    return json.dumps(rows).encode()


def opened(row: list[Any]) -> list[Any]:
    return [int(NOW.replace(second=0, minute=0).timestamp()), *row]


SPOILT = {
    "status 500": (500, {}, b"oops"),
    "status 429, patience": (429, {"Retry-After": "7"}, b'{"message":"Public rate limit exceeded"}'),
    "a redirect": (302, {"Location": "http://127.0.0.1:1/"}, b""),
    "not JSON": (200, {}, b"<html>maintenance</html>"),
    "an object": (200, {}, b'{"message":"slow down"}'),
    "cut off": (200, {}, b"[[1, 2, 3"),
    "nan": (200, {}, b"[[1772452800, NaN, 2, 1, 1, 1]]"),
    "infinite": (200, {}, b"[[1772452800, 1, 1e999999999999, 1, 1, 1]]"),
    "five numbers": (200, {}, body([opened([1, 2, 1, 1])])),
    "text for a price": (200, {}, body([opened(["1", "2", "1", "1", "1"])])),
    "a negative price": (200, {}, body([opened([-1, 2, 1, 1, 1])])),
    "low above high": (200, {}, body([opened([3, 2, 3, 2, 1])])),
    "off the grid": (200, {}, body([[1772452801, 1, 2, 1, 1, 1]])),
    "two for one minute": (200, {}, body([opened([1, 2, 1, 1, 1]), opened([1, 2, 1, 2, 1])])),
    "a flood": (200, {}, body([opened([1, 2, 1, 1, 1])] * 700)),
    "two megabytes": (200, {}, b"[" + b" " * (2 << 20) + b"]"),
    "deeply nested": (200, {}, b"[" * 100_000),
}


@pytest.mark.parametrize("mishap", SPOILT)
def test_what_is_no_candles_is_a_failure_and_what_was_known_stays(server: CoinbaseServer, mishap: str) -> None:
    wall = Wall()
    feed = feed_of(server, wall)
    feed.begin()
    before = feed.history("BTC-USD", NOW, 300)
    server.answer = lambda _symbol: SPOILT[mishap]
    wall.at += MINUTE
    feed.refresh()
    assert why(feed).startswith("BTC-USD: ")
    assert feed.history("BTC-USD", wall.at, 300) == before
    server.answer = lambda _symbol: None
    feed.refresh()
    assert why(feed) == ""
    assert len(feed.bars(before[-1].closes_at, wall.at)) == 1


def test_a_server_that_is_not_there_is_unreachable_at_the_start() -> None:
    with serving() as server:
        pass
    with pytest.raises(Unreachable, match="BTC-USD"):
        feed_of(server, Wall()).begin()


def test_patience_that_is_asked_for_is_told(server: CoinbaseServer) -> None:
    server.answer = lambda _symbol: SPOILT["status 429, patience"]
    with pytest.raises(Unreachable, match=r"status 429.*'7' s of patience"):
        feed_of(server, Wall()).begin()
