"""What the in-process door tells of the account's activities, and how it asks for the engine's orders.

Activities are the venue's own, in the engine's words. What the venue's row does not say is taken from the feed's corporate
action of that day: how many shares there are for one, and what a symbol is called now. A split of contracts has rows in both
their old and new symbols and no ratio: which contract became which follows from neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from hydra.adapters.account_rules import exits_of, force_of, tradable
from hydra.adapters.exchange.model import Activity, ActivityKind, FeeSchedule
from hydra.adapters.exchange.structures import underlying_of
from hydra.adapters.exchange.terms import OrderClass, PositionIntent, Request, RequestLeg
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.model import activities
from hydra.model.market import AssetClass, Instrument, OptionContract, asset_class_of
from hydra.model.orders import Leg, Order, Protection, Side, TimeInForce
from hydra.model.values import replace

_A = activities.ActivityKind
KINDS: Mapping[ActivityKind, activities.ActivityKind] = {
    ActivityKind.FEE: _A.FEE,
    ActivityKind.CRYPTO_FEE: _A.COIN_FEE,
    ActivityKind.DIVIDEND: _A.DIVIDEND,
    ActivityKind.SPLIT: _A.SPLIT,
    ActivityKind.NAME_CHANGE: _A.RENAME,
    ActivityKind.OPTION_EXPIRY: _A.OPTION,
    ActivityKind.OPTION_EXERCISE: _A.OPTION,
    ActivityKind.OPTION_ASSIGNMENT: _A.OPTION,
    ActivityKind.OPTION_TRADE: _A.OPTION,
}
"""Every kind of the venue's, in the engine's words."""
PLAIN_EXITS = frozenset({AssetClass.EQUITY, AssetClass.CRYPTO})
"""Classes in which an entry carries its exits in a plain account."""


def activity_of(activity: Activity, actions: Sequence[CorporateAction]) -> activities.Activity:
    """An activity as the engine is told of it; ``actions`` are those that took effect on its day."""
    return activities.Activity(
        activity_id=f"{activity.number:012d}",
        kind=KINDS[activity.kind],
        at=activity.at,
        symbol=activity.symbol,
        quantity=activity.quantity,
        amount=activity.amount,
        ratio=_ratio(activity, actions),
        new_symbol=_new_symbol(activity, actions),
        note=activity.description,
    )


def _ratio(activity: Activity, actions: Sequence[CorporateAction]) -> Decimal | None:
    """How many shares there are now for each before."""
    if activity.kind is not ActivityKind.SPLIT:
        return None
    splits = (each for each in actions if each.kind in (ActionKind.FORWARD_SPLIT, ActionKind.REVERSE_SPLIT))
    return next((each.new_rate / each.old_rate for each in splits if each.symbol == activity.symbol), None)


def _new_symbol(activity: Activity, actions: Sequence[CorporateAction]) -> str:
    """What a symbol is called now; empty for the row of the new one."""
    if activity.kind is not ActivityKind.NAME_CHANGE:
        return ""
    symbol = activity.symbol
    for each in actions:
        if each.kind is not ActionKind.NAME_CHANGE:
            continue
        if symbol == each.symbol:
            return each.new_symbol
        if asset_class_of(symbol) is AssetClass.OPTION and underlying_of(symbol) == each.symbol:
            return replace(OptionContract.parse(symbol), root=each.new_symbol).symbol
    return ""


def request_of(order: Order, fees: FeeSchedule = FeeSchedule.FLAT) -> Request:
    """An engine's order as the venue is asked for it.

    Under the flat schedule (an account that is as plain as can be) entries in shares and pairs carry their exits, and those work
    until they are cancelled. Under the other the account is as Alpaca gives it, and the table of ``account_rules`` holds.
    """
    if order.legs:
        return _of_legs(order) if len(order.legs) > 1 else _of_one(order)
    if fees is FeeSchedule.ALPACA:
        return _request(order, exits_of(order), force_of(order), None)
    carried = order.protection is not None and asset_class_of(order.symbol) in PLAIN_EXITS
    return _request(order, order.protection if carried else None, order.time_in_force, TimeInForce.GTC)


def as_told(instrument: Instrument, fees: FeeSchedule = FeeSchedule.FLAT) -> Instrument:
    """An instrument as the engine is told of it, in either kind of account."""
    if fees is FeeSchedule.ALPACA:
        return tradable(instrument)
    return replace(instrument, exits_with_entry=instrument.asset_class in PLAIN_EXITS)


def _request(order: Order, exits: Protection | None, force: TimeInForce, exits_force: TimeInForce | None) -> Request:
    both = exits is not None and exits.target is not None
    return Request(
        client_id=order.client_id,
        symbol=order.symbol,
        side=order.side,
        order_type=order.order_type,
        time_in_force=force,
        quantity=order.quantity,
        limit=order.limit,
        stop=order.stop,
        order_class=OrderClass.SIMPLE if exits is None else OrderClass.BRACKET if both else OrderClass.OTO,
        take_profit=None if exits is None else exits.target,
        stop_loss=None if exits is None else exits.stop,
        exits_force=None if exits is None else exits_force,
    )


def _of_legs(order: Order) -> Request:
    """Several contracts at one net price: a debit above zero, a credit below."""
    return Request(
        client_id=order.client_id,
        symbol="",
        side=Side.BUY,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        quantity=order.quantity,
        limit=None if order.limit is None else order.limit * order.side.sign,
        order_class=OrderClass.MLEG,
        legs=tuple(
            RequestLeg(symbol=leg.symbol, ratio=leg.ratio, side=leg.side, position_intent=_intent(leg))
            for leg in order.legs
        ),
    )


def _of_one(order: Order) -> Request:
    """A structure of one contract is a plain order for it; a net price against its side stays below zero and is refused."""
    (leg,) = order.legs
    return Request(
        client_id=order.client_id,
        symbol=leg.symbol,
        side=leg.side,
        order_type=order.order_type,
        time_in_force=order.time_in_force,
        quantity=order.quantity,
        limit=None if order.limit is None else order.limit * order.side.sign * leg.side.sign,
        position_intent=_intent(leg),
    )


def _intent(leg: Leg) -> PositionIntent:
    return PositionIntent(f"{leg.side}_to_{'open' if leg.opens else 'close'}")
