"""How far a replay is, and what its notes say."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from hydra.adapters.journal.reader import Tail
from hydra.cli.screen.replayed import Progressing, notes_of
from hydra.engine.replay import Replayed, Turned
from hydra.model.portfolio import Ledger
from hydra.ports import Head

LONG = 50_000_000


def shown(*, terminal: bool, total: int, follows: bool, width: int = 80) -> str:
    """What is on the screen of somebody who watches 640 events."""
    out = StringIO()
    console = Console(file=out, force_terminal=terminal, width=width, color_system=None, legacy_windows=False)
    ticks = iter(range(10_000))
    result = Replayed()
    with Progressing(console, result, total, follows=follows, monotonic=lambda: float(next(ticks))) as progress:
        for event in range(1, 641):
            result.events, result.cycles = event, event // 4
            progress.tell(event * total // 640, Ledger())
        progress.tell(total, Ledger(), at_once=True, waiting=True)
    return out.getvalue()


def test_a_long_journal_has_a_bar_on_a_terminal_and_a_short_one_or_a_pipe_has_nothing() -> None:
    bar = shown(terminal=True, total=LONG, follows=False)
    assert "replaying" in bar
    assert "of 50.0 MB" in bar
    assert "events/s" in bar
    assert shown(terminal=True, total=1000, follows=False) == ""
    assert shown(terminal=False, total=LONG, follows=False) == ""


def test_what_is_followed_has_a_live_line_that_fits_and_says_when_it_waits() -> None:
    line = shown(terminal=True, total=0, follows=True)
    assert "identical so far: 160 cycles, 0 orders" in line
    assert "waiting" in line
    assert shown(terminal=False, total=0, follows=True) == ""


def test_notes_name_the_tail_the_code_and_the_policy() -> None:
    result = Replayed(codes={"a" * 64}, versions={"0.0.9"}, open_tail=True)
    result.turned.append(Turned(seq=7, run="later", before="b" * 64, after="c" * 64))
    notes = notes_of(result, Tail(head=Head(seq=9, hash="d"), torn_bytes=13), ["e" * 64])
    assert notes[0] == "a torn last line of 13 bytes was left out"
    assert notes[1].startswith("open tail")
    assert "another version of the code (0.0.9, aaaaaaaaaaaa; this is" in notes[2]
    assert notes[3] == "another policy from event 7 on (run later): bbbbbbbbbbbb became cccccccccccc"
    assert notes_of(Replayed(codes={"e"}, open_tail=False), Tail(head=Head(seq=9, hash="d")), ["e"]) == []
