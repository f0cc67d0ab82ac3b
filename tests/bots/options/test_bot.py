"""The bot as the engine meets it: what it wishes, when it does not, what it remembers, and what it refuses to be made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hydra.adapters.bots.inline import InlineBotHost
from hydra.bots.options.bot import make
from hydra.bots.options.notes import RENEWED_AFTER
from hydra.model.errors import BadConfig
from hydra.model.market import OptionQuote
from hydra.model.orders import OrderType, Purpose, Side, SizeKind
from hydra.model.structures import most_lost_of
from hydra.model.values import replace
from hydra.policy import Bucket, SizePolicy, StructureName
from hydra.ports import Question
from tests.bots.options.scenes import (
    AT,
    D,
    bot_policy,
    but,
    chain,
    holding,
    option,
    setting,
    symbol_of,
    underlying,
    view,
)

NAMES = StructureName


def ask(seen: Any = None, memory: Any = None, **policy: Any) -> tuple[Any, Any]:
    return make(setting(bot_policy(**policy)))(view() if seen is None else seen, memory or {})


def test_a_credit_is_sold_and_a_debit_is_bought_at_a_limit() -> None:
    (spread,), _ = ask()
    assert (spread.symbol, spread.side, spread.order_type, spread.purpose) == (
        "SPY",
        Side.SELL,
        OrderType.LIMIT,
        Purpose.ENTRY,
    )
    assert spread.limit == spread.reference == D("1.87")
    assert (spread.size.kind, spread.size.amount) == (SizeKind.RISK, D("0.02"))
    assert all(leg.opens and leg.ratio == 1 for leg in spread.legs)
    assert most_lost_of(spread.legs, -spread.limit) == D(813)
    assert "can lose 813 dollars a unit" in spread.thesis
    (straddle,), _ = ask(option=option(NAMES.LONG_STRADDLE), size=SizePolicy(by="notional", amount=D(3000)))
    assert (straddle.side, straddle.limit) == (Side.BUY, D("14.01"))
    assert (straddle.size.kind, straddle.size.amount) == (SizeKind.NOTIONAL, D(3000))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"may_enter": {"SPY": False}}, id="may not enter"),
        pytest.param({"may_enter": {}}, id="nobody said that it may"),
        pytest.param({"ordered": ("SPY",)}, id="an entry is under way"),
        pytest.param({"holdings": {symbol_of("P", 470): holding(symbol_of("P", 470), -1, 2)}}, id="holds a structure"),
        pytest.param({"day": None}, id="the day is unknown"),
        pytest.param({"symbols": ()}, id="nothing to trade"),
    ],
)
def test_it_wishes_and_remembers_nothing_while_it_may_not_enter(changes: dict[str, Any]) -> None:
    before = {"SPY": {"at": "x"}}
    intents, memory = ask(view(**changes), before)
    assert list(intents) == []
    assert memory is before


def test_what_it_holds_on_another_underlying_is_no_hindrance() -> None:
    other = symbol_of("P", 470, root="QQQ")
    intents, _ = ask(view(holdings={other: holding(other, -1, 2)}))
    assert len(intents) == 1


def test_it_asks_once_a_minute() -> None:
    intents, memory = ask()
    assert len(intents) == 1
    assert memory["SPY"]["asked"] == "2024-03-04T15:00"
    again, kept = ask(view(at=AT + timedelta(seconds=59)), memory)
    assert list(again) == []
    assert kept is memory
    later, _ = ask(view(chain(at=AT), at=AT + timedelta(seconds=60)), memory)
    assert len(later) == 1


@pytest.mark.parametrize(
    ("changes", "rule", "why"),
    [
        pytest.param({"chains": {}}, "chain", "no chain of SPY is known", id="no chain"),
        pytest.param({"quotes": {}}, "quote", "no quote of SPY is known", id="no quote"),
        pytest.param({"chains": {"SPY": ()}}, "chain", "no contract of it is known", id="an empty chain"),
        pytest.param({"at": AT + timedelta(minutes=6)}, "fresh", "was quoted 360 s ago", id="stale"),
    ],
)
def test_why_it_wishes_nothing_is_in_its_memory(changes: dict[str, Any], rule: str, why: str) -> None:
    intents, memory = ask(view(**changes))
    assert list(intents) == []
    assert memory["SPY"]["rule"] == rule
    assert why in memory["SPY"]["why"][0]


def poor(volume: int) -> Any:
    return chain(volume=volume)


def test_its_note_changes_only_when_another_rule_decides_or_a_quarter_of_an_hour_has_passed() -> None:
    bot = make(setting(bot_policy(option=option(volume_least=100))))
    _, first = bot(view(poor(1)), {})
    assert first["SPY"]["rule"] == "volume"
    _, same = bot(view(poor(1), at=AT + timedelta(minutes=4)), first)
    assert same is first
    fewer = but(poor(1), P490=None)
    _, same = bot(view(fewer, at=AT + timedelta(minutes=4)), first)
    assert same is first, "other numbers alone are not worth a line yet"
    unquoted = chain(bid=None)
    _, same = bot(view(unquoted, at=AT + timedelta(seconds=30)), first)
    assert same is first, "within the minute nothing changes"
    _, other = bot(view(unquoted, at=AT + timedelta(minutes=1)), first)
    assert other["SPY"]["rule"] == "quoted"
    later = AT + RENEWED_AFTER
    moved = tuple(replace(quote, at=later) for quote in fewer)
    _, renewed = bot(view(moved, at=later, quotes={"SPY": underlying("SPY")}), first)
    assert renewed["SPY"]["contracts"] == 24
    unmoved = tuple(replace(quote, at=later) for quote in poor(1))
    _, same = bot(view(unmoved, at=later), first)
    assert same is first


def test_a_day_without_a_trade_costs_little_of_the_journal() -> None:
    """390 minutes in which two rules take turns, with fifty underlyings: the most a memory can do."""
    bot = make(setting(bot_policy(symbols=tuple(f"A{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(50)))))
    shown = view(symbols=bot._policy.symbols, may_enter=dict.fromkeys(bot._policy.symbols, True), chains={}, quotes={})
    _, memory = bot(shown, {})
    assert len(orjson.dumps(memory)) < 65_536 / 4
    single = make(setting(bot_policy(option=option(volume_least=100))))
    memory, written = {}, 0
    for minute in range(390):
        at = AT + timedelta(minutes=minute)
        quotes = tuple(replace(quote, at=at) for quote in (POOR if minute % 2 else UNQUOTED))
        _, after = single(view(quotes, at=at), memory)
        written += len(orjson.dumps(after)) if after is not memory else 0
        memory = after
    assert written < 200_000


POOR, UNQUOTED = chain(strikes=range(480, 500, 10), volume=1), chain(strikes=range(480, 500, 10), bid=None)


def test_it_answers_through_the_host_as_a_value() -> None:
    """Through the wire form and back, within the deadline, its first answer too."""
    host = InlineBotHost({"spreads": make(setting())}, deadline_ms=500)
    (answer,) = host.ask([Question(bot="spreads", view=view(), memory={})])
    assert answer.failure is None
    assert len(answer.intents) == 1
    assert answer.memory is not None
    assert answer.memory["SPY"]["rule"] == ""


@pytest.mark.parametrize(
    "left",
    [
        pytest.param("2024-03-04T14:59:00+00:00", id="a momentum bot's"),
        pytest.param(None, id="nothing"),
        pytest.param({"at": 7, "rule": [], "out": "x"}, id="nonsense"),
        pytest.param({"asked": 12}, id="half a note"),
    ],
)
@pytest.mark.parametrize("listed", [None, ()], ids=["a chain", "an empty chain"])
def test_what_another_bot_left_in_its_memory_does_no_harm(left: object, listed: Any) -> None:
    """A bot's code can change under its id; its memory stays."""
    intents, memory = ask(view(listed), {"SPY": left, "other": 1})
    assert len(intents) == (1 if listed is None else 0)
    assert memory["SPY"]["at"] == "2024-03-04T15:00"
    assert memory["other"] == 1


