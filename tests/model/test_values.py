"""A value that exists is a value that holds: what cannot be is refused by name."""

from __future__ import annotations

import gc
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.errors import Invalid
from hydra.model.market import (
    AssetClass,
    Bar,
    Instrument,
    OptionContract,
    OptionQuote,
    Quote,
    Right,
    asset_class_of,
    multiplier_of,
    usual_instrument,
)
from hydra.model.money import exact, plain, size_down, to_increment
from hydra.model.orders import (
    Ceiling,
    Fill,
    Intent,
    Judgement,
    Order,
    OrderStatus,
    OrderType,
    Protection,
    Purpose,
    Side,
    Size,
    SizeKind,
    VenueOrder,
)
from hydra.model.portfolio import Account, Day, Halt, Holding, Ledger, Position
from hydra.model.values import decode, encode, replace
from tests.fakes.outside import entry

D = Decimal
AT = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
NAN, INF = D("NaN"), D("Infinity")
OPTION = "GOOG151231C00750000"

QUOTE: dict[str, Any] = {"symbol": "SPY", "at": AT, "bid": D(1), "ask": D(2), "bid_size": D(1), "ask_size": D(1)}
BAR = {
    "symbol": "SPY",
    "at": AT,
    "seconds": 60,
    "open": D(2),
    "high": D(3),
    "low": D(1),
    "close": D(2),
    "volume": D(0),
}
ORDER = {
    "client_id": "c",
    "run": "r",
    "cycle": 1,
    "bot": "b",
    "symbol": "SPY",
    "side": Side.BUY,
    "quantity": D(1),
    "order_type": OrderType.MARKET,
    "purpose": Purpose.ENTRY,
}
VENUE_ORDER = {
    "venue_id": "v",
    "client_id": "c",
    "symbol": "SPY",
    "side": Side.BUY,
    "order_type": OrderType.MARKET,
    "quantity": D(1),
    "status": OrderStatus.ACCEPTED,
}
FILL = {
    "fill_id": "f",
    "venue_id": "v",
    "client_id": "c",
    "symbol": "SPY",
    "side": Side.BUY,
    "quantity": D(1),
    "price": D(1),
    "at": AT,
}
ACCOUNT = {"account_id": "a", "status": "ACTIVE", "equity": D(1), "cash": D(1), "buying_power": D(1)}
HOLDING = {
    "bot": "b",
    "symbol": "SPY",
    "quantity": D(1),
    "average_price": D(1),
    "protection": Protection(stop=D(1)),
    "entry": "e",
    "opened_at": AT,
    "opened_cycle": 1,
    "entered": D(1),
}
INTENT = {field: getattr(entry(), field) for field in Intent.__struct_fields__}
INSTRUMENT = {field: getattr(usual_instrument("SPY"), field) for field in Instrument.__struct_fields__}
JUDGEMENT = {"intent": entry(), "asked": D(1), "admitted": D(1)}
CEILING = {"rule": "r", "quantity": D(1), "reason": "why"}
OPTION_QUOTE: dict[str, Any] = {"symbol": OPTION, "at": AT}
HALT = {"kind": "k", "reason": "r", "at": AT, "by": "me", "automatic": False}
NAIVE = datetime(2024, 3, 4, 14, 30)  # noqa: DTZ001  # on purpose
ELSEWHERE = AT.astimezone(timezone(timedelta(hours=-5)))

