"""``make storm``: hundreds of kills and power losses, everything compared after each, and a report.

A storm is a row of voyages, each on its own folders and with its own market, drawn from (seed, voyage). With ``--report``
the voyages that are done are kept in that file, and the same command goes on after them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.bootstrap.outages.kills import Kills, warm
from hydra.bootstrap.outages.losses import Losses
from hydra.bootstrap.outages.weather import weather_of
from hydra.qc.outages.claims import SETTLED
from hydra.qc.outages.tally import Tally

FAULTS_A_VOYAGE = {"kills": 20, "losses": 25}
SHIPS: dict[str, Any] = {"kills": Kills, "losses": Losses}


@dataclass(slots=True, kw_only=True)
class Storm:
    """One command's work, and where it stands."""

    seed: int
    ends_at: float
    report: Path | None
    done: dict[str, dict[str, Any]] = field(default_factory=dict)

    def remember(self) -> None:
        """Take over the voyages of an earlier, unfinished command with the same seed."""
        if self.report is None or not self.report.exists():
            return
        told = json.loads(self.report.read_text())
        if told.get("seed") == self.seed:
            self.done = told["voyages"]
            print(f"going on after {len(self.done)} voyages of {self.report}")

    def sail(self, name: str, faults: int) -> list[str]:
        """One voyage. Returns what is wrong; the folders stay if anything is."""
        kind, number = name.split(":")
        folder = Path(tempfile.mkdtemp(prefix=f"hydra-storm-{kind}-{number}-"))
        tally, began = Tally(), time.monotonic()
        ship = SHIPS[kind](folder, int(number), self.seed, tally, weather_of(int(number)))
        try:
            for problems in ship.sail(faults):
                _say(f"\r{name}: {tally.faults}/{faults} {time.monotonic() - began:5.1f} s ")
                if problems:
                    return [*problems, f"what is left is in {folder}"]
                if time.monotonic() > self.ends_at:
                    break
        except Exception:  # noqa: BLE001  # whatever breaks on a voyage is a finding
            return [traceback.format_exc(), f"what is left is in {folder}"]
        shutil.rmtree(folder)
        tally.end_voyage()
        _say(f"\r{name}: {tally.faults} faults, {tally.on_orders} on orders, {time.monotonic() - began:.1f} s\n")
        if tally.faults >= faults:
            self.done[name] = tally.document()
            self.write()
        else:
            self.done[f"{name} (cut short)"] = tally.document()
        return []

    def write(self) -> None:
        """Keep what is done."""
        if self.report is not None:
            kept = {name: told for name, told in self.done.items() if "(" not in name}
            self.report.write_text(json.dumps({"seed": self.seed, "voyages": kept}, indent=1) + "\n")


def main(arguments: list[str]) -> int:
    """Exit code 0 when every claim held, 1 when one did not."""
    options = _options(arguments)
    ends_at = time.monotonic() + options.seconds if options.seconds else float("inf")
    storm = Storm(seed=options.seed, ends_at=ends_at, report=options.report)
    storm.remember()
    base = Path(tempfile.mkdtemp(prefix="hydra-storm-warm-"))
    warm(base)
    base.rmdir()
    assert threading.active_count() == 1, "a fork must not inherit threads"
    began = time.monotonic()
    for name, faults in _plan(options):
        if name in storm.done:
            continue
        if time.monotonic() > ends_at:
            print(f"{options.seconds} s are over before {name}")
            break
        problems = storm.sail(name, faults)
        if problems:
            print("\n\nBROKEN\n" + "\n".join(problems))
            print(f"\nagain: {sys.executable} -m tests.storm --seed {options.seed} --voyage {name}")
            return 1
    _summary(storm, time.monotonic() - began)
    return 0


def _plan(options: argparse.Namespace) -> Iterator[tuple[str, int]]:
    if options.voyage:
        yield options.voyage, FAULTS_A_VOYAGE[options.voyage.split(":")[0]]
        return
    for kind, total in (("kills", options.kills), ("losses", options.losses)):
        size = FAULTS_A_VOYAGE[kind]
        for number, begun in enumerate(range(0, total, size)):
            yield f"{kind}:{number}", min(size, total - begun)


def _summary(storm: Storm, seconds: float) -> None:
    for kind in SHIPS:
        told = [document for name, document in storm.done.items() if name.startswith(kind)]
        if not told:
            continue
        print(f"\n{kind}: {_total(told, 'faults')}, {_total(told, 'on_orders')} of them on the sending of orders")
        for table in ("comparisons", "found", "excuses", "places"):
            rows: dict[str, int] = {}
            for document in told:
                for key, count in document[table].items():
                    rows[key] = rows.get(key, 0) + count
            print(f"  {table}:")
            for key, count in sorted(rows.items(), key=lambda row: -row[1]):
                print(f"    {count:7}  {key}")
    print("\nheld after every one of them:")
    for claim in SETTLED:
        print(f"  {claim.__name__.replace('_', ' ')}")
    print(f"\n{seconds:.0f} s")


def _total(told: list[dict[str, Any]], name: str) -> int:
    return sum(document[name] for document in told)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.storm", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200, help="kill -9 at so many moments")
    parser.add_argument("--losses", type=int, default=500, help="power losses")
    parser.add_argument("--seed", type=int, default=1, help="what all chance derives from")
    parser.add_argument("--seconds", type=float, default=0, help="begin nothing new after so many seconds; 0: no limit")
    parser.add_argument("--report", type=Path, help="a JSON file of what was done; go on after it if it is there")
    parser.add_argument("--voyage", default="", help="only this voyage, such as kills:3 or losses:0")
    options = parser.parse_args(arguments)
    kind, _, number = options.voyage.partition(":")
    if options.voyage and (kind not in SHIPS or not number.isdecimal()):
        parser.error(f"--voyage {options.voyage}: expected kills:N or losses:N")
    return options


def _say(words: str) -> None:
    print(words, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
