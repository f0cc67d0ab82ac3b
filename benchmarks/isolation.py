"""Bots in processes of their own: what keeping them apart costs, beside the same bots inline and a bare round trip to a process.

``python -m benchmarks.isolation [--rounds 5] [--cycles 200] [--sizes 100,300,1000] [--plot benchmarks/isolation.svg]``
(``make isolation``). The questions are those of a running engine, with all that its bots held and remembered. They are put to
both hosts, and beside them as many bare round trips are made: in turn, in one process, cycle by cycle. Then come the start of a
host and the replacement of a killed worker, and a whole engine with many bots. The last line is one JSON document.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from time import perf_counter, perf_counter_ns, process_time_ns, sleep
from typing import Any

from benchmarks import bots as many
from benchmarks.cycle import machine
from benchmarks.peer import Peer
from benchmarks.plot import Line, Panel, drawing
from benchmarks.rig import Setting, policy_of, rig
from benchmarks.stages import STAGES, Stages
from benchmarks.workers import memory_kb, workers_of
from hydra.adapters.bots.inline import InlineBotHost
from hydra.adapters.bots.processes import ProcessBotHost
from hydra.adapters.calendar import ExchangeCalendar
from hydra.bootstrap.hosts import process_host
from hydra.bootstrap.making import make_bots
from hydra.model.isolation import Isolation
from hydra.model.snapshot import Answer
from hydra.model.values import replace
from hydra.policy import Policy
from hydra.ports import BotHost, Question

Asked = tuple[Question, ...]
TEN = 10
WARM_UP = 150
"""Cycles of the engine before the first whose questions are kept: the window of 120 bars is full."""
SPARE = 60
"""Cycles played beyond those that are kept: outside its hours not every bot is asked."""
SETTLING = 20
"""Cycles of each round that do not count: every worker is told everything first."""
KINDS = ("a new bar and quote for every symbol", "new quotes, no new bar")
MEDIAN, QUIET = 0.5, 0.05
"""The quantiles that are told: on a machine with others on it, the quietest cycles say most."""
QUANTILES = (MEDIAN, QUIET)
Row = tuple[str, float]
RATIO_MOST, CYCLE_SECONDS_MOST, START_SECONDS_MOST = 3.0, 2.0, 3.0
"""The targets: isolation a bot a cycle by the bare round trip, the longest cycle of many bots, 100 bots until all are made."""
START_BOTS = 100
LEAST_MANY = 1000
"""With so many bots the target of a cycle is looked at."""
_DEADLINE_MS, _START_SECONDS = 5000, Decimal(300)
"""What is measured here is how long it takes, on whatever machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Asking some bots once, in microseconds at one quantile of a round; ``cpu`` is the host's share, of its own processor time."""

    quantile: float
    bots: int
    bare: float
    inline: float
    process: float
    cpu: float

    @property
    def apart(self) -> float:
        """What keeping one bot apart costs in a cycle."""
        return (self.process - self.inline) / self.bots

    @property
    def ratio(self) -> float:
        """The same in bare round trips."""
        return self.apart / self.bare


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A host's life, in seconds. ``notice`` is the asking that finds a worker killed, ``back`` until it answers again."""

    start: float
    notice: float
    back: float
    close: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Many bots on fifty symbols: milliseconds a whole cycle, at the median and at the longest, and what a worker adds to the memory.

    ``failed`` are answers that were none, of all that were asked for, the first that tell everything included; ``kinds`` says how.
    """

    bots: int
    inline: float
    inline_most: float
    process: float
    most: float
    ask: float
    failed: int
    start_seconds: float
    close_seconds: float
    worker_kb: float | None
    kinds: dict[str, int] = field(default_factory=dict)


class Switch:
    """The host of whom is asked at present; keeps what was asked while ``tape`` is a list, and counts failures."""

    def __init__(self, host: BotHost) -> None:
        self.host = host
        self.tape: list[Asked] | None = None
        self.kinds: Counter[str] = Counter()

    @property
    def isolation(self) -> Isolation:
        """The present one's."""
        return self.host.isolation

    def ask(self, questions: Sequence[Question]) -> tuple[Answer, ...]:
        """Ask the present one."""
        if self.tape is not None:
            self.tape.append(tuple(questions))
        answers = self.host.ask(questions)
        self.kinds.update(answer.failure.kind for answer in answers if answer.failure is not None)
        return answers

    def close(self) -> None:
        """End the present one."""
        self.host.close()


