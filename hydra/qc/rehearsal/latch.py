"""Halts, and what they must not do: a halt stays until an operator lifts it, and never keeps a position from being closed.

What the operator said comes from whoever says it, what was latched and lifted from the journal; what is held and what is sent from the
watch. Nothing here asks the engine whether it is in a halt before the journal has said so.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hydra.engine.cycle import CycleReport
from hydra.model.events import Halted, Resumed
from hydra.model.market import Quote, asset_class_of
from hydra.model.orders import Order, Purpose
from hydra.model.portfolio import FLATTEN_ALL, Ledger, Mode
from hydra.policy import minute_of
from hydra.qc.rehearsal.truth import Lot, Now
from hydra.qc.rehearsal.watch import Watch

STAYS = "a halt stays until an operator lifts it"
CLOSES = "a halt keeps no position from being closed"
OWN_DAY = "a bot enters within its own day"
_PATIENCE = 5
"""Cycles in a row in which everything answers and something that is to be closed may wait: its stop has to be taken back first."""
_FRESH = timedelta(seconds=30)


class Latch:
    """One voyage's halts."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._read = 0
        self._latched = False
        self._said = self._lifted = 0
        self._waiting: dict[tuple[str, str], int] = {}

    def said(self, action: str) -> None:
        """The operator said a word."""
        self._said += action == "resume"

    def lost(self) -> None:
        """Power was lost, and with it the end of the journal: what it says now is what counts."""
        self._read = self._lifted = 0
        self._latched = False
        self._hear()

    def before(self) -> bool:
        """Take in the journal before a cycle; whether a halt is latched."""
        self._hear()
        return self._latched

    def after(self, halted: bool, report: CycleReport, ledger: Ledger, sent: list[Order]) -> list[str]:
        """What a cycle that came to its end shows. ``halted``: as it began. ``sent``: its orders."""
        self._hear()
        claims = self._watch.tally.claims
        found: list[str] = []
        claims[STAYS] += 1
        if self._lifted > self._said:
            found.append(f"{STAYS}: lifted {self._lifted} times, said {self._said} times")
        if self._latched and not ledger.halts:
            found.append(f"{STAYS}: the journal has one, the ledger none")
        if halted and self._latched and report.plan.mode is Mode.ACTIVE:
            found.append(f"{STAYS}: the cycle was {report.plan.mode} while one was latched")
        return [*found, *self._closes(report, ledger, sent), *self._own_day(sent)]

    # -- inside

    def _hear(self) -> None:
        for event in self._watch.journal.written(self._read):
            self._read += 1
            data = event.data
            if isinstance(data, Halted):
                self._latched = True
            elif isinstance(data, Resumed):
                self._latched = False
                self._lifted += 1

    def _closes(self, report: CycleReport, ledger: Ledger, sent: list[Order]) -> list[str]:
        """What an operator wants closed in a halt is on its way, or cannot be traded now."""
        watch = self._watch
        if not self._latched or not ledger.flatten or not watch.truth.lots:
            self._waiting.clear()
            return []
        now = watch.truth.look()
        on_their_way = {(order.bot, order.symbol) for order in sent if order.purpose is Purpose.EXIT}
        waiting: dict[tuple[str, str], int] = {}
        for key, lot in now.lots.items():
            wanted = FLATTEN_ALL in ledger.flatten or lot.bot in ledger.flatten
            if not lot.bot or lot.structure or not wanted or key in on_their_way or _is_leaving(watch, lot, now):
                continue
            if self._can_close(lot, now, report, ledger):
                waiting[key] = self._waiting.get(key, 0) + 1
        self._waiting = waiting
        watch.tally.claims[CLOSES] += 1
        return [
            f"{CLOSES}: {bot} still holds {now.lots[bot, symbol].quantity} {symbol}, and nothing was sent for {cycles} cycles"
            for (bot, symbol), cycles in waiting.items()
            if cycles > _PATIENCE
        ]

    def _can_close(self, lot: Lot, now: Now, report: CycleReport, ledger: Ledger) -> bool:
        """Whether nothing stands in the way: everything answers, the session is open, and somebody is there to trade with."""
        watch, sight = self._watch, report.snapshot.sight
        if watch.failed or sight.missing or ledger.unresolved or report.snapshot.ledger.unresolved:
            return False
        quote: Quote | None = now.quotes.get(lot.symbol)
        if quote is None or now.at - quote.at > _FRESH or not quote.bid_size or not quote.ask_size:
            return False
        held, least = ledger.holdings.get(f"{lot.bot}|{lot.symbol}"), Decimal(2) / quote.mid
        many = abs(lot.quantity) >= (least if "-" in lot.symbol else 1)
        return many and held is not None and held.quantity == lot.quantity and _is_open(now, lot.symbol)

    def _own_day(self, sent: list[Order]) -> list[str]:
        found: list[str] = []
        if not sent:
            return found
        bots = {bot.id: bot for bot in self._watch.policy.bots}
        for order in sent:
            session = bots[order.bot].session
            if order.purpose is not Purpose.ENTRY or session is None:
                continue
            self._watch.tally.claims[OWN_DAY] += 1
            minute = self._watch.venue.calendar.sessions(self._watch.venue.now).minute
            if not minute_of(session.trade_start) <= minute < minute_of(session.trade_end):
                clock = f"{minute // 60:02d}:{minute % 60:02d}"
                found.append(
                    f"{OWN_DAY}: {order.bot} at {clock}, its day is {session.trade_start} to {session.trade_end}"
                )
        return found


def _is_open(now: Now, symbol: str) -> bool:
    return now.sessions.by_class[asset_class_of(symbol)].open


def _is_leaving(watch: Watch, lot: Lot, now: Now) -> bool:
    """An order that closes it works already."""
    for ticket in now.working:
        order = watch.truth.order_of(ticket.client_id)
        if order is not None and order.bot == lot.bot and ticket.symbol == lot.symbol and order.purpose is Purpose.EXIT:
            return True
    return False
