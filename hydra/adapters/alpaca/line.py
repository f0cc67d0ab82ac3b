"""The connection to the venue, as far as it is more than questions and answers: how it is, and taking it down and up again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from hydra.adapters.alpaca.access import Clients, ask
from hydra.adapters.alpaca.budget import Budget
from hydra.adapters.alpaca.stream import TradeStream
from hydra.model.errors import Unreachable
from hydra.model.snapshot import Probe

UNCOUNTED = 1_000_000_000
"""Requests a minute at a venue whose minutes pass as fast as it is asked, and which counts none."""
STREAM_SECONDS = 12.0
"""How long a stream may take to come back: a pause and an attempt."""


class AlpacaLine:
    """Sessions, request budget and, if there is one, the stream of trade updates."""

    def __init__(self, clients: Clients, budget: Budget, url: str, stream: TradeStream | None) -> None:
        self._clients = clients
        self._budget = budget
        self._host = urlsplit(url).netloc
        self._stream = stream

    def health(self) -> Mapping[str, Probe]:
        """The request budget, and the stream by name; one that is switched off is left out."""
        told = {"requests": self._requests()}
        if self._stream is not None:
            told["trade updates"] = _stream_probe(self._stream)
        return told

    def is_open(self) -> bool:
        """The venue's word on the regular session of equities. Raises ``Unreachable``."""
        told = ask("clock", self._clients.trading.get_clock)
        found = told.get("is_open") if isinstance(told, dict) else None
        if type(found) is not bool:
            raise Unreachable("clock: the answer says nothing of is_open")
        return found

    def steps(self) -> Sequence[tuple[str, Callable[[], str]]]:
        """Dropping and re-establishing everything that lasts, in order."""
        steps: list[tuple[str, Callable[[], str]]] = [("drop sessions", self._drop), ("connect", self._connect)]
        stream = self._stream
        if stream is not None:
            steps += [("drop stream", lambda: _dropped(stream)), ("stream", lambda: _back(stream))]
        return steps

    def close(self) -> None:
        """Let go of the stream and of idle connections."""
        if self._stream is not None:
            self._stream.close()
        self._drop()

    def _requests(self) -> Probe:
        left, most = self._budget.left(self._host), self._budget.per_minute
        if most >= UNCOUNTED:
            return Probe(ok=True, reason="the venue counts none, and its minutes pass as fast as it is asked")
        return Probe(ok=left > 0, reason=f"{left} of {most} requests a minute are left", number=left)

    def _drop(self) -> str:
        """Close the connections that are kept alive; the four clients have one session in common."""
        self._clients.trading._session.close()
        return "idle connections are closed"

    def _connect(self) -> str:
        begun = time.perf_counter()
        opened = "open" if self.is_open() else "closed"
        return f"answered in {(time.perf_counter() - begun) * 1000:.0f} ms; the market is {opened}"


def _stream_probe(stream: TradeStream) -> Probe:
    health = stream.health()
    if not health.connected:
        return Probe(ok=False, reason=f"not connected: {health.problem}", number=health.reconnects)
    heard = (
        "nothing heard yet" if health.message_seconds is None else f"last message {health.message_seconds:.0f} s ago"
    )
    again = (
        f", reconnected {health.reconnects} time{'' if health.reconnects == 1 else 's'}" if health.reconnects else ""
    )
    return Probe(ok=True, reason=f"connected, {heard}{again}", number=health.message_seconds)


def _dropped(stream: TradeStream) -> str:
    connects = stream.health().connects
    stream.drop()
    return f"dropped after {connects} connection{'' if connects == 1 else 's'}"


def _back(stream: TradeStream) -> str:
    begun = time.perf_counter()
    if not stream.wait_connected(STREAM_SECONDS):
        raise Unreachable(f"trade updates: not back within {STREAM_SECONDS:g} s: {stream.health().problem}")
    return f"connected after {time.perf_counter() - begun:.1f} s"
