"""What a certificate stands on is looked at while a command runs: modes, the lock, the store, the journal's segments, and the clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hydra.bootstrap.footing import Footing, Hands
from hydra.bootstrap.setup import STORE, Setup, read_setup
from tests.bootstrap.test_config import PAPER

BEGAN = datetime(2026, 11, 22, 5, tzinfo=UTC)


class Clock:
    """Two clocks that are moved by hand."""

    def __init__(self) -> None:
        self.at, self.passed, self.aside = BEGAN, 0.0, 0.0

    def go(self, seconds: float, wall: float | None = None) -> None:
        self.passed += seconds
        self.at += timedelta(seconds=seconds if wall is None else wall)

    def seconds(self) -> float:
        self.passed += self.aside
        return self.passed

    @property
    def hands(self) -> Hands:
        return Hands(wall_now=lambda: self.at, seconds=self.seconds)


class Home:
    """A folder as ``hydra qc`` leaves it, with a lock, a store and two segments."""

    def __init__(self, folder: Path) -> None:
        self.config, self.env = folder / "paper.toml", folder / ".env"
        self.state, self.logs = folder / "state", folder / "logs"
        shutil.copy(PAPER, self.config)
        self.config.chmod(0o644)
        self.env.write_text("A=b\n", encoding="utf-8")
        self.env.chmod(0o600)
        for made in (self.state, self.state / "inbox", self.logs):
            made.mkdir()
        for file in (self.state / "lock", self.state / STORE, self.logs / "a.001.jsonl", self.logs / "b.001.jsonl"):
            file.write_bytes(b"something")
        self.setup: Setup = read_setup(self.config, self.state, self.logs, {})
        self.clock = Clock()
        self.footing = Footing(self.setup, hands=self.clock.hands)

    def replace(self, path: Path) -> None:
        other = path.with_name("other")
        shutil.copy(path, other)
        other.rename(path)

    def pack(self) -> None:
        segment = self.logs / "a.001.jsonl"
        segment.rename(segment.with_name("a.001.jsonl.zst"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path)


def test_what_is_as_it_was_says_nothing(home: Home) -> None:
    for _ in range(3):
        home.clock.go(5)
        assert home.footing.look() == ()


WRONG: dict[str, tuple[Callable[[Home], object], str]] = {
    "keys that others may read": (lambda h: h.env.chmod(0o644), "others may read .env (mode 0644, expected 0600)"),
    "a configuration that everybody may write": (lambda h: h.config.chmod(0o666), "everybody may write"),
    "an inbox that everybody may write": (lambda h: (h.state / "inbox").chmod(0o777), "the inbox: everybody may write"),
    "a journal's folder that everybody may write": (lambda h: h.logs.chmod(0o777), "the log folder: everybody may"),
    "another lock": (lambda h: h.replace(h.state / "lock"), "lock is another file, since this command began"),
    "no lock": (lambda h: (h.state / "lock").unlink(), "lock is gone"),
    "another store": (lambda h: h.replace(h.state / STORE), "trading_state.db is another file"),
    "a segment lost": (lambda h: (h.logs / "a.001.jsonl").unlink(), "segment a.001.jsonl is gone"),
    "a segment replaced": (lambda h: h.replace(h.logs / "b.001.jsonl"), "segment b.001.jsonl is another file"),
    "no journal's folder": (lambda h: shutil.rmtree(h.logs), "logs cannot be looked at"),
    "a clock set back": (lambda h: h.clock.go(5, wall=-3595), "clock was set back by 3,600 s, about 2026-11-22 04:00"),
    "a clock set forward": (lambda h: h.clock.go(5, wall=65), "clock was set forward by 60 s"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_becomes_wrong_is_said_with_its_name(home: Home, name: str) -> None:
    do, said = WRONG[name]
    do(home)
    assert any(said in why for why in home.footing.look()), home.footing.look()


FINE: dict[str, Callable[[Home], object]] = {
    "a new segment": lambda h: (h.logs / "c.001.jsonl").write_bytes(b"more"),
    "a segment that was packed": Home.pack,
    "keys taken from the last reader": lambda h: h.env.chmod(0o400),
    "a clock that a time service pulls": lambda h: h.clock.go(5, wall=4.2),
    "a clock that a time service pulled for an hour": lambda h: h.clock.go(3600, wall=3600 - 300),
    "another file in the journal's folder": lambda h: (h.logs / ".hydra-check").write_bytes(b"1"),
}


@pytest.mark.parametrize("name", FINE)
def test_what_happens_on_a_good_day_says_nothing(home: Home, name: str) -> None:
    FINE[name](home)
    assert home.footing.look() == ()


def test_a_mode_that_is_put_right_again_is_no_longer_said_and_a_clock_is(home: Home) -> None:
    home.env.chmod(0o644)
    home.clock.go(5, wall=-60)
    assert len(home.footing.look()) == 2
    home.env.chmod(0o600)
    home.clock.go(5, wall=70)
    (left,) = home.footing.look()
    assert "clock was set back by 65 s" in left


def test_a_process_that_was_put_aside_between_two_readings_says_nothing_of_the_clock(home: Home) -> None:
    home.clock.aside = 30.0
    assert home.footing.look() == ()
    home.clock.aside = 0.0
    home.clock.go(5, wall=3 * 30 + 5)
    assert home.footing.look() == ()


def test_between_two_looks_time_passes(home: Home) -> None:
    footing = Footing(home.setup, look_seconds=10, hands=home.clock.hands)
    home.env.chmod(0o644)
    home.clock.go(9)
    assert footing.look() == ()
    home.clock.go(1)
    assert "others may read .env" in footing.look()[0]
