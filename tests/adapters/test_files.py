"""The file system and its fake, against one contract; and what each has beyond it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from hydra.adapters.files import HastyFiles, RealFiles
from hydra.adapters.memory.files import LossyFiles
from tests.contracts.files_contract import FilesContract, content

ROOT = Path("/root")


def open_descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/dev/fd").iterdir()))


def lossy(seed: int = 0) -> LossyFiles:
    files = LossyFiles(seed)
    files.make_dir(ROOT)
    return files


class TestRealFiles(FilesContract):
    @pytest.fixture
    def files(self) -> RealFiles:
        return RealFiles()

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        return tmp_path


class TestHastyFiles(FilesContract):
    """Everything but what survives a loss of power."""

    @pytest.fixture
    def files(self) -> HastyFiles:
        return HastyFiles()

    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        return tmp_path


class TestLossyFiles(FilesContract):
    @pytest.fixture
    def files(self) -> LossyFiles:
        return lossy()

    @pytest.fixture
    def root(self) -> Path:
        return ROOT


def test_a_failed_replacement_leaves_the_old_content_and_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    with pytest.raises(OSError, match="target"):
        RealFiles().write_whole(tmp_path / "target", b"x")
    assert RealFiles().names(tmp_path) == ("target",)


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind the superuser")
def test_a_read_only_folder_raises_with_the_path(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    for attempt in (RealFiles().append_to, lambda path: RealFiles().write_whole(path, b"x")):
        with pytest.raises(PermissionError, match="log"):
            attempt(tmp_path / "log")


def test_the_real_file_is_closed_when_its_reader_stops_early(tmp_path: Path) -> None:
    RealFiles().write_whole(tmp_path / "large", b"x" * (3 << 20))
    open_before = open_descriptors()
    pieces = RealFiles().chunks(tmp_path / "large")
    next(iter(pieces))
    del pieces
    assert open_descriptors() == open_before


@pytest.mark.parametrize("seed", range(20))
def test_a_crash_keeps_what_was_synced_and_at_most_a_prefix_of_the_rest(seed: int) -> None:
    files = lossy(seed)
    file = files.append_to(ROOT / "log")
    file.write(b"synced")
    file.sync()
    file.write(b"unsynced")
    files.crash()
    left = content(files, ROOT / "log")
    assert left.startswith(b"synced")
    assert b"syncedunsynced".startswith(left)
    with pytest.raises(OSError, match="Bad file"):
        file.write(b"from the past")


def test_a_crash_may_lose_a_file_that_was_never_synced() -> None:
    outcomes = set()
    for seed in range(40):
        files = lossy(seed)
        file = files.append_to(ROOT / "log")
        file.write(b"abc")
        files.crash()
        outcomes.add(content(files, ROOT / "log") if files.names(ROOT) else None)
    assert outcomes == {None, b"", b"a", b"ab", b"abc"}


def test_what_was_written_whole_survives_and_half_way_it_is_old_or_new() -> None:
    files = lossy()
    files.write_whole(ROOT / "state", b"old")
    files.crash()
    assert content(files, ROOT / "state") == b"old"
    outcomes = set()
    for seed in range(20):
        files = lossy(seed)
        files.write_whole(ROOT / "state", b"old")
        files.fail(1, OSError(errno.EIO, "no"))
        with pytest.raises(OSError, match="no"):
            files.write_whole(ROOT / "state", b"new")
        files.crash()
        outcomes.add(content(files, ROOT / "state"))
    assert outcomes == {b"old", b"new"}


def test_a_fault_strikes_the_chosen_operation_once_or_for_good() -> None:
    files = lossy()
    file = files.append_to(ROOT / "log")
    files.fail(1, OSError(errno.ENOSPC, "full"), keep=2)
    file.write(b"fine")
    with pytest.raises(OSError, match="full"):
        file.write(b"short")
    assert content(files, ROOT / "log") == b"finesh"
    file.write(b"!")
    files.fail(0, OSError(errno.EROFS, "read-only"), for_good=True)
    for _ in range(2):
        with pytest.raises(OSError, match="read-only"):
            file.sync()
    files.heal()
    file.sync()
    assert content(files, ROOT / "log") == b"finesh!"
