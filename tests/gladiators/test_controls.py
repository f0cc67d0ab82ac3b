"""Controls change a brief as they say, and the rules in the seats answer as they ask: exactly, on real prices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.markets.recorded import RecordedFeed
from hydra.gladiators.brief import Brief, brief_of
from hydra.gladiators.controls import CONTROLS, FACTOR, HEADLINE, MASKED_ASSET, MASKED_WEEK, Asks, control
from hydra.gladiators.local import RULES, LocalGladiator
from hydra.model.errors import BadConfig
from hydra.model.market import Bar
from hydra.model.votes import Choice
from tests.shared_data import shared_data

MIRROR = {Choice.BUY: Choice.SELL, Choice.SELL: Choice.BUY}
SEEN = 220
CENTS = st.lists(st.tuples(*[st.integers(100, 100_000)] * 4), min_size=1, max_size=30)


def brief(cents: list[tuple[int, ...]]) -> Brief:
    bars = []
    for number, (opened, one, other, closed) in enumerate(cents):
        low, high = min(opened, one, other, closed), max(opened, one, other, closed)
        prices = {"open": opened, "high": high, "low": low, "close": closed}
        bars.append(
            Bar(
                symbol="BTC-USD",
                at=datetime(2024, 5, 7, 9, tzinfo=UTC) + timedelta(minutes=number),
                seconds=60,
                volume=Decimal(7),
                **{name: Decimal(price) / 100 for name, price in prices.items()},
            )
        )
    return brief_of("BTC-USD", bars, 60, 3)


@given(CENTS)
@settings(derandomize=True, deadline=None, max_examples=40)
def test_a_brief_that_is_inverted_twice_is_the_brief(cents: list[tuple[int, ...]]) -> None:
    seen = brief(cents)
    turned = control("inverted")(seen)
    assert control("inverted")(turned).candles == seen.candles
    assert [one.volume for one in turned.candles] == [one.volume for one in seen.candles]
    changes = [(b.close - a.close, d.close - c.close) for a, b, c, d in _steps(seen, turned)]
    assert all(before == -after for before, after in changes)


def _steps(one: Brief, other: Brief) -> list:
    return list(zip(one.candles, one.candles[1:], other.candles, other.candles[1:], strict=False))


@given(CENTS)
@settings(derandomize=True, deadline=None, max_examples=40)
def test_rescaling_changes_prices_and_nothing_else(cents: list[tuple[int, ...]]) -> None:
    seen = brief(cents)
    scaled = control("rescaled")(seen)
    assert [one.close for one in scaled.candles] == [one.close * FACTOR for one in seen.candles]
    assert (scaled.at, scaled.asset, scaled.regime, scaled.horizon) == (seen.at, seen.asset, seen.regime, seen.horizon)


def test_masking_takes_whole_weeks_and_the_name_away() -> None:
    seen = brief([(100, 110, 90, 105)] * 5)
    masked = control("masked-dates")(seen)
    first, was = masked.candles[0].at, seen.candles[0].at
    assert masked.asset == MASKED_ASSET
    assert MASKED_WEEK <= first < MASKED_WEEK + timedelta(days=7)
    assert (first.weekday(), first.time()) == (was.weekday(), was.time())
    assert [one.close for one in masked.candles] == [one.close for one in seen.candles]
    assert control("masked-dates")(masked) == masked


def test_a_headline_is_added_and_the_candles_stay() -> None:
    seen = brief([(100, 110, 90, 105)] * 5)
    shouted = control("headline")(seen)
    assert shouted.headline == HEADLINE
    assert (shouted.candles, shouted.indicators) == (seen.candles, seen.indicators)
    assert shouted.hash != seen.hash


def test_every_control_makes_another_brief() -> None:
    seen = brief([(100 + n, 130, 90, 105 + n) for n in range(30)])
    assert len({seen.hash, *(one.change(seen).hash for one in CONTROLS.values())}) == 5


def test_an_unknown_control_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(BadConfig, match=r"--control up: .* masked-dates, rescaled, inverted, headline"):
        control("up")


@pytest.mark.parametrize("symbol", ["BTC-USD", "ETH-USD"])
def test_rules_answer_every_control_as_it_asks_on_real_prices(symbol: str) -> None:
    feed = RecordedFeed.open([shared_data() / "bars" / f"{symbol}-1min-20170903-20170904.csv"])
    bars = feed.history(symbol, datetime(2018, 1, 1, tzinfo=UTC), 5000)
    seats = [LocalGladiator(seat, rule) for seat, rule in zip("ABCD", RULES, strict=True)]
    voted = 0
    for end in range(SEEN, len(bars), 131):
        seen = brief_of(symbol, bars[end - SEEN : end], 60)
        before = {seat.seat: seat.vote(seen, 1.0).vote for seat in seats}
        voted += sum(vote in MIRROR for vote in before.values())
        for name, one in CONTROLS.items():
            changed = one.change(seen)
            for seat in seats:
                was = before[seat.seat]
                wanted = MIRROR.get(was, was) if one.asks is Asks.MIRRORED else was
                assert seat.vote(changed, 1.0).vote is wanted, f"{name}: {seat.engine} at {seen.at}"
    assert voted > 15
