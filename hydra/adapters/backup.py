"""The state of a trader copied while an engine may have it open, and put back elsewhere.

A copy is what a crash at one instant would have left, which the next start recovers from: first the store and everything small, then, at
one instant, the exchange's own books and the journal. The store may be older than the journal (its tail is folded again), never newer; books
and journal must be of one instant, because the next start asks the venue what happened after the journal's last line.

That instant is found without stopping anybody: the journal's files have the same sizes right before and right after a read of
the books begins, which then stays as it was for as long as it takes to copy them. Every copied file stands in ``backup.json``
with its size and SHA-256; restoring believes nothing else, and only into folders without a state.
"""

from __future__ import annotations

import errno
import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import HEAD_NAME, read_journal
from hydra.adapters.journal.segments import segments
from hydra.model.errors import BadConfig, Corrupt, Invalid, Unreachable
from hydra.model.values import Value, decode, encode
from hydra.ports import Head

MANIFEST = "backup.json"
STATE, LOGS = "state", "logs"
_STORE, _BOOKS = "trading_state.db", "exchange.db"
_LEFT_OUT = frozenset({"lock", "cache"})
_BESIDE_DATABASES = ("-wal", "-shm", "-journal")
_TRIES, _PAUSE_SECONDS = 400, 0.005
_PIECE_BYTES = 1 << 20


class SavedFile(Value, frozen=True, kw_only=True):
    """A copied file, by its path in the backup."""

    path: str
    size_bytes: int
    sha256: str


