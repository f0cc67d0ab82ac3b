"""The account's money at this moment: the desk's numbers and the prices of the moment, put through the tables.

``margin``, ``structures``, ``fees`` and ``day_trades`` know the rules and nothing of this account; this is where they meet.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from hydra.adapters.exchange import day_trades, fees, margin, structures
from hydra.adapters.exchange.backing import Backing
from hydra.adapters.exchange.desk import Desk
from hydra.adapters.exchange.interface import Figures
from hydra.adapters.exchange.model import ActivityKind, DayTrade, Execution, FeeSchedule, Ticket, VenueSettings
from hydra.adapters.exchange.prices import Prices
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import ONE, ZERO
from hydra.model.orders import Side
from hydra.model.portfolio import Position
from hydra.model.values import replace
from hydra.ports import Calendar

_CUSHION = Decimal("0.01")
"""By how much an order without a price bound may turn out dearer than it looks, as a fraction of the price."""

_TIER_DAYS = timedelta(days=30)

SPREADS_LEVEL = 3
"""The options level from which contracts may stand behind each other."""


class Money:
    """One account's figures. Reads the desk and the prices, changes nothing."""

    def __init__(self, desk: Desk, prices: Prices, calendar: Calendar, settings: VenueSettings) -> None:
        self._desk = desk
        self._prices = prices
        self._calendar = calendar
        self._settings = settings
        self.backing = Backing(desk)
        self._day: tuple[date, int] | None = None
        self._window: tuple[date, tuple[date, ...]] | None = None
        self._figures: tuple[int, datetime | None, Figures] | None = None
        self._lines: tuple[int, datetime, tuple[margin.Line, ...], margin.Sums] | None = None
        self._today: tuple[int, date, Mapping[str, Decimal]] | None = None
        self._trades: tuple[int, date, tuple[DayTrade, ...], tuple[DayTrade, ...]] | None = None

    def figures(self) -> Figures:
        """Equity, margin and buying power at the latest prices, unrounded.

        They hold until the account changes, and where something has a price or the day counts, no longer than the moment.
        """
        desk = self._desk
        at = self._prices.now if desk.positions or self._settings.day_trade_protection else None
        kept = self._figures
        if kept is None or kept[0] != desk.version or kept[1] != at:
            kept = self._figures = (desk.version, at, self._worked_out())
        return kept[2]

    def _worked_out(self) -> Figures:
        desk, account = self._desk, self._desk.account
        most = min(self._settings.multiplier, account.configuration.max_margin_multiplier)
        lines, sums = self._priced()
        sheet = margin.Sheet(
            cash=account.cash,
            lines=lines,
            multiplier=most,
            reserved=max(ZERO, desk.reserved - desk.reserved_cash),
            reserved_cash=max(ZERO, desk.reserved_cash),
            collateral=self.backing.behind(),
            closing_equity=account.closing_equity,
            closing_maintenance=account.closing_maintenance,
            day_trades=len(self.trades()) if self._settings.day_trade_protection else 0,
        )
        return margin.figures(sheet, sums)

    def power(self, asset_class: AssetClass) -> Decimal:
        """The buying power that counts for an order of this class."""
        figures = self.figures()
        if asset_class is AssetClass.OPTION:
            return figures.options_buying_power
        return figures.non_marginable_buying_power if asset_class is AssetClass.CRYPTO else figures.buying_power

    def hold(self, ticket: Ticket, but: str = "") -> Decimal | None:
        """Dollars an order holds back, fee included; ``None`` when it has no bound or no price.

        That is zero for one that closes, unless a contract that is sold stood behind another, or buying one back costs more
        than it frees. ``but`` is the client id of an order that this one is to replace.
        """
        intent = ticket.position_intent
        if intent is None:
            return ZERO
        if asset_class_of(ticket.symbol) is AssetClass.OPTION:
            return self._contracts(ticket, but)
        if not intent.opens:
            return ZERO
        if ticket.notional is not None:
            return ticket.notional + self._fee_at_most(ticket, ticket.notional / ticket.quantity)
        price = self._bound(ticket)
        instrument = self._desk.instruments[ticket.symbol]
        held = margin.order_hold(
            ticket.side,
            ticket.quantity,
            limit=price if ticket.side is Side.BUY else ticket.limit,
            ask=None if ticket.side is Side.BUY else self._ask(ticket.symbol),
            multiplier=instrument.multiplier,
        )
        return None if held is None or price is None else held + self._fee_at_most(ticket, price)

    def level(self) -> int:
        """The options level that counts: the account's, or a lower one that its owner has set."""
        return min(self._settings.options_level, self._desk.account.configuration.max_options_level)

    def needed(self, ticket: Ticket, quantity: Decimal, price: Decimal, fee: Decimal) -> Decimal | None:
        """Dollars that a fill takes from the buying power of its class; ``None`` when it would leave no bound to a loss."""
        kind = asset_class_of(ticket.symbol)
        worth = price * quantity * self._desk.instruments[ticket.symbol].multiplier
        if kind is AssetClass.OPTION:
            leg = structures.Leg(symbol=ticket.symbol, quantity=ticket.side.sign * quantity)
            rise = self.backing.rise_now([leg])
            return None if rise is None else rise + ticket.side.sign * worth + fee
        opens = ticket.position_intent is not None and ticket.position_intent.opens
        return worth + fee if opens else ZERO

    def fee(self, ticket: Ticket, quantity: Decimal, price: Decimal, *, maker: bool) -> tuple[Decimal, Decimal]:
        """Dollars, and coin, that are taken at a fill."""
        kind = asset_class_of(ticket.symbol)
        if self._settings.fees is FeeSchedule.FLAT:
            if kind is AssetClass.CRYPTO:
                return self._settings.crypto_fee * quantity * price, ZERO
            return self._settings.commission_per_share * quantity, ZERO
        if kind is AssetClass.CRYPTO:
            return fees.crypto_fee(ticket.side, quantity, price, fees.crypto_rate(self._volume(), maker=maker))
        return ZERO, ZERO

    def book_fees(self, execution: Execution, posted: Decimal = ZERO) -> None:
        """Note the coin a fill was charged, charge the dollars that are ``posted``, and add its regulatory fees to what is
        owed at the end of the day."""
        if posted:
            self._desk.note(
                ActivityKind.CRYPTO_FEE,
                execution.at,
                symbol=execution.symbol,
                price=execution.price,
                amount=-posted,
                description=f"fee in dollars on {execution.fill_id}",
            )
        if execution.fee_coin:
            self._desk.note(
                ActivityKind.CRYPTO_FEE,
                execution.at,
                symbol=execution.symbol,
                quantity=-execution.fee_coin,
                price=execution.price,
                description=f"fee in coin on {execution.fill_id}",
            )
        if self._settings.fees is FeeSchedule.FLAT:
            return
        owed = fees.regulatory(
            asset_class_of(execution.symbol),
            execution.side,
            execution.quantity,
            execution.price,
            self._calendar.sessions(execution.at).day,
        )
        if owed:
            accrued = dict(self._desk.account.accrued)
            for name, amount in owed.items():
                accrued[name] = accrued.get(name, ZERO) + amount
            self._desk.account = replace(self._desk.account, accrued=accrued)

    def trades(self) -> tuple[DayTrade, ...]:
        """The day trades of the last five exchange days, today's included."""
        before, today, count = self._desk.account.day_trades, self.today(), len(self._desk.executions)
        kept = self._trades
        if kept is None or kept[:2] != (count, today) or kept[2] is not before:
            if self._window is None or self._window[0] != today:
                self._window = (today, day_trades.last_days(self._calendar, today))
            recent = [trade for trade in day_trades.recent(before, self._window[1]) if trade.day != today]
            found = (*recent, *day_trades.recognise(self.executions_of(today), today))
            kept = self._trades = (count, today, before, found)
        return kept[3]

    def today(self) -> date:
        """The exchange's day."""
        return self._calendar.sessions(self._prices.now).day

    def executions_of(self, day: date) -> tuple[Execution, ...]:
        """The executions of the present exchange day (any day up to it costs the same)."""
        executions = self._desk.executions
        if self._day is None or self._day[0] != day:
            first = bisect_left(executions, day, key=lambda each: self._calendar.sessions(each.at).day)
            self._day = (day, first)
        return tuple(executions[self._day[1] :])

    def day_trade_refusal(self, symbol: str, side: Side) -> str:
        """Why an order may not be taken because of the day trade it would make; empty when it may."""
        if not self._settings.day_trade_protection:
            return ""
        today, account = self.today(), self._desk.account
        standing = day_trades.Standing(
            executions=self.executions_of(today),
            trades=self.trades(),
            position=self._desk.owned(symbol),
            equity=self.figures().equity if account.closing_equity is None else account.closing_equity,
        )
        return day_trades.would_be_pattern(symbol, side, standing)

    def opened_today(self, symbol: str) -> Decimal:
        """The signed part of a position that was opened on this exchange day."""
        return _opened(self._desk.owned(symbol), self._traded_today().get(symbol, ZERO))

    def _traded_today(self) -> Mapping[str, Decimal]:
        """What this exchange day's executions come to, signed, by symbol."""
        today, count = self.today(), len(self._desk.executions)
        kept = self._today
        if kept is None or kept[0] != count or kept[1] != today:
            traded: dict[str, Decimal] = {}
            for each in self.executions_of(today):
                traded[each.symbol] = traded.get(each.symbol, ZERO) + each.side.sign * each.quantity
            kept = self._today = (count, today, traded)
        return kept[2]

    def _priced(self) -> tuple[tuple[margin.Line, ...], margin.Sums]:
        """Every position at its price, and what they come to. Both hold until something is bought or sold, or the clock moves."""
        desk, now, kept = self._desk, self._prices.now, self._lines
        if kept is None or kept[0] != desk.moves or kept[1] != now:
            traded = None if self._settings.multiplier == 1 or not desk.positions else self._traded_today()
            lines = tuple([self._line(position, traded) for position in desk.positions.values()])
            kept = self._lines = (desk.moves, now, lines, margin.sums_of(lines))
        return kept[2], kept[3]

    def _line(self, position: Position, traded: Mapping[str, Decimal] | None) -> margin.Line:
        """A position at its price; what of it is of today counts on margin only, where ``traded`` is known."""
        symbol, quantity = position.symbol, position.quantity
        kind, price = asset_class_of(symbol), self._prices.last(symbol)
        return margin.Line(
            symbol=symbol,
            asset_class=kind,
            quantity=quantity,
            price=position.average_price if price is None else price,
            multiplier=structures.SHARES if kind is AssetClass.OPTION else ONE,
            today=ZERO if traded is None else _opened(quantity, traded.get(symbol, ZERO)),
        )

    def _bound(self, ticket: Ticket) -> Decimal | None:
        """The dearest an order can be expected to become: its limit, else the stop or the market and a cushion."""
        if ticket.limit is not None:
            return ticket.limit
        price = self._ask(ticket.symbol) if ticket.stop is None else ticket.stop
        return None if price is None else price * (ONE + max(_CUSHION, self._settings.slippage))

    def _ask(self, symbol: str) -> Decimal | None:
        far = self._prices.far(symbol, Side.BUY)
        return self._prices.last(symbol) if far is None else far.price

    def _fee_at_most(self, ticket: Ticket, price: Decimal) -> Decimal:
        """The fee in dollars, taken as a taker's."""
        return self.fee(ticket, ticket.quantity, price, maker=False)[0]

    def _contracts(self, ticket: Ticket, but: str) -> Decimal | None:
        """What an order for one contract takes: the premium it pays, and what must stand behind contracts after it.

        The premium of one that is sold is not counted before it is there. Below the level for spreads no long contract
        stands behind one that is written.
        """
        assert ticket.position_intent is not None
        leg = structures.Leg(symbol=ticket.symbol, quantity=ticket.side.sign * ticket.remaining)
        if ticket.side is Side.SELL:
            alone = ticket.position_intent.opens and self.level() < SPREADS_LEVEL
            rise = self.backing.rise([leg], but=but, alone=alone)
            return None if rise is None else max(ZERO, rise)
        price = self._bound(ticket)
        if price is None:
            return None
        premium = price * ticket.remaining * structures.SHARES + self._fee_at_most(ticket, price)
        if ticket.position_intent.opens:
            return premium
        return max(ZERO, premium + (self.backing.rise([leg], but=but) or ZERO))

    def _volume(self) -> Decimal:
        """Dollars of crypto traded in the thirty days before this one: what is traded today counts from tomorrow on."""
        since: datetime = self._prices.now - _TIER_DAYS
        before = len(self._desk.executions) - len(self.executions_of(self.today()))
        total = ZERO
        for execution in reversed(self._desk.executions[:before]):
            if execution.at < since:
                break
            if asset_class_of(execution.symbol) is AssetClass.CRYPTO:
                total += execution.quantity * execution.price
        return total


def _opened(owned: Decimal, traded: Decimal) -> Decimal:
    """How much of what is owned was opened by what was traded on a day, both signed."""
    if owned > 0:
        return min(owned, max(ZERO, traded))
    return max(owned, min(ZERO, traded))
