"""What is told of the market as it is played."""

from __future__ import annotations

from datetime import timedelta

from hydra.adapters.exchange.server.data.tape import View
from hydra.adapters.exchange.server.streams.line import LETTERS, Line, News
from hydra.model.market import AssetClass
from tests.adapters.exchange.server.data.asking import MINUTE, OPEN, minutes
from tests.adapters.exchange.server.scenes import Calendar
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote

CALL = "SPY240308C00100000"


def _told(feed: ScriptedFeed, line: Line, now, *channels: str, symbol: str = "*") -> list[News]:
    view = View(feed, Calendar(), now)
    wanted = {key: {symbol} for key in channels or LETTERS}
    return [
        news for at in line.instants(view) for news in line.tell(view, at, lambda channel: wanted.get(channel, set()))
    ]


def test_an_instant_is_told_in_order_and_once():
    feed = ScriptedFeed(minutes("SPY", OPEN, 100, 101), [quote("SPY", OPEN + MINUTE, 99, 101)])
    line = Line(AssetClass.EQUITY, timedelta(0), OPEN)
    told = _told(feed, line, OPEN + MINUTE, "dailyBars", "bars", "quotes", "trades")
    assert [each.channel for each in told] == ["trades", "quotes", "bars", "dailyBars"]
    assert all(each.symbol == "SPY" for each in told)
    assert _told(feed, line, OPEN + MINUTE) == []
    assert [each.row["c"] for each in _told(feed, line, OPEN + 2 * MINUTE, "bars")] == [101]


def test_nothing_that_was_known_before_is_told():
    feed = ScriptedFeed(minutes("SPY", OPEN, 100, 101, 102))
    line = Line(AssetClass.EQUITY, timedelta(0), OPEN + MINUTE)
    assert [each.row["c"] for each in _told(feed, line, OPEN + 3 * MINUTE, "bars")] == [101, 102]


def test_a_late_line_tells_the_same_later():
    feed = ScriptedFeed(minutes("SPY", OPEN, 100, 101))
    line = Line(AssetClass.EQUITY, timedelta(minutes=15), OPEN)
    assert _told(feed, line, OPEN + 15 * MINUTE, "bars") == []
    assert [each.row["c"] for each in _told(feed, line, OPEN + 16 * MINUTE, "bars")] == [100]


def test_a_minute_of_short_bars_is_told_when_it_is_over_even_if_its_last_bar_is_missing():
    five = timedelta(seconds=5)
    bars = [bar("SPY", OPEN + place * five, (place + 1,) * 4, seconds=5) for place in range(26) if place != 11]
    line = Line(AssetClass.EQUITY, timedelta(0), OPEN)
    feed = ScriptedFeed([*bars, bar("QQQ", OPEN + 11 * five, (1, 1, 1, 1), seconds=5)])
    told = _told(feed, line, OPEN + 5 * MINUTE, "bars", symbol="SPY")
    assert [(each.row["t"], each.row["o"], each.row["c"], each.row["n"]) for each in told] == [
        (OPEN, 1, 11, 11),
        (OPEN + MINUTE, 13, 24, 12),
    ]


def test_longer_bars_are_told_bar_by_bar():
    feed = ScriptedFeed([bar("SPY", OPEN + step * 5 * MINUTE, (1, 2, 1, 2), seconds=300) for step in range(3)])
    told = _told(feed, Line(AssetClass.EQUITY, timedelta(0), OPEN), OPEN + 15 * MINUTE, "bars")
    assert [each.row["t"] for each in told] == [OPEN, OPEN + 5 * MINUTE, OPEN + 10 * MINUTE]


def test_the_day_as_it_stands_is_told_with_every_bar_of_the_session():
    feed = ScriptedFeed(minutes("SPY", OPEN - MINUTE, 90, 100, 101))
    told = _told(feed, Line(AssetClass.EQUITY, timedelta(0), OPEN - MINUTE), OPEN + 2 * MINUTE, "dailyBars")
    assert [(each.row["o"], each.row["c"], each.row["v"]) for each in told] == [(90, 100, 2000), (90, 101, 3000)]


def test_quotes_of_contracts_and_books_of_pairs():
    quotes = [quote("BTC-USD", OPEN + MINUTE, 99, 101)]
    feed = ScriptedFeed([bar(CALL, OPEN, (1, 1, 1, 1))], quotes, options=[option_quote(CALL, OPEN + MINUTE, 1, 2)])
    options = _told(feed, Line(AssetClass.OPTION, timedelta(0), OPEN), OPEN + MINUTE)
    assert [(each.channel, each.symbol) for each in options if each.channel in ("trades", "quotes")] == [
        ("trades", CALL),
        ("quotes", CALL),
    ]
    pairs = _told(feed, Line(AssetClass.CRYPTO, timedelta(0), OPEN), OPEN + MINUTE, "orderbooks")
    assert [(each.symbol, each.row["r"]) for each in pairs] == [("BTC-USD", True)]
