"""Are the installed packages those this program was made and tested with?

In a checkout that is what the lock says: every package it has for this machine, at exactly its version. An installed wheel has no lock;
then it is what the package itself asks for, which is a range. A package that is missing or another is a no, with both versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from hydra.qc.check import Finding

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_TOLD_MAX = 6


def ask(
    *, lock: str | None, required: Iterable[str], installed: Callable[[str], str | None], place: str = "the lock"
) -> Finding:
    """Hold what is installed against ``lock`` (the text of a requirements file), or without one against ``required``.

    ``required`` are the package's own requirements, as its metadata has them; ``installed`` gives the version of a package, ``None``
    when it is not there. ``place`` is what the lock is called. Raises ``ValueError`` for what is no requirement.
    """
    lines = list(required) if lock is None else list(pinned(lock))
    wanted = list(_needed(lines))
    if not wanted:
        where = "the package asks for nothing" if lock is None else f"{place} names no package"
        return Finding(good=False, reason=f"{where}: there is nothing to hold the installed versions against")
    wrong = [why for one in wanted if (why := _misfit(one, installed(one.name)))]
    against = "the package's own requirements (there is no lock)" if lock is None else place
    if wrong:
        more = len(wrong) - _TOLD_MAX
        told = "; ".join(wrong[:_TOLD_MAX]) + (f"; and {more} more" if more > 0 else "")
        return Finding(good=False, reason=f"{len(wrong)} of {len(wanted)} packages differ from {against}: {told}")
    return Finding(good=True, reason=f"{len(wanted)} packages, each as in {against}")


def pinned(lock: str) -> Iterator[str]:
    """The requirements of a lock, without hashes and comments."""
    for line in lock.splitlines():
        if line[:1].isalnum():
            yield line.partition(" \\")[0].partition(" --hash")[0].partition(" #")[0].strip()


def _needed(lines: Iterable[str]) -> Iterator[Requirement]:
    """What applies to this interpreter on this machine; what only an extra asks for does not."""
    from packaging.requirements import Requirement

    for line in lines:
        one = Requirement(line)
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            yield one


def _misfit(wanted: Requirement, version: str | None) -> str | None:
    asked = str(wanted.specifier)
    if version is None:
        return f"{wanted.name} is missing, expected {asked}"
    if not wanted.specifier.contains(version, prereleases=True):
        return f"{wanted.name} is {version}, expected {asked}"
    return None