class Backup(Value, frozen=True, kw_only=True):
    """What a backup holds. ``taken`` is wall-clock time, ``version`` the program's, ``head`` the last event of its journal."""

    taken: datetime
    version: str
    head: Head
    files: tuple[SavedFile, ...]

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Where a trader keeps its state and its journal."""

    state: Path
    logs: Path


def back_up(folders: Folders, target: Path, *, taken: datetime, version: str) -> Backup:
    """Copy everything into ``target``, which must be empty or missing, durably.

    Raises ``BadConfig`` for a target that is not empty, ``Corrupt`` when what was copied is damaged, ``Unreachable`` when books and
    journal never stood still for an instant, ``OSError`` for the disk.
    """
    if target.exists() and any(target.iterdir()):
        raise BadConfig(f"{target} is not empty; a backup wants a folder of its own")
    files = RealFiles()
    for place in (target / STATE, target / LOGS):
        files.make_dir(place)
    _copy_state(files, folders.state, target / STATE)
    if (folders.logs / HEAD_NAME).is_file():
        _copy(files, folders.logs / HEAD_NAME, target / LOGS / HEAD_NAME)
    _copy_books_and_journal(files, folders, target)
    backup = Backup(
        taken=taken,
        version=version,
        head=_head_of(files, target / LOGS, target / STATE / _STORE),
        files=tuple(_seal(target)),
    )
    files.write_whole(target / MANIFEST, encode(backup) + b"\n")
    return backup


def restore(source: Path, folders: Folders, *, journal_only: bool = False) -> Backup:
    """Put a backup back, into folders that have neither a state nor a journal; what was put there is checked byte by byte.

    ``journal_only`` leaves the store out (the next start folds it anew) and whatever else lies in the state folder but the
    exchange's own books, which no journal can replace. Raises ``Corrupt`` for a file that is not what was saved, ``BadConfig``
    for folders that are not empty of state, ``OSError``.
    """
    files = RealFiles()
    backup = read_manifest(source)
    _demand_empty(files, folders)
    for saved in backup.files:
        place, _, rest = saved.path.partition("/")
        if journal_only and place == STATE and rest not in (_BOOKS, "exchange-source.json"):
            continue
        target = (folders.state if place == STATE else folders.logs) / rest
        files.make_dir(target.parent)
        digest = _copy(files, source / saved.path, target)
        if (target.stat().st_size, digest) != (saved.size_bytes, saved.sha256):
            raise Corrupt(
                f"{source / saved.path}: expected {saved.size_bytes} bytes with SHA-256 {saved.sha256[:12]}, found "
                f"{target.stat().st_size} with {digest[:12]}: the backup is damaged"
            )
    head = _head_of(files, folders.logs, folders.state / _STORE)
    if head != backup.head:
        raise Corrupt(f"{source}: expected the journal to end at event {backup.head.seq}, found event {head.seq}")
    return backup


def read_manifest(source: Path) -> Backup:
    """What a backup says it holds. Raises ``BadConfig`` when there is none, ``Corrupt`` when it cannot be read."""
    try:
        backup = decode((source / MANIFEST).read_bytes(), Backup)
    except FileNotFoundError:
        raise BadConfig(f"{source}: no {MANIFEST} in it; expected a folder that a backup was written to") from None
    except (OSError, Invalid) as error:
        raise Corrupt(f"{source / MANIFEST}: {error}") from error
    for saved in backup.files:
        place, _, rest = saved.path.partition("/")
        if place not in (STATE, LOGS) or not rest or ".." in Path(rest).parts or Path(rest).is_absolute():
            raise Corrupt(f"{source / MANIFEST}: {saved.path!r} is no path of a backup")
    return backup


# -- copying


def _copy_state(files: RealFiles, source: Path, target: Path) -> None:
    """The store, the waiting commands, and whatever else lies in the state folder; not what a start makes anew, nor the books."""
    for path in _state_files(source):
        place = target / path.relative_to(source)
        if path == source / _BOOKS:
            continue
        files.make_dir(place.parent)
        if path.suffix == ".db":
            with closing(_reading(path)) as db:
                _copy_database(db, place)
        else:
            try:
                _copy(files, path, place)
            except FileNotFoundError:
                files.remove(place)  # a command that was taken in meanwhile: it is in the journal


def _state_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in inside)
        if hidden or inside[0] in _LEFT_OUT or not path.is_file() or path.name.endswith(_BESIDE_DATABASES):
            continue
        yield path


def _copy_books_and_journal(files: RealFiles, folders: Folders, target: Path) -> None:
    """Both as of one instant. Raises ``Unreachable``."""
    books = folders.state / _BOOKS
    for _ in range(_TRIES):
        before = _sizes(files, folders.logs)
        if not books.exists():
            if _copy_journal(files, folders.logs, target / LOGS, before):
                return
            continue
        with closing(_reading(books)) as db:
            db.execute("BEGIN")
            db.execute(
                "SELECT count(*) FROM sqlite_master"
            ).fetchone()  # from here on this connection sees this instant
            if _sizes(files, folders.logs) == before:
                _copy_database(db, target / STATE / _BOOKS)
                if _copy_journal(files, folders.logs, target / LOGS, before):
                    return
        time.sleep(_PAUSE_SECONDS)
    raise Unreachable(
        f"books and journal did not stand still in {_TRIES} tries: is the market played as fast as it goes? Try again, or stop the run"
    )


def _sizes(files: RealFiles, folder: Path) -> Mapping[str, int]:
    found = {}
    for name in files.names(folder):
        if name.endswith((".jsonl", ".jsonl.zst", ".jsonl.gz")):
            try:
                found[name] = files.size(folder / name)
            except FileNotFoundError:
                continue  # it was just compressed: the next look differs
    return found


def _copy_journal(files: RealFiles, source: Path, target: Path, sizes: Mapping[str, int]) -> bool:
    """The files up to their sizes, plain ones to their last whole line; false when one has gone meanwhile."""
    for name, size in sizes.items():
        try:
            _copy(files, source / name, target / name, size, whole_lines=name.endswith(".jsonl"))
        except FileNotFoundError:
            for copied in sizes:
                files.remove(target / copied)
            return False
    return True


def _copy(files: RealFiles, source: Path, target: Path, size: int | None = None, *, whole_lines: bool = False) -> str:
    """Copy durably; the SHA-256 of what was read. Only whole lines of the first ``size`` bytes, where that is asked."""
    with source.open("rb") as reading:
        left = os.fstat(reading.fileno()).st_size if size is None else size
        if whole_lines:
            left = _end_of_last_line(reading.fileno(), left)
        files.remove(target)
        digest, written = hashlib.sha256(), files.append_to(target)
        try:
            while left > 0:
                piece = reading.read(min(left, _PIECE_BYTES))
                if not piece:
                    raise OSError(errno.EIO, "the file became shorter while it was copied", str(source))
                digest.update(piece)
                written.write(piece)
                left -= len(piece)
            written.sync()
        finally:
            written.close()
    return digest.hexdigest()


def _end_of_last_line(descriptor: int, size: int) -> int:
    end = size
    while end > 0:
        start = max(0, end - _PIECE_BYTES)
        newline = os.pread(descriptor, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _reading(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise Unreachable(f"{path} cannot be opened: {error}") from error


def _copy_database(db: sqlite3.Connection, target: Path) -> None:
    """A copy of what this connection sees, sound, in one file. Raises ``Corrupt``."""
    target.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(target)) as copy:
            db.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            found = [row[0] for row in copy.execute("PRAGMA quick_check(3)")]
    except sqlite3.Error as error:
        raise Corrupt(f"{target.name} cannot be copied: {error}") from error
    if found != ["ok"]:
        raise Corrupt(f"{target.name} is damaged: {'; '.join(found)}")
    for path, flags in ((target, os.O_RDWR), (target.parent, os.O_RDONLY)):
        descriptor = os.open(path, flags)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# -- checking


def _head_of(files: RealFiles, logs: Path, store: Path) -> Head:
    """The copied journal's head; raises ``Corrupt`` when it is damaged, or ends before what the copied store was folded from."""
    folded = _folded_to(store) if store.exists() else None
    reading = read_journal(files, logs, after=folded if folded is not None and folded.seq else None)
    for _event in reading:
        pass
    return reading.tail.head


def _folded_to(store: Path) -> Head:
    try:
        with closing(_reading(store)) as db:
            seq, digest = db.execute("SELECT seq, hash FROM position").fetchone()
    except (sqlite3.Error, TypeError) as error:
        raise Corrupt(f"{store.name} does not say where it was folded to: {error}") from error
    return Head(seq=seq, hash=digest)


def _seal(target: Path) -> Iterator[SavedFile]:
    for path in sorted(target.rglob("*")):
        if path.is_file():
            digest = hashlib.sha256()
            with path.open("rb") as reading:
                while piece := reading.read(_PIECE_BYTES):
                    digest.update(piece)
            name = path.relative_to(target).as_posix()
            yield SavedFile(path=name, size_bytes=path.stat().st_size, sha256=digest.hexdigest())


def _demand_empty(files: RealFiles, folders: Folders) -> None:
    for name in (_STORE, _BOOKS):
        if (folders.state / name).exists():
            raise BadConfig(
                f"{folders.state / name} is there already; a backup is restored into folders without a state"
            )
    if folders.logs.exists() and segments(files, folders.logs):
        raise BadConfig(f"{folders.logs} has a journal already; a backup is restored into folders without one")
