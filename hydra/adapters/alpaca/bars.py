"""Closed bars from Alpaca: the last of each symbol, and those after the ones that are known, in few requests.

A bar is asked for only when it must have closed: the latest opening time that is asked for lies one bar before now. Symbols of a
class share a request, and a request of many symbols has pages that go from symbol to symbol, so every page is read. That
leaves two questions. Which symbols share one: those whose last bar is recent, and apart from them those that have been silent,
whose long wait would have the others' bars told again. And where the last ``count`` bars begin, which nobody knows
beforehand: a short span is asked for first, and then longer ones before it for the symbols that have too few; a single
symbol is asked for backwards.

What is kept: of which symbols there were no bars at all, and up to when, so that a contract that never traded is not looked up
from the beginning of time at every poll. A venue that posts bars late has a day to do so.

Shares are adjusted for splits, so that a split is no jump. ``delayed_sip`` has no history of its own: it is that of ``sip``, a
quarter of an hour late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from hydra.adapters.alpaca.access import Clients
from hydra.adapters.alpaca.pages import every_page
from hydra.adapters.alpaca.rows import Row, bar_of, in_order, rows_in
from hydra.adapters.alpaca.terms import venue_symbol
from hydra.model.errors import BadConfig, Unreachable
from hydra.model.market import AssetClass, Bar, asset_class_of

ROWS_MOST = 10_000
"""Rows of one page, the most Alpaca gives."""
DELAYS: Mapping[str, timedelta] = {"delayed_sip": timedelta(minutes=15)}
_HISTORY_FEEDS: Mapping[str, str] = {"delayed_sip": "sip"}
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_MOMENT = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_RECENT_BARS = 60
_WIDER = 8
"""How much longer each span is than the one after it."""


class Desk(NamedTuple):
    """Where a class of symbols is asked for. ``query`` goes with every question, ``together`` symbols go into one."""

    noun: str
    get: Callable[[str, dict[str, Any]], Any]
    path: str
    query: Mapping[str, Any]
    together: int


def desks_for(clients: Clients, stock_feed: str) -> Mapping[AssetClass, Desk]:
    """The bars of each class."""
    shares = {"feed": _HISTORY_FEEDS.get(stock_feed, stock_feed), "adjustment": "split"}
    return {
        AssetClass.EQUITY: Desk("shares", clients.stocks.get, "/stocks/bars", shares, 200),
        AssetClass.CRYPTO: Desk("pairs", clients.crypto.get, "/crypto/us/bars", {}, 100),
        AssetClass.OPTION: Desk("contracts", clients.options.get, "/options/bars", {}, 100),
    }


def timeframe_of(seconds: int) -> str:
    """Alpaca's name of bars of so many seconds. Raises ``BadConfig`` for those it does not have."""
    for unit, length, most in (("Day", 86_400, 1), ("Hour", 3600, 23), ("Min", 60, 59)):
        size, rest = divmod(seconds, length)
        if rest == 0 and 1 <= size <= most:
            return f"{size}{unit}"
    raise BadConfig(f"market.bar_seconds: Alpaca has bars of 1 to 59 minutes, 1 to 23 hours or a day; got {seconds} s")


