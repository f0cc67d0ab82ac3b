"""The policy: everything a person may decide about Hydra, as plain frozen models with their ranges.

Reading files and the environment is the composition root's work; this module only says what is valid. Money and fractions
are ``Decimal``. Fractions are fractions: 0.02 is two percent. Times of day are the exchange's own (New York for equities).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache, cached_property
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

import orjson
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import plain
from hydra.model.orders import TEST_BOT


def _symbol(text: str) -> str:
    asset_class_of(text)
    return text


def _speed(text: str) -> str:
    if text != "max" and not Decimal(text):
        raise ValueError("a market at speed 0 never moves; expected max, or a number above 0")
    return text


def _store_url(url: str) -> str:
    """The policy is journaled and shown, so an address that carries a password is refused, and never quoted."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("not an address") from None
    if url and parts.scheme not in _STORE_SCHEMES:
        raise ValueError(f"the address must begin with one of {', '.join(_STORE_SCHEMES)}")
    if parts.password is not None or "password" in parts.query.lower():
        raise ValueError("the address carries a password; leave it out (libpq reads PGPASSWORD or ~/.pgpass)")
    return url


_STORE_SCHEMES = ("sqlite", "postgresql", "postgresql+psycopg")


# A description says in words what the type accepts: refusals and the reference quote it.
Fraction = Annotated[Decimal, Field(gt=0, le=1, allow_inf_nan=False)]
Amount = Annotated[Decimal, Field(gt=0, le=10**12, allow_inf_nan=False)]
TimeOfDay = Annotated[
    str,
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    Field(description="hh:mm, 00:00 to 23:59"),
]
Identifier = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,31}$"),
    Field(description="lower-case letters, digits, - and _, a letter first, at most 32"),
]
PlugName = Annotated[
    str,
    StringConstraints(pattern=r"^([a-z][a-z0-9_-]{0,31}|[^:\s][^:\r\n]{0,255}:[A-Za-z_][A-Za-z0-9_]{0,63})$"),
    Field(description="the name of a plug, or a file or module and a name in it: bots/mine.py:make, mine.bots:make"),
]
Speed = Annotated[
    str,
    StringConstraints(pattern=r"^(max|[0-9]{1,6}(\.[0-9]{1,6})?)$"),
    AfterValidator(_speed),
    Field(description="max, or a number above 0"),
]
StoreUrl = Annotated[
    str,
    AfterValidator(_store_url),
    Field(
        description='"" (the built-in one) or a database address without a password, sqlite:///... or postgresql+psycopg://...'
    ),
]
Symbol = Annotated[str, AfterValidator(_symbol), Field(description="like SPY, BTC-USD or GOOG151231C00750000")]


