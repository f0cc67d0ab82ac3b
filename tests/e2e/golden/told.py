"""A day as text, for people to read and for a test to compare: its orders, its trades, and what it came to.

An order is told when it was sent, beside the quotes that were seen then, what became of it, and which rule kept it smaller than
was wished. Times are UTC. Names that come from the run are left out: orders are numbered as they were sent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from hydra.engine.fold import fold
from hydra.engine.sight import see
from hydra.model.events import Decided, Event, Halted, OrderSent, SegmentOpened
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.orders import Judgement, Order, Purpose
from hydra.model.portfolio import Halt, Ledger, Trade
from hydra.model.snapshot import Observed, Sight, StopMoved

ZERO, CENT = Decimal(0), Decimal("0.01")
_CAPS_MOST = 3
SIXTH = Decimal("0.000001")


@dataclass(slots=True)
class Sent:
    """An order as it was sent, what was seen then, and how it was judged when it is an entry."""

    order: Order
    seen: tuple[str, ...]
    judged: Judgement | None


@dataclass(slots=True)
class Day:
    """What a journal says of a day."""

    sent: dict[str, Sent] = field(default_factory=dict)
    last: dict[str, Order] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    halts: list[Halt] = field(default_factory=list)
    moved: dict[tuple[str, str, Decimal], StopMoved] = field(default_factory=dict)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)


def read(events: Iterable[Event]) -> Day:
    """Fold a journal and keep what a reader wants to know."""
    day, ledger, sight = Day(), Ledger(), Sight()
    judged: dict[tuple[str, str], Judgement] = {}
    for event in events:
        ledger, data = fold(ledger, event), event.data
        if isinstance(data, SegmentOpened):
            sight = Sight()
        elif isinstance(data, Observed):
            sight = see(sight, data, 2)
        elif isinstance(data, Decided):
            judged = {(one.intent.bot, one.intent.symbol): one for one in data.plan.judgements}
            day.moved |= {(moved.bot, moved.symbol, moved.stop): moved for moved in data.plan.stops}
            day.refused.update(
                (one.intent.bot, one.reason.partition(":")[0]) for one in judged.values() if not one.admitted
            )
        elif isinstance(data, OrderSent):
            order = data.order
            mine = judged.get((order.bot, order.symbol)) if order.purpose is Purpose.ENTRY else None
            day.sent[order.client_id] = Sent(order, tuple(_seen(order, sight)), mine)
        elif isinstance(data, Halted):
            day.halts.append(data.halt)
        day.last |= {name: order for name, order in ledger.orders.items() if order.bot}
        known = {trade.trade_id for trade in day.trades}
        day.trades += [trade for trade in ledger.trades if trade.trade_id not in known]
    return day


def told(title: str, day: Day, document: Mapping[str, Any]) -> str:
    """The whole text of a day. ``document`` is what ``hydra run --json`` said."""
    equity, period = document["equity"], document["period"]
    lines = [
        f"{title}: {period['from']} to {period['to']}, {document['cycles']} cycles",
        f"equity {cents(equity['start'])} to {cents(equity['end'])}, {document['ending']['reason']}",
        "",
        "orders",
        *_orders(day),
        "",
        "trades",
        *map(_trade, day.trades),
        *_structures(day),
        "",
        "by bot: trades, won, lost, realized before fees, fees, open, net",
        *map(_bot, document["bots"]),
        f"fees of no bot: {cents(_of_nobody(document))}",
        "",
        "wishes of which nothing was left, by bot and rule",
        *(f"{count:>7} {bot} {rule}" for (bot, rule), count in sorted(day.refused.items())),
        "",
        "not done, by reason",
        *(f"{skip['count']:>7} {skip['code']}" for skip in sorted(document["skips"], key=lambda one: one["code"])),
    ]
    if day.halts:
        lines += ["", "halts", *(f"{halt.at:%m-%d %H:%M} {halt.kind}: {halt.reason}" for halt in day.halts)]
    return "\n".join((*lines, ""))


def _orders(day: Day) -> Iterator[str]:
    numbers = {name: number for number, name in enumerate(day.sent, 1)}
    for name, sent in day.sent.items():
        order, last = sent.order, day.last.get(name, sent.order)
        why = order.thesis
        for other, number in numbers.items():
            why = why.replace(other, f"#{number}")
        if order.purpose is Purpose.STOP and order.stop is not None:
            moved = day.moved.get((order.bot, order.symbol, order.stop))
            why += "" if moved is None else f", {moved.reason}"
        yield f"#{numbers[name]} {order.sent_at:%m-%d %H:%M} {order.bot} {order.purpose} {_what(order)}: {why}"
        if sent.judged is not None:
            yield f"     {_capped(sent.judged)}"
        yield f"     seen {', '.join(sent.seen) or 'nothing'}; {_became(last)}"
        for exit_ in day.last.values():
            if exit_.parent == name and exit_.filled:
                yield f"     its {exit_.purpose} {_became(exit_)}"


def _what(order: Order) -> str:
    parts = [f"{order.side} {_plain(order.quantity)} {order.symbol} {order.order_type}"]
    parts += [f"stop {_plain(order.stop)}"] if order.stop is not None else []
    parts += [f"limit {_plain(order.limit)}"] if order.limit is not None else []
    protection = order.protection
    if protection is not None:
        target = "" if protection.target is None else f", target {_plain(protection.target)}"
        parts.append(f"(stop {_plain(protection.stop)}{target})")
    parts += [f"[{', '.join(f'{leg.side} {leg.ratio} {leg.symbol}' for leg in order.legs)}]"] if order.legs else []
    return " ".join(parts)


def _capped(judged: Judgement) -> str:
    """The wish, and the lowest of the ceilings below it."""
    lower = sorted((c for c in judged.ceilings if c.quantity < judged.asked), key=lambda c: (c.quantity, c.rule))
    caps = ", ".join(f"{c.rule} {_short(c.quantity)}" for c in lower[:_CAPS_MOST]) or "no rule"
    return f"wished {_short(judged.asked)}, capped by {caps}"


def _seen(order: Order, sight: Sight) -> Iterator[str]:
    """The quotes a decision was made at: of the symbol, or of each leg."""
    symbols = [leg.symbol for leg in order.legs] or [order.symbol]
    for symbol in symbols:
        if asset_class_of(symbol) is AssetClass.OPTION:
            quotes: Any = next((chain[symbol] for chain in sight.chains.values() if symbol in chain), None)
        else:
            quotes = sight.quotes.get(symbol)
        name = f"{symbol} " if order.legs else ""
        if quotes is not None:
            yield f"{name}{_side(quotes.bid, quotes.bid_size)} / {_side(quotes.ask, quotes.ask_size)} of {quotes.at:%H:%M}"


def _side(price: Decimal | None, size: Decimal | None) -> str:
    return "none" if price is None else f"{_plain(price)} x {'?' if size is None else _short(size)}"


def _became(order: Order) -> str:
    at = "" if order.updated_at is None else f" {order.updated_at:%H:%M}"
    reason = f" ({order.reason})" if order.reason else ""
    if not order.filled:
        return f"{order.status}{at}{reason}"
    legs = ", ".join(f"{_plain(getattr(leg, 'filled', None) or order.filled)} {leg.symbol}" for leg in order.legs)
    return f"{order.status}{at}: {_plain(order.filled)} at {_price(order.average_price)}{legs and f' [{legs}]'}{reason}"


def _trade(trade: Trade) -> str:
    entry, left = _price(trade.entry_price), _price(trade.exit_price)
    return (
        f"{trade.opened_at:%m-%d %H:%M} to {trade.closed_at:%m-%d %H:%M} {trade.bot} {_plain(trade.quantity)} {trade.symbol} "
        f"{entry} to {left}, fees {cents(trade.fees)}, profit {cents(trade.profit)}: {_nameless(trade.reason)}"
    )


def _structures(day: Day) -> Iterator[str]:
    """What the legs of each structure came to together."""
    numbers = {name: number for number, name in enumerate(day.sent, 1)}
    sums: dict[str, Decimal] = {}
    for trade in day.trades:
        if trade.structure:
            sums[trade.structure] = sums.get(trade.structure, ZERO) + trade.profit
    for name, profit in sums.items():
        order = day.sent[name].order
        yield f"together #{numbers[name]} {order.bot} {order.symbol}, {len(order.legs)} legs: profit {cents(profit)}"


def _of_nobody(document: Mapping[str, Any]) -> Decimal | None:
    """What equity moved beyond the bots' profit: fees that the venue posts for the whole account."""
    nets = [row["net"] for row in document["bots"]]
    if None in nets or document["equity"]["change"] is None:
        return None
    return sum(map(Decimal, nets), ZERO) - Decimal(document["equity"]["change"])


