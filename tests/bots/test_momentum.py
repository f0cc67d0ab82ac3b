"""The momentum bot acts at most once on a bar, and only where it may."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.bots.momentum import SignalBot, make
from hydra.bots.signals import Look, Signal, sma_cross
from hydra.model.errors import BadConfig
from hydra.model.orders import Purpose, Side, SizeKind
from hydra.model.snapshot import View
from hydra.model.values import encode, replace
from hydra.policy import BotPolicy, OptionsPolicy
from hydra.ports import Setting
from tests.fakes.feed import bar, quote
from tests.fakes.outside import BOT, MINUTE, OPEN, Stage, policy
from tests.risk.scenes import holding

D = Decimal
POLICY = policy(bots=[{"id": BOT, "stop_loss": D("0.01"), "take_profit": D("0.02")}]).bots[0]
SHORTS = POLICY.model_copy(update={"shorts": True})


def always(way: int) -> Signal:
    return Signal(warm_up=1, direction=lambda _look: way)


UP, DOWN, STILL = always(1), always(-1), always(0)


def bot(signal: Any, rules: BotPolicy = POLICY) -> SignalBot:
    return make(Setting(policy=rules, options=OptionsPolicy(), signal=signal))


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


LONG, SHORT = ({"SPY": replace(holding(), quantity=D(quantity))} for quantity in (7, -7))


def test_a_signal_that_turns_up_is_an_entry_with_its_stop_and_target() -> None:
    (intent,), memory = bot(UP)(view(), {})
    assert (intent.side, intent.purpose, intent.reference) == (Side.BUY, Purpose.ENTRY, D(100))
    assert intent.protection is not None
    assert (intent.protection.stop, intent.protection.target) == (D(99), D(102))
    assert (intent.size.kind, intent.size.amount) == (SizeKind.RISK, D("0.02"))
    assert memory == {"SPY": OPEN.isoformat()}


@pytest.mark.parametrize(
    ("signal", "rules", "held", "answer"),
    [
        (UP, POLICY, {}, (Side.BUY, Purpose.ENTRY)),
        (UP, POLICY, LONG, None),
        (UP, SHORTS, SHORT, (Side.BUY, Purpose.EXIT)),
        (DOWN, POLICY, {}, None),
        (DOWN, SHORTS, {}, (Side.SELL, Purpose.ENTRY)),
        (DOWN, POLICY, LONG, (Side.SELL, Purpose.EXIT)),
        (DOWN, SHORTS, LONG, (Side.SELL, Purpose.EXIT)),  # it goes out, and not round
        (DOWN, SHORTS, SHORT, None),
        (UP, POLICY, SHORT, (Side.BUY, Purpose.EXIT)),  # shorts were forbidden since: it still has to be left
        (STILL, SHORTS, {}, None),
        (STILL, SHORTS, LONG, None),
        (STILL, SHORTS, SHORT, None),
    ],
)
def test_what_it_wishes_by_direction_and_by_what_is_held(
    signal: Signal, rules: BotPolicy, held: dict, answer: tuple[Side, Purpose] | None
) -> None:
    intents, memory = bot(signal, rules)(view(holdings=held), {})
    assert [(intent.side, intent.purpose) for intent in intents] == ([] if answer is None else [answer])
    assert memory == ({} if answer is None else {"SPY": OPEN.isoformat()})


def test_the_thesis_names_the_signal_and_where_it_turned() -> None:
    (up,), _ = bot(UP)(view(), {})
    (down,), _ = bot(DOWN)(view(holdings=LONG), {})
    assert (up.thesis, down.thesis) == ("sma_cross turned up", "sma_cross turned down")
    assert (down.size.kind, down.size.amount, down.reference) == (SizeKind.QUANTITY, D(7), D("99.99"))


def test_it_acts_once_on_a_bar_and_again_on_the_next() -> None:
    buyer = bot(UP)
    _, memory = buyer(view(), {})
    assert buyer(view(), memory) == ([], memory)
    following = view(bars={"SPY": (bar("SPY", OPEN + MINUTE, (100, 100, 100, 100)),)})
    assert len(buyer(following, memory)[0]) == 1


def test_it_does_nothing_where_there_is_nothing_to_do() -> None:
    for signal, seen in (
        (UP, view(may_enter={"SPY": False})),
        (UP, view(ordered=("SPY",))),
        (UP, view(bars={})),
        (UP, view(quotes={})),
        (DOWN, view(quotes={}, holdings=LONG)),
    ):
        memory = {"SPY": "before"}
        assert bot(signal)(seen, memory) == ([], memory)


def test_it_may_leave_where_it_may_not_enter() -> None:
    for held, signal in ((LONG, DOWN), (SHORT, UP)):
        assert len(bot(signal)(view(holdings=held, may_enter={"SPY": False}), {})[0]) == 1


def listening() -> tuple[list[Look], SignalBot]:
    """A bot whose signal only notes what it is shown, and the notes."""
    looks: list[Look] = []

    def listen(look: Look) -> int:
        looks.append(look)
        return 0

    return looks, bot(Signal(warm_up=1, direction=listen))


def test_a_signal_is_asked_with_the_exchanges_time_and_once_for_the_same_bars() -> None:
    looks, listener = listening()
    seen = view()
    for later in range(3):
        listener(replace(seen, at=seen.at + later * MINUTE, minute=871 + later), {})
    assert looks == [Look(bars=seen.bars["SPY"], at=OPEN + MINUTE, minute=871)]
    listener(view(bars={"SPY": (*seen.bars["SPY"], bar("SPY", OPEN + MINUTE, (1, 1, 1, 1)))}), {})
    listener(replace(seen, minute=30), {})  # another day's clock
    assert len(looks) == 3


@pytest.mark.parametrize(
    ("later", "minute", "asked_again"),
    [
        (timedelta(0), 1439, False),
        (timedelta(seconds=59, microseconds=999_999), 1439, False),
        (timedelta(minutes=1), 0, True),  # midnight: local minutes mean other times now
        (timedelta(minutes=1), 1440, False),
        (timedelta(0), 1379, True),  # the clocks were changed
        (timedelta(days=1), 1439, True),
        (timedelta(minutes=-1), 1438, False),  # another journal, a minute before
        (timedelta(days=-1), 1439, True),
    ],
)
def test_what_a_signal_said_is_kept_until_local_minutes_mean_other_times(
    later: timedelta, minute: int, asked_again: bool
) -> None:
    looks, listener = listening()
    seen = view(minute=1439)
    listener(seen, {})
    listener(replace(seen, at=seen.at + later, minute=minute), {})
    assert len(looks) == 1 + asked_again


def test_what_a_signal_said_is_kept_for_the_very_same_bars_only() -> None:
    looks, listener = listening()
    seen = view()
    for bars in (seen.bars["SPY"], (*seen.bars["SPY"],), [*seen.bars["SPY"]], [*seen.bars["SPY"]]):
        listener(replace(seen, bars={"SPY": bars}), {})
    assert len(looks) == 4  # what could be changed is not relied upon


def test_it_is_not_asked_where_nothing_could_follow() -> None:
    def never(_look: Look) -> int:
        raise AssertionError("it was asked")

    listener = bot(Signal(warm_up=1, direction=never))
    assert listener(view(may_enter={"SPY": False}), {}) == ([], {})
    assert listener(view(), {"SPY": OPEN.isoformat()})[0] == []


@pytest.mark.parametrize("answer", [2, None, True, 1.0, "up", D(1)])
def test_a_signal_that_answers_nonsense_is_a_failure_and_not_a_direction(answer: Any) -> None:
    with pytest.raises(ValueError, match=r"the signal sma_cross answered with .*, not with 1, -1 or 0"):
        bot(always(answer))(view(), {})


@pytest.mark.parametrize(
    ("signal", "more", "words"),
    [
        (None, {"signal": None}, "signal: this bot listens to a signal, and none is named"),
        (len, {}, "signal: 'sma_cross' made a builtin_function_or_method, not a Signal"),
        (UP, {"stop_loss": D(1)}, "stop_loss: "),
        (UP, {"shorts": True, "symbols": ("BTC-USD",)}, "shorts: BTC-USD"),
    ],
)
def test_a_setting_that_does_not_fit_is_refused_by_name(signal: Any, more: dict, words: str) -> None:
    with pytest.raises(BadConfig, match=words):
        bot(signal, POLICY.model_copy(update=more))


@given(
    way=st.sampled_from((-1, 0, 1)),
    held=st.sampled_from(({}, LONG, SHORT)),
    may=st.booleans(),
    known=st.booleans(),
    shorts=st.booleans(),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_the_same_question_has_the_same_answer_and_memory_is_not_touched(
    way: int, held: dict, may: bool, known: bool, shorts: bool
) -> None:
    asked = bot(always(way), SHORTS if shorts else POLICY)
    memory = {"SPY": OPEN.isoformat()} if known else {}
    before = dict(memory)
    seen = view(holdings=held, may_enter={"SPY": may})
    one, two = asked(seen, memory), asked(replace(seen), memory)
    fresh = bot(always(way), SHORTS if shorts else POLICY)(seen, memory)
    assert encode(list(one)) == encode(list(two)) == encode(list(fresh))
    assert memory == before


def test_several_trade_one_symbol_each_by_its_own_signal() -> None:
    one, two = bot(UP), bot(STILL)
    assert (len(one(view(), {})[0]), len(two(view(), {})[0])) == (1, 0)


def test_it_trades_a_scripted_day_through_the_whole_engine() -> None:
    closes = [100, 100, 100, 100, "100.5", 101, "101.2", "101.1", 100, 99, "98.5", "98.5"]
    prices, last = [], D(100)
    for close in (D(str(one)) for one in closes):
        prices.append((last, max(last, close), min(last, close), close))
        last = close
    rules = policy(bots=[{"id": BOT, "stop_loss": D("0.05"), "take_profit": None}])
    crossing = bot(sma_cross({"fast": 2, "slow": 3}), rules.bots[0])
    stage = Stage({BOT: crossing}, rules=rules, prices=prices)
    stage.day()
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY, Purpose.EXIT]
    assert stage.at_venue() == {}
    assert stage.agrees()
