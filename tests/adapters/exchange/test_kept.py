"""What the venue keeps instead of working it out again is what it would work out now: in every order of events, and at the
moment at which it stops being so."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra.adapters.calendar import new_york
from hydra.adapters.exchange.matching import Rates, against_bar, untouched
from hydra.adapters.exchange.model import DayTrade, Ticket, Update
from hydra.adapters.exchange.money import Money
from hydra.adapters.exchange.prices import Prices
from hydra.adapters.exchange.standing import Standing
from hydra.adapters.exchange.terms import PositionIntent, Status
from hydra.adapters.exchange.tickets import venue_id
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.model.orders import OrderType, Side, TimeInForce
from hydra.model.values import replace
from tests.adapters.exchange.market_scenes import CALENDAR
from tests.adapters.exchange.scenes import MINUTE, OPEN, SETTINGS, Scene
from tests.adapters.exchange.test_account_invariants import ACTIONS, LONG, Run, plans
from tests.contracts.broker_contract import accepted, buy
from tests.fakes.feed import bar, quote

PROTECTED = replace(SETTINGS, day_trade_protection=True)
MARGIN = replace(SETTINGS, multiplier=4, starting_cash=Decimal(50_000))


def fresh(venue: SimulatedVenue) -> Money:
    """The account's money as one who has kept nothing works it out."""
    prices = Prices(venue.feed, venue.now, venue.settings.half_spread)
    return Money(venue._desk, prices, venue.calendar, venue.settings)


def agrees(venue: SimulatedVenue) -> None:
    """What is kept, and the indexes that are kept up, against what one pass over everything finds."""
    desk, anew = venue._desk, fresh(venue)
    assert venue.figures() == anew.figures()
    assert venue._pit.money.trades() == anew.trades()
    for held in venue.held():
        assert held.today == anew.opened_today(held.symbol)
        assert venue.last_price(held.symbol) == Prices(venue.feed, venue.now, venue.settings.half_spread).last(
            held.symbol
        )
    tickets = sorted(venue.tickets(), key=lambda ticket: ticket.number)
    undone = [ticket for ticket in tickets if not ticket.status.done]
    assert list(venue.working()) == undone
    assert list(desk.pending.values()) == [desk.orders[name] for name in desk.pending]
    assert {*desk.pending} == {ticket.client_id for ticket in undone if ticket.pending is not None}
    assert set(desk.working_symbols()) == {ticket.symbol for ticket in undone if ticket.working}
    for symbol in {ticket.symbol for ticket in tickets}:
        working = [ticket for ticket in undone if ticket.working and ticket.symbol == symbol]
        assert list(desk.working(symbol)) == working
        for side in Side:
            assert list(desk.opposite(symbol, side)) == [ticket for ticket in working if ticket.side is not side]
        assert desk.held(symbol) == _claimed([t for t in undone if t.symbol == symbol])
    assert desk.reserved == sum((ticket.reserved for ticket in undone), Decimal(0))


def _claimed(tickets: Sequence[Ticket]) -> Decimal:
    groups: dict[str, Decimal] = {}
    for ticket in tickets:
        intent = ticket.position_intent
        if ticket.symbol and intent is not None and not intent.opens and (ticket.working or ticket.ratio is not None):
            groups[ticket.group] = max(groups.get(ticket.group, Decimal(0)), ticket.remaining)
    return sum(groups.values(), Decimal(0))


