"""Recorded and invented chains: what is built at which minute, checked by hand against the files' own quotes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

import pytest

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets.feed import Feed
from hydra.adapters.markets.ladders import Listing
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.adapters.markets.synthetic import SyntheticFeed
from hydra.bots.options.contracts import Look, terms_of
from hydra.bots.options.search import Finding, search
from hydra.policy import OptionPolicy, OptionsPolicy, StructureName
from tests.shared_data import shared_data

D = Decimal
NAMES = StructureName
CHRISTMAS_EVE = datetime(2015, 12, 24, tzinfo=UTC)
AUGUST = datetime(2023, 8, 3, tzinfo=UTC)


@lru_cache(maxsize=2)
def recorded(symbol: str, day: datetime) -> RecordedFeed:
    return RecordedFeed.open([shared_data()], symbols=[symbol], start=day, end=day + timedelta(days=1))


def seen(feed: Feed, symbol: str, at: datetime, policy: OptionPolicy, rate: str) -> Finding:
    options = OptionsPolicy(rate=D(rate))
    spot = feed.quotes(at)[symbol].mid
    near = (q for q in feed.chain(symbol, at) if abs(terms_of(q.symbol).strike - spot) <= options.width * spot)
    look = Look(at=at, day=at.date(), root=symbol, spot=spot, policy=policy, stale=options.stale_after)
    return search(near, look, options)


def goog(structure: StructureName, hour: int, minute: int, **more: Any) -> Finding:
    spread = structure not in (NAMES.CASH_SECURED_PUT, NAMES.LONG_STRADDLE)
    fields: dict[str, Any] = {"delta": D("0.25"), "width": D(10) if spread else None, "open_interest_least": 20} | more
    policy = OptionPolicy(structure=structure, days_least=5, days_most=60, **fields)
    at = CHRISTMAS_EVE + timedelta(hours=hour, minutes=minute)
    return seen(recorded("GOOG", CHRISTMAS_EVE), "GOOG", at, policy, "0.005")


def spy(at: datetime, **more: Any) -> Finding:
    policy = OptionPolicy(structure=NAMES.LONG_STRADDLE, days_least=5, days_most=60, **more)
    return seen(recorded("SPY", AUGUST), "SPY", at, policy, "0.053")


@pytest.mark.parametrize(
    ("structure", "symbols", "paid", "most_lost"),
    [
        # 735 puts at 2.85 x 3.40, 725 puts at 1.25 x 1.50: 2.85 - 1.50
        pytest.param(
            NAMES.BULL_PUT_SPREAD, ["GOOG151231P00725000", "GOOG151231P00735000"], "-1.35", 865, id="bull_put_spread"
        ),
        pytest.param(NAMES.CASH_SECURED_PUT, ["GOOG151231P00735000"], "-2.85", 73_215, id="cash_secured_put"),
        # 747.50: calls at 6.60 x 7.00, puts at 6.90 x 7.50
        pytest.param(
            NAMES.LONG_STRADDLE, ["GOOG151231C00747500", "GOOG151231P00747500"], "14.50", 1450, id="long_straddle"
        ),
        pytest.param(
            NAMES.BEAR_CALL_SPREAD, ["GOOG160115C00770000", "GOOG160115C00780000"], "-1.90", 810, id="bear_call_spread"
        ),
        pytest.param(
            NAMES.IRON_CONDOR,
            ["GOOG160115P00715000", "GOOG160115P00725000", "GOOG160115C00770000", "GOOG160115C00780000"],
            "-3.60",
            640,
            id="iron_condor",
        ),
    ],
)
def test_google_on_christmas_eve_at_ten(
    structure: StructureName, symbols: list[str], paid: str, most_lost: int
) -> None:
    proposal = goog(structure, 15, 0).proposal
    assert proposal is not None
    assert [leg.symbol for leg in proposal.legs] == symbols
    assert (proposal.paid, proposal.most_lost) == (D(paid), D(most_lost))


def test_google_admits_a_structure_in_most_minutes_before_the_early_close() -> None:
    built = [goog(NAMES.IRON_CONDOR, 14, 35 + 20 * n).proposal for n in range(10)]
    assert sum(proposal is not None for proposal in built) >= 8
    assert {proposal.most_lost for proposal in built if proposal is not None} <= {D(n) for n in range(500, 800, 5)}


def test_googles_chain_says_what_it_refuses() -> None:
    finding = goog(NAMES.BULL_PUT_SPREAD, 15, 0, volume_least=1000)
    assert finding.proposal is None
    assert finding.rule == "volume"
    assert finding.out["volume"] > 100
    assert "at least 1000" in finding.reasons[0]


def test_spys_chain_has_no_open_interest_so_a_rule_for_it_refuses_unless_it_is_waived() -> None:
    at = AUGUST + timedelta(hours=15)
    refused = spy(at, delta_band=D("0.4"), open_interest_least=20)
    assert (refused.rule, refused.out) == ("open_interest", {"open_interest": 4})
    straddle = spy(at, delta_band=D("0.4"), open_interest_least=20, waive=("open_interest",)).proposal
    assert straddle is not None
    assert [leg.symbol for leg in straddle.legs] == ["SPY230901C00430000", "SPY230901P00430000"]
    assert (straddle.paid, straddle.most_lost) == (D("22.86") + D("2.22"), D(2508))


def test_spys_strikes_are_too_far_from_the_money_for_the_usual_band() -> None:
    refused = spy(AUGUST + timedelta(hours=15))
    assert refused.rule == "delta"
    assert "nearest to the money is 430" in refused.reasons[0]


@lru_cache(maxsize=1)
def invented() -> SyntheticFeed:
    listing = Listing(underlyings=("SPY",), days=40)
    return SyntheticFeed(7, ["SPY"], date(2025, 1, 6), ExchangeCalendar(), options=listing)


@pytest.mark.parametrize("structure", list(NAMES))
def test_the_invented_market_says_its_greeks_and_they_are_used(structure: StructureName) -> None:
    """Its deltas are the venue's, so nothing has to be priced; the structure is built from them."""
    feed = invented()
    at = datetime(2025, 1, 6, 16, 0, tzinfo=UTC)
    spread = structure not in (NAMES.CASH_SECURED_PUT, NAMES.LONG_STRADDLE)
    policy = OptionPolicy(structure=structure, days_least=5, days_most=60, width=D(5) if spread else None)
    finding = seen(feed, "SPY", at, policy, "0.04")
    assert finding.proposal is not None, finding
    deltas = {quote.symbol: quote.delta for quote in feed.chain("SPY", at)}
    assert all(part.priced.delta == deltas[part.priced.contract.symbol] for part in finding.proposal.parts)
    assert "priced" not in finding.out