# -- ten bots


def tape_of(policy: Policy, folder: Path, cycles: int) -> list[Asked]:
    """What an engine asks its bots in so many cycles, each with a new bar and a new quote for every symbol."""
    host = Switch(InlineBotHost(make_bots(policy), None))
    tape: list[Asked] = []
    host.tape = tape
    steps = WARM_UP + cycles + SPARE
    with rig(Setting(name="questions"), folder, ExchangeCalendar(), policy=policy, steps=steps, bots=host) as run:
        run.engine.cycle()
        while run.step():
            run.engine.cycle()
    return [asked for asked in tape if len(asked) == len(policy.enabled_bots)][-cycles:]


def seconds_later(asked: Asked) -> Asked:
    """What is asked five seconds later: other quotes, and no new bar."""
    return tuple(replace(question, view=_view_later(question)) for question in asked)


def _view_later(question: Question) -> Any:
    later, view = timedelta(seconds=5), question.view
    quotes = {name: replace(quote, at=quote.at + later) for name, quote in view.quotes.items()}
    return replace(view, at=view.at + later, quotes=quotes)


def costs_of(tape: Sequence[Asked], inline: BotHost, process: BotHost, peer: Peer) -> dict[Row, Cost]:
    """One round: every cycle's questions to both hosts, now the one first and now the other, and bare round trips between."""
    taken: dict[str, list[tuple[int, int, int, int]]] = {kind: [] for kind in KINDS}
    for number, asked in enumerate(tape):
        for kind, questions in zip(KINDS, (asked, seconds_later(asked)), strict=True):
            spent: dict[BotHost, tuple[int, int]] = {}
            for host in (process, inline) if number % 2 else (inline, process):
                spent[host] = _spent(lambda host=host, questions=questions: host.ask(questions))  # type: ignore[misc]  # bound now
            bare = _spent(lambda asked=asked: _round_trips(peer, len(asked)))  # type: ignore[misc]  # bound now
            if number >= SETTLING:
                taken[kind].append((bare[0], spent[inline][0], *spent[process]))
    return {(kind, at): _cost(len(tape[0]), rows, at) for kind, rows in taken.items() for at in QUANTILES}


def _round_trips(peer: Peer, count: int) -> None:
    for _ in range(count):
        peer.once()


def _spent(do: Callable[[], object]) -> tuple[int, int]:
    """Nanoseconds by the clock and of this process."""
    began, busy = perf_counter_ns(), process_time_ns()
    do()
    return perf_counter_ns() - began, process_time_ns() - busy


def _cost(bots: int, rows: Sequence[tuple[int, int, int, int]], quantile: float) -> Cost:
    ordered = [sorted(column) for column in zip(*rows, strict=True)]
    bare, inline, process, cpu = (column[int(len(column) * quantile)] / 1000 for column in ordered)
    return Cost(quantile=quantile, bots=bots, bare=bare / bots, inline=inline, process=process, cpu=cpu)


