"""The kit's workloads W1 (one symbol) and W2 (many) through ``hydra backtest``'s own machinery: ``python peer_hydra.py N [SYMBOLS]``.

One JSON line on the kit's contract (its folder: ``BENCH_KIT``, else ``bench`` in the data that lies beside the repository). A bot open
around the clock crosses averages of 20 and 50 closes, holds 10 units, pays nothing; fills are at the next open. The policy leaves
out what the workload does not have: costs, day limits, the gate for locked quotes. Its stop is 20 percent away and is never reached.
``JOURNAL=1`` writes the journal to a temporary folder, ``EVERY=1`` passes nothing over. The clock begins with the prices as arrays.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KIT = Path(os.environ.get("BENCH_KIT", ROOT.parent / "shared" / "bench"))
sys.path[:0] = [str(KIT), str(ROOT)]

import common  # type: ignore[import-not-found]  # noqa: E402  # the kit's, which is not part of this
import pyarrow as pa  # noqa: E402

from hydra import __version__  # noqa: E402
from hydra.adapters.markets import frames  # noqa: E402
from hydra.adapters.markets.recorded import RecordedFeed  # noqa: E402
from hydra.bootstrap.backtest import Backtest  # noqa: E402
from hydra.bootstrap.config import load_policy  # noqa: E402
from hydra.bootstrap.venues import Source  # noqa: E402
from hydra.engine.run import Loop  # noqa: E402
from hydra.model.events import Event, Passed  # noqa: E402
from hydra.model.portfolio import Ledger  # noqa: E402
from hydra.model.snapshot import Observed  # noqa: E402
from hydra.policy import Policy  # noqa: E402

CONFIG = ROOT / "configs" / "paper.toml"
RULES = [
    "daily_loss", "drawdown", "risk_per_trade", "bot_budget", "order_notional", "symbol_exposure", "group_exposure",
    "gross_exposure", "buying_power", "duplicate", "opposite", "wash_trade", "open_positions", "tradable",
]  # fmt: skip
WITHOUT = {"gates": ("price_sane", "day_start"), "kills": ("anomaly",)}


def policy(symbols: list[str]) -> Policy:
    """The usual policy with the workload's bot, and none of the costs and limits that it does not have."""
    document: dict[str, Any] = load_policy(CONFIG, {}, None).document()
    free = dict.fromkeys(("crypto_fee", "half_spread", "slippage", "commission_per_share"), "0")
    ones = ("daily_loss", "drawdown", "risk_per_trade", "risk_per_trade_cap", "symbol_exposure", "gross_exposure")
    document["broker"] = {**document["broker"], **free}
    document["health"]["gates"] = [one for one in document["health"]["gates"] if one not in WITHOUT["gates"]]
    document["risk"].update(dict.fromkeys((*ones, "net_exposure", "group_exposure"), "1"))
    document["risk"].update(
        rules=RULES, cash_reserve="0", order_notional="1000000", positions=1000, duplicate_seconds=0
    )
    document["risk"]["kills"] = [one for one in document["risk"]["kills"] if one not in WITHOUT["kills"]]
    document["budgets"].update(momentum="0", options="0", crypto="1", bot_maximum="1")
    document["engine"]["window_bars"] = 60
    document["isolation"].update(host="inline", guards="offered")
    bot = {
        "id": "cross",
        "bot": "momentum",
        "signal": "sma_cross",
        "parameters": {"fast": common.FAST, "slow": common.SLOW},
        "enabled": True,
        "bucket": "crypto",
        "symbols": symbols,
        "trades_per_day": 1000,
        "positions": len(symbols),
        "stop_loss": "0.2",
        "size": {"by": "quantity", "amount": str(common.QTY)},
    }
    document["bots"] = [bot]
    return Policy.model_validate(document)


def feed(arrays: list[Any], names: list[str], count: int) -> RecordedFeed:
    """The kit's arrays as a feed."""
    at = pa.array(common.times(count) * 1_000_000, pa.timestamp("us", tz="UTC"))
    columns = ("open", "high", "low", "close", "volume")
    tables = [pa.table({"timestamp": at, **{c: a[:, n] for n, c in enumerate(columns)}}) for a in arrays]
    return RecordedFeed.over(*(frames.series(table, symbol=name) for table, name in zip(tables, names, strict=True)))


def main() -> None:
    """One run, one line."""
    count, symbols = common.args()
    arrays = [common.load(count)] if symbols == 1 else common.load_many(count, symbols)
    names = ["W-USD"] if symbols == 1 else [f"W{number:02}-USD" for number in range(symbols)]
    names = [name.replace("W-", "WW-") for name in names]
    sha = common.sha(arrays[0])
    seen: Counter[str] = Counter()

    def hear(event: Event, _ledger: Ledger) -> None:
        if isinstance(event.data, Observed):
            seen["cycles"] += 1
            seen["fills"] += len(event.data.fills)
        elif isinstance(event.data, Passed):
            seen["passed"] += event.data.count

    keep = bool(os.environ.get("JOURNAL"))
    with tempfile.TemporaryDirectory() as folder:
        chosen = policy(names)
        started = common.now()
        prices = feed(arrays, names, count)
        arrays.clear()  # the feed has its own columns
        backtest = Backtest(
            policy=chosen,
            source=Source(data=(CONFIG,)),
            run="w",
            calendar_cache=Path(folder) / "cache",
            journal_dir=Path(folder) / "journal" if keep else None,
            hear=hear,
            prices=prices,
            code_hash="0" * 64,
            every_cycle=bool(os.environ.get("EVERY")),
        )
        with backtest:
            gc.freeze()
            ready = common.now()
            engine = backtest.engine
            loop = Loop(
                engine=engine,
                segment=backtest.segment,
                cycles_max=None,
                interval_seconds=0,
                stopped=lambda: None,
                watch=lambda _report: None,
                daily=False,
                pass_over=backtest.pass_over,
            )
            loop.run()
            ended = common.now()
            assert engine.sight is not None
            closes = {symbol: bars[-1].close for symbol, bars in engine.sight.bars.items()}
            assert engine.ledger.cash is not None
            held = sum((h.quantity * closes[h.symbol] for h in engine.ledger.holdings.values()), Decimal(0))
            equity = engine.ledger.cash + held
    common.emit(
        "hydra",
        count,
        ended - started,
        seen["fills"],
        equity,
        symbols=symbols,
        version=__version__,
        durability="journal, hash-chained, left to the system" if keep else "none: journal in memory",
        sha=sha,
        setup_seconds=round(ready - started, 3),
        cycles=seen["cycles"],
        passed=seen["passed"],
        micros_a_cycle=round(1e6 * (ended - ready) / max(1, seen["cycles"]), 1),
        at=f"{datetime.now(UTC):%Y-%m-%d}",
    )


if __name__ == "__main__":
    main()
