"""What becomes of old segments: compressed when they are complete, deleted when nobody needs them any more.

Both only ever touch segments that another one follows, and both can be stopped at any point: the plain file goes after
its compressed twin is durable and has been read back, and deletion works from the oldest end, so the chain has no hole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from hydra.adapters.journal.segments import SegmentInfo, content, damage, first_line, last_line, segments
from hydra.model.events import SegmentOpened, payload_of
from hydra.ports import Files

_LEVEL = 3


def compress_old(files: Files, folder: Path, *, keep_run: str = "", least_bytes: int = 0) -> tuple[Path, ...]:
    """Replace every plain segment but the newest by a ``.zst`` of the same bytes; the new files.

    Segments of the run ``keep_run`` and those below ``least_bytes`` stay plain.

    Raises ``Corrupt`` when a file cannot be read or does not come back as it was, ``OSError`` when one cannot be written;
    the plain file stays in either case.
    """
    made = []
    for info in _followed(segments(files, folder)):
        if not info.compressed and info.run != keep_run and info.size_bytes >= least_bytes:
            target = info.path.with_name(f"{info.path.name}.zst")
            files.remove(target)  # left by a crash while it was being written
            _compress(files, info.path, target)
            files.remove(info.path)
            made.append(target)
    return tuple(made)


def expire(files: Files, folder: Path, *, keep_days: int, now: datetime, needed_from_seq: int) -> tuple[Path, ...]:
    """Delete segments that ended more than ``keep_days`` ago (0: keep for ever); the deleted files.

    A segment has ended when the next was opened, by the wall clock that each notes in its first line: event times are the
    market's own and may be of any year. Stops at the first that is young enough or holds an event with
    ``seq >= needed_from_seq``. Raises ``Corrupt`` for a segment that cannot be read, ``OSError`` for one that cannot be
    deleted.
    """
    gone: list[Path] = []
    if keep_days == 0:
        return ()
    oldest_kept = now - timedelta(days=keep_days)
    there = segments(files, folder)
    for info, following in zip(_followed(there), there[1:], strict=False):
        last = last_line(files, info.path)
        if last is None or last.seq >= needed_from_seq or _opened_at(files, following) >= oldest_kept:
            break
        files.remove(info.path)
        gone.append(info.path)
    return tuple(gone)


def _opened_at(files: Files, info: SegmentInfo) -> datetime:
    first = first_line(files, info.path)
    opened = None if first is None else payload_of(first)
    if not isinstance(opened, SegmentOpened):
        raise damage(info.path, 1, "expected segment_opened")
    return opened.wall


def _followed(infos: tuple[SegmentInfo, ...]) -> tuple[SegmentInfo, ...]:
    """All but the newest; a segment whose only line is torn has not begun and does not count as newest."""
    begun = [info for info in infos if info.first_seq is not None]
    return tuple(begun[:-1])


def _compress(files: Files, source: Path, target: Path) -> None:
    import zstandard

    wanted = hashlib.sha256()
    packer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compressobj(size=files.size(source))
    file = files.append_to(target)
    try:
        for piece in content(files, source):
            wanted.update(piece)
            file.write(packer.compress(piece))
        file.write(packer.flush())
        file.sync()
    finally:
        file.close()
    if _digest(content(files, target)) != wanted.digest():
        raise damage(target, None, f"expected the bytes of {source.name} on reading back, found others")


def _digest(pieces: Iterable[bytes]) -> bytes:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.digest()
