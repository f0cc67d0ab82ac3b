"""Which operation of the venue a request is, and which symbols it is about, in the words fault rules are written in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from hydra.adapters.exchange.fault_table import Operation
from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.server import wire

_O = Operation
_PATHS: tuple[tuple[str, str, Operation], ...] = (
    # method, path (the group is a symbol), operation
    ("POST", r"/v2/orders", _O.SUBMIT),
    ("DELETE", r"/v2/orders(?:/[^/]+)?", _O.CANCEL),
    ("PATCH", r"/v2/orders/[^/]+", _O.REPLACE),
    ("GET", r"/v2/orders", _O.ORDERS),
    ("GET", r"/v2/orders(?:/[^/]+|:by_client_order_id)", _O.ORDER),
    ("DELETE", r"/v2/positions(?:/(.+))?", _O.SUBMIT),
    ("GET", r"/v2/positions(?:/(.+))?", _O.POSITIONS),
    ("GET", r"/v2/account", _O.ACCOUNT),
    ("GET", r"/v2/account/activities(?:/[^/]+)?", _O.FILLS),
    ("GET", r"/v2/(?:assets|options/contracts)(?:/(.+))?", _O.INSTRUMENTS),
    ("GET", r"/v[23]/clock", _O.CLOCK),
    ("GET", r"/v2/stocks/(?:([^/]+)/)?bars(?:/latest)?", _O.BARS),
    ("GET", r"/v2/stocks/(?:([^/]+)/)?(?:(?:quotes|trades)(?:/latest)?|snapshots?)", _O.QUOTES),
    ("GET", r"/v1beta3/crypto/[^/]+/(?:latest/)?bars", _O.BARS),
    ("GET", r"/v1beta3/crypto/[^/]+/(?:(?:latest/)?(?:quotes|trades|orderbooks)|snapshots)", _O.QUOTES),
    ("GET", r"/v1beta1/options/bars", _O.BARS),
    ("GET", r"/v1beta1/options/(?:quotes|trades)(?:/latest)?", _O.QUOTES),
    ("GET", r"/v1beta1/options/snapshots", _O.QUOTES),
    ("GET", r"/v1beta1/options/snapshots/([^/]+)", _O.CHAIN),
)
_KNOWN = tuple((method, re.compile(pattern), operation) for method, pattern, operation in _PATHS)
_ORDER = re.compile(r"/v2/orders/([^/]+)")


def operation_of(method: str, path: str) -> Operation | None:
    """What this request is; ``None`` for one that has no word."""
    return next((known for verb, pattern, known in _KNOWN if verb == method and pattern.fullmatch(path)), None)


def symbols_of(method: str, path: str, query: bytes, body: bytes, exchange: Exchange) -> tuple[str, ...]:
    """The canonical symbols this request is about, those of the order it names included."""
    found: set[str] = set()
    for text in (*_in_path(method, path), *_in_query(query), *_in_body(body)):
        found.update(wire.canonical_symbols(unquote(text).upper()))
    order = _ORDER.fullmatch(path)
    ticket = exchange.ticket(order[1]) if order else None
    if path.endswith(":by_client_order_id"):
        named = parse_qs(query.decode("latin-1")).get("client_order_id", [""])[0]
        ticket = exchange.ticket_named(named)
    if ticket is not None and ticket.symbol:
        found.add(ticket.symbol)
    return tuple(sorted(found))


def _in_path(method: str, path: str) -> Iterator[str]:
    for verb, pattern, _ in _KNOWN:
        match = pattern.fullmatch(path) if verb == method else None
        if match is not None:
            yield from (group for group in match.groups() if group)
            return


def _in_query(query: bytes) -> Iterator[str]:
    told = parse_qs(query.decode("latin-1"))
    for name in ("symbols", "symbol", "underlying_symbols"):
        for value in told.get(name, ()):
            yield from value.split(",")


def _in_body(body: bytes) -> Iterator[str]:
    try:
        told: Any = json.loads(body) if body else None
    except (ValueError, RecursionError):
        return
    if not isinstance(told, Mapping):
        return
    legs = told.get("legs")
    for part in (told, *(legs if isinstance(legs, list) else ())):
        if isinstance(part, Mapping) and isinstance(part.get("symbol"), str):
            yield part["symbol"]
