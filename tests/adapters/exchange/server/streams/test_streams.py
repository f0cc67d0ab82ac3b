"""The streams over real sockets: the conversation, its errors, and many clients side by side."""

from __future__ import annotations

import json
import socket as sockets
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.adapters.exchange.server.data.asking import MINUTE, OPEN, minutes
from tests.adapters.exchange.server.data.running import KEY, SECRET, Running, running
from tests.adapters.exchange.server.scenes import Calendar
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote

CALL = "SPY240308C00100000"
AUTH = {"action": "auth", "key": KEY, "secret": SECRET}
WAIT = 5


@pytest.fixture(scope="module")
def still() -> Iterator[Running]:
    """A server whose clock no test moves."""
    with _server() as found:
        yield found


@pytest.fixture
def server() -> Iterator[Running]:
    with _server() as found:
        yield found


def _server() -> AbstractContextManager[Running]:
    bars = [*minutes("SPY", OPEN, *range(100, 130)), *minutes("BTC-USD", OPEN, *range(200, 230))]
    bars += [bar(CALL, OPEN + MINUTE, (1, 2, 1, 2))]
    quotes = [quote(each.symbol, each.closes_at, each.close, each.close + 1) for each in bars[:60]]
    feed = ScriptedFeed(bars, quotes, options=[option_quote(CALL, OPEN + 2 * MINUTE, 1, 2)])
    return running(feed, Calendar(), start=OPEN + MINUTE)


class Talk:
    """A socket that speaks JSON (or MessagePack)."""

    def __init__(self, socket: ClientConnection, *, packed: bool) -> None:
        self.socket = socket
        self._packed = packed

    def say(self, message: Any) -> None:
        self.socket.send(msgspec.msgpack.encode(message) if self._packed else json.dumps(message))

    def hear(self) -> Any:
        frame = self.socket.recv(timeout=WAIT)
        return msgspec.msgpack.decode(frame) if isinstance(frame, bytes) else json.loads(frame)

    def ask(self, message: Any) -> Any:
        self.say(message)
        return self.hear()

    def hears_nothing(self) -> bool:
        try:
            self.socket.recv(timeout=0.2)
        except TimeoutError:
            return True
        return False

    def ends(self) -> bool:
        try:
            self.socket.recv(timeout=WAIT)
        except ConnectionClosed:
            return True
        return False


@contextmanager
def talk(server: Running, path: str, *, packed: bool = False, keys: tuple[str, str] | None = None) -> Iterator[Talk]:
    headers = {"Content-Type": "application/msgpack"} if packed else {}
    if keys is not None:
        headers |= {"APCA-API-KEY-ID": keys[0], "APCA-API-SECRET-KEY": keys[1]}
    with connect(server.sockets + path, additional_headers=headers, proxy=None, open_timeout=WAIT) as socket:
        yield Talk(socket, packed=packed)


@contextmanager
def known(server: Running, path: str, *, packed: bool = False) -> Iterator[Talk]:
    """A client of a data stream that has authenticated."""
    with talk(server, path, packed=packed) as client:
        assert client.hear() == [{"T": "success", "msg": "connected"}]
        assert client.ask(AUTH) == [{"T": "success", "msg": "authenticated"}]
        yield client


def _error(answer: Any) -> int:
    assert answer[0]["T"] == "error"
    return int(answer[0]["code"])


def test_a_client_subscribes_hears_and_unsubscribes(server):
    with known(server, "/v2/sip") as client:
        state = client.ask({"action": "subscribe", "bars": ["SPY"], "trades": ["*"]})[0]
        assert (state["T"], state["bars"], state["trades"], state["quotes"]) == ("subscription", ["SPY"], ["*"], [])
        assert state["corrections"] == ["*"]
        server.move(steps=1)
        assert [(each["T"], each["S"]) for each in client.hear()] == [("t", "SPY"), ("b", "SPY")]
        state = client.ask({"action": "unsubscribe", "bars": ["SPY"], "trades": ["*"]})[0]
        assert state["trades"] == state["bars"] == []
        server.move(steps=1)
        assert client.hears_nothing()


