"""The certificate on the screen: how long it is good, what it was made for, and, as soon as it does not fit, what changed."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from rich.console import Console

from hydra.cli.screen.certificate import bound_to, certificate_document, remaining
from hydra.cli.screen.decisions import Decisions
from hydra.cli.screen.panels import Facts, picture
from hydra.cli.screen.tally import Tally
from hydra.engine.cycle import CycleReport
from hydra.model.portfolio import Binding, Certificate
from hydra.model.snapshot import Failure
from hydra.model.values import replace
from tests.cli.screen import reports

CERTIFICATE = Certificate(
    wall=datetime(2026, 1, 5, 14, 30, tzinfo=UTC),
    minutes=15,
    policy_hash="p" * 64,
    code_hash="c" * 64,
    account_id="PA123",
    url="https://paper.example",
    mode="paper",
    host="here",
    head="h" * 64,
    seq=1234,
)
BINDING = Binding(
    **{name: getattr(CERTIFICATE, name) for name in ("policy_hash", "code_hash", "account_id", "url", "mode", "host")}
)


@pytest.mark.parametrize(
    ("minutes", "fault", "words"),
    [
        (None, "", "none; `hydra qc` makes one"),
        (9.6, "", "good for a start within 10 minutes"),
        (-5.0, "", "ran out 5 minutes ago; a new run needs `hydra qc`, one that runs goes on"),
        (9.6, "made for another\nmode", "does not fit: made for another mode; `hydra qc` makes a new one"),
    ],
)
def test_it_says_how_long_it_is_good_or_why_it_is_not(minutes: float | None, fault: str, words: str) -> None:
    assert remaining(minutes, fault).plain == words


def test_it_says_what_it_was_made_for() -> None:
    told = bound_to(CERTIFICATE, "now").plain
    for words in (
        "PA123 at https://paper.example (paper), on here",
        "policy pppppppppppp,",
        "event 1,234",
        "compared now",
    ):
        assert words in told
    assert bound_to(replace(CERTIFICATE, practice=True), "").plain.startswith("PRACTICE, ")
    assert "no known number" in bound_to(replace(CERTIFICATE, seq=0), "").plain


def test_its_document_has_when_it_ends_and_whether_it_fits() -> None:
    told = certificate_document(CERTIFICATE, 9.6, "", "now")
    assert (told["wall"], told["expires"], told["fits"]) == ("2026-01-05T14:30:00Z", "2026-01-05T14:45:00Z", True)
    assert certificate_document(CERTIFICATE, 9.6, "no", "now")["fits"] is False
    assert certificate_document(None, None, "", "") is None


CHANGES: Mapping[str, tuple[Binding, str | None]] = {
    "nothing": (BINDING, None),
    "a key": (
        replace(BINDING, policy_hash="x", changed=("configs/paper.toml: risk.daily_loss is 0.019, was 0.02",)),
        "the certificate was made for another policy_hash (configs/paper.toml: risk.daily_loss is 0.019, was 0.02)",
    ),
    "a secret": (
        replace(BINDING, changed=("A in .env is another",)),
        "what was certified has changed (A in .env is another)",
    ),
    "practice": (replace(BINDING, practice=True), "the certificate was made for another practice"),
    "no configuration": (replace(BINDING, policy_hash="", changed=("gone",)), "another policy_hash (gone)"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_does_not_fit_is_named_with_what_changed(what: str) -> None:
    binding, words = CHANGES[what]
    told = binding.misfit(CERTIFICATE)
    assert (told is None) is (words is None)
    assert words is None or words in str(told)


def test_a_configuration_that_cannot_be_read_fits_no_certificate_whatever_it_says() -> None:
    unknown = replace(BINDING, policy_hash="", changed=("gone",))
    assert unknown.misfit(replace(CERTIFICATE, policy_hash="")) is not None


@pytest.mark.parametrize("what", CHANGES)
def test_the_live_view_has_a_line_as_soon_as_it_stops_fitting(what: str) -> None:
    binding, words = CHANGES[what]
    plain = reports.report(1, reports.ledger(certificate=CERTIFICATE))
    seen = replace(plain.snapshot.sight, binding=binding)
    lines = picture_of(replace(plain, snapshot=replace(plain.snapshot, sight=seen)))
    shown = [line for line in lines if "exits only, the certificate does not fit" in line]
    assert len(shown) == (0 if words is None else 1)


def test_the_live_view_says_so_when_what_is_running_could_not_be_told() -> None:
    plain = reports.report(1, reports.ledger(certificate=CERTIFICATE))
    failure = Failure(what="binding", kind="Refused", reason="the source x.py cannot be read")
    seen = replace(plain.snapshot.sight, missing={"binding": failure})
    lines = picture_of(replace(plain, snapshot=replace(plain.snapshot, sight=seen)))
    assert any("does not fit: the source x.py cannot be read" in line for line in lines)


def picture_of(report: CycleReport) -> list[str]:
    tally = Tally(reports.ledger())
    tally.take(report)
    facts = Facts(
        policy=reports.policy(),
        run=reports.RUN,
        market="synthetic",
        pace="real time",
        report=report,
        tally=tally,
        decisions=Decisions(),
    )
    console = Console(file=io.StringIO(), record=True, width=120, height=30, no_color=True, highlight=False)
    console.print(picture(facts, 120, 30))
    return console.export_text().splitlines()
