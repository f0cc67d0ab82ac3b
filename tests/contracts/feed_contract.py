"""What every ``Feed`` keeps to, whoever plays it. A subclass says in ``fresh`` how a new one is made."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from hydra.adapters.calendar import NEW_YORK
from hydra.adapters.markets.feed import Feed, as_opens, lapses_at, root_of
from hydra.model.market import AssetClass, Bar, OptionContract, OptionQuote, asset_class_of

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


def chains(feed: Feed, at: datetime) -> dict[str, OptionQuote]:
    """Every quote of every chain, by contract."""
    return {row.symbol: row for symbol in feed.symbols for row in feed.chain(symbol, at)}


def some_contracts(feed: Feed, count: int = 12) -> tuple[str, ...]:
    """A few contracts from all over the list."""
    return feed.contracts[:: max(1, len(feed.contracts) // count)]


def sides(row: OptionQuote) -> tuple:
    return row.at, row.bid, row.bid_size, row.ask, row.ask_size


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
            opens = as_opens(feed)
            opened = [] if opens is None else [one for one in opens.openings(coming).values() if one.at == coming]
            assert news or opened or feed.bars(at, coming) or self.option_news(feed, coming)
            at = coming

    def option_news(self, feed: Feed, at: datetime) -> bool:
        if any(row.at == at for row in chains(feed, at).values()):
            return True
        trades = (feed.history(contract, at, 1) for contract in feed.contracts)
        return any(bars[0].closes_at == at for bars in trades if bars)

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

    def test_contracts_and_actions_are_named_in_order_and_stable(self, fresh: Fresh) -> None:
        one, other = fresh(), fresh()
        assert one.contracts == other.contracts == tuple(sorted(set(one.contracts)))
        roots = {root_of(symbol) for symbol in one.symbols}
        assert {OptionContract.parse(contract).root for contract in one.contracts} <= roots
        assert one.actions == other.actions
        assert [action.ex_date for action in one.actions] == sorted(action.ex_date for action in one.actions)
        assert {action.symbol for action in one.actions} <= set(one.symbols)

    def test_contracts_are_shown_in_chains_only(self, fresh: Fresh) -> None:
        feed = fresh()
        last = instants(feed)[-1]
        shown = {bar.symbol for bar in feed.bars(BEFORE_ALL, last)} | set(feed.quotes(last)) | set(feed.symbols)
        assert all(asset_class_of(symbol) is not AssetClass.OPTION for symbol in shown)
        assert set(chains(feed, last)) <= set(feed.contracts)
        assert feed.chain("ZZZZ", last) == ()
        assert feed.option_quote("ZZZZ300118C00100000", last) is None

    def test_before_the_first_instant_no_option_is_quoted(self, fresh: Fresh) -> None:
        feed = fresh()
        early = instants(feed, count=1)[0] - timedelta(microseconds=1)
        assert chains(feed, early) == {}
        assert all(feed.option_quote(contract, early) is None for contract in some_contracts(feed, 50))
        assert all(feed.history(contract, early, 5) == () for contract in some_contracts(feed, 50))

    def test_an_option_quote_is_known_at_its_own_time_and_never_from_the_future(self, fresh: Fresh) -> None:
        feed = fresh()
        latest: dict[str, datetime] = {}
        for at in instants(feed)[::9]:
            rows = chains(feed, at)
            assert set(latest) <= {*rows, *(name for name in latest if lapses_at(OptionContract.parse(name)) <= at)}
            for symbol, row in rows.items():
                assert latest.get(symbol, BEFORE_ALL) <= row.at <= at
                latest[symbol] = row.at
            for symbol in sorted(rows)[::23]:
                early = feed.option_quote(symbol, rows[symbol].at)
                assert early is not None
                assert sides(early) == sides(rows[symbol])

    def test_a_chain_is_sorted_unexpired_and_agrees_with_each_contracts_quote(self, fresh: Fresh) -> None:
        feed = fresh()
        for at in instants(feed)[::37]:
            for symbol in feed.symbols:
                rows = feed.chain(symbol, at)
                assert [row.symbol for row in rows] == sorted({row.symbol for row in rows})
                assert all(lapses_at(OptionContract.parse(row.symbol)) > at for row in rows)
                assert all(feed.option_quote(row.symbol, at) == row for row in rows)
            quoted = {name for name in feed.contracts if feed.option_quote(name, at) is not None}
            live = {name for name in quoted if lapses_at(OptionContract.parse(name)) > at}
            assert set(chains(feed, at)) == live

    def test_an_expired_contract_is_not_in_the_chain(self, fresh: Fresh) -> None:
        feed = fresh()
        for contract in some_contracts(feed):
            end = lapses_at(OptionContract.parse(contract))
            alive = set(chains(feed, end - timedelta(microseconds=1)))
            assert (contract in alive) is (feed.option_quote(contract, end) is not None)
            assert contract not in chains(feed, end)

    def test_a_contracts_volume_is_that_of_its_bars_of_the_day(self, fresh: Fresh) -> None:
        feed = fresh()
        for at in instants(feed)[::61]:
            for contract in some_contracts(feed):
                row = feed.option_quote(contract, at)
                bars = feed.history(contract, at, 10_000)
                assert all(bar.symbol == contract and bar.closes_at <= at for bar in bars)
                assert all(before.closes_at <= after.at for before, after in pairwise(bars))
                assert bars[-3:] == feed.history(contract, at, 3)
                if row is not None and row.volume is not None:
                    day = at.astimezone(NEW_YORK).date()
                    today = [bar for bar in bars if bar.at.astimezone(NEW_YORK).date() == day]
                    assert row.volume == sum(bar.volume for bar in today)

    def test_a_fresh_feed_shows_the_chains_that_were_played(self, fresh: Fresh) -> None:
        played = fresh()
        found = instants(played)[::75]
        forward = [chains(played, at) for at in found]
        backward = [chains(played, at) for at in reversed(found)]
        assert forward == backward[::-1]
        restarted = fresh()
        for at, rows in list(zip(found, forward, strict=True))[-2:]:
            assert chains(restarted, at) == rows
