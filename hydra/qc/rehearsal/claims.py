"""What must hold, beside the limits: nothing leaves unjournaled or twice or through a shut gate, what reduces only reduces, what is held
is protected, the ledger equals the exchange, and in the end everything can be closed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import TypeAlias, TypeVar

from hydra.engine.cycle import CycleReport
from hydra.model.events import OrderSent
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.orders import Order, Purpose
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import GateAnswer, Scope, Verdict
from hydra.qc.rehearsal.scene import Scene, loss_of, worst
from hydra.qc.rehearsal.seen import Seen
from hydra.qc.rehearsal.truth import ZERO, Lot, Now

T = TypeVar("T")
_BAR_SECONDS = 60
_CENT = Decimal("0.01")
_ONLY_REDUCES = "what reduces only reduces"
_CLOSER = "a stop only moves closer"
_NOTICED, _EQUAL = "a difference between ledger and exchange is noticed", "the ledger equals the exchange"
_PROTECTED = "no holding is unprotected for long without a halt"
_ANNOUNCED = "a structure loses at most what it announced"
_BOUNDED = "no structure is without a bound for long without a halt"
_CAN_CLOSE, _NOTHING_WORKS = "what is held can be closed", "nothing works for what is closed"
_STRANGE = "nothing is traded that was not sent"


# -- an order that is about to leave

Judged: TypeAlias = "tuple[str, str | None]"
"""A claim, and what is wrong with it; ``None`` when it holds."""


def of_an_order(watch: Seen, order: Order) -> list[str]:
    """Any order: journaled, durably, and for the first time."""
    return [f"{claim}: {order.client_id}" for claim, wrong in _counted(watch, _of_an_order(watch, order)) if wrong]


def _of_an_order(watch: Seen, order: Order) -> Iterator[tuple[str, bool]]:
    journal = watch.journal
    last = journal.written(journal.length - 1)[0].data if journal.length else None
    journaled = isinstance(last, OrderSent) and last.order.client_id == order.client_id
    yield "an order is journaled before it leaves", not journaled
    yield "what is journaled is what is sent", journaled and isinstance(last, OrderSent) and last.order != order
    yield "the journal is durable before an order leaves", journal.synced < journal.length
    yield "no order is sent twice", order.client_id in watch.submitted
    yield "an order follows from a plan", watch.plan is None


def of_an_entry(watch: Seen, order: Order, scene: Scene) -> list[str]:
    """An entry: no gate is shut, no halt latched, and it can be meant."""
    which = f"{order.client_id} ({order.side} {order.symbol})"
    judged = _counted(
        watch, (*_of_health(watch, order), *_of_the_market(watch, order, scene), *_of_the_wish(order, scene))
    )
    return [f"{claim}: {which}{', ' if wrong else ''}{wrong}" for claim, wrong in judged if wrong is not None]


def _counted(watch: Seen, judged: Iterable[tuple[str, T]]) -> list[tuple[str, T]]:
    """What was judged, noted by name."""
    found = list(judged)
    watch.tally.claims.update([claim for claim, _ in found])
    return found


def _of_health(watch: Seen, order: Order) -> Iterator[Judged]:
    """What is known of the system: gates, halts, answers, outcomes, the account."""
    yield "no entry leaves in a halt", "" if watch.halted else None
    shut = [answer for answer in (watch.plan.answers if watch.plan else ()) if _reaches(answer, order)]
    yield "no entry leaves through a shut gate", f"{shut[0].gate}: {shut[0].reason}" if shut else None
    failed = watch.failed & _NEEDED
    failed |= {each for each in watch.failed if each.startswith(("probes.", "calendar.", "site."))}
    failed |= {"store.commit"} if watch.behind else set()
    yield "no entry leaves while something does not answer", ", ".join(sorted(failed)) if failed else None
    yield "no entry leaves while an outcome is unknown", ", ".join(watch.unknown) if watch.unknown else None
    account = watch.told.get("account")
    shown = None
    if account is None:
        shown = "the account was not told in this cycle"
    elif account.status != "ACTIVE" or account.blocked or account.equity <= 0:
        shown = f"{account.status}, blocked {account.blocked}, equity {account.equity}"
    yield "no entry leaves from an account that may not trade", shown


_NEEDED = frozenset({"now", "account", "positions", "open_orders", "fills", "activities", "poll", "history"})


def _of_the_market(watch: Seen, order: Order, scene: Scene) -> Iterator[Judged]:
    """What is known of its market: the clock, the session, the price."""
    now, health, clock = scene.now, scene.world.policy.health, watch.told.get("now")
    off = clock is None or abs((clock - now.at).total_seconds()) > float(health.clock_skew_seconds)
    shown = f"{'the venue was not asked' if clock is None else clock} and {now.at}"
    yield "no entry leaves while the clocks differ", shown if off else None
    kinds = {asset_class_of(order.symbol), *(asset_class_of(leg.symbol) for leg in order.legs)}
    closed = [kind for kind in kinds if not now.sessions.by_class[kind].open]
    yield "no entry leaves outside its session", ", ".join(closed) if closed else None
    quote = now.quotes.get(order.symbol)
    limit = timedelta(seconds=max(float(health.staleness_seconds), 2.0 * _BAR_SECONDS))
    old = quote is None or now.at - quote.at > limit
    yield "no entry leaves on an old price", f"{'none' if quote is None else quote.at}" if old else None
    if "price_sane" in health.gates:
        locked = quote is not None and quote.bid == quote.ask
        yield "no entry leaves on a locked quote", "" if locked else None


def _of_the_wish(order: Order, scene: Scene) -> Iterator[Judged]:
    """What it says itself."""
    if order.legs:
        lost = loss_of(order)
        nothing = lost is None or lost <= 0
        yield "what a structure can lose is known and more than nothing", f"{lost}" if nothing else None
    else:
        yield "an entry carries protection", "" if order.protection is None else None
    symbols = scene.bot(order).symbols
    yield "a bot trades its own symbols", ", ".join(symbols) if order.symbol not in symbols else None


def _reaches(answer: GateAnswer, order: Order) -> bool:
    if answer.verdict is Verdict.PASS:
        return False
    return answer.scope is Scope.SYSTEM or answer.key in (order.symbol, asset_class_of(order.symbol).value)


def of_a_reduction(watch: Seen, order: Order, now: Now, ledger: Ledger) -> list[str]:
    """An exit or a stop: of what its bot holds at the exchange, the other way, and no more of it."""
    found = []
    watch.tally.claims[_ONLY_REDUCES] += 1
    parts = [(leg.symbol, leg.side, order.quantity * leg.ratio) for leg in order.legs]
    for symbol, side, quantity in parts or [(order.symbol, order.side, order.quantity)]:
        lot = now.lots.get((order.bot, symbol))
        held = ZERO if lot is None else lot.quantity
        if held * side.sign >= 0 or quantity > abs(held):
            what = f"{order.purpose} {side} {quantity} {symbol} of {order.bot}, which holds {held} ({order.client_id})"
            found.append(f"{_ONLY_REDUCES}: {what}")
    if order.purpose is Purpose.STOP and not found:
        found += _never_looser(watch, order, ledger)
    return found


def _never_looser(watch: Seen, order: Order, ledger: Ledger) -> list[str]:
    holding = ledger.holdings.get(f"{order.bot}|{order.symbol}")
    if holding is None or order.stop is None:
        return []
    key, way = (order.bot, order.symbol), -order.side.sign
    entry, best = watch.stops.get(key, ("", None))
    if entry == holding.entry and best is not None and (order.stop - best) * way < 0:
        return [f"{_CLOSER}: {order.bot} {order.symbol} from {best} to {order.stop} ({order.client_id})"]
    return []


# -- a cycle that came to its end


def of_a_cycle(watch: Seen, now: Now, report: CycleReport, ledger: Ledger) -> list[str]:
    """What must hold after every cycle. Each counts itself, when there was something to judge."""
    return [
        *_agrees(watch, now, report),
        *_protected(watch, now, report, ledger),
        *of_a_cycle_stops(watch, ledger),
        *of_structures(watch, now, report, ledger),
    ]


def _blind(watch: Seen, report: CycleReport) -> bool:
    """Whether the engine could not see everything in this cycle."""
    return bool(report.snapshot.sight.missing) or bool(watch.failed) or bool(report.snapshot.ledger.unresolved)


def _agrees(watch: Seen, now: Now, report: CycleReport) -> list[str]:
    if _blind(watch, report):
        return []
    watch.tally.claims[_NOTICED] += 1
    watch.tally.claims[_EQUAL] += not watch.lossy
    ledger = report.snapshot.ledger
    differing = _differences(watch, now, ledger)
    if not differing:
        watch.tally.counts["cycles in agreement"] += 1
        # What was lost has been found again. What was accepted as foreign instead may still be sold by a stop of ours.
        watch.lossy = watch.lossy and any(report.snapshot.ledger.foreign.values())
        return []
    noticed = any(answer.gate in ("ledger_agrees", "orders_resolved") for answer in report.plan.answers)
    watch.tally.counts["cycles that disagree"] += 1
    if not noticed:
        return [f"{_NOTICED}: {'; '.join(differing)}"]
    if not watch.lossy:
        return [f"{_EQUAL}: {'; '.join(differing)}"]
    return []


def _differences(watch: Seen, now: Now, ledger: Ledger) -> list[str]:
    found = []
    ours = dict(ledger.foreign)
    for holding in ledger.holdings.values():
        ours[holding.symbol] = ours.get(holding.symbol, ZERO) + holding.quantity
    for symbol in sorted(ours.keys() | now.positions.keys()) if ours != now.positions else ():
        here, there = ours.get(symbol, ZERO), now.positions.get(symbol, ZERO)
        if here != there:
            found.append(f"{symbol}: ledger {here}, exchange {there}")
    coming = sum([unposted.amount for unposted in ledger.unposted], ZERO)
    tolerance = watch.policy.health.cash_tolerance
    off = now.cash - (ledger.cash or ZERO)
    if not -tolerance - coming <= off <= tolerance:
        found.append(f"cash: ledger {ledger.cash}, exchange {now.cash}")
    return found


def _protected(watch: Seen, now: Now, report: CycleReport, ledger: Ledger) -> list[str]:
    """Every lot that is no structure's is covered by a stop, or not for long, or everything has stopped."""
    known = [lot for lot in now.lots.values() if _is_known(lot, report)]
    bare = {_key(lot) for lot in known if _is_bare(watch, lot, now, report)}
    if _blind(watch, report):
        watch.bare = {key: since for key, since in watch.bare.items() if key in bare}
        return []
    watch.tally.claims[_PROTECTED] += bool(known)
    watch.bare = {key: watch.bare.get(key, now.at) for key in bare}
    most = watch.policy.risk.unprotected_seconds
    for key, since in watch.bare.items():
        alone = (now.at - since).total_seconds()
        watch.tally.counts["bare holdings seen"] += 1
        if alone > most and not ledger.halts and not watch.resumed:
            return [f"{_PROTECTED}: {key[0]} {key[1]} for {alone:.0f} s, at most {most}"]
    return []


