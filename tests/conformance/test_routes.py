"""Every operation that is offered answers as published, and every one that is not says so."""

from __future__ import annotations

from typing import Any

from tests.adapters.exchange.server import openapi
from tests.conformance.market import DEEP_CALL, LATER_OTHER_PUT, LATER_PUT, OTHER_PUT, PUT
from tests.conformance.offered import NOT_OFFERED, OFFERED, reason
from tests.conformance.venues import InProcess


def test_every_published_operation_that_is_offered_answers_as_published(door: InProcess) -> None:
    """Success at least once for each; ``InProcess`` holds every answer against its document."""
    for walk in (orders, positions, account, assets, share_prices, option_prices, coins):
        walk(door)
    silent = [str(each) for each in OFFERED if not any(status < 300 for status in door.covered.get(str(each), ()))]
    assert silent == []


def test_what_is_not_offered_is_a_path_that_nobody_knows(door: InProcess) -> None:
    for start in NOT_OFFERED:
        left_out = [each for each in openapi.operations() if each.template.startswith(start)]
        assert left_out, f"the documents no longer have {start}"
        for operation in left_out:
            assert reason(operation)
            path = operation.template.replace("{", "").replace("}", "")
            assert door.ask(operation.method, path).status == 404, str(operation)


def orders(door: InProcess) -> None:
    """Placing, looking up, replacing, cancelling."""
    order = {"symbol": "AAPL", "qty": "2", "side": "buy", "type": "limit", "time_in_force": "day", "limit_price": "70"}
    placed = door.good("POST", "/v2/orders", {**order, "client_order_id": "mine"})
    assert placed["status"] == "new"
    by_name = door.good("GET", "/v2/orders:by_client_order_id", client_order_id="mine")
    assert by_name == door.good("GET", f"/v2/orders/{placed['id']}") == placed
    changed = door.good("PATCH", f"/v2/orders/{placed['id']}", {"limit_price": "71", "client_order_id": "mine-too"})
    assert (changed["replaces"], changed["limit_price"]) == (placed["id"], "71")
    assert [each["id"] for each in door.good("GET", "/v2/orders")] == [changed["id"]]
    assert door.good("DELETE", f"/v2/orders/{changed['id']}") is None
    other = door.good("POST", "/v2/orders", order)
    answers = door.good("DELETE", "/v2/orders")
    assert [(each["id"], each["status"]) for each in answers] == [(other["id"], 200)]
    everything = door.good("GET", "/v2/orders", status="all", nested="true", direction="asc")
    assert [each["status"] for each in everything] == ["replaced", "canceled", "canceled"]
    for more in (
        {"order_class": "bracket", "take_profit": {"limit_price": "180"}, "stop_loss": {"stop_price": "60"}},
        {"order_class": "oto", "stop_loss": {"stop_price": "60", "limit_price": "59"}},
    ):
        group = door.good("POST", "/v2/orders", {**order, **more})
        assert [leg["status"] for leg in group["legs"]] == ["held"] * len(group["legs"])
        assert door.good("GET", "/v2/orders", status="open", nested="true", symbols="AAPL")
    door.good("DELETE", "/v2/orders")


def positions(door: InProcess) -> None:
    """Holding shares and contracts, closing them, exercising and declining."""
    market = {"symbol": "AAPL", "qty": "10", "side": "buy", "type": "market", "time_in_force": "day"}
    assert door.good("POST", "/v2/orders", market)["status"] == "filled"
    oco = {
        **market,
        "qty": "1",
        "side": "sell",
        "type": "limit",
        "time_in_force": "gtc",
        "order_class": "oco",
        "take_profit": {"limit_price": "190"},
        "stop_loss": {"stop_price": "50"},
    }
    door.good("POST", "/v2/orders", oco)
    door.good("DELETE", "/v2/orders")
    for symbol in (PUT, DEEP_CALL):
        door.good("POST", "/v2/orders", {**market, "symbol": symbol, "qty": "2"})
    held = door.good("GET", "/v2/positions")
    assert [(each["symbol"], each["qty"]) for each in held] == [("AAPL", "10"), (DEEP_CALL, "2"), (PUT, "2")]
    shares = door.good("GET", "/v2/positions/AAPL")
    assert shares == door.good("GET", f"/v2/positions/{shares['asset_id']}") == held[0]
    assert door.good("DELETE", "/v2/positions/AAPL", qty="4")["qty"] == "4"
    assert door.good("DELETE", "/v2/positions/AAPL", percentage="50")["qty"] == "3"
    door.good("POST", f"/v2/positions/{PUT}/do-not-exercise")
    door.good("POST", f"/v2/positions/{DEEP_CALL}/exercise")
    assert door.good("GET", "/v2/positions/AAPL")["qty"] == "203"
    spread: dict[str, Any] = {"type": "limit", "qty": "1", "time_in_force": "day", "order_class": "mleg"}
    legs = [
        {"symbol": LATER_PUT, "ratio_qty": "1", "side": "buy", "position_intent": "buy_to_open"},
        {"symbol": LATER_OTHER_PUT, "ratio_qty": "1", "side": "sell", "position_intent": "sell_to_open"},
    ]
    several = door.good("POST", "/v2/orders", {**spread, "limit_price": "0.80", "legs": legs})
    assert len(several["legs"]) == 2
    closed = door.good("DELETE", "/v2/positions", cancel_orders="true")
    assert {each["status"] for each in closed} == {200}
    assert door.good("GET", "/v2/positions") == []


