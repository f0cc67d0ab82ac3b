"""What stops all trading by itself: every kill at its limit and just below it, and what becomes of one that fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace as changed
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.bootstrap.plugs import rule_book
from hydra.bootstrap.points import available
from hydra.engine.decide import decide
from hydra.model.market import AssetClass, Bar
from hydra.model.orders import Purpose, SizeKind
from hydra.model.portfolio import Day, Mode
from hydra.model.snapshot import Answer, Failure, Session, Sessions, Snapshot
from hydra.model.values import replace
from hydra.policy import Policy
from hydra.risk.halts import automatic_halts
from hydra.risk.kills import REQUIRED_KILLS
from hydra.risk.plugs import RuleBook
from tests.engine.books import generous
from tests.fakes.feed import ScriptedFeed, bar, quote
from tests.fakes.outside import BOT, MINUTE, OPEN, Stage, buys_at, entry, policy
from tests.risk.hostile import HOSTILE, raises, says
from tests.risk.scenes import healthy, holding, with_account, with_ledger, with_sight

D = Decimal
NOW = healthy().at
KILLS = {name: point.load() for name, point in available("hydra.kills").items()}


def book_of(kills: Mapping[str, Callable[..., Any]] = {}, rules: Policy | None = None) -> RuleBook:
    return changed(rule_book(rules or policy()), kills={**KILLS, **kills})


BOOK = book_of()


def kinds(snapshot: Snapshot, book: RuleBook = BOOK) -> list[str]:
    return [halt.kind for halt in automatic_halts(snapshot, book)]


def bare(seconds: float) -> Snapshot:
    return with_ledger(holdings={"a": holding(unprotected_since=NOW - timedelta(seconds=seconds))})


def equity(amount: Any, *, start: Any = 100_000, peak: Any = 100_000) -> Snapshot:
    day = healthy().ledger.day
    assert day is not None
    ledger = {"day": Day(date=day.date, start_equity=D(start)), "peak_equity": D(peak)}
    return with_ledger(with_account(equity=D(str(amount))), **ledger)


NOON = NOW.replace(hour=18, minute=0)
"""Three and a half hours into the session."""


def at_noon(**changes: Any) -> Snapshot:
    """A holding from the opening, at noon, with a fresh price; ``changes`` are of the ledger or the sight."""
    sessions = healthy().sight.sessions
    assert sessions is not None
    snapshot = replace(healthy(), at=NOON)
    held = changes.pop("held", (holding(),))
    sight = {"quotes": {"SPY": quote("SPY", NOON, 100, 101)}, "bars": {"SPY": closes(100, 100)}} | changes
    return with_sight(with_ledger(snapshot, holdings={one.key: one for one in held}), **sight)


def minutes_ago(minutes: float) -> datetime:
    return NOON - timedelta(minutes=minutes)


def closes(*prices: Any, volumes: tuple[int, ...] = (), symbol: str = "SPY", seconds: int = 60) -> tuple[Bar, ...]:
    """Bars that end at noon."""
    step = timedelta(seconds=seconds)
    opening = NOON - len(prices) * step
    flat = [bar(symbol, opening + n * step, (p, p, p, p), seconds=seconds) for n, p in enumerate(prices)]
    return tuple(
        replace(one, volume=D(volume)) for one, volume in zip(flat, volumes or [1000] * len(flat), strict=True)
    )


def old(quoted: float | None, barred: float | None = None, *, seconds: int = 60, **changes: Any) -> Snapshot:
    """The last quote and the last bar's close, so many minutes before noon; ``None`` for none."""
    quotes = {} if quoted is None else {"SPY": quote("SPY", minutes_ago(quoted), 100, 101)}
    back = timedelta(minutes=barred or 0)
    shifted = tuple(replace(one, at=one.at - back) for one in closes(100, 100, seconds=seconds))
    bars = {} if barred is None else {"SPY": shifted}
    return at_noon(quotes=quotes, bars=bars, **changes)


def in_session(**by_class: Session) -> Sessions:
    sessions = healthy().sight.sessions
    assert sessions is not None
    return replace(sessions, by_class={AssetClass(name): session for name, session in by_class.items()})


