"""Command start: ours beside a bare Typer application, in turn, each in a fresh process.

``python -m benchmarks.start [--rounds 9]``. One round is thrown away first, so that the byte code and the disk's cache are
warm for everybody. ``hydra status`` reads a state folder that three cycles of a paper run have left. The last line is one
JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from benchmarks.cycle import machine

HERE = Path(__file__).resolve().parent
BARE = str(HERE / "apps" / "bare_typer.py")
CONFIG = str(HERE.parent / "configs" / "paper.toml")
HYDRA = str(Path(sys.executable).parent / "hydra")
PEER = "bare Typer app --help"


def commands(folders: list[str]) -> dict[str, list[str]]:
    """What is started, by the name in the table."""
    python = sys.executable
    return {
        "python -c pass": [python, "-c", "pass"],
        "import typer": [python, "-c", "import typer"],
        PEER: [python, BARE, "--help"],
        "bare Typer app run --help": [python, BARE, "run", "--help"],
        "bare Typer app run": [python, BARE, "run"],
        "hydra --help": [HYDRA, "--help"],
        "hydra run --help": [HYDRA, "run", "--help"],
        "hydra --version": [HYDRA, "--version"],
        "hydra status": [HYDRA, "status", *folders],
        "hydra status --json": [HYDRA, "status", "--json", *folders],
    }


def once(command: list[str], environment: dict[str, str]) -> float:
    """Seconds from start to exit."""
    began = perf_counter()
    subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        check=False,
    )
    return perf_counter() - began


def prepare(folders: list[str], environment: dict[str, str]) -> None:
    """A state folder such as a run leaves."""
    for command in (["qc"], ["run", "--cycles", "3"]):
        made = subprocess.run([HYDRA, *command, *folders], capture_output=True, text=True, env=environment, check=False)
        if made.returncode:
            sys.exit(f"hydra {' '.join(command)} ended with {made.returncode}: {made.stderr or made.stdout}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HYDRA_")}
    environment |= {"TERM": "dumb", "COLUMNS": "100"}
    with tempfile.TemporaryDirectory(prefix="hydra-bench-") as folder:
        folders = ["--config", CONFIG, "--state-dir", f"{folder}/state", "--log-dir", f"{folder}/logs"]
        prepare(folders, environment)
        seconds: dict[str, list[float]] = {name: [] for name in commands(folders)}
        for turn in range(rounds + 1):
            for name, command in commands(folders).items():
                second = once(command, environment)
                if turn:
                    seconds[name].append(second)
    peer = statistics.median(seconds[PEER])
    print("| command | median ms | min | max | x bare Typer --help |\n|---|---|---|---|---|")
    for name, took in seconds.items():
        middle, least, most = (1000 * figure for figure in (statistics.median(took), min(took), max(took)))
        print(f"| {name} | {middle:.0f} | {least:.0f} | {most:.0f} | {middle / 1000 / peer:.2f} |")
    print(
        json.dumps(
            {
                "machine": machine(),
                "rounds": rounds,
                "seconds": {n: [round(s, 4) for s in t] for n, t in seconds.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
