"""The limits of single orders that need no sum over the account: hours, prices, permissions, and the record of a bot and of the account.

Like ``limits``, which holds them all: each is worked out anew from the exchange's books and the contracts as they were last told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal

from hydra.model.market import AssetClass, OptionContract, Right, asset_class_of
from hydra.model.orders import Order, OrderType, Purpose, Side
from hydra.qc.rehearsal.results import day_trades, lost_in_a_row, results_of
from hydra.qc.rehearsal.scene import APART, Scene, Stake
from hydra.qc.rehearsal.truth import ZERO

_WEEK = timedelta(days=7)
_CENT = Decimal("0.01")


def session_window(order: Order, _stake: Stake, scene: Scene) -> str | None:
    """Within the session, after its first and before its last minutes."""
    session = scene.now.sessions.by_class[asset_class_of(order.symbol)]
    if session.opens_at is None or session.closes_at is None:
        return None if session.open else "the session is closed"
    first = session.opens_at + timedelta(minutes=scene.risk.after_open_minutes)
    last = session.closes_at - timedelta(minutes=scene.risk.before_close_minutes)
    return None if first <= scene.now.at < last else f"it is {scene.now.at}, entries from {first} to {last}"


def slippage(order: Order, _stake: Stake, scene: Scene) -> str | None:
    """The worst price it may fill at is near the middle; a structure's, near what crossing all its spreads costs."""
    price, sign = order.limit if order.limit is not None else order.reference, order.side.sign
    if price is None:
        return "it has no price"
    if not order.legs:
        quote = scene.now.quotes.get(order.symbol)
        if quote is None:
            return "there is no quote"
        over, most = (price - quote.mid) * sign, scene.risk.entry_slippage * quote.mid
        return f"{over:f} beyond the middle, at most {most:f}" if over > most + _CENT / 100 else None
    chain, dearest, worth = scene.chains.get(order.symbol, {}), ZERO, ZERO
    for leg in order.legs:
        told = chain.get(leg.symbol)
        if told is None or told.bid is None or told.ask is None:
            return f"{leg.symbol} has no quote on both sides"
        dearest += leg.ratio * leg.side.sign * (told.ask if leg.side is Side.BUY else told.bid)
        worth += leg.ratio * (told.bid + told.ask) / 2
    over, most = price * sign - dearest, scene.risk.entry_slippage * worth
    return f"{over:f} beyond what its legs cost, at most {most:f}" if over > most + _CENT / 100 else None


def option_level(order: Order, _stake: Stake, scene: Scene) -> str | None:
    """Levels as brokers number them: puts sold alone 1, bought 2, both together 3; calls sold alone have none."""
    if not order.legs:
        return APART
    sold = [leg for leg in order.legs if leg.side is Side.SELL]
    if len(sold) == len(order.legs):
        puts = all(OptionContract.parse(leg.symbol).right is Right.PUT for leg in sold)
        needed = 1 if puts else None
    else:
        needed = 3 if sold else 2
    if needed is None:
        return "calls are sold that nothing stands behind"
    level = scene.risk.option_level
    return f"it needs level {needed}, the policy has {level}" if needed > level else None


def wash_trade(order: Order, _stake: Stake, scene: Scene) -> str | None:
    """No order of ours that works stands where it could trade with this one; nothing is said of a structure."""
    if order.legs:
        return APART
    judged = False
    for ticket in scene.now.working:
        resting = ticket.symbol == order.symbol and ticket.side is not order.side and ticket.working
        if not resting or ticket.order_type is not OrderType.LIMIT or ticket.limit is None:
            continue
        judged = True
        if order.limit is not None and (order.limit - ticket.limit) * order.side.sign >= 0:
            return f"at {order.limit} it could trade with {ticket.client_id}, a {ticket.side} at {ticket.limit}"
    return None if judged else APART


def loss_streak(order: Order, _stake: Stake, scene: Scene) -> str | None:
    """A bot that lost so many trades in a row today enters nothing more."""
    if scene.lossy:
        return APART
    results = results_of(
        scene.truth.venue, scene.truth.order_of, before=scene.now.at
    )  # an exit of this very cycle is news
    lost, most = lost_in_a_row(results, order.bot, scene.now.sessions.day), scene.risk.loss_streak
    return f"{order.bot} has lost {lost} trades in a row today, at most {most}" if lost >= most else None


def pattern_day_trader(order: Order, _stake: Stake, scene: Scene) -> str | None:
    """Day trades of the week, those that what is open today may become, and this one; in a margin account below its equity."""
    broker, risk = scene.world.policy.broker, scene.risk
    in_full = broker.name == "sim" and broker.account == "plain"
    if (
        scene.lossy
        or in_full
        or asset_class_of(order.symbol) is AssetClass.CRYPTO
        or scene.now.equity >= risk.day_trade_equity
    ):
        return APART
    today = scene.now.sessions.day
    results = [one for one in results_of(scene.truth.venue, scene.truth.order_of) if not _is_pair(one.symbol)]
    made = day_trades(results, today - _WEEK)
    may = sum(1 for one in results if one.closed_on is None and one.opened_on == today)
    for ticket in scene.now.working:
        sent = scene.truth.orders.get(ticket.client_id)
        if sent is not None and sent.purpose is Purpose.ENTRY and not ticket.filled and not _is_pair(sent.symbol):
            may += max(1, len(sent.legs))
    opened = {one.entry for one in results}  # of what was sent in this cycle, some may be among them already
    waiting = [one for one in scene.sent_now if one.client_id not in opened and not _is_pair(one.symbol)]
    may += sum(max(1, len(one.legs)) for one in waiting)
    this = max(1, len(order.legs))
    total = made + may + this
    text = f"{made} day trades made in a week, {may} that may become one, and {this}: at most {risk.day_trades}"
    return text if total > risk.day_trades else None


def _is_pair(symbol: str) -> bool:
    return asset_class_of(symbol) is AssetClass.CRYPTO


CHECKS: Mapping[str, Callable[[Order, Stake, Scene], str | None]] = {
    "session_window": session_window,
    "slippage": slippage,
    "option_level": option_level,
    "wash_trade": wash_trade,
    "loss_streak": loss_streak,
    "pattern_day_trader": pattern_day_trader,
}
