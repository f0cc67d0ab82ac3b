"""What a storm has come to: the JSON document, which is also its log, the page of it, and a few lines for the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from hydra.adapters.fingerprint import versions
from hydra.bootstrap.outages.sail import HELD
from hydra.bootstrap.storm_log import KILLS, KINDS, LOSSES, MEMORY, Log, add
from hydra.qc.report.page import NOT_PROVEN

WORDS = {MEMORY: "in memory", KILLS: "in killed processes", LOSSES: "with power losses"}
_BROKEN, _HELD = "Broken", "Every claim held"
_TOP = 8
_TROUBLES = ("faults", "troubles", "commands", "ended")


def command(config: Path, seed: int, more: str = "") -> str:
    """What repeats a storm, or a part of it."""
    return f"python -m hydra.bootstrap.storm --config {shlex.quote(str(config))} --seed {seed}{more and ' '}{more}"


def document(log: Log, *, goal: int, ending: str, exit_code: int) -> dict[str, Any]:
    """JSON-ready: the log itself, and what a reader wants to know of it."""
    asked = log.asked
    broken = [f"{one['name']}: {one['problems'][0]}" for one in log.broken]
    held = f"{log.total:,} of {goal:,} cycles: {'every claim held' if log.total else 'no claim was judged'}"
    again = command(Path(asked["policy"]), asked["seed"], f"--cycles {goal}")
    return {
        "command": "storm",
        "ok": exit_code == 0,
        "exit_code": exit_code,
        "title": f"Storm over {asked['policy']}, seed {asked['seed']}",
        "verdict": _BROKEN if broken else _HELD if log.total else "Nothing was shown",
        "message": "; ".join([*(broken or [held]), *([ending] if ending else [])]),
        **log.record(),
        "goal": goal,
        "packages": _packages(),
        "figures": _figures(log),
        "rows": rows(log),
        "trials": {"rehearsal": _rehearsal(log), "kill_and_recover": _outages(log)},
        "again": [again, *(one["again"] for one in log.broken if one.get("again"))],
    }


@cache
def _packages() -> dict[str, str]:
    """The installed version of everything that the program runs on."""
    return versions()


def page_document(told: dict[str, Any], practice: bool) -> dict[str, Any]:
    """What the page is made from."""
    asked = {**told["asked"], "seconds, all starts together": told["seconds"], "starts": told["begun"]}
    return {
        **told,
        "ok": told["verdict"] == _HELD,
        "asked": asked,
        "cycles": told["rows"],
        "practice": practice,
        "limits": NOT_PROVEN,
    }


def rows(log: Log) -> list[dict[str, Any]]:
    """Cycles by where they ran: those in processes are slower than those in memory, and are not to be mixed up with them."""
    told = []
    for kind in KINDS:
        spent, tally = log.spent[kind], log.tallies[kind]
        strikes = int(tally.get("faults", 0)) if kind != MEMORY else sum(_sum(tally, name) for name in _TROUBLES)
        told.append(
            {
                "cycles": WORDS[kind],
                "how many": log.cycles[kind],
                "voyages": len(log.done[kind]),
                "troubles": strikes,
                "core seconds": round(spent, 1),
                "a core second": round(log.cycles[kind] / spent, 1) if spent else 0,
            }
        )
    return told


def screen(told: dict[str, Any]) -> RenderableType:
    """The end of a storm on a terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(told["rows"][0]):
        table.add_column(name, justify="right" if place else "left", no_wrap=True)
    for row in told["rows"]:
        table.add_row(*(f"{value:,}" if isinstance(value, int | float) else value for value in row.values()))
    lines = [Text(line) for line in _lines(told)]
    broken = bool(told["broken"])
    verdict = Text(f"{told['verdict']}: {told['message']}" if broken else told["message"])
    verdict.stylize("bold green" if told["verdict"] == _HELD else "bold red")
    return Group(table, Text(""), *lines, Text(""), *_failures(told), verdict)


def _lines(told: dict[str, Any]) -> Iterator[str]:
    rehearsal, outages = told["trials"]["rehearsal"], told["trials"]["kill_and_recover"]
    troubles: dict[str, int] = {}
    for name in _TROUBLES:
        add(troubles, rehearsal.get(name) or {})
    judged = [many for many in rehearsal["claims"].values() if many]
    yield f"claims     {sum(judged):,} judged, of {len(judged)} kinds"
    yield f"regimes    {_most(rehearsal['regimes'])}"
    yield f"troubles   {_most(troubles)}"
    yield f"struck     {_most(outages['places'])}"
    yield f"compared   {_most(outages['comparisons'])}"


def _failures(told: dict[str, Any]) -> Iterator[Text]:
    for one in told["broken"]:
        yield Text(f"BROKEN {one['name']}", "bold red")
        for line in (*one["problems"], *one.get("told", ())):
            yield Text(f"  {line}")
        yield Text(f"again: {one['again']}")
        yield Text("")


def _most(counts: dict[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda row: -row[1])
    more = f", and {len(ordered) - _TOP} more kinds" if len(ordered) > _TOP else ""
    return ", ".join(f"{name} {many:,}" for name, many in ordered[:_TOP]) + more or "none"


def _figures(log: Log) -> dict[str, Any]:
    memory = log.tallies[MEMORY]
    kills, losses = log.tallies[KILLS], log.tallies[LOSSES]
    return {
        "cycles": log.total,
        "cycles a second": round(log.total / log.seconds, 1) if log.seconds else None,
        "voyages": sum(len(done) for done in log.done.values()),
        "claims judged": _sum(memory, "claims"),
        "kill -9": kills.get("faults", 0),
        "power losses": losses.get("faults", 0),
        "hours": round(log.seconds / 3600, 2),
    }


def _rehearsal(log: Log) -> dict[str, Any]:
    tally, counts = log.tallies[MEMORY], log.tallies[MEMORY].get("counts", {})
    spent = log.spent[MEMORY]
    told: dict[str, Any] = {
        "voyages": len(log.done[MEMORY]),
        "cycles": log.cycles[MEMORY],
        "cycles_a_second": round(log.cycles[MEMORY] / spent) if spent else None,
        "orders": counts.get("orders", 0),
        "entries": counts.get("orders entry", 0),
        "replayed": counts.get("voyages replayed", 0),
        "broken": [one for one in log.broken if one["kind"] == MEMORY],
    }
    names = (*_TROUBLES, "crossed", "regimes", "claims", "exits", "option_exits", "halts", "gates", "capped")
    return told | {name: tally.get(name, {}) for name in names}


def _outages(log: Log) -> dict[str, Any]:
    both: dict[str, Any] = {}
    add(both, log.tallies[KILLS])
    add(both, log.tallies[LOSSES])
    return {
        "kills": log.tallies[KILLS].get("faults", 0),
        "losses": log.tallies[LOSSES].get("faults", 0),
        "on_orders": both.get("on_orders", 0),
        "held": list(HELD),
        "broken": [one for one in log.broken if one["kind"] != MEMORY],
        **{name: both.get(name, {}) for name in ("places", "comparisons", "found", "excuses")},
    }


def _sum(tally: dict[str, Any], name: str) -> int:
    return sum((tally.get(name) or {}).values())