REFUSED: list[tuple[type, dict[str, Any], dict[str, Any], str]] = [
    (Quote, QUOTE, {"bid": NAN}, "quote.bid must be finite"),
    (Quote, QUOTE, {"bid": INF}, "quote.bid must be finite"),
    (Quote, QUOTE, {"bid": 1.0}, "quote.bid must be a Decimal, got float"),
    (Quote, QUOTE, {"ask": D(0)}, "quote.ask must be above 0"),
    (Quote, QUOTE, {"bid": D(3)}, "crossed: bid 3 above ask 2"),
    (Quote, QUOTE, {"bid_size": D(-1)}, "quote.bid_size must be at least 0"),
    (Quote, QUOTE, {"at": NAIVE}, "quote.at must be aware UTC"),
    (Quote, QUOTE, {"at": ELSEWHERE}, "quote.at must be aware UTC"),
    (Quote, QUOTE, {"at": "today"}, "quote.at must be a datetime"),
    (Bar, BAR, {"close": NAN}, "bar.close must be finite"),
    (Bar, BAR, {"low": D(0)}, "bar.low must be above 0"),
    (Bar, BAR, {"volume": D(-1)}, "bar.volume"),
    (Bar, BAR, {"seconds": 0}, "bar.seconds must be above 0"),
    (Bar, BAR, {"high": D("1.5")}, "contradicts itself"),
    (Bar, BAR, {"low": D("2.5")}, "contradicts itself"),
    (Bar, BAR, {"at": NAIVE}, "bar.at must be aware UTC"),
    (Instrument, INSTRUMENT, {"asset_class": AssetClass.CRYPTO}, "not of the class crypto"),
    (Instrument, INSTRUMENT, {"price_increment": D(0)}, "instrument.price_increment"),
    (Instrument, INSTRUMENT, {"minimum_notional": D(-1)}, "instrument.minimum_notional"),
    (OptionQuote, OPTION_QUOTE, {"symbol": "SPY"}, "not an OCC option symbol"),
    (OptionQuote, OPTION_QUOTE, {"delta": NAN}, "option_quote.delta must be finite"),
    (OptionQuote, OPTION_QUOTE, {"open_interest": D(-1)}, "option_quote.open_interest"),
    (OptionQuote, OPTION_QUOTE, {"bid": D(2), "ask": D(1)}, "crossed"),
    (Size, {"kind": SizeKind.QUANTITY, "amount": D(1)}, {"amount": D(0)}, "size.amount must be above 0"),
    (Size, {"kind": SizeKind.QUANTITY, "amount": D(1)}, {"amount": NAN}, "size.amount must be finite"),
    (Size, {"kind": SizeKind.RISK, "amount": D(1)}, {"amount": D("1.01")}, "fraction of equity, at most 1"),
    (Protection, {"stop": D(1)}, {"stop": D(-1)}, "protection.stop"),
    (Protection, {"stop": D(1)}, {"target": D(0)}, "protection.target"),
    (Intent, INTENT, {"protection": Protection(stop=D(100))}, "stop of a buy must be below the entry"),
    (Intent, INTENT, {"protection": Protection(stop=D(98), target=D(99))}, "target of a buy must be above"),
    (Intent, INTENT, {"side": Side.SELL}, "stop of a sell must be above the entry"),
    (Intent, INTENT, {"protection": None}, "an entry carries protection"),
    (Intent, INTENT, {"purpose": Purpose.STOP}, "enters or exits, got stop"),
    (Intent, INTENT, {"order_type": OrderType.STOP}, "a market or a limit order"),
    (Intent, INTENT, {"order_type": OrderType.LIMIT}, "intent.limit belongs to limit orders"),
    (Intent, INTENT, {"limit": D(99)}, "intent.limit belongs to limit orders"),
    (Intent, INTENT, {"thesis": ""}, "intent.thesis must be a non-empty string"),
    (Intent, INTENT, {"reference": NAN}, "intent.reference must be finite"),
    (Ceiling, CEILING, {"quantity": NAN}, "ceiling.quantity of r must be finite"),
    (Ceiling, CEILING, {"quantity": D(-1)}, "ceiling.quantity of r must be at least 0"),
    (Ceiling, CEILING, {"reason": ""}, "ceiling.reason"),
    (Judgement, JUDGEMENT, {"admitted": D(2)}, "admitted 2 is more than was asked, 1"),
    (Order, ORDER, {"client_id": "x" * 49}, "49 characters, at most 48"),
    (Order, ORDER, {"quantity": D(0)}, "order.quantity must be above 0"),
    (Order, ORDER, {"quantity": D(-1)}, "order.quantity must be above 0"),
    (Order, ORDER, {"filled": D(2)}, "filled 2 of 1"),
    (Order, ORDER, {"limit": D(1)}, "does not fit the type market"),
    (Order, ORDER, {"order_type": OrderType.STOP_LIMIT, "stop": D(1)}, "limit None does not fit"),
    (Order, ORDER, {"order_type": OrderType.STOP}, "stop None does not fit"),
    (Order, ORDER, {"purpose": Purpose.EXIT, "protection": Protection(stop=D(1))}, "only an entry carries protection"),
    (Order, ORDER, {"sent_at": NAIVE}, "order.sent_at must be aware UTC"),
    (VenueOrder, VENUE_ORDER, {"status": OrderStatus.UNKNOWN}, "a venue cannot report an order as unknown"),
    (VenueOrder, VENUE_ORDER, {"status": OrderStatus.SENT}, "a venue cannot report an order as sent"),
    (VenueOrder, VENUE_ORDER, {"status": OrderStatus.NOT_RECEIVED}, "a venue cannot report"),
    (Fill, FILL, {"quantity": D(-1)}, "fill.quantity must be above 0"),
    (Fill, FILL, {"price": INF}, "fill.price must be finite"),
    (Fill, FILL, {"fee": D(-1)}, "fill.fee must be at least 0"),
    (Account, ACCOUNT, {"equity": NAN}, "account.equity must be finite"),
    (Account, ACCOUNT, {"cash": INF}, "account.cash must be finite"),
    (Account, ACCOUNT, {"buying_power": 5}, "account.buying_power must be a Decimal"),
    (Position, {"symbol": "SPY", "quantity": D(1), "average_price": D(1)}, {"quantity": NAN}, "position.quantity"),
    (Holding, HOLDING, {"quantity": D(0)}, "cannot be of size 0"),
    (Holding, HOLDING, {"opened_at": NAIVE}, "holding.opened_at must be aware UTC"),
    (Day, {"date": date(2024, 3, 4), "start_equity": D(1)}, {"start_equity": D(0)}, "day.start_equity"),
    (Day, {"date": date(2024, 3, 4), "start_equity": D(1)}, {"start_equity": NAN}, "day.start_equity must be finite"),
    (Halt, HALT, {"reason": ""}, "halt.reason"),
    (Halt, HALT, {"at": NAIVE}, "halt.at must be aware UTC"),
    (Ledger, {}, {"peak_equity": D(-1)}, "ledger.peak_equity"),
    (Ledger, {}, {"peak_equity": NAN}, "ledger.peak_equity must be finite"),
]


