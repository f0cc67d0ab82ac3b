"""Each defect is caught by the check meant for it, stops `hydra run`, and once mended `hydra qc` passes again."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from tests.drill.defects.defect import Defect
from tests.drill.defects.exercise import exercise
from tests.drill.defects.table import DEFECTS
from tests.drill.defects.yard import Yard

SLICE = (
    "a negative limit",
    "a configuration anybody may write",
    "a blocked account",
)
"""What the gate keeps, on copies of a place before its first day, which is soon made: a configuration, a file, a venue."""


@pytest.mark.timeout(120)
def test_a_slice_of_them_is_caught_each_by_the_check_meant_for_it(yard: Yard) -> None:
    rows = {defect.name: defect for defect in DEFECTS}
    found = {name: _problems(replace(rows[name], base="certified"), yard) for name in SLICE}
    assert {name: problems for name, problems in found.items() if problems} == {}


@pytest.mark.drill
@pytest.mark.timeout(300)
@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name.replace(" ", "_"))
def test_it_is_caught_by_the_check_meant_for_it_stops_a_run_and_can_be_mended(defect: Defect, yard: Yard) -> None:
    assert _problems(defect, yard) == ()


def _problems(defect: Defect, yard: Yard) -> tuple[str, ...]:
    if defect.needs and shutil.which(defect.needs) is None:
        pytest.skip(f"{defect.needs} is not here, which plants this")
    with yard.stage(defect.base) as stage:
        return exercise(defect, stage).problems
