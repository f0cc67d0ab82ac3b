"""The routes of clock and calendar, in both versions.

The calendar answers for the markets that keep the New York Stock Exchange's hours and for no other. Days before 1970 and
after 2029 are outside it, as Alpaca says of its own. Times are New York's, as there. A whole calendar is fifteen thousand
days, and clients ask for it without need, so the rows of a year are kept once they were made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from starlette.responses import Response
from starlette.routing import BaseRoute

from hydra.adapters.calendar import NEW_YORK, ExchangeCalendar
from hydra.adapters.exchange.server import wire
from hydra.adapters.exchange.server.context import Ask, Context, endpoint
from hydra.adapters.exchange.server.errors import bad_parameter, bad_request, not_found
from hydra.adapters.exchange.server.sessions import Day, day_of, days, local_date, next_day, turn, utc
from hydra.adapters.exchange.server.settlement import settlement_days, settles_on
from hydra.ports import Calendar

FIRST, LAST = date(1970, 1, 1), date(2029, 12, 31)
WEEK = timedelta(days=7)
SETTLING = timedelta(days=14)
"""Longer than any settlement takes."""

MARKETS: dict[str, tuple[str, str, str]] = {
    # asked for as: acronym, name, market identifier code
    "NYSE": ("NYSE", "New York Stock Exchange", "XNYS"),
    "XNYS": ("NYSE", "New York Stock Exchange", "XNYS"),
    "NASDAQ": ("NASDAQ", "NASDAQ", "XNAS"),
    "XNAS": ("NASDAQ", "NASDAQ", "XNAS"),
    "IEX": ("IEX", "Investors Exchange", "IEXG"),
    "IEXG": ("IEX", "Investors Exchange", "IEXG"),
    "OPRA": ("OPRA", "Options Price Reporting Authority", "OPRA"),
}
USUAL = ("NYSE", "NASDAQ", "IEX", "OPRA")
_ELSEWHERE = (
    "BMO BNYM BOATS CEUX CHIX HKEX ISE LSE MTA MTAA OCEA OTC OTCM SIFMA TADAWUL XAMS XBRU XDUB XETR XETRA XHKG XLIS "
    "XLON XPAR XSAU"
)
ELSEWHERE = frozenset(_ELSEWHERE.split())
ZONE = "America/New_York"


def routes(context: Context) -> list[BaseRoute]:
    """The routes of this module."""
    almanac = Almanac(context.exchange.calendar)
    return [
        endpoint(context, "GET", "/v2/clock", clock),
        endpoint(context, "GET", "/v2/calendar", lambda _, ask: calendar(almanac, ask)),
        endpoint(context, "GET", "/v3/clock", clocks),
        endpoint(context, "GET", "/v3/calendar/{market}", market_calendar),
    ]


def clock(context: Context, ask: Ask) -> Response:  # noqa: ARG001  # every handler has both parameters
    """The venue's time, and when shares trade next."""
    now = context.exchange.now
    is_open, opens, closes = turn(context.exchange.calendar, now)
    return wire.reply(
        {"timestamp": _local(now), "is_open": is_open, "next_open": _local(opens), "next_close": _local(closes)}
    )


def calendar(almanac: Almanac, ask: Ask) -> Callable[[], Response]:
    """The exchange days of a span, by trading or by settlement date."""
    query = ask.query
    first, last = query.date("start") or FIRST, query.date("end") or LAST
    by_settlement = query.chosen("date_type", ("TRADING", "SETTLEMENT"), "TRADING") == "SETTLEMENT"
    if first > last:
        raise bad_parameter(f"start {first} is after end {last}")

    def answer() -> Response:
        rows = almanac.rows(first - SETTLING if by_settlement else first, last)
        name = "settlement_date" if by_settlement else "date"
        begin, end = wire.day(first), wire.day(last)
        return wire.reply([row for row in rows if begin <= row[name] <= end])

    return answer


class Almanac:
    """The rows of the calendar, a year at a time. Threads may share one."""

    def __init__(self, source: Calendar) -> None:
        self._source = source
        self._years: dict[int, list[dict[str, str]]] = {}

    def rows(self, first: date, last: date) -> Iterator[dict[str, str]]:
        """The rows of every year that the span touches."""
        begin, end = max(first, FIRST).year, min(last, LAST).year
        if isinstance(self._source, ExchangeCalendar) and begin <= end:
            self._source.load(begin, end)
        for year in range(begin, end + 1):
            if year not in self._years:
                self._years[year] = self._made(year)
            yield from self._years[year]

    def _made(self, year: int) -> list[dict[str, str]]:
        """A trade settles so many rows further on, so a few days more are looked at."""
        every = list(days(self._source, date(year, 1, 1), date(year, 12, 31) + SETTLING))
        own = [day for day in every if day.date.year == year]
        places = (place + settlement_days(day.date) for place, day in enumerate(own))
        return [
            _row(day, every[place].date if place < len(every) else day.date)
            for day, place in zip(own, places, strict=True)
        ]


