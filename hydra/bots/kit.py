"""What bots are made of: a wish once a bar, its size, and how it is entered and left.

A bot says *what* it wants; the policy says how large, how protected and by which kind of order, and these functions put the
two together. All are pure. Where something that is needed is not known, or not allowed, there is no wish: ``None``.

A whole bot is ``each_bar(wish)``, where ``wish`` looks at one symbol and answers with ``enter(...)``, ``leave(...)`` or ``None``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from itertools import pairwise
from typing import Any, TypeAlias

from hydra import indicators
from hydra.model.errors import BadConfig
from hydra.model.market import AssetClass, Bar, Quote, asset_class_of
from hydra.model.money import ONE, exact, plain
from hydra.model.orders import Intent, OrderType, Protection, Purpose, Side, Size, SizeKind
from hydra.model.snapshot import View
from hydra.policy import BotPolicy
from hydra.ports import Bot

Wish: TypeAlias = Callable[[View, str], Intent | None]

_CENT = Decimal("0.01")
_DAY_SECONDS = 86_400
_YEAR_SECONDS = {AssetClass.EQUITY: 252 * 390 * 60, AssetClass.CRYPTO: 365 * _DAY_SECONDS}
"""What is traded of a year: 252 sessions of six and a half hours, or all of it."""
_SESSION_DAYS = {AssetClass.EQUITY: 252, AssetClass.CRYPTO: 365}
_NEXT_DAY = timedelta(hours=20)
"""Bars that open so far apart are days, whatever their length: a session ends early before a holiday, and a day in a zone has 23 to 25 hours."""


def each_bar(wish: Wish) -> Bot:
    """The bot that asks ``wish`` about each symbol that has bars, and acts at most once on a bar.

    Its memory holds the opening time of the last bar it acted on, by symbol.
    """

    notes = Notes()

    def bot(view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        intents: list[Intent] = []
        acted: dict[str, datetime] = {}
        for symbol in view.symbols:
            bars = view.bars.get(symbol)
            if not bars or (symbol in memory and notes.acted_on(bars[-1].at, symbol, memory)):
                continue
            intent = wish(view, symbol)
            if intent is not None:
                intents.append(intent)
                acted[symbol] = bars[-1].at
        return intents, notes.after(acted, memory) if acted else memory

    return bot


class Notes:
    """The opening time of the last bar that was acted on, by symbol, as it stands in a bot's memory.

    The memory alone tells what was acted on. The times whose texts were written last are at hand, to save writing others beside them.
    """

    __slots__ = ("_written",)

    def __init__(self) -> None:
        self._written: dict[str, tuple[str, datetime]] = {}

    def acted_on(self, at: datetime, symbol: str, memory: Mapping[str, Any]) -> bool:
        """Whether the bar that opened then was acted on, for a symbol that is in the memory."""
        text, known = memory[symbol], self._written.get(symbol)
        if known is not None and known[0] == text and known[1].tzinfo is at.tzinfo:
            return at == known[1]
        return at.isoformat() == text  # type: ignore[no-any-return]  # texts compare

    def after(self, acted: Mapping[str, datetime], memory: Mapping[str, Any]) -> Mapping[str, Any]:
        """The memory after it was acted on these bars."""
        self._written |= {symbol: (at.isoformat(), at) for symbol, at in acted.items()}
        return {**memory, **{symbol: self._written[symbol][0] for symbol in acted}}


def free_to_enter(view: View, symbol: str) -> bool:
    """True when an entry would be sent: it is allowed now, nothing is held, and no entry is under way."""
    return view.may_enter.get(symbol, False) and symbol not in view.holdings and symbol not in view.ordered


def enter(
    policy: BotPolicy, view: View, symbol: str, side: Side, thesis: str, protection: Protection | None = None
) -> Intent | None:
    """The wish to enter: long with BUY, short with SELL (when the policy has ``shorts``), sized and ordered as the policy says.

    The stop and the target are ``stop_loss`` and ``take_profit`` away from the price that is expected, which is the worst one:
    the side of the quote it trades against, or its limit. ``protection`` is used instead when it is given.
    """
    quote = view.quotes.get(symbol)
    if quote is None or not free_to_enter(view, symbol) or (side is Side.SELL and not policy.shorts):
        return None
    if quote.ask - quote.bid > policy.entry.spread * quote.mid:
        return None
    size = size_of(policy, view, symbol)
    if size is None:
        return None
    reference = touch(quote, side)
    limit = reference * (ONE + side.sign * policy.entry.slippage) if policy.entry.type == "limit" else None
    return Intent(
        bot=policy.id,
        symbol=symbol,
        side=side,
        size=size,
        reference=reference,
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit=limit,
        protection=protection or protection_of(policy, side, reference if limit is None else limit),
        thesis=thesis,
    )


def leave(policy: BotPolicy, view: View, symbol: str, thesis: str) -> Intent | None:
    """The wish to close all that is held of a symbol, long or short, at the market: what has to go must not wait for a price."""
    holding, quote = view.holdings.get(symbol), view.quotes.get(symbol)
    if holding is None or quote is None:
        return None
    side = Side.SELL if holding.quantity > 0 else Side.BUY
    return Intent(
        bot=policy.id,
        symbol=symbol,
        side=side,
        size=Size(kind=SizeKind.QUANTITY, amount=abs(holding.quantity)),
        reference=touch(quote, side),
        purpose=Purpose.EXIT,
        thesis=thesis,
    )


def touch(quote: Quote, side: Side) -> Decimal:
    """The price that an order on ``side`` trades against: the ask for a buy, the bid for a sale."""
    return quote.ask if side is Side.BUY else quote.bid


def protection_of(policy: BotPolicy, side: Side, price: Decimal) -> Protection:
    """Stop and target of an entry at ``price``. Raises ``Invalid`` where they would not be prices (see ``check_entries``)."""
    stop = ONE if policy.stop_loss is None else policy.stop_loss
    target = None if policy.take_profit is None else price * (ONE + side.sign * policy.take_profit)
    return Protection(stop=price * (ONE - side.sign * stop), target=target)


def size_of(policy: BotPolicy, view: View, symbol: str) -> Size | None:
    """How much the policy wishes to trade; ``None`` when that cannot be said.

    By volatility, the notional is equity times the wished volatility over the symbol's own, both a year.
    """
    by, amount = policy.size.by, policy.size.amount
    if by == "risk":
        return Size(kind=SizeKind.RISK, amount=amount)
    if by == "notional":
        return Size(kind=SizeKind.NOTIONAL, amount=amount)
    if by == "quantity":
        return Size(kind=SizeKind.QUANTITY, amount=amount)
    moves = annual_volatility(view.bars.get(symbol, ()), policy.size.bars)
    if not moves or view.equity <= 0:
        return None
    notional = (view.equity * amount / exact(moves)).quantize(_CENT, rounding=ROUND_DOWN)
    return Size(kind=SizeKind.NOTIONAL, amount=notional) if notional > 0 else None


def annual_volatility(bars: Sequence[Bar], n: int) -> float | None:
    """The annualised volatility by the last ``n`` returns, as a fraction; ``None`` with too few bars, or bars of several lengths
    that are no days.

    A gap, or a night, is one step like any other: it makes the volatility larger, and a size by it smaller. So is half a day.
    """
    tail = bars[-n - 1 :]
    if len(tail) <= n:
        return None
    if len({bar.seconds for bar in tail}) == 1:
        a_year = bars_a_year(tail[-1])
    elif all(after.at - before.at >= _NEXT_DAY for before, after in pairwise(tail)):
        a_year = float(_SESSION_DAYS[_kind(tail[-1])])
    else:
        return None
    return indicators.volatility(indicators.closes(tail), n, a_year)


def bars_a_year(bar: Bar) -> float:
    """How many bars of this length a year of trading has: 98,280 minutes of an equity, 525,600 of a pair."""
    kind = _kind(bar)
    if bar.seconds >= _DAY_SECONDS:
        return _SESSION_DAYS[kind] * _DAY_SECONDS / bar.seconds
    return _YEAR_SECONDS[kind] / bar.seconds


def _kind(bar: Bar) -> AssetClass:
    kind = asset_class_of(bar.symbol)
    return AssetClass.EQUITY if kind is AssetClass.OPTION else kind


def check_entries(policy: BotPolicy) -> None:
    """What a bot that enters with ``enter`` needs of its policy. Raises ``BadConfig`` naming the key that does not fit."""
    if policy.option is not None:
        raise BadConfig("option: this bot trades the symbols themselves, not contracts on them")
    if policy.stop_loss is None or policy.stop_loss >= 1:
        got = "none" if policy.stop_loss is None else plain(policy.stop_loss)
        raise BadConfig(f"stop_loss: a fraction below 1 is needed, got {got}")
    pairs = [symbol for symbol in policy.symbols if asset_class_of(symbol) is not AssetClass.EQUITY]
    if policy.shorts and pairs:
        raise BadConfig(f"shorts: {', '.join(pairs)} cannot be sold short")
    if policy.shorts and policy.take_profit is not None and policy.take_profit >= 1:
        raise BadConfig(
            f"take_profit: a short cannot gain {plain(policy.take_profit)} of its price or more; below 1 is needed"
        )
    if policy.size.by == "volatility":
        indicators.load()
