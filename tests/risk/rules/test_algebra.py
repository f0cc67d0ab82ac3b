"""The algebra: no rule ever raises a size, less room never admits more, and a book is the lowest of its rules."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace as changed
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.market import usual_instrument
from hydra.model.orders import Ceiling
from hydra.model.values import replace
from hydra.risk.judge import judge
from hydra.risk.plugs import Case, Rule
from tests.risk.rules.cases import RULES, case, spread
from tests.risk.rules.worlds import World, cases, entries, sizes

D = Decimal


def examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, derandomize=True)


def admitted(asked: Case) -> dict[str, Decimal]:
    return {name: rule(asked).quantity for name, rule in RULES.items()}


# -- every rule


@given(asked=cases)
@examples(250)
def test_no_rule_is_above_the_ask_or_below_zero_and_each_gives_its_reason(asked: Case) -> None:
    for name, rule in RULES.items():
        ceiling = rule(asked)
        assert type(ceiling) is Ceiling, name
        assert ceiling.rule == name
        assert ceiling.quantity.is_finite(), name
        assert 0 <= ceiling.quantity <= asked.asked, name
        assert 0 < len(ceiling.reason) < 500, name


@given(asked=cases)
@examples(60)
def test_a_rule_answers_the_same_when_it_is_asked_again_and_changes_nothing(asked: Case) -> None:
    before = deepcopy(asked.standing)
    first = {name: rule(asked) for name, rule in RULES.items()}
    assert {name: rule(asked) for name, rule in RULES.items()} == first
    assert asked.standing == before


@given(asked=cases, first=entries)
@examples(120)
def test_what_was_admitted_before_never_lets_more_in(asked: Case, first: Any) -> None:
    before = admitted(asked)
    asked.standing.admit(first)
    after = admitted(asked)
    assert [name for name in RULES if after[name] > before[name]] == []


@given(asked=cases, less=st.decimals(D("0.01"), D(10**5), places=2))
@examples(120)
def test_less_equity_never_lets_more_in(asked: Case, less: Decimal) -> None:
    before, after = admitted(asked), admitted(changed(asked, equity=asked.equity - less))
    # With no reserve to keep from equity below zero, and none from less of it, cash is all that counts.
    assert [name for name in RULES if after[name] > before[name] and name != "buying_power"] == []


@given(asked=cases, less=st.decimals(D("0.01"), D(10**5), places=2))
@examples(100)
def test_less_cash_or_buying_power_never_lets_more_in(asked: Case, less: Decimal) -> None:
    account, before = asked.snapshot.sight.account, admitted(asked)
    if account is None:
        return
    for poor in (
        replace(account, cash=account.cash - less),
        replace(account, buying_power=account.buying_power - less),
    ):
        sight = replace(asked.snapshot.sight, account=poor)
        after = admitted(changed(asked, snapshot=replace(asked.snapshot, sight=sight)))
        assert [rule for rule in RULES if after[rule] > before[rule]] == []


@given(asked=cases, factor=st.decimals(D(1), D(50), places=2))
@examples(100)
def test_a_dearer_or_riskier_unit_never_lets_more_units_in(asked: Case, factor: Decimal) -> None:
    before = admitted(asked)
    for name in ("unit_cost", "risk_per_unit"):
        after = admitted(changed(asked, **{name: getattr(asked, name) * factor}))
        assert [rule for rule in RULES if after[rule] > before[rule]] == [], name


@given(asked=cases, more=sizes)
@examples(100)
def test_who_asks_for_more_gets_no_less_and_never_a_larger_room(asked: Case, more: Decimal) -> None:
    before, after = admitted(asked), admitted(changed(asked, asked=asked.asked + more))
    for name in RULES:
        assert after[name] >= before[name], name
        assert after[name] == before[name] or before[name] == asked.asked, name


@given(asked=cases)
@examples(100)
def test_what_a_rule_admits_never_costs_more_than_its_limit(asked: Case) -> None:
    risk, equity = asked.policy.risk, asked.equity
    for rule, limit, each in (
        ("order_notional", risk.order_notional, asked.unit_cost),
        ("symbol_exposure", risk.symbol_exposure * equity, asked.unit_cost),
        ("gross_exposure", risk.gross_exposure * equity, asked.unit_cost),
        ("risk_per_trade", risk.risk_per_trade_cap * equity, asked.risk_per_unit),
        ("daily_loss", risk.daily_loss * D(10**6), asked.risk_per_unit),
    ):
        assert RULES[rule](asked).quantity * each <= max(D(0), limit), rule


def test_the_random_cases_are_worth_their_name() -> None:
    """Every rule lets all in, and nothing in, and those with a room cut something to size."""
    answers: dict[str, set[str]] = {name: set() for name in RULES}
    admits = 0
    for seed in range(250):
        asked = World(seed).case()
        for name, quantity in admitted(asked).items():
            answers[name].add("all" if quantity == asked.asked else "none" if quantity == 0 else "some")
        admits += judge(asked, RULES).admitted > 0
    cutting = {name for name, told in answers.items() if "some" in told}
    assert {name: told for name, told in answers.items() if not told >= {"all", "none"}}.keys() <= NEVER_NONE
    assert cutting == CUTTING
    assert admits >= 3


NEVER_NONE = {"order_notional"}
CUTTING = {
    *("daily_loss", "drawdown", "risk_per_trade", "bot_budget", "option_loss", "order_notional", "symbol_exposure"),
    *("group_exposure", "gross_exposure", "net_exposure", "buying_power", "margin_permission"),
}


class Unwalked(dict[str, Any]):
    """A mapping of which single keys may be asked."""

    def _walked(self) -> Iterator[str]:
        raise AssertionError("a rule walks over everything there is")

    __iter__ = items = keys = values = __len__ = _walked  # type: ignore[assignment]  # none of them is to be called


@pytest.mark.parametrize("name", sorted(RULES))
@pytest.mark.parametrize("usual", [case(), spread()], ids=["shares", "structure"])
def test_no_rule_walks_over_all_holdings_orders_bots_or_quotes(name: str, usual: Case) -> None:
    """With a thousand bots every intent would pay for all of them: sums and indices are made once a cycle."""
    ledger, sight = usual.snapshot.ledger, usual.snapshot.sight
    ledger = replace(ledger, orders=Unwalked(), holdings=Unwalked(), bots=Unwalked(ledger.bots))
    sight = replace(sight, quotes=Unwalked(sight.quotes), bars=Unwalked(sight.bars), chains=Unwalked(sight.chains))
    blind = changed(usual, snapshot=replace(usual.snapshot, ledger=ledger, sight=sight))
    blind.standing.open.clear()
    assert RULES[name](blind) == RULES[name](usual)


# -- the book


@given(asked=cases, seed=st.randoms(use_true_random=False))
@examples(100)
def test_the_order_of_rules_does_not_matter(asked: Case, seed: Any) -> None:
    shuffled = list(RULES.items())
    seed.shuffle(shuffled)
    one, other = judge(asked, RULES), judge(asked, dict(shuffled))
    assert one.admitted == other.admitted
    assert set(one.ceilings) == set(other.ceilings)
    assert one.admitted <= min(c.quantity for c in one.ceilings)
    assert one.admitted % asked.instrument.quantity_increment == 0


@given(asked=cases, dropped=st.sampled_from(sorted(RULES)))
@examples(100)
def test_one_rule_less_never_admits_less(asked: Case, dropped: str) -> None:
    fewer = {name: rule for name, rule in RULES.items() if name != dropped}
    assert judge(asked, RULES).admitted <= judge(asked, fewer).admitted


def ceiling(quantity: Any, name: str = "fixed") -> Callable[[Case], Ceiling]:
    return lambda _case: Ceiling(rule=name, quantity=D(str(quantity)), reason="fixed")


def raises(error: BaseException) -> Rule:
    def rule(_case: Case) -> Ceiling:
        raise error

    return rule


class Liar(Ceiling, frozen=True, kw_only=True):
    """Looks like a ceiling, and checks nothing."""

    def __post_init__(self) -> None:
        """Whatever it says."""


class Unshown:
    """Cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError


