"""The application as a whole: what no route knows, what breaks, and that equal runs are equal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import orjson
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from hydra.adapters.exchange.server.app import Served, enclose, make_app
from hydra.adapters.exchange.server.context import BODY_BYTES_MAX
from hydra.adapters.exchange.server.errors import REFUSALS, refused
from hydra.adapters.exchange.terms import No, Rejection
from tests.adapters.exchange.server.scenes import CALL, KEYS, Client, Stage


@pytest.mark.parametrize(
    "path", ["/", "/v2", "/v2/", "/v2/account/", "/v9/account", "/v2/watchlists", "/admin", "/sim/faults"]
)
def test_a_path_that_no_route_knows_is_404(stage: Stage, path: str) -> None:
    response = stage.client.request("GET", path, headers=KEYS)
    assert response.status_code == 404
    assert orjson.loads(response.content) == {"code": 40410000, "message": "endpoint not found."}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v2/orders", "DELETE, GET, POST"),
        ("POST", "/v2/account", "GET"),
        ("HEAD", "/v2/account", "GET"),
        ("OPTIONS", "/v2/account", "GET"),
        ("DELETE", "/v2/account/configurations", "GET, PATCH"),
        ("POST", "/v2/orders/f37e8493-69d2-5e4f-ac01-e9de26c25965", "DELETE, GET, PATCH"),
    ],
)
def test_a_method_that_a_path_does_not_know_is_405(stage: Stage, method: str, path: str, allowed: str) -> None:
    response = stage.client.request(method, path, headers=KEYS)
    assert response.status_code == 405
    assert response.headers["Allow"] == allowed


def test_a_body_that_is_too_large_is_413_and_changes_nothing(stage: Stage) -> None:
    body = b'{"symbol":"' + b"X" * BODY_BYTES_MAX + b'"}'
    stage.ask("POST", "/v2/orders", 413, content=body)
    assert not stage.venue.tickets()


async def _broken(request: Request) -> Response:
    raise RuntimeError(f"with {request.headers['apca-api-secret-key']} inside")


class _Keeping(logging.Handler):
    """Keeps what it is given."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


@contextmanager
def _logged() -> Iterator[list[logging.LogRecord]]:
    records: list[logging.LogRecord] = []
    handler = _Keeping(records)
    logger = logging.getLogger("hydra.adapters.exchange.server.app")
    logger.addHandler(handler)
    try:
        yield records
    finally:
        logger.removeHandler(handler)


def test_what_nobody_expected_is_a_plain_500_that_is_counted_and_logged(stage: Stage) -> None:
    served = Served([Route("/broken", _broken)])
    with _logged() as records:
        response = Client(enclose(stage.venue, stage.options, served)).request("GET", "/broken", headers=KEYS)
    assert response.status_code == 500
    assert orjson.loads(response.content) == {"code": 50010000, "message": "internal server error occurred"}
    assert served.failures == 1
    assert [record.getMessage() for record in records] == ["GET /broken failed"]


def test_equal_runs_give_equal_bytes() -> None:
    def run() -> list[bytes]:
        stage = Stage()
        stage.buy()
        stage.buy("BTC/USD", "0.5")
        stage.post({"symbol": CALL, "qty": 1, "side": "buy", "type": "market", "time_in_force": "day"})
        stage.play("SPY", 100, 102, 99, 101)
        stage.ask("DELETE", "/v2/positions", 207)
        paths = (
            "account",
            "orders?status=all",
            "positions",
            "account/activities",
            "account/portfolio/history",
            "assets",
        )
        return [stage.client.request("GET", f"/v2/{path}", headers=KEYS).content for path in paths]

    assert run() == run()


def test_every_refusal_of_the_venue_has_a_status_a_code_and_its_reason() -> None:
    assert set(REFUSALS) == set(No)
    for kind in No:
        error = refused(Rejection(kind=kind, reason="because of 3 and 4"))
        assert 400 <= error.status < 500
        assert str(error.body["code"]).startswith(str(error.status)) or kind is No.DUPLICATE_ID
        assert error.body["reason"] == "because of 3 and 4"
        assert error.message
        assert "{" not in error.message


def test_figures_of_a_refusal_are_in_its_body() -> None:
    figures = {"symbol": "BTC-USD", "requested": "2", "available": "1", "related_orders": "a,b"}
    error = refused(Rejection(kind=No.INSUFFICIENT_QUANTITY, reason="r", figures=figures, order="id"))
    assert error.message == "insufficient qty available for order (requested: 2, available: 1)"
    assert error.body["symbol"] == "BTC/USD"
    assert error.body["related_orders"] == ["a", "b"]


class _Clock:
    """A clock that stops at once."""

    async def run(self) -> None:
        raise OSError("the disk is full")


def test_a_clock_that_stops_is_told_and_not_hidden() -> None:
    told: list[BaseException] = []
    served = Served([], pace=_Clock(), collapsed=told.append)

    async def live() -> None:
        async with served._life(None):
            await asyncio.sleep(0.01)

    with _logged() as records:
        asyncio.run(live())
    assert [str(error) for error in told] == ["the disk is full"]
    assert served.failures == 1
    assert len(records) == 1


def test_the_whole_application_serves_trading_and_data_and_has_a_lifespan(stage: Stage) -> None:
    async def live() -> list[int]:
        app = make_app(stage.venue, stage.options)
        to_app, from_app = asyncio.Queue[Message](), asyncio.Queue[Message]()
        life = asyncio.ensure_future(app({"type": "lifespan"}, to_app.get, from_app.put))
        await to_app.put({"type": "lifespan.startup"})
        assert (await from_app.get())["type"] == "lifespan.startup.complete"
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://venue", headers=KEYS
        ) as client:
            paths = ("/v2/account", "/v2/stocks/quotes/latest?symbols=SPY", "/sim/clock")
            found = [(await client.get(path)).status_code for path in paths]
        await to_app.put({"type": "lifespan.shutdown"})
        assert (await from_app.get())["type"] == "lifespan.shutdown.complete"
        await life
        return found

    assert asyncio.run(live()) == [200, 200, 200]
