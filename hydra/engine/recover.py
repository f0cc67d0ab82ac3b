"""What happened while nobody was looking: asked of the venue, journaled, folded, and only then compared.

So a stop that filled while Hydra was down is news, not a residual. The very first recovery takes the account as it finds
it: its cash is the baseline, its positions are foreign and stay untouched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hydra.engine.answers import ask_all
from hydra.engine.fold import fold
from hydra.engine.observe import changes_at_the_venue
from hydra.engine.outside import Outside
from hydra.model.errors import Unreachable
from hydra.model.events import GENESIS, Event, Recovered
from hydra.model.money import plain
from hydra.model.orders import Fill, VenueOrder
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Observed
from hydra.policy import Policy
from hydra.ports import Head, Store

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
        "fills": lambda: broker.fills(ledger.fill_cursor),
        "account": broker.account,
        "positions": broker.positions,
    }
    answers = ask_all(outside, reads)
    failures = [outcome.failure for outcome in answers.values() if outcome.failure is not None]
    if failures:
        raise Unreachable("; ".join(f"{f.what}: {f.kind}: {f.reason}" for f in failures))
    known: dict[str, Any] = {name: outcome.value for name, outcome in answers.items()}
    account, positions, page = known["account"], known["positions"], known["fills"]
    if ledger.cash is None:
        note = f"first look at {account.account_id}: cash {plain(account.cash)}, {len(positions)} foreign positions"
        return Recovered(at=at, fill_cursor=page.cursor, baseline_cash=account.cash, foreign=positions, notes=(note,))
    changes = changes_at_the_venue(outside, ledger, known["open_orders"], page, at, policy)
    if changes.failures:
        raise Unreachable("; ".join(f"{f.what}: {f.kind}: {f.reason}" for f in changes.failures))
    return Recovered(
        at=at,
        orders=changes.reports,
        not_received=changes.not_received,
        fills=page.fills,
        fill_cursor=page.cursor if page.cursor != ledger.fill_cursor else None,
        notes=(
            *map(_order_note, changes.reports),
            *map(_lost_note, changes.not_received),
            *map(_fill_note, page.fills),
        ),
    )


def _order_note(report: VenueOrder) -> str:
    return f"order {report.client_id} ({report.side} {plain(report.quantity)} {report.symbol}) is {report.status}"


def _lost_note(client_id: str) -> str:
    return f"order {client_id} never reached the venue"


def _fill_note(fill: Fill) -> str:
    return (
        f"{fill.side} {plain(fill.quantity)} {fill.symbol} filled at {plain(fill.price)}, {fill.at:%Y-%m-%d %H:%M:%S}Z"
    )


BEGINNING = Head(seq=0, hash=GENESIS)
"""The head before the first event."""
