"""What makes no sense together is refused by name, with its file, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.making import make_bots
from hydra.bootstrap.plugs import naming, rule_book
from hydra.model.errors import BadConfig
from tests.bootstrap.test_config import PAPER_TEXT

OPTION = "[bots.option]                         # which contracts, and when they are closed"

# what is changed in the paper configuration, and what the refusal says
CONTRADICTIONS: list[tuple[str, str, str]] = [
    ("momentum = 0.25 ", "momentum = 0.26 ", "budgets: momentum, options and crypto add up to 1.01; at most 1"),
    ("stop_loss = 0.004 ", "stop_loss = 1 ", "bots (spy-trend).stop_loss: 1 below the entry is no price"),
    ("stop_loss = 0.004 ", "stop_loss = -0.1 ", "bots[0].stop_loss = -0.1: expected a number, above 0, at most 1"),
    (
        "shorts = false                        # it",
        "shorts = true # it",
        "bots (spy-trend): shorts = true needs risk.short = true",
    ),
    ('id = "spy-breakout"', 'id = "spy-trend"', "bots: the id 'spy-trend' is used 2 times; ids are unique"),
    ('signal = "breakout"', 'signal = "brakeout"', "bots (spy-breakout).signal: unknown name 'brakeout'; there are: br"),
    ('bot = "momentum"    ', 'bot = "momentun"    ', "bots (spy-trend).bot: unknown name 'momentun'; there are: cry"),
    ('"order_notional", ', '"order_nominal", ', "risk.rules: unknown name 'order_nominal'; there are: "),
    ('"stop_loss", "take_profit"', '"stop_los", "take_profit"', "risk.exits: unknown name 'stop_los'; there are: "),
    ('"profit_share", ', '"profit", ', "risk.option_exits: unknown name 'profit'; there are: "),
    ('"anomaly"]', '"anomalous"]', "risk.kills: unknown name 'anomalous'; there are: "),
    ('"price_sane",', '"price_sain",', "unknown name 'price_sain'; there are: "),
    ('kills = ["daily_loss", ', "kills = [", "risk.kills: daily_loss may not be left out"),
    ('"mode", "certificate", ', '"certificate", ', "health.gates: mode may not be left out"),
    ('"anomaly"]', '"anomaly", "drawdown"]', "risk.kills: drawdown is named twice"),
    ("kill_flattens = []", 'kill_flattens = ["panic"]', "risk: kill_flattens names panic, which kills does not name"),
    ("{ fast = 20, slow = 60 }", "{ fast = -20, slow = 60 }", "parameters of signal sma_cross: "),
    ("{ fast = 20, slow = 60 }", "{ fast = 60, slow = 20 }", "fast must be below slow, got fast 60, slow 20"),
    ("{ fast = 20, slow = 60 }", "{ fast = 20, slow = 60, slower = 90 }", "unknown parameter slower"),
    ("{ fast = 20, slow = 60 }", "{ fast = 20, slow = 600 }", "engine.window_bars keeps 120"),
    ("bars = 14 ", "bars = 200 ", "bots (aapl-trend).trailing.bars: needs 201 bars, engine.window_bars keeps 120"),
    ("amount = 0.02 ", "amount = 5 ", "bots[0].size: by risk, amount is a fraction of equity, at most 1, got 5 (bot spy-tr"),
    ('by = "notional", amount = 2500', 'by = "volatility", amount = 0.1, bars = 500', "bots (coins).size.bars: needs 501"),
    ('by = "notional", amount = 2500', 'by = "risk", amount = 0.01', "bots (coins): size: a crypto bot is sized in dollars"),
    ("window_bars = 120", "window_bars = 50", "bots (spy-trend).parameters: signal sma_cross needs 61 bars"),
    ('trade_end = "15:30"      ', 'trade_end = "09:00"      ', "bots[0].session: expected trade_start < trade_end"),
    (
        "break_even = 0.004  ",
        "break_even = 0.012  ",
        "bots[2]: break_even 0.012 is not below take_profit 0.012 (bot aapl-trend)",
    ),
    (
        'by = "chandelier"                     # what',
        'by = "percent" # what',
        "bots[2].trailing: by percent, distance is a fraction, below 1, got 4 (bot aapl-trend)",
    ),
    ("groups = {}", 'groups = { coins = ["BTC-USD", "LTC-USD"] } #', "risk.groups.coins: names LTC-USD, which no bot trades"),
    ("groups = {}", 'groups = { coins = ["BTC-USD", "BTC-USD"] } #', "risk.groups.coins: names BTC-USD twice"),
    ("groups = {}", 'groups = { coins = ["BTC-USD"] } #', "risk.groups.coins: names 1 symbols; a group is of at least 2"),
    ("groups = {}", 'groups = { coins = ["btc"] } #', "risk.groups.coins[0] = \"btc\": not a symbol: 'btc'"),
    ("groups = {}", "groups = 5", "risk.groups = 5: expected a table of lists of texts"),
    ("days_least = 7 ", "days_least = 70 ", "bots[3].option: days_least 70 is above days_most 35"),
    ("days_least = 7 ", "days_least = 1 ", "days_least 1 would be entered on the day it has to be closed"),
    ("width = 5  ", "# width = 5  ", "bots[3].option: width is needed for bull_put_spread"),
    ('"bull_put_spread"  ', '"long_straddle"  ', "bots[3].option: width means nothing for long_straddle"),
    ('"bull_put_spread"  ', '"bull_call_spread"  ', 'bots[3].option.structure = "bull_call_spread": expected one of'),
    (
        "size = { by = \"risk\", amount = 0.01 }",
        "size = { by = \"risk\", amount = 0.01 }\nstop_loss = 0.01",
        "bots[3]: stop_loss mean nothing for a bot with option",
    ),
    ("gross_exposure = 0.70", "gross_exposure = 1.5", "risk: gross_exposure 1.5 is above 1, which needs margin = true"),
    ('blackout_file = ""', 'blackout_file = "days.csv"', "risk.blackout_file: "),
    ('blackout_file = ""', "blackouts = []", "risk.blackouts: unknown key; did you mean blackout_file?"),
    ("rules = [", "rules = []\nunused = [", "risk.unused: unknown key"),
]  # fmt: skip


def _resolve(config: Path) -> None:
    policy = load_policy(config, {}, None)
    with naming(config):
        rule_book(policy)
        make_bots(policy)


@pytest.mark.parametrize(
    ("before", "after", "said"), CONTRADICTIONS, ids=[f"{n}-{row[1]:.30}" for n, row in enumerate(CONTRADICTIONS)]
)
def test_it_is_refused_with_its_file_and_its_key(tmp_path: Path, before: str, after: str, said: str) -> None:
    assert before in PAPER_TEXT
    config = tmp_path / "policy.toml"
    config.write_text(PAPER_TEXT.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(BadConfig) as caught:
        _resolve(config)
    message = str(caught.value)
    assert said in message
    assert all(line.startswith(f"{config}: ") for line in message.splitlines())


def test_no_rules_no_bots_no_entries(tmp_path: Path) -> None:
    config = tmp_path / "policy.toml"
    start = PAPER_TEXT.index("rules = [")
    end = PAPER_TEXT.index("]", start)
    config.write_text(f"{PAPER_TEXT[:start]}rules = [{PAPER_TEXT[end:]}", encoding="utf-8")
    with pytest.raises(BadConfig, match=r"risk\.rules: an empty rule book admits nothing"):
        _resolve(config)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("date,symbols,reason\n2025-13-01,,x\n", "days.csv, line 2: "),
        ("date,symbols,reason\n2025-01-06,spy,x\n", "days.csv, line 2: "),
        ("day,symbols\n", "days.csv, line 1: "),
    ],
)
def test_a_blackout_file_that_is_wrong_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    config = tmp_path / "policy.toml"
    config.write_text(PAPER_TEXT.replace('blackout_file = ""', 'blackout_file = "days.csv"'), encoding="utf-8")
    (tmp_path / "days.csv").write_text(text, encoding="utf-8")
    with pytest.raises(BadConfig) as caught:
        load_policy(config, {}, None)
    assert str(caught.value).startswith(f"{config}: risk.blackout_file: {tmp_path / 'days.csv'}")
    assert said in str(caught.value)


def test_a_blackout_file_belongs_to_the_policy_and_its_hash(tmp_path: Path) -> None:
    config = tmp_path / "policy.toml"
    config.write_text(PAPER_TEXT.replace('blackout_file = ""', 'blackout_file = "days.csv"'), encoding="utf-8")
    hashes = set()
    for day in ("2025-01-06", "2025-01-07"):
        (tmp_path / "days.csv").write_text(f"date,symbols,reason\n{day},SPY,x\n", encoding="utf-8")
        policy = load_policy(config, {}, None)
        assert [(one.day.isoformat(), one.symbols) for one in policy.risk.blackouts] == [(day, ("SPY",))]
        hashes.add(policy.hash)
    assert len(hashes) == 2
