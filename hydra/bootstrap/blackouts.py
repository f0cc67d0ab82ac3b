"""The blackout file: exchange days on which nothing is entered, one row each.

    date,symbols,reason
    2024-06-12,,the central bank decides
    2024-07-30,MSFT AAPL,earnings

``symbols`` are parted by blanks; none means all of them. ``reason`` may be empty. What is read becomes a part of the policy, and
of its hash: a day that is added is another policy. Every row is checked, the ones of days long past too, and one wrong row
refuses the file: a blackout that was misspelt would be no blackout.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from io import StringIO
from pathlib import Path

from hydra.bootstrap.environment import read_text
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import asset_class_of
from hydra.policy import Blackout

HEADER = ("date", "symbols", "reason")
ROWS_MAX = 10_000
REASON_MAX_LENGTH = 200
_PROBLEMS_MAX = 20
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YEARS = range(1990, 2200)


def read_blackouts(path: Path) -> tuple[Blackout, ...]:
    """The blackouts in a CSV file, in its order. Raises ``BadConfig`` with every wrong line, up to a screenful."""
    rows = _rows(path, read_text(path))
    found: list[Blackout] = []
    problems: list[str] = []
    for line, cells in rows:
        try:
            found.append(_blackout(cells))
        except Invalid as error:
            problems.append(f"{path}, line {line}: {error}")
        if len(found) > ROWS_MAX:
            raise BadConfig(f"{path}, line {line}: more than {ROWS_MAX} rows; expected a calendar, not data")
    if problems:
        more = len(problems) - _PROBLEMS_MAX
        raise BadConfig(
            "\n".join(problems[:_PROBLEMS_MAX] + ([f"{path}: and {more} more problems"] if more > 0 else []))
        )
    return tuple(found)


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of every row that is not blank, after the header."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    headed = False
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if headed:
                yield reader.line_num, cells
            elif tuple(cell.strip() for cell in cells) != HEADER:
                raise BadConfig(
                    f"{path}, line {reader.line_num}: {_quoted(','.join(cells))}: expected {','.join(HEADER)}"
                )
            headed = True
    except csv.Error as error:
        raise BadConfig(f"{path}, line {reader.line_num}: not CSV: {error}") from None
    if not headed:
        raise BadConfig(f"{path}: empty; expected a first line of {','.join(HEADER)}, and a row for each day")


def _blackout(cells: list[str]) -> Blackout:
    if len(cells) != len(HEADER):
        raise Invalid(f"{len(cells)} cells; expected {len(HEADER)}: {', '.join(HEADER)} (symbols are parted by blanks)")
    day, symbols, reason = (cell.strip() for cell in cells)
    names = tuple(symbols.split())
    for name in names:
        asset_class_of(name[:40])
    if len(set(names)) != len(names):
        raise Invalid(f"symbols {_quoted(symbols)} names one twice")
    if len(reason) > REASON_MAX_LENGTH or not reason.isprintable():
        raise Invalid(f"reason {_quoted(reason)}: expected one line of at most {REASON_MAX_LENGTH} characters")
    return Blackout(day=_day(day), symbols=names, reason=reason)


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None or day.year not in _YEARS:
        raise Invalid(f"date {_quoted(text)}: expected a day like 2024-06-12, from {_YEARS[0]} to {_YEARS[-1]}")
    return day


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "...")
