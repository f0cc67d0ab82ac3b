"""The questions of ``check-io``: what lies on this machine's disk, asked without the writer's lock.

The adapters come as functions, so that the questions stay readable and every answer can be planted in a test.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from hydra.guard import attempt
from hydra.model.errors import Outdated, Refused
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Probe
from hydra.ports import Head
from hydra.qc.check import Finding

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
    """This machine as the checks see it. ``open_store`` returns ``None`` while there is no store yet.

    ``asks`` are whole questions that need what stands above this floor, by the name of their check.
    """

    state_dir: Path
    log_dir: Path
    env_file: Path
    measures: Mapping[str, Callable[[], Probe]]
    open_store: Callable[[], StoreInspector | None]
    verify_journal: Callable[[Head | None], JournalState]
    lock_holder: Callable[[], str | None]
    wall_now: Callable[[], datetime]
    asks: Mapping[str, Callable[[], Finding]] = field(default_factory=dict)


def told(site: Site, name: str) -> Finding:
    """What the composition root answers. Raises ``Refused`` when it has nobody to ask."""
    ask = site.asks.get(name)
    if ask is None:
        raise Refused(f"there is nobody to ask about {name}")
    return ask()


def probed(site: Site, name: str) -> Finding:
    """One of the engine's own measurements, made now."""
    probe = site.measures[name]()
    return Finding(good=probe.ok, reason=probe.reason)


def env_file(site: Site) -> Finding:
    """Whether nobody else can read the file with the secrets."""
    path = site.env_file
    try:
        found = path.stat().st_mode
    except FileNotFoundError:
        return Finding(good=True, reason=f"there is no {path}; secrets come from the environment, or there are none")
    mode = stat.S_IMODE(found)
    if not stat.S_ISREG(found):
        return Finding(good=False, reason=f"{path} is no file")
    if mode & 0o077:
        return Finding(good=False, reason=f"{path} has mode {mode:04o}: others may read it; expected 0600")
    return Finding(good=True, reason=f"{path} has mode {mode:04o}")


def lock(site: Site) -> Finding:
    """Who holds the writer's lock; nobody is good."""
    holder = site.lock_holder()
    return Finding(good=holder is None, reason=holder or "nobody holds the writer's lock")


def store(site: Site) -> Finding:
    """Whether the store opens and is sound. One that is not there yet, or older, is no failure."""
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


def journal(site: Site) -> Finding:
    """Whether the whole journal holds together, and has the event the store was folded to."""
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


def clock(site: Site) -> Finding:
    """Whether the wall clock can be right at all."""
    now = site.wall_now()
    if now < _NEVER_BEFORE:
        return Finding(good=False, reason=f"{now:%Y-%m-%d %H:%M:%S}Z is before this program was written")
    return Finding(good=True, reason=f"{now:%Y-%m-%d %H:%M:%S}Z")
