"""What may be risked: the rule book's numbers, days without entries, and how the day's risk is dealt."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from hydra.model.money import plain
from hydra.policy.fields import Amount, Fraction, Identifier, Section, Symbol


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
    groups: dict[Identifier, tuple[Symbol, ...]] = {}  # noqa: RUF012  # a model copies its defaults
    short: bool = False
    margin: bool = False
    duplicate_seconds: Annotated[int, Field(ge=0, le=86_400)] = 5
    price_collar: Fraction = Decimal("0.05")
    spread: Fraction = Decimal("0.01")
    option_spread: Fraction = Decimal("0.25")
    entry_slippage: Fraction = Decimal("0.005")
    option_level: Annotated[int, Field(ge=0, le=3)] = 0
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
