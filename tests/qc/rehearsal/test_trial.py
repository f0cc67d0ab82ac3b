"""The trial: voyages on every core, what it says, and the command that repeats what failed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra.bootstrap.rehearsal import world
from hydra.policy import Policy
from hydra.qc.rehearsal.world import World
from hydra.qc.trial import Trial
from hydra.qc.trials import rehearsal
from tests.qc.rehearsal.stages import deadly, eager, paper, unguarded, with_bots

CONFIG = Path("my configs/paper.toml")


def trial(
    folder: Path,
    policy: Policy,
    *,
    storms: int = 2,
    cores: int = 2,
    worlds: Callable[[Policy, int, int], World] = world,
) -> Trial:
    heard: list[tuple[str, int, int]] = []
    return Trial(
        policy=policy,
        config=CONFIG,
        seed=5,
        storms=storms,
        cores=cores,
        folder=folder,
        world=worlds,
        tools={"heard": heard},
        progress=lambda name, done, of: heard.append((name, done, of)),
    )


def test_every_claim_of_a_sound_policy_holds_and_what_was_played_is_told(tmp_path: Path) -> None:
    one = trial(tmp_path, paper())
    found = rehearsal.ask(one)
    assert found.good is True
    told = one.told["rehearsal"]
    assert json.loads(json.dumps(told)) == told
    assert told["voyages"] == 2
    assert told["cycles"] > 1_000
    assert sum(told["claims"].values()) > told["cycles"]
    assert told["pairs"]["planned"] == 36
    assert told["pairs"]["met"] + len(told["pairs"]["missed"]) == 36
    assert set(told["crossed"]) - {"recovery"} <= set(told["regimes"])
    assert "2 voyages" in found.reason
    assert one.tools["heard"][-1] == ("rehearsal", 2, 2)
    assert (tmp_path / "rehearsal" / "1.journal").read_bytes().count(b"\n") > 500


def idle() -> dict[str, Any]:
    """A bot whose day is when shares do not trade."""
    evening = {"trade_start": "16:30", "trade_end": "17:00", "manage_until": "17:30"}
    return eager() | {"id": "idle", "session": evening}


def test_a_bot_that_never_entered_is_a_warning_beside_one_that_did(tmp_path: Path) -> None:
    one = trial(tmp_path, with_bots(idle(), eager()), storms=2)
    found = rehearsal.ask(one)
    assert found.good is True
    assert "idle never entered in 2 voyages" in found.reason
    assert "eager never entered" not in found.reason
    assert one.told["rehearsal"]["warnings"]


def test_a_rehearsal_in_which_no_bot_enters_has_shown_nothing(tmp_path: Path) -> None:
    found = rehearsal.ask(trial(tmp_path, with_bots(idle()), storms=1, cores=1))
    assert found.good is False
    assert found.reason.startswith("no bot entered in 1 voyages: nothing was shown; play more of them (--storms)")


def test_a_rehearsal_without_a_voyage_has_shown_nothing(tmp_path: Path) -> None:
    found = rehearsal.ask(trial(tmp_path, paper(), cores=0))
    assert found.good is False
    assert "no cycle came about in 0 voyages: nothing was shown" in found.reason


def test_a_claim_is_counted_only_when_there_was_something_to_judge(tmp_path: Path) -> None:
    one = trial(tmp_path, with_bots(eager()), storms=2)
    found = rehearsal.ask(one)
    claims = one.told["rehearsal"]["claims"]
    assert claims["what is held can be closed"] == 2
    assert claims["order_notional is never exceeded"] == one.told["rehearsal"]["entries"] > 0
    assert claims["no holding is unprotected for long without a halt"] < one.told["rehearsal"]["cycles"]
    assert not claims.get("a structure loses at most what it announced")
    assert claims["option_loss is never exceeded"] == 0
    assert "a warning: never put to the test: " in found.reason
    assert f"; {sum(many > 0 for many in claims.values())} claims held " in found.reason


def test_a_rule_whose_limit_nobody_here_can_work_out_is_said(tmp_path: Path) -> None:
    policy = with_bots(eager())
    rules = (*policy.risk.rules, "gut_feeling")
    one = trial(tmp_path, policy.model_copy(update={"risk": policy.risk.model_copy(update={"rules": rules})}), cores=0)
    assert "nobody here can work out the limit of gut_feeling, so it was not judged" in rehearsal.ask(one).reason


def test_a_broken_claim_is_named_with_its_numbers_and_the_command_that_repeats_it(tmp_path: Path) -> None:
    one = trial(tmp_path, with_bots(eager(), risk={"order_notional": 100}), worlds=unguarded)
    found = rehearsal.ask(one)
    assert found.good is False
    assert "order_notional is never exceeded: buy " in found.reason
    assert "is above 100" in found.reason
    broken = one.told["rehearsal"]["broken"][0]
    assert found.reason.endswith(f"again: {broken['again']}")
    words = shlex.split(broken["again"])
    assert words[:5] == ["hydra", "qc", "--full", "--config", str(CONFIG)]
    assert words[5:] == ["--seed", "5", "--voyage", str(broken["voyage"])]
    assert broken["beats"] < 60
    assert any("BROKEN" in line for line in broken["told"])


def test_a_voyage_that_ends_its_process_is_a_no_with_its_number(tmp_path: Path) -> None:
    found = rehearsal.ask(trial(tmp_path, with_bots("spy-trend"), storms=3, cores=1, worlds=deadly))
    assert found.good is False
    assert found.reason.startswith("voyage 2 has no answer: ")
    assert "--voyage 2" in found.reason


def test_a_rehearsal_that_ends_by_time_says_so(tmp_path: Path) -> None:
    one = trial(tmp_path, with_bots(eager()), storms=4, cores=1)
    found = rehearsal.ask(one, seconds=0.001)
    assert found.good is True
    assert "ended by time after 1 of 4 voyages" in found.reason
