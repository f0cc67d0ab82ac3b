"""Whatever is asked in whatever order, whatever the market does, and wherever the venue is stopped and opened again: cash,
positions, reserved quantities and fees add up, no order fills twice, and a cancelled order never fills."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydra.adapters.calendar import NEW_YORK, new_york
from hydra.adapters.exchange.books import SqliteBooks
from hydra.adapters.exchange.model import VenueSettings
from hydra.adapters.exchange.standing import Books
from hydra.adapters.exchange.terms import Amendment, OrderClass, Request, RequestLeg
from hydra.adapters.exchange.venue import SimulatedVenue
from hydra.adapters.markets.feed import ActionKind, CorporateAction
from hydra.model.orders import OrderType, Side, TimeInForce
from hydra.model.values import Value, replace
from tests.adapters.exchange.market_scenes import CALENDAR, CASH, SIM, Auditor, MemoryBooks, everything
from tests.fakes.feed import ScriptedFeed, bar, option_quote, quote

FRIDAY = date(2024, 3, 1)
START = new_york(FRIDAY, time(15, 50))
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SPY, QQQ, COIN = "SPY", "QQQ", "BTC-USD"
CONTRACTS = (
    "SPY240301C00100000",
    "SPY240301P00100000",
    "SPY240304C00098000",
    "SPY240304C00102000",
    "SPY240304P00098000",
    "SPY240304P00102000",
)
"""Two that expire in ten minutes, four that expire on the next exchange day."""

D = Decimal
SETTINGS: dict[str, VenueSettings] = {
    "margin": replace(SIM, starting_cash=D(30_000)),
    "small": replace(SIM, starting_cash=D(3_000)),
    "cash": replace(CASH, starting_cash=D(15_000)),
    "slow": replace(SIM, starting_cash=D(30_000), latency_ms=90_000, wash_trade_protection=False),
    "slow cash": replace(CASH, starting_cash=D(15_000), latency_ms=30_000, wash_trade_protection=False),
    "flat": VenueSettings(
        starting_cash=D(15_000),
        commission_per_share=D("0.005"),
        crypto_fee=D("0.0025"),
        slippage=D("0.001"),
        half_spread=D("0.0005"),
        impact=D("0.1"),
    ),
}
ACTIONS: dict[str, CorporateAction | None] = {
    "none": None,
    "two for one": CorporateAction(kind=ActionKind.FORWARD_SPLIT, symbol=SPY, ex_date=date(2024, 3, 4), new_rate=D(2)),
    "three for two": CorporateAction(
        kind=ActionKind.FORWARD_SPLIT, symbol=SPY, ex_date=date(2024, 3, 4), old_rate=D(2), new_rate=D(3)
    ),
    "one for three": CorporateAction(
        kind=ActionKind.REVERSE_SPLIT, symbol=SPY, ex_date=date(2024, 3, 4), old_rate=D(3)
    ),
    "dividend": CorporateAction(
        kind=ActionKind.CASH_DIVIDEND,
        symbol=SPY,
        ex_date=date(2024, 3, 4),
        cash=D("0.37"),
        payable_date=date(2024, 3, 5),
    ),
    "renamed": CorporateAction(kind=ActionKind.NAME_CHANGE, symbol=SPY, ex_date=date(2024, 3, 4), new_symbol=QQQ),
}


class Change(Value, frozen=True, kw_only=True):
    """Take back (``amendment`` is ``None``) or replace the n-th open order."""

    number: int
    amendment: Amendment | None = None


class Contract(Value, frozen=True, kw_only=True):
    """Exercise a contract, or decline to."""

    symbol: str
    declined: bool


prices = st.integers(94, 106).map(Decimal)
near = st.integers(970, 1030).map(lambda tenths: D(tenths) / 10)
premiums = st.integers(1, 60).map(lambda nickels: D(nickels) / 20)
sizes = st.sampled_from([D(1), D(3), D(5), D(10), D(40), D(100), D(100), D(200)])
forces = st.sampled_from([*TimeInForce, TimeInForce.DAY, TimeInForce.DAY, TimeInForce.GTC, TimeInForce.GTC])
two_sides = st.sampled_from(Side)
names = st.integers(0, 40).map(lambda number: f"o{number}")


@st.composite
def share_orders(draw: st.DrawFn) -> Request:
    """Any order for shares, mostly sensible."""
    kind, side = draw(st.sampled_from(OrderType)), draw(two_sides)
    more: dict[str, Any] = {}
    if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT):
        more["limit"] = draw(near)
    if kind in (OrderType.STOP, OrderType.STOP_LIMIT):
        more["stop"] = draw(near)
    if kind is OrderType.TRAILING_STOP:
        more[draw(st.sampled_from(["trail_price", "trail_percent"]))] = D(draw(st.integers(1, 3)))
    if draw(st.integers(0, 9)) == 0:
        more["notional"] = D(draw(st.integers(1, 4000)))
    else:
        more["quantity"] = draw(sizes) if draw(st.integers(0, 9)) else D("0.75")
    force = draw(forces)
    if kind not in (OrderType.MARKET, OrderType.LIMIT) or "notional" in more or more.get("quantity") == D("0.75"):
        force = TimeInForce.DAY
    return Request(
        client_id=draw(names), symbol=draw(st.sampled_from([SPY, SPY, SPY, QQQ])), side=side, order_type=kind,
        time_in_force=force, extended_hours=draw(st.integers(0, 4)) == 0, **more,
    )  # fmt: skip


@st.composite
def groups(draw: st.DrawFn) -> Request:
    """A bracket, oto or oco order with its prices on the right sides."""
    kind = draw(st.sampled_from([OrderClass.BRACKET, OrderClass.BRACKET, OrderClass.OTO, OrderClass.OCO]))
    side, reference = draw(two_sides), draw(near)
    sign = -side.sign if kind is OrderClass.OCO else side.sign
    take, stop = reference + sign * draw(st.integers(1, 4)), reference - sign * draw(st.integers(1, 4))
    if kind is OrderClass.OCO:
        reference = take
    limited = kind is OrderClass.OCO or draw(st.booleans())
    exits: dict[str, Any] = {"take_profit": take, "stop_loss": stop}
    if kind is OrderClass.OTO:
        del exits[draw(st.sampled_from(["take_profit", "stop_loss"]))]
    if "stop_loss" in exits and draw(st.booleans()):
        exits["stop_loss_limit"] = stop - sign * draw(st.integers(0, 1))
    return Request(
        client_id=draw(names), symbol=SPY, side=side, order_type=OrderType.LIMIT if limited else OrderType.MARKET,
        time_in_force=draw(st.sampled_from([TimeInForce.DAY, TimeInForce.GTC])), quantity=draw(sizes),
        limit=reference if limited else None, order_class=kind,
        exits_force=draw(st.sampled_from([None, None, TimeInForce.DAY, TimeInForce.GTC])), **exits,
    )  # fmt: skip


@st.composite
def coin_orders(draw: st.DrawFn) -> Request:
    """An order for coins, whose price moves around 1,000."""
    limited = draw(st.booleans())
    size: dict[str, Any] = {"quantity": D(draw(st.integers(1, 60))) / 20}
    if draw(st.integers(0, 3)) == 0:
        size = {"notional": D(draw(st.integers(5, 3000)))}
    return Request(
        client_id=draw(names), symbol=COIN, side=draw(two_sides),
        order_type=OrderType.LIMIT if limited else OrderType.MARKET,
        time_in_force=draw(st.sampled_from([TimeInForce.GTC, TimeInForce.GTC, TimeInForce.IOC])),
        limit=draw(near) * 10 if limited else None, **size,
    )  # fmt: skip


@st.composite
def contract_orders(draw: st.DrawFn) -> Request:
    """An order for one contract."""
    kind = draw(st.sampled_from([OrderType.MARKET, OrderType.MARKET, OrderType.LIMIT, OrderType.STOP]))
    return Request(
        client_id=draw(names), symbol=draw(st.sampled_from(CONTRACTS)), side=draw(two_sides), order_type=kind,
        time_in_force=draw(st.sampled_from([TimeInForce.DAY, TimeInForce.GTC])), quantity=D(draw(st.integers(1, 3))),
        limit=draw(premiums) if kind is OrderType.LIMIT else None,
        stop=draw(premiums) if kind is OrderType.STOP else None,
    )  # fmt: skip


@st.composite
def spreads(draw: st.DrawFn) -> Request:
    """An order for several contracts."""
    picked = draw(st.lists(st.sampled_from(CONTRACTS), min_size=2, max_size=3, unique=True))
    legs = tuple(
        RequestLeg(symbol=symbol, side=draw(two_sides), ratio=draw(st.sampled_from([1, 1, 1, 2]))) for symbol in picked
    )
    limit = draw(st.none() | st.integers(-60, 60).map(lambda dimes: D(dimes) / 10))
    return Request(
        client_id=draw(names), symbol="", side=Side.BUY, order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        time_in_force=TimeInForce.DAY, quantity=D(draw(st.integers(1, 3))), limit=limit, order_class=OrderClass.MLEG, legs=legs,
    )  # fmt: skip


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """Something to do with an open order."""
    number = draw(st.integers(0, 6))
    if draw(st.booleans()):
        return Change(number=number)
    what: dict[str, Any] = {"quantity": draw(st.none() | st.sampled_from([D(1), D(2), D(5), D(20), D(150)]))}
    field = draw(st.sampled_from(["limit", "stop", "trail", "time_in_force", ""]))
    if field in ("limit", "stop"):
        what[field] = draw(st.one_of(near, near, premiums))
    elif field == "trail":
        what[field] = D(draw(st.integers(1, 4)))
    elif field:
        what[field] = draw(st.sampled_from([TimeInForce.DAY, TimeInForce.GTC]))
    return Change(number=number, amendment=Amendment(client_id=draw(names) + "r", **what))


@st.composite
def ticks(draw: st.DrawFn) -> tuple[str, Any]:
    """What the market does in the next minute."""
    what = draw(st.sampled_from(["bar", "bar", "bar", "quote", "chain", "coin", "both"]))
    first, last = draw(near), draw(near)
    high, low = max(first, last) + draw(st.integers(0, 3)), min(first, last) - draw(st.integers(0, 3))
    volume = draw(st.sampled_from([D(0), D(7), D(60), D(1000)]))
    spreads_ = tuple(draw(st.tuples(premiums, st.integers(0, 6))) for _ in CONTRACTS) if what == "chain" else ()
    return what, (first, high, low, last, volume, spreads_)


jumps = st.sampled_from(["minute", "minute", "hour", "next mark", "next morning"])
steps = st.one_of(
    share_orders(), share_orders(), groups(), groups(), coin_orders(), contract_orders(), contract_orders(), spreads(),
    changes(), changes(), changes(), ticks(), ticks(), ticks(), ticks(), jumps,
    st.builds(Contract, symbol=st.sampled_from(CONTRACTS), declined=st.booleans()),
    st.just("restart"),
)  # fmt: skip


class Run:
    """A venue that never stops, and beside it one that is opened again from its books now and then."""

    def __init__(self, venue: str, action: str, reopen: Callable[[], Books] | None = None) -> None:
        happens = ACTIONS[action]
        self.feed = ScriptedFeed(
            [bar(SPY, START, (100, 100, 100, 100)), bar(COIN, START, (1000,) * 4), bar(QQQ, START, (100,) * 4)],
            symbols=[SPY, QQQ, COIN],
            options=[option_quote(symbol, START + MINUTE, "1.00", "1.10") for symbol in CONTRACTS],
            actions=[] if happens is None else [happens],
        )
        self.feed.add(quote(SPY, START + MINUTE, "99.99", "100.01"), quote(COIN, START + MINUTE, 999, 1001))
        self.feed.add(bar(QQQ, START + 90 * DAY, (100,) * 4))  # a feed that is at its end starts over
        self.settings = SETTINGS[venue]
        memory = MemoryBooks()
        self._reopen = (lambda: memory) if reopen is None else reopen
        self.steady = SimulatedVenue(self.feed, CALENDAR, self.settings)
        self.broken = SimulatedVenue(self.feed, CALENDAR, self.settings, self._reopen())
        self.auditor = Auditor(self.steady)
        for each in (self.steady, self.broken):
            each.advance()

    def take(self, step: Any) -> None:
        """Do one thing with both, and look."""
        if isinstance(step, tuple):
            self._tick(*step)
        elif step == "restart":
            self.broken.close()
            self.broken = SimulatedVenue(self.feed, CALENDAR, self.settings, self._reopen())
        elif isinstance(step, str):
            moment = self._moment(step)
            for venue in (self.steady, self.broken):
                venue.advance_to(moment)
        else:
            answers = [self._ask(venue, step) for venue in (self.steady, self.broken)]
            assert answers[0] == answers[1]
        assert everything(self.steady) == everything(self.broken)
        self.auditor.check()

    def _ask(self, venue: SimulatedVenue, step: Any) -> Any:
        if isinstance(step, Request):
            return venue.place(step)
        if isinstance(step, Contract):
            return (venue.decline if step.declined else venue.exercise)(step.symbol)
        working = venue.working()
        if not working:
            return None
        chosen = working[step.number % len(working)].venue_id
        return venue.withdraw(chosen) if step.amendment is None else venue.amend(chosen, step.amendment)

    def _moment(self, jump: str) -> Any:
        now = self.steady.now
        local = now.astimezone(NEW_YORK)
        if jump == "minute":
            return now + MINUTE
        if jump == "hour":
            return now + timedelta(hours=1)
        if jump == "next morning":
            return new_york(local.date() + timedelta(days=1), time(9, 31))
        marks = [
            new_york(local.date() + timedelta(days=d), time(h, m))
            for d in (0, 1)
            for h, m in ((4, 0), (9, 30), (16, 0), (20, 0))
        ]
        return next(mark for mark in marks if mark > now)

    def _tick(self, what: str, numbers: tuple[Any, ...]) -> None:
        first, high, low, last, volume, chain = numbers
        at = self.steady.now
        if what in ("bar", "both"):
            self.feed.add(replace(bar(SPY, at, (first, high, low, last)), volume=volume))
        if what in ("quote", "both"):
            shown = quote(SPY, at + MINUTE, last - D("0.01"), last + D("0.01"))
            self.feed.add(replace(shown, bid_size=volume, ask_size=volume))
        if what == "coin":
            self.feed.add(replace(bar(COIN, at, (first * 10, high * 10, low * 10, last * 10)), volume=volume))
            self.feed.add(quote(COIN, at + MINUTE, last * 10 - 1, last * 10 + 1))
        for symbol, (bid, width) in zip(CONTRACTS, chain, strict=False):
            self.feed.add(option_quote(symbol, at + MINUTE, bid, bid + D(width) / 20, size=width + 1))
        for venue in (self.steady, self.broken):
            venue.advance_to(at + MINUTE)


def run(venue: str, action: str, plan: list[Any], reopen: Callable[[], Books] | None = None) -> None:
    """Play a plan."""
    scene = Run(venue, action, reopen)
    for step in plan:
        scene.take(step)


def _start(client_id: str, side: Side, quantity: str, symbol: str) -> Request:
    force = TimeInForce.GTC if symbol == COIN else TimeInForce.DAY
    return Request(
        client_id=client_id, symbol=symbol, side=side, order_type=OrderType.MARKET, time_in_force=force, quantity=D(quantity)
    )  # fmt: skip


LONG, SHORT = _start("long", Side.BUY, "100", SPY), _start("short", Side.SELL, "60", SPY)
COINS = _start("coins", Side.BUY, "2.5", COIN)
CALL, PUT, WRITTEN = (
    _start("call", Side.BUY, "2", CONTRACTS[2]),
    _start("put", Side.BUY, "2", CONTRACTS[4]),
    _start("written", Side.SELL, "1", CONTRACTS[3]),
)
beginnings = st.sampled_from(
    [[], [LONG], [SHORT], [COINS], [LONG, WRITTEN], [LONG, COINS], [CALL, PUT], [CALL, WRITTEN]]
)
plans = st.builds(list.__add__, beginnings, st.lists(steps, min_size=6, max_size=40))
long_plans = st.builds(list.__add__, beginnings, st.lists(steps, min_size=20, max_size=120))
slow = [HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.mark.parametrize("venue", SETTINGS)
@given(action=st.sampled_from(sorted(ACTIONS)), plan=plans)
@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=slow)  # chance belongs to the drill
def test_the_account_adds_up_after_every_step(venue: str, action: str, plan: list[Any]) -> None:
    run(venue, action, plan)


@given(action=st.sampled_from(sorted(ACTIONS)), plan=plans)
@settings(max_examples=10, derandomize=True, deadline=None, suppress_health_check=slow)
def test_a_venue_opened_again_from_its_file_goes_on_like_one_that_never_stopped(action: str, plan: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run("slow", action, plan, lambda: SqliteBooks(Path(folder) / "exchange.db"))


@pytest.mark.drill
@pytest.mark.timeout(900)
@pytest.mark.parametrize("venue", SETTINGS)
@given(action=st.sampled_from(sorted(ACTIONS)), plan=long_plans)
@settings(max_examples=200, deadline=None, suppress_health_check=slow)
def test_the_account_adds_up_after_every_one_of_many_steps(venue: str, action: str, plan: list[Any]) -> None:
    run(venue, action, plan)
