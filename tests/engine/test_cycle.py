"""The cycle when nothing fails: entries, brackets, exits, commands, segments, and bots that misbehave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from hydra.engine.run import EXIT_DONE, EXIT_HALTED, Loop
from hydra.model.events import Answered, CancelHeard
from hydra.model.orders import Intent, OrderStatus, OrderType, Protection, Purpose, Side, Size, SizeKind
from hydra.model.portfolio import Mode
from hydra.model.snapshot import Command, Observed, View
from tests.fakes.outside import BOT, FLAT, FOLDER, OPEN, Fault, Stage, buys_at, entry, leave, policy, scripted


def mode(stage: Stage) -> Mode:
    return stage.reports[-1].plan.mode


def kinds(stage: Stage) -> list[str]:
    return [event.kind for event in stage.events()]


def codes(stage: Stage) -> list[str]:
    """The codes of the last cycle's skips."""
    return [skip.code for skip in stage.reports[-1].plan.skips]


def command(action: str, number: int = 1, *, force: bool = False) -> Command:
    return Command(command_id=f"c{number}", action=action, by="operator", wall=OPEN, reason="because", force=force)


# -- the day


def test_a_quiet_cycle_leaves_a_look_an_answer_a_plan_and_an_end() -> None:
    stage = Stage({BOT: scripted({})})
    before = len(stage.events())
    stage.cycle()
    assert kinds(stage)[before:] == ["observed", "answered", "decided", "cycle_closed"]


def test_an_entry_is_journaled_then_sent_then_heard() -> None:
    stage = Stage()
    stage.step(2)
    assert kinds(stage)[-4:] == ["decided", "order_sent", "order_accepted", "cycle_closed"]


def test_an_entry_is_protected_by_the_venue_in_the_next_look() -> None:
    stage = Stage()
    stage.step(3)
    (holding,) = stage.ledger.holdings.values()
    assert (holding.quantity, holding.unprotected_since) == (Decimal(10), None)
    assert {o.purpose for o in stage.ledger.working(bot=BOT, symbol="SPY")} == {Purpose.STOP, Purpose.TARGET}
    assert stage.agrees()


def test_a_stop_that_fills_closes_the_trade_with_its_loss_and_fees() -> None:
    prices = [*FLAT[:4], (100, 100, 97, 97), *FLAT[:3]]
    stage = Stage(prices=prices, commission_per_share=Decimal("0.01"))
    stage.day()
    (trade,) = [trade for report in stage.reports for trade in report.ledger.trades]
    # Ten shares at 100.01, out at 98.00, a cent a share each way.
    assert (trade.entry_price, trade.exit_price, trade.fees) == (Decimal("100.01"), Decimal(98), Decimal("0.20"))
    assert trade.profit == Decimal("-20.30")
    assert stage.ledger.bot(BOT).realized_today == Decimal("-20.30")
    assert stage.agrees()


def test_a_target_that_fills_closes_the_trade_with_its_gain() -> None:
    stage = Stage(prices=[*FLAT[:4], (100, 105, 100, 105), *FLAT[:2]])
    stage.day()
    (trade,) = [trade for report in stage.reports for trade in report.ledger.trades]
    assert trade.profit == Decimal("39.90")
    assert stage.agrees()


def test_a_leg_that_is_made_and_filled_between_two_looks_is_ours() -> None:
    stage = Stage(prices=[(100, 100, 100, 100)] * 3 + [(97, 97, 97, 97)] * 3)
    stage.step(2)
    stage.step(2)
    assert stage.agrees()
    assert [trade.profit for report in stage.reports for trade in report.ledger.trades] == [Decimal("-30.10")]


def test_an_exit_wish_releases_the_legs_and_sells_what_is_held() -> None:
    stage = Stage({BOT: scripted({2: [entry()], 5: [leave()]})})
    stage.day()
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY, Purpose.EXIT]
    assert kinds(stage).count("cancel_sent") == 2
    assert stage.at_venue() == {}
    assert stage.agrees()


def test_a_leg_that_went_with_its_sibling_is_gone_and_does_not_keep_the_exit_waiting() -> None:
    stage = Stage({BOT: scripted({2: [entry()], 5: [leave()]})})
    stage.step(5)
    heard = [event.data for event in stage.events() if isinstance(event.data, CancelHeard)]
    assert [(word.order is not None and word.order.status) for word in heard] == [OrderStatus.CANCELED] * 2
    assert "already canceled" in heard[1].reason
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY, Purpose.EXIT]
    assert stage.at_venue() == {}
    stage.step(2)
    assert stage.in_ledger() == {}
    assert stage.agrees()


