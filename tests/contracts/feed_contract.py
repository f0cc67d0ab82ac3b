"""What every ``Feed`` keeps to, whoever plays it. A subclass says in ``fresh`` how a new one is made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from hydra.adapters.markets.feed import Feed
from hydra.model.market import Bar

Fresh = Callable[[], Feed]
BEFORE_ALL = datetime(1980, 1, 1, tzinfo=UTC)
STEPS_MAX = 300


def instants(feed: Feed, at: datetime | None = None, count: int = STEPS_MAX) -> list[datetime]:
    """At most ``count`` instants after ``at``."""
    found: list[datetime] = []
    while len(found) < count:
        coming = feed.next_after(found[-1] if found else at)
        if coming is None:
            break
        found.append(coming)
    return found


def key(bar: Bar) -> tuple[datetime, str]:
    return bar.closes_at, bar.symbol


class FeedContract:
    """Subclass it, and give it a ``fresh`` fixture that makes the same feed anew at each call."""

    @pytest.fixture
    def fresh(self) -> Fresh:
        raise NotImplementedError

    def test_symbols_fingerprint_and_description_are_stable(self, fresh: Fresh) -> None:
        one, other = fresh(), fresh()
        assert one.symbols
        assert one.symbols == other.symbols == tuple(sorted(one.symbols))
        assert one.fingerprint == other.fingerprint
        assert len(one.fingerprint) >= 12
        assert one.describe() == other.describe()
        assert "\n" not in one.describe()

    def test_instants_strictly_increase_and_are_utc(self, fresh: Fresh) -> None:
        found = instants(fresh())
        assert found
        assert all(at.utcoffset() == timedelta(0) for at in found)
        assert all(before < after for before, after in pairwise(found))

    def test_an_instant_is_named_from_anywhere_before_it(self, fresh: Fresh) -> None:
        feed = fresh()
        found = instants(feed, count=50)
        assert feed.next_after(BEFORE_ALL) == found[0]
        for before, after in pairwise(found):
            assert feed.next_after(after - timedelta(microseconds=1)) == after
            assert feed.next_after(before) == after

    def test_before_the_first_instant_nothing_is_known(self, fresh: Fresh) -> None:
        feed = fresh()
        early = instants(feed, count=1)[0] - timedelta(microseconds=1)
        assert feed.bars(BEFORE_ALL, early) == ()
        assert feed.quotes(early) == {}
        assert all(feed.history(symbol, early, 10) == () for symbol in feed.symbols)

    def test_something_becomes_known_at_every_instant(self, fresh: Fresh) -> None:
        feed = fresh()
        at = BEFORE_ALL
        for coming in instants(feed):
            news = [quote for quote in feed.quotes(coming).values() if quote.at == coming]
            assert news or feed.bars(at, coming)
            at = coming

    def test_no_bar_is_shown_before_it_has_closed_nor_twice(self, fresh: Fresh) -> None:
        feed = fresh()
        at = BEFORE_ALL
        shown: list[Bar] = []
        for coming in instants(feed):
            bars = feed.bars(at, coming)
            assert all(at < bar.closes_at <= coming for bar in bars)
            shown.extend(bars)
            at = coming
        assert [key(bar) for bar in shown] == sorted({key(bar) for bar in shown})
        assert tuple(shown) == fresh().bars(BEFORE_ALL, at)

    def test_bars_are_those_after_one_time_up_to_and_including_another(self, fresh: Fresh) -> None:
        feed = fresh()
        last = instants(feed, count=60)[-1]
        bars = feed.bars(BEFORE_ALL, last)
        middle = bars[len(bars) // 2].closes_at
        assert feed.bars(BEFORE_ALL, middle) + feed.bars(middle, last) == bars
        assert feed.bars(middle, middle) == ()
        assert feed.bars(last, middle) == ()

    def test_bars_of_a_symbol_do_not_overlap(self, fresh: Fresh) -> None:
        feed = fresh()
        bars = feed.bars(BEFORE_ALL, instants(feed)[-1])
        for symbol in feed.symbols:
            own = [bar for bar in bars if bar.symbol == symbol]
            assert all(before.closes_at <= after.at for before, after in pairwise(own))

    def test_a_quote_is_known_at_its_own_time_and_never_from_the_future(self, fresh: Fresh) -> None:
        feed = fresh()
        latest: dict[str, datetime] = {}
        for at in instants(feed):
            quotes = feed.quotes(at)
            assert set(latest) <= set(quotes)
            for symbol, quote in quotes.items():
                assert quote.symbol == symbol
                assert latest.get(symbol, BEFORE_ALL) <= quote.at <= at
                assert quote.bid <= quote.ask
                assert feed.quotes(quote.at)[symbol] == quote
                latest[symbol] = quote.at

    def test_history_is_the_end_of_what_was_shown(self, fresh: Fresh) -> None:
        feed = fresh()
        for at in instants(feed)[::37]:
            shown = feed.bars(BEFORE_ALL, at)
            for symbol in feed.symbols:
                own = tuple(bar for bar in shown if bar.symbol == symbol)
                assert feed.history(symbol, at, 10_000) == own
                assert feed.history(symbol, at, 5) == own[-5:]
                assert feed.history(symbol, at, 0) == ()

    def test_a_symbol_that_is_not_played_has_no_history(self, fresh: Fresh) -> None:
        feed = fresh()
        assert feed.history("ZZZZ", instants(feed)[-1], 5) == ()

    def test_a_fresh_feed_asked_anywhere_answers_as_one_that_was_played(self, fresh: Fresh) -> None:
        played = fresh()
        found = instants(played)
        for before, at in pairwise(found):
            played.bars(before, at)
            played.quotes(at)
        for before, at in list(pairwise(found))[::60]:
            restarted = fresh()
            assert restarted.next_after(before) == at
            assert restarted.bars(before, at) == played.bars(before, at)
            assert restarted.quotes(at) == played.quotes(at)
            for symbol in played.symbols:
                assert restarted.history(symbol, at, 20) == played.history(symbol, at, 20)

    def test_going_back_in_time_changes_nothing(self, fresh: Fresh) -> None:
        feed = fresh()
        found = instants(feed, count=40)
        forward = [(feed.bars(BEFORE_ALL, at), feed.quotes(at)) for at in found]
        backward = [(feed.bars(BEFORE_ALL, at), feed.quotes(at)) for at in reversed(found)]
        assert forward == backward[::-1]
