"""Counting a run."""

from datetime import date
from decimal import Decimal

from hydra.cli.screen.document import summary_document
from hydra.cli.screen.tally import OTHERS, Tally
from hydra.engine.run import Ending
from hydra.model.orders import Cancel, OrderStatus, Purpose, Send, Side
from hydra.model.portfolio import BotRecord, Halt
from hydra.model.snapshot import Command, Verdict
from hydra.model.values import replace
from tests.cli.screen import reports

ENDING = Ending(reason="2 cycles are done", exit_code=0, cycles=2)


def test_a_tally_without_a_cycle_has_a_document() -> None:
    told = summary_document(Tally(reports.ledger()), ENDING, journal="logs", practice=False, mode_label="paper")
    assert told["cycles"] == 0
    assert told["equity"]["start"] is None
    assert told["cycle_micros"] == {"median": None, "p99": None, "max": None, "stages": {}}


def test_skips_are_counted_by_code_by_subject_and_by_cycle() -> None:
    tally = Tally(reports.ledger())
    for cycle in range(1, 4):
        both = (reports.skip("a|SPY", "session", f"closed {cycle}"), reports.skip("b|SPY", "session", "closed"))
        one = (reports.skip("a|SPY", "capped", f"daily_loss {cycle}"),) if cycle == 2 else ()
        tally.take(reports.report(cycle, reports.ledger(), skips=both + one))
    session, capped = tally.skips["session"], tally.skips["capped"]
    assert (session.count, session.cycles, session.subjects) == (6, 3, {"a|SPY": 3, "b|SPY": 3})
    assert (capped.count, capped.cycles, capped.last) == (1, 1, "daily_loss 2")


def test_gates_are_counted_by_name_and_verdict() -> None:
    tally = Tally(reports.ledger())
    answers = (
        reports.refuse("data_fresh", "SPY is old", "SPY"),
        reports.refuse("data_fresh", "AAPL is old", "AAPL"),
        reports.refuse("session", "closed", "equity", Verdict.SKIP),
    )
    tally.take(reports.report(1, reports.ledger(), answers=answers))
    stale = tally.gates["data_fresh", Verdict.REFUSE]
    assert (stale.count, stale.cycles, stale.last) == (2, 1, "AAPL is old")
    assert tally.gates["session", Verdict.SKIP].cycles == 1


def test_orders_are_counted_by_what_the_ledger_says_of_them() -> None:
    accepted = reports.order(1)
    rejected = reports.order(2, status=OrderStatus.REJECTED, reason="no buying power")
    unknown = reports.order(3, status=OrderStatus.UNKNOWN, purpose=Purpose.EXIT, side=Side.SELL)
    waiting = reports.order(4, purpose=Purpose.EXIT, side=Side.SELL)
    way = (Cancel(client_id="hy-9", venue_id="v-9", reason="makes way"),)
    known = {order.client_id: order for order in (accepted, rejected, unknown)}
    tally = Tally(reports.ledger())
    sends = (accepted, rejected, unknown, Send(order=waiting, release=way))
    tally.take(reports.report(1, reports.ledger(orders=known), sends=sends))
    tally.take(reports.report(2, reports.ledger(orders=known)))
    assert tally.sent == {Purpose.ENTRY: 2, Purpose.EXIT: 1}
    assert (tally.orders, tally.accepted, tally.rejected, tally.unknown) == (3, 1, 1, 1)
    assert (tally.held_back, tally.cancels, tally.cycles_sent) == (1, 1, 1)
    assert tally.last_rejection == "no buying power"


def test_a_cycle_that_only_waits_sent_nothing() -> None:
    tally = Tally(reports.ledger())
    tally.take(reports.report(1, reports.ledger(), sends=(reports.order(1),)))
    assert (tally.cycles_sent, tally.held_back) == (0, 1)


