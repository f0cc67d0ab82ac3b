"""When a structure must go: at each limit and just beside it, and what is said when a price is not known."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.bootstrap.points import available
from hydra.model.market import AssetClass, OptionQuote
from hydra.model.portfolio import BotRecord, Day, Holding
from hydra.model.snapshot import Session, Snapshot
from hydra.model.structures import Structure, structures_of
from hydra.model.values import replace
from hydra.policy import OptionPolicy, SessionPolicy, StructureName
from hydra.risk.budgets import budget
from hydra.risk.option_values import certain_loss, certain_profit
from hydra.risk.plugs import OptionExit
from tests.fakes.feed import option_quote, quote
from tests.fakes.outside import BOT, OPEN, policy
from tests.risk.scenes import healthy, holding, with_ledger, with_sight

D = Decimal
NOW = healthy().at
DAY = date(2024, 3, 4)
EXITS: dict[str, OptionExit] = {name: point.load() for name, point in available("hydra.option_exits").items()}
BY_TIME = {"time_stop", "session_end", "flatten_before_close", "before_expiry"}
RULES = policy(risk={"flatten_before_close_minutes": 5, "daily_loss": D("0.02")})
SOLD, BOUGHT, CALL = "SPY240315P00490000", "SPY240315P00480000", "SPY240315C00500000"
SPREAD = {SOLD: (-2, "3.00"), BOUGHT: (2, "1.40")}
"""Two spreads for a credit of 1.60 a share: 320 dollars, of which 1,680 can be lost."""
STRADDLE = {CALL: (1, "8.00"), SOLD: (1, "7.00")}
"""One, for a debit of 1,500 dollars."""


def option(structure: StructureName = StructureName.BULL_PUT_SPREAD, **changes: Any) -> OptionPolicy:
    width = D(10) if structure is StructureName.BULL_PUT_SPREAD else None
    return OptionPolicy(structure=structure, days_least=5, days_most=60, width=width, **changes)


def held(legs: Mapping[str, tuple[int, str]] = SPREAD, **changes: Any) -> dict[str, Holding]:
    fields: dict[str, Any] = {"structure": "e0", "opened_at": OPEN, "opened_on": DAY} | changes
    each = (holding(symbol, quantity, price, **fields) for symbol, (quantity, price) in legs.items())
    return {leg.key: leg for leg in each}


def quoted(symbol: str, bid: Any, ask: Any, at: datetime = NOW) -> OptionQuote:
    return option_quote(symbol, at, bid, ask)


def scene(*quotes: OptionQuote, spot: Any = 500, legs: Mapping[str, Holding] | None = None, **ledger: Any) -> Snapshot:
    snapshot = with_ledger(holdings=held() if legs is None else legs, **ledger)
    underlying = {} if spot is None else {"SPY": quote("SPY", NOW, D(str(spot)), D(str(spot)))}
    return with_sight(snapshot, chains={"SPY": {one.symbol: one for one in quotes}}, quotes=underlying)


def the_structure(snapshot: Snapshot) -> Structure:
    (structure,) = structures_of(snapshot.ledger)
    return structure


def asked(name: str, snapshot: Snapshot, **bot: Any) -> str | None:
    fields = {"option": option()} | bot
    rules = RULES.model_copy(update={"bots": (RULES.bots[0].model_copy(update=fields),)})
    return EXITS[name](the_structure(snapshot), snapshot, rules, rules.bots[0])


def closing_at(cost: str, **more: Any) -> Snapshot:
    """The spread can be bought back at this price a share: the sold put at the ask, the bought one at the bid 1.00."""
    ask = D(cost) + 1
    return scene(quoted(SOLD, ask - D("0.02"), ask), quoted(BOUGHT, "1.00", "1.10"), **more)


def test_every_exit_of_the_policy_is_there() -> None:
    assert {*BY_TIME, "profit_share", "loss_multiple", "bot_daily_loss"} == set(EXITS)
    assert set(RULES.risk.option_exits) <= set(EXITS)


# -- by price


@pytest.mark.parametrize(
    ("cost", "share", "goes"),
    [
        pytest.param("0.80", "0.5", True, id="half is earned"),
        pytest.param("0.81", "0.5", False, id="a cent is missing"),
        pytest.param("0.32", "0.8", True, id="four fifths"),
        pytest.param("1.60", "0.5", False, id="nothing is earned"),
        pytest.param("0.10", None, False, id="no share is asked for"),
    ],
)
def test_a_share_of_the_credit_is_taken(cost: str, share: str | None, goes: bool) -> None:
    share_wanted = None if share is None else D(share)
    answer = asked("profit_share", closing_at(cost), option=option(profit_share=share_wanted))
    assert (answer is not None) is goes


def test_the_profit_that_is_taken_is_said_with_numbers() -> None:
    answer = asked("profit_share", closing_at("0.80"))
    assert answer == "closing earns 160.00 dollars of a credit of 320.00 dollars, taken at 0.5 of it"


@pytest.mark.parametrize(
    ("cost", "multiple", "goes"),
    [
        pytest.param("4.80", "2", True, id="twice the credit is lost"),
        pytest.param("4.79", "2", False, id="a cent less"),
        pytest.param("2.40", "0.5", True, id="half of it"),
        pytest.param("9.00", None, False, id="no multiple is asked for"),
        pytest.param("0.10", "0.5", False, id="it earns"),
    ],
)
def test_a_multiple_of_the_credit_ends_it(cost: str, multiple: str | None, goes: bool) -> None:
    most = None if multiple is None else D(multiple)
    assert (asked("loss_multiple", closing_at(cost), option=option(loss_multiple=most)) is not None) is goes


def test_the_loss_that_ends_it_is_said_with_numbers() -> None:
    answer = asked("loss_multiple", closing_at("4.80"))
    assert answer == "closing loses 640.00 dollars against a credit of 320.00 dollars, at most 2 times that"


def test_a_straddle_is_judged_by_its_debit() -> None:
    legs = held(STRADDLE)
    wins = scene(quoted(CALL, 20, "20.2"), quoted(SOLD, "2.5", "2.6"), legs=legs)
    straddle = {"option": option(StructureName.LONG_STRADDLE)}
    assert asked("profit_share", wins, **straddle) == (
        "closing earns 750.00 dollars of a debit of 1500.00 dollars, taken at 0.5 of it"
    )
    loses = scene(quoted(CALL, 4, "4.2"), quoted(SOLD, "3.5", "3.6"), legs=legs)
    half = {"option": option(StructureName.LONG_STRADDLE, loss_multiple=D("0.5"))}
    assert asked("loss_multiple", loses, **half) is not None
    assert asked("loss_multiple", loses, **straddle) is None
    assert asked("profit_share", loses, **straddle) is None


def test_a_bought_leg_without_a_bid_counts_for_nothing_in_a_profit_and_for_its_ask_in_a_loss() -> None:
    snapshot = scene(quoted(SOLD, "0.40", "0.50"), quoted(BOUGHT, None, "0.05"))
    assert certain_profit(the_structure(snapshot), snapshot, RULES.options) == D(220)
    assert certain_loss(the_structure(snapshot), snapshot, RULES.options) == D(-230)
    assert asked("profit_share", snapshot) is not None


def test_a_bid_that_is_missing_for_a_minute_is_no_loss() -> None:
    """As GOOG's 720 put on 2015-12-24: sold 730 at 7.7, bought 720 without a bid, its ask at 5.1."""
    legs = held({"GOOG160115P00730000": (-4, "7.0"), "GOOG160115P00720000": (4, "5.1")})
    quotes = (quoted("GOOG160115P00730000", "7.3", "7.7"), quoted("GOOG160115P00720000", None, "5.1"))
    assert asked("loss_multiple", scene(*quotes, legs=legs), option=option(loss_multiple=D("1.5"))) is None


