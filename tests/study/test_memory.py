"""A million looks have to fit, and a quiet one has to cost little."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hydra.model.orders import Purpose, Side
from hydra.study.record import Recorder
from tests.study.tape import Tape

LOOKS = 3000


def arrays(recorder: Recorder) -> Iterator[Any]:
    """Everything that grows with the looks."""
    curve = recorder.curve
    yield from (curve.at, curve.equity, curve.gross)
    for column in (curve.cash, *curve.bots.values()):
        yield from (column.rows, column.values)
    for bars in recorder.bars.values():
        yield from (bars.at, bars.open, bars.high, bars.low, bars.close)


def bytes_a_look(*, holding: bool) -> float:
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    if holding:
        bought = tape.order(Side.BUY, "1", "SPY", Purpose.ENTRY)
        tape.look("10000", {"SPY": "100"}, fills=(tape.fill(bought, "100"),))
    for cycle in range(LOOKS):
        tape.look(str(10000 + cycle % 9), {"SPY": str(100 + cycle % 9)})
    taken: int = sum(len(column) * column.itemsize for column in arrays(tape.recorder))
    return taken / LOOKS


def test_a_look_is_a_few_bytes_and_no_object() -> None:
    assert bytes_a_look(holding=False) < 46  # a row of the curve and a bar
    assert bytes_a_look(holding=True) < 54  # and the bot's profit: a million of them are 54 MB
