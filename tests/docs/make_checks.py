"""The table of ``docs/reference/checks.md``, out of the plugs that are installed: ``python -m tests.docs.make_checks``."""

from __future__ import annotations

from collections.abc import Iterable

from hydra.bootstrap.checks import plugs_of
from hydra.bootstrap.mend import CURE_OF
from hydra.qc.lists import LISTS
from hydra.qc.matters import why
from hydra.qc.plug import CheckPlug
from tests.docs.pages import DOCS

PAGE = DOCS / "reference" / "checks.md"
HEAD = "| check | asked by | question | why it matters | weight | what to do | what `--fix` does |\n|---|---|---|---|---|---|---|\n"
NOTHING = "nothing: it is yours to judge"


def plugs() -> dict[str, CheckPlug]:
    """Every plug of every list, each once, in the order in which they are asked."""
    names = dict.fromkeys(name for row in LISTS.values() for name in row)
    found = plugs_of(names)
    missing = {name: plug for name, plug in found.items() if not isinstance(plug, CheckPlug)}
    assert not missing, missing
    return {name: plug for name, plug in found.items() if isinstance(plug, CheckPlug)}


def asked_by(name: str) -> str:
    """The commands whose lists have it."""
    words = {"full": "qc --full"}
    return ", ".join(f"`{words.get(row, row)}`" for row, names in LISTS.items() if name in names)


def table() -> str:
    """A line for every check."""
    return HEAD + "".join(_row(plug) for plug in plugs().values())


def _row(plug: CheckPlug) -> str:
    weight = "critical" if plug.critical else "advisory"
    cure = CURE_OF.get(plug.name)
    matters = why(plug.name, critical=plug.critical)
    fix = NOTHING if cure is None else cure.does
    return _line(f"`{plug.name}`", asked_by(plug.name), plug.question, matters, weight, plug.remedy, fix)


def _line(*cells: str) -> str:
    return f"| {' | '.join(_cells(cells))} |\n"


def _cells(cells: Iterable[str]) -> Iterable[str]:
    return (cell.replace("|", "\\|") for cell in cells)


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text[: text.index(HEAD)] + table(), encoding="utf-8")