@pytest.mark.parametrize("name", ["margin", "slow cash"])
@given(action=st.sampled_from(sorted(ACTIONS)), plan=plans)
@settings(
    max_examples=4,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_what_is_kept_is_what_would_be_worked_out_now(name: str, action: str, plan: list[Any]) -> None:
    scene = Run(name, action)
    for step in plan:
        scene.take(step)
        agrees(scene.steady)
        agrees(scene.broken)


def test_figures_are_kept_while_nothing_they_are_made_of_changes() -> None:
    scene = Scene()
    before = scene.venue.figures()
    scene.venue.advance_to(scene.venue.now + MINUTE)
    assert scene.venue.figures() is before  # nothing is held, so no price is in them
    accepted(scene.broker.submit(buy(limit="90")))
    reserving = scene.venue.figures()
    assert reserving.buying_power == before.buying_power - 900
    assert scene.venue.figures() is reserving
    assert scene.broker.cancel(scene.venue.working()[0].venue_id).order is not None
    assert scene.venue.figures() == before


def test_figures_of_what_is_held_follow_its_price_at_the_very_instant() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit=None)))
    before, until = scene.venue.figures(), scene.venue.now + MINUTE
    scene.feed.add(quote("SPY", until, "104.99", "105.01"))
    scene.venue.advance_to(until - timedelta(microseconds=1))
    assert scene.venue.figures() == before
    scene.venue.advance_to(until)
    assert scene.venue.figures().equity == before.equity + 50


def test_the_part_opened_today_ends_with_the_day() -> None:
    scene = Scene(MARGIN)
    accepted(scene.broker.submit(buy(limit=None)))
    money = scene.venue._pit.money
    assert money.opened_today("SPY") == 10
    midnight = (OPEN + timedelta(days=1)).replace(hour=0, minute=0)  # where this calendar's days begin
    scene.venue.advance_to(midnight - timedelta(microseconds=1))
    assert money.opened_today("SPY") == 10
    scene.venue.advance_to(midnight)
    assert money.opened_today("SPY") == 0
    agrees(scene.venue)


def test_day_trades_follow_executions_the_record_and_the_day() -> None:
    scene = Scene(PROTECTED)
    money = scene.venue._pit.money
    assert money.trades() == ()
    accepted(scene.broker.submit(buy(limit=None)))
    sale = replace(buy("s1", limit=None), side=Side.SELL)
    accepted(scene.broker.submit(sale))
    today = DayTrade(day=OPEN.date(), symbol="SPY")
    assert money.trades() == (today,)
    assert money.trades() is money.trades()
    assert scene.venue.figures().day_trades == 1
    with scene.venue._changing() as desk:  # what the close puts on record
        earlier = DayTrade(day=OPEN.date() - timedelta(days=3), symbol="QQQ")
        desk.account = replace(desk.account, day_trades=(earlier,))
    assert money.trades() == (earlier, today)
    scene.venue.advance_to(OPEN + timedelta(days=30))
    assert money.trades() == ()
    assert scene.venue.figures().day_trades == 0  # though nothing is held and nothing has happened


def test_a_day_trade_leaves_the_figures_of_an_account_that_holds_nothing_with_its_day() -> None:
    venue = Run("small", "none").steady
    for request in (
        replace(LONG, quantity=Decimal(5)),
        replace(LONG, client_id="s", side=Side.SELL, quantity=Decimal(5)),
    ):
        assert isinstance(venue.place(request), Ticket)
    venue.advance_to(new_york(date(2024, 3, 8), time(0)) - timedelta(microseconds=1))
    assert venue.figures().day_trades == 1
    venue.advance_to(new_york(date(2024, 3, 8), time(0)))  # the fifth exchange day after the Friday begins
    assert venue.figures().day_trades == 0


def test_the_last_price_is_asked_for_once_an_instant() -> None:
    scene = Scene()
    asked: list[str] = []
    history = scene.feed.history

    class Counted:
        def __getattr__(self, name: str) -> Any:
            return getattr(scene.feed, name)

        def history(self, symbol: str, upto: Any, count: int) -> Any:
            asked.append(symbol)
            return history(symbol, upto, count)

        def quotes(self, at: Any) -> dict[str, Any]:  # a feed without quotes
            return {}

    prices = Prices(Counted(), scene.venue.now)
    assert prices.last("SPY") == prices.last("SPY") == 100
    assert asked == ["SPY"]
    scene.feed.add(bar("SPY", scene.venue.now, (100, 103, 100, 103)))
    prices.move(scene.venue.now + MINUTE)
    assert prices.last("SPY") == 103
    assert asked == ["SPY", "SPY"]


tenths = st.integers(950, 1050).map(lambda number: Decimal(number) / 10)


