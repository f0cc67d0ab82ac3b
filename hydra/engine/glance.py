"""A look that leaves no trace: the snapshot a cycle would decide on now, without journal, commands or consequences."""

from __future__ import annotations

from hydra.engine.cycle import Engine
from hydra.engine.fold import fold
from hydra.engine.observe import observe
from hydra.engine.sight import see
from hydra.model.events import VERSION, Event
from hydra.model.snapshot import Sight, Snapshot
from hydra.model.values import replace


def glance(engine: Engine) -> Snapshot:
    """Look once, fold the look into a copy of the ledger, and forget both afterwards."""
    policy = engine.book.policy
    seen = replace(observe(engine.outside, engine.ledger, None, policy), commands=())
    event = Event(v=VERSION, seq=0, ts=seen.at, run=engine.ledger.run, kind="observed", data=seen, prev="", hash="")
    ledger = fold(engine.ledger, event)
    sight = see(Sight(), seen, policy.engine.window_bars)
    return Snapshot(run=ledger.run, cycle=ledger.cycle, at=seen.at, ledger=ledger, sight=sight)