def session(opens_at: datetime | None, *, is_open: bool = True) -> Session:
    return Session(open=is_open, phase="regular" if is_open else "post", opens_at=opens_at)


PUT = "SPY240419P00095000"
STRUCTURE = (holding(PUT, -1, "2.00", structure="s1"),)
PAIR = holding("BTC-USD", 1, opened_at=NOON - timedelta(days=2))
OPTIONS_OPEN = in_session(equity=session(OPEN), option=session(OPEN))
UNREAD = {"market": Failure(what="market", kind="timeout", reason="slow")}
PAIR_PRICE = {"BTC-USD": quote("BTC-USD", NOON, 100, 101)}


def jumped(*prices: Any, volumes: tuple[int, ...], **changes: Any) -> Snapshot:
    return at_noon(bars={"SPY": closes(*prices, volumes=volumes)}, **changes)


TABLE: list[tuple[str, str, Snapshot, list[str]]] = [
    ("", "a quiet day", healthy(), []),
    ("", "a quiet noon", at_noon(), []),
    ("daily_loss", "just below two percent", equity("98000.01"), []),
    ("daily_loss", "two percent", equity(98_000), ["daily_loss"]),
    ("drawdown", "just below six percent", equity("94000.01", start=94_001), []),
    ("drawdown", "six percent", equity(94_000, start=94_001), ["drawdown"]),
    ("drawdown", "both", equity(90_000), ["daily_loss", "drawdown"]),
    ("drawdown", "no equity at all", equity(0), ["daily_loss", "drawdown"]),
    ("failure_window", "four failed reads", with_ledger(failed_at=(NOW,) * 4), []),
    ("failure_window", "five failed reads", with_ledger(failed_at=(NOW,) * 5), ["failure_window"]),
    ("failure_window", "five, a minute ago", with_ledger(failed_at=(NOW - timedelta(seconds=60),) * 5), []),
    ("residual", "two cycles of disagreement", with_ledger(residual_cycles=2), []),
    ("residual", "three cycles of disagreement", with_ledger(residual_cycles=3), ["residual"]),
    ("unprotected", "ten seconds without a stop", bare(10), []),
    ("unprotected", "more than ten seconds without a stop", bare(10.5), ["unprotected"]),
    ("stale_data", "ten minutes", old(10, 10), []),
    ("stale_data", "more than ten minutes", old(10.1, 10.1), ["stale_data"]),
    ("stale_data", "an old quote, but a fresh bar", old(60, 1), []),
    ("stale_data", "old bars, but a fresh quote", old(1, 60), []),
    ("stale_data", "a long bar is not old before two of them", old(110, 110, seconds=3600), []),
    ("stale_data", "two long bars are", old(121, 121, seconds=3600), ["stale_data"]),
    ("stale_data", "nothing was ever said", old(None), ["stale_data"]),
    ("stale_data", "nothing could be read yet", old(None, missing=UNREAD), []),
    ("stale_data", "what was read is old, and nothing more can be", old(11, 11, missing=UNREAD), ["stale_data"]),
    ("stale_data", "bought just now", old(60, 60, held=(holding(opened_at=minutes_ago(9)),)), []),
    ("stale_data", "nothing is held", old(60, 60, held=()), []),
    ("stale_data", "the session is closed", old(60, 60, sessions=in_session(equity=session(OPEN, is_open=False))), []),
    ("stale_data", "the session has just opened", old(60, 60, sessions=in_session(equity=session(minutes_ago(9)))), []),
    ("stale_data", "the session is not known", old(60, 60, sessions=None), []),
    ("stale_data", "a pair never closes", at_noon(held=(PAIR,)), ["stale_data"]),
    ("stale_data", "a pair with a price", at_noon(held=(PAIR,), quotes=PAIR_PRICE), []),
    ("stale_data", "an underlying", old(60, 60, held=STRUCTURE), ["stale_data"]),
    ("stale_data", "an old chain", at_noon(held=STRUCTURE, sessions=OPTIONS_OPEN, chains_at={"SPY": minutes_ago(11)}), ["stale_data"]),
    ("stale_data", "a chain", at_noon(held=STRUCTURE, sessions=OPTIONS_OPEN, chains_at={"SPY": minutes_ago(10)}), []),
    ("stale_data", "a chain not read yet", at_noon(held=STRUCTURE, sessions=OPTIONS_OPEN), []),
    ("anomaly", "five percent", jumped(100, 100, 105, volumes=(900, 1100, 1)), []),
    ("anomaly", "more without volume", jumped(100, 100, 106, volumes=(900, 1100, 499)), ["anomaly"]),
    ("anomaly", "down without volume", jumped(100, 100, 94, volumes=(900, 1100, 499)), ["anomaly"]),
    ("anomaly", "more with half the median", jumped(100, 100, 106, volumes=(900, 1100, 500)), []),
    ("anomaly", "where nobody ever says a volume", jumped(100, 100, 106, volumes=(0, 0, 0)), ["anomaly"]),
    ("anomaly", "one bar only", jumped(106, volumes=(1,)), []),
    ("anomaly", "nothing is held", jumped(100, 100, 106, volumes=(900, 1100, 1), held=()), []),
    ("anomaly", "an underlying", jumped(100, 106, volumes=(900, 1), held=STRUCTURE), ["anomaly"]),
    ("anomaly", "from one session to the next", jumped(100, 106, volumes=(900, 1), sessions=in_session(equity=session(minutes_ago(1.5)))), []),
    ("anomaly", "outside the session", jumped(100, 106, volumes=(900, 1), sessions=in_session(equity=session(OPEN, is_open=False))), []),
    ("anomaly", "locked for a minute", at_noon(locked_since={"SPY": minutes_ago(1)}), []),
    ("anomaly", "locked for longer", at_noon(locked_since={"SPY": minutes_ago(1.1)}), ["anomaly"]),
    ("anomaly", "locked since before the session", at_noon(locked_since={"SPY": minutes_ago(60)}, sessions=in_session(equity=session(minutes_ago(1)))), []),
    ("anomaly", "something else is locked", at_noon(locked_since={"TSLA": minutes_ago(60)}), []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "what", "snapshot", "latched"), TABLE, ids=[f"{name}: {what}" for name, what, *_ in TABLE]
)
def test_a_kill_latches_at_its_limit_and_not_before(
    name: str, what: str, snapshot: Snapshot, latched: list[str]
) -> None:
    halts = automatic_halts(snapshot, BOOK)
    assert [halt.kind for halt in halts] == latched
    assert all(any(digit.isdigit() for digit in halt.reason) for halt in halts)


