"""Who sits down: from the tournament's settings and the keys there are to a panel of gladiators.

With no key at all the four local rules sit down, and the panel says so. With some, a seat without its key is empty. A seat by
``wire = "local"`` and one whose endpoint needs no key always have somebody. Nobody changes seats while a panel lives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from hydra.adapters.llm.budget import Budget
from hydra.adapters.llm.client import Client, require_extra
from hydra.adapters.llm.gladiator import ModelGladiator, Purse
from hydra.adapters.llm.panel import Panel, Seated
from hydra.adapters.llm.recordings import Recordings
from hydra.adapters.llm.replaying import AsInTheRun, History, LatestRecorded
from hydra.adapters.llm.scrub import scrub_of
from hydra.bootstrap.environment import read_text
from hydra.bootstrap.model_keys import load_model_keys
from hydra.gladiators.local import RULES, LocalGladiator
from hydra.gladiators.prompting import Prompt, built_in, prompt_of
from hydra.gladiators.seat import EMPTY, EmptySeat, Gladiator
from hydra.model.errors import BadConfig
from hydra.model.votes import SEATS
from hydra.policy.tournament import ChallengerSection, SeatSection, TournamentPolicy
from hydra.ports import Files

LOCAL = "local:"
RECORDINGS = "recordings"
SPENDING = "spending.jsonl"
NOBODY_IS_ASKED = "votes come from recordings: no model is asked"


class Places(NamedTuple):
    """Where a tournament reads and writes: its settings' file (prompts are found from there), ``.env``, its state and its logs."""

    config: Path
    env_file: Path | None
    state_dir: Path
    log_dir: Path
    files: Files
    now: Callable[[], datetime]


class Recorded(NamedTuple):
    """No call may be made: votes come from recordings, as in the run of ``history``, or (None) the latest there are."""

    history: History | None = None


def seats_of(
    policy: TournamentPolicy, environ: Mapping[str, str], places: Places, recorded: Recorded | None = None
) -> Panel:
    """The panel of these settings.

    Raises ``BadConfig`` for a prompt that is not there and a key that cannot be sent, and, when a model is to be asked, for a missing
    extra; ``Corrupt`` for damaged records of spending.
    """
    prompts = {seat: _prompt(section, places) for seat, section in policy.contenders.items() if section.wire != "local"}
    if recorded is not None:
        return _recorded(policy, prompts, places, recorded.history)
    keys = load_model_keys((section.key for section in policy.contenders.values()), environ, places.env_file)
    asked = {
        seat: section
        for seat, section in policy.contenders.items()
        if section.wire != "local" and (not section.key or section.key in keys)
    }
    nobody = not any(seat in SEATS for seat in asked)
    makers = _Makers(policy, places, prompts, keys, asked)
    gladiators = {seat: makers.make(seat, section, nobody) for seat, section in policy.contenders.items()}
    return Panel(
        gladiators.values(),
        [_seated(seat, policy.contenders[seat], gladiator, prompts) for seat, gladiator in gladiators.items()],
        _notes(policy, gladiators),
    )


def budget_of(policy: TournamentPolicy, places: Places) -> Budget:
    """The purse of a tournament: for a report of what was spent, too."""
    path = places.state_dir / SPENDING
    return Budget(places.files, path, policy.budget, policy.prices, places.now)


class _Makers:
    """Makes each gladiator; what models share is made once, and only when there is a model."""

    def __init__(
        self,
        policy: TournamentPolicy,
        places: Places,
        prompts: Mapping[str, Prompt],
        keys: Mapping[str, SecretStr],
        asked: Mapping[str, SeatSection],
    ) -> None:
        self._prompts = prompts
        self._keys = keys
        self._asked = asked
        self._purse: Purse | None = None
        if asked:
            require_extra()
            recordings = Recordings(places.files, places.log_dir / RECORDINGS)
            self._purse = Purse(budget_of(policy, places), recordings, policy.recordings.reuse)
        self._scrub = scrub_of(keys.values())

    def make(self, seat: str, section: SeatSection, nobody: bool) -> Gladiator:
        if section.wire == "local":
            return LocalGladiator(seat, section.model)
        if seat in self._asked:
            assert self._purse is not None
            client = Client(section, self._keys.get(section.key), self._scrub)
            return ModelGladiator(seat, section, self._prompts[seat], client, self._purse)
        if nobody and section.without_keys is not None:
            return LocalGladiator(seat, section.without_keys)
        return EmptySeat(seat, f"{section.key} is not set: nobody sits in seat {seat} ({section.model})")


