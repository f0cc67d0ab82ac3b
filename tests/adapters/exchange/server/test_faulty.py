"""Faults at the server's door: what a client meets, and what the venue was asked to do meanwhile."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from hydra.adapters.exchange.fault_table import MEANINGS, OF_THE_ROAD, FaultKind, Operation
from hydra.adapters.exchange.faults import FaultPlan, Rule
from hydra.adapters.exchange.server.faulty import Faulty, fault_routes, make_tap
from hydra.adapters.exchange.server.faulty_answers import UNHEARD_OF
from hydra.adapters.exchange.server.faulty_paths import operation_of

NOW = datetime(2024, 3, 4, 15, tzinfo=UTC)
QUOTE = {"t": "2024-03-04T15:00:00Z", "bp": 99.99, "ap": 100.01, "bs": 3, "as": 4, "c": ["R"]}
FILLS = [
    {"id": f"2024::{n}", "activity_type": "FILL", "symbol": symbol, "price": "100.5", "qty": "1", "side": "buy"}
    for n, symbol in enumerate(["SPY", "BTC/USD", "SPY"], 1)
] + [{"id": "x", "activity_type": "FEE", "net_amount": "-0.01"}]
ANSWERS: dict[str, Any] = {
    "/v2/account": {"id": "5d0a", "account_number": "123", "status": "ACTIVE", "equity": "100000.50", "multiplier": 4},
    "/v2/clock": {"timestamp": "2024-03-04T15:00:00Z", "is_open": True},
    "/v2/account/activities": FILLS,
    "/v2/stocks/quotes/latest": {"quotes": {"SPY": QUOTE, "AAPL": QUOTE}},
    "/v1beta1/options/snapshots/SPY": {"snapshots": {"SPY240315C00500000": {"latestQuote": QUOTE}}},
    "/v2/positions": [{"symbol": "SPY", "side": "long", "qty": "3"}],
    "/v2/watchlists": [],
}


@dataclass
class Venue:
    """An application that counts what it was asked to do."""

    plan: FaultPlan = field(default_factory=FaultPlan)
    orders: list[bytes] = field(default_factory=list)

    def app(self, **more: Any) -> Faulty:
        routes: list[BaseRoute] = [Route(path, self.answer) for path in ANSWERS]
        routes += [Route("/v2/orders", self.take, methods=["POST"]), *fault_routes(self.plan)]
        routes += [Route("/v2/orders/{order}", self.take, methods=["DELETE", "PATCH"])]
        tickets = SimpleNamespace(symbol="SPY")
        exchange: Any = SimpleNamespace(now=NOW, ticket=lambda _id: tickets, ticket_named=lambda _id: None)
        return Faulty(Starlette(routes=routes), self.plan, exchange, **more)

    async def answer(self, request: Request) -> Response:
        return JSONResponse(ANSWERS[request.url.path])

    async def take(self, request: Request) -> Response:
        self.orders.append(await request.body())
        return JSONResponse({"id": "o-1", "status": "new", "side": "buy", "qty": "1", "symbol": "SPY"})


def rule(fault: FaultKind, *on: str, **more: Any) -> Rule:
    return Rule(fault=fault, on=on, **more)


def ask(venue: Venue, method: str, path: str, **more: Any) -> httpx.Response:
    """One request, without a socket."""

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=venue.app())
        async with httpx.AsyncClient(transport=transport, base_url="http://venue") as client:
            return await client.request(method, path, **more)

    return asyncio.run(once())


def loads(response: httpx.Response) -> Any:
    return json.loads(response.text)


def submit(venue: Venue, symbol: str = "SPY") -> httpx.Response:
    return ask(venue, "POST", "/v2/orders", json={"symbol": symbol, "qty": "1"})


# -- answers


@pytest.mark.parametrize(
    ("fault", "status", "taken"),
    [(FaultKind.RATE_LIMIT, 429, 0), (FaultKind.SERVER_ERROR, 500, 0), (FaultKind.GATEWAY_AFTER, 504, 1)],
)
def test_a_status_says_no_whether_or_not_the_order_was_taken(fault: FaultKind, status: int, taken: int) -> None:
    venue = Venue(FaultPlan([rule(fault, "submit", nth=1)]))
    assert submit(venue).status_code == status
    assert len(venue.orders) == taken
    assert submit(venue).status_code == 200


def test_a_rate_limit_says_how_long_to_wait() -> None:
    response = submit(Venue(FaultPlan([rule(FaultKind.RATE_LIMIT, "*", seconds=Decimal(7))])))
    assert response.headers["retry-after"] == "7"
    assert response.headers["x-ratelimit-remaining"] == "0"
    assert response.json() == {"message": "too many requests."}


def test_a_page_instead_of_an_answer() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.HTML, "submit")]))
    response = submit(venue)
    assert (response.status_code, len(venue.orders)) == (200, 1)
    assert response.headers["content-type"].startswith("text/html")
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_an_empty_body() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.EMPTY_BODY, "submit")]))
    response = submit(venue)
    assert (response.status_code, response.content, len(venue.orders)) == (200, b"", 1)


def test_words_that_do_not_exist() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.UNKNOWN_ENUM, "submit", "account")]))
    order, account = loads(submit(venue)), loads(ask(venue, "GET", "/v2/account"))
    assert (order["status"], order["side"], order["id"]) == (UNHEARD_OF, UNHEARD_OF, "o-1")
    assert account == {**ANSWERS["/v2/account"], "status": UNHEARD_OF}
    assert len(venue.orders) == 1


def test_numbers_that_are_none() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.NAN, "account", "quotes")]))
    account = loads(ask(venue, "GET", "/v2/account"))
    assert (account["equity"], account["account_number"], account["status"]) == ("NaN", "123", "ACTIVE")
    assert math.isnan(account["multiplier"])
    quote = loads(ask(venue, "GET", "/v2/stocks/quotes/latest?symbols=SPY"))["quotes"]["SPY"]
    assert math.isnan(quote["bp"])
    assert (quote["t"], quote["c"]) == (QUOTE["t"], ["R"])


def test_old_quotes() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.STALE_QUOTE, seconds=Decimal(90))]))
    quotes = loads(ask(venue, "GET", "/v2/stocks/quotes/latest?symbols=SPY,AAPL"))["quotes"]
    assert {symbol: quote["t"] for symbol, quote in quotes.items()} == dict.fromkeys(quotes, "2024-03-04T14:58:30Z")
    chain = loads(ask(venue, "GET", "/v1beta1/options/snapshots/SPY"))["snapshots"]
    assert chain["SPY240315C00500000"]["latestQuote"]["t"] == "2024-03-04T14:58:30Z"


def test_crossed_quotes_of_one_symbol_among_others() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.CROSSED_QUOTE, symbol="SPY")]))
    quotes = loads(ask(venue, "GET", "/v2/stocks/quotes/latest?symbols=SPY,AAPL"))["quotes"]
    assert (quotes["SPY"]["bp"], quotes["SPY"]["ap"]) == (100.01, 99.99)
    assert quotes["AAPL"] == QUOTE
    assert ask(venue, "GET", "/v2/stocks/quotes/latest?symbols=AAPL").json()["quotes"]["SPY"] == QUOTE


def test_a_chain_is_about_its_underlying() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.CROSSED_QUOTE, symbol="SPY")]))
    quote = loads(ask(venue, "GET", "/v1beta1/options/snapshots/SPY"))["snapshots"]["SPY240315C00500000"]["latestQuote"]
    assert quote["bp"] > quote["ap"]


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (FaultKind.ACCOUNT_INACTIVE, {"status": "INACTIVE"}),
        (FaultKind.ACCOUNT_BLOCKED, {"account_blocked": True, "trading_blocked": True}),
    ],
)
def test_an_account_that_is_not_in_order(fault: FaultKind, told: dict[str, Any]) -> None:
    venue = Venue(FaultPlan([rule(fault)]))
    assert loads(ask(venue, "GET", "/v2/account")) == {**ANSWERS["/v2/account"], **told}


def test_a_clock_that_is_off() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.CLOCK_OFF, seconds=Decimal(-300), nth=2)]))
    told = [loads(ask(venue, "GET", "/v2/clock"))["timestamp"] for _ in range(3)]
    assert told == ["2024-03-04T15:00:00Z", "2024-03-04T14:55:00Z", "2024-03-04T15:00:00Z"]


def test_a_lost_fill_stays_lost_and_a_doubled_one_doubled() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.LOST_FILL, nth=1), rule(FaultKind.DOUBLED_FILL, symbol="BTC-USD")]))
    for _ in range(2):
        told = [each["id"] for each in loads(ask(venue, "GET", "/v2/account/activities"))]
        assert told == ["2024::2", "2024::2", "2024::3", "x"]


def test_a_rule_about_a_symbol_reads_the_order_and_leaves_it_whole() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.SERVER_ERROR, "submit", symbol="SPY")]))
    assert [submit(venue, symbol).status_code for symbol in ("AAPL", "SPY", "spy", "BTC/USD")] == [200, 500, 500, 200]
    assert [json.loads(body)["symbol"] for body in venue.orders] == ["AAPL", "BTC/USD"]
    assert ask(venue, "POST", "/v2/orders", content=b"no JSON").status_code == 200


def test_a_cancel_is_about_the_order_s_symbol() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.SERVER_ERROR, "cancel", symbol="SPY")]))
    assert ask(venue, "DELETE", "/v2/orders/o-1").status_code == 500
    venue.plan.replace([rule(FaultKind.SERVER_ERROR, "cancel", symbol="AAPL")])
    assert ask(venue, "DELETE", "/v2/orders/o-1").status_code == 200


def test_a_request_without_a_word_of_its_own_is_named_by_its_path() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.SERVER_ERROR, "GET /v2/watch*")]))
    assert ask(venue, "GET", "/v2/watchlists").status_code == 500
    assert ask(venue, "GET", "/v2/account").status_code == 200


def test_slow_is_late_and_otherwise_right() -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    venue = Venue(FaultPlan([rule(FaultKind.SLOW, "clock", ms=Decimal(250))]))

    async def once() -> httpx.Response:
        transport = httpx.ASGITransport(app=venue.app(sleep=sleep))
        async with httpx.AsyncClient(transport=transport, base_url="http://venue") as client:
            return await client.get("/v2/clock")

    assert asyncio.run(once()).json() == ANSWERS["/v2/clock"]
    assert waited == [0.25]


# -- sockets


@contextmanager
def served(venue: Venue) -> Iterator[str]:
    """The venue on a real socket."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(venue.app(), log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        listening.close()
    assert not thread.is_alive()


