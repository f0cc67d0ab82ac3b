"""The live view: what is drawn, how often, and that it never gets in the way."""

import io
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from hydra.cli.screen.decisions import Decisions
from hydra.cli.screen.live import LiveView, pace
from hydra.cli.screen.panels import Facts, picture
from hydra.cli.screen.tally import Tally
from hydra.engine.cycle import CycleReport
from hydra.model.orders import Intent, Judgement, OrderStatus, OrderType, Purpose, Side, Size, SizeKind
from hydra.model.portfolio import BotRecord, Halt, Mode
from hydra.model.snapshot import Command, Verdict
from hydra.policy import Policy
from tests.cli.screen import reports

LONG = "a reason that goes on and on, with numbers 1234567.89 and more of them, " * 4
HALT = Halt(kind="daily_loss", reason=LONG, at=reports.START, by="hydra", automatic=True)

SCREEN = """
 ACTIVE   PAPER  simulated x60             2025-01-06 14:33:00Z (09:33 exchange)
equity $99,950.11   day -$49.89 (-0.05%)       cycle 2  run 20250106T143100-ab12

Gates  11 of 13 open  account_valid broker_reachable certificate clock_skew +7
data_fresh  refuse   AAPL: last quote is 130 s old, limit 120 s
session     skip     crypto session is closed

Positions  symbol  quantity  average    last    stop  target  open P&L
spy-trend  SPY           30   599.12  600.10  596.70  603.90   +$29.40

Bots          risk budget   used    of  day P&L  trades  strikes
spy-trend     ==========..  $143  $167  -$70.50     3/4        1
spy-breakout  ............    $0  $167    $0.00     0/4        0
aapl-trend    ............    $0  $167    $0.00     0/4        0

Decisions
14:33:00   capped   spy-breakout SPY  (2 times) trades_per_day: 4 today, at most
                                      4
14:32:00   refused  data_fresh AAPL   AAPL: last quote is 130 s old, limit 120 s




cycle 1.20 ms median, 1.20 ms p99              0 orders  0 fills  0 trades $0.00
"""


def seen(policy: Policy, made: Iterable[CycleReport], width: int, height: int) -> list[str]:
    """The lines of the last picture."""
    tally, decisions = Tally(reports.ledger()), Decisions()
    last = None
    for last in made:
        tally.take(last)
        decisions.take(last)
    assert last is not None
    facts = Facts(
        policy=policy,
        run=reports.RUN,
        market="synthetic, seed 7",
        pace="simulated x60",
        report=last,
        tally=tally,
        decisions=decisions,
    )
    console = Console(file=io.StringIO(), record=True, width=width, height=height, no_color=True, highlight=False)
    console.print(picture(facts, width, height))
    return console.export_text().splitlines()


def everything(bots: int = 3, holdings: int = 3) -> list[CycleReport]:
    """Entries, caps, rejections, unknowns, trades, halts and shut gates, with long words and huge numbers."""
    entry = reports.order(1, bot="spy-trend")
    leave = reports.order(2, purpose=Purpose.EXIT, side=Side.SELL, status=OrderStatus.UNKNOWN, reason=LONG, thesis=LONG)
    stop = reports.order(
        3,
        purpose=Purpose.STOP,
        side=Side.SELL,
        status=OrderStatus.REJECTED,
        order_type=OrderType.STOP,
        stop=Decimal(590),
    )
    orders = {order.client_id: order for order in (entry, leave, stop)}
    held = [
        reports.holding(f"bot-{n:02}-with-a-long-name", "GOOG151231C00750000", quantity=Decimal("123456789.123456"))
        for n in range(holdings)
    ]
    booked = [
        BotRecord(bot=f"bot-{n:02}-with-a-long-name", realized_today=Decimal("-1e15"), strikes=9) for n in range(bots)
    ]
    after = reports.ledger(
        orders=orders,
        equity=Decimal("123456789012345.67"),
        holdings={one.key: one for one in held},
        bots=reports.by_bot(*booked),
        halts=(HALT,),
        trades=(reports.trade(1, "1e14"), reports.trade(2, "-61.40")),
    )
    answers = tuple(reports.refuse(gate, LONG, key) for gate in ("data_fresh", "mode") for key in ("SPY", "AAPL"))
    skips = (
        reports.skip("bot-00-with-a-long-name|GOOG151231C00750000", "capped", LONG),
        reports.skip("b", "flood", LONG),
    )
    quotes = (reports.quote("GOOG151231C00750000", "1234567.89"),)
    plan: dict[str, Any] = {"answers": answers, "skips": skips, "halts": (HALT,), "sends": (entry, leave, stop)}
    return [reports.report(n, after, mode=Mode.REDUCING, quotes=quotes, **plan) for n in (1, 2)]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 200])
