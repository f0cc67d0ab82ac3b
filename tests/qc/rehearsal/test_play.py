"""A voyage is the same wherever it is played, and one that breaks a claim is made small and told."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from hydra.bootstrap.rehearsal import world
from hydra.qc.rehearsal.play import again, made_small, play, played
from hydra.qc.rehearsal.shrink import Case, or_crash
from hydra.qc.rehearsal.story import tell
from hydra.qc.rehearsal.voyage import Spoil
from tests.machine.rigged import toothless
from tests.qc.rehearsal.stages import PAPER, SEED, case_of, digest, eager, paper, unguarded, with_bots

BEATS = 150


def tight() -> Case:
    """A bot that always enters, limits that it breaks where nobody holds them, and a part of a voyage."""
    policy = with_bots(eager(), risk={"order_notional": 100})
    return case_of(policy, 3, BEATS)


def test_a_voyage_of_the_default_policy_breaks_no_claim_and_replays() -> None:
    found = play(world, paper(), SEED, 4)
    assert found.problems == []
    assert found.tally["counts"]["cycles"] > 500
    assert found.tally["counts"]["voyages replayed"] == 1
    assert found.tally["claims"]["a halt stays until an operator lifts it"] > 500


def test_a_voyage_is_the_same_byte_for_byte_in_another_process() -> None:
    root = PAPER.parents[1]
    told = subprocess.run(
        [sys.executable, "-m", "tests.qc.rehearsal.stages", "1", str(BEATS)],
        cwd=root,
        env={**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert told.stdout.strip() == digest(1, BEATS)


def test_a_voyage_that_breaks_a_claim_is_made_small_and_told_beat_by_beat() -> None:
    spoil = Spoil(book=toothless)
    found = made_small(tight(), 3, spoil, tries=60)
    assert found.problems[0].startswith("order_notional is never exceeded")
    assert found.beats < 12
    assert found.tries <= 60
    assert found.told[0].startswith("account plain")
    assert any(line.strip().startswith("BROKEN: order_notional") for line in found.told)
    assert any("sent: entry of eager: buy" in line for line in found.told)


def test_a_small_case_breaks_the_same_claim_again_and_the_time_for_it_is_bounded() -> None:
    found = made_small(tight(), 3, Spoil(book=toothless), tries=60, seconds=0)
    assert found.tries <= 1
    assert found.problems


def test_a_voyage_that_holds_is_told_as_it_is() -> None:
    whole = case_of(with_bots("spy-trend"), 2)
    short = replace(whole, beats=whole.beats[:30])
    lines = tell(short)
    assert lines[1].split()[0] == "1"
    assert lines[-1].startswith("then nothing goes wrong any more") or "BROKEN" not in "".join(lines)
    assert not any("BROKEN" in line for line in lines)


def test_whatever_ends_the_engine_is_a_broken_claim_with_its_place() -> None:
    def fails() -> list[str]:
        raise ValueError("from nowhere")

    assert or_crash(fails)[0].startswith("the engine goes on: ValueError in ")
    case = replace(tight(), world=replace(tight().world, cast=lambda _: (_ for _ in ()).throw(RuntimeError("no cast"))))
    assert "no cast" in played(case, 1).problems[0]


def test_an_unguarded_voyage_is_repeated_by_its_number() -> None:
    policy = with_bots(eager(), risk={"order_notional": 100})
    found = again(unguarded, policy, SEED, 3, tries=4, seconds=20)
    assert found.problems[0].startswith("order_notional is never exceeded")
    assert found.beats < 576
