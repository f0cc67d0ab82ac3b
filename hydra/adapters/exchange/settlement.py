"""What happens to an account by the calendar: the opening, the close, the end of the day.

    at                          what
    --------------------------  --------------------------------------------------------------------------------------
    04:00 of an exchange day    dividends due are paid; corporate actions with this ex-date take effect
    the opening                 queued orders work
    the close                   the closing auction; contracts that expire are exercised, assigned or lapse; the day is
                                put on record (equity, maintenance margin, prices, day trades); day orders expire
    20:00                       extended-hours orders expire; the day's regulatory fees are charged, rounded up to the cent

Contracts that expire a cent or more in the money by the last regular price are exercised (unless declined) or assigned. Shorts
are assigned first, so the long side of a spread can deliver. An exercise that the account could not carry (shares it does not
have and may not short, or cash it does not have) is settled at the intrinsic value instead, and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal

from hydra.adapters.exchange import corporate, day_trades, fees, structures
from hydra.adapters.exchange.desk import Desk
from hydra.adapters.exchange.model import ActivityKind, Ticket, VenueSettings
from hydra.adapters.exchange.pit import Pit
from hydra.adapters.exchange.prices import Prices
from hydra.adapters.exchange.terms import No, Rejection, Status, refuse
from hydra.adapters.markets.feed import CorporateAction
from hydra.model.market import AssetClass, OptionContract, Right, asset_class_of
from hydra.model.money import ZERO, plain
from hydra.model.portfolio import Position
from hydra.model.values import replace
from hydra.ports import Calendar

_CENT = Decimal("0.01")
_WINDOW_DAYS = 7


class Settlement:
    """The calendar's side of one account."""

    def __init__(self, desk: Desk, prices: Prices, pit: Pit, calendar: Calendar, settings: VenueSettings) -> None:
        self._desk = desk
        self._prices = prices
        self._pit = pit
        self._calendar = calendar
        self._settings = settings

    def mark(self) -> None:
        """Do what belongs to the phase that begins now."""
        session = self._calendar.sessions(self._prices.now).by_class.get(AssetClass.EQUITY)
        begin = None if session is None else _PHASES.get(session.phase)
        if begin is not None:
            begin(self)

    def exercise(self, symbol: str) -> Rejection | None:
        """Exercise every long contract of a symbol now."""
        position = self._desk.positions.get(symbol)
        if position is None or asset_class_of(symbol) is not AssetClass.OPTION or position.quantity <= 0:
            return refuse(f"there is no long position in the contract {symbol}", No.NO_POSITION, symbol=symbol)
        if self._desk.held(symbol):
            return refuse(f"{plain(self._desk.held(symbol))} of {symbol} are reserved by open orders", No.NOT_PERMITTED)
        contract = OptionContract.parse(symbol)
        if not self._can_carry(position, contract):
            return refuse(f"the account cannot carry an exercise of {symbol}", No.INSUFFICIENT_BUYING_POWER)
        self._deliver(position, contract, ActivityKind.OPTION_EXERCISE)
        return None

    def decline(self, symbol: str) -> Rejection | None:
        """Have a contract lapse at expiry."""
        position = self._desk.positions.get(symbol)
        if position is None or asset_class_of(symbol) is not AssetClass.OPTION or position.quantity <= 0:
            return refuse(f"there is no long position in the contract {symbol}", No.NO_POSITION, symbol=symbol)
        account = self._desk.account
        self._desk.account = replace(account, declined=account.declined | {symbol})
        return None

    def _day_begins(self) -> None:
        now, today = self._prices.now, self._today()
        account = self._desk.account
        due = [each for each in account.owed if each.at <= now]
        if due:
            self._desk.account = replace(account, owed=tuple(each for each in account.owed if each.at > now))
            for each in due:
                self._desk.enter(each, now)
        for action in self._prices.feed.actions:
            if action.ex_date == today:
                self._apply(action)
        self._pit.open_queue()

    def _opens(self) -> None:
        self._pit.open_queue()

    def _closes(self) -> None:
        self._pit.play_close()
        self._pit.expire()
        today = self._today()
        for ticket in tuple(self._desk.open.values()):
            if ticket.client_id in self._desk.open and ticket.working and _expires_on(ticket.symbol, today):
                self._pit.end(ticket, Status.EXPIRED, self._prices.now, f"{ticket.symbol} has expired")
        ending = [p for p in self._desk.positions.values() if _expires_on(p.symbol, today)]
        for position in sorted(ending, key=lambda each: (each.quantity > 0, each.symbol)):
            self._expire(position)
        self._record(today)

    def _day_ends(self) -> None:
        self._pit.expire()
        account = self._desk.account
        if account.accrued:
            self._desk.account = replace(account, accrued={})
            for name, amount in fees.post(account.accrued).items():
                if amount:
                    what = f"{name} of {self._today()}"
                    self._desk.note(ActivityKind.FEE, self._prices.now, amount=-amount, description=what)

    def _record(self, today: date) -> None:
        """Put the regular close on record."""
        figures, account = self._pit.money.figures(), self._desk.account
        trades = [
            trade for trade in account.day_trades if (today - trade.day).days <= _WINDOW_DAYS and trade.day != today
        ]
        trades += day_trades.recognise(self._pit.money.executions_of(today), today)
        closing = {symbol: self._prices.last(symbol) for symbol in self._desk.positions}
        self._desk.account = replace(
            account,
            closed_on=today,
            closing_equity=figures.equity,
            closing_maintenance=figures.maintenance_margin,
            closing_prices={symbol: price for symbol, price in closing.items() if price is not None},
            day_trades=tuple(trades),
            pattern_day_trader=account.pattern_day_trader or day_trades.flagged(self._pit.money.trades()),
        )

    def _expire(self, position: Position) -> None:
        """End a contract on its last day."""
        symbol, desk, now = position.symbol, self._desk, self._prices.now
        contract = OptionContract.parse(symbol)
        underlying = self._prices.close(structures.underlying_of(symbol))
        worth = ZERO if underlying is None else structures.intrinsic(contract, underlying)
        declined = symbol in desk.account.declined
        if worth < _CENT or (position.quantity > 0 and declined):
            desk.set_position(symbol, ZERO, position.average_price)
            why = "declined" if declined else "no price of its underlying" if underlying is None else "out of the money"
            desk.note(
                ActivityKind.OPTION_EXPIRY,
                now,
                symbol=symbol,
                quantity=-position.quantity,
                description=f"expired, {why}",
            )
        elif position.quantity < 0:
            self._deliver(position, contract, ActivityKind.OPTION_ASSIGNMENT)
        elif self._can_carry(position, contract):
            self._deliver(position, contract, ActivityKind.OPTION_EXERCISE)
        else:
            desk.set_position(symbol, ZERO, position.average_price)
            desk.note(
                ActivityKind.OPTION_EXPIRY,
                now,
                symbol=symbol,
                quantity=-position.quantity,
                price=worth,
                amount=worth * position.quantity * structures.SHARES,
                description=f"settled at its intrinsic value of {plain(worth)}: the account could not carry the exercise",
            )

    def _can_carry(self, position: Position, contract: OptionContract) -> bool:
        """Whether a long position could be exercised: shares to deliver, or money to pay the strike, and enough left behind
        the contracts that stay."""
        shares = position.quantity * structures.SHARES
        underlying = structures.underlying_of(position.symbol)
        owned, money = self._desk.owned(underlying), self._pit.money
        puts = contract.right is Right.PUT
        may_short = self._settings.shorting and not self._desk.account.configuration.no_shorting
        if puts and owned < shares and not may_short:
            return False
        gone = structures.Leg(symbol=position.symbol, quantity=-position.quantity)
        rise = money.backing.rise_now([gone], {underlying: -shares if puts else shares})
        if rise is None:
            return False
        cost = ZERO if puts else contract.strike * (shares - min(shares, max(ZERO, -owned)))
        has = money.power(AssetClass.EQUITY)
        return cost <= has and (
            rise <= 0 or cost + rise <= money.power(AssetClass.OPTION) + (shares * contract.strike if puts else ZERO)
        )

    def _deliver(self, position: Position, contract: OptionContract, kind: ActivityKind) -> None:
        """Turn contracts into shares at the strike. Orders that lay claim to the shares are cancelled first."""
        desk, now = self._desk, self._prices.now
        underlying = structures.underlying_of(position.symbol)
        buys = (contract.right is Right.CALL) is (position.quantity > 0)
        shares = abs(position.quantity) * structures.SHARES * (1 if buys else -1)
        for ticket in desk.working(underlying):
            opens = ticket.position_intent is not None and ticket.position_intent.opens
            if not opens or ticket.side.sign * (desk.owned(underlying) + shares) < 0:
                self._pit.end(
                    desk.orders[ticket.client_id], Status.CANCELED, now, f"{position.symbol} was turned into shares"
                )
        desk.set_position(position.symbol, ZERO, position.average_price)
        desk.note(
            kind, now, symbol=position.symbol, quantity=-position.quantity, description=f"{kind} of {position.symbol}"
        )
        desk.move(underlying, shares, contract.strike)
        desk.note(
            ActivityKind.OPTION_TRADE,
            now,
            symbol=underlying,
            quantity=shares,
            price=contract.strike,
            amount=-shares * contract.strike,
            description=f"{kind} of {position.symbol}",
        )

    def _apply(self, action: CorporateAction) -> None:
        desk, now = self._desk, self._prices.now
        symbols = {action.symbol, *desk.positions}
        prices = {symbol: self._prices.close(symbol) for symbol in symbols}
        scene = corporate.Scene(
            at=now,
            positions=tuple(desk.positions.values()),
            orders=tuple(desk.open.values()),
            prices={symbol: price for symbol, price in prices.items() if price is not None},
            fractional=self._settings.fractional,
        )
        effect = corporate.apply(action, scene)
        for ticket in effect.orders:
            self._change(ticket)
        for symbol in effect.gone:
            desk.set_position(symbol, ZERO, Decimal(1))
        for position in effect.positions:
            desk.set_position(position.symbol, position.quantity, position.average_price)
        later = effect.pays_on is not None and effect.pays_on > self._today()
        for activity in effect.activities:
            if later:
                assert effect.pays_on is not None
                at = datetime.combine(effect.pays_on, time(0), UTC)
                desk.account = replace(desk.account, owed=(*desk.account.owed, replace(activity, at=at)))
            else:
                desk.enter(activity, now)
        account = desk.account
        desk.account = replace(account, closing_prices=corporate.adjusted_prices(action, account.closing_prices))

    def _change(self, ticket: Ticket) -> None:
        """Keep an order as the action left it; one that it ended is told of."""
        if ticket.status.done:
            before = self._desk.orders[ticket.client_id]
            if not before.status.done:
                self._desk.mark(before, ticket.status, self._prices.now, ticket.reason)
        else:
            self._desk.put(ticket)

    def _today(self) -> date:
        return self._calendar.sessions(self._prices.now).day


_PHASES: dict[str, Callable[[Settlement], None]] = {
    "pre": Settlement._day_begins,
    "regular": Settlement._opens,
    "post": Settlement._closes,
    "closed": Settlement._day_ends,
}


def _expires_on(symbol: str, day: date) -> bool:
    return bool(symbol) and asset_class_of(symbol) is AssetClass.OPTION and OptionContract.parse(symbol).expiry <= day
