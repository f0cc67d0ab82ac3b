"""The account's money: equity, margin requirements, and what may still be bought.

A line is a position at a price. Shares are margined by Regulation T at the opening and by the venue's own table while
they are held; crypto and options are paid in full. Short option contracts are not margined by their price at all but by
the collateral that stands behind them (``structures.requirement``).

    buying power      class 1                          cash - what open orders and collateral hold back
                      class 2                          2 x (equity - initial margin), less open orders
                      class 4                          4 x (equity - maintenance margin, both at the last close), less
                                                       what was opened today and open orders; and never more than that
                                                       with the equity of the moment that nothing else ties up
    Reg T             2 x (equity - initial margin)    as of now, less open orders
    options           equity - initial margin          as of now, less half the open orders for shares
    not marginable    the same, but never more than the cash that is no proceeds of a short sale

The formulas are those in the descriptions of Alpaca's account fields, and its published example is reproduced to the cent.
Class 2 needs 2,000 dollars of equity and class 4 25,000, both at the last close (FINRA 4210(b) and (f)(8)(B)).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from hydra.adapters.exchange.interface import Figures
from hydra.model.market import AssetClass
from hydra.model.money import ONE, ZERO
from hydra.model.orders import Side
from hydra.model.values import Value, finite, not_negative, positive

_INITIAL = Decimal("0.5")
"""Regulation T, 12 CFR 220.12: half the value of shares, long or (beside the proceeds) short."""

# Alpaca, "Margin and Short Selling", its table of maintenance margins: long shares 30% of their value, in full below 2.50;
# short shares the greater of 5 a share and 30%, below 5 the greater of 2.50 a share and their value.
_LONG, _LONG_CHEAP, _LONG_FLOOR = Decimal("0.3"), ONE, Decimal("2.5")
_SHORT, _SHORT_FLOOR = Decimal("0.3"), Decimal(5)
_SHORT_CHEAP, _SHORT_CHEAP_FLOOR = ONE, Decimal("2.5")
_ABOVE_ASK = Decimal("1.03")
_ENDLESS = Decimal("Infinity")
_CLASSES = ((4, Decimal(25_000)), (2, Decimal(2_000)))


class Line(Value, frozen=True, kw_only=True):
    """A position at its price in dollars. ``today`` is the signed part of ``quantity`` opened on the present exchange day."""

    symbol: str
    asset_class: AssetClass
    quantity: Decimal
    price: Decimal
    multiplier: Decimal = ONE
    today: Decimal = ZERO

    def __post_init__(self) -> None:
        # The account is worked out at each step, so one look lets sound numbers through; names are for the others.
        quantity, price, multiplier, today = self.quantity, self.price, self.multiplier, self.today
        try:
            if (
                type(quantity) is type(price) is type(multiplier) is type(today) is Decimal
                and -_ENDLESS < quantity < _ENDLESS
                and ZERO <= price < _ENDLESS
                and ZERO < multiplier < _ENDLESS
                and -_ENDLESS < today < _ENDLESS
            ):
                return
        except InvalidOperation:
            pass
        finite("line.quantity", self.quantity)
        not_negative("line.price", self.price)
        positive("line.multiplier", self.multiplier)
        finite("line.today", self.today)

    @property
    def value(self) -> Decimal:
        """Market value in dollars, below zero for a short."""
        return self.quantity * self.price * self.multiplier


class Sheet(Value, frozen=True, kw_only=True):
    """Everything the figures are made of, in dollars.

    ``multiplier`` is the margin class the account may have at most. ``reserved`` is what open orders for shares hold back,
    at their full value; ``reserved_cash`` what those for crypto and options do. ``collateral`` is what must stand behind
    short contracts, ``None`` when nothing is enough: then there is no buying power, and all equity counts as required.
    ``closing_equity`` is ``None`` before the first regular close: the present equity counts then.
    """

    cash: Decimal
    lines: tuple[Line, ...] = ()
    multiplier: int = 1
    reserved: Decimal = ZERO
    reserved_cash: Decimal = ZERO
    collateral: Decimal | None = ZERO
    closing_equity: Decimal | None = None
    closing_maintenance: Decimal = ZERO
    day_trades: int = 0

    def __post_init__(self) -> None:
        cash, reserved, reserved_cash, kept = self.cash, self.reserved, self.reserved_cash, self.closing_maintenance
        collateral = ZERO if self.collateral is None else self.collateral
        closing = ZERO if self.closing_equity is None else self.closing_equity
        try:
            if (
                type(cash) is type(reserved) is type(reserved_cash) is type(kept) is Decimal
                and type(collateral) is type(closing) is Decimal
                and -_ENDLESS < cash < _ENDLESS
                and -_ENDLESS < closing < _ENDLESS
                and ZERO <= reserved < _ENDLESS
                and ZERO <= reserved_cash < _ENDLESS
                and ZERO <= collateral < _ENDLESS
                and ZERO <= kept < _ENDLESS
            ):
                return
        except InvalidOperation:
            pass
        finite("sheet.cash", cash)
        not_negative("sheet.reserved", reserved)
        not_negative("sheet.reserved_cash", reserved_cash)
        not_negative("sheet.closing_maintenance", kept)
        not_negative("sheet.collateral", collateral)
        finite("sheet.closing_equity", closing)


class Sums(NamedTuple):
    """What the lines come to: their values by side and by class, Regulation T's requirement for shares, what the venue
    requires for them, and what short shares are owed back for."""

    long: Decimal
    short: Decimal
    crypto: Decimal
    options: Decimal
    initial: Decimal
    kept: Decimal
    owed: Decimal


def sums_of(lines: Iterable[Line]) -> Sums:
    """What the lines come to, in one pass over them."""
    long = short = crypto = options = initial = kept = owed = ZERO
    for line in lines:
        value, held_long = line.value, line.quantity > 0
        if held_long:
            long += value
        elif line.quantity < 0:
            short += value
        if line.asset_class is AssetClass.CRYPTO:
            crypto += value
        elif line.asset_class is AssetClass.OPTION:
            options += value
        else:
            initial += abs(value) * (_INITIAL if held_long else ONE + _INITIAL)
            kept += _kept(line, abs(value))
            if line.quantity < 0:
                owed -= value
    return Sums(long, short, crypto, options, initial, kept, owed)


def figures(sheet: Sheet, sums: Sums | None = None) -> Figures:
    """The account in dollars, unrounded. ``sums`` are those of its lines, where they are known."""
    if sums is None:
        sums = sums_of(sheet.lines)
    equity = sheet.cash + sums.long + sums.short
    collateral = max(ZERO, equity) if sheet.collateral is None else sheet.collateral
    multiplier = margin_class(sheet.multiplier, equity if sheet.closing_equity is None else sheet.closing_equity)
    options = _options(sums, collateral)
    initial = sums.initial + sums.crypto + options
    if sheet.collateral is None:
        powers = _Powers(ZERO, ZERO, ZERO, ZERO, ZERO)
    elif multiplier == 1:
        powers = _paid_in_full(sheet, sums, collateral)
    else:
        powers = _on_margin(sheet, sums, equity - initial, multiplier)
    return Figures(
        equity=equity,
        cash=sheet.cash,
        buying_power=powers.buying_power,
        non_marginable_buying_power=powers.non_marginable,
        regt_buying_power=powers.regt,
        daytrading_buying_power=powers.daytrading,
        options_buying_power=powers.options,
        long_market_value=sums.long,
        short_market_value=sums.short,
        initial_margin=initial,
        maintenance_margin=sums.kept + sums.crypto + options,
        multiplier=multiplier,
        day_trades=sheet.day_trades,
    )


def margin_class(most: int, closing_equity: Decimal) -> int:
    """The effective margin class: at most ``most``, and what the equity at the last close is enough for."""
    for multiplier, needed in _CLASSES:
        if most >= multiplier and closing_equity >= needed:
            return multiplier
    return 1


def initial_margin(lines: Iterable[Line], collateral: Decimal = ZERO) -> Decimal:
    """Regulation T's requirement now: half of long shares, one and a half of short ones (with the proceeds), all of crypto,
    and for options what they are worth together with their collateral."""
    sums = sums_of(lines)
    return sums.initial + sums.crypto + _options(sums, collateral)


def maintenance_margin(lines: Iterable[Line], collateral: Decimal = ZERO) -> Decimal:
    """The venue's requirement for what is held."""
    sums = sums_of(lines)
    return sums.kept + sums.crypto + _options(sums, collateral)


