"""``hydra tournament`` as it is typed: an evening on real candles, its replay, a process that is killed, and what is refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hydra.cli.frame import in_frame
from hydra.cli.spelling import spread_lists
from hydra.model.errors import BadConfig
from tests.shared_data import shared_data
from tests.tournament.arenas import csv_of
from tests.tournament.coinbase_server import serving

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "tournament.toml"
RECORDS = ("runs.jsonl", "vote_history.jsonl", "paper_trades.jsonl")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody's keys: neither the environment's nor a file's that lies where the test is started."""
    for name in list(os.environ):
        if name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def options(folder: Path, **others: Any) -> dict[str, Any]:
    told: dict[str, Any] = {
        "paper": True,
        "assets": ["BTC-USD", "ETH-USD"],
        "iterations": 3,
        "interval": 0.0,
        "market": "recorded",
        "data": None,
        "speed": None,
        "granularity": None,
        "control": None,
        "recorded_votes": False,
        "replay": None,
        "config": CONFIG,
        "state_dir": folder / "state",
        "log_dir": folder / "logs",
        "json": True,
        "debug": False,
    }
    return told | others


def hydra(capsys: pytest.CaptureFixture[str], **told: Any) -> tuple[int, Mapping[str, Any], str]:
    """Exit code, document and what people were shown of one command in this process."""
    from hydra.cli.commands.tournament import command

    capsys.readouterr()
    code = in_frame("tournament", options(**told), command)
    out, err = capsys.readouterr()
    return code, json.loads(out), err


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "logs" / "tournament" / name).read_bytes().splitlines()]


def test_an_evening_on_real_candles_without_key_or_network_and_its_replay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = shared_data() / "bars"
    code, told, shown = hydra(capsys, folder=tmp_path, data=[bars], iterations=30)
    assert (code, told["iterations"], told["skipped"], told["cost"]) == (0, 30, 0, "0")
    assert told["seats"] == {
        "A": "local:trend",
        "B": "local:mean_reversion",
        "C": "local:breakout",
        "D": "local:synthesis",
    }
    assert "no key is set" in shown
    assert shown.count("engine: local:trend") == 30
    votes, trades = rows(tmp_path, "vote_history.jsonl"), rows(tmp_path, "paper_trades.jsonl")
    assert [(vote["iteration"], vote["seat"]) for vote in votes] == [(n, s) for n in range(1, 31) for s in "ABCD"]
    assert trades
    assert list(trades[0])[:6] == ["timestamp", "asset", "direction", "confidence", "votes", "consensus"]
    assert set(trades[0]["votes"]["A"]) == {"vote", "confidence"}
    assert trades[0]["consensus"] in {f"BUY ({n}/4)" for n in (2, 3, 4)}

    code, told, shown = hydra(capsys, folder=tmp_path, replay="latest")
    assert (code, told["identical"]) == (0, True)
    assert "30 cycles, 120 votes" in told["message"]

    path = tmp_path / "logs" / "tournament" / "paper_trades.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"BUY"', b'"SELL"', 1))
    code, told, _ = hydra(capsys, folder=tmp_path, replay="latest")
    assert (code, told["different"]) == (1, ["paper_trades.jsonl"])


