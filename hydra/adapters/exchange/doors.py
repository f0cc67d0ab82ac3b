"""The venue as the engine sees it: a broker, a market and a clock. Thin views: an answer is kept for as long as it is the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Generic, NamedTuple, TypeVar

from hydra.adapters.calendar import DayCalendar, Hours
from hydra.adapters.exchange.interface import Figures
from hydra.adapters.exchange.model import AccountState, Execution, Ticket
from hydra.adapters.exchange.shown import around, shown_quote
from hydra.adapters.exchange.structures import underlying_of
from hydra.adapters.exchange.terms import Rejection, Role
from hydra.adapters.exchange.told import activity_of, as_told, request_of
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.feed import CorporateAction, Counted, Feed, as_counted
from hydra.model.errors import Refused
from hydra.model.market import AssetClass, Bar, Instrument, OptionQuote, Quote, asset_class_of
from hydra.model.money import to_increment
from hydra.model.orders import Fill, Order, Side, VenueOrder
from hydra.model.portfolio import Account, Position
from hydra.model.values import replace
from hydra.ports import Ack, AckOutcome, ActivityPage, Cursors, FillPage, MarketData, VenueIdentity

_CENT = Decimal("0.01")
Page = TypeVar("Page", FillPage, ActivityPage)


class _Views(NamedTuple):
    """Answers that hold until the venue's version changes; a quiet cycle asks for all of them."""

    version: int
    positions: tuple[Position, ...] = ()
    open_orders: tuple[VenueOrder, ...] = ()


class _Standing(NamedTuple):
    """The account as it was told last, and what it was made of: both are values, so it holds for as long as they are the same."""

    figures: Figures
    state: AccountState
    account: Account


class _Nothing(NamedTuple, Generic[Page]):
    """The page that says that nothing came after a cursor, and the venue's version until which that holds."""

    version: int
    page: Page


