"""Nobody but the user (and root) may change what Hydra believes, or read its secrets; an ordinary installation passes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hydra.qc.check import Finding
from hydra.qc.permissions import Place, alone_in, ask, faults, places_of

ME = os.geteuid()


class Home:
    """An installation as a umask of 022 leaves it, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config, self.env = folder / "configs" / "paper.toml", folder / ".env"
        self.state, self.logs = folder / "state", folder / "logs"
        for made in (self.config.parent, self.state, self.state / "inbox", self.logs):
            made.mkdir(mode=0o755)
        for file in (self.config, self.env, self.state / "trading_state.db", self.logs / "run.001.jsonl"):
            file.write_text("x", encoding="utf-8")
            file.chmod(0o644)
        self.env.chmod(0o600)
        folder.chmod(0o755)

    @property
    def places(self) -> tuple[Place, ...]:
        return places_of(config=self.config, env_file=self.env, state_dir=self.state, log_dir=self.logs)

    def ask(self, user: int = ME, *, alone: bool = False) -> Finding:
        return ask(self.places, user, lambda _group, _user: alone)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "home").mkdir()
    return Home(tmp_path / "home")


def test_an_ordinary_installation_passes(home: Home) -> None:
    found = home.ask()
    assert found.good
    assert found.reason.startswith("7 files and folders")


def test_nothing_is_missed_before_the_first_start(tmp_path: Path) -> None:
    nowhere = tmp_path / "not-yet"
    found = ask(places_of(config=nowhere, env_file=nowhere, state_dir=nowhere, log_dir=nowhere), ME)
    assert found.good


# what is done to an ordinary installation, and what the refusal says
CLOSED: dict[str, tuple[Callable[[Home], None], str]] = {
    "a state folder everybody may write": (lambda h: h.state.chmod(0o777), "everybody may write"),
    "a sticky folder everybody may write": (lambda h: h.state.chmod(0o1777), "everybody may write"),
    "a segment everybody may write": (lambda h: (h.logs / "run.001.jsonl").chmod(0o666), "run.001.jsonl (mode 0666)"),
    "an inbox everybody may write": (lambda h: (h.state / "inbox").chmod(0o777), "the inbox: everybody may write"),
    "a store a shared group may write": (lambda h: (h.state / "trading_state.db").chmod(0o664), "the group "),
    "a configuration everybody may write": (lambda h: h.config.chmod(0o646), "the configuration: everybody may write"),
    "secrets everybody may read": (lambda h: h.env.chmod(0o604), "others may read"),
    "secrets a group may read": (lambda h: h.env.chmod(0o640), "mode 0640, expected 0600"),
    "a folder in which the configuration may be replaced": (lambda h: h.config.parent.chmod(0o777), "may replace"),
}


@pytest.mark.parametrize("what", CLOSED)
def test_what_others_may_change_or_read_is_a_no_and_named(home: Home, what: str) -> None:
    spoil, words = CLOSED[what]
    spoil(home)
    found = home.ask()
    assert found.good is False
    assert words in found.reason


def test_a_group_of_the_users_own_is_the_user(home: Home) -> None:
    for path in (home.state, home.logs, home.config):
        path.chmod(path.stat().st_mode | 0o020)
    assert home.ask(alone=True).good
    assert home.ask(alone=False).good is False


def test_a_team_may_share_the_inbox_and_it_is_said(home: Home) -> None:
    (home.state / "inbox").chmod(0o770)
    found = home.ask()
    assert found.good
    assert "may send commands through" in found.reason


def test_a_link_is_followed_and_said_and_one_that_leads_nowhere_is_a_no(home: Home, tmp_path: Path) -> None:
    elsewhere = tmp_path / "disk"
    home.state.rename(elsewhere)
    home.state.symlink_to(elsewhere)
    found = home.ask()
    assert found.good
    assert f"{home.state} leads to {elsewhere}" in found.reason
    elsewhere.chmod(0o777)
    assert home.ask().good is False
    elsewhere.rename(tmp_path / "gone")
    assert "which is not there" in home.ask().reason


def test_files_of_somebody_else_are_a_no_for_a_user_and_a_word_for_root(home: Home) -> None:
    """Asked for another user id: to that one, everything here is somebody else's."""
    other = 54_321
    found = home.ask(user=other)
    if ME == 0:
        assert found.good, "what root owns nobody else may change"
        os.chown(home.config, 12_345, 0)
        assert "belongs to user 12345, and this is user 54321" in home.ask(user=other).reason
        told = home.ask(user=0)
        assert told.good
        assert "and this is root" in told.reason
    else:
        assert found.good is False


def test_the_faults_carry_the_mode_that_mends_them(home: Home) -> None:
    home.env.chmod(0o664)
    (home.state / "trading_state.db").chmod(0o666)
    for fault in faults(home.places, ME, lambda _group, _user: False):
        assert fault.wanted is not None
        fault.path.chmod(fault.path.stat().st_mode & fault.wanted)
    assert home.ask().good
    assert home.env.stat().st_mode & 0o777 == 0o600


def test_many_faults_are_counted_and_some_named(home: Home) -> None:
    for number in range(20):
        file = home.logs / f"r.{number:03}.jsonl"
        file.touch()
        file.chmod(0o666)
    assert home.ask().reason.endswith("; and 14 more")


def test_a_group_nobody_knows_is_shared() -> None:
    assert alone_in(4_000_000, ME) is False
