"""What the trials of ``qc --full`` are given: a ``Trial`` for a setup, in folders that are thrown away, on the disks that are used in earnest."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from hydra import __version__
from hydra.adapters.bots.processes import ProcessBotHost
from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.bootstrap.hosts import replay_host
from hydra.bootstrap.outages.sail import sail
from hydra.bootstrap.outages.weather import simulated_policy
from hydra.bootstrap.plugs import rule_book
from hydra.bootstrap.rehearsal import world
from hydra.bootstrap.setup import Setup, wall_now
from hydra.bootstrap.venues import BOOKS, VenueDoors
from hydra.bootstrap.writer import Writer
from hydra.engine.recover import BEGINNING
from hydra.engine.replay import replay
from hydra.model.errors import Refused
from hydra.policy import Policy
from hydra.ports import BotHost
from hydra.qc.outages.books import books_in_file, busy
from hydra.qc.outages.claims import VenueBooks
from hydra.qc.outages.survivor import certify
from hydra.qc.stress import Stage
from hydra.qc.trial import Told, Trial
from hydra.qc.trials.replays import decided as told_of
from hydra.qc.trials.tools import Decided
from hydra.risk.plugs import RuleBook

PREFIX = ".hydra-trial-"
_STEPS_MOST = 20_000
_KEPT = ("PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE")
"""What the hostile bots' process gets of this one's environment: where programs and temporary files are, and no keys."""


@contextmanager
def trying(  # what a full check is of; none has a sensible default
    setup: Setup, *, seed: int, storms: int, cores: int, told: Told, environ: Mapping[str, str]
) -> Iterator[Trial]:
    """A trial in folders of its own, beside the state and beside the journals, which are removed afterwards.

    Raises ``Refused`` when they cannot be made.
    """
    with _place(setup.state_dir) as folder, _place(setup.log_dir) as log_folder:
        yield trial_of(setup, folder, log_folder, seed=seed, storms=storms, cores=cores, told=told, environ=environ)


def trial_of(  # noqa: PLR0913  # as above
    setup: Setup,
    folder: Path,
    log_folder: Path,
    *,
    seed: int,
    storms: int,
    cores: int,
    told: Told,
    environ: Mapping[str, str],
) -> Trial:
    """The trial of a setup's policy."""
    tools: dict[str, Any] = {
        "sail": sail,
        "decided": decided,
        "simulated": simulated_policy,
        "open": opened,
        "stress": partial(stress_command, environ),
        "books": books_of,
        "log_folder": log_folder,
        "now": wall_now,
        "version": __version__,
    }
    return Trial(
        policy=setup.policy,
        config=setup.config,
        seed=seed,
        storms=storms,
        cores=cores,
        folder=folder,
        world=world,
        tools=tools,
        progress=told,
    )


@contextmanager
def opened(policy: Policy, state: Path, logs: Path, *, in_session: bool = True) -> Iterator[Stage]:
    """An engine as ``hydra run`` has it, bots begun and certificate left, on these folders.

    ``in_session``: the market goes on, without the engine, to where shares trade and will for a while.
    """
    setup = Setup(config=state.parent / "trial.toml", state_dir=state, log_dir=logs, policy=policy, journal_key=None)
    with Writer(setup=setup, command="trial") as writer:
        bots = writer.engine.outside.bots
        if isinstance(bots, ProcessBotHost):
            unfit = bots.start()
            if unfit:
                raise Refused("; ".join(unfit.values()))
        if in_session and policy.market.sessions == "exchange":
            _to_the_session(writer.venue)
        certify(writer.engine, wall_now())
        yield Stage(engine=writer.engine, segment=writer.segment)


def _to_the_session(venue: VenueDoors) -> None:
    for _ in range(_STEPS_MOST):
        if busy(venue.calendar.sessions(venue.clock.now())) or not venue.clock.wait(0):
            return


def decided(logs: Path, events_most: int) -> Decided:
    """A journal in a folder, from its first event, decided again by the policies that it names."""
    hosts: list[BotHost] = []
    last: list[tuple[Mapping[str, Any], tuple[RuleBook, BotHost]]] = []

    def resolve(document: Mapping[str, Any]) -> tuple[RuleBook, BotHost]:
        if not last or last[0][0] != document:
            policy = Policy.model_validate(document)
            hosts.append(replay_host(policy))
            last[:] = [(document, (rule_book(policy), hosts[-1]))]
        return last[0][1]

    events = read_journal(RealFiles(), logs, after=BEGINNING)
    try:
        result = replay(islice(events, events_most), resolve)
    finally:
        for host in hosts:
            host.close()
    return told_of(f"{logs.parent.parent.name}/{logs.parent.name}", result, whole=result.events < events_most)


def books_of(policy: Policy, state: Path) -> VenueBooks:
    """The simulated exchange's books in a state folder."""
    return books_in_file(state / BOOKS, policy, partial(ExchangeCalendar, state / "cache"))


def stress_command(environ: Mapping[str, str], cycles: int, deadline_ms: int) -> tuple[list[str], dict[str, str]]:
    """The line that plays the hostile bots, and all that stands in its environment."""
    line = [sys.executable, "-m", "hydra.bootstrap.stress", "--json", "--cycles", str(cycles)]
    path = os.pathsep.join(str(Path(one).resolve()) for one in sys.path if one)
    kept = {name: environ[name] for name in _KEPT if name in environ}
    return [*line, "--deadline-ms", str(deadline_ms), "--pause-seconds", "2"], {**kept, "PYTHONPATH": path}


@contextmanager
def _place(beside: Path) -> Iterator[Path]:
    try:
        RealFiles().make_dir(beside)
        place = Path(tempfile.mkdtemp(prefix=PREFIX, dir=beside))
    except OSError as error:
        raise Refused(f"{beside}: no folder for the trials can be made in it: {error.strerror or error}") from error
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
