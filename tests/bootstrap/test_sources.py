"""Bots from files and modules: found, refused with file and line, and part of what the program is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hydra.adapters.fingerprint import CodeFingerprint
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.making import bots_that_can_be_made, make_bots
from hydra.bootstrap.plugs import foreign_sources
from hydra.bootstrap.sources import file_of, load_source
from hydra.model.errors import BadConfig
from hydra.policy import Policy
from tests.bootstrap.test_config import PAPER_TEXT

ENTRY = """
[[bots]]
id = "mine"
bot = "{bot}"
enabled = true
bucket = "momentum"
symbols = ["SPY"]
trades_per_day = 4
positions = 1
stop_loss = 0.01
session = {{ trade_start = "09:35", trade_end = "15:30", manage_until = "15:55" }}
"""
QUIET = "def make(setting):\n    return lambda view, memory: ([], memory)\n"


def configured(folder: Path, bot: str, text: str | None = QUIET) -> Policy:
    """The paper policy with one more bot, whose file holds ``text``."""
    (folder / "bots").mkdir(parents=True, exist_ok=True)
    if text is not None:
        (folder / "bots" / "mine.py").write_text(text, encoding="utf-8")
    config = folder / "policy.toml"
    config.write_text(PAPER_TEXT + ENTRY.format(bot=bot), encoding="utf-8")
    return load_policy(config, {}, None)


def test_a_file_is_found_from_the_folder_of_the_configuration_wherever_the_command_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    policy = configured(tmp_path, "bots/mine.py:make")
    assert policy.bots[-1].bot == f"{tmp_path / 'bots' / 'mine.py'}:make"
    assert Policy.model_validate(policy.document()).hash == policy.hash
    assert make_bots(policy)["mine"](None, {}) == ([], {})  # type: ignore[arg-type]  # it looks at nothing


def test_a_module_is_imported_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_modular_bots.py").write_text(QUIET, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    policy = configured(tmp_path, "my_modular_bots:make", None)
    assert callable(make_bots(policy)["mine"])
    assert foreign_sources(policy) == (tmp_path / "my_modular_bots.py",)


def test_two_files_of_one_name_are_two_modules_and_neither_shadows_a_package(tmp_path: Path) -> None:
    texts = {"a": "json = 1\ndef make(s): return 'a'\n", "b": "def make(s): return 'b'\n"}
    made = []
    for folder, text in texts.items():
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "json.py").write_text(text, encoding="utf-8")
        made.append(load_source(f"{tmp_path}/{folder}/json.py:make", "bots (x).bot")(None))
    assert made == ["a", "b"]
    assert "loads" in vars(sys.modules["json"])


def test_a_file_is_compiled_as_it_is_now_and_leaves_nothing_behind(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    for number in (1, 2):
        file.write_text(f"def make(s): return {number}\n", encoding="utf-8")
        assert load_source(f"{file}:make", "k")(None) == number
    assert [path.name for path in tmp_path.iterdir()] == ["mine.py"]


# what stands in the file, what the bot is called, what the refusal says
BROKEN = [
    (None, "bots/mine.py:make", "mine.py cannot be read: No such file or directory"),
    ("def make(setting) return 1", "bots/mine.py:make", "mine.py, line 1: SyntaxError: expected ':'"),
    ("\n\nimport nowhere_at_all\n", "bots/mine.py:make", "mine.py, line 3: ModuleNotFoundError: No module named"),
    ("x = 1\n1 / 0\n", "bots/mine.py:make", "mine.py, line 2: ZeroDivisionError: division by zero"),
    ("raise SystemExit(3)\n", "bots/mine.py:make", "mine.py, line 1: SystemExit: 3"),
    ("import helper\n", "bots/mine.py:make", "mine.py, line 1: ModuleNotFoundError: No module named 'helper'"),
    ("def make(s): pass\ndef _no(s): pass\n", "bots/mine.py:mak", "has no 'mak'; callable there: make"),
    ("", "bots/mine.py:make", "has no 'make'; callable there: nothing"),
    ("make = 3\n", "bots/mine.py:make", "'make' in "),
    ("make = 3\n", "bots/mine.py:make", "is a int, not something to be called"),
    ("def make(s): return 3\n", "bots/mine.py:make", "made a int, not a bot"),
    ("def make(): pass\n", "bots/mine.py:make", "TypeError: make() takes 0 positional arguments but 1 was given"),
    ("def make(s):\n    return s.nothing\n", "bots/mine.py:make", "mine.py, line 2: AttributeError"),
    (
        "from hydra.model.errors import BadConfig\ndef make(s):\n    raise BadConfig('parameters: no')\n",
        "bots/mine.py:make",
        "bots (mine): parameters: no",
    ),
    ("class Odd(Exception):\n    def __str__(self): raise self\nraise Odd\n", "bots/mine.py:make", "cannot be shown"),
    (QUIET, "nowhere.at_all:make", "ModuleNotFoundError: No module named 'nowhere'"),
    (QUIET, "json:nothing", "json has no 'nothing'; callable there: "),
    (QUIET, "mining", "unknown name 'mining'; there are: crypto, momentum, options"),
]


@pytest.mark.parametrize(("text", "bot", "said"), BROKEN, ids=[f"{n}" for n in range(len(BROKEN))])
def test_what_is_wrong_with_a_bot_is_said_with_its_key_and_where_it_is(
    tmp_path: Path, text: str | None, bot: str, said: str
) -> None:
    policy = configured(tmp_path, bot, text)
    (tmp_path / "bots" / "helper.py").write_text("", encoding="utf-8")
    with pytest.raises(BadConfig) as caught:
        make_bots(policy)
    assert str(caught.value).startswith("bots (mine)")
    assert said in str(caught.value)
    # Who only has to close positions goes on without it, and is told.
    bots, notes = bots_that_can_be_made(policy)
    assert "mine" not in bots
    assert len(bots) == len(policy.enabled_bots) - 1
    assert [said in note for note in notes] == [True]


def test_a_path_that_could_not_be_written_down_again_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="expected a path without a colon"):
        configured(tmp_path / "a:b", "bots/mine.py:make")


@pytest.mark.parametrize(
    ("name", "file"),
    [("momentum", None), ("a.py:make", "a.py"), ("b/c:make", "b/c"), ("mine.bots:make", None)],
)
def test_a_name_tells_what_it_points_at(name: str, file: str | None) -> None:
    assert file_of(name) == (None if file is None else Path(file))


def test_the_source_of_a_bot_belongs_to_the_hash_of_the_code(tmp_path: Path) -> None:
    policy = configured(tmp_path, "bots/mine.py:make")
    make_bots(policy)
    sources = foreign_sources(policy)
    assert sources == (tmp_path / "bots" / "mine.py",)
    fingerprint = CodeFingerprint(tmp_path / "bots" / "no-package", more=sources)
    first = fingerprint.hash()
    assert first != CodeFingerprint(tmp_path / "bots" / "no-package").hash()
    sources[0].write_text(QUIET + "# edited\n", encoding="utf-8")
    second = fingerprint.hash()
    assert second != first
    sources[0].unlink()
    assert fingerprint.hash() not in (first, second)


def test_the_built_in_bots_add_nothing_to_it(tmp_path: Path) -> None:
    policy = configured(tmp_path, "momentum", None)
    assert foreign_sources(policy) == ()
