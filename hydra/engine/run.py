"""The loop around the cycle: when it turns a segment, when it ends, and how it says so.

A run ends when its cycles are done, the market has come to its end, a signal asks for it, or a latched halt has nothing
left to reduce. What cannot even reduce (a journal that cannot be written) ends at once and names what rests at the venue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hydra.engine.cycle import CycleReport, Engine
from hydra.model.errors import Corrupt, Unreachable
from hydra.model.events import Passed, RunClosed, SegmentOpened
from hydra.model.money import plain
from hydra.model.portfolio import Ledger, Mode
from hydra.ports import Clock

EXIT_DONE, EXIT_HALTED, EXIT_UNREACHABLE = 0, 3, 4

Segment = Callable[[int], SegmentOpened]
"""The opening of the n-th segment of this run (its ledger is filled in by the engine)."""


PassOver = Callable[[CycleReport, Ledger], Passed | None]
"""After a cycle, with the ledger as it stands: the cycles that may be passed over, as one event, the clock moved to the last of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Why a run ended."""

    reason: str
    exit_code: int
    cycles: int


@dataclass(slots=True, kw_only=True)
class Loop:
    """One run. ``stopped`` is asked before every cycle: an exit code ends the run, ``None`` lets it go on.

    ``pass_over`` moves the clock over cycles in which nothing can happen, and says what they would have left. ``daily``: a segment ends with its exchange day, and not only where it has reached its size.
    """

    engine: Engine
    segment: Segment
    cycles_max: int | None
    interval_seconds: float
    stopped: Callable[[], int | None]
    watch: Callable[[CycleReport], None]
    daily: bool = True
    pass_over: PassOver | None = None
    segments: int = 1
    done: int = 0

    def run(self) -> Ending:
        """Cycle until there is a reason to end; the reason is the journal's last line, if it can still be written."""
        try:
            ending = self._cycles_while_reachable()
            self.engine.close(RunClosed(reason=ending.reason, exit_code=ending.exit_code, cycles=ending.cycles))
        except (OSError, Corrupt) as error:
            resting = resting_orders(self.engine.ledger)
            reason = f"cannot even reduce: {type(error).__name__}: {error}; {resting}"
            return Ending(reason=reason, exit_code=EXIT_HALTED, cycles=self.done)
        return ending

    def _cycles_while_reachable(self) -> Ending:
        """A read that fails is the gates' business; a clock that does not answer leaves no next cycle."""
        try:
            return self._cycles()
        except Unreachable as silent:
            rests = resting_orders(self.engine.ledger)
            return self._end(f"the venue does not answer: {silent}; {rests}", EXIT_UNREACHABLE)

    def _cycles(self) -> Ending:
        clock: Clock = self.engine.outside.clock
        while True:
            exit_code = self.stopped()
            if exit_code is not None:
                return self._end(f"stopped by signal {exit_code - 128}", exit_code)
            if self.cycles_max is not None and self.done >= self.cycles_max:
                return self._end(f"{self.done} cycles are done", EXIT_DONE)
            day_before = self.engine.ledger.day
            report = self.engine.cycle()
            self.done += 1
            self.watch(report)
            if report.plan.mode is Mode.HALTED:
                kinds = ", ".join(f"{halt.kind}: {halt.reason}" for halt in self.engine.ledger.halts)
                return self._end(f"halted and flat ({kinds})", EXIT_HALTED)
            turn = self.daily and day_before is not None and self.engine.ledger.day != day_before
            if turn or self.engine.outside.journal.wants_turn():
                self.segments += 1
                self.engine.open_segment(self.segment(self.segments))
            passed = None if self.pass_over is None else self.pass_over(report, self.engine.ledger)
            if passed is not None:
                self.engine.record(passed)
                self.done += passed.count
            if not clock.wait(self.interval_seconds) and self.stopped() is None:
                return self._end("the market's last day is over", EXIT_DONE)

    def _end(self, reason: str, exit_code: int) -> Ending:
        return Ending(reason=reason, exit_code=exit_code, cycles=self.done)


def resting_orders(ledger: Ledger) -> str:
    """What protects the holdings at the venue, for a person who must look after them now."""
    if not ledger.holdings:
        return "nothing is held"
    lines = []
    for holding in ledger.holdings.values():
        if holding.structure:
            lines.append(f"{holding.bot} holds {plain(holding.quantity)} {holding.symbol} of a structure")
            continue
        stops = [o for o in ledger.working(bot=holding.bot, symbol=holding.symbol) if o.stop is not None]
        rests = ", ".join(f"stop {plain(o.stop)} for {plain(o.remaining)}" for o in stops if o.stop is not None)
        lines.append(
            f"{holding.bot} holds {plain(holding.quantity)} {holding.symbol}, at the venue rests {rests or 'NO STOP'}"
        )
    return "; ".join(lines)
