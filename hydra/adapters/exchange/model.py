"""The venue's own values: its settings, its orders, its executions, and what it tells of them.

A ``Ticket`` is an order as the venue keeps it. It knows more than the venue reports (what it reserves, when it began to
work, whether its stop has been reached) and nothing of bots, cycles or reasons to trade.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from hydra.adapters.account_rules import fee_most
from hydra.adapters.exchange.terms import AS_ENGINE, Amendment, OrderClass, PositionIntent, Role, Status
from hydra.model.errors import Invalid
from hydra.model.money import ONE, ZERO
from hydra.model.orders import Fill, OrderType, Side, TimeInForce, VenueOrder
from hydra.model.values import Value, named, not_negative, positive

_ENDLESS = Decimal("Infinity")


class FeeSchedule(StrEnum):
    """FLAT: the rates in the settings, in dollars, on the fill. ALPACA: dated tables; regulatory fees at the end of the day,
    crypto fees in the coin that is received."""

    FLAT = "flat"
    ALPACA = "alpaca"


class VenueSettings(Value, frozen=True, kw_only=True):
    """What the venue charges and how it treats orders.

    ``starting_cash`` in dollars counts once, when the books are new. ``commission_per_share`` is dollars for each share
    (each contract, for options). ``crypto_fee``, ``slippage`` and ``half_spread`` are fractions of the price: 0.001 is a
    tenth of a percent; the first two fees count under ``FeeSchedule.FLAT`` only. ``half_spread`` is used while no quote of a
    symbol is known. ``impact`` worsens a fill by itself times the square of the fill's share of the bar's volume.
    ``bar_seconds`` says how old a quote may be to be traded on: two of these intervals.

    ``participation`` is the share of the displayed size, and of a bar's volume, that the account's orders may take; ``None``
    lets everything fill whole. ``multiplier`` is the margin class: 1 cash, 2 overnight margin, 4 day-trading margin.
    ``latency_ms`` is the venue's time between a request to cancel or replace and its effect: zero means at once.
    ``crypto_exits`` lets pairs have stop orders and exits that hang on an entry, as the engine sends them and the published
    protocol does not; only under ``FeeSchedule.FLAT``, since a fee in coin leaves less to sell than was bought.
    ``fractional`` allows shares in parts of a billionth. ``options_level`` as the protocol numbers them, 0 (none) to 3 (spreads).
    ``gtc_days`` is after how many days an order that is good till cancelled lapses by itself; 0 for never.
    """

    starting_cash: Decimal
    commission_per_share: Decimal = ZERO
    crypto_fee: Decimal = ZERO
    slippage: Decimal = ZERO
    half_spread: Decimal = ZERO
    bar_seconds: int = 60
    fees: FeeSchedule = FeeSchedule.FLAT
    impact: Decimal = ZERO
    participation: Decimal | None = None
    multiplier: int = 1
    shorting: bool = False
    fractional: bool = False
    latency_ms: int = 0
    crypto_exits: bool = False
    options_level: int = 3
    day_trade_protection: bool = False
    wash_trade_protection: bool = False
    gtc_days: int = 0

    def __post_init__(self) -> None:
        positive("venue.starting_cash", self.starting_cash)
        not_negative("venue.commission_per_share", self.commission_per_share)
        for name in ("crypto_fee", "slippage", "half_spread"):
            not_negative(f"venue.{name}", getattr(self, name))
            if getattr(self, name) >= 1:
                raise Invalid(f"venue.{name} is a fraction below 1, got {getattr(self, name)}")
        not_negative("venue.impact", self.impact)
        if self.participation is not None:
            positive("venue.participation", self.participation)
            if self.participation > 1:
                raise Invalid(f"venue.participation is a fraction, at most 1, got {self.participation}")
        if self.bar_seconds <= 0:
            raise Invalid(f"venue.bar_seconds must be above 0, got {self.bar_seconds}")
        if self.multiplier not in (1, 2, 4):
            raise Invalid(f"venue.multiplier is 1, 2 or 4, got {self.multiplier}")
        if self.latency_ms < 0:
            raise Invalid(f"venue.latency_ms must be at least 0, got {self.latency_ms}")
        if self.crypto_exits and self.fees is not FeeSchedule.FLAT:
            raise Invalid(f"venue.crypto_exits goes with fees {FeeSchedule.FLAT} only, got {self.fees}")
        if self.gtc_days < 0:
            raise Invalid(f"venue.gtc_days must be at least 0, got {self.gtc_days}")
        if not 0 <= self.options_level <= 3:
            raise Invalid(f"venue.options_level is 0 to 3, got {self.options_level}")


def as_at_alpaca(starting_cash: Decimal, *, half_spread: Decimal = ZERO, bar_seconds: int = 60) -> VenueSettings:
    """An account as Alpaca gives one: margin, shorting, fractions, options, its fees and its protections, no slippage, and
    what is displayed is what can be had."""
    return VenueSettings(
        starting_cash=starting_cash,
        half_spread=half_spread,
        bar_seconds=bar_seconds,
        fees=FeeSchedule.ALPACA,
        participation=ONE,
        multiplier=4,
        shorting=True,
        fractional=True,
        options_level=3,
        day_trade_protection=True,
        wash_trade_protection=True,
        gtc_days=90,
    )


class Pending(Value, frozen=True, kw_only=True):
    """A request to cancel (``amendment`` is ``None``) or replace that has been taken and not yet carried out.

    ``before`` is the status the order goes back to when it cannot be.
    """

    due: datetime
    before: Status
    amendment: Amendment | None = None


class Ticket(Value, frozen=True, kw_only=True):
    """An order in the venue's keeping, the ``number``-th it accepted.

    It works against the market while ``working``, from ``since`` on, and until ``expires_at`` if it has one. A leg of a bracket
    waits (``HELD``, not working) until its entry has filled; ``parent`` is the client id of that entry, and for a leg of a
    multi-leg order that of the order. ``reserved`` is the buying power an open order holds back. ``triggered`` marks a stop
    that was reached: a stop-limit works as a limit now. ``high_water`` is the best price a trailing stop has seen.

    ``quantity`` of an order sized by ``notional`` is an estimate until it fills.
    """

    number: int
    venue_id: str
    client_id: str
    symbol: str
    side: Side
    order_type: OrderType
    quantity: Decimal
    time_in_force: TimeInForce
    since: datetime
    submitted_at: datetime
    updated_at: datetime
    status: Status = Status.NEW
    working: bool = True
    notional: Decimal | None = None
    limit: Decimal | None = None
    stop: Decimal | None = None
    trail_price: Decimal | None = None
    trail_percent: Decimal | None = None
    high_water: Decimal | None = None
    extended_hours: bool = False
    order_class: OrderClass = OrderClass.SIMPLE
    role: Role = Role.ALONE
    parent: str = ""
    ratio: int | None = None
    position_intent: PositionIntent | None = None
    filled: Decimal = ZERO
    average_price: Decimal | None = None
    reason: str = ""
    expires_at: datetime | None = None
    reserved: Decimal = ZERO
    triggered: bool = False
    pending: Pending | None = None
    filled_at: datetime | None = None
    canceled_at: datetime | None = None
    expired_at: datetime | None = None
    replaced_at: datetime | None = None
    failed_at: datetime | None = None
    replaces: str = ""
    replaced_by: str = ""

    def __post_init__(self) -> None:
        # An order is made anew at each step of its life, so one look lets sound numbers through; names are for the others.
        quantity, reserved, filled = self.quantity, self.reserved, self.filled
        try:
            if (
                type(self.client_id) is str
                and self.client_id
                and type(quantity) is type(reserved) is type(filled) is Decimal
                and ZERO < quantity < _ENDLESS
                and ZERO <= reserved < _ENDLESS
                and ZERO <= filled < _ENDLESS
            ):
                return
        except InvalidOperation:
            pass
        named("ticket.client_id", self.client_id)
        positive("ticket.quantity", quantity)
        not_negative("ticket.reserved", reserved)
        not_negative("ticket.filled", filled)

    @property
    def remaining(self) -> Decimal:
        """What has not filled."""
        return self.quantity - self.filled

    @property
    def group(self) -> str:
        """What it shares its quantity with: the exits of one entry are one group, any other order is its own."""
        return self.parent if self.role in (Role.TAKE_PROFIT, Role.STOP_LOSS) and self.parent else self.client_id

    def report(self) -> VenueOrder:
        """What the engine is told of it."""
        return VenueOrder(
            venue_id=self.venue_id,
            client_id=self.client_id,
            symbol=self.symbol,
            side=self.side,
            order_type=self.order_type,
            quantity=self.quantity,
            status=AS_ENGINE[self.status],
            filled=self.filled,
            average_price=self.average_price,
            limit=self.limit,
            stop=self.stop,
            parent=self.parent,
            updated_at=self.updated_at,
            reason=self.reason,
        )


class Source(StrEnum):
    """What an execution traded against: a quote as it stood, a bar as it went by, an auction, or an exercise."""

    QUOTE = "quote"
    BAR = "bar"
    AUCTION = "auction"


class Execution(Value, frozen=True, kw_only=True):
    """One execution, the ``number``-th of the account.

    ``fee`` was taken in dollars at the fill; ``fee_coin`` was withheld from the coin received. ``filled`` and ``remaining`` are
    the order's after it, ``position`` the account's (signed, after ``fee_coin``).
    """

    number: int
    venue_id: str
    client_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    at: datetime
    filled: Decimal
    remaining: Decimal
    position: Decimal
    fee: Decimal = ZERO
    fee_coin: Decimal = ZERO
    source: Source = Source.QUOTE

    @property
    def fill_id(self) -> str:
        """The engine's name for it; sorts in the order of execution."""
        return f"{self.number:012d}"

    def report(self, fees: FeeSchedule = FeeSchedule.FLAT) -> Fill:
        """What the engine is told of it. ``fees`` says whether more may be charged, and bounds it."""
        most = (ZERO, ZERO)
        if fees is FeeSchedule.ALPACA:
            most = fee_most(self.symbol, self.side, self.quantity, self.price)
        return Fill(
            fill_id=self.fill_id,
            venue_id=self.venue_id,
            client_id=self.client_id,
            symbol=self.symbol,
            side=self.side,
            quantity=self.quantity,
            price=self.price,
            at=self.at,
            fee=self.fee,
            cash_fee_most=most[0],
            coin_fee_most=most[1],
        )


