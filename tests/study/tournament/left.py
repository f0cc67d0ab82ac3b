"""A folder as a tournament leaves it: a vote history, what was fixed beforehand, and a journal with the candles it saw."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.writer import JournalWriter
from hydra.gladiators.score.prices import Prices
from hydra.gladiators.score.rows import VoteRow
from hydra.model.events import RunClosed
from hydra.model.market import Bar
from hydra.model.snapshot import Observed
from tests.adapters.journals import Ticks, opened
from tests.gladiators.score.world import ASSET, Seat, world

SEATS = [
    Seat("A", skill=0.65, said=0.65),
    Seat("B"),
    Seat("C", shared=0.7, hold=0.2),
    Seat("D", abstain=0.2, engine="openai:model"),
    Seat("X1", skill=0.7, said=0.7, shadow=True),
]
FIXED: dict[str, Any] = {
    "granularity": 60, "horizon": 5, "hold_band": 0.0005, "cost": 0.001, "hold_counts": True, "needed": 2, "seed": 3,
    "market": "recorded", "control": "", "continues": "",
    "seats": {
        "A": {"engine": "local:made-up", "model": "", "role": "strategic synthesis", "cutoff": None, "shadow": False, "against": ""},
        "D": {"engine": "openai:model", "model": "model", "role": "final synthesis", "cutoff": "2026-01-05", "shadow": False, "against": ""},
        "X1": {"engine": "local:made-up", "model": "", "role": "", "cutoff": None, "shadow": True, "against": "B", "calls": 100},
    },
}  # fmt: skip


def leave(
    folder: Path, run: str = "20260105T000000-aaaa", iterations: int = 200, seed: int = 1, **fixed: Any
) -> list[VoteRow]:
    """Everything of one run, behind what is there already; the rows that were written."""
    rows, quoted = world(SEATS, iterations, seed)
    rows = [msgspec.structs.replace(row, run=run) for row in rows]
    folder.mkdir(parents=True, exist_ok=True)
    add_votes(folder, rows)
    add_run(folder, run, **fixed)
    journal(folder, run, quoted[ASSET])
    return rows


def add_votes(folder: Path, rows: Sequence[VoteRow]) -> None:
    """Rows at the end of the history."""
    encoder = msgspec.json.Encoder(decimal_format="string")
    with (folder / "vote_history.jsonl").open("ab") as file:
        for row in rows:
            file.write(encoder.encode(row).replace(b"{", b'{"reasoning":"because",', 1) + b"\n")


def add_run(folder: Path, run: str, **fixed: Any) -> None:
    """A line of what was fixed."""
    with (folder / "runs.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps({"run": run, "started": "2026-01-05T00:00:00Z", **FIXED, **fixed}) + "\n")


def journal(folder: Path, run: str, prices: Prices) -> None:
    """A journal of its own, in which each look sees a few candles."""
    files = RealFiles()
    writer = JournalWriter(files, folder, run, now=Ticks())
    writer.turn(opened())
    bars = [
        Bar(
            symbol=ASSET,
            at=datetime.fromtimestamp(int(at), UTC),
            seconds=60,
            open=Decimal(str(first)),
            high=Decimal(str(max(first, last))),
            low=Decimal(str(min(first, last))),
            close=Decimal(str(last)),
            volume=Decimal(1),
        )
        for at, first, last in zip(prices.at.tolist(), prices.open.tolist(), prices.close.tolist(), strict=True)
    ]
    for number, start in enumerate(range(0, len(bars), 50), start=1):
        seen = tuple(bars[start : start + 50])
        writer.append(Observed(cycle=number, at=seen[-1].at + timedelta(minutes=1), bars=seen))
    writer.append(RunClosed(reason="done", exit_code=0, cycles=1))
    writer.close()
