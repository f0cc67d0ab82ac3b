"""Every gate: open on a healthy snapshot, shut with its own reason on each defect it is for."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from hydra.bootstrap.plugs import rule_book
from hydra.bootstrap.points import available
from hydra.engine.decide import ask_gates
from hydra.model.market import AssetClass
from hydra.model.orders import OrderStatus, OrderType, Side, VenueOrder
from hydra.model.portfolio import Day, Halt, Position
from hydra.model.snapshot import Failure, Probe, Scope, Session, Snapshot, Verdict
from hydra.model.values import replace
from hydra.risk.gates import keys_of
from hydra.risk.plugs import Gate, Reply, no, yes
from hydra.risk.reconcile import residuals
from tests.fakes.feed import bar, quote
from tests.fakes.outside import MINUTE, OPEN, policy
from tests.risk.scenes import healthy, holding, order, with_account, with_ledger, with_sight

D = Decimal
BOOK = rule_book(policy(health={"gates": tuple(available("hydra.gates"))}))
NOW = healthy().at


def missing(what: str, kind: str = "timeout") -> Snapshot:
    return with_sight(missing={what: Failure(what=what, kind=kind, reason="no answer within 2 s")})


def probes(**answers: Probe | None) -> Snapshot:
    merged = {**healthy().sight.probes, **answers}
    return with_sight(probes={name: probe for name, probe in merged.items() if probe is not None})


def sessions(**changes: Any) -> Snapshot:
    seen = healthy().sight.sessions
    assert seen is not None
    return with_sight(sessions=replace(seen, **changes))


def aged(what: str, seconds: float) -> Snapshot:
    """The quote or the last bar is this old (a bar by its close)."""
    sight, at = healthy().sight, healthy().at - timedelta(seconds=seconds)
    if what == "quote":
        return with_sight(quotes={"SPY": replace(sight.quotes["SPY"], at=at)})
    last = sight.bars["SPY"][-1]
    return with_sight(bars={"SPY": (*sight.bars["SPY"][:-1], replace(last, at=at - timedelta(seconds=last.seconds)))})


def failed(count: int, seconds_ago: float = 1) -> Snapshot:
    return with_ledger(failed_at=(healthy().at - timedelta(seconds=seconds_ago),) * count)


def skewed(seconds: float) -> Snapshot:
    return with_sight(venue_at=healthy().at + timedelta(seconds=seconds))


def uncertified(**changes: Any) -> Snapshot:
    certificate = healthy().ledger.certificate
    assert certificate is not None
    return with_ledger(certificate=replace(certificate, **changes))


def quoted(bid: Any, ask: Any) -> Snapshot:
    return with_sight(quotes={"SPY": quote("SPY", NOW, bid, ask)})


def bars(*closes: Any, volumes: tuple[int, ...]) -> Snapshot:
    """Minute bars that end now, of which the first may be from before the session."""
    begin = NOW - len(closes) * MINUTE
    flat = [bar("SPY", begin + n * MINUTE, (price,) * 4) for n, price in enumerate(closes)]
    window = tuple(replace(one, volume=D(volume)) for one, volume in zip(flat, volumes, strict=True))
    return with_sight(bars={"SPY": window})


def began(start: Any, before: Any) -> Snapshot:
    day = healthy().ledger.day
    assert day is not None
    known = None if before is None else D(str(before))
    return with_ledger(day=Day(date=day.date, start_equity=D(str(start)), before=known))


HALT = Halt(kind="operator", reason="lunch", at=OPEN, by="me", automatic=False)
BAD = Probe(ok=False, reason="read-only file system", number=30.0)
STRANGER = Position(symbol="TSLA", quantity=D(3), average_price=D(200))
CLOSED = {AssetClass.EQUITY: Session(open=False, phase="post", opens_at=OPEN + timedelta(days=1))}

SHUT: list[tuple[str, str, Snapshot, str]] = [
    ("broker_reachable", "account", missing("account"), "account: timeout"),
    ("broker_reachable", "positions", missing("positions"), "no answer within 2 s"),
    ("broker_reachable", "open orders", missing("open_orders"), "open_orders"),
    ("broker_reachable", "fills", missing("fills"), "fills"),
    ("broker_reachable", "clock", missing("venue_clock"), "venue_clock"),
    ("account_valid", "unread now", missing("account"), "no answer within 2 s"),
    ("account_valid", "never read", with_sight(account=None), "never read"),
    ("account_valid", "inactive", with_account(status="ACCOUNT_CLOSED"), "ACCOUNT_CLOSED"),
    ("account_valid", "blocked", with_account(blocked=True), "blocked"),
    ("account_valid", "no equity", with_account(equity=D(0)), "equity 0"),
    ("account_valid", "another account", with_account(account_id="B"), "answered for B"),
    ("account_valid", "in debt", with_account(equity=D(-5)), "equity -5"),
    ("state_writable", "bad", probes(state_io=BAD), "read-only file system"),
    ("state_writable", "gone", probes(state_io=None), "no answer"),
    ("state_writable", "store gone", probes(store=None), "no answer"),
    ("state_writable", "store bad", probes(store=BAD), "read-only"),
    ("state_writable", "store behind", missing("store", "OSError"), "behind the journal"),
    ("state_writable", "unread", missing("probes"), "no answer"),
    ("journal_writable", "bad", probes(journal_io=BAD), "read-only file system"),
    ("journal_writable", "gone", probes(journal_io=None), "no answer"),
    ("disk_space", "bad", probes(disk=BAD), "read-only file system"),
    ("disk_space", "gone", probes(disk=None), "no answer"),
    ("clock_skew", "ahead", skewed(2.001), "2.001 s"),
    ("clock_skew", "behind", skewed(-3600), "3600.000 s"),
    ("clock_skew", "unread", missing("venue_clock"), "unknown"),
    ("clock_skew", "never read", with_sight(venue_at=None), "unknown"),
    ("failure_window", "at the limit", failed(5), "5 failed reads in 60 s"),
    ("ledger_agrees", "position we do not know", with_sight(positions=(STRANGER,)), "venue holds 3"),
    ("ledger_agrees", "holding the venue lacks", with_ledger(holdings={"a|SPY": holding()}), "ledger holds 10"),
    ("ledger_agrees", "order the venue lacks", with_ledger(orders={"o1": order()}), "not open at the venue"),
    ("ledger_agrees", "cash", with_ledger(cash=D("100000.02")), "difference -0.02"),
    ("ledger_agrees", "cash never counted", with_ledger(cash=None), "never taken"),
    ("ledger_agrees", "positions unknown", with_sight(positions=None), "unknown"),
    ("ledger_agrees", "foreign position gone", with_ledger(foreign={"TSLA": D(1)}), "TSLA"),
    ("orders_resolved", "sent", with_ledger(orders={"o1": order(status=OrderStatus.SENT)}), "o1"),
    (
        "orders_resolved",
        "a fill not seen",
        with_ledger(orders={"o1": order(status=OrderStatus.FILLED, venue_filled=D(10), filled=D(4))}),
        "o1 (4 of 10 SPY)",
    ),
    ("mode", "halted", with_ledger(halts=(HALT,)), "operator: lunch"),
    ("certificate", "none", with_ledger(certificate=None), "hydra qc"),
    ("certificate", "other policy", uncertified(policy_hash="x"), "policy_hash"),
    ("certificate", "other code", uncertified(code_hash="x"), "code_hash"),
    ("certificate", "other account", uncertified(account_id="x"), "account_id"),
    ("certificate", "other url", uncertified(url="x"), "url"),
    ("certificate", "other mode", uncertified(mode="live"), "mode"),
    ("certificate", "other host", uncertified(host="x"), "host"),
    ("certificate", "binding unread", missing("binding"), "could not be compared"),
    ("session", "unread", missing("sessions"), "unknown"),
    ("session", "unknown class", sessions(by_class={}), "unknown"),
    ("session", "never read", with_sight(sessions=None), "unknown"),
    ("data_fresh", "market unread", missing("market"), "timeout"),
    ("data_fresh", "no quote", with_sight(quotes={}), "no quote"),
    ("data_fresh", "no bars", with_sight(bars={}), "no bars"),
    ("data_fresh", "old quote", aged("quote", 121), "quote is 121 s old, limit 120 s"),
    ("data_fresh", "old bar", aged("bar", 121), "bar is 121 s old"),
    ("data_fresh", "quote of the future", aged("quote", -5), "in the future"),
    ("data_fresh", "bar of the future", aged("bar", -60), "in the future"),
    ("price_sane", "no quote", with_sight(quotes={}), "SPY has no quote"),
    ("price_sane", "locked", quoted(100, 100), "SPY: the quote is locked at 100"),
    ("price_sane", "absurd", quoted(100, "105.2"), "bid 100 and ask 105.2 are 5.07% apart, limit 0.05"),
    (
        "price_sane",
        "jump",
        bars(100, 106, volumes=(900, 449)),
        "from 100 to 106 (+6.00%, limit 0.05) on a volume of 449",
    ),
    ("price_sane", "fall on nothing", bars(100, 94, volumes=(0, 0)), "from 100 to 94 (-6.00%"),
    ("day_start", "no day", with_ledger(day=None), "the day's first equity is not known"),
    (
        "day_start",
        "too much more",
        began(125_001, 100_000),
        "began with 125001, the day before ended with 100000 (+25.00%",
    ),
    ("day_start", "too much less", began(74_999, 100_000), "`hydra doctor --accept-foreign`"),
    ("day_start", "from nothing", began(100_000, 0), "the day before ended with 0"),
]

STILL_OPEN: list[tuple[str, str, Snapshot]] = [
    ("clock_skew", "at the limit", skewed(2)),
    ("failure_window", "below the limit", failed(4)),
    ("failure_window", "long ago", failed(50, seconds_ago=60)),
    ("ledger_agrees", "within the tolerance", with_ledger(cash=D("100000.01"))),
    ("data_fresh", "quote at the limit", aged("quote", 120)),
    ("data_fresh", "quote read a moment later", aged("quote", -2)),
    ("price_sane", "wide", quoted(100, 105)),
    ("price_sane", "a jump with half the volume", bars(100, 106, volumes=(900, 450))),
    ("price_sane", "five percent without volume", bars(100, 105, volumes=(900, 1))),
    ("price_sane", "from one session to the next", bars(100, 106, 106, volumes=(900, 1, 1))),
    ("price_sane", "no bars", with_sight(bars={})),
    ("day_start", "a quarter more", began(125_000, 100_000)),
    ("day_start", "a quarter less", began(75_000, 100_000)),
    ("day_start", "the first day", began(100_000, None)),
    ("orders_resolved", "all fills seen", with_ledger(orders={"o1": order(venue_filled=D(4), filled=D(4))})),
    ("account_valid", "little equity", with_account(equity=D("0.01"))),
    (
        "ledger_agrees",
        "foreign positions",
        with_ledger(with_sight(positions=(STRANGER,)), foreign={"TSLA": D(3)}),
    ),
]


def answers_of(gate: str, snapshot: Snapshot) -> list[tuple[Verdict, str]]:
    return [(answer.verdict, answer.reason) for answer in ask_gates(snapshot, BOOK) if answer.gate == gate]


def test_every_gate_is_open_on_a_healthy_snapshot_and_says_why() -> None:
    answers = ask_gates(healthy(), BOOK)
    assert {answer.gate for answer in answers} == set(available("hydra.gates"))
    assert [answer for answer in answers if answer.verdict is not Verdict.PASS] == []
    assert all(answer.reason for answer in answers)


def test_every_gate_has_a_defect_in_this_table() -> None:
    assert {gate for gate, *_ in SHUT} == {gate.name for gate in BOOK.gates}


@pytest.mark.parametrize(("gate", "defect", "snapshot", "words"), SHUT, ids=[f"{g}: {d}" for g, d, *_ in SHUT])
def test_a_gate_is_shut_by_its_defect_with_its_reason(gate: str, defect: str, snapshot: Snapshot, words: str) -> None:
    ((verdict, reason),) = answers_of(gate, snapshot)
    assert verdict is Verdict.REFUSE
    assert words in reason


@pytest.mark.parametrize(("gate", "what", "snapshot"), STILL_OPEN, ids=[f"{g}: {w}" for g, w, _ in STILL_OPEN])
def test_a_gate_stays_open_up_to_its_limit(gate: str, what: str, snapshot: Snapshot) -> None:
    assert [verdict for verdict, _ in answers_of(gate, snapshot)] == [Verdict.PASS]


def test_a_closed_session_is_not_now_and_nobodys_failure() -> None:
    closed = sessions(by_class=CLOSED)
    assert answers_of("session", closed)[0][0] is Verdict.SKIP
    assert "opens 2024-03-05 14:30Z" in answers_of("session", closed)[0][1]
    assert answers_of("data_fresh", closed)[0][0] is Verdict.SKIP
    assert answers_of("price_sane", with_sight(closed, quotes={}))[0][0] is Verdict.SKIP


def test_a_gate_answers_for_every_key_of_its_scope() -> None:
    gates = {gate.name: gate for gate in BOOK.gates}
    symbols = ("SPY", "AAPL", "BTC-USD")
    assert keys_of(gates["mode"].scope, symbols) == ("",)
    assert keys_of(gates["session"].scope, symbols) == ("equity", "crypto")
    assert keys_of(gates["data_fresh"].scope, symbols) == symbols


def test_a_rule_book_without_gates_has_no_answers_and_so_no_broker() -> None:
    assert ask_gates(healthy(), changed(BOOK, gates=())) == ()


def test_an_open_order_at_the_venue_that_is_not_ours_is_a_residual() -> None:
    stranger = VenueOrder(
        venue_id="v9",
        client_id="theirs",
        symbol="SPY",
        side=Side.BUY,
        order_type=OrderType.MARKET,
        quantity=D(4),
        status=OrderStatus.ACCEPTED,
    )
    snapshot = with_sight(open_orders=(stranger,))
    assert residuals(snapshot.ledger, snapshot.sight, D(0)) == (
        "the venue has an open order theirs (buy 4 SPY) that is not ours",
    )


def test_what_a_gate_says_now_counts_whatever_it_said_before() -> None:
    """Replies are kept from cycle to cycle; a word that only looks like one of ours is still no word of a gate's."""
    told: list[Any] = []
    gate = Gate(name="oracle", scope=Scope.SYMBOL, ask=lambda *_asked: told[-1])
    book = changed(BOOK, gates=(gate,))

    class Word(str):
        __slots__ = ()

    for reply, verdict, reason in (
        (yes("well"), Verdict.PASS, "well"),
        (yes("well"), Verdict.PASS, "well"),
        (no("well"), Verdict.REFUSE, "well"),
        (Reply(verdict=Verdict.PASS, reason="well"), Verdict.PASS, "well"),
        (yes(Word("well")), Verdict.REFUSE, "the gate answered with"),
        (None, Verdict.REFUSE, "the gate answered with None"),
        (yes("well"), Verdict.PASS, "well"),
    ):
        told.append(reply)
        answers = ask_gates(healthy(), book)
        assert {answer.verdict for answer in answers} == {verdict}
        assert all(reason in answer.reason for answer in answers)
        assert [answer.key for answer in answers] == list(BOOK.policy.symbols)


def test_residuals_of_orders_are_those_of_now_whatever_was_compared_before() -> None:
    """The comparison is kept while ledger and venue have the very same orders: every one of its three inputs ends it."""
    theirs = VenueOrder(
        venue_id="v1",
        client_id="o1",
        symbol="SPY",
        side=Side.BUY,
        order_type=OrderType.MARKET,
        quantity=D(10),
        status=OrderStatus.ACCEPTED,
    )
    ours, both, nobodys = {"o1": order()}, (theirs,), ("v1",)
    for orders, foreign, open_orders, found in (
        (ours, (), both, 0),
        ({}, (), both, 1),
        (ours, (), both, 0),
        (ours, (), (), 1),
        ({}, (), both, 1),
        ({}, nobodys, both, 0),
        ({}, (), both, 1),
        ({}, (), (), 0),
    ):
        snapshot = with_ledger(with_sight(open_orders=open_orders), orders=orders, foreign_orders=foreign)
        assert len(residuals(snapshot.ledger, snapshot.sight, D(0))) == found
