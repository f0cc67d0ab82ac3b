"""What follows from a plan, as the events that record it: what has to be done, and what may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import Any

from hydra.model.events import KIND_OF, CancelSent, Flattened, ForeignAccepted, Halted, Released, Resumed
from hydra.model.money import ZERO
from hydra.model.snapshot import Plan
from hydra.model.values import Value

_KEYS: Mapping[type[Value], Callable[[Any], Any]] = {
    CancelSent: attrgetter("client_id"),
    Halted: attrgetter("halt"),
    Resumed: attrgetter("by", "reason"),
    Flattened: attrgetter("by", "reason", "bot"),
    ForeignAccepted: attrgetter("by", "reason"),
    Released: attrgetter("by", "reason", "bot", "forget"),
}
"""What has to agree between something done and something planned."""


def key_of(done: Value) -> tuple[Any, ...]:
    """What something that was done and something that was planned are held together by."""
    if type(done) not in _KEYS:
        return (type(done).__name__,)
    return (KIND_OF[type(done)], _KEYS[type(done)](done))


def must_do(plan: Plan) -> Iterator[Value]:
    """What follows from a plan without fail, once the cycle is closed."""
    for cancel in plan.cancels:
        yield CancelSent(client_id=cancel.client_id, venue_id=cancel.venue_id, reason=cancel.reason)
    for halt in plan.halts:
        yield Halted(halt=halt)
    for one in plan.resumes:
        yield Resumed(by=one.by, reason=one.reason, forced=one.force)
    for one in plan.flattens:
        yield Flattened(by=one.by, reason=one.reason, bot=one.bot)
    for one in plan.releases:
        yield Released(by=one.by, reason=one.reason, bot=one.bot, forget=one.force)


def to_do(plan: Plan) -> Iterator[Value]:
    """What may follow from a plan: also what makes way for an order, and an acceptance that came to something."""
    yield from must_do(plan)
    for send in plan.sends:
        for cancel in send.release:
            yield CancelSent(client_id=cancel.client_id, venue_id=cancel.venue_id, reason=cancel.reason)
    for one in plan.accepts:
        yield ForeignAccepted(by=one.by, reason=one.reason, cash=ZERO)