def order_hold(
    side: Side,
    quantity: Decimal,
    *,
    limit: Decimal | None,
    ask: Decimal | None,
    multiplier: Decimal = ONE,
) -> Decimal | None:
    """Dollars of buying power an opening order holds back; ``None`` when no price is known.

    A buy its limit, else the ask, times its quantity. A short sale the greater of its limit and 3% above the ask (Alpaca,
    "Placing Orders: Buying Power"); without an ask its limit.
    """
    if side is Side.SELL:
        known = [price for price in (limit, None if ask is None else ask * _ABOVE_ASK) if price is not None]
        price = max(known) if known else None
    else:
        price = ask if limit is None else limit
    return None if price is None else price * quantity * multiplier


class _Powers(NamedTuple):
    """What may still be bought, by what it is counted for."""

    buying_power: Decimal
    non_marginable: Decimal
    regt: Decimal
    daytrading: Decimal
    options: Decimal


def _paid_in_full(sheet: Sheet, sums: Sums, collateral: Decimal) -> _Powers:
    # Shares are not sold short in a cash account, but one that has lost its margin class may still owe some.
    free = sheet.cash - sheet.reserved - sheet.reserved_cash - collateral - sums.owed * (ONE + _INITIAL)
    if sums.owed:
        free = max(ZERO, free)
    return _Powers(free, free, free, ZERO, free)