def test_every_kill_is_in_the_table_and_kills_there() -> None:
    assert {name for name, *_ in TABLE if name} == set(KILLS)
    assert {kind for *_, latched in TABLE for kind in latched} == set(KILLS)


def test_the_kills_that_may_not_be_left_out_are_there() -> None:
    assert set(KILLS) >= REQUIRED_KILLS == {"daily_loss", "drawdown", "failure_window", "residual", "unprotected"}


def test_a_kill_cools_off_and_carries_its_numbers() -> None:
    (halt,) = automatic_halts(equity(98_000), BOOK)
    assert halt.automatic
    assert not halt.flatten
    assert halt.cool_off_until == NOW + timedelta(minutes=390)
    assert "98000" in halt.reason
    assert "0.02" in halt.reason


def test_a_halt_flattens_where_the_policy_says_so_for_its_kind() -> None:
    book = book_of(rules=policy(risk={"kill_flattens": ("drawdown",)}))
    assert [(h.kind, h.flatten) for h in automatic_halts(equity(90_000), book)] == [
        ("daily_loss", False),
        ("drawdown", True),
    ]


def test_an_equity_that_is_not_known_halts_nothing() -> None:
    lost = equity(1)
    unread = {"account": Failure(what="account", kind="timeout", reason="slow")}
    assert kinds(with_sight(lost, missing=unread)) == []
    assert kinds(with_sight(lost, account=None)) == []
    assert kinds(with_ledger(equity(98_000), day=None)) == []


def test_a_kind_that_is_latched_is_not_latched_twice() -> None:
    (halt,) = automatic_halts(equity(98_000), BOOK)
    assert kinds(with_ledger(equity(98_000), halts=(halt,))) == []
    assert kinds(with_ledger(equity(90_000), halts=(halt,))) == ["drawdown"]


