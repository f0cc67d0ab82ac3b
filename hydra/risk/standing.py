"""Where everything stands before the next order: what is held, what is under way, and what this cycle has admitted so far.

Summed once a cycle; each admitted entry adds itself, so that portfolio limits hold within a cycle. All amounts are dollars.
What is long counts up in ``net``, what is short down. A structure counts under its underlying with what it binds, and neither
up nor down: its risk is bounded on both sides.

    held long           notional at cost     cash none: it is paid
    held short          notional at cost     cash twice that: what it brought in is owed, and as much again is bound
    held structure      what it can lose     cash the pay-out it may come to; the credit lies in the account already
    entry under way     what its rest binds  cash the same

So an entry goes over into what is held without a jump in what is left. A loss without a bound is ``None``, and ``None`` it
stays in every sum: a rule that needs the sum then admits nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from hydra.model.market import AssetClass, OptionContract, asset_class_of, multiplier_of
from hydra.model.money import ZERO
from hydra.model.orders import Leg, Order, Purpose, Side
from hydra.model.portfolio import Holding, Ledger
from hydra.model.structures import Structure, most_lost_of, structures_of
from hydra.model.values import Value


class Open(Value, frozen=True, kw_only=True):
    """Something that is held, under way or admitted: whose, in what, what it binds, what it may lose, which way it points.

    ``risk`` is ``None`` when nothing bounds it. ``cash`` is what it may still take out of the account, or must stay there for it.
    ``legs`` are an entry's contracts. ``client_id`` is the order of an entry under way, empty for one that this cycle admitted;
    ``price`` is the worst it is expected to fill at.
    """

    bot: str
    symbol: str
    notional: Decimal
    risk: Decimal | None
    sign: int
    cash: Decimal = ZERO
    entering: bool = False
    side: Side = Side.BUY
    price: Decimal = ZERO
    legs: tuple[Leg, ...] = ()
    client_id: str = ""


class Way(NamedTuple):
    """A bot's direction in something that is traded: +1 long, -1 short. ``entering``: not filled yet."""

    bot: str
    sign: int
    entering: bool = False


_way = lru_cache(maxsize=4096)(Way)
"""There are four ways to a bot."""


class Resting(NamedTuple):
    """An order that works at the venue, and its side in one of the symbols it trades."""

    order: Order
    side: Side


@dataclass(slots=True, kw_only=True)
class Standing:
    """All that is open. ``sent`` is how many entries this cycle has admitted, ``new_cash`` what these bind, ``leaving`` how many
    orders of other purposes it sends.

    ``buying`` and ``selling`` are the parts of ``net`` that have not filled, both above zero. ``positions`` counts bots' symbols.
    ``notional_by_symbol`` has contracts under their underlying. ``entering`` are entries by the symbol they were wished for;
    ``ways`` and ``resting`` go by what is traded (a contract, not its underlying), ``resting`` with orders of every purpose.
    ``round_trips`` counts what would be a day trade if it were closed today; ``trades_today`` the entries of all bots today.
    """

    open: list[Open]
    sent: int = 0
    leaving: int = 0
    sent_by_bot: dict[str, int] = field(default_factory=dict)
    cash: Decimal = ZERO
    new_cash: Decimal = ZERO
    gross: Decimal = ZERO
    net: Decimal = ZERO
    buying: Decimal = ZERO
    selling: Decimal = ZERO
    risk: Decimal | None = ZERO
    positions: int = 0
    round_trips: int = 0
    trades_today: int = 0
    notional_by_symbol: dict[str, Decimal] = field(default_factory=dict)
    risk_by_bot: dict[str, Decimal | None] = field(default_factory=dict)
    symbols_by_bot: dict[str, set[str]] = field(default_factory=dict)
    entering: dict[str, list[Open]] = field(default_factory=dict)
    ways: dict[str, list[Way]] = field(default_factory=dict)
    resting: dict[str, list[Resting]] = field(default_factory=dict)

    def add(self, one: Open) -> None:
        """Count something in."""
        self.cash += one.cash
        self.gross += one.notional
        self.net += one.sign * one.notional
        risk = one.risk
        self.risk = None if self.risk is None or risk is None else self.risk + risk
        about, by_symbol, by_bot = underlying_of(one.symbol), self.notional_by_symbol, self.risk_by_bot
        by_symbol[about] = by_symbol.get(about, ZERO) + one.notional
        bots = by_bot.get(one.bot, ZERO)
        by_bot[one.bot] = None if bots is None or risk is None else bots + risk
        mine = self.symbols_by_bot.setdefault(one.bot, set())
        self.positions += one.symbol not in mine
        mine.add(one.symbol)
        self.open.append(one)
        if one.entering:
            self._add_entry(one)
        elif one.sign:
            self.head(one.symbol, _way(one.bot, one.sign))

    def admit(self, one: Open) -> None:
        """Count in an entry that was admitted in this cycle."""
        self.add(one)
        self.new_cash += one.cash
        self.sent += 1
        self.sent_by_bot[one.bot] = self.sent_by_bot.get(one.bot, 0) + 1

    def plan(self, order: Order) -> None:
        """Count in an order of another purpose that this cycle sends: an exit, a stop."""
        self.leaving += 1
        self.rest(order)

    def head(self, symbol: str, way: Way) -> None:
        """Note which way a bot points in something that is traded."""
        self.ways.setdefault(symbol, []).append(way)

    def rest(self, order: Order) -> None:
        """Note an order that works at the venue."""
        for leg in order.legs:
            self.resting.setdefault(leg.symbol, []).append(Resting(order, leg.side))
        if not order.legs:
            self.resting.setdefault(order.symbol, []).append(Resting(order, order.side))

    def _add_entry(self, one: Open) -> None:
        self.entering.setdefault(one.symbol, []).append(one)
        self.buying += one.notional if one.sign > 0 else ZERO
        self.selling += one.notional if one.sign < 0 else ZERO
        for leg in one.legs:
            self.head(leg.symbol, _way(one.bot, leg.side.sign, entering=True))
        if not one.legs:
            self.head(one.symbol, _way(one.bot, one.side.sign, entering=True))
        if asset_class_of(one.symbol) is not AssetClass.CRYPTO:
            self.round_trips += max(1, len(one.legs))


