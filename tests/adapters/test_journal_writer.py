"""Writing the journal: the chain, the durable points, and failing for good."""

from __future__ import annotations

import errno
import hashlib
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.lines import BEFORE_FIRST, LINE_MAX_BYTES
from hydra.adapters.journal.reader import read_journal, signed_head, verify
from hydra.adapters.journal.segments import segments
from hydra.adapters.journal.writer import JournalWriter, take_up
from hydra.adapters.memory.files import PowerLoss
from hydra.model.errors import Corrupt, Invalid
from hydra.model.events import GENESIS, Mended
from hydra.ports import Head, Journal
from tests.adapters.journals import FOLDER, START, Ticks, cycle, lossy, opened, small_journal, writer


def test_a_line_has_the_documented_shape_and_hash() -> None:
    files = lossy()
    journal = writer(files)
    first = journal.turn(opened())
    second = journal.append(cycle(1))
    journal.close()
    lines = files.content(FOLDER / "run.001.jsonl").splitlines()
    assert [list(json.loads(line)) for line in lines] == [["v", "seq", "ts", "run", "kind", "data", "prev", "hash"]] * 2
    for line, event, prev in zip(lines, (first, second), (GENESIS, first.hash), strict=True):
        document = json.loads(line)
        assert document["hash"] == event.hash
        assert document["prev"] == event.prev == prev
        assert hashlib.sha256(line.replace(f',"hash":"{event.hash}"'.encode(), b"")).hexdigest() == event.hash
    assert lines[1].startswith(
        b'{"v":1,"seq":2,"ts":"2026-01-05T14:30:02Z","run":"run","kind":"cycle_closed","data":{"cycle"'
    )


def test_seq_and_prev_go_on_across_segments_and_runs() -> None:
    files = lossy()
    events = small_journal(files)
    assert [event.seq for event in events] == list(range(1, 10))
    assert files.names(FOLDER) == ("run-a.001.jsonl", "run-a.002.jsonl", "run-b.001.jsonl")
    assert [info.first_seq for info in segments(files, FOLDER)] == [1, 5, 8]
    assert list(read_journal(files, FOLDER)) == events


def test_events_gather_until_sync_and_leave_in_one_write() -> None:
    files = lossy()
    journal = writer(files)
    journal.turn(opened())
    for number in range(50):
        journal.append(cycle(number))
    assert not [name for name in files.operations if name.startswith("write")]
    journal.sync()
    journal.sync()
    assert files.operations[-2:] == ["write run.001.jsonl", "sync run.001.jsonl"]


def test_a_full_buffer_is_written_but_not_synced() -> None:
    files = lossy()
    journal = writer(files)
    journal.turn(opened())
    journal.append(Mended(what="x", note="n" * (1 << 20)))
    assert files.operations[-1] == "write run.001.jsonl"


def test_a_segment_wants_to_turn_at_its_size_and_counts_anew_afterwards() -> None:
    journal = writer(lossy(), segment_bytes=4000)
    journal.turn(opened())
    assert not journal.wants_turn()
    while not journal.wants_turn():
        journal.append(cycle(1))
    assert journal.head().seq < 20
    journal.turn(opened(2))
    assert not journal.wants_turn()


@pytest.mark.parametrize("name", ["run.001.jsonl", "run.001.jsonl.zst", "run.001.jsonl.gz"])
def test_an_existing_segment_is_never_written_into(name: str) -> None:
    files = lossy()
    files.write_whole(FOLDER / name, b"precious")
    journal = writer(files)
    with pytest.raises(FileExistsError, match=r"run\.001"):
        journal.turn(opened())
    assert files.content(FOLDER / name) == b"precious"


def test_the_caller_is_told_when_it_holds_the_journal_wrongly() -> None:
    files = lossy()
    journal = writer(files)
    with pytest.raises(OSError, match="turn"):
        journal.append(cycle(1))
    with pytest.raises(Invalid, match="segment 1 must begin"):
        journal.turn(cycle(1))
    with pytest.raises(Invalid, match="segment 1 must begin"):
        journal.turn(opened(2))
    journal.turn(opened())
    with pytest.raises(Invalid, match="SegmentOpened"):
        journal.append(opened(2))
    with pytest.raises(Invalid, match="Head"):
        journal.append(Head(seq=1, hash="x"))
    journal.close()
    journal.close()
    with pytest.raises(OSError, match="closed"):
        journal.append(cycle(1))
    for run in ("", "a/b", "..", "a b"):
        with pytest.raises(Invalid, match="run"):
            writer(files, run)
    with pytest.raises(Invalid, match="key"):
        writer(files, key=b"")


def test_it_is_a_journal() -> None:
    journal: Journal = writer(lossy())
    assert journal.head() == BEFORE_FIRST


@pytest.mark.parametrize("operation", ["write", "sync"])
def test_a_failed_write_or_sync_is_for_good_and_keeps_its_first_reason(operation: str) -> None:
    files = lossy()
    journal = writer(files)
    journal.turn(opened())
    journal.sync()
    journal.append(cycle(1))
    files.fail({"write": 0, "sync": 1}[operation], OSError(errno.ENOSPC, "No space left on device"), keep=20)
    with pytest.raises(OSError, match="No space left"):
        journal.sync()
    files.heal()
    before = len(files.operations)
    for again in (journal.sync, lambda: journal.append(cycle(2)), lambda: journal.turn(opened(2)), journal.sync):
        with pytest.raises(OSError, match="the journal failed: No space left on device") as caught:
            again()
        assert caught.value.errno == errno.ENOSPC
    journal.close()
    assert len(files.operations) == before
    reading = read_journal(files, FOLDER)
    assert [event.seq for event in reading] == [1] if operation == "write" else [1, 2]
    assert reading.tail.torn_bytes == (20 if operation == "write" else 0)


