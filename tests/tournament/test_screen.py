"""What people see of an iteration: every vote, at any width, and never more than a pipe can hold."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from hydra.bootstrap.tournament_host import Turn
from hydra.cli.screen.tournament import TournamentView
from hydra.engine.cycle import CycleReport
from hydra.model.events import Sitter, Voted
from hydra.model.values import replace
from tests.tournament.arenas import Evening, Script, cast

ESCAPE = "\x1b"


@pytest.fixture(scope="module")
def iteration(tmp_path_factory: pytest.TempPathFactory, waves: Path) -> tuple[Voted, CycleReport]:
    seen: list[tuple[Voted, CycleReport]] = []
    Evening(
        folder=tmp_path_factory.mktemp("seen"),
        data=(waves,),
        asker=Script("BBS-"),
        watch=lambda voted, report: seen.append((voted, report)),
    ).hold(1)
    return seen[0]


def shown(width: int, voted: Voted, report: CycleReport, *, terminal: bool) -> str:
    out = StringIO()
    people = Console(file=out, width=width, force_terminal=terminal, color_system="standard" if terminal else None)
    view = TournamentView(people, {seat: Sitter(engine="local:test") for seat in "ABCD"})
    view.thinking(Turn(iteration=1, asset="BTC-USD"))
    view.heard(voted.votes[0])
    view.take(voted, report)
    view.close()
    assert view.failure == ""
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_terminal_shows_every_seat_within_its_width(width: int, iteration: tuple[Voted, CycleReport]) -> None:
    voted, report = iteration
    long = replace(voted.votes[0], reasoning="because [bold]of[/] everything " * 60)
    text = shown(width, replace(voted, votes=(long, *voted.votes[1:])), report, terminal=True)
    plain = [Text.from_ansi(line).plain for line in text.splitlines()]
    assert max(map(len, plain[:6])) <= width
    assert ESCAPE in text
    for seat, word in zip("ABCD", ("BUY", "BUY", "SELL", "ABSTAIN"), strict=True):
        assert any(seat in line and word in line for line in plain)
    assert "BUY (2/4)" in text


def test_a_pipe_gets_plain_lines_with_the_engine_of_every_seat(iteration: tuple[Voted, CycleReport]) -> None:
    text = shown(120, *iteration, terminal=False)
    assert ESCAPE not in text
    lines = text.splitlines()
    assert lines[0].startswith("#1 2024-03-04 04:00Z BTC-USD ")
    assert lines[0].endswith(": BUY (2/4), confidence 0.60")
    assert [line[2] for line in lines[1:5]] == list("ABCD")
    assert all("engine: local:test | " in line for line in lines[1:5])
    assert "timeout: no answer within 30 s" in lines[4]
    assert lines[5].startswith("  enters ")
    assert lines[5].endswith("cost 0.0000 USD, so far 0.0000 USD")


def test_an_iteration_that_was_passed_over_is_one_line(iteration: tuple[Voted, CycleReport]) -> None:
    at = datetime(2024, 3, 4, 4, 0, tzinfo=UTC)
    voted = Voted(
        bot="tournament", iteration=3, asset="ETH-USD", at=at, skipped="ETH-USD: a gap: 2 candles are missing"
    )
    out = StringIO()
    TournamentView(Console(file=out, width=200)).take(voted, iteration[1])
    assert out.getvalue() == "#3 2024-03-04 04:00Z ETH-USD: skipped: ETH-USD: a gap: 2 candles are missing\n"


def test_a_screen_that_fails_is_switched_off_and_ends_nothing(iteration: tuple[Voted, CycleReport]) -> None:
    class Gone(StringIO):
        def write(self, _text: str) -> int:
            raise OSError("the terminal went away")

    view = TournamentView(Console(file=Gone(), width=80))
    view.take(*iteration)
    assert "the terminal went away" in view.failure
    view.take(*iteration)


def test_a_vote_costs_what_it_costs(iteration: tuple[Voted, CycleReport]) -> None:
    voted, report = iteration
    dear = replace(voted, votes=(replace(voted.votes[0], cost=Decimal("0.0123")), cast("B", "H", "x")))
    assert "cost 0.0123 USD, so far 0.0123 USD" in shown(200, dear, report, terminal=False)
