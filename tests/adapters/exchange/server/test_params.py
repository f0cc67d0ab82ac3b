"""Strict reading: what is taken, and that everything else is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.adapters.exchange.server.errors import ApiError
from hydra.adapters.exchange.server.params import Query, parse_moment, parse_number, read_object
from hydra.model.orders import Side


@pytest.mark.parametrize(
    ("given_value", "number"),
    [
        ("1.50", "1.5"),
        (7, "7"),
        (Decimal("0.10"), "0.1"),
        ("1e3", "1000"),
        (" 2 ", "2"),
        ("+4", "4"),
        ("-0", "0"),
        (".5", "0.5"),
    ],
)
def test_a_number_may_be_a_string_or_a_number(given_value: Any, number: str) -> None:
    assert str(parse_number("qty", given_value)) == number


@pytest.mark.parametrize(
    "bad",
    ["", "NaN", "inf", "-Infinity", "1e999", "1e-999", "0x10", "1_000", "٣", "1,5", "abc", "9" * 65, True, [], {}],
)
def test_what_is_no_finite_number_is_refused_by_name(bad: Any) -> None:
    with pytest.raises(ApiError, match="qty must be a number") as caught:
        parse_number("qty", bad)
    assert caught.value.status == 422


@given(st.one_of(st.text(max_size=70), st.integers(), st.decimals(), st.booleans(), st.none()))
def test_a_number_is_finite_and_of_a_sane_size_or_it_is_refused(value: Any) -> None:
    with suppress(ApiError):
        number = parse_number("qty", value)
        assert number.is_finite()
        assert abs(number) < 10**15
        assert number == number.quantize(Decimal("1e-12"))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2024-03-04", datetime(2024, 3, 4, tzinfo=UTC)),
        ("2024-03-04T14:30:00Z", datetime(2024, 3, 4, 14, 30, tzinfo=UTC)),
        ("2024-03-04T14:30:00.123456789Z", datetime(2024, 3, 4, 14, 30, 0, 123456, tzinfo=UTC)),
        ("2024-03-04T09:30:00-05:00", datetime(2024, 3, 4, 14, 30, tzinfo=UTC)),
        ("2024-03-04 14:30", datetime(2024, 3, 4, 14, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_to_the_microsecond_and_put_in_utc(text: str, at: datetime) -> None:
    assert parse_moment("after", text) == at


@pytest.mark.parametrize(
    "text",
    ["now", "2024-13-01", "2024-02-30", "2024-03-04T25:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31", "20240304"],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ApiError, match="after must be"):
        parse_moment("after", text)


READERS: dict[str, Callable[[Query], Any]] = {
    "text": lambda query: query.text("x"),
    "list": lambda query: query.listed("x"),
    "flag": lambda query: query.flag("x"),
    "whole": lambda query: query.whole("x", 1, 1, 9),
    "number": lambda query: query.number("x"),
    "moment": lambda query: query.moment("x"),
    "date": lambda query: query.date("x"),
    "chosen": lambda query: query.chosen("x", ("a", "b"), "a"),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
@given(text=st.text(max_size=40))
def test_no_query_breaks_a_reader(reader: Callable[[Query], Any], text: str) -> None:
    for whole in (text, f"x={text}", f"x=1&x={text}"):
        with suppress(ApiError):
            reader(Query(whole))


@pytest.mark.parametrize("reader", [r for name, r in READERS.items() if name != "list"])
def test_a_parameter_given_twice_is_refused(reader: Callable[[Query], Any]) -> None:
    with pytest.raises(ApiError, match="x is given 2 times"):
        reader(Query("x=1&x=2"))


def test_a_list_may_come_in_several_parts() -> None:
    assert Query("x=a,b&x=c,,&y=1").listed("x") == ("a", "b", "c")


def test_an_empty_parameter_is_not_given() -> None:
    query = Query("x=&y=1")
    assert "x" not in query
    assert query.whole("x", 5, 1, 9) == 5
    assert query.date("x") is None


def test_a_date_of_a_time_is_the_one_it_is_written_with() -> None:
    assert Query("x=2024-03-04T23:30:00-05:00").date("x") == date(2024, 3, 4)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b"[" * 20_000,
        b'{"a":' * 5_000,
        b'{"qty":NaN}',
    ],
)
def test_what_is_no_json_object_is_400(data: bytes) -> None:
    with pytest.raises(ApiError, match="request body format is invalid") as caught:
        read_object(data)
    assert caught.value.status == 400
    assert caught.value.body["code"] == 40010000


@pytest.mark.parametrize("written", [b"1e99999999999", b"-1e-99999999999", b"9" * 5_000, b"1" + b"0" * 30])
def test_a_json_number_beyond_all_measure_is_refused(written: bytes) -> None:
    with pytest.raises(ApiError) as caught:
        read_object(b'{"qty": ' + written + b"}").number("qty")
    assert caught.value.status in (400, 422)


def test_a_json_number_keeps_the_decimal_that_was_written() -> None:
    assert read_object(b'{"qty": 0.1}').number("qty") == Decimal("0.1")
    assert read_object(b'{"qty": 0.30000000000000004}')._fields["qty"] == Decimal("0.30000000000000004")


@pytest.mark.parametrize("value", [5, [], {}, True, "hold"])
def test_what_is_no_member_is_refused_by_name(value: Any) -> None:
    body = read_object(orjson.dumps({"side": value}))
    with pytest.raises(ApiError, match="side must be"):
        body.chosen("side", Side)


def test_the_name_of_a_field_says_where_it_lies() -> None:
    body = read_object(b'{"legs": [{"ratio_qty": 1}, {"ratio_qty": "x"}], "stop_loss": {"stop_price": -1}}')
    with pytest.raises(ApiError, match=r"legs\.1\.ratio_qty must be a number"):
        body.parts("legs")[1].whole("ratio_qty")
    stop = body.part("stop_loss")
    assert stop is not None
    with pytest.raises(ApiError, match=r"stop_loss\.stop_price must be > 0"):
        stop.positive("stop_price")
