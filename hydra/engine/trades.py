"""What a fill does to the ledger: cash, the order it belongs to, the bot's holding, and the trade it may close.

    cash      = cash - side x quantity x price x multiplier - fee
    adding    (the holding's own direction) raises it at the average price of its entries
    reducing  realises (price - average price) x quantity x multiplier, the other way round for a short, and closes the trade
              when nothing is left

A fill of an order that is not ours moves cash (it did happen) but no holding; the positions then differ, which is a residual.
So does what goes beyond the holding it reduces. Each leg of an order in several contracts is a holding of its own. A fee in coin
makes a holding smaller than what was bought, at the price it was bought for.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from hydra.model.activities import Activity, Unposted
from hydra.model.market import AssetClass, OptionContract, asset_class_of, multiplier_of
from hydra.model.money import ZERO
from hydra.model.orders import Fill, Order, OrderStatus, Purpose
from hydra.model.portfolio import BotRecord, Holding, Ledger, Trade, holding_key
from hydra.model.values import replace

STOPS = frozenset({"stop_loss", "break_even", "trailing", "loss_multiple", "bot_daily_loss"})
"""The exits that give a trade up, as a stop order does."""


def apply_fill(ledger: Ledger, fill: Fill, cycle: int) -> Ledger:
    """The ledger after one execution, which must not have been applied before (the cursor sees to that)."""
    value = fill.quantity * fill.price * multiplier_of(fill.symbol)
    cash = None if ledger.cash is None else ledger.cash - fill.side.sign * value - fill.fee
    order = ledger.orders.get(fill.client_id)
    changes: dict[str, Any] = {"cash": cash, "fills": (*ledger.fills, fill)}
    if fill.cash_fee_most:
        bot = "" if order is None else order.bot
        coming = Unposted(at=fill.at, amount=fill.cash_fee_most, bot=bot, symbol=fill.symbol)
        changes["unposted"] = (*ledger.unposted, coming)
    if order is None:
        return replace(ledger, **changes)
    ledger = replace(ledger, orders={**ledger.orders, order.client_id: _filled_further(order, fill)}, **changes)
    held = ledger.holdings.get(holding_key(order.bot, fill.symbol if order.legs else order.symbol))
    if held is None:
        return _opened(ledger, order, fill, cycle)
    if (held.quantity > 0) is (fill.side.sign > 0):
        return _grown(ledger, held, fill)
    return _reduced(ledger, held, order, fill, value)


def _filled_further(order: Order, fill: Fill) -> Order:
    """The order after a fill, which also proves that the venue has it."""
    legs, average = order.legs, order.average_price
    if legs:
        legs = tuple(
            replace(leg, filled=leg.filled + fill.quantity) if leg.symbol == fill.symbol else leg for leg in legs
        )
        filled = min(order.quantity, *(leg.filled // leg.ratio for leg in legs))
    else:
        filled = min(order.quantity, order.filled + fill.quantity)
        spent = (order.average_price or ZERO) * order.filled + fill.price * fill.quantity
        average = spent / (order.filled + fill.quantity)
    status = order.status
    if status.unresolved:
        status = OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIALLY_FILLED
    return replace(
        order,
        legs=legs,
        status=status,
        venue_id=order.venue_id or fill.venue_id,
        filled=filled,
        venue_filled=max(order.venue_filled, filled),
        average_price=average,
        fees=order.fees + fill.fee,
        updated_at=fill.at,
    )


def _opened(ledger: Ledger, order: Order, fill: Fill, cycle: int) -> Ledger:
    """A new holding. Only an entry opens one."""
    if order.purpose is not Purpose.ENTRY or (order.protection is None and not order.legs):
        return ledger
    opened = Holding(
        bot=order.bot,
        symbol=fill.symbol if order.legs else order.symbol,
        quantity=fill.quantity * fill.side.sign,
        average_price=fill.price,
        protection=order.protection,
        entry=order.client_id,
        opened_at=fill.at,
        opened_cycle=cycle,
        opened_on=ledger.counted_on,
        entered=fill.quantity,
        fees=fill.fee,
        withheld_most=fill.coin_fee_most,
        best=None if order.legs else fill.price,
        structure=order.client_id if order.legs else "",
    )
    return _with(ledger, opened, order.bot, -fill.fee, fill.fee)


def _grown(ledger: Ledger, held: Holding, fill: Fill) -> Ledger:
    size = abs(held.quantity) + fill.quantity
    average = (held.average_price * abs(held.quantity) + fill.price * fill.quantity) / size
    grown = replace(
        held,
        quantity=size.copy_sign(held.quantity),
        average_price=average,
        entered=held.entered + fill.quantity,
        fees=held.fees + fill.fee,
        withheld_most=held.withheld_most + fill.coin_fee_most,
    )
    return _with(ledger, grown, held.bot, -fill.fee, fill.fee)


def _reduced(ledger: Ledger, held: Holding, order: Order, fill: Fill, value: Decimal) -> Ledger:
    way = 1 if held.quantity > 0 else -1
    gain = (fill.price - held.average_price) * way * fill.quantity * multiplier_of(fill.symbol)
    left = abs(held.quantity) - fill.quantity
    realized, fees = held.realized + gain, held.fees + fill.fee
    exited = held.exited_value + value
    if left > 0:
        reduced = replace(
            held, quantity=left.copy_sign(held.quantity), realized=realized, fees=fees, exited_value=exited
        )
        return _with(ledger, reduced, order.bot, gain - fill.fee, fill.fee)
    reason = f"{order.purpose}: {order.thesis}" if order.thesis else order.purpose.value
    stopped = order.purpose is Purpose.STOP or order.cause in STOPS
    done = replace(held, realized=realized, fees=fees, exited_value=exited)
    ledger = _with(ledger, None, order.bot, gain - fill.fee, fill.fee)
    return _without(ledger, done, _Ending(fill.fill_id, fill.at, reason, stopped=stopped))


def keep_back(ledger: Ledger, held: Holding, quantity: Decimal) -> Ledger:
    """``quantity`` units of a holding kept by the venue as its fee, booked at the average price; below zero: given back."""
    cost = quantity * held.average_price * multiplier_of(held.symbol)
    kept = replace(held, quantity=held.quantity - quantity, withheld=held.withheld + quantity, fees=held.fees + cost)
    return _with(ledger, kept, held.bot, -cost, cost)


def charge(ledger: Ledger, bot: str, fee: Decimal) -> Ledger:
    """A fee that was told of after its trade, in dollars: the bot pays it, the trade stays as it was closed."""
    return _with(ledger, None, bot, -fee, fee)


def close_at(ledger: Ledger, activity: Activity) -> Ledger:
    """Take what an option activity took away off the holdings of its contract, in order; its money is booked as cash.

    The profit of a contract that is gone is what it had cost, lost, or what it had brought, won: what an exercise brings or takes
    belongs to the shares. Shares that come or go with it are nobody's until a person has looked: whose they are does not follow
    from the activity.
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
        ledger = _with(ledger, None, held.bot, loss, ZERO)
        ledger = _without(ledger, replace(held, realized=held.realized + loss), ending)
    return ledger


