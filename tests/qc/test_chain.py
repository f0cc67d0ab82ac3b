"""The journal holds the last certificate's event and the store's, and has only grown since."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from hydra.adapters.journal.reader import follow, read_journal
from hydra.adapters.memory.files import LossyFiles
from hydra.model.errors import Corrupt
from hydra.model.portfolio import Certificate
from hydra.ports import Head
from hydra.qc.chain import Chain, ask
from tests.adapters.journals import FOLDER, cycle, opened, writer

FIRST, SECOND = FOLDER / "run.001.jsonl", FOLDER / "run.002.jsonl"


def journal() -> tuple[LossyFiles, list[Head]]:
    """Two segments with four events each, and the head after each event."""
    files = LossyFiles()
    files.make_dir(FOLDER)
    log = writer(files)
    for segment in (1, 2):
        log.turn(opened(segment))
        for number in range(3):
            log.append(cycle(number))
    log.sync()
    log.close()
    return files, [Head(seq=event.seq, hash=event.hash) for event in read_journal(files, FOLDER)]


def certificate(head: Head, seq: int | None = None) -> Certificate:
    return Certificate(
        wall=datetime(2026, 1, 5, tzinfo=UTC),
        minutes=15,
        policy_hash="p",
        code_hash="c",
        account_id="A",
        url="u",
        mode="paper",
        host="h",
        head=head.hash,
        seq=head.seq if seq is None else seq,
    )


def chain(files: LossyFiles, certified: Certificate | None, folded: Head | None = None) -> Chain:
    def verify(after: Head | None, holds: Head | None) -> tuple[int, Head, int]:
        tail = follow(files, FOLDER, after, holds)
        return tail.events, tail.head, tail.torn_bytes

    return Chain(certificate=lambda: certified, folded=lambda: folded, verify=verify)


def spoil(files: LossyFiles, path: Path, before: bytes, after: bytes) -> None:
    text = b"".join(files.chunks(path))
    assert before in text
    files.write_whole(path, text.replace(before, after, 1))


def test_without_a_certificate_everything_is_verified() -> None:
    files, heads = journal()
    found = ask(chain(files, None))
    assert found.good
    assert "the whole journal: 8 events verified, the head is event 8" in found.reason
    assert ask(chain(files, certificate(heads[2], seq=0))).reason == found.reason, "an old one does not say where"


def test_with_one_only_what_came_since() -> None:
    files, heads = journal()
    found = ask(chain(files, certificate(heads[4]), folded=heads[7]))
    assert found.good
    assert found.reason.startswith(
        "event 5, certified 2026-01-05 00:00:00Z, is in the journal; since then 3 events verified"
    )
    assert found.reason.endswith("the store stands at event 8")


@pytest.mark.parametrize("path", [FIRST, SECOND])
def test_an_altered_line_is_damage_where_it_is_read(path: Path) -> None:
    files, heads = journal()
    spoil(files, path, b'"decide":2', b'"decide":3')
    with pytest.raises(Corrupt, match=path.name):
        ask(chain(files, None))
    if path == FIRST:
        assert ask(chain(files, certificate(heads[5]))).good, "that was verified for the certificate; check-io reads it"


@pytest.mark.parametrize("what", ["certificate", "store"])
@pytest.mark.parametrize(("seq", "words"), [(6, "this is another journal"), (9, "it was cut off")])
def test_an_event_that_is_missing_or_another_is_damage(what: str, seq: int, words: str) -> None:
    files, heads = journal()
    strange = Head(seq=seq, hash="0" * 64)
    given = (
        chain(files, certificate(strange)) if what == "certificate" else chain(files, certificate(heads[3]), strange)
    )
    with pytest.raises(Corrupt, match=words):
        ask(given)


def test_a_segment_of_another_journal_among_ours_is_found_without_reading_it_all() -> None:
    files, heads = journal()
    stranger = LossyFiles()
    stranger.make_dir(FOLDER)
    log = writer(stranger, run="other")
    log.turn(opened())
    log.append(cycle(77))
    log.sync()
    log.close()
    files.write_whole(FOLDER / "other.001.jsonl", b"".join(stranger.chunks(FOLDER / "other.001.jsonl")))
    with pytest.raises(Corrupt, match="a segment of another journal, or one is missing"):
        ask(chain(files, certificate(heads[6])))


def test_a_segment_that_is_gone_is_found_though_nothing_of_it_is_read() -> None:
    files, heads = journal()
    log = writer(files, run="last", after=heads[-1])
    log.turn(opened())
    log.append(cycle(9))
    log.sync()
    log.close()
    files.remove(SECOND)
    last = list(read_journal(files, FOLDER, after=heads[-1]))
    with pytest.raises(Corrupt, match="one is missing"):
        ask(chain(files, certificate(Head(seq=last[0].seq, hash=last[0].hash))))


def test_a_store_that_cannot_be_read_leaves_the_whole_journal_to_be_verified() -> None:
    files, _ = journal()

    def damaged() -> Certificate | None:
        raise Corrupt("the store is damaged")

    whole = Chain(certificate=damaged, folded=lambda: None, verify=chain(files, None).verify)
    found = ask(whole)
    assert found.good
    assert "the last certificate cannot be read (the store is damaged), so the whole journal: 8 events" in found.reason


def test_a_torn_last_line_is_said(tmp_path: Path) -> None:
    files, heads = journal()
    files.write_whole(SECOND, b"".join(files.chunks(SECOND)) + b'{"v":1,"seq":9')
    assert "a torn last line of 14 bytes" in ask(chain(files, certificate(heads[7]))).reason
