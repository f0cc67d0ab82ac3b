"""Lists on the command line, in every way people type them."""

from __future__ import annotations

import pytest

from hydra.cli.spelling import spread_lists

BOTH = ["--data", "bars", "--data", "quotes"]


@pytest.mark.parametrize(
    "typed",
    [
        ["--data", "bars", "quotes"],
        ["--data", "bars,quotes"],
        ["--data=bars,quotes"],
        ["--data=bars", "quotes"],
        ["--data", "bars", "--data", "quotes"],
        ["--data", "bars,", ",quotes"],
    ],
)
def test_a_list_may_be_spelled_in_every_way(typed: list[str]) -> None:
    assert spread_lists(["run", *typed, "--json"]) == ["run", *BOTH, "--json"]


def test_what_is_no_list_stays_as_it_was() -> None:
    line = ["run", "--config", "a,b", "--speed", "max"]
    assert spread_lists(line) == line
    assert spread_lists(["--", "--json", "x"]) == ["--", "--json", "x"]


@pytest.mark.parametrize("typed", [["--data"], ["--data="], ["--data", ","], ["--data", ""], ["--data", "--json"]])
def test_a_list_without_a_value_is_left_for_the_parser_to_refuse(typed: list[str]) -> None:
    spread = spread_lists(["run", *typed])
    assert spread[-1] == "--data"
    assert spread.count("--data") == 1