@pytest.mark.parametrize(
    ("kind", "good", "bad", "words"), REFUSED, ids=[f"{k.__name__} {b}"[:60] for k, _, b, _ in REFUSED]
)
def test_what_cannot_be_is_refused_by_name(kind: type, good: dict, bad: dict, words: str) -> None:
    value = kind(**good)
    with pytest.raises(Invalid) as refused:
        kind(**{**good, **bad})
    assert words in str(refused.value)
    with pytest.raises(Invalid):
        replace(value, **bad)


@pytest.mark.parametrize(
    "bad",
    [
        {"bid": "NaN"},
        {"bid": "Infinity"},
        {"bid": "3"},
        {"ask": "0"},
        {"ask_size": "-1"},
        {"at": "2024-03-04T14:30:00"},
    ],
)
def test_what_cannot_be_cannot_be_read_either(bad: dict) -> None:
    assert decode(encode(QUOTE), Quote) == Quote(**QUOTE)
    with pytest.raises(Invalid):
        decode(encode({**QUOTE, **bad}), Quote)


def test_an_unknown_field_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="colour"):
        decode(b'{"symbol":"SPY","quantity":"1","average_price":"1","colour":"red"}', Position)


def test_a_missing_field_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="average_price"):
        decode(b'{"symbol":"SPY","quantity":"1"}', Position)


def test_a_value_does_not_change() -> None:
    with pytest.raises(AttributeError):
        Quote(**QUOTE).bid = D(5)  # type: ignore[misc]  # that is the point


def test_damaged_bytes_are_invalid_and_nothing_worse() -> None:
    for data in (b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b"3"):
        with pytest.raises(Invalid):
            decode(data, Position)


# -- symbols


