"""Timeframes: which interval a moment belongs to, and what the bars of an interval add up to.

Intervals are cut by the local day: New York's for equities and options, UTC's for crypto. Minutes and hours are counted
from local midnight (and the last of a day ends with it), days begin at local midnight, weeks on Monday, months on the first,
groups of months in January. An interval's time is its beginning.

Two figures are required by the protocol and are in no feed, so they are approximations: the volume-weighted price of a bar is
its typical price, (high + low + close) / 3, weighted by volume across bars; the trade count is the number of the feed's bars
with volume, since each of those is told as one trade.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hydra.adapters.calendar import NEW_YORK
from hydra.model.market import AssetClass, Bar, asset_class_of
from hydra.model.money import ZERO

_UTC_ZONE = ZoneInfo("UTC")
_THIRD = Decimal(3)


class Unit(StrEnum):
    """What a timeframe counts."""

    MINUTE = "Min"
    HOUR = "Hour"
    DAY = "Day"
    WEEK = "Week"
    MONTH = "Month"


_SPELLINGS: dict[str, tuple[Unit, frozenset[int]]] = {
    "Min": (Unit.MINUTE, frozenset(range(1, 60))),
    "T": (Unit.MINUTE, frozenset(range(1, 60))),
    "Hour": (Unit.HOUR, frozenset(range(1, 24))),
    "H": (Unit.HOUR, frozenset(range(1, 24))),
    "Day": (Unit.DAY, frozenset({1})),
    "D": (Unit.DAY, frozenset({1})),
    "Week": (Unit.WEEK, frozenset({1})),
    "W": (Unit.WEEK, frozenset({1})),
    "Month": (Unit.MONTH, frozenset({1, 2, 3, 4, 6, 12})),
    "M": (Unit.MONTH, frozenset({1, 2, 3, 4, 6, 12})),
}
_TIMEFRAME = re.compile(r"(\d{1,2})([A-Za-z]+)", re.ASCII)


class Candle(NamedTuple):
    """What an interval added up to. ``at`` is its beginning, ``trades`` the number of bars with volume in it."""

    at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int
    vwap: Decimal


class Timeframe(NamedTuple):
    """So many of a unit."""

    size: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Timeframe | None:
        """The timeframe a text names (``5Min``, ``5T``, ``12Hour``, ``1D``, ``3Month``); ``None`` when it names none."""
        match = _TIMEFRAME.fullmatch(text)
        if match is None or match[2] not in _SPELLINGS:
            return None
        unit, allowed = _SPELLINGS[match[2]]
        count = int(match[1])
        return cls(count, unit) if count in allowed else None

    @property
    def within_day(self) -> bool:
        """True for minutes and hours."""
        return self.unit in (Unit.MINUTE, Unit.HOUR)

    def begins(self, at: datetime, zone: ZoneInfo) -> datetime:
        """The beginning of the interval around ``at``, aware UTC."""
        day = at.astimezone(zone).date()
        if self.within_day:
            midnight = midnight_of(day, zone)
            width = timedelta(minutes=self.size) if self.unit is Unit.MINUTE else timedelta(hours=self.size)
            return midnight + (at - midnight) // width * width
        if self.unit is Unit.WEEK:
            day -= timedelta(days=day.weekday())
        elif self.unit is Unit.MONTH:
            day = date(day.year, (day.month - 1) // self.size * self.size + 1, 1)
        return midnight_of(day, zone)


ONE_MINUTE = Timeframe(1, Unit.MINUTE)
ONE_DAY = Timeframe(1, Unit.DAY)


def zone_of(symbol: str) -> ZoneInfo:
    """Whose days a symbol's intervals are cut by."""
    return _UTC_ZONE if asset_class_of(symbol) is AssetClass.CRYPTO else NEW_YORK


def midnight_of(day: date, zone: ZoneInfo) -> datetime:
    """When a local day begins, aware UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def candle_of(at: datetime, bars: Sequence[Bar]) -> Candle:
    """What one or more bars add up to, with the interval's beginning ``at``."""
    return Candle(
        at=at,
        open=bars[0].open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        close=bars[-1].close,
        volume=sum((bar.volume for bar in bars), ZERO),
        trades=sum(1 for bar in bars if bar.volume > 0),
        vwap=_weighted(bars),
    )


def merged(at: datetime, candles: Sequence[Candle]) -> Candle:
    """What one or more candles add up to."""
    volume = sum((each.volume for each in candles), ZERO)
    whole = sum((each.vwap * each.volume for each in candles), ZERO)
    return Candle(
        at=at,
        open=candles[0].open,
        high=max(each.high for each in candles),
        low=min(each.low for each in candles),
        close=candles[-1].close,
        volume=volume,
        trades=sum(each.trades for each in candles),
        vwap=whole / volume if volume else candles[-1].vwap,
    )


def grouped(frame: Timeframe, zone: ZoneInfo, bars: Iterable[Bar]) -> list[Candle]:
    """Bars in order, as candles of a timeframe in order. A bar belongs where it opens, even if it is longer."""
    candles: list[Candle] = []
    part: list[Bar] = []
    begins: datetime | None = None
    for bar in bars:
        its = frame.begins(bar.at, zone)
        if its != begins and begins is not None:
            candles.append(candle_of(begins, part))
            part = []
        begins = its
        part.append(bar)
    if begins is not None:
        candles.append(candle_of(begins, part))
    return candles


def _weighted(bars: Sequence[Bar]) -> Decimal:
    volume = sum((bar.volume for bar in bars), ZERO)
    if not volume:
        return sum((_typical(bar) for bar in bars), ZERO) / len(bars)
    return sum((_typical(bar) * bar.volume for bar in bars), ZERO) / volume


def _typical(bar: Bar) -> Decimal:
    return (bar.high + bar.low + bar.close) / _THIRD
