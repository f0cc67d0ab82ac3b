"""The route of the portfolio's history: what the account was worth, window by window.

It is computed by folding the account's own records, not kept: beginning with the starting cash, every execution moves cash
and position, every activity moves what it says it moved, and at the end of each window what is held is valued at the close
of the last bar known by then (a contract at the middle of its last quote; at the last execution's price where nothing is
known). The window that holds the present moment is valued as the account itself is now, at quotes.

Windows of a day are labelled 20:00 New York, the end of the day's trading, as Alpaca labels them; shorter ones by their
beginning. A history never begins before the account. There are no deposits here, so profit is the difference in equity.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from starlette.responses import Response
from starlette.routing import BaseRoute

from hydra.adapters.exchange.interface import Exchange
from hydra.adapters.exchange.model import Activity, ActivityKind, Execution
from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.activities import KINDS
from hydra.adapters.exchange.server.context import Ask, Context, endpoint
from hydra.adapters.exchange.server.errors import bad_parameter
from hydra.adapters.exchange.server.params import Query
from hydra.adapters.exchange.server.sessions import Day, day_of, days, last_closed, local_date
from hydra.adapters.markets.feed import Feed
from hydra.model.market import AssetClass, asset_class_of, multiplier_of
from hydra.model.money import ZERO
from hydra.ports import Calendar

TIMEFRAMES: dict[str, timedelta] = {
    "1Min": timedelta(minutes=1),
    "5Min": timedelta(minutes=5),
    "15Min": timedelta(minutes=15),
    "1H": timedelta(hours=1),
    "1D": timedelta(days=1),
}
DAY = timedelta(days=1)
UNIT_DAYS = {"D": 1, "W": 7, "M": 30, "A": 365}
SPAN_MAX = timedelta(days=3660)
WINDOWS_MAX = 20_000
BARS_MAX = 50_000
REPORTING = ("market_hours", "extended_hours", "continuous")
_PERIOD = re.compile(r"(\d{1,4})([DWMA])", re.ASCII)
_EPOCH = re.compile(r"\d{1,11}", re.ASCII)


class Wish(NamedTuple):
    """What is asked for: a span, a timeframe, which hours, how profit is counted, which cash flows."""

    begins: datetime
    ends: datetime
    timeframe: str
    reporting: str
    per_day: bool
    flows: frozenset[str]


class Window(NamedTuple):
    """A window: its label and the instant its equity is taken at, with its exchange day."""

    label: datetime
    at: datetime
    day: date


class Records(NamedTuple):
    """All that is needed of the exchange, taken at one moment; the feed only ever adds to its past."""

    feed: Feed
    calendar: Calendar
    now: datetime
    begins: datetime
    starting_cash: Decimal
    equity: Decimal
    executions: Sequence[Execution]
    activities: Sequence[Activity]


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    return [endpoint(context, "GET", "/v2/account/portfolio/history", history)]


def history(context: Context, ask: Ask) -> Callable[[], Response]:
    """The account's history; computed beside the event loop."""
    records = records_of(context.exchange)
    wish = read_wish(ask.query, records)
    return lambda: wire.reply(history_json(records, wish))


def records_of(exchange: Exchange) -> Records:
    """What the exchange knows now."""
    state = exchange.state()
    executions = tuple(exchange.executions())
    begins = state.opened_at or exchange.feed.next_after(None) or exchange.now
    if executions:
        begins = min(begins, executions[0].at)
    return Records(
        feed=exchange.feed,
        calendar=exchange.calendar,
        now=exchange.now,
        begins=min(begins, exchange.now),
        starting_cash=state.opened_with.starting_cash,
        equity=exchange.figures().equity,
        executions=executions,
        activities=tuple(exchange.activities()),
    )


def read_wish(query: Query, records: Records) -> Wish:
    """What is asked for, with Alpaca's defaults."""
    period, start, end = query.text("period"), _moment(query, "start"), _moment(query, "end")
    if period and start is not None and end is not None:
        raise bad_parameter("period cannot be combined with both start and end")
    span = _span(period or "1M")
    ends = end or (records.now if start is None else min(start + span, records.now))
    ends = min(ends, records.now)
    begins = start if start is not None else ends - span
    if begins > ends:
        raise bad_parameter(f"start {wire.instant(begins)} is after end {wire.instant(ends)}")
    if ends - begins > SPAN_MAX:
        raise bad_parameter(f"at most {SPAN_MAX.days} days of history can be asked for")
    asked = query.text("timeframe")
    timeframe = query.chosen("timeframe", tuple(TIMEFRAMES), "1D") if asked else _usual(ends - begins)
    if timeframe != "1D" and ends - begins > 31 * DAY:
        raise bad_parameter("timeframe must be 1D for more than 30 days")
    reporting = query.chosen("intraday_reporting", REPORTING, "")
    if not reporting:
        reporting = "extended_hours" if query.flag("extended_hours") else "market_hours"
    per_day = query.chosen("pnl_reset", ("no_reset", "per_day"), "per_day") == "per_day"
    return Wish(begins, ends, timeframe, reporting, per_day, _flows(query))


