"""The world of a user's policy: its bots, its contracts, its account, its hours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hydra.adapters.exchange.model import FeeSchedule
from hydra.bootstrap.rehearsal import cast, world
from hydra.model.errors import BadConfig
from hydra.model.market import AssetClass, OptionContract
from hydra.policy import Policy, minute_of
from hydra.qc.rehearsal.hours import EARLY
from hydra.qc.rehearsal.play import played
from tests.qc.rehearsal.stages import SEED, case_of, eager, paper, with_bots

STRADDLE: dict[str, Any] = {
    "id": "straddle",
    "bot": "options",
    "enabled": True,
    "bucket": "options",
    "symbols": ["AAPL"],
    "trades_per_day": 2,
    "positions": 1,
    "size": {"by": "risk", "amount": 0.01},
    "session": {"trade_start": "09:45", "trade_end": "14:30", "manage_until": "15:50"},
    "option": {"structure": "long_straddle", "days_least": 14, "days_most": 45, "delta_band": 0.2, "profit_share": 0.3},
}
COINS: dict[str, Any] = {
    "id": "doge",
    "bot": "crypto",
    "enabled": True,
    "bucket": "crypto",
    "symbols": ["DOGE-USD"],
    "trades_per_day": 9,
    "positions": 1,
    "stop_loss": 0.02,
    "size": {"by": "notional", "amount": 500},
    "entry": {"type": "limit", "slippage": 0.001, "spread": 0.01, "seconds": 120},
    "signal": "rate_of_change",
    "parameters": {"lookback": 10, "window": 30, "threshold": 1.5},
}
CONDOR = STRADDLE | {
    "id": "condor",
    "symbols": ["QQQ"],
    "option": {
        "structure": "iron_condor",
        "days_least": 7,
        "days_most": 30,
        "width": 10,
        "delta": 0.25,
        "delta_band": 0.15,
    },
}
POLICIES: dict[str, Policy] = {
    "pairs only": with_bots(COINS, "coins"),
    "practice": with_bots("spy-breakout", "coins", market={"sessions": "always"}, practice=True),
    "contracts": with_bots(STRADDLE, CONDOR),
    "a foreign bot, at Alpaca": with_bots(eager(), broker={"account": "alpaca", "starting_cash": 20_000}),
}


def test_nothing_in_the_policy_is_changed() -> None:
    assert world(paper(), SEED, 1).policy == paper()


@pytest.mark.parametrize("number", range(1, 13))
def test_contracts_are_such_as_the_bots_may_enter_on_every_day_of_a_voyage(number: int) -> None:
    made = world(paper(), SEED, number)
    option = next(bot.option for bot in made.policy.bots if bot.option is not None)
    contracts = [OptionContract.parse(symbol) for symbol in made.contracts]
    days = sorted({(one.expiry - made.starts_at.date()).days for one in contracts})
    assert 8 <= len(contracts) <= 60
    assert option.days_least + 3 <= days[0] <= days[-1] <= option.days_most
    price = made.prices["SPY"]
    strikes = {one.strike for one in contracts}
    assert option.width is not None
    assert any(strike + option.width in strikes and 0.9 * float(price) < strike < price for strike in strikes)


def test_voyages_begin_within_the_day_of_each_bot_and_on_days_that_end_early_too() -> None:
    for made in (world(paper(), SEED, number) for number in range(1, 60)):
        local = made.calendar.sessions(made.starts_at)
        shares = local.by_class[AssetClass.EQUITY]
        assert shares.open or local.minute >= minute_of("09:33")
        assert shares.closes_at is not None
        assert (shares.closes_at - made.starts_at).days == 0
    days = [world(paper(), SEED, number).starts_at.date() for number in range(1, 60)]
    assert set(days) & EARLY


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_a_policy_of_each_kind_is_rehearsed_and_its_bots_trade(name: str) -> None:
    trades: dict[str, int] = {}
    for number in (6, 2):
        found = played(case_of(POLICIES[name], number, 250), number)
        assert found.problems == []
        for place, many in found.tally["trades"].items():
            trades[place] = trades.get(place, 0) + many
        if any(place.endswith(" / entry") for place in trades):
            return
    assert any(place.endswith(" / entry") for place in trades), trades


def test_a_policy_of_alpacas_is_rehearsed_in_an_account_as_at_alpaca() -> None:
    house = {"broker": {"name": "alpaca"}, "market": {"name": "alpaca"}, "engine": {"unknown_grace_seconds": 20}}
    policy = with_bots("spy-trend", **house)
    assert world(policy, SEED, 1).account.fees is FeeSchedule.ALPACA
    assert world(paper(), SEED, 1).account.fees is FeeSchedule.FLAT


def test_a_bot_that_cannot_be_made_is_left_out_and_said_so(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("def make(setting):\n    raise RuntimeError('not today')\n")
    policy = with_bots("spy-trend", eager() | {"id": "broken", "bot": f"{broken}:make"})
    made = world(policy, SEED, 1)
    assert "not today" in made.notes[0]
    assert "broken" in made.notes[0]
    assert set(cast(made).bots) == {"spy-trend"}
    with pytest.raises(BadConfig, match="no bot can be made"):
        world(with_bots(eager() | {"bot": f"{broken}:make"}), SEED, 1)


def test_without_a_bot_there_is_nothing_to_rehearse() -> None:
    known = with_bots("spy-trend").bots[0]
    policy = paper().model_copy(update={"bots": (known.model_copy(update={"enabled": False}),)})
    with pytest.raises(BadConfig, match="nothing to rehearse"):
        world(policy, SEED, 1)
