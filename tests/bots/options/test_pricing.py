"""Prices, volatilities and greeks against worked examples that were published, and against their own algebra."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from math import exp

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hydra.bots.options.pricing import (
    Setting,
    delta_of,
    expires_at,
    greeks_of,
    implied_volatility,
    price_of,
    years_left,
)
from hydra.model.market import OptionContract, OptionQuote, Right

CALL, PUT = Right.CALL, Right.PUT
AT = datetime(2024, 3, 4, 15, 0, tzinfo=UTC)
D = Decimal


def setting(spot: float, rate: float, years: float, dividend: float = 0.0) -> Setting:
    return Setting(spot=spot, years=years, rate=rate, dividend_yield=dividend)


# Haug, The Complete Guide to Option Pricing Formulas (1998), as kept in QuantLib's test suite (europeanoption.cpp).
# Hull, Options, Futures, and Other Derivatives, 9th edition: examples 15.6 and 17.1.
@pytest.mark.parametrize(
    ("right", "strike", "spot", "dividend", "rate", "years", "volatility", "published", "places"),
    [
        pytest.param(CALL, 40, 42, 0, 0.10, 0.5, 0.20, 4.76, 0.005, id="hull-15.6-call"),
        pytest.param(PUT, 40, 42, 0, 0.10, 0.5, 0.20, 0.81, 0.005, id="hull-15.6-put"),
        pytest.param(CALL, 900, 930, 0.03, 0.08, 2 / 12, 0.20, 51.83, 0.005, id="hull-17.1-index"),
        pytest.param(CALL, 65, 60, 0, 0.08, 0.25, 0.30, 2.1334, 5e-5, id="haug-2"),
        pytest.param(PUT, 95, 100, 0.05, 0.10, 0.5, 0.20, 2.4648, 5e-5, id="haug-4"),
        pytest.param(PUT, 19, 19, 0.10, 0.10, 0.75, 0.28, 1.7011, 5e-5, id="haug-6-put"),
        pytest.param(CALL, 19, 19, 0.10, 0.10, 0.75, 0.28, 1.7011, 5e-5, id="haug-6-call"),
        pytest.param(CALL, 1.60, 1.56, 0.08, 0.06, 0.5, 0.12, 0.0291, 5e-5, id="haug-7"),
        pytest.param(PUT, 70, 75, 0.05, 0.10, 0.5, 0.35, 4.0870, 5e-5, id="haug-8"),
    ],
)
def test_prices_are_those_that_were_published(
    right: Right,
    strike: float,
    spot: float,
    dividend: float,
    rate: float,
    years: float,
    volatility: float,
    published: float,
    places: float,
) -> None:
    assert price_of(right, strike, volatility, setting(spot, rate, years, dividend)) == pytest.approx(
        published, abs=places
    )


def test_the_implied_volatility_is_that_of_hulls_example() -> None:
    """Hull, 9th edition, section 15.11: 21, 20, 10%, a quarter and 1.875 give 23.5%; example 17.2: 14.1% for a currency."""
    found = implied_volatility(CALL, 20, 1.875, setting(21, 0.10, 0.25))
    assert found == pytest.approx(0.235, abs=0.0005)
    found = implied_volatility(CALL, 1.6, 0.043, setting(1.6, 0.08, 4 / 12, 0.11))
    assert found == pytest.approx(0.141, abs=0.0005)


def test_the_greeks_are_those_of_hulls_example() -> None:
    """Hull, 9th edition, chapter 19: 49, 50, 5%, 20%, 20 weeks: 0.522, 0.066, -4.31 a year, 12.1 for all of volatility."""
    greeks = greeks_of(CALL, 50, 0.20, setting(49, 0.05, 20 / 52))
    assert greeks.delta == pytest.approx(0.522, abs=0.0005)
    assert greeks.gamma == pytest.approx(0.066, abs=0.0005)
    assert greeks.theta * 365 == pytest.approx(-4.31, abs=0.005)
    assert greeks.vega * 100 == pytest.approx(12.1, abs=0.05)


def test_the_greeks_are_those_of_haugs_examples() -> None:
    """Haug (1998), the examples of the greeks, as kept in QuantLib's test suite."""
    both = setting(105, 0.10, 0.5, 0.10)
    assert greeks_of(CALL, 100, 0.36, both).delta == pytest.approx(0.5946, abs=5e-5)
    assert greeks_of(PUT, 100, 0.36, both).delta == pytest.approx(-0.3566, abs=5e-5)
    stock = greeks_of(CALL, 60, 0.30, setting(55, 0.10, 0.75))
    assert stock.gamma == pytest.approx(0.0278, abs=5e-5)
    assert stock.vega * 100 == pytest.approx(18.9358, abs=5e-5)
    index = greeks_of(PUT, 405, 0.20, setting(430, 0.07, 1 / 12, 0.05))
    assert index.theta * 365 == pytest.approx(-31.1924, abs=5e-5)


