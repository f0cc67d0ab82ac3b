"""Elements of a page: text is escaped unless an element made it. Text never brings control or direction marks onto the page."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

VOID: Final = frozenset({"meta", "line", "rect", "path", "circle"})
_TEXT_MOST: Final = 4000


class Html(str):
    """Markup: already escaped."""

    __slots__ = ()


Child = str | int | float | None | Iterable["Child"]
"""What stands inside an element: text (escaped), markup, a number, nothing, or several of them."""


def tag(name: str, /, *children: Child, **attributes: str | float | None) -> Html:
    """An element. ``class_`` is ``class``, other underscores are hyphens; an attribute that is ``None`` is left out."""
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(text(str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inside = join(children)
    return Html(f"<{name}{told}/>" if name in VOID else f"<{name}{told}>{inside}</{name}>")


def join(children: Iterable[Child]) -> Html:
    """Several children after one another."""
    return Html("".join(_one(child) for child in children))


def text(plain: str) -> str:
    """A foreign text as it may stand on a page: cut when it is very long, and without marks that cannot be seen."""
    cut = plain if len(plain) <= _TEXT_MOST else f"{plain[:_TEXT_MOST]} … (cut, {len(plain):,} characters)"
    return (
        cut if cut.isprintable() else "".join(mark if mark.isprintable() or mark == "\n" else "\ufffd" for mark in cut)
    )


def _one(child: Child) -> str:
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, str):
        return escape(text(child))
    if isinstance(child, int | float):
        return escape(f"{child:,}")
    return join(child)
