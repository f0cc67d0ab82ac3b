"""A feed and a calendar that play what a test has written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from hydra.model.market import AssetClass, Bar, Quote
from hydra.model.snapshot import Session, Sessions

Number = str | int | Decimal


def bar(symbol: str, at: datetime, prices: tuple[Number, Number, Number, Number], *, seconds: int = 60) -> Bar:
    """A bar from (open, high, low, close)."""
    first, high, low, last = (Decimal(str(price)) for price in prices)
    return Bar(symbol=symbol, at=at, seconds=seconds, open=first, high=high, low=low, close=last, volume=Decimal(1000))


def quote(symbol: str, at: datetime, bid: Number, ask: Number) -> Quote:
    """A quote with a size of 100 on both sides."""
    return Quote(
        symbol=symbol,
        at=at,
        bid=Decimal(str(bid)),
        ask=Decimal(str(ask)),
        bid_size=Decimal(100),
        ask_size=Decimal(100),
    )


class ScriptedFeed:
    """A ``Feed`` of the bars and quotes it was given. ``add`` writes more of the script while it is being played."""

    def __init__(
        self,
        bars: Iterable[Bar] = (),
        quotes: Iterable[Quote] = (),
        *,
        symbols: Iterable[str] = (),
        name: str = "script",
    ) -> None:
        self._name = name
        self._symbols = tuple(symbols)
        self._bars: list[Bar] = []
        self._quotes: list[Quote] = []
        self.add(*bars, *quotes)

    def add(self, *what: Bar | Quote) -> None:
        """Append bars and quotes."""
        self._bars += [one for one in what if isinstance(one, Bar)]
        self._quotes += [one for one in what if isinstance(one, Quote)]
        self._bars.sort(key=lambda one: (one.closes_at, one.symbol))
        self._quotes.sort(key=lambda one: (one.at, one.symbol))

    @property
    def symbols(self) -> tuple[str, ...]:
        seen = [one.symbol for one in self._bars] + [one.symbol for one in self._quotes]
        return tuple(dict.fromkeys((*self._symbols, *seen)))

    @property
    def fingerprint(self) -> str:
        return f"fp-{self._name}"

    def describe(self) -> str:
        return f"the {self._name} feed"

    def next_after(self, at: datetime | None) -> datetime | None:
        instants = [one.closes_at for one in self._bars] + [one.at for one in self._quotes]
        return min((instant for instant in instants if at is None or instant > at), default=None)

    def bars(self, after: datetime, upto: datetime) -> tuple[Bar, ...]:
        return tuple(one for one in self._bars if after < one.closes_at <= upto)

    def quotes(self, at: datetime) -> Mapping[str, Quote]:
        return {one.symbol: one for one in self._quotes if one.at <= at}

    def history(self, symbol: str, upto: datetime, count: int) -> tuple[Bar, ...]:
        return tuple(one for one in self._bars if one.symbol == symbol and one.closes_at <= upto)[-count:]


class PlainCalendar:
    """A ``Calendar`` without holidays or zones: shares trade 14:30 to 21:00 UTC every day, pairs around the clock."""

    OPENS = time(14, 30, tzinfo=UTC)
    CLOSES = time(21, 0, tzinfo=UTC)

    def sessions(self, at: datetime) -> Sessions:
        day = at.date()
        opens, closes = datetime.combine(day, self.OPENS), datetime.combine(day, self.CLOSES)
        phase = "pre" if at < opens else "regular" if at < closes else "post"
        if at >= closes:
            opens, closes = opens + timedelta(days=1), closes + timedelta(days=1)
        shares = Session(open=phase == "regular", phase=phase, opens_at=opens, closes_at=closes)
        return Sessions(
            day=day,
            minute=at.hour * 60 + at.minute,
            by_class={AssetClass.EQUITY: shares, AssetClass.CRYPTO: Session(open=True, phase="continuous")},
        )
