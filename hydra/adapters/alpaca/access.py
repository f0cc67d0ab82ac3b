"""The one way to Alpaca: alpaca-py's clients, made to ask once, in time, within the budget, and to hear every number exactly.

alpaca-py asks again by itself after a 429 and a 504, orders included, never times out, and reads prices as binary floats. The
clients that ``clients_of`` gives have one session in common that

    asks once       alpaca-py's repeats are off, and so are those of ``requests``; no redirect is followed
    in time         (connect, read) timeouts on every request, and an end to a body that only drips
    in budget       the ``Budget`` is asked before a request leaves, and told what the answer says is left
    exactly         JSON numbers are ``Decimal``; NaN and Infinity are no JSON; a success without a body is no answer (but a 204)
    alone           no cookies, no .netrc; a proxy as the environment says, but none to this very machine

``ask`` turns everything that can come of a call into an answer, a ``Denied`` (the venue's own definite words are in it) or an
``Unreachable``. No reason holds a key: of transport errors only the kind is told, and keys are cut out of what a server says.

The oddities: alpaca-py has no public switch for its session and its repeats, so private attributes are set here, and nowhere
else; and the urgency of a request travels in a context variable, because alpaca-py stands between who knows it and who sends.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import requests
import urllib3
from pydantic import SecretStr
from requests.adapters import HTTPAdapter

from hydra.adapters.alpaca.address import is_loopback
from hydra.adapters.alpaca.budget import Budget, Urgency
from hydra.model.errors import Unreachable

if TYPE_CHECKING:
    from alpaca.data.historical.crypto import CryptoHistoricalDataClient
    from alpaca.data.historical.option import OptionHistoricalDataClient
    from alpaca.data.historical.stock import StockHistoricalDataClient
    from alpaca.trading.client import TradingClient

BODY_MOST = 128 * 1024 * 1024
"""Bytes in one answer; the largest known is a page of an option chain, far below."""
_PIECE = 64 * 1024
_SHOWN_MOST = 200
_POOL = 16
_LEFT = "X-RateLimit-Remaining"
_OPEN = frozenset({408, 409, 425})
"""Refusals that do not say that nothing was done: timed out, in conflict, too early."""
_urgency: ContextVar[Urgency] = ContextVar("urgency", default=Urgency.READ)


@dataclass(frozen=True)
class Access:
    """Where the venue is and how it is entered. Urls without a version; ``order_seconds`` is for what changes something."""

    trading_url: str
    data_url: str
    key: SecretStr
    secret: SecretStr
    connect_seconds: float
    read_seconds: float
    order_seconds: float


@dataclass(frozen=True)
class Clients:
    """alpaca-py's clients, with answers as plain JSON values (``raw_data``)."""

    trading: TradingClient
    stocks: StockHistoricalDataClient
    crypto: CryptoHistoricalDataClient
    options: OptionHistoricalDataClient


class Denied(Unreachable):
    """The venue answered with an error. ``message`` is its own, ``body`` the JSON object it stood in (empty for any other)."""

    def __init__(self, what: str, status: int, text: str) -> None:
        self.status = status
        self.body = _object(text)
        said = self.body.get("message")
        self.message = said if isinstance(said, str) else ""
        super().__init__(f"{what}: {status}: {self.message or _shown(text)}")

    @property
    def definite(self) -> bool:
        """True when it is the venue's word that nothing was done: its own refusal, not a gateway's page or a lost race."""
        return 400 <= self.status < 500 and self.status not in _OPEN and bool(self.message)


def clients_of(access: Access, budget: Budget) -> Clients:
    """The clients for ``access``. Asks nothing yet."""
    from alpaca.data.historical.crypto import CryptoHistoricalDataClient
    from alpaca.data.historical.option import OptionHistoricalDataClient
    from alpaca.data.historical.stock import StockHistoricalDataClient
    from alpaca.trading.client import TradingClient

    key, secret = access.key.get_secret_value(), access.secret.get_secret_value()
    data = access.data_url.rstrip("/")
    clients = Clients(
        trading=TradingClient(key, secret, raw_data=True, url_override=access.trading_url.rstrip("/")),
        stocks=StockHistoricalDataClient(key, secret, raw_data=True, url_override=data),
        crypto=CryptoHistoricalDataClient(key, secret, raw_data=True, url_override=data),
        options=OptionHistoricalDataClient(key, secret, raw_data=True, url_override=data),
    )
    session = VenueSession(access, budget)
    for client in (clients.trading, clients.stocks, clients.crypto, clients.options):
        client._session = session
        client._retry = 0
        client._retry_codes = []
    return clients


def ask(what: str, call: Callable[[], Any], urgency: Urgency = Urgency.READ) -> Any:
    """What ``call`` answers; ``what`` names the question in reasons.

    Raises ``Denied`` for an error of the venue and ``Unreachable`` for everything else that is no answer.
    """
    from alpaca.common.exceptions import APIError

    before = _urgency.set(urgency)
    try:
        return call()
    except APIError as error:
        raise Denied(what, int(error.status_code or 0), str(error)) from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise Unreachable(f"{what}: {_why(error)}") from None
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise Unreachable(f"{what}: the answer is not in the venue's language ({type(error).__name__})") from None
    finally:
        _urgency.reset(before)


