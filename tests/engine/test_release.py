"""Out of quarantine: an operator's release in a running engine, what it forgets, and what is written down before bots are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from hydra.adapters.bots.inline import InlineBotHost
from hydra.engine.replay import Replayed, replay
from hydra.model.events import Released
from hydra.model.orders import Intent, Order, OrderType, Purpose, Side
from hydra.model.snapshot import Command, View
from hydra.model.values import replace
from hydra.ports import Bot
from tests.fakes.outside import BOT, FLAT, OPEN, Fault, Stage, entry, leave, policy, scripted

STRIKES = policy().engine.bot_strikes


class Killed(BaseException):
    """The process ends here."""


def stumbling(*minutes: int) -> Bot:
    """Counts its answers in its memory, wishes an entry in every one, and fails in these minutes after the opening."""
    opening = OPEN.hour * 60 + OPEN.minute

    def bot(view: View, memory: Mapping[str, Any]) -> tuple[Sequence[Intent], Mapping[str, Any]]:
        if view.minute - opening in minutes:
            raise ValueError("out of its depth")
        return [entry()], {"answers": memory.get("answers", 0) + 1}

    return bot


def quarantined(*more: int) -> Stage:
    """A bot that has answered in minute 1, failed in the next ones, and is asked no more."""
    stage = Stage({BOT: stumbling(*range(2, 2 + STRIKES), *more)}, prices=[*FLAT, *FLAT])
    stage.step(2 + STRIKES)
    assert codes(stage) == ["quarantine"]
    assert (stage.ledger.bot(BOT).strikes, stage.ledger.bot(BOT).memory["answers"]) == (STRIKES, 1)
    return stage


def say(stage: Stage, *, bot: str = BOT, forget: bool = False, number: int = 1) -> Command:
    word = Command(
        command_id=f"r{number}", action="release", by="me", wall=OPEN, reason="mended", force=forget, bot=bot
    )
    stage.inbox.inner.waiting.append(word)
    return word


def codes(stage: Stage) -> list[str]:
    return [skip.code for skip in stage.reports[-1].plan.skips if skip.subject.startswith((BOT, "command"))]


def kinds(stage: Stage) -> list[str]:
    return [event.kind for event in stage.events()]


def again(stage: Stage) -> Replayed:
    return replay(stage.events(), lambda _document: (stage.book, InlineBotHost(stage.bots, None)))


@pytest.mark.parametrize("forget", [False, True])
def test_a_released_bot_is_asked_in_the_same_cycle_with_what_it_may_remember(forget: bool) -> None:
    stage = quarantined()
    word, before = say(stage, forget=forget), len(stage.asked)
    stage.step()
    assert [question.memory.get("answers") for question in stage.asked[before:]] == [None if forget else 1]
    assert kinds(stage)[-5:] == ["observed", "released", "answered", "decided", "cycle_closed"]
    assert stage.reports[-1].plan.releases == (word,)
    assert stage.events()[-4].data == Released(by="me", reason="mended", bot=BOT, forget=forget)
    # What it answered is kept: it comes after what was forgotten.
    assert (stage.ledger.bot(BOT).strikes, stage.ledger.bot(BOT).memory["answers"]) == (0, 1 if forget else 2)
    assert again(stage).difference is None


def test_a_bot_that_fails_again_at_once_has_its_first_strike_and_one_that_keeps_failing_is_quarantined_again() -> None:
    stage = quarantined(*range(2 + STRIKES, 20))
    say(stage)
    stage.step()
    assert stage.ledger.bot(BOT).strikes == 1
    stage.step(STRIKES)
    assert codes(stage) == ["quarantine"]
    assert again(stage).difference is None


def test_a_bot_that_is_not_in_quarantine_yet_is_forgiven_too() -> None:
    stage = Stage({BOT: stumbling(1)}, prices=FLAT)
    stage.step(2)
    assert stage.ledger.bot(BOT).strikes == 1
    say(stage)
    stage.step()
    assert stage.ledger.bot(BOT).strikes == 0


def test_what_it_has_earned_and_holds_stays_with_it() -> None:
    stage = quarantined()
    before = replace(stage.ledger.bot(BOT), strikes=0, memory={})
    assert before.trades_today == 1
    say(stage, forget=True)
    stage.inbox.inner.waiting.append(Command(command_id="h", action="halt", by="me", wall=OPEN, reason="look"))
    stage.journal.before = stop_before("answered", stage)
    with pytest.raises(Killed):
        stage.cycle()
    assert stage.ledger.bot(BOT) == before
    assert stage.ledger.holdings


@pytest.mark.parametrize(
    ("bot", "reason"), [("nobody", "there is no bot 'nobody'; there are: buyer"), (BOT, "no failed")]
)
def test_a_release_that_comes_to_nothing_is_refused_with_its_reason(bot: str, reason: str) -> None:
    stage = Stage({BOT: scripted({})}, prices=FLAT)
    say(stage, bot=bot)
    stage.step()
    (skip,) = [skip for skip in stage.reports[-1].plan.skips if skip.code == "release_refused"]
    assert reason in skip.reason
    assert "released" not in kinds(stage)
    assert again(stage).difference is None


def test_a_release_whose_file_outlives_a_crash_is_carried_out_once() -> None:
    stage = quarantined(8)
    say(stage)
    stage.inbox.plan("done", 0, Fault(error=Killed()))
    with pytest.raises(Killed):
        stage.step()
    stage.clock.inner.wait(60)
    stage.crash()
    assert stage.inbox.inner.waiting
    # The strike that follows is not forgiven by the file that is still there.
    while stage.ledger.bot(BOT).strikes == 0:
        stage.step()
    stage.step(2)
    assert stage.ledger.bot(BOT).strikes == 1
    assert kinds(stage).count("released") == 1
    assert stage.inbox.inner.waiting == []
    assert again(stage).difference is None


def test_a_release_nobody_asked_for_is_named_by_the_replay() -> None:
    stage = quarantined()
    say(stage)
    stage.step()
    events = stage.events()
    (place,) = [number for number, event in enumerate(events) if isinstance(event.data, Released)]
    forged = replace(events[place], data=replace(events[place].data, forget=True))
    result = replay(
        [*events[:place], forged, *events[place + 1 :]], lambda _: (stage.book, InlineBotHost(stage.bots, None))
    )
    assert result.difference is not None
    assert (result.difference.where, result.difference.recomputed) == ("released.planned", "it was not planned")


# -- what does not depend on the bots is written down before they are asked


def stop_before(kind: str, stage: Stage) -> Any:
    """A hand on the journal that ends the process where the first event of a kind would be written."""
    payload = {"answered": "Answered", "decided": "Decided"}[kind]

    def before(method: str, arguments: tuple[Any, ...]) -> None:
        if method == "append" and type(arguments[0]).__name__ == payload:
            stage.journal.before = None
            raise Killed

    return before


@pytest.mark.parametrize("kind", ["answered", "decided"])
@pytest.mark.parametrize("written", [True, False], ids=["what was told is on disk", "nothing of the cycle is on disk"])
def test_a_process_that_ends_while_bots_are_asked_has_not_lost_an_operator_s_halt(kind: str, written: bool) -> None:
    """Either the halt is in the journal or its file is still in the inbox and not counted as obeyed: never neither."""
    stage = Stage({BOT: scripted({1: [entry()], 6: [leave()], 9: [entry()]})}, prices=FLAT)
    stage.step(3)
    assert stage.in_ledger() == {"SPY": 10}
    stage.inbox.inner.waiting.append(Command(command_id="h", action="halt", by="me", wall=OPEN, reason="stop it"))
    stage.journal.before = stop_before(kind, stage)
    with pytest.raises(Killed):
        stage.cycle()
    if written:
        stage.journal.inner.close()
    stage.restart()
    assert [halt.reason for halt in stage.ledger.halts] == (["stop it"] if written else [])
    stage.day()
    assert [halt.reason for halt in stage.ledger.halts] == ["stop it"]
    assert len(stage.sent(Purpose.ENTRY)) == 1
    assert kinds(stage).count("halted") == 1
    assert again(stage).difference is None


def test_a_halt_and_a_resume_stand_before_the_plan_of_their_cycle() -> None:
    stage = Stage({BOT: scripted({})}, prices=FLAT)
    for number, action in enumerate(("halt", "resume")):
        word = Command(command_id=f"c{number}", action=action, by="me", wall=OPEN, reason="r")
        stage.inbox.inner.waiting.append(word)
        stage.step()
    told = [kind for kind in kinds(stage) if kind not in ("answered", "cycle_closed")]
    assert told[-6:] == ["observed", "halted", "decided", "observed", "resumed", "decided"]
    assert again(stage).difference is None


def test_what_was_accepted_in_a_cycle_is_not_held_against_the_next() -> None:
    """The look that was accepted disagreed, and with the shortest patience one such cycle would be a halt."""
    stage = Stage({BOT: scripted({})}, rules=policy(health={"residual_cycles": 1}), prices=FLAT)
    by_hand = Order(
        client_id="by-hand",
        run="",
        cycle=0,
        bot="",
        symbol="SPY",
        side=Side.BUY,
        quantity=Decimal(3),
        order_type=OrderType.MARKET,
        purpose=Purpose.EXIT,
    )
    stage.broker.inner.submit(by_hand)
    stage.clock.inner.wait(60)
    stage.inbox.inner.waiting.append(Command(command_id="a", action="accept", by="me", wall=OPEN, reason="mine"))
    stage.step()
    assert stage.ledger.foreign == {"SPY": Decimal(3)}
    stage.step(3)
    assert stage.ledger.halts == ()
    assert again(stage).difference is None
