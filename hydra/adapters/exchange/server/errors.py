"""What goes wrong, in Alpaca's words: status, code, message, and the figures beside them.

A handler raises ``ApiError`` and never builds an error response itself. Codes are the HTTP status and five digits.

``REFUSALS`` says what each refusal of the venue becomes. Status and code come from Alpaca's published tables where they
name the case (options error tables, user protection pages) and from answers seen in its public issue threads; the message
has Alpaca's wording where it is known, and the venue's own reason otherwise. The reason is always in the body as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from starlette.responses import Response

from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.terms import No, Rejection

BAD_REQUEST = 40010000
BAD_PARAMETER = 40010001
FORBIDDEN = 40310000
DAY_TRADING = 40310100
NOT_FOUND = 40410000
NOT_ALLOWED = 40510000
TOO_LARGE = 41310000
UNPROCESSABLE = 42210000
INTERNAL = 50010000


class ApiError(Exception):
    """An answer that is a refusal. ``code`` ``None`` leaves it out of the body, as Alpaca's gateway does."""

    def __init__(
        self,
        status: int,
        code: int | None,
        message: str,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object that is sent."""
        head: dict[str, Any] = {} if self.code is None else {"code": self.code}
        return {**head, "message": self.message, **self.extra}

    def response(self) -> Response:
        """The response that says so."""
        return wire.reply(self.body, self.status, self.headers)


def bad_parameter(message: str) -> ApiError:
    """422: a parameter that is missing, of the wrong type or out of range. ``message`` names it."""
    return ApiError(422, BAD_PARAMETER, message)


def bad_request(message: str) -> ApiError:
    """400: what was sent cannot be read at all."""
    return ApiError(400, BAD_REQUEST, message)


def not_found(message: str) -> ApiError:
    """404, with a code."""
    return ApiError(404, NOT_FOUND, message)


_PATTERN = "trade denied due to pattern day trading protection"

REFUSALS: Mapping[No, tuple[int, int, str]] = {
    # kind: status, code, message ("" is the venue's reason)          seen at Alpaca, or ours
    No.INVALID: (422, UNPROCESSABLE, ""),  #                           status and code seen; many wordings
    No.DUPLICATE_ID: (422, BAD_PARAMETER, "client_order_id must be unique"),  # published guide to errors
    No.NOT_FOUND: (404, NOT_FOUND, ""),  #                             seen: order not found for ...
    No.UNKNOWN_SYMBOL: (422, UNPROCESSABLE, 'asset "{symbol}" not found'),  # seen
    No.NOT_TRADABLE: (422, UNPROCESSABLE, 'asset "{symbol}" is not tradable'),  # seen, as contract "..." in the tables
    No.INSUFFICIENT_QUANTITY: (
        403,
        FORBIDDEN,
        "insufficient qty available for order (requested: {requested}, available: {available})",  # seen
    ),
    No.INSUFFICIENT_BUYING_POWER: (403, FORBIDDEN, "insufficient buying power"),  # seen
    No.WASH_TRADE: (403, FORBIDDEN, ""),  #                            seen, with existing_order_id and reject_reason
    No.PATTERN_DAY_TRADER: (403, DAY_TRADING, _PATTERN),  #            seen
    No.ACCOUNT_BLOCKED: (403, FORBIDDEN, ""),  #                       ours in wording
    No.NOT_PERMITTED: (403, FORBIDDEN, ""),  #                         status and code from the options tables
    No.NOT_OPEN: (422, UNPROCESSABLE, ""),  #                          seen: order is already in "filled" state
    No.NO_POSITION: (404, NOT_FOUND, "position does not exist"),  #    seen
}


def refused(rejection: Rejection) -> ApiError:
    """What a refusal of the venue is called in the protocol; its figures and its reason are in the body."""
    status, code, message = REFUSALS[rejection.kind]
    figures: dict[str, Any] = dict(rejection.figures)
    if "symbol" in figures:
        figures["symbol"] = wire.venue_symbol(figures["symbol"])
    if "related_orders" in figures:
        figures["related_orders"] = [each for each in figures["related_orders"].split(",") if each]
    if rejection.order:
        figures = {"existing_order_id" if rejection.kind is No.WASH_TRADE else "order_id": rejection.order, **figures}
    try:
        text = message.format_map(figures)
    except KeyError:
        text = ""
    return ApiError(status, code, text or rejection.reason, {**figures, "reason": rejection.reason})


def raise_refused(rejection: Rejection) -> NoReturn:
    """Raise it."""
    raise refused(rejection)
