"""Every residual has a line in plain words, and nothing is explained that does not bar entries."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.engine.fold import fold
from hydra.model.events import VERSION, Event, ForeignAccepted
from hydra.model.orders import Order, OrderStatus, OrderType, Protection, Purpose, Side, VenueOrder
from hydra.model.portfolio import Account, Holding, Ledger, Position
from hydra.model.snapshot import Sight
from hydra.model.values import replace
from hydra.qc.check import CheckResult, Status
from hydra.qc.explain import ACCEPT, Explanation, explain, explained
from hydra.risk.reconcile import acceptance, residuals

NOW = datetime(2026, 5, 4, 14, 0, tzinfo=UTC)
TOLERANCE = Decimal("0.01")
OPTION = "SPY260619C00500000"


def holding(bot: str, symbol: str, quantity: Any) -> Holding:
    return Holding(
        bot=bot,
        symbol=symbol,
        quantity=Decimal(quantity),
        average_price=Decimal(100),
        protection=Protection(stop=Decimal(98)),
        entry="hy-entry",
        opened_at=NOW,
        opened_cycle=1,
        entered=Decimal(quantity),
    )


def order(client_id: str, status: OrderStatus = OrderStatus.ACCEPTED) -> Order:
    return Order(
        client_id=client_id,
        run="r",
        cycle=1,
        bot="trend",
        symbol="SPY",
        side=Side.SELL,
        quantity=Decimal(10),
        order_type=OrderType.STOP,
        purpose=Purpose.STOP,
        stop=Decimal(98),
        status=status,
        venue_id=f"v-{client_id}",
    )


def there(client_id: str) -> VenueOrder:
    return VenueOrder(
        venue_id=f"v-{client_id}",
        client_id=client_id,
        symbol="SPY",
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        quantity=Decimal(5),
        limit=Decimal("90.5"),
        status=OrderStatus.ACCEPTED,
    )


def ledger_of(*holdings: Holding, **more: Any) -> Ledger:
    return Ledger(holdings={one.key: one for one in holdings}, **{"cash": Decimal(1000), **more})


def sight_of(positions: dict[str, Any] | None = None, *orders: VenueOrder, cash: Any = 1000) -> Sight:
    held = tuple(
        Position(symbol=symbol, quantity=Decimal(quantity), average_price=Decimal(100))
        for symbol, quantity in (positions or {}).items()
    )
    money = Decimal(str(cash))
    account = Account(account_id="A", status="ACTIVE", equity=Decimal(1000), cash=money, buying_power=Decimal(1000))
    return Sight(at=NOW, account=account, positions=held, open_orders=orders)


def one(ledger: Ledger, sight: Sight) -> Explanation:
    (found,) = explain(ledger, sight, TOLERANCE)
    return found


def test_where_ledger_and_venue_agree_there_is_nothing_to_explain() -> None:
    assert explain(ledger_of(holding("trend", "SPY", 10)), sight_of({"SPY": 10}), TOLERANCE) == ()


def test_more_than_is_known_is_somebody_else_s_and_can_be_accepted() -> None:
    ledger = ledger_of(holding("trend", "SPY", 10), holding("other", "SPY", 5), foreign={"SPY": Decimal(2)})
    found = one(ledger, sight_of({"SPY": 20}))
    assert found.name == "position SPY"
    assert found.what == "SPY: the venue holds 20, known are 17 (trend 10, other 5, not Hydra's 2): 3 more"
    assert "somebody bought in this account" in found.cause
    assert found.remedy == f"sell 3 at the venue, or {ACCEPT}: 5 then count as not Hydra's, and are never touched"
    assert found.acceptable


def test_less_than_the_bots_hold_says_what_accepting_would_write_off() -> None:
    found = one(ledger_of(holding("trend", "SPY", 10), foreign={"SPY": Decimal(3)}), sight_of({"SPY": 6}))
    assert found.what.endswith("(trend 10, not Hydra's 3): 7 less")
    assert "would write 4 of the bots' holdings off" in found.remedy
    assert "somebody sold" in found.cause


def test_foreign_shares_that_were_sold_cost_no_bot_anything() -> None:
    found = one(ledger_of(holding("trend", "SPY", 10), foreign={"SPY": Decimal(3)}), sight_of({"SPY": 10}))
    assert "write" not in found.remedy
    assert ": 0 then count as not Hydra's" in found.remedy
    alone = one(ledger_of(foreign={"SPY": Decimal(3)}), sight_of({}))
    assert alone.what == "SPY: the venue holds 0, known are 3 (not Hydra's 3): 3 less"
    assert "execution" not in alone.cause


@pytest.mark.parametrize(
    ("symbol", "ours", "theirs", "cause"),
    [
        (OPTION, 1, 0, "expiry, exercise or assignment"),
        ("BTC-USD", 1, "0.9975", "a fee taken in coin"),
        ("BTC-USD", 1, 2, "coin sent to the account"),
        ("SPY", 1, 2, "a split"),
    ],
)
def test_the_cause_is_what_happens_to_such_a_symbol(symbol: str, ours: int, theirs: Any, cause: str) -> None:
    positions = {symbol: theirs} if theirs else {}
    assert cause in one(ledger_of(holding("trend", symbol, ours)), sight_of(positions)).cause


def test_a_leg_that_was_assigned_leaves_the_shares_to_be_looked_at() -> None:
    """A short put is gone and a hundred shares have come: whose they are is for a person to say."""
    found = explain(ledger_of(holding("condor", OPTION, 1)), sight_of({OPTION: 1, "SPY": 100}), TOLERANCE)
    assert [(line.name, line.acceptable) for line in found] == [("position SPY", True)]
    assert "exercised or assigned" in found[0].cause


def test_what_is_owed_and_gone_says_what_accepting_would_write_off() -> None:
    found = one(ledger_of(holding("condor", OPTION, -3)), sight_of({OPTION: -1}))
    assert found.what == f"{OPTION}: the venue holds -1, known are -3 (condor -3): 2 more"
    assert "somebody bought" in found.cause
    assert "would write 2 of the bots' holdings off" in found.remedy


@pytest.mark.parametrize(
    ("held", "there", "given_up", "foreign"),
    [
        ({"a": -3}, -1, {"a": -2}, {}),
        ({"a": -3}, 0, {"a": -3}, {}),
        ({"a": -3}, 2, {"a": -3}, {OPTION: 2}),
        ({"a": -3}, -5, {}, {OPTION: -2}),
        ({"a": 1, "b": -2}, 0, {"b": -1}, {}),
        ({"b": -2, "a": 1}, 0, {"b": -1}, {}),
        ({"a": 2, "b": -1, "c": 3}, 1, {"c": 3}, {}),
        ({"a": 1, "b": -1}, 4, {}, {OPTION: 4}),
    ],
    ids=str,
)
def test_accepting_gives_up_only_what_points_the_way_that_is_missing(
    held: dict[str, int], there: int, given_up: dict[str, int], foreign: dict[str, int]
) -> None:
    ledger = ledger_of(*(holding(bot, OPTION, quantity) for bot, quantity in held.items()))
    accepted = acceptance(ledger, sight_of({OPTION: there} if there else {}), "me", "looked")
    assert isinstance(accepted, ForeignAccepted)
    assert accepted.given_up == {f"{bot}|{OPTION}": Decimal(quantity) for bot, quantity in given_up.items()}
    assert accepted.foreign == {symbol: Decimal(quantity) for symbol, quantity in foreign.items()}


def test_an_order_that_is_not_ours_can_be_accepted_and_one_named_like_ours_says_so() -> None:
    found = one(ledger_of(), sight_of({}, there("by-hand")))
    assert (found.name, found.acceptable) == ("order by-hand", True)
    assert "buy 5 SPY at 90.5, accepted" in found.what
    assert "by hand" in found.cause
    assert "another state folder" in one(ledger_of(), sight_of({}, there("hy-1"))).cause
    assert explain(ledger_of(foreign_orders=("v-by-hand",)), sight_of({}, there("by-hand")), TOLERANCE) == ()


def test_an_order_of_ours_that_is_not_open_there_resolves_itself() -> None:
    found = one(ledger_of(orders={"hy-1": order("hy-1")}), sight_of())
    assert (found.name, found.acceptable) == ("order hy-1", False)
    assert "stop of trend, sell 10 SPY" in found.what
    assert "asks for it by its id" in found.remedy


def test_cash_is_explained_with_its_numbers() -> None:
    found = one(ledger_of(), sight_of(cash="1025.5"))
    assert (found.name, found.acceptable) == ("cash", True)
    assert "difference 25.5 above tolerance 0.01" in found.what
    assert "dividend" in found.cause


@pytest.mark.parametrize("gone", ["positions", "open_orders", "account"])
def test_what_is_unknown_cannot_be_accepted(gone: str) -> None:
    found = one(ledger_of(), replace(sight_of(), **{gone: None}))
    assert (found.name, found.acceptable) == ("unknown", False)
    assert "network" in found.remedy


def test_an_account_that_was_never_taken_in_needs_a_first_look() -> None:
    found = one(Ledger(), sight_of())
    assert "hydra qc" in found.remedy
    assert not found.acceptable


def test_the_answer_of_the_gate_is_followed_by_a_line_for_each_difference() -> None:
    results = tuple(
        CheckResult(name=name, status=Status.FAIL, reason="SPY: 1; cash: 2", ms=1.0, remedy="ask")
        for name in ("before", "ledger_agrees", "after")
    )
    assert explained(results, ()) == results
    lines = explain(ledger_of(), sight_of({"SPY": 3}, cash=900), TOLERANCE)
    told = explained(results, lines)
    assert [line.name for line in told] == ["before", "ledger_agrees", "position SPY", "cash", "after"]
    assert told[1].reason == "ledger and venue differ in 2 things, explained below"
    assert told[2].remedy == lines[0].remedy


SYMBOLS = st.sampled_from(["SPY", "AAPL", "BTC-USD", OPTION])
AMOUNTS = st.integers(min_value=-9, max_value=9).filter(bool).map(Decimal)
POSITIONS = st.dictionaries(SYMBOLS, AMOUNTS, max_size=4)
IDS = st.sets(st.sampled_from(["hy-1", "hy-2", "by-hand"]), max_size=3)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Ledger, Sight]:
    """A ledger and a venue that agree on some of it."""
    held = [holding(bot, symbol, n) for bot in ("a", "b") for symbol, n in draw(POSITIONS).items()]
    known = {cid: order(cid, draw(st.sampled_from(list(OrderStatus)))) for cid in sorted(draw(IDS))}
    cash = draw(st.sampled_from([None, Decimal(1000), Decimal(990)]))
    accepted = draw(st.sampled_from([(), ("v-by-hand",)]))
    ledger = ledger_of(*held, foreign=draw(POSITIONS), orders=known, cash=cash, foreign_orders=accepted)
    sight = sight_of(dict(draw(POSITIONS)), *(there(cid) for cid in sorted(draw(IDS))))
    return ledger, sight


@settings(derandomize=True, max_examples=100, deadline=None)
@given(pairs())
def test_there_is_a_line_for_every_residual_and_for_nothing_else(pair: tuple[Ledger, Sight]) -> None:
    ledger, sight = pair
    found = explain(ledger, sight, TOLERANCE)
    bars = residuals(ledger, sight, TOLERANCE)
    assert len(found) == len(bars)
    assert len({line.name for line in found}) == len(found)
    assert all(line.what and line.cause and line.remedy for line in found)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(pairs())
def test_what_is_called_acceptable_is_gone_once_it_was_accepted_and_the_rest_is_not(pair: tuple[Ledger, Sight]) -> None:
    ledger, sight = pair
    accepted = acceptance(ledger, sight, "me", "looked")
    if not isinstance(accepted, ForeignAccepted):
        return
    before = explain(ledger, sight, TOLERANCE)
    event = Event(v=VERSION, seq=1, ts=NOW, run="r", kind="foreign_accepted", data=accepted, prev="", hash="")
    after = explain(fold(ledger, event), sight, TOLERANCE)
    assert [line.name for line in after] == [line.name for line in before if not line.acceptable]
