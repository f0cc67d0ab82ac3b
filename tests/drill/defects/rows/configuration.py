"""A configuration that cannot be meant. `qc` and `run` end with 2, and nobody at the venue hears of it."""

from __future__ import annotations

from collections.abc import Callable

from tests.drill.defects.defect import Act, Defect
from tests.drill.defects.stage import Stage

TWO = frozenset({2})
ALPACA = 'name = "alpaca"'


def refused(name: str, planted: str, plant: Act, reason: str, check: str = "configuration") -> Defect:
    """A row of this file."""
    return Defect(
        name=name,
        planted=planted,
        plant=plant,
        check=check,
        reason=reason,
        mended="the configuration as it was",
        qc=2,
        run=TWO,
    )


def key(name: str, key: str, value: str, reason: str) -> Defect:
    """A key with a value that cannot be."""
    return refused(name, f"`{key} = {value}`", lambda stage: stage.set(key, value), reason)


def appended(text: str) -> Callable[[Stage], None]:
    """The configuration with this at its end."""
    return lambda stage: stage.append(stage.config, text)


def binary(stage: Stage) -> None:
    """No text at all."""
    stage.write(stage.config, bytes(range(256)) * 8)


def gone(stage: Stage) -> None:
    """No file."""
    stage.keep(stage.config).unlink()


def a_folder(stage: Stage) -> None:
    """A folder where the file was."""
    stage.keep(stage.config).unlink()
    stage.config.mkdir()


def nobody(stage: Stage) -> None:
    """Every bot switched off."""
    stage.write(stage.config, stage.config.read_text().replace("enabled = true", "enabled = false"))


def bot_of(stage: Stage, code: str) -> None:
    """The first bot's code in a file of its own."""
    stage.write(stage.config.parent / "bots" / "planted.py", code)
    stage.edit(stage.config, 'bot = "momentum" ', 'bot = "bots/planted.py:make" ')
    text = stage.config.read_text().replace('signal = "sma_cross" ', "#", 1)
    stage.write(stage.config, text.replace("parameters = { fast = 20, slow = 60 } ", "#", 1))


