"""An order as it is sent to Alpaca, and what keeps it from being sent."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.alpaca.orders import INTENTS, body_of, differences, unfit
from hydra.adapters.alpaca.reports import fill_of, order_of
from hydra.adapters.alpaca.terms import (
    CLASSES,
    CLASSES_READ,
    FILL_SIDES,
    FORCES,
    SIDES,
    SIDES_READ,
    STATUSES,
    TYPES,
    TYPES_READ,
    canonical,
    venue_symbol,
)
from hydra.model.errors import Unreachable
from hydra.model.market import AssetClass, Instrument, usual_instrument
from hydra.model.money import ZERO
from hydra.model.orders import Leg, Order, OrderStatus, OrderType, Protection, Purpose, Side, TimeInForce
from hydra.model.values import replace
from tests.adapters.alpaca import rows
from tests.adapters.exchange.server import openapi
from tests.contracts.broker_contract import bracket, buy, sell

CALL, HIGHER = "GOOG160115C00750000", "GOOG160115C00760000"


def spread(side: Side = Side.BUY, limit: str | None = "5.60", **more: Any) -> Order:
    """A call spread: the lower call bought or sold, the higher one the other way."""
    legs = (
        Leg(symbol=CALL, side=side, ratio=1, opens=True),
        Leg(symbol=HIGHER, side=side.opposite, ratio=2, opens=False),
    )
    return buy(symbol="GOOG", side=side, quantity="3", limit=limit, legs=legs, **more)


def test_every_member_has_its_word_and_no_two_share_one() -> None:
    for table, members in ((TYPES, OrderType), (FORCES, TimeInForce), (SIDES, Side), (CLASSES, AssetClass)):
        assert set(table) == set(members)
        assert len(set(table.values())) == len(members)
    assert {text: kind for kind, text in TYPES.items()} == TYPES_READ
    assert SIDES_READ == {"buy": Side.BUY, "sell": Side.SELL}
    assert set(CLASSES_READ) == {"us_equity", "crypto", "us_option"}
    assert FILL_SIDES == {**SIDES_READ, "sell_short": Side.SELL}
    assert set(INTENTS) == {(side, opens) for side in Side for opens in (True, False)}


@pytest.mark.parametrize("force", list(TimeInForce))
def test_every_time_in_force_is_sent_as_itself(force: TimeInForce) -> None:
    assert body_of(buy(time_in_force=force))["time_in_force"] == force.value


def test_the_tables_know_every_published_word() -> None:
    schemas = openapi.published("trading-api")["components"]["schemas"]
    assert set(STATUSES) == set(schemas["OrderStatus"]["enum"])
    assert set(FORCES.values()) == set(schemas["TimeInForce"]["enum"])
    assert set(TYPES.values()) == set(schemas["OrderType"]["enum"])
    assert set(SIDES.values()) == set(schemas["OrderSide"]["enum"])
    assert set(INTENTS.values()) == set(schemas["PositionIntent"]["enum"])


def test_an_entry_in_shares_carries_its_exits_good_till_cancelled() -> None:
    assert body_of(buy(limit=None, protection=bracket())) == {
        "client_order_id": "b1",
        "symbol": "SPY",
        "side": "buy",
        "qty": "10",
        "type": "market",
        "time_in_force": "gtc",
        "order_class": "bracket",
        "stop_loss": {"stop_price": "98"},
        "take_profit": {"limit_price": "104"},
    }


def test_a_limit_entry_keeps_its_time_in_force_and_a_stop_alone_is_an_oto() -> None:
    body = body_of(buy(limit="100", protection=bracket(target=None)))
    assert (body["time_in_force"], body["order_class"], body["limit_price"]) == ("day", "oto", "100")
    assert "take_profit" not in body


def test_a_pair_and_a_contract_go_alone_however_they_are_protected() -> None:
    around = Protection(stop=Decimal(1), target=Decimal(9_999))
    pair = body_of(buy(symbol="BTC-USD", limit="95", protection=around, time_in_force=TimeInForce.GTC))
    contract = body_of(buy(symbol=CALL, limit="5", protection=around))
    for body in (pair, contract):
        assert not {"order_class", "stop_loss", "take_profit", "legs"} & set(body)
    assert (pair["symbol"], pair["time_in_force"]) == ("BTC/USD", "gtc")
    assert "position_intent" not in pair


def test_a_contract_says_whether_it_opens_or_closes() -> None:
    assert body_of(buy(symbol=CALL))["position_intent"] == "buy_to_open"
    assert body_of(sell(symbol=CALL))["position_intent"] == "sell_to_close"
    stop = sell(symbol=CALL, limit=None, order_type=OrderType.STOP, stop=Decimal("1.5"), purpose=Purpose.STOP)
    assert (body_of(stop)["position_intent"], body_of(stop)["stop_price"]) == ("sell_to_close", "1.5")


@pytest.mark.parametrize(("side", "net"), [(Side.BUY, "5.60"), (Side.SELL, "-5.60")])
def test_several_contracts_are_one_order_whose_sign_says_who_pays(side: Side, net: str) -> None:
    assert body_of(spread(side)) == {
        "client_order_id": "b1",
        "order_class": "mleg",
        "qty": "3",
        "type": "limit",
        "limit_price": net,
        "time_in_force": "day",
        "legs": [
            {"symbol": CALL, "ratio_qty": "1", "side": side.value, "position_intent": f"{side}_to_open"},
            {
                "symbol": HIGHER,
                "ratio_qty": "2",
                "side": side.opposite.value,
                "position_intent": f"{side.opposite}_to_close",
            },
        ],
    }
    assert "limit_price" not in body_of(spread(side, None))


@settings(derandomize=True, max_examples=200)
@given(
    quantity=st.decimals(min_value="1e-9", max_value=10**12, places=9).filter(bool),
    limit=st.decimals(min_value="1e-9", max_value=10**12, places=9).filter(bool),
)
def test_every_number_leaves_as_the_text_of_exactly_itself(quantity: Decimal, limit: Decimal) -> None:
    order = replace(buy(symbol="BTC-USD"), quantity=quantity, limit=limit)
    sent = json.loads(json.dumps(body_of(order)))
    assert (sent["qty"], sent["limit_price"]) == (f"{quantity:f}", f"{limit:f}")
    assert (Decimal(sent["qty"]), Decimal(sent["limit_price"])) == (quantity, limit)
    assert "E" not in sent["qty"] + sent["limit_price"]


SHARES = usual_instrument("SPY")
PAIR = replace(usual_instrument("BTC-USD"), quantity_increment=Decimal("1e-9"), minimum_quantity=Decimal("0.0001"))


@pytest.mark.parametrize(
    ("order", "instrument", "says"),
    [
        (buy(symbol="no symbol"), None, "no symbol"),
        (buy(symbol=CALL, quantity="1.5"), None, "whole, got 1.5"),
        (spread(limit="5.605"), None, "limit 5.605 is not a multiple of 0.01"),
        (buy(limit="95.005"), SHARES, "limit 95.005 is not a multiple of 0.01"),
        (buy(limit="0.50005"), SHARES, "0.50005 is not a multiple of 0.0001"),
        (buy(quantity="1.5"), SHARES, "quantity 1.5 is not a multiple of 1"),
        (buy(limit=None, protection=bracket("98.005")), SHARES, "protection.stop"),
        (buy(limit=None, protection=bracket("98", "104.001")), SHARES, "protection.target"),
        (buy(symbol="BTC-USD", quantity="0.00001"), PAIR, "below the minimum of 0.0001"),
        (buy(symbol="BTC-USD", limit="0.30000000000000004"), PAIR, "0.30000000000000004"),
        (buy(limit="95", protection=bracket("96", None)), None, "below the entry"),
        (buy(limit=None, reference=Decimal(100), protection=bracket("101", None)), None, "below the entry"),
        (buy(limit="95", protection=bracket("90", "94")), None, "above the entry"),
    ],
)
def test_what_is_not_fit_is_not_sent_and_says_why(order: Order, instrument: Instrument | None, says: str) -> None:
    assert says in unfit(order, instrument)


@pytest.mark.parametrize(
    "order",
    [buy(), sell(), buy(limit="0.5005"), buy(limit=None, protection=bracket()), spread(), spread(Side.SELL, None)],
)
def test_what_is_fit_is_sent(order: Order) -> None:
    assert not unfit(order, None if order.legs else SHARES)


@pytest.mark.parametrize("number", ["NaN", "-5", "0", "Infinity"])
@pytest.mark.parametrize("name", ["quantity", "limit"])
def test_an_order_of_nonsense_is_not_sent_even_if_one_could_be_built(name: str, number: str) -> None:
    nonsense = buy()
    msgspec.structs.force_setattr(nonsense, name, Decimal(number))
    assert name in unfit(nonsense, None)


def test_an_id_that_is_too_long_is_not_sent() -> None:
    order = buy()
    msgspec.structs.force_setattr(order, "client_id", "x" * 49)
    assert "49 characters; 1 to 48" in unfit(order, None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"client_order_id": "b2"}, "client_order_id b2 for b1"),
        ({"symbol": "QQQ"}, "symbol QQQ for SPY"),
        ({"side": "sell"}, "side sell for buy"),
        ({"qty": "1"}, "qty 1 for 10"),
        ({"type": "market"}, "type market for limit"),
        ({}, ""),
        ({"qty": "10.000"}, ""),
    ],
)
def test_another_order_is_told_from_the_one_that_was_asked_for(changes: dict[str, str], says: str) -> None:
    assert differences(buy(), order_of(rows.order(**changes))) == says


def test_every_status_is_understood_and_no_other() -> None:
    for status, meant in STATUSES.items():
        told = order_of(rows.order(status=status)).status
        assert told is meant
    partly = {order_of(rows.order(status=each, filled_qty="4")).status for each in STATUSES}
    assert OrderStatus.ACCEPTED not in partly, "4 of 10 have filled"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"status": "molten"}, "status is 'molten'"),
        ({"status": None}, "status"),
        ({"side": "left"}, "side is 'left'"),
        ({"type": "iceberg"}, "type is 'iceberg'"),
        ({"asset_class": "treasury"}, "asset_class is 'treasury'"),
        ({"symbol": "912797XX0"}, "912797XX0"),
        ({"qty": "NaN"}, "qty must be finite"),
        ({"qty": None}, "notional is missing"),
        ({"qty": "-5"}, "quantity"),
        ({"filled_qty": "Infinity"}, "filled_qty must be finite"),
        ({"limit_price": "dear"}, "limit_price must be a number"),
        ({"limit_price": True}, "limit_price must be a number"),
        ({"limit_price": "1e999999"}, "more than 24 digits"),
        ({"client_order_id": 7}, "client_order_id"),
        ({"id": ""}, "id must be a text"),
        ({"updated_at": "yesterday"}, "updated_at must be an instant"),
        ({"updated_at": "2024-03-04T14:31:00"}, "must have an offset"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_an_order_that_is_not_understood_is_no_answer_and_named(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(Unreachable) as caught:
        order_of(rows.order(**changes))
    assert says in str(caught.value)
    assert str(rows.order(**changes)["id"]) in str(caught.value)


def test_an_order_sized_in_dollars_has_a_size() -> None:
    sized = {"qty": None, "notional": "1000"}
    assert order_of(rows.order(**sized)).quantity == (Decimal(1000) / 95).quantize(Decimal("1e-9"))
    at_market = {**sized, "type": "market", "limit_price": None}
    assert order_of(rows.order(**at_market)).quantity == Decimal("1e-9")
    done = order_of(rows.order(**at_market, status="filled", filled_qty="9.5", filled_avg_price="105.26"))
    assert (done.quantity, done.filled) == (Decimal("9.5"), Decimal("9.5"))


@pytest.mark.parametrize(("limit", "side"), [("5.60", Side.BUY), ("-5.60", Side.SELL), (None, Side.BUY)])
@pytest.mark.parametrize("left_out", [False, True])
def test_several_contracts_are_named_after_what_they_are_on(limit: str | None, side: Side, left_out: bool) -> None:
    row = rows.combined(rows.contract(1, CALL), rows.contract(2, HIGHER), limit_price=limit, filled_avg_price="-5.5")
    if left_out:
        row = {name: value for name, value in row.items() if name not in ("symbol", "asset_class", "side")}
    told = order_of(row)
    assert (told.symbol, told.side) == ("GOOG", side)
    assert (told.limit, told.average_price) == (None if limit is None else Decimal("5.60"), Decimal("5.5"))


@pytest.mark.parametrize("legs", [[], [CALL, "SPY230901C00430000"]], ids=["none", "two underlyings"])
def test_contracts_on_two_things_cannot_be_told_and_say_so(legs: list[str]) -> None:
    row = rows.combined(*(rows.contract(number, symbol) for number, symbol in enumerate(legs)))
    with pytest.raises(Unreachable, match=rows.ORDER_ID):
        order_of(row)


@pytest.mark.parametrize(
    ("text", "asset_class", "here"),
    [
        ("BTC/USD", "crypto", "BTC-USD"),
        ("BTCUSD", "crypto", "BTC-USD"),
        ("BTCUSD", "", "BTC-USD"),
        ("ETHUSDT", "crypto", "ETH-USDT"),
        ("ETH/BTC", "", "ETH-BTC"),
        ("SPY", "us_equity", "SPY"),
        ("BRK.B", "", "BRK.B"),
        (CALL, "us_option", CALL),
    ],
)
def test_symbols_have_one_name_here(text: str, asset_class: str, here: str) -> None:
    assert canonical(text, asset_class) == here
    assert canonical(venue_symbol(here), asset_class) == here


def test_an_execution_is_bounded_by_the_fee_it_does_not_tell() -> None:
    shares = fill_of(rows.FILL, rows.FILL["order_id"], "b1")
    assert shares.fee == shares.cash_fee_most == shares.coin_fee_most == 0
    assert (shares.quantity, shares.price, shares.client_id) == (Decimal(2), Decimal("174.78"), "b1")
    pair = {**rows.FILL, "symbol": "BTC/USD", "qty": "0.1", "price": "20000"}
    bought, sold = fill_of(pair, "v1", "b1"), fill_of({**pair, "side": "sell"}, "v2", "s1")
    assert (bought.cash_fee_most, bought.coin_fee_most) == (ZERO, Decimal("0.00025"))
    assert (sold.cash_fee_most, sold.coin_fee_most) == (Decimal(5), ZERO)
    assert fill_of({**rows.FILL, "side": "sell_short"}, "v2", "s1").side is Side.SELL


@pytest.mark.parametrize(
    "changes",
    [{"side": "left"}, {"qty": "NaN"}, {"qty": "0"}, {"price": "-1"}, {"price": None}, {"activity_type": "unheard_of"}],
    ids=str,
)
def test_an_execution_that_is_not_understood_is_no_answer(changes: dict[str, Any]) -> None:
    with pytest.raises(Unreachable, match=r"execution 2022"):
        fill_of({**rows.FILL, **changes}, "v1", "b1")
