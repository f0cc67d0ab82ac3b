"""The routes of the account and of its configuration."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hydra.adapters.exchange.server import wire
from tests.adapters.exchange.server.scenes import Stage


def test_the_account_shows_the_exchanges_figures(stage: Stage) -> None:
    stage.buy()
    account, figures = stage.get("/v2/account"), stage.venue.figures()
    assert account["cash"] == "98999.9"
    assert account["equity"] == account["portfolio_value"] == "99999.9"
    assert account["long_market_value"] == "1000"
    assert account["buying_power"] == wire.number(figures.buying_power)
    assert (account["status"], account["currency"], account["multiplier"]) == ("ACTIVE", "USD", "2")
    assert account["shorting_enabled"] is True


def test_figures_of_the_last_close_are_absent_before_there_was_one(stage: Stage) -> None:
    assert not {"last_equity", "balance_asof", "sma"} & set(stage.get("/v2/account"))


def test_figures_of_the_last_close_are_there_after_it(stage: Stage) -> None:
    stage.buy()
    stage.venue.advance_to(stage.venue.now + timedelta(hours=8))
    account = stage.get("/v2/account")
    assert account["balance_asof"] == "2024-03-04"
    assert account["last_equity"] == "99999.9"


def test_a_status_that_was_turned_is_shown(stage: Stage) -> None:
    stage.venue.set_standing("INACTIVE", blocked=True)
    account = stage.get("/v2/account")
    assert (account["status"], account["trading_blocked"]) == ("INACTIVE", True)


def test_what_the_owner_sets_stays_and_the_rest_with_it(stage: Stage) -> None:
    before = stage.get("/v2/account/configurations")
    changes = {
        "no_shorting": True,
        "max_margin_multiplier": "1",
        "trade_confirm_email": "none",
        "max_options_trading_level": 2,
        "pdt_check": None,
    }
    after = stage.ask("PATCH", "/v2/account/configurations", json=changes)
    assert after == {**before, **{name: value for name, value in changes.items() if name != "pdt_check"}}
    assert stage.get("/v2/account/configurations") == after
    account = stage.get("/v2/account")
    assert (account["shorting_enabled"], account["options_trading_level"]) == (False, 2)


def test_suspended_trade_refuses_orders(stage: Stage) -> None:
    stage.ask("PATCH", "/v2/account/configurations", json={"suspend_trade": True})
    assert stage.get("/v2/account")["trade_suspended_by_user"] is True
    order = {"symbol": "SPY", "qty": 1, "side": "buy", "type": "market", "time_in_force": "day"}
    assert "suspend" in stage.post(order, 403)["message"]


@pytest.mark.parametrize(
    "change",
    [
        {"no_shorting": "true"},
        {"suspend_trade": 1},
        {"max_margin_multiplier": "3"},
        {"max_margin_multiplier": "NaN"},
        {"trade_confirm_email": "some"},
        {"max_options_trading_level": 4},
        {"max_options_trading_level": -1},
        {"max_options_trading_level": 1.5},
    ],
    ids=str,
)
def test_what_cannot_be_set_is_422_and_sets_nothing(stage: Stage, change: dict[str, Any]) -> None:
    before = stage.get("/v2/account/configurations")
    stage.ask("PATCH", "/v2/account/configurations", 422, json={"fractional_trading": False, **change})
    assert stage.get("/v2/account/configurations") == before