@pytest.mark.parametrize(("fault", "taken"), [(FaultKind.DROP_BEFORE, 0), (FaultKind.DROP_AFTER, 1)])
def test_a_dropped_socket_says_nothing_and_the_next_one_works(fault: FaultKind, taken: int) -> None:
    venue = Venue(FaultPlan([rule(fault, "submit", nth=1)]))
    with served(venue) as url, httpx.Client(base_url=url, timeout=5) as client:
        with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
            client.post("/v2/orders", json={"symbol": "SPY"})
        assert len(venue.orders) == taken
        assert client.post("/v2/orders", json={"symbol": "SPY"}).status_code == 200


@pytest.mark.parametrize(("fault", "taken"), [(FaultKind.TIMEOUT_BEFORE, 0), (FaultKind.TIMEOUT_AFTER, 1)])
def test_a_timeout_hangs_until_the_client_goes_away(fault: FaultKind, taken: int) -> None:
    venue = Venue(FaultPlan([rule(fault, "submit", nth=1)]))
    with served(venue) as url, httpx.Client(base_url=url) as client:
        with pytest.raises(httpx.ReadTimeout):
            client.post("/v2/orders", json={"symbol": "SPY"}, timeout=0.3)
        assert len(venue.orders) == taken
        assert client.get("/v2/clock").status_code == 200


