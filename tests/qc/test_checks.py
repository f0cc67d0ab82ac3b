"""A check that does not answer has failed, and an empty list of checks allows nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hydra.model.errors import Blank, Corrupt, Outdated, Refused, Unreachable
from hydra.model.portfolio import Binding, Certificate, Ledger
from hydra.model.snapshot import Probe
from hydra.model.values import replace
from hydra.ports import Head
from hydra.qc.check import Check, CheckResult, Finding, Status, all_good, run_check
from hydra.qc.plug import CheckPlug, Subject
from hydra.qc.preflight import why_not_certified
from hydra.qc.runner import Ears, run_list
from hydra.qc.site import JournalState, Site
from tests.qc.asking import asked_of

NOW = datetime(2026, 5, 4, 14, 0, tzinfo=UTC)
HEAD = Head(seq=7, hash="a" * 64)


def check(ask: Callable[[], Any], *, critical: bool = True) -> Check:
    return Check(name="one", question="Is it?", ask=ask, remedy="mend it", critical=critical)


def raising(error: Exception) -> Callable[[], Any]:
    def ask() -> Any:
        raise error

    return ask


_NEARLY = [
    Finding(good=1, reason="one is no yes"),  # type: ignore[arg-type]  # what foreign code may hand over
    Finding(good=1.0, reason="nor is this"),  # type: ignore[arg-type]
    Finding(good=True, reason=None),  # type: ignore[arg-type]
    Finding(good=None, reason=("not", "now")),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("answer", [None, True, "yes", Finding, 1.0, float("nan"), (True, "fine"), *_NEARLY])
def test_an_answer_that_is_no_finding_is_a_no(answer: Any) -> None:
    result = run_check(check(lambda: answer))
    assert result.status is Status.FAIL
    assert "answered with" in result.reason


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left"), Corrupt("damaged"), ZeroDivisionError(), Unreachable("mute")]
)
def test_a_check_that_raises_has_failed_with_the_reason(error: Exception) -> None:
    result = run_check(check(raising(error)))
    assert result.status is Status.FAIL
    assert type(error).__name__ in result.reason
    assert result.document()["remedy"] == "mend it"


def test_an_advisory_check_warns_and_stops_nothing() -> None:
    result = run_check(check(raising(OSError("gone")), critical=False))
    assert result.status is Status.WARN
    assert all_good([result])


def test_no_answers_at_all_allow_nothing() -> None:
    assert not all_good(())


def _only(one: Check, _plug: CheckPlug, _subject: Subject) -> tuple[Check, ...]:
    return (one,)


def test_one_failure_among_many_stops_everything_and_every_answer_is_told() -> None:
    told: list[CheckResult] = []
    good, bad = check(lambda: Finding(good=True, reason="well")), check(lambda: Finding(good=False, reason="not well"))
    plugs = {
        name: CheckPlug(name=name, question="Is it?", remedy="mend it", make=partial(_only, one))
        for name, one in (("a", good), ("b", bad), ("c", good))
    }
    results = run_list(plugs, Subject(), plugs.__getitem__, Ears(told=told.append))
    assert [result.status for result in results] == ["pass", "fail", "pass"]
    assert tuple(told) == results
    assert not all_good(results)


def test_what_cannot_be_asked_now_is_skipped() -> None:
    assert run_check(check(lambda: Finding(good=None, reason="closed"))).status is Status.SKIP


ASKED = ("configuration", "practice", "permissions", "inbox", "leftovers", "system_clock", "clock_service")


class Shelf:
    """A store to be inspected."""

    def __init__(self, problem: str | None = None) -> None:
        self.problem = problem
        self.closed = 0

    def integrity(self) -> str | None:
        return self.problem

    def schema_version(self) -> str | None:
        return "0002"

    def load(self) -> tuple[Ledger, Head]:
        return Ledger(), HEAD

    def close(self) -> None:
        self.closed += 1


def site(tmp_path: Path, **changes: Any) -> Site:
    well = Probe(ok=True, reason="written")
    facts: dict[str, Any] = {
        "state_dir": tmp_path,
        "log_dir": tmp_path,
        "env_file": tmp_path / ".env",
        "measures": {name: lambda: well for name in ("state_io", "journal_io", "disk")},
        "open_store": Shelf,
        "verify_journal": lambda _head: JournalState(segments=1, events=7, head=HEAD, torn_bytes=0, open_tail=False),
        "lock_holder": lambda: None,
        "wall_now": lambda: NOW,
        "asks": dict.fromkeys(ASKED, lambda: Finding(good=True, reason="well")),
    }
    return Site(**{**facts, **changes})


def answers(place: Site) -> dict[str, CheckResult]:
    return asked_of("check-io", Subject(site=place))


def test_a_sound_site_passes_every_check(tmp_path: Path) -> None:
    assert {result.status for result in answers(site(tmp_path)).values()} == {Status.PASS}


def test_a_store_that_is_not_there_yet_or_older_is_no_failure(tmp_path: Path) -> None:
    for open_store in (lambda: None, raising(Blank("it is empty")), raising(Outdated("its schema is 0001"))):
        found = answers(site(tmp_path, open_store=open_store))
        assert (found["store"].status, found["journal"].status) == (Status.PASS, Status.PASS)


def test_a_store_that_cannot_be_read_fails_its_own_check_and_not_the_journal_s(tmp_path: Path) -> None:
    for fault in (Corrupt("malformed"), Refused("its schema is 0009, newer than 0002"), Unreachable("locked")):
        found = answers(site(tmp_path, open_store=raising(fault)))
        assert (found["store"].status, found["journal"].status) == (Status.FAIL, Status.PASS)
        assert str(fault) in found["store"].reason


def test_a_damaged_store_is_named_and_let_go(tmp_path: Path) -> None:
    shelf = Shelf("row 3 is missing from an index")
    found = answers(site(tmp_path, open_store=lambda: shelf))
    assert found["store"].reason == "row 3 is missing from an index"
    assert shelf.closed == 2


@pytest.mark.parametrize(
    ("mode", "status"), [(0o600, "pass"), (0o400, "pass"), (0o640, "fail"), (0o604, "fail"), (0o666, "fail")]
)
def test_secrets_that_others_may_read_fail(tmp_path: Path, mode: int, status: str) -> None:
    env = tmp_path / ".env"
    env.write_text("HYDRA_JOURNAL_KEY=0123456789abcdef\n")
    env.chmod(mode)
    found = answers(site(tmp_path))["env_file"]
    assert found.status == status
    assert f"{mode:04o}" in found.reason


def test_a_torn_line_and_an_open_tail_are_told_and_no_failure(tmp_path: Path) -> None:
    torn = JournalState(segments=2, events=9, head=HEAD, torn_bytes=31, open_tail=True)
    found = answers(site(tmp_path, verify_journal=lambda _head: torn))["journal"]
    assert found.status is Status.PASS
    assert "31 bytes" in found.reason
    assert "open tail" in found.reason


def test_another_writer_is_a_warning_for_those_who_only_look(tmp_path: Path) -> None:
    found = answers(site(tmp_path, lock_holder=lambda: "held by pid 7"))["lock"]
    assert (found.status, found.reason) == (Status.WARN, "held by pid 7")


def test_a_clock_before_this_program_fails(tmp_path: Path) -> None:
    assert answers(site(tmp_path, wall_now=lambda: datetime(1970, 1, 1, tzinfo=UTC)))["clock"].status is Status.FAIL


BINDING = Binding(policy_hash="p", code_hash="c", account_id="SIM", url="sim://x", mode="paper", host="here")
CERTIFICATE = Certificate(
    wall=NOW,
    minutes=15,
    policy_hash="p",
    code_hash="c",
    account_id="SIM",
    url="sim://x",
    mode="paper",
    host="here",
    head=HEAD.hash,
)


@pytest.mark.parametrize(
    ("after_minutes", "allowed"), [(-1.0, False), (0.0, True), (14.9, True), (15.0, True), (15.1, False), (1e5, False)]
)
def test_a_certificate_admits_for_its_minutes_and_never_from_the_future(after_minutes: float, allowed: bool) -> None:
    ledger = Ledger(certificate=CERTIFICATE)
    wall = NOW + timedelta(minutes=after_minutes)
    assert (why_not_certified(ledger, lambda: BINDING, wall) is None) is allowed


@pytest.mark.parametrize("field", Binding.__struct_fields__)
def test_a_certificate_for_anything_else_names_what_differs(field: str) -> None:
    ledger = Ledger(certificate=CERTIFICATE)
    why_not = why_not_certified(ledger, lambda: replace(BINDING, **{field: "other"}), NOW)
    assert why_not is not None
    assert field in why_not


def test_without_a_certificate_nothing_starts() -> None:
    assert why_not_certified(Ledger(), lambda: BINDING, NOW) == "there is no certificate: run `hydra qc` first"
