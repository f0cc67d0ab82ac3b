"""The lists name plugs that are installed, every built-in plug is in a list, and nothing of a list can be left out."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from hydra.bootstrap.checks import GROUP, further_checks, plugs_of
from hydra.model.errors import BadConfig
from hydra.qc.lists import LISTS, QC_RUNNING, QC_SITE, QC_VENUE, REQUIRED
from hydra.qc.plug import CheckPlug
from hydra.qc.plugs import gates

TRIALS = LISTS["full"]


@pytest.mark.parametrize("name", LISTS)
def test_every_name_of_a_list_is_an_installed_plug_of_that_name(name: str) -> None:
    for plug, found in plugs_of(name).items():
        assert isinstance(found, CheckPlug), found
        assert found.name == plug
        assert found.question.endswith("?")
        assert found.remedy


def test_every_built_in_plug_is_in_a_list() -> None:
    assert {point.name for point in entry_points(group=GROUP)} == REQUIRED


@pytest.mark.parametrize("name", LISTS)
def test_no_list_asks_the_same_twice(name: str) -> None:
    assert len(set(LISTS[name])) == len(LISTS[name])


def test_every_gate_is_asked_by_qc() -> None:
    """By a plug of its own, by one that tells more, or by the one for the gates of other packages."""
    installed = {point.name for point in entry_points(group="hydra.gates")}
    assert set(gates.BUILT_IN) == installed
    own = {f"gate_{name}" for name in installed - gates.ASKED_ELSEWHERE}
    assert own <= set(QC_RUNNING)
    assert {"agreement", "fresh_data", "halts", "gates"} <= set(QC_RUNNING)


def test_qc_asks_the_disk_before_the_venue_and_that_before_the_running_system() -> None:
    assert LISTS["qc"] == (*QC_SITE, *QC_VENUE, *QC_RUNNING)
    assert QC_VENUE.index("account") < QC_VENUE.index("recover") == len(QC_VENUE) - 1
    assert QC_RUNNING[-1] == "isolation"  # once every bot has been asked


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_what_a_list_has_cannot_be_named_in_the_policy(name: str) -> None:
    with pytest.raises(BadConfig, match="is asked anyway"):
        further_checks((name,))


def test_an_advisory_check_is_never_one_that_an_entry_depends_on() -> None:
    advisory = {name for name, plug in plugs_of("qc").items() if isinstance(plug, CheckPlug) and not plug.critical}
    assert advisory == {"inbox", "leftovers", "clock_service"}