numbers = {
    "spot": st.floats(5, 2000),
    "away": st.floats(0.7, 1.4),
    "volatility": st.floats(0.05, 1.5),
    "rate": st.floats(-0.02, 0.15),
    "dividend": st.floats(0, 0.08),
    "years": st.floats(1 / 365, 2),
}


@settings(derandomize=True, deadline=None, max_examples=150)
@given(**numbers)
def test_put_and_call_keep_their_parity(
    spot: float, away: float, volatility: float, rate: float, dividend: float, years: float
) -> None:
    """C - P = S exp(-q T) - K exp(-r T), and so one less the other of the deltas is exp(-q T)."""
    strike, at = spot * away, setting(spot, rate, years, dividend)
    gap = price_of(CALL, strike, volatility, at) - price_of(PUT, strike, volatility, at)
    assert gap == pytest.approx(spot * exp(-dividend * years) - strike * exp(-rate * years), abs=1e-8 * spot)
    call, put = greeks_of(CALL, strike, volatility, at), greeks_of(PUT, strike, volatility, at)
    assert call.delta - put.delta == pytest.approx(exp(-dividend * years), abs=1e-9)
    assert call.gamma == pytest.approx(put.gamma, rel=1e-6, abs=1e-12)
    assert -1e-12 <= call.delta <= 1 + 1e-12
    assert -1 - 1e-12 <= put.delta <= 1e-12


@settings(derandomize=True, deadline=None, max_examples=200)
@given(right=st.sampled_from([CALL, PUT]), **numbers)
def test_a_price_gives_the_volatility_it_was_made_with_or_none(
    right: Right, spot: float, away: float, volatility: float, rate: float, dividend: float, years: float
) -> None:
    strike, at = spot * away, setting(spot, rate, years, dividend)
    price = price_of(right, strike, volatility, at)
    found = implied_volatility(right, strike, price, at)
    vega = greeks_of(right, strike, volatility, at).vega
    if found is None:
        assert vega < 0.01
        return
    assert price_of(right, strike, found, at) == pytest.approx(price, abs=0.005)
    assume(vega > 0.01)
    assert found == pytest.approx(volatility, abs=0.01)


@pytest.mark.parametrize(
    ("right", "strike", "price", "years"),
    [
        pytest.param(PUT, 120, 18.0, 0.25, id="below what exercising brings"),
        pytest.param(CALL, 80, 100.5, 0.25, id="more than the underlying"),
        pytest.param(CALL, 100, 0.0, 0.25, id="free"),
        pytest.param(CALL, 100, 3.0, 0.0, id="expired"),
        pytest.param(CALL, 100, 90.0, 0.001, id="more than 1000 percent"),
    ],
)
def test_a_price_that_no_volatility_gives_has_none(right: Right, strike: float, price: float, years: float) -> None:
    assert implied_volatility(right, strike, price, setting(100, 0.04, years)) is None


