"""What keeps bots apart is told as it was tried; an open guard warns, or stops everything when the policy requires it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.bots.inline import InlineBotHost
from hydra.model.isolation import INLINE, Guard, Isolation
from hydra.policy import IsolationPolicy
from hydra.ports import Bot
from hydra.qc.check import CheckResult, Status, all_good, run_check
from hydra.qc.isolation import isolation_check, why_not_isolated
from hydra.qc.lists import QC_RUNNING
from hydra.qc.plug import Subject
from hydra.qc.preflight import look
from tests.fakes.outside import BOT, Stage, buys_at, policy
from tests.qc.asking import asked_of

ALL = tuple(Guard)
FULL = Isolation(host="process", held=ALL, landlock=7, seccomp=True)
BARE = Isolation(host="process", held=(Guard.ENVIRONMENT,), open=ALL[1:])
UNTRIED = Isolation(host="process")


def answer(isolation: Isolation, guards: str = "offered") -> CheckResult:
    return run_check(isolation_check(lambda: isolation, rules(guards, isolation.host)))


def rules(guards: str, host: str = "process") -> IsolationPolicy:
    return IsolationPolicy.model_validate({"guards": guards, "host": host})


def test_when_every_guard_held_it_passes_and_says_by_what() -> None:
    told = answer(FULL)
    assert told.status is Status.PASS
    assert all(guard in told.reason for guard in Guard)
    assert "Landlock 7, seccomp" in told.reason


@pytest.mark.parametrize("guard", Guard)
def test_one_open_guard_warns_names_it_and_says_why_it_matters(guard: Guard) -> None:
    held = tuple(one for one in Guard if one is not guard)
    told = answer(Isolation(host="process", held=held, open=(guard,), seccomp=True))
    assert told.status is Status.WARN
    assert told.reason.startswith(f"open: {guard} (a bot can ")
    assert told.reason.endswith(f"held: {', '.join(held)} (no Landlock, seccomp)")
    assert "Landlock" in told.document()["remedy"]


@pytest.mark.parametrize("isolation", [BARE, INLINE, UNTRIED], ids=["bare", "inline", "untried"])
def test_what_warns_when_guards_are_offered_fails_when_they_are_required(isolation: Isolation) -> None:
    offered, required = answer(isolation), answer(isolation, "required")
    assert (offered.status, required.status) == (Status.WARN, Status.FAIL)
    assert offered.reason == required.reason
    assert all_good([offered])
    assert not all_good([required])


def test_bots_in_hydras_own_process_are_said_plainly_with_the_key_that_changes_it() -> None:
    told = answer(INLINE)
    assert told.reason == "bots run in Hydra's own process, and nothing is kept from them"
    assert told.remedy == 'set isolation.host to "process"'


def test_a_guard_that_nobody_tried_is_open() -> None:
    assert answer(UNTRIED).reason == "no guard was tried: no bot's process is ready"
    tried = answer(Isolation(host="process", held=ALL[:-1], landlock=7, seccomp=True))
    assert tried.reason.startswith("open: memory, not tried (")


def test_a_host_that_cannot_say_has_failed_and_never_passed() -> None:
    def silent() -> Isolation:
        raise OSError("gone")

    assert run_check(isolation_check(silent, rules("offered"))).status is Status.WARN
    assert run_check(isolation_check(silent, rules("required"))).status is Status.FAIL


guards = st.lists(st.sampled_from(Guard), unique=True).map(tuple)


@settings(derandomize=True, deadline=None)
@given(held=guards, bare=guards, host=st.sampled_from(["process", "inline"]))
def test_required_lets_nothing_but_every_guard_pass(
    held: tuple[Guard, ...], bare: tuple[Guard, ...], host: str
) -> None:
    isolation = Isolation(host=host, held=held, open=bare)
    whole = host == "process" and set(held) == set(Guard) and not bare
    told = answer(isolation, "required")
    assert (told.status is Status.PASS) is whole
    assert (why_not_isolated(isolation, rules("required")) is None) is whole
    assert why_not_isolated(isolation, rules("offered")) is None


def test_a_run_is_refused_for_the_reason_the_check_gives() -> None:
    why_not = why_not_isolated(BARE, rules("required"))
    assert why_not is not None
    assert why_not.startswith('isolation.guards is "required", and open: files (')


class Kept(InlineBotHost):
    """A host that says what it was told to say."""

    said = FULL

    @property
    def isolation(self) -> Isolation:
        return self.said


def checked(
    bots: dict[str, Bot], *, strikes_most: int = 3, cycles: int = 0, guards: str = "offered"
) -> dict[str, CheckResult]:
    stage = Stage(bots, rules=policy(engine={"bot_strikes": strikes_most}, isolation={"guards": guards}))
    for _ in range(cycles):
        stage.step()
    stage.engine.outside = replace(stage.outside, bots=Kept(bots, None))
    return running(stage)


def running(stage: Stage) -> dict[str, CheckResult]:
    return asked_of(QC_RUNNING, Subject(policy=stage.policy, preflight=look(stage.engine, stage.policy)))


def test_the_preflight_asks_what_kept_bots_apart_once_they_were_asked() -> None:
    told = checked({BOT: buys_at()})
    names = list(told)
    assert told["isolation"].status is Status.PASS
    assert names.index("isolation") > names.index(f"bot {BOT}")


def test_bots_that_were_not_asked_for_want_of_a_guard_are_not_blamed_for_it() -> None:
    class Bare(Kept):
        said = BARE

    stage = Stage({BOT: buys_at()}, rules=policy(isolation={"guards": "required"}))
    stage.engine.outside = replace(stage.outside, bots=Bare({}, None))
    told = running(stage)
    assert (told[f"bot {BOT}"].status, told["isolation"].status) == (Status.SKIP, Status.FAIL)
    assert "see isolation" in told[f"bot {BOT}"].reason


def test_a_bot_that_fails_behind_every_guard_fails_its_own_check() -> None:
    assert checked({}, guards="required")[f"bot {BOT}"].status is Status.FAIL


def test_a_bot_in_quarantine_is_told_with_its_strikes_and_how_it_is_released() -> None:
    def broken(_view: object, _memory: object) -> None:
        raise RuntimeError("broken")

    told = checked({BOT: broken}, strikes_most=2, cycles=3)[f"bot {BOT}"]  # type: ignore[dict-item]  # never returns
    assert told.status is Status.FAIL
    assert told.reason == f"{BOT} is in quarantine: 2 failed answers"
    assert f"`hydra bots release {BOT}`" in told.document()["remedy"]
