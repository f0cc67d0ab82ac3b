"""What a plug can do instead of answering. None of it is a reason, a stop, or the word that there is nothing to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Text(str):
    """Not a plain text, whatever it may do."""

    __slots__ = ()


class Unshowable:
    """A value that cannot even be printed."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


def raises(error: BaseException) -> Callable[..., Any]:
    def plug(*_asked: Any) -> Any:
        raise error

    return plug


def says(answer: Any) -> Callable[..., Any]:
    return lambda *_asked: answer


HOSTILE: dict[str, Callable[..., Any]] = {
    "raises": raises(RuntimeError("broken")),
    "exits": raises(SystemExit(1)),
    "runs out of memory": raises(MemoryError()),
    "takes no arguments": lambda: None,
    "says True": says(True),
    "says False": says(False),
    "says NaN": says(float("nan")),
    "says zero": says(0),
    "says an empty text": says(""),
    "says bytes": says(b"lost"),
    "says another kind of text": says(Text("lost")),
    "says a list": says([]),
    "says the unshowable": says(Unshowable()),
}
