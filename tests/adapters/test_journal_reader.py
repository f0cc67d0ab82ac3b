"""Reading the journal: what is torn, what is damage, and that nothing gets by."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.lines import BEFORE_FIRST, LINE_MAX_BYTES, BadLine, envelope_of, event_at_once, event_of
from hydra.adapters.journal.reader import Reading, Tail, mend_torn_tail, read_journal, read_segment, verify
from hydra.adapters.journal.segments import lines, segments
from hydra.adapters.memory.files import LossyFiles
from hydra.model.errors import Corrupt
from hydra.model.events import Event, Halted, Mended, OrderUnknown
from hydra.model.portfolio import Halt
from hydra.model.values import decode
from hydra.ports import Head
from tests.adapters.journals import FOLDER, cycle, forged, lossy, opened, rehashed, small_journal, writer

SEGMENT = FOLDER / "run-a.001.jsonl"


def segment_bytes() -> bytes:
    files = lossy()
    small_journal(files)
    return files.content(SEGMENT)


WHOLE = segment_bytes()
LINES = WHOLE.splitlines(keepends=True)
FILES = lossy()


def read(data: bytes) -> tuple[list[Event], Tail]:
    FILES.damage(SEGMENT, data)
    reading = read_segment(FILES, SEGMENT)
    return list(reading), reading.tail


def damage_of(data: bytes) -> str:
    with pytest.raises(Corrupt) as caught:
        read(data)
    assert str(SEGMENT) in str(caught.value)
    return str(caught.value)


def line_at(offset: int) -> int:
    return WHOLE.count(b"\n", 0, offset) + 1


def test_a_whole_segment_is_read_with_its_payloads() -> None:
    events, tail = read(WHOLE)
    assert [event.kind for event in events] == ["segment_opened", "cycle_closed", "mended", "cycle_closed"]
    assert events[2].data == Mended(what="ä", note="a\nb")
    assert tail == Tail(head=Head(seq=4, hash=events[-1].hash), first_seq=1, events=4, open_tail=True)


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF])
def test_no_changed_byte_gets_by(mask: int) -> None:
    for offset in range(len(WHOLE) - 1):
        changed = bytearray(WHOLE)
        changed[offset] ^= mask
        assert f"line {line_at(offset)}: expected" in damage_of(bytes(changed))
    events, tail = read(WHOLE[:-1] + bytes([0x0A ^ mask]))
    assert (len(events), tail.torn_bytes) == (3, len(LINES[-1]))


@settings(max_examples=150, deadline=None)
@given(
    offset=st.integers(0, len(WHOLE) - 2), byte=st.integers(0, 255), kind=st.sampled_from(["set", "delete", "insert"])
)
def test_no_set_deleted_or_inserted_byte_gets_by(offset: int, byte: int, kind: str) -> None:
    middle = b"" if kind == "delete" else bytes([byte])
    changed = WHOLE[:offset] + middle + WHOLE[offset + (kind != "insert") :]
    if changed != WHOLE:
        assert f"line {line_at(offset)}: expected" in damage_of(changed)


@pytest.mark.parametrize(
    ("order", "line"),
    [
        ((1, 0, 2, 3), 1),
        ((0, 2, 1, 3), 2),
        ((0, 1, 3, 2), 3),
        ((0, 1, 1, 2, 3), 3),
        ((0, 2, 3), 2),
        ((1, 2, 3), 1),
        ((0, 0), 2),
    ],
)
def test_swapped_repeated_and_missing_lines_are_damage(order: tuple[int, ...], line: int) -> None:
    assert f"line {line}: expected" in damage_of(b"".join(LINES[position] for position in order))


@pytest.mark.parametrize("cut", range(1, len(LINES[-1])))
def test_a_last_line_without_its_newline_is_torn_dropped_and_reported(cut: int) -> None:
    events, tail = read(WHOLE[:-cut])
    assert len(events) == 3
    assert (tail.torn_bytes, tail.torn_path) == (len(LINES[-1]) - cut, SEGMENT)
    assert tail.head == Head(seq=3, hash=events[-1].hash)


def test_an_empty_file_holds_nothing() -> None:
    events, tail = read(b"")
    assert (events, tail) == ([], Tail(head=BEFORE_FIRST))


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        (b"\n", "line 3: expected an event, found a blank line"),
        (LINES[2][:30] + b"\0" + LINES[2][31:], "line 3: expected an event, found a NUL byte at column 31"),
        (LINES[2][:40] + b"\xff" + LINES[2][41:], "line 3: expected UTF-8, found byte 0xff at column 41"),
        (b"not an event\n", "line 3: expected journal version 1, found b'not an event'"),
        (forged(LINES[2], v=2), "line 3: expected journal version 1, found version 2"),
        (LINES[2][:-3] + b"\n", 'line 3: expected a line ending in ,"hash":"'),
        (LINES[2].replace(b"mended", b"mendet"), "line 3: expected hash "),
        (forged(LINES[2], seq=4), "line 3: expected seq 3, found seq 4"),
        (forged(LINES[2], seq="3"), "line 3: expected the envelope of an event, found Expected `int`, got `str`"),
        (forged(LINES[2], prev="0" * 64), "line 3: expected prev "),
        (forged(LINES[2], kind="guessed"), "found unknown event kind 'guessed'"),
        (forged(LINES[2], extra=1), "unknown field `extra`"),
        (forged(LINES[2], run=...), "missing required field `run`"),
        (forged(LINES[2], run="run-x"), "line 3: expected run 'run-a', which opened this segment, found 'run-x'"),
        (forged(LINES[2], ts="2026-01-05T14:30:03"), "line 3: expected ts in UTC, ending in Z"),
        (forged(LINES[2], ts="2026-01-05T15:30:03+01:00"), "line 3: expected ts in UTC, ending in Z"),
        (forged(LINES[2], data={"what": "x", "note": "y", "more": 1}), "mended: Object contains unknown field `more`"),
        (forged(LINES[2], data={"what": "x"}), "mended: Object missing required field `note`"),
        (forged(LINES[2], data={"what": "x", "note": 1}), "mended: Expected `str`, got `int`"),
        (forged(LINES[0], seq=3, prev=json.loads(LINES[1])["hash"]), "segment_opened in line 1 and nowhere else"),
        (rehashed(b'{"v":1,"data":' + b"[" * 100_000 + b"}"), "line 3: expected the envelope of an event"),
        (LINES[2].replace(b"\n", b"\r\n"), 'line 3: expected a line ending in ,"hash":"'),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_with_what_was_expected_and_found(bad: bytes, complaint: str) -> None:
    assert complaint in damage_of(LINES[0] + LINES[1] + bad + LINES[3])


def step_by_step(line: bytes) -> Event | str:
    """The event of a line, or the complaint about it, without any short cut."""
    try:
        return event_of(envelope_of(line))
    except BadLine as bad:
        return str(bad)


def test_lines_as_they_were_written_are_read_at_once() -> None:
    files = lossy()
    written = small_journal(files)
    found = [line for info in segments(files, FOLDER) for line, _whole in lines(files, info.path)]
    assert [event_at_once(line) for line in found] == written == [step_by_step(line) for line in found]


@settings(max_examples=400, derandomize=True, deadline=None)
@given(
    number=st.integers(0, len(LINES) - 1),
    place=st.floats(0, 1, exclude_max=True),
    text=st.sampled_from([b"", b" ", b"x", b"1", b"{}", b",", b'"', b"\\", b'"kind":"mended",', b'"data":{},', b"\xff", b"null"]),
    cut=st.integers(0, 12),
)  # fmt: skip
def test_nothing_is_read_at_once_that_is_refused_step_by_step_or_is_another_event(
    number: int, place: float, text: bytes, cut: int
) -> None:
    body = LINES[number][:-76] + b"}"
    at = int(place * len(body))
    line = rehashed(body[:at] + text + body[at + cut :])[:-1]
    assert event_at_once(line) in (None, step_by_step(line))


def test_a_line_whose_fields_lie_otherwise_is_the_same_event() -> None:
    event = json.loads(LINES[2])
    data = event.pop("data")
    other = {"v": event.pop("v"), "data": data, **{key: event[key] for key in reversed(event) if key != "hash"}}
    line = rehashed(json.dumps(other).replace('{"v": 1, ', '{"v":1,').encode())
    assert event_at_once(line[:-1]) is None
    assert read(LINES[0] + LINES[1] + line)[0][2].data == Mended(what="ä", note="a\nb")


def test_a_kind_within_the_payload_is_not_taken_for_the_kind_of_the_event() -> None:
    halt = {"reason": "r", "kind": "mended", "at": "2026-01-05T14:30:03Z", "by": "x", "automatic": True}
    rest = {key: value for key, value in json.loads(LINES[2]).items() if key not in ("v", "hash", "kind", "data")}
    body = json.dumps({"v": 1, "data": {"halt": halt}, "kind": "halted", **rest}, separators=(",", ":")).encode()
    assert body.index(b',"kind":"mended"') < body.index(b',"kind":"halted"')
    events, _tail = read(LINES[0] + LINES[1] + rehashed(body))
    assert events[2].data == Halted(halt=decode(json.dumps(halt), Halt))


def test_of_a_kind_that_is_told_twice_the_last_counts_at_once_as_step_by_step() -> None:
    said = {"client_id": "c", "reason": "r"}
    body = forged(LINES[2], kind="order_rejected", data=said)[:-76] + b',"kind":"order_unknown"}'
    events, _tail = read(LINES[0] + LINES[1] + rehashed(body))
    assert (events[2].kind, events[2].data) == ("order_unknown", OrderUnknown(client_id="c", reason="r"))


def test_payloads_before_the_place_to_go_on_from_are_not_looked_into() -> None:
    bad = forged(LINES[1], data={"cycle": "one"})
    hashes = [json.loads(bad)["hash"]]
    later = []
    for line in LINES[2:]:
        later.append(forged(line, prev=hashes[-1]))
        hashes.append(json.loads(later[-1])["hash"])
    data = LINES[0] + bad + b"".join(later)
    assert "line 2: expected a payload that this version can read" in damage_of(data)
    reading = Reading(FILES, (SEGMENT,), Head(seq=2, hash=hashes[0]))
    assert [event.seq for event in reading] == [3, 4]
    assert reading.tail == Tail(head=Head(seq=4, hash=hashes[-1]), first_seq=3, events=2, open_tail=True)


@pytest.mark.parametrize("size", [1, 2, 7, 64, 700, 5000])
def test_lines_are_the_same_wherever_the_pieces_of_a_file_end(size: int) -> None:
    class Pieces(LossyFiles):
        def chunks(self, path: Path, offset: int = 0) -> Iterator[bytes]:
            whole = b"".join(super().chunks(path, offset))
            return (whole[start : start + size] for start in range(0, len(whole), size))

    files = Pieces(0)
    for data in (WHOLE, WHOLE[:-5], b"\n\n" + WHOLE, b"", b"\n"):
        files.damage(SEGMENT, data)
        *whole, rest = data.split(b"\n")
        assert list(lines(files, SEGMENT)) == [(line, True) for line in whole] + ([(rest, False)] if rest else [])


def test_a_line_that_is_too_long_is_damage_with_or_without_its_end() -> None:
    for end in (b"", b"\n"):
        message = damage_of(WHOLE + b'{"v":1,' + b"x" * LINE_MAX_BYTES + end)
        assert f"line 5: expected a line of at most {LINE_MAX_BYTES} bytes" in message


def test_a_forged_first_event_must_follow_nothing() -> None:
    assert "line 1: expected prev 000000" in damage_of(forged(LINES[0], prev="1" * 64))
    assert "line 1: expected seq 1, found seq 0" in damage_of(forged(LINES[0], seq=0))


def test_the_journal_is_read_in_the_order_of_its_sequence_whatever_the_files_are_called() -> None:
    files = lossy()
    events = small_journal(files)
    for old, new in (("run-a.001.jsonl", "z.001.jsonl"), ("run-b.001.jsonl", "a.123.jsonl")):
        files.write_whole(FOLDER / new, files.content(FOLDER / old))
        files.remove(FOLDER / old)
    files.write_whole(FOLDER / "notes.txt", b"mine")
    files.write_whole(FOLDER / "export.jsonl", b"mine")
    files.make_dir(FOLDER / "tournament")
    reading = read_journal(files, FOLDER, BEFORE_FIRST)
    assert list(reading) == events
    assert not reading.tail.open_tail


def test_removed_and_reordered_segments_are_damage() -> None:
    files = lossy()
    small_journal(files)
    one, two, three = (info.path for info in segments(files, FOLDER))
    assert verify(files, [one, two, three]).events == 9
    assert verify(files, [two, three]).first_seq == 5
    with pytest.raises(Corrupt, match=r"run-b.001.jsonl: line 1: expected seq 5, found seq 8"):
        verify(files, [one, three])
    with pytest.raises(Corrupt, match=r"run-a.001.jsonl: line 1: expected seq 8, found seq 1"):
        verify(files, [two, one, three])
    with pytest.raises(Corrupt, match=r"missing.jsonl: cannot be read: No such file"):
        verify(files, [one, FOLDER / "missing.jsonl"])
    with pytest.raises(Corrupt, match=r"run-a.001.jsonl: line 1: expected seq 5, found seq 1"):
        verify(files, [one, one])
    files.remove(one)
    assert verify(files, [info.path for info in segments(files, FOLDER)]).first_seq == 5
    with pytest.raises(Corrupt, match=r"expected seq 1, found seq 5"):
        list(read_journal(files, FOLDER, BEFORE_FIRST))


def test_reading_goes_on_after_every_event_of_the_journal() -> None:
    files = lossy()
    events = small_journal(files)
    for event in events:
        reading = read_journal(files, FOLDER, Head(seq=event.seq, hash=event.hash))
        assert [later.seq for later in reading] == list(range(event.seq + 1, 10))
        assert reading.tail.head == Head(seq=9, hash=events[-1].hash)
        assert not reading.tail.open_tail


def test_reading_on_does_not_open_segments_that_are_not_needed() -> None:
    files = lossy()
    events = small_journal(files)
    damaged = files.content(SEGMENT)
    files.damage(SEGMENT, damaged.replace(b"mended", b"MENDED"))
    assert [event.seq for event in read_journal(files, FOLDER, Head(seq=4, hash=events[3].hash))] == [5, 6, 7, 8, 9]
    with pytest.raises(Corrupt, match="line 3"):
        list(read_journal(files, FOLDER, Head(seq=2, hash=events[1].hash)))


@pytest.mark.parametrize("seq", [0, 1, 3, 4, 5, 7, 9])
def test_a_store_folded_from_another_journal_is_refused(seq: int) -> None:
    files = lossy()
    small_journal(files)
    with pytest.raises(Corrupt, match="f" * 64):
        list(read_journal(files, FOLDER, Head(seq=seq, hash="f" * 64)))


def test_an_event_that_must_be_there_is_looked_for_and_one_that_expired_is_not_missed() -> None:
    files = lossy()
    events = small_journal(files)
    paths = [info.path for info in segments(files, FOLDER)]
    for event in events:
        held = Head(seq=event.seq, hash=event.hash)
        assert verify(files, paths, holds=held).events == 9
        assert verify(files, paths[1:], holds=held).events == 5
        with pytest.raises(Corrupt, match=f"event {event.seq}: expected hash {'f' * 64}, found {event.hash}"):
            verify(files, paths, holds=Head(seq=event.seq, hash="f" * 64))
    with pytest.raises(Corrupt, match=r"event 4: expected hash f+, found"):
        verify(files, paths[1:], holds=Head(seq=4, hash="f" * 64))
    with pytest.raises(Corrupt, match=r"expected event 9 .* found the end of the journal after event 7"):
        verify(files, paths[:2], holds=Head(seq=9, hash=events[8].hash))


def test_a_store_ahead_of_the_journal_is_refused() -> None:
    files = lossy()
    events = small_journal(files)
    with pytest.raises(Corrupt, match=r"expected event 10 .* found the end of the journal after event 9"):
        list(read_journal(files, FOLDER, Head(seq=10, hash="a" * 64)))
    files.remove(FOLDER / "run-b.001.jsonl")
    with pytest.raises(Corrupt, match=r"expected event 9 .* found the end of the journal after event 7"):
        list(read_journal(files, FOLDER, Head(seq=9, hash=events[8].hash)))
    with pytest.raises(Corrupt, match=r"expected event 9 .* found the end of the journal after event 0"):
        list(read_journal(lossy(), FOLDER, Head(seq=9, hash=events[8].hash)))


def test_a_store_behind_what_retention_has_left_is_refused() -> None:
    files = lossy()
    events = small_journal(files)
    files.remove(SEGMENT)
    with pytest.raises(Corrupt, match=r"expected event 2 or the one after it, found seq 5"):
        list(read_journal(files, FOLDER, Head(seq=2, hash=events[1].hash)))


def test_a_torn_line_in_the_middle_of_the_journal_is_damage() -> None:
    files = lossy()
    small_journal(files)
    files.damage(SEGMENT, WHOLE + b'{"v":1')
    with pytest.raises(Corrupt, match=r"run-a.001.jsonl: expected a newline at its end, as the journal goes on"):
        list(read_journal(files, FOLDER))


def test_a_torn_tail_is_mended_and_a_file_that_held_nothing_else_goes() -> None:
    files = lossy()
    small_journal(files)
    last = FOLDER / "run-b.001.jsonl"
    files.damage(last, files.content(last) + b"x" * 3_000_000)
    assert mend_torn_tail(files, last) == 3_000_000
    assert mend_torn_tail(files, last) == 0
    assert verify(files, [last]).events == 2
    begun = FOLDER / "run-c.001.jsonl"
    files.write_whole(begun, b'{"v":1,"seq"')
    reading = read_journal(files, FOLDER)
    assert len(list(reading)) == 9
    assert reading.tail.torn_path == begun
    assert mend_torn_tail(files, begun) == 12
    assert begun.name not in files.names(FOLDER)


def test_an_empty_segment_is_no_segment() -> None:
    files = lossy()
    events = small_journal(files)
    files.write_whole(FOLDER / "run-a.000.jsonl", b"")
    files.write_whole(FOLDER / "zzz.001.jsonl", b"")
    assert list(read_journal(files, FOLDER)) == events


@pytest.mark.parametrize(("suffix", "pack"), [(".zst", zstandard.compress), (".gz", gzip.compress)])
def test_compressed_segments_are_read_and_their_damage_is_found(suffix: str, pack) -> None:
    files = lossy()
    events = small_journal(files)
    packed = pack(WHOLE)
    path = Path(f"{SEGMENT}{suffix}")
    files.remove(SEGMENT)
    files.write_whole(path, packed)
    assert list(read_journal(files, FOLDER)) == events
    for cut in (len(packed) // 2, len(packed) // 3, 4):
        files.damage(path, packed[:cut])
        with pytest.raises(Corrupt, match=r"run-a\.001"):
            list(read_journal(files, FOLDER))
    files.damage(path, b"nonsense" * 10)
    with pytest.raises(Corrupt, match=r"run-a.001.jsonl.* cannot be (decompressed|read)"):
        list(read_journal(files, FOLDER))
    files.damage(path, pack(WHOLE[:-1]))
    with pytest.raises(Corrupt, match="line 4: expected a newline at the end of a compressed segment"):
        list(read_journal(files, FOLDER))


def test_a_folder_in_place_of_a_segment_is_refused_by_name(tmp_path: Path) -> None:
    small_journal(RealFiles(), tmp_path)
    (tmp_path / "run-x.001.jsonl").mkdir()
    with pytest.raises(Corrupt, match=r"run-x.001.jsonl: cannot be read: Is a directory"):
        list(read_journal(RealFiles(), tmp_path))


def test_a_missing_folder_is_an_empty_journal_and_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    assert list(read_journal(RealFiles(), tmp_path / "missing", BEFORE_FIRST)) == []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Corrupt, match="file: cannot be read: Not a directory"):
        list(read_journal(RealFiles(), tmp_path / "file"))


def test_memory_does_not_grow_with_the_journal() -> None:
    files = LossyFiles()
    journal = writer(files, folder=Path("/"))
    journal.turn(opened())
    for number in range(40_000):
        journal.append(cycle(number))
    journal.close()
    path = Path("/run.001.jsonl")
    assert files.size(path) > 10 << 20
    tracemalloc.start()
    assert sum(1 for _ in read_segment(files, path)) == 40_001
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 << 20
