"""The recorder: watches a journal's events, with the ledger after each, and keeps what a study is made of.

    recorder = Recorder()
    for event in reading:                      # or a running engine's, as they are recorded
        ledger = fold(ledger, event)
        recorder.take(event, ledger)
    done = study(recorder)

Every event has to be shown, in order, with the ledger that it led to. The counting begins with the first look that knows the
account's equity: what was done before it is where it starts from. A trade is a holding from flat to flat at average cost, exactly as
the ledger closes it, so there is no second truth; flat to flat, the order in which lots are taken off changes no trade's profit.

Cost: a look without a fill adds one row of numbers, and one price for each thing that is held. Bars are kept for pictures alone.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from hydra.model.activities import Activity, ActivityKind
from hydra.model.events import (
    Answered,
    Decided,
    Event,
    ForeignAccepted,
    Halted,
    OrderRejected,
    OrderSent,
    OrderUnknown,
    OrderWithheld,
    Passed,
    Recovered,
    Resumed,
    RunClosed,
    SegmentOpened,
)
from hydra.model.market import AssetClass, multiplier_of
from hydra.model.money import ZERO
from hydra.model.orders import Judgement, Purpose
from hydra.model.portfolio import BotRecord, Halt, Ledger, Trade, holding_key
from hydra.model.snapshot import Observed, Verdict
from hydra.study import books
from hydra.study.counts import Counts
from hydra.study.curve import DAY_MICROS, NAN, Bars, Curve, Split, micros
from hydra.study.marks import FLAT, Marks, Standing

_HALTS_MAX = 1000
_NOWHERE: Mapping[str, float] = {}
INCREMENT = "(venue's increment)"
"""Stands for a rule: what was admitted was less than the venue's least size."""


class Point(NamedTuple):
    """Where everything stood at a look: its row, the ledger after it, and what was held at its prices."""

    row: int
    at: datetime
    equity: Decimal
    ledger: Ledger
    held: Standing
    trades: int
    fills: int
    flows: Mapping[str, Decimal]


class Closed(NamedTuple):
    """A trade as the ledger closed it, and which way it went: +1 bought first, -1 sold first."""

    trade: Trade
    way: int


class Fills:
    """Every execution of Hydra's orders, in columns. ``what`` is the place of the purpose in ``PURPOSES``."""

    PURPOSES = tuple(Purpose)

    def __init__(self) -> None:
        self.at = array("q")
        self.who = array("I")
        self.what = array("B")
        self.units = array("d")
        self.price = array("d")
        self.dollars = array("d")
        self.owners: dict[tuple[str, str], int] = {}

    def __len__(self) -> int:
        return len(self.at)


