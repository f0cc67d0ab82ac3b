"""The sabotages: an edit each, by which a promise of the program is broken, and what notices it.

``old`` stands in ``file`` exactly once and becomes ``new`` in a copy of the package. ``claims`` are beginnings of what may be said about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MACHINE = ("-m", "tests.machine", "--cycles", "40000", "--seed", "1")
REHEARSAL = ("-m", "tests.sabotage.rehearse")
STORM = ("-m", "tests.storm", "--kills", "0", "--losses", "75", "--seed", "1")
"""Power losses on a disk that loses what was not synced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """Edits, and the command that has to end with exit code 1 because of them.

    ``more`` are further edits (file, old, new): what stands behind another guard is only broken when both are.
    """

    file: str
    old: str
    new: str
    claims: tuple[str, ...]
    tool: Sequence[str] = MACHINE
    more: tuple[tuple[str, str, str], ...] = ()

    @property
    def edits(self) -> tuple[tuple[str, str, str], ...]:
        """All edits."""
        return ((self.file, self.old, self.new), *self.more)


_AGREES = ("the ledger equals the exchange", "a difference between ledger and exchange is noticed")
_LIMITS = tuple(
    f"{rule} is never exceeded"
    for rule in (
        *("risk_per_trade", "order_notional", "symbol_exposure", "group_exposure", "gross_exposure", "net_exposure"),
        *("buying_power", "margin_permission", "daily_loss", "drawdown", "bot_budget", "positions", "trades_a_day"),
        *("option_loss", "orders_per_minute", "cool_down", "duplicate"),
    )
)
_DURABLE = ("dead:", "settled:", "dead while recovering:", "Traceback")

