"""Where the suites of ``Broker`` and ``Market`` are played: a simulated venue, a script, and a hand on both.

Every adapter's scene stands on this stage, whichever door of the venue it goes through; it adds its own broker or market. The
hand reaches into the venue directly, as the world would: another client, the exchange's day, whoever keeps the account.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

from hydra.adapters.exchange.doors import SimBroker, SimMarket
from hydra.adapters.exchange.model import Activity, ActivityKind, VenueSettings, as_at_alpaca
from hydra.adapters.exchange.standing import Books
from hydra.adapters.exchange.terms import Request
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.adapters.memory.calendar import PlainCalendar
from hydra.model.market import AssetClass, Bar, Quote
from hydra.model.orders import OrderType, Side, TimeInForce
from hydra.model.snapshot import Sessions
from hydra.model.values import replace
from hydra.ports import Broker, Market
from tests.contracts.broker_contract import PAIR, SYMBOL
from tests.fakes.feed import Number, ScriptedFeed, bar, quote

OPEN = datetime(2024, 3, 4, 14, 30, tzinfo=UTC)
"""A Monday's opening."""
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
CASH_ACCOUNT = VenueSettings(starting_cash=Decimal(10_000))
MARGIN_ACCOUNT = VenueSettings(starting_cash=Decimal(10_000), multiplier=2, shorting=True)
ALPACA_ACCOUNT = as_at_alpaca(Decimal(10_000))


class ShortDays(PlainCalendar):
    """The plain calendar of a week in which the exchange closes early every day, with the night before the pre-market."""

    CLOSES = time(18, 0, tzinfo=UTC)
    DAY_BEGINS = time(9, 0, tzinfo=UTC)

    def sessions(self, at: datetime) -> Sessions:
        """Closed between midnight and 04:00 in New York, so that a day has an end."""
        told = super().sessions(at)
        if at.timetz() >= self.DAY_BEGINS:
            return told
        shares = replace(told.by_class[AssetClass.EQUITY], phase="closed")
        return replace(told, by_class={**told.by_class, AssetClass.EQUITY: shares})


class Hand:
    """What a scene of the ``Broker`` suite has to offer beside its broker. ``move_to`` is how its door moves the clock.

    ``floor`` is the venue itself; ``venue`` may be something that stands before it.
    """

    feed: ScriptedFeed
    venue: SimulatedVenue
    floor: SimulatedVenue
    shows_waiting_exits = False

    def move_to(self, at: datetime) -> None:
        """Move the venue's clock to ``at``, through every instant on the way."""
        self.venue.advance_to(at)

    def play(self, first: Number, high: Number, low: Number, last: Number) -> None:
        """Let the next minute of SPY happen."""
        at = self.venue.now
        self.feed.add(bar(SYMBOL, at, (first, high, low, last)))
        self.move_to(at + MINUTE)

    def next_day(self) -> None:
        """Let the session end, and a minute of the next one pass, in which SPY is quoted as on the first."""
        opening = datetime.combine(self.venue.now.date() + DAY, OPEN.timetz())
        self.feed.add(quote(SYMBOL, opening + MINUTE, "99.99", "100.01"))
        self.move_to(opening + MINUTE)

    def quote_pair(self) -> None:
        """Let a minute pass, in which BTC-USD is quoted around 20,000."""
        at = self.venue.now + MINUTE
        self.feed.add(quote(PAIR, at, 19_990, 20_010))
        self.move_to(at)

    def serve(self, quantity: Number | None) -> None:
        """Let every execution be of at most this many shares; ``None``: of any number."""
        most = None if quantity is None else Decimal(quantity)
        self.floor.ration = None if most is None else lambda _, wanted: min(wanted, most)

    def block(self) -> None:
        """Have the venue bar the account from trading."""
        self.venue.set_standing("ACTIVE", blocked=True)

    def crowd(self, count: int) -> None:
        """Let another client of the account rest so many orders."""
        for number in range(count):
            self._place(f"rest-{number:04d}", Side.BUY, Decimal(1))

    def churn(self, count: int) -> None:
        """Let another client of the account have so many executions, of one share each, in which nothing is won."""
        for number in range(count):
            self._place(f"churn-{number:04d}", Side.SELL if number % 2 else Side.BUY, None)

    def dividend(self, dollars: Number) -> None:
        """Let SPY pay so much a share to who holds it at the end of this day; it is paid before the next one opens."""
        self._act(ActionKind.CASH_DIVIDEND, cash=Decimal(dollars))

    def split(self, new: Number, old: Number = 1) -> None:
        """Let so many shares of SPY become so many before the next day opens."""
        new_rate, old_rate = Decimal(new), Decimal(old)
        kind = ActionKind.FORWARD_SPLIT if new_rate > old_rate else ActionKind.REVERSE_SPLIT
        self._act(kind, new_rate=new_rate, old_rate=old_rate)

    def rename(self, symbol: str) -> None:
        """Let SPY be called otherwise before the next day opens."""
        self._act(ActionKind.NAME_CHANGE, new_symbol=symbol)

    def charge(self, dollars: Number, minutes_ago: int = 0) -> None:
        """Let the venue post a fee now, with a time that may have passed."""
        fee = Activity(number=0, kind=ActivityKind.FEE, at=self.venue.now, amount=-Decimal(dollars), description="late")
        with self.floor._changing() as desk:  # what a clearing house does is no part of an exchange's interface
            desk.enter(fee, self.venue.now - minutes_ago * MINUTE)

    def again(self) -> Broker:
        """A broker that has seen nothing yet, on the same account."""
        return SimBroker(self.venue)

    def _act(self, kind: ActionKind, **terms: Decimal | str) -> None:
        ex_date = self.venue.now.date() + DAY
        self.feed.add(CorporateAction(kind=kind, symbol=SYMBOL, ex_date=ex_date, **terms))  # type: ignore[arg-type]  # as the kind wants them

    def _place(self, client_id: str, side: Side, limit: Decimal | None) -> None:
        self.venue.place(
            Request(
                client_id=client_id,
                symbol=SYMBOL,
                side=side,
                order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
                time_in_force=TimeInForce.DAY,
                quantity=Decimal(1),
                limit=limit,
            )
        )