class Section(BaseModel):
    """Base of all sections: unknown keys are refused, nothing changes after reading."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class BrokerPolicy(Section):
    """Which venue, and how it is set up when it is the simulated one (every key but the name).

    ``account``: plain is a cash account that the keys below describe; alpaca is one as Alpaca gives it (margin, its fees, its
    rules for orders), for which commission, crypto_fee and slippage do not count.
    """

    name: Identifier
    account: Literal["plain", "alpaca"] = "plain"
    starting_cash: Amount = Decimal(100_000)
    commission_per_share: Annotated[Decimal, Field(ge=0, le=100)] = Decimal(0)
    crypto_fee: Annotated[Decimal, Field(ge=0, le=Decimal("0.1"))] = Decimal("0.0025")
    slippage: Annotated[Decimal, Field(ge=0, le=Decimal("0.05"))] = Decimal("0.0001")
    half_spread: Annotated[Decimal, Field(ge=0, le=Decimal("0.05"))] = Decimal("0.0001")
    faults: Annotated[str, Field(description='"" (none) or the path of a fault file, from the folder of this file')] = (
        ""
    )


class AlpacaPolicy(Section):
    """How Alpaca is spoken to. Its address and its keys come from the environment alone."""

    stock_feed: Literal["iex", "sip", "delayed_sip"] = "iex"
    option_feed: Literal["indicative", "opra"] = "indicative"
    requests_per_minute: Annotated[int, Field(ge=20, le=10_000)] = 200
    connect_seconds: Annotated[Decimal, Field(gt=0, le=60)] = Decimal(3)
    order_seconds: Annotated[Decimal, Field(gt=0, le=120)] = Decimal(10)
    stream: bool = True


class MarketPolicy(Section):
    """Which market, and how the simulated one behaves (every key but the name)."""

    name: Identifier
    start: Annotated[date, Field(ge=date(1990, 1, 1), le=date(2099, 12, 31))] = date(2025, 1, 6)
    days: Annotated[int, Field(ge=0, le=3660)] = 1
    bar_seconds: Annotated[int, Field(ge=1, le=86400)] = 60
    speed: Speed = "max"
    sessions: Literal["exchange", "always"] = "exchange"


class EnginePolicy(Section):
    """The loop."""

    seed: Annotated[int, Field(ge=0, lt=2**63)]
    interval_seconds: Annotated[Decimal, Field(gt=0, le=3600)]
    read_deadline_seconds: Annotated[Decimal, Field(gt=0, le=60)]
    window_bars: Annotated[int, Field(ge=2, le=5000)]
    bot_deadline_ms: Annotated[int, Field(ge=1, le=60000)]
    bot_strikes: Annotated[int, Field(ge=1, le=100)]
    unknown_grace_seconds: Annotated[Decimal, Field(ge=0, le=3600)]


class HealthPolicy(Section):
    """When Hydra counts itself as healthy."""

    gates: tuple[Identifier, ...]
    staleness_seconds: Annotated[Decimal, Field(gt=0, le=86400)]
    clock_skew_seconds: Annotated[Decimal, Field(gt=0, le=3600)]
    disk_free_mb: Annotated[int, Field(ge=1, le=1_000_000)]
    failed_reads: Annotated[int, Field(ge=1, le=1000)]
    failure_window_seconds: Annotated[int, Field(ge=1, le=86400)]
    residual_cycles: Annotated[int, Field(ge=1, le=1000)]
    cash_tolerance: Annotated[Decimal, Field(ge=0, le=1000)]
    probe_seconds: Annotated[Decimal, Field(ge=0, le=300)]


class OptionsPolicy(Section):
    """How chains are read and contracts priced, for the bots that trade options.

    ``width``: strikes further from the underlying's price than this fraction are left out of a chain. A contract's quote that is
    older than ``stale_seconds`` counts as none. ``rate`` and
    ``dividend_yield`` are annual fractions, for greeks and implied volatility that the venue does not deliver.
    """

    chain_seconds: Annotated[Decimal, Field(ge=0, le=3600)] = Decimal(15)
    stale_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    width: Fraction = Decimal("0.15")
    rate: Annotated[Decimal, Field(ge=Decimal("-0.05"), le=Decimal("0.5"))] = Decimal("0.04")
    dividend_yield: Annotated[Decimal, Field(ge=0, le=Decimal("0.5"))] = Decimal(0)


class Blackout(Section):
    """A day without entries: in ``symbols``, or in all of them when there is none."""

    day: date
    symbols: tuple[Symbol, ...] = ()
    reason: str = ""


class RiskPolicy(Section):
    """The rule book's numbers. Fractions are of equity unless the key says otherwise.

    ``groups`` are symbols that move together, by name. ``blackouts`` is what the file named by ``blackout_file`` says: it is
    read with the policy and belongs to it.
    """

    rules: tuple[Identifier, ...]
    exits: tuple[Identifier, ...]
    option_exits: tuple[Identifier, ...] = (
        "loss_multiple",
        "profit_share",
        "time_stop",
        "session_end",
        "flatten_before_close",
        "before_expiry",
        "bot_daily_loss",
    )
    kills: tuple[Identifier, ...] = (
        "daily_loss",
        "drawdown",
        "failure_window",
        "residual",
        "unprotected",
        "stale_data",
        "anomaly",
    )
    kill_flattens: tuple[Identifier, ...] = ()
    net_exposure: Fraction = Decimal(1)
    group_exposure: Fraction = Decimal(1)
    groups: dict[Identifier, tuple[Symbol, ...]] = {}
    short: bool = False
    margin: bool = False
    duplicate_seconds: Annotated[int, Field(ge=0, le=86_400)] = 5
    price_collar: Fraction = Decimal("0.05")
    spread: Fraction = Decimal("0.01")
    option_spread: Fraction = Decimal("0.25")
    entry_slippage: Fraction = Decimal("0.005")
    option_level: Annotated[int, Field(ge=0, le=3)] = 3
    option_loss: Fraction = Decimal("0.02")
    day_trades: Annotated[int, Field(ge=0, le=1000)] = 3
    day_trade_equity: Annotated[Decimal, Field(ge=0, le=10**12)] = Decimal(25_000)
    trades_a_day: Annotated[int, Field(ge=1, le=10_000)] = 50
    positions: Annotated[int, Field(ge=1, le=1000)] = 20
    cool_down_minutes: Annotated[int, Field(ge=0, le=10_080)] = 15
    loss_streak: Annotated[int, Field(ge=1, le=1000)] = 5
    after_open_minutes: Annotated[int, Field(ge=0, le=1440)] = 0
    before_close_minutes: Annotated[int, Field(ge=0, le=1440)] = 10
    blackout_file: Annotated[
        str, Field(description='"" (none) or the path of a CSV file, from the folder of this file')
    ] = ""
    blackouts: tuple[Blackout, ...] = ()
    stale_minutes: Annotated[int, Field(ge=1, le=1440)] = 10
    jump: Fraction = Decimal("0.05")
    locked_seconds: Annotated[int, Field(ge=1, le=86_400)] = 60
    jump_volume: Annotated[Decimal, Field(ge=0, le=10)] = Decimal("0.5")
    day_start_change: Fraction = Decimal("0.25")
    stop_step: Annotated[Decimal, Field(ge=0, le=Decimal("0.1"))] = Decimal("0.001")
    daily_loss: Fraction
    drawdown: Fraction
    risk_per_trade: Fraction
    risk_per_trade_cap: Fraction
    cash_reserve: Annotated[Decimal, Field(ge=0, lt=1)]
    order_notional: Amount
    symbol_exposure: Fraction
    gross_exposure: Annotated[Decimal, Field(gt=0, le=4)]
    orders_per_minute: Annotated[int, Field(ge=1, le=200)]
    cool_off_minutes: Annotated[int, Field(ge=0, le=525_600)]
    unprotected_seconds: Annotated[int, Field(ge=1, le=3600)]
    stop_limit_slack: Annotated[Decimal, Field(ge=0, le=Decimal("0.2"))]
    flatten_before_close_minutes: Annotated[int, Field(ge=0, le=120)]

    @model_validator(mode="after")
    def _margin_is_meant(self) -> Self:
        if self.gross_exposure > 1 and not self.margin:
            raise ValueError(f"gross_exposure {plain(self.gross_exposure)} is above 1, which needs margin = true")
        strange = sorted(set(self.kill_flattens) - set(self.kills))
        if strange:
            raise ValueError(f"kill_flattens names {', '.join(strange)}, which kills does not name")
        return self

    @model_validator(mode="after")
    def _caps_hold(self) -> Self:
        if self.risk_per_trade > self.risk_per_trade_cap:
            raise ValueError(
                f"risk_per_trade {plain(self.risk_per_trade)} is above risk_per_trade_cap {plain(self.risk_per_trade_cap)}"
            )
        return self


class BudgetPolicy(Section):
    """How the day's risk (``risk.daily_loss`` of day-start equity) is dealt to kinds of bots, and the clamp on each bot."""

    momentum: Annotated[Decimal, Field(ge=0, le=1)]
    options: Annotated[Decimal, Field(ge=0, le=1)]
    crypto: Annotated[Decimal, Field(ge=0, le=1)]
    bot_minimum: Fraction
    bot_maximum: Fraction

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        total = self.momentum + self.options + self.crypto
        if total > 1:
            raise ValueError(f"momentum, options and crypto add up to {plain(total)}; at most 1 is accepted")
        if self.bot_minimum > self.bot_maximum:
            raise ValueError(f"bot_minimum {plain(self.bot_minimum)} is above bot_maximum {plain(self.bot_maximum)}")
        return self


