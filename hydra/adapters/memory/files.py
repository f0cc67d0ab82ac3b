"""An in-memory file system that loses what was not synced, and fails when it is told to.

It keeps two pictures: what a reader sees now, and what is certain to survive. ``crash`` is a loss of power: of all that
lies between the two pictures, chance (seeded) decides how much a real disk had written by itself.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Iterator
from pathlib import Path

CHUNK_BYTES = 1 << 20


class PowerLoss(Exception):
    """The machine stopped in the middle of an operation. Follow it with ``LossyFiles.crash()``."""


class LossyAppendFile:
    """A handle of ``LossyFiles``; it dies with the machine."""

    def __init__(self, files: LossyFiles, path: Path) -> None:
        self._files = files
        self._path = path
        self._life = files.crashes
        self._closed = False

    def write(self, data: bytes) -> None:
        self._check()
        self._files._write(self._path, data)

    def sync(self) -> None:
        self._check()
        self._files._sync(self._path)

    def close(self) -> None:
        self._closed = True

    def _check(self) -> None:
        if self._closed or self._life != self._files.crashes:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF), str(self._path))


class LossyFiles:
    """The ``Files`` contract in memory. ``operations`` lists every one that changed, or tried to change, something."""

    def __init__(self, seed: int = 0) -> None:
        self.operations: list[str] = []
        self.crashes = 0
        self._random = random.Random(seed)
        self._seen: dict[Path, bytes] = {}
        self._certain: dict[Path, bytes] = {}
        self._renamed: dict[Path, bytes] = {}  # synced content, the new name not yet
        self._folders: set[Path] = {Path("/")}
        self._fault: tuple[int, BaseException, int | None, bool] | None = None

    # -- what only the tests ask for

    def fail(self, at: int, error: BaseException, keep: int | None = 0, for_good: bool = False) -> None:
        """Raise ``error`` at operation ``at``, counted from now (0: the next), and at all later ones ``for_good``.

        A failing write first writes ``keep`` bytes of its data (``None``: as many as chance decides).
        """
        self._fault = (len(self.operations) + at, error, keep, for_good)

    def heal(self) -> None:
        """Forget the fault."""
        self._fault = None

    def crash(self) -> None:
        """Lose power: every handle dies, and only what was synced is certain to be left."""
        self.crashes += 1
        self._fault = None
        left: dict[Path, bytes] = {}
        for path in sorted(self._seen.keys() | self._certain.keys()):
            content = self._survivor(path)
            if content is not None:
                left[path] = content
        self._seen, self._certain, self._renamed = dict(left), dict(left), {}

    def damage(self, path: Path, data: bytes) -> None:
        """Put other bytes into a file, behind everyone's back."""
        self._seen[path] = self._certain[path] = data

    def content(self, path: Path) -> bytes:
        """The whole file."""
        return b"".join(self.chunks(path))

    # -- the port

    def make_dir(self, path: Path) -> None:
        self._operation(f"make_dir {path.name}")
        for folder in (path, *path.parents):
            if folder in self._seen:
                kind = FileExistsError if folder == path else NotADirectoryError
                raise kind(errno.EEXIST, "a file is in the way", str(folder))
        self._folders.update((path, *path.parents))

    def append_to(self, path: Path) -> LossyAppendFile:
        self._operation(f"append_to {path.name}")
        self._no_folder(path)
        self._in_folder(path)
        self._seen.setdefault(path, b"")
        return LossyAppendFile(self, path)

    def write_whole(self, path: Path, data: bytes) -> None:
        self._operation(f"write_whole {path.name}")
        self._no_folder(path)
        self._in_folder(path)
        self._seen[path] = self._renamed[path] = bytes(data)
        self._operation(f"sync_folder {path.parent.name}")
        self._certain[path] = bytes(data)
        self._renamed.pop(path, None)

    def chunks(self, path: Path, offset: int = 0) -> Iterator[bytes]:
        content = self._existing(path)
        for start in range(offset, len(content), CHUNK_BYTES):
            yield content[start : start + CHUNK_BYTES]

    def size(self, path: Path) -> int:
        return 0 if path in self._folders else len(self._existing(path))

    def truncate(self, path: Path, size: int) -> None:
        self._existing(path)
        self._operation(f"truncate {path.name}")
        self._seen[path] = self._seen[path][:size].ljust(size, b"\0")
        self._operation(f"sync {path.name}")
        self._certain[path] = self._seen[path]

    def remove(self, path: Path) -> None:
        self._operation(f"remove {path.name}")
        self._no_folder(path)
        self._seen.pop(path, None)
        self._operation(f"sync_folder {path.parent.name}")
        self._certain.pop(path, None)

    def names(self, folder: Path) -> tuple[str, ...]:
        if folder in self._seen:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
        here = {path.name for path in self._seen if path.parent == folder}
        return tuple(sorted(here | {path.name for path in self._folders if path.parent == folder != path}))

    # -- inside

    def _write(self, path: Path, data: bytes) -> None:
        before = self._existing(path)
        self._operation(f"write {path.name}", writing=(path, data))
        self._seen[path] = before + data

    def _sync(self, path: Path) -> None:
        self._operation(f"sync {path.name}")
        if path in self._seen:
            self._certain[path] = self._seen[path]
            self._renamed.pop(path, None)

    def _operation(self, name: str, writing: tuple[Path, bytes] | None = None) -> None:
        number = len(self.operations)
        self.operations.append(name)
        if self._fault is None:
            return
        at, error, keep, for_good = self._fault
        if number != at and not (for_good and number > at):
            return
        if writing is not None:
            path, data = writing
            kept = self._random.randint(0, len(data)) if keep is None else keep
            self._seen[path] += data[:kept]
        raise error

    def _survivor(self, path: Path) -> bytes | None:
        """What is left of a file: all that is certain, and as much of the rest as chance decides."""
        seen, sure = self._seen.get(path), self._certain.get(path)
        if path in self._renamed:
            sure = self._random.choice((sure, self._renamed[path]))
        if seen == sure:
            return seen
        if seen is None or not seen.startswith(sure or b""):  # removed, replaced or cut, and not synced
            return sure if path in self._renamed else self._random.choice((seen, sure))
        if sure is None and (path in self._renamed or self._random.random() < 0.5):
            return None
        return seen[: self._random.randint(len(sure or b""), len(seen))]

    def _existing(self, path: Path) -> bytes:
        self._no_folder(path)
        if path not in self._seen:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return self._seen[path]

    def _no_folder(self, path: Path) -> None:
        if path in self._folders:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))

    def _in_folder(self, path: Path) -> None:
        if path.parent not in self._folders:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
