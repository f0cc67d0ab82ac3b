"""The way to Alpaca: once, in time, within the budget, exactly, and without a key in any reason."""

from __future__ import annotations

import gzip
import json
import math
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from hydra.adapters.alpaca.access import Denied, ask, clients_of
from hydra.adapters.alpaca.budget import Budget, Urgency
from hydra.model.errors import OverBudget, Unreachable
from tests.adapters.alpaca.scripted import (
    HTML,
    KEY,
    SECRET,
    Dripping,
    Dropped,
    Rig,
    Said,
    Silent,
    access_to,
    refusing_url,
    rig,
)

CALLS: dict[str, Callable[[Rig], Any]] = {
    "GET": lambda at: at.clients.trading.get("/account"),
    "POST": lambda at: at.clients.trading.post("/orders", {"qty": "1"}),
    "DELETE": lambda at: at.clients.trading.delete("/orders/1"),
}


def reason(at: Rig, method: str = "GET") -> str:
    """Why a call was not answered."""
    with pytest.raises(Unreachable) as caught:
        ask("the question", lambda: CALLS[method](at))
    assert str(caught.value)
    return str(caught.value)


def test_each_client_asks_its_own_published_path_under_the_one_url() -> None:
    with rig(Said(body={})) as at:
        clients = at.clients
        for what, call in (
            ("account", lambda: clients.trading.get("/account")),
            ("shares", lambda: clients.stocks.get("/stocks/quotes/latest")),
            ("pairs", lambda: clients.crypto.get("/crypto/us/latest/quotes")),
            ("contracts", lambda: clients.options.get("/options/snapshots/SPY")),
            ("splits", lambda: clients.stocks.get("/corporate-actions", api_version="v1")),
        ):
            ask(what, call)
        assert [each.path for each in at.scripted.asked] == [
            "/v2/account",
            "/v2/stocks/quotes/latest",
            "/v1beta3/crypto/us/latest/quotes",
            "/v1beta1/options/snapshots/SPY",
            "/v1/corporate-actions",
        ]
        assert {each.headers["APCA-API-KEY-ID"] for each in at.scripted.asked} == {KEY}


def test_a_slash_behind_the_url_does_no_harm() -> None:
    with rig(Said(body={})) as at:
        clients = clients_of(access_to(f"{at.url}/"), at.budget)
        ask("account", lambda: clients.trading.get("/account"))
        assert at.scripted.asked[0].path == "/v2/account"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", sorted(CALLS))
def test_nothing_is_asked_a_second_time(method: str, status: int) -> None:
    with rig(Said(status, {"message": "later"})) as at:
        begun = time.monotonic()
        assert str(status) in reason(at, method)
        assert len(at.scripted.asked) == 1
        assert time.monotonic() - begun < 2, "alpaca-py would have waited for 3 seconds"


@pytest.mark.parametrize("method", sorted(CALLS))
def test_a_dropped_socket_is_asked_once_and_is_no_answer(method: str) -> None:
    with rig(Dropped()) as at:
        reason(at, method)
        assert len(at.scripted.asked) == 1


@pytest.mark.parametrize("method", sorted(CALLS))
def test_a_silent_server_is_not_waited_for(method: str) -> None:
    with rig(Silent(), seconds=0.2) as at:
        begun = time.monotonic()
        assert "ReadTimeout" in reason(at, method)
        assert time.monotonic() - begun < 2
        assert len(at.scripted.asked) == 1


def test_a_body_that_only_drips_has_an_end() -> None:
    with rig(Dripping(), seconds=0.3) as at:
        begun = time.monotonic()
        assert "not whole after 0.3 s" in reason(at)
        assert time.monotonic() - begun < 2