class CertificatePolicy(Section):
    """How long a passed preflight admits a start."""

    minutes: Annotated[int, Field(ge=1, le=1440)]


class JournalPolicy(Section):
    """Segments of the journal and how long old ones are kept (0: for ever)."""

    segment_mb: Annotated[int, Field(ge=1, le=4096)]
    keep_days: Annotated[int, Field(ge=0, le=36500)]
    compress: bool


class StorePolicy(Section):
    """The store's address; empty: ``trading_state.db`` in the state folder."""

    url: StoreUrl


class SessionPolicy(Section):
    """A bot's day, in the exchange's local time: entries from ``trade_start`` to ``trade_end``, out by ``manage_until``."""

    trade_start: TimeOfDay
    trade_end: TimeOfDay
    manage_until: TimeOfDay

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.trade_start < self.trade_end <= self.manage_until:
            raise ValueError(
                f"expected trade_start < trade_end <= manage_until, "
                f"got {self.trade_start}, {self.trade_end}, {self.manage_until}"
            )
        return self


class Bucket(StrEnum):
    """Which share of the day's risk a bot draws on."""

    MOMENTUM = "momentum"
    OPTIONS = "options"
    CRYPTO = "crypto"


class SizePolicy(Section):
    """How large a bot wishes to trade; the rule book only ever makes it smaller.

    by risk        ``amount`` is the fraction of equity lost at the stop
    by notional    ``amount`` is in dollars
    by volatility  ``amount`` is the annual volatility, as a fraction of equity, that the position may add, judged by the
                   last ``bars`` bars
    """

    by: Literal["risk", "notional", "volatility"]
    amount: Amount
    bars: Annotated[int, Field(ge=10, le=5000)] = 60

    @model_validator(mode="after")
    def _is_a_fraction(self) -> Self:
        if self.by != "notional" and self.amount > 1:
            raise ValueError(f"by {self.by}, amount is a fraction of equity, at most 1, got {plain(self.amount)}")
        return self


