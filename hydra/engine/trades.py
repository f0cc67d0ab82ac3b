"""What a fill does to the ledger: cash, the order it belongs to, the bot's holding, and the trade it may close.

    cash     = cash - side x quantity x price x multiplier - fee
    buying   raises the holding at the average price of its purchases
    selling  realises (price - average price) x quantity x multiplier, and closes the trade when nothing is left

A fill of an order that is not ours moves cash (it did happen) but no holding; the positions then differ, which is a residual.
A fee in coin makes a holding smaller than what was bought, at the price it was bought for.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from hydra.model.activities import Activity, Unposted
from hydra.model.market import AssetClass, asset_class_of, multiplier_of
from hydra.model.money import ZERO
from hydra.model.orders import Fill, Order, OrderStatus, Side
from hydra.model.portfolio import BotRecord, Holding, Ledger, Trade, holding_key
from hydra.model.values import replace


def apply_fill(ledger: Ledger, fill: Fill, cycle: int) -> Ledger:
    """The ledger after one execution, which must not have been applied before (the cursor sees to that)."""
    value = fill.quantity * fill.price * multiplier_of(fill.symbol)
    cash = None if ledger.cash is None else ledger.cash - fill.side.sign * value - fill.fee
    ledger = replace(ledger, cash=cash, fills=(*ledger.fills, fill))
    if fill.cash_fee_most:
        ledger = replace(ledger, unposted=(*ledger.unposted, Unposted(at=fill.at, amount=fill.cash_fee_most)))
    order = ledger.orders.get(fill.client_id)
    if order is None:
        return ledger
    ledger = replace(ledger, orders={**ledger.orders, order.client_id: _filled_further(order, fill)})
    if fill.side is Side.BUY:
        return _bought(ledger, order, fill, cycle)
    return _sold(ledger, order, fill, value)


def _filled_further(order: Order, fill: Fill) -> Order:
    """The order after a fill, which also proves that the venue has it."""
    filled = min(order.quantity, order.filled + fill.quantity)
    spent = (order.average_price or ZERO) * order.filled + fill.price * fill.quantity
    status = order.status
    if status.unresolved:
        status = OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIALLY_FILLED
    return replace(
        order,
        status=status,
        venue_id=order.venue_id or fill.venue_id,
        filled=filled,
        venue_filled=max(order.venue_filled, filled),
        average_price=spent / (order.filled + fill.quantity),
        fees=order.fees + fill.fee,
        updated_at=fill.at,
    )


def _bought(ledger: Ledger, order: Order, fill: Fill, cycle: int) -> Ledger:
    key = holding_key(order.bot, order.symbol)
    held = ledger.holdings.get(key)
    if held is not None:
        quantity = held.quantity + fill.quantity
        average = (held.average_price * held.quantity + fill.price * fill.quantity) / quantity
        grown = replace(
            held,
            quantity=quantity,
            average_price=average,
            entered=held.entered + fill.quantity,
            fees=held.fees + fill.fee,
            withheld_most=held.withheld_most + fill.coin_fee_most,
        )
        return _with(ledger, grown, order.bot, -fill.fee, fill.fee)
    if order.protection is None:
        return ledger
    opened = Holding(
        bot=order.bot,
        symbol=order.symbol,
        quantity=fill.quantity,
        average_price=fill.price,
        protection=order.protection,
        entry=order.client_id,
        opened_at=fill.at,
        opened_cycle=cycle,
        entered=fill.quantity,
        fees=fill.fee,
        withheld_most=fill.coin_fee_most,
    )
    return _with(ledger, opened, order.bot, -fill.fee, fill.fee)


def _sold(ledger: Ledger, order: Order, fill: Fill, value: Decimal) -> Ledger:
    key = holding_key(order.bot, order.symbol)
    held = ledger.holdings.get(key)
    if held is None:
        return ledger
    gain = (fill.price - held.average_price) * fill.quantity * multiplier_of(fill.symbol)
    left = held.quantity - fill.quantity
    realized, fees = held.realized + gain, held.fees + fill.fee
    exited = held.exited_value + value
    if left > 0:
        reduced = replace(held, quantity=left, realized=realized, fees=fees, exited_value=exited)
        return _with(ledger, reduced, order.bot, gain - fill.fee, fill.fee)
    reason = f"{order.purpose}: {order.thesis}" if order.thesis else order.purpose.value
    done = replace(held, realized=realized, fees=fees, exited_value=exited)
    ledger = _without(ledger, done, _Ending(fill.fill_id, fill.at, reason))
    return _with(ledger, None, order.bot, gain - fill.fee, fill.fee)


def keep_back(ledger: Ledger, held: Holding, quantity: Decimal) -> Ledger:
    """``quantity`` units of a holding kept by the venue as its fee, booked at the average price; below zero: given back."""
    cost = quantity * held.average_price * multiplier_of(held.symbol)
    kept = replace(held, quantity=held.quantity - quantity, withheld=held.withheld + quantity, fees=held.fees + cost)
    return _with(ledger, kept, held.bot, -cost, cost)


def close_at(ledger: Ledger, activity: Activity) -> Ledger:
    """Take what an option activity took away off the holdings of its contract, in order; its money is booked as cash.

    The profit of a contract that is gone is what it had cost, lost: what an exercise brings belongs to the shares. Shares that
    come or go with it are nobody's until a person has looked: whose they are does not follow from the activity.
    """
    left = activity.quantity
    for key, held in tuple(ledger.holdings.items()):
        if held.symbol != activity.symbol or asset_class_of(held.symbol) is not AssetClass.OPTION:
            continue
        if not left or (left < 0) is not (held.quantity > 0):
            continue
        gone = min(abs(left), abs(held.quantity)).copy_sign(held.quantity)
        left += gone
        loss = -held.average_price * gone * multiplier_of(held.symbol)
        reduced = held.quantity - gone
        if reduced:
            ledger = _with(ledger, replace(held, quantity=reduced, realized=held.realized + loss), held.bot, loss, ZERO)
            continue
        ending = _Ending(f"{activity.activity_id} {key}", activity.at, activity.note or "the contract is gone")
        ledger = _without(ledger, replace(held, realized=held.realized + loss), ending)
        ledger = _with(ledger, None, held.bot, loss, ZERO)
    return ledger


class _Ending(NamedTuple):
    trade_id: str
    at: datetime
    reason: str


def _without(ledger: Ledger, done: Holding, ending: _Ending) -> Ledger:
    """The ledger with a holding closed: the trade it was, and no holding."""
    units = (done.entered - done.withheld) * multiplier_of(done.symbol)
    trade = Trade(
        trade_id=ending.trade_id,
        bot=done.bot,
        symbol=done.symbol,
        quantity=done.entered,
        entry_price=done.average_price,
        exit_price=done.exited_value / units if units else ZERO,
        opened_at=done.opened_at,
        closed_at=ending.at,
        fees=done.fees,
        profit=done.realized - done.fees,
        reason=ending.reason,
    )
    holdings = {key: held for key, held in ledger.holdings.items() if key != done.key}
    return replace(ledger, holdings=holdings, trades=(*ledger.trades, trade))


def _with(ledger: Ledger, holding: Holding | None, bot: str, profit: Decimal, fee: Decimal) -> Ledger:
    record = ledger.bot(bot)
    booked: BotRecord = replace(
        record,
        realized=record.realized + profit,
        realized_today=record.realized_today + profit,
        fees=record.fees + fee,
    )
    holdings = ledger.holdings if holding is None else {**ledger.holdings, holding.key: holding}
    return replace(ledger, bots={**ledger.bots, bot: booked}, holdings=holdings)