@given(
    side=st.sampled_from(Side),
    kind=st.sampled_from(OrderType),
    prices=st.tuples(tenths, tenths, tenths, tenths, tenths, tenths, st.none() | tenths),
    triggered=st.booleans(),
)
@settings(max_examples=120, derandomize=True, deadline=None)
def test_a_bar_that_leaves_an_order_untouched_does_nothing_to_it(
    side: Side, kind: OrderType, prices: tuple[Any, ...], *, triggered: bool
) -> None:
    first, last, one, other, limit, stop, high_water = prices
    stops = kind in (OrderType.STOP, OrderType.STOP_LIMIT)
    ticket = Ticket(
        number=1, venue_id="v", client_id="c", symbol="SPY", side=side, order_type=kind, quantity=Decimal(1),
        time_in_force=TimeInForce.GTC, since=OPEN, submitted_at=OPEN, updated_at=OPEN,
        limit=limit if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None, stop=stop if stops else None,
        trail_price=Decimal(1) if kind is OrderType.TRAILING_STOP else None, high_water=high_water,
        triggered=triggered and kind not in (OrderType.LIMIT, OrderType.MARKET),
    )  # fmt: skip
    minute = bar("SPY", OPEN, (first, max(first, last, one), min(first, last, other), last))
    rates = Rates(increment=Decimal("0.01"), slippage=Decimal("0.01"))
    if untouched(ticket, minute):
        assert against_bar(ticket, minute, rates) is None
    elif stops or kind is OrderType.LIMIT:
        assert against_bar(ticket, minute, rates) is not None  # nothing that does nothing is looked at twice


@given(account=st.text(min_size=1), number=st.integers(1, 10**9))
@settings(max_examples=40, derandomize=True, deadline=None)
def test_orders_are_called_what_the_standard_calls_them(account: str, number: int) -> None:
    names = uuid.uuid5(uuid.NAMESPACE_URL, "hydra:simulated-exchange")
    assert venue_id(account, number) == str(uuid.uuid5(names, f"{account}/{number}"))


def test_who_begins_to_listen_hears_all_that_comes_after() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit="90")))
    heard: list[str] = []

    def listen(updates: Sequence[Update]) -> None:
        heard.extend(f"{each.ticket.client_id} {each.news}" for each in updates)

    leave = scene.venue.subscribe(listen)
    scene.venue.withdraw(scene.venue.working()[0].venue_id)
    assert heard == ["b1 pending_cancel", "b1 canceled"]
    leave()
    accepted(scene.broker.submit(buy("b2", limit="90")))
    assert heard == ["b1 pending_cancel", "b1 canceled"]


def test_an_intent_knows_its_side_and_a_status_whether_it_is_the_end() -> None:
    assert {(intent.value, intent.side.value, intent.opens) for intent in PositionIntent} == {
        ("buy_to_open", "buy", True),
        ("buy_to_close", "buy", False),
        ("sell_to_open", "sell", True),
        ("sell_to_close", "sell", False),
    }
    done = {Status.FILLED, Status.CANCELED, Status.EXPIRED, Status.REPLACED, Status.REJECTED}
    assert {status for status in Status if status.done} == done


def test_who_asks_for_the_version_in_the_middle_of_a_change_waits_for_its_end() -> None:
    scene = Scene()
    found: list[int] = []
    asking = threading.Thread(target=lambda: found.append(scene.venue.version))

    def ask_meanwhile(_ticket: Ticket, quantity: Decimal) -> Decimal:
        asking.start()
        asking.join(0.05)
        assert asking.is_alive()
        return quantity

    scene.venue.ration = ask_meanwhile
    accepted(scene.broker.submit(buy(limit=None)))
    asking.join(5)
    assert found == [scene.venue.version]


def test_an_account_read_from_its_books_starts_with_nothing_kept() -> None:
    scene = Run("margin", "none")
    standing = scene._reopen().load()
    assert isinstance(standing, Standing)
    again = SimulatedVenue(scene.feed, CALENDAR, scene.settings, scene._reopen())
    assert again.figures() == scene.steady.figures()
