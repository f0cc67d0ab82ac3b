"""A study: every figure of what a recorder has kept, of the whole and by bot, and the balance that ties them to the account.

equity at the end - equity at the start
    = closed trades + parts of what is still held     before fees, average cost
    - fees
    + change of open profit
    + what came or went beside trading                by kind (hydra.study.books)
    + unexplained                                     zero, or the journal does not tell everything
    + what the venue's equity has beyond these        rounding to cents, other prices, foreign positions, fees told of later
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from hydra.model.market import AssetClass, OptionContract, asset_class_of
from hydra.model.money import ZERO
from hydra.study import books, statistics
from hydra.study.curve import Floats, moment
from hydra.study.daily import Track, monthly, track_of
from hydra.study.deflated import probabilistic_sharpe
from hydra.study.figures import BOT, WHOLE, Amount
from hydra.study.record import Closed, Point, Recorder


class Trip(NamedTuple):
    """A round trip: one trade, or all legs of a structure. Dollars; ``profit`` is after ``fees``."""

    bot: str
    name: str
    way: int
    opened_at: datetime
    closed_at: datetime
    profit: Decimal
    fees: Decimal
    legs: tuple[Closed, ...]


class Line(NamedTuple):
    """A line of the balance: what, and dollars with their sign."""

    what: str
    dollars: Decimal


@dataclass(frozen=True, slots=True)
class BotStudy:
    """A bot's figures, by name (``hydra.study.figures.BOT``), and its round trips."""

    bot: str
    figures: Mapping[str, Amount]
    trips: tuple[Trip, ...]


@dataclass(frozen=True, slots=True)
class Study:
    """What a run earned. ``track`` is ``None`` when no look ever knew the equity: then there is nothing to say.

    ``legs`` are the trades as the ledger closed them, ``trips`` the round trips they are; a structure of which something is still held
    is not among these. ``carried`` are dollars of open profit that were there at the start.
    """

    record: Recorder
    track: Track | None
    figures: Mapping[str, Amount]
    bots: tuple[BotStudy, ...]
    balance: tuple[Line, ...]
    months: Mapping[tuple[int, int], float]
    legs: tuple[Closed, ...]
    trips: tuple[Trip, ...]
    carried: Decimal

    @property
    def began_at(self) -> datetime | None:
        """The time of the first look that knew the equity."""
        return None if self.record.begun is None else self.record.begun.at

    @property
    def ended_at(self) -> datetime | None:
        """The time of the last."""
        return None if self.record.last is None else self.record.last.at


def study(record: Recorder, bots: tuple[str, ...] = ()) -> Study:
    """Everything that ``record`` has come to. ``bots`` are shown in any case, and in this order, the others after them."""
    begun, last = record.begun, record.last
    if begun is None or last is None:
        return Study(record, None, dict.fromkeys(figure.name for figure in WHOLE), (), (), {}, (), (), ZERO)
    shares = any(asset_class_of(symbol) is not AssetClass.CRYPTO for symbol in record.marks.symbols)
    track = track_of(record.curve, begun.row, last.row, shares=shares)
    legs = tuple(record.trades[begun.trades : last.trades])
    trips = _trips(legs, last)
    balance, flows = _balance(begun, last, legs), _since(begun, last)
    named = tuple(_of_bot(record, track, bot, trips) for bot in _bots(bots, begun, last, legs))
    carried = sum(begun.held.open.values(), ZERO)
    paid = sum((amount for kind, amount in flows.items() if kind in books.NO_RETURN), ZERO)
    whole = _whole(record, track, trips, paid)
    return Study(record, track, whole, named, balance, monthly(track), legs, trips, carried)


def _bots(bots: tuple[str, ...], begun: Point, last: Point, legs: tuple[Closed, ...]) -> tuple[str, ...]:
    """Those that were named, then those that earned, paid, hold or traded anything, by name."""
    touched = {leg.trade.bot for leg in legs} | set(last.held.open) | set(begun.held.open)
    for bot, now in last.ledger.bots.items():
        before = begun.ledger.bot(bot)
        if now.realized != before.realized or now.fees != before.fees:
            touched.add(bot)
    return (*bots, *sorted(touched - set(bots)))


def _trips(legs: tuple[Closed, ...], last: Point) -> tuple[Trip, ...]:
    """Round trips in the order in which they ended. The legs of a structure are one, once the last of them is closed."""
    held = {holding.structure for holding in last.ledger.holdings.values() if holding.structure}
    groups: dict[object, list[Closed]] = {}
    for number, leg in enumerate(legs):
        trade = leg.trade
        if not trade.structure:
            groups[number] = [leg]
        elif trade.structure not in held:
            groups.setdefault((trade.bot, trade.structure), []).append(leg)
    trips = [_trip(tuple(group)) for group in groups.values()]
    return tuple(sorted(trips, key=lambda trip: trip.closed_at))


