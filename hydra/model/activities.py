"""What changes an account and is no execution: fees, dividends, transfers, splits, as the venue tells of them.

A fee that the venue has taken and not yet told of is bounded beforehand: a fill says how much more it may cost, in dollars
(``Fill.cash_fee_most``) or in the coin that was bought (``Fill.coin_fee_most``). Within that bound a difference is explained;
beyond it, it is a residual.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from hydra.model.money import ZERO
from hydra.model.values import Value, aware_utc, finite, named, positive


class ActivityKind(StrEnum):
    """What kind of change it is. A kind that has no word here is OTHER, which explains its cash and nothing else.

    COIN_FEE is a fee of a pair, in coin or in dollars. OPTION is an expiry, an exercise or an assignment.
    """

    FEE = "fee"
    COIN_FEE = "coin_fee"
    DIVIDEND = "dividend"
    INTEREST = "interest"
    TRANSFER = "transfer"
    SPLIT = "split"
    RENAME = "rename"
    OPTION = "option"
    OTHER = "other"


class Activity(Value, frozen=True, kw_only=True):
    """One change. ``amount`` is the signed change of cash in dollars, ``quantity`` the signed change of the position.

    ``ratio`` (of a split) is how many shares there are now for each before; ``None`` when the venue's announcements do not
    say. ``new_symbol`` (of a rename) is what the symbol is called now. ``activity_id`` is the venue's, and unique.
    """

    activity_id: str
    kind: ActivityKind
    at: datetime
    symbol: str = ""
    quantity: Decimal = ZERO
    amount: Decimal = ZERO
    ratio: Decimal | None = None
    new_symbol: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        named("activity.activity_id", self.activity_id)
        aware_utc("activity.at", self.at)
        finite("activity.quantity", self.quantity)
        finite("activity.amount", self.amount)
        if self.ratio is not None:
            positive("activity.ratio", self.ratio)


class Withheld(Value, frozen=True, kw_only=True):
    """Coin that the venue has kept of a bot's purchase as its fee: units of ``symbol``; below zero when it kept less than was
    thought."""

    bot: str
    symbol: str
    quantity: Decimal

    def __post_init__(self) -> None:
        named("withheld.bot", self.bot)
        named("withheld.symbol", self.symbol)
        finite("withheld.quantity", self.quantity)


class Unposted(Value, frozen=True, kw_only=True):
    """The most that a sale at ``at`` may still be charged by an activity of its own, in dollars, and whose and of what it was."""

    at: datetime
    amount: Decimal
    bot: str = ""
    symbol: str = ""

    def __post_init__(self) -> None:
        aware_utc("unposted.at", self.at)
        positive("unposted.amount", self.amount)
