"""Shares by daily bars: decided on the close of a day, done at the opening of the next, and worked out once more by hand.

The hand knows nothing of Hydra but its documents: a range of twenty days, the opening and half the spread, stops before targets within
a day. So it is short.
"""

from __future__ import annotations

import csv
import math
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hydra.adapters.calendar import ExchangeCalendar
from tests.e2e.place import PAPER, Place
from tests.shared_data import shared_data

D = Decimal
CASH, WISH = D(100_000), D(5_000)
LOOKBACK = 20
HALF_SPREAD, SLIPPAGE = D("0.0001"), D("0.0001")
STOP, TARGET = D("0.01"), D("0.02")
CENT = D("0.01")
NEW_YORK = ZoneInfo("America/New_York")
BOT = """
[[bots]]
id = "days"
bot = "momentum"
enabled = true
bucket = "momentum"
symbols = [SYMBOLS]
trades_per_day = 1000
positions = 4
stop_loss = 0.01
take_profit = 0.02
signal = "breakout"
parameters = { lookback = 20 }
size = { by = "notional", amount = 5000 }
"""


class Bar(NamedTuple):
    """A day."""

    day: date
    opened: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


class Trade(NamedTuple):
    """In and out again; ``sold_on`` is ``None`` while it is held."""

    quantity: Decimal
    bought_on: date
    bought_at: Decimal
    sold_on: date | None
    sold_at: Decimal

    @property
    def profit(self) -> Decimal:
        return self.quantity * (self.sold_at - self.bought_at)


class Held(NamedTuple):
    """What was bought, and where it is sold again."""

    quantity: Decimal
    bought_on: date
    bought_at: Decimal
    stop: Decimal
    target: Decimal


def by_hand(bars: list[Bar], first: date) -> list[Trade]:
    """Buys 5,000 dollars at the opening after a close above the twenty days before it, sells at the opening after one below them.

    The last is what is still held, at the last close.
    """
    done: list[Trade] = []
    held: Held | None = None
    for now, bar in enumerate(bars):
        if bar.day < first or now <= LOOKBACK:
            continue
        known, before = bars[now - 1], bars[now - 1 - LOOKBACK : now - 1]
        rises, falls = known.close > max(one.high for one in before), known.close < min(one.low for one in before)
        if held is not None and falls:
            price = (bar.opened * (1 - HALF_SPREAD) * (1 - SLIPPAGE)).quantize(CENT, ROUND_FLOOR)
            done.append(Trade(held.quantity, held.bought_on, held.bought_at, bar.day, price))
            held = None
        elif held is None and rises:
            ask = bar.opened * (1 + HALF_SPREAD)
            held = Held(
                quantity=(WISH / ask).quantize(D(1), ROUND_DOWN),
                bought_on=bar.day,
                bought_at=(ask * (1 + SLIPPAGE)).quantize(CENT, ROUND_CEILING),
                stop=(ask * (1 - STOP)).quantize(CENT, ROUND_CEILING),
                target=(ask * (1 + TARGET)).quantize(CENT, ROUND_HALF_EVEN),
            )
        if held is not None and bar.low <= held.stop:
            price = (min(bar.opened, held.stop) * (1 - SLIPPAGE)).quantize(CENT, ROUND_FLOOR)
        elif held is not None and bar.high >= held.target:
            price = max(bar.opened, held.target)
        else:
            continue
        done.append(Trade(held.quantity, held.bought_on, held.bought_at, bar.day, price))
        held = None
    if held is not None:
        done.append(Trade(held.quantity, held.bought_on, held.bought_at, None, bars[-1].close))
    return done


def configured(place: Place, *symbols: str) -> None:
    """One bot, by days: no hours."""
    text = PAPER.read_text(encoding="utf-8")
    quoted = ", ".join(f'"{symbol}"' for symbol in symbols)
    place.config.write_text(text[: text.index("[[bots]]")] + BOT.replace("SYMBOLS", quoted))
    place.configure({"bar_seconds = 60 ": "bar_seconds = 86400 "})


def told_trades(place: Place) -> list[Trade]:
    with Path(place.folder / "trades.csv").open() as file:
        rows = list(csv.DictReader(file))
    return [
        Trade(
            D(row["quantity"]),
            day_of(row["opened_at"]),
            D(row["entry_price"]),
            day_of(row["closed_at"]),
            D(row["exit_price"]),
        )
        for row in rows
    ]