def replay_seats(engines: Mapping[str, str], votes: History, places: Places) -> Panel:
    """The panel of a run that is over, from its own record: ``engines`` by seat, and its votes.

    Local rules vote again; everything else is repeated from recordings. Raises ``BadConfig`` for a rule there is none of.
    """
    recordings = Recordings(places.files, places.log_dir / RECORDINGS)
    gladiators: list[Gladiator] = []
    for seat, engine in engines.items():
        name = engine.removeprefix(LOCAL)
        if not engine.startswith(LOCAL):
            gladiators.append(AsInTheRun(seat, engine, recordings, votes))
        elif name in RULES:
            gladiators.append(LocalGladiator(seat, name))
        else:
            raise BadConfig(f"seat {seat}: no local rule is named {name}; expected one of {', '.join(RULES)}")
    return Panel(gladiators, notes=(NOBODY_IS_ASKED,))


def _recorded(
    policy: TournamentPolicy, prompts: Mapping[str, Prompt], places: Places, history: History | None
) -> Panel:
    if history is not None:
        engines = {
            seat: f"{LOCAL}{section.model}" for seat, section in policy.contenders.items() if section.wire == "local"
        }
        return replay_seats(engines | {seat: vote.engine for (seat, _), vote in history.items()}, history, places)
    recordings = Recordings(places.files, places.log_dir / RECORDINGS)
    gladiators: dict[str, Gladiator] = {
        seat: LocalGladiator(seat, section.model)
        if section.wire == "local"
        else LatestRecorded(seat, section, prompts[seat], recordings)
        for seat, section in policy.contenders.items()
    }
    seated = [_seated(seat, policy.contenders[seat], gladiator, prompts) for seat, gladiator in gladiators.items()]
    return Panel(gladiators.values(), seated, (NOBODY_IS_ASKED,))


def _prompt(section: SeatSection, places: Places) -> Prompt:
    if not section.prompt.endswith(".md"):
        return built_in(section.prompt)
    return prompt_of(section.prompt, read_text(places.config.parent / section.prompt))


def _seated(seat: str, section: SeatSection, gladiator: Gladiator, prompts: Mapping[str, Prompt]) -> Seated:
    is_model = not gladiator.engine.startswith(LOCAL) and gladiator.engine != EMPTY
    challenger = section if isinstance(section, ChallengerSection) else None
    return Seated(
        seat=seat,
        role=section.role,
        engine=gladiator.engine,
        model=section.model if is_model else "",
        prompt=prompts[seat].hash if is_model else "",
        cutoff=section.cutoff if is_model else None,
        against=challenger.against if challenger else "",
        calls=challenger.calls if challenger else 0,
    )


def _notes(policy: TournamentPolicy, gladiators: Mapping[str, Gladiator]) -> list[str]:
    notes: list[str] = []
    sitting = {seat: gladiators[seat].engine for seat in SEATS}
    if all(engine.startswith(LOCAL) for engine in sitting.values()):
        stand_ins = any(policy.contenders[seat].wire != "local" for seat in SEATS)
        why = "no key is set, so four local rules vote" if stand_ins else "four local rules vote"
        notes.append(f"{why}: {', '.join(f'{seat} {engine}' for seat, engine in sitting.items())}; no model is asked")
    empty = [f"{seat} ({policy.contenders[seat].key})" for seat, engine in sitting.items() if engine == EMPTY]
    if empty:
        notes.append(f"empty for want of a key, and abstaining: {', '.join(empty)}")
    return notes