def _on_margin(sheet: Sheet, sums: Sums, excess: Decimal, multiplier: int) -> _Powers:
    free = excess - sheet.reserved * _INITIAL - sheet.reserved_cash
    regt = max(ZERO, free / _INITIAL)
    day = _day_trading(sheet, sums) if multiplier == 4 else ZERO
    cash = sheet.cash + sums.short - sheet.reserved_cash
    return _Powers(
        buying_power=day if multiplier == 4 else regt,
        non_marginable=max(ZERO, min(free, cash)),
        regt=regt,
        daytrading=day,
        options=max(ZERO, free),
    )


def _day_trading(sheet: Sheet, sums: Sums) -> Decimal:
    equity = sheet.cash + sums.long + sums.short
    base = equity if sheet.closing_equity is None else sheet.closing_equity
    tied = sums.crypto + _options(sums, sheet.collateral or ZERO)
    shares, rest = ZERO, ZERO
    for line in sheet.lines:
        opened = abs(line.today) * line.price * line.multiplier
        if line.asset_class is AssetClass.EQUITY:
            shares += opened
        else:
            rest += opened
    most = min(base - sheet.closing_maintenance - rest, equity - tied)
    return max(ZERO, 4 * (most - sheet.reserved_cash) - shares - sheet.reserved)


def _kept(line: Line, value: Decimal) -> Decimal:
    """The maintenance requirement of shares that are worth ``value``, whichever way they are held."""
    if line.quantity > 0:
        return value * (_LONG if line.price >= _LONG_FLOOR else _LONG_CHEAP)
    size = abs(line.quantity)
    if line.price >= _SHORT_FLOOR:
        return max(value * _SHORT, size * _SHORT_FLOOR)
    return max(value * _SHORT_CHEAP, size * _SHORT_CHEAP_FLOOR)


def _options(sums: Sums, collateral: Decimal) -> Decimal:
    """The options' part, so that equity less it is cash less collateral. Below zero (a covered call) it counts as zero."""
    return max(ZERO, sums.options + collateral)
