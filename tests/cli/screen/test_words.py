"""Numbers and codes as people read them."""

import re
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from hydra.cli.screen import words
from hydra.risk.gates import REQUIRED

CODES = re.compile(r'code="(\w+)"|(?:skip|refuse)\(\s*[^,()]+,\s*"(\w+)"|return \("(\w+)", f?"')


def codes_in_the_sources() -> set[str]:
    files = [*Path("hydra/engine").glob("*.py"), *Path("hydra/risk").glob("*.py")]
    found = (match for file in files for match in CODES.finditer(file.read_text()))
    return {next(filter(None, match.groups())) for match in found}


def test_every_code_the_engine_uses_has_plain_words() -> None:
    gates = {plug.name for plug in entry_points(group="hydra.gates")}
    codes = codes_in_the_sources() | REQUIRED | gates
    assert {"capped", "bot_window", "exit_waits", "resume_refused", "session"} <= codes
    assert codes - words.WORDS.keys() == set()


def test_an_unknown_code_is_shown_as_it_is() -> None:
    assert words.in_words("full_moon") == "full_moon"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("two\nlines", "two lines"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("tab\tand\rreturn", "tab and return"),
        ("\x9bC1 \u202eright to left", "C1 right to left"),
    ],
)
def test_foreign_words_cannot_steer_the_terminal(text: str, shown: str) -> None:
    assert words.one_line(text) == shown


@pytest.mark.parametrize(
    ("amount", "full", "short"),
    [
        ("0", "$0.00", "$0.00"),
        ("12.3", "+$12.30", "+$12.30"),
        ("-1234.567", "-$1,234.57", "-$1,234.57"),
        ("12345678", "+$12,345,678.00", "+$12.35M"),
        ("-9e12", "-$9,000,000,000,000.00", "-$9.00T"),
    ],
)
def test_gains_carry_their_sign(amount: str, full: str, short: str) -> None:
    assert words.change(Decimal(amount)) == full
    assert words.short_change(Decimal(amount)) == short


def test_what_is_unknown_says_so() -> None:
    assert words.dollars(None) == words.change(None) == words.short_change(None) == "unknown"
    assert words.price(None) == ""
    assert words.millis(None) == "-"


def test_no_number_is_wider_than_a_column() -> None:
    for exponent in range(40):
        amount = Decimal(-7).scaleb(exponent)
        assert len(words.short_change(amount)) <= 14
        assert len(words.price(-amount)) <= 13
        assert len(words.quantity(amount)) <= 13


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("1200", "1,200"),
        ("0.0153000", "0.0153"),
        ("-3", "-3"),
        ("-0.5", "-0.5"),
        ("1234.5", "1,234.5"),
        ("1E+3", "1,000"),
    ],
)
def test_sizes_are_plain(amount: str, shown: str) -> None:
    assert words.quantity(Decimal(amount)) == shown


def test_prices_below_a_dollar_keep_their_decimals() -> None:
    assert words.price(Decimal("0.000123456")) == "0.000123"
    assert words.price(Decimal("599.1")) == "599.10"


def test_shares_are_signed_and_nothing_is_nothing() -> None:
    assert words.percent(Decimal("312.55"), Decimal(100000)) == "+0.31%"
    assert words.percent(Decimal(0), Decimal(100000)) == "0.00%"
    assert words.percent(Decimal(1), Decimal(0)) == ""
