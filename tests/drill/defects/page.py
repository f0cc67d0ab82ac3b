"""The page of the planted defects: ``docs/reference/planted-defects.md``, out of the table and of what was seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.docs.pages import DOCS
from tests.drill.defects.defect import Defect
from tests.drill.defects.exercise import Seen
from tests.drill.defects.table import CHAPTERS, DEFECTS

PAGE = DOCS / "reference" / "planted-defects.md"
_LONGEST = 240
_HEAD = """# Planted defects

What a preflight is worth shows when something is wrong. `make drill` plants each of these {count} defects into a healthy Hydra, on real folders and with the real
commands, one at a time, and this is what came of it. The rows are `tests/drill/defects`; the page is written by `python -m tests.drill.defects --write`, and a
test holds it complete.

Each is played like this, on a system that `hydra qc` has passed and that holds a position and would go on entering:

1. the defect is planted, and `hydra run` is tried with the certificate from before (*certified*),
2. `hydra qc` is asked: the check named here has to fail, with the numbers in its reason, and the command to end with 1, or with 2 for a configuration,
3. `hydra run` is tried as if `qc` had never passed (*uncertified*),
4. it is mended, and `hydra qc` has to pass with 0.

The two columns are the exit codes of the runs. One that ends with 2, 3 or 4 was refused: nothing was sent, at the venue and in the journal. One that ends with 0 went on without
letting an entry out: a gate was shut in every cycle, or a latched halt let it only reduce. `-` means that a run does not ask: `qc` does, and what it finds keeps it from leaving the
next certificate. What the certificate alone finds is refused by `hydra run` itself, and mended by `hydra qc`. A warning (*advice*) stops nothing.

The other side of it: on a sound system `hydra qc` passed in each of 100 runs (`tests/drill/defects/test_clean.py`): other markets, hours of the day, positions held, crashes, torn
lines, halts that were lifted, umask 022 and 077, bots in processes, practice.
"""
_TABLE = """
| defect | how it is planted | found by | what it said | certified | uncertified | mended by |
|---|---|---|---|---|---|---|
"""


def write(seen: Mapping[str, Seen], page: Path = PAGE) -> None:
    """Write the page. Every defect must have been seen and caught."""
    missing = [defect.name for defect in DEFECTS if defect.name not in seen or seen[defect.name].problems]
    if missing:
        raise SystemExit(f"not written: {len(missing)} were not caught: {', '.join(missing)}")
    text = _HEAD.format(count=len(DEFECTS))
    for chapter, rows in CHAPTERS.items():
        text += f"\n## {chapter}\n{_TABLE}" + "".join(_row(defect, seen[defect.name]) for defect in rows)
    page.write_text(text, encoding="utf-8")


def cells_of(defect: Defect) -> tuple[str, str, str]:
    """What the page must say of a defect whatever was seen: how it is planted, what finds it, how it is mended."""
    found = f"`{defect.check}`" + (" (advice)" if defect.qc == 0 else "")
    return defect.planted, found, defect.mended


def _row(defect: Defect, seen: Seen) -> str:
    planted, found, mended = cells_of(defect)
    ran = [_code(seen.after), "-" if defect.by_run else _code(seen.before)]
    cells = (defect.name, planted, found, _said(defect, seen.reason), *ran, mended)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _code(ran: tuple[int, str] | None) -> str:
    return "-" if ran is None else str(ran[0])


def _said(defect: Defect, reason: str) -> str:
    """Its words, without the folder they were played in, around what the row expects."""
    plain = re.sub(r"/\S*?/(places/[^/\s]+|program)/", "", " ".join(reason.split()))
    found = re.search(defect.reason, plain)
    assert found is not None, (defect.name, plain)
    if len(plain) > _LONGEST:
        begin = max(0, min(found.start(), found.end() - _LONGEST))
        end = max(found.end(), begin + _LONGEST)
        plain = ("… " if begin else "") + plain[begin:end] + (" …" if end < len(plain) else "")
    return plain.replace("<", "&lt;").replace("*", "\\*")
