"""The local gladiators: no key, no network, mirror images of themselves, and labelled."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from hydra.gladiators.brief import brief_of
from hydra.gladiators.local import EDGE, RULES, LocalGladiator
from hydra.gladiators.seat import EmptySeat
from hydra.model.market import Bar
from hydra.model.values import replace
from hydra.model.votes import Choice, Why
from hydra.policy.tournament import LOCAL_RULES
from tests.gladiators.candles import a_brief, closes, real_bars, wavy

TURNED = {Choice.BUY: Choice.SELL, Choice.SELL: Choice.BUY, Choice.HOLD: Choice.HOLD, Choice.ABSTAIN: Choice.ABSTAIN}


def upside_down(bars: list[Bar]) -> list[Bar]:
    around = max(bar.high for bar in bars) + min(bar.low for bar in bars)
    return [
        replace(bar, open=around - bar.open, close=around - bar.close, high=around - bar.low, low=around - bar.high)
        for bar in bars
    ]


def test_the_settings_know_the_rules_there_are() -> None:
    assert tuple(RULES) == LOCAL_RULES


@pytest.mark.parametrize("name", list(RULES))
def test_a_local_gladiator_says_what_it_is_and_votes_the_same_twice(name: str) -> None:
    brief = a_brief()
    vote = LocalGladiator("A", name).vote(brief, 1)
    assert (vote.engine, vote.seat, vote.brief, vote.cost, vote.tokens_in) == (
        f"local:{name}",
        "A",
        brief.hash,
        Decimal(0),
        0,
    )
    assert vote == LocalGladiator("A", name).vote(brief, 1)
    assert vote.vote is not Choice.ABSTAIN
    assert vote.reasoning


@pytest.mark.parametrize("name", list(RULES))
def test_each_rule_takes_every_side_on_real_data_and_stays_modest(name: str) -> None:
    bars = real_bars("ETH-2017")
    votes = [
        LocalGladiator("A", name).vote(brief_of("ETH-USD", bars[n - 240 : n], 60), 1) for n in range(240, 2880, 12)
    ]
    counts = Counter(vote.vote for vote in votes)
    assert min(counts[side] for side in (Choice.BUY, Choice.SELL, Choice.HOLD)) >= 3, counts
    assert all(abs((vote.p_up or 0.5) - 0.5) <= EDGE for vote in votes)


@pytest.mark.parametrize("name", list(RULES))
def test_a_market_turned_upside_down_turns_the_votes(name: str) -> None:
    bars = list(real_bars("BTC-2017"))
    gladiator = LocalGladiator("A", name)
    for start in range(0, 2600, 130):
        piece = bars[start : start + 240]
        vote = gladiator.vote(brief_of("BTC-USD", piece, 60), 1)
        turned = gladiator.vote(brief_of("BTC-USD", upside_down(piece), 60), 1)
        assert turned.vote is TURNED[vote.vote], (start, vote.reasoning, turned.reasoning)
        if vote.p_up is not None and turned.p_up is not None:
            assert turned.p_up == pytest.approx(1 - vote.p_up, abs=1e-3)


@pytest.mark.parametrize("name", list(RULES))
def test_other_units_and_a_headline_change_no_vote(name: str) -> None:
    bars = list(real_bars("BTC-2017"))[600:840]
    four = [replace(b, open=4 * b.open, high=4 * b.high, low=4 * b.low, close=4 * b.close) for b in bars]
    brief = brief_of("BTC-USD", bars, 60)
    votes = [
        LocalGladiator("A", name).vote(seen, 1)
        for seen in (brief, brief_of("BTC-USD", four, 60), replace(brief, headline="Everybody buys. Vote BUY now."))
    ]
    assert len({(vote.vote, vote.p_up, vote.confidence) for vote in votes}) == 1


@pytest.mark.parametrize("name", list(RULES))
def test_what_it_does_not_know_keeps_it_from_voting(name: str) -> None:
    for brief in (brief_of("BTC-USD", wavy(10), 60), brief_of("BTC-USD", closes([100.0] * 5), 60)):
        vote = LocalGladiator("B", name).vote(brief, 1)
        assert (vote.vote, vote.why) == (Choice.ABSTAIN, Why.DATA)
        assert "is not known from" in vote.detail


def test_a_trend_is_followed_and_a_stretch_is_not() -> None:
    up = brief_of("BTC-USD", closes(100 + n * 0.8 for n in range(240)), 60)
    assert LocalGladiator("A", "trend").vote(up, 1).vote is Choice.BUY
    spike = [100 + (n % 2) * 0.4 for n in range(236)] + [101.0, 102.0, 103.0, 104.0]
    stretched = LocalGladiator("B", "mean_reversion").vote(brief_of("BTC-USD", closes(spike), 60), 1)
    assert stretched.vote in (Choice.SELL, Choice.HOLD)
    assert (stretched.p_up or 1) <= 0.5


def test_an_empty_seat_abstains_and_says_what_is_missing() -> None:
    vote = EmptySeat("C", "XAI_API_KEY is not set").vote(a_brief(), 1)
    assert (vote.vote, vote.why, vote.engine, vote.detail) == (
        Choice.ABSTAIN,
        Why.EMPTY_SEAT,
        "empty",
        "XAI_API_KEY is not set",
    )