class EntryPolicy(Section):
    """How an entry is ordered: at the market, or at a limit.

    A limit is ``slippage`` (a fraction) beyond the side it trades against: that bounds what the fill may cost. It is taken back
    after ``seconds``. With a quoted spread above ``spread`` (a fraction of the middle) there is no wish at all.
    """

    type: Literal["market", "limit"] = "market"
    slippage: Annotated[Decimal, Field(ge=0, le=Decimal("0.05"))] = Decimal("0.001")
    spread: Fraction = Decimal("0.01")
    seconds: Annotated[int, Field(ge=1, le=86_400)] = 120


class TrailingPolicy(Section):
    """A stop that follows the price and never goes back.

    percent     ``distance`` is a fraction below the best price since the entry
    atr         ``distance`` average true ranges below the last close
    chandelier  ``distance`` average true ranges below the best price since the entry
    """

    by: Literal["percent", "atr", "chandelier"]
    distance: Annotated[Decimal, Field(gt=0, le=100)]
    bars: Annotated[int, Field(ge=2, le=1000)] = 14

    @model_validator(mode="after")
    def _is_a_fraction(self) -> Self:
        if self.by == "percent" and self.distance >= 1:
            raise ValueError(f"by percent, distance is a fraction, below 1, got {plain(self.distance)}")
        return self


class BotBudgetPolicy(Section):
    """How much of its share of the day's risk a bot may lose before its day is over, and have open at one time."""

    daily_loss: Fraction = Decimal(1)
    open_risk: Fraction = Decimal(1)


class StructureName(StrEnum):
    """What an options bot can build."""

    CASH_SECURED_PUT = "cash_secured_put"
    BULL_PUT_SPREAD = "bull_put_spread"
    BEAR_CALL_SPREAD = "bear_call_spread"
    IRON_CONDOR = "iron_condor"
    LONG_STRADDLE = "long_straddle"


class OptionPolicy(Section):
    """Which structure an options bot builds, the rules its contracts must meet, and when it is closed.

    ``delta`` is what a sold contract's absolute delta is to be, within ``delta_band``; both contracts of a straddle are to be
    within ``delta_band`` of 0.5, and ``delta`` means nothing there.
    ``width`` is the distance in dollars between the sold and the bought strike of a spread. ``credit_least`` is a fraction of
    the width (of the strike, for a cash-secured put). A rule whose field the venue does not deliver refuses the trade unless
    ``waive`` names it. ``profit_share`` is of the credit (of the debit, for a straddle), ``loss_multiple`` times it. Unless
    ``overnight``, it is closed with the bot's day; unless ``into_expiry``, ``close_days_before`` days before the first expiry.
    """

    structure: StructureName
    days_least: Annotated[int, Field(ge=0, le=1000)]
    days_most: Annotated[int, Field(ge=0, le=1000)]
    delta: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.3")
    delta_band: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.1")
    width: Amount | None = None
    volume_least: Annotated[int, Field(ge=0, le=10**9)] = 0
    open_interest_least: Annotated[int, Field(ge=0, le=10**9)] = 0
    spread_most: Annotated[Decimal, Field(gt=0, le=2)] = Decimal("0.25")
    credit_least: Annotated[Decimal, Field(ge=0, le=1)] = Decimal(0)
    waive: tuple[Literal["volume", "open_interest"], ...] = ()
    profit_share: Annotated[Decimal, Field(gt=0, le=10)] | None = Decimal("0.5")
    loss_multiple: Annotated[Decimal, Field(gt=0, le=100)] | None = Decimal(2)
    close_days_before: Annotated[int, Field(ge=0, le=1000)] = 1
    into_expiry: bool = False
    overnight: bool = False

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.days_least > self.days_most:
            raise ValueError(f"days_least {self.days_least} is above days_most {self.days_most}")
        spread = self.structure not in (StructureName.CASH_SECURED_PUT, StructureName.LONG_STRADDLE)
        if spread is not (self.width is not None):
            raise ValueError(f"width {'is needed for' if spread else 'means nothing for'} {self.structure}")
        if not self.into_expiry and self.days_least <= self.close_days_before:
            raise ValueError(
                f"days_least {self.days_least} would be entered on the day it has to be closed: "
                f"close_days_before is {self.close_days_before}"
            )
        return self