class BrokerStage(Hand):
    """SPY at 100.00 (99.99 to 100.01) one minute after the opening, in an account of 10,000; the broker is in-process."""

    broker: Broker

    def __init__(self, settings: VenueSettings = CASH_ACCOUNT, books: Books | None = None) -> None:
        self.feed = ScriptedFeed(
            [bar(SYMBOL, OPEN, (100, 100, 100, 100))],
            [quote(SYMBOL, OPEN + MINUTE, "99.99", "100.01")],
            symbols=[SYMBOL, PAIR],
        )
        self.floor = self.venue = SimulatedVenue(self.feed, ShortDays(), settings, books)
        self.venue.advance()
        self.broker = SimBroker(self.venue)


class MarketStage:
    """Four days of SPY in minutes, and QQQ and BTC-USD beside it, before the third minute of the last; the market is in-process."""

    market: Market
    others = ("QQQ", PAIR)
    past = 1200

    def __init__(self) -> None:
        self.venue = SimulatedVenue(_market(), PlainCalendar(), CASH_ACCOUNT, start=_minutes()[self.past] + MINUTE)
        self.market = SimMarket(self.venue)
        self.advance()
        self.advance()

    def now(self) -> datetime:
        """The market's time."""
        return self.venue.now

    def advance(self) -> bool:
        """Let a minute happen; False at the end."""
        return self.venue.advance()


@lru_cache(maxsize=1)
def _minutes() -> tuple[datetime, ...]:
    """The minutes of four short sessions after each other."""
    return tuple(OPEN + day * DAY + minute * MINUTE for day in range(4) for minute in range(330))


@lru_cache(maxsize=1)
def _market() -> ScriptedFeed:
    """SPY goes up by a cent a minute; the others stand still. Shared: a market's suite only reads it."""
    feed = ScriptedFeed(symbols=[SYMBOL, "QQQ", PAIR])
    what: list[Bar | Quote] = []
    for number, at in enumerate(_minutes()):
        price = 100 + Decimal(number) / 100
        what += [bar(SYMBOL, at, (price, price, price, price)), quote(SYMBOL, at + MINUTE, price, price + 1)]
        if number >= MarketStage.past:
            what += [bar("QQQ", at, (50, 51, 49, 50)), quote("QQQ", at + MINUTE, "49.99", "50.01")]
            what += [bar(PAIR, at, (20_000, 20_100, 19_900, 20_000)), quote(PAIR, at + MINUTE, 19_990, 20_010)]
    feed.add(*what)
    return feed
