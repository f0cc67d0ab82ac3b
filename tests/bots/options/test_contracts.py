"""Each rule for a contract, with what it admits, what it refuses, and what it says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hydra.bots.options import contracts
from hydra.bots.options.contracts import RULES, objection
from hydra.model.errors import Invalid
from hydra.model.structures import weekdays_left
from hydra.policy import OptionsPolicy
from tests.bots.options.scenes import AT, DAY, D, contract, later, look, option, quote_of, symbol_of

PUT = symbol_of("P", 480)


@pytest.mark.parametrize(
    ("rule", "symbol", "quote", "policy", "reason"),
    [
        pytest.param("root", symbol_of("P", 480, root="SPY1"), {}, {}, "of the root SPY1, not SPY", id="adjusted"),
        pytest.param(
            "days", symbol_of("P", 480, date(2024, 3, 8)), {}, {}, "has 4 days, wanted 5 to 60", id="too near"
        ),
        pytest.param(
            "days", symbol_of("P", 480, date(2024, 5, 17)), {}, {}, "has 74 days, wanted 5 to 60", id="too far"
        ),
        pytest.param("quoted", PUT, {"bid": None}, {}, "has no bid", id="no bid"),
        pytest.param("quoted", PUT, {"ask": None}, {}, "has no ask", id="no ask"),
        pytest.param("quoted", PUT, {"bid": None, "ask": None}, {}, "has no bid and no ask", id="nothing"),
        pytest.param(
            "fresh", PUT, {"at": AT - timedelta(seconds=301)}, {}, "was quoted 301 s ago, at most 300", id="stale"
        ),
        pytest.param("locked", PUT, {"bid": "2.5", "ask": "2.5"}, {}, "is locked at 2.5", id="locked"),
        pytest.param("volume", PUT, {"volume": 9}, {"volume_least": 10}, "has volume 9, at least 10", id="volume"),
        pytest.param(
            "volume", PUT, {"volume": None}, {"volume_least": 10}, "the venue does not say its volume", id="no volume"
        ),
        pytest.param(
            "volume",
            PUT,
            {"volume": None},
            {"volume_least": 10, "waive": ("open_interest",)},
            "waive does not name it; at least 10",
            id="another waived",
        ),
        pytest.param(
            "volume",
            PUT,
            {"volume": 9},
            {"volume_least": 10, "waive": ("volume",)},
            "has volume 9, at least 10",
            id="waived but delivered",
        ),
        pytest.param(
            "open_interest",
            PUT,
            {"open_interest": 99},
            {"open_interest_least": 100},
            "has open_interest 99, at least 100",
            id="open interest",
        ),
        pytest.param(
            "open_interest",
            PUT,
            {"open_interest": None},
            {"open_interest_least": 1},
            "the venue does not say its open_interest",
            id="no open interest",
        ),
        pytest.param(
            "spread",
            PUT,
            {"bid": "1", "ask": "1.3"},
            {"spread_most": D("0.25")},
            "is 1 to 1.3, 0.26 of the middle, at most 0.25",
            id="wide",
        ),
    ],
)
def test_a_rule_refuses_with_numbers(
    rule: str, symbol: str, quote: dict[str, Any], policy: dict[str, Any], reason: str
) -> None:
    found = objection(contract(symbol, **quote), look(option(**policy)))
    assert found is not None
    assert found[0] == rule
    assert symbol in found[1]
    assert reason in found[1]


@pytest.mark.parametrize(
    ("quote", "policy"),
    [
        pytest.param({}, {}, id="all is well"),
        pytest.param({"at": AT - timedelta(seconds=300)}, {}, id="just fresh"),
        pytest.param({"volume": None, "open_interest": None}, {}, id="a minimum of nothing needs no field"),
        pytest.param({"volume": None}, {"volume_least": 10, "waive": ("volume",)}, id="waived by name"),
        pytest.param({"volume": 10}, {"volume_least": 10}, id="just enough"),
        pytest.param({"bid": "7", "ask": "9"}, {"spread_most": D("0.25")}, id="just narrow enough"),
    ],
)
def test_a_contract_that_meets_every_rule_passes(quote: dict[str, Any], policy: dict[str, Any]) -> None:
    assert objection(contract(PUT, **quote), look(option(**policy))) is None


def test_a_contract_is_out_from_four_o_clock_of_its_day_on() -> None:
    today = symbol_of("P", 480, DAY)
    policy = option(days_least=0, close_days_before=0, into_expiry=True)
    closing = datetime(2024, 3, 4, 21, 0, tzinfo=UTC)
    before = look(policy, at=closing - timedelta(seconds=1))
    assert contracts.expired(contract(today), before) is None
    assert contracts.expired(contract(today), look(policy, at=closing)) == f"{today} expired at 2024-03-04 21:00Z"


def test_a_crossed_quote_cannot_be() -> None:
    with pytest.raises(Invalid, match="crossed"):
        quote_of(PUT, bid=3, ask=2)


def test_what_would_have_to_be_closed_on_the_day_of_its_entry_is_not_entered() -> None:
    """On a Friday, a Monday's contract has three days, but no weekday more than the one before which it is closed."""
    friday = {"day": date(2024, 3, 8), "at": datetime(2024, 3, 8, 15, 0, tzinfo=UTC)}
    monday = symbol_of("P", 480, date(2024, 3, 11))
    held = contracts.Contract(terms=contracts.terms_of(monday), quote=quote_of(monday), days=3)
    assert contracts.days(held, look(option(days_least=2), **friday)) == (
        f"{monday} has 1 weekdays, to be closed 1 before expiry"
    )
    assert contracts.days(held, look(option(days_least=2, into_expiry=True), **friday)) is None


