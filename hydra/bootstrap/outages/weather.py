"""What a voyage trades under: the storm's own policy (small windows, short stops, many orders, so that most moments are busy ones),
or a user's, on the simulated exchange.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.hosts import is_own
from hydra.bootstrap.setup import Setup
from hydra.policy import BotPolicy, Bucket, Policy, SessionPolicy

_PAPER_FILE = Path(__file__).resolve().parents[1] / "templates" / "paper.toml"
_CONFIG = "outage.toml"
_ALL_DAY = SessionPolicy(trade_start="00:01", trade_end="23:50", manage_until="23:55")
_SESSION = SessionPolicy(trade_start="09:31", trade_end="15:40", manage_until="15:50")

DRIFTS = (1, 2, 3, 10, 30, 900, 1500)
"""Minutes for which the market may go on without an engine; the last two are a night and a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """The policy of a voyage, the key that signs its journal's head, and whether old segments are compressed at every start.

    ``cycles_max`` is how long a life may look for its place: a policy that trades seldom needs longer to come to an order.
    """

    policy: Policy
    key: bytes | None = field(repr=False)
    compresses: bool
    cycles_max: int

    def setup(self, folder: Path) -> Setup:
        """Where a voyage keeps its things."""
        return Setup(
            config=folder / _CONFIG,
            state_dir=folder / "state",
            log_dir=folder / "logs",
            policy=self.policy,
            journal_key=self.key,
        )


def weather_of(voyage: int, policy: Policy | None = None) -> Weather:
    """By turns with and without a key and compression; on the storm's own policy, or on another."""
    return Weather(
        policy=busy_policy(voyage) if policy is None else asked_here(simulated_policy(policy, voyage)),
        key=b"a key for the weather" if voyage % 2 else None,
        compresses=voyage % 3 == 1,
        cycles_max=30 if policy is None else 100,
    )


def simulated_policy(policy: Policy, seed: int = 0) -> Policy:
    """A user's policy as it can be played here: the same bots, rules and limits on the simulated exchange, as fast as it goes.

    A real broker becomes the simulated account of the same house. The market is invented, with a seed of its own, and does not
    end; no fault file, no database and no recording of the user's is touched. ``seed`` is added to the policy's.
    """
    broker, market, engine = policy.broker, policy.market, policy.engine
    account = broker.account if broker.name == "sim" else "alpaca"
    changes: dict[str, Any] = {
        "mode": "paper",
        "broker": broker.model_copy(update={"name": "sim", "account": account, "faults": ""}),
        "market": market.model_copy(update={"name": "synthetic", "days": 0, "speed": "max"}),
        "engine": engine.model_copy(update={"seed": (engine.seed + seed) % 2**63}),
        "store": policy.store.model_copy(update={"url": ""}),
    }
    return Policy.model_validate(policy.model_copy(update=changes).document())


def asked_here(policy: Policy) -> Policy:
    """The same, with bots asked in the process that plays, where all of them are this program's own.

    A life of three seconds is too short to begin ten processes. Foreign code stays where the policy has it.
    """
    if not all(is_own(bot) for bot in policy.enabled_bots):
        return policy
    inline = policy.isolation.model_copy(update={"host": "inline", "guards": "offered"})
    return policy.model_copy(update={"isolation": inline})


@lru_cache(maxsize=1)
def _paper() -> Policy:
    return load_policy(_PAPER_FILE, {}, None)


def busy_policy(voyage: int) -> Policy:
    """The storm's own policy.

    By turns: equities around the clock (no cycle is wasted on a closed market) or in the exchange's hours (orders expire,
    stops rest overnight), and no grace or ten seconds for an order whose outcome is unknown.
    """
    paper = _paper()
    always = voyage % 4 < 3
    session = _ALL_DAY if always else _SESSION
    bots = [
        _bot("cross", ("SPY", "AAPL"), "sma_cross", {"fast": 2, "slow": 5}, session=session),
        _bot("breakout", ("SPY", "NVDA"), "breakout", {"lookback": 2}, session=session),
        _bot("swing", ("TSLA", "AAPL"), "breakout", {"lookback": 3}, session=session, take_profit=None),
    ]
    if voyage % 3 == 2:
        bots.append(_bot("coin", ("BTC-USD",), "breakout", {"lookback": 2}, session=_ALL_DAY, bucket=Bucket.CRYPTO))
    changes: dict[str, dict[str, Any]] = {
        "broker": {"commission_per_share": Decimal("0.01")},
        "market": {"days": 0, "sessions": "always" if always else "exchange"},
        "engine": {"seed": 7 + voyage, "window_bars": 8, "unknown_grace_seconds": Decimal(0 if voyage % 2 else 10)},
        "risk": {
            "daily_loss": Decimal(1),
            "drawdown": Decimal(1),
            "orders_per_minute": 200,
            "order_notional": Decimal(5000),
            "unprotected_seconds": 3600 if voyage % 2 else 120,
        },
        "certificate": {"minutes": 1440},
        "health": {"disk_free_mb": 1},
    }
    sections = {name: getattr(paper, name).model_copy(update=keys) for name, keys in changes.items()}
    return paper.model_copy(update={**sections, "practice": always, "bots": tuple(bots)})


def _bot(bot_id: str, symbols: tuple[str, ...], signal: str, parameters: dict[str, int], **more: Any) -> BotPolicy:
    fields: dict[str, Any] = {
        "id": bot_id,
        "symbols": symbols,
        "signal": signal,
        "parameters": parameters,
        "trades_per_day": 1000,
        "positions": 3,
        "stop_loss": Decimal("0.002"),
        "take_profit": Decimal("0.003"),
        "time_stop_minutes": 5,
        **more,
    }
    return _paper().bots[0].model_copy(update=fields)
