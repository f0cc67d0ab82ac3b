"""A sweep put together: which runs there are, which of them are played already, and what they come to.

    prepare  the parameters, the draw, the windows and what they are of, from what was asked for
    Sweep    the runs that are missing, played where they are to be played, each kept in the log before the next one counts
    Found    the runs in the order of their grid, and of each window the best of its training with its test

Walking forward, every combination is played on every window's training; when all of a sweep's trainings are there, the best of each
by the objective is played on the days after it. The objective is no part of what a sweep is of: with another one the same log is
gone on with, and only tests are played.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from hydra.adapters.calendar import NEW_YORK, ExchangeCalendar
from hydra.adapters.markets.feed import Feed
from hydra.bootstrap.backtest import Backtest, Stretch, by_days
from hydra.bootstrap.plugs import foreign_sources
from hydra.bootstrap.sweep_days import Day, days_of
from hydra.bootstrap.sweep_keys import grid_of
from hydra.bootstrap.sweep_log import SweepLog
from hydra.bootstrap.sweep_places import Place
from hydra.bootstrap.sweep_play import RUN, Ground, Stopped, Task, market_of, program_hash, with_files
from hydra.bootstrap.venues import Source, feed_of
from hydra.model.errors import BadConfig, Refused
from hydra.policy import Policy
from hydra.qc.crew import Lost
from hydra.study.sweep_grid import Grid
from hydra.study.sweep_rows import Objective, Part, Row, best_of
from hydra.study.sweep_windows import DAYS_MOST, Window, walk_of, windows

_ID_DIGITS = 12
_NAMES = frozenset({"bot", "signal", "gates", "rules", "exits", "option_exits", "kills"})
"""Keys that name plugs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What was asked for, as it was typed. ``seed`` is that of an invented market, and of the draw; ``lone`` as of a backtest."""

    sets: tuple[str, ...]
    lone: bool = False
    sample: int | None = None
    seed: int | None = None
    data: tuple[Path, ...] = ()
    stretch: Stretch = field(default_factory=Stretch)
    walk: str | None = None
    objective: str = "sharpe"


class Chosen(NamedTuple):
    """A window, its days, the best of its training by the objective and how that did in its test; ``None``: not known."""

    window: Window
    train: tuple[Day, Day]
    test: tuple[Day, Day]
    trained: Row | None
    tested: Row | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What there is of a sweep. ``rows`` are the runs by window and combination, tests among the windows' ``chosen`` only."""

    rows: tuple[Row, ...]
    chosen: tuple[Chosen, ...]

    @property
    def every(self) -> tuple[Row, ...]:
        """All of them, window by window, a test after its training."""
        tests = (one.tested for one in self.chosen if one.tested is not None)
        return tuple(sorted((*self.rows, *tests), key=lambda row: (row.window, row.part is Part.TEST, row.combination)))


