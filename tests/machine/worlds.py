"""Worlds: a policy (which rules, exits and kills, and their numbers from tight to loose), its bots, an account, a universe.

Everything comes from one seed. The policy passes the same validation as any configuration, so what it refuses is not played.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from hydra.adapters.exchange.model import VenueSettings, as_at_alpaca
from hydra.bootstrap.making import make_bots
from hydra.bootstrap.plugs import rule_book
from hydra.model.market import AssetClass, OptionContract, Right, asset_class_of
from hydra.policy import Policy
from hydra.qc.rehearsal.world import OPENING, Cast, World
from tests.machine.crew import draw_bots, is_wild, wild

PAPER = Path(__file__).resolve().parents[2] / "configs" / "paper.toml"
PRICES = {"SPY": "100", "AAPL": "180", "QQQ": "40", "BTC-USD": "4500", "ETH-USD": "300"}
SHARES = tuple(symbol for symbol in PRICES if asset_class_of(symbol) is AssetClass.EQUITY)
PAIRS = tuple(symbol for symbol in PRICES if symbol not in SHARES)
OPTIONED = ("SPY", "QQQ")
_DAYS_TO_EXPIRY = (0, 2, 14)
_STRIKES = 5

# Every number a world may have, from tight to loose. A world has a temper, and most of its numbers follow it.
_TIGHT_TO_LOOSE: Mapping[str, tuple[Any, ...]] = {
    "daily_loss": ("0.001", "0.005", "0.02", "0.1", "0.5"),
    "drawdown": ("0.002", "0.01", "0.06", "0.3", "0.9"),
    "risk_per_trade": ("0.0002", "0.001", "0.01", "0.05", "0.3"),
    "cash_reserve": ("0.95", "0.6", "0.3", "0.05", "0"),
    "order_notional": ("150", "2500", "25000", "200000", "1000000"),
    "symbol_exposure": ("0.005", "0.05", "0.35", "0.8", "1"),
    "gross_exposure": ("0.01", "0.1", "0.7", "1", "1"),
    "net_exposure": ("0.01", "0.1", "0.7", "1", "1"),
    "group_exposure": ("0.01", "0.1", "0.6", "1", "1"),
    "orders_per_minute": (1, 3, 10, 50, 200),
    "trades_a_day": (1, 4, 20, 100, 10_000),
    "positions": (1, 2, 5, 20, 1000),
    "cool_down_minutes": (120, 15, 5, 1, 0),
    "loss_streak": (1, 2, 3, 10, 1000),
    "day_trades": (0, 1, 3, 10, 1000),
    "day_trade_equity": ("1000000", "200000", "25000", "1", "0"),
    "duplicate_seconds": (600, 60, 5, 1, 0),
    "price_collar": ("0.001", "0.01", "0.05", "0.3", "1"),
    "spread": ("0.0002", "0.001", "0.01", "0.1", "1"),
    "option_spread": ("0.02", "0.1", "0.25", "0.6", "1"),
    "entry_slippage": ("0.0001", "0.001", "0.005", "0.05", "1"),
    "option_level": (1, 2, 3, 3, 3),
    "option_loss": ("0.0005", "0.005", "0.02", "0.2", "1"),
    "after_open_minutes": (30, 10, 5, 0, 0),
    "before_close_minutes": (60, 30, 10, 1, 0),
    "unprotected_seconds": (1, 5, 15, 60, 300),
    "flatten_before_close_minutes": (60, 20, 5, 1, 0),
    "stale_minutes": (1, 2, 10, 60, 1440),
    "jump": ("0.005", "0.02", "0.05", "0.2", "1"),
    "day_start_change": ("0.01", "0.05", "0.25", "0.9", "1"),
}
_ANY: Mapping[str, tuple[Any, ...]] = {
    "cool_off_minutes": (0, 1, 30, 390),
    "stop_limit_slack": ("0", "0.002", "0.01", "0.1"),
    "stop_step": ("0", "0.001", "0.02"),
    "jump_volume": ("0", "0.5", "2"),
}
_BUDGETS: Mapping[str, tuple[Any, ...]] = {
    "momentum": ("0.1", "0.5"),
    "options": ("0.2", "0.4"),
    "crypto": ("0.05", "0.1"),
    "bot_minimum": ("0.01", "0.05"),
    "bot_maximum": ("0.2", "0.5", "1"),
}
_HEALTH: Mapping[str, tuple[Any, ...]] = {
    "staleness_seconds": (15, 60),
    "clock_skew_seconds": (2, 30),
    "failed_reads": (2, 5, 40),
    "failure_window_seconds": (60, 600),
    "residual_cycles": (1, 3, 20),
}
_ENGINE: Mapping[str, tuple[Any, ...]] = {
    "window_bars": (60,),
    "bot_strikes": (3, 100),
    "unknown_grace_seconds": (0, 10, 60),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WildWorld(World):
    """A world with hostile bots. ``wild`` is the temper of each, by id."""

    wild: Mapping[str, str]


def cast(world: World) -> Cast:
    """The bots of a world: the wild ones, and those that the policy's names stand for."""
    assert isinstance(world, WildWorld)
    tame = [bot for bot in world.policy.bots if not is_wild(bot)]
    bots = dict(make_bots(world.policy.model_copy(update={"bots": tuple(tame)}))) if tame else {}
    for bot in world.policy.bots:
        if is_wild(bot):
            bots[bot.id] = wild(bot, world.wild[bot.id], world.seed)
    return Cast(book=rule_book(world.policy), bots=bots)


@lru_cache(maxsize=1)
def plugs() -> Mapping[str, tuple[str, ...]]:
    """The names behind every door of the rule book."""
    groups = ("rules", "exits", "option_exits", "kills", "gates", "bots", "signals")
    return {group: tuple(sorted(point.name for point in entry_points(group=f"hydra.{group}"))) for group in groups}


