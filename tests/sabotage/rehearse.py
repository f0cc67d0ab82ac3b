"""``python -m tests.sabotage.rehearse``: the rehearsal of the default policy, voyage by voyage, until a claim is broken.

Exit code 1 when one is: the command by which sabotages of what only the regimes and storms of a rehearsal bring about are noticed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.rehearsal import world
from hydra.qc.crew import Crew, Job, Lost
from hydra.qc.rehearsal.play import Played, play

POLICY = Path(__file__).resolve().parents[2] / "configs" / "paper.toml"
SEED, VOYAGES, CORES, VOYAGE_SECONDS = 1, 58, 2, 60.0


def played(voyage: int) -> Played:
    """One voyage of the default policy."""
    return play(world, load_policy(POLICY, {}, None), SEED, voyage)


def main() -> int:
    """1 when a claim was broken."""
    from tests.sabotage.rehearse import played as importable  # a worker has no such __main__

    with Crew(CORES, deadline_seconds=VOYAGE_SECONDS) as crew:
        for job, answer in crew.play(Job(importable, (voyage,)) for voyage in range(1, VOYAGES + 1)):
            problems = [answer.reason] if isinstance(answer, Lost) else answer.problems
            if problems:
                print(f"BROKEN voyage {job.arguments[0]}: {problems[0]}")
                return 1
    print(f"{VOYAGES} voyages: every claim held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
