"""Which host asks the bots: nothing foreign is imported here where processes are for it, and what cannot be made is named."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest

from hydra.bootstrap.hosts import check_bots, open_host, process_host, replay_host
from hydra.model.errors import BadConfig
from hydra.model.isolation import INLINE
from hydra.model.snapshot import Answer
from hydra.policy import Policy
from tests.adapters.bots.hosts import FULL, OFFERED
from tests.bootstrap.test_sources import QUIET, configured
from tests.contracts.bot_host_contract import question

TELLS = """
import os, sys
def make(setting):
    return lambda view, memory: ([], {"pid": os.getpid(), "names": sorted(os.environ), "folder": os.getcwd()})
"""


def only(policy: Policy, *ids: str, **isolation: str) -> Policy:
    """The policy with these bots and no others."""
    bots = tuple(bot for bot in policy.bots if bot.id in ids)
    return policy.model_copy(update={"bots": bots, "isolation": policy.isolation.model_copy(update=isolation)})


def test_a_file_and_a_module_are_made_in_processes_and_never_imported_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYDRA_ALPACA__SECRET", "nobody-hears-this")
    package = tmp_path / "packaged_bots"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "inner.py").write_text(TELLS, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in (("bots/mine.py:make", TELLS), ("packaged_bots.inner:make", None)):
        policy = only(
            configured(tmp_path, name, text),
            "mine",
            guards="required" if OFFERED.landlock and OFFERED.seccomp else "offered",
        )
        before = set(sys.modules)
        host, notes = open_host(policy, (tmp_path / "state",), needed=True)
        with closing(host):
            (answer,) = host.ask([question("mine")])
        assert (answer.failure, notes) == (None, [])
        assert answer.memory is not None
        assert not [name for name in answer.memory["names"] if name.startswith("HYDRA")]
        assert answer.memory["folder"] == "/"
        assert not [new for new in set(sys.modules) - before if "packaged_bots" in new or new.startswith("hydra_file_")]


@pytest.mark.parametrize("host", ["inline", "process"])
def test_a_bot_that_cannot_be_made_is_named_with_its_line_by_either_host(tmp_path: Path, host: str) -> None:
    text = "def make(setting):\n    raise RuntimeError('no luck')\n"
    policy = only(configured(tmp_path, "bots/mine.py:make", text), "mine", "spy-trend", host=host)
    with pytest.raises(BadConfig) as caught:
        check_bots(policy)
    assert str(caught.value) == f"bots (mine): {tmp_path}/bots/mine.py, line 2: RuntimeError: no luck"


def test_one_that_ends_its_process_while_it_is_imported_is_named_too(tmp_path: Path) -> None:
    policy = only(configured(tmp_path, "bots/mine.py:make", "import os\nos._exit(9)\n"), "mine")
    with pytest.raises(BadConfig, match=r"^bots \(mine\): mine: exited with code 9 while it was being made$"):
        check_bots(policy)


def test_where_guards_are_required_and_nothing_keeps_bots_apart_none_is_made(tmp_path: Path) -> None:
    policy = only(
        configured(tmp_path, "bots/mine.py:make", "raise SystemExit\n"), "mine", host="inline", guards="required"
    )
    host, notes = open_host(policy, (), needed=True)
    assert (host.isolation, notes) == (INLINE, [])
    (answer,) = host.ask([question("mine")])
    assert answer.failure is not None
    assert answer.failure.kind == "missing"


def test_a_command_that_needs_no_bots_starts_none_until_they_are_asked(tmp_path: Path) -> None:
    policy = only(configured(tmp_path, "bots/mine.py:make", "raise SystemExit\n"), "mine")
    host, notes = open_host(policy, (), needed=False)
    with closing(host):
        assert (host.isolation.held, notes) == ((), [])
        (answer,) = host.ask([question("mine")])
    assert answer.failure is not None
    assert answer.failure.kind == "unfit"
    assert "SystemExit" in answer.failure.reason


def test_a_replay_asks_foreign_bots_in_processes_and_its_own_here(tmp_path: Path) -> None:
    policy = only(configured(tmp_path, "bots/mine.py:make", TELLS), "mine", "spy-trend")
    before = set(sys.modules)
    with closing(replay_host(policy)) as host:
        own, foreign = host.ask([question("spy-trend"), question("mine")])
    assert own == Answer(bot="spy-trend")
    assert foreign.memory is not None
    assert not [new for new in set(sys.modules) - before if new.startswith("hydra_file_")]


@FULL
def test_a_bot_reads_its_own_code_and_no_file_beside_it(tmp_path: Path) -> None:
    beside = tmp_path / "bots" / "secret.txt"
    text = QUIET + f"print(open({str(beside)!r}).read())\n"
    policy = only(configured(tmp_path, "bots/mine.py:make", text), "mine")
    beside.write_text("nobody", encoding="utf-8")
    host = process_host(policy, policy.enabled_bots, (), deadline_ms=1000)
    with closing(host):
        unfit = host.start()
    assert f"Permission denied: '{beside}'" in unfit["mine"]
