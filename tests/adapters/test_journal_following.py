"""A journal read while it is written: whole lines at once, half ones waited for, the next segment by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hydra.adapters.journal.following import Following
from hydra.adapters.journal.writer import JournalWriter
from hydra.adapters.memory.files import LossyFiles
from hydra.model.errors import Corrupt
from hydra.model.events import RunClosed
from tests.adapters.journals import FOLDER, cycle, lossy, opened, small_journal, writer

FIRST, SECOND = FOLDER / "run.001.jsonl", FOLDER / "run.002.jsonl"


def begun(files: LossyFiles) -> JournalWriter:
    """A segment with its first line."""
    journal = writer(files)
    journal.turn(opened())
    journal.sync()
    return journal


def followed(files: LossyFiles, steps: list[Callable[[], object]]) -> tuple[list[int], Following]:
    """What is read while these things happen, one each time there is nothing new; then nobody waits any longer."""
    left: Iterator[Callable[[], object]] = iter(steps)

    def idle() -> bool:
        step = next(left, None)
        if step is not None:
            step()
        return step is not None

    following = Following(files, [FIRST], idle)
    return [event.seq for event in following], following


def test_what_is_there_is_read_and_what_comes_is_waited_for_until_the_run_closes() -> None:
    files = lossy()
    journal = begun(files)

    def more() -> None:
        journal.append(cycle(1))
        journal.sync()

    def end() -> None:
        journal.append(RunClosed(reason="done", exit_code=0, cycles=1))
        journal.sync()

    seen, following = followed(files, [more, lambda: None, end, lambda: pytest.fail("the run has closed")])
    assert seen == [1, 2, 3]
    assert not following.tail.open_tail
    assert following.place == (FIRST, 3)


def test_a_half_written_line_is_waited_for_and_is_torn_when_nobody_waits() -> None:
    whole = lossy()
    journal = begun(whole)
    journal.append(cycle(1))
    journal.sync()
    text = whole.content(FIRST)
    first = text.index(b"\n") + 1
    files = lossy()
    for cut in (first + 1, len(text) - 1):
        files.damage(FIRST, text[:cut])
        seen, _ = followed(files, [lambda: files.damage(FIRST, text)])
        assert seen == [1, 2]
        files.damage(FIRST, text[:cut])
        seen, following = followed(files, [])
        assert seen == [1]
        assert (following.tail.torn_bytes, following.tail.open_tail) == (cut - first, True)


def test_it_turns_to_the_next_segment_by_itself_even_of_another_run() -> None:
    files = lossy()
    journal = begun(files)

    def turn() -> None:
        journal.append(cycle(1))
        journal.turn(opened(2))
        journal.append(cycle(2))
        journal.sync()

    def crash_and_begin_anew() -> None:
        other = writer(files, "later", journal.head())
        other.turn(opened())
        other.append(RunClosed(reason="done", exit_code=0, cycles=0))
        other.close()

    seen, following = followed(files, [turn, crash_and_begin_anew])
    assert seen == [1, 2, 3, 4, 5, 6]
    assert following.place == (FOLDER / "later.001.jsonl", 2)


def test_a_segment_that_has_just_been_created_is_waited_for() -> None:
    files = lossy()
    journal = begun(files)
    journal.turn(opened(2))
    journal.sync()
    text = files.content(SECOND)
    states = [b"", text[:50], text]
    files.damage(SECOND, states[0])
    steps: list[Callable[[], object]] = [lambda state=state: files.damage(SECOND, state) for state in states]  # type: ignore[misc]  # bound now
    assert followed(files, steps)[0] == [1, 2]


def test_a_torn_line_that_the_next_writer_cuts_off_is_no_damage() -> None:
    files = lossy()
    journal = begun(files)
    text = files.content(FIRST)
    files.damage(FIRST, text + b'{"v":1,"se')

    def go_on() -> None:
        files.damage(FIRST, text)
        other = writer(files, "later", journal.head())
        other.turn(opened())
        other.close()

    assert followed(files, [go_on])[0] == [1, 2]


def test_a_torn_line_before_another_segment_is_damage() -> None:
    files = lossy()
    journal = begun(files)
    files.damage(FIRST, files.content(FIRST) + b"{")
    other = writer(files, "later", journal.head())
    other.turn(opened())
    other.close()
    with pytest.raises(
        Corrupt, match=r"run\.001\.jsonl: expected a newline at its end, as the journal goes on in later"
    ):
        followed(files, [])


def test_lines_that_disappear_or_do_not_follow_are_damage() -> None:
    files = lossy()
    begun(files)
    text = files.content(FIRST)
    with pytest.raises(Corrupt, match="found 10: it was cut off"):
        followed(files, [lambda: files.damage(FIRST, text[:10])])
    files.damage(FIRST, text)
    with pytest.raises(Corrupt, match="line 2: expected"):
        followed(files, [lambda: files.damage(FIRST, text + text)])


def test_a_journal_that_is_whole_is_read_to_its_end() -> None:
    files = lossy()
    events = small_journal(files)
    names = [FOLDER / name for name in files.names(FOLDER)]

    def idle() -> bool:
        pytest.fail("nothing more will come")

    assert list(Following(files, names, idle)) == events
    assert list(Following(files, names[:1], idle)) == events


def test_packed_segments_are_followed_by_what_comes_after_them() -> None:
    import zstandard

    files = lossy()
    events = small_journal(files)
    first = FOLDER / "run-a.001.jsonl"
    packed = Path(f"{first}.zst")
    files.damage(packed, zstandard.ZstdCompressor().compress(files.content(first)))
    files.remove(first)
    assert list(Following(files, [packed], lambda: False)) == events
