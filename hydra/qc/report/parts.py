"""Tables, figures and lists of the page, each with a bound: a page that is sent must stay a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hydra.qc.report.html import Child, Html, tag

ROWS_MOST = 200
LINES_MOST = 400
_FOLDED_ABOVE = 30


def section(title: str, *children: Child) -> Html:
    """A part of the page with its heading."""
    return tag("section", tag("h2", title), children)


def figures(named: Mapping[str, Any]) -> Html:
    """The few numbers that matter, big; what is not known is left out."""
    known = {name: value for name, value in named.items() if value is not None}
    return tag(
        "div", [tag("div", tag("b", number(value)), tag("span", name), class_="figure") for name, value in known.items()], class_="figures"
    )  # fmt: skip


def number(value: Any) -> str:
    """A number as people read it; anything else as it is."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,}" if isinstance(value, int) else str(value)


def counts(rows: Mapping[str, Any], what: str, how: str = "times") -> Html:
    """Names and counts, the most frequent first."""
    ordered = sorted(rows.items(), key=lambda row: (-row[1] if isinstance(row[1], int | float) else 0, row[0]))
    return table((what, how), ((name, number(value)) for name, value in ordered), numbers={1}, class_="plain")


def table(
    heads: Sequence[str], rows: Iterable[Sequence[Child]], *, numbers: Iterable[int] = (), class_: str = ""
) -> Html:
    """A table that scrolls by itself where the page is too narrow; ``numbers`` are columns set to the right."""
    right = set(numbers)
    every = list(rows)
    body = [_row(row, right) for row in every[:ROWS_MOST]]
    if len(every) > ROWS_MOST:
        body.append(tag("tr", tag("td", f"and {len(every) - ROWS_MOST:,} more", colspan=len(heads), class_="soft")))
    head = tag("tr", [tag("th", name, class_="n" if place in right else None) for place, name in enumerate(heads)])
    return tag("div", tag("table", tag("thead", head), tag("tbody", body), class_=class_ or None), class_="wide")


def _row(row: Sequence[Child], right: set[int]) -> Html:
    return tag("tr", [tag("td", cell, class_="n" if place in right else None) for place, cell in enumerate(row)])


def grid(crossed: Mapping[str, Mapping[str, int]], corner: str) -> Html:
    """A table of counts by row and column; a pair that was never met is a point."""
    columns = list(dict.fromkeys(column for row in crossed.values() for column in row))
    head = tag("tr", tag("th", corner), [tag("th", column.replace("_", " "), class_="n") for column in columns])
    body = [
        tag(
            "tr",
            tag("td", name),
            [
                tag("td", number(row[column]), class_="n") if row.get(column) else tag("td", "·", class_="n none")
                for column in columns
            ],
        )
        for name, row in list(crossed.items())[:ROWS_MOST]
    ]
    return tag("div", tag("table", tag("thead", head), tag("tbody", body), class_="grid"), class_="wide")


def bullets(lines: Iterable[Any]) -> Html:
    """A list of sentences."""
    every = [str(line) for line in lines]
    more = [f"and {len(every) - ROWS_MOST:,} more"] if len(every) > ROWS_MOST else []
    return tag("ul", [tag("li", line) for line in (*every[:ROWS_MOST], *more)])


def listing(lines: Iterable[Any]) -> Html:
    """Lines as they are, in a fixed width; a long listing is folded up."""
    every = [str(line) for line in lines]
    more = [f"... and {len(every) - LINES_MOST:,} more lines"] if len(every) > LINES_MOST else []
    shown = tag("pre", [(line, "\n") for line in (*every[:LINES_MOST], *more)])
    return tag("details", tag("summary", f"{len(every):,} lines"), shown) if len(every) > _FOLDED_ABOVE else shown


def side_by_side(tables: Iterable[Child]) -> Html:
    """Small tables beside one another, as far as the page is wide."""
    return tag("div", [tag("div", table) for table in tables if table], class_="tables")


def facts(named: Mapping[str, Child]) -> Html:
    """Names and what they are."""
    return tag("dl", [(tag("dt", name), tag("dd", value)) for name, value in named.items()])


def anything(rest: Mapping[str, Any]) -> Html | None:
    """What a trial told that has no place of its own: nothing is kept from the reader."""
    if not rest:
        return None
    return facts({name.replace("_", " "): _words(value) for name, value in rest.items()})


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, list | tuple):
        return "; ".join(_words(inner) for inner in value) or "none"
    return "not known" if value is None else number(value)
