"""Which program this is: a hash over its own files, those of foreign plugs, and the installed versions of what it runs on.

Its own files are all that its package holds, sources and data alike, but for what Python caches and what editors leave behind.

A certificate is bound to this hash and the binding is looked at every cycle, so looking has to be cheap: files are read
again only when a ``stat`` differs. The set of files can only change with the time stamp of a folder, so folders are among
what is looked at. The change time is looked at beside the modification time: copying an old file over a new one keeps the
latter. Installed versions are read with the files, not every time: replacing a package touches none of our files, and
does not change what is already imported.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import TypeAlias

from hydra.model.errors import Refused

PACKAGE = Path(__file__).resolve().parent.parent
DISTRIBUTION = "trading-hydra"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_LEFTOVERS = (".pyc", ".pyo", "~", ".tmp", ".swp", ".orig", ".rej")
_NAMED_MAX = 3

Stamp: TypeAlias = tuple[int, ...]


class CodeFingerprint:
    """The hash of the sources under ``package`` and of the files in ``more``, made anew only when one of them has changed.

    A file of ``more`` that is gone counts as gone, which is another hash: the program that was started with it goes on.
    ``changed`` names what is not as it was at the first look.

    One look costs about 1.3 microseconds a file. ``look_seconds`` of monotonic time pass between two looks (0: each call
    looks). Not meant for several threads at once.
    """

    def __init__(
        self,
        package: Path = PACKAGE,
        *,
        more: Sequence[Path] = (),
        distribution: str = DISTRIBUTION,
        look_seconds: float = 0.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._package = package
        self._more = [str(path) for path in more]
        self._distribution = distribution
        self._look_seconds = look_seconds
        self._monotonic = monotonic
        self._looked_at = -math.inf
        self._paths: list[str] = []
        self._stamp: Stamp | None = None
        self._first: dict[str, str] = {}
        self._now: dict[str, str] = {}
        self._hash = ""

    def hash(self) -> str:
        """SHA-256, in hex. Raises ``Refused`` naming a source that cannot be read."""
        now = self._monotonic()
        if now - self._looked_at >= self._look_seconds:
            if self._stamp is None or self.changed_since(self._stamp):
                self._read()
            self._looked_at = now
        return self._hash

    @property
    def changed(self) -> tuple[str, ...]:
        """What the last look found other than the first did: files and packages, a few of them by name."""
        if self._now == self._first:
            return ()
        names = sorted(self._first.keys() | self._now.keys())
        told = [_how(name, self._first.get(name), self._now.get(name)) for name in names]
        found = [text for text in told if text]
        more = len(found) - _NAMED_MAX
        return (*found[:_NAMED_MAX], *((f"and {more} more",) if more > 0 else ()))

    def stamp(self) -> Stamp:
        """What the hashed sources looked like from outside, to be given to ``changed_since``."""
        self.hash()
        assert self._stamp is not None
        return self._stamp

    def changed_since(self, stamp: Stamp) -> bool:
        """True when a source was edited, added or removed, or a folder changed, since the stamp was taken."""
        return _looks(self._paths) != stamp

    def _read(self) -> None:
        folders, sources = _files_under(self._package)
        paths = [*folders, *sources, *self._more]
        # The stamp comes first: an edit while the files are read then shows at the next look.
        stamp = _looks(paths)
        self._now = _parts(self._package, sources, self._more, versions(self._distribution))
        self._first = self._first or self._now
        self._hash = hashlib.sha256(
            "".join(f"{name} {part}\n" for name, part in self._now.items()).encode()
        ).hexdigest()
        self._paths, self._stamp = paths, stamp


def versions(distribution: str = DISTRIBUTION) -> dict[str, str]:
    """The installed version of each package the distribution needs to run, and of what these need in turn, by name.

    ``missing`` is one that the distribution itself asks for and that is not there. Raises ``Refused`` when the distribution
    is not installed.
    """
    try:
        asked = [_name_of(line) for line in metadata.requires(distribution) or [] if not _is_extra(line)]
    except metadata.PackageNotFoundError as error:
        raise Refused(
            f"the package {distribution} is not installed in this environment; run it through make, or pip install -e ."
        ) from error
    found = dict.fromkeys(asked, "missing")
    waiting, seen = list(asked), set(asked)
    while waiting:
        name = waiting.pop()
        try:
            one = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # asked for elsewhere than on this machine, or missing
        found[name] = one.version
        needs = {_name_of(line) for line in one.requires or [] if not _is_extra(line)} - seen
        seen |= needs
        waiting += needs
    return dict(sorted(found.items()))


def _name_of(requirement: str) -> str:
    match = _NAME.match(requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def _is_extra(requirement: str) -> bool:
    """True for what only an optional extra asks for."""
    return "extra ==" in requirement.partition(";")[2]


def _files_under(package: Path) -> tuple[list[str], list[str]]:
    """The folders and the files of a package, each sorted; what Python caches and editors leave is neither."""
    folders: list[str] = []
    sources: list[str] = []
    for folder, below, files in os.walk(package):
        below[:] = sorted(name for name in below if name != "__pycache__")
        folders.append(folder)
        sources.extend(f"{folder}/{name}" for name in files if name[0] != "." and not name.endswith(_LEFTOVERS))
    return folders, sorted(sources)


def _looks(paths: list[str]) -> Stamp:
    """Modification time, change time and size of every path, in a row; a path that is gone looks like three zeros."""
    looks: list[int] = []
    stat = os.stat
    for path in paths:
        try:
            seen = stat(path)
        except OSError:
            looks += (0, 0, 0)
        else:
            looks += (seen.st_mtime_ns, seen.st_ctime_ns, seen.st_size)
    return tuple(looks)


def _parts(package: Path, sources: list[str], more: list[str], installed: dict[str, str]) -> dict[str, str]:
    """The hash of every file, by its name, and the version of every package."""
    parts: dict[str, str] = {}
    for source in sources:
        try:
            content = Path(source).read_bytes()
        except OSError as error:
            raise Refused(f"the source {source} cannot be read: {error.strerror}") from error
        name = Path(source).relative_to(package.parent).as_posix()
        parts[name] = hashlib.sha256(content).hexdigest()
    for source in more:
        try:
            parts[source] = hashlib.sha256(Path(source).read_bytes()).hexdigest()
        except OSError:
            parts[source] = "missing"
    return parts | {f"{name}==": version for name, version in installed.items()}


def _how(name: str, before: str | None, now: str | None) -> str:
    if before == now:
        return ""
    if name.endswith("=="):
        return f"{name[:-2]} is {now or 'missing'}, was {before or 'missing'}"
    if before is None:
        return f"{name} is new"
    return f"{name} is gone" if now in (None, "missing") else f"{name} was edited"
