"""The tournament's settings: everything that is wrong is told at once, by file and key, and no secret is ever quoted."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from hydra.bootstrap.tournament_config import load_tournament
from hydra.model.errors import BadConfig

SHIPPED = Path(__file__).resolve().parents[2] / "configs" / "tournament.toml"
TEXT = SHIPPED.read_text()
CHALLENGER = """
[challengers.X1]
role = "a server of my own"
wire = "openai"
model = "qwen3:8b"
base_url = "http://127.0.0.1:11434/v1"
against = "D"
calls = 500

[prices."qwen3:8b"]
input = 0
output = 0
as_of = 2026-11-22
"""


def loaded(tmp_path: Path, text: str) -> object:
    path = tmp_path / "tournament.toml"
    path.write_text(text)
    return load_tournament(path)


def refused(tmp_path: Path, text: str) -> str:
    with pytest.raises(BadConfig) as error:
        loaded(tmp_path, text)
    return str(error.value).replace(f"{tmp_path}/", "")


def test_the_shipped_file_seats_the_four_families_with_a_price_each() -> None:
    policy = load_tournament(SHIPPED)
    assert list(policy.contenders) == ["A", "B", "C", "D"]
    assert [section.key for section in policy.contenders.values()] == [
        *("DEEPSEEK_API_KEY", "ANTHROPIC_API_KEY", "XAI_API_KEY", "GEMINI_API_KEY")
    ]
    assert [section.without_keys for section in policy.contenders.values()] == [
        *("trend", "mean_reversion", "breakout", "synthesis")
    ]
    assert {section.model for section in policy.contenders.values()} == set(policy.prices)
    assert policy.consensus.hold_counts
    assert policy.budget.iteration == Decimal("0.25")


def test_a_challenger_with_its_price_stands_behind_the_seats(tmp_path: Path) -> None:
    path = tmp_path / "tournament.toml"
    path.write_text(TEXT + CHALLENGER)
    policy = load_tournament(path)
    assert list(policy.contenders) == ["A", "B", "C", "D", "X1"]
    assert (policy.challengers["X1"].against, policy.challengers["X1"].calls) == ("D", 500)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("needed = 2", "neded = 2", "tournament.toml: consensus.neded: unknown key; did you mean needed?"),
        ("needed = 2", "needed = 5", "consensus.needed: Input should be less than or equal to 4"),
        ("needed = 2", "needed = true", "consensus.needed: expected a whole number, got bool True"),
        ("hold_counts = true", "hold_counts = 1", "consensus.hold_counts: expected true or false, got int 1"),
        ("temperature = 0", 'temperature = "hot"', "seats.A.temperature: expected a number, got text of 3 characters"),
        ("temperature = 0", "temperature = 3", "seats.A.temperature: Input should be less than or equal to 2"),
        ("temperature = 0", "temperature = nan", "beyond every range"),
        ('wire = "anthropic"', 'wire = "smoke"', "seats.B.wire"),
        ('key = "XAI_API_KEY"', 'key = "PATH"', "seats.C.key"),
        ("https://api.x.ai", "http://api.x.ai", "seats.C: base_url http://api.x.ai/v1: a key is not sent over http"),
        ("https://api.x.ai", "https://me:secret@api.x.ai", "the address carries more than a host and a path"),
        ("https://api.x.ai/v1", "ftp://api.x.ai", "expected an address that begins with https://"),
        ('[prices."claude-sonnet-5-5"]', '[prices."claude"]', "seat B: the price of claude-sonnet-5-5 is not known"),
        ("1.20\nas_of = 2026-11-22", "1.20", "prices.deepseek-flash.as_of: missing"),
        (
            "1.20\nas_of = 2026-11-22",
            "1.20\nas_of = 5",
            "prices.deepseek-flash.as_of: expected a date such as 2026-11-22, got int 5",
        ),
        ("day = 5", "day = 0.1", "budget: expected iteration <= day <= total, got 0.25, 0.1, 50"),
        ("total = 50", "total = -1", "budget.total"),
        ("horizon = 5", "horizon = 0", "score.horizon"),
        ("[seats.D]", "[seats.E]", "seats.E: unknown key"),
        ("[seats.D]", "[seats.E]", "seats.D: missing"),
        ('prompt = "logic"', 'prompt = "../x.txt"', "seats.B.prompt"),
        ("[consensus]", "[consensus", "not TOML"),
        ('without_keys = "trend"', 'without_keys = "dice"', "seats.A.without_keys"),
        ("reuse = true", 'reuse = true\n[challengers.Y1]\nrole = "x"', "challengers"),
    ],
)
def test_what_is_wrong_is_named_with_what_would_be_accepted(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in TEXT
    assert says in refused(tmp_path, TEXT.replace(old, new, 1))


def test_all_problems_are_told_at_once_and_a_key_in_the_wrong_place_is_not_quoted(tmp_path: Path) -> None:
    text = TEXT.replace("needed = 2", 'needed = "sk-secret-0123456789"').replace("horizon = 5", "horizn = 5")
    told = refused(tmp_path, text)
    assert len(told.splitlines()) == 2
    assert "sk-secret" not in told


def test_a_key_written_where_its_variable_belongs_is_refused_without_being_quoted(tmp_path: Path) -> None:
    told = refused(tmp_path, TEXT.replace('key = "XAI_API_KEY"', 'key = "xai-0123456789abcdef"'))
    assert "seats.C.key" in told
    assert "xai-0123456789abcdef" not in told


def test_a_file_that_is_not_there_is_a_clear_refusal(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="no such file"):
        load_tournament(tmp_path / "none.toml")
