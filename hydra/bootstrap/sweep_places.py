"""Where the runs of a sweep are played: in this process, in processes beside it, or on a Ray cluster.

All three call the same function with the same values, so what they answer is the same to the last digit; only the order in which answers
come is not. A run whose process died or whose machine was lost is ``Lost``, which is an answer too.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from hydra.bootstrap.sweep_play import Ground, Stopped, Task, play
from hydra.guard import Outcome, attempt
from hydra.model.errors import BadConfig
from hydra.qc.crew import Crew, Job, Lost
from hydra.study.sweep_rows import Row

LOCAL = "local"
_NO_DEADLINE = float("inf")
_PATIENCE_SECONDS = 0.2
_AHEAD = 2
"""Runs that are handed to a cluster for each of its processors, so that none waits for the next."""
_STORE_BYTES = 100 << 20
_REACH_SECONDS = 5.0
_LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""What makes Ray, on every system, stay on 127.0.0.1: its parameter for the address is resolved to one that others can reach."""

Answer = tuple[Task, Row | Lost]


class Place(Protocol):
    """Where runs are played."""

    def play(self, ground: Ground, tasks: Iterable[Task], stopped: Stopped) -> Iterator[Answer]:
        """Every task with its row, as they come; none any more once ``stopped`` says so."""
        ...


class _Over(Exception):
    """Told to stop; those under way are not waited for."""


@dataclass(frozen=True, slots=True)
class Inline:
    """One after the other, here."""

    def play(self, ground: Ground, tasks: Iterable[Task], stopped: Stopped) -> Iterator[Answer]:
        """As ``Place``."""
        for task in tasks:
            asked = attempt("the run", partial(play, ground, task, stopped))
            if stopped() is not None:
                return
            if asked.failure is not None:
                yield task, Lost(f"{asked.failure.kind}: {asked.failure.reason}")
            elif asked.value is not None:
                yield task, asked.value


@dataclass(frozen=True, slots=True)
class Beside:
    """In so many processes of their own, on this machine."""

    processes: int

    def play(self, ground: Ground, tasks: Iterable[Task], stopped: Stopped) -> Iterator[Answer]:
        """As ``Place``."""

        def tick() -> None:
            if stopped() is not None:
                raise _Over

        jobs = (Job(play, (ground, task)) for task in tasks)
        with suppress(_Over), Crew(self.processes, deadline_seconds=_NO_DEADLINE) as crew:
            for job, answer in crew.play(jobs, tick):
                yield job.arguments[1], answer
                tick()


@dataclass(frozen=True, slots=True)
class OnRay:
    """On the Ray cluster at an address, or on one of so many processors that is started here and ended with the sweep."""

    address: str
    processes: int

    def play(self, ground: Ground, tasks: Iterable[Task], stopped: Stopped) -> Iterator[Answer]:
        """As ``Place``. Raises ``BadConfig`` when Ray is not installed, or nobody answers at the address."""
        with _joined(self.address, self.processes) as (ray, processors):
            remote = ray.remote(num_cpus=1, max_retries=1)(play)
            shared = ray.put(ground)
            waiting = iter(tasks)
            under_way: dict[Any, Task] = {}
            while stopped() is None:
                for task in _next(waiting, processors * _AHEAD - len(under_way)):
                    under_way[remote.remote(shared, task)] = task
                if not under_way:
                    return
                ready, _ = ray.wait(list(under_way), num_returns=1, timeout=_PATIENCE_SECONDS)
                for reference in ready:
                    yield under_way.pop(reference), _answer(ray, reference)


def _ray() -> Any:
    """Ray, imported now. Raises ``BadConfig`` naming the extra when that is not possible."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        return import_module("ray")
    except ImportError as error:
        raise _not_installed(str(error)) from error


def _not_installed(why: str) -> BadConfig:
    return BadConfig(f"--ray needs the extra scale, which is not installed ({why}): pip install 'trading-hydra[scale]'")


def _next(waiting: Iterator[Task], room: int) -> Iterator[Task]:
    for _ in range(room):
        task = next(waiting, None)
        if task is None:
            return
        yield task


def _answer(ray: Any, reference: Any) -> Row | Lost:
    asked: Outcome[Row] = attempt("the run", partial(ray.get, reference))
    if asked.value is not None:
        return asked.value
    assert asked.failure is not None, "a run that nobody stops has a row"
    return Lost(f"{asked.failure.kind}: {' '.join(asked.failure.reason.split())}")


def _reach(address: str) -> None:
    """Raises ``BadConfig`` when nobody listens at ``HOST:PORT``: Ray itself would try for minutes."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if not host or not port.isdecimal():
        return  # Ray's own words, such as auto
    try:
        socket.create_connection((host, int(port)), _REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise BadConfig(f"--ray {address}: nobody answers: {error}") from error


@contextmanager
def _joined(address: str, processes: int) -> Iterator[tuple[Any, int]]:
    """Inside, Ray is there; Ray, and how many processors it has. It reads its environment when it is imported."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "CRITICAL"}
    here: dict[str, Any] = {
        "num_cpus": processes,
        "num_gpus": 0,
        "include_dashboard": False,
        "object_store_memory": _STORE_BYTES,
    }
    with _bare_environment(address):
        ray = _ray()
        try:
            ray.init(address=address, **quiet, **(here if address == LOCAL else {}))
        except (RuntimeError, ValueError, ImportError, OSError) as error:
            raise BadConfig(f"--ray {address}: {' '.join(str(error).split())[:300]}") from error
        try:
            yield ray, max(1, int(ray.cluster_resources().get("CPU", 1)))
        finally:
            ray.shutdown()


@contextmanager
def _bare_environment(address: str) -> Iterator[None]:
    """Processes that are started in here get nothing of Hydra's environment, for there may be keys in it.

    A cluster of our own gets a token of its own, so that nobody else on this machine can give it work, unless the environment says how
    Ray is to be spoken to; Ray itself would keep one in the user's home.
    """
    mine = {name: value for name, value in os.environ.items() if name.startswith("HYDRA_")}
    for name in mine:
        del os.environ[name]
    more = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
    if address == LOCAL:
        more |= _LOOPBACK
    if address == LOCAL and not any(name.startswith("RAY_AUTH_") for name in os.environ):
        more |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    added = [name for name in more if name not in os.environ]
    os.environ.update({name: more[name] for name in added})
    try:
        yield
    finally:
        os.environ.update(mine)
        for name in added:
            del os.environ[name]


def place_of(ray: str | None, processes: int) -> Place:
    """The place that was asked for. Raises ``BadConfig`` when it needs Ray and there is none, or nobody answers."""
    if ray is not None:
        if not ray.strip():
            raise BadConfig("--ray: expected an address such as 10.0.0.5:6379, auto, or local")
        if find_spec("ray") is None:
            raise _not_installed("no module ray")
        _reach(ray)
        return OnRay(ray, processes)
    return Inline() if processes == 1 else Beside(processes)