@pytest.mark.parametrize(
    ("symbol", "asset_class", "multiplier"),
    [("SPY", "equity", 1), ("BRK.B", "equity", 1), ("BTC-USD", "crypto", 1), (OPTION, "option", 100)],
)
def test_a_symbol_has_a_class_and_a_multiplier(symbol: str, asset_class: str, multiplier: int) -> None:
    assert asset_class_of(symbol).value == asset_class
    assert multiplier_of(symbol) == multiplier
    assert usual_instrument(symbol).multiplier == multiplier


@pytest.mark.parametrize("symbol", ["", "spy", "TOOLONG", "BTC/USD", "BTC-", "SPY ", "GOOG151231X00750000", "SPY\n"])
def test_what_is_no_symbol_is_refused(symbol: str) -> None:
    with pytest.raises(Invalid, match="not a symbol"):
        asset_class_of(symbol)


@given(
    root=st.from_regex(r"[A-Z]{1,5}[0-9]?", fullmatch=True),
    expiry=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    right=st.sampled_from(Right),
    mills=st.integers(1, 99_999_999),
)
@settings(max_examples=60)
def test_an_option_symbol_comes_back_as_it_went(root: str, expiry: date, right: Right, mills: int) -> None:
    contract = OptionContract(root=root, expiry=expiry, right=right, strike=D(mills) / 1000)
    assert OptionContract.parse(contract.symbol) == contract
    assert asset_class_of(contract.symbol) is AssetClass.OPTION


@pytest.mark.parametrize(
    ("symbol", "words"),
    [
        ("GOOG151331C00750000", "no such date: 151331"),
        ("GOOG150229C00750000", "no such date: 150229"),
        ("GOOG150000C00750000", "no such date"),
        ("GOOG151231C00000000", "option.strike must be above 0"),
        ("GOOG151231C0075000", "not an OCC option symbol"),
        ("GOOG  151231C00750000", "not an OCC option symbol"),
    ],
)
def test_an_option_that_cannot_be_is_refused(symbol: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        OptionContract.parse(symbol)


# -- money

_numbers = st.decimals(D("-1e9"), D("1e9"), allow_nan=False, allow_infinity=False, places=8)
_increments = st.sampled_from([D("0.01"), D("0.0001"), D("0.05"), D(1), D(100), D("0.00000001")])


@given(number=_numbers, increment=_increments)
@settings(max_examples=80)
def test_a_size_is_never_rounded_up(number: Decimal, increment: Decimal) -> None:
    rounded = size_down(number, increment)
    assert abs(rounded) <= abs(number)
    assert abs(number - rounded) < increment
    assert rounded % increment == 0


@given(number=_numbers, increment=_increments)
@settings(max_examples=60)
def test_a_price_is_rounded_to_the_side_that_was_named(number: Decimal, increment: Decimal) -> None:
    nearest = to_increment(number, increment)
    assert nearest % increment == 0
    assert abs(nearest - number) * 2 <= increment
    assert abs(to_increment(number, increment, "up")) >= abs(number)


@pytest.mark.parametrize("increment", [D(0), D(-1)])
def test_an_increment_is_above_zero(increment: Decimal) -> None:
    with pytest.raises(Invalid, match="increment must be above 0"):
        to_increment(D(1), increment)


@pytest.mark.parametrize(
    ("number", "text"),
    [(D("1E+2"), "100"), (D("1.500"), "1.5"), (D("100"), "100"), (D("0.0"), "0"), (D("-1E-7"), "-0.0000001")],
)
def test_a_number_is_shown_plainly(number: Decimal, text: str) -> None:
    assert plain(number) == text


def test_a_float_is_the_decimal_a_person_would_write() -> None:
    assert exact(0.1) == D("0.1")
    for bad in (float("nan"), float("inf"), "NaN"):
        with pytest.raises(Invalid, match="finite"):
            exact(bad)


def test_the_collector_of_cycles_has_nothing_to_look_for_in_values() -> None:
    """A value is made of what was there before it: nothing can lead back to it."""
    at = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
    quote = Quote(symbol="SPY", at=at, bid=D(1), ask=D(2), bid_size=D(1), ask_size=D(1))
    assert not gc.is_tracked(quote)
    assert not gc.is_tracked(Ledger())