class Recorder:
    """See the module. ``begun`` and ``last`` are ``None`` before a look has known the equity. ``opened`` are the heads of segments whose
    program or policy differs from the one before; ``unpriced`` counts the looks in which something held had no price at all.

    ``keep_bars=False`` is for a study without pictures: what was charted then stays unknown.

    ``looks`` counts those that knew the equity, passed over or not; ``worth`` adds up their equity, ``gross`` what was in the market as a
    fraction of it, and in ``looks_held`` of them something was.
    """

    def __init__(self, *, keep_bars: bool = True) -> None:
        self.curve = Curve()
        self.marks = Marks()
        self.bars: dict[str, Bars] = {}
        self.splits: dict[str, list[Split]] = {}
        self.trades: list[Closed] = []
        self.fills = Fills()
        self.skips: Counts[tuple[str, str]] = Counts()
        self.ceilings: Counts[tuple[str, str]] = Counts()
        self.gates: Counts[tuple[str, Verdict]] = Counts()
        self.refused: Counts[tuple[str, str, str]] = Counts()
        self.failures: Counts[tuple[str, str]] = Counts()
        self.sent: Counts[tuple[str]] = Counts()
        self.halts: list[Halt] = []
        self.resumes = 0
        self.opened: list[SegmentOpened] = []
        self.runs: dict[str, str] = {}
        self.ended: RunClosed | None = None
        self.unpriced = 0
        self.looks = self.looks_held = self.passed_over = 0
        self.gross = self.worth = 0.0
        self.in_market: dict[str, list[float]] = {}
        self.flows: Mapping[str, Decimal] = {}
        self.begun: Point | None = None
        self.last: Point | None = None
        self._keep_bars = keep_bars
        self._ledger = Ledger()
        self._ways: dict[str, int] = {}
        # The account's own words: what is told of later was in them already. Left out of a look, they still hold.
        self._equity: Decimal | None = None
        self._account_cash: Decimal | None = None
        self._gap_since: int | None = None
        self._realized: dict[str, tuple[Decimal, float]] = {}
        self._flat_with: Mapping[str, BotRecord] | None = None

    def take(self, event: Event, ledger: Ledger) -> None:
        """One event, and the ledger after it."""
        taker = _TAKERS.get(type(event.data))
        if taker is not None:
            taker(self, event.data, event, ledger)
        self._ledger = ledger

    # -- looks

    def observed(self, seen: Observed, _event: Event, ledger: Ledger) -> None:
        """A look: prices, what filled, what was closed, and a row."""
        self.marks.take(seen)
        if self._keep_bars:
            for bar in seen.bars:
                self._bars_of(bar.symbol).add(bar)
        if ledger.fills or ledger.trades or seen.activities:
            self._happened(seen.activities, ledger)
        if seen.account is not None:
            self._equity, self._account_cash = seen.account.equity, seen.account.cash
        elif any(failure.what == "account" for failure in seen.missing):
            self._equity = None
        if seen.sessions is not None:
            shares = seen.sessions.by_class.get(AssetClass.EQUITY)
            self.curve.date(seen.sessions.day, opened=shares is not None and shares.open)
        self._row(seen.at, ledger)

    def passed(self, passed: Passed, _event: Event, ledger: Ledger) -> None:
        """Looks that were passed over: a row where the curve turns, and their number."""
        self.passed_over += passed.count
        places = self.curve.place
        before = places[-1] if places else -1.0
        a_look = (passed.at - passed.since) / max(1, passed.count - 1)
        for mark in passed.marks:
            self.marks.put(mark.prices)
            self._equity = mark.equity
            self._row(mark.at, ledger, 0, before + 1 + ((mark.at - passed.since) / a_look if a_look else 0))
        self._equity = passed.equity
        if not passed.marks:
            self._row(passed.at, ledger, 0, before + passed.count)
        if self.begun is not None and passed.equity is not None:
            average = float(passed.equity) if passed.average is None else passed.average
            self._exposed(passed.count, average, passed.exposed)

    def recovered(self, found: Recovered, _event: Event, ledger: Ledger) -> None:
        """What happened while nobody was looking."""
        self._happened(found.activities, ledger)
        if found.baseline_cash is not None and self._ledger.cash is not None:
            self._flow(books.ACCEPTED, books.standing(ledger) - books.standing(self._ledger))

    def accepted(self, accepted: ForeignAccepted, _event: Event, ledger: Ledger) -> None:
        """An operator took the account as it is."""
        if accepted.equity is not None:
            self._equity = accepted.equity
        self._flow(books.ACCEPTED, books.standing(ledger) - books.standing(self._ledger))

    def _happened(self, activities: tuple[Activity, ...], ledger: Ledger) -> None:
        if ledger.fills:
            self._filled(ledger)
        for trade in ledger.trades:
            self.trades.append(Closed(trade, self._way(trade)))
        for activity in activities:
            if activity.kind is ActivityKind.RENAME and activity.new_symbol:
                self.marks.rename(activity.symbol, activity.new_symbol)
            if activity.kind is ActivityKind.SPLIT and activity.ratio is not None:
                self.split(activity.symbol, Split(micros(activity.at), float(activity.ratio)))
        if ledger.fills or activities:
            for kind, amount in books.explain(self._ledger, ledger, activities).items():
                self._flow(kind, amount)

    def _row(self, at: datetime, ledger: Ledger, looks: int = 1, place: float | None = None) -> None:
        """A row; ``looks`` says how many looks it stands for, ``place`` how many came before it, those that were passed over too."""
        curve = self.curve
        held = self.marks.standing(ledger.holdings) if ledger.holdings else FLAT
        equity = self._equity
        row = curve.add(at, NAN if equity is None else float(equity), float(held.gross), place)
        if ledger.cash is not self._ledger.cash or row == 0:
            curve.cash.add(row, 0.0 if ledger.cash is None else float(ledger.cash))
        self._gap(row, ledger)
        self.unpriced += held.unpriced > 0
        if equity is not None:
            point = Point(row, at, equity, ledger, held, len(self.trades), len(self.fills), self.flows)
            if self.begun is None:
                self.begun = point
            self.last = point
        if self.begun is not None:
            self._bots(row, ledger, held)
            if equity is not None and looks:
                worth = float(equity)
                gross_of = {bot: float(gross) / worth for bot, gross in held.gross_of.items()} if worth else _NOWHERE
                self._exposed(looks, worth, gross_of)

    def _bots(self, row: int, ledger: Ledger, held: Standing) -> None:
        """Each bot's profit since the beginning. What a record says is converted again only when it is another number."""
        begun, columns = self.begun, self.curve.bots
        assert begun is not None
        if held is FLAT and self._flat_with is ledger.bots:
            return  # nothing is open, and nobody's record is another one than at the row before
        self._flat_with = ledger.bots if held is FLAT else None
        for bot, record in ledger.bots.items():
            known = self._realized.get(bot)
            if known is None or known[0] is not record.realized:
                before = begun.ledger.bot(bot).realized + begun.held.open.get(bot, ZERO)
                known = self._realized[bot] = (record.realized, float(record.realized - before))
            opened = held.open.get(bot)
            profit = known[1] if opened is None else known[1] + float(opened)
            column = columns.get(bot)
            if column is not None:
                column.add(row, profit)
            elif profit:
                self.curve.bot(bot).add(row, profit)

    def _exposed(self, looks: int, worth: float, gross_of: Mapping[str, float]) -> None:
        """So many looks with this equity, in which each of these bots had this part of it in the market, on average."""
        self.looks += looks
        self.worth += worth * looks
        if not gross_of:
            return
        self.looks_held += looks if any(gross_of.values()) else 0
        for bot, gross in gross_of.items():
            kept = self.in_market.setdefault(bot, [0, 0.0])
            kept[0] += looks
            kept[1] += gross * looks
            self.gross += gross * looks

    def _gap(self, row: int, ledger: Ledger) -> None:
        """Since which row the account's cash is not what is explained: a deposit is often seen before it is told of."""
        if self._account_cash is None or ledger.cash is None or self._account_cash == ledger.cash:
            self._gap_since = None
        elif self._gap_since is None:
            self._gap_since = row

    def _flow(self, kind: str, amount: Decimal) -> None:
        """Book dollars beside trading; the owner's own are also kept by row."""
        if not amount:
            return
        self.flows = {**self.flows, kind: self.flows.get(kind, ZERO) + amount}
        if kind in books.NO_RETURN and self.begun is not None:
            row = len(self.curve) if self._gap_since is None else self._gap_since
            self.curve.flows.append((row, float(amount)))

    # -- orders, fills and trades

    def _filled(self, ledger: Ledger) -> None:
        fills = self.fills
        for fill in ledger.fills:
            order = ledger.orders.get(fill.client_id)
            if order is None:
                continue
            owner = (order.bot, fill.symbol)
            fills.at.append(micros(fill.at))
            fills.who.append(fills.owners.setdefault(owner, len(fills.owners)))
            fills.what.append(Fills.PURPOSES.index(order.purpose))
            fills.units.append(float(fill.quantity) * fill.side.sign)
            fills.price.append(float(fill.price))
            fills.dollars.append(float(fill.quantity * fill.price * multiplier_of(fill.symbol)))
            if order.purpose is Purpose.ENTRY:
                self._ways.setdefault(holding_key(*owner), fill.side.sign)

    def _way(self, trade: Trade) -> int:
        """Which way a trade went; of one whose entry was not seen, what its profit says."""
        way = self._ways.pop(holding_key(trade.bot, trade.symbol), 0)
        held = self._ledger.holdings.get(holding_key(trade.bot, trade.symbol))
        if held is not None:
            return 1 if held.quantity > 0 else -1
        return way or (1 if (trade.exit_price - trade.entry_price) * (trade.profit + trade.fees) >= 0 else -1)

    def _bars_of(self, symbol: str) -> Bars:
        found = self.bars.get(symbol)
        if found is None:
            found = self.bars[symbol] = Bars()
        return found

    def split(self, symbol: str, split: Split) -> None:
        """A split of a symbol, however often it is told of: there is one a day at most."""
        known = self.splits.setdefault(symbol, [])
        if all(abs(each.at - split.at) >= DAY_MICROS for each in known):
            known.append(split)
            known.sort()

    # -- words

    def decided(self, decided: Decided, _event: Event, _ledger: Ledger) -> None:
        """Why nothing was done, and what bit."""
        plan = decided.plan
        for skip in plan.skips:
            self.skips.add((skip.code, skip.subject), skip.reason)
        for answer in plan.answers:
            self.gates.add((answer.gate, answer.verdict), answer.reason)
        for judgement in plan.judgements:
            self._judged(judgement)

    def _judged(self, judgement: Judgement) -> None:
        if judgement.admitted >= judgement.asked:
            return
        bot, ceilings = judgement.intent.bot, judgement.ceilings
        lowest = min((ceiling.quantity for ceiling in ceilings), default=ZERO)
        if ceilings and lowest >= judgement.asked:
            if not judgement.admitted:
                self.ceilings.add((INCREMENT, bot), judgement.reason)
            return  # rounded to the increment, and no rule's doing
        for ceiling in ceilings:
            if ceiling.quantity == lowest:
                self.ceilings.add((ceiling.rule, bot), ceiling.reason)

    def answered(self, answered: Answered, _event: Event, _ledger: Ledger) -> None:
        """Bots that failed to answer."""
        for answer in answered.answers:
            if answer.failure is not None:
                self.failures.add((answer.bot, answer.failure.kind), answer.failure.reason)

    def order_sent(self, sent: OrderSent, _event: Event, _ledger: Ledger) -> None:
        """An order left."""
        self.sent.add((sent.order.purpose.value,))

    def not_taken(self, said: OrderRejected | OrderUnknown | OrderWithheld, event: Event, ledger: Ledger) -> None:
        """An order that the venue refused, that it may or may not have, or that was kept back."""
        order = ledger.orders.get(said.client_id)
        bot, symbol = ("", "") if order is None else (order.bot, order.symbol)
        self.refused.add((event.kind, bot, symbol), said.reason)

    def halted(self, halted: Halted, _event: Event, _ledger: Ledger) -> None:
        """A halt was latched."""
        if len(self.halts) < _HALTS_MAX:
            self.halts.append(halted.halt)

    def resumed(self, _resumed: Resumed, _event: Event, _ledger: Ledger) -> None:
        """An operator lifted them."""
        self.resumes += 1

    def segment(self, opened: SegmentOpened, event: Event, _ledger: Ledger) -> None:
        """Which program ran under which policy; only what differs from the segment before is kept."""
        self.runs.setdefault(event.run, opened.command)
        before = self.opened[-1] if self.opened else None
        if before is None or _program(before) != _program(opened):
            self.opened.append(opened)

    def run_closed(self, closed: RunClosed, _event: Event, _ledger: Ledger) -> None:
        """The end of a run."""
        self.ended = closed


def _program(opened: SegmentOpened) -> tuple[object, ...]:
    return (opened.code_hash, opened.policy_hash, opened.seed, opened.market, opened.practice)


_TAKERS: dict[type, Callable[[Recorder, Any, Event, Ledger], None]] = {
    SegmentOpened: Recorder.segment,
    Observed: Recorder.observed,
    Passed: Recorder.passed,
    Recovered: Recorder.recovered,
    ForeignAccepted: Recorder.accepted,
    Decided: Recorder.decided,
    Answered: Recorder.answered,
    OrderSent: Recorder.order_sent,
    OrderRejected: Recorder.not_taken,
    OrderUnknown: Recorder.not_taken,
    OrderWithheld: Recorder.not_taken,
    Halted: Recorder.halted,
    Resumed: Recorder.resumed,
    RunClosed: Recorder.run_closed,
}