def _moment(query: Query, name: str) -> datetime | None:
    text = query.text(name)
    if _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(min(int(text), 7_000_000_000), UTC)
    return query.moment(name)


def _span(period: str) -> timedelta:
    match = _PERIOD.fullmatch(period)
    span = None if match is None else timedelta(days=int(match[1]) * UNIT_DAYS[match[2]])
    if span is None or not timedelta(0) < span <= SPAN_MAX:
        raise bad_parameter(f"period must be a number of D, W, M or A up to {SPAN_MAX.days} days, got {period[:40]!r}")
    return span


def _usual(span: timedelta) -> str:
    return "1Min" if span < 7 * DAY else "15Min" if span < 30 * DAY else "1D"


def _flows(query: Query) -> frozenset[str]:
    given = query.listed("cashflow_types")
    if not given or given == ("NONE",):
        return frozenset()
    if given == ("ALL",):
        return frozenset(kind.value for kind in ActivityKind)
    for each in given:
        if each not in KINDS:
            raise bad_parameter(f"invalid cashflow type: {each[:40]!r}")
    return frozenset(given)


def history_json(records: Records, wish: Wish) -> dict[str, Any]:
    """The history as Alpaca shows it."""
    windows = windows_of(records, wish)
    worth = Worth(records)
    equities = [worth.at(window.at) for window in windows]
    base, as_of = _base(records, wish, windows, equities)
    references = _references(records, wish, windows, base)
    profits = [equity - reference for equity, reference in zip(equities, references, strict=True)]
    body: dict[str, Any] = {
        "timestamp": [int(window.label.timestamp()) for window in windows],
        "equity": [_money(equity) for equity in equities],
        "profit_loss": [_money(profit) for profit in profits],
        "profit_loss_pct": [
            float(round(profit / reference, 6)) if reference else None
            for profit, reference in zip(profits, references, strict=True)
        ],
        "base_value": None if base is None else _money(base),
        "timeframe": wish.timeframe,
    }
    if as_of is not None:
        body["base_value_asof"] = wire.day(as_of)
    body["cashflow"] = _cash_flows(records, wish, windows)
    return body


def _money(amount: Decimal) -> float:
    return float(round(amount, 4))


def windows_of(records: Records, wish: Wish) -> list[Window]:
    """The windows of a span, oldest first."""
    first, last = max(wish.begins, records.begins), wish.ends
    step = TIMEFRAMES[wish.timeframe]
    found: list[Window] = []
    if wish.timeframe == "1D":
        every = days(records.calendar, local_date(first), local_date(last))
        return [Window(d.post_closes, min(d.post_closes, records.now), d.date) for d in every if d.opens <= last]
    for begins, ends, day in _stretches(records.calendar, wish.reporting, first, last):
        label = begins
        while label < ends and label <= last:
            if label + step > first:
                found.append(Window(label, min(label + step, records.now), day))
            if len(found) > WINDOWS_MAX:
                raise bad_parameter(f"that is more than {WINDOWS_MAX} windows")
            label += step
    return found


def _stretches(
    calendar: Calendar, reporting: str, first: datetime, last: datetime
) -> Iterator[tuple[datetime, datetime, date]]:
    """The spans of time that are reported on."""
    if reporting == "continuous":
        midnight = datetime.combine(first.date(), datetime.min.time(), UTC)
        while midnight <= last:
            yield midnight, midnight + DAY, midnight.date()
            midnight += DAY
        return
    for day in days(calendar, local_date(first), local_date(last)):
        if reporting == "market_hours":
            yield day.opens, day.closes, day.date
        else:
            yield day.pre_opens, day.post_closes, day.date


def _base(
    records: Records, wish: Wish, windows: Sequence[Window], equities: Sequence[Decimal]
) -> tuple[Decimal | None, date | None]:
    """What profit counts from: the close before an intraday history, else its first value."""
    if not windows:
        return None, None
    if wish.timeframe != "1D":
        before = _close_before(records, windows[0])
        if before is not None:
            return Worth(records).at(before.closes), before.date
        return records.starting_cash, None
    return equities[0], None


