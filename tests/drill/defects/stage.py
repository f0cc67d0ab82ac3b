"""A healthy place, and the hands that break it and put it back."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.place import Place, Told

_SENT = b'"kind":"order_sent"'


@dataclass(slots=True, kw_only=True)
class Stage:
    """A place of one defect's own. ``open`` closes what was started for it, in reverse.

    ``prefix`` is what is put before every command, such as a namespace in which a folder is read-only.
    """

    place: Place
    options: tuple[str, ...] = ()
    client: httpx.Client | None = None
    prefix: tuple[str, ...] = ()
    moved_back: tuple[Path, ...] = ()
    open: ExitStack = field(default_factory=ExitStack)
    kept: dict[Path, Path | None] = field(default_factory=dict)
    modes: dict[Path, int] = field(default_factory=dict)
    undo: list[Callable[[], object]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """The folder all of it lies in."""
        return self.place.folder

    @property
    def config(self) -> Path:
        """The configuration that is used."""
        return self.folder / self.options[1] if self.options else self.place.config

    @property
    def faults(self) -> Path:
        """What the simulated exchange is to get wrong; empty on a healthy stage."""
        return self.place.config.parent / "faults.toml"

    @property
    def env_file(self) -> Path:
        """The file with the secrets."""
        return self.folder / ".env"

    @property
    def store(self) -> Path:
        """The state store."""
        return self.place.state / "trading_state.db"

    def hydra(self, *arguments: str, **env: str) -> Told:
        """Run a command to its end, behind the prefix if there is one."""
        line = (*arguments, *self.options)
        if not self.prefix:
            return self.place.hydra(*line, **env)
        told = self.place.start(*line, prefix=self.prefix, **env).end()
        for folder in self.moved_back:
            shutil.rmtree(folder)
            folder.with_name(f"{folder.name}.after").rename(folder)
        return told

    def keep(self, path: Path) -> Path:
        """Remember a file or folder as it is now, for ``restore``. Returns its path."""
        if path in self.kept:
            return path
        aside = self.folder / "kept" / str(len(self.kept))
        aside.parent.mkdir(exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, aside)
        elif path.exists():
            shutil.copy2(path, aside)
        self.kept[path] = aside if path.exists() else None
        return path

    def write(self, path: Path, text: str | bytes) -> None:
        """Make this the content of a file."""
        self.keep(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def edit(self, path: Path, before: str, after: str) -> None:
        """Replace a text, which must be there, once."""
        text = path.read_text(encoding="utf-8")
        assert before in text, (path, before)
        self.write(path, text.replace(before, after, 1))

    def set(self, key: str, value: str) -> None:
        """Give the first line of the configuration that sets a key another value."""
        lines = self.config.read_text(encoding="utf-8").splitlines()
        (number, *_rest) = [n for n, line in enumerate(lines) if line.split("=")[0].strip() == key]
        lines[number] = f"{key} = {value}"
        self.write(self.config, "\n".join(lines) + "\n")

    def append(self, path: Path, text: str) -> None:
        """Add to a file's end."""
        self.write(path, path.read_text(encoding="utf-8") + text)

    def chmod(self, path: Path, mode: int) -> None:
        """Give a file or folder another mode."""
        self.modes.setdefault(path, path.stat().st_mode & 0o7777)
        path.chmod(mode)

    def fault(self, fault: str, on: str = "", **keys: object) -> None:
        """Have the exchange fail at this from now on."""
        more = {**({"on": on} if on else {}), **keys}
        lines = [f"{key} = {repr(value) if isinstance(value, str) else value}" for key, value in more.items()]
        self.write(self.faults, "\n".join([f'[[faults]]\nfault = "{fault}"', *lines, ""]))

    def sql(self, database: Path, *statements: str) -> None:
        """Change a database by hand."""
        for path in (database, *(database.with_name(f"{database.name}-{part}") for part in ("wal", "shm"))):
            self.keep(path)
        with closing(sqlite3.connect(database, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def journal(self, change: Callable[[list[bytes]], Iterable[bytes]]) -> None:
        """Change the lines of the journal's newest segment."""
        segment = self.keep(self.place.segments()[-1])
        lines = segment.read_bytes().splitlines(keepends=True)
        segment.write_bytes(b"".join(change(lines)))

    def restore(self) -> None:
        """Everything as it was when it was broken: files, folders, modes, and what was started for it ended."""
        self.prefix, self.moved_back = (), ()
        self.open.close()
        for undo in reversed(self.undo):
            undo()
        self.undo.clear()
        for path, mode in self.modes.items():
            path.chmod(mode)
        for path, aside in reversed(self.kept.items()):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
            if aside is not None and aside.is_dir():
                shutil.copytree(aside, path)
            elif aside is not None:
                shutil.copy2(aside, path)
        self.kept.clear()
        self.modes.clear()

    def command(self, *arguments: str) -> Told:
        """Mend with a command, which must succeed."""
        told = self.hydra(*arguments)
        assert told.code == 0, told.text
        return told

    def sent(self) -> int:
        """How many orders the journal says were sent, whatever else is wrong with it."""
        return sum(path.read_bytes().count(_SENT) for path in self.place.logs.glob("*.jsonl") if path.is_file())

    def entered(self) -> int:
        """How many entries the journal says were sent."""
        return sum(
            line.count(b'"purpose":"entry"')
            for path in self.place.logs.glob("*.jsonl")
            if path.is_file()
            for line in path.read_bytes().splitlines()
            if _SENT in line
        )

    def at_venue(self) -> object:
        """Every order in the exchange's books by its id, or that they cannot be read."""
        if self.client is not None:
            found: list[dict[str, Any]] = self.client.get("/v2/orders?status=all&limit=500").json()
            return sorted(order["id"] for order in found)
        try:
            return sorted(order["client_id"] for order in self.place.venue_orders())
        except (sqlite3.Error, OSError):
            return "unreadable"


def failed(told: Told) -> Mapping[str, str]:
    """The checks of a document that failed, with their reasons."""
    return _with(told, "fail")


def warned(told: Told) -> Mapping[str, str]:
    """The advisory checks of a document that warn, with their reasons."""
    return _with(told, "warn")


def _with(told: Told, status: str) -> Mapping[str, str]:
    return {one["name"]: one["reason"] for one in told.document.get("checks", ()) if one["status"] == status}
