"""Variables over the file, the ``.env`` beneath them, and the secrets."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.environment import load_secrets, read_environment
from hydra.model.errors import BadConfig
from tests.bootstrap.test_config import PAPER, edited, loaded, refusal

SECRET = "correct-horse-battery-staple"


def test_a_variable_overrides_each_kind_of_key() -> None:
    policy = loaded(
        PAPER,
        {
            "HYDRA_MODE": "paper",
            "HYDRA_PRACTICE": "TRUE",
            "HYDRA_RISK__DAILY_LOSS": "0.01",
            "HYDRA_ENGINE__SEED": "3",
            "HYDRA_MARKET__START": "2025-03-03",
            "HYDRA_RISK__RULES": '["drawdown"]',
            "HYDRA_BOTS__SPY_TREND__ENABLED": "false",
            "HYDRA_BOTS__SPY_TREND__SYMBOLS": '["QQQ", "IWM"]',
            "HYDRA_BOTS__AAPL_TREND__SESSION__TRADE_END": "12:00",
            "HYDRA_BOTS__AAPL_TREND__TIME_STOP_MINUTES": "",
            "HYDRA_BOTS__AAPL_TREND__PARAMETERS": '{"fast": 5, "slow": 0.5, "kind": "a", "on": true}',
            "HYDRA_BOTS__SPY_BREAKOUT__PARAMETERS__LOOKBACK": "12.5",
            "PATH": "/bin",
            "hydra_risk__daily_loss": "9",
        },
    )
    assert policy.practice
    assert policy.risk.daily_loss == Decimal("0.01")
    assert policy.risk.rules == ("drawdown",)
    assert policy.engine.seed == 3
    assert policy.market.start.isoformat() == "2025-03-03"
    assert [bot.enabled for bot in policy.bots] == [False, True, True, True, True]
    assert policy.bots[0].symbols == ("QQQ", "IWM")
    assert policy.bots[0].parameters == {"fast": 20, "slow": 60}
    assert policy.bots[1].parameters == {"lookback": 12.5}
    assert policy.bots[2].parameters == {"fast": 5, "slow": 0.5, "kind": "a", "on": True}
    assert policy.bots[2].session is not None
    assert policy.bots[2].session.trade_end == "12:00"
    assert policy.bots[2].session.trade_start == "09:35"
    assert policy.bots[2].time_stop_minutes is None


def test_an_entry_is_laid_over_its_table_of_parameters() -> None:
    environ = {
        "HYDRA_BOTS__SPY_TREND__PARAMETERS": '{"fast": 1, "slow": 2}',
        "HYDRA_BOTS__SPY_TREND__PARAMETERS__SLOW": "3",
    }
    assert loaded(PAPER, environ).bots[0].parameters == {"fast": 1, "slow": 3}


# (variable, value, what the refusal must say after the variable's name)
WRONG_VARIABLES = [
    ("HYDRA_RISK__DAILY_LOS", "0.01", "no key of the configuration; did you mean HYDRA_RISK__DAILY_LOSS?"),
    ("HYDRA_RISK__daily_loss", "0.01", "no key of the configuration"),
    ("HYDRA_DAILY_LOSS", "0.01", "no key of the configuration"),
    ("HYDRA_FULL_ERROR", "1", "no key of the configuration; "),
    ("HYDRA_", "1", "no key of the configuration; "),
    ("HYDRA_STATEDIR", "x", "no key of the configuration; did you mean HYDRA_STATE_DIR?"),
    ("HYDRA_BOTS__SPY_TRND__ENABLED", "false", "did you mean HYDRA_BOTS__SPY_TREND__ENABLED?"),
    ("HYDRA_BOTS__SPY_TREND__PARAMETERS__FASTER", "5", "did you mean HYDRA_BOTS__SPY_TREND__PARAMETERS__FAST?"),
    ("HYDRA_BOTS__SPY_TREND__ID", "x", "no key of the configuration"),
    ("HYDRA_RISK", "{}", "names a table; set one key of it, such as HYDRA_RISK__RULES"),
    ("HYDRA_BOTS", "[]", "names a table; set one key of it, such as HYDRA_BOTS__SPY_TREND__"),
    ("HYDRA_RISK__DAILY_LOSS", "3", "risk.daily_loss = 3: expected a number, above 0, at most 1"),
    ("HYDRA_RISK__DAILY_LOSS", "two", 'risk.daily_loss = "two": expected a number, above 0, at most 1'),
    ("HYDRA_RISK__DAILY_LOSS", "", 'risk.daily_loss = "": expected a number'),
    ("HYDRA_RISK__DAILY_LOSS", "nan", "risk.daily_loss = NaN: expected a number"),
    ("HYDRA_RISK__DAILY_LOSS", "1e-400", "risk.daily_loss = 1E-400: expected a number"),
    ("HYDRA_ENGINE__SEED", "1.0", 'engine.seed = "1.0": expected a whole number'),
    ("HYDRA_ENGINE__SEED", "9" * 5000, "engine.seed = "),
    ("HYDRA_PRACTICE", "yes", 'practice = "yes": expected true or false'),
    ("HYDRA_MODE", "Live", 'mode = "Live": expected one of "paper", "live"'),
    ("HYDRA_MARKET__START", "tomorrow", 'market.start = "tomorrow": expected a date such as 2025-01-06'),
    ("HYDRA_RISK__RULES", "drawdown", 'risk.rules = "drawdown": expected a list of texts'),
    ("HYDRA_RISK__RULES", "[" * 100_000, "risk.rules = "),
    ("HYDRA_BOTS__SPY_TREND__SYMBOLS", '["spy"]', "bots[0].symbols[0] = \"spy\": not a symbol: 'spy'"),
    ("HYDRA_BOTS__SPY_TREND__PARAMETERS__FAST", "nan", "bots[0].parameters.fast = "),
    ("HYDRA_BOTS__SPY_TREND__PARAMETERS__FAST", "true", "bots[0].parameters.fast = true"),
    (
        "HYDRA_BOTS__SPY_TREND__STOP_LOSS",
        "1.5",
        "bots[0].stop_loss = 1.5: expected a number, above 0, at most 1 (bot spy-trend)",
    ),
]


@pytest.mark.parametrize(("name", "value", "said"), WRONG_VARIABLES, ids=[f"{n}={v:.9}" for n, v, _ in WRONG_VARIABLES])
def test_a_wrong_variable_is_refused_by_name(name: str, value: str, said: str) -> None:
    (line,) = refusal(PAPER, {name: value}).splitlines()
    assert line.startswith(f"{name}: ")
    assert said in line


def test_a_variable_with_control_characters_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in refusal(PAPER, {"HYDRA_\x1b[31m": "1"})


def test_a_contradiction_names_the_file_and_the_variable_that_took_part() -> None:
    message = refusal(PAPER, {"HYDRA_BUDGETS__CRYPTO": "0.5"})
    assert message.startswith(
        f"{PAPER} with HYDRA_BUDGETS__CRYPTO: budgets: momentum, options and crypto add up to 1.25"
    )
    message = refusal(PAPER, {"HYDRA_MODE": "live", "HYDRA_ENGINE__SEED": "1"})
    assert message.startswith(f"{PAPER} with HYDRA_MODE: mode: 'live' needs a real broker")


def test_a_variable_mends_what_the_file_has_wrong(tmp_path: Path) -> None:
    path = edited(tmp_path, ("daily_loss =", 'daily_loss = "much"'))
    assert loaded(path, {"HYDRA_RISK__DAILY_LOSS": "0.02"}).hash == loaded(PAPER).hash


def test_two_bots_that_are_spelled_alike_cannot_be_told_apart_by_a_variable(tmp_path: Path) -> None:
    path = edited(tmp_path, ('id = "spy-breakout"', 'id = "spy_trend"'))
    assert loaded(path).bots[1].id == "spy_trend"
    assert "stands for several bots" in refusal(path, {"HYDRA_BOTS__SPY_TREND__ENABLED": "false"})


def test_variables_for_bots_of_a_broken_list_do_not_crash(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    for text in ("bots = 5", "bots = [5, {id = 5}]", '[[bots]]\nid = "a"\nsession = 5\nparameters = 5'):
        path.write_text(text)
        message = refusal(path, {"HYDRA_BOTS__A__SESSION__TRADE_END": "12:00", "HYDRA_BOTS__A__ENABLED": "true"})
        assert "bots" in message


def test_reserved_variables_are_no_overrides() -> None:
    reserved = {
        "HYDRA_CONFIG": "x",
        "HYDRA_STATE_DIR": "x",
        "HYDRA_LOG_DIR": "x",
        "HYDRA_ARM_LIVE": "x",
        "HYDRA_JOURNAL_KEY": SECRET,
        "HYDRA_ALPACA__URL": "x",
        "HYDRA_ALPACA__DATA_URL": "x",
        "HYDRA_ALPACA__KEY": "x",
        "HYDRA_ALPACA__SECRET": "x",
    }
    assert loaded(PAPER, reserved).hash == loaded(PAPER).hash


def test_beside_the_four_of_the_account_every_variable_of_alpaca_is_a_key() -> None:
    environ = {"HYDRA_ALPACA__STREAM": "false", "HYDRA_ALPACA__REQUESTS_PER_MINUTE": "100"}
    alpaca = loaded(PAPER, environ).alpaca
    assert (alpaca.stream, alpaca.requests_per_minute) == (False, 100)


@pytest.mark.parametrize("name", ["HYDRA_ALPACA__SECRT", "HYDRA_ALPACA__SECRETS", "HYDRA_ALPACA_SECRET"])
def test_a_misspelt_secret_is_refused_without_its_value(name: str) -> None:
    message = refusal(PAPER, {name: SECRET})
    assert "did you mean HYDRA_ALPACA__SECRET?" in message
    assert SECRET not in message


def test_an_env_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(
        "# comment\nexport HYDRA_ENGINE__SEED=3 # why\nHYDRA_RISK__DAILY_LOSS='0.01'\n"
        'HYDRA_RISK__RULES=["drawdown"]\nOTHER=${HOME}\nOTHER=2\nODD\n\n'
    )
    policy = load_policy(PAPER, {"HYDRA_RISK__DAILY_LOSS": "0.03"}, env_file)
    assert policy.engine.seed == 3
    assert policy.risk.rules == ("drawdown",)
    assert policy.risk.daily_loss == Decimal("0.03")


def test_a_wrong_value_from_an_env_file_names_variable_and_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("HYDRA_ENGINE__SEED=-3\nHYDRA_ENGIN__SEED=1")
    with pytest.raises(BadConfig) as caught:
        load_policy(PAPER, {}, env_file)
    lines = str(caught.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        f"HYDRA_ENGIN__SEED in {env_file}",
        f"HYDRA_ENGINE__SEED in {env_file}",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"HYDRA_JOURNAL_KEY='{SECRET}\n", ":1: expected NAME=value, with quotes closed"),
        (f"\nHYDRA_JOURNAL_KEY {SECRET}", ":2: expected NAME=value"),
        ("HYDRA_JOURNAL_KEY\n", ":1: expected NAME=value"),
        (f"HYDRA_JOURNAL_KEY={SECRET}\nHYDRA_JOURNAL_KEY={SECRET}2\n", "HYDRA_JOURNAL_KEY is set 2 times"),
        ("HYDRA_ARM_LIVE=123\n", "HYDRA_ARM_LIVE is accepted from the environment only"),
    ],
)
def test_an_env_file_that_cannot_be_read_is_refused_without_its_values(tmp_path: Path, text: str, said: str) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(text)
    with pytest.raises(BadConfig) as caught:
        read_environment({}, env_file)
    assert str(env_file) in str(caught.value)
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


def test_an_env_file_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="a folder; expected a text file"):
        read_environment({}, tmp_path)


def test_a_missing_env_file_is_no_env_file(tmp_path: Path) -> None:
    assert read_environment({"HYDRA_MODE": "paper"}, tmp_path / ".env").variables == {"HYDRA_MODE": "paper"}


def test_the_journal_key_is_a_secret_from_the_environment_or_the_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(f"HYDRA_JOURNAL_KEY={SECRET}${{HOME}}\n")
    assert load_secrets({}, None).journal_key is None
    key = load_secrets({}, env_file).journal_key
    assert key is not None
    assert key.get_secret_value() == SECRET + "${HOME}"
    key = load_secrets({"HYDRA_JOURNAL_KEY": SECRET}, env_file).journal_key
    assert key is not None
    assert key.get_secret_value() == SECRET
    assert SECRET not in repr(load_secrets({"HYDRA_JOURNAL_KEY": SECRET}, None))


@pytest.mark.parametrize("key", ["", "short-key", "long-key" * 200])
def test_a_journal_key_of_a_wrong_length_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(BadConfig, match=r"HYDRA_JOURNAL_KEY: .*expected 16 to 1024 characters") as caught:
        load_secrets({"HYDRA_JOURNAL_KEY": key}, None)
    assert not key or key not in str(caught.value)
    assert caught.value.__cause__ is None


def test_nothing_is_read_from_the_process_but_what_is_handed_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in {
        "HYDRA_ENGINE__SEED": "99",
        "MODE": "live",
        "journal_key": SECRET,
        "JOURNAL_KEY": SECRET,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    assert load_policy(PAPER, {}).engine.seed == 2
    assert load_secrets({}).journal_key is None


def test_importing_reads_no_environment() -> None:
    code = (
        "import os\n"
        "class Watched(dict):\n"
        "    def get(self, name, default=None):\n"
        "        assert not str(name).upper().startswith('HYDRA'), name\n"
        "        return super().get(name, default)\n"
        "    __getitem__ = get\n"
        "os.environ = Watched(os.environ)\n"
        "import hydra.bootstrap.config, hydra.bootstrap.template\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=PAPER.parents[1])
