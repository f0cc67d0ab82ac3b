"""A bot: its code, its symbols and its day, how it enters and how large, and what ends its positions."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import plain
from hydra.policy.fields import Amount, Fraction, Identifier, PlugName, Section, Symbol, TimeOfDay


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
    by quantity    ``amount`` is in units of the symbol
    by volatility  ``amount`` is the annual volatility, as a fraction of equity, that the position may add, judged by the
                   last ``bars`` bars
    """

    by: Literal["risk", "notional", "quantity", "volatility"]
    amount: Amount
    bars: Annotated[int, Field(ge=10, le=5000)] = 60

    @model_validator(mode="after")
    def _is_a_fraction(self) -> Self:
        if self.by not in ("notional", "quantity") and self.amount > 1:
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
    trades around the clock, and one in shares is for prices by days (see ``Policy``).
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
    parameters: dict[str, int | float | str | bool] = {}  # noqa: RUF012  # a model copies its defaults

    @model_validator(mode="after")
    def _protects_itself(self) -> Self:
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
