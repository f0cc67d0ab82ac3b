"""Candles as Coinbase Exchange publishes them for everybody: no key, no account, nothing but closed prices.

    GET {url}/products/BTC-USD/candles?granularity=60&start=...&end=...
    [[time, low, high, open, close, volume], ...]    newest first, at most 300, none for an interval without a trade

``CoinbaseCandles`` asks and checks; ``LiveFeed`` keeps what came as a ``Feed`` that grows, so that the simulated exchange plays a real
market like any other; ``LiveMarket`` and ``LiveClock`` are the doors. The exchange's clock is then the wall clock's.

A candle counts once it has been closed for two seconds: late trades still change it until then. What cannot be read as candles is a
failure, never a guess: the look that needs it has no market, which shuts entries and counts in the failure window.
"""

from __future__ import annotations

import hashlib
import json
import threading
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import requests

from hydra import __version__
from hydra.adapters.exchange.doors import SimMarket
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.feed import CorporateAction
from hydra.adapters.reads import ParallelReads
from hydra.guard import shown, told
from hydra.model.errors import BadConfig, Invalid, Unreachable
from hydra.model.market import Bar, OptionQuote, Quote
from hydra.ports import MarketData

PAGE = 300
"""Candles that one request may ask for."""
BODY_MAX_BYTES = 1 << 20
SETTLES_SECONDS = 2
PAGES_MAX = 12
_ROW = 6
_NOT_FOUND = 404
_OK = 200
_TOLD_MAX = 120
_DIGITS_MAX = 20


def wall() -> datetime:
    """The wall clock, aware UTC."""
    return datetime.now(UTC)


class CoinbaseCandles:
    """The endpoint at ``url``. One connection is kept; threads may share it."""

    def __init__(self, url: str, *, timeout_seconds: float = 5.0) -> None:
        self._url, self._timeout = url.rstrip("/"), timeout_seconds
        self._session = requests.Session()
        self._session.trust_env = False  # neither a proxy nor a key that lies around
        self._session.headers.update({"User-Agent": f"hydra/{__version__}", "Accept": "application/json"})

    @property
    def url(self) -> str:
        """Where is asked."""
        return self._url

    def page(self, symbol: str, granularity: int, start: datetime, end: datetime) -> tuple[Bar, ...]:
        """The candles that opened from ``start`` to ``end``, oldest first, the forming one included; ``PAGE`` of them at most.

        Raises ``BadConfig`` for a pair that is not listed, ``Unreachable`` for everything else that is no answer.
        """
        where = f"{self._url}/products/{symbol}/candles"
        asked = {"granularity": str(granularity), "start": _spelled(start), "end": _spelled(end)}
        try:
            with self._session.get(
                where, params=asked, timeout=self._timeout, allow_redirects=False, stream=True
            ) as answer:
                body = _body(answer)
        except requests.RequestException as error:
            raise Unreachable(f"{where}: {type(error).__name__}: {told(str(error))[:_TOLD_MAX]}") from error
        if answer.status_code == _NOT_FOUND:
            raise BadConfig(f"--assets: {symbol} is not listed at {self._url} ({_first_words(body)})")
        if answer.status_code != _OK:
            waits = answer.headers.get("Retry-After", "")
            later = f", asks for {shown(waits)} s of patience" if waits else ""
            raise Unreachable(f"{where}: status {answer.status_code}{later}: {_first_words(body)}")
        try:
            return _bars(
                symbol, granularity, json.loads(body, parse_float=Decimal, parse_constant=_no_number), start, end
            )
        except (ValueError, Invalid, ArithmeticError, RecursionError) as error:
            raise Unreachable(f"{where}: no candles: {told(str(error))[:_TOLD_MAX]}") from error

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()


def _body(answer: requests.Response) -> bytes:
    found = b""
    for piece in answer.iter_content(1 << 16):
        found += piece
        if len(found) > BODY_MAX_BYTES:
            raise requests.exceptions.ContentDecodingError(f"more than {BODY_MAX_BYTES} bytes")
    return found


def _first_words(body: bytes) -> str:
    return shown(body[:_TOLD_MAX].decode("utf-8", "replace"))


def _no_number(word: str) -> Decimal:
    raise ValueError(f"{word} is no number")