class SimBroker:
    """The ``Broker`` port on a venue.

    Exits that still wait for their entry are not shown as open: nothing of theirs works yet. In a plain account (one with
    ``FeeSchedule.FLAT``) the exits of an entry work until they are cancelled, whatever the entry's own time in force; in one as at Alpaca the table of ``account_rules`` says which do, and how long.
    """

    def __init__(self, venue: SimulatedVenue) -> None:
        self._venue = venue
        self._views = _Views(-1)
        self._fees = venue.settings.fees
        self._told: _Standing | None = None
        self._no_fill = _Nothing(-1, FillPage(fills=(), cursor=""))
        self._no_activity = _Nothing(-1, ActivityPage(activities=(), cursor=""))

    def identity(self) -> VenueIdentity:
        """The simulated account; its url names the books."""
        venue = self._venue
        return VenueIdentity(name="sim", url=f"sim://{venue.name}", account_id=venue.state().account_id, mode="sim")

    def now(self) -> datetime:
        """The venue's clock."""
        return self._venue.now

    def account(self) -> Account:
        """The account as it stands; equity at the latest prices, to the cent."""
        figures, state, told = self._venue.figures(), self._venue.state(), self._told
        if told is None or told.figures is not figures or told.state is not state:
            account = Account(
                account_id=state.account_id,
                status=state.status,
                equity=to_increment(figures.equity, _CENT),
                cash=figures.cash,
                buying_power=figures.buying_power,
                blocked=state.account_blocked or state.trading_blocked,
            )
            told = self._told = _Standing(figures, state, account)
        return told.account

    def positions(self) -> tuple[Position, ...]:
        """Everything that is held, by symbol."""
        return self._current().positions

    def open_orders(self) -> tuple[VenueOrder, ...]:
        """Every order that works, the exits of a filled entry included."""
        return self._current().open_orders

    def order(self, client_id: str) -> VenueOrder | None:
        """The order with this client id, or ``None``."""
        ticket = self._venue.ticket_named(client_id)
        return None if ticket is None else self._reported(ticket)

    def fills(self, cursor: str) -> FillPage:
        """Executions after ``cursor``, which is the id of a fill. Raises ``Refused`` for any other."""
        version, known = self._venue.version, self._no_fill
        if known.version == version and known.page.cursor == cursor:
            return known.page
        after = _seen("fills", cursor)
        executions = self._venue.executions(after)
        # A cursor is looked up once: what came before it does not go away.
        if after and not executions and known.page.cursor != cursor and len(self._venue.executions(after - 1)) != 1:
            raise _unseen("fills", cursor)
        if executions:
            return FillPage(fills=tuple(map(self._filled, executions)), cursor=executions[-1].fill_id)
        page = known.page if known.page.cursor == cursor else FillPage(fills=(), cursor=cursor)
        self._no_fill = _Nothing(version, page)
        return page

    def activities(self, cursor: str) -> ActivityPage:
        """What else changed the account after ``cursor``, the id of an activity. Raises ``Refused`` for any other.

        The venue numbers them as it books them, so one that is paid late comes late and is not overlooked.
        """
        version, known = self._venue.version, self._no_activity
        if known.version == version and known.page.cursor == cursor:
            return known.page
        after = _seen("activities", cursor)
        rows = self._venue.activities(after)
        if after and not rows and known.page.cursor != cursor and len(self._venue.activities(after - 1)) != 1:
            raise _unseen("activities", cursor)
        if rows:
            told = tuple(activity_of(each, self._actions_on(each.at)) for each in rows)
            return ActivityPage(activities=told, cursor=told[-1].activity_id)
        page = known.page if known.page.cursor == cursor else ActivityPage(activities=(), cursor=cursor)
        self._no_activity = _Nothing(version, page)
        return page

    def cursors(self) -> Cursors:
        """The ids of the last execution and of the last activity."""
        executions, booked = self._venue.executions(), self._venue.activities()
        return Cursors(
            fills=executions[-1].fill_id if executions else "",
            activities=activity_of(booked[-1], ()).activity_id if booked else "",
        )

    def instruments(self, symbols: Sequence[str]) -> tuple[Instrument, ...]:
        """Increments and minimums. Raises ``Refused`` naming a symbol the feed has no prices of.

        A contract is listed from its first quote on, as at the other door: which strikes there will be is not known before.
        """
        known = self._venue.instruments
        unknown = [symbol for symbol in symbols if symbol not in known or not self._listed(symbol)]
        if unknown:
            have = ", ".join(self._venue.feed.symbols)
            raise Refused(f"not traded here: {', '.join(unknown)}; this feed has {have}")
        return tuple(as_told(known[symbol], self._fees) for symbol in symbols)

    def _actions_on(self, at: datetime) -> tuple[CorporateAction, ...]:
        actions = self._venue.feed.actions
        if not actions:
            return ()
        day = self._venue.calendar.sessions(at).day
        return tuple(action for action in actions if action.ex_date == day)

    def _listed(self, symbol: str) -> bool:
        if asset_class_of(symbol) is not AssetClass.OPTION:
            return True
        return self._venue.feed.option_quote(symbol, self._venue.now) is not None

    def submit(self, order: Order) -> Ack:
        """Place an order; a market order may come back filled."""
        ack = self._ack(self._venue.place(request_of(order, self._fees)))
        # A refusal may name the order that stands in the way; what became of this one is asked only of the one with its id.
        about_another = ack.order is not None and ack.order.client_id != order.client_id
        return replace(ack, order=None) if about_another else ack

    def cancel(self, venue_id: str) -> Ack:
        """Take an order back, with the orders of its group."""
        return self._ack(self._venue.withdraw(venue_id))

    def _ack(self, answer: Ticket | Rejection) -> Ack:
        if isinstance(answer, Ticket):
            return Ack(outcome=AckOutcome.ACCEPTED, order=self._reported(answer))
        about = self._venue.ticket(answer.order) if answer.order else None
        told = None if about is None else self._reported(about)
        return Ack(outcome=AckOutcome.REJECTED, order=told, reason=answer.reason)

    def _filled(self, execution: Execution) -> Fill:
        """An execution as the engine is told of it. That of one contract of an order in several belongs to the order."""
        fill, ticket = execution.report(self._fees), self._venue.ticket_named(execution.client_id)
        if ticket is None or ticket.role is not Role.LEG:
            return fill
        whole = self._venue.ticket_named(ticket.parent)
        assert whole is not None
        return replace(fill, client_id=whole.client_id, venue_id=whole.venue_id)

    def _reported(self, ticket: Ticket) -> VenueOrder:
        """An order as the engine is told of it. One in several contracts is named after what they are on."""
        if ticket.symbol:
            return ticket.report()
        underlying = underlying_of(self._venue.legs(ticket.client_id)[0].symbol)
        received = ticket.limit is not None and ticket.limit < 0
        order = replace(ticket, symbol=underlying, side=Side.SELL if received else Side.BUY).report()
        prices = {
            name: abs(price) for name in ("limit", "average_price") if (price := getattr(order, name)) is not None
        }
        return replace(order, **prices)

    def _current(self) -> _Views:
        views, version = self._views, self._venue.version
        if views.version != version:
            # Made whole and then put in place: another thread's reading may be older, and then its version is too.
            positions = self._venue.positions()
            working = [ticket for ticket in self._venue.working() if ticket.working or ticket.role is Role.ALONE]
            views = self._views = _Views(version, positions, tuple(map(self._reported, working)))
        return views