def account(door: InProcess) -> None:
    """The account, its configuration, its history."""
    assert door.good("GET", "/v2/account")["status"] == "ACTIVE"
    before = door.good("GET", "/v2/account/configurations")
    assert door.good("PATCH", "/v2/account/configurations", {"no_shorting": True}) == {**before, "no_shorting": True}
    door.good("PATCH", "/v2/account/configurations", {"no_shorting": False})
    fills = door.good("GET", "/v2/account/activities/FILL", direction="asc")
    assert (fills[0]["symbol"], fills[0]["qty"]) == ("AAPL", "10")
    first = door.good("GET", "/v2/account/activities", page_size="2", direction="asc")
    second = door.good("GET", "/v2/account/activities", page_size="2", direction="asc", page_token=first[-1]["id"])
    assert len(first) == len(second) == 2
    assert not {each["id"] for each in first} & {each["id"] for each in second}
    curve = door.good("GET", "/v2/account/portfolio/history", period="1D", timeframe="5Min")
    assert len(curve["timestamp"]) == len(curve["equity"]) == len(curve["profit_loss"])


def assets(door: InProcess) -> None:
    """What can be traded, when, and what happened to it."""
    share = door.good("GET", "/v2/assets/AAPL")
    assert share == door.good("GET", f"/v2/assets/{share['id']}")
    assert share in door.good("GET", "/v2/assets", status="active", asset_class="us_equity")
    page = door.good(
        "GET",
        "/v2/options/contracts",
        underlying_symbols="AAPL",
        limit="3",
        type="put",
        expiration_date_lte="2024-12-31",
    )
    assert len(page["option_contracts"]) == 3
    contract = door.good("GET", f"/v2/options/contracts/{PUT}")
    assert contract == door.good("GET", f"/v2/options/contracts/{contract['id']}")
    assert contract["strike_price"] == "100"
    assert door.good("GET", "/v2/clock")["is_open"]
    short = door.good("GET", "/v2/calendar", start="2024-07-03", end="2024-07-04")
    assert [(day["date"], day["close"]) for day in short] == [("2024-07-03", "13:00")]
    clocks = door.good("GET", "/v3/clock")["clocks"]
    assert {each["is_market_day"] for each in clocks} == {True}
    elsewhere = door.good("GET", "/v3/calendar/NYSE", start="2024-07-03", end="2024-07-04")
    assert [day["date"] for day in elsewhere["calendar"]] == ["2024-07-03"]
    query = {"ca_types": "dividend,split", "since": "2024-02-01", "until": "2024-03-31"}
    announced = door.good("GET", "/v2/corporate_actions/announcements", **query)
    assert [(each["ca_type"], each["initiating_symbol"]) for each in announced] == [
        ("split", "MSFT"),
        ("dividend", "AAPL"),
    ]
    assert door.good("GET", f"/v2/corporate_actions/announcements/{announced[0]['id']}") == announced[0]


