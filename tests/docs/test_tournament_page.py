"""The page of the tournament says what the code does: every key, reason, reading, regime, rule and prompt."""

from __future__ import annotations

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hydra.gladiators.local import RULES
from hydra.gladiators.readings import readings_of
from hydra.gladiators.regime import Regime
from hydra.model.votes import Why
from hydra.policy.tournament import (
    BudgetSection,
    ChallengerSection,
    ConsensusSection,
    PriceSection,
    RecordingsSection,
    ScoreSection,
)
from tests.docs.pages import read

PAGE = read("reference/tournament.md")
SECTIONS: dict[str, type[BaseModel]] = {
    "": ChallengerSection,
    "prices.MODEL.": PriceSection,
    "budget.": BudgetSection,
    "consensus.": ConsensusSection,
    "score.": ScoreSection,
    "recordings.": RecordingsSection,
}
KEYS = [
    (f"{section}{name}", field) for section, model in SECTIONS.items() for name, field in model.model_fields.items()
]


def cells(key: str) -> list[str]:
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{key}` |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def shown(field: FieldInfo) -> set[str]:
    if field.is_required():
        return {"-"}
    if field.default is None:
        return {"none", "not sent", "not known"}
    return {str(field.default).lower(), "empty" if field.default == "" else str(field.default)}


@pytest.mark.parametrize(("key", "field"), KEYS, ids=lambda value: value if isinstance(value, str) else "")
def test_every_key_is_there_with_its_default(key: str, field: FieldInfo) -> None:
    assert cells(key)[2] in shown(field)


@pytest.mark.parametrize("word", [*[why.value for why in Why if why], *[regime.value for regime in Regime], *RULES])
def test_every_reason_regime_and_rule_has_its_line(word: str) -> None:
    assert len(cells(word)) >= 2


@pytest.mark.parametrize("reading", list(readings_of([])))
def test_every_reading_is_named(reading: str) -> None:
    assert f"`{reading}`" in PAGE


@pytest.mark.parametrize("prompt", ["strategic", "logic", "backtest", "final"])
def test_every_prompt_is_named(prompt: str) -> None:
    assert f"`{prompt}`" in PAGE