class BotPolicy(Section):
    """One bot. ``bot`` names the code (entry point ``hydra.bots``, or a file and a name), ``id`` this instance of it.

    ``stop_loss``, ``take_profit`` and ``break_even`` are fractions of the entry's price; once the price is ``break_even``
    ahead, the stop moves to the entry. ``shorts``: it may also sell what it does not hold. Without a ``session`` a bot in pairs
    trades around the clock.
    """

    id: Identifier
    bot: PlugName
    enabled: bool
    bucket: Bucket
    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1, max_length=50)]
    session: SessionPolicy | None = None
    trades_per_day: Annotated[int, Field(ge=1, le=1000)]
    positions: Annotated[int, Field(ge=1, le=50)]
    stop_loss: Fraction | None = None
    take_profit: Annotated[Decimal, Field(gt=0, le=10)] | None = None
    break_even: Annotated[Decimal, Field(gt=0, le=10)] | None = None
    trailing: TrailingPolicy | None = None
    time_stop_minutes: Annotated[int, Field(ge=1, le=525_600)] | None = None
    shorts: bool = False
    size: SizePolicy = SizePolicy(by="risk", amount=Decimal("0.02"))
    entry: EntryPolicy = EntryPolicy()
    budget: BotBudgetPolicy = BotBudgetPolicy()
    option: OptionPolicy | None = None
    signal: Identifier | None = None
    parameters: dict[str, int | float | str | bool] = {}

    @model_validator(mode="after")
    def _protects_itself(self) -> Self:
        if self.session is None and any(asset_class_of(symbol) is not AssetClass.CRYPTO for symbol in self.symbols):
            raise ValueError("session is needed: only pairs are traded around the clock")
        if self.option is None and self.stop_loss is None:
            raise ValueError("stop_loss is needed: every entry carries a stop")
        if self.option is not None:
            beside: dict[str, object] = {
                "stop_loss": self.stop_loss,
                "take_profit": self.take_profit,
                "trailing": self.trailing,
            }
            beside |= {"break_even": self.break_even, "signal": self.signal}
            strange = [name for name, value in beside.items() if value is not None]
            if strange:
                raise ValueError(f"{', '.join(strange)} mean nothing for a bot with option")
            if any(asset_class_of(symbol) is not AssetClass.EQUITY or "." in symbol for symbol in self.symbols):
                raise ValueError(f"a bot with option names underlyings such as SPY, got {', '.join(self.symbols)}")
        if self.take_profit is not None and self.break_even is not None and self.break_even >= self.take_profit:
            raise ValueError(f"break_even {plain(self.break_even)} is not below take_profit {plain(self.take_profit)}")
        return self

    @model_validator(mode="after")
    def _symbols_make_sense(self) -> Self:
        classes = {asset_class_of(symbol) for symbol in self.symbols}
        if len(set(self.symbols)) != len(self.symbols):
            raise ValueError(f"symbols names one twice: {', '.join(self.symbols)}")
        if self.bucket is Bucket.CRYPTO and classes != {AssetClass.CRYPTO}:
            raise ValueError(f"a bot in the crypto bucket trades pairs such as BTC-USD, got {', '.join(self.symbols)}")
        return self