def _spelled(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _bars(symbol: str, granularity: int, rows: Any, start: datetime, end: datetime) -> tuple[Bar, ...]:
    if not isinstance(rows, list) or len(rows) > 2 * PAGE:
        raise ValueError(f"expected a list of at most {2 * PAGE} candles, got {shown(rows)}")
    found: dict[datetime, Bar] = {}
    for row in rows:
        if not isinstance(row, list) or len(row) != _ROW or type(row[0]) is not int:
            raise ValueError(f"expected [time, low, high, open, close, volume], got {shown(row)}")
        if row[0] % granularity:
            raise ValueError(f"time {row[0]} is no multiple of {granularity} s")
        at = datetime.fromtimestamp(row[0], UTC)
        low, high, first, last, volume = map(_number, row[1:])
        bar = Bar(symbol=symbol, at=at, seconds=granularity, open=first, high=high, low=low, close=last, volume=volume)
        if found.setdefault(at, bar) != bar:
            raise ValueError(f"two candles for {_spelled(at)}")
    return tuple(found[at] for at in sorted(found) if start <= at <= end)


def _number(value: Any) -> Decimal:
    number = Decimal(value) if type(value) in (int, Decimal) else None
    if number is None or not -_DIGITS_MAX < number.adjusted() < _DIGITS_MAX:
        raise ValueError(f"{shown(value)} is no number of a candle")
    return number


class LiveFeed:
    """Closed candles of some pairs, as far as they have come in: a ``Feed`` that grows. ``kept`` candles of each are enough.

    ``failure`` is why the last refresh did not bring what it should have; ``None`` when it did.
    """

    def __init__(
        self,
        candles: CoinbaseCandles,
        symbols: Sequence[str],
        granularity: int,
        kept: int,
        *,
        now: Callable[[], datetime] = wall,
        deadline_seconds: float = 20.0,
    ) -> None:
        self._candles, self._symbols = candles, tuple(sorted(symbols))
        self._granularity, self._kept = granularity, kept
        self._length = timedelta(seconds=granularity)
        self._bars: dict[str, list[Bar]] = {symbol: [] for symbol in self._symbols}
        self._reads = ParallelReads(deadline_seconds)
        self.now = now
        self.failure: Unreachable | None = None

    @property
    def symbols(self) -> tuple[str, ...]:
        """The pairs, sorted."""
        return self._symbols

    @property
    def fingerprint(self) -> str:
        """Which pairs by which length from where; what will come is not known."""
        told = repr(("coinbase", self._candles.url, self._symbols, self._granularity))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def contracts(self) -> tuple[str, ...]:
        """None."""
        return ()

    @property
    def actions(self) -> tuple[CorporateAction, ...]:
        """None."""
        return ()

    def describe(self) -> str:
        """What is read, from where."""
        return f"coinbase: {', '.join(self._symbols)} by {self._granularity} s from {self._candles.url}"

    def begin(self) -> None:
        """Read as many candles of each pair as are kept. Raises ``BadConfig`` for a pair that is not listed, ``Unreachable``."""
        self._fetch(dict.fromkeys(self._symbols, self._kept))
        if self.failure is not None:
            raise self.failure
        bare = [symbol for symbol, bars in self._bars.items() if not bars]
        if bare:
            raise Unreachable(f"{self._candles.url}: no closed candles of {', '.join(bare)}")

    def reach_back(self, since: datetime) -> None:
        """Have every candle since a time too, as far as ``PAGES_MAX`` requests a pair go: what happened while nobody was looking."""
        missing = int((self.now() - since) / self._length) + 1
        if missing > self._kept:
            self._kept = min(missing, PAGES_MAX * (PAGE - 1))
            for bars in self._bars.values():
                bars.clear()
            self.begin()

    def refresh(self) -> None:
        """Read what has closed since. What fails is kept in ``failure``, and what was known stays."""
        counts = {}
        for symbol, bars in self._bars.items():
            since = bars[-1].at if bars else self.now() - self._kept * self._length
            counts[symbol] = min(self._kept, int((self.now() - since) / self._length) + 1)
        self._fetch(counts)

    def close(self) -> None:
        """Let go of whoever reads."""
        self._reads.close()

    def _fetch(self, counts: Mapping[str, int]) -> None:
        """All pairs at once; ``counts`` is how many of the last candles of each are wanted."""
        now = self.now()
        answers = self._reads({symbol: partial(self._last, symbol, count, now) for symbol, count in counts.items()})
        self.failure = None
        for symbol in counts:
            answer = answers.get(symbol)
            if answer is None or answer.failure is not None or answer.value is None:
                why = "no answer" if answer is None or answer.failure is None else answer.failure.reason
                if answer is not None and answer.failure is not None and answer.failure.kind == BadConfig.__name__:
                    raise BadConfig(why)
                self.failure = self.failure or Unreachable(f"{symbol}: {why}")
                continue
            self._take(symbol, answer.value)

    def _last(self, symbol: str, count: int, now: datetime) -> tuple[Bar, ...]:
        """The last ``count`` candles that have closed and settled, in as many pages as it takes."""
        count += 1  # the forming one, which is served too
        seconds = int(now.timestamp()) // self._granularity * self._granularity
        end, found = datetime.fromtimestamp(seconds, UTC), []
        while count > 0:
            part = min(count, PAGE - 1)
            start = end - part * self._length
            found.append(self._candles.page(symbol, self._granularity, start, end))
            end, count = start - self._length, count - part - 1
        settled = now - timedelta(seconds=SETTLES_SECONDS)
        return tuple(bar for page in reversed(found) for bar in page if bar.closes_at <= settled)

    def _take(self, symbol: str, bars: Sequence[Bar]) -> None:
        kept = self._bars[symbol]
        last = kept[-1].at if kept else None
        kept += [bar for bar in bars if last is None or bar.at > last]
        del kept[: -self._kept]

    def next_after(self, at: datetime | None) -> datetime | None:
        """The next instant at which a candle that is here has closed."""
        coming = [bar.closes_at for bars in self._bars.values() if (bar := _first(bars, at)) is not None]
        return min(coming, default=None)

    def bars(self, after: datetime, upto: datetime) -> tuple[Bar, ...]:
        """Candles with ``after < closes_at <= upto``, by closing time, then pair."""
        found = [bar for bars in self._bars.values() for bar in bars[_place(bars, after) : _place(bars, upto)]]
        return tuple(sorted(found, key=lambda bar: (bar.closes_at, bar.symbol)))

    def quotes(self, _at: datetime) -> Mapping[str, Quote]:
        """None: candles are all there is."""
        return {}

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        """The last ``count`` candles of a pair that had closed by ``upto``."""
        bars = self._bars.get(symbol, [])
        place = _place(bars, upto)
        return tuple(bars[max(0, place - count) : place])

    def option_quote(self, _symbol: str, _at: datetime) -> OptionQuote | None:
        """None."""
        return None

    def chain(self, _underlying: str, _at: datetime) -> tuple[OptionQuote, ...]:
        """None."""
        return ()


def _place(bars: Sequence[Bar], at: datetime) -> int:
    return bisect_right(bars, at, key=lambda bar: bar.closes_at)


def _first(bars: Sequence[Bar], at: datetime | None) -> Bar | None:
    place = 0 if at is None else _place(bars, at)
    return bars[place] if place < len(bars) else None


class LiveMarket(SimMarket):
    """The ``Market`` port: what was read, or, when the last reading failed, that failure."""

    def __init__(self, venue: SimulatedVenue, feed: LiveFeed) -> None:
        super().__init__(venue)
        self._feed = feed

    def history(self, symbols: Sequence[str], count: int) -> tuple[Bar, ...]:
        """The last closed candles. Raises ``Unreachable`` when they could not be read."""
        self._answer()
        return super().history(symbols, count)

    def poll(self, symbols: Sequence[str], after: Mapping[str, datetime]) -> MarketData:
        """The candles that have closed since. Raises ``Unreachable`` when they could not be read."""
        self._answer()
        return super().poll(symbols, after)

    def _answer(self) -> None:
        if self._feed.failure is not None:
            raise self._feed.failure


class LiveClock:
    """The ``Clock`` port: the wall clock, to which the exchange is moved on after every reading. ``stop`` ends a wait."""

    def __init__(self, venue: SimulatedVenue, feed: LiveFeed, stop: threading.Event) -> None:
        self._venue, self._feed, self._stop = venue, feed, stop

    def now(self) -> datetime:
        """The exchange's clock: that of the last reading."""
        return self._venue.now

    def wait(self, seconds: float) -> bool:
        """Sleep, read, move on. False when stopped."""
        if self._stop.wait(min(seconds, threading.TIMEOUT_MAX)):
            return False
        self._feed.refresh()
        self._venue.advance_to(self._feed.now())
        return not self._stop.is_set()
