"""What every bot is made of: a wish once a bar, its size, its order and its protection, for long and for short."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.bots.kit import annual_volatility, bars_a_year, check_entries, each_bar, enter, leave, size_of
from hydra.model.errors import BadConfig
from hydra.model.market import Bar
from hydra.model.orders import Intent, OrderType, Protection, Purpose, Side, Size, SizeKind
from hydra.model.snapshot import View
from hydra.model.values import replace
from hydra.policy import BotPolicy, EntryPolicy, OptionPolicy, SizePolicy
from tests.fakes.feed import bar, quote
from tests.fakes.outside import BOT, MINUTE, OPEN, Stage, policy
from tests.risk.scenes import holding

D = Decimal
PLAIN = policy(bots=[{"id": BOT, "stop_loss": D("0.01"), "take_profit": D("0.02")}]).bots[0]
WHY = "a reason"


def changed(**more: Any) -> BotPolicy:
    return PLAIN.model_copy(update=more)


def bars(*closes: Any, symbol: str = "SPY", seconds: int = 60) -> tuple[Bar, ...]:
    return tuple(
        bar(symbol, OPEN + n * timedelta(seconds=seconds), (close,) * 4, seconds=seconds)
        for n, close in enumerate(closes)
    )


def view(**more: Any) -> View:
    fields: dict[str, Any] = {
        "bot": BOT,
        "at": OPEN + MINUTE,
        "minute": 871,
        "symbols": ("SPY",),
        "bars": {"SPY": bars(100)},
        "quotes": {"SPY": quote("SPY", OPEN + MINUTE, "99.9", 100)},
        "holdings": {},
        "may_enter": {"SPY": True},
        "equity": D(100_000),
    }
    return View(**(fields | more))


def entered(rules: BotPolicy, side: Side = Side.BUY, seen: View | None = None) -> Intent:
    intent = enter(rules, seen or view(), "SPY", side, WHY)
    assert intent is not None
    assert (intent.bot, intent.symbol, intent.side, intent.purpose, intent.thesis) == (
        BOT,
        "SPY",
        side,
        Purpose.ENTRY,
        WHY,
    )
    return intent


LIMIT = EntryPolicy(type="limit", slippage=D("0.002"))


@pytest.mark.parametrize(
    ("side", "entry", "reference", "limit", "stop", "target"),
    [
        (Side.BUY, EntryPolicy(), "100", None, "99", "102"),
        (Side.SELL, EntryPolicy(), "99.9", None, "100.899", "97.902"),
        (Side.BUY, LIMIT, "100", "100.2", "99.198", "102.204"),
        (Side.SELL, LIMIT, "99.9", "99.7002", "100.697202", "97.706196"),
    ],
)
def test_an_entry_is_ordered_and_protected_as_the_policy_says(
    side: Side, entry: EntryPolicy, reference: str, limit: str | None, stop: str, target: str
) -> None:
    intent = entered(changed(entry=entry, shorts=True), side)
    assert (intent.reference, intent.limit) == (D(reference), None if limit is None else D(limit))
    assert intent.order_type is (OrderType.MARKET if limit is None else OrderType.LIMIT)
    assert intent.protection == Protection(stop=D(stop), target=D(target))


def test_without_a_take_profit_there_is_no_target_and_a_bots_own_protection_goes_first() -> None:
    intent = entered(changed(take_profit=None))
    assert intent.protection == Protection(stop=D(99))
    own = Protection(stop=D(90), target=D(150))
    seen = enter(PLAIN, view(), "SPY", Side.BUY, WHY, own)
    assert seen is not None
    assert seen.protection == own


WIDE = {"SPY": quote("SPY", OPEN + MINUTE, "98.9", 100)}  # 1.1 over 99.45: a little more than one percent
NARROW = {"SPY": quote("SPY", OPEN + MINUTE, 99, 100)}  # 1 over 99.5: the same


@pytest.mark.parametrize(
    ("more", "rules", "side"),
    [
        ({"may_enter": {"SPY": False}}, {}, Side.BUY),
        ({"may_enter": {}}, {}, Side.BUY),
        ({"quotes": {}}, {}, Side.BUY),
        ({"holdings": {"SPY": holding()}}, {}, Side.BUY),
        ({"ordered": ("SPY",)}, {}, Side.BUY),
        ({}, {}, Side.SELL),  # no shorts
        ({"quotes": WIDE}, {}, Side.BUY),
        ({"quotes": NARROW}, {"entry": EntryPolicy(type="limit", spread=D("0.01"))}, Side.BUY),
        ({}, {"size": SizePolicy(by="volatility", amount=D("0.1"), bars=10)}, Side.BUY),  # one bar
    ],
)
def test_there_is_no_wish_where_something_is_not_allowed_or_not_known(more: dict, rules: dict, side: Side) -> None:
    assert enter(changed(**rules), view(**more), "SPY", side, WHY) is None


def test_a_spread_at_its_cap_is_accepted() -> None:
    assert entered(changed(entry=EntryPolicy(spread=D("0.011"))), seen=view(quotes=NARROW)).reference == 100


@pytest.mark.parametrize(("quantity", "side", "reference"), [(7, Side.SELL, "99.9"), (-7, Side.BUY, "100")])
def test_leaving_closes_all_that_is_held_against_its_side(quantity: int, side: Side, reference: str) -> None:
    seen = view(holdings={"SPY": replace(holding(), quantity=D(quantity))}, may_enter={"SPY": False})
    intent = leave(PLAIN, seen, "SPY", WHY)
    assert intent is not None
    assert (intent.side, intent.purpose, intent.reference) == (side, Purpose.EXIT, D(reference))
    assert (intent.order_type, intent.protection) == (OrderType.MARKET, None)
    assert intent.size == Size(kind=SizeKind.QUANTITY, amount=D(7))


def test_there_is_nothing_to_leave_without_a_holding_or_a_price() -> None:
    assert leave(PLAIN, view(), "SPY", WHY) is None
    assert leave(PLAIN, view(holdings={"SPY": holding()}, quotes={}), "SPY", WHY) is None


# -- sizes


def test_a_size_by_risk_or_by_notional_is_the_policys_number() -> None:
    by = {"risk": SizeKind.RISK, "notional": SizeKind.NOTIONAL}
    for name, kind in by.items():
        rules = changed(size=SizePolicy(by=name, amount=D("0.5")))  # type: ignore[arg-type]  # one of its words
        assert size_of(rules, view(), "SPY") == Size(kind=kind, amount=D("0.5"))


DAY = 86_400
HULL = (
    *("20.00", "20.10", "19.90", "20.00", "20.50", "20.25", "20.90", "20.90", "20.90", "20.75", "20.75"),
    *("21.00", "21.10", "20.90", "20.90", "21.25", "21.40", "21.40", "21.25", "21.75", "22.00"),
)
"""Hull, Options, Futures, and Other Derivatives, "Estimating volatility from historical data": 19.3 percent a year."""
BY_VOLATILITY = changed(size=SizePolicy(by="volatility", amount=D("0.1"), bars=20))


def test_a_size_by_volatility_adds_the_volatility_that_is_wished() -> None:
    seen = view(bars={"SPY": bars(*HULL, seconds=DAY)})
    size = size_of(BY_VOLATILITY, seen, "SPY")
    assert size is not None
    assert size.kind is SizeKind.NOTIONAL
    # A tenth of 100,000 a year, of something that moves 19.3 percent a year: 10,000 / 0.193023 dollars of it.
    assert size.amount == pytest.approx(D("51807.18"), abs=D("0.01"))
    assert size.amount == size.amount.quantize(D("0.01"))


@pytest.mark.parametrize(
    ("symbol", "seconds", "a_year"),
    [
        ("SPY", 60, 252 * 390),
        ("SPY", 3600, 252 * 6.5),
        ("SPY", DAY, 252),
        ("SPY", 7 * DAY, 36),
        ("BTC-USD", 60, 525_600),
        ("BTC-USD", DAY, 365),
    ],
)
def test_a_year_has_as_many_bars_as_are_traded(symbol: str, seconds: int, a_year: float) -> None:
    assert bars_a_year(bars(1, symbol=symbol, seconds=seconds)[0]) == a_year


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"bars": {}}, "no bars"),
        ({"bars": {"SPY": bars(*HULL[1:])}}, "one bar too few"),
        ({"bars": {"SPY": bars(*[100] * 21)}}, "nothing moved"),
        ({"bars": {"SPY": (*bars(*HULL[:10], seconds=30), *bars(*HULL[10:]))}}, "bars of two lengths"),
        ({"bars": {"SPY": bars(*HULL)}, "equity": D(0)}, "no equity"),
        ({"bars": {"SPY": bars(*HULL)}, "equity": D(-5)}, "debts"),
        ({"bars": {"SPY": bars(*HULL)}, "equity": D("0.01")}, "less than a cent"),
    ],
)
def test_a_size_by_volatility_that_cannot_be_said_is_not_made_up(more: dict, why: str) -> None:
    assert size_of(BY_VOLATILITY, view(**more), "SPY") is None, why


@given(
    closes=st.lists(st.integers(900, 1100), min_size=11, max_size=30),
    more=st.integers(2, 5),
    amount=st.integers(1, 100).map(lambda n: D(n) / 100),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_what_moves_more_is_wished_less_and_twice_the_target_is_twice_the_size(
    closes: list[int], more: int, amount: Decimal
) -> None:
    calm = bars(*(math.exp(math.log(1000) + math.log(close / 1000)) for close in closes))
    wild = bars(*(1000 * (close / 1000) ** more for close in closes))
    rules = changed(size=SizePolicy(by="volatility", amount=amount, bars=10))
    one, two = (size_of(rules, view(bars={"SPY": seen}), "SPY") for seen in (calm, wild))
    if annual_volatility(calm, 10):
        assert one is not None
        assert two is not None
        assert float(one.amount) == pytest.approx(float(two.amount) * more, rel=1e-4, abs=0.06)  # cents are cut
        half = rules.model_copy(update={"size": SizePolicy(by="volatility", amount=amount / 2, bars=10)})
        smaller = size_of(half, view(bars={"SPY": calm}), "SPY")
        assert smaller is not None
        assert abs(smaller.amount * 2 - one.amount) <= D("0.02")
    else:
        assert (one, two) == (None, None)


prices = st.integers(100, 10**6).map(lambda cents: D(cents) / 100)
fractions = st.integers(1, 99).map(lambda n: D(n) / 100)


@given(
    bid=prices,
    spread=st.integers(0, 99),
    stop=fractions,
    take=fractions,
    limit=st.booleans(),
    side=st.sampled_from(Side),
)
@settings(max_examples=120, deadline=None, derandomize=True)
def test_the_stop_always_loses_what_was_said_and_the_target_always_wins(
    bid: Decimal, spread: int, stop: Decimal, take: Decimal, limit: bool, side: Side
) -> None:
    rules = changed(
        shorts=True,
        stop_loss=stop,
        take_profit=take,
        entry=EntryPolicy(type="limit" if limit else "market", spread=D(1), slippage=D("0.05")),
    )
    check_entries(rules)
    intent = entered(rules, side, view(quotes={"SPY": quote("SPY", OPEN, bid, bid + D(spread) / 100)}))
    assert intent.protection is not None
    assert intent.protection.target is not None
    assert (intent.entry - intent.reference) * side.sign >= 0
    assert float((intent.entry - intent.protection.stop) * side.sign / intent.entry) == pytest.approx(float(stop))
    assert float((intent.protection.target - intent.entry) * side.sign / intent.entry) == pytest.approx(float(take))


# -- what a policy has to have

OPTION = OptionPolicy.model_validate({"structure": "long_straddle", "days_least": 10, "days_most": 40})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"stop_loss": None}, "stop_loss: a fraction below 1 is needed, got none"),
        ({"stop_loss": D(1)}, "got 1"),
        ({"option": OPTION, "stop_loss": None}, "option: "),
        ({"shorts": True, "symbols": ("SPY", "BTC-USD")}, "shorts: BTC-USD cannot be sold short"),
        ({"shorts": True, "take_profit": D("1.5")}, "take_profit: a short cannot gain 1.5"),
    ],
)
def test_a_policy_that_does_not_fit_is_refused_by_the_name_of_its_key(more: dict, words: str) -> None:
    check_entries(PLAIN)
    with pytest.raises(BadConfig, match=words):
        check_entries(changed(**more))


# -- once a bar


def two_up(rules: BotPolicy) -> Any:
    """A whole bot: in after two closes up, out after one down."""

    def wish(seen: View, symbol: str) -> Intent | None:
        one, two, three = ([one.close for one in seen.bars[symbol][-3:]] + [D(0)] * 3)[:3]
        if one < two < three:
            return enter(rules, seen, symbol, Side.BUY, "two closes up")
        return leave(rules, seen, symbol, "not going up any more") if three < two else None

    return each_bar(wish)


def test_a_wish_is_made_once_a_bar_for_each_symbol() -> None:
    bot = two_up(PLAIN)
    seen = view(
        symbols=("SPY", "QQQ", "IWM"),
        bars={"SPY": bars(1, 2, 3), "QQQ": bars(1, 2, 3, symbol="QQQ")},
        quotes={name: quote(name, OPEN, "99.9", 100) for name in ("SPY", "QQQ")},
        may_enter={"SPY": True, "QQQ": True, "IWM": True},
    )
    intents, memory = bot(seen, {"old": 1})
    assert [intent.symbol for intent in intents] == ["SPY", "QQQ"]
    last = (OPEN + 2 * MINUTE).isoformat()
    assert memory == {"old": 1, "SPY": last, "QQQ": last}
    assert bot(seen, memory) == ([], memory)
    again, _ = bot(replace(seen, bars={**seen.bars, "SPY": bars(1, 2, 3, 4)}), memory)
    assert [intent.symbol for intent in again] == ["SPY"]


def test_memory_is_the_very_same_when_nothing_was_wished() -> None:
    memory: Mapping[str, Any] = {"SPY": "earlier"}
    intents, after = two_up(PLAIN)(view(bars={"SPY": bars(3, 3, 3)}), memory)
    assert (intents, after is memory) == ([], True)


def test_it_is_the_memory_that_tells_what_was_acted_on_whatever_the_bot_wrote_before() -> None:
    """Several journals may be read by one bot, and a memory may come back in any spelling."""
    bot = two_up(PLAIN)
    seen, at = view(bars={"SPY": bars(1, 2, 3)}), OPEN + 2 * MINUTE
    _, memory = bot(seen, {})
    assert memory == {"SPY": at.isoformat()}
    assert bot(seen, dict(memory))[0] == []
    for other in ((at - MINUTE).isoformat(), at.isoformat().replace("+00:00", "Z"), "", None, 1, ["SPY"]):
        intents, after = bot(seen, {"SPY": other})
        assert ([intent.symbol for intent in intents], after) == (["SPY"], memory)
    spelt = at.replace(tzinfo=timezone(timedelta(0), "GMT"))  # another zone of the same name in a text
    moved = view(bars={"SPY": (*bars(1, 2), replace(bars(1, 2, 3)[2], at=spelt))})
    assert bot(moved, memory)[0] == []


def test_a_bot_from_the_kit_trades_a_day_through_the_whole_engine() -> None:
    closes = [D(close) for close in (100, 100, "100.5", 101, "101.5", 101, 101, 101, 101)]
    opens = [D(100), *closes[:-1]]
    script = [(first, max(first, last), min(first, last), last) for first, last in zip(opens, closes, strict=True)]
    rules = policy(bots=[{"id": BOT, "stop_loss": D("0.05"), "take_profit": None}])
    stage = Stage({BOT: two_up(rules.bots[0])}, rules=rules, prices=script)
    stage.day()
    entry, leaving = [order for order in stage.sent() if order.purpose is not Purpose.STOP]
    assert (entry.purpose, entry.thesis) == (Purpose.ENTRY, "two closes up")
    assert leaving.purpose is Purpose.EXIT
    assert leaving.thesis.endswith("not going up any more")
    assert stage.at_venue() == {}


def test_half_days_are_days_like_others_to_a_volatility() -> None:
    closes = [100 + (n * 7) % 5 for n in range(21)]
    whole = bars(*closes, seconds=DAY)
    halved = tuple(replace(one, seconds=12_600 if n in (3, 20) else 23_400) for n, one in enumerate(whole))
    even = tuple(replace(one, seconds=23_400) for one in whole)
    assert annual_volatility(halved, 20) == annual_volatility(even, 20) == annual_volatility(whole, 20)


def test_a_day_that_ends_an_hour_later_in_its_zone_is_a_day() -> None:
    plain = bars(*[100 + (n * 7) % 5 for n in range(21)], symbol="BTC-USD", seconds=DAY)
    longer = tuple(replace(one, seconds=DAY + 3600) if n == 9 else one for n, one in enumerate(plain))
    assert annual_volatility(longer, 20) == annual_volatility(plain, 20)
