"""A journal that is still being written, read as it grows.

Whatever comes is checked like any other reading. At the end of what is there it waits: a last line without its newline is being
written and is no damage, unless another segment follows. When a segment is over it goes on with the next, and it ends when a run
has closed and nothing follows, or when whoever waits has had enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from hydra.adapters.journal.lines import LINE_MAX_BYTES, too_long
from hydra.adapters.journal.reader import Reading
from hydra.adapters.journal.segments import content, damage, first_line, is_packed, is_segment, or_corrupt
from hydra.model.events import Event
from hydra.ports import Files


class Following(Reading):
    """The events of segments and of those that come after them in the last one's folder.

    ``idle`` is called whenever there is nothing new; it takes its time, and answers ``False`` to end the reading there.
    """

    def __init__(self, files: Files, paths: Sequence[Path], idle: Callable[[], bool]) -> None:
        super().__init__(files, paths)
        self._idle = idle
        self._next: Path | None = None
        self._read: set[str] = set()

    def __iter__(self) -> Iterator[Event]:
        for path in self._paths[:-1]:
            yield from self._segment(path)
        self._next = self._paths[-1] if self._paths else None
        while self._next is not None:
            path, self._next = self._next, None
            yield from self._events(path, self._growing(path))

    def _growing(self, path: Path) -> Iterator[tuple[bytes, bool]]:
        """The lines of a segment as they come; ends in front of the next segment, at the end of the run, or when told to."""
        offset, rest, following = 0, b"", None
        while True:
            offset, rest = self._cut_back(path, offset, rest)
            before = offset
            for piece in self._pieces(path, offset):
                offset += len(piece)
                *whole, rest = (rest + piece).split(b"\n")
                yield from ((line, True) for line in whole)
                if len(rest) > LINE_MAX_BYTES:
                    raise damage(path, None, too_long(len(rest)))
            if following is not None and offset == before:
                if rest:
                    goes_on = f"the journal goes on in {following.name}"
                    raise damage(path, None, f"expected a newline at its end, as {goes_on}")
                self._next = following
                return
            # What was written before the next segment was begun is read first.
            following = self._following(path)
            if following is None and ((self.closed and not rest) or not self._idle()):
                if rest:
                    yield rest, False
                return

    def _pieces(self, path: Path, offset: int) -> Iterator[bytes]:
        if is_packed(path):
            return content(self._files, path) if offset == 0 else iter(())
        pieces = self._files.chunks(path, offset)
        return iter(lambda: or_corrupt(path, lambda: next(pieces, b"")), b"")

    def _cut_back(self, path: Path, offset: int, rest: bytes) -> tuple[int, bytes]:
        """A torn last line may be cut off by the next writer; whole lines may not."""
        size = offset if is_packed(path) else or_corrupt(path, lambda: self._files.size(path))
        if size >= offset:
            return offset, rest
        kept = offset - len(rest)
        if size < kept:
            raise damage(path, None, f"expected the {kept} bytes that were read, found {size}: it was cut off")
        return kept, b""

    def _following(self, path: Path) -> Path | None:
        """The segment that goes on after what was read, once its first line is whole."""
        self._read.add(path.name)
        for name in or_corrupt(path.parent, lambda: self._files.names(path.parent)):
            if name in self._read or not is_segment(name):
                continue
            first = first_line(self._files, path.parent / name)
            if first is not None and self._head is not None and first.seq == self._head.seq + 1:
                return path.parent / name
            if first is not None:
                self._read.add(name)
        return None
