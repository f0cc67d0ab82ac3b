"""Corporate actions: what the feed's companies have done to their shares, up to the venue's present day.

An action is processed on its ex-date, a dividend on its payable date if it has one. It is shown from its ex-date on: the feed
does not say when anything was announced. CUSIPs are required by the protocol and in no feed, so they are empty.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from starlette.routing import BaseRoute

from hydra.adapters.calendar import NEW_YORK
from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.context import Context
from hydra.adapters.exchange.server.data.asked import Asked, asked_route, bad, limit_of, token_of
from hydra.adapters.exchange.server.data.pages import sliced
from hydra.adapters.exchange.server.data.rows import Row
from hydra.adapters.exchange.server.data.tape import Days
from hydra.adapters.markets.feed import ActionKind, CorporateAction

TYPES = (
    "reverse_split",
    "forward_split",
    "unit_split",
    "cash_dividend",
    "stock_dividend",
    "spin_off",
    "cash_merger",
    "stock_merger",
    "stock_and_cash_merger",
    "redemption",
    "name_change",
    "worthless_removal",
    "rights_distribution",
    "partial_call",
    "reorganization",
    "capital_gains_distribution",
)
_FILTERS = ("symbols", "cusips", "types", "region", "start", "end", "data_quality")
_NAMES = (*_FILTERS, "ids", "limit", "page_token", "sort")


def routes(context: Context, days: Days) -> list[BaseRoute]:
    """``/v1/corporate-actions``."""
    return [asked_route(context, days, "/v1/corporate-actions", _answer, _NAMES)]


def action_id(action: CorporateAction) -> str:
    """The id of an action."""
    return wire.made_id("corporate-action", action.kind, action.symbol, action.ex_date)


def processed_on(action: CorporateAction) -> date:
    """The day an action is processed."""
    return action.payable_date or action.ex_date


def _answer(asked: Asked) -> Any:
    wanted = _filter(asked)
    down = asked.query.chosen("sort", ("asc", "desc"), "asc") == "desc"
    limit, token = limit_of(asked, 100, 1000), token_of(asked)
    today = asked.view.now.astimezone(NEW_YORK).date()
    known = [each for each in asked.view.feed.actions if each.ex_date <= today and wanted(each)]
    keyed = {f"{processed_on(each)} {action_id(each)}": each for each in known}
    keys, following = sliced(keyed, limit, token, down=down)
    found: dict[str, list[Row]] = {}
    for key in keys:
        group, row = _ROWS[keyed[key].kind]
        found.setdefault(group, []).append(row(keyed[key]))
    return {"corporate_actions": found, "next_page_token": following}


def _filter(asked: Asked) -> Callable[[CorporateAction], bool]:
    query = asked.query
    ids = query.listed("ids")
    if ids:
        clash = [name for name in _FILTERS if name in query]
        if clash:
            raise bad(f"ids goes with no other filter, got {', '.join(clash)}")
        return lambda action: action_id(action) in ids
    today = asked.view.now.astimezone(NEW_YORK).date()
    first, last = query.date("start") or today, query.date("end") or today
    if last < first and "end" in query:
        raise bad("end should not be before start")
    types = query.listed("types")
    for each in types:
        if each not in TYPES:
            raise bad(f"invalid type: {each[:40]}")
    symbols = {each.upper() for each in query.listed("symbols")}
    elsewhere = query.chosen("region", ("us", "non_us", "all"), "us") == "non_us"
    query.chosen("data_quality", ("complete", "all"), "complete")
    nowhere = elsewhere or bool(query.listed("cusips"))

    def wanted(action: CorporateAction) -> bool:
        return (
            not nowhere
            and first <= processed_on(action) <= last
            and (not types or action.kind in types)
            and (not symbols or action.symbol in symbols or action.new_symbol in symbols)
        )

    return wanted


def _common(action: CorporateAction) -> Row:
    return {"id": action_id(action), "process_date": processed_on(action).isoformat()}


def _rates(action: CorporateAction) -> Row:
    return {
        **_common(action),
        "symbol": action.symbol,
        "new_rate": float(action.new_rate),
        "old_rate": float(action.old_rate),
        "ex_date": action.ex_date.isoformat(),
    }


def _forward(action: CorporateAction) -> Row:
    return {**_rates(action), "cusip": ""}


def _reverse(action: CorporateAction) -> Row:
    return {**_rates(action), "old_cusip": "", "new_cusip": ""}


def _dividend(action: CorporateAction) -> Row:
    told: Row = {
        **_common(action),
        "symbol": action.symbol,
        "cusip": "",
        "rate": float(action.cash),
        "special": False,
        "foreign": False,
        "ex_date": action.ex_date.isoformat(),
    }
    if action.payable_date is not None:
        told["payable_date"] = action.payable_date.isoformat()
    return told


def _name(action: CorporateAction) -> Row:
    return {
        **_common(action),
        "old_symbol": action.symbol,
        "old_cusip": "",
        "new_symbol": action.new_symbol,
        "new_cusip": "",
    }


_ROWS: dict[ActionKind, tuple[str, Callable[[CorporateAction], Row]]] = {
    ActionKind.FORWARD_SPLIT: ("forward_splits", _forward),
    ActionKind.REVERSE_SPLIT: ("reverse_splits", _reverse),
    ActionKind.CASH_DIVIDEND: ("cash_dividends", _dividend),
    ActionKind.NAME_CHANGE: ("name_changes", _name),
}
