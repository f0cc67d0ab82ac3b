"""Everything a command needs that may write: the lock, the journal, the store, the venue, and the engine on top.

``Writer`` opens them in the order in which they depend on one another and closes them in reverse. What is opened is caught
up (the journal's tail folded) and, unless the command must work without the venue, recovered.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from hydra import __version__
from hydra.adapters.files import RealFiles
from hydra.adapters.fingerprint import CodeFingerprint
from hydra.adapters.inbox import FileInbox
from hydra.adapters.journal.reader import Tail, read_journal
from hydra.adapters.journal.retention import compress_old, expire
from hydra.adapters.journal.writer import JournalWriter, take_up
from hydra.adapters.lock import WriterLock
from hydra.adapters.probes import HealthProbes, standard_measures
from hydra.adapters.reads import ParallelReads, read_inline
from hydra.adapters.store.store import SqlStore
from hydra.bootstrap.checkpoint import refuse_edited
from hydra.bootstrap.checks import further_checks
from hydra.bootstrap.environment import ENV_FILE
from hydra.bootstrap.footing import Footing
from hydra.bootstrap.hosts import open_host
from hydra.bootstrap.mended import journal_mends
from hydra.bootstrap.plugs import foreign_sources, naming, rule_book
from hydra.bootstrap.points import find
from hydra.bootstrap.practice import refuse_mixing
from hydra.bootstrap.setup import STORE, Setup, host, this_process, wall_now
from hydra.bootstrap.venues import Source, VenueDoors
from hydra.engine.cycle import Engine, Hear
from hydra.engine.outside import Outside, ReadAll
from hydra.engine.recover import catch_up, recover
from hydra.engine.run import EXIT_HALTED
from hydra.guard import attempt
from hydra.model.errors import Barred, Refused
from hydra.model.events import Event, RunClosed, SegmentOpened
from hydra.model.isolation import Isolation
from hydra.model.portfolio import Binding, Ledger
from hydra.ports import BotHost, Head

_NEEDS_BOTS = frozenset({"qc", "run"})
_FITS: Mapping[str, frozenset[str]] = {"paper": frozenset({"sim", "paper"}), "live": frozenset({"live"})}
"""What the venue may say it is, by the policy's mode: another one is bound to nothing."""


