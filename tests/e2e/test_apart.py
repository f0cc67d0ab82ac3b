"""A day with bots in processes of their own is the same day: the same answers, decisions and orders, event by event.

Real days are played twice, by bots in Hydra's process and by bots in their own, and the two journals compared. Beside the day's
own bots trades one from a file, foreign code, that remembers much and fails in two minutes. Left out of the comparison is only
what has to differ (``OTHERWISE``), and the names that are made of the run's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from hydra.adapters.bots.inline import InlineBotHost
from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.bootstrap.hosts import process_host
from hydra.bootstrap.making import make_bots
from hydra.bootstrap.plugs import rule_book
from hydra.engine.replay import Replayed, differences, replay
from hydra.model.events import Answered, Event, SegmentOpened
from hydra.model.isolation import INLINE
from hydra.policy import Policy
from hydra.ports import BotHost
from hydra.risk.plugs import RuleBook
from tests.e2e import diary_bot
from tests.e2e.both_doors import RealDay
from tests.e2e.golden.days import DAYS, Played, play, replayed

DIARY = f"""
[[bots]]
id = "diary"
bot = "{diary_bot.__file__}:make"
enabled = true
trades_per_day = 20
positions = 1
stop_loss = 0.004
size = {{ by = "notional", amount = 3000 }}
"""
"""The bot of the file; each scene adds where it trades, and when it fails."""

OTHERWISE = {
    "segment_opened": ("wall", "pid", "policy_hash", "policy.isolation.host", "isolation", "ledger.isolation"),
    "observed": ("probes", "binding.policy_hash", "binding.url"),
    "cycle_closed": ("micros",),
}
"""What two runs of one policy by two hosts, in two folders at two times, cannot have in common: a place stands for all below it."""
_CERTIFICATE = re.compile(r"(ledger\.)?certificate\.(wall|policy_hash|url|head)")
_NAMES = re.compile(r"hy-[0-9a-f]{32}|\d{8}T\d{6}-[0-9a-f]{4}")
"""Orders and runs."""
QUIET, BUSY = timedelta(minutes=4), timedelta(minutes=25)
"""The part that every run of the tests plays: all four bots of the day of options trade in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A kept day, and the diary's entry beside those of its own bots."""

    day: RealDay
    diary: str

    def played(self, host: str, folder: Path, *, whole: bool) -> Played:
        """The day, or its first busy minutes, with the bots there."""
        bots = f'{self.day.bots}\n{DIARY}{self.diary}\n[isolation]\nhost = "{host}"\n'
        begins = self.day.hour[0] + QUIET
        return play(replace(self.day, bots=bots), folder, self.day.day if whole else (begins, begins + BUSY))


def _scene(name: str, diary: str) -> Scene:
    return Scene(day=next(day for day in DAYS if day.name == name), diary=diary)


SHARES = _scene(
    "spy-momentum",
    """
bucket = "momentum"
symbols = ["SPY"]
session = { trade_start = "09:32", trade_end = "15:30", manage_until = "15:50" }
parameters = { raises_at = 585, mumbles_at = 600 }
""",
)
OPTIONS = _scene(
    "goog-spreads",
    """
bucket = "momentum"
symbols = ["GOOG"]
session = { trade_start = "09:32", trade_end = "12:00", manage_until = "12:45" }
parameters = { raises_at = 590, mumbles_at = 600 }
""",
)
COINS = _scene(
    "pairs",
    """
bucket = "crypto"
symbols = ["ETH-USD"]
parameters = { raises_at = 525, mumbles_at = 540 }
entry = { type = "limit", slippage = 0.001, spread = 0.002, seconds = 60 }
""",
)
SCENES = (SHARES, OPTIONS, COINS)
Both = tuple[Played, Played]
Player = Callable[[Scene, bool], Both]


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> Player:
    """Plays a scene by both hosts, inline first, the first time that it is asked for."""
    done: dict[tuple[str, bool], Both] = {}

    def once(scene: Scene, whole: bool) -> Both:
        key = (scene.day.name, whole)
        if key not in done:
            inline, process = (
                scene.played(host, tmp_path_factory.mktemp(f"{scene.day.name}-{host}"), whole=whole)
                for host in ("inline", "process")
            )
            done[key] = (inline, process)
        return done[key]

    return once


def _cases() -> Iterator[object]:
    yield pytest.param(OPTIONS, False, id=f"{OPTIONS.day.name}-part")
    for scene in SCENES:
        whole = (pytest.mark.drill, pytest.mark.timeout(1200))
        yield pytest.param(scene, True, id=f"{scene.day.name}-whole", marks=whole)


