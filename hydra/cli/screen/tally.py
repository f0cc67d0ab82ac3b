"""What a run came to: takes every ``CycleReport`` and keeps only what a summary needs.

Memory is bounded whatever the number of cycles: counters, histograms, the last report and the last few halts. A cycle's
fills and trades stand in the ledger it ends with and are gone from the next one, so each is counted exactly once by
taking every report exactly once, in order.

A structure of options is one trade, however many legs it has: it is counted when the last of them is closed.

Realised profit and fees by bot are differences of the ledger's own records since ``start``, not sums of our own.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hydra.cli.screen.figures import open_profits
from hydra.cli.screen.histogram import Histogram
from hydra.model.money import ZERO
from hydra.model.orders import OrderStatus, Purpose
from hydra.model.portfolio import Halt, Ledger
from hydra.model.snapshot import Failure, Verdict

if TYPE_CHECKING:
    from hydra.engine.cycle import CycleReport

OTHERS = "(others)"
"""Stands for the codes and subjects beyond those that are kept apart."""
_CODES_MAX, _SUBJECTS_MAX, _HALTS_MAX = 128, 256, 16


@dataclass(slots=True)
class Reason:
    """One reason why something was not done: how often, in how many cycles, for whom, and its last words."""

    count: int = 0
    cycles: int = 0
    last: str = ""
    subjects: dict[str, int] = field(default_factory=dict)
    _cycle: int = 0

    def add(self, cycle: int, subject: str, words: str) -> None:
        """Count one occurrence in the ``cycle``-th cycle (from 1)."""
        self.count += 1
        self.last = words
        if self._cycle != cycle:
            self._cycle = cycle
            self.cycles += 1
        subjects = self.subjects
        if subject not in subjects and len(subjects) >= _SUBJECTS_MAX:
            subject = OTHERS
        subjects[subject] = subjects.get(subject, 0) + 1


@dataclass(slots=True)
class Closed:
    """Closed trades: how many, how many of them with a profit and with a loss, and their profit after fees."""

    count: int = 0
    won: int = 0
    lost: int = 0
    profit: Decimal = ZERO
    best: Decimal | None = None
    worst: Decimal | None = None

    def add(self, profit: Decimal) -> None:
        """Count one trade."""
        self.count += 1
        self.won += profit > 0
        self.lost += profit < 0
        self.profit += profit
        self.best = profit if self.best is None else max(self.best, profit)
        self.worst = profit if self.worst is None else min(self.worst, profit)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotFigures:
    """A bot's run in dollars. ``realized`` is before ``fees``; ``open`` is ``None`` when a holding has no quote.

    ``open`` counts from a holding's entry, also when it was entered before the run.
    """

    bot: str
    trades: int
    won: int
    lost: int
    realized: Decimal
    fees: Decimal
    open: Decimal | None

    @property
    def net(self) -> Decimal | None:
        """Realised and open profit after fees."""
        return None if self.open is None else self.realized - self.fees + self.open


class Tally:
    """The counters of one run. ``start`` is the ledger the run begins with, ``bots`` the ids to show in any case."""

    def __init__(self, start: Ledger, bots: Sequence[str] = ()) -> None:
        self.start = start
        self.bots = tuple(bots)
        self.last: CycleReport | None = None
        self.cycles = 0
        self.cycles_sent = 0
        self.began_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.first_day: date | None = None
        self.last_day: date | None = None
        self.days = 0
        self.equity_start: Decimal | None = None
        self.equity_end: Decimal | None = None
        self.open_at_start: Decimal | None = ZERO
        self.skips: dict[str, Reason] = {}
        self.gates: dict[tuple[str, Verdict], Reason] = {}
        self.failures: dict[tuple[str, str], Reason] = {}
        self.sent: Counter[Purpose] = Counter()
        self.accepted = 0
        self.rejected = 0
        self.unknown = 0
        self.held_back = 0
        self.cancels = 0
        self.last_rejection = ""
        self.fills = 0
        self.trades = Closed()
        self.trades_of: dict[str, Closed] = {}
        self._parts: dict[tuple[str, str], Decimal] = {}
        self.halts: deque[Halt] = deque(maxlen=_HALTS_MAX)
        self.halts_latched = 0
        self.resumes = 0
        self.releases = 0
        self.times = Histogram()
        self.stages: dict[str, Histogram] = {}

    @property
    def ledger(self) -> Ledger:
        """The ledger as last seen."""
        return self.start if self.last is None else self.last.ledger

    @property
    def orders(self) -> int:
        """Orders that left."""
        return sum(self.sent.values())

    def take(self, report: CycleReport) -> None:
        """Count one cycle."""
        self.cycles += 1
        if self.last is None:
            self._begin(report)
        self.last = report
        plan, ledger, cycle = report.plan, report.ledger, self.cycles
        self.ended_at = report.snapshot.at
        if ledger.equity is not None:
            self.equity_end = ledger.equity
        self._day(report)
        for skip in plan.skips:
            reason = self.skips.get(skip.code) or _kept(self.skips, skip.code, OTHERS)
            reason.add(cycle, skip.subject, skip.reason)
        for answer in plan.answers:
            name = (answer.gate, answer.verdict)
            reason = self.gates.get(name) or _kept(self.gates, name, (OTHERS, answer.verdict))
            reason.add(cycle, answer.key, answer.reason)
        for heard in report.snapshot.answers.values():
            if heard.failure is not None:
                self._failed(heard.bot, heard.failure)
        self._times(report.micros)
        if plan.sends or plan.cancels:
            self._orders(report)
        self.fills += len(ledger.fills)
        if ledger.trades or self._parts:
            self._trades(ledger)
        if plan.halts:
            self.halts += plan.halts
            self.halts_latched += len(plan.halts)
        self.resumes += len(plan.resumes)
        self.releases += len(plan.releases)

    def by_bot(self) -> tuple[BotFigures, ...]:
        """Every bot that was named, traded or holds something: in the given order, then by name."""
        ledger, before = self.ledger, self.start
        opened = self.open_now()
        touched = {
            bot for bot, record in ledger.bots.items() if record.realized or record.fees or bot in self.trades_of
        }
        names = (*self.bots, *sorted((touched | set(opened) | set(self.trades_of)) - set(self.bots)))
        figures = []
        for bot in names:
            now, then, closed = ledger.bot(bot), before.bot(bot), self.trades_of.get(bot) or Closed()
            fees = now.fees - then.fees
            figure = BotFigures(
                bot=bot,
                trades=closed.count,
                won=closed.won,
                lost=closed.lost,
                realized=now.realized - then.realized + fees,
                fees=fees,
                open=opened.get(bot, ZERO),
            )
            figures.append(figure)
        return tuple(figures)

    def open_now(self) -> dict[str, Decimal | None]:
        """Open profit by bot at the last quotes."""
        return {} if self.last is None else open_profits(self.last.ledger, self.last.snapshot.sight)

    def beside(self) -> Decimal | None:
        """Dollars by which the equity moved and that are in no bot's figures: fees and transfers of the account.

        ``None`` when it cannot be told: the equity or an open profit is unknown.
        """
        nets = [one.net for one in self.by_bot()]
        known = [net for net in nets if net is not None]
        if self.equity_start is None or self.equity_end is None or self.open_at_start is None or len(known) < len(nets):
            return None
        return self.equity_end - self.equity_start - sum(known, ZERO) + self.open_at_start

    def _begin(self, report: CycleReport) -> None:
        """A run's orders can fill in its second cycle at the earliest, so what the first one sees is the start."""
        self.began_at = report.snapshot.at
        profits = open_profits(self.start, report.snapshot.sight).values()
        known = [profit for profit in profits if profit is not None]
        self.open_at_start = sum(known, ZERO) if len(known) == len(profits) else None

    def _day(self, report: CycleReport) -> None:
        if self.equity_start is None:
            self.equity_start = report.ledger.equity
        sessions = report.snapshot.sight.sessions
        if sessions is not None and sessions.day != self.last_day:
            self.first_day = self.first_day or sessions.day
            self.last_day = sessions.day
            self.days += 1

    def _trades(self, ledger: Ledger) -> None:
        """Count what was closed. The legs of a structure are one trade, which ends with the last of them."""
        for trade in ledger.trades:
            if trade.structure:
                name = (trade.bot, trade.structure)
                self._parts[name] = self._parts.get(name, ZERO) + trade.profit
            else:
                self._closed(trade.bot, trade.profit)
        held = {holding.structure for holding in ledger.holdings.values()} if self._parts else set()
        for name in [name for name in self._parts if name[1] not in held]:
            self._closed(name[0], self._parts.pop(name))

    def _closed(self, bot: str, profit: Decimal) -> None:
        self.trades.add(profit)
        self.trades_of.setdefault(bot, Closed()).add(profit)

    def _failed(self, bot: str, failure: Failure) -> None:
        """Count by bot and kind; what a hostile bot calls its failures must not fill the table for ever."""
        name = (bot, failure.kind)
        reason = self.failures.get(name) or _kept(self.failures, name, (OTHERS, OTHERS))
        reason.add(self.cycles, bot, failure.reason)

    def _times(self, micros: dict[str, int]) -> None:
        self.times.add(sum(micros.values()))
        for stage, spent in micros.items():
            histogram = self.stages.get(stage)
            if histogram is None:
                histogram = self.stages[stage] = Histogram()
            histogram.add(spent)

    def _orders(self, report: CycleReport) -> None:
        """An order that left is in the ledger; one whose way was not free is not."""
        plan, ledger = report.plan, report.ledger
        self.cancels += len(plan.cancels) + sum(len(send.release) for send in plan.sends)
        before = self.orders
        for send in plan.sends:
            order = ledger.orders.get(send.order.client_id)
            if order is None:
                self.held_back += 1
                continue
            self.sent[order.purpose] += 1
            if order.status is OrderStatus.REJECTED:
                self.rejected += 1
                self.last_rejection = order.reason
            elif order.status.unresolved:
                self.unknown += 1
            else:
                self.accepted += 1
        self.cycles_sent += self.orders > before


def _kept(table: dict, name: object, others: object) -> Reason:  # type: ignore[type-arg]  # two kinds of keys
    """A new entry for ``name``, or the one for all others when the table is full."""
    reason: Reason = table.setdefault(name if len(table) < _CODES_MAX else others, Reason())
    return reason
