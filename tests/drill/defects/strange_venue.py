"""A broker plug of another distribution: the simulated exchange, telling otherwise of one thing as long as a plan says so.

The plan is a JSON file in the folder Hydra was started in: ``account`` are fields told otherwise, ``cash`` and ``equity`` are added to what is
there, ``none`` and ``silent`` name questions that get nonsense or no answer, ``held`` is a position beside the others, ``gone`` has all of
them be none, and ``apart`` has the fraction by which bid and ask of a symbol differ.
"""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from hydra.bootstrap.venues import Source, VenueDoors, simulated
from hydra.model import values
from hydra.model.market import Quote
from hydra.model.portfolio import Account, Position
from hydra.model.snapshot import Scope, Snapshot
from hydra.policy import Policy
from hydra.risk.plugs import Gate, Reply, no, yes

PLAN = Path("plan.json")
_MONEY = ("equity", "cash", "buying_power")


class StrangeBroker:
    """A broker that passes everything on but what the plan names."""

    def __init__(self, broker: Any) -> None:
        self._broker = broker

    def identity(self) -> Any:
        """Who answers, as the plan wants it."""
        return values.replace(self._broker.identity(), **_plan().get("identity", {}))

    def account(self) -> Any:
        """The account, as the plan wants it."""
        plan = _plan()
        if (told := _refused(plan, "account")) is not _ANSWERED:
            return told
        account: Account = self._broker.account()
        changes = {key: Decimal(text) if key in _MONEY else text for key, text in plan.get("account", {}).items()}
        added = {key: getattr(account, key) + Decimal(plan[key]) for key in _MONEY if key in plan}
        return values.replace(account, **{**added, **changes})

    def positions(self) -> Any:
        """What is held, as the plan wants it."""
        plan = _plan()
        if (told := _refused(plan, "positions")) is not _ANSWERED:
            return told
        held: tuple[Position, ...] = () if plan.get("gone") else self._broker.positions()
        if "held" in plan:
            quantity, price = Decimal(plan["held"]["quantity"]), Decimal(100)
            held += (Position(symbol=plan["held"]["symbol"], quantity=quantity, average_price=price),)
        return held

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)


class StrangeMarket:
    """A market that tells another quote of the symbols the plan names: its middle, and how far apart bid and ask are."""

    def __init__(self, market: Any) -> None:
        self._market = market

    def poll(self, *arguments: Any) -> Any:
        """Quotes and bars, as the plan wants them."""
        told, plan = self._market.poll(*arguments), _plan().get("apart", {})
        return values.replace(told, quotes=tuple(_apart(quote, plan) for quote in told.quotes))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._market, name)


def _apart(quote: Quote, plan: dict[str, str]) -> Quote:
    if quote.symbol not in plan:
        return quote
    half = quote.mid * Decimal(plan[quote.symbol]) / 2
    return values.replace(quote, bid=quote.mid - half, ask=quote.mid + half)


_ANSWERED = object()


def _plan() -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(PLAN.read_text()) if PLAN.exists() else {}
    return plan


def _refused(plan: dict[str, Any], what: str) -> object:
    if plan.get("silent") == what:
        raise TimeoutError("no answer from the venue")
    return None if plan.get("none") == what else _ANSWERED


def _shut(_snapshot: Snapshot, _policy: Policy, _key: str) -> Reply:
    phase = _plan().get("moon")
    return yes("no moon is seen") if phase is None else no(f"the moon is {phase}")


moon = Gate(name="moon", scope=Scope.SYSTEM, ask=_shut)
"""A gate of another distribution (entry point)."""


def make(policy: Policy, state_dir: Path, source: Source, stop: threading.Event) -> VenueDoors:
    """The simulated venue behind strange doors (entry point)."""
    doors = simulated(policy, state_dir, source, stop)
    return replace(doors, broker=StrangeBroker(doors.broker), market=StrangeMarket(doors.market))
