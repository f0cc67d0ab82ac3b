"""This machine as the disk's checks see it: adapters handed down as functions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.adapters.journal.segments import segments
from hydra.adapters.lock import describe, owner
from hydra.adapters.probes import Measure, room, writing
from hydra.adapters.store.store import SqlStore
from hydra.bootstrap.checks import further_checks
from hydra.bootstrap.environment import ENV_FILE
from hydra.bootstrap.leftovers import ask_inbox, ask_leftovers
from hydra.bootstrap.machine import machine_asks
from hydra.bootstrap.plugs import naming, rule_book
from hydra.bootstrap.setup import Setup, wall_now
from hydra.model.errors import BadConfig, Refused
from hydra.model.snapshot import Probe
from hydra.ports import Head
from hydra.qc.check import Finding
from hydra.qc.site import JournalState, Site


def site_of(setup: Setup) -> Site:
    """The disk of one command, for ``check-io``, ``qc`` and ``doctor``."""
    return Site(
        state_dir=setup.state_dir,
        log_dir=setup.log_dir,
        env_file=ENV_FILE,
        measures=_measures(setup),
        open_store=lambda: open_store(setup),
        verify_journal=lambda head: _verify(setup, head),
        lock_holder=lambda: _holder(setup),
        wall_now=wall_now,
        asks={
            "configuration": lambda: _configuration(setup),
            "inbox": lambda: ask_inbox(setup),
            "leftovers": lambda: ask_leftovers(setup),
            **machine_asks(setup),
        },
    )


def _configuration(setup: Setup) -> Finding:
    """What was decided, and that everything is there that it names."""
    try:
        with naming(setup.config):
            rule_book(setup.policy)
            further_checks(setup.policy.qc.checks)
    except BadConfig as fault:
        return Finding(good=False, reason=str(fault))
    policy = setup.policy
    bots = f"{len(policy.enabled_bots)} of {len(policy.bots)} bots enabled"
    practice = "; PRACTICE: simulated data around the clock" if policy.practice else ""
    text = f"{setup.config}, hash {policy.hash[:12]}: {policy.mode}, {policy.broker.name}, {bots}{practice}"
    return Finding(good=True, reason=text)


def open_store(setup: Setup) -> SqlStore | None:
    """The store with all that the checks ask of it, for reading only; ``None`` while there is none."""
    return SqlStore(setup.store_url, read_only=True) if setup.has_store else None


def _measures(setup: Setup) -> Mapping[str, Measure]:
    """The engine's own measurements, with files of another name: both may run at once. The folders are made when they are asked about."""
    files = RealFiles()

    def in_folder(folder: Path) -> Measure:
        measure = writing(files, folder, name=".hydra-check")

        def made() -> Probe:
            files.make_dir(folder)
            return measure()

        return made

    return {
        "state_io": in_folder(setup.state_dir),
        "journal_io": in_folder(setup.log_dir),
        "disk": room((setup.state_dir, setup.log_dir), setup.policy.health.disk_free_mb),
    }


def _verify(setup: Setup, head: Head | None) -> JournalState:
    """Read the journal to its end, and demand that ``head`` is in it."""
    files = RealFiles()
    reading = read_journal(files, setup.log_dir)
    seen = head is None or head.seq == 0
    for event in reading:
        seen = seen or (head is not None and (event.seq, event.hash) == (head.seq, head.hash))
    tail = reading.tail
    if not seen and head is not None:
        # Raises with the precise difference: cut off, or another journal.
        for _event in read_journal(files, setup.log_dir, after=head):
            pass
    return JournalState(
        segments=len(segments(files, setup.log_dir)),
        events=tail.events,
        head=tail.head,
        torn_bytes=tail.torn_bytes,
        open_tail=tail.open_tail,
    )


def _holder(setup: Setup) -> str | None:
    if setup.lock_path.is_dir():
        raise Refused(f"{setup.lock_path} is a folder; expected the lock's file")
    holder = owner(setup.lock_path)
    return None if holder is None else describe(holder)