@lru_cache(maxsize=1)
def _paper() -> Mapping[str, Any]:
    return tomllib.loads(PAPER.read_text())


def draw_world(seed: int) -> WildWorld:
    """The world of a seed."""
    chance = random.Random(f"world {seed}")
    alpaca = chance.random() < 0.4
    margin, shorts = chance.random() < 0.3, chance.random() < 0.5
    options = chance.random() < 0.45
    symbols = _some(chance, SHARES, 1) + (_some(chance, PAIRS, 1) if chance.random() < 0.5 else ())
    contracts = contracts_on([symbol for symbol in symbols if symbol in OPTIONED]) if options else ()
    cash = Decimal(chance.choice((8_000, 100_000, 100_000, 2_000_000)))
    document: dict[str, Any] = {
        **_paper(),
        "engine": {**_paper()["engine"], **_drawn(chance, _ENGINE), "seed": seed},
        "health": {**_paper()["health"], **_drawn(chance, _HEALTH), "gates": plugs()["gates"]},
        "risk": {**_risk(chance, symbols, margin=margin, shorts=shorts), **(_day_trader(chance) if alpaca else {})},
        "budgets": {**_paper()["budgets"], **_drawn(chance, _BUDGETS)},
        "broker": {**_paper()["broker"], "account": "alpaca" if alpaca else "plain", "starting_cash": cash},
        "bots": draw_bots(chance, symbols, contracts, plugs(), shorts=shorts),
    }
    policy = Policy.model_validate(document)
    return WildWorld(
        seed=seed,
        policy=policy,
        account=_account(chance, cash, alpaca=alpaca, margin=margin, shorts=shorts),
        symbols=symbols,
        contracts=contracts,
        prices={symbol: Decimal(price) for symbol, price in PRICES.items()},
        cast=cast,
        wild={bot.id: chance.choice(("eager", "eager", "greedy", "absurd")) for bot in policy.bots if is_wild(bot)},
        sizes=chance.choice(((100_000,), (100_000,), (1, 20, 300, 5000))),
        troubled=chance.random() < 0.75,
    )


def _account(chance: random.Random, cash: Decimal, *, alpaca: bool, margin: bool, shorts: bool) -> VenueSettings:
    if alpaca:
        return as_at_alpaca(cash, half_spread=Decimal("0.0001"))
    return VenueSettings(
        starting_cash=cash,
        crypto_exits=True,
        commission_per_share=Decimal(chance.choice(("0", "0.005"))),
        crypto_fee=Decimal(chance.choice(("0", "0.0025"))),
        slippage=Decimal(chance.choice(("0", "0.0005"))),
        half_spread=Decimal("0.0001"),
        participation=chance.choice((None, Decimal(1))),
        multiplier=2 if margin else 1,
        shorting=shorts,
    )


def _risk(chance: random.Random, symbols: tuple[str, ...], *, margin: bool, shorts: bool) -> dict[str, Any]:
    temper = chance.randrange(5)

    def number(name: str) -> Any:
        scale = _TIGHT_TO_LOOSE[name]
        return scale[temper if chance.random() < 0.5 else chance.randrange(1, 5)]

    risk: dict[str, Any] = {**_paper()["risk"], **_drawn(chance, _ANY)}
    risk |= {name: number(name) for name in _TIGHT_TO_LOOSE}
    risk["risk_per_trade_cap"] = risk["risk_per_trade"]
    if margin and chance.random() < 0.7:
        risk["gross_exposure"] = chance.choice(("1.5", "2", "4"))
    kills = [name for name in plugs()["kills"] if name not in _MAY_MISS_KILLS or chance.random() < 0.8]
    risk |= {
        "margin": margin,
        "short": shorts,
        "rules": [name for name in plugs()["rules"] if chance.random() < 0.97] or list(plugs()["rules"][:1]),
        "exits": list(plugs()["exits"]),
        "option_exits": list(plugs()["option_exits"]),
        "kills": kills,
        "kill_flattens": [name for name in kills if chance.random() < 0.3],
        "groups": {"tech": [s for s in symbols if s in ("AAPL", "QQQ")] or list(symbols[:1])},
    }
    if chance.random() < 0.05:
        risk["blackouts"] = [{"day": (OPENING + timedelta(days=chance.randrange(2))).date().isoformat()}]
    return risk


def _day_trader(chance: random.Random) -> dict[str, Any]:
    """A venue that protects against day trades refuses exits too: there the policy is no looser than the venue is."""
    return {
        "rules": list(plugs()["rules"]),
        "day_trades": chance.choice((0, 1, 3)),
        "day_trade_equity": chance.choice(("25000", "200000")),
    }


_MAY_MISS_KILLS = frozenset({"stale_data", "anomaly"})


def contracts_on(underlyings: Iterable[str]) -> tuple[str, ...]:
    found = []
    for root in underlyings:
        price = Decimal(PRICES[root])
        step = (price / 25).quantize(Decimal(1)) or Decimal(1)
        for days in _DAYS_TO_EXPIRY:
            expiry = (OPENING + timedelta(days=days)).date()
            for place in range(-(_STRIKES // 2), _STRIKES // 2 + 1):
                for right in Right:
                    one = OptionContract(root=root, expiry=expiry, right=right, strike=price + place * step)
                    found.append(one.symbol)
    return tuple(found)


def _some(chance: random.Random, among: tuple[str, ...], least: int) -> tuple[str, ...]:
    count = chance.randint(least, len(among))
    chosen = chance.sample(among, count)
    return tuple(one for one in among if one in chosen)


def _drawn(chance: random.Random, table: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
    return {name: chance.choice(values) for name, values in table.items()}
