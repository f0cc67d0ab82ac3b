"""The guard around foreign code and the outside world: whatever happens inside becomes a value.

This is one of the four places in which a broad ``except`` is allowed. ``KeyboardInterrupt`` and ``SystemExit`` raised by
the operating system's signals pass through ``attempt``; a bot that raises ``SystemExit`` is caught like any other failure
by ``attempt_foreign``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from hydra.model.snapshot import Failure

T = TypeVar("T")
_REASON_MAX_LENGTH = 300


class Outcome(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """Either a value or a failure, never both."""

    value: T | None = None
    failure: Failure | None = None


def attempt(what: str, ask: Callable[[], T]) -> Outcome[T]:
    """Ask the outside world once; an exception becomes a ``Failure`` naming ``what``."""
    try:
        return Outcome(value=ask())
    except Exception as error:
        return Outcome(failure=failure_of(what, error))


def attempt_foreign(what: str, call: Callable[[], T]) -> Outcome[T]:
    """Call foreign code; anything it raises, ``SystemExit`` included, becomes a ``Failure`` naming ``what``."""
    answer = ask_foreign(what, call)
    return Outcome(failure=answer) if type(answer) is Failure else Outcome(value=answer)


def ask_foreign(what: str, call: Callable[..., Any], *arguments: Any) -> Any:
    """What foreign code answers, or the ``Failure`` that stands for what it raised: ``attempt_foreign`` for plugs, which are many."""
    try:
        return call(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return failure_of(what, error)


def ask_all(plugs: Iterable[tuple[str, Callable[..., Any]]], *arguments: Any) -> list[Any]:
    """What each of these plugs answers, or the ``Failure`` that stands for what it raised, in their order: ``ask_foreign`` for a book of them."""
    answers: list[Any] = []
    for name, call in plugs:
        try:
            answers.append(call(*arguments))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            answers.append(failure_of(name, error))
    return answers


def ask_until_one_speaks(plugs: Iterator[tuple[str, Callable[..., Any]]], *arguments: Any) -> tuple[str, Any] | None:
    """The next of these plugs that says anything but ``None`` (a ``Failure`` stands for what it raised), and what it says.

    Those behind it are not asked yet: the same iterator goes on with them. ``None`` when nobody has anything to say.
    """
    for name, call in plugs:
        try:
            answer = call(*arguments)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            answer = failure_of(name, error)
        if answer is not None:
            return name, answer
    return None


def failure_of(what: str, error: BaseException) -> Failure:
    """The failure an exception stands for: its class and the start of its message."""
    return Failure(what=what, kind=type(error).__name__, reason=_text(lambda: str(error)) or "no message")


def told(text: str) -> str:
    """A reason from foreign code as it can be journaled: its start, without what UTF-8 cannot hold."""
    if type(text) is str and len(text) <= _REASON_MAX_LENGTH and text.isascii():
        return text  # nearly all of them, and there are many in a cycle
    return _text(lambda: str(text))


def shown(value: object) -> str:
    """The start of how a foreign value shows itself, for a reason; never raises, always can be journaled."""
    return _text(lambda: repr(value))[:80]


def _text(say: Callable[[], str]) -> str:
    """The start of a text from foreign code: even that may raise, or hold what UTF-8 cannot."""
    try:
        return say()[:_REASON_MAX_LENGTH].encode("utf-8", "backslashreplace").decode()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"it cannot be shown: {type(error).__name__}"
