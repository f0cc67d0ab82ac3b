"""A tournament put together: the engine of every run, with seats instead of bots and the simulated exchange for a venue.

It differs from ``hydra run`` in what it stands on: state and journal of its own (``tournament`` in the folders of runs), a policy made
from ``configs/tournament.toml``, the simulated exchange whatever is configured, and a certificate that it gives itself at every start,
since nothing that needs one can be reached. Gates, rules, exits, kills, journal, store and lock are the same.
"""

from __future__ import annotations

import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from hydra.bootstrap.setup import Setup, host, wall_now
from hydra.bootstrap.tournament_host import TournamentHost
from hydra.bootstrap.tournament_venue import Prices, open_venue
from hydra.bootstrap.venues import VenueDoors
from hydra.bootstrap.writer import Writer
from hydra.engine.cycle import Hear
from hydra.model.errors import Barred
from hydra.model.events import GENESIS, Certified, Seated
from hydra.model.portfolio import Binding, Certificate
from hydra.policy import Policy
from hydra.policy.tournament import TournamentPolicy
from hydra.ports import BotHost

COMMAND = "tournament"
FOLDER = "tournament"
"""Of the folders of runs, the tournament's part."""
_DAY_MINUTES = 1440


def setup_in(policy: Policy, config: Path, state_dir: Path, log_dir: Path) -> Setup:
    """Where a tournament's state and journal are: in folders of their own beside those of runs, a control's beside the tournament's."""
    folder = folder_of(str(policy.enabled_bots[0].parameters.get("control", "")))
    return Setup(config=config, state_dir=state_dir / folder, log_dir=log_dir / folder, policy=policy, journal_key=None)


def folder_of(control: str) -> str:
    """The name of a tournament's folder."""
    return f"{FOLDER}-{control}" if control else FOLDER


@dataclass(slots=True)
class Arena(Writer):
    """The right and the means to hold a tournament. Use as a context manager."""

    told: TournamentPolicy | None = None
    prices: Prices = field(default_factory=lambda: Prices(market="synthetic"))
    table: TournamentHost | None = None
    code: str = ""

    def begin(self, seated: Seated) -> None:
        """What the gates ask for, and what was settled beforehand: from here on there are iterations."""
        engine, bound = self.engine, self.binding()
        if not (self.venue.local and self.venue.broker.identity().mode == "sim"):
            raise Barred("a tournament trades at the simulated exchange in this process and nowhere else")
        shared = {name: getattr(bound, name) for name in Binding.__struct_fields__}
        engine.record(Certified(certificate=Certificate(wall=wall_now(), minutes=_DAY_MINUTES, head=GENESIS, **shared)))
        engine.record(seated)
        engine.settle()
        assert self.table is not None
        self.table.record = engine.record

    def code_hash(self) -> str:
        """The hash of this program's sources, looked at once: nothing was certified that could be lost by a change."""
        self.code = self.code or Writer.code_hash(self)
        return self.code

    def binding(self) -> Binding:
        """What runs here."""
        identity, policy = self.venue.broker.identity(), self.setup.policy
        return Binding(
            policy_hash=policy.hash,
            code_hash=self.code_hash(),
            account_id=identity.account_id,
            url=identity.url,
            mode=policy.mode,
            host=host(),
            practice=policy.practice,
        )

    def _bots(self, stack: ExitStack) -> BotHost:  # noqa: ARG002  # nothing of it is to be let go of
        assert self.table is not None
        return self.table

    def _enter_venue(self, stack: ExitStack) -> VenueDoors:
        assert self.told is not None
        doors = open_venue(self.told, self.setup.policy, self.prices, self.setup.state_dir, self.stop)
        stack.callback(doors.close)
        return doors


def arena(
    setup: Setup,
    told: TournamentPolicy,
    prices: Prices,
    table: TournamentHost,
    stop: threading.Event,
    hear: Hear | None = None,
) -> Arena:
    """An arena, not yet opened."""
    made = Arena(setup=setup, command=COMMAND, stop=stop)
    made.told, made.prices, made.table = told, prices, table
    made.hear = hear
    return made
