"""The page: whole, safe, and true to the points it leaves out."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.orders import Purpose, Side
from hydra.study.figures import WHOLE
from hydra.study.report.chart import ticks
from hydra.study.report.page import NOTHING, page
from hydra.study.report.thin import thin
from hydra.study.study import study
from tests.docs.pages import read, rows, sections
from tests.study.tape import Tape, recorded, voyage
from tests.study.test_by_hand import two_trades


class _Elements(HTMLParser):
    """Every element with its attributes, and whether all are closed."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def elements(text: str) -> _Elements:
    parser = _Elements()
    parser.feed(text)
    assert parser.open == []
    return parser


@pytest.mark.parametrize("seed", [5, 40])
def test_the_page_loads_nothing_and_runs_nothing(seed: int) -> None:
    text = page(study(recorded(voyage(seed))), facts={"journal": "logs/r.*", "data": ["SPY.csv"]})
    found = elements(text).found
    assert {name for name, _ in found} & {"script", "link", "img", "iframe", "object", "form", "a"} == set()
    assert not any(key.startswith("on") or key in ("src", "href") for _, attributes in found for key in attributes)
    assert re.search(r"https?:|url\(|@import", text) is None
    policy = next(a["content"] for name, a in found if name == "meta" and a.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def test_everything_that_was_earned_is_on_it() -> None:
    done = study(two_trades().recorder)
    text = page(done, title="A Monday", facts={"data": ["SPY.csv abc123"]})
    for words in (
        "A Monday",
        "+$17.00",
        "0.17%",
        "SPY.csv abc123",
        "a" * 64,
        "c" * 64,
        "SPY: prices and fills",
        "not enough data",
    ):
        assert words in text
    for figure in WHOLE:
        assert figure.title in text
        assert figure.formula.replace("'", "&#x27;").replace("<", "&lt;") in text


def test_words_of_bots_and_venues_stay_words() -> None:
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    evil = "<script>alert(1)</script>"
    bought = tape.order(Side.BUY, "1", "SPY", Purpose.ENTRY, bot=evil)
    tape.look("10000", {"SPY": "101"}, fills=(tape.fill(bought, "100"),))
    text = page(study(tape.recorder), title=evil)
    assert evil not in text
    assert "&lt;script&gt;" in text
    elements(text)


def test_a_page_of_nothing_says_so() -> None:
    assert escape(NOTHING) in page(study(Tape().recorder))


def test_the_page_of_many_points_stays_small() -> None:
    tape = Tape()
    for _ in range(6000):
        tape.look(str(10000 + tape.cycle % 7), {"SPY": str(100 + tape.cycle % 11)})
    text = page(study(tape.recorder))
    assert len(text) < 200_000


@settings(derandomize=True, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(1, 50))
def test_thinning_keeps_every_columns_extremes(drawn: list[float], columns: int) -> None:
    values = np.array(drawn)
    kept = thin(values, columns)
    assert len(kept) <= max(4 * columns, len(values) if len(values) <= 4 * columns else 0)
    assert np.all(np.diff(kept) > 0)
    assert values[kept].min() == values.min()
    assert values[kept].max() == values.max()
    assert (kept[0], kept[-1]) == (0, len(values) - 1)


@settings(derandomize=True)
@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9))
def test_ticks_are_few_round_and_inside(low: float, wide: float) -> None:
    found = ticks(low, low + wide)
    assert len(found) <= 6
    assert all(low <= value <= low + wide for value in found)


def test_the_reference_has_every_figure_with_its_name_and_unit() -> None:
    documented: dict[str, str] = {}
    for part in sections(read("reference/statistics.md"), 2).values():
        if "| figure |" in part:
            documented |= {row[0].strip("`"): row[1] for row in rows(part)}
    named = {figure.name: figure.unit.value for figure in WHOLE}
    assert documented == named
