"""The writer's lock: one at a time, and gone with its process."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hydra.adapters.lock import LockOwner, UnknownOwner, WriterLock, describe, owner
from hydra.model.errors import Barred, Refused

SINCE = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
HOLDER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from hydra.adapters.lock import LockOwner, WriterLock
owner = LockOwner(pid=77, host="elsewhere", command="hydra run", since=datetime(2026, 1, 5, tzinfo=UTC), run="r-1")
WriterLock(Path(sys.argv[1]), owner).acquire()
print("held", flush=True)
time.sleep(60)
"""


def identity(pid: int = 1, run: str = "") -> LockOwner:
    return LockOwner(pid=pid, host="here", command="hydra run", since=SINCE, run=run)


def test_the_second_writer_is_barred_and_told_who_holds_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with WriterLock(path, identity(4711, "r-9")):
        with pytest.raises(Barred) as caught:
            WriterLock(path, identity(2)).acquire()
        assert str(caught.value) == (
            f"{path}: held by `hydra run`, pid 4711 on here, since 2026-01-05T14:30:00+00:00, run r-9; "
            "one writer at a time"
        )
        assert owner(path) == identity(4711, "r-9")
    assert owner(path) is None
    with WriterLock(path, identity(2)):
        assert owner(path) == identity(2)


def test_a_lock_dies_with_its_process_and_what_it_left_is_harmless(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Barred, match="pid 77 on elsewhere"):
            WriterLock(path, identity()).acquire()
        holder.kill()
    assert "elsewhere" in path.read_text()
    assert owner(path) is None
    with WriterLock(path, identity(3)):
        assert owner(path) == identity(3)


def test_a_shorter_owner_leaves_nothing_of_a_longer_one(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("x" * 5000)
    with WriterLock(path, identity()):
        assert owner(path) == identity()


def test_a_held_lock_whose_file_says_nothing_still_bars(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with WriterLock(path, identity()):
        path.write_text("{}")
        found = owner(path)
        assert isinstance(found, UnknownOwner)
        assert describe(found).startswith("held by another process (the file does not say which")
        with pytest.raises(Barred, match="another process"):
            WriterLock(path, identity(2)).acquire()


def test_looking_at_a_free_lock_neither_creates_nor_takes_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert owner(path) is None
    assert not path.exists()
    lock = WriterLock(path, identity())
    lock.acquire()
    lock.acquire()
    lock.release()
    lock.release()
    assert owner(path) is None
    assert owner(path) is None
    lock.acquire()
    lock.release()


def test_a_lock_that_cannot_be_opened_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"missing/lock: the writer's lock cannot be opened: No such file or directory"):
        WriterLock(tmp_path / "missing" / "lock", identity()).acquire()
    assert owner(tmp_path / "missing" / "lock") is None
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="cannot be read: Not a directory"):
        owner(tmp_path / "file" / "lock")
    (tmp_path / "lock").mkdir()
    with pytest.raises(Refused, match="Is a directory"):
        WriterLock(tmp_path / "lock", identity()).acquire()
