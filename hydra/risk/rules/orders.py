"""Orders: how many, none twice, and none of ours against another of ours.

One account has one position in a symbol, however many bots trade it: what one bot buys and another sells nets out at the
venue, and neither has what its ledger says. So nothing is entered against another bot, and no order may meet another of ours.
Where exits do not hang on the entry (``Instrument.exits_with_entry``: pairs and contracts), the venue takes no order at all
against one that works on the other side, plain limits that do not cross excepted (Alpaca, User Protection: Preventing Wash
Trades), and the stop of a holding has to come in after its entry. There an entry also waits while another bot enters.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from hydra.model.orders import Ceiling, Intent, Order, OrderType, Purpose, Side
from hydra.risk.plugs import Case
from hydra.risk.rules.answers import all_or_nothing, everything, nothing, shown
from hydra.risk.standing import Open, Resting

_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
_MINUTE = timedelta(seconds=60)


class Stance(NamedTuple):
    """How far an entry reaches into the other side, and where what is left of it stands; ``sign`` is +1 for a buy."""

    sign: int
    reach: Decimal
    stand: Decimal

    def meets(self, kind: OrderType, limit: Decimal | None, stop: Decimal | None) -> bool:
        """Whether an order on the other side could fill the entry, or be filled by it.

        A limit within the reach; a stop that the price comes by before it has gone through where the entry stands; any other.
        """
        if kind is OrderType.LIMIT and limit is not None:
            return (self.reach - limit) * self.sign >= 0
        if kind in _STOPS and stop is not None:
            return (stop - self.stand) * self.sign >= 0
        return True


def order_rate(case: Case) -> Ceiling:
    """No more than ``risk.orders_per_minute`` orders in sixty seconds; what this cycle sends to get out counts first."""
    now, standing = case.snapshot.at, case.standing
    since = now - _MINUTE
    sent = len([at for at in case.snapshot.ledger.sent_at if since < at <= now]) + standing.sent + standing.leaving
    limit = case.policy.risk.orders_per_minute
    return all_or_nothing("order_rate", case, sent < limit, f"{sent} orders in 60 s, at most {limit}")


def duplicate(case: Case) -> Ceiling:
    """The same bot, symbol and side not twice: not while the first is under way, and not within ``risk.duplicate_seconds``."""
    bot, symbol, side = case.bot.id, case.intent.symbol, case.intent.side
    seconds = case.policy.risk.duplicate_seconds
    for one in case.standing.entering.get(symbol, ()):
        if (one.bot, one.side) == (bot, side):
            return nothing("duplicate", f"{_called(one)} is under way: a {side} of {symbol} by {bot}")
    sent = case.snapshot.ledger.bot(bot).entered.get(f"{symbol} {side}")
    if sent is None:
        return everything("duplicate", case, f"no {side} of {symbol} was sent for {bot} today")
    passed = case.snapshot.at - sent
    text = f"a {side} of {symbol} was sent for {bot} {passed.total_seconds():.1f} s ago, not again within {seconds} s"
    return all_or_nothing("duplicate", case, passed >= timedelta(seconds=seconds), text)


def opposite(case: Case) -> Ceiling:
    """No bot enters against what any bot, itself included, holds or enters of the same shares, pair or contract."""
    for symbol, side in _traded(case.intent):
        for way in case.standing.ways.get(symbol, ()):
            if way.sign == -side.sign:
                verb, word = "enters" if way.entering else "is", "long" if way.sign > 0 else "short"
                return nothing("opposite", f"{way.bot} {verb} {word} in {symbol}, and this would be a {side} of it")
    return everything("opposite", case, "no bot points the other way")


def wash_trade(case: Case) -> Ceiling:
    """No entry while an order of ours works that it could trade with, or that the venue would not take it beside."""
    intent = case.intent
    for symbol, side in _traded(intent):
        for resting in case.standing.resting.get(symbol, ()):
            why = _meets(case, side, resting)
            if why:
                return nothing("wash_trade", f"{why}: {_told(resting.order)}")
    for one in case.standing.entering.get(intent.symbol, ()):
        if not one.client_id and (why := _meets_new(case, one)):
            return nothing("wash_trade", f"{why}: {_called(one)}, a {one.side} of {one.bot}")
    return everything("wash_trade", case, "no order of ours could meet it")


def _stance(case: Case) -> Stance:
    """An entry reaches as far as its limit, or at the market one spread beyond the quote, and what is left of it stands there or
    at the near side of the quote, whichever is further from the market."""
    sign, quote, limit = case.intent.side.sign, case.quote, case.intent.limit
    far, near = (quote.ask, quote.bid) if sign > 0 else (quote.bid, quote.ask)
    reach = 2 * far - near if limit is None else limit
    return Stance(sign, reach, near if (reach - near) * sign >= 0 else reach)


def _traded(intent: Intent) -> tuple[tuple[str, Side], ...]:
    """What a wish trades, and on which side: its contracts, or its symbol."""
    if not intent.legs:
        return ((intent.symbol, intent.side),)
    return tuple((leg.symbol, leg.side) for leg in intent.legs)


def _meets(case: Case, side: Side, resting: Resting) -> str:
    """Why an entry cannot stand beside an order that works; empty when it can."""
    order = resting.order
    alone = not case.instrument.exits_with_entry and not case.intent.legs
    if alone and order.purpose is Purpose.ENTRY and order.bot != case.bot.id:
        return "its stop could not be placed beside this entry"
    if resting.side is side:
        return ""
    if order.legs or case.intent.legs:
        return "it trades the same contract the other way"
    if alone and not (case.intent.limit is not None and order.order_type is OrderType.LIMIT):
        return "the venue takes no order against it"
    return "it could trade with it" if _stance(case).meets(order.order_type, order.limit, order.stop) else ""


def _meets_new(case: Case, one: Open) -> str:
    """The same, for an entry that this cycle has admitted; contracts are left to ``opposite``."""
    if one.legs or case.intent.legs:
        return ""
    if not case.instrument.exits_with_entry and one.bot != case.bot.id:
        return "its stop could not be placed beside this entry"
    against = one.side is not case.intent.side
    return "it could trade with it" if against and _stance(case).meets(OrderType.LIMIT, one.price, None) else ""


def _told(order: Order) -> str:
    at = order.stop if order.order_type in _STOPS else order.limit
    price = "" if at is None else f" at {shown(at)}"
    return f"{order.client_id}, a {order.side} {order.order_type}{price} of {order.bot}"


def _called(one: Open) -> str:
    return one.client_id or "an entry of this cycle"
