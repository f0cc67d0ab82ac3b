"""The brief: one spelling, one hash, nothing that leans, nothing that changes from run to run."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from decimal import Decimal

import pytest

from hydra.gladiators.brief import Brief, brief_of
from hydra.model.errors import Invalid
from hydra.model.market import Bar
from hydra.model.values import decode, encode, replace
from tests.gladiators.candles import START, a_brief, wavy


def test_the_same_candles_make_the_same_bytes_and_the_hash_is_of_them() -> None:
    one, two = a_brief(), a_brief()
    assert one is not two
    assert one.canonical() == two.canonical()
    assert one.hash == hashlib.sha256(one.canonical()).hexdigest()


def test_a_brief_says_what_it_says_and_nothing_more() -> None:
    document = json.loads(a_brief().canonical())
    assert list(document) == [
        *("v", "asset", "at", "granularity_seconds", "horizon_candles", "columns", "candles", "indicators", "regime")
    ]
    assert document["columns"] == ["ago", "open", "high", "low", "close", "volume"]
    assert [row[0] for row in document["candles"]] == list(range(240, 0, -1))
    assert document["at"] == "2017-09-03T04:00:00Z"


def test_numbers_that_are_equal_are_spelt_alike() -> None:
    bars = wavy(240)
    longer = [replace(bar, close=bar.close.quantize(Decimal("1e-18")), volume=Decimal("1.000")) for bar in bars]
    assert brief_of("BTC-USD", longer, 60).hash == brief_of("BTC-USD", bars, 60).hash


def test_any_change_of_a_candle_the_horizon_or_a_headline_changes_the_hash() -> None:
    bars = wavy(240)
    brief = brief_of("BTC-USD", bars, 60)
    louder = [replace(bars[0], volume=Decimal(2)), *bars[1:]]
    others = [
        brief_of("BTC-USD", louder, 60),
        brief_of("BTC-USD", bars, 60, horizon=6),
        replace(brief, headline="Sources say that everybody is buying."),
        brief_of("BTC-USD", bars[1:], 60),
    ]
    assert len({brief.hash, *[other.hash for other in others]}) == 5


def test_a_brief_survives_the_wire() -> None:
    brief = a_brief()
    again = decode(encode(brief), Brief)
    assert again == brief
    assert again.hash == brief.hash


def gap(bars: list[Bar]) -> list[Bar]:
    return [*bars[:5], *bars[9:]]


def test_a_gap_shows_in_how_long_ago_candles_were() -> None:
    document = json.loads(brief_of("BTC-USD", gap(wavy(20)), 60).canonical())
    assert [row[0] for row in document["candles"]] == [20, 19, 18, 17, 16, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("bars", "reason"),
    [
        ([], "no candles"),
        (wavy(3)[::-1], "out of order"),
        ([wavy(3)[0], wavy(3)[0]], "out of order"),
        ([replace(bar, symbol="ETH-USD") for bar in wavy(2)], "cannot hold a candle of ETH-USD"),
        ([replace(bar, seconds=300) for bar in wavy(1)], "by 300 s"),
        ([replace(wavy(1)[0], at=START - timedelta(seconds=90)), *wavy(2)], "whole number of candles"),
    ],
    ids=["none", "backwards", "twice", "another_asset", "another_length", "off_the_grid"],
)
def test_candles_that_make_no_brief_are_refused_by_name(bars: list[Bar], reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        brief_of("BTC-USD", bars, 60).canonical()


@pytest.mark.parametrize("headline", ["see https://example.com", "two\nlines", "\x1b[31mred", "x" * 501])
def test_a_headline_is_one_harmless_line_without_an_address(headline: str) -> None:
    with pytest.raises(Invalid, match="headline"):
        replace(a_brief(), headline=headline)
