"""What a door may ask of the venue. The in-process door and the server are written against this and nothing else.

Every method that changes something commits it to the books before it returns. A ``Rejection`` means that nothing changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeAlias

from hydra.adapters.exchange.model import (
    AccountState,
    Activity,
    Configuration,
    Execution,
    Ticket,
    Update,
    VenueSettings,
)
from hydra.adapters.exchange.terms import Amendment, Rejection, Request
from hydra.adapters.markets.feed import Feed
from hydra.model.market import Instrument
from hydra.model.money import ZERO
from hydra.model.values import Value
from hydra.ports import Calendar

Listener: TypeAlias = Callable[[Sequence[Update]], None]
"""Called with what one change brought, in order, after it is in the books, on the thread that made the change."""

Ration: TypeAlias = Callable[[Ticket, Decimal], Decimal]
"""Asked before an execution: the order, and the quantity about to fill; answers how much of it may (in whole increments)."""


class Figures(Value, frozen=True, kw_only=True):
    """The account in dollars, at the latest prices. ``short_market_value`` is at most zero.

    ``day_trades`` are those of the last five exchange days. ``multiplier`` is the effective margin class.
    """

    equity: Decimal
    cash: Decimal
    buying_power: Decimal
    non_marginable_buying_power: Decimal
    regt_buying_power: Decimal
    daytrading_buying_power: Decimal
    options_buying_power: Decimal
    long_market_value: Decimal = ZERO
    short_market_value: Decimal = ZERO
    initial_margin: Decimal = ZERO
    maintenance_margin: Decimal = ZERO
    multiplier: int = 1
    day_trades: int = 0


class Held(Value, frozen=True, kw_only=True):
    """A position with its prices. ``available`` is what no open order has reserved, as a positive number.

    ``price`` is the latest, ``closing_price`` that of the last regular close (``None`` before the first), ``today`` the
    signed part of the quantity that was opened on the present exchange day.
    """

    symbol: str
    quantity: Decimal
    available: Decimal
    average_price: Decimal
    price: Decimal
    closing_price: Decimal | None = None
    today: Decimal = ZERO


class Exchange(Protocol):
    """One account at the simulated venue, with the market it trades on."""

    feed: Feed
    calendar: Calendar
    settings: VenueSettings

    @property
    def now(self) -> datetime:
        """The venue's clock."""
        ...

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """Everything that can be traded at present, option contracts included, by canonical symbol."""
        ...

    def state(self) -> AccountState:
        """The account beside its positions and orders."""
        ...

    def figures(self) -> Figures:
        """The account's money."""
        ...

    def held(self) -> tuple[Held, ...]:
        """Everything held, by symbol."""
        ...

    def last_price(self, symbol: str) -> Decimal | None:
        """The middle of the latest quote, else the last close, else unknown."""
        ...

    def ticket(self, venue_id: str) -> Ticket | None:
        """The order with this venue id, done or not."""
        ...

    def ticket_named(self, client_id: str) -> Ticket | None:
        """The order with this client id, done or not."""
        ...

    @property
    def taken(self) -> int:
        """How many orders there ever were, legs too."""
        ...

    def tickets(self) -> Sequence[Ticket]:
        """Every order there ever was, oldest first; legs too."""
        ...

    def working(self) -> Sequence[Ticket]:
        """Every order that is not done, oldest first; legs that wait for their entry too."""
        ...

    def legs(self, client_id: str) -> tuple[Ticket, ...]:
        """The legs of an order: the exits of a bracket, oto or oco, or the contracts of a multi-leg order."""
        ...

    def place(self, request: Request) -> Ticket | Rejection:
        """Take an order, or refuse it. The ticket is the order as it stands when the answer is given: it may have filled."""
        ...

    def withdraw(self, venue_id: str) -> Ticket | Rejection:
        """Take an open order back; with it go the orders of its group."""
        ...

    def amend(self, venue_id: str, amendment: Amendment) -> Ticket | Rejection:
        """Replace an open order by a changed one, and return the new one (or, with latency, the one that will be replaced)."""
        ...

    def configure(self, configuration: Configuration) -> Configuration:
        """Set what the owner may set."""
        ...

    def exercise(self, symbol: str) -> Rejection | None:
        """Exercise every long contract of a symbol now."""
        ...

    def decline(self, symbol: str) -> Rejection | None:
        """Have a contract lapse at expiry even if it is worth something."""
        ...

    def executions(self, after: int = 0) -> Sequence[Execution]:
        """Executions with a number above ``after``, oldest first."""
        ...

    def activities(self, after: int = 0) -> Sequence[Activity]:
        """What changed the account beside executions, with a number above ``after``, oldest first."""
        ...

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have ``listener`` called with every change of an order; the answer ends it."""
        ...

    def next_instant(self) -> datetime | None:
        """The next instant of the feed; ``None`` at its end."""
        ...

    def advance(self) -> bool:
        """Move the clock to the feed's next instant; False at the end."""
        ...

    def advance_to(self, at: datetime) -> None:
        """Move the clock to ``at``, through every instant on the way. A time that has passed changes nothing."""
        ...

    def set_standing(self, status: str, *, blocked: bool = False) -> None:
        """Turn the account's status (``ACTIVE``, ``INACTIVE``, …) and its block on trading."""
        ...
