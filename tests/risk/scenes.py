"""A healthy snapshot to spoil, and cases built on it."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from hydra.bootstrap.plugs import rule_book
from hydra.model.market import usual_instrument
from hydra.model.orders import Order, OrderStatus, OrderType, Protection, Purpose, Side
from hydra.model.portfolio import Day, Holding
from hydra.model.snapshot import Snapshot
from hydra.model.values import replace
from hydra.policy import Policy
from hydra.risk.plugs import Case, RuleBook
from hydra.risk.standing import standing_of
from tests.fakes.outside import BOT, OPEN, Stage, entry, policy, scripted

D = Decimal


@lru_cache(maxsize=1)
def healthy() -> Snapshot:
    """Second cycle of a quiet day: everything answered, nothing held, 100,000 dollars."""
    stage = Stage({BOT: scripted({})})
    stage.step(2)
    return stage.reports[-1].snapshot


@lru_cache(maxsize=1)
def book() -> RuleBook:
    return rule_book(policy())


def with_ledger(snapshot: Snapshot | None = None, **changes: Any) -> Snapshot:
    snapshot = snapshot or healthy()
    return replace(snapshot, ledger=replace(snapshot.ledger, **changes))


def with_sight(snapshot: Snapshot | None = None, **changes: Any) -> Snapshot:
    snapshot = snapshot or healthy()
    return replace(snapshot, sight=replace(snapshot.sight, **changes))


def with_account(**changes: Any) -> Snapshot:
    account = healthy().sight.account
    assert account is not None
    return with_sight(account=replace(account, **changes))


def holding(symbol: str = "SPY", quantity: Any = 10, price: Any = 100, stop: Any = 95, **more: Any) -> Holding:
    """Ten shares bought at 100 with the stop at 95; with ``structure``, a leg of it, which has no stop."""
    fields: dict[str, Any] = {"bot": BOT, "entry": "e0", "opened_at": OPEN, "opened_cycle": 1} | more
    guard = Protection(stop=D(str(stop)), target=fields.pop("target", None))
    return Holding(
        symbol=symbol,
        quantity=D(str(quantity)),
        average_price=D(str(price)),
        protection=None if fields.get("structure") else guard,
        entered=abs(D(str(quantity))),
        **fields,
    )


def order(client_id: str = "o1", **more: Any) -> Order:
    fields: dict[str, Any] = {
        "bot": BOT,
        "symbol": "SPY",
        "side": Side.BUY,
        "quantity": D(10),
        "order_type": OrderType.MARKET,
        "purpose": Purpose.ENTRY,
        "status": OrderStatus.ACCEPTED,
        "reference": D(100),
        "sent_at": OPEN,
    } | more
    if fields["purpose"] is Purpose.ENTRY:
        fields.setdefault("protection", Protection(stop=D(95)))
    return Order(client_id=client_id, run="run-1", cycle=1, **fields)


def case(snapshot: Snapshot | None = None, *, rules: Policy | None = None, **changes: Any) -> Case:
    """1000 shares wished at 100.00 with the stop at 95.00, in an account of 100,000 that began its day with as much."""
    snapshot = snapshot or healthy()
    rules = rules or policy()
    if snapshot.ledger.day is not None and "day" in changes:
        snapshot = with_ledger(snapshot, day=Day(date=snapshot.ledger.day.date, start_equity=changes.pop("day")))
    fields: dict[str, Any] = {
        "intent": entry(stop=95, target=None),
        "instrument": usual_instrument("SPY"),
        "quote": snapshot.sight.quotes.get("SPY", healthy().sight.quotes["SPY"]),
        "price": D(100),
        "unit_cost": D(100),
        "risk_per_unit": D(5),
        "asked": D(1000),
        "equity": D(100_000),
        "standing": standing_of(snapshot.ledger),
    } | changes
    return Case(snapshot=snapshot, policy=rules, bot=rules.bots[0], **fields)
