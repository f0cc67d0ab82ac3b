"""The engine as a paper run has it, with a venue that lives in memory: real journal, real store, real inbox and probes.

What is put together here is what ``hydra.bootstrap.writer`` puts together, less the lock and the venue's own books, and
with a file system that counts what the journal writes and syncs.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.feed import MemoryFeed
from hydra.adapters.bots.inline import InlineBotHost
from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.exchange.doors import SimBroker, SimClock, SimMarket
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.files import RealAppendFile, RealFiles
from hydra.adapters.fingerprint import CodeFingerprint
from hydra.adapters.inbox import FileInbox
from hydra.adapters.journal.writer import JournalWriter
from hydra.adapters.probes import HealthProbes, standard_measures
from hydra.adapters.reads import read_inline
from hydra.adapters.store.store import SqlStore
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.making import make_bots
from hydra.bootstrap.plugs import rule_book
from hydra.engine.cycle import Engine
from hydra.engine.outside import Outside
from hydra.engine.recover import recover
from hydra.model.events import Certified, SegmentOpened
from hydra.model.portfolio import Binding, Certificate, Ledger
from hydra.policy import Policy
from hydra.ports import BotHost

PAPER = Path(__file__).resolve().parent.parent / "configs" / "paper.toml"
SYMBOLS = ("AAPL", "AMD", "AMZN", "GOOG", "INTC", "META", "MSFT", "NVDA", "SPY", "TSLA")
_RUN = "benchmark"
_SIGNALS = (("sma_cross", {"fast": 10, "slow": 30}), ("breakout", {"lookback": 30}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is measured: how the market moves, how often health is looked at, and where the journal lies."""

    name: str
    step_seconds: int = 60
    fresh_quotes: bool = True
    health_seconds: float = 1.0
    journal_dir: Path | None = None


@dataclass(slots=True)
class Counted:
    """What the journal has written and synced so far."""

    written_bytes: int = 0
    syncs: int = 0


class CountedFile:
    """An ``AppendFile`` that counts."""

    def __init__(self, file: RealAppendFile, counted: Counted) -> None:
        self._file = file
        self._counted = counted

    def write(self, data: bytes) -> None:
        """Append."""
        self._counted.written_bytes += len(data)
        self._file.write(data)

    def sync(self) -> None:
        """Make durable."""
        self._counted.syncs += 1
        self._file.sync()

    def close(self) -> None:
        """Close."""
        self._file.close()


class CountingFiles(RealFiles):
    """The ``Files`` of the journal, counting."""

    def __init__(self) -> None:
        self.counted = Counted()

    def append_to(self, path: Path) -> CountedFile:  # type: ignore[override]  # the port asks for no more
        """Open for appending."""
        return CountedFile(super().append_to(path), self.counted)


@dataclass(slots=True, kw_only=True)
class Rig:
    """A running engine and what it takes to drive it."""

    engine: Engine
    clock: SimClock
    counted: Counted
    policy: Policy
    fingerprint: CodeFingerprint
    segments: int = 1

    def step(self) -> bool:
        """Move the market on; a new exchange day begins a new segment, as in the engine's loop."""
        day = self.engine.ledger.day
        if not self.clock.wait(0):
            return False
        today = self.engine.outside.calendar.sessions(self.clock.now()).day
        if day is not None and day.date != today:
            self.segments += 1
            self.engine.open_segment(self.opening())
        return True

    def opening(self) -> SegmentOpened:
        """The opening of the present segment."""
        return SegmentOpened(
            segment=self.segments,
            wall=datetime.now(UTC),
            command="benchmark",
            host=platform.node(),
            pid=0,
            version="",
            code_hash=self.fingerprint.hash(),
            policy_hash=self.policy.hash,
            policy=self.policy.document(),
            seed=self.policy.engine.seed,
            market=self.engine.outside.market.describe(),
            practice=self.policy.practice,
            ledger=Ledger(),
        )


def policy_of(bots: int) -> Policy:
    """The paper policy with ``bots`` momentum bots, a symbol each: two signals in turn, in the market all day."""
    paper = load_policy(PAPER, {}).model_dump()
    template = paper["bots"][0]
    paper["bots"] = [
        {
            **template,
            "id": f"bot-{n}",
            "symbols": [SYMBOLS[n % len(SYMBOLS)]],
            "signal": signal,
            "parameters": parameters,
        }
        for n, (signal, parameters) in ((n, _SIGNALS[n % len(_SIGNALS)]) for n in range(bots))
    ]
    return Policy.model_validate(paper)


@contextmanager
def rig(
    setting: Setting,
    folder: Path,
    calendar: ExchangeCalendar,
    *,
    policy: Policy,
    steps: int,
    bots: BotHost | None = None,
) -> Iterator[Rig]:
    """An engine in ``folder``, recovered and certified, its market at the first step. Without ``bots`` they are asked inline."""
    feed = MemoryFeed(
        policy.symbols, calendar, steps=steps, step_seconds=setting.step_seconds, fresh_quotes=setting.fresh_quotes
    )
    broker = policy.broker
    venue = SimulatedVenue(
        feed,
        calendar,
        VenueSettings(
            starting_cash=broker.starting_cash,
            commission_per_share=broker.commission_per_share,
            crypto_fee=broker.crypto_fee,
            slippage=broker.slippage,
            half_spread=broker.half_spread,
            bar_seconds=policy.market.bar_seconds,
            crypto_exits=True,
        ),
    )
    files, fingerprint = CountingFiles(), CodeFingerprint(look_seconds=setting.health_seconds)
    logs = setting.journal_dir or folder / "logs"
    for each in (folder / "state", folder / "state" / "inbox", logs):
        files.make_dir(each)
    with ExitStack() as stack:
        store = SqlStore(f"sqlite:///{folder / 'state' / 'trading_state.db'}")
        stack.callback(store.close)
        clock = SimClock(venue)
        journal = JournalWriter(files, logs, _RUN, now=clock.now)
        stack.callback(journal.close)
        measures = standard_measures(
            files, state=folder / "state", journal=logs, minimum_mb=policy.health.disk_free_mb, store=store.ping
        )

        def binding() -> Binding:
            identity = outside.broker.identity()
            return Binding(
                policy_hash=policy.hash,
                code_hash=fingerprint.hash(),
                account_id=identity.account_id,
                url=identity.url,
                mode=policy.mode,
                host=platform.node(),
            )

        outside = Outside(
            clock=clock,
            calendar=calendar,
            market=SimMarket(venue),
            broker=SimBroker(venue),
            journal=journal,
            store=store,
            inbox=FileInbox(files, folder / "state" / "inbox", clock.now),
            probes=HealthProbes(measures, probe_seconds=setting.health_seconds),
            bots=bots or InlineBotHost(make_bots(policy), policy.engine.bot_deadline_ms),
            read_all=read_inline,
            binding=binding,
        )
        engine = Engine(outside, rule_book(policy), Ledger())
        result = Rig(engine=engine, clock=clock, counted=files.counted, policy=policy, fingerprint=fingerprint)
        engine.open_segment(result.opening())
        engine.record(recover(outside, engine.ledger, policy))
        engine.record(Certified(certificate=_certificate(binding(), policy)))
        engine.settle()
        yield result


def _certificate(binding: Binding, policy: Policy) -> Certificate:
    bound = {name: getattr(binding, name) for name in binding.__struct_fields__}
    return Certificate(wall=datetime.now(UTC), minutes=policy.certificate.minutes, head="", **bound)