def test_fresh_fills_and_trades_are_counted_once_a_cycle() -> None:
    tally = Tally(reports.ledger())
    fresh = reports.ledger(
        fills=(reports.fill(1), reports.fill(2)), trades=(reports.trade(1, "45.10"), reports.trade(2, "-61.40", "b"))
    )
    tally.take(reports.report(1, fresh))
    tally.take(reports.report(2, reports.ledger(trades=(reports.trade(3, "0"),))))
    tally.take(reports.report(3, reports.ledger()))
    assert tally.fills == 2
    closed = tally.trades
    assert (closed.count, closed.won, closed.lost, closed.profit) == (3, 1, 1, Decimal("-16.30"))
    assert (closed.best, closed.worst) == (Decimal("45.10"), Decimal("-61.40"))
    assert tally.trades_of["b"].lost == 1


def test_profit_by_bot_is_what_changed_since_the_start() -> None:
    before = BotRecord(bot="spy-trend", realized=Decimal(100), fees=Decimal(7))
    after = BotRecord(bot="spy-trend", realized=Decimal(150), fees=Decimal(9))
    held = reports.holding("other", "AAPL", average_price=Decimal(240), quantity=Decimal(10))
    tally = Tally(reports.ledger(bots=reports.by_bot(before)), bots=("quiet", "spy-trend"))
    end = reports.ledger(bots=reports.by_bot(after), holdings={held.key: held})
    tally.take(reports.report(1, end, quotes=(reports.quote("AAPL", "243.5"),)))
    figures = {one.bot: one for one in tally.by_bot()}
    assert list(figures) == ["quiet", "spy-trend", "other"]
    trend = figures["spy-trend"]
    assert (trend.realized, trend.fees, trend.open, trend.net) == (Decimal(52), Decimal(2), Decimal(0), Decimal(50))
    assert figures["other"].open == Decimal(35)


def test_open_profit_without_a_quote_is_unknown_not_zero() -> None:
    held = reports.holding()
    tally = Tally(reports.ledger())
    tally.take(reports.report(1, reports.ledger(holdings={held.key: held})))
    (figure,) = tally.by_bot()
    assert figure.open is None
    assert figure.net is None


def test_what_moved_the_equity_and_is_in_no_bots_figures_is_told() -> None:
    """The bots are 50 ahead, carried 35 of it in, and the account has gained 3: 12 went elsewhere."""
    carried = reports.holding("other", "AAPL", average_price=Decimal(240), quantity=Decimal(10))
    begun = reports.ledger(holdings={carried.key: carried})
    tally = Tally(begun)
    tally.take(reports.report(1, begun, quotes=(reports.quote("AAPL", "243.5"),)))
    assert tally.beside() == 0
    won = BotRecord(bot="spy-trend", realized=Decimal(15), fees=Decimal(1))
    after = replace(begun, equity=Decimal(100003), bots=reports.by_bot(won))
    tally.take(reports.report(2, after, quotes=(reports.quote("AAPL", "243.5"),)))
    assert tally.beside() == Decimal(-12)
    tally.take(reports.report(3, after))
    assert tally.beside() is None


def test_an_option_counts_a_hundred_times() -> None:
    symbol = "GOOG151231C00750000"
    held = reports.holding("o", symbol, quantity=Decimal(2), average_price=Decimal("3.10"))
    tally = Tally(reports.ledger())
    end = reports.ledger(holdings={held.key: held})
    tally.take(reports.report(1, end, quotes=(reports.quote(symbol, "3.30"),)))
    assert tally.open_now() == {"o": Decimal("40.00")}


def test_equity_days_and_times_span_the_run() -> None:
    tally = Tally(reports.ledger(equity=Decimal(1)))
    tally.take(reports.report(1, reports.ledger(equity=None), minutes=0))
    tally.take(reports.report(2, reports.ledger(equity=Decimal(100)), minutes=60))
    tally.take(reports.report(3, reports.ledger(equity=Decimal(101)), minutes=60 * 24))
    tally.take(reports.report(4, reports.ledger(equity=None), minutes=60 * 24 + 1))
    assert (tally.equity_start, tally.equity_end) == (Decimal(100), Decimal(101))
    assert (tally.days, tally.first_day, tally.last_day) == (2, date(2025, 1, 6), date(2025, 1, 7))
    assert tally.began_at == reports.START
    assert tally.times.quantile(0.5) == 1200
    assert tally.stages["observe"].count == 4


