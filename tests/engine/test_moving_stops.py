"""A stop moves closer and never away; what the exits want is decided in one cycle and rests at the venue in the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace as changed
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.adapters.exchange.model import as_at_alpaca
from hydra.engine.drafts import Drafts
from hydra.engine.manage import manage
from hydra.engine.protection import note_best, watch_one, watch_protection
from hydra.model.orders import OrderStatus, Protection, Purpose, Side
from hydra.model.portfolio import Holding, Ledger, Position
from hydra.model.snapshot import Observed, Tighten
from hydra.model.values import replace
from hydra.policy import Bucket
from tests.engine.books import generous
from tests.engine.test_operators_word import say
from tests.fakes.feed import bar, quote
from tests.fakes.outside import BOT, FLAT, MINUTE, OPEN, Prices, Stage, entry, feed_of, policy, scripted
from tests.risk.scenes import book, holding, order, with_ledger, with_sight

D = Decimal
TICK = timedelta(microseconds=1)
RISING: Prices = [(100, 100, 100, 100)] * 4 + [(102, 102, 102, 102)] * 8


def trailing(*stops: str | None) -> Callable[..., Any]:
    """An exit that wants one stop after the other, one a cycle in which it is asked, and then the last of them."""
    asked = 0

    def exit_(_holding: Holding, *_rest: Any) -> Tighten | None:
        nonlocal asked
        asked += 1
        stop = stops[min(asked, len(stops)) - 1]
        return None if stop is None else Tighten(stop=D(stop), reason="the script says so")

    return exit_


def staged(*stops: str | None, prices: Prices = RISING, exits: Any = None, **more: Any) -> Stage:
    book = generous(policy(), exits=exits or {"trailing": trailing(*stops)})
    return Stage({BOT: scripted({2: [entry(stop=98, **more)]})}, prices=prices, book=book)


def resting(stage: Stage) -> list[tuple[Decimal | None, Decimal]]:
    working = stage.ledger.working(bot=BOT, symbol="SPY")
    return [(order.stop, order.remaining) for order in working if order.purpose is Purpose.STOP]


def held(stage: Stage) -> Holding:
    (holding,) = stage.ledger.holdings.values()
    return holding


def test_a_closer_stop_takes_the_place_of_the_one_that_rests() -> None:
    stage = staged(None, None, "100.5")
    stage.step(6)
    moves = [stop for report in stage.reports for stop in report.plan.stops]
    assert [(move.stop, move.reason) for move in moves] == [(D("100.5"), "trailing: the script says so")]
    stage.step(2)
    assert held(stage).protection == Protection(stop=D("100.5"), target=D(104))
    assert resting(stage) == [(D("100.5"), D(10))]
    assert held(stage).unprotected_since is None
    assert stage.agrees()


@pytest.mark.parametrize("stop", ["97", "98", "98.05"], ids=["further", "the-same", "closer-by-less-than-a-step"])
def test_a_stop_is_not_moved_away_and_not_for_pennies(stop: str) -> None:
    stage = staged(stop)
    stage.step(8)
    assert [report.plan.stops for report in stage.reports if report.plan.stops] == []
    assert resting(stage) == [(D(98), D(10))]


def test_of_two_exits_the_closest_stop_counts() -> None:
    stage = staged(exits={"trailing": trailing(None, None, "99"), "break_even": trailing(None, None, "100")})
    stage.step(8)
    assert resting(stage) == [(D(100), D(10))]


def test_a_stop_that_the_price_has_passed_already_is_an_exit() -> None:
    stage = staged(None, None, "103")
    stage.step(8)
    (out,) = stage.sent(Purpose.EXIT)
    assert (out.cause, stage.ledger.holdings) == ("trailing", {})
    assert "has passed the stop 103" in out.thesis
    assert stage.ledger.bot(BOT).stopped.keys() == {"SPY"}


def test_an_exit_that_answers_nonsense_latches_a_halt_and_the_stop_stays() -> None:
    stage = staged(exits={"trailing": lambda *_: 98.5})
    stage.step(8)
    assert [halt.kind for halt in stage.ledger.halts] == ["exit_failed"]
    assert resting(stage) == [(D(98), D(10))]


def test_a_crash_between_the_decision_and_the_new_stop_leaves_the_new_stop_wanted() -> None:
    stage = staged(None, None, "100.5")
    while not any(report.plan.stops for report in stage.reports):
        stage.step()
    stage.crash()
    assert held(stage).protection is not None
    stage.step(3)
    assert resting(stage) == [(D("100.5"), D(10))]
    assert stage.agrees()


def test_the_best_price_is_kept() -> None:
    stage = staged(None, prices=[*FLAT[:4], (101, 103, 101, 101), (101, 101, 100, 100), *FLAT[:4]])
    stage.step(8)
    assert held(stage).best == D(103)


# -- short


def short(script: Any, prices: Prices = FLAT, **bot: Any) -> Stage:
    rules = policy(bots=[{"id": BOT, "shorts": True, "bucket": Bucket.MOMENTUM, **bot}], risk={"short": True})
    book = generous(rules, exits={})
    return Stage({BOT: scripted(script)}, feed=feed_of(prices), book=book, account=as_at_alpaca(D(100_000)))


def sale(**more: Any) -> Any:
    return entry(side=Side.SELL, stop=102, target=96, **more)


def test_a_short_is_held_protected_above_and_bought_back_at_its_stop() -> None:
    stage = short({2: [sale()]}, [(100, 100, 100, 100)] * 6 + [(100, 103, 100, 103)] * 6)
    stage.step(5)
    assert (held(stage).quantity, held(stage).best) == (D(-10), D("99.99"))
    assert held(stage).unprotected_since is None
    assert held(stage).open_risk == D("20.1")  # sold at 99.99
    assert stage.agrees()
    stage.step(4)
    assert stage.ledger.holdings == {}
    (trade,) = [t for report in stage.reports for t in report.ledger.trades]
    assert trade.profit + trade.fees < -19
    assert (stage.ledger.bot(BOT).loss_streak, set(stage.ledger.bot(BOT).stopped)) == (1, {"SPY"})
    assert stage.agrees()
    assert len(stage.ledger.day_trades) == 1


def test_a_bot_that_may_not_sell_short_does_not() -> None:
    stage = short({2: [sale()]}, shorts=False)
    stage.step(5)
    assert stage.sent() == []
    assert any(skip.code == "short" for report in stage.reports for skip in report.plan.skips)


def test_a_short_is_bought_back_when_it_is_flattened() -> None:
    stage = short({2: [sale()]})
    stage.step(5)
    say(stage, "flatten", bot=BOT)
    stage.step(3)
    assert stage.ledger.holdings == {}
    (out,) = stage.sent(Purpose.EXIT)
    assert (out.side, out.quantity, out.cause) == (Side.BUY, D(10), "flatten")
    assert all(order.status is not OrderStatus.REJECTED for order in stage.ledger.orders.values())
    assert stage.agrees()


prices_seen = st.decimals(D(90), D(110), places=2)


@given(
    quantity=st.sampled_from([D(10), D(-10)]),
    before=st.none() | prices_seen,
    bars=st.lists(st.tuples(st.sampled_from(["SPY", "QQQ"]), st.integers(-2, 2), prices_seen), max_size=4),
    asked=st.none() | prices_seen,
)
@settings(max_examples=120, deadline=None, derandomize=True)
def test_the_best_price_is_the_best_of_all_that_were_seen_since_the_entry(
    quantity: Decimal, before: Decimal | None, bars: list[tuple[str, int, Decimal]], asked: Decimal | None
) -> None:
    mine = replace(holding(stop=95), quantity=quantity, best=before)
    seen = Observed(
        cycle=2,
        at=OPEN + 9 * MINUTE,
        bars=tuple(bar(symbol, OPEN + minute * MINUTE, (price, price, price, price)) for symbol, minute, price in bars),
        quotes=() if asked is None else (quote("SPY", OPEN, asked, asked), quote("QQQ", OPEN, D(1), D(1000))),
    )
    known = [price for symbol, minute, price in bars if symbol == "SPY" and minute >= 0]
    known += [one for one in (before, asked) if one is not None]
    best = None if not known else max(known) if quantity > 0 else min(known)
    after = note_best(Ledger(holdings={mine.key: mine}), seen)
    assert after.holdings[mine.key].best == best
    assert (after.holdings[mine.key] is mine) is (best == before)


def test_an_exit_on_its_way_looks_after_a_holding_for_five_minutes_to_the_instant() -> None:
    mine = holding(stop=95)
    leaving = order("x", purpose=Purpose.EXIT, side=Side.SELL, sent_at=OPEN)
    for status, waited, covered in (
        (OrderStatus.ACCEPTED, 5 * MINUTE - TICK, True),
        (OrderStatus.ACCEPTED, 5 * MINUTE, False),
        (OrderStatus.UNKNOWN, MINUTE, False),
        (OrderStatus.CANCELED, MINUTE, False),
    ):
        at = OPEN + waited
        ledger = Ledger(holdings={mine.key: mine}, orders={"x": replace(leaving, status=status)})
        since = watch_protection(ledger, at).holdings[mine.key].unprotected_since
        assert since == (None if covered else at), (status, waited)
        assert watch_one(ledger, "x", at).holdings[mine.key].unprotected_since == since


def test_every_exit_is_asked_once_until_one_wants_it_closed() -> None:
    asked: list[str] = []

    def says(name: str, answer: Any) -> Callable[..., Any]:
        def exit_(*_asked: Any) -> Any:
            asked.append(name)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return exit_

    script = {"silent": None, "broken": ValueError("no"), "closer": Tighten(stop=D("96"), reason="so"), "nonsense": 3}
    held_now = holding(stop=95)
    snapshot = with_sight(
        with_ledger(holdings={held_now.key: held_now}),
        positions=(Position(symbol="SPY", quantity=D(10), average_price=D(100)),),
    )
    for more, wanted in (({}, [*script]), ({"over": "it is over", "late": "never asked"}, [*script, "over"])):
        asked.clear()
        exits = {name: says(name, answer) for name, answer in (script | more).items()}
        managed = manage(snapshot, changed(book(), exits=exits), Drafts(snapshot), reachable=True)
        assert asked == wanted
        assert [halt.reason for halt in managed.halts] == ["exit broken failed: ValueError: no"]
        assert [stop.stop for stop in managed.stops] == ([] if more else [D(96)])
        assert [send.order.thesis for send in managed.sends] == (["over: it is over"] if more else ["protects e0"])
