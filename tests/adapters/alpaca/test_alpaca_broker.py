"""What the broker makes of every answer: a definite word, or an exception that leaves the outcome unknown."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from hydra.adapters.alpaca.access import Denied
from hydra.adapters.alpaca.broker import AlpacaBroker
from hydra.adapters.alpaca.budget import Urgency
from hydra.model.errors import OverBudget, Refused, Unreachable
from hydra.model.orders import Leg, OrderStatus, OrderType, Purpose, Side
from hydra.model.portfolio import Position
from hydra.ports import AckOutcome, Broker
from tests.adapters.alpaca.rows import ACCOUNT, FILL, ORDER_ID, POSITION, combined, contract, leg, order
from tests.adapters.alpaca.scripted import HTML, JOIN_SECONDS, Answer, Dropped, Rig, Said, Silent, rig
from tests.contracts.broker_contract import buy, sell

CALL, HIGHER = "GOOG160115C00750000", "GOOG160115C00760000"
NAMED = "GET /v2/orders:by_client_order_id"
LISTED = "GET /v2/orders"
ONE = f"GET /v2/orders/{ORDER_ID}"
PLACED = "POST /v2/orders"
CANCELLED = f"DELETE /v2/orders/{ORDER_ID}"
TAKEN = Said(422, {"code": 40010001, "message": "client_order_id must be unique"})
NO_SUCH = Said(404, {"code": 40410000, "message": "order not found for b1"})

NO_ANSWERS: dict[str, Answer] = {
    "408": Said(408, {"message": "timed out"}),
    "409": Said(409, {"message": "in conflict"}),
    "425": Said(425, {"message": "too early"}),
    "500": Said(500, {"code": 50010000, "message": "internal"}),
    "502": Said(502, HTML),
    "503": Said(503, HTML),
    "504": Said(504, HTML),
    "403 of a gateway": Said(403, HTML),
    "302": Said(302, b"", {"Location": "/"}),
    "html": Said(200, HTML),
    "empty": Said(200, b""),
    "list": Said(200, []),
    "null": Said(200, b"null"),
    "nan": Said(200, order(qty="NaN")),
    "bare nan": Said(200, b'{"id": "x", "qty": NaN}'),
    "unknown status": Said(200, order(status="unheard_of")),
    "unknown side": Said(200, order(side="unheard_of")),
    "unknown type": Said(200, order(type="unheard_of")),
    "another id": Said(200, order(client_order_id="b2")),
    "another symbol": Said(200, order(symbol="QQQ")),
    "another side": Said(200, order(side="sell")),
    "another size": Said(200, order(qty="100")),
    "dropped": Dropped(),
    "cut": Dropped(b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"id": '),
    "silent": Silent(),
}


@pytest.mark.parametrize("name", sorted(NO_ANSWERS))
def test_an_order_without_a_definite_answer_is_sent_exactly_once_and_is_unknown(name: str) -> None:
    with rig({"*": NO_ANSWERS[name]}, seconds=0.3) as at:
        with pytest.raises(Unreachable, match=r"b1|/v2/orders|whole"):
            at.broker.submit(buy())
        assert [(each.method, each.path) for each in at.scripted.asked] == [("POST", "/v2/orders")]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 422, 429])
def test_a_refusal_in_the_venues_words_is_a_rejection(status: int) -> None:
    with rig(Said(status, {"code": 1, "message": "insufficient buying power"})) as at:
        ack = at.broker.submit(buy())
        assert ack.outcome is AckOutcome.REJECTED
        assert ack.order is None
        assert ack.reason == f"b1: {status}: insufficient buying power"
        assert len(at.scripted.asked) == 1


def test_an_order_that_is_taken_is_shown_as_it_stands() -> None:
    with rig(Said(200, order(status="pending_new"))) as at:
        ack = at.broker.submit(buy())
        assert ack.outcome is AckOutcome.ACCEPTED
        assert ack.order is not None
        assert (ack.order.venue_id, ack.order.status) == (ORDER_ID, OrderStatus.ACCEPTED)
        (asked,) = at.scripted.asked
        assert asked.body == {
            "client_order_id": "b1",
            "symbol": "SPY",
            "side": "buy",
            "qty": "10",
            "type": "limit",
            "limit_price": "95",
            "time_in_force": "day",
        }


def test_an_id_that_is_taken_is_looked_up_and_the_order_comes_with_the_rejection() -> None:
    with rig({PLACED: TAKEN, NAMED: Said(200, order(status="filled", filled_qty="10"))}) as at:
        ack = at.broker.submit(buy())
        assert ack.outcome is AckOutcome.REJECTED
        assert "b1" in ack.reason
        assert "must be unique" in ack.reason
        assert ack.order is not None
        assert (ack.order.client_id, ack.order.status) == ("b1", OrderStatus.FILLED)
        assert at.scripted.count("POST") == 1


@pytest.mark.parametrize("answer", [NO_SUCH, Said(500, HTML), Said(200, HTML), Dropped()], ids=str)
def test_an_id_that_is_taken_by_an_order_nobody_shows_is_unknown(answer: Answer) -> None:
    with rig({PLACED: TAKEN, NAMED: answer}) as at:
        with pytest.raises(Unreachable):
            at.broker.submit(buy())
        assert at.scripted.count("POST") == 1


def test_what_is_not_fit_never_leaves() -> None:
    with rig({PLACED: Said(500)}) as at:
        ack = at.broker.submit(buy(symbol=CALL, quantity="1.5"))
        assert ack.outcome is AckOutcome.REJECTED
        assert ack.reason == "not sent: b1: contracts are traded whole, got 1.5"
        assert at.scripted.asked == []


def test_the_last_requests_of_a_minute_are_for_exits() -> None:
    script: dict[str, Answer | list[Answer]] = {
        "GET /v2/account": Said(200, ACCOUNT),
        PLACED: [
            Said(200, order()),
            Said(200, order(client_order_id="b2")),
            Said(200, order(client_order_id="b3")),
            Said(200, order(client_order_id="s1", side="sell", limit_price="105")),
        ],
        CANCELLED: Said(204),
        ONE: Said(200, order(status="canceled")),
    }
    with rig(script, per_minute=20) as at:
        for _ in range(14):
            at.broker.account()
        with pytest.raises(OverBudget):
            at.broker.account()
        for client_id in ("b1", "b2", "b3"):
            assert at.broker.submit(buy(client_id)).outcome is AckOutcome.ACCEPTED
        refused = at.broker.submit(buy("b9"))
        assert refused.outcome is AckOutcome.REJECTED
        assert "not sent: b9: request budget" in refused.reason
        assert len(at.scripted.asked) == 17
        assert at.broker.cancel(ORDER_ID).outcome is AckOutcome.ACCEPTED
        assert len(at.scripted.asked) == 19
        at.broker.submit(sell())
        assert "not sent" in at.broker.submit(sell("s2")).reason
        assert "not sent" in at.broker.cancel(ORDER_ID).reason
        assert len(at.scripted.asked) == 20


@pytest.mark.parametrize(
    ("status", "meant"), [("pending_cancel", OrderStatus.PENDING_CANCEL), ("canceled", OrderStatus.CANCELED)]
)
def test_a_cancel_says_how_the_order_stands(status: str, meant: OrderStatus) -> None:
    with rig({CANCELLED: Said(204), ONE: Said(200, order(status=status))}) as at:
        ack = at.broker.cancel(ORDER_ID)
        assert ack.outcome is AckOutcome.ACCEPTED
        assert ack.order is not None
        assert ack.order.status is meant


def test_an_order_that_cannot_be_cancelled_comes_with_the_rejection() -> None:
    said = Said(422, {"code": 42210000, "message": 'order is already in "filled" state'})
    with rig({CANCELLED: said, ONE: Said(200, order(status="filled", filled_qty="10"))}) as at:
        ack = at.broker.cancel(ORDER_ID)
        assert ack.outcome is AckOutcome.REJECTED
        assert "already" in ack.reason
        assert ack.order is not None
        assert ack.order.status is OrderStatus.FILLED


def test_an_order_that_never_was_cannot_be_cancelled() -> None:
    with rig({CANCELLED: NO_SUCH, ONE: NO_SUCH}) as at:
        ack = at.broker.cancel(ORDER_ID)
        assert (ack.outcome, ack.order) == (AckOutcome.REJECTED, None)
        assert "order not found" in ack.reason


CANCEL_NO_ANSWERS = {
    name: answer
    for name, answer in NO_ANSWERS.items()
    if not (isinstance(answer, Said) and isinstance(answer.body, dict))
}


@pytest.mark.parametrize("name", sorted(CANCEL_NO_ANSWERS.keys() - {"list", "null"}))
def test_a_cancel_without_an_answer_is_asked_once_and_is_unknown(name: str) -> None:
    with rig({CANCELLED: NO_ANSWERS[name], ONE: Said(200, order())}, seconds=0.3) as at:
        with pytest.raises(Unreachable):
            at.broker.cancel(ORDER_ID)
        assert len(at.scripted.asked) == 1


@pytest.mark.parametrize("name", ["504", "html", "empty", "unknown status", "dropped", "500"])
def test_a_cancelled_order_that_is_not_shown_is_unknown(name: str) -> None:
    with rig({CANCELLED: Said(204), ONE: NO_ANSWERS[name]}) as at:
        with pytest.raises(Unreachable):
            at.broker.cancel(ORDER_ID)
        assert at.scripted.count("DELETE") == 1


def test_an_id_of_any_kind_stays_within_its_path() -> None:
    with rig(Said(422, {"message": "order id must be a UUID"})) as at:
        assert at.broker.cancel("../account?x=1").outcome is AckOutcome.REJECTED
        assert {each.path for each in at.scripted.asked} == {"/v2/orders/..%2Faccount%3Fx%3D1"}


def test_no_such_order_is_none() -> None:
    with rig(NO_SUCH) as at:
        assert at.broker.order("b1") is None


@pytest.mark.parametrize(
    "answer",
    [
        Said(404, HTML),
        Said(404, b""),
        Said(422, {"message": "no"}),
        Said(401, {"message": "who?"}),
        Said(429, {"message": "too many"}),
        Said(500, {"message": "x"}),
        Said(504, HTML),
        Said(200, HTML),
        Said(200, b""),
        Said(200, b"null"),
        Said(200, order(client_order_id="b2")),
        Dropped(),
    ],
    ids=str,
)
def test_anything_but_the_venues_no_such_order_is_no_answer(answer: Answer) -> None:
    with rig(answer) as at:
        with pytest.raises(Unreachable):
            at.broker.order("b1")
        assert len(at.scripted.asked) == 1


READS: dict[str, Callable[[Broker], Any]] = {
    "account": lambda broker: broker.account(),
    "activities": lambda broker: broker.activities(""),
    "fills": lambda broker: broker.fills(""),
    "identity": lambda broker: broker.identity(),
    "instruments": lambda broker: broker.instruments(["SPY"]),
    "now": lambda broker: broker.now(),
    "open_orders": lambda broker: broker.open_orders(),
    "positions": lambda broker: broker.positions(),
}


@pytest.mark.parametrize(
    "name",
    [name for name in sorted(NO_ANSWERS) if not {"another", "unknown", "nan"} & {*name.split()} or name == "bare nan"],
)
@pytest.mark.parametrize("read", sorted(READS))
def test_a_read_without_an_answer_is_asked_once_and_raises(read: str, name: str) -> None:
    answer = NO_ANSWERS[name]
    if name == "list":
        answer = Said(200, [[]])
    with rig(answer, seconds=0.1) as at:
        with pytest.raises(Unreachable):
            READS[read](at.broker)
        assert at.scripted.reached.wait(JOIN_SECONDS)  # on a busy machine the client may have given up before
        assert len(at.scripted.asked) == 1


def test_the_account_is_told_in_exact_money() -> None:
    with rig(Said(200, ACCOUNT)) as at:
        account = at.broker.account()
    assert (account.account_id, account.status, account.blocked) == ("010203ABCD", "ACTIVE", False)
    assert (account.cash, account.equity) == (Decimal("-23140.2"), Decimal("103820.56"))
    assert account.buying_power == Decimal("262113.632")


@pytest.mark.parametrize("bar", ["account_blocked", "trading_blocked", "trade_suspended_by_user"])
def test_an_account_is_blocked_by_any_of_three_bars(bar: str) -> None:
    with rig(Said(200, {**ACCOUNT, bar: True})) as at:
        assert at.broker.account().blocked


@pytest.mark.parametrize("name", ["cash", "equity", "buying_power"])
@pytest.mark.parametrize("value", ["NaN", "Infinity", None, "", "much", [], True], ids=repr)
def test_money_that_is_no_number_is_no_answer(name: str, value: Any) -> None:
    with rig(Said(200, {**ACCOUNT, name: value})) as at, pytest.raises(Unreachable, match=name):
        at.broker.account()


@pytest.mark.parametrize(
    "changes",
    [
        {"account_blocked": None},
        {"trading_blocked": "no"},
        {"currency": "EUR"},
        {"status": None},
        {"account_number": None, "id": None},
    ],
    ids=str,
)
def test_an_account_that_does_not_say_what_it_must_is_no_answer(changes: dict[str, Any]) -> None:
    with rig(Said(200, {**ACCOUNT, **changes})) as at, pytest.raises(Unreachable, match="account"):
        at.broker.account()


def test_the_identity_is_asked_once() -> None:
    with rig([Said(200, {**ACCOUNT, "account_number": None}), Said(500)]) as at:
        first = at.broker.identity()
        assert at.broker.identity() == first
        assert (first.name, first.url, first.mode) == ("alpaca", at.url, "sim")
        assert first.account_id == ACCOUNT["id"], "its id, where it has no number"


@pytest.mark.parametrize(
    ("changes", "meant"),
    [
        ({}, ("AAPL", "5")),
        ({"qty": "-5", "side": "short"}, ("AAPL", "-5")),
        ({"qty": "5", "side": "short"}, ("AAPL", "-5")),
        ({"symbol": "BTCUSD", "asset_class": "crypto", "qty": "0.09975"}, ("BTC-USD", "0.09975")),
        ({"symbol": CALL, "asset_class": "us_option"}, (CALL, "5")),
    ],
    ids=str,
)
def test_positions_have_their_sign_and_their_name_here(changes: dict[str, Any], meant: tuple[str, str]) -> None:
    with rig(Said(200, [{**POSITION, **changes}])) as at:
        held = Position(symbol=meant[0], quantity=Decimal(meant[1]), average_price=Decimal(100))
        assert at.broker.positions() == (held,)


@pytest.mark.parametrize(
    "changes",
    [
        {"qty": "NaN"},
        {"qty": None},
        {"side": "unheard_of"},
        {"asset_class": "unheard_of"},
        {"symbol": "912797XX0"},
        {"avg_entry_price": "0"},
        {"avg_entry_price": "NaN"},
    ],
    ids=str,
)
def test_a_position_that_is_not_understood_is_never_left_out(changes: dict[str, Any]) -> None:
    with rig(Said(200, [POSITION, {**POSITION, **changes}])) as at, pytest.raises(Unreachable, match="position"):
        at.broker.positions()


def test_the_venues_clock_is_read_to_the_microsecond_in_utc() -> None:
    with rig(Said(200, {"timestamp": "2024-03-04T09:31:00.123456789-05:00", "is_open": True})) as at:
        assert at.broker.now().isoformat() == "2024-03-04T14:31:00.123456+00:00"


ENTRY = order(order_class="bracket", type="market", limit_price=None)
TARGET = leg(1, type="limit", limit_price="104")
STOP = leg(2, type="stop", limit_price=None, stop_price="98", status="held")


def test_exits_that_wait_for_their_entry_do_not_work_and_are_not_shown() -> None:
    waiting = [ENTRY, {**TARGET, "status": "held"}, STOP]
    nested = [{**ENTRY, "legs": waiting[1:]}]
    with rig({LISTED: [Said(200, waiting), Said(200, nested), Said(200, waiting)]}) as at:
        assert [each.client_id for each in at.broker.open_orders()] == ["b1"]
        assert [each.client_id for each in at.broker.open_orders()] == ["b1"]
        assert len(at.scripted.asked) == 3, "whose a leg is was asked once"
        assert at.scripted.asked[1].query["nested"] == "true"
        assert at.scripted.asked[1].query["symbols"] == "SPY"


def test_a_held_stop_beside_a_working_target_works() -> None:
    nested = [{**ENTRY, "status": "filled", "filled_qty": "10", "legs": [TARGET, STOP]}]
    with rig({LISTED: [Said(200, [TARGET, STOP]), Said(200, nested)]}) as at:
        target, stop = at.broker.open_orders()
    assert (target.parent, stop.parent) == ("b1", "b1")
    assert (stop.status, stop.stop, stop.order_type) == (OrderStatus.ACCEPTED, Decimal(98), OrderType.STOP)


def test_the_legs_of_an_order_that_was_just_sent_are_known() -> None:
    entry = {**ENTRY, "legs": [TARGET, STOP]}
    with rig({PLACED: Said(200, entry), LISTED: Said(200, [TARGET, STOP])}) as at:
        at.broker.submit(buy(limit=None))
        assert {each.parent for each in at.broker.open_orders()} == {"b1"}
        assert len(at.scripted.asked) == 2


def test_two_exits_of_a_person_both_work() -> None:
    first = order(order_class="oco", type="limit", side="sell", limit_price="104", client_order_id="by hand")
    second = leg(3, order_class="oco", type="stop", limit_price=None, stop_price="98", status="held")
    with rig({LISTED: [Said(200, [first, second]), Said(200, [{**first, "legs": [second]}])]}) as at:
        assert [(each.client_id, each.parent) for each in at.broker.open_orders()] == [
            ("by hand", ""),
            ("leg-3", "by hand"),
        ]


def test_a_leg_whose_entry_nobody_shows_is_an_order_of_its_own() -> None:
    with rig({LISTED: [Said(200, [TARGET]), Said(200, []), Said(200, [TARGET])]}) as at:
        assert [each.parent for each in at.broker.open_orders()] == [""]
        assert [each.parent for each in at.broker.open_orders()] == [""]
        assert len(at.scripted.asked) == 3


def test_the_entry_of_a_leg_is_looked_for_on_every_page() -> None:
    many = [leg(number, order_class="simple") for number in range(100, 600)]
    pages = [Said(200, [STOP]), Said(200, many), Said(200, [{**ENTRY, "legs": [TARGET, STOP]}])]
    with rig({LISTED: pages}) as at:
        assert [each.parent for each in at.broker.open_orders()] == ["b1"]
        assert at.scripted.asked[2].query["before_order_id"] == many[-1]["id"]


def test_every_page_of_open_orders_is_read() -> None:
    many = [leg(number, order_class="simple") for number in range(1200)]
    with rig({LISTED: [Said(200, many[:500]), Said(200, many[500:1000]), Said(200, many[1000:])]}) as at:
        assert len(at.broker.open_orders()) == 1200
        assert [each.query.get("after_order_id") for each in at.scripted.asked] == [
            None,
            many[499]["id"],
            many[999]["id"],
        ]


def test_pages_that_do_not_go_on_are_no_answer() -> None:
    many = [leg(number, order_class="simple") for number in range(500)]
    with rig({LISTED: Said(200, many)}) as at:
        with pytest.raises(Unreachable, match="do not go on"):
            at.broker.open_orders()
        assert len(at.scripted.asked) == 2


def test_orders_that_a_person_has_placed_are_shown() -> None:
    sized = order(id="d" * 36, client_order_id="by hand", qty=None, notional="1000", type="market", limit_price=None)
    trailing = order(id="e" * 36, client_order_id="trails", type="trailing_stop", limit_price=None, stop_price="90")
    with rig({LISTED: Said(200, [sized, trailing])}) as at:
        assert [each.client_id for each in at.broker.open_orders()] == ["by hand", "trails"]


SPREAD = combined(contract(1, CALL, side="buy"), contract(2, HIGHER), limit_price="-5.60")


@pytest.mark.parametrize("flat", [False, True], ids=["with its contracts", "without"])
def test_an_order_in_several_contracts_is_one_order(flat: bool) -> None:
    listed = [{**SPREAD, "legs": None}, *SPREAD["legs"]] if flat else [SPREAD]
    with rig({LISTED: Said(200, listed), ONE: Said(200, SPREAD)}) as at:
        (told,) = at.broker.open_orders()
    assert (told.client_id, told.symbol, told.side, told.limit) == ("b1", "GOOG", Side.SELL, Decimal("5.60"))


def test_a_contract_of_an_order_that_is_not_listed_is_not_understood() -> None:
    with (
        rig({LISTED: [Said(200, [SPREAD["legs"][0]]), Said(200, [])]}) as at,
        pytest.raises(Unreachable, match="several"),
    ):
        at.broker.open_orders()


def test_one_order_that_is_not_understood_is_never_left_out() -> None:
    listed = Said(200, [order(), order(id="f" * 36, status="unheard_of")])
    with rig({LISTED: listed}) as at, pytest.raises(Unreachable, match="f" * 36):
        at.broker.open_orders()


def test_an_execution_of_an_unknown_order_is_named_by_asking_once() -> None:
    fills = [{**FILL, "id": f"2022020213550998{number}::x"} for number in range(3)]
    with rig({"GET /v2/account/activities/FILL": Said(200, fills), ONE: Said(200, order(status="filled"))}) as at:
        assert {each.client_id for each in at.broker.fills("").fills} == {"b1"}
        assert len(at.scripted.asked) == 2


LEG_FILLS = [
    {**FILL, "id": f"2022020213550998{n}::x", "symbol": part["symbol"], "order_id": part["id"]}
    for n, part in enumerate(SPREAD["legs"])
]
LEG = "GET /v2/orders/" + SPREAD["legs"][0]["id"]
WISH = buy(
    symbol="GOOG",
    side=Side.SELL,
    quantity="1",
    limit="5.60",
    legs=(
        Leg(symbol=CALL, side=Side.BUY, ratio=1, opens=True),
        Leg(symbol=HIGHER, side=Side.SELL, ratio=1, opens=True),
    ),
)


def test_executions_of_contracts_are_told_under_the_order_they_belong_to() -> None:
    script = {PLACED: Said(200, SPREAD), "GET /v2/account/activities/FILL": Said(200, LEG_FILLS)}
    with rig(script) as at:
        at.broker.submit(WISH)
        told = [(each.client_id, each.venue_id, each.symbol) for each in at.broker.fills("").fills]
        assert told == [("b1", ORDER_ID, CALL), ("b1", ORDER_ID, HIGHER)]
        assert len(at.scripted.asked) == 2


def test_the_order_of_a_contract_that_was_never_seen_is_found_once() -> None:
    script = {
        "GET /v2/account/activities/FILL": Said(200, LEG_FILLS),
        LEG: Said(200, SPREAD["legs"][0]),
        LISTED: Said(200, [order(id="c" * 36), SPREAD]),
    }
    with rig(script) as at:
        assert {(each.client_id, each.venue_id) for each in at.broker.fills("").fills} == {("b1", ORDER_ID)}
        asked = [(each.method, each.path) for each in at.scripted.asked]
        assert asked.count(("GET", "/v2/orders")) == 1
        assert asked.count(("GET", LEG.removeprefix("GET "))) <= 2


def _garbled(*, beneath: bool) -> dict[str, Any]:
    """An order in several contracts whose class, or that of one contract, is a word that nobody has published."""
    if not beneath:
        return {**SPREAD, "order_class": "unheard_of"}
    first, second = SPREAD["legs"]
    return {**SPREAD, "legs": [{**first, "order_class": "unheard_of"}, second]}


@pytest.mark.parametrize("beneath", [False, True], ids=["the order", "a contract"])
@pytest.mark.parametrize("asked", ["submit", "lookup"])
def test_nothing_is_learnt_of_an_order_that_is_not_understood(asked: str, beneath: bool) -> None:
    wrong = Said(200, _garbled(beneath=beneath))
    script = {
        PLACED: wrong,
        NAMED: wrong,
        "GET /v2/account/activities/FILL": Said(200, LEG_FILLS),
        LEG: Said(200, SPREAD["legs"][0]),
        LISTED: Said(200, [SPREAD]),
    }
    with rig(script) as at:
        with pytest.raises(Unreachable, match=r"unheard_of|symbol"):
            at.broker.submit(WISH) if asked == "submit" else at.broker.order("b1")
        assert {(each.client_id, each.venue_id) for each in at.broker.fills("").fills} == {("b1", ORDER_ID)}


def asset(**changes: Any) -> dict[str, Any]:
    """A share as the venue lists it."""
    return {"class": "us_equity", "symbol": "SPY", "status": "active", "tradable": True, **changes}


def pair(**changes: Any) -> dict[str, Any]:
    """A pair as the venue lists it."""
    steps = {"min_order_size": "0.0001", "min_trade_increment": "0.000000001", "price_increment": "0.5"}
    return asset(**{"class": "crypto", "symbol": "BTC/USD", **steps, **changes})


def listed_contract(**changes: Any) -> dict[str, Any]:
    """A contract as the venue lists it."""
    return {"symbol": CALL, "status": "active", "tradable": True, "size": "100", "multiplier": "100", **changes}


def test_instruments_are_told_and_asked_once() -> None:
    script = {
        "GET /v2/assets/SPY": Said(200, asset()),
        "GET /v2/assets/BTC%2FUSD": Said(200, pair()),
        f"GET /v2/options/contracts/{CALL}": Said(200, listed_contract()),
    }
    with rig(script) as at:
        symbols = ["SPY", "BTC-USD", CALL]
        share, coin, call = at.broker.instruments(symbols)
        assert at.broker.instruments(symbols) == (share, coin, call)
        assert len(at.scripted.asked) == 3
    assert (share.exits_with_entry, share.plain_stops, share.price_increment) == (True, True, Decimal("0.01"))
    assert (coin.exits_with_entry, coin.plain_stops, coin.price_increment) == (False, False, Decimal("0.5"))
    assert (coin.quantity_increment, coin.minimum_quantity) == (Decimal("1e-9"), Decimal("0.0001"))
    assert (call.exits_with_entry, call.plain_stops, call.multiplier) == (False, True, Decimal(100))


def test_an_order_is_held_to_the_increments_that_were_told() -> None:
    with rig({"GET /v2/assets/SPY": Said(200, asset())}) as at:
        at.broker.instruments(["SPY"])
        assert "not sent: b1: limit 95.005" in at.broker.submit(buy(limit="95.005")).reason


@pytest.mark.parametrize(
    ("symbol", "answer", "says"),
    [
        ("ZZZZ", Said(404, {"message": "asset not found for ZZZZ"}), "ZZZZ"),
        ("SPY", Said(200, asset(tradable=False)), "SPY is not traded"),
        ("SPY", Said(200, asset(status="inactive")), "SPY is not traded"),
        ("no symbol", Said(500), "no symbol"),
        ("ETH-BTC", Said(500), "against the dollar"),
        (CALL, Said(200, listed_contract(multiplier="10")), "10 shares"),
        (CALL, Said(200, listed_contract(status="inactive")), "not traded"),
    ],
)
def test_what_is_not_traded_is_refused_by_name(symbol: str, answer: Answer, says: str) -> None:
    with rig(answer) as at, pytest.raises(Refused, match=says):
        at.broker.instruments([symbol])


@pytest.mark.parametrize(
    ("symbol", "answer"),
    [
        ("SPY", Said(200, asset(symbol="QQQ"))),
        ("SPY", Said(200, asset(**{"class": "unheard_of"}))),
        ("SPY", Said(200, asset(tradable="yes"))),
        ("BTC-USD", Said(200, pair(price_increment="NaN"))),
        ("BTC-USD", Said(200, pair(min_order_size=None))),
        (CALL, Said(200, listed_contract(symbol=HIGHER))),
    ],
)
def test_an_instrument_that_is_not_understood_is_no_answer(symbol: str, answer: Answer) -> None:
    with rig(answer) as at, pytest.raises(Unreachable, match="instrument"):
        at.broker.instruments([symbol])


def test_wrong_keys_are_an_error_of_the_venue_with_its_words() -> None:
    with (
        rig(Said(401, {"message": "unauthorized."})) as at,
        pytest.raises(Denied, match=r"account: 401: unauthorized\."),
    ):
        at.broker.account()


def test_a_stop_is_as_urgent_as_an_exit() -> None:
    stop = sell("p1", limit=None, order_type=OrderType.STOP, stop=Decimal(90), purpose=Purpose.STOP)
    row = order(client_order_id="p1", side="sell", type="stop", limit_price=None, stop_price="90")
    with rig({"GET /v2/account": Said(200, ACCOUNT), PLACED: Said(200, row)}, per_minute=20) as at:
        spend(at, 17)
        assert at.broker.submit(stop).outcome is AckOutcome.ACCEPTED


def spend(at: Rig, count: int) -> None:
    """Use so many requests of the minute up."""
    for _ in range(count):
        at.budget.take(Urgency.EXIT, at.url.removeprefix("http://"))


def test_a_broker_asks_nothing_before_it_is_asked() -> None:
    with rig(Said(500)) as at:
        AlpacaBroker(at.clients, url=at.url, mode="paper")
        assert at.scripted.asked == []
