"""A sweep on the screen: names as they are, as many columns as there is room for, and lines for those who only have a pipe."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest
from rich.console import Console

from hydra.bootstrap.backtest import Stretch
from hydra.bootstrap.sweep import Chosen, Found, Sweep
from hydra.bootstrap.sweep_days import Day
from hydra.bootstrap.sweep_play import Ground, Task
from hydra.cli.screen.sweep_progress import SweepProgress
from hydra.cli.screen.swept import Best, Walked, chain_line, endings, idle, lost_lines, luck_lines, refusals
from hydra.study.sweep_grid import Axis, Grid
from hydra.study.sweep_luck import Luck, Overfitting, chain_of, luck_of
from hydra.study.sweep_rows import Objective, Part, Row
from hydra.study.sweep_windows import Window

FIGURES = {
    "return": -0.0123, "sharpe": 1.234, "drawdown": 0.05, "trades": 12, "win_rate": 0.5, "profit_factor": None, "exposure": 0.25, "fees": "12.5",
}  # fmt: skip


def sweep(*keys: str, objective: str = "sharpe", windows: tuple[Window, ...] = ()) -> Sweep:
    axes = tuple(Axis(name=key, location=tuple(key.split(".")), values=(1, 2, None), kind="whole") for key in keys)
    return Sweep(
        ground=Ground({}, "", (), "", "", "", ()),
        grid=Grid(axes),
        numbers=tuple(range(3)),
        objective=Objective(figure=objective),
        days=(),
        windows=windows,
        stretch=Stretch(),
        of={},
    )


def shown(what: object, width: int) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(what)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_a_name_with_brackets_is_shown_as_it_is_and_every_line_fits(width: int) -> None:
    rows = [Row(combination=number, figures=FIGURES) for number in range(3)]
    lines = shown(Best(sweep("bots[spy-trend].stop_loss", "bots[coins].stop_loss"), rows), width)
    text = "".join("".join(lines).split())
    assert "bots[spy-" in text
    assert "bots[coins]" in text
    assert all(len(line) <= width for line in lines)
    assert ("fees" in lines[0]) is (width == 120)
    assert sum("1.23" in line for line in lines) >= 3


def test_many_parameters_share_a_column_and_those_with_one_value_are_left_out() -> None:
    wide = sweep("a.p", "a.q", "a.r", "a.s", "a.t")
    text = " ".join(" ".join(shown(Best(wide, [Row(combination=242, figures=FIGURES)]), 120)).split())
    assert "parameters" in text
    for part in ("p none,", "q none,", "t none"):
        assert part in text
    one = Grid(
        (
            Axis(name="a.p", location=("a", "p"), values=(1, 2), kind="whole"),
            Axis(name="a.q", location=("a", "q"), values=(7,), kind="whole"),
        )
    )
    few = sweep("a.p")
    few.grid = one
    assert shown(Best(few, [Row(combination=1, figures=FIGURES)]), 80)[0].split()[:3] == ["run", "p", "Sharpe"]


@pytest.mark.parametrize("width", [80, 120])
def test_windows_show_what_was_chosen_beside_what_came_of_it(width: int) -> None:
    window = Window(1, 0, 2, 3)
    day = Day(date(2025, 1, 6), datetime(2025, 1, 6, tzinfo=UTC), datetime(2025, 1, 7, tzinfo=UTC))
    trained = Row(combination=1, window=1, part=Part.TRAIN, figures=FIGURES)
    tested = Row(
        combination=1, window=1, part=Part.TEST, figures={**FIGURES, "sharpe": -2.5}, returns=(0.01,), year=252
    )
    chosen = Chosen(window, (day, day), (day, day), trained, tested)
    nothing = Chosen(window._replace(number=2), (day, day), (day, day), None, None)
    made = sweep("risk.daily_loss", windows=(window,))
    lines = shown(Walked(made, Found(rows=(trained,), chosen=(chosen, nothing))), width)
    assert all(len(line) <= width for line in lines)
    assert lines[1].split().index("1.23") < lines[1].split().index("-2.50")
    assert "-" in lines[2].split()
    (line,) = shown(chain_line(chain_of([tested])), 400)
    assert line.startswith("Out of sample, 1 day one after the other: return 1.00%, Sharpe ratio not enough data")
    assert shown(chain_line(chain_of([])), 400) == ["Out of sample: no test was played"]


def test_the_best_is_told_with_its_luck_in_plain_words() -> None:
    made, best = sweep("risk.daily_loss"), Row(combination=0, figures=FIGURES)
    told = shown(luck_lines(made, best, Luck(200, 1.42, 1.1, 0.812, ""), Overfitting(250, 12870, 0.34, ""))[1], 400)
    assert told == [
        "The luckiest of 200 tries without any skill would be expected to show a Sharpe ratio of 1.10, this one has 1.42. "
        "Probability that the best is better than luck among 200 trials: 81.20% (deflated Sharpe ratio)"
    ]
    nobody = luck_of(None, [])
    words = [line.plain for line in luck_lines(made, None, nobody, Overfitting(4, 0, None, "not enough data: 4 days"))]
    assert words[0].startswith("Best: not enough data: the Sharpe ratio is known of no run")
    assert all("not enough data" in line for line in words)


def test_what_says_the_same_but_for_its_numbers_is_one_line() -> None:
    rows = [Row(combination=n, refused=f"fast must be below slow, got fast {n}, slow 2") for n in (3, 4, 12)]
    rows += [
        Row(combination=20, ended="the market's last day is over"),
        Row(combination=21, ended="halted and flat (daily_loss)"),
    ]
    assert refusals(rows) == ["3 runs refused: fast must be below slow, got fast 3, slow 2"]
    assert endings(rows) == ["1 run ended before the prices did: halted and flat (daily_loss)"]
    made = sweep("risk.daily_loss")
    made.lost = [(Task(0, ()), "the process ended with -9"), (Task(1, ()), "the process ended with -9")]
    assert lost_lines(made) == ["2 runs lost: the process ended with -9"]


def test_a_sweep_over_something_that_nobody_reads_says_so() -> None:
    rows = [Row(combination=number, figures=FIGURES, returns=(0.1,)) for number in range(2)]
    assert idle(rows) == ["Every run came to the same: what was varied makes no difference here"]
    assert idle([*rows, Row(combination=2, refused="no")]) != []
    assert idle([*rows, Row(combination=2, figures=FIGURES, returns=(0.2,))]) == []
    assert idle(rows[:1]) == []


def test_in_a_pipe_there_is_a_line_now_and_then() -> None:
    out, now = io.StringIO(), [0.0]
    with SweepProgress(Console(file=out, width=120), 200, 80, lambda: now[0]) as progress:
        for run in range(12):
            now[0] = run * 2.0
            progress.tell("best 1.20")
    assert out.getvalue().splitlines() == ["86 of 200 runs, 0.6/s, best 1.20", "91 of 200 runs, 0.6/s, best 1.20"]
