"""What can be mended without a person's judgement. Nothing is thrown away: a store that is replaced is kept beside.

The journal is the truth and is never touched here, except that a torn last line (which is nobody's event) is cut off
when the journal is next continued.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.adapters.lock import WriterLock
from hydra.adapters.store.store import SqlStore
from hydra.bootstrap.environment import ENV_FILE
from hydra.bootstrap.setup import STORE, Setup, this_process, wall_now
from hydra.engine.recover import catch_up, rebuild
from hydra.model.errors import Corrupt

Mend = Callable[[Setup], str]
"""Mends one thing and says what was done."""


def close_env_file(_setup: Setup) -> str:
    """Take the secrets' file away from everybody else."""
    ENV_FILE.chmod(0o600)
    return f"{ENV_FILE} has mode 0600 now"


def rebuild_store(setup: Setup) -> str:
    """Fold the whole journal into an empty store.

    Raises ``Corrupt`` when the journal itself is damaged or gone; the store, which may know more, is then left as it is.
    """
    files = RealFiles()
    with WriterLock(setup.lock_path, this_process("doctor")):
        events = sum(1 for _event in read_journal(files, setup.log_dir))
        if events == 0:
            # An empty ledger would take every holding for a foreign position, and forget every halt.
            raise Corrupt(
                f"{setup.log_dir}: the journal is empty, there is nothing to rebuild the store from; "
                f"restore its segments, or begin anew with another --state-dir and --log-dir"
            )
        kept = _put_aside(setup) if not setup.policy.store.url else ()
        store = SqlStore(setup.store_url)
        try:
            fold = catch_up if kept or not setup.policy.store.url else rebuild
            _, head = fold(store, lambda _head: read_journal(files, setup.log_dir))
        finally:
            store.close()
    beside = f"; the old one is kept as {kept[0].name}" if kept else ""
    return f"the store was rebuilt from the journal, up to event {head.seq}{beside}"


def _put_aside(setup: Setup) -> tuple[Path, ...]:
    """Rename the database and its companions, so that nothing of them is believed again."""
    stamp = f"{wall_now():%Y%m%dT%H%M%S}"
    moved = []
    for name in (STORE, f"{STORE}-wal", f"{STORE}-shm"):
        path = setup.state_dir / name
        if path.exists():
            aside = setup.state_dir / f"damaged-{stamp}-{name}"
            path.rename(aside)
            moved.append(aside)
    return tuple(moved)


MENDS: Mapping[str, Mend] = {"env_file": close_env_file, "store": rebuild_store, "journal": rebuild_store}
"""By the name of the check that fails. ``journal`` fails also when the store is ahead of it or belongs to another."""


def mend(setup: Setup, failed: Iterable[str]) -> dict[str, str]:
    """Mend what has a mend, each once; what was done by check. Raises what a mend raises."""
    done: dict[str, str] = {}
    told: dict[Mend, str] = {}
    for name in failed:
        how = MENDS.get(name)
        if how is not None:
            told[how] = told.get(how) or how(setup)
            done[name] = told[how]
    return done
