"""The reference of faults has every fault, key and operation, and none that does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from hydra.adapters.exchange.fault_files import parse_rule, read_faults
from hydra.adapters.exchange.fault_table import MEANINGS, OTHER_NAMES, REQUESTS, STREAMS, Meaning, Operation
from hydra.adapters.exchange.faults import Rule
from hydra.model.errors import BadConfig
from hydra.model.money import plain
from tests.docs.pages import blocks, read, rows, sections

PAGE = read("reference/faults.md")
PARTS = sections(PAGE, 2)


def places(meaning: Meaning) -> str:
    """The operations of a fault as the page has them."""
    if meaning.at == REQUESTS:
        return "any request"
    if meaning.at == REQUESTS | STREAMS:
        return "anything"
    assert meaning.own in (frozenset(), meaning.at)
    mark = "**" if meaning.own else ""
    return ", ".join(f"{mark}`{each}`{mark}" for each in Operation if each in meaning.at)


def test_every_fault_is_there_as_the_table_has_it() -> None:
    told = [row for row in rows(PARTS["The faults"]) if len(row) == 5]
    meant = [[f"`{kind}`", places(each), each.http, each.in_process, each.never] for kind, each in MEANINGS.items()]
    assert told == meant


def test_every_number_is_there_with_its_range() -> None:
    told = [row for row in rows(PARTS["The faults"]) if len(row) == 4]
    assert told == [
        [
            f"`{kind}`",
            f"`{name}`",
            f"{plain(number.least)} to {plain(number.most)}{', whole' if number.whole else ''}",
            "required" if number.default is None else plain(number.default),
        ]
        for kind, meaning in MEANINGS.items()
        for name, number in meaning.numbers.items()
    ]


def test_every_key_is_there() -> None:
    told = {name.strip("` ") for row in rows(PARTS["The file"]) for name in row[0].split(",")}
    assert told == {"seed", "faults", *Rule.__struct_fields__}


def test_every_operation_is_there_with_its_other_name() -> None:
    told = [row[0].replace("`", "") for row in rows(PARTS["Operations"])]
    others = {known: name for name, known in OTHER_NAMES.items()}
    assert told == [f"{each} (or {others[each]})" if each in others else str(each) for each in Operation]


def test_the_example_is_a_fault_file(tmp_path: Path) -> None:
    (example,) = [block.text for block in blocks(PAGE) if block.words == ("toml",)]
    path = tmp_path / "faults.toml"
    path.write_text(example)
    assert [rule.fault.value for rule in read_faults(path).rules] == ["timeout_after", "429", "account_inactive"]


def test_a_rule_needs_nothing_but_its_fault_where_operations_are_bold() -> None:
    for kind, meaning in MEANINGS.items():
        needed = {name: 1 for name, number in meaning.numbers.items() if number.default is None}
        if meaning.own:
            assert parse_rule({"fault": kind.value, **needed}, "page").fault is kind
        else:
            with pytest.raises(BadConfig, match="on: missing"):
                parse_rule({"fault": kind.value, **needed}, "page")
