"""``[qc] checks``: what other packages bring is found, and whatever is wrong with it, nothing is allowed that should not be.

The checks are installed in a folder of their own, and the real command is run.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.conftest import program
from tests.e2e.place import PAPER, Place, Told
from tests.qc import foreign_checks

__all__ = ["program"]  # a fixture

METADATA = "Metadata-Version: 2.1\nName: foreign-checks\nVersion: 1\n"
BROKEN = {
    "hangs": "no answer within 0.3 s",
    "hangs_making": "no checks were made within 0.3 s",
    "raises": "SystemExit: away",
    "makes_none": "it made no check",
    "makes_nonsense": "it made 'yes', which is no check",
    "answers_yes": "the check answered with True",
    "another_name": "what is installed as the check another_name calls itself well",
    "no_plug": "what is installed as the check no_plug is 'yes', no check",
    "nowhere": "the check could not be loaded: BadConfig: checks: 'nowhere' (foreign_checks:nowhere) cannot be loaded",
    "unimportable": "the check could not be loaded: ValueError: not today",
}
"""Every way in which a critical check can be broken, and what is said of it."""
SOUND = ("well", "speaks", "hangs_quietly")


@pytest.fixture
def place(tmp_path: Path, program: Path) -> Place:
    """A place with the momentum bots, and a package of checks beside Hydra's."""
    folder, site = tmp_path / "place", tmp_path / "site"
    (folder / "configs").mkdir(parents=True)
    text = PAPER.read_text(encoding="utf-8")
    (folder / "configs" / "paper.toml").write_text(text[: text.index('[[bots]]\nid = "spy-put-spread"')])
    (site / "foreign_checks-1.dist-info").mkdir(parents=True)
    shutil.copy(foreign_checks.__file__, site / "foreign_checks.py")
    (site / "unimportable_checks.py").write_text("raise ValueError('not today')\n")
    points = "".join(f"{name} = foreign_checks:{name}\n" for name in (*SOUND, *BROKEN) if name != "unimportable")
    points = f"[hydra.checks]\n{points}unimportable = unimportable_checks:one\n"
    (site / "foreign_checks-1.dist-info" / "METADATA").write_text(METADATA)
    (site / "foreign_checks-1.dist-info" / "entry_points.txt").write_text(points)
    return Place(folder=folder, program=program, env={"PYTHONPATH": str(site)})


def asked(place: Place, checks: Sequence[str]) -> Told:
    place.configure({"\nchecks = []  ": f"\nchecks = {list(checks)!r}  "})
    return place.hydra("qc", "--json")


def certificates(place: Place) -> int:
    return sum(event["kind"] == "certified" for event in place.events())


def imported(place: Place) -> bool:
    return (place.folder / "foreign-checks-were-imported").exists()


def test_what_is_installed_and_not_named_is_never_imported(place: Place) -> None:
    told = asked(place, ())
    assert told.code == 0, told.text
    assert not imported(place)
    assert certificates(place) == 1


def test_an_advisory_check_that_hangs_with_the_engine_in_its_hands_warns_and_neither_blocks_nor_is_waited_for(
    place: Place,
) -> None:
    began = time.monotonic()
    place.configure({"\nchecks = []  ": f"\nchecks = {list(SOUND)!r}  "})
    told = place.cold("qc", "--json")  # from an interpreter that ends as interpreters do
    assert told.code == 0, told.text
    assert time.monotonic() - began < 45  # for ever is longer
    answers = {check["name"]: check for check in told.document["checks"]}
    assert [answers[name]["status"] for name in SOUND] == ["pass", "pass", "warn"]
    assert answers["hangs_quietly"]["critical"] is False
    assert answers["hangs_quietly"]["question"] == "Is hangs_quietly well?"
    assert answers["hangs_quietly"]["remedy"] == "mend hangs_quietly"
    kinds = [event["kind"] for event in place.events()]
    assert kinds.index("certified") < kinds.index("run_closed")
    assert place.hydra("status", "--json").code == 0  # the lock is free again


def test_every_way_in_which_a_critical_check_can_be_broken_is_a_no_of_its_name_and_no_certificate(place: Place) -> None:
    told = asked(place, tuple(BROKEN))
    assert told.code == 1, told.text
    failed = {check["name"]: check["reason"] for check in told.document["checks"] if check["status"] == "fail"}
    assert failed.keys() == BROKEN.keys()
    assert {name: failed[name].startswith(reason) for name, reason in BROKEN.items()} == dict.fromkeys(BROKEN, True)
    assert all(check["critical"] for check in told.document["checks"] if check["status"] == "fail")
    assert certificates(place) == 0
    refused = place.hydra("run", "--json")
    assert refused.code == 3
    assert "there is no certificate" in refused.document["error"]


@pytest.mark.parametrize(
    ("checks", "reason"),
    [
        (["absent"], "qc.checks[0]: unknown name 'absent'; there are: "),
        (["well", "well"], "qc.checks[1]: 'well' is named twice"),
        (["halts"], "qc.checks[0]: 'halts' is asked anyway"),
    ],
)
def test_a_name_that_is_not_there_or_not_to_be_named_refuses_to_start(
    place: Place, checks: list[str], reason: str
) -> None:
    told = asked(place, checks)
    assert told.code == 2
    (check,) = [check for check in told.document["checks"] if check["status"] == "fail"]
    assert check["name"] == "configuration"
    assert reason in check["reason"]
    assert reason in told.document["error"]
    assert not imported(place)
