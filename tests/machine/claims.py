"""What must hold, beside the limits: nothing leaves unjournaled or twice or through a shut gate, what reduces only reduces, what is held
is protected, the ledger equals the exchange, and in the end everything can be closed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from hydra.engine.cycle import CycleReport
from hydra.model.events import OrderSent
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.orders import Order, Purpose
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import GateAnswer, Scope, Verdict
from tests.machine.scene import Scene, loss_of, worst
from tests.machine.truth import ZERO, Lot, Now

if TYPE_CHECKING:
    from tests.machine.watch import Watch

_BAR_SECONDS = 60
_CENT = Decimal("0.01")


# -- an order that is about to leave


def of_an_order(watch: Watch, order: Order) -> list[str]:
    """Any order: journaled, durably, and for the first time."""
    journal, found = watch.journal, []
    last = journal.written(journal.length - 1)[0].data if journal.length else None
    if not isinstance(last, OrderSent) or last.order.client_id != order.client_id:
        found.append(f"an order is journaled before it leaves: {order.client_id}")
    elif last.order != order:
        found.append(f"what is journaled is what is sent: {order.client_id}")
    if journal.synced < journal.length:
        found.append(f"the journal is durable before an order leaves: {order.client_id}")
    if order.client_id in watch.submitted:
        found.append(f"no order is sent twice: {order.client_id}")
    if watch.plan is None:
        found.append(f"an order follows from a plan: {order.client_id}")
    return found


def of_an_entry(watch: Watch, order: Order, scene: Scene) -> list[str]:
    """An entry: no gate is shut, no halt latched, and it can be meant."""
    return [f"{what}: {order.client_id} ({order.side} {order.symbol})" for what in _of_an_entry(watch, order, scene)]


def _of_an_entry(watch: Watch, order: Order, scene: Scene) -> Iterator[str]:
    now, health, told = scene.now, scene.world.policy.health, watch.told
    if watch.halted:
        yield "no entry leaves in a halt"
    shut = [answer for answer in (watch.plan.answers if watch.plan else ()) if _reaches(answer, order)]
    if shut:
        yield f"no entry leaves through a shut gate ({shut[0].gate}: {shut[0].reason})"
    failed = watch.failed & {
        "now",
        "account",
        "positions",
        "open_orders",
        "fills",
        "activities",
        "poll",
        "history",
    }
    failed |= {each for each in watch.failed if each.startswith(("probes.", "calendar.", "site."))}
    failed |= {"store.commit"} if watch.behind else set()
    if failed:
        yield f"no entry leaves while something does not answer ({', '.join(sorted(failed))})"
    if watch.unknown:
        yield f"no entry leaves while an outcome is unknown ({', '.join(watch.unknown)})"
    account = told.get("account")
    if account is not None and (account.status != "ACTIVE" or account.blocked or account.equity <= 0):
        yield f"no entry leaves from an account that may not trade ({account.status}, blocked {account.blocked})"
    clock = told.get("now")
    if clock is not None and abs((clock - now.at).total_seconds()) > float(health.clock_skew_seconds):
        yield f"no entry leaves while the clocks differ ({clock} and {now.at})"
    kinds = {asset_class_of(order.symbol), *(asset_class_of(leg.symbol) for leg in order.legs)}
    closed = [kind for kind in kinds if not now.sessions.by_class[kind].open]
    if closed:
        yield f"no entry leaves outside its session ({', '.join(closed)})"
    quote = now.quotes.get(order.symbol)
    limit = timedelta(seconds=max(float(health.staleness_seconds), 2.0 * _BAR_SECONDS))
    if quote is None or now.at - quote.at > limit:
        yield f"no entry leaves on an old price ({'none' if quote is None else quote.at})"
    if quote is not None and quote.bid == quote.ask and "price_sane" in health.gates:
        yield "no entry leaves on a locked quote"
    if order.legs:
        lost = loss_of(order)
        if lost is None or lost <= 0:
            yield f"what a structure can lose is known and more than nothing ({lost})"
    elif order.protection is None:
        yield "an entry carries protection"
    if order.symbol not in scene.bot(order).symbols:
        yield f"a bot trades its own symbols ({', '.join(scene.bot(order).symbols)})"


def _reaches(answer: GateAnswer, order: Order) -> bool:
    if answer.verdict is Verdict.PASS:
        return False
    return answer.scope is Scope.SYSTEM or answer.key in (order.symbol, asset_class_of(order.symbol).value)


def of_a_reduction(watch: Watch, order: Order, now: Now, ledger: Ledger) -> list[str]:
    """An exit or a stop: of what its bot holds at the exchange, the other way, and no more of it."""
    found = []
    parts = [(leg.symbol, leg.side, order.quantity * leg.ratio) for leg in order.legs]
    for symbol, side, quantity in parts or [(order.symbol, order.side, order.quantity)]:
        lot = now.lots.get((order.bot, symbol))
        held = ZERO if lot is None else lot.quantity
        if held * side.sign >= 0 or quantity > abs(held):
            what = f"{order.purpose} {side} {quantity} {symbol} of {order.bot}, which holds {held} ({order.client_id})"
            found.append(f"what reduces only reduces: {what}")
    if order.purpose is Purpose.STOP and not found:
        found += _never_looser(watch, order, ledger)
    return found


def _never_looser(watch: Watch, order: Order, ledger: Ledger) -> list[str]:
    holding = ledger.holdings.get(f"{order.bot}|{order.symbol}")
    if holding is None or order.stop is None:
        return []
    key, way = (order.bot, order.symbol), -order.side.sign
    entry, best = watch.stops.get(key, ("", None))
    if entry == holding.entry and best is not None and (order.stop - best) * way < 0:
        return [f"a stop only moves closer: {order.bot} {order.symbol} from {best} to {order.stop} ({order.client_id})"]
    return []


# -- a cycle that came to its end


def of_a_cycle(watch: Watch, now: Now, report: CycleReport, ledger: Ledger) -> list[str]:
    """What must hold after every cycle."""
    return [
        *_agrees(watch, now, report),
        *_protected(watch, now, report, ledger),
        *of_a_cycle_stops(watch, ledger),
        *of_structures(watch, now, report, ledger),
    ]


def _blind(watch: Watch, report: CycleReport) -> bool:
    """Whether the engine could not see everything in this cycle."""
    return bool(report.snapshot.sight.missing) or bool(watch.failed) or bool(report.snapshot.ledger.unresolved)


def _agrees(watch: Watch, now: Now, report: CycleReport) -> list[str]:
    if _blind(watch, report):
        return []
    ledger = report.snapshot.ledger
    differing = _differences(watch, now, ledger)
    if not differing:
        watch.tally.counts["cycles in agreement"] += 1
        return []
    noticed = any(answer.gate in ("ledger_agrees", "orders_resolved") for answer in report.plan.answers)
    watch.tally.counts["cycles that disagree"] += 1
    if not noticed:
        return [f"a difference between ledger and exchange is noticed: {'; '.join(differing)}"]
    if not watch.lossy:
        return [f"the ledger equals the exchange: {'; '.join(differing)}"]
    return []


def _differences(watch: Watch, now: Now, ledger: Ledger) -> list[str]:
    found = []
    ours = dict(ledger.foreign)
    for holding in ledger.holdings.values():
        ours[holding.symbol] = ours.get(holding.symbol, ZERO) + holding.quantity
    for symbol in sorted(ours.keys() | now.positions.keys()):
        here, there = ours.get(symbol, ZERO), now.positions.get(symbol, ZERO)
        if here != there:
            found.append(f"{symbol}: ledger {here}, exchange {there}")
    coming = sum((unposted.amount for unposted in ledger.unposted), ZERO)
    tolerance = watch.policy.health.cash_tolerance
    off = now.cash - (ledger.cash or ZERO)
    if not -tolerance - coming <= off <= tolerance:
        found.append(f"cash: ledger {ledger.cash}, exchange {now.cash}")
    return found


def _protected(watch: Watch, now: Now, report: CycleReport, ledger: Ledger) -> list[str]:
    """Every lot that is no structure's is covered by a stop, or not for long, or everything has stopped."""
    bare = {_key(lot) for lot in now.lots.values() if _is_bare(watch, lot, now, report)}
    if _blind(watch, report):
        watch.bare = {key: since for key, since in watch.bare.items() if key in bare}
        return []
    watch.bare = {key: watch.bare.get(key, now.at) for key in bare}
    most = watch.policy.risk.unprotected_seconds
    for key, since in watch.bare.items():
        alone = (now.at - since).total_seconds()
        watch.tally.counts["bare holdings seen"] += 1
        if alone > most and not ledger.halts and not watch.resumed:
            return [
                f"no holding is unprotected for more than {most} s without a halt: {key[0]} {key[1]} for {alone:.0f} s"
            ]
    return []


