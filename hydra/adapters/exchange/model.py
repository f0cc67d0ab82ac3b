"""The venue's own values: its settings, its orders, and what its books hold.

A ``Ticket`` is an order as the venue keeps it. It knows more than the venue reports (what it reserves, when it began to
work, whether its stop has been reached) and nothing of bots, cycles or reasons to trade.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from hydra.model.errors import Invalid
from hydra.model.market import AssetClass, Instrument
from hydra.model.money import ZERO
from hydra.model.orders import Fill, OrderStatus, OrderType, Protection, Side, TimeInForce, VenueOrder
from hydra.model.portfolio import Position
from hydra.model.values import Value, named, not_negative, positive


class VenueSettings(Value, frozen=True, kw_only=True):
    """What the venue charges and how it treats orders.

    ``starting_cash`` in dollars counts once, when the books are new. ``commission_per_share`` is dollars for each share
    (each contract, for options). ``crypto_fee``, ``slippage`` and ``half_spread`` are fractions of the price: 0.001 is a
    tenth of a percent. ``half_spread`` is used while no quote of a symbol is known. ``bar_seconds`` says how old a quote
    may be to be traded on: two of these intervals.
    """

    starting_cash: Decimal
    commission_per_share: Decimal = ZERO
    crypto_fee: Decimal = ZERO
    slippage: Decimal = ZERO
    half_spread: Decimal = ZERO
    bar_seconds: int = 60

    def __post_init__(self) -> None:
        positive("venue.starting_cash", self.starting_cash)
        not_negative("venue.commission_per_share", self.commission_per_share)
        for name in ("crypto_fee", "slippage", "half_spread"):
            not_negative(f"venue.{name}", getattr(self, name))
            if getattr(self, name) >= 1:
                raise Invalid(f"venue.{name} is a fraction below 1, got {getattr(self, name)}")
        if self.bar_seconds <= 0:
            raise Invalid(f"venue.bar_seconds must be above 0, got {self.bar_seconds}")

    def fee(self, instrument: Instrument, quantity: Decimal, price: Decimal) -> Decimal:
        """Dollars charged for an execution, exactly (no rounding to the cent)."""
        if instrument.asset_class is AssetClass.CRYPTO:
            return self.crypto_fee * quantity * price
        return self.commission_per_share * quantity


class Ticket(Value, frozen=True, kw_only=True):
    """An order in the venue's keeping, the ``number``-th it accepted.

    It works against bars that opened at ``since`` or later, and (time in force day) until ``expires_at``. ``reserved`` is
    the cash an open buy holds back. ``triggered`` marks a stop-limit whose stop was reached: it works as a limit now.
    """

    number: int
    client_id: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    time_in_force: TimeInForce
    since: datetime
    updated_at: datetime
    status: OrderStatus = OrderStatus.ACCEPTED
    limit: Decimal | None = None
    stop: Decimal | None = None
    protection: Protection | None = None
    parent: str = ""
    filled: Decimal = ZERO
    average_price: Decimal | None = None
    reason: str = ""
    expires_at: datetime | None = None
    reserved: Decimal = ZERO
    triggered: bool = False

    def __post_init__(self) -> None:
        named("ticket.client_id", self.client_id)
        positive("ticket.quantity", self.quantity)
        not_negative("ticket.reserved", self.reserved)

    @property
    def venue_id(self) -> str:
        """The venue's name for it."""
        return f"sim-{self.number:010d}"

    @property
    def group(self) -> str:
        """What it shares its quantity with: the legs of one entry are one group, any other order is its own."""
        return self.parent or self.client_id

    def report(self) -> VenueOrder:
        """What the venue says of it."""
        return VenueOrder(
            venue_id=self.venue_id,
            client_id=self.client_id,
            symbol=self.symbol,
            side=self.side,
            order_type=self.order_type,
            quantity=self.quantity,
            status=self.status,
            filled=self.filled,
            average_price=self.average_price,
            limit=self.limit,
            stop=self.stop,
            parent=self.parent,
            updated_at=self.updated_at,
            reason=self.reason,
        )


class FeedClock(Value, frozen=True, kw_only=True):
    """How far a feed has been played: its fingerprint, its description in words, and the time reached."""

    fingerprint: str
    feed: str
    at: datetime


class Standing(Value, frozen=True, kw_only=True):
    """Everything the books hold. ``current`` is the fingerprint of the feed that was played last."""

    account_id: str
    opened_with: VenueSettings
    cash: Decimal
    current: str = ""
    clocks: Mapping[str, FeedClock] = {}
    positions: tuple[Position, ...] = ()
    orders: tuple[Ticket, ...] = ()
    fills: tuple[Fill, ...] = ()


class Change(Value, frozen=True, kw_only=True):
    """What one request or one advance changed: whole rows, and the names of positions that are gone."""

    cash: Decimal
    clock: FeedClock
    orders: tuple[Ticket, ...] = ()
    positions: tuple[Position, ...] = ()
    gone: tuple[str, ...] = ()
    fills: tuple[Fill, ...] = ()


class Books(Protocol):
    """Where a venue writes what it must not forget."""

    @property
    def name(self) -> str:
        """Where they are, for identities and messages."""
        ...

    def load(self) -> Standing | None:
        """All of it; ``None`` when nothing was ever written.

        Whoever loads owns the books from then on; an earlier owner can no longer write.
        """
        ...

    def open(self, standing: Standing) -> None:
        """Write the first entry of new books, durably."""
        ...

    def commit(self, change: Change) -> None:
        """Write a change in one transaction, durably on return. Raises ``Unreachable`` when it is not known to be written,
        ``Barred`` when another owner has taken over."""
        ...

    def close(self) -> None:
        """Let go of them."""
        ...
