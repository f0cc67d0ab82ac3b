"""Whatever is asked, the answer is one Alpaca's document knows, and never a failure of ours."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.adapters.exchange.server.data.asking import MINUTE, OPEN, Market, minutes
from tests.adapters.exchange.server.openapi import operations
from tests.fakes.feed import ScriptedFeed, option_quote, quote

CALL = "SPY240308C00100000"
NOT_SERVED = (
    "/v1beta1/events",
    "/v1beta1/fixed_income",
    "/v1beta1/forex",
    "/v1beta1/logos",
    "/v1beta1/news",
    "/v1beta1/screener",
)
NAMES = [
    "symbols",
    "timeframe",
    "start",
    "end",
    "limit",
    "adjustment",
    "asof",
    "feed",
    "currency",
    "page_token",
    "sort",
    "type",
    "types",
    "ids",
    "region",
    "cusips",
    "strike_price_gte",
    "strike_price_lte",
    "expiration_date",
    "expiration_date_gte",
    "root_symbol",
    "updated_since",
    "tape",
    "data_quality",
]
VALUES = st.sampled_from(
    [
        "", "0", "-1", "1", "5", "10000", "10001", "1e999", "NaN", "1" * 300, "null", "true", "\x00", "é", ",", ",,", "a,b", "*",
        "SPY", "QQQ,SPY", "BTC/USD", "BTCUSD", CALL, "spy", "BRK.B", "A" * 30, "1Min", "5T", "1Day", "1W", "12Month", "99Day",
        "2024-03-04", "2024-02-30", "1900-01-01", "2199-12-31", "0001-01-01", "9999-12-31T23:59:59Z", "2024-03-04T14:30:00Z",
        "2024-03-04T14:30:00.123456789-05:00", "2024-03-04T25:00:00Z", "asc", "desc", "sip", "iex", "delayed_sip", "opra",
        "raw", "all", "split,dividend", "USD", "EUR", "call", "put", "A", "us", "non_us", "forward_split", "-", "U1BZ",
        "U1BZfDIwMjQtMDMtMDRUMTQ6MzE6MDArMDA6MDA", "U1BZfDE5MDAtMDEtMDFUMDA6MDA6MDArMDA6MDA", "U1BZfDIyMDAtMDEtMDFUMDA6MDA6MDArMDA6MDA",
    ]
)  # fmt: skip
PATHS = sorted(
    each.template
    for each in operations()
    if each.document == "market-data-api" and not each.template.startswith(NOT_SERVED)
)
QUOTES = [quote("SPY", OPEN + MINUTE, 99, 101), quote("BTC-USD", OPEN + MINUTE, 1, 2)]
FEED = ScriptedFeed(
    [*minutes("SPY", OPEN, 100, 101, 102), *minutes("BTC-USD", OPEN, 100, 101)],
    QUOTES,
    options=[option_quote(CALL, OPEN, 1, 2)],
)


def test_every_route_of_the_document_that_a_feed_can_answer_is_there():
    market = Market(FEED, OPEN + 3 * MINUTE)
    assert len(PATHS) >= 35
    for path in PATHS:
        status, body = market.ask(_filled(path, "SPY"), symbols="SPY", timeframe="1Min", tape="A")
        assert (status, body["message"]) != (404, "endpoint not found.") if status == 404 else status in (200, 400)


@settings(max_examples=60, deadline=None)
@given(path=st.sampled_from(PATHS), name=VALUES, query=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5))
def test_no_question_breaks_a_route(path, name, query):
    status, body = Market(FEED, OPEN + 3 * MINUTE).ask(_filled(path, name), **query)
    assert status in (200, 400, 403, 404), body


def _filled(path: str, name: str) -> str:
    filled: dict[str, Any] = {"symbol": name, "underlying_symbol": name, "ticktype": "trade", "loc": "us"}
    for each, value in filled.items():
        path = path.replace(
            "{" + each + "}", "".join(c if c.isalnum() and c.isascii() else f"%{ord(c):02X}" for c in value) or "x"
        )
    return path
