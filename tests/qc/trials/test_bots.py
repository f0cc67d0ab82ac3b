"""The trial of the bots, the user's and the hostile ones."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from hydra.qc.trials import bots
from tests.qc.trials.desk import policy_with, trial_on

GOOD_CROWD: dict[str, Any] = {
    "bots": [{"bot": "raises", "attempts": {"a": {"refused: no": 3}}}],
    "cycles": 2,
    "good_intents": 2,
    "seconds": 1.0,
    "isolation": {"host": "process", "held": ["files"], "open": []},
    "breaches": [],
    "problems": [],
}


def crowd(**changes: Any) -> Any:
    """Instead of the hostile bots: their report, or none."""
    words = orjson.dumps({**GOOD_CROWD, **changes}).decode()

    def command(_cycles: int, _deadline_ms: int) -> tuple[list[str], dict[str, str]]:
        return [sys.executable, "-S", "-c", f"print({words!r})"], {}

    return command


@pytest.mark.parametrize(
    ("bot", "words"),
    [
        ("sleepy", "failed when asked with no bars: timeout"),
        ("fickle", "asked the same twice (as it was)"),
        ("trusting", "failed when asked with no quotes: KeyError"),
    ],
)
def test_a_bot_that_would_fail_on_a_bad_day_is_a_no_with_what_it_was_shown(
    tmp_path: Path, bot: str, words: str
) -> None:
    found = bots.ask(trial_on(tmp_path, policy_with(bot, deadline_ms=40)))
    assert found.good is False
    assert f"coins {words}" in found.reason or f"coins, {words}" in found.reason


def test_inline_bots_are_asked_and_the_crowd_is_skipped_with_the_reason(tmp_path: Path) -> None:
    trial = trial_on(tmp_path, policy_with("steady"))
    found = bots.ask(trial)
    assert found.good is None
    assert "nothing keeps bots apart" in found.reason
    assert trial.told["bot_stress"]["asked"] > 40


@pytest.fixture(scope="module")
def asked_apart(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A trial whose own bots are well, in a process of their own; the crowd is each test's."""
    return trial_on(tmp_path_factory.mktemp("apart"), policy_with("steady", host="process"))


def test_a_crowd_that_got_nothing_passes_and_a_bot_in_its_own_process_is_asked(asked_apart: Any) -> None:
    asked_apart.tools["stress"] = crowd()
    found = bots.ask(asked_apart)
    assert found.good, found.reason
    assert asked_apart.told["bot_stress"]["attempts"] == {"refused": 3}


@pytest.mark.parametrize(
    ("report", "good", "words"),
    [
        ({"breaches": ["raises: GOT a key (1 times, against files which is held)"]}, False, "GOT a key"),
        ({"good_intents": 0}, False, "nothing was shown"),
        ({"bots": []}, False, "nothing was shown"),
        ({"problems": ["the longest ask took 900 ms"]}, True, "a warning: the longest ask took 900 ms"),
        (
            {
                "isolation": {"host": "process", "held": [], "open": ["files"]},
                "breaches": ["raises: GOT a key (1 times, against files which is open here)"],
            },
            None,
            "this machine offers nothing for files",
        ),
    ],
)
def test_what_the_crowd_got_decides(tmp_path: Path, report: dict[str, Any], good: bool | None, words: str) -> None:
    told: dict[str, Any] = {}
    answer, reason = bots.crowd_of(trial_on(tmp_path, policy_with(), stress=crowd(**report)), told)
    assert answer is good
    assert told["warnings"] == report.get("problems", [])
    assert words in reason


def test_a_crowd_without_a_report_is_a_no(tmp_path: Path) -> None:
    def command(_cycles: int, _deadline_ms: int) -> tuple[list[str], dict[str, str]]:
        return [sys.executable, "-S", "-c", "raise SystemExit('no such thing')"], {}

    answer, reason = bots.crowd_of(trial_on(tmp_path, policy_with(), stress=command), {"problems": []})
    assert answer is False
    assert "no such thing" in reason


@pytest.mark.drill
@pytest.mark.timeout(180)
def test_the_real_crowd_gets_nothing(tmp_path: Path) -> None:
    trial = trial_on(tmp_path, policy_with(deadline_ms=2000), stress_cycles=8)  # also on a busy machine
    answer, reason = bots.crowd_of(trial, {"problems": []})
    assert answer is not False, reason
