"""One order there and back: sent far from the market, found by its id, cancelled, looked up.

It goes the way of every order: written and synced before it leaves, exactly once, and of unknown outcome when the answer is not
definite. Then it is looked up by its id and, if the venue has it, taken back; if that cannot be said it stays in the ledger,
which bars entries until the venue has answered. It is a limit entry at about half the bid, of the smallest size, with a
protection like any entry, so that a fill, should the price halve, becomes a holding that the next engine closes.

Nothing is sent on a live account, under a halt, or before the venue has said what happened meanwhile.
"""

from __future__ import annotations

from decimal import Decimal

from hydra.engine.act import act
from hydra.guard import attempt
from hydra.model.events import CancelHeard, OrderAccepted
from hydra.model.market import AssetClass, Instrument, asset_class_of
from hydra.model.money import ONE, ZERO, plain, size_down, to_increment
from hydra.model.orders import (
    TEST_BOT,
    Cancel,
    Order,
    OrderStatus,
    OrderType,
    Protection,
    Purpose,
    Send,
    Side,
    TimeInForce,
    VenueOrder,
    client_order_id,
)
from hydra.model.portfolio import Mode
from hydra.model.snapshot import Plan
from hydra.qc.broker import Bench
from hydra.qc.check import Finding

_LOOKS = 10
_HALF = Decimal("0.5")


def round_trip(bench: Bench) -> Finding:
    """The last question of ``test-broker``."""
    why_not = _why_not(bench)
    if why_not is not None:
        return Finding(good=None, reason=f"not sent: {why_not}")
    swept = [_taken_back(bench, order.client_id) for order in _leftovers(bench)]
    if not all(gone for gone, _ in swept):
        return Finding(good=False, reason="; ".join(f"an earlier one is left: {told}" for _, told in swept))
    order = _order(bench)
    if isinstance(order, str):
        return Finding(good=None, reason=f"not sent: {order}")
    try:
        finding = _there_and_back(bench, order)
    finally:
        bench.engine.settle()
    return finding


def _why_not(bench: Bench) -> str | None:
    mode, ledger = bench.engine.outside.broker.identity().mode, bench.engine.ledger
    if bench.policy.mode == "live" or mode == "live":
        return "no test order on a live account"
    if mode not in ("sim", "paper"):
        return f"the venue is {mode!r}, neither sim nor paper"
    if not bench.recovered:
        return "the venue has not said what happened meanwhile"
    if ledger.halts:
        return "halted: " + "; ".join(f"{halt.kind}: {halt.reason}" for halt in ledger.halts)
    if ledger.unresolved:
        return "outcome unknown: " + ", ".join(order.client_id for order in ledger.unresolved)
    return None


def _leftovers(bench: Bench) -> list[Order]:
    """Orders of an earlier test that the venue turned out to have."""
    orders = bench.engine.ledger.orders.values()
    return [order for order in orders if order.bot == TEST_BOT and not order.status.terminal and order.venue_id]


def _order(bench: Bench) -> Order | str:
    """The test order, or why there is none: for the first symbol that trades now, else the first that can rest."""
    at, ledger = bench.engine.outside.clock.now(), bench.engine.ledger
    busy = {o.symbol for o in bench.engine.outside.broker.open_orders()}
    free = [symbol for symbol in bench.policy.symbols if symbol not in busy]
    if not free:
        return "every symbol has open orders, which it could cross"
    instruments = {one.symbol: one for one in bench.engine.outside.broker.instruments(free)}
    quotes = {quote.symbol: quote for quote in bench.market.quotes}
    priced = [symbol for symbol in free if symbol in quotes and symbol in instruments]
    sessions = {symbol: bench.session(symbol, at) for symbol in priced}
    trading = [symbol for symbol, session in sessions.items() if session is not None and session.open]
    resting = [symbol for symbol in priced if asset_class_of(symbol) is AssetClass.EQUITY]
    if not trading and not resting:
        return f"no quote of {', '.join(free)}" if not priced else f"the sessions of {', '.join(priced)} are closed"
    symbol = (trading or resting)[0]
    instrument = instruments[symbol]
    limit = to_increment(quotes[symbol].bid * _HALF, instrument.price_increment, "down")
    stop = to_increment(limit * _HALF, instrument.price_increment, "down")
    if stop <= 0:
        return f"half of {symbol}'s bid {plain(quotes[symbol].bid)} leaves no room for a price"
    quantity = _smallest(instrument, limit)
    cost, power = quantity * limit * instrument.multiplier, bench.engine.outside.broker.account().buying_power
    if cost > power:
        return f"{plain(quantity)} {symbol} at {plain(limit)} costs {plain(cost)}, buying power is {plain(power)}"
    ordinal = bench.engine.outside.journal.head().seq  # no cycle sets two tests of one run apart
    return Order(
        client_id=client_order_id(ledger.run, ledger.cycle, TEST_BOT, symbol, Purpose.ENTRY, ordinal),
        run=ledger.run,
        cycle=ledger.cycle,
        bot=TEST_BOT,
        symbol=symbol,
        side=Side.BUY,
        quantity=quantity,
        order_type=OrderType.LIMIT,
        purpose=Purpose.ENTRY,
        time_in_force=TimeInForce.GTC if instrument.asset_class is AssetClass.CRYPTO else TimeInForce.DAY,
        limit=limit,
        protection=Protection(stop=stop),
        reference=quotes[symbol].bid,
        thesis="hydra test-broker: there and back",
        sent_at=at,
    )


