"""The page of exits and kills has every one, in the policy's order, and names no key that there is not."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from hydra.policy import BotPolicy, Policy
from hydra.risk.kills import REQUIRED_KILLS
from tests.docs.pages import ROOT, read, rows, sections

PAGE = read("reference/exits-and-kills.md")
PARTS = sections(PAGE, 2)
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PLUGS: dict[str, dict[str, str]] = PROJECT["project"]["entry-points"]


def named(part: str) -> list[str]:
    return [row[0].strip("`") for row in rows(PARTS[part])]


@pytest.mark.parametrize(("part", "group"), [("Exits", "hydra.exits"), ("Kills", "hydra.kills")])
def test_every_one_is_there_in_order(part: str, group: str) -> None:
    assert named(part) == list(PLUGS[group])


def test_the_first_five_kills_are_the_required_ones() -> None:
    assert set(named("Kills")[:5]) == REQUIRED_KILLS
    assert "The first five may not be left out" in PARTS["Kills"]


def test_every_key_exists() -> None:
    keys = re.findall(r"`((?:bots|risk|health|budgets|broker)\.[a-z_.]+)\b", PAGE)
    assert len(set(keys)) > 20
    for key in keys:
        section, *path = key.split(".")
        model: Any = BotPolicy if section == "bots" else Policy.model_fields[section].annotation
        for name in path:
            assert name in model.model_fields, key
            found = model.model_fields[name].annotation
            model = next(
                (part for part in (found, *getattr(found, "__args__", ())) if hasattr(part, "model_fields")), None
            )