SABOTAGES: Mapping[str, Sabotage] = {
    "sends an order before it is journaled": Sabotage(
        file="engine/act.py",
        old="    record(OrderSent(order=order))\n    sync()\n    try:\n        ack = broker.submit(order)\n",
        new="    try:\n        ack = broker.submit(order)\n        record(OrderSent(order=order))\n        sync()\n",
        claims=("an order is journaled before it leaves",),
    ),
    "skips the sync before an order": Sabotage(
        file="engine/act.py",
        old="    record(OrderSent(order=order))\n    sync()\n",
        new="    record(OrderSent(order=order))\n",
        claims=("the journal is durable before an order leaves",),
    ),
    "skips the fsync of the journal": Sabotage(
        file="adapters/journal/writer.py",
        old="                self._file.sync()\n                self._unsynced = False\n",
        new="                self._unsynced = False\n",
        claims=_DURABLE,
        tool=STORM,
    ),
    "commits to the store what the journal may lose": Sabotage(
        file="engine/cycle.py",
        old="        self.outside.journal.sync()\n        if len(self._unsaved)",
        new="        if len(self._unsaved)",
        claims=_DURABLE,
        tool=STORM,
    ),
    "takes an outcome that is unknown for a rejection": Sabotage(
        file="engine/act.py",
        old='        failure = failure_of("submit", error)\n        record(OrderUnknown(',
        new='        failure = failure_of("submit", error)\n        record(OrderRejected(',
        claims=("no entry leaves while an outcome is unknown", "an outcome that is unknown", *_AGREES),
    ),
    "sends an order again after an error": Sabotage(
        file="engine/act.py",
        old='        failure = failure_of("submit", error)\n',
        new='        failure = failure_of("submit", error)\n        broker.submit(order)\n',
        claims=("no order is sent twice", "the engine goes on"),
    ),
    "sends an entry behind an unknown outcome": Sabotage(
        file="engine/act.py",
        old="        if unknown and order.purpose is Purpose.ENTRY:\n",
        new="        if unknown and order.purpose is Purpose.TARGET:\n",
        claims=("no entry leaves while an outcome is unknown",),
    ),
    "does not clip an exit to what is held": Sabotage(
        file="engine/drafts.py",
        old="max(ZERO, min(wanted, held - self._closing.get(symbol, ZERO)))",
        new="wanted * 2",
        claims=("what reduces only reduces",),
    ),
    "enters through shut gates": Sabotage(
        file="engine/decide.py",
        old="        return self._system or self._by_key.get(asset_class_of(symbol)) or self._by_key.get(symbol)\n",
        new="        return None\n",
        claims=("no entry leaves",),
    ),
    "asks for the highest ceiling instead of the lowest": Sabotage(
        file="risk/judge.py",
        old="lowest = min(ceilings",
        new="lowest = max(ceilings",
        claims=_LIMITS,
    ),
    "rounds sizes up": Sabotage(
        file="risk/judge.py",
        old="    rounded = size_down(quantity, instrument.quantity_increment)\n",
        new="    rounded = size_down(quantity, instrument.quantity_increment) + instrument.quantity_increment\n",
        claims=_LIMITS,
    ),
    "forgets what was admitted in the same cycle": Sabotage(
        file="engine/admit.py",
        old="    admission.standing.admit(_reserved(case, verdict.admitted))\n",
        new="",
        claims=_LIMITS,
    ),
    "does not latch a halt": Sabotage(
        file="engine/fold.py",
        old="    ledger = replace(ledger, halts=(*ledger.halts, halted.halt))\n",
        new="",
        claims=("no entry leaves in a halt", "a halt latches"),
    ),
    "lifts every halt with a new segment": Sabotage(
        file="engine/fold.py",
        old="isolation=opened.isolation or opened.ledger.isolation, binding=None)\n",
        new="isolation=opened.isolation, binding=None, halts=())\n",
        claims=("no entry leaves in a halt", "a halt latches"),
    ),
    "enters without protection": Sabotage(
        file="engine/admit.py",
        old="        protection=intent.protection,\n        reference=_reference(intent, case.quote),\n",
        new="        reference=_reference(intent, case.quote),\n",
        claims=("an entry carries protection", "the engine goes on", "no holding is unprotected"),
    ),
    "counts every execution twice": Sabotage(
        file="engine/fold.py",
        old="    for fill in seen.fills:\n        ledger = apply_fill(ledger, fill, seen.cycle)\n",
        new="    for fill in (*seen.fills, *seen.fills):\n        ledger = apply_fill(ledger, fill, seen.cycle)\n",
        claims=_AGREES,
    ),
    "does not see that ledger and venue differ": Sabotage(
        file="risk/reconcile.py",
        old="    return (*_positions(ledger, sight), *_orders(ledger, sight), *_cash(ledger, sight, cash_tolerance))\n",
        new="    return ()\n",
        claims=("a difference between ledger and exchange is noticed",),
        more=(
            (
                "engine/fold.py",
                "    for fill in seen.fills:\n        ledger = apply_fill(ledger, fill, seen.cycle)\n",
                "    for fill in (*seen.fills, *seen.fills):\n        ledger = apply_fill(ledger, fill, seen.cycle)\n",
            ),
        ),
    ),
    "leaves a holding without its stop": Sabotage(
        file="engine/manage.py",
        old="    bare = under_stops(working) < abs(holding.quantity)\n",
        new="    bare = False\n",
        claims=("no holding is unprotected",),
        more=(
            (
                "risk/kills.py",
                "(snapshot.at - since).total_seconds() > most:\n",
                "(snapshot.at - since).total_seconds() > most * 10**6:\n",
            ),
        ),
    ),
    "moves a stop away": Sabotage(
        file="engine/protection.py",
        old="    return (stop - holding.protection.stop) * holding.quantity > 0\n",
        new="    return stop != holding.protection.stop\n",
        claims=("a stop only moves closer",),
        more=(
            (
                "engine/manage.py",
                '    stop = to_increment(answer.stop, tick, "down" if way > 0 else "up")\n',
                '    stop = to_increment(answer.stop * (100 - 5 * way) / 100, tick, "down" if way > 0 else "up")\n',
            ),
        ),
    ),
    "keeps exits back in a halt": Sabotage(
        file="engine/decide.py",
        old="    managed = manage(snapshot, book, drafts, reachable=reachable)\n",
        new="    managed = manage(snapshot, book, drafts, reachable=not snapshot.ledger.halts)\n",
        claims=("an exit leaves in a halt", "what is held can be closed", "no holding is unprotected"),
    ),
    "gives orders of different cycles the same name": Sabotage(
        file="engine/drafts.py",
        old="client_order_id(at.run, at.cycle, bot",
        new="client_order_id(at.run, 0, bot",
        claims=("no order is sent twice", "an order is journaled once"),
    ),
    "believes old prices": Sabotage(
        file="risk/gates.py",
        old="    limit = patience(bars, stale)\n",
        new="    limit = patience(bars, stale) + 10**9\n",
        claims=("no entry leaves on an old price",),
    ),
    "asks bots outside their hours": Sabotage(
        file="engine/decide.py",
        old="    if minute_of(bot.session.trade_start) <= sessions.minute < minute_of(bot.session.trade_end):\n",
        new="    if sessions.minute:\n",
        claims=("a bot enters within its own day", "session_window is never exceeded"),
        tool=REHEARSAL,
    ),
    "ignores that the clocks differ": Sabotage(
        file="risk/gates.py",
        old="    return yes(text) if skew <= limit else no(text)\n",
        new="    return yes(text)\n",
        claims=("no entry leaves while the clocks differ",),
        tool=REHEARSAL,
    ),
    "decides by what is no part of the snapshot": Sabotage(
        file="engine/decide.py",
        old='            reason = f"unfilled for {waited:.0f} s, at most {bot.entry.seconds}"\n',
        new='            reason = f"unfilled for {waited:.0f} s, at most {bot.entry.seconds} {id(object())}"\n',
        claims=("the replay is identical",),
    ),
    "doubles what a trade may risk": Sabotage(
        file="risk/rules/losses.py",
        old="    fraction = min(risk.risk_per_trade, risk.risk_per_trade_cap)\n",
        new="    fraction = 2 * min(risk.risk_per_trade, risk.risk_per_trade_cap)\n",
        claims=("risk_per_trade is never exceeded",),
    ),
    "skips the executions of the time in which it was down": Sabotage(
        file="engine/recover.py",
        old="    fills = each_once(page)\n",
        new="    fills = ()\n",
        claims=_AGREES,
    ),
    "believes in an execution for each time it is told": Sabotage(
        file="engine/observe.py",
        old="    return () if page is None or not page.fills else tuple({fill.fill_id: fill for fill in page.fills}.values())\n",
        new="    return () if page is None else page.fills\n",
        claims=(*_AGREES, "the engine goes on"),
    ),
    "lets a blocked account trade": Sabotage(
        file="risk/gates.py",
        old="    if account.blocked:\n",
        new="    if account.blocked is None:\n",
        claims=("no entry leaves from an account that may not trade",),
        tool=REHEARSAL,
        more=(
            (
                "risk/rules/days.py",
                "    if account is None or account.blocked:\n",
                "    if account is None:\n",
            ),
        ),
    ),
}
