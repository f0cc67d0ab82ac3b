"""Loading a policy: what is taken, what is refused, and in which words."""

from __future__ import annotations

import contextlib
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydra.bootstrap.config import PROBLEMS_MAX, load_policy
from hydra.bootstrap.environment import FILE_BYTES_MAX
from hydra.model.errors import BadConfig
from hydra.policy import Policy

ROOT = Path(__file__).parents[2]
PAPER = ROOT / "configs" / "paper.toml"
DEV = ROOT / "configs" / "dev.toml"
PAPER_TEXT = PAPER.read_text()


def loaded(path: Path, environ: dict[str, str] | None = None) -> Policy:
    return load_policy(path, environ or {}, env_file=None)


def refusal(path: Path, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(BadConfig) as caught:
        loaded(path, environ)
    return str(caught.value)


def edited(folder: Path, *changes: tuple[str, str]) -> Path:
    """The paper configuration with lines changed; ``changes`` are (start of a line, new line), the first match counts."""
    lines = PAPER_TEXT.splitlines()
    for start, new in changes:
        index = next(i for i, line in enumerate(lines) if line.startswith(start))
        lines[index] = new
    path = folder / "policy.toml"
    path.write_text("\n".join(lines))
    return path


def test_the_paper_configuration_loads() -> None:
    policy = loaded(PAPER)
    assert policy.mode == "paper"
    assert not policy.practice
    assert [bot.id for bot in policy.bots] == ["spy-trend", "spy-breakout", "aapl-trend", "spy-put-spread", "coins"]
    assert type(policy) is Policy


def test_the_dev_configuration_is_practice_and_says_so() -> None:
    policy = loaded(DEV)
    assert policy.practice
    assert policy.market.sessions == "always"
    assert "PRACTICE" in DEV.read_text().splitlines()[0]


def test_decimals_are_taken_as_written() -> None:
    policy = loaded(PAPER, {"HYDRA_RISK__DAILY_LOSS": "0.1", "HYDRA_BROKER__CRYPTO_FEE": "0.000000000000000001"})
    assert policy.risk.daily_loss == Decimal("0.1")
    assert str(policy.risk.daily_loss) == "0.1"
    assert policy.broker.crypto_fee == Decimal("0.000000000000000001")
    assert str(policy.broker.slippage) == "0.0001"


# (the line to change, what it becomes, what the refusal must say)
WRONG_VALUES = [
    ("daily_loss =", "daily_loss = -0.02", "risk.daily_loss = -0.02: expected a number, above 0, at most 1"),
    ("daily_loss =", "daily_loss = 0", "risk.daily_loss = 0: expected a number, above 0, at most 1"),
    ("daily_loss =", "daily_loss = nan", "risk.daily_loss = NaN: expected a number"),
    ("daily_loss =", "daily_loss = inf", "risk.daily_loss = Infinity: expected a number"),
    ("daily_loss =", "daily_loss = -inf", "risk.daily_loss = -Infinity: expected a number"),
    (
        "daily_loss =",
        'daily_loss = "0.02"',
        'risk.daily_loss = "0.02": expected a number, above 0, at most 1 (without quotes)',
    ),
    ("daily_loss =", "daily_loss = true", "risk.daily_loss = true: expected a number"),
    ("daily_loss =", "daily_loss = 1e-30", "(at most 18 decimals)"),
    ("daily_loss =", "daily_loss = []", "risk.daily_loss = []: expected a number"),
    ("daily_loss =", "daily_loss = {}", "risk.daily_loss = {}: expected a number"),
    ("order_notional =", "order_notional = 1e999999", "risk.order_notional = 1E+999999: expected a number"),
    ("order_notional =", "order_notional = 1e99999999999999999999", "number or date that cannot be"),
    ("order_notional =", "order_notional = " + "9" * 5000, "number or date that cannot be"),
    ("order_notional =", "order_notional = 0x" + "f" * 5000, "a number of 20000 bits: expected a number"),
    ("seed =", "seed = 7.5", "engine.seed = 7.5: expected a whole number"),
    ("seed =", "seed = -1", "engine.seed = -1: expected a whole number, at least 0"),
    ("seed =", "seed = 9223372036854775808", "engine.seed = 9223372036854775808: expected a whole number"),
    ("seed =", "seed = false", "engine.seed = false: expected a whole number"),
    ("bot_strikes =", "bot_strikes = 101", "engine.bot_strikes = 101: expected a whole number, 1 to 100"),
    (
        "interval_seconds =",
        "interval_seconds = 3601",
        "engine.interval_seconds = 3601: expected a number, above 0, at most 3600",
    ),
    ("host =", 'host = "thread"', 'isolation.host = "thread": expected one of "process", "inline"'),
    ("host =", "host = true", 'isolation.host = true: expected one of "process", "inline" (in quotes)'),
    ("host =", 'hosts = "inline"', "isolation.hosts: unknown key; did you mean host?"),
    ("guards =", 'guards = "none"', 'isolation.guards = "none": expected one of "offered", "required"'),
    ("memory_mb =", "memory_mb = 15", "isolation.memory_mb = 15: expected a whole number, 16 to 65536"),
    ("memory_mb =", "memory_mb = 0.5", "isolation.memory_mb = 0.5: expected a whole number, 16 to 65536"),
    ("memory_mb =", "memory_mb = -512", "isolation.memory_mb = -512: expected a whole number, 16 to 65536"),
    ("start_seconds =", "start_seconds = 0", "isolation.start_seconds = 0: expected a number, above 0, at most 600"),
    ("start_seconds =", "start_seconds = inf", "isolation.start_seconds = Infinity: expected a number"),
    ("mode =", 'mode = "demo"', 'mode = "demo": expected one of "paper", "live"'),
    ("mode =", "mode = 1", 'mode = 1: expected one of "paper", "live" (in quotes)'),
    ("mode =", 'mode = "live"', "mode: 'live' needs a real broker"),
    ("practice =", "practice = 1", "practice = 1: expected true or false"),
    ("practice =", 'practice = "true"', 'practice = "true": expected true or false (without quotes)'),
    ("sessions =", 'sessions = "always"', "market.sessions: 'always' needs practice = true"),
    ("sessions =", 'sessions = "nights"', 'market.sessions = "nights": expected one of "exchange", "always"'),
    (
        "start =",
        'start = "2025-01-06"',
        "expected a date such as 2025-01-06, 1990-01-01 to 2099-12-31 (without quotes)",
    ),
    ("start =", "start = 2025-01-06T00:00:00", "market.start = 2025-01-06 00:00:00: expected a date"),
    ("start =", "start = 1815-06-18", "market.start = 1815-06-18: expected a date"),
    ("start =", "start = 2025-02-30", "policy.toml: not TOML"),
    ("speed =", "speed = 60", "market.speed = 60: expected text, max, or a number above 0 (in quotes)"),
    ("speed =", 'speed = "0"', "a market at speed 0 never moves"),
    ("speed =", 'speed = "-1"', 'market.speed = "-1": expected text, max, or a number above 0'),
    ("speed =", 'speed = "٣"', "market.speed ="),
    ("name =", 'name = "Sim Broker"', 'broker.name = "Sim Broker": expected text, lower-case letters'),
    ("name =", 'name = "alpaca"\npractice = true', "broker.practice: unknown key; did you mean practice?"),
    ("kill_flattens =", 'kill_flattens = "drawdown"', "(in square brackets)"),
    ("kill_flattens =", "kill_flattens = [1]", "risk.kill_flattens = [1]: expected a list of texts"),
    (
        "kill_flattens =",
        'kill_flattens = ["Stop"]',
        'risk.kill_flattens[0] = "Stop": expected a list of texts, lower-case letters',
    ),
    ("risk_per_trade =", "risk_per_trade = 0.03", "risk: risk_per_trade 0.03 is above risk_per_trade_cap 0.02"),
    ("crypto =", "crypto = 0.26", "budgets: momentum, options and crypto add up to 1.01; at most 1 is accepted"),
    ("crypto =", "crypto = 25", "budgets.crypto = 25: expected a number, 0 to 1"),
    ("bot_minimum =", "bot_minimum = 0.6", "budgets: bot_minimum 0.6 is above bot_maximum 0.5"),
    (
        "stop_loss =",
        "stop_loss = 1.5",
        "bots[0].stop_loss = 1.5: expected a number, above 0, at most 1 (bot spy-trend)",
    ),
    ("id =", 'id = "aapl-trend"', "bots: the id 'aapl-trend' is used 2 times; ids are unique"),
    ("id =", 'id = "Spy Trend"', 'bots[0].id = "Spy Trend": expected text, lower-case letters'),
    ("id =", "", "bots[0].id is missing: expected text, lower-case letters"),
    ("symbols =", "symbols = []", "bots[0].symbols = []: expected a list of texts, 1 to 50 of them"),
    ("symbols =", 'symbols = ["spy"]', "bots[0].symbols[0] = \"spy\": not a symbol: 'spy' (expected like SPY"),
    ("symbols =", 'symbols = ["SPY", "SPY"]', "bots[0]: symbols names one twice: SPY, SPY (bot spy-trend)"),
    ("bucket =", 'bucket = "crypto"', "bots[0]: a bot in the crypto bucket trades pairs such as BTC-USD, got SPY"),
    ("bucket =", 'bucket = "bonds"', 'bots[0].bucket = "bonds": expected one of "momentum", "options", "crypto"'),
    (
        "trade_end =",
        'trade_end = "25:00"',
        'bots[0].session.trade_end = "25:00": expected text, hh:mm, 00:00 to 23:59 (bot spy-trend)',
    ),
    ("trade_end =", 'trade_end = "0٣:30"', "bots[0].session.trade_end ="),
    ("trade_end =", "trade_end = 15:30:00", "bots[0].session.trade_end = "),
    (
        "trade_end =",
        'trade_end = "09:00"',
        "bots[0].session: expected trade_start < trade_end <= manage_until, got 09:35, 09:00, 15:55 (bot spy-trend)",
    ),
    ("manage_until =", 'manage_until = "15:00"', "bots[0].session: expected trade_start < trade_end <= manage_until"),
    ("parameters =", "parameters = { fast = nan }", "bots[0].parameters ="),
    ("parameters =", "parameters = { fast = [1] }", "bots[0].parameters = "),
    ("parameters =", "parameters = 3", "bots[0].parameters = 3: expected a table"),
    ("url =", 'url = "mongodb://host"', "store.url: the address must begin with one of sqlite, postgresql"),
    ("[certificate]", "[certificat]", "certificate is missing: expected a table [certificate] with minutes"),
    ("[certificate]", "[certificat]", "certificat: unknown key; did you mean certificate?"),
    ("minutes =", "minute = 15", "certificate.minutes is missing: expected a whole number, 1 to 1440"),
    ("minutes =", "minute = 15", "certificate.minute: unknown key; did you mean minutes?"),
    ("minutes =", "minutes = 15\ndaily_loss = 1", "certificate.daily_loss: unknown key; did you mean risk.daily_loss?"),
    ("minutes =", "minutes = 15\nMinutes = 15", "certificate.Minutes: unknown key; did you mean minutes?"),
    ("minutes =", 'minutes = 15\n"\\u001b[31m" = 15', 'certificate."\\u001b[31m": unknown key; known here: minutes'),
    ("minutes =", "minutes = 15\nminutes = 16", "not TOML: Cannot overwrite a value (at line"),
    ("minutes =", "minutes = ", "not TOML: Invalid value (at line"),
    ("minutes =", "minutes = " + "[" * 100_000, "nested too deeply"),
]


@pytest.mark.parametrize(("start", "line", "said"), WRONG_VALUES, ids=[f"{line:.40}" for _, line, _ in WRONG_VALUES])
def test_a_wrong_value_is_refused_with_file_key_value_and_what_is_accepted(
    tmp_path: Path, start: str, line: str, said: str
) -> None:
    path = edited(tmp_path, (start, line))
    message = refusal(path)
    assert said in message
    assert all(told.startswith(str(path)) for told in message.splitlines())


def test_every_problem_is_told_once_and_on_a_line_of_its_own(tmp_path: Path) -> None:
    path = edited(
        tmp_path,
        ("daily_loss =", "daily_loss = 2"),
        ("seed =", 'seed = "x"'),
        ("minutes =", "minute = 1"),
        ("url =", ""),
    )
    lines = refusal(path).splitlines()
    keys = sorted(re.sub(r"[ :].*", "", line.removeprefix(f"{path}: ")) for line in lines)
    assert keys == ["certificate.minute", "certificate.minutes", "engine.seed", "risk.daily_loss", "store.url"]


def test_a_flood_of_problems_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(PAPER_TEXT + "\n" + "\n".join(f"wrong_{number} = 1" for number in range(1000)))
    lines = refusal(path).splitlines()
    assert len(lines) == PROBLEMS_MAX + 1
    assert lines[-1].endswith("more problems")


def test_the_value_of_an_unknown_key_is_not_shown(tmp_path: Path) -> None:
    path = edited(tmp_path, ("mode =", 'mode = "paper"\nsecret_key = "wJalrXUtnFEMI"'))
    assert "secret_key: unknown key" in refusal(path)
    assert "wJalr" not in refusal(path)


@pytest.mark.parametrize(
    "url", ["postgresql://me:geheim@host/db", "postgresql://host/db?password=geheim", "//a:geheim@[/"]
)
def test_a_database_address_with_a_password_is_refused_and_not_shown(tmp_path: Path, url: str) -> None:
    message = refusal(edited(tmp_path, ("url =", f'url = "{url}"')))
    assert "store.url" in message
    assert "geheim" not in message


WRONG_TABLES = [
    ("risk = 5", "risk: expected a table [risk] with rules, "),
    ("bots = 5", "bots: expected a list of tables, each headed [[bots]]"),
    ("bots = [5]", "bots[0]: expected a table [[bots]] with id, "),
    ("bots = {}", "bots: expected a list of tables"),
    ("[[risk]]", "risk: expected a table [risk]"),
    (
        "[[bots]]\nsession = 5",
        "bots[0].session: expected a table [bots.session] with trade_start, trade_end, manage_until",
    ),
    ("# nothing", "engine is missing: expected a table [engine] with seed, "),
    ("# nothing", "bots is missing: expected a list of tables, each headed [[bots]]"),
]


@pytest.mark.parametrize(("text", "said"), WRONG_TABLES)
def test_a_value_where_a_table_belongs_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    assert said in refusal(path)


def test_a_missing_file_a_folder_and_other_things_are_refused_by_name(tmp_path: Path) -> None:
    absent = tmp_path / "absent.toml"
    assert refusal(absent) == f"{absent}: no such file"
    assert refusal(tmp_path) == f"{tmp_path}: a folder; expected a text file"
    assert "not a regular file" in refusal(Path("/dev/zero"))
    assert "cannot be read" in refusal(tmp_path / ("x" * 5000))
    assert "cannot be read" in refusal(tmp_path / "nul\0byte")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty; expected a configuration"),
        (b" \n\t\n", "empty; expected a configuration"),
        (b"\x89PNG\r\n\x1a\n\xff", "not text: byte 0 is not UTF-8"),
        (b"\0\0\0", "not TOML"),
        (b"mode = \n", "not TOML: Invalid value (at line 1, column 8)"),
        (b"#" * (FILE_BYTES_MAX + 1), f"larger than {FILE_BYTES_MAX} bytes"),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(data)
    message = refusal(path)
    assert message.startswith(f"{path}: ")
    assert said in message


def test_a_file_from_another_system_is_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(b"\xef\xbb\xbf" + PAPER_TEXT.replace("\n", "\r\n").encode())
    assert loaded(path).hash == loaded(PAPER).hash


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_damaged_configuration_is_refused_or_read_but_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(PAPER_TEXT) - 1))
    length = data.draw(st.integers(0, 40))
    path = tmp_path_factory.mktemp("damaged") / "policy.toml"
    noise = data.draw(st.text(max_size=10))
    path.write_text(PAPER_TEXT[:start] + noise + PAPER_TEXT[start + length :], encoding="utf-8", errors="replace")
    with contextlib.suppress(BadConfig):
        assert loaded(path).hash


