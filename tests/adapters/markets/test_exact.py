"""Columns of exact numbers say what reading each cell by itself would say, and take what that would take."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.markets.exact import Numbers, above, floats_of, is_number, joined, number, shortest, stretch_of

CELLS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9).map(str),
    st.floats(1e-10, 1e9).map(repr),
    st.sampled_from(["0", "1.", ".5", "+7", "1e5", "1E-3", "2e-30", "10.10", "123456789012345", "0.1", "0.10"]),
)
ODD = st.one_of(
    CELLS,
    st.text("0123456789+-.eE_, nainf\u0661", max_size=8),
    st.sampled_from(["1e15", "1e-31", "0e-99", "1e-400", "1e400", "1000000000000000", "." + "1" * 31, "0x10", "NaN"]),
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(ODD, min_size=1, max_size=8))
def test_a_column_of_text_takes_exactly_the_cells_that_are_numbers(cells: list[str]) -> None:
    column = pa.array(cells, pa.string())
    if all(map(is_number, cells)):
        found = Numbers.of(column)
        assert [str(each) for each in found] == [str(number(cell)) for cell in cells]
        assert found.floats.tolist() == [float(cell) for cell in cells]
    else:
        with pytest.raises(ValueError, match=r".*"):
            Numbers.of(column)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(CELLS, min_size=1, max_size=20), st.integers(0, 20), st.integers(0, 20))
def test_parts_and_joins_are_those_of_a_list(cells: list[str], first: int, last: int) -> None:
    column, plain = Numbers.of(pa.array(cells, pa.string())), [Decimal(cell) for cell in cells]
    part = column[first:last]
    assert list(part) == plain[first:last]
    assert len(part) == len(plain[first:last])
    both = joined([column, plain])
    assert len(both) == 2 * len(plain)
    assert [both[index] for index in range(len(both))] == plain * 2
    assert list(both[first:last]) == (plain * 2)[first:last]
    assert floats_of(both).tolist() == [float(each) for each in plain * 2]


def test_a_long_column_is_read_by_blocks() -> None:
    column = Numbers.of(pa.array([f"{row}.5" for row in range(10_000)]))
    assert (column[0], column[4095], column[4096], column[-1]) == tuple(
        Decimal(f"{row}.5") for row in (0, 4095, 4096, 9999)
    )
    part = column[4000:9000]
    assert part[100] == Decimal("4100.5")
    assert sum(part[:3], Decimal(0)) == Decimal("12004.5")


@pytest.mark.parametrize(
    "stored",
    [np.array([0.1, 167.41, 1e9]), np.array([0.1, 167.41, 1e9], np.float32), np.array([1, 2, 3], np.int64)],
    ids=["float64", "float32", "int64"],
)
def test_floats_are_their_shortest_decimals(stored: np.ndarray) -> None:
    found = Numbers.of(pa.array(stored))
    assert list(found) == [Decimal(str(each)) for each in stored]
    assert found.floats.tolist() == [float(each) for each in found]


@pytest.mark.parametrize("cell", [float("nan"), float("inf"), 1e15, 1e-40, None])
def test_a_float_that_is_no_price_is_refused(cell: float | None) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Numbers.of(pa.array([1.0, cell]))


def test_numbers_that_are_one_as_floats_are_compared_exactly() -> None:
    one = Numbers.of(pa.array(["0.10000000000000000001", "0.1", "5"]))
    other = Numbers.of(pa.array(["0.1", "0.10000000000000000001", "5"]))
    assert one.floats.tolist() == other.floats.tolist()
    assert above(one, other).tolist() == [True, False, False]


def test_changed_rows_are_changed_everywhere() -> None:
    column = Numbers.of(pa.array(["1", "2", "3"])).changed({1: Decimal("2.5")})
    assert (list(column), list(column[1:]), column.floats.tolist()) == (
        [1, Decimal("2.5"), 3],
        [Decimal("2.5"), 3],
        [1.0, 2.5, 3.0],
    )


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(
        st.one_of(
            st.floats(1e-13, 1e15, exclude_max=True), st.floats(-1e15, -1e-13, exclude_min=True), st.floats(0.001, 9e4)
        ),
        max_size=20,
    ),
    st.integers(0, 9),
)
def test_the_shortest_decimals_are_those_that_repr_writes(numbers: list[float], digits: int) -> None:
    floats = [*numbers, *(round(each, digits) for each in numbers), *map(float, map(int, numbers)), 0.0, -0.0]
    found = [Decimal(cell) for cell in shortest(np.array(floats))]
    assert [each.as_tuple() for each in found] == [Decimal(repr(each)).as_tuple() for each in floats]
    assert shortest(np.array([])) == []


LONG = [f"{row * 7919 % 100_003}.{row % 97}" for row in range(5000)]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 4999), st.integers(1, 200)), min_size=1, max_size=60))
def test_a_few_rows_are_those_of_the_list_whatever_was_read_before(asked: list[tuple[int, int]]) -> None:
    plain = [Decimal(cell) for cell in LONG]
    plain[700] = Decimal("1.5")
    column = Numbers.of(pa.array(LONG, pa.string())).changed({700: Decimal("1.5")})
    both = joined([column[:1000], plain[1000:1003], column[1003:]])
    for first, count in asked:
        last = min(first + count, 5000)
        for each in (column, both, plain):
            assert list(stretch_of(each)(first, last)) == plain[first:last]
        assert column[first] == both[first] == plain[first]
        assert len(column._blocks) <= 32
    assert list(column) == plain


def test_what_is_written_out_once_serves_until_others_take_its_place() -> None:
    column = Numbers.of(pa.array(LONG, pa.string()))
    first = column[0]
    assert column[0] is first
    assert column.stretch(0, 2)[0] is first
    for row in range(0, 5000, 64):
        assert column[row] == Decimal(LONG[row])
    assert column[0] is not first
    assert column[0] == first
