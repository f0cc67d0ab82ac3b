"""What a fill does to the ledger: cash, the order it belongs to, the bot's holding, and the trade it may close.

    cash     = cash - side x quantity x price x multiplier - fee
    buying   raises the holding at the average price of its purchases
    selling  realises (price - average price) x quantity x multiplier, and closes the trade when nothing is left

A fill of an order that is not ours moves cash (it did happen) but no holding; the positions then differ, which is a residual.
"""

from __future__ import annotations

from decimal import Decimal

from hydra.model.market import multiplier_of
from hydra.model.money import ZERO
from hydra.model.orders import Fill, Order, Side
from hydra.model.portfolio import BotRecord, Holding, Ledger, Trade, holding_key
from hydra.model.values import replace


def apply_fill(ledger: Ledger, fill: Fill, cycle: int) -> Ledger:
    """The ledger after one execution, which must not have been applied before (the cursor sees to that)."""
    value = fill.quantity * fill.price * multiplier_of(fill.symbol)
    cash = None if ledger.cash is None else ledger.cash - fill.side.sign * value - fill.fee
    ledger = replace(ledger, cash=cash, fills=(*ledger.fills, fill))
    order = ledger.orders.get(fill.client_id)
    if order is None:
        return ledger
    ledger = replace(ledger, orders={**ledger.orders, order.client_id: _filled_further(order, fill)})
    if fill.side is Side.BUY:
        return _bought(ledger, order, fill, cycle)
    return _sold(ledger, order, fill, value)


def _filled_further(order: Order, fill: Fill) -> Order:
    filled = min(order.quantity, order.filled + fill.quantity)
    spent = (order.average_price or ZERO) * order.filled + fill.price * fill.quantity
    return replace(
        order,
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
    trade = Trade(
        trade_id=fill.fill_id,
        bot=order.bot,
        symbol=order.symbol,
        quantity=held.entered,
        entry_price=held.average_price,
        exit_price=exited / (held.entered * multiplier_of(fill.symbol)),
        opened_at=held.opened_at,
        closed_at=fill.at,
        fees=fees,
        profit=realized - fees,
        reason=f"{order.purpose}: {order.thesis}" if order.thesis else order.purpose.value,
    )
    holdings = {k: h for k, h in ledger.holdings.items() if k != key}
    ledger = replace(ledger, holdings=holdings, trades=(*ledger.trades, trade))
    return _with(ledger, None, order.bot, gain - fill.fee, fill.fee)


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