def answers(answer: Any) -> Rule:
    return lambda _case: answer


def recurses(asked: Case) -> Ceiling:
    return recurses(asked)


HOSTILE: Mapping[str, Rule] = {
    "raises": raises(ValueError("no")),
    "raises a bare exception": raises(Exception()),
    "exits": raises(SystemExit(1)),
    "recurses": recurses,
    "divides by zero": lambda asked: ceiling(asked.asked / (asked.equity - asked.equity))(asked),
    "none": answers(None),
    "true": answers(True),
    "a number": answers(D(10)),
    "a text": answers("10"),
    "cannot be shown": answers(Unshown()),
    "nan": ceiling("NaN"),
    "infinite": ceiling("Infinity"),
    "negative": ceiling(-1),
    "negative and unchecked": answers(Liar(rule="liar", quantity=D(-1), reason="trust me")),
    "nan and unchecked": answers(Liar(rule="liar", quantity=D("NaN"), reason="trust me")),
    "a float and unchecked": answers(Liar(rule="liar", quantity=1.5, reason="trust me")),  # type: ignore[arg-type]  # a float
    "without a reason": lambda _asked: Ceiling(rule="mute", quantity=D(10), reason=""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_rule_that_is_broken_or_hostile_means_zero(name: str) -> None:
    verdict = judge(case(asked=D(10)), {"fine": ceiling(10), "broken": HOSTILE[name]})
    assert verdict.admitted == 0
    assert verdict.reason.startswith("broken: the rule ")


@pytest.mark.parametrize("huge", ["11", "1E+6000", "1E+999999"])
def test_a_rule_that_is_too_generous_raises_nothing(huge: str) -> None:
    verdict = judge(case(asked=D(10)), {"generous": ceiling(huge), "fine": ceiling(7)})
    assert verdict.admitted == 7
    assert judge(case(asked=D(10)), {"generous": ceiling(huge)}).admitted == 10


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


# -- the terminal step


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


@given(
    limit=sizes,
    asked=sizes,
    price=st.decimals(D("0.0001"), D(10**5), places=4),
    increment=st.sampled_from(("0.000000001", "0.0001", "0.01", "1", "100", "0.7")),
    minimum=st.sampled_from(("0.000000001", "0.5", "1", "100")),
    notional=st.sampled_from(("0", "1", "10")),
)
@examples(100)
def test_the_venues_terms_only_ever_shrink_and_are_met_by_whatever_is_left(
    limit: Decimal, asked: Decimal, price: Decimal, increment: str, minimum: str, notional: str
) -> None:
    terms = replace(
        usual_instrument("SPY"),
        quantity_increment=D(increment),
        minimum_quantity=D(minimum),
        minimum_notional=D(notional),
    )
    verdict = judge(changed(case(), instrument=terms, asked=asked, unit_cost=price), {"a": ceiling(limit)})
    assert verdict.admitted <= min(asked, limit)
    assert verdict.admitted % D(increment) == 0
    if verdict.admitted:
        assert verdict.admitted >= D(minimum)
        assert verdict.admitted * price >= D(notional)
    else:
        assert verdict.reason or asked == 0
