"""The page of the rules is the code's: every rule in order, every key there is, and the example works."""

from __future__ import annotations

import re
import tomllib

import pytest
from pydantic import BaseModel

from hydra.model.orders import Ceiling
from hydra.model.values import replace
from hydra.policy import BotPolicy, Policy, RiskPolicy
from hydra.risk.plugs import Case, Rule
from hydra.risk.rules.answers import all_or_nothing
from tests.docs.pages import ROOT, read, rows, sections
from tests.risk.rules.cases import RULES, case
from tests.risk.scenes import healthy, with_sight

PAGE = read("reference/rules.md")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
NAMES = list(PROJECT["project"]["entry-points"]["hydra.rules"])
SECTIONS: dict[str, type[BaseModel]] = {"risk": RiskPolicy, "bots": BotPolicy, "budgets": Policy}
TABLE = [row for row in rows(PAGE) if row[0].strip("`") in NAMES]


def test_every_rule_has_its_row_in_order() -> None:
    assert [row[0].strip("`") for row in TABLE] == NAMES
    assert set(NAMES) == set(RULES)
    assert all(len(row) == 4 and all(cell for cell in row) for row in TABLE)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0].strip("`"))
def test_every_key_of_a_row_is_one_of_the_policy(row: list[str]) -> None:
    for key in re.findall(r"`([a-z_.]+)`", row[2]):
        section, *path = key.split(".")
        assert (path[0] if path else section) in SECTIONS[section].model_fields, key


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_answers_in_its_own_name_and_says_what_it_is_for(name: str) -> None:
    assert RULES[name](case()).rule == name == RULES[name].__name__
    assert RULES[name].__doc__


def test_the_example_is_a_rule() -> None:
    [source] = re.findall(r"```python\n(.*?)```", sections(PAGE, 2)["A rule of your own"], re.DOTALL)
    found: dict[str, Rule] = {}
    exec(source, {"Case": Case, "Ceiling": Ceiling, "all_or_nothing": all_or_nothing}, found)  # noqa: S102  # our own page
    rule, sessions = found["no_mondays"], healthy().sight.sessions
    assert sessions is not None
    tuesday = with_sight(sessions=replace(sessions, day=sessions.day.replace(day=5)))
    assert rule(case()).quantity == 0
    assert rule(case(with_sight(sessions=None))).quantity == 0
    assert rule(case(tuesday)).quantity == 1000
