"""A journal's looks as a feed: the contract of every feed, and nothing known before it was looked at."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.markets.journal import JournalFeed
from hydra.adapters.markets.synthetic import SyntheticFeed
from hydra.model.market import OptionQuote
from hydra.model.snapshot import ChainNews, Observed
from tests.contracts.feed_contract import FeedContract, Fresh, instants
from tests.fakes.feed import bar, option_quote, quote

AT = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PUT = "SPY240315P00500000"


def look(number: int, **news: object) -> Observed:
    return Observed(cycle=number, at=AT + number * MINUTE, **news)  # type: ignore[arg-type]  # fields of a look


def looked_at() -> JournalFeed:
    """What somebody journals who looks at an invented market as it moves."""
    source = SyntheticFeed(7, ("SPY", "BTC-USD"), date(2024, 7, 3), ExchangeCalendar(), bar_seconds=300)
    feed = JournalFeed()
    before = None
    for number, at in enumerate(instants(source, count=150), start=1):
        bars = source.bars(before or at - timedelta(days=1), at)
        feed.take(Observed(cycle=number, at=at, bars=bars, quotes=tuple(source.quotes(at).values())))
        before = at
    feed.list_also(("AAPL",))
    return feed


class TestJournal(FeedContract):
    @pytest.fixture
    def fresh(self) -> Fresh:
        return looked_at


def chain(*quotes: OptionQuote, gone: tuple[str, ...] = ()) -> tuple[ChainNews, ...]:
    return (ChainNews(underlying="SPY", quotes=quotes, gone=gone),)


def test_what_was_not_looked_at_yet_is_not_known_and_what_is_gone_is_gone() -> None:
    feed = JournalFeed()
    feed.take(look(1, bars=(bar("SPY", AT, (1, 2, 1, 2)),), quotes=(quote("SPY", AT, 1, 2),)))
    feed.take(look(2, chains=chain(option_quote(PUT, AT + MINUTE, 1, 2))))
    feed.take(look(3, quotes=(quote("SPY", AT + 3 * MINUTE, 3, 4),), chains=chain(gone=(PUT,))))
    assert feed.instants == tuple(AT + number * MINUTE for number in (1, 2, 3))
    assert feed.quotes(AT) == {}
    assert [feed.quotes(AT + number * MINUTE)["SPY"].bid for number in (1, 2, 3)] == [1, 1, 3]
    assert [len(feed.chain("SPY", AT + number * MINUTE)) for number in (1, 2, 3)] == [0, 1, 0]
    assert feed.history("SPY", AT, 9) == ()
    assert len(feed.history("SPY", AT + MINUTE, 9)) == 1


def test_a_window_that_a_segment_repeats_is_there_once_and_a_clock_that_goes_back_adds_nothing() -> None:
    feed = JournalFeed()
    first, second = bar("SPY", AT, (1, 2, 1, 2)), bar("SPY", AT + MINUTE, (2, 3, 2, 3))
    feed.take(look(1, bars=(first,)))
    feed.take(look(2, keyframe=True, bars=(first, second)))
    feed.take(look(1, quotes=(quote("SPY", AT, 1, 2),)))
    assert feed.history("SPY", AT + 5 * MINUTE, 9) == (first, second)
    assert feed.quotes(AT + 5 * MINUTE) == {}
