"""The table is complete: enough defects, every check that can fail has one, and the page tells of all of them."""

from __future__ import annotations

from collections.abc import Mapping

from hydra.qc.lists import LISTS
from tests.docs.pages import read, rows
from tests.drill.defects.defect import Defect
from tests.drill.defects.page import cells_of
from tests.drill.defects.table import CHAPTERS, DEFECTS
from tests.drill.defects.test_defects import SLICE

NEVER_ALONE: Mapping[str, str] = {
    "gate_journal_writable": "`log_folder` has asked the same of the same folder a moment before, and a later part is asked only if it passed",
    "gate_disk_space": "`disk` has asked the same a moment before",
    "gate_state_writable": "`state_folder` and `store` have asked the same a moment before",
    "store_commit": "`store` has opened it a moment before; this is for one that stops taking what is written while `qc` looks",
    "venue_calendar": "the simulated venues go by the very calendar they are held against, and no fault changes it; planted by value in tests/qc",
    "gate_day_start": "equity has to differ by a quarter between two days; planted by value in tests/risk/test_gates.py",
    "start": "it has what nobody foresaw: whatever does not open and has a check of its own fails under that name",
    "clock_service": "the kernel says so of a real machine's clock, which a test must not touch; advice, it stops nothing",
    "gate_session": "it refuses a class whose session is unknown; the calendars of this program know every class",
}
"""Checks of `qc` that no defect of the table is meant for, each with why. Most are there for what changes between two looks."""
_PLUGS = {"lock": "sole_writer", "journal": "chain", "ledger_agrees": "agreement", "moon": "gates"}


def _plug_of(defect: Defect) -> str:
    """The plug that makes a check of this name in `qc`."""
    name, names = defect.check, LISTS["qc"]
    for begin, plug in (("bot ", "bots"), ("data ", "fresh_data")):
        if name.startswith(begin):
            return plug
    if name in _PLUGS:
        return _PLUGS[name]
    return f"gate_{name}" if f"gate_{name}" in names else name


def test_there_are_more_than_sixty_and_no_two_are_called_the_same() -> None:
    blocking = [defect.name for defect in DEFECTS if defect.qc != 0]
    assert len(blocking) >= 75
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS)
    assert set(SLICE) <= {defect.name for defect in DEFECTS}


def test_every_check_of_qc_can_be_made_to_fail_by_a_defect_meant_for_it() -> None:
    planted = {_plug_of(defect) for defect in DEFECTS if not defect.by_run}
    assert planted <= set(LISTS["qc"])
    assert set(LISTS["qc"]) - planted == set(NEVER_ALONE)


def test_the_page_tells_of_every_defect_as_the_table_has_it() -> None:
    page = rows(read("reference/planted-defects.md"))
    told = {row[0]: (row[1], row[2], row[6]) for row in page}
    assert [row[0] for row in page] == [defect.name for rows_of in CHAPTERS.values() for defect in rows_of], (
        "write it anew: python -m tests.drill.defects --write"
    )
    assert told == {defect.name: cells_of(defect) for defect in DEFECTS}
