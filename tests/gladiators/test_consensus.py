"""Consensus: all 4^4 combinations under both rules, against an oracle that was written from the words alone."""

from __future__ import annotations

import itertools
from math import exp, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.gladiators.consensus import consensus, pooled
from hydra.model.errors import Invalid
from hydra.model.votes import SEATS, Choice, Vote, Why

P_UP = {"BUY": 0.7, "SELL": 0.2, "HOLD": 0.5}
CONFIDENCE = {"A": 0.9, "B": 0.5, "C": 0.3, "D": 0.7}


def ballot(words: tuple[str, ...]) -> list[Vote]:
    return [
        Vote(seat=seat, vote=Choice.ABSTAIN, why=Why.TIMEOUT, engine="test")
        if word == "ABSTAIN"
        else Vote(seat=seat, vote=Choice(word), confidence=CONFIDENCE[seat], p_up=P_UP[word], engine="test")
        for seat, word in zip(SEATS, words, strict=True)
    ]


def oracle(words: tuple[str, ...], hold_counts: bool) -> str:
    """The rule as a sentence says it, by case and not by counting: sorted letters, looked up."""
    letters = "".join(sorted({"BUY": "b", "SELL": "s", "HOLD": "h", "ABSTAIN": ""}[word] for word in words))
    if not hold_counts:
        letters = letters.replace("h", "")
    buys = {"bb", "bbb", "bbbb", "bbs", "bbbs", "bbh", "bbbh", "bbhs"}
    sells = {letters_.translate(str.maketrans("bs", "sb")) for letters_ in buys}
    sells = {"".join(sorted(entry)) for entry in sells}
    if letters in buys:
        return "BUY"
    return "SELL" if letters in sells else "HOLD"


COMBINATIONS = list(itertools.product(("BUY", "SELL", "HOLD", "ABSTAIN"), repeat=4))


@pytest.mark.parametrize("hold_counts", [True, False], ids=["hold_counts", "hold_does_not_count"])
def test_every_combination_of_four_votes_comes_to_what_the_rule_says(hold_counts: bool) -> None:
    assert len(COMBINATIONS) == 256
    for words in COMBINATIONS:
        found = consensus(ballot(words), hold_counts=hold_counts)
        assert found.choice == oracle(words, hold_counts), words
        assert (found.buy, found.sell, found.hold, found.abstain) == tuple(
            words.count(word) for word in ("BUY", "SELL", "HOLD", "ABSTAIN")
        )
        agreeing = [CONFIDENCE[seat] for seat, word in zip(SEATS, words, strict=True) if word == found.choice]
        assert (found.agreeing, found.seats) == (len(agreeing), 4)
        assert found.confidence == pytest.approx(sum(agreeing) / len(agreeing) if agreeing else 0, abs=1e-6)
        voted = [P_UP[word] for word in words if word != "ABSTAIN"]
        if not voted:
            assert found.log_odds is None
        else:
            odds = sum(log(p / (1 - p)) for p in voted) / len(voted)
            assert found.log_odds == pytest.approx(1 / (1 + exp(-odds)), abs=1e-6)


def test_how_many_combinations_give_a_direction_is_known() -> None:
    """Random voters are judged by these counts: 256 combinations, by rule."""
    counts = {
        hold_counts: sum(consensus(ballot(words), hold_counts=hold_counts).choice != "HOLD" for words in COMBINATIONS)
        for hold_counts in (True, False)
    }
    assert counts == {
        hold_counts: sum(oracle(words, hold_counts) != "HOLD" for words in COMBINATIONS)
        for hold_counts in (True, False)
    }
    assert counts[True] < counts[False]


@pytest.mark.parametrize(
    ("words", "hold_counts", "told"),
    [
        (("BUY", "BUY", "BUY", "SELL"), True, "BUY (3/4)"),
        (("BUY", "BUY", "HOLD", "HOLD"), True, "HOLD (2/4)"),
        (("BUY", "BUY", "HOLD", "HOLD"), False, "BUY (2/4)"),
        (("BUY", "BUY", "SELL", "SELL"), False, "HOLD (0/4)"),
        (("SELL", "ABSTAIN", "ABSTAIN", "ABSTAIN"), False, "HOLD (0/4)"),
        (("ABSTAIN", "ABSTAIN", "ABSTAIN", "ABSTAIN"), True, "HOLD (0/4)"),
        (("SELL", "SELL", "ABSTAIN", "HOLD"), True, "SELL (2/4)"),
    ],
)
def test_a_consensus_is_told_as_the_records_spell_it(words: tuple[str, ...], hold_counts: bool, told: str) -> None:
    assert consensus(ballot(words), hold_counts=hold_counts).told == told


def test_more_needed_seats_ask_for_more_of_them() -> None:
    two = ballot(("BUY", "BUY", "ABSTAIN", "ABSTAIN"))
    assert consensus(two, hold_counts=True, needed=2).choice == "BUY"
    assert consensus(two, hold_counts=True, needed=3).choice == "HOLD"


def test_a_seat_that_votes_twice_and_a_rule_that_needs_nobody_are_refused() -> None:
    vote = ballot(("BUY", "BUY", "BUY", "BUY"))[0]
    with pytest.raises(Invalid, match="a seat has one vote"):
        consensus([vote, vote], hold_counts=True)
    with pytest.raises(Invalid, match="needed must be at least 1"):
        consensus([vote], hold_counts=True, needed=0)


@settings(derandomize=True, max_examples=100)
@given(st.permutations(range(4)), st.sampled_from(COMBINATIONS), st.booleans())
def test_the_order_of_votes_changes_nothing(order: list[int], words: tuple[str, ...], hold_counts: bool) -> None:
    votes = ballot(words)
    assert consensus([votes[n] for n in order], hold_counts=hold_counts) == consensus(votes, hold_counts=hold_counts)


@settings(derandomize=True, max_examples=100)
@given(st.sampled_from(COMBINATIONS), st.booleans())
def test_votes_turned_round_turn_the_choice_round(words: tuple[str, ...], hold_counts: bool) -> None:
    turned = {"BUY": "SELL", "SELL": "BUY", "HOLD": "HOLD", "ABSTAIN": "ABSTAIN"}
    found = consensus(ballot(words), hold_counts=hold_counts).choice
    assert consensus(ballot(tuple(turned[word] for word in words)), hold_counts=hold_counts).choice == turned[found]


@settings(derandomize=True, max_examples=200)
@given(st.lists(st.floats(0, 1), max_size=6))
def test_pooled_log_odds_lie_between_the_voters_and_nobody_is_certain(probabilities: list[float]) -> None:
    found = pooled(probabilities)
    if not probabilities:
        assert found is None
        return
    assert found is not None
    capped = [min(max(p, 0.01), 0.99) for p in probabilities]
    assert min(capped) - 1e-9 <= found <= max(capped) + 1e-9
    assert found == pooled(reversed(probabilities))
