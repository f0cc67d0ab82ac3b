"""By hand: ``python -m tests.e2e.golden [--write] [--part] [part of a name]`` plays the days and prints them.

``--write`` keeps what came of it as the golden files, of which git then shows what changed: look at it before it is committed.
``--part`` plays only the slices that every test run plays.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from tests.e2e.both_doors import RealDay
from tests.e2e.golden import checks
from tests.e2e.golden.days import DAYS, kept, play
from tests.e2e.golden.told import read, told
from tests.shared_data import shared_data


def main(arguments: list[str]) -> int:
    """Play the days whose names have this part; 1 when a check does not hold."""
    options = {word for word in arguments if word.startswith("--")}
    part = next((word for word in arguments if word not in options), "")
    spans = (False,) if "--part" in options else (False, True)
    return max(_one(day, whole, "--write" in options) for day in DAYS if part in day.name for whole in spans)


def _one(day: RealDay, whole: bool, write: bool) -> int:
    folder = Path(tempfile.mkdtemp(prefix=f"golden-{day.name}-"))
    began = time.monotonic()
    played = play(day, folder, day.day if whole else day.hour)
    events = list(read_journal(RealFiles(), played.logs))
    text = told(day.name, read(events), played.document)
    bars, quotes = checks.rows_of(shared_data(), day.files)
    broken = [
        *checks.impossible_fills(checks.fills_of(events), bars, quotes),
        *checks.wrong_profits(events, played.document),
        *checks.unexplained(events),
    ]
    print(text)
    print(f"{kept(day, whole=whole).name}: {time.monotonic() - began:.1f} s, in {folder}", *broken, sep="\n  BROKEN ")
    if write:
        kept(day, whole=whole).write_text(text, encoding="utf-8")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
