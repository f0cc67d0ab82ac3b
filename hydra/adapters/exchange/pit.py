"""Where orders meet prices: taking an order, filling it, bringing its exits to life, letting it expire.

An order meets only bars that opened when it was already working; ``matching`` says at what price it fills, and the size that
is there says how much of it. An entry that fills brings its exits to life, and those share one quantity: what one fills, the
other gives up. The oddity: an entry that fills inside a bar may be stopped out in that bar but never reach its target in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from hydra.adapters.exchange import admission, hours, tickets
from hydra.adapters.exchange.desk import Desk, Print
from hydra.adapters.exchange.facts import Facts
from hydra.adapters.exchange.interface import Ration
from hydra.adapters.exchange.matching import Match, Rates, against_bar, against_quote, auction, reached, untouched
from hydra.adapters.exchange.model import FeeSchedule, News, Source, Ticket, VenueSettings
from hydra.adapters.exchange.money import Money
from hydra.adapters.exchange.prices import Far, Prices
from hydra.adapters.exchange.sizes import Sizes
from hydra.adapters.exchange.terms import No, OrderClass, PositionIntent, Rejection, Request, Role, Status, refuse
from hydra.model.market import AssetClass, Bar, Instrument, OptionContract, asset_class_of
from hydra.model.money import ZERO, plain, size_down
from hydra.model.orders import OrderType, Side, TimeInForce
from hydra.model.values import replace
from hydra.ports import Calendar

_FRESH_BARS = 2
_AT_ONCE = (TimeInForce.IOC, TimeInForce.FOK)
_ENDS = {
    TimeInForce.DAY: "a day order, and the session closed",
    TimeInForce.OPG: "an opg order, and the session closed",
    TimeInForce.CLS: "a cls order, and the session closed",
    TimeInForce.GTC: "a gtc order, and its days were over",
}
_AUCTIONS = (TimeInForce.OPG, TimeInForce.CLS)
_ARRIVED = {Status.NEW: News.NEW, Status.ACCEPTED: News.ACCEPTED, Status.HELD: News.HELD}
_LATE = {TimeInForce.OPG: hours.too_late_for_opening, TimeInForce.CLS: hours.too_late_for_closing}


class Pit:
    """The rules of trading, applied to one account (``desk``) at the prices of the moment."""

    def __init__(  # the parts of one account
        self,
        desk: Desk,
        prices: Prices,
        calendar: Calendar,
        settings: VenueSettings,
        ration: Ration | None = None,
    ) -> None:
        self._ration = ration
        self.money = Money(desk, prices, calendar, settings)
        self._desk = desk
        self._prices = prices
        self._calendar = calendar
        self._settings = settings
        self.sizes = Sizes(desk, settings.participation)

    def take(self, request: Request) -> Ticket | Rejection:
        """Take an order, or say why not: the checks of it, then of what the account can pay."""
        instrument = self._desk.instruments.get(request.symbol)
        if instrument is None:
            return refuse(f"{request.symbol} is not traded here", No.UNKNOWN_SYMBOL, symbol=request.symbol)
        no = self.taken(request.client_id)
        for role in tickets.exit_roles(request):
            no = no or self.taken(tickets.exit_id(request.client_id, role))
        if no is not None:
            return no
        facts = self._facts(request, instrument)
        no = admission.refusal(request, facts)
        if no is not None:
            return no
        reason = self.money.day_trade_refusal(request.symbol, request.side)
        if reason:
            return refuse(reason, No.PATTERN_DAY_TRADER, symbol=request.symbol)
        return self._accept(request, facts)

    def taken(self, client_id: str) -> Rejection | None:
        """Why a client id cannot be used."""
        known = self._desk.orders.get(client_id)
        if known is None:
            return None
        reason = f"client_id {client_id} is already used by order {known.venue_id}"
        return Rejection(kind=No.DUPLICATE_ID, reason=reason, order=known.venue_id)

    def _accept(self, request: Request, facts: Facts) -> Ticket | Rejection:
        """Take an order that nothing else stands in the way of, if it can be paid, and trade it at once if it can be."""
        desk, arrival = self._desk, self.arrival(request)
        ticket = tickets.entry(request, arrival, facts.intent, facts.last)
        hold = self.money.hold(ticket)
        no = self.affordable(ticket.symbol, hold)
        if no is not None:
            return no
        assert hold is not None
        ticket = desk.put(ticket if hold is ZERO else replace(ticket, reserved=hold))
        desk.tell(_ARRIVED[ticket.status], ticket.since, ticket)
        for leg in tickets.exits(request, ticket, arrival):
            desk.put(leg)
            desk.tell(_ARRIVED[leg.status], leg.since, leg)
        self.trade_now(desk.orders[ticket.client_id])
        return desk.orders[ticket.client_id]

    def affordable(self, symbol: str, hold: Decimal | None, freed: Decimal = ZERO) -> Rejection | None:
        """Why the account cannot pay what an order holds back; ``freed`` is what the order it replaces holds."""
        if hold is None:
            return refuse(
                f"an order for {symbol} would have no bound to its loss: uncovered contracts", No.NOT_PERMITTED
            )
        if hold == 0:
            return None
        power = self.money.power(AssetClass.OPTION if not symbol else asset_class_of(symbol)) + freed
        if hold <= power:
            return None
        return refuse(
            f"insufficient buying power: needs {plain(hold)}, has {plain(power)}",
            No.INSUFFICIENT_BUYING_POWER,
            buying_power=power,
            cost_basis=hold,
        )

    def intent(self, symbol: str, side: Side) -> PositionIntent:
        """Whether an order would open or close, by what is held."""
        return _intent(self._desk.owned(symbol), side)

    def arrival(self, request: Request) -> tickets.Arrival:
        """Where and when an order arrives now."""
        symbol = request.symbol or request.legs[0].symbol
        kind, now, extended = asset_class_of(symbol), self._prices.now, request.extended_hours
        force, exits_force = request.time_in_force, request.exits_force or request.time_in_force
        ends = self.ends_at(symbol, force, extended=extended)
        exits_end = ends if exits_force is force else self.ends_at(symbol, exits_force, extended=extended)
        return tickets.Arrival(
            account_id=self._desk.account.account_id,
            number=self._desk.next_number,
            at=now,
            expires_at=ends,
            exits_expire_at=exits_end,
            open=hours.is_open(self._calendar, kind, now, extended=extended),
        )

    def ends_at(self, symbol: str, force: TimeInForce, *, extended: bool = False) -> datetime | None:
        """When an order with this time in force expires if it is sent now; ``None`` for never by itself."""
        if force is TimeInForce.GTC and self._settings.gtc_days:
            return hours.gtc_ends_at(self._prices.now, self._settings.gtc_days)
        if force not in (TimeInForce.DAY, *_AUCTIONS):
            return None
        return hours.day_ends_at(self._calendar, asset_class_of(symbol), self._prices.now, extended=extended)

    def trade_now(self, ticket: Ticket) -> None:
        """Let an order that works trade on the quote of the moment, if there is a fresh one in an open session."""
        if not ticket.working or ticket.time_in_force in _AUCTIONS:
            return
        far = self.fresh(ticket)
        if far is not None and asset_class_of(ticket.symbol) is AssetClass.OPTION and reached(ticket, far.price):
            ticket = self._desk.put(replace(ticket, triggered=True, updated_at=self._prices.now))
        price = None if far is None else against_quote(ticket, far.price, self._rates(ticket, self._prices.now))
        if price is not None and far is not None:
            size = self.sizes.at_quote(ticket.symbol, ticket.side, far)
            self._execute(ticket, price, size, Source.QUOTE)
        ticket = self._desk.orders[ticket.client_id]
        if ticket.time_in_force in _AT_ONCE and not ticket.status.done:
            reason = f"nothing more to trade on at once, and time in force is {ticket.time_in_force}"
            self.end(ticket, Status.CANCELED, self._prices.now, reason)

    def fresh(self, ticket: Ticket) -> Far | None:
        """The side of a quote that an order can trade on at once: of an open session, and at most two bars old."""
        far, now = self._prices.far(ticket.symbol, ticket.side), self._prices.now
        if far is None or now - far.at > timedelta(seconds=_FRESH_BARS * self._settings.bar_seconds):
            return None
        kind = asset_class_of(ticket.symbol)
        return far if hours.is_open(self._calendar, kind, now, extended=ticket.extended_hours) else None

    def play(self, bar: Bar) -> None:
        """Let a bar work on the orders of its symbol: stops of brackets first, then in the order they were accepted."""
        waiting: Sequence[Ticket] = self._desk.working(bar.symbol)
        if len(waiting) > 1:
            waiting = sorted(waiting, key=lambda each: each.role is not Role.STOP_LOSS)
        for ticket in waiting:
            if ticket.time_in_force is TimeInForce.OPG or not untouched(ticket, bar):
                self._meet(ticket, bar, None)

    def play_quotes(self) -> None:
        """Let the quotes of this instant work on what has no bars: orders for contracts."""
        for symbol in self._desk.working_symbols():
            if symbol and asset_class_of(symbol) is AssetClass.OPTION:
                for ticket in self._desk.working(symbol):
                    if ticket.client_id in self._desk.open:
                        self.trade_now(ticket)

    def play_close(self) -> None:
        """The closing auction: orders for it fill at the last regular close of their symbol, or expire."""
        now = self._prices.now
        for ticket in tuple(self._desk.open.values()):
            if ticket.time_in_force is not TimeInForce.CLS or not ticket.working:
                continue
            bars = self._prices.feed.history(ticket.symbol, now, 1)
            if bars and bars[-1].closes_at > now - timedelta(seconds=_FRESH_BARS * self._settings.bar_seconds):
                price = auction(ticket, bars[-1].close, self._rates(ticket, now))
                if price is not None:
                    self._execute(ticket, price, None, Source.AUCTION)

    def open_queue(self) -> None:
        """Tell of every order that waited for this session that it works now."""
        for ticket in tuple(self._desk.open.values()):
            waits = ticket.pending is not None and ticket.pending.before is Status.ACCEPTED
            if ticket.status is Status.ACCEPTED or waits:
                kind = asset_class_of(ticket.symbol or self._desk.legs(ticket.client_id)[0].symbol)
                if hours.is_open(self._calendar, kind, self._prices.now, extended=ticket.extended_hours):
                    if ticket.pending is not None:
                        self._desk.put(replace(ticket, pending=replace(ticket.pending, before=Status.NEW)))
                    else:
                        self._desk.mark(ticket, Status.NEW, self._prices.now)

    def expire(self) -> None:
        """End the orders whose time has come."""
        now = self._prices.now
        over = [each for each in self._desk.open.values() if each.expires_at is not None and each.expires_at <= now]
        for ticket in over:
            self._expire(ticket)

    def _expire(self, ticket: Ticket) -> None:
        if ticket.client_id in self._desk.open:
            assert ticket.expires_at is not None
            reason = f"{_ENDS[ticket.time_in_force]} at {ticket.expires_at:%Y-%m-%d %H:%M}Z"
            self.end(self._desk.orders[ticket.client_id], Status.EXPIRED, ticket.expires_at, reason)

    def end(self, ticket: Ticket, status: Status, at: datetime, reason: str) -> Ticket:
        """Close an order without a fill, and with it what hangs on it: its waiting exits, its siblings, its legs.

        An entry that has filled in part leaves its exits working on that part.
        """
        desk = self._desk
        ticket = desk.mark(ticket, status, at, reason)
        if ticket.role is Role.ENTRY and self.bought(ticket) > 0:
            self._bring_to_life(ticket, at)
            return ticket
        hanging = desk.legs(ticket.client_id) if ticket.order_class is not OrderClass.SIMPLE else ()
        for other in (*hanging, *desk.siblings(ticket)):
            if not desk.orders[other.client_id].status.done:
                desk.mark(desk.orders[other.client_id], status, at, f"{ticket.client_id} was {status}: {reason}")
        return ticket

    def _meet(self, ticket: Ticket, bar: Bar, start: Decimal | None) -> None:
        """One order and one bar. ``start`` is given for an exit born in this bar: the price from which the bar counts."""
        current = self._desk.open.get(ticket.client_id)
        if current is None or not self._counts(current, bar, born_here=start is not None):
            return
        ticket, kind = current, asset_class_of(bar.symbol)
        match = self._match(ticket, bar, start)
        if match is None or not hours.trades_in(self._calendar, kind, bar, extended=ticket.extended_hours):
            return
        if match.high_water is not None and match.high_water != ticket.high_water:
            ticket = self._desk.put(replace(ticket, high_water=match.high_water))
        if match.price is None:
            if match.triggered:
                self._desk.put(replace(ticket, triggered=True, updated_at=bar.closes_at))
        else:
            price = self._with_impact(ticket, bar, start, match.price)
            size = None if ticket.time_in_force is TimeInForce.OPG else self.sizes.in_bar(bar)
            source = Source.AUCTION if ticket.time_in_force is TimeInForce.OPG else Source.BAR
            for leg in self._execute(ticket, price, size, source, bar.closes_at):
                if match.at_start or leg.order_type is not OrderType.LIMIT:
                    self._meet(leg, bar, bar.open if match.at_start else match.price)
        if ticket.time_in_force is TimeInForce.OPG and ticket.client_id in self._desk.open:
            reason = f"an opg order, and the auction at {plain(bar.open)} did not fill it"
            self.end(self._desk.orders[ticket.client_id], Status.EXPIRED, bar.closes_at, reason)

    def _match(self, ticket: Ticket, bar: Bar, start: Decimal | None) -> Match | None:
        rates = self._rates(ticket, bar.at)
        if ticket.time_in_force is TimeInForce.OPG:
            return Match(price=auction(ticket, bar.open, rates), at_start=True)
        return against_bar(ticket, bar, rates, start)

    def _with_impact(self, ticket: Ticket, bar: Bar, start: Decimal | None, price: Decimal) -> Decimal:
        """The price, worsened by what the order's own share of the bar's volume does to it."""
        if not self._settings.impact or not bar.volume or ticket.time_in_force is TimeInForce.OPG:
            return price
        share = min(ticket.remaining, self.sizes.in_bar(bar) or ticket.remaining) / bar.volume
        rates = self._rates(ticket, bar.at)
        dearer = replace(rates, slippage=min(rates.slippage + self._settings.impact * share * share, Decimal("0.99")))
        match = against_bar(ticket, bar, dearer, start)
        return price if match is None or match.price is None else match.price

    def _counts(self, ticket: Ticket, bar: Bar, *, born_here: bool) -> bool:
        """Whether the order works in this bar: still open, there when the bar opened, not expired by then."""
        if not ticket.working or ticket.time_in_force is TimeInForce.CLS:
            return False
        if ticket.expires_at is not None and ticket.expires_at <= bar.at:
            return False
        return born_here or ticket.since <= bar.at

    def _execute(
        self, ticket: Ticket, price: Decimal, size: Decimal | None, source: Source, at: datetime | None = None
    ) -> tuple[Ticket, ...]:
        """Fill an order as far as ``size`` goes (``None``: whole), and return the exits it brings to life.

        An order to open that has become dearer than the account can pay is cancelled instead.
        """
        at = self._prices.now if at is None else at
        ticket = self._sized(ticket, price)
        if not self._still_fits(ticket, at):
            return ()
        remaining = ticket.remaining
        quantity = self.rationed(ticket, remaining if size is None else min(remaining, size))
        if quantity < remaining:
            quantity = size_down(quantity, self._desk.instruments[ticket.symbol].quantity_increment)
        if quantity <= 0 or (quantity < remaining and ticket.time_in_force is TimeInForce.FOK):
            return ()
        maker = source is Source.BAR and ticket.order_type is OrderType.LIMIT
        fee, coin = self.money.fee(ticket, quantity, price, maker=maker)
        reason = self._too_dear(ticket, quantity, price, fee)
        if reason:
            self.end(ticket, Status.CANCELED, at, reason)
            return ()
        taken, posted = (fee, ZERO) if self._settings.fees is FeeSchedule.FLAT else (ZERO, fee)
        done = Print(quantity=quantity, price=price, at=at, source=source, fee=taken, fee_coin=coin, posted=posted)
        return self.book(ticket, done)

    def rationed(self, ticket: Ticket, quantity: Decimal) -> Decimal:
        """How much of a quantity may fill now."""
        return quantity if self._ration is None else self._ration(ticket, quantity)

    def book(self, ticket: Ticket, done: Print) -> tuple[Ticket, ...]:
        """Write an execution into the account, and return the exits it brings to life."""
        desk = self._desk
        filled = desk.fill(ticket, done)
        self.sizes.take(filled, done)
        self.money.book_fees(desk.executions[-1], done.posted)
        if not filled.status.done and filled.order_type in (OrderType.STOP, OrderType.TRAILING_STOP):
            filled = desk.put(replace(filled, triggered=True))
        for sibling in desk.siblings(filled):
            if filled.status is Status.FILLED:
                desk.mark(sibling, Status.CANCELED, done.at, f"its sibling {filled.client_id} filled")
            else:
                desk.put(replace(sibling, quantity=sibling.filled + filled.remaining, updated_at=done.at))
        if filled.role is Role.ENTRY and filled.status is Status.FILLED:
            return self._bring_to_life(filled, done.at)
        return ()

    def _sized(self, ticket: Ticket, price: Decimal) -> Ticket:
        """An order by notional learns its quantity from the price it fills at."""
        if ticket.notional is None or ticket.filled > 0:
            return ticket
        quantity = (ticket.notional / price).quantize(Decimal("1e-9"), rounding="ROUND_DOWN")
        if ticket.position_intent is not None and not ticket.position_intent.opens:
            quantity = min(quantity, ticket.remaining + self.money.backing.available(ticket.symbol))
        return replace(ticket, quantity=max(quantity, Decimal("1e-9")))

    def _still_fits(self, ticket: Ticket, at: datetime) -> bool:
        """Whether an order still does what it was taken for. One that would turn a position round is cancelled."""
        owned, intent = self._desk.owned(ticket.symbol), ticket.position_intent
        against = owned * ticket.side.sign < 0
        if intent is None or (not against if intent.opens else against and ticket.remaining <= abs(owned)):
            return True
        self.end(ticket, Status.CANCELED, at, f"no longer {intent}: the position is {plain(owned)}")
        return False

    def _too_dear(self, ticket: Ticket, quantity: Decimal, price: Decimal, fee: Decimal) -> str:
        cost = self.money.needed(ticket, quantity, price, fee)
        if cost is None:
            return "it would leave no bound to its loss: uncovered contracts"
        mine = ticket.reserved * quantity / ticket.remaining
        if cost <= mine or cost <= 0:
            return ""
        has = self.money.power(asset_class_of(ticket.symbol)) + mine
        return "" if cost <= has else f"insufficient buying power at the fill: needs {plain(cost)}, has {plain(has)}"

    def _bring_to_life(self, entry: Ticket, at: datetime) -> tuple[Ticket, ...]:
        """Let the exits of an entry work on what has filled; the stop is shown as held while a target works beside it."""
        waiting = [leg for leg in self._desk.legs(entry.client_id) if not leg.status.done and not leg.working]
        # Parts that filled early may have been sold, or promised, before the exits came to life.
        quantity = min(self.bought(entry), self.money.backing.available(entry.symbol))
        if quantity <= 0:
            for leg in waiting:
                self._desk.mark(
                    leg, Status.CANCELED, at, f"nothing of what {entry.client_id} filled is left to protect"
                )
            return ()
        alive = []
        for leg in waiting:
            if leg.role is Role.TAKE_PROFIT or len(waiting) == 1:
                alive.append(self._desk.mark(leg, Status.NEW, at, working=True, quantity=quantity, since=at))
            else:
                alive.append(self._desk.put(replace(leg, working=True, quantity=quantity, since=at, updated_at=at)))
        return tuple(alive)

    def bought(self, entry: Ticket) -> Decimal:
        """What an entry has filled, together with the orders that it replaced."""
        total = entry.filled
        while entry.replaces:
            before = self._desk.by_venue_id(entry.replaces)
            if before is None:
                break
            total, entry = total + before.filled, before
        return total

    def opposite(self, symbol: str, side: Side) -> tuple[Ticket, ...]:
        """The open orders on the other side of a symbol, legs of spreads among them."""
        singles = self._desk.opposite(symbol, side)
        if asset_class_of(symbol) is not AssetClass.OPTION:
            return singles
        legs = (leg for parent in self._desk.working("") for leg in self._desk.legs(parent.client_id))
        return (
            *singles,
            *(leg for leg in legs if leg.symbol == symbol and leg.side is not side and not leg.status.done),
        )

    def _facts(self, request: Request, instrument: Instrument) -> Facts:
        symbol, side, desk = request.symbol, request.side, self._desk
        far, last, owned = self._prices.far(symbol, side), self._prices.last(symbol), desk.owned(symbol)
        intent, late = _intent(owned, side), _LATE.get(request.time_in_force)
        return Facts(
            instrument=instrument,
            settings=self._settings,
            account=desk.account,
            intent=intent,
            position=owned,
            held=desk.held(symbol),
            available=ZERO if intent.opens else self.money.backing.available(symbol),
            level=self.money.level(),
            far=last if far is None else far.price,
            last=last,
            others=self.opposite(symbol, side),
            closed=self._closed(symbol) if instrument.asset_class is AssetClass.OPTION else "",
            too_late="" if late is None else late(self._calendar, self._prices.now),
        )

    def _closed(self, symbol: str) -> str:
        """Why a contract can no longer be traded."""
        expiry = OptionContract.parse(symbol).expiry
        today = self.money.today()
        return f"{symbol} expired on {expiry}, it is {today}" if expiry < today else ""

    def _rates(self, ticket: Ticket, at: datetime) -> Rates:
        """What a fill costs; only a market order pays the spread."""
        half_spread: Decimal | None = ZERO
        if ticket.order_type is OrderType.MARKET and asset_class_of(ticket.symbol) is not AssetClass.OPTION:
            half_spread = self._prices.half_spread(ticket.symbol, at)
        return Rates(
            increment=self._desk.instruments[ticket.symbol].price_increment,
            slippage=self._settings.slippage,
            half_spread=self._settings.half_spread if half_spread is None else half_spread,
        )


def _intent(owned: Decimal, side: Side) -> PositionIntent:
    """Whether an order would open or close, by what is owned of its symbol."""
    if side is Side.BUY:
        return PositionIntent.BUY_TO_CLOSE if owned < 0 else PositionIntent.BUY_TO_OPEN
    return PositionIntent.SELL_TO_CLOSE if owned > 0 else PositionIntent.SELL_TO_OPEN
