"""Columns of exact numbers that are read at once and written out only where somebody looks.

A file of a million bars has five million numbers, and a run asks for few of them as decimals. So a column keeps what the file
holds (text, or floats whose shortest decimal is meant) beside its values as 64-bit floats: checks and indicators use the
floats, and a ``Decimal`` is made when it is asked for, a block of rows at a time, of which the last few are kept. The oddity:
rounding to a float never turns an order around, it only makes a tie of it, so comparing floats decides everything but ties;
``above`` decides those exactly.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import accumulate
from typing import Any, TypeVar, overload

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
T = TypeVar("T")

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_DIGITS_MAX = (15, 30)  # left and right of the point: more than any price has, dust of floats included
_SHORT = 15  # so many digits are told apart by a 64-bit float
_PLAIN_MAX = 30  # text of this length without exponent cannot have more digits than allowed right of the point
_DUST_MIN = 1e-13  # from here on a float's shortest decimal has at most 30 digits right of the point
_BLOCK_BITS = 6
_BLOCK = 1 << _BLOCK_BITS
_BLOCKS_MOST = 32
_PIECE = 4096
"""So many rows are written out at once where all of them are gone through."""
_floats_as_json = msgspec.json.Encoder().encode


def number(cell: str) -> Decimal:
    """The decimal in a cell. Raises ``ValueError`` for what is no finite number of usual size."""
    found = Decimal(cell) if _NUMBER.fullmatch(cell) else None
    left, right = _DIGITS_MAX
    if found is None or found.adjusted() >= left or -int(found.as_tuple().exponent) > right:
        raise ValueError(cell)
    return found


def is_number(cell: str) -> bool:
    """Would ``number`` take it?"""
    try:
        number(cell)
    except ValueError:
        return False
    return True


class Numbers(Sequence[Decimal]):
    """A column. ``floats`` are its values rounded to 64 bits; ``short``: equal floats are equal numbers."""

    def __init__(self, floats: Floats, texts: Callable[[int, int], list[str]], *, short: bool) -> None:
        self.floats = floats
        self.short = short
        self._texts = texts
        self._blocks: dict[int, list[Decimal]] = {}
        self._changed: dict[int, Decimal] = {}

    @classmethod
    def of(cls, column: Any, empty: Decimal | None = None) -> Numbers:
        """The numbers in an Arrow array. ``empty`` stands for a cell without one. Raises ``ValueError`` if a cell is none."""
        import pyarrow as pa

        kind = column.type
        if pa.types.is_floating(kind) and column.null_count == 0:
            return cls._of_floats(column.to_numpy(zero_copy_only=False))
        if pa.types.is_integer(kind) and column.null_count == 0:
            return cls._of_texts(column.cast(pa.string()), empty)
        return cls._of_texts(as_text(column), empty)

    @classmethod
    def _of_floats(cls, stored: NDArray[Any]) -> Numbers:
        floats = stored.astype(np.float64, copy=False)  # what Arrow holds does not change
        sizes = np.abs(floats)
        if not np.all((floats == 0) | ((sizes >= _DUST_MIN) & (sizes < 10.0 ** _DIGITS_MAX[0]))):
            for cell in map(str, stored):  # a person's words for what no person wrote
                number(cell)
        if stored.dtype == np.float64:
            return cls(floats, lambda first, last: shortest(floats[first:last]), short=True)
        floats = np.array([float(str(each)) for each in stored], np.float64)
        return cls(floats, lambda first, last: [str(each) for each in stored[first:last]], short=True)

    @classmethod
    def _of_texts(cls, texts: Any, empty: Decimal | None) -> Numbers:
        import pyarrow as pa
        import pyarrow.compute as pc

        if empty is not None:
            blank = pc.equal(texts, "")
            if pc.any(blank).as_py():
                texts = pc.if_else(blank, str(empty), texts)
        try:
            floats = texts.cast(pa.float64()).to_numpy(zero_copy_only=False)
            longest = pc.max(pc.binary_length(texts)).as_py() or 0
            scaled = _may_be_scaled(texts)
            if longest > _PLAIN_MAX or scaled or not np.all(np.abs(floats) < 10.0 ** _DIGITS_MAX[0]):
                for cell in texts.unique().to_pylist():
                    number(cell)
        except pa.ArrowInvalid:
            floats = np.array([float(number(cell)) for cell in texts.to_pylist()], np.float64)
            longest = _PLAIN_MAX
        return cls(floats, lambda first, last: texts.slice(first, last - first).to_pylist(), short=longest <= _SHORT)

    def changed(self, rows: dict[int, Decimal]) -> Numbers:
        """The same column with other numbers in some rows."""
        floats = self.floats.copy()
        floats[list(rows)] = [float(each) for each in rows.values()]
        found = Numbers(floats, self._texts, short=False)
        found._changed = {**self._changed, **rows}
        return found

    def __len__(self) -> int:
        return len(self.floats)

    @overload
    def __getitem__(self, place: int) -> Decimal: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Decimal]: ...
    def __getitem__(self, place: int | slice) -> Decimal | Sequence[Decimal]:
        if isinstance(place, slice):
            first, last, step = place.indices(len(self.floats))
            assert step == 1
            return self._part(first, max(first, last))
        if place < 0:
            place += len(self.floats)
        block = self._blocks.get(place >> _BLOCK_BITS)
        if block is None:
            block = self._block(place >> _BLOCK_BITS)
        return block[place & (_BLOCK - 1)]

    def __iter__(self) -> Iterator[Decimal]:
        for first in range(0, len(self.floats), _PIECE):
            yield from self._made(first, first + _PIECE)

    def stretch(self, first: int, last: int) -> list[Decimal]:
        """The numbers of a few rows, written out."""
        place = first >> _BLOCK_BITS
        skipped = first & (_BLOCK - 1)
        block = self._blocks.get(place) or self._block(place)
        if skipped + last - first <= _BLOCK:
            return block[skipped : skipped + last - first]
        found = block[skipped:]
        for further in range(place + 1, (last - 1 >> _BLOCK_BITS) + 1):
            found += self._blocks.get(further) or self._block(further)
        return found[: last - first]

    def _part(self, first: int, last: int) -> Numbers:
        """A stretch of the column; nothing is copied."""
        if (first, last) == (0, len(self.floats)):
            return self
        whole = self._texts
        found = Numbers(self.floats[first:last], lambda a, b: whole(first + a, first + b), short=self.short)
        found._changed = {row - first: each for row, each in self._changed.items() if first <= row < last}
        return found

    def _block(self, index: int) -> list[Decimal]:
        """A block that is not kept yet. Where they get too many, the older half is let go of."""
        first = index << _BLOCK_BITS
        block = self._made(first, first + _BLOCK)
        kept = self._blocks
        if len(kept) >= _BLOCKS_MOST:
            kept = self._blocks = newer_half(kept)
        kept[index] = block
        return block

    def _made(self, first: int, last: int) -> list[Decimal]:
        last = min(len(self.floats), last)
        made = list(map(Decimal, self._texts(first, last)))
        for row, each in self._changed.items():
            if first <= row < last:
                made[row - first] = each
        return made


class Joined(Sequence[Decimal]):
    """Columns one after the other, as one."""

    def __init__(self, parts: Sequence[Sequence[Decimal]]) -> None:
        self._parts = parts
        self._ends = list(accumulate(map(len, parts)))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, place: int) -> Decimal: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Decimal]: ...
    def __getitem__(self, place: int | slice) -> Decimal | Sequence[Decimal]:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        part = bisect_right(self._ends, place)
        return self._parts[part][place - (self._ends[part - 1] if part else 0)]

    def stretch(self, first: int, last: int) -> Sequence[Decimal]:
        """The numbers of a few rows, written out."""
        part = bisect_right(self._ends, first)
        before = self._ends[part - 1] if part else 0
        end = min(last, self._ends[part])
        found = stretch_of(self._parts[part])(first - before, end - before)
        return found if end == last else [*found, *self.stretch(end, last)]


def stretch_of(column: Sequence[Decimal]) -> Callable[[int, int], Sequence[Decimal]]:
    """What writes out the numbers of a few rows (at least one) of a column, from the first up to the last."""
    if isinstance(column, Numbers | Joined):
        return column.stretch
    return lambda first, last: column[first:last]


def newer_half(kept: dict[int, T]) -> dict[int, T]:
    """What was put in last. A mapping of its own, so that whoever still reads the other one, on another thread, is not disturbed."""
    return dict(list(kept.copy().items())[len(kept) // 2 :])


def shortest(floats: Floats) -> list[str]:
    """The shortest decimal of each float, as ``repr`` writes it but for the sign and the zeros of an exponent, in half the time."""
    return _floats_as_json(floats.tolist()).decode()[1:-1].split(",") if len(floats) else []


def joined(parts: Sequence[Sequence[Decimal]]) -> Sequence[Decimal]:
    """One column of several."""
    return parts[0] if len(parts) == 1 else Joined(parts)


def floats_of(column: Sequence[Decimal]) -> Floats:
    """A column as 64-bit floats."""
    if isinstance(column, Numbers):
        return column.floats
    if isinstance(column, Joined):
        return np.concatenate([floats_of(part) for part in column._parts])
    return np.array([float(each) for each in column], np.float64)


def above(one: Numbers, other: Numbers) -> NDArray[np.bool_]:
    """Where ``one`` is above ``other``, exactly."""
    found = one.floats > other.floats
    if not (one.short and other.short):
        for row in np.flatnonzero(one.floats == other.floats).tolist():
            found[row] = one[row] > other[row]
    return found


def _may_be_scaled(texts: Any) -> bool:
    """Has a number an exponent? Looks at the letters of all of them at once, so it may also see what lies beside a part."""
    letters = texts.buffers()[2]
    held = b"" if letters is None else letters.to_pybytes()
    return b"e" in held or b"E" in held


def as_text(column: Any) -> Any:
    """An Arrow array as the text a CSV would hold; a null is empty.

    A float becomes its shortest decimal; numpy keeps 32-bit floats short where a Python float would show their tail.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_string(kind):
        return pc.fill_null(column, "") if column.null_count else column
    if pa.types.is_large_string(kind):
        return as_text(column.cast(pa.string()))
    if pa.types.is_floating(kind):
        pairs = zip(column.to_numpy(zero_copy_only=False), column.is_null().to_pylist(), strict=True)
        return pa.array(["" if null else str(each) for each, null in pairs], pa.string())
    return pa.array(["" if cell is None else str(cell) for cell in column.to_pylist()], pa.string())