class VenueSession(requests.Session):
    """A session that keeps what this module promises, whoever uses it."""

    def __init__(self, access: Access, budget: Budget) -> None:
        super().__init__()
        self._access = access
        self._budget = budget
        self._keys = tuple(each.get_secret_value() for each in (access.key, access.secret))
        self.auth = _as_it_is
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            self.mount(scheme, HTTPAdapter(pool_maxsize=_POOL, max_retries=0))

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """One request and its whole answer.

        Raises ``OverBudget`` before it leaves, ``Unreachable`` for an answer that is none.
        """
        host = urlsplit(str(request.url))
        self._budget.take(_urgency.get(), host.netloc)
        reads = request.method == "GET"
        seconds = self._access.read_seconds if reads else self._access.order_seconds
        options |= {"timeout": (self._access.connect_seconds, seconds), "allow_redirects": False, "stream": True}
        if is_loopback(host.hostname or ""):
            options["proxies"] = {}
        ends_at = time.monotonic() + seconds
        response = super().send(request, **options)
        try:
            self._count(host.netloc, response)
            return Answer(response, _body(response, ends_at, seconds), self._keys)
        finally:
            response.close()

    def _count(self, host: str, response: requests.Response) -> None:
        left = response.headers.get(_LEFT, "")
        if left.isdecimal():
            self._budget.told(host, int(left))
        elif response.status_code == 429:
            self._budget.told(host, 0)


class Answer(requests.Response):
    """An answer that has been read, whose numbers are exact and in which no key stands."""

    def __init__(self, response: requests.Response, body: bytes, keys: tuple[str, ...]) -> None:
        super().__init__()
        self.__dict__.update(response.__dict__)
        for key in keys:
            body = body.replace(key.encode(), b"***")
        self._content = body
        self._content_consumed = True
        self.encoding = "utf-8"
        if 300 <= self.status_code < 400:
            raise Unreachable(f"{self._asked}: redirected ({self.status_code}), which is not followed")
        if self.ok and self.status_code != 204 and not body:
            raise Unreachable(f"{self._asked}: {self.status_code} without a body")

    def json(self, **options: Any) -> Any:  # noqa: ARG002  # the signature is that of requests; there is one way to read it
        """The JSON value; numbers with a point are ``Decimal``. Raises ``Unreachable`` for anything else."""
        try:
            return json.loads(self.content, parse_float=Decimal, parse_constant=_not_a_number)
        except (ValueError, RecursionError) as error:
            why = str(error) if isinstance(error, _NotANumber) else f"no JSON: {_shown(self.text)}"
            raise Unreachable(f"{self._asked}: {self.status_code} with {why}") from None

    @property
    def _asked(self) -> str:
        return f"{self.request.method} {urlsplit(str(self.request.url)).path}"


class _NotANumber(ValueError):
    """A number that is none."""


def _body(response: requests.Response, ends_at: float, seconds: float) -> bytes:
    """All of the body. Each piece has the socket's timeout; the whole has an end as well."""
    pieces: list[bytes] = []
    size = 0
    while piece := response.raw.read1(_PIECE, decode_content=True):
        pieces.append(piece)
        size += len(piece)
        if size > BODY_MOST:
            raise Unreachable(f"an answer of more than {BODY_MOST} bytes")
        if time.monotonic() > ends_at:
            raise Unreachable(f"an answer that was not whole after {seconds:g} s")
    return b"".join(pieces)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """The keys are in the headers already; with an authentication of its own, a session does not look into .netrc."""
    return request


def _not_a_number(text: str) -> NoReturn:
    raise _NotANumber(f"{text} where a number was due")


def _object(text: str) -> dict[str, Any]:
    """The JSON object in a text; empty when it is none."""
    try:
        body = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _shown(text: str) -> str:
    """The start of a text, in one line."""
    return repr(text[:_SHOWN_MOST]) if text else "nothing"


def _why(error: BaseException) -> str:
    """The kind of a transport error, and the operating system's word if there is one. Its own text could hold a header."""
    kinds = [type(error).__name__]
    inner: BaseException | None = error
    while inner is not None and len(kinds) < 4:
        inner = next((each for each in _within(inner) if isinstance(each, BaseException)), None)
        if isinstance(inner, OSError) and inner.strerror:
            return f"{kinds[0]}: {inner.strerror}"
        if inner is not None and type(inner).__name__ != kinds[-1]:
            kinds.append(type(inner).__name__)
    return ": ".join(kinds)


def _within(error: BaseException) -> tuple[Any, ...]:
    return (getattr(error, "reason", None), *error.args, error.__cause__, error.__context__)
