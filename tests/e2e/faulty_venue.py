"""A broker plug of another distribution: the simulated exchange, telling of its account what a test's plan says.

The plan is a file in the folder Hydra was started in, read at every question, so a running engine can be told otherwise.
It is put on the path together with a ``dist-info`` that offers it as the entry point ``faulty`` of ``hydra.brokers``.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from hydra.bootstrap.venues import Source, VenueDoors, simulated
from hydra.model import values
from hydra.model.portfolio import Account
from hydra.policy import Policy

PLAN = Path("plan")
CHANGES: dict[str, dict[str, Any]] = {
    "nan": {"equity": Decimal("NaN")},
    "blocked": {"blocked": True},
    "inactive": {"status": "ACCOUNT_CLOSED"},
    "negative": {"equity": Decimal(-5)},
}
"""What the account is said to be, by plan. ``silent``, ``none`` and ``down`` answer nothing, nonsense, and not at all."""


class FaultyBroker:
    """A broker that passes everything on but the account."""

    def __init__(self, broker: Any) -> None:
        self._broker = broker

    def account(self) -> Any:
        """The account, as the plan wants it."""
        account: Account = self._broker.account()
        plan = PLAN.read_text().strip() if PLAN.exists() else ""
        if plan == "silent":
            raise TimeoutError("no answer from the venue")
        if plan == "none":
            return None
        changes: dict[str, Any] = CHANGES.get(plan, {})
        return values.replace(account, **changes)

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._broker, name)
        if name not in ("positions", "open_orders", "fills", "activities", "now"):
            return asked

        def ask(*arguments: Any) -> Any:
            if PLAN.exists() and PLAN.read_text().strip() == "down":
                raise ConnectionError("the venue is down")
            return asked(*arguments)

        return ask


def make(policy: Policy, state_dir: Path, source: Source, stop: threading.Event) -> VenueDoors:
    """The simulated venue behind the faulty broker (entry point)."""
    doors = simulated(policy, state_dir, source, stop)
    return replace(doors, broker=FaultyBroker(doors.broker))
