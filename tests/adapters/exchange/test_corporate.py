"""Splits, dividends and changes of name: positions, orders, contracts and cash, worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.adapters.exchange.corporate import Effect, Scene, adjusted_prices, apply
from hydra.adapters.exchange.model import ActivityKind, Ticket
from hydra.adapters.exchange.terms import OrderClass, Role, Status
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.model.errors import Refused
from hydra.model.orders import OrderType, Side, TimeInForce
from hydra.model.portfolio import Position
from hydra.model.values import replace

D = Decimal
AT = datetime(2024, 6, 10, 13, 29, tzinfo=UTC)
EX = date(2024, 6, 10)
CALL = "NVDA240621C01200000"


def split(new: str, old: str = "1") -> CorporateAction:
    kind = ActionKind.FORWARD_SPLIT if D(new) > D(old) else ActionKind.REVERSE_SPLIT
    return CorporateAction(kind=kind, symbol="NVDA", ex_date=EX, new_rate=D(new), old_rate=D(old))


def dividend(cash: str) -> CorporateAction:
    return CorporateAction(
        kind=ActionKind.CASH_DIVIDEND, symbol="NVDA", ex_date=EX, cash=D(cash), payable_date=date(2024, 6, 28)
    )


RENAMED = CorporateAction(kind=ActionKind.NAME_CHANGE, symbol="FB", ex_date=EX, new_symbol="META")


def held(quantity: str, average: str, symbol: str = "NVDA") -> Position:
    return Position(symbol=symbol, quantity=D(quantity), average_price=D(average))


def order(number: int = 1, side: Side = Side.BUY, quantity: str = "10", **other: Any) -> Ticket:
    defaults: dict[str, Any] = {
        "client_id": f"c{number}",
        "symbol": "NVDA",
        "order_type": OrderType.LIMIT,
        "limit": D("1100.07"),
        "time_in_force": TimeInForce.GTC,
    }
    return Ticket(
        number=number,
        venue_id=f"v{number}",
        side=side,
        quantity=D(quantity),
        since=AT,
        submitted_at=AT,
        updated_at=AT,
        **{**defaults, **other},
    )


@dataclass(frozen=True)
class Account:
    """An account before the action, and what the action does to it."""

    scene: Scene

    @classmethod
    def with_(cls, *rows: Position | Ticket, price: str | None = "1208.88", fractional: bool = False) -> Account:
        prices = {} if price is None else {"NVDA": D(price)}
        positions = tuple(row for row in rows if isinstance(row, Position))
        orders = tuple(row for row in rows if isinstance(row, Ticket))
        return cls(Scene(at=AT, positions=positions, orders=orders, prices=prices, fractional=fractional))

    def after(self, action: CorporateAction) -> Effect:
        return apply(action, self.scene)


def test_ten_for_one_multiplies_the_shares_and_divides_their_cost() -> None:
    effect = Account.with_(held("12", "950.5")).after(split("10"))

    assert effect.positions == (held("120", "95.05"),)
    assert effect.cash == 0
    assert [(a.kind, a.quantity) for a in effect.activities] == [(ActivityKind.SPLIT, D(108))]


def test_a_fraction_left_by_a_reverse_split_is_paid_in_cash_at_the_old_price() -> None:
    # 25 shares, 1 for 10: 2.5 shares; the half is worth 5 old shares at 3.30 = 16.50.
    effect = Account.with_(held("25", "4"), price="3.30").after(split("1", "10"))

    assert effect.positions == (held("2", "40"),)
    assert effect.cash == D("16.50")


def test_a_fraction_stays_where_fractions_are_traded() -> None:
    # 1 share, 1 for 6: a sixth, kept to a billionth.
    effect = Account.with_(held("1", "1.37"), price="1.37", fractional=True).after(split("1", "6"))

    assert effect.positions == (held("0.166666666", "8.22"),)
    assert effect.cash == 0


def test_a_position_that_is_only_a_fraction_is_gone() -> None:
    effect = Account.with_(held("4", "3"), price="3").after(split("1", "10"))

    assert (effect.positions, effect.gone, effect.cash) == ((), ("NVDA",), D("12.00"))


def test_a_short_pays_for_its_fraction() -> None:
    effect = Account.with_(held("-25", "4"), price="3.30").after(split("1", "10"))

    assert effect.positions == (held("-2", "40"),)
    assert effect.cash == D("-16.50")


def test_a_fraction_without_a_price_is_refused() -> None:
    with pytest.raises(Refused, match="reverse_split of NVDA on 2024-06-10 needs its last price"):
        Account.with_(held("25", "4"), price=None).after(split("1", "10"))


def test_no_price_is_needed_where_nothing_is_left_over() -> None:
    assert Account.with_(held("20", "4"), price=None).after(split("1", "10")).positions == (held("2", "40"),)


def test_a_forward_split_adjusts_orders_in_price_and_size() -> None:
    # Ten for one: a buy limit of 1100.07 becomes 110.00 (down), a sell stop of 1000.05 becomes 100.00 (down).
    stop = order(2, Side.SELL, "4", order_type=OrderType.STOP, limit=None, stop=D("1000.05"))
    target = order(3, Side.SELL, "4", limit=D("1300.01"))
    cover = order(4, Side.BUY, "4", order_type=OrderType.STOP, limit=None, stop=D("1300.01"))
    effect = Account.with_(order(1), stop, target, cover).after(split("10"))

    assert [(t.quantity, t.limit, t.stop) for t in effect.orders] == [
        (D(100), D("110.00"), None),
        (D(40), None, D("100.00")),
        (D(40), D("130.01"), None),  # a sell limit is rounded up
        (D(40), None, D("130.01")),  # a buy stop too
    ]


def test_what_an_order_filled_before_the_split_keeps_its_count() -> None:
    # 10 ordered, 4 filled; three for two turns the other 6 into 9.
    partly = order(1, filled=D(4), average_price=D("1100"), status=Status.PARTIALLY_FILLED)
    (after,) = Account.with_(partly).after(split("3", "2")).orders

    assert (after.filled, after.remaining, after.quantity) == (D(4), D(9), D(13))
    assert after.average_price == D("1100")


def test_a_trailing_stop_trails_on_in_new_dollars() -> None:
    trailing = order(
        1,
        Side.SELL,
        order_type=OrderType.TRAILING_STOP,
        limit=None,
        stop=D("1150"),
        trail_price=D("50"),
        high_water=D("1200"),
    )
    (after,) = Account.with_(trailing).after(split("10")).orders

    assert (after.stop, after.trail_price, after.high_water) == (D("115"), D("5"), D("120"))


def bracket() -> tuple[Ticket, Ticket, Ticket]:
    entry = order(1, order_class=OrderClass.BRACKET, role=Role.ENTRY)
    exits: dict[str, Any] = {"parent": "c1", "status": Status.HELD, "working": False}
    target = order(2, Side.SELL, limit=D("1300"), role=Role.TAKE_PROFIT, **exits)
    stop = order(3, Side.SELL, order_type=OrderType.STOP, limit=None, stop=D("1000"), role=Role.STOP_LOSS, **exits)
    return entry, target, stop


def test_a_reverse_split_cancels_every_open_order_and_frees_what_it_held() -> None:
    other = replace(order(4), symbol="SPY")
    effect = Account.with_(*(replace(t, reserved=D(500)) for t in bracket()), other).after(split("1", "10"))

    assert [t.client_id for t in effect.orders] == ["c1", "c2", "c3"]
    assert {(t.status, t.reserved, t.working, t.canceled_at) for t in effect.orders} == {
        (Status.CANCELED, D(0), False, AT)
    }
    assert {t.reason for t in effect.orders} == {"canceled by the reverse_split of NVDA"}


def test_a_whole_split_turns_contracts_into_more_at_a_lower_strike() -> None:
    # Ten for one: 2 calls at 1200 for 30.00 each are 20 calls at 120 for 3.00.
    effect = Account.with_(held("2", "30", CALL)).after(split("10"))

    assert effect.positions == (held("20", "3", "NVDA240621C00120000"),)
    assert effect.gone == (CALL,)
    assert effect.cash == 0
    assert [(a.symbol, a.quantity) for a in effect.activities] == [(CALL, D(-2)), ("NVDA240621C00120000", D(20))]


@pytest.mark.parametrize(
    ("count", "symbol", "cash"),
    [
        ("2", CALL, "1776.00"),  # 1208.88 - 1200 = 8.88, x 100 x 2
        ("-2", CALL, "-1776.00"),
        ("1", "NVDA240621P01200000", "0"),
        ("1", "NVDA240621P01300000", "9112.00"),  # 1300 - 1208.88 = 91.12
    ],
)
@pytest.mark.parametrize("action", [split("1", "10"), split("3", "2")], ids=["reverse", "three for two"])
def test_any_other_split_settles_contracts_at_intrinsic_value(
    action: CorporateAction, count: str, symbol: str, cash: str
) -> None:
    effect = Account.with_(held(count, "30", symbol)).after(action)

    assert (effect.positions, effect.gone, effect.cash) == ((), (symbol,), D(cash))
    (settled,) = effect.activities
    assert settled.kind is ActivityKind.OPTION_TRADE
    assert "settled at intrinsic value" in settled.description


def test_settling_contracts_without_a_price_is_refused() -> None:
    with pytest.raises(Refused, match="needs its last price"):
        Account.with_(held("1", "30", CALL), price=None).after(split("1", "10"))


def test_a_split_cancels_orders_for_contracts_with_their_whole_group() -> None:
    group = order(1, order_class=OrderClass.MLEG, symbol="", limit=D("2"))
    legs = [
        order(n, symbol=symbol, limit=None, order_type=OrderType.MARKET, parent="c1", role=Role.LEG, ratio=1)
        for n, symbol in ((2, CALL), (3, "NVDA240621C01300000"))
    ]
    effect = Account.with_(group, *legs, order(4)).after(split("10"))

    assert [(t.client_id, t.status) for t in effect.orders] == [
        ("c1", Status.CANCELED),
        ("c2", Status.CANCELED),
        ("c3", Status.CANCELED),
        ("c4", Status.NEW),
    ]


def test_a_dividend_pays_the_long_and_is_paid_by_the_short() -> None:
    # 0.175 x 33 = 5.775, to the cent 5.78 (half to even).
    long = Account.with_(held("33", "100")).after(dividend("0.175"))
    short = Account.with_(held("-40", "100")).after(dividend("0.175"))

    assert (long.cash, short.cash) == (D("5.78"), D("-7.00"))
    assert long.pays_on == date(2024, 6, 28)
    assert long.positions == ()
    assert [(a.kind, a.quantity) for a in long.activities] == [(ActivityKind.DIVIDEND, D(0))]


def test_who_holds_nothing_is_paid_nothing() -> None:
    effect = Account.with_(held("2", "30", CALL)).after(dividend("1"))

    assert (effect.activities, effect.pays_on, effect.positions) == ((), None, ())


def test_a_dividend_lowers_buy_limits_and_sell_stops_and_nothing_else() -> None:
    # 1100.07 - 0.125 = 1099.945, down to 1099.94; 1000 - 0.125 = 999.875, down to 999.87.
    buy = order(1)
    sell = order(2, Side.SELL, limit=D("1300"))
    stop = order(3, Side.SELL, order_type=OrderType.STOP, limit=None, stop=D("1000"))
    both = order(4, Side.SELL, order_type=OrderType.STOP_LIMIT, limit=D("990"), stop=D("1000"))
    cover = order(5, order_type=OrderType.STOP, limit=None, stop=D("1300"))
    market = order(6, order_type=OrderType.MARKET, limit=None)
    effect = Account.with_(buy, sell, stop, both, cover, market).after(dividend("0.125"))

    assert [(t.client_id, t.limit, t.stop) for t in effect.orders] == [
        ("c1", D("1099.94"), None),
        ("c3", None, D("999.87")),
        ("c4", D("989.87"), D("999.87")),
    ]


def test_a_triggered_sell_stop_limit_is_a_sell_limit_and_stays() -> None:
    reached = order(1, Side.SELL, order_type=OrderType.STOP_LIMIT, limit=D("990"), stop=D("1000"), triggered=True)

    assert Account.with_(reached).after(dividend("0.5")).orders == ()


def test_a_dividend_below_a_cent_moves_no_order() -> None:
    effect = Account.with_(held("1000", "100"), order(1)).after(dividend("0.0099"))

    assert (effect.orders, effect.cash) == ((), D("9.90"))


def test_an_order_that_a_dividend_would_push_to_zero_is_cancelled_with_its_group() -> None:
    entry, target, stop = (replace(t, limit=D("0.50")) if t.limit else t for t in bracket())
    effect = Account.with_(entry, target, stop).after(dividend("0.50"))

    assert [(t.client_id, t.status) for t in effect.orders] == [
        ("c1", Status.CANCELED),
        ("c2", Status.CANCELED),
        ("c3", Status.CANCELED),
    ]


def test_a_new_name_moves_positions_and_contracts_and_cancels_orders() -> None:
    option = held("1", "5", "FB220617C00200000")
    effect = Account.with_(held("10", "190", "FB"), option, replace(order(1), symbol="FB")).after(RENAMED)

    assert effect.positions == (held("10", "190", "META"), held("1", "5", "META220617C00200000"))
    assert effect.gone == ("FB", "FB220617C00200000")
    assert [t.status for t in effect.orders] == [Status.CANCELED]
    assert [(a.symbol, a.quantity) for a in effect.activities] == [
        ("FB", D(-10)),
        ("META", D(10)),
        ("FB220617C00200000", D(-1)),
        ("META220617C00200000", D(1)),
    ]
    assert [a.number for a in effect.activities] == [1, 2, 3, 4]


def test_a_new_name_joins_what_is_held_under_it() -> None:
    # 10 at 190 and 30 at 210: 40 at 205.
    effect = Account.with_(held("10", "190", "FB"), held("30", "210", "META")).after(RENAMED)

    assert effect.positions == (held("40", "205", "META"),)
    assert effect.gone == ("FB",)


def test_a_new_name_may_close_what_is_short_under_it() -> None:
    effect = Account.with_(held("10", "190", "FB"), held("-10", "210", "META")).after(RENAMED)

    assert (effect.positions, effect.gone) == ((), ("FB", "META"))


@pytest.mark.parametrize("action", [split("10"), split("1", "10"), dividend("1")], ids=["split", "reverse", "cash"])
def test_other_symbols_are_left_alone(action: CorporateAction) -> None:
    spy: list[Position | Ticket] = [
        held("3", "500", "SPY"),
        held("1", "2", "SPY240621C00500000"),
        replace(order(1), symbol="SPY"),
    ]

    assert Account.with_(*spy).after(action) == Effect()


def test_prices_of_before_are_read_in_new_shares() -> None:
    prices = {"NVDA": D("1208.88"), "SPY": D(500), CALL: D(30)}

    assert adjusted_prices(split("10"), prices) == {"NVDA": D("120.888"), "SPY": D(500)}
    assert adjusted_prices(dividend("1"), prices) == prices
    assert adjusted_prices(RENAMED, {"FB": D(190)}) == {"META": D(190)}


@given(
    st.integers(-10_000, 10_000).filter(bool),
    st.integers(1, 30),
    st.integers(1, 30).filter(lambda old: old > 0),
    st.booleans(),
)
def test_a_split_neither_makes_nor_loses_money(quantity: int, new: int, old: int, fractional: bool) -> None:
    if new == old:
        return
    price = D("12.34")
    account = Account.with_(held(str(quantity), "10"), price=str(price), fractional=fractional)
    effect = account.after(split(str(new), str(old)))
    kept = sum((position.quantity for position in effect.positions), D(0))
    worth = kept * price * old / new + effect.cash

    assert abs(worth - quantity * price) <= D("0.006")
    assert (effect.cash > 0) <= (quantity > 0)
