"""One cycle of a journal, with everything that led to it and came of it: what a person is told of it is built from this.

The journal before the cycle is folded and no more; the cycle itself is decided again, so that also what a plan does not
record (a gate that was open, a question that was asked) is known. What became of its orders is told as far as the next look.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hydra.engine.decide import Consideration
from hydra.engine.replay import Difference, Replayer, Resolve
from hydra.model.events import Answered, CycleClosed, Decided, Event, Recovered, SegmentOpened
from hydra.model.orders import Fill
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Observed, Plan, Sight
from hydra.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A cycle. ``events`` are its own, from the look on. ``plan`` is ``None`` when it was cut off before anything was decided.

    ``before`` is the ledger before the look, ``after`` at the cycle's last event. ``fills`` are those that the next look told of
    its orders. ``next_run`` is the run that went on when this one did not close its cycle. ``difference`` is what deciding again
    came to otherwise.
    """

    policy: Policy
    events: tuple[Event, ...]
    before: Ledger
    after: Ledger
    sight: Sight
    considered: Consideration
    plan: Plan | None
    fills: tuple[Fill, ...] = ()
    next_run: str = ""
    difference: Difference | None = None

    @property
    def seen(self) -> Observed:
        """The look the cycle began with."""
        data = self.events[0].data
        assert isinstance(data, Observed), "a cycle begins with a look"
        return data

    @property
    def answered(self) -> Answered | None:
        """What the bots said; ``None`` when nobody was asked, or nobody answered any more."""
        return next((event.data for event in self.events if isinstance(event.data, Answered)), None)

    @property
    def closed(self) -> CycleClosed | None:
        """The cycle's end; ``None`` when it was cut off."""
        return next((event.data for event in self.events if isinstance(event.data, CycleClosed)), None)


@dataclass(slots=True)
class _Gathered:
    """What was collected of the cycle so far."""

    events: list[Event] = field(default_factory=list)
    before: Ledger | None = None
    after: Ledger | None = None
    sight: Sight | None = None
    considered: Consideration | None = None
    difference: Difference | None = None
    over: bool = False


def story_of(events: Iterable[Event], resolve: Resolve, cycle: int) -> Story | None:
    """The story of a cycle in ``events``, which begin with a segment that began before it; ``None`` when it is not in them.

    Raises ``Corrupt`` when they cannot be a journal's.
    """
    replayer, found = Replayer(resolve), _Gathered()
    for event in events:
        data = event.data
        if found.over or (found.events and isinstance(data, SegmentOpened)):
            found.over = True
            if isinstance(data, Observed | Recovered):
                return _told(replayer, found, event)
            continue
        if not found.events and not (isinstance(data, Observed) and data.cycle == cycle):
            replayer.skim(event)
            continue
        _gather(replayer, found, event)
    return _told(replayer, found, None) if found.events else None


def _gather(replayer: Replayer, found: _Gathered, event: Event) -> None:
    if not found.events:
        found.before = replayer.ledger
    replayer.take(event)
    found.events.append(event)
    if found.sight is None:
        found.sight, found.considered = replayer.sight, replayer.considered
    found.after, found.over = replayer.ledger, isinstance(event.data, CycleClosed)
    found.difference = replayer.result.difference


def _told(replayer: Replayer, found: _Gathered, later: Event | None) -> Story:
    assert found.before is not None
    assert found.after is not None
    assert found.sight is not None
    assert found.considered is not None
    ours = {order.client_id for order in found.after.orders.values() if order.cycle == found.after.cycle}
    fills = later.data.fills if later is not None and isinstance(later.data, Observed | Recovered) else ()
    return Story(
        policy=replayer.policy,
        events=tuple(found.events),
        before=found.before,
        after=found.after,
        sight=found.sight,
        considered=found.considered,
        plan=next((event.data.plan for event in found.events if isinstance(event.data, Decided)), None),
        fills=tuple(fill for fill in fills if fill.client_id in ours),
        next_run=later.run if later is not None and later.run != found.events[0].run else "",
        difference=found.difference,
    )
