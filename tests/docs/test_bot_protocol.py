"""The page of the bot protocol has every field, limit and kind of failure that the code has."""

from __future__ import annotations

import re

import msgspec
import pytest

from hydra.adapters.bots import answers, wire
from hydra.model.isolation import Guard
from hydra.model.values import Value, decode
from tests.docs.pages import blocks, read, rows, sections

PAGE = read("reference/bot-protocol.md")
ISOLATION = read("explanation/isolation.md")


def fields(*kinds: type[Value]) -> list[str]:
    return [name for kind in kinds for name in kind.__struct_fields__]


@pytest.mark.parametrize(
    ("message", "kinds"),
    [
        ("begin", [wire.Begin]),
        ("apart", [wire.Apart]),
        ("ready", [wire.Ready]),
        ("unfit", [wire.Unfit]),
        ("ask", [wire.Ask, wire.BarNews, wire.QuoteNews]),
        ("reply", [wire.Reply]),
    ],
)
def test_a_message_has_these_fields_and_no_others(message: str, kinds: list[type[Value]]) -> None:
    named = [row[0].strip("`") for row in rows(sections(PAGE, 3)[message])]
    tagged = kinds[0].__struct_config__.tag is not None
    assert named == (["type"] if tagged else []) + fields(*kinds)


@pytest.mark.parametrize(("word", "kind"), [("ask", wire.Ask), ("reply", wire.Reply)])
def test_an_example_is_such_a_message(word: str, kind: type[Value]) -> None:
    (block,) = [block for block in blocks(PAGE) if block.words == ("json", word)]
    example = decode(block.text, kind)
    assert msgspec.json.decode(msgspec.json.encode(example)) == msgspec.json.decode(block.text)


def test_the_limits_are_those_of_the_code() -> None:
    told = {row[0]: row[1] for row in rows(sections(PAGE, 2)["Limits"])}
    numbers = [int(found[0]) for value in told.values() if (found := re.match(r"\d+", value))]
    assert numbers == [
        wire.ASK_MAX_BYTES,
        wire.REPLY_MAX_BYTES,
        answers.INTENTS_MAX,
        answers.WORDS_MAX_BYTES,
        answers.MEMORY_MAX_BYTES,
        answers.DIGITS_MAX,
    ]


def test_every_kind_of_failure_is_explained() -> None:
    table = rows(sections(ISOLATION, 2)["How a bot fails"])
    explained = {kind for row in table for kind in re.findall(r"`([a-z]+)`", row[0])}
    assert explained == {kind for kind in answers.HOSTS_WORDS if kind.islower()}  # the others are no failures of bots


def test_every_guard_is_explained_in_order() -> None:
    table = rows(sections(ISOLATION, 2)["What is kept from a bot"])
    assert [row[0].strip("`") for row in table if row[0].startswith("`")] == list(Guard)
