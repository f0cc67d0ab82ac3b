"""The page of the checks has every plug as the code has it, and every mend belongs to a check that says it can be mended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hydra.bootstrap.mend import CURE_OF, CURES
from hydra.bootstrap.points import available
from hydra.qc.lists import LISTS
from hydra.qc.matters import MATTERS
from hydra.qc.plug import CheckPlug
from tests.docs.make_checks import plugs, table
from tests.docs.pages import read

PAGE = read("reference/checks.md")
PLUGS = plugs()


def test_the_table_is_that_of_the_code() -> None:
    assert PAGE.endswith(table()), "write it anew: python -m tests.docs.make_checks"


def test_every_installed_check_of_this_package_is_in_a_list() -> None:
    assert set(PLUGS) == {name for row in LISTS.values() for name in row}
    assert set(available("hydra.checks")) >= set(PLUGS)


@pytest.mark.parametrize("name", sorted(PLUGS))
@pytest.mark.parametrize("told", [lambda plug: plug.remedy, lambda plug: MATTERS.get(plug.name, "")], ids=["do", "why"])
def test_every_check_says_why_it_matters_and_what_to_do_in_a_sentence(
    name: str, told: Callable[[CheckPlug], str]
) -> None:
    text = told(PLUGS[name])
    assert len(text.split()) >= 3, text
    assert not text.endswith((".", ":")), text
    assert "see its reason" not in text


@pytest.mark.parametrize("name", sorted(PLUGS))
def test_every_question_is_one(name: str) -> None:
    assert PLUGS[name].question.endswith("?")


def test_what_can_be_mended_has_a_mend_and_the_other_way_round() -> None:
    assert {name for name, plug in PLUGS.items() if plug.mendable} == set(CURE_OF)
    assert len(CURE_OF) == sum(len(cure.plugs) for cure in CURES), "a plug has two cures"


def test_a_reason_why_belongs_to_a_check() -> None:
    assert set(MATTERS) <= set(PLUGS)


def test_every_mend_says_what_it_does() -> None:
    for cure in CURES:
        assert len(cure.does.split()) >= 3
        assert not cure.does.endswith(".")
