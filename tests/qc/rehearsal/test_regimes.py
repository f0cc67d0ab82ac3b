"""Prices do what the regimes are called, and quotes and bars come as a user's do."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from hydra.bootstrap.rehearsal import world
from hydra.model.market import Bar
from hydra.qc.rehearsal.beats import Beat, Leap, Manner, Move
from hydra.qc.rehearsal.hours import ExchangeHours, utc
from hydra.qc.rehearsal.market import Market
from hydra.qc.rehearsal.regimes import REGIMES, Sky, Step
from tests.qc.rehearsal.stages import SEED, paper

LEG = 72
SYMBOLS = ("SPY", "AAPL", "BTC-USD")
SEEDS = range(12)


def steps(regime: str, seed: int) -> list[Step]:
    return list(REGIMES[regime].path(Sky(random.Random(seed), SYMBOLS), LEG))


def path(found: list[Step], place: int = 0) -> list[float]:
    """A symbol's price along the steps, from one."""
    prices = [1.0]
    for step in found:
        prices.append(prices[-1] * (1 + step.moves[place].points / 10_000))
    return prices


@pytest.mark.parametrize("regime", sorted(REGIMES))
@pytest.mark.parametrize("seed", [1, 2])
def test_a_regime_has_as_many_beats_as_it_was_given(regime: str, seed: int) -> None:
    found = steps(regime, seed)
    assert len(found) == LEG
    assert all(len(step.moves) == len(SYMBOLS) for step in found)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_crash_takes_ten_percent_of_every_symbol_in_minutes(seed: int) -> None:
    for place in range(len(SYMBOLS)):
        assert min(path(steps("crash", seed)[:36], place)) < 0.91


@pytest.mark.parametrize(("regime", "way"), [("trend_up", 1), ("trend_down", -1)])
def test_a_trend_goes_its_way_further_than_a_calm_market(regime: str, way: int) -> None:
    ends = [way * (path(steps(regime, seed))[-1] - 1) for seed in SEEDS]
    calm = [abs(path(steps("calm", seed))[-1] - 1) for seed in SEEDS]
    assert min(ends) > 0
    assert sum(ends) > 2 * sum(calm)


@pytest.mark.parametrize(("regime", "way"), [("gap_up", 1), ("gap_down", -1)])
def test_a_gap_is_over_night(regime: str, way: int) -> None:
    for seed in SEEDS:
        opening = next(step for step in steps(regime, seed) if step.leap is Leap.NEXT_OPEN)
        assert all(move.points * way >= 100 for move in opening.moves)


def test_a_halt_shows_nothing_to_trade_with_and_reopens_elsewhere() -> None:
    for seed in SEEDS:
        found = steps("halt", seed)
        halted = [n for n, step in enumerate(found) if step.moves[0].manner in (Manner.PAUSED, Manner.SILENT)]
        others = [n for n, step in enumerate(found) if step.moves[1].manner in (Manner.PAUSED, Manner.SILENT)]
        place, beats = (0, halted) if halted else (1, others)
        assert len(beats) > 20
        assert abs(found[beats[-1] + 1].moves[place].points) >= 100


def test_a_flat_line_does_not_move() -> None:
    assert set(path(steps("flat_line", 1))) == {1.0}


def test_an_outage_is_of_one_or_of_all() -> None:
    dark = [step for step in steps("outage_all", 1) if all(move.manner is Manner.SILENT for move in step.moves)]
    assert len(dark) > 20
    one = [sum(move.manner is Manner.SILENT for move in step.moves) for step in steps("outage_one", 1)]
    assert set(one) == {0, 1}


# -- what the tape shows


def market(day: date = date(2024, 3, 5), minute: int = 600) -> Market:
    made = replace(world(paper(), SEED, 2), starts_at=utc(day, minute))
    return Market(made, made.calendar, made.starts_at)


def bars_of(one: Market, since: datetime) -> list[Bar]:
    return [bar for bar in one.tape.bars(since, one.now) if bar.symbol == "SPY"]


def test_most_beats_show_no_new_bar_and_a_bar_is_what_the_minute_was() -> None:
    one = market()
    start, seen, prices = one.now, 0, []
    chance = random.Random(1)
    sky = Sky(chance, one.world.symbols)
    for _ in range(36):
        before = one.now
        one.step(Beat(seconds=5, moves=next(REGIMES["calm"].path(sky, 1)).moves))
        seen += bool(bars_of(one, before))
        prices.append(one.prices["SPY"])
    bars = bars_of(one, start)
    assert seen == len(bars) == 3
    assert bars[0].close == prices[11].quantize(bars[0].close)
    assert bars[1].high >= max(prices[12:23]).quantize(bars[1].high)
    assert bars[1].open == bars[0].close


def test_a_long_step_writes_every_minute_and_the_night_is_no_bar() -> None:
    one = market()
    start = one.now
    one.step(Beat(seconds=600))
    assert [bar.closes_at for bar in bars_of(one, start)] == [start + timedelta(minutes=n) for n in range(1, 11)]
    before = one.now
    at = one.step(Beat(leap=Leap.NEXT_OPEN, moves=(Move(-500),) * 4))
    bars = bars_of(one, before)
    assert [bar.closes_at for bar in bars] == [at]
    assert bars[0].open == bars[0].close == one.prices["SPY"].quantize(bars[0].close)


def test_bots_find_a_window_full_of_bars_when_a_voyage_begins() -> None:
    one = market()
    policy = one.world.policy
    for symbol in policy.symbols:
        bars = one.tape.history(symbol, one.now, 1000)
        assert len(bars) >= policy.engine.window_bars
        assert abs(bars[-1].close / one.prices[symbol] - 1) < 0.001
        assert 0.9 < bars[0].close / bars[-1].close < 1.1


def test_leaps_of_the_clock_are_the_exchanges_own() -> None:
    one = market(date(2024, 7, 3), 700)
    hours = ExchangeHours()
    assert hours.sessions(one.step(Beat(leap=Leap.BEFORE_CLOSE))).minute == 13 * 60 - 12
    after = hours.sessions(one.step(Beat(leap=Leap.AFTER_CLOSE)))
    assert (after.day.day, after.minute) == (3, 13 * 60 + 20)
    opening = hours.sessions(one.step(Beat(leap=Leap.NEXT_OPEN)))
    assert (opening.day.day, opening.minute) == (5, 9 * 60 + 31)