def _trip(legs: tuple[Closed, ...]) -> Trip:
    first = legs[0].trade
    name, way = first.symbol, legs[0].way
    if first.structure:
        roots = dict.fromkeys(OptionContract.parse(leg.trade.symbol).root for leg in legs)
        name = f"{'/'.join(roots)}, {len(legs)} contract{'s' if len(legs) > 1 else ''}"
        paid = sum((leg.way * leg.trade.entry_price * leg.trade.quantity for leg in legs), ZERO)
        way = 1 if paid > 0 else -1
    return Trip(
        bot=first.bot,
        name=name,
        way=way,
        opened_at=min(leg.trade.opened_at for leg in legs),
        closed_at=max(leg.trade.closed_at for leg in legs),
        profit=sum((leg.trade.profit for leg in legs), ZERO),
        fees=sum((leg.trade.fees for leg in legs), ZERO),
        legs=legs,
    )


# -- dollars


def _since(begun: Point, last: Point) -> dict[str, Decimal]:
    """What came or went beside trading between two looks, by kind."""
    grown = {kind: amount - begun.flows.get(kind, ZERO) for kind, amount in last.flows.items()}
    return {kind: amount for kind, amount in grown.items() if amount}


def _fees(point: Point) -> Decimal:
    return sum((record.fees for record in point.ledger.bots.values()), ZERO)


def _opened(point: Point) -> Decimal:
    return sum(point.held.open.values(), ZERO)


def _beyond(point: Point) -> Decimal:
    """What the venue's equity has beyond the ledger's cash and what is held at our prices."""
    return point.equity - (point.ledger.cash or ZERO) - books.cost(point.ledger) - _opened(point)


def _balance(begun: Point, last: Point, legs: tuple[Closed, ...]) -> tuple[Line, ...]:
    fees = _fees(last) - _fees(begun)
    gross = books.realized(last.ledger) - books.realized(begun.ledger) + fees
    closed = sum((leg.trade.profit + leg.trade.fees for leg in legs), ZERO)
    flows = _since(begun, last)
    moved = books.standing(last.ledger) - books.standing(begun.ledger)
    lines = [
        Line("closed trades, before fees", closed),
        Line("parts of what is still held, or was carried in", gross - closed),
        Line("fees", -fees),
        Line("open profit", _opened(last) - _opened(begun)),
        *(Line(_WORDS.get(kind, kind), amount) for kind, amount in flows.items()),
        Line("unexplained", moved - sum(flows.values(), ZERO)),
        Line("beyond these, by the venue", _beyond(last) - _beyond(begun)),
    ]
    return tuple(Line(what, amount) for what, amount in lines if amount or what in ALWAYS)


ALWAYS = frozenset({"closed trades, before fees", "fees", "open profit"})
"""The lines that are told even when they are zero."""
_WORDS = {
    books.TRANSFER: "paid in or out by the owner",
    books.ACCEPTED: "accepted as the baseline by an operator",
    books.FEE: "fees of no bot's sale",
    books.SPLIT: "cash for fractions at a split",
    books.STRANGER: "executions that no holding stands for",
    "dividend": "dividends",
    "interest": "interest",
    "option": "cash of expiries and exercises",
    "other": "other changes of cash",
}


# -- figures


def _whole(record: Recorder, track: Track, trips: tuple[Trip, ...], paid: Decimal) -> dict[str, Amount]:
    begun, last = record.begun, record.last
    assert begun is not None
    assert last is not None
    returns, year = track.returns, track.days.year
    total = statistics.total_return(track.growth)
    growth = statistics.cagr(total, len(returns), year)
    fall = statistics.drawdown(track.growth)
    fees = _fees(last) - _fees(begun)
    figures: dict[str, Amount] = {
        "equity_start": begun.equity,
        "equity_end": last.equity,
        "profit": last.equity - begun.equity - paid,
        "return": total,
        "cagr": growth,
        "volatility": statistics.volatility(returns, year),
        "sharpe": statistics.sharpe(returns, year),
        "sortino": statistics.sortino(returns, year),
        "calmar": statistics.calmar(growth, fall),
        "probabilistic_sharpe": _skill(returns),
        "skewness": statistics.skewness(returns),
        "kurtosis": statistics.kurtosis(returns),
        "drawdown": fall.depth if fall is not None else 0.0,
        "drawdown_dollars": _dollars_below(track, fall),
        **_fallen(track, fall),
        **_odds(trips),
        "exposure": record.looks_held / max(1, record.looks),
        "average_gross": record.gross / max(1, record.looks) if np.all(track.equity > 0) else None,
        "turnover": _turnover(record, track),
        "realized": books.realized(last.ledger) - books.realized(begun.ledger) + fees,
        "fees": fees,
        "open": _opened(last) - _opened(begun),
    }
    return {figure.name: figures[figure.name] for figure in WHOLE}


