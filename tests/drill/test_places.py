"""What is too long for the gate is rehearsed by a command: a test that is marked and named nowhere would never be run."""

from __future__ import annotations

from pathlib import Path

from tests.drill.__main__ import ELSEWHERE, PLACES

TESTS = Path(__file__).resolve().parents[1]
MARK = "mark." + "drill"


def test_every_test_that_is_marked_has_a_command_that_runs_it() -> None:
    marked = {path for path in TESTS.rglob("test_*.py") if MARK in path.read_text()}
    assert len(marked) > 10
    assert [path for path in sorted(marked) if not any(path.is_relative_to(it) for it in (*PLACES, *ELSEWHERE))] == []


def test_every_place_is_there() -> None:
    assert [place for place in (*PLACES, *ELSEWHERE) if not place.exists()] == []