STALE = NOW - timedelta(seconds=301)
BLIND = {
    "nobody offers the sold leg": (quoted(SOLD, "0.1", None), quoted(BOUGHT, "0.01", "0.02")),
    "the sold leg is absent": (quoted(BOUGHT, "0.01", "0.02"),),
    "the sold leg is stale": (quoted(SOLD, "0.1", "0.2", STALE), quoted(BOUGHT, "0.01", "0.02")),
    "the bought leg is absent": (quoted(SOLD, "0.1", "0.2"),),
    "the bought leg is stale": (quoted(SOLD, "0.1", "0.2"), quoted(BOUGHT, "0.01", "0.02", STALE)),
}


@pytest.mark.parametrize("name", BLIND)
def test_a_profit_that_cannot_be_seen_is_not_taken(name: str) -> None:
    snapshot = scene(*BLIND[name])
    assert certain_profit(the_structure(snapshot), snapshot, RULES.options) is None
    assert asked("profit_share", snapshot) is None


@pytest.mark.parametrize("name", BLIND)
def test_a_loss_that_cannot_be_seen_is_one_when_exercise_alone_would_cost_as_much(name: str) -> None:
    """At 500 the sold put costs nothing by exercise; at 484 it costs 6.00, more than twice the 1.60 beyond the credit."""
    assert asked("loss_multiple", scene(*BLIND[name], spot=500)) is None
    assert (asked("loss_multiple", scene(*BLIND[name], spot=484)) is not None) is ("sold" in name)
    assert asked("loss_multiple", scene(*BLIND[name], spot=None)) is None


