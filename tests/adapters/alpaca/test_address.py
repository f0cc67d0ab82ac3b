"""The effective URL alone decides which venue it is, and nothing is sent where URL, mode and key do not agree."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from hydra.adapters.alpaca.address import Address, Kind, address_of, is_loopback
from hydra.adapters.alpaca.simulator import Simulator, recognise
from hydra.model.errors import BadConfig, Unreachable
from tests.adapters.exchange.server.data.asking import OPEN, minutes
from tests.adapters.exchange.server.data.running import running
from tests.adapters.exchange.server.scenes import Calendar
from tests.fakes.feed import ScriptedFeed

PAPER, LIVE, SIM = "https://paper-api.alpaca.markets", "https://api.alpaca.markets", "http://127.0.0.1:8765"
SAFE = "hunter2"


def found(url: str = "", *, data_url: str = "", mode: str = "paper", key: str = "PKTEST") -> Address:
    return address_of(url=url, data_url=data_url, mode=mode, key=SecretStr(key))


def refusal(url: str = "", **more: Any) -> str:
    with pytest.raises(BadConfig) as caught:
        found(url, **more)
    return str(caught.value)


def test_alpaca_s_two_hosts_and_this_machine_are_known() -> None:
    assert found(PAPER) == Address(
        kind=Kind.PAPER,
        trading=PAPER,
        data="https://data.alpaca.markets",
        stream="wss://paper-api.alpaca.markets/stream",
    )
    live = found(LIVE, mode="live", key="AKX")
    assert (live.kind, live.stream) == (Kind.LIVE, "wss://api.alpaca.markets/stream")
    assert found(SIM) == Address(kind=Kind.SIM, trading=SIM, data=SIM, stream="ws://127.0.0.1:8765/stream")
    assert found("http://[::1]:8765").stream == "ws://[::1]:8765/stream"


def test_without_a_url_it_is_alpaca_s_own_for_the_mode() -> None:
    assert found().trading == PAPER
    assert found(mode="live", key="AKX").trading == LIVE


@pytest.mark.parametrize(
    "url",
    [f"{PAPER}/", f"{PAPER}:443", "HTTPS://Paper-API.alpaca.markets", "https://PAPER-API.ALPACA.MARKETS:443/"],
)
def test_one_place_has_one_spelling(url: str) -> None:
    assert found(url).trading == PAPER


# (url, what the refusal says)
WRONG_URLS = [
    (f"{PAPER}/v2", "leave /v2 out"),
    (f"{SIM}/v2/", "leave /v2 out"),
    (f"{PAPER}/{SAFE}", "with a path"),
    (f"https://me:{SAFE}@paper-api.alpaca.markets", "a user name or a password"),
    (f"https://{SAFE}@paper-api.alpaca.markets", "a user name or a password"),
    (f"http://PK:{SAFE}@127.0.0.1:8765", "a user name or a password"),
    (f"https://paper-api.alpaca.markets@{SAFE}.example", "a user name or a password"),
    (f"{PAPER}?key={SAFE}", "behind ? or #"),
    (f"{PAPER}#{SAFE}", "behind ? or #"),
    (f"{PAPER}?", "behind ? or #"),
    ("http://paper-api.alpaca.markets", "expected https://paper-api.alpaca.markets"),
    (f"{PAPER}:8443", "expected https://paper-api.alpaca.markets"),
    ("https://paper-api.alpaca.markets.", "neither Alpaca nor this machine"),
    ("https://paper-api.alpaca.markets.example.com", "neither Alpaca nor this machine"),
    ("https://data.alpaca.markets", "neither Alpaca nor this machine"),
    ("https://broker-api.alpaca.markets", "neither Alpaca nor this machine"),
    ("http://192.168.1.7:8765", "neither Alpaca nor this machine"),
    ("http://0.0.0.0:8765", "neither Alpaca nor this machine"),
    ("http://127.1:8765", "neither Alpaca nor this machine"),
    ("http://2130706433:8765", "neither Alpaca nor this machine"),
    ("http://localhost.example:8765", "neither Alpaca nor this machine"),
    ("https://127.0.0.1:8765", "speaks http"),
    ("127.0.0.1:8765", "must begin with https://"),
    ("ftp://127.0.0.1", "must begin with https://"),
    ("paper-api.alpaca.markets", "must begin with https://"),
    ("http://", "names no host"),
    ("http://:8765", "names no host"),
    ("http://127.0.0.1:0", "names no port that can be"),
    ("http://127.0.0.1:99999", "not a URL"),
    ("http://127.0.0.1:x", "not a URL"),
    ("http://[::1", "not a URL"),
    (f"{PAPER} {SAFE}", "not a URL"),
    (f"{PAPER}\n", "not a URL"),
    ("https://paper-api.alpaca.markets\\@example.com", "not a URL"),
    ("https://p\u0430per-api.alpaca.markets", "not a URL"),
    ("https://" + "a" * 300, "not a URL"),
]


@pytest.mark.parametrize(("url", "said"), WRONG_URLS, ids=[str(number) for number in range(len(WRONG_URLS))])
@pytest.mark.parametrize("mode", ["paper", "live"])
def test_any_other_url_is_refused_and_what_may_be_secret_is_not_quoted(url: str, said: str, mode: str) -> None:
    text = refusal(url, mode=mode, key="AKX" if mode == "live" else "PKX")
    assert text.startswith("HYDRA_ALPACA__URL: ")
    assert said in text
    assert SAFE not in text


# (url, mode, key, what the refusal says)
DISAGREEING = [
    (LIVE, "paper", "PKX", 'that is real money, which is mode = "live"'),
    (LIVE, "paper", "AKX", 'that is real money, which is mode = "live"'),
    (PAPER, "live", "AKX", 'that is a paper account, which is mode = "paper"'),
    (SIM, "live", "PKX", 'that is a simulator, which is mode = "paper"'),
    (
        PAPER,
        "paper",
        "AKSECRET",
        "begins with AK, and https://paper-api.alpaca.markets is paper; keys for it begin with PK",
    ),
    (LIVE, "live", "PKSECRET", "begins with PK, and https://api.alpaca.markets is live; keys for it begin with AK"),
    (PAPER, "paper", "secret", "begins with neither PK nor AK"),
    (PAPER, "paper", "P", "begins with neither PK nor AK"),
    (PAPER, "paper", "pkx", "begins with neither PK nor AK"),
    (SIM, "paper", "AKSECRET", "a live account's key has no business there"),
]


@pytest.mark.parametrize(
    ("url", "mode", "key", "said"), DISAGREEING, ids=[str(number) for number in range(len(DISAGREEING))]
)
def test_url_mode_and_key_have_to_agree(url: str, mode: str, key: str, said: str) -> None:
    text = refusal(url, mode=mode, key=key)
    assert said in text
    assert "SECRET" not in text


def test_a_simulator_takes_any_key_but_a_live_one() -> None:
    assert found(SIM, key="mine").kind is Kind.SIM


def test_prices_and_orders_belong_to_one_market() -> None:
    assert found(PAPER, data_url="https://data.alpaca.markets/").data == "https://data.alpaca.markets"
    assert found(SIM, data_url="http://localhost:9000").data == "http://localhost:9000"
    for url, data_url in ((PAPER, SIM), (SIM, "https://data.alpaca.markets")):
        assert "both at Alpaca or both at a hydra sim" in refusal(url, data_url=data_url)
    assert refusal(PAPER, data_url="https://example.com").startswith(
        "HYDRA_ALPACA__DATA_URL: https://example.com is neither"
    )
    assert "leave /v2 out" in refusal(PAPER, data_url="https://data.alpaca.markets/v2")


@settings(derandomize=True, max_examples=120)
@given(st.text(max_size=60) | st.from_regex(r"https?://[a-z0-9.@:\[\]/?#%-]{0,40}", fullmatch=True))
def test_no_text_becomes_an_address_that_is_not_one_of_the_three(url: str) -> None:
    try:
        address = found(url)
    except BadConfig:
        return
    host = urlsplit(address.trading).hostname or ""
    assert address.trading == PAPER or is_loopback(host)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """A server on this machine that answers everything alike; its address, and the requests it got with their headers."""
    asked: list[tuple[str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((f"{self.command} {self.path}", dict(self.headers)))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "http://127.0.0.1:9/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


GOOD = {"venue": "hydra sim", "lockstep": True, "speed": None, "now": "2024-03-04T14:30:00Z", "next": None, "moved": 0}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"{}"),
        (200, b"<html>"),
        (200, b"[1]"),
        (200, b'"hydra sim"'),
        (200, b"[" * 50_000),
        (200, b'{"venue": "Hydra"}'),
        (401, json.dumps(GOOD).encode()),
        (404, b""),
        (302, b""),
    ],
    ids=str,
)
def test_a_server_that_is_not_the_simulator_gets_no_key(status: int, body: bytes) -> None:
    with answering(status, body) as (url, asked), pytest.raises(BadConfig, match="does not answer as hydra sim does"):
        recognise(url, seconds=2)
    assert [request for request, _ in asked] == ["GET /sim/clock"]
    assert not any("apca" in name.lower() or name.lower() == "authorization" for name in asked[0][1])


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (500, {}),
        (429, {}),
        (200, {"now": "soon"}),
        (200, {"now": "2024-03-04T14:30:00"}),
        (200, {"next": 7}),
        (200, {"lockstep": 1}),
        (200, {"speed": "fast"}),
        (200, {"speed": -1}),
    ],
    ids=str,
)
def test_a_simulator_that_answers_nonsense_is_unreachable(status: int, change: dict[str, Any]) -> None:
    with answering(status, json.dumps({**GOOD, **change}).encode()) as (url, _), pytest.raises(Unreachable):
        recognise(url, seconds=2)


def test_nobody_there_is_unreachable() -> None:
    with answering(200, b"") as (url, _):
        pass
    with pytest.raises(Unreachable, match=r"does not answer: ConnectionRefusedError"):
        recognise(url, seconds=2)


def test_the_simulator_is_recognised_without_a_key_in_lockstep_and_paced(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    feed = ScriptedFeed(minutes("SPY", OPEN, *range(100, 103)))
    with running(feed, Calendar(), start=OPEN) as server:
        reading = recognise(server.url)
        assert (reading.lockstep, reading.speed, reading.limited) == (True, None, False)
        with pytest.raises(Unreachable, match="401"):
            Simulator(server.url, key=SecretStr("PKTEST"), secret=SecretStr("wrong")).move_to(OPEN)
    with running(feed, Calendar(), start=OPEN, lockstep=False, speed=60.0, rate_limit_per_minute=200) as server:
        reading = recognise(server.url)
        assert (reading.lockstep, reading.speed, reading.limited) == (False, 60.0, True)
