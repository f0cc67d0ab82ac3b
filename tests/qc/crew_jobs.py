"""Jobs for the workers of the tests."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any


def double(number: int) -> int:
    """An answer."""
    return 2 * number


def fail(reason: str) -> None:
    """No answer: it raises."""
    raise ValueError(reason)


def die() -> None:
    """No answer: the process is gone."""
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(seconds: float) -> None:
    """No answer for a while."""
    time.sleep(seconds)


def unsendable() -> Any:
    """An answer that cannot be pickled."""
    return threading.Lock()


def surroundings() -> tuple[int, dict[str, str]]:
    """How many threads this worker has, and its environment."""
    return threading.active_count(), dict(os.environ)


def fork_and_sleep(told: str) -> None:
    """Fork a child that sleeps, write both numbers down, and sleep."""
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    Path(f"{told}.new").write_text(f"{os.getpid()} {child}", encoding="utf-8")
    Path(f"{told}.new").rename(told)
    time.sleep(60)


class Unreadable:
    """An argument that can be sent and not be read."""

    def __reduce__(self) -> Any:
        return getattr, ("a text", "nothing of this name")