def test_messages_are_shaped_as_alpacas(server):
    with known(server, "/v2/iex") as client:
        client.ask({"action": "subscribe", "bars": ["SPY"], "trades": ["SPY"], "quotes": ["SPY"]})
        server.move(steps=1)
        trade, shown, minute = client.hear()
        at = "2024-03-04T14:32:00Z"
        assert trade == {
            "T": "t",
            "S": "SPY",
            "i": trade["i"],
            "x": "V",
            "p": 101,
            "s": 1000,
            "c": ["@"],
            "z": "C",
            "t": at,
        }
        assert shown == {
            "T": "q", "S": "SPY", "bx": "V", "bp": 101, "bs": 100, "ax": "V", "ap": 102, "as": 100, "c": ["R"], "z": "C", "t": at,
        }  # fmt: skip
        assert minute == {
            "T": "b", "S": "SPY", "o": 100, "h": 101.5, "l": 99.5, "c": 101, "v": 1000, "n": 1, "vw": minute["vw"],
            "t": "2024-03-04T14:31:00Z",
        }  # fmt: skip


def test_pairs_and_their_books(server):
    with known(server, "/v1beta3/crypto/us") as client:
        client.ask({"action": "subscribe", "orderbooks": ["BTC/USD"], "bars": ["BTC/USD"]})
        server.move(steps=1)
        book, minute = client.hear()
        assert book == {
            "T": "o",
            "S": "BTC/USD",
            "t": book["t"],
            "b": [{"p": 201, "s": 100}],
            "a": [{"p": 202, "s": 100}],
            "r": True,
        }
        assert (minute["T"], minute["S"], minute["v"]) == ("b", "BTC/USD", 1000)


@pytest.mark.parametrize("path", ["/v1beta1/indicative", "/v1beta1/opra"])
def test_contracts_are_told_in_messagepack_only(server, path):
    with talk(server, path) as client:
        client.hear()
        assert _error(client.hear()) == 412
        assert client.ends()
    with known(server, path, packed=True) as client:
        client.ask({"action": "subscribe", "quotes": [CALL], "trades": ["*"]})
        server.move(steps=1)
        trade, shown = client.hear()
        assert (trade["T"], trade["S"], trade["p"]) == ("t", CALL, 2)
        assert (shown["T"], shown["ap"], shown["t"]) == ("q", 2, OPEN + 2 * MINUTE)


def test_the_test_stream_knows_fakepaca(server):
    with known(server, "/v2/test") as client:
        assert client.ask({"action": "subscribe", "bars": ["FAKEPACA"]})[0]["bars"] == ["FAKEPACA"]
        server.move(steps=1)
        assert [each["S"] for each in client.hear()] == ["FAKEPACA"]


def test_the_delayed_stream_is_a_quarter_of_an_hour_late(server):
    with known(server, "/v2/delayed_sip") as client:
        client.ask({"action": "subscribe", "bars": ["SPY"]})
        server.move(seconds=15 * 60)
        assert [each["t"] for each in client.hear()] == ["2024-03-04T14:30:00Z"]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"action": "auth", "key": KEY, "secret": "x"}, 402),
        ({"action": "auth", "key": 7, "secret": None}, 402),
        ({"action": "subscribe", "bars": ["SPY"]}, 401),
        ({"action": "dance"}, 400),
        ([1, 2], 400),
        ("text", 400),
    ],
)
def test_who_is_not_authenticated_is_told_so(still, message, code):
    with talk(still, "/v2/iex") as client:
        client.hear()
        assert _error(client.ask(message)) == code
        assert code != 402 or client.ends()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (AUTH, 403),
        ({"action": "subscribe", "bars": "SPY"}, 400),
        ({"action": "subscribe", "bars": [7]}, 400),
        ({"action": "subscribe", "bars": ["not a symbol"]}, 400),
        ({"action": "subscribe", "bars": ["BTC/USD"]}, 400),
        ({"action": "subscribe", "orderbooks": ["SPY"]}, 410),
        (
            {
                "action": "subscribe",
                "bars": [f"{a}{b}{c}" for a in "ABCDEFGHIJK" for b in "ABCDEFGHIJ" for c in "ABCDEFGHIJ"],
            },
            405,
        ),
        ({"action": ["subscribe"]}, 400),
        ({}, 400),
    ],
)
def test_what_cannot_be_subscribed_to_is_refused_and_changes_nothing(still, message, code):
    with known(still, "/v2/iex") as client:
        client.ask({"action": "subscribe", "quotes": ["SPY"]})
        assert _error(client.ask(message)) == code
        state = client.ask({"action": "subscribe"})[0]
        assert (state["quotes"], state["bars"]) == (["SPY"], [])


def test_frames_that_cannot_be_read_are_invalid_syntax_and_json_in_binary_is_read(still):
    with known(still, "/v2/iex") as client:
        for frame in ("{", "", b"\xc1", b"\x81\xa1", "[" * 50_000, '{"action": NaN}'):
            client.socket.send(frame)
            assert _error(client.hear()) == 400
        client.socket.send(json.dumps({"action": "subscribe", "bars": ["SPY"]}).encode())
        assert client.hear()[0]["bars"] == ["SPY"]


