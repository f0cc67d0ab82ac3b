"""The ``Broker`` port on an Alpaca account.

What an answer to an order means, and to a cancel:

    answer                                            submit                          cancel
    ------------------------------------------------  ------------------------------  --------------------------------------
    success, and the order that was asked for         accepted                        accepted, with the order as it stands
    4xx in the venue's own words                      rejected, with them             rejected, with the order as it stands
    "client_order_id must be unique"                  looked up: rejected, with it
    408, 409, 425, 5xx, a page, no JSON, another      raises: unknown                 raises: unknown
    order, an unknown word, silence, a lost socket
    the order is not fit, or no request is left       rejected: "not sent: ..."       rejected: "not sent: ..."

There is exactly one POST for an order, whatever happens. The generic ``post`` of alpaca-py is used and not its typed requests:
those turn prices into binary floats.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from hydra.adapters.alpaca.access import Clients, Denied, ask
from hydra.adapters.alpaca.activities import Activities
from hydra.adapters.alpaca.budget import Urgency
from hydra.adapters.alpaca.instruments import Instruments
from hydra.adapters.alpaca.order_list import OrderList, as_row, as_rows
from hydra.adapters.alpaca.orders import body_of, differences, unfit
from hydra.adapters.alpaca.reports import fill_of
from hydra.adapters.alpaca.terms import Row, canonical, flag, moment, number, reading, text_of
from hydra.model.errors import Invalid, OverBudget, Refused, Unreachable
from hydra.model.market import Instrument
from hydra.model.money import to_increment
from hydra.model.orders import Order, VenueOrder
from hydra.model.portfolio import Account, Position
from hydra.ports import Ack, AckOutcome, ActivityPage, Cursors, FillPage, VenueIdentity

NAME = "alpaca"
_TAKEN = "client_order_id must be unique"
_BARS = ("account_blocked", "trading_blocked", "trade_suspended_by_user")
_CENT = Decimal("0.01")
_SIGNS = {"long": 1, "short": -1}


class AlpacaBroker:
    """One Alpaca account. ``url`` is the effective one, ``mode`` what it means: paper, live or sim.

    What is kept is only what never changes: which account it is, instruments, and whose an order is.
    """

    def __init__(self, clients: Clients, *, url: str, mode: str) -> None:
        self._client = clients.trading
        self._url = url
        self._mode = mode
        self._orders = OrderList(clients)
        self._activities = Activities(clients)
        self._instruments = Instruments(clients)
        self._identity: VenueIdentity | None = None

    def identity(self) -> VenueIdentity:
        """Which account this is, as the first answer said."""
        if self._identity is None:
            row = self._get("account", "/account")
            with reading("account"):
                self._identity = VenueIdentity(name=NAME, url=self._url, account_id=_account_id(row), mode=self._mode)
        return self._identity

    def now(self) -> datetime:
        """The venue's clock."""
        row = self._get("clock", "/clock")
        with reading("clock"):
            return moment(row, "timestamp")

    def account(self) -> Account:
        """The account as it stands; equity, which is an estimate, to the cent. Blocked when any of its three bars is up."""
        row = self._get("account", "/account")
        with reading("account"):
            if row.get("currency", "USD") != "USD":
                raise Invalid(f"it is kept in {row.get('currency')!r}; expected USD")
            bars = [flag(row, name) for name in _BARS]
            return Account(
                account_id=_account_id(row),
                status=text_of(row, "status"),
                equity=to_increment(number(row, "equity"), _CENT),
                cash=number(row, "cash"),
                buying_power=number(row, "buying_power"),
                blocked=any(bars),
            )

    def positions(self) -> tuple[Position, ...]:
        """Everything that is held; a short is below zero."""
        rows = as_rows("positions", ask("positions", lambda: self._client.get("/positions")))
        return tuple(map(_position, rows))

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Every order that is not done and works, all pages, whoever placed it; exits that wait for their entry do not work."""
        return self._orders.open()

    def order(self, client_id: str) -> VenueOrder | None:
        """The order with this client id, done or not; ``None`` when the venue says that it has none."""
        return self._orders.named(client_id)

    def fills(self, cursor: str) -> FillPage:
        """Executions after ``cursor``, all pages. Raises ``Refused`` for a cursor that was not given out."""
        rows, cursor = self._activities.fills(cursor)
        return FillPage(fills=tuple(fill_of(row, *self._owner(row)) for row in rows), cursor=cursor)

    def activities(self, cursor: str) -> ActivityPage:
        """What else changed the account after ``cursor``, all pages. Raises ``Refused`` for a cursor that was not given out."""
        told, cursor = self._activities.others(cursor)
        return ActivityPage(activities=told, cursor=cursor)

    def cursors(self) -> Cursors:
        """The places after everything there is now; only what is recent enough to be listed again is read."""
        return Cursors(fills=self._activities.after_fills(), activities=self._activities.after_others())

    def instruments(self, symbols: Sequence[str]) -> tuple[Instrument, ...]:
        """Increments and minimums. Raises ``Refused`` naming every symbol the venue does not trade."""
        found: list[Instrument] = []
        reasons: list[str] = []
        for symbol in symbols:
            try:
                found.append(self._instruments.of(symbol))
            except Refused as error:
                reasons.append(str(error))
        if reasons:
            raise Refused("; ".join(reasons))
        return tuple(found)

    def submit(self, order: Order) -> Ack:
        """Place an order, by one POST. Raises ``Unreachable`` when it is not known what became of it."""
        wrong = unfit(order, self._instruments.known(order.symbol))
        if wrong:
            return _refused(f"not sent: {order.client_id}: {wrong}")
        what, body = f"submit {order.client_id}", body_of(order)
        urgency = Urgency.EXIT if order.purpose.reduces else Urgency.ENTRY
        try:
            row = as_row(what, ask(what, lambda: self._client.post("/orders", body), urgency))
        except OverBudget as error:
            return _refused(f"not sent: {order.client_id}: {error}")
        except Denied as error:
            if not error.definite:
                raise
            if _TAKEN in error.message.lower():
                return self._taken(order, error)
            return _refused(f"{order.client_id}: {_words(error)}")
        report = self._orders.placed(row)
        wrong = differences(order, report)
        if wrong:
            raise Unreachable(f"{what}: answered with another order: {wrong}")
        return Ack(outcome=AckOutcome.ACCEPTED, order=report)

    def cancel(self, venue_id: str) -> Ack:
        """Ask for an order's end, and then how it stands. Raises ``Unreachable`` when either was not answered."""
        what, path = f"cancel {venue_id}", f"/orders/{quote(venue_id, safe='')}"
        reason = ""
        try:
            ask(what, lambda: self._client.delete(path), Urgency.EXIT)
        except OverBudget as error:
            return _refused(f"not sent: {what}: {error}")
        except Denied as error:
            if not error.definite:
                raise
            reason = _words(error)
        order = self._orders.numbered(venue_id)
        if reason or order is None:
            return _refused(reason or f"{what}: there is no such order", order)
        return Ack(outcome=AckOutcome.ACCEPTED, order=order)

    def _taken(self, order: Order, error: Denied) -> Ack:
        """The venue has an order with this id already, maybe the very one: it is for the engine to see."""
        found = self._orders.named(order.client_id)
        if found is None:
            raise Unreachable(f"submit {order.client_id}: {error.message}, and there is no such order")
        return _refused(f"{order.client_id}: {_words(error)}", found)

    def _owner(self, row: Row) -> tuple[str, str]:
        with reading(f"execution {row.get('id')}"):
            order_id = text_of(row, "order_id")
        return self._orders.owner(order_id)

    def _get(self, what: str, path: str) -> Row:
        return as_row(what, ask(what, lambda: self._client.get(path)))


def _position(row: Row) -> Position:
    with reading(f"position {row.get('symbol')}"):
        quantity, side = number(row, "qty"), row.get("side")
        if side not in _SIGNS:
            raise Invalid(f"side is {side!r}; known are {', '.join(_SIGNS)}")
        return Position(
            symbol=canonical(text_of(row, "symbol"), text_of(row, "asset_class")),
            quantity=abs(quantity) * _SIGNS[side],
            average_price=number(row, "avg_entry_price"),
        )


def _account_id(row: Row) -> str:
    """The account's number, which people know; its id where there is none."""
    return text_of(row, "account_number" if row.get("account_number") else "id")


def _words(error: Denied) -> str:
    """What the venue said: its message, and its own reason where it tells one beside."""
    reason: Any = error.body.get("reason") or error.body.get("reject_reason")
    more = f" ({reason})" if isinstance(reason, str) and reason not in error.message else ""
    return f"{error.status}: {error.message}{more}"


def _refused(reason: str, order: VenueOrder | None = None) -> Ack:
    return Ack(outcome=AckOutcome.REJECTED, reason=reason, order=order)
