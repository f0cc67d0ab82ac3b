"""Who sits in the seats of a run, as the rest of the tournament sees it: somebody to ask, and what every record says of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from hydra.adapters.files import RealFiles
from hydra.adapters.llm.panel import Panel
from hydra.bootstrap.environment import ENV_FILE
from hydra.bootstrap.seats import Places, Recorded, replay_seats, seats_of
from hydra.bootstrap.setup import wall_now
from hydra.model.events import Sitter
from hydra.model.votes import Vote
from hydra.policy.tournament import TournamentPolicy


def places_of(config: Path, state_dir: Path, log_dir: Path) -> Places:
    """Where a tournament with these folders of its own reads and writes."""
    return Places(
        config=config, env_file=ENV_FILE, state_dir=state_dir, log_dir=log_dir, files=RealFiles(), now=wall_now
    )


def live_panel(told: TournamentPolicy, places: Places, *, recorded: bool) -> Panel:
    """Everybody who has a key, or, with ``recorded``, whatever was recorded of them. Raises ``BadConfig``, ``Corrupt``."""
    return seats_of(told, os.environ, places, Recorded() if recorded else None)


def recorded_panel(seats: Mapping[str, Sitter], places: Places, votes: Mapping[tuple[str, str], Vote]) -> Panel:
    """The seats of a run, who vote once more without a call, by the run's own record. Raises ``BadConfig`` for a rule there is none of."""
    return replay_seats({seat: sitter.engine for seat, sitter in seats.items()}, votes, places)


def sitters_of(panel: Panel) -> dict[str, Sitter]:
    """What is journaled of each seat."""
    return {
        seat: Sitter(
            engine=one.engine,
            model=one.model,
            role=one.role,
            cutoff="" if one.cutoff is None else one.cutoff.isoformat(),
            shadow=one.shadow,
            against=one.against,
            calls=one.calls,
        )
        for seat, one in panel.seated.items()
    }
