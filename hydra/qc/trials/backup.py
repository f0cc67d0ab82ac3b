"""Backup and restore: the state is copied while an engine writes it, restored elsewhere, and must be the same to the last field.

What is compared: the copies with what was saved of them, byte by byte; the store's own soundness; the store with one that was folded
from the restored journal alone; the ledger with the fold of the running engine's own journal, up to the same event; the journal decided again;
and, once a process has recovered on the restored folders, ledger and journal with the restored books of the exchange.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

from hydra.adapters.backup import Backup, Folders, back_up, restore
from hydra.adapters.files import RealFiles
from hydra.adapters.store.store import SqlStore
from hydra.engine.fold import fold_all
from hydra.engine.recover import catch_up
from hydra.engine.run import Loop
from hydra.guard import Outcome, attempt
from hydra.model.errors import Corrupt
from hydra.model.events import Event
from hydra.model.portfolio import Ledger
from hydra.qc.check import Finding
from hydra.qc.outages import claims
from hydra.qc.outages.claims import Evidence, broken, read_events, read_store, rebuild_store
from hydra.qc.trial import Trial
from hydra.qc.trials.tools import Decided, few, folder, tool

NAME = "backup_and_restore"
CYCLES_BEFORE, CYCLES_AFTER, CYCLES_MOST, _SECONDS_MOST = 60, 10, 600, 30.0
_JOIN_SECONDS = 30.0
_EVENTS_MOST = 3000
_STORE = "trading_state.db"


def ask(trial: Trial) -> Finding:
    """Play, copy, restore, compare."""
    place = folder(trial, NAME)
    source = Folders(state=place / "state", logs=place / "logs")
    began = monotonic()
    outcome = _copied_under_way(trial, source, place / "backup")
    copied_seconds = monotonic() - began
    problems: list[str] = []
    told: dict[str, Any] = {"problems": problems, "compared": {}}
    trial.told[NAME] = told
    if outcome.value is None:
        assert outcome.failure is not None
        problems.append(f"the backup failed: {outcome.failure.kind}: {outcome.failure.reason}")
        return Finding(good=False, reason=problems[0])
    backup, kept_on = outcome.value
    trial.progress(NAME, 1, 3)
    compared: Counter[str] = Counter()
    problems += problems_of(trial, place, source, compared)
    told |= {
        "files": len(backup.files),
        "bytes": backup.size_bytes,
        "seconds": round(monotonic() - began, 2),
        "compared": dict(compared),
    }
    if problems:
        return Finding(good=False, reason=few(problems))
    return Finding(
        good=True,
        reason=(
            f"{len(backup.files)} files, {backup.size_bytes} bytes, copied at event {backup.head.seq} while the engine went on to "
            f"event {kept_on} ({copied_seconds:.1f} s); restored twice, whole and from the journal alone: "
            f"{', '.join(f'{count} {what}' for what, count in compared.items())} are the same"
        ),
    )


def problems_of(trial: Trial, place: Path, source: Folders, compared: Counter[str] | None = None) -> list[str]:
    """What differs in the backup that lies in ``place``, taken of ``source``; what breaks off the comparison is a problem too."""
    counted: Counter[str] = Counter() if compared is None else compared
    problems: list[str] = []
    outcome = attempt("restore", lambda: problems.extend(_compared(trial, place, source, counted)))
    if outcome.failure is not None:
        problems.append(f"{outcome.failure.kind}: {outcome.failure.reason}")
    return problems


def _copied_under_way(trial: Trial, source: Folders, target: Path) -> Outcome[tuple[Backup, int]]:
    """A backup that is taken while the engine cycles, and how far its journal was when it stopped."""
    policy = tool(trial, "simulated")(trial.policy, trial.seed)
    now, version = tool(trial, "now"), tool(trial, "version")
    outcomes: list[Outcome[Backup]] = []
    copying = threading.Thread(
        target=lambda: outcomes.append(
            attempt("backup", lambda: back_up(source, target, taken=now(), version=version))
        ),
        name="backup",
        daemon=True,
    )
    cycles = 0
    with tool(trial, "open")(policy, source.state, source.logs) as stage:
        ends_at = monotonic() + _SECONDS_MOST

        def watch(_report: object) -> None:
            nonlocal cycles
            cycles += 1
            if cycles == CYCLES_BEFORE:
                copying.start()
            trial.progress(NAME, 0, 3)

        def stopped() -> int | None:
            copied = bool(outcomes) and cycles >= CYCLES_BEFORE + CYCLES_AFTER
            return 0 if cycles > CYCLES_BEFORE and (copied or monotonic() > ends_at) else None

        Loop(
            engine=stage.engine,
            segment=stage.segment,
            cycles_max=CYCLES_MOST,
            interval_seconds=float(policy.engine.interval_seconds),
            stopped=stopped,
            watch=watch,
        ).run()
        if cycles >= CYCLES_BEFORE:
            copying.join(_JOIN_SECONDS)
        head = stage.engine.outside.journal.head().seq
    outcome = outcomes[0] if outcomes else attempt("backup", _no_backup)
    if outcome.value is None:
        return Outcome(failure=outcome.failure)
    return Outcome(value=(outcome.value, head))


def _no_backup() -> Backup:
    raise Corrupt(
        f"the engine ended before its {CYCLES_BEFORE}th cycle, or the copy took more than {_JOIN_SECONDS:g} s"
    )


def _compared(trial: Trial, place: Path, source: Folders, compared: Counter[str]) -> Iterator[str]:
    """Everything that differs. Raises ``Corrupt`` for a damaged backup."""
    whole = Folders(state=place / "restored" / "state", logs=place / "restored" / "logs")
    alone = Folders(state=place / "journal-alone" / "state", logs=place / "journal-alone" / "logs")
    backup = restore(place / "backup", whole)
    compared["files"] += len(backup.files)
    restore(place / "backup", alone, journal_only=True)
    files = RealFiles()
    events = read_events(files, whole.logs)
    yield from claims.chain_breaks(files, whole.logs, events)
    yield from _store_problems(whole, events, place, compared)
    yield from _ledger_problems(whole, alone, read_events(files, source.logs)[: len(events)], compared)
    trial.progress(NAME, 2, 3)
    again: Decided = tool(trial, "decided")(whole.logs, _EVENTS_MOST)
    compared["decisions"] += again.decisions
    if again.difference:
        yield f"the restored journal, decided again: {again.difference}"
    yield from _recovered_problems(trial, whole, place, compared)


def _store_problems(whole: Folders, events: list[Event], place: Path, compared: Counter[str]) -> Iterator[str]:
    """The restored store is sound, and the fold of the restored journal up to where it stands."""
    store = SqlStore(_url(whole.state / _STORE), read_only=True)
    try:
        damage = store.integrity()
    finally:
        store.close()
    if damage is not None:
        yield damage
        return
    here = read_store(_url(whole.state / _STORE), read_only=True)
    there = rebuild_store(place / "rebuilt.db", events[: here[2].seq])
    for table in sorted(here[0].keys() | there[0].keys()):
        compared["rows"] += len(there[0].get(table, []))
        if here[0].get(table) != there[0].get(table):
            yield f"table {table} of the restored store is not what its journal folds to"
    yield from _differences("the restored store and its journal", here[1], there[1])


def _ledger_problems(whole: Folders, alone: Folders, original: list[Event], compared: Counter[str]) -> Iterator[str]:
    """Both restores come to the ledger of the engine's own journal up to the same event, to the last field."""
    wanted = fold_all(Ledger(), original)
    for name, folders in (("the restored state", whole), ("the journal alone", alone)):
        store = SqlStore(_url(folders.state / _STORE))
        try:
            ledger, head = catch_up(store, lambda _head, logs=folders.logs: read_events(RealFiles(), logs)[_head.seq :])  # type: ignore[misc]  # bound now
        finally:
            store.close()
        if not original or head.hash != original[-1].hash:
            yield f"{name} comes to event {head.seq}, the engine's journal has another there"
            continue
        compared["fields of the ledger"] += len(Ledger.__struct_fields__)
        yield from _differences(f"{name} and the engine's own journal at event {head.seq}", ledger, wanted)


