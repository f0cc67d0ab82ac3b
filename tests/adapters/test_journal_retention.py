"""Old segments: compressed without losing a byte, deleted only when nobody needs them."""

from __future__ import annotations

import errno
from datetime import timedelta

import pytest

from hydra.adapters.journal.reader import read_journal
from hydra.adapters.journal.retention import compress_old, expire
from hydra.adapters.journal.segments import content, last_line, segments
from hydra.adapters.memory.files import PowerLoss
from tests.adapters.journals import FOLDER, START, lossy, small_journal

NEVER = 1_000_000


def test_all_but_the_newest_are_compressed_to_the_same_bytes() -> None:
    files = lossy()
    events = small_journal(files)
    before = [files.content(info.path) for info in segments(files, FOLDER)]
    made = compress_old(files, FOLDER)
    assert [path.name for path in made] == ["run-a.001.jsonl.zst", "run-a.002.jsonl.zst"]
    assert files.names(FOLDER) == ("run-a.001.jsonl.zst", "run-a.002.jsonl.zst", "run-b.001.jsonl")
    assert [b"".join(content(files, info.path)) for info in segments(files, FOLDER)] == before
    assert list(read_journal(files, FOLDER)) == events
    assert compress_old(files, FOLDER) == ()


def test_whatever_operation_power_is_lost_at_while_compressing_no_event_is_lost() -> None:
    for at in range(40):
        files = lossy(at)
        events = small_journal(files)
        files.fail(at, PowerLoss(), keep=None)
        try:
            compress_old(files, FOLDER)
            return
        except PowerLoss:
            files.crash()
        assert list(read_journal(files, FOLDER)) == events
        compress_old(files, FOLDER)
        assert list(read_journal(files, FOLDER)) == events
        assert len(files.names(FOLDER)) == 3
    pytest.fail("compressing has more operations than were tried")


def test_a_full_disk_leaves_the_plain_segment() -> None:
    files = lossy()
    events = small_journal(files)
    files.fail(2, OSError(errno.ENOSPC, "full"), keep=5)
    with pytest.raises(OSError, match="full"):
        compress_old(files, FOLDER)
    files.heal()
    assert list(read_journal(files, FOLDER)) == events


def test_the_last_line_is_found_in_plain_and_compressed_segments() -> None:
    files = lossy()
    small_journal(files)
    compress_old(files, FOLDER)
    found = [last_line(files, info.path) for info in segments(files, FOLDER)]
    assert [line.seq if line else None for line in found] == [4, 7, 9]


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("keep_days", "days_later", "needed_from_seq", "left"),
    [
        (0, 1000, NEVER, [1, 5, 8]),
        (30, 29, NEVER, [1, 5, 8]),
        (30, 31, NEVER, [8]),
        (30, 31, 8, [8]),
        (30, 31, 7, [5, 8]),
        (30, 31, 5, [5, 8]),
        (30, 31, 4, [1, 5, 8]),
        (30, 31, 1, [1, 5, 8]),
        (1, 1000, NEVER, [8]),
    ],
)
def test_old_segments_go_oldest_first_and_never_one_that_is_needed(
    compressed: bool, keep_days: int, days_later: int, needed_from_seq: int, left: list[int]
) -> None:
    files = lossy()
    small_journal(files)
    if compressed:
        compress_old(files, FOLDER)
    now = START + timedelta(days=days_later)
    gone = expire(files, FOLDER, keep_days=keep_days, now=now, needed_from_seq=needed_from_seq)
    assert [info.first_seq for info in segments(files, FOLDER)] == left
    assert len(gone) == 3 - len(left)
