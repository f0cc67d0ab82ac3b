"""The log of a sweep: gone on with after any cut, refused for another sweep, and never believed when it is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from hydra.bootstrap.sweep_log import SweepLog
from hydra.model.errors import BadConfig, Corrupt
from hydra.study.sweep_rows import Part, Row

OF = {"policy": "a" * 64, "prices": "SPY", "parameters": {"risk.daily_loss": ["0.01", "0.02"]}, "draw": None}
ROWS = [
    Row(combination=0, returns=(0.1, -1e-17, 1 / 3), dates=("2025-01-06",) * 3, figures={"profit": "1.50", "sharpe": 0.1 + 0.2}, year=252),
    Row(combination=1, refused="fast must be below slow"),
    Row(combination=1, window=2, part=Part.TEST, since="2025-01-06T05:00:00Z", bots={"a": {"trades": 3, "held": 4.0}}),
]  # fmt: skip


def log(folder: Path, **changes: object) -> SweepLog:
    return SweepLog(folder, "abc", {**OF, **changes})


def written(folder: Path) -> bytes:
    with log(folder) as made:
        for row in ROWS:
            made.take(row)
    return made.path.read_bytes()


def test_what_was_taken_is_there_again_to_the_last_digit(tmp_path: Path) -> None:
    written(tmp_path)
    with log(tmp_path) as again:
        assert list(again.rows.values()) == ROWS
        assert again.notes == []


def test_cut_anywhere_it_goes_on_with_the_whole_lines_and_says_what_it_dropped(tmp_path: Path) -> None:
    whole = written(tmp_path)
    path = log(tmp_path).path
    lines = whole.splitlines(keepends=True)
    ends = [sum(map(len, lines[: count + 1])) for count in range(len(lines))]
    for cut in sorted(
        {*range(0, len(whole), 23), *ends[:-1], *(end - 1 for end in ends), *(end + 1 for end in ends[:-1])}
    ):
        path.write_bytes(whole[:cut])
        with log(tmp_path) as again:
            kept = sum(end <= cut for end in ends)
            assert list(again.rows.values()) == ROWS[: max(0, kept - 1)]
            assert bool(again.notes) is (cut not in (0, *ends)), cut
            for row in ROWS[max(0, kept - 1) :]:
                again.take(row)
        assert path.read_bytes() == whole, cut


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("policy", "b" * 64, "its policy is aaaaaaaaaaaa, here it is bbbbbbbbbbbb"),
        ("prices", "AAPL", "its prices is SPY, here it is AAPL"),
        ("draw", "3 by seed 1", "its draw is none, here it is 3 by seed 1"),
        ("parameters", {}, "its parameters is"),
        ("new", 1, "its new is none, here it is 1"),
    ],
)
def test_the_log_of_another_sweep_is_refused_by_what_differs(
    tmp_path: Path, name: str, value: object, said: str
) -> None:
    before = written(tmp_path)
    with pytest.raises(BadConfig, match="of another sweep") as refused, log(tmp_path, **{name: value}):
        pass
    assert said in str(refused.value)
    assert log(tmp_path).path.read_bytes() == before, "and left as it is"


@pytest.mark.parametrize("line", [b"nothing\n", b"{}\n", b'{"combination":"x"}\n', b"\xff\n", b"\n"])
def test_damage_before_the_end_is_refused_with_its_line(tmp_path: Path, line: bytes) -> None:
    lines = written(tmp_path).splitlines(keepends=True)
    lines.insert(2, line)
    log(tmp_path).path.write_bytes(b"".join(lines))
    with pytest.raises(Corrupt, match=r"runs\.jsonl, line 3"), log(tmp_path):
        pass


def test_a_run_that_stands_there_twice_is_damage(tmp_path: Path) -> None:
    lines = written(tmp_path).splitlines(keepends=True)
    log(tmp_path).path.write_bytes(b"".join([*lines, lines[1]]))
    with pytest.raises(Corrupt, match="line 5: a run that is there already"), log(tmp_path):
        pass


@pytest.mark.parametrize("line", [b"a,b,c\n", b"{}\n", b'{"form":2,"sweep":"x","of":{}}\n'])
def test_a_file_that_is_no_log_of_a_sweep_is_left_alone(tmp_path: Path, line: bytes) -> None:
    log(tmp_path).path.write_bytes(line)
    with pytest.raises(BadConfig, match="name another --out"), log(tmp_path):
        pass
    assert log(tmp_path).path.read_bytes() == line
