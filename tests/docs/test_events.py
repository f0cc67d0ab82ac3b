"""The reference of events has every kind, value and field, with examples that are what they claim to be."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from hydra.model.events import KINDS, Event, RawEvent, payload_of
from hydra.model.values import Value
from tests.docs.make_events import elsewhere, examples, live_through_it, renew
from tests.docs.pages import blocks, read, rows, sections
from tests.docs.shapes import fields_of, values_inside

PAGE = read("reference/events.md")
PARTS = sections(PAGE, 2)
KIND_SECTIONS = sections(PARTS["Kinds"], 3)
VALUE_SECTIONS = sections(PARTS["Values"], 3)
EXAMPLES = {block.words[1]: block.text for block in blocks(PAGE) if block.words[:1] == ("json",)}


def documented_fields(text: str) -> dict[str, tuple[str, str]]:
    """(type, default) of every field in a section's table, each of which has a meaning."""
    found = {}
    for name, kind, default, meaning in rows(text):
        assert meaning, name
        found[name.strip("`")] = (kind, default)
    return found


def test_every_kind_is_documented_in_order_and_no_other() -> None:
    assert list(KIND_SECTIONS) == list(KINDS)
    assert re.findall(r"^\| \[`([a-z_]+)`\]\(#\1\)", PAGE, re.MULTILINE) == list(KINDS)


def test_every_value_inside_an_event_is_documented_and_no_other() -> None:
    assert list(VALUE_SECTIONS) == list(values_inside())


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_kind_is_documented_as_it_is(kind: str) -> None:
    assert documented_fields(KIND_SECTIONS[kind]) == fields_of(KINDS[kind])


@pytest.mark.parametrize("name", values_inside())
def test_every_field_of_a_value_is_documented_as_it_is(name: str) -> None:
    value: type[Value] = values_inside()[name]
    assert documented_fields(VALUE_SECTIONS[name]) == fields_of(value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_says_when_it_is_durable(kind: str) -> None:
    assert "\nDurable: " in KIND_SECTIONS[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_every_example_is_an_event_of_its_kind(kind: str) -> None:
    document = json.loads(EXAMPLES[kind])
    assert list(document) == [field.name for field in msgspec.structs.fields(Event)]
    raw = msgspec.json.decode(json.dumps(document), type=RawEvent)
    assert raw.kind == kind
    assert type(payload_of(raw)) is KINDS[kind]


def test_there_are_no_examples_of_anything_else() -> None:
    assert list(EXAMPLES) == list(KINDS)


def test_the_examples_name_no_machine_user_or_folder_of_ours() -> None:
    hosts = set(re.findall(r'"host": "([^"]*)"', PAGE)) - {"inline", "process"}  # where bots are asked is no machine
    assert hosts == {"trader-1"}
    by = set(re.findall(r'"by": "([^"]*)"', PAGE)) - {
        "risk",
        "notional",
        "volatility",
    }  # how a bot sizes is by something, too
    assert by <= {"ann@trader-1", "hydra"}
    assert "/tmp" not in PAGE  # noqa: S108  # searched for, not used


def test_the_generator_lives_through_every_kind(place: Path) -> None:
    with elsewhere(place):
        live_through_it(place)
        found = examples(place)
    assert list(found) == list(KINDS)
    renewed = renew(PAGE, found)
    assert [line for line in renewed.splitlines() if line.startswith("#")] == [
        line for line in PAGE.splitlines() if line.startswith("#")
    ]
