"""One run of a sweep: the same function plays it in this process, in a process beside it, and on a machine elsewhere.

Values in, values out: a ``Ground`` that all runs of a sweep share, a ``Task`` of one of them, and a ``Row``. Nothing is kept between
two runs but the prices, which are read once a process, and for the few markets that were asked for last. A process that has another
program or other prices than the one that asks plays nothing: its answer would be one to another question.
"""

from __future__ import annotations

import gc
import sys
from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.fingerprint import CodeFingerprint
from hydra.adapters.markets.feed import Feed
from hydra.bootstrap.agreement import disagreements
from hydra.bootstrap.backtest import Backtest, Stretch
from hydra.bootstrap.keys import key_at
from hydra.bootstrap.problems import misfit, name_of
from hydra.bootstrap.sources import file_of
from hydra.bootstrap.venues import Source, feed_of
from hydra.engine.run import Ending, Loop
from hydra.model.errors import BadConfig, Corrupt, Invalid, Refused
from hydra.model.values import replace
from hydra.policy import Policy
from hydra.study.document import figures
from hydra.study.record import Recorder
from hydra.study.study import study
from hydra.study.sweep_grid import Location
from hydra.study.sweep_rows import Part, Row

RUN = "sweep"
"""The run's id of every row: ids of orders are hashed from it, and no two processes may differ in them."""
_FEEDS_MOST = 2
_OF_RAY = "thirdparty_files"
"""A folder in Ray's package with packages of its own, some of which could be taken for ours."""

Stopped = Callable[[], int | None]


class Ground(NamedTuple):
    """What the runs of a sweep have in common. ``policy`` is a document, ``folder`` that of the configuration.

    ``market`` says which prices, with their hash, ``policy`` plays; ``code`` is the hash of the program and of ``foreign``, the files
    of bots and other plugs.
    """

    policy: dict[str, Any]
    folder: str
    data: tuple[str, ...]
    cache: str
    market: str
    code: str
    foreign: tuple[str, ...]


class Task(NamedTuple):
    """What one run plays. ``changes`` are values by their place in the policy's document."""

    combination: int
    changes: tuple[tuple[Location, Any], ...]
    window: int = 0
    part: Part = Part.WHOLE
    since: datetime | None = None
    until: datetime | None = None

    @property
    def key(self) -> tuple[int, Part, int]:
        """As of its row."""
        return self.window, self.part, self.combination


class Stranger(Refused):
    """This process is none of the sweep's: it has another program, or other prices."""


@dataclass(slots=True)
class Prices:
    """The prices that were read in this process, those asked for last."""

    held: OrderedDict[tuple[Any, ...], Feed] = field(default_factory=OrderedDict)

    def of(self, policy: Policy, source: Source, cache: Path) -> Feed:
        """The prices that a policy plays. Raises ``BadConfig`` as ``feed_of``."""
        key = _market_of(policy, source)
        feed = self.held.get(key)
        if feed is None:
            feed = feed_of(policy, source, ExchangeCalendar(cache))
            while len(self.held) >= _FEEDS_MOST:
                self.held.popitem(last=False)
        self.held[key] = feed
        self.held.move_to_end(key)
        return feed


_PRICES = Prices()
_KNOWN: set[tuple[str, str]] = set()
"""Programs and prices that this process was compared with."""


def play(ground: Ground, task: Task, stopped: Stopped = lambda: None) -> Row | None:
    """One run; ``None`` when it was told to stop before its end. What no policy allows is a row that says why.

    Raises ``Stranger`` for a process that is none of the sweep's.
    """
    began = monotonic()
    _compare(ground)
    row = Row(
        combination=task.combination,
        window=task.window,
        part=task.part,
        since=_told(task.since),
        until=_told(task.until),
    )
    try:
        policy = changed(ground, task.changes)
        return _played(ground, policy, task, row, stopped, began)
    except (Refused, Corrupt, Invalid) as error:
        return replace(row, refused=" ".join(str(error).split()), seconds=round(monotonic() - began, 3))


def changed(ground: Ground, changes: tuple[tuple[Location, Any], ...]) -> Policy:
    """The policy with some values changed. Raises ``BadConfig`` with what does not hold together."""
    document = deepcopy(ground.policy)
    for location, value in changes:
        _put(document, location, value)
    try:
        policy = Policy.model_validate(document)
    except ValidationError as error:
        raise BadConfig("; ".join(_problems(error))) from None
    broken = tuple(disagreements(policy))
    if broken:
        raise BadConfig("; ".join(broken))
    return with_files(policy, Path(ground.folder))


