"""Tournaments in this process: invented or recorded prices, scripted voters, and a death at any event."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.adapters.store.store import SqlStore
from hydra.bootstrap.setup import STORE, Setup
from hydra.bootstrap.tournament import Arena, arena, setup_in
from hydra.bootstrap.tournament_host import TournamentHost
from hydra.bootstrap.tournament_loop import Iterations
from hydra.bootstrap.tournament_policy import policy_of
from hydra.bootstrap.tournament_records import NAMES, Records
from hydra.bootstrap.tournament_venue import Prices
from hydra.engine.cycle import CycleReport
from hydra.engine.run import Ending
from hydra.gladiators.brief import Brief
from hydra.model.events import Event, Seated, Sitter, Voted
from hydra.model.market import Bar
from hydra.model.portfolio import Ledger
from hydra.model.votes import Choice, Vote, Why, abstain
from hydra.policy.tournament import SeatSection, SeatsSection, TournamentPolicy

MIDNIGHT = datetime(2024, 3, 4, tzinfo=UTC)
STARTED = datetime(2026, 1, 1, tzinfo=UTC)
ENGINE = "local:test"
CODE = "0" * 64
"""Stands for the hash of the sources, which takes longer to work out than an evening to hold."""
LETTERS = {"B": Choice.BUY, "S": Choice.SELL, "H": Choice.HOLD, "-": Choice.ABSTAIN}


class Died(BaseException):
    """The process ended here, as ``kill -9`` ends one: nothing is tidied up."""


def settings() -> TournamentPolicy:
    """A tournament of four local seats, with every other key at its default."""
    seats = {
        name: SeatSection(role=rule, wire="local", model=rule)
        for name, rule in zip("ABCD", ("trend", "mean_reversion", "breakout", "synthesis"), strict=True)
    }
    return TournamentPolicy(seats=SeatsSection(**seats))


def cast(seat: str, letter: str, brief: str, confidence: float = 0.6) -> Vote:
    """A seat's vote by its letter: B, S, H, or - for none."""
    choice = LETTERS[letter]
    if choice is Choice.ABSTAIN:
        return abstain(seat, Why.TIMEOUT, "no answer within 30 s", engine=ENGINE, brief=brief)
    p_up = {Choice.BUY: 0.7, Choice.SELL: 0.3, Choice.HOLD: 0.5}[choice]
    return Vote(
        seat=seat, vote=choice, confidence=confidence, p_up=p_up, reasoning="as told", engine=ENGINE, brief=brief
    )


class Script:
    """Voters who say what is written for the n-th time they are asked (``BBHS``: one letter a seat), over and over."""

    def __init__(self, *lines: str) -> None:
        self._lines = lines
        self.asked: list[Brief] = []

    def ask(
        self, brief: Brief, deadline: float, heard: Callable[[Vote], None] = lambda _vote: None
    ) -> tuple[Vote, ...]:
        """The votes of this line."""
        assert deadline > 0
        del heard
        line = self._lines[len(self.asked) % len(self._lines)]
        self.asked.append(brief)
        return tuple(cast(seat, letter, brief.hash) for seat, letter in zip("ABCD", line, strict=True))

    def close(self) -> None:
        """Nothing is open."""


