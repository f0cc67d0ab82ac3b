"""What must be true of what an outage has left: the journal, the store and the venue's own books, side by side.

Nothing here asks the engine. The journal is read from its first event, the store is folded again into an empty one, the
venue's orders and executions are read from its books. ``CLAIMS`` hold at every moment, a second after a crash included;
``SETTLED`` hold once a new process has recovered and run a few cycles.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import zstandard

from hydra.adapters.exchange.model import Ticket
from hydra.adapters.exchange.terms import AS_ENGINE, Role
from hydra.adapters.journal.reader import read_journal, signed_head
from hydra.adapters.store.store import SqlStore
from hydra.engine.fold import fold_all
from hydra.engine.recover import BEGINNING, catch_up
from hydra.model.events import (
    GENESIS,
    CancelHeard,
    Event,
    OrderAccepted,
    OrderRejected,
    OrderSent,
    OrderUnknown,
    Recovered,
)
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.orders import Fill, Order, OrderStatus, OrderType, Purpose, VenueOrder
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Observed
from hydra.ports import Files, Head

Dump = Mapping[str, list[tuple[Any, ...]]]
_LEGS = (".stop", ".target")
_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)


@dataclass(frozen=True, kw_only=True)
class VenueBooks:
    """What the venue has, whole: every order ever taken, every execution, what is owned, and which sessions are open."""

    orders: Mapping[str, Ticket]
    fills: tuple[Fill, ...]
    positions: Mapping[str, Decimal]
    cash: Decimal
    tradable: frozenset[str] = frozenset()


@dataclass(kw_only=True)
class Evidence:
    """One comparison. ``store`` is the dump and the ledger of the store, ``rebuilt`` of the one folded from nothing."""

    events: list[Event]
    venue: VenueBooks
    store: tuple[Dump, Ledger, Head]
    rebuilt: tuple[Dump, Ledger, Head]
    excuses: Counter[str] = field(default_factory=Counter)

    @cached_property
    def ledger(self) -> Ledger:
        """The fold of the whole journal."""
        return fold_all(Ledger(), self.events)

    @cached_property
    def sent(self) -> list[Order]:
        """The orders that were journaled before they left, in order."""
        return [event.data.order for event in self.events if isinstance(event.data, OrderSent)]

    @cached_property
    def words(self) -> dict[str, VenueOrder | OrderStatus]:
        """The journal's last word on each order: what the venue reported, or a status of its own."""
        words: dict[str, VenueOrder | OrderStatus] = {}
        for event in self.events:
            _take_words(words, event.data)
        return words

    @cached_property
    def executions(self) -> list[Fill]:
        """Every fill that was journaled, in order."""
        found: list[Fill] = []
        for event in self.events:
            if isinstance(event.data, Observed | Recovered):
                found += event.data.fills
        return found


def _take_words(words: dict[str, VenueOrder | OrderStatus], data: Any) -> None:
    if isinstance(data, OrderSent):
        words.setdefault(data.order.client_id, OrderStatus.SENT)
    elif isinstance(data, OrderAccepted):
        words[data.client_id] = data.order
    elif isinstance(data, OrderRejected):
        words[data.client_id] = OrderStatus.REJECTED
    elif isinstance(data, OrderUnknown):
        words[data.client_id] = OrderStatus.UNKNOWN
    elif isinstance(data, CancelHeard) and data.order is not None:
        words[data.client_id] = data.order
    elif isinstance(data, Observed | Recovered):
        words.update({report.client_id: report for report in data.orders})
        words.update(dict.fromkeys(data.not_received, OrderStatus.NOT_RECEIVED))


# -- reading


def read_events(files: Files, folder: Path, known: Sequence[Event] = ()) -> list[Event]:
    """The whole journal from its first event, as the program's reader accepts it. Raises ``Corrupt``.

    ``known`` are events from its beginning that an earlier comparison has read: the last of them must still be there, or what was
    durable has been lost; only what follows it is decoded.
    """
    after = Head(seq=known[-1].seq, hash=known[-1].hash) if known else BEGINNING
    return [*known, *read_journal(files, folder, after=after)]


def chain_breaks(files: Files, folder: Path, events: list[Event], key: bytes | None = None) -> Iterator[str]:
    """The chain once more, by the ten lines that anyone could write; with a key, the signed head is one of its events."""
    before, place = GENESIS, 0
    segments = {json.loads(lines[0])["seq"]: lines for lines in _whole_lines(files, folder) if lines}
    for first in sorted(segments):
        for line in segments[first]:
            told = json.loads(line)
            bare = line.replace(b',"hash":"' + told["hash"].encode() + b'"', b"")
            if hashlib.sha256(bare).hexdigest() != told["hash"] or told["prev"] != before or told["seq"] != place + 1:
                yield f"chain: event {told['seq']} after event {place} does not follow, or its hash is wrong"
                return
            before, place = told["hash"], told["seq"]
    if place != len(events):
        yield f"chain: {place} lines, {len(events)} events"
    signed = None if key is None else signed_head(files, folder, key)
    if signed is not None and (signed.seq > place or events[signed.seq - 1].hash != signed.hash):
        yield f"head.json vouches for event {signed.seq} ({signed.hash[:12]}), which the journal of {place} has not"


