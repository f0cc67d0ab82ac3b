"""Equities over REST."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from hydra.adapters.markets.feed import ActionKind, CorporateAction
from tests.adapters.exchange.server.data.asking import DAY, MINUTE, OPEN, Market, minutes
from tests.fakes.feed import ScriptedFeed, bar, quote

FRIDAY = OPEN - 3 * DAY


def _feed() -> ScriptedFeed:
    """SPY on a Friday and a Monday: a pre-market minute, then six regular ones; QQQ on Monday only."""
    bars = [
        *minutes("SPY", FRIDAY, 90, 91),
        bar("SPY", OPEN - 60 * MINUTE, (95, 120, 94, 96)),
        *minutes("SPY", OPEN, 100, 101, 102, 103, 104, 105),
        *minutes("QQQ", OPEN, 50, 49),
    ]
    quotes = [quote("SPY", OPEN + step * MINUTE, 100 + step, 101 + step) for step in range(1, 7)]
    return ScriptedFeed(bars, quotes)


@pytest.fixture
def market() -> Market:
    return Market(_feed(), OPEN + 4 * MINUTE)


def test_bars_that_have_not_closed_are_absent_even_if_the_end_lies_ahead(market):
    rows = market.get("/v2/stocks/SPY/bars", timeframe="1Min", start=OPEN.isoformat(), end="2025-01-01")["bars"]
    assert [row["c"] for row in rows] == [100, 101, 102, 103]
    assert rows[0] == {
        "t": "2024-03-04T14:30:00Z",
        "o": 100,
        "h": 100.5,
        "l": 99.5,
        "c": 100,
        "v": 1000,
        "n": 1,
        "vw": 100,
    }


def test_the_interval_that_is_open_is_shown_as_it_stands(market):
    row = market.get("/v2/stocks/SPY/bars", timeframe="5Min", start=OPEN.isoformat())["bars"][0]
    assert (row["o"], row["h"], row["c"], row["v"], row["n"]) == (100, 103.5, 103, 4000, 4)


def test_a_daily_bar_has_the_prices_of_the_regular_session_and_the_volume_of_the_day(market):
    row = market.get("/v2/stocks/SPY/bars", timeframe="1Day")["bars"][0]
    assert row["t"] == "2024-03-04T05:00:00Z"
    assert (row["o"], row["h"], row["l"], row["c"]) == (100, 103.5, 99.5, 103)
    assert row["v"] == 5000


def test_before_the_opening_there_is_no_daily_bar_of_the_day(market):
    market.now = OPEN - 30 * MINUTE
    assert market.get("/v2/stocks/SPY/bars", timeframe="1Day")["bars"] == []
    shown = market.get("/v2/stocks/SPY/snapshot")
    assert shown["dailyBar"]["t"] == "2024-03-01T05:00:00Z"
    assert shown["latestTrade"]["p"] == 96
    assert shown["latestTrade"]["c"] == ["@", "T"]
    assert "prevDailyBar" not in shown


def test_a_week_adds_up_its_days(market):
    market.now = OPEN + 6 * MINUTE
    rows = market.get("/v2/stocks/SPY/bars", timeframe="1Week", start="2024-01-01")["bars"]
    assert [(row["t"], row["o"], row["c"]) for row in rows] == [
        ("2024-02-26T05:00:00Z", 90, 91),
        ("2024-03-04T05:00:00Z", 100, 105),
    ]


def test_without_a_start_the_present_day_is_shown_and_a_date_means_the_whole_of_it(market):
    assert len(market.get("/v2/stocks/SPY/bars", timeframe="1Min")["bars"]) == 5
    friday = market.get("/v2/stocks/SPY/bars", timeframe="1Min", start="2024-03-01", end="2024-03-01")["bars"]
    assert [row["c"] for row in friday] == [90, 91]


def test_symbols_come_one_after_the_other_and_pages_continue(market):
    whole = market.get("/v2/stocks/bars", symbols="SPY,QQQ,SPY", timeframe="1Min")["bars"]
    assert list(whole) == ["QQQ", "SPY"]
    for sort in ("asc", "desc"):
        query = {"symbols": "SPY,QQQ", "timeframe": "1Min", "sort": sort, "start": "2024-03-01"}
        at_once = market.get("/v2/stocks/bars", **query)["bars"]
        assert market.every_page("/v2/stocks/bars", "bars", limit=2, **query) == at_once
        assert len(at_once["SPY"]) == 7


def test_trades_are_told_at_the_close_of_their_bars(market):
    rows = market.get("/v2/stocks/SPY/trades", start=OPEN.isoformat())["trades"]
    assert [(row["t"], row["p"], row["s"]) for row in rows[:2]] == [
        ("2024-03-04T14:31:00Z", 100, 1000),
        ("2024-03-04T14:32:00Z", 101, 1000),
    ]
    assert len({row["i"] for row in rows}) == len(rows) == 4


def test_the_history_of_quotes_is_the_same_forwards_and_backwards(market):
    up = market.get("/v2/stocks/SPY/quotes")["quotes"]
    down = market.get("/v2/stocks/SPY/quotes", sort="desc")["quotes"]
    assert up == down[::-1]
    assert [row["bp"] for row in up] == [101, 102, 103, 104]
    assert (
        market.get("/v2/stocks/SPY/quotes", start=(OPEN + 2 * MINUTE).isoformat(), end=(OPEN + 3 * MINUTE).isoformat())[
            "quotes"
        ]
        == up[1:3]
    )


def test_the_latest_of_everything_and_what_is_not_known_is_left_out(market):
    assert market.get("/v2/stocks/quotes/latest", symbols="SPY,QQQ")["quotes"]["SPY"]["ap"] == 105
    assert set(market.get("/v2/stocks/quotes/latest", symbols="SPY,ZZZ")["quotes"]) == {"SPY"}
    assert market.get("/v2/stocks/bars/latest", symbols="SPY,QQQ,ZZZ")["bars"]["QQQ"]["c"] == 49
    assert market.get("/v2/stocks/trades/latest", symbols="QQQ")["trades"]["QQQ"]["p"] == 49
    assert market.get("/v2/stocks/SPY/bars/latest", currency="USD")["currency"] == "USD"
    assert set(market.get("/v2/stocks/snapshots", symbols="QQQ,ZZZ")) == {"QQQ"}
    for path in ("quotes/latest", "trades/latest", "bars/latest", "snapshot"):
        assert market.refused(f"/v2/stocks/ZZZ/{path}")[0] == 404


def test_without_quotes_the_latest_one_says_where_the_market_is_as_through_the_other_door(market):
    row = market.get("/v2/stocks/QQQ/quotes/latest")["quote"]
    assert (row["t"], row["bp"], row["ap"], row["bs"]) == ("2024-03-04T14:32:00Z", 48.951, 49.049, 1000)
    assert market.get("/v2/stocks/snapshots", symbols="QQQ")["QQQ"]["latestQuote"] == row
    assert market.get("/v2/stocks/QQQ/quotes", start="2024-03-04")["quotes"] == [], "it is in no history"


def test_the_delayed_feed_is_a_quarter_of_an_hour_late(market):
    market.now = OPEN + 17 * MINUTE
    assert market.get("/v2/stocks/SPY/trades/latest", feed="delayed_sip")["trade"]["p"] == 101
    assert market.get("/v2/stocks/SPY/trades/latest", feed="iex")["trade"]["p"] == 105


def test_the_auctions_of_a_day_are_its_first_opening_and_once_it_is_over_its_last_close(market):
    found = market.get("/v2/stocks/auctions", symbols="SPY", start="2024-03-01")["auctions"]["SPY"]
    assert [(day["d"], [row["p"] for row in day["o"]], [row["p"] for row in day["c"]]) for day in found] == [
        ("2024-03-01", [90], [91]),
        ("2024-03-04", [100], []),
    ]
    assert market.get("/v2/stocks/SPY/auctions", start="2024-03-01", limit=1)["next_page_token"]


def _split(day: date, old: int, new: int) -> CorporateAction:
    kind = ActionKind.FORWARD_SPLIT if new > old else ActionKind.REVERSE_SPLIT
    return CorporateAction(kind=kind, symbol="SPY", ex_date=day, old_rate=Decimal(old), new_rate=Decimal(new))


def test_a_split_adjusts_what_lies_before_it_once_it_has_happened():
    feed = _feed()
    feed.add(_split(date(2024, 3, 4), 1, 2), _split(date(2024, 3, 5), 1, 10))
    market = Market(feed, OPEN + 4 * MINUTE)
    query = {"timeframe": "1Day", "start": "2024-03-01"}
    raw = market.get("/v2/stocks/SPY/bars", **query)["bars"]
    split = market.get("/v2/stocks/SPY/bars", adjustment="split", **query)["bars"]
    assert [row["c"] for row in raw] == [91, 103]
    assert [(row["c"], row["v"]) for row in split] == [(45.5, 4000), (103, 5000)]
    week = market.get("/v2/stocks/SPY/bars", adjustment="all", timeframe="1Month", start="2024-01-01")["bars"]
    assert (week[0]["o"], week[0]["c"]) == (45, 103)


def test_a_dividend_adjusts_by_its_share_of_the_close_before_it():
    feed = _feed()
    feed.add(
        CorporateAction(kind=ActionKind.CASH_DIVIDEND, symbol="SPY", ex_date=date(2024, 3, 4), cash=Decimal("0.91"))
    )
    market = Market(feed, OPEN + 4 * MINUTE)
    query = {"timeframe": "1Day", "start": "2024-03-01"}
    rows = market.get("/v2/stocks/SPY/bars", adjustment="dividend", **query)["bars"]
    assert [row["c"] for row in rows] == [90.09, 103]  # 91 * (1 - 0.91 / 91)
    assert [row["c"] for row in market.get("/v2/stocks/SPY/bars", adjustment="split,spin-off", **query)["bars"]] == [
        91,
        103,
    ]


@pytest.mark.parametrize(
    ("path", "query", "status", "words"),
    [
        ("/v2/stocks/bars", {"timeframe": "1Min"}, 400, "symbols is required"),
        ("/v2/stocks/bars", {"symbols": "SPY"}, 400, "timeframe is required"),
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": "61Min"}, 400, "invalid timeframe: 61Min"),
        ("/v2/stocks/bars", {"symbols": "SPY,BTC/USD", "timeframe": "1Min"}, 400, "invalid symbol: BTC/USD"),
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "limit": "0"}, 400, "limit"),
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "limit": "NaN"}, 400, "limit"),
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "limit": "10001"}, 400, "limit"),
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "start": "yesterday"}, 400, "start"),
        (
            "/v2/stocks/bars",
            {"symbols": "SPY", "timeframe": "1Min", "start": "2024-03-04", "end": "2024-03-01"},
            400,
            "end should not be before start",
        ),
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "sort": "up"}, 400, "sort"),
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "page_token": "?"}, 400, "invalid page_token"),
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "adjustment": "raw,split"}, 400, "raw"),
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "adjustment": "x"}, 400, "invalid adjustment"),
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "asof": "x"}, 400, "asof"),
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "feed": "mars"}, 400, "feed"),
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "feed": "otc"}, 403, "OTC"),
        ("/v2/stocks/bars", {"symbols": "SPY", "timeframe": "1Min", "currency": "EUR"}, 400, "currency"),
        ("/v2/stocks/bars", {"symbols": ",".join(["SPY"] * 1001), "timeframe": "1Min"}, 400, "1000"),
        ("/v2/stocks/trades/latest", {"symbols": "SPY", "limit": "1"}, 400, "unexpected query parameter(s): limit"),
        ("/v2/stocks/S%20Y/quotes/latest", {}, 400, "invalid symbol"),
        ("/v2/stocks/meta/conditions/trade", {}, 400, "tape is required"),
        ("/v2/stocks/meta/conditions/trade", {"tape": "Q"}, 400, "tape"),
        ("/v2/stocks/meta/conditions/bar", {"tape": "A"}, 400, "ticktype"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_message(market, path, query, status, words):
    found, message = market.refused(path, **query)
    assert found == status
    assert words in message


def test_the_codes_in_use_are_in_the_code_lists(market):
    trade = market.get("/v2/stocks/SPY/trades/latest")["trade"]
    assert trade["x"] in market.get("/v2/stocks/meta/exchanges")
    assert set(trade["c"]) <= set(market.get("/v2/stocks/meta/conditions/trade", tape="C"))
    row = market.get("/v2/stocks/SPY/quotes/latest")["quote"]
    assert set(row["c"]) <= set(market.get("/v2/stocks/meta/conditions/quote", tape="C"))


def test_a_gap_of_years_is_passed_over():
    old = datetime(2001, 6, 5, 15, tzinfo=UTC)
    feed = ScriptedFeed([*minutes("SPY", old, 10), *minutes("SPY", OPEN, 100)])
    market = Market(feed, OPEN + 2 * MINUTE)
    for sort in ("asc", "desc"):
        rows = market.get("/v2/stocks/SPY/bars", timeframe="1Min", start="1990-01-01", sort=sort)["bars"]
        assert sorted(row["c"] for row in rows) == [10, 100]


def test_bars_of_five_seconds_add_up_to_minutes():
    bars = [
        bar("SPY", OPEN + timedelta(seconds=5 * place), (1 + place, 2 + place, 1 + place, 2 + place), seconds=5)
        for place in range(24)
    ]
    market = Market(ScriptedFeed(bars), OPEN + timedelta(seconds=90))
    rows = market.get("/v2/stocks/SPY/bars", timeframe="1Min")["bars"]
    assert [(row["o"], row["c"], row["n"], row["v"]) for row in rows] == [(1, 13, 12, 12_000), (13, 19, 6, 6000)]


def test_a_long_history_of_quotes_is_told_in_several_pages():
    quotes = [quote("SPY", OPEN + timedelta(seconds=place), 100, 101) for place in range(60)]
    market = Market(ScriptedFeed(minutes("SPY", OPEN, 100), quotes), OPEN + DAY)
    whole = market.every_page("/v2/stocks/quotes", "quotes", symbols="SPY", start="2024-03-01", limit=7)
    assert len(whole["SPY"]) == 60
