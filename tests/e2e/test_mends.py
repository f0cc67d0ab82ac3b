"""What ``hydra doctor --fix`` mends, each on real files, alone: mended once, kept beside, and nothing to do the second time."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hydra.adapters.lock import WriterLock
from hydra.adapters.memory.files import LossyFiles, PowerLoss
from hydra.bootstrap.mend import CURE_OF, CURES, Mending, mend
from hydra.bootstrap.mend_store import ask_same
from hydra.bootstrap.mended import PENDING, note_halt, note_mend, pending
from hydra.bootstrap.setup import Setup, read_setup, this_process
from hydra.model.errors import Invalid
from tests.e2e.place import Place

Plant = Callable[[Setup], object]
GONE = 2**22 + 1
"""No process has this number: it is above the kernel's highest."""


@pytest.fixture
def setup(held: Place) -> Iterator[Setup]:
    """A place in the middle of a day, seen by this process from within."""
    with contextlib.chdir(held.folder):
        yield read_setup(Path("configs/paper.toml"), Path("state"), Path("logs"), {})


def store_of(setup: Setup) -> Path:
    return setup.state_dir / "trading_state.db"


def last_segment(setup: Setup) -> Path:
    return max((path for path in setup.log_dir.glob("*.jsonl")), key=lambda path: path.stat().st_mtime_ns)


def tampered(setup: Setup, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(store_of(setup))) as database, database:
        database.execute(statement)


def truncated(setup: Setup) -> None:
    path = store_of(setup)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def open_to_others(path: Path, mode: int, text: str = "") -> None:
    path.write_text(text or (path.read_text() if path.exists() else ""))
    path.chmod(mode)


def torn(setup: Setup) -> None:
    with last_segment(setup).open("ab") as file:
        file.write(b'{"v":1,"seq":')


def cut(setup: Setup) -> None:
    path = last_segment(setup)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-6]))


def lock_folder(setup: Setup) -> None:
    setup.lock_path.unlink(missing_ok=True)
    setup.lock_path.mkdir()


def table_folder(setup: Setup) -> None:
    path = setup.state_dir / "cache" / "sessions-XNYS.json"
    path.unlink(missing_ok=True)
    path.mkdir(parents=True)


def no_command(setup: Setup) -> None:
    setup.inbox_dir.mkdir(exist_ok=True)
    (setup.inbox_dir / "20260101T000000.000000Z-halt-aa.json").write_bytes(b'{"nope')
    (setup.inbox_dir / "readme.txt").write_text("hello")


def half_files(setup: Setup) -> None:
    (setup.state_dir / f".lock.{GONE}-0.tmp").write_text("half")
    segment = last_segment(setup)
    segment.with_name(f"{segment.name}.zst").write_bytes(b"half")
    (setup.log_dir / "20260101T000000-aaaa.001.jsonl").touch()


PLANTED: dict[str, tuple[str, Plant, str]] = {
    "a state folder its owner may not use": ("state_folder", lambda s: s.state_dir.chmod(0o500), "has 0700 now"),
    "a log folder that is missing": ("log_folder", lambda s: s.log_dir.rename("kept"), "logs was made"),
    "a lock that is a folder": ("lock", lock_folder, "state/aside/lock"),
    "secrets that others may read": ("env_file", lambda _s: open_to_others(Path(".env"), 0o644, "A=b"), "0600"),
    "a configuration all may write": ("permissions", lambda s: s.config.chmod(0o666), "0666 -> 06"),
    "a state folder all may write": ("permissions", lambda s: s.state_dir.chmod(0o777), "0777 -> 07"),
    "a table of sessions that is a folder": ("calendars", table_folder, "sessions-XNYS.json"),
    "what is no command": ("inbox", no_command, "said again"),
    "half files": ("leftovers", half_files, f".lock.{GONE}-0.tmp"),
    "a torn last line": ("journal", torn, "13 bytes was cut off"),
    "a journal behind its store": ("journal", cut, "which is not in the journal"),
    "half a store": ("store", truncated, "kept as damaged-"),
    "no store": ("store", lambda s: store_of(s).unlink(), "there was no store"),
    "a store that says another day": (
        "same_store",
        lambda s: tampered(s, "UPDATE position SET day_start_equity = '200000'"),
        "day.start_equity is 200000 in the store, and 100000",
    ),
    "a store that says nothing of a holding": (
        "gate_day_start",
        lambda s: tampered(s, "DELETE FROM holdings"),
        "in the store",
    ),
}


@pytest.mark.parametrize("what", PLANTED)
def test_it_is_mended_once_and_noted_for_the_journal(setup: Setup, what: str) -> None:
    plug, plant, told = PLANTED[what]
    plant(setup)
    done = mend(setup, {plug})
    assert done.undone == {}
    assert told in done.done[plug]
    assert [line.note for line in pending(setup.state_dir) if line.note] == [done.done[plug]]
    assert mend(setup, {plug}) == Mending()


def test_every_cure_is_planted() -> None:
    planted = {CURE_OF[plug].does for plug, _, _ in PLANTED.values()}
    assert planted == {cure.does for cure in CURES}


