"""Alpaca's rows become values, or are refused by symbol and field; what is not delivered stays unavailable."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.alpaca.bars import timeframe_of
from hydra.adapters.alpaca.rows import bar_of, chain_of, in_order, interest_of, quote_of
from hydra.model.errors import BadConfig, Unreachable
from hydra.model.market import Bar, OptionQuote
from tests.strategies import not_negative, positive, times

D = Decimal
AT = datetime(2024, 3, 4, 14, 31, tzinfo=UTC)
CALL, PUT, CROSSED = "SPY240315C00100000", "SPY240315P00100000", "SPY240315P00105000"
BAR = {
    "t": "2024-03-04T14:31:00Z",
    "o": D("1.1"),
    "h": D("1.3"),
    "l": 1,
    "c": D("1.2"),
    "v": 5,
    "n": 2,
    "vw": D("1.15"),
}
QUOTE = {
    "t": "2024-03-04T09:31:00.123456789-05:00",
    "bp": D("1.1"),
    "bs": 3,
    "ap": D("1.2"),
    "as": 4,
    "c": ["R"],
    "z": "C",
}
BAD_NUMBERS = [
    pytest.param(D("NaN"), id="nan"),
    pytest.param(D("Infinity"), id="infinity"),
    pytest.param(D(-1), id="negative"),
    pytest.param("one", id="word"),
    pytest.param("1e5", id="exponent"),
    pytest.param(True, id="true"),
    pytest.param(0.1, id="binary float"),
    pytest.param([], id="list"),
    pytest.param(D("1E+30"), id="huge"),
    pytest.param(10**5000, id="endless"),
]
BAD_TIMES = [
    pytest.param("2024-03-04T14:31:00", "zone", id="without a zone"),
    pytest.param("yesterday", "time", id="word"),
    pytest.param(1709562660, "time", id="number"),
    pytest.param(None, "time", id="missing"),
]


def test_a_bar_is_exact_and_fields_nobody_knows_are_borne() -> None:
    bar = bar_of("SPY", {**BAR, "surprise": {}}, 60)
    assert (bar.at, bar.seconds, bar.open, bar.high, bar.low, bar.close) == (AT, 60, D("1.1"), D("1.3"), D(1), D("1.2"))
    assert bar.volume == 5


@pytest.mark.parametrize("field", ["o", "h", "l", "c", "v"])
@pytest.mark.parametrize("number", BAD_NUMBERS)
def test_a_bar_with_a_bad_number_is_refused_by_symbol_and_field(field: str, number: Any) -> None:
    with pytest.raises(Unreachable, match=rf"bar of SPY at 2024.*\b({field}|open|high|low|close|volume)\b"):
        bar_of("SPY", {**BAR, field: number}, 60)


@pytest.mark.parametrize("field", ["o", "h", "l", "c", "v"])
def test_a_bar_without_one_of_its_numbers_is_refused(field: str) -> None:
    with pytest.raises(Unreachable, match=f"bar of SPY.* {field} is missing"):
        bar_of("SPY", {**BAR, field: None}, 60)


@pytest.mark.parametrize("row", [{**BAR, "h": D("1.15")}, {**BAR, "l": D("1.15")}, {**BAR, "c": 0}], ids=str)
def test_a_bar_that_contradicts_itself_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(Unreachable, match="SPY"):
        bar_of("SPY", row, 60)


@pytest.mark.parametrize("row", [None, [], "bar", 1], ids=repr)
def test_a_row_that_is_no_object_is_refused(row: Any) -> None:
    for read in (lambda: bar_of("SPY", row, 60), lambda: quote_of("SPY", row), lambda: chain_of({CALL: row}, {}, AT)):
        with pytest.raises(Unreachable, match="SPY"):
            read()


@pytest.mark.parametrize(("time", "reason"), BAD_TIMES)
def test_a_time_that_is_none_or_has_no_zone_is_refused(time: Any, reason: str) -> None:
    for read in (
        lambda: bar_of("SPY", {**BAR, "t": time}, 60),
        lambda: quote_of("SPY", {**QUOTE, "t": time}),
        lambda: chain_of({CALL: {"latestQuote": {**QUOTE, "t": time}}}, {}, AT),
    ):
        with pytest.raises(
            Unreachable, match=rf"SPY.*\bt must be a {reason}|SPY.*\bt must be a time with its {reason}"
        ):
            read()


def test_a_quote_is_exact_and_its_time_is_in_utc_to_the_microsecond() -> None:
    quote = quote_of("SPY", QUOTE)
    assert quote is not None
    assert quote.at == AT + timedelta(microseconds=123456)
    assert (quote.bid, quote.ask, quote.bid_size, quote.ask_size) == (D("1.1"), D("1.2"), D(3), D(4))


@pytest.mark.parametrize("gone", [{"bp": 0}, {"ap": D("0.0")}, {"bp": None}, {"ap": None}, {"bp": 0, "ap": 0}], ids=str)
def test_a_quote_without_a_side_is_no_quote(gone: dict[str, Any]) -> None:
    assert quote_of("SPY", {**QUOTE, **gone}) is None


def test_a_crossed_quote_is_refused_by_symbol_and_a_locked_one_is_one() -> None:
    with pytest.raises(Unreachable, match=r"quote of SPY.*crossed: bid 1\.3 above ask 1\.2"):
        quote_of("SPY", {**QUOTE, "bp": D("1.3")})
    assert quote_of("SPY", {**QUOTE, "bp": D("1.2")}) is not None


@pytest.mark.parametrize("field", ["bp", "ap", "bs", "as"])
@pytest.mark.parametrize("number", BAD_NUMBERS)
def test_a_quote_with_a_bad_number_is_refused_by_symbol_and_field(field: str, number: Any) -> None:
    with pytest.raises(Unreachable, match=rf"quote of SPY: .*({field}|bid_size|ask_size)"):
        quote_of("SPY", {**QUOTE, field: number})


@pytest.mark.parametrize("field", ["bs", "as"])
def test_a_quote_whose_size_is_missing_is_refused(field: str) -> None:
    with pytest.raises(Unreachable, match=f"quote of SPY: {field} is missing"):
        quote_of("SPY", {**QUOTE, field: None})


def daily(volume: Any, day: str = "2024-03-04T05:00:00Z") -> dict[str, Any]:
    return {"dailyBar": {**BAR, "t": day, "v": volume}}


def quoted(**more: Any) -> dict[str, Any]:
    return {"latestQuote": {**QUOTE, "t": "2024-03-04T14:31:00Z"}, **more}


def test_a_snapshot_gives_everything_that_is_in_it_and_nothing_else() -> None:
    greeks = {"delta": D("-0.5"), "gamma": 0, "theta": D("-0.1"), "rho": D("0.3")}
    (call,) = chain_of({CALL: quoted(greeks=greeks, impliedVolatility=D("0.2"), latestTrade={})}, {CALL: D(7)}, AT)
    assert call == OptionQuote(
        symbol=CALL,
        at=AT,
        bid=D("1.1"),
        ask=D("1.2"),
        bid_size=D(3),
        ask_size=D(4),
        open_interest=D(7),
        delta=D("-0.5"),
        gamma=D(0),
        theta=D("-0.1"),
        implied_volatility=D("0.2"),
    )
    assert (call.vega, call.volume) == (None, None), "not delivered, so not known"


def test_a_contract_without_any_quote_is_as_of_now_with_nothing_known() -> None:
    for empty in ({}, {"latestQuote": None, "greeks": None, "impliedVolatility": None, "dailyBar": None}):
        assert chain_of({CALL: empty}, {CALL: None}, AT) == (OptionQuote(symbol=CALL, at=AT),)


@pytest.mark.parametrize("gone", [0, D("0.00"), None], ids=repr)
def test_a_side_of_nothing_is_unavailable_with_its_size(gone: Any) -> None:
    row = quoted()
    row["latestQuote"] |= {"bp": gone}
    (call,) = chain_of({CALL: row}, {}, AT)
    assert (call.bid, call.bid_size, call.ask, call.ask_size) == (None, None, D("1.2"), D(4))


def test_a_crossed_contract_is_left_out_and_the_others_stay() -> None:
    crossed = quoted()
    crossed["latestQuote"] |= {"bp": D("1.3")}
    assert [each.symbol for each in chain_of({PUT: quoted(), CROSSED: crossed, CALL: quoted()}, {}, AT)] == [CALL, PUT]


def test_volume_is_that_of_todays_bar_and_0_beside_contracts_that_have_one() -> None:
    rows = {CALL: quoted(**daily(12)), PUT: quoted(), CROSSED: quoted(**daily(99, "2024-03-01T05:00:00Z"))}
    volumes = {each.symbol: each.volume for each in chain_of(rows, {}, AT)}
    assert volumes == {CALL: 12, PUT: 0, CROSSED: 0}


def test_volume_is_unavailable_where_no_contract_has_a_bar_of_today() -> None:
    rows = {PUT: quoted(), CROSSED: quoted(**daily(99, "2024-03-01T05:00:00Z"))}
    assert [each.volume for each in chain_of(rows, {}, AT)] == [None, None]


@pytest.mark.parametrize("number", BAD_NUMBERS)
@pytest.mark.parametrize("place", ["bp", "as", "v", "impliedVolatility"])
def test_nonsense_in_a_snapshot_refuses_the_chain_by_symbol(place: str, number: Any) -> None:
    row: dict[str, Any] = quoted(**daily(1))
    part = {"impliedVolatility": row, "v": row["dailyBar"]}.get(place, row["latestQuote"])
    part[place] = number
    with pytest.raises(Unreachable, match=rf"snapshot of {CALL}.*({place}|ask_size|volume|implied_volatility)"):
        chain_of({PUT: quoted(), CALL: row}, {}, AT)


@pytest.mark.parametrize("part", ["latestQuote", "greeks", "dailyBar"])
def test_a_part_of_a_snapshot_that_is_no_object_refuses_the_chain(part: str) -> None:
    with pytest.raises(Unreachable, match=f"snapshot of {CALL}.*{part}.*expected an object, got list"):
        chain_of({CALL: {**quoted(), part: []}}, {}, AT)


def test_open_interest_is_read_from_texts_and_absent_ones_are_unavailable() -> None:
    rows = [{"symbol": CALL, "open_interest": "1234", "size": "100"}, {"symbol": PUT, "open_interest": None}]
    assert interest_of([*rows, {"symbol": CROSSED}]) == {CALL: D(1234), PUT: None, CROSSED: None}


@pytest.mark.parametrize(
    "rows", [{}, [None], [{"symbol": None}], [{"symbol": 5}], [{"symbol": CALL, "open_interest": "-1"}]]
)
def test_contracts_that_are_none_are_refused(rows: Any) -> None:
    with pytest.raises(Unreachable, match="contract"):
        interest_of(rows)


@given(st.lists(positive, min_size=4, max_size=4), not_negative, times)
@settings(derandomize=True, max_examples=100)
def test_every_bar_survives_the_wire_exactly(prices: list[Decimal], volume: Decimal, at: datetime) -> None:
    low, first, last, high = sorted(prices)
    text = f'{{"t": "{at.isoformat()}", "o": {first}, "h": {high}, "l": {low}, "c": {last}, "v": {volume}}}'
    bar = bar_of("SPY", json.loads(text, parse_float=Decimal), 60)
    assert bar == Bar(symbol="SPY", at=at, seconds=60, open=first, high=high, low=low, close=last, volume=volume)


def test_bars_twice_or_out_of_order_are_refused_by_symbol_and_time() -> None:
    first = bar_of("SPY", BAR, 60)
    second = bar_of("SPY", {**BAR, "t": "2024-03-04T14:32:00Z"}, 60)
    in_order("SPY", [first, second])
    in_order("SPY", [second, first], down=True)
    for wrong, down in (
        ([first, first], False),
        ([second, first], False),
        ([first, second], True),
        ([first] * 2, True),
    ):
        with pytest.raises(Unreachable, match="bars of SPY are not in order: t 2024-03-04T14:3"):
            in_order("SPY", wrong, down=down)


@pytest.mark.parametrize(
    ("seconds", "frame"),
    [
        (60, "1Min"),
        (300, "5Min"),
        (3540, "59Min"),
        (3600, "1Hour"),
        (14400, "4Hour"),
        (82800, "23Hour"),
        (86400, "1Day"),
    ],
)
def test_bars_of_a_length_have_a_name(seconds: int, frame: str) -> None:
    assert timeframe_of(seconds) == frame


@pytest.mark.parametrize("seconds", [1, 59, 90, 5400, 172_800])
def test_bars_that_alpaca_does_not_have_are_refused_with_what_it_has(seconds: int) -> None:
    with pytest.raises(BadConfig, match=f"1 to 59 minutes.*got {seconds} s"):
        timeframe_of(seconds)
