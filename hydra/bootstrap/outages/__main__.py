"""``python -m hydra.bootstrap.outages``: one voyage of outages again, on a configuration, as the trial of ``hydra qc --full`` played it.

All its chance derives from the seed and the voyage's number; a process that is killed at a moment of the wall clock is killed at
another one each time, so a defect that needs such a moment may want several tries.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.outages.sail import FAULTS_A_VOYAGE, KINDS, sail
from hydra.model.errors import BadConfig


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every claim held, 1 when one did not, 2 for a line or a configuration that cannot be read."""
    options = _options(arguments)
    kind, _, number = options.voyage.partition(":")
    try:
        policy = None if options.config is None else load_policy(options.config, os.environ)
    except BadConfig as error:
        sys.stderr.write(f"{error}\n")
        return 2
    faults = options.faults or FAULTS_A_VOYAGE[kind]
    folder = Path(tempfile.mkdtemp(prefix="hydra-outages-"))
    sailed = sail(kind, options.seed, int(number), faults, folder, policy)
    for problem in sailed.problems:
        sys.stdout.write(f"{problem}\n")
    done = f"{sailed.tally['faults']} outages, {sailed.tally['on_orders']} of them on the sending of orders, {sailed.seconds} s"
    if sailed.problems:
        sys.stdout.write(f"broken after {done}; what is left is in {sailed.folder}\n")
        return 1
    folder.rmdir()
    sys.stdout.write(f"every claim held: {done}\n")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m hydra.bootstrap.outages", description="One voyage of outages again."
    )
    parser.add_argument("--config", type=Path, help="the configuration to play; without it, the storm's own busy one")
    parser.add_argument("--seed", type=int, default=1, help="what all chance derives from (1)")
    parser.add_argument("--voyage", default="losses:0", help="kills:N or losses:N (losses:0)")
    parser.add_argument("--faults", type=int, default=0, help="how many outages; 0: as many as the storm makes")
    options = parser.parse_args(arguments)
    kind, _, number = options.voyage.partition(":")
    if kind not in KINDS or not number.isdecimal():
        parser.error(f"--voyage {options.voyage}: expected kills:N or losses:N")
    return options


if __name__ == "__main__":
    sys.exit(main())
