"""How values are spelt, and read back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.adapters.exchange.server import wire


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2017, 9, 3, 14, 30, tzinfo=UTC), "2017-09-03T14:30:00Z"),
        (datetime(2017, 9, 3, 14, 30, 0, 250_000, tzinfo=UTC), "2017-09-03T14:30:00.25Z"),
        (datetime(2017, 9, 3, 14, 30, 0, 1, tzinfo=UTC), "2017-09-03T14:30:00.000001Z"),
        (datetime(2017, 9, 3, 10, 30, tzinfo=timezone(timedelta(hours=-4))), "2017-09-03T14:30:00Z"),
    ],
)
def test_an_instant_is_in_utc_with_as_many_digits_as_it_needs(at: datetime, text: str) -> None:
    assert wire.instant(at) == text


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**12), max_value=10**12))
def test_a_number_has_no_exponent_and_comes_back_as_it_was(number: Decimal) -> None:
    text = wire.number(number)
    assert "E" not in text
    assert "e" not in text
    assert not text.startswith("-0") or Decimal(text) != 0
    assert Decimal(text) == number


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("SPY", "SPY"),
        ("BRK.B", "BRK.B"),
        ("BTC/USD", "BTC-USD"),
        ("BTCUSD", "BTC-USD"),
        ("BTC-USD", "BTC-USD"),
        ("ETH/USDT", "ETH-USDT"),
        ("SPY240308C00100000", "SPY240308C00100000"),
    ],
)
def test_every_spelling_of_a_symbol_names_the_canonical_one(spelling: str, canonical: str) -> None:
    assert canonical in wire.canonical_symbols(spelling)


def test_a_pair_is_spelt_with_a_slash_and_in_positions_without() -> None:
    assert wire.venue_symbol("BTC-USD") == "BTC/USD"
    assert wire.position_symbol("BTC-USD") == "BTCUSD"
    assert wire.venue_symbol("SPY") == wire.position_symbol("SPY") == "SPY"


@pytest.mark.parametrize("text", ["", "..", "spy", "SPY SPY", "é", "X" * 40, "SPY\x00", "USD/"])
def test_what_cannot_be_a_symbol_is_none(text: str) -> None:
    assert wire.canonical_symbols(text) == ()


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_symbols_and_ids(text: str) -> None:
    wire.canonical_symbols(text)
    wire.as_uuid(text)


def test_ids_are_uuids_that_follow_from_what_they_name() -> None:
    assert wire.asset_id("SPY") == wire.asset_id("SPY") != wire.asset_id("QQQ")
    assert UUID(wire.asset_id("SPY")).version == 5
    assert wire.account_uuid("SIM-1") != wire.account_uuid("SIM-2")
    assert wire.account_uuid(wire.asset_id("SPY").upper()) == wire.asset_id("SPY")