def _row(day: Day, settles: date) -> dict[str, str]:
    closes = "23:59" if day.continuous else _minute(day.closes)
    ends = "2359" if day.continuous else _minute(day.post_closes).replace(":", "")
    return {
        "date": wire.day(day.date),
        "open": _minute(day.opens),
        "close": closes,
        "session_open": _minute(day.pre_opens).replace(":", ""),
        "session_close": ends,
        "settlement_date": wire.day(settles),
    }


def clocks(context: Context, ask: Ask) -> Response:
    """The clock of several markets, now or at a time."""
    names = ask.query.listed("markets") or USUAL
    at = ask.query.moment("time") or context.exchange.now
    if not FIRST < local_date(at) < LAST:
        raise bad_request(f"time must be from {FIRST} to {LAST}")
    return wire.reply({"clocks": [_clock(context.exchange.calendar, _market(name), at) for name in names]})


def _clock(source: Calendar, market: Sequence[str], at: datetime) -> dict[str, Any]:
    _, opens, closes = turn(source, at)
    phase, until = _phase(source, at, opens, closes)
    return {
        "market": _market_json(market),
        "timestamp": _local(at),
        "is_market_day": day_of(source, local_date(at)) is not None,
        "next_market_open": _local(opens),
        "next_market_close": _local(closes),
        "phase": phase,
        "phase_until": _local(until),
    }


def _phase(source: Calendar, at: datetime, opens: datetime, closes: datetime) -> tuple[str, datetime]:
    today = day_of(source, local_date(at))
    if today is not None:
        if today.continuous:
            return "core", closes
        marks = (("closed", today.pre_opens), ("pre", today.opens), ("core", today.closes), ("post", today.post_closes))
        for phase, until in marks:
            if at < until:
                return phase, until
    coming = next_day(source, local_date(at))
    return "closed", opens if coming is None else coming.pre_opens


def market_calendar(context: Context, ask: Ask) -> Callable[[], Response]:
    """The exchange days of a market, a week from today unless said otherwise."""
    query, source = ask.query, context.exchange.calendar
    market = _market(ask.path["market"])
    in_utc = query.chosen("timezone", ("UTC",), "") == "UTC"
    first = query.date("start") or local_date(context.exchange.now)
    last = query.date("end") or min(first, LAST) + WEEK
    if first > last:
        raise bad_request(f"start {first} is after end {last}")

    def answer() -> Response:
        if isinstance(source, ExchangeCalendar):
            source.load(max(first, FIRST).year, min(last, LAST).year)
        found = [_day_json(source, day, in_utc=in_utc) for day in days(source, max(first, FIRST), min(last, LAST))]
        return wire.reply({"market": _market_json(market), "calendar": found})

    return answer


def _day_json(source: Calendar, day: Day, *, in_utc: bool) -> dict[str, Any]:
    spell = wire.instant if in_utc else _local
    body = {"date": wire.day(day.date), "core_start": spell(day.opens), "core_end": spell(day.closes)}
    if not day.continuous:
        body["pre_start"], body["pre_end"] = spell(day.pre_opens), spell(day.opens)
        body["post_start"], body["post_end"] = spell(day.closes), spell(day.post_closes)
    settles = settles_on(source, day.date)
    if settles is not None:
        body["settlement_date"] = wire.day(settles)
    return body


def _market(name: str) -> tuple[str, str, str]:
    found = MARKETS.get(name.upper())
    if found is not None:
        return found
    if name.upper() in ELSEWHERE:
        raise not_found(f"market {name.upper()} is not simulated; there are {', '.join(USUAL)}")
    raise bad_request(f"invalid market: {name[:40]!r}")


def _market_json(market: Sequence[str]) -> dict[str, str]:
    return {"acronym": market[0], "name": market[1], "mic": market[2], "timezone": ZONE}


def _local(at: datetime) -> str:
    """RFC 3339 with New York's offset."""
    return utc(at).astimezone(NEW_YORK).isoformat()


def _minute(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%H:%M}"
