"""The routes of orders: place, list, find, replace and cancel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from starlette.responses import Response
from starlette.routing import BaseRoute

from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.context import Ask, Context, endpoint
from hydra.adapters.exchange.server.errors import (
    UNPROCESSABLE,
    ApiError,
    bad_parameter,
    not_found,
    raise_refused,
    refused,
)
from hydra.adapters.exchange.server.order_json import order_json
from hydra.adapters.exchange.server.params import Query, read_object
from hydra.adapters.exchange.server.placing import read_amendment, read_request
from hydra.adapters.exchange.terms import No, OrderClass, Rejection, Role, Status
from hydra.model.market import AssetClass, OptionContract, asset_class_of

LIMIT_DEFAULT, LIMIT_MAX = 50, 500
STATUSES = ("open", "closed", "all")
DIRECTIONS = ("asc", "desc")
SIDES = ("buy", "sell")
CLASSES = {**{name: kind for kind, name in wire.ASSET_CLASSES.items()}}
FOREIGN = frozenset({"crypto_perp", "treasury", "corporate", "global_equity", "us_index", "us_equity_chain", "ipo"})
"""Asset classes Alpaca knows and this venue has none of."""

Wanted = Callable[[Ticket], bool]


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        endpoint(context, "POST", "/v2/orders", place),
        endpoint(context, "GET", "/v2/orders", listed),
        endpoint(context, "DELETE", "/v2/orders", cancel_all),
        endpoint(context, "GET", "/v2/orders:by_client_order_id", named),
        endpoint(context, "GET", "/v2/orders/{order_id}", one),
        endpoint(context, "PATCH", "/v2/orders/{order_id}", replace),
        endpoint(context, "DELETE", "/v2/orders/{order_id}", cancel),
    ]


def place(context: Context, ask: Ask) -> Response:
    """Place an order."""
    placed = context.exchange.place(read_request(context, read_object(ask.body)))
    if isinstance(placed, Rejection):
        raise_refused(placed)
    return wire.reply(order_json(context.exchange, placed))


def one(context: Context, ask: Ask) -> Response:
    """An order by its id."""
    nested = ask.query.flag("nested")
    return wire.reply(order_json(context.exchange, _ticket(context, ask), nested=nested))


def named(context: Context, ask: Ask) -> Response:
    """An order by its client order id."""
    client_id = ask.query.needed("client_order_id")
    ticket = context.exchange.ticket_named(client_id)
    if ticket is None:
        raise not_found(f"order not found for {client_id}")
    return wire.reply(order_json(context.exchange, ticket, nested=ask.query.flag("nested")))


def replace(context: Context, ask: Ask) -> Response:
    """Replace an order by a changed one."""
    ticket = _ticket(context, ask)
    answer = context.exchange.amend(ticket.venue_id, read_amendment(context, read_object(ask.body)))
    if isinstance(answer, Rejection):
        if answer.kind is No.NOT_OPEN:
            raise ApiError(
                422, UNPROCESSABLE, f"cannot replace order in {ticket.status} status", {"reason": answer.reason}
            )
        raise_refused(answer)
    return wire.reply(order_json(context.exchange, answer))


def cancel(context: Context, ask: Ask) -> Response:
    """Cancel an order, or ask for it."""
    ticket = _ticket(context, ask)
    answer = context.exchange.withdraw(ticket.venue_id)
    if isinstance(answer, Rejection):
        raise _not_cancelled(ticket, answer)
    return wire.nothing()


def cancel_all(context: Context, ask: Ask) -> Response:  # noqa: ARG001  # every handler has both parameters
    """Cancel every open order; an order that went with another one counts as cancelled."""
    return wire.reply(list(withdraw_all(context)), 207)


def withdraw_all(context: Context) -> Iterator[dict[str, object]]:
    """Ask for the end of every open order; what became of each."""
    for ticket in tuple(context.exchange.working()):
        if ticket.role is Role.LEG:
            continue
        now = context.exchange.ticket(ticket.venue_id) or ticket
        gone = now.status.done or now.status is Status.PENDING_CANCEL
        answer = now if gone else context.exchange.withdraw(ticket.venue_id)
        if isinstance(answer, Rejection):
            error = _not_cancelled(now, answer)
            yield {"id": ticket.venue_id, "status": error.status, "body": error.body}
        else:
            yield {"id": ticket.venue_id, "status": 200}


def listed(context: Context, ask: Ask) -> Response:
    """Orders by status, time, symbol, side and asset class; legs beneath their order when ``nested``."""
    query = ask.query
    status = query.chosen("status", STATUSES, "open")
    limit = query.whole("limit", LIMIT_DEFAULT, 1, LIMIT_MAX)
    descending = query.chosen("direction", DIRECTIONS, "desc") == "desc"
    nested = query.flag("nested")
    tests = _tests(context, query)
    exchange = context.exchange
    every: Sequence[Ticket] = exchange.working() if status == "open" else exchange.tickets()
    found: list[Ticket] = []
    for ticket in reversed(every) if descending else every:
        if ticket.role is Role.LEG or (status == "closed" and not ticket.status.done):
            continue
        if nested and ticket.parent and _under(context, ticket, status):
            continue
        for test in tests:
            if not test(ticket):
                break
        else:
            found.append(ticket)
            if len(found) == limit:
                break
    return wire.reply([order_json(exchange, ticket, nested=nested) for ticket in found])


def _under(context: Context, ticket: Ticket, status: str) -> bool:
    """True for an exit whose entry is shown: it is seen beneath it. The legs of several are never seen elsewhere."""
    parent = context.exchange.ticket_named(ticket.parent)
    return parent is not None and (status == "all" or parent.status.done == (status == "closed"))


def _tests(context: Context, query: Query) -> list[Wanted]:
    tests: list[Wanted] = []
    side = query.chosen("side", SIDES, "")
    if side:
        tests.append(lambda ticket: bool(ticket.symbol) and ticket.side.value == side)
    classes = _classes(query)
    if classes is not None:
        tests.append(lambda ticket: any(asset_class_of(each) in classes for each in _symbols_of(context, ticket)))
    if "symbols" in query:
        underlying = classes is not None and AssetClass.OPTION in classes
        tests.append(_with_symbols(context, query.listed("symbols"), underlying=underlying))
    tests += _times(context, query)
    return tests


def _classes(query: Query) -> frozenset[AssetClass] | None:
    given = query.listed("asset_class")
    if not given or "all" in given:
        return None
    for each in given:
        if each not in CLASSES and each not in FOREIGN:
            raise bad_parameter(f"asset_class must be one of {', '.join(CLASSES)}, all, got {each[:40]!r}")
    return frozenset(CLASSES[each] for each in given if each in CLASSES)


def _symbols_of(context: Context, ticket: Ticket) -> Iterable[str]:
    if ticket.order_class is OrderClass.MLEG and not ticket.symbol:
        return (leg.symbol for leg in context.exchange.legs(ticket.client_id))
    return (ticket.symbol,)


def _with_symbols(context: Context, texts: Sequence[str], *, underlying: bool) -> Wanted:
    wanted = frozenset(symbol for text in texts if (symbol := context.symbols.find(text)) is not None)
    roots = frozenset(text.upper() for text in texts) if underlying else frozenset()

    def test(ticket: Ticket) -> bool:
        if ticket.symbol in wanted:
            return True
        if ticket.symbol and not roots:
            return False
        symbols = _symbols_of(context, ticket)
        return any(symbol in wanted or (bool(roots) and _root(symbol) in roots) for symbol in symbols)

    return test


def _root(symbol: str) -> str:
    return OptionContract.parse(symbol).root if asset_class_of(symbol) is AssetClass.OPTION else ""


def _times(context: Context, query: Query) -> list[Wanted]:
    after, until = query.moment("after"), query.moment("until")
    if "before_order_id" in query and "after_order_id" in query:
        raise bad_parameter("only one of before_order_id or after_order_id is accepted")
    if ("before_order_id" in query or "after_order_id" in query) and (after is not None or until is not None):
        raise bad_parameter("before_order_id and after_order_id cannot be combined with after or until")
    tests: list[Wanted] = []
    if after is not None:
        tests.append(_submitted(after, later=True))
    if until is not None:
        tests.append(_submitted(until, later=False))
    if "before_order_id" in query:
        before = _find(context, query.text("before_order_id")).number
        tests.append(lambda ticket: ticket.number < before)
    if "after_order_id" in query:
        behind = _find(context, query.text("after_order_id")).number
        tests.append(lambda ticket: ticket.number > behind)
    return tests


def _submitted(at: datetime, *, later: bool) -> Wanted:
    return lambda ticket: ticket.submitted_at > at if later else ticket.submitted_at < at


def _ticket(context: Context, ask: Ask) -> Ticket:
    return _find(context, ask.path["order_id"])


def _find(context: Context, text: str) -> Ticket:
    order_id = wire.as_uuid(text)
    if order_id is None:
        raise bad_parameter(f"order id must be a UUID, got {text[:40]!r}")
    ticket = context.exchange.ticket(order_id)
    if ticket is None:
        raise not_found(f"order not found for {order_id}")
    return ticket


def _not_cancelled(ticket: Ticket, rejection: Rejection) -> ApiError:
    if rejection.kind is not No.NOT_OPEN:
        return refused(rejection)
    return ApiError(422, UNPROCESSABLE, f'order is already in "{ticket.status}" state', {"reason": rejection.reason})
