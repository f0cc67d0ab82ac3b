"""Who sits down with which keys, and that every record can say so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.llm.panel import Panel
from hydra.bootstrap.seats import Places, budget_of, seats_of
from hydra.model.errors import BadConfig
from hydra.policy.tournament import TournamentPolicy
from tests.adapters.llm.stage import AS_OF, KEYS, settings_of
from tests.llm_servers import VENDORS

URLS = dict.fromkeys(VENDORS, "http://127.0.0.1:9")
ONE = {"role": "challenger", "wire": "local", "model": "breakout", "against": "A", "calls": 7}


def places(folder: Path) -> Places:
    return Places(
        folder / "tournament.toml",
        folder / ".env",
        folder / "state",
        folder / "logs",
        RealFiles(),
        lambda: datetime.now(UTC),
    )


def seated(folder: Path, environ: Mapping[str, str], policy: TournamentPolicy) -> Panel:
    panel = seats_of(policy, environ, places(folder))
    panel.close()
    return panel


def engines(panel: Panel) -> dict[str, str]:
    return {seat: entry.engine for seat, entry in panel.seated.items()}


def test_without_any_key_four_rules_sit_down_and_it_is_said(tmp_path: Path) -> None:
    panel = seated(tmp_path, {}, settings_of(URLS))
    assert set(engines(panel).values()) == {"local:trend"}
    assert all(entry.local and not entry.shadow and not entry.model for entry in panel.seated.values())
    assert panel.notes[0].startswith("no key is set, so four local rules vote: A local:trend, B local:trend")
    assert not (tmp_path / "state").exists()


def test_with_one_key_the_other_seats_are_empty_and_it_is_said(tmp_path: Path) -> None:
    pytest.importorskip("pydantic_ai", reason="the extra llm is not installed")
    panel = seated(tmp_path, {"GROK_API_KEY": KEYS["GROK_API_KEY"]}, settings_of(URLS))
    assert engines(panel) == {"A": "empty", "B": "empty", "C": "openai:grok-4-1-fast-non-reasoning", "D": "empty"}
    assert panel.notes == (
        "empty for want of a key, and abstaining: A (DEEPSEEK_API_KEY), B (CLAUDE_API_KEY), D (GEMINI_API_KEY)",
    )
    assert len(panel.seated["C"].prompt) == 64


def test_a_key_in_the_env_file_counts_and_an_empty_one_does_not(tmp_path: Path) -> None:
    pytest.importorskip("pydantic_ai", reason="the extra llm is not installed")
    (tmp_path / ".env").write_text("CLAUDE_API_KEY=sk-ant-0123456789\nGROK_API_KEY=\n")
    panel = seated(tmp_path, {"DEEPSEEK_API_KEY": ""}, settings_of(URLS))
    assert [name for name, engine in engines(panel).items() if engine != "empty"] == ["B"]


def test_rules_may_be_seated_on_purpose_and_challengers_stand_in_shadow(tmp_path: Path) -> None:
    local: dict[str, Any] = {"wire": "local", "model": "trend", "base_url": None, "key": "", "without_keys": None}
    policy = settings_of(URLS, **dict.fromkeys(VENDORS, local), challengers={"X1": ONE, "X10": ONE, "X2": ONE})
    panel = seated(tmp_path, KEYS, policy)
    assert list(panel.seated) == ["A", "B", "C", "D", "X1", "X2", "X10"]
    entry = panel.seated["X1"]
    assert (entry.engine, entry.shadow, entry.against, entry.calls) == ("local:breakout", True, "A", 7)
    assert panel.notes[0].startswith("four local rules vote: A local:trend")


def test_a_challengers_key_alone_leaves_the_four_rules_where_they_are(tmp_path: Path) -> None:
    pytest.importorskip("pydantic_ai", reason="the extra llm is not installed")
    challenger = ONE | {"wire": "openai", "model": "m", "base_url": "http://127.0.0.1:9", "key": "MINE_API_KEY"}
    base = settings_of(URLS)
    prices = dict(base.prices) | {"m": {"input": 0, "output": 0, "as_of": AS_OF}}
    policy = TournamentPolicy.model_validate({"seats": base.seats, "prices": prices, "challengers": {"X1": challenger}})
    panel = seated(tmp_path, {"MINE_API_KEY": "0123456789"}, policy)
    assert engines(panel) == dict.fromkeys("ABCD", "local:trend") | {"X1": "openai:m"}
    assert engines(seated(tmp_path, {}, policy))["X1"] == "empty"


def test_a_prompt_of_ones_own_is_found_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("Vote well.")
    pytest.importorskip("pydantic_ai", reason="the extra llm is not installed")
    policy = settings_of(URLS, grok={"prompt": "mine.md"})
    panel = seated(tmp_path, KEYS, policy)
    assert panel.seated["C"].prompt != seated(tmp_path, KEYS, settings_of(URLS)).seated["C"].prompt
    with pytest.raises(BadConfig, match=r"theirs.md: no such file"):
        seats_of(settings_of(URLS, grok={"prompt": "theirs.md"}), KEYS, places(tmp_path))


def test_the_report_of_spending_needs_no_key(tmp_path: Path) -> None:
    spent = budget_of(settings_of(URLS), places(tmp_path)).spending()
    assert (spent.calls, spent.total, spent.cap_iteration) == (0, Decimal(0), Decimal(10))
