"""The page and the terminal: everything is said, nothing foreign gets through, and what is not known is said to be that."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console, RenderableType

from hydra.cli.screen.scored import scored
from hydra.cli.screen.scored_control import controlled, verdict
from hydra.gladiators.score.against import Controlled, against
from hydra.gladiators.score.score import Score, score
from hydra.study.tournament.document import document
from hydra.study.tournament.page import page
from hydra.study.tournament.sources import Tournament, tournament
from tests.gladiators.score.world import Seat, row
from tests.study.tournament.left import add_votes, leave

HOSTILE = "<script>alert(1)</script>\x1b[31m"


def scored_source(folder: Path) -> tuple[Score, Tournament]:
    source = tournament(folder)
    return score(source.rows, source.prices, source.terms), source


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Score, Tournament]:
    folder = tmp_path_factory.mktemp("tournament")
    leave(folder, iterations=300)
    return scored_source(folder)


def broken(whole: tuple[Score, Tournament]) -> Controlled:
    rows = whole[1].rows
    turned = [msgspec.structs.replace(one, vote=rows[0].vote) if one.voted else one for one in rows]
    return against("headline", turned, rows)


def shown(thing: RenderableType, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False, color_system=None).print(thing)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_is_wider_than_the_terminal_and_no_figure_is_cut(whole: tuple[Score, Tournament], width: int) -> None:
    for thing in (scored(*whole), controlled(broken(whole))):
        text = shown(thing, width)
        assert max(len(line.rstrip()) for line in text.splitlines()) <= width
        assert "…" not in text
    text = shown(scored(*whole), width)
    for name in ("seat A", "shadow X1", "consensus", "always BUY", "momentum", "buy and hold", "learnt weights"):
        assert re.search(rf"^{name} ", text, re.MULTILINE), name
    assert "random voters" in text
    assert "timeout" in text
    assert "better: may be promoted" in text.replace("\n", " ") or "not enough data" in text


def test_the_page_has_every_part_and_loads_nothing(whole: tuple[Score, Tournament]) -> None:
    text = page(*whole, broken(whole))
    for title in (
        "Leaderboard", "What may be said", "Said and come", "The seats", "Abstentions by reason", "How much of it could have been read",
        "The consensus and chance", "Who says what with whom", "What each seat adds", "Challengers in the shadow", "The control",
        "What it was made from", "What it leaves out",
    ):  # fmt: skip
        assert f"<h2>{title}</h2>" in text, title
    assert text.count("<svg") == 2
    assert not re.search(r"<script|src=|href=|url\(|http://|https://", text)
    assert "default-src" in text
    assert "52% about 4,904, 55% about 783 independent calls" in text
    _Balanced().feed(text)


def test_of_one_iteration_the_page_says_that_there_is_not_enough(tmp_path: Path) -> None:
    leave(tmp_path, iterations=1)
    done, source = scored_source(tmp_path)
    text = page(done, source)
    assert "not enough data: 1 independent calls, 30 are the least" in text
    assert "not enough data" in shown(scored(done, source), 80)


def test_of_abstentions_only_there_is_a_page_too(tmp_path: Path) -> None:
    add_votes(tmp_path, [row(n, Seat(name, engine="empty"), True, silent=True) for n in range(40) for name in "ABCD"])
    done, source = scored_source(tmp_path)
    assert "no calls" in page(done, source)
    assert "Nobody had written down" in page(done, source)
    assert "timeout 40" in shown(scored(done, source), 80)


def test_foreign_words_cannot_steer_the_page_or_the_terminal(tmp_path: Path) -> None:
    rows = [row(0, Seat("A", engine=HOSTILE), True), row(0, Seat("B"), True, silent=True)]
    rows = [
        msgspec.structs.replace(one, why=HOSTILE if not one.voted else "", regime=HOSTILE, asset="<b>X") for one in rows
    ]
    add_votes(tmp_path, rows)
    done, source = scored_source(tmp_path)
    text = page(done, source)
    assert "<script>" not in text
    assert "<b>X" not in text
    assert "\x1b" not in text
    assert "\x1b" not in shown(scored(done, source), 80)


def test_the_document_is_json_and_money_is_text(whole: tuple[Score, Tournament]) -> None:
    told: dict[str, Any] = json.loads(json.dumps(document(*whole, broken(whole)), allow_nan=False))
    assert told["seats"][0]["cost"] == "0.3"
    assert told["agreed"]["random"]["rate"] == pytest.approx(told["agreed"]["random"]["buy"] * 2)
    assert told["learnt"]["weights"][0]["seat"] == "A"
    assert told["controlled"]["held"] is False
    assert told["duels"][0]["against"] == "B"
    assert told["seats"][3]["contamination"]["votes"] > 0


def test_a_control_says_what_broke_it(whole: tuple[Score, Tournament]) -> None:
    rows = whole[1].rows
    good = against("rescaled", rows, rows)
    assert verdict(good) == "control rescaled: every vote of the rules is the same vote"
    bad = broken(whole)
    assert verdict(bad).startswith("control headline: rules broke it: A ")
    assert "became" in shown(controlled(bad), 80)
    assert "openai:model (a model)" in shown(controlled(bad), 120)


class _Balanced(HTMLParser):
    """Every element that is opened is closed, in order."""

    VOID = frozenset({"meta", "line", "rect", "path", "circle", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag
