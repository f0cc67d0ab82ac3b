"""The store made again from the journal, and a torn last line taken off the journal. With the writer's lock held.

The journal is the truth: it is read to its end before anything is touched, and nothing is built on one that is damaged or gone, since the
store may then know more. What a store says is believed only when it is what the journal, folded to the same event, says; the day's first
equity and every other figure come from there, and never from the venue, which cannot know what the day has lost. Of a store that is newer
than this program, locked or not readable nothing is known, so it is left as it is.

Stopped anywhere, this leaves things no worse: the old database's write-ahead log goes aside before the database, so that no new one is ever
found beside an old log, and a fold that was stopped is gone on with by the next command.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.adapters.journal.segments import end_of_last_line, segments
from hydra.adapters.journal.writer import take_up
from hydra.adapters.store.store import SqlStore
from hydra.bootstrap.leftovers import ASIDE
from hydra.bootstrap.mended import note_halt
from hydra.bootstrap.setup import STORE, Setup, wall_now
from hydra.engine.fold import fold
from hydra.engine.recover import BEGINNING, catch_up, rebuild
from hydra.model.errors import Blank, Corrupt, Outdated, Refused, Unreachable
from hydra.model.portfolio import Ledger
from hydra.ports import Head
from hydra.qc.check import Finding
from hydra.qc.same import FACTS, difference

_FOREIGN = "the store did not belong to this journal and was rebuilt from it; compare with the account, then resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """What the store is worth beside the journal. ``wrong`` is why it has to be made again, empty for a sound one.

    ``ahead``: it knew what the journal does not have. ``events`` are in the journal.
    """

    wrong: str = ""
    ahead: bool = False
    outdated: str = ""
    events: int = 0


def ask_same(setup: Setup) -> Finding:
    """Is the store what the journal says, to the last field? Asked without the lock, up to the event the store stands at.

    Raises what a store or a journal raises that cannot be read: ``Corrupt``, ``Refused``, ``Unreachable``, ``OSError``.
    """
    if not setup.has_store:
        return Finding(good=True, reason="there is no store yet; it will be folded from the journal")
    judged = _judge(setup)
    if judged.wrong:
        return Finding(good=False, reason=judged.wrong)
    return Finding(good=True, reason=judged.outdated or "the same as the journal, folded, to the last field")


def store_is_due(setup: Setup) -> bool:
    """Whether there is something to do that no check complains of: a store that is missing, or of an older schema."""
    if not setup.has_store:
        return bool(segments(RealFiles(), setup.log_dir))
    try:
        with closing(SqlStore(setup.store_url, read_only=True)):
            return False
    except Outdated:
        return True


def rebuild_store(setup: Setup) -> str | None:
    """Bring the store up to what the journal says, if it is not; what was done.

    Raises ``Corrupt`` when the journal is damaged, or gone while a store is there; ``Refused`` or ``Unreachable`` for a store that cannot be
    judged. Nothing is touched then.
    """
    had = setup.has_store
    judged = _judge(setup) if had else _Judged(wrong="there was no store", events=_events(setup))
    raised = ""
    if judged.outdated:
        with closing(SqlStore(setup.store_url)) as store:
            raised = f"the store was brought to schema {store.schema_version()}"
        judged = _judge(setup)
    if not judged.wrong:
        return raised or None
    if judged.events == 0:
        if not had:
            return None
        # An empty ledger would take every holding for a foreign position, and forget every halt.
        raise Corrupt(
            f"{setup.log_dir}: the journal is empty, there is nothing to rebuild the store from; "
            f"restore its segments, or begin anew with another --state-dir and --log-dir"
        )
    if judged.ahead:
        note_halt(setup.state_dir, "journal", _FOREIGN)
    kept = () if setup.policy.store.url else _put_aside(setup)
    with closing(SqlStore(setup.store_url)) as store:
        again = rebuild if setup.policy.store.url else catch_up
        _, head = again(store, lambda _head: read_journal(RealFiles(), setup.log_dir))
    beside = f"; the old one is kept as {kept[-1].name}" if kept else ""
    return f"the store was rebuilt from the journal, up to event {head.seq}{beside} ({judged.wrong})"


def cut_torn_line(setup: Setup) -> str | None:
    """Take a last line that was never finished off the journal, its bytes kept beside. Raises ``Corrupt`` for a damaged journal."""
    files = RealFiles()
    if not torn_is_due(setup):
        return None
    reading = read_journal(files, setup.log_dir)
    for _event in reading:
        pass
    tail = reading.tail
    if tail.torn_path is None:
        return None
    rest = b"".join(files.chunks(tail.torn_path, end_of_last_line(files, tail.torn_path)))
    aside = setup.log_dir / ASIDE
    files.make_dir(aside)
    kept = aside / f"torn-{wall_now():%Y%m%dT%H%M%S}-{tail.torn_path.name}"
    files.write_whole(kept, rest)
    take_up(files, tail)
    return f"a torn last line of {tail.torn_bytes} bytes was cut off {tail.torn_path.name}; it is kept as {ASIDE}/{kept.name}"


def torn_is_due(setup: Setup) -> bool:
    """Whether the journal's last segment ends in the middle of a line. Raises ``Corrupt``."""
    files = RealFiles()
    there = segments(files, setup.log_dir)
    if not there or there[-1].compressed:
        return False
    return end_of_last_line(files, there[-1].path) < there[-1].size_bytes


