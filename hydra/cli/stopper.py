"""SIGINT and SIGTERM as a wish: a command that is told to stop comes to its own end, and leaves with 130 or 143."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_EXIT_ON = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Stopper:
    """Turns signals into a clean end after the current cycle."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.exit_code: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While inside, SIGINT and SIGTERM ask for an end instead of ending."""
        before = {number: signal.signal(number, self._asked) for number in _EXIT_ON}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _asked(self, number: int, _frame: object) -> None:
        self.exit_code = _EXIT_ON[signal.Signals(number)]
        self.event.set()
