"""Foreign text: nothing of it moves a cursor, opens a tag, or runs on for ever."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.text import Text

from hydra.model.text import harmless, is_harmless


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("ADX 31.2, so up.", "ADX 31.2, so up."),
        ("a\nb\r\n\tc", "a b c"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x07link\x1b]8;;\x07", "link"),
        ("\x1b]0;owned\x1b\\title", "title"),
        ("\x9b2Jgone", "gone"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("<<b>i>text", "text"),
        ("<img src=x onerror=alert(1)", "img src=x onerror=alert(1)"),
        ("[bold red]no[/bold red]", "no"),
        ("[[bold]bold]no", "no"),
        ("[link=http://x]y[/link]", "y"),
        ("price < 100 and > 90", "price < 100 and > 90"),
        ("ab\u202ecd\u200be\ufeff", "abcde"),
        ("\ud800broken", "broken"),
        ("\x00\x07bell", "bell"),
        ("naïve ünïcode 价格", "naïve ünïcode 价格"),
        ("", ""),
    ],
)
def test_what_is_kept_of_a_text(text: str, kept: str) -> None:
    assert harmless(text) == kept


def test_a_long_text_is_cut_at_its_length_and_says_so() -> None:
    assert harmless("word " * 1000, 20) == "word word word word…"
    assert len(harmless("x" * 10_000, 300)) == 300


@settings(derandomize=True, max_examples=300)
@given(st.text(alphabet=st.sampled_from("ab<>[]/!#@=\x1b\x9b;m\x07 \n\u202e\ud800😀"), max_size=200))
def test_what_comes_out_is_always_storable_and_goes_through_again_unchanged(text: str) -> None:
    kept = harmless(text, 100)
    assert is_harmless(kept, 100)
    assert harmless(kept, 100) == kept
    assert kept.encode("utf-8").decode() == kept
    assert Text.from_markup(kept).plain == kept


@pytest.mark.parametrize("piece", ["<", "[", "<b", "[b", "\x1b]", "<<b>i>", "{"])
def test_a_flood_costs_nothing(piece: str) -> None:
    began = time.perf_counter()
    harmless(piece * 200_000)
    assert time.perf_counter() - began < 1
