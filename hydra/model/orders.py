"""From a wish to a fill: intents, ceilings, plans, orders and their lifecycle.

The lifecycle is a table (``LIFECYCLE``). ``UNKNOWN`` is a state of its own: the venue may or may not have the order. It is
left only by asking the venue, never by guessing; ``NOT_RECEIVED`` is the venue's own word that no such order ever arrived.

What is asked of a member of an enumeration time and again (``sign``, ``terminal``) is an attribute of it, set once. The values'
checks are written out where a value is built many times in a cycle: the helper that names what is wrong is called when it is.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from math import gcd

from hydra.model.errors import Corrupt, Invalid
from hydra.model.money import ZERO
from hydra.model.values import Value, aware_utc, named, not_negative, positive

CLIENT_ID_MAX_LENGTH = 48
TEST_BOT = "test-broker"
"""Whose orders the checks of the line are: journaled like any other, and no decision's."""


class Side(StrEnum):
    """Buy or sell."""

    BUY = "buy"
    SELL = "sell"

    sign: int
    """+1 for a buy, -1 for a sell."""

    def __init__(self, value: str) -> None:
        self.sign = 1 if value == "buy" else -1

    @property
    def opposite(self) -> Side:
        """The other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """How an order may fill."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


_PLAIN_TYPES = (OrderType.MARKET, OrderType.LIMIT)
_LIMIT_TYPES = (OrderType.LIMIT, OrderType.STOP_LIMIT)
_STOP_TYPES = (OrderType.STOP, OrderType.STOP_LIMIT)