class _Ending(NamedTuple):
    trade_id: str
    at: datetime
    reason: str
    stopped: bool = False


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
        structure=done.structure,
    )
    holdings = {key: held for key, held in ledger.holdings.items() if key != done.key}
    ledger = replace(ledger, holdings=holdings, trades=(*ledger.trades, trade), day_trades=_day_trades(ledger, done))
    if done.structure and any(held.structure == done.structure for held in holdings.values()):
        return ledger  # what it came to is known when its last leg is closed
    return _conduct(ledger, done, ending)


def _conduct(ledger: Ledger, done: Holding, ending: _Ending) -> Ledger:
    """Streaks and cool-downs after something was closed whole."""
    parts = [t.profit for t in ledger.trades if t.bot == done.bot and t.structure == done.structure]
    profit = sum(parts, ZERO) if done.structure else parts[-1]
    record = ledger.bot(done.bot)
    changed: BotRecord = replace(record, loss_streak=record.loss_streak + 1 if profit < 0 else 0)
    contract = asset_class_of(done.symbol) is AssetClass.OPTION
    if ending.stopped:
        about = OptionContract.parse(done.symbol).root if contract and done.structure else done.symbol
        changed = replace(changed, stopped={**changed.stopped, about: ending.at})
    return replace(ledger, bots={**ledger.bots, done.bot: changed})


def _day_trades(ledger: Ledger, done: Holding) -> tuple[date, ...]:
    """The day trades with what is closed now; every contract counts as one, and pairs are no securities."""
    today = ledger.counted_on
    if today is None or done.opened_on != today or asset_class_of(done.symbol) is AssetClass.CRYPTO:
        return ledger.day_trades
    return (*ledger.day_trades, today)


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