def _of_bot(record: Recorder, track: Track, bot: str, trips: tuple[Trip, ...]) -> BotStudy:
    begun, last = record.begun, record.last
    assert begun is not None
    assert last is not None
    mine = tuple(trip for trip in trips if trip.bot == bot)
    now, before = last.ledger.bot(bot), begun.ledger.bot(bot)
    fees, net = now.fees - before.fees, now.realized - before.realized
    opened = last.held.open.get(bot, ZERO) - begun.held.open.get(bot, ZERO)
    column = record.curve.bots.get(bot)
    profit = np.zeros(len(track.rows)) if column is None else column.dense(len(record.curve))[track.rows]
    fall = statistics.drawdown_of(profit)
    closes = profit[track.days.last]
    base = track.opening(track.equity)
    earned = np.diff(closes, prepend=0.0)
    returns = earned / base if len(base) and np.all(base > 0) else np.empty(0)
    held = record.in_market.get(bot, (0, 0.0))
    looks, start = max(1, record.looks), float(begun.equity)
    figures: dict[str, Amount] = {
        "profit": net + opened,
        "return": float(net + opened) / start if start > 0 else None,
        "sharpe": statistics.sharpe(returns, track.days.year),
        "sortino": statistics.sortino(returns, track.days.year),
        "drawdown": (0.0 if fall is None else fall.depth) / start if start > 0 else None,
        "drawdown_dollars": Decimal(str(round(0.0 if fall is None else fall.depth, 2))),
        **_fallen(track, fall),
        **_odds(mine),
        "exposure": held[0] / looks,
        "average_gross": held[1] / looks,
        "turnover": _turnover(record, track, bot),
        "realized": net + fees,
        "fees": fees,
        "open": opened,
    }
    return BotStudy(bot, {figure.name: figures[figure.name] for figure in BOT}, mine)


def _skill(returns: Floats) -> float | None:
    a_day, skew, tails = statistics.daily_sharpe(returns), statistics.skewness(returns), statistics.kurtosis(returns)
    if a_day is None or skew is None or tails is None:
        return None
    return probabilistic_sharpe(a_day, len(returns), skewness=skew, kurtosis=tails)


def _dollars_below(track: Track, fall: statistics.Drawdown | None) -> Decimal:
    if fall is None:
        return ZERO
    top = float(track.equity[fall.trough]) / (1 - fall.depth) if fall.depth < 1 else float(track.equity[fall.peak])
    return Decimal(str(round(top - float(track.equity[fall.trough]), 2)))


def _fallen(track: Track, fall: statistics.Drawdown | None) -> dict[str, Amount]:
    """When the deepest drawdown was, and how long."""
    if fall is None:
        return dict.fromkeys(("drawdown_peak_at", "drawdown_trough_at", "drawdown_recovered_at", "drawdown_length"))
    back = None if fall.recovered is None else moment(track.at[fall.recovered])
    peak = moment(track.at[fall.peak])
    return {
        "drawdown_peak_at": peak,
        "drawdown_trough_at": moment(track.at[fall.trough]),
        "drawdown_recovered_at": back,
        "drawdown_length": (back or moment(track.at[-1])) - peak,
    }


def _odds(trips: tuple[Trip, ...]) -> dict[str, Amount]:
    found = statistics.odds(np.array([float(trip.profit) for trip in trips]))
    spans = [trip.closed_at - trip.opened_at for trip in trips]
    named: dict[str, Amount] = dict(found._asdict())
    named["held"] = sum(spans, timedelta()) / len(spans) if spans else None
    return named


def _turnover(record: Recorder, track: Track, bot: str | None = None) -> float | None:
    begun, last = record.begun, record.last
    assert begun is not None
    assert last is not None
    mean = record.worth / record.looks if record.looks else float(np.mean(track.equity))
    if mean <= 0:
        return None
    fills = record.fills
    dollars = np.array(fills.dollars)[begun.fills : last.fills]
    if bot is not None:
        whose = [number for (owner, _), number in fills.owners.items() if owner == bot]
        dollars = dollars[np.isin(np.array(fills.who)[begun.fills : last.fills], whose)]
    return float(dollars.sum()) / 2 / mean
