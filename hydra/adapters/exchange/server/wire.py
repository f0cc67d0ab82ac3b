"""How values are spelt on the wire: instants, numbers, symbols, ids and JSON.

Instants are RFC 3339 in UTC with a ``Z`` and as many fractional digits as they need; numbers are plain decimal strings.
Symbols are canonical inside (``BTC-USD``) and Alpaca's outside (``BTC/USD``; ``BTCUSD`` is understood too). Ids are hashes
of what they identify, so equal runs give equal bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

import orjson
from starlette.responses import Response

from hydra.model.errors import Invalid
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import plain

NAMESPACE = UUID("6f1a2a1e-6b0c-5d3b-9a54-0d6f2f4d7c11")
"""The root of every id the server makes."""

ASSET_CLASSES: Mapping[AssetClass, str] = {
    AssetClass.EQUITY: "us_equity",
    AssetClass.CRYPTO: "crypto",
    AssetClass.OPTION: "us_option",
}
QUOTED_IN = ("USDT", "USDC", "USD", "BTC")
"""The currencies a pair can be quoted in, longest first, to split a spelling without a slash."""

_PAIR = re.compile(r"([A-Z0-9]{2,10})[/-]([A-Z]{3,5})")
_SPELLING = re.compile(r"[A-Z0-9./-]{1,21}")
_JSON = {"content-type": "application/json; charset=UTF-8"}


def dumps(body: Any) -> bytes:
    """JSON bytes; keys stay in the order they were given."""
    return orjson.dumps(body)


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(dumps(body), status_code=status, headers={**_JSON, **(headers or {})})


def nothing(status: int = 204) -> Response:
    """A response without a body."""
    return Response(status_code=status)


@lru_cache(maxsize=16384)
def instant(at: datetime) -> str:
    """RFC 3339 in UTC: ``2017-09-03T14:30:00Z``, ``2017-09-03T14:30:00.25Z``."""
    text = at.astimezone(UTC).replace(tzinfo=None).isoformat()
    if "." in text:
        text = text.rstrip("0")
    return text + "Z"


def instant_or_none(at: datetime | None) -> str | None:
    """The same, or null."""
    return None if at is None else instant(at)


def day(at: date) -> str:
    """``2017-09-03``."""
    return at.isoformat()


def number(value: Decimal) -> str:
    """A plain decimal string, without exponent or trailing zeros; zero has no sign."""
    return plain(value) if value else "0"


def number_or_none(value: Decimal | None) -> str | None:
    """The same, or null."""
    return None if value is None else number(value)


def fixed(value: Decimal, places: int) -> str:
    """A decimal string with at most ``places`` digits behind the point."""
    return number(round(value, places))


@lru_cache(maxsize=65536)
def venue_symbol(symbol: str) -> str:
    """A canonical symbol as Alpaca spells it: ``BTC-USD`` is ``BTC/USD``, anything else is itself."""
    if symbol and asset_class_of(symbol) is AssetClass.CRYPTO:
        return symbol.replace("-", "/")
    return symbol


@lru_cache(maxsize=65536)
def position_symbol(symbol: str) -> str:
    """As positions spell it: ``BTCUSD``. Everything else has the slash."""
    return venue_symbol(symbol).replace("/", "")


@lru_cache(maxsize=65536)
def canonical_symbols(text: str) -> tuple[str, ...]:
    """The canonical symbols a spelling may stand for, likeliest first; empty when it cannot be a symbol.

    ``BTCUSD`` could be split in two; an equity comes before a pair, since no pair has a spelling of up to five letters.
    """
    if not _SPELLING.fullmatch(text):
        return ()
    pair = _PAIR.fullmatch(text)
    if pair is not None:
        candidates = [f"{pair[1]}-{pair[2]}"]
    else:
        candidates = [text]
        candidates += [f"{text[: -len(end)]}-{end}" for end in QUOTED_IN if text.endswith(end) and text != end]
    return tuple(each for each in candidates if _is_symbol(each))


def _is_symbol(text: str) -> bool:
    try:
        asset_class_of(text)
    except Invalid:
        return False
    return True


@lru_cache(maxsize=65536)
def asset_id(symbol: str) -> str:
    """The id of a canonical symbol."""
    return str(uuid5(NAMESPACE, f"asset/{symbol}"))


def made_id(kind: str, *parts: object) -> str:
    """The id of something that is named by these parts."""
    return str(uuid5(NAMESPACE, "/".join((kind, *map(str, parts)))))


def execution_id(order_id: str, number: int) -> str:
    """The id of an execution: the same in the stream of trade updates and in the account's activities."""
    return made_id("execution", order_id, number)


def as_uuid(text: str) -> str | None:
    """The canonical spelling of a UUID, or ``None``."""
    try:
        return str(UUID(text)) if 32 <= len(text) <= 36 else None
    except ValueError:
        return None


def account_uuid(account_id: str) -> str:
    """The account's id as a UUID: itself if it is one, else a hash of it."""
    return as_uuid(account_id) or made_id("account", account_id)
