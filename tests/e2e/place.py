"""A folder in which the real ``hydra`` is run as a process, and what can be read there afterwards.

Paths are relative to the folder (the venue's address is one of them, and a certificate is bound to it), so a place that was
made once can be copied and goes on elsewhere. The program is a copy of the package made for the session: an edit of the
source tree while the tests run must not void a certificate.

``hydra`` starts a command from a process that has its imports behind it (see ``warm``), ``start`` and ``cold`` as people do.
Bots are asked inside the command's process: one for each of them costs half a second a start, and what these tests look at
is the same. ``isolated`` leaves it as the policy has it, which is a process for each bot.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from tests.e2e.warm import Warm

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PAPER = REPOSITORY / "configs" / "paper.toml"
LIMIT_SECONDS = 60
INLINE = {"HYDRA_ISOLATION__HOST": "inline"}
"""Bots are asked in the process of the command."""
WARM: dict[Path, Warm] = {}
"""The process that forks, for the copies of the package that have one (``warmed``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything said, with line ends as spaces: tables wrap where they like."""
        return " ".join(f"{self.out}\n{self.err}".split())

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on standard output."""
        document = orjson.loads(self.out)
        assert isinstance(document, dict)
        return document


@dataclass(slots=True, kw_only=True)
class Place:
    """One folder with a configuration, state and logs."""

    folder: Path
    program: Path
    env: dict[str, str] = field(default_factory=dict)
    isolated: bool = False
    logs_at: Path | None = None

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "state"

    @property
    def logs(self) -> Path:
        """The journal's folder."""
        return self.folder / "logs" if self.logs_at is None else self.logs_at

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.folder / "configs" / "paper.toml"

    def copied(self, folder: Path) -> Place:
        """The same place elsewhere."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return replace(self, folder=folder, env=dict(self.env))

    def configure(self, changes: Mapping[str, str]) -> None:
        """Replace texts of the configuration; each must be there."""
        text = self.config.read_text()
        for before, after in changes.items():
            assert before in text, before
            text = text.replace(before, after)
        self.config.write_text(text)

    def hydra(self, *arguments: str | Path, **env: str) -> Told:
        """Run a command to its end, from a warm process if there is one. No traceback is ever accepted."""
        warm = WARM.get(self.program)
        if warm is None:
            return self.cold(*arguments, **env)
        line = ["hydra", *map(str, arguments)]
        code, out, err = warm.run(line, self.folder, self.environment(env), LIMIT_SECONDS)
        return _checked(Told(code=code, out=out, err=err))

    def cold(self, *arguments: str | Path, **env: str) -> Told:
        """Run a command to its end, from nothing."""
        done = subprocess.run(
            self.command(arguments),
            cwd=self.folder,
            env=self.environment(env),
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        return _checked(Told(code=done.returncode, out=done.stdout, err=done.stderr))

    def start(self, *arguments: str | Path, prefix: Sequence[str] = (), **env: str) -> Running:
        """Start a command and leave it running."""
        process = subprocess.Popen(
            [*prefix, *self.command(arguments)],
            cwd=self.folder,
            env=self.environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return Running(process=process)

    def command(self, arguments: Sequence[str | Path]) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "hydra", *map(str, arguments)]

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Ours, without anything that would steer hydra or its screen from outside."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HYDRA_")}
        kept = {name: value for name, value in kept.items() if name not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
        path = os.pathsep.join(filter(None, (str(self.program), self.env.get("PYTHONPATH"))))
        return {**kept, **({} if self.isolated else INLINE), **self.env, **more, "PYTHONPATH": path}

    def segments(self) -> list[Path]:
        """The journal's files in the order of their chain."""
        paths = [path for path in self.logs.glob("*.jsonl") if path.stat().st_size]
        return sorted(paths, key=lambda path: int(orjson.loads(path.open("rb").readline())["seq"]))

    def events(self) -> list[dict[str, Any]]:
        """Every whole event of the journal."""
        return [event for path in self.segments() for event in _events_in(path)]

    def entries(self, after: int = 0) -> list[dict[str, Any]]:
        """Entries sent after an event, by the journal."""
        sent = [event for event in self.events() if event["kind"] == "order_sent" and event["seq"] > after]
        return [event for event in sent if event["data"]["order"]["purpose"] == "entry"]

    def head(self) -> int:
        """The number of the journal's last event."""
        segments = self.segments()
        return int(orjson.loads(segments[-1].read_bytes().rsplit(b"\n", 2)[-2])["seq"]) if segments else 0

    def venue_orders(self) -> list[dict[str, Any]]:
        """Every order the simulated exchange has in its books."""
        books = self.state / "exchange.db"
        if not books.exists():
            return []
        with sqlite3.connect(f"file:{books}?mode=ro", uri=True) as database:
            return [orjson.loads(row[0]) for row in database.execute("SELECT body FROM orders ORDER BY number")]

    def venue_entries(self) -> list[dict[str, Any]]:
        """Orders with exits: the entries the exchange has, whatever the journal says."""
        return [order for order in self.venue_orders() if order.get("role") == "entry"]


@dataclass(slots=True, kw_only=True)
class Running:
    """A command that has not ended."""

    process: subprocess.Popen[str]

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def end(self) -> Told:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=LIMIT_SECONDS)
        return _checked(Told(code=self.process.returncode, out=out, err=err))

    def kill(self) -> None:
        """End it the hard way."""
        self.process.kill()
        self.process.communicate()

    def until(self, holds: Callable[[], object], seconds: float = 20.0) -> None:
        """Wait until something holds while the command runs. It has the processor at least as long as looking takes."""
        ends_at = time.monotonic() + seconds
        while (began := time.monotonic()) < ends_at:
            if holds():
                return
            assert self.process.poll() is None, f"it ended: {self.process.communicate()}"
            time.sleep(max(0.02, time.monotonic() - began))
        raise AssertionError("it did not come to that in time")


@contextmanager
def warmed(program: Path) -> Iterator[None]:
    """Commands of this copy of the package begin with their imports done. Within, nothing more is needed for it."""
    if program in WARM:
        yield
        return
    plain = Place(folder=program, program=program, isolated=True)
    WARM[program] = Warm(program, plain.environment({}))
    try:
        yield
    finally:
        WARM.pop(program).close()


def _checked(told: Told) -> Told:
    assert "Traceback" not in told.text, told.err
    assert "defect in hydra" not in told.text, told.err
    return told


def _events_in(path: Path) -> list[dict[str, Any]]:
    lines = path.read_bytes().split(b"\n")
    return [orjson.loads(line) for line in lines[:-1]]


def kinds(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """The kinds of some events."""
    return [str(event["kind"]) for event in events]


def plans(events: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The plans among some events."""
    for event in events:
        if event["kind"] == "decided":
            yield event["data"]["plan"]


def refusals(events: Sequence[Mapping[str, Any]], gate: str) -> list[str]:
    """What a gate said when it refused."""
    answers = [answer for plan in plans(events) for answer in plan.get("answers", ())]
    return [answer["reason"] for answer in answers if answer["gate"] == gate and answer["verdict"] == "refuse"]


def first_refusal(events: Sequence[Mapping[str, Any]], gate: str) -> int:
    """The number of the first decision in which a gate refused."""
    return int(next(event["seq"] for event in events if refusals([event], gate)))
