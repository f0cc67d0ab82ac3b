"""What ``hydra replay`` reads, and what it runs it on: segments, folders, patterns or standard input, and their policies with plugs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from glob import glob, has_magic
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError

from hydra.adapters.files import RealFiles
from hydra.adapters.fingerprint import CodeFingerprint
from hydra.adapters.journal.segments import first_line, is_packed, segments
from hydra.bootstrap.hosts import replay_host
from hydra.bootstrap.plugs import foreign_sources, rule_book
from hydra.model.errors import BadConfig, Corrupt
from hydra.policy import Policy
from hydra.ports import BotHost
from hydra.risk.plugs import RuleBook

STDIN = Path("-")
_PIECE_BYTES = 1 << 16
_PROBLEMS = 5


class CountedFiles(RealFiles):
    """The file system, with standard input as the file ``-``, counting what was read of it."""

    def __init__(self) -> None:
        self.read_bytes = 0

    def chunks(self, path: Path, offset: int = 0) -> Iterator[bytes]:
        """The content in small pieces, so that what was read is what was worked on."""
        if path == STDIN:
            pieces = iter(lambda: os.read(sys.stdin.fileno(), _PIECE_BYTES), b"")
        else:
            pieces = super().chunks(path, offset)
        for piece in pieces:
            for start in range(0, len(piece), _PIECE_BYTES):
                part = piece[start : start + _PIECE_BYTES]
                self.read_bytes += len(part)
                yield part


class Resolver:
    """Journaled policies with their plugs, and in ``codes`` the hashes of the code that they run on here. A context manager.

    ``practice``: one of them was of practice.
    """

    def __init__(self) -> None:
        self.practice = False
        self._hashes: dict[tuple[Path, ...], str] = {}
        self._document: Mapping[str, Any] | None = None
        self._resolved: tuple[RuleBook, BotHost] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        if self._resolved is not None:
            self._resolved[1].close()
            self._document = self._resolved = None

    def __call__(self, document: Mapping[str, Any]) -> tuple[RuleBook, BotHost]:
        """The rule book and the bots, which get no deadline: time is not replayed. Most segments have the policy of the one before."""
        if self._resolved is None or document != self._document:
            self.__exit__()
            policy = policy_of(document)
            self.practice |= policy.practice
            self._document, self._resolved = document, (rule_book(policy), replay_host(policy))
            sources = foreign_sources(policy)
            if sources not in self._hashes:
                self._hashes[sources] = CodeFingerprint(more=sources).hash()
        return self._resolved

    @property
    def codes(self) -> frozenset[str]:
        """Of the policies so far."""
        return frozenset(self._hashes.values())


def policy_of(document: Mapping[str, Any]) -> Policy:
    """A journaled policy. Raises ``BadConfig`` for one that this version of the program cannot read."""
    try:
        return Policy.model_validate(document)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:_PROBLEMS])
        raise BadConfig(f"the journaled policy cannot be used by this version: {problems}") from None


def segments_of(named: Iterable[Path]) -> tuple[Path, ...]:
    """The segment files in the order of their chain; one whose only line is torn comes last.

    Raises ``BadConfig`` for what is not there or empty, ``Corrupt`` for what is no journal.
    """
    files, asked = RealFiles(), list(named)
    if STDIN in asked:
        if asked != [STDIN]:
            raise BadConfig("-: standard input is a journal by itself; name it alone")
        return (STDIN,)
    found: list[Path] = []
    for path in asked:
        found += _expanded(files, path)
    heads = {path: first_line(files, path) for path in dict.fromkeys(found)}
    for path, head in heads.items():
        if head is None and (files.size(path) == 0 or is_packed(path)):
            raise BadConfig(f"{path}: empty; expected a journal segment")
    if all(head is None for head in heads.values()):
        raise Corrupt(f"{next(iter(heads))}: line 1: expected an event, found a torn line and nothing else")
    last = max(head.seq for head in heads.values() if head is not None) + 1
    return tuple(sorted(heads, key=lambda path: last if (head := heads[path]) is None else head.seq))


def _expanded(files: RealFiles, path: Path) -> list[Path]:
    if path.is_dir():
        inside = [info.path for info in segments(files, path)]
        if not inside:
            raise BadConfig(f"{path}: no journal segments (<run>.<nnn>.jsonl) in this folder")
        return inside
    if path.exists():
        return [path]
    if not has_magic(str(path)):
        raise BadConfig(f"{path}: no such file; expected a journal segment, or a folder of them")
    matching = [Path(name) for name in sorted(glob(str(path)))]  # noqa: PTH207  # an absolute pattern is none of Path.glob's
    if not matching:
        raise BadConfig(f"{path}: nothing matches; expected journal segments, or a folder of them")
    return [inside for each in matching for inside in _expanded(files, each)]