def test_keys_may_come_in_the_headers(still):
    with talk(still, "/v2/iex", keys=(KEY, SECRET)) as client:
        assert [client.hear()[0]["msg"] for _ in range(2)] == ["connected", "authenticated"]
    with talk(still, "/v2/iex", keys=(KEY, "wrong")) as client:
        client.hear()
        assert _error(client.hear()) == 402
        assert client.ends()


def test_one_client_that_vanishes_does_not_disturb_the_others(server):
    with ExitStack() as stack:
        clients = [stack.enter_context(known(server, "/v2/iex")) for _ in range(5)]
        for client in clients:
            client.ask({"action": "subscribe", "bars": ["SPY"]})
        raw = clients[0].socket.socket
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        raw.shutdown(sockets.SHUT_RDWR)
        clients[1].socket.close()
        server.move(steps=3)
        for client in clients[2:]:
            heard: list[Any] = []
            while len(heard) < 3:
                heard += client.hear()
            assert [each["c"] for each in heard] == [101, 102, 103]


def test_a_path_that_is_no_stream_is_refused(still):
    with pytest.raises(Exception, match="HTTP 403"), talk(still, "/v1beta1/news"):
        pass


def test_orders_are_told_to_those_who_listen(server):
    with talk(server, "/stream") as client:
        answer = client.ask({"action": "authenticate", "data": {"key_id": KEY, "secret_key": SECRET}})
        assert answer == {"stream": "authorization", "data": {"status": "authorized", "action": "authenticate"}}
        listening = client.ask({"action": "listen", "data": {"streams": ["trade_updates", "account_updates"]}})
        assert listening == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        order = {"symbol": "SPY", "qty": "2", "side": "buy", "type": "market", "time_in_force": "day"}
        made = server.http.post("/v2/orders", json=order).json()
        told = [client.hear() for _ in range(2)]
        assert [each["data"]["event"] for each in told] == ["new", "fill"]
        fill = told[1]["data"]
        assert (fill["qty"], fill["position_qty"], fill["price"]) == ("2", "2", "101")
        assert fill["order"] == server.http.get(f"/v2/orders/{made['id']}").json()
        activity = server.http.get("/v2/account/activities/FILL").json()[0]
        assert activity["id"].endswith(fill["execution_id"])
        client.ask({"action": "listen", "data": {"streams": []}})
        server.http.post("/v2/orders", json=order)
        assert client.hears_nothing()


def test_orders_are_told_in_messagepack_too(server):
    with talk(server, "/stream", packed=True) as client:
        assert client.ask(AUTH)["data"]["status"] == "authorized"
        assert client.ask({"action": "listen", "data": {"streams": ["trade_updates"]}})["stream"] == "listening"
        order = {
            "symbol": "SPY",
            "qty": "2",
            "side": "buy",
            "type": "limit",
            "limit_price": "1",
            "time_in_force": "day",
        }
        server.http.post("/v2/orders", json=order)
        assert client.hear()["data"]["event"] == "new"


@pytest.mark.parametrize(
    "message",
    [
        {"action": "authenticate", "data": {"key_id": KEY, "secret_key": "x"}},
        {"action": "authenticate", "data": "x"},
        {"action": "listen", "data": {"streams": ["trade_updates"]}},
        {"action": 7},
        "text",
    ],
)
def test_who_may_not_hear_of_orders_is_told_so_and_let_go(still, message):
    with talk(still, "/stream") as client:
        assert client.ask(message)["data"]["status"] == "unauthorized"
        assert client.ends()


def test_a_stream_that_cannot_be_listened_to_is_invalid_syntax(still):
    with talk(still, "/stream", keys=(KEY, SECRET)) as client:
        wrong: tuple[Any, ...] = (None, {"streams": "trade_updates"}, {"streams": [1]}, [])
        for data in wrong:
            assert client.ask({"action": "listen", "data": data})["data"]["code"] == 400
        assert client.ask({"action": "dance"})["data"]["code"] == 400
        assert client.ask({"action": "listen", "data": {"streams": ["trade_updates"]}})["stream"] == "listening"


def test_the_server_stops_while_clients_are_connected(server):
    begun = time.monotonic()
    with known(server, "/v2/iex") as client:
        client.ask({"action": "subscribe", "bars": ["*"]})
        assert time.monotonic() - begun < WAIT
