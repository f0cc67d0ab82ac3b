"""A feed of bars alone shows where its market is, and the venue does not trade on what it only shows."""

from __future__ import annotations

from decimal import Decimal

from hydra.adapters.exchange.doors import SimMarket
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.memory.calendar import PlainCalendar
from tests.fakes.feed import ScriptedFeed, bar
from tests.fakes.outside import MINUTE, OPEN


def market(*, half_spread: str) -> tuple[SimMarket, SimulatedVenue]:
    feed = ScriptedFeed(bars=[bar("SPY", OPEN, (100, 101, 99, 100)), bar("SPY", OPEN + MINUTE, (100, 102, 100, 102))])
    settings = VenueSettings(starting_cash=Decimal(1000), half_spread=Decimal(half_spread))
    venue = SimulatedVenue(feed, PlainCalendar(), settings)
    venue.advance()
    return SimMarket(venue), venue


def test_without_quotes_the_last_close_is_quoted_with_the_usual_spread() -> None:
    doors, venue = market(half_spread="0.001")
    (shown,) = doors.poll(["SPY"], {}).quotes
    assert (shown.bid, shown.ask, shown.at) == (Decimal("99.900"), Decimal("100.100"), venue.now)
    assert shown.at > OPEN
    venue.advance()
    assert doors.poll(["SPY"], {}).quotes[0].mid == 102


def test_the_venue_itself_has_no_such_quote() -> None:
    _, venue = market(half_spread="0.001")
    assert venue.quotes() == {}
