"""Alpaca's own client over a real socket: the main paths of trading, unmodified."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.exchange.server.scenes import CALL, HIGHER_CALL, KEY, SECRET, Stage, trading_app
from tests.adapters.exchange.server.test_serve import served

if TYPE_CHECKING:
    from alpaca.trading.client import TradingClient

pytest.importorskip("alpaca.trading.client", reason="alpaca-py is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def client(stage: Stage) -> Iterator[TradingClient]:
    """A client of the stage."""
    from alpaca.trading.client import TradingClient

    with served(trading_app(stage.venue, stage.options)) as (url, _):
        yield TradingClient(KEY, SECRET, url_override=url)


def _orders() -> dict[str, dict[str, Any]]:
    """What is asked for, by the name of its request class."""
    return {
        "MarketOrderRequest": {"time_in_force": "day"},
        "LimitOrderRequest": {"time_in_force": "gtc", "limit_price": 90.5},
        "StopOrderRequest": {"time_in_force": "gtc", "stop_price": 110},
        "StopLimitOrderRequest": {"time_in_force": "day", "stop_price": 110, "limit_price": 111},
        "TrailingStopOrderRequest": {"time_in_force": "day", "trail_percent": 2},
    }


@pytest.mark.parametrize("name", _orders())
def test_every_type_of_order_can_be_placed_and_found(client: TradingClient, name: str) -> None:
    from alpaca.trading import requests

    kind = getattr(requests, name)
    order: Any = client.submit_order(kind(symbol="SPY", qty=3, side="buy", client_order_id=name, **_orders()[name]))
    assert order.symbol == "SPY"
    assert order.qty == "3"
    assert client.get_order_by_id(order.id) == order == client.get_order_by_client_id(name)


def test_groups_and_legs_are_nested(client: TradingClient) -> None:
    from alpaca.trading.enums import PositionIntent, QueryOrderStatus
    from alpaca.trading.requests import GetOrdersRequest, LimitOrderRequest, MarketOrderRequest, OptionLegRequest

    bracket: Any = client.submit_order(
        LimitOrderRequest(
            symbol="QQQ",
            qty=2,
            side="buy",
            time_in_force="gtc",
            limit_price=45,
            order_class="bracket",
            take_profit={"limit_price": 60},
            stop_loss={"stop_price": 40},
        )
    )
    assert {leg.status.value for leg in bracket.legs} == {"held"}
    spread: Any = client.submit_order(
        MarketOrderRequest(
            qty=1,
            time_in_force="day",
            order_class="mleg",
            legs=[
                OptionLegRequest(symbol=CALL, ratio_qty=1, position_intent=PositionIntent.BUY_TO_OPEN),
                OptionLegRequest(symbol=HIGHER_CALL, ratio_qty=1, position_intent=PositionIntent.SELL_TO_OPEN),
            ],
        )
    )
    assert (spread.symbol, spread.side, len(spread.legs)) == (None, None, 2)
    found: Any = client.get_orders(GetOrdersRequest(nested=True, status=QueryOrderStatus.ALL, symbols=["QQQ"]))
    assert [order.id for order in found] == [bracket.id]


def test_orders_are_replaced_and_cancelled(client: TradingClient) -> None:
    from alpaca.common.exceptions import APIError
    from alpaca.trading.requests import LimitOrderRequest, ReplaceOrderRequest

    order: Any = client.submit_order(
        LimitOrderRequest(symbol="SPY", qty=3, side="buy", time_in_force="gtc", limit_price=90)
    )
    new: Any = client.replace_order_by_id(order.id, ReplaceOrderRequest(limit_price=91, qty=2))
    assert (new.limit_price, new.qty, new.replaces) == ("91", "2", order.id)
    client.cancel_order_by_id(new.id)
    with pytest.raises(APIError) as caught:
        client.cancel_order_by_id(new.id)
    assert (caught.value.status_code, caught.value.code) == (422, 42210000)
    assert client.cancel_orders() == []


def test_positions_are_seen_closed_and_exercised(client: TradingClient) -> None:
    from alpaca.trading.requests import ClosePositionRequest, MarketOrderRequest

    for symbol, life in (("SPY", "day"), ("BTC/USD", "gtc"), (CALL, "day")):
        client.submit_order(MarketOrderRequest(symbol=symbol, qty=1, side="buy", time_in_force=life))
    held: Any = client.get_all_positions()
    assert {position.symbol for position in held} == {"SPY", "BTCUSD", CALL}
    half: Any = client.close_position("BTCUSD", ClosePositionRequest(percentage="50"))
    assert half.qty == "0.5"
    client.exercise_options_position(CALL)
    shares: Any = client.get_open_position("SPY")
    assert shares.qty == "101"
    answers: Any = client.close_all_positions(cancel_orders=True)
    assert {answer.status for answer in answers} == {200}
    assert client.get_all_positions() == []


def test_everything_else_can_be_read(client: TradingClient) -> None:
    from alpaca.trading.enums import AssetClass, CorporateActionType
    from alpaca.trading.requests import (
        GetAssetsRequest,
        GetCalendarRequest,
        GetCorporateAnnouncementsRequest,
        GetOptionContractsRequest,
        GetPortfolioHistoryRequest,
    )

    account: Any = client.get_account()
    assert account.equity == "100000"
    settings: Any = client.get_account_configurations()
    settings.no_shorting = True
    assert client.set_account_configurations(settings) == settings == client.get_account_configurations()
    coins: Any = client.get_all_assets(GetAssetsRequest(asset_class=AssetClass.CRYPTO))
    assert client.get_asset("BTC/USD") == coins[0] == client.get_asset(coins[0].id)
    contracts: Any = client.get_option_contracts(GetOptionContractsRequest(underlying_symbols=["SPY"], limit=1))
    assert client.get_option_contract(CALL) == contracts.option_contracts[0].model_copy()
    assert contracts.next_page_token
    clock: Any = client.get_clock()
    assert clock.is_open
    days: Any = client.get_calendar(GetCalendarRequest(start=date(2024, 3, 4), end=date(2024, 3, 8)))
    assert len(days) == 5
    history: Any = client.get_portfolio_history(GetPortfolioHistoryRequest(period="1D", timeframe="5Min"))
    assert history.equity == [100_000]
    announced: Any = client.get_corporate_announcements(
        GetCorporateAnnouncementsRequest(
            ca_types=[CorporateActionType.SPLIT], since=date(2024, 1, 15), until=date(2024, 3, 1)
        )
    )
    assert [each.initiating_symbol for each in announced] == ["QQQ"]
    assert client.get_corporate_announcement_by_id(announced[0].id) == announced[0]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"qty": -5}, 422, 40010001),
        ({"qty": 10_000_000}, 403, 40310000),
        ({"symbol": "ZZZZ"}, 422, 42210000),
        ({"client_order_id": "x" * 129}, 422, 40010001),
    ],
    ids=str,
)
def test_a_refusal_has_a_status_and_a_code(
    client: TradingClient, stage: Stage, fields: dict[str, Any], status: int, code: int
) -> None:
    from alpaca.common.exceptions import APIError
    from alpaca.trading.requests import MarketOrderRequest

    wanted: dict[str, Any] = {"symbol": "SPY", "qty": 1, "side": "buy", "time_in_force": "day", **fields}
    with pytest.raises(APIError) as caught:
        client.submit_order(MarketOrderRequest(**wanted))
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert not stage.venue.tickets()