def _nameless(reason: str) -> str:
    """A reason without the names that a run gives its orders."""
    return " ".join("its entry" if word.startswith("hy-") else word for word in reason.split(" "))


def _bot(row: Mapping[str, Any]) -> str:
    figures = ", ".join(cents(row[name]) for name in ("realized", "fees", "open", "net"))
    return f"{row['bot']}: {row['trades']}, {row['won']}, {row['lost']}, {figures}"


def cents(amount: Decimal | str | None) -> str:
    """Dollars to the cent; an amount that is not known says so."""
    return "unknown" if amount is None else f"{Decimal(amount).quantize(CENT, ROUND_HALF_EVEN):f}"


def _price(price: Decimal | None) -> str:
    return "?" if price is None else _plain(price.quantize(SIXTH, ROUND_HALF_EVEN))


def _short(quantity: Decimal) -> str:
    return _plain(quantity.quantize(SIXTH)) if quantity % 1 else _plain(quantity)


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def difference(kept: Sequence[str], found: Sequence[str]) -> str:
    """The first lines in which two texts differ; empty when they are the same."""
    for number, (mine, other) in enumerate(zip(kept, found, strict=False), 1):
        if mine != other:
            return f"line {number}\n  kept  {mine}\n  found {other}"
    return "" if len(kept) == len(found) else f"{len(kept)} lines kept, {len(found)} found"