def _key(lot: Lot) -> tuple[str, str, str]:
    return (lot.bot, lot.symbol, lot.entry)


def _is_bare(watch: Watch, lot: Lot, now: Now, report: CycleReport) -> bool:
    """Without its stop, though the ledger knows of it and it is enough to be sold."""
    if lot.structure or not lot.bot:
        return False
    holding = report.snapshot.ledger.holdings.get(f"{lot.bot}|{lot.symbol}")
    instrument = report.snapshot.sight.instruments.get(lot.symbol)
    if holding is None or instrument is None or holding.quantity != lot.quantity:
        return False
    small = instrument.minimum_quantity
    uncovered = abs(lot.quantity) - watch.truth.protected(lot, now.working)
    return uncovered >= max(small, instrument.quantity_increment)


def of_a_cycle_stops(watch: Watch, ledger: Ledger) -> list[str]:
    """The stop that was decided for a holding never moves away."""
    found = []
    for holding in ledger.holdings.values():
        if holding.protection is None:
            continue
        key, stop = (holding.bot, holding.symbol), holding.protection.stop
        entry, best = watch.stops.get(key, ("", stop))
        way = 1 if holding.quantity > 0 else -1
        if entry == holding.entry and (stop - best) * way < 0:
            found.append(f"a stop only moves closer: {holding.key} from {best} to {stop}")
        if entry == holding.entry and stop != best:
            watch.tally.counts["stops moved closer"] += 1
        watch.stops[key] = (holding.entry, stop)
    return found


