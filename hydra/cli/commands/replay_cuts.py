"""Where a journal is cut, so that several processes can decide a part of it each.

A part begins with a segment, whose first line has the ledger, or with a look within one. What stands before that look in its segment
is then read and folded first, and not decided: with a look everything begins anew, so that ledger and sight are all it takes. A part ends with the
event with which the next one begins: both go through that one, and the joint is held to what every other line is held to.

Parts are to take the same time. A byte that is decided counts once, one that is only folded ``_SKIMMED``; so more and more parts of one segment gain
less and less, and as many are made as are worth it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra.adapters.journal.lines import BadLine, envelope_of
from hydra.adapters.journal.segments import first_line, is_packed, lines
from hydra.bootstrap.plugs import foreign_sources
from hydra.cli.commands.replay_sources import policy_of
from hydra.model.errors import BadConfig, Corrupt, Invalid
from hydra.model.events import KIND_OF, RawEvent, SegmentOpened, payload_of
from hydra.model.snapshot import Observed
from hydra.ports import Files

Place = tuple[Path, int]
"""A file, and a line in it, from 1."""

SHARE_BYTES = 8 << 20
"""For less than this nobody starts a process: it would come too late to be of use."""
_UNPACKED = 8
"""What a byte of a compressed segment comes to where nothing in the file says so; it is for weighing only."""
_SKIMMED = 0.35
"""What it takes to fold a byte, in bytes that are decided."""
_WORTH = 1.05
"""Fewer parts will do when they take longer by this at most."""
_NEAR = 0.02
"""A cut that is so near to the end of a segment, in shares of a part, is made there."""
_LOOK, _OPENED = KIND_OF[Observed], KIND_OF[SegmentOpened]
_ROUNDS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one process decides: from a line of the first of ``paths`` up to where the next part begins, or to the end of the last."""

    number: int
    paths: tuple[Path, ...]
    line: int = 1
    until: Place | None = None

    @property
    def begins(self) -> Place:
        """Where its first event stands."""
        return self.paths[0], self.line


def parts_of(
    files: Files, paths: Sequence[Path], wanted: int | None, cores: Callable[[], int], share_bytes: int = SHARE_BYTES
) -> tuple[Part, ...]:
    """The parts of a journal, in its order; at most so many as are wanted.

    If nobody says how many: one for each of the ``cores``, as far as there is enough to do, and one alone where code that is not
    this program's decides, because that may keep something which it was told to keep in its memory.
    """
    whole = (Part(number=0, paths=tuple(paths)),)
    weights = [_weight(files, path) for path in paths]
    most = sum(weights) // share_bytes if wanted is None else wanted
    if most < 2 or (wanted is None and (most := min(most, cores())) < 2):
        return whole
    heads = [first_line(files, path) for path in paths]
    while heads and heads[-1] is None:  # only a torn line: there is nothing in it with which a part could begin
        heads.pop()
    opened = [head for head in heads if head is not None and head.kind == _OPENED]
    if len(opened) < len(heads) or (wanted is None and not _all_ours(opened)):
        return whole
    return _parts(files, tuple(paths), shares(weights[: len(heads)], most))


def _weight(files: Files, path: Path) -> int:
    """The bytes of a segment, unpacked."""
    size = files.size(path)
    if not is_packed(path):
        return size
    if path.suffix == ".zst":
        import zstandard

        try:
            told = zstandard.frame_content_size(next(files.chunks(path), b""))
        except zstandard.ZstdError:
            told = 0
        if told > 0:
            return told
    return size * _UNPACKED


def _all_ours(opened: Sequence[RawEvent]) -> bool:
    """Whether nothing but this program's own code decides. A policy that cannot be read is left to whoever reads it in its turn."""
    before = None
    for head in opened:
        try:
            payload = payload_of(head)
            assert isinstance(payload, SegmentOpened)
            if payload.policy != before and foreign_sources(policy_of(payload.policy)):
                return False
        except (Invalid, ArithmeticError, BadConfig):
            return False
        before = payload.policy
    return True


# -- how much for each


def shares(weights: Sequence[int], most: int) -> list[tuple[int, float]]:
    """Where at most so many parts begin: the number of the file, and how much of it comes before."""
    longest, begins = _balanced(weights, most)
    fewer = _laid(weights, longest * _WORTH, most)
    return begins if fewer is None else _balanced(weights, len(fewer))[1]


def _balanced(weights: Sequence[int], most: int) -> tuple[float, list[tuple[int, float]]]:
    """How long the longest of so many parts takes at least, and where they begin then."""
    low, high, begins = sum(weights) / most, float(sum(weights)), [(0, 0.0)]
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        laid = _laid(weights, middle, most)
        if laid is None:
            low = middle
        else:
            high, begins = middle, laid
    return high, begins


def _laid(weights: Sequence[int], longest: float, most: int) -> list[tuple[int, float]] | None:
    """Where parts begin of which each takes as long as it may; ``None`` where so many do not reach the end.

    To go as far as possible is best: whoever begins further on gets further, though there is more to be skimmed.
    """
    begins, near = [(0, 0.0)], longest * _NEAR
    file, before, left = 0, 0.0, longest
    while file < len(weights):
        rest = weights[file] - before
        if rest <= left + near:
            file, before, left = file + 1, 0.0, max(0.0, left - rest)
            continue
        before = 0.0 if before + left <= near else before + left
        left = longest - _SKIMMED * before
        begins.append((file, before))
        if left <= near or len(begins) > most:
            return None
    return begins


# -- at which lines


def _parts(files: Files, paths: tuple[Path, ...], begins: Sequence[tuple[int, float]]) -> tuple[Part, ...]:
    cuts: list[tuple[int, int]] = []
    for file in dict.fromkeys(file for file, _ in begins):
        within = [before for at, before in begins if at == file]
        cuts += [(file, line) for line in _lines_at(files, paths[file], within)]
    ends = [(paths[file], line) for file, line in cuts[1:]]
    return tuple(
        Part(number=number, paths=paths[file:], line=line, until=until)
        for number, ((file, line), until) in enumerate(zip(cuts, [*ends, None], strict=True))
    )


def _lines_at(files: Files, path: Path, wanted: Sequence[float]) -> list[int]:
    """The first lines with a look that have so many bytes before them, or line 1; fewer where there are no more looks.

    Whatever is wrong with the file is for those to tell who read it from its beginning.
    """
    found, left = [], list(wanted)
    if left[0] == 0:
        found.append(1)
        left.pop(0)
    before = 0
    try:
        for number, (line, whole) in enumerate(lines(files, path), start=1):
            if not left:
                break
            if before >= left[0] and number > 1 and whole and _is_look(line):
                found.append(number)
                left = [each for each in left if each > before]
            before += len(line) + 1
    except Corrupt:
        pass
    return found


def _is_look(line: bytes) -> bool:
    try:
        return envelope_of(line).kind == _LOOK
    except BadLine:
        return False