def test_a_holding_whose_whole_bracket_is_lost_is_protected_again() -> None:
    stage = Stage()
    stage.step(3)
    stage.broker.inner.cancel(stage.broker.inner.open_orders()[0].venue_id)
    assert stage.broker.inner.open_orders() == ()
    stage.step(2)
    assert [(order.stop, order.quantity) for order in stage.broker.inner.open_orders()] == [(98, 10)]
    assert stage.agrees()


def test_the_time_stop_and_a_wish_to_leave_in_one_cycle_are_one_exit() -> None:
    rules = policy(bots=[{"id": BOT, "time_stop_minutes": 3}])
    stage = Stage({BOT: scripted({2: [entry()], 5: [leave()]})}, rules=rules)
    stage.step(5)
    assert len(stage.sent(Purpose.EXIT)) == 1
    assert "exit_under_way" in codes(stage)
    stage.step(3)
    assert stage.at_venue() == {}
    assert stage.agrees()


def test_a_wish_to_leave_waits_for_the_session_and_for_the_venue() -> None:
    stage = Stage({BOT: scripted({2: [entry()], 5: [leave()], 6: [leave()]})})
    stage.step(4)
    stage.broker.always["positions"] = Fault(error=ConnectionError("down"))
    stage.step()
    assert "exit_waits" in codes(stage)
    assert stage.sent(Purpose.EXIT) == []
    stage.broker.always.clear()
    stage.step(2)
    assert len(stage.sent(Purpose.EXIT)) == 1
    assert stage.at_venue() == {}


def test_two_wishes_for_one_symbol_in_one_answer_are_one_entry() -> None:
    rules = policy(bots=[{"id": BOT, "positions": 5, "symbols": ("SPY", "AAPL")}])
    stage = Stage({BOT: scripted({2: [entry(), entry(quantity=5)]})}, rules=policy(bots=[{"id": BOT, "positions": 5}]))
    assert rules.bots[0].positions == 5
    stage.step(4)
    assert [order.quantity for order in stage.sent()] == [Decimal(10)]
    assert stage.agrees()


def test_two_bots_hold_the_same_symbol_each_its_own() -> None:
    rules = policy(bots=[{"id": "one"}, {"id": "two"}])
    bots = {
        "one": scripted({2: [entry("one")], 6: [leave("one")]}),
        "two": scripted({3: [entry("two", quantity=7)]}),
    }
    stage = Stage(bots, rules=rules)
    stage.day()
    assert {key: holding.quantity for key, holding in stage.ledger.holdings.items()} == {"two|SPY": Decimal(7)}
    assert stage.at_venue() == {"SPY": Decimal(7)}
    assert stage.agrees()


def test_a_rejected_entry_is_gone_and_entries_go_on() -> None:
    # The stop is above the middle of the market, where the venue looks, and below the ask, where the wish was made.
    near = entry(stop="100.00", target=None, reference=Decimal("100.01"))
    stage = Stage({BOT: scripted({2: [near], 4: [entry()]})})
    stage.day()
    assert kinds(stage).count("order_rejected") == 1
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY, Purpose.ENTRY]
    assert stage.in_ledger() == {"SPY": Decimal(10)}
    assert stage.agrees()


def test_a_holding_whose_stop_is_lost_is_protected_again() -> None:
    stage = Stage({BOT: scripted({2: [entry(target=None)]})})
    stage.step(3)
    (stop,) = stage.broker.inner.open_orders()
    stage.broker.inner.cancel(stop.venue_id)
    stage.step(1)
    assert [order.order_type for order in stage.sent(Purpose.STOP)] == [OrderType.STOP]
    stage.step(1)
    assert [order.stop for order in stage.broker.inner.open_orders()] == [Decimal(98)]
    assert stage.agrees()


def test_an_account_that_was_unreadable_once_does_not_keep_the_bots_from_being_asked() -> None:
    stage = Stage()
    stage.step()
    stage.broker.plan("account", stage.broker.calls["account"], Fault(error=TimeoutError("slow")))
    stage.cycle()
    assert stage.reports[-1].ledger.equity is None
    assert "account_valid" in {answer.gate for answer in stage.reports[-1].plan.answers}
    asked = len(stage.asked)
    stage.cycle()
    assert stage.ledger.equity == 100_000
    assert len(stage.asked) == asked + 1
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY]


# -- what the operator says


def test_a_halt_bars_entries_in_the_very_cycle_it_is_heard_in() -> None:
    stage = Stage()
    stage.step()
    stage.inbox.inner.waiting.append(command("halt"))
    stage.step()
    assert [halt.kind for halt in stage.ledger.halts] == ["operator"]
    assert mode(stage) is Mode.HALTED
    assert stage.sent() == []
    assert stage.inbox.inner.waiting == []


