"""The policy a tournament's engine runs under: made from ``configs/tournament.toml``, and like any other policy from there on.

One bot on all assets, the same gates, rules, exits and kills as every run, and the simulated exchange: no other broker can be
named. It is journaled whole in every segment, so a replay needs nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from hydra.bootstrap.tournament_host import BOT
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import AssetClass, asset_class_of
from hydra.policy import Policy
from hydra.policy.tournament import TournamentPolicy

GATES = (
    "broker_reachable",
    "account_valid",
    "state_writable",
    "journal_writable",
    "disk_space",
    "clock_skew",
    "failure_window",
    "ledger_agrees",
    "orders_resolved",
    "mode",
    "certificate",
    "session",
    "data_fresh",
    "price_sane",
    "day_start",
)
RULES = (
    "daily_loss",
    "drawdown",
    "risk_per_trade",
    "bot_budget",
    "order_notional",
    "symbol_exposure",
    "group_exposure",
    "gross_exposure",
    "net_exposure",
    "buying_power",
    "short_permission",
    "order_rate",
    "duplicate",
    "opposite",
    "wash_trade",
    "price_collar",
    "spread",
    "slippage",
    "trades_a_day",
    "trades_per_day",
    "open_positions",
    "concurrent_positions",
    "cool_down",
    "loss_streak",
    "tradable",
)
EXITS = ("stop_loss", "take_profit", "time_stop", "bot_daily_loss")
_ENGINE = {
    "interval_seconds": "60",
    "read_deadline_seconds": "30",
    "bot_deadline_ms": 60_000,
    "bot_strikes": 5,
    "unknown_grace_seconds": "30",
}


def policy_of(told: TournamentPolicy, assets: Sequence[str], *, market: str, control: str = "") -> Policy:
    """The engine's policy for these assets. Raises ``BadConfig`` for an asset that is no pair, or a setting that does not hold."""
    names = tuple(dict.fromkeys(assets))
    _refuse_strangers(names)
    try:
        return Policy.model_validate(_document(told, names, market, control))
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise BadConfig(f"no policy for a tournament comes of this: {problems}") from None


def _refuse_strangers(assets: Sequence[str]) -> None:
    if not assets:
        raise BadConfig("--assets: name at least one pair, such as BTC-USD ETH-USD")
    for asset in assets:
        try:
            kind = asset_class_of(asset)
        except Invalid as error:
            raise BadConfig(f"--assets: {asset!r} is no pair such as BTC-USD: {error}") from None
        if kind is not AssetClass.CRYPTO:
            raise BadConfig(f"--assets: {asset!r} is no pair such as BTC-USD")


def _document(told: TournamentPolicy, assets: Sequence[str], market: str, control: str) -> dict[str, Any]:
    shown, risk, broker = told.market, told.risk, told.broker
    return {
        "mode": "paper",
        "practice": False,
        "broker": broker.model_dump(),
        "market": {"name": market, "bar_seconds": shown.granularity, "days": 0},
        "engine": {**_ENGINE, "seed": shown.seed, "window_bars": shown.candles + 60},
        "isolation": {"host": "inline"},
        "health": {
            "gates": GATES,
            "staleness_seconds": min(86_400, shown.stale_candles * shown.granularity),
            "clock_skew_seconds": 2,
            "disk_free_mb": 200,
            "failed_reads": told.iteration.failed_fetches,
            "failure_window_seconds": told.iteration.failure_window_seconds,
            "residual_cycles": 3,
            "cash_tolerance": "0.01",
            "probe_seconds": 1,
        },
        "risk": _risk(told),
        "budgets": {"momentum": 0, "options": 0, "crypto": 1, "bot_minimum": "0.05", "bot_maximum": 1},
        "certificate": {"minutes": 1440},
        "journal": {"segment_mb": 256, "keep_days": 0, "compress": True},
        "store": {"url": ""},
        "bots": [
            {
                "id": BOT,
                "bot": BOT,
                "enabled": True,
                "bucket": "crypto",
                "symbols": assets,
                "trades_per_day": risk.trades_per_day,
                "positions": min(50, len(assets)),
                "stop_loss": risk.stop_least,
                "time_stop_minutes": risk.time_stop_minutes,
                "size": {"by": "risk", "amount": risk.risk_per_trade},
                "parameters": _parameters(told, control),
            }
        ],
    }


def _risk(told: TournamentPolicy) -> dict[str, Any]:
    risk = told.risk
    return {
        "rules": RULES,
        "exits": EXITS,
        "daily_loss": risk.daily_loss,
        "drawdown": risk.drawdown,
        "risk_per_trade": risk.risk_per_trade,
        "risk_per_trade_cap": Decimal("0.02"),
        "cash_reserve": Decimal(1) - risk.gross_exposure,
        "order_notional": risk.order_notional,
        "symbol_exposure": risk.symbol_exposure,
        "gross_exposure": risk.gross_exposure,
        "trades_a_day": risk.trades_per_day,
        "orders_per_minute": 20,
        "cool_off_minutes": 60,
        "unprotected_seconds": 10,
        "stop_limit_slack": "0.01",
        "flatten_before_close_minutes": 0,
        "stale_minutes": min(1440, max(10, 10 * told.market.granularity // 60)),
    }


def _parameters(told: TournamentPolicy, control: str) -> dict[str, Any]:
    """What an iteration goes by: ``hydra.bootstrap.tournament_host.Setting``."""
    market, risk = told.market, told.risk
    return {
        "candles": market.candles,
        "gap_candles": market.gap_candles,
        "stale_candles": market.stale_candles,
        "granularity": market.granularity,
        "atr_candles": risk.atr_candles,
        "stop_atr": float(risk.stop_atr),
        "target_atr": float(risk.target_atr),
        "stop_least": float(risk.stop_least),
        "hold_counts": told.consensus.hold_counts,
        "needed": told.consensus.needed,
        "horizon": told.score.horizon,
        "control": control,
    }
