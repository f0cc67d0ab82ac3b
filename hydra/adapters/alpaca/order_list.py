"""The account's orders at Alpaca: looked up one by one, listed in all pages, and which of them hang on which.

A leg of a bracket does not say whose it is; its entry says which legs it has, and only where orders are shown nested. So what is
learnt once is kept for the process: an order's client id, and the entry of a leg. Neither ever changes.

An exit that is ``held`` while its entry is open does not work yet, and is not shown as open. One that is held beside a working
sibling shares its quantity and works: the venue sends it once the market is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from hydra.adapters.alpaca.access import Clients, Denied, ask
from hydra.adapters.alpaca.budget import Urgency
from hydra.adapters.alpaca.reports import is_combined, is_part, legs_of, order_of
from hydra.adapters.alpaca.terms import GROUPED, HELD, MLEG, OCO, ORDER_CLASSES, Row, reading, text_of, word
from hydra.model.errors import Unreachable
from hydra.model.orders import VenueOrder

PAGE = 500
"""Orders in an answer, at most."""
PAGES_MOST = 1000
_NO_SUCH = frozenset({404, 422})
"""How Alpaca says that it has no order with an id; 422 when it cannot be one."""


class _Head(NamedTuple):
    """The order another one hangs on."""

    venue_id: str
    client_id: str
    order_class: str


class OrderList:
    """The orders of the account behind ``clients``. Any thread may ask."""

    def __init__(self, clients: Clients) -> None:
        self._client = clients.trading
        self._names: dict[str, str] = {}
        self._heads: dict[str, _Head | None] = {}
        self._parts: set[str] = set()

    def named(self, client_id: str) -> VenueOrder | None:
        """The order with this client id; ``None`` when the venue says that it has none."""
        what, query = f"order {client_id}", {"client_order_id": client_id}
        try:
            row = as_row(what, ask(what, lambda: self._client.get("/orders:by_client_order_id", query), Urgency.EXIT))
        except Denied as error:
            if error.status == 404 and error.definite:
                return None
            raise
        if row.get("client_order_id") != client_id:
            raise Unreachable(f"{what}: answered with the order {row.get('client_order_id')!r}")
        return self._found(row)

    def numbered(self, venue_id: str) -> VenueOrder | None:
        """The order with this id of the venue's; ``None`` when it says that it has none."""
        try:
            row = self._row(venue_id, Urgency.EXIT)
        except Denied as error:
            if error.status in _NO_SUCH and error.definite:
                return None
            raise
        return self._found(row)

    def open(self) -> tuple[VenueOrder, ...]:
        """Every order that is not done and works, all pages."""
        rows: list[Row] = []
        query = {"status": "open", "nested": "false", "direction": "asc", "limit": PAGE}
        for page in _pages("open orders", self._listed, query, "after_order_id"):
            rows += page
        rows = [self._whole(row) for row in rows]
        self._learn(rows)
        ids = {row["id"] for row in rows}
        return tuple(self._told(row) for row in rows if not self._waits(row, ids) and not self._is_part(row))

    def placed(self, row: Row) -> VenueOrder:
        """The order in the answer to a request that placed it: it hangs on none, and nothing more has to be asked."""
        report = order_of(row)
        self._note(row)
        return report

    def owner(self, venue_id: str) -> tuple[str, str]:
        """Whose executions those of the order with this id of the venue's are: the venue's id and the client id.

        Its own, or, of one contract of an order in several, that order's.
        """
        if venue_id not in self._names:
            self._row(venue_id, Urgency.READ)
        if venue_id in self._parts and venue_id not in self._heads:
            self._learn([self._row(venue_id, Urgency.READ)])
        head = self._heads.get(venue_id)
        if venue_id in self._parts and head is not None:
            return head.venue_id, head.client_id
        return venue_id, self._names[venue_id]

    def _found(self, row: Row) -> VenueOrder:
        """An order of an answer, with the entry it hangs on."""
        whole = self._whole(row)
        self._learn([whole])
        return self._told(whole)

    def _told(self, row: Row) -> VenueOrder:
        head = self._heads.get(row["id"])
        return order_of(row, "" if head is None else head.client_id)

    def _row(self, venue_id: str, urgency: Urgency) -> Row:
        what, path = f"order {venue_id}", f"/orders/{quote(venue_id, safe='')}"
        row = as_row(what, ask(what, lambda: self._client.get(path, {"nested": "true"}), urgency))
        if row.get("id") != venue_id:
            raise Unreachable(f"{what}: answered with the order {row.get('id')!r}")
        self._note(row)
        return row

    def _listed(self, query: dict[str, Any]) -> Any:
        return self._client.get("/orders", query)

    def _whole(self, row: Row) -> Row:
        """A row, noted; one in several contracts with them: a flat list may leave them out."""
        self._note(row)
        return self._row(row["id"], Urgency.READ) if is_combined(row) and not legs_of(row) else row

    def _note(self, row: Row) -> None:
        """Keep the names in a row, and what hangs on it. Nothing of a row that is not understood is kept."""
        with reading(f"order {row.get('id')}"):
            head, legs = _head_of(row), [_head_of(leg) for leg in legs_of(row)]
        self._names[head.venue_id] = head.client_id
        if is_part(row):
            self._parts.add(head.venue_id)
        for leg in legs:
            self._names[leg.venue_id] = leg.client_id
            self._heads[leg.venue_id] = head
            if head.order_class == MLEG:
                self._parts.add(leg.venue_id)
        if legs:
            self._heads[head.venue_id] = None

    def _learn(self, rows: Sequence[Row]) -> None:
        """Find what orders hang on that nobody has shown yet: from the newest order back, shown nested."""
        lost = {row["id"]: row for row in rows if _may_hang(row) and row["id"] not in self._heads}
        if not lost:
            return
        query: dict[str, Any] = {"status": "all", "nested": "true", "direction": "desc", "limit": PAGE}
        if not any(row["order_class"] == MLEG for row in lost.values()):
            # An order in several contracts has no symbol of its own to be found by.
            query["symbols"] = ",".join(sorted({text_of(row, "symbol") for row in lost.values()}))
        for page in _pages("orders and their legs", self._listed, query, "before_order_id"):
            for row in page:
                self._note(row)
            if lost.keys() <= self._heads.keys():
                return
        for order_id in lost:
            self._heads.setdefault(order_id, None)

    def _waits(self, row: Row, open_ids: set[str]) -> bool:
        """True for an exit that does not work before its entry has filled."""
        head = self._heads.get(row["id"])
        return head is not None and row.get("status") == HELD and head.order_class != OCO and head.venue_id in open_ids

    def _is_part(self, row: Row) -> bool:
        """True for one contract of an order in several, which is told as one. Without that order it is not understood."""
        if not is_part(row):
            return False
        if self._heads.get(row["id"]) is None:
            raise Unreachable(
                f"order {row['id']}: one contract of an order in several, which is not among the open ones"
            )
        return True


