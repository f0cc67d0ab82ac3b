"""What a simulated venue plays: prices in the order in which they became known.

A feed has no clock. Its user names an instant and is told what was known then, so the future is not forbidden but absent.
A bar becomes known when it has closed; a quote that closes an interval becomes known at the interval's end, and carries
that time. Two calls with the same arguments give the same answer, in this process and in the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol, cast

from hydra.adapters.calendar import new_york
from hydra.model.errors import Invalid
from hydra.model.market import Bar, OptionContract, OptionQuote, Quote
from hydra.model.values import Value, named, not_negative, positive

_LAPSES = time(16)


def lapses_at(contract: OptionContract) -> datetime:
    """When a contract has expired: 16:00 New York on its day. A feed has no calendar, so on half days too."""
    return new_york(contract.expiry, _LAPSES)


def root_of(underlying: str) -> str:
    """The root in the OCC symbols of an equity's contracts: the symbol without its dot."""
    return underlying.replace(".", "")


class ActionKind(StrEnum):
    """What a company can do to its shares, as far as the venue plays it."""

    FORWARD_SPLIT = "forward_split"
    REVERSE_SPLIT = "reverse_split"
    CASH_DIVIDEND = "cash_dividend"
    NAME_CHANGE = "name_change"


class CorporateAction(Value, frozen=True, kw_only=True):
    """An announced corporate action. It takes effect before the opening of ``ex_date`` (an exchange day).

    A split turns ``old_rate`` shares into ``new_rate``. ``cash`` is a dividend in dollars a share, paid on ``payable_date`` to
    who held it before ``ex_date``. ``new_symbol`` belongs to a change of name.
    """

    kind: ActionKind
    symbol: str
    ex_date: date
    old_rate: Decimal = Decimal(1)
    new_rate: Decimal = Decimal(1)
    cash: Decimal = Decimal(0)
    new_symbol: str = ""
    payable_date: date | None = None

    def __post_init__(self) -> None:
        named("corporate_action.symbol", self.symbol)
        positive("corporate_action.old_rate", self.old_rate)
        positive("corporate_action.new_rate", self.new_rate)
        not_negative("corporate_action.cash", self.cash)
        if (self.kind is ActionKind.NAME_CHANGE) is not bool(self.new_symbol):
            raise Invalid(f"new_symbol belongs to a {ActionKind.NAME_CHANGE} and only to it, got {self.new_symbol!r}")
        if self.new_symbol == self.symbol:
            raise Invalid(f"new_symbol is {self.symbol}, as before")
        if (self.kind is ActionKind.CASH_DIVIDEND) is not (self.cash > 0):
            raise Invalid(f"cash belongs to a {ActionKind.CASH_DIVIDEND} and only to it, got {self.cash}")
        if self.payable_date is not None and (self.cash == 0 or self.payable_date < self.ex_date):
            raise Invalid(f"payable_date {self.payable_date} belongs to a dividend, on its ex_date or later")
        self._check_rates()

    def _check_rates(self) -> None:
        grows = (self.new_rate > self.old_rate) - (self.new_rate < self.old_rate)
        wanted, words = _RATES.get(self.kind, (0, "the same as old_rate"))
        if grows != wanted:
            raise Invalid(
                f"new_rate of a {self.kind} must be {words}: old_rate {self.old_rate}, new_rate {self.new_rate}"
            )


_RATES = {ActionKind.FORWARD_SPLIT: (1, "above old_rate"), ActionKind.REVERSE_SPLIT: (-1, "below old_rate")}


class Opening(NamedTuple):
    """All that is known of a day's bar of a share while its session lasts: when and at what price it opened.

    ``size`` is the volume of the bar before, for of its own nothing is known yet.
    """

    at: datetime
    price: Decimal
    size: Decimal


class Opens(Protocol):
    """A feed in which a day of a share may be one bar."""

    @property
    def days(self) -> tuple[str, ...]:
        """The shares of which a day is one bar, sorted."""
        ...

    def openings(self, at: datetime) -> Mapping[str, Opening]:
        """The openings of those whose session had begun at ``at`` and whose bar is not known yet, by symbol."""
        ...


def as_opens(feed: object) -> Opens | None:
    """A feed as one that can have days of shares; ``None`` when it has none."""
    days = getattr(feed, "days", ())
    return cast("Opens", feed) if days else None


class Counted(Protocol):
    """A feed that can tell how many bars lie after a time without looking at them."""

    def count_since(self, symbol: str, after: datetime, upto: datetime) -> int | None:
        """How many bars of a symbol opened after ``after`` and closed at or before ``upto``; ``None``: it cannot tell of this one."""
        ...


def as_counted(feed: object) -> Counted | None:
    """A feed as one that can tell how many bars there are; ``None`` when it cannot."""
    return cast("Counted", feed) if hasattr(feed, "count_since") else None


class Feed(Protocol):
    """A recorded or invented history."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The canonical symbols it has prices for."""
        ...

    @property
    def fingerprint(self) -> str:
        """A stable short hash of what it will play (files' content or seed and settings)."""
        ...

    def describe(self) -> str:
        """One line for the journal and the screen: which data, from when to when."""
        ...

    def next_after(self, at: datetime | None) -> datetime | None:
        """The next instant at which anything becomes known (``None``: from the beginning). ``None`` when nothing more."""
        ...

    def bars(self, after: datetime, upto: datetime) -> tuple[Bar, ...]:
        """Bars with ``after < closes_at <= upto``, ordered by closing time, then symbol; of equities and pairs only."""
        ...

    def quotes(self, at: datetime) -> Mapping[str, Quote]:
        """The latest quote of each equity and pair known at ``at``; a symbol that never had one is absent."""
        ...

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        """The last ``count`` bars of a symbol that closed at or before ``upto``, oldest first; a contract's too."""
        ...

    @property
    def contracts(self) -> tuple[str, ...]:
        """The option contracts (OCC symbols, sorted) it has quotes of at some time; empty for none.

        It is what there will be, and which strikes there will be tells something of the prices to come: at a time, those
        are listed whose ``option_quote`` is not ``None`` then.
        """
        ...

    @property
    def actions(self) -> tuple[CorporateAction, ...]:
        """The corporate actions of its symbols, by ``ex_date``."""
        ...

    def option_quote(self, symbol: str, at: datetime) -> OptionQuote | None:
        """The latest quote of a contract known at ``at``, one-sided ones included; ``None`` when it never had one.

        Its time is that at which it became known. Fields the data do not have are ``None``.
        """
        ...

    def chain(self, underlying: str, at: datetime) -> tuple[OptionQuote, ...]:
        """The latest quote of every contract on ``underlying`` that has not expired by ``at``, by symbol."""
        ...
