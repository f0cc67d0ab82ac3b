"""Where orders meet prices: taking an order, filling it, giving it legs, letting it expire.

An order meets only bars that opened when it was already working; ``matching`` says how it fills. An order that fills
brings its legs to life, and those share one quantity: when one fills, the other is cancelled. The oddity: an entry that
fills inside a bar may be stopped out in that bar but never reach its target in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from hydra.adapters.exchange import admission, hours
from hydra.adapters.exchange.desk import Desk
from hydra.adapters.exchange.matching import Rates, against_bar, against_quote
from hydra.adapters.exchange.model import Ticket, VenueSettings
from hydra.adapters.exchange.prices import Prices
from hydra.model.market import Bar, Instrument, Quote
from hydra.model.money import ZERO, plain
from hydra.model.orders import Order, OrderStatus, OrderType, Side, TimeInForce
from hydra.model.values import replace
from hydra.ports import Calendar

_FRESH_BARS = 2


class Pit:
    """The rules of trading, applied to one account (``desk``) at the prices of the moment."""

    def __init__(self, desk: Desk, prices: Prices, calendar: Calendar, settings: VenueSettings) -> None:
        self._desk = desk
        self._prices = prices
        self._calendar = calendar
        self._settings = settings
        self._instruments: Mapping[str, Instrument] = desk.instruments

    def refusal(self, order: Order) -> str:
        """Why an order is not taken; empty when it is."""
        if order.symbol not in self._instruments:
            return f"{order.symbol} is not traded here; this feed has {', '.join(self._instruments)}"
        legs = admission.leg_ids(order.client_id) if order.protection is not None else ()
        for leg in legs:
            if leg in self._desk.orders:
                return f"client_id {leg}, which a leg of this order needs, is already used"
        return admission.refusal(order, self._facts(order))

    def accept(self, order: Order) -> None:
        """Take an order, and trade it at once if it can be."""
        now, day_only = self._prices.now, order.time_in_force is TimeInForce.DAY
        asset_class = self._instruments[order.symbol].asset_class
        ticket = Ticket(
            number=self._desk.next_number,
            client_id=order.client_id,
            symbol=order.symbol,
            side=order.side,
            order_type=order.order_type,
            quantity=order.quantity,
            time_in_force=order.time_in_force,
            limit=order.limit,
            stop=order.stop,
            protection=order.protection,
            since=now,
            updated_at=now,
            expires_at=hours.day_ends_at(self._calendar, asset_class, now) if day_only else None,
            reserved=admission.cash_needed(order, self._facts(order)),
        )
        self._desk.put(ticket)
        quote = self._fresh_quote(order.symbol)
        price = None if quote is None else against_quote(ticket, quote, self._rates(ticket, now))
        if price is not None:
            self._execute(ticket, price, now)
        elif order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            reason = f"nothing to trade on at once, and time in force is {order.time_in_force}"
            self._desk.end(ticket, OrderStatus.CANCELED, now, reason)

    def play(self, bar: Bar) -> None:
        """Let a bar work on the open orders of its symbol, in the order in which they were accepted."""
        for ticket in self._desk.working(bar.symbol):
            self._meet(ticket, bar, None)

    def expire(self) -> None:
        """End the day orders whose session has closed."""
        for ticket in tuple(self._desk.open.values()):
            if ticket.expires_at is not None and ticket.expires_at <= self._prices.now:
                reason = f"a day order, and the session closed at {ticket.expires_at:%Y-%m-%d %H:%M}Z"
                self._desk.end(ticket, OrderStatus.EXPIRED, ticket.expires_at, reason)

    def _meet(self, ticket: Ticket, bar: Bar, start: Decimal | None) -> None:
        """One order and one bar. ``start`` is given for a leg born in this bar: the price from which the bar counts."""
        if not self._counts(ticket, bar, born_here=start is not None):
            return
        match = against_bar(ticket, bar, self._rates(ticket, bar.at), start)
        if match is None or not hours.trades_in(self._calendar, self._instruments[bar.symbol].asset_class, bar):
            return
        if match.price is None:
            self._desk.put(replace(ticket, triggered=True, updated_at=bar.closes_at))
            return
        for leg in self._execute(ticket, match.price, bar.closes_at):
            if match.at_start or leg.order_type is OrderType.STOP:
                self._meet(leg, bar, bar.open if match.at_start else match.price)

    def _counts(self, ticket: Ticket, bar: Bar, *, born_here: bool) -> bool:
        """Whether the order works in this bar: still open, there when the bar opened, not expired by then."""
        if ticket.client_id not in self._desk.open:
            return False
        if ticket.expires_at is not None and ticket.expires_at <= bar.at:
            return False
        return born_here or ticket.since <= bar.at

    def _execute(self, ticket: Ticket, price: Decimal, at: datetime) -> tuple[Ticket, ...]:
        """Fill an order whole, cancel its sibling, and return the legs it brings to life.

        A buy that has become dearer than the cash in the account is cancelled instead.
        """
        desk, instrument = self._desk, self._instruments[ticket.symbol]
        fee = self._settings.fee(instrument, ticket.quantity, price)
        cost = price * ticket.quantity * instrument.multiplier + fee
        if ticket.side is Side.BUY and cost > desk.cash:
            reason = f"insufficient buying power at the fill: needs {plain(cost)}, has {plain(desk.cash)}"
            desk.end(ticket, OrderStatus.CANCELED, at, reason)
            return ()
        filled = desk.fill(ticket, price, fee, at)
        for sibling in desk.siblings(filled):
            desk.end(sibling, OrderStatus.CANCELED, at, f"its sibling {filled.client_id} filled")
        return self._make_legs(filled, at)

    def _make_legs(self, entry: Ticket, at: datetime) -> tuple[Ticket, ...]:
        """The stop, then the target: the stop comes first in a bar that reaches both."""
        if entry.protection is None:
            return ()
        stop_id, target_id = admission.leg_ids(entry.client_id)
        stop = Ticket(
            number=self._desk.next_number,
            client_id=stop_id,
            symbol=entry.symbol,
            side=entry.side.opposite,
            order_type=OrderType.STOP,
            quantity=entry.filled,
            time_in_force=TimeInForce.GTC,
            stop=entry.protection.stop,
            parent=entry.client_id,
            since=at,
            updated_at=at,
        )
        legs = (self._desk.put(stop),)
        if entry.protection.target is None:
            return legs
        target = replace(
            stop,
            number=self._desk.next_number,
            client_id=target_id,
            order_type=OrderType.LIMIT,
            stop=None,
            limit=entry.protection.target,
        )
        return (*legs, self._desk.put(target))

    def _facts(self, order: Order) -> admission.Facts:
        last, quote = self._prices.last(order.symbol), self._prices.quotes().get(order.symbol)
        far = last
        if quote is not None:
            far = quote.ask if order.side is Side.BUY else quote.bid
        return admission.Facts(
            instrument=self._instruments[order.symbol],
            settings=self._settings,
            buying_power=self._desk.buying_power,
            position=self._desk.owned(order.symbol),
            held=self._desk.held(order.symbol),
            far=far,
            last=last,
        )

    def _fresh_quote(self, symbol: str) -> Quote | None:
        """The quote an order can trade on at once: of an open session, and at most two bars old."""
        quote, now = self._prices.quotes().get(symbol), self._prices.now
        if quote is None or now - quote.at > timedelta(seconds=_FRESH_BARS * self._settings.bar_seconds):
            return None
        return quote if hours.is_open(self._calendar, self._instruments[symbol].asset_class, now) else None

    def _rates(self, ticket: Ticket, at: datetime) -> Rates:
        """What a fill costs; only a market order pays the spread."""
        half_spread: Decimal | None = ZERO
        if ticket.order_type is OrderType.MARKET:
            half_spread = self._prices.half_spread(ticket.symbol, at)
        return Rates(
            increment=self._instruments[ticket.symbol].price_increment,
            slippage=self._settings.slippage,
            half_spread=self._settings.half_spread if half_spread is None else half_spread,
        )
