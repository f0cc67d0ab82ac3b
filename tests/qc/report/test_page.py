"""The page of a full check: its structure, that nothing foreign becomes markup, and that it stays a page however much there is to tell."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from hydra.qc.report.html import tag
from hydra.qc.report.page import page
from hydra.qc.report.plot import shown, timing_plot

EVIL = "</td><script>alert(1)</script><img src=x onerror=alert(1)> \"'&\u202e\x1b[2J\ud800"
DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parent / "full.json").read_text(encoding="utf-8"))


class Reader(HTMLParser):
    """What a browser would make of a page: its elements in order, their attributes, and the text."""

    VOID = frozenset({"meta", "line", "rect", "path", "circle"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.headings: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            return
        self.text.append(data)
        if self._open and self._open[-1] in ("h1", "h2"):
            self.headings.append(data)


def test_the_page_has_its_parts_in_their_order() -> None:
    read = Reader(page(DOCUMENT))
    assert read.headings == [
        "Not allowed to trade",
        "What was asked",
        "Checks",
        "Rehearsal",
        "Kill and recover",
        "Replay identity",
        "Bot stress",
        "Timing",
        "Backup and restore",
        "How to repeat it",
        "What this does not prove",
    ]
    text = " ".join(read.text)
    for told in (
        "PRACTICE",
        "1 of 4 checks failed: rehearsal",
        "9f3c9f3c9f3c9f3c",
        "repeat it with the command",
        "hydra qc --full --config configs/paper.toml --seed 7 --storms 60",
        "hydra qc --full --config configs/paper.toml --seed 7 --voyage 13",
        "no entry leaves with a gate shut",
        "spread blowout",
        "broker.submit.after",
        "interval 5.00 s",
    ):
        assert told in text
    assert "svg" in read.tags


def test_checks_that_failed_stand_first() -> None:
    text = page(DOCUMENT)
    assert text.index(">FAIL<") < text.index(">WARN<") < text.index(">PASS<")


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    text = page(DOCUMENT)
    read = Reader(text)
    assert not set(read.tags) & {"script", "link", "iframe", "img", "object", "embed", "base", "form", "a"}
    names = {name for name, _ in read.attributes}
    assert not names & {"src", "href", "srcset", "action", "style"}
    assert not any(name.startswith("on") for name in names)
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text.replace("&#x27;", "'")
    assert not re.search(r"@import|url\(", text)


def spoiled(value: Any) -> Any:
    """The same document with every word, names included, made hostile."""
    if isinstance(value, dict):
        return {f"{key}{EVIL}" if not KNOWN.match(key) else key: spoiled(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [spoiled(inner) for inner in value]
    return f"{value}{EVIL}" if isinstance(value, str) else value


KNOWN = re.compile(r"[a-z_]+$")


def test_hostile_words_never_become_markup() -> None:
    plain, evil = Reader(page(DOCUMENT)), Reader(page(spoiled(DOCUMENT)))
    assert set(evil.tags) <= set(plain.tags)
    assert {name for name, _ in evil.attributes} <= {name for name, _ in plain.attributes}
    text = page(spoiled(DOCUMENT))
    assert text.encode("utf-8")
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "alert(1)" in text, "it is shown, as the text it is"


@pytest.mark.parametrize("document", [{}, {"trials": {"rehearsal": {}, "timing": {"micros": {}}}}, {"checks": [{}]}])
def test_a_document_with_little_in_it_is_a_page_that_says_no(document: dict[str, Any]) -> None:
    assert "Not passed" in Reader(page(document)).headings


@pytest.mark.parametrize("name", ["rehearsal", "kill_and_recover", "replay_identity", "bot_stress", "timing"])
def test_what_has_no_place_of_its_own_is_shown_all_the_same(name: str) -> None:
    told = {**DOCUMENT["trials"][name], "a_new_thing": {"counted": 12345}}
    text = page({**DOCUMENT, "trials": {name: told, "a_new_trial": {"found": ["x-y-z"]}}})
    assert "a new thing" in text
    assert "12,345" in text
    assert "x-y-z" in text


def test_the_page_stays_small_however_much_there_is_to_tell() -> None:
    many = {f"kind {number}": number for number in range(50_000)}
    check = {"name": "x" * 100_000, "status": "fail", "reason": "y" * 1_000_000, "ms": 1.0}
    lines = [f"{number} beats" for number in range(100_000)]
    broken = [{"voyage": 1, "problems": lines, "told": lines, "again": "z"}]
    rehearsal = {"claims": many, "faults": many, "crossed": {"calm": many}, "broken": broken}
    text = page({"checks": [check] * 1000, "trials": {"rehearsal": rehearsal, "kill_and_recover": {"places": many}}})
    assert len(text) < 3_000_000
    assert "49,800 more" in text
    Reader(text)


def test_an_interval_that_is_exceeded_is_marked() -> None:
    within = timing_plot({"p50": 900.0, "p99": 4_000_000.0}, 5_000_000)
    beyond = timing_plot({"p50": 900.0, "p99": 6_000_000.0}, 5_000_000)
    assert within.count('class="over"') == 1
    assert beyond.count('class="over"') == 2
    assert timing_plot({}, None) == ""


def test_times_have_the_unit_that_suits_them() -> None:
    assert [shown(micros) for micros in (3.2, 1500, 61_000, 5_000_000)] == ["3 µs", "1.5 ms", "61.0 ms", "5.00 s"]


def test_text_is_escaped_and_markup_is_not() -> None:
    assert (
        tag("p", "a < b", tag("b", "&"), None, 1234, class_='x"y')
        == '<p class="x&quot;y">a &lt; b<b>&amp;</b>1,234</p>'
    )