@pytest.mark.parametrize("height", [10, 24, 40, 90])
@pytest.mark.parametrize("bots", [1, 50])
def test_the_picture_keeps_to_the_terminal(width: int, height: int, bots: int) -> None:
    policy = reports.policy(bots=reports.many_bots(bots), practice=True)
    lines = seen(policy, everything(bots, bots), width, height)
    assert len(lines) == height
    assert max(map(len, lines)) <= width


def test_eighty_by_twenty_four_shows_what_matters() -> None:
    held = reports.holding()
    after = reports.ledger(
        equity=Decimal("99950.11"),
        holdings={held.key: held},
        bots=reports.by_bot(BotRecord(bot="spy-trend", trades_today=3, realized_today=Decimal("-70.5"), strikes=1)),
    )
    answers = (
        reports.refuse("session", "crypto session is closed", "crypto", Verdict.SKIP),
        reports.refuse("data_fresh", "AAPL: last quote is 130 s old, limit 120 s", "AAPL"),
    )
    skips = (reports.skip("spy-breakout|SPY", "capped", "trades_per_day: 4 today, at most 4"),)
    made = [
        reports.report(n, after, quotes=(reports.quote("SPY", "600.10"),), answers=answers, skips=skips) for n in (1, 2)
    ]
    lines = [line.rstrip() for line in seen(reports.policy(), made, 80, 24)]
    assert lines == SCREEN.strip("\n").splitlines()


def test_numbers_are_dropped_whole_and_never_cut() -> None:
    text = "\n".join(seen(reports.policy(), everything(), 60, 24))
    assert "target" not in text
    assert "123M" in text or "123.46M" in text


def test_what_does_not_fit_is_counted() -> None:
    policy = reports.policy(bots=reports.many_bots(50))
    text = "\n".join(seen(policy, everything(50, 50), 80, 24))
    assert text.count(" more") >= 2


def test_a_halt_and_practice_stand_at_the_top() -> None:
    lines = seen(reports.policy(practice=True), everything(), 80, 24)
    assert "PRACTICE" in lines[0]
    assert "REDUCING" in lines[1]
    assert "daily_loss" in lines[3]


def judged(bot: str, asked: str, admitted: str, reason: str) -> Judgement:
    entry = reports.order(1)
    size = Size(kind=SizeKind.QUANTITY, amount=Decimal(asked))
    intent = Intent(
        bot=bot,
        symbol="SPY",
        side=Side.BUY,
        size=size,
        reference=Decimal(599),
        thesis="up",
        protection=entry.protection,
    )
    return Judgement(intent=intent, asked=Decimal(asked), admitted=Decimal(admitted), reason=reason)


def test_an_entry_is_told_with_what_capped_it() -> None:
    decisions, entry = Decisions(), reports.order(1)
    judgement = judged("spy-trend", "100", "30", "bot_budget: 166 dollars left")
    after = reports.ledger(orders={"hy-1": entry})
    decisions.take(reports.report(1, after, sends=(entry,), judgements=(judgement,)))
    (line,) = decisions.latest(8)
    assert (line.kind, line.subject) == ("entry", "spy-trend SPY")
    assert line.text == (
        "buy 30 at 599.12, stop 596.70: 10 bars above 30; capped from 100 by bot_budget: 166 dollars left"
    )


