"""``hydra sim`` as a process: it answers where it says, keeps its books, and ends as it should."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from hydra.adapters.calendar import ExchangeCalendar
from tests.docs.test_cli import keys_in
from tests.e2e.conftest import bare
from tests.e2e.place import Place, Running, Told

KEYS = {"APCA-API-KEY-ID": "PKTEST", "APCA-API-SECRET-KEY": "secret"}
SPY = {"symbol": "SPY", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day", "client_order_id": "one"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A server that answers, its first line, and a client with the usual key."""

    running: Running
    line: str
    url: str
    client: httpx.Client

    def end(self, number: signal.Signals = signal.SIGTERM) -> Told:
        """Send a signal, and what it has said beside its first line. What it says fits a pipe."""
        process = self.running.process
        process.send_signal(number)
        code = process.wait(20)
        assert process.stdout is not None
        assert process.stderr is not None
        told = Told(code=code, out=process.stdout.read(), err=process.stderr.read())
        assert "Traceback" not in told.text, told.err
        return told

    def get(self, path: str) -> Any:
        response = self.client.get(path)
        assert response.status_code == 200, response.text
        return response.json()


DATA = """timestamp,open,high,low,close,volume
2024-03-04T14:30:00Z,100,101,99,100,5000
2024-03-04T14:31:00Z,100,102,100,101,5000
2024-03-04T14:32:00Z,101,103,101,102,5000
2024-03-04T14:33:00Z,102,104,102,103,5000
"""
FILES = ("--lockstep", "--data", "SPY-1min.csv", "AAPL-1min.csv")


@pytest.fixture(scope="module")
def recorded_once(tmp_path_factory: pytest.TempPathFactory, program: Path) -> Place:
    """A place with four minutes of SPY and AAPL, and the exchange's calendar at hand; only to be copied."""
    place = bare(tmp_path_factory.mktemp("recorded") / "place", program)
    for symbol in ("SPY", "AAPL"):
        (place.folder / f"{symbol}-1min.csv").write_text(DATA)
    for year in (2023, 2024, 2025):
        ExchangeCalendar(place.state / "cache").hours(date(year, 6, 3))
    return place


@pytest.fixture
def recorded(recorded_once: Place, tmp_path: Path) -> Place:
    """Such a place of the test's own."""
    return recorded_once.copied(tmp_path / "place")


@contextmanager
def serving(place: Place, *options: str | Path, **env: str) -> Iterator[Served]:
    """``hydra sim`` on a free port, ended with the block."""
    running = place.start("sim", "--port", "0", *options, **env)
    try:
        stream = running.process.stderr if "--json" in options else running.process.stdout
        assert stream is not None
        line = stream.readline().rstrip()
        found = re.search(r"http://\S+", line)
        assert found is not None, (line, running.process.communicate(timeout=20))
        with httpx.Client(base_url=found[0], headers=KEYS, timeout=10, trust_env=False) as client:
            yield Served(running=running, line=line, url=found[0], client=client)
    finally:
        if running.process.poll() is None:
            running.kill()


def test_it_invents_a_market_and_ends_by_signal_with_a_document(recorded: Place) -> None:
    with serving(recorded, "--lockstep", "--json") as served:
        assert served.line == f"serving {served.url}"
        assert served.get("/v2/account")["cash"] == "100000"
        assert served.get("/v2/clock")["is_open"] is True
        assert served.get("/v2/options/contracts?underlying_symbols=SPY&limit=2")["option_contracts"]
        assert httpx.get(f"{served.url}/v2/account", timeout=10, trust_env=False).status_code == 401
        assert served.client.get("/sim/faults").status_code == 404
        told = served.end()
    document = told.document
    assert set(document) - {"command", "ok", "exit_code"} == keys_in("sim")
    assert (told.code, document["exit_code"], document["url"]) == (143, 143, served.url)
    assert (document["orders"], document["began"]) == (0, "2025-01-06T14:31:00+00:00")
    assert "secret" not in told.out + told.err.replace("(key, secret,", "")


