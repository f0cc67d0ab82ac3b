"""The routes of activities and of corporate announcements."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hydra.adapters.markets.feed import ActionKind, CorporateAction
from tests.adapters.exchange.server.scenes import CALL, OPEN, Stage


def _traded(stage: Stage) -> Stage:
    """Three executions and an exercise: two further activities."""
    stage.buy()
    stage.play("SPY", 100, 100, 100, 100)
    stage.buy("BTC/USD", "0.5")
    stage.post({"symbol": CALL, "qty": 1, "side": "buy", "type": "market", "time_in_force": "day"})
    stage.ask("POST", f"/v2/positions/{CALL}/exercise")
    return stage


def _kinds(found: list[dict[str, Any]]) -> list[str]:
    return [each["activity_type"] for each in found]


def test_activities_are_listed_newest_first(stage: Stage) -> None:
    found = _traded(stage).get("/v2/account/activities")
    assert sorted(_kinds(found)) == ["FILL", "FILL", "FILL", "OPEXC", "OPTRD"]
    assert found[-1]["symbol"] == "SPY"
    assert (found[-1]["type"], found[-1]["cum_qty"], found[-1]["leaves_qty"]) == ("fill", "10", "0")
    assert found == list(reversed(stage.get("/v2/account/activities", direction="asc")))
    assert len({each["id"] for each in found}) == 5


def test_an_exercise_moves_contracts_shares_and_cash(stage: Stage) -> None:
    found = {each["activity_type"]: each for each in _traded(stage).get("/v2/account/activities")}
    assert (found["OPEXC"]["symbol"], found["OPEXC"]["qty"], found["OPEXC"]["net_amount"]) == (CALL, "-1", "0")
    assert (found["OPTRD"]["symbol"], found["OPTRD"]["qty"], found["OPTRD"]["net_amount"]) == ("SPY", "100", "-10000")


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_put_together_are_the_whole(stage: Stage, direction: str, size: int) -> None:
    _traded(stage)
    whole = stage.get("/v2/account/activities", direction=direction)
    found: list[dict[str, Any]] = []
    while page := stage.get(
        "/v2/account/activities",
        direction=direction,
        page_size=size,
        **({"page_token": found[-1]["id"]} if found else {}),
    ):
        assert len(page) <= size
        found += page
    assert found == whole


def test_activities_are_filtered(stage: Stage) -> None:
    _traded(stage)
    path = "/v2/account/activities"
    fills = stage.get(path, activity_types="FILL")
    assert _kinds(fills) == ["FILL"] * 3
    assert stage.get(f"{path}/FILL") == fills == stage.get(path, category="trade_activity")
    assert set(_kinds(stage.get(path, category="non_trade_activity"))) == {"OPEXC", "OPTRD"}
    assert set(_kinds(stage.get(path, activity_types="OPEXC,OPTRD,DIV"))) == {"OPEXC", "OPTRD"}
    assert set(_kinds(stage.get(f"{path}/MISC"))) == {"OPEXC", "OPTRD"}
    assert stage.get(f"{path}/DIV") == []
    first = fills[-1]
    assert stage.get(path, order_id=first["order_id"]) == [first]
    assert stage.get(path, until=stage.venue.now.isoformat()) == [first]
    assert len(stage.get(path, after=first["transaction_time"])) == 4
    assert len(stage.get(path, date="2024-03-04")) == 5
    assert stage.get(path, date="2024-03-05") == []


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("", {"page_size": 0}),
        ("", {"page_size": 101}),
        ("", {"page_token": "nothing"}),
        ("", {"page_token": "20240304093100000::00000000-0000-0000-0000-000000000000"}),
        ("", {"page_token": "20241304093100000::x"}),
        ("", {"page_token": "00000000000000000::x"}),
        ("", {"direction": "up"}),
        ("", {"activity_types": "GIFT"}),
        ("", {"activity_types": "FILL", "category": "trade_activity"}),
        ("", {"order_id": "7"}),
        ("", {"date": "soon"}),
        ("", {"date": "2024-03-04", "after": "2024-03-04"}),
        ("/GIFT", {}),
    ],
    ids=str,
)
def test_a_question_that_cannot_be_read_is_422(stage: Stage, path: str, params: dict[str, Any]) -> None:
    stage.get(f"/v2/account/activities{path}", 422, **params)


def test_a_dividend_shows_what_it_brought() -> None:
    stage = Stage()
    day = OPEN.date() + timedelta(days=1)
    stage.feed.add(
        CorporateAction(kind=ActionKind.CASH_DIVIDEND, symbol="SPY", ex_date=day, cash=Decimal("1.5"), payable_date=day)
    )
    stage.buy()
    stage.venue.advance_to(OPEN + timedelta(days=1, hours=1))
    dividend = stage.get("/v2/account/activities/DIV")
    assert [(each["symbol"], each["net_amount"]) for each in dividend] == [("SPY", "15")]


def test_ids_sort_as_things_happened(stage: Stage) -> None:
    found = _traded(stage).get("/v2/account/activities", direction="asc")
    stamps = [each["id"].split("::")[0] for each in found]
    assert stamps == sorted(stamps)
    assert stamps[0] == "20240304093100000"


def test_an_action_is_announced_from_its_ex_date_on(stage: Stage) -> None:
    span = {"ca_types": "split,dividend", "since": "2024-01-15", "until": "2024-04-10"}
    split = stage.get("/v2/corporate_actions/announcements", **span)
    assert [(each["initiating_symbol"], each["ca_sub_type"], each["new_rate"]) for each in split] == [
        ("QQQ", "stock_split", "2")
    ]
    assert stage.get(f"/v2/corporate_actions/announcements/{split[0]['id']}") == split[0]
    stage.venue.advance_to(OPEN + (date(2024, 4, 1) - OPEN.date()))
    both = stage.get("/v2/corporate_actions/announcements", **span)
    assert [each["ca_type"] for each in both] == ["split", "dividend"]
    assert both[1]["payable_date"] == "2024-04-20"
    assert stage.get("/v2/corporate_actions/announcements", **{**span, "ca_types": "dividend", "symbol": "QQQ"}) == []
    paid = {**span, "since": "2024-04-15", "until": "2024-04-25", "date_type": "payable_date"}
    assert [each["initiating_symbol"] for each in stage.get("/v2/corporate_actions/announcements", **paid)] == ["SPY"]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"ca_types": "split"},
        {"ca_types": "gift", "since": "2024-01-01", "until": "2024-01-02"},
        {"ca_types": "split", "since": "2024-01-03", "until": "2024-01-02"},
        {"ca_types": "split", "since": "2024-01-01", "until": "2024-04-10"},
        {"ca_types": "split", "since": "2024-01-01", "until": "x"},
        {"ca_types": "split", "since": "2024-01-01", "until": "2024-01-02", "date_type": "x"},
    ],
    ids=str,
)
def test_announcements_that_cannot_be_asked_for_are_422(stage: Stage, params: dict[str, Any]) -> None:
    stage.get("/v2/corporate_actions/announcements", 422, **params)


@pytest.mark.parametrize("name", ["x", "f37e8493-69d2-5e4f-ac01-e9de26c25965"])
def test_an_announcement_that_is_not_there_is_404(stage: Stage, name: str) -> None:
    stage.get(f"/v2/corporate_actions/announcements/{name}", 404)