class ByCandle(Script):
    """Voters whose votes follow from the brief alone, as those of rules do."""

    def ask(
        self, brief: Brief, deadline: float, heard: Callable[[Vote], None] = lambda _vote: None
    ) -> tuple[Vote, ...]:
        """All alike, by the minute of the last close."""
        del deadline, heard
        self.asked.append(brief)
        line = ("BBBH", "SSSH", "HHHH", "BBSS")[brief.at.minute // 7 % 4]
        return tuple(cast(seat, letter, brief.hash) for seat, letter in zip("ABCD", line, strict=True))


def bar(symbol: str, number: int, close: str, seconds: int = 60) -> Bar:
    """The n-th minute of a day, flat but for a dollar of range."""
    price = Decimal(close)
    return Bar(
        symbol=symbol,
        at=MIDNIGHT + timedelta(seconds=seconds * number),
        seconds=seconds,
        open=price,
        high=price + 1,
        low=price - 1,
        close=price,
        volume=Decimal(10),
    )


def csv_of(folder: Path, symbol: str, closes: Iterable[float], left_out: frozenset[int] = frozenset()) -> None:
    """A file of recorded minutes, but for those that are left out."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["timestamp,open,high,low,close,volume"]
    for number, close in enumerate(closes):
        if number not in left_out:
            at = MIDNIGHT + timedelta(minutes=number)
            lines.append(f"{at:%Y-%m-%dT%H:%M:%SZ},{close:.2f},{close + 1:.2f},{close - 1:.2f},{close:.2f},10")
    (folder / f"{symbol}-1min.csv").write_text("\n".join(lines) + "\n")


@dataclass(slots=True, kw_only=True)
class Evening:
    """One process of a tournament. ``die_at``: it ends when the n-th event of this process has been written."""

    folder: Path
    data: tuple[Path, ...] = ()
    market: str = "recorded"
    assets: Sequence[str] = ("BTC-USD", "ETH-USD")
    asker: Script = field(default_factory=lambda: ByCandle("HHHH"))
    told: TournamentPolicy = field(default_factory=settings)
    die_at: int | None = None
    control: str = ""
    watch: Callable[[Voted, CycleReport], None] = lambda _voted, _report: None
    stopped: Callable[[], int | None] = lambda: None
    kinds: list[str] = field(default_factory=list)
    heard: list[Voted] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    arena: Arena | None = field(default=None, repr=False)

    @property
    def log_dir(self) -> Path:
        """Where its journal and its records are."""
        return self.folder / "logs" / "tournament"

    def hold(self, iterations: int, interval: float = 0) -> Ending:
        """Hold so many iterations."""
        prices = Prices(market=self.market, data=self.data)
        policy = policy_of(self.told, self.assets, market=self.market, control=self.control)
        setup = setup_in(policy, self.folder / "tournament.toml", self.folder / "state", self.folder / "logs")
        table = TournamentHost(policy.enabled_bots[0], deadline_seconds=30)
        table.asker = self.asker
        records = Records(RealFiles(), setup.log_dir)

        def hear(event: Event, ledger: Ledger) -> None:
            records.take(event, ledger)
            self.kinds.append(event.kind)
            if self.die_at is not None and len(self.kinds) >= self.die_at:
                raise Died

        def take(voted: Voted, report: CycleReport) -> None:
            self.heard.append(voted)
            self.watch(voted, report)

        _spare_the_migrations(setup)
        made = arena(setup, self.told, prices, table, threading.Event(), hear)
        made.code = CODE
        with made as writer:
            self.arena = writer
            writer.begin(seated(self.told, policy.symbols))
            records.load(read_journal(RealFiles(), setup.log_dir))
            self.notes = [*writer.notes, *records.rebuilt]
            held = Iterations(arena=writer, table=table, records=records, take=take, stopped=self.stopped)
            return held.run(iterations, interval)

    def events(self) -> list[Event]:
        """The whole journal."""
        return list(read_journal(RealFiles(), self.log_dir))

    def records(self) -> dict[str, bytes]:
        """What stands in the records."""
        found = {name: self.log_dir / name for name in NAMES}
        return {name: path.read_bytes() if path.exists() else b"" for name, path in found.items()}


_EMPTY: list[bytes] = []
"""A store without anything in it, once there was one: its tables take longer to make than an evening to hold."""


def _spare_the_migrations(setup: Setup) -> None:
    path = setup.state_dir / STORE
    if path.exists():
        return
    setup.state_dir.mkdir(parents=True, exist_ok=True)
    if not _EMPTY:
        SqlStore(setup.store_url).close()
        _EMPTY.append(path.read_bytes())
    path.write_bytes(_EMPTY[0])


def seated(told: TournamentPolicy, assets: tuple[str, ...]) -> Seated:
    """What is settled before a run of these voters."""
    return Seated(
        started=STARTED,
        assets=assets,
        granularity=told.market.granularity,
        market="recorded",
        horizon=told.score.horizon,
        hold_band=float(told.score.hold_band),
        cost=0.0027,
        hold_counts=told.consensus.hold_counts,
        needed=told.consensus.needed,
        seed=1,
        seats={seat: Sitter(engine=ENGINE) for seat in "ABCD"},
    )