def _seen(what: str, cursor: str) -> int:
    """How many fills or activities a cursor has seen."""
    if not cursor:
        return 0
    if not (cursor.isascii() and cursor.isdecimal()) or int(cursor) == 0:
        raise _unseen(what, cursor)
    return int(cursor)


def _unseen(what: str, cursor: str) -> Refused:
    return Refused(f"{what} cursor {cursor!r} was not given out here; expected the id of one of them, or nothing")


class SimMarket:
    """The ``Market`` port on a venue: the feed, up to the venue's clock and no further.

    A day's bar of a share is shown from the next opening on, when something can be done about it: who is told of it at the close
    has spent what he makes of it on a closed market.

    ``bars_most``: of many new bars of a symbol a poll brings only these, the last ones, and so many of one that had none. For whoever passes
    over many of them and keeps no more. Many are as many as the power of two that it takes, so a few more may come than these.
    """

    def __init__(self, venue: SimulatedVenue, bars_most: int | None = None) -> None:
        self._venue = venue
        self._bars_most = bars_most
        self._counted = as_counted(venue.feed)
        self._indicative: dict[str, tuple[Bar, Quote]] = {}
        self._by_days = isinstance(venue.calendar, DayCalendar)

    def describe(self) -> str:
        """The feed in one line."""
        return self._venue.feed.describe()

    def history(self, symbols: Sequence[str], count: int) -> tuple[Bar, ...]:
        """The last ``count`` closed bars of each symbol, oldest first within a symbol."""
        feed, now = self._venue.feed, self._venue.now
        over = self._over() if self._by_days else None
        return tuple(bar for symbol in symbols for bar in feed.history(symbol, _until(feed, symbol, now, over), count))

    def poll(self, symbols: Sequence[str], after: Mapping[str, datetime]) -> MarketData:
        """Latest quotes, and bars that opened after ``after``; a symbol not in it gets its latest bar only."""
        feed, now = self._venue.feed, self._venue.now
        half_spread, quoted = self._venue.settings.half_spread, self._venue.quotes()
        over = self._over() if self._by_days else None
        quotes: list[Quote] = []
        bars: list[Bar] = []
        for symbol in symbols:
            upto = now if over is None else _until(feed, symbol, now, over)
            bars += _later(feed, symbol, after.get(symbol), upto, self._bars_most, self._counted)
            quote = shown_quote(feed, quoted, symbol, now, half_spread, self._around)
            if quote is not None:
                quotes.append(quote)
        return MarketData(quotes=tuple(quotes), bars=tuple(bars))

    def _around(self, bar: Bar, half_spread: Decimal) -> Quote:
        """The indicative quote of a last bar, kept for as long as it is the symbol's last one."""
        known = self._indicative.get(bar.symbol)
        if known is None or known[0] is not bar:
            known = self._indicative[bar.symbol] = (bar, around(bar, half_spread))
        return known[1]

    def chain(self, underlying: str) -> tuple[OptionQuote, ...]:
        """Every contract on ``underlying`` that is quoted and has not expired, by symbol."""
        return self._venue.feed.chain(underlying, self._venue.now)

    def _over(self) -> Hours | None:
        """The last session of shares while none is on; else ``None``. For calendars where a day is a bar."""
        session = self._venue.calendar.sessions(self._venue.now).by_class[AssetClass.EQUITY]
        return None if session.open else session.before


