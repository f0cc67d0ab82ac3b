"""A configuration that cannot be used is a failed check ``configuration`` in the table and in the document, and exit code 2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console

from hydra.cli.commands import broker_test, check_io, qc, verify_balance
from hydra.cli.frame import Frame, Result
from hydra.model.errors import BadConfig
from tests.e2e.place import PAPER

COMMANDS: Mapping[str, ModuleType] = {
    "check-io": check_io,
    "test-broker": broker_test,
    "verify-balance": verify_balance,
    "qc": qc,
}
WRONG: Mapping[str, tuple[str, str, str]] = {
    "negative limit": ("\ndaily_loss = 0.02 ", "\ndaily_loss = -0.02 ", "risk.daily_loss"),
    "not a number": ("\ndrawdown = 0.06 ", "\ndrawdown = nan ", "risk.drawdown"),
    "more than all of the risk": ("\noptions = 0.50 ", "\noptions = 0.60 ", "add up to 1.1"),
    "unknown key": ("\nspread = 0.01 ", "\nspreed = 0.01 ", "spreed"),
    "unknown rule": ('    "daily_loss", "drawdown",', '    "daily_loss", "gut",', "unknown name 'gut'"),
    "a required gate left out": ('"mode", "certificate",', '"mode",', "certificate may not be left out"),
    "unknown check": ("\nchecks = []  ", '\nchecks = ["moon"]  ', "unknown name 'moon'"),
    "no toml": ("\n[broker]", "\n[broker", "configs/paper.toml"),
}


def ask(command: str, folder: Path, *, debug: bool = False) -> Result:
    folders = {"config": folder / "configs" / "paper.toml", "state_dir": folder / "state", "log_dir": folder / "logs"}
    own: dict[str, Any] = {"reconnect": False, "expect_equity": None, "tolerance": None, "full": False, "debug": debug}
    run: Callable[[Frame], Result] = COMMANDS[command].command
    return run(Frame(command=command, options={**folders, **own, "json": True}))


def place(folder: Path, before: str, after: str) -> Path:
    text = PAPER.read_text(encoding="utf-8")
    assert before in text
    (folder / "configs").mkdir()
    (folder / "configs" / "paper.toml").write_text(text.replace(before, after, 1), encoding="utf-8")
    return folder


def shown(result: Result) -> str:
    out = StringIO()
    result.show(Console(file=out, width=200, color_system=None))
    return out.getvalue()


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("command", COMMANDS)
def test_it_is_a_failed_check_with_the_reason_and_the_exit_code_of_a_configuration(
    tmp_path: Path, command: str, wrong: str
) -> None:
    before, after, reason = WRONG[wrong]
    told = ask(command, place(tmp_path, before, after))
    assert told.exit_code == 2
    failed = [check for check in told.document["checks"] if check["status"] == "fail"]
    assert [check["name"] for check in failed] == ["configuration"]
    assert reason in failed[0]["reason"]
    assert failed[0]["question"].endswith("?")
    assert failed[0]["remedy"]
    assert (told.document["error"], told.document["kind"]) == (failed[0]["reason"], "BadConfig")
    assert "FAIL  configuration" in shown(told)
    assert "Traceback" not in shown(told)
    assert not list((tmp_path / "logs").glob("*.jsonl"))  # nothing was begun


@pytest.mark.parametrize("command", COMMANDS)
def test_debug_shows_where_it_was_refused(tmp_path: Path, command: str) -> None:
    with pytest.raises(BadConfig):
        ask(command, place(tmp_path, "\ndaily_loss = 0.02 ", "\ndaily_loss = -0.02 "), debug=True)


def test_a_bot_that_cannot_be_made_is_named_by_its_own_check(tmp_path: Path) -> None:
    text = place(tmp_path, 'signal = "sma_cross"  ', 'signal = "rate_of_change"  ')
    told = ask("qc", text)
    assert told.exit_code == 2
    failed = {check["name"]: check["reason"] for check in told.document["checks"] if check["status"] == "fail"}
    assert failed.keys() == {"bot spy-trend"}
    assert "bots (spy-trend)" in failed["bot spy-trend"]
