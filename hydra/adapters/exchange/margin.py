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
from decimal import Decimal

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
_CLASSES = ((4, Decimal(25_000)), (2, Decimal(2_000)))

_POWERS = (
    "buying_power",
    "non_marginable_buying_power",
    "regt_buying_power",
    "daytrading_buying_power",
    "options_buying_power",
)


class Line(Value, frozen=True, kw_only=True):
    """A position at its price in dollars. ``today`` is the signed part of ``quantity`` opened on the present exchange day."""

    symbol: str
    asset_class: AssetClass
    quantity: Decimal
    price: Decimal
    multiplier: Decimal = ONE
    today: Decimal = ZERO

    def __post_init__(self) -> None:
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
        finite("sheet.cash", self.cash)
        for name in ("reserved", "reserved_cash", "closing_maintenance"):
            not_negative(f"sheet.{name}", getattr(self, name))
        if self.collateral is not None:
            not_negative("sheet.collateral", self.collateral)
        if self.closing_equity is not None:
            finite("sheet.closing_equity", self.closing_equity)


def figures(sheet: Sheet) -> Figures:
    """The account in dollars, unrounded."""
    long_value = sum((line.value for line in sheet.lines if line.quantity > 0), ZERO)
    short_value = sum((line.value for line in sheet.lines if line.quantity < 0), ZERO)
    equity = sheet.cash + long_value + short_value
    collateral = max(ZERO, equity) if sheet.collateral is None else sheet.collateral
    initial = initial_margin(sheet.lines, collateral)
    multiplier = margin_class(sheet.multiplier, equity if sheet.closing_equity is None else sheet.closing_equity)
    if sheet.collateral is None:
        powers = dict.fromkeys(_POWERS, ZERO)
    elif multiplier == 1:
        powers = _paid_in_full(sheet, collateral)
    else:
        powers = _on_margin(sheet, equity - initial, equity, multiplier)
    return Figures(
        equity=equity,
        cash=sheet.cash,
        long_market_value=long_value,
        short_market_value=short_value,
        initial_margin=initial,
        maintenance_margin=maintenance_margin(sheet.lines, collateral),
        multiplier=multiplier,
        day_trades=sheet.day_trades,
        **powers,
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
    lines = tuple(lines)
    shares = ZERO
    for line in lines:
        if line.asset_class is AssetClass.EQUITY:
            shares += abs(line.value) * (_INITIAL if line.quantity > 0 else ONE + _INITIAL)
    return shares + _paid(lines) + _options(lines, collateral)


def maintenance_margin(lines: Iterable[Line], collateral: Decimal = ZERO) -> Decimal:
    """The venue's requirement for what is held."""
    lines = tuple(lines)
    shares = sum((_kept(line) for line in lines if line.asset_class is AssetClass.EQUITY), ZERO)
    return shares + _paid(lines) + _options(lines, collateral)


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


def _paid_in_full(sheet: Sheet, collateral: Decimal) -> dict[str, Decimal]:
    # Shares are not sold short in a cash account, but one that has lost its margin class may still owe some.
    owed = sum(
        (-line.value for line in sheet.lines if line.asset_class is AssetClass.EQUITY and line.quantity < 0), ZERO
    )
    free = sheet.cash - sheet.reserved - sheet.reserved_cash - collateral - owed * (ONE + _INITIAL)
    if owed:
        free = max(ZERO, free)
    return {**dict.fromkeys(_POWERS, free), "daytrading_buying_power": ZERO}


def _on_margin(sheet: Sheet, excess: Decimal, equity: Decimal, multiplier: int) -> dict[str, Decimal]:
    free = excess - sheet.reserved * _INITIAL - sheet.reserved_cash
    regt = max(ZERO, free / _INITIAL)
    day = _day_trading(sheet, equity) if multiplier == 4 else ZERO
    proceeds = sum((-line.value for line in sheet.lines if line.quantity < 0), ZERO)
    cash = sheet.cash - proceeds - sheet.reserved_cash
    return {
        "buying_power": day if multiplier == 4 else regt,
        "non_marginable_buying_power": max(ZERO, min(free, cash)),
        "regt_buying_power": regt,
        "daytrading_buying_power": day,
        "options_buying_power": max(ZERO, free),
    }


def _day_trading(sheet: Sheet, equity: Decimal) -> Decimal:
    base = equity if sheet.closing_equity is None else sheet.closing_equity
    tied = _paid(sheet.lines) + _options(sheet.lines, sheet.collateral or ZERO)
    shares, rest = ZERO, ZERO
    for line in sheet.lines:
        opened = abs(line.today) * line.price * line.multiplier
        if line.asset_class is AssetClass.EQUITY:
            shares += opened
        else:
            rest += opened
    most = min(base - sheet.closing_maintenance - rest, equity - tied)
    return max(ZERO, 4 * (most - sheet.reserved_cash) - shares - sheet.reserved)


def _kept(line: Line) -> Decimal:
    """The maintenance requirement of shares."""
    size, value = abs(line.quantity), abs(line.value)
    if line.quantity > 0:
        return value * (_LONG if line.price >= _LONG_FLOOR else _LONG_CHEAP)
    if line.price >= _SHORT_FLOOR:
        return max(value * _SHORT, size * _SHORT_FLOOR)
    return max(value * _SHORT_CHEAP, size * _SHORT_CHEAP_FLOOR)


def _paid(lines: Iterable[Line]) -> Decimal:
    return sum((line.value for line in lines if line.asset_class is AssetClass.CRYPTO), ZERO)


def _options(lines: Iterable[Line], collateral: Decimal) -> Decimal:
    """The options' part, so that equity less it is cash less collateral. Below zero (a covered call) it counts as zero."""
    worth = sum((line.value for line in lines if line.asset_class is AssetClass.OPTION), ZERO)
    return max(ZERO, worth + collateral)