def with_files(policy: Policy, folder: Path) -> Policy:
    """The policy with its bots' files named in full: relative ones are counted from ``folder``."""
    bots = []
    for bot in policy.bots:
        file = file_of(bot.bot)
        whole = None if file is None else f"{(folder / file).resolve()}:{bot.bot.rpartition(':')[2]}"
        bots.append(bot if whole is None else bot.model_copy(update={"bot": whole}))
    return policy.model_copy(update={"bots": tuple(bots)})


def source_of(ground: Ground) -> Source:
    """What is played; the seed of an invented market is the policy's."""
    return Source(data=tuple(Path(path) for path in ground.data))


def program_hash(foreign: tuple[Path, ...]) -> str:
    """The hash of the program and of some files, the same in every process: what Ray puts into the path of its own does not count."""
    before = sys.path[:]
    sys.path[:] = [entry for entry in before if Path(entry).name != _OF_RAY]
    try:
        return CodeFingerprint(more=foreign).hash()
    finally:
        sys.path[:] = before


# -- inside


def _compare(ground: Ground) -> None:
    """Raises ``Stranger`` unless this process has the sweep's program and prices; looked at once."""
    mark = (ground.code, ground.market)
    if mark in _KNOWN:
        return
    code = program_hash(tuple(map(Path, ground.foreign)))
    if code != ground.code:
        raise Stranger(f"another program: {code[:12]} here, {ground.code[:12]} where the sweep was started")
    try:
        feed = _PRICES.of(Policy.model_validate(ground.policy), source_of(ground), Path(ground.cache))
    except BadConfig as error:
        raise Stranger(f"the sweep's prices cannot be read here: {error}") from error
    market = market_of(feed)
    if market != ground.market:
        raise Stranger(f"other prices: {market} here, {ground.market} where the sweep was started")
    _KNOWN.add(mark)
    gc.collect()
    gc.freeze()  # program and prices stay out of collections


def market_of(feed: Feed) -> str:
    """Which prices, with their hash."""
    return f"{feed.describe()}, {feed.fingerprint}"


def _played(
    ground: Ground, policy: Policy, task: Task, row: Row, stopped: Stopped, began: float
) -> Row | None:  # one run, once
    recorder, source, cache = Recorder(keep_bars=False), source_of(ground), Path(ground.cache)
    backtest = Backtest(
        policy=policy,
        source=source,
        run=RUN,
        calendar_cache=cache,
        stretch=Stretch(since=task.since, until=task.until),
        hear=recorder.take,
        prices=_PRICES.of(policy, source, cache),
        code_hash=ground.code,
    )
    with backtest:
        ending = _to_its_end(backtest, stopped)
    if stopped() is not None:
        return None
    done = study(recorder, tuple(bot.id for bot in policy.enabled_bots))
    track = done.track
    return replace(
        row,
        ended=ending.reason,
        cycles=ending.cycles,
        year=0 if track is None else track.days.year,
        dates=() if track is None else tuple(day.isoformat() for day in track.days.dates),
        returns=() if track is None else tuple(map(float, track.returns)),
        figures=figures(done.figures),
        bots={one.bot: figures(one.figures) for one in done.bots},
        seconds=round(monotonic() - began, 3),
    )


def _to_its_end(backtest: Backtest, stopped: Stopped) -> Ending:
    loop = Loop(
        engine=backtest.engine,
        segment=backtest.segment,
        cycles_max=None,
        interval_seconds=0,
        stopped=stopped,
        watch=lambda _report: None,
        pass_over=backtest.pass_over,
        daily=False,
    )
    return loop.run()


def _told(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _market_of(policy: Policy, source: Source) -> tuple[Any, ...]:
    """What the prices of a policy depend on."""
    market = orjson.dumps(policy.market.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    listed = tuple(sorted(policy.underlyings.items()))
    own = "" if source.data or policy.market.name == "synthetic" else policy.hash
    return source.data, policy.engine.seed, market, policy.symbols, listed, own


def _put(document: dict[str, Any], location: Location, value: Any) -> None:
    """Change one value; tables on the way that are not there are made."""
    box: Any = document
    for part in location[:-1]:
        if isinstance(box, dict) and box.get(part) is None:
            box[part] = {}
        box = box[part]
    box[location[-1]] = value


def _problems(error: ValidationError) -> list[str]:
    """What pydantic found, in the words of the keys."""
    found = []
    for one in error.errors(include_url=False):
        location, key = one["loc"], key_at(one["loc"])
        reason = str(one.get("ctx", {}).get("error", ""))
        if key is not None and one["type"] != "missing":
            found.append(misfit(key, location, one["input"], reason).text)
        else:
            found.append(f"{name_of(location)}: {reason or one['msg']}" if location else reason or one["msg"])
    return found
