"""A slice of the matrix: the faults that could double, lose or misread an order, and the page that lists every cell."""

from __future__ import annotations

from functools import cache

import pytest

from hydra.adapters.exchange.fault_table import MEANINGS, OF_THE_ROAD, FaultKind, Operation
from tests.docs.pages import read
from tests.faults.cells import NOT_ASKED, Cell, Scene, When, all_cells
from tests.faults.matrix import play
from tests.faults.page import Place, outcomes, place_of

ANSWER_LOST = (FaultKind.TIMEOUT_AFTER, FaultKind.DROP_AFTER, FaultKind.GATEWAY_AFTER)


def _chosen() -> list[Cell]:
    shares = {(c.operation, c.fault, c.when): c for c in all_cells() if c.scene is Scene.SHARES and not c.numbers}
    at_submit = [f for f in FaultKind if f in OF_THE_ROAD and (Operation.SUBMIT, f, When.ENTRY) in shares]
    keys = [(Operation.SUBMIT, fault, When.ENTRY) for fault in at_submit]
    keys += [(Operation.CANCEL, fault, When.EXIT) for fault in ANSWER_LOST]
    keys += [(Operation.FILLS, fault, When.ENTRY) for fault in (FaultKind.LOST_FILL, FaultKind.DOUBLED_FILL)]
    return [shares[key] for key in keys]


@cache
def told() -> dict[Place, str]:
    """What the page says of every cell."""
    return outcomes(read("reference/fault-matrix.md"))


@pytest.mark.parametrize("cell", _chosen(), ids=lambda cell: cell.name)
def test_what_could_double_an_order_does_not_and_comes_to_what_the_page_says(cell: Cell) -> None:
    wanted = told()[place_of(cell)]
    result = play(cell)
    if result.outcome != wanted and not result.problems:
        result = play(cell)  # on a busy machine a read may take longer than its deadline, which is another cell's fault
    assert result.problems == ()
    assert result.outcome == wanted


def test_a_mute_stream_changes_no_order() -> None:
    mute = next(cell for cell in all_cells() if cell.fault is FaultKind.MUTE_STREAM)
    result = play(mute)
    assert (result.problems, result.outcome) == ((), "same orders")


def test_the_page_lists_exactly_the_cells_there_are() -> None:
    assert set(told()) == {place_of(cell) for cell in all_cells()}


def test_every_fault_is_tried_wherever_it_can_strike() -> None:
    tried = {(cell.fault, cell.operation) for cell in all_cells()}
    could = {(fault, place) for fault, meaning in MEANINGS.items() for place in meaning.at if place not in NOT_ASKED}
    assert could - tried == set()
