"""Reading the journal: every line checked against the one before, in bounded memory, and never more trusted than that.

Only a last line without its newline is torn: it is dropped and reported. Whatever else is not the next event of the chain
is damage, and reading stops there with ``Corrupt``: file, line, expected, found. Events before the damage have been
yielded by then, so a caller that must not act on part of a journal collects first or asks ``verify``.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from hydra.adapters.journal.lines import BEFORE_FIRST, BadLine, check_follows, envelope_of, event_at_once, event_of
from hydra.adapters.journal.segments import (
    SegmentInfo,
    damage,
    end_of_last_line,
    is_packed,
    last_line,
    lines,
    or_corrupt,
    segments,
)
from hydra.model.errors import Corrupt, Invalid
from hydra.model.events import KIND_OF, Event, RawEvent, RunClosed, SegmentOpened
from hydra.model.values import Value, decode
from hydra.ports import Files, Head

HEAD_NAME = "head.json"
_OPENED = KIND_OF[SegmentOpened]
_CLOSED = KIND_OF[RunClosed]


class Tail(Value, frozen=True, kw_only=True):
    """How a reading ended.

    ``first_seq`` and ``events`` are of what was yielded, or would have been. ``torn_bytes`` is the length of a torn last line in
    ``torn_path``. ``open_tail``: the last event is not the end of a run.
    """

    head: Head
    first_seq: int | None = None
    events: int = 0
    torn_bytes: int = 0
    torn_path: Path | None = None
    open_tail: bool = False


class SignedHead(Value, frozen=True, kw_only=True):
    """The content of ``head.json``: HMAC-SHA256 over ``seq:hash``, in hex."""

    seq: int
    hash: str
    signature: str


class Reading:
    """The events of segments, in the order given. Iterate it once; ``tail`` is final when the iteration has ended.

    With ``after``, events up to and including it are checked (their payloads are not looked into) but not yielded, and it
    must be among them or right before them. Without, what stands before the first event is taken on trust, unless the
    first event is event 1. ``payloads=False`` checks all of them like that, and yields none. ``holds`` is an event that must not
    be missing or another; one from before the first that is read cannot be looked for. ``joined``: a file may hold several
    segments, one behind the other, as a pipe does.
    """

    def __init__(
        self,
        files: Files,
        paths: Sequence[Path],
        after: Head | None = None,
        *,
        payloads: bool = True,
        holds: Head | None = None,
        joined: bool = False,
    ) -> None:
        self._files = files
        self._paths = tuple(paths)
        self._after = after
        self._payloads = payloads
        self._holds = BEFORE_FIRST if holds is None else holds
        # Where the chain stands: the last line, or what has to come before the first.
        self._head: Head | RawEvent | Event | None = after if after == BEFORE_FIRST else None
        self._looked_for = {wanted.seq for wanted in (after, self._holds) if wanted is not None}
        self._last_kind = ""
        self._first_seq: int | None = None
        self._torn: tuple[int, Path] | None = None
        self._joined = joined
        self._place: tuple[Path, int] | None = None

    @property
    def place(self) -> tuple[Path, int] | None:
        """The file and the line (from 1) of the last event that was yielded."""
        return self._place

    @property
    def closed(self) -> bool:
        """Whether the last event is the end of a run."""
        return self._last_kind == _CLOSED

    @property
    def tail(self) -> Tail:
        """Where the reading stands, or how it ended."""
        head = self._head or self._after or BEFORE_FIRST
        torn_bytes, torn_path = self._torn or (0, None)
        return Tail(
            head=Head(seq=head.seq, hash=head.hash),
            first_seq=self._first_seq,
            events=0 if self._first_seq is None else head.seq - self._first_seq + 1,
            torn_bytes=torn_bytes,
            torn_path=torn_path,
            open_tail=self._last_kind not in ("", _CLOSED),
        )

    def __iter__(self) -> Iterator[Event]:
        for path in self._paths:
            if self._torn is not None:
                raise damage(
                    self._torn[1], None, f"expected a newline at its end, as the journal goes on in {path.name}"
                )
            yield from self._segment(path)
        end = self._head or BEFORE_FIRST
        for wanted in (self._after or BEFORE_FIRST, self._holds):
            if end.seq < wanted.seq:
                raise Corrupt(
                    f"{self._paths[-1] if self._paths else 'the journal'}: expected event {wanted.seq} with hash "
                    f"{wanted.hash}, found the end of the journal after event {end.seq}: it was cut off, or what was "
                    "folded from it belongs to another journal"
                )

    def _segment(self, path: Path) -> Iterator[Event]:
        return self._events(path, lines(self._files, path))

    def _events(self, path: Path, found: Iterable[tuple[bytes, bool]]) -> Iterator[Event]:
        """The events in the lines of a segment; ``False`` beside one says that it has no newline."""
        skipped_to = 0 if self._after is None else self._after.seq
        decoding, run = self._payloads, ""
        at_once = decoding and skipped_to <= (0 if self._head is None else self._head.seq)
        for number, (line, whole) in enumerate(found, start=1):
            if not whole:
                if is_packed(path):
                    raise damage(path, number, "expected a newline at the end of a compressed segment, found none")
                self._torn = (len(line), path)
                return
            event = event_at_once(line) if at_once else None
            try:
                read = envelope_of(line) if event is None else event
                self._link(read)
                if read.run != run or read.kind == _OPENED or number == 1:
                    run = _check_place(read, self._joined or number == 1, number, run)
                if isinstance(read, RawEvent) and decoding and read.seq > skipped_to:
                    event = event_of(read)
            except BadLine as bad:
                raise damage(path, number, bad) from bad
            if read.seq <= skipped_to:
                at_once = decoding and read.seq == skipped_to
                continue
            if self._first_seq is None:
                self._first_seq = read.seq
            if event is not None:
                self._place = (path, number)
                yield event

    def _link(self, read: RawEvent | Event) -> None:
        """Take a line as the next of the chain. Raises ``BadLine``."""
        head = self._head
        if head is None:
            self._begin(read)
        elif read.seq != head.seq + 1 or read.prev != head.hash:
            check_follows(read, head)
        if read.seq in self._looked_for:
            self._recognise(read)
        self._head = read
        self._last_kind = read.kind

    def _begin(self, first: RawEvent | Event) -> None:
        """What the first line that is read has to follow, as far as that is known."""
        after = self._after
        if after is not None and first.seq == after.seq + 1:
            check_follows(first, after)
        elif first.seq <= 1:
            check_follows(first, BEFORE_FIRST)
        elif after is not None and first.seq > after.seq:
            raise BadLine(f"event {after.seq} or the one after it", f"seq {first.seq}: what came before is not here")

    def _recognise(self, read: RawEvent | Event) -> None:
        for wanted in (self._after, self._holds):
            if wanted is not None and read.seq == wanted.seq and read.hash != wanted.hash:
                raise BadLine(
                    f"event {wanted.seq} with hash {wanted.hash}", f"hash {read.hash}: this is another journal"
                )


def read_segment(files: Files, path: Path) -> Reading:
    """One segment by itself; the hash before its first event is taken on trust."""
    return Reading(files, (path,))


def read_journal(files: Files, folder: Path, after: Head | None = None) -> Reading:
    """The journal in a folder from right after ``after``, starting at the segment that is needed to check it.

    ``after`` is usually where the store was folded to; ``Head(seq=0, hash=GENESIS)`` demands the journal from its first
    event, ``None`` takes what retention has left. Iterating raises ``Corrupt`` for damage, when ``after`` is not in
    the journal, and when it lies beyond its end.
    """
    infos = segments(files, folder)
    return Reading(files, [info.path for info in infos[_position(infos, after) :]], after)


def follow(files: Files, folder: Path, after: Head | None = None, holds: Head | None = None) -> Tail:
    """Check the chain of the journal in a folder from ``after`` to its end, and say how it ends. Raises ``Corrupt``.

    Every line's hash and its link to the one before, and no payload: a third of the work of reading. ``holds`` is an event that has to
    be there too. Of the segments from before ``after`` only the ends are looked at: each has to go on where the one before it ended.
    """
    infos = segments(files, folder)
    needed = _position(infos, after)
    _check_joints(files, infos[: needed + 1])
    reading = Reading(files, [info.path for info in infos[needed:]], after, payloads=False, holds=holds)
    for _event in reading:
        pass
    return reading.tail


def _position(infos: Sequence[SegmentInfo], after: Head | None) -> int:
    """Where the segment stands that is needed first to check what comes after ``after``."""
    starts = [n for n, info in enumerate(infos) if after is not None and _starts_by(info.first_seq, after.seq + 1)]
    return starts[-1] if starts else 0


def _check_joints(files: Files, infos: Sequence[SegmentInfo]) -> None:
    """Demand that every segment begins where the one before it ends. Of a packed one the end is not looked for: that is all of it."""
    for before, info in pairwise(infos):
        if info.first_seq is None or before.first_seq is None:
            continue
        last = None if before.compressed else last_line(files, before.path)
        if last is not None and (info.first_seq, info.prev) != (last.seq + 1, last.hash):
            found = f"seq {info.first_seq} after {info.prev}"
            expected = f"seq {last.seq + 1} after {last.hash}, with which {before.path.name} ends"
            raise damage(
                info.path, 1, f"expected {expected}, found {found}: a segment of another journal, or one is missing"
            )
        if info.first_seq <= before.first_seq:
            raise damage(
                info.path,
                1,
                f"expected a seq above {before.first_seq}, with which {before.path.name} begins, found {info.first_seq}",
            )


def verify(files: Files, paths: Sequence[Path], *, holds: Head | None = None) -> Tail:
    """Read segments, in the order given, to their end and say how they end; payloads are decoded too.

    ``holds`` is an event that must be among them, for example the signed head; one from before the first of them cannot
    be looked for, and is not missed. Raises ``Corrupt``.
    """
    reading = Reading(files, paths)
    wanted = BEFORE_FIRST if holds is None else holds
    for event in reading:
        found = {event.seq: event.hash, event.seq - 1: event.prev}.get(wanted.seq, wanted.hash)
        if found != wanted.hash:
            raise Corrupt(f"event {wanted.seq}: expected hash {wanted.hash}, found {found}")
    tail = reading.tail
    if tail.head.seq < wanted.seq:
        raise Corrupt(
            f"expected event {wanted.seq} with hash {wanted.hash}, found the end of the journal after event {tail.head.seq}"
        )
    return tail


def signature_of(key: bytes, head: Head) -> str:
    """HMAC-SHA256 over ``seq:hash``, in hex."""
    return hmac.new(key, f"{head.seq}:{head.hash}".encode(), hashlib.sha256).hexdigest()


def signed_head(files: Files, folder: Path, key: bytes) -> Head | None:
    """The head that ``head.json`` vouches for; ``None`` when there is no such file. Raises ``Corrupt``."""
    path = folder / HEAD_NAME
    if HEAD_NAME not in or_corrupt(folder, lambda: files.names(folder)):
        return None
    try:
        signed = decode(or_corrupt(path, lambda: b"".join(files.chunks(path))), SignedHead)
    except Invalid as error:
        raise damage(path, None, str(error)) from error
    head = Head(seq=signed.seq, hash=signed.hash)
    if not hmac.compare_digest(signature_of(key, head).encode(), signed.signature.encode()):
        raise damage(path, None, f"expected the signature of {head.seq}:{head.hash} under this key, found another")
    return head


def mend_torn_tail(files: Files, path: Path) -> int:
    """Cut a torn last line off, durably, and say how many bytes it had. A file that is left empty is removed.

    Only for a segment that was read to its torn end: cutting is no cure for damage. Raises ``OSError``.
    """
    size = files.size(path)
    keep = end_of_last_line(files, path)
    if keep == 0:
        files.remove(path)
    elif keep < size:
        files.truncate(path, keep)
    return size - keep


def _starts_by(first_seq: int | None, seq: int) -> bool:
    return first_seq is not None and first_seq <= seq


def _check_place(raw: RawEvent | Event, may_open: bool, number: int, run: str) -> str:
    """A segment begins with ``segment_opened``, has no other, and is of one run. ``may_open``: another segment may begin here."""
    if raw.kind == _OPENED:
        if not may_open:
            raise BadLine(f"{_OPENED} in line 1 and nowhere else", raw.kind)
        return raw.run
    if number == 1:
        raise BadLine(f"{_OPENED} in line 1 and nowhere else", raw.kind)
    if raw.run != run:
        raise BadLine(f"run {run!r}, which opened this segment", repr(raw.run))
    return raw.run