def _key(lot: Lot) -> tuple[str, str, str]:
    return (lot.bot, lot.symbol, lot.entry)


def _is_known(lot: Lot, report: CycleReport) -> bool:
    """No structure's, and the ledger knows of it: one that it does not know of is a difference, which is another claim."""
    if lot.structure or not lot.bot:
        return False
    holding = report.snapshot.ledger.holdings.get(f"{lot.bot}|{lot.symbol}")
    return holding is not None and holding.quantity == lot.quantity and lot.symbol in report.snapshot.sight.instruments


def _is_bare(watch: Seen, lot: Lot, now: Now, report: CycleReport) -> bool:
    """Without its stop, though it is enough to be sold."""
    instrument = report.snapshot.sight.instruments[lot.symbol]
    uncovered = abs(lot.quantity) - watch.truth.protected(lot, now.working)
    return uncovered >= max(instrument.minimum_quantity, instrument.quantity_increment)


def of_a_cycle_stops(watch: Seen, ledger: Ledger) -> list[str]:
    """The stop that was decided for a holding never moves away."""
    found = []
    for holding in ledger.holdings.values():
        if holding.protection is None:
            continue
        key, stop = (holding.bot, holding.symbol), holding.protection.stop
        entry, best = watch.stops.get(key, ("", stop))
        way = 1 if holding.quantity > 0 else -1
        watch.tally.claims[_CLOSER] += entry == holding.entry
        if entry == holding.entry and (stop - best) * way < 0:
            found.append(f"{_CLOSER}: {holding.key} from {best} to {stop}")
        if entry == holding.entry and stop != best:
            watch.tally.counts["stops moved closer"] += 1
        watch.stops[key] = (holding.entry, stop)
    return found