def test_a_timeout_has_an_end() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.TIMEOUT_BEFORE, "account", seconds=Decimal("0.2"))]))
    with served(venue) as url, httpx.Client(base_url=url, timeout=5) as client:
        begun = time.monotonic()
        with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
            client.get("/v2/account")
        assert 0.1 < time.monotonic() - begun < 4


@pytest.mark.parametrize("fault", sorted(OF_THE_ROAD - {FaultKind.TIMEOUT_BEFORE, FaultKind.TIMEOUT_AFTER}))
def test_every_fault_at_every_operation_leaves_a_server_that_answers(fault: FaultKind) -> None:
    needed = {name: Decimal(1) for name, number in MEANINGS[fault].numbers.items() if number.default is None}
    venue = Venue(FaultPlan([rule(fault, "*", **needed)]))
    with served(venue) as url, httpx.Client(base_url=url, timeout=5) as client:
        for path in ANSWERS:
            try:
                client.get(path)
            except httpx.HTTPError:
                assert fault in (FaultKind.DROP_BEFORE, FaultKind.DROP_AFTER)
        venue.plan.replace(())
        assert client.get("/v2/account").json() == ANSWERS["/v2/account"]


class Wire:
    """A connection as uvicorn holds it: ``send`` is bound to what has the transport, and ``receive`` waits for its end."""

    def __init__(self) -> None:
        self.transport = self
        self.sent: list[Any] = []
        self.gone = asyncio.Event()

    def abort(self) -> None:
        self.gone.set()

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}


