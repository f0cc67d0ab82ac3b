"""The day's risk really adds up, bucket by bucket and bot by bot, or it is a no with the numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.policy import Bucket, BudgetPolicy, Policy
from hydra.qc.budgets import ask
from tests.fakes.outside import policy

BUCKETS = ("momentum", "options", "crypto")


def dealt(bots: list[str], **budgets: Any) -> Policy:
    """A policy with bots in these buckets. Nothing is validated: what cannot be written in a file is planted here."""
    rules = policy(bots=[{"id": f"b{n}", "bucket": Bucket(bucket)} for n, bucket in enumerate(bots)])
    numbers = {name: Decimal(str(value)) for name, value in budgets.items()}
    return rules.model_copy(update={"budgets": rules.budgets.model_copy(update=numbers)})


def test_the_default_shares_are_told_with_their_numbers() -> None:
    told = ask(dealt(["momentum", "momentum", "momentum", "options", "crypto"]))
    assert told.good
    assert told.reason == (
        "momentum 25% to 3 bots: 8.33% each; options 50% to 1 bot: 50% each; crypto 25% to 1 bot: 25% each; "
        "together 100% of the day's risk, which is 2% of the day's first equity"
    )


def test_buckets_of_more_than_all_of_it_are_a_no() -> None:
    told = ask(dealt(list(BUCKETS), momentum=0.6, options=0.5, crypto=0.25))
    assert told.good is False
    assert told.reason.startswith("momentum 60%, options 50%, crypto 25% add up to 135%, at most 100%; ")


def test_buckets_in_use_that_add_up_to_more_than_all_of_it_are_a_no_of_the_bots_too() -> None:
    told = ask(dealt(["momentum"] * 3 + ["options"] * 3, momentum=0.9, options=0.6, crypto=0))
    assert "the bots' shares add up to 150%, at most 100%" in told.reason


def test_a_bot_in_a_bucket_without_a_share_is_a_no() -> None:
    told = ask(dealt(["crypto"], crypto=0))
    assert (told.good, told.reason.split(";")[0]) == (
        False,
        "bots are enabled in crypto, which has no share of the risk",
    )


def test_no_bot_and_no_risk_are_each_a_no() -> None:
    rules = dealt(["crypto"])
    assert ask(dealt([])).reason == "no bot is enabled"
    none = rules.model_copy(update={"risk": rules.risk.model_copy(update={"daily_loss": Decimal(0)})})
    assert "the day's risk is 0% of equity" in ask(none).reason


parts = st.integers(0, 100).map(lambda n: Decimal(n) / 100)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(bots=st.lists(st.sampled_from(BUCKETS), min_size=1, max_size=40), fractions=st.tuples(parts, parts, parts))
def test_whatever_a_policy_may_say_adds_up_and_what_it_may_not_does_not_pass(
    bots: list[str], fractions: tuple[Decimal, Decimal, Decimal]
) -> None:
    numbers = dict(zip(BUCKETS, fractions, strict=True))
    empty = any(numbers[bucket] == 0 for bucket in bots)
    good = ask(dealt(bots, **numbers)).good
    assert good is (sum(fractions) <= 1 and not empty)
    if sum(fractions) <= 1:
        BudgetPolicy.model_validate({**numbers, "bot_minimum": "0.05", "bot_maximum": "0.5"})


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_however_many_share_a_bucket_rounding_is_no_fault(count: int) -> None:
    assert ask(dealt(["momentum"] * count, momentum=1, options=0, crypto=0)).good
