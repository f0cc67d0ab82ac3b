"""The table of ``docs/reference/hostile-bots.md``, out of the library: ``python -m tests.docs.make_hostile``."""

from __future__ import annotations

from hydra.qc.hostile.table import HOSTILE
from tests.docs.pages import DOCS

PAGE = DOCS / "reference" / "hostile-bots.md"
HEAD = "| bot | tries | held by |\n|---|---|---|\n"


def table() -> str:
    """A line for every hostile bot, in the library's order."""
    return HEAD + "".join(f"| `{name}` | {bot.tries} | {bot.held_by} |\n" for name, bot in HOSTILE.items())


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text[: text.index(HEAD)] + table(), encoding="utf-8")