class ActivityKind(StrEnum):
    """What can happen to an account beside executions, as the protocol abbreviates it."""

    FEE = "FEE"
    CRYPTO_FEE = "CFEE"
    DIVIDEND = "DIV"
    SPLIT = "SPLIT"
    NAME_CHANGE = "NC"
    OPTION_EXPIRY = "OPEXP"
    OPTION_EXERCISE = "OPEXC"
    OPTION_ASSIGNMENT = "OPASN"
    OPTION_TRADE = "OPTRD"


class Activity(Value, frozen=True, kw_only=True):
    """Something that changed cash or positions and was no execution, the ``number``-th of the account.

    ``quantity`` is the signed change of the position in ``symbol``, ``amount`` the signed change of cash.
    """

    number: int
    kind: ActivityKind
    at: datetime
    symbol: str = ""
    quantity: Decimal = ZERO
    price: Decimal | None = None
    amount: Decimal = ZERO
    description: str = ""


class Configuration(Value, frozen=True, kw_only=True):
    """What the owner of the account may set."""

    no_shorting: bool = False
    suspend_trade: bool = False
    fractional_trading: bool = True
    max_margin_multiplier: int = 4
    max_options_level: int = 3
    trade_confirm_email: str = "all"
    ptp_no_exception_entry: bool = False
    disable_overnight_trading: bool = False


