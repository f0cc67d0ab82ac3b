"""When a holding must go, and what latches a halt: at each limit and just below it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hydra.model.market import AssetClass
from hydra.model.orders import OrderStatus, OrderType, Purpose, Side
from hydra.model.portfolio import Day, Halt, Holding
from hydra.model.snapshot import Command, Failure, Session, Snapshot
from hydra.model.values import replace
from hydra.risk.halts import automatic_halts, cannot_resume, obey
from tests.fakes.feed import quote
from tests.fakes.outside import BOT, OPEN, policy
from tests.risk.scenes import book, healthy, holding, order, with_account, with_ledger, with_sight

D = Decimal
NOW = healthy().at
EXITS = book().exits
RULES = policy(bots=[{"id": BOT, "time_stop_minutes": 60}], risk={"flatten_before_close_minutes": 5})


def at_bid(bid: Any, **ledger: Any) -> Snapshot:
    return with_sight(with_ledger(**ledger), quotes={"SPY": quote("SPY", NOW, bid, D(str(bid)) + 1)})


def leg(purpose: Purpose, status: OrderStatus = OrderStatus.ACCEPTED) -> dict[str, Any]:
    fields: dict[str, Any] = {"side": Side.SELL, "purpose": purpose, "status": status}
    if purpose is Purpose.STOP:
        fields |= {"order_type": OrderType.STOP, "stop": D(95)}
    else:
        fields |= {"order_type": OrderType.LIMIT, "limit": D(110)}
    return {"orders": {"leg": order("leg", **fields)}}


def at_minute(hour: int, minute: int) -> Snapshot:
    sessions = healthy().sight.sessions
    assert sessions is not None
    return with_sight(sessions=replace(sessions, minute=hour * 60 + minute))


def closing_in(minutes: float, *, is_open: bool = True) -> Snapshot:
    sessions = healthy().sight.sessions
    assert sessions is not None
    session = Session(open=is_open, phase="regular", opens_at=OPEN, closes_at=NOW + timedelta(minutes=minutes))
    return with_sight(sessions=replace(sessions, by_class={AssetClass.EQUITY: session}))


HELD = holding(target=D(110))
BLIND = with_sight(quotes={}, sessions=None)

EXIT_TABLE: list[tuple[str, str, Holding, Snapshot, bool]] = [
    ("stop_loss", "above the stop", HELD, at_bid("95.01"), False),
    ("stop_loss", "at the stop", HELD, at_bid(95), True),
    ("stop_loss", "below the stop", HELD, at_bid(90), True),
    ("stop_loss", "below, but a stop rests", HELD, at_bid(90, **leg(Purpose.STOP)), False),
    (
        "stop_loss",
        "below, and the resting stop is gone",
        HELD,
        at_bid(90, **leg(Purpose.STOP, OrderStatus.CANCELED)),
        True,
    ),
    ("stop_loss", "below, and only a target rests", HELD, at_bid(90, **leg(Purpose.TARGET)), True),
    ("stop_loss", "no quote", HELD, BLIND, False),
    ("take_profit", "below the target", HELD, at_bid("109.99"), False),
    ("take_profit", "at the target", HELD, at_bid(110), True),
    ("take_profit", "above, but a target rests", HELD, at_bid(111, **leg(Purpose.TARGET)), False),
    ("take_profit", "no target", holding(), at_bid(500), False),
    ("take_profit", "no quote", HELD, BLIND, False),
    ("time_stop", "59 minutes", holding(opened_at=NOW - timedelta(minutes=59, seconds=59)), healthy(), False),
    ("time_stop", "60 minutes", holding(opened_at=NOW - timedelta(minutes=60)), healthy(), True),
    ("time_stop", "two days", holding(opened_at=NOW - timedelta(days=2)), healthy(), True),
    ("session_end", "20:49", HELD, at_minute(20, 49), False),
    ("session_end", "20:50", HELD, at_minute(20, 50), True),
    ("session_end", "from yesterday", holding(opened_at=OPEN - timedelta(hours=20)), healthy(), True),
    ("session_end", "no calendar", HELD, BLIND, False),
    ("flatten_before_close", "6 minutes", HELD, closing_in(6), False),
    ("flatten_before_close", "5 minutes", HELD, closing_in(5), True),
    ("flatten_before_close", "half a minute", HELD, closing_in(0.5), True),
    ("flatten_before_close", "closed", HELD, closing_in(1, is_open=False), False),
    ("flatten_before_close", "no calendar", HELD, BLIND, False),
]


@pytest.mark.parametrize(
    ("name", "what", "held", "snapshot", "leaves"), EXIT_TABLE, ids=[f"{n}: {w}" for n, w, *_ in EXIT_TABLE]
)
def test_an_exit_says_why_or_nothing(name: str, what: str, held: Holding, snapshot: Snapshot, leaves: bool) -> None:
    reason = EXITS[name](held, snapshot, RULES, RULES.bots[0])
    assert (reason is not None) is leaves
    assert reason is None or any(digit.isdigit() for digit in reason)


def test_every_exit_is_in_the_table() -> None:
    assert {name for name, *_ in EXIT_TABLE} == set(EXITS)


# -- halts


def kinds(snapshot: Snapshot) -> list[str]:
    return [halt.kind for halt in automatic_halts(snapshot, RULES)]


def bare(seconds: float) -> Snapshot:
    return with_ledger(holdings={"a": holding(unprotected_since=NOW - timedelta(seconds=seconds))})


def equity(amount: Any, *, start: Any = 100_000, peak: Any = 100_000) -> Snapshot:
    day = healthy().ledger.day
    assert day is not None
    ledger = {"day": Day(date=day.date, start_equity=D(start)), "peak_equity": D(peak)}
    return with_ledger(with_account(equity=D(str(amount))), **ledger)


HALT_TABLE: list[tuple[str, Snapshot, list[str]]] = [
    ("a quiet day", healthy(), []),
    ("a loss just below two percent", equity("98000.01"), []),
    ("a loss of two percent", equity(98_000), ["daily_loss"]),
    ("a drawdown just below six percent", equity("94000.01", start=94_001), []),
    ("a drawdown of six percent", equity(94_000, start=94_001), ["drawdown"]),
    ("both", equity(90_000), ["daily_loss", "drawdown"]),
    ("no equity at all", equity(0), ["daily_loss", "drawdown"]),
    ("four failed reads", with_ledger(failed_at=(NOW,) * 4), []),
    ("five failed reads", with_ledger(failed_at=(NOW,) * 5), ["failure_window"]),
    ("five failed reads, a minute ago", with_ledger(failed_at=(NOW - timedelta(seconds=60),) * 5), []),
    ("two cycles of disagreement", with_ledger(residual_cycles=2), []),
    ("three cycles of disagreement", with_ledger(residual_cycles=3), ["residual"]),
    ("ten seconds without a stop", bare(10), []),
    ("more than ten seconds without a stop", bare(10.5), ["unprotected"]),
]


@pytest.mark.parametrize(("what", "snapshot", "latched"), HALT_TABLE, ids=[what for what, *_ in HALT_TABLE])
def test_a_halt_latches_at_its_limit_and_not_before(what: str, snapshot: Snapshot, latched: list[str]) -> None:
    assert kinds(snapshot) == latched


def test_an_automatic_halt_cools_off_and_carries_its_numbers() -> None:
    (halt,) = automatic_halts(equity(98_000), RULES)
    assert halt.automatic
    assert halt.cool_off_until == NOW + timedelta(minutes=390)
    assert "98000" in halt.reason
    assert "0.02" in halt.reason


def test_an_equity_that_is_not_known_halts_nothing() -> None:
    lost = equity(1)
    unread = {"account": Failure(what="account", kind="timeout", reason="slow")}
    assert kinds(with_sight(lost, missing=unread)) == []
    assert kinds(with_sight(lost, account=None)) == []
    assert kinds(with_ledger(equity(98_000), day=None)) == []


def test_a_kind_that_is_latched_is_not_latched_twice() -> None:
    (halt,) = automatic_halts(equity(98_000), RULES)
    assert kinds(with_ledger(equity(98_000), halts=(halt,))) == []
    assert kinds(with_ledger(equity(90_000), halts=(halt,))) == ["drawdown"]


# -- commands


def command(action: str, *, force: bool = False, bot: str = "") -> Command:
    return Command(command_id="c1", action=action, by="me", wall=OPEN, reason="because", force=force, bot=bot)


def latched(minutes: float | None) -> Snapshot:
    until = None if minutes is None else NOW + timedelta(minutes=minutes)
    halt = Halt(kind="daily_loss", reason="r", at=OPEN, by="hydra", automatic=until is not None, cool_off_until=until)
    return with_ledger(halts=(halt,))


def test_a_manual_halt_is_lifted_at_once_and_an_automatic_one_after_its_cool_off() -> None:
    assert cannot_resume(latched(None), command("resume")) is None
    assert cannot_resume(latched(0), command("resume")) is None
    refusal = cannot_resume(latched(1), command("resume"))
    assert refusal is not None
    assert "daily_loss cools off until" in refusal
    assert cannot_resume(latched(1), command("resume", force=True)) is None


def test_a_resume_without_a_halt_is_refused() -> None:
    assert cannot_resume(healthy(), command("resume", force=True)) == "no halt is latched"


def test_commands_become_halts_resumes_or_refusals() -> None:
    commands = (command("halt"), command("resume"), command("refused"))
    result = obey(with_sight(latched(1), commands=commands))
    assert [(halt.kind, halt.by, halt.automatic, halt.cool_off_until) for halt in result.halts] == [
        ("operator", "me", False, None)
    ]
    assert result.resumes == ()
    assert [skip.code for skip in result.refused] == ["resume_refused", "command_refused"]
    forced = with_sight(latched(1), commands=(command("resume", force=True),))
    assert [one.force for one in obey(forced).resumes] == [True]


def test_flattening_everything_is_a_halt_and_flattening_one_bot_is_not() -> None:
    for bot, kinds in (("", ["flatten"]), ("buyer", [])):
        result = obey(with_sight(healthy(), commands=(command("flatten", bot=bot),)))
        assert [halt.kind for halt in result.halts] == kinds
        assert [one.bot for one in result.flattens] == [bot]


def test_a_flattened_bot_can_be_resumed_without_a_halt() -> None:
    assert cannot_resume(with_ledger(flatten=("buyer",)), command("resume")) is None


def test_what_is_unknown_cannot_be_accepted() -> None:
    result = obey(with_sight(healthy(), commands=(command("accept"),), positions=None))
    assert result.accepts == ()
    assert [skip.code for skip in result.refused] == ["accept_refused"]
