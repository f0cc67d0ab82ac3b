"""``hydra sweep``: the same table inline, on two processes and on Ray; what was killed goes on; windows; and what is refused."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from tests.docs.pages import read, rows, sections
from tests.e2e.place import Place
from tests.e2e.tape import OPEN, swings, write_bars
from tests.shared_data import shared_data

DAYS = 20
PARAMETERS = ("--set", "bots[0].parameters.fast=2:4", "--set", "bots[spy-trend].parameters.slow=3,8")
"""Six runs, of which two are refused: fast must be below slow."""
BASE = ("sweep", "--data", "data", "--bot", "momentum")
INVENTED = ("sweep", "--until", "2025-01-06T16:45:00Z", "--bot", "momentum", "--objective", "return")
RAY = pytest.mark.skipif(find_spec("ray") is None, reason="the extra scale (ray) is not installed")


def history(place: Place, *, days: int, minutes: int) -> None:
    """Recorded days of SPY, each a little different, weekends left out."""
    day, written = OPEN, 0
    while written < days:
        if day.weekday() < 5 and day.day not in (9, 20):  # two days on which the exchange is closed
            write_bars(place.folder / "data", "SPY", _price(written), day=day, minutes=minutes)
            written += 1
        day += timedelta(days=1)


def _price(number: int) -> Callable[[int], float]:
    """The price of a day: it swings as every day does, from elsewhere on, and leans up or down."""
    return lambda minute: swings(minute + number * 7) + (number % 5 - 2) * 0.004 * minute


@pytest.fixture
def recorded(certified: Place) -> Place:
    history(certified, days=DAYS, minutes=14)
    return certified


def table(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs of a sweep, all that is told of them."""
    runs: list[dict[str, Any]] = document["rows"]
    return runs


def swept(place: Place, *arguments: str, base: Sequence[str] = BASE, code: int = 0) -> dict[str, Any]:
    told = place.hydra(*base, *arguments, "--json")
    assert told.code == code, told.text
    return told.document


def documented() -> set[str]:
    """The keys of the command's document that the reference has."""
    cells = (row[0] for row in rows(sections(read("reference/cli.md"), 3)["hydra sweep"]))
    return {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)}


def lines(place: Place, out: str) -> list[dict[str, Any]]:
    """The whole lines of a sweep's log, without its head and without what no two machines have in common."""
    path = place.folder / out / "runs.jsonl"
    if not path.exists():
        return []
    whole = path.read_bytes().split(b"\n")[1:-1]
    return [{name: value for name, value in orjson.loads(line).items() if name != "seconds"} for line in whole]


def killed_after(place: Place, runs: int, arguments: Sequence[str], out: str, number: signal.Signals) -> int | None:
    """Start a sweep, and send it a signal once so many runs are in its log; how it ended."""
    running = place.start(*arguments, "--out", out)
    try:
        running.until(lambda: len(lines(place, out)) >= runs, seconds=600)
        running.signal(number)
        running.process.communicate(timeout=60)
    finally:
        running.kill()
    return running.process.returncode


def test_two_processes_make_the_same_table_as_one_and_a_killed_sweep_goes_on(certified: Place) -> None:
    inline = swept(certified, *PARAMETERS, "--processes", "1", "--out", "inline", base=INVENTED)
    line = [*INVENTED, *PARAMETERS, "--processes", "2"]
    assert killed_after(certified, 1, line, "two", signal.SIGKILL) == -signal.SIGKILL
    before = lines(certified, "two")
    with (certified.folder / "two" / "runs.jsonl").open("ab") as file:
        file.write(b'{"combination":5,"cyc')
    beside = swept(certified, *PARAMETERS, "--processes", "2", "--out", "two", base=INVENTED)
    assert 1 <= beside["kept"] == len(before) < 6
    assert lines(certified, "two")[: len(before)] == before, "nothing is played twice"
    assert table(beside) == table(inline)
    assert beside["best"] == inline["best"] is not None
    tables = [pq.read_table(certified.folder / out / "results.parquet") for out in ("inline", "two")]
    assert tables[0].equals(tables[1], check_metadata=True)
    assert tables[0].num_rows == 6

    runs = table(inline)
    assert [row["parameters"]["bots[spy-trend].parameters.fast"] for row in runs] == [2, 2, 3, 3, 4, 4]
    assert [row["refused"] is not None for row in runs] == [False, False, True, False, True, False]
    assert "fast must be below slow, got fast 4, slow 3" in runs[4]["refused"]
    assert len({row["figures"].get("profit") for row in runs}) > 3

    again = certified.hydra(*line, "--out", "two", "--seed", "3")
    assert again.code == 2
    assert "two/runs.jsonl is of another sweep: its policy is" in again.text