@pytest.mark.parametrize("code", [errno.EROFS, errno.EIO, errno.EACCES])
def test_a_folder_that_cannot_be_written_fails_the_turn(code: int) -> None:
    files = lossy()
    journal = writer(files)
    files.fail(0, OSError(code, "read-only"), for_good=True)
    for _ in range(2):
        with pytest.raises(OSError, match="read-only"):
            journal.turn(opened())


def test_a_folder_in_place_of_the_segment_fails_the_turn(tmp_path: Path) -> None:
    (tmp_path / "run.001.jsonl").mkdir()
    with pytest.raises(OSError, match=r"run\.001"):
        writer(RealFiles(), folder=tmp_path).turn(opened())


@pytest.mark.parametrize("note", ["n" * LINE_MAX_BYTES, "lone surrogate \ud800"], ids=["too long", "not text"])
def test_an_event_that_cannot_be_recorded_fails_the_writer(note: str) -> None:
    journal = writer(lossy())
    journal.turn(opened())
    with pytest.raises(OSError, match="mended"):
        journal.append(Mended(what="x", note=note))
    with pytest.raises(OSError, match="mended"):
        journal.append(cycle(1))


def test_times_are_written_in_utc_and_naive_ones_fail() -> None:
    files = lossy()
    zero = timezone(timedelta(0), "Z0")
    journal = writer(files, now=lambda: START.astimezone(zero))
    journal.turn(opened())
    journal.close()
    assert [event.ts for event in read_journal(files, FOLDER)] == [START]
    with pytest.raises(OSError, match="UTC"):
        writer(lossy(), now=lambda: datetime(2026, 1, 5)).turn(opened())  # noqa: DTZ001  # naive on purpose


def test_the_head_is_signed_at_the_end_of_a_segment_and_on_close() -> None:
    files = lossy()
    journal = writer(files, key=b"secret")
    last = journal.turn(opened())
    journal.append(cycle(1))
    assert signed_head(files, FOLDER, b"secret") is None
    last = journal.append(cycle(2))
    journal.turn(opened(2))
    assert signed_head(files, FOLDER, b"secret") == Head(seq=3, hash=last.hash)
    last = journal.append(cycle(3))
    journal.close()
    head = signed_head(files, FOLDER, b"secret")
    assert head == Head(seq=last.seq, hash=last.hash)
    assert b"secret" not in files.content(FOLDER / "head.json")
    with pytest.raises(Corrupt, match="signature"):
        signed_head(files, FOLDER, b"other")
    paths = [info.path for info in segments(files, FOLDER)]
    assert verify(files, paths, holds=head).head == head
    with pytest.raises(Corrupt, match="expected event 5"):
        verify(files, paths[:1], holds=head)
    files.write_whole(FOLDER / "head.json", b'{"seq":1}')
    with pytest.raises(Corrupt, match=r"head\.json"):
        signed_head(files, FOLDER, b"secret")


def live_until_power_is_lost(journal: JournalWriter, synced: list[Head]) -> None:
    """A short life with every kind of write; notes the head at each durable point."""

    def durable() -> None:
        journal.sync()
        synced.append(journal.head())

    journal.turn(opened())
    durable()
    for segment in (2, 3):
        journal.append(cycle(1))
        journal.append(cycle(2))
        durable()
        journal.append(cycle(3))
        before = journal.head()
        journal.turn(opened(segment))
        synced.append(before)
    journal.append(cycle(4))
    journal.close()
    synced.append(journal.head())


@pytest.mark.parametrize("seed", range(4))
def test_whatever_operation_power_is_lost_at_what_was_synced_is_there_and_the_chain_goes_on(seed: int) -> None:
    finished = False
    for at in range(100):
        files = lossy(seed)
        synced = [BEFORE_FIRST]
        journal = writer(files, key=b"secret")
        files.fail(at, PowerLoss(), keep=None)
        try:
            live_until_power_is_lost(journal, synced)
            finished = True
        except PowerLoss:
            pass
        files.crash()
        reading = read_journal(files, FOLDER, BEFORE_FIRST)
        hashes = {event.seq: event.hash for event in reading} | {0: GENESIS}
        assert hashes.get(synced[-1].seq) == synced[-1].hash
        vouched = signed_head(files, FOLDER, b"secret")
        assert vouched is None or hashes[vouched.seq] == vouched.hash
        again = writer(files, "next", take_up(files, reading.tail), now=Ticks())
        again.turn(opened())
        again.append(cycle(5))
        again.close()
        tail = verify(files, [info.path for info in segments(files, FOLDER)])
        assert tail.head == again.head()
        assert tail.head.seq == reading.tail.head.seq + 2
        assert tail.torn_bytes == 0
        if finished:
            return
    pytest.fail("the scenario has more operations than were tried")
