"""A backtest that passes over quiet cycles is the same backtest: the same orders, fills, halts, memories and figures."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from hydra.adapters.markets import frames
from hydra.adapters.markets.recorded import RecordedFeed
from hydra.bootstrap.backtest import Backtest, Stretch
from hydra.bootstrap.config import load_policy
from hydra.bootstrap.venues import Source
from hydra.engine.replay import differences
from hydra.engine.run import Loop
from hydra.model.events import CycleClosed, Decided, Event, Passed
from hydra.model.portfolio import Ledger
from hydra.model.snapshot import Observed
from hydra.model.values import replace
from hydra.policy import Policy
from hydra.study.record import Recorder
from hydra.study.study import Study, study

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "paper.toml"
_FOLDER = tempfile.TemporaryDirectory()
"""Where the exchange's days are kept, for all of these tests; gone with the process."""
_WORDS = (Observed, Decided, CycleClosed, Passed)


class Played(NamedTuple):
    """What came of a backtest."""

    deeds: list[tuple[str, Any]]
    ledger: Ledger
    cycles: int
    looks: int
    study: Study
    notes: list[str]
    recorder: Recorder


def play(policy: Policy, feed: RecordedFeed, *, every_cycle: bool, since: datetime | None = None) -> Played:
    """A backtest in memory."""
    deeds: list[tuple[str, Any]] = []
    recorder, looks = Recorder(), 0

    def hear(event: Event, ledger: Ledger) -> None:
        nonlocal looks
        recorder.take(event, ledger)
        looks += isinstance(event.data, Observed)
        if isinstance(event.data, Observed):
            deeds.extend(("fill", fill) for fill in event.data.fills)
            deeds.extend(("activity", each) for each in event.data.activities)
        elif isinstance(event.data, Decided):
            plan = event.data.plan
            deeds.extend(
                (name, one)
                for name in ("judgements", "sends", "cancels", "stops", "halts")
                for one in getattr(plan, name)
            )
        elif not isinstance(event.data, _WORDS) and event.kind not in ("segment_opened", "certified", "answered"):
            deeds.append((event.kind, event.data))

    backtest = Backtest(
        policy=policy,
        source=Source(data=(CONFIG,)),
        run="r",
        calendar_cache=Path(_FOLDER.name),
        hear=hear,
        prices=feed,
        code_hash="0" * 64,
        every_cycle=every_cycle,
        stretch=Stretch(since=since),
    )
    with backtest:
        loop = Loop(
            engine=backtest.engine,
            segment=backtest.segment,
            cycles_max=None,
            interval_seconds=0,
            stopped=lambda: None,
            watch=lambda _report: None,
            daily=False,
            pass_over=backtest.pass_over,
        )
        ending = loop.run()
        ledger = replace(backtest.engine.ledger, certificate=None)
    bots = tuple(bot.id for bot in policy.enabled_bots)
    return Played(deeds, ledger, ending.cycles, looks, study(recorder, bots), backtest.notes, recorder)


def policy(*bots: Mapping[str, Any], **risk: Any) -> Policy:
    """The usual policy with these bots."""
    document = load_policy(CONFIG, {}, None).document()
    document["isolation"] = {**document["isolation"], "host": "inline"}
    usual = {
        "enabled": True,
        "bot": "momentum",
        "trades_per_day": 100,
        "positions": 5,
        "size": {"by": "risk", "amount": "0.001"},
    }
    document["bots"] = [{**usual, **bot} for bot in bots]
    document["risk"] = {**document["risk"], "trades_a_day": 1000, "cool_down_minutes": 0, "loss_streak": 1000, **risk}
    return Policy.model_validate(document)


def walk(seed: int, count: int, *, minutes: int = 1, wild: float = 0.001, gaps: float = 0.0) -> pa.Table:
    """Prices at random: ``wild`` is the deviation of a bar's return, ``gaps`` the share of bars that are missing."""
    random = np.random.default_rng(seed)
    moves = random.standard_normal((count, 4))
    close = np.round(100 * np.exp(np.cumsum(wild * moves[:, 0])), 2)
    opened = np.round(np.concatenate(([100.0], close[:-1])) * np.exp(wild / 5 * moves[:, 1]), 2)
    high = np.round(np.maximum(opened, close) * np.exp(wild / 2 * np.abs(moves[:, 2])), 2)
    low = np.round(np.minimum(opened, close) * np.exp(-wild / 2 * np.abs(moves[:, 3])), 2)
    start = datetime(2024, 3, 8, tzinfo=UTC)
    kept = np.flatnonzero(random.random(count) >= gaps)
    at = [start + timedelta(minutes=minutes * int(place)) for place in kept]
    columns = {"open": opened, "high": np.maximum(high, np.maximum(opened, close)), "low": low, "close": close}
    prices = {name: column[kept] for name, column in columns.items()}
    return pa.table({"timestamp": at, **prices, "volume": np.floor(1000 * np.exp(random.standard_normal(count)))[kept]})


def feed_of(**tables: pa.Table) -> RecordedFeed:
    """Pairs by name, in dollars."""
    return RecordedFeed.over(*(frames.series(table, symbol=f"{name}-USD") for name, table in tables.items()))


SMA = {"signal": "sma_cross", "parameters": {"fast": 5, "slow": 21}}
COIN = {"id": "coin", "bucket": "crypto", "symbols": ["AAA-USD"], "stop_loss": "0.01", **SMA}
LIMIT = {"type": "limit", "slippage": "0.0005", "seconds": 120}
BOTS: dict[str, tuple[Mapping[str, Any], ...]] = {
    "a cross": (COIN,),
    "with a target": ({**COIN, "take_profit": "0.006"},),
    "stops that follow": ({**COIN, "trailing": {"by": "percent", "distance": "0.004"}, "break_even": "0.003"},),
    "stops that follow the range": ({**COIN, "trailing": {"by": "atr", "distance": "3", "bars": 14}},),
    "out after a while": ({**COIN, "time_stop_minutes": 25},),
    "a breakout": ({**COIN, "signal": "breakout", "parameters": {"lookback": 40}, "take_profit": "0.01"},),
    "a rate of change": (
        {**COIN, "signal": "rate_of_change", "parameters": {"lookback": 5, "window": 40, "threshold": 2.0}},
    ),
    "limits in dollars": (
        {**COIN, "bot": "crypto", "entry": LIMIT, "size": {"by": "notional", "amount": "5000"}, "take_profit": "0.008"},
    ),
    "fixed units": ({**COIN, "size": {"by": "quantity", "amount": "10"}},),
    "two bots, two symbols": (
        COIN,
        {**COIN, "id": "both", "symbols": ["AAA-USD", "BBB-USD"], "signal": "breakout", "parameters": {"lookback": 30}},
    ),
}


def assert_same(policy: Policy, feed: RecordedFeed, since: datetime | None = None) -> tuple[Played, Played]:
    """Both ways, and the same came of them."""
    slow, fast = (play(policy, feed, every_cycle=every, since=since) for every in (True, False))
    for place, (one, other) in enumerate(zip(slow.deeds, fast.deeds, strict=False)):
        assert one == other, f"deed {place}"
    assert len(slow.deeds) == len(fast.deeds)
    assert list(differences(slow.ledger, fast.ledger)) == []
    assert fast.cycles == slow.cycles
    assert figures(fast.study) == figures(slow.study)
    return slow, fast


def figures(done: Study) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for owner, values in [("", done.figures), *((bot.bot, bot.figures) for bot in done.bots)]:
        for name, value in values.items():
            found[f"{owner}.{name}"] = pytest.approx(value, rel=1e-6, abs=1e-9) if isinstance(value, float) else value
    return found


@pytest.mark.parametrize("bots", BOTS.values(), ids=BOTS.keys())
@pytest.mark.parametrize("seed", [1, 2])
def test_random_prices_come_to_the_same(bots: tuple[Mapping[str, Any], ...], seed: int) -> None:
    feed = feed_of(AAA=walk(seed, 700, gaps=0.01 * (seed - 1)), BBB=walk(seed + 10, 140, minutes=5))
    slow, fast = assert_same(policy(*bots), feed)
    assert len(slow.deeds) > 20
    assert fast.looks <= slow.looks


DAYS = {
    "signal": "sma_cross",
    "parameters": {"fast": 3, "slow": 9},
    "bucket": "momentum",
    "stop_loss": "0.01",
    "session": {"trade_start": "09:45", "trade_end": "15:00", "manage_until": "15:30"},
}
SHARES: dict[str, tuple[Mapping[str, Any], ...]] = {
    "long": ({**DAYS, "id": "day", "symbols": ["SPY"]},),
    "long and short": ({**DAYS, "id": "day", "symbols": ["SPY", "QQQ"], "shorts": True, "take_profit": "0.01"},),
    "beside a pair": ({**DAYS, "id": "day", "symbols": ["SPY"]}, {**COIN, "time_stop_minutes": 300}),
}


def sessions(seed: int) -> pa.Table:
    """Quarters of an hour of an exchange's days, clocks changed among them."""
    table = walk(seed, 96 * 7, minutes=15, wild=0.002)
    local = [at.astimezone(ZoneInfo("America/New_York")) for at in table["timestamp"].to_pylist()]
    kept = [at.weekday() < 5 and (9, 30) <= (at.hour, at.minute) < (16, 0) for at in local]
    return table.filter(pa.array(kept))