def of_structures(watch: Seen, now: Now, report: CycleReport, ledger: Ledger) -> list[str]:
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
        watch.tally.claims[_BOUNDED] += lost is not None or not _blind(watch, report)
        if lost is not None:
            watch.unbounded.pop(entry, None)
            units = _whole_units(order, lots)
            announced = loss_of(order)
            if units is None or announced is None:
                continue
            watch.tally.claims[_ANNOUNCED] += 1
            if lost > units * announced + _CENT:
                found.append(f"{_ANNOUNCED}: {entry} {lost} of {units * announced}")
        elif not _blind(watch, report):
            alone = (now.at - watch.unbounded.setdefault(entry, now.at)).total_seconds()
            if alone > watch.policy.risk.unprotected_seconds and not ledger.halts and not watch.resumed:
                found.append(f"{_BOUNDED}: {entry} for {alone:.0f} s")
    return found


def _whole_units(order: Order, lots: list[Lot]) -> Decimal | None:
    """How many units are held, while every leg is there in its ratio."""
    held = {lot.symbol: lot.quantity for lot in lots}
    units = {held.get(leg.symbol, ZERO) / (leg.ratio * leg.side.sign) for leg in order.legs}
    return units.pop() if len(units) == 1 else None


# -- the end


def of_the_end(watch: Seen, now: Now, ledger: Ledger) -> list[str]:
    """Everything was to be closed, and nothing stood in the way."""
    found = [f"{_STRANGE}: {each}" for each in watch.truth.strange]
    found += [f"{_ONLY_REDUCES}: {each}" for each in watch.truth.turned]
    watch.tally.claims.update((_STRANGE, _NOTHING_WORKS, *((_CAN_CLOSE,) if watch.truth.fills else ())))
    for lot in now.lots.values():
        holding = ledger.holdings.get(f"{lot.bot}|{lot.symbol}")
        if lot.bot and holding is not None and abs(lot.quantity) >= _least(lot) and not _worthless(watch, lot):
            found.append(f"{_CAN_CLOSE}: {lot.bot} still holds {lot.quantity} {lot.symbol}")
    working = []
    for ticket in now.working:
        order = watch.truth.order_of(ticket.client_id)
        if (
            order is not None and (order.bot, ticket.symbol) not in now.lots
        ):  # what was accepted as foreign keeps its stop
            working.append(ticket.client_id)
    if working and not found:
        found.append(f"{_NOTHING_WORKS}: {', '.join(working)}")
    return found


def _least(lot: Lot) -> Decimal:
    """The least that can be sold: a share, or two dollars' worth of a coin, which what is left after fees in coin may fall below."""
    return 2 / lot.price if asset_class_of(lot.symbol) is AssetClass.CRYPTO else Decimal(1)


def _worthless(watch: Seen, lot: Lot) -> bool:
    """A contract that nobody bids for cannot be sold."""
    if not lot.structure or lot.quantity < 0:
        return False
    quote = watch.venue.feed.option_quote(lot.symbol, watch.venue.now)
    return quote is None or quote.bid is None
