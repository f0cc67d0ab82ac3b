"""The claims can fail: a violation is planted for each, and the machine names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace as dataclass_replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hydra.adapters.exchange.fault_table import FaultKind
from hydra.adapters.exchange.faults import Rule
from hydra.engine.outside import Outside
from hydra.model.events import Resumed
from hydra.model.orders import Intent, Order, OrderStatus, OrderType, Protection, Purpose, Side, Size, SizeKind
from hydra.model.snapshot import View
from hydra.model.values import replace
from hydra.policy import SessionPolicy
from hydra.ports import Ack, AckOutcome, FillPage
from hydra.qc.rehearsal import claims, latch
from hydra.qc.rehearsal.beats import Beat, How, Leap, Manner, Move, Trouble
from hydra.qc.rehearsal.limits import CHECKS
from hydra.qc.rehearsal.shrink import claim_of
from hydra.qc.rehearsal.tally import Tally
from hydra.qc.rehearsal.voyage import Spoil, Voyage
from hydra.risk.plugs import RuleBook
from tests.machine.crew import CHAINS
from tests.machine.rigged import TODAY, quiet, rigged, toothless

D = Decimal
FEW = 40


def first_claims(voyage: Voyage, beats: Sequence[Beat]) -> set[str]:
    """The claims that are broken first."""
    return {claim_of(problem) for problem in voyage.play(beats)}


# -- limits: the rule is taken out of the book, and stays in the policy

TIGHT: Mapping[str, dict[str, Any]] = {
    "order_notional": {"order_notional": D(100)},
    "symbol_exposure": {"symbol_exposure": D("0.0001")},
    "gross_exposure": {"gross_exposure": D("0.0001")},
    "net_exposure": {"net_exposure": D("0.0001")},
    "group_exposure": {"group_exposure": D("0.0001")},
    "buying_power": {"margin": False, "gross_exposure": D(1), "cash_reserve": D("0.99"), "short": False},
    "margin_permission": {"margin": False, "gross_exposure": D(1), "short": False},
    "daily_loss": {"daily_loss": D("0.000001")},
    "drawdown": {"drawdown": D("0.000001")},
    "risk_per_trade": {"risk_per_trade": D("0.000001")},
    "bot_budget": {"daily_loss": D("0.000001")},
    "order_rate": {"orders_per_minute": 1},
    "trades_per_day": {},
    "trades_a_day": {"trades_a_day": 1},
    "concurrent_positions": {},
    "open_positions": {"positions": 1},
    "short_permission": {"short": False},
    "option_loss": {"option_loss": D("0.000001")},
    "cool_down": {"cool_down_minutes": 600},
    "duplicate": {"duplicate_seconds": 600},
    "opposite": {},
    "spread": {"spread": D("0.0001")},
    "price_collar": {"price_collar": D("0.0006")},
    "blackout": {"blackouts": (TODAY,)},
    "tradable": {},
    "session_window": {"before_close_minutes": 1440},
    "slippage": {"entry_slippage": D("0.00001")},
    "option_level": {"option_level": 1},
    "loss_streak": {"loss_streak": 1},
    "pattern_day_trader": {"day_trades": 0, "day_trade_equity": D(10**6)},
}
BOT: Mapping[str, dict[str, Any]] = {
    "trades_per_day": {"trades_per_day": 1},
    "concurrent_positions": {"positions": 1},
    "buying_power": {"shorts": False},
    "margin_permission": {"shorts": False},
    "option_loss": {"bucket": "options", "stop_loss": None, "option": CHAINS},
    "option_level": {"bucket": "options", "stop_loss": None, "option": CHAINS},
}
POINTS = {"cool_down": -40, "loss_streak": -40}


HALTED = (Move(0, Manner.HALTED), Move(0, Manner.HALTED))


def test_every_limit_that_is_checked_has_a_planted_violation() -> None:
    assert {*TIGHT, "wash_trade"} == set(CHECKS)


@pytest.mark.parametrize("name", sorted(TIGHT))
def test_a_limit_that_nobody_holds_is_found_broken(name: str) -> None:
    world = rigged(bot=BOT.get(name), rules=(name,), **TIGHT[name])
    if name in ("buying_power", "margin_permission"):
        world = dataclass_replace(world, contracts=())
    if name == "pattern_day_trader":
        broker = world.policy.broker.model_copy(update={"account": "alpaca"})
        world = dataclass_replace(world, policy=world.policy.model_copy(update={"broker": broker}))
    voyage = Voyage(world, spoil=Spoil(book=toothless))
    beats = quiet(2 * FEW, points=POINTS.get(name, 0))
    if name == "tradable":
        beats = [*quiet(5), *[Beat(seconds=60, moves=HALTED)] * 9]
    assert f"{name} is never exceeded" in first_claims(voyage, beats)


def at_a_limit(side: Side, points: int) -> Callable[[View, Mapping[str, Any]], Any]:
    """A bot that wishes one thing in every cycle: ten shares at so many hundredths of a percent from the middle."""

    def bot(view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        limit = (view.quotes["SPY"].mid * (10_000 + points) / 10_000).quantize(D("0.01"))
        wish = Intent(
            bot=view.bot,
            symbol="SPY",
            side=side,
            size=Size(kind=SizeKind.QUANTITY, amount=D(10)),
            reference=limit,
            order_type=OrderType.LIMIT,
            limit=limit,
            protection=Protection(stop=limit * (1 - side.sign * D("0.05"))),
            thesis="it asks for this",
        )
        return [wish], memory

    return bot


def test_an_entry_that_could_trade_with_an_order_of_ours_is_found() -> None:
    voyage = Voyage(rigged(rules=("wash_trade",)), spoil=Spoil(book=toothless))
    voyage.bots["wild-0"], voyage.bots["wild-1"] = at_a_limit(Side.SELL, 40), at_a_limit(Side.BUY, 80)
    assert "wash_trade is never exceeded" in first_claims(voyage, quiet(20))


# -- gates: one is taken out of the book


def without_gate(*names: str) -> Callable[[RuleBook], RuleBook]:
    def book(given: RuleBook) -> RuleBook:
        gates = tuple(gate for gate in toothless(given).gates if gate.name not in names)
        return dataclass_replace(toothless(given), gates=gates)

    return book


SILENT = (Move(0, Manner.SILENT), Move(0, Manner.SILENT))
LOCKED = (Move(0, Manner.LOCKED), Move(0, Manner.LOCKED))
ALL_DAY = quiet(2)
GATES: Mapping[str, tuple[tuple[str, ...], list[Beat], str]] = {
    "session": (
        ("session", "data_fresh", "price_sane"),
        [*quiet(5), Beat(seconds=1, leap=Leap.AFTER_CLOSE), *quiet(5)],
        "no entry leaves outside its session",
    ),
    "data": (
        ("data_fresh", "price_sane"),
        [*quiet(3), *[Beat(seconds=100, moves=SILENT)] * 9],
        "no entry leaves on an old price",
    ),
    "locked": (("price_sane",), [Beat(seconds=60, moves=LOCKED)] * 9, "no entry leaves on a locked quote"),
    "account": (
        ("account_valid",),
        [Beat(seconds=60, faults=(Rule(fault=FaultKind.ACCOUNT_BLOCKED, on=("account",)),))] * 9,
        "no entry leaves from an account that may not trade",
    ),
    "clock": (
        ("clock_skew",),
        [Beat(seconds=60, faults=(Rule(fault=FaultKind.CLOCK_OFF, on=("clock",), seconds=D(-3600)),))] * 9,
        "no entry leaves while the clocks differ",
    ),
    "reads": (
        ("broker_reachable", "failure_window", "ledger_agrees"),
        [*quiet(5), *[Beat(seconds=60, troubles=(Trouble("broker", "activities", 0, How.RAISES),))] * 9],
        "no entry leaves while something does not answer",
    ),
    "probes": (
        ("state_writable", "journal_writable", "disk_space", "failure_window"),
        [*quiet(5), *[Beat(seconds=60, troubles=(Trouble("probes", "read", 0, How.RAISES),))] * 9],
        "no entry leaves while something does not answer",
    ),
}


@pytest.mark.parametrize("name", sorted(GATES))
def test_an_entry_through_a_gate_that_is_missing_is_found(name: str) -> None:
    gates, beats, said = GATES[name]
    day = {"trade_start": "00:00", "trade_end": "23:58", "manage_until": "23:59"}
    world = rigged(bot={"session": day})
    found = Voyage(world, spoil=Spoil(book=without_gate(*gates))).play(beats)
    assert any(problem.startswith(said) for problem in found), found


def test_an_entry_in_a_halt_is_found() -> None:
    voyage = Voyage(rigged(), spoil=Spoil(book=toothless))
    voyage.play(quiet(3))
    voyage.watch.halted = True
    assert "no entry leaves in a halt" in first_claims(voyage, quiet(FEW))


# -- the way out


class Standin:
    """A port of which one method is another."""

    def __init__(self, inner: Any, **methods: Callable[..., Any]) -> None:
        self._inner = inner
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def at_the_door(submit: Callable[[Any, Order], Ack]) -> Callable[[Outside], Outside]:
    """The broker with another way to submit."""

    def spoil(outside: Outside) -> Outside:
        return dataclass_replace(
            outside, broker=Standin(outside.broker, submit=lambda order: submit(outside.broker, order))
        )

    return spoil


def _twice(broker: Any, order: Order) -> Ack:
    broker.submit(order)
    return broker.submit(order)  # type: ignore[no-any-return]  # the broker's


def _other(broker: Any, order: Order) -> Ack:
    return broker.submit(replace(order, quantity=order.quantity + 1))  # type: ignore[no-any-return]  # the broker's


def _more_out(broker: Any, order: Order) -> Ack:
    more = replace(order, quantity=order.quantity * 3) if order.purpose.reduces else order
    return broker.submit(more)  # type: ignore[no-any-return]  # the broker's


def _renamed(broker: Any, order: Order) -> Ack:
    return broker.submit(replace(order, client_id=f"{order.client_id}-2"))  # type: ignore[no-any-return]  # the broker's


DOORS: Mapping[str, tuple[Callable[[Any, Order], Ack], str]] = {
    "sent twice": (_twice, "no order is sent twice"),
    "another order": (_other, "what is journaled is what is sent"),
    "another name": (_renamed, "an order is journaled before it leaves"),
    "more than is held": (_more_out, "what reduces only reduces"),
}


@pytest.mark.parametrize("name", sorted(DOORS))
def test_an_order_that_changes_on_its_way_out_is_found(name: str) -> None:
    submit, said = DOORS[name]
    voyage = Voyage(rigged(), spoil=Spoil(book=toothless, outside=at_the_door(submit)))
    assert said in first_claims(voyage, quiet(2 * FEW))


def test_an_order_that_leaves_before_the_journal_is_durable_is_found() -> None:
    def careless(outside: Outside) -> Outside:
        return dataclass_replace(outside, journal=Standin(outside.journal, sync=lambda: None))

    voyage = Voyage(rigged(), spoil=Spoil(book=toothless, outside=careless))
    assert "the journal is durable before an order leaves" in first_claims(voyage, quiet(FEW))


# -- what is held


def _stopless(broker: Any, order: Order) -> Ack:
    """Entries without their exits, and no stop is ever taken."""
    if order.purpose is Purpose.STOP:
        return Ack(outcome=AckOutcome.REJECTED, reason="no stops today")
    ack: Ack = broker.submit(order)
    for leg in broker.open_orders():
        if leg.parent == order.client_id and leg.status is not OrderStatus.CANCELED:
            broker.cancel(leg.venue_id)
    return ack


def test_a_holding_that_stays_without_its_stop_is_found_unless_everything_halts() -> None:
    def patient(book: RuleBook) -> RuleBook:
        kills = {name: kill for name, kill in book.kills.items() if name != "unprotected"}
        return dataclass_replace(toothless(book), kills=kills)

    spoil = Spoil(book=patient, outside=at_the_door(_stopless))
    found = first_claims(Voyage(rigged(temper="greedy"), spoil=spoil), quiet(FEW))
    assert "no holding is unprotected for long without a halt" in found
    halts = Spoil(book=toothless, outside=at_the_door(_stopless))
    tally = Tally()
    assert Voyage(rigged(temper="greedy"), tally, halts).play(quiet(FEW)) == []
    assert tally.halts["unprotected"]


def test_a_structure_that_loses_more_than_announced_or_without_a_bound_is_found() -> None:
    world = rigged(bot=BOT["option_loss"], bots=1)
    voyage = Voyage(world, spoil=Spoil(book=toothless))
    watch, held = voyage.watch, set()
    for beat in quiet(60):
        assert voyage.beat(beat) == []
        held = {lot.entry for lot in watch.truth.look().lots.values() if lot.structure}
        if held:
            break
    entry = held.pop()
    engine = voyage.engine
    assert engine is not None
    report = engine.cycle()
    now = watch.truth.look()
    lots = {key: replace(lot, price=lot.price + lot.quantity * 50) for key, lot in now.lots.items()}
    dear = replace(now, lots=lots)
    found = {claim_of(one) for one in claims.of_structures(watch, dear, report, engine.ledger)}
    assert found == {"a structure loses at most what it announced"}

    later = replace(now, lots=naked_calls(lots, entry))
    watch.failed = set()
    assert claims.of_structures(watch, later, report, engine.ledger) == []
    later = replace(later, at=now.at + timedelta(seconds=100))
    found = {claim_of(one) for one in claims.of_structures(watch, later, report, engine.ledger)}
    assert found == {"no structure is without a bound for long without a halt"}


def naked_calls(lots: Mapping[tuple[str, str], Any], entry: str) -> dict[tuple[str, str], Any]:
    """The same lots, each a call that is owed."""
    return {key: replace(lot, symbol="SPY240318C00100000", entry=entry, quantity=D(-1)) for key, lot in lots.items()}


def test_a_stop_that_moves_away_is_found() -> None:
    voyage = Voyage(rigged(temper="greedy"), spoil=Spoil(book=toothless))
    assert voyage.play(quiet(10)) == []
    engine = voyage.engine
    assert engine is not None
    key, held = next((key, held) for key, held in engine.ledger.holdings.items() if held.protection is not None)
    assert held.protection is not None
    further = held.protection.stop * (D("0.9") if held.quantity > 0 else D("1.1"))
    moved = replace(held, protection=Protection(stop=further))
    engine.ledger = replace(engine.ledger, holdings={**engine.ledger.holdings, key: moved})
    assert "a stop only moves closer" in {claim_of(one) for one in claims.of_a_cycle_stops(voyage.watch, engine.ledger)}


def _deaf(outside: Outside) -> Outside:
    """A venue whose executions are never told."""

    def fills(cursor: str) -> FillPage:
        return FillPage(fills=(), cursor=cursor)

    return dataclass_replace(outside, broker=Standin(outside.broker, fills=fills))


def test_a_ledger_that_differs_from_the_exchange_is_found() -> None:
    voyage = Voyage(rigged(temper="greedy"), spoil=Spoil(book=toothless, outside=_deaf))
    assert "the ledger equals the exchange" in first_claims(voyage, quiet(FEW))


def test_a_difference_that_nobody_notices_is_found() -> None:
    book = without_gate("ledger_agrees", "orders_resolved")

    def nothing_filled(outside: Outside) -> Outside:
        deaf = _deaf(outside).broker
        listed = outside.broker.open_orders

        def open_orders() -> Any:
            return tuple(replace(order, filled=D(0)) for order in listed())

        return dataclass_replace(outside, broker=Standin(deaf, open_orders=open_orders, order=lambda _client_id: None))

    voyage = Voyage(rigged(temper="greedy"), spoil=Spoil(book=book, outside=nothing_filled))
    found = first_claims(voyage, quiet(FEW))
    assert "a difference between ledger and exchange is noticed" in found


def test_what_cannot_be_closed_in_the_end_is_found() -> None:
    def kept(broker: Any, order: Order) -> Ack:
        if order.purpose is Purpose.EXIT:
            return Ack(outcome=AckOutcome.REJECTED, reason="nobody leaves")
        return broker.submit(order)  # type: ignore[no-any-return]  # the broker's

    voyage = Voyage(rigged(temper="greedy"), spoil=Spoil(book=toothless, outside=at_the_door(kept)))
    assert voyage.play(quiet(10)) == []
    assert {claim_of(one) for one in voyage.calm()} <= {latch.CLOSES, "what is held can be closed"}
    assert {claim_of(one) for one in voyage.watch.left()} == {"what is held can be closed"}


def test_a_halt_that_nobody_lifted_is_found_lifted() -> None:
    voyage = Voyage(rigged())
    assert voyage.play(quiet(3, command="halt")) == []
    assert voyage.engine is not None
    voyage.engine.record(Resumed(by="nobody", reason="it felt like it"))
    assert first_claims(voyage, quiet(1)) == {latch.STAYS}


def test_a_halt_that_the_ledger_forgot_is_found() -> None:
    voyage = Voyage(rigged())
    assert voyage.play(quiet(3, command="halt")) == []
    assert voyage.engine is not None
    voyage.engine.ledger = replace(voyage.engine.ledger, halts=())
    assert latch.STAYS in first_claims(voyage, quiet(1))


def test_an_exit_that_a_halt_holds_back_is_found() -> None:
    def no_exit(book: RuleBook) -> RuleBook:
        return dataclass_replace(toothless(book), exits={})

    def kept(broker: Any, order: Order) -> Ack:
        return Ack(outcome=AckOutcome.REJECTED, reason="no") if order.purpose is Purpose.EXIT else broker.submit(order)

    spoil = Spoil(book=no_exit, outside=at_the_door(kept))
    assert latch.CLOSES in first_claims(
        Voyage(rigged(temper="greedy"), spoil=spoil), [*quiet(10), *quiet(12, command="flatten")]
    )


def test_an_entry_outside_the_day_of_its_bot_is_found() -> None:
    night = SessionPolicy(trade_start="03:00", trade_end="03:01", manage_until="23:59")
    world = rigged(bots=1)
    bot = world.policy.bots[0].model_copy(update={"session": night})
    voyage = Voyage(world)
    voyage.play(quiet(1))
    policy = world.policy.model_copy(update={"bots": (bot,)})
    voyage.watch.policy = policy
    assert latch.OWN_DAY in first_claims(voyage, quiet(20))


def test_a_bot_that_answers_otherwise_the_second_time_is_found_by_the_replay() -> None:
    voyage = Voyage(rigged(temper="greedy"), spoil=Spoil(book=toothless))
    asked = [0]
    tame = voyage.bots["wild-0"]

    def fickle(view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        asked[0] += 1
        wishes, memory = tame(view, memory)
        return wishes, {**memory, "asked": asked[0]}

    voyage.bots["wild-0"] = fickle
    assert voyage.play(quiet(10)) == []
    assert voyage.replayed().difference is not None