def of_structures(watch: Watch, now: Now, report: CycleReport, ledger: Ledger) -> list[str]:
    """What a structure can lose has a bound, or not for long, and is no more than its entry announced."""
    legs: dict[str, list[Lot]] = {}
    for lot in now.lots.values():
        if lot.structure and lot.bot:
            legs.setdefault(lot.entry, []).append(lot)
    watch.unbounded = {entry: since for entry, since in watch.unbounded.items() if entry in legs}
    found = []
    for entry, lots in legs.items():
        order = watch.truth.orders[entry]
        amounts = {lot.symbol: lot.quantity * 100 for lot in lots}
        lost = worst(amounts, sum((lot.quantity * lot.price * 100 for lot in lots), ZERO))
        watch.tally.counts["structures looked at"] += 1
        if lost is not None:
            watch.unbounded.pop(entry, None)
            units = _whole_units(order, lots)
            announced = loss_of(order)
            if units is not None and announced is not None and lost > units * announced + _CENT:
                found.append(f"a structure loses at most what it announced: {entry} {lost} of {units * announced}")
        elif not _blind(watch, report):
            alone = (now.at - watch.unbounded.setdefault(entry, now.at)).total_seconds()
            if alone > watch.policy.risk.unprotected_seconds and not ledger.halts and not watch.resumed:
                found.append(f"no structure is without a bound for long without a halt: {entry} for {alone:.0f} s")
    return found


def _whole_units(order: Order, lots: list[Lot]) -> Decimal | None:
    """How many units are held, while every leg is there in its ratio."""
    held = {lot.symbol: lot.quantity for lot in lots}
    units = {held.get(leg.symbol, ZERO) / (leg.ratio * leg.side.sign) for leg in order.legs}
    return units.pop() if len(units) == 1 else None


# -- the end


def of_the_end(watch: Watch, now: Now, ledger: Ledger) -> list[str]:
    """Everything was to be closed, and nothing stood in the way."""
    found = []
    for lot in now.lots.values():
        holding = ledger.holdings.get(f"{lot.bot}|{lot.symbol}")
        if lot.bot and holding is not None and abs(lot.quantity) >= _least(lot) and not _worthless(lot):
            found.append(f"what is held can be closed: {lot.bot} still holds {lot.quantity} {lot.symbol}")
    working = [ticket.client_id for ticket in now.working if watch.truth.order_of(ticket.client_id) is not None]
    if working and not found:
        found.append(f"nothing works for what is closed: {', '.join(working)}")
    return found


def _least(lot: Lot) -> Decimal:
    """The least that can be sold: a share, or two dollars' worth of a coin, which what is left after fees in coin may fall below."""
    return 2 / lot.price if asset_class_of(lot.symbol) is AssetClass.CRYPTO else Decimal(1)


def _worthless(lot: Lot) -> bool:
    """A contract that nobody bids for cannot be sold."""
    return lot.structure and lot.quantity > 0
