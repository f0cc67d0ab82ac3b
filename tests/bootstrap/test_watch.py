"""The configuration is looked at again and again, and what has changed on the disk is named; putting it back makes it fit again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest

from hydra.bootstrap.setup import Setup, read_setup
from hydra.bootstrap.watch import ConfigWatch
from tests.bootstrap.test_config import PAPER, ROOT

FAULTS = '[[faults]]\nfault = "timeout_after"\non = "submit"\nnth = 2\n'
BLACKOUTS = "date,symbols,reason\n2024-06-12,,the central bank decides\n"


class Home:
    """A folder with a configuration that names other files, read once."""

    def __init__(self, folder: Path) -> None:
        self.config, self.env = folder / "paper.toml", folder / ".env"
        self.faults, self.blackouts = folder / "faults.toml", folder / "days.csv"
        text = PAPER.read_text(encoding="utf-8").replace('faults = ""', 'faults = "faults.toml"')
        self.config.write_text(text.replace('blackout_file = ""', 'blackout_file = "days.csv"'), encoding="utf-8")
        self.faults.write_text(FAULTS, encoding="utf-8")
        self.blackouts.write_text(BLACKOUTS, encoding="utf-8")
        self.setup: Setup = read_setup(self.config, folder / "state", folder / "logs", {})

    @property
    def watch(self) -> ConfigWatch:
        assert self.setup.watch is not None
        return self.setup.watch

    def into_a_folder(self) -> None:
        self.config.unlink()
        self.config.mkdir()

    def edit(self, path: Path, before: str, after: str) -> None:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        assert before in text
        path.write_text(text.replace(before, after) if before else text + after, encoding="utf-8")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.chdir(tmp_path)
    return Home(tmp_path)


def test_unchanged_files_have_the_hash_that_was_read(home: Home) -> None:
    for _ in range(3):
        assert home.watch.look() == (home.setup.policy.hash, ())


# what is done, and what the look says of it
EDITS: dict[str, tuple[Callable[[Home], None], str]] = {
    "a key": (
        lambda h: h.edit(h.config, "daily_loss = 0.02 ", "daily_loss = 0.019 "),
        "risk.daily_loss is 0.019, was 0.02",
    ),
    "a bot's key": (
        lambda h: h.edit(h.config, "enabled = true", "enabled = false"),
        "bots.spy-trend.enabled is False, was True",
    ),
    "a bot taken out": (
        lambda h: h.edit(h.config, 'id = "aapl-trend"', 'id = "apples"'),
        "bots.aapl-trend is not there",
    ),
    "a variable in .env": (lambda h: h.edit(h.env, "", "HYDRA_RISK__DAILY_LOSS=0.018\n"), "risk.daily_loss is 0.018"),
    "a secret in .env": (
        lambda h: h.edit(h.env, "", "HYDRA_ALPACA__SECRET=hunter2\n"),
        "HYDRA_ALPACA__SECRET in .env is another",
    ),
    "a blackout day": (lambda h: h.edit(h.blackouts, "2024-06-12", "2024-06-13"), "risk.blackouts is 1 of them"),
    "a fault": (lambda h: h.edit(h.faults, "nth = 2", "nth = 3"), "broker.faults_sha256 is "),
    "faults that are gone": (lambda h: h.faults.unlink(), "broker.faults_sha256 is , was "),
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_is_noticed_named_and_forgotten_when_it_is_put_back(home: Home, what: str) -> None:
    edit, words = EDITS[what]
    files = (home.config, home.faults, home.blackouts)
    before = {path: path.read_bytes() for path in files}
    home.watch.look()
    edit(home)
    standing = home.watch.look()
    assert any(words in change for change in standing.changed), standing
    assert "hunter2" not in str(standing)
    for path, content in before.items():
        path.write_bytes(content)
    home.env.unlink(missing_ok=True)
    assert home.watch.look() == (home.setup.policy.hash, ())


# what is done to the configuration, and what is said of it
UNREADABLE: dict[str, tuple[Callable[[Home], None], str]] = {
    "gone": (lambda h: h.config.unlink(), "no such file"),
    "not TOML": (lambda h: h.edit(h.config, "", "oops = ["), "not TOML"),
    "out of range": (lambda h: h.edit(h.config, "daily_loss = 0.02 ", "daily_loss = 2 "), "risk.daily_loss"),
    "a folder": (lambda h: h.into_a_folder(), "a folder"),
    "a blackout file that is gone": (lambda h: h.blackouts.unlink(), "days.csv"),
    "an .env that cannot be": (lambda h: h.edit(h.env, "", "HYDRA_ALPACA__SECRET='hunter2\n"), ".env:1"),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_read_has_no_hash_and_says_why(home: Home, what: str) -> None:
    spoil, words = UNREADABLE[what]
    home.watch.look()
    spoil(home)
    standing = home.watch.look()
    assert standing.policy_hash == ""
    assert any(words in change for change in standing.changed), standing
    assert "hunter2" not in str(standing)


def test_a_comment_and_another_way_to_write_a_number_are_no_change(home: Home) -> None:
    home.edit(home.config, "daily_loss = 0.02 ", "daily_loss = 0.020 # as before ")
    assert home.watch.look() == (home.setup.policy.hash, ())


def test_a_file_that_is_named_only_now_is_watched_too(home: Home, tmp_path: Path) -> None:
    (tmp_path / "others.toml").write_text(FAULTS, encoding="utf-8")
    home.edit(home.config, 'faults = "faults.toml"', 'faults = "others.toml"')
    first = home.watch.look()
    (tmp_path / "others.toml").write_text(FAULTS.replace("2", "3"), encoding="utf-8")
    assert home.watch.look().policy_hash != first.policy_hash


def test_an_old_file_copied_over_the_new_one_is_noticed(home: Home) -> None:
    home.watch.look()
    seen = home.config.stat()
    home.edit(home.config, "daily_loss = 0.02 ", "daily_loss = 0.01 ")
    os.utime(home.config, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert home.watch.look().changed


def test_a_policy_made_in_memory_looks_at_no_file(home: Home) -> None:
    made = Setup(
        config=Path("nowhere.toml"),
        state_dir=home.setup.state_dir,
        log_dir=home.setup.log_dir,
        policy=home.setup.policy,
        journal_key=None,
    )
    assert made.standing() == (home.setup.policy.hash, ())


def test_a_look_at_what_has_not_changed_costs_next_to_nothing(home: Home) -> None:
    """Some microseconds; the bound is wide, for the machine may be busy."""
    home.watch.look()
    spent = []
    for _ in range(50):
        began = perf_counter()
        home.watch.look()
        spent.append(perf_counter() - began)
    assert sorted(spent)[25] < 0.001


def test_the_repositorys_configurations_are_watched_as_they_are_read() -> None:
    for name in ("paper.toml", "dev.toml", "alpaca-paper.toml"):
        setup = read_setup(ROOT / "configs" / name, Path("state"), Path("logs"), {})
        assert setup.standing() == (setup.policy.hash, ())
