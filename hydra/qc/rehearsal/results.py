"""What became of trades, by the exchange's executions alone: when they were opened and closed, and what they brought.

Worked out anew from the first execution whenever an entry leaves, which is seldom. A contract of a structure is a trade of its own; what
its bot won or lost is known when the last of them is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from hydra.adapters.exchange.model import Execution
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.model.market import multiplier_of
from hydra.model.orders import Order

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A trade: whose, in what, on which exchange day it was opened, and (``None``: still open) when it was closed, in dollars."""

    bot: str
    symbol: str
    entry: str
    opened_on: date
    quantity: Decimal
    profit: Decimal
    structure: bool
    closed_at: datetime | None = None
    closed_on: date | None = None


def results_of(
    venue: SimulatedVenue, order_of: Callable[[str], Order | None], before: datetime | None = None
) -> list[Result]:
    """Every trade, in the order in which they were closed, then those that are open; by the executions ``before`` a time."""
    is_open: dict[tuple[str, str], Result] = {}
    closed: list[Result] = []
    for done in venue.executions():
        order = order_of(done.client_id)
        if order is None or (before is not None and done.at >= before):
            continue
        key, day = (order.bot, done.symbol), venue.calendar.sessions(done.at).day
        held = is_open.get(key)
        flow = -done.side.sign * done.quantity * done.price * multiplier_of(done.symbol) - done.fee
        if held is None:
            is_open[key] = _opened(order, done, day, flow)
            continue
        left = held.quantity + done.side.sign * done.quantity - done.fee_coin
        held = replace(held, quantity=left, profit=held.profit + flow)
        is_open[key] = held
        if left == 0:
            closed.append(replace(is_open.pop(key), closed_at=done.at, closed_on=day))
    return [*closed, *is_open.values()]


def _opened(order: Order, done: Execution, day: date, flow: Decimal) -> Result:
    return Result(
        bot=order.bot,
        symbol=done.symbol,
        entry=order.client_id,
        opened_on=day,
        quantity=done.side.sign * done.quantity - done.fee_coin,
        profit=flow,
        structure=bool(order.legs),
    )


def lost_in_a_row(results: list[Result], bot: str, today: date) -> int:
    """How many of a bot's trades were lost in a row today, the last ones; a structure is one of them."""
    mine = [one for one in results if one.bot == bot]
    still_open = {one.entry for one in mine if one.closed_at is None}
    ended: dict[str, list[Result]] = {}
    for one in mine:
        if one.closed_at is not None and not (one.structure and one.entry in still_open):
            ended.setdefault(one.entry if one.structure else f"{one.entry} {one.closed_at}", []).append(one)
    lost = 0
    for parts in sorted(ended.values(), key=lambda parts: max(one.closed_at for one in parts if one.closed_at)):
        if max(one.closed_on for one in parts if one.closed_on) == today:
            lost = lost + 1 if sum((one.profit for one in parts), ZERO) < 0 else 0
    return lost


def day_trades(results: list[Result], since: date) -> int:
    """How many trades were opened and closed on one day, from a day on."""
    return sum(1 for one in results if one.closed_on is not None and one.closed_on == one.opened_on >= since)
