"""What a new process does after a crash, before anyone compares: recover, a few quiet cycles, and a last look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from hydra.bootstrap.setup import wall_now
from hydra.engine.cycle import Engine
from hydra.engine.recover import recover
from hydra.model.snapshot import Command
from hydra.policy import Policy
from tests.storm.claims import VenueBooks, unprotected
from tests.storm.weather import certify

CYCLES_MIN, CYCLES_MAX = 3, 8


def settle_in(
    engine: Engine, policy: Policy, books: Callable[[], VenueBooks], leave: Callable[[Command], object]
) -> tuple[list[str], Counter[str]]:
    """Run an opened and recovered engine until nothing is in doubt. Returns what went wrong, and what was excused.

    The positions must be protected after the very first cycle, but for those with an order whose outcome is unknown.
    """
    problems: list[str] = []
    excuses: Counter[str] = Counter()
    certify(engine)
    if engine.ledger.halts:
        leave(command("resume"))
    for number in range(1, CYCLES_MAX + 1):
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


def command(action: str) -> Command:
    """An operator's word."""
    wall = wall_now()
    return Command(
        command_id=f"storm-{action}-{wall:%H%M%S%f}",
        action=action,
        by="storm",
        wall=wall,
        reason="weather",
        force=action == "resume",
    )
