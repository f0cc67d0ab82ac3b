"""The invented market: repeatable, without end, and plausible."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import log, sqrt
from pathlib import Path
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets.profiles import CHARACTERS, PROFILES, REGIMES
from hydra.adapters.markets.synthetic import SyntheticFeed
from hydra.model.errors import BadConfig
from hydra.model.market import Bar

CALENDAR = ExchangeCalendar()
START = date(2024, 6, 3)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def feed(*symbols: str, seed: int = 7, **options) -> SyntheticFeed:
    return SyntheticFeed(seed, symbols, START, CALENDAR, **options)


def day_of(source: SyntheticFeed, day: date) -> tuple[Bar, ...]:
    begins = datetime.combine(day, datetime.min.time(), UTC)
    return source.bars(begins, begins + timedelta(days=1))


def test_the_same_seed_plays_the_same_in_another_process() -> None:
    script = (
        "from datetime import UTC, date, datetime;"
        "from hydra.adapters.markets.synthetic import SyntheticFeed;"
        "f = SyntheticFeed(3, ['BTC-USD'], date(2024, 6, 3));"
        "print(f.fingerprint, f.history('BTC-USD', datetime(2024, 6, 5, tzinfo=UTC), 1))"
    )
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    here = SyntheticFeed(3, ["BTC-USD"], START)
    assert other == f"{here.fingerprint} {here.history('BTC-USD', utc('2024-06-05 00:00'), 1)}\n"


def test_seeds_symbols_and_settings_differ_in_fingerprint_and_prices() -> None:
    feeds = (
        feed("SPY"),
        feed("SPY", seed=8),
        feed("SPY", "AAPL"),
        feed("SPY", bar_seconds=300),
        feed("SPY", sessions="always"),
    )
    assert len({each.fingerprint for each in feeds}) == len(feeds)
    assert day_of(feeds[0], START) != day_of(feeds[1], START)


def test_a_symbol_plays_the_same_beside_others() -> None:
    alone = day_of(feed("SPY"), START)
    beside = tuple(bar for bar in day_of(feed("SPY", "AAPL", "BTC-USD"), START) if bar.symbol == "SPY")
    assert alone == beside


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**63), st.integers(0, 400), st.sampled_from(["SPY", "BTC-USD", "ZZZ", "QQ-USD"]))
def test_any_day_asked_first_equals_the_day_reached_in_order(seed: int, ahead: int, symbol: str) -> None:
    day = START + timedelta(days=ahead)
    jumped = feed(symbol, seed=seed)
    played = feed(symbol, seed=seed)
    for earlier in range(max(0, ahead - 2), ahead):
        day_of(played, START + timedelta(days=earlier))
    bars = day_of(jumped, day)
    assert bars == day_of(played, day)
    assert all(bar.close % Decimal("0.01") == 0 for bar in bars)


def test_equities_trade_on_exchange_days_from_four_to_twenty_new_york() -> None:
    source = feed("SPY")
    assert source.next_after(None) == utc("2024-06-03 08:01")
    assert source.next_after(utc("2024-06-03 23:59")) == utc("2024-06-04 00:00")
    assert source.next_after(utc("2024-06-04 00:00")) == utc("2024-06-04 08:01")
    assert source.next_after(utc("2024-06-08 00:00")) == utc("2024-06-10 08:01")
    assert source.next_after(utc("2024-07-04 00:00")) == utc("2024-07-05 08:01")
    assert source.next_after(utc("2024-11-04 00:00")) == utc("2024-11-04 09:01")
    assert source.bars(utc("2024-07-04 00:00"), utc("2024-07-05 08:00")) == ()


def test_a_half_day_ends_its_regular_hours_at_thirteen() -> None:
    source = feed("SPY")
    plan = source.plan("SPY", utc("2024-07-03 15:00"))
    assert plan is not None
    (regular,) = (leg for leg in plan.legs if leg.part == "regular")
    assert (regular.ends - regular.begins) // 60_000_000 == 210


def test_pairs_never_close_and_practice_never_does_either() -> None:
    for source in (feed("BTC-USD"), feed("SPY", sessions="always")):
        assert source.next_after(None) == utc("2024-06-03 00:01")
        assert source.next_after(utc("2024-06-08 23:59:30")) == utc("2024-06-09 00:00")
        assert source.next_after(utc("2024-06-09 00:00")) == utc("2024-06-09 00:01")


def test_regular_minutes_are_complete_and_the_others_have_gaps() -> None:
    bars = day_of(feed("SPY"), START)
    minutes = Counter(
        "regular" if utc("2024-06-03 13:30") <= bar.at < utc("2024-06-03 20:00") else "outside" for bar in bars
    )
    assert minutes["regular"] == 390
    assert 200 < minutes["outside"] < 560


def test_a_quote_closes_every_interval_around_the_bars_close() -> None:
    source = feed("AAPL")
    for bar in day_of(source, START):
        quote = source.quotes(bar.closes_at)["AAPL"]
        assert quote.at == bar.closes_at
        assert quote.bid <= bar.close <= quote.ask
        assert quote.bid < quote.ask


def test_a_closed_markets_quote_grows_old() -> None:
    quote = feed("SPY").quotes(utc("2024-06-09 12:00"))["SPY"]
    assert quote.at == utc("2024-06-08 00:00")


def test_a_day_opens_where_the_plan_says_the_last_one_led() -> None:
    source = feed("BTC-USD")
    for ahead in range(1, 30):
        midnight = utc("2024-06-03 00:00") + timedelta(days=ahead)
        plan = source.plan("BTC-USD", midnight - timedelta(seconds=1))
        assert plan is not None
        (last,) = source.history("BTC-USD", midnight, 1)
        first = source.bars(midnight, midnight + timedelta(minutes=30))[0]
        assert abs(log(float(last.close)) - plan.closes) < 0.002
        assert abs(log(float(first.open)) - plan.closes) < 0.006


def test_equities_gap_over_night_and_move_within_plausible_bounds() -> None:
    source = feed("SPY")
    plans = [source.plan("SPY", utc("2024-06-03 15:00") + timedelta(days=day)) for day in range(730)]
    days = list({plan.span.day: plan for plan in plans if plan is not None}.values())
    moves = [after.closes - before.closes for before, after in pairwise(days)]
    volatility = sqrt(mean(move * move for move in moves) * 252)
    assert 0.08 < volatility < 0.28
    assert max(map(abs, moves)) < 0.12
    assert {plan.regime for plan in days} == {"calm", "normal", "stormy"}
    assert {plan.character for plan in days} == {"trend", "range", "plain"}
    assert any(abs(after.opens - before.closes) > 0.004 for before, after in pairwise(days))


def test_the_day_is_busiest_at_its_ends_and_spreads_are_widest_outside() -> None:
    source = feed("MSFT")
    ends: list[float] = []
    middle: list[float] = []
    inside: list[float] = []
    outside: list[float] = []
    for ahead in range(5):
        opens = utc("2024-06-03 13:30") + timedelta(days=ahead)
        halves = [opens + timedelta(minutes=30 * half) for half in range(14)]
        volumes = [float(sum(bar.volume for bar in source.bars(*half))) for half in pairwise(halves)]
        ends += [volumes[0], volumes[-1]]
        middle += volumes[4:9]
        for minute in range(60):
            noon, early = (source.quotes(opens + timedelta(minutes=after))["MSFT"] for after in (180 + minute, -minute))
            inside.append(float(noon.ask - noon.bid))
            outside.append(float(early.ask - early.bid))
    assert len(middle) == 25
    assert mean(ends) > 1.6 * mean(middle)
    assert mean(outside) > 1.8 * mean(inside)


def test_symbols_of_a_class_move_together_but_not_alike() -> None:
    source = feed("SPY", "QQQ")
    last = utc("2024-06-10 20:00")
    spy, qqq = (
        {bar.at: log(bar.close / bar.open) for bar in source.history(symbol, last, 2000)} for symbol in ("SPY", "QQQ")
    )
    both = sorted(set(spy) & set(qqq))
    x, y = [spy[at] for at in both], [qqq[at] for at in both]
    correlation = sum(a * b for a, b in zip(x, y, strict=True)) / sqrt(sum(a * a for a in x) * sum(b * b for b in y))
    assert 0.25 < correlation < 0.75


@pytest.mark.parametrize("symbol", [*PROFILES, "ZZZ", "BRK.B", "DOGE-USD"])
@pytest.mark.parametrize("seconds", [60, 1800])
def test_every_symbol_can_be_invented(symbol: str, seconds: int) -> None:
    bars = day_of(feed(symbol, bar_seconds=seconds), START)
    assert bars
    assert {bar.seconds for bar in bars} == {seconds}
    assert all(bar.volume > 0 for bar in bars)


@pytest.mark.parametrize(
    ("symbols", "options", "reason"),
    [
        (["spy"], {}, "not a symbol"),
        (["GOOG151231C00750000"], {}, "not options"),
        ([], {}, "at least one symbol"),
        (["SPY"], {"bar_seconds": 7}, "bar_seconds must be one of"),
        (["SPY"], {"calendar": None}, "calendar"),
    ],
)
def test_what_cannot_be_invented_is_refused(symbols: list[str], options: dict, reason: str) -> None:
    with pytest.raises(BadConfig, match=reason):
        SyntheticFeed(1, symbols, START, **({"calendar": CALENDAR} | options))


def test_a_day_of_three_symbols_is_invented_quickly() -> None:
    source = feed("SPY", "AAPL", "BTC-USD")
    day_of(feed("SPY", "ETH-USD"), START)
    began = time.perf_counter()
    day_of(source, START)
    assert time.perf_counter() - began < 0.5


def test_the_reference_names_every_symbol_and_regime_with_its_figures() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "market-data.md").read_text(encoding="utf-8")
    for symbol, made in PROFILES.items():
        row = f"| {symbol} | {made.price:,.0f} | {made.volatility:.0%} | {made.volume:,.0f} | {made.spread:g} |"
        assert f"{row} {made.presence * 100:g}% |" in page
    for regime in REGIMES:
        row = f"| {regime.name} | {regime.volatility:g} | {regime.volume:g} | {regime.spread:g} |"
        assert f"{row} {' / '.join(f'{share:.0%}' for share in regime.next)} |" in page
    for character in CHARACTERS:
        assert f"| {character.name} | {character.probability:.0%} |" in page