ROWS = (
    key("a negative limit", "daily_loss", "-0.02", r"risk\.daily_loss = -0\.02: expected .* above 0"),
    key("a limit that is no number", "drawdown", "nan", r"risk\.drawdown = NaN: expected a number"),
    key("a limit without end", "order_notional", "inf", r"risk\.order_notional = Infinity: expected a number"),
    key("a limit of more than all", "cash_reserve", "1.5", r"risk\.cash_reserve = 1\.5: .*below 1"),
    key("budgets over 100%", "options", "0.75", r"budgets.*1\.25"),
    key(
        "a word where a number belongs",
        "staleness_seconds",
        '"soon"',
        r"health\.staleness_seconds = .soon.: expected a number",
    ),
    key(
        "a size in quotes",
        "disk_free_mb",
        '"two hundred"',
        r"health\.disk_free_mb = .two hundred.: expected a whole number",
    ),
    key("a day of a bot that ends before it begins", "trade_start", '"15:45"', r"session: .*15:45, 15:30.*spy-trend"),
    key("an account that nobody has heard of", "account", '"offshore"', r"broker\.account.*offshore.*plain.*alpaca"),
    key("a file of days without entries that is not there", "blackout_file", '"no.csv"', r"blackout_file.*no\.csv"),
    key("real money on the simulated venue", "mode", '"live"', r"mode: .*live"),
    refused(
        "an unknown broker",
        'the broker is `"acme"`',
        lambda stage: stage.write(
            stage.config,
            stage.config.read_text().replace('name = "sim" ', 'name = "acme" ').replace('"faults.toml"', '""'),
        ),
        r"broker\.name: unknown name 'acme'; there are: alpaca, sim",
    ),
    refused(
        "a required gate left out",
        "`broker_reachable` is taken out of the gates",
        lambda stage: stage.edit(stage.config, '"broker_reachable", "acc', '"acc'),
        r"health\.gates: .*broker_reachable",
    ),
    refused(
        "a kill left out",
        "`drawdown` is taken out of the kills",
        lambda stage: stage.edit(stage.config, '"drawdown", "failure', '"failure'),
        r"risk\.kills: drawdown may not be left out",
    ),
    refused(
        "an unknown kill",
        'a kill `"bad_mood"` among the kills',
        lambda stage: stage.edit(stage.config, '"anomaly"]', '"anomaly", "bad_mood"]'),
        r"risk\.kills: unknown name 'bad_mood'",
    ),
    refused(
        "an unknown exit",
        'an exit `"hope"` among the exits',
        lambda stage: stage.edit(stage.config, '"bot_daily_loss",', '"bot_daily_loss", "hope",'),
        r"risk\.exits: unknown name 'hope'",
    ),
    refused(
        "an unknown gate",
        'a gate `"moon_phase"` among the gates',
        lambda stage: stage.edit(stage.config, '"day_start",', '"day_start", "moon_phase",'),
        r"health\.gates\[15\]: unknown name 'moon_phase'",
    ),
    refused(
        "an unknown rule",
        'a rule `"gut"` in the rule book',
        lambda stage: stage.edit(stage.config, '"tradable",', '"tradable", "gut",'),
        r"risk\.rules: unknown name 'gut'",
    ),
    refused(
        "an unknown bot",
        'a bot of the code `"martingale"`',
        lambda stage: stage.edit(stage.config, 'bot = "momentum" ', 'bot = "martingale" '),
        r"bots \(spy-trend\)\.bot: unknown name 'martingale'",
        check="bot spy-trend",
    ),
    refused(
        "an unknown key",
        "`daily_losss = 0.02` at the end of the section `[store]`",
        lambda stage: stage.edit(stage.config, "[store]", "[store]\ndaily_losss = 0.02"),
        r"store\.daily_losss: unknown",
    ),
    refused(
        "two bots of one name",
        "the second bot has the id of the first",
        lambda stage: stage.edit(stage.config, 'id = "spy-breakout"', 'id = "spy-trend"'),
        r"spy-trend",
    ),
    Defect(
        name="no bot enabled",
        planted="`enabled = false` for every bot",
        plant=nobody,
        check="budgets",
        reason=r"no bot is enabled",
        mended="the configuration as it was",
        run=TWO,
    ),
    refused(
        "an empty file", "the configuration has 0 bytes", lambda stage: stage.write(stage.config, ""), r"paper\.toml"
    ),
    refused("a binary file", "the configuration is 2048 bytes of all values", binary, r"paper\.toml: not text: byte"),
    refused("no file", "the configuration is deleted", gone, r"paper\.toml: no such file"),
    refused("a folder for a file", "the configuration is a folder", a_folder, r"paper\.toml: a folder"),
    refused("a file that breaks off", "a line `[zzz` at its end", appended("\n[zzz\n"), r"paper\.toml.*line \d+"),
    refused(
        "a variable that cannot be meant",
        "`HYDRA_RISK__DAILY_LOSS=two` in `.env`",
        lambda stage: stage.write(stage.env_file, "HYDRA_RISK__DAILY_LOSS=two\n"),
        r"HYDRA_RISK__DAILY_LOSS.*\.env",
    ),
    refused(
        "a broken file of secrets",
        "an open quote in line 2 of `.env`",
        lambda stage: stage.write(stage.env_file, 'HYDRA_SIM__KEY=PKTEST\nHYDRA_SIM__SECRET="secr\n'),
        r"\.env:2: ",
    ),
    refused(
        "armed by a file",
        "`HYDRA_ARM_LIVE` stands in `.env`",
        lambda stage: stage.write(stage.env_file, "HYDRA_ARM_LIVE=123456789\n"),
        r"\.env: HYDRA_ARM_LIVE is accepted from the environment only",
    ),
    refused(
        "a journal key that is too short",
        "`HYDRA_JOURNAL_KEY` of 5 characters in `.env`",
        lambda stage: stage.write(stage.env_file, "HYDRA_JOURNAL_KEY=short\n"),
        r"HYDRA_JOURNAL_KEY in \.env: 5 characters",
    ),
    refused(
        "faults that cannot be meant",
        "the fault file names a fault `gremlins`",
        lambda stage: stage.write(stage.faults, '[[faults]]\nfault = "gremlins"\n'),
        r"faults\.toml.*gremlins",
    ),
    refused(
        "a bot that does not compile",
        "the first bot's code is a file with a syntax error in line 1",
        lambda stage: bot_of(stage, "def make(setting) return 1\n"),
        r"bots \(spy-trend\)\.bot: .*planted\.py, line 1: SyntaxError",
        check="bot spy-trend",
    ),
)
