"""The journal's files: which there are, in which order, and their bytes whether compressed or not.

Order comes from the sequence number in a file's first line, never from its name, so renaming a file changes nothing.
A file of zero bytes (a crash right after it was created) holds nothing and is no segment. Where a segment lies there
both plain and compressed (a crash while compressing), the plain one counts.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from hydra.adapters.journal.lines import LINE_MAX_BYTES, BadLine, envelope_of, too_long
from hydra.model.errors import Corrupt
from hydra.model.events import RawEvent
from hydra.model.values import Value
from hydra.ports import Files

PIECE_BYTES = 1 << 20
_FED_BYTES = 2 << 10
"""So little is unpacked at a time that what comes of it fits into memory, however well it was packed."""
T = TypeVar("T")
_NAME = re.compile(r"(?P<run>.+)\.(?P<number>\d{3,})\.jsonl(?P<packing>\.zst|\.gz|)")


class SegmentInfo(Value, frozen=True, kw_only=True):
    """A segment as far as its first line tells; the last three are ``None`` when that line is torn."""

    path: Path
    size_bytes: int
    run: str
    number: int
    compressed: bool
    first_seq: int | None = None
    prev: str | None = None


def segment_name(run: str, number: int) -> str:
    """The file name of a run's n-th segment."""
    return f"{run}.{number:03d}.jsonl"


def segments(files: Files, folder: Path) -> tuple[SegmentInfo, ...]:
    """The segments in a folder in the order of the chain; one whose only line is torn comes last.

    Raises ``Corrupt`` for a first line that is not an event, and for a file that cannot be read.
    """
    found: dict[tuple[str, int], Path] = {}
    for name in or_corrupt(folder, lambda: files.names(folder)):
        match = _NAME.fullmatch(name)
        if match is not None:
            # sorted names: "x.jsonl" comes before "x.jsonl.gz" and "x.jsonl.zst"
            found.setdefault((match["run"], int(match["number"])), folder / name)
    infos = [_info(files, path, run, number) for (run, number), path in found.items()]
    there = [info for info in infos if info is not None]
    return tuple(sorted(there, key=lambda info: (info.first_seq is None, info.first_seq or 0, info.path.name)))


def is_segment(name: str) -> bool:
    """Whether a file of this name is a segment."""
    return _NAME.fullmatch(name) is not None


def is_packed(path: Path) -> bool:
    """Whether a segment is compressed, by the end of its name."""
    return path.suffix in _UNPACKERS


def content(files: Files, path: Path) -> Iterator[bytes]:
    """The bytes of a segment, decompressed where needed, in pieces of at most 1 MiB. Raises ``Corrupt``."""
    source = files.chunks(path)
    unpack = _UNPACKERS.get(path.suffix)
    pieces = source if unpack is None else unpack(path, source)
    while True:
        piece = or_corrupt(path, lambda: next(pieces, None))
        if piece is None:
            return
        yield piece


def lines(files: Files, path: Path) -> Iterator[tuple[bytes, bool]]:
    """Every line without its newline, and whether it had one; only the last can lack it. Raises ``Corrupt``."""
    number, rest = 1, b""
    for piece in content(files, path):
        start, end = 0, piece.find(b"\n")
        while end >= 0:
            yield (rest + piece[start:end] if rest else piece[start:end]), True
            number, rest, start = number + 1, b"", end + 1
            end = piece.find(b"\n", start)
        rest += piece[start:]
        if len(rest) > LINE_MAX_BYTES:
            raise damage(path, number, too_long(len(rest)))
    if rest:
        yield rest, False


def first_line(files: Files, path: Path) -> RawEvent | None:
    """The envelope of the first line; ``None`` when the file has no whole line. Raises ``Corrupt``."""
    for line, whole in lines(files, path):
        return _envelope(path, 1, line) if whole else None
    return None