def test_a_body_that_breaks_off_is_no_answer() -> None:
    with rig(Dropped(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"cash": "1')) as at:
        reason(at)


ROWS = [{"t": number, "p": Decimal("0.1")} for number in range(20_000)]
PACKED = gzip.compress(json.dumps([{"t": number, "p": 0.1} for number in range(20_000)]).encode())


def in_chunks(content: bytes, size: int = 1000) -> bytes:
    """A body as it is sent in chunks."""
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


WRAPPED = {
    "whole": b"Content-Length: %d\r\n\r\n%s" % (len(PACKED), PACKED),
    "in chunks": b"Transfer-Encoding: chunked\r\n\r\n" + in_chunks(PACKED),
    "in small chunks": b"Transfer-Encoding: chunked\r\n\r\n" + in_chunks(PACKED, 7),
    "to the end": b"Connection: close\r\n\r\n" + PACKED,
}


@pytest.mark.parametrize("wrapping", sorted(WRAPPED))
def test_a_packed_answer_is_read_whole(wrapping: str) -> None:
    with rig(Dropped(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + WRAPPED[wrapping])) as at:
        assert ask("it", lambda: CALLS["GET"](at)) == ROWS


@pytest.mark.parametrize("wrapping", sorted(WRAPPED))
@pytest.mark.parametrize("missing", [30, 1000])
def test_a_packed_answer_that_breaks_off_is_no_answer(wrapping: str, missing: int) -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n" + WRAPPED[wrapping]
    with rig(Dropped(whole[:-missing])) as at:
        reason(at)


def test_a_body_that_is_not_packed_as_it_says_is_no_answer() -> None:
    with rig(Said(200, b'{"cash": "1"}', {"Content-Encoding": "gzip"})) as at:
        reason(at)


def test_the_switches_that_are_turned_are_those_the_client_reads() -> None:
    from alpaca.trading.client import TradingClient

    plain = vars(TradingClient("PKX", "x"))
    assert {"_session", "_retry", "_retry_codes"} <= set(plain)
    assert plain["_retry"] > 0, "it would ask again by itself"


def test_threads_that_ask_at_once_get_their_own_answers() -> None:
    script = {f"GET /v2/{number}": Said(200, {"number": number}) for number in range(8)}
    wrong: list[object] = []
    with rig(script) as at:

        def asks(number: int) -> None:
            for _ in range(10):
                answer = ask("it", lambda: at.clients.trading.get(f"/{number}"))
                if answer != {"number": number}:
                    wrong.append(answer)

        threads = [threading.Thread(target=asks, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert not any(thread.is_alive() for thread in threads)
        assert (wrong, len(at.scripted.asked)) == ([], 80)


def test_nobody_listening_is_no_answer_and_says_so() -> None:
    clients = clients_of(access_to(refusing_url()), Budget(10, time.monotonic))
    with pytest.raises(Unreachable, match="Connection refused"):
        ask("the account", lambda: clients.trading.get("/account"))


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Said(200, HTML), "no JSON"),
        (Said(200, b""), "without a body"),
        (Said(200, b'{"cash": 1'), "no JSON"),
        (Said(200, b"\xff\xfe\xff"), "no JSON"),
        (Said(200, b"[" * 100_000), "no JSON"),
        (Said(200, b'{"cash": NaN}'), "NaN"),
        (Said(200, b'{"cash": -Infinity}'), "-Infinity"),
        (Said(301, b"", {"Location": "/elsewhere"}), "301"),
        (Said(302, {"cash": "1"}, {"Location": "/elsewhere"}), "302"),
        (Said(307, b"", {"Location": "/elsewhere"}), "307"),
    ],
    ids=["html", "empty", "cut", "bytes", "deep", "nan", "infinity", "301", "302-json", "307"],
)
@pytest.mark.parametrize("method", sorted(CALLS))
def test_what_is_not_published_is_no_answer(method: str, answer: Said, says: str) -> None:
    with rig(answer) as at:
        assert says in reason(at, method)
        assert len(at.scripted.asked) == 1, "no redirect is followed"


def test_a_cancel_is_answered_without_a_body() -> None:
    with rig(Said(204)) as at:
        assert ask("cancel", lambda: at.clients.trading.delete("/orders/1")) is None


@pytest.mark.parametrize("error", [TypeError("x"), AttributeError("x"), KeyError("x"), ValueError("x")], ids=repr)
def test_what_the_client_trips_over_is_no_answer(error: Exception) -> None:
    def trips() -> None:
        raise error

    with pytest.raises(Unreachable, match="not in the venue's language"):
        ask("bars", trips)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422, 429])
def test_a_refusal_in_the_venues_words_is_definite(status: int) -> None:
    with rig(Said(status, {"code": 1, "message": "not like this"})) as at:
        with pytest.raises(Denied, match="not like this") as caught:
            ask("it", lambda: CALLS["POST"](at))
        assert (caught.value.status, caught.value.definite) == (status, True)
        assert caught.value.body["code"] == 1


@pytest.mark.parametrize("status", [408, 409, 425, 500, 502, 503, 504])
def test_what_may_have_been_carried_out_is_not_definite(status: int) -> None:
    with rig(Said(status, {"message": "not like this"})) as at:
        with pytest.raises(Denied) as caught:
            ask("it", lambda: CALLS["POST"](at))
        assert not caught.value.definite


@pytest.mark.parametrize("body", [HTML, b"", b"[]", b'"no"', b"{}", b'{"message": 7}'], ids=repr)
def test_a_refusal_in_other_words_is_not_definite(body: bytes) -> None:
    with rig(Said(403, body)) as at:
        with pytest.raises(Denied) as caught:
            ask("it", lambda: CALLS["POST"](at))
        assert (caught.value.definite, caught.value.message) == (False, "")
        assert "403" in str(caught.value)


