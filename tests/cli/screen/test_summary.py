"""The summary as it is read, at 80 columns."""

import io
from decimal import Decimal

from rich.console import Console

from hydra.cli.screen.summary import summary
from hydra.cli.screen.tally import Tally
from hydra.engine.run import Ending
from hydra.model.orders import OrderStatus, Purpose, Side
from hydra.model.portfolio import BotRecord, Halt
from hydra.model.snapshot import Verdict
from tests.cli.screen import reports

DONE = Ending(reason="3 cycles are done", exit_code=0, cycles=3)
JOURNAL = "logs/20250106T143100-ab12.*.jsonl"


def shown(
    tally: Tally, ending: Ending = DONE, *, width: int = 80, practice: bool = False, journal: str = JOURNAL
) -> str:
    console = Console(file=io.StringIO(), record=True, width=width, no_color=True, highlight=False)
    console.print(summary(tally, ending, journal=journal, practice=practice, mode_label="paper"))
    return "\n".join(line.rstrip() for line in console.export_text().splitlines())


def a_day() -> Tally:
    """An entry that is capped, an exit at a loss, a rejection, and a stale price."""
    entry = reports.order(1)
    rejected = reports.order(2, bot="aapl-trend", symbol="AAPL", status=OrderStatus.REJECTED, reason="no buying power")
    leave = reports.order(3, purpose=Purpose.EXIT, side=Side.SELL, status=OrderStatus.UNKNOWN, reason="TimeoutError")
    held = reports.holding("aapl-trend", "AAPL", quantity=Decimal(61), average_price=Decimal("242.5"))
    booked = reports.by_bot(BotRecord(bot="spy-trend", realized=Decimal("-20.30"), fees=Decimal(4)))
    tally = Tally(reports.ledger(), bots=("spy-trend", "aapl-trend"))
    shut = (reports.refuse("session", "equity session is pre", "equity", Verdict.SKIP),)
    closed = (reports.skip("spy-trend|SPY", "session", "equity session is pre; opens 2025-01-06 14:30Z"),)
    tally.take(reports.report(1, reports.ledger(), skips=closed, answers=shut))
    sent = reports.ledger(orders={"hy-1": entry, "hy-2": rejected}, fills=(reports.fill(1),))
    capped = (reports.skip("aapl-trend|AAPL", "capped", "daily_loss: equity 98000, day began at 100000, limit 0.02"),)
    tally.take(reports.report(2, sent, sends=(entry, rejected), skips=capped))
    end = reports.ledger(
        equity=Decimal("100040.70"),
        orders={"hy-3": leave},
        bots=booked,
        holdings={held.key: held},
        fills=(reports.fill(3),),
        trades=(reports.trade(1, "-20.30"),),
    )
    quiet = (reports.skip("spy-trend|SPY", "no_signal"), reports.skip("aapl-trend|AAPL", "full_moon", "it shines"))
    tally.take(reports.report(3, end, sends=(leave,), skips=quiet, quotes=(reports.quote("AAPL", "243.5"),)))
    return tally


A_DAY = """
Mode       PAPER   ACTIVE
Run        20250106T143100-ab12
Ended      3 cycles are done  (exit 0)
Period     2025-01-06 14:32:00Z to 2025-01-06 14:34:00Z, 1 exchange day
Cycles     3, orders were sent in 2
Equity     $100,000.00 to $100,040.70  +$40.70 (+0.04%)
Orders     3 sent (2 entries, 1 exit); 1 accepted, 1 rejected (last: no buying
           power), 1 unknown at first, 1 still
Fills      2
Trades     1 closed, 0 won, 1 lost, -$20.30; best -$20.30, worst -$20.30
Left       holding 61 AAPL; 1 order working at the venue

Bot         trades  won  lost  realised   fees     open      net
spy-trend        1    0     1   -$16.30  $4.00    $0.00  -$20.30
aapl-trend       0    0     0     $0.00  $0.00  +$61.00  +$61.00
all              1    0     1   -$16.30  $4.00  +$61.00  +$40.70

Why nothing was done         times  cycles  last reason
the exchange was closed          1       1  equity session is pre; opens
                                            2025-01-06 14:30Z
a risk rule allowed nothing      1       1  daily_loss: equity 98000, day began
                                            at 100000, limit 0.02
the bot saw no signal            1       1
full_moon                        1       1  it shines

Cycle      1.20 ms median, 1.20 ms p99, 1.20 ms longest
medians    observe 0.60 consider 0.15 ask 0.01 judge 0.03 act 0.01 settle 0.40
Journal    logs/20250106T143100-ab12.*.jsonl
Replay     hydra replay logs/20250106T143100-ab12.*.jsonl
"""
NO_CYCLE = """
 PRACTICE  not a rehearsal of a market day; results mean nothing
Mode       PAPER   ACTIVE
Run        20250106T143100-ab12
Ended      stopped by signal 2  (exit 130)
Cycles     0, orders were sent in 0
Equity     unknown
Orders     none sent
Fills      0

Journal    logs/20250106T143100-ab12.*.jsonl
Replay     hydra replay logs/20250106T143100-ab12.*.jsonl
"""