@dataclass(slots=True)
class Writer:
    """One command's right and means to write. Use as a context manager. ``opening`` is what it is at while it opens, empty once open.

    ``hear`` is told of every event.
    """

    setup: Setup
    command: str
    source: Source = field(default_factory=Source)
    stop: threading.Event = field(default_factory=threading.Event)
    recovering: bool = True
    run: str = ""
    opening: str = ""
    hear: Hear | None = None
    notes: list[str] = field(default_factory=list)
    _engine: Engine | None = None
    _venue: VenueDoors | None = None
    _code: CodeFingerprint | None = None
    _footing: Footing | None = None
    _isolation: Isolation | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        engine = self._engine
        if engine is not None and not engine.closed and (error is None or isinstance(error, Refused)):
            ending = f"{self.command} is done" if error is None else str(error)
            closed = RunClosed(reason=ending, exit_code=0 if error is None else EXIT_HALTED, cycles=0)
            # A journal that cannot take it has an open tail, and whoever failed to write before has said why.
            attempt("journal", lambda: engine.close(closed))
        self._stack.close()

    @property
    def engine(self) -> Engine:
        """The engine, caught up with journal and venue."""
        assert self._engine is not None, "used inside its with block"
        return self._engine

    @property
    def ledger(self) -> Ledger | None:
        """The ledger as far as it is known; ``None`` before journal and store have been read. Kept after the end."""
        return None if self._engine is None else self._engine.ledger

    @property
    def venue(self) -> VenueDoors:
        """The venue's doors."""
        assert self._venue is not None, "used inside its with block"
        return self._venue

    def segment(self, number: int) -> SegmentOpened:
        """The opening of this run's n-th segment; the engine fills in the ledger."""
        policy = self.setup.policy
        return SegmentOpened(
            segment=number,
            wall=wall_now(),
            command=self.command,
            host=host(),
            pid=this_process(self.command).pid,
            version=__version__,
            code_hash=self.code_hash(),
            policy_hash=policy.hash,
            policy=policy.document(),
            seed=self.venue.seed,
            market=self.venue.market.describe(),
            practice=policy.practice,
            ledger=Ledger(),
            isolation=self._isolation,
        )

    def code_hash(self) -> str:
        """The hash of this program's sources, looked at again as often as the probes are."""
        if self._code is None:
            policy = self.setup.policy
            self._code = CodeFingerprint(more=foreign_sources(policy), look_seconds=float(policy.health.probe_seconds))
        return self._code.hash()

    def binding(self) -> Binding:
        """What is running and what lies on the disk, to be held against the certificate."""
        identity, standing, code_hash = self.venue.broker.identity(), self.setup.standing(), self.code_hash()
        mode = self.setup.policy.mode
        wrong = () if identity.mode in _FITS[mode] else (f"{identity.url} is {identity.mode}, and mode is {mode!r}",)
        shaken = () if self._footing is None else self._footing.look()
        return Binding(
            policy_hash=standing.policy_hash,
            code_hash=code_hash,
            account_id=identity.account_id,
            url=identity.url,
            mode=mode,
            host=host(),
            practice=self.setup.policy.practice,
            changed=(*wrong, *shaken, *standing.changed, *(self._code.changed if self._code is not None else ())),
        )

    def _open(self, stack: ExitStack) -> None:
        setup, files = self.setup, RealFiles()
        self.opening = "configuration"
        with naming(setup.config):
            book = rule_book(setup.policy)
            further_checks(setup.policy.qc.checks)
            self.opening = "bots"
            bots = self._bots(stack)
        self.opening = "folders"
        for folder in (setup.state_dir, setup.log_dir, setup.inbox_dir):
            files.make_dir(folder)
        self.run = f"{wall_now():%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
        self.opening = "lock"
        stack.enter_context(WriterLock(setup.lock_path, this_process(self.command, self.run)))
        self.opening = "store"
        store = SqlStore(setup.store_url)
        stack.callback(store.close)
        self.opening = "journal"
        ledger, head, tail = catch_up_with_journal(store, files, setup)
        if tail.torn_bytes:
            self.notes.append(f"{tail.torn_path}: a torn last line of {tail.torn_bytes} bytes was dropped")
        self.opening = "store"
        where = "the state store" if setup.policy.store.url else str(setup.state_dir / STORE)
        refuse_edited(files, setup.log_dir, ledger, where)
        self.opening = "practice"
        refuse_mixing(setup, ledger)
        self.opening = "venue"
        self._venue = self._enter_venue(stack)
        self.notes += self.venue.notes
        self.opening = "engine"
        journal = self._journal(stack, files, head)
        outside = self._outside(stack, files, journal, store, bots)
        self._isolation = bots.isolation if self.command in _NEEDS_BOTS else None
        self._engine = Engine(outside, book, ledger, self.hear)
        self._engine.open_segment(self.segment(1))
        self._footing = Footing(setup, look_seconds=float(setup.policy.health.probe_seconds))
        journal_mends(setup.state_dir, self._engine)
        if self.recovering:
            self._refuse_another_account(ledger)
            found = recover(outside, self._engine.ledger, setup.policy)
            self.notes += found.notes
            self._engine.record(found)
        self._engine.settle()
        self.opening = ""

    def _enter_venue(self, stack: ExitStack) -> VenueDoors:
        """The venue's doors. A policy for practice gets none but the simulated exchange's, however it came by its broker."""
        setup = self.setup
        venue: VenueDoors = find("hydra.brokers", setup.policy.broker.name, "broker.name")(
            setup.policy, setup.state_dir, replace(self.source, config_dir=setup.config.parent), self.stop
        )
        stack.callback(venue.close)
        if setup.policy.practice and not (venue.local and venue.broker.identity().mode == "sim"):
            raise Barred(
                f"{setup.config}: practice = true is for the simulated exchange in this process; broker.name is "
                f"{setup.policy.broker.name!r}, mode {setup.policy.mode!r}. Nothing was sent"
            )
        return venue

    def _refuse_another_account(self, ledger: Ledger) -> None:
        """What happened in one account is not written into the ledger of another."""
        before = None if ledger.certificate is None else ledger.certificate.account_id
        identity = self.venue.broker.identity()
        if before is not None and identity.account_id != before:
            raise Barred(
                f"wrong account: the ledger in {self.setup.state_dir} was made with {before}, and {identity.url} answers for "
                f"{identity.account_id}; name other folders with --state-dir and --log-dir"
            )

    def _journal(self, stack: ExitStack, files: RealFiles, head: Head) -> JournalWriter:
        setup = self.setup
        journal = JournalWriter(
            files,
            setup.log_dir,
            self.run,
            now=self.venue.clock.now,
            after=head,
            segment_bytes=setup.policy.journal.segment_mb << 20,
            key=setup.journal_key,
        )
        stack.callback(journal.close)
        return journal

    def _outside(
        self, stack: ExitStack, files: RealFiles, journal: JournalWriter, store: SqlStore, bots: BotHost
    ) -> Outside:
        return Outside(
            clock=self.venue.clock,
            calendar=self.venue.calendar,
            market=self.venue.market,
            broker=self.venue.broker,
            journal=journal,
            store=store,
            inbox=FileInbox(files, self.setup.inbox_dir, wall_now),
            probes=self._probes(files, store),
            bots=bots,
            read_all=self._reads(stack),
            binding=self.binding,
        )

    def _bots(self, stack: ExitStack) -> BotHost:
        """Who asks the bots. One that cannot be made stops a run before it begins, and nobody who has to close positions."""
        setup = self.setup
        closed = (setup.state_dir, setup.log_dir, setup.config, ENV_FILE)
        host, notes = open_host(setup.policy, closed, needed=self.command in _NEEDS_BOTS)
        stack.callback(host.close)
        self.notes += notes
        return host

    def _probes(self, files: RealFiles, store: SqlStore) -> HealthProbes:
        health = self.setup.policy.health
        measures = standard_measures(
            files,
            state=self.setup.state_dir,
            journal=self.setup.log_dir,
            minimum_mb=health.disk_free_mb,
            store=store.ping,
        )
        return HealthProbes(measures, probe_seconds=float(health.probe_seconds))

    def _reads(self, stack: ExitStack) -> ReadAll:
        if self.venue.local:
            return read_inline
        reads = ParallelReads(float(self.setup.policy.engine.read_deadline_seconds))
        stack.callback(reads.close)
        return reads


