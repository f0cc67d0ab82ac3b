"""A process host for functions, and what is left of it afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.bots.processes import ProcessBotHost
from hydra.adapters.bots.wire import Begin
from hydra.adapters.sandbox.offer import offered
from hydra.bootstrap.hosts import interpreter_paths, worker_environment
from hydra.ports import Bot

OFFERED = offered()
FULL = pytest.mark.skipif(
    not (OFFERED.landlock and OFFERED.seccomp), reason=f"needs Landlock and seccomp; this kernel offers {OFFERED}"
)
REPOSITORY = Path(__file__).resolve().parents[3]
PROGRAM = (sys.executable, "-s", "-P", "-m", "tests.adapters.bots.program")


def begin(name: str, bot: Bot | Callable[..., Any], **more: Any) -> Begin:
    """The first words to the worker of a function."""
    recipe = {"bot": f"{bot.__module__}:{bot.__name__}", **more.pop("recipe", {})}
    fields = {
        "memory_mb": 256,
        "readable": (*interpreter_paths(), str(REPOSITORY / "tests"), str(REPOSITORY / "hydra")),
        "closed": (str(REPOSITORY / "pyproject.toml"),),
        "environment": tuple(worker_environment()),
    }
    return Begin(bot=name, recipe=recipe, **{**fields, **more})


def host_of(
    bots: Mapping[str, Bot | Callable[..., Any]], *, deadline_ms: int = 2000, start_seconds: float = 20.0, **more: Any
) -> ProcessBotHost:
    """A host with a worker for each function."""
    environment = dict(worker_environment())
    environment["PYTHONPATH"] = os.pathsep.join((str(REPOSITORY), environment["PYTHONPATH"]))
    crew = [begin(name, bot, **more) for name, bot in bots.items()]
    return ProcessBotHost(crew, PROGRAM, environment, deadline_ms=deadline_ms, start_seconds=start_seconds)


def descendants(pid: int) -> set[int]:
    """The processes that come from ``pid``, by the kernel's list of parents."""
    parents = _parents()
    found: set[int] = set()
    while True:
        more = {child for child, parent in parents.items() if parent in found | {pid}} - found
        if not more:
            return found
        found |= more


def children(pid: int) -> set[int]:
    """The processes that ``pid`` has started itself."""
    return {child for child, parent in _parents().items() if parent == pid}


def _parents() -> dict[int, int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                stat = (folder / "stat").read_text()
            except OSError:
                continue
            parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    return parents
