"""When a holding must go, and where its stop belongs: long and short, at each limit and just beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as changed
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.bootstrap.plugs import rule_book
from hydra.bootstrap.points import available
from hydra.engine.decide import decide
from hydra.model.errors import Invalid
from hydra.model.market import AssetClass, Bar
from hydra.model.orders import OrderStatus, OrderType, Protection, Purpose, Side
from hydra.model.portfolio import BotRecord, Day, Holding, Position
from hydra.model.snapshot import Session, Snapshot, StopMoved, Tighten
from hydra.model.values import replace
from hydra.policy import SessionPolicy, TrailingPolicy
from hydra.risk.plugs import Exit
from tests.fakes.feed import bar, option_quote, quote
from tests.fakes.outside import BOT, MINUTE, OPEN, policy
from tests.risk.hostile import HOSTILE, says
from tests.risk.scenes import healthy, holding, order, with_ledger, with_sight

D = Decimal
NOW = healthy().at
EXITS: dict[str, Exit] = {name: point.load() for name, point in available("hydra.exits").items()}
RULES = policy(risk={"flatten_before_close_minutes": 5, "daily_loss": D("0.02")})
TICK = D("0.01")

LONG = holding(target=D(110))
SHORT = holding(quantity=-10, stop=105, target=D(90))


def asked(name: str, held: Holding, snapshot: Snapshot, **bot: Any) -> str | Tighten | None:
    rules = RULES.model_copy(update={"bots": (RULES.bots[0].model_copy(update=bot),)})
    return EXITS[name](held, snapshot, rules, rules.bots[0])


def at_price(price: Any, **ledger: Any) -> Snapshot:
    """Both sides of the quote a cent apart: a long one sees the bid, a short one the ask, and both see ``price``."""
    bid = D(str(price))
    snapshot = with_ledger(**ledger)
    return with_sight(snapshot, quotes={"SPY": quote("SPY", NOW, bid, bid)})


def leg(
    held: Holding, purpose: Purpose, status: OrderStatus = OrderStatus.ACCEPTED, limit: int | None = None
) -> dict[str, Any]:
    side = Side.SELL if held.quantity > 0 else Side.BUY
    fields: dict[str, Any] = {"side": side, "purpose": purpose, "status": status}
    if purpose is Purpose.STOP:
        fields |= {"order_type": OrderType.STOP, "stop": D(95)}
        if limit is not None:
            fields |= {"order_type": OrderType.STOP_LIMIT, "limit": D(limit)}
    else:
        fields |= {"order_type": OrderType.LIMIT, "limit": D(110)}
    return {"orders": {"leg": order("leg", **fields)}}


def at_minute(hour: int, minute: int) -> Snapshot:
    sessions = healthy().sight.sessions
    assert sessions is not None
    return with_sight(sessions=replace(sessions, minute=hour * 60 + minute))


def closing_in(minutes: float, *, is_open: bool = True) -> Snapshot:
    sessions = healthy().sight.sessions
    assert sessions is not None
    session = Session(open=is_open, phase="regular", opens_at=OPEN, closes_at=NOW + timedelta(minutes=minutes))
    return with_sight(sessions=replace(sessions, by_class={AssetClass.EQUITY: session}))


def opened(ago: timedelta, held: Holding = LONG) -> Holding:
    return replace(held, opened_at=NOW - ago)


def at_best(held: Holding, best: Any, **changes: Any) -> Holding:
    return replace(held, best=D(str(best)), **changes)


def ranges(*closes: Any, width: Any = 2) -> tuple[Bar, ...]:
    """Bars with these closes, each opening where the last one closed and reaching half a width further either way."""
    half, bars, before = D(str(width)) / 2, [], D(str(closes[0]))
    for number, close in enumerate(closes):
        last = D(str(close))
        high, low = max(before, last) + half, min(before, last) - half
        bars.append(bar("SPY", OPEN + number * MINUTE, (before, high, low, last)))
        before = last
    return tuple(bars)


def seen(price: Any, bars: tuple[Bar, ...] = (), **ledger: Any) -> Snapshot:
    return with_sight(at_price(price, **ledger), bars={"SPY": bars})


BLIND = with_sight(quotes={}, sessions=None)
PERCENT = TrailingPolicy(by="percent", distance=D("0.02"))
ATR = TrailingPolicy(by="atr", distance=D(3), bars=3)
CHANDELIER = TrailingPolicy(by="chandelier", distance=D(3), bars=3)
FLAT_RANGES = ranges(104, 104, 104, 104)
"""An average true range of 2, a last close of 104."""
FALLEN = ranges(96, 96, 96, 96)

EVEN: Mapping[str, Any] = {"break_even": D("0.03")}
TIMED: Mapping[str, Any] = {"time_stop_minutes": 60}
Answer = Any
CLOSES = "closes"

TABLE: list[tuple[str, str, Holding, Snapshot, Mapping[str, Any], Answer]] = [
    ("stop_loss", "above the stop", LONG, at_price("95.01"), {}, None),
    ("stop_loss", "at the stop", LONG, at_price(95), {}, CLOSES),
    ("stop_loss", "below the stop", LONG, at_price(90), {}, CLOSES),
    ("stop_loss", "below, but a stop rests", LONG, at_price(90, **leg(LONG, Purpose.STOP)), {}, None),
    ("stop_loss", "the stop is gone", LONG, at_price(90, **leg(LONG, Purpose.STOP, OrderStatus.CANCELED)), {}, CLOSES),
    ("stop_loss", "only a target rests", LONG, at_price(90, **leg(LONG, Purpose.TARGET)), {}, CLOSES),
    ("stop_loss", "a stop-limit rests", LONG, at_price(94, **leg(LONG, Purpose.STOP, limit=94)), {}, None),
    ("stop_loss", "its limit is passed", LONG, at_price(93, **leg(LONG, Purpose.STOP, limit=94)), {}, CLOSES),
    ("stop_loss", "no quote", LONG, BLIND, {}, None),
    ("stop_loss", "short, below the stop", SHORT, at_price("104.99"), {}, None),
    ("stop_loss", "short, at the stop", SHORT, at_price(105), {}, CLOSES),
    ("stop_loss", "short, above, but a stop rests", SHORT, at_price(110, **leg(SHORT, Purpose.STOP)), {}, None),
    ("stop_loss", "short, stop-limit", SHORT, at_price(106, **leg(SHORT, Purpose.STOP, limit=106)), {}, None),
    ("stop_loss", "short, limit passed", SHORT, at_price(107, **leg(SHORT, Purpose.STOP, limit=106)), {}, CLOSES),
    ("take_profit", "below the target", LONG, at_price("109.99"), {}, None),
    ("take_profit", "at the target", LONG, at_price(110), {}, CLOSES),
    ("take_profit", "above, but a target rests", LONG, at_price(111, **leg(LONG, Purpose.TARGET)), {}, None),
    ("take_profit", "no target", holding(), at_price(500), {}, None),
    ("take_profit", "no quote", LONG, BLIND, {}, None),
    ("take_profit", "short, above the target", SHORT, at_price("90.01"), {}, None),
    ("take_profit", "short, at the target", SHORT, at_price(90), {}, CLOSES),
    ("break_even", "not asked for", at_best(LONG, 109), at_price(108), {}, None),
    ("break_even", "just not far enough", at_best(LONG, "102.99"), at_price(102), EVEN, None),
    ("break_even", "far enough", at_best(LONG, 103), at_price(102), EVEN, D(100)),
    ("break_even", "fees move it on", at_best(LONG, 103, fees=D(5)), at_price(102), EVEN, D(101)),
    ("break_even", "fees reach beyond the best", at_best(LONG, 103, fees=D(20)), at_price(102), EVEN, None),
    ("break_even", "back at the entry already", at_best(LONG, 103), at_price(100), EVEN, CLOSES),
    ("break_even", "the stop is closer already", at_best(holding(stop=101), 103), at_price(102), EVEN, None),
    ("break_even", "no best price known", LONG, at_price(108), EVEN, None),
    ("break_even", "no quote", at_best(LONG, 103), BLIND, EVEN, None),
    ("break_even", "short, not far enough", at_best(SHORT, "97.01"), at_price(98), EVEN, None),
    ("break_even", "short, far enough", at_best(SHORT, 97), at_price(98), EVEN, D(100)),
    ("break_even", "short, fees move it on", at_best(SHORT, 97, fees=D(5)), at_price(98), EVEN, D(99)),
    ("break_even", "short, back at the entry", at_best(SHORT, 97), at_price("100.5"), EVEN, CLOSES),
    ("trailing", "not asked for", at_best(LONG, 109), at_price(108), {}, None),
    ("trailing", "percent", at_best(LONG, 105), at_price(104), {"trailing": PERCENT}, D("102.9")),
    ("trailing", "percent, rounded away", at_best(LONG, "105.33"), at_price(104), {"trailing": PERCENT}, D("103.22")),
    ("trailing", "percent, no closer", at_best(LONG, "96.5"), at_price(96), {"trailing": PERCENT}, None),
    ("trailing", "percent, hit", at_best(LONG, 105), at_price("102.9"), {"trailing": PERCENT}, CLOSES),
    ("trailing", "percent, no best", LONG, at_price(104), {"trailing": PERCENT}, None),
    ("trailing", "percent, no quote", at_best(LONG, 105), BLIND, {"trailing": PERCENT}, None),
    ("trailing", "percent, short", at_best(SHORT, 95), at_price(96), {"trailing": PERCENT}, D("96.9")),
    ("trailing", "percent, short, hit", at_best(SHORT, 95), at_price(97), {"trailing": PERCENT}, CLOSES),
    ("trailing", "atr", at_best(LONG, 109), seen(104, FLAT_RANGES), {"trailing": ATR}, D(98)),
    ("trailing", "atr, too few bars", at_best(LONG, 109), seen(104, FLAT_RANGES[:2]), {"trailing": ATR}, None),
    ("trailing", "atr, no bars", at_best(LONG, 109), seen(104), {"trailing": ATR}, None),
    ("trailing", "atr, hit", at_best(LONG, 109), seen(97, FLAT_RANGES), {"trailing": ATR}, CLOSES),
    ("trailing", "atr, short", at_best(SHORT, 91), seen(96, FALLEN), {"trailing": ATR}, D(102)),
    ("trailing", "chandelier", at_best(LONG, 109), seen(104, FLAT_RANGES), {"trailing": CHANDELIER}, D(103)),
    ("trailing", "chandelier, no best", LONG, seen(104, FLAT_RANGES), {"trailing": CHANDELIER}, None),
    ("trailing", "chandelier, no range", at_best(LONG, 109), seen(104), {"trailing": CHANDELIER}, None),
    ("trailing", "chandelier, short", at_best(SHORT, 91), seen(96, FALLEN), {"trailing": CHANDELIER}, D(97)),
    ("time_stop", "not asked for", opened(timedelta(days=9)), healthy(), {}, None),
    ("time_stop", "59 minutes", opened(timedelta(minutes=59, seconds=59)), healthy(), TIMED, None),
    ("time_stop", "60 minutes", opened(timedelta(minutes=60)), healthy(), TIMED, CLOSES),
    ("time_stop", "short, two days", opened(timedelta(days=2), SHORT), healthy(), TIMED, CLOSES),
    ("session_end", "20:49", LONG, at_minute(20, 49), {}, None),
    ("session_end", "20:50", LONG, at_minute(20, 50), {}, CLOSES),
    ("session_end", "short, 20:50", SHORT, at_minute(20, 50), {}, CLOSES),
    ("session_end", "from yesterday", holding(opened_at=OPEN - timedelta(hours=20)), healthy(), {}, CLOSES),
    ("session_end", "no calendar", LONG, BLIND, {}, None),
    ("session_end", "around the clock", opened(timedelta(days=3)), at_minute(23, 59), {"session": None}, None),
    ("flatten_before_close", "6 minutes", LONG, closing_in(6), {}, None),
    ("flatten_before_close", "5 minutes", LONG, closing_in(5), {}, CLOSES),
    ("flatten_before_close", "short, half a minute", SHORT, closing_in(0.5), {}, CLOSES),
    ("flatten_before_close", "closed", LONG, closing_in(1, is_open=False), {}, None),
    ("flatten_before_close", "no calendar", LONG, BLIND, {}, None),
    ("flatten_before_close", "a pair has no close", holding("BTC-USD", 1), healthy(), {}, None),
]


def day_of(realized: Any, price: Any, *held: Holding, **sight: Any) -> Snapshot:
    """100,000 dollars at the opening, so much realised since, and everything of SPY quoted at one price."""
    day = healthy().ledger.day
    assert day is not None
    ledger: dict[str, Any] = {
        "day": Day(date=day.date, start_equity=D(100_000)),
        "bots": {BOT: BotRecord(bot=BOT, realized_today=D(str(realized)))},
        "holdings": {one.key: one for one in held},
    }
    return with_sight(at_price(price, **ledger), **sight)


CALL, FURTHER = "SPY240315C00100000", "SPY240315C00105000"
SPREAD = (
    holding(CALL, 2, "3.00", structure="s1"),
    holding(FURTHER, -2, "1.00", structure="s1"),
)


def chain(call: tuple[Any, Any], further: tuple[Any, Any]) -> dict[str, Any]:
    quotes = {CALL: option_quote(CALL, NOW, *call), FURTHER: option_quote(FURTHER, NOW, *further)}
    return {"chains": {"SPY": quotes}}


# The bucket's quarter of two percent of 100,000 dollars: 500 dollars, of which half may be lost in a day.
HALF: Mapping[str, Any] = {"budget": RULES.bots[0].budget.model_copy(update={"daily_loss": D("0.5")})}
LOSS: list[tuple[str, Snapshot, Mapping[str, Any], Answer]] = [
    ("nothing lost", day_of(0, 100, LONG), HALF, None),
    ("realised, just below", day_of("-249.99", 100, LONG), HALF, None),
    ("realised, all of it", day_of(-250, 100, LONG), HALF, CLOSES),
    ("open, all of it", day_of(0, 75, LONG), HALF, CLOSES),
    ("open in a short, all of it", day_of(0, 125, SHORT), HALF, CLOSES),
    ("realised and open together", day_of(-125, "87.5", LONG), HALF, CLOSES),
    ("what is open makes up for it", day_of(-250, "100.01", LONG), HALF, None),
    ("the whole share", day_of(-250, 100, LONG), {}, None),
    ("a structure loses too", day_of(0, 100, LONG, *SPREAD, **chain(("1.70", 2), ("0.5", "0.95"))), HALF, CLOSES),
    ("a structure just below", day_of(0, 100, LONG, *SPREAD, **chain(("1.71", 2), ("0.5", "0.95"))), HALF, None),
    ("a leg nobody offers", day_of(-900, 100, LONG, *SPREAD, **chain((1, 2), ("0.5", None))), HALF, None),
    ("no quote", with_sight(day_of(-900, 100, LONG), quotes={}), HALF, None),
    ("no day", with_ledger(day_of(-900, 100, LONG), day=None), HALF, None),
    ("not enabled: nothing was dealt", day_of(-900, 100, LONG), {**HALF, "enabled": False}, None),
]
TABLE += [("bot_daily_loss", what, LONG, snapshot, bot, answer) for what, snapshot, bot, answer in LOSS]


@pytest.mark.parametrize(
    ("name", "what", "held", "snapshot", "bot", "answer"), TABLE, ids=[f"{n}: {w}" for n, w, *_ in TABLE]
)
def test_an_exit_says_why_or_where_the_stop_belongs_or_nothing(
    name: str, what: str, held: Holding, snapshot: Snapshot, bot: Mapping[str, Any], answer: Answer
) -> None:
    said = asked(name, held, snapshot, **bot)
    if answer is None:
        assert said is None
        return
    reason = said.reason if isinstance(said, Tighten) else said
    assert reason is not None
    assert any(digit.isdigit() for digit in reason)
    assert (said.stop if isinstance(said, Tighten) else CLOSES) == answer


def test_every_exit_is_in_the_table() -> None:
    assert {name for name, *_ in TABLE} == set(EXITS)


def test_each_side_is_judged_by_the_price_it_closes_at() -> None:
    wide = with_sight(quotes={"SPY": quote("SPY", NOW, 94, 106)})
    assert asked("stop_loss", LONG, wide) == "bid 94 is at or below the stop 95"
    assert asked("stop_loss", SHORT, wide) == "ask 106 is at or above the stop 105"


@pytest.mark.parametrize("name", ["stop_loss", "take_profit", "break_even", "trailing"])
def test_a_leg_without_protection_is_a_fault_and_not_a_holding_to_judge(name: str) -> None:
    bare = replace(at_best(LONG, 109), protection=None)
    with pytest.raises(Invalid, match="judged with its structure"):
        asked(name, bare, at_price(108), break_even=D("0.01"), trailing=PERCENT)


NOT_AN_EXIT = {
    **{how: plug for how, plug in HOSTILE.items() if how != "says another kind of text"},  # of any kind, it closes
    "says another stop than a stop": says(StopMoved(bot=BOT, symbol="SPY", stop=D(99), reason="not a wish")),
}


@pytest.mark.parametrize("how", NOT_AN_EXIT)
@pytest.mark.parametrize("name", EXITS)
def test_an_exit_that_does_not_answer_halts_and_the_others_still_close(name: str, how: str) -> None:
    asked_too: dict[str, Exit] = {**EXITS, name: NOT_AN_EXIT[how], "leave": says("the script says so")}
    position = (Position(symbol="SPY", quantity=D(10), average_price=D(100)),)
    snapshot = with_sight(at_price(100, holdings={LONG.key: LONG}), positions=position)
    plan = decide(snapshot, changed(rule_book(RULES), exits=asked_too))
    (halt,) = plan.halts
    assert (halt.kind, halt.automatic) == ("exit_failed", False)
    assert f"exit {name} " in halt.reason
    assert [send.order.purpose for send in plan.sends] == [Purpose.EXIT]
    assert plan.stops == ()


# -- for any numbers

cents = st.integers(min_value=2_000, max_value=30_000).map(lambda n: D(n) / 100)
near = st.integers(min_value=9_001, max_value=10_999).map(lambda n: D(n) / 100)
sides = st.sampled_from([1, -1])
PROPERTY = settings(max_examples=60, derandomize=True, deadline=None)


def held_on(side: int, stop: Decimal, target: Decimal | None = None, **more: Any) -> Holding:
    return replace(holding(quantity=10 * side), protection=Protection(stop=stop, target=target), **more)


@PROPERTY
@given(side=sides, price=cents, stop=cents)
def test_a_stop_closes_exactly_when_the_price_has_reached_it(side: int, price: Decimal, stop: Decimal) -> None:
    reached = price <= stop if side > 0 else price >= stop
    assert (asked("stop_loss", held_on(side, stop), at_price(price)) is not None) is reached


@PROPERTY
@given(side=sides, price=cents, target=cents)
def test_a_target_closes_exactly_when_the_price_has_reached_it(side: int, price: Decimal, target: Decimal) -> None:
    reached = price >= target if side > 0 else price <= target
    assert (asked("take_profit", held_on(side, D(1), target), at_price(price)) is not None) is reached


@PROPERTY
@given(seconds=st.integers(min_value=0, max_value=10_000), limit=st.integers(min_value=1, max_value=150))
def test_a_time_stop_closes_exactly_when_the_time_is_up(seconds: int, limit: int) -> None:
    said = asked("time_stop", opened(timedelta(seconds=seconds)), healthy(), time_stop_minutes=limit)
    assert (said is not None) is (seconds >= 60 * limit)


@PROPERTY
@given(minute=st.integers(min_value=0, max_value=1439), until=st.integers(min_value=2, max_value=1439))
def test_a_day_ends_exactly_when_the_exchange_s_clock_says_so(minute: int, until: int) -> None:
    window = SessionPolicy(trade_start="00:00", trade_end="00:01", manage_until=f"{until // 60:02}:{until % 60:02}")
    said = asked("session_end", LONG, at_minute(minute // 60, minute % 60), session=window)
    assert (said is not None) is (minute >= until)


@PROPERTY
@given(seconds=st.integers(min_value=-600, max_value=3600))
def test_before_a_close_nothing_is_left_open(seconds: int) -> None:
    assert (asked("flatten_before_close", LONG, closing_in(seconds / 60)) is not None) is (seconds <= 300)


@PROPERTY
@given(side=sides, realized=st.integers(min_value=-600, max_value=600), price=near)
def test_a_bot_s_day_is_over_exactly_when_what_it_has_lost_is_all_it_may_lose(
    side: int, realized: int, price: Decimal
) -> None:
    held = held_on(side, D(1))
    lost = -realized - (price - 100) * 10 * side
    assert (asked("bot_daily_loss", held, day_of(realized, price, held), **HALF) is not None) is (lost >= 250)


def _mover(name: str, by: str, distance: Decimal) -> dict[str, Any]:
    if name == "break_even":
        return {"break_even": distance}
    return {"trailing": TrailingPolicy(by=by, distance=distance, bars=3)}  # type: ignore[arg-type]  # one of the three


movers = st.one_of(
    st.tuples(st.just("break_even"), st.just(""), st.sampled_from([D("0.001"), D("0.01"), D("0.05")])),
    st.tuples(st.just("trailing"), st.just("percent"), st.sampled_from([D("0.001"), D("0.02"), D("0.5")])),
    st.tuples(st.just("trailing"), st.sampled_from(["atr", "chandelier"]), st.sampled_from([D("0.1"), D(3), D(99)])),
)


@PROPERTY
@given(side=sides, mover=movers, walk=st.lists(near, min_size=3, max_size=12), fees=st.sampled_from([D(0), D(7)]))
def test_a_stop_only_ever_comes_closer_and_never_lies_on_the_wrong_side_of_the_price(
    side: int, mover: tuple[str, str, Decimal], walk: list[Decimal], fees: Decimal
) -> None:
    name, by, distance = mover
    held = held_on(side, D(80) if side > 0 else D(120), fees=fees)
    for number in range(1, len(walk) + 1):
        price, known = walk[number - 1], walk[:number]
        held = replace(held, best=max(known) if side > 0 else min(known))
        assert held.protection is not None
        before = held.protection.stop
        said = asked(name, held, seen(price, ranges(*known)), **_mover(name, by, distance))
        if isinstance(said, str):
            return
        if said is not None:
            assert (said.stop - before) * side > 0
            assert (price - said.stop) * side > 0
            assert said.stop % TICK == 0
            held = replace(held, protection=replace(held.protection, stop=said.stop))


@PROPERTY
@given(mover=movers.filter(lambda m: m[1] != "percent"), walk=st.lists(near, min_size=3, max_size=8))
def test_a_short_is_a_long_in_the_mirror(mover: tuple[str, str, Decimal], walk: list[Decimal]) -> None:
    name, by, distance = mover
    long = held_on(1, D(80), best=max(walk), fees=D(7))
    short = held_on(-1, D(120), best=200 - max(walk), fees=D(7))
    settings_ = _mover(name, by, distance)
    of_long = asked(name, long, seen(walk[-1], ranges(*walk)), **settings_)
    mirrored = [200 - price for price in walk]
    of_short = asked(name, short, seen(mirrored[-1], ranges(*mirrored)), **settings_)
    assert type(of_long) is type(of_short)
    if isinstance(of_long, Tighten) and isinstance(of_short, Tighten):
        assert abs(of_long.stop + of_short.stop - 200) <= TICK


def test_a_stop_that_would_be_worth_nothing_is_none() -> None:
    far = TrailingPolicy(by="chandelier", distance=D(100), bars=3)
    assert asked("trailing", at_best(holding(stop="0.01"), 109), seen(104, FLAT_RANGES), trailing=far) is None


def test_a_stop_is_rounded_to_the_venue_s_increment_away_from_the_price() -> None:
    coarse = replace(healthy().sight.instruments["SPY"], price_increment=D("0.25"))
    for held, best, stop in ((LONG, "105.33", D("103.00")), (SHORT, "95.33", D("97.25"))):
        snapshot = with_sight(at_price(100 + D("4.5") * held.quantity / 10), instruments={"SPY": coarse})
        said = asked("trailing", at_best(held, best), snapshot, trailing=PERCENT)
        assert isinstance(said, Tighten)
        assert said.stop == stop
