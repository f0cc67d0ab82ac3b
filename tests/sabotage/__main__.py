"""``python -m tests.sabotage [NAME...]``: play sabotages whose name has one of the words, and say what noticed each."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.sabotage.play import copy_program, run_tool, spoil
from tests.sabotage.table import SABOTAGES


def main(words: list[str]) -> int:
    """0 when each was noticed in time, by a claim that is meant for it."""
    missed = 0
    for name, sabotage in SABOTAGES.items():
        if words and not any(word in name for word in words):
            continue
        with tempfile.TemporaryDirectory(prefix="hydra-sabotage-") as folder:
            copy_program(Path(folder))
            spoil(Path(folder), sabotage)
            noticed = run_tool(Path(folder), sabotage)
        claim = noticed.claim(sabotage)
        caught = bool(claim) and noticed.code == 1
        missed += not caught
        print(f"{'caught' if caught else 'MISSED'} {noticed.seconds:5.1f} s  {name}", flush=True)
        print(f"        {claim[:160] if claim else noticed.said[-600:]}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
