"""The templates and the reference say what the models say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from hydra.bootstrap.config import load_policy
from hydra.bootstrap.environment import RESERVED, load_secrets, read_environment
from hydra.bootstrap.keys import ANY, Key, KeyPath, Kind, keys
from hydra.bootstrap.template import write_template
from hydra.bootstrap.tournament_config import load_tournament
from hydra.model.errors import BadConfig
from hydra.policy import Policy
from tests.bootstrap.test_config import DEV, PAPER, PAPER_TEXT, ROOT

REFERENCE = (ROOT / "docs" / "reference" / "configuration.md").read_text()
ALPACA = ROOT / "configs" / "alpaca-paper.toml"
ALPACA_TEXT = ALPACA.read_text()
TEMPLATES = ROOT / "hydra" / "bootstrap" / "templates"


def commented(text: str) -> Iterator[tuple[KeyPath, str]]:
    """Path and comment of every key that stands on a line of its own, the comment behind it or on the line before."""
    table: KeyPath = ()
    before = ""
    for line in text.splitlines():
        header = re.match(r"\[+([a-z.]+)\]+", line)
        entry = re.match(r"([a-z_]+) = [^#]*(?:# (.*))?$", line)
        if header:
            first, *rest = header[1].split(".")
            table = (first, ANY, *rest) if first == "bots" else (first, *rest)
        elif entry:
            yield (*table, entry[1]), entry[2] or before
        before = line[2:] if line.startswith("# ") else ""


def rows() -> dict[str, list[str]]:
    """The reference's tables of keys: the cells of each row by the key's name."""
    found = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in REFERENCE.splitlines() if line.startswith("| `")]
    return {cells[0].strip("`"): cells[1:] for cells in found if len(cells) == 7}


def default_of(key: Key, document: dict[str, Any]) -> str:
    """What holds when a key is left out; of one that may not be, what the paper configuration has."""
    if key.optional:
        return shown_default(field_of(key).default, key)
    if ANY in key.path:
        return "-"
    value: Any = document
    for part in key.path:
        value = value[part]
    return "all built-in ones" if key.kind is Kind.NAMES else shown_default(value, key) or '""'


def shown_default(value: Any, key: Key) -> str:
    if key.kind is Kind.TABLE:
        return "empty"
    if key.kind is Kind.NAMES and value:
        return "all built-in ones"
    if value in (None, "", (), {}):
        return '""' if not key.optional else "none"
    return str(value).lower() if key.kind is Kind.FLAG else str(value)


def field_of(key: Key) -> Any:
    """The model's field behind a key."""
    model: Any = Policy
    *above, name = (part for part in key.path if part != ANY)
    for part in above:
        annotation = model.model_fields[part].annotation
        inner = [kind for kind in get_args(annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)]
        model = inner[0] if inner else annotation
    return model.model_fields[name]


@pytest.mark.parametrize("key", keys().values(), ids=lambda key: key.name)
def test_every_key_is_in_the_paper_configuration_with_meaning_and_range(key: Key) -> None:
    comments = dict(reversed(list(commented(ALPACA_TEXT if key.path[0] == "alpaca" else PAPER_TEXT))))
    meaning, _, accepted = comments[key.path].rstrip("]").partition(" [")
    assert len(meaning.split()) >= 2
    assert accepted
    if key.kind in (Kind.NUMBER, Kind.WHOLE) or key.limits.startswith("one of"):
        assert accepted == key.limits


@pytest.mark.parametrize("key", keys().values(), ids=lambda key: key.name)
def test_every_key_is_in_the_reference_as_the_models_have_it(key: Key) -> None:
    kind, unit, limits, default, variable, meaning = rows()[key.name]
    assert kind == key.kind
    assert unit != "-" if key.kind is Kind.NUMBER else unit
    assert limits == (key.limits or "-")
    assert default == default_of(key, tomllib.loads(PAPER_TEXT, parse_float=Decimal))
    assert variable == (f"`{key.variable}`" if key.variable else "-")
    assert len(meaning.split()) >= 2


def test_the_reference_has_no_key_that_is_not_in_the_models() -> None:
    assert set(rows()) == {key.name for key in keys().values()}


@pytest.mark.parametrize("variable", RESERVED)
def test_every_reserved_variable_is_in_the_reference(variable: str) -> None:
    assert f"| `{variable}" in REFERENCE


def test_both_configurations_have_the_same_keys_and_the_difference_is_marked() -> None:
    paper, dev = (load_policy(path, {}, None).document() for path in (PAPER, DEV))
    differing = [
        (section, key)
        for section in (
            "broker",
            "market",
            "options",
            "engine",
            "isolation",
            "health",
            "risk",
            "budgets",
            "certificate",
            "journal",
            "store",
        )
        for key in paper[section]
        if paper[section][key] != dev[section][key]
    ]
    assert differing == [("market", "days"), ("market", "speed"), ("market", "sessions")]
    at_any_hour = {"trade_start": "00:00", "trade_end": "23:30", "manage_until": "23:59"}
    for bot in paper["bots"]:
        bot["session"] = bot["session"] and at_any_hour
        bot["enabled"] = bot["option"] is None
    assert paper["bots"] == dev["bots"]
    marked = [line.partition(" =")[0] for line in DEV.read_text().splitlines() if "# PRACTICE:" in line]
    hours = [*at_any_hour, "session", "session", "enabled", "session"]
    assert marked == ["practice", *(key for _, key in differing), *hours]


