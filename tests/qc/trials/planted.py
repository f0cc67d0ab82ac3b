"""What is planted for the trials to find: an outside that does not sync, bots that change their mind, that sleep, that fail."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.bootstrap.outages.losses import Losses
from hydra.bootstrap.outages.sail import Sailed
from hydra.bootstrap.outages.weather import weather_of
from hydra.bootstrap.trials import opened
from hydra.engine.outside import Outside
from hydra.model.snapshot import View
from hydra.policy import Policy
from hydra.ports import Bot, Setting
from hydra.qc.outages.tally import Tally
from hydra.qc.stress import Stage

SLEEP_SECONDS = 0.06


class Standin:
    """A port of which one method is another."""

    def __init__(self, inner: Any, **methods: Callable[..., Any]) -> None:
        self._inner = inner
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def careless(outside: Outside) -> Outside:
    """An outside whose journal is never durable."""
    return replace(outside, journal=Standin(outside.journal, sync=lambda: None))


def careless_sail(kind: str, seed: int, number: int, faults: int, folder: Path, *_rest: Any) -> Sailed:
    """A voyage of losses of power without a sync, on the storm's own policy."""
    place = folder / f"{kind}-{number}"
    place.mkdir()
    voyage = Losses(place, number, seed, Tally(), weather_of(number), careless)
    problems = next((found for found in voyage.sail(faults * 3) if found), [])
    return Sailed(kind=kind, number=number, problems=tuple(problems), tally=voyage.tally.document(), seconds=0.0)


def short_sail(kind: str, seed: int, number: int, _faults: int, folder: Path, *_rest: Any) -> Sailed:
    """A voyage of three losses on the storm's own policy, all well; its journal is left."""
    place = folder / f"{kind}-{number}"
    place.mkdir()
    voyage = Losses(place, number, seed, Tally(), weather_of(number))
    problems = [problem for found in voyage.sail(3) for problem in found]
    voyage.close()
    tally = voyage.tally.document()
    return Sailed(kind=kind, number=number, problems=tuple(problems), tally=tally, seconds=0.0, folder=str(place))


@contextmanager
def on_a_slow_disk(policy: Policy, state: Path, logs: Path, *, in_session: bool = True) -> Iterator[Stage]:
    """An engine whose journal takes its time to be durable."""
    with opened(policy, state, logs, in_session=in_session) as stage:
        journal = stage.engine.outside.journal

        def sync() -> None:
            time.sleep(SLEEP_SECONDS)
            journal.sync()

        stage.engine.outside = replace(stage.engine.outside, journal=Standin(journal, sync=sync))
        yield stage


@contextmanager
def ended_at_once(policy: Policy, state: Path, logs: Path, *, in_session: bool = True) -> Iterator[Stage]:
    """An engine whose market is over after the first cycle."""
    with opened(policy, state, logs, in_session=in_session) as stage:
        clock = Standin(stage.engine.outside.clock, wait=lambda _seconds: False)
        stage.engine.outside = replace(stage.engine.outside, clock=clock)
        yield stage


def fickle(_setting: Setting) -> Bot:
    """Remembers something else each time, whatever it is shown."""

    def bot(_view: View, _memory: Mapping[str, Any]) -> tuple[tuple[()], dict[str, Any]]:
        return (), {"chance": os.urandom(4).hex()}

    return bot


def sleepy(_setting: Setting) -> Bot:
    """Thinks for long when there are no bars."""

    def bot(view: View, memory: Mapping[str, Any]) -> tuple[tuple[()], Mapping[str, Any]]:
        if not any(view.bars.values()):
            time.sleep(SLEEP_SECONDS)
        return (), memory

    return bot


def trusting(_setting: Setting) -> Bot:
    """Takes it for granted that there is a quote."""

    def bot(view: View, _memory: Mapping[str, Any]) -> tuple[tuple[()], Mapping[str, Any]]:
        return (), {"bid": str(view.quotes[view.symbols[0]].bid)}

    return bot


def steady(_setting: Setting) -> Bot:
    """Wishes nothing and remembers nothing."""

    def bot(_view: View, memory: Mapping[str, Any]) -> tuple[tuple[()], Mapping[str, Any]]:
        return (), memory

    return bot