@pytest.mark.parametrize(("scene", "whole"), _cases())
def test_bots_in_processes_of_their_own_write_the_same_journal(scene: Scene, whole: bool, player: Player) -> None:
    inline, process = map(journal, player(scene, whole))
    assert [event.kind for event in inline] == [event.kind for event in process]
    assert unlike(inline, process) == []
    kinds = Counter(event.kind for event in process)
    assert kinds["order_sent"] >= 3
    assert {"LookupError", "TypeError"} <= set(failures(process))
    opened = [event.data.isolation for event in process if isinstance(event.data, SegmentOpened)]
    assert [isolation.host for isolation in opened if isolation is not None] == ["process"] * len(opened)
    assert [e.data.isolation for e in inline if isinstance(e.data, SegmentOpened)] == [INLINE] * len(opened)


@pytest.mark.parametrize(("scene", "whole"), _cases())
def test_a_journal_of_either_host_replays_by_either(scene: Scene, whole: bool, player: Player) -> None:
    both = player(scene, whole)
    assert [replayed(played).split(":")[0] for played in both] == ["identical", "identical"]
    inline, process = map(journal, both)
    for events, elsewhere in ((inline, in_processes), (process, in_this_process)):
        again = replay_by(elsewhere, events)
        assert again.difference is None
        assert again.decisions > 0
    if not whole:  # what is not looked at is not proved: a bot that answers otherwise is noticed
        lied = [event for event in process if isinstance(event.data, Answered) and event.data.answers]
        changed = replace_answer(process, lied[-1])
        assert replay_by(in_processes, changed).difference is not None


def journal(played: Played) -> list[Event]:
    """Every event of a day."""
    return list(read_journal(RealFiles(), played.logs))


def failures(events: Sequence[Event]) -> Counter[str]:
    """How often bots failed, by kind."""
    answered = (event.data for event in events if isinstance(event.data, Answered))
    return Counter(answer.failure.kind for each in answered for answer in each.answers if answer.failure is not None)


def unlike(inline: Sequence[Event], process: Sequence[Event]) -> list[str]:
    """Where two journals differ, less what has to."""
    names: tuple[dict[str, str], dict[str, str]] = ({}, {})
    found = []
    for one, other in zip(inline, process, strict=True):
        (mine, theirs) = (nameless(event, known) for event, known in zip((one, other), names, strict=True))
        for place, ours, others in differences(mine, theirs):
            if not _has_to_differ(one.kind, place):
                found.append(f"event {one.seq}, {one.kind}.{place}: inline {ours}, process {others}")
    return found


def nameless(event: Event, known: dict[str, str]) -> Any:
    """An event's data, its runs and orders numbered as they first appeared."""
    text = orjson.dumps(msgspec.to_builtins(event.data)).decode()
    return orjson.loads(_NAMES.sub(lambda name: known.setdefault(name[0], f"#{len(known)}"), text))


def _has_to_differ(kind: str, place: str) -> bool:
    if kind in {"segment_opened", "certified"} and _CERTIFICATE.fullmatch(place):
        return True
    return any(place == known or place.startswith(f"{known}.") for known in OTHERWISE.get(kind, ()))


def replay_by(host: Callable[[Policy], BotHost], events: Sequence[Event]) -> Replayed:
    """Execute a journal again, its bots asked by that host."""
    with ExitStack() as stack:
        resolved: dict[bytes, tuple[RuleBook, BotHost]] = {}

        def resolve(document: Mapping[str, Any]) -> tuple[RuleBook, BotHost]:
            key = msgspec.json.encode(document)
            if key not in resolved:
                policy = Policy.model_validate(document)
                resolved[key] = (rule_book(policy), host(policy))
                stack.callback(resolved[key][1].close)
            return resolved[key]

        return replay(events, resolve)


def in_processes(policy: Policy) -> BotHost:
    """Every bot of the policy in a process of its own, this program's too."""
    host = process_host(policy, policy.enabled_bots, (), deadline_ms=None)
    assert host.start() == {}
    return host


def in_this_process(policy: Policy) -> BotHost:
    """Every bot of the policy here, the foreign one too."""
    return InlineBotHost(make_bots(policy), None)


def replace_answer(events: Sequence[Event], lied: Event) -> list[Event]:
    """The journal with another word in one answer."""
    document = msgspec.to_builtins(lied.data)
    document["answers"][-1]["memory"] = {"last": "another word"}
    other = msgspec.convert(document, Answered)
    return [replace_data(event, other) if event is lied else event for event in events]


def replace_data(event: Event, data: Answered) -> Event:
    """The same line with other data."""
    return msgspec.structs.replace(event, data=data)
