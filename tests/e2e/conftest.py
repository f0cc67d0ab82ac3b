"""Places that are made once in a session and copied by the tests: certified, and in the middle of a day with something held.

One of the workers makes them, in a folder that all of them read. So they are only ever copied, never worked in.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest

from tests.e2e import again
from tests.e2e.place import PAPER, REPOSITORY, Place, warmed

ALTERED = "altered_journal"


def pytest_configure(config: pytest.Config) -> None:
    """The mark of tests after which a journal is not what was written."""
    config.addinivalue_line("markers", f"{ALTERED}(why): leaves a journal that cannot be decided again")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """When a test has passed, the journals it leaves behind are decided again: one that comes out otherwise fails it."""
    outcome = yield
    if item.get_closest_marker(ALTERED) is None:
        places = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Place)]
        found = [again.differing(journal, place.folder) for place in places for journal in again.journals(place.folder)]
        assert not any(found), "\n".join(filter(None, found))
    return outcome


_RENEWED_AFTER_SECONDS = 8 * 60
"""Certificates are good for fifteen minutes, and the longest test of a place takes some of them."""


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that ``make`` is asked for by one worker while the others wait; each that failed is made anew."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    made, making = base / name, base / f"{name}.making"
    with (base / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(making, ignore_errors=True)
            make(making)
            making.rename(made)
    return made


def _copy_package(folder: Path) -> None:
    shutil.copytree(REPOSITORY / "hydra", folder / "hydra", ignore=shutil.ignore_patterns("*.tmp*"))


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a copy of the package."""
    folder = once(tmp_path_factory, "program", _copy_package)
    with warmed(folder):
        yield folder


def bare(folder: Path, program: Path) -> Place:
    """A place with nothing but the configuration, and of its bots the momentum ones: a day of shares is soon played."""
    (folder / "configs").mkdir(parents=True)
    text = PAPER.read_text(encoding="utf-8")
    (folder / "configs" / "paper.toml").write_text(text[: text.index('[[bots]]\nid = "spy-put-spread"')])
    return Place(folder=folder, program=program)


@pytest.fixture
def fresh(tmp_path: Path, program: Path) -> Place:
    """A place in which nothing has ever run."""
    return bare(tmp_path / "place", program)


@pytest.fixture(scope="session")
def certified_once(tmp_path_factory: pytest.TempPathFactory, program: Path) -> Place:
    """A place where `hydra qc` has passed; only to be copied."""

    def make(folder: Path) -> None:
        told = bare(folder, program).hydra("qc")
        assert told.code == 0, told.text

    return Place(folder=once(tmp_path_factory, "certified", make), program=program)


@pytest.fixture(scope="session")
def day_once(certified_once: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The default policy's whole day, undisturbed; only to be read or copied."""

    def make(folder: Path) -> None:
        place = certified_once.copied(folder)
        told = place.hydra("run")
        assert told.code == 0, told.text
        assert place.entries()

    return Place(folder=once(tmp_path_factory, "day", make), program=certified_once.program)


@pytest.fixture(scope="session")
def held_once(certified_once: Place, day_once: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The same day, ended by --cycles while a position is held and most entries are still to come; only to be copied."""

    def make(folder: Path) -> None:
        place = certified_once.copied(folder)
        told = place.hydra("run", "--cycles", str(cycle_of_first_entry(day_once) + 1))
        assert told.code == 0, told.text
        assert place.venue_entries()

    return Place(folder=once(tmp_path_factory, "held", make), program=certified_once.program)


def cycle_of_first_entry(day: Place) -> int:
    """The cycle (from 1) in which the undisturbed day sent its first entry."""
    closed = 0
    for event in day.events():
        if event["kind"] == "order_sent":
            break
        closed += event["kind"] == "cycle_closed"
    return closed + 1


@pytest.fixture
def certified(certified_once: Place, tmp_path: Path) -> Place:
    """A place of the test's own where `hydra qc` has passed."""
    return _still_good(certified_once, tmp_path / "place")


@pytest.fixture
def held(held_once: Place, tmp_path: Path) -> Place:
    """A place of the test's own in the middle of a day, with a position held at the venue."""
    return _still_good(held_once, tmp_path / "place")


def _still_good(made: Place, folder: Path) -> Place:
    """A copy of a place, certified once more where it was made so long ago that its certificate is about to be too old."""
    place = made.copied(folder)
    if time.time() - made.folder.stat().st_mtime > _RENEWED_AFTER_SECONDS:
        told = place.hydra("qc")
        assert told.code == 0, told.text
    return place