@pytest.mark.parametrize("bots", SHARES.values(), ids=SHARES.keys())
def test_sessions_come_to_the_same(bots: tuple[Mapping[str, Any], ...]) -> None:
    series = [frames.series(sessions(seed), symbol=symbol) for seed, symbol in ((3, "SPY"), (4, "QQQ"))]
    coin = frames.series(walk(5, 96 * 7, minutes=15, wild=0.002), symbol="AAA-USD")
    needed = {symbol for bot in bots for symbol in bot["symbols"]}
    feed = RecordedFeed.over(*(one for one in (*series, coin) if one.symbol in needed))
    slow, fast = assert_same(policy(*bots, short=True), feed)
    assert len(slow.deeds) > 20
    assert fast.looks < slow.looks


@pytest.mark.parametrize(
    ("kind", "limits"), [("daily_loss", {"daily_loss": "0.002"}), ("drawdown", {"drawdown": "0.002"})]
)
def test_a_halt_latches_in_the_same_cycle(kind: str, limits: Mapping[str, str]) -> None:
    bots = {**COIN, "stop_loss": "0.2", "size": {"by": "notional", "amount": "20000"}}
    slow, _ = assert_same(
        policy(bots, rules=["order_notional", "buying_power"], **limits), feed_of(AAA=walk(8, 700, wild=0.002))
    )
    assert [halt.kind for halt in slow.ledger.halts] == [kind]


def test_a_symbol_that_is_listed_later_comes_with_all_its_bars() -> None:
    both = {**COIN, "symbols": ["AAA-USD", "BBB-USD"], "signal": "breakout", "parameters": {"lookback": 10}}
    assert_same(policy(both), feed_of(AAA=walk(1, 500), BBB=walk(2, 100, minutes=5).slice(20)))


def test_what_comes_before_the_beginning_is_warm_up() -> None:
    feed = feed_of(AAA=walk(1, 700))
    since = datetime(2024, 3, 8, 5, tzinfo=UTC)
    slow, fast = assert_same(policy(COIN), feed, since)
    assert slow.cycles == fast.cycles < 450


def test_quiet_cycles_are_one_event_and_most_of_a_quiet_day() -> None:
    slow = {**COIN, "parameters": {"fast": 20, "slow": 100}}
    played = play(policy(slow), feed_of(AAA=walk(1, 1200)), every_cycle=False)
    assert played.looks * 8 < played.cycles == 1200


@pytest.mark.parametrize(
    ("bot", "why"),
    [
        ({**COIN, "signal": "vwap", "parameters": {"distance": 0.01, "mode": "trend"}}, "coin cannot tell"),
        ({**COIN, "bot": "tests/bootstrap/silent_bot.py:make", "signal": None}, "coin cannot tell"),
    ],
    ids=["a signal that cannot tell", "a bot that cannot tell"],
)
def test_who_cannot_tell_beforehand_is_asked_every_time(bot: Mapping[str, Any], why: str) -> None:
    settings = {name: value for name, value in bot.items() if value is not None}
    if "signal" not in settings:
        settings.pop("parameters")
    told = policy(settings)
    told = told.model_copy(update={"engine": told.engine.model_copy(update={"window_bars": 400})})
    played = play(told, feed_of(AAA=walk(1, 200)), every_cycle=False)
    assert played.looks == played.cycles == 200
    assert [note for note in played.notes if why in note]


def on_shares(*, contracts: str = "", folder: Path | None = None) -> tuple[Policy, RecordedFeed]:
    """What the usual policy has on SPY, a bot that sells spreads among it, and a week of bars, with or without quotes of contracts."""
    document = load_policy(CONFIG, {}, None).document()
    bots = [bot for bot in document["bots"] if bot["symbols"] == ["SPY"]]
    table = sessions(3)
    if folder is None:
        return policy(*bots), RecordedFeed.over(frames.series(table, symbol="SPY"))
    lines = [
        ",".join(map(str, [f"{row.pop('timestamp'):%Y-%m-%dT%H:%M:%SZ}", *row.values()])) for row in table.to_pylist()
    ]
    (folder / "SPY-15min.csv").write_text("\n".join([",".join(table.column_names), *lines, ""]))
    (folder / "SPY-chain-15min.csv").write_text(f"timestamp,symbol,bid,bid_size,ask,ask_size\n{contracts}")
    return policy(*bots), RecordedFeed.open([folder])


def test_a_bot_that_trades_contracts_is_silent_where_there_are_none_once_it_has_said_so() -> None:
    slow, fast = assert_same(*on_shares())
    said = slow.ledger.bot("spy-put-spread").memory["SPY"]
    assert said["why"] == ["no contract of it is known"]
    assert [one for kind, one in slow.deeds if kind == "fill"]
    assert fast.looks * 2 < slow.looks
    assert fast.notes == slow.notes


def test_a_single_contract_in_the_data_makes_every_cycle_one_to_be_gone_through(tmp_path: Path) -> None:
    quote = "2024-03-12T15:00:00Z,SPY240328P00095000,1.1,5,1.2,7\n"
    played = play(*on_shares(contracts=quote, folder=tmp_path), every_cycle=False)
    assert played.looks == played.cycles
    assert [note for note in played.notes if "spy-put-spread trades contracts on SPY" in note]
