"""The live view of a run: drawn a few times a second whatever the cycle rate, on a terminal; elsewhere a line a day.

It only watches. Whatever goes wrong in here (a terminal that went away included) switches the view off and is kept in
``failure``: a screen never ends a run. ``NO_COLOR``, a pipe and a dumb terminal get the line a day instead of the view.
The alternate screen is used, so that what was on the terminal comes back and the summary stands below it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

from hydra.cli.screen import words
from hydra.cli.screen.decisions import Decisions
from hydra.cli.screen.panels import Facts, picture
from hydra.cli.screen.tally import Tally
from hydra.engine.cycle import CycleReport
from hydra.guard import attempt
from hydra.policy import Policy

_DRAWS_PER_SECOND = 8


class LiveView:
    """Use as a context manager, and give ``take`` every report after the tally has taken it.

    ``run`` and ``market`` are shown as they are; ``speed`` is the simulated market's (``max`` or a multiple) when it differs
    from the policy's, ``venue`` what kind of account it is (sim, paper or live). ``progress`` is where the line a day goes (standard error). ``monotonic`` is in seconds.
    """

    def __init__(
        self,
        console: Console,
        policy: Policy,
        *,
        run: str,
        market: str,
        speed: str | None = None,
        venue: str = "",
        progress: Console | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._progress = progress or Console(stderr=True, highlight=False, no_color=True)
        self._policy = policy
        self._run = run
        self._market = market
        self._pace = pace(policy, speed, venue)
        self._monotonic = monotonic
        self._decisions = Decisions()
        self._live: Live | None = None
        self._drawn_at: float | None = None
        self._day: tuple[date, Decimal | None, int, int, int] | None = None
        self.drawn = 0
        self.failure: str | None = None

    @property
    def shows(self) -> bool:
        """True when there is a terminal that can be drawn on, and colour was not declined."""
        out = self._console
        return out.is_terminal and not out.is_dumb_terminal and not out.no_color

    def __enter__(self) -> Self:
        if self.shows:
            self._guarded(self._open)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        live, self._live = self._live, None
        if live is not None:
            self._guarded(live.stop)

    def take(self, report: CycleReport, tally: Tally) -> None:
        """Watch one cycle, and draw it if the last picture is old enough."""
        if self.failure is None:
            self._guarded(lambda: self._take(report, tally))

    def _take(self, report: CycleReport, tally: Tally) -> None:
        if self._live is None:
            self._a_line_a_day(report, tally)
            return
        self._decisions.take(report)
        now = self._monotonic()
        if self._drawn_at is None or now - self._drawn_at >= 1 / _DRAWS_PER_SECOND:
            self._drawn_at = now
            self._draw(report, tally)

    def _open(self) -> None:
        live = Live(Text("waiting for the first cycle", "dim"), console=self._console, screen=True, auto_refresh=False)
        self._live = live
        live.start()

    def _draw(self, report: CycleReport, tally: Tally) -> None:
        assert self._live is not None
        facts = Facts(
            policy=self._policy,
            run=self._run,
            market=self._market,
            pace=self._pace,
            report=report,
            tally=tally,
            decisions=self._decisions,
        )
        self._live.update(picture(facts, *self._console.size), refresh=True)
        self.drawn += 1

    def _a_line_a_day(self, report: CycleReport, tally: Tally) -> None:
        """Say what a day came to when the next one begins; the last day is the summary's."""
        sessions, before = report.snapshot.sight.sessions, self._day
        if sessions is None:
            return
        self._day = (sessions.day, report.ledger.equity, tally.cycles, tally.orders, tally.trades.count)
        if before is None or before[0] == sessions.day:
            return
        day, equity, cycles, orders, trades = before
        counts = f"{words.some(cycles, 'cycle')}, {words.some(orders, 'order')}, {words.some(trades, 'trade')} closed"
        self._progress.print(Text(f"{day}  equity {words.dollars(equity)}; so far {counts}"), soft_wrap=True)

    def _guarded(self, act: Callable[[], None]) -> None:
        outcome = attempt("screen", act)
        if outcome.failure is not None:
            self.failure = f"{outcome.failure.kind}: {outcome.failure.reason}"


def pace(policy: Policy, speed: str | None, venue: str = "") -> str:
    """How the run's time passes, in words. A broker that is far away may be a simulator with a clock of its own."""
    if policy.broker.name != "sim":
        return "the simulator's time" if venue == "sim" else "real time"
    chosen = policy.market.speed if speed is None else speed
    return "simulated, full speed" if chosen == "max" else f"simulated x{chosen}"
