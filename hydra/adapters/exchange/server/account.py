"""The routes of the account and of what its owner may set.

Money is at the latest prices. What is not known is left out: figures of the last close before there was one, and what this
venue has no notion of (special memorandum account, intraday adjustments). There are no transfers here, so none is pending.
The day-trading fields are those Alpaca had until its move to intraday margin; clients written before read them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.model import Configuration
from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.context import Ask, Context, endpoint
from hydra.adapters.exchange.server.errors import bad_parameter
from hydra.adapters.exchange.server.params import Body, read_object
from hydra.model.money import ZERO
from hydra.model.values import replace


class Emails(StrEnum):
    """Which confirmations are sent by mail. The venue sends none, whatever is set."""

    ALL = "all"
    NONE = "none"


MULTIPLIERS = (1, 2, 4)
LEVEL_MAX = 3


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    return [
        endpoint(context, "GET", "/v2/account", account),
        endpoint(context, "GET", "/v2/account/configurations", configurations),
        endpoint(context, "PATCH", "/v2/account/configurations", configure),
    ]


def account(context: Context, ask: Ask) -> Response:  # noqa: ARG001  # every handler has both parameters
    """The account."""
    return wire.reply({**_standing(context.exchange), **_money(context.exchange)})


def configurations(context: Context, ask: Ask) -> Response:  # noqa: ARG001  # every handler has both parameters
    """What the owner has set."""
    return wire.reply(_configuration(context.exchange.state().configuration))


def configure(context: Context, ask: Ask) -> Response:
    """Set some of it; what is not given stays."""
    body = read_object(ask.body)
    changes: dict[str, Any] = {}
    for name in (
        "no_shorting",
        "suspend_trade",
        "fractional_trading",
        "ptp_no_exception_entry",
        "disable_overnight_trading",
    ):
        value = body.flag(name)
        if value is not None:
            changes[name] = value
    emails = body.chosen("trade_confirm_email", Emails)
    if emails is not None:
        changes["trade_confirm_email"] = emails.value
    changes.update(_levels(body))
    wanted = replace(context.exchange.state().configuration, **changes)
    return wire.reply(_configuration(context.exchange.configure(wanted)))


def _levels(body: Body) -> dict[str, int]:
    changes: dict[str, int] = {}
    multiplier = body.whole("max_margin_multiplier")
    if multiplier is not None:
        if multiplier not in MULTIPLIERS:
            raise bad_parameter(f"max_margin_multiplier must be 1, 2 or 4, got {multiplier}")
        changes["max_margin_multiplier"] = multiplier
    level = body.whole("max_options_trading_level")
    if level is not None:
        if not 0 <= level <= LEVEL_MAX:
            raise bad_parameter(f"max_options_trading_level must be 0 to {LEVEL_MAX}, got {level}")
        changes["max_options_level"] = level
    return changes


def _configuration(value: Configuration) -> dict[str, Any]:
    return {
        "no_shorting": value.no_shorting,
        "suspend_trade": value.suspend_trade,
        "fractional_trading": value.fractional_trading,
        "max_margin_multiplier": str(value.max_margin_multiplier),
        "max_options_trading_level": value.max_options_level,
        "trade_confirm_email": value.trade_confirm_email,
        "ptp_no_exception_entry": value.ptp_no_exception_entry,
        "disable_overnight_trading": value.disable_overnight_trading,
    }


def _standing(exchange: Exchange) -> dict[str, Any]:
    state, settings = exchange.state(), exchange.settings
    body: dict[str, Any] = {
        "id": wire.account_uuid(state.account_id),
        "account_number": state.account_id,
        "status": state.status,
        "crypto_status": state.status,
        "currency": "USD",
        "account_blocked": state.account_blocked,
        "trading_blocked": state.trading_blocked,
        "transfers_blocked": False,
        "trade_suspended_by_user": state.configuration.suspend_trade,
        "shorting_enabled": settings.shorting and not state.configuration.no_shorting,
        "pattern_day_trader": state.pattern_day_trader,
        "options_approved_level": settings.options_level,
        "options_trading_level": min(settings.options_level, state.configuration.max_options_level),
    }
    if state.opened_at is not None:
        body["created_at"] = wire.instant(state.opened_at)
    return body


def _money(exchange: Exchange) -> dict[str, Any]:
    state, figures = exchange.state(), exchange.figures()
    owed = wire.number(sum(state.accrued.values(), ZERO))
    body: dict[str, Any] = {
        name: wire.number(getattr(figures, name))
        for name in (
            "cash",
            "equity",
            "buying_power",
            "regt_buying_power",
            "daytrading_buying_power",
            "non_marginable_buying_power",
            "options_buying_power",
            "long_market_value",
            "short_market_value",
            "initial_margin",
            "maintenance_margin",
        )
    }
    body["portfolio_value"] = body["equity"]
    body["multiplier"] = str(figures.multiplier)
    body["daytrade_count"] = figures.day_trades
    body["accrued_fees"] = body["pending_reg_taf_fees"] = owed
    body["pending_transfer_in"] = body["pending_transfer_out"] = "0"
    if state.closing_equity is not None:
        body["last_equity"] = wire.number(state.closing_equity)
        body["last_maintenance_margin"] = wire.number(state.closing_maintenance)
    if state.closed_on is not None:
        body["balance_asof"] = wire.day(state.closed_on)
    return body
