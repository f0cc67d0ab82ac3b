"""The market never shows a bar before it has closed; the clock stops where it is told to."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

from hydra.adapters.exchange.doors import SimClock, SimMarket
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.memory.calendar import PlainCalendar
from tests.adapters.exchange.scenes import MINUTE, OPEN, SETTINGS
from tests.fakes.feed import ScriptedFeed, bar, quote


def minutes(count: int, *, days: int = 1) -> ScriptedFeed:
    """So many one-minute bars from the opening on, on so many days."""
    starts = [OPEN + timedelta(days=day) + number * MINUTE for day in range(days) for number in range(count)]
    return ScriptedFeed([bar("SPY", start, (100, 101, 99, 100)) for start in starts])


def venue_of(feed: ScriptedFeed) -> SimulatedVenue:
    return SimulatedVenue(feed, PlainCalendar(), SETTINGS)


def test_bars_appear_when_they_have_closed_and_each_is_polled_once() -> None:
    venue = venue_of(minutes(5))
    market = SimMarket(venue)
    assert market.history(["SPY"], 10) == ()
    after: dict[str, datetime] = {}
    seen = []
    while venue.advance():
        bars = market.poll(["SPY"], after).bars
        assert all(one.closes_at <= venue.now for one in bars)
        after.update({one.symbol: one.at for one in bars})
        seen += [one.at for one in bars]
    assert seen == [OPEN + number * MINUTE for number in range(5)]
    assert market.history(["SPY"], 2)[0].at == OPEN + 3 * MINUTE


def test_a_poll_catches_up_on_what_was_missed_and_a_new_symbol_gets_one_bar() -> None:
    venue = venue_of(minutes(9))
    while venue.advance():
        pass
    market = SimMarket(venue)
    assert len(market.poll(["SPY"], {"SPY": OPEN}).bars) == 8
    assert market.poll(["SPY"], {"SPY": OPEN + 8 * MINUTE}).bars == ()
    assert [one.at for one in market.poll(["SPY"], {}).bars] == [OPEN + 8 * MINUTE]


def test_quotes_are_the_latest_known() -> None:
    feed = ScriptedFeed([], [quote("SPY", OPEN, 99, 101), quote("SPY", OPEN + MINUTE, 98, 100)])
    venue = venue_of(feed)
    market = SimMarket(venue)
    assert market.poll(["SPY"], {}).quotes == ()
    venue.advance()
    assert [one.bid for one in market.poll(["SPY", "QQQ"], {}).quotes] == [99]


def test_the_clock_plays_to_the_end_of_the_feed() -> None:
    clock = SimClock(venue_of(minutes(3)))
    assert [clock.wait(5) for _ in range(4)] == [True, True, True, False]
    assert clock.now() == OPEN + 3 * MINUTE


def test_the_clock_stops_before_the_day_after_its_last() -> None:
    venue = venue_of(minutes(3, days=4))
    clock = SimClock(venue, days=2)
    steps = sum(clock.wait(5) for _ in range(20))
    assert steps == 6
    assert venue.now == OPEN + timedelta(days=1) + 3 * MINUTE


def test_a_day_that_was_interrupted_goes_on_and_counts_as_the_first() -> None:
    venue = venue_of(minutes(3, days=3))
    assert SimClock(venue, days=1).wait(5)
    clock = SimClock(venue, days=1)
    assert [clock.wait(5) for _ in range(3)] == [True, True, False]
    assert venue.now == OPEN + 3 * MINUTE
    assert SimClock(venue, days=1).wait(5)
    assert venue.now == OPEN + timedelta(days=1) + MINUTE


def test_until_ends_the_run_before_the_instant_it_objects_to() -> None:
    clock = SimClock(venue_of(minutes(5)), until=lambda coming: coming > OPEN + 2 * MINUTE)
    assert [clock.wait(5) for _ in range(3)] == [True, True, False]
    assert clock.now() == OPEN + 2 * MINUTE


def test_speed_turns_simulated_seconds_into_real_ones() -> None:
    slept: list[float] = []
    clock = SimClock(venue_of(minutes(3)), speed=30, sleep=slept.append)
    assert clock.wait(5)
    assert clock.wait(5)
    assert slept[1] == 2.0


def test_a_stop_during_the_sleep_ends_the_run_without_a_step() -> None:
    stop = threading.Event()
    venue = venue_of(minutes(3))
    clock = SimClock(venue, speed=1, stop=stop, sleep=lambda seconds: stop.set())
    before = venue.now
    assert not clock.wait(5)
    assert venue.now == before
