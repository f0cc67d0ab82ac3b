"""Faults at the in-process door: what the engine is told, and what the venue has in its books all the same."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.exchange.doors import SimBroker, SimMarket
from hydra.adapters.exchange.fault_table import OF_THE_ROAD, REQUESTS, FaultKind
from hydra.adapters.exchange.faults import FaultPlan, Rule
from hydra.adapters.exchange.faulty_door import FaultyBroker, FaultyMarket
from hydra.adapters.exchange.faulty_exchange import faulty
from hydra.adapters.exchange.standing import Books
from hydra.guard import attempt
from hydra.model.errors import Invalid, Unreachable
from hydra.model.orders import OrderStatus
from hydra.ports import AckOutcome
from tests.adapters.exchange.scenes import OPEN, SETTINGS, Scene, open_books
from tests.contracts.broker_contract import BrokerContract, buy, sell
from tests.fakes.feed import option_quote

BEFORE = {FaultKind.TIMEOUT_BEFORE, FaultKind.DROP_BEFORE, FaultKind.RATE_LIMIT, FaultKind.SERVER_ERROR}
AFTER = {
    FaultKind.TIMEOUT_AFTER,
    FaultKind.DROP_AFTER,
    FaultKind.GATEWAY_AFTER,
    FaultKind.HTML,
    FaultKind.EMPTY_BODY,
    FaultKind.UNKNOWN_ENUM,
}


class FaultyScene(Scene):
    """The scene behind doors with faults. ``slept`` are the seconds slow requests took."""

    def __init__(self, *rules: Rule, books: Books | None = None) -> None:
        super().__init__(SETTINGS, books)
        self.plan = FaultPlan(rules)
        self.slept: list[float] = []
        self.plain = self.broker
        self.venue = spoilt = faulty(self.venue, self.plan)
        self.broker: Any = FaultyBroker(SimBroker(spoilt), self.plan, self.slept.append)
        self.market: Any = FaultyMarket(SimMarket(spoilt), self.plan, lambda: self.venue.now, self.slept.append)


def rule(fault: FaultKind, *on: str, **more: Any) -> Rule:
    return Rule(fault=fault, on=on, **more)


class TestABrokerWithAnEmptyPlan(BrokerContract):
    """Without a rule the door is the broker it stands before."""

    @pytest.fixture
    def scene(self) -> FaultyScene:
        return FaultyScene()


@pytest.mark.parametrize("fault", sorted(BEFORE))
def test_an_order_that_never_arrived_is_nowhere(fault: FaultKind) -> None:
    scene = FaultyScene(rule(fault, "submit", nth=1))
    with pytest.raises(Unreachable, match=r"^submit: "):
        scene.broker.submit(buy())
    assert scene.broker.order("b1") is None
    assert scene.broker.submit(buy()).outcome is AckOutcome.ACCEPTED


@pytest.mark.parametrize("fault", sorted(AFTER))
def test_an_order_whose_answer_is_lost_is_found_by_its_client_id(fault: FaultKind) -> None:
    scene = FaultyScene(rule(fault, "submit", nth=1))
    with pytest.raises(Unreachable, match=r"^submit: "):
        scene.broker.submit(buy())
    assert scene.broker.order("b1").status is OrderStatus.ACCEPTED
    assert scene.broker.submit(buy()).outcome is AckOutcome.REJECTED
    assert len(scene.broker.open_orders()) == 1


def test_a_nan_is_what_a_value_says_of_it_and_the_order_is_there() -> None:
    scene = FaultyScene(rule(FaultKind.NAN, "submit", "account"))
    with pytest.raises(Invalid, match=r"submit: .* must be finite, got NaN"):
        scene.broker.submit(buy())
    assert scene.broker.order("b1") is not None
    failure = attempt("account", scene.broker.account).failure
    assert failure is not None
    assert failure.kind == "Invalid"


def test_a_rate_limit_says_how_long_to_wait() -> None:
    scene = FaultyScene(rule(FaultKind.RATE_LIMIT, "account", seconds=Decimal(3)))
    with pytest.raises(Unreachable, match="status 429, too many requests, retry after 3 s"):
        scene.broker.account()


def test_slow_takes_real_time_and_answers() -> None:
    scene = FaultyScene(rule(FaultKind.SLOW, "positions", ms=Decimal(1500)))
    assert scene.broker.positions() == ()
    assert scene.slept == [1.5]


@pytest.mark.parametrize("fault", sorted(OF_THE_ROAD - {FaultKind.SLOW}))
def test_no_question_is_answered_with_nonsense(fault: FaultKind) -> None:
    scene = FaultyScene(rule(fault, "*"))
    broker, market = scene.broker, scene.market
    for ask in (
        broker.now,
        broker.account,
        broker.positions,
        broker.open_orders,
        lambda: broker.order("b1"),
        lambda: broker.fills(""),
        lambda: broker.activities(""),
        lambda: broker.instruments(["SPY"]),
        lambda: broker.submit(buy()),
        lambda: broker.cancel("x"),
        lambda: market.history(["SPY"], 1),
        lambda: market.poll(["SPY"], {}),
        lambda: market.chain("SPY"),
    ):
        outcome = attempt("it", ask)
        assert outcome.failure is None or outcome.failure.kind in ("Unreachable", "Invalid")
    assert broker.identity() == scene.plain.identity()


def test_every_operation_of_the_broker_can_fail() -> None:
    scene = FaultyScene(*(rule(FaultKind.SERVER_ERROR, operation) for operation in sorted(REQUESTS)))
    broker, market = scene.broker, scene.market
    asked = {
        "clock": broker.now,
        "account": broker.account,
        "positions": broker.positions,
        "orders": broker.open_orders,
        "order": lambda: broker.order("b1"),
        "fills": lambda: broker.fills(""),
        "instruments": lambda: broker.instruments(["SPY"]),
        "submit": lambda: broker.submit(buy()),
        "cancel": lambda: broker.cancel("x"),
        "bars": lambda: market.history(["SPY"], 1),
        "quotes": lambda: market.poll(["SPY"], {}),
    }
    for operation, ask in asked.items():
        with pytest.raises(Unreachable, match=f"^{operation}: status 500"):
            ask()


def test_a_rule_about_a_symbol_follows_the_order() -> None:
    scene = FaultyScene(rule(FaultKind.SERVER_ERROR, "cancel", "order", symbol="BTC-USD"))
    taken = scene.broker.submit(buy())
    assert scene.broker.order("b1").venue_id == taken.order.venue_id
    assert scene.broker.cancel(taken.order.venue_id).outcome is AckOutcome.ACCEPTED
    scene.plan.replace([rule(FaultKind.SERVER_ERROR, "cancel", "order", symbol="SPY")])
    with pytest.raises(Unreachable):
        scene.broker.order("b1")


def test_a_clock_that_is_off() -> None:
    scene = FaultyScene(rule(FaultKind.CLOCK_OFF, seconds=Decimal(-300), nth=2))
    now = scene.venue.now
    assert [scene.broker.now() - now for _ in range(3)] == [timedelta(0), timedelta(seconds=-300), timedelta(0)]


def test_an_account_that_is_inactive_refuses_orders_and_its_books_do_not_know() -> None:
    scene = FaultyScene(rule(FaultKind.ACCOUNT_INACTIVE, until=OPEN + timedelta(minutes=2)))
    assert scene.broker.account().status == "INACTIVE"
    ack = scene.broker.submit(buy())
    assert (ack.outcome, ack.order) == (AckOutcome.REJECTED, None)
    assert "INACTIVE" in ack.reason
    assert scene.venue.state().status == "ACTIVE"
    scene.play(100, 100, 100, 100)
    assert scene.broker.account().status == "ACTIVE"
    assert scene.broker.submit(buy()).outcome is AckOutcome.ACCEPTED


def test_an_account_that_is_blocked() -> None:
    scene = FaultyScene(rule(FaultKind.ACCOUNT_BLOCKED, "account"))
    assert scene.broker.account().blocked
    assert scene.broker.submit(buy()).outcome is AckOutcome.ACCEPTED


def test_an_exit_is_refused_and_an_entry_is_not() -> None:
    scene = FaultyScene(rule(FaultKind.REJECT_EXIT, nth=1))
    assert scene.broker.submit(buy(limit=None)).outcome is AckOutcome.ACCEPTED
    assert scene.broker.submit(buy("b2", "1")).outcome is AckOutcome.ACCEPTED
    ack = scene.broker.submit(sell(limit=None))
    assert ack.outcome is AckOutcome.REJECTED
    assert ack.reason.startswith("insufficient qty available for order (requested: 10, available: 0)")
    assert scene.broker.order("s1") is None
    assert scene.broker.submit(sell(limit=None)).outcome is AckOutcome.ACCEPTED


@pytest.mark.parametrize("on_disk", [False, True], ids=["in memory", "on disk"])
def test_an_order_fills_in_part_and_later_whole(tmp_path: Path, on_disk: bool) -> None:
    partly = rule(FaultKind.PARTIAL_FILL, fraction=Decimal("0.35"), seconds=Decimal(90), nth=1)
    scene = FaultyScene(partly, books=open_books(tmp_path) if on_disk else None)
    scene.broker.submit(buy(limit=None))
    assert scene.broker.submit(buy("b2", "1", limit=None)).order.status is OrderStatus.FILLED
    found = []
    for _ in range(3):
        order = scene.broker.order("b1")
        found.append((order.status, order.filled))
        scene.play(100, 100, 100, 100)
    assert found[:2] == [(OrderStatus.PARTIALLY_FILLED, Decimal(3))] * 2
    assert found[2] == (OrderStatus.FILLED, Decimal(10))
    assert [fill.quantity for fill in scene.all_fills()] == [3, 1, 7]


def test_a_refused_order_is_not_rationed_later() -> None:
    scene = FaultyScene(rule(FaultKind.PARTIAL_FILL, nth=1))
    assert scene.broker.submit(buy(quantity="100000", limit=None)).outcome is AckOutcome.REJECTED
    assert scene.broker.submit(buy(limit=None)).order.status is OrderStatus.FILLED


def test_a_duplicate_does_not_ration_the_order_it_repeats() -> None:
    scene = FaultyScene(rule(FaultKind.PARTIAL_FILL, nth=2))
    scene.broker.submit(buy(limit="100"))
    assert scene.broker.submit(buy(limit="100")).outcome is AckOutcome.REJECTED
    scene.play(100, 100, 99, 99)
    assert scene.broker.order("b1").filled == 10


def test_a_lost_fill_stays_lost_and_a_doubled_one_doubled() -> None:
    scene = FaultyScene(rule(FaultKind.LOST_FILL, nth=2), rule(FaultKind.DOUBLED_FILL, nth=1))
    for name in ("b1", "b2", "b3"):
        scene.broker.submit(buy(name, "1", limit=None))
    page = scene.broker.fills("")
    assert [fill.client_id for fill in page.fills] == ["b1", "b1", "b3"]
    assert page == scene.broker.fills("")
    assert scene.broker.fills(page.cursor).fills == ()
    assert scene.broker.positions()[0].quantity == 3


def test_a_lost_fill_at_the_end_moves_the_cursor_on() -> None:
    scene = FaultyScene(rule(FaultKind.LOST_FILL, nth=1))
    scene.broker.submit(buy("b1", "1", limit=None))
    page = scene.broker.fills("")
    assert (page.fills, page.cursor) == ((), scene.plain.fills("").cursor)
    scene.broker.submit(buy("b2", "1", limit=None))
    assert [fill.client_id for fill in scene.broker.fills(page.cursor).fills] == ["b2"]


def test_quotes_are_old_and_their_prices_are_not() -> None:
    scene = FaultyScene(rule(FaultKind.STALE_QUOTE, seconds=Decimal(120)))
    (quote,), (true,) = scene.market.poll(["SPY"], {}).quotes, SimMarket(scene.venue).poll(["SPY"], {}).quotes
    assert (true.at - quote.at, quote.bid, quote.ask) == (timedelta(seconds=120), true.bid, true.ask)
    assert scene.broker.submit(buy(limit=None)).order.status is OrderStatus.FILLED


def test_a_crossed_quote_is_refused_where_it_is_built() -> None:
    scene = FaultyScene(rule(FaultKind.CROSSED_QUOTE, symbol="SPY"))
    with pytest.raises(Invalid, match=r"quote of SPY .* is crossed"):
        scene.market.poll(["SPY", "BTC-USD"], {})
    assert scene.market.poll(["BTC-USD"], {}).quotes == ()


def test_contracts_are_old_or_left_out_of_their_chain() -> None:
    calls = ("SPY240419C00100000", "SPY240419C00105000")
    scene = FaultyScene(
        rule(FaultKind.STALE_QUOTE, "chain", nth=1, seconds=Decimal(120)), rule(FaultKind.CROSSED_QUOTE, "chain", nth=2)
    )
    scene.feed.add(*(option_quote(call, OPEN, "3", ask) for call, ask in zip(calls, ("3.1", None), strict=True)))
    true = SimMarket(scene.venue).chain("SPY")
    assert [quote.symbol for quote in true] == list(calls)
    assert [quote.at for quote in scene.market.chain("SPY")] == [quote.at - timedelta(seconds=120) for quote in true]
    assert scene.market.chain("SPY") == true[1:]
    assert scene.market.chain("SPY") == true


def test_activities_fail_where_fills_do() -> None:
    scene = FaultyScene(rule(FaultKind.SERVER_ERROR, "activities"))
    for ask in (scene.broker.fills, scene.broker.activities):
        with pytest.raises(Unreachable, match=r"^fills: "):
            ask("")


def test_a_faulty_market_is_described_as_what_it_is() -> None:
    scene = FaultyScene()
    assert scene.market.describe() == SimMarket(scene.venue).describe()
