"""A venue shows the same prices through both of its doors, value for value: in this process, and as Alpaca over a socket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.exchange.doors import SimMarket
from hydra.adapters.exchange.model import as_at_alpaca
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.feed import Feed
from hydra.adapters.markets.ladders import Listing
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.adapters.markets.synthetic import SyntheticFeed
from tests.adapters.alpaca.market_rig import market_at
from tests.contracts.test_over_http import Server
from tests.shared_data import shared_data

SETTINGS = as_at_alpaca(Decimal(100_000), half_spread=Decimal("0.0001"))
UNKNOWN = "ZZZZ"
CONTRACTS = 8
HISTORY = 120
DAYS = [
    pytest.param(("SPY",), datetime(2013, 10, 7, 13, 25, tzinfo=UTC), id="SPY 2013-10-07"),
    pytest.param(("BTC-USD", "ETH-USD"), datetime(2017, 9, 3, 10, 0, tzinfo=UTC), id="pairs 2017-09-03"),
    pytest.param(("GOOG",), datetime(2015, 12, 24, 14, 29, tzinfo=UTC), id="GOOG 2015-12-24"),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> ExchangeCalendar:
    return ExchangeCalendar(tmp_path_factory.mktemp("calendar"))


class BothDoors:
    """A venue that is stepped over the socket, and its two markets."""

    def __init__(self, server: Server, calendar: ExchangeCalendar, feed: Feed, at: datetime) -> None:
        self.venue = SimulatedVenue(feed, calendar, SETTINGS, start=at)
        self.server = server
        server.stand(self.venue)
        self.here, self.there = SimMarket(self.venue), market_at(server, lambda: self.venue.now)
        self.compared = 0

    def contracts(self, underlying: str) -> list[str]:
        """Some that trade, some that do not, and some without a bid."""
        chain = self.here.chain(underlying)
        kinds = ([each for each in chain if each.volume], [each for each in chain if each.bid is None], chain)
        return list(dict.fromkeys(each.symbol for kind in kinds for each in kind[:CONTRACTS]))

    def same(self, symbols: Sequence[str], *, steps: int, every: int) -> None:
        """Compare at every so many of the next instants, with bars asked for as an engine that misses every third."""
        after: dict[str, datetime] = {}
        for step in range(1, steps + 1):
            if not self.server.step():
                break
            if step % every:
                continue
            mine, other = self.here.poll(symbols, after), self.there.poll(symbols, after)
            assert other.quotes == mine.quotes, self.venue.now
            assert other.bars == mine.bars, self.venue.now
            self.compared += len(mine.quotes) + len(mine.bars)
            if step % (3 * every):
                after |= {bar.symbol: bar.at for bar in mine.bars}
            if step % (10 * every) == 0:
                assert self.there.history(symbols, HISTORY) == self.here.history(symbols, HISTORY), self.venue.now

    def same_chain(self, underlying: str) -> int:
        """Compare every number of every contract with the feed itself; how many contracts there are."""
        chain = self.there.chain(underlying)
        assert chain == self.here.chain(underlying) == self.venue.feed.chain(underlying, self.venue.now)
        return len(chain)


def recorded(data: Path, symbols: Sequence[str], at: datetime, *kinds: str) -> RecordedFeed:
    midnight = at.replace(hour=0, minute=0)
    return RecordedFeed.open(
        [data / kind for kind in kinds], symbols=symbols, start=midnight, end=midnight + timedelta(days=1)
    )


@pytest.mark.parametrize(("symbols", "at"), DAYS)
def test_a_recorded_day_is_the_same_through_both_doors(
    server: Server, calendar: ExchangeCalendar, symbols: tuple[str, ...], at: datetime
) -> None:
    feed = recorded(shared_data(), symbols, at, "bars", "quotes", "options")
    doors = BothDoors(server, calendar, feed, at)
    doors.same([*symbols, *doors.contracts(symbols[0]), UNKNOWN], steps=120, every=12)
    assert doors.compared > 15 * len(symbols)


def test_every_number_of_every_contract_of_a_recorded_chain_is_exact(
    server: Server, calendar: ExchangeCalendar
) -> None:
    at = datetime(2015, 12, 24, 14, 29, tzinfo=UTC)
    doors = BothDoors(server, calendar, recorded(shared_data(), ["GOOG"], at, "bars", "quotes", "options"), at)
    sizes = []
    for minutes in (2, 3, 100):
        server.move_to(doors.venue.now + timedelta(minutes=minutes))
        sizes.append(doors.same_chain("GOOG"))
    assert sizes == [733, 744, 746]
    assert doors.there.chain("GOOGL") == ()


def test_bars_without_quotes_are_the_same_through_both_doors(server: Server, calendar: ExchangeCalendar) -> None:
    at = datetime(2013, 10, 7, 13, 25, tzinfo=UTC)
    doors = BothDoors(server, calendar, recorded(shared_data(), ["SPY"], at, "bars"), at)
    doors.same(["SPY"], steps=30, every=3)
    (quote,) = doors.there.poll(["SPY"], {}).quotes
    assert quote.bid < quote.ask, "the last close with the usual spread"


def test_an_invented_market_is_the_same_through_both_doors(server: Server, calendar: ExchangeCalendar) -> None:
    symbols = ("SPY", "QQQ", "BTC-USD", "ETH-USD")
    feed = SyntheticFeed(
        7, symbols, date(2025, 1, 6), calendar, bar_seconds=60, options=Listing(underlyings=("SPY",), days=20)
    )
    doors = BothDoors(server, calendar, feed, datetime(2025, 1, 6, 14, 28, tzinfo=UTC))
    server.step()
    server.step()
    server.step()
    doors.same([*symbols, *doors.contracts("SPY"), UNKNOWN], steps=32, every=4)
    assert doors.same_chain("SPY") > 50
    assert doors.there.chain("QQQ") == ()
    assert all(each.delta is not None and each.implied_volatility is not None for each in doors.there.chain("SPY"))


@pytest.mark.drill
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("symbols", "at"), DAYS)
def test_every_instant_of_a_recorded_day_is_the_same_through_both_doors(
    server: Server, calendar: ExchangeCalendar, symbols: tuple[str, ...], at: datetime
) -> None:
    feed = recorded(shared_data(), symbols, at, "bars", "quotes", "options")
    doors = BothDoors(server, calendar, feed, at)
    doors.same([*symbols, *doors.contracts(symbols[0]), UNKNOWN], steps=2000, every=1)
    assert server.step() is False
