"""The architecture's tables and paths are the code's."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from hydra.model.portfolio import Mode
from hydra.model.snapshot import Scope
from hydra.risk import gates
from hydra.risk.halts import KILL_FAILED
from hydra.risk.kills import REQUIRED_KILLS
from tests.docs.pages import ROOT, read, rows, sections

PAGE = read("architecture.md")
PARTS = sections(PAGE, 2)
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PLUGS: dict[str, dict[str, str]] = PROJECT["project"]["entry-points"]


def named(part: str) -> list[str]:
    return [row[0].strip("`") for row in rows(PARTS[part])]


def test_every_path_exists() -> None:
    paths = set(re.findall(r"\bhydra/[a-z_/]+(?:\.py\b|/)", PAGE))
    assert len(paths) > 20
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_every_gate_is_there_with_its_scope() -> None:
    documented = {row[0].strip("`"): row[1] for row in rows(PARTS["Gates"])}
    assert set(documented) == set(PLUGS["hydra.gates"])
    optional = [name for name in documented if name not in gates.REQUIRED]
    assert list(documented)[-2:] == optional
    assert "None of these but the last two may be left out" in PARTS["Gates"]
    for name, scope in documented.items():
        assert Scope(scope.replace(" ", "_")) is getattr(gates, name).scope


@pytest.mark.parametrize(("part", "group"), [("Rules", "hydra.rules"), ("Exits", "hydra.exits")])
def test_every_rule_and_exit_is_there_in_order(part: str, group: str) -> None:
    assert named(part) == list(PLUGS[group])


def test_every_kind_of_plug_is_there() -> None:
    assert named("Where a plug goes in") == list(PLUGS)


def test_every_halt_and_mode_is_there() -> None:
    automatic = [*PLUGS["hydra.kills"], KILL_FAILED]
    documented = named("Halts and modes")
    assert documented == ["operator", "flatten", *automatic, "exit_failed", *(mode.name for mode in Mode)]
    assert set(documented[2:7]) == REQUIRED_KILLS


def test_the_floors_are_those_of_the_contract() -> None:
    contract = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    modules = [re.findall(r"\((\w+)\)", layer) for layer in contract]
    for (floor, _, files), expected in zip(rows(PARTS["Floors"]), modules, strict=True):
        there = {name for name in expected if (ROOT / "hydra" / name).exists() or (ROOT / f"hydra/{name}.py").exists()}
        assert set(re.findall(r"hydra/(\w+)", files)) == there, floor
