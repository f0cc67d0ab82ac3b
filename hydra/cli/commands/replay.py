"""``hydra replay``: a journal executed again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from hydra.adapters.files import RealFiles
from hydra.adapters.fingerprint import CodeFingerprint
from hydra.adapters.journal.reader import Reading
from hydra.adapters.journal.segments import first_line, segments
from hydra.bootstrap.hosts import replay_host
from hydra.bootstrap.plugs import foreign_sources, rule_book
from hydra.cli.frame import PRACTICE, Frame, Result
from hydra.engine.replay import Replayed, replay
from hydra.model.errors import BadConfig
from hydra.model.events import Event
from hydra.policy import Policy
from hydra.ports import BotHost
from hydra.risk.plugs import RuleBook

if TYPE_CHECKING:
    from rich.console import Console

_TOLD_EVERY = 5000


def command(frame: Frame) -> Result:
    """Verify the chain, fold, decide again, compare."""
    paths = _segments(frame.options["log"])
    reading = Reading(RealFiles(), paths)
    people = frame.people()
    with people.status("replaying") as status:
        counted = 0

        def watch(_event: Event) -> None:
            nonlocal counted
            counted += 1
            if counted % _TOLD_EVERY == 0:
                status.update(f"replaying: {counted:,} events")

        with Resolver() as resolver:
            result = replay(_told(reading), resolver, watch=watch)
    frame.facts[PRACTICE] = resolver.practice
    return _result(result, reading, paths, bool(result.codes - resolver.codes))


class Resolver:
    """Journaled policies with their plugs, and in ``codes`` the hashes of the code that they run on here. A context manager.

    ``practice``: one of them was of practice.
    """

    def __init__(self) -> None:
        self.practice = False
        self._hashes: dict[tuple[Path, ...], str] = {}
        self._document: Mapping[str, Any] | None = None
        self._resolved: tuple[RuleBook, BotHost] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        if self._resolved is not None:
            self._resolved[1].close()
            self._document = self._resolved = None

    def __call__(self, document: Mapping[str, Any]) -> tuple[RuleBook, BotHost]:
        """The rule book and the bots, which get no deadline: time is not replayed. Most segments have the policy of the one before."""
        if self._resolved is None or document != self._document:
            self.__exit__()
            policy = Policy.model_validate(document)
            self.practice |= policy.practice
            self._document, self._resolved = document, (rule_book(policy), replay_host(policy))
            sources = foreign_sources(policy)
            if sources not in self._hashes:
                self._hashes[sources] = CodeFingerprint(more=sources).hash()
        return self._resolved

    @property
    def codes(self) -> frozenset[str]:
        """Of the policies so far."""
        return frozenset(self._hashes.values())


def _told(reading: Reading) -> Iterable[Event]:
    yield from reading


def _segments(named: Iterable[Path]) -> tuple[Path, ...]:
    """The segment files in the order of their chain. Raises ``BadConfig`` for what is not there."""
    files = RealFiles()
    found: list[Path] = []
    for path in named:
        if path.is_dir():
            inside = [info.path for info in segments(files, path)]
            if not inside:
                raise BadConfig(f"{path}: no journal segments (<run>.<nnn>.jsonl) in this folder")
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise BadConfig(f"{path}: no such file; expected a journal segment, or a folder of them")
    heads = {path: first_line(files, path) for path in dict.fromkeys(found)}
    for path, head in heads.items():
        if head is None:
            raise BadConfig(f"{path}: empty; expected a journal segment")
    return tuple(sorted(heads, key=lambda path: heads[path].seq))  # type: ignore[union-attr]  # checked above


def _result(result: Replayed, reading: Reading, paths: tuple[Path, ...], other_code: bool) -> Result:
    difference, tail = result.difference, reading.tail
    notes = []
    if difference is None and tail.torn_bytes:
        notes.append(f"a torn last line of {tail.torn_bytes} bytes was left out")
    if difference is None and result.open_tail:
        notes.append("open tail: the last run has not ended in order")
    if other_code:
        notes.append("written by another version of the code")
    if difference is None:
        ending = f"identical: {result.cycles:,} cycles, {result.decisions:,} decisions, {result.orders:,} orders"
    else:
        ending = (
            f"differs at event {difference.seq}, cycle {difference.cycle}: {difference.where}: "
            f"recorded {difference.recorded}, recomputed {difference.recomputed}"
        )

    def show(people: Console) -> None:
        from rich.text import Text

        people.print(Text(ending, "bold green" if difference is None else "bold red"))
        for note in notes:
            people.print(Text(note, "dim"))

    document = {
        "message": ending,
        "notes": notes,
        "segments": [str(path) for path in paths],
        "events": result.events,
        "cycles": result.cycles,
        "decisions": result.decisions,
        "orders": result.orders,
        "open_tail": result.open_tail,
        "difference": None
        if difference is None
        else {name: getattr(difference, name) for name in ("seq", "cycle", "where", "recorded", "recomputed")},
    }
    return Result(exit_code=0 if difference is None else 1, document=document, show=show)
