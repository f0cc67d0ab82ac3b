"""Exits sell what is held and never more, and protection is never rounded away from the entry."""

from __future__ import annotations

from decimal import Decimal

from hydra.adapters.exchange.model import as_at_alpaca
from hydra.engine.drafts import Drafts
from hydra.engine.fold import fold
from hydra.engine.manage import exit_order, manage
from hydra.engine.protection import protected_quantity
from hydra.model.events import CancelSent, Event, OrderWithheld
from hydra.model.orders import Intent, OrderStatus, OrderType, Purpose, Side
from hydra.model.portfolio import FLATTEN_ALL, Position
from hydra.model.snapshot import Observed
from hydra.model.values import replace
from hydra.policy import Bucket
from hydra.ports import Ack, AckOutcome
from hydra.risk.reconcile import residuals
from tests.fakes.feed import ScriptedFeed, bar, quote
from tests.fakes.outside import BOT, FLAT, MINUTE, OPEN, Fault, Prices, Stage, entry, feed_of, leave, policy, scripted
from tests.risk.scenes import book, holding, order, with_ledger, with_sight

D = Decimal


def at_venue(*quantities: int):
    held = holding()
    positions = tuple(Position(symbol="SPY", quantity=D(quantity), average_price=D(100)) for quantity in quantities)
    return held, with_sight(with_ledger(holdings={held.key: held}), positions=positions)


def test_an_exit_is_clipped_to_what_the_venue_says_is_held() -> None:
    for quantities, sold in (((10,), [D(10)]), ((4,), [D(4)]), ((25,), [D(10)]), ((), [])):
        held, snapshot = at_venue(*quantities)
        sends = exit_order(held, snapshot, Drafts(snapshot), "because")
        assert [send.order.quantity for send in sends] == sold


def test_an_exit_takes_back_what_is_left_of_its_entry_first() -> None:
    held, snapshot = at_venue(10)
    rest = order("rest", status=OrderStatus.PARTIALLY_FILLED, venue_id="v1", quantity=D(20), filled=D(10))
    snapshot = with_ledger(snapshot, orders={"rest": rest})
    (send,) = exit_order(held, snapshot, Drafts(snapshot), "because")
    assert [cancel.client_id for cancel in send.release] == ["rest"]
    assert send.order.purpose is Purpose.EXIT


def test_a_stop_between_two_increments_is_rounded_towards_the_entry() -> None:
    stage = Stage({BOT: scripted({2: [entry(stop="98.004", target="104.004")]})})
    stage.step(3)
    (sent,) = stage.sent()
    assert sent.protection is not None
    assert (sent.protection.stop, sent.protection.target) == (D("98.01"), D("104.00"))
    assert stage.agrees()


# -- an account as at Alpaca: fees in coin, no exits on a pair's entry, fills in parts

ALPACA = as_at_alpaca(D(100_000))
PAIR = "BTC-USD"


def paired(prices: Prices, script: dict[int, list[Intent]]) -> Stage:
    rules = policy(bots=[{"id": BOT, "symbols": (PAIR,), "bucket": Bucket.CRYPTO}])
    return Stage({BOT: scripted(script)}, feed=feed_of(prices, PAIR), rules=rules, account=ALPACA)


def test_a_pair_is_protected_by_a_stop_limit_for_what_is_left_after_the_fee() -> None:
    stage = paired(FLAT, {2: [entry(symbol=PAIR, quantity="0.1")]})
    stage.step(5)
    (held,) = stage.ledger.holdings.values()
    assert (held.quantity, held.withheld) == (D("0.09975"), D("0.00025"))
    (stop,) = stage.sent(Purpose.STOP)
    assert (stop.order_type, stop.quantity, stop.stop, stop.limit) == (
        OrderType.STOP_LIMIT,
        D("0.09975"),
        D(98),
        D("97.02"),
    )
    assert held.unprotected_since is None
    assert stage.ledger.halts == ()
    assert residuals(stage.ledger, stage.reports[-1].snapshot.sight, D("0.01")) == ()


def test_a_pair_is_left_whole_and_its_fees_are_the_trades() -> None:
    stage = paired(FLAT, {2: [entry(symbol=PAIR, quantity="0.1")], 6: [leave(symbol=PAIR)]})
    stage.day()
    assert stage.at_venue() == {}
    assert stage.ledger.holdings == {}
    account = stage.broker.inner.account()
    (trade,) = [trade for report in stage.reports for trade in report.ledger.trades]
    assert abs(account.cash - 100_000 - trade.profit) < D("0.03")  # the sale's own fee is an activity, not the trade's
    assert residuals(stage.ledger, stage.reports[-1].snapshot.sight, D("0.01")) == ()


