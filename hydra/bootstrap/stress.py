"""``make stress``: bot stress put together, with a real engine, journal and store in a folder that is thrown away.

``python -m hydra.bootstrap.stress --cycles 1000`` plays all hostile bots beside a good one and shows what came of it; exit code 0 when
everything held, 1 when not. The planted key is in this process's environment from its very start: the program starts itself again
with it, because what a process was started with is what another one may read.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.progress import Progress

from hydra.adapters.bots.processes import ProcessBotHost
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.setup import Setup, wall_now
from hydra.bootstrap.stress_screen import stress_table
from hydra.bootstrap.writer import Writer
from hydra.model.events import Certified
from hydra.model.portfolio import Certificate
from hydra.policy import Policy
from hydra.qc.hostile.table import HOSTILE, Hostile
from hydra.qc.stress import GOOD, GOOD_SYMBOL, HOSTILE_SYMBOL, OpenStage, Stage, Stress, play
from hydra.qc.stress_report import StressReport

VARIABLE = "HYDRA_STRESS_PLANTED"
_TEMPLATE = Path(__file__).parent / "templates" / "paper.toml"
_PIPE_WIDTH = 120
_PLAIN = {"enabled": True, "trades_per_day": 1000, "positions": 1, "stop_loss": "0.02"}
_GOOD = {
    **_PLAIN,
    "id": GOOD,
    "bot": "hydra.qc.hostile.good:make",
    "bucket": "momentum",
    "symbols": [GOOD_SYMBOL],
    "size": {"by": "notional", "amount": 500},
}


def planted_key() -> str:
    """A made-up key that looks like no other."""
    return f"planted-{secrets.token_hex(16)}"


def policy_of(
    hostile: Mapping[str, Hostile], targets: Mapping[str, str | int], *, deadline_ms: int, host: str
) -> Policy:
    """A market that never closes, the good bot, and the hostile ones with their targets; no limit of theirs is the good one's."""
    document: dict[str, Any] = load_policy(_TEMPLATE, {}, None).model_dump()
    changes: dict[str, dict[str, Any]] = {
        "market": {"sessions": "always", "days": 0, "bar_seconds": 60},
        "engine": {"bot_deadline_ms": deadline_ms, "window_bars": 60},
        "risk": {"cool_down_minutes": 0, "loss_streak": 1000, "trades_a_day": 10_000, "orders_per_minute": 200},
        "isolation": {"host": host},
    }
    for section, keys in changes.items():
        document[section] = {**document[section], **keys}
    parameters = dict(targets)
    crowd = [
        {
            **_PLAIN,
            "id": bot,
            "bot": one.plug,
            "bucket": "crypto",
            "symbols": [HOSTILE_SYMBOL],
            "parameters": parameters,
        }
        for bot, one in hostile.items()
    ]
    return Policy.model_validate({**document, "practice": True, "bots": [*crowd, _GOOD]})


def stages(deadline_ms: int, host: str) -> OpenStage:
    """What opens an engine for the harness: the composition of every command, in a folder of its own."""

    @contextmanager
    def opened(folder: Path, hostile: Mapping[str, Hostile], targets: Mapping[str, str | int]) -> Iterator[Stage]:
        folder.mkdir()
        policy = policy_of(hostile, targets, deadline_ms=deadline_ms, host=host)
        setup = Setup(
            config=folder / "stress.toml",
            state_dir=folder / "state",
            log_dir=folder / "logs",
            policy=policy,
            journal_key=None,
        )
        with Writer(setup=setup, command="stress") as writer:
            bots = writer.engine.outside.bots
            if isinstance(bots, ProcessBotHost):
                bots.start()
            _certify(writer, policy)
            yield Stage(engine=writer.engine, segment=writer.segment)

    return opened


def _certify(writer: Writer, policy: Policy) -> None:
    binding = writer.binding()
    bound = {name: getattr(binding, name) for name in binding.__struct_fields__}
    certificate = Certificate(wall=wall_now(), minutes=policy.certificate.minutes, head="", **bound)
    writer.engine.record(Certified(certificate=certificate))
    writer.engine.settle()


def run(stress: Stress, *, host: str = "process") -> StressReport:
    """Play in a folder that is thrown away. The key is in this process's environment meanwhile."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = stress.key
    try:
        with tempfile.TemporaryDirectory(prefix="hydra-stress-") as folder:
            return play(stress, Path(folder), stages(stress.deadline_ms, host))
    finally:
        if before is None:
            del os.environ[VARIABLE]


def harmless() -> Mapping[str, Hostile]:
    """The hostile bots that do not hurt the process they are asked in."""
    return {bot: one for bot, one in HOSTILE.items() if not one.harms}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when everything held."""
    chosen = _chosen(arguments)
    bots = harmless() if chosen.inline else HOSTILE
    bots = {bot: one for bot, one in bots.items() if not chosen.bot or bot in chosen.bot}
    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        crowd = progress.add_task("hostile bots and a good one", total=chosen.cycles)
        alone = progress.add_task("the good one alone", total=chosen.cycles)
        counted = {"done": 0}

        def told(_done: int) -> None:
            counted["done"] += 1
            progress.advance(crowd if counted["done"] <= chosen.cycles else alone)

        stress = Stress(
            cycles=chosen.cycles,
            deadline_ms=chosen.deadline_ms,
            key=os.environ.get(VARIABLE, "") or planted_key(),
            bots=bots,
            pause_seconds=chosen.pause_seconds,
            told=told,
        )
        report = run(stress, host="inline" if chosen.inline else "process")
    if chosen.json:
        sys.stdout.write(orjson.dumps(report.document(), option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        console.print(stress_table(report))
    return 1 if report.problems else 0


def _chosen(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m hydra.bootstrap.stress", description="Hostile bots beside a good one."
    )
    parser.add_argument("--cycles", type=int, default=100, help="cycles to play (100)")
    parser.add_argument("--deadline-ms", type=int, default=500, help="milliseconds a bot may think (500)")
    parser.add_argument(
        "--pause-seconds", type=float, default=0.5, help="most time between two cycles for the next processes (0.5)"
    )
    parser.add_argument(
        "--inline", action="store_true", help="in this process: the bots that do not hurt it, and what they get"
    )
    parser.add_argument(
        "--bot",
        action="append",
        default=[],
        choices=tuple(HOSTILE),
        metavar="ID",
        help="only this one; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    if VARIABLE not in os.environ:
        # What a process was started with is what others may read of it.
        os.execve(  # noqa: S606  # no shell, on purpose
            sys.executable,
            [sys.executable, "-m", "hydra.bootstrap.stress", *sys.argv[1:]],
            {**os.environ, VARIABLE: planted_key()},
        )
    try:
        code = main()
    except KeyboardInterrupt:
        code = 130  # as after any SIGINT
    sys.exit(code)
