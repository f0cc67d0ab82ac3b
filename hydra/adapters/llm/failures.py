"""Which failure an HTTP answer stands for, and whether another attempt may help: two tables, looked at in order.

Used-up accounts come first, and by body: vendors spell them 400, 402, 403 and 429 alike. What is used up is not tried again.

    DeepSeek   402  Insufficient Balance
    Claude     400  Your credit balance is too low to access the Anthropic API
    Grok       429 or 403  ... used all available credits ...
    Gemini     429  RESOURCE_EXHAUSTED, for the minute's limit and the day's alike; only a body that names nothing but minutes is a rate
    OpenAI's   429  insufficient_quota
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from hydra.model.votes import Why

QUOTA_STATUS = 402
QUOTA_WORDS = (
    "insufficient balance",
    "credit balance is too low",
    "used all available credits",
    "monthly spending limit",
    "insufficient_quota",
    "exceeded your current quota",
    "resource_exhausted",
    "billing_error",
    "billing_hard_limit_reached",
)
"""In lower case; any of them in the body of a refusal means that the account is used up."""
_MINUTE = re.compile(r"perminute", re.IGNORECASE)
_LONGER = re.compile(r"perday|permonth|free_?tier_?total", re.IGNORECASE)
_RETRY_DELAY = re.compile(r'"retryDelay"\s*:\s*"(\d{1,6}(?:\.\d{1,9})?)s"')


class Failed(NamedTuple):
    """Why there is no answer, in one sentence; whether to try again, and what wait was asked for, in seconds."""

    why: Why
    because: str
    again: bool
    wait: float | None = None


class _Reaction(NamedTuple):
    why: Why
    again: bool
    meaning: str


_STATUSES: Mapping[int, _Reaction] = MappingProxyType(
    {
        400: _Reaction(Why.ERROR, False, "the request was rejected"),
        401: _Reaction(Why.ERROR, False, "the key was not accepted"),
        403: _Reaction(Why.ERROR, False, "the key may not do this"),
        404: _Reaction(Why.ERROR, False, "no such model or address"),
        408: _Reaction(Why.TIMEOUT, True, "it timed out on its side"),
        413: _Reaction(Why.ERROR, False, "the request is too large"),
        422: _Reaction(Why.ERROR, False, "the request was rejected"),
        429: _Reaction(Why.RATE, True, "too many requests"),
        500: _Reaction(Why.ERROR, True, "it failed on its side"),
        502: _Reaction(Why.ERROR, True, "it failed on its side"),
        503: _Reaction(Why.OVERLOADED, True, "it is not available"),
        504: _Reaction(Why.TIMEOUT, True, "it timed out on its side"),
        529: _Reaction(Why.OVERLOADED, True, "it is overloaded"),
    }
)
_OTHER_4XX = _Reaction(Why.ERROR, False, "it refused")
_OTHER_5XX = _Reaction(Why.ERROR, True, "it failed on its side")
_REST = _Reaction(Why.ERROR, False, "an answer that is none")


def failure_of_status(status: int, body: str, retry_after: float | None) -> Failed:
    """The failure that an HTTP answer other than 200 stands for."""
    said = f"HTTP {status}: {body}" if body.strip() else f"HTTP {status} without a body"
    if status >= 400 and _used_up(status, body):
        return Failed(Why.QUOTA, f"the account is used up, {said}", again=False)
    reaction = _STATUSES.get(status) or (_OTHER_5XX if status >= 500 else _OTHER_4XX if status >= 400 else _REST)
    if "overloaded" in body.lower() and status >= 500:
        reaction = _STATUSES[529]
    return Failed(
        reaction.why,
        f"{reaction.meaning}, {said}",
        reaction.again,
        _asked_in(body) if retry_after is None else retry_after,
    )


def _used_up(status: int, body: str) -> bool:
    words = body.lower()
    if status == QUOTA_STATUS:
        return True
    if not any(word in words for word in QUOTA_WORDS):
        return False
    return not (status == 429 and _MINUTE.search(body) and not _LONGER.search(body))


def _asked_in(body: str) -> float | None:
    """The wait that Gemini asks for in its body."""
    match = _RETRY_DELAY.search(body)
    return float(match[1]) if match else None


def seconds_of(header: str | None) -> float | None:
    """The seconds of a Retry-After; a date there is not understood, and no wait at all."""
    if header is None or not re.fullmatch(r"\s*\d{1,6}(\.\d{1,6})?\s*", header):
        return None
    return float(header)