def test_of_two_holdings_the_one_that_is_held_longest_is_owed_a_price() -> None:
    young, aged = holding(bot="late", opened_at=minutes_ago(1)), holding(opened_at=minutes_ago(60))
    assert kinds(old(11, 11, held=(young, aged))) == ["stale_data"]
    assert kinds(old(11, 11, held=(aged, young))) == ["stale_data"]


def test_a_structure_and_shares_of_its_underlying_are_judged_once() -> None:
    said = KILLS["anomaly"](jumped(100, 106, volumes=(900, 1), held=(*STRUCTURE, holding())), policy())
    assert said == "SPY went from 100 to 106 (+6.00%, limit 0.05) on a volume of 1, the median is 900"


PROPERTY = settings(max_examples=60, derandomize=True, deadline=None)
cents = st.integers(min_value=100, max_value=20_000_000).map(lambda n: D(n) / 100)


@PROPERTY
@given(amount=cents, start=cents, peak=cents)
def test_a_loss_halts_exactly_when_it_is_the_limit_or_more(amount: Decimal, start: Decimal, peak: Decimal) -> None:
    losses = {"daily_loss": (start, D("0.02")), "drawdown": (peak, D("0.06"))}
    expected = [name for name, (base, most) in losses.items() if base - amount >= most * base]
    assert kinds(equity(amount, start=start, peak=peak)) == expected


@PROPERTY
@given(seconds=st.integers(min_value=0, max_value=20_000), opened=st.integers(min_value=0, max_value=200))
def test_data_is_stale_exactly_when_no_price_came_for_so_long_of_the_session_and_the_holding(
    seconds: int, opened: int
) -> None:
    snapshot = old(seconds / 60, seconds / 60, held=(holding(opened_at=minutes_ago(opened)),))
    since = min(seconds, 60 * opened)
    assert kinds(snapshot) == (["stale_data"] if since > 600 else [])


@PROPERTY
@given(
    before=st.integers(min_value=80, max_value=120),
    after=st.integers(min_value=80, max_value=120),
    volume=st.integers(min_value=0, max_value=2000),
    usual=st.integers(min_value=0, max_value=2000),
)
def test_a_jump_is_one_exactly_when_it_is_large_and_nobody_traded_it(
    before: int, after: int, volume: int, usual: int
) -> None:
    large = abs(D(after) - before) / before > D("0.05")
    thin = volume == 0 or volume < D(usual) / 2
    snapshot = jumped(before, after, volumes=(usual, volume))
    assert kinds(snapshot) == (["anomaly"] if large and thin else [])


# -- a kill that fails


def wishing() -> Snapshot:
    """A healthy snapshot in which the bot wishes an entry, as small as can be."""
    wish = entry(quantity=1)
    assert wish.size.kind is SizeKind.QUANTITY
    return replace(healthy(), answers={BOT: Answer(bot=BOT, intents=(wish,))})


def test_on_this_snapshot_an_entry_is_decided() -> None:
    plan = decide(wishing(), BOOK)
    assert [send.order.purpose for send in plan.sends] == [Purpose.ENTRY]
    assert plan.mode is Mode.ACTIVE


@pytest.mark.parametrize("how", HOSTILE)
@pytest.mark.parametrize("name", KILLS)
def test_a_kill_that_does_not_answer_halts_and_nothing_is_entered(name: str, how: str) -> None:
    plan = decide(wishing(), book_of({name: HOSTILE[how]}))
    (halt,) = plan.halts
    assert (halt.kind, halt.by, halt.automatic, halt.flatten) == ("kill_failed", "hydra", False, False)
    assert f"kill {name} " in halt.reason
    assert plan.mode is Mode.HALTED
    assert plan.sends == ()


def test_a_kill_that_fails_keeps_no_other_from_its_halt_and_all_failures_are_named() -> None:
    book = book_of({"daily_loss": says(0), "residual": raises(RuntimeError("broken"))})
    halts = automatic_halts(equity(90_000), book)
    assert [halt.kind for halt in halts] == ["drawdown", "kill_failed"]
    assert halts[-1].reason == ("kill daily_loss answered with 0; kill residual failed: RuntimeError: broken")
    assert kinds(with_ledger(equity(90_000), halts=halts), book) == []


