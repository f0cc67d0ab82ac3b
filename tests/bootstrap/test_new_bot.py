"""``hydra bots new``: what it writes works as it is written, and nothing is written over."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.making import make_bots
from hydra.bootstrap.new_bot import write_bot
from hydra.model.errors import BadConfig
from hydra.policy import Policy
from tests.bootstrap.test_config import PAPER_TEXT


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "configs" / "policy.toml"
    path.parent.mkdir()
    path.write_text(PAPER_TEXT, encoding="utf-8")
    return path


def loaded(config: Path) -> Policy:
    return load_policy(config, {}, None)


def test_the_bot_that_is_written_is_made_by_the_entry_that_is_shown_and_its_test_passes(config: Path) -> None:
    new = write_bot(config, loaded(config), "dip_buyer")
    assert [path.relative_to(config.parent).as_posix() for path in new.written] == [
        "bots/dip_buyer.py",
        "bots/test_dip_buyer.py",
    ]
    config.write_text(f"{PAPER_TEXT}\n{new.entry}", encoding="utf-8")
    policy = loaded(config)
    assert policy.bots[-1].id == "dip-buyer"
    assert callable(make_bots(policy)["dip-buyer"])
    passed = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(config.parent / "bots")],
        capture_output=True,
        check=False,
        cwd=config.parent,
        text=True,
        timeout=60,
    )
    assert passed.returncode == 0, passed.stdout
    assert "4 passed" in passed.stdout


def test_the_bot_is_about_twenty_lines_and_its_files_say_their_names(config: Path) -> None:
    bot, test = (path.read_text(encoding="utf-8") for path in write_bot(config, loaded(config), "dip").written)
    code = [line for line in bot.splitlines() if line.strip() and not line.strip().startswith('"""')]
    assert len(code) <= 21
    assert not {"NAME", "ID"} & set((bot + test).replace('"', " ").replace(":", " ").split())
    for text in (bot, test):
        compile(text, "written", "exec")
        assert max(len(line) for line in text.splitlines()) <= 120


# a name, and what is wrong with it
NAMES = [
    ("Dip", "expected lower-case letters"),
    ("dip buyer", "expected lower-case letters"),
    ("../dip", "expected lower-case letters"),
    ("1dip", "expected lower-case letters"),
    ("", "expected lower-case letters"),
    ("d" * 33, "at most 32"),
    ("class", "Python has a word or a module of that name"),
    ("match", "Python has a word or a module of that name"),
    ("random", "Python has a word or a module of that name"),
    ("hydra", "Python has a word or a module of that name"),
    ("spy_trend", "taken; the configuration has a bot 'spy-trend'"),
]


@pytest.mark.parametrize(("name", "said"), NAMES)
def test_a_name_that_cannot_be_is_refused_and_nothing_is_written(config: Path, name: str, said: str) -> None:
    with pytest.raises(BadConfig, match=said):
        write_bot(config, loaded(config), name)
    assert not (config.parent / "bots").exists()


@pytest.mark.parametrize("there", ["dip.py", "test_dip.py"])
def test_nothing_is_written_over(config: Path, there: str) -> None:
    bots = config.parent / "bots"
    bots.mkdir()
    (bots / there).symlink_to("nowhere")
    with pytest.raises(BadConfig, match=rf"{there}: exists; nothing is written over"):
        write_bot(config, loaded(config), "dip")
    assert [path.name for path in bots.iterdir()] == [there]


def test_a_folder_that_cannot_be_written_is_refused_by_name(config: Path) -> None:
    (config.parent / "bots").write_text("a file", encoding="utf-8")
    with pytest.raises(BadConfig, match="bots: cannot be written"):
        write_bot(config, loaded(config), "dip")
