"""Invented options: which contracts there are, what they cost, and that all of it is repeatable."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from math import log
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets.feed import lapses_at
from hydra.adapters.markets.ladders import DAYS_MAX, Listing
from hydra.adapters.markets.premiums import SMILE, SPREAD, worth
from hydra.adapters.markets.synthetic import SyntheticFeed
from hydra.model.errors import BadConfig, Invalid
from hydra.model.market import OptionContract, OptionQuote, Right

CALENDAR = ExchangeCalendar()
START = date(2024, 6, 3)
MINUTE = timedelta(minutes=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def feed(*underlyings: str, days: int = 40, since: date | None = None, **more) -> SyntheticFeed:
    names = underlyings or ("SPY",)
    symbols = tuple(dict.fromkeys((*names, "SPY")))
    listing = Listing(underlyings=names, days=days, since=since)
    return SyntheticFeed(7, symbols, START, CALENDAR, options=listing, **more)


def expiries(source: SyntheticFeed) -> list[date]:
    return sorted({OptionContract.parse(name).expiry for name in source.contracts})


def by_right(rows: tuple[OptionQuote, ...], right: Right, expiry: date) -> list[tuple[OptionContract, OptionQuote]]:
    found = [(OptionContract.parse(row.symbol), row) for row in rows]
    return sorted(
        ((terms, row) for terms, row in found if (terms.right, terms.expiry) == (right, expiry)),
        key=lambda pair: pair[0].strike,
    )


@pytest.mark.parametrize(
    ("spot", "strike", "years", "volatility", "call", "put"),
    [
        # by hand, N from a table: at the money a call is S * (2 N(s/2) - 1), and 2 * 0.539828 - 1 = 0.079656 for s = 0.2
        (100.0, 100.0, 1.0, 0.20, 7.9656, 7.9656),
        # d1 = (ln(100/110) + 0.02) / 0.2 = -0.376551, d2 = -0.576551: N = 0.353252, 0.282121; 35.3252 - 31.0333
        (100.0, 110.0, 1.0, 0.20, 4.2920, 14.2920),
        # a quarter of a year, s = 0.1: d1 = (ln(100/90) + 0.005) / 0.1 = 1.103605, d2 = 1.003605: N = 0.865117, 0.842215
        (100.0, 90.0, 0.25, 0.20, 10.7124, 0.7124),
    ],
)
def test_prices_are_those_of_black_and_scholes(
    spot: float, strike: float, years: float, volatility: float, call: float, put: float
) -> None:
    assert worth(spot, strike, True, years, volatility).price == pytest.approx(call, abs=2e-3)
    assert worth(spot, strike, False, years, volatility).price == pytest.approx(put, abs=2e-3)


@given(st.floats(10, 900), st.floats(0.7, 1.4), st.floats(0.01, 1), st.floats(0.08, 1.5), st.booleans())
def test_the_greeks_are_the_slopes_of_the_price(
    spot: float, moneyness: float, years: float, volatility: float, call: bool
) -> None:
    strike = spot * moneyness
    here = worth(spot, strike, call, years, volatility)
    up, down = (worth(spot * (1 + step), strike, call, years, volatility) for step in (1e-4, -1e-4))
    day = worth(spot, strike, call, years - 1e-5, volatility)
    more = worth(spot, strike, call, years, volatility + 1e-4)
    assert here.delta == pytest.approx((up.price - down.price) / (2e-4 * spot), abs=1e-3)
    assert here.gamma * spot == pytest.approx((up.delta - down.delta) / 2e-4, rel=0.02, abs=1e-2)
    assert here.theta == pytest.approx((day.price - here.price) / (1e-5 * 365), rel=0.02, abs=1e-4 * spot)
    assert here.vega == pytest.approx((more.price - here.price) / 1e-2, rel=0.02, abs=1e-4 * spot)


def test_expiries_are_fridays_or_the_exchange_day_before() -> None:
    found = expiries(feed(days=365))
    assert found[:3] == [date(2024, 6, 7), date(2024, 6, 14), date(2024, 6, 21)]
    assert len(found) == 52
    assert date(2025, 4, 17) in found  # Good Friday is the 18th
    assert all(day.weekday() == 4 for day in found if day != date(2025, 4, 17))


def test_weeklies_are_listed_five_weeks_and_monthlies_thirteen_weeks_ahead() -> None:
    source = feed(days=365)
    for at, first, last in (
        ("2024-06-03 13:31", date(2024, 6, 7), date(2024, 8, 16)),
        ("2024-08-01 15:00", date(2024, 8, 2), date(2024, 10, 18)),
    ):
        day = utc(at).date()
        quoted = sorted({OptionContract.parse(row.symbol).expiry for row in source.chain("SPY", utc(at))})
        assert (quoted[0], quoted[-1]) == (first, last)
        weeklies = [expiry for expiry in quoted if not 15 <= expiry.day <= 21]
        assert max(weeklies) - day <= timedelta(weeks=5)
        assert len(weeklies) >= 4


def test_options_are_quoted_from_the_first_minute_of_regular_hours_to_the_last() -> None:
    source = feed()
    assert source.chain("SPY", utc("2024-06-03 13:30:59")) == ()
    first = source.chain("SPY", utc("2024-06-03 13:31"))
    assert {row.at for row in first} == {utc("2024-06-03 13:31")}
    assert {row.at for row in source.chain("SPY", utc("2024-06-03 23:00"))} == {utc("2024-06-03 20:00")}
    assert {row.at for row in source.chain("SPY", utc("2024-06-04 13:30"))} == {utc("2024-06-03 20:00")}
    half = source.chain("SPY", utc("2024-07-03 20:00"))
    assert {row.at for row in half} == {utc("2024-07-03 17:00")}
    assert source.chain("SPY", utc("2020-01-02 15:00")) == ()


def test_there_are_options_for_a_span_of_days_from_any_day_on() -> None:
    late = feed(since=date(2025, 2, 3), days=14)
    assert expiries(late) == [date(2025, 2, 7), date(2025, 2, 14)]
    assert late.chain("SPY", utc("2025-01-31 20:00")) == ()
    assert len(late.chain("SPY", utc("2025-02-03 15:00"))) == 2 * 2 * 21
    assert late.chain("SPY", utc("2025-02-14 21:00")) == ()
    assert late.option_quote(late.contracts[0], utc("2026-02-14 21:00")) is not None


def test_strikes_lie_around_the_price_on_the_day_of_listing() -> None:
    source = feed("SPY", "TSLA", "ZZZ")
    for symbol in ("SPY", "TSLA", "ZZZ"):
        at = utc("2024-06-03 13:31")
        price = source.quotes(at)[symbol].mid
        for expiry in expiries(source)[:4]:
            strikes = [terms.strike for terms, _ in by_right(source.chain(symbol, at), Right.PUT, expiry)]
            assert len(strikes) >= 15
            assert min(strikes) < price < max(strikes)
            assert len({after - before for before, after in pairwise(strikes)}) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 50_000), st.sampled_from(["SPY", "TSLA", "ZZZ"]))
def test_a_chain_makes_sense(minutes: int, symbol: str) -> None:
    source = feed(symbol)
    at = utc("2024-06-03 13:31") + minutes * MINUTE
    rows = source.chain(symbol, at)
    for row in rows:
        assert row.ask is not None
        assert row.bid is None or Decimal("0.01") <= row.bid < row.ask
        assert (row.bid is None) is (row.bid_size is None)
        assert row.bid_size is None or row.bid_size >= 1
        assert all(price % Decimal("0.01") == 0 for price in (row.bid, row.ask) if price is not None)
        assert row.implied_volatility is not None
        assert row.implied_volatility > 0
        assert row.delta is not None
        assert -1 <= row.delta <= 1
        assert row.gamma is not None
        assert row.gamma >= 0
    for expiry in expiries(source):
        calls, puts = (by_right(rows, right, expiry) for right in (Right.CALL, Right.PUT))
        assert [terms.strike for terms, _ in calls] == [terms.strike for terms, _ in puts]
        for side, sign in ((calls, -1), (puts, 1)):
            deltas = [row.delta for _, row in side if row.delta is not None]
            asks = [row.ask for _, row in side if row.ask is not None]
            assert deltas == sorted(deltas, reverse=True)
            assert asks == sorted(asks, reverse=sign < 0)


def test_put_and_call_agree_with_the_underlying() -> None:
    """Without interest and dividends a call less a put is the price less the strike, within the spreads."""
    source = feed()
    at = utc("2024-06-10 16:00")
    spot = source.quotes(at)["SPY"]
    rows = source.chain("SPY", at)
    compared = 0
    for expiry in expiries(source):
        for (terms, call), (_, put) in zip(
            by_right(rows, Right.CALL, expiry), by_right(rows, Right.PUT, expiry), strict=True
        ):
            if call.bid is None or put.bid is None or call.ask is None or put.ask is None:
                continue
            assert call.bid - put.ask <= spot.mid - terms.strike <= call.ask - put.bid
            compared += 1
    assert compared > 30


def test_the_price_a_contract_has_in_the_end_is_what_it_is_worth() -> None:
    source = feed()
    at = utc("2024-06-14 20:00")
    spot = source.quotes(at)["SPY"].mid
    for name in source.contracts:
        terms = OptionContract.parse(name)
        if terms.expiry != at.date():
            continue
        worth_now = max(Decimal(0), (spot - terms.strike) * (1 if terms.right is Right.CALL else -1))
        row = source.option_quote(name, at)
        assert row is not None
        assert row.at == at
        assert row.ask is not None
        assert (row.bid or 0) - Decimal("0.15") <= worth_now <= row.ask + Decimal("0.15")
        assert name not in {each.symbol for each in source.chain("SPY", lapses_at(terms))}


def test_volume_grows_through_the_day_and_open_interest_by_the_day() -> None:
    source = feed()
    at = utc("2024-06-11 15:00")
    spot = float(source.quotes(at)["SPY"].mid)
    name = min(
        (row.symbol for row in source.chain("SPY", at)),
        key=lambda each: (OptionContract.parse(each).expiry, abs(log(float(OptionContract.parse(each).strike) / spot))),
    )
    times = [utc("2024-06-11 08:00") + 30 * MINUTE * step for step in range(26)]
    rows = [source.option_quote(name, at) for at in times]
    volumes = [row.volume for row in rows if row is not None and row.volume is not None]
    assert volumes == sorted(volumes)
    assert volumes[0] == 0
    assert volumes[-1] > 100
    assert len({row.open_interest for row in rows if row is not None}) == 1
    interest = [source.option_quote(name, utc(f"2024-06-{day:02} 15:00")) for day in (3, 4, 5, 6, 7, 10, 11)]
    open_ = [row.open_interest for row in interest if row is not None and row.open_interest is not None]
    assert open_[0] == 0
    assert open_ == sorted(open_)
    assert open_[-1] > 100
    sunday = source.option_quote(name, utc("2024-06-09 15:00"))
    assert sunday is not None
    assert sunday.volume == 0


def test_trades_lie_between_bid_and_ask_where_they_close() -> None:
    source = feed("NVDA")
    at = utc("2024-06-05 15:00")
    seen = 0
    for name in source.contracts[::17]:
        for bar in source.history(name, at, 20):
            row = source.option_quote(name, bar.closes_at)
            assert row is not None
            assert row.ask is not None
            assert row.at == bar.closes_at
            assert (row.bid or 0) <= bar.close <= row.ask
            seen += 1
    assert seen > 100


def test_the_volatility_of_a_stormy_day_is_dearer() -> None:
    source = feed(days=1000)
    seen: dict[str, Decimal] = {}
    for day in range(0, 700, 5):
        at = utc("2024-06-04 15:00") + timedelta(days=day)
        plan = source.plan("SPY", at)
        assert plan is not None
        if plan.regime in seen or plan.span.day != at.date():
            continue
        row = min(source.chain("SPY", at), key=lambda each: abs((each.delta or Decimal(9)) - Decimal("0.5")))
        assert row.implied_volatility is not None
        seen[plan.regime] = row.implied_volatility
        if len(seen) == 3:
            break
    assert seen["calm"] < seen["normal"] < seen["stormy"]


def test_contracts_are_the_same_in_another_process_and_beside_others() -> None:
    script = (
        "from datetime import UTC, date, datetime;"
        "from hydra.adapters.calendar import ExchangeCalendar;"
        "from hydra.adapters.markets.ladders import Listing;"
        "from hydra.adapters.markets.synthetic import SyntheticFeed;"
        "f = SyntheticFeed(7, ['SPY'], date(2024, 6, 3), ExchangeCalendar(), options=Listing(underlyings=('SPY',), days=40));"
        "print(f.fingerprint, hash(f.contracts) and f.contracts, f.chain('SPY', datetime(2024, 6, 5, 15, tzinfo=UTC)))"
    )
    other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    here = feed()
    at = datetime(2024, 6, 5, 15, tzinfo=UTC)
    assert other == f"{here.fingerprint} {here.contracts} {here.chain('SPY', at)}\n"
    assert feed("SPY", "TSLA").chain("SPY", at) == here.chain("SPY", at)


def test_options_change_the_fingerprint_and_nothing_else_of_the_market() -> None:
    plain = SyntheticFeed(7, ("SPY",), START, CALENDAR)
    with_options = feed()
    others = (feed(days=41), feed(since=date(2024, 6, 4)), feed("SPY", "TSLA"))
    assert len({each.fingerprint for each in (plain, with_options, *others)}) == 5
    at = utc("2024-06-04 20:00")
    assert plain.bars(utc("2024-06-03 00:00"), at) == with_options.bars(utc("2024-06-03 00:00"), at)
    assert plain.contracts == ()
    assert plain.chain("SPY", at) == ()
    assert plain.option_quote("SPY240607C00500000", at) is None
    assert "options on SPY" in with_options.describe()


@pytest.mark.parametrize(
    ("options", "more", "reason"),
    [
        ({"underlyings": ("AAPL",)}, {}, "options on AAPL: not an equity that is played"),
        ({"underlyings": ("BTC-USD",)}, {}, "not an equity that is played"),
        ({"underlyings": ("ABCDE.A",)}, {}, "at most 5 letters"),
        ({"underlyings": ("SPY",), "since": date(2024, 6, 2)}, {}, "but the market begins on 2024-06-03"),
        ({"underlyings": ("SPY",)}, {"sessions": "always"}, "on exchange days only"),
    ],
)
def test_options_that_cannot_be_invented_are_refused(options: dict, more: dict, reason: str) -> None:
    symbols = ("SPY", "BTC-USD", "ABCDE.A")
    with pytest.raises(BadConfig, match=reason):
        SyntheticFeed(7, symbols, START, CALENDAR, options=Listing(**options), **more)


@pytest.mark.parametrize("days", [0, -1, 1101])
def test_a_listing_has_an_end(days: int) -> None:
    with pytest.raises(Invalid, match=r"listing\.days"):
        Listing(underlyings=("SPY",), days=days)


def test_a_year_of_contracts_and_a_chain_are_worked_out_quickly() -> None:
    source = feed("SPY", days=365)
    source.quotes(utc("2024-06-03 15:00"))
    began = time.process_time()
    assert 1500 < len(source.contracts) < 4000
    assert time.process_time() - began < 0.5
    took = []
    for minute in range(5):
        began = time.process_time()
        assert len(source.chain("SPY", utc("2024-06-03 15:00") + minute * MINUTE)) > 200
        took.append(time.process_time() - began)
    assert min(took) < 0.05


def test_a_price_far_from_its_strike_overflows_nothing() -> None:
    assert worth(100.0, 1.0, False, 1e-6, 0.05).price == 0
    assert worth(1.0, 100.0, True, 1e-6, 0.05).price == 0
    assert worth(100.0, 1.0, True, 1e-6, 0.05).price == pytest.approx(99)


def test_the_reference_has_the_figures_of_the_model() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "market-data.md").read_text(encoding="utf-8")
    tilt, curve = SMILE
    for figure in (
        f"{Listing(underlyings=()).days} days unless told otherwise, at most {DAYS_MAX:,}",
        f"{-tilt:.0%} of it less for a strike one standard deviation above",
        f"with {curve:.0%} more of the distance squared",
        f"half of it is {SPREAD[0] * 100:g} cent and more: {SPREAD[1]:.0%} of the price",
    ):
        assert figure in page, figure