def test_in_a_halt_a_working_entry_is_taken_back_and_a_holding_stays_managed() -> None:
    wish = entry(order_type=OrderType.LIMIT, limit=Decimal(99))
    stage = Stage({BOT: scripted({2: [wish]})})
    stage.step(2)
    stage.inbox.inner.waiting.append(command("halt"))
    stage.step()
    assert mode(stage) is Mode.REDUCING
    assert stage.broker.inner.open_orders() == ()
    stage.step()
    assert mode(stage) is Mode.HALTED
    assert stage.agrees()


def test_resume_lifts_a_manual_halt_and_entries_follow_in_the_next_cycle() -> None:
    stage = Stage({BOT: scripted({m: [entry()] for m in range(2, 8)})})
    stage.inbox.inner.waiting.append(command("halt"))
    stage.step(2)
    stage.inbox.inner.waiting.append(command("resume", 2))
    stage.step()
    assert stage.ledger.halts == ()
    assert stage.sent() == []
    stage.step()
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY]


def test_a_command_whose_file_outlives_a_crash_is_obeyed_once() -> None:
    stage = Stage({BOT: scripted({})})
    stage.inbox.inner.waiting.append(command("halt"))
    stage.inbox.plan("done", 0, Fault(error=OSError("read-only")))
    stage.cycle()
    assert stage.inbox.inner.waiting
    stage.inbox.inner.waiting.append(command("resume", 2))
    stage.step(2)
    assert stage.inbox.inner.waiting == []
    assert stage.ledger.halts == ()
    assert kinds(stage).count("halted") == 1


def test_a_command_nobody_knows_is_refused_with_its_reason() -> None:
    stage = Stage({BOT: scripted({})})
    stage.inbox.inner.waiting.append(command("dance"))
    stage.cycle()
    assert "command_refused" in codes(stage)


# -- the loop


def loop(stage: Stage, **more: Any) -> Loop:
    fields: dict[str, Any] = {"cycles_max": None, "interval_seconds": 60, "stopped": lambda: None} | more
    return Loop(engine=stage.engine, segment=stage.segment, watch=stage.reports.append, **fields)


def test_a_run_ends_with_the_market_and_says_so_in_its_last_line() -> None:
    stage = Stage()
    ending = loop(stage).run()
    assert (ending.exit_code, ending.cycles) == (EXIT_DONE, 12)
    assert kinds(stage)[-1] == "run_closed"


def test_a_run_ends_after_its_cycles_or_on_a_signal() -> None:
    assert loop(Stage(), cycles_max=3).run().cycles == 3
    ending = loop(Stage(), stopped=lambda: 130).run()
    assert (ending.exit_code, ending.cycles, ending.reason) == (130, 0, "stopped by signal 2")


def test_a_halted_run_that_is_flat_ends_with_exit_code_3() -> None:
    stage = Stage()
    stage.inbox.inner.waiting.append(command("halt"))
    ending = loop(stage).run()
    assert (ending.exit_code, ending.cycles) == (EXIT_HALTED, 1)
    assert "operator" in ending.reason


def test_a_journal_that_cannot_be_written_ends_the_run_and_names_what_rests_at_the_venue() -> None:
    stage = Stage()
    stage.step(4)
    stage.files.fail(0, OSError(28, "No space left on device"), for_good=True)
    ending = loop(stage).run()
    assert ending.exit_code == EXIT_HALTED
    assert "buyer holds 10 SPY" in ending.reason
    assert "stop 98" in ending.reason


def test_a_full_segment_turns_and_the_next_look_is_a_keyframe() -> None:
    stage = Stage()
    stage.journal.planned = {("wants_turn", 4): Fault(answer=True)}
    loop(stage).run()
    looks = [event.data.keyframe for event in stage.events() if isinstance(event.data, Observed)]
    assert [number for number, keyframe in enumerate(looks) if keyframe] == [0, 5]
    assert stage.agrees()
    assert len(stage.files.names(FOLDER)) == 2


# -- bots that misbehave


def always(answer: Any) -> Any:
    return lambda _view, _memory: answer


def broken(error: BaseException) -> Any:
    def bot(_view: View, _memory: Mapping[str, Any]) -> Any:
        raise error

    return bot


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


