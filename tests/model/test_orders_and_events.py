"""The lifecycle is a table that ends, identities are distinct, and every event comes back as it went."""

from __future__ import annotations

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
    OrderStatus,
    Purpose,
    Side,
    client_order_id,
    step,
)
from hydra.model.portfolio import Ledger
from hydra.model.values import Value, decode, encode
from tests.fakes.outside import BOT, Fault, Stage, buys_at, entry, leave, policy, scripted
from tests.strategies import ledgers

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
