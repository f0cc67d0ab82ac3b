"""``verify-balance``: each of its questions has a no that was planted once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from hydra.engine.fold import fold
from hydra.engine.recover import BEGINNING
from hydra.model.errors import Corrupt, Unreachable
from hydra.model.orders import OrderStatus
from hydra.model.portfolio import Ledger
from hydra.model.values import replace
from hydra.ports import Head
from hydra.qc.balance import Expected, look_at_balance
from hydra.qc.check import CheckResult, Status
from hydra.qc.lists import VERIFY_COMPARING
from hydra.qc.plug import Subject
from tests.fakes.outside import BOT, Fault, Stage, buys_at, policy
from tests.qc.asking import asked_of


@pytest.fixture
def held() -> Stage:
    """Ten shares held under their stop and target."""
    on = Stage(bots={BOT: buys_at(2)})
    on.step(5)
    on.restart()
    assert on.in_ledger() == {"SPY": 10}
    return on


def folded(on: Stage) -> tuple[Ledger, Head]:
    ledger, head = Ledger(), BEGINNING
    for event in on.events():
        ledger, head = fold(ledger, event), Head(seq=event.seq, hash=event.hash)
    return ledger, head


def asked(on: Stage, journal: Callable[[], tuple[Ledger, Head]] | None = None, **more: Any) -> dict[str, CheckResult]:
    expected = Expected(**more) if more else None
    balance = look_at_balance(on.engine, on.policy, journal or (lambda: folded(on)), expected)
    return asked_of(VERIFY_COMPARING, Subject(policy=on.policy, balance=balance))


def failed(results: dict[str, CheckResult]) -> dict[str, str]:
    return {name: result.reason for name, result in results.items() if result.status is not Status.PASS}


def test_a_sound_account_passes_every_question_and_nothing_is_left_behind(held: Stage) -> None:
    head = held.journal.inner.head()
    results = asked(held)
    assert failed(results) == {}
    assert list(results) == [
        "equity",
        "cash",
        "buying_power",
        "position SPY",
        "open_orders",
        "orders_resolved",
        "store",
        "journal",
    ]
    assert results["position SPY"].reason == "10 at the venue = buyer 10"
    assert results["open_orders"].reason == "2 open at the venue, 2 of them Hydra's"
    assert held.journal.inner.head() == head


def test_an_empty_account_says_that_nothing_is_held() -> None:
    assert asked(Stage(bots={}))["positions"].reason == "nothing is held, here or at the venue"


@pytest.mark.parametrize(
    ("equity", "tolerance", "good"),
    [("100000", "1", True), ("99998.5", "2", True), ("100500", "1", False), ("99000", "999", False)],
)
def test_the_equity_that_is_expected_is_compared_within_its_tolerance(equity: str, tolerance: str, good: bool) -> None:
    results = asked(Stage(bots={}), equity=Decimal(equity), tolerance=Decimal(tolerance))
    assert (results["expected_equity"].status is Status.PASS) is good
    assert f"expected {equity}" in results["expected_equity"].reason


def test_shares_somebody_bought_are_named_with_what_to_do(held: Stage) -> None:
    (position,) = held.broker.inner.positions()
    held.broker.always["positions"] = Fault(answer=(replace(position, quantity=Decimal(12)),))
    results = asked(held)
    assert "the venue holds 12, known are 10 (buyer 10): 2 more" in failed(results)["position SPY"]
    assert "--accept-foreign" in results["position SPY"].remedy


def test_shares_that_are_gone_are_a_no(held: Stage) -> None:
    held.broker.always["positions"] = Fault(answer=())
    assert "10 less" in failed(asked(held))["position SPY"]


def test_cash_that_nothing_explains_is_a_no(held: Stage) -> None:
    account = held.broker.inner.account()
    held.broker.always["account"] = Fault(answer=replace(account, cash=account.cash + 25))
    assert "difference 25 above tolerance" in failed(asked(held))["cash"]


def test_an_account_in_debt_is_a_no(held: Stage) -> None:
    account = held.broker.inner.account()
    held.broker.always["account"] = Fault(answer=replace(account, equity=Decimal(-5), buying_power=Decimal(-9)))
    assert failed(asked(held)).keys() == {"equity", "buying_power"}


def test_orders_on_which_they_differ_are_named(held: Stage) -> None:
    orders = held.broker.inner.open_orders()
    held.broker.always["open_orders"] = Fault(answer=orders[:1])
    held.broker.always["order"] = Fault(answer=orders[1])
    assert f"{orders[1].client_id}: accepted here" in failed(asked(held))["open_orders"]
    stranger = replace(orders[0], client_id="by-hand", venue_id="77", parent="")
    held.broker.always["open_orders"] = Fault(answer=(*orders, stranger))
    assert "by-hand: open at the venue" in failed(asked(held))["open_orders"]


def test_an_order_of_unknown_outcome_is_a_no() -> None:
    on = Stage(bots={BOT: buys_at(2)})
    on.broker.always["submit"] = Fault(error=TimeoutError("no answer"))
    on.broker.always["order"] = Fault(error=TimeoutError("no answer"))
    on.step(3)
    assert [order.status for order in on.ledger.unresolved] == [OrderStatus.UNKNOWN]
    assert "outcome unknown: hy-" in failed(asked(on))["orders_resolved"]


@pytest.mark.parametrize(
    ("read", "names"),
    [
        ("account", {"equity", "expected_equity", "cash", "buying_power"}),
        ("positions", {"positions"}),
        ("open_orders", {"open_orders"}),
    ],
)
def test_what_could_not_be_read_is_a_no_and_never_a_zero(held: Stage, read: str, names: set[str]) -> None:
    held.broker.always[read] = Fault(error=Unreachable("mute"))
    results = failed(asked(held, equity=Decimal(1), tolerance=Decimal(10**9)))
    assert names <= results.keys()
    assert all("mute" in results[name] for name in names)


def test_an_account_that_was_never_taken_in_is_a_no() -> None:
    on = Stage(bots={})
    on.engine.ledger = replace(on.ledger, cash=None)
    assert failed(asked(on))["cash"] == "the account was never taken into the ledger"


def test_a_store_that_says_otherwise_is_a_no_with_the_place(held: Stage) -> None:
    ledger, head = held.store.inner.load()
    held.store.always["load"] = Fault(answer=(replace(ledger, cash=Decimal(1)), head))
    assert "cash is 1 in the store and" in failed(asked(held))["store"]
    held.store.always["load"] = Fault(answer=(ledger, Head(seq=head.seq - 1, hash="f" * 64)))
    assert f"the store ends at event {head.seq - 1}" in failed(asked(held))["store"]
    held.store.always["load"] = Fault(error=Corrupt("malformed"))
    assert failed(asked(held))["store"] == "Corrupt: malformed"


def test_a_default_that_the_store_writes_out_is_no_difference() -> None:
    """A fill's bound of 0 is left out in the journal and is a column in the store."""
    on = Stage(bots={BOT: buys_at(2)})
    while not on.ledger.fills:
        on.step()
    ledger, head = on.store.inner.load()
    written = tuple(replace(fill, cash_fee_most=Decimal("0.00")) for fill in ledger.fills)
    on.store.always["load"] = Fault(answer=(replace(ledger, fills=written), head))
    assert written
    assert asked(on)["store"].status is Status.PASS