def test_it_says_where_it_is_and_ends_on_ctrl_c(recorded: Place) -> None:
    with serving(recorded, *FILES[1:], "--speed", "30", COLUMNS="80") as served:
        told = served.end(signal.SIGINT)
    assert told.code == 130
    for words in (
        "recorded: AAPL 4 bars",
        "2024-03-04 14:31:00 UTC, 30 times real time",
        "state/sim/exchange.db",
        "PKTEST",
    ):
        assert words in told.text
    assert f'TradingClient(key, secret, url_override="{served.url}")' in told.text
    assert "ended at 2024-03-04 14:31:" in told.text
    assert "secret" not in told.text.replace("(key, secret,", "")
    assert max(map(len, told.out.splitlines())) <= 80


def test_the_books_survive_being_killed_and_belong_to_one(recorded: Place) -> None:
    with serving(recorded, *FILES) as served:
        order = served.client.post("/v2/orders", json=SPY).json()
        resting = {**SPY, "type": "limit", "limit_price": "50", "client_order_id": "two", "time_in_force": "gtc"}
        assert served.client.post("/v2/orders", json=resting).status_code == 200
        assert served.client.post("/sim/clock", json={"steps": 1}).status_code == 200
        held, account = served.get("/v2/positions"), served.get("/v2/account")
        second = recorded.hydra("sim", "--port", "0", "--json", *FILES)
        assert second.code == 3
        assert f"held by `sim`, pid {served.running.process.pid}" in second.document["error"]
        served.running.kill()
    with serving(recorded, *FILES) as served:
        assert served.get(f"/v2/orders/{order['id']}")["filled_qty"] == "10"
        assert [each["client_order_id"] for each in served.get("/v2/orders?status=open")] == ["two"]
        assert served.get("/v2/positions") == held
        assert served.get("/v2/account") == account
        again = served.client.post("/v2/orders", json=SPY)
        assert (again.status_code, again.json()["message"]) == (422, "client_order_id must be unique")
        assert (served.end().code, len(held)) == (143, 1)


def test_key_and_secret_come_from_the_environment_and_an_open_door_is_warned_of(recorded: Place) -> None:
    mine = {"APCA-API-KEY-ID": "PKMINE", "APCA-API-SECRET-KEY": "hunter2"}
    everybody = ("--host", "0.0.0.0", "--fault-admin")  # noqa: S104  # what is tested
    with serving(recorded, *FILES, *everybody, HYDRA_SIM__KEY="PKMINE", HYDRA_SIM__SECRET="hunter2") as served:
        local = served.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104  # the same
        assert served.client.get(f"{local}/v2/account").status_code == 401
        assert served.client.get(f"{local}/v2/account", headers=mine).status_code == 200
        told = served.end()
    assert "warning: whoever reaches this port and has the key can trade on the simulated account" in told.text
    assert "change its faults" in told.text
    assert "PKMINE" in told.text
    assert "hunter2" not in told.text


def test_faults_happen_as_the_file_says_and_can_be_taken_back(recorded: Place) -> None:
    (recorded.folder / "faults.toml").write_text('[[faults]]\nfault = "504_after"\non = "submit"\nnth = 1\n')
    with serving(recorded, *FILES, "--faults", "faults.toml", "--fault-admin") as served:
        assert served.client.post("/v2/orders", json=SPY).status_code == 504
        assert served.get("/v2/orders:by_client_order_id?client_order_id=one")["qty"] == "10"
        assert served.get("/sim/faults")["faults"][0]["acted"] == 1
        assert httpx.get(f"{served.url}/sim/faults", timeout=10, trust_env=False).status_code == 401
        assert served.client.put("/sim/faults", json={"faults": [{"fault": "x"}]}).status_code == 422
        before = served.get("/v2/clock")["timestamp"]
        for rule in ({"fault": "clock_off", "seconds": 600}, {"fault": "account_inactive"}, {"fault": "partial_fill"}):
            assert served.client.post("/sim/faults", json=rule).status_code == 200
        assert served.get("/v2/clock")["timestamp"] > before
        assert served.get("/v2/account")["status"] == "INACTIVE"
        refused = served.client.post("/v2/orders", json={**SPY, "client_order_id": "two"})
        assert (refused.status_code, "INACTIVE" in refused.json()["message"]) == (403, True)
        assert served.client.delete("/sim/faults").json()["faults"] == []
        assert served.get("/v2/clock")["timestamp"] == before
        assert served.client.post("/v2/orders", json={**SPY, "client_order_id": "two"}).status_code == 200