FAILING: dict[str, Any] = {
    "raises": broken(RuntimeError("broken")),
    "exits": broken(SystemExit(1)),
    "raises the unspeakable": broken(Unspeakable()),
    "raises what UTF-8 cannot say": broken(ValueError("\ud800")),
    "recurses": broken(RecursionError("maximum recursion depth exceeded")),
    "answers nothing": always(None),
    "answers one thing": always([]),
    "answers three things": always(([], {}, None)),
    "wishes in words": always((["buy SPY"], {})),
    "wishes a generator": always((iter([entry()]), {})),
    "remembers a list": always(([], ["a"])),
    "remembers an object": always(([], {"a": object()})),
    "remembers too much": always(([], {"a": "x" * 100_000})),
    "remembers what UTF-8 cannot say": always(([], {"a": "\ud800"})),
    "thinks what UTF-8 cannot say": always(([entry(thesis="\ud800")], {})),
    "thinks without end": always(([entry(thesis="x" * 100_000)], {})),
    "floods": always(([entry()] * 1000, {})),
}


@pytest.mark.parametrize("how", FAILING)
def test_a_bot_that_fails_abstains_and_three_strikes_quarantine_it(how: str) -> None:
    stage = Stage({BOT: FAILING[how]})
    stage.day()
    assert stage.submitted() == []
    assert len(stage.asked) == 3
    assert stage.ledger.bot(BOT).strikes == 3
    assert stage.ledger.bot(BOT).memory == {}
    failures = [answer.failure for e in stage.events() if isinstance(e.data, Answered) for answer in e.data.answers]
    assert len(failures) == 3
    assert codes(stage) == ["quarantine"]


REFUSED = {
    "speaks for another": [entry("somebody")],
    "trades what it may not": [entry(symbol="AAPL")],
    "is short": [
        entry(side=Side.SELL, protection=Protection(stop=Decimal(104), target=Decimal(98))),
    ],
    "leaves what it does not hold": [leave()],
    "names a limit below the increment": [
        entry(
            reference=Decimal("0.001"), order_type=OrderType.LIMIT, limit=Decimal("0.001"), stop="0.0005", target=None
        )
    ],
    "names a price that nobody has": [
        entry(
            reference=Decimal("1E-29"),
            order_type=OrderType.LIMIT,
            limit=Decimal("1E-29"),
            stop="1E-30",
            target=None,
            size=Size(kind=SizeKind.NOTIONAL, amount=Decimal("1E+30")),
        )
    ],
    "has its stop above the price": [entry(reference=Decimal(200), stop=150, target=None)],
}


@pytest.mark.parametrize("how", REFUSED)
def test_a_wish_that_cannot_be_is_skipped_with_its_reason_and_breaks_nothing(how: str) -> None:
    wish: Sequence[Intent] = REFUSED[how]
    stage = Stage({BOT: scripted({2: wish, 4: [entry()]})})
    stage.step(2)
    assert stage.submitted() == []
    assert set(codes(stage)) & {"not_its_own", "short", "nothing_to_exit", "cannot_size", "capped"}
    stage.step(3)
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY]
    assert stage.agrees()


def test_a_wish_with_a_number_that_nobody_trades_with_is_no_answer() -> None:
    stage = Stage({BOT: scripted({2: [entry(size=Size(kind=SizeKind.NOTIONAL, amount=Decimal("1E+31")))]})})
    stage.step(2)
    assert "abstained" in codes(stage)


def test_a_wish_beyond_every_account_is_capped_like_any_other() -> None:
    greedy = entry(size=Size(kind=SizeKind.NOTIONAL, amount=Decimal("1E+30")))
    stage = Stage({BOT: scripted({2: [greedy]})})
    stage.day()
    (judgement,) = [one for report in stage.reports for one in report.plan.judgements]
    assert judgement.admitted == min(ceiling.quantity for ceiling in judgement.ceilings) // 1
    assert stage.agrees()


def test_a_bot_that_fails_does_not_silence_the_others() -> None:
    rules = policy(bots=[{"id": "bad"}, {"id": "good"}])
    stage = Stage({"bad": broken(RuntimeError("no")), "good": buys_at(bot="good")}, rules=rules)
    stage.day()
    assert [order.bot for order in stage.sent()] == ["good"]


def test_the_holding_of_a_quarantined_bot_stays_managed() -> None:
    def sickens(view: View, memory: Mapping[str, Any]) -> Any:
        if view.minute > OPEN.hour * 60 + OPEN.minute + 2:
            raise RuntimeError("ill")
        return scripted({2: [entry()]})(view, memory)

    stage = Stage({BOT: sickens}, rules=policy(bots=[{"id": BOT, "time_stop_minutes": 8}]))
    stage.day()
    assert stage.ledger.bot(BOT).strikes == 3
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY, Purpose.EXIT]
    assert stage.at_venue() == {}
    assert stage.agrees()
