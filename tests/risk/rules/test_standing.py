"""Where everything stands: what is held, under way and admitted, counted once and in the right places."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings

from hydra.model.market import asset_class_of
from hydra.model.orders import Leg, Order, OrderStatus, OrderType, Purpose, Side
from hydra.model.portfolio import Holding
from hydra.model.structures import structures_of
from hydra.model.values import replace
from hydra.risk.standing import Open, Standing, Way, standing_of, underlying_of
from tests.fakes.outside import BOT
from tests.risk.rules.cases import C105, C110, P90, P95, admitted, held_spread, legs, standing
from tests.risk.rules.worlds import World, seeds
from tests.risk.scenes import holding, order, with_ledger

D = Decimal


def figures(now: Standing, *names: str) -> list[Any]:
    return [getattr(now, name) for name in names]


def of(*held: Holding, orders: tuple[Order, ...] = ()) -> Standing:
    keyed = {one.key: one for one in held}
    return standing_of(with_ledger(holdings=keyed, orders={one.client_id: one for one in orders}).ledger)


def structure(limit: str, side: Side, *signed: str, **more: Any) -> Order:
    return order(side=side, order_type=OrderType.LIMIT, limit=D(limit), legs=legs(*signed), protection=None, **more)


@pytest.mark.parametrize(
    ("held", "gross", "net", "risk", "cash"),
    [
        (holding(), 1000, 1000, 50, 0),
        (holding(stop=101), 1000, 1000, 0, 0),  # the stop has gone above the entry
        (holding(quantity=-10, stop=105), 1000, -1000, 50, 2000),  # 1000 received and owed, 1000 bound
        (holding("BTC-USD", "0.5", 40_000, 38_000), 20_000, 20_000, 1000, 0),
        (holding(P95, 2, 5, 4), 1000, 1000, 200, 0),  # a contract is a hundred shares
        (replace(holding(), protection=None), 1000, 1000, 1000, 0),  # without a stop all of it may go
        (replace(holding(quantity=-10), protection=None), 1000, -1000, None, 2000),  # and nothing bounds a short
    ],
)
def test_a_holding_counts_at_cost_with_what_it_may_lose(
    held: Holding, gross: int, net: int, risk: int | None, cash: int
) -> None:
    now = of(held)
    assert figures(now, "gross", "net", "risk", "cash") == [gross, net, risk, cash]


@pytest.mark.parametrize(
    ("signed", "prices", "gross", "risk", "cash"),
    [
        ((f"-{P95}", P90), ("2.05", "0.60"), 355, 355, 500),  # a credit of 1.45: 5 wide to pay at worst
        ((f"-{P95}", P90, f"-{C105}", C110), ("2.05", "0.60", "2.05", "0.60"), 210, 210, 500),
        ((P95, C105), ("2.10", "2.10"), 420, 420, 0),  # a debit is paid
        ((P95, f"-{P90}"), ("2.10", "0.50"), 160, 160, 0),
        ((f"-{P95}",), ("2.00",), 9300, 9300, 9500),  # the strike
        ((f"-{C105}",), ("2.00",), 200, None, 0),  # no bound: what it brought in, for want of better
    ],
)
def test_a_structure_counts_with_what_it_can_lose_and_sets_aside_what_it_may_pay(
    signed: tuple[str, ...], prices: tuple[str, ...], gross: int, risk: int | None, cash: int
) -> None:
    held = [
        holding(one.lstrip("-"), -1 if one.startswith("-") else 1, price, structure="s1")
        for one, price in zip(signed, prices, strict=True)
    ]
    now = of(*held)
    assert figures(now, "gross", "net", "risk", "cash", "positions") == [gross, 0, risk, cash, 1]
    assert now.notional_by_symbol == {"SPY": gross}


def test_an_entry_goes_over_into_what_is_held_without_a_jump() -> None:
    """What is left of the account's cash is the same before the fill and after it: 1.45 received a share, at the limit."""
    waiting = of(orders=(structure("1.45", Side.SELL, f"-{P95}", P90, quantity=D(1)),))
    filled = standing_of(with_ledger(holdings=held_spread()).ledger)
    assert figures(waiting, "gross", "risk") == figures(filled, "gross", "risk") == [355, 355]
    assert (
        waiting.cash == filled.cash == 500
    )  # and the credit of 145 is in the account by then: on the safe side until then
    long, short = (
        order(quantity=D(10)),
        order("o2", side=Side.SELL, quantity=D(10), protection=holding(stop=105).protection),
    )
    assert of(orders=(long,)).cash == 1000  # which the fill takes out of the account
    assert of(orders=(short,)).cash == 1000  # which the fill brings in, and sets aside twice


