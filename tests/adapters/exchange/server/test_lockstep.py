"""The venue's clock in a client's hands, and a whole server whose clock runs by itself."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import httpx
import pytest

from tests.adapters.exchange.server.data.asking import MINUTE, OPEN, minutes
from tests.adapters.exchange.server.data.running import Running, running
from tests.adapters.exchange.server.scenes import Calendar
from tests.fakes.feed import ScriptedFeed


@pytest.fixture
def server() -> Iterator[Running]:
    with running(ScriptedFeed(minutes("SPY", OPEN, *range(100, 130))), Calendar(), start=OPEN) as found:
        yield found


@pytest.fixture(scope="module")
def still() -> Iterator[Running]:
    with running(ScriptedFeed(minutes("SPY", OPEN, *range(100, 103))), Calendar(), start=OPEN + MINUTE) as found:
        yield found


def test_the_clock_stands_still_until_it_is_told_to_move(server):
    first = server.get("/sim/clock")
    assert (first["now"] < "2024-03-04T14:31", first["next"], first["moved"]) == (True, "2024-03-04T14:31:00Z", 0)
    time.sleep(0.4)
    assert server.get("/sim/clock") == first


def test_steps_times_and_seconds_move_it(server):
    assert server.move(steps=2) == {"now": "2024-03-04T14:32:00Z", "next": "2024-03-04T14:33:00Z", "moved": 2}
    assert server.move(to=OPEN + 3.5 * MINUTE)["moved"] == 1
    assert server.get("/sim/clock")["now"] == "2024-03-04T14:33:30Z"
    assert server.move(seconds=45)["now"] == "2024-03-04T14:34:15Z"
    assert server.move(to=OPEN + 4.25 * MINUTE)["moved"] == 0


def test_at_the_end_of_the_feed_steps_stop_and_times_go_on(server):
    assert server.move(steps=100_000) == {"now": "2024-03-04T15:00:00Z", "next": None, "moved": 30}
    assert server.move(steps=1)["moved"] == 0
    assert server.move(seconds=60)["now"] == "2024-03-04T15:01:00Z"


def test_orders_meet_the_prices_of_the_instants_that_are_played(server):
    server.move(steps=1)
    order = {"symbol": "SPY", "qty": "1", "side": "sell", "type": "limit", "limit_price": "110", "time_in_force": "day"}
    bought = {"symbol": "SPY", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}
    server.http.post("/v2/orders", json=bought)
    server.move(steps=1)
    made = server.http.post("/v2/orders", json=order).json()
    assert server.http.get(f"/v2/orders/{made['id']}").json()["status"] == "new"
    server.move(to=OPEN + 20 * MINUTE)
    assert server.http.get(f"/v2/orders/{made['id']}").json()["status"] == "filled"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"steps": 0}',
        '{"steps": -1}',
        '{"steps": 100001}',
        '{"steps": 1.5}',
        '{"steps": "1"}',
        '{"steps": true}',
        '{"steps": NaN}',
        '{"steps": 1, "seconds": 1}',
        '{"seconds": 0}',
        '{"seconds": -1}',
        '{"seconds": 1e300}',
        '{"to": "2024-03-04T14:30:59Z"}',
        '{"to": "soon"}',
        '{"to": ""}',
        '{"to": 7}',
        '{"stop": 1}',
        '{"steps": 1, "frog": 1}',
        " " * 5000,
    ],
)
def test_a_move_that_cannot_be_is_422_and_moves_nothing(still, body):
    answer = still.http.post("/sim/clock", content=body)
    assert answer.status_code == 422, answer.text
    assert answer.json()["message"]
    assert still.get("/sim/clock")["now"] == "2024-03-04T14:31:00Z"


def test_the_clock_is_moved_with_the_keys_only(still):
    answer = still.http.post("/sim/clock", headers={"APCA-API-SECRET-KEY": "x"}, json={"steps": 1})
    assert answer.status_code == 401
    assert still.get("/sim/clock")["now"] == "2024-03-04T14:31:00Z"
    assert still.http.request("DELETE", "/sim/clock").status_code == 405


def test_without_a_key_the_simulator_says_that_it_is_one_and_nothing_else_does(still):
    with httpx.Client(base_url=still.url, trust_env=False) as stranger:
        told = stranger.get("/sim/clock").json()
        assert told == {
            "venue": "hydra sim",
            "lockstep": True,
            "speed": None,
            "now": "2024-03-04T14:31:00Z",
            "next": "2024-03-04T14:32:00Z",
            "moved": 0,
        }
        assert stranger.post("/sim/clock", json={"steps": 1}).status_code == 401
        for path in ("/v2/clock", "/sim/clock/", "/sim/faults", "/v2/account"):
            assert stranger.get(path).status_code == 401


def test_a_time_without_a_zone_is_utc_and_an_offset_is_read(server):
    assert server.http.post("/sim/clock", json={"to": "2024-03-04T14:31:00"}).json()["moved"] == 1
    assert server.http.post("/sim/clock", json={"to": "2024-03-04T09:32:00-05:00"}).json()["moved"] == 1


def test_out_of_lockstep_the_clock_runs_by_itself_and_can_only_be_read():
    feed = ScriptedFeed(minutes("SPY", OPEN, *range(100, 130)))
    with running(feed, Calendar(), start=OPEN, lockstep=False, speed=600.0) as server:
        told = server.get("/sim/clock")
        assert (told["venue"], told["lockstep"], told["speed"]) == ("hydra sim", False, 600.0)
        assert server.http.post("/sim/clock", json={"steps": 1}).status_code == 405
        begun, now = time.monotonic(), OPEN
        while time.monotonic() - begun < 5:
            now = datetime.fromisoformat(server.http.get("/v2/clock").json()["timestamp"])
            if now > OPEN + timedelta(minutes=3):
                break
            time.sleep(0.02)
        took = time.monotonic() - begun
        assert OPEN + timedelta(minutes=3) < now < OPEN + timedelta(minutes=6)
        assert took < 2
        assert server.get("/v2/stocks/SPY/trades/latest")["trade"]["p"] >= 102
