"""How a tournament is run: its market, its paper account, what it risks, and how an iteration goes.

Who sits in the seats is said elsewhere (``hydra.policy.tournament``). Nothing here can name another venue than the simulated exchange.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from hydra.model.money import plain
from hydra.policy.fields import Amount, Fraction, Section

GRANULARITIES = (60, 300, 900, 3600, 21_600, 86_400)
"""The lengths of candles, in seconds, that Coinbase Exchange serves."""
COINBASE = "https://api.exchange.coinbase.com"


def _address(text: str) -> str:
    """Over the network only with TLS; a server on this machine may do without."""
    parts = urlsplit(text)
    local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or parts.scheme not in ("https", "http") or (parts.scheme == "http" and not local):
        raise ValueError("expected https://..., or http:// of this machine")
    if parts.username or parts.password or parts.query:
        raise ValueError("the address is of public data: it carries no user, password or query")
    return text.rstrip("/")


def _granularity(seconds: int) -> int:
    if seconds not in GRANULARITIES:
        raise ValueError(f"expected one of {', '.join(map(str, GRANULARITIES))} seconds, got {seconds}")
    return seconds


class MarketSection(Section):
    """Where candles come from. ``candles`` closed ones are shown in every brief.

    An iteration is skipped when more than ``gap_candles`` are missing in a row, or when the last one closed more than ``stale_candles`` lengths ago.
    """

    name: Literal["coinbase", "recorded", "synthetic"] = "coinbase"
    granularity: Annotated[
        int, AfterValidator(_granularity), Field(description="60, 300, 900, 3600, 21600 or 86400")
    ] = 60
    candles: Annotated[int, Field(ge=200, le=2000)] = 240
    gap_candles: Annotated[int, Field(ge=0, le=100)] = 0
    stale_candles: Annotated[int, Field(ge=1, le=100)] = 2
    url: Annotated[str, AfterValidator(_address), Field(description="https://..., or http:// of this machine")] = (
        COINBASE
    )
    timeout_seconds: Annotated[Decimal, Field(gt=0, le=60)] = Decimal(5)
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1


class BrokerSection(Section):
    """The paper account at the simulated exchange; no other venue can be named."""

    name: Literal["sim"] = "sim"
    starting_cash: Amount = Decimal(100_000)
    crypto_fee: Annotated[Decimal, Field(ge=0, le=Decimal("0.1"))] = Decimal("0.0025")
    slippage: Annotated[Decimal, Field(ge=0, le=Decimal("0.05"))] = Decimal("0.0001")
    half_spread: Annotated[Decimal, Field(ge=0, le=Decimal("0.05"))] = Decimal("0.0001")


class RiskSection(Section):
    """What is risked. Fractions are of equity; ``stop_atr`` and ``target_atr`` are average true ranges from the entry.

    ``stop_least`` is the nearest the stop may lie, as a fraction of the price: a quiet minute is no measure of what a coin can do.
    """

    risk_per_trade: Annotated[Decimal, Field(ge=Decimal("0.01"), le=Decimal("0.02"))] = Decimal("0.01")
    daily_loss: Fraction = Decimal("0.02")
    drawdown: Fraction = Decimal("0.06")
    atr_candles: Annotated[int, Field(ge=2, le=200)] = 14
    stop_atr: Annotated[Decimal, Field(gt=0, le=100)] = Decimal(2)
    target_atr: Annotated[Decimal, Field(gt=0, le=100)] = Decimal(3)
    stop_least: Fraction = Decimal("0.005")
    time_stop_minutes: Annotated[int, Field(ge=1, le=525_600)] = 240
    trades_per_day: Annotated[int, Field(ge=1, le=1000)] = 50
    symbol_exposure: Fraction = Decimal("0.35")
    gross_exposure: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.7")
    order_notional: Amount = Decimal(50_000)

    @model_validator(mode="after")
    def _in_proportion(self) -> Self:
        if self.daily_loss > self.drawdown:
            raise ValueError(
                f"daily_loss {plain(self.daily_loss)} is above drawdown {plain(self.drawdown)}: it would never be reached"
            )
        return self


class IterationSection(Section):
    """One round of votes: how long all of them together may take, and how long is waited for the next.

    ``failed_fetches`` of the market within ``failure_window_seconds`` halt the tournament.
    """

    deadline_seconds: Annotated[Decimal, Field(gt=0, le=600)] = Decimal(30)
    interval_seconds: Annotated[Decimal, Field(ge=0, le=86_400)] = Decimal(300)
    failed_fetches: Annotated[int, Field(ge=1, le=1000)] = 5
    failure_window_seconds: Annotated[int, Field(ge=1, le=86_400)] = 3600
