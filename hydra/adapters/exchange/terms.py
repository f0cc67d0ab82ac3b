"""What can be asked of the venue, and how it says no: requests, amendments, statuses and refusals.

The words are those of the protocol the venue is spoken to in, so a status or an order class means here what it means there.
``Request`` is wider than the engine's ``Order``: it also knows trailing stops, notional sizes, several legs and extended hours.
Both doors turn what they are given into one of these; nothing past this point knows which door it came through.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from hydra.model.money import plain
from hydra.model.orders import OrderStatus, OrderType, Side, TimeInForce
from hydra.model.values import Value, finite, named, positive


class OrderClass(StrEnum):
    """How orders hang together: alone, entry with two exits, two exits, entry with one exit, several legs at one price."""

    SIMPLE = "simple"
    BRACKET = "bracket"
    OCO = "oco"
    OTO = "oto"
    MLEG = "mleg"


class Role(StrEnum):
    """What an order is within its group. A leg of a multi-leg order is a ``LEG``; everything else stands ``ALONE``."""

    ALONE = ""
    ENTRY = "entry"
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"
    LEG = "leg"


class PositionIntent(StrEnum):
    """Whether an order opens or closes. The venue derives it from the position when it is not said.

    ``side`` is the side that goes with it; ``opens`` is true when it adds to a position.
    """

    BUY_TO_OPEN = "buy_to_open"
    BUY_TO_CLOSE = "buy_to_close"
    SELL_TO_OPEN = "sell_to_open"
    SELL_TO_CLOSE = "sell_to_close"

    side: Side
    opens: bool

    def __init__(self, word: str) -> None:
        self.side = Side.BUY if word.startswith("buy") else Side.SELL
        self.opens = word.endswith("open")


_DONE = ("filled", "canceled", "expired", "replaced", "rejected")


class Status(StrEnum):
    """Where an order stands at the venue. ``done`` is true when nothing more can happen to the order."""

    PENDING_NEW = "pending_new"
    ACCEPTED = "accepted"
    NEW = "new"
    HELD = "held"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"

    done: bool

    def __init__(self, word: str) -> None:
        self.done = word in _DONE


AS_ENGINE: dict[Status, OrderStatus] = {
    Status.PENDING_NEW: OrderStatus.ACCEPTED,
    Status.ACCEPTED: OrderStatus.ACCEPTED,
    Status.NEW: OrderStatus.ACCEPTED,
    Status.HELD: OrderStatus.ACCEPTED,
    Status.PARTIALLY_FILLED: OrderStatus.PARTIALLY_FILLED,
    Status.PENDING_CANCEL: OrderStatus.PENDING_CANCEL,
    Status.PENDING_REPLACE: OrderStatus.ACCEPTED,
    Status.FILLED: OrderStatus.FILLED,
    Status.CANCELED: OrderStatus.CANCELED,
    Status.EXPIRED: OrderStatus.EXPIRED,
    Status.REPLACED: OrderStatus.CANCELED,
    Status.REJECTED: OrderStatus.REJECTED,
}
"""What a status is called on the engine's side of the ``Broker`` port."""


class RequestLeg(Value, frozen=True, kw_only=True):
    """One contract (or the shares) of a multi-leg order: ``ratio`` units of it for every unit of the order."""

    symbol: str
    ratio: int
    side: Side
    position_intent: PositionIntent | None = None


class Request(Value, frozen=True, kw_only=True):
    """An order as somebody asks for it, in canonical symbols. Prices in dollars; ``trail_percent`` 1.5 is 1.5%.

    Exactly one of ``quantity`` and ``notional`` (dollars) gives the size. ``take_profit`` and ``stop_loss`` (with its optional
    ``stop_loss_limit``) belong to the classes bracket, oto and oco; ``legs`` to mleg, whose ``symbol`` is empty, whose ``side``
    is a buy by convention, and whose ``limit`` is the net price of one unit: a debit above zero, a credit below.
    ``exits_force`` is how long the exits work; by default as long as the entry.
    """

    client_id: str
    symbol: str
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Decimal | None = None
    notional: Decimal | None = None
    limit: Decimal | None = None
    stop: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    extended_hours: bool = False
    order_class: OrderClass = OrderClass.SIMPLE
    take_profit: Decimal | None = None
    stop_loss: Decimal | None = None
    stop_loss_limit: Decimal | None = None
    exits_force: TimeInForce | None = None
    legs: tuple[RequestLeg, ...] = ()
    position_intent: PositionIntent | None = None

    def __post_init__(self) -> None:
        named("request.client_id", self.client_id)
        for name, number in (
            ("quantity", self.quantity),
            ("notional", self.notional),
            ("stop", self.stop),
            ("trail_price", self.trail_price),
            ("trail_percent", self.trail_percent),
            ("take_profit", self.take_profit),
            ("stop_loss", self.stop_loss),
            ("stop_loss_limit", self.stop_loss_limit),
        ):
            if number is not None:
                positive(f"request.{name}", number)
        if self.limit is not None:
            finite("request.limit", self.limit)


class Amendment(Value, frozen=True, kw_only=True):
    """What is to change in an order; ``None`` leaves it. ``trail`` is in the unit the order trails in."""

    client_id: str
    quantity: Decimal | None = None
    time_in_force: TimeInForce | None = None
    limit: Decimal | None = None
    stop: Decimal | None = None
    trail: Decimal | None = None

    def __post_init__(self) -> None:
        named("amendment.client_id", self.client_id)
        for name in ("quantity", "stop", "trail"):
            if getattr(self, name) is not None:
                positive(f"amendment.{name}", getattr(self, name))
        if self.limit is not None:
            finite("amendment.limit", self.limit)


class No(StrEnum):
    """Why the venue refuses, as a kind: each has one status and one code in the protocol."""

    INVALID = "invalid"
    DUPLICATE_ID = "duplicate_id"
    NOT_FOUND = "not_found"
    UNKNOWN_SYMBOL = "unknown_symbol"
    NOT_TRADABLE = "not_tradable"
    INSUFFICIENT_QUANTITY = "insufficient_quantity"
    INSUFFICIENT_BUYING_POWER = "insufficient_buying_power"
    WASH_TRADE = "wash_trade"
    PATTERN_DAY_TRADER = "pattern_day_trader"
    ACCOUNT_BLOCKED = "account_blocked"
    NOT_PERMITTED = "not_permitted"
    NOT_OPEN = "not_open"
    NO_POSITION = "no_position"


class Rejection(Value, frozen=True, kw_only=True):
    """A refusal that left nothing behind. ``reason`` has the numbers; ``figures`` has them by name, ``order`` the venue id of
    the order it is about, if there is one."""

    kind: No
    reason: str
    figures: Mapping[str, str] = {}
    order: str = ""


def refuse(reason: str, kind: No = No.INVALID, **figures: Decimal | str) -> Rejection:
    """A refusal with its figures written out."""
    written = {name: each if isinstance(each, str) else plain(each) for name, each in figures.items()}
    return Rejection(kind=kind, reason=reason, figures=written)
