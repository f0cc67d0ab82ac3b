"""The stage of the server's tests: a venue with shares, a pair and contracts behind the trading API, and a client."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import orjson
from starlette.types import ASGIApp

from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.server.app import TRADING, Served, enclose
from hydra.adapters.exchange.server.context import Context, ServerOptions
from hydra.adapters.exchange.server.symbols import Symbols
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.model.market import AssetClass
from hydra.model.snapshot import Sessions
from hydra.ports import Calendar as CalendarPort
from tests.adapters.exchange.server.openapi import validate
from tests.fakes.feed import Number, ScriptedFeed, bar, option_quote, quote

KEY, SECRET = "PKTEST", "test-secret"
KEYS = {"APCA-API-KEY-ID": KEY, "APCA-API-SECRET-KEY": SECRET}
OPEN = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
"""A Monday's opening."""
MINUTE = timedelta(minutes=1)
CALL, HIGHER_CALL = "SPY240308C00100000", "SPY240308C00105000"
SETTINGS = VenueSettings(starting_cash=Decimal(100_000), fractional=True, multiplier=2, shorting=True)


class Calendar(PlainCalendar):
    """The plain calendar, with contracts in the shares' hours."""

    def sessions(self, at: datetime) -> Sessions:
        """Shares and contracts by day, pairs around the clock."""
        plain = super().sessions(at)
        hours = {**plain.by_class, AssetClass.OPTION: plain.by_class[AssetClass.EQUITY]}
        return Sessions(day=plain.day, minute=plain.minute, by_class=hours)


class Stage:
    """SPY at 100, QQQ at 50, BTC-USD at 20,000 and two calls on SPY, one minute after the opening."""

    def __init__(
        self, settings: VenueSettings = SETTINGS, limit: int = 0, calendar: CalendarPort | None = None
    ) -> None:
        first = OPEN + MINUTE
        self.feed = ScriptedFeed(
            [
                bar("SPY", OPEN, (100, 100, 100, 100)),
                bar("QQQ", OPEN, (50, 50, 50, 50)),
                bar("BTC-USD", OPEN, (20_000, 20_000, 20_000, 20_000)),
            ],
            [
                quote("SPY", first, "99.99", "100.01"),
                quote("QQQ", first, "49.99", "50.01"),
                quote("BTC-USD", first, "19990", "20010"),
            ],
            symbols=["SPY", "QQQ", "BTC-USD"],
            options=[
                option_quote(CALL, first, "2.00", "2.10", open_interest=1200),
                option_quote(HIGHER_CALL, first, "0.50", "0.60"),
            ],
            actions=[
                CorporateAction(
                    kind=ActionKind.FORWARD_SPLIT,
                    symbol="QQQ",
                    ex_date=date(2024, 2, 1),
                    new_rate=Decimal(2),
                ),
                CorporateAction(
                    kind=ActionKind.CASH_DIVIDEND,
                    symbol="SPY",
                    ex_date=date(2024, 4, 1),
                    cash=Decimal("1.5"),
                    payable_date=date(2024, 4, 20),
                ),
            ],
        )
        self._open(settings, limit, calendar or Calendar())

    def _open(self, settings: VenueSettings, limit: int, calendar: CalendarPort) -> None:
        self.venue = SimulatedVenue(self.feed, calendar, settings)
        self.venue.advance()
        self.options = ServerOptions(key=KEY, secret=SECRET, rate_limit_per_minute=limit)
        self.client = Client(trading_app(self.venue, self.options))

    @classmethod
    def on(cls, feed: ScriptedFeed) -> Stage:
        """The usual stage with another script."""
        stage = cls.__new__(cls)
        stage.feed = feed
        stage._open(SETTINGS, 0, Calendar())
        return stage

    def play(self, symbol: str, first: Number, high: Number, low: Number, last: Number) -> None:
        """Let the next minute of a symbol happen."""
        self.feed.add(bar(symbol, self.venue.now, (first, high, low, last)))
        assert self.venue.advance()

    def ask(self, method: str, path: str, status: int = 200, **more: Any) -> Any:
        """A request with the right keys, its status asserted and its body held against the published schema."""
        response = self.client.request(method, path, headers=KEYS, **more)
        body = orjson.loads(response.content) if response.content else None
        assert response.status_code == status, (response.status_code, body)
        validate(method, path, status, body)
        return body

    def get(self, path: str, expected: int = 200, /, **params: Any) -> Any:
        """A GET with a query."""
        return self.ask("GET", path, expected, params=params)

    def post(self, body: Mapping[str, Any], status: int = 200) -> Any:
        """An order."""
        return self.ask("POST", "/v2/orders", status, json=body)

    def buy(self, symbol: str = "SPY", qty: Number = 10, **more: Any) -> Any:
        """A market order that fills."""
        life = "gtc" if "/" in symbol else "day"
        return self.post(
            {"symbol": symbol, "qty": str(qty), "side": "buy", "type": "market", "time_in_force": life, **more}
        )


class Client:
    """A plain client of an application, without a socket."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request. An exception that reaches the server would be raised here."""
        return asyncio.run(self._request(method, path, **more))

    async def _request(self, method: str, path: str, **more: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://venue", trust_env=False) as client:
            return await client.request(method, path, **more)


def trading_app(exchange: Exchange, options: ServerOptions) -> ASGIApp:
    """The trading API alone, behind its middlewares."""
    context = Context(exchange=exchange, options=options, symbols=Symbols(exchange))
    return enclose(exchange, options, Served([route for door in TRADING for route in door(context)]))
