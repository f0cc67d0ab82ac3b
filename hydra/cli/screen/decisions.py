"""The latest decisions, worded for a person: entries, exits, caps, refusals, trades and halts.

What repeats every cycle (a wish that is capped again) is one line with a count. A gate is news when it starts to refuse and
when it opens again; a closed session is no news, and a halt is told as one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from hydra.cli.screen import structures, words
from hydra.engine.cycle import CycleReport
from hydra.model.market import OptionContract
from hydra.model.money import ZERO
from hydra.model.orders import Order, OrderStatus, Purpose, Side
from hydra.model.portfolio import Trade
from hydra.model.snapshot import Verdict
from hydra.model.structures import most_lost_of

_KEPT = 64
_KINDS = {"capped": "capped", "abstained": "failed"}
"""Skips that have a word of their own on the screen; the others are just skipped."""
_TROUBLE = {
    OrderStatus.REJECTED: "REJECTED",
    OrderStatus.UNKNOWN: "OUTCOME UNKNOWN",
    OrderStatus.SENT: "OUTCOME UNKNOWN",
}


@dataclass(slots=True, kw_only=True)
class Decision:
    """One line: when (last), what kind, about whom, and why. ``times`` counts its repetitions."""

    at: datetime
    cycle: int
    kind: str
    subject: str
    text: str
    number: int
    times: int = 1


class Decisions:
    """The last few dozen decisions of a run."""

    def __init__(self) -> None:
        self._lines: dict[tuple[str, str, str], Decision] = {}
        self._refusing: frozenset[tuple[str, str]] = frozenset()
        self._number = 0

    def take(self, report: CycleReport) -> None:
        """Note what one cycle decided."""
        plan, ledger = report.plan, report.ledger
        if plan.answers or self._refusing:
            self._gates(report)
        shut = {answer.gate for answer in plan.answers}
        for skip in plan.skips:
            # A skip under a shut gate's name is no news of its own: the gate is shown.
            if skip.code not in words.QUIET and skip.code not in shut and skip.code != "mode":
                bot, _, symbol = skip.subject.partition("|")
                text = skip.reason if skip.code in _KINDS else f"{words.in_words(skip.code)}: {skip.reason}"
                # A bot that fails in another way than before is another line.
                failed = report.snapshot.answers.get(bot) if skip.code == "abstained" else None
                how = failed.failure.kind if failed is not None and failed.failure is not None else ""
                self._note(report, _KINDS.get(skip.code, "skipped"), f"{bot} {symbol}".strip(), text, skip.code + how)
        if ledger.trades:
            self._trades(report)
        if plan.sends:
            self._orders(report)
        for moved in plan.stops:
            text = f"stop to {words.price(moved.stop)}: {moved.reason}"
            self._note(report, "moved", f"{moved.bot} {moved.symbol}", text, "stop")
        for resume in plan.resumes:
            self._note(report, "resumed", resume.by, resume.reason, resume.command_id)
        for word in plan.releases:
            what = "failed answers and memory" if word.force else "failed answers"
            text = f"{what} forgotten: {word.reason} (by {word.by})"
            self._note(report, "released", word.bot, text, word.command_id)
        for halt in plan.halts:
            self._note(report, "HALT", halt.kind, f"{halt.reason} (by {halt.by})", halt.at.isoformat())

    def latest(self, count: int) -> tuple[Decision, ...]:
        """The last ``count`` decisions, newest first; what keeps repeating counts by its last time."""
        ordered = sorted(self._lines.values(), key=lambda line: (line.cycle, line.number), reverse=True)
        return tuple(ordered[:count])

    def _trades(self, report: CycleReport) -> None:
        """What was closed: the legs of a structure on one line."""
        together: dict[str, list[Trade]] = {}
        for trade in report.ledger.trades:
            together.setdefault(trade.structure or trade.trade_id, []).append(trade)
        for trades in together.values():
            first, profit = trades[0], sum((trade.profit for trade in trades), ZERO)
            about, text = (_legs_closed if first.structure else _closed)(trades)
            self._note(report, "won" if profit > 0 else "lost", f"{first.bot} {about}", text, first.trade_id)

    def _gates(self, report: CycleReport) -> None:
        refusing = {(a.gate, a.key): a for a in report.plan.answers if a.verdict is Verdict.REFUSE and a.gate != "mode"}
        if refusing.keys() == self._refusing:
            return
        for name, answer in refusing.items():
            if name not in self._refusing:
                self._note(report, "refused", f"{answer.gate} {answer.key}".strip(), answer.reason, "shut")
        for gate, key in sorted(self._refusing - refusing.keys()):
            self._note(report, "open", f"{gate} {key}".strip(), "the gate refuses no more", "open")
        self._refusing = frozenset(refusing)

    def _orders(self, report: CycleReport) -> None:
        for send in report.plan.sends:
            order, heard = send.order, report.ledger.orders.get(send.order.client_id)
            if heard is None:
                text = "; ".join(("NOT SENT: what it replaces is not confirmed gone", *_why(order, report)))
            else:
                trouble = _TROUBLE.get(heard.status)
                first = (f"{trouble}: {heard.reason}",) if trouble else ()
                text = "; ".join((*first, *_why(order, report)))
            self._note(report, order.purpose.value, f"{order.bot} {order.symbol}", text, order.client_id)

    def _note(self, report: CycleReport, kind: str, subject: str, text: str, key: str) -> None:
        name, at, cycle = (kind, subject, key), report.snapshot.at, report.snapshot.cycle
        line = self._lines.get(name)
        if line is not None:
            line.at, line.cycle, line.text, line.times = at, cycle, text, line.times + 1
            return
        self._number += 1
        self._lines[name] = Decision(at=at, cycle=cycle, kind=kind, subject=subject, text=text, number=self._number)
        if len(self._lines) > _KEPT:
            del self._lines[min(self._lines, key=lambda one: self._lines[one].cycle)]


def _why(order: Order, report: CycleReport) -> Iterator[str]:
    """What an order does, and the reason that led to it."""
    yield _structure(order) if order.legs else _alone(order)
    if order.purpose is not Purpose.ENTRY:
        return
    for judgement in report.plan.judgements:
        same = judgement.intent.bot == order.bot and judgement.intent.symbol == order.symbol
        if same and judgement.admitted == order.quantity and judgement.reason:
            yield f"capped from {words.quantity(round(judgement.asked, 4))} by {judgement.reason}"
            return


def _alone(order: Order) -> str:
    """``buy 30 at 599.12, stop 596.70``."""
    what = f"{order.side} {words.quantity(order.quantity)}"
    if order.purpose is not Purpose.ENTRY:
        beyond = "under" if order.side is Side.SELL else "over"
        why = "protects what is held" if order.purpose is Purpose.STOP else order.thesis
        return f"{what}{f' {beyond} {words.price(order.stop)}' if order.stop is not None else ''}: {why}"
    stop = f", stop {words.price(order.protection.stop)}" if order.protection is not None else ""
    return f"{what} at {words.price(order.limit or order.reference)}{stop}: {order.thesis}"


def _structure(order: Order) -> str:
    """``opens 2 iron condor 740/745/760/765 for 0.60 received``."""
    what = f"{words.quantity(order.quantity)} {structures.ordered(order)}"
    if order.purpose is not Purpose.ENTRY:
        return f"closes {what}: {order.thesis}"
    flow = "received" if order.side is Side.SELL else "paid"
    lost = most_lost_of(order.legs, (order.limit or ZERO) * order.side.sign)
    bound = "no bound to its loss" if lost is None else f"{words.dollars(lost * order.quantity)} can be lost"
    return f"opens {what} for {words.price(order.limit)} {flow}, {bound}: {order.thesis}"


def _closed(trades: Sequence[Trade]) -> tuple[str, str]:
    trade = trades[0]
    prices = f"{words.price(trade.entry_price)} to {words.price(trade.exit_price)}"
    text = f"{words.short_change(trade.profit)} on {words.quantity(trade.quantity)}, {prices}: {trade.reason}"
    return trade.symbol, text


def _legs_closed(trades: Sequence[Trade]) -> tuple[str, str]:
    profit = sum((trade.profit for trade in trades), ZERO)
    text = f"{words.short_change(profit)} on {words.some(len(trades), 'leg')}: {trades[0].reason}"
    return OptionContract.parse(trades[0].symbol).root, text