class Policy(Section):
    """The whole of it."""

    mode: Literal["paper", "live"]
    practice: bool
    broker: BrokerPolicy
    market: MarketPolicy
    alpaca: AlpacaPolicy = AlpacaPolicy()
    options: OptionsPolicy = OptionsPolicy()
    engine: EnginePolicy
    health: HealthPolicy
    risk: RiskPolicy
    budgets: BudgetPolicy
    certificate: CertificatePolicy
    journal: JournalPolicy
    store: StorePolicy
    bots: tuple[BotPolicy, ...]

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        broken = tuple(self._contradictions())
        if broken:
            raise ValueError("\n".join(broken))
        return self

    def _contradictions(self) -> Iterator[str]:
        """What is valid key by key and not together, one line each, the key first."""
        simulated = self.broker.name == "sim"
        for bot_id, count in Counter(bot.id for bot in self.bots).items():
            if count > 1:
                yield f"bots: the id {bot_id!r} is used {count} times; ids are unique"
        if any(bot.id == TEST_BOT for bot in self.bots):
            yield f"bots: the id {TEST_BOT!r} is taken: it is whose orders the checks of the broker are"
        if self.practice and not simulated:
            yield f"practice: true is for the simulated broker; broker.name is {self.broker.name!r}"
        if self.broker.faults and not simulated:
            yield f"broker.faults: only for the simulated broker; broker.name is {self.broker.name!r}"
        if (self.broker.name == "alpaca") is not (self.market.name == "alpaca"):
            yield (
                f"market.name: the broker and the market are the same house; broker.name is {self.broker.name!r}, "
                f"market.name {self.market.name!r}"
            )
        answered_by = self.alpaca.connect_seconds + self.alpaca.order_seconds
        if self.broker.name == "alpaca" and self.engine.unknown_grace_seconds < answered_by:
            yield (
                f"engine.unknown_grace_seconds: {plain(self.engine.unknown_grace_seconds)} is less than an order may be on its "
                f"way: alpaca.connect_seconds and alpaca.order_seconds are {plain(answered_by)} together"
            )
        for bot in self.bots:
            if bot.shorts and not self.risk.short:
                yield f"bots ({bot.id}): shorts = true needs risk.short = true"
        if self.mode == "live" and simulated:
            yield "mode: 'live' needs a real broker; broker.name is 'sim'"
        if self.market.sessions == "always" and not self.practice:
            yield "market.sessions: 'always' needs practice = true"

    @cached_property
    def enabled_bots(self) -> tuple[BotPolicy, ...]:
        """The bots that run, in policy order."""
        return tuple(bot for bot in self.bots if bot.enabled)

    @cached_property
    def peers(self) -> Mapping[Bucket, int]:
        """How many enabled bots draw on each bucket."""
        return Counter(bot.bucket for bot in self.enabled_bots)

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol an enabled bot trades, each once, in policy order."""
        return tuple(dict.fromkeys(symbol for bot in self.enabled_bots for symbol in bot.symbols))

    @cached_property
    def underlyings(self) -> Mapping[str, int]:
        """Whose chains are read, and up to how many days before expiry."""
        days: dict[str, int] = {}
        for bot in self.enabled_bots:
            for symbol in bot.symbols if bot.option is not None else ():
                days[symbol] = max(days.get(symbol, 0), 0 if bot.option is None else bot.option.days_most)
        return days

    def document(self) -> dict[str, Any]:
        """The policy as JSON-ready data; decimals are plain strings, so equal policies have equal documents."""
        dumped = self.model_dump(mode="python")
        return _jsonable(dumped)  # type: ignore[no-any-return]  # a mapping in, a mapping out

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the document with sorted keys: stable over key order, comments and ways to write a number."""
        return hashlib.sha256(orjson.dumps(self.document(), option=orjson.OPT_SORT_KEYS)).hexdigest()

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, changed or not. It does not inherit what was worked out from the original."""
        copied = super().model_copy(update=update, deep=deep)
        for name in vars(copied).keys() - type(self).model_fields.keys():
            del vars(copied)[name]
        return copied


def _jsonable(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _jsonable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_jsonable(value) for value in data]
    if isinstance(data, Decimal):
        return plain(data)
    if isinstance(data, date):
        return data.isoformat()
    return data.value if isinstance(data, StrEnum) else data


@cache
def minute_of(time_of_day: str) -> int:
    """Minutes after midnight of an ``hh:mm``."""
    return int(time_of_day[:2]) * 60 + int(time_of_day[3:])