def test_an_order_that_did_not_leave_is_told_as_such() -> None:
    decisions = Decisions()
    leave = reports.order(1, purpose=Purpose.EXIT, side=Side.SELL, thesis="stop_loss: hit")
    decisions.take(reports.report(1, reports.ledger(), sends=(leave,)))
    assert decisions.latest(1)[0].text.startswith("NOT SENT")


def test_what_repeats_is_one_line_with_a_count() -> None:
    decisions = Decisions()
    for cycle in range(1, 200):
        skips = (reports.skip("a|SPY", "capped", f"now {cycle}"), reports.skip("b|SPY", "no_signal"))
        decisions.take(reports.report(cycle, reports.ledger(), skips=skips))
    (line,) = decisions.latest(8)
    assert (line.times, line.text, line.cycle) == (199, "now 199", 199)


def test_a_bot_that_fails_is_a_line_for_each_way_in_which_it_does() -> None:
    decisions = Decisions()
    for cycle, kind in enumerate(("timeout", "timeout", "exited"), 1):
        decisions.take(reports.report(cycle, reports.ledger(), failed={"a": (kind, f"in cycle {cycle}")}))
    assert [(line.kind, line.subject, line.text, line.times) for line in decisions.latest(8)] == [
        ("failed", "a", "exited: in cycle 3", 1),
        ("failed", "a", "timeout: in cycle 2", 2),
    ]


@pytest.mark.parametrize(("forget", "more"), [(False, ""), (True, " and memory")])
def test_a_release_is_told_with_who_and_why(forget: bool, more: str) -> None:
    word = Command(
        command_id="r", action="release", by="ann@x", wall=reports.START, reason="mended", bot="a", force=forget
    )
    decisions = Decisions()
    decisions.take(reports.report(1, reports.ledger(), releases=(word,)))
    (line,) = decisions.latest(8)
    assert (line.kind, line.subject) == ("released", "a")
    assert line.text == f"failed answers{more} forgotten: mended (by ann@x)"


def test_a_gate_is_news_when_it_shuts_and_when_it_opens() -> None:
    decisions = Decisions()
    shut = (reports.refuse("data_fresh", "old", "AAPL"), reports.refuse("session", "closed", "equity", Verdict.SKIP))
    for cycle, answers in enumerate((shut, shut, (), ()), 1):
        decisions.take(reports.report(cycle, reports.ledger(), answers=answers))
    assert [(line.kind, line.subject, line.times) for line in decisions.latest(8)] == [
        ("open", "data_fresh AAPL", 1),
        ("refused", "data_fresh AAPL", 1),
    ]


def test_a_name_in_a_long_reason_is_not_torn_where_the_line_ends() -> None:
    name = "hy-8e3393032cad3d4f865bbf647341e1cd"
    for width in range(84, 110):
        skip = reports.skip("btc-trend|BTC-USD", "capped", f"wash_trade: an order stands against it: {name}")
        lines = seen(reports.policy(), [reports.report(1, reports.ledger(), skips=(skip,))], width, 30)
        assert any(name in line for line in lines), width


def test_a_stop_says_what_it_is_for_without_a_name_nobody_can_use() -> None:
    stop = reports.order(
        3,
        purpose=Purpose.STOP,
        side=Side.SELL,
        order_type=OrderType.STOP,
        stop=Decimal("224.92"),
        thesis="protects hy-1",
    )
    decisions = Decisions()
    decisions.take(reports.report(1, reports.ledger(orders={stop.client_id: stop}), sends=(stop,)))
    assert [one.text for one in decisions.latest(2)] == ["sell 30 under 224.92: protects what is held"]