@pytest.mark.parametrize("volatility", [0.15, 0.3, 0.6])
@pytest.mark.parametrize("days", [7, 30, 60])
def test_early_exercise_moves_the_delta_of_a_put_that_is_sold_by_less_than_two_hundredths(
    volatility: float, days: int
) -> None:
    """Against QuantLib's engine for American exercise, at 4% and deltas up to one half."""
    ql = pytest.importorskip("QuantLib")

    today = ql.Date(4, 3, 2024)
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()

    def curve(rate: float) -> object:
        return ql.YieldTermStructureHandle(ql.FlatForward(today, rate, count))

    vol = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), volatility, count))

    def american(spot: float, strike: float) -> float:
        process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), curve(0.0), curve(0.04), vol)
        option = ql.VanillaOption(
            ql.PlainVanillaPayoff(ql.Option.Put, strike), ql.AmericanExercise(today, today + days)
        )
        option.setPricingEngine(ql.QdFpAmericanEngine(process))
        return float(option.NPV())

    at = setting(100, 0.04, days / 365)
    for strike in (90, 95, 98, 100):
        priced = american(100, strike)
        implied = implied_volatility(PUT, strike, priced, at)
        if implied is None or priced < 0.05:
            continue
        ours = greeks_of(PUT, strike, implied, at).delta
        theirs = (american(100.01, strike) - american(99.99, strike)) / 0.02
        if abs(theirs) <= 0.5:
            assert ours == pytest.approx(theirs, abs=0.02)


def test_time_runs_to_four_o_clock_in_new_york_in_summer_and_in_winter() -> None:
    assert expires_at(date(2024, 1, 19)) == datetime(2024, 1, 19, 21, tzinfo=UTC)
    assert expires_at(date(2024, 7, 19)) == datetime(2024, 7, 19, 20, tzinfo=UTC)
    assert years_left(date(2024, 7, 19), datetime(2024, 7, 18, 20, tzinfo=UTC)) == pytest.approx(1 / 365)
    assert years_left(date(2024, 7, 19), datetime(2024, 7, 19, 21, tzinfo=UTC)) < 0


def quoted(symbol: str, **fields: object) -> OptionQuote:
    return OptionQuote(symbol=symbol, at=AT, **{k: None if v is None else D(str(v)) for k, v in fields.items()})


@pytest.mark.parametrize(
    ("symbol", "fields", "expected"),
    [
        pytest.param("SPY240405C00500000", {"delta": "0.42"}, "0.42", id="the venue's"),
        pytest.param("SPY240405P00500000", {"delta": "-0.42", "bid": 1, "ask": 2}, "-0.42", id="the venue's, of a put"),
        pytest.param("SPY240405P00500000", {"delta": "0.42", "bid": 1, "ask": 2}, None, id="of the wrong sign"),
        pytest.param("SPY240405C00500000", {"delta": "1.2", "bid": 1, "ask": 2}, None, id="beyond one"),
        pytest.param("SPY240405C00500000", {"bid": 10}, None, id="one-sided"),
        pytest.param("SPY240405C00500000", {}, None, id="nothing known"),
        pytest.param("SPY240405C00400000", {"bid": 99, "ask": 99.5}, None, id="below what exercising brings"),
        pytest.param("SPY240301C00500000", {"bid": 9, "ask": 10}, None, id="expired"),
        pytest.param("SPY240405C00500000", {"implied_volatility": 0}, None, id="a volatility of nothing"),
    ],
)
def test_a_delta_is_the_venues_or_implied_or_unknown(
    symbol: str, fields: dict[str, object], expected: str | None
) -> None:
    terms = OptionContract.parse(symbol)
    at = setting(500, 0.04, years_left(terms.expiry, AT))
    assert delta_of(terms, quoted(symbol, **fields), at) == (None if expected is None else D(expected))


def test_a_delta_is_worked_out_from_the_venues_volatility_before_the_quote() -> None:
    symbol = "SPY240405C00500000"
    terms = OptionContract.parse(symbol)
    at = setting(500, 0.04, years_left(terms.expiry, AT))
    told = delta_of(terms, quoted(symbol, implied_volatility="0.2", bid=1, ask=2), at)
    assert told is not None
    assert float(told) == pytest.approx(greeks_of(CALL, 500, 0.2, at).delta, abs=1e-6)
    middle = delta_of(terms, quoted(symbol, bid="13.2", ask="13.4"), at)
    assert middle is not None
    assert middle != told
    assert D("0.4") < middle < D("0.6")