def test_a_part_that_has_filled_counts_once() -> None:
    rest = order(quantity=D(10), filled=D(4), status=OrderStatus.PARTIALLY_FILLED)
    now = of(holding(quantity=4), orders=(rest,))
    assert figures(now, "gross", "risk", "positions", "buying") == [1000, 50, 1, 600]


def test_a_loss_without_a_bound_stays_without_one_and_is_its_bots() -> None:
    now = of(holding(), orders=(structure("2", Side.SELL, f"-{C105}", bot="b"),))
    assert now.risk is None
    assert now.risk_by_bot == {BOT: 50, "b": None}
    assert now.gross == 1000 + 10 * 200


def test_an_entry_without_a_price_or_a_stop_is_no_free_entry() -> None:
    assert of(orders=(order(protection=None),)).risk == 1000
    assert of(orders=(order(reference=None),)).risk is None
    assert of(orders=(order(side=Side.SELL, protection=None),)).risk is None


def test_what_is_traded_is_found_by_its_own_name() -> None:
    entry = structure("1.45", Side.SELL, f"-{P95}", P90, bot="b")
    exit_ = order("o9", side=Side.SELL, purpose=Purpose.EXIT)
    now = of(holding(), holding(C110, -1, structure="s1", bot="c"), orders=(entry, exit_))
    assert now.ways == {
        "SPY": [Way(BOT, 1)],
        C110: [Way("c", -1)],
        P95: [Way("b", -1, True)],
        P90: [Way("b", 1, True)],
    }
    assert {symbol: [(r.order.client_id, r.side) for r in found] for symbol, found in now.resting.items()} == {
        "SPY": [("o9", Side.SELL)],
        P95: [("o1", Side.SELL)],
        P90: [("o1", Side.BUY)],
    }
    assert [one.client_id for one in now.entering["SPY"]] == ["o1"]


def test_what_is_done_counts_nowhere() -> None:
    now = of(orders=tuple(order(f"o{n}", status=s) for n, s in enumerate(OrderStatus) if s.terminal))
    assert now == Standing(open=[], trades_today=now.trades_today)


def test_this_cycles_entries_are_counted_apart_as_well() -> None:
    now = standing(with_ledger().ledger, [admitted(notional=300), admitted(bot=BOT, side=Side.SELL, notional=200)])
    assert figures(now, "sent", "sent_by_bot", "new_cash", "cash") == [2, {"b": 1, BOT: 1}, 500, 500]
    assert figures(now, "net", "buying", "selling", "positions") == [100, 300, 200, 2]


@pytest.mark.parametrize(
    ("symbol", "about"), [("SPY", "SPY"), ("BTC-USD", "BTC-USD"), (P95, "SPY"), ("BRK.B", "BRK.B")]
)
def test_a_contract_is_on_its_underlying(symbol: str, about: str) -> None:
    assert underlying_of(symbol) == about


def _order_of(one: Open) -> Order:
    """The order that the engine would send for what it has admitted."""
    legs_ = tuple(Leg(symbol=leg.symbol, side=leg.side, ratio=leg.ratio, opens=True) for leg in one.legs)
    return order("n1", bot=one.bot, symbol=one.symbol, side=one.side, legs=legs_, order_type=OrderType.LIMIT, limit=one.price, protection=None if legs_ else holding().protection)  # fmt: skip


@given(seed=seeds)
@settings(max_examples=100, deadline=None, derandomize=True)
def test_every_sum_is_the_sum_of_what_is_open(seed: int) -> None:
    world = World(seed)
    ledger = world.ledger()
    now = standing(ledger, [world.entry() for _ in range(3)])
    held = sum(1 for one in ledger.holdings.values() if not one.structure) + len(structures_of(ledger))
    entering = sum(1 for o in ledger.orders.values() if o.purpose is Purpose.ENTRY and not o.status.terminal)
    assert len(now.open) == held + entering + 3
    assert now.gross == sum(one.notional for one in now.open) == sum(now.notional_by_symbol.values())
    assert now.cash == sum(one.cash for one in now.open)
    assert now.net == sum(one.sign * one.notional for one in now.open)
    assert now.positions == len({(one.bot, one.symbol) for one in now.open})
    risks = [one.risk for one in now.open]
    assert now.risk == (None if None in risks else sum(risk for risk in risks if risk is not None))
    assert min(now.gross, now.cash, now.buying, now.selling) >= 0
    assert now.round_trips >= sum(1 for one in now.open if one.entering and asset_class_of(one.symbol) != "crypto")


@given(seed=seeds)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_an_entry_points_the_same_way_admitted_as_under_way_a_cycle_later(seed: int) -> None:
    world = World(seed)
    one = world.entry()
    now, later = standing(with_ledger().ledger, [one]), of(orders=(_order_of(one),))
    names = ("ways", "symbols_by_bot", "positions", "round_trips")
    assert figures(now, *names) == figures(later, *names)