def day_of(at: str) -> date:
    return datetime.fromisoformat(at).astimezone(NEW_YORK).date()


def backtest(place: Place, *arguments: str | Path) -> dict[str, Any]:
    told = place.hydra("backtest", "--trades", "trades.csv", "--json", *arguments)
    assert told.code == 0, told.text
    return told.document


def test_years_of_a_share_come_out_as_by_hand_and_are_decided_again(fresh: Place) -> None:
    path = shared_data() / "daily" / "SPY-1day.csv"
    rows = [row for row in csv.DictReader(path.open()) if row["date"] <= "2020-12-31"]
    bars = [
        Bar(date.fromisoformat(row["date"]), *(D(row[name]) for name in ("open", "high", "low", "close")))
        for row in rows
    ]
    hand = by_hand(bars, date(2018, 1, 2))
    closed = [trade for trade in hand if trade.sold_on is not None]
    assert len(closed) == len(hand) == 50
    assert any(trade.bought_on == trade.sold_on for trade in closed), "some fail on their first day"
    assert any(trade.sold_at < trade.bought_at * (1 - STOP) for trade in closed), (
        "some go at an opening beyond their stop"
    )

    configured(fresh, "SPY")
    document = backtest(fresh, "--data", path, "--from", "2018-01-01T00:00:00Z", "--until", "2021-01-01T00:00:00Z")
    assert told_trades(fresh) == closed
    assert D(document["figures"]["equity_end"]) == CASH + sum(trade.profit for trade in hand)
    replayed = fresh.hydra("replay", document["journal"], "--json")
    assert (replayed.code, replayed.document["difference"]) == (0, None)


def test_no_look_ahead_by_days(fresh: Place) -> None:
    path = shared_data() / "daily" / "SPY-1day.csv"
    configured(fresh, "SPY")
    stretch = ("--from", "2007-01-01T00:00:00Z", "--until", "2007-08-01T00:00:00Z")
    document = backtest(fresh, "--data", path, *stretch, "--no-journal", "--check-lookahead")
    assert len(told_trades(fresh)) > 2
    assert document["lookahead"]["leak"] is None
    assert document["lookahead"]["futures"] == 8


def test_one_bot_alone_loses_its_hours_where_a_day_is_a_bar(fresh: Place) -> None:
    path = shared_data() / "daily" / "SPY-1day.csv"
    stretch = ("--from", "2007-01-01T00:00:00Z", "--until", "2007-07-01T00:00:00Z", "--no-journal")
    document = backtest(fresh, "--data", path, *stretch, "--bot", "momentum", "--symbols", "SPY")
    assert document["figures"]["trades"] > 0
    assert any("SPY by days: no hours" in note for note in document["notes"])
    document = backtest(fresh, "--data", path, *stretch)
    assert document["figures"]["trades"] == 0
    assert any(
        "it enters from 09:35 on, after the opening, so nothing is entered" in note for note in document["notes"]
    )
    assert all("bot_window" not in str(bot) or bot["bot"] for bot in document["bots"])


HOURS = ExchangeCalendar()
FIRST = date(2019, 10, 1)
YFINANCE, PLAIN = "Date,Open,High,Low,Close,Volume", "date,open,high,low,close,volume"


def sessions(count: int) -> list[date]:
    """Exchange days around Thanksgiving, Christmas and their halves."""
    days = (FIRST + timedelta(days=number) for number in range(2 * count))
    return [day for day in days if HOURS.hours(day) is not None][:count]


def steps(days: list[date], base: float) -> list[Bar]:
    """A wave: prices that leave their range now and then, both ways."""
    found, price = [], base
    for number, day in enumerate(days):
        close = base * (1 + 0.06 * math.sin(number / 7) + 0.004 * (number % 3 - 1))
        high, low = max(price, close) * 1.002, min(price, close) * 0.998
        found.append(Bar(day, *(D(f"{each:.2f}") for each in (price, high, low, close))))
        price = close * (1 + 0.002 * (number % 5 - 2))
    return found


def write(place: Place, name: str, bars: list[Bar], columns: str = YFINANCE) -> None:
    """A file of days without a time."""
    folder = place.folder / "data"
    folder.mkdir(exist_ok=True)
    lines = [columns]
    lines += [
        f"{bar.day},{bar.opened},{bar.high},{bar.low},{bar.close},{1_000_000 + bar.day.toordinal() % 7}" for bar in bars
    ]
    (folder / name).write_text("\n".join(lines) + "\n")


