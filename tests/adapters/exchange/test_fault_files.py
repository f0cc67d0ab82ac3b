"""A fault file says what it means or is refused, with the file, the rule and the key."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hydra.adapters.exchange.fault_files import (
    FILE_BYTES_MAX,
    parse_body,
    parse_plan,
    parse_rule,
    read_faults,
    rule_document,
)
from hydra.adapters.exchange.fault_table import MEANINGS, FaultKind
from hydra.adapters.exchange.faults import Rule
from hydra.model.errors import BadConfig


def written(folder: Path, text: str) -> Path:
    path = folder / "faults.toml"
    path.write_text(text)
    return path


def test_a_file_is_read_with_every_key(tmp_path: Path) -> None:
    text = """
seed = 7

[[faults]]
fault = "timeout_after"
on = "submit"
every = 2
times = 3
after = 2024-03-04T14:30:00Z
until = 2024-03-04T16:30:00+01:00
symbol = "SPY"
seconds = 0.5

[[faults]]
fault = "slow"
on = ["quotes", "GET /v2/assets*"]
probability = 0.1
ms = 250

[[faults]]
fault = "partial_fill"
nth = 2
fraction = 0.3
"""
    plan = read_faults(written(tmp_path, text))
    assert plan.seed == 7
    assert plan.rules == (
        Rule(
            fault=FaultKind.TIMEOUT_AFTER,
            on=("submit",),
            every=2,
            times=3,
            after=datetime(2024, 3, 4, 14, 30, tzinfo=UTC),
            until=datetime(2024, 3, 4, 15, 30, tzinfo=UTC),
            symbol="SPY",
            seconds=Decimal("0.5"),
        ),
        Rule(fault=FaultKind.SLOW, on=("quotes", "GET /v2/assets*"), probability=Decimal("0.1"), ms=Decimal(250)),
        Rule(fault=FaultKind.PARTIAL_FILL, nth=2, fraction=Decimal("0.3")),
    )


def test_an_empty_file_is_a_plan_without_faults(tmp_path: Path) -> None:
    assert read_faults(written(tmp_path, "")).rules == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("seed = ", "not TOML"),
        ("seed = -1", "seed: expected a whole number"),
        ("seed = 1.0", "seed: expected a whole number, .* got 1"),
        ("seed = true", "seed: expected a whole number, .* got True"),
        ("sede = 1", r"sede: unknown key \(did you mean seed\?\)"),
        ("faults = 1", r"faults: expected at most 1000 tables"),
        ("faults = [1]", "rule 1: expected a table, got 1"),
        ("[[faults]]", "rule 1: fault: missing; accepted: timeout_before"),
        ('[[faults]]\nfault = "timeout"', "rule 1 \\(timeout\\): fault: 'timeout' is no fault .did you mean timeout_"),
        ("[[faults]]\nfault = 500", "rule 1: fault: 500 is no fault"),
        ('[[faults]]\nfault = "500"', r"rule 1 \(500\): on: missing"),
        ('[[faults]]\nfault = "500"\non = "submit"\nnht = 1', r"nht: unknown key \(did you mean nth\?\)"),
        ('[[faults]]\nfault = "500"\non = []', "on: expected an operation or a list"),
        ('[[faults]]\nfault = "500"\non = [1]', "on: expected an operation or a list"),
        ('[[faults]]\nfault = "500"\non = "submit"\nnth = 1.0', "nth: expected a whole number, got 1"),
        ('[[faults]]\nfault = "500"\non = "submit"\nnth = true', "nth: expected a whole number, got True"),
        ('[[faults]]\nfault = "500"\non = "submit"\nnth = "1"', "nth: expected a whole number, got '1'"),
        ('[[faults]]\nfault = "500"\non = "submit"\nprobability = nan', "probability: expected a finite number"),
        ('[[faults]]\nfault = "500"\non = "submit"\nprobability = "0.1"', "probability: expected a number, got '0.1'"),
        ('[[faults]]\nfault = "500"\non = "submit"\nprobability = 1e-99', "a person would write"),
        ('[[faults]]\nfault = "500"\non = "submit"\nafter = 2024-03-04', "after: expected a time with its offset"),
        ('[[faults]]\nfault = "500"\non = "submit"\nafter = 2024-03-04T12:00:00', "after: expected a time with"),
        ('[[faults]]\nfault = "500"\non = "submit"\nafter = "noon"', "after: expected a time with its offset"),
        ('[[faults]]\nfault = "500"\non = "submit"\nsymbol = "spy"', "symbol: not a symbol: 'spy'"),
        ('[[faults]]\nfault = "500"\non = "submit"\nsymbol = 1', "symbol: expected a symbol"),
        ('[[faults]]\nfault = "slow"\non = "*"\nms = inf', "ms: expected a finite number"),
        ('[[faults]]\nfault = "slow"\non = "*"\nms = 0', "ms: expected a whole number, 1 to 600000, got 0"),
    ],
    ids=lambda text: text if isinstance(text, str) else None,
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(BadConfig, match=reason) as refusal:
        read_faults(path)
    assert str(refusal.value).startswith(f"{path}: ")


def test_the_number_of_the_rule_is_named(tmp_path: Path) -> None:
    good = '[[faults]]\nfault = "reject_exit"\n'
    with pytest.raises(BadConfig, match=r"rule 3 \(reject_exit\): nth: expected a whole number, 1 to"):
        read_faults(written(tmp_path, good * 2 + good + "nth = 0"))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="cannot be read: No such file"):
        read_faults(tmp_path / "none.toml")
    with pytest.raises(BadConfig, match="cannot be read: Is a directory"):
        read_faults(tmp_path)
    path = tmp_path / "bad"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadConfig, match="not UTF-8"):
        read_faults(path)
    path.write_bytes(b"#" * (FILE_BYTES_MAX + 1))
    with pytest.raises(BadConfig, match="a fault file has at most 1048576"):
        read_faults(path)


@pytest.mark.parametrize("kind", FaultKind)
def test_every_rule_can_be_shown_and_read_back(kind: FaultKind) -> None:
    numbers: dict[str, Any] = {name: number.least or Decimal(1) for name, number in MEANINGS[kind].numbers.items()}
    rule = Rule(fault=kind, on=("*",), nth=3, after=datetime(2024, 3, 4, tzinfo=UTC), **numbers)
    shown = json.dumps(rule_document(rule)).encode()
    assert parse_rule(parse_body(shown, "body"), "body") == rule


def test_numbers_of_a_body_are_taken_as_written() -> None:
    body = parse_body(b'{"fault": "500", "on": "submit", "probability": 0.1}', "body")
    assert parse_rule(body, "body").probability == Decimal("0.1")
    for text in (b"{", b'{"x": NaN}', b"\xff", b"[" * 100_000):
        with pytest.raises(BadConfig, match="body: not JSON"):
            parse_body(text, "body")


_KEYS = ("seed", "faults", "fault", "on", "nth", "every", "after", "symbol", "probability", "seconds", "ms")
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(list(FaultKind)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*_KEYS, "x"]), inner, max_size=5),
    max_leaves=12,
)


@given(_JSON)
def test_whatever_is_given_becomes_rules_or_a_refusal(document: object) -> None:
    found: object = None
    with suppress(BadConfig):
        found = parse_plan(document, "body")
    assert found is None or all(isinstance(rule, Rule) for rule in parse_plan(document, "body")[0])
