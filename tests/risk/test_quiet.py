"""Exits and kills ahead of time: a glance at the extremes of a stretch says what going through all of it does."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.portfolio import Ledger
from hydra.policy import BotPolicy, Policy
from hydra.policy.bots import TrailingPolicy
from hydra.risk.plugs import RuleBook
from hydra.risk.quiet import EXITS, KILLS, Ahead, Line, Speakers
from tests.fakes.outside import OPEN
from tests.risk.scenes import book, healthy, holding, with_ledger

MINUTE = 60_000_000
NOW = int(OPEN.timestamp() * 1e6)
MOVES = st.lists(st.integers(-300, 300), min_size=1, max_size=20)
BOT: dict[str, Any] = {
    "break_even": Decimal("0.01"),
    "time_stop_minutes": 12,
    "trailing": TrailingPolicy(by="percent", distance=Decimal("0.015")),
}


def stretch(moves: list[int], units: int, count: int, *, gap: bool = False) -> Ahead:
    """The first ``count`` minutes of a price that begins at 100 dollars and moves by cents."""
    close = 100 + np.cumsum(moves) / 100
    at = NOW + MINUTE * np.arange(1, len(moves) + 1)
    high, low, cut = (close + 0.05)[:count], (close - 0.05)[:count], close[:count]
    known = at[0] + np.zeros(count, np.int64) if gap else None
    line = Line(cut, high, low, known, units * cut, float(units), 100.0, float(high.max()), float(low.min()))
    sessions = healthy().sight.sessions
    assert sessions is not None
    return Ahead.over(at[:count], 99_000.0, {"SPY": line}, 0.0001, NOW, sessions)


def scene(units: int) -> tuple[Ledger, Policy, BotPolicy]:
    """Shares held long or short, with a stop and a target near by, and limits of the day that are."""
    stop, target = (98, 102) if units > 0 else (102, 98)
    held = holding(quantity=units, stop=stop, target=Decimal(target), best=Decimal(100), fees=Decimal(1))
    ledger = with_ledger(holdings={held.key: held}, peak_equity=Decimal(100_100)).ledger
    rules = book().policy
    risk = rules.risk.model_copy(
        update={
            "daily_loss": Decimal("0.0002"),
            "drawdown": Decimal("0.0003"),
            "stale_minutes": 7,
            "jump": Decimal("0.02"),
        }
    )
    bot = rules.bots[0].model_copy(update=BOT)
    return ledger, rules.model_copy(update={"risk": risk}), bot


def only(*names: str) -> RuleBook:
    """The rule book with no kill and these exits."""
    return replace(book(), kills={}, exits={name: book().exits[name] for name in names})


@settings(derandomize=True, max_examples=80, deadline=None)
@given(moves=MOVES, units=st.sampled_from([-20, 20]), gap=st.booleans(), data=st.data())
def test_a_part_of_a_stretch_is_answered_like_the_whole(
    moves: list[int], units: int, gap: bool, data: st.DataObject
) -> None:
    ledger, rules, bot = scene(units)
    (held,) = ledger.holdings.values()
    count = data.draw(st.integers(1, len(moves)))
    whole, part = stretch(moves, units, len(moves), gap=gap), stretch(moves, units, count, gap=gap)
    for kill in KILLS.values():
        assert kill(ledger, rules, part) == min(kill(ledger, rules, whole), count)
    for leave in EXITS.values():
        assert leave(held, ledger, rules, bot, part) == min(leave(held, ledger, rules, bot, whole), count)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(moves=MOVES, units=st.sampled_from([-20, 20]))
def test_a_stop_and_a_target_speak_at_the_first_bar_that_reaches_them(moves: list[int], units: int) -> None:
    ledger, rules, bot = scene(units)
    (held,) = ledger.holdings.values()
    ahead = stretch(moves, units, len(moves))
    line, wide = ahead.lines["SPY"], 0.0001 + 1e-9
    falls = [place for place, low in enumerate(line.low) if low * (1 - wide) <= 98]
    climbs = [place for place, high in enumerate(line.high) if high * (1 + wide) >= 102]
    stop, target = (falls, climbs) if units > 0 else (climbs, falls)
    names = {name: EXITS[one](held, ledger, rules, bot, ahead) for name, one in book().exits.items()}
    assert names["stop_loss"] == min(stop, default=len(moves))
    assert names["take_profit"] == min(target, default=len(moves))


def test_of_several_who_may_speak_at_one_instant_the_first_by_its_words_is_named() -> None:
    units = 20
    ledger, _, _ = scene(units)
    rules = only("take_profit", "stop_loss")
    wild = stretch([0, 0, 0], units, 3)
    line = wild.lines["SPY"]
    jump = np.array([0, 5, 5])
    both = line._replace(high=line.high + jump, low=line.low - jump, highest=200.0, lowest=1.0)
    (held,) = ledger.holdings.values()
    assert Speakers(rules).first(ledger, wild._replace(lines={"SPY": both})) == (1, f"exit stop_loss of {held.key}")


@pytest.mark.parametrize("name", ["a kill", "an exit"])
def test_a_plug_that_cannot_tell_may_speak_at_once(name: str) -> None:
    ledger, _, _ = scene(20)
    mine: Any = {"mine": lambda *_: None}
    told = replace(only(), kills=mine) if name == "a kill" else replace(only(), exits=mine)
    assert Speakers(told).first(ledger, stretch([0, 0], 20, 2))[0] == 0
