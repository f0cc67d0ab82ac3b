"""The faults a plan has for streams, over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from hydra.adapters.exchange.fault_table import FaultKind
from hydra.adapters.exchange.faults import FaultPlan, Rule
from tests.adapters.exchange.server.data.asking import MINUTE, OPEN, minutes
from tests.adapters.exchange.server.data.running import KEY, SECRET, Running, running
from tests.adapters.exchange.server.scenes import Calendar
from tests.adapters.exchange.server.streams.test_streams import Talk, known, talk
from tests.fakes.feed import ScriptedFeed, quote


@contextmanager
def faulty(**rule: Any) -> Iterator[Running]:
    """A server with one fault."""
    bars = minutes("SPY", OPEN, *range(100, 110))
    quotes = [quote(each.symbol, each.closes_at, each.close, each.close + 1) for each in bars]
    plan = FaultPlan([Rule(**rule)])
    with running(ScriptedFeed(bars, quotes), Calendar(), start=OPEN + MINUTE, faults=plan) as server:
        yield server


def _quotes(client: Talk, server: Running, count: int) -> list[Any]:
    client.ask({"action": "subscribe", "quotes": ["SPY"]})
    heard: list[Any] = []
    server.move(steps=count)
    while len(heard) < count:
        heard += client.hear()
    return heard


def test_a_mute_stream_stays_connected_and_says_nothing():
    with faulty(fault=FaultKind.MUTE_STREAM, on=("stream.data",)) as server, known(server, "/v2/iex") as client:
        client.ask({"action": "subscribe", "quotes": ["SPY"]})
        server.move(steps=3)
        assert client.hears_nothing()
        assert client.ask({"action": "subscribe"})[0]["quotes"] == ["SPY"]


def test_a_dropped_socket_ends_without_a_close_frame_and_can_be_opened_again():
    rule = {"fault": FaultKind.DROP_BEFORE, "on": ("stream.data",), "nth": 2}
    with faulty(**rule) as server:
        with known(server, "/v2/iex") as client:
            assert _quotes(client, server, 1)[0]["bp"] == 101
            server.move(steps=1)
            assert client.ends()
            assert client.socket.close_code == 1006
        with known(server, "/v2/iex") as client:
            assert _quotes(client, server, 1)[0]["bp"] == 103


@pytest.mark.parametrize("packed", [False, True])
def test_a_stale_quote_has_an_old_time(packed):
    rule = {"fault": FaultKind.STALE_QUOTE, "on": ("stream.data",), "seconds": Decimal(3600)}
    with faulty(**rule) as server, known(server, "/v2/iex", packed=packed) as client:
        at = _quotes(client, server, 1)[0]["t"]
        told = at if isinstance(at, datetime) else datetime.fromisoformat(at)
        assert told == OPEN + 2 * MINUTE - 60 * MINUTE


@pytest.mark.parametrize(("fault", "count"), [(FaultKind.LOST_FILL, 0), (FaultKind.DOUBLED_FILL, 2)])
def test_an_execution_is_told_of_never_or_twice(fault, count):
    with faulty(fault=fault, on=("stream.trades",)) as server, talk(server, "/stream", keys=(KEY, SECRET)) as client:
        client.ask({"action": "listen", "data": {"streams": ["trade_updates"]}})
        order = {"symbol": "SPY", "qty": "2", "side": "buy", "type": "market", "time_in_force": "day"}
        server.http.post("/v2/orders", json=order)
        told = [client.hear()["data"]["event"] for _ in range(1 + count)]
        assert told == ["new", *["fill"] * count]
        assert client.hears_nothing()
