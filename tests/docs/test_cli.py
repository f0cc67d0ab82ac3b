"""The reference of the command line has every command, option, exit code and key, and none that does not exist."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from hydra.bootstrap.environment import RESERVED
from hydra.bootstrap.setup import read_setup
from hydra.bootstrap.writer import Writer
from hydra.cli.commands import (
    bots,
    broker_test,
    check_io,
    doctor,
    flatten,
    init,
    operator,
    qc,
    replay,
    run,
    status,
    tournament,
    verify_balance,
)
from hydra.cli.frame import EXIT_CODES, Frame
from hydra.cli.main import app, main
from hydra.engine.cycle import answered
from hydra.model.snapshot import Answer, Failure
from tests.docs.make_events import call, elsewhere, options
from tests.docs.pages import ROOT, read, rows, sections

PAGE = read("reference/cli.md")
_ROOT: Any = get_command(app)


def inner_of(outer: Any) -> Mapping[str, Any]:
    """The commands of a group, and with the empty name what is a command by itself."""
    inside = getattr(outer, "commands", None)
    if inside is None:
        return {"": outer}
    return {"": outer, **inside} if outer.invoke_without_command else inside


COMMANDS: Mapping[str, Any] = {
    f"{name} {inner}" if inner else name: command
    for name, outer in _ROOT.commands.items()
    for inner, command in inner_of(outer).items()
}
PARTS = sections(PAGE, 2)
SECTIONS = {title.removeprefix("hydra "): text for title, text in sections(PAGE, 3).items()}


def names_of(command: Any) -> dict[str, str]:
    """Help by long name of every option and argument."""
    named = {}
    for parameter in command.params:
        metavar = parameter.metavar or (parameter.name or "").upper()
        longest = max(parameter.opts, key=len) if parameter.param_type_name == "option" else metavar
        named[longest] = getattr(parameter, "help", None) or ""
    return named


def code_cells(text: str) -> list[str]:
    """The first cells that are one piece of code, in order."""
    return [row[0].strip("`") for row in rows(text) if row[0].startswith("`")]


def common() -> Iterator[tuple[str, set[str]]]:
    """Every common option with the commands that take it."""
    for option, takers, _ in rows(PARTS["Common options"]):
        assert takers.startswith("all")
        yield option.strip("`"), set(COMMANDS) - set(re.findall(r"`([^`]+)`", takers))


def test_every_command_is_documented_and_no_other() -> None:
    assert list(SECTIONS) == list(COMMANDS)
    assert re.findall(r"^\| \[`hydra ([a-z -]+)`\]", PAGE, re.MULTILINE) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_documented_and_no_other(name: str) -> None:
    own = [cell for cell in code_cells(SECTIONS[name]) if cell.startswith("--") or cell.isupper() or "..." in cell]
    shared = [option for option, takers in common() if name in takers]
    assert sorted(own + shared) == sorted(names_of(COMMANDS[name]))


def test_the_options_of_the_program_itself_are_documented() -> None:
    for option in names_of(_ROOT):
        assert f"`hydra {option}`" in PAGE


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str) -> None:
    assert len((COMMANDS[name].help or "").split()) >= 3
    for option, text in names_of(COMMANDS[name]).items():
        assert len(text.split()) >= 3, option


def test_every_exit_code_is_documented_in_the_same_words() -> None:
    assert {int(row[0]): row[1] for row in rows(PARTS["Exit codes"])} == dict(EXIT_CODES)


def test_every_variable_is_documented() -> None:
    documented = set(code_cells(PARTS["Environment"]))
    asked = {p.envvar for command in COMMANDS.values() for p in command.params if p.envvar}
    assert asked | set(RESERVED) <= documented
    assert documented - set(RESERVED) == {"HYDRA_SECTION__KEY", "NO_COLOR", "COLUMNS"}


FULL = {"seed", "storms", "asked", "trials", "again", "report", "voyage", "problems", "beats", "told"}
"""Keys of ``qc --full`` alone; tests/cli/test_full.py holds them against its documents."""


def keys_in(name: str) -> set[str]:
    """The documented keys of a command's document."""
    return {cell for cell in code_cells(SECTIONS[name]) if re.fullmatch(r"[a-z_]+", cell)}


