"""The routes of account activities: executions, and everything else that changed cash or positions.

An activity's id begins with its New York time and ends with a hash of its number, so ids sort to the millisecond in the
order in which things happened. The token of a page is the id of the last activity on the page before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

from starlette.responses import Response
from starlette.routing import BaseRoute

from hydra.adapters.calendar import NEW_YORK
from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.model import Activity, ActivityKind, Execution
from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.context import Ask, Context, endpoint
from hydra.adapters.exchange.server.errors import bad_parameter
from hydra.adapters.exchange.server.params import Query
from hydra.adapters.exchange.server.sessions import local_date

PAGE_MAX = 100
FILL = "FILL"
MISC = "MISC"
_KINDS = (
    "FILL TRANS MISC ACATC ACATS CFEE CGD CSD CSW DIV DIVCGL DIVCGS DIVFEE DIVFT DIVNRA DIVROC DIVTW DIVTXEX FEE INT "
    "INTNRA INTTW JNL JNLC JNLS MA NC OPASN OPCA OPCSH OPEXC OPEXP OPTRD PTC PTR REO REORG SPIN SPLIT FOPT OCT CIL DIVWH "
    "EXTRD FXTRD INTPNL MEM SWP VOF WH"
)
KINDS = frozenset(_KINDS.split())
"""Every type there is a name for, here and in the clients."""
NOT_MISC = frozenset({FILL, "CSD", "CSW", "DIV"})
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_TOKEN = re.compile(r"(\d{14})\d{3}::", re.ASCII)


class Row(NamedTuple):
    """One activity, ready to be sorted: when, executions before the rest, by number. It is written out when it is shown."""

    at: datetime
    rank: int
    number: int
    what: Execution | Activity

    @property
    def kind(self) -> str:
        """Its type."""
        return FILL if isinstance(self.what, Execution) else self.what.kind.value


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        endpoint(context, "GET", "/v2/account/activities", listed),
        endpoint(context, "GET", "/v2/account/activities/{kind}", of_one_kind),
    ]


def listed(context: Context, ask: Ask) -> Response:
    """Activities of any types."""
    types = ask.query.listed("activity_types")
    category = ask.query.chosen("category", ("trade_activity", "non_trade_activity"), "")
    if types and category:
        raise bad_parameter("category cannot be used with activity_types")
    if category:
        trades = category == "trade_activity"
        return _page(context, ask.query, lambda kind: (kind == FILL) is trades)
    return _page(context, ask.query, _of(types))


def of_one_kind(context: Context, ask: Ask) -> Response:
    """Activities of one type."""
    return _page(context, ask.query, _of((ask.path["kind"],)))


def _of(types: tuple[str, ...]) -> Callable[[str], bool]:
    wanted = frozenset(each.upper() for each in types)
    for each in wanted - KINDS:
        raise bad_parameter(f"invalid activity type: {each[:40]!r}")
    return lambda kind: not wanted or kind in wanted or (MISC in wanted and kind not in NOT_MISC)


def _page(context: Context, query: Query, wanted: Callable[[str], bool]) -> Response:
    size = query.whole("page_size", PAGE_MAX, 1, PAGE_MAX)
    descending = query.chosen("direction", ("asc", "desc"), "desc") == "desc"
    account_id = context.exchange.state().account_id
    rows = sorted(rows_of(context.exchange), key=lambda row: row[:3], reverse=descending)
    token = query.text("page_token")
    if token:
        rows = rows[_place(rows, token, account_id, newest_first=descending) + 1 :]
    order_id = _order_id(query)
    begins, ends = _span(query)
    found = (
        activity_json(row, account_id)
        for row in rows
        if wanted(row.kind)
        and (not order_id or (isinstance(row.what, Execution) and row.what.venue_id == order_id))
        and (begins is None or row.at > begins)
        and (ends is None or row.at < ends)
    )
    return wire.reply(list(islice(found, size)))


def _place(rows: Sequence[Row], token: str, account_id: str, *, newest_first: bool) -> int:
    """Where the activity with this id is. Only those of its second are looked at closely, the newest of them first."""
    match = _TOKEN.match(token)
    if match is not None:
        try:
            local = datetime.strptime(match[1], "%Y%m%d%H%M%S").replace(tzinfo=NEW_YORK)
        except ValueError:
            local = None
        begins = () if local is None else {local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)}
        places = range(len(rows)) if newest_first else range(len(rows) - 1, -1, -1)
        for place in places:
            row = rows[place]
            near = any(begin <= row.at < begin + _SECOND for begin in begins)
            if near and activity_id(row, account_id) == token:
                return place
    raise bad_parameter(f"page_token {token[:60]!r} is not the id of an activity")


def _order_id(query: Query) -> str:
    text = query.text("order_id")
    if not text:
        return ""
    order_id = wire.as_uuid(text)
    if order_id is None:
        raise bad_parameter(f"order_id must be a UUID, got {text[:40]!r}")
    return order_id


def _span(query: Query) -> tuple[datetime | None, datetime | None]:
    """After which time, and before which."""
    day = query.date("date")
    after, until = query.moment("after"), query.moment("until")
    if day is None:
        return after, until
    if after is not None or until is not None:
        raise bad_parameter("date cannot be combined with after or until")
    midnight = datetime.combine(day, datetime.min.time(), UTC)
    return midnight - timedelta(microseconds=1), midnight + _DAY


def rows_of(exchange: Exchange) -> Iterator[Row]:
    """Everything that happened to the account."""
    for execution in exchange.executions():
        yield Row(execution.at, 0, execution.number, execution)
    for activity in exchange.activities():
        yield Row(activity.at, 1, activity.number, activity)


def activity_id(row: Row, account_id: str) -> str:
    """``20220202135509981::`` and a hash."""
    local, what = row.at.astimezone(NEW_YORK), row.what
    if isinstance(what, Execution):
        named = wire.execution_id(what.venue_id, what.number)
    else:
        named = wire.made_id("activity", account_id, what.number)
    return f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}::{named}"


def activity_json(row: Row, account_id: str) -> dict[str, Any]:
    """An activity as Alpaca shows it."""
    head = {"id": activity_id(row, account_id), "activity_type": row.kind}
    return head | (_trade(row.what) if isinstance(row.what, Execution) else _other(row.what))


def _trade(execution: Execution) -> dict[str, Any]:
    full = execution.remaining == 0
    return {
        "transaction_time": wire.instant(execution.at),
        "type": "fill" if full else "partial_fill",
        "price": wire.number(execution.price),
        "qty": wire.number(execution.quantity),
        "side": execution.side.value,
        "symbol": wire.venue_symbol(execution.symbol),
        "leaves_qty": wire.number(execution.remaining),
        "order_id": execution.venue_id,
        "cum_qty": wire.number(execution.filled),
        "order_status": "filled" if full else "partially_filled",
    }


def _other(activity: Activity) -> dict[str, Any]:
    body: dict[str, Any] = {
        "date": wire.day(local_date(activity.at)),
        "created_at": wire.instant(activity.at),
        "net_amount": wire.number(activity.amount),
        "currency": "USD",
        "description": activity.description,
        "status": "executed",
    }
    if activity.symbol:
        body["symbol"] = wire.venue_symbol(activity.symbol)
    if activity.quantity:
        body["qty"] = wire.number(activity.quantity)
    if activity.price is not None:
        name = "per_share_amount" if activity.kind is ActivityKind.DIVIDEND else "price"
        body[name] = wire.number(activity.price)
    return body
