"""The routes of corporate-action announcements.

When an action was announced is not known, so it is shown from its ex-date on: the future stays absent. Types are spelt as
Alpaca's clients read them (``split``, ``stock_split``); no CUSIP is known.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.context import Ask, Context, endpoint
from hydra.adapters.exchange.server.errors import bad_parameter, not_found
from hydra.adapters.exchange.server.params import Query
from hydra.adapters.exchange.server.sessions import local_date
from hydra.adapters.markets.feed import ActionKind, CorporateAction

SPAN_MAX = timedelta(days=90)
TYPES = ("dividend", "merger", "spinoff", "split", "reorg")
DATE_TYPES = ("declaration_date", "ex_date", "record_date", "payable_date")
KINDS: dict[ActionKind, tuple[str, str]] = {
    ActionKind.CASH_DIVIDEND: ("dividend", "cash"),
    ActionKind.FORWARD_SPLIT: ("split", "stock_split"),
    ActionKind.REVERSE_SPLIT: ("split", "reverse_split"),
}
"""Type and subtype. A change of name has neither, and is not announced here."""


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        endpoint(context, "GET", "/v2/corporate_actions/announcements", listed),
        endpoint(context, "GET", "/v2/corporate_actions/announcements/{announcement_id}", one),
    ]


def listed(context: Context, ask: Ask) -> Response:
    """Announcements of a span of at most 90 days, by type and symbol."""
    query = ask.query
    types = _types(query)
    first, last = _span(query)
    date_type = query.chosen("date_type", DATE_TYPES, "ex_date")
    symbol = query.text("symbol").upper()
    found = []
    for action in _known(context):
        at = {"ex_date": action.ex_date, "payable_date": action.payable_date}.get(date_type)
        if at is None or not first <= at <= last or KINDS[action.kind][0] not in types or "cusip" in query:
            continue
        if not symbol or action.symbol == symbol:
            found.append(announcement_json(action))
    return wire.reply(found)


def one(context: Context, ask: Ask) -> Response:
    """One announcement by its id."""
    wanted = wire.as_uuid(ask.path["announcement_id"])
    found = next((action for action in _known(context) if announcement_id(action) == wanted), None)
    if found is None:
        raise not_found(f"announcement not found for {ask.path['announcement_id'][:40]}")
    return wire.reply(announcement_json(found))


def announcement_id(action: CorporateAction) -> str:
    """The id of an action."""
    return wire.made_id("announcement", action.symbol, action.kind, action.ex_date)


def announcement_json(action: CorporateAction) -> dict[str, Any]:
    """An action as Alpaca shows it."""
    kind, sub_kind = KINDS[action.kind]
    body = {
        "id": announcement_id(action),
        "corporate_action_id": f"{action.symbol}-{action.kind}-{action.ex_date:%Y%m%d}",
        "ca_type": kind,
        "ca_sub_type": sub_kind,
        "initiating_symbol": action.symbol,
        "initiating_original_cusip": "",
        "target_symbol": action.symbol,
        "target_original_cusip": "",
        "ex_date": wire.day(action.ex_date),
        "effective_date": wire.day(action.ex_date),
        "cash": wire.number(action.cash),
        "old_rate": wire.number(action.old_rate),
        "new_rate": wire.number(action.new_rate),
    }
    if action.payable_date is not None:
        body["payable_date"] = wire.day(action.payable_date)
    return body


def _known(context: Context) -> list[CorporateAction]:
    today = local_date(context.exchange.now)
    return [each for each in context.exchange.feed.actions if each.ex_date <= today and each.kind in KINDS]


def _types(query: Query) -> frozenset[str]:
    types = frozenset(each.lower() for each in query.listed("ca_types"))
    if not types:
        raise bad_parameter("ca_types is required")
    for each in types - frozenset(TYPES):
        raise bad_parameter(f"ca_types must be of {', '.join(TYPES)}, got {each[:40]!r}")
    return types


def _span(query: Query) -> tuple[date, date]:
    first, last = query.date("since"), query.date("until")
    if first is None or last is None:
        raise bad_parameter("since and until are required")
    if not timedelta(0) <= last - first <= SPAN_MAX:
        raise bad_parameter(f"since and until must span 0 to {SPAN_MAX.days} days, got {(last - first).days}")
    return first, last