def test_a_store_that_is_behind_is_a_no(held: Stage) -> None:
    held.store.always["commit"] = Fault(error=Unreachable("locked"))
    held.step(1)
    assert "behind the journal: Unreachable: locked" in failed(asked(held))["store"]


def test_a_journal_that_says_otherwise_is_a_no(held: Stage) -> None:
    ledger, head = folded(held)
    found = failed(asked(held, lambda: (replace(ledger, peak_equity=Decimal(7)), head)))
    assert "peak_equity is 7 in the journal and" in found["journal"]

    def damaged() -> tuple[Ledger, Head]:
        raise Corrupt("line 7: its hash is not the hash of its content")

    assert "line 7" in failed(asked(held, damaged))["journal"]


def test_a_foreign_position_and_order_that_were_accepted_are_counted(held: Stage) -> None:
    orders = held.broker.inner.open_orders()
    (position,) = held.broker.inner.positions()
    held.broker.always["positions"] = Fault(answer=(replace(position, quantity=Decimal(13)),))
    stranger = replace(orders[0], client_id="by-hand", venue_id="77", parent="")
    held.broker.always["open_orders"] = Fault(answer=(*orders, stranger))
    held.engine.ledger = replace(held.ledger, foreign={"SPY": Decimal(3)}, foreign_orders=("77",))
    results = asked(held)
    assert results["position SPY"].reason == "13 at the venue = buyer 10 + not Hydra's 3"
    assert results["open_orders"].reason.endswith("2 of them Hydra's, 1 accepted as not Hydra's")


def test_the_policy_decides_how_far_cash_may_be_off() -> None:
    on = Stage(bots={}, rules=policy(health={"cash_tolerance": Decimal(30)}))
    account = on.broker.inner.account()
    on.broker.always["account"] = Fault(answer=replace(account, cash=account.cash + 25))
    results = asked(on)
    assert results["cash"].status is Status.PASS
    assert "25 apart, within bounds (30)" in results["cash"].reason