def _whole_lines(files: Files, folder: Path) -> Iterator[list[bytes]]:
    names = files.names(folder)
    for name in names:
        data = b"".join(files.chunks(folder / name))
        if name.endswith(".jsonl.zst") and name.removesuffix(".zst") not in names:
            data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
        elif not name.endswith(".jsonl"):
            continue
        yield data[: data.rfind(b"\n") + 1].splitlines()


def read_store(url: str, *, read_only: bool = False) -> tuple[Dump, Ledger, Head]:
    """Everything in a store; one that is not there yet is made, unless it is only to be read."""
    store = SqlStore(url, read_only=read_only)
    try:
        ledger, head = store.load()
        return store.dump(), ledger, head
    finally:
        store.close()


def rebuild_store(path: Path, events: Iterable[Event]) -> tuple[Dump, Ledger, Head]:
    """Everything in a store that was folded from these events and nothing else."""
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        name.unlink(missing_ok=True)
    store = SqlStore(f"sqlite:///{path}")
    try:
        catch_up(store, lambda _head: events)
        ledger, head = store.load()
        return store.dump(), ledger, head
    finally:
        store.close()


# -- what always holds


def store_is_a_fold_of_the_journal(found: Evidence) -> Iterator[str]:
    """The store equals an empty one into which the journal up to the store's head was folded, row by row."""
    (rows, ledger, head), (rows_again, ledger_again, head_again) = found.store, found.rebuilt
    if head != head_again:
        yield f"the store stands at {head.seq} ({head.hash[:12]}), its rebuild at {head_again.seq} ({head_again.hash[:12]})"
        return
    for table in sorted(rows.keys() | rows_again.keys()):
        here, there = rows.get(table, []), rows_again.get(table, [])
        if here != there:
            lost, extra = [r for r in there if r not in here], [r for r in here if r not in there]
            yield f"table {table}: only in the rebuild {lost[:2]!r:.600}; only in the store {extra[:2]!r:.600}"
    if ledger != ledger_again:
        names = [n for n in Ledger.__struct_fields__ if getattr(ledger, n) != getattr(ledger_again, n)]
        yield f"ledger of store and rebuild differ in {', '.join(names)}"


def no_order_is_sent_twice(found: Evidence) -> Iterator[str]:
    """No client id stands in the journal as sent more than once."""
    for client_id, count in Counter(order.client_id for order in found.sent).items():
        if count > 1:
            yield f"{client_id} was sent {count} times"


def nothing_is_at_the_venue_unjournaled(found: Evidence) -> Iterator[str]:
    """Every order at the venue, or the one it is a leg of, was journaled before it left, as it is there."""
    sent = {order.client_id: order for order in found.sent}
    for ticket in found.venue.orders.values():
        order = sent.get(ticket.parent or ticket.client_id)
        if order is None:
            yield f"the venue has {ticket.client_id} ({ticket.side} {ticket.quantity} {ticket.symbol}), the journal has not"
        elif ticket.role is Role.LEG:
            if (ticket.symbol, ticket.side) not in {(leg.symbol, leg.side) for leg in order.legs}:
                yield f"{ticket.side} {ticket.symbol} is no leg of {ticket.parent}"
        elif ticket.parent:
            if ticket.client_id not in {ticket.parent + leg for leg in _LEGS} or order.purpose is not Purpose.ENTRY:
                yield f"{ticket.client_id} is no leg of the entry {ticket.parent}"
        elif order.quantity != ticket.quantity or not (order.legs or _is_alike(order, ticket)):
            yield f"{ticket.client_id} was journaled as {order}, the venue has {ticket}"


def _is_alike(order: Order, ticket: Ticket) -> bool:
    return (order.symbol, order.side) == (ticket.symbol, ticket.side)


def the_last_word_is_true(found: Evidence) -> Iterator[str]:
    """What was heard of is at the venue; what was refused or never received is not."""
    for client_id, word in found.words.items():
        ticket = found.venue.orders.get(client_id)
        if isinstance(word, VenueOrder):
            if ticket is None:
                yield f"the journal has a report of {client_id} ({word.status}), the venue has no such order"
            elif word.status.terminal and (word.status, word.filled) != (AS_ENGINE[ticket.status], ticket.filled):
                yield f"{client_id}: journaled {word.status} {word.filled}, at the venue {ticket.status} {ticket.filled}"
        elif word in (OrderStatus.REJECTED, OrderStatus.NOT_RECEIVED) and ticket is not None:
            yield f"{client_id} is journaled as {word}, the venue has it as {ticket.status}"


def fills_are_journaled_in_order(found: Evidence) -> Iterator[str]:
    """The journal's executions are the first of the venue's, each once."""
    here, there = found.executions, list(found.venue.fills)
    if here != there[: len(here)]:
        yield f"{len(here)} executions in the journal are not the first of the venue's {len(there)}"