def test_a_partial_fill_is_in_the_books_and_goes_on(recorded: Place) -> None:
    rule = '[[faults]]\nfault = "partial_fill"\nfraction = 0.35\nseconds = 90\n'
    (recorded.folder / "faults.toml").write_text(rule)
    with serving(recorded, *FILES, "--faults", "faults.toml", "--at", "2024-03-04T14:32:00Z") as served:
        assert served.get("/sim/clock")["now"].startswith("2024-03-04T14:32:00")
        assert {each["symbol"] for each in served.get("/v2/assets?status=active")} == {"SPY", "AAPL"}
        assert served.client.post("/v2/orders", json=SPY).status_code == 200
        found = []
        for _ in range(2):
            assert served.client.post("/sim/clock", json={"steps": 1}).status_code == 200
            order = served.get("/v2/orders:by_client_order_id?client_order_id=one")
            found.append((order["status"], order["filled_qty"], served.get("/v2/positions/SPY")["qty"]))
        assert found == [("partially_filled", "3.5", "3.5"), ("filled", "10", "10")]


def test_a_stream_tells_of_fills_as_the_faults_want_it(recorded: Place) -> None:
    rules = '[[faults]]\nfault = "doubled_fill"\non = "stream.trades"\nnth = 1\n'
    rules += '[[faults]]\nfault = "lost_fill"\non = "stream.trades"\nnth = 2\n'
    rules += '[[faults]]\nfault = "drop_before"\non = "stream.trades"\nafter = 2024-03-04T14:33:00Z\n'
    (recorded.folder / "faults.toml").write_text(rules)
    with serving(recorded, *FILES, "--faults", "faults.toml") as served:
        with connect(served.url.replace("http", "ws") + "/stream", proxy=None, open_timeout=10) as stream:
            stream.send(json.dumps({"action": "auth", "key": "PKTEST", "secret": "secret"}))
            stream.send(json.dumps({"action": "listen", "data": {"streams": ["trade_updates"]}}))
            assert [json.loads(stream.recv(10))["stream"] for _ in range(2)] == ["authorization", "listening"]
            for name in ("one", "two"):
                assert served.client.post("/v2/orders", json={**SPY, "client_order_id": name}).status_code == 200
            assert served.client.post("/sim/clock", json={"steps": 1}).status_code == 200
            resting = {**SPY, "client_order_id": "three", "type": "limit", "limit_price": "50"}
            assert served.client.post("/v2/orders", json=resting).status_code == 200
            told: list[tuple[str, str]] = []
            while not told or told[-1][1] != "three":
                data = json.loads(stream.recv(10))["data"]
                told.append((data["event"], data["order"]["client_order_id"]))
            assert [each for each in told if each[0] == "fill"] == [("fill", "one")] * 2
            assert served.client.post("/sim/clock", json={"steps": 1}).status_code == 200
            assert served.client.post("/v2/orders", json={**resting, "client_order_id": "four"}).status_code == 200
            with pytest.raises(ConnectionClosedError):
                stream.recv(10)
        assert len(served.get("/v2/account/activities/FILL")) == 2