def test_stale_is_older_than_the_policy_says_or_than_two_reads_of_the_chain() -> None:
    assert OptionsPolicy().stale_after == timedelta(seconds=300)
    assert OptionsPolicy(chain_seconds=D(600)).stale_after == timedelta(seconds=1200)
    slow = look(stale=OptionsPolicy(chain_seconds=D(600)).stale_after, at=later(15))
    assert contracts.fresh(contract(PUT), slow) is None


@hypothesis_settings(derandomize=True)
@given(day=st.dates(date(2000, 1, 1), date(2090, 1, 1)), ahead=st.integers(0, 800))
def test_weekdays_are_counted_as_numpy_counts_them(day: date, ahead: int) -> None:
    expiry = day + timedelta(days=ahead)
    assert weekdays_left(day, expiry) == np.busday_count(day, expiry)


@hypothesis_settings(derandomize=True)
@given(
    volume=st.none() | st.integers(0, 100),
    interest=st.none() | st.integers(0, 100),
    least=st.tuples(st.integers(0, 100), st.integers(0, 100)),
    waive=st.sets(st.sampled_from(["volume", "open_interest"])),
)
def test_waiving_never_admits_what_is_known_to_be_too_little(
    volume: int | None, interest: int | None, least: tuple[int, int], waive: set[str]
) -> None:
    policy = option(volume_least=least[0], open_interest_least=least[1], waive=tuple(sorted(waive)))
    one = contract(PUT, volume=volume, open_interest=interest)
    for name, number, minimum in (("volume", volume, least[0]), ("open_interest", interest, least[1])):
        admitted = RULES[name](one, look(policy)) is None
        known = number is not None
        assert admitted is (minimum == 0 or (number >= minimum if known else name in waive))  # type: ignore[operator]


def test_the_spread_is_measured_against_the_middle() -> None:
    share = Decimal("0.25")
    assert contracts.spread(contract(PUT, bid="0.05", ask="0.06"), look(option(spread_most=share))) is None
    wide = contracts.spread(contract(PUT, bid="0.05", ask="0.1"), look(option(spread_most=share)))
    assert wide == f"{PUT} is 0.05 to 0.1, 0.67 of the middle, at most 0.25"