def test_a_day_reads_like_this() -> None:
    assert shown(a_day()) == A_DAY.rstrip("\n")


def test_a_run_without_a_cycle_reads_like_this() -> None:
    stopped = Ending(reason="stopped by signal 2", exit_code=130, cycles=0)
    assert shown(Tally(reports.ledger()), stopped, practice=True) == NO_CYCLE.rstrip("\n")


def test_failed_answers_are_told_by_bot_and_kind_and_only_when_there_are_any() -> None:
    tally = Tally(reports.ledger())
    for cycle, kind in enumerate(("timeout", "timeout", "exited"), 1):
        tally.take(reports.report(cycle, reports.ledger(), failed={"a": (kind, "x")}))
    tally.take(reports.report(4, reports.ledger(), failed={"b": ("Odd\x1b[31m" + "r" * 99, "x")}))
    (line,) = [line for line in shown(tally).splitlines() if line.startswith("Failures")]
    assert line == f"Failures   a 2 timeout, 1 exited; b 1 Odd [31m{'r' * 23}…"
    assert "Failures" not in shown(a_day())


def test_many_failures_are_told_up_to_a_bound_and_counted_beyond() -> None:
    tally = Tally(reports.ledger())
    for cycle in range(1, 4):
        tally.take(reports.report(cycle, reports.ledger(), failed={f"bot-{n}": ("timeout", "x") for n in range(20)}))
    text = " ".join(shown(tally).split())
    assert "bot-11 3 timeout; 24 more" in text


def test_practice_cannot_be_overlooked() -> None:
    assert "PRACTICE" in shown(a_day(), practice=True)
    assert "PRACTICE" not in shown(a_day())


def test_a_halt_is_told_with_its_reason_and_how_to_lift_it() -> None:
    halt = Halt(kind="daily_loss", reason="equity 97999, limit 0.02", at=reports.START, by="hydra", automatic=True)
    tally = Tally(reports.ledger())
    tally.take(reports.report(1, reports.ledger(halts=(halt,)), halts=(halt,)))
    text = shown(tally, Ending(reason="halted and flat", exit_code=3, cycles=1))
    assert "HALTED" in text
    assert "daily_loss at 2025-01-06 14:31:00Z by hydra, latched: equity 97999" in text
    assert "hydra resume" in text
    assert "(exit 3)" in text


def test_a_halt_carried_into_the_run_is_told_too() -> None:
    halt = Halt(kind="operator", reason="lunch", at=reports.START, by="ann", automatic=False)
    assert "operator at" in shown(Tally(reports.ledger(halts=(halt,))))


def test_the_path_to_replay_is_whole() -> None:
    journal = "/srv/" + "deep/" * 30 + "run.jsonl"
    assert f"hydra replay {journal}" in shown(a_day(), journal=journal).replace("\n", "").replace("replay/", "replay /")
    assert "hydra replay 'my logs/run.jsonl'" in shown(a_day(), journal="my logs/run.jsonl")


def test_nothing_is_wider_than_the_terminal() -> None:
    tally = a_day()
    long = "reason " * 80
    many = {f"b{n}": BotRecord(bot=f"b{n}", realized=Decimal("-9e11"), fees=Decimal("8e11")) for n in range(70)}
    skips = tuple(reports.skip(f"b{n}|SPY", f"code{n}", long) for n in range(20))
    halts = tuple(Halt(kind=f"k{n}", reason=long, at=reports.START, by="hydra", automatic=True) for n in range(9))
    huge = reports.ledger(equity=Decimal("9e17"), bots=many, halts=halts)
    tally.take(reports.report(4, huge, skips=skips, halts=halts))
    lines: list[str] = []
    for width in (60, 80, 120):
        lines = shown(tally, Ending(reason=long, exit_code=3, cycles=4), width=width).splitlines()
        assert max(map(len, lines)) <= width
    assert "+12 more" in "\n".join(lines)
    assert "other" in "\n".join(lines)


def test_foreign_words_reach_the_screen_without_their_escapes() -> None:
    tally = Tally(reports.ledger())
    tally.take(reports.report(1, reports.ledger(), skips=(reports.skip("a", "abstained", "[red]x[/red] \x1b[2J"),)))
    text = shown(tally)
    assert "\x1b" not in text
    assert "[red]x[/red]" in text


def test_no_color_leaves_no_colour() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, no_color=True)
    console.print(summary(a_day(), DONE, journal=JOURNAL, practice=True, mode_label="paper"))
    assert isinstance(console.file, io.StringIO)
    assert "\x1b[3" not in console.file.getvalue()
    assert "\x1b[4" not in console.file.getvalue()


def test_what_was_charged_to_no_bot_stands_below_the_bots() -> None:
    assert "charged to no bot" not in shown(a_day())
    tally = a_day()
    tally.equity_end = Decimal("99553.45")
    assert "charged to no bot: -$487.25 (fees and transfers of the account)" in shown(tally)