def test_an_entry_that_filled_in_part_is_cut_off_and_its_exits_work_on_what_it_got() -> None:
    thin = ScriptedFeed(symbols=["SPY"])
    for minute in range(12):
        at = OPEN + minute * MINUTE
        thin.add(replace(bar("SPY", at, FLAT[0]), volume=D(20)))
        thin.add(replace(quote("SPY", at + MINUTE, D("99.99"), D("100.01")), ask_size=D(20)))
    stage = Stage({BOT: scripted({2: [entry(quantity=200)]})}, feed=thin, account=ALPACA)
    stage.step(6)
    (cut,) = [e.data for e in stage.events() if isinstance(e.data, CancelSent)]
    assert "of 200 filled: its stop waits for its end" in cut.reason
    (held,) = stage.ledger.holdings.values()
    assert D(0) < held.quantity < 100
    assert protected_quantity(stage.ledger, BOT, "SPY") == held.quantity
    assert stage.sent(Purpose.STOP) == []
    assert stage.agrees()


def test_behind_an_unknown_outcome_no_entry_leaves_in_the_same_cycle() -> None:
    rules = policy(bots=[{"id": BOT}, {"id": "other"}])
    stage = Stage({BOT: scripted({2: [entry()]}), "other": scripted({2: [entry("other")]})}, rules=rules)
    stage.broker.plan("submit", 0, Fault(error=TimeoutError("no answer"), after=True))
    stage.step(4)
    (kept,) = [event.data for event in stage.events() if isinstance(event.data, OrderWithheld)]
    assert kept.reason == f"the outcome of {stage.sent()[0].client_id} is unknown"
    assert len(stage.submitted()) == 1


def test_a_bare_holding_gets_its_stop_though_the_session_is_closed_and_its_exit_waits() -> None:
    _, snapshot = at_venue(10)
    sessions = snapshot.sight.sessions
    assert sessions is not None
    shut = {name: replace(one, open=False, phase="closed") for name, one in sessions.by_class.items()}
    snapshot = with_sight(snapshot, sessions=replace(sessions, by_class=shut))
    for flatten in ((), (FLATTEN_ALL,)):
        now = with_ledger(snapshot, flatten=flatten)
        managed = manage(now, book(), Drafts(now), reachable=True)
        assert [send.order.purpose for send in managed.sends] == [Purpose.STOP]
    assert manage(snapshot, book(), Drafts(snapshot), reachable=False).sends == ()


def test_an_exit_that_is_refused_is_tried_again_after_the_holding_has_its_stop_back() -> None:
    eager = {minute: [leave()] for minute in range(5, 12)}
    stage = Stage({BOT: scripted({2: [entry()], **eager})})
    stage.step(4)
    no = Fault(answer=Ack(outcome=AckOutcome.REJECTED, reason="403: no"))
    stage.broker.plan("submit", 1, no)
    stage.broker.plan("submit", 3, no)
    stage.day()
    purposes = [order.purpose for order in stage.sent()]
    assert purposes == [Purpose.ENTRY, Purpose.EXIT, Purpose.STOP, Purpose.EXIT, Purpose.STOP, Purpose.EXIT]
    assert stage.at_venue() == {}
    assert stage.agrees()


def test_a_working_exit_covers_a_holding_for_five_minutes() -> None:
    held = holding()
    leaving = order("x", purpose=Purpose.EXIT, side=Side.SELL, protection=None, sent_at=OPEN)
    ledger = replace(with_ledger(holdings={held.key: held}, orders={"x": leaving}).ledger)
    for minutes, bare in ((1, False), (4, False), (5, True)):
        seen = Observed(cycle=9, at=OPEN + minutes * MINUTE)
        event = Event(v=1, seq=1, ts=seen.at, run="r", kind="observed", data=seen, prev="", hash="")
        (now,) = fold(ledger, event).holdings.values()
        assert (now.unprotected_since is not None) is bare


def test_an_exit_that_was_decided_once_is_sent_though_its_stop_was_slow_to_go_and_power_failed() -> None:
    stage = Stage({BOT: scripted({2: [entry()], 5: [leave()]})})
    stage.broker.plan("cancel", 0, Fault(error=TimeoutError("no answer"), after=True))
    stage.step(5)
    (held,) = stage.ledger.holdings.values()
    assert held.leaving == "buyer: the script says so"
    assert stage.sent(Purpose.EXIT) == []
    stage.crash()
    stage.certify()
    stage.step(3)
    (sold,) = stage.sent(Purpose.EXIT)
    assert sold.thesis == "buyer: the script says so"
    assert stage.sent(Purpose.STOP) == []
    assert stage.at_venue() == {}
    assert stage.agrees()