@dataclass(slots=True, kw_only=True)
class Sweep:
    """One sweep. ``of`` is what it is of, by name, ``name`` a hash of that; ``lost`` are runs that came to no answer, with the reason."""

    ground: Ground
    grid: Grid
    numbers: tuple[int, ...]
    objective: Objective
    days: tuple[Day, ...]
    windows: tuple[Window, ...]
    stretch: Stretch
    of: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    lost: list[tuple[Task, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Twelve hexadecimal digits that no other sweep has."""
        return sha256(orjson.dumps(self.of, option=orjson.OPT_SORT_KEYS)).hexdigest()[:_ID_DIGITS]

    @property
    def runs(self) -> int:
        """How many runs there are in all, if every window has a best."""
        return len(self.numbers) * max(1, len(self.windows)) + len(self.windows)

    def play(self, log: SweepLog, place: Place, stopped: Stopped, heard: Callable[[Task, Row | Lost], None]) -> None:
        """Play what is missing, and keep it; ``heard`` is told of every run. Raises ``OSError`` when it cannot be kept."""
        for tasks in (self._first, self._tests):
            missing = [task for task in tasks(log) if task.key not in log.rows]
            if not missing or stopped() is not None:
                continue
            for task, answer in place.play(self.ground, missing, stopped):
                if isinstance(answer, Lost):
                    self.lost.append((task, answer.reason))
                else:
                    log.take(answer)
                heard(task, answer)

    def found(self, log: SweepLog) -> Found:
        """What there is in the log."""
        keys = (task.key for task in self._first(log))
        rows = tuple(log.rows[key] for key in keys if key in log.rows)
        return Found(rows=rows, chosen=tuple(self._chosen(log, window) for window in self.windows))

    # -- inside

    def _first(self, _log: SweepLog) -> Iterator[Task]:
        """Every combination on the whole history, or on every window's training."""
        if not self.windows:
            for number in self.numbers:
                yield self._task(number, 0, Part.WHOLE, self.stretch)
        for window in self.windows:
            stretch = self._between(window.begins, window.turns)
            for number in self.numbers:
                yield self._task(number, window.number, Part.TRAIN, stretch)

    def _tests(self, log: SweepLog) -> Iterator[Task]:
        """The best of each training that is complete, on the days after it."""
        for window in self.windows:
            best = self._best(log, window)
            if best is not None:
                stretch = self._between(window.turns, window.ends)
                yield self._task(best.combination, window.number, Part.TEST, stretch)

    def _task(self, number: int, window: int, part: Part, stretch: Stretch) -> Task:
        return Task(
            combination=number,
            changes=self.grid.changes(number),
            window=window,
            part=part,
            since=stretch.since,
            until=stretch.until,
        )

    def _between(self, first: int, end: int) -> Stretch:
        return Stretch(since=self.days[first].begins, until=self.days[end - 1].ends)

    def _best(self, log: SweepLog, window: Window) -> Row | None:
        """The best of a training; ``None`` while runs are missing, or when nobody can say."""
        keys = [(window.number, Part.TRAIN, number) for number in self.numbers]
        if any(key not in log.rows for key in keys):
            return None
        return best_of([log.rows[key] for key in keys], self.objective)

    def _chosen(self, log: SweepLog, window: Window) -> Chosen:
        trained = self._best(log, window)
        tested = None if trained is None else log.rows.get((window.number, Part.TEST, trained.combination))
        days = self.days
        return Chosen(
            window=window,
            train=(days[window.begins], days[window.turns - 1]),
            test=(days[window.turns], days[window.ends - 1]),
            trained=trained,
            tested=tested,
        )


def prepare(asked: Asked, policy: Policy, *, folder: Path, cache: Path) -> Sweep:
    """The sweep that was asked for, over ``policy``; ``folder`` is that of the configuration. Raises ``BadConfig``."""
    if asked.seed is not None:
        policy = policy.model_copy(update={"engine": policy.engine.model_copy(update={"seed": asked.seed})})
    policy = with_files(policy, folder.resolve())
    walk = None if asked.walk is None else walk_of(asked.walk)
    data = tuple(path.resolve() for path in asked.data)
    _refuse_endless(policy, data, asked.stretch)
    grid_of(asked.sets, policy)  # before the prices are read, which may take a while
    calendar, source = ExchangeCalendar(cache), Source(data=data)
    feed = feed_of(policy, source, calendar)
    policy = by_days(policy, feed) if asked.lone else policy
    grid = grid_of(asked.sets, policy)
    objective = Objective.of(asked.objective, tuple(bot.id for bot in policy.enabled_bots))
    numbers = grid.chosen(asked.sample, policy.engine.seed)
    days: tuple[Day, ...] = ()
    if walk is not None:
        days = days_of(feed, calendar, *_played_days(policy, data, asked.stretch))
    foreign = _foreign(policy, grid, folder)
    ground = Ground(
        policy=policy.document(),
        folder=str(folder.resolve()),
        data=tuple(map(str, data)),
        cache=str(cache.resolve()),
        market=market_of(feed),
        code=program_hash(foreign),
        foreign=tuple(map(str, foreign)),
    )
    return Sweep(
        ground=ground,
        grid=grid,
        numbers=numbers,
        objective=objective,
        days=days,
        windows=() if walk is None else windows(walk, [day.day for day in days]),
        stretch=asked.stretch,
        of={
            "policy": policy.hash,
            "prices": ground.market,
            "parameters": {axis.name: list(axis.values) for axis in grid.axes},
            "draw": None if len(numbers) == len(grid) else f"{len(numbers)} by seed {policy.engine.seed}",
            "walk": None if walk is None else str(walk),
            "from": _told(asked.stretch.since),
            "until": _told(asked.stretch.until),
            "program": ground.code,
        },
        notes=_notes(policy, source, feed, cache, ground.code),
    )


def _notes(policy: Policy, source: Source, feed: Feed, cache: Path, code: str) -> tuple[str, ...]:
    """What a backtest of the unchanged policy says before it begins; of one that cannot be played, what its prices say."""
    backtest = Backtest(policy=policy, source=source, run=RUN, calendar_cache=cache, prices=feed, code_hash=code)
    try:
        with backtest:
            return tuple(backtest.notes)
    except Refused:
        return tuple(getattr(feed, "notes", ()))


def _refuse_endless(policy: Policy, data: tuple[Path, ...], stretch: Stretch) -> None:
    if not data and stretch.until is None and policy.market.days == 0:
        raise BadConfig("market.days is 0, and the invented market never ends: name --until, or --data")


def _played_days(policy: Policy, data: tuple[Path, ...], stretch: Stretch) -> tuple[Stretch, int]:
    """What of the prices is played, and how many days at most: an invented market begins with ``market.start``."""
    if data:
        return stretch, DAYS_MOST
    start = datetime.combine(policy.market.start, datetime.min.time(), NEW_YORK)
    since = start if stretch.since is None else stretch.since
    return Stretch(since=since, until=stretch.until), DAYS_MOST if stretch.until is not None else policy.market.days


def _foreign(policy: Policy, grid: Grid, folder: Path) -> tuple[Path, ...]:
    """The files of every plug that is none of this program's and that any value of any parameter names."""
    everyone = tuple(bot.model_copy(update={"enabled": True}) for bot in policy.bots)
    whole = policy.model_copy(update={"bots": everyone})
    found = set(foreign_sources(whole))
    for axis in grid.axes:
        for value in axis.values if axis.location[-1] in _NAMES else ():
            found |= set(foreign_sources(with_files(_unchecked(whole, axis.location, value), folder.resolve())))
    return tuple(sorted(found))


def _unchecked(model: Any, location: tuple[str | int, ...], value: Any) -> Any:
    """The model with one value changed, valid or not: only the names in it are looked at."""
    first, rest = location[0], location[1:]
    if isinstance(first, int):
        entries = list(model)
        entries[first] = _unchecked(entries[first], rest, value)
        return tuple(entries)
    inner = getattr(model, first, None)
    if rest and inner is not None and not isinstance(inner, dict):
        value = _unchecked(inner, rest, value)
    elif rest:
        return model
    elif isinstance(value, list):
        value = tuple(value)
    return model.model_copy(update={first: value})


def _told(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
