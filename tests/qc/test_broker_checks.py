"""``test-broker``: every question has a no that was planted once, and the test order goes there and back like any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import chain, repeat
from typing import Any

import pytest

from hydra.adapters.bots.inline import InlineBotHost
from hydra.engine.replay import replay
from hydra.model.errors import Unreachable
from hydra.model.events import CancelHeard, CancelSent, Halted, OrderAccepted, OrderSent, OrderUnknown
from hydra.model.orders import TEST_BOT, OrderStatus
from hydra.model.portfolio import Halt
from hydra.model.snapshot import Probe
from hydra.model.values import replace
from hydra.ports import Ack, AckOutcome, MarketData, VenueIdentity
from hydra.qc.broker import Bench
from hydra.qc.check import CheckResult, Status
from hydra.qc.lists import TEST_BROKER
from hydra.qc.plug import Subject
from tests.fakes.outside import OPEN, Fault, Stage, buys_at, feed_of, policy
from tests.qc.asking import asked_of

ORDER = "order_round_trip"


class Line:
    """A connection that is what a test says it is."""

    def __init__(self, *, is_open: bool = True, probes: Mapping[str, Probe] | None = None, broken: str = "") -> None:
        self.open = is_open
        self.probes = dict(probes or {})
        self.broken = broken
        self.taken: list[str] = []

    def health(self) -> Mapping[str, Probe]:
        if self.broken == "health":
            raise Unreachable("mute")
        return self.probes

    def is_open(self) -> bool:
        return self.open

    def steps(self) -> Sequence[tuple[str, Callable[[], str]]]:
        if self.broken == "steps":
            raise Unreachable("no list")
        return tuple((name, self._taking(name)) for name in ("drop sessions", "connect", "stream"))

    def _taking(self, name: str) -> Callable[[], str]:
        def take() -> str:
            self.taken.append(name)
            if name == self.broken:
                raise Unreachable("not back within 12 s")
            return "done"

        return take


def stage(**more: Any) -> Stage:
    """A venue some minutes after the opening, with a quote; its bot is not asked unless the engine cycles."""
    made = Stage(**more)
    for _ in range(3):
        made.clock.inner.wait(60)
    return made


def bench(on: Stage, **more: Any) -> Bench:
    return Bench(engine=on.engine, **{"policy": on.policy, "pause": lambda: None, **more})


def asked(on: Stage, *, reconnect: bool = False, **more: Any) -> dict[str, CheckResult]:
    """Every check of the command, by name."""
    test = bench(on, reconnect=reconnect, **more)
    return asked_of(TEST_BROKER[1:], Subject(policy=on.policy, bench=test))


def ordered(on: Stage, **more: Any) -> CheckResult:
    """The order round trip alone, on a venue that has told what happened."""
    test = bench(on, **{"recovered": True, **more})
    return asked_of((ORDER,), Subject(policy=on.policy, bench=test))[ORDER]


def failed(results: Mapping[str, CheckResult]) -> dict[str, str]:
    return {name: result.reason for name, result in results.items() if result.status is Status.FAIL}


# -- the questions


def test_a_sound_venue_answers_every_question_well() -> None:
    results = asked(stage(), line=Line(probes={"requests": Probe(ok=True, reason="187 of 200 are left")}))
    assert {result.status for result in results.values()} == {Status.PASS}
    assert list(results) == [
        "address",
        "mode",
        "account",
        "clock_skew",
        "latency",
        "session",
        "instruments",
        "data SPY",
        "recover",
        "requests",
        ORDER,
    ]


ELSEWHERE = VenueIdentity(name="alpaca", url="https://api.alpaca.markets", account_id="SIM", mode="live")
NOTHING_LEFT = Probe(ok=False, reason="0 of 200 are left")


def clocked(*seconds: float) -> Callable[[], float]:
    """A timer that shows these times, and then the last one for ever."""
    times: Iterator[float] = chain(seconds, repeat(seconds[-1]))
    return lambda: next(times)


@pytest.mark.parametrize(
    ("answers", "check", "reason"),
    [
        ({"identity": Fault(error=OSError("no route"))}, "address", "OSError: no route"),
        (
            {"identity": Fault(answer=ELSEWHERE)},
            "mode",
            "the configuration says paper, https://api.alpaca.markets is live",
        ),
        ({"account": Fault(error=Unreachable("mute"))}, "account", "Unreachable: mute"),
        ({"account": Fault()}, "account", "NoneType"),
        ({"now": Fault(answer=OPEN + timedelta(minutes=4, seconds=10))}, "clock_skew", "10.000 s from the venue's"),
        ({"instruments": Fault(answer=())}, "instruments", "the venue did not answer for SPY"),
        ({"fills": Fault(error=Unreachable("mute"))}, "recover", "fills: Unreachable: mute"),
    ],
    ids=["address", "mode", "account-down", "account-none", "skew", "instruments", "recover"],
)
def test_each_question_has_its_no(answers: Mapping[str, Fault], check: str, reason: str) -> None:
    on = stage()
    on.broker.always.update(answers)
    results = asked(on)
    assert reason in failed(results)[check]
    assert results[check].remedy


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "ACCOUNT_CLOSED"}, "has status ACCOUNT_CLOSED, expected ACTIVE"),
        ({"blocked": True}, "is blocked for trading"),
        ({"account_id": "OTHER"}, "answered for OTHER"),
        ({"equity": Decimal(0)}, "equity 0"),
    ],
    ids=["status", "blocked", "other", "nothing"],
)
def test_an_account_that_is_not_well_is_a_no(changes: Mapping[str, Any], reason: str) -> None:
    on = stage()
    on.broker.always["account"] = Fault(answer=replace(on.broker.inner.account(), **changes))
    assert reason in failed(asked(on))["account"]


def test_an_answer_after_its_deadline_is_a_no() -> None:
    limit = float(policy().engine.read_deadline_seconds)
    results = asked(stage(), timer=clocked(0, 0.01, 0.01, 0.02, 0.02, 0.02 + limit + 1))
    assert "the longest; limit" in failed(results)["latency"]


def test_a_session_on_which_venue_and_calendar_differ_is_a_no() -> None:
    results = asked(stage(), line=Line(is_open=False))
    assert "equities are open by our calendar, closed by the venue's" in failed(results)["session"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(error=Unreachable("mute")), "market data: Unreachable: mute"),
        (Fault(answer=MarketData()), "SPY has no quote"),
    ],
    ids=["down", "empty"],
)
def test_prices_that_do_not_come_are_a_no_and_asked_for_once(fault: Fault, reason: str) -> None:
    on = stage()
    on.market.always["poll"] = fault
    before = on.market.calls.get("poll", 0)
    assert reason in failed(asked(on))["data SPY"]
    assert on.market.calls["poll"] == before + 1


def test_prices_that_are_old_are_a_no_with_their_age() -> None:
    on = stage()
    old = on.market.inner.poll(("SPY",), {})
    for _ in range(8):
        on.clock.inner.wait(60)
    on.market.always["poll"] = Fault(answer=old)
    assert "last quote is 480 s old, limit 120 s" in failed(asked(on))["data SPY"]


def test_a_stream_or_budget_that_is_not_well_warns() -> None:
    results = asked(stage(), line=Line(probes={"requests": NOTHING_LEFT}))
    assert (results["requests"].status, results["requests"].reason) == (Status.WARN, "0 of 200 are left")


def test_a_line_that_says_nothing_of_itself_warns_for_it_only_makes_the_truth_fresher() -> None:
    told = asked(stage(), line=Line(broken="health"))["line"]
    assert (told.status, told.reason, told.critical) == (Status.WARN, "Unreachable: mute", False)


# -- reconnecting


def test_every_step_of_reconnecting_is_shown() -> None:
    line = Line()
    results = asked(stage(), line=line, reconnect=True)
    assert [results[name].reason for name in line.taken] == ["done"] * 3
    assert asked(stage(), line=(other := Line()))
    assert other.taken == []


def test_a_step_that_does_not_work_leaves_the_later_ones_untried() -> None:
    line = Line(broken="connect")
    results = asked(stage(), line=line, reconnect=True)
    assert failed(results) == {"connect": "Unreachable: not back within 12 s"}
    assert results["stream"].status is Status.SKIP
    assert results["stream"].reason == "not tried: connect did not work"
    assert line.taken == ["drop sessions", "connect"]


def test_a_venue_in_this_process_has_no_line_and_one_without_a_list_fails() -> None:
    assert asked(stage(), reconnect=True)["reconnect"].status is Status.SKIP
    assert "no list" in failed(asked(stage(), line=Line(broken="steps"), reconnect=True))["reconnect"]


# -- the order


def test_the_order_is_written_before_it_leaves_and_leaves_nothing_behind() -> None:
    on = stage()
    written: list[bool] = []

    def before(method: str, arguments: tuple[Any, ...]) -> None:
        if method == "submit":
            synced = on.files.operations[-1].startswith("sync")
            written.append(synced and on.sent()[-1].client_id == arguments[0].client_id)

    on.broker.before = before
    result = ordered(on)
    assert result.status is Status.PASS
    assert "buy 1 SPY at 49.99, half its bid: accepted" in result.reason
    assert written == [True]
    (sent,) = on.sent()
    assert (sent.bot, sent.limit, sent.quantity) == (TEST_BOT, Decimal("49.99"), Decimal(1))
    kinds = [type(event.data) for event in on.events()][-5:]
    assert kinds == [OrderSent, OrderAccepted, CancelSent, CancelHeard, CancelHeard]
    assert on.broker.inner.open_orders() == ()
    assert on.agrees()


def test_a_journal_with_a_test_order_replays() -> None:
    on = stage(bots={"trend": buys_at(5, bot="trend")}, rules=policy(bots=({"id": "trend"},)))
    assert ordered(on).status is Status.PASS
    on.step(4)
    result = replay(on.events(), lambda _document: (on.book, InlineBotHost(on.bots, None)))
    assert result.difference is None
    assert result.orders == 2
    assert on.agrees()


def test_an_order_that_the_venue_refuses_is_a_no_in_its_words() -> None:
    on = stage()
    on.broker.always["submit"] = Fault(answer=Ack(outcome=AckOutcome.REJECTED, reason="SPY is not tradable"))
    result = ordered(on)
    assert result.status is Status.FAIL
    assert result.reason.endswith("the venue refused it: SPY is not tradable")
    assert on.agrees()


def test_an_order_of_unknown_outcome_that_is_there_is_taken_back_and_still_a_no() -> None:
    on = stage()
    on.broker.always["submit"] = Fault(error=TimeoutError("no answer"), after=True)
    result = ordered(on)
    assert result.status is Status.FAIL
    assert "outcome unknown (TimeoutError: no answer), found by its id (accepted), cancelled, and gone" in result.reason
    assert len(on.submitted()) == 1
    assert on.agrees()


@pytest.mark.parametrize("lookup", [None, Fault(error=TimeoutError("no answer")), Fault(answer="yes")])
def test_an_order_of_unknown_outcome_that_is_not_found_stays_in_the_ledger_to_be_resolved(lookup: Fault | None) -> None:
    on = stage()
    on.broker.always["submit"] = Fault(error=TimeoutError("no answer"))
    if lookup is not None:
        on.broker.always["order"] = lookup
    result = ordered(on)
    assert result.status is Status.FAIL
    assert "it stays in the ledger, and bars entries" in result.reason
    (order,) = on.ledger.unresolved
    assert (order.bot, order.status) == (TEST_BOT, OrderStatus.UNKNOWN)
    assert isinstance(on.events()[-1].data, OrderUnknown)
    again = ordered(on)
    assert again.status is Status.SKIP
    assert "outcome unknown" in again.reason
    assert len(on.submitted()) == 1


def test_an_order_that_turns_out_to_be_there_is_taken_back_by_the_next_test() -> None:
    on = stage()
    on.broker.always["submit"] = Fault(error=TimeoutError("no answer"), after=True)
    on.broker.always["order"] = Fault(error=TimeoutError("no answer"))
    assert ordered(on).status is Status.FAIL
    on.broker.always.clear()
    results = asked(on)
    assert "is accepted" in results["recover"].reason
    assert results[ORDER].status is Status.PASS
    assert len(on.submitted()) == 2
    assert on.agrees()


def test_an_order_that_does_not_go_away_is_a_no_and_stays_in_the_ledger() -> None:
    on = stage()
    on.broker.always["cancel"] = Fault(error=TimeoutError("no answer"))
    pauses: list[None] = []
    result = ordered(on, pause=lambda: pauses.append(None))
    assert result.status is Status.FAIL
    assert "after 10 looks" in result.reason
    assert len(pauses) == 9
    again = ordered(on)
    assert again.status is Status.FAIL
    assert again.reason.startswith("an earlier one is left: ")
    assert len(on.submitted()) == 1


def test_an_order_that_is_another_there_is_a_no() -> None:
    on = stage()
    other: list[Any] = []

    def before(method: str, arguments: tuple[Any, ...]) -> None:
        if method == "order" and not other:
            other.append(on.broker.inner.order(arguments[0]))
            on.broker.plan("order", on.broker.calls["order"] - 1, Fault(answer=replace(other[0], limit=Decimal(48))))

    on.broker.before = before
    result = ordered(on)
    assert result.status is Status.FAIL
    assert "its limit is 48 there and 49.99 here" in result.reason
    assert on.agrees()


def test_an_order_that_fills_is_a_no_and_its_holding_is_closed_by_the_next_engine() -> None:
    prices = [*[(100, 100, 100, 100)] * 4, (49, 49, 49, 49), *[(100, 100, 100, 100)] * 6]
    on = stage(bots={}, rules=policy(bots=({"id": "idle"},)), feed=feed_of(prices))
    on.broker.always["cancel"] = Fault(error=TimeoutError("no answer"))
    result = ordered(on, pause=lambda: on.clock.inner.wait(60))
    assert result.status is Status.FAIL
    assert "it is filled with 1 filled" in result.reason
    on.broker.always.clear()
    on.step(3)
    assert on.at_venue() == {}
    assert on.agrees()


def halted(on: Stage) -> None:
    on.engine.record(Halted(halt=Halt(kind="operator", reason="noon", at=OPEN, by="me", automatic=False)))


def poor(on: Stage) -> None:
    account = on.broker.inner.account()
    on.broker.always["account"] = Fault(answer=replace(account, buying_power=Decimal(10)))


def holding(on: Stage) -> None:
    on.step(3)
    assert on.broker.inner.open_orders()


def live(on: Stage) -> None:
    on.broker.always["identity"] = Fault(answer=ELSEWHERE)


def strange(on: Stage) -> None:
    on.broker.always["identity"] = Fault(answer=replace(ELSEWHERE, mode="blue"))


def unpriced(on: Stage) -> None:
    on.market.always["poll"] = Fault(answer=MarketData())


def penny(on: Stage) -> None:
    quote = replace(on.market.inner.poll(("SPY",), {}).quotes[0], bid=Decimal("0.02"))
    on.market.always["poll"] = Fault(answer=MarketData(quotes=(quote,)))


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (halted, "halted: operator: noon"),
        (poor, "costs 49.99, buying power is 10"),
        (holding, "every symbol has open orders"),
        (live, "no test order on a live account"),
        (strange, "neither sim nor paper"),
        (unpriced, "no quote of SPY"),
        (penny, "leaves no room for a price"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_an_order_that_may_not_be_sent_is_skipped_with_the_reason(
    prepare: Callable[[Stage], None], reason: str
) -> None:
    on = stage(bots={"trend": buys_at(5, bot="trend")}, rules=policy(bots=({"id": "trend"},)))
    prepare(on)
    before = len(on.submitted())
    result = ordered(on)
    assert result.status is Status.SKIP
    assert reason in result.reason
    assert len(on.submitted()) == before


def test_nothing_is_sent_on_a_configuration_that_is_live_or_before_the_venue_has_told_what_happened() -> None:
    on = stage()
    assert "live account" in ordered(on, policy=on.policy.model_copy(update={"mode": "live"})).reason
    assert "has not said what happened" in ordered(on, recovered=False).reason
    on.broker.always["positions"] = Fault(error=Unreachable("mute"))
    results = asked(on)
    assert (results["recover"].status, results[ORDER].status) == (Status.FAIL, Status.SKIP)
    assert on.submitted() == []


def test_a_pair_is_tried_with_the_least_that_costs_enough() -> None:
    rules = policy(bots=({"id": "coin", "symbols": ("BTC-USD",)},))
    on = stage(bots={}, rules=rules, feed=feed_of([(60_000,) * 4] * 8, "BTC-USD"))
    result = ordered(on)
    assert result.status is Status.PASS, result.reason
    (sent,) = on.sent()
    instrument = on.broker.inner.instruments(("BTC-USD",))[0]
    assert sent.limit is not None
    assert sent.quantity * sent.limit >= instrument.minimum_notional
    assert sent.quantity >= instrument.minimum_quantity
    assert sent.quantity % instrument.quantity_increment == 0