class TimeInForce(StrEnum):
    """How long an order works. OPG and CLS take part in the opening and the closing auction only."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    OPG = "opg"
    CLS = "cls"


class Purpose(StrEnum):
    """Why an order exists. Only an ENTRY can add exposure."""

    ENTRY = "entry"
    EXIT = "exit"
    STOP = "stop"
    TARGET = "target"

    reduces: bool
    """True for every purpose that may only reduce a position."""

    def __init__(self, value: str) -> None:
        self.reduces = value != "entry"


class OrderStatus(StrEnum):
    """Where an order stands, as far as it is known."""

    SENT = "sent"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    PENDING_CANCEL = "pending_cancel"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    NOT_RECEIVED = "not_received"

    terminal: bool
    """True when nothing more can happen to the order: nothing follows it in ``LIFECYCLE``."""

    unresolved: bool
    """True while the venue has not said whether it has the order."""

    def __init__(self, value: str) -> None:
        self.unresolved = value in ("sent", "unknown")


_S = OrderStatus
_ANSWERED = {_S.ACCEPTED, _S.PARTIALLY_FILLED, _S.PENDING_CANCEL, _S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED}
LIFECYCLE: dict[OrderStatus, frozenset[OrderStatus]] = {
    _S.SENT: frozenset(_ANSWERED | {_S.UNKNOWN, _S.NOT_RECEIVED}),
    _S.UNKNOWN: frozenset(_ANSWERED | {_S.NOT_RECEIVED}),
    _S.ACCEPTED: frozenset({_S.PARTIALLY_FILLED, _S.PENDING_CANCEL, _S.FILLED, _S.CANCELED, _S.EXPIRED, _S.REJECTED}),
    _S.PARTIALLY_FILLED: frozenset({_S.PENDING_CANCEL, _S.FILLED, _S.CANCELED, _S.EXPIRED}),
    _S.PENDING_CANCEL: frozenset({_S.ACCEPTED, _S.PARTIALLY_FILLED, _S.FILLED, _S.CANCELED, _S.EXPIRED}),
    _S.FILLED: frozenset(),
    _S.CANCELED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.REJECTED: frozenset(),
    _S.NOT_RECEIVED: frozenset(),
}
for _status, _next in LIFECYCLE.items():
    _status.terminal = not _next


def step(client_id: str, now: OrderStatus, then: OrderStatus) -> OrderStatus:
    """``then``, if the lifecycle allows it after ``now`` (staying put is allowed). Raises ``Corrupt`` otherwise."""
    if then is now or then in LIFECYCLE[now]:
        return then
    raise Corrupt(f"order {client_id} cannot go from {now} to {then}")


class SizeKind(StrEnum):
    """The unit of a size wish."""

    QUANTITY = "quantity"
    NOTIONAL = "notional"
    RISK = "risk"


class Size(Value, frozen=True, kw_only=True):
    """How much a bot wishes: units of the symbol, dollars of notional, or a fraction of equity at risk to the stop."""

    kind: SizeKind
    amount: Decimal

    def __post_init__(self) -> None:
        positive("size.amount", self.amount)
        if self.kind is SizeKind.RISK and self.amount > 1:
            raise Invalid(f"size.amount of kind risk is a fraction of equity, at most 1, got {self.amount}")


class Protection(Value, frozen=True, kw_only=True):
    """Where an entry is given up (stop) and where it is taken home (target), as prices."""

    stop: Decimal
    target: Decimal | None = None

    def __post_init__(self) -> None:
        stop = self.stop
        if type(stop) is not Decimal or not stop.is_finite() or stop <= ZERO:
            positive("protection.stop", stop)
        if self.target is not None:
            positive("protection.target", self.target)

    def check_sides(self, side: Side, reference: Decimal) -> None:
        """Raise ``Invalid`` unless the stop loses and the target wins for an entry on ``side`` at ``reference``."""
        if (reference - self.stop) * side.sign <= 0:
            word = "below" if side is Side.BUY else "above"
            raise Invalid(f"the stop of a {side} must be {word} the entry: stop {self.stop}, entry {reference}")
        if self.target is not None and (self.target - reference) * side.sign <= 0:
            word = "above" if side is Side.BUY else "below"
            raise Invalid(f"the target of a {side} must be {word} the entry: target {self.target}, entry {reference}")


class Leg(Value, frozen=True, kw_only=True):
    """One contract of an order in several: ``ratio`` of them for each unit of the order. ``opens``: adds to a position.

    ``filled`` is how many contracts of it were seen to fill.
    """

    symbol: str
    side: Side
    ratio: int
    opens: bool
    filled: Decimal = ZERO

    def __post_init__(self) -> None:
        named("leg.symbol", self.symbol)
        positive("leg.ratio", Decimal(self.ratio))
        not_negative("leg.filled", self.filled)


LEGS_MIN, LEGS_MAX = 1, 4


def check_legs(of: str, legs: tuple[Leg, ...]) -> None:
    """Raise ``Invalid`` unless these can be the legs of one order: 1 to 4 different contracts, ratios in lowest terms."""
    if not LEGS_MIN <= len({leg.symbol for leg in legs}) == len(legs) <= LEGS_MAX:
        raise Invalid(f"{of} has {len(legs)} legs; expected {LEGS_MIN} to {LEGS_MAX} different ones")
    if gcd(*(leg.ratio for leg in legs)) != 1:
        ratios = ", ".join(str(leg.ratio) for leg in legs)
        raise Invalid(f"{of}: the ratios {ratios} are not in lowest terms")


class Intent(Value, frozen=True, kw_only=True):
    """A bot's wish. ``reference`` is the price it was made at; ``thesis`` says why in the bot's own words.

    A wish with ``legs`` is for a structure of contracts at one net price: ``symbol`` is then their underlying, ``side`` is BUY
    when the net price is paid and SELL when it is received, ``limit`` that price for one unit. It carries no protection: what
    it can lose is known from its legs.
    """

    bot: str
    symbol: str
    side: Side
    size: Size
    reference: Decimal
    thesis: str
    order_type: OrderType = OrderType.MARKET
    limit: Decimal | None = None
    protection: Protection | None = None
    purpose: Purpose = Purpose.ENTRY
    legs: tuple[Leg, ...] = ()

    def __post_init__(self) -> None:
        for name, text in (("bot", self.bot), ("symbol", self.symbol), ("thesis", self.thesis)):
            if type(text) is not str or not text:
                named(f"intent.{name}", text)
        positive("intent.reference", self.reference)
        if self.order_type not in _PLAIN_TYPES:
            raise Invalid(f"an intent is a market or a limit order, got {self.order_type}")
        if (self.limit is None) is not (self.order_type is OrderType.MARKET):
            raise Invalid(
                f"intent.limit belongs to limit orders and only to them, got {self.limit} on {self.order_type}"
            )
        if self.limit is not None:
            positive("intent.limit", self.limit)
        if self.purpose not in (Purpose.ENTRY, Purpose.EXIT):
            raise Invalid(f"an intent enters or exits, got {self.purpose}")
        if self.legs:
            self._check_structure()
        elif self.purpose is Purpose.ENTRY and self.protection is None:
            raise Invalid(f"an entry carries protection: {self.bot} asked for {self.symbol} without a stop")
        if self.protection is not None:
            self.protection.check_sides(self.side, self.entry)

    def _check_structure(self) -> None:
        check_legs(f"the wish of {self.bot} for {self.symbol}", self.legs)
        if self.limit is None or self.protection is not None or self.purpose is not Purpose.ENTRY:
            raise Invalid(f"a wish with legs enters at a limit and without protection: {self.bot}, {self.symbol}")
        if not all(leg.opens for leg in self.legs):
            raise Invalid(f"every leg of an entry opens: {self.bot}, {self.symbol}")

    @property
    def entry(self) -> Decimal:
        """The price the intent expects: its limit, else its reference."""
        return self.reference if self.limit is None else self.limit


class Ceiling(Value, frozen=True, kw_only=True):
    """A rule's answer to an intent: at most this quantity, and why, with numbers."""

    rule: str
    quantity: Decimal
    reason: str

    def __post_init__(self) -> None:
        rule, quantity, reason = self.rule, self.quantity, self.reason
        if type(rule) is not str or not rule:
            named("ceiling.rule", rule)
        if type(reason) is not str or not reason:
            named("ceiling.reason", reason)
        if type(quantity) is not Decimal or not quantity.is_finite() or quantity < ZERO:
            not_negative(f"ceiling.quantity of {rule}", quantity)