def test_what_a_kill_says_can_always_be_journaled() -> None:
    (halt,) = automatic_halts(healthy(), book_of({"anomaly": says("lost \ud800" + "x" * 1000)}))
    assert halt.kind == "anomaly"
    assert len(halt.reason.encode()) < 400


def test_over_a_day_a_kill_that_fails_leaves_what_is_held_to_its_exits() -> None:
    def once_it_is_held(snapshot: Snapshot, _policy: Policy) -> str | None:
        if snapshot.ledger.holdings:
            raise RuntimeError("broken")
        return None

    stage = Stage(
        book=book_of({"anomaly": once_it_is_held}), prices=[(100, 100, 100, 100)] * 5 + [(100, 100, 97, 97)] * 5
    )
    stage.day()
    assert [halt.kind for halt in stage.ledger.halts] == ["kill_failed"]
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY]
    assert stage.at_venue() == {}  # its stop has closed it
    assert stage.agrees()


def test_over_a_day_a_kill_that_flattens_closes_everything() -> None:
    rules = policy(risk={"kill_flattens": ("anomaly",)})

    def once_it_is_held(snapshot: Snapshot, _policy: Policy) -> str | None:
        return "3 signs of trouble" if snapshot.ledger.holdings else None

    stage = Stage(book=book_of({"anomaly": once_it_is_held}, rules))
    stage.day()
    assert [(halt.kind, halt.reason) for halt in stage.ledger.halts] == [("anomaly", "3 signs of trouble")]
    assert [order.purpose for order in stage.sent()] == [Purpose.ENTRY, Purpose.EXIT]
    assert stage.at_venue() == {}
    assert stage.agrees()


# -- over a day, at the simulated venue


def a_feed(quoted: Callable[[int], tuple[Any, Any] | None], *, jumps_at: int | None = None) -> ScriptedFeed:
    """Twenty minutes of AAPL at 50, and of SPY at 100 with these quotes; from one minute on at 108, a hundredth traded."""
    feed = ScriptedFeed(symbols=["SPY", "AAPL"])
    for n in range(20):
        at = OPEN + n * MINUTE
        feed.add(bar("AAPL", at, (50,) * 4), quote("AAPL", at + MINUTE, 50, "50.01"))
        sides = quoted(n)
        if sides is not None:
            price = 108 if jumps_at is not None and n >= jumps_at else 100
            one = bar("SPY", at, (price,) * 4)
            feed.add(replace(one, volume=D(10)) if n == jumps_at else one, quote("SPY", at + MINUTE, *sides))
    return feed


DAYS: dict[str, tuple[ScriptedFeed, str, str]] = {
    "a jump": (a_feed(lambda n: (100, "100.02"), jumps_at=8), "anomaly", "SPY went from 100 to 108 (+8.00%"),
    "locked": (a_feed(lambda n: (100, "100.02" if n < 8 else 100)), "anomaly", "SPY has been quoted locked for 120 s"),
    "silence": (a_feed(lambda n: (100, "100.02") if n < 5 else None), "stale_data", "no price of SPY for 11 minutes"),
}


@pytest.mark.parametrize("flattens", [False, True], ids=["halts", "flattens"])
@pytest.mark.parametrize("what", DAYS)
def test_over_a_day_a_kill_halts_and_closes_what_is_held_where_it_is_told_to(what: str, flattens: bool) -> None:
    feed, kind, words = DAYS[what]
    rules = policy(bots=[{"id": BOT, "symbols": ("SPY", "AAPL")}], risk={"kill_flattens": (kind,) if flattens else ()})
    stage = Stage({BOT: buys_at(3, stop=90, target=None)}, feed=feed, book=generous(rules))
    stage.day()
    (halt,) = stage.ledger.halts
    assert (halt.kind, halt.automatic, halt.flatten) == (kind, True, flattens)
    assert halt.reason.startswith(words)
    assert bool(stage.sent(Purpose.EXIT)) is flattens
    if what != "silence":  # what nobody quotes, nobody buys
        assert stage.at_venue() == ({} if flattens else {"SPY": 10})
    assert stage.agrees()
