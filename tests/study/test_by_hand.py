"""Studies that were worked out with pencil and paper."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.model.activities import Activity, ActivityKind, Withheld
from hydra.model.events import Decided, ForeignAccepted, Halted, OrderRejected
from hydra.model.orders import Ceiling, Intent, Judgement, Leg, Protection, Purpose, Side, Size, SizeKind, Skip
from hydra.model.portfolio import Halt, Mode
from hydra.model.snapshot import Failure, Plan
from hydra.model.values import replace
from hydra.study.study import Study, study
from tests.study.tape import BOT, Tape

D = Decimal


def lines(done: Study) -> dict[str, Decimal]:
    return {line.what: line.dollars for line in done.balance}


def two_trades() -> Tape:
    """10 SPY bought at 100 for a dollar, 4 of them sold at 110 for 0.40, the rest at 95 for 0.60; then 5 more, still held at 98."""
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    bought = tape.order(Side.BUY, "10", "SPY", Purpose.ENTRY)
    tape.look("10049", {"SPY": "105"}, fills=(tape.fill(bought, "100", fee="1"),))
    part = tape.order(Side.SELL, "4", "SPY", Purpose.EXIT)
    tape.look("10098.60", {"SPY": "110"}, fills=(tape.fill(part, "110", fee="0.40"),))
    rest = tape.order(Side.SELL, "6", "SPY", Purpose.STOP)
    tape.look("10008", {"SPY": "95"}, fills=(tape.fill(rest, "95", fee="0.60"),))
    again = tape.order(Side.BUY, "5", "SPY", Purpose.ENTRY)
    tape.look("10017", {"SPY": "98"}, fills=(tape.fill(again, "96", fee="1"),))
    return tape


def test_a_holding_that_is_left_in_parts_is_one_trade_with_all_of_its_fees() -> None:
    done = study(two_trades().recorder)
    (trip,) = done.trips
    # 4 x (110 - 100) - 6 x (100 - 95) = 10, less 2 in fees
    assert (trip.profit, trip.fees, trip.way) == (D(8), D(2), 1)
    assert trip.closed_at - trip.opened_at == timedelta(minutes=2)


def test_what_was_earned_is_what_the_account_has_more() -> None:
    done = study(two_trades().recorder)
    figures = done.figures
    assert (figures["equity_start"], figures["equity_end"]) == (D(10000), D(10017))
    assert (figures["profit"], figures["realized"], figures["fees"], figures["open"]) == (D(17), D(10), D(3), D(10))
    assert lines(done) == {"closed trades, before fees": 10, "fees": -3, "open profit": 10}
    assert figures["return"] == pytest.approx(0.0017)
    assert figures["trades"] == figures["won"] == 1
    assert figures["expectancy"] == 8
    assert figures["profit_factor"] is None  # nothing was lost
    # in the market in 3 of 5 looks: 1,050 of 10,049, 660 of 10,098.60 and 490 of 10,017
    assert figures["exposure"] == pytest.approx(0.6)
    assert figures["average_gross"] == pytest.approx((1050 / 10049 + 660 / 10098.6 + 490 / 10017) / 5)
    # 1,000 + 440 + 570 + 480, both ways
    assert figures["turnover"] == pytest.approx(2490 / 2 / ((10000 + 10049 + 10098.6 + 10008 + 10017) / 5))


def test_the_drawdown_is_the_deepest_of_all_looks_with_its_times() -> None:
    tape = two_trades()
    tape.look("10100", {"SPY": "98"})
    done = study(tape.recorder)
    figures = done.figures
    assert figures["drawdown"] == pytest.approx(90.6 / 10098.6)
    assert figures["drawdown_dollars"] == D("90.6")
    began, deepest, back = (figures[f"drawdown_{name}_at"] for name in ("peak", "trough", "recovered"))
    assert began is not None
    assert [at - done.began_at for at in (began, deepest, back)] == [timedelta(minutes=n) for n in (2, 3, 5)]  # type: ignore[operator]  # times
    assert figures["drawdown_length"] == timedelta(minutes=3)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(50, 150), st.booleans()), min_size=1, max_size=8),
    st.lists(st.integers(50, 150), min_size=40, max_size=40),
)
def test_flat_to_flat_the_first_in_first_out_gives_the_same_profit(
    entries: list[tuple[int, int, bool]], exits: list[int]
) -> None:
    tape, lots, profit, sold = Tape("1000000"), deque[int](), 0, iter(exits)
    tape.look("1000000")

    def leave(most: int) -> None:
        nonlocal profit
        for _ in range(most):
            price = next(sold)
            profit += price - lots.popleft()
            out = tape.order(Side.SELL, "1", "SPY", Purpose.EXIT)
            tape.look(None, fills=(tape.fill(out, str(price)),))

    for size, price, partly in entries:
        lots.extend([price] * size)
        bought = tape.order(Side.BUY, str(size), "SPY", Purpose.ENTRY)
        tape.look(None, fills=(tape.fill(bought, str(price)),))
        leave(len(lots) - 1 if partly else 0)
    leave(len(lots))
    tape.look("1000000")
    (trip,) = study(tape.recorder).trips
    assert abs(trip.profit - profit) < D("1e-15")


def test_a_short_wins_when_the_price_falls() -> None:
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    sold = tape.order(Side.SELL, "10", "SPY", Purpose.ENTRY)
    tape.look("10000", {"SPY": "100"}, fills=(tape.fill(sold, "100"),))
    back = tape.order(Side.BUY, "10", "SPY", Purpose.EXIT)
    tape.look("10070", {"SPY": "93"}, fills=(tape.fill(back, "93"),))
    done = study(tape.recorder)
    assert [(trip.way, trip.profit) for trip in done.trips] == [(-1, D(70))]
    assert lines(done)["closed trades, before fees"] == 70


def test_a_contract_stands_for_a_hundred_shares_and_may_lapse() -> None:
    tape, symbol = Tape(), "SPY240315C00520000"
    tape.look("10000", {"SPY": "515"})
    bought = tape.order(Side.BUY, "2", symbol, Purpose.ENTRY)
    tape.look("10000", {symbol: "2.50"}, fills=(tape.fill(bought, "2.50"),))
    lapsed = Activity(
        activity_id="x", kind=ActivityKind.OPTION, at=tape.at, symbol=symbol, quantity=D(-2), note="expired worthless"
    )
    tape.look("9500", activities=(lapsed,))
    done = study(tape.recorder)
    assert [(trip.profit, trip.legs[0].trade.reason) for trip in done.trips] == [(D(-500), "expired worthless")]
    assert lines(done) == {"closed trades, before fees": -500, "fees": 0, "open profit": 0}
    assert done.figures["turnover"] == pytest.approx(500 / 2 / (29500 / 3))


def test_a_structure_is_a_trade_once_its_last_leg_is_closed() -> None:
    tape = Tape()
    low, high = "SPY240315P00500000", "SPY240315P00510000"
    legs = tuple(Leg(symbol=s, side=side, ratio=1, opens=True) for s, side in ((high, Side.SELL), (low, Side.BUY)))
    tape.look("10000", {"SPY": "515"})
    spread = tape.order(Side.SELL, "1", "SPY", Purpose.ENTRY, legs=legs)
    sold = tape.fill(spread, "4", symbol=high, side=Side.SELL)
    bought = tape.fill(spread, "1.50", symbol=low, side=Side.BUY)
    tape.look("10000", {high: "4", low: "1.50"}, fills=(sold, bought))
    back = tape.order(Side.BUY, "1", high, Purpose.EXIT)
    tape.look("10100", {high: "3", low: "1.50"}, fills=(tape.fill(back, "3"),))
    halfway = study(tape.recorder)
    assert (len(halfway.legs), halfway.trips, halfway.figures["trades"]) == (1, (), 0)
    assert lines(halfway) == {"closed trades, before fees": 100, "fees": 0, "open profit": 0}
    rest = tape.order(Side.SELL, "1", low, Purpose.EXIT)
    tape.look("10050", {low: "1"}, fills=(tape.fill(rest, "1"),))
    (trip,) = study(tape.recorder).trips
    assert (trip.name, trip.way, trip.profit, len(trip.legs)) == ("SPY, 2 contracts", -1, D(50), 2)


def test_what_was_before_the_first_known_equity_is_where_it_starts_from() -> None:
    tape = Tape()
    tape.look(None, {"SPY": "100"})
    early = tape.order(Side.BUY, "3", "SPY", Purpose.ENTRY)
    tape.look(None, {"SPY": "100"}, fills=(tape.fill(early, "100"),))
    out = tape.order(Side.SELL, "3", "SPY", Purpose.EXIT)
    tape.look(None, {"SPY": "110"}, fills=(tape.fill(out, "110"),))
    carried = tape.order(Side.BUY, "2", "SPY", Purpose.ENTRY)
    tape.look("10036", {"SPY": "113"}, fills=(tape.fill(carried, "110"),))
    later = tape.order(Side.SELL, "2", "SPY", Purpose.EXIT)
    tape.look("10040", {"SPY": "115"}, fills=(tape.fill(later, "115"),))
    done = study(tape.recorder)
    assert [trip.profit for trip in done.trips] == [D(10)]
    assert (done.carried, done.figures["profit"]) == (D(6), D(4))
    assert lines(done) == {"closed trades, before fees": 10, "fees": 0, "open profit": -6}
    assert done.bots[0].figures["profit"] == 4
    assert tape.recorder.curve.bots[BOT].dense(5)[-2:].tolist() == [0, 4]


def test_a_fee_in_coin_is_a_fee_at_what_the_coin_had_cost() -> None:
    tape = Tape()
    tape.look("10000", {"BTC-USD": "2000"})
    bought = tape.order(Side.BUY, "1", "BTC-USD", Purpose.ENTRY)
    tape.look("10000", {"BTC-USD": "2000"}, fills=(tape.fill(bought, "2000", coin_fee_most=D("0.01")),))
    kept = Withheld(bot=BOT, symbol="BTC-USD", quantity=D("0.0025"))
    tape.look("9995", {"BTC-USD": "2000"}, withheld=(kept,))
    done = study(tape.recorder)
    assert done.figures["fees"] == 5
    assert lines(done) == {"closed trades, before fees": 0, "fees": -5, "open profit": 0}


def test_money_paid_in_is_no_return_also_when_it_is_seen_before_it_is_told_of() -> None:
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    tape.look("15000", cash="15000")
    tape.look(None)
    paid = Activity(activity_id="p", kind=ActivityKind.TRANSFER, at=tape.at, amount=D(5000))
    tape.look(None, activities=(paid,))
    tape.look("15150")
    done = study(tape.recorder)
    assert done.figures["return"] == pytest.approx(0.01)
    assert done.figures["profit"] == 150
    assert done.figures["drawdown"] == 0
    assert lines(done)["paid in or out by the owner"] == 5000


def test_money_paid_out_is_no_loss_and_no_drawdown() -> None:
    tape = Tape()
    tape.look("10000")
    paid = Activity(activity_id="p", kind=ActivityKind.TRANSFER, at=tape.at, amount=D(-4000))
    tape.look("6000", activities=(paid,))
    tape.look("6060")
    done = study(tape.recorder)
    assert done.figures["return"] == pytest.approx(0.01)
    assert done.figures["drawdown"] == 0


def test_a_dividend_is_earned_by_the_account_and_by_no_bot() -> None:
    tape = Tape()
    tape.look("10000")
    paid = Activity(activity_id="d", kind=ActivityKind.DIVIDEND, at=tape.at, symbol="SPY", amount=D("12.34"))
    tape.look("10012.34", activities=(paid,))
    done = study(tape.recorder)
    assert (done.figures["profit"], lines(done)["dividends"], done.bots) == (D("12.34"), D("12.34"), ())


def test_after_a_split_what_a_fraction_had_cost_is_told_apart() -> None:
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    bought = tape.order(Side.BUY, "5", "SPY", Purpose.ENTRY)
    tape.look("10000", {"SPY": "100"}, fills=(tape.fill(bought, "100"),))
    # 5 shares become 7, and the half of one is paid in cash: 100 / 1.5 x 0.5
    split = Activity(
        activity_id="s",
        kind=ActivityKind.SPLIT,
        at=tape.at,
        symbol="SPY",
        quantity=D(2),
        ratio=D("1.5"),
        amount=D("33.33"),
    )
    tape.look("10000", {"SPY": "66.67"}, activities=(split,))
    done = study(tape.recorder)
    assert abs(lines(done).get("cash for fractions at a split", D(0)) - (D("33.33") - D(100) / D("1.5") / 2)) < D(
        "1e-9"
    )
    assert "unexplained" not in lines(done)


def test_executions_of_nobody_are_told_and_no_trade() -> None:
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    stranger = tape.order(Side.BUY, "3", "SPY", Purpose.ENTRY)
    fill = replace(tape.fill(stranger, "100"), client_id="nobody")
    tape.look("10000", {"SPY": "100"}, fills=(fill,))
    done = study(tape.recorder)
    assert lines(done)["executions that no holding stands for"] == -300
    assert lines(done)["beyond these, by the venue"] == 300
    assert done.trips == ()


def test_what_an_operator_accepts_is_no_profit() -> None:
    tape = Tape()
    tape.look("10000")
    tape.look("10500", cash="10500")
    tape.add(ForeignAccepted(by="me", reason="a gift", cash=D(10500), equity=D(10500)))
    tape.look("10500")
    done = study(tape.recorder)
    assert done.figures["return"] == pytest.approx(0)
    assert done.figures["profit"] == 0
    assert lines(done)["accepted as the baseline by an operator"] == 500


def test_a_look_that_does_not_know_the_equity_counts_for_nothing() -> None:
    tape = Tape()
    tape.look(None)
    assert study(tape.recorder).track is None
    tape.look("10000")
    unread = Failure(what="account", kind="Unreachable", reason="no answer")
    tape.look(None, missing=(unread,))
    tape.look("10010")
    done = study(tape.recorder)
    assert done.figures["return"] == pytest.approx(0.001)
    assert done.track is not None
    assert done.track.rows.tolist() == [1, 3]


def test_without_any_look_nothing_is_known() -> None:
    done = study(Tape().recorder)
    assert set(done.figures.values()) == {None}
    assert (done.began_at, done.balance, done.bots) == (None, (), ())


def test_bots_are_told_apart_and_add_up() -> None:
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    one = tape.order(Side.BUY, "10", "SPY", Purpose.ENTRY, bot="one")
    two = tape.order(Side.BUY, "5", "SPY", Purpose.ENTRY, bot="two")
    tape.look("9999", {"SPY": "100"}, fills=(tape.fill(one, "100", fee="1"), tape.fill(two, "100")))
    out = tape.order(Side.SELL, "10", "SPY", Purpose.EXIT, bot="one")
    tape.look("9969", {"SPY": "98"}, fills=(tape.fill(out, "98"),))
    done = study(tape.recorder, ("two", "none"))
    assert [(one.bot, one.figures["profit"]) for one in done.bots] == [("two", D(-10)), ("none", D(0)), ("one", D(-21))]
    assert [one.figures["drawdown_dollars"] for one in done.bots] == [D(10), D(0), D(21)]
    assert [one.figures["exposure"] for one in done.bots] == pytest.approx([2 / 3, 0, 1 / 3])


def test_reasons_ceilings_refusals_and_halts_are_counted() -> None:
    tape = Tape()
    tape.look("10000", {"SPY": "100"})
    wish = Intent(
        bot=BOT, symbol="SPY", side=Side.BUY, size=Size(kind=SizeKind.QUANTITY, amount=D(10)), reference=D(100), thesis="up",
        protection=Protection(stop=D(90)),
    )  # fmt: skip
    ceilings = (
        Ceiling(rule="wide", quantity=D(100), reason="wide"),
        Ceiling(rule="narrow", quantity=D("2.5"), reason="2.5 left"),
    )
    capped = Judgement(intent=wish, asked=D(10), admitted=D(2), ceilings=ceilings)
    rounded = Judgement(intent=wish, asked=D("10.5"), admitted=D(10), ceilings=ceilings[:1])
    skip = Skip(subject=f"{BOT}|SPY", code="session", reason="closed")
    tape.add(Decided(plan=Plan(cycle=1, mode=Mode.ACTIVE, skips=(skip, skip), judgements=(capped, rounded))))
    order = tape.order(Side.BUY, "2", "SPY", Purpose.ENTRY)
    tape.add(OrderRejected(client_id=order.client_id, reason="no"))
    tape.add(Halted(halt=Halt(kind="operator", reason="tea", at=tape.at, by="me", automatic=False)))
    recorder = tape.recorder
    assert [(key, one.count, one.last) for key, one in recorder.skips.most_frequent()] == [
        (("session", f"{BOT}|SPY"), 2, "closed")
    ]
    assert [(key, one.count) for key, one in recorder.ceilings.most_frequent()] == [(("narrow", BOT), 1)]
    assert [(key, one.last) for key, one in recorder.refused.most_frequent()] == [
        (("order_rejected", BOT, "SPY"), "no")
    ]
    assert [halt.reason for halt in recorder.halts] == ["tea"]