@pytest.mark.parametrize(
    "fault", [rule(FaultKind.TIMEOUT_BEFORE, "account"), rule(FaultKind.SLOW, "account", ms=Decimal(600_000))]
)
def test_a_server_that_ends_closes_what_hangs_without_a_word(fault: Rule) -> None:
    async def cancelled() -> Wire:
        wire = Wire()
        scope = {"type": "http", "method": "GET", "path": "/v2/account", "query_string": b"", "headers": []}
        task = asyncio.create_task(Venue(FaultPlan([fault])).app()(scope, wire.receive, wire.send))
        await asyncio.sleep(0.01)
        task.cancel()
        await task
        return wire

    wire = asyncio.run(cancelled())
    assert (wire.gone.is_set(), wire.sent) == (True, [])


# -- streams


def through(plan: FaultPlan, operation: str, *messages: dict[str, Any]) -> list[Any]:
    """What a client is sent of these messages."""
    exchange: Any = SimpleNamespace(now=NOW)
    tap = make_tap(plan, exchange)

    async def all_of_them() -> list[Any]:
        sent: list[Any] = []
        for message in messages:
            sent += await tap(operation, message)
        return sent

    return asyncio.run(all_of_them())


def ticks(*symbols: str) -> list[dict[str, Any]]:
    return [{"T": "q", "S": symbol, "bp": 99.99, "ap": 100.01, "t": NOW} for symbol in symbols]


def event(name: str, execution: str = "", symbol: str = "SPY") -> dict[str, Any]:
    order = {"symbol": symbol, "status": name, "qty": "3"}
    return {"stream": "trade_updates", "data": {"event": name, "execution_id": execution, "order": order}}


def test_a_stream_goes_mute_and_stays_so() -> None:
    messages = ticks(*["SPY"] * 5)
    plan = FaultPlan([rule(FaultKind.MUTE_STREAM, "stream.data", nth=3)])
    assert through(plan, "stream.data", *messages) == messages[:2]
    assert through(plan, "stream.trades", event("new")) == [event("new")]


def test_a_fill_s_event_is_lost_or_doubled_for_every_client() -> None:
    plan = FaultPlan([rule(FaultKind.LOST_FILL, nth=2), rule(FaultKind.DOUBLED_FILL, nth=1)])
    messages = [event("new"), event("partial_fill", "a"), event("fill", "b"), event("canceled")]
    told = [event("new"), event("partial_fill", "a"), event("partial_fill", "a"), event("canceled")]
    assert through(plan, "stream.trades", *messages) == told
    assert through(plan, "stream.trades", *messages) == told


def test_quotes_on_a_stream_can_be_old_crossed_or_nan() -> None:
    spy, apple = ticks("SPY", "AAPL")
    old = through(FaultPlan([rule(FaultKind.STALE_QUOTE, seconds=Decimal(60))]), "stream.data", spy)
    assert old == [{**spy, "t": NOW - timedelta(seconds=60)}]
    crossed = through(FaultPlan([rule(FaultKind.CROSSED_QUOTE, symbol="SPY")]), "stream.data", spy, apple)
    assert crossed == [{**spy, "bp": 100.01, "ap": 99.99}, apple]
    (nan,) = through(FaultPlan([rule(FaultKind.NAN, "stream.data")]), "stream.data", spy)
    assert math.isnan(nan["bp"])
    assert (nan["S"], nan["t"]) == ("SPY", NOW)


def test_a_trade_update_can_hold_words_that_do_not_exist() -> None:
    (told,) = through(FaultPlan([rule(FaultKind.UNKNOWN_ENUM, "stream.trades")]), "stream.trades", event("fill", "a"))
    assert (told["data"]["event"], told["data"]["order"]["status"]) == (UNHEARD_OF, UNHEARD_OF)
    assert told["stream"] == "trade_updates"


