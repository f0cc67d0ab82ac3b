"""Alpaca put together: what is refused before anything is sent, whose clock is followed, and that no key is ever shown."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.alpaca.clock import FreshClock, LockstepClock, PacedClock
from hydra.bootstrap.alpaca import broker
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.venues import Source, VenueDoors
from hydra.model.errors import BadConfig, Unreachable
from tests.adapters.exchange.server.data.asking import MINUTE, OPEN, minutes
from tests.adapters.exchange.server.data.running import running
from tests.adapters.exchange.server.scenes import Calendar
from tests.bootstrap.test_config import ROOT
from tests.fakes.feed import ScriptedFeed

CONFIG = ROOT / "configs" / "alpaca-paper.toml"
KEY, SECRET = "PKTEST", "secret"
HUSH = "hunter2"


class Ear:
    """A port that hears whoever connects, and never answers."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def heard(self) -> bytes | None:
        """What the first caller said; ``None`` when nobody called."""
        try:
            caller, _ = self._socket.accept()
        except TimeoutError:
            return None
        with caller:
            caller.settimeout(0.5)
            return caller.recv(65536)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def ear() -> Iterator[Ear]:
    found = Ear()
    yield found
    found.close()


def doors(folder: Path, environ: Mapping[str, str], source: Source | None = None) -> VenueDoors:
    # An empty folder has no .env; the account's variables never come from the one of whoever runs the tests.
    policy = load_policy(CONFIG, {name: value for name, value in environ.items() if name.startswith("HYDRA_")}, None)
    return broker(policy, folder, source or Source(), threading.Event(), environ)


def account(url: str, **more: str) -> dict[str, str]:
    return {"HYDRA_ALPACA__URL": url, "HYDRA_ALPACA__KEY": KEY, "HYDRA_ALPACA__SECRET": SECRET, **more}


# (what is different, exactly what is said of it)
REFUSED: dict[str, tuple[dict[str, str | None], str]] = {
    "no keys": (
        {"HYDRA_ALPACA__KEY": None, "HYDRA_ALPACA__SECRET": None},
        "HYDRA_ALPACA__KEY and HYDRA_ALPACA__SECRET: not set",
    ),
    "no secret": ({"HYDRA_ALPACA__SECRET": None}, "HYDRA_ALPACA__SECRET: not set"),
    "an empty key": ({"HYDRA_ALPACA__KEY": ""}, "HYDRA_ALPACA__KEY: empty; expected 1 to 128"),
    "a key with a blank": ({"HYDRA_ALPACA__KEY": f"PK {HUSH}"}, "HYDRA_ALPACA__KEY: 10 characters; expected 1 to 128"),
    "a live key": ({"HYDRA_ALPACA__KEY": f"AK{HUSH}"}, "a live account's key has no business there"),
    "live mode": ({"HYDRA_MODE": "live"}, 'mode: "live" and http://127.0.0.1'),
    "a password": ({"HYDRA_ALPACA__URL": "http://me:hunter2@HOST"}, "carries a user name or a password"),
    "a version": ({"HYDRA_ALPACA__URL": "http://HOST/v2"}, "leave /v2 out"),
    "another host for prices": ({"HYDRA_ALPACA__DATA_URL": "https://example.com"}, "neither Alpaca nor this machine"),
    "Alpaca's prices": ({"HYDRA_ALPACA__DATA_URL": "https://data.alpaca.markets"}, "belong to one market"),
}


@pytest.mark.parametrize(("change", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_meant_is_refused_before_anything_is_sent(
    tmp_path: Path, ear: Ear, monkeypatch: pytest.MonkeyPatch, change: dict[str, str | None], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    host = ear.url.removeprefix("http://")
    changed = {**account(ear.url), **{name: value and value.replace("HOST", host) for name, value in change.items()}}
    with pytest.raises(BadConfig) as caught:
        doors(tmp_path, {name: value for name, value in changed.items() if value is not None})
    assert said in str(caught.value)
    assert HUSH not in str(caught.value)
    assert ear.heard() is None


@pytest.mark.parametrize(
    "source", [Source(seed=3), Source(data=(Path("x"),)), Source(speed="max")], ids=["seed", "data", "speed"]
)
def test_options_of_the_simulated_market_are_refused(tmp_path: Path, ear: Ear, source: Source) -> None:
    with pytest.raises(BadConfig, match="are for the simulated broker"):
        doors(tmp_path, account(ear.url), source)
    assert ear.heard() is None


def test_a_server_that_says_nothing_is_unreachable_and_has_heard_no_key(
    tmp_path: Path, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Unreachable, match="does not answer: TimeoutError"):
        doors(tmp_path, account(ear.url, HYDRA_ALPACA__CONNECT_SECONDS="0.2"))
    heard = ear.heard()
    assert heard is not None
    assert heard.startswith(b"GET /sim/clock HTTP/1.1\r\n")
    assert KEY.encode() not in heard
    assert SECRET.encode() not in heard


def feed() -> ScriptedFeed:
    return ScriptedFeed(minutes("SPY", OPEN, *range(100, 110)))


# (how the simulator runs, the clock that follows it, the stream's health by name)
FOLLOWED: dict[str, tuple[dict[str, Any], type, set[str]]] = {
    "lockstep": ({}, LockstepClock, {"requests"}),
    "lockstep that counts": ({"rate_limit_per_minute": 200}, LockstepClock, {"requests"}),
    "paced": ({"lockstep": False, "speed": 2.0}, PacedClock, {"requests", "trade updates"}),
}


@pytest.mark.parametrize(("options", "kind", "health"), FOLLOWED.values(), ids=FOLLOWED.keys())
def test_behind_a_simulator_its_clock_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], kind: type, health: set[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with running(feed(), Calendar(), start=OPEN + MINUTE, **options) as server:
        venue = doors(tmp_path, account(server.url))
        try:
            assert type(venue.clock) is kind
            assert not venue.local
            identity = venue.broker.identity()
            assert (identity.url, identity.mode) == (server.url, "sim")
            assert abs((venue.clock.now() - venue.broker.now()).total_seconds()) < 2
            assert venue.line is not None
            assert set(venue.line.health()) == health
            for _, do in venue.line.steps():
                assert do()
            shown = f"{venue!r} {venue.line.health()} {venue.notes} {identity}"
            assert SECRET not in shown
            assert KEY not in shown
        finally:
            venue.close()
    assert not [each for each in threading.enumerate() if each.name == "trade updates"]


def test_the_stream_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with running(feed(), Calendar(), start=OPEN, lockstep=False, speed=2.0) as server:
        venue = doors(tmp_path, account(server.url, HYDRA_ALPACA__STREAM="false"))
        assert venue.line is not None
        assert set(venue.line.health()) == {"requests"}
        assert [name for name, _ in venue.line.steps()] == ["drop sessions", "connect"]
        venue.close()


def test_a_simulator_as_fast_as_it_goes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with (
        running(feed(), Calendar(), start=OPEN, lockstep=False, speed=None) as server,
        pytest.raises(BadConfig, match="start it with --lockstep"),
    ):
        doors(tmp_path, account(server.url))


def test_at_alpaca_the_wall_clock_rules_and_nothing_is_asked_before_somebody_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = "https://paper-api.alpaca.markets"
    venue = doors(tmp_path, account(url, HYDRA_ALPACA__STREAM="false"))
    assert venue.notes == (f"a paper account at {url}",)
    assert not isinstance(venue.clock, FreshClock)
    venue.close()