REFUSED: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "no --paper": ({"paper": False}, "--paper is needed"),
    "no assets": ({"assets": None}, "--assets: name at least one pair"),
    "no iterations": ({"iterations": 0}, "--iterations: 0 is no number"),
    "fewer than without end": ({"iterations": -2}, "--iterations: -2"),
    "a negative interval": ({"interval": -1.0}, "--interval: expected 0 to 86400 seconds, got -1"),
    "no interval at all": ({"interval": float("nan")}, "--interval: expected 0"),
    "an unknown asset": ({"assets": ["ZZZ-USD"]}, "no bars of ZZZ-USD"),
    "a share": ({"assets": ["SPY"]}, "'SPY' is no pair"),
    "no such market": ({"market": "mars"}, "--market: 'mars' is none of coinbase, recorded, synthetic"),
    "no data": ({"data": None}, "--market recorded plays the files of --data"),
    "a missing file": ({"data": [Path("nowhere")]}, "nowhere: no such file or folder"),
    "data of another market": ({"market": "synthetic"}, "--data: belongs to --market recorded"),
    "a missing configuration": ({"config": Path("nowhere.toml")}, "nowhere.toml: no such file"),
    "speed": ({"speed": "fast"}, "--speed: 'fast' is neither"),
    "granularity": ({"granularity": 61}, "--granularity: expected one of 60, 300"),
    "longer candles": ({"granularity": 300}, "--granularity: candles of 300 s are wanted"),
    "control": ({"control": "magic"}, "magic"),
    "replay of nothing": ({"replay": "latest"}, "--replay: 'latest' is no run"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_by_name_with_2(
    name: str, tmp_path: Path, waves: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other, words = REFUSED[name]
    code, told, _ = hydra(capsys, folder=tmp_path, **{"data": [waves], **other})
    assert (code, told["kind"]) == (2, BadConfig.__name__)
    assert words in told["error"]


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("waves")
    csv_of(folder, "BTC-USD", (60_000.0 + minute % 17 * 40 for minute in range(900)))
    csv_of(folder, "ETH-USD", (3_000.0 + minute % 13 * 3 for minute in range(900)))
    return folder


@pytest.mark.parametrize("broker", ["alpaca", "live"])
def test_a_configuration_that_names_another_broker_is_refused(
    tmp_path: Path, waves: Path, capsys: pytest.CaptureFixture[str], broker: str
) -> None:
    config = tmp_path / "tournament.toml"
    text = CONFIG.read_text().replace('[broker]\nname = "sim"', f'[broker]\nname = "{broker}"')
    assert f'name = "{broker}"' in text
    config.write_text(text)
    code, told, _ = hydra(capsys, folder=tmp_path, data=[waves], config=config)
    assert code == 2
    assert "broker.name" in told["error"]


def test_a_market_that_does_not_answer_ends_with_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with serving() as server:
        pass
    config = tmp_path / "tournament.toml"
    config.write_text(CONFIG.read_text().replace('url = "https://api.exchange.coinbase.com"', f'url = "{server.url}"'))
    code, told, _ = hydra(capsys, folder=tmp_path, market="coinbase", config=config)
    assert (code, told["kind"]) == (4, "Unreachable")


def test_assets_are_typed_in_three_ways() -> None:
    ways = (["--assets", "A-USD", "B-USD"], ["--assets", "A-USD,B-USD"], ["--assets", "A-USD", "--assets", "B-USD"])
    spread = [spread_lists(["tournament", "--paper", *way, "--iterations", "-1", "--interval", "300"]) for way in ways]
    expected = ["--assets", "A-USD", "--assets", "B-USD", "--iterations", "-1", "--interval", "300"]
    assert spread == [["tournament", "--paper", *expected]] * 3


def start(folder: Path, data: Path, iterations: int) -> subprocess.Popen[bytes]:
    told = ["--paper", "--assets", "BTC-USD", "ETH-USD", "--market", "recorded", "--data", str(data)]
    told += ["--iterations", str(iterations), "--interval", "0", "--config", str(CONFIG)]
    told += ["--state-dir", str(folder / "state"), "--log-dir", str(folder / "logs")]
    line = [sys.executable, "-m", "hydra", "tournament", *told]
    return subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)


def until_votes(folder: Path, process: subprocess.Popen[bytes], iterations: int) -> None:
    path, end = folder / "logs" / "tournament" / "vote_history.jsonl", time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if path.exists() and path.read_bytes().count(b"\n") >= 4 * iterations:
            return
        time.sleep(0.01)
    raise AssertionError(f"{iterations} iterations did not come, exit code {process.poll()}")


@pytest.mark.drill
@pytest.mark.timeout(180)
def test_a_killed_process_and_a_stopped_one_lose_and_repeat_nothing(
    tmp_path: Path, waves: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = start(tmp_path, waves, 600)
    until_votes(tmp_path, killed, 12)
    killed.kill()
    killed.wait(20)
    stopped = start(tmp_path, waves, 600)
    until_votes(tmp_path, stopped, 40)
    stopped.send_signal(signal.SIGTERM)
    assert stopped.wait(20) == 143
    done = len(rows(tmp_path, "vote_history.jsonl")) // 4
    assert hydra(capsys, folder=tmp_path, data=[waves], iterations=5)[0] == 0
    votes = rows(tmp_path, "vote_history.jsonl")
    assert [(vote["iteration"], vote["seat"]) for vote in votes] == [(n, s) for n in range(1, done + 6) for s in "ABCD"]
    moments = [vote["timestamp"] for vote in votes[::4]]
    assert len(set(moments)) == len(moments)
    assert moments == sorted(moments)
    for run in dict.fromkeys(vote["run"] for vote in votes):
        code, told, _ = hydra(capsys, folder=tmp_path, replay=run)
        assert (code, told["message"].split(":")[0]) == (0, "identical")


@pytest.mark.drill
@pytest.mark.timeout(180)
def test_five_hundred_iterations_take_less_than_a_minute(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bars, began = shared_data() / "bars", time.monotonic()
    code, told, _ = hydra(capsys, folder=tmp_path, data=[bars], iterations=500)
    assert (code, told["iterations"]) == (0, 500)
    assert time.monotonic() - began < 60
    assert hydra(capsys, folder=tmp_path, replay="latest")[0] == 0


@pytest.mark.drill
@pytest.mark.timeout(120)
def test_four_voters_of_two_seconds_make_an_iteration_of_two_seconds() -> None:
    from benchmarks.tournament import slow

    assert slow(2.0)["slow_iteration_s"] <= 2.2
