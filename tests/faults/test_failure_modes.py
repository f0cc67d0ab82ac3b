"""The page of failure modes names tests that exist, and at least one for every failure."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.pages import ROOT, read, rows, sections

PAGE = read("reference/failure-modes.md")
CHAPTERS = {"Orders and positions": 11, "Health": 11, "Strategy code": 4, "Alpaca and its client": 19}
NODE = re.compile(r"(?P<path>tests/[a-z0-9_/]+\.py)::(?:(?P<scene>[A-Za-z]+)::)?(?P<name>test_[a-z0-9_]+)")


@cache
def names_in(path: str) -> frozenset[tuple[str, str]]:
    """(class or nothing, name) of every test of a file."""
    found: set[tuple[str, str]] = set()
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        scene = node.name if isinstance(node, ast.ClassDef) else ""
        for each in node.body if isinstance(node, ast.ClassDef) else [node]:
            if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"):
                found.add((scene, each.name))
    return frozenset(found)


@pytest.mark.parametrize(("chapter", "count"), CHAPTERS.items())
def test_every_failure_is_held_by_tests_that_exist(chapter: str, count: int) -> None:
    told = rows(sections(PAGE, 2)[chapter])
    assert len(told) == count
    for what, instead, tests in told:
        assert what
        assert instead
        named = [NODE.fullmatch(each.strip().strip("`")) for each in tests.split(",")]
        assert named, what
        for each in named:
            assert each is not None, tests
            assert (each["scene"] or "", each["name"]) in names_in(each["path"]), each[0]