def last_line(files: Files, path: Path) -> RawEvent | None:
    """The envelope of the last whole line; ``None`` when there is none. Reads a plain file from its end."""
    if path.suffix == ".jsonl":
        end = end_of_last_line(files, path)
        start = end_of_last_line(files, path, end - 1) if end else 0
        line = _bytes_between(files, path, start, max(start, end - 1))
        return _envelope(path, None, line) if end else None
    number, last = 0, None
    for line, whole in lines(files, path):
        if whole:
            number, last = number + 1, line
    return None if last is None else _envelope(path, number, last)


def end_of_last_line(files: Files, path: Path, before: int | None = None) -> int:
    """The offset right behind the last newline (of those before the offset ``before``) of a plain file; 0 if none."""
    end = or_corrupt(path, lambda: files.size(path)) if before is None else before
    while end > 0:
        start = max(0, end - PIECE_BYTES)
        newline = _bytes_between(files, path, start, end).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def damage(path: Path, line: int | None, bad: BadLine | str) -> Corrupt:
    """The fault to raise: file, 1-based line where known, what was expected, what was found."""
    return Corrupt(f"{path}: {'' if line is None else f'line {line}: '}{bad}")


def or_corrupt(path: Path, read: Callable[[], T]) -> T:
    """What ``read`` returns; a file that cannot be read raises ``Corrupt`` with the system's reason."""
    try:
        return read()
    except OSError as error:
        raise damage(path, None, f"cannot be read: {error.strerror or error}") from error


class _Readable:
    """What a decompressor wants of a file: ``read(size)``, which may return less."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            self._rest = next(self._pieces, b"")
        size = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def _unpack_zst(path: Path, packed: Iterator[bytes]) -> Iterator[bytes]:
    """Every frame there is, each to its end: what was cut off or put behind is damage, not a shorter segment."""
    import zstandard

    unpacker = None
    for piece in packed:
        for start in range(0, len(piece), _FED_BYTES):
            rest = piece[start : start + _FED_BYTES]
            while rest:
                if unpacker is None or unpacker.eof:
                    unpacker = zstandard.ZstdDecompressor().decompressobj()
                try:
                    data = unpacker.decompress(rest)
                except zstandard.ZstdError as error:
                    raise damage(path, None, f"cannot be decompressed: {error}") from error
                rest = unpacker.unused_data if unpacker.eof else b""
                yield from (data[at : at + PIECE_BYTES] for at in range(0, len(data), PIECE_BYTES))
    if unpacker is not None and not unpacker.eof:
        raise damage(path, None, "cannot be decompressed: it ends in the middle of a Zstandard frame: it was cut off")


def _unpack_gz(path: Path, packed: Iterator[bytes]) -> Iterator[bytes]:
    import gzip

    try:
        yield from iter(partial(gzip.GzipFile(fileobj=_Readable(packed), mode="rb").read, PIECE_BYTES), b"")  # type: ignore[call-overload]  # only read() is ever called
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise damage(path, None, f"cannot be decompressed: {error}") from error


_UNPACKERS = {".zst": _unpack_zst, ".gz": _unpack_gz}


def _info(files: Files, path: Path, run: str, number: int) -> SegmentInfo | None:
    size = or_corrupt(path, lambda: files.size(path))
    first = first_line(files, path)
    if first is None and path.suffix != ".jsonl":
        raise damage(path, None, "expected a whole segment, found no line in it")
    if first is None and size == 0:
        return None
    return SegmentInfo(
        path=path,
        size_bytes=size,
        run=run,
        number=number,
        compressed=path.suffix != ".jsonl",
        first_seq=None if first is None else first.seq,
        prev=None if first is None else first.prev,
    )


def _envelope(path: Path, number: int | None, line: bytes) -> RawEvent:
    try:
        return envelope_of(line)
    except BadLine as bad:
        raise damage(path, number, bad) from bad


def _bytes_between(files: Files, path: Path, start: int, end: int) -> bytes:
    found, wanted = [], end - start
    pieces = files.chunks(path, start)
    while wanted > 0:
        piece = or_corrupt(path, lambda: next(pieces, b""))
        if not piece:
            break
        found.append(piece[:wanted])
        wanted -= len(piece)
    return b"".join(found)
