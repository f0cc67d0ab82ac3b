"""Lines of a vote history: what is taken, and what is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hydra.gladiators.score.rows import rows_of, runs_of
from hydra.model.errors import Corrupt
from hydra.model.votes import Choice


def line(**changed: Any) -> bytes:
    told = {
        "run": "r1", "iteration": 1, "timestamp": "2026-01-05T00:00:00Z", "asset": "BTC-USD", "seat": "A", "vote": "BUY",
        "confidence": 0.6, "p_up": 0.6, "reasoning": "because", "why": "", "engine": "local:trend", "cost": "0.001",
    }  # fmt: skip
    return json.dumps({key: value for key, value in (told | changed).items() if value != "left out"}).encode() + b"\n"


def test_a_line_is_read_and_keys_nobody_knows_are_passed_over() -> None:
    (row,) = rows_of([line(later_key=3)])
    assert (row.vote, row.p_up, row.voted) == (Choice.BUY, 0.6, True)


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({"p_up": 1.5}, "p_up must be within 0 and 1, got 1.5"),
        ({"p_up": -0.1}, "p_up"),
        ({"confidence": 1.7}, "confidence must be within 0 and 1, got 1.7"),
        ({"vote": "ABSTAIN"}, "p_up must be absent from an ABSTAIN"),
        ({"vote": "MAYBE"}, "MAYBE"),
        ({"cost": "-1"}, "cost"),
        ({"cost": "NaN"}, "cost"),
        ({"iteration": -1}, "iteration"),
        ({"tokens_in": -5}, "tokens_in"),
        ({"timestamp": "2026-01-05T00:00:00"}, "timestamp"),
        ({"timestamp": "2026-01-05T02:00:00+02:00"}, "UTC"),
        ({"seat": ""}, "seat"),
        ({"asset": "left out"}, "asset"),
    ],
)
def test_what_cannot_be_is_refused_by_line_and_name(changed: dict[str, Any], found: str) -> None:
    with pytest.raises(Corrupt, match=r"line 2") as refused:
        rows_of([line(), line(**({"iteration": 2} | changed))])
    assert found in str(refused.value)


@pytest.mark.parametrize("text", [b'{"run": NaN}\n', b"nonsense\n", b"[1]\n", b"\xff\xfe\n", b"[" * 100_000 + b"\n"])
def test_what_is_no_vote_at_all_is_refused(text: bytes) -> None:
    with pytest.raises(Corrupt, match=r"line 1"):
        rows_of([text])


def test_nan_is_no_probability() -> None:
    with pytest.raises(Corrupt, match=r"line 1"):
        rows_of([line().replace(b'"p_up": 0.6', b'"p_up": NaN')])


def test_a_torn_last_line_is_not_there_and_a_torn_line_in_the_middle_is_damage() -> None:
    torn = line(iteration=2)[:40]
    assert len(rows_of([line(), torn])) == 1
    with pytest.raises(Corrupt, match=r"line 2"):
        rows_of([line(), torn, line(iteration=3)])
    assert len(rows_of([line(), line(iteration=2).rstrip(b"\n")])) == 2


def test_nobody_votes_twice() -> None:
    with pytest.raises(Corrupt, match=r"seat A voted twice in iteration 1 of run r1"):
        rows_of([line(), line(vote="SELL")])


def test_runs_are_told_in_the_order_in_which_they_began() -> None:
    rows = rows_of([line(run="z"), b"\n", line(run="a"), line(run="z", iteration=2)])
    assert runs_of(rows) == ("z", "a")