def _smallest(instrument: Instrument, limit: Decimal) -> Decimal:
    """The least the venue takes: one where it trades by the piece, else its minimum in size and in dollars."""
    if instrument.asset_class is not AssetClass.CRYPTO:
        return max(ONE, instrument.minimum_quantity)
    step = instrument.quantity_increment
    needed = max(instrument.minimum_quantity, instrument.minimum_notional / limit)
    quantity = size_down(needed, step)
    return quantity if quantity >= needed else quantity + step


def _there_and_back(bench: Bench, order: Order) -> Finding:
    engine = bench.engine
    told = [f"buy {plain(order.quantity)} {order.symbol} at {plain(order.limit or ZERO)}, half its bid"]
    began = bench.timer()
    act(_plan(bench, sends=(Send(order=order),)), engine.outside.broker, engine.record, engine.outside.journal.sync)
    spent = bench.timer() - began
    known = engine.ledger.orders[order.client_id]
    doubt = known.status.unresolved
    if known.status is OrderStatus.REJECTED:
        return Finding(good=False, reason=f"{told[0]}: the venue refused it: {known.reason}")
    told.append(f"outcome unknown ({known.reason})" if doubt else f"accepted in {spent * 1000:,.1f} ms")
    found, why = _look_up(bench, order.client_id)
    if found is None and doubt:
        kept = "it stays in the ledger, and bars entries, until the venue has answered for it"
        return Finding(good=False, reason=f"{told[0]}: {told[1]}; {why}; {kept}")
    told.append(why)
    if found is not None and doubt:
        engine.record(OrderAccepted(client_id=order.client_id, order=found))
    other = None if found is None else _unlike(order, found)
    gone, ending = _taken_back(bench, order.client_id)
    good = gone and not doubt and found is not None and other is None
    return Finding(good=good, reason=f"{told[0]}: " + ", ".join((*told[1:], *filter(None, (other,)), ending)))


def _look_up(bench: Bench, client_id: str) -> tuple[VenueOrder | None, str]:
    """The order by its id as the venue has it, and what that came to."""
    outcome = attempt("order", lambda: bench.engine.outside.broker.order(client_id))
    if outcome.failure is not None:
        return None, f"it could not be looked up: {outcome.failure.kind}: {outcome.failure.reason}"
    report = outcome.value
    if report is None:
        return None, "the venue knows no order of its id"
    if type(report) is not VenueOrder or report.client_id != client_id:
        return None, f"looked up by its id, the venue answered with a {type(report).__name__} of another"
    return report, f"found by its id ({report.status})"


def _unlike(order: Order, found: VenueOrder) -> str | None:
    """In what the venue's order is not the one that was sent; ``None`` when it is."""
    for name in ("symbol", "side", "quantity", "limit"):
        ours, theirs = getattr(order, name), getattr(found, name)
        if ours != theirs:
            return f"its {name} is {theirs} there and {ours} here"
    return None


def _taken_back(bench: Bench, client_id: str) -> tuple[bool, str]:
    """Cancel an order and look at it until it is done: whether it is gone unfilled, and the story."""
    engine = bench.engine
    order = engine.ledger.orders[client_id]
    cancel = Cancel(client_id=client_id, venue_id=order.venue_id, reason="the test is over")
    began = bench.timer()
    act(_plan(bench, cancels=(cancel,)), engine.outside.broker, engine.record, engine.outside.journal.sync)
    report: VenueOrder | None = None
    why = ""
    for look in range(_LOOKS):
        if look:
            bench.pause()
        report, why = _look_up(bench, client_id)
        if report is not None and report.status.terminal:
            break
    if report is not None:
        engine.record(CancelHeard(client_id=client_id, order=report, reason="looked up"))
    if report is None or not report.status.terminal:
        status = engine.ledger.orders[client_id].status
        return False, f"cancelled and still {status} after {_LOOKS} looks ({why}): look at it at the venue"
    if report.filled > 0 or report.status is not OrderStatus.CANCELED:
        return False, f"it is {report.status} with {plain(report.filled)} filled: look at it at the venue"
    return True, f"cancelled, and gone after {(bench.timer() - began) * 1000:,.1f} ms"


def _plan(bench: Bench, *, sends: tuple[Send, ...] = (), cancels: tuple[Cancel, ...] = ()) -> Plan:
    return Plan(cycle=bench.engine.ledger.cycle, mode=Mode.ACTIVE, sends=sends, cancels=cancels)