def test_the_hash_is_stable_over_order_comments_spelling_and_origin(tmp_path: Path) -> None:
    expected = loaded(PAPER).hash
    lines = [line for line in PAPER_TEXT.splitlines() if not line.startswith("#")]
    risk = lines.index(next(line for line in lines if line.startswith("daily_loss")))
    lines[risk], lines[risk + 1] = lines[risk + 1], lines[risk].replace("0.02", "0.020")
    path = tmp_path / "policy.toml"
    path.write_text("\n".join(lines))
    assert loaded(path).hash == expected
    assert loaded(PAPER, {"HYDRA_RISK__DAILY_LOSS": "2e-2", "HYDRA_ENGINE__SEED": "2"}).hash == expected
    assert loaded(PAPER, {"HYDRA_BROKER__COMMISSION_PER_SHARE": "-0.0"}).hash == expected
    assert loaded(edited(tmp_path, ("starting_cash", "starting_cash = 100_000.00"))).hash == expected


def test_the_hash_changes_with_any_value() -> None:
    changes = {
        "HYDRA_PRACTICE": "true",
        "HYDRA_BROKER__STARTING_CASH": "100000.01",
        "HYDRA_MARKET__START": "2025-01-07",
        "HYDRA_ENGINE__SEED": "8",
        "HYDRA_HEALTH__GATES": '["mode"]',
        "HYDRA_RISK__DAILY_LOSS": "0.020000000000000001",
        "HYDRA_JOURNAL__COMPRESS": "false",
        "HYDRA_STORE__URL": "sqlite:///other.db",
        "HYDRA_BOTS__SPY_TREND__TAKE_PROFIT": "",
        "HYDRA_BOTS__SPY_TREND__PARAMETERS__FAST": "11",
        "HYDRA_BOTS__SPY_TREND__SESSION__TRADE_START": "09:36",
    }
    hashes = {loaded(PAPER).hash} | {loaded(PAPER, {name: value}).hash for name, value in changes.items()}
    assert len(hashes) == len(changes) + 1
