"""Writing the journal: events gather in memory and leave in one write; ``sync`` returns when they are durable.

The contract: an event is in the journal only if every event before it is. So after the first write, sync or encoding that
fails, the writer has failed for good: every later call raises ``OSError`` with that first reason. A failed fsync in
particular is never tried again, because the kernel may answer the second one without having written anything.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from hydra.adapters.journal.lines import BEFORE_FIRST, line_of
from hydra.adapters.journal.reader import HEAD_NAME, SignedHead, Tail, mend_torn_tail, signature_of
from hydra.adapters.journal.segments import segment_name
from hydra.model.errors import Invalid
from hydra.model.events import KIND_OF, VERSION, Event, SegmentOpened
from hydra.model.values import Value, encode
from hydra.ports import AppendFile, Files, Head

BUFFER_MAX_BYTES = 1 << 20
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class JournalWriter:
    """The ``Journal`` port over a folder of segments. The caller holds the writer's lock.

    ``after`` is the event to continue from (``take_up`` gives it). The first ``turn`` opens segment 001 of ``run``;
    before it nothing can be appended. With a ``key``, ``head.json`` in the folder is signed whenever a segment ends.
    """

    def __init__(  # noqa: PLR0913  # what a journal is bound to; all but two have no sensible default
        self,
        files: Files,
        folder: Path,
        run: str,
        *,
        now: Callable[[], datetime],
        after: Head = BEFORE_FIRST,
        segment_bytes: int = 256 << 20,
        key: bytes | None = None,
    ) -> None:
        if _RUN.fullmatch(run) is None:
            raise Invalid(f"run must match {_RUN.pattern} to name a file, got {run!r}")
        if segment_bytes < 1:
            raise Invalid(f"segment_bytes must be at least 1, got {segment_bytes}")
        if key is not None and not key:
            raise Invalid("the signing key must not be empty")
        self._files = files
        self._folder = folder
        self._run = run
        self._run_json = encode(run)
        self._now = now
        self._head = after
        self._limit_bytes = segment_bytes
        self._key = key
        self._segment = 0
        self._file: AppendFile | None = None
        self._failure: OSError | None = None
        self._buffer: list[bytes] = []
        self._buffered_bytes = 0
        self._written_bytes = 0
        self._unsynced = False

    def append(self, payload: Value) -> Event:
        """Add an event (not yet durable) and return it. Raises ``OSError`` when it cannot be written.

        Raises ``Invalid`` for what is not a kind of event, and for ``SegmentOpened``, which only ``turn`` may write.
        """
        if type(payload) not in KIND_OF or type(payload) is SegmentOpened:
            raise Invalid(f"{type(payload).__name__} cannot be appended; expected a payload of hydra.model.events")
        if self._file is None or self._failure is not None:
            self._refuse()
        return self._add(payload)

    def sync(self) -> None:
        """Return when every appended event is durable. Raises ``OSError`` otherwise, and for ever after."""
        if self._file is None or self._failure is not None:
            self._refuse()
        try:
            self._flush()
            if self._unsynced:
                self._file.sync()
                self._unsynced = False
        except OSError as error:
            self._fail(error)

    def head(self) -> Head:
        """The last appended event, durable or not."""
        return self._head

    def turn(self, payload: Value) -> Event:
        """Close the segment durably, if one is open, and begin the next with ``payload``, a ``SegmentOpened``.

        Raises ``OSError``; also when a segment of that name is there already.
        """
        number = self._segment + 1
        if type(payload) is not SegmentOpened or payload.segment != number:
            raise Invalid(f"segment {number} must begin with its SegmentOpened, got {payload!r:.100}")
        if self._failure is not None:
            self._refuse()
        self._end_segment()
        self._written_bytes = 0
        try:
            self._file = self._create(segment_name(self._run, number))
        except OSError as error:
            self._fail(error)
        self._segment = number
        return self._add(payload)

    def wants_turn(self) -> bool:
        """True when the segment has reached its size."""
        return self._written_bytes + self._buffered_bytes >= self._limit_bytes

    def close(self) -> None:
        """Sync and let go. A writer that has failed only lets go: what it could not write was reported then."""
        try:
            if self._failure is None:
                self._end_segment()
        finally:
            self._failure = self._failure or OSError(errno.EBADF, "the journal is closed", str(self._folder))
            self._let_go()

    def _add(self, payload: Value) -> Event:
        ts = self._now()
        try:
            line, digest = line_of(self._head, ts, self._run_json, payload)
        except Invalid as error:
            # The event happened and cannot be recorded: nothing may follow the hole.
            self._fail(OSError(errno.EINVAL, f"{error}", str(self._folder)))
        event = Event(
            v=VERSION,
            seq=self._head.seq + 1,
            ts=ts,
            run=self._run,
            kind=KIND_OF[type(payload)],
            data=payload,
            prev=self._head.hash,
            hash=digest,
        )
        self._buffer.append(line)
        self._buffered_bytes += len(line)
        self._head = Head(seq=event.seq, hash=digest)
        if self._buffered_bytes > BUFFER_MAX_BYTES:
            try:
                self._flush()
            except OSError as error:
                self._fail(error)
        return event

    def _flush(self) -> None:
        if self._buffer and self._file is not None:
            data = b"".join(self._buffer)
            self._buffer.clear()
            self._unsynced = True
            self._file.write(data)
            self._written_bytes += len(data)
            self._buffered_bytes = 0

    def _end_segment(self) -> None:
        if self._file is None:
            return
        self.sync()
        self._let_go()
        if self._key is not None:
            head = self._head
            signed = SignedHead(seq=head.seq, hash=head.hash, signature=signature_of(self._key, head))
            try:
                self._files.write_whole(self._folder / HEAD_NAME, encode(signed) + b"\n")
            except OSError as error:
                self._fail(error)

    def _create(self, name: str) -> AppendFile:
        self._files.make_dir(self._folder)
        there = self._files.names(self._folder)
        for taken in (name, f"{name}.zst", f"{name}.gz"):
            if taken in there:
                raise FileExistsError(errno.EEXIST, "the segment is there already", str(self._folder / taken))
        return self._files.append_to(self._folder / name)

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # everything was synced, or the failure is known
                file.close()

    def _fail(self, error: OSError) -> NoReturn:
        self._failure = error
        self._buffer.clear()
        raise error

    def _refuse(self) -> NoReturn:
        first = self._failure
        if first is None:
            raise OSError(errno.EBADF, "the journal is not open; turn() comes first", str(self._folder))
        raise OSError(first.errno, f"the journal failed: {first.strerror or first}", first.filename) from first


def take_up(files: Files, tail: Tail) -> Head:
    """Make a journal that was read to its ``tail`` ready to be continued; the head to continue from.

    A torn last line is cut off durably; ``tail.torn_bytes`` tells how much that was. Raises ``OSError``.
    """
    if tail.torn_path is not None:
        mend_torn_tail(files, tail.torn_path)
    return tail.head