def share_prices(door: InProcess) -> None:
    """Latest and past, one symbol and several."""
    past = {"start": "2024-03-04T14:30:00Z", "end": "2024-03-04T14:59:00Z", "limit": "5"}
    for what in ("trades", "quotes", "bars"):
        given = {**past, "timeframe": "1Min"} if what == "bars" else past
        several = door.good("GET", f"/v2/stocks/{what}", symbols="AAPL", **given)
        one = door.good("GET", f"/v2/stocks/AAPL/{what}", **given)
        assert one[what] == several[what]["AAPL"]
        assert len(one[what]) == 5
        more = door.good("GET", f"/v2/stocks/AAPL/{what}", **given, page_token=one["next_page_token"])
        assert more[what][0]["t"] > one[what][-1]["t"]
        latest = door.good("GET", f"/v2/stocks/{what}/latest", symbols="AAPL")
        assert latest[what]["AAPL"] == door.good("GET", f"/v2/stocks/AAPL/{what}/latest")[what.removesuffix("s")]
    shot = door.good("GET", "/v2/stocks/AAPL/snapshot")
    assert shot["minuteBar"]["c"] == 100
    assert "AAPL" in door.good("GET", "/v2/stocks/snapshots", symbols="AAPL")
    door.good("GET", "/v2/stocks/auctions", symbols="AAPL", start=past["start"])
    door.good("GET", "/v2/stocks/AAPL/auctions", start=past["start"])
    door.good("GET", "/v2/stocks/meta/exchanges")
    door.good("GET", "/v2/stocks/meta/conditions/trade", tape="A")
    door.good("GET", "/v1/corporate-actions", symbols="AAPL")


def option_prices(door: InProcess) -> None:
    """Contracts by name, and chains in pages."""
    past = {"start": "2024-03-04T14:30:00Z", "limit": "5"}
    quote = door.good("GET", "/v1beta1/options/quotes/latest", symbols=PUT)["quotes"][PUT]
    assert (quote["bp"], quote["ap"]) == (0.9, 1.1)
    door.good("GET", "/v1beta1/options/trades/latest", symbols=PUT)
    door.good("GET", "/v1beta1/options/trades", symbols=PUT, **past)
    door.good("GET", "/v1beta1/options/bars", symbols=PUT, timeframe="1Min", **past)
    assert PUT in door.good("GET", "/v1beta1/options/snapshots", symbols=f"{PUT},{OTHER_PUT}")["snapshots"]
    seen: list[str] = []
    token = None
    while token is not None or not seen:
        page = door.good("GET", "/v1beta1/options/snapshots/AAPL", limit="3", type="put", page_token=token)
        seen += page["snapshots"]
        token = page["next_page_token"]
    assert len(seen) == len(set(seen)) == 10
    door.good("GET", "/v1beta1/options/meta/exchanges")
    door.good("GET", "/v1beta1/options/meta/conditions/trade")


def coins(door: InProcess) -> None:
    """Pairs."""
    root, pair = "/v1beta3/crypto/us", "BTC/USD"
    past = {"start": "2024-03-04T14:30:00Z", "limit": "5", "symbols": pair}
    for what in ("trades", "quotes", "bars"):
        given = {**past, "timeframe": "1Min"} if what == "bars" else past
        assert len(door.good("GET", f"{root}/{what}", **given)[what][pair]) == 5
        assert pair in door.good("GET", f"{root}/latest/{what}", symbols=pair)[what]
    assert door.good("GET", f"{root}/latest/orderbooks", symbols=pair)["orderbooks"][pair]["b"]
    assert pair in door.good("GET", f"{root}/snapshots", symbols=pair)["snapshots"]
    order = {"symbol": pair, "qty": "0.1", "side": "buy", "type": "market", "time_in_force": "gtc"}
    assert door.good("POST", "/v2/orders", order)["status"] == "filled"
    assert door.good("GET", "/v2/positions/BTCUSD")["qty"] == "0.09975"
    assert door.good("DELETE", "/v2/positions/BTCUSD")["status"] == "filled"


def test_the_legs_of_a_bracket_come_in_the_order_of_the_published_example(door: InProcess) -> None:
    example = openapi.published("trading-api")["components"]["examples"]["BracketOrderResponse"]["value"]
    order = {
        **{name: example[name] for name in ("type", "side", "order_class")},
        "symbol": "AAPL",
        "qty": "1",
        "time_in_force": "day",
        "take_profit": {"limit_price": "180"},
        "stop_loss": {"stop_price": "60"},
    }
    if example["type"] == "limit":
        order["limit_price"] = "70"
    made = door.good("POST", "/v2/orders", order)
    assert [leg["type"] for leg in made["legs"]] == [leg["type"] for leg in example["legs"]]
