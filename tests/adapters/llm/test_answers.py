"""The strict form of an answer, and the table of failures."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.llm.answers import TEXT_CHARACTERS_MAX, Said, Unfit, read_answer
from hydra.adapters.llm.failures import failure_of_status, seconds_of
from hydra.model.votes import Choice, Why
from tests import llm_servers as wire

GOOD = {"vote": "SELL", "confidence": 0.4, "p_up": 0.45, "reasoning": "z-score 2.1"}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD),
        f"  \n{json.dumps(GOOD, indent=2)}\n",
        f"```json\n{json.dumps(GOOD)}\n```",
        f"I think {{maybe}} so: {json.dumps(GOOD)} (end)",
    ],
)
def test_one_object_is_read_wherever_it_stands(text: str) -> None:
    assert read_answer(text) == Said(Choice.SELL, 0.4, 0.45, "z-score 2.1")


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"vote": "buy"}, "Invalid enum value 'buy'"),
        ({"vote": "ABSTAIN"}, "ABSTAIN"),
        ({"vote": None}, "vote"),
        ({"confidence": 1.7}, "<= 1.0"),
        ({"confidence": -0.1}, ">= 0.0"),
        ({"confidence": "0.7"}, "confidence"),
        ({"confidence": True}, "confidence"),
        ({"p_up": None}, "p_up"),
        ({"p_up": 45}, "<= 1.0"),
        ({"reasoning": ["a"]}, "reasoning"),
        ({"vote": "BUY"}, "BUY with p_up 0.45"),
        ({"p_up": 0.51}, "SELL with p_up 0.51"),
        ({"size": 3}, "size"),
    ],
)
def test_nothing_is_repaired(changes: dict[str, object], because: str) -> None:
    answer = read_answer(json.dumps(GOOD | changes))
    assert isinstance(answer, Unfit)
    assert because in answer.because


@pytest.mark.parametrize("missing", list(GOOD))
def test_every_key_is_asked_for(missing: str) -> None:
    answer = read_answer(json.dumps({name: value for name, value in GOOD.items() if name != missing}))
    assert isinstance(answer, Unfit)
    assert missing in answer.because


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("x" * (TEXT_CHARACTERS_MAX + 1), "characters"),
        ('{"vote": "BUY", "vote": "SELL", "confidence": 1, "p_up": 1, "reasoning": ""}', "given twice"),
        ('{"vote": "BUY", "confidence": NaN, "p_up": 1, "reasoning": ""}', "NaN is no number"),
        ('{"vote": "BUY", "confidence": 1, "p_up": Infinity, "reasoning": ""}', "Infinity is no number"),
        ('{"vote": "BUY", "confidence": 1e999, "p_up": 1, "reasoning": ""}', "not the agreed form"),
        ("[1, 2, 3]", "no JSON object"),
        ("{" * 1000, "opening braces"),
        ('{"a":' * 5000, "deeply"),
        (json.dumps(GOOD) + json.dumps(GOOD), "2 JSON objects"),
        ('{"vote": ' + "1" * 5000 + "}", "no JSON object"),
    ],
)
def test_what_is_no_answer_says_why(text: str, because: str) -> None:
    began = time.perf_counter()
    answer = read_answer(text)
    assert time.perf_counter() - began < 1
    assert isinstance(answer, Unfit)
    assert because in answer.because


@pytest.mark.parametrize(
    "text",
    [
        "I cannot provide financial advice.",
        "I'm sorry, I can't help with that",
        "As an AI, I do not trade.",
        "I won't answer.",
    ],
)
def test_a_refusal_in_words_is_a_refusal(text: str) -> None:
    answer = read_answer(text)
    assert isinstance(answer, Unfit)
    assert answer.refused


@settings(derandomize=True, max_examples=300)
@given(st.text(max_size=300) | st.text(alphabet='{}[]":,0.1eBUYvote ', max_size=300))
def test_any_text_comes_to_an_answer_or_a_reason(text: str) -> None:
    assert isinstance(read_answer(text), Said | Unfit)


@pytest.mark.parametrize(
    ("status", "body", "why", "again"),
    [
        (402, wire.DEEPSEEK_402, Why.QUOTA, False),
        (402, "", Why.QUOTA, False),
        (400, wire.CLAUDE_400, Why.QUOTA, False),
        (429, wire.GROK_429, Why.QUOTA, False),
        (403, wire.GROK_403, Why.QUOTA, False),
        (429, wire.GEMINI_429, Why.QUOTA, False),
        (429, '{"error": {"status": "RESOURCE_EXHAUSTED"}}', Why.QUOTA, False),
        (429, wire.OPENAI_429, Why.QUOTA, False),
        (429, wire.GEMINI_MINUTE_429, Why.RATE, True),
        (429, wire.RATE_429, Why.RATE, True),
        (429, "", Why.RATE, True),
        (529, wire.CLAUDE_529, Why.OVERLOADED, True),
        (503, "", Why.OVERLOADED, True),
        (500, wire.CLAUDE_529, Why.OVERLOADED, True),
        (500, "", Why.ERROR, True),
        (504, "", Why.TIMEOUT, True),
        (599, "", Why.ERROR, True),
        (400, "{}", Why.ERROR, False),
        (401, "{}", Why.ERROR, False),
        (403, "{}", Why.ERROR, False),
        (418, "{}", Why.ERROR, False),
        (302, "", Why.ERROR, False),
        (0, "", Why.ERROR, False),
    ],
)
def test_the_table_of_statuses_and_bodies(status: int, body: str, why: Why, again: bool) -> None:
    found = failure_of_status(status, body, None)
    assert (found.why, found.again) == (why, again)
    assert f"HTTP {status}" in found.because


def test_the_wait_is_the_headers_or_geminis() -> None:
    assert failure_of_status(429, wire.RATE_429, 2.5).wait == 2.5
    assert failure_of_status(429, wire.GEMINI_MINUTE_429, None).wait == 0.1
    assert failure_of_status(429, wire.RATE_429, None).wait is None
    assert [seconds_of(text) for text in ("3", " 0.5 ", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "1e9", None)] == [
        3,
        0.5,
        *[None] * 4,
    ]
