"""What every market-data route asks in the same words, read strictly, and how its answers are sent.

A parameter no route knows is refused, as Alpaca's data API does. Its errors are 400 with a message and no code. Answers are made
on a worker thread from a ``View`` taken on the loop's, so a long scan holds nobody up and still sees one instant only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.context import Context
from hydra.adapters.exchange.server.data.frames import Timeframe, midnight_of, zone_of
from hydra.adapters.exchange.server.data.tape import Days, Tape, View
from hydra.adapters.exchange.server.errors import ApiError
from hydra.adapters.exchange.server.params import Query, parse_date
from hydra.model.market import AssetClass, asset_class_of

DELAY = timedelta(minutes=15)
"""How late the delayed feed is."""
LIMIT_MOST, LIMIT_USUAL = 10_000, 1000
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WHOLE_DAY = timedelta(days=1) - timedelta(microseconds=1)
_HEADERS = {"content-type": "application/json; charset=UTF-8"}


class Asked(NamedTuple):
    """A request, and the market as it stands."""

    view: View
    query: Query
    path: dict[str, str]
    days: Days

    def tape(self, symbol: str) -> Tape:
        """The tape of a symbol."""
        return Tape(self.view, symbol, self.days)


Handle: TypeAlias = Callable[[Asked], Any]
"""Makes the body of the answer, or raises ``ApiError``."""


def bad(message: str) -> ApiError:
    """400, without a code."""
    return ApiError(400, None, message)


def absent(message: str) -> ApiError:
    """404, without a code."""
    return ApiError(404, None, message)


def asked_route(context: Context, days: Days, path: str, handle: Handle, names: Sequence[str]) -> Route:
    """The route on which ``handle`` answers a GET with the parameters ``names``."""

    async def answer(request: Request) -> Response:
        exchange = context.exchange
        view = View(exchange.feed, exchange.calendar, exchange.now, exchange.settings.half_spread)
        try:
            query = Query(request.url.query)
            unknown = [name for name in query.names if name not in names]
            if unknown:
                raise bad(f"unexpected query parameter(s): {', '.join(unknown)}")
            body = await run_in_threadpool(handle, Asked(view, query, dict(request.path_params), days))
        except ApiError as error:
            if error.status in (400, 422):
                raise bad(error.message) from error
            raise
        return Response(orjson.dumps(body, option=orjson.OPT_UTC_Z), headers=_HEADERS)

    route = Route(path, answer, methods=["GET"], name=f"GET {path}")
    route.methods = {"GET"}
    return route


def symbols_of(asked: Asked, kind: AssetClass, most: int = 1000) -> list[str]:
    """The canonical symbols in ``symbols``, which must be of one class."""
    texts = asked.query.listed("symbols")
    if not texts:
        raise bad("symbols is required")
    if len(texts) > most:
        raise bad(f"symbols must have at most {most} elements, got {len(texts)}")
    return list(dict.fromkeys(symbol_of(text, kind) for text in texts))


def symbol_of(text: str, kind: AssetClass) -> str:
    """The canonical symbol a text spells, of a class."""
    found = [each for each in wire.canonical_symbols(text) if asset_class_of(each) is kind]
    if not found:
        raise bad(f"invalid symbol: {text[:40]}")
    return found[0]


class Window(NamedTuple):
    """The times a client asks for, both included; backwards when ``down``."""

    first: datetime
    last: datetime
    down: bool


def window_of(asked: Asked, symbol: str) -> Window:
    """``start`` (the beginning of the present day), ``end`` (now) and ``sort``. What lies ahead is cut off.

    A date alone means the whole local day: from its midnight as a start, up to its last moment as an end.
    """
    now = asked.view.now
    zone = zone_of(symbol)
    first = _moment(asked, "start", zone, timedelta(0))
    if first is None:
        first = midnight_of(now.astimezone(zone).date(), zone)
    last = _moment(asked, "end", zone, _WHOLE_DAY)
    if last is not None and last < first:
        raise bad("end should not be before start")
    down = asked.query.chosen("sort", ("asc", "desc"), "asc") == "desc"
    return Window(first, now if last is None else min(last, now), down)


def _moment(asked: Asked, name: str, zone: ZoneInfo, more: timedelta) -> datetime | None:
    text = asked.query.text(name)
    if text and _DATE.fullmatch(text):
        return midnight_of(parse_date(name, text), zone) + more
    return asked.query.moment(name)


def limit_of(asked: Asked, usual: int = LIMIT_USUAL, most: int = LIMIT_MOST) -> int:
    """``limit``."""
    return asked.query.whole("limit", usual, 1, most)


def token_of(asked: Asked) -> str:
    """``page_token``."""
    return asked.query.text("page_token")


def frame_of(asked: Asked) -> Timeframe:
    """``timeframe``."""
    text = asked.query.needed("timeframe")
    frame = Timeframe.parse(text)
    if frame is None:
        raise bad(f"invalid timeframe: {text[:40]}")
    return frame
