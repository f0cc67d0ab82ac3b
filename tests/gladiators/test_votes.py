"""Votes: one that exists holds."""

from __future__ import annotations

from decimal import Decimal
from math import inf, nan
from typing import Any

import pytest

from hydra.model.errors import Invalid
from hydra.model.values import decode, encode
from hydra.model.votes import Choice, Vote, Why, abstain

GOOD: dict[str, Any] = {"seat": "A", "vote": Choice.BUY, "confidence": 0.6, "p_up": 0.7, "engine": "local:trend"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"seat": "E"}, "seat"),
        ({"seat": "X0"}, "seat"),
        ({"confidence": 1.7}, "confidence must be from 0 to 1"),
        ({"confidence": nan}, "confidence"),
        ({"confidence": -0.1}, "confidence"),
        ({"confidence": True}, "confidence"),
        ({"p_up": inf}, "p_up"),
        ({"p_up": None}, "has a p_up"),
        ({"why": Why.TIMEOUT}, "nothing that kept it"),
        ({"detail": "late"}, "nothing that kept it"),
        ({"engine": ""}, "engine"),
        ({"reasoning": "x" * 2001}, "visible characters"),
        ({"reasoning": "\x1b[2J"}, "visible characters"),
        ({"attempts": -1}, "attempts"),
        ({"cost": Decimal(-1)}, "cost"),
        ({"cost": Decimal("NaN")}, "cost"),
        ({"vote": Choice.ABSTAIN}, "abstention says why"),
        ({"vote": Choice.ABSTAIN, "why": Why.TIMEOUT, "p_up": None}, "no confidence"),
    ],
)
def test_a_vote_that_cannot_be_is_refused_by_name(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        Vote(**(GOOD | changes))


def test_votes_survive_the_wire_and_an_abstention_is_made_harmless() -> None:
    vote = Vote(**GOOD, cost=Decimal("0.0012"), recordings=("ab",), reasoning="up")
    assert decode(encode(vote), Vote) == vote
    late = abstain("X12", Why.TIMEOUT, "no\nvote [bold]in[/bold] 3 s", engine="openai:m")
    assert late.detail == "no vote in 3 s"
    assert decode(encode(late), Vote) == late