def test_the_packaged_templates_are_the_repository_s_files() -> None:
    assert (TEMPLATES / "paper.toml").read_bytes() == PAPER.read_bytes()
    assert (TEMPLATES / "alpaca-paper.toml").read_bytes() == ALPACA.read_bytes()
    assert (TEMPLATES / "tournament.toml").read_bytes() == (ROOT / "configs" / "tournament.toml").read_bytes()
    assert (TEMPLATES / "env.example").read_bytes() == (ROOT / ".env.example").read_bytes()


def test_a_template_is_written_and_loads(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    config, gladiators, env_file = write_template(folder, "sim")
    assert (config, env_file) == (folder / "configs" / "paper.toml", folder / ".env")
    assert load_tournament(gladiators) == load_tournament(ROOT / "configs" / "tournament.toml")
    assert env_file.stat().st_mode & 0o777 == 0o600
    assert load_policy(config, {}, env_file).hash == load_policy(PAPER, {}, None).hash
    assert load_secrets({}, env_file).journal_key is None


def test_every_line_of_the_env_template_works_when_its_mark_is_taken_away(tmp_path: Path) -> None:
    text = (TEMPLATES / "env.example").read_text().replace("\n#HYDRA", "\nHYDRA")
    env_file = tmp_path / ".env"
    env_file.write_text(text.replace("HYDRA_JOURNAL_KEY=", "HYDRA_JOURNAL_KEY=0123456789abcdef"))
    assert len(read_environment({}, env_file).variables) >= 10
    secrets = load_secrets({}, env_file)
    assert secrets.alpaca_key is not None
    assert secrets.alpaca_secret is not None
    policy = load_policy(PAPER, {}, env_file)
    assert policy.risk.daily_loss == Decimal("0.01")
    assert policy.bots[0].symbols == ("SPY", "QQQ")


def test_a_template_is_never_written_over_anything(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(BadConfig, match="not empty"):
        write_template(tmp_path, "sim")
    with pytest.raises(BadConfig, match="something else is in its place"):
        write_template(tmp_path / "note.txt", "sim")
    with pytest.raises(BadConfig, match="something else is in its place"):
        write_template(tmp_path / "note.txt" / "inside", "sim")
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert len(write_template(empty, "sim")) == 3
    with pytest.raises(BadConfig, match="not empty"):
        write_template(empty, "sim")


def test_every_key_of_the_configuration_for_alpaca_has_a_meaning_and_a_range_that_holds() -> None:
    comments = dict(reversed(list(commented(ALPACA_TEXT))))
    for path, comment in comments.items():
        meaning, _, accepted = comment.rstrip("]").partition(" [")
        key = keys().get(path)
        if key is None:  # a table in one line
            continue
        assert len(meaning.split()) >= 2, path
        assert accepted, path
        if key.kind in (Kind.NUMBER, Kind.WHOLE) or key.limits.startswith("one of"):
            assert accepted == key.limits, path


def test_the_configuration_for_alpaca_has_two_bots_on_and_no_trace_of_the_simulated_venue(tmp_path: Path) -> None:
    config, _, env_file = write_template(tmp_path / "new", "alpaca")
    assert (config.name, env_file.stat().st_mode & 0o777) == ("alpaca-paper.toml", 0o600)
    policy = load_policy(config, {}, env_file)
    assert (policy.mode, policy.broker.name, policy.market.name) == ("paper", "alpaca", "alpaca")
    assert [bot.id for bot in policy.bots if bot.enabled] == ["spy-trend", "spy-breakout"]
    assert [bot.id for bot in policy.bots if not bot.enabled] == ["aapl-trend", "spy-put-spread", "btc-trend"]
    written = tomllib.loads(ALPACA_TEXT)
    assert set(written["broker"]) == {"name"}
    assert set(written["market"]) == {"name", "bar_seconds", "sessions"}
    paper = {bot.id: bot for bot in load_policy(PAPER, {}, None).bots}
    assert [bot for bot in policy.bots if bot.enabled] == [paper["spy-trend"], paper["spy-breakout"]]


def test_a_broker_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="'ib': unknown; accepted: sim, alpaca"):
        write_template(tmp_path / "new", "ib")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("section", "key"),
    [("health", "gates"), ("risk", "rules"), ("risk", "exits"), ("risk", "option_exits"), ("risk", "kills")],
)
def test_the_paper_configuration_names_every_built_in_plug(section: str, key: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = tomllib.loads(PAPER_TEXT)[section][key]
    assert sorted(names) == sorted(project["entry-points"][f"hydra.{key}"])
    assert all(f"`{name}`" in REFERENCE for name in names)
