"""What ``hydra sim`` refuses before it listens, and that it has touched nothing then."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from hydra.cli.commands import sim
from hydra.cli.frame import Frame
from hydra.model.errors import BadConfig, Unreachable
from tests.docs.pages import ROOT

DATA = "timestamp,open,high,low,close,volume\n" + "".join(
    f"2024-03-04T14:{minute}:00Z,100,101,99,100,5000\n" for minute in range(30, 34)
)


def start(folder: Path, **more: Any) -> None:
    """Call the command on recorded data, in this process."""
    path = folder / "SPY-1min.csv"
    path.write_text(DATA)
    options = {
        "config": ROOT / "configs" / "paper.toml",
        "state_dir": folder / "state",
        "log_dir": folder / "logs",
        "host": "127.0.0.1",
        "port": 0,
        "data": [path],
        "at": None,
        "seed": None,
        "speed": None,
        "lockstep": False,
        "faults": None,
        "fault_admin": False,
        "rate_limit": 0,
        "json": True,
        "debug": False,
    }
    sim.command(Frame(command="sim", options={**options, **more}))


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "too early": (
        {"at": "2024-03-04T14:30:00Z"},
        r"--at 2024-03-04T14:30:00Z: the prices are from 2024-03-04T14:31:00Z to 2024-03-04T14:34:00Z",
    ),
    "too late": ({"at": "2030-01-01T00:00:00+01:00"}, r"--at 2029-12-31T23:00:00Z: the prices are from .* to 2024"),
    "no time": ({"at": "noon"}, r"--at: 'noon' is no time with its offset, such as"),
    "no offset": ({"at": "2024-03-04T14:32:00"}, r"is no time with its offset"),
    "two paces": ({"lockstep": True, "speed": "2"}, r"--speed 2: with --lockstep the clock moves only when told"),
    "no pace": ({"speed": "0"}, r"--speed: '0' is neither a number above 0"),
    "no faults": ({"faults": Path("nowhere.toml")}, r"nowhere.toml: the fault file cannot be read"),
    "no data": ({"data": [Path("nowhere")]}, r"nowhere: no such file or folder"),
    "before an invented market": (
        {"data": None, "at": "2020-01-01T00:00:00Z"},
        r"the prices are from 2025-01-06T00:01:00Z; the key market.start moves it",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_meant_is_refused_and_leaves_no_books(tmp_path: Path, case: str) -> None:
    more, reason = WRONG[case]
    with pytest.raises(BadConfig, match=reason):
        start(tmp_path, **more)
    assert not (tmp_path / "state" / "sim" / "exchange.db").exists()


def test_a_port_that_is_taken_is_unreachable_and_free_again_afterwards(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for _ in range(2):  # the books' lock is let go of
            with pytest.raises(Unreachable, match="the port is in use"):
                start(tmp_path, port=taken.getsockname()[1])


def test_an_address_of_another_machine_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"cannot listen on 192\.0\.2\.1:0"):
        start(tmp_path, host="192.0.2.1")


@pytest.mark.parametrize("name", ["HYDRA_SIM__KEY", "HYDRA_SIM__SECRET"])
@pytest.mark.parametrize("text", ["", "two words", "tab\t", "a:b", "é", "x" * 129], ids=repr)
def test_a_key_that_no_header_can_carry_is_refused_and_not_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(BadConfig, match=f"{name}: .*expected 1 to 128 ASCII characters") as refusal:
        start(tmp_path)
    assert not text or text not in str(refusal.value)


@pytest.mark.parametrize(
    ("asked", "lockstep", "limit"), [(None, False, 200), (None, True, 0), (50, True, 50), (0, False, 0)]
)
def test_requests_are_counted_as_at_alpaca_unless_the_clock_waits_for_the_client(
    asked: int | None, lockstep: bool, limit: int
) -> None:
    assert sim._rate_limit(asked, lockstep=lockstep) == limit
