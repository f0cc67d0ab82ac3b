"""The iterations of a tournament: the loop of every run, and what of a cycle counts as an iteration.

A cycle is an iteration. In one that asked nobody (no candles, a gap, a shut gate) the iteration is passed over: it is journaled with the
reason, and the next asset is on turn. The one exception is a first cycle that ends what a process before this one had begun: those
votes are on record, they are acted on, and they are not counted again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hydra.bootstrap.tournament import Arena
from hydra.bootstrap.tournament_host import BOT, TournamentHost, last_of, next_of
from hydra.bootstrap.tournament_records import Records
from hydra.engine.cycle import CycleReport
from hydra.engine.run import Ending, Loop
from hydra.model.events import Voted


@dataclass(slots=True, kw_only=True)
class Iterations:
    """Holds iterations until there is a reason to end. ``take`` is told of each, once it is over and on record."""

    arena: Arena
    table: TournamentHost
    records: Records
    take: Callable[[Voted, CycleReport], None]
    stopped: Callable[[], int | None]
    _loop: Loop | None = field(default=None, init=False)

    def run(self, iterations: int | None, interval_seconds: float) -> Ending:
        """So many, or (``None``) without end, with so many seconds between two."""
        self.table.forget()
        self._loop = Loop(
            engine=self.arena.engine,
            segment=self.arena.segment,
            cycles_max=iterations,
            interval_seconds=interval_seconds,
            stopped=self.stopped,
            watch=self._watch,
            daily=False,
        )
        try:
            return self._loop.run()
        finally:
            self.records.flush()

    def _watch(self, report: CycleReport) -> None:
        table, engine = self.table, self.arena.engine
        assert self._loop is not None
        if table.again or (table.voted is None and self._is_over(report)):
            if self._loop.cycles_max is not None:
                self._loop.cycles_max += 1  # it was counted by the process that ended in it
        else:
            voted = table.voted
            if voted is None:
                voted = self._passed_over(report)
                engine.record(voted)
            self.records.flush()
            self.take(voted, report)
        table.forget()

    def _is_over(self, report: CycleReport) -> bool:
        """Whether this very instant of the market has had its iteration, in a process that ended in it."""
        last = last_of(self.arena.engine.ledger.bot(BOT).memory)
        return last is not None and last.at == report.snapshot.at

    def _passed_over(self, report: CycleReport) -> Voted:
        """The record of an iteration in which nobody was asked."""
        iteration, asset = next_of(self.table.assets, self.arena.engine.ledger.bot(BOT).memory)
        why = self.table.skipped or why_nobody(report, asset)
        return Voted(bot=BOT, iteration=iteration, asset=asset, at=report.snapshot.at, skipped=why)


def why_nobody(report: CycleReport, asset: str) -> str:
    """Why nobody was asked, in the words of whatever stood in the way."""
    missing = report.snapshot.sight.missing.get("market")
    if missing is not None:
        return f"{asset}: no candles: {missing.kind}: {missing.reason}"
    for skip in report.plan.skips:
        if skip.subject in (f"{BOT}|{asset}", BOT):
            return f"{asset}: {skip.code}: {skip.reason}"
    return f"{asset}: the engine asked nobody: mode {report.plan.mode}"
