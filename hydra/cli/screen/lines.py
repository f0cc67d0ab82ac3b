"""Tables for a screen whose size is given: exactly one line a row, never wider than asked.

Columns that hold numbers are never cut (a cut number is a wrong one): when they do not fit, whole columns go, those with
the highest ``drop`` first. Columns that hold words share what is left and are cut with an ellipsis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

_GAP = 2
_WORDS_LEAST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column. ``drop`` 0 stays to the end; ``cut`` marks words that may be shortened, others going first down to ``least``."""

    title: str
    right: bool = False
    cut: bool = False
    drop: int = 0
    least: int = _WORDS_LEAST


def table_lines(columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int) -> list[Text]:
    """The header line and one line for every row, each at most ``width`` cells."""
    wanted = [max([cell_len(c.title), *(row[n].cell_len for row in rows)]) for n, c in enumerate(columns)]
    shown = _shown(columns, wanted, width)
    widths = _widths(columns, wanted, shown, width)
    header = [Text(column.title, "bold") for column in columns]
    return [_line(columns, cells, shown, widths, width) for cells in (header, *rows)]


def crop(text: Text, width: int) -> Text:
    """``text`` as one line of at most ``width`` cells."""
    text.no_wrap, text.overflow = True, "ellipsis"
    text.truncate(max(width, 0), overflow="ellipsis")
    return text


def sides(left: Text, right: Sequence[Text], width: int) -> Text:
    """One line: ``left``, and at the other end as many of ``right`` as there is room for."""
    kept: list[Text] = []
    room = width - left.cell_len
    for part in right:
        if part.cell_len + _GAP <= room:
            kept.append(part)
            room -= part.cell_len + _GAP
    line = left.copy()
    line.append(" " * max(room, 0))
    for part in kept:
        line.append(" " * _GAP)
        line.append_text(part)
    return crop(line, width)


def _shown(columns: Sequence[Column], wanted: Sequence[int], width: int) -> list[int]:
    shown = list(range(len(columns)))

    def least() -> int:
        sizes = (min(wanted[n], columns[n].least) if columns[n].cut else wanted[n] for n in shown)
        return sum(sizes) + _GAP * (len(shown) - 1)

    while least() > width:
        victim = max(shown, key=lambda n: columns[n].drop)
        if columns[victim].drop == 0:
            break
        shown.remove(victim)
    return shown


def _widths(columns: Sequence[Column], wanted: Sequence[int], shown: Sequence[int], width: int) -> dict[int, int]:
    """Numbers get what they want; words share the rest, the modest ones served first."""
    widths = {n: wanted[n] for n in shown if not columns[n].cut}
    room = width - sum(widths.values()) - _GAP * (len(shown) - 1)
    words = sorted((n for n in shown if columns[n].cut), key=lambda n: wanted[n])
    for served, n in enumerate(words):
        widths[n] = max(1, min(wanted[n], room // (len(words) - served)))
        room -= widths[n]
    return widths


def _line(
    columns: Sequence[Column], cells: Sequence[Text], shown: Sequence[int], widths: dict[int, int], width: int
) -> Text:
    line = Text(no_wrap=True)
    for place, n in enumerate(shown):
        cell = cells[n].copy()
        cell.truncate(widths[n], overflow="ellipsis")
        cell.align("right" if columns[n].right else "left", widths[n])
        if place:
            line.append(" " * _GAP)
        line.append_text(cell)
    line.rstrip()
    return crop(line, width)