class Judgement(Value, frozen=True, kw_only=True):
    """What became of one intent: the size it asked for, every ceiling, and what was admitted."""

    intent: Intent
    asked: Decimal
    admitted: Decimal
    ceilings: tuple[Ceiling, ...] = ()
    reason: str = ""

    def __post_init__(self) -> None:
        not_negative("judgement.asked", self.asked)
        not_negative("judgement.admitted", self.admitted)
        if self.admitted > self.asked:
            raise Invalid(f"admitted {self.admitted} is more than was asked, {self.asked}")


class Order(Value, frozen=True, kw_only=True):
    """An admitted intent, from before it is sent until it is done. ``filled`` and ``fees`` grow with its fills.

    An order with ``legs`` fills in whole units at one net price: ``symbol`` is then their underlying, ``side`` is BUY when the
    net price is paid and SELL when it is received, and ``limit`` that price for one unit of each ratio.

    ``protection`` on an entry asks the venue for a resting stop (and target) that works once the entry fills. Those legs
    are orders of their own, with ``parent`` naming the entry. ``reference`` is the price the decision was made at.
    ``filled`` is the sum of the fills that were seen, ``venue_filled`` what the venue says has filled. ``cause`` is the name of
    the exit that decided it, empty for any other order.
    """

    client_id: str
    run: str
    cycle: int
    bot: str
    symbol: str
    side: Side
    quantity: Decimal
    order_type: OrderType
    purpose: Purpose
    time_in_force: TimeInForce = TimeInForce.DAY
    limit: Decimal | None = None
    stop: Decimal | None = None
    protection: Protection | None = None
    legs: tuple[Leg, ...] = ()
    reference: Decimal | None = None
    thesis: str = ""
    cause: str = ""
    status: OrderStatus = OrderStatus.SENT
    venue_id: str = ""
    parent: str = ""
    filled: Decimal = ZERO
    venue_filled: Decimal = ZERO
    average_price: Decimal | None = None
    fees: Decimal = ZERO
    sent_at: datetime | None = None
    updated_at: datetime | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        client_id, symbol, quantity, filled = self.client_id, self.symbol, self.quantity, self.filled
        if type(client_id) is not str or not client_id:
            named("order.client_id", client_id)
        if len(client_id) > CLIENT_ID_MAX_LENGTH:
            raise Invalid(f"order.client_id has {len(client_id)} characters, at most {CLIENT_ID_MAX_LENGTH}")
        if type(symbol) is not str or not symbol:
            named("order.symbol", symbol)
        if type(quantity) is not Decimal or not quantity.is_finite() or quantity <= ZERO:
            positive("order.quantity", quantity)
        if type(filled) is not Decimal or not filled.is_finite() or filled < ZERO:
            not_negative("order.filled", filled)
        if filled > quantity:
            raise Invalid(f"order {client_id} filled {filled} of {quantity}")
        self._check_prices()
        if self.protection is not None and self.purpose is not Purpose.ENTRY:
            raise Invalid(f"order {client_id}: only an entry carries protection")
        if self.legs:
            self._check_legs()
        if self.sent_at is not None:
            aware_utc("order.sent_at", self.sent_at)
        if self.updated_at is not None:
            aware_utc("order.updated_at", self.updated_at)

    def _check_prices(self) -> None:
        limit, stop, kind = self.limit, self.stop, self.order_type
        if (limit is not None) is not (kind in _LIMIT_TYPES):
            raise Invalid(f"order {self.client_id}: limit {limit} does not fit the type {kind}")
        if (stop is not None) is not (kind in _STOP_TYPES):
            raise Invalid(f"order {self.client_id}: stop {stop} does not fit the type {kind}")
        if limit is not None:
            positive("order.limit", limit)
        if stop is not None:
            positive("order.stop", stop)

    def _check_legs(self) -> None:
        check_legs(f"order {self.client_id}", self.legs)
        if self.order_type not in _PLAIN_TYPES or self.protection is not None:
            raise Invalid(f"order {self.client_id} with legs is a market or a limit order without protection")

    @property
    def remaining(self) -> Decimal:
        """What may still fill; zero once the order is done."""
        return ZERO if self.status.terminal else self.quantity - self.filled