class BarReader:
    """Closed bars of ``bar_seconds``; ``delays`` are how late a class is told."""

    def __init__(
        self, desks: Mapping[AssetClass, Desk], bar_seconds: int, delays: Mapping[AssetClass, timedelta]
    ) -> None:
        self._desks = desks
        self._seconds = bar_seconds
        self._width = timedelta(seconds=bar_seconds)
        self._timeframe = timeframe_of(bar_seconds)
        # Bars are counted from local midnight, so those that do not divide a day, or may lie across a clock change, can be shorter.
        whole = bar_seconds < _HOUR.seconds and _DAY.total_seconds() % bar_seconds == 0
        self._step = self._width if whole else _MOMENT
        self._delays = delays
        self._barren: dict[str, datetime] = {}

    def last(self, symbols: Iterable[str], count: int, now: datetime) -> dict[str, list[Bar]]:
        """The last ``count`` closed bars of each symbol, oldest first."""
        found: dict[str, list[Bar]] = {}
        for kind, group in by_class(symbols):
            upto = self._latest_opening(kind, now)
            barren = [symbol for symbol in group if self._barren.get(symbol, upto + _MOMENT) <= upto]
            floor = min((self._barren[symbol] - _DAY for symbol in barren), default=_EARLIEST)
            for some in self._together(kind, [symbol for symbol in group if symbol not in barren]):
                found |= self._search(kind, some, count, _EARLIEST, upto)
            for some in self._together(kind, barren):
                found |= self._search(kind, some, count, floor, upto)
        return found

    def later(self, after: Mapping[str, datetime], now: datetime) -> dict[str, list[Bar]]:
        """The closed bars of each symbol that opened after ``after[symbol]``, oldest first."""
        found: dict[str, list[Bar]] = {symbol: [] for symbol in after}
        for kind, group in by_class(after):
            upto = self._latest_opening(kind, now)
            due = [symbol for symbol in group if after[symbol] + self._step <= upto]
            recent = [symbol for symbol in due if upto - after[symbol] <= _RECENT_BARS * self._width]
            silent = [symbol for symbol in due if symbol not in recent]
            for some in (*self._together(kind, recent), *self._together(kind, silent)):
                first = min(after[symbol] for symbol in some) + self._step
                for symbol, bars in self._between(kind, some, first, upto).items():
                    found[symbol] = [bar for bar in bars if bar.at > after[symbol]]
        return found

    def _latest_opening(self, kind: AssetClass, now: datetime) -> datetime:
        """When the latest bar may have opened that is known now."""
        return now - self._delays.get(kind, timedelta(0)) - self._width

    def _together(self, kind: AssetClass, symbols: Sequence[str]) -> Iterator[Sequence[str]]:
        return chunks(symbols, self._desks[kind].together)

    def _search(
        self, kind: AssetClass, symbols: Sequence[str], count: int, floor: datetime, upto: datetime
    ) -> dict[str, list[Bar]]:
        found: dict[str, list[Bar]] = {symbol: [] for symbol in symbols}
        wanted, until = list(symbols), upto
        span = max(_HOUR, count * self._width * 3 / 2)
        while len(wanted) > 1 and until >= floor:
            first = max(floor, until - span) if span < until - floor else floor
            for symbol, bars in self._between(kind, wanted, first, until).items():
                found[symbol] = bars + found[symbol]
            wanted = [symbol for symbol in wanted if len(found[symbol]) < count]
            until, span = first - _MOMENT, span * _WIDER
        if len(wanted) == 1 and until >= floor:
            (symbol,) = wanted
            found[symbol] = self._backwards(kind, symbol, count - len(found[symbol]), floor, until) + found[symbol]
        for symbol, bars in found.items():
            if bars:
                self._barren.pop(symbol, None)
            else:
                self._barren[symbol] = upto
        return {symbol: bars[-count:] for symbol, bars in found.items()}

    def _between(
        self, kind: AssetClass, symbols: Sequence[str], first: datetime, last: datetime
    ) -> dict[str, list[Bar]]:
        """Every bar with ``first <= at <= last``."""
        found: dict[str, list[Bar]] = {symbol: [] for symbol in symbols}
        for page in self._pages(kind, symbols, first, last, limit=ROWS_MOST, sort="asc"):
            for symbol, bars in page.items():
                found[symbol] += bars
        for symbol, bars in found.items():
            in_order(symbol, bars)
        return {symbol: [bar for bar in bars if first <= bar.at <= last] for symbol, bars in found.items()}

    def _backwards(self, kind: AssetClass, symbol: str, count: int, first: datetime, last: datetime) -> list[Bar]:
        """The last ``count`` bars of one symbol in a span, oldest first."""
        bars: list[Bar] = []
        for page in self._pages(kind, [symbol], first, last, limit=min(count, ROWS_MOST), sort="desc"):
            bars += page.get(symbol, ())
            in_order(symbol, bars, down=True)
            if len(bars) >= count:
                break
        return [bar for bar in bars[:count] if first <= bar.at <= last][::-1]

    def _pages(
        self, kind: AssetClass, symbols: Sequence[str], first: datetime, last: datetime, **how: Any
    ) -> Iterator[dict[str, list[Bar]]]:
        desk = self._desks[kind]
        what = f"bars of {desk.noun}"
        names = {venue_symbol(symbol): symbol for symbol in symbols}
        query = {
            "symbols": ",".join(names),
            "timeframe": self._timeframe,
            "start": moment(first),
            "end": moment(last),
            **how,
            **desk.query,
        }
        for page in every_page(what, partial(desk.get, desk.path), query):
            yield {
                symbol: [bar_of(symbol, row, self._seconds) for row in _listed(what, symbol, rows)]
                for symbol, rows in asked_for(what, rows_in(what, page, "bars"), names).items()
            }


def by_class(symbols: Iterable[str]) -> Iterator[tuple[AssetClass, list[str]]]:
    """The symbols of each class that occurs, each once."""
    groups: dict[AssetClass, list[str]] = {}
    for symbol in dict.fromkeys(symbols):
        groups.setdefault(asset_class_of(symbol), []).append(symbol)
    yield from groups.items()


def chunks(symbols: Sequence[str], most: int) -> Iterator[Sequence[str]]:
    """Pieces of at most ``most``; none of nothing."""
    return (symbols[place : place + most] for place in range(0, len(symbols), most))


def asked_for(what: str, rows: Row, names: Mapping[str, str]) -> dict[str, Any]:
    """Rows by canonical symbol; ``names`` has those that were asked for, by the venue's spelling. Any other is refused."""
    for name in rows:
        if name not in names:
            raise Unreachable(f"{what}: the answer has {str(name)[:40]!r}, which was not asked for")
    return {names[name]: row for name, row in rows.items()}


def moment(at: datetime) -> str:
    """A time as Alpaca is asked for it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _listed(what: str, symbol: str, rows: Any) -> Sequence[Any]:
    if rows is None:
        return ()
    if not isinstance(rows, list):
        raise Unreachable(f"{what}: {symbol} must have a list, got {type(rows).__name__}")
    return rows
