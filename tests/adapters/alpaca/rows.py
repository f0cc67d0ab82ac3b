"""Answers of Alpaca's, in the published shapes, to be changed where a test wants them otherwise."""

from __future__ import annotations

from typing import Any

ORDER_ID = "6d1f5a0e-8f0c-4bb1-9b3d-0d7b9a3f2c11"
ORDER: dict[str, Any] = {
    "id": ORDER_ID,
    "client_order_id": "b1",
    "created_at": "2024-03-04T14:31:00.123456789Z",
    "updated_at": "2024-03-04T14:31:00.123456789Z",
    "symbol": "SPY",
    "asset_class": "us_equity",
    "side": "buy",
    "type": "limit",
    "order_type": "limit",
    "order_class": "simple",
    "time_in_force": "day",
    "notional": None,
    "qty": "10",
    "filled_qty": "0",
    "filled_avg_price": None,
    "limit_price": "95",
    "stop_price": None,
    "status": "new",
    "legs": None,
}
"""What ``buy()`` of the broker's contract becomes."""
ACCOUNT: dict[str, Any] = {
    "id": "e6fe16f3-64a4-4921-8928-cadf02f92f98",
    "account_number": "010203ABCD",
    "status": "ACTIVE",
    "currency": "USD",
    "cash": "-23140.2",
    "equity": "103820.56",
    "buying_power": "262113.632",
    "account_blocked": False,
    "trading_blocked": False,
    "trade_suspended_by_user": False,
}
POSITION: dict[str, Any] = {
    "asset_id": "904837e3-3b76-47ec-b432-046db621571b",
    "symbol": "AAPL",
    "asset_class": "us_equity",
    "qty": "5",
    "side": "long",
    "avg_entry_price": "100.0",
}
FILL: dict[str, Any] = {
    "id": "20220202135509981::2d7be4ff-d1f3-43e9-856a-0f5cf5c5088e",
    "activity_type": "FILL",
    "transaction_time": "2022-02-02T18:55:09.981482Z",
    "type": "fill",
    "price": "174.78",
    "qty": "2",
    "side": "buy",
    "symbol": "AAPL",
    "leaves_qty": "0",
    "order_id": ORDER_ID,
    "cum_qty": "2",
    "order_status": "filled",
}
FEE: dict[str, Any] = {
    "id": "20220203000000000::5f596936-6f23-4cef-bdf1-3806aae57dbf",
    "activity_type": "FEE",
    "activity_sub_type": "TAF",
    "date": "2022-02-03",
    "created_at": "2022-02-03T21:00:00Z",
    "net_amount": "-0.02",
    "currency": "USD",
    "description": "TAF fee",
    "status": "executed",
}


def order(**changes: Any) -> dict[str, Any]:
    """An order, changed."""
    return {**ORDER, **changes}


def leg(number: int, **changes: Any) -> dict[str, Any]:
    """One of the orders beneath another."""
    fields = {"id": f"{number:08d}-0000-4000-8000-000000000000", "client_order_id": f"leg-{number}", "side": "sell"}
    return {**ORDER, "order_class": "bracket", **fields, **changes}


def contract(number: int, symbol: str, **changes: Any) -> dict[str, Any]:
    """One contract of an order in several."""
    fields = {
        "symbol": symbol,
        "asset_class": "us_option",
        "order_class": "mleg",
        "ratio_qty": "1",
        "limit_price": None,
    }
    return leg(number, **{**fields, **changes})


def combined(*legs: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An order in several contracts."""
    fields = {"symbol": "", "asset_class": "", "side": "", "order_class": "mleg", "qty": "1", "legs": list(legs)}
    return {**ORDER, **fields, **changes}
