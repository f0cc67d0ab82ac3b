"""What the recorder keeps from row to row is thrown away when what it was made of is another."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hydra.engine.fold import fold
from hydra.model.activities import Activity, ActivityKind
from hydra.model.events import ForeignAccepted
from hydra.model.money import ZERO
from hydra.model.orders import Purpose, Side
from hydra.model.portfolio import Ledger
from hydra.study.record import Recorder
from hydra.study.study import study
from tests.study.tape import BOT, Tape, voyage

D = Decimal
SEEDS = range(6)


def profit(tape: Tape, bot: str = BOT) -> float:
    """What the bot's column says at the last row."""
    return tape.recorder.curve.bot(bot).values[-1]


def closed_at_a_loss() -> Tape:
    """10 SPY bought at 100 and sold at 98, of which up to a dollar may still be charged; then looks with nothing held."""
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    bought = tape.order(Side.BUY, "10", "SPY", Purpose.ENTRY)
    tape.look("10000", {"SPY": "100"}, fills=(tape.fill(bought, "100"),))
    sold = tape.order(Side.SELL, "10", "SPY", Purpose.EXIT)
    tape.look("9980", {"SPY": "98"}, fills=(tape.fill(sold, "98", cash_fee_most=D(1)),))
    tape.look("9980", {"SPY": "99"})
    return tape


def test_a_fee_that_is_told_of_while_nothing_is_held_is_its_bots() -> None:
    tape = closed_at_a_loss()
    assert profit(tape) == -20
    rows = len(tape.recorder.curve.bot(BOT).rows)
    tape.look("9980", {"SPY": "97"})
    assert len(tape.recorder.curve.bot(BOT).rows) == rows
    fee = Activity(activity_id="f", kind=ActivityKind.FEE, at=tape.at, amount=D("-0.5"), symbol="SPY")
    tape.look("9979.5", activities=(fee,))
    assert profit(tape) == -20.5


def test_what_was_open_is_gone_with_a_holding_that_is_written_off() -> None:
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    bought = tape.order(Side.BUY, "10", "SPY", Purpose.ENTRY)
    tape.look("10000", {"SPY": "100"}, fills=(tape.fill(bought, "100"),))
    tape.look("10050", {"SPY": "105"})
    assert profit(tape) == 50
    bots = tape.ledger.bots
    tape.add(ForeignAccepted(by="me", reason="lost", cash=D(9000), equity=D(9000), given_up={f"{BOT}|SPY": D(10)}))
    tape.look("9000")
    assert tape.ledger.bots is bots
    assert not tape.ledger.holdings
    assert profit(tape) == 0


def test_what_is_bought_again_counts_from_the_same_row() -> None:
    tape = closed_at_a_loss()
    again = tape.order(Side.BUY, "10", "SPY", Purpose.ENTRY)
    tape.look("9990", {"SPY": "101"}, fills=(tape.fill(again, "100"),))
    assert profit(tape) == -10
    tape.look("10000", {"SPY": "102"})
    assert profit(tape) == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_every_row_of_a_bot_is_what_its_record_and_the_prices_come_to(seed: int) -> None:
    recorder, ledger = Recorder(), Ledger()
    rows = 0
    for event in voyage(seed):
        ledger = fold(ledger, event)
        recorder.take(event, ledger)
        if len(recorder.curve) == rows or recorder.begun is None:
            continue
        rows = len(recorder.curve)
        begun, held = recorder.begun, recorder.marks.standing(ledger.holdings)
        for bot, record in ledger.bots.items():
            before = begun.ledger.bot(bot).realized + begun.held.open.get(bot, ZERO)
            fresh = record.realized + held.open.get(bot, ZERO) - before
            column = recorder.curve.bots.get(bot)
            assert (0 if column is None else column.values[-1]) == pytest.approx(float(fresh), rel=1e-6, abs=1e-6)
    assert rows


def test_without_bars_a_study_is_the_same_and_has_none() -> None:
    with_bars, without, ledger = Recorder(), Recorder(keep_bars=False), Ledger()
    for event in voyage(1):
        ledger = fold(ledger, event)
        with_bars.take(event, ledger)
        without.take(event, ledger)
    assert with_bars.bars
    assert not without.bars
    ours, theirs = study(without), study(with_bars)
    assert ours.figures == theirs.figures
    assert [one.figures for one in ours.bots] == [one.figures for one in theirs.bots]
    assert (ours.balance, ours.trips) == (theirs.balance, theirs.trips)