_WORTH_COMPRESSING_BYTES = 1 << 20


def keep_house(setup: Setup, writer: Writer) -> None:
    """Compress and expire old segments, as the policy says. What cannot be done is a note: nothing depends on it."""
    files, journal = RealFiles(), setup.policy.journal

    def keep() -> None:
        needed_from_seq = writer.engine.outside.journal.head().seq
        if journal.compress:
            compress_old(files, setup.log_dir, keep_run=writer.run, least_bytes=_WORTH_COMPRESSING_BYTES)
        expire(files, setup.log_dir, keep_days=journal.keep_days, now=wall_now(), needed_from_seq=needed_from_seq)

    failure = attempt("housekeeping", keep).failure
    if failure is not None:
        writer.notes.append(f"old segments were left as they are: {failure.kind}: {failure.reason}")


def catch_up_with_journal(store: SqlStore, files: RealFiles, setup: Setup) -> tuple[Ledger, Head, Tail]:
    """Ledger and head at the journal's end, with what had to be said of its last line. Raises ``Corrupt``."""
    tails: list[Tail] = []

    def events_after(head: Head) -> Iterator[Event]:
        reading = read_journal(files, setup.log_dir, after=head)
        yield from reading
        tails.append(reading.tail)

    ledger, _ = catch_up(store, events_after)
    tail = tails[0]
    return ledger, take_up(files, tail), tail