def test_after_a_gap_nothing_is_entered_on_a_day_that_is_not_the_last(fresh: Place) -> None:
    bars = steps(sessions(70), 100.0)
    entry = next(trade.bought_on for trade in by_hand(bars, FIRST))
    place = next(number for number, bar in enumerate(bars) if bar.day == entry)
    # The day on which it would be bought is not in the data: at the next opening, what is known is two sessions old.
    write(fresh, "ABC-1day.csv", bars[:place] + bars[place + 1 :])
    configured(fresh, "ABC")
    document = backtest(fresh, "--data", "data")
    assert bars[place + 1].day not in [trade.bought_on for trade in told_trades(fresh)]
    written = Place(folder=fresh.folder, program=fresh.program, logs_at=fresh.folder / document["journal"])
    reasons = [
        answer["reason"]
        for event in written.events()
        if event["kind"] == "decided" and day_of(event["ts"]) == bars[place + 1].day
        for answer in event["data"]["plan"].get("answers", ())
        if answer["gate"] == "data_fresh" and answer["verdict"] == "refuse"
    ]
    assert reasons
    assert reasons[0].startswith("ABC: last bar is ")


def test_shares_and_pairs_by_days_go_side_by_side_over_half_days_weekends_and_holidays(fresh: Place) -> None:
    days = sessions(90)
    halves = [day for day in days if HOURS.hours(day)[1].astimezone(NEW_YORK).hour == 13]  # type: ignore[index]  # they are sessions
    assert halves == [date(2019, 11, 29), date(2019, 12, 24)]
    every = [days[0] + timedelta(days=number) for number in range((days[-1] - days[0]).days + 1)]
    shares, coins = steps(days, 100.0), steps(every, 50.0)
    write(fresh, "ABC-1day.csv", shares)
    write(fresh, "BTC-USD-1day.csv", coins)
    configured(fresh, "ABC", "BTC-USD")
    document = backtest(fresh, "--data", "data")
    with Path(fresh.folder / "trades.csv").open() as file:
        rows = list(csv.DictReader(file))
    hand = [trade for trade in by_hand(shares, FIRST) if trade.sold_on is not None]
    mine = [row for row in rows if row["symbol"] == "ABC"]
    assert [(day_of(row["opened_at"]), D(row["entry_price"]), D(row["exit_price"])) for row in mine] == [
        (trade.bought_on, trade.bought_at, trade.sold_at) for trade in hand
    ]
    pairs = [row for row in rows if row["symbol"] == "BTC-USD"]
    assert pairs
    assert {datetime.fromisoformat(row["opened_at"]).astimezone(UTC).hour for row in pairs} == {0}
    assert fresh.hydra("replay", document["journal"]).code == 0


def test_a_split_goes_through_what_is_held(fresh: Place) -> None:
    bars = steps(sessions(70), 100.0)
    hand = by_hand(bars, FIRST)
    trade = next(one for one in hand if one.sold_on is not None and one.sold_on > one.bought_on)
    place = next(number for number, bar in enumerate(bars) if bar.day == trade.bought_on) + 1
    halved = [
        bar if number < place else Bar(bar.day, *((each / 2).quantize(CENT) for each in bar[1:]))
        for number, bar in enumerate(bars)
    ]
    halved = [bar._replace(high=max(bar[1:]), low=min(bar[1:])) for bar in halved]
    write(fresh, "ABC-1day.csv", halved, PLAIN)
    (fresh.folder / "data" / "actions.csv").write_text(
        "kind,symbol,ex_date,old_rate,new_rate,cash,new_symbol,payable_date\n"
        f"forward_split,ABC,{bars[place].day},1,2,,,\n"
    )
    configured(fresh, "ABC")
    document = backtest(fresh, "--data", "data")
    first = next(one for one in told_trades(fresh) if one.bought_on == trade.bought_on)
    assert (first.quantity, first.bought_at) == (2 * trade.quantity, trade.bought_at / 2)
    assert first.sold_on is not None
    assert first.sold_on > bars[place].day, "its stop was split as well, so that morning is no fall"
    assert first.profit > 0
    assert document["figures"]["trades"] > 0
    assert fresh.hydra("replay", document["journal"]).code == 0
