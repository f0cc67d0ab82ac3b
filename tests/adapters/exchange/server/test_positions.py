"""The routes of positions."""

from __future__ import annotations

from typing import Any

import pytest

from hydra.adapters.exchange.server import wire
from tests.adapters.exchange.server.scenes import CALL, KEYS, Stage


def test_a_position_is_valued_at_the_latest_price(stage: Stage) -> None:
    stage.buy()
    stage.play("SPY", 100, 110, 100, 110)
    held = stage.get("/v2/positions/SPY")
    assert held["qty"] == held["qty_available"] == "10"
    assert held["market_value"] == wire.number(10 * stage.venue.held()[0].price)
    assert held["cost_basis"] == "1000.1"
    assert stage.get("/v2/positions") == [held]


def test_a_contract_counts_for_a_hundred_shares(stage: Stage) -> None:
    stage.post({"symbol": CALL, "qty": 2, "side": "buy", "type": "market", "time_in_force": "day"})
    held = stage.get(f"/v2/positions/{CALL}")
    assert held["avg_entry_price"] == "2.1"
    assert held["cost_basis"] == "420"
    assert held["market_value"] == "410"  # at 2.05, the middle
    assert held["unrealized_pl"] == "-10"
    assert held["exchange"] == ""


def test_a_short_position_is_negative_in_quantity_and_cost(stage: Stage) -> None:
    stage.buy(side="sell")
    held = stage.get("/v2/positions/SPY")
    assert (held["side"], held["qty"], held["qty_available"]) == ("short", "-10", "-10")
    assert held["cost_basis"] == "-999.9"
    assert held["unrealized_pl"] == "-0.1"
    assert held["unrealized_plpc"].startswith("-0.0001")


@pytest.mark.parametrize("name", ["BTC/USD", "BTC%2FUSD", "BTCUSD", wire.asset_id("BTC-USD")])
def test_a_position_may_be_named_in_any_way(stage: Stage, name: str) -> None:
    stage.buy("BTC/USD", "0.5")
    held = stage.get(f"/v2/positions/{name}")
    assert held["symbol"] == "BTCUSD"


def test_the_last_days_price_is_that_of_the_last_close_in_the_feed(stage: Stage) -> None:
    stage.buy()
    held = stage.get("/v2/positions/SPY")
    assert (held["lastday_price"], held["change_today"]) == ("100", "0")


@pytest.mark.parametrize(
    ("params", "sold"), [({}, "10"), ({"qty": "4"}, "4"), ({"percentage": "50"}, "5"), ({"percentage": 100}, "10")]
)
def test_a_position_is_closed_as_far_as_is_asked(stage: Stage, params: dict[str, Any], sold: str) -> None:
    stage.buy()
    order = stage.ask("DELETE", "/v2/positions/SPY", params=params)
    assert (order["side"], order["type"], order["qty"], order["status"]) == ("sell", "market", sold, "filled")


def test_a_short_is_closed_by_a_buy(stage: Stage) -> None:
    stage.buy(side="sell")
    assert stage.ask("DELETE", "/v2/positions/SPY")["side"] == "buy"
    assert stage.get("/v2/positions") == []


@pytest.mark.parametrize(
    "params",
    [
        {"qty": "0"},
        {"qty": "-1"},
        {"qty": "NaN"},
        {"percentage": "0"},
        {"percentage": "101"},
        {"percentage": "0.0000000001"},
        {"qty": "1", "percentage": "1"},
    ],
    ids=str,
)
def test_a_part_that_makes_no_sense_is_422_and_changes_nothing(stage: Stage, params: dict[str, Any]) -> None:
    stage.buy()
    stage.ask("DELETE", "/v2/positions/SPY", 422, params=params)
    assert len(stage.venue.tickets()) == 1


def test_more_than_there_is_cannot_be_closed(stage: Stage) -> None:
    stage.buy()
    stage.post(
        {"symbol": "SPY", "qty": 10, "side": "sell", "type": "limit", "limit_price": 120, "time_in_force": "gtc"}
    )
    body = stage.ask("DELETE", "/v2/positions/SPY", 403)
    assert body["message"] == "insufficient qty available for order (requested: 10, available: 0)"


@pytest.mark.parametrize(("method", "path"), [("GET", "/v2/positions/SPY"), ("DELETE", "/v2/positions/ZZZ")])
def test_what_is_not_held_is_404(stage: Stage, method: str, path: str) -> None:
    assert stage.ask(method, path, 404)["message"] == "position does not exist"


def test_all_are_closed_and_each_says_how(stage: Stage) -> None:
    stage.buy()
    stage.buy("BTC/USD", "0.5")
    stage.post(
        {"symbol": "SPY", "qty": 10, "side": "sell", "type": "limit", "limit_price": 120, "time_in_force": "gtc"}
    )
    first = {each["symbol"]: each for each in stage.ask("DELETE", "/v2/positions", 207)}
    assert (first["BTCUSD"]["status"], first["SPY"]["status"]) == (200, 403)
    assert first["SPY"]["body"]["held_for_orders"] == "10"
    second = stage.ask("DELETE", "/v2/positions", 207, params={"cancel_orders": True})
    assert [(each["symbol"], each["status"]) for each in second] == [("SPY", 200)]
    assert stage.get("/v2/positions") == []


def test_a_long_contract_can_be_exercised(stage: Stage) -> None:
    stage.post({"symbol": CALL, "qty": 1, "side": "buy", "type": "market", "time_in_force": "day"})
    stage.ask("POST", f"/v2/positions/{CALL}/exercise")
    assert [(each["symbol"], each["qty"]) for each in stage.get("/v2/positions")] == [("SPY", "100")]


def test_a_contract_may_be_left_to_lapse(stage: Stage) -> None:
    stage.post({"symbol": CALL, "qty": 1, "side": "buy", "type": "market", "time_in_force": "day"})
    stage.ask("POST", f"/v2/positions/{wire.asset_id(CALL)}/do-not-exercise")
    assert CALL in stage.venue.state().declined


@pytest.mark.parametrize("name", [CALL, "SPY", "ZZZ", "BTC/USD"])
@pytest.mark.parametrize("verb", ["exercise", "do-not-exercise"])
def test_only_what_is_held_long_can_be_exercised(stage: Stage, name: str, verb: str) -> None:
    stage.buy()
    response = stage.client.request("POST", f"/v2/positions/{name}/{verb}", headers=KEYS)
    assert response.status_code == 404
    assert response.json() == {"code": 40410000, "message": f"long position not found: {name}"}
