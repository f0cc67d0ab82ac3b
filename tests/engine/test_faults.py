"""A fault at every call of every port, over a day with a bracket, an exit and a stop: never two orders, never a lost one."""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import pytest

from hydra.model.orders import Purpose
from tests.fakes.outside import BOT, FOLDER, PORTS, Fault, Stage, entry, leave, scripted

SCRIPT = {2: [entry()], 5: [leave()], 7: [entry(stop=99, target=None)]}
QUIET = (100, 100, 100, 100)
PRICES = [QUIET] * 9 + [(100, 100, "98.5", "98.6")] + [("98.6", "98.6", "98.6", "98.6")] * 4
"""Bought at 14:32, sold at 14:35, bought at 14:37, stopped out in the tenth bar."""


class Hung(TimeoutError):
    """What a read that hangs looks like once its deadline is over."""


def stage() -> Stage:
    """The scripted day, with a guard before the broker's door: what leaves is durable in the journal."""
    made = Stage({BOT: scripted(SCRIPT)}, prices=PRICES)
    made.broker.before = lambda method, arguments: _durable(made, method, arguments)
    return made


def _durable(made: Stage, method: str, arguments: tuple[Any, ...]) -> None:
    if method != "submit":
        return
    assert made.files.operations[-1].startswith("sync "), made.files.operations[-3:]
    written = b"".join(made.files.content(FOLDER / name) for name in made.files.names(FOLDER))
    assert f'"kind":"order_sent","data":{{"order":{{"client_id":"{arguments[0].client_id}"'.encode() in written


def play(made: Stage) -> int:
    """The whole day; a cycle that cannot go on ends the process, and the next one takes over. Returns the crashes."""
    crashes = 0
    for _ in range(100):
        try:
            made.cycle()
        except (OSError, ValueError, TypeError, AttributeError):
            crashes += 1
            assert crashes < 3, "one fault ends at most one process"
            made.restart()
            continue
        if not made.clock.inner.wait(60):
            return crashes
    raise AssertionError("the day has no end")


def nothing_is_wrong(made: Stage) -> None:
    counts = Counter(made.submitted())
    assert not counts or max(counts.values()) == 1, counts
    assert set(counts) <= {order.client_id for order in made.sent()}
    assert made.agrees(), (made.ledger, made.broker.inner.open_orders(), made.at_venue())
    assert made.ledger.unresolved == ()
    sells = sum(fill.quantity for fill in made.broker.inner.fills("").fills if fill.side.sign < 0)
    buys = sum(fill.quantity for fill in made.broker.inner.fills("").fills if fill.side.sign > 0)
    assert sells <= buys
    assert max(buys, 20) == 20


@lru_cache(maxsize=1)
def calls_of_a_good_day() -> dict[str, dict[str, int]]:
    """How often each method of each port is called when nothing fails."""
    made = stage()
    before = {port: dict(getattr(made, port).calls) for port in PORTS}
    assert play(made) == 0
    nothing_is_wrong(made)
    assert [order.purpose for order in made.sent()] == [Purpose.ENTRY, Purpose.EXIT, Purpose.ENTRY]
    assert made.at_venue() == {}
    assert sum(len(report.ledger.trades) for report in made.reports) == 2
    return {port: _since(getattr(made, port).calls, before[port]) for port in PORTS}


def _since(now: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {method: count - before.get(method, 0) for method, count in now.items() if count > before.get(method, 0)}


def every_call(port: str) -> Iterator[tuple[str, int]]:
    for method, count in calls_of_a_good_day()[port].items():
        for number in range(count):
            yield method, number


def sweep(port: str, fault: Fault, *, crashes_max: int = 0) -> None:
    """The day once for every call of the port, with the fault at that call."""
    swept = 0
    for method, number in every_call(port):
        made = stage()
        wrapper = getattr(made, port)
        wrapper.plan(method, wrapper.calls.get(method, 0) + number, fault)
        crashes = play(made)
        assert crashes <= crashes_max, f"{port}.{method} call {number}: {fault} ended the process"
        nothing_is_wrong(made)
        swept += 1
    assert swept


def test_a_broker_that_raises_at_any_call_costs_entries_and_nothing_else() -> None:
    sweep("broker", Fault(error=ConnectionError("reset by peer")))


def test_a_broker_whose_answer_is_lost_at_any_call_is_asked_again_and_never_sent_to_twice() -> None:
    sweep("broker", Fault(error=Hung("hung"), after=True))


@pytest.mark.parametrize("answer", [None, "nonsense", pytest.param(3.5, marks=pytest.mark.drill)], ids=repr)
def test_a_broker_that_answers_with_nonsense_at_any_call_has_not_answered(answer: Any) -> None:
    sweep("broker", Fault(answer=answer))


@pytest.mark.parametrize("port", ["market", "calendar", "probes", "inbox"])
@pytest.mark.parametrize("fault", [Fault(error=OSError("gone")), Fault(answer=None), Fault(answer="nonsense")], ids=str)
def test_a_read_that_fails_at_any_call_costs_entries_and_nothing_else(port: str, fault: Fault) -> None:
    sweep(port, fault)


def test_a_store_that_cannot_commit_is_behind_and_catches_up() -> None:
    sweep("store", Fault(error=OSError(errno.EIO, "input/output error")))


@pytest.mark.parametrize("after", [False, True])
def test_a_journal_that_fails_at_any_call_ends_the_process_and_the_next_one_recovers(after: bool) -> None:
    sweep("journal", Fault(error=OSError(errno.ENOSPC, "disk full"), after=after), crashes_max=1)


def test_a_clock_that_fails_ends_the_process_and_the_next_one_recovers() -> None:
    sweep("clock", Fault(error=OSError("no clock")), crashes_max=1)
