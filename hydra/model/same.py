"""What is worked out from values that do not change serves until one of them is replaced: by another object, even an equal one."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Generic, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Same(Generic[T]):
    """Anything as a key of a cache: equal to itself only. Holds on to its value, so that no other value can be taken for it."""

    __slots__ = ("value",)

    def __init__(self, value: T) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def kept(function: Callable[[*Ts], T]) -> Callable[[*Ts], T]:
    """A decorator for a pure function of values: its last result is given again while every argument is the very same object.

    One result is kept, with its arguments, of which there are always as many. Whoever writes into an argument or a result breaks
    it; a time is no argument for it.
    """
    kept_last: tuple[tuple[object, ...], T] | None = None

    def ask(*arguments: *Ts) -> T:
        nonlocal kept_last
        last = kept_last  # read and written as one: threads that ask at once share it
        if last is not None and all(map(is_, last[0], arguments)):
            return last[1]
        result = function(*arguments)
        kept_last = (arguments, result)
        return result

    return ask
