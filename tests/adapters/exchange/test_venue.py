"""How the venue trades: time, sessions, brackets, money."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from hydra.adapters.exchange.doors import SimBroker
from hydra.adapters.exchange.model import FeeSchedule, VenueSettings
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.model.errors import BadConfig, Invalid, Refused
from hydra.model.orders import OrderStatus, OrderType, Side, TimeInForce
from hydra.model.values import replace
from tests.adapters.exchange.scenes import MINUTE, OPEN, SETTINGS, Scene
from tests.contracts.broker_contract import QUIET, accepted, bracket, buy, everything, rejected, sell
from tests.fakes.feed import ScriptedFeed, bar, quote

COSTS = VenueSettings(
    starting_cash=Decimal(10_000),
    commission_per_share=Decimal("0.005"),
    crypto_fee=Decimal("0.0025"),
    slippage=Decimal("0.001"),
    half_spread=Decimal("0.0005"),
)


def test_the_first_advance_makes_the_first_instant_current() -> None:
    feed = ScriptedFeed([bar("SPY", OPEN, (100, 100, 100, 100))])
    venue = SimulatedVenue(feed, PlainCalendar(), SETTINGS)
    assert venue.now < OPEN + MINUTE
    assert venue.next_instant() == OPEN + MINUTE
    assert venue.advance()
    assert venue.now == OPEN + MINUTE
    assert not venue.advance()
    assert venue.now == OPEN + MINUTE


def test_a_feed_without_prices_is_refused() -> None:
    with pytest.raises(BadConfig, match="no prices"):
        SimulatedVenue(ScriptedFeed(), PlainCalendar(), SETTINGS)


def test_nothing_can_be_bought_before_a_price_is_known() -> None:
    feed = ScriptedFeed([bar("SPY", OPEN, (100, 100, 100, 100))])
    venue = SimulatedVenue(feed, PlainCalendar(), SETTINGS)
    assert "no price" in rejected(SimBroker(venue).submit(buy(limit=None)))


def test_costs_are_the_far_side_slippage_and_commission() -> None:
    scene = Scene(COSTS)
    accepted(scene.broker.submit(buy(limit=None)))
    (fill,) = scene.all_fills()
    assert fill.price == Decimal("100.12")  # 100.01 * 1.001 = 100.11001, up
    assert fill.fee == Decimal("0.05")
    account = scene.broker.account()
    assert account.cash == Decimal("8998.75")
    assert account.equity == Decimal("9998.75")  # 10 at the middle, 100.00


def test_crypto_pays_a_fraction_of_notional_and_trades_at_night() -> None:
    scene = Scene(COSTS, symbol="BTC-USD")
    night = OPEN + timedelta(hours=9)
    scene.feed.add(quote("BTC-USD", night, "199", "201"))
    scene.venue.advance()
    accepted(scene.broker.submit(buy(symbol="BTC-USD", quantity="0.5", limit=None, time_in_force=TimeInForce.GTC)))
    (fill,) = scene.all_fills()
    assert fill.price == Decimal("201.21")  # 201 * 1.001 = 201.201, up
    assert fill.fee == Decimal("0.2515125")
    assert fill.at == night


def test_a_market_order_without_a_fresh_quote_fills_at_the_next_open() -> None:
    scene = Scene(COSTS)
    for _ in range(3):
        scene.play(*QUIET)
    order = accepted(scene.broker.submit(buy(limit=None))).order
    assert order is not None
    assert order.status is OrderStatus.ACCEPTED
    assert scene.broker.account().buying_power == 10_000 - Decimal("100.01") * Decimal("10.1") - Decimal("0.05")
    scene.play(101, 102, 100, 101)
    # Half the spread of the last quote is 0.0001 of its middle: 101 * 1.0011 = 101.1111.
    assert scene.fills() == [("b1", Decimal("101.12"))]


def test_an_order_never_meets_a_bar_that_opened_before_it_was_sent() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit="95")))
    scene.feed.add(bar("SPY", OPEN + MINUTE / 2, (94, 96, 93, 95)))
    scene.venue.advance()
    assert scene.fills() == []


def test_a_stop_that_is_gapped_through_fills_at_the_open() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit=None, protection=bracket("98", "104"))))
    scene.play(90, 91, 89, 90)
    assert scene.fills()[-1] == ("b1.stop", Decimal(90))
    assert scene.broker.order("b1.target").status is OrderStatus.CANCELED  # type: ignore[union-attr]  # it exists


def test_when_a_bar_reaches_both_legs_the_stop_fills() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit=None, protection=bracket("98", "104"))))
    scene.play(100, 105, 97, 104)
    assert scene.fills()[1:] == [("b1.stop", Decimal(98))]


def test_an_entry_filled_inside_a_bar_can_be_stopped_out_in_it() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit="97", protection=bracket("95", "99"))))
    scene.play(98, 100, 94, 99)
    assert scene.fills() == [("b1", Decimal(97)), ("b1.stop", Decimal(95))]
    assert scene.broker.open_orders() == ()


def test_an_entry_filled_inside_a_bar_cannot_reach_its_target_in_it() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit="97", protection=bracket("95", "99"))))
    scene.play(98, 100, 96, 99)
    assert scene.fills() == [("b1", Decimal(97))]
    scene.play(98, "99.5", 98, 99)
    assert scene.fills()[1:] == [("b1.target", Decimal(99))]


def test_an_entry_filled_at_the_open_has_the_whole_bar_before_it() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit="97", protection=bracket("95", "99"))))
    scene.play(96, 100, "95.5", 99)
    assert scene.fills() == [("b1", Decimal(96)), ("b1.target", Decimal(99))]


def test_a_stop_born_inside_a_bar_is_not_gapped_through_by_an_open_before_its_entry() -> None:
    scene = Scene()
    entry = buy(limit=None, order_type=OrderType.STOP, stop=Decimal(102), protection=bracket("101", "110"))
    accepted(scene.broker.submit(entry))
    scene.play(100, 103, 99, 102)
    assert scene.fills() == [("b1", Decimal(102)), ("b1.stop", Decimal(101))]


@pytest.mark.parametrize("cancelled", ["b1.stop", "b1.target"])
def test_cancelling_one_exit_cancels_the_other_and_frees_the_position(cancelled: str) -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit=None, protection=bracket())))
    legs = {leg.client_id: leg for leg in scene.broker.open_orders()}
    order = accepted(scene.broker.cancel(legs.pop(cancelled).venue_id)).order
    assert order is not None
    assert (order.client_id, order.status) == (cancelled, OrderStatus.CANCELED)
    assert scene.broker.open_orders() == ()
    (other,) = legs.values()
    ack = scene.broker.cancel(other.venue_id)
    assert "already canceled" in rejected(ack)
    assert ack.order is not None
    assert (ack.order.client_id, ack.order.status) == (other.client_id, OrderStatus.CANCELED)
    assert cancelled in ack.order.reason
    accepted(scene.broker.submit(sell(limit=None)))
    assert scene.broker.positions() == ()


def test_the_exits_of_an_entry_are_there_from_the_beginning_and_do_nothing_until_it_fills() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit="97", protection=bracket("95", "99"))))
    assert [order.client_id for order in scene.broker.open_orders()] == ["b1"]
    for name in ("b1.stop", "b1.target"):
        exit_order = scene.broker.order(name)
        assert exit_order is not None
        assert (exit_order.parent, exit_order.status, exit_order.filled) == ("b1", OrderStatus.ACCEPTED, Decimal(0))
    scene.play(100, 101, 98, 100)  # the target's price came and went
    assert scene.fills() == []
    scene.play(98, 98, 97, 98)
    assert scene.fills() == [("b1", Decimal(97))]
    assert [order.client_id for order in scene.broker.open_orders()] == ["b1.stop", "b1.target"]


def test_the_exits_work_until_cancelled_whatever_the_entrys_own_time_in_force() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit=None, time_in_force=TimeInForce.DAY, protection=bracket())))
    tomorrow = OPEN + timedelta(days=1)
    scene.feed.add(bar("SPY", tomorrow - MINUTE, (100, 101, 99, 100)))
    scene.venue.advance()
    assert [order.client_id for order in scene.broker.open_orders()] == ["b1.stop", "b1.target"]
    scene.feed.add(bar("SPY", tomorrow, (100, 101, 97, 98)))
    scene.venue.advance()
    assert scene.fills()[1:] == [("b1.stop", Decimal(98))]


@pytest.mark.parametrize(("ended", "status"), [("cancelled", OrderStatus.CANCELED), ("expired", OrderStatus.EXPIRED)])
def test_the_exits_of_an_entry_that_never_filled_go_with_it(ended: str, status: OrderStatus) -> None:
    scene = Scene()
    entry = accepted(scene.broker.submit(buy(limit="95", protection=bracket("90", "99")))).order
    assert entry is not None
    if ended == "cancelled":
        accepted(scene.broker.cancel(entry.venue_id))
    else:
        scene.feed.add(bar("SPY", OPEN + timedelta(hours=7), (99, 99, 99, 99)))
        scene.venue.advance()
    statuses = {name: scene.broker.order(name).status for name in ("b1", "b1.stop", "b1.target")}  # type: ignore[union-attr]  # they exist
    assert set(statuses.values()) == {status}
    scene.play(90, 120, 80, 90)
    assert scene.fills() == []


def test_a_client_id_that_is_too_long_for_a_suffix_gives_its_exits_names_of_their_own() -> None:
    scene = Scene()
    name = "a" * 48
    accepted(scene.broker.submit(buy(name, limit=None, protection=bracket())))
    stop, target = scene.broker.open_orders()
    assert {stop.parent, target.parent} == {name}
    assert stop.client_id != target.client_id
    assert max(len(stop.client_id), len(target.client_id)) <= 48
    assert scene.broker.order(stop.client_id) == stop


def test_a_pair_has_exits_and_stops_where_the_settings_say_so_and_nowhere_else() -> None:
    entry = buy(symbol="BTC-USD", limit=None, time_in_force=TimeInForce.GTC, protection=bracket())
    stop = sell(
        symbol="BTC-USD", limit=None, order_type=OrderType.STOP, stop=Decimal(97), time_in_force=TimeInForce.GTC
    )
    strict = Scene(symbol="BTC-USD")
    assert "order class bracket is not offered for crypto" in rejected(strict.broker.submit(entry))
    assert "order type stop is not offered for crypto" in rejected(strict.broker.submit(stop))
    scene = Scene(replace(SETTINGS, crypto_exits=True), symbol="BTC-USD")
    accepted(scene.broker.submit(entry))
    legs = scene.broker.open_orders()
    assert [leg.client_id for leg in legs] == ["b1.stop", "b1.target"]
    accepted(scene.broker.cancel(legs[0].venue_id))
    accepted(scene.broker.submit(stop))
    scene.play(98, 98, 96, 97)
    assert scene.fills()[1:] == [("s1", Decimal(97))]


def test_exits_of_pairs_do_not_go_with_fees_in_coin() -> None:
    with pytest.raises(Invalid, match="crypto_exits goes with fees flat only, got alpaca"):
        VenueSettings(starting_cash=Decimal(1), crypto_exits=True, fees=FeeSchedule.ALPACA)


def test_a_stop_limit_that_only_triggered_rests_as_a_limit() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit=None)))
    stop_limit = sell(limit="97", order_type=OrderType.STOP_LIMIT, stop=Decimal(98), time_in_force=TimeInForce.GTC)
    accepted(scene.broker.submit(stop_limit))
    scene.play(96, "96.5", 95, 96)
    assert scene.fills()[1:] == []
    scene.play(96, 97, 96, 97)
    assert scene.fills()[1:] == [("s1", Decimal(97))]


def test_a_day_order_expires_at_the_close_and_frees_what_it_reserved() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit="95")))
    evening = OPEN.replace(hour=21, minute=30)
    scene.feed.add(bar("SPY", evening - MINUTE, (90, 90, 90, 90)))
    scene.venue.advance()
    order = scene.broker.order("b1")
    assert order is not None
    assert (order.status, order.updated_at) == (OrderStatus.EXPIRED, OPEN.replace(hour=21, minute=0))
    assert scene.broker.account().buying_power == 10_000


def test_a_day_order_does_not_meet_the_next_session_even_when_one_step_spans_the_night() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit="95")))
    scene.feed.add(bar("SPY", OPEN + timedelta(days=1), (90, 91, 89, 90)))
    scene.venue.advance()
    order = scene.broker.order("b1")
    assert order is not None
    assert (order.status, scene.fills()) == (OrderStatus.EXPIRED, [])


def test_shares_do_not_fill_outside_the_regular_session_and_wait_for_the_next_open() -> None:
    scene = Scene()
    evening = OPEN.replace(hour=21, minute=30)
    scene.feed.add(bar("SPY", evening - MINUTE, (100, 100, 100, 100)))
    scene.venue.advance()
    accepted(scene.broker.submit(buy(limit=None)))
    scene.play(100, 101, 99, 100)
    assert scene.fills() == []
    tomorrow = OPEN + timedelta(days=1)
    scene.feed.add(bar("SPY", tomorrow, (103, 104, 102, 103)))
    scene.venue.advance()
    assert [fill.at for fill in scene.all_fills()] == [tomorrow + MINUTE]
    assert scene.fills() == [("b1", Decimal("103.02"))]  # 103 and half the last quote's spread, rounded up


def test_a_bar_of_a_whole_day_belongs_to_the_session_within_it() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit="95", time_in_force=TimeInForce.GTC)))
    midnight = (OPEN + timedelta(days=1)).replace(hour=0, minute=0)
    scene.feed.add(bar("SPY", midnight, (96, 97, 94, 95), seconds=86_400))
    scene.venue.advance()
    assert scene.fills() == [("b1", Decimal(95))]


@pytest.mark.parametrize("time_in_force", [TimeInForce.IOC, TimeInForce.FOK])
def test_an_order_for_now_or_never_is_cancelled_when_it_cannot_trade(time_in_force: TimeInForce) -> None:
    scene = Scene()
    order = accepted(scene.broker.submit(buy(limit="95", time_in_force=time_in_force))).order
    assert order is not None
    assert order.status is OrderStatus.CANCELED
    assert time_in_force.value in order.reason
    assert scene.broker.open_orders() == ()


def test_an_order_for_now_or_never_trades_at_once() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit="101", time_in_force=TimeInForce.IOC)))
    assert scene.fills() == [("b1", Decimal("100.01"))]


def test_a_buy_that_outgrew_the_cash_is_cancelled_with_the_numbers() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(quantity="90", limit=None, order_type=OrderType.STOP, stop=Decimal(105))))
    scene.play(120, 121, 119, 120)
    order = scene.broker.order("b1")
    assert order is not None
    assert (order.status, scene.fills()) == (OrderStatus.CANCELED, [])
    assert "needs 10800, has 10000" in order.reason


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (buy(quantity="1.5"), "not a multiple of 1"),
        (buy(protection=bracket("94.001", None)), "protective stop 94.001"),
        (
            buy(symbol="BTC-USD", quantity="0.0001", limit="100", time_in_force=TimeInForce.GTC),
            "below the minimum of 1",
        ),
        (sell(order_type=OrderType.STOP, limit=None, stop=Decimal(90), time_in_force=TimeInForce.IOC), "ioc"),
        (
            buy(symbol="BTC-USD", limit="100", time_in_force=TimeInForce.DAY),
            "time in force day is not offered for crypto; there are gtc, ioc",
        ),
        (buy(protection=bracket("96", "99")), "must be below the entry"),
        (sell(), "requested 10, available 0, held_for_orders 0, position 0"),
        (buy(quantity="106"), "needs 10070, has 10000"),
    ],
)
def test_a_refusal_has_the_numbers_and_leaves_nothing_behind(order, said: str) -> None:
    scene = Scene()
    before = everything(scene.broker)
    assert said in rejected(scene.broker.submit(order))
    assert everything(scene.broker) == before
    assert scene.broker.order(order.client_id) is None


def test_the_position_keeps_its_average_and_is_gone_when_sold() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy("b1", limit=None)))
    accepted(scene.broker.submit(buy("b2", quantity="20", limit="94")))
    scene.play(94, 95, 93, 94)
    (position,) = scene.broker.positions()
    assert (position.quantity, position.average_price) == (Decimal(30), Decimal("96.00333333"))
    accepted(scene.broker.submit(sell(quantity="30", limit="90", time_in_force=TimeInForce.IOC)))
    assert scene.broker.positions() == ()
    assert (
        scene.broker.account().cash == scene.broker.account().equity == Decimal("10119.60")
    )  # sold on the quote, at 99.99


def test_a_cursor_that_was_never_given_out_is_refused() -> None:
    scene = Scene()
    for cursor in ("7", "abc", "-1"):
        with pytest.raises(Refused, match="cursor"):
            scene.broker.fills(cursor)


def test_a_sale_of_two_parts_reserves_both() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit=None)))
    accepted(scene.broker.submit(sell("s1", quantity="6")))
    reason = rejected(scene.broker.submit(sell("s2", quantity="5")))
    assert "available 4, held_for_orders 6" in reason
    accepted(scene.broker.submit(sell("s2", quantity="4")))


def test_identity_names_the_books_and_the_account() -> None:
    identity = Scene().broker.identity()
    assert (identity.name, identity.url, identity.mode) == ("sim", "sim://memory", "sim")
    assert identity.account_id == Scene().broker.identity().account_id
    other = Scene(replace(SETTINGS, starting_cash=Decimal(5))).broker.identity()
    assert identity.account_id.startswith("SIM-")
    assert identity.account_id != other.account_id


def test_a_sell_order_is_reported_as_it_was_sent() -> None:
    scene = Scene()
    accepted(scene.broker.submit(buy(limit=None)))
    order = accepted(scene.broker.submit(sell(limit="105"))).order
    assert order is not None
    assert (order.side, order.order_type, order.limit, order.parent) == (Side.SELL, OrderType.LIMIT, Decimal(105), "")
