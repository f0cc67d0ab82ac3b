"""What is kept serves for the very same objects only."""

from __future__ import annotations

import pytest

from hydra.model.same import Same, kept


def test_what_is_kept_serves_while_every_argument_is_the_very_same() -> None:
    asked: list[tuple[object, ...]] = []

    @kept
    def together(left: list[int], right: list[int]) -> tuple[int, ...]:
        asked.append((left, right))
        return (*left, *right)

    one, two, like_one = [1], [2], [1]
    first = together(one, two)
    assert together(one, two) is first
    assert len(asked) == 1
    for arguments in ((like_one, two), (one, [2]), (two, one), (one, two)):
        assert together(*arguments) == (*arguments[0], *arguments[1])
        assert asked[-1] == arguments
    assert len(asked) == 5


def test_nothing_and_no_are_results_too_and_a_failure_is_none() -> None:
    asked: list[object] = []

    @kept
    def half(number: int) -> float | None:
        asked.append(number)
        return number / 0 if number < 0 else None

    zero, below = 0, -1
    assert half(zero) is half(zero) is None
    assert asked == [0]
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            half(below)
    assert asked == [0, -1, -1]
    assert half(zero) is None
    assert asked == [0, -1, -1]


def test_an_equal_value_is_not_the_same_key() -> None:
    value, like = [1], [1]
    assert Same(value) == Same(value)
    assert Same(value) != Same(like)
    assert Same(value) != value
    assert hash(Same(value)) == hash(Same(value))
