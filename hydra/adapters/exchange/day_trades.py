"""Day trades: which there were, how many count, and which order may not make one more.

The rule is FINRA 4210(f)(8)(B): a day trade opens and closes (a long or a short) in the same security on one day; four of
them within five business days make a pattern day trader, who needs 25,000 dollars of equity. How many day trades a day of
many executions has is counted by turns (FINRA Regulatory Notice 21-13, whose examples Alpaca gives as its own rule): every
change of direction from opening to closing is one, however many executions either side took. Selling what was held
overnight before anything is bought is none; selling after a purchase of the same day is one, whichever shares are meant.
An execution that turns a long into a short closes and then opens.

The oddities: crypto does not count (it is no margin security), and FINRA's exemption for accounts whose day trades are at
most six percent of their trades is not granted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from hydra.adapters.exchange.model import DayTrade, Execution
from hydra.model.market import AssetClass, asset_class_of
from hydra.model.money import ZERO, plain
from hydra.model.orders import Side
from hydra.model.values import Value
from hydra.ports import Calendar

PATTERN = 4
"""This many day trades within the window make a pattern day trader."""

WINDOW_DAYS = 5
"""How many exchange days, today included, the window has."""

MINIMUM_EQUITY = Decimal(25_000)
"""Dollars of equity at the last close from which a pattern day trader may go on."""

_MID_MORNING = time(15, 30)
"""UTC; 10:30 or 11:30 in New York, inside every session, the short ones too."""

_LOOK_BACK_DAYS = 15


class _Turns(Value, frozen=True, kw_only=True):
    """A symbol's day so far: the turns that were day trades, and whether something opened since the last."""

    count: int = 0
    opened: bool = False


def recognise(executions: Iterable[Execution], day: date) -> tuple[DayTrade, ...]:
    """The day trades in the executions of one exchange day, given oldest first; by symbol, one for each turn."""
    turns = _turns(executions)
    return tuple(DayTrade(day=day, symbol=symbol) for symbol in sorted(turns) for _ in range(turns[symbol].count))


def opened_today(executions: Iterable[Execution], symbol: str) -> bool:
    """True when closing ``symbol`` now, even in part, would be a day trade. ``executions`` are those of today."""
    turns = _turns(execution for execution in executions if execution.symbol == symbol)
    return turns.get(symbol, _Turns()).opened


def last_days(calendar: Calendar, today: date) -> tuple[date, ...]:
    """The last five exchange days up to ``today``, oldest first. A day is one when its session is open in mid-morning."""
    days: list[date] = []
    for back in range(_LOOK_BACK_DAYS):
        day = today - timedelta(days=back)
        session = calendar.sessions(datetime.combine(day, _MID_MORNING, UTC)).by_class.get(AssetClass.EQUITY)
        if session is not None and session.open:
            days.append(day)
        if len(days) == WINDOW_DAYS:
            break
    return tuple(reversed(days))


def recent(trades: Iterable[DayTrade], days: Collection[date]) -> tuple[DayTrade, ...]:
    """The day trades that count: those on ``days``, the last five exchange days with today as one of them."""
    return tuple(trade for trade in trades if trade.day in days)


def flagged(trades: Sequence[DayTrade]) -> bool:
    """True when these day trades (of one window) make a pattern day trader."""
    return len(trades) >= PATTERN


class Standing(Value, frozen=True, kw_only=True):
    """What the protection looks at: today's executions, the day trades in the window before them and with them, the signed
    position in the order's symbol, and equity at the last close in dollars (before the first, the present equity)."""

    executions: tuple[Execution, ...]
    trades: tuple[DayTrade, ...]
    position: Decimal
    equity: Decimal


def would_be_pattern(symbol: str, side: Side, standing: Standing) -> str:
    """Why an order must be refused that would make the account a pattern day trader; empty when it need not be.

    That is an order that closes at least a part of a position of which something was opened today, with three day trades
    in the window already (``standing.trades``, today's included) and less than 25,000 dollars of equity.
    """
    closes = standing.position != 0 and (standing.position > 0) is (side is Side.SELL)
    if not closes or standing.equity >= MINIMUM_EQUITY or len(standing.trades) < PATTERN - 1:
        return ""
    if not opened_today(standing.executions, symbol):
        return ""
    return (
        f"trade denied due to pattern day trading protection: a {side} of {symbol} would be day trade "
        f"{len(standing.trades) + 1} within {WINDOW_DAYS} exchange days, at most {PATTERN - 1} are allowed "
        f"below {plain(MINIMUM_EQUITY)} of equity, and equity is {plain(standing.equity)}"
    )


def _turns(executions: Iterable[Execution]) -> dict[str, _Turns]:
    turns: dict[str, _Turns] = {}
    for execution in executions:
        if asset_class_of(execution.symbol) is not AssetClass.CRYPTO:
            turns[execution.symbol] = _after(turns.get(execution.symbol, _Turns()), execution)
    return turns


def _after(turns: _Turns, execution: Execution) -> _Turns:
    """The day so far after one more execution; one that crosses zero first closes and then opens."""
    after = execution.position
    before = after - execution.side.sign * execution.quantity
    closes = before * execution.side.sign < 0
    opens = after * execution.side.sign > ZERO
    count, opened = turns.count, turns.opened
    if closes and opened:
        count, opened = count + 1, False
    return _Turns(count=count, opened=opened or opens)
