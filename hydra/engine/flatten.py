"""Flattening at an operator's word: cycles of the engine until nothing of it is held and no order of it is open.

The word is in the ledger before the first cycle (``Flattened``, and a halt when it is for every bot), so whoever runs an engine
next goes on where this ended. Here is only when to stop: flat, nothing more to be done now (its sessions are closed), too long,
the market over, a signal, or somebody resumed. Foreign positions and orders are nobody's here and are not counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from hydra.engine.cycle import CycleReport, Engine
from hydra.engine.run import EXIT_DONE, EXIT_HALTED, EXIT_UNREACHABLE
from hydra.model.errors import Unreachable
from hydra.model.events import RunClosed
from hydra.model.market import asset_class_of
from hydra.model.money import plain
from hydra.model.orders import Order
from hydra.model.portfolio import FLATTEN_ALL, Holding, Ledger
from hydra.model.snapshot import Sight, Verdict
from hydra.model.values import Value

_CYCLES_LEAST = 5
"""A market whose steps are long may pass the time limit in one of them; this many are taken all the same."""


class Left(Value, frozen=True, kw_only=True):
    """What is still to be closed."""

    holdings: tuple[Holding, ...] = ()
    orders: tuple[Order, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.holdings or self.orders)

    def told(self) -> tuple[str, ...]:
        """One line each."""
        return (
            *(f"{held.bot} holds {plain(held.quantity)} {held.symbol}" for held in self.holdings),
            *map(_open_order, self.orders),
        )


class Step(Value, frozen=True, kw_only=True):
    """What one cycle did about it."""

    cycle: int
    at: datetime
    cancelled: tuple[str, ...]
    sent: tuple[str, ...]
    waits: tuple[str, ...]
    left: tuple[str, ...]


class Flat(Value, frozen=True, kw_only=True):
    """How it ended."""

    reason: str
    exit_code: int
    cycles: int
    left: Left


def _open_order(order: Order) -> str:
    if order.legs:
        return f"{order.purpose} of {order.bot}: {_of_legs(order)}, {order.status}"
    price = order.limit if order.stop is None else order.stop
    at = "at the market" if price is None else f"at {plain(price)}"
    text = f"{order.purpose} of {order.bot}: {order.side} {plain(order.remaining)} {order.symbol} {at}, {order.status}"
    return f"{text} ({order.client_id})" if order.status.unresolved else text


def left_of(ledger: Ledger, bot: str) -> Left:
    """What ``bot`` holds and has ordered; empty: every bot."""
    return Left(
        holdings=tuple(held for held in ledger.holdings.values() if bot in ("", held.bot)),
        orders=tuple(o for o in ledger.orders.values() if bot in ("", o.bot) and not o.status.terminal),
    )


@dataclass(slots=True, kw_only=True)
class Flatten:
    """One go. ``timeout_seconds`` are of the clock that is followed; ``stopped`` answers with an exit code to end."""

    engine: Engine
    bot: str
    timeout_seconds: float
    interval_seconds: float
    stopped: Callable[[], int | None]
    watch: Callable[[Step], None]
    cycles: int = 0

    def run(self) -> Flat:
        """Cycle until there is a reason to end, which is the journal's last line."""
        try:
            flat = self._cycles()
        except Unreachable as silent:
            flat = self._end(f"the venue does not answer: {silent}", EXIT_UNREACHABLE)
        self.engine.close(RunClosed(reason=flat.reason, exit_code=flat.exit_code, cycles=flat.cycles))
        return flat

    def _cycles(self) -> Flat:
        clock = self.engine.outside.clock
        until = clock.now() + timedelta(seconds=self.timeout_seconds)
        while True:
            exit_code = self.stopped()
            if exit_code is not None:
                return self._end(f"stopped by signal {exit_code - 128}", exit_code)
            report = self.engine.cycle()
            self.cycles += 1
            self.watch(_step(report, self.bot))
            why = self._why_end(report, late=clock.now() >= until)
            if why is not None:
                return why
            if not clock.wait(self.interval_seconds) and self.stopped() is None:
                return self._end("the market's last day is over", EXIT_HALTED)

    def _why_end(self, report: CycleReport, *, late: bool) -> Flat | None:
        ledger = self.engine.ledger
        left = left_of(ledger, self.bot)
        reached = not any(a.gate == "broker_reachable" and a.verdict is not Verdict.PASS for a in report.plan.answers)
        if not left and reached:
            return self._end("flat", EXIT_DONE)
        if (self.bot or FLATTEN_ALL) not in ledger.flatten:
            return self._end("somebody resumed meanwhile", EXIT_HALTED)
        busy = report.plan.sends or report.plan.cancels
        closed = _closed(report.snapshot.sight, left)
        if reached and closed and not busy:
            return self._end(closed, EXIT_HALTED)
        if late and self.cycles >= _CYCLES_LEAST:
            text = f"not flat after {self.timeout_seconds:g} s and {self.cycles} cycles"
            return self._end(text if reached else f"{text}: the venue does not answer", _late_code(reached=reached))
        return None

    def _end(self, reason: str, exit_code: int) -> Flat:
        left = left_of(self.engine.ledger, self.bot)
        return Flat(reason=reason, exit_code=exit_code, cycles=self.cycles, left=left)


def _late_code(*, reached: bool) -> int:
    return EXIT_HALTED if reached else EXIT_UNREACHABLE


def _closed(sight: Sight, left: Left) -> str:
    """Why nothing that is held can be sold now: all of it waits for its session. Empty: it does not."""
    told: dict[str, None] = {}
    for held in left.holdings:
        kind = asset_class_of(held.symbol)
        session = None if sight.sessions is None else sight.sessions.by_class.get(kind)
        if session is None or session.open:
            return ""
        opens = f", opens {session.opens_at:%Y-%m-%d %H:%M}Z" if session.opens_at is not None else ""
        told[f"the {kind} session is {session.phase}{opens}"] = None
    return "; ".join(told)


def _step(report: CycleReport, bot: str) -> Step:
    plan, ledger = report.plan, report.ledger
    sends = [send for send in plan.sends if bot in ("", send.order.bot)]
    cancels = (*plan.cancels, *(cancel for send in sends for cancel in send.release))
    gates = [f"{answer.gate}: {answer.reason}" for answer in plan.answers if answer.gate == "broker_reachable"]
    return Step(
        cycle=ledger.cycle,
        at=report.snapshot.at,
        cancelled=tuple(cancel.client_id for cancel in cancels),
        sent=tuple(_told(send.order) for send in sends),
        waits=(*gates, *(f"{skip.subject}: {skip.reason}" for skip in plan.skips if skip.code == "exit_waits")),
        left=left_of(ledger, bot).told(),
    )


def _of_legs(order: Order) -> str:
    return f"{plain(order.remaining or order.quantity)} of a structure of {len(order.legs)} contracts on {order.symbol}"


def _told(order: Order) -> str:
    if order.legs:
        return f"{_of_legs(order)} of {order.bot}"
    return f"{order.side} {plain(order.quantity)} {order.symbol} of {order.bot}"
