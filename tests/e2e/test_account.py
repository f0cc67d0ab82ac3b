"""An account that is not known, not well, or not there: nothing is entered, and positions are still looked after."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from tests.e2e import faulty_venue
from tests.e2e.conftest import cycle_of_first_entry
from tests.e2e.place import Place, first_refusal, refusals

METADATA = "Metadata-Version: 2.1\nName: faulty-venue\nVersion: 1\n"
ENTRY_POINTS = "[hydra.brokers]\nfaulty = faulty_venue:make\n"


@pytest.fixture(scope="module")
def faulty_once(certified_once: Place, day_once: Place, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place whose broker comes from another distribution, in the middle of a day; only to be copied."""
    place = certified_once.copied(tmp_path_factory.mktemp("faulty") / "place")
    site = tmp_path_factory.mktemp("site")
    shutil.copy(faulty_venue.__file__, site / "faulty_venue.py")
    (site / "faulty_venue-1.dist-info").mkdir()
    (site / "faulty_venue-1.dist-info" / "METADATA").write_text(METADATA)
    (site / "faulty_venue-1.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    place.env["PYTHONPATH"] = str(site)
    place.configure({'name = "sim" ': 'name = "faulty" '})
    assert place.hydra("qc").code == 0
    assert place.hydra("run", "--cycles", str(cycle_of_first_entry(day_once) + 1)).code == 0
    return place


@pytest.fixture
def faulty(faulty_once: Place, tmp_path: Path) -> Place:
    return faulty_once.copied(tmp_path / "place")


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ("blocked", "is blocked for trading"),
        ("inactive", "has status ACCOUNT_CLOSED, expected ACTIVE"),
        ("negative", "equity -5 is not above 0"),
    ],
)
def test_an_account_that_is_not_well_shuts_its_gate(faulty: Place, plan: str, reason: str) -> None:
    head = faulty.head()
    _tell(faulty, plan)
    qc = faulty.hydra("qc", "--json")
    # Long enough for the entries of the undisturbed day.
    run = faulty.hydra("run", "--cycles", "30", "--json")
    assert qc.code == 1
    failed = {check["name"]: check["reason"] for check in qc.document["checks"] if check["status"] == "fail"}
    assert reason in failed["account_valid"]
    shut = {gate["gate"]: gate["last_reason"] for gate in run.document["gates"]}
    assert reason in shut["account_valid"]
    assert faulty.entries(after=head) == []
    assert len(faulty.venue_entries()) == 1
    assert faulty.hydra("replay", "logs").code == 0


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        ("nan", "account.equity must be finite, got NaN"),
        ("none", "account: nonsense: answered with a NoneType"),
        ("silent", "account: TimeoutError: no answer from the venue"),
        ("down", "positions: ConnectionError: the venue is down"),
    ],
)
def test_a_venue_that_does_not_tell_its_account_is_no_venue_to_start_with(
    faulty: Place, plan: str, reason: str
) -> None:
    orders = faulty.venue_orders()
    _tell(faulty, plan)
    run = faulty.hydra("run", "--json")
    assert run.code == 4
    assert reason in run.document["error"]
    assert "at the venue rests stop" in run.document["error"]
    assert faulty.venue_orders() == orders


def _tell(place: Place, plan: str) -> None:
    (place.folder / faulty_venue.PLAN).write_text(plan)


@pytest.mark.parametrize(
    ("plan", "gate", "reason"),
    [("nan", "account_valid", "must be finite, got NaN"), ("down", "broker_reachable", "the venue is down")],
)
def test_a_venue_that_falters_during_a_run_bars_entries_and_halts(
    faulty: Place, plan: str, gate: str, reason: str
) -> None:
    # The plug's market is played at the policy's speed; a market minute is a cycle, so the window holds several.
    faulty.configure(
        {'speed = "max" ': 'speed = "600" ', "failure_window_seconds = 60 ": "failure_window_seconds = 900 "}
    )
    assert faulty.hydra("qc").code == 0
    head = faulty.head()
    running = faulty.start("run", "--json")
    running.until(lambda: faulty.head() > head + 6)
    _tell(faulty, plan)
    running.until(lambda: _latched(faulty))
    halted = faulty.head()
    _tell(faulty, "")
    running.until(lambda: faulty.head() > halted + 12)
    running.signal(signal.SIGINT)
    told = running.end()

    assert told.code == 130
    assert any(reason in said for said in refusals(faulty.events(), gate))
    assert "failure_window" in [halt["kind"] for halt in told.document["halts_now"]]
    assert faulty.entries(after=first_refusal(faulty.events(), gate)) == []
    refused = faulty.hydra("resume", "--reason", "it answers again", "--json")
    assert refused.code == 3
    assert "cools off until" in refused.document["error"]
    assert faulty.hydra("resume", "--reason", "it answers again", "--force").code == 0
    assert faulty.hydra("status", "--json").document["halts"] == []
    assert faulty.hydra("replay", "logs").code == 0


def _latched(place: Place) -> bool:
    return any(event["kind"] == "halted" for event in place.events())


def test_the_market_options_are_for_the_simulated_broker_alone(faulty: Place) -> None:
    told = faulty.hydra("run", "--seed", "3", "--speed", "max", "--json")
    assert told.code == 2
    assert "--speed, --seed: only for the simulated broker; broker.name is 'faulty'" in told.document["error"]


def test_an_unknown_broker_is_a_configuration_error_that_names_those_there_are(certified: Place) -> None:
    certified.configure({'name = "sim" ': 'name = "acme" '})
    told = certified.hydra("run", "--json")
    assert told.code == 2
    assert "broker.name: unknown name 'acme'; there are: alpaca, sim" in told.document["error"]