def test_a_loss_by_exercise_has_its_numbers() -> None:
    assert asked("loss_multiple", scene(quoted(BOUGHT, "0.01", "0.02"), spot=484)) == (
        "closing loses 878.00 dollars against a credit of 320.00 dollars, at most 2 times that"
    )


@pytest.mark.parametrize("name", sorted(BY_TIME))
@pytest.mark.parametrize("quotes", [(), BLIND["the sold leg is stale"]], ids=["no quotes", "stale quotes"])
def test_the_exits_by_time_need_no_price(name: str, quotes: tuple[OptionQuote, ...]) -> None:
    """So what no price is known of is not kept for ever."""
    legs = held(opened_at=OPEN - timedelta(days=3), opened_on=date(2024, 3, 1))
    snapshot = at(scene(*quotes, spot=None, legs=legs), day=date(2024, 3, 14), closes_in=1)
    assert asked(name, snapshot, time_stop_minutes=30) is not None


# -- by time


def at(
    snapshot: Snapshot, *, day: date = DAY, minute: int = 15 * 60, closes_in: float = 300, is_open: bool = True
) -> Snapshot:
    sessions = snapshot.sight.sessions
    assert sessions is not None
    session = Session(open=is_open, phase="regular", opens_at=OPEN, closes_at=NOW + timedelta(minutes=closes_in))
    classes = {AssetClass.OPTION: session, AssetClass.EQUITY: session}
    return with_sight(snapshot, sessions=replace(sessions, day=day, minute=minute, by_class=classes))


def test_it_goes_when_it_is_older_than_the_time_stop() -> None:
    young = scene(legs=held(opened_at=NOW - timedelta(minutes=29, seconds=59)))
    old = scene(legs=held(opened_at=NOW - timedelta(minutes=30)))
    assert asked("time_stop", young, time_stop_minutes=30) is None
    assert asked("time_stop", old, time_stop_minutes=30) == "held for 30 minutes, at most 30"
    assert asked("time_stop", old, time_stop_minutes=None) is None


WINDOW = SessionPolicy(trade_start="09:45", trade_end="15:00", manage_until="15:30")


def test_it_goes_with_the_bots_day_unless_it_is_held_overnight() -> None:
    before, after = at(scene(), minute=15 * 60 + 29), at(scene(), minute=15 * 60 + 30)
    assert asked("session_end", before, session=WINDOW) is None
    assert asked("session_end", after, session=WINDOW) == "the bot's day ends at 15:30"
    assert asked("session_end", after, session=WINDOW, option=option(overnight=True)) is None


def test_what_was_opened_in_an_earlier_session_goes_unless_it_is_held_overnight() -> None:
    legs = held(opened_at=OPEN - timedelta(hours=20))
    morning = at(scene(legs=legs), minute=10 * 60)
    assert asked("session_end", morning, session=WINDOW) is not None
    assert asked("session_end", morning, session=WINDOW, option=option(overnight=True)) is None


def test_it_goes_before_the_close_unless_it_is_held_overnight() -> None:
    assert asked("flatten_before_close", at(scene(), closes_in=5.1)) is None
    near = at(scene(), closes_in=5)
    assert asked("flatten_before_close", near) == "the session closes in 5 minutes, flat by 5"
    assert asked("flatten_before_close", near, option=option(overnight=True)) is None
    assert asked("flatten_before_close", at(scene(), closes_in=5, is_open=False)) is None


@pytest.mark.parametrize(
    ("today", "before", "goes"),
    [
        pytest.param(date(2024, 3, 13), 1, False, id="two weekdays are left"),
        pytest.param(date(2024, 3, 14), 1, True, id="the day before"),
        pytest.param(date(2024, 3, 14), 0, False, id="not yet its day"),
        pytest.param(date(2024, 3, 15), 0, True, id="its day"),
        pytest.param(date(2024, 3, 18), 0, True, id="too late"),
        pytest.param(date(2024, 3, 8), 5, True, id="a week is five weekdays"),
        pytest.param(date(2024, 3, 7), 5, False, id="a week and a day"),
    ],
)
def test_it_never_goes_into_expiry(today: date, before: int, goes: bool) -> None:
    days = option(overnight=True).model_copy(update={"close_days_before": before})
    answer = asked("before_expiry", at(scene(), day=today), option=days)
    assert (answer is not None) is goes
    assert asked("before_expiry", at(scene(), day=today), option=option(into_expiry=True)) is None