def standing_of(ledger: Ledger) -> Standing:
    """Everything that is held and every entry under way."""
    standing = Standing(open=[], trades_today=sum([record.trades_today for record in ledger.bots.values()]))
    for one in _all(ledger):
        standing.add(one)
    today = None if ledger.day is None else ledger.day.date
    for holding in ledger.holdings.values():
        standing.round_trips += _opened_on(holding, today)
        if holding.structure:
            standing.head(holding.symbol, _way(holding.bot, 1 if holding.quantity > 0 else -1))
    for order in ledger.orders.values():
        if not order.status.terminal:
            standing.rest(order)
    return standing


@lru_cache(maxsize=16384)
def underlying_of(symbol: str) -> str:
    """What a contract is on; any other symbol itself."""
    return OptionContract.parse(symbol).root if asset_class_of(symbol) is AssetClass.OPTION else symbol


def _opened_on(holding: Holding, today: date | None) -> bool:
    """Whether closing it today may be a day trade; what is not known may be one."""
    known = holding.opened_on is not None and today is not None
    return asset_class_of(holding.symbol) is not AssetClass.CRYPTO and (not known or holding.opened_on == today)


def _all(ledger: Ledger) -> Iterable[Open]:
    for holding in ledger.holdings.values():
        if not holding.structure:
            yield _held(holding)
    for structure in structures_of(ledger):
        yield _structure(structure)
    for order in ledger.orders.values():
        if order.purpose is Purpose.ENTRY and not order.status.terminal:
            yield _under_way(order)


def _held(holding: Holding) -> Open:
    notional = abs(holding.quantity) * holding.average_price * multiplier_of(holding.symbol)
    short = holding.quantity < 0
    risk: Decimal | None = holding.open_risk
    if holding.protection is None:
        risk = None if short else notional
    return Open(
        bot=holding.bot,
        symbol=holding.symbol,
        notional=notional,
        risk=risk,
        sign=-1 if short else 1,
        cash=2 * notional if short else ZERO,
    )


def _structure(structure: Structure) -> Open:
    lost, paid = structure.most_lost, structure.paid
    return Open(
        bot=structure.bot,
        symbol=structure.underlying,
        notional=abs(paid) if lost is None else max(lost, paid, ZERO),
        risk=lost,
        sign=0,
        cash=ZERO if lost is None else max(ZERO, lost - paid),
    )


def _under_way(order: Order) -> Open:
    """What the rest of an entry binds and may lose, at its limit or the price it was decided at."""
    expected = (order.limit if order.limit is not None else order.reference) or ZERO
    notional = order.remaining * expected * multiplier_of(order.legs[0].symbol if order.legs else order.symbol)
    if order.legs:
        each = most_lost_of(order.legs, expected * order.side.sign)
        risk = None if each is None else order.remaining * each
        received = notional if order.side is Side.SELL else ZERO
        notional, cash = (notional, notional) if risk is None else (risk, risk + received)
    else:
        risk, cash = _entry_risk(order, notional), notional
    return Open(
        bot=order.bot,
        symbol=order.symbol,
        notional=notional,
        risk=risk,
        sign=0 if order.legs else order.side.sign,
        cash=cash,
        entering=True,
        side=order.side,
        price=expected,
        legs=order.legs,
        client_id=order.client_id,
    )


def _entry_risk(order: Order, notional: Decimal) -> Decimal | None:
    """What the rest of an entry risks, from its expected price to its stop; without one all of it, and a short has no bound."""
    expected = order.limit if order.limit is not None else order.reference
    if order.protection is None or expected is None:
        return notional if order.side is Side.BUY and expected is not None else None
    return (
        max(ZERO, (expected - order.protection.stop) * order.side.sign) * order.remaining * multiplier_of(order.symbol)
    )


def entry_risk(order: Order) -> Decimal:
    """Dollars that the unfilled part of an entry with protection will risk, from its expected price to its stop."""
    if order.purpose is not Purpose.ENTRY or order.protection is None or order.status.terminal:
        return ZERO
    return _entry_risk(order, ZERO) or ZERO
