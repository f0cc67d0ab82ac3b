"""What a new process does after an outage, before anyone compares: recover, a few quiet cycles, and a last look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from math import ceil

from hydra.engine.cycle import Engine
from hydra.engine.recover import recover
from hydra.model.events import Certified
from hydra.model.portfolio import Binding, Certificate
from hydra.model.snapshot import Command
from hydra.policy import Policy
from hydra.qc.outages.claims import VenueBooks, unprotected

CYCLES_MIN, CYCLES_MAX = 3, 8
"""Quiet cycles at least, and at most beyond the time of grace for an order whose outcome is unknown."""
_DAY_MINUTES = 1440


def settle_in(
    engine: Engine,
    policy: Policy,
    books: Callable[[], VenueBooks],
    leave: Callable[[Command], object],
    wall: datetime,
) -> tuple[list[str], Counter[str]]:
    """Run an opened and recovered engine until nothing is in doubt. Returns what went wrong, and what was excused.

    The positions must be protected after the very first cycle, but for those with an order whose outcome is unknown.
    """
    problems: list[str] = []
    excuses: Counter[str] = Counter()
    certify(engine, wall)
    if engine.ledger.halts:
        leave(command("resume", wall))
    most = CYCLES_MAX + ceil(policy.engine.unknown_grace_seconds / policy.market.bar_seconds)
    for number in range(1, most + 1):
        engine.cycle()
        venue = books()
        if number == 1:
            problems += [f"after one cycle: {p}" for p in unprotected(engine.ledger, venue, venue.tradable, excuses)]
        doubts = [*engine.ledger.unresolved, *unprotected(engine.ledger, venue, venue.tradable, Counter())]
        if number >= CYCLES_MIN and not doubts:
            break
        engine.outside.clock.wait(0)
    engine.record(recover(engine.outside, engine.ledger, policy))
    engine.settle()
    return problems, excuses


def command(action: str, wall: datetime) -> Command:
    """An operator's word."""
    return Command(
        command_id=f"storm-{action}-{wall:%H%M%S%f}",
        action=action,
        by="storm",
        wall=wall,
        reason="weather",
        force=action == "resume",
    )


def certify(engine: Engine, wall: datetime) -> None:
    """Leave the certificate that fits what is running, unless it is there."""
    bound = engine.outside.binding()
    if engine.ledger.certificate is not None and not bound.differences(engine.ledger.certificate):
        return
    shared = {name: getattr(bound, name) for name in Binding.__struct_fields__}
    head = engine.outside.journal.head().hash
    engine.record(Certified(certificate=Certificate(wall=wall, minutes=_DAY_MINUTES, head=head, **shared)))
    engine.settle()