def test_only_the_last_decisions_are_kept() -> None:
    decisions = Decisions()
    for cycle in range(1, 300):
        trades = (reports.trade(cycle, "1"),)
        decisions.take(reports.report(cycle, reports.ledger(trades=trades)))
    kept = decisions.latest(1000)
    assert len(kept) <= 64
    assert kept[0].cycle == 299


class Hand:
    """A clock moved by hand, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def terminal(**options: object) -> Console:
    return Console(
        file=io.StringIO(),
        force_terminal=True,
        width=80,
        height=24,
        legacy_windows=False,
        _environ={"TERM": "xterm-256color"},
        **options,  # type: ignore[arg-type]  # options of the console
    )


def output(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def watch(view: LiveView, cycles: int, hand: Hand | None = None, seconds: float = 0.0) -> None:
    tally = Tally(reports.ledger())
    with view:
        for cycle in range(1, cycles + 1):
            report = reports.report(cycle, reports.ledger())
            tally.take(report)
            view.take(report, tally)
            if hand is not None:
                hand.now += seconds


def test_it_draws_at_most_eight_times_a_second() -> None:
    hand = Hand()
    view = LiveView(terminal(), reports.policy(), run="r", market="m", monotonic=hand)
    watch(view, 400, hand, 0.005)
    assert view.failure is None
    assert 14 <= view.drawn <= 16


def test_it_leaves_the_terminal_as_it_was() -> None:
    console = terminal()
    watch(LiveView(console, reports.policy(), run="r", market="m"), 3)
    assert output(console).count("\x1b[?1049h") == output(console).count("\x1b[?1049l") == 1
    assert output(console).rindex("\x1b[?25h") > output(console).rindex("\x1b[?25l")


@pytest.mark.parametrize("plain", [{"no_color": True}, {"force_terminal": False}])
def test_without_colour_or_terminal_it_prints_a_line_a_day(plain: dict[str, bool]) -> None:
    console = Console(**{"file": io.StringIO(), "force_terminal": True, "width": 80, **plain})  # type: ignore[arg-type]
    progress = Console(file=io.StringIO(), width=80)
    view = LiveView(console, reports.policy(), run="r", market="m", progress=progress)
    watch(view, 60 * 24 * 2)
    assert (view.drawn, view.failure, output(console)) == (0, None, "")
    assert output(progress).splitlines() == [
        "2025-01-06  equity $100,000.00; so far 868 cycles, 0 orders, 0 trades closed",
        "2025-01-07  equity $100,000.00; so far 2,308 cycles, 0 orders, 0 trades closed",
    ]


class Gone(io.StringIO):
    """A terminal that goes away."""

    broken = False

    def write(self, text: str) -> int:
        if self.broken:
            raise OSError(5, "Input/output error")
        return super().write(text)


def test_a_terminal_that_goes_away_does_not_stop_the_run() -> None:
    gone, hand = Gone(), Hand()
    console = Console(file=gone, force_terminal=True, width=80, height=24, _environ={"TERM": "xterm"})
    view = LiveView(console, reports.policy(), run="r", market="m", monotonic=hand)
    tally = Tally(reports.ledger())
    with view:
        for cycle in range(1, 5):
            gone.broken = cycle > 1
            report = reports.report(cycle, reports.ledger())
            tally.take(report)
            view.take(report, tally)
            hand.now += 1
    assert view.drawn == 1
    assert view.failure == "OSError: [Errno 5] Input/output error"


def test_the_pace_is_told_in_words() -> None:
    policy = reports.policy()
    assert pace(policy, "max") == "simulated, full speed"
    assert pace(policy, "60") == "simulated x60"
    real = policy.model_copy(update={"broker": policy.broker.model_copy(update={"name": "alpaca"})})
    assert pace(real, None) == "real time"
    assert pace(real, None, "sim") == "the simulator's time"