def test_numbers_are_exact() -> None:
    body = b'{"a": 0.1, "b": "0.30000000000000004", "c": 12345678901234567890.123456789, "d": 1e-9, "e": 7}'
    with rig(Said(200, body)) as at:
        answer = ask("it", lambda: CALLS["GET"](at))
    assert answer == {
        "a": Decimal("0.1"),
        "b": "0.30000000000000004",
        "c": Decimal("12345678901234567890.123456789"),
        "d": Decimal("1e-9"),
        "e": 7,
    }
    assert not any(isinstance(value, float) for value in answer.values())


def test_a_large_answer_is_read_whole() -> None:
    body = [{"t": number, "p": "0.1"} for number in range(50_000)]
    with rig(Said(200, body)) as at:
        assert ask("it", lambda: CALLS["GET"](at)) == body


def test_one_connection_serves_many_requests() -> None:
    with rig(Said(200, {})) as at:
        for _ in range(5):
            ask("it", lambda: CALLS["GET"](at))
        assert len(at.scripted.peers) == 1


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_a_key_the_server_sends_back_is_in_no_reason(status: int) -> None:
    body = b"<p>%s is not %s</p>" % (KEY.encode(), SECRET.encode())
    with rig(Said(status, body)) as at:
        why = reason(at)
    assert KEY not in why
    assert SECRET not in why
    with rig(Said(403, {"message": f"{KEY} is unknown, {SECRET} too"})) as at:
        assert "*** is unknown, *** too" in reason(at)


def test_a_key_that_cannot_be_sent_is_in_no_reason() -> None:
    from dataclasses import replace

    access = replace(access_to("http://127.0.0.1:1"), key=SecretStr("PKBAD\nKEY"))
    clients = clients_of(access, Budget(10, time.monotonic))
    with pytest.raises(Unreachable) as caught:
        ask("the account", lambda: clients.trading.get("/account"))
    assert "PKBAD" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "PKBAD" not in repr(access)


def test_this_machine_is_reached_without_a_proxy_and_netrc_is_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, refusing_url())
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with rig(Said(200, {})) as at:
        ask("it", lambda: CALLS["GET"](at))
        assert "Authorization" not in at.scripted.asked[0].headers


def test_another_machine_is_reached_through_the_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with rig(Said(200, {"from": "the proxy"})) as at:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, at.url)
        clients = clients_of(access_to("http://venue.test"), at.budget)
        assert ask("it", lambda: clients.trading.get("/account")) == {"from": "the proxy"}


def test_no_cookie_is_kept() -> None:
    with rig(Said(200, {}, {"Set-Cookie": "session=1; Path=/"})) as at:
        for _ in range(2):
            ask("it", lambda: CALLS["GET"](at))
        assert "Cookie" not in at.scripted.asked[1].headers


def test_the_budget_hears_what_the_venue_says_is_left() -> None:
    with rig([Said(200, {}, {"X-RateLimit-Remaining": "3"}), Said(200, {})], per_minute=1000) as at:
        ask("it", lambda: CALLS["GET"](at))
        assert at.budget.left(at.url.removeprefix("http://")) <= 4
        with pytest.raises(OverBudget, match="request budget"):
            ask("it", lambda: CALLS["GET"](at))
        assert len(at.scripted.asked) == 1, "what does not fit does not leave"
        assert ask("it", lambda: CALLS["GET"](at), Urgency.EXIT) == {}


def test_after_a_429_reads_wait_and_exits_do_not() -> None:
    with rig([Said(429, {"message": "too many requests."}), Said(200, {})], per_minute=60) as at:
        reason(at)
        with pytest.raises(OverBudget):
            ask("it", lambda: CALLS["GET"](at))
        assert ask("it", lambda: CALLS["GET"](at), Urgency.EXIT) == {}
        assert len(at.scripted.asked) == 2


def test_the_urgency_of_a_question_ends_with_it() -> None:
    with rig(Said(200, {}), per_minute=10) as at:
        for _ in range(7):
            ask("it", lambda: CALLS["GET"](at), Urgency.EXIT)
        with pytest.raises(OverBudget):
            ask("it", lambda: CALLS["GET"](at))
        with pytest.raises(OverBudget):
            CALLS["GET"](at)


def test_an_answer_that_is_infinite_as_a_float_is_none() -> None:
    with rig(Said(200, b'{"p": 1e400}')) as at:
        found = ask("it", lambda: CALLS["GET"](at))["p"]
    assert math.isinf(float(found))
    assert found == Decimal("1e400")
