"""A control run beside its original: which votes kept to what was asked for."""

from __future__ import annotations

import msgspec
import pytest

from hydra.gladiators.score.against import against
from hydra.gladiators.score.rows import VoteRow
from hydra.model.errors import BadConfig
from hydra.model.votes import Choice
from tests.gladiators.score.world import Seat, row

RULE, MODEL = Seat("A", engine="local:trend"), Seat("B", engine="openai:model")


def votes(*says_up: bool, run: str, seat: Seat = RULE) -> list[VoteRow]:
    return [row(number, seat, up, run=run) for number, up in enumerate(says_up)]


def test_the_same_votes_keep_a_control_that_asks_for_the_same() -> None:
    done = against("rescaled", votes(True, False, run="c"), votes(True, False, run="o"))
    assert done.held
    assert (done.seats[0].pairs, done.seats[0].kept, done.seats[0].p_most) == (2, 2, 0.0)


def test_an_inverted_series_asks_for_the_opposite() -> None:
    done = against("inverted", votes(False, True, run="c"), votes(True, False, run="o"))
    assert done.held
    assert done.seats[0].p_most == pytest.approx(0)
    assert not against("inverted", votes(True, run="c"), votes(True, run="o")).held


def test_the_vote_that_broke_is_named() -> None:
    done = against("headline", votes(True, True, run="c"), votes(True, False, run="o"))
    (broke,) = done.seats[0].broke
    assert not done.held
    assert (broke.seat, broke.before, broke.after, broke.asset) == ("A", Choice.SELL, Choice.BUY, "BTC-USD")
    assert done.seats[0].moves == {"BUY -> BUY": 1, "SELL -> BUY": 1}


def test_a_model_that_changes_its_mind_is_told_and_breaks_nothing() -> None:
    mine = votes(True, run="c") + votes(False, run="c", seat=MODEL)
    done = against("headline", mine, votes(True, run="o") + votes(True, run="o", seat=MODEL))
    assert done.held
    assert [(one.rules, one.kept) for one in done.seats] == [(True, 1), (False, 0)]


def test_rules_that_fall_silent_break_it_too() -> None:
    silent = [row(0, RULE, True, silent=True, run="c")]
    done = against("masked-dates", silent, votes(True, run="o"))
    assert (done.seats[0].pairs, done.seats[0].one_sided, done.held) == (0, 1, False)


def test_moments_of_one_run_alone_are_counted() -> None:
    done = against("rescaled", votes(True, True, True, run="c"), votes(True, run="o"))
    assert (done.seats[0].pairs, done.missing) == (1, 2)


def test_runs_without_a_common_moment_are_refused_and_so_is_an_unknown_control() -> None:
    other = [msgspec.structs.replace(one, asset="ETH-USD") for one in votes(True, run="o")]
    with pytest.raises(BadConfig, match="share no vote"):
        against("rescaled", votes(True, run="c"), other)
    with pytest.raises(BadConfig, match="masked-dates, rescaled, inverted, headline"):
        against("backwards", votes(True, run="c"), votes(True, run="o"))
