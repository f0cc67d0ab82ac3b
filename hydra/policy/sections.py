"""Where Hydra trades and how it runs: the venue, the market, the loop, its health, and what is kept on disk."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from hydra.policy.fields import Amount, Fraction, Identifier, Section, Speed, StoreUrl

_READS_MISSED = 2


class BrokerPolicy(Section):
    """Which venue, and how it is set up when it is the simulated one (every key but the name).

    ``account``: plain is a cash account that the keys below describe; alpaca is one as Alpaca gives it (margin, its fees, its
    rules for orders), for which commission, crypto_fee and slippage do not count. ``faults_sha256`` is the hash of what stands in the
    fault file, so that other faults are another policy.
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
    faults_sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""


class AlpacaPolicy(Section):
    """How Alpaca is spoken to. Its address and its keys come from the environment alone."""

    stock_feed: Literal["iex", "sip", "delayed_sip"] = "iex"
    option_feed: Literal["indicative", "opra"] = "indicative"
    requests_per_minute: Annotated[int, Field(ge=20, le=10_000)] = 200
    connect_seconds: Annotated[Decimal, Field(gt=0, le=60)] = Decimal(3)
    order_seconds: Annotated[Decimal, Field(gt=0, le=120)] = Decimal(10)
    stream: bool = True


DAY_SECONDS = 86_400
"""Bars this long are days: of shares, from the opening to the close."""


class MarketPolicy(Section):
    """Which market, and how the simulated one behaves (every key but the name)."""

    name: Identifier
    start: Annotated[date, Field(ge=date(1990, 1, 1), le=date(2099, 12, 31))] = date(2025, 1, 6)
    days: Annotated[int, Field(ge=0, le=3660)] = 1
    bar_seconds: Annotated[int, Field(ge=1, le=DAY_SECONDS)] = 60
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


class IsolationPolicy(Section):
    """Where bots are asked, and what must keep them apart.

    ``host``: ``process`` asks each bot in a process of its own, ``inline`` in Hydra's. ``guards``: ``offered`` takes what this machine
    offers and says what it does not, ``required`` refuses to trade unless every guard holds. ``memory_mb`` is what a bot may take
    beyond what its process begins with, ``start_seconds`` how long it may take to be imported and made.
    """

    host: Literal["process", "inline"] = "process"
    guards: Literal["offered", "required"] = "offered"
    memory_mb: Annotated[int, Field(ge=16, le=65536)] = 512
    start_seconds: Annotated[Decimal, Field(gt=0, le=600)] = Decimal(20)


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

    @cached_property
    def stale_after(self) -> timedelta:
        """From which age a quote counts as none: ``stale_seconds``, or two reads of the chain when they are further apart."""
        return timedelta(seconds=max(float(self.stale_seconds), _READS_MISSED * float(self.chain_seconds)))


class CertificatePolicy(Section):
    """How long a passed preflight admits a start."""

    minutes: Annotated[int, Field(ge=1, le=1440)]


class QcPolicy(Section):
    """What ``hydra qc`` asks beyond its own list: names of checks that other packages bring (``hydra.checks``)."""

    checks: tuple[Identifier, ...] = ()


class JournalPolicy(Section):
    """Segments of the journal and how long old ones are kept (0: for ever)."""

    segment_mb: Annotated[int, Field(ge=1, le=4096)]
    keep_days: Annotated[int, Field(ge=0, le=36500)]
    compress: bool


class StorePolicy(Section):
    """The store's address; empty: ``trading_state.db`` in the state folder."""

    url: StoreUrl
