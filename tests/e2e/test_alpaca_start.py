"""Real processes with an account at Alpaca: what cannot be meant is refused with its exit code, unheard, and no key is shown.

Every process has a proxy for Alpaca's hosts that only listens, so that whatever were sent there would be heard here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bootstrap.test_alpaca import Ear
from tests.e2e.place import REPOSITORY, Place
from tests.e2e.test_sim import FILES, recorded, recorded_once, serving

__all__ = ["recorded", "recorded_once"]  # fixtures

CONFIG = ("--config", "configs/alpaca-paper.toml")
HUSH, WRONG = "hunter2hunter2", "tigger4tigger4"
ARMED = {"HYDRA_MODE": "live", "HYDRA_ALPACA__KEY": f"AK{HUSH}", "HYDRA_ARM_LIVE": "123456789"}
PAPER = {"HYDRA_ALPACA__KEY": f"PK{HUSH}"}
SECRET = {"HYDRA_ALPACA__SECRET": HUSH}


@dataclass(frozen=True)
class Case:
    """A command, its environment (EAR is a port that listens), its exit code and a part of what it says."""

    arguments: tuple[str, ...]
    env: dict[str, str]
    code: int
    said: str


def case(code: int, said: str, *arguments: str, **env: str) -> Case:
    return Case((*(arguments or ("run",)), *CONFIG), {**SECRET, **env}, code, said)


# One of each kind; tests/bootstrap/test_alpaca.py, tests/cli/test_arming.py and the address's own tests have the rest.
CASES: dict[str, Case] = {
    "keys absent": Case(("qc", *CONFIG), {}, 2, "HYDRA_ALPACA__KEY and HYDRA_ALPACA__SECRET: not set"),
    "live keys, paper address": case(2, "begins with AK", HYDRA_ALPACA__KEY=f"AK{HUSH}"),
    "paper keys, live mode": case(2, "begin with AK", "run", "--live", **{**ARMED, **PAPER}),
    "live mode, paper address": case(
        2, "do not agree", "run", "--live", **ARMED, HYDRA_ALPACA__URL="https://paper-api.alpaca.markets"
    ),
    "live, no terminal": case(3, "at a terminal, and there is none", "run", "--live", **ARMED),
    "another host": case(2, "neither Alpaca nor this machine", **PAPER, HYDRA_ALPACA__URL="http://192.0.2.1:8765"),
    "a password": case(2, "a user name or a password", **PAPER, HYDRA_ALPACA__URL=f"http://me:{HUSH}@EAR"),
}


@pytest.fixture
def ear() -> Iterator[Ear]:
    found = Ear()
    yield found
    found.close()


def at_alpaca(folder: Path, program: Path, name: str = "place") -> Place:
    """A place with the configuration for Alpaca."""
    place = Place(folder=folder / name, program=program)
    (place.folder / "configs").mkdir(parents=True)
    for each in ("paper.toml", "alpaca-paper.toml"):
        shutil.copy(REPOSITORY / "configs" / each, place.folder / "configs" / each)
    return place


def traces(folder: Path, *words: str) -> list[str]:
    """The files in which one of the words stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(word.encode() in path.read_bytes() for word in words)]


def test_what_cannot_be_meant_ends_with_its_exit_code_and_nobody_heard_of_it(
    tmp_path: Path, program: Path, ear: Ear
) -> None:
    host = ear.url.removeprefix("http://")
    proxies = {"HTTPS_PROXY": ear.url, "HTTP_PROXY": ear.url, "ALL_PROXY": ear.url, "NO_PROXY": ""}
    for number, (name, each) in enumerate(CASES.items()):
        place = at_alpaca(tmp_path, program, str(number))
        env = {variable: text.replace("EAR", host) for variable, text in each.env.items()}
        told = place.hydra(*each.arguments, **proxies, **env)
        assert (told.code, each.said in told.text) == (each.code, True), (name, told)
        assert HUSH not in told.out + told.err, name
    assert ear.heard() is None
    assert traces(tmp_path, HUSH) == []


def test_a_wrong_secret_is_unreachable_the_right_one_trades_and_neither_stands_anywhere(
    recorded: Place, tmp_path: Path, program: Path
) -> None:
    place = at_alpaca(tmp_path, program, "client")
    shutil.copytree(recorded.state / "cache", place.state / "cache")
    with serving(recorded, *FILES, HYDRA_SIM__SECRET=HUSH) as served:
        served.client.headers["APCA-API-SECRET-KEY"] = HUSH
        env = {"HYDRA_ALPACA__KEY": "PKTEST", "HYDRA_ALPACA__SECRET": HUSH, "HYDRA_ALPACA__URL": served.url}
        wrong = place.hydra("run", *CONFIG, **{**env, "HYDRA_ALPACA__SECRET": WRONG})
        assert (wrong.code, "401" in wrong.text) == (4, True), wrong
        told = place.hydra("qc", *CONFIG, **env)
        assert told.code == 0, told.text
        ran = place.hydra("run", *CONFIG, "--json", **env)
        assert ran.code == 0, ran.text
        assert served.get("/sim/clock")["next"] is None
    assert (ran.document["ending"]["reason"], ran.document["cycles"]) == ("the market's last day is over", 4)
    for said in (wrong, told, ran):
        assert HUSH not in said.out + said.err
        assert WRONG not in said.out + said.err
    assert traces(place.folder, HUSH, WRONG) == []