def test_a_stream_s_socket_is_closed_without_the_message() -> None:
    with pytest.raises(ConnectionResetError, match=r"a fault closes stream\.data"):
        through(FaultPlan([rule(FaultKind.DROP_BEFORE, "stream.data")]), "stream.data", *ticks("SPY"))


# -- the admin route


def test_rules_are_shown_replaced_added_to_and_cleared() -> None:
    venue = Venue()
    assert ask(venue, "GET", "/sim/faults").json() == {"seed": 0, "faults": []}
    given = {"seed": 3, "faults": [{"fault": "500", "on": "account", "nth": 2}]}
    told = ask(venue, "PUT", "/sim/faults", json=given).json()
    assert told == {"seed": 3, "faults": [{"fault": "500", "nth": 2, "on": ["account"], "seen": 0, "acted": 0}]}
    assert ask(venue, "POST", "/sim/faults", json={"fault": "reject_exit"}).status_code == 200
    assert [ask(venue, "GET", "/v2/account").status_code for _ in range(3)] == [200, 500, 200]
    first, second = ask(venue, "GET", "/sim/faults").json()["faults"]
    assert (first["seen"], first["acted"], second["fault"]) == (3, 1, "reject_exit")
    assert ask(venue, "DELETE", "/sim/faults").json() == {"seed": 3, "faults": []}


def test_a_fault_on_everything_can_be_taken_back() -> None:
    venue = Venue(FaultPlan([rule(FaultKind.SERVER_ERROR, "*", "* /*")]))
    assert ask(venue, "GET", "/v2/account").status_code == 500
    assert ask(venue, "DELETE", "/sim/faults").status_code == 200
    assert ask(venue, "GET", "/v2/account").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "operation"),
    [
        ("POST", "/v2/orders", "submit"),
        ("DELETE", "/v2/orders", "cancel"),
        ("DELETE", "/v2/orders/x", "cancel"),
        ("PATCH", "/v2/orders/x", "replace"),
        ("GET", "/v2/orders", "orders"),
        ("GET", "/v2/orders/x", "order"),
        ("GET", "/v2/orders:by_client_order_id", "order"),
        ("DELETE", "/v2/positions/SPY", "submit"),
        ("GET", "/v2/positions", "positions"),
        ("GET", "/v2/positions/BTC/USD", "positions"),
        ("GET", "/v2/account/activities/FILL", "fills"),
        ("GET", "/v2/assets/SPY", "instruments"),
        ("GET", "/v2/options/contracts", "instruments"),
        ("GET", "/v2/stocks/SPY/quotes/latest", "quotes"),
        ("GET", "/v2/stocks/snapshots", "quotes"),
        ("GET", "/v2/stocks/bars", "bars"),
        ("GET", "/v2/stocks/SPY/bars/latest", "bars"),
        ("GET", "/v1beta3/crypto/us/latest/quotes", "quotes"),
        ("GET", "/v1beta3/crypto/us/bars", "bars"),
        ("GET", "/v1beta1/options/snapshots/SPY", "chain"),
        ("GET", "/v2/watchlists", None),
        ("GET", "/v2/account/portfolio/history", None),
    ],
)
def test_a_path_is_an_operation(method: str, path: str, operation: str | None) -> None:
    assert operation_of(method, path) == (None if operation is None else Operation(operation))


def bodies() -> Sequence[bytes]:
    return (b"", b"{", b"[]", b'{"faults": [{"fault": "501"}]}', b'{"fault": "500"}', b'{"seed": NaN}')


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("body", bodies(), ids=repr)
def test_rules_that_cannot_be_are_refused_and_change_nothing(method: str, body: bytes) -> None:
    from hydra.adapters.exchange.server.errors import ApiError

    venue = Venue(FaultPlan([rule(FaultKind.REJECT_EXIT)], seed=5))
    with pytest.raises(ApiError) as refusal:
        ask(venue, method, "/sim/faults", content=body)
    assert refusal.value.status in (400, 422)
    assert refusal.value.message.startswith("body")
    assert (venue.plan.seed, venue.plan.rules) == (5, (rule(FaultKind.REJECT_EXIT),))
