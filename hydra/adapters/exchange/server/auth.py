"""Who may ask: one key with its secret, as headers or as HTTP Basic.

Comparison takes the same time whatever is wrong. The answer to a wrong or a missing key is the one Alpaca gives to a wrong
secret, without a code. One thing is told to anybody: ``GET /sim/clock``, which says that this is no Alpaca, so that a client can
find that out before it sends a key.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from hydra.adapters.exchange.server.context import ServerOptions
from hydra.adapters.exchange.server.errors import ApiError

UNAUTHORIZED = ApiError(401, None, "unauthorized.")
_OPEN = (("GET", "/sim/clock"),)


def allowed(options: ServerOptions, key: str, secret: str) -> bool:
    """True for the one key and its secret."""
    right_key = hmac.compare_digest(key.encode(), options.key.encode())
    right_secret = hmac.compare_digest(secret.encode(), options.secret.encode())
    return right_key and right_secret


def credentials(headers: Mapping[str, str]) -> tuple[str, str]:
    """Key and secret as sent; empty where they were not."""
    if "apca-api-key-id" in headers or "apca-api-secret-key" in headers:
        return headers.get("apca-api-key-id", ""), headers.get("apca-api-secret-key", "")
    scheme, _, coded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        key, _, secret = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return key, secret


class Authenticated:
    """Lets HTTP requests with the right key through; sockets authenticate by message."""

    def __init__(self, app: ASGIApp, options: ServerOptions) -> None:
        self._app = app
        self._options = options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 401."""
        known = scope["type"] != "http" or (scope["method"], scope["path"]) in _OPEN
        if not known and not allowed(self._options, *credentials(Headers(scope=scope))):
            await UNAUTHORIZED.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)
