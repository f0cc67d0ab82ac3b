"""The portfolio's history: figures by hand, and that the fold agrees with the account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.exchange.server.history import Worth, records_of
from tests.adapters.exchange.server.scenes import CALL, KEYS, OPEN, Stage

PATH = "/v2/account/portfolio/history"
EPOCH = int(OPEN.timestamp())


def test_an_intraday_history_is_worked_out_by_hand(stage: Stage) -> None:
    stage.buy()  # 10 at 100.01: cash 98,999.90
    stage.play("SPY", 100, 105, 100, 105)  # 14:32: 100,049.90
    stage.play("SPY", 105, 105, 95, 95)  # 14:33: 99,949.90
    stage.play("SPY", 95, 120, 95, 120)  # 14:34
    body = stage.get(PATH, period="1D", timeframe="1Min")
    assert body["timestamp"] == [EPOCH + 60 * minute for minute in range(5)]
    assert body["equity"][:4] == [99_999.9, 100_049.9, 99_949.9, float(stage.venue.figures().equity)]
    assert body["profit_loss"][:3] == [-0.1, 49.9, -50.1]
    assert body["profit_loss_pct"][1] == 0.000499
    assert body["base_value"] == 100_000
    assert body["timeframe"] == "1Min"
    assert "base_value_asof" not in body


def test_the_next_day_counts_from_the_close_before(stage: Stage) -> None:
    stage.buy()
    stage.play("SPY", 100, 110, 100, 110)
    stage.venue.advance_to(OPEN + timedelta(days=1, minutes=1))
    stage.play("SPY", 110, 111, 110, 111)
    day = (OPEN + timedelta(days=1)).isoformat()
    body = stage.get(PATH, start=day, timeframe="1Min")
    assert body["base_value_asof"] == "2024-03-04"
    assert body["base_value"] == 100_099.9  # 98,999.90 and 10 at 110
    assert body["profit_loss"][0] == 0
    whole = stage.get(PATH, start=OPEN.isoformat(), timeframe="1H")
    assert len(whole["timestamp"]) == 7 + 1
    assert whole["profit_loss"][0] == 99.9
    assert whole["profit_loss"][-1] == round(float(stage.venue.figures().equity) - 100_099.9, 4)
    kept = stage.get(PATH, start=OPEN.isoformat(), timeframe="1H", pnl_reset="no_reset")
    assert kept["profit_loss"][-1] == round(float(stage.venue.figures().equity) - 100_000, 4)


def test_days_are_labelled_by_the_end_of_their_trading(stage: Stage) -> None:
    stage.buy()
    stage.venue.advance_to(OPEN + timedelta(days=2))
    assert stage.get(PATH, period="6D")["timeframe"] == "1Min"
    assert stage.get(PATH, period="1W")["timeframe"] == "15Min"
    body = stage.get(PATH, period="1M")
    assert body["timeframe"] == "1D"
    twenty = EPOCH + 10 * 3600 + 1800
    assert body["timestamp"] == [twenty, twenty + 86_400, twenty + 2 * 86_400]
    assert body["profit_loss"] == [0, 0, 0]


def test_a_history_never_begins_before_the_account(stage: Stage) -> None:
    assert len(stage.get(PATH, period="1A")["timestamp"]) == 1
    assert stage.get(PATH, start="2020-01-01", end="2020-02-01") == {
        "timestamp": [],
        "equity": [],
        "profit_loss": [],
        "profit_loss_pct": [],
        "base_value": None,
        "timeframe": "1D",
        "cashflow": {},
    }


@pytest.mark.parametrize(
    ("reporting", "first", "count"),
    [("market_hours", 0, 1), ("extended_hours", -5 * 3600 - 1800, 1), ("continuous", -14 * 3600 - 1800, 1)],
)
def test_the_hours_that_are_reported_can_be_chosen(stage: Stage, reporting: str, first: int, count: int) -> None:
    stage.venue.advance_to(OPEN + timedelta(hours=30))
    body = stage.get(PATH, start=OPEN.isoformat(), timeframe="1H", intraday_reporting=reporting)
    steps = {(label - EPOCH - first) % 3600 for label in body["timestamp"]}
    assert len(steps) == count
    assert body["timestamp"][0] <= EPOCH
    assert body["timestamp"] == sorted(set(body["timestamp"]))


def test_cash_flows_are_shown_by_kind(stage: Stage) -> None:
    stage.post({"symbol": CALL, "qty": 1, "side": "buy", "type": "market", "time_in_force": "day"})
    stage.ask("POST", f"/v2/positions/{CALL}/exercise")
    assert stage.get(PATH, timeframe="1D")["cashflow"] == {}
    assert stage.get(PATH, timeframe="1D", cashflow_types="ALL")["cashflow"] == {"OPTRD": [-10_000]}
    assert stage.get(PATH, timeframe="1D", cashflow_types="DIV,CSD")["cashflow"] == {}


@pytest.mark.parametrize(
    "params",
    [
        {"period": "1X"},
        {"period": "0D"},
        {"period": "9999A"},
        {"period": "1D", "start": "2024-03-01", "end": "2024-03-02"},
        {"start": "2024-03-05", "end": "2024-03-04"},
        {"start": "soon"},
        {"timeframe": "2Min"},
        {"period": "2M", "timeframe": "1Min"},
        {"intraday_reporting": "always"},
        {"pnl_reset": "never"},
        {"cashflow_types": "GIFT"},
        {"extended_hours": "maybe"},
    ],
    ids=str,
)
def test_a_history_that_cannot_be_asked_for_is_422(stage: Stage, params: dict[str, Any]) -> None:
    stage.get(PATH, 422, **params)


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["SPY", "QQQ", "BTC/USD"]),
        st.sampled_from(["buy", "sell"]),
        st.integers(1, 5),
        st.integers(90, 110),
    ),
    max_size=12,
)


@given(_STEPS)
@settings(max_examples=12, deadline=None)
def test_the_fold_ends_at_the_accounts_own_cash_and_positions(steps: list[tuple[str, str, int, int]]) -> None:
    stage = Stage()
    for symbol, side, quantity, price in steps:
        life = "gtc" if "/" in symbol else "day"
        body = {"symbol": symbol, "qty": quantity, "side": side, "type": "market", "time_in_force": life}
        stage.client.request("POST", "/v2/orders", headers=KEYS, json=body)
        stage.play("SPY", price, price, price, price)
    worth = Worth(records_of(stage.venue))
    worth._fold(stage.venue.now)
    assert worth._cash == stage.venue.state().cash
    assert {s: q for s, q in worth._held.items() if q} == {each.symbol: each.quantity for each in stage.venue.held()}
