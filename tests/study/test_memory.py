"""A million looks have to fit, and a quiet one has to cost little."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hydra.model.events import Mark, Passed
from hydra.model.orders import Purpose, Side
from hydra.study.record import Recorder
from tests.study.tape import Tape

D = Decimal
LOOKS = 3000
MINUTE = timedelta(minutes=1)


def arrays(recorder: Recorder) -> Iterator[Any]:
    """Everything that grows with the looks."""
    curve = recorder.curve
    yield from (curve.at, curve.equity, curve.gross, curve.place)
    for column in (curve.cash, *curve.bots.values()):
        yield from (column.rows, column.values)
    for bars in recorder.bars.values():
        yield from (bars.at, bars.open, bars.high, bars.low, bars.close)


def grown(recorder: Recorder) -> int:
    """Bytes."""
    return sum(len(column) * column.itemsize for column in arrays(recorder))


def bytes_a_look(*, holding: bool) -> float:
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    if holding:
        bought = tape.order(Side.BUY, "1", "SPY", Purpose.ENTRY)
        tape.look("10000", {"SPY": "100"}, fills=(tape.fill(bought, "100"),))
    for cycle in range(LOOKS):
        tape.look(str(10000 + cycle % 9), {"SPY": str(100 + cycle % 9)})
    return grown(tape.recorder) / LOOKS


def test_a_look_is_a_few_bytes_and_no_object() -> None:
    assert bytes_a_look(holding=False) < 54  # a row of the curve and a bar
    assert bytes_a_look(holding=True) < 62  # and the bot's profit: a million of them are 62 MB


def test_a_stretch_that_is_passed_over_is_a_row_however_long_it_is() -> None:
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    bought = tape.order(Side.BUY, "1", "SPY", Purpose.ENTRY)
    tape.look("10000", {"SPY": "100"}, fills=(tape.fill(bought, "100"),))
    before = grown(tape.recorder)
    for number in range(LOOKS):
        since, tape.at = tape.at, tape.at + 1000 * MINUTE
        tape.cycle += 1000
        worth, price = D(10000 + number % 9), D(100 + number % 9)
        mark = Mark(at=tape.at, equity=worth, prices={"SPY": price})
        passed = Passed(cycle=tape.cycle, count=1000, since=since + MINUTE, at=tape.at, equity=worth, marks=(mark,))
        tape.add(passed)
    assert (grown(tape.recorder) - before) / LOOKS < 38
