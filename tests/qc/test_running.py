"""What ``qc`` asks of the venue and the running system: each answer has a no that is named, with its numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hydra.engine.decide import ask_gates
from hydra.engine.glance import glance
from hydra.model.errors import Invalid, Unreachable
from hydra.model.events import Flattened, Halted
from hydra.model.portfolio import FLATTEN_ALL, Halt, Position
from hydra.model.snapshot import Scope, Verdict
from hydra.model.values import replace
from hydra.qc.broker import Bench
from hydra.qc.check import CheckResult, Status
from hydra.qc.lists import QC_RUNNING, QC_VENUE
from hydra.qc.plug import Subject
from hydra.qc.preflight import Preflight, look
from hydra.risk.plugs import Gate, Reply, no
from tests.fakes.outside import BOT, OPEN, Fault, Stage, buys_at, policy
from tests.qc.asking import asked_of, not_passed


def stage(**more: Any) -> Stage:
    """A venue some minutes after the opening."""
    made = Stage(**more)
    for _ in range(3):
        made.clock.inner.wait(60)
    return made


def asked(on: Stage) -> dict[str, CheckResult]:
    """The venue, and then the running system, as ``qc`` asks them."""
    subject = Subject(policy=on.policy, bench=Bench(engine=on.engine, policy=on.policy, pause=lambda: None))
    told = asked_of(QC_VENUE, subject)
    if told["recover"].status is Status.PASS:
        subject.preflight = look(on.engine, on.policy)
        told |= asked_of(QC_RUNNING, subject)
    return told


def failed(told: Mapping[str, CheckResult]) -> dict[str, str]:
    return {name: result.reason for name, result in told.items() if result.status is Status.FAIL}


def test_a_sound_system_says_yes_to_everything() -> None:
    told = asked(stage())
    assert not_passed(told).keys() == {"isolation"}  # bots are asked in this process here, which warns
    assert told["isolation"].critical is False
    assert told["data SPY"].reason.startswith(
        "SPY: quote 0 s old, limit 120 s; 99.99 to 100.01 at 03-04 14:34:00Z, bar of"
    )


@pytest.mark.parametrize("equity", ["NaN", "Infinity", "-Infinity"])
def test_equity_that_is_no_number_is_a_failed_check_with_the_number(equity: str) -> None:
    on = stage()

    with pytest.raises(Invalid) as invalid:
        replace(on.broker.inner.account(), equity=Decimal(equity))
    on.broker.always["account"] = Fault(error=invalid.value)
    told = failed(asked(on))
    assert told.keys() == {"account", "recover"}
    assert "account.equity" in told["account"]
    assert equity in told["account"]


@pytest.mark.parametrize("nonsense", [None, "an account", 7, float("nan")], ids=["none", "text", "number", "nan"])
def test_an_account_that_is_none_is_a_failed_check(nonsense: object) -> None:
    on = stage()
    on.broker.always["account"] = Fault(answer=nonsense)
    assert "account" in failed(asked(on))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"blocked": True}, "is blocked for trading"),
        ({"status": "ACCOUNT_CLOSED"}, "has status ACCOUNT_CLOSED, expected ACTIVE"),
        ({"equity": Decimal(-5)}, "equity -5"),
    ],
    ids=["blocked", "closed", "negative"],
)
def test_an_account_that_may_not_trade_is_named_by_check_and_gate(changes: Mapping[str, Any], reason: str) -> None:
    on = stage()
    on.broker.always["account"] = Fault(answer=replace(on.broker.inner.account(), **changes))
    told = failed(asked(on))
    assert reason in told["account"]
    assert "account_valid" in told


def test_another_account_than_the_ledger_s_is_a_no_before_anything_of_it_is_written_down() -> None:
    on = stage()
    other = replace(on.broker.inner.identity(), account_id="OTHER")
    on.broker.always["identity"] = Fault(answer=other)
    on.broker.always["account"] = Fault(answer=replace(on.broker.inner.account(), account_id="OTHER"))
    head, ledger = on.journal.inner.head(), on.engine.ledger
    told = failed(asked(on))
    mine = on.broker.inner.identity().account_id
    assert told.keys() == {"account", "recover"}
    assert told["account"] == f"wrong account: the ledger was made with {mine}, and OTHER answers"
    assert "what happened there is not written into it" in told["recover"]
    assert (on.journal.inner.head(), on.engine.ledger) == (head, ledger)


def test_a_venue_that_is_mute_is_named_where_it_was_asked_first() -> None:
    on = stage()
    for method in ("identity", "account", "fills", "positions", "open_orders", "now"):
        on.broker.always[method] = Fault(error=Unreachable("no answer within 2 s"))
    assert failed(asked(on)).keys() == {"address", "mode", "account", "recover"}


def test_a_clock_that_is_off_by_two_minutes_is_a_no() -> None:
    on = stage()
    on.broker.always["now"] = Fault(answer=OPEN + timedelta(minutes=6))
    told = failed(asked(on))
    assert told["clock_skew"] == "clock is 120.000 s from the venue's, limit 2 s"


def test_a_stale_symbol_is_named_and_the_fresh_one_is_not() -> None:
    on = stage(rules=policy(health={"staleness_seconds": Decimal(15)}))
    answer = on.market.inner.poll(("SPY",), {})
    old = tuple(replace(quote, at=quote.at - timedelta(minutes=10)) for quote in answer.quotes)
    on.market.always["poll"] = Fault(answer=replace(answer, quotes=old))
    told = asked(on)
    assert failed(told).keys() == {"data SPY"}
    assert told["data SPY"].reason.startswith("SPY: last quote is 600 s old, limit 120 s; ")


def test_a_halt_and_a_pending_flatten_are_told_by_the_same_check() -> None:
    on = stage()
    halt = Halt(kind="manual", reason="lunch", at=OPEN, by="ann", automatic=False)
    on.engine.record(Flattened(by="ann", reason="enough", bot=BOT))
    assert failed(asked(on))["halts"] == f"{BOT} is being flattened"
    on.engine.record(Flattened(by="ann", reason="enough", bot=FLATTEN_ALL))
    on.engine.record(Halted(halt=halt))
    assert "manual: lunch" in failed(asked(on))["halts"]


def test_an_unknown_position_and_an_unknown_order_are_each_named_with_their_numbers() -> None:
    on = stage()
    on.broker.always["positions"] = Fault(
        answer=(Position(symbol="AAPL", quantity=Decimal(3), average_price=Decimal(200)),)
    )
    told = asked(on)
    assert told["ledger_agrees"].reason == "ledger and venue differ in 1 thing, explained below"
    assert "the venue holds 3, known are 0" in told["position AAPL"].reason
    assert told["position AAPL"].remedy.startswith("sell 3 at the venue, or `hydra doctor --accept-foreign`")
    assert told["position AAPL"].plug == "agreement"


def test_a_bot_that_raises_is_named_and_the_others_answer() -> None:
    def broken(_view: object, _memory: object) -> None:
        raise RuntimeError("not today")

    on = stage(bots={BOT: broken, "other": buys_at()}, rules=policy(bots=({"id": BOT}, {"id": "other"})))
    told = asked(on)
    assert told[f"bot {BOT}"].reason == "RuntimeError: not today"
    assert failed(told).keys() == {f"bot {BOT}"}


def test_without_a_bot_there_is_nothing_to_ask_and_that_is_a_no() -> None:
    on = stage(rules=policy(bots=({"id": BOT, "enabled": False},)))
    assert failed(asked(on))["bots"] == "it made no check"


def test_a_gate_of_another_package_is_asked_by_its_own_name() -> None:
    def shut(*_asked: object) -> Reply:
        return no("the moon is full")

    on = stage()
    moon = Gate(name="moon", scope=Scope.SYSTEM, ask=shut)
    on.engine.book = dataclasses.replace(on.engine.book, gates=(*on.engine.book.gates, moon))
    told = asked(on)
    assert failed(told) == {"moon": "the moon is full"}
    assert told["moon"].plug == "gates"


def test_a_required_gate_that_gave_no_answer_is_a_no_of_its_name() -> None:
    on = stage()
    snapshot = glance(on.engine)
    answers = tuple(one for one in ask_gates(snapshot, on.engine.book) if one.gate != "clock_skew")
    seen = Preflight(engine=on.engine, policy=on.policy, snapshot=snapshot, gates=answers)
    told = asked_of(("gate_clock_skew", "gate_day_start"), Subject(policy=on.policy, preflight=seen))
    assert failed(told) == {"gate_clock_skew": "it made no check"}
    assert {answer.verdict for answer in answers} == {Verdict.PASS}
