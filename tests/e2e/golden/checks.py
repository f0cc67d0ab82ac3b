"""What must hold of any day: looked up in the recorded rows and summed from the fills, without the code that traded it.

Each check gives what does not hold, a line each; nothing when all is well.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hydra.engine.sight import see
from hydra.model.activities import Activity, ActivityKind
from hydra.model.events import Answered, Decided, Event, OrderSent, SegmentOpened
from hydra.model.market import AssetClass, asset_class_of, multiplier_of
from hydra.model.orders import TEST_BOT, Fill, Intent, Order, Purpose, Side
from hydra.model.snapshot import Observed, Plan, Sight

ZERO = Decimal(0)
MINUTE = timedelta(minutes=1)
_HALF_CENT, _TICK = Decimal("0.005"), Decimal("0.01")


# -- was the price there?

Rows = dict[tuple[str, datetime], Mapping[str, str]]


def rows_of(folder: Path, files: Sequence[str]) -> tuple[Rows, Rows]:
    """(bars, quotes) by symbol and the moment at which a row was known: the end of its minute."""
    bars: Rows = {}
    quotes: Rows = {}
    for name in files:
        kind, _, file = name.partition("/")
        if kind == "options" and "-chain-" not in file:
            continue
        raw = (folder / name).read_bytes()
        text = (gzip.decompress(raw) if name.endswith(".gz") else raw).decode()
        for row in csv.DictReader(text.splitlines()):
            symbol = row.get("symbol") or file.split("-1min")[0]
            known = datetime.fromisoformat(row["timestamp"]).astimezone(UTC) + MINUTE
            (bars if kind == "bars" else quotes)[symbol, known] = row
    return bars, quotes


def impossible_fills(fills: Iterable[Fill], bars: Rows, quotes: Rows) -> Iterator[str]:
    """Fills at a price that nobody offered.

    Possible is the far side of a quote that is at most two minutes old, and whatever lies within the bar of that minute, half
    the quoted spread beyond it included: so much dearer is an order at the market that has to wait for the next bar. A contract
    trades at its quotes alone.
    """
    for fill in fills:
        recent = [quotes.get((fill.symbol, fill.at - ago * MINUTE)) for ago in range(3)]
        row = next(filter(None, recent), None)
        far = None if row is None else row["ask" if fill.side is Side.BUY else "bid"]
        if far and Decimal(far) == fill.price:
            continue
        bar = bars.get((fill.symbol, fill.at))
        if asset_class_of(fill.symbol) is not AssetClass.OPTION and bar is not None:
            before = next(filter(None, recent[1:]), None)
            room = ZERO if before is None else (Decimal(before["ask"]) - Decimal(before["bid"])) / 2 + _TICK
            if Decimal(bar["low"]) - room <= fill.price <= Decimal(bar["high"]) + room:
                continue
        yield f"{fill.at:%m-%d %H:%M} {fill.side} {fill.quantity} {fill.symbol} at {fill.price}: quote {row}, bar {bar}"


# -- is the profit what the fills say?


def fills_of(events: Iterable[Event]) -> list[Fill]:
    """Every execution of a journal."""
    return [fill for event in events if isinstance(event.data, Observed) for fill in event.data.fills]


def activities_of(events: Iterable[Event]) -> list[Activity]:
    """Everything else that changed the account."""
    return [each for event in events if isinstance(event.data, Observed) for each in event.data.activities]


def owners_of(events: Iterable[Event]) -> dict[str, str]:
    """The bot of every order, by client id; an exit that hangs on an entry is named after it."""
    return {event.data.order.client_id: event.data.order.bot for event in events if isinstance(event.data, OrderSent)}


def wrong_profits(events: Sequence[Event], document: Mapping[str, Any]) -> Iterator[str]:
    """Bots whose profit is not what their fills brought in, less their fees; of those that hold nothing in the end.

    What a pair's sale costs in dollars is posted for its symbol, at the instant of the sale. The regulators' fees are posted for the
    whole day and shared out among the sales, so of these only the sum is looked at.
    """
    owners = owners_of(events)
    brought: dict[str, Decimal] = defaultdict(lambda: ZERO)
    sales: dict[tuple[str, datetime], str] = {}
    for fill in fills_of(events):
        bot = owners[fill.client_id.removesuffix(".stop").removesuffix(".target")]
        brought[bot] -= fill.side.sign * fill.quantity * fill.price * multiplier_of(fill.symbol) + fill.fee
        if fill.side is Side.SELL:
            sales[fill.symbol, fill.at] = bot
    shared = ZERO
    for posted in activities_of(events):
        if posted.kind is ActivityKind.COIN_FEE and posted.amount:
            brought[sales[posted.symbol, posted.at]] += posted.amount
        elif posted.kind is ActivityKind.FEE:
            shared -= posted.amount
    flat = [row for row in document["bots"] if row["open"] == "0"]
    paid = {row["bot"]: brought[row["bot"]] - Decimal(row["net"]) for row in flat}
    for bot, fees in paid.items():
        if not -_HALF_CENT <= fees <= shared + _HALF_CENT:
            yield f"{bot}: its fills brought {brought[bot]} after its own fees, of {shared} shared it paid {fees}"
    if len(flat) == len(document["bots"]):
        of_nobody = sum(map(Decimal, (row["net"] for row in flat)), ZERO) - Decimal(document["equity"]["change"])
        if abs(sum(paid.values(), ZERO) + of_nobody - shared) > _HALF_CENT:
            yield f"bots paid {sum(paid.values(), ZERO)} and nobody {of_nobody} of {shared} that was posted for all"


# -- does the journal explain every order?


@dataclass(slots=True)
class _Cycle:
    """What a journal said of the present cycle before an order was sent."""

    sight: Sight = field(default_factory=Sight)
    policy: Mapping[str, Any] = field(default_factory=dict)
    wishes: tuple[Intent, ...] = ()
    plan: Plan | None = None


def unexplained(events: Iterable[Event]) -> Iterator[str]:
    """Orders of which the journal does not say what was seen, what was asked, who capped it to what, and what was sent."""
    now, sent = _Cycle(), set[str]()
    for event in events:
        data = event.data
        if isinstance(data, SegmentOpened):
            now = _Cycle(policy=data.policy)
        elif isinstance(data, Observed):
            now = _Cycle(sight=see(now.sight, data, 2), policy=now.policy)
        elif isinstance(data, Answered):
            now.wishes = tuple(intent for answer in data.answers for intent in answer.intents)
        elif isinstance(data, Decided):
            now.plan = data.plan
        elif isinstance(data, OrderSent) and data.order.bot != TEST_BOT:
            why_not = _why_not(data.order, now, sent)
            if why_not:
                yield f"{data.order.sent_at:%m-%d %H:%M} {data.order.bot} {data.order.purpose}: {why_not}"
            sent.add(data.order.client_id)


def _why_not(order: Order, now: _Cycle, sent: set[str]) -> str:
    if now.plan is None or order not in [send.order for send in now.plan.sends]:
        return "no plan of its cycle has it"
    if order.sent_at != now.sight.at:
        return f"sent at {order.sent_at}, the last look was at {now.sight.at}"
    unseen = [name for name in _priced(order) if not _has_quote(name, now.sight)]
    if order.purpose is Purpose.ENTRY and unseen:
        return f"no quote was seen of {', '.join(unseen)}"
    return _entry_why_not(order, now) if order.purpose is Purpose.ENTRY else _exit_why_not(order, now, sent)


def _entry_why_not(order: Order, now: _Cycle) -> str:
    assert now.plan is not None
    judged = [
        j for j in now.plan.judgements if (j.intent.bot, j.intent.symbol) == (order.bot, order.symbol) and j.admitted
    ]
    if len(judged) != 1 or judged[0].intent not in now.wishes:
        return f"{len(judged)} judgements of it, or of a wish that nobody had"
    (one,) = judged
    rules = [ceiling.rule for ceiling in one.ceilings]
    if rules != list(now.policy["risk"]["rules"]):
        return f"judged by {', '.join(rules)} only"
    lowest = min(ceiling.quantity for ceiling in one.ceilings)
    if not one.admitted == order.quantity <= min(lowest, one.asked):
        return f"sent {order.quantity}, admitted {one.admitted}, the lowest ceiling is {lowest} of {one.asked}"
    if not all(ceiling.reason for ceiling in one.ceilings) or order.thesis != one.intent.thesis:
        return "a ceiling or the order itself has no reason"
    if lowest < one.asked and not any(one.reason.startswith(c.rule) for c in one.ceilings if c.quantity == lowest):
        return f"the reason {one.reason!r} names no rule that bit"
    return ""


def _exit_why_not(order: Order, now: _Cycle, sent: set[str]) -> str:
    before, _, after = order.thesis.partition(": ")
    if order.purpose is Purpose.STOP:
        return "" if any(name in order.thesis for name in sent) else f"protects nothing that was sent: {order.thesis!r}"
    asked = [wish for wish in now.wishes if wish.bot == order.bot and wish.purpose is Purpose.EXIT]
    if before == order.bot:
        return (
            ""
            if any(wish.thesis == after for wish in asked) or order.cause
            else f"nobody asked for it: {order.thesis!r}"
        )
    known = {*now.policy["risk"]["exits"], *now.policy["risk"]["option_exits"], "flatten"}
    return "" if before in known and after else f"no exit says so: {order.thesis!r}"


def _priced(order: Order) -> list[str]:
    return [leg.symbol for leg in order.legs] or [order.symbol]


def _has_quote(symbol: str, sight: Sight) -> bool:
    return symbol in sight.quotes or any(symbol in chain for chain in sight.chains.values())
