"""What an answer must be made of before anyone builds on it: a type per question.

A port that answers with something else (``None`` included, where an answer is owed) has not answered. Without this a
silent ``None`` would read as *unchanged*, and a wrong type would be journaled in a line that cannot be read again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from hydra.engine.outside import Outside
from hydra.guard import Outcome, attempt
from hydra.model.market import Instrument, OptionQuote
from hydra.model.orders import VenueOrder
from hydra.model.portfolio import Account, Binding, Position
from hydra.model.snapshot import Command, Failure, Probe, Sessions
from hydra.ports import ActivityPage, Cursors, FillPage, MarketData

_ONE: dict[str, type] = {
    "venue_clock": datetime,
    "account": Account,
    "fills": FillPage,
    "activities": ActivityPage,
    "cursors": Cursors,
    "sessions": Sessions,
    "binding": Binding,
    "market": MarketData,
}
_MANY: dict[str, type] = {
    "positions": Position,
    "open_orders": VenueOrder,
    "instruments": Instrument,
    "inbox": Command,
}
CHAIN = "chain "
"""What the question for an underlying's chain begins with."""


def ask_all(outside: Outside, questions: Mapping[str, Callable[[], Any]]) -> dict[str, Outcome[Any]]:
    """Ask everything once; for every name an answer of the right make, or a failure."""
    answers = outside.read_all(questions)
    checked: dict[str, Outcome[Any]] = {}
    for name in questions:
        outcome = answers.get(name)
        if outcome is None:
            outcome = Outcome(failure=Failure(what=name, kind="nonsense", reason="neither an answer nor a failure"))
        elif outcome.failure is None and type(outcome.value) is not _ONE.get(name) and not _fits(name, outcome.value):
            outcome = Outcome(failure=_nonsense(name, outcome.value))
        checked[name] = outcome
    return checked


def ask_order(outside: Outside, client_id: str) -> Outcome[VenueOrder | None]:
    """Look one order up by its client id; ``None`` when the venue says that it has none."""
    outcome = attempt("order", lambda: outside.broker.order(client_id))
    report = outcome.value
    if report is None or (type(report) is VenueOrder and report.client_id == client_id):
        return outcome
    return Outcome(failure=_nonsense("order", report))


def _fits(name: str, value: Any) -> bool:
    if name in _ONE:
        return type(value) is _ONE[name]
    make = _MANY.get(name)
    if make is None and name.startswith(CHAIN):
        make = OptionQuote
    if make is not None:
        return type(value) is tuple and (not value or set(map(type, value)) == {make})
    assert name == "probes", f"no make is known for the answer to {name}"
    return isinstance(value, Mapping) and set(map(type, value.values())) <= {Probe}


def _nonsense(name: str, value: Any) -> Failure:
    return Failure(what=name, kind="nonsense", reason=f"answered with a {type(value).__name__}")
