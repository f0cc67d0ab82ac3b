"""Where the suite of chains is played: SPY with more contracts than fit into one answer, and QQQ without any."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from hydra.adapters.exchange.doors import SimMarket
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.model.market import AssetClass, Bar, OptionQuote, Quote
from hydra.model.snapshot import Sessions
from hydra.model.values import replace
from hydra.ports import Market
from tests.contracts.stage import CASH_ACCOUNT, MINUTE, OPEN
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote

_GREEKS = {"delta": "0.55", "gamma": "0.04", "theta": "-0.1", "vega": "0.06", "implied_volatility": "0.2"}
_EVENING = OPEN + timedelta(hours=7)


class OptionDays(PlainCalendar):
    """The plain calendar, with contracts traded when shares are."""

    def sessions(self, at: datetime) -> Sessions:
        plain = super().sessions(at)
        shares = plain.by_class[AssetClass.EQUITY]
        return replace(plain, by_class={**plain.by_class, AssetClass.OPTION: shares})


class ChainStage:
    """At the first minute; the market is in-process."""

    CALL, PUT, IDLE = "SPY240315C00100000", "SPY240315P00095000", "SPY240315C00300000"
    LISTED_LATER, LAPSING = "SPY240419C00100000", "SPY240304C00100000"
    contracts = tuple(f"SPY241220C{strike * 1000:08}" for strike in range(400, 1402))
    market: Market

    def __init__(self) -> None:
        self.venue = SimulatedVenue(_feed(), OptionDays(), CASH_ACCOUNT)
        self.market = SimMarket(self.venue)
        self.advance()

    def now(self) -> datetime:
        """The market's time."""
        return self.venue.now

    def advance(self) -> bool:
        """Let a minute happen; False at the end."""
        return self.venue.advance()

    def close_the_day(self) -> None:
        """Go on to half an hour after the close."""
        while self.now() < _EVENING:
            assert self.advance()


@lru_cache(maxsize=1)
def _feed() -> ScriptedFeed:
    """Shared: a market's suite only reads it."""
    stage = ChainStage
    feed = ScriptedFeed(symbols=["SPY", "QQQ"])
    first = OPEN + MINUTE
    what: list[Bar | Quote | OptionQuote] = [
        bar("SPY", OPEN, (100, 100, 100, 100)),
        bar("QQQ", OPEN, (50, 50, 50, 50)),
        bar(stage.CALL, OPEN, ("1.15", "1.15", "1.15", "1.15")),
        option_quote(stage.PUT, first, None, "0.05", 3, open_interest=0, volume=0),
        option_quote(stage.IDLE, first, None, None, volume=0),
        option_quote(stage.LAPSING, first, 1, 2, volume=0),
        option_quote(stage.LISTED_LATER, first + 2 * MINUTE, 3, 4, open_interest=5, volume=0),
        quote("SPY", _EVENING, 104, 105),
    ]
    for minute in range(5):
        at, bid = first + minute * MINUTE, Decimal("1.10") + Decimal(minute) / 100
        call = option_quote(stage.CALL, at, bid, bid + Decimal("0.1"), 7, open_interest=1234, volume=1000, **_GREEKS)
        what += [quote("SPY", at, 100 + minute, 101 + minute), replace(call, ask_size=Decimal(9))]
    what += [option_quote(symbol, first, 1, 2, open_interest=10, volume=0) for symbol in stage.contracts]
    feed.add(*what)
    return feed
