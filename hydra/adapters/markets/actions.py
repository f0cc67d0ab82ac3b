"""Recorded corporate actions: a table of announcements, checked row by row.

Everything that could move books is refused rather than guessed: an unknown kind, an action told twice, a date on which the
exchange does not trade.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from hydra.adapters.calendar import YEAR_FIRST, YEAR_LAST, ExchangeCalendar
from hydra.adapters.markets import tables
from hydra.adapters.markets.columns import bad_row, numbers_of
from hydra.adapters.markets.days import TradingDays
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import AssetClass, asset_class_of

_NUMBERS = {"old_rate": Decimal(1), "new_rate": Decimal(1), "cash": Decimal(0)}  # what an empty cell means


class ActionFile(NamedTuple):
    """A file's actions in its order."""

    path: Path
    digest: str
    first_row: int
    actions: tuple[CorporateAction, ...]


def load(path: Path) -> ActionFile:
    """Read a file. Raises ``BadConfig`` naming the file and the row."""
    table = tables.read(path)
    numbers = {name: numbers_of(path, table, (name,), empty=usual)[0] for name, usual in _NUMBERS.items()}
    found = []
    for index in range(len(table.columns["kind"])):
        text = {name: table.columns[name][index] for name in tables.ACTION_COLUMNS if name not in _NUMBERS}
        try:
            found.append(_action(text, {name: column[index] for name, column in numbers.items()}))
        except Invalid as error:
            raise bad_row(path, table, index, str(error)) from error
    return ActionFile(path, table.digest, table.first_row, tuple(found))


def gather(
    files: Sequence[ActionFile], symbols: Sequence[str], calendar: TradingDays | None = None
) -> tuple[tuple[CorporateAction, ...], tuple[str, ...]]:
    """The actions of these symbols by ``ex_date``, and notes on the others. Raises ``BadConfig`` for doubles and days that
    are no exchange days (``calendar``: the exchange's days, when not those of New York)."""
    told: dict[tuple[str, str, date], str] = {}
    found: list[CorporateAction] = []
    others: set[str] = set()
    days = (calendar or ExchangeCalendar()) if files else None
    for file in files:
        for row, action in enumerate(file.actions, file.first_row):
            place = f"{file.path}: row {row}"
            key = (action.kind, action.symbol, action.ex_date)
            if key in told:
                raise BadConfig(f"{place}: {_said(action)} a second time, as in {told[key]}")
            told[key] = place
            if days is not None and days.hours(action.ex_date) is None:
                raise BadConfig(f"{place}: {_said(action)}: the exchange does not trade on that day")
            if action.symbol in symbols:
                found.append(action)
            else:
                others.add(action.symbol)
    found.sort(key=lambda action: (action.ex_date, action.symbol, action.kind))
    return tuple(found), tuple(_notes(found, others, symbols))


def _action(text: Mapping[str, str], numbers: Mapping[str, Decimal]) -> CorporateAction:
    if text["kind"] not in set(ActionKind):
        raise Invalid(f"kind {text['kind'][:60]!r} is none of {', '.join(ActionKind)}")
    for name in ("symbol", "new_symbol"):
        if (text[name] or name == "symbol") and asset_class_of(text[name]) is not AssetClass.EQUITY:
            raise Invalid(f"{name} {text[name]} is no equity")
    return CorporateAction(
        kind=ActionKind(text["kind"]),
        symbol=text["symbol"],
        ex_date=_day("ex_date", text["ex_date"]),
        new_symbol=text["new_symbol"],
        payable_date=_day("payable_date", text["payable_date"]) if text["payable_date"] else None,
        **numbers,
    )


def _day(name: str, cell: str) -> date:
    try:
        day = date.fromisoformat(cell)
    except ValueError as error:
        raise Invalid(f"{name} {cell[:60]!r} is no date like 2014-06-09") from error
    if not YEAR_FIRST <= day.year <= YEAR_LAST:
        raise Invalid(f"{name} {cell} lies outside the years {YEAR_FIRST} to {YEAR_LAST}")
    return day


def _said(action: CorporateAction) -> str:
    return f"{action.kind} of {action.symbol} on {action.ex_date}"


def _notes(found: Sequence[CorporateAction], others: set[str], symbols: Sequence[str]) -> list[str]:
    notes = [
        f"{action.symbol}: becomes {action.new_symbol} on {action.ex_date}, which is not played"
        for action in found
        if action.new_symbol and action.new_symbol not in symbols
    ]
    if others:
        notes.append(f"not used: corporate actions of other symbols: {', '.join(sorted(others))}")
    return notes