class DayTrade(Value, frozen=True, kw_only=True):
    """A position opened and closed on one exchange day."""

    day: date
    symbol: str


class AccountState(Value, frozen=True, kw_only=True):
    """The account beside its positions and orders.

    ``accrued`` are regulatory fees of the day by name, owed and not yet posted. ``closed_on``, ``closing_equity`` and
    ``closing_maintenance`` are as of the last regular close. ``declined`` are contracts not to be exercised at expiry.
    ``owed`` are dividends that have been earned and are paid later (their ``at``).
    """

    account_id: str
    opened_with: VenueSettings
    cash: Decimal
    opened_at: datetime | None = None
    status: str = "ACTIVE"
    account_blocked: bool = False
    trading_blocked: bool = False
    configuration: Configuration = Configuration()
    accrued: Mapping[str, Decimal] = {}
    closed_on: date | None = None
    closing_equity: Decimal | None = None
    closing_maintenance: Decimal = ZERO
    closing_prices: Mapping[str, Decimal] = {}
    day_trades: tuple[DayTrade, ...] = ()
    pattern_day_trader: bool = False
    declined: frozenset[str] = frozenset()
    owed: tuple[Activity, ...] = ()


class News(StrEnum):
    """What the venue tells of an order as it happens."""

    NEW = "new"
    ACCEPTED = "accepted"
    PENDING_NEW = "pending_new"
    HELD = "held"
    FILL = "fill"
    PARTIAL_FILL = "partial_fill"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    ORDER_CANCEL_REJECTED = "order_cancel_rejected"
    ORDER_REPLACE_REJECTED = "order_replace_rejected"


class Update(Value, frozen=True, kw_only=True):
    """One piece of news: the order as it stood right after it, and the execution if it was one."""

    news: News
    at: datetime
    ticket: Ticket
    execution: Execution | None = None
