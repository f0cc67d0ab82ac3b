"""What the announcements of corporate actions say beyond the account's own rows: a split's ratio, and a new name.

Alpaca's market data have them (``/v1/corporate-actions``); its trading API had them before and still answers
(``/v2/corporate_actions/announcements``, splits only). The first is asked first; what it refuses is asked of the second. Both
refusing, or neither having the action, is *not known*: never a ratio of one. No answer at all raises, and is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from hydra.adapters.alpaca.access import Clients, Denied, ask
from hydra.adapters.alpaca.order_list import as_row, as_rows
from hydra.adapters.alpaca.terms import Row, number, reading, text_of
from hydra.model.errors import Invalid
from hydra.model.market import AssetClass, asset_class_of

NEAR = timedelta(days=5)
"""How far an activity may be from the ex-date of the action that made it."""


class _Action(NamedTuple):
    """One announcement: its day, and what it says."""

    day: date
    says: Any


class Announcements:
    """Announcements, as they can be had through ``clients``."""

    def __init__(self, clients: Clients) -> None:
        self._data = clients.stocks
        self._trading = clients.trading

    def ratio(self, symbol: str, day: date) -> Decimal | None:
        """How many shares there are for each before the split of ``symbol`` around ``day``; ``None``: nobody says."""
        found: Decimal | None = self._nearest(symbol, day, (self._splits, self._splits_of_old))
        return found

    def new_symbol(self, symbol: str, day: date) -> str:
        """What ``symbol`` is called since around ``day``; empty: nobody says."""
        return self._nearest(symbol, day, (self._names,)) or ""

    def _nearest(
        self, symbol: str, day: date, sources: Sequence[Callable[[str, date, date], Iterable[_Action]]]
    ) -> Any | None:
        """What the action nearest to ``day`` says; ``None`` if there is none, or two as near that differ."""
        if not _is_share(symbol):
            return None
        for source in sources:
            try:
                actions = list(source(symbol, day - NEAR, day + NEAR))
            except Denied as error:
                if not 400 <= error.status < 500 or error.status == 429:
                    raise
                continue
            if actions:
                nearest = min(abs(each.day - day) for each in actions)
                said = {each.says for each in actions if abs(each.day - day) == nearest}
                return said.pop() if len(said) == 1 else None
        return None

    def _splits(self, symbol: str, first: date, last: date) -> Iterable[_Action]:
        rows = self._announced(symbol, "forward_split,reverse_split", first, last)
        return [_split(row, "ex_date") for row in rows if row.get("symbol") == symbol]

    def _names(self, symbol: str, first: date, last: date) -> Iterable[_Action]:
        rows = self._announced(symbol, "name_change", first, last)
        return [_name(row) for row in rows if row.get("old_symbol") == symbol]

    def _announced(self, symbol: str, types: str, first: date, last: date) -> list[Row]:
        what = f"corporate actions of {symbol}"
        query = {"symbols": symbol, "types": types, "start": first.isoformat(), "end": last.isoformat()}
        body = as_row(what, ask(what, lambda: self._data.get("/corporate-actions", query, api_version="v1")))
        lists = as_row(what, body.get("corporate_actions"))
        return [row for name in lists for row in as_rows(what, lists[name])]

    def _splits_of_old(self, symbol: str, first: date, last: date) -> Iterable[_Action]:
        what = f"announcements of {symbol}"
        query = {"ca_types": "split", "symbol": symbol, "since": first.isoformat(), "until": last.isoformat()}
        rows = as_rows(what, ask(what, lambda: self._trading.get("/corporate_actions/announcements", query)))
        return [
            _split(row, "ex_date") for row in rows if symbol in (row.get("initiating_symbol"), row.get("target_symbol"))
        ]


def _is_share(symbol: str) -> bool:
    try:
        return asset_class_of(symbol) is AssetClass.EQUITY
    except Invalid:
        return False


def _split(row: Row, name: str) -> _Action:
    with reading(f"announcement {row.get('id')}"):
        new, old = number(row, "new_rate"), number(row, "old_rate")
        if new <= 0 or old <= 0:
            raise Invalid(f"a split of {new} for {old}")
        return _Action(date.fromisoformat(text_of(row, name)), new / old)


def _name(row: Row) -> _Action:
    with reading(f"announcement {row.get('id')}"):
        return _Action(date.fromisoformat(text_of(row, "process_date")), text_of(row, "new_symbol"))
