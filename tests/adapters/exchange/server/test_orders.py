"""The routes of orders."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.server import wire
from hydra.model.values import replace as changed
from tests.adapters.exchange.server.scenes import CALL, HIGHER_CALL, KEYS, SETTINGS, Stage

LIMIT: dict[str, Any] = {
    "symbol": "SPY",
    "qty": "10",
    "side": "buy",
    "type": "limit",
    "limit_price": "90",
    "time_in_force": "gtc",
}
BRACKET = {
    **LIMIT,
    "symbol": "QQQ",
    "limit_price": "45",
    "order_class": "bracket",
    "take_profit": {"limit_price": "60"},
    "stop_loss": {"stop_price": "40", "limit_price": 39.5},
}
SPREAD: dict[str, Any] = {
    "order_class": "mleg",
    "type": "limit",
    "limit_price": "1.7",
    "qty": "2",
    "time_in_force": "day",
    "legs": [
        {"symbol": CALL, "ratio_qty": "1", "side": "buy", "position_intent": "buy_to_open"},
        {"symbol": HIGHER_CALL, "ratio_qty": 1, "position_intent": "sell_to_open"},
    ],
}


def _settings(**changes: Any) -> VenueSettings:
    return changed(SETTINGS, **changes)


def test_a_market_order_is_answered_as_it_stands(stage: Stage) -> None:
    order = stage.buy(client_order_id="mine")
    assert order["status"] == "filled"
    assert order["client_order_id"] == "mine"
    assert order["filled_avg_price"] == "100.01"
    assert order["asset_id"] == wire.asset_id("SPY")
    assert stage.get(f"/v2/orders/{order['id']}") == order
    assert stage.get("/v2/orders:by_client_order_id", client_order_id="mine") == order


TYPES: dict[str, dict[str, Any]] = {
    "market": {"type": "market"},
    "limit": {"type": "limit", "limit_price": "90"},
    "stop": {"type": "stop", "stop_price": 110.5},
    "stop_limit": {"type": "stop_limit", "stop_price": "110", "limit_price": "111"},
    "trailing_stop-price": {"type": "trailing_stop", "trail_price": "5"},
    "trailing_stop-percent": {"type": "trailing_stop", "trail_percent": 1.5},
}


@pytest.mark.parametrize("fields", TYPES.values(), ids=TYPES.keys())
def test_every_type_comes_back_with_its_prices(stage: Stage, fields: dict[str, Any]) -> None:
    order = stage.post({"symbol": "SPY", "qty": 1, "side": "buy", "time_in_force": "day", **fields})
    for name, value in fields.items():
        assert order[name] == str(value)


@pytest.mark.parametrize("symbol", ["BTC/USD", "BTCUSD", "btc-usd", wire.asset_id("BTC-USD")])
def test_an_asset_may_be_named_in_any_way(stage: Stage, symbol: str) -> None:
    order = stage.post({**LIMIT, "symbol": symbol, "qty": "0.01", "limit_price": "15000"})
    assert order["symbol"] == "BTC/USD"


def test_an_order_of_dollars_has_no_quantity(stage: Stage) -> None:
    order = stage.post({"symbol": "SPY", "notional": "250", "side": "buy", "type": "market", "time_in_force": "day"})
    assert order["notional"] == "250"
    assert order["qty"] is None
    assert order["status"] == "filled"


def test_ids_that_were_not_sent_follow_from_the_number_of_orders(stage: Stage) -> None:
    first, second = stage.post(LIMIT), stage.post(LIMIT)
    assert first["client_order_id"] != second["client_order_id"]
    assert [Stage().post(LIMIT)["client_order_id"] for _ in range(2)] == [first["client_order_id"]] * 2


def test_an_id_of_128_characters_is_taken_once(stage: Stage) -> None:
    order_id = "x" * 128
    stage.post({**LIMIT, "client_order_id": order_id})
    again = stage.post({**LIMIT, "client_order_id": order_id}, 422)
    assert (again["code"], again["message"]) == (40010001, "client_order_id must be unique")
    longer = stage.post({**LIMIT, "client_order_id": order_id + "x"}, 422)
    assert longer["message"] == "client_order_id must be no more than 128 characters"
    assert len(stage.venue.tickets()) == 1


def test_a_bracket_shows_its_legs_beneath_it_and_a_group(stage: Stage) -> None:
    order = stage.post(BRACKET)
    assert [leg["group_role"] for leg in order["legs"]] == ["take_profit", "stop_loss"]
    legs = {leg["group_role"]: leg for leg in order["legs"]}
    assert order["group_role"] == "entry"
    assert legs["take_profit"]["limit_price"] == "60"
    assert (legs["stop_loss"]["stop_price"], legs["stop_loss"]["limit_price"]) == ("40", "39.5")
    assert {leg["status"] for leg in legs.values()} == {"held"}
    assert {leg["group_id"] for leg in legs.values()} == {order["group_id"]}
    flat, nested = stage.get("/v2/orders"), stage.get("/v2/orders", nested=True)
    assert len(flat) == 3
    assert all(each["legs"] is None for each in flat)
    assert [each["id"] for each in nested] == [order["id"]]
    assert len(nested[0]["legs"]) == 2
    assert stage.get(f"/v2/orders/{order['id']}")["legs"] is None
    assert len(stage.get(f"/v2/orders/{order['id']}", nested=True)["legs"]) == 2


def test_the_group_stays_when_an_order_is_replaced(stage: Stage) -> None:
    order = stage.post(BRACKET)
    new = stage.ask("PATCH", f"/v2/orders/{order['id']}", json={"limit_price": "44"})
    assert new["id"] != order["id"]
    assert new["replaces"] == order["id"]
    assert new["group_id"] == order["group_id"]
    assert {leg["group_id"] for leg in new["legs"]} == {order["group_id"]}
    old = stage.get(f"/v2/orders/{order['id']}")
    assert (old["status"], old["replaced_by"]) == ("replaced", new["id"])


def test_an_oco_shows_its_stop_beneath_its_limit(stage: Stage) -> None:
    stage.buy()
    body = {"symbol": "SPY", "qty": "10", "side": "sell", "type": "limit", "time_in_force": "gtc", "order_class": "oco"}
    order = stage.post({**body, "take_profit": {"limit_price": "120"}, "stop_loss": {"stop_price": "90"}})
    assert (order["limit_price"], order["group_role"]) == ("120", "take_profit")
    assert [(leg["stop_price"], leg["group_role"]) for leg in order["legs"]] == [("90", "stop_loss")]


def test_several_legs_are_one_order_without_a_symbol(stage: Stage) -> None:
    order = stage.post(SPREAD)
    assert order["status"] == "filled"
    assert not {"symbol", "side", "asset_id", "asset_class"} & set(order)
    assert [(leg["symbol"], leg["side"], leg["qty"], leg["ratio_qty"]) for leg in order["legs"]] == [
        (CALL, "buy", "2", "1"),
        (HIGHER_CALL, "sell", "2", "1"),
    ]
    assert [each["id"] for each in stage.get("/v2/orders", status="all")] == [order["id"]]
    assert stage.get("/v2/orders", status="all")[0]["legs"] == order["legs"]


def test_the_list_is_filtered_by_each_of_its_parameters(stage: Stage) -> None:
    filled = stage.buy()
    stage.play("SPY", 100, 100, 100, 100)
    low = stage.post(LIMIT)
    coin = stage.post({**LIMIT, "symbol": "BTC/USD", "qty": "0.01", "limit_price": "15000"})
    spread = stage.post({**SPREAD, "limit_price": "0.1"})

    def ids(**params: Any) -> list[str]:
        return [order["id"] for order in stage.get("/v2/orders", **params)]

    assert ids() == [spread["id"], coin["id"], low["id"]]
    assert ids(direction="asc", limit=2) == [low["id"], coin["id"]]
    assert ids(status="closed") == [filled["id"]]
    assert ids(status="all", direction="asc") == [filled["id"], low["id"], coin["id"], spread["id"]]
    assert ids(symbols="BTCUSD,QQQ") == [coin["id"]]
    assert ids(symbols="BTC/USD,SPY", direction="asc") == [low["id"], coin["id"]]
    assert ids(asset_class="crypto") == [coin["id"]]
    assert ids(asset_class="us_option,crypto") == [spread["id"], coin["id"]]
    assert ids(asset_class="us_option", symbols="SPY") == [spread["id"]]
    assert ids(side="sell") == []
    assert ids(side="buy", asset_class="us_equity") == [low["id"]]
    assert ids(status="all", until=low["submitted_at"]) == [filled["id"]]
    assert ids(status="all", after=filled["submitted_at"], direction="asc")[0] == low["id"]
    assert ids(status="all", before_order_id=low["id"]) == [filled["id"]]
    assert ids(after_order_id=low["id"]) == [spread["id"], coin["id"]]


def test_a_cancelled_order_is_gone_and_cannot_be_cancelled_again(stage: Stage) -> None:
    order = stage.post(LIMIT)
    stage.ask("DELETE", f"/v2/orders/{order['id']}", 204)
    assert stage.get(f"/v2/orders/{order['id']}")["status"] == "canceled"
    again = stage.ask("DELETE", f"/v2/orders/{order['id']}", 422)
    assert (again["code"], again["message"]) == (42210000, 'order is already in "canceled" state')
    late = stage.ask("PATCH", f"/v2/orders/{order['id']}", 422, json={"qty": "5"})
    assert late["message"] == "cannot replace order in canceled status"


def test_cancelling_all_says_what_became_of_each(stage: Stage) -> None:
    stage.post(BRACKET)
    stage.post(LIMIT)
    stage.post({**SPREAD, "limit_price": "0.1"})
    answers = stage.ask("DELETE", "/v2/orders", 207)
    assert len(answers) == 5
    assert {answer["status"] for answer in answers} == {200}
    assert stage.get("/v2/orders") == []
    assert stage.ask("DELETE", "/v2/orders", 207) == []


def test_with_latency_a_cancel_is_a_request() -> None:
    stage = Stage(_settings(latency_ms=500))
    order = stage.post(LIMIT)
    stage.ask("DELETE", f"/v2/orders/{order['id']}", 204)
    assert stage.get(f"/v2/orders/{order['id']}")["status"] == "pending_cancel"
    assert "pending_cancel" in stage.ask("DELETE", f"/v2/orders/{order['id']}", 422)["message"]
    assert stage.ask("DELETE", "/v2/orders", 207) == [{"id": order["id"], "status": 200}]
    stage.venue.advance_to(stage.venue.now + timedelta(seconds=1))
    assert stage.get(f"/v2/orders/{order['id']}")["status"] == "canceled"


def test_an_order_is_replaced_by_what_is_given(stage: Stage) -> None:
    order = stage.post(LIMIT)
    body = {"qty": 7, "limit_price": "91.5", "time_in_force": "day", "client_order_id": "second"}
    new = stage.ask("PATCH", f"/v2/orders/{order['id']}", json=body)
    assert (new["qty"], new["limit_price"], new["time_in_force"]) == ("7", "91.5", "day")
    assert new["client_order_id"] == "second"
    nothing = stage.ask("PATCH", f"/v2/orders/{new['id']}", 422, json={})
    assert nothing["message"] == "order parameters are not changed"


REFUSED: dict[str, tuple[dict[str, Any], int, int, str]] = {
    "cash": ({"qty": "100000"}, 403, 40310000, "insufficient buying power"),
    "coins": (
        {"symbol": "BTC/USD", "side": "sell", "qty": "1", "limit_price": "30000"},
        403,
        40310000,
        "insufficient qty available for order (requested: 1, available: 0)",
    ),
    "symbol": ({"symbol": "ZZZZ"}, 422, 42210000, 'asset "ZZZZ" not found'),
    "asset-id": ({"symbol": wire.asset_id("NONE")}, 422, 42210000, f'asset "{wire.asset_id("NONE")}" not found'),
    "contract": ({"symbol": "SPY240308C00999000"}, 422, 42210000, 'contract "SPY240308C00999000" not found'),
}


@pytest.mark.parametrize(("fields", "status", "code", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_the_venue_refuses_has_alpacas_status_code_and_words(
    stage: Stage, fields: dict[str, Any], status: int, code: int, message: str
) -> None:
    body = stage.post({**LIMIT, **fields}, status)
    assert (body["code"], body["message"]) == (code, message)
    assert not stage.venue.tickets()


def test_shares_that_are_held_back_are_named_with_their_numbers(stage: Stage) -> None:
    stage.buy()
    stage.post({**LIMIT, "side": "sell", "limit_price": "120"})
    body = stage.post({**LIMIT, "side": "sell", "limit_price": "120", "qty": "5"}, 403)
    assert body["message"] == "insufficient qty available for order (requested: 5, available: 0)"
    assert (body["available"], body["existing_qty"], body["held_for_orders"]) == ("0", "10", "10")
    assert body["symbol"] == "SPY"


def test_a_wash_trade_names_the_order_it_would_meet() -> None:
    stage = Stage(_settings(wash_trade_protection=True))
    stage.buy()
    resting = stage.post({**LIMIT, "side": "sell", "limit_price": "105"})
    body = stage.post({**LIMIT, "limit_price": "106"}, 403)
    assert body["message"] == "potential wash trade detected. use complex orders"
    assert body["existing_order_id"] == resting["id"]
    assert body["reject_reason"]


def test_a_blocked_account_is_403(stage: Stage) -> None:
    stage.venue.set_standing("ACTIVE", blocked=True)
    body = stage.post(LIMIT, 403)
    assert body["code"] == 40310000
    assert "blocked" in body["message"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no-type": ({"type": None}, "type is required"),
    "no-life": ({"time_in_force": None}, "time_in_force is required"),
    "no-side": ({"side": ""}, "side is required"),
    "no-symbol": ({"symbol": None}, "symbol is required"),
    "no-size": ({"qty": None}, "qty or notional is required"),
    "two-sizes": ({"notional": "10"}, "only one of qty or notional"),
    "negative": ({"qty": "-5"}, "qty must be > 0"),
    "zero": ({"qty": 0}, "qty must be > 0"),
    "nan": ({"qty": "NaN"}, "qty must be a number"),
    "huge": ({"qty": "1e999"}, "qty must be a number"),
    "bool": ({"qty": True}, "qty must be a number"),
    "list": ({"qty": [1]}, "qty must be a number"),
    "limit": ({"limit_price": "-1"}, "limit_price must be > 0"),
    "type": ({"type": "iceberg"}, "type must be one of"),
    "side": ({"side": "short"}, "side must be one of"),
    "life": ({"time_in_force": "gtx"}, "time_in_force must be one of"),
    "class": ({"order_class": "otoco"}, "order_class must be one of"),
    "symbol-type": ({"symbol": 7}, "symbol must be a string"),
    "symbol-long": ({"symbol": "X" * 300}, "symbol must be no more than"),
    "extended": ({"extended_hours": "yes"}, "extended_hours must be true or false"),
    "target": ({"order_class": "oto", "take_profit": "60"}, "take_profit must be an object"),
    "stop": ({"order_class": "oto", "stop_loss": {"stop_price": -1}}, "stop_loss.stop_price must be > 0"),
    "intent": ({"position_intent": "sell_to_close"}, "position intent mismatch"),
    "legs": ({"legs": SPREAD["legs"]}, "legs are only allowed for mleg orders"),
    "advanced": ({"advanced_instructions": {"algorithm": "TWAP"}}, "advanced_instructions are not supported"),
    "client-id": ({"client_order_id": 5}, "client_order_id must be a string"),
}


@pytest.mark.parametrize(("fields", "message"), BAD.values(), ids=BAD.keys())
def test_an_order_that_cannot_be_read_is_422_by_name(stage: Stage, fields: dict[str, Any], message: str) -> None:
    body = stage.post({**LIMIT, **fields}, 422)
    assert message in body["message"]
    assert not stage.venue.tickets()


BAD_LEGS: dict[str, tuple[dict[str, Any], str]] = {
    "symbol": ({"symbol": "SPY"}, "symbol is not allowed for mleg order"),
    "none": ({"legs": []}, "mleg orders must have 2 to 4 legs, got 0"),
    "five": ({"legs": SPREAD["legs"] * 3}, "mleg orders must have 2 to 4 legs, got 6"),
    "no-qty": ({"qty": None}, "qty is required"),
    "no-side": ({"legs": [{"symbol": CALL, "ratio_qty": 1}]}, "legs.0.side or position_intent is required"),
    "ratio": ({"legs": [{"symbol": CALL, "ratio_qty": 1.5, "side": "buy"}]}, "legs.0.ratio_qty must be a whole number"),
    "no-ratio": ({"legs": [{"symbol": CALL, "side": "buy"}]}, "legs.0.ratio_qty must be > 0"),
    "sides": (
        {"legs": [{"symbol": CALL, "ratio_qty": 1, "side": "buy", "position_intent": "sell_to_open"}]},
        "legs.0.side is buy, which is not the side of sell_to_open",
    ),
    "unknown": ({"legs": [{"symbol": "ZZZZ", "ratio_qty": 1, "side": "buy"}]}, 'asset "ZZZZ" not found'),
    "text": ({"legs": "SPY"}, "legs must be a list of objects"),
}


@pytest.mark.parametrize(("fields", "message"), BAD_LEGS.values(), ids=BAD_LEGS.keys())
def test_legs_that_cannot_be_read_are_422_by_name(stage: Stage, fields: dict[str, Any], message: str) -> None:
    assert message in stage.post({**SPREAD, **fields}, 422)["message"]
    assert not stage.venue.tickets()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v2/orders/f37e8493-69d2-5e4f-ac01-e9de26c25965", 404), ("/v2/orders/zz", 422), ("/v2/orders/%00", 422)],
)
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_order_that_is_not_there_is_refused(stage: Stage, method: str, path: str, status: int) -> None:
    response = stage.client.request(method, path, headers=KEYS, content=b'{"qty": 1}')
    assert response.status_code == status


@pytest.mark.parametrize(
    "params",
    [
        {"status": "held"},
        {"limit": 0},
        {"limit": 501},
        {"limit": "ten"},
        {"after": "yesterday"},
        {"direction": "up"},
        {"nested": "maybe"},
        {"side": "short"},
        {"asset_class": "bonds"},
        {"before_order_id": "x"},
        {"before_order_id": "f37e8493-69d2-5e4f-ac01-e9de26c25965", "after": "2024-03-04"},
    ],
    ids=str,
)
def test_a_list_that_cannot_be_read_is_422(stage: Stage, params: dict[str, Any]) -> None:
    stage.get("/v2/orders", 422, **params)
