"""Every sabotage is noticed within a minute, by a claim that is meant for it; and without one nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sabotage.play import ROOT, SECONDS, copy_program, run_tool, spoil
from tests.sabotage.table import SABOTAGES, STORM, Sabotage

LEAST = 20
IN_THE_GATE = ("sends an order before it is journaled", "commits to the store what the journal may lose")
DRILLED = [pytest.param(name, marks=[] if name in IN_THE_GATE else pytest.mark.drill) for name in SABOTAGES]


@pytest.mark.timeout(SECONDS * 3)
@pytest.mark.parametrize("name", DRILLED)
def test_a_sabotaged_program_is_caught(tmp_path: Path, name: str) -> None:
    sabotage = SABOTAGES[name]
    copy_program(tmp_path)
    spoil(tmp_path, sabotage)
    noticed = run_tool(tmp_path, sabotage)
    assert noticed.code == 1, noticed.said[-2000:]
    assert noticed.claim(sabotage), noticed.said[-2000:]


@pytest.mark.parametrize("name", SABOTAGES)
def test_the_text_that_a_sabotage_replaces_stands_in_the_program_once(name: str) -> None:
    for file, old, new in SABOTAGES[name].edits:
        assert old != new
        assert (ROOT / "hydra" / file).read_text(encoding="utf-8").count(old) == 1, f"{file}: {old!r}"


def test_there_are_enough_of_them_and_a_disk_that_loses_what_was_not_synced_is_among_what_notices() -> None:
    assert len(SABOTAGES) >= LEAST
    assert [name for name, one in SABOTAGES.items() if one.tool is STORM]


def test_a_sabotage_that_changes_nothing_is_refused(tmp_path: Path) -> None:
    copy_program(tmp_path)
    with pytest.raises(ValueError, match="0 times in it"):
        spoil(tmp_path, Sabotage(file="engine/act.py", old="no such line", new="", claims=("any",)))
