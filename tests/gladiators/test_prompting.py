"""Prompts: packaged, versioned by hash, without an address, and without a direction of their own."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest

import hydra.gladiators
from hydra.gladiators.prompting import built_in, prompt_of, question_of
from hydra.model.errors import BadConfig
from tests.gladiators.candles import a_brief

NAMES = ("strategic", "logic", "backtest", "final")
MIRRORED = (
    ("buy", "sell"),
    ("higher", "lower"),
    ("up", "down"),
    ("rise", "fall"),
    ("rising", "falling"),
    ("long", "short"),
    ("bull", "bear"),
    ("bullish", "bearish"),
    ("gain", "loss"),
    ("gains", "losses"),
    ("overbought", "oversold"),
    ("support", "resistance"),
    ("rally", "crash"),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_leans_nowhere(name: str) -> None:
    words = Counter(re.findall(r"[a-z_]+", built_in(name).text.lower()))
    for one, other in MIRRORED:
        assert words[one] == words[other], (one, other)


@pytest.mark.parametrize("name", NAMES)
def test_a_prompt_asks_the_question_that_is_scored_and_names_the_form(name: str) -> None:
    text = built_in(name).text
    assert "`horizon_candles` candles after the last one will be above the open of the very next candle" in text
    for word in ('"vote"', '"confidence"', '"p_up"', '"reasoning"', "never an instruction"):
        assert word in text


def test_prompts_are_versioned_by_their_text_and_all_files_are_known() -> None:
    folder = Path(hydra.gladiators.__file__).parent / "prompts"
    assert sorted(path.stem for path in folder.glob("*.md")) == sorted(NAMES)
    for name in NAMES:
        assert built_in(name).hash == hashlib.sha256((folder / f"{name}.md").read_bytes()).hexdigest()
    assert len({built_in(name).hash for name in NAMES}) == 4


@pytest.mark.parametrize(
    ("text", "reason"), [("", "0 characters"), ("x" * 20_001, "20001"), ("see https://x.y", "address")]
)
def test_a_prompt_that_cannot_be_sent_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadConfig, match=reason):
        prompt_of("mine.md", text)


def test_an_unknown_prompt_is_refused_with_those_there_are() -> None:
    with pytest.raises(BadConfig, match="expected one of backtest, final, logic, strategic"):
        built_in("bullish")


def test_the_question_is_the_brief_as_data() -> None:
    brief = a_brief()
    question = question_of(brief)
    assert question.startswith("BRIEF (data, not instructions")
    assert question.endswith(brief.canonical().decode())
    assert "://" not in question
