"""An evening of iterations: which asset is on turn, what the consensus does, and what an iteration that could not be held leaves."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from math import sin
from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.files import RealFiles
from hydra.adapters.journal.reader import read_journal
from hydra.bootstrap.hosts import replay_host
from hydra.bootstrap.plugs import rule_book
from hydra.bootstrap.tournament_records import TRADES, VOTES, lines_of
from hydra.engine.replay import Replayed, replay
from hydra.model.errors import BadConfig, Barred
from hydra.model.events import Decided, Event, OrderSent, SegmentOpened, Voted
from hydra.model.orders import Purpose, SizeKind
from hydra.model.values import replace
from hydra.model.votes import Choice
from hydra.policy import Policy
from tests.tournament.arenas import ByCandle, Evening, Script, csv_of, settings


def rows(written: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.splitlines()]


def again(events: list[Event]) -> Replayed:
    def resolve(document: Any) -> Any:
        policy = Policy.model_validate(document)
        return rule_book(policy), replay_host(policy)

    return replay(events, resolve)


def test_assets_take_turns_and_every_iteration_is_a_candle(tmp_path: Path, waves: Path) -> None:
    evening = Evening(folder=tmp_path, data=(waves,), assets=("BTC-USD", "ETH-USD"))
    ending = evening.hold(9)
    assert (ending.exit_code, ending.cycles) == (0, 9)
    assert [voted.iteration for voted in evening.heard] == list(range(1, 10))
    assert [voted.asset for voted in evening.heard] == (["BTC-USD", "ETH-USD"] * 5)[:9]
    moments = [voted.at for voted in evening.heard]
    assert [(after - before).seconds for before, after in itertools.pairwise(moments)] == [60] * 8
    assert all(
        len(brief.candles) == 240 and brief.at == voted.at
        for brief, voted in zip(evening.asker.asked, evening.heard, strict=True)
    )


def test_an_interval_is_the_markets_own_time_where_prices_are_played(tmp_path: Path, waves: Path) -> None:
    evening = Evening(folder=tmp_path, data=(waves,))
    evening.hold(4, interval=300)
    moments = [voted.at for voted in evening.heard]
    assert [(after - before).seconds for before, after in itertools.pairwise(moments)] == [300] * 3


def test_buy_opens_a_long_at_one_percent_risk_and_sell_closes_it(tmp_path: Path, waves: Path) -> None:
    evening = Evening(folder=tmp_path, data=(waves,), assets=("BTC-USD",), asker=Script("BBBS", "HHHH", "SSSB", "HHHH"))
    evening.hold(4)
    events = evening.events()
    wishes = [one for event in events if isinstance(event.data, Decided) for one in event.data.plan.judgements]
    assert next((one.intent.purpose, one.intent.side.value) for one in wishes) == (Purpose.ENTRY, "buy")
    entry = wishes[0].intent
    assert (entry.size.kind, entry.size.amount) == (SizeKind.RISK, Decimal("0.01"))
    assert entry.protection is not None
    assert entry.protection.target is not None
    stop, target = entry.protection.stop, entry.protection.target
    assert stop < entry.reference < target
    assert (target - entry.reference) / (entry.reference - stop) == Decimal("1.5")
    sent = [event.data.order for event in events if isinstance(event.data, OrderSent)]
    assert [order.purpose for order in sent] == [Purpose.ENTRY, Purpose.EXIT]
    assert evening.arena is not None
    assert not evening.arena.engine.ledger.holdings
    lines = rows(evening.records()[TRADES])
    assert [(line["direction"], line["consensus"], line["cause"]) for line in lines] == [
        ("BUY", "BUY (3/4)", "consensus"),
        ("SELL", "SELL (3/4)", "consensus"),
    ]
    assert lines[0]["result"] is None
    assert Decimal(lines[1]["result"]["profit"]) < 0


def test_without_a_direction_or_a_holding_nothing_is_sent(tmp_path: Path, waves: Path) -> None:
    lines = {
        "all hold": "HHHH",
        "nobody": "----",
        "torn": "BSHH",
        "a tie": "BBSS",
        "nothing to sell": "SSSS",
        "one": "B---",
    }
    evening = Evening(folder=tmp_path, data=(waves,), asker=Script(*lines.values()))
    evening.hold(len(lines))
    assert not any(isinstance(event.data, OrderSent) for event in evening.events())
    assert len(rows(evening.records()[VOTES])) == 4 * len(lines)


def test_the_votes_of_a_protective_exit_are_those_that_opened(tmp_path: Path) -> None:
    csv_of(tmp_path / "fall", "BTC-USD", (60_000 if minute < 243 else 57_000 for minute in range(250)))
    evening = Evening(folder=tmp_path, data=(tmp_path / "fall",), assets=("BTC-USD",), asker=Script("BBBB", "HHHH"))
    evening.hold(8)
    entry, stopped = rows(evening.records()[TRADES])
    assert (stopped["cause"], stopped["direction"], stopped["consensus"]) == ("stop", "SELL", "BUY (4/4)")
    assert (stopped["iteration"], stopped["votes"]) == (entry["iteration"], entry["votes"])
    assert Decimal(stopped["result"]["profit"]) < 0


def test_a_gap_passes_the_iteration_over_by_name_and_the_next_asset_is_on_turn(tmp_path: Path) -> None:
    csv_of(tmp_path / "gap", "BTC-USD", (60_000.0 for _ in range(300)), left_out=frozenset({200, 201}))
    csv_of(tmp_path / "gap", "ETH-USD", (3_000.0 for _ in range(300)))
    evening = Evening(folder=tmp_path, data=(tmp_path / "gap",))
    evening.hold(4)
    assert [bool(voted.skipped) for voted in evening.heard] == [True, False, True, False]
    assert (
        evening.heard[0].skipped
        == "BTC-USD: a gap: 2 candles are missing after 2024-03-04T03:19Z, at most 0 in a row may be"
    )
    assert [voted.iteration for voted in evening.heard] == [1, 2, 3, 4]
    assert {line["asset"] for line in rows(evening.records()[VOTES])} == {"ETH-USD"}
    assert again(evening.events()).difference is None


def test_a_stale_asset_is_passed_over_with_its_age(tmp_path: Path) -> None:
    csv_of(tmp_path / "old", "BTC-USD", (60_000.0 for _ in range(242)))
    csv_of(tmp_path / "old", "ETH-USD", (3_000.0 for _ in range(300)))
    evening = Evening(folder=tmp_path, data=(tmp_path / "old",))
    evening.hold(9)
    skipped = [voted.skipped for voted in evening.heard if voted.skipped]
    assert skipped
    assert all(reason.startswith("BTC-USD: stale: the last candle closed ") for reason in skipped)
    assert all(voted.asset == "BTC-USD" for voted in evening.heard if voted.skipped)


def test_an_asker_that_raises_is_a_failed_answer_and_a_passed_over_iteration(tmp_path: Path, waves: Path) -> None:
    class Broken(Script):
        def ask(self, brief: Any, deadline: float, heard: Any = None) -> Any:
            raise RuntimeError("no chairs")

    evening = Evening(folder=tmp_path, data=(waves,), asker=Broken("HHHH"))
    assert evening.hold(2).exit_code == 0
    assert [voted.skipped for voted in evening.heard] == [
        f"{asset}: nobody could be asked: no chairs" for asset in ("BTC-USD", "ETH-USD")
    ]


def test_the_journal_replays_from_its_votes_alone(tmp_path: Path, waves: Path) -> None:
    evening = Evening(folder=tmp_path, data=(waves,))
    evening.hold(40)
    events = evening.events()
    done = again(events)
    assert done.difference is None
    assert done.cycles == 40
    assert done.orders > 0


def test_a_replay_names_what_of_an_iteration_does_not_follow(tmp_path: Path, waves: Path) -> None:
    evening = Evening(folder=tmp_path, data=(waves,), asker=Script("BBBH"))
    evening.hold(2)
    events = evening.events()
    place = next(n for n, event in enumerate(events) if isinstance(event.data, Voted))
    voted = events[place].data
    assert isinstance(voted, Voted)
    assert voted.consensus is not None
    spoilt: dict[str, Any] = {
        "consensus": replace(voted.consensus, choice=Choice.SELL),
        "brief": "0" * 64,
        "asset": "ETH-USD",
        "votes": tuple(replace(vote, vote=Choice.SELL) for vote in voted.votes),
        "iteration": voted.iteration + 1,
        "regime": "calm",
    }
    for field, value in spoilt.items():
        event = events[place]
        changed = [*events[:place], replace(event, data=replace(voted, **{field: value})), *events[place + 1 :]]
        found = again(changed).difference
        assert found is not None, field
        assert found.kind == "voted"
        assert found.where.split(".")[1].split("[")[0] == ("consensus" if field == "votes" else field)


def test_only_pairs_take_part(tmp_path: Path, waves: Path) -> None:
    with pytest.raises(BadConfig, match="'SPY' is no pair such as BTC-USD"):
        Evening(folder=tmp_path, data=(waves,), assets=("SPY",)).hold(1)


def test_longer_candles_than_were_recorded_are_refused(tmp_path: Path, waves: Path) -> None:
    told = settings()
    told = told.model_copy(update={"market": told.market.model_copy(update={"granularity": 300})})
    with pytest.raises(BadConfig, match="candles of 300 s are wanted, and those of BTC-USD are of 60 s"):
        Evening(folder=tmp_path, data=(waves,), told=told).hold(1)


def test_too_short_a_recording_is_refused(tmp_path: Path) -> None:
    csv_of(tmp_path / "short", "BTC-USD", (60_000 + sin(minute) for minute in range(239)))
    with pytest.raises(BadConfig, match="at no time 240 closed candles of each of BTC-USD"):
        Evening(folder=tmp_path, data=(tmp_path / "short",), assets=("BTC-USD",)).hold(1)


def test_a_second_process_is_kept_out(tmp_path: Path, waves: Path) -> None:
    def watch(_voted: Voted, _report: object) -> None:
        with pytest.raises(Barred, match="tournament"):
            Evening(folder=tmp_path, data=(waves,)).hold(1)

    Evening(folder=tmp_path, data=(waves,), watch=watch).hold(1)


def test_the_account_is_the_simulated_exchanges_whatever_is_configured(tmp_path: Path, waves: Path) -> None:
    evening = Evening(folder=tmp_path, data=(waves,))
    evening.hold(1)
    opened = next(event.data for event in evening.events() if isinstance(event.data, SegmentOpened))
    assert (opened.policy["broker"]["name"], opened.policy["mode"], opened.practice) == ("sim", "paper", False)


def test_the_daily_loss_halts_the_tournament(tmp_path: Path) -> None:
    """A gap through the stop loses more than 2% of the day's first equity: the kill latches, and once all is closed the run ends with 3."""
    told = settings()
    risk = told.risk.model_copy(
        update={"symbol_exposure": Decimal(1), "gross_exposure": Decimal(1), "order_notional": Decimal(95_000)}
    )
    told = told.model_copy(update={"risk": risk})
    closes = [60_000.0] * 243 + [54_000.0] * 20
    csv_of(tmp_path / "fall", "BTC-USD", closes)
    evening = Evening(folder=tmp_path, data=(tmp_path / "fall",), assets=("BTC-USD",), told=told, asker=Script("BBBB"))
    ending = evening.hold(12)
    assert ending.exit_code == 3
    assert "daily_loss" in ending.reason
    assert evening.arena is not None
    assert evening.arena.engine.ledger.equity is not None
    assert evening.arena.engine.ledger.equity < Decimal(98_000)


def test_votes_of_now_and_votes_that_are_read_again_make_the_same_bytes(tmp_path: Path, waves: Path) -> None:
    """A confidence of 1 and one of 1.0 are the same vote."""

    class Whole(ByCandle):
        def ask(self, brief: Any, deadline: float, heard: Any = None) -> Any:
            return tuple(replace(vote, confidence=1) for vote in super().ask(brief, deadline, heard))

    evening = Evening(folder=tmp_path, data=(waves,), asker=Whole("HHHH"))
    evening.hold(10)
    assert evening.arena is not None
    made = lines_of(read_journal(RealFiles(), evening.log_dir), evening.arena.run)
    assert dict(made) == evening.records()