def _close_before(records: Records, window: Window) -> Day | None:
    """The last close before the day of a window, if the account existed then."""
    day = day_of(records.calendar, window.day)
    found = last_closed(records.calendar, window.label if day is None else day.opens)
    return found if found is not None and found.closes >= records.begins else None


def _references(records: Records, wish: Wish, windows: Sequence[Window], base: Decimal | None) -> list[Decimal]:
    """What the profit of each window counts from: the base, or the close before its day."""
    if wish.timeframe == "1D" or not wish.per_day:
        return [base if base is not None else ZERO] * len(windows)
    worth, by_day = Worth(records), dict[date, Decimal]()
    for window in windows:
        if window.day not in by_day:
            before = _close_before(records, window)
            by_day[window.day] = records.starting_cash if before is None else worth.at(before.closes)
    return [by_day[window.day] for window in windows]


def _cash_flows(records: Records, wish: Wish, windows: Sequence[Window]) -> dict[str, list[float]]:
    """Dollars of each kind of activity by window; what falls between windows counts in the next one."""
    flows: dict[str, list[Decimal]] = {}
    ends = [window.at for window in windows]
    for activity in records.activities:
        kind = activity.kind.value
        place = bisect_right(ends, activity.at - timedelta(microseconds=1))
        if kind not in wish.flows or not activity.amount or place >= len(windows) or activity.at < wish.begins:
            continue
        flows.setdefault(kind, [ZERO] * len(windows))[place] += activity.amount
    return {kind: [_money(amount) for amount in flows[kind]] for kind in sorted(flows)}


class Worth:
    """What the account was worth at any instant since it began."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._changes = sorted(_changes(records), key=lambda change: change[0])
        self._prices: dict[str, tuple[list[datetime], list[Decimal]]] = {}
        self._known: dict[datetime, Decimal] = {}
        self._place, self._cash, self._held = 0, records.starting_cash, dict[str, Decimal]()

    def at(self, at: datetime) -> Decimal:
        """Equity in dollars. Asking in order of time is fastest."""
        if at >= self._records.now:
            return self._records.equity
        if at not in self._known:
            self._known[at] = self._fold(at)
        return self._known[at]

    def _fold(self, at: datetime) -> Decimal:
        if self._place and self._changes[self._place - 1][0] > at:
            self._place, self._cash, self._held = 0, self._records.starting_cash, {}
        while self._place < len(self._changes) and self._changes[self._place][0] <= at:
            _, symbol, quantity, cash = self._changes[self._place]
            self._cash += cash
            if symbol:
                self._held[symbol] = self._held.get(symbol, ZERO) + quantity
            self._place += 1
        held = ((symbol, quantity) for symbol, quantity in self._held.items() if quantity)
        return self._cash + sum((q * self._price(s, at) * multiplier_of(s) for s, q in held), ZERO)

    def _price(self, symbol: str, at: datetime) -> Decimal:
        if asset_class_of(symbol) is AssetClass.OPTION:
            quote = self._records.feed.option_quote(symbol, at)
            if quote is not None and quote.bid is not None and quote.ask is not None:
                return (quote.bid + quote.ask) / 2
        times, prices = self._closes(symbol)
        place = bisect_right(times, at)
        if place:
            return prices[place - 1]
        earlier = self._records.feed.history(symbol, at, 1)
        if earlier:
            return earlier[-1].close
        traded = [each for each in self._records.executions if each.symbol == symbol and each.at <= at]
        return traded[-1].price if traded else ZERO

    def _closes(self, symbol: str) -> tuple[list[datetime], list[Decimal]]:
        """The latest closes of a symbol, taken from the feed once; what is older is asked for singly."""
        if symbol not in self._prices:
            bars = self._records.feed.history(symbol, self._records.now, BARS_MAX)
            self._prices[symbol] = ([bar.closes_at for bar in bars], [bar.close for bar in bars])
        return self._prices[symbol]


def _changes(records: Records) -> Iterator[tuple[datetime, str, Decimal, Decimal]]:
    """Every change of the account: when, which symbol, by what quantity, by how much cash."""
    for each in records.executions:
        cost = each.side.sign * each.quantity * each.price * multiplier_of(each.symbol)
        yield each.at, each.symbol, each.side.sign * each.quantity - each.fee_coin, -cost - each.fee
    for activity in records.activities:
        yield activity.at, activity.symbol, activity.quantity, activity.amount
