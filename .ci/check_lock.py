"""Do the lock files still answer pyproject.toml?

Works offline: nothing is resolved. A lock is good when

* its header carries the digest of the tables in pyproject.toml that decide what is installed,
  so that an edited dependency without a new lock is noticed even when the old pin still fits;
* every requirement is met by a pin, every pin is exact and has SHA-256 hashes;
* it names no address, so it installs from whatever index the machine is configured for;
* the development lock holds every pin of the run lock, so the tests run what users run;
* the specs lock, installed without dependencies, holds what is asked for by name and nothing else.

``--stamp`` writes the header into freshly compiled locks, then checks them. Exit code 1 with one
line for each thing that is wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

HEADER = re.compile(r"^# pyproject\.toml sha256:([0-9a-f]{64})$", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}(?=\s|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which tables of pyproject.toml a lock answers. ``alone`` locks only what they name, without dependencies."""

    groups: tuple[str, ...]
    extras: tuple[str, ...] = ()
    alone: bool = False


LOCKS: dict[str, Asked] = {
    "run": Asked(groups=("build",)),
    "dev": Asked(groups=("build",), extras=("postgres", "llm", "scale", "dev")),
    "specs": Asked(groups=("specs",), alone=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One locked version; ``version`` is None when the line does not pin exactly one."""

    line: str
    requirement: Requirement
    version: str | None
    hashes: int

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def applies_here(self) -> bool:
        marker = self.requirement.marker
        return marker is None or marker.evaluate()


def digest(pyproject: dict[str, Any]) -> str:
    """SHA-256 over the tables that decide what gets installed, independent of layout and comments."""
    project = pyproject["project"]
    tables = {
        "build-system": pyproject["build-system"]["requires"],
        "dependencies": project["dependencies"],
        "dependency-groups": pyproject.get("dependency-groups", {}),
        "optional-dependencies": project.get("optional-dependencies", {}),
        "requires-python": project["requires-python"],
    }
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()


def wanted(pyproject: dict[str, Any], asked: Asked) -> list[Requirement]:
    """What a lock has to satisfy: its groups and, unless it stands alone, build tools, run dependencies and extras."""
    project = pyproject["project"]
    texts = [] if asked.alone else [*pyproject["build-system"]["requires"], *project["dependencies"]]
    for group in asked.groups:
        texts += pyproject["dependency-groups"][group]
    for extra in asked.extras:
        texts += project["optional-dependencies"][extra]
    return [Requirement(text) for text in texts]


def read_pins(text: str) -> tuple[list[Pin], list[str]]:
    """The pins of a lock file, and a complaint for every line that is not one."""
    pins: list[Pin] = []
    wrong: list[str] = []
    body = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in filter(None, map(str.strip, body.replace("\\\n", " ").splitlines())):
        stated = line.split(" --hash=", 1)[0].strip()
        try:
            requirement = Requirement(stated)
        except InvalidRequirement:
            wrong.append(f"not a pinned requirement: {stated}")
            continue
        exact = [clause for clause in requirement.specifier if clause.operator == "==" and "*" not in clause.version]
        version = exact[0].version if len(exact) == len(requirement.specifier) == 1 else None
        pins.append(Pin(line=stated, requirement=requirement, version=version, hashes=len(HASH.findall(line))))
    return pins, wrong


def unmet(requirement: Requirement, pins: list[Pin]) -> str | None:
    """Why no pin meets the requirement, or None when one does."""
    candidates = [pin for pin in pins if pin.name == canonicalize_name(requirement.name)]
    if requirement.marker is not None and not requirement.marker.evaluate():
        return None
    if not any(pin.applies_here for pin in candidates):
        return f"{requirement} is not locked"
    outside = [pin.line for pin in candidates if pin.version is None or pin.version not in requirement.specifier]
    return f"{requirement} is not met by {', '.join(outside)}" if outside else None


def uncalled(pins: list[Pin], requirements: list[Requirement]) -> list[str]:
    """A complaint for every pin that no requirement names."""
    names = {canonicalize_name(requirement.name) for requirement in requirements}
    return [f"not asked for: {pin.line}" for pin in pins if pin.name not in names]


def check(lock: Path, pyproject: dict[str, Any], asked: Asked) -> tuple[set[str], list[str]]:
    """The pins of one lock as text, and everything that is wrong with it."""
    if not lock.is_file():
        return set(), ["missing"]
    text = lock.read_text(encoding="utf-8")
    pins, wrong = read_pins(text)
    header = HEADER.search(text)
    if header is None:
        wrong.append("no digest of pyproject.toml in the header")
    elif header[1] != digest(pyproject):
        wrong.append(f"locked for dependencies {header[1][:12]}, pyproject.toml now has {digest(pyproject)[:12]}")
    wrong += [f"names an address: {line.strip()}" for line in text.splitlines() if "://" in line]
    wrong += [f"not pinned to one version: {pin.line}" for pin in pins if pin.version is None]
    wrong += [f"no SHA-256 hash: {pin.line}" for pin in pins if pin.hashes == 0]
    requirements = wanted(pyproject, asked)
    wrong += [reason for requirement in requirements if (reason := unmet(requirement, pins))]
    wrong += uncalled(pins, requirements) if asked.alone else []
    return {pin.line for pin in pins}, wrong


def stamp(lock: Path, pyproject: dict[str, Any]) -> None:
    """Put the header on a compiled lock, replacing the one it may have."""
    body = re.sub(r"\A(#.*\n)+", "", lock.read_text(encoding="utf-8"))
    header = f"# Written by `make lock`; not edited by hand.\n# pyproject.toml sha256:{digest(pyproject)}\n"
    lock.write_text(header + body, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the lock files with pyproject.toml.")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent, help="project folder")
    parser.add_argument("--stamp", action="store_true", help="write the header into the locks first")
    options = parser.parse_args()

    pyproject = tomllib.loads((options.root / "pyproject.toml").read_text(encoding="utf-8"))
    locks = {name: options.root / "configs" / "locks" / f"{name}.txt" for name in LOCKS}
    if options.stamp:
        for lock in locks.values():
            stamp(lock, pyproject)

    results = {name: check(lock, pyproject, LOCKS[name]) for name, lock in locks.items()}
    complaints = [f"{name}.txt: {reason}" for name, (_, reasons) in results.items() for reason in reasons]
    complaints += [f"dev.txt: lacks the run pin {line}" for line in sorted(results["run"][0] - results["dev"][0])]
    if complaints:
        print(*(f"lock-check: {line}" for line in complaints), sep="\n", file=sys.stderr)
        print("lock-check: run `make lock` and commit the locks", file=sys.stderr)
        return 1
    counts = ", ".join(f"{name} {len(pins)}" for name, (pins, _) in results.items())
    print(f"lock-check: pins answer pyproject.toml ({counts})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
