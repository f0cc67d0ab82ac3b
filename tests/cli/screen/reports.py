"""Cycle reports as a test wants them, without an engine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from hydra.bootstrap.config import load_policy
from hydra.engine.cycle import CycleReport
from hydra.engine.decide import Consideration
from hydra.engine.drafts import Drafts
from hydra.model.market import AssetClass, Quote
from hydra.model.orders import Fill, Order, OrderStatus, OrderType, Protection, Purpose, Send, Side, Skip
from hydra.model.portfolio import BotRecord, Day, Holding, Ledger, Mode, Trade
from hydra.model.snapshot import Answer, Failure, GateAnswer, Plan, Scope, Session, Sessions, Sight, Snapshot, Verdict
from hydra.model.values import replace
from hydra.policy import Bucket, Policy
from hydra.risk.gates import REQUIRED
from hydra.risk.halts import Obeyed

START = datetime(2025, 1, 6, 14, 31, tzinfo=UTC)
RUN = "20250106T143100-ab12"
MICROS = {"observe": 600, "consider": 150, "ask": 10, "judge": 30, "act": 10, "settle": 400}


def policy(**changes: Any) -> Policy:
    """The policy for paper trading, with the bots that trade shares and changes."""
    paper = load_policy(Path("configs/paper.toml"), {})
    bots = tuple(bot for bot in paper.bots if bot.bucket is Bucket.MOMENTUM)
    return paper.model_copy(update={"bots": bots, **changes})


def many_bots(count: int) -> tuple[Any, ...]:
    """The first bot of the policy, ``count`` times."""
    first = policy().bots[0]
    return tuple(first.model_copy(update={"id": f"bot-{n:02}-with-a-long-name"}) for n in range(count))


def ledger(**fields: Any) -> Ledger:
    """A ledger on its first day, with 100,000 dollars."""
    usual = {
        "run": RUN,
        "equity": Decimal(100000),
        "day": Day(date=date(2025, 1, 6), start_equity=Decimal(100000)),
    }
    return Ledger(**{**usual, **fields})


def order(ordinal: int = 1, **fields: Any) -> Order:
    """An accepted entry of 30 SPY."""
    usual: dict[str, Any] = {
        "client_id": f"hy-{ordinal}",
        "run": RUN,
        "cycle": 1,
        "bot": "spy-trend",
        "symbol": "SPY",
        "side": Side.BUY,
        "quantity": Decimal(30),
        "order_type": OrderType.MARKET,
        "purpose": Purpose.ENTRY,
        "status": OrderStatus.ACCEPTED,
        "reference": Decimal("599.12"),
        "thesis": "10 bars above 30",
    }
    made = {**usual, **fields}
    if made["purpose"] is Purpose.ENTRY:
        made.setdefault("protection", Protection(stop=Decimal("596.70"), target=Decimal("603.90")))
    return Order(**made)


def holding(bot: str = "spy-trend", symbol: str = "SPY", **fields: Any) -> Holding:
    """30 SPY at 599.12."""
    usual: dict[str, Any] = {
        "quantity": Decimal(30),
        "average_price": Decimal("599.12"),
        "protection": Protection(stop=Decimal("596.70"), target=Decimal("603.90")),
        "entry": "hy-1",
        "opened_at": START,
        "opened_cycle": 1,
        "entered": Decimal(30),
    }
    return Holding(bot=bot, symbol=symbol, **{**usual, **fields})


def trade(number: int, profit: str, bot: str = "spy-trend") -> Trade:
    """A closed trade."""
    return Trade(
        trade_id=f"t-{number}",
        bot=bot,
        symbol="SPY",
        quantity=Decimal(30),
        entry_price=Decimal("599.12"),
        exit_price=Decimal("600.62"),
        opened_at=START,
        closed_at=START + timedelta(minutes=9),
        fees=Decimal(0),
        profit=Decimal(profit),
        reason="exit: stop_loss: price 596.60 is at or below the stop 596.70",
    )


def fill(number: int) -> Fill:
    """An execution."""
    return Fill(
        fill_id=f"f-{number}",
        venue_id=f"v-{number}",
        client_id=f"hy-{number}",
        symbol="SPY",
        side=Side.BUY,
        quantity=Decimal(30),
        price=Decimal("599.12"),
        at=START,
    )


def quote(symbol: str, mid: str) -> Quote:
    """A quote without a spread."""
    price = Decimal(mid)
    return Quote(symbol=symbol, at=START, bid=price, ask=price, bid_size=Decimal(1), ask_size=Decimal(1))


def by_bot(*records: BotRecord) -> dict[str, BotRecord]:
    """Records by their bot."""
    return {record.bot: record for record in records}


def skip(subject: str, code: str, reason: str = "because") -> Skip:
    """A skip."""
    return Skip(subject=subject, code=code, reason=reason)


def refuse(gate: str, reason: str, key: str = "", verdict: Verdict = Verdict.REFUSE) -> GateAnswer:
    """A shut gate."""
    scope = Scope.SYMBOL if key else Scope.SYSTEM
    return GateAnswer(gate=gate, scope=scope, verdict=verdict, reason=reason, key=key)


def report(
    cycle: int,
    after: Ledger,
    *,
    mode: Mode = Mode.ACTIVE,
    minutes: int | None = None,
    quotes: tuple[Quote, ...] = (),
    micros: dict[str, int] | None = None,
    failed: Mapping[str, tuple[str, str]] | None = None,
    **plan: Any,
) -> CycleReport:
    """What a cycle reports: ``plan`` are the plan's fields (``sends`` may be orders), ``after`` the ledger it ends with.

    ``failed`` are bots that failed to answer, with kind and reason: they are skipped as the engine skips them.
    """
    heard = {
        bot: Answer(bot=bot, failure=Failure(what=bot, kind=kind, reason=reason))
        for bot, (kind, reason) in (failed or {}).items()
    }
    if failed:
        abstained = (skip(bot, "abstained", f"{kind}: {reason}") for bot, (kind, reason) in failed.items())
        plan["skips"] = (*plan.get("skips", ()), *abstained)
    at = START + timedelta(minutes=cycle if minutes is None else minutes)
    local = at - timedelta(hours=5)
    by_class = {AssetClass.EQUITY: Session(open=True, phase="regular")}
    sessions = Sessions(day=local.date(), minute=local.hour * 60 + local.minute, by_class=by_class)
    sight = Sight(at=at, quotes={one.symbol: one for one in quotes}, sessions=sessions)
    after = replace(after, cycle=cycle, at=at)
    snapshot = Snapshot(run=after.run, cycle=cycle, at=at, ledger=after, sight=sight, answers=heard)
    plan["sends"] = tuple(one if isinstance(one, Send) else Send(order=one) for one in plan.get("sends", ()))
    decided = Plan(cycle=cycle, mode=mode, **plan)
    shut = {answer.gate for answer in decided.answers}
    passing = tuple(refuse(gate, "all is well", verdict=Verdict.PASS) for gate in sorted(REQUIRED) if gate not in shut)
    considered = Consideration(
        mode=mode,
        gates=(*passing, *decided.answers),
        shut=decided.answers,
        reachable="broker_reachable" not in shut,
        halts=decided.halts,
        obeyed=Obeyed(resumes=decided.resumes),
        cancels=decided.cancels,
        exits=(),
        stops=decided.stops,
        skips=decided.skips,
        questions=(),
        **_drafts(snapshot),
    )
    return CycleReport(
        snapshot=snapshot, considered=considered, plan=decided, ledger=after, micros=micros or dict(MICROS)
    )


def _drafts(snapshot: Snapshot) -> dict[str, Any]:
    return {"drafts": Drafts(snapshot)}
