"""What the venue knows when an order arrives, which every check of it may look at."""

from __future__ import annotations

from decimal import Decimal

from hydra.adapters.exchange.model import AccountState, Ticket, VenueSettings
from hydra.adapters.exchange.terms import PositionIntent, Request
from hydra.model.market import Instrument
from hydra.model.values import Value


class Facts(Value, frozen=True, kw_only=True):
    """What is known of the account, the market and the venue at that moment.

    ``far`` is the price on the far side of the market, ``last`` the middle of it or the last close; both may be unknown.
    ``position`` (signed) and ``held`` are quantities of the symbol: owned, and of that reserved by open orders to close;
    ``available`` is what an order to close may still close, which is less than their difference where shares stand behind
    written calls; zero for an order that opens.
    ``level`` is the options level that counts.
    ``others`` are the working orders on the other side. ``closed`` says why the symbol cannot be traded at all, ``too_late``
    why an auction can no longer be joined.
    """

    instrument: Instrument
    settings: VenueSettings
    account: AccountState
    intent: PositionIntent
    position: Decimal
    held: Decimal
    available: Decimal
    level: int
    far: Decimal | None = None
    last: Decimal | None = None
    others: tuple[Ticket, ...] = ()
    closed: str = ""
    too_late: str = ""

    def expected(self, request: Request) -> Decimal | None:
        """The price an order is worth its limit, its stop or the market at; ``None`` when no price is known."""
        if request.limit is not None:
            return request.limit
        return request.stop if request.stop is not None else self.far
