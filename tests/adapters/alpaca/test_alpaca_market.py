"""``AlpacaMarket`` keeps the market's contract, over a socket: before the simulated exchange, and before Alpaca where there are keys.

Alpaca's clock cannot be moved and its quotes are those of today, so there the market is asked about a weekday that is over, with a
clock of our own: of bars everything can be held, of quotes and chains only what is always so. Nothing is ordered. The same suite
is rehearsed before the simulated exchange.
"""

from __future__ import annotations

import os
import time as clock
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from pydantic import SecretStr

from hydra.adapters.alpaca.access import Access, clients_of
from hydra.adapters.alpaca.budget import Budget
from hydra.adapters.alpaca.market import AlpacaMarket
from hydra.adapters.calendar import ExchangeCalendar
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.ladders import Listing
from hydra.adapters.markets.synthetic import SyntheticFeed
from hydra.ports import Market
from tests.adapters.alpaca.market_rig import clients_at, market_at
from tests.contracts.chain_stage import ChainStage
from tests.contracts.market_contract import ChainContract, MarketContract
from tests.contracts.stage import CASH_ACCOUNT, MarketStage
from tests.contracts.test_over_http import Server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


class Behind:
    """A stage behind the socket: its market is Alpaca's, its clock is moved as a client does."""

    market: Market
    server: Server | None = None

    def __init__(self, server: Server) -> None:
        super().__init__()
        self.server = server
        server.stand(self.venue)  # type: ignore[attr-defined]  # of the stage this is mixed into
        self.market = market_at(server, self.now)  # type: ignore[attr-defined]  # likewise

    def advance(self) -> bool:
        """Over the socket, once it is there."""
        return super().advance() if self.server is None else self.server.step()  # type: ignore[misc]  # likewise


class Scene(Behind, MarketStage):
    """The market."""


class ChainScene(Behind, ChainStage):
    """The chains."""


class TestAlpacaMarket(MarketContract, ChainContract):
    @pytest.fixture
    def scene(self, server: Server) -> Scene:
        return Scene(server)

    @pytest.fixture
    def chain_scene(self, server: Server) -> ChainScene:
        return ChainScene(server)


MINUTE = timedelta(minutes=1)
KEY, SECRET = "HYDRA_ALPACA__KEY", "HYDRA_ALPACA__SECRET"
PAPER, DATA = "https://paper-api.alpaca.markets", "https://data.alpaca.markets"
SHARES, PAIR, NONE = ("SPY", "QQQ"), "BTC-USD", "ZZZZ"


class ReadOnly:
    """A market that is asked about some time on a day that is over. Subclass it and provide ``past``."""

    class Past:
        """A market and the hands of its clock."""

        def __init__(self, now: datetime) -> None:
            self.now = now
            self.market: Market

    def test_it_shows_closed_bars_of_every_class_and_no_later_ones(self, past: Past) -> None:
        symbols = [*SHARES, PAIR]
        history = past.market.history(symbols, 20)
        assert [bar.symbol for bar in history] == [symbol for symbol in symbols for _ in range(20)]
        for before, after in pairwise(history):
            assert before.closes_at <= past.now
            assert before.symbol != after.symbol or before.at < after.at
        for symbol in symbols:
            assert past.market.history([symbol], 20) == tuple(bar for bar in history if bar.symbol == symbol)

    def test_polling_gives_every_bar_once_whatever_was_missed(self, past: Past) -> None:
        symbols = [*SHARES, PAIR]
        known = {bar.symbol: [bar] for bar in past.market.poll(symbols, {}).bars}
        assert set(known) == set(symbols)
        for steps in (1, 0, 3, 2):
            past.now += steps * MINUTE
            for bar in past.market.poll(symbols, {symbol: bars[-1].at for symbol, bars in known.items()}).bars:
                known[bar.symbol].append(bar)
        for symbol, bars in known.items():
            assert tuple(bars) == past.market.history([symbol], len(bars))

    def test_a_symbol_without_prices_has_none(self, past: Past) -> None:
        answer = past.market.poll([NONE], {})
        assert (answer.quotes, answer.bars, past.market.history([NONE], 5), past.market.chain(NONE)) == ((), (), (), ())

    def test_quotes_are_of_what_was_asked_for(self, past: Past) -> None:
        quotes = past.market.poll([*SHARES, PAIR, NONE], {}).quotes
        assert {quote.symbol for quote in quotes} <= {*SHARES, PAIR}
        assert PAIR in {quote.symbol for quote in quotes}, "pairs are quoted around the clock"

    def test_a_chain_is_by_symbol_and_uncrossed(self, past: Past) -> None:
        chain = past.market.chain("SPY")
        symbols = [each.symbol for each in chain]
        assert symbols == sorted(set(symbols))
        assert any(each.bid is not None and each.ask is not None for each in chain)
        assert any(each.open_interest is not None for each in chain)


class TestReadOnlyRehearsal(ReadOnly):
    @pytest.fixture(scope="class")
    def url(self, server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
        calendar = ExchangeCalendar(tmp_path_factory.mktemp("calendar"))
        listed = Listing(underlyings=("SPY",), days=10)
        feed = SyntheticFeed(3, (*SHARES, PAIR), date(2025, 1, 6), calendar, bar_seconds=60, options=listed)
        at = datetime(2025, 1, 6, 17, 0, tzinfo=UTC)
        server.stand(SimulatedVenue(feed, calendar, CASH_ACCOUNT, start=at))
        server.step()
        return str(server.client.base_url)

    @pytest.fixture
    def past(self, url: str) -> ReadOnly.Past:
        past = self.Past(datetime(2025, 1, 6, 16, 0, tzinfo=UTC))
        past.market = AlpacaMarket(
            clients_at(url), stock_feed="iex", option_feed="indicative", bar_seconds=60, now=lambda: past.now
        )
        return past


@pytest.mark.skipif(
    not (os.environ.get(KEY) and os.environ.get(SECRET)) or os.environ.get("HYDRA_ALPACA__URL", PAPER) != PAPER,
    reason=f"no {KEY} and {SECRET} of a paper account to ask Alpaca itself with",
)
class TestAlpacaItself(ReadOnly):
    @pytest.fixture
    def past(self) -> ReadOnly.Past:
        day = datetime.now(UTC).date() - timedelta(days=7)
        day -= timedelta(days=max(0, day.weekday() - 4))
        past = self.Past(datetime.combine(day, time(17), UTC))
        access = Access(
            trading_url=PAPER,
            data_url=DATA,
            key=SecretStr(os.environ[KEY]),
            secret=SecretStr(os.environ[SECRET]),
            connect_seconds=5.0,
            read_seconds=20.0,
            order_seconds=20.0,
        )
        past.market = AlpacaMarket(
            clients_of(access, Budget(200, clock.monotonic)),
            stock_feed="iex",
            option_feed="indicative",
            bar_seconds=60,
            now=lambda: past.now,
        )
        return past