sides = st.none() | st.decimals(D("0.01"), D(60), places=2)


@hypothesis_settings(derandomize=True, deadline=None, max_examples=80)
@given(
    structure=st.sampled_from(list(NAMES)),
    book=st.lists(st.tuples(sides, sides, st.none() | st.decimals(D(-1), D(1), places=2)), min_size=10, max_size=10),
    age=st.integers(0, 600),
)
def test_whatever_is_quoted_it_answers_with_a_wish_that_can_be_judged_or_says_why_not(
    structure: StructureName, book: list[tuple[Any, Any, Any]], age: int
) -> None:
    names = [symbol_of(right, strike) for right in "CP" for strike in range(480, 530, 10)]
    quotes = [
        OptionQuote(
            symbol=symbol,
            at=AT - timedelta(seconds=age),
            bid=bid,
            ask=ask if bid is None or ask is None else max(bid, ask),
            delta=delta,
        )
        for symbol, (bid, ask, delta) in zip(sorted(names), book, strict=True)
    ]
    policy = bot_policy(option=option(structure, spread_most=D(2), delta_band=D("0.29")), size=SIZE)
    host = InlineBotHost({"spreads": make(setting(policy))}, deadline_ms=None)
    (answer,) = host.ask([Question(bot="spreads", view=view(quotes), memory={})])
    assert answer.failure is None
    assert answer.memory is not None
    for intent in answer.intents:
        assert intent.limit is not None
        lost = most_lost_of(intent.legs, intent.limit * intent.side.sign)
        assert lost is not None
        assert lost > 0
        assert {leg.symbol for leg in intent.legs} <= set(names)
    if not answer.intents:
        assert answer.memory["SPY"]["rule"]
        assert answer.memory["SPY"]["why"]


