"""The policy a storm trades under: small windows, short stops, many orders, so that most moments are busy ones."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.setup import Setup, wall_now
from hydra.engine.cycle import Engine
from hydra.model.events import Certified
from hydra.model.portfolio import Certificate
from hydra.model.snapshot import Binding
from hydra.policy import BotPolicy, Bucket, Policy, SessionPolicy

PAPER = Path(__file__).resolve().parents[2] / "configs" / "paper.toml"
_ALL_DAY = SessionPolicy(trade_start="00:01", trade_end="23:50", manage_until="23:55")
_SESSION = SessionPolicy(trade_start="09:31", trade_end="15:40", manage_until="15:50")

DRIFTS = (1, 2, 3, 10, 30, 900, 1500)
"""Minutes for which the market may go on without an engine; the last two are a night and a day."""


@lru_cache(maxsize=1)
def _paper() -> Policy:
    return load_policy(PAPER, {}, None)


def policy_of(voyage: int) -> Policy:
    """The policy of one voyage.

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


def setup_of(folder: Path, voyage: int) -> Setup:
    """Where a voyage keeps its things."""
    return Setup(
        config=PAPER,
        state_dir=folder / "state",
        log_dir=folder / "logs",
        policy=policy_of(voyage),
        journal_key=key_of(voyage),
    )


def key_of(voyage: int) -> bytes | None:
    """Every other voyage signs its journal's head."""
    return b"a key for the weather" if voyage % 2 else None


def compresses(voyage: int) -> bool:
    """Every third voyage compresses its old segments, however small, whenever it starts."""
    return voyage % 3 == 1


def certify(engine: Engine) -> None:
    """Leave the certificate that fits what is running."""
    bound = engine.outside.binding()
    if engine.ledger.certificate is not None and _fits(engine.ledger.certificate, bound):
        return
    shared = {name: getattr(bound, name) for name in Binding.__struct_fields__}
    head = engine.outside.journal.head().hash
    engine.record(Certified(certificate=Certificate(wall=wall_now(), minutes=1440, head=head, **shared)))
    engine.settle()


def _fits(certificate: Certificate, bound: Binding) -> bool:
    return all(getattr(certificate, name) == getattr(bound, name) for name in Binding.__struct_fields__)