# -- what holds once a new process has settled in


def nothing_is_unresolved(found: Evidence) -> Iterator[str]:
    """Every order's outcome is known."""
    for order in found.ledger.unresolved:
        yield f"{order.client_id} ({order.purpose} of {order.symbol}) is still {order.status}"


def every_order_is_accounted_for(found: Evidence) -> Iterator[str]:
    """Every order that was sent is at the venue with the same outcome, or the venue never had it; none is between."""
    for order in found.sent:
        word, ticket = found.words[order.client_id], found.venue.orders.get(order.client_id)
        if isinstance(word, VenueOrder) is not (ticket is not None):
            yield f"{order.client_id}: the journal's last word is {word}, the venue has {ticket}"
    working = {o.client_id: o.remaining for o in found.ledger.orders.values() if not o.status.terminal}
    resting = {t.client_id: t.remaining for t in found.venue.orders.values() if t.working and t.role is not Role.LEG}
    if working != resting:
        yield f"working in the ledger {working}, at the venue {resting}"


def every_fill_is_known(found: Evidence) -> Iterator[str]:
    """No execution is missing, and the cash is explained."""
    if len(found.executions) != len(found.venue.fills):
        yield f"{len(found.executions)} executions in the journal, {len(found.venue.fills)} at the venue"
    if found.ledger.cash != found.venue.cash:
        yield f"cash {found.ledger.cash} in the ledger, {found.venue.cash} at the venue"


def holdings_are_positions(found: Evidence) -> Iterator[str]:
    """What the bots hold, and what is nobody's, adds up to what the venue holds."""
    held: dict[str, Decimal] = defaultdict(Decimal, found.ledger.foreign)
    for holding in found.ledger.holdings.values():
        held[holding.symbol] += holding.quantity
    held_now = {symbol: quantity for symbol, quantity in held.items() if quantity}
    if held_now != dict(found.venue.positions):
        yield f"held {held_now}, at the venue {dict(found.venue.positions)}"


def holdings_are_protected(found: Evidence) -> Iterator[str]:
    """A stop of the full size, or the exit itself, works at the venue for everything that is held."""
    yield from unprotected(found.ledger, found.venue, found.venue.tradable, found.excuses)


def nothing_was_residual(found: Evidence) -> Iterator[str]:
    """No restart made ledger and venue disagree for good, and no exit failed to answer."""
    for halt in found.ledger.halts:
        if halt.kind in ("residual", "failure_window", "exit_failed"):
            yield f"halted: {halt.kind}: {halt.reason}"


def unprotected(ledger: Ledger, venue: VenueBooks, tradable: frozenset[str], excuses: Counter[str]) -> Iterator[str]:
    """Positions for which neither a stop nor an exit of their size works at the venue.

    Excused, and counted: a closed session, in which nothing can be sent; an order on the symbol whose outcome is unknown.
    Contracts are left out: a structure is held together by its own legs. So is what is nobody's.
    """
    exits_sent = {order.client_id for order in ledger.orders.values() if order.purpose is Purpose.EXIT}
    for symbol, position in venue.positions.items():
        owned = position - ledger.foreign.get(symbol, Decimal(0))
        if not owned or asset_class_of(symbol) is AssetClass.OPTION:
            continue
        closing = [t for t in venue.orders.values() if t.symbol == symbol and t.side.sign * owned < 0 and t.working]
        stops = sum((t.remaining for t in closing if t.order_type in _STOPS), Decimal(0))
        exits = sum((t.remaining for t in closing if _is_exit(t, exits_sent)), Decimal(0))
        if stops + exits >= abs(owned):
            continue
        unknown = [o for o in ledger.unresolved if o.symbol == symbol]
        if symbol not in tradable:
            excuses["bare while the session is closed"] += 1
        elif unknown:
            excuses["bare while an outcome is unknown"] += 1
        else:
            yield f"{owned} {symbol} held, stops for {stops} and exits for {exits} work at the venue"


def _is_exit(ticket: Ticket, exits_sent: set[str]) -> bool:
    return ticket.order_type is OrderType.MARKET or (ticket.client_id in exits_sent and ticket.order_type not in _STOPS)


Claim = Callable[[Evidence], Iterator[str]]
CLAIMS: tuple[Claim, ...] = (
    store_is_a_fold_of_the_journal,
    no_order_is_sent_twice,
    nothing_is_at_the_venue_unjournaled,
    the_last_word_is_true,
    fills_are_journaled_in_order,
)
SETTLED: tuple[Claim, ...] = (
    *CLAIMS,
    nothing_is_unresolved,
    every_order_is_accounted_for,
    every_fill_is_known,
    holdings_are_positions,
    holdings_are_protected,
    nothing_was_residual,
)


def broken(found: Evidence, claims: tuple[Claim, ...]) -> list[str]:
    """What does not hold, each with the claim's name."""
    return [f"{claim.__name__}: {problem}" for claim in claims for problem in claim(found)]


HELD = tuple(claim.__name__.replace("_", " ") for claim in SETTLED)
"""What is held against every outage, in words."""
