"""The whole policy: its sections side by side, what does not hold together among them, its document and its hash."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal, Self

import orjson
from pydantic import model_validator

from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import plain
from hydra.model.orders import TEST_BOT
from hydra.policy.bots import BotPolicy, Bucket
from hydra.policy.fields import Section
from hydra.policy.risk import BudgetPolicy, RiskPolicy
from hydra.policy.sections import (
    DAY_SECONDS,
    AlpacaPolicy,
    BrokerPolicy,
    CertificatePolicy,
    EnginePolicy,
    HealthPolicy,
    IsolationPolicy,
    JournalPolicy,
    MarketPolicy,
    OptionsPolicy,
    QcPolicy,
    StorePolicy,
)


class Policy(Section):
    """The whole of it.

    A bot in shares needs a ``session``, but where the simulated exchange plays days (``market.bar_seconds`` of 86,400): a day has no
    hours to trade in but its opening.
    """

    mode: Literal["paper", "live"]
    practice: bool
    broker: BrokerPolicy
    market: MarketPolicy
    alpaca: AlpacaPolicy = AlpacaPolicy()
    options: OptionsPolicy = OptionsPolicy()
    engine: EnginePolicy
    isolation: IsolationPolicy = IsolationPolicy()
    health: HealthPolicy
    risk: RiskPolicy
    budgets: BudgetPolicy
    certificate: CertificatePolicy
    qc: QcPolicy = QcPolicy()
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
        if self.practice and self.mode == "live":
            yield "practice: true is never live; mode is 'live'"
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
        yield from self._contradictions_of_bots()
        if self.mode == "live" and simulated:
            yield "mode: 'live' needs a real broker; broker.name is 'sim'"
        if self.market.sessions == "always" and not self.practice:
            yield "market.sessions: 'always' needs practice = true"

    def _contradictions_of_bots(self) -> Iterator[str]:
        by_days = self.broker.name == "sim" and self.market.bar_seconds >= DAY_SECONDS
        for bot in self.bots:
            if _lacks_hours(bot, by_days=by_days):
                yield f"bots ({bot.id}): session is needed: only pairs are traded around the clock"
            if bot.shorts and not self.risk.short:
                yield f"bots ({bot.id}): shorts = true needs risk.short = true"

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


def _lacks_hours(bot: BotPolicy, *, by_days: bool) -> bool:
    if bot.session is not None or (by_days and bot.option is None):
        return False
    return any(asset_class_of(symbol) is not AssetClass.CRYPTO for symbol in bot.symbols)


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
