"""Flatten and accept: what an operator asks of a running engine, and what is never done without being asked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hydra.engine.recover import recover
from hydra.engine.replay import replay
from hydra.model.orders import Order, OrderType, Purpose, Side
from hydra.model.portfolio import FLATTEN_ALL, Ledger
from hydra.model.snapshot import Command
from hydra.risk.reconcile import residuals
from tests.fakes.outside import BOT, OPEN, Stage, entry, policy, scripted

D = Decimal
LONG = [(100, 100, 100, 100)] * 20
EAGER = {minute: [entry()] for minute in (2, 8, 12)}


def say(stage: Stage, action: str, **more: str) -> None:
    number = len(stage.events())
    word = Command(command_id=f"c{number}", action=action, by="me", wall=OPEN, reason="I want it", **more)  # type: ignore[arg-type]  # only texts
    stage.inbox.inner.waiting.append(word)


def stranger(stage: Stage, quantity: int = 3, **more: Any) -> Order:
    """An order somebody else sends to the same account."""
    fields: dict[str, Any] = {
        "symbol": "SPY",
        "side": Side.BUY,
        "quantity": D(quantity),
        "order_type": OrderType.MARKET,
        "purpose": Purpose.EXIT,
    } | more
    order = Order(
        client_id=f"by-hand-{len(stage.broker.inner.fills('').fills)}-{fields['order_type']}",
        run="",
        cycle=0,
        bot="",
        **fields,
    )
    stage.broker.inner.submit(order)
    return order


def test_flattening_everything_closes_what_is_held_halts_and_lets_nothing_in_again() -> None:
    stage = Stage({BOT: scripted(EAGER)}, prices=LONG)
    stage.step(4)
    assert stage.in_ledger() == {"SPY": 10}
    say(stage, "flatten")
    stage.step(4)
    assert stage.at_venue() == {}
    assert stage.ledger.flatten == (FLATTEN_ALL,)
    assert [halt.kind for halt in stage.ledger.halts] == ["flatten"]
    (left,) = stage.sent(Purpose.EXIT)
    assert left.thesis == "flatten: an operator asked for it"
    stage.day()
    assert len(stage.sent(Purpose.ENTRY)) == 1
    assert stage.agrees()


def test_flattening_one_bot_closes_only_its_holding_and_benches_it_until_a_resume() -> None:
    rules = policy(bots=[{"id": BOT}, {"id": "other"}])
    bots = {BOT: scripted(EAGER), "other": scripted({2: [entry("other")], 9: [entry("other")]})}
    stage = Stage(bots, rules=rules, prices=LONG)
    stage.step(4)
    say(stage, "flatten", bot=BOT)
    stage.step(3)
    assert list(stage.ledger.holdings) == ["other|SPY"]
    assert stage.ledger.halts == ()
    stage.step(2)
    assert list(stage.ledger.holdings) == ["other|SPY"]
    assert {"flattened"} <= {skip.code for skip in stage.reports[-1].plan.skips}
    say(stage, "resume")
    stage.step(5)
    assert f"{BOT}|SPY" in stage.ledger.holdings
    assert stage.agrees()


def test_what_appears_in_the_account_bars_entries_until_it_is_accepted() -> None:
    stage = Stage({BOT: scripted(EAGER)}, prices=LONG)
    stranger(stage)
    stage.step(4)
    assert stage.sent() == []
    assert any(answer.gate == "ledger_agrees" for answer in stage.reports[-1].plan.answers)
    say(stage, "accept")
    stage.step()
    assert stage.ledger.foreign == {"SPY": D(3)}
    assert residuals(stage.ledger, stage.reports[-1].snapshot.sight, D(0)) == ()
    assert stage.ledger.cash == stage.broker.inner.account().cash


def test_a_foreign_open_order_may_rest_once_it_is_accepted() -> None:
    stage = Stage({BOT: scripted(EAGER)}, prices=LONG)
    stranger(stage, order_type=OrderType.LIMIT, limit=D(50))
    stage.step(1)
    say(stage, "accept")
    stage.step(9)
    assert len(stage.ledger.foreign_orders) == 1
    assert stage.in_ledger() == {"SPY": 10}


def test_what_was_sold_by_hand_is_written_off_when_it_is_accepted() -> None:
    stage = Stage({BOT: scripted({2: [entry(target=None)]})}, prices=LONG)
    stage.step(4)
    (stop,) = [order for order in stage.broker.inner.open_orders() if order.parent]
    stage.broker.inner.cancel(stop.venue_id)
    stranger(stage, quantity=10, side=Side.SELL)
    stage.step(1)
    say(stage, "accept")
    stage.step(2)
    assert stage.ledger.holdings == {}
    assert stage.ledger.foreign == {}
    assert stage.agrees()


def test_what_is_there_at_the_first_look_is_foreign_and_explained_in_one_line() -> None:
    stage = Stage({BOT: scripted({})}, prices=LONG)
    stranger(stage)
    stranger(stage, order_type=OrderType.LIMIT, limit=D(50))
    found = recover(stage.outside, Ledger(), stage.policy)
    assert [(position.symbol, position.quantity) for position in found.foreign] == [("SPY", D(3))]
    assert len(found.foreign_orders) == 1
    (note,) = found.notes
    assert note.endswith("cash 99699.97, 1 foreign positions, 1 foreign orders")


def test_a_journal_with_an_operators_words_replays() -> None:
    stage = Stage({BOT: scripted(EAGER)}, prices=LONG)
    stage.step(3)
    stranger(stage)
    say(stage, "accept")
    stage.step(2)
    say(stage, "flatten")
    stage.day()
    result = replay(stage.events(), lambda _policy: (stage.book, stage.outside.bots))
    assert result.difference is None
    assert result.cycles > 10
