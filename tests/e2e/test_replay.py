"""``hydra replay`` beside a running engine, in several processes, and of a journal in which everything has happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.segments import content
from hydra.qc.ground import descendants
from tests.cli.test_replay import OLD
from tests.cli.test_replay_parts import laid, with_bot
from tests.e2e.place import REPOSITORY, Place, Running, kinds


def listens(running: Running) -> bool:
    """Whether a process has taken SIGTERM into its own hands, as it does with SIGINT at the same time."""
    status = Path(f"/proc/{running.process.pid}/status").read_text(encoding="utf-8")
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.drill
def test_a_journal_in_which_everything_happened_is_decided_again_and_every_cycle_told(held: Place) -> None:
    head = held.head()
    running = held.start("run", "--speed", "1200")
    running.until(lambda: held.head() > head + 20)
    running.kill()
    with held.segments()[-1].open("ab") as segment:
        segment.write(b'{"v":1,"seq":')
    assert held.hydra("run", "--cycles", "2").code == 0
    for line in (
        ("halt", "--reason", "lunch"),
        ("resume", "--reason", "back"),
        ("test-broker",),
        ("flatten", "--yes"),
        ("resume", "--reason", "again", "--force"),
        ("bots", "release", "spy-trend", "--reason", "a test"),
        ("doctor", "--fix"),
        ("qc",),
        ("run", "--cycles", "3"),
    ):
        held.hydra(*line)
    assert {"halted", "resumed", "recovered", "certified"} <= set(kinds(held.events()))
    told = held.hydra("replay", "logs", "--json")
    assert (told.code, told.document["difference"]) == (0, None)

    cycles = sorted(event["data"]["cycle"] for event in held.events() if event["kind"] == "observed")
    for cycle in (cycles[0], cycles[len(cycles) // 2], *cycles[-3:]):
        story = held.hydra("replay", "logs", "--cycle", str(cycle), "--json")
        assert (story.code, story.document["identical"], story.document["cycle"]) == (0, True, cycle)
    missed = held.hydra("replay", "logs", "--cycle", str(cycles[-1] + 1))
    assert (missed.code, f"it has the cycles 1 to {cycles[-1]:,}" in missed.text) == (2, True)


def test_a_running_engine_is_followed_to_its_end_and_an_interrupt_ends_only_the_following(held: Place) -> None:
    head = held.head()
    running = held.start("run", "--speed", "1200")
    running.until(lambda: held.head() > head + 5)
    stopped, ended = (held.start("replay", "logs", "--follow", "--json") for _ in range(2))
    stopped.until(lambda: listens(stopped))
    stopped.signal(signal.SIGINT)
    told = stopped.end()
    assert (told.code, told.document["difference"], told.document["open_tail"]) == (130, None, True)
    running.signal(signal.SIGINT)
    assert running.end().code == 130
    told = ended.end()
    assert (told.code, told.document["difference"], told.document["open_tail"]) == (0, None, False)
    assert told.document["events"] == held.head()


@pytest.mark.drill
def test_a_whole_day_under_its_own_policy_is_decided_and_filled_the_same_and_under_another_it_parts(
    day_once: Place,
) -> None:
    same = day_once.hydra("replay", "logs", "--what-if", "configs/paper.toml", "--json").document
    assert (same["differing"], same["parting"]) == (0, None)
    assert same["recorded"] == same["what_if"]
    assert same["recorded"]["fills"] > 0

    text = day_once.config.read_text()
    assert "order_notional = 25000" in text
    smaller = day_once.config.with_name("smaller.toml")
    smaller.write_text(text.replace("order_notional = 25000", "order_notional = 2500"))
    other = day_once.hydra("replay", "logs", "--what-if", "configs/smaller.toml", "--json").document
    first = day_once.entries()[0]["data"]["order"]["cycle"]
    assert other["parting"]["cycle"] <= first
    assert other["what_if"] != other["recorded"]
    smaller.unlink()


class Watched:
    """A ``hydra replay`` in two parts, none of which comes to its end."""

    def __init__(self, paths: Sequence[Path]) -> None:
        line = [sys.executable, "-c", "from hydra.cli.main import main; main()", "replay", "--processes", "2"]
        self.process = subprocess.Popen(
            [*line, *map(str, paths)], cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def parts(self) -> list[int]:
        """Its processes, once all of them are there."""
        ends_at = time.monotonic() + 30
        while len(found := list(descendants(self.process.pid))) < 2:
            assert time.monotonic() < ends_at, "the parts are not there"
            time.sleep(0.02)
        return found

    def end(self) -> tuple[int, str]:
        """How it ended, and what it said."""
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, " ".join(f"{out} {err}".split())


def gone(pids: Sequence[int]) -> bool:
    """Whether none of these is there any more, in a moment."""
    ends_at = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > ends_at:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.drill
@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes where Linux has them")
@pytest.mark.parametrize(
    ("number", "whom", "code", "said"),
    [
        (signal.SIGINT, "the command", 130, "interrupted"),
        (signal.SIGKILL, "a part", 1, "unfinished: part "),
    ],
)
def test_when_one_of_them_is_ended_all_end_and_nothing_is_said_to_be_identical(
    tmp_path: Path, number: signal.Signals, whom: str, code: int, said: str
) -> None:
    segments = {path.name.removesuffix(".zst"): b"".join(content(RealFiles(), path)) for path in sorted(OLD.iterdir())}
    watched = Watched(laid(tmp_path, with_bot(segments, tmp_path.parent / "still.py")))
    parts = watched.parts()
    os.kill(watched.process.pid if whom == "the command" else parts[0], number)
    ended, text = watched.end()
    assert ended == code
    assert said in text
    assert "identical" not in text
    assert gone(parts)
