"""Where the suite of structures is played: SPY at 100, six contracts on it, and a calendar whose contracts trade when shares do."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from hydra.adapters.exchange.doors import SimBroker
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.standing import Books
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.model.market import AssetClass
from hydra.model.snapshot import Sessions
from hydra.model.values import replace
from hydra.ports import Broker
from tests.contracts.broker_contract import SYMBOL
from tests.contracts.stage import CASH_ACCOUNT, MINUTE, OPEN, Hand, ShortDays
from tests.contracts.structure_contract import QUOTES
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote


class OptionDays(ShortDays):
    """The calendar of the ``Broker`` suite, with contracts traded when shares are."""

    def sessions(self, at: datetime) -> Sessions:
        """Options keep the hours of shares."""
        told = super().sessions(at)
        return replace(told, by_class={**told.by_class, AssetClass.OPTION: told.by_class[AssetClass.EQUITY]})


class StructureStage(Hand):
    """One minute after the opening; the broker is in-process."""

    broker: Broker

    def __init__(self, settings: VenueSettings = CASH_ACCOUNT, books: Books | None = None) -> None:
        self.feed = ScriptedFeed([bar(SYMBOL, OPEN, (100, 100, 100, 100))], symbols=[SYMBOL])
        self._quote(OPEN + MINUTE)
        self.floor = self.venue = SimulatedVenue(self.feed, OptionDays(), settings, books)
        self.venue.advance()
        self.broker = SimBroker(self.venue)

    def serve(self, quantity: str | int | Decimal | None) -> None:
        """Let every execution be of at most so many units."""
        super().serve(quantity)

    def quotes_again(self) -> None:
        """Let a minute pass, after which everything is quoted as before."""
        at = self.venue.now + MINUTE
        self._quote(at)
        self.move_to(at)

    def end_the_day(self) -> None:
        """Quote everything through the afternoon's last minute, then go on to the next day."""
        self._quote(self.venue.now.replace(hour=20, minute=59))
        self.next_day()

    def _quote(self, at: datetime) -> None:
        self.feed.add(quote(SYMBOL, at, "99.99", "100.01"))
        self.feed.add(*(option_quote(symbol, at, bid, ask) for symbol, (bid, ask) in QUOTES.items()))