class VenueOrder(Value, frozen=True, kw_only=True):
    """An order as a venue reports it. ``parent`` is the client id of the entry a bracket leg belongs to."""

    venue_id: str
    client_id: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    status: OrderStatus
    filled: Decimal = ZERO
    average_price: Decimal | None = None
    limit: Decimal | None = None
    stop: Decimal | None = None
    parent: str = ""
    updated_at: datetime | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        venue_id, symbol, quantity, filled = self.venue_id, self.symbol, self.quantity, self.filled
        if type(venue_id) is not str or not venue_id:
            named("venue_order.venue_id", venue_id)
        if type(symbol) is not str or not symbol:
            named("venue_order.symbol", symbol)
        if type(quantity) is not Decimal or not quantity.is_finite() or quantity <= ZERO:
            positive("venue_order.quantity", quantity)
        if type(filled) is not Decimal or not filled.is_finite() or filled < ZERO:
            not_negative("venue_order.filled", filled)
        if self.status.unresolved or self.status is OrderStatus.NOT_RECEIVED:
            raise Invalid(f"a venue cannot report an order as {self.status}")


class Fill(Value, frozen=True, kw_only=True):
    """One execution. ``fee`` is in the account's currency. ``fill_id`` is the venue's, and unique.

    ``cash_fee_most`` and ``coin_fee_most`` bound what the venue may take for it beside ``fee``, and may tell of later or not
    at all: dollars, and units of the coin that was bought.
    """

    fill_id: str
    venue_id: str
    client_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    at: datetime
    fee: Decimal = ZERO
    cash_fee_most: Decimal = ZERO
    coin_fee_most: Decimal = ZERO

    def __post_init__(self) -> None:
        named("fill.fill_id", self.fill_id)
        positive("fill.quantity", self.quantity)
        positive("fill.price", self.price)
        for name in ("fee", "cash_fee_most", "coin_fee_most"):
            not_negative(f"fill.{name}", getattr(self, name))
        aware_utc("fill.at", self.at)


class Skip(Value, frozen=True, kw_only=True):
    """Something that was not done, and why. ``code`` is stable and countable; ``reason`` has the numbers."""

    subject: str
    code: str
    reason: str


class Cancel(Value, frozen=True, kw_only=True):
    """Ask the venue to take an order back."""

    client_id: str
    venue_id: str
    reason: str


class Send(Value, frozen=True, kw_only=True):
    """Send ``order``, after every order in ``release`` is confirmed gone (their quantity is reserved at the venue)."""

    order: Order
    release: tuple[Cancel, ...] = ()


def client_order_id(run: str, cycle: int, bot: str, symbol: str, purpose: Purpose, ordinal: int) -> str:
    """The identity of an order: the same decision always has the same id, two orders of one cycle never share one."""
    text = "\x1f".join((run, str(cycle), bot, symbol, purpose, str(ordinal)))
    return "hy-" + hashlib.sha256(text.encode()).hexdigest()[:32]
