"""The terminal's side: everything at the width there is."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from hydra.cli.screen.earned import earned
from hydra.study.study import Study, study
from tests.study.tape import Tape, recorded, voyage
from tests.study.test_by_hand import two_trades


def shown(done: Study, width: int) -> str:
    out = io.StringIO()
    Console(file=out, width=width, highlight=False, color_system=None).print(earned(done, practice=True))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("seed", [5, 40])
def test_nothing_is_wider_than_the_terminal_and_no_amount_is_cut(seed: int, width: int) -> None:
    done = study(recorded(voyage(seed)))
    text = shown(done, width)
    assert max(len(line) for line in text.splitlines()) <= width
    bots = [line for line in text.splitlines() if any(line.startswith(one.bot) for one in done.bots)]
    assert len(bots) >= len(done.bots)
    assert not any("…" in line for line in bots)


def test_the_whole_is_told_first_and_then_the_bots() -> None:
    text = shown(study(two_trades().recorder, ("idle",)), 120)
    lines = text.splitlines()
    assert "$10,000.00 to $10,017.00  +$17.00 (0.17%)" in text
    assert "not enough data for growth, volatility" in text
    assert "0.90% ($90.60), from 2024-03-04 14:33Z, deepest 2024-03-04 14:34Z, not recovered" in text
    idle = next(n for n, line in enumerate(lines) if line.startswith("idle"))
    buyer = next(n for n, line in enumerate(lines) if line.startswith("buyer"))
    whole = next(n for n, line in enumerate(lines) if line.startswith("all"))
    assert idle < buyer < whole


def test_of_nothing_nothing_is_said() -> None:
    assert "there is nothing to say" in shown(study(Tape().recorder), 80)