def _events(setup: Setup) -> int:
    return sum(1 for _event in read_journal(RealFiles(), setup.log_dir))


def _judge(setup: Setup) -> _Judged:
    """Hold the store against the journal, folded from its beginning. Raises when either cannot be judged."""
    try:
        with closing(SqlStore(setup.store_url, read_only=True)) as store:
            damage = store.integrity()
            ledger, head = (Ledger(), BEGINNING) if damage else store.load()
    except Blank as blank:
        return _Judged(wrong=str(blank), events=_events(setup))
    except Outdated as old:
        return _Judged(outdated=str(old), events=_events(setup))
    except Corrupt as corrupt:
        damage, ledger, head = str(corrupt), Ledger(), BEGINNING
    if damage:
        return _Judged(wrong=damage, events=_events(setup))
    folded, events, end = _folded_to(setup, head)
    if folded is None:
        text = f"the store stands at event {head.seq} ({head.hash[:12]}), which is not in the journal; that ends at event {end.seq}"
        return _Judged(wrong=text, ahead=True, events=events)
    return _Judged(wrong=_difference(folded, ledger, head) if head.seq else "", events=events)


def _folded_to(setup: Setup, wanted: Head) -> tuple[Ledger | None, int, Head]:
    """The ledger at an event (``None``: it is not there), the number of events, and the journal's end."""
    ledger, head, events = Ledger(), BEGINNING, 0
    found: Ledger | None = ledger if wanted.seq == 0 else None
    for event in read_journal(RealFiles(), setup.log_dir):
        head, events = Head(seq=event.seq, hash=event.hash), events + 1
        if head.seq <= wanted.seq:
            ledger = fold(ledger, event)
            if head == wanted:
                found = ledger
    return found, events, head


def _difference(folded: Ledger, stored: Ledger, head: Head) -> str:
    """The first field in which the store is not the journal's, in words; empty when there is none."""
    found = difference(folded, stored, FACTS)
    if found is None:
        return ""
    return f"{found.field} is {found.other} in the store, and {found.one} by the journal, at event {head.seq}"


def _put_aside(setup: Setup) -> tuple[Path, ...]:
    """Rename the database and its companions, the companions first; the database's new name comes last."""
    stamp = f"{wall_now():%Y%m%dT%H%M%S}"
    moved = []
    for name in (f"{STORE}-wal", f"{STORE}-shm", STORE):
        path = setup.state_dir / name
        if path.exists():
            aside = setup.state_dir / f"damaged-{stamp}-{name}"
            path.rename(aside)
            moved.append(aside)
    return tuple(moved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What exactly a person has to do, by what is wrong; and why ``--fix`` does not do it, empty when it does."""

    do: str
    not_fixed: str = ""


def advise_store(setup: Setup) -> Advice | None:
    """For a store that is not well; ``None`` when its check's remedy says it."""
    path = "the database" if setup.policy.store.url else str(setup.state_dir / STORE)
    try:
        with closing(SqlStore(setup.store_url, read_only=True)) as store:
            store.load()
    except Unreachable:
        do = f"find who holds {path} (`fuser -v {path}`), have it let go, then `hydra doctor`"
        return Advice(do=do, not_fixed="it is locked by somebody else, so nothing is known of it")
    except Outdated:
        return None
    except Refused:
        do = (
            f"if a newer program made it, use that one; if this user may not open it, give it to him. It can also be made "
            f"again: `mv {path} {path}.kept`, then `hydra doctor --fix`"
        )
        return Advice(do=do, not_fixed="it cannot be judged, and is left as it is")
    except (Corrupt, OSError):
        return None
    return None


def advise_journal(setup: Setup) -> Advice | None:
    """For a journal that is damaged, gone, or behind its store."""
    try:
        events = _events(setup)
    except Corrupt:
        do = (
            f"leave the file as it is; copy that segment from a backup into {setup.log_dir}, then `hydra check-io`. Without "
            f"a backup: close the positions at the venue, and begin anew with another --state-dir and --log-dir"
        )
        return Advice(do=do, not_fixed="the journal is the truth, and nothing mends it")
    if events == 0:
        do = f"put the segments back into {setup.log_dir} from a backup, then `hydra check-io`; the store alone is not enough"
        return Advice(do=do, not_fixed="there is nothing to rebuild from")
    return Advice(
        do=f"put a later copy of {setup.log_dir} back if there is one. If not: `hydra doctor --fix` rebuilds the store and "
        f"latches a halt; compare with the account, then `hydra resume --reason ...`"
    )
