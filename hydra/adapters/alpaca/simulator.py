"""Speaking to the part of ``hydra sim`` that Alpaca does not have: ``/sim/clock``.

``look`` needs no key and is how a server on this machine shows that it is the simulator, before a key is sent. ``move_to`` moves a
lockstep venue; it names the instant to reach instead of a number of steps, so that a move whose answer is lost can be asked for
again without moving twice. Requests go straight to the address: a proxy has no business between two programs on one machine, and
redirects are not followed.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from hydra.model.errors import BadConfig, Unreachable

VENUE = "hydra sim"
PATH = "/sim/clock"
_BYTES_MAX = 64 * 1024
_LIMIT = "X-RateLimit-Limit"


class Reading(NamedTuple):
    """What a simulator said of itself. ``next`` is None at its feed's end; ``speed`` is venue seconds a second, None if unpaced.

    ``taken_at`` is the moment of the reading on the monotonic clock, in seconds; ``limited`` is whether it counts requests.
    """

    now: datetime
    next: datetime | None
    lockstep: bool
    speed: float | None
    taken_at: float
    limited: bool = True


class _Answer(NamedTuple):
    status: int
    body: bytes
    limited: bool


class Simulator:
    """One ``hydra sim``. ``seconds`` bound connecting, and each wait for more of an answer."""

    def __init__(
        self,
        url: str,
        *,
        key: SecretStr | None = None,
        secret: SecretStr | None = None,
        seconds: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = urlsplit(url)
        self.url = url
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._key, self._secret = key, secret
        self._seconds = seconds
        self._monotonic = monotonic

    def look(self) -> Reading:
        """What its clock says; carries no key. Raises ``Unreachable``, and ``BadConfig`` for what is no simulator."""
        begun = self._monotonic()
        answer = self._ask("GET", None, {})
        taken_at = (begun + self._monotonic()) / 2
        told = _document(answer.body) if answer.status == 200 else {}
        if answer.status >= 500 or answer.status == 429:
            raise Unreachable(f"{self.url}{PATH} answers {answer.status}")
        if told.get("venue") != VENUE:
            raise BadConfig(
                f"{self.url} does not answer as hydra sim does (GET {PATH}: {answer.status}); no key is sent there"
            )
        return self._read(told, taken_at)._replace(limited=answer.limited)

    def move_to(self, at: datetime) -> Reading:
        """Move a lockstep venue through every instant up to ``at``. Done or not, whatever is raised (``Unreachable``)."""
        assert self._key is not None, "moving a venue takes its keys"
        assert self._secret is not None, "moving a venue takes its keys"
        headers = {
            "APCA-API-KEY-ID": self._key.get_secret_value(),
            "APCA-API-SECRET-KEY": self._secret.get_secret_value(),
            "Content-Type": "application/json",
        }
        answer = self._ask("POST", json.dumps({"to": at.isoformat()}).encode(), headers)
        if answer.status != 200:
            raise Unreachable(f"{self.url}{PATH} answers {answer.status} to a move of its clock")
        return self._read({"lockstep": True, "speed": None, **_document(answer.body)}, self._monotonic())

    def _read(self, told: Mapping[str, Any], taken_at: float) -> Reading:
        try:
            return _reading(told, taken_at)
        except (KeyError, TypeError, ValueError) as error:
            raise Unreachable(f"{self.url}{PATH} answers nonsense: {type(error).__name__}") from None

    def _ask(self, method: str, body: bytes | None, headers: Mapping[str, str]) -> _Answer:
        connection = HTTPConnection(self._host, self._port, timeout=self._seconds)
        try:
            connection.request(method, PATH, body=body, headers=dict(headers))
            response = connection.getresponse()
            limited = response.headers.get(_LIMIT) is not None
            return _Answer(response.status, response.read(_BYTES_MAX), limited)
        except (OSError, HTTPException) as error:
            raise Unreachable(f"{self.url} does not answer: {type(error).__name__}: {error}") from None
        finally:
            connection.close()


def recognise(url: str, *, seconds: float = 5.0) -> Reading:
    """The reading of a server that is the simulator; no key is sent. Raises ``BadConfig`` and ``Unreachable``."""
    return Simulator(url, seconds=seconds).look()


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _reading(told: Mapping[str, Any], taken_at: float) -> Reading:
    lockstep, speed = told["lockstep"], told["speed"]
    if type(lockstep) is not bool or not (speed is None or (type(speed) in (int, float) and 0 < speed < math.inf)):
        raise ValueError
    coming = told["next"]
    return Reading(
        now=_instant(told["now"]),
        next=None if coming is None else _instant(coming),
        lockstep=lockstep,
        speed=None if speed is None else float(speed),
        taken_at=taken_at,
    )


def _instant(text: Any) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError
    return at.astimezone(UTC)