def _until(feed: Feed, symbol: str, now: datetime, over: Hours | None) -> datetime:
    """Up to when the bars of a symbol are shown: now, or up to the opening of the session that its last bar is the whole of."""
    if over is None:
        return now
    last = feed.history(symbol, now, 1)
    return over[0] if last and (last[0].at, last[0].closes_at) == over else now


def _later(
    feed: Feed, symbol: str, after: datetime | None, now: datetime, most: int | None, counted: Counted | None
) -> tuple[Bar, ...]:
    """The bars of one symbol after a time, as ``SimMarket.poll`` shows them."""
    if after is None:
        return feed.history(symbol, now, 1 if most is None else most)
    count = None if counted is None else counted.count_since(symbol, after, now)
    if count is None:
        return _looked_back(feed, symbol, after, now, most)
    if most is not None and count >= _enough(most):
        count = most
    return feed.history(symbol, now, count) if count else ()


def _looked_back(feed: Feed, symbol: str, after: datetime, now: datetime, most: int | None) -> tuple[Bar, ...]:
    """The same of a feed that cannot tell how many there are: looks back from now in doubling steps. Usually there is one, or none."""
    count = 1
    bars = feed.history(symbol, now, count)
    while len(bars) == count and bars[0].at > after:
        if most is not None and count >= most:
            return bars[-most:]
        count *= 2
        bars = feed.history(symbol, now, count)
    return tuple(bar for bar in bars if bar.at > after)


def _enough(most: int) -> int:
    """With how many new bars a poll brings only ``most`` of them: as many as there are in the step back that reaches so far."""
    return 1 << max(0, most - 1).bit_length()


class SimClock:
    """The ``Clock`` port on a venue: waiting moves the market on.

    ``speed``: how many simulated seconds pass in a real one; ``None`` for as fast as possible. ``days``: how many exchange
    days this run plays, counted from the day of its first step; 0 for no limit. ``until``: called with each next instant,
    ends the run before it when true. Setting ``stop`` ends a sleep and the run. ``sleep`` gets real seconds; by default it
    is one that ``stop`` wakes.
    """

    def __init__(
        self,
        venue: SimulatedVenue,
        *,
        speed: float | None = None,
        days: int = 0,
        until: Callable[[datetime], bool] | None = None,
        stop: threading.Event | None = None,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        if speed is not None and speed <= 0:
            raise ValueError(f"speed must be above 0, or None for no pacing, got {speed}")
        self._venue = venue
        self._speed = speed
        self._days = days
        self._until = until
        self._stop = stop
        self._sleep = sleep or (time.sleep if stop is None else stop.wait)
        self._day: date | None = None
        self._days_begun = 0

    def now(self) -> datetime:
        """The venue's clock."""
        return self._venue.now

    def wait(self, seconds: float) -> bool:  # noqa: ARG002  # the market's steps set the pace
        """Step to the feed's next instant. False, without a step, at the feed's end, at a limit, or when stopped."""
        coming = self._venue.next_instant()
        if coming is None or self._stopped() or (self._until is not None and self._until(coming)):
            return False
        if self._days and not self._within_days(coming):
            return False
        if self._speed is not None:
            self._sleep(min(threading.TIMEOUT_MAX, (coming - self._venue.now).total_seconds() / self._speed))
            if self._stopped():
                return False
        return self._venue.advance()

    def _stopped(self) -> bool:
        return self._stop is not None and self._stop.is_set()

    def _within_days(self, coming: datetime) -> bool:
        """Whether the next instant belongs to a day this run still plays; counts the days as they begin."""
        day = self._venue.calendar.sessions(coming).day
        if day == self._day:
            return True
        if self._days_begun == self._days:
            return False
        self._day = day
        self._days_begun += 1
        return True
