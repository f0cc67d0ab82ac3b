"""What the watch works out anew beside the rules: it has to come to the same."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.policy import Bucket, BudgetPolicy
from hydra.qc.rehearsal.limits import dealt
from hydra.risk.budgets import fraction_of

D = Decimal

BUDGETS = st.fixed_dictionaries(
    {
        "shares": st.tuples(*[st.integers(0, 100)] * 3).filter(lambda parts: sum(parts) > 0),
        "used": st.integers(1, 10),
        "minimum": st.integers(0, 50),
        "more": st.integers(0, 50),
        "buckets": st.lists(st.sampled_from(Bucket), min_size=1, max_size=12),
    }
)


@settings(max_examples=60, derandomize=True)
@given(drawn=BUDGETS)
def test_the_watch_deals_the_days_risk_by_itself_and_as_the_rule_does(drawn: dict[str, Any]) -> None:
    whole = D(sum(drawn["shares"])) * 10 / drawn["used"]
    minimum, maximum = D(drawn["minimum"]) / 100, D(max(1, drawn["minimum"] + drawn["more"])) / 100
    parts = {bucket.value: D(part) / whole for bucket, part in zip(Bucket, drawn["shares"], strict=True)}
    budgets = BudgetPolicy.model_construct(**parts, bot_minimum=minimum, bot_maximum=maximum)
    bots = [SimpleNamespace(id=str(n), bucket=bucket) for n, bucket in enumerate(drawn["buckets"])]
    peers = Counter(drawn["buckets"])
    policy: Any = SimpleNamespace(enabled_bots=bots, budgets=budgets)
    found = [dealt(bot.id, policy) for bot in bots]
    assert found == pytest.approx([fraction_of(bot.bucket, budgets, peers) for bot in bots])
    assert sum(found) <= 1 + D("1e-20")
