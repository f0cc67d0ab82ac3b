"""From a wish to a fill: intents, ceilings, plans, orders and their lifecycle.

The lifecycle is a table (``LIFECYCLE``). ``UNKNOWN`` is a state of its own: the venue may or may not have the order. It is
left only by asking the venue, never by guessing; ``NOT_RECEIVED`` is the venue's own word that no such order ever arrived.
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

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell."""
        return 1 if self is Side.BUY else -1

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

    @property
    def reduces(self) -> bool:
        """True for every purpose that may only reduce a position."""
        return self is not Purpose.ENTRY


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

    @property
    def terminal(self) -> bool:
        """True when nothing more can happen to the order."""
        return not LIFECYCLE[self]

    @property
    def unresolved(self) -> bool:
        """True while the venue has not said whether it has the order."""
        return self in _UNRESOLVED


_S = OrderStatus
_UNRESOLVED = frozenset({_S.SENT, _S.UNKNOWN})
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
        positive("protection.stop", self.stop)
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
        named("intent.bot", self.bot)
        named("intent.symbol", self.symbol)
        named("intent.thesis", self.thesis)
        positive("intent.reference", self.reference)
        if self.order_type not in (OrderType.MARKET, OrderType.LIMIT):
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
        named("ceiling.rule", self.rule)
        named("ceiling.reason", self.reason)
        quantity = self.quantity
        if type(quantity) is not Decimal or not quantity.is_finite() or quantity < ZERO:
            not_negative(f"ceiling.quantity of {self.rule}", quantity)  # there are many in a cycle: named when refused


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
        named("order.client_id", self.client_id)
        if len(self.client_id) > CLIENT_ID_MAX_LENGTH:
            raise Invalid(f"order.client_id has {len(self.client_id)} characters, at most {CLIENT_ID_MAX_LENGTH}")
        named("order.symbol", self.symbol)
        positive("order.quantity", self.quantity)
        not_negative("order.filled", self.filled)
        if self.filled > self.quantity:
            raise Invalid(f"order {self.client_id} filled {self.filled} of {self.quantity}")
        needs_limit = self.order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
        needs_stop = self.order_type in (OrderType.STOP, OrderType.STOP_LIMIT)
        if (self.limit is not None) is not needs_limit:
            raise Invalid(f"order {self.client_id}: limit {self.limit} does not fit the type {self.order_type}")
        if (self.stop is not None) is not needs_stop:
            raise Invalid(f"order {self.client_id}: stop {self.stop} does not fit the type {self.order_type}")
        for name in ("limit", "stop"):
            if getattr(self, name) is not None:
                positive(f"order.{name}", getattr(self, name))
        if self.protection is not None and self.purpose is not Purpose.ENTRY:
            raise Invalid(f"order {self.client_id}: only an entry carries protection")
        self._check_legs()
        for name in ("sent_at", "updated_at"):
            if getattr(self, name) is not None:
                aware_utc(f"order.{name}", getattr(self, name))

    def _check_legs(self) -> None:
        if not self.legs:
            return
        check_legs(f"order {self.client_id}", self.legs)
        if self.order_type not in (OrderType.MARKET, OrderType.LIMIT) or self.protection is not None:
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
        named("venue_order.venue_id", self.venue_id)
        named("venue_order.symbol", self.symbol)
        positive("venue_order.quantity", self.quantity)
        not_negative("venue_order.filled", self.filled)
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
    text = "\x1f".join((run, str(cycle), bot, symbol, purpose.value, str(ordinal)))
    return "hy-" + hashlib.sha256(text.encode()).hexdigest()[:32]
