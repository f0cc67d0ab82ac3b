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


class RiskPolicy(Section):
    """The rule book's numbers. Fractions are of equity unless the key says otherwise."""

    rules: tuple[Identifier, ...]
    exits: tuple[Identifier, ...]
    daily_loss: Fraction
    drawdown: Fraction
    risk_per_trade: Fraction
    risk_per_trade_cap: Fraction
    cash_reserve: Annotated[Decimal, Field(ge=0, lt=1)]
    order_notional: Amount
    symbol_exposure: Fraction
    total_exposure: Fraction
    orders_per_minute: Annotated[int, Field(ge=1, le=200)]
    cool_off_minutes: Annotated[int, Field(ge=0, le=525_600)]
    unprotected_seconds: Annotated[int, Field(ge=1, le=3600)]
    stop_limit_slack: Annotated[Decimal, Field(ge=0, le=Decimal("0.2"))]
    flatten_before_close_minutes: Annotated[int, Field(ge=0, le=120)]

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


class BotPolicy(Section):
    """One bot. ``bot`` names the code (entry point ``hydra.bots``), ``id`` this instance of it."""

    id: Identifier
    bot: Identifier
    enabled: bool
    bucket: Bucket
    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1, max_length=50)]
    session: SessionPolicy
    trades_per_day: Annotated[int, Field(ge=1, le=1000)]
    positions: Annotated[int, Field(ge=1, le=50)]
    stop_loss: Fraction
    take_profit: Annotated[Decimal, Field(gt=0, le=10)] | None = None
    time_stop_minutes: Annotated[int, Field(ge=1, le=525_600)] | None = None
    signal: Identifier
    parameters: dict[str, int | float | str | bool] = {}

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
        if self.mode == "live" and simulated:
            yield "mode: 'live' needs a real broker; broker.name is 'sim'"
        if self.market.sessions == "always" and not self.practice:
            yield "market.sessions: 'always' needs practice = true"

    @cached_property
    def enabled_bots(self) -> tuple[BotPolicy, ...]:
        """The bots that run, in policy order."""
        return tuple(bot for bot in self.bots if bot.enabled)

    @cached_property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol an enabled bot trades, each once, in policy order."""
        return tuple(dict.fromkeys(symbol for bot in self.enabled_bots for symbol in bot.symbols))

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
