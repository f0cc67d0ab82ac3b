"""Reading the documents: pages, headings, tables, marked blocks and links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: the words after its fence, its text, and the line it begins in."""

    words: tuple[str, ...]
    text: str
    line: int


def read(name: str) -> str:
    """A page's text, by its path below ``docs``."""
    return (DOCS / name).read_text(encoding="utf-8")


def pages() -> list[Path]:
    """Every page below ``docs``."""
    return sorted(DOCS.rglob("*.md"))


def blocks(text: str) -> Iterator[Block]:
    """Every fenced block of a page."""
    for found in _FENCE.finditer(text):
        yield Block(tuple(found[1].split()), found[2], text.count("\n", 0, found.start()) + 1)


def links(text: str) -> list[str]:
    """The targets of every link outside of fenced blocks."""
    return _LINK.findall(_FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """What a link's ``#...`` may name: every heading as GitHub spells it."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def sections(text: str, level: int) -> dict[str, str]:
    """The text below each heading of a level, up to the next heading of that level or a higher one."""
    found: dict[str, str] = {}
    title, depth, inside = None, 0, False
    for line in text.splitlines():
        inside ^= line.startswith("```")
        heading = None if inside else re.match(r"(#+) (.+)", line)
        if heading:
            depth = len(heading[1])
            if depth <= level:
                title = heading[2] if depth == level else None
        if title is not None:
            found[title] = found.get(title, "") + line + "\n"
    return found


def rows(text: str) -> list[list[str]]:
    """The cells of every table row but headers and rules, without their backticks' padding."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    table: list[list[str]] = []
    for number, line in enumerate(lines):
        after = lines[number + 1] if number + 1 < len(lines) else ""
        if re.fullmatch(r"[|\s:-]+", line) or re.fullmatch(r"[|\s:-]+", after):
            continue
        table.append([cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))])
    return table
