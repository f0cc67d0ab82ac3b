"""What the checks of this machine are given: files, clocks, installed packages, the calendar and the journal, one question each.

``machine_asks`` are the questions by the names of their checks, to be asked before anything of the engine runs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from datetime import time as time_of_day
from importlib import metadata
from pathlib import Path

from hydra.adapters.calendar import ExchangeCalendar, new_york
from hydra.adapters.files import RealFiles
from hydra.adapters.fingerprint import DISTRIBUTION, PACKAGE
from hydra.adapters.journal.reader import follow
from hydra.adapters.journal.segments import first_line, segments
from hydra.adapters.kernel_clock import synchronised
from hydra.adapters.store.store import SqlStore
from hydra.bootstrap.environment import ENV_FILE
from hydra.bootstrap.plugs import named_files
from hydra.bootstrap.practice import ask_mixing
from hydra.bootstrap.setup import Setup, wall_now
from hydra.guard import attempt
from hydra.model.events import SegmentOpened, payload_of
from hydra.model.portfolio import Certificate, Ledger
from hydra.ports import Head
from hydra.qc import calendars, chain, clocks, permissions, versions
from hydra.qc.check import Finding

LOCK = Path("configs/locks/run.txt")


def machine_asks(setup: Setup) -> Mapping[str, Callable[[], Finding]]:
    """Every question about this machine that needs no engine, by the name of its check."""
    return {
        "permissions": lambda: permissions.ask(places_of(setup), os.geteuid()),
        "versions": ask_versions,
        "system_clock": lambda: clocks.ask(_clocks(setup)),
        "clock_service": lambda: clocks.ask_synchronised(_clocks(setup)),
        "calendars": lambda: calendars.ask(_almanac(setup)),
        "chain": lambda: chain.ask(chain_of(setup)),
        "practice": lambda: ask_mixing(setup),
    }


def ask_versions(root: Path = PACKAGE.parent) -> Finding:
    """Hold the installed packages against the lock of a checkout, else against what the package asks for."""
    lock = root / LOCK
    in_checkout = (root / "pyproject.toml").is_file() and lock.is_file()
    return versions.ask(
        lock=lock.read_text(encoding="utf-8") if in_checkout else None,
        required=metadata.requires(DISTRIBUTION) or (),
        installed=_version,
        place=str(lock),
    )


def chain_of(setup: Setup) -> chain.Chain:
    """The journal, and what the store says of the last certificate."""

    def verify(after: Head | None, holds: Head | None) -> tuple[int, Head, int]:
        tail = follow(RealFiles(), setup.log_dir, after, holds)
        return tail.events, tail.head, tail.torn_bytes

    return chain.Chain(certificate=lambda: _certificate(setup), folded=lambda: _stored(setup)[1], verify=verify)


def refuse_broken_chain(setup: Setup, certificate: Certificate | None) -> None:
    """Raise ``Corrupt`` when the journal has not gone on from where it was certified, or a segment before that is missing."""
    follow(RealFiles(), setup.log_dir, chain.certified_head(certificate))


def places_of(setup: Setup) -> tuple[permissions.Place, ...]:
    """The files and folders that nobody else may change."""
    return permissions.places_of(
        config=setup.config,
        env_file=ENV_FILE,
        state_dir=setup.state_dir,
        log_dir=setup.log_dir,
        named=named_files(setup.policy, setup.config.parent),
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _clocks(setup: Setup) -> clocks.Clocks:
    return clocks.Clocks(
        wall_now=wall_now,
        monotonic=time.monotonic,
        pause=time.sleep,
        past=lambda: _past(setup),
        synchronised=synchronised,
    )


def _past(setup: Setup) -> Mapping[str, datetime]:
    """The wall times that are written down. What cannot be read is another check's finding."""
    found: dict[str, datetime] = {}
    certificate = attempt("certificate", lambda: _certificate(setup)).value
    if certificate is not None:
        found["the last certificate"] = certificate.wall
    return found | (attempt("journal", lambda: _written(setup)).value or {})


def _written(setup: Setup) -> dict[str, datetime]:
    """When the journal's last segment was opened, and when it was last written to."""
    files = RealFiles()
    infos = segments(files, setup.log_dir)
    if not infos:
        return {}
    last = infos[-1].path
    found = {"the journal's last line": datetime.fromtimestamp(last.stat().st_mtime, UTC)}
    raw = first_line(files, last)
    opened = None if raw is None else payload_of(raw)
    if isinstance(opened, SegmentOpened):
        found["the journal's last opening"] = opened.wall
    return found


def _almanac(setup: Setup) -> calendars.Almanac:
    calendar = ExchangeCalendar(setup.state_dir / "cache")
    return calendars.Almanac(
        hours=calendar.hours,
        at=_market_now(setup),
        cache_fault=calendar.cache_fault,
        practice=setup.policy.market.sessions == "always",
    )


def _market_now(setup: Setup) -> datetime:
    """The market's time as far as it is known without asking the venue: an invented market is where the ledger last saw it."""
    if setup.policy.broker.name != "sim":
        return wall_now()
    ledger = attempt("store", lambda: _stored(setup)[0]).value
    started = new_york(setup.policy.market.start, time_of_day.min)
    return started if ledger is None or ledger.at is None else ledger.at


def _certificate(setup: Setup) -> Certificate | None:
    ledger, _ = _stored(setup)
    return None if ledger is None else ledger.certificate


def _stored(setup: Setup) -> tuple[Ledger, Head] | tuple[None, None]:
    """What the store has and where it was folded to; nothing while there is none. Raises what one that cannot be read raises."""
    if not setup.has_store:
        return None, None
    store = SqlStore(setup.store_url, read_only=True)
    try:
        return store.load()
    finally:
        store.close()
