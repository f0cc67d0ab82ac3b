"""What cannot be meant is refused at every route in Alpaca's words, and leaves nothing behind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.conformance.books import books_of
from tests.conformance.market import CALL, OTHER_PUT, PUT
from tests.conformance.offered import OFFERED
from tests.conformance.venues import KEYS, InProcess

NOWHERE = "5b5d3d67-06ad-4ffa-af65-a117d0fc5a59"
LIMIT = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "limit", "time_in_force": "day", "limit_price": "70"}
MARKET = {"symbol": "AAPL", "qty": "1", "side": "buy", "type": "market", "time_in_force": "day"}
LEG = {"symbol": PUT, "ratio_qty": "1", "side": "buy", "position_intent": "buy_to_open"}
OTHER_LEG = {"symbol": OTHER_PUT, "ratio_qty": "1", "side": "sell", "position_intent": "sell_to_open"}
SPREAD = {"qty": "1", "type": "limit", "time_in_force": "day", "order_class": "mleg", "limit_price": "2"}
GONE = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """A request that has to fail with one of these statuses."""

    name: str
    method: str
    path: str
    statuses: tuple[int, ...]
    body: Any = None
    content: bytes | None = None
    headers: dict[str, Any] = field(default_factory=lambda: dict(KEYS))
    query: dict[str, Any] = field(default_factory=dict)


def order(name: str, *statuses: int, base: dict[str, Any] = LIMIT, **changes: Any) -> Bad:
    """An order with some fields changed; ``GONE`` takes one out."""
    body = {key: value for key, value in {**base, **changes}.items() if value is not GONE}
    return Bad(name=f"order: {name}", method="POST", path="/v2/orders", statuses=statuses or (422,), body=body)


def number_rows() -> list[Bad]:
    """Every number of an order, with everything that is none."""
    wrong: dict[str, Any] = {
        "negative": "-5",
        "zero": "0",
        "NaN": "NaN",
        "Infinity": "Infinity",
        "1e999": "1e999",
        "word": "ten",
        "list": ["1", "2"],
        "object": {"a": 1},
        "true": True,
        "40 digits": "1" * 40,
        "30 decimals": "0." + "0" * 29 + "1",
    }
    rows = []
    for what, value in wrong.items():
        rows.append(order(f"qty {what}", qty=value))
        rows.append(order(f"notional {what}", base=MARKET, qty=GONE, notional=value))
        rows.append(order(f"limit_price {what}", limit_price=value))
        rows.append(order(f"stop_price {what}", type="stop", limit_price=GONE, stop_price=value))
        rows.append(order(f"trail_price {what}", type="trailing_stop", limit_price=GONE, trail_price=value))
        rows.append(order(f"trail_percent {what}", type="trailing_stop", limit_price=GONE, trail_percent=value))
        rows.append(
            order(
                f"take_profit {what}",
                order_class="bracket",
                take_profit={"limit_price": value},
                stop_loss={"stop_price": "60"},
            )
        )
        rows.append(order(f"stop_loss {what}", order_class="oto", stop_loss={"stop_price": value}))
        rows.append(order(f"ratio {what}", base=SPREAD, legs=[{**LEG, "ratio_qty": value}, OTHER_LEG]))
        rows += [
            Bad(
                name=f"replace: {name} {what}",
                method="PATCH",
                path="/v2/orders/RESTING",
                statuses=(422,),
                body={name: value},
            )
            for name in ("qty", "limit_price", "stop_price", "trail")
        ]
        rows.append(
            Bad(
                name=f"close: qty {what}",
                method="DELETE",
                path="/v2/positions/AAPL",
                statuses=(422,),
                query={"qty": value},
            )
        )
        rows.append(
            Bad(
                name=f"close: percentage {what}",
                method="DELETE",
                path="/v2/positions/AAPL",
                statuses=(422,),
                query={"percentage": value},
            )
        )
    return rows


ORDERS = [
    *number_rows(),
    order("unknown symbol", symbol="NOSUCH"),
    order("symbol of another kind", symbol=7),
    order("no symbol", symbol=GONE),
    order("empty symbol", symbol=""),
    order("symbol of 10,000 letters", symbol="A" * 10_000),
    order("symbol with a null byte", symbol="AA\x00PL"),
    order("unknown contract", symbol="AAPL240315P00000001"),
    order("no side", side=GONE),
    order("unknown side", side="hold"),
    order("no type", type=GONE),
    order("unknown type", type="iceberg"),
    order("no time in force", time_in_force=GONE),
    order("unknown time in force", time_in_force="gtd"),
    order("unknown class", order_class="ladder"),
    order("limit without a price", limit_price=GONE),
    order("market with a price", base=MARKET, limit_price="70"),
    order("stop without a price", type="stop", limit_price=GONE),
    order("trailing stop without a trail", type="trailing_stop", limit_price=GONE),
    order("trailing stop with both trails", type="trailing_stop", limit_price=GONE, trail_price="1", trail_percent="1"),
    order("neither qty nor notional", qty=GONE),
    order("qty and notional", notional="100"),
    order("a third decimal above a dollar", limit_price="70.001"),
    order("duplicate id", client_order_id="resting"),
    order("id of 129 characters", client_order_id="x" * 129),
    order("id that is a number", client_order_id=7),
    order("extended hours that are a word", extended_hours="yes"),
    order("extended hours at market", base=MARKET, extended_hours=True),
    order("more than there is money for", 403, base=MARKET, qty="100000"),
    order("bracket without exits", order_class="bracket"),
    order(
        "bracket upside down",
        order_class="bracket",
        take_profit={"limit_price": "60"},
        stop_loss={"stop_price": "180"},
    ),
    order("exits that are a list", order_class="bracket", take_profit=["180"], stop_loss={"stop_price": "60"}),
    order(
        "oco with nothing held",
        403,
        422,
        symbol=CALL,
        order_class="oco",
        side="sell",
        take_profit={"limit_price": "9"},
        stop_loss={"stop_price": "1"},
    ),
    order("naked call", 403, 422, symbol=CALL, side="sell", limit_price="5"),
    order("half a contract", symbol=CALL, qty="0.5", limit_price="5"),
    order("contract for a notional", symbol=CALL, qty=GONE, notional="500", limit_price="5"),
    order("intent against the side", symbol=CALL, limit_price="5", position_intent="sell_to_close"),
    order("one leg", base=SPREAD, legs=[LEG]),
    order("five legs", base=SPREAD, legs=[LEG, OTHER_LEG, LEG, OTHER_LEG, LEG]),
    order("the same leg twice", base=SPREAD, legs=[LEG, LEG]),
    order("ratios not in lowest terms", base=SPREAD, legs=[{**LEG, "ratio_qty": "2"}, {**OTHER_LEG, "ratio_qty": "2"}]),
    order("legs that are words", base=SPREAD, legs=["a", "b"]),
    order("leg of nothing", base=SPREAD, legs=[LEG, {**OTHER_LEG, "symbol": "NOSUCH"}]),
    order("legs with a symbol", base=SPREAD, symbol="AAPL", legs=[LEG, OTHER_LEG]),
    order(
        "naked legs",
        403,
        422,
        base=SPREAD,
        legs=[{**LEG, "symbol": CALL, "side": "sell", "position_intent": "sell_to_open"}, OTHER_LEG],
    ),
]


def bodies() -> list[Bad]:
    """What is no JSON object, at every route that reads one."""
    wrong = {
        "empty": (b"", (400, 422)),
        "broken": (b'{"symbol": "AAPL"', (400, 422)),
        "a list": (b"[]", (400, 422)),
        "a number": (b"7", (400, 422)),
        "null": (b"null", (400, 422)),
        "NaN": (b'{"qty": NaN}', (400, 422)),
        "not UTF-8": (b'{"symbol": "\xff\xfe"}', (400, 422)),
        "nested 10,000 deep": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, (400, 422)),
        "a number of 4,400 digits": (b'{"qty": ' + b"1" * 4400 + b"}", (400, 422)),
        "too large": (b'{"symbol": "' + b"A" * 1_000_000 + b'"}', (413, 422)),
    }
    return [
        Bad(name=f"{method} {path}: {name}", method=method, path=path, statuses=statuses, content=content)
        for method, path in (
            ("POST", "/v2/orders"),
            ("PATCH", "/v2/orders/RESTING"),
            ("PATCH", "/v2/account/configurations"),
            ("POST", "/sim/clock"),
        )
        for name, (content, statuses) in wrong.items()
    ]


def fetch(name: str, path: str, *statuses: int, method: str = "GET", **query: Any) -> Bad:
    """A request without a body."""
    return Bad(name=f"{path}: {name}", method=method, path=path, statuses=statuses, query=query)


LOOKUPS = [
    fetch("unknown id", f"/v2/orders/{NOWHERE}", 404),
    fetch("no id", "/v2/orders/nonsense", 404, 422),
    fetch("unknown name", "/v2/orders:by_client_order_id", 404, client_order_id="nobody"),
    fetch("no name", "/v2/orders:by_client_order_id", 400, 404, 422),
    fetch("cancel an unknown order", f"/v2/orders/{NOWHERE}", 404, method="DELETE"),
    fetch("cancel a filled order", "/v2/orders/FILLED", 422, method="DELETE"),
    Bad(name="replace an unknown order", method="PATCH", path=f"/v2/orders/{NOWHERE}", statuses=(404,), body={"qty": "2"}),
    Bad(name="replace a filled order", method="PATCH", path="/v2/orders/FILLED", statuses=(422,), body={"qty": "2"}),
    Bad(name="replace nothing", method="PATCH", path="/v2/orders/RESTING", statuses=(422,), body={}),
    Bad(name="replace by a taken name", method="PATCH", path="/v2/orders/RESTING", statuses=(422,), body={"qty": "2", "client_order_id": "filled"}),
    fetch("wrong status", "/v2/orders", 400, 422, status="half"),
    fetch("limit below 1", "/v2/orders", 400, 422, limit="0"),
    fetch("limit above 500", "/v2/orders", 400, 422, limit="501"),
    fetch("time that is none", "/v2/orders", 400, 422, after="yesterday"),
    fetch("wrong direction", "/v2/orders", 400, 422, direction="up"),
    fetch("nothing held", "/v2/positions/MSFT", 404),
    fetch("close nothing", "/v2/positions/MSFT", 404, 422, method="DELETE"),
    fetch("close more than there is", "/v2/positions/AAPL", 403, 422, method="DELETE", qty="11"),
    fetch("close by both", "/v2/positions/AAPL", 422, method="DELETE", qty="1", percentage="10"),
    fetch("close 101 percent", "/v2/positions/AAPL", 422, method="DELETE", percentage="101"),
    fetch("cancel_orders that is a word", "/v2/positions", 400, 422, method="DELETE", cancel_orders="perhaps"),
    fetch("exercise nothing", f"/v2/positions/{CALL}/exercise", 403, 404, 422, method="POST"),
    fetch("exercise shares", "/v2/positions/AAPL/exercise", 403, 404, 422, method="POST"),
    fetch("decline nothing", f"/v2/positions/{CALL}/do-not-exercise", 403, 404, 422, method="POST"),
    fetch("unknown asset", "/v2/assets/NOSUCH", 404),
    fetch("unknown contract", "/v2/options/contracts/AAPL240315P00000001", 404),
    fetch("strike that is none", "/v2/options/contracts", 400, 422, strike_price_gte="NaN"),
    fetch("date that is none", "/v2/options/contracts", 400, 422, expiration_date="2015-13-01"),
    fetch("page that was not given", "/v2/options/contracts", 400, 422, page_token="%%%"),
    fetch("year 0", "/v2/calendar", 400, 422, start="0000-01-01"),
    fetch("backwards", "/v2/calendar", 400, 422, start="2015-12-31", end="2015-12-01"),
    fetch("no such activity", "/v2/account/activities/NONSENSE", 400, 422),
    fetch("page of 0", "/v2/account/activities", 400, 422, page_size="0"),
    fetch("page of 101", "/v2/account/activities", 400, 422, page_size="101"),
    fetch("page that was not given", "/v2/account/activities", 400, 422, page_token="%%%"),
    fetch("period that is none", "/v2/account/portfolio/history", 400, 422, period="ever"),
    fetch("timeframe that is none", "/v2/account/portfolio/history", 400, 422, timeframe="7Min"),
    fetch("no such announcement", f"/v2/corporate_actions/announcements/{NOWHERE}", 404),
    fetch("no times", "/v2/corporate_actions/announcements", 400, 422, ca_types="dividend"),
    fetch("more than 90 days", "/v2/corporate_actions/announcements", 400, 422, ca_types="dividend", since="2014-01-01", until="2015-01-01"),
    Bad(name="configuration of wrong type", method="PATCH", path="/v2/account/configurations", statuses=(422,), body={"suspend_trade": "yes"}),
    Bad(name="margin of 3", method="PATCH", path="/v2/account/configurations", statuses=(422,), body={"max_margin_multiplier": "3"}),
    Bad(name="options level 9", method="PATCH", path="/v2/account/configurations", statuses=(422,), body={"max_options_trading_level": 9}),
    Bad(name="clock backwards", method="POST", path="/sim/clock", statuses=(422,), body={"to": "2024-03-04T14:00:00Z"}),
    Bad(name="clock by NaN", method="POST", path="/sim/clock", statuses=(400, 422), content=b'{"seconds": NaN}'),
    Bad(name="clock by a million steps", method="POST", path="/sim/clock", statuses=(422,), body={"steps": 1_000_000}),
    Bad(name="clock without a word", method="POST", path="/sim/clock", statuses=(422,), body={}),
    fetch("no symbols", "/v2/stocks/bars", 400, timeframe="1Min"),
    fetch("unknown symbol", "/v2/stocks/quotes/latest", 400, 404, symbols="$$$"),
    fetch("no timeframe", "/v2/stocks/bars", 400, symbols="AAPL"),
    fetch("wrong timeframe", "/v2/stocks/bars", 400, symbols="AAPL", timeframe="0Min"),
    fetch("timeframe of 60 minutes", "/v2/stocks/bars", 400, symbols="AAPL", timeframe="60Min"),
    fetch("limit of 0", "/v2/stocks/bars", 400, symbols="AAPL", timeframe="1Min", limit="0"),
    fetch("limit of 10,001", "/v2/stocks/bars", 400, symbols="AAPL", timeframe="1Min", limit="10001"),
    fetch("page that was not given", "/v2/stocks/bars", 400, symbols="AAPL", timeframe="1Min", page_token="%%%"),
    fetch("end before start", "/v2/stocks/quotes", 400, symbols="AAPL", start="2024-03-04T16:00:00Z", end="2024-03-04T15:00:00Z"),
    fetch("start that is none", "/v2/stocks/trades", 400, symbols="AAPL", start="now"),
    fetch("sort that is none", "/v2/stocks/trades", 400, symbols="AAPL", sort="up"),
    fetch("feed that is none", "/v2/stocks/trades/latest", 400, symbols="AAPL", feed="nyse"),
    fetch("no such place", "/v1beta3/crypto/moon/latest/quotes", 400, symbols="BTC/USD"),
    fetch("no such pair", "/v1beta3/crypto/us/latest/quotes", 400, symbols="$$$"),
    fetch("101 contracts", "/v1beta1/options/quotes/latest", 400, symbols=",".join(f"AAPL240315P{n:08}" for n in range(101))),
    fetch("contract that is none", "/v1beta1/options/snapshots", 400, symbols="AAPL"),
    fetch("limit of 1001", "/v1beta1/options/snapshots/AAPL", 400, limit="1001"),
    fetch("no such condition", "/v2/stocks/meta/conditions/rumour", 400, tape="A"),
    fetch("no such tape", "/v2/stocks/meta/conditions/trade", 400, tape="Z"),
]  # fmt: skip


@pytest.fixture
def begun(door: InProcess) -> InProcess:
    """Ten shares held, one order resting."""
    door.good("POST", "/v2/orders", {**MARKET, "qty": "10", "client_order_id": "filled"})
    door.good("POST", "/v2/orders", {**LIMIT, "client_order_id": "resting"})
    return door


def refused(door: InProcess, rows: list[Bad]) -> None:
    """Every row is refused as it has to be, and the books stay as they are."""
    names = {
        name: door.good("GET", "/v2/orders:by_client_order_id", client_order_id=name.lower())["id"]
        for name in ("RESTING", "FILLED")
    }
    before = books_of(door.exchange)
    wrong: list[str] = []
    for row in rows:
        path = row.path
        for name, order_id in names.items():
            path = path.replace(name, order_id)
        try:
            answer = door.ask(row.method, path, row.body, content=row.content, headers=row.headers, **row.query)
        except AssertionError as error:
            wrong.append(f"{row.name}: {error}")
            continue
        if answer.status not in row.statuses:
            wrong.append(f"{row.name}: {answer.status} {answer.content[:200]!r}, expected {row.statuses}")
        if books_of(door.exchange) != before:
            wrong.append(f"{row.name}: the books have changed")
            before = books_of(door.exchange)
    assert not wrong, "\n".join(wrong)


def test_an_order_that_cannot_be_meant_is_refused_and_leaves_nothing(begun: InProcess) -> None:
    refused(begun, ORDERS)


def test_a_body_that_cannot_be_read_is_refused_and_leaves_nothing(begun: InProcess) -> None:
    refused(begun, bodies())


def test_a_question_that_has_no_answer_is_refused_and_leaves_nothing(begun: InProcess) -> None:
    refused(begun, LOOKUPS)


def test_every_offered_route_wants_the_key_and_the_secret(begun: InProcess) -> None:
    wrong: list[dict[str, Any]] = [
        {},
        {**KEYS, "APCA-API-SECRET-KEY": "wrong"},
        {**KEYS, "APCA-API-KEY-ID": b"\xe9"},
        {"APCA-API-KEY-ID": KEYS["APCA-API-KEY-ID"]},
        {"Authorization": "Basic !!!"},
        {"Authorization": "Bearer PKTEST"},
    ]
    rows = [
        Bad(
            name=f"{operation} with {headers}",
            method=operation.method,
            path=operation.template.replace("{", "").replace("}", ""),
            statuses=(401, 403),
            headers=headers,
        )
        for operation in OFFERED
        for headers in wrong
    ]
    refused(begun, rows)


def test_a_method_that_a_path_does_not_know_is_405_and_changes_nothing(begun: InProcess) -> None:
    known = {operation.template: set[str]() for operation in OFFERED}
    for operation in OFFERED:
        known[operation.template].add(operation.method)
    rows = [
        Bad(
            name=f"{method} {path}",
            method=method,
            path=path.replace("{", "").replace("}", ""),
            statuses=(404, 405, 422),
        )
        for path, methods in known.items()
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE")
        if method not in methods
    ]
    refused(begun, rows)
