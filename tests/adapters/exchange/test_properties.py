"""Whatever is asked in whatever order, and wherever the venue is stopped and opened again: the books add up."""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.exchange.doors import SimBroker
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.model.orders import Order, OrderStatus, OrderType, Protection, Purpose, Side, TimeInForce
from hydra.ports import Ack
from tests.adapters.exchange.scenes import MINUTE, OPEN, open_books
from tests.contracts.broker_contract import everything
from tests.fakes.feed import ScriptedFeed, bar, quote

SETTINGS = VenueSettings(
    starting_cash=Decimal(5_000),
    commission_per_share=Decimal("0.01"),
    crypto_fee=Decimal("0.002"),
    slippage=Decimal("0.001"),
    half_spread=Decimal("0.0005"),
    crypto_exits=True,
)
SYMBOLS = ("SPY", "BTC-USD")
price = st.integers(85, 115).map(Decimal)
low_price, high_price = st.integers(80, 101).map(Decimal), st.integers(99, 120).map(Decimal)
often = (*TimeInForce, TimeInForce.GTC, TimeInForce.GTC, TimeInForce.DAY, TimeInForce.DAY)
wobble = st.tuples(st.integers(85, 115), st.integers(0, 8), st.integers(0, 8), st.integers(-3, 3))


@st.composite
def feeds(draw: st.DrawFn) -> ScriptedFeed:
    """A short wild afternoon: the last minutes of a session and some of the evening, quotes now and then."""
    script = ScriptedFeed(symbols=SYMBOLS)
    for number, (opens, up, down, drift) in enumerate(draw(st.lists(wobble, min_size=8, max_size=20))):
        symbol = SYMBOLS[draw(st.integers(0, 1))]
        at = OPEN.replace(hour=20, minute=54) + number * MINUTE
        close = opens + drift
        script.add(bar(symbol, at, (opens, max(opens, close) + up, min(opens, close) - down, close)))
        if draw(st.booleans()):
            script.add(quote(symbol, at + MINUTE, close, close + Decimal("0.02")))
    return script


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Any order, mostly sensible; few client ids, so that some come twice."""
    kind, side = draw(st.sampled_from(OrderType)), draw(st.sampled_from((Side.BUY, Side.BUY, Side.SELL)))
    entry = side is Side.BUY and draw(st.booleans())
    symbol = draw(st.sampled_from(SYMBOLS))
    protection = None
    if entry:
        protection = Protection(stop=draw(low_price), target=draw(st.none() | high_price))
    return Order(
        client_id=f"o{draw(st.integers(0, 30))}",
        run="run",
        cycle=1,
        bot="bot",
        symbol=symbol,
        side=side,
        quantity=Decimal(draw(st.integers(1, 12))),
        order_type=kind,
        purpose=Purpose.ENTRY if entry else Purpose.EXIT,
        time_in_force=draw(st.sampled_from(often if symbol == "SPY" else (*often, *[TimeInForce.GTC] * 8))),
        limit=draw(price) if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None,
        stop=draw(price) if kind in (OrderType.STOP, OrderType.STOP_LIMIT) else None,
        protection=protection,
    )


step = st.one_of(orders(), orders(), st.just("advance"), st.just("advance"), st.integers(1, 6))
steps = st.lists(step, min_size=8, max_size=30)


def take(venue: SimulatedVenue, what: Order | str | int) -> Ack | bool:
    """One step: an order, an advance, or the cancellation of the n-th order."""
    if isinstance(what, Order):
        return SimBroker(venue).submit(what)
    if isinstance(what, int):
        taken = venue.tickets()
        return SimBroker(venue).cancel(taken[what - 1].venue_id if what <= len(taken) else "no-such-order")
    return venue.advance()


def told(venue: SimulatedVenue, ids: set[str]) -> tuple:
    """All a venue says of itself."""
    broker = SimBroker(venue)
    asked = [(broker.order(client_id), venue.ticket_named(client_id)) for client_id in sorted(ids)]
    return venue.now, everything(broker), venue.figures(), venue.held(), venue.activities(), venue.state(), asked


def check(venue: SimulatedVenue, ids: set[str]) -> None:
    """What must hold at every moment."""
    broker = SimBroker(venue)
    fills = broker.fills("").fills
    spent = sum((fill.side.sign * fill.quantity * fill.price + fill.fee for fill in fills), Decimal(0))
    account = broker.account()
    assert account.cash == SETTINGS.starting_cash - spent
    assert account.cash >= 0
    assert len({fill.client_id for fill in fills}) == len(fills)
    assert [fill.fill_id for fill in fills] == sorted(fill.fill_id for fill in fills)
    assert [fill.at for fill in fills] == sorted(fill.at for fill in fills)
    filled = {fill.client_id for fill in fills}
    for client_id in ids:
        order = broker.order(client_id)
        if order is not None:
            assert (order.status is OrderStatus.FILLED) is (client_id in filled)
    owned = {position.symbol: position.quantity for position in broker.positions()}
    for symbol in SYMBOLS:
        bought = sum((fill.side.sign * fill.quantity for fill in fills if fill.symbol == symbol), Decimal(0))
        assert owned.get(symbol, Decimal(0)) == bought
        groups: dict[str, Decimal] = {}
        for order in broker.open_orders():
            if order.symbol == symbol and order.side is Side.SELL:
                groups[order.parent or order.client_id] = order.quantity
        assert sum(groups.values(), Decimal(0)) <= bought


@given(script=feeds(), plan=st.lists(st.tuples(steps, st.booleans()), min_size=1, max_size=3))
@settings(max_examples=40, deadline=None)
def test_a_venue_opened_again_anywhere_goes_on_like_one_that_never_stopped(script: ScriptedFeed, plan: list) -> None:
    with tempfile.TemporaryDirectory() as folder:
        calendar, ids = PlainCalendar(), set[str]()
        steady = SimulatedVenue(script, calendar, SETTINGS)
        books = open_books(Path(folder))
        broken = SimulatedVenue(script, calendar, SETTINGS, books)
        for chunk, closed_first in plan:
            for each in ("advance", *chunk):
                if isinstance(each, Order):
                    ids |= {each.client_id, f"{each.client_id}.stop", f"{each.client_id}.target"}
                assert take(steady, each) == take(broken, each)
                assert told(steady, ids) == told(broken, ids)
                check(steady, ids)
            if closed_first:
                broken.close()
            if steady.next_instant() is None:
                return  # opened again, a flat account would start the feed over
            broken = SimulatedVenue(script, calendar, SETTINGS, open_books(Path(folder)))
            assert told(steady, ids) == told(broken, ids)


@given(script=feeds(), plan=steps)
@settings(max_examples=60, deadline=None)
def test_the_account_adds_up_after_every_step(script: ScriptedFeed, plan: list) -> None:
    venue, ids = SimulatedVenue(script, PlainCalendar(), SETTINGS), set[str]()
    for each in ("advance", *plan):
        if isinstance(each, Order):
            ids |= {each.client_id, f"{each.client_id}.stop", f"{each.client_id}.target"}
        take(venue, each)
        check(venue, ids)
