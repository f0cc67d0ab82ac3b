"""Policies and worlds for tests of the rehearsal; the worlds are made by functions that other processes can import."""

from __future__ import annotations

import hashlib
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra.bootstrap.rehearsal import cast, world
from hydra.model.events import CycleClosed, Event
from hydra.model.values import encode
from hydra.model.values import replace as changed
from hydra.policy import Policy
from hydra.qc.rehearsal.plan import beats_of
from hydra.qc.rehearsal.shrink import Case
from hydra.qc.rehearsal.voyage import Voyage
from hydra.qc.rehearsal.world import Cast, World
from tests.machine.rigged import toothless

PAPER = Path(__file__).resolve().parents[3] / "configs" / "paper.toml"
SEED = 5


@lru_cache(maxsize=1)
def document() -> Mapping[str, Any]:
    """The default configuration, as it is written."""
    return tomllib.loads(PAPER.read_text())


def paper() -> Policy:
    """The default policy."""
    return Policy.model_validate(dict(document()))


def with_bots(*bots: str | dict[str, Any], **sections: Any) -> Policy:
    """The default policy with these of its bots, or with others, and some keys of its sections."""
    known = {bot["id"]: bot for bot in document()["bots"]}
    chosen = [known[bot] if isinstance(bot, str) else bot for bot in bots]
    merged = {name: {**document()[name], **keys} for name, keys in sections.items() if isinstance(keys, dict)}
    plain = {name: value for name, value in sections.items() if not isinstance(value, dict)}
    return Policy.model_validate({**document(), **merged, **plain, "bots": chosen})


def eager(day: str = "09:31") -> dict[str, Any]:
    """A bot from this file that wishes to enter whenever it may."""
    return {
        "id": "eager",
        "bot": f"{Path(__file__).with_name('eager_bot.py')}:make",
        "enabled": True,
        "bucket": "momentum",
        "symbols": ["SPY"],
        "trades_per_day": 100,
        "positions": 1,
        "stop_loss": 0.004,
        "take_profit": 0.004,
        "size": {"by": "notional", "amount": 5000},
        "session": {"trade_start": day, "trade_end": "15:45", "manage_until": "15:55"},
    }


def case_of(policy: Policy, number: int, beats: int | None = None) -> Case:
    """A voyage, or its beginning."""
    made = world(policy, SEED, number)
    return Case(world=made, beats=beats_of(made, SEED, number)[:beats])


def _unguarded(one: World) -> Cast:
    made = cast(one)
    return replace(made, book=toothless(made.book))


def unguarded(policy: Policy, seed: int, number: int) -> World:
    """Worlds whose rule book admits everything, so that the policy's limits are broken."""
    return replace(world(policy, seed, number), cast=_unguarded)


def _hanging(_one: World) -> Cast:
    sys.exit(7)


def deadly(policy: Policy, seed: int, number: int) -> World:
    """Worlds that end the process they are made in, from the second on."""
    made = world(policy, seed, number)
    return made if number == 1 else replace(made, cast=_hanging)


def digest(number: int, beats: int) -> str:
    """A hash over all that a voyage of the default policy journaled, but for how many microseconds it took."""
    case = case_of(paper(), number, beats)
    voyage = Voyage(case.world)
    assert voyage.play(case.beats) == []
    return hashlib.sha256(b"".join(map(_timeless, voyage.journal.written()))).hexdigest()


def _timeless(event: Event) -> bytes:
    data = event.data
    return encode(changed(event, data=changed(data, micros={})) if isinstance(data, CycleClosed) else event)


if __name__ == "__main__":
    print(digest(int(sys.argv[1]), int(sys.argv[2])))