def _head_of(row: Row) -> _Head:
    """The names in a row. Raises ``Invalid`` for a class that is not published."""
    known = word(ORDER_CLASSES, {"order_class": row.get("order_class") or ""}, "order_class")
    return _Head(text_of(row, "id"), text_of(row, "client_order_id"), known)


def as_row(what: str, body: Any) -> Row:
    """An answer that must be a JSON object. Raises ``Unreachable`` for any other."""
    if not isinstance(body, dict):
        raise Unreachable(f"{what}: expected an object, got {type(body).__name__}")
    return body


def as_rows(what: str, body: Any) -> Sequence[Row]:
    """An answer that must be a list of JSON objects. Raises ``Unreachable`` for any other."""
    if not isinstance(body, list):
        raise Unreachable(f"{what}: expected a list, got {type(body).__name__}")
    return [as_row(what, each) for each in body]


def _may_hang(row: Row) -> bool:
    """True for what may be a leg of another order; an order with legs, and one in several contracts, are none."""
    grouped = row.get("order_class") in GROUPED or row.get("order_class") == MLEG
    return grouped and not legs_of(row) and not is_combined(row)


def _pages(
    what: str, listed: Callable[[dict[str, Any]], Any], query: dict[str, Any], token: str
) -> Iterator[Sequence[Row]]:
    """Every page, each asked for after the last order of the one before."""
    for _ in range(PAGES_MOST):
        asked = dict(query)
        page = as_rows(what, ask(what, lambda asked=asked: listed(asked)))  # type: ignore[misc]  # mypy has no type for the default
        yield page
        if len(page) < query["limit"]:
            return
        last = page[-1].get("id")
        if not isinstance(last, str) or last == query.get(token):
            raise Unreachable(f"{what}: the pages do not go on after {last!r}")
        query = {**query, token: last}
    raise Unreachable(f"{what}: more than {PAGES_MOST} pages")
