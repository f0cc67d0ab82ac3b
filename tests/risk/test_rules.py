"""The rules against hand-worked numbers, and the algebra they live in."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace as changed
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.market import usual_instrument
from hydra.model.orders import Ceiling, OrderStatus, OrderType, Purpose, Side
from hydra.model.portfolio import BotRecord
from hydra.model.values import replace
from hydra.policy import Bucket
from hydra.risk import budgets
from hydra.risk.judge import judge
from hydra.risk.plugs import Case
from tests.fakes.outside import BOT, policy
from tests.risk.scenes import book, case, healthy, holding, order, reserved, with_account, with_ledger

D = Decimal
RULES = book().rules
HELD = with_ledger(holdings={"a": holding()})  # ten shares at 100, stop 95: 1000 dollars, 50 at risk
WORKING = with_ledger(orders={"o1": order(quantity=D(20))})  # twenty shares at 100: 2000 dollars, 100 at risk
TIMES = (healthy().at - timedelta(seconds=59),)

# The case: 1000 shares wished at 100 with the stop at 95 (5 at risk a share), equity 100,000.
TABLE: list[tuple[str, str, Case, Any]] = [
    ("order_notional", "25,000 / 100", case(), 250),
    ("order_notional", "never above the ask", case(asked=D(7)), 7),
    ("symbol_exposure", "35,000 / 100", case(), 350),
    ("symbol_exposure", "1,000 held", case(HELD), 340),
    ("symbol_exposure", "2,000 under way", case(WORKING), 330),
    ("symbol_exposure", "another symbol held", case(with_ledger(holdings={"a": holding("AAPL")})), 350),
    ("symbol_exposure", "3,000 reserved", case(reserved=reserved(notional_by_symbol={"SPY": D(3000)})), 320),
    ("symbol_exposure", "more than the limit held", case(with_ledger(holdings={"a": holding(quantity=400)})), 0),
    ("total_exposure", "70,000 / 100", case(), 700),
    ("total_exposure", "20,000 held elsewhere", case(with_ledger(holdings={"a": holding("AAPL", 100, 200)})), 500),
    ("total_exposure", "60,000 reserved", case(reserved=reserved(notional=D(60_000))), 100),
    ("buying_power", "100,000 less 30%", case(), 700),
    ("buying_power", "cash 40,000", case(with_account(cash=D(40_000))), 100),
    ("buying_power", "buying power 12,000", case(with_account(buying_power=D(12_000))), 120),
    ("buying_power", "cash below the reserve", case(with_account(cash=D(29_999))), 0),
    ("buying_power", "2,000 under way", case(WORKING), 680),
    ("buying_power", "65,000 reserved", case(reserved=reserved(cash=D(65_000))), 50),
    ("order_rate", "nine sent", case(with_ledger(sent_at=TIMES * 9)), 1000),
    ("order_rate", "ten sent", case(with_ledger(sent_at=TIMES * 10)), 0),
    (
        "order_rate",
        "ten sent a minute ago",
        case(with_ledger(sent_at=(healthy().at - timedelta(seconds=60),) * 10)),
        1000,
    ),
    ("order_rate", "six sent, four planned", case(with_ledger(sent_at=TIMES * 6), reserved=reserved(orders=4)), 0),
    ("daily_loss", "2,000 / 5", case(), 400),
    ("daily_loss", "500 lost", case(equity=D(99_500)), 300),
    ("daily_loss", "a profit raises nothing", case(equity=D(104_000)), 400),
    ("daily_loss", "all lost", case(equity=D(98_000)), 0),
    ("daily_loss", "50 at risk already", case(HELD), 390),
    ("daily_loss", "100 at risk under way", case(WORKING), 380),
    ("daily_loss", "1,000 reserved", case(reserved=reserved(risk=D(1000))), 200),
    ("daily_loss", "no day yet", case(with_ledger(day=None)), 0),
    ("drawdown", "6,000 / 5 is more than asked", case(), 1000),
    ("drawdown", "peak 105,000 leaves 1,300", case(with_ledger(peak_equity=D(105_000))), 260),
    ("drawdown", "at the limit", case(with_ledger(peak_equity=D(100_000)), equity=D(94_000)), 0),
    ("drawdown", "1,300 less 50 at risk", case(with_ledger(HELD, peak_equity=D(105_000))), 250),
    ("risk_per_trade", "1,000 / 5", case(), 200),
    ("risk_per_trade", "a close stop", case(risk_per_unit=D("0.5")), 1000),
    ("bot_budget", "a quarter of 2,000, alone in its bucket", case(), 100),
    ("bot_budget", "200 lost today", case(with_ledger(bots={BOT: BotRecord(bot=BOT, realized_today=D(-200))})), 60),
    (
        "bot_budget",
        "a profit adds nothing",
        case(with_ledger(bots={BOT: BotRecord(bot=BOT, realized_today=D(200))})),
        100,
    ),
    ("bot_budget", "50 at risk", case(HELD), 90),
    ("bot_budget", "100 reserved", case(reserved=reserved(risk_by_bot={BOT: D(100)})), 80),
    ("bot_budget", "another's reservation", case(reserved=reserved(risk_by_bot={"b": D(100)})), 100),
    ("bot_budget", "no day yet", case(with_ledger(day=None)), 0),
    ("trades_per_day", "three made", case(with_ledger(bots={BOT: BotRecord(bot=BOT, trades_today=3)})), 1000),
    ("trades_per_day", "four made", case(with_ledger(bots={BOT: BotRecord(bot=BOT, trades_today=4)})), 0),
    ("trades_per_day", "four planned", case(reserved=reserved(entries_by_bot={BOT: 4})), 0),
    ("concurrent_positions", "none", case(), 1000),
    ("concurrent_positions", "this symbol held", case(HELD), 0),
    ("concurrent_positions", "another held, one allowed", case(with_ledger(holdings={"a": holding("AAPL")})), 0),
    ("concurrent_positions", "another bot's", case(with_ledger(holdings={"a": holding(bot="b")})), 1000),
    ("concurrent_positions", "an entry under way", case(WORKING), 0),
    ("concurrent_positions", "one planned", case(reserved=reserved(entries_by_bot={BOT: 1})), 0),
    (
        "concurrent_positions",
        "another held, two allowed",
        case(with_ledger(holdings={"a": holding("AAPL")}), rules=policy(bots=[{"id": BOT, "positions": 2}])),
        1000,
    ),
]


@pytest.mark.parametrize(("rule", "what", "asked", "quantity"), TABLE, ids=[f"{r}: {w}" for r, w, *_ in TABLE])
def test_a_rule_admits_what_was_worked_out_by_hand(rule: str, what: str, asked: Case, quantity: Any) -> None:
    ceiling = RULES[rule](asked)
    assert (ceiling.rule, ceiling.quantity) == (rule, D(str(quantity)))
    assert ceiling.reason


def test_every_rule_is_in_the_table() -> None:
    assert {rule for rule, *_ in TABLE} == set(RULES)


def test_an_unknown_account_admits_nothing() -> None:
    blind = replace(healthy(), sight=replace(healthy().sight, account=None))
    assert RULES["buying_power"](case(blind)).quantity == 0


def test_another_days_start_is_no_start() -> None:
    day = healthy().ledger.day
    assert day is not None
    stale = with_ledger(day=replace(day, date=day.date - timedelta(days=1)))
    assert RULES["daily_loss"](case(stale)).quantity == 0


# -- the algebra

_money = st.decimals(D("-1e7"), D("1e7"), allow_nan=False, allow_infinity=False, places=2)
_price = st.decimals(D("0.01"), D("1e5"), allow_nan=False, allow_infinity=False, places=4).filter(bool)
_size = st.decimals(D("0"), D("1e7"), allow_nan=False, allow_infinity=False, places=4)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    held = draw(st.lists(st.sampled_from(("SPY", "AAPL", "BTC-USD")), max_size=3, unique=True))
    holdings = {s: holding(s, draw(st.integers(1, 10**4)), draw(_price), draw(_price)) for s in held}
    snapshot = with_account(cash=draw(_money), equity=draw(_money), buying_power=draw(_money))
    record = BotRecord(bot=BOT, trades_today=draw(st.integers(0, 5)), realized_today=draw(_money))
    snapshot = with_ledger(
        snapshot,
        holdings=holdings,
        bots={BOT: record},
        peak_equity=abs(draw(_money)),
        sent_at=TIMES * draw(st.integers(0, 12)),
    )
    price = draw(_price)
    return case(
        snapshot,
        price=price,
        unit_cost=price,
        risk_per_unit=draw(_price),
        asked=draw(_size),
        equity=draw(_money),
        reserved=reserved(cash=abs(draw(_money)), notional=abs(draw(_money)), risk=abs(draw(_money))),
    )


@given(asked=cases())
@settings(max_examples=60, deadline=None)
def test_no_rule_is_ever_above_the_ask_or_below_zero(asked: Case) -> None:
    for name, rule in RULES.items():
        ceiling = rule(asked)
        assert ceiling.quantity.is_finite(), name
        assert 0 <= ceiling.quantity <= asked.asked, name


@given(asked=cases(), seed=st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_rules_does_not_matter(asked: Case, seed: Any) -> None:
    shuffled = list(RULES.items())
    seed.shuffle(shuffled)
    one, other = judge(asked, RULES), judge(asked, dict(shuffled))
    assert one.admitted == other.admitted
    assert set(one.ceilings) == set(other.ceilings)
    assert one.admitted <= min(c.quantity for c in one.ceilings)
    assert one.admitted % asked.instrument.quantity_increment == 0


@given(asked=cases(), dropped=st.sampled_from(sorted(RULES)))
@settings(max_examples=30, deadline=None)
def test_one_rule_more_never_admits_more(asked: Case, dropped: str) -> None:
    fewer = {name: rule for name, rule in RULES.items() if name != dropped}
    assert judge(asked, RULES).admitted <= judge(asked, fewer).admitted


def ceiling(quantity: Any, name: str = "fixed") -> Callable[[Case], Ceiling]:
    return lambda _case: Ceiling(rule=name, quantity=D(str(quantity)), reason="fixed")


def test_an_empty_book_admits_nothing_and_says_so() -> None:
    verdict = judge(case(), {})
    assert (verdict.admitted, verdict.reason) == (D(0), "the rule book is empty")


def test_the_lowest_ceiling_wins_and_is_named() -> None:
    for names in itertools.permutations((("a", 30), ("b", 20), ("c", 25))):
        verdict = judge(case(), {name: ceiling(limit, name) for name, limit in names})
        assert verdict.admitted == 20
        assert verdict.reason == "b: fixed"


def test_what_is_asked_is_admitted_when_no_rule_says_less() -> None:
    verdict = judge(case(asked=D(10)), {"a": ceiling(10)})
    assert (verdict.admitted, verdict.reason) == (D(10), "")


@pytest.mark.parametrize(
    ("symbol", "limit", "price", "admitted"),
    [
        ("SPY", "10.99", 100, "10"),
        ("SPY", "0.99", 100, "0"),
        ("BTC-USD", "0.12349", 50_000, "0.1234"),
        ("BTC-USD", "0.00009", 50_000, "0"),  # below the minimum quantity
        ("BTC-USD", "0.0099", 100, "0"),  # 99 cents, below the minimum notional of a dollar
        ("BTC-USD", "0.0100", 100, "0.0100"),
        ("GOOG151231C00750000", "2.9", 500, "2"),
    ],
)
def test_quantities_are_rounded_once_last_and_down_and_below_the_minimum_to_zero(
    symbol: str, limit: str, price: int, admitted: str
) -> None:
    asked = changed(case(), instrument=usual_instrument(symbol), unit_cost=D(price))
    verdict = judge(asked, {"a": ceiling(limit)})
    assert verdict.admitted == D(admitted)
    assert verdict.reason


# -- budgets


@pytest.mark.parametrize(
    ("bots", "budget"),
    [
        ([{"id": BOT}], 500),  # a quarter of 2,000, alone
        ([{"id": BOT}, {"id": "b"}], 250),
        ([{"id": BOT}, {"id": "b", "enabled": False}], 500),
        ([{"id": BOT}, {"id": "b", "bucket": "options"}], 500),
        ([{"id": BOT}, *({"id": f"b{n}"} for n in range(9))], 100),  # 2.5% each, lifted to 5%
    ],
)
def test_a_bucket_is_shared_equally_by_its_enabled_bots_within_the_clamp(bots: list[dict], budget: int) -> None:
    rules = policy(bots=[{**bot, "bucket": _bucket(bot)} for bot in bots])
    assert budgets.budget(rules.bots[0], rules, D(100_000)) == budget


def _bucket(bot: dict) -> Bucket:
    return Bucket(bot.get("bucket", "momentum"))


def test_a_large_share_is_cut_to_the_maximum_and_an_empty_bucket_has_nothing() -> None:
    rich = policy(budgets={"momentum": D("0.9")})
    poor = policy(budgets={"momentum": D(0)})
    assert budgets.budget(rich.bots[0], rich, D(100_000)) == 1000
    assert budgets.budget(poor.bots[0], poor, D(100_000)) == 0


def test_open_risk_counts_holdings_and_what_is_left_of_entries() -> None:
    half = order(quantity=D(10), filled=D(4), status=OrderStatus.PARTIALLY_FILLED)
    limited = order("o2", order_type=OrderType.LIMIT, limit=D(98), quantity=D(10))
    done = order("o3", status=OrderStatus.CANCELED)
    stop = order("o4", side=Side.SELL, purpose=Purpose.STOP, order_type=OrderType.STOP, stop=D(90))
    ledger = with_ledger(
        holdings={"a": holding(), "b": holding(bot="other"), "c": holding(stop=101)},
        orders={"1": half, "2": limited, "3": done, "4": stop},
    ).ledger
    # 10 x 5, 6 x 5 and 10 x 3; a stop above the price paid risks nothing.
    assert budgets.open_risk(ledger, BOT) == 110
    assert budgets.open_risk(ledger) == 160


def test_a_contract_risks_a_hundred_times_its_price() -> None:
    option = holding("GOOG151231C00750000", quantity=2, price=5, stop=4)
    assert option.open_risk == 200
    assert budgets.entry_risk(order(symbol=option.symbol, reference=D(5), protection=option.protection)) == 1000