SIZE = SizePolicy(by="notional", amount=D(5000))


def test_the_same_view_gives_the_same_answer() -> None:
    assert ask() == ask()


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        pytest.param({"option": None, "stop_loss": D("0.01")}, "option: an options bot needs it", id="no option"),
        pytest.param({"bucket": Bucket.MOMENTUM}, "bucket: an options bot draws on options", id="bucket"),
        pytest.param(
            {"size": SizePolicy(by="volatility", amount=D("0.1"))}, "size.by: an options bot sizes by risk", id="size"
        ),
        pytest.param({"shorts": True}, "shorts: means nothing", id="shorts"),
        pytest.param(
            {"parameters": {"fast": 3, "a": 1}}, "parameters: an options bot takes none, got a, fast", id="parameters"
        ),
        pytest.param(
            {"option": option(NAMES.LONG_STRADDLE, credit_least=D("0.1"))},
            "option.credit_least: a long_straddle is paid for",
            id="a straddle's credit",
        ),
        pytest.param(
            {"option": option(NAMES.LONG_STRADDLE, delta_band=D("0.5"))},
            "option.delta_band: 0.5",
            id="a straddle's band",
        ),
        pytest.param({"option": option(profit_share=D(1))}, "option.profit_share: 1 of a credit", id="all of a credit"),
        pytest.param({"option": option(delta=D("0.1"))}, "option.delta_band: 0.1 around 0.1", id="band"),
    ],
)
def test_what_does_not_fit_is_refused_by_key_when_it_is_made(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(BadConfig) as refused:
        make(setting(bot_policy(**changes)))
    assert key in str(refused.value)


def test_everything_that_does_not_fit_is_said_at_once() -> None:
    with pytest.raises(BadConfig, match=r"shorts: .*; option\.profit_share: "):
        make(setting(bot_policy(shorts=True, option=option(profit_share=D(2)))))


@pytest.mark.parametrize("structure", list(NAMES))
def test_every_structure_can_be_made_with_its_defaults(structure: StructureName) -> None:
    (intent,), _ = ask(option=option(structure))
    assert intent.legs


def test_of_an_underlying_without_contracts_it_says_so_once_and_nothing_more() -> None:
    bot = make(setting(bot_policy()))
    unread, empty = view(chains={}), view(chains={"SPY": ()})
    memory: Any = {}
    assert not bot.has_said("SPY", memory)
    _, memory = bot(unread, memory)
    assert not bot.has_said("SPY", memory)  # that the chain was not read is something else
    _, memory = bot(replace(empty, at=AT + RENEWED_AFTER), memory)
    assert bot.has_said("SPY", memory)
    for minutes in (1, 20, 600):
        later = replace(empty, at=AT + RENEWED_AFTER + timedelta(minutes=minutes))
        assert bot(later, memory) == ([], memory)
    _, looked = bot(replace(view(), at=AT + 2 * RENEWED_AFTER), memory)
    assert not bot.has_said("SPY", looked)