def test_a_run_earns_what_the_backtest_of_that_policy_earns(recorded: Place) -> None:
    recorded.configure({"parameters = { fast = 20, slow = 60 } # what": "parameters = { fast = 3, slow = 8 } # what"})
    told = recorded.hydra("backtest", "--data", "data", "--bot", "momentum", "--no-journal", "--json")
    assert told.code == 0, told.text
    document = swept(recorded, "--set", "bots[0].parameters.fast=2,3", "--processes", "1")
    assert table(document)[1]["figures"] == told.document["figures"]
    assert table(document)[1]["bots"] == told.document["bots"]
    assert table(document)[1]["days"] == DAYS
    assert document["log"] == f"logs/sweeps/{document['sweep']}/runs.jsonl"
    assert document["luck"]["tries"] == 2
    assert 0 < document["luck"]["probability"] < 1
    assert document["overfitting"]["reason"] == "not enough data: 20 days, 30 are needed"


@pytest.mark.drill
def test_days_of_shares_are_swept_as_a_backtest_plays_them(certified: Place) -> None:
    line = (
        "--data",
        str(shared_data() / "daily"),
        "--bot",
        "momentum",
        "--symbols",
        "SPY",
        "--from",
        "2020-06-01T05:00:00Z",
    )
    told = certified.hydra("backtest", *line, "--no-journal", "--json")
    assert told.code == 0, told.text
    assert told.document["figures"]["trades"] > 0
    document = swept(certified, "--set", "bots[0].parameters.slow=60,90", "--processes", "1", base=("sweep", *line))
    assert table(document)[0]["figures"] == told.document["figures"]
    assert any("by days: no hours" in note for note in document["notes"])


def test_walking_forward_plays_the_best_of_each_training_on_the_days_after_it(recorded: Place) -> None:
    for path in sorted((recorded.folder / "data").iterdir())[15:]:
        path.unlink()
    walk = (*PARAMETERS, "--walk-forward", "6:4:5", "--objective", "return", "--processes", "1", "--out", "walk")
    document = swept(recorded, *walk)
    assert set(document) - {"command", "ok", "exit_code"} == documented()
    assert [(one["window"], len(one["train"]), len(one["test"])) for one in document["windows"]] == [
        (1, 2, 2),
        (2, 2, 2),
    ]
    runs = table(document)
    for one in document["windows"]:
        trained = [
            row for row in runs if (row["window"], row["part"]) == (one["window"], "train") and not row["refused"]
        ]
        (tested,) = [row for row in runs if (row["window"], row["part"]) == (one["window"], "test")]
        best = max(trained, key=lambda row: row["figures"]["return"])
        assert (tested["run"], tested["days"], len(trained)) == (best["run"], 4, 4)
        assert (one["in_sample"], one["out_of_sample"]) == (best["figures"]["return"], tested["figures"]["return"])
    grown = 1.0
    for one in document["windows"]:
        grown *= 1 + one["out_of_sample"]
    assert document["out_of_sample"]["growth"] == pytest.approx(grown - 1)
    assert document["out_of_sample"]["days"] == 8
    other = swept(recorded, *walk[:6], "--objective", "drawdown", "--processes", "1", "--out", "walk")
    assert other["kept"] >= 12, "another objective plays nothing but tests"
    assert {row["run"] for row in table(other) if row["part"] == "test"} == {one["run"] for one in other["windows"]}


def test_an_interrupted_sweep_keeps_what_it_has_and_leaves_with_130(certified: Place) -> None:
    line = [*INVENTED, *PARAMETERS, "--processes", "1"]
    assert killed_after(certified, 1, line, "stopped", signal.SIGINT) == 130
    assert 1 <= len(lines(certified, "stopped")) < 6
    assert not (certified.folder / "stopped" / "results.parquet").exists()


@pytest.mark.drill
def test_a_bot_of_a_file_is_part_of_what_a_sweep_is_of(certified: Place) -> None:
    assert certified.hydra("bots", "new", "rising").code == 0
    line = [
        *INVENTED[:3],
        "--bot",
        "configs/bots/rising.py:make",
        "--set",
        "bots[0].parameters.rises=2,3",
        "--processes",
        "1",
    ]
    first = certified.hydra(*line, "--json")
    assert first.code == 0, first.text
    assert [row["refused"] for row in table(first.document)] == [None, None]
    assert certified.hydra(*line, "--json").document["kept"] == 2
    file = certified.folder / "configs" / "bots" / "rising.py"
    file.write_text(file.read_text() + "\n# another one\n")
    edited = certified.hydra(*line, "--out", Path(first.document["log"]).parent)
    assert edited.code == 2
    assert "is of another sweep: its program is" in edited.text


