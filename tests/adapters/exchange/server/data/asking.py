"""The market-data routes over a scripted feed, with a clock a test sets, in this process."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

import httpx

from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.server import data
from hydra.adapters.exchange.server.app import Served
from hydra.adapters.exchange.server.context import Context, ServerOptions
from hydra.adapters.exchange.server.symbols import Symbols
from hydra.adapters.markets.feed import Feed
from hydra.model.market import Bar
from hydra.ports import Calendar
from tests.adapters.exchange.server.openapi import validate
from tests.adapters.exchange.server.scenes import Calendar as SceneCalendar
from tests.fakes.feed import bar

MONDAY = datetime(2024, 3, 4, tzinfo=UTC)
OPEN = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
"""A Monday's opening; the scene's calendar trades from 14:30 to 21:00 UTC every day."""
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def minutes(symbol: str, begins: datetime, *closes: int) -> list[Bar]:
    """One bar a minute: each opens at the close before it, and reaches 0.5 beyond both."""
    found, before = [], closes[0]
    for place, close in enumerate(closes):
        half = Decimal("0.5")
        prices = (before, max(before, close) + half, min(before, close) - half, close)
        found.append(bar(symbol, begins + place * MINUTE, prices))
        before = close
    return found


class FakeExchange:
    """As much of an exchange as market data are read from."""

    def __init__(self, feed: Feed, now: datetime, calendar: Calendar | None = None) -> None:
        self.feed = feed
        self.now = now
        self.calendar: Calendar = SceneCalendar() if calendar is None else calendar
        self.settings = VenueSettings(starting_cash=Decimal(100_000), half_spread=Decimal("0.001"))


class Market:
    """The routes over a feed; ``now`` may be set."""

    def __init__(self, feed: Feed, now: datetime, calendar: Calendar | None = None) -> None:
        self.fake = FakeExchange(feed, now, calendar)
        exchange = cast(Exchange, self.fake)
        context = Context(exchange=exchange, options=ServerOptions(key="k", secret="s"), symbols=Symbols(exchange))
        self._app = Served(data.routes(context))

    @property
    def now(self) -> datetime:
        return self.fake.now

    @now.setter
    def now(self, at: datetime) -> None:
        self.fake.now = at

    def ask(self, path: str, **query: Any) -> tuple[int, Any]:
        """Status and body, which validate against Alpaca's document."""
        sent = {name: str(value) for name, value in query.items() if value is not None}

        async def get() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._app), base_url="http://venue") as client:
                return await client.get(path, params=sent)

        answer = asyncio.run(get())
        validate("GET", path, answer.status_code, answer.json())
        return answer.status_code, answer.json()

    def get(self, path: str, **query: Any) -> Any:
        """The body of a good answer."""
        status, body = self.ask(path, **query)
        assert status == 200, body
        return body

    def refused(self, path: str, **query: Any) -> tuple[int, str]:
        """Status and message of a refusal."""
        status, body = self.ask(path, **query)
        assert set(body) == {"message"}, body
        return status, body["message"]

    def every_page(self, path: str, kind: str, **query: Any) -> dict[str, list[Any]]:
        """The rows of all pages, by symbol."""
        rows: dict[str, list[Any]] = {}
        token = None
        for _ in range(1000):
            page = self.get(path, page_token=token, **query)
            for symbol, more in page[kind].items():
                rows.setdefault(symbol, []).extend(more)
            token = page["next_page_token"]
            if token is None:
                return rows
        raise AssertionError("the pages do not end")
