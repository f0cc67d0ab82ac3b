"""The file system, with its promises kept: what ``sync`` and the whole-file calls return from survives a loss of power.

A file's content and its name in the folder are two things to make durable, so creating, renaming and removing also sync
the folder. The chosen oddity: the first ``sync`` of every opened file syncs its folder even when the file was there
before, because the process that created it may have died before it could.
"""

from __future__ import annotations

import errno
import fcntl
import itertools
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

CHUNK_BYTES = 1 << 20
_FILE_MODE = 0o644
_FULL_SYNC = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: fsync alone stops at the drive's own cache
_temporary = itertools.count()


class RealAppendFile:
    """A file that only grows. Raises ``OSError``; a failed ``sync`` must not be tried again (the kernel forgets)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder_synced = False
        self._descriptor: int | None = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _FILE_MODE)

    def write(self, data: bytes) -> None:
        """Append all of ``data``, or raise ``OSError``; a part of it may then have been written."""
        try:
            _write_all(self._open(), data)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from error

    def sync(self) -> None:
        """Return when everything written so far, and the file's name, survive a loss of power."""
        descriptor = self._open()
        _sync(descriptor)
        if os.fstat(descriptor).st_nlink == 0:
            raise OSError(errno.ENOENT, "the file was deleted while it was being written", str(self._path))
        if not self._folder_synced:
            _sync_folder(self._path.parent)
            self._folder_synced = True

    def close(self) -> None:
        """Close without syncing; closing twice is fine."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def _open(self) -> int:
        if self._descriptor is None:
            raise OSError(errno.EBADF, "the file is closed", str(self._path))
        return self._descriptor


class HastyAppendFile(RealAppendFile):
    """A file whose ``sync`` promises nothing."""

    def sync(self) -> None:
        """What was written may be lost with the power. Raises ``OSError`` when the file is closed."""
        self._open()


class RealFiles:
    """The ``Files`` port on the operating system. Failures raise ``OSError`` with the path."""

    def make_dir(self, path: Path) -> None:
        """Create a folder and its parents, durably; an existing one is fine."""
        missing = list(itertools.takewhile(lambda folder: not folder.is_dir(), (path, *path.parents)))
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            _sync_folder(folder.parent)

    def append_to(self, path: Path) -> RealAppendFile:
        """Open for appending, creating the file when it is missing."""
        return RealAppendFile(path)

    def write_whole(self, path: Path, data: bytes) -> None:
        """Replace a file's content by way of a temporary file beside it; durable on return."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}-{next(_temporary)}.tmp")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE)
            try:
                _write_all(descriptor, data)
                _sync(descriptor)
            finally:
                os.close(descriptor)
            temporary.replace(path)
        except OSError:
            with suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(path.parent)

    def chunks(self, path: Path, offset: int = 0) -> Iterator[bytes]:
        """The content from ``offset``, in pieces of at most 1 MiB; the file is opened with the first piece."""
        with path.open("rb", buffering=0) as file:
            file.seek(offset)
            while piece := file.read(CHUNK_BYTES):
                yield piece

    def size(self, path: Path) -> int:
        """Bytes in the file."""
        return path.stat().st_size

    def truncate(self, path: Path, size: int) -> None:
        """Cut the file to ``size`` bytes, durably."""
        descriptor = os.open(path, os.O_WRONLY)
        try:
            os.ftruncate(descriptor, size)
            _sync(descriptor)
        finally:
            os.close(descriptor)

    def remove(self, path: Path) -> None:
        """Delete a file, durably; a missing one is fine."""
        with suppress(FileNotFoundError):
            path.unlink()
            _sync_folder(path.parent)

    def names(self, folder: Path) -> tuple[str, ...]:
        """The names in a folder, sorted; empty when the folder is missing."""
        try:
            return tuple(sorted(entry.name for entry in folder.iterdir()))
        except FileNotFoundError:
            return ()


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync(descriptor: int) -> None:
    if _FULL_SYNC is None:
        os.fsync(descriptor)
    else:
        fcntl.fcntl(descriptor, _FULL_SYNC)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class HastyFiles(RealFiles):
    """Files for what can be made again at any time: appended lines do not wait for the disk."""

    def append_to(self, path: Path) -> HastyAppendFile:
        """Open for appending, creating the file when it is missing."""
        return HastyAppendFile(path)
