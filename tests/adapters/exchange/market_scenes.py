"""A stage for the venue's rules: the real calendar, a script, and an auditor who looks at the books after every step."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from hydra.adapters.calendar import ExchangeCalendar, new_york
from hydra.adapters.exchange import structures
from hydra.adapters.exchange.model import Activity, ActivityKind, Execution, Ticket, Update, VenueSettings, as_at_alpaca
from hydra.adapters.exchange.standing import Books, Change, Standing
from hydra.adapters.exchange.terms import (
    Amendment,
    OrderClass,
    Rejection,
    Request,
    RequestLeg,
    Role,
    Status,
)
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.feed import CorporateAction
from hydra.model.market import AssetClass, asset_class_of, multiplier_of
from hydra.model.orders import OrderType, Side, TimeInForce
from hydra.model.values import decode, encode, replace
from tests.fakes.feed import Number, ScriptedFeed, bar, option_quote, quote

CALENDAR = ExchangeCalendar()
MONDAY = date(2024, 3, 4)
OPEN = new_york(MONDAY, time(9, 30))
CLOSE = new_york(MONDAY, time(16))
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ZERO = Decimal(0)
BUY, SELL = Side.BUY, Side.SELL

SIM = as_at_alpaca(Decimal(100_000))
"""As ``hydra sim`` trades."""

CASH = replace(SIM, multiplier=1, shorting=False, day_trade_protection=False, starting_cash=Decimal(20_000))
"""A cash account with the same manners."""

C100, C105 = "SPY240308C00100000", "SPY240308C00105000"
P100, P95, P90 = "SPY240308P00100000", "SPY240308P00095000", "SPY240308P00090000"
"""Contracts that expire on the Friday."""

CHAIN: Mapping[str, tuple[str, str]] = {
    C100: ("2.00", "2.10"),
    C105: ("0.50", "0.60"),
    P100: ("1.90", "2.00"),
    P95: ("0.60", "0.70"),
    P90: ("0.20", "0.30"),
}


def D(number: Number) -> Decimal:  # noqa: N802  # as short as the numbers it stands before
    """A number as a decimal."""
    return Decimal(str(number))


def _maybe(number: Number | None) -> Decimal | None:
    return None if number is None else D(number)


_PRICES = (
    "quantity",
    "notional",
    "limit",
    "stop",
    "trail_price",
    "trail_percent",
    "take_profit",
    "stop_loss",
    "stop_loss_limit",
)


def order(client_id: str, side: Side = BUY, quantity: Number | None = 10, symbol: str = "SPY", **more: Any) -> Request:
    """A request; its type follows from its prices, its time in force from its asset class."""
    given: dict[str, Any] = {name: _maybe(more.pop(name)) for name in _PRICES if name in more}
    limited, stopped = given.get("limit") is not None, given.get("stop") is not None
    kind = {
        (False, False): OrderType.MARKET,
        (True, False): OrderType.LIMIT,
        (False, True): OrderType.STOP,
        (True, True): OrderType.STOP_LIMIT,
    }[limited, stopped]
    if "trail_price" in given or "trail_percent" in given:
        kind = OrderType.TRAILING_STOP
    crypto = bool(symbol) and asset_class_of(symbol) is AssetClass.CRYPTO
    force = TimeInForce(more.pop("tif", TimeInForce.GTC if crypto else TimeInForce.DAY))
    size: dict[str, Any] = {} if "notional" in given else {"quantity": _maybe(quantity)}
    return Request(
        client_id=client_id, symbol=symbol, side=side, order_type=kind, time_in_force=force, **size, **given, **more
    )


def spread(client_id: str, *legs: tuple[str, Side, int], quantity: Number = 1, limit: Number | None = None) -> Request:
    """A multi-leg order."""
    return Request(
        client_id=client_id,
        symbol="",
        side=BUY,
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        quantity=D(quantity),
        limit=_maybe(limit),
        order_class=OrderClass.MLEG,
        legs=tuple(RequestLeg(symbol=symbol, side=side, ratio=ratio) for symbol, side, ratio in legs),
    )


class MemoryBooks:
    """Books that write everything down as JSON, and read it back; any number of venues may read them."""

    name = "pages"

    def __init__(self) -> None:
        self._standing: bytes | None = None

    def load(self) -> Standing | None:
        return None if self._standing is None else decode(self._standing, Standing)

    def open(self, standing: Standing) -> None:
        self._standing = encode(standing)

    def commit(self, change: Change) -> None:
        before = self.load()
        assert before is not None
        orders = {ticket.number: ticket for ticket in before.orders}
        orders |= {ticket.number: ticket for ticket in change.orders}
        positions = {position.symbol: position for position in before.positions}
        positions |= {position.symbol: position for position in change.positions}
        for symbol in change.gone:
            positions.pop(symbol, None)
        self._standing = encode(
            Standing(
                account=before.account if change.account is None else change.account,
                current=change.clock.fingerprint,
                clocks={**before.clocks, change.clock.fingerprint: change.clock},
                positions=tuple(positions[symbol] for symbol in sorted(positions)),
                orders=tuple(orders[number] for number in sorted(orders)),
                executions=(*before.executions, *change.executions),
                activities=(*before.activities, *change.activities),
            )
        )

    def close(self) -> None:
        pass

    def copy(self) -> MemoryBooks:
        """Another set with the same content."""
        other = MemoryBooks()
        other._standing = self._standing
        return other


def everything(venue: SimulatedVenue) -> dict[str, Any]:
    """All a venue says of itself."""
    return {
        "now": venue.now,
        "state": venue.state(),
        "figures": venue.figures(),
        "held": venue.held(),
        "tickets": tuple(venue.tickets()),
        "working": tuple(venue.working()),
        "executions": tuple(venue.executions()),
        "activities": tuple(venue.activities()),
        "legs": {ticket.client_id: venue.legs(ticket.client_id) for ticket in venue.tickets()},
    }


class Auditor:
    """Adds an account up from its executions and activities, and remembers which orders were done."""

    def __init__(self, venue: SimulatedVenue) -> None:
        self.venue = venue
        self._done: dict[str, Ticket] = {}

    def check(self) -> None:
        """Raise ``AssertionError`` when something does not add up."""
        tickets, executions = self.venue.tickets(), self.venue.executions()
        self._money()
        self._positions()
        self._numbers()
        by_order: dict[str, list[Execution]] = {}
        for execution in executions:
            by_order.setdefault(execution.client_id, []).append(execution)
        for ticket in tickets:
            if ticket.order_class is not OrderClass.MLEG or ticket.role is Role.LEG:
                _check_ticket(ticket, by_order.get(ticket.client_id, []))
        self._check_reserved()
        self._check_done()
        self._check_families()

    def _money(self) -> None:
        spent = sum((e.side.sign * e.quantity * e.price * multiplier_of(e.symbol) for e in self._executions()), ZERO)
        fees = sum((e.fee for e in self._executions()), ZERO)
        extra = sum((a.amount for a in self.venue.activities()), ZERO)
        cash = self.venue.state().cash
        assert cash == self.venue.state().opened_with.starting_cash - spent - fees + extra
        assert self.venue.figures().cash == cash
        if self.venue.settings.multiplier == 1:
            # Fees are charged and written contracts assigned whether or not there is money for them: a short put that ends
            # before the long one behind it is paid for with its strike.
            forced = -sum((a.amount for a in self.venue.activities() if _is_forced(a)), ZERO)
            assert cash + forced >= 0
            assert self.venue.figures().buying_power + forced >= 0

    def _positions(self) -> None:
        expected: dict[str, Decimal] = {}
        coin = ZERO
        for execution in self._executions():
            change = execution.side.sign * execution.quantity - execution.fee_coin
            expected[execution.symbol] = expected.get(execution.symbol, ZERO) + change
            coin += execution.fee_coin
        for activity in self.venue.activities():
            if activity.kind is ActivityKind.CRYPTO_FEE:
                coin += activity.quantity
            elif activity.quantity:
                expected[activity.symbol] = expected.get(activity.symbol, ZERO) + activity.quantity
        assert coin == 0
        assert {name: quantity for name, quantity in expected.items() if quantity} == self.owned()

    def _numbers(self) -> None:
        for rows in (self.venue.tickets(), self.venue.executions(), self.venue.activities()):
            assert [row.number for row in rows] == list(range(1, len(rows) + 1))
        times = [execution.at for execution in self._executions()]
        assert times == sorted(times)
        assert not times or times[-1] <= self.venue.now
        assert len({ticket.venue_id for ticket in self.venue.tickets()}) == len(self.venue.tickets())

    def _check_reserved(self) -> None:
        claims: dict[str, dict[str, Decimal]] = {}
        for ticket in self.venue.working():
            closes = ticket.position_intent is not None and not ticket.position_intent.opens
            if closes and ticket.symbol and (ticket.working or ticket.role is Role.LEG):
                groups = claims.setdefault(ticket.symbol, {})
                groups[ticket.group] = max(groups.get(ticket.group, ZERO), ticket.remaining)
        for symbol, groups in claims.items():
            held = sum(groups.values(), ZERO)
            assert held <= abs(self.owned().get(symbol, ZERO)), f"{held} of {symbol} are reserved: {groups}"
        contracts = [
            structures.Leg(symbol=s, quantity=q) for s, q in self.owned().items() if _class(s) is AssetClass.OPTION
        ]
        needed = structures.requirement(
            contracts, {s: q for s, q in self.owned().items() if _class(s) is AssetClass.EQUITY}
        )
        assert needed is not None, "a written call has nothing behind it"
        reserved = sum((ticket.reserved for ticket in self.venue.working()), ZERO)
        # A written call that another call stood behind leaves a cash account with shares sold short when it is assigned.
        short = any(q < 0 for symbol, q in self.owned().items() if _class(symbol) is AssetClass.EQUITY)
        if self.venue.settings.multiplier == 1 and not short:
            assert self.venue.figures().buying_power == self.venue.state().cash - reserved - needed

    def _check_done(self) -> None:
        for client_id, ticket in self._done.items():
            assert self.venue.ticket_named(client_id) == ticket, "an order that was done has changed"
        self._done = {ticket.client_id: ticket for ticket in self.venue.tickets() if ticket.status.done}
        assert not any(ticket.reserved or ticket.working or ticket.pending for ticket in self._done.values())
        assert [t.client_id for t in self.venue.working()] == [
            t.client_id for t in self.venue.tickets() if not t.status.done
        ]

    def _check_families(self) -> None:
        entered: dict[str, Decimal] = {}
        left: dict[str, Decimal] = {}
        for ticket in self.venue.tickets():
            if ticket.role is Role.ENTRY:
                root = self._root(ticket).client_id
                entered[root] = entered.get(root, ZERO) + ticket.filled
            elif ticket.parent and ticket.order_class in (OrderClass.BRACKET, OrderClass.OTO):
                root = self._root(self._named(ticket.parent)).client_id
                left[root] = left.get(root, ZERO) + ticket.filled
            elif ticket.role is Role.LEG and not ticket.status.done:
                assert ticket.ratio is not None
                assert ticket.filled == ticket.ratio * self._chain(self._named(ticket.parent))
        if not any(activity.kind is ActivityKind.SPLIT for activity in self.venue.activities()):
            assert all(quantity <= entered[root] for root, quantity in left.items())

    def _chain(self, ticket: Ticket) -> Decimal:
        before = self.venue.ticket(ticket.replaces)
        return ticket.filled + (ZERO if before is None else self._chain(before))

    def _root(self, ticket: Ticket) -> Ticket:
        before = self.venue.ticket(ticket.replaces)
        return ticket if before is None else self._root(before)

    def _named(self, client_id: str) -> Ticket:
        ticket = self.venue.ticket_named(client_id)
        assert ticket is not None
        return ticket

    def _executions(self) -> tuple[Execution, ...]:
        return tuple(self.venue.executions())

    def owned(self) -> dict[str, Decimal]:
        """Signed quantities by symbol."""
        return {held.symbol: held.quantity for held in self.venue.held()}


def _class(symbol: str) -> AssetClass:
    return asset_class_of(symbol)


_UNFILLED = (Status.NEW, Status.ACCEPTED, Status.HELD, Status.PENDING_NEW)


def _is_forced(activity: Activity) -> bool:
    """Whether an activity takes dollars that nobody was asked for."""
    assigned = activity.kind is ActivityKind.OPTION_TRADE and activity.description.startswith("OPASN")
    return activity.amount < 0 and (assigned or activity.kind is ActivityKind.FEE)


def _check_ticket(ticket: Ticket, executions: list[Execution]) -> None:
    assert sum((execution.quantity for execution in executions), ZERO) == ticket.filled
    assert ticket.filled <= ticket.quantity
    assert (ticket.status is Status.FILLED) is (ticket.filled == ticket.quantity)
    if ticket.status in _UNFILLED:
        assert ticket.filled == 0
    if ticket.status is Status.PARTIALLY_FILLED:
        assert ticket.filled > 0
    assert (ticket.average_price is None) is (ticket.filled == 0)
    if ticket.average_price is not None:
        paid = sum((execution.quantity * execution.price for execution in executions), ZERO)
        assert abs(ticket.average_price - paid / ticket.filled) < Decimal("1e-6")


class Stage:
    """SPY at 100.00 (99.99 to 100.01) and BTC-USD at 60,000 a minute after Monday's opening, with the contracts of ``CHAIN``.

    The account is audited after every step, and its books are read back after every change.
    """

    def __init__(
        self,
        settings: VenueSettings = SIM,
        *,
        at: datetime = OPEN,
        actions: tuple[CorporateAction, ...] = (),
        chain: Mapping[str, tuple[str, str]] = CHAIN,
        books: Books | None = None,
    ) -> None:
        first = at + MINUTE
        self.feed = ScriptedFeed(
            [bar("SPY", at, (100, 100, 100, 100)), bar("BTC-USD", at, (60_000,) * 4)],
            [quote("SPY", first, "99.99", "100.01"), quote("BTC-USD", first, 59_990, 60_010)],
            symbols=["SPY", "QQQ", "BTC-USD"],
            options=[option_quote(symbol, first, *sides) for symbol, sides in chain.items()],
            actions=actions,
        )
        self.feed.add(bar("QQQ", at + 90 * DAY, (100,) * 4))  # a feed that is at its end starts over
        self.settings = settings
        self.books: Books = MemoryBooks() if books is None else books
        self.updates: list[Update] = []
        self._open()
        self.venue.advance()

    def _open(self) -> None:
        self.venue = SimulatedVenue(self.feed, CALENDAR, self.settings, self.books)
        self.venue.subscribe(self.updates.extend)
        self.auditor = Auditor(self.venue)

    def restart(self) -> None:
        """Close the venue and open it from its books: nothing has changed."""
        before = everything(self.venue)
        self.venue.close()
        self._open()
        assert everything(self.venue) == before

    def place(self, request: Request) -> Ticket:
        """Have an order taken."""
        answer = self.venue.place(request)
        assert isinstance(answer, Ticket), answer
        self.check()
        return answer

    def refused(self, request: Request) -> Rejection:
        """Have an order refused, and nothing changed."""
        before = everything(self.venue)
        answer = self.venue.place(request)
        assert isinstance(answer, Rejection), answer
        assert everything(self.venue) == before
        return answer

    def cancel(self, client_id: str) -> Ticket:
        """Take an order back."""
        answer = self.venue.withdraw(self.named(client_id).venue_id)
        assert isinstance(answer, Ticket), answer
        self.check()
        return self.named(client_id)

    def amend(self, client_id: str, new_id: str, **changes: Any) -> Ticket | Rejection:
        """Replace an order, or be refused."""
        numbers: dict[str, Any] = {
            name: _maybe(value) if name in ("quantity", "limit", "stop", "trail") else value
            for name, value in changes.items()
        }
        answer = self.venue.amend(self.named(client_id).venue_id, Amendment(client_id=new_id, **numbers))
        self.check()
        return answer

    def replaced(self, client_id: str, new_id: str, **changes: Any) -> Ticket:
        """Have an order replaced."""
        answer = self.amend(client_id, new_id, **changes)
        assert isinstance(answer, Ticket), answer
        return answer

    def named(self, client_id: str) -> Ticket:
        """An order."""
        ticket = self.venue.ticket_named(client_id)
        assert ticket is not None, client_id
        return ticket

    def status(self, *client_ids: str) -> list[str]:
        """Where orders stand."""
        return [self.named(client_id).status.value for client_id in client_ids]

    def bar(self, *prices: Number, symbol: str = "SPY", volume: Number = 1000, at: datetime | None = None) -> None:
        """Let a minute happen: open, high, low, close (one price: a quiet minute)."""
        four = prices * 4 if len(prices) == 1 else prices
        made = bar(symbol, self.venue.now if at is None else at, four)  # type: ignore[arg-type]  # four of them
        self.feed.add(replace(made, volume=D(volume)))
        self.to(made.closes_at)

    def quote(
        self, bid: Number, ask: Number, *, symbol: str = "SPY", size: Number = 100, at: datetime | None = None
    ) -> None:
        """Let a quote be shown, by default a minute from now."""
        made = quote(symbol, self.venue.now + MINUTE if at is None else at, bid, ask)
        self.feed.add(replace(made, bid_size=D(size), ask_size=D(size)))
        self.to(made.at)

    def options(
        self,
        quotes: Mapping[str, tuple[Number | None, Number | None]],
        *,
        size: Number = 10,
        at: datetime | None = None,
    ) -> None:
        """Let quotes of contracts be shown together, by default a minute from now."""
        moment = self.venue.now + MINUTE if at is None else at
        self.feed.add(*(option_quote(symbol, moment, *pair, size=size) for symbol, pair in quotes.items()))
        self.to(moment)

    def to(self, at: datetime) -> None:
        """Move the clock."""
        self.venue.advance_to(at)
        self.check()

    def at(self, hour: int, minute: int = 0, *, days: int = 0) -> datetime:
        """A New York time of the scene's Monday, or of a day after it."""
        return new_york(MONDAY + timedelta(days=days), time(hour, minute))

    def check(self) -> None:
        """Audit the account, and compare it with its books."""
        self.auditor.check()
        if isinstance(self.books, MemoryBooks):
            read = SimulatedVenue(self.feed, CALENDAR, self.settings, self.books.copy())
            assert everything(read) == everything(self.venue)

    def fills(self, client_id: str = "") -> list[tuple[str, Decimal, Decimal]]:
        """What has filled: client ids, quantities and prices."""
        return [
            (each.client_id, each.quantity, each.price)
            for each in self.venue.executions()
            if client_id in ("", each.client_id)
        ]

    def news(self, client_id: str) -> list[str]:
        """What was told of an order."""
        return [each.news.value for each in self.updates if each.ticket.client_id == client_id]

    def owned(self, symbol: str = "SPY") -> Decimal:
        """The signed quantity held."""
        return self.auditor.owned().get(symbol, ZERO)

    def available(self, symbol: str = "SPY") -> Decimal:
        """What may be sold."""
        return next((held.available for held in self.venue.held() if held.symbol == symbol), ZERO)

    @property
    def power(self) -> Decimal:
        """Buying power for shares."""
        return self.venue.figures().buying_power

    @property
    def cash(self) -> Decimal:
        """Dollars."""
        return self.venue.state().cash


def average(stage: Stage, symbol: str = "SPY") -> Decimal:
    """The average price of a position."""
    return next(held.average_price for held in stage.venue.held() if held.symbol == symbol)
