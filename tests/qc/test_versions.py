"""The installed packages are those of the lock; without one, those the package asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from hydra.bootstrap.machine import LOCK, ask_versions
from hydra.qc.versions import ask, pinned

LOCKED = """# Written by hand for this test.
alpha==1.2.0 \\
    --hash=sha256:00 \\
    --hash=sha256:11
    # via beta
beta==3.0 --hash=sha256:22
gamma==1.0 ; sys_platform == 'win32' \\
    --hash=sha256:33
delta[extra]==2.0 ; python_full_version >= '3.11' \\
    --hash=sha256:44
"""
THERE = {"alpha": "1.2", "beta": "3.0", "delta": "2.0"}


def test_a_lock_is_read_without_hashes_and_comments() -> None:
    assert list(pinned(LOCKED)) == [
        "alpha==1.2.0",
        "beta==3.0",
        "gamma==1.0 ; sys_platform == 'win32'",
        "delta[extra]==2.0 ; python_full_version >= '3.11'",
    ]


def test_what_the_lock_has_for_this_machine_passes_and_the_rest_is_not_missed() -> None:
    found = ask(lock=LOCKED, required=(), installed=THERE.get)
    assert (found.good, found.reason) == (True, "3 packages, each as in the lock")


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ({**THERE, "beta": "3.0.1"}, "beta is 3.0.1, expected ==3.0"),
        ({**THERE, "beta": "2.9"}, "beta is 2.9, expected ==3.0"),
        ({"alpha": "1.2.0", "beta": "3.0"}, "delta is missing, expected ==2.0"),
        ({}, "3 of 3 packages differ from the lock"),
    ],
)
def test_another_version_and_a_missing_package_are_named_with_both(there: dict[str, str], words: str) -> None:
    found = ask(lock=LOCKED, required=(), installed=there.get)
    assert found.good is False
    assert words in found.reason


def test_without_a_lock_the_packages_own_requirements_count_and_extras_do_not() -> None:
    required = ("alpha<2,>=1", "beta>=4", "omega>=1; extra == 'dev'")
    found = ask(lock=None, required=required, installed=THERE.get)
    assert found.good is False
    assert found.reason.startswith("1 of 2 packages differ from the package's own requirements (there is no lock)")
    assert "beta is 3.0, expected >=4" in found.reason
    assert ask(lock=None, required=required[:1], installed=THERE.get).good


@pytest.mark.parametrize("lock", ["", None])
def test_nothing_to_hold_it_against_is_a_no(lock: str | None) -> None:
    assert ask(lock=lock, required=(), installed=THERE.get).good is False


def test_this_environment_is_the_locks(tmp_path: Path) -> None:
    assert ask_versions().good
    assert "there is no lock" in ask_versions(tmp_path).reason, "an installed package has none beside it"
    lock = tmp_path / LOCK
    lock.parent.mkdir(parents=True)
    lock.write_text("rich==1.0\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").touch()
    found = ask_versions(tmp_path)
    assert found.good is False
    assert "expected ==1.0" in found.reason
