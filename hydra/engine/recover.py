"""What happened while nobody was looking: asked of the venue, journaled, folded, and only then compared.

So a stop that filled while Hydra was down is news, not a residual. The very first recovery takes the account as it finds
it: its cash is the baseline, its positions are foreign and stay untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from hydra.engine.answers import ask_all
from hydra.engine.fold import fold
from hydra.engine.observe import changes_at_the_venue, coin_kept, each_once
from hydra.engine.outside import Outside
from hydra.model.activities import Activity, Withheld
from hydra.model.errors import Unreachable
from hydra.model.events import GENESIS, Event, Recovered
from hydra.model.money import plain
from hydra.model.orders import Fill, VenueOrder
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Observed
from hydra.model.values import replace
from hydra.policy import Policy
from hydra.ports import ActivityPage, Cursors, FillPage, Head, Store

EventsAfter = Callable[[Head], Iterable[Event]]
"""The journal's events after a head; raises ``Corrupt`` when the head is not in the journal."""


def catch_up(store: Store, events_after: EventsAfter) -> tuple[Ledger, Head]:
    """The ledger at the journal's end: what the store has, and the tail that it has not, folded and committed.

    Raises ``Corrupt`` when store and journal contradict each other.
    """
    ledger, head = store.load()
    folded = False
    for event in events_after(head):
        if folded and isinstance(event.data, Observed | Recovered):
            store.commit(ledger, head)
        ledger, head, folded = fold(ledger, event), Head(seq=event.seq, hash=event.hash), True
    if folded:
        store.commit(ledger, head)
    return ledger, head


def rebuild(store: Store, events_after: EventsAfter) -> tuple[Ledger, Head]:
    """The store, emptied and folded again from the whole journal."""
    store.reset()
    return catch_up(store, events_after)


def recover(outside: Outside, ledger: Ledger, policy: Policy) -> Recovered:
    """What the venue says happened since the ledger's last event. Raises ``Unreachable`` when it does not say."""
    broker, at = outside.broker, outside.clock.now()
    reads: dict[str, Callable[[], Any]] = {
        "open_orders": broker.open_orders,
        "account": broker.account,
        "positions": broker.positions,
        "sessions": lambda: outside.calendar.sessions(at),
    }
    if ledger.cash is None:
        reads["cursors"] = broker.cursors
    else:
        reads["fills"] = lambda: broker.fills(ledger.fill_cursor)
        reads["activities"] = lambda: broker.activities(ledger.activity_cursor)
    answers = ask_all(outside, reads)
    failures = [outcome.failure for outcome in answers.values() if outcome.failure is not None]
    if failures:
        raise Unreachable("; ".join(f"{f.what}: {f.kind}: {f.reason}" for f in failures))
    known: dict[str, Any] = {name: outcome.value for name, outcome in answers.items()}
    if ledger.cash is None:
        return _first_look(known, at)
    page: FillPage = known["fills"]
    done: ActivityPage = known["activities"]
    changes = changes_at_the_venue(outside, ledger, known["open_orders"], page, at, policy)
    if changes.failures:
        raise Unreachable("; ".join(f"{f.what}: {f.kind}: {f.reason}" for f in changes.failures))
    fills = each_once(page)
    found = Recovered(
        at=at,
        orders=changes.reports,
        not_received=changes.not_received,
        fills=fills,
        fill_cursor=page.cursor if page.cursor != ledger.fill_cursor else None,
        activities=done.activities,
        activity_cursor=done.cursor if done.cursor != ledger.activity_cursor else None,
        day=known["sessions"].day,
    )
    kept = coin_kept(ledger, found, known["positions"])
    notes = (
        *map(_order_note, changes.reports),
        *map(_lost_note, changes.not_received),
        *map(_fill_note, fills),
        *map(activity_note, done.activities),
        *map(_kept_note, kept),
    )
    return replace(found, withheld=kept, notes=notes)


def _first_look(known: Mapping[str, Any], at: datetime) -> Recovered:
    """The account as it is found: whatever is in it now was there before, and is nobody's here."""
    account, positions, orders = known["account"], known["positions"], known["open_orders"]
    cursors: Cursors = known["cursors"]
    note = (
        f"first look at {account.account_id}: cash {plain(account.cash)}, "
        f"{len(positions)} foreign positions, {len(orders)} foreign orders"
    )
    return Recovered(
        at=at,
        fill_cursor=cursors.fills,
        activity_cursor=cursors.activities,
        baseline_cash=account.cash,
        foreign=positions,
        foreign_orders=tuple(order.venue_id for order in orders),
        day=known["sessions"].day,
        notes=(note,),
    )


def _order_note(report: VenueOrder) -> str:
    return f"order {report.client_id} ({report.side} {plain(report.quantity)} {report.symbol}) is {report.status}"


def _lost_note(client_id: str) -> str:
    return f"order {client_id} never reached the venue"


def _fill_note(fill: Fill) -> str:
    return (
        f"{fill.side} {plain(fill.quantity)} {fill.symbol} filled at {plain(fill.price)}, {fill.at:%Y-%m-%d %H:%M:%S}Z"
    )


def activity_note(activity: Activity) -> str:
    """An activity in one line, with its numbers."""
    said = [activity.kind.value.replace("_", " "), activity.symbol]
    if activity.ratio is not None:
        said.append(f"{plain(activity.ratio)} for 1")
    if activity.new_symbol:
        said.append(f"is now {activity.new_symbol}")
    if activity.quantity:
        said.append(f"position {'+' if activity.quantity > 0 else ''}{plain(activity.quantity)}")
    if activity.amount:
        said.append(f"cash {'+' if activity.amount > 0 else ''}{plain(activity.amount)}")
    said.append(f"{activity.at:%Y-%m-%d}")
    if activity.note:
        said.append(f"({activity.note})")
    return " ".join(filter(None, said))


def _kept_note(kept: Withheld) -> str:
    return f"the venue kept {plain(kept.quantity)} {kept.symbol} of {kept.bot}'s purchase as its fee"


BEGINNING = Head(seq=0, hash=GENESIS)
"""The head before the first event."""
