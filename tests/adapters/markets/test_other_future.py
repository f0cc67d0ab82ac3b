"""A feed with another future: a feed like any other, the same up to its moment, and another one after it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from hydra.adapters.markets.feed import Feed
from hydra.adapters.markets.other_future import Future, OtherFuture
from hydra.model.market import Bar, OptionQuote, Quote
from tests.contracts.feed_contract import FeedContract, Fresh, instants
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote

OPEN = datetime(2024, 6, 28, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MOMENT = OPEN + 30 * MINUTE
CALL = "SPY240705C00500000"


def rising() -> ScriptedFeed:
    """An hour in which SPY rises by ten cents a minute; it is at 103 when the future begins."""
    minutes = [OPEN + number * MINUTE for number in range(60)]
    prices = [Decimal(100) + Decimal(number) / 10 for number in range(61)]
    bars = [bar("SPY", at, (prices[n], prices[n + 1], prices[n], prices[n + 1])) for n, at in enumerate(minutes)]
    quotes = [quote("SPY", at + MINUTE, prices[n + 1] - 1, prices[n + 1] + 1) for n, at in enumerate(minutes)]
    contracts = [option_quote(CALL, at + MINUTE, "1.9" if n % 2 else None, "2.1") for n, at in enumerate(minutes)]
    feed = ScriptedFeed(symbols=["SPY"])
    rows: list[Bar | Quote | OptionQuote] = [*bars, *quotes, *contracts]
    for row in rows:
        feed.add(row)
    return feed


class TestBent(FeedContract):
    @pytest.fixture
    def fresh(self) -> Fresh:
        return lambda: OtherFuture(rising(), MOMENT, Future.BENT)


class TestCutOff(FeedContract):
    @pytest.fixture
    def fresh(self) -> Fresh:
        return lambda: OtherFuture(rising(), MOMENT, Future.CUT)


def known(feed: Feed, at: datetime) -> tuple[object, ...]:
    """All that a feed says at a time."""
    return (
        feed.bars(at - 10 * MINUTE, at),
        feed.history("SPY", at, 100),
        feed.history(CALL, at, 100),
        feed.quotes(at),
        feed.option_quote(CALL, at),
        feed.chain("SPY", at),
    )


@pytest.mark.parametrize("future", Future)
def test_up_to_its_moment_it_is_the_same(future: Future) -> None:
    feed, other = rising(), OtherFuture(rising(), MOMENT, future)
    before = [at for at in instants(feed) if at <= MOMENT]
    assert instants(other)[: len(before)] == before
    for at in before:
        assert known(other, at) == known(feed, at)


def test_bent_what_rose_falls_by_as_much() -> None:
    other = OtherFuture(rising(), MOMENT, Future.BENT)
    pivot = other.history("SPY", MOMENT, 1)[0].close
    assert pivot == 103
    for row in other.history("SPY", OPEN + 60 * MINUTE, 30):
        true = Decimal(100) + Decimal((row.at - OPEN) // MINUTE + 1) / 10
        assert row.close <= row.open <= pivot
        assert abs(row.close - pivot * pivot / true) <= Decimal("0.5"), "to the places that these prices have"
    last = other.quotes(OPEN + 60 * MINUTE)["SPY"]
    assert last.bid < last.ask < pivot
    assert other.option_quote(CALL, OPEN + 60 * MINUTE) == option_quote(CALL, OPEN + 60 * MINUTE, "3.8", "4.2")


def test_cut_off_it_is_over_and_says_nothing_more() -> None:
    other = OtherFuture(rising(), MOMENT, Future.CUT)
    assert other.next_after(MOMENT) is None
    late = OPEN + 60 * MINUTE
    assert other.bars(MOMENT, late) == ()
    assert other.history("SPY", late, 5) == rising().history("SPY", MOMENT, 5)
    assert (other.quotes(late), other.chain("SPY", late)) == (rising().quotes(MOMENT), rising().chain("SPY", MOMENT))
    assert other.option_quote(CALL, late) == rising().option_quote(CALL, MOMENT)


def test_a_symbol_that_had_no_price_by_then_stays_as_it_is() -> None:
    other = OtherFuture(rising(), OPEN - MINUTE, Future.BENT)
    assert other.history("SPY", OPEN + 60 * MINUTE, 60) == rising().history("SPY", OPEN + 60 * MINUTE, 60)