def ten_bots(folder: Path, rounds: int, cycles: int) -> tuple[dict[Row, Cost], dict[str, float], list[Cost]]:
    """The costs of ten bots, of each row the round in the middle; their stages; and the medians of every round with new bars."""
    policy = policy_of(TEN)
    tape = tape_of(policy, folder, SETTLING + cycles)
    stages = Stages(make_bots(policy))
    found: dict[Row, list[Cost]] = {(kind, at): [] for kind in KINDS for at in QUANTILES}
    with ExitStack() as stack:
        peer = stack.enter_context(closing(Peer()))
        inline = InlineBotHost(make_bots(policy), None)
        process = stack.enter_context(closing(_host(policy)))
        for _ in range(rounds):
            gc.collect()
            for row, cost in costs_of(tape, inline, process, peer).items():
                found[row].append(cost)
            for number, asked in enumerate(tape):
                stages.once(asked, counts=number >= SETTLING)
    middle = {row: sorted(costs, key=lambda cost: cost.ratio)[len(costs) // 2] for row, costs in found.items()}
    return middle, stages.micros(), found[KINDS[0], MEDIAN]


def _host(policy: Policy) -> ProcessBotHost:
    patient = policy.isolation.model_copy(update={"start_seconds": _START_SECONDS})
    policy = policy.model_copy(update={"isolation": patient})
    host = process_host(policy, policy.enabled_bots, (), deadline_ms=_DEADLINE_MS)
    unfit = host.start()
    if unfit:
        host.close()
        raise RuntimeError(f"not made: {unfit}")
    return host


# -- a host's life


def life_of(policy: Policy, questions: Asked) -> Life:
    """Start, lose a worker, have it back, close."""
    began = perf_counter()
    host = _host(policy)
    started = perf_counter()
    try:
        host.ask(questions)
        os.kill(workers_of(os.getpid())[-1], signal.SIGKILL)
        sleep(0.05)
        killed = perf_counter()
        answers = host.ask(questions)
        noticed = perf_counter()
        while any(answer.failure is not None for answer in answers):
            answers = host.ask(questions)
        back = perf_counter()
    finally:
        ending = perf_counter()
        host.close()
    return Life(start=started - began, notice=noticed - killed, back=back - killed, close=perf_counter() - ending)


def lives(folder: Path, rounds: int) -> Life:
    """The medians of several hosts with 100 bots."""
    policy = many.policy_of(START_BOTS)
    asked = tape_of(policy, folder, 1)[0]
    found = [asdict(life_of(policy, asked)) for _ in range(rounds)]
    return Life(**{name: round(median(life[name] for life in found), 3) for name in found[0]})


# -- many bots


def crowd_of(bots: int, cycles: int, folder: Path) -> Crowd:
    """A whole engine with so many bots: the same day goes on, first inline and then in processes."""
    policy = many.policy_of(bots)
    host = Switch(InlineBotHost(make_bots(policy), None))
    steps = many.WARM_UP + 2 * cycles + SPARE
    with rig(Setting(name="many"), folder, ExchangeCalendar(), policy=policy, steps=steps, bots=host) as run:
        for _ in range(many.WARM_UP):
            run.engine.cycle()
            run.step()
        inline = [_cycle(run) for _ in range(cycles)]
        began = perf_counter()
        process = _host(policy)
        started = perf_counter() - began
        with closing(process):
            host.host = process
            for _ in range(3):
                _cycle(run)
            apart = [_cycle(run) for _ in range(cycles)]
            kilobytes = [memory_kb(pid) for pid in workers_of(os.getpid())]
            ending = perf_counter()
    known = [each for each in kilobytes if each is not None]
    return Crowd(
        bots=bots,
        inline=_ms([whole for whole, _ in inline]),
        inline_most=round(max(whole for whole, _ in inline), 1),
        process=_ms([whole for whole, _ in apart]),
        most=round(max(whole for whole, _ in apart), 1),
        ask=_ms([ask for _, ask in apart]),
        failed=host.kinds.total(),
        kinds=dict(host.kinds),
        start_seconds=round(started, 2),
        close_seconds=round(perf_counter() - ending, 2),
        worker_kb=round(sum(known) / bots) if known else None,
    )


def _cycle(run: Any) -> tuple[float, float]:
    """Milliseconds of a cycle, and of the asking in it."""
    began = perf_counter_ns()
    report = run.engine.cycle()
    took = (perf_counter_ns() - began) / 1e6
    run.step()
    return took, report.micros["ask"] / 1000


def _ms(values: Sequence[float]) -> float:
    return round(median(values), 1)


# -- what is shown


def show_ten(costs: dict[Row, Cost], stages: dict[str, float], rounds: Sequence[Cost]) -> None:
    """The tables of ten bots."""
    print(
        "| 10 bots | of the cycles | bare round trip us | inline us | in processes us | host's CPU us | apart, a bot us | x bare |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for (kind, at), cost in costs.items():
        figures = " | ".join(f"{each:.0f}" for each in (cost.bare, cost.inline, cost.process, cost.cpu, cost.apart))
        name = "the median" if at == MEDIAN else f"the quietest {at:.0%}"
        print(f"| {kind} | {name} | {figures} | **{cost.ratio:.2f}** |")
    print(f"\nrounds with new bars, x bare: {', '.join(f'{cost.ratio:.2f}' for cost in rounds)}\n")
    print("| a new bar, step by step | us a bot |")
    print("|---|---|")
    for name, _ in STAGES:
        print(f"| {name} | {stages[name]:.1f} |")
    hosts = sum(stages[name] for name, ours in STAGES if ours)
    print(f"| all of the host's | {hosts:.1f} |")
    print(f"| all of the worker's | {sum(stages.values()) - hosts:.1f} |")


def show_rest(life: Life, crowds: Sequence[Crowd]) -> None:
    """The tables of a host's life and of many bots."""
    print(f"\n| {START_BOTS} bots | start until all are made s | a killed one noticed s | back s | close s |")
    print("|---|---|---|---|---|")
    print(f"| | {life.start:.2f} | {life.notice:.3f} | {life.back:.3f} | {life.close:.3f} |\n")
    print(
        "| bots | inline p50 ms | max | in processes p50 ms | max | ask p50 ms | failed | KB a worker | start s | close s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for row in crowds:
        memory = "?" if row.worker_kb is None else f"{row.worker_kb:.0f}"
        print(
            f"| {row.bots:,} | {row.inline:.0f} | {row.inline_most:.0f} | {row.process:.0f} | **{row.most:.0f}** "
            f"| {row.ask:.0f} | {row.failed} | {memory} | {row.start_seconds:.1f} | {row.close_seconds:.1f} |"
        )


def plot(costs: dict[Row, Cost], crowds: Sequence[Crowd]) -> str:
    """The picture: a whole cycle by the number of bots, and memory."""
    apart = [(row.bots, row.process) for row in crowds]
    inline = [(row.bots, row.inline) for row in crowds]
    memory = [(row.bots, row.bots * row.worker_kb / 1000) for row in crowds if row.worker_kb is not None]
    ratio = costs[KINDS[0], MEDIAN].ratio
    panels = [
        Panel(
            title="milliseconds a whole cycle, median",
            lines=(
                Line(name="in processes", points=apart, fitted=many.fit(apart)),
                Line(name="inline", points=inline, fitted=many.fit(inline)),
            ),
        )
    ]
    if memory:
        panels.append(
            Panel(
                title="megabytes of all workers",
                lines=(Line(name="shared pages by share", points=memory, fitted=many.fit(memory)),),
            )
        )
    return drawing(f"Bots in processes of their own: {ratio:.1f} bare round trips a bot a cycle", panels, across="bots")


def targets(costs: dict[Row, Cost], life: Life, crowds: Sequence[Crowd]) -> dict[str, bool]:
    """Each target, and whether it holds."""
    found = {
        f"isolation at most {RATIO_MOST:g} x a bare round trip": all(
            costs[kind, MEDIAN].ratio <= RATIO_MOST for kind in KINDS
        ),
        f"{START_BOTS} bots made in {START_SECONDS_MOST:g} s": life.start <= START_SECONDS_MOST,
    }
    largest = crowds[-1] if crowds else None
    if largest is not None and largest.bots >= LEAST_MANY:
        within = largest.most <= CYCLE_SECONDS_MOST * 1000 and not largest.failed
        found[f"{largest.bots:,} bots in {CYCLE_SECONDS_MOST:g} s a cycle"] = within
    return found


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cycles", type=int, default=200, help="counted cycles of ten bots in each round")
    parser.add_argument(
        "--sizes", default="100,300,1000", help="numbers of bots in a whole engine, least first; empty: none"
    )
    parser.add_argument("--counted", type=int, default=40, help="counted cycles of each of these")
    parser.add_argument("--plot", type=Path, default=None, help="an SVG file to draw the picture into")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as name:
        folder = Path(name)
        costs, stages, rounds = ten_bots(folder / "ten", chosen.rounds, chosen.cycles)
        show_ten(costs, stages, rounds)
        life = lives(folder / "life", min(chosen.rounds, 3))
        sizes = [int(size) for size in chosen.sizes.split(",") if size]
        crowds = [crowd_of(size, chosen.counted, folder / f"{size}") for size in sizes]
    show_rest(life, crowds)
    if chosen.plot is not None and len(crowds) > 1:
        chosen.plot.write_text(plot(costs, crowds), encoding="utf-8")
    print()
    for target, holds in targets(costs, life, crowds).items():
        print(f"{'holds' if holds else 'DOES NOT HOLD'}: {target}")
    document = {
        "machine": machine(),
        "ten": [
            {"kind": kind, **asdict(cost), "apart": cost.apart, "ratio": cost.ratio}
            for (kind, _), cost in costs.items()
        ],
        "ratios": [round(cost.ratio, 3) for cost in rounds],
        "stages": stages,
        "life": asdict(life),
        "crowds": [asdict(row) for row in crowds],
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
