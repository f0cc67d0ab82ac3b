"""The one runner: what is missing, broken, silent or too slow is a no of its own name, and an advisory never is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.errors import BadConfig
from hydra.qc.check import Check, CheckResult, Finding, Status, all_good, left_behind, run_check
from hydra.qc.plug import CheckPlug, Subject, need, one
from hydra.qc.runner import Ears, run_list

GOOD, BAD = Finding(good=True, reason="well"), Finding(good=False, reason="7 is above 3")


def plug(name: str, answer: object = GOOD, *, critical: bool = True, **more: Any) -> CheckPlug:
    fields: dict[str, Any] = {"make": one(lambda _subject: answer), **more}  # type: ignore[arg-type,return-value]
    return CheckPlug(name=name, question=f"Is {name}?", remedy=f"mend {name}", critical=critical, **fields)


def finding(offered: Mapping[str, object]) -> Callable[[str], object]:
    def find(name: str) -> object:
        if name not in offered:
            raise BadConfig(f"unknown name {name!r}")
        return offered[name]

    return find


def asked(*offered: CheckPlug, names: Iterable[str] | None = None, subject: Subject | None = None) -> list[CheckResult]:
    by_name = {one.name: one for one in offered}
    return list(run_list(by_name if names is None else names, subject or Subject(), finding(by_name)))


@pytest.fixture
def released() -> Iterator[Event]:
    """What a hanging check of a test waits for: nothing is left at work after it."""
    event = Event()
    yield event
    event.set()
    while left_behind():
        event.wait(0.01)


def test_a_check_carries_what_its_plug_says() -> None:
    (told,) = asked(plug("disk", BAD))
    assert told.document() == {
        "name": "disk",
        "status": "fail",
        "reason": "7 is above 3",
        "ms": told.document()["ms"],
        "question": "Is disk?",
        "critical": True,
        "remedy": "mend disk",
    }
    assert told.plug == "disk"


def test_a_check_may_be_called_otherwise_than_its_plug_and_says_whose_it_is() -> None:
    (told,) = asked(plug("chain", make=one(lambda _subject: GOOD, name="journal")))
    assert (told.name, told.plug) == ("journal", "chain")


def test_one_that_passed_has_no_remedy_in_its_document() -> None:
    (told,) = asked(plug("disk"))
    assert "remedy" not in told.document()


def test_a_name_that_nobody_offers_is_a_failed_critical_check_of_that_name() -> None:
    known, unknown = asked(plug("disk"), names=("disk", "gone"))
    assert known.status is Status.PASS
    assert (unknown.name, unknown.status, unknown.critical) == ("gone", Status.FAIL, True)
    assert unknown.reason == "the check could not be loaded: BadConfig: unknown name 'gone'"
    assert unknown.remedy


@pytest.mark.parametrize("offered", ["yes", None, CheckPlug, lambda: GOOD], ids=["text", "none", "class", "function"])
def test_what_is_no_plug_is_a_failed_check(offered: object) -> None:
    (told,) = run_list(("odd",), Subject(), lambda _name: offered)
    assert (told.name, told.status) == ("odd", Status.FAIL)
    assert told.reason.endswith("no check")


def raise_it(_plug: CheckPlug, _subject: Subject) -> Iterable[Check]:
    raise SystemExit("away")


def raise_late(plug: CheckPlug, _subject: Subject) -> Iterator[Check]:
    yield plug.check(lambda: GOOD)
    raise ZeroDivisionError


MAKES: Mapping[str, Any] = {
    "raises": raise_it,
    "raises_late": raise_late,
    "none": lambda _plug, _subject: (),
    "nothing": lambda _plug, _subject: None,
    "text": lambda _plug, _subject: "yes",
    "plug": lambda plug, _subject: (plug,),
    "finding": lambda _plug, _subject: (GOOD,),
}


@pytest.mark.parametrize("critical", [True, False], ids=["critical", "advisory"])
@pytest.mark.parametrize("make", MAKES)
def test_a_plug_that_cannot_make_its_checks_has_failed_and_an_advisory_one_only_warns(
    make: str, critical: bool
) -> None:
    (told,) = asked(plug("one", make=MAKES[make], critical=critical))
    assert (told.name, told.critical) == ("one", critical)
    assert told.status is (Status.FAIL if critical else Status.WARN)
    assert all_good([told]) is not critical


def test_an_advisory_plug_that_makes_a_critical_check_only_warns_for_it_is_asked_when_the_certificate_is_there() -> (
    None
):
    def make(plug: CheckPlug, _subject: Subject) -> tuple[Check, ...]:
        return (Check(name="grave", question="Is it?", ask=lambda: GOOD, remedy="mend it", plug=plug.name),)

    (told,) = asked(plug("light", make=make, critical=False))
    assert (told.name, told.status, told.critical) == ("light", Status.WARN, False)
    assert told.reason == "it is advisory, and made the critical check grave"


def test_a_plug_that_may_make_none_is_not_heard_of() -> None:
    assert asked(plug("line", make=lambda _plug, _subject: (), may_make_none=True)) == []


def test_a_part_of_the_subject_that_is_not_there_is_a_no() -> None:
    def ask(subject: Subject) -> Finding:
        need(subject.preflight, "the engine")
        return GOOD

    (told,) = asked(plug("engine", make=one(ask)))
    assert (told.status, told.reason) == (Status.FAIL, "Refused: the engine is not there to be asked")


@pytest.mark.parametrize("critical", [True, False], ids=["critical", "advisory"])
def test_a_check_that_hangs_past_its_deadline_is_a_no_and_what_it_says_later_is_not_heard(
    released: Event, critical: bool
) -> None:
    def late(_subject: Subject) -> Finding:
        released.wait()
        return GOOD

    first, second = asked(plug("slow", make=one(late), critical=critical, deadline_seconds=0.05), plug("next"))
    assert first.status is (Status.FAIL if critical else Status.WARN)
    assert first.reason == "no answer within 0.05 s"
    assert second.status is Status.PASS
    assert left_behind() == ("slow",)
    released.set()
    assert first.reason == "no answer within 0.05 s"


def test_a_plug_that_hangs_while_it_makes_its_checks_is_a_no(released: Event) -> None:
    def never(_plug: CheckPlug, _subject: Subject) -> tuple[Check, ...]:
        released.wait()
        return ()

    (told,) = asked(plug("slow", make=never, deadline_seconds=0.05))
    assert (told.status, told.reason) == (Status.FAIL, "no checks were made within 0.05 s")


def test_who_listens_hears_what_is_asked_before_it_is_and_every_answer_as_it_comes() -> None:
    heard: list[str] = []
    ears = Ears(
        asking=lambda name: heard.append(f"{name}?"), told=lambda told: heard.append(f"{told.name} {told.status}")
    )
    offered = {"a": plug("a"), "b": plug("b", BAD)}
    run_list(offered, Subject(), finding(offered), ears)
    assert heard == ["a?", "a pass", "b?", "b fail"]


def test_checks_are_made_when_the_list_comes_to_them() -> None:
    """How a stream is, is asked once everything else has been."""
    seen: list[str] = []

    def making(plug: CheckPlug, _subject: Subject) -> tuple[Check, ...]:
        seen.append("made")
        return (plug.check(lambda: GOOD),)

    def first(_subject: Subject) -> Finding:
        seen.append("asked")
        return GOOD

    asked(plug("first", make=one(first)), plug("line", make=making))
    assert seen == ["asked", "made"]


answers = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(allow_nan=True),
    st.text(max_size=5),
    st.just(GOOD),
    st.just(BAD),
    st.just(Finding),
)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.tuples(answers, st.booleans()), max_size=6))
def test_nothing_but_a_finding_that_is_good_passes_and_no_advisory_ever_blocks(
    given_answers: list[tuple[object, bool]],
) -> None:
    plugs = [plug(f"p{n}", answer, critical=critical) for n, (answer, critical) in enumerate(given_answers)]
    results = asked(*plugs)
    bad = [critical for answer, critical in given_answers if answer is not GOOD]
    assert all_good(results) is (bool(results) and not any(bad))
    for (answer, critical), told in zip(given_answers, results, strict=True):
        assert told.status is (Status.PASS if answer is GOOD else Status.FAIL if critical else Status.WARN)


def test_a_check_of_an_unhashable_or_lying_finding_is_a_no() -> None:
    class Yes:
        good = True
        reason = "trust me"

    told = run_check(Check(name="lie", question="?", ask=Yes, remedy="none"))  # type: ignore[arg-type]  # what it is for
    assert told.status is Status.FAIL
