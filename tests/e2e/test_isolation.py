"""What keeps the bots apart, as the commands tell it, and what `isolation.guards = "required"` makes of it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.sandbox.offer import offered
from hydra.model.isolation import Guard
from tests.e2e.place import Place, Told

WITHOUT_LANDLOCK = (sys.executable, str(Path(__file__).with_name("without_landlock.py")))


def check(told: Told) -> dict[str, Any]:
    """What `qc` found of the bots' isolation."""
    (found,) = [one for one in told.document["checks"] if one["name"] == "isolation"]
    return dict(found)


def test_where_a_guard_is_required_bots_in_hydras_own_process_are_refused_by_qc_and_by_run(held: Place) -> None:
    held.env = {"HYDRA_ISOLATION__HOST": "inline", "HYDRA_ISOLATION__GUARDS": "required"}
    orders = held.venue_orders()
    asked = held.hydra("qc", "--json")
    found = check(asked)
    assert (asked.code, found["status"]) == (1, "fail")
    assert found["reason"] == "bots run in Hydra's own process, and nothing is kept from them"
    assert found["remedy"] == 'set isolation.host to "process"'
    told = held.hydra("run", "--json")
    assert (told.code, told.document["kind"]) == (3, "Barred")
    assert f'isolation.guards is "required", and {found["reason"]}' in told.document["error"]
    assert "at the venue rests stop" in told.document["error"]
    assert held.venue_orders() == orders


def test_where_guards_are_offered_bots_in_hydras_own_process_are_a_warning(certified: Place) -> None:
    asked = certified.hydra("qc", "--json")
    assert (asked.code, check(asked)["status"]) == (0, "warn")
    assert certified.hydra("run", "--cycles", "2").code == 0


@pytest.mark.timeout(60)
def test_bots_in_processes_are_told_with_every_guard_this_machine_holds(fresh: Place) -> None:
    place, offer = replace(fresh, isolated=True), offered()
    asked = place.hydra("qc", "--json")
    found = check(asked)
    assert asked.code == 0, asked.text
    assert f"Landlock {offer.landlock}" in found["reason"] if offer.landlock else "no Landlock" in found["reason"]
    if offer.landlock and offer.seccomp:
        assert found["status"] == "pass"
        assert all(guard in found["reason"] for guard in Guard)
    status = place.hydra("status", "--json").document["isolation"]
    assert status["host"] == "process"
    assert set(status["held"]) | set(status["open"]) == set(Guard)


@pytest.mark.timeout(60)
@pytest.mark.skipif(not offered().seccomp, reason="a kernel without Landlock cannot be staged here")
def test_without_landlock_files_are_open_and_no_trade_is_made_where_guards_are_required(certified: Place) -> None:
    place = replace(certified, isolated=True, env={"HYDRA_ISOLATION__GUARDS": "required"})
    asked = place.start("qc", "--json", prefix=WITHOUT_LANDLOCK).end()
    failed = [one["name"] for one in asked.document["checks"] if one["status"] == "fail"]
    assert (asked.code, failed) == (1, ["isolation"])
    assert check(asked)["reason"].startswith("open: files (a bot can open your files: keys, state, journal); held: env")
    told = place.start("run", "--json", prefix=WITHOUT_LANDLOCK).end()
    assert (told.code, told.document["kind"]) == (3, "Barred")
    assert 'isolation.guards is "required", and open: files' in told.document["error"]