def _recovered_problems(trial: Trial, whole: Folders, place: Path, compared: Counter[str]) -> Iterator[str]:
    """A process recovers on the restored folders; then ledger, journal and the exchange's books agree."""
    policy = tool(trial, "simulated")(trial.policy, trial.seed)
    with tool(trial, "open")(policy, whole.state, whole.logs, in_session=False) as stage:
        stage.engine.cycle()
    events = read_events(RealFiles(), whole.logs)
    store = read_store(_url(whole.state / _STORE), read_only=True)
    books = tool(trial, "books")(policy, whole.state)
    found = Evidence(
        events=events,
        venue=books,
        store=store,
        rebuilt=rebuild_store(place / "rebuilt.db", events[: store[2].seq]),
    )
    held = (
        *claims.CLAIMS,
        claims.every_fill_is_known,
        claims.holdings_are_positions,
        claims.nothing_was_residual,
    )
    compared["claims on the exchange's books"] += len(held)
    yield from (f"after a start on the restored folders: {problem}" for problem in broken(found, held))


def _differences(where: str, one: Ledger, other: Ledger) -> Iterator[str]:
    names = [name for name in Ledger.__struct_fields__ if getattr(one, name) != getattr(other, name)]
    if names:
        yield f"{where} differ in {', '.join(names)}"


def _url(path: Path) -> str:
    return f"sqlite:///{path.resolve()}"
