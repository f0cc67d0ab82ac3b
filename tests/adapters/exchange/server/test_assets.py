"""The routes of assets and contracts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.settlement import settlement_days
from tests.adapters.exchange.server.scenes import CALL, HIGHER_CALL, MINUTE, OPEN, Stage
from tests.fakes.feed import option_quote


def _symbols(found: list[dict[str, Any]]) -> list[str]:
    return [each["symbol"] for each in found]


def test_shares_are_listed_unless_another_class_is_asked_for(stage: Stage) -> None:
    assert _symbols(stage.get("/v2/assets")) == ["QQQ", "SPY"]
    assert _symbols(stage.get("/v2/assets", asset_class="crypto", status="active")) == ["BTC/USD"]
    assert stage.get("/v2/assets", asset_class="treasury") == []
    assert stage.get("/v2/assets", status="inactive") == []
    assert _symbols(stage.get("/v2/assets", exchange="NASDAQ")) == ["QQQ"]
    assert stage.get("/v2/assets", exchange="OTC") == []
    assert _symbols(stage.get("/v2/assets", attributes="has_options,ipo")) == ["SPY"]


@pytest.mark.parametrize("name", ["BTC/USD", "BTC%2FUSD", "BTCUSD", "btcusd", wire.asset_id("BTC-USD")])
def test_a_pair_shows_its_increments(stage: Stage, name: str) -> None:
    asset = stage.get(f"/v2/assets/{name}")
    instrument = stage.venue.instruments["BTC-USD"]
    assert asset["symbol"] == "BTC/USD"
    assert asset["min_trade_increment"] == wire.number(instrument.quantity_increment)
    assert asset["min_order_size"] == wire.number(instrument.minimum_quantity)


@pytest.mark.parametrize("name", ["ZZZ", "x" * 300, "..%2f", wire.asset_id("ZZZ"), CALL])
def test_what_is_no_asset_is_404(stage: Stage, name: str) -> None:
    assert stage.get(f"/v2/assets/{name}", 404)["message"].startswith("asset not found for")


@pytest.mark.parametrize(
    "params",
    [{"status": "dead"}, {"asset_class": "bonds"}, {"exchange": "LSE"}, {"attributes": "cheap"}],
    ids=str,
)
def test_a_filter_that_is_none_is_422(stage: Stage, params: dict[str, str]) -> None:
    stage.get("/v2/assets", 422, **params)


def test_a_contract_shows_its_terms_and_its_open_interest(stage: Stage) -> None:
    contract = stage.get(f"/v2/options/contracts/{CALL}")
    assert stage.get(f"/v2/options/contracts/{wire.asset_id(CALL)}") == contract
    assert (contract["strike_price"], contract["type"], contract["expiration_date"]) == ("100", "call", "2024-03-08")
    assert (contract["open_interest"], contract["open_interest_date"]) == ("1200", "2024-03-04")
    assert contract["underlying_asset_id"] == wire.asset_id("SPY")
    assert contract["deliverables"][0]["settlement_type"] == "T+2"
    assert "open_interest" not in stage.get(f"/v2/options/contracts/{HIGHER_CALL}")


def test_contracts_come_in_pages(stage: Stage) -> None:
    first = stage.get("/v2/options/contracts", limit=1)
    assert _symbols(first["option_contracts"]) == [CALL]
    second = stage.get("/v2/options/contracts", limit=1, page_token=first["next_page_token"])
    assert _symbols(second["option_contracts"]) == [HIGHER_CALL]
    assert second["next_page_token"] is None


FILTERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "none": ({}, [CALL, HIGHER_CALL]),
    "underlying": ({"underlying_symbols": "QQQ,SPY"}, [CALL, HIGHER_CALL]),
    "other": ({"underlying_symbols": "QQQ"}, []),
    "root": ({"root_symbol": "SPY"}, [CALL, HIGHER_CALL]),
    "strike": ({"strike_price_gte": "101", "strike_price_lte": 105}, [HIGHER_CALL]),
    "puts": ({"type": "put"}, []),
    "european": ({"style": "european"}, []),
    "expiry": ({"expiration_date": "2024-03-08"}, [CALL, HIGHER_CALL]),
    "later": ({"expiration_date_gte": "2024-03-09"}, []),
    "sooner": ({"expiration_date_lte": "2024-03-07"}, []),
    "penny": ({"ppind": "false"}, []),
    "inactive": ({"status": "inactive"}, []),
}


@pytest.mark.parametrize(("params", "symbols"), FILTERS.values(), ids=FILTERS.keys())
def test_contracts_are_filtered(stage: Stage, params: dict[str, Any], symbols: list[str]) -> None:
    assert _symbols(stage.get("/v2/options/contracts", **params)["option_contracts"]) == symbols


def test_a_contract_that_is_listed_later_is_not_there_yet(stage: Stage) -> None:
    later = "SPY240308P00100000"
    stage.feed.add(option_quote(later, OPEN + 2 * MINUTE, 3, 4))
    again = Stage.on(stage.feed)
    assert again.get(f"/v2/options/contracts/{later}", 404)
    assert _symbols(again.get("/v2/options/contracts")["option_contracts"]) == [CALL, HIGHER_CALL]
    order = {"symbol": later, "qty": 1, "side": "buy", "type": "market", "time_in_force": "day"}
    assert again.post(order, 422)["message"] == f'contract "{later}" not found'
    again.venue.advance()
    assert later in _symbols(again.get("/v2/options/contracts")["option_contracts"])
    assert again.post(order)["status"] == "filled"


def test_an_expired_contract_is_inactive(stage: Stage) -> None:
    stage.venue.advance_to(stage.venue.now + timedelta(days=6))
    assert stage.get("/v2/options/contracts")["option_contracts"] == []
    found = stage.get("/v2/options/contracts", status="inactive")["option_contracts"]
    assert [(each["symbol"], each["tradable"]) for each in found] == [(CALL, False), (HIGHER_CALL, False)]


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 10001},
        {"page_token": "%%%"},
        {"page_token": "AAAA"},
        {"strike_price_gte": "NaN"},
        {"strike_price_gte": 9, "strike_price_lte": 3},
        {"expiration_date": "soon"},
        {"type": "straddle"},
        {"show_deliverables": "some"},
    ],
    ids=str,
)
def test_a_filter_that_cannot_be_read_is_422(stage: Stage, params: dict[str, Any]) -> None:
    stage.get("/v2/options/contracts", 422, **params)


@pytest.mark.parametrize("name", ["SPY", "SPY240308C00999000", "zzz", wire.asset_id("SPY")])
def test_what_is_no_contract_is_404(stage: Stage, name: str) -> None:
    assert stage.get(f"/v2/options/contracts/{name}", 404)["message"] == f"contract not found for {name}"


@pytest.mark.parametrize(
    ("traded", "count"),
    [
        (date(2013, 10, 7), 3),
        (date(2017, 9, 4), 3),
        (date(2017, 9, 5), 2),
        (date(2024, 5, 27), 2),
        (date(2024, 5, 28), 1),
    ],
)
def test_settlement_follows_its_dated_table(traded: date, count: int) -> None:
    assert settlement_days(traded) == count