def test_nothing_is_thrown_away(setup: Setup) -> None:
    no_command(setup)
    half_files(setup)
    torn(setup)
    truncated(setup)
    before = store_of(setup).read_bytes()
    mend(setup, {"inbox", "leftovers", "journal", "store"})
    (kept,) = setup.state_dir.glob("damaged-*-trading_state.db")
    assert kept.read_bytes() == before
    assert sorted(path.name for path in (setup.inbox_dir / "refused").iterdir())[1] == "readme.txt"
    assert (setup.state_dir / "aside" / f".lock.{GONE}-0.tmp").read_text() == "half"
    (rest,) = (setup.log_dir / "aside").glob("torn-*")
    assert rest.read_bytes() == b'{"v":1,"seq":'
    assert ask_same(setup).good


def test_a_store_that_knew_more_than_the_journal_leaves_a_halt_with_the_mend(setup: Setup) -> None:
    cut(setup)
    mend(setup, {"journal"})
    assert [bool(line.halt) for line in pending(setup.state_dir)] == [True, False]


def damaged(setup: Setup) -> None:
    path = last_segment(setup)
    path.write_bytes(path.read_bytes().replace(b'"cycle":', b'"cycle":1', 1))


def no_journal(setup: Setup) -> None:
    truncated(setup)
    for path in setup.log_dir.glob("*.jsonl"):
        path.unlink()


UNTOUCHED: dict[str, tuple[str, Plant, str]] = {
    "a damaged journal": ("journal", damaged, "expected hash"),
    "no journal": ("store", no_journal, "empty"),
    "a newer store": ("store", lambda s: tampered(s, "UPDATE alembic_version SET version_num = '0099'"), "newer"),
    "somebody else's database": ("store", lambda s: tampered(s, "DROP TABLE alembic_version"), "not a state store"),
    "a file for a folder": (
        "log_folder",
        lambda s: (s.log_dir.rename("kept"), s.log_dir.write_text("x")),
        "is no folder: move it away",
    ),
}


@pytest.mark.altered_journal("what is damaged stays so")
@pytest.mark.parametrize("what", UNTOUCHED)
def test_what_only_a_person_can_judge_is_left_as_it_is(setup: Setup, what: str) -> None:
    plug, plant, why = UNTOUCHED[what]
    plant(setup)
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file() and path.name != "lock"}
    done = mend(setup, {plug})
    assert done.done == {}
    assert why in done.undone[plug]
    assert {path: path.read_bytes() for path in before} == before
    assert not (setup.state_dir / PENDING).exists()


def test_a_store_that_somebody_has_locked_is_left_to_him(setup: Setup) -> None:
    with contextlib.closing(sqlite3.connect(store_of(setup), isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = DELETE")
        database.execute("BEGIN EXCLUSIVE")
        done = mend(setup, {"store"})
    assert "locked" in done.undone["store"]
    assert not list(setup.state_dir.glob("damaged-*"))


def test_nothing_is_mended_under_a_running_engine(setup: Setup) -> None:
    no_command(setup)
    truncated(setup)
    with WriterLock(setup.lock_path, this_process("run", "r1")):
        done = mend(setup, {"inbox", "store", "halts"})
    assert done.done == {}
    assert set(done.undone) == {"inbox", "store"}
    assert "not under a running command" in done.undone["store"]
    assert (setup.inbox_dir / "readme.txt").exists()


def test_a_temporary_file_of_a_living_process_is_no_leftover(setup: Setup) -> None:
    living = setup.state_dir / f".lock.{os.getpid()}-0.tmp"
    living.write_text("being written")
    assert mend(setup, {"leftovers"}) == Mending()
    assert living.exists()


def test_a_link_is_never_followed_to_change_a_mode(setup: Setup, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("A=b")
    target.chmod(0o644)
    (setup.state_dir / "linked").symlink_to(target)
    mend(setup, {"permissions"})
    assert target.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("moved", [("-wal",), ("-wal", "-shm"), ("-wal", "-shm", "")], ids=len)
def test_a_rebuild_that_was_stopped_between_two_renames_is_done_again(setup: Setup, moved: tuple[str, ...]) -> None:
    for suffix in ("-wal", "-shm"):
        store_of(setup).with_name(f"trading_state.db{suffix}").touch()
    truncated(setup)
    for suffix in moved:
        path = store_of(setup).with_name(f"trading_state.db{suffix}")
        path.rename(path.with_name(f"damaged-1-{path.name}"))
    assert "store" in mend(setup, {"store"}).done
    assert ask_same(setup).good


STATE = Path("/state")


@pytest.mark.parametrize("at", range(4))
def test_a_power_cut_while_a_halt_is_left_loses_it_or_keeps_it_whole(at: int) -> None:
    for seed in range(20):
        files = LossyFiles(seed)
        files.make_dir(STATE)
        note_mend(STATE, "env_file", "before", files)
        files.fail(at, PowerLoss(), keep=None)
        with contextlib.suppress(PowerLoss):
            note_halt(STATE, "journal", "stop", files)
        files.crash()
        lines = pending(STATE, files)
        assert lines[0].note == "before"
        assert [line.halt for line in lines[1:]] in ([], ["stop"])
        note_mend(STATE, "store", "after", files)
        assert pending(STATE, files)[-1].note == "after"


def test_what_was_left_and_cannot_be_read_is_not_passed_over() -> None:
    files = LossyFiles()
    files.make_dir(STATE)
    files.damage(STATE / PENDING, b"garbage\n")
    with pytest.raises(Invalid):
        pending(STATE, files)
