"""The momentum bot acts at most once on a bar, and only where it may."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.bots.momentum import make
from hydra.bots.signals import Signal, sma_cross
from hydra.model.orders import Purpose, Side, SizeKind
from hydra.model.snapshot import View
from hydra.model.values import encode, replace
from tests.fakes.feed import bar, quote
from tests.fakes.outside import BOT, MINUTE, OPEN, Stage, policy
from tests.risk.scenes import holding

D = Decimal
POLICY = policy(bots=[{"id": BOT, "stop_loss": D("0.01"), "take_profit": D("0.02")}]).bots[0]


def always(way: int) -> Signal:
    return Signal(warm_up=1, direction=lambda _bars: way)


UP, DOWN, STILL = always(1), always(-1), always(0)


def view(**more: Any) -> View:
    fields: dict[str, Any] = {
        "bot": BOT,
        "at": OPEN + MINUTE,
        "minute": 871,
        "symbols": ("SPY",),
        "bars": {"SPY": (bar("SPY", OPEN, (100, 100, 100, 100)),)},
        "quotes": {"SPY": quote("SPY", OPEN + MINUTE, "99.99", 100)},
        "holdings": {},
        "may_enter": {"SPY": True},
        "equity": D(1000),
    }
    return View(**(fields | more))


def test_a_signal_that_turns_up_is_an_entry_with_its_stop_and_target() -> None:
    (intent,), memory = make(POLICY, UP)(view(), {})
    assert (intent.side, intent.purpose, intent.reference) == (Side.BUY, Purpose.ENTRY, D(100))
    assert intent.protection is not None
    assert (intent.protection.stop, intent.protection.target) == (D(99), D(102))
    assert (intent.size.kind, intent.size.amount) == (SizeKind.RISK, D("0.02"))
    assert memory == {"SPY": OPEN.isoformat()}


def test_without_a_take_profit_there_is_no_target() -> None:
    (intent,), _ = make(POLICY.model_copy(update={"take_profit": None}), UP)(view(), {})
    assert intent.protection is not None
    assert intent.protection.target is None


def test_a_signal_that_turns_down_is_an_exit_of_all_that_is_held() -> None:
    held = view(holdings={"SPY": holding(quantity=7)})
    (intent,), memory = make(POLICY, DOWN)(held, {})
    assert (intent.side, intent.purpose, intent.size.amount, intent.reference) == (
        Side.SELL,
        Purpose.EXIT,
        D(7),
        D("99.99"),
    )
    assert memory == {"SPY": OPEN.isoformat()}


def test_it_acts_once_on_a_bar_and_again_on_the_next() -> None:
    bot = make(POLICY, UP)
    _, memory = bot(view(), {})
    assert bot(view(), memory) == ([], memory)
    following = view(bars={"SPY": (bar("SPY", OPEN + MINUTE, (100, 100, 100, 100)),)})
    assert len(bot(following, memory)[0]) == 1


def test_it_does_nothing_where_there_is_nothing_to_do() -> None:
    held = {"SPY": holding()}
    for signal, seen in (
        (UP, view(may_enter={"SPY": False})),
        (UP, view(holdings=held)),
        (DOWN, view()),
        (STILL, view()),
        (STILL, view(holdings=held)),
        (UP, view(bars={})),
        (UP, view(quotes={})),
    ):
        memory = {"SPY": "before"}
        assert make(POLICY, signal)(seen, memory) == ([], memory)


def test_it_may_leave_where_it_may_not_enter() -> None:
    held = view(holdings={"SPY": holding()}, may_enter={"SPY": False})
    assert len(make(POLICY, DOWN)(held, {})[0]) == 1


@given(way=st.sampled_from((-1, 0, 1)), held=st.booleans(), may=st.booleans(), known=st.booleans())
@settings(max_examples=24, deadline=None)
def test_the_same_question_has_the_same_answer_and_memory_is_not_touched(
    way: int, held: bool, may: bool, known: bool
) -> None:
    bot = make(POLICY, always(way))
    memory = {"SPY": OPEN.isoformat()} if known else {}
    before = dict(memory)
    seen = view(holdings={"SPY": holding()} if held else {}, may_enter={"SPY": may})
    one, two = bot(seen, memory), bot(replace(seen), memory)
    assert encode(list(one)) == encode(list(two))
    assert memory == before


def test_it_trades_a_scripted_day_through_the_whole_engine() -> None:
    closes = [100, 100, 100, 100, "100.5", 101, "101.2", "101.1", 100, 99, "98.5", "98.5"]
    prices, last = [], D(100)
    for close in (D(str(one)) for one in closes):
        prices.append((last, max(last, close), min(last, close), close))
        last = close
    rules = policy(bots=[{"id": BOT, "stop_loss": D("0.05"), "take_profit": None}])
    bot = make(rules.bots[0], sma_cross({"fast": 2, "slow": 3}))
    stage = Stage({BOT: bot}, rules=rules, prices=prices)
    stage.day()
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY, Purpose.EXIT]
    assert stage.at_venue() == {}
    assert stage.agrees()