def test_what_expires_on_a_monday_is_closed_on_friday() -> None:
    monday = {"SPY240318P00490000": (-1, "3.00"), "SPY240318P00480000": (1, "1.40")}
    friday = at(scene(legs=held(monday)), day=date(2024, 3, 15))
    assert asked("before_expiry", friday) == "1 weekdays to the expiry on 2024-03-18, closed at 1"
    assert asked("before_expiry", at(scene(legs=held(monday)), day=date(2024, 3, 14))) is None


def test_the_exchanges_day_is_needed() -> None:
    blind = with_sight(scene(), sessions=None)
    assert [asked(name, blind) for name in ("session_end", "flatten_before_close", "before_expiry")] == [None] * 3


# -- the bot's day


def test_the_bots_day_ends_with_its_share_of_the_daily_loss() -> None:
    """Its share of 100,000 x 2% is what the allotment says; realised and open loss count together."""
    day = Day(date=DAY, start_equity=D(100_000))
    share = budget(RULES.bots[0], RULES, D(100_000))
    assert share > 0
    open_loss = D(320)  # bought back at 3.20, a share that brought 1.60, two units
    just = BotRecord(bot=BOT, realized_today=open_loss - share)
    answer = asked("bot_daily_loss", closing_at("3.20", day=day, bots={BOT: just}))
    assert answer is not None
    assert "dollars today, realised and open" in answer
    less = BotRecord(bot=BOT, realized_today=open_loss - share + 1)
    assert asked("bot_daily_loss", closing_at("3.20", day=day, bots={BOT: less})) is None
    assert asked("bot_daily_loss", scene(spot=None, day=day, bots={BOT: just})) is None


# -- algebra

sides = st.decimals(D("0.01"), D(30), places=2)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(sold=sides, bought=sides, share=st.decimals(D("0.1"), D("0.9"), places=1), multiple=st.integers(1, 4))
def test_profit_is_taken_and_loss_is_cut_exactly_where_the_dollars_say(
    sold: Decimal, bought: Decimal, share: Decimal, multiple: int
) -> None:
    snapshot = scene(quoted(SOLD, D("0.01"), sold), quoted(BOUGHT, bought, bought + 1))
    earned = 320 + (bought - sold) * 200
    wants = option(profit_share=share, loss_multiple=D(multiple))
    assert certain_profit(the_structure(snapshot), snapshot, RULES.options) == earned
    assert certain_loss(the_structure(snapshot), snapshot, RULES.options) == -earned
    assert (asked("profit_share", snapshot, option=wants) is not None) is (earned >= share * 320)
    assert (asked("loss_multiple", snapshot, option=wants) is not None) is (-earned >= multiple * 320)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(
    quotes=st.tuples(*[st.tuples(st.none() | sides, st.none() | sides) for _ in range(2)]),
    spot=st.integers(400, 600),
)
def test_what_is_certain_leaves_room_for_what_is_not(quotes: Any, spot: int) -> None:
    """Never is more earned for certain than the least loss leaves."""
    books = [
        quoted(symbol, bid, ask if bid is None or ask is None else max(bid, ask))
        for symbol, (bid, ask) in zip((SOLD, BOUGHT), quotes, strict=True)
    ]
    snapshot = scene(*books, spot=spot)
    earns = certain_profit(the_structure(snapshot), snapshot, RULES.options)
    loses = certain_loss(the_structure(snapshot), snapshot, RULES.options)
    if earns is not None and loses is not None:
        assert earns <= -loses


@settings(derandomize=True, deadline=None, max_examples=60)
@given(data=st.data())
def test_no_exit_ever_raises_or_answers_anything_but_a_reason(data: st.DataObject) -> None:
    quotes = [
        OptionQuote(
            symbol=symbol,
            at=NOW - timedelta(seconds=data.draw(st.integers(0, 900))),
            bid=data.draw(st.none() | st.just(D("0.05"))),
            ask=data.draw(st.none() | sides.map(lambda p: p + 1)),
        )
        for symbol in data.draw(st.sets(st.sampled_from([SOLD, BOUGHT, CALL])))
    ]
    legs = held(data.draw(st.sampled_from([SPREAD, STRADDLE, {SOLD: (-1, "3.00")}, {BOUGHT: (3, "0.01")}])))
    snapshot = at(
        scene(*quotes, spot=data.draw(st.sampled_from([None, 400, 485, 600])), legs=legs),
        day=DAY + timedelta(days=data.draw(st.integers(0, 20))),
        minute=data.draw(st.integers(0, 1439)),
        closes_in=data.draw(st.integers(-10, 400)),
    )
    for name in EXITS:
        answer = asked(name, snapshot, option=option(overnight=data.draw(st.booleans())))
        assert answer is None or answer