def test_halts_are_counted_and_the_last_are_kept() -> None:
    tally = Tally(reports.ledger())
    for cycle in range(1, 41):
        halt = Halt(kind=f"k{cycle}", reason="r", at=reports.START, by="hydra", automatic=True)
        tally.take(reports.report(cycle, reports.ledger(), halts=(halt,)))
    assert tally.halts_latched == 40
    assert len(tally.halts) == 16
    assert tally.halts[-1].kind == "k40"


def test_memory_stays_bounded_when_subjects_and_codes_do_not() -> None:
    tally = Tally(reports.ledger())
    for cycle in range(1, 31):
        skips = tuple(reports.skip(f"command {cycle}-{n}", f"code{n}") for n in range(200))
        same = tuple(reports.skip(f"command {cycle}-{n}", "resume_refused") for n in range(50))
        tally.take(reports.report(cycle, reports.ledger(), skips=same + skips))
    assert len(tally.skips) <= 129
    assert sum(reason.count for reason in tally.skips.values()) == 30 * 250
    assert tally.skips["resume_refused"].subjects[OTHERS] == 30 * 50 - 256


def test_the_document_is_json_and_keeps_money_as_text() -> None:
    tally = Tally(reports.ledger(), bots=("spy-trend",))
    skips = (reports.skip("spy-trend|SPY", "no_signal"),)
    tally.take(reports.report(1, reports.ledger(trades=(reports.trade(1, "45.10"),)), skips=skips))
    told = summary_document(tally, ENDING, journal="logs/x.jsonl", practice=True, mode_label="paper")
    assert told["equity"] == {
        "start": "100000",
        "end": "100000",
        "change": "0",
        "change_fraction": "0",
        "open_at_start": "0",
        "charged_to_no_bot": "0",
    }
    assert told["trades"]["profit"] == "45.1"
    assert told["ending"] == {"reason": "2 cycles are done", "exit_code": 0, "cycles": 2}
    assert told["skips"] == [
        {
            "code": "no_signal",
            "words": "the bot saw no signal",
            "count": 1,
            "cycles": 1,
            "last_reason": "because",
            "subjects": {"spy-trend|SPY": 1},
        }
    ]
    assert told["bots"][0]["bot"] == "spy-trend"
    assert told["period"]["from"] == "2025-01-06T14:32:00Z"


def test_failed_answers_are_counted_by_bot_and_by_kind() -> None:
    tally = Tally(reports.ledger())
    for cycle, kind in enumerate(("timeout", "timeout", "exited"), 1):
        tally.take(
            reports.report(cycle, reports.ledger(), failed={"a": (kind, f"cycle {cycle}"), "b": ("ValueError", "x")})
        )
    tally.take(reports.report(4, reports.ledger()))
    told = summary_document(tally, ENDING, journal="logs", practice=False, mode_label="paper")
    assert told["failures"] == [
        {"bot": "b", "kind": "ValueError", "count": 3, "cycles": 3, "last_reason": "x"},
        {"bot": "a", "kind": "timeout", "count": 2, "cycles": 2, "last_reason": "cycle 2"},
        {"bot": "a", "kind": "exited", "count": 1, "cycles": 1, "last_reason": "cycle 3"},
    ]


def test_a_bot_that_invents_a_new_failure_every_time_fills_no_table() -> None:
    tally = Tally(reports.ledger())
    for cycle in range(1, 301):
        tally.take(reports.report(cycle, reports.ledger(), failed={"a": (f"Error{cycle}", "x")}))
    assert len(tally.failures) <= 129
    assert sum(reason.count for reason in tally.failures.values()) == 300


def test_releases_are_counted() -> None:
    word = Command(command_id="r", action="release", by="me", wall=reports.START, reason="mended", bot="a")
    tally = Tally(reports.ledger())
    tally.take(reports.report(1, reports.ledger(), releases=(word,)))
    assert summary_document(tally, ENDING, journal="", practice=False, mode_label="paper")["releases"] == 1
