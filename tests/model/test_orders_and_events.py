"""The lifecycle is a table that ends, identities are distinct, and every event comes back as it went."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.errors import Corrupt, Invalid
from hydra.model.events import KIND_OF, KINDS, VERSION, Event, RawEvent, SegmentOpened, payload_of
from hydra.model.orders import (
    CLIENT_ID_MAX_LENGTH,
    LIFECYCLE,
    Ceiling,
    Order,
    OrderStatus,
    OrderType,
    Protection,
    Purpose,
    Side,
    VenueOrder,
    client_order_id,
    step,
)
from hydra.model.portfolio import Ledger
from hydra.model.values import Value, decode, encode
from tests.fakes.outside import BOT, Fault, Stage, buys_at, entry, leave, policy, scripted
from tests.strategies import ledgers

D = Decimal
S = OrderStatus


def reachable(status: OrderStatus) -> set[OrderStatus]:
    seen, todo = {status}, [status]
    while todo:
        for following in LIFECYCLE[todo.pop()] - seen:
            seen.add(following)
            todo.append(following)
    return seen


def test_every_status_has_its_line_and_leads_to_an_end() -> None:
    assert set(LIFECYCLE) == set(OrderStatus)
    for status in OrderStatus:
        assert any(one.terminal for one in reachable(status)), status


def test_an_end_is_an_end() -> None:
    ends = {status for status in OrderStatus if status.terminal}
    assert ends == {S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.NOT_RECEIVED}
    for status in ends:
        assert reachable(status) == {status}


def test_unknown_is_not_rejected_and_nothing_becomes_unknown_again_once_the_venue_has_spoken() -> None:
    assert not S.UNKNOWN.terminal
    assert {status for status in S if status.unresolved} == {S.SENT, S.UNKNOWN}
    for status in set(OrderStatus) - {S.SENT, S.UNKNOWN}:
        assert not reachable(status) & {S.SENT, S.UNKNOWN, S.NOT_RECEIVED} - {status}
    assert S.NOT_RECEIVED in LIFECYCLE[S.UNKNOWN]


def test_a_partial_fill_is_never_rejected_or_unfilled() -> None:
    assert S.REJECTED not in LIFECYCLE[S.PARTIALLY_FILLED]
    assert S.ACCEPTED not in LIFECYCLE[S.PARTIALLY_FILLED]


@given(now=st.sampled_from(OrderStatus), then=st.sampled_from(OrderStatus))
def test_a_step_is_in_the_table_or_corrupt(now: OrderStatus, then: OrderStatus) -> None:
    if then is now or then in LIFECYCLE[now]:
        assert step("c", now, then) is then
    else:
        with pytest.raises(Corrupt, match=f"order c cannot go from {now} to {then}"):
            step("c", now, then)


def test_only_an_entry_adds_exposure() -> None:
    assert [purpose for purpose in Purpose if not purpose.reduces] == [Purpose.ENTRY]
    assert (Side.BUY.sign, Side.SELL.sign, Side.BUY.opposite) == (1, -1, Side.SELL)


_parts = st.tuples(
    st.text(max_size=8),
    st.integers(0, 10**6),
    st.text(max_size=8),
    st.sampled_from(("SPY", "GOOG151231C00750000")),
    st.sampled_from(Purpose),
    st.integers(0, 100),
)


@given(one=_parts, other=_parts)
def test_an_identity_is_short_stable_and_distinct(one: Any, other: Any) -> None:
    assert client_order_id(*one) == client_order_id(*one)
    assert len(client_order_id(*one)) <= CLIENT_ID_MAX_LENGTH - len(".target")
    separated = not any("\x1f" in part for part in (one[0], one[2], other[0], other[2]))
    if one != other and separated:
        assert client_order_id(*one) != client_order_id(*other)


# -- events


def _eventful() -> Stage:
    """A stage whose journal has most kinds of events in it."""
    stage = Stage(
        {BOT: scripted({2: [entry()], 5: [leave()], 7: [entry(stop="100.004", reference=Decimal("100.01"))]})}
    )
    stage.broker.plan("submit", 1, Fault(error=TimeoutError("slow"), after=True))
    stage.step(8)
    stage.restart()
    stage.day()
    return stage


def test_every_event_of_a_day_comes_back_as_it_went() -> None:
    stage = _eventful()
    kinds = {event.kind for event in stage.events()}
    assert kinds >= {"observed", "answered", "decided", "order_sent", "order_accepted", "order_unknown", "cancel_heard"}
    for event in stage.events():
        assert decode(encode(event.data), KINDS[event.kind]) == event.data


@given(ledger=ledgers)
@settings(max_examples=30, deadline=None)
def test_a_checkpoint_comes_back_as_it_went(ledger: Ledger) -> None:
    assert decode(encode(ledger), Ledger) == ledger
    opened = Stage.segment(_stage())
    assert decode(encode(opened), SegmentOpened) == opened


_STAGES: list[Stage] = []


def _stage() -> Stage:
    if not _STAGES:
        _STAGES.append(Stage({BOT: buys_at()}, rules=policy()))
    return _STAGES[0]


def test_kinds_and_payloads_are_one_to_one() -> None:
    assert len(KIND_OF) == len(KINDS)
    assert all(issubclass(payload, Value) for payload in KINDS.values())


def _raw(kind: str, data: bytes) -> RawEvent:
    envelope = b'{"v":1,"seq":1,"ts":"2024-03-04T14:30:00Z","run":"r","kind":"%s","data":%s,"prev":"","hash":""}'
    return decode(envelope % (kind.encode(), data), RawEvent)


def test_an_unknown_kind_and_a_payload_that_does_not_fit_are_named() -> None:
    with pytest.raises(Invalid, match="unknown event kind 'danced'"):
        payload_of(_raw("danced", b"{}"))
    with pytest.raises(Invalid, match=r"mended: .*colour"):
        payload_of(_raw("mended", b'{"what":"a","note":"b","colour":"red"}'))
    assert VERSION == 1
    assert Event.__struct_fields__[-1] == "hash"


# -- what is refused is named

FIELDS: dict[str, Any] = {"client_id": "c", "run": "r", "cycle": 1, "bot": BOT, "symbol": "SPY", "side": Side.BUY, "quantity": D(10), "order_type": OrderType.MARKET, "purpose": Purpose.ENTRY}  # fmt: skip
REPORTED: dict[str, Any] = {"venue_id": "v", "client_id": "c", "symbol": "SPY", "side": Side.BUY, "order_type": OrderType.MARKET, "quantity": D(10), "status": S.ACCEPTED}  # fmt: skip
NO_SIZES: tuple[Any, ...] = (D("NaN"), D("sNaN"), D("Infinity"), D(-1), 10, 10.0, "10", None)


@pytest.mark.parametrize("number", [*NO_SIZES, D(0)], ids=repr)
def test_a_number_that_is_none_is_refused_by_its_name(number: Any) -> None:
    for make, name in (
        (lambda: Order(**FIELDS | {"quantity": number}), "order.quantity"),
        (lambda: VenueOrder(**REPORTED | {"quantity": number}), "venue_order.quantity"),
        (lambda: Protection(stop=number), "protection.stop"),
    ):
        with pytest.raises(Invalid, match=re.escape(name)):
            make()


@pytest.mark.parametrize("number", NO_SIZES, ids=repr)
def test_so_is_one_that_may_be_zero(number: Any) -> None:
    for make, name in (
        (lambda: Order(**FIELDS | {"filled": number}), "order.filled"),
        (lambda: VenueOrder(**REPORTED | {"filled": number}), "venue_order.filled"),
        (lambda: Ceiling(rule="r", quantity=number, reason="because"), "ceiling.quantity of r"),
    ):
        with pytest.raises(Invalid, match=re.escape(name)):
            make()


@pytest.mark.parametrize("text", ["", None, 3, b"x"], ids=repr)
def test_so_is_a_name_that_is_none(text: Any) -> None:
    for make, name in (
        (lambda: Order(**FIELDS | {"client_id": text}), "order.client_id"),
        (lambda: Order(**FIELDS | {"symbol": text}), "order.symbol"),
        (lambda: VenueOrder(**REPORTED | {"venue_id": text}), "venue_order.venue_id"),
        (lambda: VenueOrder(**REPORTED | {"symbol": text}), "venue_order.symbol"),
        (lambda: Ceiling(rule=text, quantity=D(1), reason="because"), "ceiling.rule"),
        (lambda: Ceiling(rule="r", quantity=D(1), reason=text), "ceiling.reason"),
    ):
        with pytest.raises(Invalid, match=re.escape(name)):
            make()


def test_what_is_asked_of_a_member_is_what_its_name_says() -> None:
    assert {side: side.sign for side in Side} == {Side.BUY: 1, Side.SELL: -1}
    assert {purpose for purpose in Purpose if not purpose.reduces} == {Purpose.ENTRY}
    assert {status for status in S if status.terminal} == {status for status in S if not LIFECYCLE[status]}