def test_a_run_whose_process_dies_is_lost_told_and_not_kept(certified: Place) -> None:
    (certified.folder / "dies.py").write_text(
        "import os\n\n\ndef make(setting):\n    def bot(view, memory):\n        os._exit(7)\n\n    return bot\n"
    )
    line = ("--bot", "dies.py:make", "--set", "risk.daily_loss=0.01,0.02", "--processes", "2", "--out", "lost")
    told = certified.hydra(*INVENTED[:3], *line)
    assert told.code == 1
    assert "2 runs lost: the process ended with 7 before it answered" in told.text
    assert "0 runs played, 2 lost; the same command tries these again" in told.text
    assert lines(certified, "lost") == []
    assert not (certified.folder / "lost" / "results.parquet").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "nothing to vary"),
        (("--set", "risk.daily_los=1"), "did you mean daily_loss?"),
        (("--set", "risk.daily_loss=0.01,0.02", "--objective", "luck"), "expected one of sharpe"),
        (("--set", "risk.daily_loss=0.01,0.02", "--objective", "nobody.return"), "no enabled bot 'nobody'"),
        (("--set", "risk.daily_loss=0.01,0.02", "--walk-forward", "60:20"), "needs 80 days with prices, there are 1"),
        (("--set", "risk.daily_loss=0.01,0.02", "--ray", "127.0.0.1:1"), "nobody answers"),
        (("--set", "risk.daily_loss=0.01,0.02", "--ray", " "), "expected an address"),
    ],
)
def test_what_cannot_be_swept_is_refused_before_anything_is_played(
    fresh: Place, arguments: tuple[str, ...], said: str
) -> None:
    if "--ray" in arguments and find_spec("ray") is None:
        said = "--ray needs the extra scale"
    history(fresh, days=1, minutes=10)
    told = fresh.hydra(*BASE, *arguments)
    assert told.code == 2, told.text
    assert said in told.text
    assert not fresh.logs.exists()


def test_a_sweep_of_which_every_combination_is_refused_says_so(fresh: Place) -> None:
    history(fresh, days=1, minutes=10)
    told = fresh.hydra(*BASE, "--set", "bots[0].parameters.fast=60,70", "--processes", "1")
    assert told.code == 2
    assert "nothing was played: every combination was refused" in told.text
    assert "2 runs refused: bots (spy-trend).parameters of signal sma_cross" in told.text


def test_an_invented_market_without_an_end_is_refused(fresh: Place) -> None:
    told = fresh.hydra("sweep", "--set", "risk.daily_loss=0.01,0.02", HYDRA_MARKET__DAYS="0")
    assert told.code == 2
    assert "never ends: name --until" in told.text


def test_without_ray_the_extra_is_named(fresh: Place, tmp_path: Path) -> None:
    package = tmp_path / "without" / "ray"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('raise ImportError("it is not here")\n')
    fresh.env["PYTHONPATH"] = str(package.parent)
    history(fresh, days=1, minutes=10)
    told = fresh.cold(*BASE, "--set", "risk.daily_loss=0.01,0.02", "--ray", "local")
    assert told.code == 2
    assert "--ray needs the extra scale, which is not installed" in told.text
    assert "pip install 'trading-hydra[scale]'" in told.text


# -- by command: `make drill`

MANY = (
    "--set",
    "bots[0].parameters.fast=2:9",
    "--set",
    "bots[0].parameters.slow=10:14",
    "--set",
    "bots[0].stop_loss=0.002,0.004,0.006,0.008,0.01",
)
"""200 runs."""


@RAY
@pytest.mark.drill
@pytest.mark.timeout(2400)
def test_two_hundred_runs_are_the_same_inline_on_two_processes_and_on_ray_also_when_killed(
    fresh: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.e2e.place.LIMIT_SECONDS", 900)
    history(fresh, days=24, minutes=30)
    began = time.monotonic()
    inline = swept(fresh, *MANY, "--processes", "1", "--out", "inline")
    assert len(table(inline)) == 200
    assert inline["luck"]["tries"] == 200
    killed_after(fresh, 60, [*BASE, *MANY, "--processes", "2"], "two", signal.SIGKILL)
    beside = swept(fresh, *MANY, "--processes", "2", "--out", "two")
    assert 60 <= beside["kept"] < 200
    killed_after(fresh, 60, [*BASE, *MANY, "--ray", "local", "--processes", "2"], "ray", signal.SIGKILL)
    on_ray = swept(fresh, *MANY, "--ray", "local", "--processes", "2", "--out", "ray")
    assert 60 <= on_ray["kept"] < 200
    assert table(beside) == table(inline)
    assert table(on_ray) == table(inline)
    tables = [pq.read_table(fresh.folder / out / "results.parquet") for out in ("inline", "two", "ray")]
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])
    print(f"600 runs in {time.monotonic() - began:.0f} s")
