"""Rule books for tests of the engine itself: what it does with an answer, not what a rule would say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hydra.bootstrap.plugs import rule_book
from hydra.model.orders import Ceiling
from hydra.policy import Policy
from hydra.risk.plugs import Case, RuleBook


def generous(policy: Policy, **changes: Any) -> RuleBook:
    """The policy's book with a single rule, which admits whatever is asked; ``changes`` are other parts of the book."""
    return replace(rule_book(policy), rules={"generous": _all_of_it}, **changes)


def _all_of_it(case: Case) -> Ceiling:
    return Ceiling(rule="generous", quantity=case.asked, reason="as asked")