def fail_once(place: Path, bot: str) -> None:
    """Journal a failed answer of a bot."""
    told = options(place)
    setup = read_setup(told["config"], told["state_dir"], told["log_dir"], {})
    failure = Failure(what=bot, kind="timeout", reason="no answer within 500 ms")
    with Writer(setup=setup, command="halt", recovering=False) as writer:
        writer.engine.record(answered(writer.engine.ledger.cycle, [Answer(bot=bot, failure=failure)]))
        writer.engine.settle()


def test_every_key_of_a_document_is_documented_and_no_other(place: Path) -> None:
    run_options = dict.fromkeys(("interval", "speed", "data", "seed")) | {"cycles": 3, "live": False}

    def keys(entry: Any, name: str, /, **more: Any) -> set[str]:
        result = call(entry.command, name, place, **more)
        assert result.exit_code == 0, result.document
        return set(result.document)

    with elsewhere(place):
        assert keys(check_io, "check-io") == keys_in("check-io")
        assert keys(qc, "qc") == keys_in("qc") - FULL
        assert keys(run, "run", **run_options) == keys_in("run")
        assert keys(status, "status", watch=False) == keys_in("status")
        assert keys(replay, "replay", log=[place / "logs"]) == keys_in("replay")
        assert keys(operator, "halt", reason="a test") == keys_in("halt") - {"path"}
        assert keys(operator, "resume", reason="a test", force=False) == keys_in("resume") - {"path"}
        assert keys(flatten, "flatten", bot="", yes=True, timeout=120.0) == keys_in("flatten") - {"path"}
        assert keys(operator, "resume", reason="a test", force=False) == keys_in("resume") - {"path"}
        examined = keys(doctor, "doctor", fix=False, accept_foreign=True, yes=False)
        assert examined == keys_in("doctor") - {"path"}
        assert keys(broker_test, "test-broker", reconnect=False) == keys_in("test-broker")
        asked = {"expect_equity": None, "tolerance": None}
        assert keys(verify_balance, "verify-balance", **asked) == keys_in("verify-balance")
        failed = {"bot": "spy-trend", "reason": "", "forget": True}
        fail_once(place, "spy-trend")
        assert keys(operator, "bots release", **failed) == keys_in("bots release") - {"path"}
        assert keys(bots, "bots list") == keys_in("bots list") - {"enabled", "disabled", "quarantined", "benched"}
        voting = dict.fromkeys(("interval", "data", "speed", "granularity", "control"))
        voting |= {
            "assets": ["BTC-USD"],
            "market": "synthetic",
            "iterations": 2,
            "recorded_votes": False,
            "paper": True,
        }
        voting |= {"config": ROOT / "configs" / "tournament.toml"}
        voted = keys(tournament, "tournament", replay=None, **voting)
        assert voted | keys(tournament, "tournament", replay="latest", **voting) == keys_in("tournament")
        shutil.copy(ROOT / "configs" / "paper.toml", place / "paper.toml")
        assert keys(bots, "bots new", name="dip_buyer", config=place / "paper.toml") == keys_in("bots new")
        new = {"folder": place / "new", "broker": "sim", "json": True, "debug": False}
        assert set(init.command(Frame(command="init", options=new)).document) == keys_in("init")


def test_a_word_left_in_the_inbox_has_the_documented_keys(place: Path) -> None:
    from hydra.adapters.lock import WriterLock
    from hydra.bootstrap.setup import this_process

    with elsewhere(place):
        (place / "state").mkdir()
        with WriterLock(place / "state" / "lock", this_process("run")):
            result = operator.command(Frame(command="halt", options=options(place, reason="a test")))
    assert set(result.document) == keys_in("halt")


def test_a_line_that_cannot_be_read_answers_with_the_documented_keys(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hydra", "run", "--cycles", "0", "--json"])
    with pytest.raises(SystemExit) as ending:
        main()
    assert ending.value.code == 2
    document = json.loads(capfd.readouterr().out)
    assert set(document) == {cell for cell in code_cells(PARTS["The document"]) if re.fullmatch(r"[a-z_]+", cell)}
    assert document["kind"] == "Usage"
