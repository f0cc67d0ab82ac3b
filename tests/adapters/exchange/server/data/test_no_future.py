"""What is answered at an instant is what would be answered if the feed ended there."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.markets.feed import ActionKind, CorporateAction
from tests.adapters.exchange.server.data.asking import DAY, MINUTE, OPEN, Market, minutes
from tests.fakes.feed import ScriptedFeed, option_quote, quote

CALL, PUT = "SPY240308C00100000", "SPY240315P00100000"
HALF = timedelta(seconds=30)

BARS = [
    each
    for day in range(4)
    for symbol, price in (("SPY", 100), ("BTC-USD", 20_000))
    for each in minutes(symbol, OPEN + day * DAY - 2 * MINUTE, *range(price + day, price + day + 6))
]
QUOTES = [quote("SPY", one.closes_at + HALF, one.close, one.close + 1) for one in BARS if one.symbol == "SPY"]
QUOTES += [quote("BTC-USD", one.closes_at, one.close, one.close + 1) for one in BARS if one.symbol == "BTC-USD"]
OPTIONS = [option_quote(each, OPEN + day * DAY + HALF, 1 + day, 2 + day) for each in (CALL, PUT) for day in range(4)]
ACTIONS = [
    CorporateAction(
        kind=ActionKind.FORWARD_SPLIT, symbol="SPY", ex_date=date(2024, 3, 6), old_rate=Decimal(1), new_rate=Decimal(2)
    ),
    CorporateAction(kind=ActionKind.CASH_DIVIDEND, symbol="SPY", ex_date=date(2024, 3, 7), cash=Decimal(1)),
]
SPAN = {"start": "2024-03-01", "end": "2030-01-01"}
ASKED = [
    *[
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": frame, "adjustment": "all", "sort": sort, **SPAN})
        for frame in ("1Min", "3Min", "1Hour", "1Day", "1Week", "1Month")
        for sort in ("asc", "desc")
    ],
    *[
        (f"/v2/stocks/{kind}", {"symbols": "SPY", "sort": sort, **SPAN})
        for kind in ("trades", "quotes", "auctions")
        for sort in ("asc", "desc")
    ],
    *[(f"/v2/stocks/{kind}/latest", {"symbols": "SPY"}) for kind in ("bars", "trades", "quotes")],
    ("/v2/stocks/snapshots", {"symbols": "SPY"}),
    ("/v2/stocks/snapshots", {"symbols": "SPY", "feed": "delayed_sip"}),
    *[("/v1beta3/crypto/us/bars", {"symbols": "BTC/USD", "timeframe": frame, **SPAN}) for frame in ("1Min", "1Day")],
    *[(f"/v1beta3/crypto/us/{kind}", {"symbols": "BTC/USD", **SPAN}) for kind in ("trades", "quotes")],
    *[
        (f"/v1beta3/crypto/us/latest/{kind}", {"symbols": "BTC/USD"})
        for kind in ("bars", "trades", "quotes", "orderbooks")
    ],
    ("/v1beta3/crypto/us/snapshots", {"symbols": "BTC/USD"}),
    ("/v1beta1/options/snapshots/SPY", {}),
    ("/v1beta1/options/quotes/latest", {"symbols": f"{CALL},{PUT}"}),
    ("/v1/corporate-actions", SPAN),
]


@settings(max_examples=25, deadline=None)
@given(seconds=st.integers(-600, 4 * 86_400), data=st.data())
def test_no_answer_changes_when_the_future_is_cut_off(seconds, data):
    now = OPEN + timedelta(seconds=seconds)
    cut = ScriptedFeed(
        [each for each in BARS if each.closes_at <= now],
        [each for each in QUOTES if each.at <= now],
        options=[each for each in OPTIONS if each.at <= now],
        actions=[each for each in ACTIONS if each.ex_date <= now.date()],
        symbols=["SPY", "BTC-USD"],
    )
    whole = ScriptedFeed(BARS, QUOTES, options=OPTIONS, actions=ACTIONS, symbols=["SPY", "BTC-USD"])
    path, query = data.draw(st.sampled_from(ASKED))
    assert Market(whole, now).get(path, **query) == Market(cut, now).get(path, **query)
