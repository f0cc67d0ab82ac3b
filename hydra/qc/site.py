"""The checks of ``check-io``: what lies on this machine's disk, asked without the writer's lock.

The adapters come as functions, so that the questions stay readable and every answer can be planted in a test.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from hydra.guard import attempt
from hydra.model.errors import Outdated
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Probe
from hydra.ports import Head
from hydra.qc.check import Check, Finding

_NEVER_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


class StoreInspector(Protocol):
    """What the store's checks need of it."""

    def integrity(self) -> str | None:
        """What is damaged, or ``None``."""
        ...

    def schema_version(self) -> str | None:
        """The schema the database has."""
        ...

    def load(self) -> tuple[Ledger, Head]:
        """The ledger and where it was folded to."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalState:
    """What verifying the journal came to. ``torn_bytes`` of a last line that was never finished are not damage."""

    segments: int
    events: int
    head: Head
    torn_bytes: int
    open_tail: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """This machine as the checks see it. ``open_store`` returns ``None`` while there is no store yet."""

    state_dir: Path
    log_dir: Path
    env_file: Path
    measures: Mapping[str, Callable[[], Probe]]
    open_store: Callable[[], StoreInspector | None]
    verify_journal: Callable[[Head | None], JournalState]
    lock_holder: Callable[[], str | None]
    wall_now: Callable[[], datetime]


def site_checks(site: Site) -> tuple[Check, ...]:
    """The list of ``check-io``."""
    return (
        Check(
            name="state_folder",
            question="Can the state folder be written, synced and read back?",
            ask=lambda: _probe(site, "state_io"),
            remedy=f"make {site.state_dir} writable for this user, or name another with --state-dir",
        ),
        Check(
            name="log_folder",
            question="Can the log folder be written, synced and read back?",
            ask=lambda: _probe(site, "journal_io"),
            remedy=f"make {site.log_dir} writable for this user, or name another with --log-dir",
        ),
        Check(
            name="disk",
            question="Is there room for journal and store?",
            ask=lambda: _probe(site, "disk"),
            remedy="free disk space, or lower health.disk_free_mb",
        ),
        Check(
            name="env_file",
            question="Is the file with the secrets closed to others?",
            ask=lambda: _env_file(site.env_file),
            remedy=f"chmod 600 {site.env_file} (or `hydra doctor --fix`)",
        ),
        Check(
            name="lock",
            question="Is nobody else writing?",
            ask=lambda: _lock(site),
            remedy="stop the other process, or wait until it is done",
            critical=False,
        ),
        Check(
            name="store",
            question="Does the state store open, and is it sound?",
            ask=lambda: _store(site),
            remedy="rebuild it from the journal: `hydra doctor --fix`",
        ),
        Check(
            name="journal",
            question="Is the journal's chain whole, and does the store belong to it?",
            ask=lambda: _journal(site),
            remedy="restore the damaged segment from a backup; if the store is ahead or foreign: `hydra doctor --fix`",
        ),
        Check(
            name="clock",
            question="Is this machine's clock plausible?",
            ask=lambda: _clock(site),
            remedy="set the clock; use a time service",
        ),
    )


def _probe(site: Site, name: str) -> Finding:
    probe = site.measures[name]()
    return Finding(good=probe.ok, reason=probe.reason)


def _env_file(path: Path) -> Finding:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return Finding(good=True, reason=f"there is no {path}; secrets come from the environment, or there are none")
    if mode & 0o077:
        return Finding(good=False, reason=f"{path} has mode {mode:04o}: others may read it; expected 0600")
    return Finding(good=True, reason=f"{path} has mode {mode:04o}")


def _lock(site: Site) -> Finding:
    holder = site.lock_holder()
    return Finding(good=holder is None, reason=holder or "nobody holds the writer's lock")


def _store(site: Site) -> Finding:
    try:
        store = site.open_store()
    except Outdated as old:
        return Finding(good=True, reason=str(old))
    if store is None:
        return Finding(good=True, reason="there is no store yet; the first start makes one")
    try:
        problem = store.integrity()
        if problem is not None:
            return Finding(good=False, reason=problem)
        ledger, head = store.load()
        reason = f"sound, schema {store.schema_version()}, folded to event {head.seq}, cycle {ledger.cycle}"
        return Finding(good=True, reason=reason)
    finally:
        store.close()


def _journal(site: Site) -> Finding:
    # A store that cannot be read is the other check's finding; the journal is then judged by itself.
    state = site.verify_journal(attempt("store", lambda: _head_of(site)).value)
    reason = f"{state.segments} segments, {state.events} events verified, head is event {state.head.seq}"
    if state.torn_bytes:
        reason += f"; a torn last line of {state.torn_bytes} bytes will be dropped"
    if state.open_tail:
        reason += "; open tail: the last run did not end in order"
    return Finding(good=True, reason=reason)


def _head_of(site: Site) -> Head | None:
    store = site.open_store()
    if store is None:
        return None
    try:
        return store.load()[1]
    finally:
        store.close()


def _clock(site: Site) -> Finding:
    now = site.wall_now()
    if now < _NEVER_BEFORE:
        return Finding(good=False, reason=f"{now:%Y-%m-%d %H:%M:%S}Z is before this program was written")
    return Finding(good=True, reason=f"{now:%Y-%m-%d %H:%M:%S}Z")
