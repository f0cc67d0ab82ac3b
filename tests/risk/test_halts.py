"""What an operator's commands come to: halts, resumes, flattens, and refusals with their reason."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hydra.model.portfolio import BotRecord, Halt
from hydra.model.snapshot import Command, Snapshot
from hydra.risk.halts import cannot_resume, obey
from tests.fakes.outside import BOT, OPEN, policy
from tests.risk.scenes import healthy, with_ledger, with_sight

NOW = healthy().at
POLICY = policy()


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
    result = obey(with_sight(latched(1), commands=commands), POLICY)
    assert [(halt.kind, halt.by, halt.automatic, halt.cool_off_until) for halt in result.halts] == [
        ("operator", "me", False, None)
    ]
    assert result.resumes == ()
    assert [skip.code for skip in result.refused] == ["resume_refused", "command_refused"]
    forced = with_sight(latched(1), commands=(command("resume", force=True),))
    assert [one.force for one in obey(forced, POLICY).resumes] == [True]


def test_flattening_everything_is_a_halt_and_flattening_one_bot_is_not() -> None:
    for bot, kinds in (("", ["flatten"]), ("buyer", [])):
        result = obey(with_sight(healthy(), commands=(command("flatten", bot=bot),)), POLICY)
        assert [halt.kind for halt in result.halts] == kinds
        assert [one.bot for one in result.flattens] == [bot]


def test_a_flattened_bot_can_be_resumed_without_a_halt() -> None:
    assert cannot_resume(with_ledger(flatten=("buyer",)), command("resume")) is None


def test_what_is_unknown_cannot_be_accepted() -> None:
    result = obey(with_sight(healthy(), commands=(command("accept"),), positions=None), POLICY)
    assert result.accepts == ()
    assert [skip.code for skip in result.refused] == ["accept_refused"]


@pytest.mark.parametrize(
    ("bot", "strikes", "why_not"),
    [
        (BOT, 1, None),
        (BOT, 3, None),
        (BOT, 0, "buyer has no failed answers to forget; it is not in quarantine"),
        ("gone", 3, "there is no bot 'gone'; there are: buyer"),
        ("", 3, "there is no bot ''; there are: buyer"),
    ],
)
def test_who_has_failed_may_be_released_and_nobody_else(bot: str, strikes: int, why_not: str | None) -> None:
    failed = with_ledger(bots={bot: BotRecord(bot=bot, strikes=strikes)})
    word = command("release", bot=bot)
    result = obey(with_sight(failed, commands=(word,)), POLICY)
    assert result.releases == ((word,) if why_not is None else ())
    assert [(skip.code, skip.reason) for skip in result.refused] == (
        [] if why_not is None else [("release_refused", why_not)]
    )
