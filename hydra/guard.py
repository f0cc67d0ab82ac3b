"""The guard around foreign code and the outside world: whatever happens inside becomes a value.

This is one of the four places in which a broad ``except`` is allowed. ``KeyboardInterrupt`` and ``SystemExit`` raised by
the operating system's signals pass through ``attempt``; a bot that raises ``SystemExit`` is caught like any other failure
by ``attempt_foreign``.
"""

from __future__ import annotations

from collections.abc import Callable
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
