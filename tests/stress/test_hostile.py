"""The library of hostile bots: every one has its row, its factory and its words, and hurts nobody by being made."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

from hydra.bootstrap.making import make_bots
from hydra.bootstrap.stress import harmless, policy_of
from hydra.model.isolation import Guard
from hydra.qc.hostile import kit
from hydra.qc.hostile.table import ANSWERS, HOSTILE, PACKAGE

FOLDER = Path(kit.__file__).parent
NO_BOTS = {"__init__", "kit", "table", "good"}


def _factories() -> set[str]:
    """Every public function of the library that makes a bot."""
    return {
        f"{PACKAGE}.{path.stem}:{node.name}"
        for path in FOLDER.glob("*.py")
        if path.stem not in NO_BOTS
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


def test_every_factory_of_the_library_has_exactly_one_row() -> None:
    plugs = [hostile.plug for hostile in HOSTILE.values()]
    assert len(plugs) == len(set(plugs))
    assert set(plugs) == _factories()


@pytest.mark.parametrize("bot", HOSTILE)
def test_a_row_says_what_is_tried_and_how_it_may_end(bot: str) -> None:
    hostile = HOSTILE[bot]
    module, _, name = hostile.plug.partition(":")
    assert vars(import_module(module))[name].__doc__
    assert hostile.tries
    assert hostile.ends


def test_every_guard_has_somebody_who_tries_it() -> None:
    assert {hostile.held_by for hostile in HOSTILE.values()} >= set(Guard)


def test_everything_the_project_promises_to_withstand_is_tried() -> None:
    promised = """raises sleeps spins os-exit segfault allocates forks floods wrong-types nan-size negative-size unknown-symbol
        other-bots mutates prints just-before environment proc files deletes venue signals grandchild"""
    assert set(promised.split()) <= set(HOSTILE)


def test_a_policy_can_name_them_all_with_their_targets() -> None:
    policy = policy_of(HOSTILE, {"state": "/nowhere", "tcp": 1}, deadline_ms=500, host="process")
    assert len(policy.enabled_bots) == len(HOSTILE) + 1
    assert {bot.parameters["state"] for bot in policy.enabled_bots[:-1]} == {"/nowhere"}


def test_the_bots_that_hurt_nobody_can_be_made_here() -> None:
    made = make_bots(policy_of(harmless(), {}, deadline_ms=500, host="inline"))
    assert set(made) == {*harmless(), "good"}


def test_an_attempt_tells_a_refusal_from_what_only_went_wrong(tmp_path: Path) -> None:
    def forbidden() -> str:
        raise PermissionError(13, "no")

    assert kit.outcome_of(forbidden) == "refused: EACCES"
    assert kit.outcome_of(kit.reading(str(tmp_path / "missing"))).startswith("failed: FileNotFoundError")
    assert kit.outcome_of(lambda: None) == "nothing"
    assert kit.outcome_of(lambda: "all of it") == "GOT IT: all of it"


def test_a_key_that_was_found_is_told_by_its_hash(tmp_path: Path) -> None:
    key = "planted-" + "0" * 32
    path = tmp_path / ".env"
    path.write_text(f"SECRET={key}")
    told = kit.outcome_of(kit.reading(str(path)))
    assert told.startswith("GOT IT: ")
    assert "a key, sha256 " in told
    assert key not in told


def test_bots_that_answer_are_told_from_bots_that_cannot() -> None:
    assert ANSWERS in HOSTILE["files"].ends
    assert ANSWERS not in HOSTILE["segfault"].ends
